// Package pay is the port to providers of mobile payment. A provider is outside our transaction and may
// answer late, twice or not at all, so every request carries a key of ours that was stored before it was
// sent, and whoever got no definite answer asks again with the same key.
package pay

import (
	"context"
	"time"

	"zhanggui/internal/platform/money"
)

// State is what a provider knows of a request.
type State int

const (
	// Unknown is no answer: the request may have had its effect or not. Ask again.
	Unknown State = iota
	// Pending is an answer that is not the last one: the payer has yet to confirm. Ask again.
	Pending
	// Done is definite: the money has moved.
	Done
	// Failed is definite: the money has not moved and never will under this key.
	Failed
)

func (s State) String() string { return [...]string{"unknown", "pending", "done", "failed"}[s] }

// Definite says whether asking again can change nothing any more.
func (s State) Definite() bool { return s == Done || s == Failed }

// Order asks the payer behind a code for money.
type Order struct {
	Key    string // ours, at most 64 characters, stored before it is sent; a provider charges a key once
	Amount money.Fen
	Code   string    // the payer's code as scanned
	SentAt time.Time // when it was first sent
}

// Refund gives back part or all of a paid order.
type Refund struct {
	Key    string // ours, one per refund; a provider gives a key back once
	Of     Order  // the order that was paid
	Amount money.Fen
	SentAt time.Time
}

// Answer is what a provider says. Ref is its own number for the movement, Reason why it failed.
type Answer struct {
	State  State
	Ref    string
	Reason string
}

// Provider is one payment service. No method returns an error: what went wrong on the way is Unknown, with
// the reason. Each may be called again with the same key at any time.
type Provider interface {
	Name() string
	Charge(ctx context.Context, o Order) Answer
	Ask(ctx context.Context, o Order) Answer
	// Cancel tries to make sure that the order is never paid: Failed when that is certain, Done when the
	// payer was faster, otherwise Pending or Unknown: ask again.
	Cancel(ctx context.Context, o Order) Answer
	GiveBack(ctx context.Context, r Refund) Answer
	AskGiveBack(ctx context.Context, r Refund) Answer
}
