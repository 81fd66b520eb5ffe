package outbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

const (
	tailEvery = 300 * time.Millisecond
	// How far back the tail reads again. On PostgreSQL commits of 10 s ago may only now be seen; on SQLite
	// ids are made and committed by one writer at a time. Nearly all are seen within a second, so that only each
	// tailRounds-th look goes back that far: in a busy chain those are thousands of events.
	tailBackPG   = 10 * time.Second
	tailBackLite = 3 * time.Second
	tailNear     = time.Second
	tailRounds   = 8
	tailMax      = 20_000 // ids looked at in one turn; beyond that everybody reloads
)

// Tail shows this process the events that any node committed, soon after, each once, in no promised
// order. It is for live screens and caches only: what must not be missed is a subscription.
type Tail struct {
	d    *db.DB
	log  *slog.Logger
	mu   sync.Mutex
	subs map[*Listener]bool
	seen map[id.ID]bool
	look int       // looks so far
	last time.Time // of the last look; zero before the first, which shows nothing
}

// Listener receives from a Tail.
type Listener struct {
	// C gives events. It is closed when the listener was too slow or missed some: reload and listen again.
	C     <-chan Event
	c     chan Event
	t     *Tail
	types map[string]bool
}

// NewTail makes a tail that shows events from now on.
func NewTail(d *db.DB, log *slog.Logger) *Tail {
	if log == nil {
		log = slog.Default()
	}
	return &Tail{d: d, log: log, subs: map[*Listener]bool{}, seen: map[id.ID]bool{}}
}

// Listen starts a listener to the given types, all types when none is given. buffer is how many events
// may wait for it.
func (t *Tail) Listen(buffer int, types ...string) *Listener {
	c := make(chan Event, buffer)
	l := &Listener{C: c, c: c, t: t}
	if len(types) > 0 {
		l.types = map[string]bool{}
		for _, k := range types {
			l.types[k] = true
		}
	}
	t.mu.Lock()
	t.subs[l] = true
	t.mu.Unlock()
	return l
}

// Close ends the listener.
func (l *Listener) Close() { l.t.drop(l) }

func (t *Tail) drop(l *Listener) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.subs[l] {
		delete(t.subs, l)
		close(l.c)
	}
}

// Run looks every 300 ms until ctx ends; then all listeners are closed.
func (t *Tail) Run(ctx context.Context) {
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	defer t.reset()
	for {
		if err := t.Look(ctx); err != nil && ctx.Err() == nil {
			t.log.Error("the tail of events can't be read", "err", err)
			t.reset() // who listens can't know what it missed
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *Tail) reset() {
	t.mu.Lock()
	all := make([]*Listener, 0, len(t.subs))
	for l := range t.subs {
		all = append(all, l)
	}
	t.mu.Unlock()
	for _, l := range all {
		t.drop(l)
	}
}

const tailIDs = `SELECT id FROM outbox_event WHERE id >= $1 ORDER BY id LIMIT $2`

var tailEvents = db.NewMany(`SELECT `+columns+` FROM outbox_event e WHERE e.id IN (`, "?", `) ORDER BY e.id`)

// Look reads the last seconds again and shows what was not shown yet. The time is the wall clock's, by
// which ids are made.
func (t *Tail) Look(ctx context.Context) error {
	back := tailBackPG
	if t.d.Engine() == db.SQLite {
		back = tailBackLite
	}
	now := time.Now()
	first := t.last.IsZero()
	if !first && now.Sub(t.last) > back/2 { // this process stood still: events may have gone by
		first = true
		t.reset()
	}
	whole := first || t.look%tailRounds == 0 || now.Sub(t.last) > tailNear/2
	t.look++
	from := madeAt(now.Add(-back))
	if !whole {
		from = madeAt(now.Add(-tailNear))
	}
	var ids []id.ID
	var events []Event
	err := t.d.Read(ctx, func(tx *db.Tx) error {
		ids, events = ids[:0], events[:0]
		rows := tx.Query(tailIDs, from, tailMax)
		var fresh []any
		for rows.Next() {
			var e id.ID
			if err := rows.Scan(&e); err != nil {
				return err
			}
			ids = append(ids, e)
			if !t.seen[e] && !first {
				fresh = append(fresh, e)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for len(fresh) > 0 {
			n := min(len(fresh), 1024)
			rows := tx.QueryMany(tailEvents, fresh[:n]...)
			for rows.Next() {
				e, err := scan(rows)
				if err != nil {
					return err
				}
				events = append(events, e)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			fresh = fresh[n:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.last = now
	if whole {
		clear(t.seen)
	}
	for _, e := range ids {
		t.seen[e] = true
	}
	if len(ids) == tailMax {
		t.reset()
		return nil
	}
	for _, e := range events {
		t.show(e)
	}
	return nil
}

func (t *Tail) show(e Event) {
	t.mu.Lock()
	var slow []*Listener
	for l := range t.subs {
		if l.types != nil && !l.types[e.Type] {
			continue
		}
		select {
		case l.c <- e:
		default:
			slow = append(slow, l)
		}
	}
	t.mu.Unlock()
	for _, l := range slow {
		t.drop(l)
	}
}
