package forecast

import (
	"errors"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// A person may put his own figure in the machine's place. Both are kept, with who and why, and once the day
// is over both are measured.

// override is the figure that holds for a day.
type override struct {
	Qty     qty.Qty // base unit
	Machine qty.Qty
	Reason  string
	Staff   id.ID
	MadeAt  int64
}

const overridesBetween = `SELECT o.date, o.qty, o.machine, o.reason, o.staff_id, o.made_at FROM forecast_override o
	WHERE o.site_id = $1 AND o.product_id = $2 AND o.date >= $3 AND o.date <= $4
		AND o.id = (SELECT MAX(n.id) FROM forecast_override n WHERE n.site_id = o.site_id AND n.product_id = o.product_id AND n.date = o.date)`

// overrides are what people decided for the days, the newest of each.
func overrides(tx *db.Tx, site, product id.ID, from, to cal.Date) (map[cal.Date]override, error) {
	rows := tx.Query(overridesBetween, site, product, from, to)
	defer rows.Close()
	all := map[cal.Date]override{}
	for rows.Next() {
		var d cal.Date
		var q *qty.Qty
		var o override
		if err := rows.Scan(&d, &q, &o.Machine, &o.Reason, &o.Staff, &o.MadeAt); err != nil {
			return nil, err
		}
		if q != nil {
			o.Qty = *q
			all[d] = o
		}
	}
	return all, rows.Err()
}

// Override puts a person's figure, in thousandths of the base unit, in the place of the machine's; nil takes
// the machine's again. Only days of the forecast in force can be decided.
func Override(tx *db.Tx, site, product id.ID, date cal.Date, q *qty.Qty, reason string, staff id.ID) error {
	run, err := inForce(tx, site)
	if err != nil {
		return err
	}
	var text string
	err = tx.QueryRow(`SELECT days FROM forecast_product WHERE run_id = $1 AND product_id = $2`, run.ID, product).Scan(&text)
	if errors.Is(err, db.ErrNoRow) {
		return ErrNone
	}
	if err != nil {
		return err
	}
	var days []storedDay
	if err := unpack(text, &days); err != nil {
		return err
	}
	h := date.Sub(run.First())
	if !date.Valid() || h < 0 || h >= len(days) {
		return ErrDay.With("date", date).At("date")
	}
	return tx.Exec(`INSERT INTO forecast_override (id, site_id, product_id, date, qty, machine, reason, staff_id, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id.New(), site, product, date, q, days[h].mean(), reason, staff, tx.Now())
}
