package replenish

import (
	"sort"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Stocked is a product under the static rule at a site.
type Stocked struct {
	Product      id.ID
	Safety, Most qty.Qty // raised by a strategy already
	Open         bool    // a line is open: it waits for a decision
}

// StaticLine is what the static rule orders of a product, and what it was worked out from.
type StaticLine struct {
	Stocked
	Available, InTransit, Need qty.Qty
	Order                      *Order
	Ask                        *Requisition
	Stock                      []Age
	Arriving                   []Coming
}

// OnTheShelf is what is available of a product when an order comes that is due on a day, and all that was promised meanwhile.
func (s *Site) OnTheShelf(product id.ID, due cal.Date) (available, inTransit qty.Qty, stock []Age, arriving []Coming) {
	after := s.Start(due)
	for _, x := range s.Lots[product] {
		if x.Until.After(after) {
			available += x.Qty
		}
	}
	for _, c := range s.Coming[product] {
		inTransit += c.Said()
	}
	stock, _ = s.ages(product, after)
	return available, inTransit, stock, s.Coming[product]
}

// FirstDue is the first day on which what is ordered now can be there; a day beyond all where nobody supplies it.
func (s *Site) FirstDue(product id.ID, today cal.Date, now party.Moment) cal.Date {
	if source, ok := s.Sources[product]; ok {
		return now.Date.AddDays(int((source.LeadHours + 23) / 24))
	}
	return s.firstDue(product, today, now)
}

// mostLead is how many days ahead a delivery is looked for.
const mostLead = 35

// Below finds the products whose stock is below their safety level, and orders each up to its maximum, from the site that
// sources it or the supplier that can deliver first. It plans nothing else: what lies and comes stays as it is.
func (s *Site) Below(today cal.Date, now party.Moment, list []Stocked) ([]StaticLine, error) {
	var all []StaticLine
	for _, k := range list {
		source, sourced := s.Sources[k.Product]
		due := s.FirstDue(k.Product, today, now)
		if k.Open {
			continue
		}
		l := StaticLine{Stocked: k} // the rule is exact: once ordered, once counted
		l.Available, l.InTransit, l.Stock, l.Arriving = s.OnTheShelf(k.Product, due)
		if l.Need = OrderUpTo(l.Available, l.InTransit, k.Safety, k.Most, false); l.Need == 0 {
			continue
		}
		if sourced {
			by := party.Moment{Date: now.Date, Minute: 24*60 - 1}
			l.Ask = &Requisition{Product: k.Product, From: source.Site, Due: due, OrderBy: by, Qty: l.Need}
		} else {
			orders, _, err := Propose([]catalog.Requirement{{Product: k.Product, Net: l.Need}}, s.Terms, due, now)
			if err != nil {
				return nil, err
			}
			if len(orders) > 0 {
				l.Order = &Order{Proposal: orders[0], Net: l.Need}
			}
		}
		all = append(all, l)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Product < all[j].Product })
	return all, nil
}

// firstDue is the first day for which one of a product's suppliers still takes an order; a day beyond all where none is
// found.
func (s *Site) firstDue(product id.ID, today cal.Date, now party.Moment) cal.Date {
	best := today.AddDays(mostLead)
	for _, t := range s.Terms[product] {
		for d := 0; d < mostLead; d++ {
			due := today.AddDays(d)
			if due >= best {
				break
			}
			if !t.OrderBy(due).Before(now) {
				best = due
				break
			}
		}
	}
	return best
}

// Protected is how many days a static product must last: until what is ordered at the next review has come, and the days its
// supplier is late by.
func (s *Site) Protected(product id.ID, today cal.Date, now party.Moment) int {
	if source, ok := s.Sources[product]; ok {
		return 1 + int((source.LeadHours+23)/24)
	}
	due := s.firstDue(product, today, now)
	days := 1 + due.Sub(today)
	if w := s.firstWord(product, due, now); w != nil {
		days += int(w.LateDays)
	}
	return days
}
