// Package pricing turns a cart and what the price book says of each line into priced lines. It is pure:
// the till runs the same code offline that the server runs online, so both show the same fen.
//
// Prices include VAT. A line's amount is price × quantity, rounded half up once. The tax in a rate class is
// taken from the class total, once, and shared over its lines by largest remainder, so that lines, classes
// and the slip always add up.
package pricing

import (
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Line is one line of the cart together with its entry in the price book.
type Line struct {
	Qty   qty.Qty   // thousandths of the sales unit
	Price money.Fen // of one sales unit, VAT included
	TaxBP int64     // VAT rate in basis points: 1300 is 13 %
	Fixed money.Fen // what the line costs, when it was sold by an amount of money or in a bundle; 0: price × quantity
}

// Priced is what a line costs. Tax is contained in Amount.
type Priced struct {
	Amount money.Fen
	Tax    money.Fen
}

// Class is the sum of all lines of one VAT rate.
type Class struct {
	TaxBP  int64
	Amount money.Fen
	Tax    money.Fen
}

// Bill is a priced cart: Lines in the order of the cart, Classes by falling rate.
type Bill struct {
	Lines   []Priced
	Classes []Class
	Total   money.Fen
	Tax     money.Fen
}

// LineError says which line (from 0) can't be priced and why.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return e.Err.Error() }
func (e *LineError) Unwrap() error { return e.Err }

// Pairs are places (from 0) of lines of one group of goods at one price: buy one, get one free. Their units
// are counted together, and of each whole pair the second is free; an odd unit is paid. What that takes off is
// shared over the lines by what they would cost, so that each gives back its part of what was paid.
type Pairs []int

// Price prices a cart. The only refusals are an amount or a total that is too large (money.ErrTooLarge);
// one of a line comes as a *LineError.
func Price(cart []Line, pairs ...Pairs) (Bill, error) {
	bill := Bill{Lines: make([]Priced, len(cart))}
	for i, l := range cart {
		amount := l.Fixed
		if amount == 0 {
			var err error
			if amount, err = money.Times(l.Price, l.Qty); err != nil {
				return Bill{}, &LineError{i, err}
			}
		}
		bill.Lines[i].Amount = amount
	}
	for _, group := range pairs {
		bill.pair(cart, group)
	}
	for i, l := range cart {
		amount := bill.Lines[i].Amount
		bill.Total += amount // ≤ money.Max each: overflow needs nine million lines
		bill.class(l.TaxBP).Amount += amount
	}
	if bill.Total > money.Max {
		return Bill{}, money.ErrTooLarge
	}
	weights := make([]int64, 0, len(cart))
	for c := range bill.Classes {
		class := &bill.Classes[c]
		tax, err := money.TaxIn(class.Amount, class.TaxBP)
		if err != nil {
			return Bill{}, err
		}
		class.Tax = tax
		bill.Tax += tax
		weights = weights[:0]
		for i, l := range cart {
			if l.TaxBP == class.TaxBP {
				weights = append(weights, int64(bill.Lines[i].Amount))
			}
		}
		parts := money.Split(tax, weights)
		for i, l := range cart {
			if l.TaxBP == class.TaxBP {
				bill.Lines[i].Tax, parts = parts[0], parts[1:]
			}
		}
	}
	return bill, nil
}

// BundlePart is a part of a bundle: so many thousandths of its unit in all that is sold of the bundle, at what one unit would
// cost alone. Share is its weight in the price of the bundle.
type BundlePart struct {
	Qty   qty.Qty
	Price money.Fen
	Share int64
}

// Bundle is what so much of a bundle costs at its price, and how that is shared over its parts: by their weights if one has
// any, else by what they would cost alone, by largest remainder. Parts that would cost nothing get nothing; if all would,
// they share alike. The shares add up to the amount, to the fen.
func Bundle(price money.Fen, n qty.Qty, parts []BundlePart) (money.Fen, []money.Fen, error) {
	amount, err := money.Times(price, n)
	if err != nil {
		return 0, nil, err
	}
	weights := make([]int64, len(parts))
	said, all := false, int64(0)
	for i := range parts {
		weights[i] = parts[i].Share
		said = said || parts[i].Share > 0
	}
	for i := range parts {
		if !said {
			alone, err := money.Times(parts[i].Price, parts[i].Qty)
			if err != nil {
				return 0, nil, err
			}
			weights[i] = int64(alone)
		}
		all += weights[i] // some dozens of at most money.Max each
	}
	for i := range weights {
		if all == 0 {
			weights[i] = 1
		}
	}
	return amount, money.Split(amount, weights), nil
}

// pair takes the free seconds off the lines of a group.
func (b *Bill) pair(cart []Line, group Pairs) {
	var units qty.Qty
	var paid money.Fen
	weights := make([]int64, len(group))
	for k, i := range group {
		units += cart[i].Qty
		paid += b.Lines[i].Amount
		weights[k] = int64(b.Lines[i].Amount)
	}
	if len(group) == 0 {
		return
	}
	free := money.Fen(units / (2 * qty.Scale))
	off := min(cart[group[0]].Price*free, paid) // no more than the lines' amounts, of which each is ≤ money.Max
	for k, part := range money.Split(off, weights) {
		b.Lines[group[k]].Amount -= part
	}
}

// class finds or inserts the class of a rate, keeping classes in falling order; there are a handful at most.
func (b *Bill) class(rate int64) *Class {
	at := 0
	for at < len(b.Classes) && b.Classes[at].TaxBP > rate {
		at++
	}
	if at == len(b.Classes) || b.Classes[at].TaxBP != rate {
		b.Classes = append(b.Classes, Class{})
		copy(b.Classes[at+1:], b.Classes[at:])
		b.Classes[at] = Class{TaxBP: rate}
	}
	return &b.Classes[at]
}

// Part is what belongs to `now` out of `sold` when `before` has already been given back: the rounded share of
// everything up to now less the rounded share of everything before. Whatever the parts, together they
// are whole to the fen, and the last one carries the rest. It needs 0 ≤ before, 0 ≤ now and before + now ≤ sold.
func Part(whole int64, sold, before, now qty.Qty) (int64, error) {
	upTo, err := money.MulDiv(whole, int64(before+now), int64(sold))
	if err != nil {
		return 0, err
	}
	already, err := money.MulDiv(whole, int64(before), int64(sold))
	if err != nil {
		return 0, err
	}
	return upTo - already, nil
}
