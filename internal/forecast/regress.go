package forecast

import (
	"math"

	"zhanggui/internal/platform/stats"
)

// Member (b): a Poisson regression for each series (planning §1) on weekday, season, calendar, weather,
// promotion, and the logs of its slow, middle and quick level h days before. The levels are held near "as
// lately": 1 for the middle one, .3 for the quick one against it.

const (
	regressDays  = 728
	regressRidge = 5 // days' worth of belief that weekdays, seasons and holidays do nothing
	levelRidge   = 1 // days' worth of belief in the levels' prior
	quickPrior   = .3
	capTimes     = 5 // times the highest of the last eight weeks, beyond which the regression is not believed
)

// regressLayout says where in a row the features begin; −1 for those a series does not have.
type regressLayout struct {
	weekday, year, off, level, spring, weather, promo, n int
}

// springDays are the days around the Spring Festival that have a coefficient of their own.
var springDays = [...][2]int8{{-15, -8}, {-7, -4}, {-3, -2}, {-1, -1}, {0, 2}, {3, 6}}

func (e *Engine) regressLayout(s *Series) regressLayout {
	l := regressLayout{spring: -1, weather: -1, promo: -1}
	add := func(k int) int { l.n += k; return l.n - k }
	l.weekday, l.year, l.off, l.level = add(7), add(4), add(4), add(len(smoothRates))
	if e.p.Lunar {
		l.spring = add(len(springDays))
	}
	if len(e.p.Shops[s.Shop].Weather) > 0 {
		l.weather = add(2)
	}
	if s.Promo != nil {
		l.promo = add(1)
	}
	return l
}

// regressRow fills the row for target column t, seen from o; false when the level is not known.
func (e *Engine) regressRow(i, o, t int, l *regressLayout, year bool, v view, row []float64) bool {
	s, a := &e.p.Series[i], v.a
	clear(row)
	row[l.weekday+int(a.weekday[t])] = 1
	if year {
		w := dayOfYearAngle(a.day[t])
		row[l.year], row[l.year+1] = math.Sin(w), math.Cos(w)
		row[l.year+2], row[l.year+3] = math.Sin(2*w), math.Cos(2*w)
	}
	off := func(c int) float64 {
		if c >= 0 && c < len(a.off) && a.off[c] {
			return 1
		}
		return 0
	}
	if row[l.off] = off(t); row[l.off] == 0 {
		row[l.off+1], row[l.off+2] = off(t-1), off(t+1)
	}
	if a.work[t] {
		row[l.off+3] = 1
	}
	slow, middle, quick := float64(e.smooth[i][0][o])+.1, float64(e.smooth[i][1][o])+.1, float64(e.smooth[i][2][o])+.1
	if middle <= .1 {
		return false
	}
	row[l.level], row[l.level+1], row[l.level+2] = math.Log(middle), math.Log(quick/middle), math.Log(slow/middle)
	if l.spring >= 0 && a.festival != nil {
		d := a.festival[0][t]
		for k, days := range springDays {
			if d >= days[0] && d <= days[1] {
				row[l.spring+k] = 1
			}
		}
	}
	if l.weather >= 0 {
		if w := e.weather(s, v); t < len(w) {
			if x := w[t].TMax; x == x {
				row[l.weather] = (x - 12) / 10
			}
			if x := w[t].Rain; x == x {
				row[l.weather+1] = math.Min(x, 20) / 10
			}
		}
	}
	if l.promo >= 0 && v.promo && t < len(s.Promo) {
		row[l.promo] = s.Promo[t]
	}
	return true
}

// regressFit is member (b) of one series.
type regressFit struct {
	layout regressLayout
	year   bool
	beta   []float64
}

// regress fits series i to what was known at column o; nil when there is too little.
func (e *Engine) regress(i, o int) *regressFit {
	s, d := &e.p.Series[i], &e.demand[i]
	from := max(s.Start+warmUp, o-regressDays+1)
	mean := e.runs[i].mean(max(o-regressDays, s.Start), o)
	if o-from < 2*warmUp || !(mean > 0) {
		return nil
	}
	f := &regressFit{year: o-s.Start >= fitDays, layout: e.regressLayout(s)}
	l := &f.layout
	x := make([]float64, 0, (o-from+1)*l.n)
	y, w := make([]float64, 0, o-from+1), make([]float64, 0, o-from+1)
	row := make([]float64, l.n)
	// Each day is seen from 1 to 7 days before, by a fixed sequence of its own.
	seed := uint32(s.Start)*2654435761 + 17
	for t := from; t <= o; t++ {
		seed = seed*1664525 + 1013904223
		h := 1 + int(seed>>16)%7
		if d.weight[t] == 0 || t-h < s.Start+7 || !e.regressRow(i, t-h, t, l, f.year, e.all(), row) {
			continue
		}
		x = append(x, row...)
		y = append(y, d.qty[t])
		w = append(w, d.weight[t])
	}
	if len(y) < 6*7 {
		return nil
	}
	// A ridge in days: on the scale of the information that a day of mean demand brings.
	day := math.Max(mean, .2)
	prior, ridge := make([]float64, l.n), make([]float64, l.n)
	for j := range ridge {
		ridge[j] = regressRidge * day
	}
	for k := range smoothRates {
		ridge[l.level+k] = levelRidge * day
	}
	prior[l.level], prior[l.level+1] = 1, quickPrior
	f.beta = stats.PoissonRidge(x, y, w, nil, prior, ridge, nil, 12)
	return f
}

// regressMean is member (b) for column t as of o; NaN when there is none.
func (e *Engine) regressMean(f *regressFit, i, o, t int, top float64, v view, row []float64) float64 {
	if f == nil {
		return math.NaN()
	}
	row = row[:f.layout.n]
	if !e.regressRow(i, o, t, &f.layout, f.year, v, row) {
		return math.NaN()
	}
	eta := 0.0
	for j, x := range row {
		eta += x * f.beta[j]
	}
	return math.Min(math.Exp(math.Min(eta, 30)), capTimes*top)
}

// topOf is the highest day of the last eight weeks.
func (e *Engine) topOf(i, o int) float64 {
	top := 0.0
	for t := max(e.p.Series[i].Start, o-lookback+1); t <= o; t++ {
		top = math.Max(top, e.demand[i].qty[t])
	}
	return top
}
