package stock

import (
	"fmt"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Back is goods that come back from a sale: into the batch they were taken from, at the cost that was taken
// with them, or to be thrown away.
type Back struct {
	Line    int
	Batch   id.ID
	Qty     qty.Qty
	Cost    money.Fen
	Discard bool
	Of      ledger.Ref // the leg that sold the goods; that of the cost is one higher
}

// Coming is goods that are about to come back.
type Coming struct{ *move }

// Return locks the batches that goods come back to. Into a batch past its time nothing comes back
// (ErrExpiredBack): such goods are discarded.
func Return(tx *db.Tx, site id.ID, backs []Back) (*Coming, error) {
	switch {
	case len(backs) == 0:
		return nil, ErrNoLines
	case len(backs) > maxLines:
		return nil, ErrTooManyLines.With("most", maxLines)
	}
	c := &Coming{newMove(site)}
	batches := make([]id.ID, len(backs))
	for i, b := range backs {
		switch {
		case b.Qty <= 0:
			return nil, ErrQty.At(field(b.Line, "qty"))
		case b.Qty > qty.Max:
			return nil, ErrQtyTooLarge.At(field(b.Line, "qty"))
		case b.Cost < 0 || b.Cost > money.Max:
			return nil, ErrCost.At(field(b.Line, "qty"))
		}
		batches[i] = b.Batch
	}
	if err := c.lockLots(tx, batches); err != nil {
		return nil, err
	}
	for i, b := range backs {
		lot := c.lots[b.Batch]
		switch {
		case lot == nil:
			return nil, ErrNoBatch.At(field(b.Line, "line_no"))
		case b.Discard: // from sold to waste: the batch is not touched
			goods, value, _ := Waste(Returned)
			c.pair(i, lot.unit(), b.Qty, b.Cost, ends{Sold, goods, CostOfSales, value}, b.Of)
		case lot.expired(tx.Now()):
			return nil, ErrExpiredBack.At(field(b.Line, "back"))
		default:
			c.pair(i, lot.unit(), b.Qty, b.Cost, lot.in(Sold, CostOfSales), b.Of)
		}
	}
	return c, nil
}

// Book books the return together with the caller's legs, as Picked.Sell does a sale. A batch that was
// empty is open again.
func (c *Coming) Book(tx *db.Tx, doc ledger.Document, more ...ledger.Transfer) error {
	return c.book(tx, doc, more)
}

// Share is the cost of q out of left with its remaining cost: what goes back when a line comes back in
// several parts. The last part takes the rest.
func Share(cost money.Fen, q, left qty.Qty) (money.Fen, error) {
	if q < 0 || left <= 0 || q > left || cost < 0 {
		return 0, ErrQty.Wrap(fmt.Errorf("stock: %d of %d", q, left))
	}
	return share(cost, q, left)
}
