package checkout_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSale sells baskets of 8 different products from 8 tills at once, without HTTP.
func BenchmarkSale(b *testing.B) {
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(engine.String(), func(b *testing.B) {
			const skus, tills, lines = 500, 8, 8
			s := openShop(b, dbtest.New(b, engine, dbtest.With(sets...)))
			var products []*catalog.Product
			for from := 0; from < skus; from += 100 {
				s.write(func(tx *db.Tx) error {
					r := stock.Receipt{Header: stock.Header{Site: s.site}}
					for i := from; i < from+100; i++ {
						p, err := s.goods.Create(tx, catalog.Draft{Code: fmt.Sprint("P", i), Name: fmt.Sprint("商品 product ", i), BaseUnit: "piece", TaxPct: []catalog.TaxRate{1300, 900, 0}[i%3]})
						if err != nil {
							return err
						}
						fen := money.Fen(100 + i)
						if _, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: p.ID, Unit: "piece", Price: &fen}); err != nil {
							return err
						}
						products = append(products, p)
						for n := range 3 {
							r.Lines = append(r.Lines, stock.Arrival{SKU: p.SKU, Code: fmt.Sprint("b", n), Qty: 1_000_000 * qty.Scale, Cost: 50_000_000, ExpiresAt: tx.Now().Add(time.Duration(n+1) * time.Hour)})
						}
					}
					_, err := stock.Receive(tx, r)
					return err
				})
			}
			s.write(func(tx *db.Tx) error {
				for i := range tills {
					if _, err := till.AddRegister(tx, till.RegisterDraft{SiteID: s.site.ID, Code: fmt.Sprint("T", i)}); err != nil {
						return err
					}
				}
				return nil
			})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for _, run := range []func(context.Context) error{s.goods.Refresh, s.prices.Refresh} {
				if err := run(ctx); err != nil {
					b.Fatal(err)
				}
			}
			go s.goods.Run(ctx)
			go s.prices.Run(ctx)
			b.ResetTimer()
			began := cpu()
			var wg sync.WaitGroup
			for i := range tills {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(uint64(i), 5))
					for n := i; n < b.N; n += tills {
						in := checkout.SaleIn{SiteID: s.site.ID, Register: fmt.Sprint("T", i)}
						for _, k := range r.Perm(skus)[:lines] {
							in.Lines = append(in.Lines, checkout.OrderLine{ProductID: products[k].ID, Unit: "piece", Qty: qty.Scale})
							in.ExpectTotalFen += money.Fen(100 + k)
						}
						in.Tenders = []checkout.TenderIn{{Kind: till.Cash, AmountFen: in.ExpectTotalFen}}
						if _, err := s.flow.SellOnce(ctx, checkout.Act{Site: s.site, Staff: s.staff, Cashier: "Ann", Key: fmt.Sprintf("bench-%d-%d", i, n)}, in); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64((cpu()-began).Microseconds())/float64(b.N), "cpu-µs/sale")
		})
	}
}
