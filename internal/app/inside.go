package app

import (
	"context"
	"log/slog"
	"sync"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/report"
	"zhanggui/internal/sim"
)

// Schema is every table of the house, in the order of the floors.
func Schema() []db.Migrations { return migrations }

// Proofs are what `zhanggui check` and the nightly job run.
func Proofs() []proof.Proof { return proofs() }

// Permissions and Roles are what people can be allowed, and the roles that come with the house.
func Permissions() []org.Permission { return permissions }
func Roles() []org.BuiltIn          { return roles }

// Inside is the whole house without a network, for stories of its life that are packages of their own.
type Inside struct{ h *house }

// Entry is what a story says of the house it enters.
type Entry struct {
	Business clock.Source // nil: the time of the machine
	Demo     *sim.Demo    // nil: a real shop
	Log      *slog.Logger
	OnFault  func(operation, fault string) // told of every answer that is not as the document says
}

// Enter puts the house together on a database. With d nil nothing runs; routes and document can still be read.
func Enter(d *db.DB, e Entry) (*Inside, error) {
	h, err := build(d, options{log: e.Log, business: e.Business, demo: e.Demo, onFault: e.OnFault})
	if err != nil {
		return nil, err
	}
	return &Inside{h: h}, nil
}

// API, Jobs, Relay and Figures are the parts that a story moves by hand.
func (i *Inside) API() *web.API            { return i.h.api }
func (i *Inside) Jobs() *jobs.Runner       { return i.h.runner }
func (i *Inside) Relay() *outbox.Relay     { return i.h.relay }
func (i *Inside) Figures() *report.Service { return i.h.figures }

// Start migrates and makes what a first start makes, as serve does.
func (i *Inside) Start(ctx context.Context, password string) (*org.First, error) {
	return i.h.start(ctx, password)
}

// Run keeps the background work and the demo's people going until ctx ends, and returns when all have stopped.
func (i *Inside) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { i.h.run(ctx) })
	if demo := i.h.o.demo; demo != nil {
		demo.Work(i.h.org, i.h.api, i.h.runner.Look)
		wg.Go(func() { demo.Run(ctx) })
	}
	wg.Wait()
}
