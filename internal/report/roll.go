package report

import (
	"context"
	"slices"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/till"
)

// Job is the kind of the job that adds days up.
const Job = "report.roll"

const (
	rollEvery = time.Minute // of business time
	settle    = time.Minute // of wall time: no request takes so long, so what is older has been committed
	lateDays  = 2           // days before today that are added up again once: a payment may come late
)

// Jobs registers the work: whenever a half hour is over, and once more when a day is.
func (s *Service) Jobs(r *jobs.Runner) {
	r.Handle(Job, func(ctx context.Context, run *jobs.Run) error {
		return s.Roll(ctx, run.DB(), clock.Wall.Now(), run.Progress)
	})
	r.Every(Job, rollEvery, nil)
}

// Subscribe lets the relay tell when something that may have been counted is taken back.
func Subscribe(r *outbox.Relay) {
	r.Subscribe("report", till.VoidedEvent, func(tx *db.Tx, e outbox.Event) error {
		if err := tx.Exec(markStale, e.Site); err != nil {
			return err
		}
		return tx.Exec(staleMaterials, e.Site, cal.On(tx.Now()).AddDays(-lateDays-1))
	})
}

const (
	// The day of a void is the site's newest, or the one before when the day has just begun.
	markStale = `UPDATE report_day SET stale = 1 WHERE site_id = $1 AND final = 0`
	headsOf   = `SELECT h.business_date, h.slots, h.final, h.stale FROM report_day h WHERE h.site_id = $1 AND h.business_date >= $2`
	// The oldest sale whose payment is open: it may still become one of the day.
	oldestOpen = `SELECT COALESCE(MIN(s.id), 0) FROM till_sale s WHERE s.state = 'awaiting_payment' AND s.site_id + 0 = $1` // + 0: by the index of those that await, not through the site's sales
	firstDay   = `SELECT COALESCE(MIN(t.business_date), '') FROM ledger_transfer t WHERE t.site_id = $1`
)

// Roll brings the roll-up of every site up to date. A day is read in one transaction and written in another, so that
// tills wait for the writing only. Doing it again changes nothing but the time it was done. wall is the wall clock's
// time: whatever was begun a minute before it is committed by now.
func (s *Service) Roll(ctx context.Context, d *db.DB, wall time.Time, progress func(ctx context.Context, done, all int64, note string)) error {
	var sites []org.Site
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { sites, err = org.AllSites(tx); return err }); err != nil {
		return err
	}
	for i := range sites {
		if progress != nil {
			progress(ctx, int64(i), int64(len(sites)), sites[i].Code)
		}
		if err := s.rollSite(ctx, d, &sites[i], floorOf(wall)); err != nil {
			return err
		}
		if err := rollMaterials(ctx, d, &sites[i]); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) rollSite(ctx context.Context, d *db.DB, site *org.Site, settled id.ID) error {
	var days []*day
	err := d.Read(ctx, func(tx *db.Tx) error {
		days = nil
		today := site.BusinessDate(tx.Now())
		due, err := s.due(tx, site, today)
		if err != nil || due == "" {
			return err
		}
		floor := settled
		var open id.ID
		if err := tx.QueryRow(oldestOpen, site.ID).Scan(&open); err != nil {
			return err
		}
		if open > 0 {
			floor = min(floor, open)
		}
		w, err := s.walkFrom(tx, site)
		if err != nil {
			return err
		}
		for w.next >= due {
			below := floor
			if w.next < today {
				below = uncounted
			}
			one, err := w.step(below)
			if err != nil {
				return err
			}
			days = append(days, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, one := range slices.Backward(days) {
		if err := d.Write(ctx, one.store); err != nil {
			return err
		}
	}
	return nil
}

// floorOf is the id below which every document has been committed, seen at a moment of wall time.
func floorOf(now time.Time) id.ID { return id.At(now.Add(-settle)) }

// due is the oldest day that is not added up as far as it is over; "" when all are.
func (s *Service) due(tx *db.Tx, site *org.Site, today cal.Date) (cal.Date, error) {
	type head struct {
		slots        int64
		final, stale bool
	}
	oldest := today.AddDays(-keepBack)
	var first cal.Date
	begun := tx.QueryRow(firstDay, site.ID)
	rows := tx.Query(headsOf, site.ID, oldest)
	defer rows.Close()
	heads := map[cal.Date]head{}
	for rows.Next() {
		var date cal.Date
		var h head
		if err := rows.Scan(&date, &h.slots, &h.final, &h.stale); err != nil {
			return "", err
		}
		heads[date] = h
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if err := begun.Scan(&first); err != nil || first == "" {
		return "", err
	}
	oldest = max(oldest, first)
	over := int64(slotOf(slotStart(site, today, 0), tx.Now()))
	if h, ok := heads[today]; !ok && len(heads) > 0 && today > oldest { // a new day: those before once more
		oldest = max(oldest, today.AddDays(-lateDays))
		for date := today.AddDays(-keepBack); date < oldest; date = date.AddDays(1) {
			if h, ok := heads[date]; date >= first && (!ok || !h.final) {
				return date, nil
			}
		}
		return oldest, nil
	} else if ok && h.slots >= over && !h.stale {
		today = "" // nothing to do of today
	}
	for date := oldest; date < site.BusinessDate(tx.Now()); date = date.AddDays(1) {
		if h, ok := heads[date]; !ok || !h.final || h.stale {
			return date, nil
		}
	}
	return today, nil
}

var (
	putProducts = db.NewMany(`INSERT INTO report_product (site_id, business_date, product_id, listed, on_sale, out_of_stock, early, sold, sales_fen, refunds_fen, pieces, received, received_fen, made, made_fen,
		wasted, wasted_fen, making_loss, making_loss_fen, count_loss_fen) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	putHalves = db.NewMany(`INSERT INTO report_half (site_id, business_date, slot, sales_fen, slips, plan_fen, week_fen) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)
)

const (
	dropProducts = `DELETE FROM report_product WHERE site_id = $1 AND business_date = $2`
	dropHalves   = `DELETE FROM report_half WHERE site_id = $1 AND business_date = $2`
	putDay       = `INSERT INTO report_day (site_id, business_date, slots, floor_id, final, stale, made_at, on_sale, out_of_stock, early, early_out, sales_fen, refunds_fen, slips, pieces,
			received_fen, made_fen, wasted_fen, making_loss_fen, count_loss_fen, plan_fen)
		VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (site_id, business_date) DO UPDATE SET slots = excluded.slots, floor_id = excluded.floor_id, final = excluded.final, stale = 0, made_at = excluded.made_at,
			on_sale = excluded.on_sale, out_of_stock = excluded.out_of_stock, early = excluded.early, early_out = excluded.early_out, sales_fen = excluded.sales_fen,
			refunds_fen = excluded.refunds_fen, slips = excluded.slips, pieces = excluded.pieces, received_fen = excluded.received_fen, made_fen = excluded.made_fen,
			wasted_fen = excluded.wasted_fen, making_loss_fen = excluded.making_loss_fen, count_loss_fen = excluded.count_loss_fen, plan_fen = excluded.plan_fen
		WHERE report_day.made_at <= excluded.made_at`
)

// store replaces what is stored of the day, unless somebody stored a newer one meanwhile.
func (d *day) store(tx *db.Tx) error {
	s, c := d.total()
	n, err := tx.ExecN(putDay, d.site.ID, d.date, d.slots, d.floor, d.final, d.madeAt, c.onSale, c.out, c.early, c.earlyOut, s.sales, s.refunds, d.slips, s.pieces,
		s.receivedC, s.madeC, s.wastedC, s.makingC, s.countC, d.plan)
	if err != nil || n == 0 {
		return err
	}
	if err := tx.Exec(dropProducts, d.site.ID, d.date); err != nil {
		return err
	}
	if err := tx.Exec(dropHalves, d.site.ID, d.date); err != nil {
		return err
	}
	products := make([]id.ID, 0, len(d.products))
	for p := range d.products {
		products = append(products, p)
	}
	slices.Sort(products)
	args := make([]any, 0, 20*len(products))
	for _, one := range products {
		p := d.products[one]
		args = append(args, d.site.ID, d.date, one, p.listed, int64(p.onSale), int64(p.out), int64(p.early), p.sold, p.sales, p.refunds, p.pieces, p.received, p.receivedC, p.made, p.madeC,
			p.wasted, p.wastedC, p.makingLoss, p.makingC, p.countC)
	}
	if err := tx.ExecMany(putProducts, args...); err != nil {
		return err
	}
	args = args[:0]
	for k, h := range d.halves {
		if h != (half{}) {
			args = append(args, d.site.ID, d.date, k, h.sales, h.slips, h.plan, h.week)
		}
	}
	return tx.ExecMany(putHalves, args...)
}

var (
	readDays = db.NewMany(`SELECT h.site_id, h.slots, h.floor_id, h.final, h.made_at, h.slips, h.plan_fen FROM report_day h WHERE h.business_date = $1 AND h.stale = 0 AND h.site_id IN (`, `?`, `)`)

	readProducts = db.NewMany(`SELECT p.site_id, p.product_id, p.listed, p.on_sale, p.out_of_stock, p.early, p.sold, p.sales_fen, p.refunds_fen, p.pieces, p.received, p.received_fen, p.made, p.made_fen,
		p.wasted, p.wasted_fen, p.making_loss, p.making_loss_fen, p.count_loss_fen FROM report_product p WHERE p.business_date = $1 AND p.site_id IN (`, `?`, `)`)

	readHalves = db.NewMany(`SELECT h.site_id, h.slot, h.sales_fen, h.slips, h.plan_fen, h.week_fen FROM report_half h WHERE h.business_date = $1 AND h.site_id IN (`, `?`, `)`)
)

// stored reads what is stored of a date; sites of which nothing valid is stored are missing.
func stored(tx *db.Tx, date cal.Date, sites []*org.Site) (map[id.ID]*day, error) {
	found := map[id.ID]*day{}
	if len(sites) == 0 {
		return found, nil
	}
	args := []any{date}
	byID := map[id.ID]*org.Site{}
	for _, s := range sites {
		args = append(args, s.ID)
		byID[s.ID] = s
	}
	days, products, halves := tx.QueryMany(readDays, args...), tx.QueryMany(readProducts, args...), tx.QueryMany(readHalves, args...)
	defer days.Close()
	defer products.Close()
	defer halves.Close()
	for days.Next() {
		d := newDay(nil, date)
		var site id.ID
		if err := days.Scan(&site, &d.slots, &d.floor, &d.final, &d.madeAt, &d.slips, &d.plan); err != nil {
			return nil, err
		}
		d.site = byID[site]
		found[site] = d
	}
	if err := days.Err(); err != nil {
		return nil, err
	}
	for products.Next() {
		var site, product id.ID
		p := &productDay{}
		var on, out, early int64
		if err := products.Scan(&site, &product, &p.listed, &on, &out, &early, &p.sold, &p.sales, &p.refunds, &p.pieces, &p.received, &p.receivedC, &p.made, &p.madeC,
			&p.wasted, &p.wastedC, &p.makingLoss, &p.makingC, &p.countC); err != nil {
			return nil, err
		}
		p.onSale, p.out, p.early = uint64(on), uint64(out), uint64(early)
		if d := found[site]; d != nil {
			d.products[product] = p
		}
	}
	if err := products.Err(); err != nil {
		return nil, err
	}
	for halves.Next() {
		var site id.ID
		var k int64
		var h half
		if err := halves.Scan(&site, &k, &h.sales, &h.slips, &h.plan, &h.week); err != nil {
			return nil, err
		}
		if d := found[site]; d != nil && k >= 0 && k < Slots {
			d.halves[k] = h
		}
	}
	return found, halves.Err()
}
