// Package bench measures the product as its users drive it: through HTTP, signed in, against a server of its
// own; and beside each figure the floor, which is what the database alone can do with the same rows.
package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/price"
)

// SaleOptions of a measurement of sales.
type SaleOptions struct {
	DSN     string
	Clients int // tills that sell at the same time
	Seconds int // of selling; the floor gets as many
	Lines   int // in a basket, of different SKUs, quantity 1
	Sites   int
	SKUs    int  // at every site, and the baskets are drawn from them
	OneSite bool // all clients sell at the first site
	Open    int  // open batches of each SKU at each site
	Used    int  // used-up ones
	Note    func(string)
}

// House is what the measurement needs of a running installation.
type House struct {
	DB     *db.DB
	Org    *org.Org
	Goods  *catalog.Service
	Prices *price.Service
	Sales  *checkout.Service
	Admin  string                      // password
	Days   func(context.Context) error // adds up the figures of the days so far, as the server does once a half hour
}

// SaleReport is what was measured. CPU is user and system time of the server and of the database's own
// processes; the floor's is that of the process that writes and, again, of the database.
type SaleReport struct {
	Engine       string  `json:"engine"`
	Clients      int     `json:"clients"`
	Seconds      float64 `json:"seconds"`
	Sales        int64   `json:"sales"`
	Failed       int64   `json:"failed"`
	SalesPerS    float64 `json:"sales_per_s"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	CPU          float64 `json:"cpu_ms_per_sale"`
	Rows         float64 `json:"rows_per_sale"`
	FloorSales   float64 `json:"floor_sales_per_s"`
	FloorCPU     float64 `json:"floor_cpu_ms_per_sale"`
	FloorRows    float64 `json:"floor_rows_per_sale"`
	FloorRatio   float64 `json:"floor_ratio"`
	ServerRSSMiB float64 `json:"server_rss_mib"`
}

// ErrNotEmpty refuses to fill a database that somebody uses.
var ErrNotEmpty = errs.Define("bench_not_empty", errs.Conflict,
	"测速只能用空数据库,这里已有数据", "A measurement needs an empty database; this one has data")

// turns in which server and floor alternate; the medians count, so that a busy minute of the machine
// harms neither alone.
const turns = 3

// Sales fills the database, starts server as a child on loopback, and sells.
func Sales(ctx context.Context, h House, o SaleOptions, server []string) (*SaleReport, error) {
	note := o.Note
	if note == nil {
		note = func(string) {}
	}
	note("making the fixture")
	f, err := makeFixture(ctx, h, o)
	if err != nil {
		return nil, err
	}
	note("starting the server")
	child, err := startServer(ctx, server, o.DSN, h.Admin)
	if err != nil {
		return nil, err
	}
	defer child.stop()
	meter, err := newMeter(ctx, h.DB)
	if err != nil {
		return nil, err
	}
	tills, err := openTills(ctx, child, f, o)
	if err != nil {
		return nil, err
	}
	floor, err := newFloor(ctx, h, f, o)
	if err != nil {
		return nil, err
	}
	r := &SaleReport{Engine: h.DB.Engine().String(), Clients: o.Clients}
	turn := time.Duration(o.Seconds) * time.Second / turns
	var rates, cpus, floorRates, floorCPUs []float64
	var times []time.Duration
	for i := range turns {
		note(fmt.Sprintf("turn %d of %d: the server", i+1, turns))
		got, err := sellFor(ctx, tills, turn, func() float64 { return meter.of(child.pid) })
		if err != nil {
			return nil, err
		}
		r.Sales, r.Failed, r.Seconds = r.Sales+got.sales, r.Failed+got.failed, r.Seconds+got.seconds
		times = append(times, got.times...)
		rates = append(rates, float64(got.sales)/got.seconds)
		cpus = append(cpus, got.cpu/float64(max(1, got.sales)))
		note(fmt.Sprintf("turn %d of %d: the floor", i+1, turns))
		low, err := floor.writeFor(ctx, turn, meter)
		if err != nil {
			return nil, err
		}
		floorRates = append(floorRates, float64(low.sales)/low.seconds)
		floorCPUs = append(floorCPUs, low.cpu/float64(max(1, low.sales)))
	}
	r.SalesPerS, r.CPU = median(rates), median(cpus)
	r.FloorSales, r.FloorCPU = median(floorRates), median(floorCPUs)
	r.FloorRatio = r.SalesPerS / r.FloorSales
	r.Rows, r.FloorRows = floor.rows()
	slices.Sort(times)
	r.P50, r.P99 = quantile(times, .5), quantile(times, .99)
	r.ServerRSSMiB = residentMiB(child.pid)
	for _, f := range []*float64{&r.Seconds, &r.SalesPerS, &r.P50, &r.P99, &r.CPU, &r.Rows, &r.FloorSales, &r.FloorCPU, &r.FloorRows, &r.FloorRatio, &r.ServerRSSMiB} {
		*f = round3(*f)
	}
	return r, nil
}

// sold is what one turn came to.
type sold struct {
	sales, failed int64
	seconds, cpu  float64 // cpu in ms, over all sales
	times         []time.Duration
}

// sellFor lets all tills sell for a while.
func sellFor(ctx context.Context, tills []*till, d time.Duration, cpu func() float64) (sold, error) {
	before := cpu()
	out, err := sellUntil(ctx, tills, time.After(d))
	out.cpu = cpu() - before
	return out, err
}

// sellUntil lets all tills sell until the end comes.
func sellUntil(ctx context.Context, tills []*till, end <-chan time.Time) (sold, error) {
	var out sold
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failure error
	var over atomic.Bool
	start := time.Now()
	go func() {
		select {
		case <-end:
		case <-ctx.Done():
		}
		over.Store(true)
	}()
	for _, t := range tills {
		wg.Go(func() {
			times := make([]time.Duration, 0, 1<<14)
			var failed int64
			var err error
			for !over.Load() && err == nil {
				if t.pace > 0 {
					<-time.After(t.pace)
				}
				begin := time.Now()
				var ok bool
				ok, err = t.sell()
				if ok {
					times = append(times, time.Since(begin))
				} else {
					failed++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out.sales += int64(len(times))
			out.failed += failed
			out.times = append(out.times, times...)
			if err != nil && failure == nil {
				failure = err
			}
		})
	}
	wg.Wait()
	out.seconds = time.Since(start).Seconds()
	if failure == nil {
		failure = ctx.Err()
	}
	return out, failure
}

// round3 leaves three digits, as reports have them.
func round3(v float64) float64 { return math.Round(v*1000) / 1000 }

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// quantile of sorted times, in ms.
func quantile(times []time.Duration, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	return float64(times[int(q*float64(len(times)-1))]) / float64(time.Millisecond)
}

// basket draws different SKUs and one site.
func (f *fixture) basket(luck *rand.Rand, o SaleOptions) (site *org.Site, goods []int) {
	site = f.sites[0]
	if !o.OneSite {
		site = f.sites[luck.IntN(len(f.sites))]
	}
	for len(goods) < o.Lines {
		if p := luck.IntN(len(f.products)); !slices.Contains(goods, p) {
			goods = append(goods, p)
		}
	}
	return site, goods
}
