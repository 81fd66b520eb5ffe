package intake

import (
	"context"
	"errors"
	"math/bits"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/price"
)

var (
	// ErrRowsDiffer refuses a row that says other things of its product than the row before it.
	ErrRowsDiffer = errs.Define("product_rows_differ", errs.Invalid,
		"与第 {line} 行同一商品的内容不一致", "This differs from line {line}, which is about the same product")
	ErrBarcodeTwice = errs.Define("barcode_twice", errs.Invalid,
		"条码与第 {line} 行的另一个商品重复", "Line {line} has this barcode for another product")
)

// products are taken in by product: all units of one are checked and applied together. A price is the group's,
// from today on.
func (s *Service) products() ops {
	codes := map[string]int64{} // barcode, as scanners tell it apart → first line
	owners := map[string]string{}
	return ops{
		rows:  40,
		parse: func(c *cells) any { return parseProduct(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) ([]resolved, error) {
			found := make([]resolved, len(rows))
			for i, r := range rows {
				row := r.row.(ProductRow)
				found[i] = resolved{subject: row.Product, part: row.Unit, body: row}
				if row.Barcode == "" {
					continue
				}
				owner := row.Product + "\n" + row.Unit
				key := catalog.BarcodeKey(row.Barcode)
				if other, ok := owners[key]; ok && other != owner {
					found[i].refused = ErrBarcodeTwice.With("line", codes[key]).At("barcode")
				} else if !ok {
					owners[key], codes[key] = owner, r.line
				}
			}
			return found, nil
		},
		check: func(tx *db.Tx, rows []staged) error {
			known, err := s.knownGoods(tx, rows)
			if err != nil {
				return err
			}
			for from := 0; from < len(rows); {
				to := from
				for to < len(rows) && rows[to].subject == rows[from].subject {
					to++
				}
				if err := known.check(rows[from:to]); err != nil {
					return err
				}
				from = to
			}
			return nil
		},
		prepare: s.applyGoods,
		apply:   s.applyPrices,
	}
}

// knownGoods is what holds of the products that staged rows name.
type knownGoods struct {
	products   map[string]*catalog.Product
	categories map[id.ID]string
	barcodes   map[string]id.ID // as stored, and as scanners tell them apart → unit
	prices     map[id.ID]money.Fen
}

var (
	idsOfCodes = db.NewMany(`SELECT id, code FROM catalog_product WHERE code IN (`, "?", `)`)
	barcodesOf = db.NewMany(`SELECT code, unit_id FROM catalog_barcode WHERE code IN (`, "?", `)`)
)

func (s *Service) knownGoods(tx *db.Tx, rows []staged) (*knownGoods, error) {
	var codes, barcodes []any
	for i := range rows {
		if i == 0 || rows[i].subject != rows[i-1].subject {
			codes = append(codes, rows[i].subject)
		}
		var row ProductRow
		if err := rows[i].read(&row); err != nil {
			return nil, err
		}
		if row.Barcode != "" {
			for _, form := range catalog.BarcodeForms(row.Barcode) {
				barcodes = append(barcodes, form)
			}
		}
	}
	return s.goodsOf(tx, codes, barcodes)
}

// goodsOf reads what holds of the products with the codes, and who has the barcodes.
func (s *Service) goodsOf(tx *db.Tx, codes, barcodes []any) (*knownGoods, error) {
	k := &knownGoods{products: map[string]*catalog.Product{}, categories: map[id.ID]string{}, barcodes: map[string]id.ID{}}
	found, owned := tx.QueryMany(idsOfCodes, codes...), tx.QueryMany(barcodesOf, barcodes...)
	codeOf := map[id.ID]string{}
	var ids []id.ID
	for found.Next() {
		var p id.ID
		var code string
		if err := found.Scan(&p, &code); err != nil {
			return nil, err
		}
		codeOf[p] = code
		ids = append(ids, p)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	for owned.Next() {
		var code string
		var unit id.ID
		if err := owned.Scan(&code, &unit); err != nil {
			return nil, err
		}
		k.barcodes[code] = unit
		if key := catalog.BarcodeKey(code); k.barcodes[key] == 0 {
			k.barcodes[key] = unit
		}
	}
	if err := owned.Err(); err != nil {
		return nil, err
	}
	all, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	var units []id.ID
	for p, product := range all {
		k.products[codeOf[p]] = product
		for _, u := range product.Units {
			units = append(units, u.ID)
		}
	}
	if len(units) > 0 {
		if k.prices, err = s.prices.At(tx, 0, cal.On(tx.Now()), units); err != nil {
			return nil, err
		}
	}
	categories, err := catalog.Categories(tx)
	if err != nil {
		return nil, err
	}
	for _, c := range categories {
		k.categories[c.ID] = c.Name
	}
	return k, nil
}

// owner is the unit that a barcode belongs to, in this form or another; 0: nobody has it.
func (k *knownGoods) owner(code string) id.ID {
	if u := k.barcodes[code]; u != 0 {
		return u
	}
	return k.barcodes[catalog.BarcodeKey(code)]
}

// check gives the rows of one product their verdicts.
func (k *knownGoods) check(rows []staged) error {
	var first ProductRow
	var firstLine int64
	p := k.products[rows[0].subject]
	slices.SortFunc(rows, func(a, b staged) int { return int(a.line - b.line) })
	for i := range rows {
		r := &rows[i]
		var row ProductRow
		if err := r.read(&row); err != nil {
			return err
		}
		if firstLine == 0 {
			first, firstLine = row, r.line
		}
		if field := differs(first, row); field != "" {
			r.refused = ErrRowsDiffer.With("line", firstLine).At(field)
			continue
		}
		if p == nil {
			if row.Barcode != "" && k.owner(row.Barcode) != 0 {
				r.refused = catalog.ErrBarcodeTaken.With("code", row.Barcode).At("barcode")
			}
			continue
		}
		if p.BaseUnit != row.BaseUnit {
			r.refused = catalog.ErrBaseFixed.At("base_unit")
			continue
		}
		u := p.Unit(row.Unit)
		if u != nil && !sameRatio(u.Num, u.Den, row.Num, row.Den) {
			r.refused = catalog.ErrUnitFixed.With("unit", row.Unit).At("unit_num")
			continue
		}
		if owner := k.owner(row.Barcode); row.Barcode != "" && owner != 0 && (u == nil || owner != u.ID) {
			r.refused = catalog.ErrBarcodeTaken.With("code", row.Barcode).At("barcode")
			continue
		}
		r.same = u != nil && !u.Retired && k.sameProduct(p, row) && (row.Barcode == "" || slices.Contains(u.Barcodes, row.Barcode)) && k.samePrice(u, row)
	}
	return nil
}

// sameRatio compares num/den without dividing.
func sameRatio(num1, den1, num2, den2 int64) bool {
	hi1, lo1 := bits.Mul64(uint64(num1), uint64(den2))
	hi2, lo2 := bits.Mul64(uint64(num2), uint64(den1))
	return hi1 == hi2 && lo1 == lo2
}

// differs names the first column in which two rows of a product contradict each other.
func differs(a, b ProductRow) string {
	switch {
	case a.Name != b.Name:
		return "name"
	case a.Category != b.Category:
		return "category"
	case a.BaseUnit != b.BaseUnit:
		return "base_unit"
	case a.ShelfLifeH != b.ShelfLifeH:
		return "shelf_life_h"
	case a.BatchSize != b.BatchSize:
		return "batch_size"
	case a.Tax != b.Tax:
		return "tax_pct"
	}
	return ""
}

// sameProduct tells whether a row says what holds of the product itself. An empty category leaves it where it is.
func (k *knownGoods) sameProduct(p *catalog.Product, row ProductRow) bool {
	return p.Name == row.Name && (row.Category == "" || k.categories[p.CategoryID] == row.Category) && p.ShelfLifeH == row.ShelfLifeH &&
		p.BatchSize == row.BatchSize && p.Tax == row.Tax
}

func (k *knownGoods) samePrice(u *catalog.Unit, row ProductRow) bool {
	if row.Price == nil {
		return true
	}
	now, ok := k.prices[u.ID]
	return ok && now == *row.Price
}

// applyGoods brings products, units and barcodes to what the rows say. It adds and changes, and takes nothing away.
func (s *Service) applyGoods(tx *db.Tx, w *work, rows []staged) error {
	known, err := s.knownGoods(tx, rows)
	if err != nil {
		return err
	}
	for from := 0; from < len(rows); {
		to := from
		var all []ProductRow
		for ; to < len(rows) && rows[to].subject == rows[from].subject; to++ {
			var row ProductRow
			if err := rows[to].read(&row); err != nil {
				return err
			}
			all = append(all, row)
		}
		if err := s.applyProduct(tx, known, all); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (s *Service) applyProduct(tx *db.Tx, k *knownGoods, rows []ProductRow) error {
	row := rows[0]
	d := catalog.Draft{Code: row.Product, Name: row.Name, BaseUnit: row.BaseUnit, ShelfLifeH: row.ShelfLifeH, BatchSize: row.BatchSize, TaxPct: row.Tax}
	p := k.products[row.Product]
	changed := p == nil || !k.sameProduct(p, row)
	if p != nil {
		d.CategoryID, d.State = p.CategoryID, p.State
		for _, u := range p.Units {
			if !u.Retired {
				d.Units = append(d.Units, catalog.UnitDraft{Name: u.Name, Num: u.Num, Den: u.Den, Barcodes: slices.Clone(u.Barcodes), Weighed: u.Weighed, Step: u.Step, Tare: u.Tare, ItemNo: u.ItemNo})
			}
		}
		for _, x := range catalog.ViewOf(p).Parts {
			d.Parts = append(d.Parts, catalog.PartDraft{ProductID: x.ProductID, Unit: x.Unit, Qty: x.Qty, Share: x.Share})
		}
	}
	if row.Category != "" && (p == nil || k.categories[p.CategoryID] != row.Category) {
		category, err := s.category(tx, row.Category)
		if err != nil {
			return fieldOf(err, "category")
		}
		d.CategoryID = category
	}
	for _, row := range rows {
		at := slices.IndexFunc(d.Units, func(u catalog.UnitDraft) bool { return u.Name == row.Unit })
		if at < 0 {
			d.Units = append(d.Units, catalog.UnitDraft{Name: row.Unit, Num: row.Num, Den: row.Den})
			at, changed = len(d.Units)-1, true
		}
		if row.Barcode != "" && !slices.Contains(d.Units[at].Barcodes, row.Barcode) {
			d.Units[at].Barcodes = append(d.Units[at].Barcodes, row.Barcode)
			changed = true
		}
	}
	switch {
	case !changed:
		return nil
	case p == nil:
		_, err := s.goods.Create(tx, d)
		return err
	}
	_, err := s.goods.Change(tx, p.ID, catalog.Change{Draft: d, Revision: p.Revision})
	if errors.Is(err, catalog.ErrChanged) {
		err = db.ErrAgain // somebody changed it since the copy in memory was made
	}
	return err
}

// applyPrices sets the prices that differ. It runs when the goods are committed: prices look them up in their copy.
func (s *Service) applyPrices(tx *db.Tx, w *work, rows []staged) error {
	known, err := s.knownGoods(tx, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		var row ProductRow
		if err := rows[i].read(&row); err != nil {
			return err
		}
		p := known.products[row.Product]
		if p == nil {
			return catalog.ErrNoProduct.At("product")
		}
		if err := s.setPrice(tx, w.im.StaffID, known, p, row); err != nil {
			return err
		}
	}
	return nil
}

// setPrice sets the price of a row's unit where it differs from what holds.
func (s *Service) setPrice(tx *db.Tx, staff id.ID, known *knownGoods, p *catalog.Product, row ProductRow) error {
	u := p.Unit(row.Unit)
	if u == nil {
		return catalog.ErrNoUnit.With("product", p.Name, "unit", row.Unit).At("unit")
	}
	if known.samePrice(u, row) {
		return nil
	}
	_, err := s.prices.Set(tx, staff, price.Draft{ProductID: p.ID, Unit: u.Name, Price: row.Price})
	return fieldOf(err, "price_fen")
}
