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
	Weekday, Year, Off, Level, Spring, Weather, Promo, N int
}

// springDays are the days around the Spring Festival that have a coefficient of their own.
var springDays = [...][2]int8{{-15, -8}, {-7, -4}, {-3, -2}, {-1, -1}, {0, 2}, {3, 6}}

func (e *Engine) regressLayout(s *Series) regressLayout {
	l := regressLayout{Spring: -1, Weather: -1, Promo: -1}
	add := func(k int) int { l.N += k; return l.N - k }
	l.Weekday, l.Year, l.Off, l.Level = add(7), add(4), add(4), add(len(smoothRates))
	if e.p.Lunar {
		l.Spring = add(len(springDays))
	}
	if len(e.p.Shops[s.Shop].Weather) > 0 {
		l.Weather = add(2)
	}
	if s.Promo != nil {
		l.Promo = add(1)
	}
	return l
}

// regressRow fills the row for target column t, seen from o; false when the level is not known.
func (e *Engine) regressRow(i, o, t int, l *regressLayout, year bool, v view, row []float64) bool {
	s, a := &e.p.Series[i], v.a
	clear(row)
	row[l.Weekday+int(a.weekday[t])] = 1
	if year {
		w := dayOfYearAngle(a.day[t])
		row[l.Year], row[l.Year+1] = math.Sin(w), math.Cos(w)
		row[l.Year+2], row[l.Year+3] = math.Sin(2*w), math.Cos(2*w)
	}
	off := func(c int) float64 {
		if c >= 0 && c < len(a.off) && a.off[c] {
			return 1
		}
		return 0
	}
	if row[l.Off] = off(t); row[l.Off] == 0 {
		row[l.Off+1], row[l.Off+2] = off(t-1), off(t+1)
	}
	if a.work[t] {
		row[l.Off+3] = 1
	}
	slow, middle, quick := float64(e.smooth[i][0][o])+.1, float64(e.smooth[i][1][o])+.1, float64(e.smooth[i][2][o])+.1
	if middle <= .1 {
		return false
	}
	row[l.Level], row[l.Level+1], row[l.Level+2] = math.Log(middle), math.Log(quick/middle), math.Log(slow/middle)
	if l.Spring >= 0 && a.festival != nil {
		d := a.festival[0][t]
		for k, days := range springDays {
			if d >= days[0] && d <= days[1] {
				row[l.Spring+k] = 1
			}
		}
	}
	if l.Weather >= 0 {
		if w := e.weather(s, v); t < len(w) {
			if x := w[t].TMax; x == x {
				row[l.Weather] = (x - 12) / 10
			}
			if x := w[t].Rain; x == x {
				row[l.Weather+1] = math.Min(x, 20) / 10
			}
		}
	}
	if l.Promo >= 0 && v.promo && t < len(s.Promo) {
		row[l.Promo] = s.Promo[t]
	}
	return true
}

// regressFit is member (b) of one series.
type regressFit struct {
	Layout regressLayout
	Year   bool
	Beta   []float64
}

// regress fits series i to what was known at column o; nil when there is too little.
func (e *Engine) regress(i, o int) *regressFit {
	s, d := &e.p.Series[i], &e.demand[i]
	from := max(s.Start+warmUp, o-regressDays+1)
	mean := e.runs[i].mean(max(o-regressDays, s.Start), o)
	if o-from < 2*warmUp || !(mean > 0) {
		return nil
	}
	f := &regressFit{Year: o-s.Start >= fitDays, Layout: e.regressLayout(s)}
	l := &f.Layout
	x := make([]float64, 0, (o-from+1)*l.N)
	y, w := make([]float64, 0, o-from+1), make([]float64, 0, o-from+1)
	row := make([]float64, l.N)
	// Each day is seen from 1 to 7 days before, by a fixed sequence of its own.
	seed := uint32(s.Start)*2654435761 + 17
	for t := from; t <= o; t++ {
		seed = seed*1664525 + 1013904223
		h := 1 + int(seed>>16)%7
		if d.weight[t] == 0 || t-h < s.Start+7 || !e.regressRow(i, t-h, t, l, f.Year, e.all(), row) {
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
	prior, ridge := make([]float64, l.N), make([]float64, l.N)
	for j := range ridge {
		ridge[j] = regressRidge * day
	}
	for k := range smoothRates {
		ridge[l.Level+k] = levelRidge * day
	}
	prior[l.Level], prior[l.Level+1] = 1, quickPrior
	f.Beta = stats.PoissonRidge(x, y, w, nil, prior, ridge, nil, 12)
	return f
}

// regressMean is member (b) for column t as of o; NaN when there is none.
func (e *Engine) regressMean(f *regressFit, i, o, t int, top float64, v view, row []float64) float64 {
	if f == nil {
		return math.NaN()
	}
	row = row[:f.Layout.N]
	if !e.regressRow(i, o, t, &f.Layout, f.Year, v, row) {
		return math.NaN()
	}
	eta := 0.0
	for j, x := range row {
		eta += x * f.Beta[j]
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
