// Package purchase keeps what sites order from suppliers: orders with their lines, in states from proposed to closed,
// and the receipts against them. It moves no stock and no money: flow/supplyday receives goods and notes them here in
// one act. See README.md.
package purchase

import (
	"embed"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package. They refer to those of org, catalog and party.
var Migrations = db.Migrations{Package: "purchase", FS: files}

var (
	ErrNoOrder = errs.Define("purchase_unknown", errs.NotFound, "没有这张采购单", "There is no such purchase order")
	ErrState   = errs.Define("purchase_state", errs.Conflict, "采购单现在是“{state}”,不能这样做", "The purchase order is {state}; this can't be done now")
	ErrNoLine  = errs.Define("purchase_line_unknown", errs.Invalid, "采购单没有第 {line} 行", "The purchase order has no line {line}")
	ErrOver    = errs.Define("purchase_over_receipt", errs.Conflict, "{product}最多还能收 {left} {unit},超收不能大于 5%", "At most {left} {unit} more of {product} can be received: 5 % over the order at most")
	ErrQty     = errs.Define("purchase_qty_bad", errs.Invalid, "数量必须大于零,且不能过大", "The quantity must be more than zero, and not too large")
	ErrTerms   = errs.Define("purchase_terms_missing", errs.Invalid, "这个供应商不供应这个商品", "This supplier does not supply this product")
	ErrStopped = errs.Define("purchase_supplier_stopped", errs.Conflict, "这个供应商已停止合作", "Nothing is ordered from this supplier any more")
	ErrPacks   = errs.Define("purchase_packs_bad", errs.Invalid, "包数应为 {least} 到 {most}", "The packs must be from {least} to {most}")
	ErrTwice   = errs.Define("purchase_product_twice", errs.Invalid, "同一商品只能写一行", "A product is ordered on one line")
	ErrLines   = errs.Define("purchase_lines_bad", errs.Invalid, "一张单据应有 1 到 {most} 行", "There must be 1 to {most} lines")
	ErrDue     = errs.Define("purchase_due_bad", errs.Invalid, "到货日期应在 {first} 到 {last} 之间", "The due date must be from {first} to {last}")
	ErrReason  = errs.Define("purchase_reason_missing", errs.Invalid, "还有货没到,请写明为什么不再等", "Goods are still expected: say why they are not waited for")
	ErrPrice   = errs.Define("purchase_amount_large", errs.Invalid, "金额太大", "The amount is too large")
)

// State of an order.
type State string

const (
	Proposed     State = "proposed"  // written by hand, binds nobody yet
	Confirmed    State = "confirmed" // decided; lines may still be added
	Sent         State = "sent"      // the supplier knows
	PartReceived State = "part_received"
	Received     State = "received"
	Closed       State = "closed" // nothing more is expected, whatever is missing
)

// MostLines of an order and of a receipt.
const MostLines = 500

// Tolerance is how much more than ordered may be received of a line, in percent.
const Tolerance = 5

// Order is a purchase order.
type Order struct {
	ID       id.ID
	No       string
	Site     id.ID
	Supplier id.ID
	Due      cal.Date
	OrderBy  string
	Plan     id.ID
	State    State
	Note     string
	Staff    id.ID
	MadeAt   time.Time
	SentAt   *time.Time
	ClosedAt *time.Time
	Lines    []Line

	last int64 // line number given out
}

// Line is a product on an order.
type Line struct {
	No          int64
	Product     id.ID
	Packs       int64
	Pack        qty.Qty // of Unit
	Unit        qty.Unit
	Price       money.Fen4 // of one Unit
	Qty         qty.Qty    // base unit
	Amount      money.Fen
	Received    qty.Qty
	ReceivedFen money.Fen
	Proposal    id.ID // of a plan; 0: none
}

// left is how much may still be received.
func (l *Line) left() qty.Qty { return l.Qty + l.Qty*Tolerance/100 - l.Received }

// open is how much is still expected.
func (l *Line) open() qty.Qty { return max(0, l.Qty-l.Received) }

// Cost is the part of the line's price that a further quantity takes: what is received by then at the price, rounded
// half up, less what was booked before. So all receipts together cost the price of all that came.
func (l *Line) Cost(q qty.Qty) (money.Fen, error) {
	// thousandths of a base unit × den/num units × ten-thousandths of a fen
	n := new(big.Int).Mul(big.NewInt(int64(l.Received+q)), big.NewInt(l.Unit.Den))
	n.Mul(n, big.NewInt(int64(l.Price)))
	d := new(big.Int).Mul(big.NewInt(l.Unit.Num), big.NewInt(qty.Scale*10_000))
	n.Add(n.Lsh(n, 1), d)
	n.Quo(n, d.Lsh(d, 1))
	if !n.IsInt64() || money.Fen(n.Int64()) > money.Max {
		return 0, ErrPrice
	}
	return max(0, money.Fen(n.Int64())-l.ReceivedFen), nil
}

// Events of purchase orders; the subject is the order.
const (
	EventOrdered  = "purchase.ordered.v1"  // it is decided, has got lines, or is sent
	EventReceived = "purchase.received.v1" // goods came
	EventClosed   = "purchase.closed.v1"
)

// OrderBody is the body of EventOrdered and EventClosed.
type OrderBody struct {
	OrderID    id.ID `json:"order_id"`
	SiteID     id.ID `json:"site_id"`
	SupplierID id.ID `json:"supplier_id"`
	State      State `json:"state"`
}

// ReceivedBody is the body of EventReceived. The amount is owed to the supplier: supplier accounts take it from here.
type ReceivedBody struct {
	OrderBody
	ReceiptID id.ID     `json:"receipt_id"`
	CostFen   money.Fen `json:"cost_fen"`
}

func (o *Order) body() OrderBody { return OrderBody{o.ID, o.Site, o.Supplier, o.State} }

func (o *Order) emit(tx *db.Tx, event string, body any) error {
	return outbox.Emit(tx, outbox.Event{Type: event, Subject: o.ID, Site: o.Site, Body: body})
}

const orderColumns = `SELECT o.id, o.no, o.site_id, o.supplier_id, o.due, o.order_by, o.plan_id, o.state, o.note, o.lines, o.staff_id, o.made_at, o.sent_at, o.closed_at FROM purchase_order o `

func scanOrder(scan func(...any) error) (*Order, error) {
	o := &Order{}
	return o, scan(&o.ID, &o.No, &o.Site, &o.Supplier, &o.Due, &o.OrderBy, &o.Plan, &o.State, &o.Note, &o.last, &o.Staff, &o.MadeAt, &o.SentAt, &o.ClosedAt)
}

const linesOf = `SELECT l.line_no, l.product_id, l.packs, l.pack, l.unit, l.unit_num, l.unit_den, l.price_fen4, l.qty, l.amount_fen, l.received, l.received_fen, l.proposal_id
	FROM purchase_line l WHERE l.order_id = $1 ORDER BY l.line_no`

func (o *Order) readLines(tx *db.Tx) error {
	rows := tx.Query(linesOf, o.ID)
	defer rows.Close()
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.No, &l.Product, &l.Packs, &l.Pack, &l.Unit.Name, &l.Unit.Num, &l.Unit.Den, &l.Price, &l.Qty, &l.Amount, &l.Received, &l.ReceivedFen, &l.Proposal); err != nil {
			return err
		}
		o.Lines = append(o.Lines, l)
	}
	return rows.Err()
}

// ByID reads an order with its lines, whoever asks.
func ByID(tx *db.Tx, order id.ID) (*Order, error) {
	return found(tx, tx.QueryRow(orderColumns+`WHERE o.id = $1`, order))
}

// Lock reads an order with its lines and keeps others from changing it until the act ends. It is taken before any row
// of stock.
func Lock(tx *db.Tx, order id.ID) (*Order, error) {
	return found(tx, tx.QueryRow(orderColumns+`WHERE o.id = $1`+tx.ForUpdate(), order))
}

func found(tx *db.Tx, row *db.Row) (*Order, error) {
	o, err := scanOrder(row.Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoOrder
	}
	if err != nil {
		return nil, err
	}
	return o, o.readLines(tx)
}

const putOrder = `INSERT INTO purchase_order (id, no, site_id, supplier_id, due, order_by, plan_id, state, note, lines, staff_id, made_at, sent_by, sent_at, closed_by, closed_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, 0, NULL, 0, NULL)`

// add writes a new order without lines, and gives it a number.
func (o *Order) add(tx *db.Tx, site *org.Site) error {
	date := site.BusinessDate(tx.Now())
	var no int64
	if err := tx.QueryRow(`INSERT INTO purchase_series (site_id, date, last) VALUES ($1, $2, 1)
		ON CONFLICT (site_id, date) DO UPDATE SET last = purchase_series.last + 1 RETURNING last`, site.ID, date).Scan(&no); err != nil {
		return err
	}
	o.ID, o.Site, o.MadeAt = id.New(), site.ID, tx.Now()
	o.No = fmt.Sprintf("PO-%s-%s-%d", site.Code, date[2:4]+date[5:7]+date[8:10], no)
	return tx.Exec(putOrder, o.ID, o.No, o.Site, o.Supplier, o.Due, o.OrderBy, o.Plan, o.State, o.Note, o.Staff, o.MadeAt)
}

var putLines = db.NewMany(`INSERT INTO purchase_line (order_id, line_no, product_id, packs, pack, unit, unit_num, unit_den, price_fen4, qty, amount_fen, received, received_fen, proposal_id) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// addLines numbers lines and writes them.
func (o *Order) addLines(tx *db.Tx, lines []Line) error {
	if len(o.Lines)+len(lines) > MostLines {
		return ErrLines.With("most", MostLines).At("lines")
	}
	args := make([]any, 0, 14*len(lines))
	for i := range lines {
		l := &lines[i]
		o.last++
		l.No = o.last
		args = append(args, o.ID, l.No, l.Product, l.Packs, l.Pack, l.Unit.Name, l.Unit.Num, l.Unit.Den, l.Price, l.Qty, l.Amount, 0, 0, l.Proposal)
	}
	o.Lines = append(o.Lines, lines...)
	if err := tx.ExecMany(putLines, args...); err != nil {
		return err
	}
	return tx.Exec(`UPDATE purchase_order SET lines = $1 WHERE id = $2`, o.last, o.ID)
}

// Collect adds lines that a plan's proposals became to the confirmed order of the plan with that supplier, due date
// and last moment to order; there is one until it is sent. The caller holds the lock of the plan.
func Collect(tx *db.Tx, site *org.Site, staff id.ID, plan, supplier id.ID, due cal.Date, orderBy string, lines []Line) (*Order, error) {
	o, err := found(tx, tx.QueryRow(orderColumns+`WHERE o.plan_id = $1 AND o.plan_id > 0 AND o.supplier_id = $2 AND o.due = $3 AND o.order_by = $4 AND o.state = 'confirmed'`+tx.ForUpdate(), plan, supplier, due, orderBy))
	if errors.Is(err, ErrNoOrder) {
		o = &Order{Supplier: supplier, Due: due, OrderBy: orderBy, Plan: plan, State: Confirmed, Staff: staff}
		err = o.add(tx, site)
	}
	if err != nil {
		return nil, err
	}
	if err := o.addLines(tx, lines); err != nil {
		return nil, err
	}
	return o, o.emit(tx, EventOrdered, o.body())
}

// Draft is an order that a person writes by hand.
type Draft struct {
	Supplier id.ID
	Due      cal.Date
	Note     string
	Lines    []DraftLine
}

// DraftLine is so many packs of a product.
type DraftLine struct {
	Product id.ID
	Packs   int64
}

// most is how far ahead an order may be due.
const mostAhead = 180

// Write makes a proposed order of what a person wrote, at the supplier's terms of the moment.
func Write(tx *db.Tx, site *org.Site, staff id.ID, d Draft) (*Order, error) {
	if len(d.Lines) == 0 || len(d.Lines) > 200 {
		return nil, ErrLines.With("most", 200).At("lines")
	}
	today := site.BusinessDate(tx.Now())
	if !d.Due.Valid() || d.Due < today || d.Due > today.AddDays(mostAhead) {
		return nil, ErrDue.With("first", today, "last", today.AddDays(mostAhead)).At("due")
	}
	suppliers, err := party.Suppliers(tx, []id.ID{d.Supplier})
	if err != nil {
		return nil, err
	}
	s := suppliers[d.Supplier]
	switch {
	case s == nil:
		return nil, party.ErrNoSupplier.At("supplier_id")
	case s.State != party.Active:
		return nil, ErrStopped.At("supplier_id")
	}
	pairs := make([]party.Pair, len(d.Lines))
	for i, l := range d.Lines {
		pairs[i] = party.Pair{Supplier: d.Supplier, Product: l.Product}
		if slices.ContainsFunc(d.Lines[:i], func(o DraftLine) bool { return o.Product == l.Product }) {
			return nil, ErrTwice.At(fmt.Sprintf("lines[%d].product_id", i))
		}
	}
	terms, err := party.TermsOf(tx, pairs)
	if err != nil {
		return nil, err
	}
	if err := bought(tx, d.Lines); err != nil {
		return nil, err
	}
	o := &Order{Supplier: d.Supplier, Due: d.Due, State: Proposed, Note: d.Note, Staff: staff}
	var lines []Line
	for i, l := range d.Lines {
		t, ok := terms[pairs[i]]
		if !ok {
			return nil, ErrTerms.At(fmt.Sprintf("lines[%d].product_id", i))
		}
		if l.Packs < t.MinPacks || l.Packs > party.MaxPacks {
			return nil, ErrPacks.With("least", t.MinPacks, "most", party.MaxPacks).At(fmt.Sprintf("lines[%d].packs", i))
		}
		one := Line{Product: l.Product, Packs: l.Packs, Pack: t.Pack, Unit: t.Unit, Price: t.Price}
		pack, err := t.Unit.ToBase(t.Pack)
		if err == nil && int64(qty.Max/pack) < l.Packs {
			err = ErrQty
		}
		if err == nil {
			one.Qty = qty.Qty(l.Packs) * pack
			one.Amount, err = t.Amount(l.Packs)
		}
		if err != nil {
			return nil, errs.As(err).At(fmt.Sprintf("lines[%d].packs", i))
		}
		lines = append(lines, one)
		if by := t.OrderBy(d.Due).String(); o.OrderBy == "" || by < o.OrderBy {
			o.OrderBy = by
		}
	}
	if err := o.add(tx, site); err != nil {
		return nil, err
	}
	return o, o.addLines(tx, lines)
}

// move takes an order from one of some states to another.
func move(tx *db.Tx, order id.ID, to State, event string, from ...State) (*Order, error) {
	o, err := Lock(tx, order)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(from, o.State) {
		return nil, ErrState.With("state", o.State)
	}
	o.State = to
	return o, o.emit(tx, event, o.body())
}

// Confirm decides for an order that was written by hand.
func Confirm(tx *db.Tx, order, staff id.ID) (*Order, error) {
	o, err := move(tx, order, Confirmed, EventOrdered, Proposed)
	if err != nil {
		return nil, err
	}
	return o, tx.Exec(`UPDATE purchase_order SET state = 'confirmed', staff_id = $1 WHERE id = $2`, staff, order)
}

// Send notes that the supplier has the order: it gets no more lines.
func Send(tx *db.Tx, order, staff id.ID) (*Order, error) {
	o, err := move(tx, order, Sent, EventOrdered, Confirmed)
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	o.SentAt = &now
	return o, tx.Exec(`UPDATE purchase_order SET state = 'sent', sent_by = $1, sent_at = $2 WHERE id = $3`, staff, now, order)
}

// Close ends an order: nothing more is expected of it. While goods are expected it needs a reason; an order of which
// nothing came is cancelled by it.
func Close(tx *db.Tx, order, staff id.ID, reason string) (*Order, error) {
	o, err := move(tx, order, Closed, EventClosed, Proposed, Confirmed, Sent, PartReceived, Received)
	if err != nil {
		return nil, err
	}
	if reason == "" && slices.ContainsFunc(o.Lines, func(l Line) bool { return l.open() > 0 }) {
		return nil, ErrReason.At("reason")
	}
	now := tx.Now()
	o.ClosedAt = &now
	return o, tx.Exec(`UPDATE purchase_order SET state = 'closed', closed_by = $1, closed_at = $2, close_reason = $3 WHERE id = $4`, staff, now, reason, order)
}

// --- receipts

// Arrival is so much that came of a line, in the base unit, with its cost.
type Arrival struct {
	Line  int64
	Qty   qty.Qty
	Cost  money.Fen
	Batch id.ID
}

// Price checks what came of a locked order against what is expected, and fills in what each arrival costs: in
// the order of the arrivals, so that those of one line together cost their part of its price. name tells a product's
// name and base unit.
func (o *Order) Price(arrivals []Arrival, name func(product id.ID) (string, string)) error {
	if o.State != Confirmed && o.State != Sent && o.State != PartReceived {
		return ErrState.With("state", o.State)
	}
	lines := slices.Clone(o.Lines)
	for i := range arrivals {
		a := &arrivals[i]
		at := slices.IndexFunc(lines, func(l Line) bool { return l.No == a.Line })
		if at < 0 {
			return ErrNoLine.With("line", a.Line).At(fmt.Sprintf("lines[%d].line", i))
		}
		l := &lines[at]
		switch {
		case a.Qty <= 0 || a.Qty > qty.Max:
			return ErrQty.At(fmt.Sprintf("lines[%d].qty", i))
		case a.Qty > l.left():
			product, unit := name(l.Product)
			return ErrOver.With("product", product, "left", max(0, l.left()), "unit", unit).At(fmt.Sprintf("lines[%d].qty", i))
		}
		var err error
		if a.Cost, err = l.Cost(a.Qty); err != nil {
			return errs.As(err).At(fmt.Sprintf("lines[%d].qty", i))
		}
		l.Received += a.Qty
		l.ReceivedFen += a.Cost
	}
	return nil
}

var (
	putReceiptLines = db.NewMany(`INSERT INTO purchase_receipt_line (receipt_id, line_no, order_line, batch_id, qty, cost_fen) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)
	addReceived     = db.NewMany(`UPDATE purchase_line SET received = v.column3, received_fen = v.column4 FROM (VALUES `, `(BIGINT, BIGINT, BIGINT, BIGINT)`,
		`) AS v WHERE purchase_line.order_id = v.column1 AND purchase_line.line_no = v.column2`)
)

// Receive notes what came of a locked and priced order under the id of the document of stock.
func (o *Order) Receive(tx *db.Tx, receipt id.ID, date cal.Date, staff id.ID, ref, note string, arrivals []Arrival) error {
	if err := tx.Exec(`INSERT INTO purchase_receipt (id, order_id, site_id, business_date, ref, note, staff_id, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		receipt, o.ID, o.Site, date, ref, note, staff, tx.Now()); err != nil {
		return err
	}
	var rows, sums []any
	var cost money.Fen
	touched := map[int64]bool{}
	for i, a := range arrivals {
		rows = append(rows, receipt, i+1, a.Line, a.Batch, a.Qty, a.Cost)
		cost += a.Cost
		at := slices.IndexFunc(o.Lines, func(l Line) bool { return l.No == a.Line })
		o.Lines[at].Received += a.Qty
		o.Lines[at].ReceivedFen += a.Cost
		touched[a.Line] = true
	}
	o.State = Received
	for _, l := range o.Lines {
		if touched[l.No] {
			sums = append(sums, o.ID, l.No, l.Received, l.ReceivedFen)
		}
		if l.open() > 0 {
			o.State = PartReceived
		}
	}
	if err := tx.ExecMany(putReceiptLines, rows...); err != nil {
		return err
	}
	if err := tx.ExecManyExactly(addReceived, ErrNoOrder, sums...); err != nil {
		return err
	}
	if err := tx.Exec(`UPDATE purchase_order SET state = $1 WHERE id = $2`, o.State, o.ID); err != nil {
		return err
	}
	return o.emit(tx, EventReceived, ReceivedBody{o.body(), receipt, cost})
}

// Coming is so much that a site expects of a product.
type Coming struct {
	Order    id.ID
	No       string
	Supplier id.ID
	Product  id.ID
	Due      cal.Date
	Ordered  qty.Qty
	Qty      qty.Qty // of it, what has not come
}

const coming = `SELECT o.id, o.no, o.supplier_id, l.product_id, o.due, l.qty, l.qty - l.received FROM purchase_order o JOIN purchase_line l ON l.order_id = o.id
	WHERE o.site_id = $1 AND o.due >= $2 AND o.state IN ('confirmed', 'sent', 'part_received') AND l.qty > l.received ORDER BY o.due, o.id, l.line_no`

// Expected is what a site has ordered that is due from a day on and has not come.
func Expected(tx *db.Tx, site id.ID, from cal.Date) ([]Coming, error) {
	rows := tx.Query(coming, site, from)
	defer rows.Close()
	var all []Coming
	for rows.Next() {
		var c Coming
		if err := rows.Scan(&c.Order, &c.No, &c.Supplier, &c.Product, &c.Due, &c.Ordered, &c.Qty); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// What is ordered is being prepared or listed, and no bundle: the life of a product decides.
var notBought = db.NewMany(`SELECT p.id, p.name FROM catalog_product p WHERE (p.life NOT IN ('new', 'listed') OR p.bundle = 1) AND p.id IN (`, `?`, `) ORDER BY p.id`)

// bought refuses the first line whose product is not bought now.
func bought(tx *db.Tx, lines []DraftLine) error {
	args := make([]any, len(lines))
	for i := range lines {
		args[i] = int64(lines[i].Product)
	}
	rows := tx.QueryMany(notBought, args...)
	defer rows.Close()
	names := map[id.ID]string{}
	for rows.Next() {
		var product id.ID
		var name string
		if err := rows.Scan(&product, &name); err != nil {
			return err
		}
		names[product] = name
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for i, l := range lines {
		if name, stopped := names[l.Product]; stopped {
			return catalog.ErrNotBought.With("product", name).At(fmt.Sprintf("lines[%d].product_id", i))
		}
	}
	return nil
}
