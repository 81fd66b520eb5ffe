package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
)

// Columns of styles.
const (
	styleCode = iota
	styleName
	styleCategory
	styleBase
	styleAxis  // the first of four pairs of an attribute and its value
	styleValue // of the first attribute
	_
	_
	_
	_
	_
	_
	styleProduct
	styleUnit
	styleBarcode
	stylePrice
	styleLife
	styleTax
)

var styleColumns = []column{
	must("style", "款号", "Style code", "款式", "款式编码", "style_code", "style_no", "spu"),
	must("name", "款名", "Style name", "款式名称", "名称", "品名", "style_name"),
	may("category", "分类", "Category", "类别", "品类", "商品分类", "category_name"),
	may("base_unit", "基本单位", "Base unit", "最小单位", "库存单位"),
	may("attribute_1", "属性一", "Attribute 1", "属性1"),
	must("value_1", "属性值一", "Value of attribute 1", "颜色", "属性值1", "color", "colour"),
	may("attribute_2", "属性二", "Attribute 2", "属性2"),
	may("value_2", "属性值二", "Value of attribute 2", "尺码", "尺寸", "属性值2", "size"),
	may("attribute_3", "属性三", "Attribute 3", "属性3"),
	may("value_3", "属性值三", "Value of attribute 3", "季节", "属性值3", "season"),
	may("attribute_4", "属性四", "Attribute 4", "属性4"),
	may("value_4", "属性值四", "Value of attribute 4", "版型", "属性值4", "cut", "fit"),
	may("product", "商品编码", "Product code", "货号", "编码", "sku", "product_code", "item"),
	may("unit", "规格单位", "Sales unit", unitWords...),
	soft("barcode", "条码", "Barcode", "商品条码", "国际条码", "ean", "upc", "gtin").of(figures),
	soft("price_fen", "售价(分)", "Price of one unit in fen", priceWords...).of(figures),
	may("shelf_life_h", "保质期(小时)", "Shelf life in hours", "保质期", "shelf_life").of(figures),
	must("tax_pct", "税率(%)", "VAT in percent", "税率", "tax", "vat").of(figures),
}

// usualAxes are the attributes of a file that has only values.
var usualAxes = [...]string{"颜色", "尺码", "季节", "版型"}

var (
	ErrStyleRows = errs.Define("style_rows_differ", errs.Invalid,
		"与第 {line} 行同一款式的内容不一致", "This differs from line {line}, which is about the same style")
	ErrStyleAxes = errs.Define("style_axes_differ", errs.Conflict,
		"这个款式的属性是 {axes}", "The attributes of this style are {axes}")
	ErrVariantIs = errs.Define("style_variant_other_code", errs.Conflict,
		"这个组合已是商品 {code}", "This combination is the product {code} already")
	ErrCodeTwice = errs.Define("product_code_twice", errs.Invalid,
		"商品编码与第 {line} 行的另一个组合重复", "Line {line} has this product code for another combination")
)

// StyleRow is one row of styles: one combination of a style, with one of its sales units.
type StyleRow struct {
	Style, Name, Category, BaseUnit string
	Axes, Values                    []string // as many of each
	Product                         string   // "": made of the codes of the style and of its values
	Unit                            string
	Num                             int64 // base units in Unit
	Barcode                         string
	Price                           *money.Fen
	ShelfLifeH                      int64
	Tax                             catalog.TaxRate
}

func parseStyle(c *cells) StyleRow {
	r := StyleRow{
		Style:    c.named(styleCode, 20),
		Name:     c.named(styleName, 80),
		Category: c.text(styleCategory, 60),
		BaseUnit: c.text(styleBase, 20),
		Product:  c.text(styleProduct, 32),
		Unit:     c.text(styleUnit, 20),
		Barcode:  c.text(styleBarcode, 48),
		Price:    c.fen(stylePrice),
		Num:      1,
	}
	if r.Style != "" && !goodCode(r.Style, 20) {
		c.refuse(styleCode, catalog.ErrCode.With("most", 20))
	}
	if r.Product != "" && !goodCode(r.Product, 32) {
		c.refuse(styleProduct, catalog.ErrCode.With("most", 32))
	}
	if r.Barcode != "" {
		if err := catalog.CheckBarcode(r.Barcode); err != nil {
			c.refuse(styleBarcode, errs.As(err))
		}
	}
	c.combination(&r)
	if r.BaseUnit == "" {
		r.BaseUnit = "piece"
	}
	if r.Unit == "" {
		r.Unit = r.BaseUnit
	}
	known, metric := knownUnit(r.Unit)
	switch {
	case r.BaseUnit != "g" && r.BaseUnit != "ml" && r.BaseUnit != "piece":
		c.refuse(styleBase, catalog.ErrBaseUnit)
	case r.Unit == r.BaseUnit, r.BaseUnit == "piece" && !metric:
	case metric && known.base == r.BaseUnit:
		r.Num = known.num
	default:
		c.refuse(styleUnit, catalog.ErrUnitRatio.With("unit", r.Unit))
	}
	r.ShelfLifeH, _ = c.whole(styleLife, ErrWhole, 24*366*30)
	if s := c.raw(styleTax); s == "" {
		c.refuse(styleTax, ErrCellEmpty)
	} else {
		var err error
		if r.Tax, err = catalog.ParseTax(strings.TrimSuffix(s, "%")); err != nil {
			c.refuse(styleTax, errs.As(err))
		}
	}
	return r
}

// combination reads the pairs of attributes and values; they have no gap.
func (c *cells) combination(r *StyleRow) {
	last := -1
	for i := range usualAxes {
		if c.raw(styleValue+2*i) != "" || c.raw(styleAxis+2*i) != "" {
			last = i
		}
	}
	for i := range max(last+1, 1) {
		axis, value := c.text(styleAxis+2*i, 20), c.named(styleValue+2*i, 20)
		if axis == "" {
			axis = usualAxes[i]
		}
		if slices.Contains(r.Axes, axis) {
			c.refuse(styleAxis+2*i, catalog.ErrAxes.With("most", len(usualAxes)))
		}
		r.Axes, r.Values = append(r.Axes, axis), append(r.Values, value)
	}
}

// goods is the product that the row is about, as a row of products that leaves alone what the product has of its own.
func (r StyleRow) goods(p *catalog.Product) ProductRow {
	return ProductRow{Product: p.Code, Name: p.Name, BaseUnit: p.BaseUnit, ShelfLifeH: p.ShelfLifeH, BatchSize: p.BatchSize, Tax: p.Tax,
		Unit: r.Unit, Num: r.Num, Den: 1, Barcode: r.Barcode, Price: r.Price}
}

// styleDiffers names the first column in which two rows of a style contradict each other.
func styleDiffers(a, b StyleRow) string {
	switch {
	case a.Name != b.Name:
		return "name"
	case a.Category != b.Category:
		return "category"
	case a.BaseUnit != b.BaseUnit:
		return "base_unit"
	case !slices.Equal(a.Axes, b.Axes):
		return "attribute_1"
	case a.ShelfLifeH != b.ShelfLifeH:
		return "shelf_life_h"
	case a.Tax != b.Tax:
		return "tax_pct"
	}
	return ""
}

// styles are taken in by style: attributes, values and combinations are added in the order of the file and never taken away.
func (s *Service) styles() ops {
	const mostValues = 40 // of an attribute
	type first struct {
		row    StyleRow
		line   int64
		places []map[string]int // of values, in the order of the file
	}
	type owner struct {
		of   string
		line int64
	}
	firsts := map[string]*first{}
	barcodes, codes := map[string]owner{}, map[string]owner{}
	twice := func(seen map[string]owner, text, of string, line int64) int64 {
		if o, ok := seen[text]; ok && o.of != of {
			return o.line
		} else if !ok && text != "" {
			seen[text] = owner{of, line}
		}
		return 0
	}
	place := func(r readRow) (part string, refused *errs.Error) {
		row := r.row.(StyleRow)
		f := firsts[row.Style]
		if f == nil {
			f = &first{row: row, line: r.line}
			for range row.Axes {
				f.places = append(f.places, map[string]int{})
			}
			firsts[row.Style] = f
		}
		if field := styleDiffers(f.row, row); field != "" {
			return "", ErrStyleRows.With("line", f.line).At(field)
		}
		for i, v := range row.Values {
			at, ok := f.places[i][v]
			if !ok {
				if at = len(f.places[i]); at == mostValues {
					return "", catalog.ErrValues.With("axis", row.Axes[i], "most", mostValues).At(fmt.Sprintf("value_%d", i+1))
				}
				f.places[i][v] = at
			}
			part += fmt.Sprintf("%02d.", at)
		}
		of := row.Style + "\n" + part
		if line := twice(codes, row.Product, of, r.line); line > 0 {
			return "", ErrCodeTwice.With("line", line).At("product")
		}
		if line := twice(barcodes, catalog.BarcodeKey(row.Barcode), of, r.line); line > 0 {
			return "", ErrBarcodeTwice.With("line", line).At("barcode")
		}
		return part, nil
	}
	return ops{
		rows:  40,
		parse: func(c *cells) any { return parseStyle(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) ([]resolved, error) {
			found := make([]resolved, len(rows))
			for i, r := range rows {
				row := r.row.(StyleRow)
				part, refused := place(r)
				found[i] = resolved{subject: row.Style, part: part, body: row, refused: refused}
			}
			return found, nil
		},
		check: func(tx *db.Tx, rows []staged) error {
			k, said, err := s.knownStyles(tx, rows)
			if err != nil {
				return err
			}
			for i, row := range said {
				rows[i].same, rows[i].refused = k.verdict(row)
			}
			return nil
		},
		prepare: func(tx *db.Tx, w *work, rows []staged) error {
			k, said, err := s.knownStyles(tx, rows)
			for from := 0; err == nil && from < len(said); {
				to := from
				for to < len(said) && said[to].Style == said[from].Style {
					to++
				}
				err = s.applyStyle(tx, w.im.StaffID, k, said[from:to])
				from = to
			}
			return err
		},
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			k, said, err := s.knownStyles(tx, rows)
			if err != nil {
				return err
			}
			for _, row := range said {
				p := k.variant(row)
				if p == nil {
					return catalog.ErrNoVariant.At("style")
				}
				if err := s.setPrice(tx, w.im.StaffID, k.knownGoods, p, row.goods(p)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// knownStyles is what holds of the styles that staged rows name, and of the goods they are.
type knownStyles struct {
	*knownGoods
	styles map[string]*catalog.Style
}

func (s *Service) knownStyles(tx *db.Tx, rows []staged) (*knownStyles, []StyleRow, error) {
	k := &knownStyles{styles: map[string]*catalog.Style{}}
	said := make([]StyleRow, len(rows))
	var codes, barcodes []any
	for i := range rows {
		row := &said[i]
		if err := rows[i].read(row); err != nil {
			return nil, nil, err
		}
		if i == 0 || row.Style != said[i-1].Style {
			st, err := s.goods.StyleByCode(tx, row.Style)
			switch {
			case err == nil:
				k.styles[row.Style] = st
			case !errors.Is(err, catalog.ErrNoStyle):
				return nil, nil, err
			}
		}
		if v := k.combo(*row); v != nil {
			codes = append(codes, v.Code)
		}
		if row.Product != "" {
			codes = append(codes, row.Product)
		}
		if row.Barcode != "" {
			for _, form := range catalog.BarcodeForms(row.Barcode) {
				barcodes = append(barcodes, form)
			}
		}
	}
	var err error
	k.knownGoods, err = s.goodsOf(tx, codes, barcodes)
	return k, said, err
}

// axisOf finds an attribute of a style by its name; -1: it has none.
func axisOf(axes []catalog.Axis, name string) int {
	return slices.IndexFunc(axes, func(a catalog.Axis) bool { return a.Name == name })
}

// combo is the combination that a row names, or nil.
func (k *knownStyles) combo(row StyleRow) *catalog.Variant {
	st := k.styles[row.Style]
	if st == nil || len(st.Axes) != len(row.Axes) {
		return nil
	}
	values := valuesIn(st, row)
	for i := range st.Variants {
		if slices.Equal(st.Variants[i].Values, values) {
			return &st.Variants[i]
		}
	}
	return nil
}

// valuesIn are the values of a row in the order of the style's attributes; 0 where it has none such.
func valuesIn(st *catalog.Style, row StyleRow) []id.ID {
	values := make([]id.ID, len(st.Axes))
	for i, name := range row.Axes {
		if at := axisOf(st.Axes, name); at >= 0 {
			for _, v := range st.Axes[at].Values {
				if v.Name == row.Values[i] {
					values[at] = v.ID
				}
			}
		}
	}
	return values
}

// variant is the product that a row is about, or nil.
func (k *knownStyles) variant(row StyleRow) *catalog.Product {
	if v := k.combo(row); v != nil {
		return k.products[v.Code]
	}
	return nil
}

// sameStyle tells whether a row says what holds of the style itself. An empty category leaves it where it is.
func (k *knownStyles) sameStyle(st *catalog.Style, row StyleRow) bool {
	return st.Name == row.Name && (row.Category == "" || k.categories[st.CategoryID] == row.Category) && st.ShelfLifeH == row.ShelfLifeH && st.TaxPct == row.Tax
}

func (k *knownStyles) verdict(row StyleRow) (same bool, refused *errs.Error) {
	st, p := k.styles[row.Style], k.variant(row)
	if st != nil {
		fits := len(st.Axes) == len(row.Axes)
		names := make([]string, len(st.Axes))
		for i, a := range st.Axes {
			names[i] = a.Name
			fits = fits && slices.Contains(row.Axes, a.Name)
		}
		switch {
		case st.BaseUnit != row.BaseUnit:
			return false, catalog.ErrBaseFixed.At("base_unit")
		case !fits:
			return false, ErrStyleAxes.With("axes", strings.Join(names, " × ")).At("attribute_1")
		}
	}
	owner := k.owner(row.Barcode)
	taken := catalog.ErrBarcodeTaken.With("code", row.Barcode).At("barcode")
	if p == nil {
		switch {
		case row.Product != "" && k.products[row.Product] != nil:
			return false, catalog.ErrCodeTaken.With("code", row.Product).At("product")
		case row.Barcode != "" && owner != 0:
			return false, taken
		}
		return false, nil
	}
	u := p.Unit(row.Unit)
	switch {
	case row.Product != "" && row.Product != p.Code:
		return false, ErrVariantIs.With("code", p.Code).At("product")
	case u != nil && !sameRatio(u.Num, u.Den, row.Num, 1):
		return false, catalog.ErrUnitFixed.With("unit", row.Unit).At("unit")
	case row.Barcode != "" && owner != 0 && (u == nil || owner != u.ID):
		return false, taken
	}
	return u != nil && !u.Retired && k.sameStyle(st, row) && (row.Barcode == "" || slices.Contains(u.Barcodes, row.Barcode)) && k.samePrice(u, row.goods(p)), nil
}

// applyStyle brings one style, its values and combinations to what the rows say. It adds and changes, and takes nothing away.
func (s *Service) applyStyle(tx *db.Tx, staff id.ID, k *knownStyles, rows []StyleRow) error {
	row, st := rows[0], k.styles[rows[0].Style]
	d := catalog.StyleDraft{Code: row.Style, Name: row.Name, BaseUnit: row.BaseUnit, ShelfLifeH: row.ShelfLifeH, TaxPct: row.Tax}
	changed := st == nil || !k.sameStyle(st, row)
	if st != nil {
		d.CategoryID, d.Revision = st.CategoryID, st.Revision
		for _, a := range st.Axes {
			d.Axes = append(d.Axes, catalog.Axis{Name: a.Name, Values: slices.Clone(a.Values)})
		}
	} else {
		for _, name := range row.Axes {
			d.Axes = append(d.Axes, catalog.Axis{Name: name})
		}
	}
	if row.Category != "" && (st == nil || k.categories[st.CategoryID] != row.Category) {
		category, err := s.category(tx, row.Category)
		if err != nil {
			return fieldOf(err, "category")
		}
		d.CategoryID = category
	}
	for _, row := range rows {
		for i, name := range row.Axes {
			at := axisOf(d.Axes, name)
			if at < 0 { // somebody changed the attributes since the rows were checked
				return catalog.ErrAxisFixed.At(fmt.Sprintf("attribute_%d", i+1))
			}
			a := &d.Axes[at]
			if !slices.ContainsFunc(a.Values, func(v catalog.Value) bool { return v.Name == row.Values[i] }) {
				a.Values = append(a.Values, catalog.Value{Name: row.Values[i], Code: freeCode(a.Values)})
				changed = true
			}
		}
	}
	// What there is comes first: a style that is renamed renames its products.
	var added []StyleRow
	for _, row := range rows {
		p := k.variant(row)
		if p == nil {
			added = append(added, row)
			continue
		}
		if err := s.applyProduct(tx, k.knownGoods, []ProductRow{row.goods(p)}); err != nil {
			return err
		}
	}
	var err error
	switch {
	case st == nil:
		st, err = s.goods.CreateStyle(tx, staff, d)
	case changed:
		st, err = s.goods.ChangeStyle(tx, st.ID, staff, d)
		if errors.Is(err, catalog.ErrChanged) {
			return db.ErrAgain // somebody was faster
		}
	}
	if err != nil {
		return fieldOf(err, "style")
	}
	var more []catalog.VariantDraft
	for _, row := range added {
		u := catalog.UnitDraft{Name: row.Unit, Num: row.Num, Den: 1}
		if row.Barcode != "" {
			u.Barcodes = []string{row.Barcode}
		}
		more = append(more, catalog.VariantDraft{Values: valuesIn(st, row), Code: row.Product, Units: []catalog.UnitDraft{u}})
	}
	if len(more) == 0 {
		return nil
	}
	return fieldOf(s.goods.AddVariants(tx, st.ID, more), "product")
}

// freeCode is a short code that no value has: its number in the order, or the next that is free.
func freeCode(values []catalog.Value) string {
	for n := len(values) + 1; ; n++ {
		code := fmt.Sprintf("%02d", n)
		if !slices.ContainsFunc(values, func(v catalog.Value) bool { return v.Code == code }) {
			return code
		}
	}
}
