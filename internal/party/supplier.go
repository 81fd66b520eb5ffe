package party

import (
	"embed"
	"errors"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "party", FS: files}

var (
	ErrNoSupplier = errs.Define("supplier_unknown", errs.NotFound, "没有这个供应商", "There is no such supplier")
	ErrSupplier   = errs.Define("supplier_code_taken", errs.Conflict, "供应商编码 {code} 已被使用", "The supplier code {code} is already in use")
	ErrCode       = errs.Define("supplier_code_bad", errs.Invalid, "编码应为 1 到 32 个字母、数字或 - _ . /", "The code must have 1 to 32 letters, digits or - _ . /")
	ErrText       = errs.Define("supplier_text_bad", errs.Invalid, "应为 {least} 到 {most} 个可显示的字", "Use {least} to {most} characters that can be shown")
	ErrState      = errs.Define("supplier_state_bad", errs.Invalid, "状态只能是 active(合作)或 stopped(停止)", "The state must be active or stopped")
	ErrChanged    = errs.Define("supplier_changed", errs.Conflict, "别人刚刚改过,请刷新后再试", "Somebody else has just changed this; reload and try again")
	ErrNoTerms    = errs.Define("terms_unknown", errs.NotFound, "这个供应商不供应这个商品", "This supplier does not supply this product")
	ErrPack       = errs.Define("terms_pack_bad", errs.Invalid, "每包数量必须大于零,且能换算成基本单位", "A pack must be more than nothing and convert to the base unit")
	ErrPrice      = errs.Define("terms_price_bad", errs.Invalid, "进价不能为负,也不能过大", "The price must not be negative, nor too large")
	ErrMinPacks   = errs.Define("terms_min_packs_bad", errs.Invalid, "起订包数应为 1 到 {most}", "The least packs must be from 1 to {most}")
	ErrLead       = errs.Define("terms_lead_bad", errs.Invalid, "提前期应为 0 到 {most} 小时", "The lead time must be from 0 to {most} hours")
	ErrProduct    = errs.Define("terms_product_unknown", errs.Invalid, "没有这个商品", "There is no such product")
	ErrUnit       = errs.Define("terms_unit_unknown", errs.Invalid, "商品“{product}”没有单位“{unit}”", "The product {product} has no unit {unit}")
)

// State of a supplier.
type State string

const (
	Active  State = "active"
	Stopped State = "stopped" // nothing is ordered from it any more
)

// Supplier is a company that goods are bought from.
type Supplier struct {
	ID       id.ID
	Code     string
	Name     string
	Contact  string
	Phone    string
	Address  string
	State    State
	Revision int64
}

// SupplierDraft is what a person says of a supplier.
type SupplierDraft struct {
	Code    string `json:"code" maxLength:"32"`
	Name    string `json:"name" maxLength:"80"`
	Contact string `json:"contact,omitempty" maxLength:"80"`
	Phone   string `json:"phone,omitempty" maxLength:"40"`
	Address string `json:"address,omitempty" maxLength:"200"`
	State   State  `json:"state,omitempty" enum:"active,stopped"`
}

func (d *SupplierDraft) check() error {
	d.Code = strings.TrimSpace(d.Code)
	if d.Code == "" || len(d.Code) > 32 || strings.Trim(d.Code, codeBytes) != "" {
		return ErrCode.At("code")
	}
	for _, f := range []struct {
		field       string
		text        *string
		least, most int
	}{{"name", &d.Name, 1, 80}, {"contact", &d.Contact, 0, 80}, {"phone", &d.Phone, 0, 40}, {"address", &d.Address, 0, 200}} {
		*f.text = strings.TrimSpace(*f.text)
		n := utf8.RuneCountInString(*f.text)
		if n < f.least || n > f.most || !utf8.ValidString(*f.text) || strings.ContainsFunc(*f.text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\u3000' }) {
			return ErrText.With("least", f.least, "most", f.most).At(f.field)
		}
	}
	if d.State == "" {
		d.State = Active
	}
	if d.State != Active && d.State != Stopped {
		return ErrState.At("state")
	}
	return nil
}

const codeBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./"

func (d *SupplierDraft) search() string { return strings.ToLower(d.Code + " " + d.Name) }

// Events of suppliers.
const (
	SupplierSaved = "party.supplier_saved.v1"
	TermsSaved    = "party.terms_saved.v1"
)

// SupplierSavedBody is the body of SupplierSaved; of TermsSaved it is {supplier_id} alone.
type SupplierSavedBody struct {
	SupplierID id.ID `json:"supplier_id"`
}

func emit(tx *db.Tx, event string, supplier id.ID) error {
	return outbox.Emit(tx, outbox.Event{Type: event, Subject: supplier, Body: SupplierSavedBody{supplier}})
}

// AddSupplier adds a supplier.
func AddSupplier(tx *db.Tx, d SupplierDraft) (*Supplier, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	s := &Supplier{ID: id.New(), Code: d.Code, Name: d.Name, Contact: d.Contact, Phone: d.Phone, Address: d.Address, State: d.State, Revision: 1}
	n, err := tx.ExecN(`INSERT INTO party_supplier (id, code, name, search, contact, phone, address, state, revision, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10) ON CONFLICT (code) DO NOTHING`,
		s.ID, s.Code, s.Name, d.search(), s.Contact, s.Phone, s.Address, s.State, tx.Now(), tx.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrSupplier.With("code", d.Code).At("code")
	}
	return s, emit(tx, SupplierSaved, s.ID)
}

// ChangeSupplier replaces what is said of a supplier, if it is still as the caller has read it.
func ChangeSupplier(tx *db.Tx, supplier id.ID, revision int64, d SupplierDraft) (*Supplier, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	s, err := supplierByID(tx, supplier)
	if err != nil {
		return nil, err
	}
	var taken id.ID
	switch err := tx.QueryRow(`SELECT id FROM party_supplier WHERE code = $1`, d.Code).Scan(&taken); {
	case err == nil && taken != supplier:
		return nil, ErrSupplier.With("code", d.Code).At("code")
	case err != nil && !errors.Is(err, db.ErrNoRow):
		return nil, err
	}
	if err := tx.ExecExactly(1, ErrChanged.At("revision"), `UPDATE party_supplier SET code = $1, name = $2, search = $3, contact = $4, phone = $5, address = $6, state = $7,
		revision = revision + 1, changed_at = $8 WHERE id = $9 AND revision = $10`,
		d.Code, d.Name, d.search(), d.Contact, d.Phone, d.Address, d.State, tx.Now(), supplier, revision); err != nil {
		return nil, err
	}
	s.Code, s.Name, s.Contact, s.Phone, s.Address, s.State, s.Revision = d.Code, d.Name, d.Contact, d.Phone, d.Address, d.State, revision+1
	return s, emit(tx, SupplierSaved, supplier)
}

const supplierColumns = `SELECT s.id, s.code, s.name, s.contact, s.phone, s.address, s.state, s.revision FROM party_supplier s `

func scanSupplier(scan func(...any) error) (*Supplier, error) {
	s := &Supplier{}
	return s, scan(&s.ID, &s.Code, &s.Name, &s.Contact, &s.Phone, &s.Address, &s.State, &s.Revision)
}

func supplierByID(tx *db.Tx, supplier id.ID) (*Supplier, error) {
	s, err := scanSupplier(tx.QueryRow(supplierColumns+`WHERE s.id = $1`, supplier).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoSupplier
	}
	return s, err
}

var (
	suppliersByID   = db.NewMany(supplierColumns+`WHERE s.id IN (`, `?`, `)`)
	suppliersByCode = db.NewMany(supplierColumns+`WHERE s.code IN (`, `?`, `)`)
)

func gatherSuppliers(rows *db.Rows) ([]*Supplier, error) {
	defer rows.Close()
	var all []*Supplier
	for rows.Next() {
		s, err := scanSupplier(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Suppliers reads suppliers by id, at most some thousands.
func Suppliers(tx *db.Tx, ids []id.ID) (map[id.ID]*Supplier, error) {
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i]
	}
	all, err := gatherSuppliers(tx.QueryMany(suppliersByID, args...))
	found := make(map[id.ID]*Supplier, len(all))
	for _, s := range all {
		found[s.ID] = s
	}
	return found, err
}

// SuppliersByCode reads suppliers by code, at most some thousands.
func SuppliersByCode(tx *db.Tx, codes []string) (map[string]*Supplier, error) {
	args := make([]any, len(codes))
	for i := range codes {
		args[i] = codes[i]
	}
	all, err := gatherSuppliers(tx.QueryMany(suppliersByCode, args...))
	found := make(map[string]*Supplier, len(all))
	for _, s := range all {
		found[s.Code] = s
	}
	return found, err
}

// --- terms

const (
	termsColumns = `SELECT t.supplier_id, t.product_id, t.pack, t.unit, t.unit_num, t.unit_den, t.price_fen4, t.min_packs, t.lead_class, t.lead_h, t.order_days, t.cut_off
		FROM party_terms t `
	activeTerms = termsColumns + `JOIN party_supplier s ON s.id = t.supplier_id WHERE s.state = 'active' AND (t.product_id, t.supplier_id) > ($1, $2)
		ORDER BY t.product_id, t.supplier_id LIMIT $3`
)

var (
	putTerms = db.NewMany(`INSERT INTO party_terms (supplier_id, product_id, pack, unit, unit_num, unit_den, price_fen4, min_packs, lead_class, lead_h, order_days, cut_off, staff_id, changed_at) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		` ON CONFLICT (supplier_id, product_id) DO UPDATE SET pack = excluded.pack, unit = excluded.unit, unit_num = excluded.unit_num, unit_den = excluded.unit_den,
		price_fen4 = excluded.price_fen4, min_packs = excluded.min_packs, lead_class = excluded.lead_class, lead_h = excluded.lead_h, order_days = excluded.order_days,
		cut_off = excluded.cut_off, staff_id = excluded.staff_id, changed_at = excluded.changed_at`)
	activeOf     = db.NewMany(termsColumns+`JOIN party_supplier s ON s.id = t.supplier_id WHERE s.state = 'active' AND t.product_id IN (`, `?`, `) ORDER BY t.product_id, t.supplier_id`)
	termsOfPairs = db.NewMany(termsColumns+`JOIN (VALUES `, `(BIGINT, BIGINT)`, `) AS v ON t.supplier_id = v.column1 AND t.product_id = v.column2`)
)

func gatherTerms(rows *db.Rows) ([]Terms, error) {
	defer rows.Close()
	var all []Terms
	for rows.Next() {
		var t Terms
		var days int64
		if err := rows.Scan(&t.Supplier, &t.Product, &t.Pack, &t.Unit.Name, &t.Unit.Num, &t.Unit.Den, &t.Price, &t.MinPacks, &t.Class, &t.LeadHours, &days, &t.CutOff); err != nil {
			return nil, err
		}
		t.Days = OrderDays(days)
		all = append(all, t)
	}
	return all, rows.Err()
}

// ActiveTerms reads what suppliers that are not stopped ask and give, by product and supplier, limit of them behind
// a pair.
func ActiveTerms(tx *db.Tx, afterProduct, afterSupplier id.ID, limit int) ([]Terms, error) {
	return gatherTerms(tx.Query(activeTerms, afterProduct, afterSupplier, limit))
}

// CheapestTerms reads for each product the terms of the supplier, not stopped, whose base unit costs least; a product
// that nobody supplies is missing. At most some thousands.
func CheapestTerms(tx *db.Tx, products []id.ID) (map[id.ID]Terms, error) {
	args := make([]any, len(products))
	for i := range products {
		args[i] = products[i]
	}
	all, err := gatherTerms(tx.QueryMany(activeOf, args...))
	found := make(map[id.ID]Terms, len(products))
	for _, t := range all {
		if best, ok := found[t.Product]; !ok || t.PerBase().Cmp(best.PerBase()) < 0 {
			found[t.Product] = t
		}
	}
	return found, err
}

// PerBase is the exact price of one base unit, in ten-thousandths of a fen.
func (t Terms) PerBase() *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(t.Price)), big.NewInt(t.Unit.Den)), big.NewInt(t.Unit.Num))
}

// Pair names terms.
type Pair struct{ Supplier, Product id.ID }

// TermsOf reads the terms of at most 256 pairs; a pair that has none is missing.
func TermsOf(tx *db.Tx, pairs []Pair) (map[Pair]Terms, error) {
	args := make([]any, 0, 2*len(pairs))
	for _, p := range pairs {
		args = append(args, p.Supplier, p.Product)
	}
	all, err := gatherTerms(tx.QueryMany(termsOfPairs, args...))
	found := make(map[Pair]Terms, len(all))
	for _, t := range all {
		found[Pair{t.Supplier, t.Product}] = t
	}
	return found, err
}

// check looks at terms alone; the unit is one of the product's.
func (t *Terms) check() error {
	switch {
	case t.Price < 0 || t.Price > MaxPrice:
		return ErrPrice.At("price_fen4")
	case t.MinPacks < 1 || t.MinPacks > MaxPacks:
		return ErrMinPacks.With("most", MaxPacks).At("min_packs")
	case t.Class.LeadHours() == 0:
		return ErrLeadClass.At("lead_class")
	case t.LeadHours < 0 || t.LeadHours > MaxLeadHours:
		return ErrLead.With("most", MaxLeadHours).At("lead_h")
	case t.Days == 0 || t.Days > EveryDay:
		return ErrOrderDays.At("order_days")
	case t.CutOff < 0 || t.CutOff > EndOfDay:
		return ErrCutOff.At("cut_off")
	case t.Pack <= 0 || t.Pack > qty.Max || !t.Unit.OK():
		return ErrPack.At("pack_qty")
	}
	if _, _, _, err := t.Packs(1); err != nil {
		return ErrPack.At("pack_qty").Wrap(err)
	}
	return nil
}

// PutTerms puts terms in the place of those of the same supplier and product. The products must exist and have the
// units: products are another capability's, so the caller has looked.
func PutTerms(tx *db.Tx, staff id.ID, terms []Terms) error {
	args := make([]any, 0, 14*len(terms))
	var suppliers []id.ID
	for i := range terms {
		t := &terms[i]
		if err := t.check(); err != nil {
			return err
		}
		suppliers = append(suppliers, t.Supplier)
		args = append(args, t.Supplier, t.Product, t.Pack, t.Unit.Name, t.Unit.Num, t.Unit.Den, t.Price, t.MinPacks, t.Class, t.LeadHours, int64(t.Days), t.CutOff, staff, tx.Now())
	}
	if err := tx.ExecMany(putTerms, args...); err != nil {
		return err
	}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(suppliers))) {
		if err := emit(tx, TermsSaved, s); err != nil {
			return err
		}
	}
	return nil
}

// DropTerms says that a supplier no longer supplies a product.
func DropTerms(tx *db.Tx, supplier, product id.ID) error {
	n, err := tx.ExecN(`DELETE FROM party_terms WHERE supplier_id = $1 AND product_id = $2`, supplier, product)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNoTerms
	}
	return emit(tx, TermsSaved, supplier)
}
