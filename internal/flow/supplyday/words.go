package supplyday

import (
	"context"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/purchase"
	"zhanggui/internal/replenish"
)

// How suppliers kept their word, in plans: what is under way counts by the share that is expected to come, and goods of who is
// late must last so many days longer. Whoever has no record, or is to be taken at his word, changes nothing.

// readWords reads what suppliers' words are taken for, page by page.
func readWords(ctx context.Context, d reader) (map[replenish.Word]purchase.Word, error) {
	found := map[replenish.Word]purchase.Word{}
	var after [2]id.ID
	for more := true; more; {
		var some []purchase.Word
		var last [2]id.ID
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			some, last, more, err = purchase.Words(tx, after, 2000)
			return err
		}); err != nil {
			return nil, err
		}
		after = last
		for _, w := range some {
			found[replenish.Word{Supplier: w.Supplier, Product: w.Product}] = w
		}
	}
	return found, nil
}

// expect lays what is expected of suppliers' orders beside what else is under way.
func (x *situation) expect() {
	for _, c := range x.ordered {
		coming := replenish.Coming{Order: c.Order, No: c.No, Due: c.Due, Qty: c.Qty}
		if w, ok := x.all.words[replenish.Word{Supplier: c.Supplier, Product: c.Product}]; ok && !x.policy(c.Product).AtWord {
			if n := w.Expects(c.Ordered, c.Qty); n < c.Qty {
				coming.Qty, coming.Promised = n, c.Qty
			}
		}
		x.coming[c.Product] = append(x.coming[c.Product], coming)
	}
}

// words are the words that count at the site.
func (x *situation) words() map[replenish.Word]replenish.WordWhy {
	if len(x.all.words) == 0 {
		return nil
	}
	found := make(map[replenish.Word]replenish.WordWhy, len(x.all.words))
	for k, w := range x.all.words {
		if !x.policy(k.Product).AtWord {
			found[k] = replenish.WordWhy{SupplierID: w.Supplier, Lines: w.Lines, FillBP: w.Fill, LateDays: w.LateDays}
		}
	}
	return found
}
