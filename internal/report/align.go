package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Material alignment: 1 − Σ|material bought − material in goods sold| ÷ Σ material in goods sold. See README.md.

const (
	alignDays = 28 // from the day before today, when nobody names a period
	mostAlign = 92
	mostOpen  = 31  // days of which documents and products are read
	mostSold  = 200 // products and documents of an opened material
)

var (
	ErrPeriod     = errs.Define("report_period_bad", errs.Invalid, "请给出从早到晚、不超过今天的起止日期", "Give a period from an earlier day to a later one, not later than today")
	ErrPeriodLong = errs.Define("report_period_long", errs.Invalid, "一次最多查看 {most} 天", "At most {most} days can be looked at at once")
	ErrWholeOnly  = errs.Define("report_chain_reach", errs.Forbidden, "只有能看全部机构的人才能按全链口径查看", "Only who sees every site can look at the chain as a whole")
)

// Alignment is the figure of a period with what it is made of. Amounts are fen, each material at one price.
type Alignment struct {
	From      cal.Date `json:"from"`
	To        cal.Date `json:"to"`
	Level     string   `json:"level" enum:"site,chain" doc:"site: of what came into the sites, in what they sold or sent to others; chain: of what was bought from suppliers, in what was sold, wherever that was"`
	Rate      *float64 `json:"rate" doc:"1 - off_fen / sold_fen; missing when nothing was sold. It may be below 0"`
	BoughtFen int64    `json:"bought_fen" doc:"material bought, less what went back"`
	SoldFen   int64    `json:"sold_fen" doc:"material in goods sold, less what came back"`
	OffFen    int64    `json:"off_fen" doc:"the sum over materials of the difference, whichever is more"`
	OverFen   int64    `json:"over_fen" doc:"of it, of materials of which more was bought than sold"`
	ShortFen  int64    `json:"short_fen" doc:"… and of which less was"`
}

func (a *Alignment) add(m *AlignedMaterial) {
	a.BoughtFen += m.BoughtFen
	a.SoldFen += m.SoldFen
	a.OffFen += m.OffFen
	if m.Off > 0 {
		a.OverFen += m.OffFen
	} else {
		a.ShortFen += m.OffFen
	}
	a.Rate = nil
	if a.SoldFen > 0 {
		v := 1 - float64(a.OffFen)/float64(a.SoldFen)
		a.Rate = &v
	}
}

// AlignedMaterial is a material of it.
type AlignedMaterial struct {
	ProductID id.ID    `json:"product_id"`
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Unit      string   `json:"unit" enum:"g,ml,piece" doc:"base unit, of all quantities here"`
	Bought    qty.Qty  `json:"bought" doc:"less what went back; at a site also what came from other sites"`
	Sold      qty.Qty  `json:"sold" doc:"in goods sold, at a site also in what was sent to others; less what came back"`
	Off       qty.Qty  `json:"off" doc:"bought - sold: above 0 a surplus"`
	Rate      *float64 `json:"rate" doc:"1 - |off| / sold; missing when none was sold"`
	PriceFen  int64    `json:"price_fen" doc:"of 1,000 g or ml, or a piece: what it was bought for in the period; when none was, what that in goods sold had cost. 0: nobody knows, and it counts for nothing"`
	BoughtFen int64    `json:"bought_fen" doc:"at that price"`
	SoldFen   int64    `json:"sold_fen"`
	OffFen    int64    `json:"off_fen" doc:"not below 0"`
}

// price is what a material costs, as fen for n.
type unitPrice struct{ fen, n int64 }

func (d *materialDay) priced(chain bool) unitPrice {
	n, fen, u := d.bought, d.boughtC, d.sold
	if !chain {
		n, fen, u = n+d.arrived, fen+d.arrivedC, d.own
	}
	if n != 0 && fen != 0 && (n > 0) == (fen > 0) {
		return unitPrice{fen, n}
	}
	return unitPrice{u.fen, u.costed}
}

// put fills in the figures of a material that costs so much.
func (m *AlignedMaterial) put(d *materialDay, chain bool, p unitPrice) {
	bought, sold := d.bought, d.sold.qty
	if !chain {
		bought, sold = bought+d.arrived, d.own.qty
	}
	m.Bought, m.Sold, m.Off = qty.Qty(bought), qty.Qty(sold), qty.Qty(bought-sold)
	m.PriceFen = worthOf(map[bool]int64{true: qty.Scale, false: 1000 * qty.Scale}[m.Unit == "piece"], p.fen, p.n)
	m.BoughtFen, m.SoldFen, m.OffFen = worthOf(bought, p.fen, p.n), worthOf(sold, p.fen, p.n), worthOf(max(bought-sold, sold-bought), p.fen, p.n)
	m.Rate = nil
	if sold > 0 {
		v := 1 - float64(max(bought-sold, sold-bought))/float64(sold)
		m.Rate = &v
	}
}

// Materials is the figure, its weeks and its materials.
type Materials struct {
	AsOf time.Time `json:"as_of"`
	Alignment
	Days      int64             `json:"days" doc:"days of sites that are counted"`
	DaysLeft  int64             `json:"days_left" doc:"… that are still being added up, and are not counted yet"`
	Materials int64             `json:"materials"`
	Unpriced  int64             `json:"unpriced" doc:"materials of which nobody knows the price"`
	Weeks     []Alignment       `json:"weeks" doc:"the oldest first, counted back from the last day; empty for a period of less than two"`
	Items     []AlignedMaterial `json:"items" doc:"where most money is off first"`
	Next      string            `json:"next" doc:"give back as after; empty on the last page"`
}

// MaterialsIn chooses sites and a period.
type MaterialsIn struct {
	web.Paging
	SiteID id.ID    `query:"site_id" doc:"left out: every site within reach; the chain as a whole for who sees all of it"`
	From   cal.Date `query:"from" doc:"left out: four weeks"`
	To     cal.Date `query:"to" doc:"left out: the day before today"`
}

// MaterialIn opens a material of it.
type MaterialIn struct {
	ID     id.ID    `path:"id"`
	SiteID id.ID    `query:"site_id" doc:"left out: every site within reach"`
	From   cal.Date `query:"from"`
	To     cal.Date `query:"to"`
	Level  string   `query:"level" enum:"site,chain" doc:"how a site is looked at; left out: site"`
}

// AlignedSite is what a site has to do with a material.
type AlignedSite struct {
	SiteID id.ID  `json:"site_id"`
	Code   string `json:"code"`
	Name   string `json:"name"`
	AlignedMaterial
}

// SoldWith is a product that a material was sold in.
type SoldWith struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Unit      string  `json:"unit" enum:"g,ml,piece"`
	Qty       qty.Qty `json:"qty" doc:"of the product, less what came back"`
	Sent      bool    `json:"sent" doc:"sent to another site instead of sold"`
	In        qty.Qty `json:"in" doc:"of the material in it"`
}

// Came is a document by which a material came, or went back (below 0).
type Came struct {
	Date       cal.Date `json:"date"`
	Document   string   `json:"document" doc:"as in goods_receipt, supplier_return, transfer_in"`
	DocumentID id.ID    `json:"document_id"`
	Qty        qty.Qty  `json:"qty"`
	CostFen    int64    `json:"cost_fen"`
}

// OpenedMaterial is a material of the figure, down to sites, or at a site to its documents and the products it was sold in.
type OpenedMaterial struct {
	From  cal.Date `json:"from"`
	To    cal.Date `json:"to"`
	Level string   `json:"level" enum:"site,chain"`
	AlignedMaterial
	Sites      []AlignedSite `json:"sites" doc:"without site_id: where it was bought and sold, where most is off first"`
	OpenedFrom cal.Date      `json:"opened_from,omitempty" doc:"with site_id: products and documents are of the days from here on, at most 31"`
	Products   []SoldWith    `json:"products" doc:"those with most of it first, at most 200"`
	Came       []Came        `json:"came" doc:"the newest first, at most 200"`
}

func (s *Service) alignRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/report/materials", Name: "report-materials", Summary: "Material alignment of a period: material bought beside material in goods sold", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *MaterialsIn) (*Materials, error) {
			var skip int
			if _, err := in.Seek(&skip); err != nil {
				return nil, err
			}
			p, err := periodFor(ctx, tx, in.SiteID, in.From, in.To, "")
			if err != nil {
				return nil, err
			}
			m, err := s.Materials(tx, p)
			if err != nil {
				return nil, err
			}
			m.Items = m.Items[min(max(0, skip), len(m.Items)):]
			if len(m.Items) > in.Limit {
				m.Items, m.Next = m.Items[:in.Limit], web.Cursor(skip+in.Limit)
			}
			return m, nil
		})
	web.Get(api, web.Route{Path: "/api/report/materials/{id}", Name: "report-material", Summary: "A material of the alignment: by site, or at a site by document and product", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *MaterialIn) (*OpenedMaterial, error) {
			p, err := periodFor(ctx, tx, in.SiteID, in.From, in.To, in.Level)
			if err != nil {
				return nil, err
			}
			return s.OpenMaterial(tx, p, in.ID)
		})
}

// Period is what alignment is asked for.
type Period struct {
	Sites    []*org.Site
	One      bool // site, named
	From, To cal.Date
	Chain    bool
}

// periodFor makes sense of what was asked.
func periodFor(ctx context.Context, tx *db.Tx, site id.ID, from, to cal.Date, level string) (p Period, err error) {
	if p.Sites, err = sitesFor(ctx, tx, site); err != nil {
		return p, err
	}
	p.One = site != 0
	whole := org.SitesOf(ctx, permRead).All
	p.Chain = whole && !p.One || level == "chain"
	if p.Chain && !whole {
		return p, ErrWholeOnly.At("level")
	}
	today := cal.On(tx.Now())
	if len(p.Sites) > 0 {
		today = p.Sites[0].BusinessDate(tx.Now())
	}
	if p.To = to; to == "" {
		p.To = today.AddDays(-1)
	}
	if p.From = from; from == "" && p.To.Valid() {
		p.From = p.To.AddDays(1 - alignDays)
	}
	switch {
	case !p.From.Valid():
		return p, ErrPeriod.At("from")
	case !p.To.Valid() || p.To > today || p.To < p.From:
		return p, ErrPeriod.At("to")
	case p.To.Sub(p.From) >= mostAlign:
		return p, ErrPeriodLong.With("most", mostAlign).At("from")
	}
	return p, nil
}

func (p Period) level() string {
	if p.Chain {
		return "chain"
	}
	return "site"
}

// Materials reckons the figure of a period.
func (s *Service) Materials(tx *db.Tx, p Period) (*Materials, error) {
	m := &Materials{AsOf: tx.Now(), Weeks: []Alignment{}, Items: []AlignedMaterial{}}
	m.From, m.To, m.Level = p.From, p.To, p.level()
	read, err := readMaterials(tx, p.Sites, p.From, p.To)
	if err != nil {
		return nil, err
	}
	m.Days, m.DaysLeft = read.counted, read.missing
	weeks := make([]map[id.ID]*materialDay, (p.To.Sub(p.From)+1)/7) // the newest first; what is left over at the old end is of none
	all := map[id.ID]*materialDay{}
	sum := func(into map[id.ID]*materialDay, product id.ID, d *materialDay) {
		if into[product] == nil {
			into[product] = &materialDay{}
		}
		into[product].add(d)
	}
	for i := range weeks {
		weeks[i] = map[id.ID]*materialDay{}
	}
	for date, products := range read.days {
		for product, d := range products {
			sum(all, product, d)
			if n := p.To.Sub(date) / 7; n < len(weeks) {
				sum(weeks[n], product, d)
			}
		}
	}
	ids := make([]id.ID, 0, len(all))
	for product := range all {
		ids = append(ids, product)
	}
	goods, err := s.named(tx, ids)
	if err != nil {
		return nil, err
	}
	of := func(product id.ID) *AlignedMaterial {
		g := goods[product]
		if g == nil {
			return nil
		}
		return &AlignedMaterial{ProductID: product, Code: g.Code, Name: g.Name, Unit: g.BaseUnit}
	}
	for product, d := range all {
		one := of(product)
		if one == nil {
			continue
		}
		one.put(d, p.Chain, d.priced(p.Chain))
		if one.Bought == 0 && one.Sold == 0 { // of the other level
			continue
		}
		m.Items = append(m.Items, *one)
		if one.PriceFen == 0 {
			m.Unpriced++
		}
	}
	slices.SortFunc(m.Items, func(x, y AlignedMaterial) int {
		return cmp.Or(cmp.Compare(y.OffFen, x.OffFen), cmp.Compare(y.SoldFen, x.SoldFen), cmp.Compare(x.Code, y.Code))
	})
	for i := range m.Items {
		m.add(&m.Items[i])
	}
	m.Materials = int64(len(m.Items))
	if len(weeks) < 2 {
		return m, nil
	}
	for n := len(weeks) - 1; n >= 0; n-- {
		w := Alignment{From: p.To.AddDays(-7*n - 6), To: p.To.AddDays(-7 * n), Level: m.Level}
		for product, d := range weeks[n] {
			if one := of(product); one != nil {
				one.put(d, p.Chain, all[product].priced(p.Chain))
				w.add(one)
			}
		}
		m.Weeks = append(m.Weeks, w)
	}
	return m, nil
}

// OpenMaterial opens a material of a period.
func (s *Service) OpenMaterial(tx *db.Tx, p Period, product id.ID) (*OpenedMaterial, error) {
	goods, err := s.goods.Products(tx, []id.ID{product})
	if err != nil {
		return nil, err
	}
	g := goods[product]
	if g == nil {
		return nil, ErrNoGoods
	}
	o := &OpenedMaterial{From: p.From, To: p.To, Level: p.level(), Sites: []AlignedSite{}, Products: []SoldWith{}, Came: []Came{}}
	o.AlignedMaterial = AlignedMaterial{ProductID: product, Code: g.Code, Name: g.Name, Unit: g.BaseUnit}
	read, err := readMaterials(tx, p.Sites, p.From, p.To)
	if err != nil {
		return nil, err
	}
	all := &materialDay{}
	for _, products := range read.days {
		if d := products[product]; d != nil {
			all.add(d)
		}
	}
	price := all.priced(p.Chain)
	o.put(all, p.Chain, price)
	if p.One {
		return o, s.openAt(tx, o, p)
	}
	bySite, err := materialBySite(tx, p, product)
	if err != nil {
		return nil, err
	}
	for _, site := range p.Sites {
		d := &materialDay{}
		if kept := bySite[site.ID]; kept != nil {
			d.add(kept)
		}
		if spot := read.sites[site.ID][product]; spot != nil {
			d.add(spot)
		}
		one := AlignedSite{SiteID: site.ID, Code: site.Code, Name: site.Name, AlignedMaterial: AlignedMaterial{ProductID: product, Code: g.Code, Name: g.Name, Unit: g.BaseUnit}}
		if one.put(d, p.Chain, price); one.Bought != 0 || one.Sold != 0 {
			o.Sites = append(o.Sites, one)
		}
	}
	slices.SortStableFunc(o.Sites, func(x, y AlignedSite) int { return cmp.Compare(y.OffFen, x.OffFen) })
	return o, nil
}

func materialBySite(tx *db.Tx, p Period, product id.ID) (map[id.ID]*materialDay, error) {
	found := map[id.ID]*materialDay{}
	if len(p.Sites) == 0 {
		return found, nil
	}
	args := []any{product, p.From, p.To}
	for _, site := range p.Sites {
		args = append(args, site.ID)
	}
	rows := tx.QueryMany(materialSites, args...)
	defer rows.Close()
	for rows.Next() {
		var site id.ID
		d := &materialDay{}
		if err := scanMaterial(rows.Scan, d, &site); err != nil {
			return nil, err
		}
		found[site] = d
	}
	return found, rows.Err()
}

// openAt reads the last days of a site again, down to documents and products.
func (s *Service) openAt(tx *db.Tx, o *OpenedMaterial, p Period) error {
	o.OpenedFrom = max(p.From, p.To.AddDays(1-mostOpen))
	pantry, err := newPantry(tx)
	if err != nil {
		return err
	}
	r, err := pantry.reckon(p.Sites[0], o.OpenedFrom, p.To)
	if err != nil {
		return err
	}
	slices.SortFunc(r.came, func(x, y materialFlow) int {
		return cmp.Or(y.at.Compare(x.at), cmp.Compare(y.doc, x.doc), cmp.Compare(x.amount, y.amount))
	})
	for _, f := range r.came {
		bought := f.from == suppliedFlow || f.to == suppliedFlow
		if pantry.products[f.sku] == o.ProductID && len(o.Came) < mostSold && (bought || !p.Chain) {
			o.Came = append(o.Came, Came{f.date, f.kind.String(), f.doc, qty.Qty(f.amount), f.value})
		}
	}
	type key struct {
		product id.ID
		sent    bool
	}
	sold, in := map[key]int64{}, map[key]*used{}
	for at, n := range r.seeds {
		u := pantry.of(at.batch, !p.Chain)[o.ProductID]
		if u == nil || at.sent && p.Chain {
			continue
		}
		k := key{at.product, at.sent}
		sold[k] += n
		if in[k] == nil {
			in[k] = newUsed()
		}
		in[k].add(u, ratOf(n))
	}
	ids := make([]id.ID, 0, len(sold))
	for k := range sold {
		ids = append(ids, k.product)
	}
	goods, err := s.named(tx, ids)
	if err != nil {
		return err
	}
	for k, n := range sold {
		if g := goods[k.product]; g != nil {
			o.Products = append(o.Products, SoldWith{k.product, g.Code, g.Name, g.BaseUnit, qty.Qty(n), k.sent, qty.Qty(halfUp(in[k].qty))})
		}
	}
	slices.SortFunc(o.Products, func(x, y SoldWith) int {
		return cmp.Or(cmp.Compare(y.In, x.In), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Qty, y.Qty))
	})
	o.Products = o.Products[:min(len(o.Products), mostSold)]
	return nil
}
