package report

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
	"zhanggui/internal/stock"
)

// Sums of a product, a site or a chain over a day. Amounts are fen, quantities thousandths of the base unit.
type sums struct {
	sold       int64 // less what came back
	sales      int64 // before refunds, VAT included
	refunds    int64
	pieces     int64 // thousandths of pieces sold; a line by weight or volume is one
	received   int64
	receivedC  int64 // cost
	made       int64
	madeC      int64
	wasted     int64
	wastedC    int64
	makingLoss int64
	makingC    int64
	countC     int64 // cost of what counts did not find, less what they found
}

func (s *sums) add(o sums) {
	s.sold += o.sold
	s.sales += o.sales
	s.refunds += o.refunds
	s.pieces += o.pieces
	s.received += o.received
	s.receivedC += o.receivedC
	s.made += o.made
	s.madeC += o.madeC
	s.wasted += o.wasted
	s.wastedC += o.wastedC
	s.makingLoss += o.makingLoss
	s.makingC += o.makingC
	s.countC += o.countC
}

// onShelf has a bit for each half hour of the day.
type onShelf struct {
	onSale uint64 // the product was on sale
	out    uint64 // … with nothing available
	early  uint64 // … before the clearance window of its newest batch
}

// slotCount counts half hours of products.
type slotCount struct{ onSale, out, early, earlyOut int64 }

func (c *slotCount) add(s onShelf) {
	c.onSale += int64(bits.OnesCount64(s.onSale))
	c.out += int64(bits.OnesCount64(s.out))
	c.early += int64(bits.OnesCount64(s.early))
	c.earlyOut += int64(bits.OnesCount64(s.out & s.early))
}

type half struct{ sales, slips, plan, week int64 } // sales less refunds

// day is a business day of a site, added up.
type day struct {
	site     *org.Site
	date     cal.Date
	slots    int   // half hours of which availability is known
	floor    id.ID // documents from this id on are not counted
	final    bool
	madeAt   time.Time
	products map[id.ID]*productDay
	halves   [Slots]half
	slips    int64
	plan     int64
}

type productDay struct {
	listed bool // on sale when the day was added up
	sums
	onShelf
}

func newDay(site *org.Site, date cal.Date) *day {
	return &day{site: site, date: date, products: map[id.ID]*productDay{}}
}

func (d *day) of(product id.ID) *productDay {
	p := d.products[product]
	if p == nil {
		p = &productDay{}
		d.products[product] = p
	}
	return p
}

func (d *day) total() (s sums, c slotCount) {
	for _, p := range d.products {
		s.add(p.sums)
		c.add(p.onShelf)
	}
	return s, c
}

// uncounted is the floor of a day of which everything is counted.
const uncounted id.ID = 1<<63 - 1

// --- what the ledger moved

// Flows whose value is a figure.
var wasteGoods, wasteValue = func() (map[int64]bool, map[int64]bool) {
	goods, value := map[int64]bool{}, map[int64]bool{}
	for _, r := range stock.Reasons {
		g, v, _ := stock.Waste(r)
		goods[int64(g)], value[int64(v)] = true, true
	}
	return goods, value
}()

// leg is a transfer of goods, or one of value that may be a figure.
type leg struct {
	kind   int64
	doc    id.ID
	no     int64
	from   int64
	to     int64
	unit   int64
	amount int64
	at     time.Time
}

const (
	// Value between a batch and the cost of sales, most of all rows, is left where it is.
	legsOfDay = `SELECT t.doc_kind, t.doc_id, t.leg, t.from_id, t.to_id, t.unit, t.amount, t.booked_at FROM ledger_transfer t
		WHERE t.site_id = $1 AND t.business_date = $2 AND (t.unit > 1 OR t.from_id BETWEEN -299 AND -202 OR t.to_id BETWEEN -299 AND -202 OR t.doc_kind = $3)`
)

func scanLegs(rows *db.Rows) ([]leg, error) {
	defer rows.Close()
	var all []leg
	for rows.Next() {
		var l leg
		if err := rows.Scan(&l.kind, &l.doc, &l.no, &l.from, &l.to, &l.unit, &l.amount, &l.at); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

type legKey struct {
	kind int64
	doc  id.ID
	no   int64
}

// book adds what the legs of documents below the floor came to. A leg of value is about the goods of the leg
// before it; one that has none is told by the batch whose value it is.
func (d *day) book(legs []leg, floor id.ID, productOf func(sku int64) (id.ID, bool), skuOfValue func(account int64) int64) {
	goods := make(map[legKey]*leg, len(legs))
	for i := range legs {
		if l := &legs[i]; l.unit > 1 {
			goods[legKey{l.kind, l.doc, l.no}] = l
		}
	}
	for i := range legs {
		l := &legs[i]
		if l.doc >= floor {
			continue
		}
		if l.unit > 1 {
			product, ok := productOf(l.unit)
			if !ok {
				continue
			}
			moved := func(into *int64, is func(account int64) bool) {
				if is(l.to) {
					*into += l.amount
				}
				if is(l.from) {
					*into -= l.amount
				}
			}
			p := d.of(product)
			moved(&p.wasted, func(a int64) bool { return wasteGoods[a] })
			moved(&p.makingLoss, func(a int64) bool { return a == int64(stock.Wasted) })
			if l.from == int64(stock.Supplied) || l.to == int64(stock.Supplied) {
				p.received += sign(l.from == int64(stock.Supplied)) * l.amount
			}
			if l.from == int64(stock.Made) || l.to == int64(stock.Made) { // what was made, less what was taken apart again
				p.made += sign(l.from == int64(stock.Made)) * l.amount
			}
			continue
		}
		pair := goods[legKey{l.kind, l.doc, l.no - 1}]
		sku := int64(0)
		if pair != nil {
			sku = pair.unit
		} else if sku = skuOfValue(max(l.from, l.to)); sku == 0 {
			continue
		}
		product, ok := productOf(sku)
		if !ok {
			continue
		}
		p := d.of(product)
		switch {
		case wasteValue[l.to]:
			p.wastedC += l.amount
		case l.to == int64(stock.WastedValue):
			p.makingC += l.amount
		case l.to == int64(stock.LossValue):
			p.countC += l.amount
		case l.from == int64(stock.GainValue):
			p.countC -= l.amount
		case l.from == int64(stock.Landed):
			p.receivedC += l.amount
		case l.to == int64(stock.Landed):
			p.receivedC -= l.amount
		case pair != nil && pair.from == int64(stock.Made):
			p.madeC += l.amount
		case pair != nil && pair.to == int64(stock.Made):
			p.madeC -= l.amount
		}
		switch {
		case wasteValue[l.from]:
			p.wastedC -= l.amount
		case l.from == int64(stock.WastedValue):
			p.makingC -= l.amount
		}
	}
}

func sign(plus bool) int64 {
	if plus {
		return 1
	}
	return -1
}

// --- what was sold

const (
	soldLines = `SELECT s.id, s.site_id, s.business_date, s.sold_at, l.product_id, l.amount_fen, l.qty, l.base_qty, p.base_unit FROM till_register r JOIN till_sale s ON s.register_id = r.id AND s.business_date = $1
		JOIN till_line l ON l.sale_id = s.id JOIN catalog_product p ON p.id = l.product_id WHERE r.site_id = $2 AND s.state = 'paid' AND s.id < $3 ORDER BY s.id`
	backLines = `SELECT f.id, f.site_id, f.business_date, f.refunded_at, l.product_id, b.amount_fen, b.qty, b.base_qty, p.base_unit FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id
		JOIN till_line l ON l.sale_id = f.sale_id AND l.line_no = b.line_no JOIN catalog_product p ON p.id = l.product_id WHERE f.site_id = $1 AND f.business_date = $2 AND f.id < $3 ORDER BY f.id`
)

// sell adds lines of sales, or of refunds, each to the day that dayOf gives.
func sell(rows *db.Rows, dayOf func(site, doc id.ID, date cal.Date) *day, back bool) error {
	defer rows.Close()
	var last id.ID
	for rows.Next() {
		var doc, site, product id.ID
		var date cal.Date
		var at time.Time
		var amount, q, base int64
		var unit string
		if err := rows.Scan(&doc, &site, &date, &at, &product, &amount, &q, &base, &unit); err != nil {
			return err
		}
		d := dayOf(site, doc, date)
		if d == nil {
			continue
		}
		p, h := d.of(product), &d.halves[slotOf(slotStart(d.site, d.date, 0), at)]
		if back {
			p.refunds += amount
			p.sold -= base
			h.sales -= amount
			continue
		}
		p.sales += amount
		p.sold += base
		h.sales += amount
		if unit == "piece" {
			p.pieces += q
		} else {
			p.pieces += qty.Scale
		}
		if doc != last {
			last = doc
			d.slips++
			h.slips++
		}
	}
	return rows.Err()
}

// --- what was there

type batch struct {
	sku      int64
	received time.Time
	expires  time.Time
}

// walk goes back from now, day by day: what lay in a batch when a day began is what lay there when it ended, less
// what the day moved.
type walk struct {
	tx       *db.Tx
	s        *Service
	site     *org.Site
	next     cal.Date // the day to be looked at
	left     map[int64]int64
	batches  map[int64]batch
	products map[int64]id.ID // by SKU
	values   map[int64]int64 // SKU by account of value, asked for when needed
	sells    bool
	clear    *windows
}

const (
	openNow     = `SELECT b.id, b.sku_id, b.received_at, b.expires_at, a.posted_in - a.posted_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id WHERE b.site_id = $1 AND b.open = 1`
	firstBatch  = `SELECT b.sku_id, MIN(b.received_at) FROM stock_batch b WHERE b.site_id = $1 AND b.received_at >= $2 AND b.received_at < $3 GROUP BY b.sku_id`
	valueOf     = `SELECT b.sku_id FROM stock_batch b WHERE b.site_id = $1 AND b.value_id = $2`
	hasRegister = `SELECT COUNT(*) FROM till_register r WHERE r.site_id = $1 AND r.closed = 0`
	allSKUs     = `SELECT k.id, k.product_id FROM catalog_sku k`
)

var batchesByID = db.NewMany(`SELECT b.id, b.sku_id, b.received_at, b.expires_at FROM stock_batch b WHERE b.site_id = $1 AND b.id IN (`, `?`, `)`)

func (s *Service) walkFrom(tx *db.Tx, site *org.Site) (*walk, error) {
	w := &walk{tx: tx, s: s, site: site, next: site.BusinessDate(tx.Now()), left: map[int64]int64{}, batches: map[int64]batch{}, products: map[int64]id.ID{}, values: map[int64]int64{}}
	var err error
	if w.clear, err = windowsOf(tx); err != nil {
		return nil, err
	}
	open, registers, skus := tx.Query(openNow, site.ID), tx.QueryRow(hasRegister, site.ID), tx.Query(allSKUs)
	defer open.Close()
	defer skus.Close()
	for open.Next() {
		var one, left int64
		var b batch
		if err := open.Scan(&one, &b.sku, &b.received, &b.expires, &left); err != nil {
			return nil, err
		}
		w.batches[one], w.left[one] = b, left
	}
	if err := open.Err(); err != nil {
		return nil, err
	}
	var n int64
	if err := registers.Scan(&n); err != nil {
		return nil, err
	}
	w.sells = n > 0
	for skus.Next() {
		var sku int64
		var product id.ID
		if err := skus.Scan(&sku, &product); err != nil {
			return nil, err
		}
		w.products[sku] = product
	}
	return w, skus.Err()
}

// carriedFor is how long a product counts as part of a site's range after goods came last.
const carriedFor = 28

// step adds up the day and makes the one before it next. Documents from floor on are not counted; whether goods
// were there is told of the half hours that are over.
func (w *walk) step(floor id.ID) (*day, error) {
	tx, site, date := w.tx, w.site, w.next
	w.next = date.AddDays(-1)
	d := newDay(site, date)
	d.floor, d.madeAt = floor, tx.Now()
	begins, ends := site.Begins(date), site.Begins(date.AddDays(1))
	moved := tx.Query(legsOfDay, site.ID, date, produce.OutputDoc)
	sold, back := tx.Query(soldLines, date, site.ID, floor), tx.Query(backLines, site.ID, date, floor)
	came := tx.Query(firstBatch, site.ID, begins.AddDate(0, 0, -carriedFor), ends)
	own := func(id.ID, id.ID, cal.Date) *day { return d }
	legs, err := scanLegs(moved)
	if err := errors.Join(err, sell(sold, own, false), sell(back, own, true)); err != nil {
		came.Close()
		return nil, err
	}
	first := map[id.ID]time.Time{} // when the product came, as far as it came lately
	for came.Next() {
		var sku int64
		var at time.Time
		if err := came.Scan(&sku, &at); err != nil {
			came.Close()
			return nil, err
		}
		if p, ok := w.products[sku]; ok {
			first[p] = at
		}
	}
	came.Close()
	if err := came.Err(); err != nil {
		return nil, err
	}
	if err := w.meet(legs); err != nil {
		return nil, err
	}
	d.book(legs, floor, func(sku int64) (id.ID, bool) { p, ok := w.products[sku]; return p, ok }, w.skuOfValue)

	d.final = !tx.Now().Before(ends)
	d.slots = Slots
	if !d.final {
		d.slots = slotOf(slotStart(site, date, 0), tx.Now())
	}
	moves := map[int64][]move{}
	for _, l := range legs {
		if l.unit <= 1 {
			continue
		}
		at := l.at
		if at.Before(begins) {
			at = begins
		}
		if _, ok := w.batches[l.from]; ok {
			moves[l.from] = append(moves[l.from], move{at, -l.amount})
			w.left[l.from] += l.amount
		}
		if _, ok := w.batches[l.to]; ok {
			moves[l.to] = append(moves[l.to], move{at, l.amount})
			w.left[l.to] -= l.amount
		}
	}
	if open, closed := hours(site, date); w.sells && closed.After(open) && len(legs) > 0 {
		if err := w.shelves(d, open, closed, first, moves); err != nil {
			return nil, err
		}
	}
	return d, w.s.expect(tx, d)
}

// meet learns of batches that the day touched and that are empty by now.
func (w *walk) meet(legs []leg) error {
	var missing []int64
	for _, l := range legs {
		for _, a := range [2]int64{l.from, l.to} {
			if _, known := w.batches[a]; a > 0 && l.unit > 1 && !known {
				missing = append(missing, a)
			}
		}
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	for part := range slices.Chunk(missing, 1000) {
		args := []any{w.site.ID}
		for _, m := range part {
			args = append(args, m)
		}
		rows := w.tx.QueryMany(batchesByID, args...)
		for rows.Next() {
			var one int64
			var b batch
			if err := rows.Scan(&one, &b.sku, &b.received, &b.expires); err != nil {
				rows.Close()
				return err
			}
			w.batches[one] = b
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) skuOfValue(account int64) int64 {
	if sku, known := w.values[account]; known {
		return sku
	}
	var sku int64
	if err := w.tx.QueryRow(valueOf, w.site.ID, account).Scan(&sku); err != nil {
		sku = 0 // no batch of this site; a broken connection shows at the next statement
	}
	w.values[account] = sku
	return sku
}

type move struct {
	at    time.Time
	delta int64
}

// event is a change of what is available of a product: goods moved, or a batch is over its time.
type event struct {
	at    time.Time
	batch int64
	delta int64
	over  bool
}

// shelves tells for every product of the site's range in which half hours it was on sale, and in which of them
// nothing was available. A half hour counts when the product was on sale for at least half of it, and as out of
// stock when there was nothing for at least half of that time.
func (w *walk) shelves(d *day, open, closed time.Time, first map[id.ID]time.Time, moves map[int64][]move) error {
	begins, ends := d.site.Begins(d.date), d.site.Begins(d.date.AddDays(1))
	until := slotStart(d.site, d.date, d.slots)
	if until.After(ends) || d.final {
		until = ends
	}
	type shelf struct{ batches []int64 }
	shelves := map[id.ID]*shelf{}
	for one, b := range w.batches {
		product, ok := w.products[b.sku]
		if !ok || w.left[one] == 0 && len(moves[one]) == 0 || !b.received.Before(ends) {
			continue
		}
		if shelves[product] == nil {
			shelves[product] = &shelf{}
		}
		if w.left[one] > 0 {
			first[product] = begins // it lay there when the day began
		}
		shelves[product].batches = append(shelves[product].batches, one)
	}
	carried := make([]id.ID, 0, len(first))
	for p := range first {
		carried = append(carried, p)
	}
	priced, err := w.s.priced(w.tx, d.site.ID, d.date, carried)
	if err != nil {
		return err
	}
	for product, since := range first {
		if _, ok := priced[product]; !ok {
			continue
		}
		from := latest(open, since)
		var events []event
		var newest []int64
		left := map[int64]int64{}
		if s := shelves[product]; s != nil {
			newest = s.batches
			for _, one := range s.batches {
				left[one] = w.left[one]
				events = append(events, event{at: w.batches[one].expires, batch: one, over: true})
				for _, m := range moves[one] {
					events = append(events, event{at: m.at, batch: one, delta: m.delta})
				}
			}
		}
		slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
		var on, gone [Slots]time.Duration
		over := map[int64]bool{}
		at := begins
		pass := func(to time.Time) { // nothing changes between at and to
			total := int64(0)
			for one, q := range left {
				if !over[one] {
					total += q
				}
			}
			spread(d, latest(at, from), earliest(to, earliest(closed, until)), &on)
			if total <= 0 {
				spread(d, latest(at, from), earliest(to, earliest(closed, until)), &gone)
			}
			at = latest(at, to)
		}
		for _, e := range events {
			if e.at.After(at) && at.Before(until) {
				pass(earliest(e.at, until))
			}
			left[e.batch] += e.delta
			over[e.batch] = over[e.batch] || e.over
		}
		if at.Before(until) {
			pass(until)
		}
		p := d.of(product)
		p.listed = true
		for k := range Slots {
			if 2*on[k] < slotLen {
				continue
			}
			p.onSale |= 1 << k
			if 2*gone[k] >= on[k] {
				p.out |= 1 << k
			}
			if w.early(product, newest, slotStart(d.site, d.date, k)) {
				p.early |= 1 << k
			}
		}
	}
	return nil
}

// early tells whether at is before the clearance window of the newest batch that was there by then.
func (w *walk) early(product id.ID, batches []int64, at time.Time) bool {
	var newest batch
	for _, one := range batches {
		if b := w.batches[one]; b.received.Before(at.Add(slotLen)) && b.expires.After(newest.expires) {
			newest = b
		}
	}
	return w.clear.before(product, newest.received, newest.expires, at)
}

// spread adds the time between two instants to the half hours it falls into.
func spread(d *day, from, to time.Time, into *[Slots]time.Duration) {
	start := slotStart(d.site, d.date, 0)
	for from.Before(to) {
		k := slotOf(start, from)
		end := to
		if k < Slots-1 {
			end = earliest(to, start.Add(time.Duration(k+1)*slotLen))
		}
		into[k] += end.Sub(from)
		from = end
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// perBase is what one base unit of a product costs at a site, as fen ÷ base units.
type perBase struct{ fen, num, den int64 }

// priced gives those of the products that have a price at the site on the date and that tills may sell: by their
// smallest priced unit.
func (s *Service) priced(tx *db.Tx, site id.ID, date cal.Date, products []id.ID) (map[id.ID]perBase, error) {
	found := map[id.ID]perBase{}
	if len(products) == 0 {
		return found, nil
	}
	slices.Sort(products)
	goods, err := s.goods.Products(tx, products)
	if err != nil {
		return nil, err
	}
	var units []id.ID
	for _, p := range products {
		if g := goods[p]; g != nil {
			for _, u := range g.Units {
				if !u.Retired {
					units = append(units, u.ID)
				}
			}
		}
	}
	prices, err := s.prices.At(tx, site, date, units)
	if err != nil {
		return nil, err
	}
	for p, g := range goods {
		if !g.State.Sold() || g.IsBundle() { // a bundle has no stock to run out of
			continue
		}
		for _, u := range g.Units {
			fen, ok := prices[u.ID]
			if !ok || u.Retired {
				continue
			}
			if best, some := found[p]; !some || cmp.Compare(u.Num*best.den, best.num*u.Den) < 0 {
				found[p] = perBase{int64(fen), u.Num, u.Den}
			}
		}
	}
	return found, nil
}

// worth is what so much of a product costs, in fen, half up.
func (p perBase) worth(base int64) int64 {
	if p.num == 0 {
		return 0
	}
	v, err := money.MulDiv(p.fen*p.den, base, p.num*qty.Scale)
	if err != nil {
		return 0
	}
	return v
}

// --- what was expected

// + 0: SQLite goes by the index of the day, not through all days of the site for the order's sake.
const historyOfDay = `SELECT h.product_id, h.qty, COALESCE(h.amount_fen, 0), h.slots FROM forecast_sale_day h JOIN forecast_load l ON l.id = h.load_id
	WHERE h.site_id = $1 AND h.date = $2 AND l.applied_no > 0 ORDER BY h.product_id + 0, l.applied_no`

// expect puts beside each half hour what the forecast says and what was sold a week before, both in money.
func (s *Service) expect(tx *db.Tx, d *day) error {
	d.plan = 0
	for after := id.ID(0); ; {
		_, ahead, err := forecast.Products(tx, d.site.ID, after, 200)
		if errors.Is(err, forecast.ErrNone) {
			break
		}
		if err != nil {
			return err
		}
		ids := make([]id.ID, len(ahead))
		for i := range ahead {
			ids[i] = ahead[i].Product
		}
		priced, err := s.priced(tx, d.site.ID, d.date, ids)
		if err != nil {
			return err
		}
		for i := range ahead {
			a := &ahead[i]
			for _, e := range a.Days {
				if e.Date != d.date {
					continue
				}
				worth := priced[a.Product].worth(int64(e.Mean))
				d.plan += worth
				for k, part := range d.split(worth, a.Shares(d.date.Weekday())) {
					d.halves[k].plan += part
				}
			}
		}
		if len(ahead) < 200 {
			break
		}
		after = ahead[len(ahead)-1].Product
	}
	rows := tx.Query(historyOfDay, d.site.ID, d.date.AddDays(-7))
	defer rows.Close()
	type sold struct {
		fen    int64
		shares []float64
	}
	week := map[id.ID]sold{} // the load applied last holds
	for rows.Next() {
		var product id.ID
		var q, fen int64
		var text string
		if err := rows.Scan(&product, &q, &fen, &text); err != nil {
			return err
		}
		slots, err := forecast.ParseSlots(text)
		if err != nil {
			return err
		}
		one := sold{fen: fen}
		for _, sl := range slots {
			for int(sl.Slot) >= len(one.shares) {
				one.shares = append(one.shares, 0)
			}
			one.shares[sl.Slot] += sl.Qty.Approx()
		}
		week[product] = one
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, one := range week {
		for k, part := range d.split(one.fen, one.shares) {
			d.halves[k].week += part
		}
	}
	return nil
}

// split spreads an amount over the half hours of a day, by shares counted from midnight; without shares evenly over
// the hours in which the site is open. Its parts add up to the amount.
func (d *day) split(fen int64, shares []float64) (parts [Slots]int64) {
	first, total := int(d.site.DayStart)/30, 0.0
	for _, s := range shares {
		total += s
	}
	weights := make([]int64, Slots)
	if total <= 0 {
		var open [Slots]time.Duration
		from, to := hours(d.site, d.date)
		spread(d, from, to, &open)
		for k := range open {
			weights[k] = int64(open[k] / time.Minute)
		}
		shares = nil
	}
	for k, s := range shares {
		weights[min(Slots-1, max(0, k-first))] += int64(s / total * 1e9)
	}
	for k, f := range money.Split(money.Fen(fen), weights) {
		parts[k] = int64(f)
	}
	return parts
}
