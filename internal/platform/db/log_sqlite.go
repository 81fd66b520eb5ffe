package db

import (
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite writes its log page by page, and each page in two parts. A sale changes some 35 pages, so that the writes of a
// group of sales cost more than the sales. logBuffer stands between: it keeps what is written to the log in memory
// until the log is synced, which SQLite does before it tells anybody that a transaction has happened, and then writes
// it in a few large pieces. That is why only the writer has one: PRAGMA synchronous = FULL is part of the bargain.
//
// What a reader of the same file on another connection may see was synced, hence written. The writer itself may read
// back what it wrote in the transaction that is still open, so that every other call writes out first. A write that
// fails then fails that call, and SQLite rolls back as it would after a failed write.
//
// The log is also made longer ahead of what is written, by zeros, which end it for whoever reads it; and it is synced by data
// alone. Where a file does not grow the kernel then has nothing but the data to bring to the disk, not its own books as well:
// .8 ms instead of 4.2 where this was measured (decision 0011).
type logBuffer struct {
	was   *sqlite3.Tsqlite3_io_methods // of the file itself
	start int64                        // place in the file of the first byte kept
	kept  int                          // bytes
	bytes uintptr                      // logBufferSize of the library's memory, then logPiece of zeros
	end   int64                        // of the file
	named bool                         // the log has been synced by the library, and with it the folder that names it
}

const (
	logBufferSize = 1 << 20
	logPiece      = 1 << 16 // the library's own limit of one write lies at twice that
	mostAhead     = 4 << 20
)

// logBuffers by the address of the file they stand before.
var logBuffers sync.Map

var bufferedMethods = sync.OnceValue(func() [6]uintptr {
	return [6]uintptr{address(logClose), address(logRead), address(logWrite), address(logTruncate), address(logSync), address(logFileSize)}
})

// address is how the library calls a function of Go; f is one of the package's own, which never go away.
func address(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

// bufferLog puts a buffer before the log of a connection that writes.
func (c *liteConn) bufferLog() error {
	if err := c.openLog(); err != nil {
		return err
	}
	name, err := libc.CString("main")
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, name)
	at := libc.Xmalloc(c.tls, 8)
	if at == 0 {
		return fmt.Errorf("db: out of memory")
	}
	defer libc.Xfree(c.tls, at)
	if rc := sqlite3.Xsqlite3_file_control(c.tls, c.db, name, sqlite3.SQLITE_FCNTL_JOURNAL_POINTER, at); rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	id := *(*uintptr)(pointer(at))
	if id == 0 || (*sqlite3.Tsqlite3_file)(pointer(id)).FpMethods == 0 {
		return fmt.Errorf("db: the log is not open")
	}
	const size = unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})
	methods := libc.Xmalloc(c.tls, types.Size_t(size))
	bytes := libc.Xcalloc(c.tls, 1, logBufferSize+logPiece)
	if methods == 0 || bytes == 0 {
		return fmt.Errorf("db: out of memory")
	}
	file := (*sqlite3.Tsqlite3_file)(pointer(id))
	b := &logBuffer{was: (*sqlite3.Tsqlite3_io_methods)(pointer(file.FpMethods)), bytes: bytes}
	fileSize := *(*func(*libc.TLS, uintptr, uintptr) int32)(unsafe.Pointer(&b.was.FxFileSize))
	if rc := fileSize(c.tls, id, at); rc != sqlite3.SQLITE_OK {
		return c.error(rc)
	}
	b.end = *(*int64)(pointer(at))
	own := (*sqlite3.Tsqlite3_io_methods)(pointer(methods))
	*own = *b.was
	f := bufferedMethods()
	own.FxClose, own.FxRead, own.FxWrite, own.FxTruncate, own.FxSync, own.FxFileSize = f[0], f[1], f[2], f[3], f[4], f[5]
	logBuffers.Store(id, b)
	file.FpMethods = methods
	return nil
}

func bufferOf(id uintptr) *logBuffer {
	b, _ := logBuffers.Load(id)
	return b.(*logBuffer)
}

// flush writes out what is kept. What can't be written is given up: the transaction it belongs to ends here.
func (b *logBuffer) flush(tls *libc.TLS, id uintptr) int32 {
	write := *(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&b.was.FxWrite))
	n := b.kept
	b.kept = 0
	for done := 0; done < n; done += logPiece {
		if rc := write(tls, id, b.bytes+uintptr(done), int32(min(logPiece, n-done)), b.start+int64(done)); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	if to := b.start + int64(n); n > 0 && to > b.end {
		b.end = to
		b.lengthen(tls, id)
	}
	return sqlite3.SQLITE_OK
}

// lengthen makes the log twice as long, by at most mostAhead. Where there is no room for it the log is none the worse.
func (b *logBuffer) lengthen(tls *libc.TLS, id uintptr) {
	write := *(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&b.was.FxWrite))
	to := b.end + min(max(b.end, logPiece), mostAhead)
	for b.end < to {
		n := min(logPiece, to-b.end)
		if write(tls, id, b.bytes+logBufferSize, int32(n), b.end) != sqlite3.SQLITE_OK {
			b.end = to
			return
		}
		b.end += n
	}
}

func logWrite(tls *libc.TLS, id, from uintptr, n int32, at int64) int32 {
	b := bufferOf(id)
	if b.kept > 0 && (at != b.start+int64(b.kept) || b.kept+int(n) > logBufferSize) {
		if rc := b.flush(tls, id); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	if n > logPiece {
		b.end = max(b.end, at+int64(n))
		return (*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&b.was.FxWrite)))(tls, id, from, n, at)
	}
	if b.kept == 0 {
		b.start = at
	}
	copy(unsafe.Slice((*byte)(pointer(b.bytes+uintptr(b.kept))), n), unsafe.Slice((*byte)(pointer(from)), n))
	b.kept += int(n)
	return sqlite3.SQLITE_OK
}

func logRead(tls *libc.TLS, id, to uintptr, n int32, at int64) int32 {
	b := bufferOf(id)
	if rc := b.flush(tls, id); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return (*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&b.was.FxRead)))(tls, id, to, n, at)
}

func logTruncate(tls *libc.TLS, id uintptr, size int64) int32 {
	b := bufferOf(id)
	if rc := b.flush(tls, id); rc != sqlite3.SQLITE_OK {
		return rc
	}
	b.end = size
	return (*(*func(*libc.TLS, uintptr, int64) int32)(unsafe.Pointer(&b.was.FxTruncate)))(tls, id, size)
}

func logSync(tls *libc.TLS, id uintptr, flags int32) int32 {
	b := bufferOf(id)
	if rc := b.flush(tls, id); rc != sqlite3.SQLITE_OK {
		return rc
	}
	if b.named && canSyncData {
		return syncData(id)
	}
	rc := (*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&b.was.FxSync)))(tls, id, flags)
	b.named = rc == sqlite3.SQLITE_OK
	return rc
}

func logFileSize(tls *libc.TLS, id, size uintptr) int32 {
	b := bufferOf(id)
	if rc := b.flush(tls, id); rc != sqlite3.SQLITE_OK {
		return rc
	}
	return (*(*func(*libc.TLS, uintptr, uintptr) int32)(unsafe.Pointer(&b.was.FxFileSize)))(tls, id, size)
}

// logClose gives the file its own methods back and closes it. What is kept was never committed.
func logClose(tls *libc.TLS, id uintptr) int32 {
	b := bufferOf(id)
	logBuffers.Delete(id)
	file := (*sqlite3.Tsqlite3_file)(pointer(id))
	libc.Xfree(tls, file.FpMethods)
	libc.Xfree(tls, b.bytes)
	file.FpMethods = uintptr(unsafe.Pointer(b.was))
	return (*(*func(*libc.TLS, uintptr) int32)(unsafe.Pointer(&b.was.FxClose)))(tls, id)
}
