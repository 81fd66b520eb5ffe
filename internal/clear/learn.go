package clear

import (
	"math"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/stats"
)

// How people answer to a lower price is learned per category from half hours: sold, of what was expected at the full
// price. Poisson regression on −log of the share paid, with the log of what was expected as offset; prior N(1.8, .5²) for
// e, N(0, .3²) for the error of the forecast itself (planning §1). Half hours in which a batch sold out are left out.
const (
	learnFor   = 180 * 24 * time.Hour
	leastSlots = 20
	priorE     = 1.8
	ridgeE     = 1 / (.5 * .5)
	ridgeLevel = 1 / (.3 * .3)
)

// heard is what was seen at one share of the full price.
type heard struct {
	share, sold, expected float64
	slots                 int64
}

// answer fits e and its error.
func answer(seen []heard) (e, sd float64) {
	var x, y, w, offset []float64
	for _, h := range seen {
		x = append(x, 1, -math.Log(h.share))
		y, w, offset = append(y, h.sold), append(w, 1), append(offset, math.Log(h.expected))
	}
	beta := stats.PoissonRidge(x, y, w, offset, []float64{0, priorE}, []float64{ridgeLevel, ridgeE}, nil, 50)
	a, b, c := ridgeLevel, 0.0, ridgeE
	for i := range y {
		mu := math.Exp(beta[0] + beta[1]*x[2*i+1] + offset[i])
		a, b, c = a+mu, b+mu*x[2*i+1], c+mu*x[2*i+1]*x[2*i+1]
	}
	return max(0, beta[1]), math.Sqrt(a / (a*c - b*b))
}

// Learn brings what is known of each category's answer to prices up to now.
func Learn(tx *db.Tx) error {
	rows := tx.Query(`SELECT s.category_id, s.price_fen * 1000 / s.list_fen, s.free, SUM(s.slot_sold), SUM(s.slot_expected), COUNT(*) FROM clear_step s
		WHERE s.at > $1 AND s.slot_sold >= 0 AND s.slot_expected > 0 AND s.slot_left > 0 AND s.list_fen > 0 AND s.price_fen > 0
		GROUP BY s.category_id, s.price_fen * 1000 / s.list_fen, s.free ORDER BY s.category_id`, tx.Now().Add(-learnFor))
	defer rows.Close()
	seen := map[id.ID][]heard{}
	for rows.Next() {
		var category id.ID
		var permille int64
		var free bool
		var sold, expected qty.Qty
		var h heard
		if err := rows.Scan(&category, &permille, &free, &sold, &expected, &h.slots); err != nil {
			return err
		}
		if h.share = float64(permille) / 1000; free {
			h.share /= 2
		}
		h.sold, h.expected = sold.Approx(), expected.Approx()
		if h.share > 0 {
			seen[category] = append(seen[category], h)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for category, all := range seen {
		var slots int64
		for _, h := range all {
			slots += h.slots
		}
		if slots < leastSlots {
			continue
		}
		e, sd := answer(all)
		if err := tx.Exec(`INSERT INTO clear_answer (category_id, elasticity_milli, error_milli, slots, learned_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (category_id) DO UPDATE SET elasticity_milli = excluded.elasticity_milli, error_milli = excluded.error_milli, slots = excluded.slots, learned_at = excluded.learned_at`,
			category, int64(math.Round(e*1000)), int64(math.Round(sd*1000)), slots, tx.Now()); err != nil {
			return err
		}
	}
	return nil
}
