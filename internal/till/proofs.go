package till

import (
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/proof"
)

// Proofs check the documents of the till among themselves. That stock and money agree with them is proved by
// the flows, which know both.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "till_sales_equal_their_lines_and_tenders", Stops: []string{"sale"}, Run: prove(countSales, saleSums,
			"sale %v (%v): total %v, tax %v; its %v lines add up to %v, tax %v, its tenders to %v")},
		{Name: "till_lines_equal_their_batches", Stops: []string{"sale"}, Run: prove(countLines, lineBatches,
			"sale %v line %v: sold %v of the base unit, its batches add up to %v")},
		{Name: "till_bundles_equal_their_lines", Stops: []string{"sale"}, Run: prove(countBundles, bundleSums,
			"sale %v bundle %v: %v fen for %v lines, its %v lines add up to %v")},
		{Name: "till_rows_have_their_sale", Stops: []string{"sale"}, Run: prove(countSales, orphans, "%v of sale %v, which does not exist")},
		{Name: "till_slips_without_gap", Run: prove(countShifts, gaps,
			"register %v on %v: last number %v, but %v slips up to number %v; refunds: last number %v, %v slips up to %v")},
		{Name: "till_refunds_within_their_sale", Stops: []string{"refund"}, Run: prove(countRefunds, refundSums,
			"sale %v: %v of %v refunded by its own count, %v by its refunds, whose lines add up to %v and tenders to %v")},
		{Name: "till_refunded_lines_within_sold", Stops: []string{"refund"}, Run: prove(countRefunds, refundLines,
			"sale %v line %v: sold %v for %v, refunded %v for %v; batches took back %v of %v")},
		{Name: "till_pay_outs_have_a_reason", Stops: []string{"pay_out"}, Run: prove(countPayOuts, payOuts,
			"sale %v: %v fen were paid out for payment %v of %v fen, which is %v")},
		{Name: "till_cash_covers_its_tender", Run: prove(countCash, shortCash, "sale %v tender %v: %v fen in cash, %v fen were handed over")},
		{Name: "till_slips_have_who_made_them", Run: prove(countTold, otherStaff, "%v %v: staff %v on the slip, but when it was made it was told of somebody else")},
		{Name: "till_payments_match_their_tenders", Run: prove(countPayments, paymentTenders,
			"sale %v (%v) tender %v of %v: its payment is %v of %v")},
	}
}

const (
	countSales    = `SELECT COUNT(*) FROM till_sale`
	countBundles  = `SELECT COUNT(*) FROM till_bundle`
	countLines    = `SELECT COUNT(*) FROM till_line`
	countShifts   = `SELECT COUNT(*) FROM till_shift`
	countRefunds  = `SELECT COUNT(*) FROM till_refund`
	countPayOuts  = `SELECT COUNT(*) FROM till_pay_out`
	countPayments = `SELECT COUNT(*) FROM till_tender WHERE kind = 2`

	countCash = `SELECT COUNT(*) FROM till_tender WHERE kind = 1`
	shortCash = `SELECT COUNT(*) OVER (), t.sale_id, t.tender_no, t.amount_fen, t.given_fen FROM till_tender t WHERE t.kind = 1 AND t.given_fen < t.amount_fen ORDER BY t.sale_id, t.tender_no LIMIT 20`

	// Who sold and who took back stands in the event of the act, too: as long as events are kept, and after that in the seal of
	// the day. Those of older releases do not say.
	countTold  = `SELECT COUNT(*) FROM outbox_event e WHERE e.type IN ('till.sold.v1', 'till.awaiting.v1', 'till.refunded.v1') AND e.body LIKE '%"staff_id":"%'`
	otherStaff = `SELECT COUNT(*) OVER (), x.what, x.id, x.staff_id FROM (
			SELECT 'sale' AS what, s.id, s.staff_id FROM outbox_event e JOIN till_sale s ON s.id = e.subject
			WHERE e.type IN ('till.sold.v1', 'till.awaiting.v1') AND e.body LIKE '%"staff_id":"%' AND e.body NOT LIKE '%"staff_id":"' || CASE WHEN s.staff_id = 0 THEN '' ELSE CAST(s.staff_id AS TEXT) END || '"%'
			UNION ALL SELECT 'refund', f.id, f.staff_id FROM outbox_event e JOIN till_refund f ON f.sale_id = e.subject AND e.body LIKE '%"refund_id":"' || CAST(f.id AS TEXT) || '"%'
			WHERE e.type = 'till.refunded.v1' AND e.body LIKE '%"staff_id":"%' AND e.body NOT LIKE '%"staff_id":"' || CASE WHEN f.staff_id = 0 THEN '' ELSE CAST(f.staff_id AS TEXT) END || '"%'
		) x ORDER BY x.id LIMIT 20`

	saleSums = `SELECT COUNT(*) OVER (), s.id, s.state, s.total_fen, s.tax_fen, COALESCE(l.n, 0), COALESCE(l.amount, 0), COALESCE(l.tax, 0), COALESCE(t.amount, 0)
		FROM till_sale s
		LEFT JOIN (SELECT sale_id, COUNT(*) AS n, MAX(line_no) AS last_no, SUM(amount_fen) AS amount, SUM(tax_fen) AS tax FROM till_line GROUP BY sale_id) l ON l.sale_id = s.id
		LEFT JOIN (SELECT sale_id, COUNT(*) AS n, MAX(tender_no) AS last_no, SUM(amount_fen) AS amount FROM till_tender GROUP BY sale_id) t ON t.sale_id = s.id
		WHERE l.n IS NULL OR l.n <> l.last_no OR l.amount <> s.total_fen OR l.tax <> s.tax_fen
			OR COALESCE(t.amount, 0) <> s.total_fen OR COALESCE(t.n, 0) <> COALESCE(t.last_no, 0)
		ORDER BY s.id LIMIT 20`

	bundleSums = `SELECT COUNT(*) OVER (), x.sale_id, x.bundle_no, x.amount_fen, x.line_count, x.n, x.amount FROM (
			SELECT b.sale_id, b.bundle_no, b.amount_fen, b.line_count, COUNT(l.line_no) AS n, COALESCE(SUM(l.amount_fen), 0) AS amount
			FROM till_bundle b LEFT JOIN till_line l ON l.sale_id = b.sale_id AND l.line_no >= b.first_line AND l.line_no < b.first_line + b.line_count
			GROUP BY b.sale_id, b.bundle_no, b.amount_fen, b.line_count) x
		WHERE x.n <> x.line_count OR x.amount <> x.amount_fen ORDER BY x.sale_id, x.bundle_no LIMIT 20`

	lineBatches = `SELECT COUNT(*) OVER (), l.sale_id, l.line_no, l.base_qty, COALESCE(b.base_qty, 0)
		FROM till_line l
		LEFT JOIN (SELECT sale_id, line_no, SUM(base_qty) AS base_qty FROM till_line_batch GROUP BY sale_id, line_no) b ON b.sale_id = l.sale_id AND b.line_no = l.line_no
		WHERE COALESCE(b.base_qty, 0) <> l.base_qty
		ORDER BY l.sale_id, l.line_no LIMIT 20`

	orphans = `SELECT COUNT(*) OVER (), x.what, x.sale_id FROM (
			SELECT 'line' AS what, l.sale_id FROM till_line l LEFT JOIN till_sale s ON s.id = l.sale_id WHERE s.id IS NULL
			UNION ALL SELECT 'tender', t.sale_id FROM till_tender t LEFT JOIN till_sale s ON s.id = t.sale_id WHERE s.id IS NULL
			UNION ALL SELECT 'batch of a line', b.sale_id FROM till_line_batch b LEFT JOIN till_line l ON l.sale_id = b.sale_id AND l.line_no = b.line_no WHERE l.sale_id IS NULL
			UNION ALL SELECT 'slip without its day', s.id FROM till_sale s LEFT JOIN till_shift h ON h.register_id = s.register_id AND h.business_date = s.business_date WHERE h.register_id IS NULL
		) x ORDER BY x.sale_id LIMIT 20`

	gaps = `SELECT COUNT(*) OVER (), r.prefix, h.business_date, h.last_sale, COALESCE(s.n, 0), COALESCE(s.last_no, 0), h.last_refund, COALESCE(f.n, 0), COALESCE(f.last_no, 0)
		FROM till_shift h JOIN till_register r ON r.id = h.register_id
		LEFT JOIN (SELECT register_id, business_date, COUNT(*) AS n, MAX(slip_no) AS last_no FROM till_sale GROUP BY register_id, business_date) s
			ON s.register_id = h.register_id AND s.business_date = h.business_date
		LEFT JOIN (SELECT register_id, business_date, COUNT(*) AS n, MAX(slip_no) AS last_no FROM till_refund GROUP BY register_id, business_date) f
			ON f.register_id = h.register_id AND f.business_date = h.business_date
		WHERE COALESCE(s.n, 0) <> h.last_sale OR COALESCE(s.last_no, 0) <> h.last_sale OR COALESCE(f.n, 0) <> h.last_refund OR COALESCE(f.last_no, 0) <> h.last_refund
		ORDER BY r.prefix, h.business_date LIMIT 20`

	refundSums = `SELECT COUNT(*) OVER (), s.id, s.refunded_fen, s.total_fen, COALESCE(f.amount, 0), COALESCE(f.lines, 0), COALESCE(f.tenders, 0)
		FROM till_sale s
		LEFT JOIN (SELECT f.sale_id, SUM(f.amount_fen) AS amount, SUM(l.amount) AS lines, SUM(l.tax) - SUM(f.tax_fen) AS tax_off, SUM(COALESCE(t.amount, 0)) AS tenders
			FROM till_refund f
			JOIN (SELECT refund_id, SUM(amount_fen) AS amount, SUM(tax_fen) AS tax FROM till_refund_line GROUP BY refund_id) l ON l.refund_id = f.id
			LEFT JOIN (SELECT refund_id, SUM(amount_fen) AS amount FROM till_refund_tender GROUP BY refund_id) t ON t.refund_id = f.id
			GROUP BY f.sale_id) f ON f.sale_id = s.id
		WHERE s.refunded_fen > s.total_fen OR COALESCE(f.amount, 0) <> s.refunded_fen OR f.lines <> f.amount OR f.tenders <> f.amount OR f.tax_off <> 0
			OR f.sale_id IS NOT NULL AND s.state <> 'paid'
		ORDER BY s.id LIMIT 20`

	refundLines = `SELECT COUNT(*) OVER (), l.sale_id, l.line_no, l.qty, l.amount_fen, x.qty, x.amount, COALESCE(b.base_qty, 0), x.base_qty
		FROM (SELECT f.sale_id, r.line_no, SUM(r.qty) AS qty, SUM(r.base_qty) AS base_qty, SUM(r.amount_fen) AS amount FROM till_refund f JOIN till_refund_line r ON r.refund_id = f.id
			GROUP BY f.sale_id, r.line_no) x
		JOIN till_line l ON l.sale_id = x.sale_id AND l.line_no = x.line_no
		LEFT JOIN (SELECT y.sale_id, y.line_no, SUM(y.base_qty) AS base_qty, SUM(CASE WHEN y.base_qty > t.base_qty OR y.cost > t.cost_fen THEN 1 ELSE 0 END) AS over_taken
			FROM (SELECT f.sale_id, r.leg, r.line_no, r.batch_id, SUM(r.base_qty) AS base_qty, SUM(r.cost_fen) AS cost FROM till_refund f JOIN till_refund_batch r ON r.refund_id = f.id
				GROUP BY f.sale_id, r.leg, r.line_no, r.batch_id) y
			JOIN till_line_batch t ON t.sale_id = y.sale_id AND t.leg = y.leg AND t.line_no = y.line_no AND t.batch_id = y.batch_id
			GROUP BY y.sale_id, y.line_no) b ON b.sale_id = x.sale_id AND b.line_no = x.line_no
		WHERE x.qty > l.qty OR x.amount > l.amount_fen OR x.qty = l.qty AND x.amount <> l.amount_fen OR COALESCE(b.base_qty, 0) <> x.base_qty OR b.over_taken > 0
		ORDER BY l.sale_id, l.line_no LIMIT 20`

	payOuts = `SELECT COUNT(*) OVER (), o.sale_id, o.amount_fen, p.id, p.amount_fen, p.state FROM till_pay_out o JOIN till_payment p ON p.id = o.payment_id
		WHERE p.kind <> 2 OR p.state <> 'failed' OR p.amount_fen <> o.amount_fen OR p.sale_id <> o.sale_id ORDER BY o.sale_id LIMIT 20`

	paymentTenders = `SELECT COUNT(*) OVER (), t.sale_id, s.state, t.tender_no, t.amount_fen, COALESCE(p.state, 'missing'), COALESCE(p.amount_fen, 0)
		FROM till_tender t JOIN till_sale s ON s.id = t.sale_id
		LEFT JOIN till_payment p ON p.sale_id = t.sale_id AND p.tender_no = t.tender_no AND p.kind = 1
		WHERE t.kind = 2 AND (p.id IS NULL OR p.amount_fen <> t.amount_fen OR s.state IN ('paid', 'voided') AND p.state <> 'done')
		ORDER BY t.sale_id, t.tender_no LIMIT 20`
)

// prove runs a question that finds what is wrong: first column how many there are, then what the sentence names.
func prove(count, find, sentence string) func(*db.Tx) (proof.Result, error) {
	return func(tx *db.Tx) (proof.Result, error) { return Prove(tx, count, find, sentence) }
}

// Prove counts what there is to check, and asks for what is wrong with it: the first column of find is how many
// rows are wrong in all, the others fill the sentence.
func Prove(tx *db.Tx, count, find, sentence string) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(count).Scan(&r.Rows); err != nil {
		return r, err
	}
	places := make([]any, 1+strings.Count(sentence, "%v"))
	values := make([]any, len(places))
	for i := range values {
		places[i] = &values[i]
	}
	rows := tx.Query(find)
	defer rows.Close()
	bad := int64(0)
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return r, err
		}
		bad, _ = values[0].(int64)
		r.Add(sentence, values[1:]...)
	}
	r.Bad = bad
	return r, rows.Err()
}
