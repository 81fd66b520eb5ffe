package produce

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// LearnedLine is what a line of a version was learned to lose at a site, with the batches that the rate is of.
type LearnedLine struct {
	Material id.ID
	AsOf     cal.Date // learned before this business date began: of batches booked before it
	Learned
	From []LearnedBatch // the newest first
}

// LearnedBatch is a finished batch that taught a line.
type LearnedBatch struct {
	Task          id.ID
	Date          cal.Date // on which its output was booked
	Planned, Made qty.Qty
	Taken         qty.Qty // of the material, less what rounding to pieces added
	Net           qty.Qty // that it needed without loss
}

const (
	learnedLines = `SELECT material_id, date, rule, rate, was, batches, taken, net FROM produce_learned WHERE site_id = $1 AND product_id = $2 AND recipe_from = $3 ORDER BY material_id`
	// The batches of lastBatches, each for itself.
	batchLines = `SELECT n.product_id, n.bare, n.over_qty, b.id, b.date, b.planned, b.made,
			(SELECT COALESCE(SUM(i.qty), 0) FROM produce_issue i WHERE i.task_id = b.id AND i.product_id = n.product_id)
		FROM (SELECT t.id, t.requisition_id, t.planned, o.qty AS made, o.business_date AS date FROM produce_task t JOIN produce_output o ON o.task_id = t.id
			WHERE t.site_id = $1 AND t.product_id = $2 AND t.recipe_from = $3 AND t.recipe_from <> '' AND o.qty > 0 AND o.business_date < $4 ORDER BY t.id DESC LIMIT $5) AS b
		JOIN produce_need n ON n.requisition_id = b.requisition_id WHERE n.bare > 0 ORDER BY b.id DESC, n.product_id`
)

// LearnedLines reads what the lines of a version of a recipe were learned to lose at a site, by material.
func LearnedLines(tx *db.Tx, site, product id.ID, recipe cal.Date) ([]LearnedLine, error) {
	rows := tx.Query(learnedLines, site, product, recipe)
	defer rows.Close()
	var all []LearnedLine
	for rows.Next() {
		var l LearnedLine
		if err := rows.Scan(&l.Material, &l.AsOf, &l.Rule, &l.Rate, &l.Was, &l.Batches, &l.Taken, &l.Net); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	asked := map[cal.Date]bool{} // lines of a version are mostly learned in the same night
	for _, l := range all {
		if asked[l.AsOf] {
			continue
		}
		asked[l.AsOf] = true
		rows := tx.Query(batchLines, site, product, recipe, l.AsOf, learnsFrom)
		for rows.Next() {
			var b LearnedBatch
			var material id.ID
			var bare, over, taken qty.Qty
			if err := rows.Scan(&material, &bare, &over, &b.Task, &b.Date, &b.Planned, &b.Made, &taken); err != nil {
				rows.Close()
				return nil, err
			}
			net, err := money.MulDiv(int64(bare), int64(b.Made), int64(b.Planned))
			if err != nil {
				rows.Close()
				return nil, err
			}
			b.Net, b.Taken = qty.Qty(net), max(0, taken-over)
			for i := range all {
				if all[i].Material == material && all[i].AsOf == l.AsOf {
					all[i].From = append(all[i].From, b)
				}
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
