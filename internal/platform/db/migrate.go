package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// Migrations are the steps of one package: files migrations/NNN_name.sql, forward only, one text for
// both engines. Text is written for PostgreSQL; on SQLite BIGINT PRIMARY KEY becomes INTEGER PRIMARY KEY,
// BOOLEAN becomes INTEGER, DOUBLE PRECISION becomes REAL, BYTEA becomes BLOB, and tables become STRICT.
// A file NNN_name.pg.sql or NNN_name.sqlite.sql is for one engine only.
type Migrations struct {
	Package string
	FS      fs.FS
}

// migrateLock serialises migrations of several nodes on PostgreSQL; any constant will do.
const migrateLock = 7300_1001

// Migrate brings the schema of the packages, in the given order, to what this program knows. A database
// that is ahead of the program, in a package's version or with a package the program does not have,
// is refused with ErrNewerSchema and left alone.
func (d *DB) Migrate(ctx context.Context, sets ...Migrations) error {
	handle, release, err := d.migrationHandle(ctx)
	if err != nil {
		return err
	}
	defer release()
	for _, s := range sets {
		d.known[s.Package] = true
	}
	if err := d.refuseUnknown(ctx, handle); err != nil {
		return err
	}
	type plan struct {
		provider *goose.Provider
		pkg      string
	}
	var plans []plan
	for _, s := range sets {
		steps, err := s.steps(d.engine)
		if err != nil {
			return err
		}
		if len(steps) == 0 {
			continue
		}
		dialect := goose.DialectSQLite3
		if d.engine == Postgres {
			dialect = goose.DialectPostgres
		}
		p, err := goose.NewProvider(dialect, handle, nil, goose.WithGoMigrations(steps...),
			goose.WithTableName(s.Package+versionSuffix), goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
		if err != nil {
			return fmt.Errorf("db: migrations of %s: %w", s.Package, err)
		}
		at, err := p.GetDBVersion(ctx)
		if err != nil {
			return fmt.Errorf("db: version of %s: %w", s.Package, err)
		}
		if last := steps[len(steps)-1].Version; at > last {
			return ErrNewerSchema.With("package", s.Package, "version", at)
		}
		plans = append(plans, plan{p, s.Package})
	}
	for _, p := range plans { // only when nothing is newer
		if err := up(ctx, p.provider); err != nil {
			return fmt.Errorf("db: migrating %s: %w", p.pkg, err)
		}
	}
	return nil
}

// up migrates one package. On SQLite another process may do the same at the same time: a step is one
// transaction there with the row that counts it, so when a step fails and the version has risen, somebody
// else has done it, and the rest is tried again.
func up(ctx context.Context, p *goose.Provider) error {
	for {
		before, err := p.GetDBVersion(ctx)
		if err != nil {
			return err
		}
		_, err = p.Up(ctx)
		if err == nil {
			return nil
		}
		if now, verr := p.GetDBVersion(ctx); verr != nil || now <= before {
			return err
		}
	}
}

const versionSuffix = "_migration"

// migrationHandle opens the database through database/sql, as the migration library wants it, and on
// PostgreSQL takes the lock that lets one node migrate at a time.
func (d *DB) migrationHandle(ctx context.Context) (*sql.DB, func(), error) {
	if d.engine == SQLite {
		h, err := sql.Open("sqlite", "file:"+(&pathEscaper).Replace(d.lite.path)+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_txlock=immediate")
		if err != nil {
			return nil, nil, err
		}
		h.SetMaxOpenConns(1)
		return h, func() { h.Close() }, nil
	}
	cfg := d.pg.pool.Config().ConnConfig.Copy()
	cfg.RuntimeParams["lock_timeout"] = "0" // another node may be migrating for minutes
	lock, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, nil, ErrDown.Wrap(err)
	}
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrateLock)); err != nil {
		lock.Close(ctx)
		return nil, nil, err
	}
	h := stdlib.OpenDB(*cfg)
	return h, func() {
		h.Close()
		lock.Close(context.WithoutCancel(ctx)) // frees the lock
	}, nil
}

var pathEscaper = *strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")

// refuseUnknown refuses a database with tables of a package that this program does not have.
func (d *DB) refuseUnknown(ctx context.Context, h *sql.DB) error {
	q := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if d.engine == Postgres {
		q = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	rows, err := h.QueryContext(ctx, q)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return err
		}
		if pkg, ok := strings.CutSuffix(table, versionSuffix); ok && !d.known[pkg] {
			return ErrNewerSchema.With("package", pkg, "version", "?")
		}
	}
	return rows.Err()
}

// steps reads the files of one package for one engine.
func (m Migrations) steps(e Engine) ([]*goose.Migration, error) {
	names, err := fs.Glob(m.FS, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("db: %s has no migrations/*.sql", m.Package)
	}
	sort.Strings(names)
	var steps []*goose.Migration
	for _, name := range names {
		base := path.Base(name)
		number, _, ok := strings.Cut(base, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || version < 1 {
			return nil, fmt.Errorf("db: %s: a migration is named NNN_name.sql, not %s", m.Package, base)
		}
		if strings.HasSuffix(base, ".pg.sql") && e != Postgres || strings.HasSuffix(base, ".sqlite.sql") && e != SQLite {
			continue
		}
		raw, err := fs.ReadFile(m.FS, name)
		if err != nil {
			return nil, err
		}
		text := string(raw)
		if strings.Contains(text, "+goose") {
			return nil, fmt.Errorf("db: %s: %s is plain SQL, forward only, without goose's marks", m.Package, base)
		}
		if e == SQLite {
			text = toSQLite(text)
		}
		if slices.ContainsFunc(steps, func(s *goose.Migration) bool { return s.Version == version }) {
			return nil, fmt.Errorf("db: %s has two migrations %d", m.Package, version)
		}
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", base, err)
			}
			return nil
		}}, nil))
	}
	if !slices.IsSortedFunc(steps, func(a, b *goose.Migration) int { return int(a.Version - b.Version) }) {
		return nil, errors.New("db: migrations of " + m.Package + " are numbered with different widths")
	}
	return steps, nil
}

var (
	bigintKey = regexp.MustCompile(`(?i)\b(?:BIGINT|INTEGER)(\s+NOT\s+NULL)?\s+PRIMARY\s+KEY`)
	boolType  = regexp.MustCompile(`(?i)\bBOOLEAN\b`)
	floatType = regexp.MustCompile(`(?i)\bDOUBLE\s+PRECISION\b`)
	bytesType = regexp.MustCompile(`(?i)\bBYTEA\b`)
	intTypes  = regexp.MustCompile(`(?i)\b(?:BIGINT|SMALLINT)\b`)
	lineNote  = regexp.MustCompile(`--[^\n]*`)
	table     = regexp.MustCompile(`(?is)^\s*CREATE\s+TABLE\b`)
)

// toSQLite translates the common text. STRICT tables know INTEGER, REAL, TEXT and BLOB only.
func toSQLite(text string) string {
	text = lineNote.ReplaceAllString(text, "")
	text = bigintKey.ReplaceAllString(text, "INTEGER PRIMARY KEY")
	text = boolType.ReplaceAllString(text, "INTEGER")
	text = floatType.ReplaceAllString(text, "REAL")
	text = bytesType.ReplaceAllString(text, "BLOB")
	text = intTypes.ReplaceAllString(text, "INTEGER")
	parts := strings.Split(text, ";")
	for i, p := range parts {
		if table.MatchString(p) && i < len(parts)-1 {
			parts[i] = strings.TrimRight(p, " \t\n") + " STRICT"
		}
	}
	return strings.Join(parts, ";")
}
