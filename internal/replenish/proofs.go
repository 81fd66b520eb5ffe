package replenish

import (
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs of what plans promise among themselves.
func Proofs() []proof.Proof {
	return []proof.Proof{{Name: "replenish_requisitions_are_their_proposals", Run: proveRequisitions}, {Name: "replenish_offers_are_their_takes", Run: proveOffers},
		{Name: "replenish_mixes_are_what_recipes_allow", Run: proveMixes}}
}

// proveRequisitions: every line of a requisition is a proposal that was confirmed with its quantity, and every proposal
// that was confirmed to be asked from a site is a line.
func proveRequisitions(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_requisition_line`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT q.no, l.line_no, l.qty, COALESCE(p.qty, 0) FROM replenish_requisition_line l JOIN replenish_requisition q ON q.id = l.requisition_id
LEFT JOIN replenish_proposal p ON p.id = l.proposal_id AND p.document_id = q.id AND p.document_line = l.line_no AND p.product_id = l.product_id AND p.source_id = q.source_id AND p.state <> 'proposed'
WHERE p.id IS NULL OR p.qty <> l.qty`)
	for rows.Next() {
		var no string
		var line, has, said int64
		if err := rows.Scan(&no, &line, &has, &said); err != nil {
			return r, err
		}
		r.Add("line %d of requisition %s asks for %d thousandths, what was confirmed is %d", line, no, has, said)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT p.id FROM replenish_proposal p LEFT JOIN replenish_requisition_line l ON l.proposal_id = p.id
WHERE p.source_id > 0 AND p.state <> 'proposed' AND p.qty > 0 AND l.proposal_id IS NULL
UNION ALL
SELECT q.id FROM replenish_requisition q WHERE q.lines <> (SELECT COUNT(*) FROM replenish_requisition_line l WHERE l.requisition_id = q.id)`)
	for rows.Next() {
		var of id.ID
		if err := rows.Scan(&of); err != nil {
			return r, err
		}
		r.Add("%s was confirmed and has no line, or lacks lines", of)
	}
	return r, rows.Err()
}

// pattern is a search text in lower case and as a pattern.
func pattern(q string) (text, like string) {
	text = strings.ToLower(strings.TrimSpace(q))
	return text, "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}
