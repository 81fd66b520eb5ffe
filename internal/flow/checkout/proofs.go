package checkout

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/till"
)

// Proofs check document by document that the ledger has every leg of a sale, void, refund and late payment, and
// no leg too many. A trial balance would not notice a sale whose legs are all missing.
//
// The numbers in the statements are those of till and stock: documents 40 sale, 41 void, 42 refund, 43 late payment, 44 pay-out;
// flows -101 sold, -201 cost of sales, -3000 less the rate revenue, -10000 less the rate output tax; unit 1 is CNY.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "checkout_goods_of_sales_are_posted", Stops: []string{"sale"}, Run: prove(postedSales, saleGoods,
			"sale %v (%v) leg %v: %v thousandths from batch %v at a cost of %v; the ledger moved %v at %v")},
		{Name: "checkout_lines_are_of_their_batches", Stops: []string{"sale"}, Run: prove(soldBatches, otherGoods,
			"sale %v line %v: product %v on the slip, product %v from batch %v")},
		{Name: "checkout_money_of_sales_is_posted", Stops: []string{"sale"}, Run: prove(postedSales, saleMoney,
			"sale %v: account %v differs from the documents by %v fen")},
		{Name: "checkout_no_posting_without_its_document", Stops: []string{"sale", "void", "refund", "late_payment", "pay_out"}, Run: prove(postings, strayLegs,
			"%v %v leg %v of %v in unit %v has no document behind it")},
		{Name: "checkout_voids_take_back_their_sale", Stops: []string{"void"}, Run: prove(voids, voidLegs,
			"sale %v (voided) leg %v: %v of %v taken back")},
		{Name: "checkout_goods_of_refunds_are_posted", Stops: []string{"refund"}, Run: prove(refunds, refundGoods,
			"refund %v of sale leg %v: %v thousandths at a cost of %v; the ledger took back %v at %v")},
		{Name: "checkout_money_of_refunds_is_posted", Stops: []string{"refund"}, Run: prove(refunds, refundMoney,
			"refund %v: account %v differs from the documents by %v fen")},
		{Name: "checkout_late_payments_go_back", Stops: []string{"late_payment"}, Run: prove(latePayments, lateLegs,
			"payment %v of sale %v: %v fen, the ledger has %v")},
		{Name: "checkout_pay_outs_are_posted", Stops: []string{"pay_out"}, Run: prove(payOutCount, payOutLegs,
			"sale %v: %v fen paid out for payment %v, the ledger has %v")},
		{Name: "checkout_prices_are_those_of_the_book", Stops: []string{"sale"}, Run: prove(soldPrices, unbookedPrices,
			"unit %v at site %v on %v was sold for %v fen, which the price book never said")},
		{Name: "checkout_markdowns_have_their_decision", Run: prove(reducedLines, undecided,
			"sale %v line %v: marked down by %v, which decided nothing about these goods by then")},
		{Name: "checkout_lines_cost_what_was_decided", Run: prove(soldLines, wronglyPaid,
			"sale %v, unit %v: paid were %v fen, by price book and markdown %v are due")},
	}
}

func prove(count, find, sentence string) func(*db.Tx) (proof.Result, error) {
	return func(tx *db.Tx) (proof.Result, error) { return till.Prove(tx, count, find, sentence) }
}

const (
	postedSales  = `SELECT COUNT(*) FROM till_sale WHERE state IN ('paid', 'voided')`
	voids        = `SELECT COUNT(*) FROM till_sale WHERE state = 'voided'`
	refunds      = `SELECT COUNT(*) FROM till_refund`
	postings     = `SELECT COUNT(*) FROM ledger_transfer WHERE doc_kind IN (40, 41, 42, 43, 44)`
	latePayments = `SELECT COUNT(*) FROM till_payment p JOIN till_sale s ON s.id = p.sale_id WHERE s.state = 'failed' AND p.refund_id = 0 AND p.state = 'done'`
	payOutCount  = `SELECT COUNT(*) FROM till_pay_out`
	soldPrices   = `SELECT COUNT(*) FROM (SELECT DISTINCT l.unit_id, s.site_id, s.business_date, l.price_fen FROM till_line l JOIN till_sale s ON s.id = l.sale_id) x`

	// A part of a bundle has a share of the bundle's price, and perhaps no price of its own.
	notBundled = `NOT EXISTS (SELECT 1 FROM till_bundle b WHERE b.sale_id = l.sale_id AND l.line_no >= b.first_line AND l.line_no < b.first_line + b.line_count)`

	// Every batch of every line has its leg of goods and, unless it cost nothing, the leg of its cost beside it.
	saleGoods = `SELECT COUNT(*) OVER (), s.id, s.state, b.leg, b.base_qty, b.batch_id, b.cost_fen, COALESCE(t.amount, 0), COALESCE(v.amount, 0)
		FROM till_line_batch b JOIN till_sale s ON s.id = b.sale_id AND s.state IN ('paid', 'voided')
		LEFT JOIN stock_batch k ON k.id = b.batch_id AND k.site_id = s.site_id
		LEFT JOIN ledger_transfer t ON t.doc_kind = 40 AND t.doc_id = b.sale_id AND t.leg = b.leg AND t.from_id = b.batch_id AND t.to_id = -101 AND t.unit = k.sku_id
			AND t.site_id = s.site_id AND t.business_date = s.business_date
		LEFT JOIN ledger_transfer v ON v.doc_kind = 40 AND v.doc_id = b.sale_id AND v.leg = b.leg + 1 AND v.from_id = k.value_id AND v.to_id = -201 AND v.unit = 1
		WHERE COALESCE(t.amount, 0) <> b.base_qty OR COALESCE(v.amount, 0) <> b.cost_fen
		ORDER BY s.id, b.leg LIMIT 20`

	soldBatches = `SELECT COUNT(*) FROM till_line_batch`
	otherGoods  = `SELECT COUNT(*) OVER (), l.sale_id, l.line_no, l.product_id, c.product_id, b.batch_id
		FROM till_line_batch b JOIN till_line l ON l.sale_id = b.sale_id AND l.line_no = b.line_no
		JOIN stock_batch k ON k.id = b.batch_id JOIN catalog_sku c ON c.id = k.sku_id
		WHERE c.product_id <> l.product_id ORDER BY l.sale_id, l.line_no LIMIT 20`

	// Revenue and tax by rate, and what each tender went to, against the legs.
	saleMoney = `SELECT COUNT(*) OVER (), x.sale_id, x.account, SUM(x.fen) FROM (
			SELECT l.sale_id, -3000 - l.tax_bp AS account, SUM(l.amount_fen - l.tax_fen) AS fen FROM till_line l GROUP BY l.sale_id, l.tax_bp
			UNION ALL SELECT l.sale_id, -10000 - l.tax_bp, SUM(l.tax_fen) FROM till_line l GROUP BY l.sale_id, l.tax_bp
			UNION ALL SELECT t.sale_id, CASE WHEN t.kind = 1 THEN h.drawer_id ELSE COALESCE(c.account_id, 0) END, t.amount_fen
				FROM till_tender t JOIN till_sale s ON s.id = t.sale_id JOIN till_shift h ON h.register_id = s.register_id AND h.business_date = s.business_date
				LEFT JOIN till_payment p ON t.kind = 2 AND p.sale_id = t.sale_id AND p.tender_no = t.tender_no AND p.kind = 1
				LEFT JOIN till_clearing c ON c.site_id = s.site_id AND c.provider = p.provider
			UNION ALL SELECT f.doc_id, f.from_id, -f.amount FROM ledger_transfer f WHERE f.doc_kind = 40 AND f.unit = 1 AND f.from_id <= -3000
			UNION ALL SELECT g.doc_id, g.to_id, -g.amount FROM ledger_transfer g WHERE g.doc_kind = 40 AND g.unit = 1 AND g.from_id <= -3000
		) x JOIN till_sale s ON s.id = x.sale_id AND s.state IN ('paid', 'voided')
		GROUP BY x.sale_id, x.account HAVING SUM(x.fen) <> 0 ORDER BY x.sale_id, x.account LIMIT 20`

	strayLegs = `SELECT COUNT(*) OVER (), x.what, x.doc_id, x.leg, x.amount, x.unit FROM (
			SELECT 'sale' AS what, t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_sale s ON s.id = t.doc_id AND s.state IN ('paid', 'voided')
				WHERE t.doc_kind = 40 AND s.id IS NULL
			UNION ALL SELECT 'sale', t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_line_batch b ON b.sale_id = t.doc_id AND b.leg = t.leg
				WHERE t.doc_kind = 40 AND t.unit <> 1 AND b.sale_id IS NULL
			UNION ALL SELECT 'sale', t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_line_batch b ON b.sale_id = t.doc_id AND b.leg = t.leg - 1
				WHERE t.doc_kind = 40 AND t.unit = 1 AND t.from_id > -3000 AND b.sale_id IS NULL
			UNION ALL SELECT 'void', t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_sale s ON s.id = t.doc_id AND s.state = 'voided'
				WHERE t.doc_kind = 41 AND (s.id IS NULL OR t.corrects_id IS NULL OR t.corrects_kind <> 40 OR t.corrects_id <> t.doc_id)
			UNION ALL SELECT 'refund', t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_refund f ON f.id = t.doc_id WHERE t.doc_kind = 42 AND f.id IS NULL
			UNION ALL SELECT 'late payment', t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_payment p ON p.id = t.doc_id AND p.state = 'done' AND p.refund_id = 0
				WHERE t.doc_kind = 43 AND p.id IS NULL
			UNION ALL SELECT 'pay-out', t.doc_id, t.leg, t.amount, t.unit FROM ledger_transfer t LEFT JOIN till_pay_out o ON o.payment_id = t.doc_id
				WHERE t.doc_kind = 44 AND o.payment_id IS NULL
		) x ORDER BY x.doc_id, x.leg LIMIT 20`

	// A void takes every leg back, wholly, and names it.
	voidLegs = `SELECT COUNT(*) OVER (), s.id, t.leg, COALESCE(b.amount, 0), t.amount
		FROM till_sale s JOIN ledger_transfer t ON t.doc_kind = 40 AND t.doc_id = s.id
		LEFT JOIN (SELECT doc_id, corrects_leg, SUM(CASE WHEN corrects_kind = 40 AND corrects_id = doc_id THEN amount ELSE 0 END) AS amount FROM ledger_transfer WHERE doc_kind = 41
			GROUP BY doc_id, corrects_leg) b ON b.doc_id = s.id AND b.corrects_leg = t.leg
		WHERE s.state = 'voided' AND COALESCE(b.amount, 0) <> t.amount
		ORDER BY s.id, t.leg LIMIT 20`

	refundGoods = `SELECT COUNT(*) OVER (), b.refund_id, b.leg, b.base_qty, b.cost_fen, COALESCE(t.amount, 0), COALESCE(v.amount, 0)
		FROM till_refund_batch b JOIN till_refund f ON f.id = b.refund_id
		LEFT JOIN ledger_transfer t ON t.doc_kind = 42 AND t.doc_id = b.refund_id AND t.corrects_kind = 40 AND t.corrects_id = f.sale_id AND t.corrects_leg = b.leg AND t.unit <> 1 AND t.from_id = -101
		LEFT JOIN ledger_transfer v ON v.doc_kind = 42 AND v.doc_id = b.refund_id AND v.corrects_kind = 40 AND v.corrects_id = f.sale_id AND v.corrects_leg = b.leg + 1 AND v.unit = 1 AND v.from_id = -201
		WHERE COALESCE(t.amount, 0) <> b.base_qty OR COALESCE(v.amount, 0) <> b.cost_fen
		ORDER BY b.refund_id, b.leg LIMIT 20`

	refundMoney = `SELECT COUNT(*) OVER (), x.refund_id, x.account, SUM(x.fen) FROM (
			SELECT r.refund_id, -3000 - l.tax_bp AS account, r.amount_fen - r.tax_fen AS fen FROM till_refund_line r JOIN till_refund f ON f.id = r.refund_id JOIN till_line l ON l.sale_id = f.sale_id AND l.line_no = r.line_no
			UNION ALL SELECT r.refund_id, -10000 - l.tax_bp, r.tax_fen FROM till_refund_line r JOIN till_refund f ON f.id = r.refund_id JOIN till_line l ON l.sale_id = f.sale_id AND l.line_no = r.line_no
			UNION ALL SELECT t.refund_id, CASE WHEN t.kind = 1 THEN h.drawer_id ELSE COALESCE(c.account_id, 0) END, t.amount_fen
				FROM till_refund_tender t JOIN till_refund f ON f.id = t.refund_id JOIN till_shift h ON h.register_id = f.register_id AND h.business_date = f.business_date
				LEFT JOIN till_payment p ON t.kind = 2 AND p.refund_id = t.refund_id AND p.tender_no = t.tender_no AND p.kind = 2
				LEFT JOIN till_clearing c ON c.site_id = f.site_id AND c.provider = p.provider
			UNION ALL SELECT g.doc_id, g.to_id, -g.amount FROM ledger_transfer g WHERE g.doc_kind = 42 AND g.unit = 1 AND g.to_id <= -3000
			UNION ALL SELECT g.doc_id, g.from_id, -g.amount FROM ledger_transfer g WHERE g.doc_kind = 42 AND g.unit = 1 AND g.to_id <= -3000
		) x GROUP BY x.refund_id, x.account HAVING SUM(x.fen) <> 0 ORDER BY x.refund_id, x.account LIMIT 20`

	// Money that came for a sale that was given up is booked, and so is its way back.
	lateLegs = `SELECT COUNT(*) OVER (), p.id, p.sale_id, p.amount_fen, COALESCE(t.amount, 0)
		FROM till_payment p JOIN till_sale s ON s.id = p.sale_id
		LEFT JOIN ledger_transfer t ON t.doc_kind = 43 AND t.doc_id = p.id AND t.leg = 1
		WHERE s.state = 'failed' AND p.refund_id = 0 AND p.state = 'done' AND COALESCE(t.amount, 0) <> p.amount_fen
		ORDER BY p.id LIMIT 20`

	payOutLegs = `SELECT COUNT(*) OVER (), o.sale_id, o.amount_fen, o.payment_id, COALESCE(t.amount, 0)
		FROM till_pay_out o JOIN till_shift h ON h.register_id = o.register_id AND h.business_date = o.business_date
		LEFT JOIN ledger_transfer t ON t.doc_kind = 44 AND t.doc_id = o.payment_id AND t.leg = 1 AND t.from_id = h.drawer_id
		WHERE COALESCE(t.amount, 0) <> o.amount_fen ORDER BY o.sale_id LIMIT 20`

	unbookedPrices = `SELECT COUNT(*) OVER (), x.unit_id, x.site_id, x.business_date, x.price_fen
		FROM (SELECT DISTINCT l.unit_id, s.site_id, s.business_date, l.price_fen FROM till_line l JOIN till_sale s ON s.id = l.sale_id WHERE ` + notBundled + `
			UNION SELECT g.unit_id, s.site_id, s.business_date, g.price_fen FROM till_bundle g JOIN till_sale s ON s.id = g.sale_id) x
		WHERE NOT EXISTS (SELECT 1 FROM price_entry e WHERE e.unit_id = x.unit_id AND (e.site_id IS NULL OR e.site_id = x.site_id) AND e.valid_from <= x.business_date AND e.price_fen = x.price_fen)
		ORDER BY x.unit_id LIMIT 20`

	reducedLines = `SELECT COUNT(*) FROM till_line WHERE markdown_id > 0`
	soldLines    = `SELECT COUNT(*) FROM till_line`

	// The decision was made before the sale, at the site, about the batch that the goods came from.
	undecided = `SELECT COUNT(*) OVER (), l.sale_id, l.line_no, l.markdown_id FROM till_line l JOIN till_sale s ON s.id = l.sale_id
		LEFT JOIN clear_step c ON c.id = l.markdown_id AND c.changed = 1 AND c.site_id = s.site_id AND c.at <= s.sold_at
		WHERE l.markdown_id > 0 AND (c.id IS NULL OR EXISTS (SELECT 1 FROM till_line_batch b WHERE b.sale_id = l.sale_id AND b.line_no = l.line_no AND b.batch_id <> c.batch_id))
		ORDER BY l.sale_id, l.line_no LIMIT 20`

	// A line costs price times quantity less what the markdown took off, and nothing is taken off without one; what was
	// sold by an amount of money is so exact only as the scale. Lines of
	// one price together cost that price times their quantity, where of two one is free only half of the whole pairs.
	wronglyPaid = `SELECT COUNT(*) OVER (), x.sale_id, x.unit_id, x.paid, x.due FROM (
			SELECT l.sale_id, l.unit_id, l.amount_fen AS paid, (l.price_fen * l.qty + 500) / 1000 - CASE WHEN l.markdown_id > 0 THEN l.off_fen ELSE 0 END AS due FROM till_line l
				WHERE ` + notBundled + ` AND (l.markdown_id > 0 AND l.amount_fen <> (l.price_fen * l.qty + 500) / 1000 - l.off_fen
					OR l.markdown_id = 0 AND (l.off_fen <> 0 OR ABS(l.amount_fen - (l.price_fen * l.qty + 500) / 1000) > l.price_fen / 1000 + 1))
			UNION ALL SELECT g.sale_id, g.unit_id, g.amount_fen, (g.price_fen * g.qty + 500) / 1000 FROM till_bundle g WHERE g.amount_fen <> (g.price_fen * g.qty + 500) / 1000
			UNION ALL
			SELECT g.sale_id, g.unit_id, CAST(SUM(g.amount_fen) AS BIGINT), CAST(SUM((g.price * g.qty + 500) / 1000) - g.free * g.price * (CAST(SUM(g.qty) AS BIGINT) / 2000) AS BIGINT) FROM (
				SELECT d.sale_id, d.unit_id, d.product_id, d.free, d.qty, d.amount_fen, CASE WHEN d.price < d.price_fen THEN d.price ELSE d.price_fen END AS price FROM (
					SELECT l.sale_id, l.unit_id, l.product_id, l.qty, l.amount_fen, l.price_fen, c.free,
						CASE WHEN l.unit_id = m.unit_id OR c.list_fen = 0 THEN c.price_fen ELSE (2 * l.price_fen * c.price_fen + c.list_fen) / (2 * c.list_fen) END AS price
					FROM till_line l JOIN clear_step c ON c.id = l.markdown_id JOIN clear_markdown m ON m.batch_id = c.batch_id WHERE l.markdown_id > 0) d) g
				GROUP BY g.sale_id, g.unit_id, g.product_id, g.free, g.price
				HAVING SUM(g.amount_fen) <> SUM((g.price * g.qty + 500) / 1000) - g.free * g.price * (CAST(SUM(g.qty) AS BIGINT) / 2000)
		) x ORDER BY x.sale_id LIMIT 20`
)
