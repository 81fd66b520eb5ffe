package db

import (
	"errors"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"
)

const canSyncData = true

// syncData brings what was written to a file to the disk, and of its description only what it takes to find it there. The
// library asks the kernel for all of the description each time, as not every system does this right; Linux does.
func syncData(file uintptr) int32 {
	for {
		err := syscall.Fdatasync(int((*sqlite3.TunixFile)(pointer(file)).Fh))
		switch {
		case err == nil:
			return sqlite3.SQLITE_OK
		case !errors.Is(err, syscall.EINTR):
			return sqlite3.SQLITE_IOERR_FSYNC
		}
	}
}
