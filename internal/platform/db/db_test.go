package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
)

var schema = db.Migrations{Package: "shelf", FS: fstest.MapFS{"migrations/001_shelf.sql": {Data: []byte(`
-- What lies on the shelf; nothing is sold twice.
CREATE TABLE shelf_item (
	id BIGINT PRIMARY KEY,
	name TEXT NOT NULL,
	left_qty BIGINT NOT NULL,
	note TEXT,
	CONSTRAINT shelf_item_left CHECK (left_qty >= 0)
);
CREATE UNIQUE INDEX shelf_item_name ON shelf_item (name);
CREATE TABLE shelf_sale (
	id BIGINT PRIMARY KEY,
	item_id BIGINT NOT NULL REFERENCES shelf_item (id),
	till TEXT NOT NULL,
	slip SMALLINT NOT NULL,
	paper BYTEA NOT NULL,
	rate DOUBLE PRECISION,
	open BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX shelf_sale_slip ON shelf_sale (till, slip);
INSERT INTO shelf_item (id, name, left_qty) VALUES (1, 'tea', 30), (2, 'rice', 1000);
`)}}}

var with = dbtest.With(schema)

var errShort = errs.Define("test_shelf_short", errs.Conflict, "不够", "not enough")

func each(t *testing.T, fn func(t *testing.T, d *dbtest.DB)) {
	t.Helper()
	dbtest.Each(t, fn, with)
}

// sell takes one piece and writes a slip.
func sell(tx *db.Tx, item, slip int) error {
	if err := tx.ExecExactly(1, errShort, "UPDATE shelf_item SET left_qty = left_qty - 1 WHERE id = $1 AND left_qty >= 1", item); err != nil {
		return err
	}
	return tx.Exec("INSERT INTO shelf_sale (id, item_id, till, slip, paper, open) VALUES ($1, $2, 'a', $3, $4, $5)", slip, item, slip, []byte{1}, true)
}

func count(t *testing.T, d *dbtest.DB, sql string, args ...any) (n int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(sql, args...).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func sales(t *testing.T, d *dbtest.DB) int {
	t.Helper()
	return count(t, d, "SELECT COUNT(*) FROM shelf_sale")
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	type slipNo int16
	type tillName string
	each(t, func(t *testing.T, d *dbtest.DB) {
		rate, paper := 0.13, []byte{0, 1, 0xff}
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			var none *float64
			if err := tx.Exec("INSERT INTO shelf_sale (id, item_id, till, slip, paper, rate, open) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				int64(1), 1, tillName("掌柜"), slipNo(7), paper, &rate, true); err != nil {
				return err
			}
			return tx.Exec("INSERT INTO shelf_sale (id, item_id, till, slip, paper, rate, open) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				2, 1, "", -32768, []byte{}, none, false)
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			rows := tx.Query("SELECT id, till, slip, paper, rate, open, 1 + 1, NULL FROM shelf_sale ORDER BY id")
			var got []string
			for rows.Next() {
				var (
					id    int64
					till  tillName
					slip  slipNo
					paper []byte
					rate  *float64
					open  bool
					two   int
					null  *string
				)
				if err := rows.Scan(&id, &till, &slip, &paper, &rate, &open, &two, &null); err != nil {
					return err
				}
				r := -1.0
				if rate != nil {
					r = *rate
				}
				got = append(got, fmt.Sprint(id, till, slip, paper, r, open, two, null == nil))
			}
			want := "[1掌柜7 [0 1 255] 0.13 true 2 true 2-32768 [] -1 false 2 true]"
			if fmt.Sprint(got) != want {
				t.Errorf("got  %v\nwant %s", got, want)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
		var sum int64
		var total float64
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow("SELECT SUM(left_qty), AVG(left_qty) FROM shelf_item").Scan(&sum, &total)
		}); err != nil || sum != 1030 || total != 515 {
			t.Fatalf("sum %d, average %v, %v", sum, total, err)
		}
	})
}

func TestInstantsAreKeptToTheMillisecond(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		at := time.Date(2026, 3, 2, 9, 30, 0, 123e6, time.FixedZone("", 8*3600))
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			if !tx.Now().Equal(dbtest.Start) {
				t.Errorf("the act's instant is %v", tx.Now())
			}
			d.Clock.Add(time.Second)
			if !tx.Now().Equal(dbtest.Start) {
				t.Errorf("the act's instant moved to %v", tx.Now())
			}
			if err := tx.Exec("UPDATE shelf_item SET left_qty = $1 WHERE id = $2", at, 1); err != nil {
				return err
			}
			var got time.Time
			if err := tx.QueryRow("SELECT left_qty FROM shelf_item WHERE id = $1", 1).Scan(&got); err != nil {
				return err
			}
			if !got.Equal(at) || got.Location() != time.UTC {
				t.Errorf("%v became %v", at, got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestScanRefusesWhatDoesNotFit(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		for _, c := range []struct {
			sql string
			dst any
		}{
			{"SELECT note FROM shelf_item WHERE id = $1", new(string)}, // NULL
			{"SELECT left_qty FROM shelf_item WHERE id = $1", new(int8)},
			{"SELECT name FROM shelf_item WHERE id = $1", new(int)},
			{"SELECT name FROM shelf_item WHERE id = $1", new(struct{})},
			{"SELECT name, id FROM shelf_item WHERE id = $1", new(string)}, // two columns
		} {
			if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(c.sql, 2).Scan(c.dst) }); err == nil {
				t.Errorf("%s was scanned into %T", c.sql, c.dst)
			}
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow("SELECT name FROM shelf_item WHERE id = $1", 99).Scan(new(string))
		})
		if !errors.Is(err, db.ErrNoRow) {
			t.Errorf("got %v", err)
		}
	})
}

func TestBadStatementsAreRefusedOnBothEngines(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		for name, act := range map[string]func(tx *db.Tx) error{
			"numbers out of order": func(tx *db.Tx) error {
				return tx.Exec("UPDATE shelf_item SET left_qty = $2 WHERE id = $1", 1, 1)
			},
			"question mark":  func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_item WHERE id = ?", 1) },
			"two statements": func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_sale; DELETE FROM shelf_item") },
			"too few":        func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_item WHERE id = $1") },
			"too many":       func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_item WHERE id = $1", 1, 2) },
			"no statement":   func(tx *db.Tx) error { return tx.Exec(" ") },
			"unknown table":  func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_nothing") },
			"odd argument":   func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_item WHERE id = $1", struct{}{}) },
			"text as number": func(tx *db.Tx) error {
				return tx.Exec("INSERT INTO shelf_item (id, name, left_qty) VALUES ($1, 'x', $2)", 9, "many")
			},
		} {
			if err := d.Write(t.Context(), act); err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
		if n := count(t, d, "SELECT COUNT(*) FROM shelf_item"); n != 2 {
			t.Errorf("%d items", n)
		}
	})
}

func TestADeadTransactionStaysDead(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := sell(tx, 1, 1); err != nil {
				return err
			}
			_, first := tx.ExecN("UPDATE shelf_item SET left_qty = -1 WHERE id = $1", 1)
			if first == nil {
				t.Error("the rule does not hold")
			}
			for i, err := range []error{
				tx.Exec("DELETE FROM shelf_sale"),
				tx.QueryRow("SELECT 1").Scan(new(int)),
				tx.Query("SELECT 1").Err(),
				tx.ExecExactly(1, errShort, "DELETE FROM shelf_sale"),
				tx.Err(),
			} {
				if err != first {
					t.Errorf("call %d: got %v, want %v", i, err, first)
				}
			}
			return nil // swallowed; it must come back all the same
		})
		if !db.Violates(err, "shelf_item_left") {
			t.Fatalf("got %v", err)
		}
		if n := sales(t, d); n != 0 {
			t.Fatalf("%d sales of a dead transaction", n)
		}
	})
}

func TestAViolatedRuleIsKnownByItsName(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return sell(tx, 1, 1) }); err != nil {
			t.Fatal(err)
		}
		for rule, sql := range map[string]string{
			"shelf_item_left": "UPDATE shelf_item SET left_qty = -1 WHERE id = 1",
			"shelf_item_name": "INSERT INTO shelf_item (id, name, left_qty) VALUES (3, 'tea', 0)",
			"shelf_item_pkey": "INSERT INTO shelf_item (id, name, left_qty) VALUES (1, 'salt', 0)",
			"shelf_sale_slip": "INSERT INTO shelf_sale (id, item_id, till, slip, paper, open) SELECT 2, item_id, till, slip, paper, open FROM shelf_sale",
		} {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(sql) })
			if !db.Violates(err, rule) {
				t.Errorf("%s: got %v", rule, err)
			}
			if db.Violates(err, "shelf_other") {
				t.Errorf("%s is taken for another rule", rule)
			}
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Exec("UPDATE shelf_sale SET item_id = 77")
		}); err == nil {
			t.Error("a sale of nothing was written")
		}
	})
}

func TestAReadCanNotWrite(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		for name, act := range map[string]func(tx *db.Tx) error{
			"exec":      func(tx *db.Tx) error { return tx.Exec("DELETE FROM shelf_item") },
			"exec n":    func(tx *db.Tx) error { _, err := tx.ExecN("DELETE FROM shelf_item"); return err },
			"swallowed": func(tx *db.Tx) error { tx.Exec("DELETE FROM shelf_item"); return nil },
			"returning": func(tx *db.Tx) error {
				return tx.QueryRow("UPDATE shelf_item SET left_qty = 0 WHERE id = $1 RETURNING id", 1).Scan(new(int))
			},
			"many": func(tx *db.Tx) error {
				return tx.ExecMany(db.NewMany("DELETE FROM shelf_item WHERE id IN (", "?", ")"), 1)
			},
		} {
			if err := d.Read(t.Context(), act); !errors.Is(err, db.ErrReadOnly) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if n := count(t, d, "SELECT SUM(left_qty) FROM shelf_item"); n != 1030 {
			t.Errorf("%d left", n)
		}
	})
}

func TestAReadSeesOneMoment(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		look := func(tx *db.Tx) (n int) {
			if err := tx.QueryRow("SELECT left_qty FROM shelf_item WHERE id = $1", 1).Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			before := look(tx)
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return sell(tx, 1, 1) }); err != nil {
				return err
			}
			if after := look(tx); after != before {
				t.Errorf("%d, then %d", before, after)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestGoodsMoveWhileTheyAreCounted(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		var writers, readers sync.WaitGroup
		done := make(chan struct{})
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					if n := count(t, d, "SELECT SUM(left_qty) FROM shelf_item"); n != 1030 {
						t.Errorf("%d pieces", n)
						return
					}
				}
			})
		}
		for w := range 4 {
			writers.Go(func() {
				from, to := 1+w%2, 2-w%2
				for range 25 {
					if err := d.Write(t.Context(), func(tx *db.Tx) error {
						for item := 1; item <= 2; item++ { // locked in the order of their ids
							by := 1
							if item == from {
								by = -1
							}
							if err := tx.Exec("UPDATE shelf_item SET left_qty = left_qty + $1 WHERE id = $2", by, item); err != nil {
								return err
							}
						}
						return nil
					}); err != nil && !db.Violates(err, "shelf_item_left") {
						t.Error(err)
					}
					_ = to
				}
			})
		}
		writers.Wait()
		close(done)
		readers.Wait()
	})
}

func TestThirtyTillsAskForExactlyThirtyPieces(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		const tills = 30
		errsOf := make([]error, tills+2)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range errsOf {
			wg.Go(func() {
				<-start
				errsOf[i] = d.Write(t.Context(), func(tx *db.Tx) error { return sell(tx, 1, i+1) })
			})
		}
		close(start)
		wg.Wait()
		short := 0
		for i, err := range errsOf {
			switch {
			case errors.Is(err, errShort):
				short++
			case err != nil:
				t.Errorf("till %d: %v", i, err)
			}
		}
		left := count(t, d, "SELECT left_qty FROM shelf_item WHERE id = $1", 1)
		if short != 2 || left != 0 || sales(t, d) != tills {
			t.Fatalf("%d refused, %d left, %d sales", short, left, sales(t, d))
		}
	})
}

// The count is compared wherever the write travels: behind a question, before one, or with the commit.
func TestAWriteThatMissesItsRowsKillsTheAct(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		const take = "UPDATE shelf_item SET left_qty = left_qty - $1 WHERE id = $2 AND left_qty >= $3"
		for name, act := range map[string]func(tx *db.Tx) error{
			"last": func(tx *db.Tx) error {
				return tx.ExecExactly(1, errShort, take, 31, 1, 31)
			},
			"before a question": func(tx *db.Tx) error {
				tx.ExecExactly(1, errShort, take, 31, 1, 31)
				return tx.QueryRow("SELECT 1").Scan(new(int))
			},
			"between good ones": func(tx *db.Tx) error {
				tx.ExecExactly(1, errShort, take, 1, 1, 1)
				tx.ExecExactly(1, errShort, take, 31, 1, 31)
				return tx.ExecExactly(1, errShort, take, 1, 2, 1)
			},
			"behind a question": func(tx *db.Tx) error {
				if err := tx.QueryRow("SELECT 1").Scan(new(int)); err != nil {
					return err
				}
				return tx.ExecExactly(2, errShort, take, 1, 1, 1)
			},
			"returning": func(tx *db.Tx) error {
				return tx.ExecExactly(1, errShort, take+" RETURNING id", 31, 1, 31)
			},
			"many": func(tx *db.Tx) error {
				return tx.ExecManyExactly(db.NewMany("UPDATE shelf_item SET left_qty = left_qty - v.column2 FROM (VALUES ", "(BIGINT, BIGINT)",
					") AS v WHERE shelf_item.id = v.column1 AND left_qty >= v.column2"), errShort, 1, 5, 2, 1001)
			},
		} {
			if err := d.Write(t.Context(), act); !errors.Is(err, errShort) {
				t.Errorf("%s: got %v", name, err)
			}
			if n := count(t, d, "SELECT SUM(left_qty) FROM shelf_item"); n != 1030 {
				t.Fatalf("%s: %d left", name, n)
			}
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.ExecExactly(1, errShort, take, 30, 1, 30) }); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "SELECT SUM(left_qty) FROM shelf_item"); n != 1000 {
			t.Fatalf("%d left", n)
		}
	})
}

func TestAfterTheCommitOnceAndOnlyThen(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		printed, runs := 0, 0
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			runs++
			tx.AfterCommit(func() {
				printed++
				if n := sales(t, d); n != 1 {
					t.Errorf("%d sales when the slip was printed", n)
				}
			})
			if err := sell(tx, 1, 1); err != nil {
				return err
			}
			if tx.Attempt() < 3 {
				return db.ErrAgain
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if printed != 1 || runs != 3 {
			t.Fatalf("printed %d times in %d runs", printed, runs)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { t.Error("printed a sale that was refused") })
			return errShort
		}); !errors.Is(err, errShort) {
			t.Fatal(err)
		}
	})
}

func TestAnActThatNeverStopsAskingGivesUp(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		runs := 0
		err := d.Write(t.Context(), func(tx *db.Tx) error { runs++; sell(tx, 1, 1); return db.ErrAgain })
		if !errors.Is(err, db.ErrAgain) || runs > 10 {
			t.Fatalf("%d runs, %v", runs, err)
		}
		if n := sales(t, d); n != 0 {
			t.Fatalf("%d sales", n)
		}
	})
}

func TestATransactionThatWasKeptIsOfNoUse(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		var kept []*db.Tx
		var rows *db.Rows
		keep := func(tx *db.Tx) error {
			kept = append(kept, tx)
			rows = tx.Query("SELECT id FROM shelf_item")
			return nil
		}
		if err := d.Write(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		if err := d.Read(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		for _, tx := range kept {
			if err := tx.Exec("DELETE FROM shelf_item"); !errors.Is(err, db.ErrClosed) {
				t.Errorf("got %v", err)
			}
			if err := tx.QueryRow("SELECT 1").Scan(new(int)); !errors.Is(err, db.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		rows.Close()
	})
}

// Results are as of the question, whatever is asked and written while they are read, and as long as they are.
func TestALongResultIsReadWhileOtherThingsHappen(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		const n = 1000
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			var args []any
			for i := range n {
				args = append(args, 100+i, fmt.Sprint("item ", i), i)
			}
			return tx.ExecMany(db.NewMany("INSERT INTO shelf_item (id, name, left_qty) VALUES ", "(?, ?, ?)", ""), args...)
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			seen, inner := 0, 0
			first := tx.Query("SELECT id, left_qty FROM shelf_item WHERE id >= $1 ORDER BY id", 100)
			second := tx.Query("SELECT id FROM shelf_item WHERE id >= $1 ORDER BY id DESC", 100)
			for first.Next() {
				var id, left int
				if err := first.Scan(&id, &left); err != nil {
					return err
				}
				if id != 100+seen || left != seen {
					t.Fatalf("row %d is %d with %d left", seen, id, left)
				}
				if seen%100 == 0 {
					var name string
					if err := tx.QueryRow("SELECT name FROM shelf_item WHERE id = $1", id).Scan(&name); err != nil {
						return err
					}
					same := tx.Query("SELECT id, left_qty FROM shelf_item WHERE id >= $1 ORDER BY id", 100)
					for k := 0; k < 3 && same.Next(); k++ {
						inner++
					}
					if err := same.Close(); err != nil {
						return err
					}
				}
				if err := tx.Exec("UPDATE shelf_item SET left_qty = left_qty + 5 WHERE id = $1", id+1); err != nil {
					return err
				}
				seen++
			}
			if err := first.Err(); err != nil {
				return err
			}
			last := 0
			for second.Next() {
				last++
			}
			if seen != n || last != n || inner != 30 {
				t.Errorf("%d, %d and %d rows", seen, last, inner)
			}
			return second.Err()
		}); err != nil {
			t.Fatal(err)
		}
		if sum := count(t, d, "SELECT SUM(left_qty) FROM shelf_item WHERE id >= $1", 100); sum != n*(n-1)/2+5*(n-1) {
			t.Errorf("the sum is %d", sum)
		}
	})
}

func TestManyRowsInFewStatements(t *testing.T) {
	insert := db.NewMany("INSERT INTO shelf_item (id, name, left_qty) VALUES ", "(?, ?, ?)", "")
	take := db.NewMany("UPDATE shelf_item SET left_qty = left_qty - v.column2, note = $1 FROM (VALUES ", "(BIGINT, BIGINT)",
		") AS v WHERE shelf_item.id = v.column1")
	byID := db.NewMany("SELECT id FROM shelf_item WHERE left_qty < $1 AND id IN (", "?", ") ORDER BY id")
	each(t, func(t *testing.T, d *dbtest.DB) {
		dbtest.PrepareAll(t, d, insert.Texts()...)
		dbtest.PrepareAll(t, d, take.Texts()...)
		dbtest.PrepareAll(t, d, byID.Texts()...)
		for _, n := range []int{0, 1, 2, 31, 32, 33, 63, 64, 100, 300, 777} {
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				var rows, takes, ids []any
				ids = append(ids, 10)
				takes = append(takes, fmt.Sprint("n=", n))
				for i := range n {
					rows = append(rows, 1000+i, fmt.Sprint("item ", i), 10)
					takes = append(takes, 1000+i, i%2)
					ids = append(ids, 1000+i)
				}
				if err := tx.ExecMany(insert, rows...); err != nil {
					return err
				}
				if err := tx.ExecMany(take, takes...); err != nil {
					return err
				}
				got := 0
				answer := tx.QueryMany(byID, ids...)
				for answer.Next() {
					var id int
					if err := answer.Scan(&id); err != nil {
						return err
					}
					if id != 1000+2*got+1 {
						t.Fatalf("n=%d: row %d is %d", n, got, id)
					}
					got++
				}
				if got != n/2 {
					t.Errorf("n=%d: %d rows", n, got)
				}
				if err := answer.Err(); err != nil {
					return err
				}
				var noted int
				if err := tx.QueryRow("SELECT COUNT(*) FROM shelf_item WHERE note = $1", fmt.Sprint("n=", n)).Scan(&noted); err != nil {
					return err
				}
				if noted != n {
					t.Errorf("n=%d: %d noted", n, noted)
				}
				return tx.Exec("DELETE FROM shelf_item WHERE id >= $1", 1000)
			}); err != nil {
				t.Fatalf("n=%d: %v", n, err)
			}
		}
		for name, act := range map[string]func(tx *db.Tx) error{
			"torn row":     func(tx *db.Tx) error { return tx.ExecMany(insert, 1, "x") },
			"nothing":      func(tx *db.Tx) error { return tx.ExecMany(take) },
			"endless list": func(tx *db.Tx) error { return tx.QueryMany(byID, make([]any, 5001)...).Err() },
		} {
			if err := d.Write(t.Context(), act); err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
	})
	for _, bad := range []func(){
		func() { db.NewMany("INSERT INTO t VALUES ", "(?, ?", "") },
		func() { db.NewMany("INSERT INTO t VALUES ", "(?, 'x')", "") },
		func() { db.NewMany("SELECT 1 WHERE 1 IN (", "?, ?", ")") },
		func() { db.NewMany("SELECT 1 WHERE $2 = $1 AND 1 IN (", "?", ")") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a malformed statement was accepted")
				}
			}()
			bad()
		}()
	}
}

func TestAPanicReachesItsCallerAndLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		boom := errors.New("boom")
		for name, run := range map[string]func(context.Context, func(*db.Tx) error) error{"write": d.Write, "read": d.Read} {
			func() {
				defer func() {
					err, _ := recover().(error)
					if !errors.Is(err, boom) {
						t.Errorf("%s: recovered %v", name, err)
					}
				}()
				run(t.Context(), func(tx *db.Tx) error {
					if name == "write" {
						if err := sell(tx, 1, 1); err != nil {
							return err
						}
					}
					if err := tx.QueryRow("SELECT 1").Scan(new(int)); err != nil {
						return err
					}
					panic(boom)
				})
			}()
		}
		if n := sales(t, d); n != 0 {
			t.Fatalf("%d sales", n)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return sell(tx, 1, 1) }); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNothingStartsAfterItsDeadlineOrAfterTheEnd(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		never := func(*db.Tx) error { t.Error("it ran"); return nil }
		for _, err := range []error{d.Write(late, never), d.Read(late, never)} {
			if !errors.Is(err, db.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		}
		d.Close()
		if err := d.Write(t.Context(), never); err == nil {
			t.Error("written after the end")
		}
		if err := d.Read(t.Context(), never); err == nil {
			t.Error("read after the end")
		}
	})
}

func TestALongQuestionEndsAtItsDeadline(t *testing.T) {
	const endless = `WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT COUNT(*) FROM n`
	each(t, func(t *testing.T, d *dbtest.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := d.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(endless).Scan(new(int)) })
		if !errors.Is(err, db.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		if n := count(t, d, "SELECT COUNT(*) FROM shelf_item"); n != 2 {
			t.Fatalf("%d items afterwards", n)
		}
	})
}

func TestTheSettingsThatSaveASaleAreChecked(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB) {
		all, err := d.Check(t.Context())
		if err != nil || len(all) < 5 {
			t.Fatalf("%v %v", all, err)
		}
		var bad []string
		for _, s := range all {
			if s.Must && !s.OK {
				bad = append(bad, s.Name)
			}
		}
		want := "" // the test's PostgreSQL runs without fsync, and it must be seen
		if d.Engine() == db.Postgres {
			want = "fsync full_page_writes synchronous_commit"
		}
		if strings.Join(bad, " ") != want {
			t.Fatalf("not right: %v, want %q", bad, want)
		}
	})
}
