// Package db opens the one database of an installation, SQLite or PostgreSQL, and runs acts in it.
//
// # Acts
//
// Only an edge (HTTP wrapper, job, subscriber) opens a transaction:
//
//	err := d.Write(ctx, func(tx *db.Tx) error { … })
//	err := d.Read(ctx, func(tx *db.Tx) error { … })
//
// The function may run more than once: it changes nothing outside tx, opens no network connection,
// touches no file and ends within 50 ms. What must follow the commit goes to tx.AfterCommit.
// A Tx that has seen one error is dead: every later call returns that error, and it rolls back
// even if the function returns nil. A refusal in a database rule is therefore read at the edge, after
// the end, with Violates.
//
// # SQL
//
// One text serves both engines: $1…$n first appearing in rising order, TEXT, BIGINT, SMALLINT,
// ON CONFLICT. Texts are constants. On PostgreSQL Exec and Query only queue: the queue travels when a
// result is looked at (Rows.Next, Row.Scan, ExecN) or at the end, in one round trip, BEGIN with the
// first and COMMIT with the last. So ask all questions before looking at the first answer:
//
//	site := tx.QueryRow(`SELECT … FROM org_site WHERE id = $1`, siteID)
//	lots := tx.Query(`SELECT … FROM stock_batch WHERE …`, …)
//	err := site.Scan(…) // one round trip for both
//
// Arguments and scanned values are int64, int, string, bool, []byte, float64, time.Time (stored as UTC
// ms), named kinds of those, and pointers to them for NULL. A bool is 0 or 1 in a SMALLINT or BIGINT
// column. Statements for many rows are made with NewMany.
//
// # Refusals that are found later
//
// A conditional write that must touch exactly n rows need not wait for its count:
//
//	tx.ExecExactly(1, ErrShort, `UPDATE … WHERE left >= $2`, …)
//
// kills the transaction with ErrShort when it touched another number of rows; on PostgreSQL that is
// found when the queue travels, without a round trip of its own.
package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/errs"
)

// Engine is which database an installation uses.
type Engine int

const (
	SQLite Engine = iota + 1
	Postgres
)

func (e Engine) String() string {
	switch e {
	case SQLite:
		return "sqlite"
	case Postgres:
		return "postgres"
	}
	return "unknown"
}

var (
	// ErrNoRow is what Row.Scan returns when the query found nothing.
	ErrNoRow = errors.New("db: no row")
	// ErrReadOnly refuses a write in Read.
	ErrReadOnly = errors.New("db: a read transaction can't write")
	// ErrClosed is returned after Close, and by a Tx used after its end.
	ErrClosed = errors.New("db: closed")
	// ErrAgain, returned by an act, makes Write run it again in a new transaction, at once and at most
	// a few times; Tx.Attempt tells the act which run it is in.
	ErrAgain = errors.New("db: run the act again")

	// ErrCommitUnknown says that the commit was sent and no answer came: the act may have happened.
	// Ask again with the same key.
	ErrCommitUnknown = errs.Define("commit_unknown", errs.Unavailable,
		"没有收到数据库的确认,请用同一个请求号再试", "The database did not confirm in time; please try again with the same key")
	// ErrBusy says that the act did not start, or was rolled back, because others were in the way.
	ErrBusy = errs.Define("db_busy", errs.Unavailable, "系统正忙,请稍后再试", "The system is busy; please try again in a moment")
	// ErrFull says that the disk is full; nothing was changed.
	ErrFull = errs.Define("disk_full", errs.Unavailable, "磁盘已满,暂时无法保存", "The disk is full; nothing can be saved at the moment")
	// ErrDown says that the database can't be reached or its storage fails; nothing was changed.
	ErrDown = errs.Define("db_down", errs.Unavailable, "数据库暂时无法使用,请稍后再试", "The database can't be used at the moment; please try again later")
	// ErrNewerSchema refuses to work on a database that a newer program has migrated.
	ErrNewerSchema = errs.Define("schema_newer", errs.Internal,
		"数据库由更新的版本创建({package} {version}),请升级程序", "The database was made by a newer version ({package} at {version}); please upgrade the program")
	// ErrOlderSchema refuses to read a database as it will be once this program has migrated it.
	ErrOlderSchema = errs.Define("schema_older", errs.Internal,
		"数据库还是旧版本的({package} {version}),请先用这个程序启动一次服务", "The database is of an older version ({package} at {version}); start the server of this program once first")
)

// Options tune an installation; the zero value is right for production.
type Options struct {
	Business  clock.Source  // what Tx.Now shows; default the wall clock
	ReadConns int           // SQLite: connections that read beside the writer, default 4
	LogPages  int           // SQLite: pages in the log from which on it is copied into the file, default 16,000 (64 MiB)
	Conns     int           // PostgreSQL: connections, default 16
	Writers   int           // PostgreSQL: acts that write at once, the others wait their turn; default Conns when that is given, else 2 a processor and at least 4
	Timeout   time.Duration // for a call whose context has no deadline, default 30 s
	Fatal     func(error)   // called when a file could not be synced: the process must end; default os.Exit(70)
	Log       *slog.Logger
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	opt    Options
	engine Engine
	lite   *lite
	pg     *pg
	known  map[string]bool // packages whose migrations this handle was given
	n      counters
	kept   sync.Map // see Keep
}

// Open opens "sqlite:PATH" (the file and its folder are made when missing) or "postgres://…".
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.Business == nil {
		o.Business = clock.Wall
	}
	if o.ReadConns <= 0 {
		o.ReadConns = 4
	}
	if o.LogPages <= 0 {
		o.LogPages = logPages
	}
	if o.Writers <= 0 {
		// More than the processors can serve only take turns in the middle of their work, and hold their locks meanwhile.
		o.Writers = max(4, 2*runtime.GOMAXPROCS(0))
		if o.Conns > 0 {
			o.Writers = o.Conns
		}
	}
	if o.Conns <= 0 {
		o.Conns = max(16, o.Writers+8) // the rest is for reading
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Fatal == nil {
		log := o.Log
		o.Fatal = func(err error) {
			log.Error("the database file could not be synced; ending the process, because what was written is unknown", "err", err)
			os.Exit(70)
		}
	}
	d := &DB{opt: o, known: map[string]bool{}}
	var err error
	switch {
	case strings.HasPrefix(dsn, "sqlite:"):
		d.engine = SQLite
		d.lite, err = openLite(strings.TrimPrefix(dsn, "sqlite:"), o, &d.n)
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		d.engine = Postgres
		d.pg, err = openPG(ctx, dsn, o, &d.n)
	default:
		err = fmt.Errorf("db: %q is neither sqlite:PATH nor postgres://…", dsn)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Stats counts since Open.
type Stats struct {
	Acts       int64 // runs of acts in Write
	Commits    int64 // transactions committed; on SQLite one holds a group of acts
	Reruns     int64 // runs of acts after the first: rolled back groups, deadlocks, ErrAgain
	RoundTrips int64 // PostgreSQL: batches sent
}

type counters struct{ acts, commits, reruns, trips, waiting atomic.Int64 }

// Stats tells how the database is used.
func (d *DB) Stats() Stats {
	n := &d.n
	return Stats{n.acts.Load(), n.commits.Load(), n.reruns.Load(), n.trips.Load()}
}

// Waiting is how many acts wait for SQLite's writer, or for a connection to PostgreSQL.
func (d *DB) Waiting() int {
	if d.lite != nil {
		return len(d.lite.queue)
	}
	return int(d.n.waiting.Load())
}

// Engine is which database this is.
func (d *DB) Engine() Engine { return d.engine }

// Close waits for running acts, and closes all connections.
func (d *DB) Close() error {
	if d.lite != nil {
		return d.lite.close()
	}
	if d.pg.closed.CompareAndSwap(false, true) {
		d.pg.pool.Close()
	}
	return nil
}

// Write runs fn in one transaction and returns nil only when its commit is durable. fn may run more
// than once. A deadline of ctx bounds the wait for a turn, never a statement that is running on SQLite.
// A panic of fn rolls back and goes on in the caller.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	if d.lite != nil {
		return d.lite.write(ctx, d, fn)
	}
	return d.pg.write(ctx, d, fn)
}

// Read runs fn on one unchanging snapshot; a write in it is refused with ErrReadOnly.
func (d *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	if d.lite != nil {
		return d.lite.read(ctx, d, fn)
	}
	return d.pg.read(ctx, d, fn)
}

// Prepare checks that the engine accepts the statement, without running it.
func (d *DB) Prepare(ctx context.Context, sql string) error {
	if err := checkPlaceholders(sql); err != nil {
		return err
	}
	if d.lite != nil {
		return d.lite.prepare(ctx, sql)
	}
	return d.pg.prepare(ctx, sql)
}

func (d *DB) now() time.Time { return d.opt.Business.Now().UTC().Truncate(time.Millisecond) }

// checkPlaceholders holds texts to $1…$n first appearing in rising order: SQLite counts by first
// appearance and would silently bind another order wrongly.
func checkPlaceholders(sql string) error {
	if strings.TrimSpace(sql) == "" {
		return errors.New("db: no statement")
	}
	next := 1
	for i := 0; i < len(sql); i++ {
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			j := strings.IndexByte(sql[i+1:], c)
			if j < 0 {
				return fmt.Errorf("db: quote without end in %q", sql)
			}
			i += j + 1
		case c == '-' && strings.HasPrefix(sql[i:], "--"):
			j := strings.IndexByte(sql[i:], '\n')
			if j < 0 {
				return nil
			}
			i += j
		case c == '?':
			return fmt.Errorf("db: write $1, not ?, in %q", sql)
		case c == '$':
			n := 0
			for i+1 < len(sql) && sql[i+1] >= '0' && sql[i+1] <= '9' {
				i++
				n = n*10 + int(sql[i]-'0')
			}
			if n == 0 || n > next {
				return fmt.Errorf("db: $%d appears before $%d in %q", n, next, sql)
			}
			if n == next {
				next++
			}
		}
	}
	return nil
}
