package sim

import (
	"fmt"
	"math"
	"sort"

	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/stats"
	"zhanggui/internal/replenish"
)

// Policy is a way to decide how much of a product is there when the day begins.
type Policy string

// The policies that are compared.
const (
	Manual Policy = "manual" // what was sold on the same weekday last week
	Mean   Policy = "mean"   // the mean of the last four same weekdays and a margin of its own spread
	Model  Policy = "engine" // the quantile of the forecast made the evening before
)

// Policies in the order they are told.
var Policies = []Policy{Manual, Mean, Model}

// Goods is what a product of the replay is worth.
type Goods struct {
	Price, Cost money.Fen // of one sales unit
	Batch       float64   // sales units made at a time; 0: one, or any quantity of goods that are weighed
}

// Replay lives a shop's history again under other ways of ordering (policy simulation of planning §4): each open day
// starts with what is left in date and what the policy adds, the day's demand is served as far as it goes, and what
// reaches the end of its life is thrown away. Demand is what was sold; on a day that sold out, the forecast engine's
// estimate of what would have been.
type Replay struct {
	Panel    *forecast.Panel
	Life     int                                       // days a product can be sold, counted from the one it is made for
	Goods    func(shop, product string) (Goods, error) // worth of each product
	Policies []Policy                                  // nil: all
	Service  float64                                   // quantile the engine orders at; 0: the one of the life
	From, To cal.Date                                  // first and last day; empty: when half of the history, at most half a year, is known, and the last
	Workers  int                                       // goroutines of the engine
	Progress func(done, days int) error                // after each day, if not nil; an error ends the replay
}

// Outcome is what a policy would have come to. Units are sales units.
type Outcome struct {
	Policy       Policy    `json:"policy"`
	StockoutDays int       `json:"stockout_days"` // days × products on which somebody asked in vain
	LostUnits    float64   `json:"lost_units"`
	WasteUnits   float64   `json:"waste_units"`
	MarginFen    money.Fen `json:"margin_fen"` // sales less the cost of all that was sold or thrown away
	SoldUnits    float64   `json:"sold_units"`
	MadeUnits    float64   `json:"made_units"`
}

// Outcomes of a replay.
type Outcomes struct {
	From     cal.Date  `json:"from"`
	To       cal.Date  `json:"to"`
	Life     int       `json:"life"`
	Service  float64   `json:"service"`
	Series   int       `json:"series"`
	Days     int       `json:"days"` // days × products that were replayed
	Demand   float64   `json:"demand_units"`
	Policies []Outcome `json:"policies"`
	// AtEqual is what each policy throws away when it is set to be out of stock as often as the engine is.
	AtEqual map[Policy]float64 `json:"at_equal_stockout"`
	// Equal is the number of days out of stock that AtEqual holds for.
	Equal int `json:"equal_stockout_days"`
}

// Refusals of a replay.
var (
	ErrReplayLife = errs.Define("whatif_life", errs.Invalid, "保质天数要在 1 到 3 之间", "The life must be 1, 2 or 3 days")
	ErrReplaySpan = errs.Define("whatif_span", errs.Invalid,
		"没有可重演的日子:数据从 {first} 到 {last}", "There are no days to replay: the data runs from {first} to {last}")
	ErrReplayWorth   = errs.Define("whatif_worth", errs.Invalid, "{product} 的售价要大于成本,成本不能小于 0", "{product} must sell for more than it costs, and cost no less than 0")
	ErrReplayPolicy  = errs.Define("whatif_policy", errs.Invalid, "没有 {policy} 这种策略", "There is no policy {policy}")
	ErrReplayService = errs.Define("whatif_service", errs.Invalid, "服务水平要在 0.5 到 0.97 之间", "The service level must be between 0.5 and 0.97")
)

const (
	leastHistory = 28  // days that must be known before the first day
	mostHistory  = 182 // days after which there is no need to wait for more
	newestFirst  = .3  // share of shoppers who take the newest of goods that last (planning §4.2)
	spreadDays   = 56  // open days the four-week mean's spread is learned from
	meanMargin   = .52 // standard deviations on top of the four-week mean (planning §4.1)
)

// asked is one product on one open day: what was wanted, and what each policy knows of it the evening before.
type asked struct {
	day    int
	demand float64
	same   float64 // sold on the same weekday last week
	mean   float64 // of the last four same weekdays
	sd     float64 // of that mean's errors
	q      [len(forecast.Taus)]float64
}

// life of one product in the replay.
type replayed struct {
	goods Goods
	whole bool // sold in whole units
	days  []asked
}

// Run replays the history.
func (r Replay) Run() (*Outcomes, error) {
	p := r.Panel
	last := p.First.AddDays(p.Days - 1)
	if r.Life < 1 || r.Life > 3 {
		return nil, ErrReplayLife.At("life")
	}
	if r.Policies == nil {
		r.Policies = Policies
	}
	for _, x := range r.Policies {
		if x != Manual && x != Mean && x != Model {
			return nil, ErrReplayPolicy.With("policy", string(x)).At("policy")
		}
	}
	if r.Service == 0 {
		r.Service = replenish.Tau(replenish.Life(int64(r.Life) * 24))
	}
	if r.Service < .5 || r.Service > .97 {
		return nil, ErrReplayService.At("service")
	}
	from, to := min(mostHistory, max(leastHistory, p.Days/2)), p.Days-1
	if r.From != "" {
		from = r.From.Sub(p.First)
	}
	if r.To != "" {
		to = r.To.Sub(p.First)
	}
	if from < leastHistory || to >= p.Days || from > to {
		return nil, ErrReplaySpan.With("first", p.First, "last", last)
	}
	all, err := r.gather(from, to)
	if err != nil {
		return nil, err
	}
	out := &Outcomes{From: p.First.AddDays(from), To: p.First.AddDays(to), Life: r.Life, Service: r.Service, AtEqual: map[Policy]float64{}}
	for _, s := range all {
		if len(s.days) > 0 {
			out.Series++
		}
		out.Days += len(s.days)
		for _, d := range s.days {
			out.Demand += d.demand
		}
	}
	out.Demand = round3(out.Demand)
	engine := r.live(all, Model, r.Service)
	out.Equal = engine.StockoutDays
	for _, x := range r.Policies {
		o := engine
		switch x {
		case Manual:
			o = r.live(all, Manual, 1)
		case Mean:
			o = r.live(all, Mean, meanMargin)
		}
		out.Policies = append(out.Policies, o.told())
		out.AtEqual[x] = round3(r.wasteAt(all, x, engine))
	}
	return out, nil
}

func (o Outcome) told() Outcome {
	o.LostUnits, o.WasteUnits, o.SoldUnits, o.MadeUnits = round3(o.LostUnits), round3(o.WasteUnits), round3(o.SoldUnits), round3(o.MadeUnits)
	return o
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// gather asks the engine evening by evening and lists what everybody knew.
func (r Replay) gather(from, to int) ([]replayed, error) {
	p := r.Panel
	e := forecast.NewEngine(p, forecast.Options{Horizon: 7, Workers: r.Workers}) // the spread is that of a week's forecasts
	all := make([]replayed, len(p.Series))
	errors := make([][]float64, len(p.Series))
	for i := range p.Series {
		s := &p.Series[i]
		g, err := r.Goods(p.Shops[s.Shop].Name, s.Product)
		if err != nil {
			return nil, err
		}
		if g.Cost < 0 || g.Price <= g.Cost {
			return nil, ErrReplayWorth.With("product", s.Product)
		}
		all[i] = replayed{goods: g, whole: wholeUnits(s.Sold)}
		for t := max(s.Start+1, from-2*spreadDays); t < from; t++ {
			errors[i] = r.noteError(errors[i], i, t)
		}
	}
	for t := from; t <= to; t++ {
		for i, days := range e.Forecast(t - 1) {
			s := &p.Series[i]
			if days == nil || !p.Shops[s.Shop].Open[t] {
				continue
			}
			same, mean := p.References(i, t-1, t)
			all[i].days = append(all[i].days, asked{day: t, demand: e.Demand(i, t), same: same, mean: mean, sd: deviation(errors[i]), q: days[0].Q})
			errors[i] = r.noteError(errors[i], i, t)
		}
		if r.Progress != nil {
			if err := r.Progress(t-from+1, to-from+1); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// noteError remembers by how much the four-week mean was off on a day, for the last spreadDays open ones.
func (r Replay) noteError(seen []float64, i, t int) []float64 {
	s := &r.Panel.Series[i]
	if !r.Panel.Shops[s.Shop].Open[t] {
		return seen
	}
	_, mean := r.Panel.References(i, t-1, t)
	seen = append(seen, s.Sold[t]-mean)
	return seen[max(0, len(seen)-spreadDays):]
}

func deviation(errors []float64) float64 {
	if len(errors) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range errors {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(errors)))
}

func wholeUnits(sold []float64) bool {
	for _, x := range sold {
		if x != math.Trunc(x) {
			return false
		}
	}
	return true
}

// target is how much of a product should be there as the day begins, by a policy turned to x: a factor on last
// week's sales, standard deviations on top of the mean, or the quantile of the forecast.
func (d *asked) target(by Policy, x float64) float64 {
	switch by {
	case Manual:
		return d.same * x
	case Mean:
		return max(0, d.mean+x*d.sd)
	}
	// Between the quantiles that a forecast carries, and a little beyond, the normal score is followed.
	z := stats.NormalScore(x)
	k := 0
	for k < len(forecast.Taus)-2 && x > forecast.Taus[k+1] {
		k++
	}
	z0, z1 := stats.NormalScore(forecast.Taus[k]), stats.NormalScore(forecast.Taus[k+1])
	return max(0, d.q[k]+(d.q[k+1]-d.q[k])*(z-z0)/(z1-z0))
}

// live replays all products under one policy.
func (r Replay) live(all []replayed, by Policy, x float64) Outcome {
	out := Outcome{Policy: by}
	for i := range all {
		s := &all[i]
		var sold, thrown float64
		ages := make([]float64, r.Life) // ages[0] is what was made for today
		yesterday := 0
		for k := range s.days {
			d := &s.days[k]
			for range min(r.Life, d.day-yesterday) { // closed days age what is there
				thrown += age(ages)
			}
			yesterday = d.day
			left := 0.0
			for _, q := range ages {
				left += q
			}
			ages[0] = s.batches(d.target(by, x) - left)
			out.MadeUnits += ages[0]
			got, lost := serve(ages, d.demand)
			sold += got
			if lost > 1e-9 {
				out.StockoutDays++
				out.LostUnits += lost
			}
			if r.Life == 1 {
				thrown += age(ages)
			}
		}
		out.SoldUnits += sold
		out.WasteUnits += thrown
		out.MarginFen += money.Fen(math.Round(sold*s.goods.Price.Approx() - (sold+thrown)*s.goods.Cost.Approx()))
	}
	return out
}

// age makes everything a day older and returns what is over its life.
func age(ages []float64) float64 {
	over := ages[len(ages)-1]
	copy(ages[1:], ages)
	ages[0] = 0
	return over
}

// serve sells what is there: a share of the shoppers takes the newest, the others the oldest.
func serve(ages []float64, demand float64) (sold, lost float64) {
	take := func(from, to, step int, want float64) float64 {
		got := 0.0
		for k := from; k != to && want > 0; k += step {
			q := min(ages[k], want)
			ages[k] -= q
			want -= q
			got += q
		}
		return got
	}
	fresh := 0.0
	if len(ages) > 1 {
		fresh = take(0, len(ages), 1, demand*newestFirst)
	}
	sold = fresh + take(len(ages)-1, -1, -1, demand-fresh)
	return sold, demand - sold
}

// batches rounds to the nearest batch, as making does (planning §4.5).
func (s *replayed) batches(want float64) float64 {
	batch := s.goods.Batch
	if batch <= 0 && s.whole {
		batch = 1
	}
	if want <= 0 {
		return 0
	}
	if batch <= 0 {
		return want
	}
	return math.Floor(want/batch+.5) * batch
}

// wasteAt turns a policy until it is out of stock as often as the engine is, and tells what it throws away then.
// Days out of stock come in whole numbers, so between the two settings next to it the line is followed.
func (r Replay) wasteAt(all []replayed, by Policy, engine Outcome) float64 {
	if by == Model {
		return engine.WasteUnits
	}
	low, high := 0.0, 8.0
	if by == Mean {
		low, high = -8, 8
	}
	more, less := r.live(all, by, low), r.live(all, by, high)
	for range 40 {
		x := (low + high) / 2
		o := r.live(all, by, x)
		if o.StockoutDays > engine.StockoutDays {
			low, more = x, o
		} else {
			high, less = x, o
		}
	}
	gap := more.StockoutDays - less.StockoutDays
	if gap <= 0 || less.StockoutDays == engine.StockoutDays {
		return less.WasteUnits
	}
	share := float64(more.StockoutDays-engine.StockoutDays) / float64(gap)
	return more.WasteUnits + share*(less.WasteUnits-more.WasteUnits)
}

// Text tells the outcome in a few lines.
func (o *Outcomes) Text() string {
	s := fmt.Sprintf("%d products, %d product-days from %s to %s, life %d d, engine at quantile %.2f\n", o.Series, o.Days, o.From, o.To, o.Life, o.Service)
	s += fmt.Sprintf("%-8s %12s %12s %12s %14s\n", "policy", "out of stock", "lost units", "waste units", "margin yuan")
	for _, x := range o.Policies {
		s += fmt.Sprintf("%-8s %12d %12.1f %12.1f %14s\n", x.Policy, x.StockoutDays, x.LostUnits, x.WasteUnits, x.MarginFen.Yuan())
	}
	var names []string
	for p := range o.AtEqual {
		names = append(names, string(p))
	}
	sort.Strings(names)
	s += fmt.Sprintf("waste when all are out of stock on %d product-days:", o.Equal)
	for _, n := range names {
		s += fmt.Sprintf("  %s %.1f", n, o.AtEqual[Policy(n)])
	}
	return s + "\n"
}
