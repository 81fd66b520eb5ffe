package forecast

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"math"
	"slices"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// The past of a site seldom changes. It is kept packed, and a night reads the days after it. What was said of a packed day
// later, by a late file or by our tills, makes the pack worthless: the night then reads everything and packs anew. So a
// forecast is the same to the last bit with a pack and without.

const (
	historyDays = 800 // how far back a run looks, at least; from a slot period's first day
	openDays    = 14  // days before the origin that a pack leaves open for corrections
	packDays    = 7   // after which a pack is made anew from itself and the days after it
	packVersion = 2
)

// firstDay a forecast looks at: periods of half-hour sales are whole.
func firstDay(origin cal.Date) cal.Date {
	n := origin.Number() - historyDays + 1
	return cal.FromNumber(slotPeriod * floorDiv(n, slotPeriod))
}

// pastDay is what counts of one product on one day, in base units and fen.
type pastDay struct {
	day     int // day number
	qty     int64
	amount  int64 // −1 unknown
	soldOut int16 // −1: it lasted
	promo   bool
}

// slotSums are a product's sales by half hour, in thousandths of the base unit.
type slotSums map[slotKey]*slotRow

// slotRow is what sold by half hour and, after that, what days sold that were sold out in it.
type slotRow [2 * daySlots]int64

func (s slotSums) of(day int) *slotRow {
	k := slotKey{floorDiv(day, slotPeriod), weekdayOf(day) >= 5}
	if s[k] == nil {
		s[k] = new(slotRow)
	}
	return s[k]
}

// pastProduct is one product's days, rising, and its half hours.
type pastProduct struct {
	id    id.ID
	days  []pastDay
	slots slotSums // of the days a pack made now would hold
	late  slotSums // of the days after them
}

// past of a site, by product id.
type past struct {
	first, until cal.Date
	till         int64
	loads        []id.ID // in force, rising
	products     []pastProduct
}

// gather reads rows of one product, of several loads the one applied last.
type gather struct {
	pastProduct
	until int    // day number up to which a pack made now would hold
	text  string // half hours of the last day, not yet added
}

// saw takes one more row; rows come by date, and by when their load was applied.
func (g *gather) saw(d pastDay, text string) error {
	if n := len(g.days); n > 0 && g.days[n-1].day == d.day {
		g.days[n-1], g.text = d, text
		return nil
	}
	if err := g.settle(); err != nil {
		return err
	}
	g.days, g.text = append(g.days, d), text
	return nil
}

// settle adds the half hours of the last day.
func (g *gather) settle() error {
	if g.text == "" {
		return nil
	}
	parts, err := ParseSlots(g.text)
	if err != nil {
		return err
	}
	last := g.days[len(g.days)-1]
	day := last.day
	to := &g.slots
	if day > g.until {
		to = &g.late
	}
	if *to == nil {
		*to = slotSums{}
	}
	sum := to.of(day)
	sold, until := int64(0), 0
	for _, x := range parts {
		h := max(0, min(int(x.Slot), daySlots-1))
		sum[h] += int64(x.Qty)
		sold, until = sold+int64(x.Qty), max(until, h)
	}
	if h := int(last.soldOut) / 30; last.soldOut >= 0 && h < daySlots && until <= h { // what was sold after it had come back
		sum[daySlots+h] += sold
	}
	g.text = ""
	return nil
}

const pastColumns = `d.date, d.qty, d.amount_fen, d.promo, d.sold_out_min, d.slots`

// scanDay reads pastColumns, after other columns if there are any.
func scanDay(rows *db.Rows, before ...any) (d pastDay, text string, err error) {
	var date cal.Date
	var amount, soldOut *int64
	if err = rows.Scan(append(before, &date, &d.qty, &amount, &d.promo, &soldOut, &text)...); err != nil {
		return d, "", err
	}
	d.day, d.amount, d.soldOut = date.Number(), -1, -1
	if amount != nil {
		d.amount = *amount
	}
	if soldOut != nil {
		d.soldOut = int16(*soldOut)
	}
	return d, text, nil
}

// productDays reads what rows of one product say.
func productDays(product id.ID, rows *db.Rows, until cal.Date) (pastProduct, error) {
	defer rows.Close()
	g := gather{pastProduct: pastProduct{id: product}, until: until.Number()}
	for rows.Next() {
		d, text, err := scanDay(rows)
		if err == nil {
			err = g.saw(d, text)
		}
		if err != nil {
			return pastProduct{}, err
		}
	}
	return g.pastProduct, errors.Join(g.settle(), rows.Err())
}

const (
	pastOfSite = `SELECT first, until, till, sum, body FROM forecast_past WHERE site_id = $1`
	tillSpoke  = `SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM forecast_till_day WHERE site_id = $1 AND date <= $2`
	loadsOf    = `SELECT s.load_id, s.oldest FROM forecast_load_site s JOIN forecast_load l ON l.id = s.load_id AND l.applied_no > 0
		WHERE s.site_id = $1 AND s.oldest <= $2 ORDER BY s.load_id`
	salesSince = `SELECT d.product_id, ` + pastColumns + `
		FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.date >= $2 AND d.date <= $3 ORDER BY d.product_id, d.date, l.applied_no`
	putPast = `INSERT INTO forecast_past (site_id, first, until, till, sum, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (site_id) DO UPDATE SET first = excluded.first, until = excluded.until, till = excluded.till, sum = excluded.sum, body = excluded.body`
)

// marks says who has spoken of the days of a site up to until.
func marks(tx *db.Tx, site id.ID, until cal.Date) (till int64, loads []id.ID, err error) {
	if err := tx.QueryRow(tillSpoke, site, until).Scan(&till); err != nil {
		return 0, nil, err
	}
	rows := tx.Query(loadsOf, site, until)
	defer rows.Close()
	for rows.Next() {
		var load id.ID
		var oldest cal.Date
		if err := rows.Scan(&load, &oldest); err != nil {
			return 0, nil, err
		}
		loads = append(loads, load)
	}
	return till, loads, rows.Err()
}

// packed reads a site's pack; nil without one that holds for days from first on and leaves openDays before the origin
// open.
func packed(tx *db.Tx, site id.ID, first, origin cal.Date) (*past, error) {
	p := &past{}
	var sum string
	var body []byte
	err := tx.QueryRow(pastOfSite, site).Scan(&p.first, &p.until, &p.till, &sum, &body)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if p.first > first || p.until > origin.AddDays(-openDays) || origin.Sub(p.until) > openDays+10*packDays {
		return nil, nil
	}
	if !p.open(sum, body) {
		return nil, nil
	}
	till, loads, err := marks(tx, site, p.until)
	if err != nil || till != p.till || !slices.Equal(loads, p.loads) {
		return nil, err
	}
	return p, nil
}

// open reads what put wrote; false when it is damaged, or of another version.
func (p *past) open(sum string, body []byte) bool {
	print := sha256.Sum256(body)
	return hex.EncodeToString(print[:]) == sum && p.decode(body)
}

// recent adds what was sold after the pack to it, up to the origin.
func (p *past) recent(tx *db.Tx, site id.ID, origin cal.Date) (all []pastProduct, err error) {
	rows := tx.Query(salesSince, site, p.until.AddDays(1), origin)
	defer rows.Close()
	var news []pastProduct
	g := gather{until: origin.AddDays(-openDays).Number()}
	end := func() error {
		if len(g.days) == 0 {
			return nil
		}
		err := g.settle()
		news = append(news, g.pastProduct)
		return err
	}
	for rows.Next() {
		var product id.ID
		d, text, err := scanDay(rows, &product)
		if err != nil {
			return nil, err
		}
		if product != g.id {
			if err := end(); err != nil {
				return nil, err
			}
			g = gather{pastProduct: pastProduct{id: product}, until: g.until}
		}
		if err := g.saw(d, text); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(end(), rows.Err()); err != nil {
		return nil, err
	}
	all = make([]pastProduct, 0, len(p.products)+8)
	old := p.products
	for _, n := range news {
		for len(old) > 0 && old[0].id < n.id {
			all, old = append(all, old[0]), old[1:]
		}
		if len(old) > 0 && old[0].id == n.id {
			n, old = old[0].and(n), old[1:]
		}
		all = append(all, n)
	}
	return append(all, old...), nil
}

// and is a product's days with later ones.
func (p pastProduct) and(later pastProduct) pastProduct {
	p.days = append(p.days, later.days...)
	p.slots, p.late = p.slots.and(later.slots), p.late.and(later.late)
	return p
}

// and adds other sums to these.
func (s slotSums) and(others slotSums) slotSums {
	if s == nil {
		return others
	}
	for k, q := range others {
		if s[k] == nil {
			s[k] = q
			continue
		}
		for h := range q {
			s[k][h] += q[h]
		}
	}
	return s
}

// between is what is packed of a product: days from first to until, and half hours that were gathered up to then.
func (p pastProduct) between(first, until int) pastProduct {
	at := func(day int) int {
		i, _ := slices.BinarySearchFunc(p.days, day, func(d pastDay, day int) int { return d.day - day })
		return i
	}
	out := pastProduct{id: p.id, days: p.days[at(first):at(until+1)], slots: slotSums{}}
	for k, q := range p.slots {
		if k.period*slotPeriod >= first { // first is the first day of a period
			out.slots[k] = q
		}
	}
	return out
}

// put packs a site's past with marks that were read before it, or with it. Whoever speaks of the days after the marks
// makes the pack worthless.
func (p *past) put(ctx context.Context, d *db.DB, site id.ID) error {
	body := p.encode()
	print := sha256.Sum256(body)
	return d.Write(ctx, func(tx *db.Tx) error {
		return tx.Exec(putPast, site, p.first, p.until, p.till, hex.EncodeToString(print[:]), body)
	})
}

// encode writes loads and products as varints: version, loads, then of each product its days (step since the last, what is
// known, quantity, amount and minute) and half hours.
func (p *past) encode() []byte {
	b := []byte{packVersion}
	up := func(v int) { b = binary.AppendUvarint(b, uint64(v)) }
	in := func(v int64) { b = binary.AppendVarint(b, v) }
	up(len(p.loads))
	for _, l := range p.loads {
		in(int64(l))
	}
	up(len(p.products))
	for i := range p.products {
		x := &p.products[i]
		in(int64(x.id))
		up(len(x.days))
		last := p.first.Number()
		for _, d := range x.days {
			up(d.day - last)
			last = d.day
			known := byte(0)
			for k, has := range [...]bool{d.promo, d.amount >= 0, d.soldOut >= 0} {
				if has {
					known |= 1 << k
				}
			}
			b = append(b, known)
			in(d.qty)
			if d.amount >= 0 {
				in(d.amount)
			}
			if d.soldOut >= 0 {
				up(int(d.soldOut))
			}
		}
		up(len(x.slots))
		for _, k := range slices.SortedFunc(maps.Keys(x.slots), slotKey.compare) {
			w := 0
			if k.weekend {
				w = 1
			}
			up(2*k.period + w)
			q := x.slots[k]
			for h := 0; h < len(q); h++ {
				in(q[h])
				if q[h] == 0 { // so many nothings in a row
					n := 1
					for h+1 < len(q) && q[h+1] == 0 {
						h, n = h+1, n+1
					}
					up(n)
				}
			}
		}
	}
	return b
}

// decode reads what encode wrote; false for anything else.
func (p *past) decode(b []byte) bool {
	if len(b) == 0 || b[0] != packVersion {
		return false
	}
	b = b[1:]
	ok := true
	up := func(most int) int {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > uint64(most) {
			ok, b = false, nil
			return 0
		}
		b = b[n:]
		return int(v)
	}
	in := func() int64 {
		v, n := binary.Varint(b)
		if n <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[n:]
		return v
	}
	p.loads = make([]id.ID, 0, up(len(b)))
	for range cap(p.loads) {
		p.loads = append(p.loads, id.ID(in()))
	}
	p.products = make([]pastProduct, up(len(b)))
	first, until := p.first.Number(), p.until.Number()
	for i := range p.products {
		x := &p.products[i]
		x.id = id.ID(in())
		n := up(len(b))
		x.days = make([]pastDay, n, n+openDays+2*packDays)
		last := first
		for k := range x.days {
			d := &x.days[k]
			last += up(until - first)
			d.day, d.amount, d.soldOut = last, -1, -1
			if len(b) == 0 {
				return false
			}
			known := b[0]
			b = b[1:]
			d.promo = known&1 != 0
			d.qty = in()
			if known&2 != 0 {
				d.amount = in()
			}
			if known&4 != 0 {
				d.soldOut = int16(up(math.MaxInt16))
			}
		}
		if last > until {
			return false
		}
		slots := up(len(b))
		x.slots = make(slotSums, slots)
		sums := make([]slotRow, slots)
		for k := range sums {
			key := up(math.MaxInt32)
			q := &sums[k]
			for h := 0; h < len(q); h++ {
				if q[h] = in(); q[h] == 0 {
					h += up(len(q)) - 1
				}
			}
			x.slots[slotKey{key / 2, key%2 == 1}] = q
		}
		if !ok {
			return false
		}
	}
	return ok && len(b) == 0
}

func (k slotKey) compare(o slotKey) int {
	if k.period != o.period || k.weekend == o.weekend {
		return k.period - o.period
	}
	if k.weekend {
		return 1
	}
	return -1
}
