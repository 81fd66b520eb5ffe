package app

import (
	"context"
	"log/slog"
	"sync"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/sim"
)

// Schema is every table of the house, in the order of the floors.
func Schema() []db.Migrations { return migrations }

// Proofs are what `zhanggui check` and the nightly job run.
func Proofs() []proof.Proof { return proofs() }

// Inside is the whole house without a network, for stories of its life that are packages of their own.
type Inside struct{ h *house }

// Enter puts the house together on a database. demo is nil for a real shop.
func Enter(d *db.DB, business clock.Source, demo *sim.Demo, log *slog.Logger) (*Inside, error) {
	h, err := build(d, options{log: log, business: business, demo: demo})
	if err != nil {
		return nil, err
	}
	return &Inside{h: h}, nil
}

// Start migrates and makes what a first start makes, as serve does.
func (i *Inside) Start(ctx context.Context, password string) (*org.First, error) {
	return i.h.start(ctx, password)
}

// Run keeps the background work and the demo's people going until ctx ends, and returns when all have stopped.
func (i *Inside) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { i.h.run(ctx) })
	if demo := i.h.o.demo; demo != nil {
		demo.Work(i.h.org, i.h.api)
		wg.Go(func() { demo.Run(ctx) })
	}
	wg.Wait()
}
