package stock

import (
	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs of what stock promises. That every sale has its goods and its cost is proved by the flow that sells.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "stock_batches_match_their_accounts", Run: proveAccounts, Stops: kindNames(ReceiptDoc, OpeningDoc, WriteOffDoc, AdjustmentDoc, ShippedDoc, ArrivedDoc)},
		{Name: "stock_open_batches_are_those_with_goods", Run: proveOpen, Stops: kindNames(WriteOffDoc, AdjustmentDoc, FreezeDoc, ReleaseDoc, MoveDoc)},
		{Name: "stock_value_ends_with_the_goods", Run: proveValue, Stops: kindNames(WriteOffDoc, AdjustmentDoc)},
		{Name: "stock_documents_are_complete", Run: proveDocuments}, // the kind of what is not
		{Name: "stock_transfers_add_up", Run: proveTransfers, Stops: kindNames(ShippedDoc, ArrivedDoc, SettledDoc)},
		{Name: "stock_counts_are_posted", Run: proveCounts, Stops: kindNames(CountDoc)},
		{Name: "stock_promises_are_held", Run: provePromises, Stops: kindNames(ChannelDoc)},
		{Name: "stock_costs_are_shared", Run: proveCosts, Stops: kindNames(LandedDoc, SupplierReturnDoc)},
		{Name: "stock_conversions_keep_their_value", Run: proveConversions, Stops: kindNames(ConversionDoc, ConversionBackDoc)},
	}
}

// kindNames are the documents that a red proof stops: at the site of what is wrong, where that is known.
func kindNames(kinds ...ledger.Kind) (names []string) {
	for _, k := range kinds {
		names = append(names, k.String())
	}
	return names
}

// proveAccounts: a batch has its two accounts, of its site and in its units, and no other account is in the
// two books but those of work orders.
func proveAccounts(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_batch`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT b.id, b.site_id, b.code FROM stock_batch b
LEFT JOIN ledger_account a ON a.id = b.id AND a.book = $1 AND a.unit = b.sku_id AND a.site_id = b.site_id
LEFT JOIN ledger_account v ON v.id = b.value_id AND v.book = $2 AND v.unit = $3 AND v.site_id = b.site_id
WHERE a.id IS NULL OR v.id IS NULL`, Book, ValueBook, ledger.CNY)
	for rows.Next() {
		var batch, site id.ID
		var code string
		if err := rows.Scan(&batch, &site, &code); err != nil {
			return r, err
		}
		r.AddAt(site, "batch %s (%s) lacks an account of its own", batch, code)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT a.id, a.site_id, a.book FROM ledger_account a
WHERE a.book = $1 AND NOT EXISTS (SELECT 1 FROM stock_batch b WHERE b.id = a.id) AND NOT EXISTS (SELECT 1 FROM stock_place p WHERE p.id = a.id)
	AND NOT EXISTS (SELECT 1 FROM stock_transit w WHERE w.id = a.id)
UNION ALL
SELECT a.id, a.site_id, a.book FROM ledger_account a LEFT JOIN stock_batch b ON b.value_id = a.id LEFT JOIN stock_place p ON p.value_id = a.id LEFT JOIN stock_transit w ON w.value_id = a.id
WHERE a.book = $2 AND a.kind <> $3 AND b.id IS NULL AND p.id IS NULL AND w.id IS NULL`, Book, ValueBook, WorkOrder)
	for rows.Next() {
		var account, site id.ID
		var book ledger.Book
		if err := rows.Scan(&account, &site, &book); err != nil {
			return r, err
		}
		r.AddAt(site, "account %s of book %s belongs to no batch", account, book)
	}
	return r, rows.Err()
}

func proveOpen(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_batch`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT b.id, b.site_id, b.code, b.open, a.posted_in - a.posted_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id
WHERE (b.open = 1) <> (a.posted_in - a.posted_out > 0)
UNION ALL
SELECT p.id, p.site_id, b.code, p.open, a.posted_in - a.posted_out FROM stock_place p JOIN stock_batch b ON b.id = p.batch_id JOIN ledger_account a ON a.id = p.id
WHERE (p.open = 1) <> (a.posted_in - a.posted_out > 0)`)
	for rows.Next() {
		var batch, site id.ID
		var code string
		var open, left int64
		if err := rows.Scan(&batch, &site, &code, &open, &left); err != nil {
			return r, err
		}
		r.AddAt(site, "batch %s (%s) has open = %d and %d thousandths in it", batch, code, open, left)
	}
	return r, rows.Err()
}

func proveValue(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_batch`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT b.id, b.site_id, b.code, v.posted_in - v.posted_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id
WHERE a.posted_in = a.posted_out AND v.posted_in <> v.posted_out
UNION ALL
SELECT p.id, p.site_id, b.code, v.posted_in - v.posted_out FROM stock_place p JOIN stock_batch b ON b.id = p.batch_id JOIN ledger_account a ON a.id = p.id JOIN ledger_account v ON v.id = p.value_id
WHERE a.posted_in = a.posted_out AND v.posted_in <> v.posted_out
UNION ALL
SELECT w.id, b.site_id, b.code, v.posted_in - v.posted_out FROM stock_transit w JOIN stock_batch b ON b.id = w.batch_id JOIN ledger_account a ON a.id = w.id JOIN ledger_account v ON v.id = w.value_id
WHERE a.posted_in = a.posted_out AND v.posted_in <> v.posted_out`)
	for rows.Next() {
		var batch, site id.ID
		var code string
		var fen int64
		if err := rows.Scan(&batch, &site, &code, &fen); err != nil {
			return r, err
		}
		r.AddAt(site, "batch %s (%s) is empty and still worth %d fen", batch, code, fen)
	}
	return r, rows.Err()
}

// documentLegs finds lines whose two legs do not say the same. account and value are those of the batch or of
// its place; a kept account at the other end must be the one that the line names.
const documentLegs = `
SELECT kind, id, line_no, site_id, qty, moved, value_fen, moved_fen FROM (
	SELECT l.kind, l.id, l.site_id, l.line_no, l.qty, l.value_fen, l.to_id,
		COALESCE(CASE WHEN t.to_id = l.account THEN t.amount WHEN t.from_id = l.account THEN -t.amount END, 0) AS moved,
		COALESCE(CASE WHEN t.to_id = l.account THEN t.from_id ELSE t.to_id END, 0) AS other,
		COALESCE(CASE WHEN w.to_id = l.value_id THEN w.amount WHEN w.from_id = l.value_id THEN -w.amount END, 0) AS moved_fen
	FROM (
		SELECT d.kind, d.id, d.site_id, d.business_date, x.line_no, x.qty, x.value_fen, x.to_id, b.sku_id,
			CASE WHEN x.place_id > 0 THEN x.place_id ELSE b.id END AS account, COALESCE(p.value_id, y.value_id, b.value_id) AS value_id
		FROM stock_document_line x JOIN stock_document d ON d.id = x.document_id JOIN stock_batch b ON b.id = x.batch_id
		LEFT JOIN stock_place p ON p.id = x.place_id AND p.batch_id = x.batch_id LEFT JOIN stock_transit y ON y.id = x.place_id AND y.batch_id = x.batch_id) AS l
	LEFT JOIN ledger_transfer t ON t.doc_kind = l.kind AND t.doc_id = l.id AND t.leg = 2 * l.line_no - 1 AND t.unit = l.sku_id AND t.site_id = l.site_id AND t.business_date = l.business_date
	LEFT JOIN ledger_transfer w ON w.doc_kind = l.kind AND w.doc_id = l.id AND w.leg = 2 * l.line_no AND w.unit = $1 AND w.site_id = l.site_id AND w.business_date = l.business_date) AS z
WHERE qty <> moved OR value_fen <> moved_fen OR to_id <> CASE WHEN other > 0 THEN other ELSE 0 END`

// proveDocuments: every line of a document has its two legs, of its quantity and value, between the batch
// and the flows of its kind; every leg of a stock document has its line; no document is without lines.
func proveDocuments(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_document`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(documentLegs, ledger.CNY)
	for rows.Next() {
		var ref ledger.Ref
		var site id.ID
		var want, got, wantFen, gotFen int64
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &site, &want, &got, &wantFen, &gotFen); err != nil {
			return r, err
		}
		r.Stops = append(r.Stops, proof.Stop{Kind: ref.Kind.String(), Site: site})
		r.Add("line %s says %d thousandths for %d fen, its transfers say %d for %d", ref, want, wantFen, got, gotFen)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT t.doc_kind, t.doc_id, t.leg, t.site_id FROM ledger_transfer t
LEFT JOIN stock_document_line l ON l.document_id = t.doc_id AND l.line_no = (t.leg + 1) / 2
WHERE t.doc_kind BETWEEN $1 AND $2 AND l.document_id IS NULL AND NOT (t.doc_kind = $2 AND t.from_id < 0 AND t.to_id < 0)
UNION ALL
SELECT d.kind, d.id, 0, d.site_id FROM stock_document d WHERE NOT EXISTS (SELECT 1 FROM stock_document_line l WHERE l.document_id = d.id)
UNION ALL
SELECT d.kind, d.id, MAX(l.line_no), d.site_id FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id GROUP BY d.kind, d.id, d.site_id HAVING MAX(l.line_no) <> COUNT(*)`,
		ReceiptDoc, SupplierReturnDoc)
	for rows.Next() {
		var ref ledger.Ref
		var site id.ID
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &site); err != nil {
			return r, err
		}
		r.Stops = append(r.Stops, proof.Stop{Kind: ref.Kind.String(), Site: site})
		r.Add("%s has no line, or lines are missing before it", ref)
	}
	return r, rows.Err()
}

// proveTransfers: what was shipped is what went onto the account of goods on their way, and what was received, lost
// and came back is what left it; a settled transfer has nothing left, a requested or cancelled one never had.
func proveTransfers(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_transit`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(transitSums)
	for rows.Next() {
		var transit, transfer, from id.ID
		var state TransferState
		var shipped, in, left, there int64
		if err := rows.Scan(&transit, &transfer, &from, &state, &shipped, &in, &left, &there); err != nil {
			return r, err
		}
		r.AddAt(from, "goods %s of the %s stock transfer %s: %d shipped, the ledger says %d; %d still on their way, the ledger says %d", transit, state, transfer, shipped, in, left, there)
	}
	return r, rows.Err()
}

const transitSums = `
SELECT w.id, w.transfer_id, t.from_site, t.state, w.shipped, a.posted_in, w.shipped - w.received - w.lost - w.back, a.posted_in - a.posted_out
FROM stock_transit w JOIN stock_transfer t ON t.id = w.transfer_id JOIN ledger_account a ON a.id = w.id
WHERE w.shipped <> a.posted_in OR w.shipped - w.received - w.lost - w.back <> a.posted_in - a.posted_out
	OR t.state = 'settled' AND a.posted_in <> a.posted_out OR t.state IN ('requested', 'cancelled')`

// proveCounts: what was posted of a product is the difference that was counted, and a posted count has no line that
// waits for it.
func proveCounts(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_count_line`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(countPostings)
	for rows.Next() {
		var count, site, sku id.ID
		var counted, booked int64
		if err := rows.Scan(&count, &site, &sku, &counted, &booked); err != nil {
			return r, err
		}
		r.AddAt(site, "stock count %s, SKU %s: %d thousandths were found more or less, %d are booked", count, sku, counted, booked)
	}
	return r, rows.Err()
}

const countPostings = `
SELECT c.count_id, c.site_id, c.sku_id, c.diff, COALESCE(d.booked, 0) FROM (
	SELECT l.count_id, MAX(n.site_id) AS site_id, l.sku_id, SUM(CASE WHEN l.state = 5 THEN l.counted - l.book ELSE 0 END) AS diff, SUM(CASE WHEN l.state IN (2, 3, 4) THEN 1 ELSE 0 END) AS waiting, MAX(n.state) AS state
	FROM stock_count_line l JOIN stock_count n ON n.id = l.count_id GROUP BY l.count_id, l.sku_id) AS c
LEFT JOIN (
	SELECT d.cause_id, b.sku_id, SUM(l.qty) AS booked FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id JOIN stock_batch b ON b.id = l.batch_id
	WHERE d.kind = 30 GROUP BY d.cause_id, b.sku_id) AS d ON d.cause_id = c.count_id AND d.sku_id = c.sku_id
WHERE c.diff <> COALESCE(d.booked, 0) OR c.state = 'posted' AND c.waiting > 0`

// provePromises: what is promised to an order is held for it, what it took has left as sold, and the sum of a channel's
// day is that of its promises.
func provePromises(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_promise_line`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(promiseHolds)
	for rows.Next() {
		var promise, site, sku id.ID
		var state string
		var promised, taken, held, captured, sold int64
		if err := rows.Scan(&promise, &site, &sku, &state, &promised, &taken, &held, &captured, &sold); err != nil {
			return r, err
		}
		r.AddAt(site, "promise %s (%s), SKU %s: %d promised, %d taken; held were %d, captured %d, %d left as sold", promise, state, sku, promised, taken, held, captured, sold)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	rows = tx.Query(channelDays)
	for rows.Next() {
		var site, sku id.ID
		var channel, date string
		var noted, sum int64
		if err := rows.Scan(&site, &sku, &channel, &date, &noted, &sum); err != nil {
			return r, err
		}
		r.AddAt(site, "%s at site %s on %s, SKU %s: %d noted, the promises say %d", channel, site, date, sku, noted, sum)
	}
	return r, rows.Err()
}

const promiseHolds = `
SELECT p.id, p.site_id, l.sku_id, p.state, l.qty, l.taken, COALESCE(h.held, 0), COALESCE(h.captured, 0), COALESCE(t.sold, 0) FROM stock_promise_line l JOIN stock_promise p ON p.id = l.promise_id
LEFT JOIN (SELECT doc_id, unit, SUM(amount) AS held, SUM(captured) AS captured, MAX(CASE WHEN state = 1 THEN 1 ELSE 0 END) AS open FROM ledger_hold WHERE doc_kind = 35 GROUP BY doc_id, unit) AS h
	ON h.doc_id = l.promise_id AND h.unit = l.sku_id
LEFT JOIN (SELECT doc_id, unit, SUM(amount) AS sold FROM ledger_transfer WHERE doc_kind = 35 AND to_id = -101 GROUP BY doc_id, unit) AS t ON t.doc_id = l.promise_id AND t.unit = l.sku_id
WHERE l.qty <> COALESCE(h.held, 0) OR l.taken <> COALESCE(h.captured, 0) OR l.taken <> COALESCE(t.sold, 0) OR p.state <> 'open' AND h.open = 1 OR p.state <> 'captured' AND l.taken > 0`

const channelDays = `
SELECT d.site_id, d.sku_id, d.channel, d.business_date, d.taken, COALESCE(s.n, 0) FROM stock_channel_day d
LEFT JOIN (SELECT p.site_id, l.sku_id, p.channel, p.business_date, SUM(CASE WHEN p.state = 'open' THEN l.qty ELSE l.taken END) AS n
	FROM stock_promise p JOIN stock_promise_line l ON l.promise_id = p.id GROUP BY p.site_id, l.sku_id, p.channel, p.business_date) AS s
	ON s.site_id = d.site_id AND s.sku_id = d.sku_id AND s.channel = d.channel AND s.business_date = d.business_date
WHERE d.taken <> COALESCE(s.n, 0)`

// proveCosts: a charge is the sum of its shares, and what of a share stayed in stock is what raised the batch's value;
// what a supplier owes for a return is what left by it.
func proveCosts(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_landed`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(landedSums)
	for rows.Next() {
		var document, site id.ID
		var said, shared, booked int64
		if err := rows.Scan(&document, &site, &said, &shared, &booked); err != nil {
			return r, err
		}
		r.AddAt(site, "document %s: %d fen by its head, %d by its lines, %d in the ledger", document, said, shared, booked)
	}
	return r, rows.Err()
}

const landedSums = `
SELECT c.id, c.site_id, c.charge_fen, COALESCE(l.share, 0), COALESCE(t.n, 0) FROM stock_landed c
LEFT JOIN (SELECT landed_id, SUM(share_fen) AS share, SUM(stock_fen) AS stays FROM stock_landed_line GROUP BY landed_id) AS l ON l.landed_id = c.id
LEFT JOIN (SELECT doc_id, SUM(amount) AS n, SUM(CASE WHEN to_id > 0 THEN amount ELSE 0 END) AS stays FROM ledger_transfer WHERE doc_kind = 36 GROUP BY doc_id) AS t ON t.doc_id = c.id
WHERE c.charge_fen <> COALESCE(l.share, 0) OR c.charge_fen <> COALESCE(t.n, 0) OR l.stays <> t.stays
UNION ALL
SELECT d.id, d.site_id, SUM(l.claim_fen), SUM(l.claim_fen), COALESCE(MAX(t.n), 0) FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id
LEFT JOIN (SELECT doc_id, SUM(CASE WHEN to_id = -202 THEN amount WHEN from_id = -202 THEN -amount ELSE 0 END) AS n FROM ledger_transfer WHERE doc_kind = 31 GROUP BY doc_id) AS t ON t.doc_id = d.id
WHERE d.kind = 31 GROUP BY d.id, d.site_id HAVING SUM(l.claim_fen) <> COALESCE(MAX(t.n), 0)`

// proveConversions: what went in is what came out and what was lost, in the document and in the ledger; every loss has its
// two legs and every leg its line; what was taken back is the conversion the other way round.
func proveConversions(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM stock_conversion`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(conversionFaults)
	defer rows.Close()
	for rows.Next() {
		var what string
		var doc id.ID
		var n, want int64
		if err := rows.Scan(&what, &doc, &n, &want); err != nil {
			return r, err
		}
		r.Add("conversion %s: %s %d, should be %d", doc, what, n, want)
	}
	return r, rows.Err()
}

// Documents 32 conversion, 33 conversion_back; flows -107 loss in making, -222 conversion.
const conversionFaults = `
SELECT 'value that went in' AS what, c.document_id, -(SELECT COALESCE(SUM(l.value_fen), 0) FROM stock_document_line l WHERE l.document_id = c.document_id AND l.qty < 0) AS n,
	(SELECT COALESCE(SUM(l.value_fen), 0) FROM stock_document_line l WHERE l.document_id = c.document_id AND l.qty > 0)
		+ (SELECT COALESCE(SUM(l.value_fen), 0) FROM stock_conversion_loss l WHERE l.document_id = c.document_id) AS want
FROM stock_conversion c WHERE (SELECT COALESCE(SUM(l.value_fen), 0) FROM stock_document_line l WHERE l.document_id = c.document_id)
	+ (SELECT COALESCE(SUM(l.value_fen), 0) FROM stock_conversion_loss l WHERE l.document_id = c.document_id) <> 0
UNION ALL
SELECT 'value left between in and out', t.doc_id, SUM(CASE WHEN t.to_id = -222 THEN t.amount ELSE -t.amount END), 0 FROM ledger_transfer t
WHERE t.doc_kind IN (32, 33) AND (t.to_id = -222 OR t.from_id = -222) GROUP BY t.doc_id HAVING SUM(CASE WHEN t.to_id = -222 THEN t.amount ELSE -t.amount END) <> 0
UNION ALL
SELECT 'lost quantity in the ledger', x.document_id, COALESCE(g.amount, 0), x.qty FROM stock_conversion_loss x
LEFT JOIN ledger_transfer g ON g.doc_kind = 32 AND g.doc_id = x.document_id AND g.leg = 2 * x.line_no - 1 AND g.to_id = -107 AND g.unit = x.sku_id WHERE COALESCE(g.amount, 0) <> x.qty
UNION ALL
SELECT 'lost value in the ledger', x.document_id, COALESCE(v.amount, 0), x.value_fen FROM stock_conversion_loss x
LEFT JOIN ledger_transfer v ON v.doc_kind = 32 AND v.doc_id = x.document_id AND v.leg = 2 * x.line_no AND v.from_id = -222 AND v.unit = 1 WHERE COALESCE(v.amount, 0) <> x.value_fen
UNION ALL
SELECT 'leg without a line', t.doc_id, t.leg, 0 FROM ledger_transfer t
LEFT JOIN stock_document d ON d.id = t.doc_id AND d.kind = t.doc_kind
LEFT JOIN stock_document_line l ON l.document_id = d.id AND l.line_no = (t.leg + 1) / 2
LEFT JOIN stock_conversion_loss x ON x.document_id = CASE WHEN t.doc_kind = 33 THEN d.cause_id ELSE d.id END AND x.line_no = (t.leg + 1) / 2
WHERE t.doc_kind IN (32, 33) AND (d.id IS NULL OR l.document_id IS NULL AND x.document_id IS NULL)
UNION ALL
SELECT 'legs taken back', c.document_id, (SELECT COUNT(*) FROM ledger_transfer b JOIN ledger_transfer t ON t.doc_kind = 32 AND t.doc_id = c.document_id AND t.leg = b.corrects_leg AND t.amount = b.amount
	AND t.unit = b.unit AND t.from_id = b.to_id AND t.to_id = b.from_id WHERE b.doc_kind = 33 AND b.doc_id = c.reversed_by AND b.corrects_kind = 32 AND b.corrects_id = c.document_id),
	(SELECT COUNT(*) FROM ledger_transfer t WHERE t.doc_kind = 32 AND t.doc_id = c.document_id)
FROM stock_conversion c WHERE c.reversed_by > 0 AND (SELECT COUNT(*) FROM ledger_transfer b JOIN ledger_transfer t ON t.doc_kind = 32 AND t.doc_id = c.document_id AND t.leg = b.corrects_leg AND t.amount = b.amount
	AND t.unit = b.unit AND t.from_id = b.to_id AND t.to_id = b.from_id WHERE b.doc_kind = 33 AND b.doc_id = c.reversed_by AND b.corrects_kind = 32 AND b.corrects_id = c.document_id)
	<> (SELECT COUNT(*) FROM ledger_transfer t WHERE t.doc_kind = 32 AND t.doc_id = c.document_id)
UNION ALL
SELECT 'conversions of a document', d.id, 0, 1 FROM stock_document d LEFT JOIN stock_conversion c ON c.document_id = CASE WHEN d.kind = 33 THEN d.cause_id ELSE d.id END
WHERE d.kind IN (32, 33) AND (c.document_id IS NULL OR d.kind = 33 AND c.reversed_by <> d.id)`
