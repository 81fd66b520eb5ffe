package stock

import (
	"cmp"
	"fmt"
	"slices"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// move is what one document does to batches: they are locked, the legs are known, nothing is booked yet.
type move struct {
	Locked *ledger.Locked // batches, values, and whatever the caller locks into it
	lots   map[id.ID]*lot
	legs   []ledger.Transfer
	last   int // the highest leg number that the goods may use
	holds  []ledger.Hold
	parts  []int64
	gone   []id.ID // SKUs of which this takes the last available piece
	site   id.ID
}

func newMove(site id.ID) *move {
	return &move{Locked: ledger.NewLocked(), lots: map[id.ID]*lot{}, site: site}
}

const lotColumns = `c.id, c.value_id, c.sku_id, c.code, c.expires_at, c.reduced, a.posted_in, a.posted_out, a.pending_in, a.pending_out, a.low, v.posted_in, v.posted_out`

// scanLots reads locked batches with both accounts into the move, and calls each for every row. An account
// gets into the set of locked ones once: what the set knows is newer than what a second row says.
func (m *move) scanLots(rows *db.Rows, each func(*lot), more ...any) error {
	var b lot
	var batch, value, sku int64
	var a, v ledger.State
	dst := append([]any{&batch, &value, &sku, &b.code, &b.expires, &b.reduced, &a.In, &a.Out, &a.PendingIn, &a.PendingOut, &a.Low, &v.In, &v.Out}, more...)
	for rows.Next() {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		known := m.lots[id.ID(batch)]
		if known == nil {
			known = &lot{id: id.ID(batch), value: id.ID(value), sku: id.ID(sku), code: b.code, wasOpen: a.Balance() > 0, expires: b.expires, reduced: b.reduced, others: -1,
				free: qty.Qty(a.Available()), onHand: qty.Qty(a.Balance()), worth: money.Fen(v.Balance())}
			m.lots[known.id] = known
			a.ID, a.Book, a.Unit, a.Site = known.account(), Book, known.unit(), m.site
			v.ID, v.Book, v.Unit, v.Site = known.valueAccount(), ValueBook, ledger.CNY, m.site
			m.Locked.Add(a)
			m.Locked.Add(v)
		}
		each(known)
	}
	return rows.Err()
}

// The accounts of a batch are locked in the order in which its rows come, by rising id of the batch, and
// whoever locks the value of a batch has locked the batch. So nobody waits in a circle. Places of batches
// are found by their own ids in the same question, so that they stand in the same order. CROSS JOIN is how SQLite is told
// to begin with the few: left to choose, it goes through all accounts there are.
const (
	lotsHead = `WITH s AS (SELECT CAST($1 AS BIGINT) AS site), w (id) AS (VALUES `
	lotsTail = `), c AS (
	SELECT b.id, b.value_id, b.sku_id, b.code, b.expires_at, b.reduced, 0 AS batch FROM s CROSS JOIN w CROSS JOIN stock_batch b WHERE b.id = w.id AND b.site_id = s.site
	UNION ALL
	SELECT p.id, p.value_id, p.sku_id, b.code, b.expires_at, b.reduced, p.batch_id FROM s CROSS JOIN w CROSS JOIN stock_place p CROSS JOIN stock_batch b WHERE p.id = w.id AND p.site_id = s.site AND b.id = p.batch_id)
SELECT ` + lotColumns + `, c.batch FROM c CROSS JOIN ledger_account a CROSS JOIN ledger_account v WHERE a.id = c.id AND v.id = c.value_id ORDER BY a.id`
)

var (
	readLots = db.NewMany(lotsHead, `(BIGINT)`, lotsTail)
	lockLots = db.NewMany(lotsHead, `(BIGINT)`, lotsTail+` FOR UPDATE OF a, v`)
)

// byEngine takes the form that locks where rows are locked; SQLite's writer is alone.
func byEngine(tx *db.Tx, lite, pg *db.Many) *db.Many {
	if tx.Engine() == db.Postgres {
		return pg
	}
	return lite
}

// lockLots locks batches of the site, and places of batches, by id. Those of other sites are not found.
func (m *move) lockLots(tx *db.Tx, lots []id.ID) error {
	lots = slices.Clone(lots)
	slices.Sort(lots)
	lots = slices.Compact(lots)
	for len(lots) > 0 {
		n := min(len(lots), 256)
		args := make([]any, 0, 1+n)
		args = append(args, int64(m.site))
		for _, b := range lots[:n] {
			args = append(args, int64(b))
		}
		var of id.ID
		if err := m.scanLots(tx.QueryMany(byEngine(tx, readLots, lockLots), args...), func(b *lot) { b.of = of }, &of); err != nil {
			return err
		}
		lots = lots[n:]
	}
	return nil
}

// ends are the two accounts that goods move between, and the two that their value moves between.
type ends struct{ from, to, valueFrom, valueTo ledger.Account }

// out of a lot into flows, and back.
func (b *lot) out(goods, value ledger.Account) ends {
	return ends{b.account(), goods, b.valueAccount(), value}
}

func (b *lot) in(goods, value ledger.Account) ends {
	return ends{goods, b.account(), value, b.valueAccount()}
}

// pair adds the i-th movement of goods of the document, and that of its value.
func (m *move) pair(i int, unit ledger.Unit, q qty.Qty, value money.Fen, e ends, corrects ledger.Ref) {
	m.legs = append(m.legs, ledger.Transfer{Leg: 2*i + 1, From: e.from, To: e.to, Unit: unit, Amount: int64(q), Corrects: corrects})
	if value > 0 { // what cost nothing has no leg in value; its number stays free
		if corrects != (ledger.Ref{}) {
			corrects.Leg++
		}
		m.legs = append(m.legs, ledger.Transfer{Leg: 2*i + 2, From: e.valueFrom, To: e.valueTo, Unit: ledger.CNY, Amount: int64(value), Corrects: corrects})
	}
	m.last = max(m.last, 2*i+2)
}

// book books the legs of the goods and the caller's in one go, in the name of a document born in this
// transaction, and opens or closes the batches that are no longer empty or now are.
func (m *move) book(tx *db.Tx, doc ledger.Document, more []ledger.Transfer) error {
	if doc.Site != m.site {
		return ledger.ErrBadDocument.Wrap(fmt.Errorf("stock: goods of site %d in a document of site %d", m.site, doc.Site))
	}
	if len(m.holds) > 0 {
		if err := m.Locked.Settle(tx, m.holds, m.parts); err != nil {
			return err
		}
	}
	legs := m.legs
	if len(more) > 0 {
		legs = append(legs[:len(legs):len(legs)], more...)
		if first := &legs[len(m.legs)]; first.Leg == 0 {
			first.Leg = m.last + 1
		}
	}
	if err := m.Locked.Apply(tx, doc, legs...); err != nil {
		return err
	}
	if err := m.flags(tx); err != nil {
		return err
	}
	return m.emitGone(tx)
}

var (
	openBatches  = db.NewMany(`UPDATE stock_batch SET open = 1 WHERE id IN (`, `?`, `)`)
	closeBatches = db.NewMany(`UPDATE stock_batch SET open = 0 WHERE id IN (`, `?`, `)`)
	openPlaces   = db.NewMany(`UPDATE stock_place SET open = 1 WHERE id IN (`, `?`, `)`)
	closePlaces  = db.NewMany(`UPDATE stock_place SET open = 0 WHERE id IN (`, `?`, `)`)
)

// flags keeps open = something is left. What the flag was is told by what was in the batch, which is locked:
// the row of the batch is not, and may have been read before a twin changed it.
func (m *move) flags(tx *db.Tx) error {
	var opened, closed, openedPlaces, closedPlaces []any
	for _, b := range m.lots {
		s, _ := m.Locked.Get(b.account())
		switch left := s.Balance() > 0; {
		case left == b.wasOpen:
		case left && b.of != 0:
			openedPlaces = append(openedPlaces, int64(b.id))
		case b.of != 0:
			closedPlaces = append(closedPlaces, int64(b.id))
		case left:
			opened = append(opened, int64(b.id))
		default:
			closed = append(closed, int64(b.id))
		}
	}
	for _, change := range []struct {
		sql *db.Many
		ids []any
	}{{openBatches, opened}, {closeBatches, closed}, {openPlaces, openedPlaces}, {closePlaces, closedPlaces}} {
		sortIDs(change.ids)
		if err := tx.ExecMany(change.sql, change.ids...); err != nil {
			return err
		}
	}
	return nil
}

// sortIDs puts rows that are to be changed into the order of locks.
func sortIDs(ids []any) {
	slices.SortFunc(ids, func(a, b any) int { return cmp.Compare(a.(int64), b.(int64)) })
}

// maxLines of one document: each makes two legs, and a line of a sale may need several batches.
const maxLines = 500
