package learn

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

var tables = dbtest.With(once.Migrations, outbox.Migrations, jobs.Migrations, org.Migrations, ledger.Migrations,
	catalog.Migrations, stock.Migrations, till.Migrations, party.Migrations, forecast.Migrations, replenish.Migrations, Migrations)

// shop is a site with a till whose sales are written straight into its book.
type shop struct {
	t      *testing.T
	d      *dbtest.DB
	site   org.Site
	till   *till.Register
	runner *jobs.Runner
	relay  *outbox.Relay
	slips  int64
	bun    *catalog.Product
	tea    *catalog.Product
}

func open(t *testing.T, d *dbtest.DB) *shop {
	t.Helper()
	s := &shop{t: t, d: d}
	o := org.New(org.Options{Permissions: []org.Permission{{Name: "org.read", ZH: "看", EN: "see"}, {Name: "org.manage", ZH: "管", EN: "manage"}}, Roles: []org.BuiltIn{{Key: org.Administrator, Name: "管理员"}}, Wall: clock.Fixed(d.Clock.Now()), Log: slog.New(slog.DiscardHandler)})
	first, err := o.Start(t.Context(), d.DB, "sesame-open-9")
	if err != nil {
		t.Fatal(err)
	}
	s.site = *first.Site
	goods := catalog.New(d.DB)
	s.write(func(tx *db.Tx) (err error) {
		if s.bun, err = goods.Create(tx, catalog.Draft{Code: "B", Name: "包子", BaseUnit: "piece", Units: []catalog.UnitDraft{{Name: "piece", Num: 1}}, TaxPct: 1300}); err != nil {
			return err
		}
		if s.tea, err = goods.Create(tx, catalog.Draft{Code: "T", Name: "绿茶", BaseUnit: "piece", Units: []catalog.UnitDraft{{Name: "piece", Num: 1}}, TaxPct: 1300}); err != nil {
			return err
		}
		s.till, err = till.AddRegister(tx, till.RegisterDraft{SiteID: s.site.ID, Code: "R9", Name: "一号"})
		return err
	})
	s.runner = jobs.NewRunner(d.DB, 1, slog.New(slog.DiscardHandler))
	Jobs(s.runner)
	s.relay = outbox.NewRelay(d.DB, slog.New(slog.DiscardHandler))
	Subscribe(s.relay)
	return s
}

func (s *shop) write(f func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
}

// at is a time on the wall of the shop.
func (s *shop) at(text string) time.Time {
	s.t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", text, s.site.Location())
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *shop) sale(p *catalog.Product, when string, n int64, state till.State) {
	s.t.Helper()
	s.slips++
	at := s.at(when)
	sale := &till.Sale{ID: id.New(), SiteID: s.site.ID, Register: *s.till, Date: s.site.BusinessDate(at), SoldAt: at, State: state,
		Total: money.Fen(300 * n), Key: fmt.Sprint("k", s.slips),
		Lines: []till.Line{{No: 1, Product: p.ID, Unit: p.Units[0].ID, Name: p.Name, Qty: qty.Qty(n * qty.Scale), Base: qty.Qty(n * qty.Scale), Price: 300, Amount: money.Fen(300 * n)}}}
	s.write(func(tx *db.Tx) error {
		shift, err := till.TakeSaleNumber(tx, s.site.ID, s.till.Code, sale.Date).Get()
		if err != nil {
			return err
		}
		sale.SlipNo = shift.No
		return till.Record(tx, sale)
	})
}

func (s *shop) gone(p *catalog.Product, when string) {
	s.t.Helper()
	var sku id.ID
	s.write(func(tx *db.Tx) error {
		if err := tx.QueryRow(`SELECT id FROM catalog_sku WHERE product_id = $1`, p.ID).Scan(&sku); err != nil {
			return err
		}
		return outbox.Emit(tx, outbox.Event{Type: stock.EventSoldOut, Subject: sku, Site: s.site.ID, Body: stock.SoldOut{Site: s.site.ID, SKU: sku, At: s.at(when)}})
	})
	if err := s.relay.Drain(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// morning runs the job on a day.
func (s *shop) morning(day string) {
	s.t.Helper()
	s.d.Clock.Set(s.at(day + " 04:15"))
	s.write(func(tx *db.Tx) error {
		_, err := jobs.Enqueue(tx, jobs.Job{Kind: Job})
		return err
	})
	if err := s.runner.Drain(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// knows asserts the history of a product on a day: quantity, sell-out minute (−1 none), half hours.
func (s *shop) knows(p *catalog.Product, day cal.Date, n int64, out int64, slots string) {
	s.t.Helper()
	key := forecast.SaleKey{SiteID: s.site.ID, ProductID: p.ID, Date: day}
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		all, err := forecast.SalesInForce(tx, []forecast.SaleKey{key})
		d, there := all[key]
		if n < 0 {
			if there {
				s.t.Errorf("%s on %s: %+v, want nothing", p.Name, day, d)
			}
			return err
		}
		minute := int64(-1)
		if d.SoldOut != nil {
			minute = *d.SoldOut
		}
		if int64(d.Qty) != n*qty.Scale || minute != out || fmt.Sprint(d.Slots) != slots || d.Amount == nil || int64(*d.Amount) != 300*n {
			s.t.Errorf("%s on %s: %+v sold out %d, want %d, %d, %s", p.Name, day, d, minute, n, out, slots)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestWhatTheTillSoldIsHistoryTheNextMorning(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.sale(s.bun, "2026-03-10 08:10", 3, "paid")
		s.sale(s.bun, "2026-03-10 08:25", 2, "paid")
		s.sale(s.bun, "2026-03-10 12:31", 5, "paid")
		s.gone(s.bun, "2026-03-10 12:31")
		s.sale(s.bun, "2026-03-10 13:00", 9, "failed")
		s.sale(s.bun, "2026-03-10 13:01", 9, "voided")
		s.sale(s.tea, "2026-03-11 01:40", 1, "paid") // after midnight: still the 10th
		s.sale(s.tea, "2026-03-11 09:00", 4, "paid")
		s.morning("2026-03-11")
		s.knows(s.bun, "2026-03-10", 10, 12*60+31, "[{16 5} {25 5}]")
		s.knows(s.tea, "2026-03-10", 1, -1, "[{51 1}]")
		s.knows(s.tea, "2026-03-11", -1, 0, "") // the day is not over

		s.sale(s.bun, "2026-03-10 18:00", 1, "paid") // a payment that came through later
		s.morning("2026-03-12")
		s.morning("2026-03-12")
		s.knows(s.bun, "2026-03-10", 11, -1, "[{16 5} {25 5} {36 1}]")
		s.knows(s.tea, "2026-03-11", 4, -1, "[{18 4}]")
	}, tables)
}

func TestSalesOverTheirThresholdTeachNothingUntilReleased(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.sale(s.bun, "2026-03-02 08:10", 6, till.Paid)
		s.sale(s.bun, "2026-03-02 12:40", 50, till.Paid)
		s.write(func(tx *db.Tx) error {
			return replenish.PutBlocks(tx, s.site.ID, "2026-03-02", []replenish.Block{{Product: s.bun.ID, Sold: 56 * qty.Scale, Threshold: 20 * qty.Scale}})
		})
		s.morning("2026-03-03")
		s.knows(s.bun, "2026-03-02", 20, -1, "[{16 6} {25 14}]")
		s.write(func(tx *db.Tx) error {
			return replenish.DecideBlock(tx, 1, s.site.ID, "2026-03-02", s.bun.ID, true, "团购")
		})
		s.morning("2026-03-04")
		s.knows(s.bun, "2026-03-02", 56, -1, "[{16 6} {25 50}]")
	}, tables)
}

func TestGoodsThatCameBackWereNotSoldOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.sale(s.bun, "2026-03-10 10:00", 3, "paid")
		s.gone(s.bun, "2026-03-10 10:00")
		s.sale(s.bun, "2026-03-10 11:00", 2, "paid")
		s.sale(s.tea, "2026-03-10 10:00", 3, "paid")
		s.gone(s.tea, "2026-03-10 10:00")
		s.sale(s.tea, "2026-03-10 16:00", 3, "paid")
		s.gone(s.tea, "2026-03-10 16:00")
		s.morning("2026-03-11")
		s.knows(s.bun, "2026-03-10", 5, -1, "[{20 3} {22 2}]")
		s.knows(s.tea, "2026-03-10", 6, 16*60, "[{20 3} {32 3}]")
	}, tables)
}

func TestAnImportedFileCountsBeforeOurOwnSales(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.sale(s.bun, "2026-03-10 08:10", 3, "paid")
		s.morning("2026-03-11")
		load := id.New()
		paid := money.Fen(300 * 70)
		s.write(func(tx *db.Tx) error { return forecast.OpenLoad(tx, load) })
		s.write(func(tx *db.Tx) error {
			return forecast.PutSales(tx, load, []forecast.SaleDay{{SaleKey: forecast.SaleKey{SiteID: s.site.ID, ProductID: s.bun.ID, Date: "2026-03-10"}, Qty: 70 * qty.Scale, Amount: &paid}})
		})
		s.write(func(tx *db.Tx) error { return forecast.ApplyLoad(tx, load) })
		s.morning("2026-03-12")
		s.knows(s.bun, "2026-03-10", 70, -1, "[]")
	}, tables)
}

func TestEveryStatementIsUnderstoodByBothEngines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		dbtest.PrepareAll(t, d, productOfSKU, putOut, markOf, nextDay, moveMark, soldOn, outOn, dropOut)
	}, tables)
}
