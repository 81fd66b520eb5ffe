package supplyday

import (
	"context"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// Orders by daily mean sales: the classic chain of speciality shops.

// readSold reads the last selling days of products that are ordered by their mean, some products at a time.
func (x *situation) readSold(ctx context.Context, d reader) error {
	x.means = map[id.ID]replenish.DailyMean{}
	products := x.stockedProducts(replenish.DMS)
	for part := range slices.Chunk(products, forecast.MaxSaleDays/replenish.DMSDays) {
		var sold map[id.ID][]forecast.SoldDay
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			sold, err = forecast.LastDays(tx, x.site.ID, part, x.today, replenish.DMSDays)
			return err
		}); err != nil {
			return err
		}
		for _, p := range part {
			days := make([]replenish.SoldDay, len(sold[p]))
			for i, s := range sold[p] {
				days[i] = replenish.SoldDay{Date: s.Date, Qty: s.Qty, Out: s.Out}
			}
			x.means[p] = replenish.MeanOf(days)
		}
	}
	return nil
}

// byMean orders what daily mean sales suggest. What is wanted and can't be ordered, under its ceiling or of nobody, is given as
// needs.
func (x *situation) byMean(m *replenish.Made, site *replenish.Site, now party.Moment) (unmet []replenish.RequirementRow, err error) {
	for _, p := range x.stockedProducts(replenish.DMS) {
		g, rule := x.all.goods[p], x.policy(p)
		if g == nil || !g.Bought() || x.open[p] {
			continue
		}
		due := site.FirstDue(p, x.today, now)
		lead := int64(site.Protected(p, x.today, now) - 1)
		_, sourced := site.Sources[p]
		lacking := !sourced && len(site.Terms[p]) == 0
		if lacking { // nobody brings it, and nothing is on the way for days that nobody has said
			due, lead = x.today, 0
		}
		moved := x.movedAhead(p, site, now, int(lead+rule.Review))
		of := replenish.DMSOf{Mean: x.means[p], Lead: lead, Review: rule.Review, Factor: moved.Factor, Safety: max(0, rule.Safety), Ceiling: rule.Most}
		if s, ok := x.computed(p, g.ShelfLifeH, site, now); ok {
			if rule.Safety == replenish.Computed {
				of.Safety = s.Margin
			}
			if x.safety[p] != s {
				x.fresh = append(x.fresh, s)
			}
		}
		var stock []replenish.Age
		var arriving []replenish.Coming
		of.Available, of.InTransit, stock, arriving = site.OnTheShelf(p, due)
		why := of.Suggest()
		if why.Want == 0 {
			continue
		}
		row, why, err := x.meanRow(site, g, why, now)
		if err != nil {
			return nil, err
		}
		if row == nil {
			if arriving == nil {
				arriving = []replenish.Coming{}
			}
			unmet = append(unmet, replenish.RequirementRow{Product: p, Date: x.today, Gross: why.Suggested, Need: why.Suggested, OnHand: why.Available, InTransit: why.InTransit, Net: why.Suggested,
				Lacking: lacking, Why: replenish.RequirementWhy{Uses: []replenish.UseWhy{}, Direct: why.Suggested, Stock: stocked(stock), Arriving: arriving, DMS: &why}})
			continue
		}
		row.Mode, row.Why.DMS = replenish.DMS, &why
		if w, ok := site.Words[replenish.Word{Supplier: row.Supplier, Product: p}]; ok {
			row.Why.Word = &w
		}
		x.level(row, moved, site)
		if row.Why.Event != nil {
			row.Why.Event.Without = of.Mean.Over(lead+rule.Review, replenish.One)
		}
		m.Orders = append(m.Orders, *row)
	}
	return unmet, nil
}

// meanRow is the line of a suggestion in packs of who supplies it; nil: nothing of it can be ordered.
func (x *situation) meanRow(site *replenish.Site, g *catalog.Product, why replenish.DMSWhy, now party.Moment) (*replenish.ProposalRow, replenish.DMSWhy, error) {
	due := site.FirstDue(g.ID, x.today, now)
	if source, ok := site.Sources[g.ID]; ok {
		piece := qty.Qty(1)
		if g.BaseUnit == "piece" {
			piece = qty.Scale
		}
		if why = why.InPacks(piece, 1); why.Qty == 0 {
			return nil, why, nil
		}
		row := x.askRow(&replenish.Requisition{Product: g.ID, From: source.Site, Due: due, OrderBy: party.Moment{Date: now.Date, Minute: party.EndOfDay}, Qty: why.Qty}, site)
		return &row, why, nil
	}
	var none *replenish.DMSWhy
	for terms := site.Terms[g.ID]; ; {
		orders, _, err := replenish.Propose([]catalog.Requirement{{Product: g.ID, Net: max(1, why.Suggested)}}, map[id.ID][]party.Terms{g.ID: terms}, due, now)
		if err != nil {
			return nil, why, err
		}
		if len(orders) == 0 || none != nil && orders[0].Late {
			if none != nil {
				why = *none // in the boxes of whoever comes first
			}
			return nil, why, nil
		}
		best := orders[0]
		pack, err := best.Terms.Unit.ToBase(best.Terms.Pack)
		if err != nil {
			return nil, why, err
		}
		packed := why.InPacks(pack, best.Terms.MinPacks)
		if packed.Qty > 0 {
			order, err := packed.Order(best)
			if err != nil {
				return nil, why, err
			}
			row := purchaseRow(order)
			return &row, packed, nil
		}
		if none == nil {
			none = &packed
		}
		terms = slices.DeleteFunc(slices.Clone(terms), func(t party.Terms) bool { return t.Supplier == best.Terms.Supplier })
	}
}

// addUnmet adds needs that nothing is ordered for. A product that the day's plan needs besides stays one need: what its level
// wants beyond that is its safety.
func addUnmet(m *replenish.Made, unmet []replenish.RequirementRow) {
	for _, u := range unmet {
		at := slices.IndexFunc(m.Needs, func(n replenish.RequirementRow) bool { return n.Product == u.Product && n.Date == u.Date })
		if at < 0 {
			m.Needs = append(m.Needs, u)
			continue
		}
		n := &m.Needs[at]
		n.Lacking, n.Why.DMS = n.Lacking || u.Lacking, u.Why.DMS
		if u.Net > n.Net {
			n.Net, n.Safety = u.Net, max(0, u.Net+n.OnHand+n.InTransit-n.Need)
		}
	}
}
