package db

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
)

func openShelf(t *testing.T, logPages int) *DB {
	t.Helper()
	d, err := Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "shelf.db"), Options{LogPages: logPages, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	write(t, d, func(tx *Tx) error {
		return tx.Exec(`CREATE TABLE shelf (id INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT`)
	})
	return d
}

func write(t *testing.T, d *DB, fn func(*Tx) error) {
	t.Helper()
	if err := d.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// fill writes pages all over the file.
func fill(luck *rand.Rand, rows int) func(*Tx) error {
	return func(tx *Tx) error {
		for range rows {
			if err := tx.Exec(`INSERT INTO shelf (id, note) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET note = excluded.note`,
				luck.Int64N(1<<40), fmt.Sprintf("%01000d", luck.Int64())); err != nil {
				return err
			}
		}
		return nil
	}
}

// The file must be whole for somebody who knows nothing of our buffer: a connection of its own.
func checkWhole(t *testing.T, d *DB, rows int64) {
	t.Helper()
	c, err := openLiteConn(d.lite.path, sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if v, err := c.value("PRAGMA integrity_check"); err != nil || v.s != "ok" {
		t.Fatalf("the file is broken: %q, %v", v.s, err)
	}
	if v, err := c.value("SELECT COUNT(*) FROM shelf"); err != nil || v.n != rows {
		t.Errorf("%d rows for another process, want %d (%v)", v.n, rows, err)
	}
}

// An act larger than the writer's memory goes into the log before its end and is read back from there; one that is
// refused after that leaves nothing.
func TestAnActLargerThanMemoryIsWholeForOthers(t *testing.T) {
	d := openShelf(t, 0)
	write(t, d, func(tx *Tx) error { return tx.Exec("PRAGMA cache_size = 50") })
	write(t, d, fill(rand.New(rand.NewPCG(1, 1)), 3000))
	checkWhole(t, d, 3000)
	refused := fmt.Errorf("refused")
	err := d.Write(context.Background(), func(tx *Tx) error {
		if err := fill(rand.New(rand.NewPCG(2, 2)), 3000)(tx); err != nil {
			return err
		}
		return refused
	})
	if err != refused {
		t.Fatal(err)
	}
	checkWhole(t, d, 3000)
	write(t, d, fill(rand.New(rand.NewPCG(3, 3)), 10))
	checkWhole(t, d, 3010)
}

// The log begins anew again and again while sales go on; else it would grow for as long as the shop is open.
func TestTheLogIsCopiedWhileSalesGoOn(t *testing.T) {
	d := openShelf(t, 100)
	luck := rand.New(rand.NewPCG(1, 2))
	const acts, rows = 300, 20
	for range acts {
		write(t, d, fill(luck, rows))
	}
	if s, err := os.Stat(d.lite.path + "-wal"); err != nil || s.Size() > 4*mostLog*100*4096+mostAhead {
		t.Errorf("the log has %d bytes after %d pages or more (%v)", s.Size(), acts*rows/4, err)
	}
	checkWhole(t, d, acts*rows)
}

// What is written into the log falls on room that is already there, so that a sync has only the data to bring to the disk; the
// zeros behind it are its end for whoever reads it, also for one who finds the files as a power cut leaves them.
func TestTheLogIsLongerThanWhatIsWritten(t *testing.T) {
	d := openShelf(t, 0)
	luck := rand.New(rand.NewPCG(1, 5))
	size := func() int64 {
		s, err := os.Stat(d.lite.path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return s.Size()
	}
	grown := 0
	last := size()
	for range 200 {
		write(t, d, fill(luck, 20))
		if s := size(); s != last {
			grown, last = grown+1, s
		}
	}
	if grown < 1 || grown > 20 {
		t.Errorf("the log grew at %d of 200 acts", grown)
	}
	checkWhole(t, d, 4000)
	found := filepath.Join(t.TempDir(), "found.db")
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(d.lite.path + end)
		if err != nil {
			t.Fatal(err)
		}
		if end == "-wal" && b[len(b)-1] != 0 {
			t.Error("the log has no room behind what is written")
		}
		if err := os.WriteFile(found+end, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after, err := Open(context.Background(), "sqlite:"+found, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	checkWhole(t, after, 4000)
	write(t, after, fill(luck, 10))
	checkWhole(t, after, 4010)
}

// A reader that looks at one moment for long holds up the copying, and loses nothing.
func TestAReaderHoldsTheLogUpAndNothingIsLost(t *testing.T) {
	d := openShelf(t, 50)
	luck := rand.New(rand.NewPCG(1, 3))
	write(t, d, fill(luck, 20))
	err := d.Read(context.Background(), func(tx *Tx) error {
		for round := range 40 {
			var n int64
			if err := tx.QueryRow("SELECT COUNT(*) FROM shelf").Scan(&n); err != nil {
				return err
			}
			if n != 20 {
				t.Errorf("round %d: the moment has moved: %d rows", round, n)
			}
			write(t, d, fill(luck, 20))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, d, fill(luck, 20))
	checkWhole(t, d, 42*20)
}

// The writer reads the library's own structures where it spares it a search; they must be what we take them for.
func TestTheCacheIsToldTheHighestTruePage(t *testing.T) {
	d := openShelf(t, 0)
	luck := rand.New(rand.NewPCG(1, 4))
	spared := 0
	for range 50 {
		write(t, d, func(tx *Tx) error {
			if err := fill(luck, 40)(tx); err != nil {
				return err
			}
			pager, cache := tx.conn.pager()
			var pages uint32
			if err := tx.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
				return err
			}
			if pager.FdbSize != pages || pager.FpageSize != 4096 {
				t.Fatalf("the library keeps %d pages of %d bytes, we read %d", pages, pager.FpageSize, pager.FdbSize)
			}
			if cache.FiMaxKey > pages {
				spared++
				if cache.FiMaxKey != pendingByte/4096+1 {
					t.Fatalf("the highest page is %d of %d", cache.FiMaxKey, pages)
				}
			}
			return nil
		})
		if pager, cache := d.lite.conn.pager(); cache.FiMaxKey > pager.FdbSize {
			t.Fatalf("the cache remembers page %d of %d", cache.FiMaxKey, pager.FdbSize)
		}
	}
	if spared == 0 {
		t.Error("nothing was ever rearranged: this test shows nothing")
	}
	checkWhole(t, d, 50*40)
}

// Another process, a check or a backup, may be copying the log when the server wants to: that is no failure, it is tried again.
func TestACopyThatAnotherMakesIsNoFailure(t *testing.T) {
	for _, c := range []struct {
		busy, logged, copied int64
		all, fails           bool
	}{{0, 9, 9, true, false}, {0, 0, 0, true, false}, {0, 9, 7, false, false}, {1, 9, 7, false, false}, {1, 9, 9, false, false}, {1, -1, -1, false, false}, {0, -1, -1, false, true}} {
		if all, err := allCopied(c.busy, c.logged, c.copied); all != c.all || (err != nil) != c.fails {
			t.Errorf("%+v: %v %v", c, all, err)
		}
	}
}
