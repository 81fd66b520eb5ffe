package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// A style comes in combinations of its attributes: colour × size × season. Each combination is a product of its own, so
// that prices, stock, orders and forecasts know it without knowing styles.

// Limits of a style.
const (
	maxAxes     = 4
	maxValues   = 40  // of one attribute
	maxVariants = 500 // of one style, retired ones too: old slips refer to them
	maxAdded    = 200 // in one act
)

var (
	ErrNoStyle     = errs.Define("style_unknown", errs.NotFound, "没有这个款式", "There is no such style")
	ErrAxes        = errs.Define("style_axes_bad", errs.Invalid, "款式应有 1 到 {most} 个属性,名称不能重复", "A style has 1 to {most} attributes with different names")
	ErrValues      = errs.Define("style_values_bad", errs.Invalid, "属性“{axis}”应有 1 到 {most} 个值,值和简码都不能重复", "The attribute {axis} has 1 to {most} values; neither values nor short codes appear twice")
	ErrValueCode   = errs.Define("style_value_code_bad", errs.Invalid, "简码应为 1 到 6 个字母或数字", "A short code has 1 to 6 letters or digits")
	ErrAxisFixed   = errs.Define("style_axis_fixed", errs.Conflict, "已有商品的款式不能增减属性", "Attributes can't be added or removed once the style has products")
	ErrValueUsed   = errs.Define("style_value_used", errs.Conflict, "“{value}”已有商品,不能删除,可以把商品停售", "{value} has products and can't be removed; retire them instead")
	ErrNoValue     = errs.Define("style_value_unknown", errs.Invalid, "这个款式没有这样的属性值", "The style has no such value")
	ErrCombo       = errs.Define("style_combo_bad", errs.Invalid, "每个属性要选一个值", "A combination has one value of each attribute")
	ErrComboMany   = errs.Define("style_combo_many", errs.Limit, "一个款式最多 {most} 个组合,一次最多加 {step} 个", "A style has {most} combinations at most, and {step} can be added at once")
	ErrNoVariant   = errs.Define("style_variant_unknown", errs.Invalid, "这个商品不属于这个款式", "The product does not belong to this style")
	ErrVariantCode = errs.Define("style_variant_code_long", errs.Invalid, "商品编码 {code} 超过 32 个字符,请缩短款号或简码", "The code {code} has more than 32 characters: shorten the code of the style or the short codes")
)

// Axis is an attribute with its values in their order.
type Axis struct {
	Name   string  `json:"name" maxLength:"20"`
	Values []Value `json:"values" maxItems:"40"`
}

// Value is one value of an attribute.
type Value struct {
	ID   id.ID  `json:"id,omitempty" doc:"left out for a new one"`
	Name string `json:"name" maxLength:"20"`
	Code string `json:"code,omitempty" maxLength:"6" doc:"part of the codes of products; its number in the order when left out"`
}

// StyleDraft is what a person says of a style.
type StyleDraft struct {
	Code       string  `json:"code" maxLength:"20"`
	Name       string  `json:"name" maxLength:"80"`
	CategoryID id.ID   `json:"category_id,omitempty"`
	BaseUnit   string  `json:"base_unit" enum:"g,ml,piece"`
	ShelfLifeH int64   `json:"shelf_life_h,omitempty"`
	TaxPct     TaxRate `json:"tax_pct"`
	Axes       []Axis  `json:"axes" maxItems:"4"`
	Revision   int64   `json:"revision,omitempty" doc:"as read, when a style is changed"`
}

// Style is a style with its combinations.
type Style struct {
	ID         id.ID     `json:"id"`
	Code       string    `json:"code"`
	Name       string    `json:"name"`
	CategoryID id.ID     `json:"category_id" doc:"empty: none"`
	BaseUnit   string    `json:"base_unit" enum:"g,ml,piece"`
	ShelfLifeH int64     `json:"shelf_life_h"`
	TaxPct     TaxRate   `json:"tax_pct"`
	Revision   int64     `json:"revision"`
	Axes       []Axis    `json:"axes"`
	Variants   []Variant `json:"variants"`
}

// Variant is a combination and the product that it is.
type Variant struct {
	ProductID id.ID    `json:"product_id"`
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Values    []id.ID  `json:"values" doc:"one of each attribute, in their order"`
	State     State    `json:"state" enum:"new,listed,stop_buying,stop_selling,gone"`
	Unit      string   `json:"unit" doc:"the first sales unit in use"`
	Barcodes  []string `json:"barcodes" doc:"of that unit"`
}

func (d *StyleDraft) check() error {
	product := Draft{Code: d.Code, Name: d.Name, BaseUnit: d.BaseUnit, ShelfLifeH: d.ShelfLifeH, TaxPct: d.TaxPct}
	if err := product.check(); err != nil {
		return err
	}
	d.Code, d.Name = product.Code, product.Name
	switch {
	case len(d.Code) > 20:
		return ErrCode.With("most", 20).At("code")
	case !goodName(d.Name, 80):
		return ErrName.With("most", 80).At("name")
	}
	return checkAxes(d.Axes)
}

func checkAxes(axes []Axis) error {
	if len(axes) == 0 || len(axes) > maxAxes {
		return ErrAxes.With("most", maxAxes).At("axes")
	}
	names := map[string]bool{}
	for i := range axes {
		a := &axes[i]
		at := fmt.Sprintf("axes[%d]", i)
		a.Name = strings.TrimSpace(a.Name)
		if !goodName(a.Name, 20) {
			return ErrName.With("most", 20).At(at + ".name")
		}
		if names[a.Name] {
			return ErrAxes.With("most", maxAxes).At(at + ".name")
		}
		names[a.Name] = true
		if len(a.Values) == 0 || len(a.Values) > maxValues {
			return ErrValues.With("axis", a.Name, "most", maxValues).At(at + ".values")
		}
		said, codes := map[string]bool{}, map[string]bool{}
		for j := range a.Values {
			v := &a.Values[j]
			where := fmt.Sprintf("%s.values[%d]", at, j)
			v.Name, v.Code = strings.TrimSpace(v.Name), strings.ToUpper(strings.TrimSpace(v.Code))
			if !goodName(v.Name, 20) {
				return ErrName.With("most", 20).At(where + ".name")
			}
			if v.Code == "" {
				v.Code = fmt.Sprintf("%02d", j+1)
			}
			if len(v.Code) > 6 || !goodCode(v.Code, 6) || strings.ContainsAny(v.Code, "-_./") {
				return ErrValueCode.At(where + ".code")
			}
			if said[v.Name] || codes[v.Code] {
				return ErrValues.With("axis", a.Name, "most", maxValues).At(where + ".name")
			}
			said[v.Name], codes[v.Code] = true, true
		}
	}
	return nil
}

// value finds a value by id, or nil.
func (s *Style) value(v id.ID) *Value {
	for i := range s.Axes {
		for j := range s.Axes[i].Values {
			if s.Axes[i].Values[j].ID == v {
				return &s.Axes[i].Values[j]
			}
		}
	}
	return nil
}

// used says whether a combination has the value.
func (s *Style) used(v id.ID) bool {
	return slices.ContainsFunc(s.Variants, func(x Variant) bool { return slices.Contains(x.Values, v) })
}

func comboOf(values []id.ID) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.String()
	}
	return strings.Join(parts, ",")
}

func valuesOf(combo string) []id.ID {
	values := []id.ID{}
	for part := range strings.SplitSeq(combo, ",") {
		n, _ := strconv.ParseInt(part, 10, 64) // written by comboOf
		values = append(values, id.ID(n))
	}
	return values
}

// code and name of the product that a combination is.
func (s *Style) code(values []id.ID) string {
	code := s.Code
	for _, v := range values {
		code += "-" + s.value(v).Code
	}
	return code
}

func (s *Style) name(values []id.ID) string {
	name := s.Name
	for _, v := range values {
		name += " " + s.value(v).Name
	}
	return name
}

// ReadStyle reads a style with its combinations in the order of its values.
func (s *Service) ReadStyle(tx *db.Tx, style id.ID) (*Style, error) {
	row := tx.QueryRow(`SELECT id, code, name, COALESCE(category_id, 0), base_unit, shelf_life_h, tax_bp, version FROM catalog_style WHERE id = $1`, style)
	values := tx.Query(`SELECT id, axis, axis_name, name, code FROM catalog_value WHERE style_id = $1 ORDER BY axis, sort, id`, style)
	defer values.Close()
	variants := tx.Query(`SELECT product_id, combo FROM catalog_variant WHERE style_id = $1 ORDER BY product_id`, style)
	defer variants.Close()
	st := &Style{Axes: []Axis{}, Variants: []Variant{}}
	switch err := row.Scan(&st.ID, &st.Code, &st.Name, &st.CategoryID, &st.BaseUnit, &st.ShelfLifeH, &st.TaxPct, &st.Revision); {
	case errors.Is(err, db.ErrNoRow):
		return nil, ErrNoStyle
	case err != nil:
		return nil, err
	}
	for values.Next() {
		var v Value
		var axis int64
		var name string
		if err := values.Scan(&v.ID, &axis, &name, &v.Name, &v.Code); err != nil {
			return nil, err
		}
		if int(axis) >= len(st.Axes) {
			st.Axes = append(st.Axes, Axis{Name: name})
		}
		last := &st.Axes[len(st.Axes)-1]
		last.Values = append(last.Values, v)
	}
	if err := values.Err(); err != nil {
		return nil, err
	}
	var ids []id.ID
	for variants.Next() {
		var v Variant
		var combo string
		if err := variants.Scan(&v.ProductID, &combo); err != nil {
			return nil, err
		}
		v.Values = valuesOf(combo)
		ids = append(ids, v.ProductID)
		st.Variants = append(st.Variants, v)
	}
	if err := variants.Err(); err != nil || len(ids) == 0 {
		return st, err
	}
	products, err := readMany(tx, ids)
	if err != nil {
		return nil, err
	}
	for i := range st.Variants {
		v := &st.Variants[i]
		p := products[v.ProductID]
		u := p.FirstPriced(func(id.ID) bool { return true })
		v.Code, v.Name, v.State, v.Unit, v.Barcodes = p.Code, p.Name, p.State, u.Name, append([]string{}, u.Barcodes...)
	}
	place := map[id.ID]int{}
	for i := range st.Axes {
		for j, v := range st.Axes[i].Values {
			place[v.ID] = j
		}
	}
	slices.SortStableFunc(st.Variants, func(a, b Variant) int {
		return slices.CompareFunc(a.Values, b.Values, func(x, y id.ID) int { return place[x] - place[y] })
	})
	return st, nil
}

// StyleByCode reads the style with the code.
func (s *Service) StyleByCode(tx *db.Tx, code string) (*Style, error) {
	var style id.ID
	switch err := tx.QueryRow(`SELECT id FROM catalog_style WHERE code = $1`, code).Scan(&style); {
	case errors.Is(err, db.ErrNoRow):
		return nil, ErrNoStyle
	case err != nil:
		return nil, err
	}
	return s.ReadStyle(tx, style)
}

// CreateStyle adds a style without combinations; Combine makes them.
func (s *Service) CreateStyle(tx *db.Tx, staff id.ID, d StyleDraft) (*Style, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	version, err := s.bump(tx)
	if err != nil {
		return nil, err
	}
	if err := checkCategory(tx, d.CategoryID); err != nil {
		return nil, err
	}
	style := id.New()
	n, err := tx.ExecN(`INSERT INTO catalog_style (id, code, name, search, category_id, base_unit, shelf_life_h, tax_bp, version, staff_id, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (code) DO NOTHING`, style, d.Code, d.Name, searchText(Draft{Code: d.Code, Name: d.Name}),
		orNull(d.CategoryID), d.BaseUnit, d.ShelfLifeH, d.TaxPct, version, staff, tx.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrCodeTaken.With("code", d.Code).At("code")
	}
	for i, a := range d.Axes {
		for j, v := range a.Values {
			if v.ID != 0 {
				return nil, ErrNoValue.At(fmt.Sprintf("axes[%d].values[%d].id", i, j))
			}
			if err := tx.Exec(putValue, id.New(), style, i, a.Name, j, v.Name, v.Code); err != nil {
				return nil, err
			}
		}
	}
	return s.ReadStyle(tx, style)
}

const putValue = `INSERT INTO catalog_value (id, style_id, axis, axis_name, sort, name, code) VALUES ($1, $2, $3, $4, $5, $6, $7)`

// ChangeStyle replaces what is said of a style. Values are told by their ids; one that a combination has can't be
// removed, and attributes stay once there are combinations. Products whose name was made of their style's and values' follow; codes stay.
func (s *Service) ChangeStyle(tx *db.Tx, style, staff id.ID, d StyleDraft) (*Style, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	version, err := s.bump(tx)
	if err != nil {
		return nil, err
	}
	old, err := s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	switch {
	case old.Revision != d.Revision:
		return nil, ErrChanged.At("revision")
	case old.BaseUnit != d.BaseUnit:
		return nil, ErrBaseFixed.At("base_unit")
	case len(old.Variants) > 0 && len(old.Axes) != len(d.Axes):
		return nil, ErrAxisFixed.At("axes")
	}
	if err := checkCategory(tx, d.CategoryID); err != nil {
		return nil, err
	}
	var taken id.ID
	switch err := tx.QueryRow(`SELECT id FROM catalog_style WHERE code = $1`, d.Code).Scan(&taken); {
	case err == nil && taken != style:
		return nil, ErrCodeTaken.With("code", d.Code).At("code")
	case err != nil && !errors.Is(err, db.ErrNoRow):
		return nil, err
	}
	kept := map[id.ID]bool{}
	for i, a := range d.Axes {
		for j := range a.Values {
			v := &a.Values[j]
			if v.ID == 0 {
				continue
			}
			known := i < len(old.Axes) && slices.ContainsFunc(old.Axes[i].Values, func(o Value) bool { return o.ID == v.ID })
			if !known || kept[v.ID] {
				return nil, ErrNoValue.At(fmt.Sprintf("axes[%d].values[%d].id", i, j))
			}
			kept[v.ID] = true
		}
	}
	for i, a := range old.Axes {
		for _, v := range a.Values {
			if !kept[v.ID] && old.used(v.ID) {
				return nil, ErrValueUsed.With("value", v.Name).At(fmt.Sprintf("axes[%d].values", i))
			}
		}
	}
	if err := tx.Exec(`UPDATE catalog_style SET code = $1, name = $2, search = $3, category_id = $4, shelf_life_h = $5, tax_bp = $6, version = $7, staff_id = $8, changed_at = $9 WHERE id = $10`,
		d.Code, d.Name, searchText(Draft{Code: d.Code, Name: d.Name}), orNull(d.CategoryID), d.ShelfLifeH, d.TaxPct, version, staff, tx.Now(), style); err != nil {
		return nil, err
	}
	if err := tx.Exec(`DELETE FROM catalog_value WHERE style_id = $1`, style); err != nil {
		return nil, err
	}
	for i, a := range d.Axes {
		for j, v := range a.Values {
			if v.ID == 0 {
				v.ID = id.New()
			}
			if err := tx.Exec(putValue, v.ID, style, i, a.Name, j, v.Name, v.Code); err != nil {
				return nil, err
			}
		}
	}
	now, err := s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	for i := range old.Variants {
		v := &old.Variants[i]
		name := now.name(v.Values)
		if v.Name != old.name(v.Values) || v.Name == name { // named by hand, or nothing new
			continue
		}
		if err := tx.Exec(`UPDATE catalog_product SET name = $1, search = $2, version = $3, changed_at = $4 WHERE id = $5`, name, searchText(Draft{Code: v.Code, Name: name}), version, tx.Now(), v.ProductID); err != nil {
			return nil, err
		}
		if err := emitSaved(tx, &Product{ID: v.ProductID, Revision: version}, false); err != nil {
			return nil, err
		}
	}
	return s.ReadStyle(tx, style)
}
