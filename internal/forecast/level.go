package forecast

import "math"

// Member (a): weekday × level (planning §1). The level is exponentially weighted demand over exponentially
// weighted index, which is Brown's smoothing (1959) made fit for closed days and uneven weekdays.

const (
	indexWeeks  = 26  // a year's half: longer than the level remembers, as weekdays change slowly
	indexShrink = .05 // per unit sold on a weekday: how fast its own index is believed; 20 units weigh as much as the prior
	indexFloor  = .02
	warmUp      = 28
	fitDays     = 364 // days over which the rates are judged
	rateSpread  = .01 // rates whose error is this share above the best weigh 1/e of it
	eventWeight = .3  // of a day in a festival: what it sold says little of ordinary days
)

var levelRates = [...]float64{.03, .06, .1, .15, .2, .3, .4, .55}

// levelFit is member (a) of one series as of one origin.
type levelFit struct {
	index [7]float64
	level float64
	event []float64 // the calendar's factor per day ahead
}

var flatIndex = [7]float64{1, 1, 1, 1, 1, 1, 1}

// weekdayIndex of a series from the weeks up to column o: the mean of the median and of the ratio of sums, shrunk
// to prior where little sold. ef holds the calendar's factor per column (nil: none).
func weekdayIndex(d demand, ef []float64, start, o int, prior [7]float64, a *almanac) [7]float64 {
	var sum, level [7]float64
	var ratios [7][indexWeeks]float64
	var seen [7]int
	for w := 0; w < indexWeeks; w++ {
		end := o - 7*w
		if end-6 < start {
			break
		}
		total, n := 0.0, 0.0
		for t := end - 6; t <= end; t++ {
			if d.weight[t] > 0 && !special(ef, t) {
				total, n = total+d.qty[t]/factor(ef, t), n+1
			}
		}
		if n < 4 || total <= 0 {
			continue
		}
		mean := total / n
		for t := end - 6; t <= end; t++ {
			if d.weight[t] > 0 && !special(ef, t) {
				k := a.weekday[t]
				y := d.qty[t] / factor(ef, t)
				sum[k] += y
				level[k] += mean
				ratios[k][seen[k]] = y / mean
				seen[k]++
			}
		}
	}
	var index [7]float64
	total, n := 0.0, 0.0
	for k := range index {
		if level[k] > 0 {
			index[k] = .5*median(ratios[k][:seen[k]]) + .5*sum[k]/level[k]
			total, n = total+index[k], n+1
		}
	}
	for k := range index {
		own := 0.0
		if level[k] > 0 && total > 0 {
			own = math.Max(indexFloor, index[k]*n/total)
		}
		w := 1 / (1 + indexShrink*level[k]) // 1 for a weekday never seen open
		index[k] = (1-w)*own + w*prior[k]
	}
	return index
}

// special tells whether the calendar moves demand on the day so much that a weekday should not be learned from it.
func special(ef []float64, t int) bool { return ef != nil && math.Abs(ef[t]-1) > .25 }

// factor of the calendar on the day.
func factor(ef []float64, t int) float64 {
	if ef == nil {
		return 1
	}
	return ef[t]
}

// fitLevel runs the level over the history up to column o, at all rates; they are averaged by how well each
// would have served on ordinary days.
func fitLevel(d demand, ef []float64, start, o int, index [7]float64, a *almanac) float64 {
	var num, den, lost [len(levelRates)]float64
	seen := 0
	for t := max(start, o-2*fitDays+1); t <= o; t++ {
		if d.weight[t] == 0 {
			continue
		}
		i, w := index[a.weekday[t]]*factor(ef, t), d.weight[t]
		ordinary := !special(ef, t)
		if !ordinary {
			w *= eventWeight
		}
		judge := seen >= warmUp && t > o-fitDays && ordinary
		for k, rate := range levelRates {
			if judge && den[k] > 0 {
				lost[k] += d.weight[t] * math.Abs(d.qty[t]-num[k]/den[k]*i)
			}
			keep := 1 - rate*w
			num[k] = keep*num[k] + rate*w*d.qty[t]
			den[k] = keep*den[k] + rate*w*i
		}
		seen++
	}
	const usual = 4 // .2, until there is something to judge by
	best := usual
	for k := range levelRates {
		if lost[k] < lost[best] {
			best = k
		}
	}
	if den[best] == 0 {
		return 0
	}
	if lost[best] == 0 {
		return num[best] / den[best]
	}
	level, total := 0.0, 0.0
	for k := range levelRates {
		w := math.Exp((1 - lost[k]/lost[best]) / rateSpread)
		level, total = level+w*num[k]/den[k], total+w
	}
	return level / total
}

// level is member (a) of series i as of column o.
func (e *Engine) level(i, o int, ev *eventFactors) levelFit {
	s := &e.p.Series[i]
	ef := make([]float64, o+e.o.Horizon+1)
	from := max(0, s.Start, o-2*fitDays)
	for t := from; t < len(ef); t++ {
		ef[t] = ev.of(i, e.a, t)
	}
	f := levelFit{event: ef[o+1:]}
	f.index = weekdayIndex(e.demand[i], ef, max(s.Start, from), o, flatIndex, e.a)
	f.level = fitLevel(e.demand[i], ef, s.Start, o, f.index, e.a)
	return f
}

// Beliefs about products that are taken off the shelf.
const (
	endHazard = .003 // share of products that end on a given day
	endTemper = .5   // days without a sale come in clusters: two count as one
	endLook   = 84   // days before the last sale that tell how usual such days are
)

// alive is the probability that a product still sells at column o: after so many open days without a sale, has
// it ended, or is that usual for it? (Bayes, with a constant hazard of ending.)
func (e *Engine) alive(i, o int) float64 {
	r := &e.runs[i]
	last := int(r.lastSale[o])
	if last < 0 {
		return 1
	}
	since := r.n[o+1] - r.n[last+1]
	if since == 0 {
		return 1
	}
	from := max(0, last-endLook+1)
	n, zero := r.n[last+1]-r.n[from], r.zero[last+1]-r.zero[from]
	quiet := math.Pow((zero+.5)/(n+1), since*endTemper)
	return quiet / (quiet + endHazard*since)
}

// smoothRates are the slow, middle and quick level that the regression looks at.
var smoothRates = [3]float64{.05, .15, .4}

// smooth is what was known of a series' level at each column, from that column and earlier ones alone.
type smooth [len(smoothRates)][]float32

func newSmooth(d demand, start int, a *almanac) smooth {
	n := len(d.qty)
	var s smooth
	for k := range s {
		s[k] = make([]float32, n)
	}
	var num, den [len(smoothRates)]float64
	index := flatIndex
	for t := max(start, 0); t < n; t++ {
		if t%7 == 0 && t > start {
			index = weekdayIndex(d, nil, start, t-1, flatIndex, a)
		}
		if w := d.weight[t]; w > 0 {
			if a.event[t] >= 0 {
				w *= eventWeight
			}
			for k, rate := range smoothRates {
				keep := 1 - rate*w
				num[k] = keep*num[k] + rate*w*d.qty[t]
				den[k] = keep*den[k] + rate*w*index[a.weekday[t]]
			}
		}
		for k := range smoothRates {
			if den[k] > 0 {
				s[k][t] = float32(num[k] / den[k])
			}
		}
	}
	return s
}
