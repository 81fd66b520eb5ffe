package ledger

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs of what the ledger promises. A trial balance alone is blind to a document whose legs are all
// missing: that its documents are complete is proved by each owner of documents.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "ledger_totals_match_transfers", Run: provePosted},
		{Name: "ledger_pending_matches_holds", Run: provePending},
		{Name: "ledger_floors_hold", Run: proveFloors},
		{Name: "ledger_transfers_have_both_ends", Run: proveEnds},
		{Name: "ledger_corrections_within_what_they_correct", Run: proveCorrections},
		{Name: "ledger_negatives_are_allowed", Run: proveAllowances},
		{Name: "ledger_stored_sums_match_transfers", Run: proveSums},
		{Name: "ledger_stored_balances_match_transfers", Run: proveBalances},
	}
}

// stops names the kinds of documents that moved an account: they are not to be posted while it is wrong.
func stops(tx *db.Tx, r *proof.Result, accounts []Account) error {
	for _, a := range accounts[:min(len(accounts), proof.MaxEvidence)] {
		rows := tx.Query(`SELECT DISTINCT doc_kind, site_id FROM (SELECT doc_kind, site_id FROM ledger_transfer WHERE from_id = $1 AND from_id > 0
			UNION SELECT doc_kind, site_id FROM ledger_transfer WHERE to_id = $1 AND to_id > 0 UNION SELECT doc_kind, site_id FROM ledger_hold WHERE from_id = $1 AND state = 1) AS k`, int64(a))
		if err := over(rows, func(rows *db.Rows) error {
			var kind Kind
			var site id.ID
			err := rows.Scan(&kind, &site)
			r.Stops = append(r.Stops, proof.Stop{Kind: kind.String(), Site: site})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func count(tx *db.Tx, r *proof.Result, sql string) error { return tx.QueryRow(sql).Scan(&r.Rows) }

// over scans row after row.
func over(rows *db.Rows, scan func(*db.Rows) error) error {
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func provePosted(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_account`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT a.id, a.book, a.posted_in, COALESCE(i.n, 0), a.posted_out, COALESCE(o.n, 0)
FROM ledger_account a
LEFT JOIN (SELECT to_id, SUM(amount) AS n FROM ledger_transfer WHERE to_id > 0 GROUP BY to_id) AS i ON i.to_id = a.id
LEFT JOIN (SELECT from_id, SUM(amount) AS n FROM ledger_transfer WHERE from_id > 0 GROUP BY from_id) AS o ON o.from_id = a.id
WHERE a.posted_in <> COALESCE(i.n, 0) OR a.posted_out <> COALESCE(o.n, 0)`)
	var wrong []Account
	err := over(rows, func(rows *db.Rows) error {
		var a Account
		var book Book
		var in, sumIn, out, sumOut int64
		if err := rows.Scan(&a, &book, &in, &sumIn, &out, &sumOut); err != nil {
			return err
		}
		r.Add("account %d of book %s: in %d, transfers say %d; out %d, transfers say %d", a, book, in, sumIn, out, sumOut)
		wrong = append(wrong, a)
		return nil
	})
	if err != nil {
		return r, err
	}
	return r, stops(tx, &r, wrong)
}

func provePending(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_hold`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT a.id, a.pending_in, COALESCE(i.n, 0), a.pending_out, COALESCE(o.n, 0)
FROM ledger_account a
LEFT JOIN (SELECT to_id, SUM(amount) AS n FROM ledger_hold WHERE state = 1 GROUP BY to_id) AS i ON i.to_id = a.id
LEFT JOIN (SELECT from_id, SUM(amount) AS n FROM ledger_hold WHERE state = 1 GROUP BY from_id) AS o ON o.from_id = a.id
WHERE a.pending_in <> COALESCE(i.n, 0) OR a.pending_out <> COALESCE(o.n, 0)`)
	var wrong []Account
	err := over(rows, func(rows *db.Rows) error {
		var a Account
		var in, sumIn, out, sumOut int64
		if err := rows.Scan(&a, &in, &sumIn, &out, &sumOut); err != nil {
			return err
		}
		r.Add("account %d: pending in %d, open holds say %d; pending out %d, open holds say %d", a, in, sumIn, out, sumOut)
		wrong = append(wrong, a)
		return nil
	})
	if err != nil {
		return r, err
	}
	return r, stops(tx, &r, wrong)
}

// The CHECK refuses what would break a floor; this finds a database whose CHECK was taken away.
func proveFloors(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_account`); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT id, posted_in - posted_out - pending_out, low FROM ledger_account WHERE posted_in - posted_out - pending_out < low`)
	var wrong []Account
	err := over(rows, func(rows *db.Rows) error {
		var a Account
		var left, low int64
		if err := rows.Scan(&a, &left, &low); err != nil {
			return err
		}
		r.Add("account %d has %d available and may not go below %d", a, left, low)
		wrong = append(wrong, a)
		return nil
	})
	if err != nil {
		return r, err
	}
	return r, stops(tx, &r, wrong)
}

// proveEnds: a kept end exists and counts the transfer's unit; a flow end is of a kind that somebody
// defined. As every transfer takes from one end what it gives to the other, in = out for each unit.
func proveEnds(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_transfer`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT t.doc_kind, t.doc_id, t.leg, t.site_id, t.unit, f.id, f.unit FROM ledger_transfer t LEFT JOIN ledger_account f ON f.id = t.from_id
WHERE t.from_id > 0 AND (f.id IS NULL OR f.unit <> t.unit)
UNION ALL
SELECT t.doc_kind, t.doc_id, t.leg, t.site_id, t.unit, f.id, f.unit FROM ledger_transfer t LEFT JOIN ledger_account f ON f.id = t.to_id
WHERE t.to_id > 0 AND (f.id IS NULL OR f.unit <> t.unit)`)
	err := over(rows, func(rows *db.Rows) error {
		var ref Ref
		var site id.ID
		var unit int64
		var account, counts *int64
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &site, &unit, &account, &counts); err != nil {
			return err
		}
		r.Stops = append(r.Stops, proof.Stop{Kind: ref.Kind.String(), Site: site})
		if account == nil {
			r.Add("%s has an end that does not exist", ref)
		} else {
			r.Add("%s moves unit %d, account %d counts %d", ref, unit, *account, *counts)
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT kind, COUNT(*) FROM (
	SELECT from_id AS kind FROM ledger_transfer WHERE from_id < 0
	UNION ALL
	SELECT to_id AS kind FROM ledger_transfer WHERE to_id < 0) AS flows GROUP BY kind`)
	return r, over(rows, func(rows *db.Rows) error {
		var kind Account
		var n int64
		if err := rows.Scan(&kind, &n); err != nil {
			return err
		}
		if _, known := names.flow(kind); !known {
			r.Add("%d transfers use the flow %d, which nothing defines", n, int64(kind))
			r.Bad += n - 1
		}
		return nil
	})
}

func proveCorrections(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_transfer WHERE corrects_id IS NOT NULL`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT c.doc_kind, c.doc_id, c.leg, c.site_id, c.corrects_kind, c.corrects_id, c.corrects_leg
FROM ledger_transfer c LEFT JOIN ledger_transfer t ON t.doc_kind = c.corrects_kind AND t.doc_id = c.corrects_id AND t.leg = c.corrects_leg
WHERE c.corrects_id IS NOT NULL AND (t.doc_id IS NULL OR t.unit <> c.unit)`)
	err := over(rows, func(rows *db.Rows) error {
		var ref, of Ref
		var site id.ID
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &site, &of.Kind, &of.ID, &of.Leg); err != nil {
			return err
		}
		r.Stops = append(r.Stops, proof.Stop{Kind: ref.Kind.String(), Site: site})
		r.Add("%s corrects %s, which is not there or counts another unit", ref, of)
		return nil
	})
	if err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT t.doc_kind, t.doc_id, t.leg, t.site_id, t.amount, c.n
FROM (SELECT corrects_kind, corrects_id, corrects_leg, SUM(amount) AS n FROM ledger_transfer WHERE corrects_id IS NOT NULL
	GROUP BY corrects_kind, corrects_id, corrects_leg) AS c
JOIN ledger_transfer t ON t.doc_kind = c.corrects_kind AND t.doc_id = c.corrects_id AND t.leg = c.corrects_leg
WHERE c.n > t.amount`)
	return r, over(rows, func(rows *db.Rows) error {
		var ref Ref
		var site id.ID
		var amount, taken int64
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &site, &amount, &taken); err != nil {
			return err
		}
		r.Stops = append(r.Stops, proof.Stop{Kind: ref.Kind.String(), Site: site})
		r.Add("%s moved %d and %d of it was taken back", ref, amount, taken)
		return nil
	})
}

// proveAllowances: whoever may go below zero has an allowance that says so.
func proveAllowances(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_account WHERE low < 0`); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT a.id, a.low FROM ledger_account a LEFT JOIN ledger_allowance w ON w.account_id = a.id AND w.state < 3
		WHERE a.low < 0 AND (w.id IS NULL OR a.low < w.low)`)
	return r, over(rows, func(rows *db.Rows) error {
		var a Account
		var low int64
		if err := rows.Scan(&a, &low); err != nil {
			return err
		}
		r.Add("account %d may go down to %d, and nobody has allowed it", a, low)
		return nil
	})
}

// proveSums: the stored sums of closed days are those of their transfers, those of months those of their days.
func proveSums(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_flow_sum`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT site_id, period, unit, a, b, SUM(n), SUM(c) FROM (
	SELECT s.site_id, s.period, s.unit, s.from_side AS a, s.to_side AS b, s.amount AS n, s.transfers AS c
	FROM ledger_flow_sum s JOIN ledger_close k ON k.site_id = s.site_id AND s.period <= k.stored WHERE s.span = 1
	UNION ALL
	SELECT t.site_id, t.business_date, t.unit, CASE WHEN t.from_id > 0 THEN 0 ELSE t.from_id END, CASE WHEN t.to_id > 0 THEN 0 ELSE t.to_id END, -t.amount, -1
	FROM ledger_transfer t JOIN ledger_close k ON k.site_id = t.site_id AND t.business_date <= k.stored
	UNION ALL
	SELECT s.site_id, s.period, s.unit, s.from_side, s.to_side, s.amount, s.transfers
	FROM ledger_flow_sum s JOIN ledger_close k ON k.site_id = s.site_id AND s.period <= k.months WHERE s.span = 2
	UNION ALL
	SELECT s.site_id, SUBSTR(s.period, 1, 7), s.unit, s.from_side, s.to_side, -s.amount, -s.transfers
	FROM ledger_flow_sum s JOIN ledger_close k ON k.site_id = s.site_id AND SUBSTR(s.period, 1, 7) <= k.months WHERE s.span = 1
) AS x GROUP BY site_id, period, unit, a, b HAVING SUM(n) <> 0 OR SUM(c) <> 0 ORDER BY site_id, period`)
	return r, over(rows, func(rows *db.Rows) error {
		var site, unit, n, c int64
		var period string
		var from, to Account
		if err := rows.Scan(&site, &period, &unit, (*int64)(&from), (*int64)(&to), &n, &c); err != nil {
			return err
		}
		r.Add("site %d, %s: what went from %s to %s in unit %d is stored with %d and %d transfers too much", site, period, from, to, unit, n, c)
		return nil
	})
}

// proveBalances: from one stored balance of an account to the next, it moved by its transfers.
func proveBalances(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_balance`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT account_id, day, SUM(i), SUM(o) FROM (
	SELECT b.account_id, b.business_date AS day,
		b.total_in - LAG(b.total_in, 1, 0) OVER (PARTITION BY b.account_id ORDER BY b.business_date) AS i,
		b.total_out - LAG(b.total_out, 1, 0) OVER (PARTITION BY b.account_id ORDER BY b.business_date) AS o
	FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id JOIN ledger_close k ON k.site_id = a.site_id AND b.business_date <= k.stored
	UNION ALL
	SELECT t.to_id, t.business_date, -t.amount, 0
	FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_id JOIN ledger_close k ON k.site_id = a.site_id AND t.business_date <= k.stored WHERE t.to_id > 0
	UNION ALL
	SELECT t.from_id, t.business_date, 0, -t.amount
	FROM ledger_transfer t JOIN ledger_account a ON a.id = t.from_id JOIN ledger_close k ON k.site_id = a.site_id AND t.business_date <= k.stored WHERE t.from_id > 0
) AS x GROUP BY account_id, day HAVING SUM(i) <> 0 OR SUM(o) <> 0 ORDER BY account_id, day`)
	return r, over(rows, func(rows *db.Rows) error {
		var a Account
		var day string
		var in, out int64
		if err := rows.Scan(&a, &day, &in, &out); err != nil {
			return err
		}
		r.Add("account %d, %s: the stored balance has %d in and %d out too much", a, day, in, out)
		return nil
	})
}
