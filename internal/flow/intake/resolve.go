package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sort"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// What a row names and nobody knows.
var (
	ErrStore = errs.Define("store_unknown", errs.Invalid,
		"没有门店“{store}”,或不在您的管辖范围", "There is no store {store} within your reach")
	ErrStoreMany = errs.Define("store_ambiguous", errs.Invalid,
		"有几家门店叫“{store}”,请用门店编码", "Several stores are called {store}; use the store's code")
	ErrStoreWhich = errs.Define("store_needed", errs.Invalid,
		"有不止一家门店,文件需要 store 列", "There is more than one store; the file needs a column store")
	ErrProductMany = errs.Define("product_ambiguous", errs.Invalid,
		"有几个商品叫“{product}”,请用商品编码", "Several products are called {product}; use the product's code")
	ErrTooManyNew = errs.Define("too_many_missing", errs.Limit,
		"文件里有超过 {most} 个新商品,请先导入商品", "More than {most} products of the file are new; import the products first")
)

const (
	maxMissing = 20_000
	maxKnown   = 200_000 // products kept in memory at a time
)

// product is what rows need to know of a product.
type product struct {
	ID      id.ID
	SKU     id.ID
	Code    string
	Name    string
	Base    string
	LifeH   int64 // hours from making to expiry; 0 keeps for ever
	State   catalog.State
	Units   []qty.Unit // base unit first
	Missing bool       // to be made by this import

	refusal *errs.Error
}

// unit finds a sales unit, "" being the base unit, and its place.
func (p *product) unit(name string) (qty.Unit, int, bool) {
	if name == "" {
		return qty.Unit{Name: p.Base, Num: 1, Den: 1}, 0, true
	}
	for i, u := range p.Units {
		if u.Name == name {
			return u, i, true
		}
	}
	return qty.Unit{}, 0, false
}

// most is the quantity in the base unit beyond which a row is absurd: a million pieces, a hundred tonnes.
func (p *product) most() qty.Qty {
	if p.Base == "piece" {
		return 1_000_000 * qty.Scale
	}
	return 100_000_000 * qty.Scale
}

// missing is a store or product that comes into being with the sales that name it.
type missing struct {
	ID       id.ID
	Kind     Kind
	Code     string
	Name     string
	BaseUnit string
	Unit     string
	Num      int64

	used bool // a good row names it
}

// book finds what rows name. A text is a code, else a barcode, else a name that only one has.
type book struct {
	d        *db.DB
	create   bool // make what is missing
	sites    map[string]*org.Site
	many     map[string]bool // names of several stores
	only     *org.Site       // the one store there is
	count    int
	products map[string]*product

	missing   []missing
	missingAt map[id.ID]int
}

// newBook reads the sites within reach (nil: all).
func newBook(ctx context.Context, d *db.DB, reach func(id.ID) bool, create bool) (*book, error) {
	b := &book{d: d, create: create}
	var sites []org.Site
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		sites, err = org.AllSites(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	b.sites, b.many, b.products, b.missingAt = map[string]*org.Site{}, map[string]bool{}, map[string]*product{}, map[id.ID]int{}
	for i := range sites {
		s := &sites[i]
		if reach != nil && !reach(s.ID) {
			continue
		}
		b.count++
		b.only = s
		if other := b.sites[s.Name]; other != nil {
			b.many[s.Name] = true
		}
		b.sites[s.Name] = s
	}
	if b.count != 1 {
		b.only = nil
	}
	for i := range sites { // a code is stronger than a name
		if s := &sites[i]; reach == nil || reach(s.ID) {
			b.sites[s.Code] = s
			delete(b.many, s.Code)
		}
	}
	return b, nil
}

// site finds a store; "" is the only one there is.
func (b *book) site(text string) (*org.Site, *errs.Error) {
	if text == "" {
		if b.only != nil {
			return b.only, nil
		}
		if b.count > 1 || !b.create {
			return nil, ErrStoreWhich
		}
		text = "总店"
	}
	s := b.sites[text]
	switch {
	case s != nil && !b.many[text]:
		return s, nil
	case s != nil:
		return nil, ErrStoreMany.With("store", text)
	case !b.create:
		return nil, ErrStore.With("store", text)
	case len(b.missing) >= maxMissing:
		return nil, ErrTooManyNew.With("most", maxMissing)
	}
	s = &org.Site{ID: id.New(), Code: text, Name: text, TimeZone: "Asia/Shanghai", DayStart: 4 * 60, Open: 8 * 60, Close: 22 * 60}
	if !goodStoreCode(text) {
		s.Code = codeFor(text)
	}
	b.sites[text] = s
	b.lacks(missing{ID: s.ID, Kind: Stores, Code: s.Code, Name: s.Name})
	return s, nil
}

// codeFor makes a code for what only has a name: always the same, so that two imports at once agree.
func codeFor(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "N-" + hex.EncodeToString(sum[:5])
}

// product finds a product that learn has looked up. unit says in what it was sold, for one that is missing.
func (b *book) product(text, unit string) (*product, *errs.Error) {
	p := b.products[text]
	if p.refusal == nil {
		return p, nil
	}
	if !b.create || p.refusal.Is(ErrProductMany) {
		return nil, p.refusal
	}
	if len(b.missing) >= maxMissing {
		return nil, ErrTooManyNew.With("most", maxMissing)
	}
	made := missing{ID: id.New(), Kind: Products, Code: text, Name: text, BaseUnit: "piece", Unit: unit, Num: 1}
	if !goodCode(text, 32) {
		made.Code = codeFor(text)
	}
	if m, ok := knownUnit(unit); ok {
		made.BaseUnit, made.Num = m.base, m.num
	}
	if unit == "" {
		made.Unit = made.BaseUnit
	}
	p = &product{ID: made.ID, Code: made.Code, Name: text, Base: made.BaseUnit, Missing: true,
		Units: []qty.Unit{{Name: made.BaseUnit, Num: 1, Den: 1}}}
	if made.Unit != made.BaseUnit {
		p.Units = append(p.Units, qty.Unit{Name: made.Unit, Num: made.Num, Den: 1})
	}
	b.products[text] = p
	b.lacks(made)
	return p, nil
}

func (b *book) lacks(m missing) {
	b.missingAt[m.ID] = len(b.missing)
	b.missing = append(b.missing, m)
}

const (
	findColumns = `SELECT p.id, s.id, p.code, p.name, p.base_unit, p.shelf_life_h, p.life`
	findFrom    = ` FROM catalog_product p JOIN catalog_sku s ON s.product_id = p.id `
)

var (
	byCode    = db.NewMany(findColumns+`, p.code`+findFrom+`WHERE p.code IN (`, "?", `)`)
	byBarcode = db.NewMany(findColumns+`, b.code`+findFrom+`JOIN catalog_barcode b ON b.product_id = p.id WHERE b.code IN (`, "?", `)`)
	byName    = db.NewMany(findColumns+`, p.name`+findFrom+`WHERE p.name IN (`, "?", `)`)
	unitsOf   = db.NewMany(`SELECT u.product_id, u.name, u.num, u.den FROM catalog_unit u WHERE u.retired = 0 AND u.product_id IN (`, "?", `) ORDER BY u.id`)
)

// learn looks up what the texts name; product then knows all of them.
func (b *book) learn(ctx context.Context, texts map[string]bool) error {
	var unknown []string
	for t := range texts {
		if b.products[t] == nil {
			unknown = append(unknown, t)
		}
	}
	sort.Strings(unknown)
	if len(b.products)+len(unknown) > maxKnown {
		for t, p := range b.products {
			if !p.Missing && !texts[t] {
				delete(b.products, t)
			}
		}
	}
	for len(unknown) > 0 {
		n := min(len(unknown), 500)
		if err := b.d.Read(ctx, func(tx *db.Tx) error { return b.find(tx, unknown[:n]) }); err != nil {
			return err
		}
		unknown = unknown[n:]
	}
	return nil
}

func (b *book) find(tx *db.Tx, texts []string) error {
	left := texts
	byID := map[id.ID]*product{}
	for _, question := range []*db.Many{byCode, byBarcode, byName} {
		args := make([]any, len(left))
		for i := range left {
			args[i] = left[i]
		}
		rows := tx.QueryMany(question, args...)
		found := map[string]*product{}
		for rows.Next() {
			p := &product{}
			var text string
			if err := rows.Scan(&p.ID, &p.SKU, &p.Code, &p.Name, &p.Base, &p.LifeH, &p.State, &text); err != nil {
				return err
			}
			if other := found[text]; other != nil && other.ID != p.ID {
				p = &product{refusal: ErrProductMany.With("product", text)}
			} else if known := byID[p.ID]; known != nil {
				p = known
			} else {
				byID[p.ID] = p
			}
			found[text] = p
		}
		if err := rows.Err(); err != nil {
			return err
		}
		var rest []string
		for _, t := range left {
			if found[t] != nil {
				b.products[t] = found[t]
			} else {
				rest = append(rest, t)
			}
		}
		if left = rest; len(left) == 0 {
			break
		}
	}
	for _, t := range left {
		b.products[t] = &product{refusal: catalog.ErrNoProduct}
	}
	ids := make([]any, 0, len(byID))
	for p := range byID {
		ids = append(ids, p)
	}
	rows := tx.QueryMany(unitsOf, ids...)
	for rows.Next() {
		var of id.ID
		var u qty.Unit
		if err := rows.Scan(&of, &u.Name, &u.Num, &u.Den); err != nil {
			return err
		}
		p := byID[of]
		if p.Units == nil {
			p.Units = []qty.Unit{{Name: p.Base, Num: 1, Den: 1}}
		}
		if u.Name != p.Base {
			p.Units = append(p.Units, u)
		}
	}
	return rows.Err()
}

// baseQty converts a row's quantity to the base unit; place is the unit's place in the product.
func (p *product) baseQty(q qty.Qty, unit string) (base qty.Qty, u qty.Unit, place int, refusal *errs.Error) {
	u, place, ok := p.unit(unit)
	if !ok {
		return 0, u, 0, catalog.ErrNoUnit.With("product", p.Name, "unit", unit).At("unit")
	}
	base, err := u.ToBase(q)
	if err != nil {
		return 0, u, 0, errs.As(err)
	}
	if base > p.most() {
		return 0, u, 0, ErrAbsurd
	}
	return base, u, place, nil
}
