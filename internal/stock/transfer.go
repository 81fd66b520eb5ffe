package stock

import (
	"cmp"
	"slices"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

// TransitKind is the kind of the accounts, in both books, of goods on their way from site to site. No act
// joins the stock of two sites but through them.
const TransitKind int16 = 3

// TransferState is how far goods on their way have come.
type TransferState string

const (
	Requested TransferState = "requested"
	Shipped   TransferState = "shipped"
	Arrived   TransferState = "received" // counted, and something is missing
	Settled   TransferState = "settled"  // everything shipped is somewhere
	Cancelled TransferState = "cancelled"
)

var (
	ErrNoTransfer    = errs.Define("stock_transfer_unknown", errs.NotFound, "没有这张调拨单", "There is no such stock transfer")
	ErrTransferState = errs.Define("stock_transfer_state", errs.Conflict, "调拨单的状态已经变了,请刷新", "The stock transfer has moved on; reload")
	ErrSameSite      = errs.Define("stock_transfer_same_site", errs.Invalid, "调出和调入不能是同一家机构", "Goods can't be sent to the site they are at")
	ErrTransferLine  = errs.Define("stock_transfer_line_unknown", errs.Invalid, "调拨单里没有这一行", "The stock transfer has no such line")
	ErrTransitTwice  = errs.Define("stock_transfer_line_twice", errs.Invalid, "同一行写了两次", "The same line is there twice")
	ErrTransitUnsaid = errs.Define("stock_transfer_line_missing", errs.Invalid, "还有一行没有填实收数量", "A line does not say how much has come")
	ErrTransitLeft   = errs.Define("stock_transit_too_much", errs.Conflict, "在途只剩 {left}", "Only {left} is still on its way")
	ErrNoWay         = errs.Define("stock_transit_way_unknown", errs.Invalid, "请选择:途中丢失、找到了,或退回", "Choose lost, found, or back")
	ErrDelivered     = errs.Define("stock_transfer_exists", errs.Conflict, "这张要货单已经有调拨单", "This requisition has a stock transfer already")
)

// EventTransfer says that a transfer changed its state; its subject is the transfer.
const EventTransfer = "stock.transfer.v1"

// TransferBody is its body.
type TransferBody struct {
	Transfer id.ID         `json:"transfer_id"`
	From     id.ID         `json:"from_site_id"`
	To       id.ID         `json:"to_site_id"`
	State    TransferState `json:"state"`
	Cause    id.ID         `json:"cause_id,omitempty"`
}

// Transfer is goods that one site sends to another.
type Transfer struct {
	ID        id.ID
	From, To  id.ID
	State     TransferState
	Due       cal.Date
	Note      string
	Cause     id.ID // the requisition that it delivers; 0: none
	MadeAt    time.Time
	ChangedAt time.Time
	Lines     []Asking
	Transits  []Transit
	Trail     []Step
}

// Asking is a line of it: so much of a SKU is wanted.
type Asking struct {
	No    int
	SKU   id.ID
	Asked qty.Qty
}

// Transit is goods of one batch on their way.
type Transit struct {
	ID       id.ID // also its account's
	Line     int
	Batch    id.ID
	SKU      id.ID
	ToBatch  id.ID // what it became; 0: nothing has come yet
	Shipped  qty.Qty
	Received qty.Qty
	Over     qty.Qty
	Lost     qty.Qty
	Back     qty.Qty
	value    id.ID
	toSite   id.ID
}

// Left is what is still on its way, or missing.
func (t *Transit) Left() qty.Qty { return t.Shipped - t.Received - t.Lost - t.Back }

// Step is who did what, and the document that came of it.
type Step struct {
	Act      string
	Staff    id.ID
	At       time.Time
	Document id.ID
	Note     string
}

func trail(tx *db.Tx, subject id.ID, act string, staff, document id.ID, note string) error {
	return tx.Exec(`INSERT INTO stock_trail (id, subject_id, act, staff_id, at, document_id, note) VALUES ($1, $2, $3, $4, $5, $6, $7)`, id.New(), subject, act, staff, tx.Now(), document, note)
}

func trailOf(tx *db.Tx, subject id.ID) *db.Rows {
	return tx.Query(`SELECT act, staff_id, at, document_id, note FROM stock_trail WHERE subject_id = $1 ORDER BY id`, subject)
}

func scanTrail(rows *db.Rows) (steps []Step, err error) {
	for rows.Next() {
		var s Step
		if err := rows.Scan(&s.Act, &s.Staff, &s.At, &s.Document, &s.Note); err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, rows.Err()
}

// --- asking

// Call asks for goods of another site.
type Call struct {
	From, To *org.Site
	Due      cal.Date
	Note     string
	Cause    id.ID
	Staff    id.ID
	Lines    []Want // SKU and Qty
}

var insertAskings = db.NewMany(`INSERT INTO stock_transfer_line (transfer_id, line_no, sku_id, asked) VALUES `, `(?, ?, ?, ?)`, ``)

// Request writes down what a site wants of another. Nothing moves yet.
func Request(tx *db.Tx, c Call) (*Transfer, error) {
	if c.From.ID == c.To.ID {
		return nil, ErrSameSite.At("to_site_id")
	}
	if err := checkCount(len(c.Lines)); err != nil {
		return nil, err
	}
	if c.Due != "" && !c.Due.Valid() {
		return nil, cal.ErrDate.With("text", c.Due).At("due")
	}
	t := &Transfer{ID: id.New(), From: c.From.ID, To: c.To.ID, State: Requested, Due: c.Due, Note: c.Note, Cause: c.Cause, MadeAt: tx.Now(), ChangedAt: tx.Now()}
	skus, lines := make([]any, len(c.Lines)), make([]any, 0, 4*len(c.Lines))
	for i, l := range c.Lines {
		switch {
		case l.SKU <= 0:
			return nil, ErrNoSKU.At(field(i, "product_id"))
		case l.Qty <= 0:
			return nil, ErrQty.At(field(i, "qty"))
		case l.Qty > qty.Max:
			return nil, ErrQtyTooLarge.At(field(i, "qty"))
		}
		skus[i] = int64(l.SKU)
		lines = append(lines, int64(t.ID), int64(i+1), int64(l.SKU), int64(l.Qty))
		t.Lines = append(t.Lines, Asking{i + 1, l.SKU, l.Qty})
	}
	known := map[id.ID]bool{}
	rows := tx.QueryMany(knownSKUs, skus...)
	for rows.Next() {
		var sku id.ID
		if err := rows.Scan(&sku); err != nil {
			return nil, err
		}
		known[sku] = true
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i, l := range c.Lines {
		if !known[l.SKU] {
			return nil, ErrNoSKU.At(field(i, "product_id"))
		}
	}
	if err := tx.ExecExactly(1, ErrDelivered, `INSERT INTO stock_transfer (id, from_site, to_site, state, due, note, cause_id, made_at, changed_at) VALUES ($1, $2, $3, 'requested', $4, $5, $6, $7, $7)
		ON CONFLICT DO NOTHING`, t.ID, t.From, t.To, t.Due, t.Note, t.Cause, t.MadeAt); err != nil {
		return nil, err
	}
	if err := tx.ExecMany(insertAskings, lines...); err != nil {
		return nil, err
	}
	return t, t.step(tx, c.Staff, 0, "")
}

// step writes into the trail that the transfer has come into its state, and tells.
func (t *Transfer) step(tx *db.Tx, staff, document id.ID, note string) error {
	if err := trail(tx, t.ID, string(t.State), staff, document, note); err != nil {
		return err
	}
	return t.tell(tx)
}

func (t *Transfer) tell(tx *db.Tx) error {
	site := t.From
	if t.State == Shipped || t.State == Arrived {
		site = t.To
	}
	return outbox.Emit(tx, outbox.Event{Type: EventTransfer, Subject: t.ID, Site: site, Body: TransferBody{t.ID, t.From, t.To, t.State, t.Cause}})
}

// become is the one conditional write that takes a transfer from one state into another. It also locks the
// transfer until the end of the transaction.
func (t *Transfer) become(tx *db.Tx, from, to TransferState) error {
	t.State, t.ChangedAt = to, tx.Now()
	return tx.ExecExactly(1, ErrTransferState, `UPDATE stock_transfer SET state = $1, changed_at = $2 WHERE id = $3 AND state = $4`, to, t.ChangedAt, t.ID, from)
}

// Cancel ends a transfer of which nothing has been shipped.
func (t *Transfer) Cancel(tx *db.Tx, staff id.ID, note string) error {
	if err := t.become(tx, Requested, Cancelled); err != nil {
		return err
	}
	return t.step(tx, staff, 0, note)
}

// --- shipping

// Load is so much for a line of the transfer: of a named batch, or of what expires first.
type Load struct {
	Line  int
	Batch id.ID
	Qty   qty.Qty
}

var insertTransits = db.NewMany(`INSERT INTO stock_transit (id, value_id, transfer_id, line_no, batch_id, sku_id, to_site, to_batch, shipped, received, over, lost, back) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// Ship takes goods out of the sending site and puts them on their way; no loads means all that was asked, by
// earliest expiry. As Pick it may return db.ErrAgain, which is for Write.
func (t *Transfer) Ship(tx *db.Tx, from *org.Site, staff id.ID, loads []Load) (*Document, error) {
	asked := map[int]Asking{}
	for _, l := range t.Lines {
		asked[l.No] = l
	}
	if len(loads) == 0 {
		for _, l := range t.Lines {
			loads = append(loads, Load{Line: l.No, Qty: l.Asked})
		}
	}
	if err := checkCount(len(loads)); err != nil {
		return nil, err
	}
	wants := make([]Want, len(loads))
	for i, l := range loads {
		a, ok := asked[l.Line]
		if !ok {
			return nil, ErrTransferLine.At(field(i, "line_no"))
		}
		wants[i] = Want{Line: i, SKU: a.SKU, Qty: l.Qty, Batch: l.Batch}
	}
	if err := t.become(tx, Requested, Shipped); err != nil {
		return nil, err
	}
	p, err := PickFor(tx, from.ID, "transfer", wants)
	if err != nil {
		return nil, err
	}
	d := Header{Site: from, Staff: staff, Note: t.Note}.document(tx, ShippedDoc, "")
	d.Cause = t.ID
	accounts, rows := make([]ledger.NewAccount, 0, 2*len(p.Takes)), make([]any, 0, 13*len(p.Takes))
	for i, k := range p.Takes {
		b := p.lots[k.Batch]
		w := Transit{ID: id.New(), value: id.New(), Line: loads[k.Line].Line, Batch: b.id, SKU: b.sku, Shipped: k.Qty, toSite: t.To}
		accounts = append(accounts, ledger.NewAccount{ID: w.account(), Book: Book, Kind: TransitKind, Unit: b.unit(), Site: from.ID},
			ledger.NewAccount{ID: w.valueAccount(), Book: ValueBook, Kind: TransitKind, Unit: ledger.CNY, Site: from.ID})
		rows = append(rows, int64(w.ID), int64(w.value), int64(t.ID), int64(w.Line), int64(w.Batch), int64(w.SKU), int64(t.To), int64(0), int64(w.Shipped), int64(0), int64(0), int64(0), int64(0))
		p.pair(i, b.unit(), k.Qty, k.Cost, b.out(w.account(), w.valueAccount()), ledger.Ref{})
		d.Lines = append(d.Lines, Line{Batch: b.id, To: w.ID, SKU: b.sku, Code: b.code, Qty: -k.Qty, Value: -k.Cost})
		t.Transits = append(t.Transits, w)
	}
	opened, err := ledger.Open(tx, accounts...)
	if err != nil {
		return nil, err
	}
	p.also(opened, accounts)
	if err := tx.ExecMany(insertTransits, rows...); err != nil {
		return nil, err
	}
	if err := d.book(tx, p.move, EventMoved); err != nil {
		return nil, err
	}
	return d, t.step(tx, staff, d.ID, "")
}

func (t *Transit) account() ledger.Account      { return ledger.Account(t.ID) }
func (t *Transit) valueAccount() ledger.Account { return ledger.Account(t.value) }

// also puts accounts that were just opened into the set of those locked.
func (m *move) also(opened *ledger.Locked, accounts []ledger.NewAccount) {
	for _, a := range accounts {
		s, _ := opened.Get(a.ID)
		m.Locked.Add(s)
	}
}

// --- receiving

// Counted is what has come of goods on their way: less than was shipped, or more.
type Counted struct {
	Transit id.ID
	Qty     qty.Qty
}

// Receive takes what has come into the receiving site: into a batch of its own for each that was shipped,
// with the same code where it is free, the same expiry, and its share of the cost. What is missing stays on its way until Resolve says
// where it went; what came beyond is a gain at the same cost. counted nil means all as shipped.
func (t *Transfer) Receive(tx *db.Tx, to *org.Site, staff id.ID, counted []Counted) (*Document, error) {
	came := map[id.ID]qty.Qty{}
	for i, c := range counted {
		switch _, twice := came[c.Transit]; {
		case !slices.ContainsFunc(t.Transits, func(w Transit) bool { return w.ID == c.Transit }):
			return nil, ErrTransferLine.At(field(i, "transit_id"))
		case twice:
			return nil, ErrTransitTwice.At(field(i, "transit_id"))
		case c.Qty < 0:
			return nil, ErrQty.At(field(i, "qty"))
		case c.Qty > qty.Max:
			return nil, ErrQtyTooLarge.At(field(i, "qty"))
		}
		came[c.Transit] = c.Qty
	}
	state := Settled
	for i := range t.Transits {
		w := &t.Transits[i]
		if _, said := came[w.ID]; !said && counted != nil {
			return nil, ErrTransitUnsaid.At("lines")
		} else if !said {
			came[w.ID] = w.Shipped
		}
		if came[w.ID] < w.Shipped {
			state = Arrived
		}
	}
	if err := t.become(tx, Shipped, state); err != nil {
		return nil, err
	}
	d := Header{Site: to, Staff: staff, Note: t.Note}.document(tx, ArrivedDoc, "")
	d.Cause = t.ID
	m := newMove(to.ID)
	if err := t.lockTransits(tx, m); err != nil {
		return nil, err
	}
	for i := range t.Transits {
		w := &t.Transits[i]
		n := came[w.ID]
		w.Received, w.Over = min(n, w.Shipped), max(0, n-w.Shipped)
		if n == 0 {
			continue
		}
		b, err := d.arrive(tx, m, to, w)
		if err != nil {
			return nil, err
		}
		// What one piece cost is asked before it leaves.
		extra, err := money.MulDiv(m.balance(w.valueAccount()), int64(w.Over), int64(w.Shipped))
		if err != nil {
			return nil, ErrQtyTooLarge.At("lines").Wrap(err)
		}
		if err := d.bring(m, b, w, w.Received); err != nil {
			return nil, err
		}
		if w.Over > 0 {
			m.pair(len(d.Lines), b.unit(), w.Over, money.Fen(extra), b.in(Gained, GainValue), ledger.Ref{})
			l := b.line()
			l.Qty, l.Value = w.Over, money.Fen(extra)
			d.Lines = append(d.Lines, l)
		}
	}
	if err := t.keepTransits(tx); err != nil {
		return nil, err
	}
	if len(d.Lines) == 0 { // nothing at all has come: there is no document of nothing
		return nil, t.step(tx, staff, 0, "")
	}
	if err := d.book(tx, m, EventReceived); err != nil {
		return nil, err
	}
	return d, t.step(tx, staff, d.ID, "")
}

func (m *move) balance(a ledger.Account) int64 {
	s, _ := m.Locked.Get(a)
	return s.Balance()
}

// lockTransits locks what is on its way. The batches of a document come first.
func (t *Transfer) lockTransits(tx *db.Tx, m *move) error {
	var accounts []ledger.Account
	for i := range t.Transits {
		accounts = append(accounts, t.Transits[i].account(), t.Transits[i].valueAccount())
	}
	return m.Locked.Also(tx, accounts...)
}

var insertArrived = db.NewMany(`INSERT INTO stock_batch (id, value_id, site_id, sku_id, code, made_on, expires_at, received_at, document_id, open, source_id) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// arrive makes the batch at the receiving site.
func (d *Document) arrive(tx *db.Tx, m *move, to *org.Site, w *Transit) (*lot, error) {
	b := &lot{id: id.New(), value: id.New(), sku: w.SKU, others: -1}
	var made string
	var taken int64
	if err := tx.QueryRow(`SELECT b.code, b.made_on, b.expires_at, (SELECT COUNT(*) FROM stock_batch o WHERE o.site_id = $1 AND o.sku_id = b.sku_id AND o.code = b.code) FROM stock_batch b WHERE b.id = $2`,
		to.ID, w.Batch).Scan(&b.code, &made, &b.expires, &taken); err != nil {
		return nil, err
	}
	if taken > 0 || slices.ContainsFunc(d.Lines, func(l Line) bool { return l.SKU == b.sku && l.Code == b.code }) {
		b.code = freshCode(d.Date, b.id)
	}
	accounts := []ledger.NewAccount{{ID: b.account(), Book: Book, Unit: b.unit(), Site: to.ID}, {ID: b.valueAccount(), Book: ValueBook, Unit: ledger.CNY, Site: to.ID}}
	opened, err := ledger.Open(tx, accounts...)
	if err != nil {
		return nil, err
	}
	m.also(opened, accounts)
	m.lots[b.id] = b
	w.ToBatch = b.id
	return b, tx.ExecMany(insertArrived, int64(b.id), int64(b.value), int64(to.ID), int64(b.sku), b.code, made, b.expires, d.MadeAt, int64(d.ID), int64(0), int64(w.Batch))
}

// bring books q of goods on their way into a batch.
func (d *Document) bring(m *move, b *lot, w *Transit, q qty.Qty) error {
	left, worth := qty.Qty(m.balance(w.account())), money.Fen(m.balance(w.valueAccount()))
	value, err := share(worth, q, left)
	if err != nil {
		return err
	}
	m.pair(len(d.Lines), b.unit(), q, value, b.in(w.account(), w.valueAccount()), ledger.Ref{})
	l := b.line()
	l.Qty, l.Value, l.To = q, value, w.ID
	d.Lines = append(d.Lines, l)
	return nil
}

var updateTransits = db.NewMany(`UPDATE stock_transit SET to_batch = v.column2, received = v.column3, over = v.column4, lost = v.column5, back = v.column6 FROM (VALUES `,
	`(BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, BIGINT)`, `) AS v WHERE stock_transit.id = v.column1`)

func (t *Transfer) keepTransits(tx *db.Tx) error {
	var args []any
	for _, w := range t.Transits {
		args = append(args, int64(w.ID), int64(w.ToBatch), int64(w.Received), int64(w.Over), int64(w.Lost), int64(w.Back))
	}
	return tx.ExecMany(updateTransits, args...)
}

// --- what is missing

// Ways in which goods that are missing can be accounted for, in the order screens show them.
var Ways = []string{"lost", "found", "back"}

// Resolution says where goods went that did not come: they were lost on the way, which costs the sender;
// they were found at the receiving site; or they are back at the sender.
type Resolution struct {
	Transit id.ID
	Way     string
	Qty     qty.Qty // 0: all that is missing
}

// Resolve books it, as a document of the site that it is about: the sender for lost and back, the receiver
// for found. When nothing is missing any more, the transfer is settled.
func (t *Transfer) Resolve(tx *db.Tx, site *org.Site, staff id.ID, r Resolution, note string) (*Document, error) {
	i := slices.IndexFunc(t.Transits, func(w Transit) bool { return w.ID == r.Transit })
	if i < 0 {
		return nil, ErrTransferLine.At("transit_id")
	}
	w := &t.Transits[i]
	q := cmp.Or(r.Qty, w.Left())
	switch {
	case !slices.Contains(Ways, r.Way):
		return nil, ErrNoWay.At("way")
	case t.State != Arrived:
		return nil, ErrTransferState
	case q <= 0 || q > w.Left():
		return nil, ErrTransitLeft.With("left", w.Left()).At("qty")
	}
	d := Header{Site: site, Staff: staff, Note: note}.document(tx, SettledDoc, r.Way)
	d.Cause = t.ID
	state := Settled
	for k := range t.Transits {
		if left := t.Transits[k].Left(); k == i && left > q || k != i && left > 0 {
			state = Arrived
		}
	}
	if err := t.become(tx, Arrived, state); err != nil {
		return nil, err
	}
	m := newMove(site.ID)
	into := w.ToBatch
	if r.Way == "back" {
		into = w.Batch
	}
	if r.Way != "lost" && into != 0 {
		if err := m.lockLots(tx, []id.ID{into}); err != nil {
			return nil, err
		}
	}
	if err := m.Locked.Also(tx, w.account(), w.valueAccount()); err != nil {
		return nil, err
	}
	var err error
	switch r.Way {
	case "lost":
		w.Lost += q
		var value money.Fen
		if value, err = share(money.Fen(m.balance(w.valueAccount())), q, qty.Qty(m.balance(w.account()))); err != nil {
			return nil, err
		}
		m.pair(0, ledger.Unit(w.SKU), q, value, ends{w.account(), LostInTransit, w.valueAccount(), LostInTransitValue}, ledger.Ref{})
		d.Lines = append(d.Lines, Line{Batch: w.Batch, Place: w.ID, SKU: w.SKU, Qty: -q, Value: -value})
	default:
		b := m.lots[into]
		if r.Way == "back" {
			w.Back += q
		} else {
			w.Received += q
		}
		if b == nil {
			if b, err = d.arrive(tx, m, site, w); err != nil {
				return nil, err
			}
		}
		if err := d.bring(m, b, w, q); err != nil {
			return nil, err
		}
	}
	if err := t.keepTransits(tx); err != nil {
		return nil, err
	}
	if err := d.book(tx, m, EventMoved); err != nil {
		return nil, err
	}
	if err := trail(tx, t.ID, r.Way, staff, d.ID, note); err != nil {
		return nil, err
	}
	if state == Settled {
		return d, t.step(tx, staff, 0, "")
	}
	return d, nil
}

// --- reading

const (
	transferColumns  = `SELECT id, from_site, to_site, state, due, note, cause_id, made_at, changed_at FROM stock_transfer`
	transferLines    = `SELECT line_no, sku_id, asked FROM stock_transfer_line WHERE transfer_id = $1 ORDER BY line_no`
	transferTransits = `SELECT id, value_id, line_no, batch_id, sku_id, to_site, to_batch, shipped, received, over, lost, back FROM stock_transit WHERE transfer_id = $1 ORDER BY line_no, id`
)

func (t *Transfer) scan(scan func(...any) error) error {
	return scan(&t.ID, &t.From, &t.To, &t.State, &t.Due, &t.Note, &t.Cause, &t.MadeAt, &t.ChangedAt)
}

// TransferByID reads a transfer whole, and on PostgreSQL locks it when lock says so: what is decided about it
// then stays true. ErrNoTransfer when there is none.
func TransferByID(tx *db.Tx, transfer id.ID, lock bool) (*Transfer, error) {
	t := &Transfer{}
	sql := transferColumns + ` WHERE id = $1`
	var err error
	if lock && tx.ForUpdate() != "" {
		err = t.scan(tx.QueryRow(transferColumns+` WHERE id = $1 FOR UPDATE`, transfer).Scan)
	} else {
		err = t.scan(tx.QueryRow(sql, transfer).Scan)
	}
	if err == db.ErrNoRow {
		return nil, ErrNoTransfer
	}
	if err != nil {
		return nil, err
	}
	lines, transits, steps := tx.Query(transferLines, transfer), tx.Query(transferTransits, transfer), trailOf(tx, transfer)
	for lines.Next() {
		var a Asking
		if err := lines.Scan(&a.No, &a.SKU, &a.Asked); err != nil {
			return nil, err
		}
		t.Lines = append(t.Lines, a)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for transits.Next() {
		var w Transit
		if err := transits.Scan(&w.ID, &w.value, &w.Line, &w.Batch, &w.SKU, &w.toSite, &w.ToBatch, &w.Shipped, &w.Received, &w.Over, &w.Lost, &w.Back); err != nil {
			return nil, err
		}
		t.Transits = append(t.Transits, w)
	}
	if err := transits.Err(); err != nil {
		return nil, err
	}
	t.Trail, err = scanTrail(steps)
	return t, err
}
