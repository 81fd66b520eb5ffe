package forecast

import (
	"math"
	"sort"

	"zhanggui/internal/platform/gbm"
	"zhanggui/internal/platform/stats"
)

// The forecast is a mean of its members, near the plain one (planning §1): how much each counts is learned
// from the panel's last twelve weekly forecasts. It is corrected where those were wrong beyond chance, and
// spread by what they got wrong.

const (
	trainEvery  = 28 // days between trainings of regressions and trees; the day depends on the date alone
	backtests   = 12 // weekly forecasts that weights and spread are learned from
	gateWeeks   = 8  // weekly forecasts the correction is learned from
	gateSE      = 3  // standard errors a bias must exceed
	gateMin     = .05
	gateShare   = .8
	ratioAdd    = .3 // keeps ratios of small numbers finite
	seriesShare = .8 // of the spread that comes from the series itself
	minWeeks    = 4  // weekly forecasts below which the pool alone tells the spread
	gridSteps   = 10
	plainPull   = .1   // how strongly the plain mean attracts: share of error for a distance of 1
	weightTemp  = .005 // share of error that makes a mixture 1/e as likely
	weightMin   = 100  // days below which the mean stays plain
	weightMax   = 200_000
)

// learnt is what the trained members know since one training day.
type learnt struct {
	yearly bool
	trees  *gbm.Model
	fits   []*regressFit
}

// learntAt is the training in force at column o.
func (e *Engine) learntAt(o int) *learnt {
	day := e.p.First.Number() + o
	asOf := o - ((day%trainEvery)+trainEvery)%trainEvery
	if l, ok := e.learnt[asOf]; ok {
		return l
	}
	l := e.train(asOf)
	e.learnt[asOf] = l
	for k := range e.learnt {
		if k < asOf-9*trainEvery {
			delete(e.learnt, k)
		}
	}
	return l
}

// train learns from everything up to column asOf.
func (e *Engine) train(asOf int) *learnt {
	l := &learnt{yearly: asOf-e.earliest() >= yearlyFrom, fits: make([]*regressFit, len(e.p.Series))}
	if asOf < 0 {
		return l
	}
	if e.o.Members&MemberRegress != 0 {
		e.each(len(l.fits), func(i int) { l.fits[i] = e.regress(i, asOf) })
	}
	if e.o.Members&MemberBoost != 0 {
		l.trees = e.trainBoost(asOf, l.yearly)
	}
	return l
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

const memberCount = 3

// recalled is what the members said of one series on one day: per member and day ahead, NaN where it had
// nothing to say. A series not yet begun has no members; on a day expected to be closed all say nothing.
type recalled struct{ member [memberCount][]float64 }

// said tells whether any member forecast the day: when a shop opens on a day it was expected to be closed, that
// tells nothing of how wrong its forecasts are.
func (r *recalled) said(h int) bool {
	for k := range r.member {
		if r.member[k][h] == r.member[k][h] {
			return true
		}
	}
	return false
}

// recall makes the members' forecasts as of column o, once.
func (e *Engine) recall(o int) []recalled {
	if m, ok := e.memory[o]; ok {
		return m
	}
	out := e.ask(o, e.learnEvents(o), e.learntAt(o))
	e.memory[o] = out
	return out
}

// ask makes the members' forecasts as of column o with what is learned.
func (e *Engine) ask(o int, ev *eventFactors, l *learnt) []recalled {
	out := make([]recalled, len(e.p.Series))
	e.each(len(out), func(i int) {
		if e.p.Series[i].Start > o {
			return
		}
		for k := range out[i].member {
			out[i].member[k] = make([]float64, e.o.Horizon)
		}
		ask := e.asker(i, o, ev, l)
		for h := range e.o.Horizon {
			if !e.p.Shops[e.p.Series[i].Shop].openOn(o+1+h, o) {
				for k := range out[i].member {
					out[i].member[k][h] = math.NaN()
				}
				continue
			}
			for k, x := range ask(h, e.all()) {
				out[i].member[k][h] = x
			}
		}
	})
	return out
}

// asker asks the members of one series for one day ahead under a view.
func (e *Engine) asker(i, o int, ev *eventFactors, l *learnt) func(h int, v view) [memberCount]float64 {
	use := e.o.Members
	lev := e.level(i, o, ev)
	top := e.topOf(i, o)
	alive := e.alive(i, o) // which the trees tell for themselves
	row32, row64 := make([]float32, 0, len(boostFeatures)), make([]float64, 40)
	return func(h int, v view) [memberCount]float64 {
		t := o + 1 + h
		nan := math.NaN()
		out := [memberCount]float64{nan, nan, nan}
		if use&MemberLevel != 0 {
			out[0] = alive * lev.level * lev.index[v.a.weekday[t]]
			if v.a == e.a {
				out[0] *= lev.event[h]
			}
		}
		out[1] = alive * e.regressMean(l.fits[i], i, o, t, top, v, row64)
		if l.trees != nil {
			level := e.boostRow(i, o, h+1, v, l.yearly, row32)
			out[2] = level * l.trees.Predict(row32[:len(boostFeatures)])
		}
		for k, x := range out {
			if x < 0 || math.IsInf(x, 0) {
				out[k] = nan
			}
		}
		return out
	}
}

// explain opens the means of a series: promotion and price, weather and calendar are taken away one after
// another; what is left is level, weekday, and the rest, which is trend and season.
func (e *Engine) explain(i, o int, said *recalled, ev *eventFactors, l *learnt, b blend, days []Day) {
	s := &e.p.Series[i]
	ask := e.asker(i, o, ev, l)
	lev := e.level(i, o, ev)
	for h := range days {
		t := o + 1 + h
		if !e.p.Shops[s.Shop].openOn(t, o) {
			continue
		}
		p := &days[h].Parts
		full := b.mean(said, h)
		noPromo, noWeather := full, full
		if s.Promo != nil || s.Price != nil {
			noPromo = b.of(ask(h, view{e.a, true, false}))
		}
		if noWeather = noPromo; len(e.p.Shops[s.Shop].Weather) > 0 {
			noWeather = b.of(ask(h, view{e.a, false, false}))
		}
		plain := b.of(ask(h, view{e.plain, false, false}))
		p.Promotion, p.Weather, p.Holiday = full-noPromo, noPromo-noWeather, noWeather-plain
		p.Base = lev.level
		p.Weekday = lev.level * (lev.index[e.a.weekday[t]] - 1)
		p.Trend = plain - p.Base - p.Weekday
	}
}

// blend is how much each member counts.
type blend [memberCount]float64

// of the members that have something to say.
func (b blend) of(x [memberCount]float64) float64 {
	sum, n := 0.0, 0.0
	for k, v := range x {
		if v == v {
			sum, n = sum+b[k]*v, n+b[k]
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

func (b blend) mean(r *recalled, h int) float64 {
	var x [memberCount]float64
	for k := range x {
		x[k] = r.member[k][h]
	}
	return b.of(x)
}

// mixtures are the blends that are weighed against each other.
var mixtures = func() (all []blend) {
	for a := 0; a <= gridSteps; a++ {
		for c := 0; a+c <= gridSteps; c++ {
			all = append(all, blend{float64(a) / gridSteps, float64(c) / gridSteps, float64(gridSteps-a-c) / gridSteps})
		}
	}
	return all
}()

// blend weighs the members for column o by how mixtures of them did in the panel's last twelve weekly
// forecasts: the mean of all mixtures, each the likelier the smaller its error and the nearer to the plain
// mean. One series' errors are too few to choose by; a panel's are not.
func (e *Engine) blend(o int) blend {
	plain := blend{1. / memberCount, 1. / memberCount, 1. / memberCount}
	points := 0
	e.eachPast(o, 1, func(int, int, float64, float64, *recalled, int) { points++ })
	stride := points/weightMax + 1
	lost := make([]float64, len(mixtures))
	base, n := 0.0, 0
	e.eachPast(o, stride, func(_, _ int, y, w float64, r *recalled, h int) {
		a, b, c := r.member[0][h], r.member[1][h], r.member[2][h]
		if a != a || b != b || c != c {
			return
		}
		n++
		base += w * math.Abs(y-(a+b+c)/3)
		for g, m := range mixtures {
			lost[g] += w * math.Abs(y-a*m[0]-b*m[1]-c*m[2])
		}
	})
	if n < weightMin || base <= 0 {
		return plain
	}
	best := math.Inf(1)
	for g, m := range mixtures {
		lost[g] /= base
		for k := range m {
			lost[g] += plainPull * (m[k] - plain[k]) * (m[k] - plain[k])
		}
		best = math.Min(best, lost[g])
	}
	var out blend
	total := 0.0
	for g, m := range mixtures {
		w := math.Exp((best - lost[g]) / weightTemp)
		total += w
		for k := range out {
			out[k] += w * m[k]
		}
	}
	for k := range out {
		out[k] /= total
	}
	return out
}

// eachPast visits the known days of the weekly forecasts before column o, of every stride-th series: how many
// weeks ago, which series, what was wanted, what the day counts, what was said, and how many days ahead less one.
func (e *Engine) eachPast(o, stride int, visit func(k, i int, y, w float64, r *recalled, h int)) {
	for k := 1; k <= backtests; k++ {
		past, ok := e.memory[o-7*k]
		if !ok {
			continue
		}
		for i := 0; i < len(past); i += stride {
			if past[i].member[0] == nil {
				continue
			}
			w := 1 / (math.Sqrt(e.runs[i].level(o-7*k)) + .5) // between equal series and equal units
			for h := range min(7, e.o.Horizon) {
				if t := o - 7*k + 1 + h; e.demand[i].weight[t] > 0 && past[i].said(h) {
					visit(k, i, e.demand[i].qty[t], w, &past[i], h)
				}
			}
		}
	}
}

// gate tells by what to multiply every forecast of the panel as of o: 1, unless the last eight weekly
// forecasts of the whole panel were wrong on one side by more than chance would have it.
func (e *Engine) gate(o int, b blend) float64 {
	var logs []float64
	var got, said [gateWeeks + 1]float64
	for k := 1; k <= gateWeeks; k++ {
		past, ok := e.memory[o-7*k]
		if !ok {
			continue
		}
		for i := range past {
			if past[i].member[0] == nil {
				continue
			}
			w := 1 / math.Sqrt(e.runs[i].level(o-7*k)+1)
			for h := range min(7, e.o.Horizon) {
				if t := o - 7*k + 1 + h; e.demand[i].weight[t] > 0 && past[i].said(h) {
					got[k] += w * e.demand[i].qty[t]
					said[k] += w * b.mean(&past[i], h)
				}
			}
		}
		if got[k] > 0 && said[k] > 0 {
			logs = append(logs, math.Log(got[k]/said[k]))
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
	series [][]ratios
	pool   [][]ratios // by size of the series, per week ahead
	class  []int
}

// ratios are the quantiles Q of N days' actual ÷ forecast.
type ratios struct {
	Q [len(Taus)]float64
	N int
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
func (e *Engine) spread(o int, b blend) *spread {
	n := len(e.p.Series)
	weeks := (e.o.Horizon + 6) / 7 // ahead that are told apart
	s := &spread{series: make([][]ratios, n), class: make([]int, n)}
	factor := map[int]float64{}
	for k := backtests + weeks; k >= 1; k-- {
		if _, ok := e.memory[o-7*k]; ok {
			factor[o-7*k] = e.gate(o-7*k, b)
		}
	}
	lists := make([][][]float64, n)
	e.each(n, func(i int) {
		lists[i] = make([][]float64, weeks)
		s.series[i] = make([]ratios, weeks)
		if e.p.Series[i].Start > o {
			return
		}
		s.class[i] = sizeClass(e.runs[i].level(o))
		made := make([]int, weeks)
		for k := backtests + weeks; k >= 1; k-- {
			at := o - 7*k
			past, ok := e.memory[at]
			if !ok || past[i].member[0] == nil {
				continue
			}
			for h := 0; h < e.o.Horizon && at+1+h <= o; h++ {
				t, w := at+1+h, h/7
				if h%7 == 0 {
					made[w]++
				}
				if e.demand[i].weight[t] > 0 && past[i].said(h) {
					lists[i][w] = append(lists[i][w], (e.demand[i].qty[t]+ratioAdd)/(factor[at]*b.mean(&past[i], h)+ratioAdd))
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
		s.pool[c] = make([]ratios, weeks)
		for w := range weeks {
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
	r := ratios{N: len(sorted)}
	for k, tau := range Taus {
		if len(sorted) > 0 {
			r.Q[k] = stats.Quantile(sorted, tau)
		}
	}
	return r
}

// fallback spread, where nothing of the kind was ever forecast: a log-normal day with a coefficient of
// variation of one half around its mean.
var fallbackRatios = [len(Taus)]float64{.89, 1.15, 1.33, 1.63, 1.93}

const (
	poolMin   = 300 // days from which a size's own pool is believed
	poolLeast = 30  // and from which any is
)

func (s *spread) quantiles(i, h int, d *Day) {
	if d.Mean <= 0 {
		return // closed, or dead
	}
	w := h / 7
	own, pool := s.series[i][w], s.pool[s.class[i]][w]
	if pool.N < poolMin {
		pool = s.pool[len(s.pool)-1][w]
	}
	for k := range Taus {
		r := fallbackRatios[k]
		switch {
		case own.N > 0 && pool.N > 0:
			r = seriesShare*own.Q[k] + (1-seriesShare)*pool.Q[k]
		case pool.N >= poolLeast:
			r = pool.Q[k]
		}
		d.Q[k] = math.Max(0, (d.Mean+ratioAdd)*r-ratioAdd)
		if k > 0 {
			d.Q[k] = math.Max(d.Q[k], d.Q[k-1])
		}
	}
}
