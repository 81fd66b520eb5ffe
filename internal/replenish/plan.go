package replenish

import (
	"math/big"
	"sort"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Good is what planning knows of a product.
type Good struct {
	Life  time.Duration // from making, or from delivery, to expiry
	Batch qty.Qty       // made in multiples of it; 0: of whole units
	Piece bool          // counted in whole pieces
	Worth Worth
}

// Lot is so much of a product that may be used until an instant.
type Lot struct {
	Batch id.ID
	Code  string
	Qty   qty.Qty
	Held  qty.Qty // promised to somebody; not in Qty
	Until time.Time
}

// Coming is ordered and not there yet.
type Coming struct {
	Order    id.ID    `json:"order_id"`
	No       string   `json:"no"`
	Due      cal.Date `json:"due"`
	Qty      qty.Qty  `json:"qty" doc:"expected"`
	Promised qty.Qty  `json:"promised,omitempty" doc:"where less is expected of the supplier than it has promised; left out: all of it is expected"`
}

// Said is how much was promised.
func (c Coming) Said() qty.Qty { return max(c.Qty, c.Promised) }

// Site is what a site has and who serves it, as planning sees it from day to day: Plan plans a day, and what it
// takes is gone for the day after.
type Site struct {
	Book     *catalog.Cookbook
	Good     func(id.ID) Good
	Terms    map[id.ID][]party.Terms
	Sources  map[id.ID]Source // what other sites of the group make for it
	Loc      *time.Location
	DayStart time.Duration
	Lots     map[id.ID][]Lot
	Coming   map[id.ID][]Coming
	Waived   map[Waiver]qty.Qty                                             // needs that a person decided not to order for
	Static   func(id.ID) bool                                               // ordered by their level, whatever is needed; nil: none
	Machines map[id.ID]Machines                                             // by kind; nil: making is not bound by any
	Loads    map[id.ID]Load                                                 // by product
	Words    map[Word]WordWhy                                               // what suppliers' words are taken for, where not as they are given; nil: all are
	Loss     func(*catalog.Recipe, catalog.Component) (loss, batches int64) // what lines of recipes were learned to lose; see catalog.Ask
	Mix      func(*catalog.Recipe, cal.Date) catalog.Mix                    // what is decided of a version on a day; nil, or what it says: as the recipe says
	Opens    int                                                            // half hour after midnight before which nothing need be ready
	Service  func(id.ID) int64                                              // how often a material should be enough, in ten-thousandths; nil: no safety is held at materials
	Together int64                                                          // how far products move together from day to day: ρ, in millionths; see Pooled

	swings map[id.ID][]part // of materials: what each day planned so far brings
}

// Waiver names the need of a product on a day.
type Waiver struct {
	Product id.ID
	Due     cal.Date
}

// Source says from which site a product is asked for, and how long before.
type Source struct {
	Site      id.ID
	LeadHours int64
}

// OrderBy is the last moment to ask for goods of a day.
func (s Source) OrderBy(due cal.Date) party.Moment {
	return party.Moment{Date: due.AddDays(-int((s.LeadHours + 23) / 24)), Minute: 24*60 - 1}
}

// Wanted is what a site wants of one product on one day.
type Wanted struct {
	Product id.ID
	Demand  Demand
	Firm    *qty.Qty          // instead of a forecast: what others have asked for
	Given   *qty.Qty          // instead of everything: a person's quantity to make
	Decided map[int64]qty.Qty // quantities by round that stay as they are; 0: made already
}

// Day is what is to be planned.
type Day struct {
	Date   cal.Date
	From   int       // half hours after midnight that are over; 0 before the day begins
	After  time.Time // stock must be good after this instant; zero: the start of the business day
	Now    party.Moment
	Wanted []Wanted
}

// Plan is what a site makes and needs on a day. Everything comes in the order of products.
type Plan struct {
	Production []Production
	Needs      []Need
	Orders     []Order
	Asks       []Requisition
}

// Production is one round of one product with what it was worked out from.
type Production struct {
	Product id.ID
	Demand  Demand
	RoundPlan
	Given bool // by a person or by orders: there was no forecast
	Stock []Age
}

// Age is a batch and whether it counts.
type Age struct {
	Batch id.ID     `json:"batch_id"`
	Code  string    `json:"code"`
	Qty   qty.Qty   `json:"qty"`
	Held  qty.Qty   `json:"held"`
	Until time.Time `json:"until"`
	Why   string    `json:"why" enum:"counts,expires_before_use" doc:"held quantities never count"`
}

// Need is a material, semi-finished or bought product that is needed on a day.
type Need struct {
	catalog.Requirement
	Date     cal.Date
	Direct   qty.Qty       // of the need, what is to be sold as it is
	Demand   *Demand       // behind Direct
	Lacking  bool          // nobody supplies it
	Word     *WordWhy      // of whoever would supply it; nil: it is taken as it is given
	Pooled   *Pooled       // the safety held beyond the need; nil: none
	Have     catalog.Stock // in date when it is used, and due by then; the requirement says how much of it counts
	Stock    []Age
	Arriving []Coming
}

// Order is a purchase line with the need it covers.
type Order struct {
	Proposal
	Net qty.Qty
	// Wait: tomorrow is early enough, with a newer forecast.
	Wait bool
}

// Requisition is asked for from another site of the group.
type Requisition struct {
	Product id.ID
	From    id.ID
	Due     cal.Date
	OrderBy party.Moment
	Qty     qty.Qty
	Late    bool
	Wait    bool
}

// Start is the instant at which the business day of a date begins, and Midnight that of its date.
func (s *Site) Start(d cal.Date) time.Time    { return s.at(d, s.DayStart) }
func (s *Site) Midnight(d cal.Date) time.Time { return s.at(d, 0) }

// at is a time on the clock of the site, also on days of 23 hours.
func (s *Site) at(d cal.Date, clock time.Duration) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, int(clock/time.Minute), 0, 0, s.Loc)
}

// Plan plans a day and lets it pass: what is expected to sell, what is used and what is over its time is gone
// for the next day, what was ordered too much stays.
func (s *Site) Plan(day Day) (*Plan, error) {
	if day.After.IsZero() {
		day.After = s.Start(day.Date)
	}
	m := s.make(day, nil, nil)
	if tight := s.level(day, m.production); len(tight) > 0 {
		m = s.make(day, tight, fitting(m.production, tight))
	}
	p := &Plan{Production: m.production}
	if err := s.require(p, day, m); err != nil {
		return nil, err
	}
	s.pass(p, day, m.means, m.left)
	return p, nil
}

// making is what a day's wishes come to before anything is bought.
type making struct {
	production   []Production
	makes, needs map[id.ID]qty.Qty
	demands      map[id.ID]*Demand
	means        map[id.ID]qty.Qty // of what is sold as it was bought
	left         map[id.ID][]Lot   // of what is made here and sold
	swings       []swing           // of what is made as it sells, in the order of products
}

// make sizes the rounds of a day; of those that are tight no more is made than fits.
func (s *Site) make(day Day, tight map[id.ID]map[int64]*CapacityWhy, most map[id.ID]map[int64]qty.Qty) making {
	midnight := s.Midnight(day.Date)
	m := making{nil, map[id.ID]qty.Qty{}, map[id.ID]qty.Qty{}, map[id.ID]*Demand{}, map[id.ID]qty.Qty{}, map[id.ID][]Lot{}, nil}
	for _, w := range day.Wanted {
		good := s.Good(w.Product)
		_, here := s.Book.On(w.Product, day.Date)
		if _, elsewhere := s.Sources[w.Product]; elsewhere {
			here = false
		}
		stock, fit := s.ages(w.Product, day.After)
		tray := make([]Batch, 0, len(fit))
		for _, l := range fit {
			tray = append(tray, Batch{l.Qty, halfHours(midnight, l.Until)})
		}
		switch {
		case w.Given != nil:
			m.production = append(m.production, Production{Product: w.Product, Given: true, Stock: stock,
				RoundPlan: RoundPlan{Round: Round{1, 0, 96}, OnHand: total(fit), Make: *w.Given}})
			m.makes[w.Product] += *w.Given
		case w.Firm != nil && here:
			r := RoundPlan{Round: Round{1, 0, 96}, Mean: *w.Firm, Quantile: *w.Firm, OnHand: total(fit)}
			r.Make = wholeBatches(r.Quantile-r.OnHand, good.Batch)
			if q, ok := w.Decided[1]; ok {
				r.Make = q
			}
			if q, ok := most[w.Product][1]; ok {
				r.Make = min(r.Make, q)
			}
			r.Capacity = tight[w.Product][1]
			m.production = append(m.production, Production{Product: w.Product, Given: true, Stock: stock, RoundPlan: r})
			m.makes[w.Product] += r.Make
			m.left[w.Product] = use(append(fit, Lot{Qty: r.Make, Until: day.After.Add(good.Life)}), *w.Firm)
		case w.Firm != nil:
			m.needs[w.Product] += *w.Firm
			m.means[w.Product] += *w.Firm
		case here:
			rounds, rest := planRounds(w.Demand, good, tray, day.From, w.Decided, most[w.Product])
			for _, r := range rounds {
				r.Capacity = tight[w.Product][r.Round.No]
				m.production = append(m.production, Production{Product: w.Product, Demand: w.Demand, Stock: stock, RoundPlan: r})
				m.makes[w.Product] += r.Make
			}
			if sigma, missed := w.Demand.swing(Rounds(good.Life), day.From, w.Decided); sigma > 0 {
				m.swings = append(m.swings, swing{w.Product, m.makes[w.Product], sigma, missed})
			}
			for _, b := range rest {
				m.left[w.Product] = append(m.left[w.Product], Lot{Qty: b.Qty, Until: midnight.Add(time.Duration(b.Until) * 30 * time.Minute)})
			}
		default:
			d := w.Demand
			rounds, _ := planRounds(d, Good{Life: Forever}, nil, day.From, nil, nil)
			for _, r := range rounds { // one: it is bought for the whole day
				m.needs[w.Product] += r.Quantile
				m.means[w.Product] += r.Mean
			}
			m.demands[w.Product] = &d
		}
	}
	return m
}

// fitting is how much of the rounds of products that are short fits: as much as was planned, less what is short. So what a
// round lacks does not crowd the next.
func fitting(planned []Production, tight map[id.ID]map[int64]*CapacityWhy) map[id.ID]map[int64]qty.Qty {
	fits := map[id.ID]map[int64]qty.Qty{}
	for product, rounds := range tight {
		for _, why := range rounds {
			if why.Short > 0 {
				fits[product] = map[int64]qty.Qty{}
			}
		}
	}
	for _, r := range planned {
		if of := fits[r.Product]; of != nil {
			of[r.Round.No] = r.Make
			if why := tight[r.Product][r.Round.No]; why != nil {
				of[r.Round.No] = r.Make - why.Short
			}
		}
	}
	return fits
}

// require works out what the day's making takes, and who is asked for what is missing.
func (s *Site) require(p *Plan, day Day, m making) error {
	makes, needs, demands := m.makes, m.needs, m.demands
	pool := s.pool(day, m.swings)
	trays := map[id.ID]bool{} // what lies on a tray is there to be sold, not to be used
	for _, r := range p.Production {
		trays[r.Product] = true
	}
	have := func(product id.ID) catalog.Stock {
		if trays[product] {
			return catalog.Stock{}
		}
		_, fit := s.ages(product, day.After)
		out := catalog.Stock{OnHand: total(fit)}
		for _, c := range s.Coming[product] {
			if c.Due <= day.Date {
				out.InTransit += c.Qty
			}
		}
		return out
	}
	var mix func(*catalog.Recipe) catalog.Mix
	if s.Mix != nil {
		mix = func(r *catalog.Recipe) catalog.Mix { return s.Mix(r, day.Date) }
	}
	rows, err := s.Book.Require(day.Date, catalog.Ask{Make: makes, Need: needs, Stock: have, Mix: mix,
		Piece: func(product id.ID) bool { return s.Good(product).Piece }, Loss: s.Loss,
		Elsewhere: func(product id.ID) bool { _, ok := s.Sources[product]; return ok }, Safety: s.held(day, trays, pool.safety())})
	if err != nil {
		return err
	}
	var buy []catalog.Requirement
	net := map[id.ID]qty.Qty{}
	for _, r := range rows {
		if len(r.Uses) == 0 && needs[r.Product] == 0 {
			continue // only made because somebody decided so
		}
		if q := makes[r.Product]; q > 0 { // that part is production, not a requirement
			direct := new(big.Rat).SetInt64(int64(q))
			r.Gross, r.Need = new(big.Rat).Sub(r.Gross, direct), new(big.Rat).Sub(r.Need, direct)
			r.Net -= q
		}
		n := Need{Requirement: r, Date: day.Date, Direct: needs[r.Product], Demand: demands[r.Product], Pooled: pool.held[r.Product], Have: have(r.Product)}
		if w := s.cushion(r, day, trays); w != nil {
			n.Word = w
		}
		if !trays[r.Product] {
			n.Stock, _ = s.ages(r.Product, day.After)
			for _, c := range s.Coming[r.Product] {
				if c.Due <= day.Date {
					n.Arriving = append(n.Arriving, c)
				}
			}
		}
		r.Net = max(0, r.Net-s.Waived[Waiver{r.Product, day.Date}])
		if s.Static != nil && s.Static(r.Product) {
			p.Needs = append(p.Needs, n)
			continue
		}
		if from, ok := s.Sources[r.Product]; ok {
			if r.Net > 0 {
				by := from.OrderBy(day.Date)
				p.Asks = append(p.Asks, Requisition{Product: r.Product, From: from.Site, Due: day.Date, OrderBy: by, Qty: r.Net,
					Late: by.Before(day.Now), Wait: by.Date > day.Now.Date})
			}
		} else {
			buy = append(buy, r)
			net[r.Product] = r.Net
		}
		p.Needs = append(p.Needs, n)
	}
	orders, lacking, err := Propose(buy, s.Terms, day.Date, day.Now)
	if err != nil {
		return err
	}
	for _, o := range orders {
		p.Orders = append(p.Orders, Order{Proposal: o, Net: net[o.Terms.Product], Wait: o.OrderBy.Date > day.Now.Date})
	}
	for _, l := range lacking {
		for i := range p.Needs {
			p.Needs[i].Lacking = p.Needs[i].Lacking || p.Needs[i].Product == l.Product
		}
	}
	sort.Slice(p.Needs, func(i, j int) bool { return p.Needs[i].Product < p.Needs[j].Product })
	return nil
}

// pass takes what the day uses and sells off the lots, adds what comes in, and drops what is over its time.
func (s *Site) pass(p *Plan, day Day, means map[id.ID]qty.Qty, left map[id.ID][]Lot) {
	next := s.Start(day.Date.AddDays(1))
	ordered := map[id.ID]qty.Qty{}
	for _, o := range p.Orders {
		ordered[o.Terms.Product] += o.Qty
	}
	for _, a := range p.Asks {
		ordered[a.Product] += a.Qty
	}
	for _, n := range p.Needs {
		_, lots := s.ages(n.Product, day.After)
		coming := s.Coming[n.Product][:0:0]
		for _, c := range s.Coming[n.Product] {
			if c.Due > day.Date {
				coming = append(coming, c)
				continue
			}
			lots = append(lots, Lot{Qty: c.Qty, Until: day.After.Add(s.Good(n.Product).Life)})
		}
		s.Coming[n.Product] = coming
		gone := n.OnHand + n.InTransit
		if !n.Made {
			if q := ordered[n.Product]; q > 0 {
				lots = append(lots, Lot{Qty: q, Until: day.After.Add(s.Good(n.Product).Life)})
			}
			gone = up(n.Need) - n.Direct + means[n.Product]
		}
		if _, tray := left[n.Product]; tray { // what is left on it is known
			continue
		}
		left[n.Product] = use(lots, gone)
	}
	for product, lots := range left {
		kept := lots[:0:0]
		for _, l := range lots {
			if l.Qty > 0 && l.Until.After(next) {
				kept = append(kept, l)
			}
		}
		s.Lots[product] = kept
	}
}

// ages tells of each lot whether it counts, and gives those that do, the earliest end first.
func (s *Site) ages(product id.ID, after time.Time) (all []Age, fit []Lot) {
	lots := append([]Lot(nil), s.Lots[product]...)
	sort.SliceStable(lots, func(i, j int) bool { return lots[i].Until.Before(lots[j].Until) })
	for _, l := range lots {
		a := Age{Batch: l.Batch, Code: l.Code, Qty: l.Qty, Held: l.Held, Until: l.Until, Why: "counts"}
		if l.Until.After(after) {
			fit = append(fit, l)
		} else {
			a.Why = "expires_before_use"
		}
		all = append(all, a)
	}
	return all, fit
}

func total(lots []Lot) (sum qty.Qty) {
	for _, l := range lots {
		sum += l.Qty
	}
	return sum
}

// use takes a quantity off lots, the earliest end first.
func use(lots []Lot, q qty.Qty) []Lot {
	out := append([]Lot(nil), lots...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Until.Before(out[j].Until) })
	for i := range out {
		taken := min(max(q, 0), out[i].Qty)
		out[i].Qty -= taken
		q -= taken
	}
	return out
}

// wholeBatches rounds up to whole batches; without a batch size to thousandths, as it is.
func wholeBatches(want, batch qty.Qty) qty.Qty {
	if want <= 0 {
		return 0
	}
	if batch <= 0 {
		return want
	}
	return (want + batch - 1) / batch * batch
}

// halfHours counts half hours from midnight, down.
func halfHours(midnight, t time.Time) int {
	const most = 48 * 3660
	return int(min(t.Sub(midnight)/(30*time.Minute), most))
}

// up is the next whole thousandth; a need that was rounded once already fits.
func up(r *big.Rat) qty.Qty {
	q, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return qty.Qty(q.Int64())
}
