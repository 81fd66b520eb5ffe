package stock

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
)

const (
	ann id.ID = 31
	bob id.ID = 32
	cat id.ID = 33
)

func eachCount(t *testing.T, story func(t *testing.T, s shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		story(t, s)
		if !t.Failed() {
			s.green()
		}
	}, schema)
}

func (s shop) startCount(n NewCount) *Count {
	s.t.Helper()
	n.Site = bakery
	if n.Limit == 0 {
		n.Limit = 1_000_000
	}
	var c *Count
	s.must(func(tx *db.Tx) (err error) { c, err = StartCount(tx, n); return err })
	return c
}

// counted reads the count as it is and acts on it.
func (s shop) counting(c *Count, act func(tx *db.Tx, c *Count) error) error {
	return s.try(func(tx *db.Tx) error {
		c, err := CountByID(tx, c.ID)
		if err != nil {
			return err
		}
		return act(tx, c)
	})
}

func (s shop) enter(c *Count, line int64, who id.ID, n int64) (state LineState) {
	s.t.Helper()
	if err := s.counting(c, func(tx *db.Tx, c *Count) (err error) { state, err = c.Enter(tx, line, who, pieces(n)); return err }); err != nil {
		s.t.Fatal(err)
	}
	return state
}

// post reviews and posts, step by step, as the job does.
func (s shop) post(c *Count) CountSums {
	s.t.Helper()
	for _, act := range []func(tx *db.Tx, c *Count) error{
		func(tx *db.Tx, c *Count) error { return c.Review(tx, ann) },
		func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, true); return err },
	} {
		if err := s.counting(c, act); err != nil {
			s.t.Fatal(err)
		}
	}
	var sums CountSums
	for done := false; !done; {
		if err := s.counting(c, func(tx *db.Tx, c *Count) (err error) {
			if done, err = c.PostStep(tx, ann); err != nil {
				return err
			}
			sums, err = c.Sums(tx)
			return err
		}); err != nil {
			s.t.Fatal(err)
		}
	}
	return sums
}

func TestTheShopSellsWhileItIsCounted(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		early := s.receive(bun, 10, 1000, time.Hour)
		late := s.receive(bun, 10, 2000, 2*time.Hour)
		s.receive(tea, 5, 50, 0)
		c := s.startCount(NewCount{})
		s.sold(buns(2))
		if state := s.enter(c, 1, ann, 15); state != IsCounted { // the books say 18
			t.Errorf("state %s", state)
		}
		s.sold(buns(4))
		s.enter(c, 2, bob, 7) // two more grams of tea than on the books
		sums := s.post(c)
		if sums.Posted != 2 || sums.Failed != 0 || sums.Different != 2 || sums.GainFen != 20 {
			t.Errorf("posted %+v", sums)
		}
		if red := s.redAfter(`UPDATE stock_count_line SET counted = counted + 1 WHERE line_no = 1`); len(red) != 1 || red[0] != "stock_counts_are_posted" {
			t.Errorf("after a damage red are %v", red)
		}
		s.batch(early, 1, 0, 100) // 10 - 6 sold - 3 missing
		s.batch(late, 10, 0, 2000)
		s.flow(Lost, bun, 3000)
		s.flow(Gained, tea, -2000)
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { return c.Review(tx, ann) }); !errors.Is(err, ErrCountState) {
			t.Error(err)
		}
	})
}

func TestTwoWhoDisagreeCountAgain(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		s.receive(bun, 10, 1000, time.Hour)
		c := s.startCount(NewCount{Products: []id.ID{bun}})
		for _, e := range []struct {
			who  id.ID
			n    int64
			want LineState
		}{{ann, 9, IsCounted}, {ann, 8, IsCounted}, {bob, 10, CountAgain}, {cat, 8, IsCounted}} {
			if state := s.enter(c, 1, e.who, e.n); state != e.want {
				t.Errorf("%d counts %d: %s, want %s", e.who, e.n, state, e.want)
			}
		}
		s.enter(c, 1, bob, 7)
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { return c.Review(tx, ann) }); err != nil {
			t.Fatal(err)
		}
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, false); return err }); !errors.Is(err, ErrDisputed) {
			t.Errorf("a line in dispute: %v", err)
		}
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { return c.Again(tx, ann, []int64{1}) }); err != nil {
			t.Fatal(err)
		}
		s.enter(c, 1, ann, 7)
		s.post(c)
		s.flow(Lost, bun, 3000)
	})
}

func TestABigDifferenceNeedsSomebodyElse(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		s.receive(bun, 10, 1000, time.Hour)
		c := s.startCount(NewCount{Limit: 200})
		s.enter(c, 1, ann, 7) // three missing are 3.00
		approve := func(who id.ID) error {
			return s.counting(c, func(tx *db.Tx, c *Count) error { return c.Approve(tx, who, []int64{1}) })
		}
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { return c.Review(tx, ann) }); err != nil {
			t.Fatal(err)
		}
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, false); return err }); !errors.Is(err, ErrUnapproved) {
			t.Errorf("not approved: %v", err)
		}
		if err := approve(ann); !errors.Is(err, ErrOwnCount) {
			t.Errorf("approved by himself: %v", err)
		}
		if err := approve(bob); err != nil {
			t.Error(err)
		}
		if err := approve(bob); !errors.Is(err, ErrOwnCount) {
			t.Errorf("approved twice: %v", err)
		}
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { _, err := c.Enter(tx, 1, cat, 1); return err }); !errors.Is(err, ErrCountLineDone) {
			t.Errorf("counted after the end: %v", err)
		}
		if err := s.counting(c, func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, false); return err }); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsPromisedCantBeCountedAway(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 5, 500, time.Hour)
		frozen := s.receive(salad, 3, 300, time.Hour)
		if _, err := s.restate(frozen, Sellable, Frozen, pieces(1)); err != nil {
			t.Fatal(err)
		}
		c := s.startCount(NewCount{ByBatch: true})
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(4)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, id.New()), ledger.Never)
		})
		s.enter(c, 1, ann, 0)
		s.enter(c, 2, ann, 3) // two and a frozen one
		if sums := s.post(c); sums.Failed != 1 || sums.Posted != 2 {
			t.Errorf("%+v", sums)
		}
		s.batch(b, 5, 4, 500)
		s.batch(frozen, 2, 0, 200)
	})
}

func TestACountIsTurnedAway(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		s.refused(ErrCountEmpty, "", func(tx *db.Tx) error { _, err := StartCount(tx, NewCount{Site: bakery}); return err })
		s.refused(ErrCost, "limit_fen", func(tx *db.Tx) error { _, err := StartCount(tx, NewCount{Site: bakery, Limit: -1}); return err })
		s.refused(ErrNoCount, "", func(tx *db.Tx) error { _, err := CountByID(tx, 12); return err })
		s.receive(bun, 5, 500, time.Hour)
		c := s.startCount(NewCount{})
		enter := func(line int64, q qty.Qty) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := c.Enter(tx, line, ann, q); return err }
		}
		s.refused(ErrCounted, "qty", enter(1, -1))
		s.refused(ErrQtyTooLarge, "qty", enter(1, qty.Max+1))
		s.refused(ErrNoCountLine, "", enter(2, 1))
		s.refused(ErrNeverHere, "", func(tx *db.Tx) error { _, err := c.AddLine(tx, salad, 0); return err })
		s.refused(ErrNoCountLine, "batch_id", func(tx *db.Tx) error { _, err := c.AddLine(tx, bun, 5); return err })
		s.refused(ErrCountState, "", func(tx *db.Tx) error { _, err := c.Post(tx, ann, false); return err })
		s.must(func(tx *db.Tx) error {
			line, err := c.AddLine(tx, bun, 0)
			if line != 1 {
				t.Errorf("line %d is the same product", line)
			}
			return err
		})
		s.must(func(tx *db.Tx) error { return c.Review(tx, ann) })
		s.refused(ErrNotCounted, "", func(tx *db.Tx) error { _, err := c.Post(tx, ann, false); return err })
		s.must(func(tx *db.Tx) error { return c.Drop(tx, ann, "tomorrow") })
		s.refused(ErrCountLineDone, "", enter(1, 1))
	})
}

// Eight people count one list of forty lines at once, every line twice.
func TestManyCountOneListAtOnce(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		for range 40 {
			s.receive(bun, 5, 500, time.Hour)
		}
		c := s.startCount(NewCount{ByBatch: true})
		for k, err := range together(8, func(k int) error {
			for line := int64(1); line <= 40; line++ {
				if (int(line)+k)%4 == 0 {
					if err := s.counting(c, func(tx *db.Tx, c *Count) error { _, err := c.Enter(tx, line, id.ID(100+k), pieces(4)); return err }); err != nil {
						return fmt.Errorf("line %d: %w", line, err)
					}
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("%d: %v", k, err)
			}
		}
		s.must(func(tx *db.Tx) error {
			var lines, entries int64
			if err := tx.QueryRow(`SELECT COUNT(*), SUM(entries) FROM stock_count_line WHERE count_id = $1 AND state = 2`, c.ID).Scan(&lines, &entries); err != nil {
				return err
			}
			if lines != 40 || entries != 80 {
				t.Errorf("%d lines agreed after %d entries", lines, entries)
			}
			return nil
		})
		if sums := s.post(c); sums.Posted != 40 || sums.LossFen != -4000 {
			t.Errorf("%+v", sums)
		}
	})
}

func TestTheDeskCounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": tea.String(), "qty": "4", "unit": "can", "cost_fen": 4000}, {"product_id": bun.String(), "qty": "3", "cost_fen": 300}}})
		c := o.done("POST", "/api/stock/counts", m{"site_id": o.site, "limit_fen": 100, "blind": true})
		path := "/api/stock/counts/" + c["id"].(string)
		lines := rows(o.done("GET", path+"/lines?product_id="+tea.String(), nil)["items"])
		if len(lines) != 1 || lines[0]["state"] != "not_counted" {
			t.Fatalf("lines %v", lines)
		}
		l := o.done("POST", path+"/lines/"+fmt.Sprint(lines[0]["line_no"])+"/entries", m{"qty": "3", "unit": "can"})
		if l["counted"] != "750" || l["diff"] != "-250" || l["value_fen"] != -1000.0 || l["state"] != "counted" {
			t.Errorf("counted %v", l)
		}
		o.turnedAway(404, "stock_count_line_unknown", "", "POST", path+"/lines/9/entries", m{"qty": "3"})
		o.turnedAway(422, "stock_unit_unknown", "unit", "POST", path+"/lines/1/entries", m{"qty": "3", "unit": "barrel"})
		o.turnedAway(422, "stock_count_pieces_whole", "qty", "POST", path+"/lines/1/entries", m{"qty": "2.5"})
		o.turnedAway(422, "stock_count_qty_bad", "qty", "POST", path+"/lines/1/entries", m{"qty": "-1"})
		o.turnedAway(422, "stock_qty_zero", "lines[0].qty", "POST", "/api/stock/adjustments", m{"site_id": o.site, "reason": "count", "lines": []m{{"batch_id": rows(o.done("GET", "/api/stock/batches?site_id="+o.site+"&open=true", nil)["items"])[0]["id"], "qty": "0"}}})
		o.turnedAway(422, "stock_product_unknown", "product_id", "POST", path+"/lines", m{"product_id": id.New().String()})
		if l := o.done("POST", path+"/lines", m{"product_id": bun.String()}); l["line_no"] != 1.0 {
			t.Errorf("buns are there: %v", l)
		}
		o.done("POST", path+"/review", nil)
		o.turnedAway(409, "stock_count_unapproved", "", "POST", path+"/post", m{"leave_uncounted": true})
		o.turnedAway(403, "stock_count_own", "", "POST", path+"/approve", m{"lines": []int{2}})
		o.turnedAway(409, "stock_count_state", "", "POST", path+"/review", nil)
		if c = o.done("POST", path+"/again", m{"lines": []int{2}}); c["state"] != "open" || c["sums"].(m)["count_again"] != 1.0 {
			t.Errorf("again: %v", c)
		}
		o.done("POST", path+"/lines/2/entries", m{"qty": "995"})
		o.done("POST", path+"/review", nil)
		if c = o.done("POST", path+"/post", m{"leave_uncounted": true}); c["state"] != "posting" || c["job_id"] == "" {
			t.Errorf("posting: %v", c)
		}
		runner := jobs.NewRunner(d.DB, 1, nil)
		Jobs(runner)
		if err := runner.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		c = o.done("GET", path, nil)
		if c["state"] != "posted" || c["sums"].(m)["posted"] != 1.0 || len(rows(c["trail"])) != 6 {
			t.Errorf("posted: %v", c)
		}
		docs := rows(o.done("GET", "/api/stock/documents?site_id="+o.site+"&kind=stock_count", nil)["items"])
		if len(docs) != 1 || docs[0]["value_fen"] != -20.0 || docs[0]["cause_id"] != c["id"] {
			t.Errorf("documents: %v", docs)
		}
		if all := rows(o.done("GET", "/api/stock/counts?site_id="+o.site, nil)["items"]); len(all) != 1 {
			t.Errorf("list: %v", all)
		}
		second := o.done("POST", "/api/stock/counts", m{"site_id": o.site, "product_ids": []string{bun.String()}})
		o.done("POST", "/api/stock/counts/"+second["id"].(string)+"/cancel", m{"note": "no time"})
		o.green()
	}, schema)
}

func TestAStyleIsCountedInOneAct(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": tea.String(), "qty": "4", "unit": "can", "cost_fen": 4000}, {"product_id": bun.String(), "qty": "3", "cost_fen": 300}}})
		path := "/api/stock/counts/" + o.done("POST", "/api/stock/counts", m{"site_id": o.site, "limit_fen": 100, "product_ids": []string{bun.String()}})["id"].(string)
		entries := path + "/entries"
		both := func(buns, cans string) m {
			return m{"lines": []m{{"product_id": tea.String(), "qty": cans, "unit": "can"}, {"product_id": bun.String(), "qty": buns}}}
		}
		refuse := func(status int, code, field string, lines ...m) {
			t.Helper()
			o.turnedAway(status, code, field, "POST", entries, m{"lines": lines})
		}
		buns := m{"product_id": bun.String(), "qty": "2"}
		refuse(422, "stock_product_unknown", "lines[1].product_id", buns, m{"product_id": id.New().String(), "qty": "1"})
		refuse(409, "stock_count_never_here", "lines[1].product_id", buns, m{"product_id": salad.String(), "qty": "1"})
		refuse(422, "stock_unit_unknown", "lines[1].unit", buns, m{"product_id": tea.String(), "qty": "1", "unit": "barrel"})
		refuse(422, "stock_count_product_twice", "lines[1].product_id", buns, buns)
		refuse(422, "stock_count_qty_bad", "lines[1].qty", buns, m{"product_id": tea.String(), "qty": "-1"})
		refuse(422, "stock_count_pieces_whole", "lines[1].qty", m{"product_id": tea.String(), "qty": "0.5", "unit": "can"}, m{"product_id": bun.String(), "qty": "1.5"})
		refuse(422, "field_missing", "lines")
		if lines := rows(o.done("GET", path+"/lines", nil)["items"]); len(lines) != 1 || lines[0]["state"] != "not_counted" {
			t.Errorf("a refused entry left something: %v", lines)
		}

		got := rows(o.done("POST", entries, both("2", "3"))["items"])
		if len(got) != 2 || got[0]["product_id"] != tea.String() || got[0]["counted"] != "750" || got[0]["diff"] != "-250" || got[0]["line_no"] != 2.0 || got[1]["counted"] != "2" || got[1]["state"] != "counted" {
			t.Errorf("counted %v", got)
		}
		got = rows(o.done("POST", entries, both("3", "3"))["items"]) // the same person thinks again
		if len(got) != 2 || got[1]["diff"] != "0" || got[1]["entries"] != 2.0 || got[0]["state"] != "counted" {
			t.Errorf("counted again %v", got)
		}
		o.done("POST", path+"/review", nil)
		o.turnedAway(409, "stock_count_state", "lines[0].product_id", "POST", entries, both("1", "1"))

		batches := "/api/stock/counts/" + o.done("POST", "/api/stock/counts", m{"site_id": o.site, "by_batch": true})["id"].(string)
		o.turnedAway(404, "stock_count_line_unknown", "lines[0].product_id", "POST", batches+"/entries", m{"lines": []m{buns}})
		o.green()
	}, schema)
}
