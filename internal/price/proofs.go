package price

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/proof"
)

// Proofs check that a price change and the book say the same: an approved one has an entry for each of its lines, a draft
// or a cancelled one has none that holds.
func Proofs() []proof.Proof {
	return []proof.Proof{{Name: "price_changes_are_in_the_book", Run: proveDocuments}}
}

func proveDocuments(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM price_document`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT COUNT(*) OVER (), x.id, x.state, x.wanted, x.found FROM (
			SELECT d.id, d.state, CASE WHEN d.state = 'approved' THEN (SELECT COUNT(*) FROM price_document_line l WHERE l.document_id = d.id) ELSE 0 END AS wanted,
				(SELECT COUNT(*) FROM price_entry e WHERE e.document_id = d.id AND e.withdrawn = 0) AS found,
				(SELECT COUNT(*) FROM price_entry e JOIN price_document_line l ON l.document_id = d.id AND l.unit_id = e.unit_id
					WHERE e.document_id = d.id AND e.withdrawn = 0 AND e.valid_from = d.valid_from AND e.valid_at = d.valid_at AND COALESCE(e.site_id, 0) = COALESCE(d.site_id, 0)
						AND COALESCE(e.price_fen, -1) = COALESCE(l.price_fen, -1)) AS same
			FROM price_document d) x
		WHERE x.wanted <> x.found OR x.wanted <> x.same ORDER BY x.id LIMIT 20`)
	defer rows.Close()
	bad := int64(0)
	for rows.Next() {
		var doc, wanted, found int64
		var state string
		if err := rows.Scan(&bad, &doc, &state, &wanted, &found); err != nil {
			return r, err
		}
		r.Add("price change %v (%v): %v lines should hold, the book has %v entries of it, or they differ", doc, state, wanted, found)
	}
	r.Bad = bad
	return r, rows.Err()
}
