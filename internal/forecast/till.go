package forecast

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

const (
	dropTillDay = `DELETE FROM forecast_sale_day WHERE site_id = $1 AND date = $2 AND load_id = $3`
	// markTillDay comes first: of two who speak of a day the second waits here.
	markTillDay = `INSERT INTO forecast_till_day (site_id, date, times) VALUES ($1, $2, 1)
		ON CONFLICT (site_id, date) DO UPDATE SET times = forecast_till_day.times + 1`
)

// PutTillDay says what our own tills sold at a site on a business date, in place of what was said before. Where
// an imported load speaks of the same product and day, that counts.
func PutTillDay(tx *db.Tx, site id.ID, date cal.Date, days []SaleDay) error {
	if err := tx.Exec(markTillDay, site, date); err != nil {
		return err
	}
	if err := tx.Exec(dropTillDay, site, date, TillLoad); err != nil {
		return err
	}
	args := make([]any, 0, len(days)*9)
	for i := range days {
		d := &days[i]
		args = append(args, site, d.ProductID, date, TillLoad, d.Qty, d.Amount, d.Promo, d.SoldOut, formatSlots(d.Slots))
	}
	return tx.ExecMany(putSales, args...)
}
