package stock

import (
	"fmt"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// WorkOrder is the kind of account in the book of values that keeps what materials were worth from when
// they are taken until what is made of them comes back.
const WorkOrder int16 = 1

// Consume books picked goods as used in making: the goods into a flow, their value onto the work order,
// whose account it opens. The document was born in this transaction.
func (p *Picked) Consume(tx *db.Tx, doc ledger.Document, order ledger.Account) error {
	opened, err := ledger.Open(tx, ledger.NewAccount{ID: order, Book: ValueBook, Kind: WorkOrder, Unit: ledger.CNY, Site: p.site})
	if err != nil {
		return err
	}
	s, _ := opened.Get(order)
	p.Locked.Add(s)
	for i := range p.Takes {
		t := &p.Takes[i]
		b := p.lots[t.Batch]
		p.pair(i, b.unit(), t.Qty, t.Cost, b.out(Consumed, order), ledger.Ref{})
	}
	return p.book(tx, doc, nil)
}

// LostInMaking is material that was used beyond the recipe, and its part of the work order.
type LostInMaking struct {
	SKU   id.ID
	Qty   qty.Qty
	Value money.Fen
}

// Make books what was made of a work order: a batch, unless made.Qty is 0, that takes made.Cost of the
// order's value, as legs 1 and 2; and what was lost on the way, the i-th as legs 2i+3 and 2i+4. Together
// they empty the work order. It returns the batch, 0 when there is none, and its code. The document was
// born in this transaction.
func Make(tx *db.Tx, site *org.Site, doc ledger.Document, order ledger.Account, made Arrival, lost []LostInMaking) (id.ID, string, error) {
	r := Receipt{Header: Header{Site: site}, Lines: []Arrival{made}}
	if made.Qty > 0 {
		if err := r.check(tx); err != nil {
			return 0, "", err
		}
		if err := r.ask(tx); err != nil {
			return 0, "", err
		}
		made = r.Lines[0]
	}
	locked, err := ledger.Lock(tx, order)
	if err != nil {
		return 0, "", err
	}
	m := newMove(site.ID)
	m.Locked = locked
	rest, _ := locked.Get(order)
	left := money.Fen(rest.Balance()) - made.Cost
	b := &lot{sku: made.SKU, code: made.Code}
	d := &Document{ID: doc.ID, Site: doc.Site}
	if made.Qty > 0 {
		b.id, b.value = id.New(), id.New()
		if b.code == "" {
			b.code = freshCode(doc.Date, b.id)
		}
		opened, err := ledger.Open(tx, ledger.NewAccount{ID: b.account(), Book: Book, Unit: b.unit(), Site: site.ID},
			ledger.NewAccount{ID: b.valueAccount(), Book: ValueBook, Unit: ledger.CNY, Site: site.ID})
		if err != nil {
			return 0, "", err
		}
		for _, a := range []ledger.Account{b.account(), b.valueAccount()} {
			s, _ := opened.Get(a)
			m.Locked.Add(s)
		}
		if err := tx.ExecMany(insertBatches, int64(b.id), int64(b.value), int64(site.ID), int64(b.sku), b.code, string(made.MadeOn), made.ExpiresAt,
			tx.Now(), int64(doc.ID), 1); err != nil {
			return 0, "", err
		}
		m.pair(0, b.unit(), made.Qty, made.Cost, b.in(Made, order), ledger.Ref{})
		d.Lines = append(d.Lines, Line{Batch: b.id, SKU: b.sku, Code: b.code, Qty: made.Qty, Value: made.Cost})
	}
	for i, l := range lost {
		left -= l.Value
		m.pair(1+i, ledger.Unit(l.SKU), l.Qty, l.Value, ends{Consumed, Wasted, order, WastedValue}, ledger.Ref{})
	}
	if left != 0 || made.Qty == 0 && made.Cost != 0 {
		return 0, "", ledger.ErrBadDocument.Wrap(fmt.Errorf("stock: %d fen of work order %d go nowhere", left, order))
	}
	if err := m.book(tx, doc, nil); err != nil {
		return 0, "", err
	}
	if b.id == 0 {
		return 0, "", nil
	}
	return b.id, b.code, emitMoved(tx, EventReceived, d)
}
