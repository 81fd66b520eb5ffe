package db_test

import (
	"errors"
	"os/signal"
	"syscall"
	"testing"

	"zhanggui/internal/platform/db"
)

// The disk takes no more at the moment of the commit, when all statements have succeeded in memory.
func TestTheDiskFailsAtTheCommit(t *testing.T) {
	d := one(t)
	big := func(slip int) func(tx *db.Tx) error {
		return func(tx *db.Tx) error {
			if err := sell(tx, 2, slip); err != nil {
				return err
			}
			return tx.Exec("UPDATE shelf_sale SET paper = $1 WHERE id = $2", make([]byte, 1<<20), slip)
		}
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
	}
	limit(512 << 10)
	defer limit(was.Cur)
	told := group(t, d, sale(1), big(2), sale(3), sale(4))
	if good := checkTold(t, d, told); good != 3 || !errors.Is(told[1], db.ErrDown) {
		t.Fatalf("%v", told)
	}
	limit(was.Cur)
	if told[1] = d.Write(t.Context(), big(2)); told[1] != nil {
		t.Fatal(told[1])
	}
	checkTold(t, d, told)
}
