package forecast

import "math"

// The within-day profile: which share of a day's demand comes in each half hour. Shares of a product are
// shrunk to those of its shop, these to a general shape, with 50 units' worth of belief each (planning §1). Between them stands
// what the product does on the other kind of day: a week of workdays says more of what is bought for supper, also on a Sunday,
// than what the shop sells besides, most of it for breakfast.

const profileKappa = 50

// dayShape is the general shape where no time of sale was ever seen: a food shop open from seven to
// twenty-one with its noon and evening peaks. Relative weights per half hour.
var dayShape = func() (shape [daySlots]float64) {
	sum := 0.0
	for k := range shape {
		h := (float64(k) + .5) / 2
		if h > 7 && h < 21 {
			shape[k] = 1 + .5*math.Exp(-(h-12)*(h-12)/4) + .4*math.Exp(-(h-18)*(h-18)/4)
		} else if h > 6 && h < 23 {
			shape[k] = .2
		}
		sum += shape[k]
	}
	for k := range shape {
		shape[k] /= sum
	}
	return shape
}()

// profiles holds the shares per shop and series for each period. A day knows the periods that ended before it; one
// that comes after all data also knows the period it is in, or a shop would wait four weeks for the shape of its own day.
type profiles struct {
	first   int // day number of column 0
	days    int // columns with history
	weekend func(col int) bool
	shop    map[int][]SlotSum
}

func newProfiles(p *Panel) *profiles {
	pr := &profiles{first: p.First.Number(), days: p.Days, shop: map[int][]SlotSum{}}
	pr.weekend = func(col int) bool { return p.weekday(col) >= 5 }
	type key struct {
		shop, period int
		weekend      bool
	}
	sums := map[key]*SlotSum{}
	var order []key
	for i := range p.Series {
		s := &p.Series[i]
		total := float32(0)
		for _, x := range s.Slots {
			for _, q := range x.Qty {
				total += q
			}
		}
		if total == 0 {
			continue
		}
		for _, x := range s.Slots {
			k := key{s.Shop, x.Period, x.Weekend}
			sum := sums[k]
			if sum == nil {
				sum = &SlotSum{Period: x.Period, Weekend: x.Weekend}
				sums[k] = sum
				order = append(order, k)
			}
			for h, q := range x.Qty {
				sum.Qty[h] += q
			}
		}
	}
	for _, k := range order {
		pr.shop[k.shop] = append(pr.shop[k.shop], *sums[k])
	}
	return pr
}

// shares of the day in half hours for a series on column t, from the last three whole periods that ended before t
// (8–12 weeks) and, after all data, from what there is of the present one.
func (pr *profiles) shares(s *Series, t int) [daySlots]float64 {
	period := (pr.first + t) / slotPeriod
	last := period - 1
	if t >= pr.days {
		last = period
	}
	weekend := pr.weekend(t)
	out := dayShape
	for _, level := range [...]struct {
		of      []SlotSum
		weekend bool
	}{{pr.shop[s.Shop], weekend}, {s.Slots, !weekend}, {s.Slots, weekend}} {
		var sum, ended [daySlots]float64
		for _, x := range level.of {
			if x.Weekend == level.weekend && x.Period <= last && x.Period >= period-3 {
				for h, q := range x.Qty {
					sum[h] += float64(q)
					ended[h] += float64(x.Ended[h])
				}
			}
		}
		out = shrunk(sum, ended, out)
	}
	return out
}

// shrunk are the shares that follow from what sold, with a belief in those of the level above. From half hour to half hour the
// day grows by what came in it, against what had come before on the days that could still sell: a day that was sold out says
// nothing of the rest, where counting it would make every product that runs out look like breakfast. Where no day was sold
// out that is (sold + 50 × above) ÷ (all sold + 50).
func shrunk(sold, ended, above [daySlots]float64) (out [daySlots]float64) {
	var grown, before float64 // the day so far, and what of it is known
	for h := range out {
		came := sold[h] + profileKappa*above[h]
		out[h] = came
		if before > 0 {
			out[h] = grown * came / before
		}
		grown += out[h]
		before = max(0, before+came-ended[h])
	}
	for h := range out {
		out[h] /= grown
	}
	return out
}

// share of a day's demand that has come by a minute of the day, at least 2 %, at most all.
func (pr *profiles) share(s *Series, t, minute int) float64 {
	sh := pr.shares(s, t)
	f := 0.0
	for h := range sh {
		start := h * 30
		if start+30 <= minute {
			f += sh[h]
		} else if start < minute {
			f += sh[h] * float64(minute-start) / 30
		}
	}
	return math.Min(math.Max(f, .02), 1)
}
