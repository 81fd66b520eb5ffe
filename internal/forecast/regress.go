package forecast

import (
	"math"

	"zhanggui/internal/platform/stats"
)

// Member (b): a Poisson regression for each series (planning §1): weekday, year, calendar, and the log of
// its level, fitted to what the level was h days before.

const (
	regressDays = 728
	capTimes    = 5 // times the highest of the last eight weeks, beyond which the regression is not believed
)

type regressLayout struct {
	weekday, year, off, level, change, spring, weather, promo, price, n int
}

func (e *Engine) regressLayout(shop int, s *Series) regressLayout {
	l := regressLayout{}
	add := func(k int) int { l.n += k; return l.n - k }
	l.weekday = add(7)
	l.year = add(4)
	l.off = add(4)
	l.level = add(1)
	l.change = add(1)
	l.spring = -1
	if e.p.Lunar {
		l.spring = add(6)
	}
	l.weather, l.promo, l.price = -1, -1, -1
	if len(e.p.Shops[shop].Weather) > 0 {
		l.weather = add(2)
	}
	if s.Promo != nil {
		l.promo = add(1)
	}
	return l
}

// regressRow fills the row for a target column t, seen from o; false when the level is not known.
func (e *Engine) regressRow(i, o, t int, l regressLayout, year bool, v view, row []float64) bool {
	s := &e.p.Series[i]
	r := &e.runs[i]
	clear(row)
	a := v.a
	row[l.weekday+int(a.weekday[t])] = 1
	if year {
		w := dayOfYearAngle(a.day[t])
		row[l.year], row[l.year+1] = math.Sin(w), math.Cos(w)
		row[l.year+2], row[l.year+3] = math.Sin(2*w), math.Cos(2*w)
	}
	set := func(c, col int) {
		if c >= 0 && c < len(a.off) && a.off[c] {
			row[col] = 1
		}
	}
	set(t, l.off)
	if !a.off[t] {
		set(t-1, l.off+1)
		set(t+1, l.off+2)
	}
	if a.work[t] {
		row[l.off+3] = 1
	}
	m28 := r.mean(max(o-27, s.Start), o)
	m7 := r.mean(max(o-6, s.Start), o)
	if math.IsNaN(m28) || math.IsNaN(m7) {
		return false
	}
	m28, m7 = m28+.1, m7+.1
	row[l.level] = math.Log(m28)
	row[l.change] = math.Log(m7 / m28)
	if l.spring >= 0 && a.festival != nil {
		if d := a.festival[0][t]; d >= -15 && d <= 15 {
			switch {
			case d <= -8:
				row[l.spring] = 1
			case d <= -4:
				row[l.spring+1] = 1
			case d <= -2:
				row[l.spring+2] = 1
			case d == -1:
				row[l.spring+3] = 1
			case d <= 2:
				row[l.spring+4] = 1
			case d <= 6:
				row[l.spring+5] = 1
			}
		}
	}
	if l.weather >= 0 {
		w := e.weather(s, v)
		if t < len(w) && w[t].TMax == w[t].TMax {
			row[l.weather] = (w[t].TMax - 12) / 10
			row[l.weather+1] = math.Min(w[t].Rain, 20) / 10
			if math.IsNaN(row[l.weather+1]) {
				row[l.weather+1] = 0
			}
		}
	}
	if l.promo >= 0 && t < len(s.Promo) && v.promo {
		row[l.promo] = s.Promo[t]
	}
	return true
}

// regressFit is member (b) of one series.
type regressFit struct {
	layout regressLayout
	year   bool
	beta   []float64
	top    float64
}

// regress fits series i to what was known at column o; nil when there is too little.
func (e *Engine) regress(i, o int) *regressFit {
	s := &e.p.Series[i]
	d := &e.demand[i]
	r := &e.runs[i]
	from := max(s.Start+warmUp, o-regressDays+1)
	if o-from < 56 || !(r.mean(s.Start, o) > 0) {
		return nil
	}
	f := &regressFit{year: o-s.Start >= fitDays, layout: e.regressLayout(s.Shop, s)}
	l := f.layout
	var x, y, w []float64
	row := make([]float64, l.n)
	seed := uint32(i*7919 + 17)
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
	if len(y) < 42 {
		return nil
	}
	scale := math.Max(r.mean(max(o-regressDays, s.Start), o), .2)
	prior, ridge := make([]float64, l.n), make([]float64, l.n)
	for j := range ridge {
		ridge[j] = regRidge * scale
	}
	prior[l.level], prior[l.change] = 1, .5
	ridge[l.level], ridge[l.change] = regLevel*scale, regLevel*scale
	f.beta = stats.PoissonRidge(x, y, w, nil, prior, ridge, nil, 12)
	for t := max(s.Start, o-lookback+1); t <= o; t++ {
		f.top = math.Max(f.top, d.qty[t])
	}
	return f
}

// predict column t as of o; false when the level is not known.
func (e *Engine) regressPredict(f *regressFit, i, o, t int, v view, row []float64) (float64, bool) {
	row = row[:f.layout.n]
	if !e.regressRow(i, o, t, f.layout, f.year, v, row) {
		return 0, false
	}
	eta := 0.0
	for j, x := range row {
		eta += x * f.beta[j]
	}
	return math.Min(math.Exp(math.Min(eta, 30)), capTimes*f.top), true
}

var regRidge, regLevel = 5.0, 1.0
