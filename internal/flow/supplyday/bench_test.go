package supplyday

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

const (
	benchStores = 4
	benchFresh  = 300
	benchShelf  = 2700
)

// BenchmarkNight plans four stores of 3,000 products each: 300 fresh ones by forecast, 2,700 by their level, of which one in
// twenty is below it. It tells microseconds a line (900,000 lines are a chain of 300 stores), for the first night and
// for the same night planned again.
func BenchmarkNight(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(engine.String(), func(b *testing.B) {
			c := open(b, dbtest.New(b, engine, tables))
			stores := c.chainOf()
			for b.Loop() {
				night := func() (perLine float64) {
					began := time.Now()
					all, err := c.s.common(b.Context(), c.d.DB)
					if err != nil {
						b.Fatal(err)
					}
					for _, site := range stores {
						if err := c.s.planSite(b.Context(), c.d.DB, site, "", all); err != nil {
							b.Fatal(err)
						}
					}
					return float64(time.Since(began).Microseconds()) / (benchStores * (benchFresh + benchShelf))
				}
				b.ReportMetric(night(), "us/line")
				b.ReportMetric(night(), "us/line-again")
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
				c.read(func(tx *db.Tx) error {
					var n, ordered int64
					err := tx.QueryRow(`SELECT COUNT(*), COUNT(CASE WHEN state <> 'proposed' THEN 1 END) FROM replenish_proposal`).Scan(&n, &ordered)
					b.ReportMetric(float64(n)/benchStores, "lines/store")
					b.ReportMetric(float64(ordered)/benchStores, "ordered/store")
					return err
				})
			}
		})
	}
}

// chainOf is a chain with goods, stock, forecasts and rules.
func (c *chain) chainOf() (stores []id.ID) {
	c.t.Helper()
	var products []*catalog.Product
	for from := 0; from < benchFresh+benchShelf; from += 100 {
		c.write(func(tx *db.Tx) error {
			var terms []party.Terms
			for i := from; i < from+100; i++ {
				d := catalog.Draft{Code: fmt.Sprint("N", i), Name: fmt.Sprint("商品", i), BaseUnit: "piece", TaxPct: 1300}
				if i < benchFresh {
					d.ShelfLifeH = 72
				}
				p, err := c.goods.Create(tx, d)
				if err != nil {
					return err
				}
				products = append(products, p)
				terms = append(terms, party.Terms{Supplier: c.sup["fresh"], Product: p.ID, Pack: 6 * qty.Scale, Unit: qty.Unit{Name: "piece", Num: 1, Den: 1}, Price: 1_000_000, MinPacks: 1,
					Class: party.Fresh, Days: party.EveryDay, CutOff: 960})
				if i >= benchFresh {
					if err := replenish.PutPolicy(tx, 0, replenish.Policy{Product: p.ID, Mode: replenish.Static, Safety: 10 * qty.Scale, Most: 40 * qty.Scale, Review: replenish.DefaultReview,
						On: [3]replenish.Execution{replenish.Act, replenish.Suggest, replenish.Suggest}}); err != nil {
						return err
					}
				}
			}
			return party.PutTerms(tx, 0, terms)
		})
	}
	for s := range benchStores {
		body := c.done(c.admin, "POST", "/api/org/sites", m{"code": fmt.Sprint("B", s), "name": fmt.Sprint("店", s), "kind": "store", "entity_id": c.site.EntityID.String()})
		stores = append(stores, c.idOf(body))
		for from := 0; from < len(products); from += 250 {
			c.write(func(tx *db.Tx) error {
				site, err := org.SiteByID(tx, stores[s])
				if err != nil {
					return err
				}
				r := stock.Receipt{Header: stock.Header{Site: site}, Opening: true}
				for i, p := range products[from : from+250] {
					a := stock.Arrival{SKU: p.SKU, Code: "b", Qty: 20 * qty.Scale, Cost: 100}
					if (from+i)%20 == 0 {
						a.Qty = 5 * qty.Scale
					}
					if from+i < benchFresh {
						a.ExpiresAt = tx.Now().Add(40 * time.Hour)
					}
					r.Lines = append(r.Lines, a)
				}
				_, err = stock.Receive(tx, r)
				return err
			})
		}
		load := id.New()
		c.write(func(tx *db.Tx) error {
			if err := forecast.OpenLoad(tx, load); err != nil {
				return err
			}
			today := c.site.BusinessDate(tx.Now())
			for i, p := range products[:benchFresh] {
				var days []forecast.SaleDay
				for k := range 35 {
					days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: stores[s], ProductID: p.ID, Date: today.AddDays(-1 - k)}, Qty: qty.Qty((5 + i%20 + k%3) * qty.Scale)})
				}
				if err := forecast.PutSales(tx, load, days); err != nil {
					return err
				}
			}
			return forecast.ApplyLoad(tx, load)
		})
	}
	c.write(func(tx *db.Tx) error { _, err := forecast.Enqueue(tx, stores...); return err })
	began := time.Now()
	if err := c.runner.Drain(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	c.t.Logf("forecasts of %d series took %v", benchStores*benchFresh, time.Since(began))
	return stores
}
