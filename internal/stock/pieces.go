package stock

import (
	"cmp"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// What is counted comes, goes and lies in whole pieces: half a bun can't be sold, and a thousandth of one costs nothing. Only
// what is sold in parts of a piece (a cake by the slice) is kept in parts.

// whole tells whether a quantity in the base unit can be counted: half a piece can't, unless it is sold in such parts.
func (g *goodsUnits) whole(q qty.Qty) bool {
	if g.base != "piece" || q%qty.Scale == 0 {
		return true
	}
	for _, u := range g.units {
		if u.Num%u.Den != 0 {
			return true
		}
	}
	return false
}

// asked is toBase for what comes in, is promised, moved, sent or given back: all of it is whole.
func (g *goodsUnits) asked(line int, q qty.Qty, unit string) (qty.Qty, error) {
	n, err := g.toBase(line, q, unit)
	if err == nil && !g.whole(n) {
		err = ErrPieces.At(field(line, "qty"))
	}
	return n, err
}

var skuUnits = db.NewMany(`SELECT k.id, k.id, p.base_unit, p.shelf_life_h, u.name, u.num, u.den
	FROM catalog_sku k JOIN catalog_product p ON p.id = k.product_id JOIN catalog_unit u ON u.product_id = p.id WHERE k.id IN (`, `?`, `)`)

// onBatches converts what a person wrote of the batches of a site.
func onBatches(tx *db.Tx, site id.ID, in []IssueIn, each func(line int, goods *goodsUnits, l IssueIn) error) error {
	batches := make([]id.ID, len(in))
	for i, l := range in {
		batches[i] = l.BatchID
	}
	units, err := unitsOf(tx, batchUnits, batches, int64(site))
	if err != nil {
		return err
	}
	if err := placesAreTheirs(tx, in); err != nil {
		return err
	}
	for i, l := range in {
		goods := units[l.BatchID]
		if goods == nil {
			return ErrNoBatch.At(field(i, "batch_id"))
		}
		if err := each(i, goods, l); err != nil {
			return err
		}
	}
	return nil
}

var batchesOfPlaces = db.NewMany(`SELECT o.id, o.batch_id FROM stock_place o WHERE o.id IN (`, `?`, `)`)

// placesAreTheirs refuses a place of another batch: its goods would be measured in the units of the one that is named.
func placesAreTheirs(tx *db.Tx, in []IssueIn) error {
	var args []any
	for _, l := range in {
		if l.PlaceID != 0 {
			args = append(args, int64(l.PlaceID))
		}
	}
	if len(args) == 0 {
		return nil
	}
	of := map[id.ID]id.ID{}
	rows := tx.QueryMany(batchesOfPlaces, args...)
	for rows.Next() {
		var place, batch id.ID
		if err := rows.Scan(&place, &batch); err != nil {
			return err
		}
		of[place] = batch
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i, l := range in {
		if l.PlaceID != 0 && of[l.PlaceID] != l.BatchID {
			return ErrNoBatch.At(field(i, "place_id"))
		}
	}
	return nil
}

// wholeIssues are lines of which each is whole.
func wholeIssues(tx *db.Tx, site id.ID, in []IssueIn) ([]Issue, error) {
	lines := make([]Issue, len(in))
	return lines, onBatches(tx, site, in, func(i int, goods *goodsUnits, l IssueIn) error {
		q, err := goods.asked(i, l.Qty, l.Unit)
		lines[i] = Issue{Batch: cmp.Or(l.PlaceID, l.BatchID), Qty: q}
		return err
	})
}

// issues are lines, and the places of those that name a part of a piece: leavesWhole has to look at them.
func issues(tx *db.Tx, site id.ID, in []IssueIn) (lines []Issue, parts []int, err error) {
	lines = make([]Issue, len(in))
	return lines, parts, onBatches(tx, site, in, func(i int, goods *goodsUnits, l IssueIn) error {
		q, err := goods.toBase(i, l.Qty, l.Unit)
		if !goods.whole(q) {
			parts = append(parts, i)
		}
		lines[i] = Issue{Batch: cmp.Or(l.PlaceID, l.BatchID), Qty: q}
		return err
	})
}

// leavesWhole refuses a document that was just posted when a line with a part of a piece does not leave whole ones. So what
// older releases or a broken making left can be cleared, and nobody makes another half. The document holds the locks.
func leavesWhole(tx *db.Tx, d *Document, parts []int) error {
	for _, i := range parts {
		var left qty.Qty
		if err := tx.QueryRow(`SELECT posted_in - posted_out FROM ledger_account WHERE id = $1`, cmp.Or(d.Lines[i].Place, d.Lines[i].Batch)).Scan(&left); err != nil {
			return err
		}
		if left%qty.Scale != 0 {
			return ErrPieces.At(field(i, "qty"))
		}
	}
	return nil
}

// unitsOf tells how the goods of a transfer are counted.
func (t *Transfer) unitsOf(tx *db.Tx) (map[id.ID]*goodsUnits, error) {
	skus := make([]id.ID, len(t.Lines))
	for i, l := range t.Lines {
		skus[i] = l.SKU
	}
	return unitsOf(tx, skuUnits, skus)
}

// wholeLoads refuses parts of pieces that are to be sent.
func (t *Transfer) wholeLoads(tx *db.Tx, loads []Load) error {
	if len(loads) == 0 {
		return nil
	}
	units, err := t.unitsOf(tx)
	if err != nil {
		return err
	}
	skus := map[int]id.ID{}
	for _, l := range t.Lines {
		skus[l.No] = l.SKU
	}
	for i, l := range loads {
		if goods := units[skus[l.Line]]; goods != nil && !goods.whole(l.Qty) {
			return ErrPieces.At(field(i, "qty"))
		}
	}
	return nil
}

// wholeOf refuses parts of pieces of goods on their way, unless it is exactly all of them that is meant: what was sent in
// parts can be received. at is the field of a quantity.
func (t *Transfer) wholeOf(tx *db.Tx, counted []Counted, all func(*Transit) qty.Qty, at func(line int) string) error {
	if len(counted) == 0 {
		return nil
	}
	units, err := t.unitsOf(tx)
	if err != nil {
		return err
	}
	for i, c := range counted {
		for k := range t.Transits {
			w := &t.Transits[k]
			if goods := units[w.SKU]; w.ID == c.Transit && goods != nil && !goods.whole(c.Qty) && c.Qty != all(w) {
				return ErrPieces.At(at(i))
			}
		}
	}
	return nil
}
