package forecast

import (
	"errors"
	"maps"
	"slices"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// Proofs are what forecasts in force promise.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "forecast_runs_are_whole", Run: runsAreWhole},
		{Name: "forecast_parts_add_up", Run: partsAddUp},
		{Name: "forecast_models_know_no_future", Run: modelsKnowNoFuture},
		{Name: "forecast_memories_are_whole", Run: memoriesAreWhole},
		{Name: "forecast_packs_say_what_was_sold", Run: packsAreTrue},
		{Name: "forecast_kept_adds_up", Run: keptAddsUp},
		{Name: "forecast_festivals_add_up", Run: festivalsAddUp},
	}
}

const (
	runCounts = `SELECT r.id, r.site_id, r.products, COUNT(f.product_id) FROM forecast_run r LEFT JOIN forecast_product f ON f.run_id = r.id
		WHERE r.applied_no > 0 GROUP BY r.id, r.site_id, r.products ORDER BY r.id`
	daysInForce = `SELECT f.run_id, f.product_id, f.sum, f.days FROM forecast_product f JOIN forecast_run r ON r.id = f.run_id AND r.applied_no > 0
		WHERE f.run_id > $1 OR f.run_id = $1 AND f.product_id > $2 ORDER BY f.run_id, f.product_id LIMIT 500`
)

// runsAreWhole looks for a forecast in force that misses products it was made for.
func runsAreWhole(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	rows := tx.Query(runCounts)
	defer rows.Close()
	for rows.Next() {
		var run, site id.ID
		var said, found int64
		if err := rows.Scan(&run, &site, &said, &found); err != nil {
			return r, err
		}
		r.Rows++
		if said != found {
			r.Add("forecast %s of site %s has %d products, made were %d", run, site, found, said)
		}
	}
	return r, rows.Err()
}

const (
	runsOfModels = `SELECT r.id, r.site_id, r.origin, m.cutoff FROM forecast_run r JOIN forecast_model m ON m.id = r.model_id
		WHERE r.applied_no > 0 ORDER BY r.id`
	memoriesInForce = `SELECT l.site_id, l.model_id, l.series, l.body FROM forecast_memory l JOIN forecast_model m ON m.id = l.model_id AND m.ready = 1
		WHERE l.site_id > $1 OR l.site_id = $1 AND l.model_id > $2 ORDER BY l.site_id, l.model_id LIMIT 10`
)

// modelsKnowNoFuture looks for a forecast in force whose model was trained on days after its origin.
func modelsKnowNoFuture(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	rows := tx.Query(runsOfModels)
	defer rows.Close()
	for rows.Next() {
		var run, site id.ID
		var origin, cutoff cal.Date
		if err := rows.Scan(&run, &site, &origin, &cutoff); err != nil {
			return r, err
		}
		r.Rows++
		if cutoff > origin {
			r.Add("forecast %s of site %s is made as of %s by a model that knows %s", run, site, origin, cutoff)
		}
	}
	return r, rows.Err()
}

const packsInForce = `SELECT site_id, first, until, till, sum, body FROM forecast_past WHERE site_id > $1 ORDER BY site_id LIMIT 1`

// packsAreTrue looks for a pack that a night would believe and that says other than the days it was made of: of each
// site the first product, the last and one between.
func packsAreTrue(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var site id.ID
	for {
		p := &past{}
		var sum string
		var body []byte
		err := tx.QueryRow(packsInForce, site).Scan(&site, &p.first, &p.until, &p.till, &sum, &body)
		if errors.Is(err, db.ErrNoRow) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		r.Rows++
		if !p.open(sum, body) {
			r.Add("the past of site %s can't be read", site)
			continue
		}
		till, loads, err := marks(tx, site, p.until)
		if err != nil {
			return r, err
		}
		if till != p.till || !slices.Equal(loads, p.loads) {
			continue // the next night packs anew
		}
		n := len(p.products)
		for _, i := range slices.Compact([]int{0, n / 2, n - 1}) {
			if i < 0 || i >= n {
				continue
			}
			want := &p.products[i]
			got, err := productDays(want.id, tx.Query(salesOfProduct, site, want.id, p.first, p.until), p.until)
			if err != nil {
				return r, err
			}
			got = got.between(p.first.Number(), p.until.Number())
			if !slices.Equal(got.days, want.days) || !maps.EqualFunc(got.slots, want.slots, func(a, b *slotRow) bool { return *a == *b }) {
				r.Add("the past of site %s has another history of product %s than what was sold", site, want.id)
			}
		}
	}
}

// memoriesAreWhole looks for what a training left of a site and can't be read, or misses products.
func memoriesAreWhole(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var site, model id.ID
	for {
		n := 0
		rows := tx.Query(memoriesInForce, site, model)
		for rows.Next() {
			var series int
			var body []byte
			if err := rows.Scan(&site, &model, &series, &body); err != nil {
				rows.Close()
				return r, err
			}
			n++
			r.Rows++
			m := &siteMemory{}
			if err := decode(body, m); err != nil {
				r.Add("what model %s remembers of site %s: %v", model, site, err)
			} else if len(m.Products) != series {
				r.Add("model %s remembers %d products of site %s, it learned of %d", model, len(m.Products), site, series)
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil || n == 0 {
			return r, err
		}
	}
}

// partsAddUp looks for a day whose parts miss its mean, or days that miss their sum.
func partsAddUp(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var run, product id.ID
	for {
		n := 0
		rows := tx.Query(daysInForce, run, product)
		for rows.Next() {
			var sum int64
			var text string
			if err := rows.Scan(&run, &product, &sum, &text); err != nil {
				rows.Close()
				return r, err
			}
			n++
			r.Rows++
			var days []storedDay
			if err := unpack(text, &days); err != nil {
				r.Add("forecast %s of product %s: %v", run, product, err)
				continue
			}
			var total int64
			for i := range days {
				total += days[i][0]
				var parts qty.Qty
				for _, p := range days[i].parts() {
					parts += p
				}
				if parts != days[i].mean() {
					r.Add("forecast %s of product %s, day %d: the parts come to %s, the mean is %s", run, product, i+1, parts, days[i].mean())
				}
			}
			if total != sum {
				r.Add("forecast %s of product %s: the days come to %s, the sum is %s", run, product, qty.Qty(total), qty.Qty(sum))
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil || n == 0 {
			return r, err
		}
	}
}
