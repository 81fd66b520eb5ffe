package ledger

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// What may not be booked: days that are closed, and kinds of documents whose proof is red. Every booking asks, so
// the answer is kept in memory, never older than maxAge; Watch renews it beside the tills.

var (
	ErrPeriodClosed = errs.Define("ledger_period_closed", errs.Conflict, "{date} 已结账,不能再记入这一天,请按今天的日期办理", "{date} is closed and can't change any more; please use today's date")
	ErrStopped      = errs.Define("ledger_stopped", errs.Conflict, "核对发现账目异常,这类单据已暂停办理,请联系负责人查看“核对”并放行", "A check found the books wrong, so this kind of document is stopped; please ask the person in charge to look at Checks and release it")
)

// maxAge is how old what is known of closed days and stopped kinds may be, as the wall runs.
const maxAge = time.Second

// rules are what may not be booked, as known at an instant.
type rules struct {
	at      time.Time
	through map[id.ID]cal.Date
	stopped map[stopAt]bool
}

// stopAt is a kind of document at a site; 0 is everywhere.
type stopAt struct {
	kind Kind
	site id.ID
}

type gate struct {
	known   atomic.Pointer[rules]
	changes atomic.Int64 // counts what this process knows to be outdated
}

type gateKey struct{}

func gateOf(tx *db.Tx) *gate { return tx.Keep(gateKey{}, newGate).(*gate) }

func newGate() any { return &gate{} }

// changed makes the next booking of this process look again once tx is committed.
func changed(tx *db.Tx) {
	g := gateOf(tx)
	tx.AfterCommit(func() {
		g.changes.Add(1)
		g.known.Store(nil)
	})
}

// rules reads them when what is known is too old. On PostgreSQL that is a round trip, which Watch spares the tills.
func (g *gate) rules(tx *db.Tx) (*rules, error) {
	if r := g.known.Load(); r != nil && time.Since(r.at) < maxAge { //allow:clock an age by the monotonic clock, which nobody can set
		return r, nil
	}
	return g.read(tx)
}

func (g *gate) read(tx *db.Tx) (*rules, error) {
	before := g.changes.Load()
	//allow:clock an age by the monotonic clock, which nobody can set
	r := &rules{at: time.Now(), through: map[id.ID]cal.Date{}, stopped: map[stopAt]bool{}}
	closes := tx.Query(`SELECT site_id, through FROM ledger_close`)
	stops := tx.Query(`SELECT DISTINCT doc_kind, site_id FROM ledger_stop WHERE state = 1`)
	for closes.Next() {
		var site id.ID
		var through cal.Date
		if err := closes.Scan(&site, &through); err != nil {
			return nil, err
		}
		r.through[site] = through
	}
	if err := closes.Err(); err != nil {
		return nil, err
	}
	for stops.Next() {
		var at stopAt
		if err := stops.Scan(&at.kind, &at.site); err != nil {
			return nil, err
		}
		r.stopped[at] = true
	}
	if err := stops.Err(); err != nil {
		return nil, err
	}
	if g.changes.Load() == before {
		g.known.Store(r)
	}
	return r, nil
}

// Watch keeps what may not be booked fresh, until ctx ends.
func Watch(ctx context.Context, d *db.DB) {
	g := d.Keep(gateKey{}, newGate).(*gate)
	tick := time.NewTicker(maxAge * 2 / 5)
	defer tick.Stop()
	for {
		// An error leaves what is known to grow old: bookings then ask themselves, and fail as they must.
		_ = d.Read(ctx, func(tx *db.Tx) error { _, err := g.read(tx); return err })
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// mayBook refuses a kind of document that is stopped, and a day that is closed: at the document's site, or at the site
// of an account that it moves.
func (l *Locked) mayBook(tx *db.Tx, doc Document) error {
	r, err := gateOf(tx).rules(tx)
	if err != nil {
		return err
	}
	if len(r.stopped) > 0 && (r.stopped[stopAt{doc.Kind, 0}] || r.stopped[stopAt{doc.Kind, doc.Site}]) {
		return ErrStopped.With("kind", doc.Kind.String())
	}
	closed := r.through[doc.Site] >= doc.Date
	for _, h := range l.rows {
		closed = closed || h.touched && h.Site != doc.Site && r.through[h.Site] >= doc.Date
	}
	if closed {
		return ErrPeriodClosed.With("date", doc.Date).Wrap(fmt.Errorf("ledger: %s:%d at site %d", doc.Kind, doc.ID, doc.Site))
	}
	return nil
}

// Forward is the business date on which something that belongs to date can still be booked at a site: date itself,
// or the first day after those that are closed. What arrives late is posted forward.
func Forward(tx *db.Tx, site id.ID, date cal.Date) (cal.Date, error) {
	r, err := gateOf(tx).rules(tx)
	if err != nil {
		return "", err
	}
	if through := r.through[site]; through >= date {
		return through.AddDays(1), nil
	}
	return date, nil
}
