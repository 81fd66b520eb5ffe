package forecast

import "math"

// What the calendar does to demand. A day's place in a festival has a factor: learned from how earlier
// occurrences stood to the level around them, first over all series of the panel, then for each series,
// each shrunk to the wider one by how much was seen (normal-normal in the ratio: the variance of one
// occurrence is that of counts plus that of days).

const (
	dayVar    = .08 // of one day's ratio beyond counting noise
	eventVar  = .03 // of one occurrence of an event, shared by all series
	rankVar   = .15 // between events of a kind
	seriesVar = .06 // between series under one event
	minFactor = .05
	maxFactor = 8
)

// occurrence sums of one event key: demand and what the level would have given.
type eventSum struct {
	got, base float64
	n         int
}

// levelAround runs the level over ordinary days, forwards and backwards, and gives for every event day up to
// o what demand would have been without the event.
func levelAround(d demand, a *almanac, index [7]float64, start, o int, visit func(t int, base float64)) {
	const rate = .1
	n := o - start + 1
	if n < 2*warmUp {
		return
	}
	before := make([]float64, n)
	var num, den float64
	for t := start; t <= o; t++ {
		before[t-start] = math.NaN()
		if den > 0 {
			before[t-start] = num / den
		}
		if d.weight[t] > 0 && a.event[t] < 0 {
			i := index[a.weekday[t]]
			num, den = (1-rate)*num+rate*d.qty[t], (1-rate)*den+rate*i
		}
	}
	num, den = 0, 0
	for t := o; t >= start; t-- {
		if d.weight[t] > 0 && a.event[t] >= 0 {
			base, m := 0.0, 0.0
			if v := before[t-start]; t-start >= warmUp && !math.IsNaN(v) {
				base, m = base+v, m+1
			}
			if den > 0 && o-t >= 14 {
				base, m = base+num/den, m+1
			}
			if m > 0 {
				visit(t, base/m*index[a.weekday[t]])
			}
		}
		if d.weight[t] > 0 && a.event[t] < 0 {
			i := index[a.weekday[t]]
			num, den = (1-rate)*num+rate*d.qty[t], (1-rate)*den+rate*i
		}
	}
}

// eventKey is one place in a festival that occurs on the panel's days.
type eventKey struct {
	key  int32
	rank int8
}

// keys of all event days in the order they first occur.
func (a *almanac) keys() []eventKey {
	var keys []eventKey
	seen := map[int32]bool{}
	for t, k := range a.event {
		if k >= 0 && !seen[k] {
			seen[k] = true
			keys = append(keys, eventKey{k, a.rank[t]})
		}
	}
	return keys
}

// eventFactors are the learned factors of a panel as of one origin.
type eventFactors struct {
	key  map[int32]float64
	rank [ranks]float64
	own  []map[int32]eventSum // per series
}

const eventYears = 3 * 365 // days from which the factors are learned

// ownEvents sums up what each series did on event days up to o.
func (e *Engine) ownEvents(o int) []map[int32]eventSum {
	all := make([]map[int32]eventSum, len(e.p.Series))
	from := max(0, o-eventYears)
	e.each(len(all), func(i int) {
		s := &e.p.Series[i]
		if s.Start > o || len(e.events) == 0 {
			return
		}
		own := map[int32]eventSum{}
		all[i] = own
		index := weekdayIndex(e.demand[i], nil, s.Start, o, flatIndex, e.a)
		levelAround(e.demand[i], e.a, index, max(s.Start, from), o, func(t int, base float64) {
			x := own[e.a.event[t]]
			x.got += e.demand[i].qty[t]
			x.base += base
			x.n++
			own[e.a.event[t]] = x
		})
	})
	return all
}

// learnEvents learns the factors from the last three years up to o.
func (e *Engine) learnEvents(o int) *eventFactors {
	n := len(e.p.Series)
	f := &eventFactors{key: map[int32]float64{}, own: e.ownEvents(o)}
	from := max(0, o-eventYears)
	times := map[int32]float64{}
	for t := from; t <= o; t++ {
		if k := e.a.event[t]; k >= 0 {
			times[k]++
		}
	}
	// Over all series: each counts by the root of its size, between one vote each and all votes to the largest.
	total := map[int32]eventSum{}
	var kinds [ranks]eventSum
	for _, k := range e.events {
		var x eventSum
		for i := range n {
			if s, ok := f.own[i][k.key]; ok && s.base > 0 {
				w := 1 / math.Sqrt(s.base/float64(s.n)+.1)
				x.got, x.base, x.n = x.got+w*s.got, x.base+w*s.base, x.n+s.n
			}
		}
		if x.base > 0 {
			total[k.key] = x
			kinds[k.rank].got += times[k.key] * x.got / x.base
			kinds[k.rank].base += times[k.key]
		}
	}
	for r := range f.rank {
		f.rank[r] = (kinds[r].got + 1) / (kinds[r].base + 1) // one ordinary day as prior
	}
	f.rank[rankNear] = 1 // what one festival's eve does says nothing of another's
	for _, k := range e.events {
		if x, ok := total[k.key]; ok {
			noise := eventVar/math.Max(1, times[k.key]) + (dayVar+1)/float64(x.n)
			w := rankVar / (rankVar + noise)
			f.key[k.key] = clampFactor(w*x.got/x.base + (1-w)*f.rank[k.rank])
		}
	}
	return f
}

func clampFactor(x float64) float64 { return math.Min(math.Max(x, minFactor), maxFactor) }

// of gives the factor of column t for one series.
func (f *eventFactors) of(series int, a *almanac, t int) float64 {
	key := a.event[t]
	if key < 0 {
		return 1
	}
	x, ok := f.key[key]
	if !ok {
		x = f.rank[a.rank[t]]
	}
	if s, ok := f.own[series][key]; ok && s.base > 0 {
		w := seriesVar / (seriesVar + x*x*dayVar/float64(s.n) + x/s.base)
		x = w*s.got/s.base + (1-w)*x
	}
	return clampFactor(x)
}
