package stock

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Reduce says that a batch is sold at a lower price of its own from now on: who does not ask for it by name gets
// it last. It never goes back: the price of a reduced batch does not rise again.
func Reduce(tx *db.Tx, site, batch id.ID) error {
	return tx.ExecExactly(1, ErrNoBatch, `UPDATE stock_batch SET reduced = 1 WHERE id = $1 AND site_id = $2`, batch, site)
}

// Only SKUs of which something is reduced are looked at: the others can't be sold at two prices.
var shelvesOf = db.NewMany(`SELECT b.id, b.sku_id, b.reduced, a.posted_in - a.posted_out - a.pending_out
	FROM stock_batch b JOIN ledger_account a ON a.id = b.id
	WHERE b.site_id = $1 AND b.open = 1 AND b.expires_at > $2 AND b.sku_id IN (
		SELECT r.sku_id FROM stock_batch r WHERE r.site_id = $1 AND r.open = 1 AND r.reduced = 1 AND r.expires_at > $2 AND r.sku_id IN (`, `?`, `))
	ORDER BY b.sku_id, b.reduced, b.expires_at, b.id`)

// Foresee tells what Pick would take at this moment, without locking anything, of SKUs of which the site has
// something reduced: takes of other SKUs, and what is not there, are left out. A quote is made with it.
func Foresee(tx *db.Tx, site id.ID, wants []Want) ([]Take, error) {
	args := make([]any, 0, 2+len(wants))
	args = append(args, int64(site), tx.Now())
	for i := range wants {
		args = append(args, int64(wants[i].SKU))
	}
	rows := tx.QueryMany(shelvesOf, args...)
	defer rows.Close()
	type shelf struct {
		Take
		free qty.Qty
	}
	var shelves []shelf
	for rows.Next() {
		var s shelf
		var reduced int64
		if err := rows.Scan(&s.Batch, &s.SKU, &reduced, &s.free); err != nil {
			return nil, err
		}
		s.Reduced = reduced != 0
		shelves = append(shelves, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	takes := make([][]Take, len(wants))
	for _, named := range [2]bool{true, false} { // in the order of Pick
		for i := range wants {
			w := &wants[i]
			rest := w.Qty
			for k := range shelves {
				s := &shelves[k]
				if s.SKU != w.SKU || named != (w.Batch != 0) || named && s.Batch != w.Batch {
					continue
				}
				if n := min(rest, s.free); n > 0 {
					s.free -= n
					rest -= n
					takes[i] = append(takes[i], Take{Line: w.Line, Batch: s.Batch, SKU: s.SKU, Qty: n, Reduced: s.Reduced})
				}
			}
		}
	}
	var all []Take
	for _, t := range takes {
		all = append(all, t...)
	}
	return all, nil
}
