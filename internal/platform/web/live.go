package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
)

// ErrStreams refuses one more stream of events.
var ErrStreams = errs.Define("streams_full", errs.Limit, "打开的页面太多,实时更新暂停", "Too many open pages; live updates are paused")

const (
	maxStreams       = 2000
	maxCallerStreams = 20
	streamBuffer     = 256
	beatEvery        = 15 * time.Second
	lookAgainEvery   = time.Second
)

// Live serves GET /api/live: which things changed, as server-sent events {type, subject, site}, to
// whom may read them. An event says nothing else; the page asks again for what it shows.
type Live struct {
	a     *API
	perms map[string]string
	tail  atomic.Pointer[outbox.Tail]
	end   chan struct{}
	once  sync.Once
	mu    sync.Mutex
	all   int
	of    map[id.ID]int
}

// Live registers the route. perms names the permission that lets a caller learn of an event, by the
// package in front of the event's type ("till" of till.sold.v1); events of others are shown to nobody.
// An event of a site is shown to those who hold the permission there, one without a site to all who
// hold it anywhere.
func (a *API) Live(perms map[string]string) *Live {
	l := &Live{a: a, perms: perms, end: make(chan struct{}), of: map[id.ID]int{}}
	Raw(a, http.MethodGet, Route{Path: "/api/live", Name: "live", Summary: "What changes, as server-sent events", Scope: Self, Media: "text/event-stream"},
		func(ctx context.Context, _ *db.DB, _ *struct{}, w http.ResponseWriter, r *http.Request) error {
			return l.serve(ctx, w, r)
		})
	return l
}

// Use gives the tail to listen to. Close ends all streams: the process stops.
func (l *Live) Use(t *outbox.Tail) { l.tail.Store(t) }
func (l *Live) Close()             { l.once.Do(func() { close(l.end) }) }

func (l *Live) enter(who id.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= maxStreams || l.of[who] >= maxCallerStreams {
		return false
	}
	l.all++
	l.of[who]++
	return true
}

func (l *Live) leave(who id.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.of[who]--; l.of[who] == 0 {
		delete(l.of, who)
	}
}

// news is one event on the wire.
type news struct {
	Type    string `json:"type"`
	Subject id.ID  `json:"subject"`
	Site    id.ID  `json:"site,omitempty"`
}

func (l *Live) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	tail := l.tail.Load()
	if tail == nil {
		return ErrStarting
	}
	caller := CallerOf(ctx)
	who := caller.Principal()
	if !l.enter(who) {
		return ErrStreams
	}
	defer l.leave(who)
	longLived(r.Context())
	heard := tail.Listen(streamBuffer)
	defer func() { heard.Close() }()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy in front must not collect events
	out := http.NewResponseController(w)
	write := func(text string) error {
		_ = out.SetWriteDeadline(l.a.o.Clock.Now().Add(10 * time.Second))
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		return out.Flush()
	}
	if write(": listening\n\n") != nil {
		return nil
	}
	beat, look := time.NewTicker(beatEvery), time.NewTicker(lookAgainEvery)
	defer beat.Stop()
	defer look.Stop()
	for {
		text := ""
		select {
		case <-ctx.Done():
			return nil
		case <-l.end:
			return nil
		case <-beat.C:
			text = ": still here\n\n"
		case <-look.C:
			// Rights change and people are shut out while their page stays open.
			c, err := l.a.o.SignedIn(r.WithContext(asBackground(ctx)))
			if err != nil || c == nil || c.Principal() != who {
				return nil
			}
			caller = c
		case e, open := <-heard.C:
			if !open { // missed some: the page has to ask for everything again
				heard = tail.Listen(streamBuffer)
				text = "event: reset\ndata: {}\n\n"
				break
			}
			if !l.shows(caller, e) {
				break
			}
			b, err := json.Marshal(news{e.Type, e.Subject, e.Site})
			if err != nil {
				return err
			}
			text = "data: " + string(b) + "\n\n"
		}
		if text != "" && write(text) != nil {
			return nil
		}
	}
}

func (l *Live) shows(c Caller, e outbox.Event) bool {
	owner, _, _ := strings.Cut(e.Type, ".")
	perm := l.perms[owner]
	if perm == "" {
		return false
	}
	if e.Site == 0 {
		return c.May(perm)
	}
	return c.MayAt(perm, e.Site)
}

type backgroundKey struct{}

func asBackground(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

// Background tells the sign-in hook that nobody is at the screen: the page asks by itself, and that
// must not keep a session alive.
func Background(ctx context.Context) bool { return ctx.Value(backgroundKey{}) != nil }
