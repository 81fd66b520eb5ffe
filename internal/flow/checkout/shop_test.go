package checkout_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
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

// shop is one shop with goods, prices, stock and a till.
type shop struct {
	t      testing.TB
	d      *dbtest.DB
	goods  *catalog.Service
	prices *price.Service
	flow   *checkout.Service
	site   *org.Site
	bun    *catalog.Product // 2.50 a piece, boxes of 12 for 27.99, 13 %
	tea    *catalog.Product // g, sold by kg at 88.88 and bag of 250 g at 19.90, 9 %
	book   *catalog.Product // no tax, 10.00
	staff  id.ID
	keys   int
}

var sets = []db.Migrations{once.Migrations, outbox.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations, stock.Migrations, price.Migrations, till.Migrations, clear.Migrations}

func each(t *testing.T, story func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { story(openShop(t, d)) }, dbtest.With(sets...))
}

func openShop(t testing.TB, d *dbtest.DB) *shop {
	provider, err := pay.NewSimulator(d.Clock, pay.Pays, false)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, d: d, goods: catalog.New(d.DB), staff: id.New()}
	s.prices = price.New(d.DB, s.goods)
	s.flow = checkout.New(d.DB, s.goods, s.prices, checkout.Options{Provider: provider})
	s.write(func(tx *db.Tx) error {
		o := org.New(org.Options{})
		e, err := o.CreateEntity(context.Background(), tx, org.EntityFields{Code: "E1", Name: "Company"})
		if err != nil {
			return err
		}
		if err := tx.Exec(`INSERT INTO org_staff (id, name, display_name, lang, password, disabled, created_at) VALUES ($1, 'ann', 'Ann', '', '', 0, 0)`, s.staff); err != nil {
			return err
		}
		if s.site, err = o.CreateSite(context.Background(), tx, org.SiteFields{Code: "S1", Name: "First shop", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, Open: 480, Close: 1320, EntityID: e.ID}); err != nil {
			return err
		}
		if _, err := till.AddRegister(tx, till.RegisterDraft{SiteID: s.site.ID, Code: "1"}); err != nil {
			return err
		}
		if s.bun, err = s.goods.Create(tx, catalog.Draft{Code: "BUN", Name: "肉包", BaseUnit: "piece", TaxPct: 1300, ShelfLifeH: 6,
			Units: []catalog.UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"69001"}}, {Name: "box", Num: 12}}}); err != nil {
			return err
		}
		if s.tea, err = s.goods.Create(tx, catalog.Draft{Code: "TEA", Name: "龙井", BaseUnit: "g", TaxPct: 900, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}, {Name: "bag", Num: 250}}}); err != nil {
			return err
		}
		if s.book, err = s.goods.Create(tx, catalog.Draft{Code: "BOOK", Name: "书", BaseUnit: "piece", TaxPct: 0}); err != nil {
			return err
		}
		for _, p := range []struct {
			product *catalog.Product
			unit    string
			fen     money.Fen
		}{{s.bun, "piece", 250}, {s.bun, "box", 2799}, {s.tea, "kg", 8888}, {s.tea, "bag", 1990}, {s.book, "piece", 1000}} {
			if _, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: p.product.ID, Unit: p.unit, Price: &p.fen}); err != nil {
				return err
			}
		}
		return nil
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

// arrive brings goods: so many base units that cost so much in all and expire after so long (0: never).
func (s *shop) arrive(p *catalog.Product, code string, base int64, cost money.Fen, lasts time.Duration) id.ID {
	s.t.Helper()
	var batch id.ID
	s.write(func(tx *db.Tx) error {
		expires := stock.Never
		if lasts != 0 {
			expires = tx.Now().Add(lasts)
		}
		var err error
		batch, err = receive(tx, s, p, code, qty.Qty(base*qty.Scale), cost, expires)
		return err
	})
	return batch
}

func (s *shop) act() checkout.Act {
	s.keys++
	return checkout.Act{Site: s.site, Staff: s.staff, Cashier: "Ann", Key: fmt.Sprint("key", s.keys)}
}

func line(p *catalog.Product, unit, q string) checkout.OrderLine {
	v, err := qty.Parse(q)
	if err != nil {
		panic(err)
	}
	return checkout.OrderLine{ProductID: p.ID, Unit: unit, Qty: v}
}

// total is what a basket costs.
func (s *shop) total(lines ...checkout.OrderLine) money.Fen {
	s.t.Helper()
	var q *checkout.Quote
	s.read(func(tx *db.Tx) error {
		var err error
		q, err = s.flow.Quote(tx, s.site, lines)
		return err
	})
	return q.TotalFen
}

func (s *shop) cashSale(lines ...checkout.OrderLine) checkout.SaleIn {
	total := s.total(lines...)
	return checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: lines, ExpectTotalFen: total, Tenders: []checkout.TenderIn{{Kind: till.Cash, AmountFen: total}}}
}

func (s *shop) try(in checkout.SaleIn) (*till.SaleView, error) {
	return s.flow.SellOnce(context.Background(), s.act(), in)
}

func (s *shop) sell(lines ...checkout.OrderLine) *till.SaleView {
	s.t.Helper()
	v, err := s.try(s.cashSale(lines...))
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// left is what is sellable of a batch, in base units.
func (s *shop) left(batch id.ID) string {
	s.t.Helper()
	var free qty.Qty
	s.read(func(tx *db.Tx) error {
		a, err := ledger.Balance(tx, ledger.Account(batch))
		free = qty.Qty(a.Available())
		return err
	})
	return free.String()
}

// green runs every proof.
func (s *shop) green() {
	s.t.Helper()
	for name, evidence := range s.red() {
		s.t.Errorf("%s: %s", name, evidence)
	}
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

func proofs() []proof.Proof {
	return append(append(append(ledger.Proofs(), stock.Proofs()...), till.Proofs()...), checkout.Proofs()...)
}

func refused(t testing.TB, what string, err, want error, field string) {
	t.Helper()
	if e := errs.As(err); err == nil || e.Code != errs.Code(want) || e.Field != field {
		t.Errorf("%s: got %v, want %s at %q", what, err, errs.Code(want), field)
	}
}

func receive(tx *db.Tx, s *shop, p *catalog.Product, code string, base qty.Qty, cost money.Fen, expires time.Time) (id.ID, error) {
	d, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s.site, Staff: s.staff}, Lines: []stock.Arrival{{SKU: p.SKU, Code: code, Qty: base, Cost: cost, ExpiresAt: expires}}})
	if err != nil {
		return 0, err
	}
	return d.Lines[0].Batch, nil
}
