package stock

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// Document is goods received, written off or adjusted.
type Document struct {
	ID     id.ID
	Kind   ledger.Kind
	Site   id.ID
	Date   cal.Date
	Reason string
	Ref    string // the supplier's number
	Note   string
	Staff  id.ID
	MadeAt time.Time
	Cause  id.ID // the transfer or count that it came of; 0: none
	Lines  []Line
}

// Line is what a document did to a batch: Qty and Value into it above 0, out of it below.
type Line struct {
	Batch id.ID
	Place id.ID // of the batch that it is about; 0: the ordinary one
	To    id.ID // the kept account of goods at the other end; 0: a flow
	SKU   id.ID
	Code  string
	Qty   qty.Qty
	Value money.Fen
}

// Header is what every document is made with. ID may be given by a caller that must be able to ask again;
// else one is made.
type Header struct {
	ID    id.ID
	Site  *org.Site
	Staff id.ID
	Ref   string
	Note  string
}

func (h Header) document(tx *db.Tx, kind ledger.Kind, reason string) *Document {
	if h.ID == 0 {
		h.ID = id.New()
	}
	return &Document{ID: h.ID, Kind: kind, Site: h.Site.ID, Date: h.Site.BusinessDate(tx.Now()), Reason: reason, Ref: h.Ref, Note: h.Note,
		Staff: h.Staff, MadeAt: tx.Now()}
}

func (d *Document) posting() ledger.Document {
	return ledger.Document{Kind: d.Kind, ID: d.ID, Site: d.Site, Date: d.Date}
}

var insertLines = db.NewMany(`INSERT INTO stock_document_line (document_id, line_no, batch_id, place_id, to_id, qty, value_fen) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)

func (d *Document) insert(tx *db.Tx) error {
	if err := tx.Exec(`INSERT INTO stock_document (id, kind, site_id, business_date, reason, ref, note, staff_id, made_at, cause_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.Kind, d.Site, d.Date, d.Reason, d.Ref, d.Note, d.Staff, d.MadeAt, d.Cause); err != nil {
		return err
	}
	args := make([]any, 0, 7*len(d.Lines))
	for i, l := range d.Lines {
		args = append(args, int64(d.ID), int64(i+1), int64(l.Batch), int64(l.Place), int64(l.To), int64(l.Qty), int64(l.Value))
	}
	return tx.ExecMany(insertLines, args...)
}

func checkCount(lines int) error {
	switch {
	case lines == 0:
		return ErrNoLines.At("lines")
	case lines > maxLines:
		return ErrTooManyLines.With("most", maxLines).At("lines")
	}
	return nil
}

// --- goods come in

// Arrival is one batch that comes in. Cost is that of the whole quantity, without the tax that may be
// deducted. The zero ExpiresAt keeps for ever; an empty Code gets one.
type Arrival struct {
	SKU       id.ID
	Code      string
	Qty       qty.Qty
	Cost      money.Fen
	MadeOn    cal.Date
	ExpiresAt time.Time
}

// Receipt is goods from a supplier, or the opening stock of a site.
type Receipt struct {
	Header
	Opening bool // what is expired already may come in, to be written off
	Lines   []Arrival
}

var (
	ErrCode        = errs.Define("batch_code_bad", errs.Invalid, "批次号最多 40 个字符,不能有空白", "A batch code has at most 40 characters and no blanks")
	ErrCodeTaken   = errs.Define("batch_code_taken", errs.Conflict, "批次号 {batch} 已用过", "The batch code {batch} has been used before")
	ErrAlreadyPast = errs.Define("batch_expired_on_arrival", errs.Invalid, "到期时间已过", "This expiry has already passed")
	ErrMadeLater   = errs.Define("batch_made_after_expiry", errs.Invalid, "生产日期晚于到期时间", "The production date is after the expiry")
	ErrNoSKU       = errs.Define("stock_product_unknown", errs.Invalid, "没有这个商品", "There is no such product")
	ErrReceived    = errs.Define("stock_document_exists", errs.Conflict, "这张单据已经过账", "This document has already been posted")
)

func (r *Receipt) check(tx *db.Tx) error {
	if err := checkCount(len(r.Lines)); err != nil {
		return err
	}
	type key struct {
		sku  id.ID
		code string
	}
	seen := map[key]bool{}
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.ExpiresAt.IsZero() || l.ExpiresAt.After(Never) {
			l.ExpiresAt = Never
		}
		l.ExpiresAt = l.ExpiresAt.UTC().Truncate(time.Millisecond)
		switch {
		case l.SKU <= 0:
			return ErrNoSKU.At(field(i, "product_id"))
		case l.Qty <= 0:
			return ErrQty.At(field(i, "qty"))
		case l.Qty > qty.Max:
			return ErrQtyTooLarge.At(field(i, "qty"))
		case l.Cost < 0 || l.Cost > money.Max:
			return ErrCost.At(field(i, "cost_fen"))
		case len(l.Code) > 40 || strings.ContainsAny(l.Code, " \t\r\n"):
			return ErrCode.At(field(i, "code"))
		case !r.Opening && !l.ExpiresAt.After(tx.Now()):
			return ErrAlreadyPast.At(field(i, "expires_at"))
		case l.MadeOn != "" && !l.MadeOn.Valid():
			return cal.ErrDate.With("text", l.MadeOn).At(field(i, "made_on"))
		case l.MadeOn != "" && l.MadeOn > r.Site.BusinessDate(l.ExpiresAt):
			return ErrMadeLater.At(field(i, "made_on"))
		case l.Code != "" && seen[key{l.SKU, l.Code}]:
			return ErrCodeTaken.With("batch", l.Code).At(field(i, "code"))
		}
		seen[key{l.SKU, l.Code}] = true
	}
	return nil
}

var (
	knownSKUs  = db.NewMany(`SELECT id FROM catalog_sku WHERE id IN (`, `?`, `)`)
	takenCodes = db.NewMany(`SELECT b.sku_id, b.code FROM (VALUES `, `(BIGINT, BIGINT, TEXT)`,
		`) AS w JOIN stock_batch b ON b.site_id = w.column1 AND b.sku_id = w.column2 AND b.code = w.column3`)
	insertBatches = db.NewMany(`INSERT INTO stock_batch (id, value_id, site_id, sku_id, code, made_on, expires_at, received_at, document_id, open) VALUES `,
		`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
)

// Receive books goods in: a batch for each line, with its two accounts. On the way out of the supplier's or
// the opening account and into the batch, goods and value are transfers as all others.
func Receive(tx *db.Tx, r Receipt) (*Document, error) {
	if err := r.check(tx); err != nil {
		return nil, err
	}
	if err := r.ask(tx); err != nil {
		return nil, err
	}
	kind, event := ReceiptDoc, ends{from: Supplied, valueFrom: Landed}
	if r.Opening {
		kind, event = OpeningDoc, ends{from: Opening, valueFrom: OpeningValue}
	}
	d := r.document(tx, kind, "")
	accounts := make([]ledger.NewAccount, 0, 2*len(r.Lines))
	batches := make([]any, 0, 10*len(r.Lines))
	m := newMove(d.Site)
	for i, l := range r.Lines {
		b := &lot{id: id.New(), value: id.New(), sku: l.SKU, code: l.Code}
		if b.code == "" {
			b.code = freshCode(d.Date, b.id)
		}
		accounts = append(accounts, ledger.NewAccount{ID: b.account(), Book: Book, Unit: b.unit(), Site: d.Site},
			ledger.NewAccount{ID: b.valueAccount(), Book: ValueBook, Unit: ledger.CNY, Site: d.Site})
		batches = append(batches, int64(b.id), int64(b.value), int64(d.Site), int64(b.sku), b.code, string(l.MadeOn), l.ExpiresAt, d.MadeAt, int64(d.ID), 1)
		m.pair(i, b.unit(), l.Qty, l.Cost, b.in(event.from, event.valueFrom), ledger.Ref{})
		d.Lines = append(d.Lines, Line{Batch: b.id, SKU: l.SKU, Code: b.code, Qty: l.Qty, Value: l.Cost})
	}
	var err error
	if m.Locked, err = ledger.Open(tx, accounts...); err != nil {
		return nil, err
	}
	if err := tx.ExecMany(insertBatches, batches...); err != nil {
		return nil, err
	}
	return d, d.book(tx, m, EventReceived)
}

// book writes the document, its postings and its news.
func (d *Document) book(tx *db.Tx, m *move, event string) error {
	if err := d.insert(tx); err != nil {
		return err
	}
	if err := m.book(tx, d.posting(), nil); err != nil {
		return err
	}
	return emitMoved(tx, event, d)
}

// ask looks for what the database would refuse, in one round trip, so that the refusal names its line.
func (r *Receipt) ask(tx *db.Tx) error {
	skus, codes := make([]any, len(r.Lines)), []any{}
	for i, l := range r.Lines {
		skus[i] = int64(l.SKU)
		if l.Code != "" {
			codes = append(codes, int64(r.Site.ID), int64(l.SKU), l.Code)
		}
	}
	asked := tx.QueryMany(knownSKUs, skus...)
	var taken []*db.Rows
	const chunk = 256 * 3
	for len(codes) > 0 {
		n := min(len(codes), chunk)
		taken = append(taken, tx.QueryMany(takenCodes, codes[:n]...))
		codes = codes[n:]
	}
	there, err := documentExists(tx, r.ID)
	if err != nil {
		return err
	}
	if there {
		return ErrReceived
	}
	known := map[id.ID]bool{}
	for asked.Next() {
		var sku id.ID
		if err := asked.Scan(&sku); err != nil {
			return err
		}
		known[sku] = true
	}
	if err := asked.Err(); err != nil {
		return err
	}
	for i, l := range r.Lines {
		if !known[l.SKU] {
			return ErrNoSKU.At(field(i, "product_id"))
		}
	}
	for _, rows := range taken {
		for rows.Next() {
			var sku id.ID
			var code string
			if err := rows.Scan(&sku, &code); err != nil {
				return err
			}
			for i, l := range r.Lines {
				if l.SKU == sku && l.Code == code {
					return ErrCodeTaken.With("batch", code).At(field(i, "code"))
				}
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

func documentExists(tx *db.Tx, doc id.ID) (bool, error) {
	if doc == 0 {
		return false, nil
	}
	var n int64
	err := tx.QueryRow(`SELECT COUNT(*) FROM stock_document WHERE id = $1`, doc).Scan(&n)
	return n > 0, err
}

// freshCode is what a batch is called whose receiver gave no name: the day, and the end of its id.
func freshCode(day cal.Date, batch id.ID) string {
	s := strings.ToUpper(strconv.FormatInt(int64(batch), 36))
	return strings.ReplaceAll(string(day), "-", "")[2:] + "-" + s[len(s)-6:]
}

// --- goods are thrown away

// Issue is so much of a batch, or of a place of one.
type Issue struct {
	Batch id.ID // or the id of a place
	Qty   qty.Qty
}

// Discard writes goods off for a reason. They leave at their share of the batch's value. What is held for
// somebody is not there to be thrown away.
type Discard struct {
	Header
	Reason Reason
	Lines  []Issue
}

// ErrReason refuses a reason that nobody knows.
var ErrReason = errs.Define("stock_reason_unknown", errs.Invalid, "没有这个原因", "There is no such reason")

// WriteOff books a discard.
func WriteOff(tx *db.Tx, w Discard) (*Document, error) {
	goods, value, ok := Waste(w.Reason)
	if !ok {
		return nil, ErrReason.At("reason")
	}
	d := w.document(tx, WriteOffDoc, string(w.Reason))
	m, err := d.lock(tx, w.ID, w.Lines)
	if err != nil {
		return nil, err
	}
	for i, l := range w.Lines {
		if l.Qty <= 0 {
			return nil, ErrQty.At(field(i, "qty"))
		}
		if err := d.issue(tx, m, i, l, goods, value); err != nil {
			return nil, err
		}
	}
	return d, d.book(tx, m, EventWrittenOff)
}

// lock locks the batches of a document's lines.
func (d *Document) lock(tx *db.Tx, given id.ID, lines []Issue) (*move, error) {
	if err := checkCount(len(lines)); err != nil {
		return nil, err
	}
	if there, err := documentExists(tx, given); err != nil || there {
		if err == nil {
			err = ErrReceived
		}
		return nil, err
	}
	batches := make([]id.ID, len(lines))
	for i, l := range lines {
		if l.Qty > qty.Max || l.Qty < -qty.Max {
			return nil, ErrQtyTooLarge.At(field(i, "qty"))
		}
		batches[i] = l.Batch
	}
	m := newMove(d.Site)
	if err := m.lockLots(tx, batches); err != nil {
		return nil, err
	}
	for i, l := range lines {
		if m.lots[l.Batch] == nil {
			return nil, ErrNoBatch.At(field(i, "batch_id"))
		}
	}
	return m, nil
}

// issue takes a line out of its batch into two flows.
func (d *Document) issue(tx *db.Tx, m *move, i int, l Issue, goods, value ledger.Account) error {
	b := m.lots[l.Batch]
	if b.free < l.Qty {
		return short(tx, b.sku, b.free).At(field(i, "qty"))
	}
	cost, err := b.issue(l.Qty)
	if err != nil {
		return err
	}
	m.pair(i, b.unit(), l.Qty, cost, b.out(goods, value), ledger.Ref{})
	line := b.line()
	line.Qty, line.Value = -l.Qty, -cost
	d.Lines = append(d.Lines, line)
	return nil
}

// --- the books are brought to what is there

// Correction changes what the books say a batch has: Qty more, or less below 0.
type Correction struct {
	Header
	Reason string // one of AdjustReasons
	Lines  []Issue
}

// AdjustReasons in the order screens show them.
var AdjustReasons = []string{"count", "found", "lost", "entry_error", "other"}

// Adjust books a correction. What is too little leaves at its share of the batch's value; what is too much
// comes in at the batch's present cost, or what it cost on average when nothing is left of it.
func Adjust(tx *db.Tx, c Correction) (*Document, error) {
	known := false
	for _, r := range AdjustReasons {
		known = known || r == c.Reason
	}
	if !known {
		return nil, ErrReason.At("reason")
	}
	d := c.document(tx, AdjustmentDoc, c.Reason)
	m, err := d.lock(tx, c.ID, c.Lines)
	if err != nil {
		return nil, err
	}
	for i, l := range c.Lines {
		switch {
		case l.Qty == 0:
			return nil, ErrQtyZero.At(field(i, "qty"))
		case l.Qty < 0:
			l.Qty = -l.Qty
			err = d.issue(tx, m, i, l, Lost, LossValue)
		default:
			err = d.gain(m, i, l)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, d.book(tx, m, EventAdjusted)
}

func (d *Document) gain(m *move, i int, l Issue) error {
	b := m.lots[l.Batch]
	if b.onHand > qty.Max-l.Qty {
		return ErrQtyTooLarge.At(field(i, "qty"))
	}
	value, of := int64(b.worth), int64(b.onHand)
	if of == 0 {
		goods, _ := m.Locked.Get(b.account())
		worth, _ := m.Locked.Get(b.valueAccount())
		value, of = worth.In, goods.In
	}
	n, err := money.MulDiv(value, int64(l.Qty), of)
	if err != nil || money.Fen(n) > money.Max {
		return ErrQtyTooLarge.At(field(i, "qty")).Wrap(fmt.Errorf("stock: the value of %d more of batch %d: %w", l.Qty, b.id, err))
	}
	b.free += l.Qty
	b.onHand += l.Qty
	b.worth += money.Fen(n)
	m.pair(i, b.unit(), l.Qty, money.Fen(n), b.in(Gained, GainValue), ledger.Ref{})
	line := b.line()
	line.Qty, line.Value = l.Qty, money.Fen(n)
	d.Lines = append(d.Lines, line)
	return nil
}
