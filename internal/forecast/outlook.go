package forecast

import (
	"encoding/json"
	"errors"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// What those who make and buy for a day ask of a forecast.

// Outlook is what a forecast of files says of one product of one shop on one day, in thousandths of the unit that
// the file sells it in. Shares are the parts of the day by half hour after midnight.
type Outlook struct {
	Series *Series
	Mean   qty.Qty
	Q      [len(Taus)]qty.Qty
	Shares []float64
}

// At is the quantile at tau.
func (x Outlook) At(tau float64) qty.Qty { return quantileAt(x.Q, tau) }

// Outlook is the forecast of every series of the panel that has begun, h days after its last day.
func (e *Engine) Outlook(h int) []Outlook {
	o := e.p.Days - 1
	var all []Outlook
	for i, days := range e.Forecast(o) {
		if days == nil {
			continue
		}
		x := Outlook{Series: &e.p.Series[i], Mean: qty.Nearest(days[h-1].Mean)}
		for k, q := range days[h-1].Q {
			x.Q[k] = qty.Nearest(q)
		}
		shares := e.prof.shares(x.Series, o+h)
		x.Shares = shares[:]
		all = append(all, x)
	}
	return all
}

// quantileAt reads between the quantiles that a forecast carries; outside them the outermost holds.
func quantileAt(q [len(Taus)]qty.Qty, tau float64) qty.Qty {
	for i, t := range Taus {
		switch {
		case tau == t || tau < t && i == 0:
			return q[i]
		case tau < t:
			part := (tau - Taus[i-1]) / (t - Taus[i-1])
			return q[i-1] + qty.Nearest(part*(q[i]-q[i-1]).Approx())
		}
	}
	return q[len(q)-1]
}

// At is the quantile at tau. A person's figure for the mean moves the quantiles with it.
func (x Expected) At(tau float64) qty.Qty {
	q := quantileAt(x.Q, tau)
	if !x.Override {
		return q
	}
	if x.Machine <= 0 {
		return x.Mean
	}
	return qty.Nearest(q.Approx() * x.Mean.Approx() / x.Machine.Approx())
}

// AheadOf is the stored forecast of one product: its days, and the shares of the half hours after midnight on
// workdays and on weekends.
type AheadOf struct {
	Product id.ID
	Days    []Expected
	shares  [2][]float64
}

// On is what the forecast says of a day; nil: nothing.
func (a *AheadOf) On(d cal.Date) *Expected {
	if len(a.Days) == 0 {
		return nil
	}
	i := d.Sub(a.Days[0].Date)
	if i < 0 || i >= len(a.Days) {
		return nil
	}
	return &a.Days[i]
}

// Shares of a day of the week.
func (a *AheadOf) Shares(w time.Weekday) []float64 {
	if w == time.Saturday || w == time.Sunday {
		return a.shares[1]
	}
	return a.shares[0]
}

const productsAhead = `SELECT product_id, days, profile FROM forecast_product WHERE run_id = $1 AND product_id > $2 ORDER BY product_id LIMIT $3`

// Products gives the forecast in force at a site, by product, limit of them behind the one named. ErrNone where there
// is none.
func Products(tx *db.Tx, site, after id.ID, limit int) (*Run, []AheadOf, error) {
	run, err := inForce(tx, site)
	if err != nil {
		return nil, nil, err
	}
	all, err := ahead(tx, run, tx.Query(productsAhead, run.ID, after, limit))
	return run, all, err
}

var someAhead = db.NewMany(`SELECT product_id, days, profile FROM forecast_product WHERE run_id = $1 AND product_id IN (`, `?`, `) ORDER BY product_id`)

// AheadSome gives the forecast in force at a site of some products; those without one are missing.
func AheadSome(tx *db.Tx, site id.ID, products []id.ID) (map[id.ID]AheadOf, error) {
	found := make(map[id.ID]AheadOf, len(products))
	run, err := inForce(tx, site)
	if errors.Is(err, ErrNone) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	args := []any{run.ID}
	for _, p := range products {
		args = append(args, p)
	}
	all, err := ahead(tx, run, tx.QueryMany(someAhead, args...))
	for _, a := range all {
		found[a.Product] = a
	}
	return found, err
}

func ahead(tx *db.Tx, run *Run, rows *db.Rows) ([]AheadOf, error) {
	defer rows.Close()
	var all []AheadOf
	var ids []id.ID
	for rows.Next() {
		a := AheadOf{}
		var daysText, profileText string
		if err := rows.Scan(&a.Product, &daysText, &profileText); err != nil {
			return nil, err
		}
		var days []storedDay
		var profile [2][]int
		if err := errors.Join(unpack(daysText, &days), json.Unmarshal([]byte(profileText), &profile)); err != nil {
			return nil, err
		}
		for i := range days {
			a.Days = append(a.Days, Expected{Date: run.Origin.AddDays(1 + i), Mean: days[i].mean(), Machine: days[i].mean(), Q: days[i].quantiles(), Effects: days[i].effects()})
		}
		for k := range profile {
			a.shares[k] = sharesOf(profile[k])
		}
		all, ids = append(all, a), append(ids, a.Product)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	said, err := overridesOf(tx, run.SiteID, ids, run.First(), run.Last())
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		for i := range a.Days {
			if o, ok := said[dayKey{a.Product, a.Days[i].Date}]; ok {
				a.Days[i].Mean, a.Days[i].Override = o.Qty, true
			}
		}
	}
	return all, nil
}

// sharesOf brings stored ten-thousandths back to parts of a whole; nil when nothing is known.
func sharesOf(stored []int) []float64 {
	sum := 0
	for _, v := range stored {
		sum += v
	}
	if sum == 0 {
		return nil
	}
	out := make([]float64, len(stored))
	for i, v := range stored {
		out[i] = float64(v) / float64(sum)
	}
	return out
}
