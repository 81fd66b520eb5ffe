package stock

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

var (
	testSale   = ledger.DefineKind(900, "test_sale")
	testRefund = ledger.DefineKind(901, "test_refund")
	testCash   = ledger.DefineFlow(9101, ledger.DefineBook(90, "test_till"), "test_cash")
	testIncome = ledger.DefineFlow(9102, 90, "test_income")
)

const (
	bun   id.ID = 7_001 // piece
	tea   id.ID = 7_002 // g
	salad id.ID = 7_003 // piece
)

var (
	bakery = &org.Site{ID: 5_001, Code: "S1", Name: "Bakery", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, EntityID: 4_001}
	corner = &org.Site{ID: 5_002, Code: "S2", Name: "Corner", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, EntityID: 4_001}
)

var schema = dbtest.With(once.Migrations, jobs.Migrations, outbox.Migrations, org.Migrations, catalog.Migrations, ledger.Migrations, Migrations)

// shop is a site with three products and a clock.
type shop struct {
	t testing.TB
	d *dbtest.DB
}

func each(t *testing.T, story func(t *testing.T, s shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		story(t, s)
		if !t.Failed() {
			s.green()
		}
	}, schema)
}

func open(t testing.TB, d *dbtest.DB) shop {
	s := shop{t, d}
	s.must(func(tx *db.Tx) error {
		if err := tx.Exec(`INSERT INTO org_entity (id, code, name, tax_no, created_at) VALUES (4001, 'E', 'E', '', 0)`); err != nil {
			return err
		}
		for _, site := range []*org.Site{bakery, corner} {
			if err := tx.Exec(`INSERT INTO org_site (id, code, name, kind, business, address, time_zone, day_start, open_at, close_at, entity_id, created_at)
				VALUES ($1, $2, $3, $4, '', '', $5, $6, 0, 1440, $7, 0)`, site.ID, site.Code, site.Name, site.Kind, site.TimeZone, site.DayStart, site.EntityID); err != nil {
				return err
			}
		}
		for _, p := range []struct {
			id         id.ID
			code, name string
			base       string
			hours      int
		}{{bun, "P1", "Bun", "piece", 12}, {tea, "P2", "Tea", "g", 0}, {salad, "P3", "Salad", "piece", 24}} {
			if err := tx.Exec(`INSERT INTO catalog_product (id, code, name, search, base_unit, shelf_life_h, batch_size, tax_bp, state, version, created_at, changed_at)
				VALUES ($1, $2, $3, $4, $5, $6, 0, 1300, 'on_sale', 1, 0, 0)`, p.id, p.code, p.name, strings.ToLower(p.name), p.base, p.hours); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO catalog_sku (id, product_id) VALUES ($1, $1)`, p.id); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO catalog_unit (id, product_id, name, num, den, retired) VALUES ($1, $2, $3, 1, 1, 0)`, p.id*10, p.id, p.base); err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO catalog_unit (id, product_id, name, num, den, retired) VALUES ($1, $2, 'can', 250, 1, 0)`, tea*10+1, tea)
	})
	return s
}

func (s shop) try(fn func(tx *db.Tx) error) error { return s.d.Write(s.t.Context(), fn) }

func (s shop) must(fn func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.try(fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s shop) refused(want *errs.Error, field string, fn func(tx *db.Tx) error) *errs.Error {
	s.t.Helper()
	err := s.try(fn)
	e := errs.As(err)
	if !errors.Is(err, want) || e.Field != field {
		s.t.Errorf("want %s at %q, got %v", want.Code, field, err)
	}
	return e
}

// pieces is n whole base units.
func pieces(n int64) qty.Qty { return qty.Qty(n) * qty.Scale }

// receive brings n pieces in that are good for so long, and returns the batch.
func (s shop) receive(sku id.ID, n int64, cost money.Fen, life time.Duration) (batch id.ID) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		a := Arrival{SKU: sku, Qty: pieces(n), Cost: cost}
		if life > 0 {
			a.ExpiresAt = tx.Now().Add(life)
		}
		d, err := Receive(tx, Receipt{Header: Header{Site: bakery}, Lines: []Arrival{a}})
		if err == nil {
			batch = d.Lines[0].Batch
		}
		return err
	})
	return batch
}

func doc(kind ledger.Kind, site *org.Site, n id.ID) ledger.Document {
	return ledger.Document{Kind: kind, ID: n, Site: site.ID, Date: "2026-03-02"}
}

func takings(fen int64) ledger.Transfer {
	return ledger.Transfer{From: testIncome, To: testCash, Unit: ledger.CNY, Amount: fen}
}

// sell sells in one act and returns what was taken.
func (s shop) sell(wants ...Want) (takes []Take, err error) {
	for i := range wants {
		wants[i].Line = i
	}
	err = s.try(func(tx *db.Tx) error {
		p, err := Pick(tx, bakery.ID, wants)
		if err != nil {
			return err
		}
		takes = p.Takes
		return p.Sell(tx, doc(testSale, bakery, id.New()), takings(100))
	})
	return takes, err
}

func (s shop) sold(wants ...Want) []Take {
	s.t.Helper()
	takes, err := s.sell(wants...)
	if err != nil {
		s.t.Fatal(err)
	}
	return takes
}

func buns(n int64) Want { return Want{SKU: bun, Qty: pieces(n)} }

// batch checks what is in a batch: on hand, held, worth, open.
func (s shop) batch(b id.ID, onHand, held int64, worth money.Fen) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		v, err := batchByID(tx, b)
		if err != nil {
			return err
		}
		if v.Qty != pieces(onHand) || v.Held != pieces(held) || v.ValueFen != worth || v.Open != (onHand > 0) {
			s.t.Errorf("batch has %s (%s held) worth %d, open %v; want %d (%d) worth %d", v.Qty, v.Held, v.ValueFen, v.Open, onHand, held, worth)
		}
		return nil
	})
}

func (s shop) red() (red []string) {
	s.t.Helper()
	report, err := proof.Run(s.t.Context(), s.d.DB, append(ledger.Proofs(), Proofs()...))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red = append(red, p.Name)
			s.t.Log(p.Name, p.Evidence)
		}
	}
	return red
}

func (s shop) green() {
	s.t.Helper()
	if red := s.red(); len(red) > 0 {
		s.t.Errorf("red: %v", red)
	}
}

// events counts the news of a type.
func (s shop) events(kind string) (bodies []string) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		bodies = nil
		rows := tx.Query(`SELECT body FROM outbox_event WHERE type = $1 ORDER BY id`, kind)
		for rows.Next() {
			var b string
			if err := rows.Scan(&b); err != nil {
				return err
			}
			bodies = append(bodies, b)
		}
		return rows.Err()
	})
	return bodies
}

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

func TestAPendingPaymentHoldsItsGoods(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 5, 500, time.Hour)
		hold := func(n id.ID, q int64) error {
			return s.try(func(tx *db.Tx) error {
				p, err := Pick(tx, bakery.ID, []Want{buns(q)})
				if err != nil {
					return err
				}
				if err := p.Hold(tx, doc(testSale, bakery, n), tx.Now().Add(5*time.Minute)); err != nil {
					return err
				}
				if p.Takes[0].Cost != 0 {
					t.Errorf("held goods have no cost yet, got %d", p.Takes[0].Cost)
				}
				return nil
			})
		}
		if err := hold(1, 3); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 5, 3, 500)
		s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{buns(3)})
			return err
		})
		s.sold(buns(2)) // what is free is sold; the batch stays open for what is held
		s.batch(b, 3, 3, 300)
		capture := func(n id.ID, parts []qty.Qty) error {
			return s.try(func(tx *db.Tx) error {
				p, err := Capture(tx, bakery.ID, testSale, n, parts)
				if err != nil {
					return err
				}
				return p.Sell(tx, doc(testSale, bakery, n), takings(10))
			})
		}
		if err := capture(1, nil); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 0, 0, 0)
		if err := capture(1, nil); !errors.Is(err, ledger.ErrHoldSettled) {
			t.Errorf("a second capture: %v", err)
		}
		s.refused(ledger.ErrHoldSettled, "", func(tx *db.Tx) error { return Release(tx, testSale, 1) })
		s.refused(ledger.ErrNoHold, "", func(tx *db.Tx) error { return Release(tx, testSale, 2) })
		if err := capture(2, nil); !errors.Is(err, ledger.ErrNoHold) {
			t.Errorf("nothing to capture: %v", err)
		}

		// A part is taken, the rest is free again.
		b = s.receive(bun, 4, 400, time.Hour)
		if err := hold(3, 4); err != nil {
			t.Fatal(err)
		}
		if err := capture(3, []qty.Qty{pieces(5)}); !errors.Is(err, ErrQty) {
			t.Errorf("more than was held: %v", err)
		}
		if err := capture(3, []qty.Qty{pieces(1)}); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 3, 0, 300)

		// Released, and released again.
		if err := hold(4, 2); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s.must(func(tx *db.Tx) error { return Release(tx, testSale, 4) })
			s.batch(b, 3, 0, 300)
		}
		if err := capture(4, nil); !errors.Is(err, ledger.ErrHoldSettled) {
			t.Errorf("a capture after release: %v", err)
		}

		// Expired: not to be captured even before the job has freed it.
		if err := hold(5, 2); err != nil {
			t.Fatal(err)
		}
		s.d.Clock.Add(5 * time.Minute)
		if err := capture(5, nil); !errors.Is(err, ledger.ErrHoldExpired) {
			t.Errorf("a capture after expiry: %v", err)
		}
		s.batch(b, 3, 2, 300)
		var freed int
		s.must(func(tx *db.Tx) (err error) { freed, err = ledger.Expire(tx); return err })
		if freed != 1 {
			t.Errorf("%d freed", freed)
		}
		s.batch(b, 3, 0, 300)
		if err := capture(5, nil); !errors.Is(err, ledger.ErrHoldExpired) {
			t.Errorf("a capture after it was freed: %v", err)
		}
		s.must(func(tx *db.Tx) error { return Release(tx, testSale, 5) })
	})
}

func TestHeldGoodsMayBeCapturedAfterTheirExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 1, 50, time.Minute)
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 1), tx.Now().Add(5*time.Minute))
		})
		s.d.Clock.Add(2 * time.Minute) // the customer stands there with it, the phone is slow
		s.must(func(tx *db.Tx) error {
			p, err := Capture(tx, bakery.ID, testSale, 1, nil)
			if err != nil {
				return err
			}
			return p.Sell(tx, doc(testSale, bakery, 1))
		})
		s.batch(b, 0, 0, 0)
	})
}

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

func TestDamageIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	damages := map[string]struct{ sql, want string }{
		"a transfer deleted":        {`DELETE FROM ledger_transfer WHERE doc_kind = 900 AND leg = 1`, "ledger_totals_match_transfers"},
		"a value transfer deleted":  {`DELETE FROM ledger_transfer WHERE doc_kind = 900 AND leg = 2`, "ledger_totals_match_transfers"},
		"a total changed":           {`UPDATE ledger_account SET posted_in = posted_in + 1000 WHERE unit = 7001`, "ledger_totals_match_transfers"},
		"a pending total changed":   {`UPDATE ledger_account SET pending_out = pending_out + 1 WHERE unit = 7001`, "ledger_pending_matches_holds"},
		"a hold deleted":            {`DELETE FROM ledger_hold`, "ledger_pending_matches_holds"},
		"a unit changed":            {`UPDATE ledger_account SET unit = 7002 WHERE unit = 7001`, "ledger_transfers_have_both_ends"},
		"an unknown flow":           {`UPDATE ledger_transfer SET to_id = -77777 WHERE doc_kind = 900 AND leg = 1`, "ledger_transfers_have_both_ends"},
		"an amount changed":         {`UPDATE ledger_transfer SET amount = amount + 1 WHERE doc_kind = 20 AND leg = 1`, "stock_documents_are_complete"},
		"a document line deleted":   {`DELETE FROM stock_document_line`, "stock_documents_are_complete"},
		"both legs of a receipt":    {`DELETE FROM ledger_transfer WHERE doc_kind = 20`, "stock_documents_are_complete"},
		"a full batch closed":       {`UPDATE stock_batch SET open = 0`, "stock_open_batches_are_those_with_goods"},
		"a batch with lost account": {`UPDATE ledger_account SET book = 3 WHERE book = 2`, "stock_batches_match_their_accounts"},
		"a batch moved":             {`UPDATE stock_batch SET site_id = 5002`, "stock_batches_match_their_accounts"},
		"value without goods":       {`UPDATE ledger_account SET posted_out = posted_in, pending_out = 0 WHERE unit = 7001`, "stock_value_ends_with_the_goods"},
	}
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.receive(bun, 5, 500, time.Hour)
		s.sold(buns(1))
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 1), tx.Now().Add(time.Minute))
		})
		s.green()
		for name, damage := range damages {
			if red := s.redAfter(damage.sql); !slices.Contains(red, damage.want) {
				t.Errorf("%s: %s is not red, but %v", name, damage.want, red)
			}
		}
		s.green()
	}, schema)
}

// redAfter does damage, looks at the proofs, and undoes it.
func TestWhatIsWrongAtASiteStopsItsKindsThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 4, 400, time.Hour)
		here, there := b, id.ID(0)
		s.must(func(tx *db.Tx) error {
			d, err := Receive(tx, Receipt{Header: Header{Site: corner}, Lines: []Arrival{{SKU: bun, Qty: pieces(4), Cost: 400, ExpiresAt: tx.Now().Add(time.Hour)}}})
			if err == nil {
				there = d.Lines[0].Batch
			}
			return err
		})
		waste := func(site *org.Site, batch id.ID) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := WriteOff(tx, Discard{Header{Site: site}, Dropped, []Issue{{batch, pieces(1)}}})
				return err
			}
		}
		judge := func() {
			t.Helper()
			report, err := proof.Run(t.Context(), s.d.DB, Proofs())
			if err == nil {
				_, err = ledger.Judge(t.Context(), s.d.DB, report.Proofs)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		s.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE stock_batch SET open = 0 WHERE id = $1`, here) })
		judge()
		s.refused(ledger.ErrStopped, "", waste(bakery, here))
		s.must(waste(corner, there))
		s.receive(bun, 1, 100, time.Hour) // other kinds go on
		s.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE stock_batch SET open = 1 WHERE id = $1`, here) })
		judge()
		s.refused(ledger.ErrStopped, "", waste(bakery, here)) // until somebody has looked
		s.must(func(tx *db.Tx) error {
			all, err := ledger.Stops(tx, false)
			for _, x := range all {
				if x.Site != bakery.ID {
					t.Errorf("stopped at %d: %+v", x.Site, x)
				}
				if _, err := ledger.Release(tx, x.ID, "it lay there all the time", 7, tx.Now().Add(time.Hour)); err != nil {
					return err
				}
			}
			return err
		})
		s.must(waste(bakery, here))
	})
}

func (s shop) redAfter(sql string) (red []string) {
	s.t.Helper()
	undone := errors.New("undone")
	if err := s.try(func(tx *db.Tx) error {
		red = nil
		if err := tx.Exec(sql); err != nil {
			return err
		}
		for _, p := range append(ledger.Proofs(), Proofs()...) {
			r, err := p.Run(tx)
			if err != nil {
				return err
			}
			if r.Bad > 0 {
				red = append(red, p.Name)
			}
		}
		return undone
	}); !errors.Is(err, undone) {
		s.t.Fatal(err)
	}
	return red
}

func TestEveryStatementIsUnderstoodByBothEngines(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		many := []*db.Many{readLots, widerRead, openBatches, closeBatches, pickRead, insertLines, knownSKUs, takenCodes, insertBatches, availableMany, productUnits, batchUnits, skuUnits, batchesOfPlaces, placesOf, insertPlaces, openPlaces, closePlaces, openPlacesOf,
			insertAskings, insertTransits, insertArrived, updateTransits, someSKUs, hadHere, insertCountLines, servingLots, postedLines, readBounds, insertPromised, receiptPrices, putClaims, insertLanded, shelvesOf, ruledRead}
		if d.Engine() == db.Postgres {
			many = append(many, lockLots, pickLock, widerLock, lockBounds, ruledLock)
		}
		texts := []string{availableOf, `SELECT ` + batchColumns + batchTables + ` WHERE b.id = $1`, whyRows, whyHeld, whyTransit, documentLegs, transitSums,
			transferColumns, transferLines, transferTransits, listTransfers, transfersInState, transfersOfSite, transferGoods, transferOnTheWay, trailView, listDocuments, documentsOfKind, documentsOfCause, listConversions, listLanded, batchesOfCode, oneDocument, documentItems,
			countProducts, countBatches, bookOfLine, countSums, toPost, lastLot, countsGoingOn, linesOf, listCounts, listCountLines, oneCountLine, countPostings,
			putAside, sellable, takeOfDay, giveBackOfDay, promiseColumns, promisedGoods, promiseHolds, channelDays, receiptBatches, landedSums, policySKUsOfProducts, policySKUsOfCategories, policyNames}
		for _, m := range many {
			texts = append(texts, m.Texts()...)
		}
		dbtest.PrepareAll(t, d, texts...)
	}, schema)
}

// SQLite plans without knowing how much there is; what everybody waits for must begin with what is asked for.
func TestNoLockOfGoodsGoesThroughAllThatThereIs(t *testing.T) {
	scans := regexp.MustCompile(`^SCAN (a|b|n|p|v|x)\b|^SCAN f USING|INDEX \w+ \(site_id=\?\)`)
	d := dbtest.New(t, db.SQLite, schema) // PostgreSQL knows, and plans anew as things grow
	texts := []string{toPost, lastLot, availableOf}
	for _, m := range []*db.Many{readLots, pickRead, widerRead, ruledRead, servingLots, batchUnits} {
		texts = append(texts, m.Texts()...)
	}
	seen := 0
	for _, text := range texts {
		args := []any{}
		for strings.Contains(text, fmt.Sprintf("$%d", len(args)+1)) {
			args = append(args, 1)
		}
		if err := d.Read(context.Background(), func(tx *db.Tx) error {
			//allow:sql the statements of this package, explained
			rows := tx.Query(`EXPLAIN QUERY PLAN `+text, args...)
			for rows.Next() {
				var node, parent, unused int64
				var detail string
				if err := rows.Scan(&node, &parent, &unused, &detail); err != nil {
					return err
				}
				if seen++; scans.MatchString(detail) {
					t.Errorf("%s in\n%s", detail, text)
				}
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
	}
	if seen < len(texts) {
		t.Errorf("%d steps of %d statements", seen, len(texts))
	}
}
