package purchase

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs of what purchase orders promise among themselves. That goods and receipts agree is proved by flow/supplyday.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "purchase_received_is_the_sum_of_receipts", Run: proveReceived},
		{Name: "purchase_states_follow_what_came", Run: proveStates},
		{Name: "purchase_records_add_up", Run: proveRecord},
		{Name: "purchase_words_are_their_records", Run: proveWords},
	}
}

func proveReceived(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM purchase_line`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT o.no, l.line_no, l.received, COALESCE(x.qty, 0), l.received_fen, COALESCE(x.fen, 0) FROM purchase_line l JOIN purchase_order o ON o.id = l.order_id
LEFT JOIN (SELECT p.order_id, r.order_line, SUM(r.qty) AS qty, SUM(r.cost_fen) AS fen FROM purchase_receipt p JOIN purchase_receipt_line r ON r.receipt_id = p.id GROUP BY p.order_id, r.order_line) x
	ON x.order_id = l.order_id AND x.order_line = l.line_no
WHERE l.received <> COALESCE(x.qty, 0) OR l.received_fen <> COALESCE(x.fen, 0)`)
	for rows.Next() {
		var no string
		var line, has, came, fen, cost int64
		if err := rows.Scan(&no, &line, &has, &came, &fen, &cost); err != nil {
			return r, err
		}
		r.Add("line %d of %s says that %d thousandths came for %d fen, its receipts %d for %d", line, no, has, fen, came, cost)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT r.receipt_id, r.line_no FROM purchase_receipt_line r JOIN purchase_receipt p ON p.id = r.receipt_id
LEFT JOIN purchase_line l ON l.order_id = p.order_id AND l.line_no = r.order_line WHERE l.order_id IS NULL
UNION ALL
SELECT p.id, 0 FROM purchase_receipt p WHERE NOT EXISTS (SELECT 1 FROM purchase_receipt_line r WHERE r.receipt_id = p.id)`)
	for rows.Next() {
		var receipt id.ID
		var line int64
		if err := rows.Scan(&receipt, &line); err != nil {
			return r, err
		}
		r.Add("line %d of receipt %s belongs to no line of an order, or the receipt has none", line, receipt)
	}
	return r, rows.Err()
}

func proveStates(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM purchase_order`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT o.no, o.state FROM purchase_order o JOIN (SELECT order_id, COUNT(*) AS n, SUM(CASE WHEN received > 0 THEN 1 ELSE 0 END) AS came, SUM(CASE WHEN received < qty THEN 1 ELSE 0 END) AS open,
	SUM(CASE WHEN received > qty + qty * 5 / 100 THEN 1 ELSE 0 END) AS beyond FROM purchase_line GROUP BY order_id) l ON l.order_id = o.id
WHERE l.n <> o.lines OR l.beyond > 0 OR (o.state IN ('proposed', 'confirmed', 'sent') AND l.came > 0) OR (o.state = 'part_received' AND (l.came = 0 OR l.open = 0)) OR (o.state = 'received' AND l.open > 0)
UNION ALL
SELECT o.no, o.state FROM purchase_order o WHERE NOT EXISTS (SELECT 1 FROM purchase_line l WHERE l.order_id = o.id)`)
	for rows.Next() {
		var no, state string
		if err := rows.Scan(&no, &state); err != nil {
			return r, err
		}
		r.Add("%s is %s, which its lines are not", no, state)
	}
	return r, rows.Err()
}

// proveRecord makes the record of each due date again that nothing can change any more: what came after the patience counts
// no more.
func proveRecord(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var newest cal.Date
	if err := tx.QueryRow(`SELECT COALESCE(MAX(due), '') FROM purchase_record`).Scan(&newest); err != nil || newest == "" {
		return r, err
	}
	last := newest.AddDays(-patience - 1)
	if err := tx.QueryRow(`SELECT COUNT(*) FROM purchase_record WHERE due <= $1`, last).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT DISTINCT due FROM purchase_record WHERE due <= $1 ORDER BY due`, last)
	defer rows.Close()
	var dues []cal.Date
	for rows.Next() {
		var due cal.Date
		if err := rows.Scan(&due); err != nil {
			return r, err
		}
		dues = append(dues, due)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	for _, due := range dues {
		stored, err := recordsOf(tx.Query(storedRecord, due))
		if err != nil {
			return r, err
		}
		again, err := recordsOf(tx.Query(recordOf, recordArgs(due)...))
		if err != nil {
			return r, err
		}
		for key, was := range stored {
			if now := again[key]; now != was {
				r.Add("of product %d from supplier %d due on %s the record says %v, the orders %v", key[1], key[0], due, was, now)
			}
			delete(again, key)
		}
		for key := range again {
			r.Add("of product %d from supplier %d due on %s there is no record", key[1], key[0], due)
		}
	}
	return r, nil
}

const storedRecord = `SELECT supplier_id, due, product_id, lines, full_lines, timely_lines, ordered, in_time, in_one, in_two, came, ordered_fen, came_fen FROM purchase_record WHERE due = $1`

func recordsOf(rows *db.Rows) (map[[2]id.ID][10]int64, error) {
	defer rows.Close()
	all := map[[2]id.ID][10]int64{}
	for rows.Next() {
		var key [2]id.ID
		var due string
		var v [10]int64
		if err := rows.Scan(&key[0], &due, &key[1], &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9]); err != nil {
			return nil, err
		}
		all[key] = v
	}
	return all, rows.Err()
}
