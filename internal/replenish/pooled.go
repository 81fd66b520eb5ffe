package replenish

import (
	"math"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// One safety stock for a material that goes into several products (planning §1, "Order quantity"). Where a product is made
// ahead and kept, its own quantile is the buffer, and what it takes of a material is known. Where it is made as it sells, in
// rounds, nobody knows in the morning what the later rounds will take: the day's plan has their mean, and the material holds
// what they may take beyond it, once for all products together.
//
//	σ² = Σ(bᵢσᵢ)² + ρ·Σ_{i≠j} bᵢσᵢ·bⱼσⱼ        safety = z(service level of the material) · √Σ_days σ² − Σ_days Σ bᵢmᵢ
//
// bᵢ is what one unit of product i takes of the material through all levels, losses included; σᵢ the standard deviation of what
// is sold of it before its last open round begins, which is what rounds make up for. That round is made to its quantile, which the
// plan's own figure has. Nothing is made up for that nobody could buy: what a round sells ends with its tray, so that it sells mᵢ
// less in the mean than the plan takes away, and spreads less. The safety is never below 0: there is always what the plan takes.
// The days are those from now to the one that is ordered for, as far as the material keeps: what they move apart adds up.

// ρ where nothing is known of a store, and the bounds of what is learned. The error of a store's day falls less against that
// of its items than it would if they moved apart (planning §3.2: .151 against .192, and .091 against .140, of some 6 to 8
// products): (store ÷ item)² = ρ + (1 − ρ) ÷ n gives .55 and .30.
const (
	DefaultTogether = 400_000 // millionths, as all of ρ
	MostTogether    = 800_000
	togetherWeight  = 14 // days for which the default counts
)

// Together is ρ of a store whose products were seen to move together so far on so many days: the default counts for a fortnight.
func Together(seen int64, days int) int64 {
	n := int64(max(0, days))
	return min(MostTogether, max(0, (n*seen+togetherWeight*DefaultTogether)/(n+togetherWeight)))
}

// SpreadOf is a forecast's standard deviation ÷ its mean, read at one quantile whatever service level is set, so that a level that
// is raised never makes goods look steadier.
func SpreadOf(mean qty.Qty, quantile func(tau float64) qty.Qty) float64 {
	const at = .90
	if mean <= 0 {
		return 0
	}
	return math.Sqrt(variance(mean.Approx(), quantile(at).Approx(), at)) / mean.Approx()
}

// Spreading says how far a demand spreads: a forecast by so much of its mean, and not what others have ordered for certain.
func (d Demand) Spreading(spreads float64, firm qty.Qty) Demand {
	if d.Mean > 0 {
		d.Spreads = spreads * max(0, d.Mean-firm.Approx()) / d.Mean
	}
	return d
}

// Pooled is the safety of a material on a day and what it was worked out from.
type Pooled struct {
	Safety   qty.Qty
	Level    int64 // of service, in ten-thousandths
	Together int64
	Days     int
	Sigma    float64 // of all days together, in base units of the material
	Missed   float64 // Σ bᵢmᵢ of all days
	Parts    []PooledPart
}

// PooledPart is what one product that is made as it sells brings on the day.
type PooledPart struct {
	Product id.ID
	Makes   qty.Qty // planned, which is the mean
	Sigma   qty.Qty // of what will be made of it, in its own base unit
	Takes   qty.Qty // the same of the material: b·σ
}

// swing is how far what is made of a product on a day may be from its plan: one standard deviation, in base units.
type swing struct {
	product       id.ID
	makes         qty.Qty
	sigma, missed float64
}

// swing is the standard deviation of what is sold between now and the beginning of the last round that is still open, and how
// much is asked for in vain until then. 0: nothing is made after anything is sold.
func (d Demand) swing(rounds []Round, from int, decided map[int64]qty.Qty) (sigma, missed float64) {
	last := -1
	for _, r := range rounds {
		if _, ok := decided[r.No]; !ok && r.To > from {
			last = r.From
		}
	}
	if last <= from {
		return 0, 0
	}
	d = d.settled()
	day, noise := variances(d)
	if d.Spreads > 0 {
		v := d.Mean * d.Mean * d.Spreads * d.Spreads
		noise = min(d.Mean, v)
		day = v - noise
	}
	spread := func(share float64) float64 { return math.Sqrt(share*share*day + share*noise) }
	below, rest := cut(score(d.Tau))
	for _, r := range rounds {
		if r.To > from && r.To <= last {
			missed += rest * spread(shareOf(d.Shares, Round{1, max(r.From, from), r.To}))
		}
	}
	return math.Sqrt(below) * spread(shareOf(d.Shares, Round{1, from, last})), missed
}

// cut is what is left of a standard normal that ends at z: its variance, and by how much its mean is below 0.
func cut(z float64) (variance, below float64) {
	density, above := math.Exp(-z*z/2)/math.Sqrt(2*math.Pi), .5*math.Erfc(z/math.Sqrt2)
	below = density - z*above
	return 1 - above - z*density + z*z*above - below*below, below
}

// part is what a day brings to the safety of a material.
type part struct{ variance, missed float64 }

// pool works out the safety of materials while a plan is exploded.
type pool struct {
	site   *Site
	day    Day
	swings map[id.ID]swing
	takes  map[id.ID]map[id.ID]float64 // of a product or material: b·σ by the product that is made as it sells
	held   map[id.ID]*Pooled
}

func (s *Site) pool(day Day, swings []swing) *pool {
	p := &pool{site: s, day: day, held: map[id.ID]*Pooled{}}
	if s.Service == nil || len(swings) == 0 && len(s.swings) == 0 {
		return p
	}
	p.swings, p.takes = map[id.ID]swing{}, map[id.ID]map[id.ID]float64{}
	for _, w := range swings {
		p.swings[w.product] = w
	}
	if s.swings == nil {
		s.swings = map[id.ID][]part{}
	}
	return p
}

// safety is what the cookbook asks; nil: nothing is held.
func (p *pool) safety() func(catalog.Requirement) qty.Qty {
	if p.takes == nil {
		return nil
	}
	return p.of
}

// of is the safety of one product whose uses are all known. What is made here holds none: its materials do.
func (p *pool) of(r catalog.Requirement) qty.Qty {
	takes := map[id.ID]float64{}
	if w, ok := p.swings[r.Product]; ok {
		takes[r.Product] = w.sigma
	}
	for _, u := range r.Uses {
		if len(p.takes[u.Product]) == 0 {
			continue
		}
		b, _ := u.Each().Float64()
		for product, sigma := range p.takes[u.Product] {
			takes[product] += b * sigma
		}
	}
	p.takes[r.Product] = takes
	s := p.site
	if r.Made || s.Static != nil && s.Static(r.Product) {
		return 0
	}
	if len(takes) == 0 && len(s.swings[r.Product]) == 0 {
		return 0
	}
	var parts []PooledPart
	var sum, squares, missed float64
	for product, x := range takes {
		w := p.swings[product]
		parts = append(parts, PooledPart{product, w.makes, qty.Nearest(w.sigma), qty.Nearest(x)})
	}
	slices.SortFunc(parts, func(a, b PooledPart) int {
		if a.Product < b.Product {
			return -1
		}
		return 1
	})
	for _, part := range parts { // in order: sums of floats are not the same in any
		x := takes[part.Product]
		sum, squares = sum+x, squares+x*x
		if w := p.swings[part.Product]; w.sigma > 0 {
			missed += x / w.sigma * w.missed
		}
	}
	together := float64(s.Together) / 1e6
	days := append(s.swings[r.Product], part{(1-together)*squares + together*sum*sum, missed})
	s.swings[r.Product] = days
	if keeps := int(lifeDays(s.Good(r.Product).Life)); len(days) > keeps {
		days = days[len(days)-keeps:]
	}
	var all part
	for _, d := range days {
		all.variance, all.missed = all.variance+d.variance, all.missed+d.missed
	}
	level := s.Service(r.Product)
	safety := qty.Nearest(score(float64(level)/bp)*math.Sqrt(all.variance) - all.missed)
	if safety <= 0 || !s.inTime(r.Product, p.day) {
		return 0
	}
	p.held[r.Product] = &Pooled{Safety: safety, Level: level, Together: s.Together, Days: len(days), Sigma: math.Sqrt(all.variance), Missed: all.missed, Parts: parts}
	return safety
}

// inTime tells whether anybody can still bring a product by a day. A safety that nobody can bring is not worth a line that is
// late: stock is there to be used.
func (s *Site) inTime(product id.ID, day Day) bool {
	if from, ok := s.Sources[product]; ok {
		return !from.OrderBy(day.Date).Before(day.Now)
	}
	for _, t := range s.Terms[product] {
		if !t.OrderBy(day.Date).Before(day.Now) {
			return true
		}
	}
	return false
}

// PooledWhy is what the safety of a material was worked out from.
type PooledWhy struct {
	LevelBP     int64          `json:"level_bp" doc:"how often the material should be enough, in ten-thousandths"`
	TogetherPPM int64          `json:"together_ppm" doc:"how far products of the store move together: ρ, in millionths"`
	Days        int64          `json:"days" doc:"from now to the day that is ordered for, as far as the material keeps"`
	Sigma       qty.Qty        `json:"sigma" doc:"one standard deviation of what is taken in these days, all products together"`
	Missed      qty.Qty        `json:"missed" doc:"what the plan has for sales that rounds before the last will miss: they end with their trays"`
	Parts       []PooledByWhat `json:"parts" doc:"products that are made as they sell, of this day"`
}

// PooledByWhat is one product's part of it.
type PooledByWhat struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Unit      string  `json:"unit"`
	Makes     qty.Qty `json:"makes" doc:"planned, which is the mean"`
	Sigma     qty.Qty `json:"sigma" doc:"one standard deviation of it, in unit"`
	Takes     qty.Qty `json:"takes" doc:"the same of the material, losses included"`
}

// Why is what screens see of it; named adds what a product is called.
func (p *Pooled) Why(named func(id.ID) (code, name, unit string)) *PooledWhy {
	if p == nil {
		return nil
	}
	w := &PooledWhy{LevelBP: p.Level, TogetherPPM: p.Together, Days: int64(p.Days), Sigma: qty.Nearest(p.Sigma), Missed: qty.Nearest(p.Missed), Parts: []PooledByWhat{}}
	for _, x := range p.Parts {
		of := PooledByWhat{ProductID: x.Product, Makes: x.Makes, Sigma: x.Sigma, Takes: x.Takes}
		of.Code, of.Name, of.Unit = named(x.Product)
		w.Parts = append(w.Parts, of)
	}
	return w
}
