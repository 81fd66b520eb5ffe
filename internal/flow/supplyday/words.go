package supplyday

import (
	"context"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
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

// leastCounted is the share of an order that is counted however little its supplier has delivered, ten-thousandths: nobody orders
// more than twice what is needed because of a record.
const leastCounted = 5000

// expect lays what is expected of suppliers' orders beside what else is under way.
func (x *situation) expect() {
	x.doubted = map[id.ID][]replenish.Coming{}
	for _, c := range x.ordered {
		coming := replenish.Coming{Order: c.Order, No: c.No, Due: c.Due, Qty: c.Qty}
		if w, ok := x.all.words[replenish.Word{Supplier: c.Supplier, Product: c.Product}]; ok && !x.policy(c.Product).AtWord {
			w.Fill = max(w.Fill, leastCounted)
			if n := w.Expects(c.Ordered, c.Qty); n < c.Qty {
				coming.Qty, coming.Promised = n, c.Qty
				x.doubted[c.Product] = append(x.doubted[c.Product], replenish.Coming{Due: c.Due, Qty: c.Qty - n})
			}
		}
		x.coming[c.Product] = append(x.coming[c.Product], coming)
	}
}

// doubts tells whether so much of a product would not be ordered for a day if everybody kept his word. Then somebody is asked: what
// was ordered once is not ordered again by nobody.
func (x *situation) doubts(product id.ID, due cal.Date, net qty.Qty) bool {
	var short qty.Qty
	for _, c := range x.doubted[product] {
		if c.Due <= due {
			short += c.Qty
		}
	}
	return net <= short
}

// words are the words that count at the site.
func (x *situation) words() map[replenish.Word]replenish.WordWhy {
	if len(x.all.words) == 0 {
		return nil
	}
	found := make(map[replenish.Word]replenish.WordWhy, len(x.all.words))
	for k, w := range x.all.words {
		if !x.policy(k.Product).AtWord {
			found[k] = replenish.WordWhy{SupplierID: w.Supplier, Lines: w.Lines, FillBP: max(w.Fill, leastCounted), LateDays: w.LateDays}
		}
	}
	return found
}
