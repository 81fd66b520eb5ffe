package forecast

import (
	"math"
	"sort"

	"zhanggui/internal/platform/gbm"
	"zhanggui/internal/platform/stats"
)

// The forecast is the plain mean of its members, corrected where the last weeks were wrong beyond chance,
// and spread by what the last twelve weekly forecasts got wrong (planning §1).

const (
	backtests   = 12 // weekly forecasts the spread is learned from
	gateWeeks   = 8  // weekly forecasts the correction is learned from
	gateSE      = 3  // standard errors a bias must exceed
	gateMin     = .05
	gateShare   = .8
	ratioAdd    = .3 // keeps ratios of small numbers finite
	seriesShare = .8 // of the spread that comes from the series itself
	minWeeks    = 4  // weekly forecasts below which the pool alone tells the spread
)

// issued is the forecast of one series as it was given out on one day.
type issued struct {
	raw   []float64 // mean of the members
	mean  []float64 // after correction
	parts []Parts
}

// remember makes the members' mean as of column o, once.
func (e *Engine) remember(o int, explain bool) []issued {
	m, ok := e.memory[o]
	if !ok || explain {
		m = e.combine(o, explain)
		e.memory[o] = m
	}
	return m
}

// issue corrects what was remembered as of column o. The forecasts of the eight weeks before must be there.
func (e *Engine) issue(o int) []issued {
	m := e.memory[o]
	factor := e.gate(o)
	for i := range m {
		if m[i].raw == nil {
			continue
		}
		m[i].mean = make([]float64, len(m[i].raw))
		for h, v := range m[i].raw {
			m[i].mean[h] = v * factor
			if m[i].parts != nil {
				m[i].parts[h].Correction = v*factor - v
			}
		}
	}
	return m
}

// view is what a forecast may know beyond sales: taking one away tells what it did.
type view struct {
	a              *almanac
	weather, promo bool
}

func (e *Engine) all() view { return view{e.a, true, true} }

func (e *Engine) weather(s *Series, v view) []Weather {
	if !v.weather {
		return nil
	}
	return e.p.Shops[s.Shop].Weather
}

// combine makes the members' mean for every series as of o.
func (e *Engine) combine(o int, explain bool) []issued {
	ev := e.learnEvents(o)
	use := e.o.Members
	var trees *gbm.Model
	if use&MemberBoost != 0 {
		trees = e.boostAt(o)
	}
	out := make([]issued, len(e.p.Series))
	e.each(len(out), func(i int) {
		s := &e.p.Series[i]
		if s.Start > o {
			return
		}
		var reg *regressFit
		if use&MemberRegress != 0 {
			reg = e.regress(i, o)
		}
		lev := e.level(i, o, ev)
		row32 := make([]float32, 0, len(boostFeatures))
		row64 := make([]float64, 40)
		mean := func(h int, v view) float64 {
			t := o + 1 + h
			sum, n := 0.0, 0.0
			add := func(x float64) {
				if x >= 0 && !math.IsInf(x, 0) {
					sum, n = sum+x, n+1
				}
			}
			if use&MemberLevel != 0 {
				x := lev.level * lev.index[v.a.weekday[t]]
				if v.a == e.a {
					x *= lev.event[h]
				}
				add(x)
			}
			if reg != nil {
				if x, ok := e.regressPredict(reg, i, o, t, v, row64); ok {
					add(x)
				}
			}
			if trees != nil {
				level := e.boostRow(i, o, h+1, v, row32)
				add(level * trees.Predict(row32[:len(boostFeatures)]))
			}
			if n == 0 {
				return 0
			}
			return sum / n
		}
		out[i].raw = make([]float64, e.o.Horizon)
		if explain {
			out[i].parts = make([]Parts, e.o.Horizon)
		}
		for h := range out[i].raw {
			t := o + 1 + h
			if !e.p.Shops[s.Shop].openOn(t, o) {
				continue
			}
			full := mean(h, e.all())
			out[i].raw[h] = full
			if out[i].parts != nil {
				noPromo := mean(h, view{e.a, true, false})
				noWeather := mean(h, view{e.a, false, false})
				plain := mean(h, view{e.plain, false, false})
				p := &out[i].parts[h]
				p.Promotion, p.Weather, p.Holiday = full-noPromo, noPromo-noWeather, noWeather-plain
				p.Base = lev.level
				p.Weekday = lev.level * (lev.index[e.a.weekday[t]] - 1)
				p.Trend = plain - p.Base - p.Weekday
			}
		}
	})
	return out
}

// gate tells by what to multiply every forecast of the panel as of o: 1, unless the last eight weekly
// forecasts of the whole panel were wrong on one side by more than chance would have it.
func (e *Engine) gate(o int) float64 {
	var logs []float64
	for k := 1; k <= gateWeeks; k++ {
		past, ok := e.memory[o-7*k]
		if !ok {
			continue
		}
		var got, said float64
		for i := range past {
			for h, v := range past[i].raw {
				t := o - 7*k + 1 + h
				if h >= 7 || t > o {
					break
				}
				if e.demand[i].weight[t] > 0 {
					w := 1 / math.Sqrt(e.runs[i].level(o-7*k)+1)
					got, said = got+w*e.demand[i].qty[t], said+w*v
				}
			}
		}
		if got > 0 && said > 0 {
			logs = append(logs, math.Log(got/said))
		}
	}
	if len(logs) < gateWeeks {
		return 1
	}
	mean, ss := 0.0, 0.0
	for _, l := range logs {
		mean += l / float64(len(logs))
	}
	for _, l := range logs {
		ss += (l - mean) * (l - mean)
	}
	se := math.Sqrt(ss / float64(len(logs)-1) / float64(len(logs)))
	if math.Abs(mean) <= gateMin || math.Abs(mean) <= gateSE*se {
		return 1
	}
	return math.Min(math.Max(math.Exp(gateShare*mean), .75), 1.3)
}

// spread holds the quantiles of actual ÷ forecast per series and week ahead.
type spread struct {
	weeks  int // weeks ahead that are told apart
	series [][]ratios
	pool   [][]ratios // by size of the series, per week ahead
	class  []int
}

type ratios struct {
	q [len(Taus)]float64
	n int
}

// sizes of series that share a pool: mean units a day.
var sizeClasses = [...]float64{.5, 2, 8, 32}

func sizeClass(level float64) int {
	c := 0
	for c < len(sizeClasses) && level >= sizeClasses[c] {
		c++
	}
	return c
}

// spread as of o, from forecasts made and days seen by then.
func (e *Engine) spread(o int) *spread {
	n := len(e.p.Series)
	s := &spread{weeks: (e.o.Horizon + 6) / 7, series: make([][]ratios, n), class: make([]int, n)}
	lists := make([][][]float64, n)
	e.each(n, func(i int) {
		lists[i] = make([][]float64, s.weeks)
		s.series[i] = make([]ratios, s.weeks)
		if e.p.Series[i].Start > o {
			return
		}
		s.class[i] = sizeClass(e.runs[i].level(o))
		made := make([]int, s.weeks)
		for k := backtests + s.weeks; k >= 1; k-- {
			past, ok := e.memory[o-7*k]
			if !ok || past[i].mean == nil {
				continue
			}
			for h, v := range past[i].mean {
				t, w := o-7*k+1+h, h/7
				if t > o {
					break
				}
				if h%7 == 0 {
					made[w]++
				}
				if e.demand[i].weight[t] > 0 {
					lists[i][w] = append(lists[i][w], (e.demand[i].qty[t]+ratioAdd)/(v+ratioAdd))
				}
			}
		}
		for w, l := range lists[i] {
			sort.Float64s(l)
			if made[w] >= minWeeks {
				s.series[i][w] = quantilesOf(l)
			}
		}
	})
	s.pool = make([][]ratios, len(sizeClasses)+2) // the last is everything together
	e.each(len(s.pool), func(c int) {
		s.pool[c] = make([]ratios, s.weeks)
		for w := range s.weeks {
			var l []float64
			for i := range n {
				if c > len(sizeClasses) || s.class[i] == c {
					l = append(l, lists[i][w]...)
				}
			}
			sort.Float64s(l)
			s.pool[c][w] = quantilesOf(l)
		}
	})
	return s
}

func quantilesOf(sorted []float64) ratios {
	r := ratios{n: len(sorted)}
	for k, tau := range Taus {
		if len(sorted) > 0 {
			r.q[k] = stats.Quantile(sorted, tau)
		}
	}
	return r
}

// fallback spread, where nothing of the kind was ever forecast: a log-normal day with a coefficient of
// variation of one half around its mean.
var fallbackRatios = [len(Taus)]float64{.89, 1.15, 1.33, 1.63, 1.93}

func (s *spread) quantiles(i, h int, d *Day) {
	if d.Mean <= 0 && d.Parts.Base <= 0 {
		return // closed, or dead
	}
	w := h / 7
	own, pool := s.series[i][w], s.pool[s.class[i]][w]
	if pool.n < 300 {
		pool = s.pool[len(s.pool)-1][w]
	}
	for k := range Taus {
		r := fallbackRatios[k]
		switch {
		case own.n > 0 && pool.n > 0:
			r = seriesShare*own.q[k] + (1-seriesShare)*pool.q[k]
		case pool.n >= 30:
			r = pool.q[k]
		}
		d.Q[k] = math.Max(0, (d.Mean+ratioAdd)*r-ratioAdd)
		if k > 0 {
			d.Q[k] = math.Max(d.Q[k], d.Q[k-1])
		}
	}
}
