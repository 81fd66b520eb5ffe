package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// A hold promises a transfer: what it holds can't be taken or held by others, and has not moved yet. It
// settles once: captured (all of it, or a part and the rest is freed), void, or expired.

// HoldState is how a hold stands.
type HoldState int

const (
	HoldOpen HoldState = iota + 1
	HoldCaptured
	HoldVoid
	HoldExpired
)

func (s HoldState) String() string {
	switch s {
	case HoldOpen:
		return "open"
	case HoldCaptured:
		return "captured"
	case HoldVoid:
		return "void"
	case HoldExpired:
		return "expired"
	}
	return "unknown"
}

var (
	ErrHoldSettled = errs.Define("ledger_hold_settled", errs.Conflict, "这笔预占已经处理过了", "What was held here has already been settled")
	ErrHoldExpired = errs.Define("ledger_hold_expired", errs.Conflict, "预占已过期,请重新操作", "What was held here has expired; please start again")
	ErrNoHold      = errs.Define("ledger_hold_missing", errs.NotFound, "没有找到这笔预占", "There is no such hold")
)

// Never is the expiry of what does not expire: the last second of the year 9999.
var Never = time.UnixMilli(253402300799000).UTC()

// Hold is one leg of what a document holds.
type Hold struct {
	Ref
	From, To  Account
	Unit      Unit
	Amount    int64
	Captured  int64
	State     HoldState
	Site      id.ID
	MadeAt    time.Time
	ExpiresAt time.Time
}

// Expired says whether the hold is past its time at now, expired already or about to be.
func (h *Hold) Expired(now time.Time) bool {
	return h.State == HoldExpired || h.State == HoldOpen && !now.Before(h.ExpiresAt)
}

var insertHolds = db.NewMany(`INSERT INTO ledger_hold (doc_kind, doc_id, leg, from_id, to_id, unit, amount, captured, state, site_id, made_at, expires_at) VALUES `,
	`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)

// Hold reserves the transfers of a document until the given business instant, all or nothing. They start
// at kept accounts of the set. A second hold of the same document and leg fails as a whole. On PostgreSQL
// it only queues.
func (l *Locked) Hold(tx *db.Tx, doc Document, until time.Time, transfers ...Transfer) error {
	if err := check(doc, transfers); err != nil {
		return err
	}
	if !until.After(tx.Now()) {
		return ErrHoldExpired
	}
	l.begin()
	now := tx.Now()
	args := make([]any, 0, 12*len(transfers))
	for _, t := range transfers {
		if !t.From.Kept() {
			return ErrBadDocument.Wrap(fmt.Errorf("ledger: %s holds from the flow %s, which has no end", doc.Ref(t.Leg), t.From))
		}
		if err := l.add(t.From, t.Unit, t.Amount, (*held).holds); err != nil {
			return err
		}
		if err := l.add(t.To, t.Unit, t.Amount, (*held).expects); err != nil {
			return err
		}
		args = append(args, int64(doc.Kind), int64(doc.ID), int64(t.Leg), int64(t.From), int64(t.To), int64(t.Unit), t.Amount,
			int64(0), int64(HoldOpen), int64(doc.Site), now, until)
	}
	if err := l.mayBook(tx, doc); err != nil {
		return err
	}
	changed, err := l.settle()
	if err != nil {
		return err
	}
	if err := tx.ExecMany(insertHolds, args...); err != nil {
		return err
	}
	return update(tx, changed)
}

const holdColumns = `doc_kind, doc_id, leg, from_id, to_id, unit, amount, captured, state, site_id, made_at, expires_at`

func scanHolds(rows *db.Rows) ([]Hold, error) {
	var all []Hold
	for rows.Next() {
		var h Hold
		if err := rows.Scan(&h.Kind, &h.ID, &h.Leg, &h.From, &h.To, &h.Unit, &h.Amount, &h.Captured, &h.State, &h.Site, &h.MadeAt, &h.ExpiresAt); err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, rows.Err()
}

// Holds reads what a document holds or has held, by leg, and locks it. Whoever settles locks the holds
// first and the accounts behind them second.
func Holds(tx *db.Tx, kind Kind, doc id.ID) ([]Hold, error) {
	return scanHolds(tx.Query(`SELECT `+holdColumns+` FROM ledger_hold WHERE doc_kind = $1 AND doc_id = $2 ORDER BY leg`+tx.ForUpdate(), kind, doc))
}

// ends lists the kept accounts behind holds.
func ends(holds []Hold) []Account {
	ids := make([]Account, 0, 2*len(holds))
	for i := range holds {
		ids = append(ids, holds[i].From, holds[i].To)
	}
	return ids
}

var settleHolds = db.NewMany(`UPDATE ledger_hold SET state = $1, settled_at = $2, captured = v.column4 FROM (VALUES `,
	`(SMALLINT, BIGINT, SMALLINT, BIGINT)`, `) AS v WHERE ledger_hold.doc_kind = v.column1 AND ledger_hold.doc_id = v.column2 AND ledger_hold.leg = v.column3 AND ledger_hold.state = 1`)

// Settle ends open holds that Holds has locked, with captured[i] of holds[i] to be booked and the rest
// freed; nil frees everything. The accounts behind them must be in the set. Booking what is captured, in
// the same transaction, is the caller's next call: Capture does both.
func (l *Locked) Settle(tx *db.Tx, holds []Hold, captured []int64) error {
	state := HoldVoid
	for _, n := range captured {
		if n > 0 {
			state = HoldCaptured
		}
	}
	return l.end(tx, holds, captured, state)
}

func (l *Locked) end(tx *db.Tx, holds []Hold, captured []int64, state HoldState) error {
	if len(holds) == 0 {
		return nil
	}
	l.begin()
	args := make([]any, 0, 2+4*len(holds))
	args = append(args, int64(state), tx.Now())
	for i := range holds {
		h := &holds[i]
		n := int64(0)
		if captured != nil {
			n = captured[i]
		}
		if n < 0 || n > h.Amount {
			return ErrAmount.Wrap(fmt.Errorf("ledger: %d can't be captured of %s, which holds %d", n, h.Ref, h.Amount))
		}
		if h.State != HoldOpen {
			return ErrHoldSettled
		}
		if err := l.add(h.From, h.Unit, -h.Amount, (*held).holds); err != nil {
			return err
		}
		if err := l.add(h.To, h.Unit, -h.Amount, (*held).expects); err != nil {
			return err
		}
		args = append(args, int64(h.Kind), int64(h.ID), int64(h.Leg), n)
	}
	changed, err := l.settle()
	if err != nil {
		return err
	}
	if err := tx.ExecMany(settleHolds, args...); err != nil {
		return err
	}
	for i := range holds {
		holds[i].State = state
		if captured != nil {
			holds[i].Captured = captured[i]
		}
	}
	return update(tx, changed)
}

// Capture books what the document (kind, id) holds, under doc: amounts[i] of its i-th leg and the rest is
// freed, or everything when amounts is nil. A leg keeps its number. The same capture again is skipped; a
// void or expired hold is refused (ErrHoldSettled, ErrHoldExpired).
func Capture(tx *db.Tx, kind Kind, of id.ID, doc Document, amounts []int64) error {
	holds, err := Holds(tx, kind, of)
	if err != nil {
		return err
	}
	if len(holds) == 0 {
		return ErrNoHold
	}
	if amounts == nil {
		for i := range holds {
			amounts = append(amounts, holds[i].Amount)
		}
	}
	if len(amounts) != len(holds) {
		return ErrBadDocument.Wrap(fmt.Errorf("ledger: %d amounts for %d holds of %s:%d", len(amounts), len(holds), kind, of))
	}
	if !slices.ContainsFunc(amounts, func(n int64) bool { return n != 0 }) {
		return Void(tx, kind, of)
	}
	open, err := Capturable(tx, holds, amounts)
	if err != nil || !open {
		return err
	}
	l, err := Lock(tx, ends(holds)...)
	if err != nil {
		return err
	}
	if err := l.Settle(tx, holds, amounts); err != nil {
		return err
	}
	var transfers []Transfer
	for i, h := range holds {
		if amounts[i] > 0 {
			transfers = append(transfers, Transfer{From: h.From, To: h.To, Unit: h.Unit, Amount: amounts[i], Leg: h.Leg})
		}
	}
	if len(transfers) == 0 {
		return nil
	}
	return l.Apply(tx, doc, transfers...)
}

// Capturable says whether locked holds can be captured now (true), or were captured by exactly these
// amounts before (false); else it refuses.
func Capturable(tx *db.Tx, holds []Hold, amounts []int64) (bool, error) {
	if slices.ContainsFunc(holds, func(h Hold) bool { return h.Expired(tx.Now()) }) {
		return false, ErrHoldExpired
	}
	same := true
	for i := range holds {
		h := &holds[i]
		if h.State == HoldOpen {
			same = false
		} else if h.State != HoldCaptured || h.Captured != amounts[i] {
			return false, ErrHoldSettled
		}
	}
	return !same, nil
}

// Void frees what the document holds. Voiding again is skipped, as is what has expired; a captured hold
// is refused (ErrHoldSettled).
func Void(tx *db.Tx, kind Kind, of id.ID) error {
	holds, err := Holds(tx, kind, of)
	if err != nil {
		return err
	}
	if len(holds) == 0 {
		return ErrNoHold
	}
	open := holds[:0]
	for _, h := range holds {
		switch h.State {
		case HoldOpen:
			open = append(open, h)
		case HoldCaptured:
			return ErrHoldSettled
		}
	}
	l, err := Lock(tx, ends(open)...)
	if err != nil {
		return err
	}
	return l.Settle(tx, open, nil)
}

// ExpireHolds frees all holds whose time has passed, in short steps that let others in between, and returns
// how many. Any node may do it at any time.
func ExpireHolds(ctx context.Context, d *db.DB) (int, error) {
	for total := 0; ; {
		n := 0
		err := d.Read(ctx, func(tx *db.Tx) error { // mostly there is nothing to do, and no need for a writer
			return tx.QueryRow(`SELECT COUNT(*) FROM (SELECT 1 AS one FROM ledger_hold WHERE state = 1 AND expires_at <= $1 LIMIT 1) AS due`, tx.Now()).Scan(&n)
		})
		if err != nil || n == 0 {
			return total, err
		}
		err = d.Write(ctx, func(tx *db.Tx) (err error) { n, err = Expire(tx); return err })
		if total += n; err != nil {
			return total, err
		}
	}
}

const maxExpire = 500 // legs freed in one transaction

// Expire frees at most some hundred holds whose time has passed at tx.Now and returns how many; the caller
// goes on, each time in a new transaction, until it is 0.
func Expire(tx *db.Tx) (int, error) {
	rows := tx.Query(`SELECT `+holdColumns+` FROM ledger_hold WHERE state = 1 AND expires_at <= $1 ORDER BY expires_at, doc_id, leg LIMIT $2`, tx.Now(), maxExpire)
	due, err := scanHolds(rows)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	// What is due was read without a lock; each document's holds are locked by their key, in its order.
	slices.SortFunc(due, func(a, b Hold) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	due = slices.CompactFunc(due, func(a, b Hold) bool { return a.Kind == b.Kind && a.ID == b.ID })
	asked := make([]*db.Rows, len(due))
	for i, h := range due {
		asked[i] = tx.Query(`SELECT `+holdColumns+` FROM ledger_hold WHERE doc_kind = $1 AND doc_id = $2 AND state = 1 AND expires_at <= $3 ORDER BY leg`+tx.ForUpdate(), h.Kind, h.ID, tx.Now())
	}
	var open []Hold
	for _, rows := range asked {
		holds, err := scanHolds(rows)
		if err != nil {
			return 0, err
		}
		open = append(open, holds...)
	}
	l, err := Lock(tx, ends(open)...)
	if err != nil {
		return 0, err
	}
	return len(open), l.end(tx, open, nil, HoldExpired)
}
