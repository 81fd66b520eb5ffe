package ledger

import (
	"zhanggui/internal/platform/db"
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
	}
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
	return r, over(rows, func(rows *db.Rows) error {
		var a Account
		var book Book
		var in, sumIn, out, sumOut int64
		if err := rows.Scan(&a, &book, &in, &sumIn, &out, &sumOut); err != nil {
			return err
		}
		r.Add("account %d of book %s: in %d, transfers say %d; out %d, transfers say %d", a, book, in, sumIn, out, sumOut)
		return nil
	})
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
	return r, over(rows, func(rows *db.Rows) error {
		var a Account
		var in, sumIn, out, sumOut int64
		if err := rows.Scan(&a, &in, &sumIn, &out, &sumOut); err != nil {
			return err
		}
		r.Add("account %d: pending in %d, open holds say %d; pending out %d, open holds say %d", a, in, sumIn, out, sumOut)
		return nil
	})
}

// The CHECK refuses what would break a floor; this finds a database whose CHECK was taken away.
func proveFloors(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_account`); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT id, posted_in - posted_out - pending_out, low FROM ledger_account WHERE posted_in - posted_out - pending_out < low`)
	return r, over(rows, func(rows *db.Rows) error {
		var a Account
		var left, low int64
		if err := rows.Scan(&a, &left, &low); err != nil {
			return err
		}
		r.Add("account %d has %d available and may not go below %d", a, left, low)
		return nil
	})
}

// proveEnds: a kept end exists and counts the transfer's unit; a flow end is of a kind that somebody
// defined. As every transfer takes from one end what it gives to the other, in = out for each unit.
func proveEnds(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := count(tx, &r, `SELECT COUNT(*) FROM ledger_transfer`); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT t.doc_kind, t.doc_id, t.leg, t.unit, f.id, f.unit FROM ledger_transfer t LEFT JOIN ledger_account f ON f.id = t.from_id
WHERE t.from_id > 0 AND (f.id IS NULL OR f.unit <> t.unit)
UNION ALL
SELECT t.doc_kind, t.doc_id, t.leg, t.unit, f.id, f.unit FROM ledger_transfer t LEFT JOIN ledger_account f ON f.id = t.to_id
WHERE t.to_id > 0 AND (f.id IS NULL OR f.unit <> t.unit)`)
	err := over(rows, func(rows *db.Rows) error {
		var ref Ref
		var unit int64
		var account, counts *int64
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &unit, &account, &counts); err != nil {
			return err
		}
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
SELECT c.doc_kind, c.doc_id, c.leg, c.corrects_kind, c.corrects_id, c.corrects_leg
FROM ledger_transfer c LEFT JOIN ledger_transfer t ON t.doc_kind = c.corrects_kind AND t.doc_id = c.corrects_id AND t.leg = c.corrects_leg
WHERE c.corrects_id IS NOT NULL AND (t.doc_id IS NULL OR t.unit <> c.unit)`)
	err := over(rows, func(rows *db.Rows) error {
		var ref, of Ref
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &of.Kind, &of.ID, &of.Leg); err != nil {
			return err
		}
		r.Add("%s corrects %s, which is not there or counts another unit", ref, of)
		return nil
	})
	if err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT t.doc_kind, t.doc_id, t.leg, t.amount, c.n
FROM (SELECT corrects_kind, corrects_id, corrects_leg, SUM(amount) AS n FROM ledger_transfer WHERE corrects_id IS NOT NULL
	GROUP BY corrects_kind, corrects_id, corrects_leg) AS c
JOIN ledger_transfer t ON t.doc_kind = c.corrects_kind AND t.doc_id = c.corrects_id AND t.leg = c.corrects_leg
WHERE c.n > t.amount`)
	return r, over(rows, func(rows *db.Rows) error {
		var ref Ref
		var amount, taken int64
		if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg, &amount, &taken); err != nil {
			return err
		}
		r.Add("%s moved %d and %d of it was taken back", ref, amount, taken)
		return nil
	})
}
