package supplyday

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// What recipes with a choice are made from at a site (动态配方): the plan reckons with the mix that is in force on each day, and
// proposes one where stock would be over its time, a material can't be had, or another is cheaper. replenish says how a line is
// best mixed; here are its facts, which the plan has read anyway. A site without such recipes asks nothing more.

// mix is what is decided of a version on a day; nil: what the recipe says.
func (x *situation) mix(r *catalog.Recipe, day cal.Date) catalog.Mix {
	for _, m := range slices.Backward(x.mixes) {
		if m.State == replenish.MixApproved && m.Of(r) && m.On(day) {
			return m.Shares
		}
	}
	return nil
}

// mixing is what a plan of today sees of recipes with a choice, summed over the whole days it walks.
type mixing struct {
	products []id.ID // that are made here
	recipes  map[id.ID]*catalog.Recipe
	inputs   map[id.ID]bool
	lots     map[id.ID][]replenish.Lot
	arrives  map[id.ID][2]qty.Qty // due today, and until tomorrow
	days     int64
	makes    map[id.ID]*big.Rat    // by product
	needs    map[id.ID]*big.Rat    // by material
	own      map[[2]id.ID]*big.Rat // by product and material

	today struct { // what is still made and taken today
		makes, needs map[id.ID]*big.Rat
		own          map[[2]id.ID]*big.Rat
	}
}

// begin looks at the site before the walk lets days pass.
func (g *mixing) begin(x *situation) {
	*g = mixing{}
	if x.date != x.today {
		return
	}
	for _, p := range x.all.mixed {
		r, ok := x.all.book.On(p, x.today)
		if _, elsewhere := x.source[p]; !ok || elsewhere || len(r.Options) == 0 || x.all.goods[p] == nil {
			continue
		}
		if g.recipes == nil {
			*g = mixing{recipes: map[id.ID]*catalog.Recipe{}, inputs: map[id.ID]bool{}, lots: map[id.ID][]replenish.Lot{}, arrives: map[id.ID][2]qty.Qty{}}
			g.forget()
			g.today.makes, g.today.needs, g.today.own = map[id.ID]*big.Rat{}, map[id.ID]*big.Rat{}, map[[2]id.ID]*big.Rat{}
		}
		g.products = append(g.products, p)
		g.recipes[p] = &r
		for _, o := range r.Options {
			g.inputs[o.Product] = true
			g.lots[o.Product] = x.lots[o.Product]
			var due [2]qty.Qty
			for _, c := range x.coming[o.Product] {
				for day := range due {
					if c.Due <= x.today.AddDays(day) {
						due[day] += c.Qty
					}
				}
			}
			g.arrives[o.Product] = due
		}
	}
}

func (g *mixing) forget() {
	g.days, g.makes, g.needs, g.own = 0, map[id.ID]*big.Rat{}, map[id.ID]*big.Rat{}, map[[2]id.ID]*big.Rat{}
}

// see adds a day. Today is no whole day when a part of it is over: it counts only as long as there is no other.
func (g *mixing) see(x *situation, p *replenish.Plan, date cal.Date) {
	if len(g.products) == 0 {
		return
	}
	if g.days == 1 && date == x.today.AddDays(1) && x.from > 0 {
		g.forget()
	}
	g.days++
	made := map[id.ID]bool{}
	for _, n := range p.Needs {
		if g.inputs[n.Product] {
			add(g.needs, n.Product, n.Need)
			if date == x.today {
				add(g.today.needs, n.Product, n.Need)
			}
		}
		for _, u := range n.Uses {
			if g.recipes[u.Product] == nil {
				continue
			}
			add(g.own, [2]id.ID{u.Product, n.Product}, u.Need)
			if date == x.today {
				add(g.today.own, [2]id.ID{u.Product, n.Product}, u.Need)
			}
			if !made[u.Product] {
				made[u.Product] = true
				each := catalog.Ingredient{Component: catalog.Component{Qty: u.Qty}, Num: u.Num, Den: u.Den, Share: u.Share}
				makes := new(big.Rat).Quo(u.Gross, each.Per(u.Yield))
				add(g.makes, u.Product, makes)
				if date == x.today {
					add(g.today.makes, u.Product, makes)
				}
			}
		}
	}
}

func add[K comparable](sums map[K]*big.Rat, k K, r *big.Rat) {
	if sums[k] == nil {
		sums[k] = new(big.Rat)
	}
	sums[k].Add(sums[k], r)
}

// any tells whether any of a product is made on the days walked.
func (g *mixing) any(product id.ID) bool {
	return g.days > 0 && g.makes[product] != nil && g.makes[product].Sign() > 0
}

// aDay is a sum of all days as that of one.
func (g *mixing) aDay(sum *big.Rat) *big.Rat {
	if sum == nil {
		return new(big.Rat)
	}
	return new(big.Rat).Quo(sum, big.NewRat(g.days, 1))
}

var batchValues = db.NewMany(`SELECT b.id, v.posted_in - v.posted_out, a.posted_in - a.posted_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id WHERE b.id IN (`, `?`, `)`)

// value is what a batch holds now.
type value struct{ fen, qty int64 }

// proposeMixes brings the proposals of a site up to date with what its plan has seen. The same facts write nothing.
func (s *Service) proposeMixes(ctx context.Context, d *db.DB, x *situation) error {
	if len(x.all.mixed) == 0 || x.mixing.days == 0 && len(x.mixes) == 0 {
		return nil
	}
	var batches []any
	for _, lots := range x.mixing.lots {
		for _, l := range lots {
			batches = append(batches, l.Batch)
		}
	}
	slices.SortFunc(batches, func(a, b any) int { return compare(a.(id.ID), b.(id.ID)) })
	values := map[id.ID]value{}
	if len(batches) > 0 {
		if err := d.Read(ctx, func(tx *db.Tx) error {
			clear(values)
			rows := tx.QueryMany(batchValues, batches...)
			defer rows.Close()
			for rows.Next() {
				var batch id.ID
				var v value
				if err := rows.Scan(&batch, &v.fen, &v.qty); err != nil {
					return err
				}
				values[batch] = v
			}
			return rows.Err()
		}); err != nil {
			return err
		}
	}
	do, err := x.mixesToDo(values)
	if err != nil || do.Nothing() {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error { return replenish.PutMixes(tx, x.site.ID, do) })
}

// mixesToDo compares what is best mixed otherwise with what is proposed and in force.
func (x *situation) mixesToDo(values map[id.ID]value) (do replenish.MixesToDo, err error) {
	open := map[id.ID]*replenish.Mix{}
	quiet := map[id.ID]bool{}
	held := map[id.ID]*replenish.Mix{}
	for i := range x.mixes {
		m := &x.mixes[i]
		r := x.mixing.recipes[m.Product]
		switch {
		case m.State == replenish.MixProposed:
			open[m.Product] = m
		case r == nil || !m.Of(r):
		default:
			quiet[m.Product] = true // decided, one way or the other, until its last day
			if m.State == replenish.MixApproved && m.On(x.today) {
				held[m.Product] = m
			}
		}
	}
	w := &weighing{x: x, values: values, taken: map[id.ID]*big.Rat{}}
	for _, p := range x.mixing.products {
		if m := held[p]; m != nil && x.from == 0 && m.First < x.today && w.gone(m) {
			do.End = append(do.End, m.ID)
		}
		if quiet[p] {
			continue
		}
		m, err := w.propose(p)
		if err != nil {
			return do, err
		}
		if m == nil {
			continue
		}
		if old := open[p]; old != nil {
			delete(open, p)
			if m.ID, m.Seen, m.Version = old.ID, old.Version, old.Version; old.Says(m) {
				if old.Why == m.Why && old.Saving == m.Saving {
					continue
				}
			} else {
				m.Version++
			}
		}
		do.Propose = append(do.Propose, *m)
	}
	for _, m := range open {
		do.Drop = append(do.Drop, m.ID)
	}
	slices.Sort(do.Drop)
	return do, nil
}

// weighing weighs the recipes of a site, one after the other: what one takes of stock that is to spare is not there for the next.
type weighing struct {
	x      *situation
	values map[id.ID]value
	taken  map[id.ID]*big.Rat
}

// line is a line with all that is known of its materials.
type line struct {
	catalog.Component
	choices []replenish.Choice
	from    []string   // where prices come from
	had     []*big.Rat // that there is of each today beyond what else takes it; nil: as much as is wanted
	by      []int64    // in how many days each can be had; more than MixAhead: not at all
	best    replenish.Blend
}

// gone tells whether the reason of a mix in force is gone: it saves nothing against what the recipe says, and that can be had. As
// long as nothing is made by it nobody can tell.
func (w *weighing) gone(m *replenish.Mix) bool {
	if !w.x.mixing.any(m.Product) {
		return false
	}
	r := w.x.mixing.recipes[m.Product]
	saves := new(big.Rat)
	for _, l := range w.lines(r, 0) {
		shares := make([]int64, len(l.choices))
		for i := range l.choices {
			c := &l.choices[i]
			shares[i] = m.Shares[c.Product]
			if c.Can != nil && c.Can.Cmp(new(big.Rat).Mul(c.Whole, big.NewRat(c.Share, catalog.ShareWhole))) < 0 {
				return false
			}
		}
		part := replenish.Saves(l.choices, shares)
		if part == nil {
			return false
		}
		saves.Add(saves, part)
	}
	return saves.Sign() <= 0
}

// propose is the mix that is worth being proposed of a product, from today on or from when all can be ordered; nil: none.
func (w *weighing) propose(p id.ID) (*replenish.Mix, error) {
	x := w.x
	r := x.mixing.recipes[p]
	if !x.mixing.any(p) {
		return nil, nil
	}
	lines := w.lines(r, 0)
	if m, err := w.weigh(r, lines, x.today); m != nil || err != nil {
		return m, err
	}
	later := int64(0)
	for _, l := range lines {
		for _, d := range l.by {
			if d <= replenish.MixAhead {
				later = max(later, d)
			}
		}
	}
	if later == 0 {
		return nil, nil
	}
	return w.weigh(r, w.lines(r, later), x.today.AddDays(int(later)))
}

// weigh finds the best shares of lines that begin on a day, and makes a proposal of them when it is worth it.
func (w *weighing) weigh(r *catalog.Recipe, lines []line, first cal.Date) (*replenish.Mix, error) {
	m := &replenish.Mix{Site: w.x.site.ID, Product: r.Product, Recipe: r.ValidFrom, Revision: r.Revision, First: first, Shares: r.Usual()}
	saving, days := new(big.Rat), int64(replenish.MixAhead)
	rank := map[string]int{"": 0, replenish.MixCost: 1, replenish.MixExpiry: 2, replenish.MixAvailability: 3}
	for i := range lines {
		l := &lines[i]
		l.best = replenish.Best(l.choices)
		if l.best.Cause == "" {
			continue
		}
		if rank[l.best.Cause] > rank[m.Cause] {
			m.Cause = l.best.Cause
		}
		if days = min(days, l.best.Days); l.best.Cause == replenish.MixAvailability {
			for k, c := range l.choices {
				if l.best.Shares[k] < c.Share && l.by[k] > 0 {
					days = min(days, l.by[k])
				}
			}
		}
		if saving != nil && l.best.Saving != nil {
			saving.Add(saving, l.best.Saving)
		} else {
			saving = nil
		}
	}
	switch {
	case m.Cause == "":
		return nil, nil
	case m.Cause == replenish.MixAvailability:
	case saving == nil || saving.Sign() <= 0 || saving.Cmp(new(big.Rat).Mul(big.NewRat(int64(w.x.saving), 1), big.NewRat(qty.Scale*10_000, 1))) < 0:
		return nil, nil
	}
	days = max(1, days)
	m.Last, m.Saving = first.AddDays(int(days)-1), replenish.MixFen(saving)
	for _, l := range lines {
		for k := range l.choices {
			c := &l.choices[k]
			m.Shares[c.Product] = l.best.Shares[k]
			if l.best.Shares[k] > c.Share {
				add(w.taken, c.Product, new(big.Rat).Mul(new(big.Rat).Mul(c.Whole, big.NewRat(l.best.Shares[k], catalog.ShareWhole)), big.NewRat(days, 1)))
			}
		}
	}
	why, err := json.Marshal(w.why(r, lines, days))
	m.Why = string(why)
	return m, err
}

// lines are the lines of a version that may be mixed, as they are so many days from today: 0 by the stock there is and what can be had
// at once, later by what suppliers ask.
func (w *weighing) lines(r *catalog.Recipe, later int64) []line {
	x, g := w.x, &w.x.mixing
	makes := g.aDay(g.makes[r.Product])
	var all []line
	for _, c := range r.Lines() {
		l := line{Component: c}
		for _, o := range r.OptionsOf(c.Product) {
			of := c
			of.Product = o.Product
			if loss, batches := x.loss(r, of); batches > 0 {
				of.Loss = loss
			}
			per := catalog.Ingredient{Component: of, Num: o.Num, Den: o.Den, Share: catalog.ShareWhole}
			k := replenish.Choice{Option: o, Others: new(big.Rat)}
			k.Whole = new(big.Rat).Mul(new(big.Rat).Mul(makes, per.Per(r.Yield)), of.Compensation())
			if g.needs[o.Product] != nil {
				k.Others.Set(g.aDay(g.needs[o.Product]))
				k.Others.Sub(k.Others, g.aDay(g.own[[2]id.ID{r.Product, o.Product}]))
			}
			by := x.hadBy(o.Product)
			k.Price, k.Taken = x.unitCost(o.Product), w.taken[o.Product]
			from := "supplier"
			var had *big.Rat
			if _, made := x.all.book.On(o.Product, x.today); made {
				from = "recipe"
			}
			if later == 0 {
				stocked := w.stocked(o.Product, &k)
				if stocked != nil {
					k.Price, from = stocked, "stock"
				}
				switch today := g.today.makes[r.Product]; {
				case by == 0:
				case today != nil && today.Sign() > 0:
					had = g.had(&k, r.Product)
					k.Can = new(big.Rat).Mul(had, new(big.Rat).Quo(makes, today)) // of a whole day as it is of what is left of today
				case by > 1:
					had = g.next(&k)
					k.Can = had
				}
			} else if by > replenish.MixAhead {
				k.Can = new(big.Rat)
			}
			if k.Price == nil {
				from = ""
			}
			l.choices, l.from, l.by, l.had = append(l.choices, k), append(l.from, from), append(l.by, by), append(l.had, had)
		}
		all = append(all, l)
	}
	return all
}

// had is what is there of a material today, or comes, beyond what everything but the product still takes of it today.
func (g *mixing) had(k *replenish.Choice, product id.ID) *big.Rat {
	sum := new(big.Rat).SetInt64(int64(g.arrives[k.Product][0]))
	for _, lot := range k.Lots {
		sum.Add(sum, new(big.Rat).SetInt64(int64(lot.Qty)))
	}
	if n := g.today.needs[k.Product]; n != nil {
		sum.Sub(sum, n)
	}
	if o := g.today.own[[2]id.ID{product, k.Product}]; o != nil {
		sum.Add(sum, o)
	}
	if sum.Sign() < 0 {
		sum.SetInt64(0)
	}
	return sum
}

// next is the same of tomorrow, of which a mix counts when nothing is made by it any more today.
func (g *mixing) next(k *replenish.Choice) *big.Rat {
	sum := new(big.Rat).SetInt64(int64(g.arrives[k.Product][1]))
	for _, lot := range k.Lots {
		if lot.Days > 1 {
			sum.Add(sum, new(big.Rat).SetInt64(int64(lot.Qty)))
		}
	}
	if n := g.today.needs[k.Product]; n != nil {
		sum.Sub(sum, n)
	}
	if sum.Sub(sum, k.Others); sum.Sign() < 0 {
		sum.SetInt64(0)
	}
	return sum
}

// stocked fills in the batches of a material that are in date now, and gives what a base unit of them has cost; nil: there are none.
func (w *weighing) stocked(p id.ID, k *replenish.Choice) *big.Rat {
	x := w.x
	var fen, have int64
	for _, l := range x.mixing.lots[p] {
		days := int64(0)
		for days <= replenish.MixAhead && l.Until.After(x.dayStart(int(days))) {
			days++
		}
		if l.Qty <= 0 || days == 0 {
			continue
		}
		k.Lots = append(k.Lots, replenish.MixLot{Lot: l, Days: days})
		v := w.values[l.Batch]
		fen, have = fen+v.fen, have+v.qty
	}
	slices.SortStableFunc(k.Lots, func(a, b replenish.MixLot) int { return a.Until.Compare(b.Until) })
	if have <= 0 {
		return nil
	}
	return new(big.Rat).Mul(big.NewRat(fen, have), big.NewRat(qty.Scale*10_000, 1))
}

// dayStart is when the business day so many days from today begins, or now.
func (x *situation) dayStart(days int) time.Time {
	start := x.midnight(x.today.AddDays(days)).Add(time.Duration(x.site.DayStart) * time.Minute)
	if x.now.After(start) {
		return x.now
	}
	return start
}

// hadBy is in how many days a material can be there when it is asked for now: 0 today, or as much as is wanted is made here; more than
// MixAhead: nobody brings it, or it is not bought any more and what lies there is all.
func (x *situation) hadBy(p id.ID) int64 {
	if g := x.all.goods[p]; g == nil || !g.Bought() {
		return replenish.MixAhead + 1
	}
	now := x.moment()
	from, elsewhere := x.source[p]
	if _, made := x.all.book.On(p, x.today); made && !elsewhere {
		return 0
	}
	for d := range replenish.MixAhead + 1 {
		due := x.today.AddDays(d)
		if elsewhere {
			if by := from.OrderBy(due); !by.Before(now) {
				return int64(d)
			}
			continue
		}
		for _, t := range x.all.terms[p] {
			if !t.OrderBy(due).Before(now) {
				return int64(d)
			}
		}
	}
	return replenish.MixAhead + 1
}

// why is what a proposal was worked out from.
func (w *weighing) why(r *catalog.Recipe, lines []line, days int64) replenish.MixWhy {
	x, g := w.x, w.x.all.goods[r.Product]
	why := replenish.MixWhy{Makes: replenish.Rounded(x.mixing.aDay(x.mixing.makes[r.Product])), Unit: g.BaseUnit, Days: days, Yield: r.Yield, Priced: true, Lines: []replenish.MixLineWhy{}}
	before, after, was, now := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
	makes := x.mixing.aDay(x.mixing.makes[r.Product])
	for _, l := range lines {
		to := replenish.MixLineWhy{ProductID: l.Product, Cause: l.best.Cause, Options: []replenish.MixOptionWhy{}}
		_, to.Name, _ = x.named(l.Product)
		for i := range l.choices {
			k := &l.choices[i]
			o := optionWhy(x, k.Option, l.best.Shares[i])
			part := func(share int64) *big.Rat {
				return new(big.Rat).Mul(k.Whole, big.NewRat(share, catalog.ShareWhole))
			}
			spared, spare := k.Spare()
			o.Was, o.Need, o.Others, o.Spare, o.PriceFrom, o.Any = replenish.Rounded(part(k.Share)), replenish.Rounded(part(l.best.Shares[i])), replenish.Rounded(k.Others), replenish.Rounded(spare), l.from[i], k.Can == nil
			if k.Can != nil {
				o.Can = replenish.Rounded(k.Can)
				if l.had[i] != nil {
					o.Can = replenish.Rounded(l.had[i])
				}
			}
			for n, lot := range k.Lots {
				v := replenish.MixLotWhy{BatchID: lot.Batch, Code: lot.Code, Qty: lot.Qty, Until: lot.Until.In(x.site.Location()), Days: lot.Days}
				for _, s := range spared {
					if s.Lot == n {
						v.Spare = replenish.Rounded(s.Qty)
					}
				}
				o.Stock = append(o.Stock, v)
			}
			if k.Price == nil {
				why.Priced = false
			} else {
				o.PriceFen4 = replenish.Fen4(k.Price)
				o.SpareFen = replenish.MixFen(new(big.Rat).Mul(spare, k.Price))
				pays := func(share int64) *big.Rat {
					q := new(big.Rat).Sub(part(share), spare)
					if q.Sign() < 0 {
						q.SetInt64(0)
					}
					return q.Mul(q, k.Price)
				}
				if l.best.Cause != "" {
					before.Add(before, pays(k.Share))
					after.Add(after, pays(l.best.Shares[i]))
				}
				was.Add(was, new(big.Rat).Mul(part(k.Share), k.Price))
				now.Add(now, new(big.Rat).Mul(part(l.best.Shares[i]), k.Price))
			}
			to.Options = append(to.Options, o)
		}
		why.Lines = append(why.Lines, to)
	}
	if why.Priced {
		each := new(big.Rat).Quo(new(big.Rat).SetInt64(int64(r.Yield)), makes)
		why.BeforeFen, why.WasFen, why.NowFen = replenish.MixFen(before), replenish.MixFen(was.Mul(was, each)), replenish.MixFen(now.Mul(now, each))
		why.AfterFen = why.BeforeFen - replenish.MixFen(new(big.Rat).Sub(before, after)) // so that the saving is their difference
	}
	return why
}

// optionWhy names a material and its shares.
func optionWhy(x *situation, o catalog.Option, share int64) replenish.MixOptionWhy {
	g := x.all.goods[o.Product]
	v := replenish.MixOptionWhy{ProductID: o.Product, Usual: catalog.ShareText(o.Share), Proposed: catalog.ShareText(share), Least: catalog.ShareText(o.Least), Most: catalog.ShareText(o.Most), Stock: []replenish.MixLotWhy{}}
	if v.RatioQty, v.RatioFor = o.Spoken(); g != nil {
		v.Code, v.Name, v.Unit = g.Code, g.Name, g.BaseUnit
	}
	return v
}
