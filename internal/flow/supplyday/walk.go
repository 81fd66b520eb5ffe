package supplyday

import (
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// moment is now on the clock of the site.
func (x *situation) moment() party.Moment {
	clock := x.now.In(x.site.Location())
	return party.Moment{Date: cal.On(clock), Minute: int64(clock.Hour()*60 + clock.Minute())}
}

// walk plans from today over the planned day to the last day for which something must be ordered now, and shows what it
// came to from the planned day on.
func (x *situation) walk(site *replenish.Site, now party.Moment, each func(p *replenish.Plan, date cal.Date)) error {
	last := x.date.AddDays(x.horizon(x.all.terms, site.Sources))
	for date := x.today; date <= last; date = date.AddDays(1) {
		day := replenish.Day{Date: date, Now: now}
		if date == x.today {
			day.From = x.from
			day.After = site.Start(date)
			if x.now.After(day.After) {
				day.After = x.now
			}
		}
		day.Wanted = x.wanted(site, now, date)
		p, err := site.Plan(day)
		if err != nil {
			return err
		}
		if date >= x.date {
			each(p, date)
		}
	}
	return nil
}

// horizon is how many days after the planned one goods must be ordered for on that day.
func (x *situation) horizon(terms map[id.ID][]party.Terms, sources map[id.ID]replenish.Source) int {
	days := 1
	for _, list := range terms {
		for _, t := range list {
			lead := x.date.Sub(t.OrderBy(x.date).Date) + 6 // order days may be a week apart
			if t.Days == party.EveryDay {
				lead -= 6
			}
			days = max(days, lead)
		}
	}
	for _, s := range sources {
		days = max(days, int(s.LeadHours+23)/24)
	}
	if x.run != nil {
		days = min(days, max(x.run.Last().Sub(x.date), 0))
	}
	return min(days, mostAhead)
}

// wanted is what the site sells and others ask of it on a day.
func (x *situation) wanted(site *replenish.Site, now party.Moment, date cal.Date) []replenish.Wanted {
	var all []replenish.Wanted
	asked := x.asked[date]
	said := map[id.ID]bool{}
	for i := range x.ahead {
		a := &x.ahead[i]
		e := a.On(date)
		g := x.all.goods[a.Product]
		if e == nil || g == nil || !g.Bought() || x.static(a.Product) {
			continue
		}
		said[a.Product] = true
		all = append(all, replenish.Wanted{Product: a.Product, Decided: x.decided(a.Product, date), Demand: x.demand(a, e, g, site, now, date).Plus(asked[a.Product]).Spreading(replenish.SpreadOf(e.Mean, e.At), asked[a.Product])})
	}
	for p, q := range asked {
		if !said[p] {
			all = append(all, replenish.Wanted{Product: p, Firm: &q, Decided: x.decided(p, date)})
		}
	}
	slices.SortFunc(all, func(a, b replenish.Wanted) int { return compare(a.Product, b.Product) })
	return all
}

// demand is the forecast of a product for a day, moved by what the calendar says of it and, when part of the day is over,
// by what has been sold.
func (x *situation) demand(a *forecast.AheadOf, e *forecast.Expected, g *catalog.Product, site *replenish.Site, now party.Moment, date cal.Date) replenish.Demand {
	shares := a.Shares(date.Weekday())
	d := replenish.DemandAt(e.Mean, e.At, x.serviceOf(g, date), shares)
	if date == x.today && x.from > 0 && len(x.sold) > 0 {
		d = d.Live(replenish.DemandAt(e.Mean, e.At, x.setService(g), shares), x.sold[a.Product], x.minute())
	}
	if moved := x.moved(a.Product, site, now, date); moved.Event != nil && !e.Override {
		d = d.Moved(effect(moved, e), moved.Factor)
	}
	if x.worth[g.ID].Cost > 0 {
		d = d.Spread(e.Mean, e.At)
	}
	return d
}

// minute is how many minutes after midnight of its business date it is at the site.
func (x *situation) minute() int64 { return int64(x.now.Sub(x.midnight(x.today)) / time.Minute) }

func compare(a, b id.ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// decided are the rounds of the planned day that stay as they are.
func (x *situation) decided(product id.ID, date cal.Date) map[int64]qty.Qty {
	if date != x.date {
		return nil
	}
	return x.kept[product]
}
