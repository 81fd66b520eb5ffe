package stock

import (
	"cmp"
	"slices"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Two lists may hold the same goods: a cycle count beside the count of the whole shop. What both of them found missing is
// missing once. So when one is posted, what the books said is set right on the lines of the others, as if the books had been
// right when those lines were counted: only what is left of their difference is posted then.

// + 0: of the few that go on, or SQLite reads all of the site for their order.
const countsGoingOn = `SELECT id FROM stock_count WHERE site_id = $1 AND state IN ('open', 'review', 'posting') ORDER BY id + 0`

// beside locks the counts of the site that are not over, by rising id, and returns those but c. Whoever posts one holds them all:
// nobody puts a line onto another meanwhile.
func (c *Count) beside(tx *db.Tx) ([]id.ID, error) {
	rows := tx.Query(countsGoingOn+tx.ForUpdate(), c.Site)
	defer rows.Close()
	var others []id.ID
	for rows.Next() {
		var n id.ID
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		if n != c.ID {
			others = append(others, n)
		}
	}
	return others, rows.Err()
}

// linesOf are the lines of another count about goods: of the product, and of the batch.
const linesOf = `SELECT line_no, batch_id FROM stock_count_line WHERE count_id = $1 AND sku_id = $2 AND batch_id IN (0, $3)`

// setRight tells the other counts what d, a posting of c, has corrected.
func (c *Count) setRight(tx *db.Tx, others []id.ID, d *Document) error {
	for _, other := range others {
		type change struct {
			line  int64
			sku   id.ID
			batch id.ID
			by    qty.Qty
		}
		var changes []change
		for _, l := range d.Lines {
			rows := tx.Query(linesOf, other, l.SKU, l.Batch)
			for rows.Next() {
				x := change{sku: l.SKU, by: l.Qty}
				if err := rows.Scan(&x.line, &x.batch); err != nil {
					return err
				}
				if i := slices.IndexFunc(changes, func(y change) bool { return y.line == x.line }); i >= 0 {
					changes[i].by += x.by
				} else {
					changes = append(changes, x)
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.line, b.line) }) // the order in which everybody locks lines
		for _, x := range changes {
			// A line that nobody has counted is locked too: whoever is about to count it reads the books after this.
			if err := tx.Exec(`UPDATE stock_count_line SET book = book + CASE WHEN state IN (2, 3, 4) THEN CAST($1 AS BIGINT) ELSE 0 END,
				decided_by = CASE WHEN state = 4 THEN 0 ELSE decided_by END, state = CASE WHEN state = 4 THEN 2 ELSE state END
				WHERE count_id = $2 AND line_no = $3 AND state <= 4`, x.by, other, x.line); err != nil {
				return err
			}
			if err := tx.Exec(`UPDATE stock_count_entry SET book = book + $1 WHERE count_id = $2 AND line_no = $3
				AND EXISTS (SELECT 1 FROM stock_count_line l WHERE l.count_id = $2 AND l.line_no = $3 AND l.state <= 4)`, x.by, other, x.line); err != nil {
				return err
			}
			var state LineState
			var counted, was, book qty.Qty
			var worth money.Fen
			if err := tx.QueryRow(`SELECT state, counted, book FROM stock_count_line WHERE count_id = $1 AND line_no = $2`, other, x.line).Scan(&state, &counted, &was); err != nil {
				return err
			}
			if state != IsCounted && state != CountAgain {
				continue
			}
			if err := tx.QueryRow(bookOfLine, c.Site, x.sku, x.batch).Scan(&book, &worth); err != nil {
				return err
			}
			value, err := c.worth(tx, x.sku, counted-was, book, worth)
			if err != nil {
				return err
			}
			if err := tx.Exec(`UPDATE stock_count_line SET value_fen = $1 WHERE count_id = $2 AND line_no = $3`, value, other, x.line); err != nil {
				return err
			}
		}
	}
	return nil
}
