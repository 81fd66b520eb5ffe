// Package clear sells what nears its expiry (动态出清): when a batch is marked down, how deep, when it
// is sold two for one, when it comes off sale; and it learns how people answer to lower prices.
package clear

import (
	"math"
	"time"

	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Phase is where a batch stands on its way to expiry.
type Phase string

const (
	FullPrice Phase = "full_price" // before the first step
	Markdown  Phase = "markdown"   // from the first step
	FreeOne   Phase = "free_one"   // buy one, get one free
	Expired   Phase = "expired"    // off sale
)

// Rule is how a category is cleared. Use Default and change what the category sets.
type Rule struct {
	FirstBefore time.Duration // before expiry the markdown begins
	FreeBefore  time.Duration // before expiry two go for one
	Depths      []int64       // per cent off, rising
	Floor       money.Fen     // of one sales unit: a markdown never goes under it
	FreeUnder   bool          // buy-one-get-one may go under the floor
	Screen      float64       // conversion a plan must exceed to be considered
	Elasticity  float64       // e in demand × (1−d)^−e
	AtOnce      bool          // a step is taken as soon as its time has come, whatever it earns
	NoPairs     bool          // goods by weight have no second piece: they are marked down until expiry
}

// Default is the trade's rule: 6 h, 2 h, 15–30 %, 65 %; the elasticity is the prior of a category
// nothing is known of (design: N(1.8, .5²)).
func Default() Rule {
	return Rule{FirstBefore: 6 * time.Hour, FreeBefore: 2 * time.Hour, Depths: []int64{15, 20, 25, 30}, Screen: .65, Elasticity: 1.8}
}

const (
	fullLife = 12 * time.Hour // from this life on the rule's own times hold
	leastFor = 2 * time.Hour  // below this life there is no markdown, only hold-time control
)

// Window gives the instants of the first step and of buy-one-get-one for a batch. A life under 12 h
// starts at half of it and goes two for one in its last sixth; a life under 2 h has neither.
func (r Rule) Window(made, expires time.Time) (first, free time.Time, ok bool) {
	life := expires.Sub(made)
	switch {
	case life < leastFor:
		return time.Time{}, time.Time{}, false
	case life < fullLife:
		return expires.Add(-life / 2), expires.Add(-life / 6), true
	}
	return expires.Add(-r.FirstBefore), expires.Add(-r.FreeBefore), true
}

// PhaseAt is where the batch stands at an instant; each phase holds from its first instant on.
func (r Rule) PhaseAt(made, expires, at time.Time) Phase {
	first, free, ok := r.Window(made, expires)
	switch {
	case !at.Before(expires):
		return Expired
	case !ok || at.Before(first):
		return FullPrice
	case r.NoPairs || r.FreeBefore == 0 || at.Before(free):
		return Markdown
	}
	return FreeOne
}

// Offer is what a batch is sold for. The zero Offer is the full price.
type Offer struct {
	Depth int64 `json:"depth"` // per cent off
	Free  bool  `json:"free"`  // in pairs the second is free
}

// deeper says whether o gives the customer more than p.
func (o Offer) deeper(p Offer) bool {
	return o.Free && !p.Free || o.Free == p.Free && o.Depth > p.Depth
}

// Price is that of one sales unit under the offer, before any free second: round half up, never under
// the floor, never over the full price.
func (r Rule) Price(full money.Fen, o Offer) money.Fen {
	v, err := money.MulDiv(int64(full), 100-o.Depth, 100)
	if err != nil {
		return full
	}
	return min(full, max(money.Fen(v), r.Floor))
}

// Situation is what is known at a look at a batch.
type Situation struct {
	Made, Expires, At time.Time
	Full              money.Fen // of one sales unit
	Left              qty.Qty   // sales units, thousandths
	Expected          float64   // units that would still be sold until expiry at the full price
	Now               Offer     // what it is sold for at present
	PlannedLeft       float64   // units the plan of the last step wanted to have left now; NaN before the first step
	Stopped           bool      // a person ended further steps
	Tried             func(Offer) (conversion float64, uses int)
	Prior             float64 // conversion of the category where a plan was tried less than leastUses times
}

const leastUses = 20

// Option is one plan that was weighed.
type Option struct {
	Offer      Offer     `json:"offer"`
	Price      money.Fen `json:"price_fen"`
	Conversion float64   `json:"conversion"` // units sold ÷ units offered under such a plan
	Passed     bool      `json:"passed"`     // over the screen
	Sold       float64   `json:"sold"`       // units expected to be sold until expiry
	Earned     float64   `json:"earned_fen"` // fen expected from what is left; its cost is spent either way
}

// Reason says why a look ended as it did.
type Reason string

const (
	ReasonNotYet    Reason = "not_yet"    // before the first step
	ReasonSells     Reason = "sells"      // what is left will sell without a lower price
	ReasonFirst     Reason = "first"      // first markdown
	ReasonBehind    Reason = "behind"     // behind plan: deeper
	ReasonOnPlan    Reason = "on_plan"    // on or ahead of plan: the step is skipped
	ReasonDeepest   Reason = "deepest"    // behind plan, but there is nothing deeper
	ReasonEarns     Reason = "earns"      // a lower price would earn less than the one in force
	ReasonStopped   Reason = "stopped"    // a person ended further steps
	ReasonExpired   Reason = "expired"    // off sale
	ReasonShortLife Reason = "short_life" // a life under 2 h: hold time only
	ReasonGone      Reason = "gone"       // nothing left
	ReasonHeldOut   Reason = "held_out"   // waits one step with its first markdown, to learn what it does
	ReasonNoPrice   Reason = "no_price"   // not sold at this site
)

// Decision is the outcome of one look.
type Decision struct {
	Phase   Phase
	Offer   Offer
	Price   money.Fen
	Changed bool
	Reason  Reason
	Options []Option // what was weighed, in the order of the rule; empty when there was nothing to choose
}

// Decide looks at a batch: at the first step, and every 30 minutes after it. The offer never becomes
// worse for the customer than it is.
func (r Rule) Decide(s Situation) Decision {
	phase := r.PhaseAt(s.Made, s.Expires, s.At)
	d := Decision{Phase: phase, Offer: s.Now, Price: r.Price(s.Full, s.Now)}
	left := s.Left.Approx()
	switch {
	case phase == Expired:
		d.Reason = ReasonExpired
	case left <= 0:
		d.Reason = ReasonGone
	case s.Stopped:
		d.Reason = ReasonStopped
	case s.Expires.Sub(s.Made) < leastFor:
		d.Reason = ReasonShortLife
	case phase == FullPrice:
		d.Reason = ReasonNotYet
	case s.Now == (Offer{}) && left <= s.Expected:
		d.Reason = ReasonSells
	case s.Now != (Offer{}) && !math.IsNaN(s.PlannedLeft) && left <= s.PlannedLeft:
		d.Reason = ReasonOnPlan
	default:
		r.step(s, &d)
	}
	return d
}

// step chooses a deeper offer.
func (r Rule) step(s Situation, d *Decision) {
	d.Options = r.weigh(s, d.Phase)
	best, found := choose(d.Options)
	if found && !r.AtOnce && r.earns(s, s.Now) > best.Earned {
		d.Reason = ReasonEarns
		return
	}
	if !found {
		d.Reason = ReasonDeepest
		return
	}
	d.Reason = ReasonBehind
	if s.Now == (Offer{}) {
		d.Reason = ReasonFirst
	}
	d.Offer, d.Price, d.Changed = best.Offer, best.Price, true
}

// weigh lists the plans open to the batch: every deeper markdown, and two for one in its last hours.
func (r Rule) weigh(s Situation, phase Phase) []Option {
	var offers []Offer
	if phase == FreeOne {
		offers = append(offers, Offer{Depth: s.Now.Depth, Free: true})
	} else {
		for _, depth := range r.Depths {
			offers = append(offers, Offer{Depth: depth})
		}
	}
	var out []Option
	now := r.Price(s.Full, s.Now)
	for _, o := range offers {
		price := r.Price(s.Full, o)
		if !o.deeper(s.Now) || !o.Free && price >= now {
			continue // no gift to the customer, or the floor has eaten it
		}
		if o.Free && !r.FreeUnder && r.paid(s.Full, o) < r.Floor.Approx() {
			continue
		}
		opt := Option{Offer: o, Price: price, Conversion: s.Prior}
		if s.Tried != nil {
			if c, uses := s.Tried(o); uses >= leastUses {
				opt.Conversion = c
			}
		}
		opt.Passed = opt.Conversion > r.Screen
		opt.Sold = r.sells(s, o)
		opt.Earned = r.earns(s, o)
		out = append(out, opt)
	}
	return out
}

// paid is what one unit brings under an offer.
func (r Rule) paid(full money.Fen, o Offer) float64 {
	paid := r.Price(full, o).Approx()
	if o.Free {
		paid /= 2
	}
	return paid
}

// sells is how many units are expected to be sold under an offer until expiry, earns what they bring.
func (r Rule) sells(s Situation, o Offer) float64 {
	return min(s.Left.Approx(), s.Expected*r.uplift(r.paid(s.Full, o)/s.Full.Approx()))
}

func (r Rule) earns(s Situation, o Offer) float64 { return r.sells(s, o) * r.paid(s.Full, o) }

// uplift is how many times the demand at the full price is asked for at a share of it: share^−e.
func (r Rule) uplift(share float64) float64 {
	if share <= 0 {
		return math.Inf(1)
	}
	return math.Pow(share, -r.Elasticity)
}

// choose takes, among the options that pass the screen, the one that earns most; where none passes, the
// one with the highest conversion. Of equals the shallower wins: it is easier to deepen than to take back.
func choose(options []Option) (best Option, found bool) {
	for _, o := range options {
		switch {
		case !found:
		case o.Passed != best.Passed:
			if !o.Passed {
				continue
			}
		case o.Passed && o.Earned <= best.Earned:
			continue
		case !o.Passed && o.Conversion <= best.Conversion:
			continue
		}
		best, found = o, true
	}
	return best, found
}

// Planned is how many units a batch may have left at a later look and still be sold out at the offer: what is expected
// of the full price from then to expiry, as people answer to the offer. More is behind plan.
func (r Rule) Planned(full money.Fen, o Offer, expected float64) float64 {
	return expected * r.uplift(r.paid(full, o)/full.Approx())
}

// Day is a business day's demand at the full price, with its shares by half hour after midnight (a late day passes
// 48). Without shares it is spread over the hours that the site is open.
type Day struct {
	Midnight    time.Time // at the site
	Mean        qty.Qty
	Shares      []float64
	Open, Close time.Duration // after midnight
}

// Between is the demand from one instant to another.
func Between(days []Day, from, to time.Time) qty.Qty {
	const slot = 30 * time.Minute
	sum := 0.0
	for _, d := range days {
		part := 0.0
		if d.Shares == nil {
			if d.Close > d.Open {
				part = overlap(d.Midnight.Add(d.Open), d.Midnight.Add(d.Close), from, to).Hours() / (d.Close - d.Open).Hours()
			}
		}
		for k, share := range d.Shares {
			start := d.Midnight.Add(time.Duration(k) * slot)
			part += share * overlap(start, start.Add(slot), from, to).Hours() / slot.Hours()
		}
		sum += d.Mean.Approx() * part
	}
	return qty.Nearest(sum)
}

func overlap(a, b, from, to time.Time) time.Duration {
	if from.After(a) {
		a = from
	}
	if to.Before(b) {
		b = to
	}
	return max(0, b.Sub(a))
}

// Facts are what a look at a batch finds. Quantities are of the sales unit.
type Facts struct {
	Full     money.Fen // of one sales unit in the book
	Unit     id.ID
	Left     qty.Qty
	Demand   []Day   // at the full price
	Before   qty.Qty // of it goes to batches that expire earlier
	Sold     qty.Qty // of this batch since the last look
	Stopped  bool
	Weighed  bool // sold by weight
	Uses     *Used
	HourBand int64
}

// Look weighs what a batch is to be sold for now. It changes nothing but the full price of a batch that has no price
// of its own yet.
func (b *Batch) Look(p *Policy, elasticity float64, now time.Time, f Facts) Look {
	if !b.MarkedDown() {
		b.Unit, b.List, b.Price, b.Offer = f.Unit, f.Full, f.Full, Offer{}
	}
	rule := p.Rule(b.List, elasticity)
	rule.NoPairs = f.Weighed
	expected := max(0, Between(f.Demand, now, b.Expires)-f.Before)
	next := b.Next(now)
	l := Look{Left: f.Left, Expected: expected, Planned: -1, HourBand: f.HourBand, Sold: f.Sold}
	if f.Before == 0 { // else what this batch sells is not what is asked for
		l.SlotExpected = Between(f.Demand, now, next)
	}
	s := Situation{Made: b.Made, Expires: b.Expires, At: now, Full: b.List, Left: f.Left, Expected: expected.Approx(), Now: b.Offer, PlannedLeft: math.NaN(), Stopped: f.Stopped,
		Tried: f.Uses.Tried, Prior: f.Uses.Prior()}
	if b.MarkedDown() { // reckoned anew: the look before may have been late, and the forecast another
		s.PlannedLeft = rule.Planned(b.List, b.Offer, s.Expected)
		b.Planned = qty.Nearest(s.PlannedLeft)
	}
	l.Decision = rule.Decide(s)
	if l.Reason == ReasonFirst && now.Before(b.First.Add(Every)) && p.HeldOut(b.ID) {
		l.Offer, l.Price, l.Changed, l.Reason = Offer{}, b.List, false, ReasonHeldOut
	}
	if b.MarkedDown() || l.Changed {
		after := max(0, Between(f.Demand, next, b.Expires)-f.Before)
		l.Planned = qty.Nearest(rule.Planned(b.List, l.Offer, after.Approx()))
	}
	return l
}

// ConversionBP is the conversion in hundredths of a per cent.
func (o *Option) ConversionBP() int64 { return int64(math.Round(o.Conversion * 10_000)) }

// EarnedFen is what is expected to be earned, to the nearest fen.
func (o *Option) EarnedFen() money.Fen { return money.Fen(math.Round(o.Earned)) }
