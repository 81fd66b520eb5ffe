// Package dbtest gives a test a fresh, empty database on each engine:
//
//	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { … }, dbtest.With(stock.Migrations))
//
// PostgreSQL is the superuser address in ZHANGGUI_TEST_PG, or a cluster of the test binary's own. Its
// absence fails the test. Databases are copies of a template that is migrated once.
package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest/pgserver"
)

// DB is a database that lasts as long as its test.
type DB struct {
	*db.DB
	Clock *clock.Hand // what Tx.Now shows
	DSN   string      // to open it once more
	sets  []db.Migrations
}

// Start is where Clock stands at first: a Monday, 8 in the morning in Shanghai.
var Start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// Migrate adds the schema of more packages.
func (d *DB) Migrate(ctx context.Context, sets ...db.Migrations) error {
	d.sets = append(d.sets, sets...)
	return d.DB.Migrate(ctx, d.sets...)
}

type config struct{ sets []db.Migrations }

// Option says how a test's database is made.
type Option func(*config)

// With migrates the packages, in this order.
func With(sets ...db.Migrations) Option {
	return func(c *config) { c.sets = append(c.sets, sets...) }
}

// Each runs the test on SQLite and on PostgreSQL, each time with a database of its own.
func Each(t *testing.T, fn func(t *testing.T, d *DB), opts ...Option) {
	t.Helper()
	for _, e := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(e.String(), func(t *testing.T) { fn(t, New(t, e, opts...)) })
	}
}

// New makes one database on one engine, for tests and benchmarks of what only that engine has.
func New(t testing.TB, e db.Engine, opts ...Option) *DB {
	t.Helper()
	var c config
	for _, o := range opts {
		o(&c)
	}
	d := &DB{Clock: clock.Fixed(Start), sets: c.sets}
	var err error
	if e == db.SQLite {
		d.DSN, err = freshSQLite(t, c.sets)
	} else {
		d.DSN, err = freshPostgres(t, c.sets)
	}
	if err == nil {
		d.DB, err = db.Open(t.Context(), d.DSN, db.Options{Business: d.Clock, Conns: 40})
	}
	if err != nil {
		t.Fatalf("a database for the test: %v", err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// PrepareAll checks that the engine accepts every statement.
func PrepareAll(t testing.TB, d *DB, texts ...string) {
	t.Helper()
	for _, sql := range texts {
		if err := d.Prepare(t.Context(), sql); err != nil {
			t.Errorf("%s refuses %s\n%v", d.Engine(), sql, err)
		}
	}
}

// fingerprint names a schema.
func fingerprint(sets []db.Migrations) (string, error) {
	h := sha256.New()
	for _, s := range sets {
		fmt.Fprintln(h, s.Package)
		names, err := fs.Glob(s.FS, "migrations/*.sql")
		if err != nil {
			return "", err
		}
		for _, n := range names {
			text, err := fs.ReadFile(s.FS, n)
			if err != nil {
				return "", err
			}
			fmt.Fprintln(h, n, len(text))
			h.Write(text)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

var templates struct {
	sync.Mutex
	sqlite map[string][]byte
	pg     map[string]*template
}

func freshSQLite(t testing.TB, sets []db.Migrations) (string, error) {
	path := filepath.Join(t.TempDir(), "test.db")
	if len(sets) > 0 {
		print, err := fingerprint(sets)
		if err != nil {
			return "", err
		}
		templates.Lock()
		file := templates.sqlite[print]
		if file == nil {
			if file, err = makeSQLite(t, sets); err == nil {
				if templates.sqlite == nil {
					templates.sqlite = map[string][]byte{}
				}
				templates.sqlite[print] = file
			}
		}
		templates.Unlock()
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(path, file, 0o600); err != nil {
			return "", err
		}
	}
	return "sqlite:" + path, nil
}

func makeSQLite(t testing.TB, sets []db.Migrations) ([]byte, error) {
	path := filepath.Join(t.TempDir(), "template.db")
	d, err := db.Open(t.Context(), "sqlite:"+path, db.Options{ReadConns: 1})
	if err != nil {
		return nil, err
	}
	err = d.Migrate(t.Context(), sets...)
	if cerr := d.Close(); err == nil {
		err = cerr // the last connection writes the log back into the file
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

var cluster = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv("ZHANGGUI_TEST_PG"); dsn != "" {
		return dsn, nil
	}
	s, err := pgserver.Start(pgserver.Options{}) // ends with this process
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is needed for tests (install it, or set ZHANGGUI_TEST_PG): %w", err)
	}
	return s.DSN("postgres"), nil
})

var serial atomic.Int64

func freshPostgres(t testing.TB, sets []db.Migrations) (string, error) {
	admin, err := cluster()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	if len(sets) == 0 {
		return copyPostgres(ctx, t, c, admin, "template0", nil)
	}
	print, err := fingerprint(sets)
	if err != nil {
		return "", err
	}
	from := "zhanggui_t_" + print
	templates.Lock()
	made := templates.pg[from]
	if made == nil {
		err = makePostgres(ctx, c, admin, from, sets)
		if templates.pg == nil {
			templates.pg = map[string]*template{}
		}
		if made = new(template); err == nil {
			templates.pg[from] = made
		}
	} else if n := len(made.free); n > 0 {
		name := made.free[n-1]
		made.free = made.free[:n-1]
		templates.Unlock()
		return handOut(t, admin, name, made)
	}
	templates.Unlock()
	if err != nil {
		return "", err
	}
	return copyPostgres(ctx, t, c, admin, from, made)
}

// copyPostgres makes a database of its own; of is what is known of the template, nil for an empty one.
func copyPostgres(ctx context.Context, t testing.TB, c *pgx.Conn, admin, from string, of *template) (string, error) {
	name := fmt.Sprintf("zhanggui_%d_%d", os.Getpid(), serial.Add(1))
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		return "", err
	}
	if of == nil {
		return handOut(t, admin, name, nil)
	}
	dsn, err := inDatabase(admin, name)
	if err != nil {
		return "", err
	}
	templates.Lock()
	defer templates.Unlock()
	if of.schema == "" {
		seen, err := look(ctx, dsn)
		if err != nil {
			return "", err
		}
		of.schema, of.seeded = seen.schema, seen.seeded
	}
	return handOut(t, admin, name, of)
}

// handOut gives a database to a test, and takes it back after it: emptied for the next, or dropped.
func handOut(t testing.TB, admin, name string, of *template) (string, error) {
	dsn, err := inDatabase(admin, name)
	if err != nil {
		return "", err
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if of != nil && !t.Failed() {
			if fresh, _ := of.emptied(ctx, dsn); fresh {
				templates.Lock()
				of.free = append(of.free, name)
				templates.Unlock()
				return
			}
		}
		c, err := pgx.Connect(ctx, admin)
		if err != nil {
			return
		}
		defer c.Close(ctx)
		c.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return dsn, nil
}

// makePostgres makes the template once for all test binaries that share the cluster.
func makePostgres(ctx context.Context, c *pgx.Conn, admin, name string, sets []db.Migrations) error {
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock(7300)"); err != nil {
		return err
	}
	defer c.Exec(ctx, "SELECT pg_advisory_unlock(7300)")
	var ready bool
	if err := c.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate)", name).Scan(&ready); err != nil || ready {
		return err
	}
	if _, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+name); err != nil { // one that was not finished
		return err
	}
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return err
	}
	dsn, err := inDatabase(admin, name)
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, dsn, db.Options{})
	if err != nil {
		return err
	}
	err = d.Migrate(ctx, sets...)
	d.Close()
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, "ALTER DATABASE "+name+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
	return err
}

func inDatabase(dsn, name string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return "", fmt.Errorf("ZHANGGUI_TEST_PG is no postgres:// address")
	}
	u.Path = "/" + name
	return u.String(), nil
}
