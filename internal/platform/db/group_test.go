package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// group lets acts wait until all of them do, so that SQLite's writer takes them into one transaction,
// and returns what each caller was told.
func group(t *testing.T, d *dbtest.DB, acts ...func(tx *db.Tx) error) []error {
	t.Helper()
	told := make([]error, len(acts))
	var wg sync.WaitGroup
	release := make(chan struct{})
	holding := make(chan struct{})
	wg.Go(func() {
		first := true
		if err := d.Write(context.Background(), func(*db.Tx) error {
			if first {
				first = false
				close(holding)
			}
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-holding
	for i, act := range acts {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					told[i] = fmt.Errorf("panic: %w", v.(error))
				}
			}()
			told[i] = d.Write(context.Background(), act)
		})
		for d.Waiting() <= i { // one behind the other
			runtime.Gosched()
		}
	}
	close(release)
	wg.Wait()
	return told
}

func sale(slip int) func(tx *db.Tx) error {
	return func(tx *db.Tx) error { return sell(tx, 2, slip) }
}

// told compares what callers were told with what is there: whoever heard success finds the sale,
// whoever heard anything else does not.
func checkTold(t *testing.T, d *dbtest.DB, told []error) (good int) {
	t.Helper()
	for i, err := range told {
		n := count(t, d, "SELECT COUNT(*) FROM shelf_sale WHERE slip = $1", i+1)
		if err == nil {
			good++
		}
		if (err == nil) != (n == 1) {
			t.Errorf("sale %d was told %v, and is there %d times", i+1, err, n)
		}
	}
	if left := count(t, d, "SELECT left_qty FROM shelf_item WHERE id = $1", 2); left != 1000-good {
		t.Errorf("%d good sales, %d pieces left", good, left)
	}
	return good
}

func one(t *testing.T) *dbtest.DB {
	t.Helper()
	return dbtest.New(t, db.SQLite, with)
}

func TestActsThatWaitShareACommit(t *testing.T) {
	d := one(t)
	before := d.Stats()
	var acts []func(*db.Tx) error
	for i := range 10 {
		acts = append(acts, sale(i+1))
	}
	if good := checkTold(t, d, group(t, d, acts...)); good != 10 {
		t.Fatalf("%d good", good)
	}
	after := d.Stats()
	if commits := after.Commits - before.Commits; commits >= 10 || after.Reruns != before.Reruns {
		t.Fatalf("%d commits, %d reruns", commits, after.Reruns-before.Reruns)
	}
}

func TestOneOfTheGroupFails(t *testing.T) {
	d := one(t)
	told := group(t, d, sale(1), sale(2), func(tx *db.Tx) error {
		if err := sell(tx, 2, 3); err != nil {
			return err
		}
		return errShort
	}, sale(4), func(tx *db.Tx) error { // the engine refuses it
		if err := sell(tx, 2, 5); err != nil {
			return err
		}
		return tx.Exec("UPDATE shelf_item SET left_qty = -1 WHERE id = 2")
	}, sale(6))
	if good := checkTold(t, d, told); good != 4 || !errors.Is(told[2], errShort) || !db.Violates(told[4], "shelf_item_left") {
		t.Fatalf("%v", told)
	}
}

func TestARefusalThatWroteNothingDisturbsNobody(t *testing.T) {
	d := one(t)
	before := d.Stats()
	refuse := func(tx *db.Tx) error {
		if err := tx.ExecExactly(1, errShort, "UPDATE shelf_item SET left_qty = left_qty - 1 WHERE id = $1 AND left_qty > $2", 1, 99); err != nil {
			return err
		}
		return nil
	}
	told := group(t, d, sale(1), refuse, sale(3), refuse, sale(5))
	if good := checkTold(t, d, told); good != 3 || !errors.Is(told[1], errShort) {
		t.Fatalf("%v", told)
	}
	if n := d.Stats().Reruns - before.Reruns; n != 0 {
		t.Fatalf("%d acts were run again", n)
	}
}

// A refusal that rests on what another act of the group did stands only if that act does.
func TestARefusalIsRunAgainWhenItsReasonIsRolledBack(t *testing.T) {
	d := one(t)
	told := group(t, d,
		func(tx *db.Tx) error { // takes all, and fails later
			return tx.Exec("UPDATE shelf_item SET left_qty = 0 WHERE id = 2")
		},
		func(tx *db.Tx) error {
			return tx.ExecExactly(1, errShort, "UPDATE shelf_item SET left_qty = left_qty - 1 WHERE id = $1 AND left_qty >= 1", 2)
		},
		func(tx *db.Tx) error {
			if err := tx.Exec("UPDATE shelf_item SET left_qty = 500 WHERE id = 2"); err != nil {
				return err
			}
			return errShort
		})
	if told[0] != nil || !errors.Is(told[1], errShort) || !errors.Is(told[2], errShort) {
		t.Fatalf("%v", told)
	}
	if left := count(t, d, "SELECT left_qty FROM shelf_item WHERE id = $1", 2); left != 0 {
		t.Fatalf("%d left", left)
	}
}

func TestOneOfTheGroupPanics(t *testing.T) {
	d := one(t)
	boom := errors.New("boom")
	told := group(t, d, sale(1), func(tx *db.Tx) error {
		if err := sell(tx, 2, 2); err != nil {
			return err
		}
		panic(boom)
	}, sale(3))
	if good := checkTold(t, d, told); good != 2 || !errors.Is(told[1], boom) {
		t.Fatalf("%v", told)
	}
}

func TestOneOfTheGroupEndsItsGoroutine(t *testing.T) {
	d := one(t)
	told := group(t, d, sale(1), sale(2))
	var wg sync.WaitGroup
	came := false
	for i := range 3 {
		wg.Go(func() {
			if i == 1 {
				d.Write(context.Background(), func(tx *db.Tx) error {
					sell(tx, 2, 50)
					runtime.Goexit() // as t.Fatal does
					return nil
				})
				came = true
				return
			}
			if err := d.Write(context.Background(), sale(3+i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if came {
		t.Error("the caller went on as if nothing had happened")
	}
	told = append(told, nil, errShort, nil) // slips 3 and 5; never 4
	if good := checkTold(t, d, told); good != 4 {
		t.Fatalf("%v", told)
	}
	if n := count(t, d, "SELECT COUNT(*) FROM shelf_sale WHERE slip = $1", 50); n != 0 {
		t.Fatal("half an act is there")
	}
}

func TestOneOfTheGroupIsOutOfTimeBeforeItsTurn(t *testing.T) {
	d := one(t)
	ctx, cancel := context.WithCancel(context.Background())
	told := make([]error, 3)
	var wg sync.WaitGroup
	holding, release := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		told[0] = d.Write(context.Background(), func(tx *db.Tx) error {
			close(holding)
			<-release
			return sell(tx, 2, 1)
		})
	})
	<-holding
	var left sync.WaitGroup
	left.Go(func() { told[1] = d.Write(ctx, sale(2)) })
	wg.Go(func() { told[2] = d.Write(context.Background(), sale(3)) })
	for d.Waiting() < 2 {
		runtime.Gosched()
	}
	cancel()
	left.Wait() // answered at once, while the writer is still held
	close(release)
	wg.Wait()
	if good := checkTold(t, d, told); good != 2 || !errors.Is(told[1], db.ErrBusy) || !errors.Is(told[1], context.Canceled) {
		t.Fatalf("%v", told)
	}
}

// An act that has begun is finished, and its caller is told the truth, even when time runs out meanwhile.
func TestTimeRunsOutDuringAnAct(t *testing.T) {
	d := one(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Write(ctx, func(tx *db.Tx) error {
		cancel()
		return sell(tx, 2, 1)
	})
	if good := checkTold(t, d, []error{err}); good != 1 {
		t.Fatal(err)
	}
}

func TestTheDiskIsFull(t *testing.T) {
	d := one(t)
	limit := func(pages int) { // SQLite's own bound gives the same error as a full disk
		t.Helper()
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(new(int))
		}); err != nil {
			t.Fatal(err)
		}
	}
	big := func(slip int) func(tx *db.Tx) error {
		return func(tx *db.Tx) error {
			if err := sell(tx, 2, slip); err != nil {
				return err
			}
			return tx.Exec("UPDATE shelf_sale SET paper = $1 WHERE id = $2", make([]byte, 2<<20), slip)
		}
	}
	limit(64)
	told := group(t, d, sale(1), big(2), sale(3), big(4), sale(5))
	if good := checkTold(t, d, told); good != 3 || !errors.Is(told[1], db.ErrFull) || !errors.Is(told[3], db.ErrFull) {
		t.Fatalf("%v", told)
	}
	if err := d.Write(t.Context(), big(6)); !errors.Is(err, db.ErrFull) {
		t.Fatalf("got %v", err)
	}
	limit(100000) // space is back; no repair
	told = append(told, d.Write(t.Context(), big(6)))
	if good := checkTold(t, d, told); good != 4 {
		t.Fatalf("%v", told)
	}
}

func TestAWriteWithinAWriteIsNoticed(t *testing.T) {
	d := one(t)
	defer func() {
		if recover() == nil {
			t.Error("it waits for itself")
		}
	}()
	d.Write(t.Context(), func(*db.Tx) error {
		return d.Write(t.Context(), func(*db.Tx) error { return nil })
	})
}

func TestTheFileIsOpenedAgainAndKeepsItsSales(t *testing.T) {
	d := one(t)
	if err := d.Write(t.Context(), sale(1)); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := db.Open(t.Context(), d.DSN, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := sales(t, &dbtest.DB{DB: again}); n != 1 {
		t.Fatalf("%d sales", n)
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "shop.db")
	d, err := db.Open(t.Context(), "sqlite:"+path, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), sale(1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		f, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if f.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, f.Mode())
		}
	}
}

func TestTwoProcessesShareAFile(t *testing.T) {
	d := one(t)
	other, err := db.Open(t.Context(), d.DSN, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var wg sync.WaitGroup
	for i, h := range []*db.DB{d.DB, other} {
		wg.Go(func() {
			for k := range 50 {
				if err := h.Write(t.Context(), sale(1+2*k+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := sales(t, d); n != 100 {
		t.Fatalf("%d sales", n)
	}
}

func TestWhatCanNotBeOpenedIsSaid(t *testing.T) {
	for _, dsn := range []string{"", "mysql://x", "sqlite:", "sqlite::memory:", "sqlite:" + filepath.Join(t.TempDir(), "dir") + "/\x00",
		"postgres:///x?host=/nowhere&connect_timeout=1"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if d, err := db.Open(ctx, dsn, db.Options{}); err == nil {
			d.Close()
			t.Errorf("%q was opened", dsn)
		}
		cancel()
	}
}
