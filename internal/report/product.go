package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Good is a product's day at a site or at several.
type Good struct {
	ProductID     id.ID    `json:"product_id"`
	Code          string   `json:"code"`
	Name          string   `json:"name"`
	Unit          string   `json:"unit" enum:"g,ml,piece" doc:"base unit, of all quantities here"`
	OutRate       *float64 `json:"out_rate"`
	SlotsOnSale   int64    `json:"slots_on_sale"`
	SlotsOut      int64    `json:"slots_out"`
	SlotsEarly    int64    `json:"slots_early"`
	SlotsEarlyOut int64    `json:"slots_early_out"`
	OutNow        int64    `json:"out_now" doc:"sites at which it is on sale with nothing available at this moment"`
	Sold          qty.Qty  `json:"sold" doc:"less what came back"`
	SalesFen      int64    `json:"sales_fen" doc:"before refunds"`
	RefundsFen    int64    `json:"refunds_fen"`
	NetFen        int64    `json:"net_fen"`
	Received      qty.Qty  `json:"received"`
	ReceivedFen   int64    `json:"received_fen"`
	Made          qty.Qty  `json:"made"`
	MadeFen       int64    `json:"made_fen"`
	Wasted        qty.Qty  `json:"wasted"`
	WastedFen     int64    `json:"wasted_fen"`
	MakingLoss    qty.Qty  `json:"making_loss"`
	MakingLossFen int64    `json:"making_loss_fen"`
	CountLossFen  int64    `json:"count_loss_fen"`
	Left          *qty.Qty `json:"left,omitempty" doc:"in date and promised to nobody at this moment"`
}

func (g *Good) take(p *productDay) {
	var c slotCount
	c.add(p.onShelf)
	g.SlotsOnSale += c.onSale
	g.SlotsOut += c.out
	g.SlotsEarly += c.early
	g.SlotsEarlyOut += c.earlyOut
	g.Sold += qty.Qty(p.sold)
	g.SalesFen += p.sales
	g.RefundsFen += p.refunds
	g.Received += qty.Qty(p.received)
	g.ReceivedFen += p.receivedC
	g.Made += qty.Qty(p.made)
	g.MadeFen += p.madeC
	g.Wasted += qty.Qty(p.wasted)
	g.WastedFen += p.wastedC
	g.MakingLoss += qty.Qty(p.makingLoss)
	g.MakingLossFen += p.makingC
	g.CountLossFen += p.countC
	g.NetFen = g.SalesFen - g.RefundsFen
	g.OutRate = ratio(g.SlotsOut, g.SlotsOnSale)
}

// GoodsIn chooses a day, sites and an order.
type GoodsIn struct {
	web.Paging
	SiteID id.ID    `query:"site_id" doc:"left out: every site within reach, added up"`
	Date   cal.Date `query:"date"`
	Order  string   `query:"order" enum:"out,loss,sales" default:"out"`
}

// Slot is a half hour of a product at a site.
type Slot struct {
	At     string  `json:"at" doc:"HH:MM"`
	OnSale bool    `json:"on_sale"`
	Out    bool    `json:"out" doc:"nothing was available for at least half of the time"`
	Early  bool    `json:"early" doc:"before the clearance window of the newest batch"`
	Sold   qty.Qty `json:"sold"`
}

// Entry is a movement behind a figure: goods into the site's stock above 0, out of it below.
type Entry struct {
	At         time.Time `json:"at"`
	Document   string    `json:"document" doc:"as in goods_receipt, sale, write_off"`
	DocumentID id.ID     `json:"document_id"`
	Flow       string    `json:"flow" doc:"where the goods came from or went to, as in sold, waste_expired, made"`
	BatchID    id.ID     `json:"batch_id"`
	Qty        qty.Qty   `json:"qty"`
}

// Opened is a product's day at one site, down to its documents.
type Opened struct {
	AsOf time.Time `json:"as_of"`
	Date cal.Date  `json:"date"`
	Good
	Slots   []Slot  `json:"slots"`
	Entries []Entry `json:"entries" doc:"the newest first, at most 200"`
	More    bool    `json:"more" doc:"there are older entries"`
}

func (s *Service) productRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/report/products", Name: "report-products", Summary: "A day's figures by product", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *GoodsIn) (*web.Page[Good], error) {
			var skip int
			if _, err := in.Seek(&skip); err != nil {
				return nil, err
			}
			sites, err := sitesFor(ctx, tx, in.SiteID)
			if err != nil {
				return nil, err
			}
			if err := checkDate(tx, sites, in.Date); err != nil {
				return nil, err
			}
			all, err := s.Goods(tx, sites, in.Date, in.Order)
			if err != nil {
				return nil, err
			}
			all = all[min(max(0, skip), len(all)):]
			page := &web.Page[Good]{Items: all}
			if len(all) > in.Limit {
				page.Items, page.Next = all[:in.Limit], web.Cursor(skip+in.Limit)
			}
			return page, nil
		})
	type one struct {
		ID     id.ID    `path:"id"`
		SiteID id.ID    `query:"site_id" required:"true"`
		Date   cal.Date `query:"date"`
	}
	web.Get(api, web.Route{Path: "/api/report/products/{id}", Name: "report-product", Summary: "A product's day at a site, down to its documents", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *one) (*Opened, error) {
			site, err := org.SiteFor(ctx, permRead, in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			if err := checkDate(tx, []*org.Site{site}, in.Date); err != nil {
				return nil, err
			}
			return s.Open(tx, site, in.ID, in.Date)
		})
}

// Goods adds a day up by product, in the order of what goes most wrong or sells most.
func (s *Service) Goods(tx *db.Tx, sites []*org.Site, date cal.Date, order string) ([]Good, error) {
	days, err := s.see(tx, sites, date)
	if err != nil {
		return nil, err
	}
	byID := map[id.ID]*Good{}
	for _, d := range days {
		for product, p := range d.products {
			g := byID[product]
			if g == nil {
				g = &Good{ProductID: product}
				byID[product] = g
			}
			g.take(p)
			if d.now != nil {
				left := qty.Qty(d.now.left[product])
				if g.Left != nil {
					left += *g.Left
				}
				g.Left = &left
			}
		}
		for _, product := range d.outNow() {
			byID[product].OutNow++
		}
	}
	ids := make([]id.ID, 0, len(byID))
	for product := range byID {
		ids = append(ids, product)
	}
	names, err := s.named(tx, ids)
	if err != nil {
		return nil, err
	}
	all := make([]Good, 0, len(byID))
	for product, g := range byID {
		if n := names[product]; n != nil {
			g.Code, g.Name, g.Unit = n.Code, n.Name, n.BaseUnit
			all = append(all, *g)
		}
	}
	slices.SortFunc(all, func(x, y Good) int {
		first := cmp.Compare(y.NetFen, x.NetFen)
		switch order {
		case "out":
			first = cmp.Or(cmp.Compare(y.OutNow, x.OutNow), cmp.Compare(y.SlotsOut, x.SlotsOut), first)
		case "loss":
			first = cmp.Or(cmp.Compare(y.WastedFen+y.MakingLossFen, x.WastedFen+x.MakingLossFen), first)
		}
		return cmp.Or(first, cmp.Compare(x.Code, y.Code))
	})
	return all, nil
}

const (
	maxEntries = 200

	entriesOf = `SELECT t.booked_at, t.doc_kind, t.doc_id, t.from_id, t.to_id, t.amount FROM ledger_transfer t
		WHERE t.site_id = $1 AND t.business_date = $2 AND t.unit = $3 ORDER BY t.booked_at DESC, t.doc_id DESC, t.leg DESC LIMIT $4`
	soldBySlot = `SELECT s.sold_at, l.base_qty FROM till_register r JOIN till_sale s ON s.register_id = r.id AND s.business_date = $1 JOIN till_line l ON l.sale_id = s.id
		WHERE r.site_id = $2 AND s.state = 'paid' AND l.product_id = $3`
)

// Open tells of one product at one site by half hour, and which documents moved it.
func (s *Service) Open(tx *db.Tx, site *org.Site, product id.ID, date cal.Date) (*Opened, error) {
	goods, err := s.goods.Products(tx, []id.ID{product})
	if err != nil {
		return nil, err
	}
	g := goods[product]
	if g == nil {
		return nil, ErrNoGoods
	}
	days, err := s.see(tx, []*org.Site{site}, date)
	if err != nil {
		return nil, err
	}
	d := days[0]
	p := d.products[product]
	if p == nil {
		p = &productDay{}
	}
	o := &Opened{AsOf: tx.Now().In(site.Location()), Date: d.date, Slots: []Slot{}, Entries: []Entry{}}
	o.ProductID, o.Code, o.Name, o.Unit = g.ID, g.Code, g.Name, g.BaseUnit
	o.take(p)
	if d.now != nil {
		left := qty.Qty(d.now.left[product])
		o.Left = &left
	}
	for _, gone := range d.outNow() {
		if gone == product {
			o.OutNow = 1
		}
	}
	rows, sold := tx.Query(entriesOf, site.ID, d.date, g.SKU, maxEntries+1), tx.Query(soldBySlot, d.date, site.ID, product)
	defer rows.Close()
	defer sold.Close()
	for rows.Next() {
		var e Entry
		var kind ledger.Kind
		var from, to ledger.Account
		if err := rows.Scan(&e.At, &kind, &e.DocumentID, &from, &to, &e.Qty); err != nil {
			return nil, err
		}
		e.At, e.Document = e.At.In(site.Location()), kind.String()
		switch {
		case to > 0:
			e.BatchID, e.Flow = id.ID(to), from.String()
		case from > 0:
			e.BatchID, e.Flow, e.Qty = id.ID(from), to.String(), -e.Qty
		default:
			e.Flow = to.String()
		}
		o.Entries = append(o.Entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if o.More = len(o.Entries) > maxEntries; o.More {
		o.Entries = o.Entries[:maxEntries]
	}
	var bySlot [Slots]qty.Qty
	for sold.Next() {
		var at time.Time
		var q qty.Qty
		if err := sold.Scan(&at, &q); err != nil {
			return nil, err
		}
		bySlot[slotOf(slotStart(site, d.date, 0), at)] += q
	}
	if err := sold.Err(); err != nil {
		return nil, err
	}
	first := int(site.DayStart) / 30
	for k := range Slots {
		bit := uint64(1) << k
		if p.onSale&bit == 0 && bySlot[k] == 0 {
			continue
		}
		o.Slots = append(o.Slots, Slot{At: fmt.Sprintf("%02d:%02d", (first+k)/2%24, (first+k)%2*30), OnSale: p.onSale&bit != 0, Out: p.out&bit != 0, Early: p.early&bit != 0, Sold: bySlot[k]})
	}
	return o, nil
}
