package supplyday

import (
	"slices"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// How rules and the calendar shape the plan of a site.

// policy is the rule of a product: the site's own, else the one for all, else dynamic by suggestion.
func (x *situation) policy(p id.ID) *replenish.Policy {
	if r := x.own[p]; r != nil {
		return r
	}
	if r := x.all.policies[p]; r != nil {
		return r
	}
	return &replenish.DefaultPolicy
}

// static tells of a product that is ordered by its level. What is made here follows its forecast whatever its rule.
func (x *situation) static(p id.ID) bool {
	if !x.policy(p).Mode.Stocked() {
		return false
	}
	return !x.madeHere(p, x.date)
}

func (x *situation) madeHere(p id.ID, date cal.Date) bool {
	_, here := x.all.book.On(p, date)
	_, elsewhere := x.source[p]
	return here && !elsewhere
}

// stocks tells whether anything is ordered here by its level.
func (x *situation) stocks() bool {
	for _, rules := range []map[id.ID]*replenish.Policy{x.own, x.all.policies} {
		for _, r := range rules {
			if r.Mode.Stocked() {
				return true
			}
		}
	}
	return false
}

// moved is what the calendar does to a product on a day, seen from a moment.
func (x *situation) moved(product id.ID, site *replenish.Site, now party.Moment, date cal.Date) replenish.Moved {
	return replenish.Highest(x.all.events, product, func(e *replenish.Event) (replenish.Moved, bool) {
		m := replenish.Moved{Event: e, Factor: e.Factor}
		if e.Site != replenish.AllSites && e.Site != x.site.ID {
			return m, false
		}
		if e.Kind == replenish.WeatherBy {
			return m, date >= e.From && date <= e.To && e.Condition.Meets(x.wind[date], e.Degree)
		}
		start := site.Start(date)
		if !start.Before(e.Ends(site.Loc)) {
			return m, false
		}
		if m.Learned = x.learned(e, product, site, date); m.Learned != nil && m.Learned.Used {
			m.Factor = int64(m.Learned.Factor)
			return m, m.Factor != replenish.One // whenever it is ordered, the day is what it is
		}
		from, _ := x.stocksUpFrom(e, product, site, date)
		at := site.Midnight(now.Date).Add(time.Duration(now.Minute) * time.Minute)
		if x.madeHere(product, date) && start.After(at) {
			at = start
		}
		return m, !at.Before(from) && at.Before(e.Ends(site.Loc))
	})
}

// stocksUpFrom is when goods for an event are ordered or made: 48 hours before it begins, or on the business day on which
// the last supplier takes orders for its first day; earlier: the second.
func (x *situation) stocksUpFrom(e *replenish.Event, product id.ID, site *replenish.Site, date cal.Date) (from time.Time, earlier bool) {
	begins := e.Begins(site.Loc)
	var last time.Time
	switch source, ok := site.Sources[product]; {
	case x.madeHere(product, date):
	case ok:
		last = site.Start(e.From.AddDays(-int((source.LeadHours + 23) / 24)))
	default:
		for _, t := range site.Terms[product] {
			if day := site.Start(t.OrderBy(e.From).Date); day.After(last) {
				last = day
			}
		}
	}
	from = replenish.StocksUpFrom(begins, last)
	return from, from.Before(begins.Add(-replenish.Ahead48))
}

// effect is the model's own part of a forecast that the calendar stands in for: of the entry that counts and of those that it
// is higher than, so that no factor multiplies another.
func effect(m replenish.Moved, x *forecast.Expected) (sum qty.Qty) {
	for _, kind := range m.Kinds {
		switch kind {
		case replenish.Promotion:
			sum += x.Promotion
		case replenish.Festival:
			sum += x.Holiday
		case replenish.WeatherBy:
			sum += x.Weather
		}
	}
	return sum
}

// raised tells which products of a day's plan are moved, of materials by what they are used for.
func (x *situation) raised(p *replenish.Plan, site *replenish.Site, now party.Moment, date cal.Date) map[id.ID]replenish.Moved {
	found := map[id.ID]replenish.Moved{}
	if len(x.all.events) == 0 {
		return found
	}
	note := func(product id.ID, m replenish.Moved) {
		if m.Event != nil && (found[product].Event == nil || m.Factor > found[product].Factor) {
			found[product] = m
		}
	}
	for _, r := range p.Production {
		note(r.Product, x.moved(r.Product, site, now, date))
	}
	for _, n := range p.Needs {
		if n.Direct > 0 {
			note(n.Product, x.moved(n.Product, site, now, date))
		}
	}
	for range 3 { // through what is made of what is made
		for _, n := range p.Needs {
			for _, u := range n.Uses {
				note(n.Product, found[u.Product])
			}
		}
	}
	return found
}

// level says why and how a line is ordered, and whether it waits for an approver. What the target would be without the
// event is left to the caller.
func (x *situation) level(row *replenish.ProposalRow, moved replenish.Moved, site *replenish.Site) {
	policy := x.policy(row.Product)
	row.Level, row.Factor = replenish.Automatic, replenish.One
	if e := moved.Event; e != nil {
		row.Factor = moved.Factor
		if e.Kind != replenish.WeatherBy {
			row.Level = replenish.Buffer
		}
		row.Why.Event = x.eventWhy(moved, row.Product, site, row.Due)
	}
	row.Execution = policy.At(row.Level)
	if row.Held = policy.Ceilings.Hold(row.Qty, row.Amount); row.Held == replenish.HeldNot && x.blocked[row.Product] {
		row.Held = replenish.HeldSales
	}
}

// below orders what the static rule orders. What nobody supplies is given as needs.
func (x *situation) below(m *replenish.Made, site *replenish.Site, now party.Moment) (unmet []replenish.RequirementRow, err error) {
	computed := map[id.ID]replenish.Safety{}
	moved := map[id.ID]replenish.Moved{}
	var list []replenish.Stocked
	for _, p := range x.stockedProducts(replenish.Static) {
		g, rule := x.all.goods[p], x.policy(p)
		if g == nil || !g.Bought() {
			continue
		}
		k := replenish.Stocked{Product: p, Safety: rule.Safety, Most: rule.Most, Open: x.open[p]}
		if s, ok := x.computed(p, g.ShelfLifeH, site, now); ok {
			computed[p] = s
			if x.safety[p] != s {
				x.fresh = append(x.fresh, s)
			}
			if k.Safety == replenish.Computed {
				k.Safety = s.Level()
			}
			if k.Most == replenish.Computed {
				k.Most = max(s.Most, k.Safety)
			}
		}
		if k.Safety == replenish.Computed {
			continue // nobody set it and there is no forecast to compute it from
		}
		k.Most = max(k.Most, k.Safety)
		if len(x.all.events) > 0 {
			moved[p] = x.movedAhead(p, site, now, site.Protected(p, x.today, now))
			if f := moved[p]; f.Event != nil {
				k.Safety, k.Most = replenish.Times(k.Safety, f.Factor), replenish.Times(k.Most, f.Factor)
			}
		}
		list = append(list, k)
	}
	lines, err := site.Below(x.today, now, list)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if need := x.belowLine(m, site, l, computed, moved[l.Product]); need != nil {
			unmet = append(unmet, *need)
		}
	}
	return unmet, nil
}

// stockedProducts are those under a rule here, in order.
func (x *situation) stockedProducts(mode replenish.Mode) []id.ID {
	var all []id.ID
	for p, r := range x.all.policies {
		if x.own[p] == nil && r.Mode == mode && !x.madeHere(p, x.date) {
			all = append(all, p)
		}
	}
	for p, r := range x.own {
		if r.Mode == mode && !x.madeHere(p, x.date) {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return all
}

// computed is what the forecast makes of a product's levels.
func (x *situation) computed(p id.ID, lifeH int64, site *replenish.Site, now party.Moment) (replenish.Safety, bool) {
	a := x.at[p]
	if a == nil {
		return replenish.Safety{}, false
	}
	return replenish.ComputeSafety(p, site.Protected(p, x.today, now), lifeH, func(day int) (mean, quantile qty.Qty, ok bool) {
		e := a.On(x.today.AddDays(day))
		if e == nil {
			return 0, 0, false
		}
		return e.Mean, e.At(replenish.Service(lifeH)), true
	}), true
}

// belowLine orders a line of the static rule, or gives it as a need when nobody supplies it.
func (x *situation) belowLine(m *replenish.Made, site *replenish.Site, l replenish.StaticLine, computed map[id.ID]replenish.Safety, moved replenish.Moved) *replenish.RequirementRow {
	rule := x.policy(l.Product)
	why := &replenish.StaticWhy{Available: l.Available, InTransit: l.InTransit, Safety: l.Safety, Most: l.Most, ByHand: rule.Safety != replenish.Computed, Stock: stocked(l.Stock), Arriving: l.Arriving}
	if why.Arriving == nil {
		why.Arriving = []replenish.Coming{}
	}
	if c, ok := computed[l.Product]; ok {
		level := c.Level()
		why.ComputedSafety, why.ComputedMost, why.Days, why.Expected, why.Margin = &level, &c.Most, c.Days, c.Expected, c.Margin
	}
	var row replenish.ProposalRow
	switch {
	case l.Order != nil:
		row = purchaseRow(l.Order)
		if w, ok := site.Words[replenish.Word{Supplier: row.Supplier, Product: l.Product}]; ok {
			row.Why.Word = &w
		}
	case l.Ask != nil:
		row = x.askRow(l.Ask, site)
	default:
		return &replenish.RequirementRow{Product: l.Product, Date: x.today, Gross: l.Need, Need: l.Need, OnHand: l.Available, InTransit: l.InTransit, Net: l.Need, Lacking: true,
			Why: replenish.RequirementWhy{Uses: []replenish.UseWhy{}, Direct: l.Need, Stock: why.Stock, Arriving: why.Arriving}}
	}
	row.Mode, row.Why.Static = replenish.Static, why
	x.level(&row, moved, site)
	if row.Why.Event != nil {
		row.Why.Event.Without = rule.Most
		if rule.Most == replenish.Computed {
			row.Why.Event.Without = computed[l.Product].Most
		}
	}
	m.Orders = append(m.Orders, row)
	return nil
}

// weather is what is known of the days ahead at a site: its own, else the one for everywhere.
func weather(tx *db.Tx, site id.ID, today cal.Date) (map[cal.Date]replenish.Weather, error) {
	found := map[cal.Date]replenish.Weather{}
	for _, of := range []id.ID{forecast.AllSites, site} {
		days, err := forecast.WeatherBetween(tx, of, today.AddDays(-1), today.AddDays(mostAhead+1))
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			w := replenish.Weather{Min: d.TMin, Max: d.TMax, Known: true}
			if d.Rain != nil {
				w.Rain = *d.Rain
			}
			found[d.Date] = w
		}
	}
	for date, w := range found {
		before, ok := found[date.AddDays(-1)]
		if w.MinBefore = w.Min; ok {
			w.MinBefore = before.Min
		}
		found[date] = w
	}
	return found, nil
}

const soldOfDay = `SELECT l.product_id, SUM(l.base_qty) FROM till_sale s JOIN till_line l ON l.sale_id = s.id
	WHERE s.site_id = $1 AND s.id >= $2 AND s.business_date = $3 AND s.state = 'paid' GROUP BY l.product_id`

// soldToday is what the tills of a site have sold on its business date, by product.
func soldToday(tx *db.Tx, site *org.Site, now time.Time) (map[id.ID]qty.Qty, error) {
	rows := tx.Query(soldOfDay, site.ID, id.At(now.Add(-25*time.Hour)), site.BusinessDate(now))
	defer rows.Close()
	found := map[id.ID]qty.Qty{}
	for rows.Next() {
		var p id.ID
		var q qty.Qty
		if err := rows.Scan(&p, &q); err != nil {
			return nil, err
		}
		found[p] = q
	}
	return found, rows.Err()
}
