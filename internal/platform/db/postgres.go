package db

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	maxTries    = 6    // runs of an act that meets deadlocks or lost connections
	lockTimeout = "3s" // for a row or table that somebody else holds
)

// pg is a pool of connections to PostgreSQL, and what is known of the statements.
type pg struct {
	pool   *pgxpool.Pool
	turns  chan struct{} // holds a mark for each act that writes
	closed atomic.Bool
	log    *slog.Logger
	n      *counters
	mu     sync.RWMutex
	desc   map[string]*pgDesc // by text; the same on every connection
}

// pgDesc is what the server told of a statement.
type pgDesc struct {
	params       []uint32 // types
	paramFormats []int16
	fields       []pgconn.FieldDescription
	formats      []int16
}

// pgSession is what is kept with each connection.
type pgSession struct {
	stmts  map[string]*pgconn.StatementDescription
	last   int
	unsure bool // the server warned that a commit was not confirmed by its standby
}

const sessionKey = "zhanggui"

func openPG(ctx context.Context, dsn string, o Options, n *counters) (*pg, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = int32(o.Conns)
	cfg.MinIdleConns = 1
	cfg.MaxConnLifetime = time.Hour
	cfg.MaxConnLifetimeJitter = 10 * time.Minute
	cfg.MaxConnIdleTime = 10 * time.Minute
	cc := cfg.ConnConfig
	cc.ConnectTimeout = 5 * time.Second
	cc.DialFunc = (&net.Dialer{Timeout: 5 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}}).DialContext
	for k, v := range map[string]string{
		"application_name":                    "zhanggui",
		"timezone":                            "UTC",
		"default_transaction_isolation":       "read committed",
		"idle_in_transaction_session_timeout": "10s",
		"lock_timeout":                        lockTimeout,
		"tcp_keepalives_idle":                 "5",
		"tcp_keepalives_interval":             "2",
		"tcp_keepalives_count":                "3",
		// Pages of a shop's tables are in memory or on a solid disk. With the default of 4, made for turning disks, small
		// tables are read whole for one row of theirs: the registers of a chain at every sale.
		"random_page_cost": "1.1",
	} {
		if _, set := cc.RuntimeParams[k]; !set {
			cc.RuntimeParams[k] = v
		}
	}
	cc.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		// "canceling wait for synchronous replication": the commit is here but not on the standby.
		if n.Code == "57014" || n.Code == "57P01" {
			if s, ok := c.CustomData()[sessionKey].(*pgSession); ok {
				s.unsure = true
			}
		}
	}
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.PgConn().CustomData()[sessionKey] = &pgSession{stmts: map[string]*pgconn.StatementDescription{}}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, ErrDown.Wrap(err)
	}
	return &pg{pool: pool, turns: make(chan struct{}, o.Writers), log: o.Log, n: n, desc: map[string]*pgDesc{}}, nil
}

func (p *pg) write(ctx context.Context, d *DB, fn func(*Tx) error) error {
	ctx, cancel := withTimeout(ctx, d.opt.Timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		p.n.acts.Add(1)
		if attempt > 1 {
			p.n.reruns.Add(1)
		}
		hooks, err := p.inTurn(ctx, d, fn, attempt)
		if err == nil {
			p.n.commits.Add(1)
			for _, f := range hooks {
				f()
			}
			return nil
		}
		again, pause := p.retryable(err)
		if !again || attempt >= maxTries || ctx.Err() != nil {
			return err
		}
		if pause {
			select {
			case <-time.After(time.Duration(rand.Int64N(int64(5*time.Millisecond) << attempt))):
			case <-ctx.Done():
				return err
			}
		}
	}
}

// inTurn runs a writing act once, when its turn has come.
func (p *pg) inTurn(ctx context.Context, d *DB, fn func(*Tx) error, attempt int) ([]func(), error) {
	select {
	case p.turns <- struct{}{}:
	default:
		p.n.waiting.Add(1)
		select {
		case p.turns <- struct{}{}:
			p.n.waiting.Add(-1)
		case <-ctx.Done():
			p.n.waiting.Add(-1)
			return nil, ErrBusy.Wrap(ctx.Err())
		}
	}
	defer func() { <-p.turns }()
	return p.try(ctx, d, fn, attempt, false)
}

func (p *pg) read(ctx context.Context, d *DB, fn func(*Tx) error) error {
	ctx, cancel := withTimeout(ctx, d.opt.Timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		hooks, err := p.try(ctx, d, fn, attempt, true)
		if err == nil {
			for _, f := range hooks {
				f()
			}
			return nil
		}
		if again, _ := p.retryable(err); !again || attempt >= maxTries || ctx.Err() != nil {
			return err
		}
	}
}

func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// errLost marks a transaction whose connection broke before COMMIT was sent: nothing happened.
type errLost struct{ cause error }

func (e *errLost) Error() string { return "db: the connection was lost: " + e.cause.Error() }
func (e *errLost) Unwrap() error { return e.cause }

// errDoubt marks a refusal by the server that the act wants to see twice.
type errDoubt struct{ cause error }

func (e *errDoubt) Error() string { return e.cause.Error() }
func (e *errDoubt) Unwrap() error { return e.cause }

// retryable says whether the act may simply run again, and whether after a pause.
func (p *pg) retryable(err error) (again, pause bool) {
	if errors.Is(err, ErrCommitUnknown) {
		return false, false
	}
	if errors.Is(err, ErrAgain) {
		return true, false
	}
	var doubt *errDoubt
	if errors.As(err, &doubt) {
		return true, false
	}
	var lost *errLost
	if errors.As(err, &lost) {
		return true, true
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false, false
	}
	switch e.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return true, true
	case "0A000", "26000", "08P01": // a statement prepared before a migration
		if e.Code == "26000" || e.Message == "cached plan must not change result type" || strings.HasPrefix(e.Message, "bind message has") {
			p.mu.Lock()
			clear(p.desc)
			p.mu.Unlock()
			p.pool.Reset()
			return true, false
		}
	}
	return false, false
}

// try runs the act once. The caller's context reaches the connection through one of ours, because a
// read is ended after its caller has gone on.
func (p *pg) try(ctx context.Context, d *DB, fn func(*Tx) error, attempt int, ro bool) (hooks []func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, ErrBusy.Wrap(err)
	}
	if p.closed.Load() {
		return nil, ErrClosed
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	detach := context.AfterFunc(ctx, cancel)
	t := &pgTx{p: p, ctx: own, ro: ro}
	tx := &Tx{d: d, ctx: ctx, now: d.now(), ro: ro, attempt: attempt, pg: t}
	ended, handed := false, false
	defer func() {
		if !ended { // a panic, or the end of the goroutine
			t.rollback(tx)
		}
		tx.err = ErrClosed
		if !handed {
			detach()
			cancel()
		}
	}()
	err = tx.end(fn(tx))
	ended = true
	switch {
	case err != nil:
		t.rollback(tx)
	case !ro:
		err = t.commit(tx)
	default:
		if err = t.finishRead(tx); err != nil || !detach() {
			t.rollback(tx)
		} else if t.conn != nil {
			handed = true
			go func() {
				defer cancel()
				limit := time.AfterFunc(5*time.Second, cancel)
				defer limit.Stop()
				t.rollback(&Tx{d: d, ctx: own, ro: true, pg: t})
			}()
		}
	}
	if err != nil && t.doubt && t.ruled && attempt == 1 {
		err = &errDoubt{err}
	}
	return tx.hooks, err
}

// prepare lets the server check a statement.
func (p *pg) prepare(ctx context.Context, sql string) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Conn().PgConn().Prepare(ctx, "", sql, nil)
	return err
}

// explain turns what the server says into the errors of this package.
func explainPG(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case "55P03", "57014", "53300", "25P03": // lock timeout, cancelled, too many connections, idle too long
		return ErrBusy.Wrap(err)
	case "53100": // disk full
		return ErrFull.Wrap(err)
	case "57P01", "57P02", "57P03", "58030", "53200", "25006": // shutting down, I/O, memory, a standby
		return ErrDown.Wrap(err)
	}
	return err
}
