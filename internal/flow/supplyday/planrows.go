package supplyday

import (
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// The rows that a plan is written down in.

// write writes down a day of the plan: of the planned day everything, of later ones what must be ordered now.
func (x *situation) write(m *replenish.Made, p *replenish.Plan, planned bool, site *replenish.Site, now party.Moment, date cal.Date) {
	raised, words := x.raised(p, site, now, date), map[id.ID]*replenish.WordWhy{}
	for i := range p.Needs {
		words[p.Needs[i].Product] = p.Needs[i].Word
	}
	if planned {
		for _, r := range p.Production {
			if _, kept := x.decided(r.Product, x.date)[r.Round.No]; kept {
				continue
			}
			why := replenish.ProductionWhy{LifeH: x.all.goods[r.Product].ShelfLifeH, Batch: x.all.goods[r.Product].BatchSize, Wanted: max(0, r.Quantile-r.OnHand), Stock: stocked(r.Stock), Rounding: r.Rounding, Capacity: r.Capacity}
			if !r.Given {
				why.Forecast = x.why(r.Product, r.Demand)
				if moved := raised[r.Product]; moved.Event != nil && !why.Forecast.Override {
					why.Event = x.eventWhy(moved, r.Product, site, date)
					why.Event.Without = qty.Qty(int64(r.Quantile) * replenish.One / moved.Factor)
				}
			}
			ready := max(int64(r.Round.From), int64(x.site.Open)/30)
			level, how := x.round(&r, raised[r.Product])
			m.Production = append(m.Production, replenish.ProductionRow{Product: r.Product, Level: level, Execution: how, Round: r.Round.No, From: int64(r.Round.From), To: int64(r.Round.To), Ready: ready,
				Mean: r.Mean, Quantile: r.Quantile, OnHand: r.OnHand, Make: r.Make, Why: why})
		}
	}
	ordered := map[id.ID]bool{}
	without := func(product id.ID, row *replenish.ProposalRow) {
		x.level(row, raised[product], site)
		if row.Execution == replenish.Act && x.doubts(product, row.Due, row.Net) {
			row.Execution = replenish.Suggest
		}
		if row.Why.Event != nil {
			row.Why.Event.Without = qty.Qty(int64(row.Net) * replenish.One / row.Factor)
		}
		m.Orders = append(m.Orders, *row)
	}
	for i := range p.Orders {
		if o := &p.Orders[i]; !o.Wait {
			ordered[o.Terms.Product] = true
			row := purchaseRow(o)
			row.Mode, row.Why.Word = x.policy(row.Product).Mode, words[row.Product]
			without(row.Product, &row)
		}
	}
	for i := range p.Asks {
		if a := &p.Asks[i]; !a.Wait {
			ordered[a.Product] = true
			row := x.askRow(a, site)
			row.Mode = x.policy(row.Product).Mode
			without(row.Product, &row)
		}
	}
	for _, n := range p.Needs {
		if !planned && !ordered[n.Product] {
			continue
		}
		why := replenish.RequirementWhy{Uses: []replenish.UseWhy{}, Direct: n.Direct, Stock: stocked(n.Stock), Arriving: n.Arriving, Used: n.OnHand + n.InTransit, Pooled: n.Pooled.Why(x.named), Word: n.Word}
		if why.Arriving == nil {
			why.Arriving = []replenish.Coming{}
		}
		if n.Demand != nil {
			why.Forecast = x.why(n.Product, *n.Demand)
		}
		for _, u := range n.Uses {
			why.Uses = append(why.Uses, x.useWhy(n.Product, u))
		}
		m.Needs = append(m.Needs, replenish.RequirementRow{Product: n.Product, Date: n.Date, Gross: replenish.Rounded(n.Gross), Need: replenish.Rounded(n.Need), Loss: replenish.PPM(n.Loss()),
			OnHand: n.Have.OnHand, InTransit: n.Have.InTransit, Net: n.Net, Safety: n.Safety, Made: n.Made, Lacking: n.Lacking, Why: why})
	}
}

// purchaseRow is a line to be bought.
func purchaseRow(o *replenish.Order) replenish.ProposalRow {
	lead := o.Terms.LeadHours
	if lead == 0 {
		lead = o.Terms.Class.LeadHours()
	}
	others := o.Others
	if others == nil {
		others = []replenish.Other{}
	}
	return replenish.ProposalRow{Product: o.Terms.Product, Supplier: o.Terms.Supplier, Due: o.Due, OrderBy: o.OrderBy.String(), Late: o.Late, Net: o.Net,
		Packs: o.Packs, Qty: o.Qty, Amount: o.Amount, Pack: o.Terms.Pack, Unit: o.Terms.Unit, Price: o.Terms.Price, MinPacks: o.Terms.MinPacks,
		Why: replenish.ProposalWhy{Net: o.Net, Over: o.Over, LeadClass: string(o.Terms.Class), LeadH: lead, OrderDays: o.Terms.Days.String(), Others: others}}
}

// askRow is a line to be asked from a site of the group.
func (x *situation) askRow(a *replenish.Requisition, site *replenish.Site) replenish.ProposalRow {
	return replenish.ProposalRow{Product: a.Product, Source: a.From, Due: a.Due, OrderBy: a.OrderBy.String(), Late: a.Late, Net: a.Qty, Qty: a.Qty,
		Pack: qty.Scale, Unit: qty.Unit{Name: x.all.goods[a.Product].BaseUnit, Num: 1, Den: 1}, MinPacks: 0,
		Why: replenish.ProposalWhy{Net: a.Qty, LeadH: site.Sources[a.Product].LeadHours, Others: []replenish.Other{}}}
}

func stocked(all []replenish.Age) []replenish.Age {
	if all == nil {
		return []replenish.Age{}
	}
	return all
}

// why is the forecast of a product behind its demand.
func (x *situation) why(product id.ID, d replenish.Demand) *replenish.ForecastWhy {
	w := replenish.WhyOf(d)
	w.RunID, w.DataUntil = x.run.ID, x.run.DataUntil
	if a := x.at[product]; a != nil {
		e := a.On(x.date)
		w.Override = e != nil && e.Override
	}
	return w
}

// round says why and how a round is made: the strongest level that moves it counts, and over a ceiling, or of a product that sold so
// much today that somebody must look first, it waits for an approver.
func (x *situation) round(r *replenish.Production, moved replenish.Moved) (replenish.Level, replenish.Execution) {
	policy := x.policy(r.Product)
	level := replenish.Automatic
	switch e := moved.Event; {
	case policy.Ceilings.Hold(r.Make, 0) != replenish.HeldNot || x.date == x.today && x.blocked[r.Product]:
		level = replenish.Exception
	case e != nil && e.Kind != replenish.WeatherBy:
		level = replenish.Buffer
	case x.date == x.today && x.paced[r.Product]:
		level = replenish.Tuning
	}
	return level, policy.At(level)
}
