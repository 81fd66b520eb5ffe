package checkout

import (
	"context"
	"fmt"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/pricing"
	"zhanggui/internal/till"
)

// A bundle is sold as its parts: each is a line of the sale with its share of the price, at its own rate of VAT, from its
// own batches. So figures by product, refunds of a part and the ledger know nothing of bundles. A sale without one asks
// and writes nothing more.

var (
	ErrBundleBatch = errs.Define("bundle_batch", errs.Invalid, "“{product}”是组合,不能指定批次", "{product} is a bundle: no batch can be named")
	ErrBundleWhole = errs.Define("bundle_qty_whole", errs.Invalid, "组合“{product}”要按整份卖", "The bundle {product} is sold in whole numbers")
	ErrPartNotSold = errs.Define("bundle_part_not_on_sale", errs.Conflict, "组合“{product}”里的“{part}”现在不卖", "{part}, which is in the bundle {product}, is not for sale")
	ErrNoBundle    = errs.Define("refund_bundle_unknown", errs.Invalid, "小票上没有第 {no} 个组合", "The slip has no bundle {no}")
	ErrBundlePart  = errs.Define("refund_bundle_part", errs.Invalid, "组合“{product}”不能只退 {qty} 份,请按里面的商品退", "{qty} of the bundle {product} can't be given back; give back its parts")
	ErrNotBundle   = errs.Define("bundle_unknown", errs.NotFound, "没有这个组合", "There is no such bundle")
)

// unpack finds what is in the bundles of a basket, and asks for the prices of that too. Without bundles it does nothing.
func (s *Service) unpack(tx *db.Tx, p *priced, units *[]id.ID) (map[id.ID]*catalog.Product, error) {
	var ids []id.ID
	for i, g := range p.products {
		if !g.IsBundle() {
			continue
		}
		switch {
		case p.lines[i].BatchID != 0:
			return nil, ErrBundleBatch.With("product", g.Name).At(at(i, "batch_id"))
		case p.base[i]%qty.Scale != 0:
			return nil, ErrBundleWhole.With("product", g.Name).At(at(i, "qty"))
		}
		for _, x := range g.Parts {
			ids, *units = append(ids, x.Product), append(*units, x.Unit)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.goods.Products(tx, ids)
}

// bundle works out the parts of the bundles of a basket and what each gets of the price.
func (p *priced) bundle(inside map[id.ID]*catalog.Product, prices map[id.ID]money.Fen) error {
	if inside == nil {
		return nil
	}
	p.bundles = map[int][]part{}
	lines := len(p.lines)
	for i, g := range p.products {
		if !g.IsBundle() {
			continue
		}
		parts, weights := make([]part, len(g.Parts)), make([]pricing.BundlePart, len(g.Parts))
		for k, x := range g.Parts {
			c := inside[x.Product]
			if c == nil || !c.State.Sold() {
				name := x.Product.String()
				if c != nil {
					name = c.Name
				}
				return ErrPartNotSold.With("product", g.Name, "part", name).At(at(i, "product_id"))
			}
			u := c.UnitByID(x.Unit)
			if u == nil {
				return catalog.ErrNoUnit.With("product", c.Name, "unit", x.Unit).At(at(i, "product_id"))
			}
			n := x.Qty * (p.base[i] / qty.Scale) // at most 10,000 units of a part in 20 × 100,000 of the bundle, in thousandths
			base, err := u.Qty().ToBase(n)
			if err != nil {
				return errs.As(err).At(at(i, "qty"))
			}
			parts[k] = part{of: i, product: c, unit: u, price: prices[u.ID], qty: n, base: base, bundled: true}
			weights[k] = pricing.BundlePart{Qty: n, Price: prices[u.ID], Share: x.Share}
		}
		_, shares, err := pricing.Bundle(p.prices[i], p.qty[i], weights)
		if err != nil {
			return errs.As(err).At(at(i, "qty"))
		}
		for k := range parts {
			parts[k].fixed = shares[k]
		}
		p.bundles[i] = parts
		lines += len(parts) - 1
	}
	if lines > till.MaxLines {
		return ErrTooMany.With("most", till.MaxLines).At("lines")
	}
	return nil
}

// sold are the bundles of the sale, each with the lines that it is made of.
func (p *priced) sold() []till.Bundle {
	if p.bundles == nil {
		return nil
	}
	var all []till.Bundle
	for k := 0; k < len(p.parts); k++ {
		x := &p.parts[k]
		if !x.bundled {
			continue
		}
		b := till.Bundle{No: int64(len(all) + 1), Product: p.products[x.of].ID, Unit: p.units[x.of].ID, Name: p.products[x.of].Name, UnitName: p.units[x.of].Name,
			Qty: p.qty[x.of], Price: p.prices[x.of], First: int64(k + 1), Lines: int64(len(p.bundles[x.of]))}
		for n := range p.bundles[x.of] {
			b.Amount += p.bill.Lines[k+n].Amount
		}
		all = append(all, b)
		k += int(b.Lines) - 1
	}
	return all
}

// BundleBackIn is so much of a bundle on the slip that comes back whole.
type BundleBackIn struct {
	BundleNo int64     `json:"bundle_no" minimum:"1"`
	Qty      qty.Qty   `json:"qty" doc:"in the unit in which the bundle was sold"`
	Back     till.Back `json:"back" enum:"stock,discard"`
}

// unbundle turns bundles that come back into the lines that they are made of.
func unbundle(sale *till.Sale, in []BundleBackIn) ([]till.RefundLineIn, error) {
	var lines []till.RefundLineIn
	for i, back := range in {
		at := func(field string) string { return fmt.Sprintf("bundles[%d].%s", i, field) }
		b := sale.Bundle(back.BundleNo)
		switch {
		case b == nil:
			return nil, ErrNoBundle.With("no", back.BundleNo).At(at("bundle_no"))
		case back.Qty <= 0 || back.Qty > b.Qty:
			return nil, till.ErrRefundQty.At(at("qty"))
		}
		for no := b.First; no < b.First+b.Lines; no++ {
			l := sale.Line(no)
			n, err := money.MulDiv(int64(l.Qty), int64(back.Qty), int64(b.Qty))
			exact, errBack := money.MulDiv(n, int64(b.Qty), int64(back.Qty))
			if err != nil || errBack != nil || exact != int64(l.Qty) {
				return nil, ErrBundlePart.With("product", b.Name, "qty", back.Qty).At(at("qty"))
			}
			lines = append(lines, till.RefundLineIn{LineNo: no, Qty: qty.Qty(n), Back: back.Back})
		}
	}
	return lines, nil
}

// Available is how much of a bundle a site could sell now: what its scarcest part allows.
type Available struct {
	ProductID id.ID           `json:"product_id"`
	Qty       qty.Qty         `json:"qty" doc:"whole bundles"`
	Parts     []AvailablePart `json:"parts"`
}

// AvailablePart is a part of a bundle at a site.
type AvailablePart struct {
	ProductID id.ID   `json:"product_id"`
	Name      string  `json:"name"`
	BaseUnit  string  `json:"base_unit"`
	Needs     qty.Qty `json:"needs" doc:"for one bundle, in the base unit"`
	Left      qty.Qty `json:"left" doc:"sellable now, in the base unit"`
	Makes     qty.Qty `json:"makes" doc:"whole bundles"`
}

func (s *Service) bundleRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/till/bundles/{id}", Name: "bundle-available", Summary: "How much of a bundle a site could sell now, and which part limits it", Perm: "goods.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID     id.ID `path:"id"`
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*Available, error) {
			site, err := org.SiteFor(ctx, "goods.read", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			found, err := s.goods.Products(tx, []id.ID{in.ID})
			if err != nil {
				return nil, err
			}
			p := found[in.ID]
			if p == nil || !p.IsBundle() {
				return nil, ErrNotBundle
			}
			all, err := s.available(tx, site.ID, []*catalog.Product{p})
			if err != nil {
				return nil, err
			}
			return all[p.ID], nil
		})
}

// available is what a site could sell of the bundles among products, by their ids.
func (s *Service) available(tx *db.Tx, site id.ID, products []*catalog.Product) (map[id.ID]*Available, error) {
	var ids []id.ID
	for _, p := range products {
		for _, x := range p.Parts {
			ids = append(ids, x.Product)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	inside, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	skus := make([]id.ID, 0, len(inside))
	for _, c := range inside {
		skus = append(skus, c.SKU)
	}
	left, err := sellable(tx, site, skus)
	if err != nil {
		return nil, err
	}
	all := map[id.ID]*Available{}
	for _, p := range products {
		if !p.IsBundle() {
			continue
		}
		a := &Available{ProductID: p.ID, Parts: []AvailablePart{}}
		for k, x := range p.Parts {
			c := inside[x.Product]
			if c == nil || c.UnitByID(x.Unit) == nil {
				continue
			}
			needs, err := c.UnitByID(x.Unit).Qty().ToBase(x.Qty)
			if err != nil {
				return nil, err
			}
			v := AvailablePart{ProductID: c.ID, Name: c.Name, BaseUnit: c.BaseUnit, Needs: needs, Left: left[c.SKU]}
			if c.State.Sold() {
				v.Makes = max(0, v.Left/needs*qty.Scale)
			}
			if k == 0 || v.Makes < a.Qty {
				a.Qty = v.Makes
			}
			a.Parts = append(a.Parts, v)
		}
		all[p.ID] = a
	}
	return all, nil
}
