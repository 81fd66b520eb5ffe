package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Columns of suppliers.
const (
	supplierCode = iota
	supplierName
	supplierProduct
	supplierPack
	supplierUnit
	supplierPrice
	supplierMin
	supplierClass
	supplierLead
	supplierDays
	supplierCutOff
)

var supplierColumns = []column{
	must("supplier", "供应商编码", "Supplier code", "供应商", "供应商编号", "supplier_code", "supplier_id", "vendor"),
	must("name", "名称", "Name", "供应商名称", "supplier_name", "vendor_name"),
	must("product", "商品编码", "Product code", productWords...),
	must("pack_qty", "每包数量", "In one pack", "包装数量", "箱规", "pack").of(figures),
	soft("unit", "单位", "Unit of pack and price", unitWords...),
	must("price_fen4", "进价(万分之一分)", "Price of one unit in 0.0001 fen", "单价(万分之一分)").of(figures),
	soft("min_packs", "起订包数", "Least packs of an order", "起订量", "最小起订", "moq").of(figures),
	must("lead_class", "到货类别", "Lead class: fresh, frozen or ambient", "温层", "储运条件"),
	soft("lead_h", "提前期(小时)", "Lead time in hours", "提前期", "到货周期").of(figures),
	soft("order_days", "订货日", "Order days, 1 Monday to 7 Sunday", "可订货日", "订货星期"),
	soft("cut_off", "截单时间", "Cut-off", "截止时间", "截单").of(clocks),
}

var errPrice4 = errs.Define("price_fen4_bad", errs.Invalid,
	"“{text}”应为不小于 0 的整数,单位是万分之一分;1 元写 1000000", "“{text}” must be a whole number of 0.0001 fen; write 1000000 for 1 yuan")

// SupplierRow is one row of suppliers: what a supplier asks and gives for a product.
type SupplierRow struct {
	Supplier, Name, Product string
	Pack                    qty.Qty // in Unit
	Unit                    string  // "" is the base unit
	Price                   money.Fen4
	MinPacks                int64
	Class                   party.LeadClass
	LeadHours               int64
	Days                    party.OrderDays
	CutOff                  int64 // minutes after midnight
}

func parseSupplier(c *cells) SupplierRow {
	r := SupplierRow{
		Supplier: c.named(supplierCode, 32),
		Name:     c.named(supplierName, 80),
		Product:  c.named(supplierProduct, 120),
		Pack:     c.positive(supplierPack),
		Unit:     c.text(supplierUnit, 20),
		MinPacks: 1,
		Days:     party.EveryDay,
		CutOff:   party.EndOfDay,
	}
	if r.Supplier != "" && !goodCode(r.Supplier, 32) {
		c.refuse(supplierCode, catalog.ErrCode.With("most", 32))
	}
	price, ok := c.whole(supplierPrice, errPrice4, int64(party.MaxPrice))
	if !ok && c.raw(supplierPrice) == "" {
		c.refuse(supplierPrice, ErrCellEmpty)
	}
	r.Price = money.Fen4(price)
	if n, ok := c.whole(supplierMin, ErrWhole, party.MaxPacks); ok {
		r.MinPacks = max(n, 1)
	}
	r.Class = party.LeadClass(strings.ToLower(c.named(supplierClass, 20)))
	if zh, ok := leadWords[string(r.Class)]; ok {
		r.Class = zh
	}
	if r.Class != "" && r.Class.LeadHours() == 0 {
		c.refuse(supplierClass, party.ErrLeadClass)
	}
	if n, ok := c.whole(supplierLead, ErrWhole, party.MaxLeadHours); ok {
		r.LeadHours = n
	}
	if s := c.raw(supplierDays); s != "" {
		var err error
		if r.Days, err = party.ParseOrderDays(s); err != nil {
			c.refuseErr(supplierDays, err)
		}
	}
	if s := c.raw(supplierCutOff); s != "" {
		minutes, err := party.ParseCutOff(s)
		if err != nil {
			c.refuseErr(supplierCutOff, err)
		}
		r.CutOff = minutes
	}
	return r
}

var leadWords = map[string]party.LeadClass{"鲜": party.Fresh, "生鲜": party.Fresh, "冷藏": party.Fresh, "冷冻": party.Frozen, "冻": party.Frozen, "常温": party.Ambient}

// ErrSupplierName refuses a row that calls its supplier otherwise than a row before it.
var ErrSupplierName = errs.Define("supplier_name_differs", errs.Invalid,
	"供应商名称与第 {line} 行不一致", "The supplier's name differs from line {line}")

// offer is a row of suppliers with everything found out. Of Terms the supplier is found when it comes into force.
type offer struct {
	Supplier, Name string
	Terms          party.Terms
}

// suppliers are taken in by supplier: it is made or renamed, and its terms are put in the place of those there are.
func (s *Service) suppliers() ops {
	type first struct {
		name string
		line int64
	}
	names := map[string]first{}
	var b *book
	return ops{
		rows:  200,
		parse: func(c *cells) any { return parseSupplier(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) (found []resolved, err error) {
			if b == nil {
				if b, err = newBook(ctx, s.d, nil, false); err != nil {
					return nil, err
				}
			}
			texts := map[string]bool{}
			for _, r := range rows {
				texts[r.row.(SupplierRow).Product] = true
			}
			if err := b.learn(ctx, texts); err != nil {
				return nil, err
			}
			found = make([]resolved, len(rows))
			for i, r := range rows {
				row := r.row.(SupplierRow)
				o, refused := b.offer(row)
				known, ok := names[row.Supplier]
				if !ok {
					names[row.Supplier] = first{row.Name, r.line}
				} else if known.name != row.Name && refused == nil {
					refused = ErrSupplierName.With("line", known.line).At("name")
				}
				found[i] = resolved{subject: row.Supplier, part: fmt.Sprintf("%d", o.Terms.Product), body: o, refused: refused}
			}
			return found, nil
		},
		check: func(tx *db.Tx, rows []staged) error {
			return eachOffer(tx, rows, func(i int, o offer, now *party.Supplier, terms *party.Terms) error {
				rows[i].same = now != nil && now.Name == o.Name && terms != nil && *terms == o.Terms
				return nil
			})
		},
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			var terms []party.Terms
			made := map[string]*party.Supplier{}
			err := eachOffer(tx, rows, func(i int, o offer, now *party.Supplier, _ *party.Terms) (err error) {
				if made[o.Supplier] != nil {
					now = made[o.Supplier]
				}
				switch {
				case now == nil:
					now, err = party.AddSupplier(tx, party.SupplierDraft{Code: o.Supplier, Name: o.Name})
				case now.Name != o.Name:
					now, err = party.ChangeSupplier(tx, now.ID, now.Revision, party.SupplierDraft{Code: now.Code, Name: o.Name, Contact: now.Contact, Phone: now.Phone,
						Address: now.Address, State: now.State})
				}
				if errors.Is(err, party.ErrSupplier) || errors.Is(err, party.ErrChanged) {
					return db.ErrAgain // somebody was faster
				}
				if err != nil {
					return fieldOf(err, "supplier")
				}
				made[o.Supplier] = now
				o.Terms.Supplier = now.ID
				terms = append(terms, o.Terms)
				return nil
			})
			if err != nil {
				return err
			}
			return party.PutTerms(tx, w.im.StaffID, terms)
		},
	}
}

// offer finds out everything about a row.
func (b *book) offer(r SupplierRow) (o offer, refused *errs.Error) {
	p, e := b.product(r.Product, "")
	if e != nil {
		return o, e.At("product")
	}
	u, e := p.anyUnit(r.Unit)
	if e != nil {
		return o, e.At("unit")
	}
	o = offer{Supplier: r.Supplier, Name: r.Name, Terms: party.Terms{Product: p.ID, Pack: r.Pack, Unit: u, Price: r.Price, MinPacks: r.MinPacks, Class: r.Class,
		LeadHours: r.LeadHours, Days: r.Days, CutOff: r.CutOff}}
	if _, _, _, err := o.Terms.Packs(1); err != nil {
		return o, errs.As(err).At("pack_qty")
	}
	return o, nil
}

// eachOffer goes through staged rows with what holds of their supplier and product; with terms o has its supplier.
func eachOffer(tx *db.Tx, rows []staged, do func(i int, o offer, now *party.Supplier, terms *party.Terms) error) error {
	offers := make([]offer, len(rows))
	var codes []string
	for i := range rows {
		if err := rows[i].read(&offers[i]); err != nil {
			return err
		}
		if i == 0 || rows[i].subject != rows[i-1].subject {
			codes = append(codes, rows[i].subject)
		}
	}
	known, err := party.SuppliersByCode(tx, codes)
	if err != nil {
		return err
	}
	var pairs []party.Pair
	for i := range offers {
		if p := known[offers[i].Supplier]; p != nil {
			offers[i].Terms.Supplier = p.ID
			pairs = append(pairs, party.Pair{Supplier: p.ID, Product: offers[i].Terms.Product})
		}
	}
	held := map[party.Pair]party.Terms{}
	for len(pairs) > 0 {
		n := min(len(pairs), 256)
		some, err := party.TermsOf(tx, pairs[:n])
		if err != nil {
			return err
		}
		for p, t := range some {
			held[p] = t
		}
		pairs = pairs[n:]
	}
	for i, o := range offers {
		var terms *party.Terms
		if t, ok := held[party.Pair{Supplier: o.Terms.Supplier, Product: o.Terms.Product}]; ok {
			terms = &t
		}
		if err := do(i, o, known[o.Supplier], terms); err != nil {
			return err
		}
	}
	return nil
}
