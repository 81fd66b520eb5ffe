package clear

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "clear", FS: files}

// Every is the pace of the steps between the first and expiry.
const Every = 30 * time.Minute

var (
	ErrNoBatch = errs.Define("clear_batch_unknown", errs.NotFound, "这个批次不在临期处理中", "This batch is not near its expiry")
)

// Batch is a batch on its way to expiry. Quantities are of the sales unit that its price is for.
type Batch struct {
	ID       id.ID
	Site     id.ID
	SKU      id.ID
	Product  id.ID
	Category id.ID
	Unit     id.ID

	Made, Expires time.Time
	First, Free   time.Time // of the two steps; the zero Free has none
	Phase         Phase
	Reason        Reason
	Label         int64 // number on its label; 0: not marked down yet
	Step          id.ID // the decision whose price is in force; 0: none
	List          money.Fen
	Price         money.Fen
	Offer         Offer
	Left          qty.Qty // at the last look
	Planned       qty.Qty // to be left at the next look; below 0: nothing was planned
	FirstLeft     qty.Qty // when it was marked down first
	FirstExpected qty.Qty
	LookedAt      time.Time
	NextAt        time.Time
	Closed        bool

	WriteOff id.ID // the document that wrote the rest off
	Lost     qty.Qty
	LostCost money.Fen
}

// MarkedDown says whether the batch has a price of its own.
func (b *Batch) MarkedDown() bool { return b.Step != 0 }

const batchColumns = `m.batch_id, m.site_id, m.sku_id, m.product_id, m.category_id, m.unit_id, m.made_at, m.expires_at, m.first_at, m.free_at, m.phase, m.reason, m.label, m.step_id,
	m.list_fen, m.price_fen, m.depth, m.free, m.left_qty, m.planned, m.first_left, m.first_expected, m.looked_at, m.next_at, m.closed, m.write_off_id, m.lost_qty, m.lost_fen`

func (b *Batch) scan(scan func(...any) error) error {
	err := scan(&b.ID, &b.Site, &b.SKU, &b.Product, &b.Category, &b.Unit, &b.Made, &b.Expires, &b.First, &b.Free, &b.Phase, &b.Reason, &b.Label, &b.Step,
		&b.List, &b.Price, &b.Offer.Depth, &b.Offer.Free, &b.Left, &b.Planned, &b.FirstLeft, &b.FirstExpected, &b.LookedAt, &b.NextAt, &b.Closed, &b.WriteOff, &b.Lost, &b.LostCost)
	if b.Free.UnixMilli() == 0 {
		b.Free = time.Time{}
	}
	return err
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Watch takes batches into view: from now on they are looked at when their time comes. Those that are watched
// already stay as they are.
func Watch(tx *db.Tx, batches []Batch) error {
	args := make([]any, 0, 28*len(batches))
	for i := range batches {
		b := &batches[i]
		args = append(args, b.ID, b.Site, b.SKU, b.Product, b.Category, b.Unit, ms(b.Made), ms(b.Expires), ms(b.First), ms(b.Free), string(FullPrice), string(ReasonNotYet), 0, 0,
			0, 0, 0, 0, 0, -1, 0, 0, 0, ms(b.NextAt), 0, 0, 0, 0)
	}
	return tx.ExecMany(watch, args...)
}

var watch = db.NewMany(`INSERT INTO clear_markdown (batch_id, site_id, sku_id, product_id, category_id, unit_id, made_at, expires_at, first_at, free_at, phase, reason, label, step_id,
	list_fen, price_fen, depth, free, left_qty, planned, first_left, first_expected, looked_at, next_at, closed, write_off_id, lost_qty, lost_fen) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ` ON CONFLICT (batch_id) DO NOTHING`)

// The + 0 of these two keeps SQLite at the index of what is open: that of the site holds all there ever was.

// DueSites are the sites with a batch whose time has come, at most limit.
func DueSites(tx *db.Tx, limit int) ([]id.ID, error) {
	return ids(tx.Query(`SELECT DISTINCT m.site_id + 0 FROM clear_markdown m WHERE m.closed = 0 AND m.next_at <= $1 ORDER BY 1 LIMIT $2`, tx.Now(), limit))
}

// Due are the batches of a site whose time has come, the most urgent first, at most limit.
func Due(tx *db.Tx, site id.ID, limit int) ([]id.ID, error) {
	return ids(tx.Query(`SELECT m.batch_id FROM clear_markdown m WHERE m.closed = 0 AND m.next_at <= $1 AND m.site_id + 0 = $2 ORDER BY m.next_at, m.batch_id LIMIT $3`, tx.Now(), site, limit))
}

func ids(rows *db.Rows) ([]id.ID, error) {
	defer rows.Close()
	var all []id.ID
	for rows.Next() {
		var i id.ID
		if err := rows.Scan(&i); err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// Lock takes a batch whose time has come; nil when somebody looked at it meanwhile.
func Lock(tx *db.Tx, batch id.ID) (*Batch, error) {
	var b Batch
	err := b.scan(tx.QueryRow(`SELECT `+batchColumns+` FROM clear_markdown m WHERE m.batch_id = $1 AND m.closed = 0 AND m.next_at <= $2`+tx.ForUpdate(), batch, tx.Now()).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return &b, err
}

// Get is a watched batch.
func Get(tx *db.Tx, batch id.ID) (*Batch, error) {
	var b Batch
	err := b.scan(tx.QueryRow(`SELECT `+batchColumns+` FROM clear_markdown m WHERE m.batch_id = $1`, batch).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoBatch
	}
	return &b, err
}

// Next is the first instant after now at which the batch is looked at: each half hour from the first step on,
// at the step of buy-one-get-one, and at expiry.
func (b *Batch) Next(now time.Time) time.Time {
	next := b.Expires
	if !b.First.IsZero() && b.First.Before(b.Expires) {
		at := b.First
		if !now.Before(at) {
			at = at.Add((now.Sub(at)/Every + 1) * Every)
		}
		next = earlier(next, at)
		if b.Free.After(now) {
			next = earlier(next, b.Free)
		}
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Look is a look at a batch, to be recorded: what was known and what came of it.
type Look struct {
	Decision
	Left         qty.Qty
	Expected     qty.Qty // until expiry, at the full price
	SlotExpected qty.Qty // until the next look
	Planned      qty.Qty // to be left at the next look; below 0: nothing planned
	HourBand     int64
	Sold         qty.Qty // since the last look
}

// Record writes a look down and brings the batch to it; the caller holds the batch. A changed offer is a new
// price in force: it gets a label the first time, and the news goes out.
func Record(tx *db.Tx, b *Batch, l Look) (*Step, error) {
	now := tx.Now()
	s := &Step{ID: id.New(), At: now, Phase: l.Phase, Reason: l.Reason, Changed: l.Changed, List: b.List, Price: l.Price, Offer: l.Offer, Left: l.Left,
		Expected: l.Expected, Planned: b.Planned, Options: l.Options}
	options, err := json.Marshal(s.Options)
	if err != nil {
		return nil, err
	}
	if err := tx.Exec(`UPDATE clear_step SET slot_sold = $1, slot_left = $2 WHERE batch_id = $3 AND slot_sold < 0`, l.Sold, l.Left, b.ID); err != nil {
		return nil, err
	}
	err = tx.Exec(`INSERT INTO clear_step (id, batch_id, site_id, category_id, hour_band, at, phase, reason, changed, list_fen, price_fen, depth, free, left_qty, expected, planned, options,
			until_at, sold_qty, sold_fen, slot_expected, slot_sold, slot_left)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0, 0, $18, -1, 0)`,
		s.ID, b.ID, b.Site, b.Category, l.HourBand, now, s.Phase, s.Reason, flag(s.Changed), s.List, s.Price, s.Offer.Depth, flag(s.Offer.Free), s.Left, s.Expected, s.Planned, string(options),
		l.SlotExpected)
	if err != nil {
		return nil, err
	}
	if l.Changed {
		if !b.MarkedDown() {
			b.FirstLeft, b.FirstExpected = l.Left, l.Expected
			if b.Label, err = nextLabel(tx, b.Site); err != nil {
				return nil, err
			}
		}
		b.Step, b.Price, b.Offer = s.ID, l.Price, l.Offer
		if err := outbox.Emit(tx, outbox.Event{Type: MarkedDownEvent, Subject: b.ID, Site: b.Site, Body: MarkedDown{Site: b.Site, Batch: b.ID, Product: b.Product, Unit: b.Unit,
			Step: s.ID, List: b.List, Price: b.Price, Free: b.Offer.Free, Label: LabelCode(b.Label), Expires: b.Expires}}); err != nil {
			return nil, err
		}
	}
	b.Phase, b.Reason, b.Left, b.Planned, b.LookedAt, b.NextAt = l.Phase, l.Reason, l.Left, l.Planned, now, b.Next(now)
	return s, b.save(tx)
}

func (b *Batch) save(tx *db.Tx) error {
	return tx.ExecExactly(1, ErrNoBatch, `UPDATE clear_markdown SET phase = $1, reason = $2, label = $3, step_id = $4, unit_id = $5, list_fen = $6, price_fen = $7, depth = $8, free = $9, left_qty = $10,
			planned = $11, first_left = $12, first_expected = $13, looked_at = $14, next_at = $15, closed = $16, write_off_id = $17, lost_qty = $18, lost_fen = $19
		WHERE batch_id = $20 AND closed = 0`,
		b.Phase, b.Reason, b.Label, b.Step, b.Unit, b.List, b.Price, b.Offer.Depth, flag(b.Offer.Free), b.Left, b.Planned, b.FirstLeft, b.FirstExpected, ms(b.LookedAt), ms(b.NextAt),
		flag(b.Closed), b.WriteOff, b.Lost, b.LostCost, b.ID)
}

// Skip passes over a look at which there was nothing to decide: nothing is there, or it is not sold here.
func Skip(tx *db.Tx, b *Batch, phase Phase, reason Reason) error {
	b.Phase, b.Reason, b.Left, b.Planned, b.LookedAt = phase, reason, 0, -1, tx.Now()
	b.NextAt = b.Next(tx.Now())
	return b.save(tx)
}

// End takes a batch off sale. writeOff is the document that wrote off what was left (0: nothing was), again when
// more comes free later: closed is false while somebody still holds some of it.
func End(tx *db.Tx, b *Batch, writeOff id.ID, lost qty.Qty, cost money.Fen, sold qty.Qty, closed bool) error {
	if err := tx.Exec(`UPDATE clear_step SET slot_sold = $1, slot_left = $2 WHERE batch_id = $3 AND slot_sold < 0`, sold, lost, b.ID); err != nil {
		return err
	}
	b.Phase, b.Reason, b.Left, b.Planned, b.LookedAt, b.NextAt, b.Closed = Expired, ReasonExpired, 0, -1, tx.Now(), tx.Now().Add(Every/6), closed
	if writeOff != 0 {
		b.WriteOff = writeOff
	}
	b.Lost += lost
	b.LostCost += cost
	return b.save(tx)
}

// EndStep ends the price of a step, with what was sold under it.
func EndStep(tx *db.Tx, step id.ID, sold qty.Qty, fen money.Fen) error {
	return tx.Exec(`UPDATE clear_step SET until_at = $1, sold_qty = $2, sold_fen = $3 WHERE id = $4 AND until_at = 0`, tx.Now(), sold, fen, step)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func nextLabel(tx *db.Tx, site id.ID) (int64, error) {
	var n int64
	err := tx.QueryRow(`INSERT INTO clear_label (site_id, last_no) VALUES ($1, 1) ON CONFLICT (site_id) DO UPDATE SET last_no = clear_label.last_no + 1 RETURNING last_no`, site).Scan(&n)
	return n, err
}

// LabelPrefix begins the codes of labels of marked-down batches: an in-store prefix of EAN-13.
const LabelPrefix = "29"

// LabelCode is the code on the label of a batch: an EAN-13 with the in-store prefix 29. Empty without a label.
func LabelCode(no int64) string {
	if no <= 0 {
		return ""
	}
	digits := fmt.Sprintf("%s%010d", LabelPrefix, no)
	sum := 0
	for i, c := range digits {
		weight := 1
		if i%2 == 1 {
			weight = 3
		}
		sum += weight * int(c-'0')
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}

// Step is one look at a batch.
type Step struct {
	ID       id.ID
	At       time.Time
	Phase    Phase
	Reason   Reason
	Changed  bool
	List     money.Fen
	Price    money.Fen
	Offer    Offer
	Left     qty.Qty
	Expected qty.Qty
	Planned  qty.Qty // what the look before wanted to have left; below 0: nothing
	Options  []Option
	Until    time.Time // zero: in force, or no change
	Sold     qty.Qty
	SoldFen  money.Fen
}

// Steps are the looks at a batch, newest first, at most limit.
func Steps(tx *db.Tx, batch id.ID, limit int) ([]Step, error) {
	rows := tx.Query(`SELECT s.id, s.at, s.phase, s.reason, s.changed, s.list_fen, s.price_fen, s.depth, s.free, s.left_qty, s.expected, s.planned, s.options, s.until_at, s.sold_qty, s.sold_fen
		FROM clear_step s WHERE s.batch_id = $1 ORDER BY s.id DESC LIMIT $2`, batch, limit)
	defer rows.Close()
	var all []Step
	for rows.Next() {
		var s Step
		var options string
		if err := rows.Scan(&s.ID, &s.At, &s.Phase, &s.Reason, &s.Changed, &s.List, &s.Price, &s.Offer.Depth, &s.Offer.Free, &s.Left, &s.Expected, &s.Planned, &options, &s.Until, &s.Sold, &s.SoldFen); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(options), &s.Options); err != nil {
			return nil, fmt.Errorf("clear: options of step %s: %w", s.ID, err)
		}
		if s.Until.UnixMilli() == 0 {
			s.Until = time.Time{}
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Reduced is the price in force of a marked-down batch.
type Reduced struct {
	Step  id.ID     // the decision
	Unit  id.ID     // the price is for one of these
	List  money.Fen // the full price when it was marked down first
	Price money.Fen
	Free  bool // of each pair the second is free
}

// Of is the reduced price of one of a unit whose price in the book is full: that of the decision for its own unit,
// the same share of the full price for another. It is never more than the book's.
func (r Reduced) Of(unit id.ID, full money.Fen) (money.Fen, error) {
	if unit == r.Unit || r.List == 0 {
		return min(full, r.Price), nil
	}
	v, err := money.MulDiv(int64(full), int64(r.Price), int64(r.List))
	return min(full, money.Fen(v)), err
}

var inForce = db.NewMany(`SELECT m.batch_id, m.step_id, m.unit_id, m.list_fen, m.price_fen, m.free FROM clear_markdown m WHERE m.step_id > 0 AND m.batch_id IN (`, `?`, `)`)

// InForce are the prices of those of the batches that are marked down.
func InForce(tx *db.Tx, batches []id.ID) (map[id.ID]Reduced, error) {
	args := make([]any, len(batches))
	for i, b := range batches {
		args[i] = b
	}
	rows := tx.QueryMany(inForce, args...)
	defer rows.Close()
	all := make(map[id.ID]Reduced, len(batches))
	for rows.Next() {
		var b id.ID
		var r Reduced
		if err := rows.Scan(&b, &r.Step, &r.Unit, &r.List, &r.Price, &r.Free); err != nil {
			return nil, err
		}
		all[b] = r
	}
	return all, rows.Err()
}

// List are the watched batches of a site that have not ended, or that ended since the instant, the earliest expiry
// first, behind (expires, batch), at most limit.
func List(tx *db.Tx, site id.ID, endedSince time.Time, afterExpiry int64, afterBatch id.ID, limit int) ([]Batch, error) {
	rows := tx.Query(`SELECT `+batchColumns+` FROM clear_markdown m
		WHERE m.site_id = $1 AND (m.expires_at, m.batch_id) > ($2, $3) AND (m.closed = 0 OR m.expires_at >= $4) ORDER BY m.expires_at, m.batch_id LIMIT $5`,
		site, afterExpiry, afterBatch, endedSince, limit)
	defer rows.Close()
	var all []Batch
	for rows.Next() {
		var b Batch
		if err := b.scan(rows.Scan); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

const (
	usesFor   = 90 * 24 * time.Hour
	openPrior = .7 // a category of which nothing is known: its plans are tried
)

// Used is how plans fared in a category and hour band over the last 90 days.
type Used struct {
	plans map[Offer]use
	all   use // of the category, in all bands
}

type use struct {
	n             int
	sold, offered float64
}

func (u use) rate() float64 {
	if u.offered <= 0 {
		return 0
	}
	return u.sold / u.offered
}

// Uses reads how plans fared.
func Uses(tx *db.Tx, category id.ID, band int64) (*Used, error) {
	rows := tx.Query(`SELECT s.hour_band, s.depth, s.free, COUNT(*), SUM(s.sold_qty), SUM(s.left_qty) FROM clear_step s
		WHERE s.category_id = $1 AND s.changed = 1 AND s.until_at > 0 AND s.until_at > $2 GROUP BY s.hour_band, s.depth, s.free`, category, tx.Now().Add(-usesFor))
	defer rows.Close()
	u := &Used{plans: map[Offer]use{}}
	for rows.Next() {
		var at int64
		var o Offer
		var n int
		var sold, offered qty.Qty
		if err := rows.Scan(&at, &o.Depth, &o.Free, &n, &sold, &offered); err != nil {
			return nil, err
		}
		x := use{n, sold.Approx(), offered.Approx()}
		if at == band {
			u.plans[o] = x
		}
		u.all = use{u.all.n + x.n, u.all.sold + x.sold, u.all.offered + x.offered}
	}
	return u, rows.Err()
}

// Tried is the conversion of a plan and how often it was used; it fits Situation.Tried.
func (u *Used) Tried(o Offer) (float64, int) { return u.plans[o].rate(), u.plans[o].n }

// Prior is the conversion of the category where a plan has not been used often enough.
func (u *Used) Prior() float64 {
	if u.all.n < leastUses {
		return openPrior
	}
	return u.all.rate()
}

// HourBand is the part of the day that uses are counted in: three hours each, on the site's clock.
func HourBand(local time.Time) int64 { return int64(local.Hour() / 3) }

// MarkedDownEvent says that a price of a batch fell. Its subject is the batch.
const MarkedDownEvent = "clear.marked_down.v1"

// MarkedDown is the body of MarkedDownEvent. Step is the version of the price: the later, the greater.
type MarkedDown struct {
	Site    id.ID     `json:"site_id"`
	Batch   id.ID     `json:"batch_id"`
	Product id.ID     `json:"product_id"`
	Unit    id.ID     `json:"unit_id"`
	Step    id.ID     `json:"step_id"`
	List    money.Fen `json:"list_fen"`
	Price   money.Fen `json:"price_fen"`
	Free    bool      `json:"free"`
	Label   string    `json:"label"`
	Expires time.Time `json:"expires_at"`
}

// Plan sets the steps of a batch by a policy: it is looked at first at its first step, or where it has none (its life
// is too short) at expiry.
func (b *Batch) Plan(p *Policy) {
	b.First, b.Free, b.NextAt = b.Expires, time.Time{}, b.Expires
	first, free, ok := p.Rule(0, 1).Window(b.Made, b.Expires)
	if !ok {
		return
	}
	b.First, b.NextAt = first, first
	if p.FreeMin > 0 {
		b.Free = free
	}
}

// maxOnSale bounds what a till is shown at once.
const maxOnSale = 500

// OnSale are the marked-down batches of a site in date, the earliest expiry first.
func OnSale(tx *db.Tx, site id.ID) ([]Batch, error) {
	rows := tx.Query(`SELECT `+batchColumns+` FROM clear_markdown m WHERE m.site_id = $1 AND m.expires_at > $2 AND m.step_id > 0 AND m.closed = 0 ORDER BY m.expires_at, m.batch_id LIMIT $3`,
		site, tx.Now(), maxOnSale)
	defer rows.Close()
	var all []Batch
	for rows.Next() {
		var b Batch
		if err := b.scan(rows.Scan); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}
