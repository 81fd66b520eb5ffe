package forecast

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/errs"
)

// Backtest replays a sales history: at each origin it forecasts from what was known then, and compares.
type Backtest struct {
	Panel    *Panel
	From, To cal.Date // first and last origin; empty: half a year after the first date, the horizon before the last
	Horizon  int      // days ahead
	Step     int      // days between origins
	Workers  int
	Progress func(done, origins int) error // called after each origin, if not nil; an error ends the run
}

// firstHistory is how many days of history the first origin has unless another is asked for.
const firstHistory = 182

// Refusals of a backtest's settings.
var (
	ErrBacktestSpan = errs.Define("backtest_span", errs.Invalid,
		"没有可回测的起点:数据从 {first} 到 {last},起点从 {from} 到 {to}",
		"There is no origin to test: the data runs from {first} to {last}, the origins from {from} to {to}")
	ErrBacktestDays = errs.Define("backtest_days", errs.Invalid, "{name} 要在 1 到 {max} 之间", "{name} must be between 1 and {max}")
)

// Summary pools the errors of a backtest over open days with an actual. Wape is Σ|forecast − actual| ÷
// Σ actual; Bias Σ(forecast − actual) ÷ Σ actual; Pinball 2 × mean pinball loss ÷ mean actual; Coverage the
// share of days at or under the quantile, a day on which both are 0 counted half.
type Summary struct {
	Series    int                 `json:"series"`
	Points    int                 `json:"points"`
	Origins   int                 `json:"origins"`
	From      cal.Date            `json:"from"`
	To        cal.Date            `json:"to"`
	Wape      *float64            `json:"wape"`
	WapeNaive *float64            `json:"wape_snaive"`
	WapeMean4 *float64            `json:"wape_mean4"`
	Bias      *float64            `json:"bias"`
	Pinball   map[string]*float64 `json:"pinball"`
	Coverage  map[string]*float64 `json:"coverage"`
	Seconds   float64             `json:"seconds"`
}

// backtestColumns is the header of the exported file.
var backtestColumns = []string{"origin", "date", "store", "product", "h", "actual", "mean", "q50", "q70", "q80", "q90", "q95", "snaive", "mean4"}

// Run writes one line for every origin, series begun by then and day ahead to out (nil: none), in that order.
func (b Backtest) Run(out io.Writer) (Summary, error) {
	began := clock.Wall.Now()
	p := b.Panel
	if b.Horizon < 1 || b.Horizon > MaxHorizon {
		return Summary{}, ErrBacktestDays.With("name", "horizon", "max", MaxHorizon).At("horizon")
	}
	if b.Step < 1 || b.Step > 366 {
		return Summary{}, ErrBacktestDays.With("name", "step", "max", 366).At("step")
	}
	last := p.First.AddDays(p.Days - 1)
	from, to := b.From, b.To
	if from == "" {
		from = p.First.AddDays(firstHistory)
	}
	if to == "" {
		to = last.AddDays(-b.Horizon)
	}
	if from > to || from < p.First || to > last.AddDays(366) {
		return Summary{}, ErrBacktestSpan.With("first", p.First, "last", last, "from", from, "to", to)
	}
	known := p.Days
	p.reach(to.Sub(p.First) + 1)
	e := NewEngine(p, Options{Horizon: b.Horizon, Workers: b.Workers})
	var w *rowWriter
	if out != nil {
		w = &rowWriter{out: bufio.NewWriterSize(out, 1<<18)}
		w.head()
	}
	var score Score
	seen := make([]bool, len(p.Series))
	origins := 0
	total := to.Sub(from)/b.Step + 1
	for o := from.Sub(p.First); o <= to.Sub(p.First); o += b.Step {
		days := e.Forecast(o)
		for i := range p.Series {
			if days[i] == nil {
				continue
			}
			seen[i] = true
			s := &p.Series[i]
			for h, d := range days[i] {
				t := o + 1 + h
				snaive, mean4 := p.baselines(s, o, t)
				actual := math.NaN()
				if t < known && p.Shops[s.Shop].Open[t] {
					actual = s.Sold[t]
					score.add(actual, d.Mean, snaive, mean4, d.Q)
				}
				if w != nil {
					w.row(p, s, o, t, actual, d, snaive, mean4)
				}
			}
		}
		origins++
		if b.Progress != nil {
			if err := b.Progress(origins, total); err != nil {
				return Summary{}, err
			}
		}
	}
	if w != nil {
		if err := w.out.Flush(); err != nil {
			return Summary{}, fmt.Errorf("write forecasts: %w", err)
		}
	}
	sum := score.summary()
	for _, ok := range seen {
		if ok {
			sum.Series++
		}
	}
	sum.Origins, sum.From, sum.To = origins, from, to
	sum.Seconds = math.Round(clock.Wall.Now().Sub(began).Seconds()*1000) / 1000
	return sum, nil
}

// reach lengthens the history to n days; the added ones are closed, since nothing is known of them.
func (p *Panel) reach(n int) {
	if n <= p.Days {
		return
	}
	add := n - p.Days
	for i := range p.Shops {
		p.Shops[i].Open = append(p.Shops[i].Open, make([]bool, add)...)
	}
	for i := range p.Series {
		s := &p.Series[i]
		if s.Start == p.Days { // never sold at all
			s.Start = n
		}
		s.Sold = append(s.Sold, make([]float64, add)...)
		if s.SoldOut != nil {
			s.SoldOut = append(s.SoldOut, repeat(int16(-1), add)...)
		}
	}
	p.Days = n
}

// rowWriter writes the exported rows; numbers have at most six decimals.
type rowWriter struct {
	out  *bufio.Writer
	line []byte
}

func (w *rowWriter) head() {
	c := csv.NewWriter(w.out)
	_ = c.Write(backtestColumns) // errors stay in out until Flush
	c.Flush()
}

func (w *rowWriter) row(p *Panel, s *Series, o, t int, actual float64, d Day, snaive, mean4 float64) {
	b := w.line[:0]
	b = append(b, p.First.AddDays(o)...)
	b = append(b, ',')
	b = append(b, p.First.AddDays(t)...)
	b = append(b, ',')
	b = appendText(b, p.Shops[s.Shop].Name)
	b = append(b, ',')
	b = appendText(b, s.Product)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(t-o), 10)
	b = append(b, ',')
	if !math.IsNaN(actual) {
		b = appendNumber(b, actual)
	}
	for _, v := range [...]float64{d.Mean, d.Q[0], d.Q[1], d.Q[2], d.Q[3], d.Q[4], snaive, mean4} {
		b = append(b, ',')
		b = appendNumber(b, v)
	}
	b = append(b, '\n')
	w.line = b
	_, _ = w.out.Write(b) // errors stay in out until Flush
}

func appendText(b []byte, s string) []byte {
	quote := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',', '"', '\n', '\r':
			quote = true
		}
	}
	if !quote {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func appendNumber(b []byte, v float64) []byte {
	from := len(b)
	b = strconv.AppendFloat(b, v, 'f', 6, 64)
	if slices.Contains(b[from:], '.') {
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
		if b[len(b)-1] == '.' {
			b = b[:len(b)-1]
		}
	}
	if string(b[from:]) == "-0" {
		b = append(b[:from], '0')
	}
	return b
}

// baselines a forecast is measured against, as of origin o for column t: the same weekday last week (a
// closed reference day gives way to the last open same weekday before it), and the mean of the last four
// open same weekdays. A product too young for them takes its last open day.
func (p *Panel) baselines(s *Series, o, t int) (snaive, mean4 float64) {
	open := p.Shops[s.Shop].Open
	n := 0
	for c := t - 7*((t-o+6)/7); c >= s.Start && n < 4; c -= 7 {
		if !open[c] {
			continue
		}
		if n == 0 {
			snaive = s.Sold[c]
		}
		mean4 += s.Sold[c]
		n++
	}
	if n > 0 {
		return snaive, mean4 / float64(n)
	}
	for c := o; c >= s.Start && c >= 0; c-- {
		if open[c] {
			return s.Sold[c], s.Sold[c]
		}
	}
	return 0, 0
}

// Score pools errors over days with an actual.
type Score struct {
	N                  int
	Actual, Err, Bias  float64
	ErrNaive, ErrMean4 float64
	Pinball, Cover     [len(Taus)]float64
}

func (s *Score) add(actual, mean, snaive, mean4 float64, q [len(Taus)]float64) {
	s.N++
	s.Actual += actual
	s.Err += math.Abs(mean - actual)
	s.Bias += mean - actual
	s.ErrNaive += math.Abs(snaive - actual)
	s.ErrMean4 += math.Abs(mean4 - actual)
	for i, tau := range Taus {
		d := actual - q[i]
		s.Pinball[i] += math.Max(tau*d, (tau-1)*d)
		s.Cover[i] += covered(actual, q[i])
	}
}

// covered counts a day on which both are nothing as half: neither under nor over the quantile.
func covered(actual, q float64) float64 {
	switch {
	case actual == 0 && q == 0:
		return .5
	case actual <= q:
		return 1
	}
	return 0
}

func (s *Score) summary() Summary {
	sum := Summary{Points: s.N, Pinball: map[string]*float64{}, Coverage: map[string]*float64{}}
	part := func(v, of float64) *float64 {
		if of == 0 {
			return nil
		}
		x := math.Round(v/of*1e6) / 1e6
		return &x
	}
	sum.Wape, sum.WapeNaive, sum.WapeMean4 = part(s.Err, s.Actual), part(s.ErrNaive, s.Actual), part(s.ErrMean4, s.Actual)
	sum.Bias = part(s.Bias, s.Actual)
	for i, name := range TauNames {
		sum.Pinball[name] = part(2*s.Pinball[i], s.Actual)
		sum.Coverage[name] = part(s.Cover[i], float64(s.N))
	}
	return sum
}

// WriteText writes the summary for people.
func (s Summary) WriteText(w io.Writer) error {
	show := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return strconv.FormatFloat(*v, 'f', 4, 64)
	}
	_, err := fmt.Fprintf(w, "%d series, %d origins from %s to %s, %d days with an actual, %.1f s\n"+
		"wape %s   same weekday last week %s   mean of 4 weeks %s   bias %s\n",
		s.Series, s.Origins, s.From, s.To, s.Points, s.Seconds, show(s.Wape), show(s.WapeNaive), show(s.WapeMean4), show(s.Bias))
	for _, q := range TauNames {
		if err == nil {
			_, err = fmt.Fprintf(w, "%s  pinball %s   coverage %s\n", q, show(s.Pinball[q]), show(s.Coverage[q]))
		}
	}
	return err
}

// References are what series i would be expected to sell on column t by the two simple rules, as of column o: the
// same weekday last week, and the mean of the last four.
func (p *Panel) References(i, o, t int) (snaive, mean4 float64) {
	return p.baselines(&p.Series[i], o, t)
}

// Demand is what was wanted of series i on column t: what was sold, or more where it sold out. A figure that nobody
// believes counts as it was recorded.
func (e *Engine) Demand(i, t int) float64 {
	if d := &e.demand[i]; d.weight[t] > 0 {
		return d.qty[t]
	}
	return math.Max(e.p.Series[i].Sold[t], 0)
}
