package replenish

import (
	"math"
	"math/big"
	"time"

	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Making goes by whole batches. Whether the last one is made is a question of what it earns (planning §4.5).

// Worth is what one base unit of a product costs and sells for, in ten-thousandths of a fen; Cost 0: not known.
type Worth struct{ Cost, Price int64 }

// WorthOf is the same of exact figures; nil: not known.
func WorthOf(cost, price *big.Rat) Worth {
	var w Worth
	if cost != nil && price != nil {
		w.Cost, w.Price = int64(Rounded(cost)), int64(Rounded(price))
	}
	return w
}

// RoundingWhy is why a quantity was rounded up or down to whole batches.
type RoundingWhy struct {
	Down    qty.Qty    `json:"down"`
	Up      qty.Qty    `json:"up"`
	Sold    qty.Qty    `json:"sold" doc:"of the last batch, expected to be sold to who would else go away"`
	Wasted  qty.Qty    `json:"wasted" doc:"and to be thrown away"`
	MissFen money.Fen4 `json:"miss_fen4" doc:"what one missed sale costs: the margin, or more where the service level says so; ten-thousandths of a fen"`
	CostFen money.Fen4 `json:"cost_fen4" doc:"what one thrown away costs"`
	ByLevel bool       `json:"by_level" doc:"the service level holds a missed sale for dearer than its margin"`
	GainFen money.Fen  `json:"gain_fen" doc:"what the last batch earns; above 0 it is made"`
}

// missed is what a missed sale costs: its margin, or what the service level says by being so high, if that is more.
func (w Worth) missed(tau float64) (each float64, byLevel bool) {
	margin := math.Max(0, float64(w.Price-w.Cost))
	said := float64(w.Cost) * tau / (1 - tau)
	return math.Max(margin, said), said > margin
}

// between is how much of what lies between two quantities is expected to be asked for.
func (c Chance) between(from, to float64) (sum float64) {
	for _, x := range c.at {
		sum += (math.Min(math.Max(x, from), to) - from) / chances
	}
	return sum
}

// byProfit rounds what is wanted to whole batches: up where the last batch earns more from sales that would be missed now than
// it costs by what its life leaves of it, down where it earns less, to the nearest where it is the same. now is the demand
// until the next round, within that of its whole life.
func (w Worth) byProfit(want, have, batch qty.Qty, tau float64, now, within Chance) (qty.Qty, *RoundingWhy) {
	down := want / batch * batch
	if want <= 0 || down == want {
		return max(0, down), nil
	}
	up := down + batch
	from, to := (have + down).Approx(), (have + up).Approx()
	sold, wasted := now.between(from, to), to-from-within.between(from, to)
	miss, byLevel := w.missed(tau)
	gain := miss*sold - float64(w.Cost)*wasted
	why := &RoundingWhy{Down: down, Up: up, Sold: qty.Nearest(sold), Wasted: qty.Nearest(wasted), MissFen: money.Fen4(math.Round(miss)), CostFen: money.Fen4(w.Cost), ByLevel: byLevel,
		GainFen: money.Fen(math.Round(gain / 10_000))}
	const tie = .5 // of a ten-thousandth of a fen: what sums in another order may differ by
	switch {
	case gain > tie:
		return up, why
	case gain < -tie:
		return down, why
	}
	return nearestBatch(want, batch), why
}

// within is the demand of a life that begins with a half hour of the day.
func (c Chance) within(d Demand, from int, life time.Duration) Chance {
	slots := int(min(life/(30*time.Minute), 48*mostLifeDays))
	share := shareOf(d.Shares, Round{1, from, from + slots})
	day := c.part(min(1, share))
	if n := lifeDays(life); n > 1 {
		return day.plus(c.days(n - 1))
	}
	return day
}
