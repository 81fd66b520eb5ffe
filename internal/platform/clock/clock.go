// Package clock tells the time, and there are two: Wall for sign-ins, deadlines, leases and rate
// limits, and a business clock for documents, expiry and markdown. Only the second is ever moved,
// by tests and by the running demo, so that a faster day never weakens a lock-out.
package clock

import (
	"sync"
	"time"
)

// Source tells the time in UTC, in whole milliseconds as they are stored.
type Source interface{ Now() time.Time }

// Wall is the machine's clock.
var Wall Source = wall{}

type wall struct{}

func (wall) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Business is a clock that runs with the wall clock until somebody changes its pace.
type Business struct {
	mu    sync.RWMutex
	wall  Source
	from  time.Time // wall instant of the last change
	at    time.Time // business instant of the last change
	speed int64
}

// NewBusiness returns a business clock that shows wall time at normal pace.
func NewBusiness() *Business {
	now := Wall.Now()
	return &Business{wall: Wall, from: now, at: now, speed: 1}
}

// Now is the business instant.
func (b *Business) Now() time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now()
}

func (b *Business) now() time.Time {
	passed := b.wall.Now().Sub(b.from)
	return b.at.Add(passed * time.Duration(b.speed))
}

// Run lets business time go on from its present instant at another pace; 60 makes a minute of a second.
func (b *Business) Run(speed int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.from, b.speed = b.now(), b.wall.Now(), speed
}

// Jump sets the business instant and keeps the pace.
func (b *Business) Jump(to time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.from = to.UTC().Truncate(time.Millisecond), b.wall.Now()
}

// Hand is a clock that stands still until a test moves it.
type Hand struct {
	mu sync.RWMutex
	at time.Time
}

// Fixed returns a clock that stands at t.
func Fixed(t time.Time) *Hand { return &Hand{at: t.UTC().Truncate(time.Millisecond)} }

// Now is where the hand stands.
func (h *Hand) Now() time.Time { h.mu.RLock(); defer h.mu.RUnlock(); return h.at }

// Set moves the hand to t.
func (h *Hand) Set(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = t.UTC().Truncate(time.Millisecond)
}

// Add moves the hand by d.
func (h *Hand) Add(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.at = h.at.Add(d) }
