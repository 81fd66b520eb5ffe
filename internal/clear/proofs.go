package clear

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
)

// Proofs of what clearance promises by itself. That goods and money followed is proved by the flows.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "clear_prices_never_rise", Run: proveFalling},
		{Name: "clear_prices_in_force_were_decided", Run: proveDecided},
	}
}

func proveFalling(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM clear_step`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT x.batch_id, x.price_before, x.price_fen FROM (
			SELECT s.batch_id, s.id, s.price_fen, LAG(s.price_fen) OVER (PARTITION BY s.batch_id ORDER BY s.id) AS price_before,
				LAG(s.depth + s.free) OVER (PARTITION BY s.batch_id ORDER BY s.id) AS cut_before FROM clear_step s) x
		WHERE x.cut_before > 0 AND x.price_fen > x.price_before ORDER BY x.id`)
	for rows.Next() {
		var batch id.ID
		var was, is money.Fen
		if err := rows.Scan(&batch, &was, &is); err != nil {
			return r, err
		}
		r.Add("batch %s was sold for %d fen and then for %d", batch, was, is)
	}
	return r, rows.Err()
}

func proveDecided(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM clear_markdown WHERE step_id > 0`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT m.batch_id, m.price_fen, COALESCE(s.price_fen, -1) FROM clear_markdown m
		LEFT JOIN clear_step s ON s.id = m.step_id AND s.batch_id = m.batch_id AND s.changed = 1
		WHERE m.step_id > 0 AND (s.id IS NULL OR s.price_fen <> m.price_fen OR s.depth <> m.depth OR s.free <> m.free) ORDER BY m.batch_id`)
	for rows.Next() {
		var batch id.ID
		var is, decided money.Fen
		if err := rows.Scan(&batch, &is, &decided); err != nil {
			return r, err
		}
		r.Add("batch %s is sold for %d fen, decided were %d", batch, is, decided)
	}
	return r, rows.Err()
}
