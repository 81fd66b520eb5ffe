package replenish

import (
	"math"
	"time"

	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Mode is how a product is replenished at a site (三模补货).
type Mode string

// The modes.
const (
	Static   Mode = "static"   // below the safety level, up to the maximum
	Dynamic  Mode = "dynamic"  // by forecast, stock by age and service quantile
	Strategy Mode = "strategy" // dynamic, for goods of a season, which the calendar moves
	DMS      Mode = "dms"      // by daily mean sales, for speciality shops
)

// Stocked tells of a mode that orders for the shelf, whatever the day's plan needs.
func (m Mode) Stocked() bool { return m == Static || m == DMS }

// Level is why we act (决策层级).
type Level string

// The levels, the weakest first.
const (
	Automatic Level = "automatic"
	Tuning    Level = "dynamic"
	Buffer    Level = "strategy"
	Exception Level = "exception"
)

// rank orders the levels: exception beats strategy, that dynamic tuning, that automatic.
func (l Level) rank() int {
	switch l {
	case Exception:
		return 4
	case Buffer:
		return 3
	case Tuning:
		return 2
	case Automatic:
		return 1
	}
	return 0
}

// Above tells whether l decides where both fire.
func (l Level) Above(o Level) bool { return l.rank() > o.rank() }

// Execution is how we act (执行方式).
type Execution string

// The ways.
const (
	Act     Execution = "act"     // the line is ordered at once
	Suggest Execution = "suggest" // whoever plans for the site confirms it
	Approve Execution = "approve" // an approver confirms it
)

// OrderUpTo is the static rule: what is available and in transit is below the safety level → order up to the maximum.
// At the level exactly nothing is ordered, and nothing while a line is open.
func OrderUpTo(available, inTransit, safety, most qty.Qty, open bool) qty.Qty {
	if open || available+inTransit >= safety {
		return 0
	}
	return max(0, most-available-inTransit)
}

// One is a factor of one, in thousandths.
const One int64 = 1000

// StrategyFactor is what a promotion or season stocks up by unless something else is set.
const StrategyFactor int64 = 1500

// ColdWaveFactor is what a cold wave makes of the demand for what warms, unless something else is set.
const ColdWaveFactor int64 = 1300

// Ahead48 is how long before a promotion its goods are stocked up.
const Ahead48 = 48 * time.Hour

// StocksUpFrom is the moment from which goods for a promotion are ordered: 48 hours before it begins, earlier where the
// last moment to order for its beginning is earlier. lastOrder is zero for what is made here.
func StocksUpFrom(begins, lastOrder time.Time) time.Time {
	from := begins.Add(-Ahead48)
	if !lastOrder.IsZero() && lastOrder.Before(from) {
		return lastOrder
	}
	return from
}

// FactorAt is the factor of a strategy at an instant: its own from the moment it stocks up until it ends, else one.
func FactorAt(now, from, ends time.Time, factor int64) int64 {
	if now.Before(from) || !now.Before(ends) {
		return One
	}
	return factor
}

// Times is a quantity by a factor in thousandths, to the nearest thousandth, halves up.
func Times(q qty.Qty, factor int64) qty.Qty {
	n, err := money.MulDiv(int64(q), factor, One)
	if err != nil {
		return qty.Max
	}
	return qty.Qty(n)
}

// Reach is where sales stand against the forecast of the day so far.
type Reach string

// What a test of the pace can say.
const (
	Early  Reach = "early"  // fewer than five units were expected: too early to tell
	Within Reach = "within" // not more than 30 % off
	Over   Reach = "over"   // more than 30 % above
	Under  Reach = "under"  // more than 30 % below
)

// leastExpected is how much must have been expected before pace means anything: five units.
const leastExpected = 5 * qty.Scale

// Pace compares what was sold since opening with the forecast mean up to now: sold ÷ expected − 1 above 30 %, or below
// −30 %. Exactly 30 % is neither.
func Pace(sold, expected qty.Qty) Reach {
	switch {
	case expected < leastExpected:
		return Early
	case sold*10 > expected*13:
		return Over
	case sold*10 < expected*7:
		return Under
	}
	return Within
}

// Outlook is what is still expected of a day when part of it is over: the day's demand is the forecast times one factor
// of its own, whose gamma prior has the day-level variance of the forecast; sales so far make the posterior (planning §1).
// What is left to come is then negative binomial. Units are base units.
type Outlook struct {
	Factor    float64 // posterior mean of the day's factor
	Remaining float64 // expected from now to the end of the day
	shape     float64 // of the gamma posterior
	shares    []float64
	from      float64 // half hours after midnight
	left      float64 // share of the day that is still to come
}

// The shape of the prior is kept between these: raw pace is never followed, and no forecast is so sure of its day (one
// seventh of it) that a day far off teaches nothing.
const leastShape, mostShape = 4, 50

// Posterior is the outlook at so many half hours after midnight with so much sold.
func Posterior(d Demand, sold float64, at float64) Outlook {
	past := cumulative(d.Shares, at)
	day, _ := variances(d)
	k := float64(mostShape)
	if day > 0 {
		k = min(mostShape, max(leastShape, d.Mean*d.Mean/day))
	}
	o := Outlook{shape: k + sold, shares: d.Shares, from: at, left: 1 - past}
	o.Factor = o.shape / (k + d.Mean*past)
	o.Remaining = o.Factor * d.Mean * o.left
	return o
}

// cumulative is the share of the day that has come by so many half hours after midnight.
func cumulative(shares []float64, at float64) float64 {
	if shares == nil {
		return min(1, max(0, (at-14)/28)) // seven to nine in the evening, evenly
	}
	sum := 0.0
	for i, s := range shares {
		switch {
		case float64(i+1) <= at:
			sum += s
		case float64(i) < at:
			sum += s * (at - float64(i))
		}
	}
	return min(1, sum)
}

// ExpectedBy is the forecast mean up to so many half hours after midnight.
func ExpectedBy(d Demand, at float64) qty.Qty { return qty.Nearest(d.Mean * cumulative(d.Shares, at)) }

// mostCounted is the mean above which the remaining demand is read off a normal instead of term by term.
const mostCounted = 2000

// Quantile is so much that it is enough with probability tau: the least whole number of units with P(demand ≤ n) ≥ tau.
func (o Outlook) Quantile(tau float64) float64 {
	if o.Remaining <= 0 {
		return 0
	}
	if o.Remaining > mostCounted {
		return math.Ceil(o.Remaining + score(tau)*math.Sqrt(o.variance()))
	}
	n, p := 0.0, o.first()
	for sum := p; sum < tau && n < 4*mostCounted; sum += p {
		p = o.next(n, p)
		n++
	}
	return n
}

// Short is the probability that more is asked for than there is.
func (o Outlook) Short(have float64) float64 {
	if have < 0 {
		return 1
	}
	if o.Remaining <= 0 {
		return 0
	}
	if o.Remaining > mostCounted {
		return .5 * math.Erfc((have+.5-o.Remaining)/math.Sqrt(2*o.variance()))
	}
	p := o.first()
	sum := p
	for n := 0.0; n+1 <= have; n++ {
		p = o.next(n, p)
		sum += p
	}
	return min(1, max(0, 1-sum))
}

// first and next walk the probabilities of 0, 1, 2 … units.
func (o Outlook) first() float64 {
	return math.Exp(-o.shape * math.Log1p(o.Remaining/o.shape))
}

func (o Outlook) next(n, p float64) float64 {
	return p * (o.shape + n) / (n + 1) * o.Remaining / (o.shape + o.Remaining)
}

func (o Outlook) variance() float64 {
	return o.Remaining + o.Remaining*o.Remaining/o.shape
}

// RunsOut is when expected sales have taken what there is, in half hours after midnight; false: not today.
func (o Outlook) RunsOut(have float64) (float64, bool) {
	if have <= 0 {
		return o.from, true
	}
	if o.Remaining <= have || o.left <= 0 {
		return 0, false
	}
	day := o.Remaining / o.left // of the whole day, at the pace now believed in
	at, sold := o.from, 0.0
	for slot := math.Floor(at); slot < 96; slot++ {
		end := slot + 1
		part := day * (cumulative(o.shares, end) - cumulative(o.shares, at))
		if sold+part >= have && part > 0 {
			return at + (end-at)*(have-sold)/part, true
		}
		sold, at = sold+part, end
	}
	return 0, false
}

// Urgent is what an outlook asks for beyond what is there: the service quantile of what is still to come less what there
// is, whole units up; nothing while running out is the less likely.
func (o Outlook) Urgent(have, tau float64) qty.Qty {
	if o.Short(have) <= .5 {
		return 0
	}
	return qty.Nearest(max(0, math.Ceil(o.Quantile(tau)-have)))
}

// Held is why a line waits for an approver.
type Held string

// Reasons to hold a line.
const (
	HeldNot    Held = ""
	HeldQty    Held = "quantity" // over its quantity ceiling
	HeldAmount Held = "amount"   // over its amount ceiling
	HeldSales  Held = "sales"    // so much was sold that somebody must look at it first
)

// Ceilings are above what a line waits for an approver; 0: none.
type Ceilings struct {
	Qty    qty.Qty
	Amount money.Fen
}

// Hold says whether a line of so much waits. At the ceiling exactly it passes.
func (c Ceilings) Hold(q qty.Qty, amount money.Fen) Held {
	switch {
	case c.Qty > 0 && q > c.Qty:
		return HeldQty
	case c.Amount > 0 && amount > c.Amount:
		return HeldAmount
	}
	return HeldNot
}

// SoldTooMuch tells whether a quantity sold is over its threshold; at it exactly it passes.
func SoldTooMuch(sold, threshold qty.Qty) bool { return threshold > 0 && sold > threshold }

// Weather is what a rule looks at: thousandths of degrees and millimetres of a day and of the day before.
type Weather struct {
	Min, Max, Rain qty.Qty
	MinBefore      qty.Qty
	Known          bool
}

// Condition of a weather rule.
type Condition string

// The conditions.
const (
	ColdWave  Condition = "cold_wave" // the night is at least 8 degrees colder than the one before, and 4 degrees or less
	ColdBelow Condition = "cold"      // the night is at most so many degrees
	HotAbove  Condition = "hot"       // the day is at least so many degrees
	RainAbove Condition = "rain"      // at least so many millimetres
)

// Meets tells whether a day's weather meets a condition; degree is its threshold in thousandths, where it has one. The cold wave is that
// of the national standard's blue warning (GB/T 21987: 8 degrees down within 48 hours, to 4 or less).
func (c Condition) Meets(w Weather, degree qty.Qty) bool {
	if !w.Known {
		return false
	}
	switch c {
	case ColdWave:
		return w.MinBefore-w.Min >= 8*qty.Scale && w.Min <= 4*qty.Scale
	case ColdBelow:
		return w.Min <= degree
	case HotAbove:
		return w.Max >= degree
	case RainAbove:
		return w.Rain >= degree
	}
	return false
}

// Moved is a demand that a rule has moved: the model's own effect is taken out and the factor put in its place, exactly.
func (d Demand) Moved(effect qty.Qty, factor int64) Demand {
	base := max(0, d.Mean-effect.Approx())
	if d.Mean > 0 {
		d.Quantile *= base / d.Mean
	}
	d.Mean, d.Factor = base, factor
	return d
}

// Live is a demand for the rest of a day of which so much was sold by a minute after midnight: all of it scaled by the
// posterior of the forecast as it is set. What a day is believed to be does not move with the level that somebody tries out.
func (d Demand) Live(set Demand, sold qty.Qty, minute int64) Demand {
	o := Posterior(set, sold.Approx(), halves(minute))
	d.Mean, d.Quantile = d.Mean*o.Factor, d.Quantile*o.Factor
	return d
}

// Plus is a demand and so much that others ask for.
func (d Demand) Plus(q qty.Qty) Demand {
	d.Mean, d.Quantile = d.Mean+q.Approx(), d.Quantile+q.Approx()
	return d
}

// settled has its factor in its figures.
func (d Demand) settled() Demand {
	if d.Factor != 0 {
		f := float64(d.Factor) / float64(One)
		d.Mean, d.Quantile, d.Factor = d.Mean*f, d.Quantile*f, 0
	}
	return d
}

// halves are minutes in half hours.
func halves(minute int64) float64 { return float64(minute) / 30 }

// SafetyLevel is below what a static product is ordered when nobody has set it: what is expected over lead time and
// review, and the service quantile of the forecast's error over them. Means and variances are per day, in base units.
func SafetyLevel(mean, variance []float64, service float64) (expected, safety qty.Qty) {
	var m, v float64
	for i := range mean {
		m, v = m+mean[i], v+variance[i]
	}
	return qty.Nearest(m), qty.Nearest(math.Ceil(score(service) * math.Sqrt(v)))
}

// Service is the service level of static goods: .95 packaged, .90 fresh, by hours of shelf life; 0 keeps for ever.
func Service(lifeH int64) float64 {
	if lifeH > 0 && lifeH <= 72 {
		return .90
	}
	return .95
}

// reviewDays is how many days' demand the computed maximum lies above the level.
const reviewDays = 7

// ComputeSafety is what a forecast makes of the levels of a product that must last some days: ahead gives the mean and the
// quantile at Service of the day after so many, until there is none.
func ComputeSafety(product id.ID, days int, lifeH int64, ahead func(day int) (mean, quantile qty.Qty, ok bool)) Safety {
	service := Service(lifeH)
	var means, variances []float64
	var week float64
	for i := range max(days, reviewDays) {
		m, q, ok := ahead(i)
		if !ok {
			break
		}
		if i < days {
			means, variances = append(means, m.Approx()), append(variances, variance(m.Approx(), q.Approx(), service))
		}
		if i < reviewDays {
			week += m.Approx()
		}
	}
	s := Safety{Product: product, Days: int64(days)}
	s.Expected, s.Margin = SafetyLevel(means, variances, service)
	s.Most = s.Level() + qty.Nearest(week)
	return s
}
