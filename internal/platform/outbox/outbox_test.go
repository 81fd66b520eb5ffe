package outbox_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
)

var schema = dbtest.With(outbox.Migrations, db.Migrations{Package: "board", FS: fstest.MapFS{"migrations/001_board.sql": {Data: []byte(`
CREATE TABLE board_line (event_id BIGINT NOT NULL, subject BIGINT NOT NULL, n BIGINT NOT NULL);
CREATE UNIQUE INDEX board_line_event ON board_line (event_id);
`)}}})

type sold struct {
	N int `json:"n"`
}

func emit(t *testing.T, d *dbtest.DB, subject id.ID, n int) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		return outbox.Emit(tx, outbox.Event{Type: "till.sold.v1", Subject: subject, Site: 7, Body: sold{n}})
	}); err != nil {
		t.Fatal(err)
	}
}

// write puts each event on the board; a second time would violate the board's unique index.
func write(tx *db.Tx, e outbox.Event) error {
	var s sold
	if err := e.Unmarshal(&s); err != nil {
		return err
	}
	return tx.Exec("INSERT INTO board_line (event_id, subject, n) VALUES ($1, $2, $3)", e.ID, e.Subject, s.N)
}

func board(t *testing.T, d *dbtest.DB) (lines []string) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		rows := tx.Query("SELECT subject, n FROM board_line ORDER BY event_id")
		for rows.Next() {
			var subject, n int64
			if err := rows.Scan(&subject, &n); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprint(subject, ":", n))
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestNewsReachesEverySubscriberOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		r := outbox.NewRelay(d.DB, nil)
		var got outbox.Event
		r.Subscribe("board", "till.sold.v1", write)
		r.Subscribe("learner", "till.sold.v1", func(_ *db.Tx, e outbox.Event) error { got = e; return nil })
		r.Subscribe("other", "till.voided.v1", func(*db.Tx, outbox.Event) error { return errors.New("not for me") })
		emit(t, d, 1, 10)
		for range 2 {
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if lines := board(t, d); fmt.Sprint(lines) != "[1:10]" {
			t.Fatalf("board: %v", lines)
		}
		if got.Type != "till.sold.v1" || got.Subject != 1 || got.Site != 7 || string(got.JSON) != `{"n":10}` || !got.At.Equal(dbtest.Start) {
			t.Fatalf("%+v", got)
		}
	}, schema)
}

func TestAnActThatRollsBackIsNoNews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		no := errors.New("no")
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := outbox.Emit(tx, outbox.Event{Type: "till.sold.v1", Subject: 1, Body: sold{1}}); err != nil {
				return err
			}
			return no
		}); !errors.Is(err, no) {
			t.Fatal(err)
		}
		r := outbox.NewRelay(d.DB, nil)
		r.Subscribe("board", "till.sold.v1", write)
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if lines := board(t, d); lines != nil {
			t.Fatalf("board: %v", lines)
		}
	}, schema)
}

func TestAFailureLeavesNothingAndHoldsBackOnlyItsSubject(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		sick := true
		r := outbox.NewRelay(d.DB, nil)
		r.Subscribe("board", "till.sold.v1", func(tx *db.Tx, e outbox.Event) error {
			if err := write(tx, e); err != nil {
				return err
			}
			if sick && e.Subject == 1 {
				panic("the board fell off the wall")
			}
			return nil
		})
		for n := range 3 {
			emit(t, d, 1, n)
			emit(t, d, 2, n)
		}
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if lines := board(t, d); fmt.Sprint(lines) != "[2:0 2:1 2:2]" {
			t.Fatalf("board: %v", lines)
		}
		var troubled []outbox.Parked
		look := func() {
			t.Helper()
			if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
				troubled, err = outbox.Troubled(tx, 0, 50)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		look()
		if len(troubled) != 1 || troubled[0].Tries != 1 || troubled[0].Parked || troubled[0].Event.Subject != 1 {
			t.Fatalf("%+v", troubled)
		}
		again := func() {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				return outbox.Retry(tx, "board", troubled[0].Event.ID)
			}); err != nil {
				t.Fatal(err)
			}
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		again()
		if lines := board(t, d); len(lines) != 3 {
			t.Fatalf("still sick, board: %v", lines)
		}
		sick = false
		again()
		if lines := board(t, d); fmt.Sprint(lines) != "[1:0 2:0 1:1 2:1 1:2 2:2]" {
			t.Fatalf("board: %v", lines)
		}
	}, schema)
}

func TestADeliveryThatKeepsFailingIsParkedForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		r := outbox.NewRelay(d.DB, nil)
		r.Subscribe("board", "till.sold.v1", func(*db.Tx, outbox.Event) error { return errors.New("no chalk") })
		emit(t, d, 1, 1)
		var p []outbox.Parked
		for range 12 {
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				return tx.Exec("UPDATE outbox_delivery SET due_at = 0") // the back-off is over
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { p, err = outbox.Troubled(tx, 0, 50); return err }); err != nil {
			t.Fatal(err)
		}
		if len(p) != 1 || !p[0].Parked || p[0].Tries != 10 || p[0].Error != "no chalk" {
			t.Fatalf("%+v", p)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return outbox.Skip(tx, "board", p[0].Event.ID) }); err != nil {
			t.Fatal(err)
		}
		err := d.Write(t.Context(), func(tx *db.Tx) error { return outbox.Skip(tx, "board", p[0].Event.ID) })
		if !errors.Is(err, outbox.ErrNoDelivery) {
			t.Fatalf("got %v", err)
		}
	}, schema)
}

// Two nodes relay and deliver the same events while tills go on selling.
func TestTwoNodesDeliverEachEventOnceAndInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		const subjects, each = 5, 30
		var wg sync.WaitGroup
		for s := range subjects {
			wg.Go(func() {
				for n := range each {
					emit(t, d, id.ID(s+1), n)
				}
			})
		}
		for range 2 {
			r := outbox.NewRelay(d.DB, nil)
			r.Subscribe("board", "till.sold.v1", func(tx *db.Tx, e outbox.Event) error {
				var s sold
				var before int
				if err := e.Unmarshal(&s); err != nil {
					return err
				}
				if err := tx.QueryRow("SELECT COUNT(*) FROM board_line WHERE subject = $1", e.Subject).Scan(&before); err != nil {
					return err
				}
				if before != s.N {
					t.Errorf("event %d of subject %s came after %d others", s.N, e.Subject, before)
				}
				return write(tx, e)
			})
			wg.Go(func() {
				for len(board(t, d)) < subjects*each && !t.Failed() {
					if err := r.Drain(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if lines := board(t, d); len(lines) != subjects*each {
			t.Fatalf("%d lines", len(lines))
		}
	}, schema)
}

func TestALiveScreenSeesEachEventOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		emit(t, d, 1, 0)
		tail := outbox.NewTail(d.DB, nil)
		l := tail.Listen(100, "till.sold.v1")
		deaf := tail.Listen(100, "stock.held.v1")
		look := func() {
			t.Helper()
			if err := tail.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		look()
		if len(l.C) != 0 {
			t.Fatal("the past was shown")
		}
		emit(t, d, 1, 1)
		emit(t, d, 2, 2)
		look()
		look()
		if len(l.C) != 2 || len(deaf.C) != 0 {
			t.Fatalf("%d and %d events", len(l.C), len(deaf.C))
		}
		if e := <-l.C; e.Subject != 1 || string(e.JSON) != `{"n":1}` {
			t.Fatalf("%+v", e)
		}
		l.Close()
		l.Close()
		emit(t, d, 1, 3)
		look()
	}, schema)
}

func TestASlowScreenIsToldToReload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		tail := outbox.NewTail(d.DB, nil)
		slow, quick := tail.Listen(1), tail.Listen(10)
		if err := tail.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			emit(t, d, 1, n)
		}
		if err := tail.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-slow.C
		if _, open := <-slow.C; open {
			t.Fatal("a screen that missed events goes on as if it had not")
		}
		if len(quick.C) != 3 {
			t.Fatalf("%d events", len(quick.C))
		}
	}, schema)
}

func TestOnlyHandledEventsAreRemoved(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		r := outbox.NewRelay(d.DB, nil)
		r.Subscribe("board", "till.sold.v1", func(tx *db.Tx, e outbox.Event) error {
			if e.Subject == 2 {
				return errs.ErrInternal
			}
			return nil
		})
		emit(t, d, 1, 1)
		emit(t, d, 2, 2)
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		emit(t, d, 3, 3) // not relayed
		if n, err := outbox.Purge(t.Context(), d.DB, time.Now().Add(-time.Hour)); n != 0 || err != nil {
			t.Fatalf("%d removed too early, %v", n, err)
		}
		if n, err := outbox.Purge(t.Context(), d.DB, time.Now().Add(time.Hour)); n != 1 || err != nil {
			t.Fatalf("%d removed, %v", n, err)
		}
	}, schema)
}
