package stock

import (
	"errors"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

func TestARefundPutsGoodsBackAtTheCostThatWasTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		sale := doc(testSale, bakery, 1)
		var takes []Take
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(3)})
			if err != nil {
				return err
			}
			takes = p.Takes
			return p.Sell(tx, sale, takings(900))
		})
		s.batch(b, 0, 0, 0)
		back := func(n id.ID, q int64, cost money.Fen, discard bool) error {
			return s.try(func(tx *db.Tx) error {
				c, err := Return(tx, bakery.ID, []Back{{Batch: b, Qty: pieces(q), Cost: cost, Discard: discard, Of: sale.Ref(takes[0].Leg)}})
				if err != nil {
					return err
				}
				return c.Book(tx, doc(testRefund, bakery, n), ledger.Transfer{From: testCash, To: testIncome, Unit: ledger.CNY, Amount: 300, Corrects: sale.Ref(3)})
			})
		}
		part, err := Share(takes[0].Cost, pieces(1), pieces(3))
		if err != nil || part != 33 {
			t.Fatalf("a third of 100 is %d, %v", part, err)
		}
		if err := back(10, 1, part, false); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 1, 0, 33)
		if takes := s.sold(buns(1)); takes[0].Batch != b || takes[0].Cost != 33 {
			t.Errorf("what came back is sold again: %+v", takes)
		}
		if err := back(11, 1, 34, true); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 0, 0, 0)
		s.must(func(tx *db.Tx) error {
			goods, value, _ := Waste(Returned)
			for _, c := range []struct {
				flow ledger.Account
				unit ledger.Unit
				want int64
			}{{goods, ledger.Unit(bun), 1000}, {value, ledger.CNY, 34}, {Sold, ledger.Unit(bun), 2000}, {CostOfSales, ledger.CNY, 66}} {
				n, err := ledger.FlowSum(tx, c.flow, bakery.ID, "2026-03-02", "2026-03-02", c.unit)
				if err != nil {
					return err
				}
				if n != c.want {
					t.Errorf("%s is %d, want %d", c.flow, n, c.want)
				}
			}
			return nil
		})
		s.d.Clock.Add(time.Hour)
		if err := back(12, 1, 33, false); !errors.Is(err, ErrExpiredBack) {
			t.Errorf("into an expired batch: %v", err)
		}
		if err := back(12, 1, 33, true); err != nil {
			t.Error(err)
		}
	})
}

func TestBadReturnsAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		for _, c := range []struct {
			what  string
			want  *errs.Error
			field string
			site  id.ID
			backs []Back
		}{
			{"nothing", ErrNoLines, "", bakery.ID, nil},
			{"no quantity", ErrQty, "lines[0].qty", bakery.ID, []Back{{Batch: b}}},
			{"absurd quantity", ErrQtyTooLarge, "lines[0].qty", bakery.ID, []Back{{Batch: b, Qty: qty.Max + 1}}},
			{"negative cost", ErrCost, "lines[0].qty", bakery.ID, []Back{{Batch: b, Qty: 1, Cost: -1}}},
			{"another site", ErrNoBatch, "lines[0].line_no", corner.ID, []Back{{Batch: b, Qty: 1}}},
			{"unknown batch", ErrNoBatch, "lines[0].line_no", bakery.ID, []Back{{Batch: 9, Qty: 1}}},
			{"unknown batch to discard", ErrNoBatch, "lines[0].line_no", bakery.ID, []Back{{Batch: 9, Qty: 1, Discard: true}}},
		} {
			err := s.try(func(tx *db.Tx) error {
				_, err := Return(tx, c.site, c.backs)
				return err
			})
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				t.Errorf("%s: want %s at %q, got %v", c.what, c.want.Code, c.field, err)
			}
		}
		for _, c := range [][3]int64{{100, 2, 1}, {100, -1, 1}, {100, 1, 0}, {-1, 1, 1}} {
			if _, err := Share(money.Fen(c[0]), qty.Qty(c[1]), qty.Qty(c[2])); !errors.Is(err, ErrQty) {
				t.Errorf("a share of %v: %v", c, err)
			}
		}
	})
}

func TestGoodsAreWrittenOffForAReason(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 5, 333, time.Hour)
		var d *Document
		s.must(func(tx *db.Tx) (err error) {
			d, err = WriteOff(tx, Discard{Header: Header{Site: bakery, Staff: 8, Note: "fell"}, Reason: Dropped, Lines: []Issue{{b, pieces(1)}, {b, pieces(1)}}})
			return err
		})
		if d.Lines[0].Value != -67 || d.Lines[1].Value != -67 || d.Lines[0].Qty != -pieces(1) {
			t.Errorf("got %+v", d.Lines)
		}
		s.batch(b, 3, 0, 199)
		if n := s.events(EventWrittenOff); len(n) != 1 {
			t.Errorf("news: %v", n)
		}
		try := func(w Discard) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := WriteOff(tx, w)
				return err
			}
		}
		h := Header{Site: bakery}
		s.refused(ErrReason, "reason", try(Discard{h, "bored", []Issue{{b, 1}}}))
		s.refused(ErrNoLines, "lines", try(Discard{h, Dropped, nil}))
		s.refused(ErrQty, "lines[0].qty", try(Discard{h, Dropped, []Issue{{b, 0}}}))
		s.refused(ErrQty, "lines[1].qty", try(Discard{h, Dropped, []Issue{{b, 1}, {b, -1}}}))
		s.refused(ErrQtyTooLarge, "lines[0].qty", try(Discard{h, Dropped, []Issue{{b, qty.Max + 1}}}))
		s.refused(ErrShort, "lines[1].qty", try(Discard{h, Dropped, []Issue{{b, pieces(2)}, {b, pieces(2)}}}))
		s.refused(ErrNoBatch, "lines[0].batch_id", try(Discard{h, Dropped, []Issue{{99, 1}}}))
		s.refused(ErrNoBatch, "lines[0].batch_id", try(Discard{Header{Site: corner}, Dropped, []Issue{{b, 1}}}))
		s.refused(ErrReceived, "", try(Discard{Header{Site: bakery, ID: d.ID}, Dropped, []Issue{{b, 1}}}))
		// What is held for somebody is not there to be thrown away.
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(2)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 1), tx.Now().Add(time.Minute))
		})
		s.refused(ErrShort, "lines[0].qty", try(Discard{h, Dropped, []Issue{{b, pieces(2)}}}))
		s.batch(b, 3, 2, 199)
	})
}

func TestTheBooksAreBroughtToWhatIsThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 4, 100, time.Hour)
		other := s.receive(bun, 2, 90, 2*time.Hour)
		adjust := func(c Correction) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := Adjust(tx, c)
				return err
			}
		}
		h := Header{Site: bakery}
		s.must(adjust(Correction{h, "count", []Issue{{b, -pieces(1)}, {other, pieces(1)}}}))
		s.batch(b, 3, 0, 75)
		s.batch(other, 3, 0, 135)
		s.must(adjust(Correction{h, "lost", []Issue{{b, -pieces(3)}}}))
		s.batch(b, 0, 0, 0)
		// An empty batch that turns out not to be is open again, at what it cost on average.
		s.must(adjust(Correction{h, "found", []Issue{{b, pieces(1)}}}))
		s.batch(b, 1, 0, 25)
		if takes := s.sold(buns(1)); takes[0].Batch != b {
			t.Errorf("sold from %d", takes[0].Batch)
		}
		if n := s.events(EventAdjusted); len(n) != 3 {
			t.Errorf("news: %v", n)
		}
		s.refused(ErrReason, "reason", adjust(Correction{h, "", []Issue{{b, 1}}}))
		s.refused(ErrQtyZero, "lines[0].qty", adjust(Correction{h, "count", []Issue{{b, 0}}}))
		s.refused(ErrShort, "lines[0].qty", adjust(Correction{h, "count", []Issue{{other, -pieces(4)}}}))
		s.refused(ErrQtyTooLarge, "lines[0].qty", adjust(Correction{h, "count", []Issue{{other, qty.Max}}}))
		s.refused(ErrQtyTooLarge, "lines[0].qty", adjust(Correction{h, "count", []Issue{{other, -qty.Max - 1}}}))
		s.refused(ErrNoBatch, "lines[0].batch_id", adjust(Correction{Header{Site: corner}, "count", []Issue{{b, 1}}}))
		s.refused(ErrNoLines, "lines", adjust(Correction{h, "count", nil}))
	})
}

func TestGoodsAreReceived(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		receive := func(r Receipt) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := Receive(tx, r)
				return err
			}
		}
		now := dbtest.Start
		h := Header{Site: bakery}
		one := func(a Arrival) Receipt { return Receipt{Header: h, Lines: []Arrival{a}} }
		var d *Document
		s.must(func(tx *db.Tx) (err error) {
			d, err = Receive(tx, Receipt{Header: Header{ID: 600, Site: bakery, Staff: 8, Ref: "L-77"}, Lines: []Arrival{
				{SKU: bun, Code: "A1", Qty: pieces(10), Cost: 1000, MadeOn: "2026-03-01", ExpiresAt: now.Add(time.Hour)},
				{SKU: tea, Code: "A1", Qty: 1, Cost: 0},
			}})
			return err
		})
		if d.Date != "2026-03-02" || d.Lines[0].Code != "A1" {
			t.Errorf("got %+v", d)
		}
		s.batch(d.Lines[0].Batch, 10, 0, 1000)
		if n := s.events(EventReceived); len(n) != 1 {
			t.Errorf("news: %v", n)
		}
		long := make([]Arrival, maxLines+1)
		for _, c := range []struct {
			what  string
			want  *errs.Error
			field string
			r     Receipt
		}{
			{"nothing", ErrNoLines, "lines", Receipt{Header: h}},
			{"too many", ErrTooManyLines, "lines", Receipt{Header: h, Lines: long}},
			{"no quantity", ErrQty, "lines[0].qty", one(Arrival{SKU: bun})},
			{"negative", ErrQty, "lines[0].qty", one(Arrival{SKU: bun, Qty: -1})},
			{"absurd", ErrQtyTooLarge, "lines[0].qty", one(Arrival{SKU: bun, Qty: qty.Max + 1})},
			{"negative cost", ErrCost, "lines[0].cost_fen", one(Arrival{SKU: bun, Qty: 1, Cost: -1})},
			{"absurd cost", ErrCost, "lines[0].cost_fen", one(Arrival{SKU: bun, Qty: 1, Cost: money.Max + 1})},
			{"unknown product", ErrNoSKU, "lines[0].product_id", one(Arrival{SKU: 99, Qty: 1})},
			{"no product", ErrNoSKU, "lines[0].product_id", one(Arrival{Qty: 1})},
			{"expired", ErrAlreadyPast, "lines[0].expires_at", one(Arrival{SKU: bun, Qty: 1, ExpiresAt: now})},
			{"made after expiry", ErrMadeLater, "lines[0].made_on", one(Arrival{SKU: bun, Qty: 1, MadeOn: "2026-03-09", ExpiresAt: now.Add(time.Hour)})},
			{"made never", cal.ErrDate, "lines[0].made_on", one(Arrival{SKU: bun, Qty: 1, MadeOn: "2026-02-30"})},
			{"blank code", ErrCode, "lines[0].code", one(Arrival{SKU: bun, Qty: 1, Code: "A 1"})},
			{"code used before", ErrCodeTaken, "lines[0].code", one(Arrival{SKU: bun, Qty: 1, Code: "A1"})},
			{"code twice", ErrCodeTaken, "lines[1].code", Receipt{Header: h, Lines: []Arrival{{SKU: bun, Qty: 1, Code: "B"}, {SKU: bun, Qty: 1, Code: "B"}}}},
			{"document again", ErrReceived, "", Receipt{Header: Header{ID: 600, Site: bakery}, Lines: []Arrival{{SKU: bun, Qty: 1}}}},
		} {
			err := s.try(receive(c.r))
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				t.Errorf("%s: want %s at %q, got %v", c.what, c.want.Code, c.field, err)
			}
		}
		// Opening stock may be past its time; the same code may be used at another site and for another product.
		s.must(receive(Receipt{Header: h, Opening: true, Lines: []Arrival{{SKU: bun, Qty: 1, Code: "OLD", ExpiresAt: now.Add(-time.Hour)}}}))
		s.must(receive(Receipt{Header: Header{Site: corner}, Lines: []Arrival{{SKU: bun, Qty: 1, Code: "A1"}, {SKU: salad, Qty: 1, Code: "A1"}}}))
	})
}

func TestLevelsAndBatchesAreShown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 5, 500, time.Hour)
		s.receive(bun, 4, 400, 3*time.Hour)
		s.receive(tea, 100, 90, 0)
		s.d.Clock.Add(2 * time.Hour)
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 1), tx.Now().Add(time.Minute))
		})
		s.must(func(tx *db.Tx) error {
			in := LevelSearch{SiteID: bakery.ID}
			in.Limit = 2
			page, err := Levels(tx, in)
			if err != nil {
				return err
			}
			if len(page.Items) != 2 || page.Next == "" {
				t.Fatalf("got %+v", page)
			}
			l := page.Items[0]
			if l.Qty != pieces(9) || l.Held != pieces(1) || l.Expired != pieces(5) || l.Available != pieces(3) || l.ValueFen != 900 || l.Batches != 2 || l.NextExpiresAt != "2026-03-02T11:00:00+08:00" {
				t.Errorf("buns: %+v", l)
			}
			if l := page.Items[1]; l.Available != pieces(100) || l.NextExpiresAt != "" {
				t.Errorf("tea: %+v", l)
			}
			in.After = page.Next
			if page, err = Levels(tx, in); err != nil || len(page.Items) != 1 || page.Items[0].Name != "Salad" || page.Items[0].Qty != 0 {
				t.Errorf("salad: %+v %v", page, err)
			}
			in.After, in.Q = "", "sal"
			if page, err = Levels(tx, in); err != nil || len(page.Items) != 1 {
				t.Errorf("search: %+v %v", page, err)
			}
			left, err := Available(tx, bakery.ID, []id.ID{bun, tea, salad})
			if err != nil || len(left) != 2 || left[bun] != pieces(3) {
				t.Errorf("available: %v %v", left, err)
			}
			b := BatchSearch{SiteID: bakery.ID, ProductID: bun}
			b.Limit = 1
			batches, err := Batches(tx, b)
			if err != nil || len(batches.Items) != 1 || !batches.Items[0].Expired || batches.Next == "" {
				t.Fatalf("batches: %+v %v", batches, err)
			}
			b.After, b.Open = batches.Next, true
			batches, err = Batches(tx, b)
			if err != nil || len(batches.Items) != 1 || batches.Items[0].Expired || batches.Items[0].Held != pieces(1) || batches.Next != "" {
				t.Fatalf("batches: %+v %v", batches, err)
			}
			st, err := story(tx, &batches.Items[0], bakery)
			if err != nil || len(st.Movements) != 1 || st.Movements[0].Other != "supplied" || st.Movements[0].Left != pieces(4) {
				t.Errorf("story: %+v %v", st, err)
			}
			return nil
		})
	})
}
