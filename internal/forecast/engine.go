package forecast

import (
	"math"
	"sync"
)

// Taus are the quantiles every forecast carries.
var Taus = [...]float64{.5, .7, .8, .9, .95}

// TauNames name the quantiles in files and answers.
var TauNames = [len(Taus)]string{"q50", "q70", "q80", "q90", "q95"}

// Members of the forecast. Which are there is told by a bit each; a product uses all that fit it.
const (
	MemberLevel = 1 << iota
	MemberRegress
	MemberBoost
	allMembers = MemberLevel | MemberRegress | MemberBoost
)

// MaxHorizon is the furthest day ahead that can be asked.
const MaxHorizon = 56

// Options of an engine.
type Options struct {
	Horizon int  // days ahead, 1 … MaxHorizon
	Workers int  // goroutines (1); the result is the same for any number
	Members int  // bits of Member…; 0 for all
	Explain bool // fill Day.Parts
}

// Engine forecasts one panel. What it learned for one origin it keeps for the later ones that need it, so
// origins are best asked in rising order. Not for concurrent use.
type Engine struct {
	p      *Panel
	o      Options
	a      *almanac
	plain  *almanac // the same days with no calendar at all, for telling what the calendar does
	prof   *profiles
	demand []demand
	runs   []runs   // per series
	smooth []smooth // per series
	shops  []runs   // per shop, all its series together
	events []eventKey
	learnt map[int]*learnt    // by training day
	memory map[int][]recalled // by origin
}

// Parts of a mean, in units; they add up to it.
type Parts struct {
	Base       float64 // the level of an average day
	Weekday    float64
	Trend      float64 // growth or decline under way and the season, as the regression and the trees see them
	Holiday    float64
	Weather    float64
	Promotion  float64
	Correction float64 // what last weeks' errors of the whole panel said
}

// Sum of the parts.
func (p Parts) Sum() float64 {
	return p.Base + p.Weekday + p.Trend + p.Holiday + p.Weather + p.Promotion + p.Correction
}

// Day is the forecast of one series for one day.
type Day struct {
	Mean  float64
	Q     [len(Taus)]float64
	Parts Parts
}

// NewEngine prepares a panel.
func NewEngine(p *Panel, o Options) *Engine {
	o.Workers = max(o.Workers, 1)
	o.Horizon = min(max(o.Horizon, 1), MaxHorizon)
	if o.Members == 0 {
		o.Members = allMembers
	}
	e := &Engine{p: p, o: o, learnt: map[int]*learnt{}, memory: map[int][]recalled{}}
	e.a = p.almanac(p.Days + MaxHorizon)
	bare := *p
	bare.Holidays, bare.Lunar = nil, false
	e.plain = bare.almanac(p.Days + MaxHorizon)
	e.prof = newProfiles(p)
	e.demand = make([]demand, len(p.Series))
	e.runs = make([]runs, len(p.Series))
	e.smooth = make([]smooth, len(p.Series))
	e.each(len(p.Series), func(i int) {
		s := &p.Series[i]
		e.demand[i] = s.learnDemand(p.Shops[s.Shop].Open, e.prof, p.weekday)
		e.runs[i] = newRuns(e.demand[i])
		e.smooth[i] = newSmooth(e.demand[i], s.Start, e.a)
	})
	e.shops = make([]runs, len(p.Shops))
	members := make([][]int, len(p.Shops))
	for i, s := range p.Series {
		members[s.Shop] = append(members[s.Shop], i)
	}
	e.each(len(p.Shops), func(k int) {
		d := demand{qty: make([]float64, p.Days), weight: make([]float64, p.Days)}
		for _, i := range members[k] {
			for t, q := range e.demand[i].qty {
				d.qty[t] += q
				d.weight[t] = math.Max(d.weight[t], e.demand[i].weight[t])
			}
		}
		e.shops[k] = newRuns(d)
	})
	e.events = e.a.keys()
	return e
}

// each runs f for 0 … n−1 on the workers; f(i) writes only what belongs to i.
func (e *Engine) each(n int, f func(i int)) { parallel(e.o.Workers, n, f) }

func parallel(workers, n int, f func(i int)) {
	if workers == 1 || n < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	wg.Wait()
}

// Forecast of every series for the days o+1 … o+Horizon, knowing sales up to column o only; nil for a
// series that has not begun by then.
func (e *Engine) Forecast(o int) [][]Day {
	e.lookBack(o)
	now := e.recall(o)
	b := e.blend(o)
	var ev *eventFactors
	if e.o.Explain {
		ev = e.learnEvents(o)
	}
	return e.finish(o, now, ev, e.learntAt(o), b, e.spread(o, b), e.gate(o, b))
}

// lookBack recalls the weekly forecasts that weights, spread and correction of column o are learned from.
func (e *Engine) lookBack(o int) {
	first := e.earliest()
	weeks := (e.o.Horizon + 6) / 7
	// The spread is learned from the forecasts of the last twelve weeks, each corrected from the eight before it.
	reach := backtests + weeks + gateWeeks
	for k := reach; k >= 1; k-- {
		if at := o - 7*k; at >= first+warmUp {
			e.recall(at)
		}
	}
	for at := range e.memory {
		if at < o-7*(reach+1) {
			delete(e.memory, at)
		}
	}
}

// finish makes of what the members say at column o means, quantiles and, to be explained by ev and l, parts.
func (e *Engine) finish(o int, said []recalled, ev *eventFactors, l *learnt, b blend, spread *spread, factor float64) [][]Day {
	out := make([][]Day, len(e.p.Series))
	e.each(len(out), func(i int) {
		now := &said[i]
		if now.member[0] == nil {
			return
		}
		out[i] = make([]Day, e.o.Horizon)
		for h := range out[i] {
			mean := b.mean(now, h)
			d := &out[i][h]
			d.Mean = mean * factor
			if e.o.Explain {
				d.Parts.Correction = d.Mean - mean
			}
			spread.quantiles(i, h, d)
		}
		if e.o.Explain {
			e.explain(i, o, now, ev, l, b, out[i])
		}
	})
	return out
}

// earliest column on which anything sold.
func (e *Engine) earliest() int {
	first := e.p.Days
	for i := range e.p.Series {
		first = min(first, e.p.Series[i].Start)
	}
	return first
}
