package supplyday

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strings"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
)

// What a plan would be at another service level. Nothing is written: the day is planned again in memory, with the forecast's
// stored quantiles, once for each level.

// reader gives transactions to read in: a database, or within one that is open.
type reader interface {
	Read(ctx context.Context, read func(tx *db.Tx) error) error
}

type within struct{ tx *db.Tx }

func (w within) Read(_ context.Context, read func(tx *db.Tx) error) error { return read(w.tx) }

// trial is a service level tried out for a selection of goods.
type trial struct {
	category, product id.ID
	level             int64
}

func (t *trial) takes(x *situation, g *catalog.Product) bool {
	if t.product != 0 {
		return t.product == g.ID
	}
	return x.service.Below(g.CategoryID, t.category)
}

// serviceOf is how often a product should be enough on a day, in ten-thousandths. A trial begins with the planned day: what
// is there in its morning does not depend on it.
func (x *situation) serviceOf(g *catalog.Product, date cal.Date) int64 {
	if x.trial != nil && date >= x.date && x.trial.takes(x, g) {
		return x.trial.level
	}
	return x.setService(g)
}

// setService is the same as it is set, whatever is tried out.
func (x *situation) setService(g *catalog.Product) int64 {
	return x.service.At(x.site.ID, g.ID, g.CategoryID, replenish.Life(g.ShelfLifeH))
}

// The levels that a curve shows, in ten-thousandths.
const (
	curveStep  = 500
	curveSteps = (replenish.MostService-replenish.LeastService)/curveStep + 1
)

// WhatIfIn says of which goods of which day.
type WhatIfIn struct {
	SiteID     id.ID    `query:"site_id" required:"true"`
	Date       cal.Date `query:"date" doc:"the business date when left out"`
	CategoryID id.ID    `query:"category_id" doc:"this category and all below it; left out: all goods planned by their forecast"`
	ProductID  id.ID    `query:"product_id" doc:"only this one"`
	LevelBP    int64    `query:"level_bp" minimum:"0" maximum:"9500" default:"9000" doc:"shown line by line beside today's setting, in ten-thousandths; left out: 9000"`
}

// WhatIf is a plan at other service levels. What is ordered by its level, or decided by a person, stays as it is.
type WhatIf struct {
	SiteID  id.ID        `json:"site_id"`
	Date    cal.Date     `json:"date"`
	From    string       `json:"from" doc:"of a day that has begun, the rest from here on; empty: the whole day"`
	LevelBP int64        `json:"level_bp"`
	LeastBP int64        `json:"least_bp" doc:"of the settings in the selection, the lowest"`
	MostBP  int64        `json:"most_bp" doc:"and the highest"`
	Decided int64        `json:"decided" doc:"rounds that people have decided on, or that are made: they stay"`
	Now     WhatIfSum    `json:"now" doc:"as it is set"`
	Then    WhatIfSum    `json:"then" doc:"at the level asked for"`
	Curve   []WhatIfSum  `json:"curve"`
	Lines   []WhatIfLine `json:"lines" doc:"what changes most comes first; at most 200"`
	More    int64        `json:"more" doc:"lines that are left off"`
}

// WhatIfSum is what a selection comes to.
type WhatIfSum struct {
	LevelBP  int64     `json:"level_bp" doc:"0: as it is set, product by product"`
	GoodsFen money.Fen `json:"goods_fen" doc:"what is made and ordered of the selection, at cost"`
	OrderFen money.Fen `json:"order_fen" doc:"all purchase lines that must be ordered now, materials of everything included"`
	WasteFen money.Fen `json:"waste_fen" doc:"expected to be thrown away, at cost"`
	LostFen  money.Fen `json:"lost_fen" doc:"expected to be asked for in vain, at shelf price"`
	OutPPM   int64     `json:"out_ppm" doc:"how likely a product runs out, the mean of the lines, in millionths"`
	Lines    int64     `json:"lines"`
}

// WhatIfLine is one product. Quantities are in its base unit.
type WhatIfLine struct {
	ProductID id.ID        `json:"product_id"`
	Code      string       `json:"code"`
	Name      string       `json:"name"`
	Unit      string       `json:"unit"`
	Kind      string       `json:"kind" enum:"make,buy,request"`
	Date      cal.Date     `json:"date" doc:"from which on it is sold"`
	Last      cal.Date     `json:"last" doc:"the last day it is made or ordered for"`
	LifeH     int64        `json:"life_h"`
	Now       WhatIfFigure `json:"now"`
	Then      WhatIfFigure `json:"then"`
}

// WhatIfFigure is a product at one level.
type WhatIfFigure struct {
	LevelBP  int64     `json:"level_bp"`
	Qty      qty.Qty   `json:"qty" doc:"to be made or ordered"`
	GoodsFen money.Fen `json:"goods_fen" doc:"of it, at cost; 0 where no supplier has a price"`
	Waste    qty.Qty   `json:"waste"`
	WasteFen money.Fen `json:"waste_fen"`
	Lost     qty.Qty   `json:"lost"`
	LostFen  money.Fen `json:"lost_fen"`
	OutPPM   int64     `json:"out_ppm"`
}

// tried is a product of the selection: made on the planned day, or bought for the days that must be ordered for.
type tried struct {
	kind   string
	span   span
	rounds []replenish.RoundPlan
	have   qty.Qty // bought: there already, or on its way
	used   qty.Qty // bought: of it, what goes into other products
	mean   qty.Qty // bought: expected to be sold in the span
	qty    qty.Qty
	demand replenish.Demand // of the first day
}

// span is the days for which a product must be ordered now.
type span struct{ first, last cal.Date }

// tryOut plans the day with a trial (nil: as it is set) and reads off what it comes to. Goods that are bought are read off
// over the days given; without any, over those on which they are ordered.
func (x *situation) tryOut(t *trial, chosen func(*catalog.Product) bool, spans map[id.ID]span) (map[id.ID]*tried, money.Fen, error) {
	y := *x
	y.trial, y.fresh = t, nil
	y.lots, y.coming = maps.Clone(x.lots), maps.Clone(x.coming) // a walk uses them up
	site, now := y.ground()
	found := map[id.ID]*tried{}
	var orders money.Fen
	err := y.walk(site, now, func(p *replenish.Plan, date cal.Date) {
		ordered := map[id.ID]qty.Qty{}
		kinds := map[id.ID]string{}
		for _, o := range p.Orders {
			if !o.Wait {
				orders += o.Amount
				ordered[o.Terms.Product] += o.Qty
			}
		}
		for _, a := range p.Asks {
			if !a.Wait {
				ordered[a.Product] += a.Qty
				kinds[a.Product] = "request"
			}
		}
		if date == y.date {
			for _, r := range p.Production {
				if g := y.all.goods[r.Product]; r.Given || g == nil || !chosen(g) {
					continue
				}
				v := found[r.Product]
				if v == nil {
					v = &tried{kind: "make", span: span{date, date}, demand: r.Demand}
					found[r.Product] = v
				}
				v.rounds = append(v.rounds, r.RoundPlan)
				v.qty += r.Make
			}
		}
		for _, n := range p.Needs {
			g := y.all.goods[n.Product]
			if n.Demand == nil || g == nil || !chosen(g) {
				continue
			}
			v := found[n.Product]
			if v != nil && v.kind == "make" {
				continue
			}
			if spans == nil && ordered[n.Product] == 0 {
				continue
			}
			if spans != nil && (date < spans[n.Product].first || date > spans[n.Product].last) {
				continue
			}
			if v == nil {
				v = &tried{kind: "buy", span: span{date, date}, have: n.Have.OnHand, demand: *n.Demand}
				found[n.Product] = v
			}
			if kind := kinds[n.Product]; kind != "" {
				v.kind = kind
			}
			v.span.last = date
			v.have += n.Have.InTransit
			v.used += max(0, replenish.Rounded(n.Need)-n.Direct)
			v.mean += n.Demand.Expected()
			v.qty += ordered[n.Product]
		}
	})
	return found, orders, err
}

// figure is what a product comes to at the level that a trial gave it; used of it goes into other products.
func (x *situation) figure(v *tried, g *catalog.Product, level int64, used qty.Qty, worth worth) WhatIfFigure {
	f := WhatIfFigure{LevelBP: level, Qty: v.qty}
	a := x.at[g.ID]
	if a == nil {
		return f
	}
	e := a.On(v.span.first)
	if e == nil {
		return f
	}
	life := replenish.Life(g.ShelfLifeH)
	chance := replenish.ChanceOf(e.At).Of(e.Mean, v.demand)
	var o replenish.Result
	if v.kind == "make" {
		o = chance.Made(v.rounds, life)
	} else {
		o = chance.Bought(max(0, v.have+v.qty-used), v.mean, v.span.last.Sub(v.span.first)+1, life)
	}
	f.Waste, f.Lost, f.OutPPM = o.Waste, o.Lost, o.OutPPM
	f.GoodsFen, f.WasteFen, f.LostFen = fenOf(worth.cost, v.qty), fenOf(worth.cost, o.Waste), fenOf(worth.price, o.Lost)
	return f
}

// worth is what one base unit of a product costs and sells for, in ten-thousandths of a fen; nil: not known.
type worth struct{ cost, price *big.Rat }

// fenOf is what a quantity is worth, halves up.
func fenOf(perBase *big.Rat, q qty.Qty) money.Fen {
	if perBase == nil {
		return 0
	}
	r := new(big.Rat).Mul(perBase, big.NewRat(int64(q), qty.Scale*10_000))
	r.Add(r, big.NewRat(1, 2))
	return money.Fen(new(big.Int).Quo(r.Num(), r.Denom()).Int64())
}

// worths are what products cost, bought from the cheapest supplier or made of what is, and what they sell for on a day.
func (s *Service) worths(tx *db.Tx, x *situation, products []id.ID) (map[id.ID]worth, error) {
	found := make(map[id.ID]worth, len(products))
	for part := range slices.Chunk(products, 200) {
		var units []id.ID
		for _, p := range part {
			for _, u := range x.all.goods[p].Units {
				units = append(units, u.ID)
			}
		}
		prices := map[id.ID]money.Fen{}
		for some := range slices.Chunk(units, 500) {
			got, err := s.prices.At(tx, x.site.ID, x.today, some)
			if err != nil {
				return nil, err
			}
			maps.Copy(prices, got)
		}
		for _, p := range part {
			w := worth{cost: x.unitCost(p)}
			u := x.all.goods[p].FirstPriced(func(u id.ID) bool { _, ok := prices[u]; return ok })
			if fen, ok := prices[u.ID]; ok {
				w.price = big.NewRat(int64(fen)*10_000*u.Den, u.Num)
			}
			found[p] = w
		}
	}
	return found, nil
}

// readWorth reads what the last batch of what is made here would earn or cost.
func (s *Service) readWorth(ctx context.Context, d reader, x *situation) error {
	var products []id.ID
	for _, a := range x.ahead {
		if g := x.all.goods[a.Product]; g != nil && g.BatchSize > qty.Scale && x.madeHere(a.Product, x.date) {
			products = append(products, a.Product)
		}
	}
	x.worth = make(map[id.ID]replenish.Worth, len(products))
	if len(products) == 0 {
		return nil
	}
	return d.Read(ctx, func(tx *db.Tx) error {
		found, err := s.worths(tx, x, products)
		for p, w := range found {
			x.worth[p] = replenish.WorthOf(w.cost, w.price)
		}
		return err
	})
}

// mostMaterials bounds how far a recipe is followed for its cost.
const mostMaterials = 500

// unitCost is what one base unit costs, in ten-thousandths of a fen; nil: a part of it has no price.
func (x *situation) unitCost(p id.ID) *big.Rat {
	if _, made := x.all.book.On(p, x.date); !made {
		return x.cheapest(p)
	}
	lines, cut := x.all.book.Tree(p, x.date, qty.Scale, mostMaterials)
	if cut || len(lines) == 0 {
		return nil
	}
	sum := new(big.Rat)
	for _, l := range lines {
		if l.ValidFrom != "" || l.Share == 0 {
			continue
		}
		price := x.cheapest(l.Product)
		if price == nil {
			return nil
		}
		sum.Add(sum, new(big.Rat).Mul(price, new(big.Rat).Mul(l.Need, big.NewRat(1, qty.Scale))))
	}
	return sum
}

func (x *situation) cheapest(p id.ID) (best *big.Rat) {
	for _, t := range x.all.terms[p] {
		if price := t.PerBase(); best == nil || price.Cmp(best) < 0 {
			best = price
		}
	}
	return best
}

// mostWhatIf is how many lines an answer shows.
const mostWhatIf = 200

func (s *Service) whatIf(ctx context.Context, tx *db.Tx, in *WhatIfIn) (*WhatIf, error) {
	if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
		return nil, err
	}
	if in.Date != "" && !in.Date.Valid() {
		return nil, cal.ErrDate.With("text", in.Date).At("date")
	}
	level := in.LevelBP
	if level < replenish.LeastService {
		return nil, replenish.ErrService.At("level_bp")
	}
	if err := s.selected(tx, in.CategoryID, in.ProductID); err != nil {
		return nil, err
	}
	all, err := s.common(ctx, within{tx})
	if err != nil {
		return nil, err
	}
	out := &WhatIf{SiteID: in.SiteID, Date: in.Date, LevelBP: level, Curve: []WhatIfSum{}, Lines: []WhatIfLine{}}
	x, err := s.gather(ctx, within{tx}, in.SiteID, in.Date, all)
	if err != nil || x == nil || x.run == nil {
		return out, err
	}
	out.Date = x.date
	if x.from > 0 {
		out.From = clockOf(int64(x.from) * 30)
	}
	if x.head, err = replenish.Find(tx, in.SiteID, x.date); err != nil {
		return nil, err
	}
	if x.head != nil {
		if err := x.keep(tx); err != nil {
			return nil, err
		}
	}
	if err := x.readGoods(ctx, within{tx}, s.goods); err != nil {
		return nil, err
	}
	if err := s.readWorth(ctx, within{tx}, x); err != nil {
		return nil, err
	}
	chosen := func(g *catalog.Product) bool {
		return (&trial{category: in.CategoryID, product: in.ProductID}).takes(x, g)
	}
	for p, rounds := range x.kept {
		if g := x.all.goods[p]; g != nil && chosen(g) {
			out.Decided += int64(len(rounds))
		}
	}
	return out, s.compare(tx, x, in, out, chosen)
}

// compare fills in what the day comes to as it is set, at the level asked for, and along the curve.
func (s *Service) compare(tx *db.Tx, x *situation, in *WhatIfIn, out *WhatIf, chosen func(*catalog.Product) bool) error {
	at := func(level int64) *trial { return &trial{in.CategoryID, in.ProductID, level} }
	most, _, err := x.tryOut(at(replenish.MostService), chosen, nil)
	if err != nil {
		return err
	}
	spans := make(map[id.ID]span, len(most))
	products := make([]id.ID, 0, len(most))
	for p, v := range most {
		spans[p] = v.span
		products = append(products, p)
	}
	slices.Sort(products)
	known, err := s.worths(tx, x, products)
	if err != nil {
		return err
	}
	set, _, err := x.tryOut(nil, chosen, spans)
	if err != nil {
		return err
	}
	used := make(map[id.ID]qty.Qty, len(set)) // as it is set, so that levels are compared by what is bought alone
	for p, v := range set {
		used[p] = v.used
	}
	sum := func(t *trial) (total WhatIfSum, figures map[id.ID]WhatIfFigure, err error) {
		found, orders, err := x.tryOut(t, chosen, spans)
		if err != nil {
			return total, nil, err
		}
		total.OrderFen, total.Lines = orders, int64(len(products))
		figures = make(map[id.ID]WhatIfFigure, len(products))
		for _, p := range products {
			g := x.all.goods[p]
			level := x.setService(g)
			if t != nil {
				level = t.level
			}
			f := WhatIfFigure{LevelBP: level}
			if v := found[p]; v != nil {
				f = x.figure(v, g, level, used[p], known[p])
			}
			figures[p] = f
			total.GoodsFen, total.WasteFen, total.LostFen, total.OutPPM = total.GoodsFen+f.GoodsFen, total.WasteFen+f.WasteFen, total.LostFen+f.LostFen, total.OutPPM+f.OutPPM
		}
		if total.Lines > 0 {
			total.OutPPM /= total.Lines
		}
		if t != nil {
			total.LevelBP = t.level
		}
		return total, figures, nil
	}
	for i := range int64(curveSteps) {
		point, _, err := sum(at(replenish.LeastService + i*curveStep))
		if err != nil {
			return err
		}
		out.Curve = append(out.Curve, point)
	}
	var now, then map[id.ID]WhatIfFigure
	if out.Now, now, err = sum(nil); err != nil {
		return err
	}
	if out.Then, then, err = sum(at(out.LevelBP)); err != nil {
		return err
	}
	for _, p := range products {
		g := x.all.goods[p]
		if level := now[p].LevelBP; out.LeastBP == 0 || level < out.LeastBP {
			out.LeastBP = level
		}
		out.MostBP = max(out.MostBP, now[p].LevelBP)
		out.Lines = append(out.Lines, WhatIfLine{ProductID: p, Code: g.Code, Name: g.Name, Unit: g.BaseUnit, Kind: most[p].kind, Date: most[p].span.first, Last: most[p].span.last, LifeH: g.ShelfLifeH, Now: now[p], Then: then[p]})
	}
	moved := func(l WhatIfLine) money.Fen {
		return abs(l.Then.GoodsFen-l.Now.GoodsFen) + abs(l.Then.WasteFen-l.Now.WasteFen)
	}
	slices.SortStableFunc(out.Lines, func(a, b WhatIfLine) int {
		if d := moved(b) - moved(a); d != 0 {
			return int(min(1, max(-1, d)))
		}
		return strings.Compare(a.Code, b.Code)
	})
	if n := len(out.Lines); n > mostWhatIf {
		out.Lines, out.More = out.Lines[:mostWhatIf], int64(n-mostWhatIf)
	}
	return nil
}

func abs(f money.Fen) money.Fen { return max(f, -f) }

// ServiceIn sets how often goods should be enough.
type ServiceIn struct {
	SiteID     id.ID  `json:"site_id,omitempty" doc:"left out: all sites without one of their own"`
	CategoryID id.ID  `json:"category_id,omitempty" doc:"this category and all below it; left out, as the product is: everything"`
	ProductID  id.ID  `json:"product_id,omitempty"`
	LevelBP    int64  `json:"level_bp" minimum:"0" maximum:"10000" doc:"ten-thousandths: 7000 is enough on seven days of ten; 0: what a product's life says again"`
	Reason     string `json:"reason" maxLength:"200"`
}

func (s *Service) serviceRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans/whatif", Name: "plan-what-if", Summary: "What a day's plan would be at other service levels: quantities, expected waste and stock-outs; nothing is written", Perm: permRead, Scope: web.Sites}, s.whatIf)
	web.Get(api, web.Route{Path: "/api/plans/service", Name: "list-service-levels", Summary: "How often goods should be enough, where somebody set it", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[replenish.ServiceView], error) {
			if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
				return nil, err
			}
			all, err := replenish.ListServices(tx, in.SiteID)
			return &web.Page[replenish.ServiceView]{Items: all}, err
		})
	web.Put(api, web.Route{Path: "/api/plans/service", Name: "put-service-level", Summary: "Set how often goods should be enough, and say why; the site's day is planned again, and those after it that have a plan", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body ServiceIn }) (*web.Page[replenish.ServiceView], error) {
			return s.putService(ctx, tx, in.Body)
		})
}

// selected refuses a category or a product that nobody has; 0 is none.
func (s *Service) selected(tx *db.Tx, category, product id.ID) error {
	if category != 0 {
		categories, err := catalog.Categories(tx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(categories, func(c catalog.Category) bool { return c.ID == category }) {
			return errs.As(catalog.ErrNoCategory).At("category_id")
		}
	}
	if product != 0 {
		goods, err := s.goods.Products(tx, []id.ID{product})
		if err != nil {
			return err
		}
		if goods[product] == nil {
			return replenish.ErrNoProduct.At("product_id")
		}
	}
	return nil
}

func (s *Service) putService(ctx context.Context, tx *db.Tx, in ServiceIn) (*web.Page[replenish.ServiceView], error) {
	if err := ruleSite(ctx, permRules, in.SiteID); err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(in.Reason)
	if reason == "" {
		return nil, replenish.ErrReason.At("reason")
	}
	if err := s.selected(tx, in.CategoryID, 0); err != nil {
		return nil, err
	}
	key := replenish.ServiceKey{Site: in.SiteID, Category: in.CategoryID, Product: in.ProductID}
	before, err := replenish.ServiceOf(tx, key)
	if err != nil {
		return nil, err
	}
	if err := replenish.PutService(tx, org.CallerOf(ctx).ID, replenish.ServiceLevel{ServiceKey: key, BP: in.LevelBP, Reason: reason}); err != nil {
		return nil, err
	}
	after, err := replenish.ServiceOf(tx, key)
	if err != nil {
		return nil, err
	}
	var says any = after
	if after == nil {
		says = map[string]string{"reason": reason}
	}
	subject := in.ProductID + in.CategoryID // one of them, or none: everything
	if err := s.org.Audit(ctx, tx, "set_service_level", "service_level", subject, in.SiteID, before, says); err != nil {
		return nil, err
	}
	var sites []id.ID
	if in.SiteID != replenish.AllSites {
		sites = []id.ID{in.SiteID}
	}
	if _, err := Enqueue(tx, PlanArgs{Sites: sites, Ahead: true}); err != nil {
		return nil, err
	}
	all, err := replenish.ListServices(tx, in.SiteID)
	return &web.Page[replenish.ServiceView]{Items: all}, err
}
