package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zhanggui/internal/platform/clock"
)

// Tx is one transaction. It belongs to the goroutine that runs the act and ends with it.
type Tx struct {
	d       *DB
	ctx     context.Context
	now     time.Time
	err     error // the first error; from then on the transaction is dead
	ro      bool
	attempt int
	hooks   []func()
	tape    func(sql string, args []any) // see Record
	written int64
	open    *Rows // a result not read to its end yet; read into memory before anything else runs

	conn   *liteConn // SQLite
	before int64     // SQLite: total_changes when the act began
	cells  []cell    // SQLite: arguments of the statement being run
	ddl    bool      // SQLite: something ran that total_changes does not count
	broken bool      // SQLite: the engine complained, the transaction can't be trusted
	pg     *pgTx     // PostgreSQL
}

// Context is the context the act was started with.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Engine is which database the transaction is on.
func (tx *Tx) Engine() Engine { return tx.d.engine }

// Now is the business instant of the act: UTC, whole milliseconds, the same during the whole transaction.
func (tx *Tx) Now() time.Time { return tx.now }

// Wall is the wall clock now, for leases and deadlines.
func (tx *Tx) Wall() time.Time { return clock.Wall.Now() }

// Attempt is 1 in the first run of the act and counts its repetitions.
func (tx *Tx) Attempt() int { return tx.attempt }

// ForUpdate is a constant suffix for a SELECT that locks its rows: empty on SQLite, whose writer is alone.
func (tx *Tx) ForUpdate() string {
	if tx.d.engine == Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// Doubt asks for a second run, as Attempt tells, before a rule of the database (a unique index, a CHECK) or a
// count that ExecExactly wanted refuses the act: another's act may have made the refusal untrue for its author. It does nothing on SQLite, where acts run
// one by one.
func (tx *Tx) Doubt() {
	if tx.pg != nil {
		tx.pg.doubt = true
	}
}

// AfterCommit runs f once, after the commit is durable, on the goroutine that called Write.
func (tx *Tx) AfterCommit(f func()) { tx.hooks = append(tx.hooks, f) }

// Record has f called with every statement of the act that may write, in order, before it runs; the args
// are f's to keep. Measuring uses it to replay an act's writes without its reads.
func (tx *Tx) Record(f func(sql string, args []any)) { tx.tape = f }

// Written counts the rows that the act inserted, updated or deleted. It is complete after the commit
// (in AfterCommit); on PostgreSQL before that, only for what has travelled.
func (tx *Tx) Written() int64 {
	if tx.conn != nil && !tx.ro {
		return tx.written + tx.conn.totalChanges() - tx.before
	}
	return tx.written
}

func (tx *Tx) recorded(sql string, args []any) {
	if tx.tape != nil {
		tx.tape(sql, append([]any(nil), args...))
	}
}

// Err is the error that killed the transaction, nil while it lives.
func (tx *Tx) Err() error { return tx.err }

// fail kills the transaction with err, unless it is dead already, and returns what killed it.
func (tx *Tx) fail(err error) error {
	if tx.err == nil {
		tx.err = err
	}
	return tx.err
}

// Exec runs a statement whose count nobody needs. On PostgreSQL it is queued: nil may still turn into
// an error when the queue travels.
func (tx *Tx) Exec(sql string, args ...any) error {
	if tx.err != nil {
		return tx.err
	}
	if tx.ro {
		return tx.fail(ErrReadOnly)
	}
	tx.recorded(sql, args)
	if tx.pg != nil {
		return tx.pg.queueExec(tx, sql, args, anyCount, nil)
	}
	_, err := tx.liteExec(sql, args)
	return err
}

// ExecExactly runs a conditional write that must touch exactly n rows; otherwise it kills the
// transaction with the given refusal. It costs no round trip: on PostgreSQL the count is looked at when
// the queue travels, and the refusal is then returned by a later call or by Write.
func (tx *Tx) ExecExactly(n int64, otherwise error, sql string, args ...any) error {
	if tx.err != nil {
		return tx.err
	}
	if tx.ro {
		return tx.fail(ErrReadOnly)
	}
	tx.recorded(sql, args)
	if tx.pg != nil {
		return tx.pg.queueExec(tx, sql, args, n, otherwise)
	}
	got, err := tx.liteExec(sql, args)
	if err == nil && got != n {
		err = tx.fail(otherwise)
	}
	return err
}

// ExecN runs a statement and returns how many rows it touched; on PostgreSQL the queue travels.
func (tx *Tx) ExecN(sql string, args ...any) (int64, error) {
	if tx.err != nil {
		return 0, tx.err
	}
	if tx.ro {
		return 0, tx.fail(ErrReadOnly)
	}
	tx.recorded(sql, args)
	if tx.pg != nil {
		return tx.pg.execN(tx, sql, args)
	}
	return tx.liteExec(sql, args)
}

// Flush lets the queue travel now and returns what has killed the transaction, if anything has. It does
// nothing on SQLite.
func (tx *Tx) Flush() error {
	if tx.err == nil && tx.pg != nil && len(tx.pg.queue) > 0 {
		tx.pg.flush(tx, "")
		tx.drain()
		tx.pg.readAll(tx)
	}
	return tx.err
}

// Query asks for rows as they are now; errors come from Rows. On PostgreSQL the question is queued and
// travels when a result is looked at. The result does not change by what the act writes after asking.
func (tx *Tx) Query(sql string, args ...any) *Rows {
	r := &Rows{tx: tx}
	if tx.err != nil {
		r.err = tx.err
		return r
	}
	if tx.tape != nil && writes(sql) {
		tx.recorded(sql, args)
	}
	if tx.pg != nil {
		tx.pg.queueQuery(tx, r, sql, args)
		return r
	}
	tx.liteQuery(r, sql, args)
	return r
}

// QueryRow asks for at most one row.
func (tx *Tx) QueryRow(sql string, args ...any) *Row {
	q := &Row{}
	q.rows.tx = tx
	if tx.err != nil {
		q.rows.err = tx.err
		return q
	}
	if tx.tape != nil && writes(sql) {
		tx.recorded(sql, args)
	}
	if tx.pg != nil {
		tx.pg.queueQuery(tx, &q.rows, sql, args)
		return q
	}
	tx.liteQuery(&q.rows, sql, args)
	return q
}

// writes tells a question that changes rows (INSERT … RETURNING) from one that only asks.
func writes(sql string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(sql, " \t\n"), " ")
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "INSERT", "UPDATE", "DELETE":
		return true
	}
	return false
}

// drain reads an open result into memory, so that another statement can run.
func (tx *Tx) drain() {
	if r := tx.open; r != nil {
		for tx.open == r && r.more() {
		}
		if tx.open == r {
			tx.open = nil
		}
	}
}

// end makes the Tx useless and returns what the act comes to.
func (tx *Tx) end(err error) error {
	if tx.err != nil && (err == nil || !errors.Is(err, tx.err)) {
		if err == nil {
			err = tx.err
		} else {
			err = errors.Join(err, tx.err)
		}
	}
	return err
}

// Panicked carries a panic of an act from the goroutine that ran it to the one that waits for it.
type Panicked struct {
	Value any
	Stack []byte
}

func (p *Panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap gives the error that was the panic's value, if it was one.
func (p *Panicked) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}
