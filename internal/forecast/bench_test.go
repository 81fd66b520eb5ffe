package forecast

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
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
