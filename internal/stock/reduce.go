package stock

import (
	"cmp"
	"slices"

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
var shelvesOf = db.NewMany(`SELECT b.id, b.sku_id, b.reduced, b.received_at, b.expires_at, a.posted_in - a.posted_out - a.pending_out
	FROM stock_batch b JOIN ledger_account a ON a.id = b.id
	WHERE b.site_id = $1 AND b.open = 1 AND b.expires_at > $2 AND b.sku_id IN (
		SELECT r.sku_id FROM stock_batch r WHERE r.site_id = $1 AND r.open = 1 AND r.reduced = 1 AND r.expires_at > $2 AND r.sku_id IN (`, `?`, `))
	ORDER BY b.sku_id, b.reduced, b.expires_at, b.id`)

// Foresee tells what Ask would take at this moment, without locking anything, of SKUs of which the site has
// something reduced: takes of other SKUs, and what is not there, are left out. A quote is made with it.
func Foresee(tx *db.Tx, site id.ID, wants []Want) ([]Take, error) {
	rules, err := rulesFor(tx, site, "till", wants)
	if err != nil {
		return nil, err
	}
	args := make([]any, 0, 2+len(wants))
	args = append(args, int64(site), tx.Now())
	for i := range wants {
		args = append(args, int64(wants[i].SKU))
	}
	rows := tx.QueryMany(shelvesOf, args...)
	defer rows.Close()
	type place struct {
		shelf
		sku id.ID
	}
	var places []*place
	for rows.Next() {
		var s place
		if err := rows.Scan(&s.id, &s.sku, &s.reduced, &s.received, &s.expires, &s.free); err != nil {
			return nil, err
		}
		places = append(places, &s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	type ruled struct {
		rule   *Policy
		wanted qty.Qty
	}
	byRule := map[id.ID]ruled{}
	for i := range rules {
		byRule[wants[i].SKU] = ruled{rules[i], wantedOf(wants, wants[i].SKU)}
	}
	if rules != nil {
		slices.SortFunc(places, func(a, b *place) int {
			r := byRule[a.sku]
			return cmp.Or(cmp.Compare(a.sku, b.sku), r.rule.serves(a.shelf, b.shelf, r.wanted))
		})
	}
	takes := make([][]Take, len(wants))
	for _, named := range [2]bool{true, false} { // in the order of Pick
		for i := range wants {
			w := &wants[i]
			rest := w.Qty
			rule := byRule[w.SKU].rule
			for _, s := range places {
				if s.sku != w.SKU || named != (w.Batch != 0) || named && id.ID(s.id) != w.Batch || !named && !rule.alive(s.expires, tx.Now()) {
					continue
				}
				if n := min(rest, s.free); n > 0 {
					s.free -= n
					rest -= n
					takes[i] = append(takes[i], Take{Line: w.Line, Batch: id.ID(s.id), SKU: s.sku, Qty: n, Reduced: s.reduced != 0})
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
