package stock

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Want is a line that asks for goods: from the named batch, or from whatever expires first and is not sold at
// a reduced price, then from what is.
type Want struct {
	Line  int // position in the caller's document, from 0; named in refusals
	SKU   id.ID
	Qty   qty.Qty // thousandths of the base unit
	Batch id.ID   // 0: by earliest expiry
}

// Take is what a line gets from one batch. A line that needs several batches has several takes; a batch
// serves a line once.
type Take struct {
	Line      int
	Batch     id.ID
	SKU       id.ID
	Qty       qty.Qty
	Cost      money.Fen // its share of what is left of the batch's value; 0 while it is only held
	ExpiresAt time.Time
	Reduced   bool // the batch is sold at a price of its own
	Leg       int  // the number of its leg in the document that books it; that of its cost is one higher
}

// maxWants is how many lines one question holds.
const maxWants = 256

// Asked is a question for goods that has been sent and not yet looked at.
type Asked struct {
	tx    *db.Tx
	m     *move
	wants []Want
	rules []*Policy // of each line; nil when no policy says anything about any
	reach int       // batches of a SKU that were asked for
	rows  *db.Rows
	err   error
}

// One round trip finds and locks: for each SKU the open batch that expires first, for each named batch that
// batch. A batch that this may empty also tells whether the site has more of the SKU elsewhere, for the
// news that something is sold out. The first part is a WITH, which FOR UPDATE leaves unlocked.
//
// On PostgreSQL the question about elsewhere waits until it is needed (findGone): starting it costs a sale more
// than the few that empty a batch gain.
const (
	pickHead = `WITH c AS (
	SELECT CAST($1 AS BIGINT) AS at_site, CAST($2 AS BIGINT) AS at_time, w.column2 AS named, w.column3 AS wanted, b.id, b.value_id, b.sku_id, b.code, b.expires_at, b.reduced
	FROM (VALUES `
	pickFound = `) AS w
	JOIN stock_batch b ON b.id = CASE WHEN w.column2 > 0 THEN w.column2 ELSE (
		SELECT f.id FROM stock_batch f WHERE f.site_id = $1 AND f.sku_id = w.column1 AND f.open = 1 AND f.expires_at > $2 ORDER BY f.reduced, f.expires_at, f.id LIMIT 1) END
	WHERE b.site_id = $1 AND b.sku_id = w.column1)
SELECT ` + lotColumns + `, c.named, `
	pickElse = `
	CASE WHEN a.posted_in - a.posted_out - a.pending_out > c.wanted THEN -1 WHEN EXISTS (
		SELECT 1 FROM stock_batch n JOIN ledger_account x ON x.id = n.id
		WHERE n.site_id = c.at_site AND n.sku_id = c.sku_id AND n.open = 1 AND n.expires_at > c.at_time AND n.id <> c.id
			AND x.posted_in - x.posted_out - x.pending_out > 0) THEN 1 ELSE 0 END`
	pickFrom = `
FROM c JOIN ledger_account a ON a.id = c.id JOIN ledger_account v ON v.id = c.value_id
ORDER BY a.id`
	pickTail = pickFound + pickElse + pickFrom
)

// When the batch that expires first is not enough, more of them are locked, and again all in one statement
// by rising id: a second statement beside the locks of the first would let two buyers wait for each other.
// CROSS JOIN is how SQLite is told to begin with the few: left to choose, it goes through all batches of the site.
const (
	widerHead = `WITH o AS (SELECT CAST($1 AS BIGINT) AS site, CAST($2 AS BIGINT) AS now, CAST($3 AS BIGINT) AS reach), w (sku, named, wanted) AS (VALUES `
	widerTail = `), c AS (
	SELECT * FROM (
		SELECT w.named, b.id, b.value_id, b.sku_id, b.code, b.expires_at, b.reduced, o.reach, ROW_NUMBER() OVER (PARTITION BY b.sku_id ORDER BY b.reduced, b.expires_at, b.id) AS place
		FROM o CROSS JOIN w JOIN stock_batch b ON b.site_id = o.site AND b.sku_id = w.sku AND b.open = 1 AND b.expires_at > o.now WHERE w.named = 0) AS f
	WHERE place <= reach
	UNION ALL
	SELECT w.named, b.id, b.value_id, b.sku_id, b.code, b.expires_at, b.reduced, o.reach, 1
	FROM o CROSS JOIN w CROSS JOIN stock_batch b WHERE b.id = w.named AND b.site_id = o.site AND b.sku_id = w.sku)
SELECT ` + lotColumns + `, c.named, -1
FROM c CROSS JOIN ledger_account a CROSS JOIN ledger_account v WHERE a.id = c.id AND v.id = c.value_id
ORDER BY a.id`
)

var (
	pickRead  = db.NewMany(pickHead, `(BIGINT, BIGINT, BIGINT)`, pickTail)
	pickLock  = db.NewMany(pickHead, `(BIGINT, BIGINT, BIGINT)`, pickFound+`-1`+pickFrom+` FOR UPDATE`)
	widerRead = db.NewMany(widerHead, `(BIGINT, BIGINT, BIGINT)`, widerTail)
	widerLock = db.NewMany(widerHead, `(BIGINT, BIGINT, BIGINT)`, widerTail+` FOR UPDATE`)
)

// reaches are how many batches of a SKU are asked for, one try after the other: what is locked and not
// needed keeps others waiting. Nobody sells from more batches at once than the last.
var reaches = [...]int{1, 8, 64, 2048}

// Ask asks for goods for the till.
func Ask(tx *db.Tx, site id.ID, wants []Want) *Asked { return AskFor(tx, site, "till", wants) }

// AskFor asks for goods of a site for one of Uses ("": none of them) and locks the batches that will serve. Nothing is
// looked at yet: questions asked before Pick travel together.
func AskFor(tx *db.Tx, site id.ID, use string, wants []Want) *Asked {
	a := &Asked{tx: tx, wants: wants, reach: reaches[0], m: newMove(site)}
	if tx.Engine() == db.Postgres { // a repetition may be one that Pick asked for
		a.reach = reaches[min(tx.Attempt(), len(reaches))-1]
	}
	if a.err = checkWants(wants); a.err == nil {
		a.rules, a.err = rulesFor(tx, site, use, wants)
	}
	if a.err == nil {
		a.send()
	}
	return a
}

func (a *Asked) send() {
	args := make([]any, 0, 3+3*len(a.wants))
	args = append(args, int64(a.m.site), a.tx.Now())
	ask := byEngine(a.tx, pickRead, pickLock)
	switch {
	case a.rules != nil:
		args = append(args, int64(a.reach))
		ask = byEngine(a.tx, ruledRead, ruledLock)
	case a.reach > 1:
		args = append(args, int64(a.reach))
		ask = byEngine(a.tx, widerRead, widerLock)
	}
	for i := range a.wants {
		w := &a.wants[i]
		same := func(o Want) bool { return o.SKU == w.SKU && o.Batch == w.Batch }
		if slices.ContainsFunc(a.wants[:i], same) {
			continue
		}
		total := w.Qty
		for _, o := range a.wants[i+1:] {
			if same(o) {
				total += o.Qty
			}
		}
		args = append(args, int64(w.SKU), int64(w.Batch), int64(total))
		if a.rules != nil {
			args = a.ruled(args, i)
		}
	}
	a.rows = a.tx.QueryMany(ask, args...)
}

func checkWants(wants []Want) error {
	switch {
	case len(wants) == 0:
		return ErrNoLines
	case len(wants) > maxWants:
		return ErrTooManyLines.With("most", maxWants)
	}
	for i := range wants {
		w := &wants[i]
		switch {
		case w.Qty <= 0:
			return ErrQty.At(field(w.Line, "qty"))
		case w.Qty > qty.Max:
			return ErrQtyTooLarge.At(field(w.Line, "qty"))
		case w.Batch < 0:
			return ErrNoBatch.At(field(w.Line, "batch_id"))
		}
	}
	return nil
}

func field(line int, name string) string { return fmt.Sprintf("lines[%d].%s", line, name) }

// Pick asks and looks at once, for no use in particular: policies of channels say nothing about it.
func Pick(tx *db.Tx, site id.ID, wants []Want) (*Picked, error) { return PickFor(tx, site, "", wants) }

// PickFor asks for a use and looks at once.
func PickFor(tx *db.Tx, site id.ID, use string, wants []Want) (*Picked, error) {
	return AskFor(tx, site, use, wants).Pick()
}

// Picked is goods chosen and locked, neither sold nor held yet. Takes come in the order of lines, and within
// a line by expiry.
type Picked struct {
	*move
	Takes []Take
}

// Pick chooses. Lines that name a batch are served first, so that nobody else takes what was asked for by
// name; then the others in their order, by earliest expiry, from what is sold at a reduced price last. An expired batch never serves (ErrExpired when
// it was named); too little is refused with what is left (ErrShort). On PostgreSQL it may also return
// db.ErrAgain, which is for Write: more batches are needed than were locked.
func (a *Asked) Pick() (*Picked, error) {
	for {
		p, err := a.choose()
		if err != errWider {
			return p, err
		}
		if a.tx.Engine() == db.Postgres {
			return nil, db.ErrAgain
		}
		a.reach = reaches[slices.Index(reaches[:], a.reach)+1]
		a.m = newMove(a.m.site)
		a.send()
	}
}

// errWider says that batches beyond the reach may be needed.
var errWider = errors.New("stock: more batches may be needed")

func (a *Asked) choose() (*Picked, error) {
	if a.err != nil {
		return nil, a.err
	}
	p := &Picked{move: a.m, Takes: make([]Take, 0, len(a.wants))}
	shelves := make([]*lot, 0, len(a.wants)) // what may serve without being named, of a SKU the earliest first
	var byName, others int64
	more := []any{&byName, &others}
	var received time.Time
	if a.rules != nil {
		more = append(more, &received)
	}
	err := p.scanLots(a.rows, func(b *lot) {
		b.received, b.had = received, b.free
		if b.others < 0 {
			b.others = others
		}
		if byName == 0 {
			shelves = append(shelves, b)
		}
	}, more...)
	if err != nil {
		return nil, err
	}
	if a.reach > 1 {
		slices.SortFunc(shelves, func(a, b *lot) int {
			return cmp.Or(cmp.Compare(a.reduced, b.reduced), a.expires.Compare(b.expires), cmp.Compare(a.id, b.id))
		})
	}
	for i := range a.wants {
		if w := &a.wants[i]; w.Batch != 0 {
			if err := p.fromBatch(a.tx, w); err != nil {
				return nil, err
			}
		}
	}
	for i := range a.wants {
		if w := &a.wants[i]; w.Batch == 0 {
			serve := shelves
			if a.rules != nil {
				serve = a.arrange(i, shelves)
			}
			if err := p.fromShelves(a, w, a.ruleOf(i), serve); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(p.Takes, func(a, b Take) int { return cmp.Compare(a.Line, b.Line) })
	p.number()
	return p, p.findGone(a.tx)
}

func (p *Picked) fromBatch(tx *db.Tx, w *Want) error {
	b := p.lots[w.Batch]
	switch {
	case b == nil || b.sku != w.SKU:
		return ErrNoBatch.At(field(w.Line, "batch_id"))
	case b.expired(tx.Now()):
		return refusal(tx, ErrExpired, b.sku).With("batch", b.code).At(field(w.Line, "batch_id"))
	case b.free < w.Qty:
		return short(tx, b.sku, b.free).At(field(w.Line, "qty"))
	}
	return p.take(w, b, w.Qty)
}

// fromShelves serves a line from the first on that may serve.
func (p *Picked) fromShelves(a *Asked, w *Want, rule *Policy, shelves []*lot) error {
	rest, seen := w.Qty, 0
	var last *lot
	for _, b := range shelves {
		if b.sku != w.SKU {
			continue
		}
		seen, last = seen+1, b
		if n := min(rest, b.free); n > 0 {
			if err := p.take(w, b, n); err != nil {
				return err
			}
			rest -= n
		}
	}
	switch {
	case rest == 0:
		return nil
	case seen == a.reach && a.reach < reaches[len(reaches)-1] && last.others != 0:
		return errWider
	}
	return rule.shortOf(a.tx, p.site, w, w.Qty-rest).At(field(w.Line, "qty"))
}

func (p *Picked) take(w *Want, b *lot, n qty.Qty) error {
	cost, err := b.issue(n)
	if err != nil {
		return err
	}
	for i := range p.Takes {
		if t := &p.Takes[i]; t.Line == w.Line && t.Batch == b.id {
			t.Qty += n
			t.Cost += cost
			return nil
		}
	}
	p.Takes = append(p.Takes, Take{Line: w.Line, Batch: b.id, SKU: b.sku, Qty: n, Cost: cost, ExpiresAt: b.expires, Reduced: b.reduced != 0})
	return nil
}

func (p *Picked) number() {
	for i := range p.Takes {
		p.Takes[i].Leg = 2*i + 1
	}
}

// findGone finds the SKUs of which nothing is available at the site once this is taken. It asks again only
// where the first answer did not tell, for all of them at once.
func (p *Picked) findGone(tx *db.Tx) error {
	type question struct {
		sku   id.ID
		taken int64
		row   *db.Row
	}
	var asked []question
	for i := range p.Takes {
		sku := p.Takes[i].SKU
		if slices.ContainsFunc(p.Takes[:i], func(t Take) bool { return t.SKU == sku }) {
			continue
		}
		lots, others, left := 0, int64(-1), false
		for _, b := range p.lots {
			if b.sku == sku {
				lots, others = lots+1, b.others
				left = left || b.free > 0 && !b.expired(tx.Now())
			}
		}
		if left {
			continue
		}
		if lots == 1 && others >= 0 {
			if others == 0 {
				p.gone = append(p.gone, sku)
			}
			continue
		}
		q := question{sku: sku, row: tx.QueryRow(availableOf, p.site, sku, tx.Now())}
		for _, t := range p.Takes {
			if t.SKU == sku {
				q.taken += int64(t.Qty)
			}
		}
		asked = append(asked, q)
	}
	for _, q := range asked {
		var available int64
		if err := q.row.Scan(&available); err != nil {
			return err
		}
		if available == q.taken {
			p.gone = append(p.gone, q.sku)
		}
	}
	return nil
}

const availableOf = `SELECT COALESCE(SUM(a.posted_in - a.posted_out - a.pending_out), 0) FROM stock_batch b JOIN ledger_account a ON a.id = b.id
	WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1 AND b.expires_at > $3`

// Sell books the goods as sold at their cost together with the caller's legs (revenue, tax, tender), which
// are numbered after the goods' unless they have numbers. The document was born in this transaction; its
// kept accounts beside the goods must be in Locked. A batch that this empties is closed, and when a SKU
// has nothing left at the site, stock.sold_out.v1 says so.
func (p *Picked) Sell(tx *db.Tx, doc ledger.Document, more ...ledger.Transfer) error {
	p.legs = make([]ledger.Transfer, 0, 2*len(p.Takes)+len(more))
	for i := range p.Takes {
		t := &p.Takes[i]
		b := p.lots[t.Batch]
		p.pair(i, b.unit(), t.Qty, t.Cost, b.out(Sold, CostOfSales), ledger.Ref{})
	}
	return p.book(tx, doc, more)
}

// Hold keeps the goods for the document until the given business instant; nobody else gets them. What they
// cost is reckoned when they are captured.
func (p *Picked) Hold(tx *db.Tx, doc ledger.Document, until time.Time) error {
	if doc.Site != p.site {
		return ledger.ErrBadDocument.Wrap(fmt.Errorf("stock: goods of site %d held for a document of site %d", p.site, doc.Site))
	}
	legs := make([]ledger.Transfer, len(p.Takes))
	for i := range p.Takes {
		t := &p.Takes[i]
		t.Cost = 0
		legs[i] = ledger.Transfer{Leg: t.Leg, From: ledger.Account(t.Batch), To: Sold, Unit: ledger.Unit(t.SKU), Amount: int64(t.Qty)}
	}
	if err := p.Locked.Hold(tx, doc, until, legs...); err != nil {
		return err
	}
	return p.emitGone(tx)
}

// Capture locks what a document holds and reckons its cost; Sell then ends the hold and books it, all in the
// order in which it was held. parts[i] takes only so much of the i-th and frees the rest; nil takes all. A
// hold that has expired or is settled is refused (ledger.ErrHoldExpired, ledger.ErrHoldSettled). What was
// in date when it was held may be captured after it expired: the customer has it in hand.
func Capture(tx *db.Tx, site id.ID, kind ledger.Kind, of id.ID, parts []qty.Qty) (*Picked, error) {
	holds, err := ledger.Holds(tx, kind, of)
	if err != nil {
		return nil, err
	}
	if len(holds) == 0 {
		return nil, ledger.ErrNoHold
	}
	p := &Picked{move: newMove(site), Takes: make([]Take, 0, len(holds))}
	p.holds = holds
	p.parts = make([]int64, len(holds))
	batches := make([]id.ID, len(holds))
	for i, h := range holds {
		batches[i] = id.ID(h.From)
		p.parts[i] = h.Amount
		if parts != nil {
			if len(parts) != len(holds) || parts[i] < 0 || int64(parts[i]) > h.Amount {
				return nil, ErrQty.Wrap(fmt.Errorf("stock: %d parts for %d holds", len(parts), len(holds)))
			}
			p.parts[i] = int64(parts[i])
		}
		switch {
		case h.Expired(tx.Now()):
			return nil, ledger.ErrHoldExpired
		case h.State != ledger.HoldOpen:
			return nil, ledger.ErrHoldSettled
		}
	}
	if err := p.lockLots(tx, batches); err != nil {
		return nil, err
	}
	for i := range holds {
		b := p.lots[batches[i]]
		if b == nil {
			return nil, ErrNoBatch
		}
		if n := qty.Qty(p.parts[i]); n > 0 {
			if err := p.take(&Want{Line: i}, b, n); err != nil {
				return nil, err
			}
		}
	}
	p.number()
	return p, nil
}

// Release frees what a document holds. Releasing again, or after it expired, changes nothing.
func Release(tx *db.Tx, kind ledger.Kind, of id.ID) error { return ledger.Void(tx, kind, of) }

// refusal fills in the product's name, which is worth a question on the way to a refusal.
func refusal(tx *db.Tx, e *errs.Error, sku id.ID) *errs.Error {
	name, _ := nameOf(tx, sku)
	return e.With("product", name)
}

func short(tx *db.Tx, sku id.ID, left qty.Qty) *errs.Error { return only(tx, ErrShort, sku, left) }

// only says what is left of a SKU, in its base unit.
func only(tx *db.Tx, e *errs.Error, sku id.ID, left qty.Qty) *errs.Error {
	name, unit := nameOf(tx, sku)
	left = max(left, 0)
	text := left.String()
	if unit != "" && unit != "piece" {
		text += " " + unit
	}
	return e.With("product", name, "left", text, "left_base", left)
}

// nameOf reads what a SKU is called and its base unit.
func nameOf(tx *db.Tx, sku id.ID) (name, unit string) {
	err := tx.QueryRow(`SELECT p.name, p.base_unit FROM catalog_sku k JOIN catalog_product p ON p.id = k.product_id WHERE k.id = $1`, sku).Scan(&name, &unit)
	if err != nil {
		return sku.String(), ""
	}
	return name, unit
}
