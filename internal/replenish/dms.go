package replenish

import (
	"math/big"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// The classic chain of speciality shops (specification 04 §7, Suggestion): clean history → daily mean sales → lead time and
// season → a suggestion under the ceiling. Every number of it is on the line.

// DMSDays is how many selling days the mean is of: days on which the shop sold anything, as tea that nobody bought on a day is
// part of its mean. DefaultReview is how long an order lasts beyond the lead time when nobody says so; MostReview the longest.
const (
	DMSDays             = 28
	DefaultReview int64 = 7
	MostReview    int64 = 60
)

// SoldDay is what a product sold on one of the shop's selling days; Out: it ran out on it.
type SoldDay struct {
	Date cal.Date
	Qty  qty.Qty
	Out  bool
}

// DailyMean is daily mean sales (DMS) and what it is of: Sum ÷ Days.
type DailyMean struct {
	Sum     qty.Qty
	Days    int64
	Out     int64 // days left out because it ran out
	Peaks   int64 // days left out because they are above the mean + 3σ of the others with them
	OnlyOut bool  // it ran out on every day: those days are all that is known, and no less was wanted
}

// MeanOf is the mean of selling days, without those on which it ran out and those above the mean + 3σ (σ of all that are left,
// to the exact root). Where it ran out on all of them the mean is of them.
func MeanOf(days []SoldDay) DailyMean {
	var m DailyMean
	var clean []SoldDay
	for _, d := range days {
		if d.Out {
			m.Out++
		} else {
			clean = append(clean, d)
		}
	}
	if len(clean) == 0 && m.Out > 0 {
		clean, m.OnlyOut, m.Out = days, true, 0
	}
	n := big.NewInt(int64(len(clean)))
	sum, squares := new(big.Int), new(big.Int)
	for _, d := range clean {
		q := big.NewInt(int64(d.Qty))
		sum.Add(sum, q)
		squares.Add(squares, q.Mul(q, q))
	}
	// x > S/n + 3σ with σ² = Q/n − S²/n²  ⇔  n·x − S > 0 and (n·x − S)² > 9·(n·Q − S²)
	nine := squares.Mul(squares, n)
	nine.Sub(nine, new(big.Int).Mul(sum, sum)).Mul(nine, big.NewInt(9))
	for _, d := range clean {
		above := new(big.Int).Mul(n, big.NewInt(int64(d.Qty)))
		if above.Sub(above, sum); above.Sign() > 0 && above.Mul(above, above).Cmp(nine) > 0 {
			m.Peaks++
			continue
		}
		m.Sum, m.Days = m.Sum+d.Qty, m.Days+1
	}
	return m
}

// Over is what is expected to sell over so many days at a factor in thousandths: Sum × days × factor ÷ (Days × 1000), rounded
// once, half up.
func (m DailyMean) Over(days, factor int64) qty.Qty {
	if m.Days == 0 || days <= 0 {
		return 0
	}
	n := new(big.Int).Mul(big.NewInt(int64(m.Sum)), big.NewInt(days))
	n.Mul(n, big.NewInt(factor)).Mul(n, big.NewInt(2))
	d := big.NewInt(m.Days * One)
	n.Add(n, d).Div(n, new(big.Int).Mul(d, big.NewInt(2)))
	if !n.IsInt64() || n.Int64() > int64(qty.Max) {
		return qty.Max
	}
	return qty.Qty(n.Int64())
}

// DMSOf is what the chain is worked out from. Quantities are in base units.
type DMSOf struct {
	Mean         DailyMean
	Lead, Review int64 // days
	Factor       int64 // of the season, thousandths
	Safety       qty.Qty
	Available    qty.Qty
	InTransit    qty.Qty
	Ceiling      qty.Qty // Computed: none
}

// DMSLess says why less is suggested than is wanted.
type DMSLess string

// The reasons.
const (
	DMSEnough  DMSLess = ""        // not less
	DMSCeiling DMSLess = "ceiling" // so much fits under the ceiling
	DMSFull    DMSLess = "full"    // what is there and comes is at the ceiling or above it
	DMSPack    DMSLess = "pack"    // the smallest order does not fit under the ceiling
)

// DMSWhy is each step of the chain, in base units.
type DMSWhy struct {
	Days      int64    `json:"days" doc:"selling days that the mean is of, of the last 28"`
	OutDays   int64    `json:"out_days" doc:"left out: it ran out on them"`
	PeakDays  int64    `json:"peak_days" doc:"left out: above the mean + 3σ"`
	OnlyOut   bool     `json:"only_out" doc:"it ran out on all of them, the mean is of them"`
	Sold      qty.Qty  `json:"sold" doc:"on the days of the mean"`
	Mean      qty.Qty  `json:"mean" doc:"daily mean sales, rounded to be shown: sold ÷ days"`
	LeadDays  int64    `json:"lead_days" doc:"until an order comes, with the days its supplier is late by"`
	Review    int64    `json:"review_days"`
	Factor    qty.Qty  `json:"factor" doc:"of the season, as in 1.5"`
	Expected  qty.Qty  `json:"expected" doc:"mean × (lead + review) × factor"`
	Safety    qty.Qty  `json:"safety"`
	Available qty.Qty  `json:"available" doc:"in date when the order comes, less what is reserved"`
	InTransit qty.Qty  `json:"in_transit"`
	Want      qty.Qty  `json:"want" doc:"expected + safety − available − in transit, at least 0"`
	Ceiling   *qty.Qty `json:"ceiling,omitempty" doc:"left out: none"`
	Room      *qty.Qty `json:"room,omitempty" doc:"ceiling − available − in transit, at least 0"`
	Suggested qty.Qty  `json:"suggested" doc:"what is wanted, as far as there is room"`
	Pack      qty.Qty  `json:"pack"`
	MinPacks  int64    `json:"min_packs"`
	Packs     int64    `json:"packs" doc:"whole packs, up, but down to the ceiling"`
	Qty       qty.Qty  `json:"qty"`
	Less      DMSLess  `json:"less,omitempty" enum:"ceiling,full,pack" doc:"why less is ordered than is wanted; empty: it is not"`
}

// Suggest works the chain out to what is suggested, before packs.
func (of DMSOf) Suggest() DMSWhy {
	m := of.Mean
	w := DMSWhy{Days: m.Days, OutDays: m.Out, PeakDays: m.Peaks, OnlyOut: m.OnlyOut, Sold: m.Sum, Mean: m.Over(1, One), LeadDays: of.Lead, Review: of.Review, Factor: qty.Qty(of.Factor),
		Expected: m.Over(of.Lead+of.Review, of.Factor), Safety: of.Safety, Available: of.Available, InTransit: of.InTransit}
	w.Want = min(qty.Max, max(0, w.Expected+w.Safety-w.Available-w.InTransit))
	w.Suggested = w.Want
	if of.Ceiling >= 0 {
		room := max(0, of.Ceiling-w.Available-w.InTransit)
		w.Ceiling, w.Room = &of.Ceiling, &room
		if w.Suggested = min(w.Want, room); w.Suggested < w.Want {
			w.Less = DMSCeiling
			if room == 0 {
				w.Less = DMSFull
			}
		}
	}
	return w
}

// InPacks brings what is suggested to whole packs of so many base units, at least a supplier's minimum: up, but down to what
// fits under the ceiling; nothing where not even the smallest order fits.
func (w DMSWhy) InPacks(pack qty.Qty, least int64) DMSWhy {
	w.Pack, w.MinPacks, w.Packs, w.Qty = pack, least, 0, 0
	if w.Suggested <= 0 || pack <= 0 {
		return w
	}
	w.Packs = max(int64((w.Suggested+pack-1)/pack), least)
	if w.Room != nil && (w.Packs > int64(qty.Max/pack) || qty.Qty(w.Packs)*pack > *w.Room) {
		if w.Packs = int64(*w.Room / pack); w.Packs < max(1, least) {
			w.Packs, w.Less = 0, DMSPack
		}
	}
	if w.Packs > int64(qty.Max/pack) {
		w.Packs = int64(qty.Max / pack)
	}
	if w.Qty = qty.Qty(w.Packs) * pack; w.Less == DMSEnough && w.Qty < w.Want {
		w.Less = DMSCeiling
	}
	return w
}

// Order is a proposal with its quantity by the chain.
func (w DMSWhy) Order(p Proposal) (*Order, error) {
	p.Packs, p.Qty, p.Over = w.Packs, w.Qty, max(0, w.Qty-w.Suggested)
	var err error
	var amount money.Fen
	if amount, err = p.Terms.Amount(w.Packs); err != nil {
		return nil, err
	}
	p.Amount = amount
	return &Order{Proposal: p, Net: w.Suggested}, nil
}
