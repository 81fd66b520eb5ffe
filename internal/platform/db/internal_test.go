package db

import (
	"errors"
	"fmt"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
)

// After a failed fsync nobody knows what is on the disk; the process ends, and reads the log at its start.
func TestAFailedSyncEndsTheProcess(t *testing.T) {
	var ended []error
	l := &lite{fatal: func(err error) { ended = append(ended, err) }}
	for code, want := range map[int]bool{
		sqlite3.SQLITE_IOERR_FSYNC:             true,
		sqlite3.SQLITE_IOERR_DIR_FSYNC:         true,
		sqlite3.SQLITE_IOERR_WRITE:             false,
		sqlite3.SQLITE_FULL:                    false,
		sqlite3.SQLITE_CONSTRAINT_CHECK:        false,
		sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK: false,
	} {
		ended = nil
		l.checkSync(ErrDown.Wrap(fmt.Errorf("deep: %w", &LiteError{Code: code})))
		if (len(ended) == 1) != want {
			t.Errorf("code %d: %v", code, ended)
		}
	}
	ended = nil
	l.checkSync(errors.New("no error of SQLite"))
	if len(ended) != 0 {
		t.Error("it ended for nothing")
	}
}
