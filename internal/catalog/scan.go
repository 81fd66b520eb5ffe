package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/gs1"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// How a code was read.
type How string

const (
	ByBarcode How = "barcode"     // the barcode of a sales unit
	ByLabel   How = "scale_label" // an EAN-13 with weight, price or count in it
	ByGS1     How = "gs1"         // element strings or a Digital Link
	ByCode    How = "code"        // the product's own code
)

// Scanned is what a code says: a product, mostly a unit, and what stands on the label.
type Scanned struct {
	Product *Product
	Unit    *Unit // nil: the code names a product only
	How     How
	Qty     qty.Qty   // thousandths of the unit; 0: the code tells none
	Amount  money.Fen // the line costs exactly this; 0: quantity × price decides
	Lot     string
	Serial  string
	Made    cal.Date  // "": not told
	Expires time.Time // zero: not told
	Steps   []Step
}

// FieldSeparator stands for the character (FNC1, group separator) between the fields of a GS1 symbol in what screens send: "␝".
const FieldSeparator = "\u241d"

// Step is a part of a code and what it was taken for: the keys of the steps are words for a screen.
type Step struct {
	What string `json:"what"`
	Text string `json:"text"`
}

func (r *Scanned) step(what, text string) { r.Steps = append(r.Steps, Step{what, text}) }

// Read finds out what a code says, in this order: the barcode of a sales unit; the layout of a scale label; GS1 element
// strings and Digital Links; the code of a product. now and loc place dates of two digits. Whether it may be sold is for
// the caller to say.
func (s *Service) Read(tx *db.Tx, code string, now time.Time, loc *time.Location) (*Scanned, error) {
	// What separates the fields of a GS1 symbol is a control character, which no address and no form carries: screens send its picture.
	code = strings.ReplaceAll(strings.TrimSpace(code), FieldSeparator, "\x1d")
	scan, err := gs1.Read(code)
	if err != nil {
		return nil, ErrCodeUnread.With("why", strings.TrimPrefix(err.Error(), "gs1: ")).At("code").Wrap(err)
	}
	r := &Scanned{}
	if scan.Message != nil {
		return r, s.readMessage(tx, r, scan.Message, now, loc)
	}
	code = scan.Plain
	product, unit, found, err := byBarcode(tx, code)
	switch {
	case err != nil:
		return nil, err
	case found:
		r.How = ByBarcode
		r.step("barcode", code)
		if err := s.name(tx, r, product, unit); err != nil {
			return nil, err
		}
		if scan.Composite != nil {
			return r, r.marks(scan.Composite, now, loc)
		}
		return r, nil
	}
	if len(code) == 13 && code[0] == '2' && strings.Trim(code, "0123456789") == "" {
		l, err := scanLayout(tx.QueryRow(layoutColumns+`WHERE l.prefix = $1`, code[:2]).Scan)
		if err == nil {
			return r, s.readLabel(tx, r, l, code)
		}
		if !errors.Is(err, db.ErrNoRow) {
			return nil, err
		}
	}
	switch err := tx.QueryRow(`SELECT p.id FROM catalog_product p WHERE p.code = $1`, code).Scan(&product); {
	case errors.Is(err, db.ErrNoRow):
		return nil, ErrNoBarcode.With("code", code).At("code")
	case err != nil:
		return nil, err
	}
	r.How = ByCode
	r.step("code", code)
	return r, s.name(tx, r, product, 0)
}

// BarcodeForms are all the ways in which scanners send a barcode, the given one first: a GTIN with fewer or more zeros before it
// is the same. What is no GTIN has one form only.
func BarcodeForms(code string) []string {
	forms := []string{code}
	g, ok := gs1.GTIN(code)
	if !ok {
		return forms
	}
	for _, zeros := range [...]int{0, 1, 2, 6} {
		if form := g[zeros:]; strings.Trim(g[:zeros], "0") == "" && form != code {
			forms = append(forms, form)
		}
	}
	return forms
}

// BarcodeKey is the same for two codes when a scanner can't tell them apart.
func BarcodeKey(code string) string {
	if g, ok := gs1.GTIN(code); ok {
		return g
	}
	return code
}

// fiveForms are the forms for a statement: a code has five at most, and repeated ones find nothing more.
func fiveForms(code string) (forms [5]string) {
	all := BarcodeForms(code)
	for i := range forms {
		forms[i] = all[min(i, len(all)-1)]
	}
	return forms
}

// byBarcode finds a barcode, also one that was stored with more or fewer leading zeros: a UPC of 12 digits is the EAN
// of 13 with a zero before it, and the GTIN of 14 in a GS1 symbol is the same again.
func byBarcode(tx *db.Tx, code string) (product, unit id.ID, found bool, err error) {
	forms := fiveForms(code)
	err = tx.QueryRow(`SELECT b.product_id, b.unit_id FROM catalog_barcode b WHERE b.code IN ($1, $2, $3, $4, $5) ORDER BY CASE WHEN b.code = $1 THEN 0 ELSE 1 END, b.id LIMIT 1`,
		forms[0], forms[1], forms[2], forms[3], forms[4]).Scan(&product, &unit)
	if errors.Is(err, db.ErrNoRow) {
		return 0, 0, false, nil
	}
	return product, unit, err == nil, err
}

func (s *Service) name(tx *db.Tx, r *Scanned, product, unit id.ID) error {
	p, err := read(tx, product)
	if err != nil {
		return err
	}
	r.Product, r.Unit = p, p.UnitByID(unit)
	if r.Unit != nil {
		r.step("unit", r.Unit.Name)
	}
	return nil
}

func (s *Service) readLabel(tx *db.Tx, r *Scanned, l *Layout, code string) error {
	label, err := l.read(code)
	if err != nil {
		return err
	}
	r.How = ByLabel
	r.step("prefix", l.Prefix)
	r.step("layout", l.Name)
	r.step("item_no", label.Item)
	if l.ValueCheck {
		r.step("value_check", code[2+l.ItemDigits:3+l.ItemDigits])
	}
	r.step(l.ValueKind, decimal(label.Value, l.Decimals))
	r.step("check_digit", code[12:])
	var product, unit id.ID
	switch err := tx.QueryRow(`SELECT u.product_id, u.id FROM catalog_unit u WHERE u.item_no = $1 AND u.item_no <> ''`, label.Item).Scan(&product, &unit); {
	case errors.Is(err, db.ErrNoRow):
		return ErrLabelItem.With("item", label.Item).At("code")
	case err != nil:
		return err
	}
	if err := s.name(tx, r, product, unit); err != nil {
		return err
	}
	if label.Value == 0 {
		return ErrLabelZero.At("code")
	}
	if !r.Unit.Weighed && l.ValueKind != "count" {
		return ErrLabelGoods.With("product", r.Product.Name, "unit", r.Unit.Name).At("code")
	}
	switch l.ValueKind {
	case "weight":
		return r.weight(label.Value, l.Decimals)
	case "price":
		r.Amount, err = fen(label.Value, l.Decimals)
		return err
	}
	r.Qty, err = scaled(label.Value, 3-l.Decimals)
	return err
}

// weight is so many kilograms or litres, for a product counted in grams or millilitres.
func (r *Scanned) weight(value int64, decimals int) error {
	base, err := scaled(value, 6-decimals)
	if err != nil {
		return err
	}
	r.Qty, err = r.Unit.Qty().FromBase(base)
	return err
}

// scaled is value × 10^power, power at least 0.
func scaled(value int64, power int) (qty.Qty, error) {
	v := qty.Qty(value)
	for range power {
		if v *= 10; v > qty.Max {
			return 0, qty.ErrTooLarge
		}
	}
	return v, nil
}

// fen is an amount of yuan with so many decimals; beyond the fen there may be zeros only.
func fen(value int64, decimals int) (money.Fen, error) {
	for ; decimals < 2; decimals++ {
		if value *= 10; value > int64(money.Max) {
			return 0, money.ErrTooLarge
		}
	}
	for ; decimals > 2; decimals-- {
		if value%10 != 0 {
			return 0, qty.ErrNotExact
		}
		value /= 10
	}
	if value > int64(money.Max) {
		return 0, money.ErrTooLarge
	}
	return money.Fen(value), nil
}

func decimal(value int64, decimals int) string {
	s := fmt.Sprintf("%0*d", decimals+1, value)
	if decimals == 0 {
		return s
	}
	return s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}

func (s *Service) readMessage(tx *db.Tx, r *Scanned, m gs1.Message, now time.Time, loc *time.Location) error {
	r.How = ByGS1
	gtin, ok := m.GTIN()
	if !ok {
		return ErrCodeUnread.With("why", "(01)").At("code")
	}
	product, unit, found, err := byBarcode(tx, gtin)
	switch {
	case err != nil:
		return err
	case !found:
		return ErrNoBarcode.With("code", gtin).At("code")
	}
	if err := s.name(tx, r, product, unit); err != nil {
		return err
	}
	if err := r.marks(m, now, loc); err != nil {
		return err
	}
	weight, weighed := m.NetWeight()
	if r.Product.BaseUnit == "ml" {
		weight, weighed = m.NetVolume()
	}
	amount, currency, priced := m.Price()
	if (weighed || priced) && !r.Unit.Weighed {
		return ErrLabelGoods.With("product", r.Product.Name, "unit", r.Unit.Name).At("code")
	}
	switch {
	case priced && currency != "" && currency != "156":
		return ErrLabelCurrency.At("code")
	case priced: // what the label says is what the customer pays, also beside a weight
		if r.Amount, err = fen(amount.Digits, amount.Decimals); err == nil && r.Amount == 0 {
			err = ErrLabelZero.At("code")
		}
		return err
	case weighed:
		if weight.Digits == 0 {
			return ErrLabelZero.At("code")
		}
		return r.weight(weight.Digits, weight.Decimals)
	}
	if n, ok := m.Count(); ok {
		if n == 0 {
			return ErrLabelZero.At("code")
		}
		r.Qty, err = scaled(n, 3)
	}
	return err
}

// marks are what a label says beside the product.
func (r *Scanned) marks(m gs1.Message, now time.Time, loc *time.Location) error {
	for _, e := range m {
		r.step("("+e.AI+")", e.Value)
	}
	r.Lot, _ = m.Get("10")
	r.Serial, _ = m.Get("21")
	r.Expires, _ = m.Expires(now, loc)
	for _, ai := range []string{"11", "13"} {
		if y, mo, d, ok := m.Date(ai, now.In(loc)); ok && r.Made == "" {
			r.Made = cal.Date(fmt.Sprintf("%04d-%02d-%02d", y, mo, d))
		}
	}
	return nil
}
