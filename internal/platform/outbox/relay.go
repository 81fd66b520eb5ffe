package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

const (
	relayBatch   = 200                    // events relayed in one transaction
	handleBatch  = 20                     // deliveries of one subscriber in one transaction
	handleFor    = 30 * time.Millisecond  // after which that transaction takes no more
	lookEvery    = 250 * time.Millisecond // when there was nothing to do
	maxTries     = 10                     // then a delivery is parked
	firstBackoff = time.Second
	maxBackoff   = 10 * time.Minute
)

// Handler does a subscriber's part in tx. It may run more than once, but its effects happen once.
type Handler func(tx *db.Tx, e Event) error

type subscription struct {
	name, eventType string
	handle          Handler
}

// Relay brings events to subscribers. All subscriptions are made before Run; every node runs one.
type Relay struct {
	d    *db.DB
	log  *slog.Logger
	subs []subscription
}

// NewRelay makes a relay without subscribers.
func NewRelay(d *db.DB, log *slog.Logger) *Relay {
	if log == nil {
		log = slog.Default()
	}
	return &Relay{d: d, log: log}
}

// Subscribe names a subscriber to one event type. The name is kept in the database: it must not change,
// and one name takes one type. A new subscriber gets events from now on.
func (r *Relay) Subscribe(name, eventType string, h Handler) {
	for _, s := range r.subs {
		if s.name == name {
			panic("outbox: two subscribers are named " + name)
		}
	}
	r.subs = append(r.subs, subscription{name, eventType, h})
}

// Run relays and delivers until ctx ends. One look asks for everybody: a question of each subscriber four times a second
// would cost a busy database more than the events do.
func (r *Relay) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wakes := make(map[string]chan struct{}, len(r.subs))
	for _, s := range r.subs {
		wake := make(chan struct{}, 1)
		wakes[s.name] = wake
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-wake:
				}
				for more := true; more && ctx.Err() == nil; {
					var err error
					more, err = r.deliverOnce(ctx, s)
					more = more && err == nil // after trouble the next look comes soon enough
					r.stumbled(ctx, s.name, err)
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			fresh, due, err := r.look(ctx)
			for _, name := range due {
				select {
				case wakes[name] <- struct{}{}:
				default: // at work
				}
			}
			more := false
			if fresh {
				more, err = r.relayOnce(ctx)
			}
			r.stumbled(ctx, "relay", err)
			if more && err == nil {
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(lookEvery):
			}
		}
	})
	wg.Wait()
}

func (r *Relay) stumbled(ctx context.Context, part string, err error) {
	if err != nil && ctx.Err() == nil {
		r.log.Error("outbox stumbled; it goes on", "part", part, "err", err)
	}
}

// look says whether there are new events, and which subscribers have something to do.
func (r *Relay) look(ctx context.Context) (fresh bool, due []string, err error) {
	args := []any{nil}
	for _, s := range r.subs {
		args = append(args, s.name)
	}
	err = r.d.Read(ctx, func(tx *db.Tx) error {
		fresh, due, args[0] = false, due[:0], tx.Wall()
		news := tx.Query(anyNew)
		var names *db.Rows
		if len(r.subs) > 0 {
			names = tx.QueryMany(anyDue, args...)
		}
		for news.Next() {
			fresh = true
		}
		if err := news.Err(); err != nil || names == nil {
			return err
		}
		for names.Next() {
			var name string
			if err := names.Scan(&name); err != nil {
				return err
			}
			due = append(due, name)
		}
		return names.Err()
	})
	return fresh, due, err
}

// Drain relays and delivers everything that is due now; for tests and for commands that end.
func (r *Relay) Drain(ctx context.Context) error {
	for {
		more, _, err := r.look(ctx)
		if err == nil && more {
			_, err = r.relayOnce(ctx)
		}
		if err != nil {
			return err
		}
		for _, s := range r.subs {
			again, err := r.deliverOnce(ctx, s)
			if err != nil {
				return err
			}
			more = more || again
		}
		if !more {
			return nil
		}
	}
}

const (
	anyNew = `SELECT id FROM outbox_event WHERE relayed = 0 LIMIT 1`
	fresh  = `SELECT id, type, subject FROM outbox_event WHERE relayed = 0 ORDER BY id LIMIT $1`
)

var (
	anyDue = db.NewMany(`WITH o AS (SELECT CAST($1 AS BIGINT) AS now), w (name) AS (VALUES `, `(TEXT)`, `)
	SELECT w.name FROM o CROSS JOIN w WHERE EXISTS (SELECT 1 FROM outbox_delivery d WHERE d.subscriber = w.name AND d.parked = 0 AND d.due_at <= o.now)`)
	addDeliveries = db.NewMany(`INSERT INTO outbox_delivery (subscriber, event_id, subject, tries, due_at, parked, error) VALUES `,
		"(?, ?, ?, ?, ?, ?, ?)", ` ON CONFLICT (subscriber, event_id) DO NOTHING`)
	markRelayed = db.NewMany(`UPDATE outbox_event SET relayed = 1 WHERE id IN (`, "?", `)`)
)

// relayOnce makes the deliveries of some new events. It looks for rows not relayed, never for ids above
// the last one, as commits arrive out of order; and one relay works at a time, as otherwise a later
// event of a subject could be handed out before an earlier one.
func (r *Relay) relayOnce(ctx context.Context) (more bool, err error) {
	err = r.d.Write(ctx, func(tx *db.Tx) error {
		more = false
		if alone, err := relayAlone(tx); err != nil || !alone {
			return err
		}
		var ids, deliveries []any
		now := tx.Wall()
		rows := tx.Query(fresh, relayBatch)
		for rows.Next() {
			var event, subject id.ID
			var kind string
			if err := rows.Scan(&event, &kind, &subject); err != nil {
				return err
			}
			ids = append(ids, event)
			for _, s := range r.subs {
				if s.eventType == kind {
					deliveries = append(deliveries, s.name, event, subject, 0, now, 0, "")
				}
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if err := tx.ExecMany(addDeliveries, deliveries...); err != nil {
			return err
		}
		more = len(ids) == relayBatch || len(deliveries) > 0
		return tx.ExecMany(markRelayed, ids...)
	})
	return more, err
}

// due lists what a subscriber may handle now: of each subject the earliest delivery only, and nothing
// behind one that waits for a retry or for a person.
const due = `SELECT d.event_id FROM outbox_delivery d
	WHERE d.subscriber = $1 AND d.parked = 0 AND d.due_at <= $2
		AND NOT EXISTS (SELECT 1 FROM outbox_delivery p WHERE p.subscriber = d.subscriber AND p.subject = d.subject AND p.event_id < d.event_id)
	ORDER BY d.event_id LIMIT $3`

const (
	oneEvent = `SELECT ` + columns + ` FROM outbox_delivery d JOIN outbox_event e ON e.id = d.event_id
	WHERE d.subscriber = $1 AND d.event_id = $2 AND d.parked = 0`
	handled = `DELETE FROM outbox_delivery WHERE subscriber = $1 AND event_id = $2`
	failed  = `UPDATE outbox_delivery SET tries = tries + 1, due_at = $1, parked = $2, error = $3
	WHERE subscriber = $4 AND event_id = $5 AND tries = $6`
	triesOf = `SELECT tries FROM outbox_delivery WHERE subscriber = $1 AND event_id = $2`
)

// deliverOnce lets one subscriber handle what is due. Several events share a transaction; when one
// fails, each gets its own.
func (r *Relay) deliverOnce(ctx context.Context, s subscription) (more bool, err error) {
	var events []id.ID
	err = r.d.Read(ctx, func(tx *db.Tx) error {
		events = events[:0]
		rows := tx.Query(due, s.name, tx.Wall(), handleBatch)
		for rows.Next() {
			var e id.ID
			if err := rows.Scan(&e); err != nil {
				return err
			}
			events = append(events, e)
		}
		return rows.Err()
	})
	if err != nil || len(events) == 0 {
		return false, err
	}
	done := 0
	err = r.d.Write(ctx, func(tx *db.Tx) error {
		done = 0
		for start := time.Now(); done < len(events) && (done == 0 || time.Since(start) < handleFor); done++ {
			if err := s.run(tx, events[done]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return true, nil
	}
	if ctx.Err() != nil {
		return false, err
	}
	if len(events) == 1 {
		return true, r.note(ctx, s, events[0], err)
	}
	for _, e := range slices.Clone(events) {
		if err := r.d.Write(ctx, func(tx *db.Tx) error { return s.run(tx, e) }); err != nil {
			if err := r.note(ctx, s, e, err); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// run handles one event and takes its delivery away, in one transaction.
func (s subscription) run(tx *db.Tx, event id.ID) (err error) {
	rows := tx.Query(oneEvent+lockDelivery(tx), s.name, event)
	if !rows.Next() {
		return rows.Err() // another node was faster
	}
	e, err := scan(rows)
	if err != nil {
		return err
	}
	if err := rows.Close(); err != nil {
		return err
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("outbox: %s panicked: %v\n%s", s.name, v, debug.Stack())
		}
	}()
	if err := s.handle(tx, e); err != nil {
		return err
	}
	return tx.ExecExactly(1, db.ErrAgain, handled, s.name, event)
}

// note writes a failure down: when to try again, or that a person must look.
func (r *Relay) note(ctx context.Context, s subscription, event id.ID, cause error) error {
	kind := errs.As(cause).Kind
	if kind == errs.Unavailable { // the database's trouble is not the event's
		return cause
	}
	return r.d.Write(ctx, func(tx *db.Tx) error {
		var tries int64
		switch err := tx.QueryRow(triesOf, s.name, event).Scan(&tries); {
		case errors.Is(err, db.ErrNoRow):
			return nil
		case err != nil:
			return err
		}
		parked := tries+1 >= maxTries
		tx.AfterCommit(func() {
			r.log.Warn("a subscriber failed", "subscriber", s.name, "event", event, "tries", tries+1, "parked", parked, "err", cause)
		})
		text := strings.ReplaceAll(cause.Error(), "\x00", "")
		if len(text) > 2000 {
			text = text[:2000]
		}
		wait := min(firstBackoff<<min(tries, 20), maxBackoff)
		return tx.Exec(failed, clock.Wall.Now().Add(wait), parked, strings.ToValidUTF8(text, "?"), s.name, event, tries)
	})
}

// Parked is a delivery that waits for a person, or one that failed and will be tried again.
type Parked struct {
	Subscriber string
	Event      Event
	Tries      int
	DueAt      time.Time
	Parked     bool
	Error      string
}

const troubled = `SELECT ` + columns + `, d.subscriber, d.tries, d.due_at, d.parked, d.error
	FROM outbox_delivery d JOIN outbox_event e ON e.id = d.event_id
	WHERE d.tries > 0 AND d.event_id > $1 ORDER BY d.event_id, d.subscriber LIMIT $2`

// Troubled lists deliveries that failed at least once, oldest first, after the given event id.
func Troubled(tx *db.Tx, after id.ID, limit int) ([]Parked, error) {
	rows := tx.Query(troubled, after, min(max(limit, 1), 200))
	var all []Parked
	for rows.Next() {
		var p Parked
		e := &p.Event
		if err := rows.Scan(&e.ID, &e.Type, &e.Subject, &e.Site, &e.JSON, &e.At, &p.Subscriber, &p.Tries, &p.DueAt, &p.Parked, &p.Error); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// ErrNoDelivery says that a delivery is not, or no longer, waiting.
var ErrNoDelivery = errs.Define("outbox_no_delivery", errs.NotFound, "这条投递已不在等待中", "This delivery is no longer waiting")

// Retry lets a parked delivery be tried again.
func Retry(tx *db.Tx, subscriber string, event id.ID) error {
	return tx.ExecExactly(1, ErrNoDelivery,
		`UPDATE outbox_delivery SET parked = 0, tries = 0, due_at = $1 WHERE subscriber = $2 AND event_id = $3`, tx.Wall(), subscriber, event)
}

// Skip gives a delivery up, so that later events of its subject get through.
func Skip(tx *db.Tx, subscriber string, event id.ID) error {
	return tx.ExecExactly(1, ErrNoDelivery, handled, subscriber, event)
}
