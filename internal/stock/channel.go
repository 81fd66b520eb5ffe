package stock

import (
	"context"
	"slices"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

// All channels sell the same goods. The till and the self-checkout sell what is in front of the customer; the
// others promise goods first and hand them over later. What is kept for one of the others is put aside, in a
// place of its own of the batch, so that nobody else can take it and a sale at the till need not look; what is
// kept for the shop itself is left alone by the others.

// Channels in the order screens show them.
var Channels = []string{"till", "self_checkout", "phone", "platform", "wholesale"}

// inShop says whether a channel sells what is in front of the customer.
func inShop(channel string) bool { return channel == "till" || channel == "self_checkout" }

var (
	ErrNoChannel    = errs.Define("stock_channel_unknown", errs.Invalid, "没有这个渠道", "There is no such channel")
	ErrChannelCap   = errs.Define("stock_channel_cap", errs.Conflict, "这个渠道今天的数量已到上限", "This channel has reached its limit of this product for today")
	ErrBounds       = errs.Define("stock_channel_bounds", errs.Invalid, "保底不能大于上限,也不能为负", "What is kept for a channel can't be more than its limit, nor less than nothing")
	ErrNoPromise    = errs.Define("stock_promise_unknown", errs.NotFound, "没有这笔预留", "There is no such promise of goods")
	ErrPromiseState = errs.Define("stock_promise_state", errs.Conflict, "这笔预留已经处理过了", "This promise of goods has been settled already")
	ErrPromiseTwice = errs.Define("stock_promise_product_twice", errs.Invalid, "同一商品只能写一行", "A product may be there once only")
	ErrPromiseTime  = errs.Define("stock_promise_time", errs.Invalid, "预留时间应为 1 分钟到 30 天", "Goods are promised for one minute to thirty days")
)

// Bounds are what a channel may have of a SKU at a site.
type Bounds struct {
	SKU     id.ID
	Channel string
	Floor   qty.Qty // kept for it
	Cap     qty.Qty // at most promised to it on a business day; -1: no limit
}

const channelBounds = `SELECT sku_id, channel, floor, cap FROM stock_channel WHERE site_id = $1 AND sku_id IN (`

var (
	readBounds = db.NewMany(channelBounds, `?`, `) ORDER BY sku_id, channel`)
	lockBounds = db.NewMany(channelBounds, `?`, `) ORDER BY sku_id, channel FOR UPDATE`)
)

// boundsOf reads what channels may have of SKUs, and lets one act at a time take of a SKU that is bounded.
func boundsOf(tx *db.Tx, site id.ID, skus []id.ID) (map[id.ID][]Bounds, error) {
	args := []any{int64(site)}
	for _, s := range skus {
		args = append(args, int64(s))
	}
	all := map[id.ID][]Bounds{}
	rows := tx.QueryMany(byEngine(tx, readBounds, lockBounds), args...)
	for rows.Next() {
		var b Bounds
		if err := rows.Scan(&b.SKU, &b.Channel, &b.Floor, &b.Cap); err != nil {
			return nil, err
		}
		all[b.SKU] = append(all[b.SKU], b)
	}
	return all, rows.Err()
}

// Bind sets what a channel may have of a SKU and puts aside what is kept for it, as far as there is enough.
func Bind(tx *db.Tx, site *org.Site, staff id.ID, b Bounds) error {
	switch {
	case !slices.Contains(Channels, b.Channel):
		return ErrNoChannel.At("channel")
	case b.Floor < 0 || b.Floor > qty.Max || b.Cap < -1 || b.Cap > qty.Max || b.Cap >= 0 && b.Floor > b.Cap:
		return ErrBounds.At("floor")
	}
	if err := tx.Exec(`INSERT INTO stock_channel (site_id, sku_id, channel, floor, cap, staff_id, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (site_id, sku_id, channel) DO UPDATE SET floor = excluded.floor, cap = excluded.cap, staff_id = excluded.staff_id, changed_at = excluded.changed_at`,
		site.ID, b.SKU, b.Channel, b.Floor, b.Cap, staff, tx.Now()); err != nil {
		return err
	}
	return keepFloors(tx, site, staff, []id.ID{b.SKU})
}

const (
	putAside = `SELECT p.id, p.batch_id, a.posted_in - a.posted_out - a.pending_out FROM stock_place p JOIN stock_batch b ON b.id = p.batch_id JOIN ledger_account a ON a.id = p.id
	WHERE p.site_id = $1 AND p.sku_id = $2 AND p.channel = $3 AND p.status = 1 AND p.open = 1 AND b.expires_at > $4 ORDER BY b.expires_at, p.id`
	sellable = `SELECT b.id, a.posted_in - a.posted_out - a.pending_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id
	WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1 AND b.expires_at > $3 AND a.posted_in - a.posted_out - a.pending_out > 0 ORDER BY b.expires_at DESC, b.id DESC`
)

type aside struct {
	id, batch id.ID
	free      qty.Qty
}

func scanAside(rows *db.Rows, hasBatch bool) (all []aside, err error) {
	for rows.Next() {
		var a aside
		if hasBatch {
			err = rows.Scan(&a.id, &a.batch, &a.free)
		} else if err = rows.Scan(&a.id, &a.free); err == nil {
			a.batch = a.id
		}
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// keepFloors puts aside for each channel what is kept for it and lacks, from what expires last, and gives back
// what is more. It is done when the rule changes and when goods come in; what the channel has taken since is
// not made up for before that.
func keepFloors(tx *db.Tx, site *org.Site, staff id.ID, skus []id.ID) error {
	bounds, err := boundsOf(tx, site.ID, skus)
	if err != nil {
		return err
	}
	var shifts []Shift
	for _, sku := range skus {
		var pool []aside
		for _, b := range bounds[sku] {
			if inShop(b.Channel) {
				continue
			}
			there, err := scanAside(tx.Query(putAside, site.ID, sku, b.Channel, tx.Now()), true)
			if err != nil {
				return err
			}
			have := qty.Qty(0)
			for _, a := range there {
				have += a.free
			}
			spot := Spot{Channel: b.Channel}
			for _, a := range there {
				if n := min(have-b.Floor, a.free); n > 0 {
					shifts = append(shifts, Shift{a.batch, spot, Spot{}, n})
					have -= n
				}
			}
			if have >= b.Floor {
				continue
			}
			if pool == nil {
				if pool, err = scanAside(tx.Query(sellable, site.ID, sku, tx.Now()), false); err != nil {
					return err
				}
			}
			for i := range pool {
				if n := min(b.Floor-have, pool[i].free); n > 0 {
					shifts = append(shifts, Shift{pool[i].batch, Spot{}, spot, n})
					have += n
					pool[i].free -= n
				}
			}
		}
	}
	for len(shifts) > 0 {
		n := min(len(shifts), maxLines)
		_, err := Relocate(tx, Relocation{Header: Header{Site: site, Staff: staff}, Reason: "channel", Lines: shifts[:n]})
		if err != nil {
			return err
		}
		shifts = shifts[n:]
	}
	return nil
}

// Subscribe lets goods that come in fill up what is kept for channels.
func Subscribe(r *outbox.Relay) {
	r.Subscribe("stock_channels", EventReceived, func(tx *db.Tx, e outbox.Event) error {
		var b Moved
		if err := e.Unmarshal(&b); err != nil {
			return err
		}
		site, err := org.SiteByID(tx, b.Site)
		if err != nil {
			return err
		}
		var skus []id.ID
		for _, l := range b.Lines {
			skus = append(skus, l.SKU)
		}
		slices.Sort(skus)
		return keepFloors(tx, site, 0, slices.Compact(skus))
	})
}

// Order is goods that a channel wants to be promised.
type Order struct {
	Site    *org.Site
	Channel string
	Ref     string // the channel's number
	Staff   id.ID
	For     time.Duration
	Wants   []Want // one of a SKU; no batches by name
}

// Promise is goods promised to an order.
type Promise struct {
	ID      id.ID
	Site    id.ID
	Channel string
	Date    cal.Date
	Ref     string
	State   string
	MadeAt  time.Time
	Until   time.Time
	Lines   []Promised
}

// Promised is one SKU of it.
type Promised struct {
	SKU   id.ID
	Qty   qty.Qty
	Taken qty.Qty // what became of it, once it is captured
}

const takeOfDay = `INSERT INTO stock_channel_day (site_id, sku_id, channel, business_date, taken) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (site_id, sku_id, channel, business_date) DO UPDATE SET taken = stock_channel_day.taken + excluded.taken WHERE stock_channel_day.taken + excluded.taken <= $6`

const giveBackOfDay = `UPDATE stock_channel_day SET taken = taken - $1 WHERE site_id = $2 AND sku_id = $3 AND channel = $4 AND business_date = $5`

var insertPromised = db.NewMany(`INSERT INTO stock_promise_line (promise_id, sku_id, qty, taken) VALUES `, `(?, ?, ?, ?)`, ``)

// Keep promises goods to an order of a channel: first what is put aside for the channel, then what is there for
// everybody, but for what is kept for the shop itself. All or nothing. As Pick it may return db.ErrAgain.
func Keep(tx *db.Tx, o Order) (*Promise, error) {
	switch {
	case !slices.Contains(Channels, o.Channel):
		return nil, ErrNoChannel.At("channel")
	case o.For < time.Minute || o.For > 30*24*time.Hour:
		return nil, ErrPromiseTime.At("minutes")
	}
	if err := checkWants(o.Wants); err != nil {
		return nil, err
	}
	p := &Promise{ID: id.New(), Site: o.Site.ID, Channel: o.Channel, Date: o.Site.BusinessDate(tx.Now()), Ref: o.Ref, State: "open", MadeAt: tx.Now(), Until: tx.Now().Add(o.For)}
	wants := slices.Clone(o.Wants)
	slices.SortFunc(wants, func(a, b Want) int { return int(min(max(a.SKU-b.SKU, -1), 1)) })
	var skus []id.ID
	var lines []any
	for i := range wants {
		w := &wants[i]
		if i > 0 && wants[i-1].SKU == w.SKU {
			return nil, ErrPromiseTwice.At(field(w.Line, "product_id"))
		}
		skus = append(skus, w.SKU)
		lines = append(lines, int64(p.ID), int64(w.SKU), int64(w.Qty), int64(0))
		p.Lines = append(p.Lines, Promised{SKU: w.SKU, Qty: w.Qty})
	}
	bounds, err := boundsOf(tx, o.Site.ID, skus)
	if err != nil {
		return nil, err
	}
	for _, w := range wants {
		limit := int64(money.Max)
		for _, b := range bounds[w.SKU] {
			if b.Channel == o.Channel && b.Cap >= 0 {
				limit = int64(b.Cap)
			}
		}
		if int64(w.Qty) > limit {
			return nil, ErrChannelCap.At(field(w.Line, "qty"))
		}
		if err := tx.ExecExactly(1, ErrChannelCap.At(field(w.Line, "qty")), takeOfDay, o.Site.ID, w.SKU, o.Channel, p.Date, w.Qty, limit); err != nil {
			return nil, err
		}
	}
	picked, err := o.pick(tx, wants, bounds)
	if err != nil {
		return nil, err
	}
	if err := tx.Exec(`INSERT INTO stock_promise (id, site_id, channel, business_date, ref, state, staff_id, made_at, until_at) VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8)`,
		p.ID, p.Site, p.Channel, p.Date, p.Ref, o.Staff, p.MadeAt, p.Until); err != nil {
		return nil, err
	}
	if err := tx.ExecMany(insertPromised, lines...); err != nil {
		return nil, err
	}
	return p, picked.Hold(tx, p.document(), p.Until)
}

func (p *Promise) document() ledger.Document {
	return ledger.Document{Kind: ChannelDoc, ID: p.ID, Site: p.Site, Date: p.Date}
}

// pick chooses goods for an order.
func (o *Order) pick(tx *db.Tx, wants []Want, bounds map[id.ID][]Bounds) (*Picked, error) {
	var rest []Want
	own := map[int][]aside{}
	var places []id.ID
	rules, err := rulesFor(tx, o.Site.ID, o.Channel, wants)
	if err != nil {
		return nil, err
	}
	for i, w := range wants {
		good := tx.Now() // what is put aside is good after it
		if rules != nil && rules[i] != nil && rules[i].MinLife > 0 {
			good = good.Add(rules[i].MinLife - time.Millisecond)
		}
		kept := qty.Qty(0)
		for _, b := range bounds[w.SKU] {
			if inShop(b.Channel) && b.Channel != o.Channel {
				kept += b.Floor
			}
		}
		left := w.Qty
		if len(bounds[w.SKU]) > 0 {
			there, err := scanAside(tx.Query(putAside, o.Site.ID, w.SKU, o.Channel, good), true)
			if err != nil {
				return nil, err
			}
			for _, a := range there {
				if n := min(left, a.free); n > 0 {
					own[w.Line] = append(own[w.Line], aside{id: a.id, free: n})
					places = append(places, a.id)
					left -= n
				}
			}
		}
		if left == 0 {
			continue
		}
		if kept > 0 {
			var there qty.Qty
			if err := tx.QueryRow(availableOf, o.Site.ID, w.SKU, tx.Now()).Scan(&there); err != nil {
				return nil, err
			}
			if there-kept < left {
				return nil, short(tx, w.SKU, there-kept+w.Qty-left).At(field(w.Line, "qty"))
			}
		}
		w.Qty = left
		rest = append(rest, w)
	}
	p := &Picked{move: newMove(o.Site.ID)}
	if len(rest) > 0 {
		var err error
		if p, err = PickFor(tx, o.Site.ID, o.Channel, rest); err != nil {
			return nil, err
		}
	}
	if err := p.lockLots(tx, places); err != nil {
		return nil, err
	}
	for i := range wants {
		w := &wants[i]
		for _, a := range own[w.Line] {
			b := p.lots[a.id]
			if b.free < a.free { // somebody threw it away meanwhile
				return nil, db.ErrAgain
			}
			if err := p.take(w, b, a.free); err != nil {
				return nil, err
			}
		}
	}
	p.number()
	return p, nil
}

const promiseColumns = `SELECT id, site_id, channel, business_date, ref, state, made_at, until_at FROM stock_promise`

func (p *Promise) scan(scan func(...any) error) error {
	return scan(&p.ID, &p.Site, &p.Channel, &p.Date, &p.Ref, &p.State, &p.MadeAt, &p.Until)
}

// PromiseByID reads a promise; ErrNoPromise when there is none.
func PromiseByID(tx *db.Tx, promise id.ID) (*Promise, error) {
	p := &Promise{}
	row := tx.QueryRow(promiseColumns+` WHERE id = $1`, promise)
	lines := tx.Query(`SELECT sku_id, qty, taken FROM stock_promise_line WHERE promise_id = $1 ORDER BY sku_id`, promise)
	err := p.scan(row.Scan)
	if err == db.ErrNoRow {
		return nil, ErrNoPromise
	}
	if err != nil {
		return nil, err
	}
	for lines.Next() {
		var l Promised
		if err := lines.Scan(&l.SKU, &l.Qty, &l.Taken); err != nil {
			return nil, err
		}
		p.Lines = append(p.Lines, l)
	}
	return p, lines.Err()
}

func (p *Promise) become(tx *db.Tx, state string) error {
	p.State = state
	return tx.ExecExactly(1, ErrPromiseState, `UPDATE stock_promise SET state = $1 WHERE id = $2 AND state = 'open'`, state, p.ID)
}

// Hand hands goods over to the order: all that was promised, or so much of each SKU, and the rest is free
// again. They leave as sold, at their cost, on the business day on which they are handed over. What has expired while it waited is handed
// to nobody: the others serve, and when they are too few it is refused (ErrExpired).
func (p *Promise) Hand(tx *db.Tx, parts map[id.ID]qty.Qty) error {
	left := map[id.ID]qty.Qty{}
	any := false
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Taken = l.Qty
		if parts != nil {
			l.Taken = parts[l.SKU]
		}
		if l.Taken < 0 || l.Taken > l.Qty {
			return ErrQty.At("lines")
		}
		any = any || l.Taken > 0
		left[l.SKU] = l.Taken
	}
	for sku := range parts {
		if !slices.ContainsFunc(p.Lines, func(l Promised) bool { return l.SKU == sku }) {
			return ErrNoSKU.At("lines")
		}
	}
	if !any {
		return ErrQty.At("lines")
	}
	if err := p.become(tx, "captured"); err != nil {
		return err
	}
	for _, l := range p.Lines { // before the goods are locked, as when they are promised
		if err := tx.Exec(`UPDATE stock_promise_line SET taken = $1 WHERE promise_id = $2 AND sku_id = $3`, l.Taken, p.ID, l.SKU); err != nil {
			return err
		}
		if err := p.giveBack(tx, l.SKU, l.Qty-l.Taken); err != nil {
			return err
		}
	}
	holds, err := ledger.Holds(tx, ChannelDoc, p.ID)
	if err != nil {
		return err
	}
	over, err := expiredOf(tx, holds)
	if err != nil {
		return err
	}
	amounts := make([]qty.Qty, len(holds))
	for i, h := range holds {
		if h.Expired(tx.Now()) {
			return ledger.ErrHoldExpired
		}
		if _, gone := over[id.ID(h.From)]; !gone {
			amounts[i] = min(left[id.ID(h.Unit)], qty.Qty(h.Amount))
			left[id.ID(h.Unit)] -= amounts[i]
		}
	}
	for _, h := range holds {
		if code, gone := over[id.ID(h.From)]; gone && left[id.ID(h.Unit)] > 0 {
			return refusal(tx, ErrExpired, id.ID(h.Unit)).With("batch", code).At("lines")
		}
	}
	picked, err := Capture(tx, p.Site, ChannelDoc, p.ID, amounts)
	if err != nil {
		return err
	}
	site, err := org.SiteByID(tx, p.Site)
	if err != nil {
		return err
	}
	doc := p.document()
	doc.Date = site.BusinessDate(tx.Now()) // the day of the promise may be closed long since
	return picked.Sell(tx, doc)
}

// expiredOf gives the codes of batches whose goods are held and that have expired since.
func expiredOf(tx *db.Tx, holds []ledger.Hold) (map[id.ID]string, error) {
	args := []any{tx.Now()}
	for _, h := range holds {
		args = append(args, h.From)
	}
	over := map[id.ID]string{}
	if len(holds) == 0 {
		return over, nil
	}
	rows := tx.QueryMany(expiredBatches, args...)
	defer rows.Close()
	for rows.Next() {
		var b id.ID
		var code string
		if err := rows.Scan(&b, &code); err != nil {
			return nil, err
		}
		over[b] = code
	}
	return over, rows.Err()
}

var expiredBatches = db.NewMany(`SELECT id, code FROM stock_batch WHERE expires_at <= $1 AND id IN (`, `?`, `)`)

func (p *Promise) giveBack(tx *db.Tx, sku id.ID, n qty.Qty) error {
	if n == 0 {
		return nil
	}
	return tx.Exec(giveBackOfDay, n, p.Site, sku, p.Channel, p.Date)
}

// Free frees what was promised. state is released, or expired when its time has passed.
func (p *Promise) Free(tx *db.Tx, state string) error {
	if err := p.become(tx, state); err != nil {
		return err
	}
	for _, l := range p.Lines {
		if err := p.giveBack(tx, l.SKU, l.Qty); err != nil {
			return err
		}
	}
	return Release(tx, ChannelDoc, p.ID)
}

// PromiseJob frees promises whose time has passed.
const PromiseJob = "stock.promises"

func freeOverdue(ctx context.Context, run *jobs.Run) error {
	for {
		var due []id.ID
		err := run.DB().Read(ctx, func(tx *db.Tx) error {
			due = nil
			rows := tx.Query(`SELECT id FROM stock_promise WHERE state = 'open' AND until_at <= $1 ORDER BY until_at, id LIMIT 100`, tx.Now())
			for rows.Next() {
				var p id.ID
				if err := rows.Scan(&p); err != nil {
					return err
				}
				due = append(due, p)
			}
			return rows.Err()
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, one := range due {
			err := run.DB().Write(ctx, func(tx *db.Tx) error {
				p, err := PromiseByID(tx, one)
				if err != nil || p.State != "open" {
					return err
				}
				return p.Free(tx, "expired")
			})
			if err != nil && errs.Code(err) != ErrPromiseState.Code {
				return err
			}
		}
	}
}
