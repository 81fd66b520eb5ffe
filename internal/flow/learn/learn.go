// Package learn turns what our own tills sold into the history that forecasts are made from: each morning
// the days that are over, by product, half hour, and with the minute at which the shelf was empty.
package learn

import (
	"context"
	"embed"
	"errors"
	"slices"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "learn", FS: files}

// Job is the kind of the job that brings the history up to yesterday.
const Job = "learn.sales"

const (
	againDays = 2                // days before the mark that are reckoned again: a late payment or void may have changed them
	goneFor   = 30 * time.Minute // a sale so long after the shelf was empty means that goods came
	keepOut   = 35               // days that sell-out times are kept, by then they are in the history
)

// Jobs registers the work: each morning, before the forecasts.
func Jobs(r *jobs.Runner) {
	r.Handle(Job, run)
	r.DailyAt(Job, org.EachMorning("morning", 10*time.Minute))
}

// Subscribe lets the relay tell when shelves run empty.
func Subscribe(r *outbox.Relay) {
	r.Subscribe("learn", stock.EventSoldOut, soldOut)
}

const (
	productOfSKU = `SELECT product_id FROM catalog_sku WHERE id = $1`
	putOut       = `INSERT INTO learn_out (site_id, product_id, date, minute) VALUES ($1, $2, $3, $4)
		ON CONFLICT (site_id, product_id, date) DO UPDATE SET minute = excluded.minute WHERE excluded.minute > learn_out.minute`
)

// soldOut notes when a product was gone.
func soldOut(tx *db.Tx, e outbox.Event) error {
	var b stock.SoldOut
	if err := e.Unmarshal(&b); err != nil {
		return err
	}
	site, err := org.SiteByID(tx, b.Site)
	if err != nil {
		return err
	}
	var product id.ID
	if err := tx.QueryRow(productOfSKU, b.SKU).Scan(&product); err != nil {
		return err
	}
	date := site.BusinessDate(b.At)
	return tx.Exec(putOut, site.ID, product, date, minuteOf(site, date, b.At))
}

// minuteOf counts minutes on the site's clock from midnight of the business date; past midnight it goes on.
func minuteOf(site *org.Site, date cal.Date, t time.Time) int64 {
	w := t.In(site.Location())
	return int64(cal.On(w).Sub(date)*24*60 + w.Hour()*60 + w.Minute())
}

// run brings the history of each site up to yesterday, a day in one act.
func run(ctx context.Context, run *jobs.Run) error {
	return org.WalkSites(ctx, run, cal.Date.String, func(tx *db.Tx, site *org.Site, after cal.Date) (cal.Date, bool, error) {
		date, err := oneDay(tx, site, after)
		return date, date == "", err
	})
}

const (
	markOf  = `SELECT date FROM learn_mark WHERE site_id = $1`
	nextDay = `SELECT s.business_date FROM till_register r JOIN till_shift s ON s.register_id = r.id
		WHERE r.site_id = $1 AND s.business_date > $2 AND s.business_date < $3 ORDER BY s.business_date LIMIT 1`
	moveMark = `INSERT INTO learn_mark (site_id, date) VALUES ($1, $2)
		ON CONFLICT (site_id) DO UPDATE SET date = excluded.date WHERE excluded.date > learn_mark.date`
	soldOn = `SELECT l.product_id, s.sold_at, l.base_qty, l.amount_fen
		FROM till_register r JOIN till_sale s ON s.register_id = r.id JOIN till_line l ON l.sale_id = s.id
		WHERE r.site_id = $1 AND s.business_date = $2 AND s.state = 'paid' ORDER BY l.product_id, s.sold_at`
	outOn   = `SELECT product_id, minute FROM learn_out WHERE site_id = $1 AND date = $2`
	dropOut = `DELETE FROM learn_out WHERE site_id = $1 AND date < $2`
)

// oneDay brings the first day after the given one into the history and returns it; "" when all days that are
// over are in it. Reckoning a day again gives the same rows.
func oneDay(tx *db.Tx, site *org.Site, after cal.Date) (cal.Date, error) {
	if after == "" {
		var mark cal.Date
		err := tx.QueryRow(markOf, site.ID).Scan(&mark)
		switch {
		case err == nil:
			after = mark.AddDays(-againDays)
		case !errors.Is(err, db.ErrNoRow):
			return "", err
		}
	}
	today := site.BusinessDate(tx.Now())
	var date cal.Date
	err := tx.QueryRow(nextDay, site.ID, after, today).Scan(&date)
	if errors.Is(err, db.ErrNoRow) {
		return "", tx.Exec(dropOut, site.ID, today.AddDays(-keepOut))
	}
	if err != nil {
		return "", err
	}
	days, err := daySales(tx, site, date)
	if err != nil {
		return "", err
	}
	if err := withhold(tx, site.ID, date, days); err != nil {
		return "", err
	}
	if err := forecast.PutTillDay(tx, site.ID, date, days); err != nil {
		return "", err
	}
	return date, tx.Exec(moveMark, site.ID, date)
}

// withhold leaves out what was sold beyond a threshold and is not released: it teaches nothing. What came first counts.
// Released within the days that are reckoned again, it is there the next morning.
func withhold(tx *db.Tx, site id.ID, date cal.Date, days []forecast.SaleDay) error {
	counted, err := replenish.Counted(tx, site, date)
	if err != nil {
		return err
	}
	for i := range days {
		d := &days[i]
		most, ok := counted[d.ProductID]
		if !ok || d.Qty <= most {
			continue
		}
		fen, err := money.MulDiv(int64(*d.Amount), int64(most), int64(d.Qty))
		if err != nil {
			return err
		}
		*d.Amount, d.Qty = money.Fen(fen), most
		for k := range d.Slots {
			d.Slots[k].Qty = min(d.Slots[k].Qty, most)
			most -= d.Slots[k].Qty
		}
		d.Slots = slices.DeleteFunc(d.Slots, func(s forecast.SlotQty) bool { return s.Qty == 0 })
	}
	return nil
}

// daySales folds the paid lines of a day by product and half hour. What was refunded stays: it was wanted.
func daySales(tx *db.Tx, site *org.Site, date cal.Date) ([]forecast.SaleDay, error) {
	sold := tx.Query(soldOn, site.ID, date)
	out := tx.Query(outOn, site.ID, date)
	defer sold.Close()
	defer out.Close()
	var days []forecast.SaleDay
	var last []time.Time
	for sold.Next() {
		var product id.ID
		var at time.Time
		var line forecast.SlotQty
		var amount money.Fen
		if err := sold.Scan(&product, &at, &line.Qty, &amount); err != nil {
			return nil, err
		}
		if n := len(days); n == 0 || days[n-1].ProductID != product {
			days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: site.ID, ProductID: product, Date: date}, Amount: new(money.Fen)})
			last = append(last, time.Time{})
		}
		d := &days[len(days)-1]
		d.Qty += line.Qty
		*d.Amount += amount
		line.Slot = minuteOf(site, date, at) / 30
		if n := len(d.Slots); n > 0 && d.Slots[n-1].Slot == line.Slot {
			d.Slots[n-1].Qty += line.Qty
		} else {
			d.Slots = append(d.Slots, line)
		}
		last[len(last)-1] = at
	}
	if err := sold.Err(); err != nil {
		return nil, err
	}
	gone := map[id.ID]int64{}
	for out.Next() {
		var product id.ID
		var minute int64
		if err := out.Scan(&product, &minute); err != nil {
			return nil, err
		}
		gone[product] = minute
	}
	for i := range days {
		minute, ok := gone[days[i].ProductID]
		if ok && minuteOf(site, date, last[i])-minute < int64(goneFor/time.Minute) {
			days[i].SoldOut = &minute
		}
	}
	return days, out.Err()
}
