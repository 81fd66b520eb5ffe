package supplyday

import (
	"fmt"
	"io"
	"math/big"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// A plan by files needs no database: sales, products, recipes, suppliers and stock come from files, production,
// requirements and orders go into files.

// What rows of the files say of each other.
var (
	ErrProduct = errs.Define("plan_product_unknown", errs.Invalid,
		"商品文件里没有“{product}”", "The products file has no {product}")
	ErrProductMany = errs.Define("plan_product_ambiguous", errs.Invalid,
		"有几个商品叫“{product}”,请用商品编码", "Several products are called {product}; use the product's code")
	ErrUnit = errs.Define("plan_unit_unknown", errs.Invalid,
		"“{product}”没有单位“{unit}”", "{product} has no unit {unit}")
	ErrDiffers = errs.Define("plan_rows_differ", errs.Invalid,
		"与第 {line} 行不一致", "This differs from line {line}")
	ErrTwice = errs.Define("plan_row_twice", errs.Invalid,
		"第 {line} 行已经有了", "Line {line} says this already")
	ErrSeriesTwice = errs.Define("plan_series_twice", errs.Invalid,
		"“{product}”在同一家门店用了两种写法", "{product} is written in two ways within one store")
	ErrNoStore = errs.Define("plan_store_unknown", errs.Invalid,
		"销售文件里没有门店“{store}”", "The sales file has no store {store}")
	ErrStoreNeeded = errs.Define("plan_store_needed", errs.Invalid,
		"销售文件没有门店列,库存文件却有几家门店", "The sales file names no store, but the stock file has several")
	ErrNoExpiry = errs.Define("plan_expiry_needed", errs.Invalid,
		"商品有保质期,必须填到期时间", "The product has a shelf life, so its stock needs an expiry")
	ErrDateRange = errs.Define("plan_date_bad", errs.Invalid,
		"日期必须在 {first} 到 {last} 之间:销售数据截至 {until}", "The date must be from {first} to {last}: the sales end on {until}")
	ErrNoRecipe = errs.Define("plan_recipe_missing", errs.Invalid,
		"“{product}”在 {date} 没有配方", "{product} has no recipe on {date}")
	ErrProduce = errs.Define("plan_produce_bad", errs.Invalid,
		"--produce 应写成 商品=数量,…:{text}", "Write --produce as product=quantity,…: {text}")
)

// At is where a row stands.
type At struct {
	File string
	Line int64
}

// Row makes a refusal speak of the row.
func (a At) refuse(e *errs.Error, field string) Refused {
	return Refused{a.File, e.AtRow(int(a.Line)).At(field)}
}

// Refused is one row that is wrong.
type Refused struct {
	File string
	Err  *errs.Error
}

// ProductLine is a product and one of its units.
type ProductLine struct {
	At
	Code, Name, BaseUnit, Unit string
	Num, Den                   int64
	Barcode                    string
	LifeH                      int64
	Batch                      qty.Qty
}

// RecipeLine is a component of a product from a day on.
type RecipeLine struct {
	At
	Product   string
	Yield     qty.Qty
	YieldUnit string
	Component string
	Qty       qty.Qty
	Unit      string
	Loss      int64
	Rule      catalog.LossRule
	From      cal.Date
}

// OfferLine is what a supplier asks and gives for a product. Of Terms the supplier, the product and the
// conversion of the unit are found out here.
type OfferLine struct {
	At
	Supplier, Name, Product, Unit string
	Terms                         party.Terms
}

// StockLine is a batch at a store; the zero Until keeps for ever.
type StockLine struct {
	At
	Store, Product, Batch, Unit string
	Qty                         qty.Qty
	Until                       time.Time
}

// Files is what the files say.
type Files struct {
	Sales    string // name of the sales file
	Panel    *forecast.Panel
	Products []ProductLine
	Recipes  []RecipeLine
	Offers   []OfferLine
	Stock    []StockLine
	Date     cal.Date
	Store    string // only this one; "" all
	Produce  string // "product=qty,…": instead of a forecast
	Workers  int
	Metric   func(unit string) (base string, num int64, ok bool) // units that need no table
	Zone     *time.Location
}

// dayStart is when the business day begins where no site says otherwise.
const dayStart = 4 * time.Hour

// Table is one file of the plan.
type Table struct {
	Name string
	Head []string
	Rows [][]string
}

// Write writes it as CSV.
func (t Table) Write(to io.Writer) error {
	w := csvx.NewWriter(to)
	if err := w.Write(t.Head...); err != nil {
		return err
	}
	for _, r := range t.Rows {
		if err := w.Write(r...); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Made is a plan by files.
type Made struct {
	Production, Requirements, Orders Table
	Summary                          Summary
}

// Summary is what a plan comes to.
type Summary struct {
	Date      cal.Date    `json:"date"`
	PlannedOn cal.Date    `json:"planned_on"`
	DataUntil cal.Date    `json:"data_until"`
	Stores    int         `json:"stores"`
	Products  int         `json:"products"`
	Rounds    int         `json:"production_rows"`
	Needs     int         `json:"requirement_rows"`
	Orders    int         `json:"order_rows"`
	Late      int         `json:"late_orders"`
	AmountFen money.Fen   `json:"amount_fen"`
	Lacking   []LackingOf `json:"lacking"`
}

// LackingOf is a need that nobody supplies.
type LackingOf struct {
	Store   string  `json:"store"`
	Product string  `json:"product"`
	Qty     qty.Qty `json:"qty"`
	Unit    string  `json:"unit"`
}

// good is a product of the files.
type good struct {
	id    id.ID
	first ProductLine
	units []qty.Unit
	plan  replenish.Good
}

func (g *good) unit(name string, metric func(string) (string, int64, bool)) (qty.Unit, bool) {
	if name == "" {
		return g.units[0], true
	}
	for _, u := range g.units {
		if u.Name == name {
			return u, true
		}
	}
	if metric != nil {
		if base, num, ok := metric(name); ok && base == g.first.BaseUnit {
			return qty.Unit{Name: name, Num: num, Den: 1}, true
		}
	}
	return qty.Unit{}, false
}

// shelf finds goods as people write them: by code, else by barcode, else by a name that only one has.
type shelf struct {
	f       *Files
	goods   []*good // by rising id
	found   map[string]*good
	many    map[string]bool
	refused []Refused
}

func (s *shelf) refuse(at At, e *errs.Error, field string) {
	s.refused = append(s.refused, at.refuse(e, field))
}

func newShelf(f *Files) *shelf {
	s := &shelf{f: f, found: map[string]*good{}, many: map[string]bool{}}
	byCode := map[string]*good{}
	for _, l := range f.Products {
		g := byCode[l.Code]
		if g == nil {
			g = &good{first: l, units: []qty.Unit{{Name: l.BaseUnit, Num: 1, Den: 1}},
				plan: replenish.Good{Life: replenish.Life(l.LifeH), Batch: l.Batch, Piece: l.BaseUnit == "piece"}}
			byCode[l.Code] = g
			s.goods = append(s.goods, g)
		}
		if field := l.differs(g.first); field != "" {
			s.refuse(l.At, ErrDiffers.With("line", g.first.Line), field)
			continue
		}
		if old, ok := g.unit(l.Unit, nil); ok && !sameRatio(old, l.Num, l.Den) {
			s.refuse(l.At, ErrDiffers.With("line", g.first.Line), "unit_num")
		} else if !ok {
			g.units = append(g.units, qty.Unit{Name: l.Unit, Num: l.Num, Den: l.Den})
		}
	}
	sort.Slice(s.goods, func(i, j int) bool { return s.goods[i].first.Code < s.goods[j].first.Code })
	for i, g := range s.goods {
		g.id = id.ID(i + 1)
		s.name(g.first.Name, g)
	}
	for _, l := range f.Products {
		if l.Barcode != "" {
			s.found[l.Barcode] = byCode[l.Code]
			delete(s.many, l.Barcode)
		}
	}
	for code, g := range byCode {
		s.found[code] = g
		delete(s.many, code)
	}
	return s
}

func (s *shelf) name(n string, g *good) {
	if other := s.found[n]; other != nil && other != g {
		s.many[n] = true
	}
	s.found[n] = g
}

func (l ProductLine) differs(first ProductLine) string {
	switch {
	case l.Name != first.Name:
		return "name"
	case l.BaseUnit != first.BaseUnit:
		return "base_unit"
	case l.LifeH != first.LifeH:
		return "shelf_life_h"
	case l.Batch != first.Batch:
		return "batch_size"
	}
	return ""
}

// good finds a product, or refuses the row that names it.
func (s *shelf) good(at At, text, field string) *good {
	g := s.found[text]
	switch {
	case g == nil:
		s.refuse(at, ErrProduct.With("product", text), field)
	case s.many[text]:
		s.refuse(at, ErrProductMany.With("product", text), field)
	default:
		return g
	}
	return nil
}

// base converts a quantity of a row to the base unit, or refuses the row.
func (s *shelf) base(at At, g *good, q qty.Qty, unit, qtyField, unitField string) (qty.Qty, bool) {
	u, ok := g.unit(unit, s.f.Metric)
	if !ok {
		s.refuse(at, ErrUnit.With("product", g.first.Code, "unit", unit), unitField)
		return 0, false
	}
	b, err := u.ToBase(q)
	if err != nil {
		s.refuse(at, errs.As(err), qtyField)
		return 0, false
	}
	return b, true
}

// sameRatio compares num/den without dividing.
func sameRatio(u qty.Unit, num, den int64) bool {
	hi1, lo1 := bits.Mul64(uint64(u.Num), uint64(den))
	hi2, lo2 := bits.Mul64(uint64(num), uint64(u.Den))
	return hi1 == hi2 && lo1 == lo2
}

// byID is a product of the files by its id.
func (s *shelf) byID(p id.ID) *good { return s.goods[p-1] }

func (s *shelf) code(p id.ID) string { return s.byID(p).first.Code }

// recipes makes the cookbook.
func (s *shelf) recipes() *catalog.Cookbook {
	type key struct {
		product id.ID
		from    cal.Date
	}
	type version struct {
		catalog.Recipe
		first RecipeLine
		lines map[id.ID]RecipeLine
	}
	versions := map[key]*version{}
	var order []*version
	before := len(s.refused)
	for _, l := range s.f.Recipes {
		product, component := s.good(l.At, l.Product, "product"), s.good(l.At, l.Component, "component")
		if product == nil || component == nil {
			continue
		}
		yield, ok1 := s.base(l.At, product, l.Yield, l.YieldUnit, "yield_qty", "yield_unit")
		q, ok2 := s.base(l.At, component, l.Qty, l.Unit, "qty", "unit")
		if !ok1 || !ok2 {
			continue
		}
		k := key{product.id, l.From}
		v := versions[k]
		if v == nil {
			v = &version{Recipe: catalog.Recipe{Product: product.id, ValidFrom: l.From, Yield: yield}, first: l, lines: map[id.ID]RecipeLine{}}
			versions[k] = v
			order = append(order, v)
		}
		old, twice := v.lines[component.id]
		switch {
		case v.Yield != yield:
			s.refuse(l.At, ErrDiffers.With("line", v.first.Line), "yield_qty")
		case twice && (old.Qty != l.Qty || old.Unit != l.Unit || old.Loss != l.Loss || old.Rule != l.Rule):
			s.refuse(l.At, ErrTwice.With("line", old.Line), "component")
		case !twice:
			v.lines[component.id] = l
			v.Components = append(v.Components, catalog.Component{Product: component.id, Qty: q, Loss: l.Loss, Rule: l.Rule})
		}
	}
	if len(s.refused) > before {
		return nil
	}
	all := make([]catalog.Recipe, len(order))
	for i, v := range order {
		all[i] = v.Recipe
	}
	book, err := catalog.NewCookbook(all, s.code)
	if err == nil {
		return book
	}
	at := At{File: order[0].first.File}
	if path, why := catalog.FindFault(all, s.code); why != nil {
		for _, v := range order { // the row that closes the circle
			if l, ok := v.lines[path[len(path)-1]]; ok && v.Product == path[len(path)-2] {
				at = l.At
			}
		}
	}
	s.refuse(at, errs.As(err), "component")
	return nil
}

// offers are the terms by product, and the codes of the suppliers by id.
func (s *shelf) offers() (map[id.ID][]party.Terms, map[id.ID]string) {
	type known struct {
		id    id.ID
		first OfferLine
	}
	byCode := map[string]*known{}
	var codes []string
	for _, l := range s.f.Offers {
		if byCode[l.Supplier] == nil {
			byCode[l.Supplier] = &known{first: l}
			codes = append(codes, l.Supplier)
		}
	}
	sort.Strings(codes)
	names := map[id.ID]string{}
	for i, c := range codes {
		byCode[c].id = id.ID(i + 1)
		names[id.ID(i+1)] = c
	}
	terms := map[id.ID][]party.Terms{}
	type pair struct{ supplier, product id.ID }
	seen := map[pair]OfferLine{}
	for _, l := range s.f.Offers {
		k := byCode[l.Supplier]
		if l.Name != k.first.Name {
			s.refuse(l.At, ErrDiffers.With("line", k.first.Line), "name")
			continue
		}
		g := s.good(l.At, l.Product, "product")
		if g == nil {
			continue
		}
		u, ok := g.unit(l.Unit, s.f.Metric)
		if !ok {
			s.refuse(l.At, ErrUnit.With("product", g.first.Code, "unit", l.Unit), "unit")
			continue
		}
		t := l.Terms
		t.Supplier, t.Product, t.Unit = k.id, g.id, u
		if _, _, _, err := t.Packs(1); err != nil {
			s.refuse(l.At, errs.As(err), "pack_qty")
			continue
		}
		if old, twice := seen[pair{k.id, g.id}]; twice {
			if old.Terms != l.Terms || old.Unit != l.Unit {
				s.refuse(l.At, ErrTwice.With("line", old.Line), "product")
			}
			continue
		}
		seen[pair{k.id, g.id}] = l
		terms[g.id] = append(terms[g.id], t)
	}
	return terms, names
}

// never is until when goods without an expiry are good.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// lots are the stock by store and product.
func (s *shelf) lots(stores map[string]bool) map[string]map[id.ID][]replenish.Lot {
	all := map[string]map[id.ID][]replenish.Lot{}
	for _, l := range s.f.Stock {
		g := s.good(l.At, l.Product, "product")
		if g == nil {
			continue
		}
		q, ok := s.base(l.At, g, l.Qty, l.Unit, "qty", "unit")
		if !ok {
			continue
		}
		switch {
		case !stores[l.Store]:
			s.refuse(l.At, ErrNoStore.With("store", l.Store), "store")
			continue
		case l.Until.IsZero() && g.first.LifeH > 0:
			s.refuse(l.At, ErrNoExpiry, "expires_at")
			continue
		case l.Until.IsZero():
			l.Until = never
		}
		if all[l.Store] == nil {
			all[l.Store] = map[id.ID][]replenish.Lot{}
		}
		all[l.Store][g.id] = append(all[l.Store][g.id], replenish.Lot{Code: l.Batch, Qty: q, Until: l.Until})
	}
	return all
}

// produce reads "product=qty,…".
func (s *shelf) produce(book *catalog.Cookbook) ([]replenish.Wanted, error) {
	given := map[id.ID]qty.Qty{}
	for entry := range strings.SplitSeq(s.f.Produce, ",") {
		name, text, ok := strings.Cut(entry, "=")
		q, err := qty.Parse(strings.TrimSpace(text))
		if !ok || err != nil || q <= 0 {
			return nil, ErrProduce.With("text", entry)
		}
		g := s.found[strings.TrimSpace(name)]
		if g == nil || s.many[strings.TrimSpace(name)] {
			return nil, ErrProduct.With("product", strings.TrimSpace(name))
		}
		if _, ok := book.On(g.id, s.f.Date); !ok {
			return nil, ErrNoRecipe.With("product", g.first.Code, "date", s.f.Date)
		}
		if _, twice := given[g.id]; twice {
			return nil, ErrProduce.With("text", entry)
		}
		given[g.id] = q
	}
	var wanted []replenish.Wanted
	for _, g := range s.goods {
		if q, ok := given[g.id]; ok {
			wanted = append(wanted, replenish.Wanted{Product: g.id, Given: &q})
		}
	}
	return wanted, nil
}

// forecasts are what each store wants of each product, by store's place in the panel.
func (s *shelf) forecasts(h int) map[int][]replenish.Wanted {
	p := s.f.Panel
	type key struct {
		shop    int
		product id.ID
	}
	goods := make(map[*forecast.Series]*good, len(p.Series))
	units := make(map[*forecast.Series]qty.Unit, len(p.Series))
	seen := map[key]bool{}
	before := len(s.refused)
	for i := range p.Series {
		x := &p.Series[i]
		at := At{s.f.Sales, int64(x.Line)}
		g := s.good(at, x.Product, "product")
		if g == nil {
			continue
		}
		u, ok := g.unit(x.Unit, s.f.Metric)
		switch {
		case !ok:
			s.refuse(at, ErrUnit.With("product", g.first.Code, "unit", x.Unit), "unit")
		case seen[key{x.Shop, g.id}]:
			s.refuse(at, ErrSeriesTwice.With("product", g.first.Code), "product")
		default:
			seen[key{x.Shop, g.id}] = true
			goods[x], units[x] = g, u
		}
	}
	if len(s.refused) > before {
		return nil
	}
	wanted := map[int][]replenish.Wanted{}
	engine := forecast.NewEngine(p, forecast.Options{Horizon: h, Workers: s.f.Workers})
	for _, x := range engine.Outlook(h) {
		g, u := goods[x.Series], units[x.Series]
		demand := replenish.DemandOf(nearestBase(x.Mean, u), nearestBase(x.At(replenish.Tau(g.plan.Life)), u), replenish.Tau(g.plan.Life), x.Shares)
		wanted[x.Series.Shop] = append(wanted[x.Series.Shop], replenish.Wanted{Product: g.id, Demand: demand})
	}
	for _, w := range wanted {
		sort.Slice(w, func(i, j int) bool { return w[i].Product < w[j].Product })
	}
	return wanted
}

// nearestBase is an estimate in the base unit.
func nearestBase(q qty.Qty, u qty.Unit) qty.Qty {
	n, err := money.MulDiv(int64(q), u.Num, u.Den)
	if err != nil || qty.Qty(n) > qty.Max {
		return qty.Max
	}
	return qty.Qty(n)
}

// PlanFiles makes the plan of a day from files. Rows that are wrong are refused all together, and then there is no
// plan.
func PlanFiles(f Files) (*Made, []Refused, error) {
	until := f.Panel.First.AddDays(f.Panel.Days - 1)
	today := until.AddDays(1)
	h := f.Date.Sub(until)
	if !f.Date.Valid() || h < 1 || h > forecast.MaxHorizon {
		return nil, nil, ErrDateRange.With("first", today, "last", until.AddDays(forecast.MaxHorizon), "until", until)
	}
	if err := nameStore(&f); err != nil {
		return nil, nil, err
	}
	s := newShelf(&f)
	book := s.recipes()
	terms, suppliers := s.offers()
	stores := map[string]bool{}
	for _, shop := range f.Panel.Shops {
		stores[shop.Name] = true
	}
	if f.Store != "" && !stores[f.Store] {
		return nil, nil, ErrNoStore.With("store", f.Store)
	}
	lots := s.lots(stores)
	if len(s.refused) > 0 {
		return nil, s.refused, nil
	}
	var wanted func(shop int) []replenish.Wanted
	if f.Produce != "" {
		given, err := s.produce(book)
		if err != nil {
			return nil, nil, err
		}
		wanted = func(int) []replenish.Wanted { return given }
	} else {
		all := s.forecasts(h)
		if len(s.refused) > 0 {
			return nil, s.refused, nil
		}
		wanted = func(shop int) []replenish.Wanted { return all[shop] }
	}
	made := &Made{Summary: Summary{Date: f.Date, PlannedOn: today, DataUntil: until, Lacking: []LackingOf{}},
		Production:   Table{Name: "production.csv", Head: []string{"date", "store", "product", "round", "forecast_mean", "quantile", "on_hand", "make", "unit"}},
		Requirements: Table{Name: "requirements.csv", Head: []string{"date", "store", "material", "gross", "unit", "loss", "need", "on_hand", "in_transit", "net"}},
		Orders:       Table{Name: "orders.csv", Head: []string{"order_by", "due", "supplier", "store", "product", "packs", "qty", "unit", "over", "amount_fen", "reason"}}}
	products := map[id.ID]bool{}
	for i, shop := range f.Panel.Shops {
		if f.Store != "" && shop.Name != f.Store {
			continue
		}
		site := &replenish.Site{Book: book, Good: func(p id.ID) replenish.Good { return s.byID(p).plan }, Terms: terms, Loc: f.Zone, DayStart: dayStart,
			Lots: lots[shop.Name], Coming: map[id.ID][]replenish.Coming{}}
		if site.Lots == nil {
			site.Lots = map[id.ID][]replenish.Lot{}
		}
		plan, err := site.Plan(replenish.Day{Date: f.Date, Now: party.Moment{Date: today}, Wanted: wanted(i)})
		if err != nil {
			return nil, nil, err
		}
		made.add(s, suppliers, shop.Name, plan)
		made.Summary.Stores++
		for _, r := range plan.Production {
			products[r.Product] = true
		}
	}
	made.Summary.Products = len(products)
	for _, t := range []*Table{&made.Production, &made.Requirements, &made.Orders} {
		slices.SortFunc(t.Rows, slices.Compare)
	}
	made.Summary.Rounds, made.Summary.Needs, made.Summary.Orders = len(made.Production.Rows), len(made.Requirements.Rows), len(made.Orders.Rows)
	return made, nil, nil
}

// nameStore gives the one store of a sales file without stores its name: the one asked for, or the only one of the
// stock file.
func nameStore(f *Files) error {
	if len(f.Panel.Shops) != 1 || f.Panel.Shops[0].Name != "" {
		return nil
	}
	name := f.Store
	if name == "" {
		for _, l := range f.Stock {
			if name != "" && l.Store != name {
				return ErrStoreNeeded
			}
			name = l.Store
		}
	} else {
		f.Stock = slices.DeleteFunc(slices.Clone(f.Stock), func(l StockLine) bool { return l.Store != name })
	}
	p := *f.Panel
	p.Shops = slices.Clone(p.Shops)
	p.Shops[0].Name = name
	f.Panel = &p
	return nil
}

// add writes down the plan of one store.
func (m *Made) add(s *shelf, suppliers map[id.ID]string, store string, p *replenish.Plan) {
	date := string(m.Summary.Date)
	for _, r := range p.Production {
		mean, quantile := r.Mean.String(), r.Quantile.String()
		if r.Given {
			mean, quantile = "", ""
		}
		g := s.byID(r.Product)
		m.Production.Rows = append(m.Production.Rows, []string{date, store, g.first.Code, fmt.Sprint(r.Round.No), mean, quantile,
			r.OnHand.String(), r.Make.String(), g.first.BaseUnit})
	}
	for _, n := range p.Needs {
		g := s.byID(n.Product)
		m.Requirements.Rows = append(m.Requirements.Rows, []string{date, store, g.first.Code, thousandths(n.Gross), g.first.BaseUnit, share(n.Loss()),
			thousandths(n.Need), n.Have.OnHand.String(), n.Have.InTransit.String(), n.Net.String()})
		if n.Lacking {
			m.Summary.Lacking = append(m.Summary.Lacking, LackingOf{store, g.first.Code, n.Net, g.first.BaseUnit})
		}
	}
	for _, o := range p.Orders {
		g := s.byID(o.Terms.Product)
		m.Orders.Rows = append(m.Orders.Rows, []string{o.OrderBy.String(), string(o.Due), suppliers[o.Terms.Supplier], store, g.first.Code, fmt.Sprint(o.Packs),
			o.Qty.String(), g.first.BaseUnit, o.Over.String(), fmt.Sprint(o.Amount), o.Reason(o.Net)})
		m.Summary.AmountFen += o.Amount
		if o.Late {
			m.Summary.Late++
		}
	}
}

// thousandths writes an exact quantity, given in thousandths, to the nearest of them.
func thousandths(r *big.Rat) string {
	n, _ := new(big.Int).SetString(r.FloatString(0), 10)
	return qty.Qty(n.Int64()).String()
}

// share writes a loss to six decimals.
func share(r *big.Rat) string {
	s := r.FloatString(6)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
