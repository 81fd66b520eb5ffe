package clearance

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/till"
)

// Proofs hold what clearance decided against the stock that it decided on. 22 is the kind of a write-off.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "clearance_reduced_batches_have_a_price", Run: func(tx *db.Tx) (proof.Result, error) {
			return till.Prove(tx, `SELECT COUNT(*) FROM stock_batch WHERE reduced = 1`, withoutPrice,
				"batch %v: sold last is %v, the decision on its price is %v")
		}},
		{Name: "clearance_write_offs_are_booked", Run: func(tx *db.Tx) (proof.Result, error) {
			return till.Prove(tx, `SELECT COUNT(*) FROM clear_markdown WHERE lost_qty > 0`, writeOffs,
				"batch %v: written off at its end were %v fen, its documents say %v")
		}},
	}
}

const (
	withoutPrice = `SELECT COUNT(*) OVER (), b.id, b.reduced, COALESCE(m.step_id, 0) FROM stock_batch b LEFT JOIN clear_markdown m ON m.batch_id = b.id
		WHERE (b.reduced = 1) <> (COALESCE(m.step_id, 0) > 0) ORDER BY b.id LIMIT 20`

	writeOffs = `SELECT COUNT(*) OVER (), m.batch_id, m.lost_fen, COALESCE(d.fen, 0) FROM clear_markdown m
		LEFT JOIN (SELECT l.batch_id, SUM(-l.value_fen) AS fen FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id
			WHERE d.kind = 22 AND d.reason = 'expired' AND d.staff_id = 0 GROUP BY l.batch_id) d ON d.batch_id = m.batch_id
		WHERE m.lost_fen <> COALESCE(d.fen, 0) ORDER BY m.batch_id LIMIT 20`
)
