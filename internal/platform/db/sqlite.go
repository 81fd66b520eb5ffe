package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

const (
	maxGroup     = 64                     // acts in one transaction
	maxGroupTime = 20 * time.Millisecond  // after which no more acts join
	queueLen     = 1024                   // acts that wait
	slowAct      = 250 * time.Millisecond // worth a line in the log: everybody waited for it
	maxAgain     = 5                      // runs that an act may ask for with ErrAgain
)

// lite is a SQLite file: one writer with a goroutine of its own, and readers beside it.
type lite struct {
	path    string
	log     *slog.Logger
	n       *counters
	fatal   func(error)
	conn    *liteConn // the writer's; never sees a caller's context
	queue   chan *act
	quit    chan struct{}
	gone    chan struct{} // closed when the writer has ended
	once    sync.Once
	writer  atomic.Int64 // number of the writer's goroutine
	readers chan *liteConn
	nRead   int

	// The log is copied into the file beside the writer; see checkpoint.
	logPages int // from which on it is copied
	logged   int // written into the log since it was copied whole
	asked    bool
	copy     chan struct{} // asks for it
	copied   chan struct{} // but for what was written meanwhile
	copyGone chan struct{}
	file     *os.File // closed last: closing any descriptor of a file gives up the locks that the library has on it
}

// act is one call of Write on its way through the writer.
type act struct {
	ctx      context.Context
	d        *DB
	fn       func(*Tx) error
	state    atomic.Int32 // waiting, started or left
	done     chan struct{}
	err      error
	hooks    []func()
	attempt  int
	panicked *Panicked
	goexit   bool
}

const (
	waiting int32 = iota
	started
	left
)

func openLite(path string, o Options, n *counters) (*lite, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("db: sqlite needs a file: readers have their own connections")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if err := refuseNetworkFS(filepath.Dir(path)); err != nil {
		return nil, err
	}
	// Made here, so that nobody else on the machine reads it; the log beside it gets the same rights.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &lite{path: path, file: file, n: n, log: o.Log, fatal: o.Fatal, queue: make(chan *act, queueLen), quit: make(chan struct{}),
		gone: make(chan struct{}), readers: make(chan *liteConn, o.ReadConns), nRead: o.ReadConns,
		logPages: o.LogPages, copy: make(chan struct{}, 1), copied: make(chan struct{}, 1), copyGone: make(chan struct{})}
	if l.conn, err = l.openWriter(); err != nil {
		file.Close()
		return nil, err
	}
	for range o.ReadConns {
		l.readers <- nil // opened when first used
	}
	go l.serve()
	go l.copyLogs()
	return l, nil
}

func (l *lite) openWriter() (*liteConn, error) {
	c, err := openLiteConn(l.path, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE)
	if err != nil {
		return nil, err
	}
	for _, p := range []string{
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL",
		"PRAGMA foreign_keys = ON",
		"PRAGMA cache_size = -65536",
		"PRAGMA temp_store = MEMORY",
		"PRAGMA wal_autocheckpoint = 0", // see checkpoint
	} {
		if err := c.run(p); err != nil {
			c.close()
			return nil, fmt.Errorf("db: %s: %w", p, err)
		}
	}
	if mode, err := c.value("PRAGMA journal_mode"); err != nil || mode.s != "wal" {
		c.close()
		return nil, fmt.Errorf("db: %s can't use a write-ahead log (journal mode %q, %v)", l.path, mode.s, err)
	}
	if err := c.bufferLog(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (l *lite) openReader() (*liteConn, error) {
	c, err := openLiteConn(l.path, sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		return nil, err
	}
	for _, p := range []string{"PRAGMA query_only = ON", "PRAGMA cache_size = -16384", "PRAGMA temp_store = MEMORY"} {
		if err := c.run(p); err != nil {
			c.close()
			return nil, fmt.Errorf("db: %s: %w", p, err)
		}
	}
	return c, nil
}

func (l *lite) close() error {
	l.once.Do(func() {
		close(l.quit)
		<-l.gone
		close(l.copy)
		<-l.copyGone
		for range l.nRead {
			if c := <-l.readers; c != nil {
				c.close()
			}
		}
		l.conn.close()
		l.file.Close()
	})
	return nil
}

// write queues an act and waits for its end.
func (l *lite) write(ctx context.Context, d *DB, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return ErrBusy.Wrap(err)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.opt.Timeout)
		defer cancel()
	}
	a := &act{ctx: ctx, d: d, fn: fn, done: make(chan struct{})}
	select {
	case <-l.quit:
		return ErrClosed
	default:
	}
	select {
	case l.queue <- a:
	case <-ctx.Done():
		return ErrBusy.Wrap(ctx.Err())
	case <-l.gone:
		return ErrClosed
	}
	if err := l.wait(a); err != nil {
		return err
	}
	switch {
	case a.panicked != nil:
		panic(a.panicked)
	case a.goexit:
		runtime.Goexit()
	case a.err != nil:
		return a.err
	}
	for _, f := range a.hooks {
		f()
	}
	return nil
}

// wait returns nil when the act has been answered, an error when it never started.
func (l *lite) wait(a *act) error {
	nested := time.NewTimer(200 * time.Millisecond)
	defer nested.Stop()
	for {
		select {
		case <-a.done:
			return nil
		case <-nested.C:
			if l.writer.Load() == goid() && a.state.CompareAndSwap(waiting, left) {
				panic("db: Write within Write: pass tx down instead")
			}
		case <-a.ctx.Done():
			if a.state.CompareAndSwap(waiting, left) {
				return ErrBusy.Wrap(a.ctx.Err())
			}
			<-a.done
			return nil
		case <-l.gone:
			select {
			case <-a.done:
				return nil
			default:
				return ErrClosed
			}
		}
	}
}

// serve is the writer. It lives as long as the database is open; should an act end its goroutine
// (runtime.Goexit), the next one takes over.
func (l *lite) serve() {
	l.writer.Store(goid())
	finished := false
	defer func() {
		if finished {
			close(l.gone)
		} else {
			go l.serve()
		}
	}()
	for {
		select {
		case a := <-l.queue:
			l.group(a)
		case <-l.quit:
			for {
				select {
				case a := <-l.queue:
					l.group(a)
				default:
					finished = true
					return
				}
			}
		}
	}
}

// group runs the acts that wait at this moment in one transaction. If one fails after it wrote, the
// whole group is rolled back and each act runs again alone. Nobody is answered before the commit.
func (l *lite) group(first *act) {
	var acts []*act
	answered := false
	defer func() {
		if answered {
			return
		}
		// runtime.Goexit in an act: end it in the goroutine that called Write, run the others again.
		last := acts[len(acts)-1]
		last.goexit = true
		close(last.done)
		l.rollback()
		for _, a := range acts[:len(acts)-1] {
			l.alone(a)
		}
	}()
	if err := l.begin(); err != nil {
		first.err = err
		if first.state.CompareAndSwap(waiting, started) {
			close(first.done)
		}
		answered = true
		return
	}
	start := time.Now()
	clean := true
	for a := first; a != nil; {
		if a.start() {
			acts = append(acts, a)
			clean = l.run(a)
		}
		if !clean || len(acts) >= maxGroup || time.Since(start) > maxGroupTime {
			break
		}
		select {
		case a = <-l.queue:
		default:
			a = nil
		}
	}
	answered = true
	if !clean {
		l.rollback()
	} else if err := l.commit(); err != nil {
		l.rollback()
		clean = false
		if len(acts) == 1 && acts[0].err == nil {
			acts[0].err = err
		}
	}
	if !clean && (len(acts) > 1 || errors.Is(acts[0].err, ErrAgain)) {
		for _, a := range acts {
			l.alone(a)
		}
		return
	}
	for _, a := range acts {
		close(a.done)
	}
}

// start claims an act for running; false when its caller has left.
func (a *act) start() bool {
	if err := a.ctx.Err(); err != nil {
		if a.state.CompareAndSwap(waiting, started) {
			a.err = ErrBusy.Wrap(err)
			close(a.done)
		}
		return false
	}
	return a.state.CompareAndSwap(waiting, started)
}

// alone runs an act again, in a transaction of its own, and answers it.
func (l *lite) alone(a *act) {
	answered := false
	defer func() {
		if !answered {
			a.goexit = true
			l.rollback()
		}
		close(a.done)
	}()
	for {
		a.err, a.hooks, a.panicked = nil, nil, nil
		if err := a.ctx.Err(); err != nil {
			a.err = ErrBusy.Wrap(err)
			break
		}
		if a.err = l.begin(); a.err != nil {
			break
		}
		if l.run(a) {
			if err := l.commit(); err != nil {
				l.rollback()
				if a.err == nil {
					a.err = err
				}
			}
			break
		}
		l.rollback()
		if !errors.Is(a.err, ErrAgain) || a.attempt >= maxAgain {
			break
		}
	}
	answered = true
}

// run runs one act inside the transaction. It returns false when the transaction must not commit: the
// act failed after it wrote, it panicked, or the engine complained. An act that only refused, having
// written nothing, disturbs nobody.
func (l *lite) run(a *act) (clean bool) {
	begin := time.Now()
	before := l.conn.totalChanges()
	for {
		a.attempt++
		l.n.acts.Add(1)
		if a.attempt > 1 {
			l.n.reruns.Add(1)
		}
		tx := &Tx{d: a.d, ctx: a.ctx, now: a.d.now(), conn: l.conn, before: before, attempt: a.attempt}
		a.err = l.call(a, tx)
		if tx.open != nil {
			tx.open.liteClose()
		}
		a.err = tx.end(a.err)
		a.hooks = tx.hooks
		tx.written = tx.Written()
		wrote := tx.ddl || tx.written != 0
		clean = a.panicked == nil && (a.err == nil || !wrote) && !tx.broken && l.conn.inTransaction()
		tx.err, tx.conn = ErrClosed, nil // whoever kept it can't use it
		if !clean || !errors.Is(a.err, ErrAgain) || a.attempt >= maxAgain {
			break
		}
	}
	if took := time.Since(begin); took > slowAct {
		l.log.Warn("an act held the only writer for long", "ms", took.Milliseconds())
	}
	if !clean && a.err != nil {
		l.checkSync(a.err)
	}
	return clean
}

func (l *lite) call(a *act, tx *Tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			a.panicked = &Panicked{Value: v, Stack: debug.Stack()}
			err = a.panicked
		}
	}()
	return a.fn(tx)
}

func (l *lite) begin() error {
	if l.conn.inTransaction() {
		l.rollback()
	}
	return l.conn.beginImmediate()
}

func (l *lite) commit() error {
	err := l.conn.commit()
	if err == nil {
		l.n.commits.Add(1)
		l.checkpoint()
		return nil
	}
	l.checkSync(err)
	return l.conn.explain(err)
}

const (
	logPages = 16000 // in the log before they are copied into the file: 64 MiB, which the next start reads in a moment
	mostLog  = 4     // times as many, before the writer waits for it
)

// checkpoint has the log copied into the file when it is long enough: by copyLogs, beside the writer, and then the
// little that was written meanwhile by the writer itself, so that there is a moment at which all of it is copied and the
// log begins anew. SQLite would do it all within COMMIT, where everybody waits, and keep silent about an fsync of the
// file that failed: the next one would report success, the log would be begun anew, and what was acknowledged could be
// in neither. Nothing is lost by any other failure, since the log stays.
func (l *lite) checkpoint() {
	l.logged += l.conn.pagesWritten()
	copied := false
	if l.asked && l.logged >= mostLog*l.logPages {
		<-l.copied
		copied = true
	}
	select {
	case <-l.copied:
		copied = true
	default:
	}
	switch {
	case copied:
		l.asked = false
		l.logged = l.logPages * 7 / 8 // soon again, when readers or the disk held it up
		all, err := l.conn.copyLog()
		l.checkCopied(err)
		if all {
			l.logged = 0
		}
	case l.logged >= l.logPages && !l.asked:
		l.asked = true
		select {
		case l.copy <- struct{}{}:
		default: // it is at it since the last time
		}
	}
}

func (l *lite) checkCopied(err error) {
	if err != nil {
		l.log.Warn("the log was not copied into the database file; it is tried again", "err", err)
		l.checkSync(err)
	}
}

// copyLogs copies the log into the file whenever it is asked to, twice: what is written during the first copy is much
// less during the second, and the rest is the writer's. The library syncs the file only when nothing is left to copy, so
// that it is done here: the writer's own sync then finds little to write.
func (l *lite) copyLogs() {
	defer close(l.copyGone)
	var c *liteConn
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	for range l.copy {
		var err error
		if c == nil {
			c, err = l.openCopier()
		}
		for pass := 0; pass < 2 && err == nil; pass++ {
			if _, err = c.copyLog(); err != nil {
				break
			}
			if failed := l.file.Sync(); failed != nil {
				l.fatal(failed)
			}
		}
		l.checkCopied(err)
		select {
		case l.copied <- struct{}{}:
		default: // the last time is still news
		}
	}
}

func (l *lite) openCopier() (*liteConn, error) {
	c, err := openLiteConn(l.path, sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		return nil, err
	}
	for _, p := range []string{"PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 0"} {
		if err := c.run(p); err != nil {
			c.close()
			return nil, fmt.Errorf("db: %s: %w", p, err)
		}
	}
	if err := c.openLog(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// checkSync ends the process after a failed fsync: the kernel has dropped what it could not write and
// the next fsync would report success, so only a restart, which reads the log again, tells what is there.
func (l *lite) checkSync(err error) {
	var e *LiteError
	if errors.As(err, &e) && (e.Code == sqlite3.SQLITE_IOERR_FSYNC || e.Code == sqlite3.SQLITE_IOERR_DIR_FSYNC) {
		l.fatal(err)
	}
}

// rollback makes sure that the writer is outside a transaction; a connection that can't get there is
// replaced.
func (l *lite) rollback() {
	if !l.conn.inTransaction() {
		return
	}
	err := l.conn.run("ROLLBACK")
	if err == nil && !l.conn.inTransaction() {
		return
	}
	l.log.Error("rolling back failed; opening the database file anew", "err", err)
	fresh, oerr := l.openWriter()
	if oerr != nil {
		l.log.Error("the database file can't be opened anew", "err", oerr)
		return // begin tries again
	}
	l.conn.close()
	l.conn = fresh
}

func (l *lite) read(ctx context.Context, d *DB, fn func(*Tx) error) (err error) {
	for attempt := 1; attempt <= maxAgain; attempt++ {
		if err = l.readOnce(ctx, d, fn, attempt); !errors.Is(err, ErrAgain) {
			break
		}
	}
	return err
}

// readOnce runs fn on a snapshot, on one of the readers.
func (l *lite) readOnce(ctx context.Context, d *DB, fn func(*Tx) error, attempt int) (err error) {
	if err := ctx.Err(); err != nil {
		return ErrBusy.Wrap(err)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.opt.Timeout)
		defer cancel()
	}
	var c *liteConn
	select {
	case c = <-l.readers:
	case <-ctx.Done():
		return ErrBusy.Wrap(ctx.Err())
	case <-l.quit:
		return ErrClosed
	}
	defer func() { l.readers <- c }()
	if c == nil {
		if c, err = l.openReader(); err != nil {
			return ErrDown.Wrap(err)
		}
	}
	if err := c.run("BEGIN"); err != nil {
		return c.explain(err)
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.interrupt()
		close(interrupted)
	})
	tx := &Tx{d: d, ctx: ctx, now: d.now(), ro: true, conn: c, attempt: attempt}
	defer func() {
		if !stop() {
			<-interrupted // or it would hit the connection's next user
		}
		if tx.open != nil {
			tx.open.liteClose()
		}
		if c.inTransaction() {
			if rerr := c.run("ROLLBACK"); rerr != nil || c.inTransaction() {
				c.close()
				c = nil
			}
		}
		tx.err, tx.conn = ErrClosed, nil
	}()
	err = tx.end(fn(tx))
	var le *LiteError
	if errors.As(err, &le) && le.Code == sqlite3.SQLITE_INTERRUPT && ctx.Err() != nil {
		err = ErrBusy.Wrap(ctx.Err())
	}
	if err == nil {
		for _, f := range tx.hooks {
			f()
		}
	}
	return err
}

func (l *lite) prepare(ctx context.Context, sql string) error {
	select {
	case c := <-l.readers:
		defer func() { l.readers <- c }()
		if c == nil {
			var err error
			if c, err = l.openReader(); err != nil {
				return err
			}
		}
		s, err := c.compile(sql)
		if err == nil {
			sqlite3.Xsqlite3_finalize(c.tls, s.p)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.quit:
		return ErrClosed
	}
}

// goid is the number of this goroutine, to tell a Write within Write from one that merely waits.
func goid() int64 {
	var b [64]byte
	var n int64
	fmt.Sscanf(string(b[:runtime.Stack(b[:], false)]), "goroutine %d ", &n)
	return n
}
