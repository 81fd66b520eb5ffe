package report

import (
	"slices"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/produce"
	"zhanggui/internal/till"
)

// now is what lies at a site at this moment, by product.
type now struct {
	left     map[id.ID]int64 // in date and promised to nobody, thousandths of the base unit
	newest   map[id.ID]batch
	rolledAt time.Time
}

// seen is a day with everything up to this moment.
type seen struct {
	*day
	now  *now // nil for a day that is over
	open bool // the site is open at this moment
}

// see gives a date at sites: what is stored, and what came since. A site of which nothing usable is stored is added
// up on the spot. An empty date is each site's own business date.
func (s *Service) see(tx *db.Tx, sites []*org.Site, date cal.Date) ([]*seen, error) {
	all := make([]*seen, len(sites))
	byDate := map[cal.Date][]*org.Site{}
	for _, site := range sites {
		on := date
		if on == "" {
			on = site.BusinessDate(tx.Now())
		}
		byDate[on] = append(byDate[on], site)
	}
	found := map[id.ID]*day{}
	for on, some := range byDate {
		days, err := stored(tx, on, some)
		if err != nil {
			return nil, err
		}
		for site, d := range days {
			found[site] = d
		}
	}
	var running []*seen
	for i, site := range sites {
		on := date
		if on == "" {
			on = site.BusinessDate(tx.Now())
		}
		d := found[site.ID]
		today := on == site.BusinessDate(tx.Now())
		if d == nil || !d.final && (!today || d.slots < slotOf(slotStart(site, on, 0), tx.Now())) {
			w, err := s.walkFrom(tx, site)
			if err != nil {
				return nil, err
			}
			for w.next > on {
				if _, err := w.step(uncounted); err != nil {
					return nil, err
				}
			}
			if d, err = w.step(uncounted); err != nil {
				return nil, err
			}
		}
		all[i] = &seen{day: d}
		if today && !d.final {
			running = append(running, all[i])
		}
	}
	return all, s.live(tx, running)
}

const (
	// Documents since the floor, found by their keys. Sales of a site lie together by id.
	soldSince = `SELECT s.id, s.site_id, s.business_date, s.sold_at, l.product_id, l.amount_fen, l.qty, l.base_qty, p.base_unit FROM till_sale s JOIN till_line l ON l.sale_id = s.id JOIN catalog_product p ON p.id = l.product_id
		WHERE s.id >= $1 AND s.state = 'paid' AND s.business_date >= $2 ORDER BY s.id`
	backSince = `SELECT f.id, f.site_id, f.business_date, f.refunded_at, l.product_id, b.amount_fen, b.qty, b.base_qty, p.base_unit FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id
		JOIN till_line l ON l.sale_id = f.sale_id AND l.line_no = b.line_no JOIN catalog_product p ON p.id = l.product_id WHERE f.id >= $1 AND f.business_date >= $2 ORDER BY f.id`
)

var legsSince = db.NewMany(`SELECT t.site_id, t.business_date, t.doc_kind, t.doc_id, t.leg, t.from_id, t.to_id, t.unit, t.amount, t.booked_at FROM ledger_transfer t
	WHERE t.doc_id >= $1 AND t.doc_kind IN (`, `?`, `)`)

var leftNow = db.NewMany(`SELECT b.site_id, k.product_id, b.received_at, b.expires_at, a.posted_in - a.posted_out - a.pending_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN catalog_sku k ON k.id = b.sku_id
	WHERE b.open = 1 AND b.site_id IN (`, `?`, `)`)

// moving are the kinds of documents whose value is a figure: all of stock's, refunds and voids, output. Sales are read
// from the till.
var moving = func() []any {
	kinds := []any{int64(till.VoidDoc), int64(till.RefundDoc), int64(produce.OutputDoc)}
	for k := ledger.Kind(20); k < 40; k++ {
		kinds = append(kinds, int64(k))
	}
	return kinds
}()

// live adds to running days what was documented since they were added up, and counts the half hour under way as it
// stands at this moment.
func (s *Service) live(tx *db.Tx, days []*seen) error {
	if len(days) == 0 {
		return nil
	}
	bySite := map[id.ID]*seen{}
	floor, from := uncounted, cal.Date("9999-12-31")
	ids := make([]any, 0, len(days))
	for _, d := range days {
		bySite[d.site.ID] = d
		d.now = &now{left: map[id.ID]int64{}, newest: map[id.ID]batch{}, rolledAt: d.madeAt}
		floor, from = min(floor, d.floor), min(from, d.date)
		ids = append(ids, d.site.ID)
	}
	if floor != uncounted {
		sold, back := tx.Query(soldSince, floor, from), tx.Query(backSince, floor, from)
		moved, skus := tx.QueryMany(legsSince, append([]any{floor}, moving...)...), tx.Query(allSKUs)
		defer moved.Close()
		defer skus.Close()
		own := func(site, doc id.ID, date cal.Date) *day {
			if d := bySite[site]; d != nil && doc >= d.floor && date == d.date {
				return d.day
			}
			return nil
		}
		if err := sell(sold, own, false); err != nil {
			return err
		}
		if err := sell(back, own, true); err != nil {
			return err
		}
		legs := map[id.ID][]leg{}
		for moved.Next() {
			var site id.ID
			var date cal.Date
			var l leg
			if err := moved.Scan(&site, &date, &l.kind, &l.doc, &l.no, &l.from, &l.to, &l.unit, &l.amount, &l.at); err != nil {
				return err
			}
			if d := bySite[site]; d != nil && l.doc >= d.floor && date == d.date {
				legs[site] = append(legs[site], l)
			}
		}
		if err := moved.Err(); err != nil {
			return err
		}
		products := map[int64]id.ID{}
		for skus.Next() {
			var sku int64
			var product id.ID
			if err := skus.Scan(&sku, &product); err != nil {
				return err
			}
			products[sku] = product
		}
		if err := skus.Err(); err != nil {
			return err
		}
		for site, some := range legs {
			w := &walk{tx: tx, site: bySite[site].site, values: map[int64]int64{}}
			bySite[site].book(some, uncounted, func(sku int64) (id.ID, bool) { p, ok := products[sku]; return p, ok }, w.skuOfValue)
		}
	}
	rows := tx.QueryMany(leftNow, ids...)
	defer rows.Close()
	for rows.Next() {
		var site, product id.ID
		var b batch
		var left int64
		if err := rows.Scan(&site, &product, &b.received, &b.expires, &left); err != nil {
			return err
		}
		d := bySite[site]
		if b.expires.After(tx.Now()) {
			d.now.left[product] += left
		}
		if b.expires.After(d.now.newest[product].expires) {
			d.now.newest[product] = b
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	cleared, err := windowsOf(tx)
	if err != nil {
		return err
	}
	for _, d := range days {
		open, closed := hours(d.site, d.date)
		if d.open = !tx.Now().Before(open) && tx.Now().Before(closed); !d.open {
			continue
		}
		k := slotOf(slotStart(d.site, d.date, 0), tx.Now())
		if 2*earliest(closed, slotStart(d.site, d.date, k+1)).Sub(latest(open, slotStart(d.site, d.date, k))) < slotLen {
			continue
		}
		for product, p := range d.products {
			if !d.ranged(product) {
				continue
			}
			bit := uint64(1) << k
			p.onSale |= bit
			if d.now.left[product] <= 0 {
				p.out |= bit
			}
			// The newest batch may be sold out and no longer be found: then it is as it was half an hour ago.
			last, before := d.now.newest[product], bit>>1
			if last.expires.IsZero() && p.onSale&before != 0 && p.early&before == 0 {
				continue
			}
			if cleared.before(product, last.received, last.expires, slotStart(d.site, d.date, k)) {
				p.early |= bit
			}
		}
	}
	return nil
}

// ranged tells whether a product was on sale in the last half hour that was added up, or came since.
func (d *seen) ranged(product id.ID) bool {
	p := d.products[product]
	return p != nil && p.listed
}

// outNow are the products that are on sale with nothing available at this moment.
func (d *seen) outNow() []id.ID {
	if d.now == nil || !d.open {
		return nil
	}
	var gone []id.ID
	for product := range d.products {
		if d.ranged(product) && d.now.left[product] <= 0 {
			gone = append(gone, product)
		}
	}
	slices.Sort(gone)
	return gone
}
