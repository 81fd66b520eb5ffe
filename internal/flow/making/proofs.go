package making

import (
	"encoding/json"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// Proofs of what joins making with plans.
func Proofs() []proof.Proof {
	return []proof.Proof{{Name: "making_requisitions_are_by_their_mix", Run: proveMixed}}
}

const mixedNeeds = `SELECT r.id, COALESCE(m.id, 0), COALESCE(m.shares, '{}'), n.product_id, n.share FROM produce_requisition r
	LEFT JOIN replenish_mix m ON m.id = r.mix_id AND m.site_id = r.site_id AND m.product_id = r.product_id AND m.recipe_from = r.recipe_from AND m.decided_at > 0 AND m.state IN ('approved', 'ended')
	JOIN produce_need n ON n.requisition_id = r.id WHERE r.mix_id > 0 ORDER BY r.id, n.line_no`

// proveMixed: a requisition by a mix is by one that somebody approved for its site, product and version, and asks for each material
// with the share that it has there.
func proveMixed(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	rows := tx.Query(mixedNeeds)
	defer rows.Close()
	var now id.ID
	var left catalog.Mix
	end := func() {
		for p, share := range left {
			if share > 0 {
				r.Add("requisition %s asks for no %s, of which its mix has %d millionths", now, p, share)
			}
		}
	}
	for rows.Next() {
		var requisition, mix, product id.ID
		var shares string
		var share int64
		if err := rows.Scan(&requisition, &mix, &shares, &product, &share); err != nil {
			return r, err
		}
		r.Rows++
		if requisition != now {
			end()
			now, left = requisition, catalog.Mix{}
			if err := json.Unmarshal([]byte(shares), &left); err != nil {
				return r, err
			}
			if mix == 0 {
				r.Add("requisition %s is by a mix that nobody approved for it", requisition)
			}
		}
		if said, mixed := left[product]; mixed && said != share || !mixed && share != catalog.ShareWhole {
			r.Add("requisition %s asks for %s with %d millionths of its line, its mix says %d", requisition, product, share, said)
		}
		delete(left, product)
	}
	end()
	return r, rows.Err()
}
