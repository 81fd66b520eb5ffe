package produce

import (
	"math/big"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// Proofs of making: every document has all its legs and no other, and work orders end with their task.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "produce_issues_are_posted", Stops: []string{"material_requisition"}, Run: proveLegs(`SELECT COUNT(*) FROM produce_issue`, issueLegs)},
		{Name: "produce_outputs_are_posted", Stops: []string{"output_receipt"}, Run: proveLegs(`SELECT COUNT(*) FROM produce_output`, outputLegs)},
		{Name: "produce_losses_are_posted", Stops: []string{"output_receipt"}, Run: proveLegs(`SELECT COUNT(*) FROM produce_loss`, lossLegs)},
		{Name: "produce_no_posting_without_its_document", Run: proveLegs(`SELECT COUNT(*) FROM ledger_transfer WHERE doc_kind IN (100, 101)`, strayLegs)},
		{Name: "produce_work_orders_end_with_their_task", Run: proveOrders},
		{Name: "produce_losses_are_learned_from_batches", Run: proveLearned},
		{Name: "produce_needs_follow_their_recipe", Run: proveNeeds},
	}
}

// The numbers in the statements: documents 100 requisition, 101 output; flows -106 consumed, -107 lost in
// making, -108 made, -207 its value; unit 1 is CNY.
const (
	issueLegs = `SELECT 100, t.requisition_id, 2 * i.line_no - 1 FROM produce_issue i JOIN produce_task t ON t.id = i.task_id
	LEFT JOIN ledger_transfer g ON g.doc_kind = 100 AND g.doc_id = t.requisition_id AND g.leg = 2 * i.line_no - 1 AND g.from_id = i.batch_id AND g.to_id = -106
		AND g.unit = i.sku_id AND g.site_id = t.site_id AND g.business_date = t.business_date
	LEFT JOIN ledger_transfer v ON v.doc_kind = 100 AND v.doc_id = t.requisition_id AND v.leg = 2 * i.line_no AND v.to_id = t.id AND v.unit = 1
		AND v.site_id = t.site_id AND v.business_date = t.business_date
	WHERE COALESCE(g.amount, 0) <> i.qty OR COALESCE(v.amount, 0) <> i.cost_fen
	UNION ALL
	SELECT 100, t.requisition_id, 0 FROM produce_task t WHERE t.cost_fen <> (SELECT COALESCE(SUM(i.cost_fen), -1) FROM produce_issue i WHERE i.task_id = t.id)
	UNION ALL
	SELECT 100, r.id, 0 FROM produce_requisition r WHERE (r.state = 'completed') <> EXISTS (SELECT 1 FROM produce_task t WHERE t.requisition_id = r.id)`

	outputLegs = `SELECT 101, o.id, 1 FROM produce_output o JOIN produce_task t ON t.id = o.task_id
	LEFT JOIN ledger_transfer g ON g.doc_kind = 101 AND g.doc_id = o.id AND g.leg = 1 AND g.from_id = -108 AND g.to_id = o.batch_id AND g.unit = o.sku_id
		AND g.site_id = t.site_id AND g.business_date = o.business_date
	LEFT JOIN ledger_transfer v ON v.doc_kind = 101 AND v.doc_id = o.id AND v.leg = 2 AND v.from_id = t.id AND v.unit = 1
		AND v.site_id = t.site_id AND v.business_date = o.business_date
	WHERE COALESCE(g.amount, 0) <> o.qty OR COALESCE(v.amount, 0) <> o.cost_fen
	UNION ALL
	SELECT 101, t.id, 0 FROM produce_task t WHERE (t.state = 'done') <> EXISTS (SELECT 1 FROM produce_output o WHERE o.task_id = t.id)`

	lossLegs = `SELECT 101, o.id, 2 * l.line_no + 1 FROM produce_loss l JOIN produce_output o ON o.id = l.output_id
	LEFT JOIN ledger_transfer g ON g.doc_kind = 101 AND g.doc_id = o.id AND g.leg = 2 * l.line_no + 1 AND g.from_id = -106 AND g.to_id = -107 AND g.unit = l.sku_id
		AND g.site_id = o.site_id AND g.business_date = o.business_date
	LEFT JOIN ledger_transfer v ON v.doc_kind = 101 AND v.doc_id = o.id AND v.leg = 2 * l.line_no + 2 AND v.from_id = o.task_id AND v.to_id = -207 AND v.unit = 1
		AND v.site_id = o.site_id AND v.business_date = o.business_date
	WHERE COALESCE(g.amount, 0) <> l.qty OR COALESCE(v.amount, 0) <> l.cost_fen`

	strayLegs = `SELECT x.doc_kind, x.doc_id, x.leg FROM ledger_transfer x
	LEFT JOIN produce_task t ON t.requisition_id = x.doc_id LEFT JOIN produce_issue i ON i.task_id = t.id AND i.line_no = (x.leg + 1) / 2
	WHERE x.doc_kind = 100 AND i.task_id IS NULL
	UNION ALL
	SELECT x.doc_kind, x.doc_id, x.leg FROM ledger_transfer x
	LEFT JOIN produce_output o ON o.id = x.doc_id AND o.qty > 0 AND x.leg <= 2
	LEFT JOIN produce_loss l ON l.output_id = x.doc_id AND x.leg > 2 AND l.line_no = (x.leg - 1) / 2
	WHERE x.doc_kind = 101 AND o.id IS NULL AND l.output_id IS NULL`
)

// proveLegs reports documents that statement find names as kind, id and leg; leg 0 is the document itself.
func proveLegs(count, find string) func(*db.Tx) (proof.Result, error) {
	return func(tx *db.Tx) (proof.Result, error) {
		var r proof.Result
		if err := tx.QueryRow(count).Scan(&r.Rows); err != nil {
			return r, err
		}
		rows := tx.Query(find)
		for rows.Next() {
			var ref ledger.Ref
			if err := rows.Scan(&ref.Kind, &ref.ID, &ref.Leg); err != nil {
				return r, err
			}
			r.Add("%s: document and ledger differ", ref)
		}
		return r, rows.Err()
	}
}

// proveOrders: an open task's work order has the value of what was taken, a done one's has nothing.
func proveOrders(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM produce_task`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`SELECT t.id, t.state, t.cost_fen, COALESCE(a.posted_in - a.posted_out, -1) FROM produce_task t LEFT JOIN ledger_account a ON a.id = t.id
		WHERE COALESCE(a.posted_in - a.posted_out, -1) <> CASE WHEN t.state = 'open' THEN t.cost_fen ELSE 0 END`)
	for rows.Next() {
		var task id.ID
		var state string
		var cost, left int64
		if err := rows.Scan(&task, &state, &cost, &left); err != nil {
			return r, err
		}
		r.Add("task %s (%s) took %d fen, its work order has %d", task, state, cost, left)
	}
	return r, rows.Err()
}

const frozenNeeds = `SELECT r.id, r.qty, r.yield_qty, n.line_no, n.product_id, n.qty, n.bare, n.over_qty, n.loss, n.rule, n.of_id, n.per_qty, n.share, n.num, n.den, CASE WHEN p.base_unit = 'piece' THEN 1 ELSE 0 END
	FROM produce_requisition r JOIN produce_need n ON n.requisition_id = r.id JOIN catalog_product p ON p.id = n.product_id
	WHERE r.yield_qty > 0 AND (n.requisition_id, n.line_no) > ($1, $2) ORDER BY n.requisition_id, n.line_no LIMIT 1000`

// proveNeeds: what a requisition asks for of each material is its quantity by the recipe, the share of the line and the ratio that are
// frozen with it, and the shares of a line are a whole.
func proveNeeds(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	type at struct{ requisition, of id.ID }
	var last, now id.ID
	var line int64
	shares := map[at]int64{}
	whole := func() {
		for k, share := range shares {
			if share != catalog.ShareWhole {
				r.Add("requisition %s: the materials for %s have %d millionths of their line", k.requisition, k.of, share)
			}
		}
		clear(shares)
	}
	for {
		rows := tx.Query(frozenNeeds, last, line)
		n := 0
		for rows.Next() {
			var asked, yield qty.Qty
			var k Need
			if err := rows.Scan(&last, &asked, &yield, &line, &k.Product, &k.Qty, &k.Bare, &k.Over, &k.Loss, &k.Rule, &k.Of, &k.Per, &k.Share, &k.Num, &k.Den, &k.Piece); err != nil {
				rows.Close()
				return r, err
			}
			n++
			r.Rows++
			if last != now {
				whole()
				now = last
			}
			shares[at{last, k.Of}] += k.Share
			if !k.follows(asked, yield) {
				r.Add("requisition %s: %s of %s is not what its recipe takes for %s", last, k.Qty, k.Product, asked)
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return r, err
		}
		if n == 0 {
			whole()
			return r, nil
		}
	}
}

// follows works a need out again.
func (n Need) follows(asked, yield qty.Qty) bool {
	if n.Num <= 0 || n.Den <= 0 {
		return false
	}
	part := catalog.Ingredient{Component: catalog.Component{Qty: n.Per, Loss: n.Loss, Rule: catalog.LossRule(n.Rule)}, Num: n.Num, Den: n.Den, Share: n.Share}
	bare := new(big.Rat).Mul(part.Per(yield), big.NewRat(int64(asked), 1))
	need := new(big.Rat).Mul(bare, part.Compensation())
	up, e1 := catalog.RoundUp(bare, false)
	exact, e2 := catalog.RoundUp(need, false)
	full, e3 := catalog.RoundUp(need, n.Piece)
	return e1 == nil && e2 == nil && e3 == nil && n.Bare == up && n.Qty == full && n.Over == full-exact
}
