package forecast

import "math"

// Demand is what customers wanted, which sales show only where shelves did not run empty and nobody typed a
// wrong figure. The value of a day is settled from that day and earlier ones alone, so it is the same for
// every origin and nothing from the future can enter.

// demand of one series per column. Weight 0: learn nothing from the day (closed, before the first sale, or
// unbelievable); ½: estimated because the product sold out; 1: seen.
type demand struct {
	qty    []float64
	weight []float64
	// firstSeen and sellDays are running facts used to tell a dying product from a slow one.
}

const (
	censorKappa = 15  // prior units behind the forecast when a sell-out time is known; planning §1
	outlierHold = 3   // as many unbelievable days in a row are believed
	outlierMax  = 5.0 // times the highest day of the last eight weeks
	capMax      = 2.5 // times the same, beyond which a day counts as that much
	lookback    = 56
)

// learnDemand turns sales into demand, day by day.
func (s *Series) learnDemand(open []bool, prof *profiles, weekday func(int) int) demand {
	n := len(s.Sold)
	d := demand{qty: make([]float64, n), weight: make([]float64, n)}
	var recent ring // believed demand of the last open days
	doubts := 0
	for t := max(s.Start, 0); t < n; t++ {
		if !open[t] {
			continue
		}
		y := math.Max(s.Sold[t], 0)
		w := 1.0
		top := recent.max()
		if recent.len() >= 7 && y > outlierMax*math.Max(top, 2) {
			// Far outside everything seen. One such day is a slip of the keyboard; several are the new truth.
			if doubts++; doubts < outlierHold {
				continue
			}
			recent = ring{}
		} else {
			doubts = 0
		}
		if s.SoldOut != nil && s.SoldOut[t] >= 0 {
			y, w = unsold(y, recent.sameWeekday(t, weekday(t), weekday), prof.share(s, t, int(s.SoldOut[t]))), 0.5
		}
		d.qty[t], d.weight[t] = y, w
		recent.add(t, y)
	}
	return d
}

// unsold is the expected demand of a day that sold out after the share f of a day's demand had come: sold
// plus what would have come, by the Gamma-Poisson posterior of the day's pace with prior mean mu (planning
// §1). Taking the greater of sold and forecast instead would keep a low forecast low for ever.
func unsold(sold, mu, f float64) float64 {
	if mu <= 0 {
		mu = sold
	}
	return sold + mu*(1-f)*(censorKappa+sold)/(censorKappa+mu*f)
}

// ring remembers the believed demand of the last eight weeks.
type ring struct {
	at  [lookback]int
	qty [lookback]float64
	n   int // ever added
}

func (r *ring) add(t int, y float64) {
	r.at[r.n%lookback], r.qty[r.n%lookback] = t, y
	r.n++
}

func (r *ring) len() int { return min(r.n, lookback) }

func (r *ring) max() float64 {
	m := 0.0
	for _, q := range r.qty[:r.len()] {
		m = math.Max(m, q)
	}
	return m
}

// sameWeekday is the mean demand expected on a day: the last eight weeks' level times what its weekday is to
// the others, shrunk by four weeks' worth of an even week.
func (r *ring) sameWeekday(t, wd int, weekday func(int) int) float64 {
	if r.n == 0 {
		return 0
	}
	var all, same, nAll, nSame float64
	for i := range r.len() {
		w := math.Exp2(-float64(t-r.at[i]) / 28)
		all, nAll = all+w*r.qty[i], nAll+w
		if weekday(r.at[i]) == wd {
			same, nSame = same+w*r.qty[i], nSame+w
		}
	}
	level := all / nAll
	return (same + level) / (nSame + 1)
}
