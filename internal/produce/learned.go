package produce

import (
	"errors"
	"math/big"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// What the lines of recipes lose, learned from what was made (spec 01 §2): a line begins with the loss that its recipe says; after
// ten finished batches it is what was lost in the last thirty, as a ratio of sums, between nothing and a fifth, and it moves by at
// most two points a night. A line is of one version of a recipe at one site: a new version begins anew.
//
// Lost is what was taken beyond the bare need of what came out. That whole pieces are taken where the recipe says less is no
// loss: plans round by themselves. Materials that share a line are looked at together. A batch of which nothing came out is an accident and says nothing of the next one, and one
// whose materials somebody named says nothing of the recipe.

const (
	learnsAfter = 10      // batches
	learnsFrom  = 30      // the last batches
	mostLoss    = 200_000 // millionths
	mostMove    = 20_000  // millionths a night
	wholeLoss   = 1_000_000

	lossYield = "yield" // of what was issued; else of the bare need
)

// Line is a line of a version of a recipe.
type Line struct {
	Product  id.ID
	Recipe   cal.Date // its first day
	Material id.ID
}

// Learned is what a line was learned to lose at a site.
type Learned struct {
	Rate    int64  // millionths
	Was     int64  // before the night in which it was learned
	Rule    string // what it is a share of: markup of the bare need, yield of what was issued
	Batches int64
	Taken   qty.Qty // for them, less what rounding to pieces added
	Net     qty.Qty // what they needed without any loss
}

// step is the rate of the next night: what the sums come to, no more than two points from what it was, and between the bounds.
func (l *Learned) step() error {
	lost, of := max(0, l.Taken-l.Net), l.Net
	if l.Rule == lossYield {
		of = l.Taken
	}
	var rate int64
	if lost > 0 {
		share := int64(mostLoss)
		if of > lost { // else all is lost, and more
			var err error
			if share, err = money.MulDiv(int64(lost), wholeLoss, int64(of)); err != nil {
				return err
			}
		}
		rate = share
	}
	rate = min(mostLoss, rate)
	rate = max(l.Was-mostMove, min(l.Was+mostMove, rate))
	l.Rate = max(0, min(mostLoss, rate))
	return nil
}

const (
	nextRecipe = `SELECT product_id, recipe_from FROM produce_task WHERE site_id = $1 AND (product_id, recipe_from) > ($2, $3) AND recipe_from <> ''
		ORDER BY product_id, recipe_from LIMIT 1`
	lastBatches = `SELECT b.id, n.of_id, n.num, n.den, n.product_id, n.bare, n.over_qty, n.loss, n.rule, b.date, b.planned, b.made,
			(SELECT COALESCE(SUM(i.qty), 0) FROM produce_issue i WHERE i.task_id = b.id AND i.product_id = n.product_id)
		FROM (SELECT t.id, t.requisition_id, t.planned, o.qty AS made, o.business_date AS date FROM produce_task t JOIN produce_output o ON o.task_id = t.id
			WHERE t.site_id = $1 AND t.product_id = $2 AND t.recipe_from = $3 AND t.recipe_from <> '' AND o.qty > 0 AND o.business_date < $4 ORDER BY t.id DESC LIMIT $5) AS b
		JOIN produce_need n ON n.requisition_id = b.requisition_id WHERE n.bare > 0 ORDER BY n.product_id, b.id DESC`
	learnedOf = `SELECT material_id, rule, rate, date FROM produce_learned WHERE site_id = $1 AND product_id = $2 AND recipe_from = $3`
	learnedAt = `SELECT product_id, recipe_from, material_id, rule, rate, was, batches, taken, net FROM produce_learned
		WHERE site_id = $1 AND (product_id, recipe_from, material_id) > ($2, $3, $4) ORDER BY product_id, recipe_from, material_id LIMIT $5`
)

var putLearned = db.NewMany(`INSERT INTO produce_learned (site_id, product_id, recipe_from, material_id, rule, rate, was, batches, taken, net, date) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	` ON CONFLICT (site_id, product_id, recipe_from, material_id) DO UPDATE SET rule = excluded.rule, rate = excluded.rate, was = excluded.was, batches = excluded.batches,
		taken = excluded.taken, net = excluded.net, date = excluded.date WHERE produce_learned.date < excluded.date`)

// seen is what the last batches say of a line.
type seen struct {
	Learned
	material id.ID
	set      int64 // the loss that the recipe had for the newest of them
}

// takenFor is what was taken, by material and the newest batch first, for the last batches by a version of a recipe whose output was
// booked before a day.
func takenFor(tx *db.Tx, site, product id.ID, recipe, before cal.Date) ([]taken, error) {
	rows := tx.Query(lastBatches, site, product, recipe, before, learnsFrom)
	defer rows.Close()
	var lines []taken
	for rows.Next() {
		var n taken
		if err := rows.Scan(&n.task, &n.Of, &n.Num, &n.Den, &n.Product, &n.Bare, &n.Over, &n.Loss, &n.Rule, &n.date, &n.planned, &n.made, &n.qty); err != nil {
			return nil, err
		}
		net, err := money.MulDiv(int64(n.Bare), int64(n.made), int64(n.planned))
		if err != nil {
			return nil, err
		}
		n.net, n.qty = qty.Qty(net), max(0, n.qty-n.Over)
		lines = append(lines, n)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	together(lines)
	return lines, nil
}

// batchesOf adds up, by material, the last batches by a version of a recipe whose output was booked before a day.
func batchesOf(tx *db.Tx, site, product id.ID, recipe, before cal.Date) ([]seen, error) {
	lines, err := takenFor(tx, site, product, recipe, before)
	if err != nil {
		return nil, err
	}
	var all []seen
	for _, n := range lines {
		if k := len(all); k == 0 || all[k-1].material != n.Product {
			all = append(all, seen{Learned{Rule: n.Rule}, n.Product, n.Loss})
		}
		s := &all[len(all)-1]
		s.Batches++
		s.Net += n.net
		s.Taken += n.qty
	}
	return all, nil
}

// taken is what was taken of a material for a batch, less what rounding added, and what of it the batch needed.
type taken struct {
	Need
	task          id.ID
	date          cal.Date // on which the output was booked
	planned, made qty.Qty
	qty, net      qty.Qty
}

// together shares out what was taken for a line that was mixed from several materials: who takes a bit more of one and less of
// another has lost nothing. What the line lost as a whole, in what its component does, each material lost in the same measure.
func together(all []taken) {
	type line struct{ task, of id.ID }
	mixed := map[line][]int{}
	for i, n := range all {
		if n.Of != 0 {
			mixed[line{n.task, n.Of}] = append(mixed[line{n.task, n.Of}], i)
		}
	}
	for _, of := range mixed {
		if len(of) < 2 {
			continue
		}
		took, net := new(big.Rat), new(big.Rat)
		for _, i := range of {
			n := all[i]
			took.Add(took, new(big.Rat).Mul(big.NewRat(int64(n.qty), 1), big.NewRat(n.Den, n.Num)))
			net.Add(net, new(big.Rat).Mul(big.NewRat(int64(n.net), 1), big.NewRat(n.Den, n.Num)))
		}
		if net.Sign() == 0 {
			continue
		}
		part := took.Quo(took, net)
		for _, i := range of {
			r := new(big.Rat).Mul(big.NewRat(int64(all[i].net), 1), part)
			r.Add(r, big.NewRat(1, 2))
			all[i].qty = qty.Qty(new(big.Int).Quo(r.Num(), r.Denom()).Int64())
		}
	}
}

// Learn learns what the lines of the next version of a recipe that a site made by lose, as of a business date of which nothing
// is looked at, and gives that version; product 0: there is none. What was learned of that date stays.
func Learn(tx *db.Tx, site, afterProduct id.ID, afterRecipe, date cal.Date) (product id.ID, recipe cal.Date, err error) {
	if err := tx.QueryRow(nextRecipe, site, afterProduct, afterRecipe).Scan(&product, &recipe); err != nil {
		if errors.Is(err, db.ErrNoRow) {
			err = nil
		}
		return 0, "", err
	}
	now, err := batchesOf(tx, site, product, recipe, date)
	if err != nil {
		return 0, "", err
	}
	type before struct {
		rule string
		rate int64
		date cal.Date
	}
	was := map[id.ID]before{}
	rows := tx.Query(learnedOf, site, product, recipe)
	defer rows.Close()
	for rows.Next() {
		var material id.ID
		var b before
		if err := rows.Scan(&material, &b.rule, &b.rate, &b.date); err != nil {
			return 0, "", err
		}
		was[material] = b
	}
	if err := rows.Err(); err != nil {
		return 0, "", err
	}
	var args []any
	for _, s := range now {
		old, known := was[s.material]
		if s.Batches < learnsAfter || known && old.date >= date {
			continue
		}
		if s.Was = s.set; known && old.rule == s.Rule {
			s.Was = old.rate
		}
		if err := s.step(); err != nil {
			return 0, "", err
		}
		args = append(args, int64(site), int64(product), string(recipe), int64(s.material), s.Rule, s.Rate, s.Was, s.Batches, int64(s.Taken), int64(s.Net), string(date))
	}
	return product, recipe, tx.ExecMany(putLearned, args...)
}

// LearnedAt reads what lines were learned to lose at a site, behind one of them, at most so many.
func LearnedAt(tx *db.Tx, site id.ID, after Line, limit int) (lines []Line, learned []Learned, err error) {
	rows := tx.Query(learnedAt, site, after.Product, after.Recipe, after.Material, limit)
	defer rows.Close()
	for rows.Next() {
		var at Line
		var l Learned
		if err := rows.Scan(&at.Product, &at.Recipe, &at.Material, &l.Rule, &l.Rate, &l.Was, &l.Batches, &l.Taken, &l.Net); err != nil {
			return nil, nil, err
		}
		lines, learned = append(lines, at), append(learned, l)
	}
	return lines, learned, rows.Err()
}

const learnedAll = `SELECT site_id, product_id, recipe_from, material_id, date, rule, rate, was, batches, taken, net FROM produce_learned
	WHERE (site_id, product_id, recipe_from, material_id) > ($1, $2, $3, $4) ORDER BY site_id, product_id, recipe_from, material_id LIMIT 500`

// proveLearned learns each rate again from its batches and what it was before.
func proveLearned(tx *db.Tx) (proof.Result, error) {
	type row struct {
		site id.ID
		Line
		date cal.Date
		Learned
	}
	var r proof.Result
	var last row
	var now []seen
	for {
		rows := tx.Query(learnedAll, last.site, last.Product, last.Recipe, last.Material)
		var page []row
		for rows.Next() {
			var n row
			if err := rows.Scan(&n.site, &n.Product, &n.Recipe, &n.Material, &n.date, &n.Rule, &n.Rate, &n.Was, &n.Batches, &n.Taken, &n.Net); err != nil {
				rows.Close()
				return r, err
			}
			page = append(page, n)
		}
		rows.Close()
		if err := rows.Err(); err != nil || len(page) == 0 {
			return r, err
		}
		for _, n := range page {
			r.Rows++
			if n.site != last.site || n.Product != last.Product || n.Recipe != last.Recipe || n.date != last.date {
				var err error
				if now, err = batchesOf(tx, n.site, n.Product, n.Recipe, n.date); err != nil {
					return r, err
				}
			}
			last = n
			again := Learned{Was: n.Was}
			for _, s := range now {
				if s.material == n.Material {
					again = s.Learned
					again.Was = n.Was
					if err := again.step(); err != nil {
						return r, err
					}
				}
			}
			if again != n.Learned {
				r.Add("site %s: what product %s by the recipe of %s loses of %s is %+v, its batches say %+v", n.site, n.Product, n.Recipe, n.Material, n.Learned, again)
			}
		}
	}
}
