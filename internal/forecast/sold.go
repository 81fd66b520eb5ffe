package forecast

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// SoldDay is what a product sold on one of a site's selling days; Out: it ran out on it.
type SoldDay struct {
	Date cal.Date
	Qty  qty.Qty
	Out  bool
}

const (
	// sellingDays jumps back from day to day through the index.
	sellingDays = `WITH RECURSIVE s (date, n) AS (SELECT MAX(date), 1 FROM forecast_sale_day WHERE site_id = $1 AND date < $2
		UNION ALL SELECT (SELECT MAX(d.date) FROM forecast_sale_day d WHERE d.site_id = $1 AND d.date < s.date), s.n + 1 FROM s WHERE s.date IS NOT NULL AND s.n < $3)
		SELECT date FROM s WHERE date IS NOT NULL`
	firstSold = `SELECT COALESCE(MIN(date), '') FROM forecast_sale_day WHERE site_id = $1 AND product_id = $2`
)

// LastDays gives what products sold on the last selling days of a site before a day, at most so many, the oldest first: days of
// which the site has any sales. A product that sold nothing on one sold 0; days before it was ever sold are left out.
func LastDays(tx *db.Tx, site id.ID, products []id.ID, before cal.Date, n int) (map[id.ID][]SoldDay, error) {
	rows := tx.Query(sellingDays, site, before, n)
	defer rows.Close()
	first := make([]*db.Row, len(products))
	for i, p := range products {
		first[i] = tx.QueryRow(firstSold, site, p)
	}
	dates := make([]cal.Date, 0, n)
	for rows.Next() {
		var d cal.Date
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		dates = append(dates, d)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	all := make(map[id.ID][]SoldDay, len(products))
	var keys []SaleKey
	for i, p := range products {
		var began cal.Date
		if err := first[i].Scan(&began); err != nil {
			return nil, err
		}
		for k := len(dates) - 1; k >= 0; k-- { // the newest comes first
			if began != "" && dates[k] >= began {
				keys = append(keys, SaleKey{site, p, dates[k]})
			}
		}
	}
	found, err := SalesInForce(tx, keys)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		d := found[k]
		all[k.ProductID] = append(all[k.ProductID], SoldDay{k.Date, d.Qty, d.SoldOut != nil})
	}
	return all, nil
}
