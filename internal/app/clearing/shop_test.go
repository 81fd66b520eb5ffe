// Package clearing_test tells the stories of clearance, which join the till, the clock and the stock.
package clearing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/flow/clearance"
	"zhanggui/internal/forecast"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/port/pay"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

var sets = dbtest.With(once.Migrations, outbox.Migrations, jobs.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations, stock.Migrations, price.Migrations, till.Migrations,
	forecast.Migrations, clear.Migrations)

// shop is open from seven to ten in the evening. Nothing is forecast unless a story says so.
type shop struct {
	t      *testing.T
	d      *dbtest.DB
	goods  *catalog.Service
	prices *price.Service
	sales  *checkout.Service
	flow   *clearance.Service
	runner *jobs.Runner
	pay    *pay.Simulator
	site   *org.Site
	hot    *catalog.Category
	bun    *catalog.Product // keeps a day; 10.00 a piece, 110.00 a box of 12
	wrap   *catalog.Product // keeps four hours; 8.00
	latte  *catalog.Product // keeps one hour; 15.00
	ham    *catalog.Product // keeps a day; 40.00 a kilogram
	staff  id.ID
	keys   int
}

func each(t *testing.T, story func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { story(openShop(t, d)) }, sets)
}

func openShop(t *testing.T, d *dbtest.DB) *shop {
	d.Clock.Set(time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)) // nine in the morning there
	provider, err := pay.NewSimulator(d.Clock, pay.Pays, false)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, d: d, goods: catalog.New(d.DB), staff: id.New(), pay: provider}
	s.prices = price.New(d.DB, s.goods)
	s.sales = checkout.New(d.DB, s.goods, s.prices, checkout.Options{Provider: provider})
	s.flow = clearance.New(s.goods, s.prices, slog.New(slog.DiscardHandler))
	s.runner = jobs.NewRunner(d.DB, 1, slog.New(slog.DiscardHandler))
	s.flow.Jobs(s.runner)
	s.write(func(tx *db.Tx) error {
		o := org.New(org.Options{})
		e, err := o.CreateEntity(context.Background(), tx, org.EntityFields{Code: "E1", Name: "Company"})
		if err != nil {
			return err
		}
		if err := tx.Exec(`INSERT INTO org_staff (id, name, display_name, lang, password, disabled, created_at) VALUES ($1, 'ann', 'Ann', '', '', 0, 0)`, s.staff); err != nil {
			return err
		}
		if s.site, err = o.CreateSite(context.Background(), tx, org.SiteFields{Code: "S1", Name: "First shop", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, Open: 420, Close: 1320, EntityID: e.ID}); err != nil {
			return err
		}
		if _, err := till.AddRegister(tx, till.RegisterDraft{SiteID: s.site.ID, Code: "1"}); err != nil {
			return err
		}
		if s.hot, err = s.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "鲜食"}); err != nil {
			return err
		}
		piece := []catalog.UnitDraft{{Name: "piece", Num: 1}}
		for _, p := range []struct {
			to    **catalog.Product
			draft catalog.Draft
			unit  string
			fen   money.Fen
		}{
			{&s.bun, catalog.Draft{Code: "BUN", Name: "肉包", BaseUnit: "piece", TaxPct: 1300, ShelfLifeH: 24, Units: []catalog.UnitDraft{{Name: "piece", Num: 1}, {Name: "box", Num: 12}}}, "piece", 1000},
			{&s.wrap, catalog.Draft{Code: "WRAP", Name: "卷饼", BaseUnit: "piece", TaxPct: 1300, ShelfLifeH: 4, Units: piece}, "piece", 800},
			{&s.latte, catalog.Draft{Code: "LATTE", Name: "拿铁", BaseUnit: "piece", TaxPct: 600, ShelfLifeH: 1, Units: piece}, "piece", 1500},
			{&s.ham, catalog.Draft{Code: "HAM", Name: "火腿", BaseUnit: "g", TaxPct: 900, ShelfLifeH: 24, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}}, "kg", 4000},
		} {
			p.draft.CategoryID = s.hot.ID
			if *p.to, err = s.goods.Create(tx, p.draft); err != nil {
				return err
			}
			if _, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: (*p.to).ID, Unit: p.unit, Price: &p.fen}); err != nil {
				return err
			}
		}
		box := money.Fen(11000)
		if _, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: s.bun.ID, Unit: "box", Price: &box}); err != nil {
			return err
		}
		everybody := clear.DefaultPolicy()
		everybody.HoldOutPct = 0
		return clear.SetPolicy(tx, s.staff, everybody)
	})
	return s
}

func (s *shop) write(act func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(context.Background(), act); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) read(act func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.d.Read(context.Background(), act); err != nil {
		s.t.Fatal(err)
	}
}

// policy changes the rule for all.
func (s *shop) policy(change func(p *clear.Policy)) {
	s.t.Helper()
	p := clear.DefaultPolicy()
	p.HoldOutPct = 0
	change(&p)
	s.write(func(tx *db.Tx) error { return clear.SetPolicy(tx, s.staff, p) })
}

// arrive brings so many base units that expire after so long and cost 4.00 each.
func (s *shop) arrive(p *catalog.Product, code string, n int64, lasts time.Duration) id.ID {
	s.t.Helper()
	var batch id.ID
	s.write(func(tx *db.Tx) error {
		d, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s.site, Staff: s.staff},
			Lines: []stock.Arrival{{SKU: p.SKU, Code: code, Qty: qty.Qty(n * qty.Scale), Cost: money.Fen(400 * n), ExpiresAt: tx.Now().Add(lasts)}}})
		if err == nil {
			batch = d.Lines[0].Batch
		}
		return err
	})
	return batch
}

// look lets clearance see what the clock says.
func (s *shop) look() {
	s.t.Helper()
	for range 2 { // the first may take new batches into view
		if err := s.runner.Tick(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if err := s.runner.Drain(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// at sets the clock and looks.
func (s *shop) at(t time.Time) {
	s.t.Helper()
	s.d.Clock.Set(t)
	s.look()
}

// batch is what clearance says of one; nil when it is not in view.
func (s *shop) batch(batch id.ID) *clear.Batch {
	s.t.Helper()
	var b *clear.Batch
	s.read(func(tx *db.Tx) (err error) {
		if b, err = clear.Get(tx, batch); errors.Is(err, clear.ErrNoBatch) {
			err = nil
			b = nil
		}
		return err
	})
	return b
}

// offers asserts price, per cent off, pairs and phase of a batch.
func (s *shop) offers(what string, batch id.ID, price money.Fen, depth int64, free bool, phase clear.Phase) {
	s.t.Helper()
	b := s.batch(batch)
	if b == nil {
		s.t.Errorf("%s: not in view", what)
		return
	}
	if b.Price != price || b.Offer != (clear.Offer{Depth: depth, Free: free}) || b.Phase != phase {
		s.t.Errorf("%s: %d at %+v in %s (%s), want %d at %d %v in %s", what, b.Price, b.Offer, b.Phase, b.Reason, price, depth, free, phase)
	}
}

func line(p *catalog.Product, unit, q string, batch ...id.ID) checkout.OrderLine {
	v, err := qty.Parse(q)
	if err != nil {
		panic(err)
	}
	l := checkout.OrderLine{ProductID: p.ID, Unit: unit, Qty: v}
	if len(batch) > 0 {
		l.BatchID = batch[0]
	}
	return l
}

func (s *shop) quote(lines ...checkout.OrderLine) (*checkout.Quote, error) {
	s.t.Helper()
	var q *checkout.Quote
	err := s.d.Read(context.Background(), func(tx *db.Tx) (err error) {
		q, err = s.sales.Quote(tx, s.site, lines)
		return err
	})
	return q, err
}

func (s *shop) act() checkout.Act {
	s.keys++
	return checkout.Act{Site: s.site, Staff: s.staff, Cashier: "Ann", Key: fmt.Sprint("key", s.keys)}
}

// sell sells what a quote says.
func (s *shop) sell(lines ...checkout.OrderLine) *till.SaleView {
	s.t.Helper()
	q, err := s.quote(lines...)
	if err != nil {
		s.t.Fatal(err)
	}
	v, err := s.sales.SellOnce(context.Background(), s.act(), s.basket(q.TotalFen, lines...))
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *shop) basket(total money.Fen, lines ...checkout.OrderLine) checkout.SaleIn {
	return checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: lines, ExpectTotalFen: total, Tenders: []checkout.TenderIn{{Kind: till.Cash, AmountFen: total}}}
}

// expect stores a forecast of a product: so many a day, spread evenly from seven to ten in the evening.
func (s *shop) expect(p *catalog.Product, perDay int64) {
	s.t.Helper()
	s.write(func(tx *db.Tx) error {
		today := s.site.BusinessDate(tx.Now())
		run := id.New()
		if err := tx.Exec(`INSERT INTO forecast_run (id, site_id, origin, data_until, made_at, products, tally, applied_no) VALUES ($1, $2, $3, $4, 0, 1, '{}', 1)`, run, s.site.ID, today.AddDays(-1), today.AddDays(-1)); err != nil {
			return err
		}
		var days [14][13]int64
		for i := range days {
			days[i][0] = perDay * qty.Scale
		}
		var shares [2][60]int
		for k := range shares {
			for h := 14; h < 44; h++ {
				shares[k][h] = 1
			}
		}
		d, _ := json.Marshal(days)
		sh, _ := json.Marshal(shares)
		return tx.Exec(`INSERT INTO forecast_product (run_id, product_id, unit_id, sum, days, profile, tally) VALUES ($1, $2, $3, 0, $4, $5, '{}')`, run, p.ID, p.Units[0].ID, string(d), string(sh))
	})
}

func proofs() []proof.Proof {
	all := append(append(append(ledger.Proofs(), stock.Proofs()...), till.Proofs()...), checkout.Proofs()...)
	return append(append(all, clear.Proofs()...), clearance.Proofs()...)
}

func (s *shop) red() map[string]string {
	s.t.Helper()
	report, err := proof.Run(context.Background(), s.d.DB, proofs())
	if err != nil {
		s.t.Fatal(err)
	}
	red := map[string]string{}
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red[p.Name] = p.Evidence[0]
		}
	}
	return red
}

func (s *shop) green() {
	s.t.Helper()
	for name, evidence := range s.red() {
		s.t.Errorf("%s: %s", name, evidence)
	}
}
