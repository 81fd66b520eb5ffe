package stock

import (
	"errors"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

func TestTheEarliestExpiryIsSoldFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		late := s.receive(bun, 10, 1000, 9*time.Hour)
		soon := s.receive(bun, 3, 300, 2*time.Hour)
		ever := s.receive(bun, 5, 500, 0)
		takes := s.sold(buns(2))
		if len(takes) != 1 || takes[0].Batch != soon || takes[0].Cost != 200 {
			t.Errorf("got %+v", takes)
		}
		takes = s.sold(buns(12))
		want := []Take{{Batch: soon, Qty: pieces(1), Cost: 100}, {Batch: late, Qty: pieces(10), Cost: 1000}, {Batch: ever, Qty: pieces(1), Cost: 100}}
		for i, w := range want {
			if len(takes) != 3 || takes[i].Batch != w.Batch || takes[i].Qty != w.Qty || takes[i].Cost != w.Cost || takes[i].Leg != 2*i+1 {
				t.Fatalf("take %d: got %+v", i, takes)
			}
		}
		s.batch(soon, 0, 0, 0)
		s.batch(late, 0, 0, 0)
		s.batch(ever, 4, 0, 400)
	})
}

func TestEveryBatchEndsAtExactlyZeroFen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		for _, cost := range []money.Fen{100, 1, 0, 7, 99999} {
			b := s.receive(bun, 3, cost, time.Hour)
			var sum money.Fen
			for range 3 {
				takes := s.sold(buns(1))
				if takes[0].Batch != b {
					t.Fatalf("took from %d", takes[0].Batch)
				}
				sum += takes[0].Cost
			}
			if sum != cost {
				t.Errorf("3 pieces for %d fen were sold at a cost of %d", cost, sum)
			}
			s.batch(b, 0, 0, 0)
		}
	})
}

func TestASaleBooksEverythingOrNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 10, 1000, time.Hour)
		sale := doc(testSale, bakery, 77)
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(4)})
			if err != nil {
				return err
			}
			return p.Sell(tx, sale, takings(900), takings(99))
		})
		s.must(func(tx *db.Tx) error {
			legs, err := ledger.Legs(tx, testSale, 77)
			if len(legs) != 4 {
				t.Fatalf("%d legs", len(legs))
			}
			want := []ledger.Transfer{
				{Leg: 1, From: ledger.Account(b), To: Sold, Unit: ledger.Unit(bun), Amount: 4000},
				{Leg: 2, From: legs[1].From, To: CostOfSales, Unit: ledger.CNY, Amount: 400},
				{Leg: 3, From: testIncome, To: testCash, Unit: ledger.CNY, Amount: 900},
				{Leg: 4, From: testIncome, To: testCash, Unit: ledger.CNY, Amount: 99},
			}
			for i := range want {
				if legs[i].Transfer != want[i] {
					t.Errorf("leg %d is %+v, want %+v", i+1, legs[i].Transfer, want[i])
				}
			}
			return err
		})
		// The same document again fails as a whole.
		if err := s.try(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Sell(tx, sale)
		}); !db.Violates(err, "ledger_transfer_pkey") {
			t.Errorf("got %v", err)
		}
		s.batch(b, 6, 0, 600)
		// So does a sale whose money can't be booked.
		s.refused(ledger.ErrAmount, "", func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Sell(tx, doc(testSale, bakery, 78), takings(0))
		})
		s.refused(ledger.ErrBadDocument, "", func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Sell(tx, doc(testSale, corner, 79))
		})
		s.batch(b, 6, 0, 600)
	})
}

func TestLinesOfTheSameProductShareItsBatches(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		first := s.receive(bun, 3, 300, time.Hour)
		second := s.receive(bun, 3, 330, 2*time.Hour)
		takes := s.sold(buns(2), buns(2), buns(2))
		want := []Take{{Line: 0, Batch: first, Qty: pieces(2)}, {Line: 1, Batch: first, Qty: pieces(1)}, {Line: 1, Batch: second, Qty: pieces(1)}, {Line: 2, Batch: second, Qty: pieces(2)}}
		if len(takes) != len(want) {
			t.Fatalf("got %+v", takes)
		}
		for i, w := range want {
			if g := takes[i]; g.Line != w.Line || g.Batch != w.Batch || g.Qty != w.Qty {
				t.Errorf("take %d is %+v, want %+v", i, g, w)
			}
		}
		s.batch(first, 0, 0, 0)
		s.batch(second, 0, 0, 0)
	})
}

func TestANamedBatchServesWhoNamesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		soon := s.receive(bun, 2, 200, time.Hour)
		mid := s.receive(bun, 2, 220, 2*time.Hour)
		late := s.receive(bun, 2, 240, 3*time.Hour)
		// The line without a name comes first and still leaves the named pieces; it goes on in order of
		// expiry, not from the batch that happened to be read.
		takes := s.sold(buns(3), Want{SKU: bun, Qty: pieces(1), Batch: late})
		got := map[id.ID]qty.Qty{}
		for _, k := range takes {
			got[k.Batch] += k.Qty
			if k.Line == 1 && k.Batch != late {
				t.Errorf("the named line got %d", k.Batch)
			}
		}
		if got[soon] != pieces(2) || got[mid] != pieces(1) || got[late] != pieces(1) {
			t.Errorf("got %v", got)
		}
		// Named first: the other line takes what is left of the earliest.
		takes = s.sold(buns(1), Want{SKU: bun, Qty: pieces(1), Batch: mid})
		if takes[0].Batch != late || takes[1].Batch != mid {
			t.Errorf("got %+v", takes)
		}
		s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{{SKU: bun, Qty: pieces(1), Batch: soon}})
			return err
		})
	})
}

func TestAnExpiredBatchIsNeverSold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		old := s.receive(bun, 5, 500, time.Hour)
		fresh := s.receive(bun, 5, 500, 3*time.Hour)
		s.d.Clock.Add(time.Hour - time.Millisecond)
		if takes := s.sold(buns(1)); takes[0].Batch != old {
			t.Errorf("a millisecond before its time it is sold; got %d", takes[0].Batch)
		}
		s.d.Clock.Add(time.Millisecond)
		if takes := s.sold(buns(1)); takes[0].Batch != fresh {
			t.Errorf("at its time it is not; got %d", takes[0].Batch)
		}
		e := s.refused(ErrExpired, "lines[2].batch_id", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{{Line: 2, SKU: bun, Qty: pieces(1), Batch: old}})
			return err
		})
		if e.Arg("product") != "Bun" || e.Arg("batch") == "" {
			t.Errorf("it says %s", e.Text("en"))
		}
		e = s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{buns(5)})
			return err
		})
		if e.Text("en") != "Not enough stock: only 4 of Bun left" {
			t.Errorf("it says %s", e.Text("en"))
		}
		s.d.Clock.Add(2 * time.Hour)
		e = s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{buns(1)})
			return err
		})
		if e.Arg("left") != "0" {
			t.Errorf("it says %s", e.Text("en"))
		}
		s.must(func(tx *db.Tx) error {
			_, err := WriteOff(tx, Discard{Header: Header{Site: bakery}, Reason: Expired, Lines: []Issue{{old, pieces(4)}, {fresh, pieces(4)}}})
			return err
		})
		s.batch(old, 0, 0, 0)
	})
}

func TestBadWantsAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 5, 500, time.Hour)
		many := make([]Want, maxWants+1)
		for i := range many {
			many[i] = buns(1)
		}
		for _, c := range []struct {
			what  string
			want  *errs.Error
			field string
			site  id.ID
			wants []Want
		}{
			{"nothing", ErrNoLines, "", bakery.ID, nil},
			{"too many lines", ErrTooManyLines, "", bakery.ID, many},
			{"no quantity", ErrQty, "lines[0].qty", bakery.ID, []Want{buns(0)}},
			{"less than nothing", ErrQty, "lines[0].qty", bakery.ID, []Want{buns(-1)}},
			{"absurd quantity", ErrQtyTooLarge, "lines[0].qty", bakery.ID, []Want{{SKU: bun, Qty: qty.Max + 1}}},
			{"more than there is", ErrShort, "lines[0].qty", bakery.ID, []Want{{SKU: bun, Qty: qty.Max}}},
			{"a thousandth too much", ErrShort, "lines[0].qty", bakery.ID, []Want{{SKU: bun, Qty: pieces(5) + 1}}},
			{"together too much", ErrShort, "lines[1].qty", bakery.ID, []Want{buns(3), {Line: 1, SKU: bun, Qty: pieces(3)}}},
			{"unknown product", ErrShort, "lines[0].qty", bakery.ID, []Want{{SKU: 99, Qty: 1}}},
			{"no product", ErrShort, "lines[0].qty", bakery.ID, []Want{{Qty: 1}}},
			{"another site", ErrShort, "lines[0].qty", corner.ID, []Want{buns(1)}},
			{"another site's batch", ErrNoBatch, "lines[0].batch_id", corner.ID, []Want{{SKU: bun, Qty: 1, Batch: b}}},
			{"another product's batch", ErrNoBatch, "lines[0].batch_id", bakery.ID, []Want{{SKU: tea, Qty: 1, Batch: b}}},
			{"unknown batch", ErrNoBatch, "lines[0].batch_id", bakery.ID, []Want{{SKU: bun, Qty: 1, Batch: 12345}}},
			{"bad batch", ErrNoBatch, "lines[0].batch_id", bakery.ID, []Want{{SKU: bun, Qty: 1, Batch: -3}}},
		} {
			err := s.try(func(tx *db.Tx) error {
				_, err := Pick(tx, c.site, c.wants)
				return err
			})
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				t.Errorf("%s: want %s at %q, got %v", c.what, c.want.Code, c.field, err)
			}
		}
		s.batch(b, 5, 0, 500)
	})
}

func TestWhatIsLeftIsSaidInTheBaseUnit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(tea, 250, 900, 0)
		e := s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{{SKU: tea, Qty: pieces(251)}})
			return err
		})
		if zh := e.Text("zh"); zh != "Tea 库存不足,只剩 250 g" {
			t.Errorf("it says %s", zh)
		}
	})
}

func TestALongBasketIsServed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 1000, 99999, time.Hour)
		b := s.receive(bun, 1000, 99999, 2*time.Hour)
		wants := make([]Want, maxWants)
		for i := range wants {
			wants[i] = buns(1)
			if i%2 == 0 {
				wants[i].Batch = b
			}
		}
		if takes := s.sold(wants...); len(takes) != maxWants {
			t.Errorf("%d takes", len(takes))
		}
		s.batch(b, 1000-maxWants/2, 0, 87199)
	})
}

func TestManySmallBatchesServeOneLine(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.must(func(tx *db.Tx) error {
			r := Receipt{Header: Header{Site: bakery}}
			for i := range 200 {
				r.Lines = append(r.Lines, Arrival{SKU: bun, Qty: pieces(1), Cost: 10, ExpiresAt: tx.Now().Add(time.Duration(200-i) * time.Hour)})
			}
			_, err := Receive(tx, r)
			return err
		})
		takes := s.sold(buns(150))
		if len(takes) != 150 {
			t.Fatalf("%d batches served", len(takes))
		}
		for i := 1; i < len(takes); i++ {
			if !takes[i-1].ExpiresAt.Before(takes[i].ExpiresAt) {
				t.Fatalf("take %d expires before its predecessor", i)
			}
		}
		s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{buns(51)})
			return err
		})
		s.sold(buns(50))
	})
}

func TestTheLastPieceIsNews(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 2, 200, time.Hour)
		s.receive(bun, 1, 100, 2*time.Hour)
		s.receive(salad, 5, 100, time.Hour)
		s.sold(buns(1))
		s.sold(buns(1)) // empties a batch, not the shelf
		if n := s.events(EventSoldOut); len(n) != 0 {
			t.Fatalf("sold out too early: %v", n)
		}
		s.sold(buns(1), Want{SKU: salad, Qty: pieces(1)})
		want := `{"site_id":"5001","sku_id":"7001","at":"2026-03-02T00:00:00Z"}`
		if n := s.events(EventSoldOut); len(n) != 1 || n[0] != want {
			t.Fatalf("got %v", n)
		}
		// Two lines that together take the last; a hold; what is expired does not count as there.
		s.receive(bun, 4, 400, time.Hour)
		gone := s.receive(bun, 4, 400, 30*time.Minute)
		s.d.Clock.Add(31 * time.Minute)
		s.sold(buns(3), buns(1))
		if n := s.events(EventSoldOut); len(n) != 2 {
			t.Fatalf("got %v", n)
		}
		s.batch(gone, 4, 0, 400)
		s.receive(bun, 2, 200, time.Hour)
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(2)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 55), tx.Now().Add(time.Minute))
		})
		if n := s.events(EventSoldOut); len(n) != 3 {
			t.Fatalf("got %v", n)
		}
		s.must(func(tx *db.Tx) error {
			p, err := Capture(tx, bakery.ID, testSale, 55, nil)
			if err != nil {
				return err
			}
			return p.Sell(tx, doc(testSale, bakery, 55))
		})
		if n := s.events(EventSoldOut); len(n) != 3 {
			t.Errorf("a capture takes what was gone before: %v", n)
		}
		// A line over several batches that is the last of all.
		s.receive(bun, 1, 0, time.Hour)
		s.receive(bun, 1, 0, time.Hour)
		s.receive(bun, 1, 0, time.Hour)
		s.sold(buns(2))
		s.sold(buns(1))
		if n := s.events(EventSoldOut); len(n) != 4 {
			t.Errorf("got %v", n)
		}
	})
}
