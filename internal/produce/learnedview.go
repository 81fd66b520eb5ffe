package produce

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
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
	Taken         qty.Qty // of the material, less what rounding to pieces added; of a mixed line its part of what the line took
	Net           qty.Qty // that it needed without loss
}

const learnedLines = `SELECT material_id, date, rule, rate, was, batches, taken, net FROM produce_learned WHERE site_id = $1 AND product_id = $2 AND recipe_from = $3 ORDER BY material_id`

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
		batches, err := takenFor(tx, site, product, recipe, l.AsOf)
		if err != nil {
			return nil, err
		}
		for _, n := range batches {
			for i := range all {
				if all[i].Material == n.Product && all[i].AsOf == l.AsOf {
					all[i].From = append(all[i].From, LearnedBatch{n.task, n.date, n.planned, n.made, n.qty, n.net})
				}
			}
		}
	}
	return all, nil
}
