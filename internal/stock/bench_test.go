package stock

import (
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

// What the rules of a sale cost: eight lines picked and booked, beside the same rows written without a
// question (the floor), in turns, by eight clients.
//
//	go test -run - -bench Sale -benchtime 1x ./internal/stock
func BenchmarkSaleAgainstItsFloor(b *testing.B) {
	for _, e := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(e.String(), func(b *testing.B) {
			f := fixture(b, dbtest.New(b, e, schema))
			const turns, warm = 3, 400
			n := 2000
			if e == db.Postgres {
				n = 1000
			}
			f.run(warm, f.sale)
			f.run(warm, f.floor)
			var ratio, rate, bare, cpu, bareCPU []float64
			for b.Loop() {
				for range turns {
					r, c := f.run(n, f.sale)
					fr, fc := f.run(n, f.floor)
					ratio, rate, bare, cpu, bareCPU = append(ratio, r/fr), append(rate, r), append(bare, fr), append(cpu, c), append(bareCPU, fc)
				}
			}
			b.ReportMetric(median(rate), "sales/s")
			b.ReportMetric(median(bare), "floor/s")
			b.ReportMetric(median(ratio), "ratio")
			b.ReportMetric(median(cpu), "µs-cpu/sale")
			b.ReportMetric(median(bareCPU), "µs-cpu/floor")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

const (
	benchSites, benchSKUs  = 5, 500
	benchOpen, benchUsedUp = 3, 10
)

type benchFixture struct {
	b     *testing.B
	d     *dbtest.DB
	sites []id.ID
	skus  []id.ID
	lots  map[id.ID][][2]id.ID // by site, of each SKU the earliest batch and its value
}

func fixture(b *testing.B, d *dbtest.DB) *benchFixture {
	open(b, d)
	f := &benchFixture{b: b, d: d, lots: map[id.ID][][2]id.ID{}}
	must := func(fn func(tx *db.Tx) error) {
		if err := d.Write(b.Context(), fn); err != nil {
			b.Fatal(err)
		}
	}
	must(func(tx *db.Tx) error {
		for range benchSites {
			s := id.New()
			f.sites = append(f.sites, s)
			if err := tx.Exec(`INSERT INTO org_site (id, code, name, kind, business, address, time_zone, day_start, open_at, close_at, entity_id, created_at)
				VALUES ($1, $2, '', 'store', '', '', 'UTC', 0, 0, 1440, 4001, 0)`, s, s.String()); err != nil {
				return err
			}
		}
		for range benchSKUs {
			k := id.New()
			f.skus = append(f.skus, k)
			if err := tx.Exec(`INSERT INTO catalog_product (id, code, name, search, base_unit, shelf_life_h, batch_size, tax_bp, state, version, created_at, changed_at)
				VALUES ($1, $2, '', '', 'piece', 0, 0, 1300, 'on_sale', 1, 0, 0)`, k, k.String()); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO catalog_sku (id, product_id) VALUES ($1, $1)`, k); err != nil {
				return err
			}
		}
		return nil
	})
	accounts := db.NewMany(`INSERT INTO ledger_account (id, book, kind, unit, site_id, posted_in, posted_out, pending_in, pending_out, low) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	for _, s := range f.sites {
		must(func(tx *db.Tx) error {
			f.lots[s] = nil
			for _, k := range f.skus {
				var as, bs []any
				for n := range benchOpen + benchUsedUp {
					q, v := id.New(), id.New()
					out, isOpen := 0, 1
					if n < benchUsedUp {
						out, isOpen = 1_000_000_000, 0
					} else if n == benchUsedUp {
						f.lots[s] = append(f.lots[s], [2]id.ID{q, v})
					}
					as = append(as, q, Book, 0, k, s, 1_000_000_000, out, 0, 0, 0, v, ValueBook, 0, ledger.CNY, s, 1_000_000_000, out, 0, 0, 0)
					bs = append(bs, q, v, s, k, q.String(), "", dbtest.Start.Add(time.Duration(n+1)*time.Hour), 0, 1, isOpen)
				}
				if err := tx.ExecMany(accounts, as...); err != nil {
					return err
				}
				if err := tx.ExecMany(insertBatches, bs...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if d.Engine() == db.Postgres {
		must(func(tx *db.Tx) error { return tx.Exec(`ANALYZE`) })
	}
	return f
}

// run lets eight clients do n acts and returns acts a second and microseconds of CPU (of this process) each.
func (f *benchFixture) run(n int, act func(r *rand.Rand) error) (rate, cpu float64) {
	const clients = 8
	before, start := used(), time.Now()
	var wg sync.WaitGroup
	for k := range clients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(k), uint64(n)))
			for range n / clients {
				if err := act(r); err != nil {
					f.b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(start).Seconds(), float64((used() - before).Microseconds()) / float64(n)
}

func used() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const benchLines = 8

func (f *benchFixture) basket(r *rand.Rand) (site id.ID, skus []int) {
	for len(skus) < benchLines {
		if k := r.IntN(len(f.skus)); !slices.Contains(skus, k) {
			skus = append(skus, k)
		}
	}
	return f.sites[r.IntN(len(f.sites))], skus
}

func (f *benchFixture) sale(r *rand.Rand) error {
	site, skus := f.basket(r)
	wants := make([]Want, len(skus))
	for i, k := range skus {
		wants[i] = Want{Line: i, SKU: f.skus[k], Qty: 1000}
	}
	return f.d.Write(f.b.Context(), func(tx *db.Tx) error {
		p, err := Pick(tx, site, wants)
		if err != nil {
			return err
		}
		return p.Sell(tx, ledger.Document{Kind: testSale, ID: id.New(), Site: site, Date: "2026-03-02"}, takings(8000), takings(1040))
	})
}

// The rows of a sale, in the fewest statements that write them.
var (
	floorTransfers = db.NewMany(`INSERT INTO ledger_transfer (doc_kind, doc_id, leg, from_id, to_id, unit, amount, site_id, business_date, booked_at) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	floorAccounts  = db.NewMany(`UPDATE ledger_account SET posted_out = posted_out + v.column2 FROM (VALUES `, `(BIGINT, BIGINT)`, `) AS v WHERE ledger_account.id = v.column1`)
)

func (f *benchFixture) floor(r *rand.Rand) error {
	site, skus := f.basket(r)
	return f.d.Write(f.b.Context(), func(tx *db.Tx) error {
		doc, now := id.New(), tx.Now()
		slices.SortFunc(skus, func(a, b int) int { return int(f.lots[site][a][0] - f.lots[site][b][0]) }) // locks in order
		transfers, accounts := make([]any, 0, 180), make([]any, 0, 32)
		leg := 0
		row := func(from, to, unit, amount int64) {
			leg++
			transfers = append(transfers, int64(testSale), int64(doc), int64(leg), from, to, unit, amount, int64(site), "2026-03-02", now)
		}
		for _, k := range skus {
			lot := f.lots[site][k]
			row(int64(lot[0]), int64(Sold), int64(f.skus[k]), 1000)
			row(int64(lot[1]), int64(CostOfSales), 1, 1000)
			accounts = append(accounts, int64(lot[0]), int64(1000), int64(lot[1]), int64(1000))
		}
		row(int64(testIncome), int64(testCash), 1, 8000)
		row(int64(testIncome), int64(testCash), 1, 1040)
		if err := tx.ExecMany(floorTransfers, transfers...); err != nil {
			return err
		}
		if tx.Engine() == db.Postgres {
			return tx.ExecMany(floorAccounts, accounts...)
		}
		for i := 0; i < len(accounts); i += 2 {
			if err := tx.Exec(`UPDATE ledger_account SET posted_out = posted_out + $1 WHERE id = $2`, accounts[i+1], accounts[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
