package db

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	_ "modernc.org/sqlite" // sets up the library, and is the driver that migrations use
	sqlite3 "modernc.org/sqlite/lib"
)

// liteConn is one connection, used by one goroutine at a time. It speaks to the library directly: the
// driver behind database/sql asks for the name of every parameter and column at every call, which costs
// more than a small statement itself.
type liteConn struct {
	tls   *libc.TLS
	db    uintptr
	stmts map[string]*liteStmt
	arena uintptr // texts and blobs of the statement being run; one runs at a time
	size  int
}

type liteStmt struct {
	c        *liteConn
	p        uintptr
	params   int
	readonly bool
	ddl      bool
}

// LiteError is an error of SQLite. Code is the extended result code.
type LiteError struct {
	Code  int
	Msg   string
	names []string // constraints it may be about
}

func (e *LiteError) Error() string { return fmt.Sprintf("sqlite %d: %s", e.Code, e.Msg) }

const maxStmts = 2000 // texts are constants, so this is reached by a program that glues SQL only

func openLiteConn(path string, flags int32) (*liteConn, error) {
	c := &liteConn{tls: libc.NewTLS(), stmts: map[string]*liteStmt{}}
	name, err := libc.CString(path)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	pp := libc.Xmalloc(c.tls, 8)
	if pp == 0 {
		c.tls.Close()
		return nil, fmt.Errorf("db: out of memory")
	}
	defer libc.Xfree(c.tls, pp)
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, pp, flags|sqlite3.SQLITE_OPEN_NOMUTEX, 0)
	c.db = *(*uintptr)(pointer(pp))
	if rc != sqlite3.SQLITE_OK {
		err := c.error(rc)
		c.close()
		return nil, fmt.Errorf("db: open %s: %w", path, err)
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, busyTimeout)
	return c, nil
}

const (
	busyTimeout = 5000    // ms
	pendingByte = 1 << 30 // of no use in any file: SQLite locks it
	lockLook    = time.Millisecond
)

// beginImmediate takes the file's write lock. Another process, such as an import from the command line, holds it
// for one short step at a time; SQLite's own waiting sleeps up to a tenth of a second between looks, which a till
// would feel, so we look each millisecond.
func (c *liteConn) beginImmediate() error {
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, 0)
	defer sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, busyTimeout)
	for looks := 0; ; looks++ {
		err := c.run("BEGIN IMMEDIATE")
		if err == nil {
			return nil
		}
		var e *LiteError
		if !errors.As(err, &e) || e.Code&0xff != sqlite3.SQLITE_BUSY || looks == busyTimeout {
			return c.explain(err)
		}
		time.Sleep(lockLook)
	}
}

func (c *liteConn) close() {
	c.forget()
	if c.db != 0 {
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
		c.db = 0
	}
	if c.arena != 0 {
		libc.Xfree(c.tls, c.arena)
		c.arena = 0
	}
	c.tls.Close()
}

// forget finalizes all cached statements.
func (c *liteConn) forget() {
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s.p)
	}
	clear(c.stmts)
}

func (c *liteConn) error(rc int32) *LiteError {
	if c.db == 0 {
		return &LiteError{Code: int(rc), Msg: libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))}
	}
	return &LiteError{Code: int(rc), Msg: libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))}
}

// inTransaction asks SQLite itself, which leaves a transaction on its own after some errors.
func (c *liteConn) inTransaction() bool {
	return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0
}

func (c *liteConn) totalChanges() int64 {
	return int64(sqlite3.Xsqlite3_total_changes64(c.tls, c.db))
}

// pagesWritten tells how many pages went into the log since it was asked last.
func (c *liteConn) pagesWritten() int {
	at := libc.Xmalloc(c.tls, 8) // the figure, and its greatest, which this one has not
	if at == 0 {
		return 0
	}
	defer libc.Xfree(c.tls, at)
	if sqlite3.Xsqlite3_db_status(c.tls, c.db, sqlite3.SQLITE_DBSTATUS_CACHE_WRITE, at, at+4, 1) != sqlite3.SQLITE_OK {
		return 0
	}
	return int(*(*int32)(pointer(at)))
}

// commit ends the transaction. When the library has rearranged neighbouring pages it has called one of them, for a
// moment, by the number of a page that no file has (at 1 GiB), and the cache remembers the highest number it has heard.
// At the end of each transaction it then searches all it holds for pages beyond the end of the file: thousands of
// memory accesses, a tenth of what a sale costs. So the cache is told the highest number that is true.
func (c *liteConn) commit() error {
	pager, cache := c.pager()
	pending := uint32(pendingByte/pager.FpageSize) + 1
	if cache.FiMaxKey == pending && pager.FdbSize < pending {
		cache.FiMaxKey = pager.FdbSize
	}
	return c.run("COMMIT")
}

// pager and the cache of its pages, as the pinned version of the library lays them out; a test holds them to that.
func (c *liteConn) pager() (*sqlite3.TPager, *sqlite3.TPCache1) {
	main := (*sqlite3.TDb)(pointer((*sqlite3.Tsqlite3)(pointer(c.db)).FaDb))
	tree := (*sqlite3.TBtShared)(pointer((*sqlite3.TBtree)(pointer(main.FpBt)).FpBt))
	pager := (*sqlite3.TPager)(pointer(tree.FpPager))
	return pager, (*sqlite3.TPCache1)(pointer((*sqlite3.TPCache)(pointer(pager.FpPCache)).FpCache))
}

// openLog makes sure that the connection knows the log, which it does from its first read on.
func (c *liteConn) openLog() error { return c.run("SELECT COUNT(*) FROM sqlite_schema") }

// copyLog copies as much of the log into the file as readers allow, and tells whether that was all of it.
func (c *liteConn) copyLog() (all bool, err error) {
	s, err := c.stmt("PRAGMA wal_checkpoint(PASSIVE)")
	if err != nil {
		return false, err
	}
	defer s.reset()
	if there, err := s.step(); err != nil || !there {
		return false, err
	}
	row := s.columns(nil, 3)
	return allCopied(row[0].n, row[1].n, row[2].n)
}

// allCopied reads what the library says of a copy: busy, pages in the log, and of them copied. It knows no pages when another
// process is copying at this moment, and when the connection does not know the log.
func allCopied(busy, logged, copied int64) (bool, error) {
	if logged < 0 && busy == 0 {
		return false, errors.New("db: a connection that has not opened the log can't copy it")
	}
	return busy == 0 && logged == copied, nil
}

// interrupt may be called from another goroutine: it only sets a flag.
func (c *liteConn) interrupt() {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, c.db)
}

func (c *liteConn) stmt(sql string) (*liteStmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	if err := checkPlaceholders(sql); err != nil {
		return nil, err
	}
	s, err := c.compile(sql)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= maxStmts {
		c.forget()
	}
	c.stmts[sql] = s
	return s, nil
}

func (c *liteConn) compile(sql string) (*liteStmt, error) {
	z, err := libc.CString(sql)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, z)
	out := libc.Xmalloc(c.tls, 16)
	if out == 0 {
		return nil, fmt.Errorf("db: out of memory")
	}
	defer libc.Xfree(c.tls, out)
	if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, z, int32(len(sql)+1), sqlite3.SQLITE_PREPARE_PERSISTENT, out, out+8); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("%w in %q", c.error(rc), sql)
	}
	p := *(*uintptr)(pointer(out))
	tail := *(*uintptr)(pointer(out + 8))
	if p == 0 {
		return nil, fmt.Errorf("db: no statement in %q", sql)
	}
	if rest := strings.TrimSpace(sql[tail-z:]); rest != "" {
		sqlite3.Xsqlite3_finalize(c.tls, p)
		return nil, fmt.Errorf("db: more than one statement in %q", sql)
	}
	s := &liteStmt{c: c, p: p,
		params:   int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, p)),
		readonly: sqlite3.Xsqlite3_stmt_readonly(c.tls, p) != 0,
	}
	if !s.readonly {
		s.ddl = true
		for _, w := range [...]string{"INSERT", "UPDATE", "DELETE", "WITH", "REPLACE"} {
			if t := strings.TrimSpace(sql); len(t) > len(w) && strings.EqualFold(t[:len(w)], w) {
				s.ddl = false
			}
		}
	}
	return s, nil
}

// bind gives the statement its arguments. Texts are copied into the connection's arena, where they
// stay until the next statement is bound.
func (s *liteStmt) bind(args []cell) error {
	c := s.c
	if len(args) != s.params {
		return fmt.Errorf("db: the statement has %d parameters, not %d", s.params, len(args))
	}
	need := 1
	for i := range args {
		need += len(args[i].s)
	}
	if need > c.size {
		if c.arena != 0 {
			libc.Xfree(c.tls, c.arena)
		}
		c.size = max(4096, need+need/2)
		if c.arena = libc.Xmalloc(c.tls, types.Size_t(c.size)); c.arena == 0 {
			c.size = 0
			return fmt.Errorf("db: out of memory")
		}
	}
	at := c.arena
	for i := range args {
		a := &args[i]
		var rc int32
		switch a.kind {
		case null:
			rc = sqlite3.Xsqlite3_bind_null(c.tls, s.p, int32(i+1))
		case integer:
			rc = sqlite3.Xsqlite3_bind_int64(c.tls, s.p, int32(i+1), a.n)
		case float:
			rc = sqlite3.Xsqlite3_bind_double(c.tls, s.p, int32(i+1), math.Float64frombits(uint64(a.n)))
		default:
			copy(unsafe.Slice((*byte)(pointer(at)), len(a.s)), a.s)
			if a.kind == text {
				rc = sqlite3.Xsqlite3_bind_text(c.tls, s.p, int32(i+1), at, int32(len(a.s)), 0)
			} else {
				rc = sqlite3.Xsqlite3_bind_blob(c.tls, s.p, int32(i+1), at, int32(len(a.s)), 0)
			}
			at += uintptr(len(a.s))
		}
		if rc != sqlite3.SQLITE_OK {
			return c.error(rc)
		}
	}
	return nil
}

// step returns whether there is a row.
func (s *liteStmt) step() (bool, error) {
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.p); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.error(rc)
	}
}

func (s *liteStmt) reset() { sqlite3.Xsqlite3_reset(s.c.tls, s.p) }

// columns appends the current row.
func (s *liteStmt) columns(dst []cell, n int) []cell {
	tls, p := s.c.tls, s.p
	for i := range int32(n) {
		switch sqlite3.Xsqlite3_column_type(tls, p, i) {
		case sqlite3.SQLITE_INTEGER:
			dst = append(dst, cell{kind: integer, n: sqlite3.Xsqlite3_column_int64(tls, p, i)})
		case sqlite3.SQLITE_FLOAT:
			dst = append(dst, cell{kind: float, n: int64(math.Float64bits(sqlite3.Xsqlite3_column_double(tls, p, i)))})
		case sqlite3.SQLITE_TEXT:
			at := sqlite3.Xsqlite3_column_text(tls, p, i)
			dst = append(dst, cell{kind: text, s: goString(at, sqlite3.Xsqlite3_column_bytes(tls, p, i))})
		case sqlite3.SQLITE_BLOB:
			at := sqlite3.Xsqlite3_column_blob(tls, p, i)
			dst = append(dst, cell{kind: blob, s: goString(at, sqlite3.Xsqlite3_column_bytes(tls, p, i))})
		default:
			dst = append(dst, cell{})
		}
	}
	return dst
}

func goString(at uintptr, n int32) string {
	if at == 0 || n == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(pointer(at)), n))
}

// run executes a statement without arguments and forgets its rows.
func (c *liteConn) run(sql string) error {
	s, err := c.stmt(sql)
	if err != nil {
		return err
	}
	defer s.reset()
	for {
		row, err := s.step()
		if err != nil || !row {
			return err
		}
	}
}

// value is the first column of the first row of a statement without arguments.
func (c *liteConn) value(sql string) (cell, error) {
	s, err := c.stmt(sql)
	if err != nil {
		return cell{}, err
	}
	defer s.reset()
	row, err := s.step()
	if err != nil || !row {
		return cell{}, err
	}
	return s.columns(nil, 1)[0], nil
}

// pointer makes a pointer of an address in the library's own memory, which Go's collector does not move.
func pointer(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }
