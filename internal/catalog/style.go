package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
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

// CombineIn asks for combinations.
type CombineIn struct {
	All    bool        `json:"all,omitempty" doc:"every combination there can be"`
	Combos [][]id.ID   `json:"combos,omitempty" maxItems:"200" doc:"the values of each, one of each attribute in their order"`
	Units  []UnitDraft `json:"units,omitempty" maxItems:"20" doc:"sales units of the new products, without barcodes: a barcode belongs to one product"`
	State  State       `json:"state,omitempty" enum:"new,listed,stop_buying,stop_selling,gone" doc:"listed when left out"`
}

// Combined is a style after combinations were added.
type Combined struct {
	Style Style `json:"style"`
	Added int   `json:"added"`
	Kept  int   `json:"kept" doc:"were there already and are as they were"`
}

// Combine makes the combinations that are asked for and are not there yet. Who asks twice gets nothing twice.
func (s *Service) Combine(tx *db.Tx, style id.ID, in CombineIn) (*Combined, error) {
	if _, err := s.bump(tx); err != nil { // whoever else adds combinations waits, and sees these
		return nil, err
	}
	st, err := s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	for i := range in.Units {
		if len(in.Units[i].Barcodes) > 0 || in.Units[i].ItemNo != "" {
			return nil, ErrBarcodeTaken.With("code", strings.Join(in.Units[i].Barcodes, ", ")).At(fmt.Sprintf("units[%d].barcodes", i))
		}
	}
	combos := in.Combos
	if in.All {
		combos = st.every()
	}
	if len(combos) == 0 {
		return nil, ErrCombo.At("combos")
	}
	drafts := make([]VariantDraft, len(combos))
	for i, values := range combos {
		drafts[i] = VariantDraft{Values: values, Units: in.Units}
	}
	out := &Combined{}
	if out.Added, out.Kept, err = s.addVariants(tx, st, drafts, in.State); err != nil {
		return nil, err
	}
	st, err = s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	out.Style = *st
	return out, nil
}

// VariantDraft is a combination that is to become a product.
type VariantDraft struct {
	Values []id.ID     // one of each attribute, in their order
	Code   string      // of the product; made of the codes of the style and of the values when empty
	Units  []UnitDraft // with the barcodes of this product
}

// AddVariants makes combinations with codes and barcodes of their own. Those that are there already stay as they are.
func (s *Service) AddVariants(tx *db.Tx, style id.ID, drafts []VariantDraft) error {
	if _, err := s.bump(tx); err != nil {
		return err
	}
	st, err := s.ReadStyle(tx, style)
	if err != nil {
		return err
	}
	_, _, err = s.addVariants(tx, st, drafts, "")
	return err
}

// addVariants makes the combinations that are not there yet. The caller holds the version row and has read st under it.
func (s *Service) addVariants(tx *db.Tx, st *Style, drafts []VariantDraft, state State) (added, kept int, err error) {
	there := map[string]bool{}
	for _, v := range st.Variants {
		there[comboOf(v.Values)] = true
	}
	for i, v := range drafts {
		values, at := v.Values, fmt.Sprintf("combos[%d]", i)
		if len(values) != len(st.Axes) {
			return 0, 0, ErrCombo.At(at)
		}
		for k, v := range values {
			if !slices.ContainsFunc(st.Axes[k].Values, func(o Value) bool { return o.ID == v }) {
				return 0, 0, ErrNoValue.At(at)
			}
		}
		combo := comboOf(values)
		if there[combo] {
			kept++
			continue
		}
		there[combo] = true
		if added++; added > maxAdded || len(there) > maxVariants {
			return 0, 0, ErrComboMany.With("most", maxVariants, "step", maxAdded).At("combos")
		}
		code := v.Code
		if code == "" {
			code = st.code(values)
		}
		if len(code) > 32 {
			return 0, 0, ErrVariantCode.With("code", code).At(at)
		}
		d := Draft{Code: code, Name: st.name(values), CategoryID: st.CategoryID, BaseUnit: st.BaseUnit, ShelfLifeH: st.ShelfLifeH, TaxPct: st.TaxPct, State: state, Units: slices.Clone(v.Units)}
		p, err := s.Create(tx, d)
		if err != nil {
			return 0, 0, err
		}
		if err := tx.Exec(`INSERT INTO catalog_variant (product_id, style_id, combo) VALUES ($1, $2, $3)`, p.ID, st.ID, combo); err != nil {
			return 0, 0, err
		}
	}
	return added, kept, nil
}

// every is all combinations there can be, at most one more than are allowed.
func (s *Style) every() [][]id.ID {
	all := [][]id.ID{{}}
	for _, a := range s.Axes {
		var next [][]id.ID
		for _, c := range all {
			for _, v := range a.Values {
				if len(next) <= maxVariants {
					next = append(next, append(slices.Clone(c), v.ID))
				}
			}
		}
		all = next
	}
	return all
}

// LivesIn puts combinations into a state of life.
type LivesIn struct {
	ProductIDs []id.ID `json:"product_ids" minItems:"1" maxItems:"200"`
	State      State   `json:"state" enum:"new,listed,stop_buying,stop_selling,gone"`
}

// SetLives retires combinations of a style, or brings them back.
func (s *Service) SetLives(tx *db.Tx, style id.ID, in LivesIn) (*Style, error) {
	if !slices.Contains(states, in.State) {
		return nil, ErrState.At("state")
	}
	version, err := s.bump(tx)
	if err != nil {
		return nil, err
	}
	st, err := s.ReadStyle(tx, style)
	if err != nil {
		return nil, err
	}
	for i, p := range in.ProductIDs {
		at := slices.IndexFunc(st.Variants, func(v Variant) bool { return v.ProductID == p })
		if at < 0 {
			return nil, ErrNoVariant.At(fmt.Sprintf("product_ids[%d]", i))
		}
		if st.Variants[at].State == in.State {
			continue
		}
		st.Variants[at].State = in.State
		if err := tx.Exec(`UPDATE catalog_product SET state = $1, version = $2, changed_at = $3, life = $4 WHERE id = $5`, in.State.sale(), version, tx.Now(), in.State, p); err != nil {
			return nil, err
		}
		if err := emitSaved(tx, &Product{ID: p, Revision: version}, false); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// StyleRow is a style in the list.
type StyleRow struct {
	ID         id.ID  `json:"id"`
	Code       string `json:"code"`
	Name       string `json:"name"`
	CategoryID id.ID  `json:"category_id" doc:"empty: none"`
	Axes       string `json:"axes" doc:"names of the attributes, joined by ×"`
	Variants   int64  `json:"variants"`
	OnSale     int64  `json:"on_sale" doc:"of these"`
}

// StyleSearch is the input of the list of styles.
type StyleSearch struct {
	web.Paging
	Q         string `query:"q" maxLength:"60" doc:"part of the code or name"`
	ProductID id.ID  `query:"product_id" doc:"the style that a product is a combination of; no other"`
}

// Styles lists styles by code, one more than the page asks for.
func (s *Service) Styles(tx *db.Tx, in StyleSearch) ([]StyleRow, error) {
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	rows := tx.Query(`SELECT s.id, s.code, s.name, COALESCE(s.category_id, 0),
			(SELECT COUNT(*) FROM catalog_variant v WHERE v.style_id = s.id),
			(SELECT COUNT(*) FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id WHERE v.style_id = s.id AND p.state = 'on_sale')
		FROM catalog_style s WHERE s.code > $1 AND s.search LIKE $2 ESCAPE '!'
			AND (CAST($3 AS BIGINT) = 0 OR s.id IN (SELECT v.style_id FROM catalog_variant v WHERE v.product_id = $3)) ORDER BY s.code LIMIT $4`,
		after, "%"+escapeLike(strings.ToLower(strings.TrimSpace(in.Q)))+"%", in.ProductID, in.Limit+1)
	defer rows.Close()
	found := []StyleRow{}
	for rows.Next() {
		var r StyleRow
		if err := rows.Scan(&r.ID, &r.Code, &r.Name, &r.CategoryID, &r.Variants, &r.OnSale); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return found, err
	}
	args := make([]any, len(found))
	at := map[id.ID]int{}
	for i := range found {
		args[i], at[found[i].ID] = found[i].ID, i
	}
	names := tx.QueryMany(axesOf, args...)
	defer names.Close()
	for names.Next() {
		var style id.ID
		var name string
		if err := names.Scan(&style, &name); err != nil {
			return nil, err
		}
		if r := &found[at[style]]; r.Axes == "" {
			r.Axes = name
		} else {
			r.Axes += " × " + name
		}
	}
	return found, names.Err()
}

var axesOf = db.NewMany(`SELECT v.style_id, v.axis_name FROM catalog_value v WHERE v.sort = 0 AND v.style_id IN (`, `?`, `) ORDER BY v.style_id, v.axis`)

// Template is what styles of a category begin with.
type Template struct {
	CategoryID id.ID  `json:"category_id" doc:"that has the template: the one asked for, or the nearest above; empty: none has"`
	Axes       []Axis `json:"axes"`
}

// TemplateOf is the template of a category, or of the nearest above that has one.
func TemplateOf(tx *db.Tx, category id.ID) (*Template, error) {
	if err := checkCategory(tx, category); err != nil {
		return nil, err
	}
	t := &Template{Axes: []Axis{}}
	var axes string
	err := tx.QueryRow(`WITH RECURSIVE up (id, parent_id, far) AS (
			SELECT c.id, c.parent_id, 0 FROM catalog_category c WHERE c.id = $1
			UNION ALL SELECT c.id, c.parent_id, u.far + 1 FROM catalog_category c JOIN up u ON c.id = u.parent_id WHERE u.far < 12)
		SELECT t.category_id, t.axes FROM up u JOIN catalog_template t ON t.category_id = u.id ORDER BY u.far LIMIT 1`, category).Scan(&t.CategoryID, &axes)
	if errors.Is(err, db.ErrNoRow) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	return t, json.Unmarshal([]byte(axes), &t.Axes)
}

// PutTemplate replaces the template of a category; without attributes it takes it away.
func PutTemplate(tx *db.Tx, staff, category id.ID, axes []Axis) (*Template, error) {
	if len(axes) == 0 {
		if err := tx.Exec(`DELETE FROM catalog_template WHERE category_id = $1`, category); err != nil {
			return nil, err
		}
		return TemplateOf(tx, category)
	}
	for i := range axes {
		for j := range axes[i].Values {
			axes[i].Values[j].ID = 0
		}
	}
	if err := checkAxes(axes); err != nil {
		return nil, err
	}
	if err := checkCategory(tx, category); err != nil {
		return nil, err
	}
	text, err := json.Marshal(axes)
	if err != nil {
		return nil, err
	}
	if err := tx.Exec(`INSERT INTO catalog_template (category_id, axes, staff_id, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (category_id) DO UPDATE SET axes = EXCLUDED.axes, staff_id = EXCLUDED.staff_id, changed_at = EXCLUDED.changed_at`, category, string(text), staff, tx.Now()); err != nil {
		return nil, err
	}
	return TemplateOf(tx, category)
}

func (s *Service) styleRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/goods/styles", Name: "list-styles", Summary: "Styles by code or name", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *StyleSearch) (*web.Page[StyleRow], error) {
			found, err := s.Styles(tx, *in)
			return web.PageOf(in.Paging, found, func(r StyleRow) string { return web.Cursor(r.Code) }), err
		})
	web.Post(api, web.Route{Path: "/api/goods/styles", Name: "create-style", Summary: "Add a style with its attributes", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body StyleDraft }) (*Style, error) {
			return s.CreateStyle(tx, org.CallerOf(ctx).ID, in.Body)
		})
	web.Get(api, web.Route{Path: "/api/goods/styles/{id}", Name: "get-style", Summary: "A style with its combinations", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*Style, error) {
			return s.ReadStyle(tx, in.ID)
		})
	web.Put(api, web.Route{Path: "/api/goods/styles/{id}", Name: "change-style", Summary: "Change a style, its attributes and their values", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body StyleDraft
		}) (*Style, error) {
			return s.ChangeStyle(tx, in.ID, org.CallerOf(ctx).ID, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/goods/styles/{id}/combinations", Name: "combine-style", Summary: "Make products of combinations; those that are there stay as they are", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body CombineIn
		}) (*Combined, error) {
			return s.Combine(tx, in.ID, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/goods/styles/{id}/lives", Name: "set-style-lives", Summary: "Retire combinations of a style, or bring them back", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body LivesIn
		}) (*Style, error) {
			return s.SetLives(tx, in.ID, in.Body)
		})
	web.Get(api, web.Route{Path: "/api/goods/categories/{id}/attributes", Name: "get-category-attributes", Summary: "The attributes that styles of a category begin with", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*Template, error) {
			return TemplateOf(tx, in.ID)
		})
	web.Put(api, web.Route{Path: "/api/goods/categories/{id}/attributes", Name: "put-category-attributes", Summary: "Replace the attributes that styles of a category begin with", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Axes []Axis `json:"axes" maxItems:"4"`
			}
		}) (*Template, error) {
			return PutTemplate(tx, org.CallerOf(ctx).ID, in.ID, in.Body.Axes)
		})
}
