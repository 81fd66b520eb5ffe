package catalog

import (
	"fmt"
	"slices"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// A bundle is made of other products when it is sold. It has no stock of its own: what there is of it is what its parts
// allow. Whether a product is a bundle is said when it is added, for ever; so no part can be a bundle, and no bundle is
// in itself, on whatever way round.

const (
	maxParts   = 20
	maxPartQty = 10_000 * qty.Scale
	maxShare   = 1_000_000
)

var (
	ErrBundleFixed  = errs.Define("bundle_fixed", errs.Conflict, "商品建立后不能再改成组合,组合也不能改成普通商品", "A product can't become a bundle afterwards, nor a bundle an ordinary product")
	ErrBundleUnit   = errs.Define("bundle_unit_bad", errs.Invalid, "组合按份卖:基本单位须为 piece,不能称重", "A bundle is sold by the piece: its base unit is piece, and nothing is weighed")
	ErrBundleMany   = errs.Define("bundle_parts_many", errs.Limit, "一个组合最多 {most} 种商品", "A bundle has {most} products at most")
	ErrBundleSelf   = errs.Define("bundle_self", errs.Invalid, "组合里不能有它自己", "A bundle can't be part of itself")
	ErrBundleNested = errs.Define("bundle_nested", errs.Invalid, "“{product}”本身是组合,不能再放进组合", "{product} is a bundle itself and can't be part of one")
	ErrBundleTwice  = errs.Define("bundle_part_twice", errs.Invalid, "“{product}”在组合里出现了两次", "{product} is in the bundle twice")
	ErrBundleQty    = errs.Define("bundle_part_qty_bad", errs.Invalid, "组合里“{product}”的数量应大于 0,不超过 {most},称量分度内,按个算的要整个", "The quantity of {product} in the bundle must be above 0 and at most {most}, exact in its unit, and whole where it is counted in pieces")
	ErrBundleShare  = errs.Define("bundle_share_bad", errs.Invalid, "分摊权重应为 0 到 {most}", "The share must be from 0 to {most}")
	ErrBundleGone   = errs.Define("bundle_part_gone", errs.Conflict, "“{product}”已停售或淘汰,不能放进组合", "{product} is no longer sold and can't be part of a bundle")
	ErrBundleStock  = errs.Define("bundle_no_stock", errs.Invalid, "“{product}”是组合,没有自己的库存;请用组合里的商品", "{product} is a bundle and has no stock of its own; name its parts")
	ErrNotBought    = errs.Define("product_not_bought", errs.Conflict, "“{product}”现在不采购(停购、停售、淘汰或是组合)", "{product} is not bought now: buying has stopped, it is no longer sold, or it is a bundle")
)

// PartDraft is what a person says of a part: so much of a product in one of the bundle.
type PartDraft struct {
	ProductID id.ID   `json:"product_id"`
	Unit      string  `json:"unit" maxLength:"20"`
	Qty       qty.Qty `json:"qty" doc:"in the unit, for one of the bundle"`
	Share     int64   `json:"share,omitempty" minimum:"0" doc:"its weight in the price of the bundle; 0 for all parts: by what they would cost alone"`
}

// Part is so much of a product in one of a bundle.
type Part struct {
	Product id.ID
	Unit    id.ID
	Qty     qty.Qty // thousandths of the unit
	Share   int64

	code, name, unit string // as they were when the bundle was read, for screens
}

// PartView is a part on the wire.
type PartView struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	UnitID    id.ID   `json:"unit_id"`
	Unit      string  `json:"unit"`
	Qty       qty.Qty `json:"qty" doc:"in the unit, for one of the bundle"`
	Share     int64   `json:"share" doc:"weight in the price; 0 for all: by what they would cost alone"`
}

// IsBundle says that the product is put together when it is sold and has no stock of its own.
func (p *Product) IsBundle() bool { return len(p.Parts) > 0 }

// Bought says whether a plan or an order may ask for it.
func (p *Product) Bought() bool { return p.State.Bought() && !p.IsBundle() }

func (d *Draft) checkParts() error {
	if len(d.Parts) == 0 {
		return nil
	}
	if len(d.Parts) > maxParts {
		return ErrBundleMany.With("most", maxParts).At("parts")
	}
	if d.BaseUnit != "piece" || slices.ContainsFunc(d.Units, func(u UnitDraft) bool { return u.Weighed || u.Den != 1 }) {
		return ErrBundleUnit.At("base_unit")
	}
	return nil
}

var addParts = db.NewMany(`INSERT INTO catalog_part (bundle_id, line_no, product_id, unit_id, qty, share) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)

// putParts replaces what is in a bundle. The caller holds the version row, so that products stay what they are.
func (s *Service) putParts(tx *db.Tx, p *Product, drafts []PartDraft) error {
	if len(drafts) == 0 {
		return nil
	}
	ids := make([]id.ID, len(drafts))
	for i := range drafts {
		ids[i] = drafts[i].ProductID
	}
	goods, err := readMany(tx, ids)
	if err != nil {
		return err
	}
	old := p.Parts
	p.Parts = nil
	seen := map[id.ID]bool{}
	args := make([]any, 0, 6*len(drafts))
	for i, d := range drafts {
		at := func(field string) string { return fmt.Sprintf("parts[%d].%s", i, field) }
		g := goods[d.ProductID]
		switch {
		case d.ProductID == p.ID:
			return ErrBundleSelf.At(at("product_id"))
		case g == nil:
			return ErrNoProduct.At(at("product_id"))
		case g.IsBundle():
			return ErrBundleNested.With("product", g.Name).At(at("product_id"))
		case seen[g.ID]:
			return ErrBundleTwice.With("product", g.Name).At(at("product_id"))
		case (g.State == StopSelling || g.State == Gone) && !slices.ContainsFunc(old, func(o Part) bool { return o.Product == g.ID }):
			return ErrBundleGone.With("product", g.Name).At(at("product_id"))
		case d.Share < 0 || d.Share > maxShare:
			return ErrBundleShare.With("most", maxShare).At(at("share"))
		}
		seen[g.ID] = true
		u := g.Unit(strings.TrimSpace(d.Unit))
		if u == nil || u.Retired {
			return ErrNoUnit.With("product", g.Name, "unit", d.Unit).At(at("unit"))
		}
		base, err := u.Qty().ToBase(max(d.Qty, 0))
		if err != nil || d.Qty <= 0 || d.Qty > maxPartQty || g.BaseUnit == "piece" && base%qty.Scale != 0 || u.Weighed && u.Step > 0 && base%u.Step != 0 {
			return ErrBundleQty.With("product", g.Name, "most", qty.Qty(maxPartQty)).At(at("qty"))
		}
		p.Parts = append(p.Parts, Part{Product: g.ID, Unit: u.ID, Qty: d.Qty, Share: d.Share, code: g.Code, name: g.Name, unit: u.Name})
		args = append(args, int64(p.ID), int64(i+1), int64(g.ID), int64(u.ID), int64(d.Qty), d.Share)
	}
	if err := tx.Exec(`DELETE FROM catalog_part WHERE bundle_id = $1`, p.ID); err != nil {
		return err
	}
	return tx.ExecMany(addParts, args...)
}

const partColumns = `SELECT t.bundle_id, t.product_id, t.unit_id, t.qty, t.share, p.code, p.name, u.name FROM catalog_part t
	JOIN catalog_product p ON p.id = t.product_id JOIN catalog_unit u ON u.id = t.unit_id `

var partsOf = db.NewMany(partColumns+`WHERE t.bundle_id IN (`, `?`, `) ORDER BY t.bundle_id, t.line_no`)

// fillParts reads what is in the bundles among products. Without bundles nothing is asked.
func fillParts(tx *db.Tx, found map[id.ID]*Product, bundles []any) error {
	if len(bundles) == 0 {
		return nil
	}
	rows := tx.QueryMany(partsOf, bundles...)
	defer rows.Close()
	for rows.Next() {
		var bundle id.ID
		var x Part
		if err := rows.Scan(&bundle, &x.Product, &x.Unit, &x.Qty, &x.Share, &x.code, &x.name, &x.unit); err != nil {
			return err
		}
		found[bundle].Parts = append(found[bundle].Parts, x)
	}
	return rows.Err()
}
