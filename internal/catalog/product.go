package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/gs1"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Limits of one product.
const (
	maxUnits     = 20
	maxBarcodes  = 20 // per unit
	maxShelfLife = 24 * 366 * 30
)

var (
	ErrNoProduct    = errs.Define("product_unknown", errs.NotFound, "没有这个商品", "There is no such product")
	ErrNoUnit       = errs.Define("unit_unknown", errs.Invalid, "商品“{product}”没有规格单位“{unit}”", "The product {product} has no sales unit {unit}")
	ErrNoBarcode    = errs.Define("barcode_unknown", errs.NotFound, "没有条码或编码为 {code} 的商品", "No product has the barcode or code {code}")
	ErrCode         = errs.Define("code_bad", errs.Invalid, "编码应为 1 到 {most} 个字母、数字或 - _ . /", "The code must have 1 to {most} letters, digits or - _ . /")
	ErrCodeTaken    = errs.Define("code_taken", errs.Conflict, "编码 {code} 已被使用", "The code {code} is already in use")
	ErrBaseUnit     = errs.Define("base_unit_bad", errs.Invalid, "基本单位只能是 g、ml 或 piece", "The base unit must be g, ml or piece")
	ErrBaseFixed    = errs.Define("base_unit_fixed", errs.Conflict, "基本单位建立后不能改", "The base unit can't be changed afterwards")
	ErrUnitRatio    = errs.Define("unit_ratio_bad", errs.Invalid, "规格单位“{unit}”的换算应为两个正整数", "The conversion of the sales unit {unit} must be two positive whole numbers")
	ErrUnitTwice    = errs.Define("unit_twice", errs.Invalid, "规格单位“{unit}”重复了", "The sales unit {unit} appears twice")
	ErrUnitFixed    = errs.Define("unit_fixed", errs.Conflict, "规格单位“{unit}”的换算不能改,请另建一个单位", "The conversion of the sales unit {unit} can't be changed; add another unit")
	ErrUnitMany     = errs.Define("unit_many", errs.Limit, "一个商品最多 {most} 个规格单位,每个最多 {most} 个条码", "A product can have {most} sales units at most, each with {most} barcodes")
	ErrBarcode      = errs.Define("barcode_bad", errs.Invalid, "条码应为 4 到 48 个字母或数字", "A barcode must have 4 to 48 letters or digits")
	ErrBarcodeDigit = errs.Define("barcode_check_digit", errs.Invalid, "条码 {code} 抄错了:按校验码,最后一位应为 {want}。请重新扫描或核对;店内自编的码请用 2 开头", "Barcode {code} is mistyped: its last digit should be {want}. Scan it again, or check it; codes of your own begin with 2")
	ErrBarcodeTaken = errs.Define("barcode_taken", errs.Conflict, "条码 {code} 已属于另一个规格单位", "The barcode {code} belongs to another sales unit")
	ErrShelfLife    = errs.Define("shelf_life_bad", errs.Invalid, "保质期(小时)应为 0 到 {most} 的整数", "The shelf life must be a whole number of hours from 0 to {most}")
	ErrBatchSize    = errs.Define("batch_size_bad", errs.Invalid, "每批数量不能为负", "The batch size can't be negative")
	ErrState        = errs.Define("product_state_bad", errs.Invalid, "状态只能是新品、在售、停购、停售或淘汰", "The state must be new, listed, stop_buying, stop_selling or gone")
	ErrStep         = errs.Define("unit_step_bad", errs.Invalid, "“{unit}”按重量卖:基本单位须为 g 或 ml,秤的分度须在 0.001 到 1000 之间,并且是该单位的整千分之几", "{unit} is sold by weight: the base unit must be g or ml, and the step of the scale from 0.001 to 1000 and a whole number of thousandths of the unit")
	ErrTare         = errs.Define("unit_tare_bad", errs.Invalid, "皮重应在 0 到 100000 之间", "The tare must be from 0 to 100000")
	ErrItemNo       = errs.Define("item_no_bad", errs.Invalid, "秤号应为 1 到 6 位数字,不能是 0", "The item number must have 1 to 6 digits and not be 0")
	ErrItemNoTaken  = errs.Define("item_no_taken", errs.Conflict, "秤号 {code} 已属于另一个规格单位", "The item number {code} belongs to another sales unit")
	ErrChanged      = errs.Define("changed_meanwhile", errs.Conflict, "别人刚刚改过,请刷新后再试", "Somebody else has just changed this; reload and try again")
)

// Draft is what a person says of a new product.
type Draft struct {
	ID         id.ID       `json:"-"` // chosen ahead by an import, whose rows name the product before it is there; 0: a new one
	Code       string      `json:"code" maxLength:"32"`
	Name       string      `json:"name" maxLength:"120"`
	CategoryID id.ID       `json:"category_id,omitempty"`
	BaseUnit   string      `json:"base_unit" enum:"g,ml,piece"`
	Units      []UnitDraft `json:"units,omitempty" maxItems:"20"`
	ShelfLifeH int64       `json:"shelf_life_h,omitempty"`
	BatchSize  qty.Qty     `json:"batch_size,omitempty" doc:"base units, up to 3 decimals"`
	TaxPct     TaxRate     `json:"tax_pct"`
	State      State       `json:"state,omitempty" enum:"new,listed,stop_buying,stop_selling,gone" doc:"listed when left out"`
	Parts      []PartDraft `json:"parts,omitempty" maxItems:"20" doc:"makes the product a bundle, which is said when it is added and stays so"`
}

// UnitDraft is a sales unit as a person writes it: one is num/den base units.
type UnitDraft struct {
	Name     string   `json:"name" maxLength:"20"`
	Num      int64    `json:"num"`
	Den      int64    `json:"den,omitempty" doc:"1 when left out"`
	Barcodes []string `json:"barcodes,omitempty" maxItems:"20"`
	Weighed  bool     `json:"weighed,omitempty" doc:"the quantity comes from a scale; can be sold by an amount of money"`
	Step     qty.Qty  `json:"step,omitempty" doc:"of the scale, in the base unit; 1 when left out"`
	Tare     qty.Qty  `json:"tare,omitempty" doc:"of the usual wrapping, in the base unit"`
	ItemNo   string   `json:"item_no,omitempty" maxLength:"6" doc:"digits on scale labels"`
}

// Change replaces what a person may say of a product. Units that are left out are retired and can come back.
type Change struct {
	Draft
	Revision int64 `json:"revision" doc:"as read; refused when somebody changed the product since"`
}

// check reads a draft field by field and tidies it.
func (d *Draft) check() error {
	d.Code, d.Name = strings.TrimSpace(d.Code), strings.TrimSpace(d.Name)
	if !goodCode(d.Code, 32) {
		return ErrCode.With("most", 32).At("code")
	}
	if !goodName(d.Name, 120) {
		return ErrName.With("most", 120).At("name")
	}
	if d.BaseUnit != "g" && d.BaseUnit != "ml" && d.BaseUnit != "piece" {
		return ErrBaseUnit.At("base_unit")
	}
	if d.ShelfLifeH < 0 || d.ShelfLifeH > maxShelfLife {
		return ErrShelfLife.With("most", maxShelfLife).At("shelf_life_h")
	}
	if d.BatchSize < 0 || d.BatchSize > qty.Max {
		return ErrBatchSize.At("batch_size")
	}
	if d.TaxPct < 0 || d.TaxPct > MaxTax {
		return ErrTax.At("tax_pct")
	}
	if d.State == "" {
		d.State = Listed
	}
	if !slices.Contains(states, d.State) {
		return ErrState.At("state")
	}
	if len(d.Units) > maxUnits {
		return ErrUnitMany.With("most", maxUnits).At("units")
	}
	units := map[string]bool{}
	barcodes := map[string]bool{}
	for i := range d.Units {
		u := &d.Units[i]
		at := fmt.Sprintf("units[%d]", i)
		u.Name = strings.TrimSpace(u.Name)
		if u.Den == 0 {
			u.Den = 1
		}
		switch {
		case !goodName(u.Name, 20):
			return ErrName.With("most", 20).At(at + ".name")
		case units[u.Name]:
			return ErrUnitTwice.With("unit", u.Name).At(at + ".name")
		case !(qty.Unit{Num: u.Num, Den: u.Den}).OK():
			return ErrUnitRatio.With("unit", u.Name).At(at + ".num")
		case u.Name == d.BaseUnit && u.Num != u.Den:
			return ErrUnitRatio.With("unit", u.Name).At(at + ".num")
		case len(u.Barcodes) > maxBarcodes:
			return ErrUnitMany.With("most", maxBarcodes).At(at + ".barcodes")
		}
		units[u.Name] = true
		common := gcd(u.Num, u.Den)
		u.Num, u.Den = u.Num/common, u.Den/common
		if err := u.checkScale(d.BaseUnit, at); err != nil {
			return err
		}
		for j, code := range u.Barcodes {
			code = strings.TrimSpace(code)
			u.Barcodes[j] = code
			if !goodBarcode(code) {
				return ErrBarcode.At(fmt.Sprintf("%s.barcodes[%d]", at, j))
			}
			if barcodes[code] {
				return ErrBarcodeTaken.With("code", code).At(fmt.Sprintf("%s.barcodes[%d]", at, j))
			}
			barcodes[code] = true
		}
	}
	if !units[d.BaseUnit] { // every product can be counted in its base unit
		d.Units = append([]UnitDraft{{Name: d.BaseUnit, Num: 1, Den: 1, Step: qty.Scale}}, d.Units...)
	}
	return d.checkParts()
}

// checkScale reads what a unit says of scales and tidies it.
func (u *UnitDraft) checkScale(base, at string) error {
	if u.Step == 0 {
		u.Step = qty.Scale
	}
	if u.Weighed {
		_, err := (qty.Unit{Num: u.Num, Den: u.Den}).FromBase(u.Step)
		if base == "piece" || u.Step < 0 || u.Step > 1000*qty.Scale || err != nil {
			return ErrStep.With("unit", u.Name).At(at + ".step")
		}
	}
	if u.Tare < 0 || u.Tare > 100_000*qty.Scale {
		return ErrTare.At(at + ".tare")
	}
	if u.ItemNo = strings.TrimSpace(u.ItemNo); u.ItemNo != "" {
		u.ItemNo = strings.TrimLeft(u.ItemNo, "0")
		if u.ItemNo == "" || len(u.ItemNo) > 6 || strings.Trim(u.ItemNo, "0123456789") != "" {
			return ErrItemNo.At(at + ".item_no")
		}
	}
	return nil
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func goodCode(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_./", c) >= 0) {
			return false
		}
	}
	return true
}

func goodBarcode(s string) bool {
	return len(s) >= 4 && len(s) <= 48 && goodCode(s, 48)
}

// CheckBarcode refuses what can't be a barcode, and a GTIN with a wrong check digit: no scanner would ever read it. Numbers that
// GS1 leaves to shops (2, 02, 04 and 20 to 29) and those of other lengths are the shop's own business.
func CheckBarcode(code string) error {
	if !goodBarcode(code) {
		return ErrBarcode
	}
	if strings.Trim(code, "0123456789") != "" {
		return nil
	}
	long := code
	switch len(code) {
	case 8:
		if code[0] == '0' || code[0] == '2' {
			return nil
		}
	case 12:
		long = "00" + code
	case 13:
		long = "0" + code
	case 14:
	default:
		return nil
	}
	if len(long) == 14 && long[0] == '0' && (long[1] == '2' || long[1:3] == "02" || long[1:3] == "04") || gs1.Checked(code) {
		return nil
	}
	want, _ := gs1.CheckDigit(code[:len(code)-1])
	return ErrBarcodeDigit.With("code", code).With("want", string(want))
}

func searchText(d Draft) string { return strings.ToLower(d.Code + " " + d.Name) }

// Create adds a product with its base unit, sales units and barcodes.
func (s *Service) Create(tx *db.Tx, d Draft) (*Product, error) {
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
	if d.ID == 0 {
		d.ID = id.New()
	}
	p := &Product{ID: d.ID, Code: d.Code, Name: d.Name, CategoryID: d.CategoryID, BaseUnit: d.BaseUnit, ShelfLifeH: d.ShelfLifeH,
		BatchSize: d.BatchSize, Tax: d.TaxPct, State: d.State, Revision: version}
	if len(d.Parts) == 0 {
		p.SKU = p.ID
	}
	n, err := tx.ExecN(`INSERT INTO catalog_product (id, code, name, search, category_id, base_unit, shelf_life_h, batch_size, tax_bp, state, version, created_at, changed_at, life, bundle)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (code) DO NOTHING`,
		p.ID, p.Code, p.Name, searchText(d), orNull(p.CategoryID), p.BaseUnit, p.ShelfLifeH, p.BatchSize, p.Tax, p.State.sale(), version, tx.Now(), tx.Now(), p.State, flag(len(d.Parts) > 0))
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrCodeTaken.With("code", p.Code).At("code")
	}
	if p.SKU != 0 {
		if err := tx.Exec(`INSERT INTO catalog_sku (id, product_id) VALUES ($1, $2)`, p.SKU, p.ID); err != nil {
			return nil, err
		}
	}
	if err := s.putUnits(tx, p, d.Units); err != nil {
		return nil, err
	}
	if err := s.putParts(tx, p, d.Parts); err != nil {
		return nil, err
	}
	return p, emitSaved(tx, p, true)
}

// Change replaces what is said of a product. Conversions of units that exist, and the base unit, stay.
func (s *Service) Change(tx *db.Tx, productID id.ID, c Change) (*Product, error) {
	d := c.Draft
	if err := d.check(); err != nil {
		return nil, err
	}
	version, err := s.bump(tx) // from here on nobody else changes goods
	if err != nil {
		return nil, err
	}
	p, err := read(tx, productID)
	if err != nil {
		return nil, err
	}
	if p.Revision != c.Revision {
		return nil, ErrChanged.At("revision")
	}
	if p.BaseUnit != d.BaseUnit {
		return nil, ErrBaseFixed.At("base_unit")
	}
	if p.IsBundle() != (len(d.Parts) > 0) {
		return nil, ErrBundleFixed.At("parts")
	}
	if err := checkCategory(tx, d.CategoryID); err != nil {
		return nil, err
	}
	var taken id.ID
	switch err := tx.QueryRow(`SELECT id FROM catalog_product WHERE code = $1`, d.Code).Scan(&taken); {
	case err == nil && taken != p.ID:
		return nil, ErrCodeTaken.With("code", d.Code).At("code")
	case err != nil && !errors.Is(err, db.ErrNoRow):
		return nil, err
	}
	p.Code, p.Name, p.CategoryID, p.ShelfLifeH, p.BatchSize, p.Tax, p.State, p.Revision = d.Code, d.Name, d.CategoryID, d.ShelfLifeH, d.BatchSize, d.TaxPct, d.State, version
	if err := tx.Exec(`UPDATE catalog_product SET code = $1, name = $2, search = $3, category_id = $4, shelf_life_h = $5, batch_size = $6, tax_bp = $7, state = $8, version = $9, changed_at = $10, life = $11
		WHERE id = $12`, p.Code, p.Name, searchText(d), orNull(p.CategoryID), p.ShelfLifeH, p.BatchSize, p.Tax, p.State.sale(), version, tx.Now(), p.State, p.ID); err != nil {
		return nil, err
	}
	if err := s.putUnits(tx, p, d.Units); err != nil {
		return nil, err
	}
	if err := s.putParts(tx, p, d.Parts); err != nil {
		return nil, err
	}
	return p, emitSaved(tx, p, false)
}

// putUnits brings the units and barcodes of p to what the drafts say. The caller holds the version row.
func (s *Service) putUnits(tx *db.Tx, p *Product, drafts []UnitDraft) error {
	said, had := map[string]bool{}, map[string]bool{}
	for _, u := range p.Units {
		for _, code := range u.Barcodes {
			had[code] = true
		}
	}
	// Item numbers that change are let go first: two units of a product may swap theirs.
	for i := range p.Units {
		if u := &p.Units[i]; u.ItemNo != "" {
			if err := tx.Exec(`UPDATE catalog_unit SET item_no = '' WHERE id = $1`, u.ID); err != nil {
				return err
			}
			u.ItemNo = ""
		}
	}
	for i, d := range drafts {
		said[d.Name] = true
		if d.ItemNo != "" {
			var taken id.ID
			switch err := tx.QueryRow(`SELECT id FROM catalog_unit WHERE item_no = $1 AND item_no <> ''`, d.ItemNo).Scan(&taken); {
			case err == nil:
				return ErrItemNoTaken.With("code", d.ItemNo).At(fmt.Sprintf("units[%d].item_no", i))
			case !errors.Is(err, db.ErrNoRow):
				return err
			}
		}
		u := p.Unit(d.Name)
		if u == nil {
			if len(p.Units) >= 2*maxUnits { // retired ones count: they stay for old slips
				return ErrUnitMany.With("most", maxUnits).At("units")
			}
			p.Units = append(p.Units, Unit{ID: id.New(), Name: d.Name, Num: d.Num, Den: d.Den, Weighed: d.Weighed, Step: d.Step, Tare: d.Tare, ItemNo: d.ItemNo})
			u = &p.Units[len(p.Units)-1]
			if err := tx.Exec(`INSERT INTO catalog_unit (id, product_id, name, num, den, retired, weighed, step, tare, item_no) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9)`,
				u.ID, p.ID, u.Name, u.Num, u.Den, flag(u.Weighed), u.Step, u.Tare, u.ItemNo); err != nil {
				return err
			}
			continue
		}
		if u.Num != d.Num || u.Den != d.Den {
			return ErrUnitFixed.With("unit", u.Name).At(fmt.Sprintf("units[%d].num", i))
		}
		u.Retired, u.Weighed, u.Step, u.Tare, u.ItemNo = false, d.Weighed, d.Step, d.Tare, d.ItemNo
		if err := tx.Exec(`UPDATE catalog_unit SET retired = 0, weighed = $1, step = $2, tare = $3, item_no = $4 WHERE id = $5`, flag(u.Weighed), u.Step, u.Tare, u.ItemNo, u.ID); err != nil {
			return err
		}
	}
	for i := range p.Units {
		u := &p.Units[i]
		if !said[u.Name] && !u.Retired {
			u.Retired = true
			if err := tx.Exec(`UPDATE catalog_unit SET retired = 1 WHERE id = $1`, u.ID); err != nil {
				return err
			}
		}
		u.Barcodes = nil
	}
	if err := tx.Exec(`DELETE FROM catalog_barcode WHERE product_id = $1`, p.ID); err != nil {
		return err
	}
	for i, d := range drafts {
		u := p.Unit(d.Name)
		for j, code := range d.Barcodes {
			if !had[code] { // what was taken before this was looked at hinders nobody who changes something else
				if err := CheckBarcode(code); err != nil {
					return errs.As(err).At(fmt.Sprintf("units[%d].barcodes[%d]", i, j))
				}
			}
			n, err := tx.ExecN(`INSERT INTO catalog_barcode (id, code, product_id, unit_id) VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO NOTHING`, id.New(), code, p.ID, u.ID)
			if err != nil {
				return err
			}
			if n == 1 && !had[code] { // the same number with other zeros before it would be read as either of two units
				same := fiveForms(code)
				var other id.ID
				err := tx.QueryRow(`SELECT unit_id FROM catalog_barcode WHERE code IN ($1, $2, $3, $4, $5) AND unit_id <> $6 LIMIT 1`, same[0], same[1], same[2], same[3], same[4], u.ID).Scan(&other)
				if err == nil {
					n = 0
				} else if !errors.Is(err, db.ErrNoRow) {
					return err
				}
			}
			if n == 0 {
				return ErrBarcodeTaken.With("code", code).At(fmt.Sprintf("units[%d].barcodes[%d]", i, j))
			}
			u.Barcodes = append(u.Barcodes, code)
		}
	}
	return nil
}

func checkCategory(tx *db.Tx, c id.ID) error {
	if c == 0 {
		return nil
	}
	var found id.ID
	err := tx.QueryRow(`SELECT id FROM catalog_category WHERE id = $1`, c).Scan(&found)
	if errors.Is(err, db.ErrNoRow) {
		return ErrNoCategory.At("category_id")
	}
	return err
}

// Search is the input of the list of products.
type Search struct {
	web.Paging
	Q          string `query:"q" maxLength:"60" doc:"part of the code or name, or a whole barcode"`
	CategoryID id.ID  `query:"category_id" doc:"this category and all below it"`
	State      string `query:"state" enum:"new,listed,stop_buying,stop_selling,gone"`
	OnSale     bool   `query:"on_sale" doc:"only what tills may sell"`
}

// List finds products by code order, one more than the page asks for.
func (s *Service) List(tx *db.Tx, in Search) ([]*Product, error) {
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	q := strings.ToLower(strings.TrimSpace(in.Q))
	rows := tx.Query(`WITH RECURSIVE below (id) AS (
			SELECT c.id FROM catalog_category c WHERE c.id = $1
			UNION SELECT c.id FROM catalog_category c JOIN below b ON c.parent_id = b.id)
		SELECT p.id FROM catalog_product p
		WHERE p.code > $2
			AND (CAST($1 AS BIGINT) = 0 OR p.category_id IN (SELECT id FROM below))
			AND (CAST($3 AS TEXT) = '' OR p.life = $3)
			AND (CAST($4 AS TEXT) = '' OR p.search LIKE $5 ESCAPE '!' OR p.id IN (SELECT product_id FROM catalog_barcode WHERE code = $6))
			AND (CAST($7 AS BIGINT) = 0 OR p.state = 'on_sale')
		ORDER BY p.code LIMIT $8`,
		in.CategoryID, after, in.State, q, "%"+escapeLike(q)+"%", strings.TrimSpace(in.Q), flag(in.OnSale), in.Limit+1)
	defer rows.Close()
	var ids []id.ID
	for rows.Next() {
		var p id.ID
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		ids = append(ids, p)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	byID, err := s.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	found := make([]*Product, len(ids))
	for i, p := range ids {
		found[i] = byID[p]
	}
	return found, nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
