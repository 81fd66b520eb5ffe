package replenish

import (
	"math"
	"time"

	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/stats"
)

// Demand is a day's forecast for one product in one store, in base units, with the share of the day that
// falls into each half hour after midnight (a late business day passes 48).
type Demand struct {
	Mean     float64
	Quantile float64   // at Tau
	Tau      float64   // .5 … .97
	Shares   []float64 // by half hour, adding up to 1; nil: the whole day at once
	Factor   int64     // thousandths by which what is wanted is raised; 0: as it is
	Chance   *Chance   // its distribution, factor included; nil: batches are rounded to the nearest
	Spreads  float64   // standard deviation ÷ mean, whatever level is set; 0: as the quantile tells
}

// raised is a quantity by the demand's factor.
func (d Demand) raised(q qty.Qty) qty.Qty {
	if d.Factor == 0 || d.Factor == One {
		return q
	}
	return Times(q, d.Factor)
}

// Expected is its mean, with its factor.
func (d Demand) Expected() qty.Qty { return qty.Nearest(d.settled().Mean) }

// DemandOf is a forecast in thousandths of the base unit as demand.
func DemandOf(mean, quantile qty.Qty, tau float64, shares []float64) Demand {
	return Demand{Mean: mean.Approx(), Quantile: quantile.Approx(), Tau: tau, Shares: shares}
}

// DemandOfLife is the same of a product that keeps so long, at the quantile its life asks for.
func DemandOfLife(mean qty.Qty, quantile func(tau float64) qty.Qty, life time.Duration, shares []float64) Demand {
	tau := Tau(life)
	return DemandOf(mean, quantile(tau), tau, shares)
}

// Forever is the life of what keeps for ever.
const Forever = 10 * 366 * 24 * time.Hour

// Life is the time from making to expiry of a product whose shelf life is so many hours; 0 keeps for ever.
func Life(hours int64) time.Duration {
	if hours <= 0 {
		return Forever
	}
	return time.Duration(hours) * time.Hour
}

// Tau is the default service quantile by life: food of one day is cheap to run out of, food of three days
// is cheap to keep (design: .70, .90, .95).
func Tau(life time.Duration) float64 {
	switch {
	case life <= 24*time.Hour:
		return .70
	case life <= 48*time.Hour:
		return .90
	}
	return .95
}

// Round is one time of making in a day: what is ready at From is sold until To (half hours after midnight).
type Round struct {
	No       int64
	From, To int
}

// The rounds of a day: morning, noon, afternoon, evening (早/午/下午/晚).
var dayRounds = []Round{{1, 0, 21}, {2, 21, 28}, {3, 28, 34}, {4, 34, 96}}

// Rounds is how often a product is made in a day by its life: what keeps for a day is made once, what
// keeps for half a day twice, anything shorter in every round.
func Rounds(life time.Duration) []Round {
	switch {
	case life >= 24*time.Hour:
		return []Round{{1, 0, 96}}
	case life >= 12*time.Hour:
		return []Round{{1, 0, 28}, {2, 28, 96}}
	}
	return dayRounds
}

// RoundPlan is what to make for one round, in thousandths of the base unit.
type RoundPlan struct {
	Round    Round
	Mean     qty.Qty // expected to be asked for in the round
	Quantile qty.Qty // wanted on the tray: the quantile of the round's demand
	OnHand   qty.Qty // of it there already, or expected to be left from the round before
	Make     qty.Qty // rounded to a whole batch
	Rounding *RoundingWhy
	Capacity *CapacityWhy // nil: it fits
}

// Batches on the tray: how much, and until when it may be sold.
type Batch struct {
	Qty   qty.Qty
	Until int // half hours after midnight of the day
}

// PlanRounds sizes the rounds of a day. The quantile of a round has the day's own spread on its share and
// Poisson noise of its own (planning §1); what is expected to be left of a round and is still in life
// counts for the next. Making is rounded to the nearest batch: rounding up was measured to cost more.
func PlanRounds(d Demand, life time.Duration, tray []Batch, batch qty.Qty) []RoundPlan {
	plan, _ := planRounds(d, Good{Life: life, Batch: batch}, tray, 0, nil, nil)
	return plan
}

// planRounds plans the rounds that end after the half hour from. Of a round that somebody has decided on,
// the quantity stays: 0 for one that is made already; of others no more is made than fits into the equipment. It also returns what is expected on the tray when
// the day is over.
func planRounds(d Demand, g Good, tray []Batch, from int, decided, fits map[int64]qty.Qty) ([]RoundPlan, []Batch) {
	life := g.Life
	rounds := Rounds(life)
	out := make([]RoundPlan, 0, len(rounds))
	stock := append([]Batch(nil), tray...)
	day, noise := variances(d)
	for _, r := range rounds {
		if r.To <= from {
			continue
		}
		now := Round{r.No, max(r.From, from), r.To}
		share := shareOf(d.Shares, now)
		if now.From == 0 && len(rounds) == 1 {
			share = 1
		}
		mean, want := d.Mean*share, d.Quantile
		if share != 1 {
			want = mean + score(d.Tau)*math.Sqrt(share*share*day+share*noise)
		}
		p := RoundPlan{Round: r, Mean: d.raised(qty.Nearest(mean)), Quantile: d.raised(qty.Nearest(max(0, want)))}
		for _, b := range stock {
			if b.Until > now.From {
				p.OnHand += b.Qty
			}
		}
		if q, ok := decided[r.No]; ok {
			p.Make = q
		} else {
			p.Make, p.Rounding = g.batches(d, p, now, share)
			if most, ok := fits[r.No]; ok {
				p.Make = min(p.Make, most)
			}
		}
		if p.Make > 0 {
			stock = append(stock, Batch{p.Make, max(now.From, opens(d.Shares)) + int(life/(30*time.Minute))})
		}
		stock = sell(stock, p.Mean, now)
		out = append(out, p)
	}
	return out, stock
}

// variances splits the variance of a day's demand, as its quantile tells it, into what moves the whole day
// and Poisson noise, of which each part of the day has its share.
func variances(d Demand) (day, noise float64) {
	z := score(d.Tau)
	if z <= 0 {
		return 0, d.Mean
	}
	sd := max(0, d.Quantile-d.Mean) / z
	noise = min(d.Mean, sd*sd)
	return sd*sd - noise, noise
}

// variance of a demand whose quantile at tau is known.
func variance(mean, quantile, tau float64) float64 {
	z := score(tau)
	if z <= 0 {
		return mean
	}
	sd := max(0, quantile-mean) / z
	return sd * sd
}

// score is the standard normal quantile within the service levels that make sense.
func score(tau float64) float64 {
	return stats.NormalScore(min(.97, max(.5, tau)))
}

func shareOf(shares []float64, r Round) float64 {
	if shares == nil {
		if r.No == 1 {
			return 1
		}
		return 0
	}
	var sum float64
	for i := r.From; i < min(r.To, len(shares)); i++ {
		sum += shares[i]
	}
	return sum
}

// opens is the first half hour in which anything is asked for: nothing is made before.
func opens(shares []float64) int {
	for i, s := range shares {
		if s > 0 {
			return i
		}
	}
	return 0
}

// sell takes the round's expected demand off the trays, earliest end first.
func sell(stock []Batch, demand qty.Qty, r Round) []Batch {
	for demand > 0 {
		first := -1
		for i, b := range stock {
			if b.Qty > 0 && b.Until > r.From && (first < 0 || b.Until < stock[first].Until) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		taken := min(demand, stock[first].Qty)
		stock[first].Qty -= taken
		demand -= taken
	}
	return stock
}

// batches is what is made of what a round lacks.
func (g Good) batches(d Demand, p RoundPlan, now Round, share float64) (qty.Qty, *RoundingWhy) {
	want := p.Quantile - p.OnHand
	if d.Chance == nil || g.Worth.Cost <= 0 || g.Batch <= qty.Scale {
		return nearestBatch(want, g.Batch), nil
	}
	return g.Worth.byProfit(want, p.OnHand, g.Batch, d.Tau, d.Chance.part(share), d.Chance.within(d, now.From, g.Life))
}

// nearestBatch rounds to whole batches, halves up; without a batch size to whole units.
func nearestBatch(want, batch qty.Qty) qty.Qty {
	if want <= 0 {
		return 0
	}
	if batch <= 0 {
		batch = qty.Scale
	}
	return (want + batch/2) / batch * batch
}
