package forecast

import "math"

// Member (a): weekday × level (planning §1). The weekday index is the mean of the median and of the ratio of
// sums of twelve weeks; the level is exponentially weighted demand over exponentially weighted index, with
// the rate that would have served best so far.

const (
	indexWeeks = 12
	indexFloor = .02
	warmUp     = 28
	fitDays    = 364 // days over which the rate is chosen
)

var levelRates = [...]float64{.03, .06, .1, .15, .2, .3, .4, .55}

// levelFit is member (a) of one series as of one origin.
type levelFit struct {
	index [7]float64
	level float64
	rate  float64
	event []float64 // the calendar's factor per day ahead
}

// weekdayIndex of a series from the twelve weeks up to origin o, days of events left out.
func weekdayIndex(d demand, ef []float64, start, o int, a *almanac) [7]float64 {
	var sum, level [7]float64
	var ratios [7][]float64
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
				ratios[k] = append(ratios[k], y/mean)
			}
		}
	}
	var index [7]float64
	total, n := 0.0, 0.0
	for k := range index {
		if level[k] > 0 {
			index[k] = math.Max(indexFloor, .5*median(ratios[k])+.5*sum[k]/level[k])
			total, n = total+index[k], n+1
		}
	}
	for k := range index {
		switch {
		case n == 0:
			index[k] = 1
		case level[k] > 0:
			index[k] *= n / total
		default: // a weekday never seen open sells like the mean of the others
			index[k] = 1
		}
	}
	return index
}

// special tells whether the calendar moves demand on the day so much that a weekday should not be learned from it.
func special(ef []float64, t int) bool { return ef != nil && math.Abs(ef[t]-1) > .25 }

// fitLevel runs member (a) over the history up to o. ef holds the calendar's factor per column (nil: none).
func fitLevel(d demand, ef []float64, start, o int, index [7]float64, a *almanac) levelFit {
	f := levelFit{index: index}
	var num, den, lost [len(levelRates)]float64
	from := max(start, o-2*fitDays+1)
	seen := 0
	for t := from; t <= o; t++ {
		if d.weight[t] == 0 {
			continue
		}
		i := index[a.weekday[t]]
		if ef != nil {
			i *= ef[t]
		}
		w := d.weight[t]
		if special(ef, t) {
			w *= .3 // what a festival sold says little of ordinary days
		}
		judge := seen >= warmUp && t > o-fitDays && !special(ef, t)
		for k, rate := range levelRates {
			if den[k] > 0 && judge {
				lost[k] += d.weight[t] * math.Abs(d.qty[t]-num[k]/den[k]*i)
			}
			keep := 1 - rate*w
			num[k] = keep*num[k] + rate*w*d.qty[t]
			den[k] = keep*den[k] + rate*w*i
		}
		seen++
	}
	best := 4
	for k := range levelRates {
		if seen > warmUp && lost[k] < lost[best] {
			best = k
		}
	}
	if den[best] > 0 {
		f.level = num[best] / den[best]
	}
	f.rate = levelRates[best]
	return f
}

// factor of the calendar on the day.
func factor(ef []float64, t int) float64 {
	if ef == nil {
		return 1
	}
	return ef[t]
}

// level is member (a) of series i as of column o.
func (e *Engine) level(i, o int, ev *eventFactors) levelFit {
	s := &e.p.Series[i]
	ef := make([]float64, o+e.o.Horizon+1)
	from := max(0, s.Start, o-2*fitDays)
	for t := from; t < len(ef); t++ {
		ef[t] = ev.of(i, e.a, t)
	}
	index := weekdayIndex(e.demand[i], ef, max(s.Start, from), o, e.a)
	f := fitLevel(e.demand[i], ef, s.Start, o, index, e.a)
	f.event = ef[o+1:]
	return f
}
