package checkout

import (
	"errors"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/pricing"
	"zhanggui/internal/stock"
)

// ErrUnitBroken refuses a unit that would be made up of goods at two prices.
var ErrUnitBroken = errs.Define("line_unit_broken", errs.Conflict, "“{product}”原价和临期价的货要分开:请按更小的单位销售", "{product} is partly marked down and does not make up a whole {unit}: sell it in a smaller unit")

// part is a line of the sale: what an order line gets at one price.
type part struct {
	of       int // the order line
	product  *catalog.Product
	unit     *catalog.Unit
	price    money.Fen // of the book, for one unit
	qty      qty.Qty
	base     qty.Qty
	paid     money.Fen // for one unit
	fixed    money.Fen // sold by amount, at the full price; 0: not
	markdown id.ID
	off      money.Fen
	batch    id.ID // marked down; 0: all others
	bundled  bool  // its share of the price of a bundle is fixed, and may be nothing
}

// whole are the lines at the prices of the book.
func (p *priced) whole() []part {
	parts := make([]part, 0, len(p.lines))
	for i, l := range p.lines {
		if p.products[i].IsBundle() {
			parts = append(parts, p.bundles[i]...)
			continue
		}
		x := p.part(i, p.base[i])
		x.qty, x.fixed = p.qty[i], l.AmountFen
		parts = append(parts, x)
	}
	return parts
}

// part is a line of the sale that gives so much of an order line at the price of the book.
func (p *priced) part(i int, base qty.Qty) part {
	return part{of: i, product: p.products[i], unit: p.units[i], price: p.prices[i], base: base, paid: p.prices[i]}
}

// reduce prices what comes from marked-down batches at their own prices. A line that is served from goods at two
// prices becomes two lines of the sale. Without such goods nothing is asked and nothing changes.
func (p *priced) reduce(tx *db.Tx, takes []stock.Take) error {
	var batches []id.ID
	for i := range takes {
		if takes[i].Reduced {
			batches = append(batches, takes[i].Batch)
		}
	}
	if len(batches) == 0 {
		return nil
	}
	prices, err := clear.InForce(tx, batches)
	if err != nil {
		return err
	}
	var parts []part
	type group struct {
		product, unit id.ID
		paid          money.Fen
	}
	var groups []group
	var pairs []pricing.Pairs
	for i, l := range p.lines {
		if p.products[i].IsBundle() { // its price is its own, whatever batch its parts come from
			parts = append(parts, p.bundles[i]...)
			continue
		}
		first, rest := len(parts), p.base[i]
		for _, t := range takes {
			if _, reduced := prices[t.Batch]; t.Line == i && t.Reduced && reduced {
				rest -= t.Qty
			}
		}
		if rest > 0 { // on the slip in the order in which they are taken
			full := p.part(i, rest)
			if rest == p.base[i] {
				full.fixed = l.AmountFen
			}
			parts = append(parts, full)
		}
		for _, t := range takes {
			r, reduced := prices[t.Batch]
			if t.Line != i || !t.Reduced || !reduced {
				continue
			}
			paid, err := r.Of(p.units[i].ID, p.prices[i])
			if err != nil {
				return err
			}
			x := p.part(i, t.Qty)
			x.paid, x.markdown, x.batch = paid, r.Step, t.Batch
			parts = append(parts, x)
			if r.Free {
				g, at := group{l.ProductID, p.units[i].ID, paid}, 0
				for at < len(groups) && groups[at] != g {
					at++
				}
				if at == len(groups) {
					groups, pairs = append(groups, g), append(pairs, nil)
				}
				pairs[at] = append(pairs[at], len(parts)-1)
			}
		}
		for k := first; k < len(parts); k++ {
			if parts[k].base == p.base[i] {
				parts[k].qty = p.qty[i]
				continue
			}
			if parts[k].qty, err = p.units[i].Qty().FromBase(parts[k].base); err != nil {
				return ErrUnitBroken.With("product", p.products[i].Name, "unit", l.Unit).At(at(i, "unit"))
			}
		}
	}
	if len(parts) > maxParts {
		return ErrTooMany.With("most", maxParts).At("lines")
	}
	p.parts = parts
	return p.total(pairs...)
}

// maxParts bounds the lines of a sale: each order line may be served from goods at a few prices.
const maxParts = 400

// total prices the parts.
func (p *priced) total(pairs ...pricing.Pairs) error {
	cart := make([]pricing.Line, len(p.parts))
	for k := range p.parts {
		x := &p.parts[k]
		cart[k] = pricing.Line{Qty: x.qty, Price: x.paid, TaxBP: int64(x.product.Tax), Fixed: x.fixed}
		if x.bundled {
			cart[k].Price = 0
		}
	}
	var err error
	if p.bill, err = pricing.Price(cart, pairs...); err != nil {
		var line *pricing.LineError
		if errors.As(err, &line) {
			return errs.As(line.Err).At(at(p.parts[line.Line].of, "qty"))
		}
		return errs.As(err).At("lines")
	}
	for k := range p.parts {
		x := &p.parts[k]
		if x.markdown == 0 {
			continue
		}
		full, err := money.Times(x.price, x.qty)
		if err != nil {
			return errs.As(err).At(at(x.of, "qty"))
		}
		x.off = full - p.bill.Lines[k].Amount
	}
	return nil
}

// partOf finds the line of the sale that a take belongs to.
func (p *priced) partOf(t *stock.Take) int {
	found := -1
	for k := range p.parts {
		x := &p.parts[k]
		if x.of != t.Line || x.product.SKU != t.SKU {
			continue
		}
		if x.markdown == 0 {
			found = k
			continue
		}
		if x.batch == t.Batch {
			return k
		}
	}
	return found
}

// wants are the lines as stock is asked for them.
func (p *priced) wants() []stock.Want {
	wants := make([]stock.Want, 0, len(p.lines))
	for i, l := range p.lines {
		if p.products[i].IsBundle() {
			for _, x := range p.bundles[i] {
				wants = append(wants, stock.Want{Line: i, SKU: x.product.SKU, Qty: x.base})
			}
			continue
		}
		wants = append(wants, stock.Want{Line: i, SKU: p.products[i].SKU, Qty: p.base[i], Batch: l.BatchID})
	}
	return wants
}
