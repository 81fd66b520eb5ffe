package forecast

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"zhanggui/internal/platform/cal"
)

// BenchmarkAChainFromNothing trains and forecasts a chain that was never seen (bar W8: 10,000 series of 730 days in
// ten minutes and 4 GiB on two cores), and then the next week with what was learned. ZHANGGUI_SERIES sets another size:
//
//	go test ./internal/forecast -run '^$' -bench AChainFromNothing -benchtime 1x -timeout 30m
func BenchmarkAChainFromNothing(b *testing.B) {
	n, shops, days := 10_000, 100, 730
	if s, err := strconv.Atoi(os.Getenv("ZHANGGUI_SERIES")); err == nil && s > shops {
		n = s
	}
	w := newTown(days)
	for i := range n {
		slow := 1 + .4*float64(i%5)/5
		w.product(fmt.Sprintf("p%05d", i), 2+float64(i%40), func(t int) float64 { return 1 + (slow-1)*float64(t)/float64(days) })
	}
	p := w.panel()
	p.Shops = make([]Shop, shops)
	for i := range p.Series {
		p.Series[i].Shop, p.Series[i].Group = i%shops, 1+i%12
	}
	p.closeDays()
	for b.Loop() {
		began := time.Now()
		e := NewEngine(p, Options{Horizon: 14, Workers: runtime.GOMAXPROCS(0)})
		if got := e.Forecast(days - 8); len(got) != n || got[0] == nil {
			b.Fatal("not forecast")
		}
		cold := time.Since(began)
		e.Forecast(days - 1)
		b.ReportMetric(cold.Seconds(), "s/cold")
		b.ReportMetric((time.Since(began) - cold).Seconds(), "s/next-week")
		b.ReportMetric(cold.Seconds()*1e6/float64(n), "µs/series")
	}
}

// BenchmarkANight is the night's work without training or database: preparing the history of each site, prediction from
// stored models, quantiles and parts, site by site as the job does it. Bar: 90,000 series in five minutes on two cores.
//
//	ZHANGGUI_SERIES=3000 go test ./internal/forecast -run '^$' -bench ANight -benchtime 1x
func BenchmarkANight(b *testing.B) {
	n, days := 1500, 730
	const perSite = 300
	if s, err := strconv.Atoi(os.Getenv("ZHANGGUI_SERIES")); err == nil && s >= perSite {
		n = s
	}
	sites := n / perSite
	w := newTown(days)
	for i := range sites * perSite {
		w.product(fmt.Sprintf("p%05d", i), 2+float64(i%40), func(int) float64 { return 1 })
	}
	p := w.panel()
	p.Holidays, p.Lunar = cal.CN(), true
	p.Shops = make([]Shop, sites)
	for i := range p.Series {
		p.Series[i].Shop, p.Series[i].Group = i/perSite, 1+i%12
	}
	p.closeDays()
	cutoff := days - 4
	e := NewEngine(p, Options{Horizon: Ahead, Workers: runtime.GOMAXPROCS(0)})
	m := &Model{Cutoff: p.First.AddDays(cutoff), Features: boostFeatures, Lunar: true, Horizon: Ahead, Blend: blend{1. / 3, 1. / 3, 1. / 3}, Factor: 1}
	l := e.train(cutoff) // the spread of weekly forecasts costs the night nothing, so none is made
	m.trees, m.Yearly = l.trees, l.yearly
	for range len(sizeClasses) + 2 {
		m.Pool = append(m.Pool, make([]ratios, (Ahead+6)/7))
	}
	memory := make([]*Memory, len(p.Series))
	for i := range memory {
		memory[i] = &Memory{Fit: l.fits[i]}
	}
	for b.Loop() {
		for s := range sites {
			alone := *p
			alone.Shops = p.Shops[s : s+1]
			alone.Series = slices.Clone(p.Series[s*perSite : (s+1)*perSite])
			for i := range alone.Series {
				alone.Series[i].Shop = 0
			}
			e := NewEngine(&alone, Options{Horizon: Ahead, Workers: runtime.GOMAXPROCS(0), Explain: true})
			days, err := e.Predict(days-1, m, memory[s*perSite:(s+1)*perSite])
			if err != nil || len(days) != perSite {
				b.Fatal(err)
			}
		}
	}
	perSeries := b.Elapsed().Seconds() / float64(b.N) / float64(sites*perSite)
	b.ReportMetric(perSeries*1e6, "µs/series")
	b.ReportMetric(perSeries*90_000, "s/90000-series")
}
