package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/flow/books"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/flow/clearance"
	"zhanggui/internal/flow/conversion"
	"zhanggui/internal/flow/intake"
	"zhanggui/internal/flow/learn"
	"zhanggui/internal/flow/making"
	"zhanggui/internal/flow/supplyday"
	"zhanggui/internal/forecast"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/port/pay"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/price"
	"zhanggui/internal/produce"
	"zhanggui/internal/purchase"
	"zhanggui/internal/replenish"
	"zhanggui/internal/report"
	"zhanggui/internal/sim"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
	webapps "zhanggui/web"
)

// migrations in the order of the floors: tables refer downward only.
var migrations = []db.Migrations{
	once.Migrations, outbox.Migrations, jobs.Migrations,
	org.Migrations, ledger.Migrations,
	catalog.Migrations, party.Migrations,
	stock.Migrations, price.Migrations, till.Migrations, forecast.Migrations, produce.Migrations, replenish.Migrations, purchase.Migrations, clear.Migrations,
	intake.Migrations, learn.Migrations, report.Migrations,
	sim.Migrations,
	ownMigrations,
}

// proofs are what `zhanggui check` and the nightly job run.
func proofs() []proof.Proof {
	var all []proof.Proof
	for _, of := range []func() []proof.Proof{org.Proofs, ledger.Proofs, stock.Proofs, price.Proofs, till.Proofs, forecast.Proofs, produce.Proofs, replenish.Proofs, purchase.Proofs, clear.Proofs, checkout.Proofs, clearance.Proofs, supplyday.Proofs, making.Proofs, books.Proofs, report.Proofs} {
		all = append(all, of()...)
	}
	return all
}

// liveTo says which permission lets people learn that something changed, by the package that says so.
var liveTo = map[string]string{
	"catalog": "goods.read", "party": "party.read", "price": "goods.read", "stock": "stock.read",
	"till": "sales.read", "checkout": "sales.read", "refund": "sales.read",
	"forecast": "forecast.read", "intake": "import.run", "import": "import.run", "check": "check.read",
	"produce": "make.read", "plan": "plan.read", "purchase": "purchase.read", "clear": "clear.read",
	"attendance": "attendance.clock",
}

type options struct {
	log        *slog.Logger
	business   clock.Source
	trustProxy bool
	production bool
	pay        string                        // "", "none" or "simulated"
	demo       *sim.Demo                     // nil: a real shop
	onFault    func(operation, fault string) // tests: an answer that is not as the document says
}

// house is every part of a running installation.
type house struct {
	o       options
	d       *db.DB
	org     *org.Org
	api     *web.API
	live    *web.Live
	goods   *catalog.Service
	prices  *price.Service
	sales   *checkout.Service
	imports *intake.Service
	figures *report.Service
	relay   *outbox.Relay
	tail    *outbox.Tail
	runner  *jobs.Runner
}

// outside is the API before the database is open: health, version, pages, and "starting" for the rest.
func outside(o options) *web.API {
	api := web.New(web.Options{Log: o.log, Version: buildVersion(), TrustProxy: o.trustProxy})
	api.Pages(web.NewPages(webapps.Files()))
	return api
}

// build makes the parts and joins them. With d nil nothing runs; the document can still be read.
func build(d *db.DB, o options) (*house, error) {
	if o.log == nil {
		o.log = slog.Default()
	}
	h := &house{o: o, d: d}
	h.org = org.New(org.Options{Permissions: permissions, Roles: roles, Log: o.log, Demo: o.demo != nil})
	h.api = web.New(web.Options{SignedIn: h.org.SignedIn, Log: o.log, Version: buildVersion(), TrustProxy: o.trustProxy, OnFault: o.onFault})
	h.api.Pages(web.NewPages(webapps.Files()))
	h.relay = outbox.NewRelay(d, o.log)
	h.runner = jobs.NewRunner(d, workers, o.log)
	h.tail = outbox.NewTail(d, o.log)

	h.goods = catalog.New(d)
	h.prices = price.New(d, h.goods)
	counter := till.New()
	provider, err := o.provider()
	if err != nil {
		return nil, err
	}
	h.sales = checkout.New(d, h.goods, h.prices, checkout.Options{Provider: provider, Log: o.log})

	planner := forecast.New(h.goods)
	h.imports = intake.New(d, intake.Options{Org: h.org, Goods: h.goods, Prices: h.prices, Log: o.log})

	days := supplyday.New(h.goods, planner, h.prices, h.org)
	clearing := clearance.New(h.goods, h.prices, o.log)
	closing := books.New(h.org)
	h.figures = report.New(h.goods, h.prices)

	ledger.Routes(h.api, zone)
	stock.Routes(h.api)
	purchase.Routes(h.api)
	for _, part := range []interface{ Routes(*web.API) }{h.org, h.goods, h.prices, counter, h.sales, planner, h.imports, making.New(h.goods), conversion.New(h.goods, h.prices), party.New(partyGoods{h.goods}), days, clearing, closing, h.figures} {
		part.Routes(h.api)
	}
	o.demo.Routes(h.api)
	h.jobRoutes()
	h.checkRoutes()
	h.live = h.api.Live(liveTo)

	stock.Subscribe(h.relay)
	learn.Subscribe(h.relay)
	days.Subscribe(h.relay)
	report.Subscribe(h.relay)

	stock.Jobs(h.runner)
	purchase.Jobs(h.runner)
	learn.Jobs(h.runner)
	making.Jobs(h.runner)
	planner.Jobs(h.runner)
	days.Jobs(h.runner)
	clearing.Jobs(h.runner)
	closing.Jobs(h.runner)
	h.figures.Jobs(h.runner)
	org.AttendanceJobs(h.runner)
	h.imports.Jobs(h.runner)
	h.runner.Handle(checkJob, h.runChecks)
	h.runner.DailyAt(checkJob, nightly)
	h.runner.Handle(tidyJob, h.tidy)
	h.runner.DailyAt(tidyJob, nightly)
	return h, nil
}

// workers run jobs on one node: a long import must not keep the forecasts waiting.
const workers = 2

// zone is the time zone of a site that the caller may see.
func zone(ctx context.Context, site id.ID) *time.Location {
	s, err := org.SiteFor(ctx, "ledger.read", site)
	if err != nil {
		return time.UTC
	}
	return s.Location()
}

// start migrates, makes what a first start makes, and lets requests in.
func (h *house) start(ctx context.Context, password string) (*org.First, error) {
	if err := h.d.Migrate(ctx, migrations...); err != nil {
		return nil, err
	}
	first, err := h.org.Start(ctx, h.d, password)
	if err != nil {
		return nil, err
	}
	if h.o.demo == nil {
		if err := h.seed(ctx); err != nil {
			return nil, err
		}
	}
	h.live.Use(h.tail)
	h.count()
	h.api.Open(h.d)
	return first, nil
}

// count shows in the metrics how the database is used.
func (h *house) count() {
	gauge := func(name, help string, read func() int64) {
		h.api.Metrics().MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(read()) })) //allow:float what the metrics library takes
	}
	gauge("zhanggui_db_acts", "Runs of acts since the start.", func() int64 { return h.d.Stats().Acts })
	gauge("zhanggui_db_commits", "Transactions committed since the start.", func() int64 { return h.d.Stats().Commits })
	gauge("zhanggui_db_reruns", "Runs of acts after the first, since the start.", func() int64 { return h.d.Stats().Reruns })
	gauge("zhanggui_db_waiting", "Acts that wait for the database.", func() int64 { return int64(h.d.Waiting()) })
}

// flushEvery is how often the last use of sessions is stored.
const flushEvery = 10 * time.Second

// run keeps the background work going until ctx ends, and returns when all of it has stopped.
func (h *house) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, part := range []func(context.Context){h.relay.Run, h.runner.Run, h.tail.Run, h.goods.Run, h.prices.Run, h.imports.Run, h.flushing, h.asking, h.watching} {
		wg.Go(func() { part(ctx) })
	}
	wg.Wait()
}

func (h *house) flushing(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		one, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		if err := h.org.Flush(one); err != nil {
			h.o.log.Error("the last use of sessions could not be stored", "error", err.Error())
		}
		cancel()
	}
}

// askEvery is how often mobile payments without a definite answer are looked for.
const askEvery = 2 * time.Second

// asking asks the provider again about payments whose answer is not known. It is no job: every node
// may do it, as asking changes nothing that asking again would not.
func (h *house) asking(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if _, err := h.sales.AskOpen(ctx); err != nil && ctx.Err() == nil {
			h.o.log.Error("open payments could not be asked about", "error", err.Error())
		}
		// After the asking: goods whose payment has come meanwhile are sold by now.
		if _, err := ledger.ExpireHolds(ctx, h.d); err != nil && ctx.Err() == nil {
			h.o.log.Error("what was held too long could not be freed", "error", err.Error())
		}
		if err := ledger.EndAllowances(ctx, h.d); err != nil && ctx.Err() == nil {
			h.o.log.Error("allowances that are over could not be ended", "error", err.Error())
		}
	}
}

// watching keeps in memory which days are closed, which kinds of documents are stopped, and which batches serve first.
func (h *house) watching(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { ledger.Watch(ctx, h.d) })
	both.Go(func() { stock.WatchPolicies(ctx, h.d) })
	both.Wait()
}

// provider is who takes mobile payments.
func (o options) provider() (pay.Provider, error) {
	switch o.pay {
	case "none":
		return nil, nil
	case "":
		if o.production {
			return nil, nil
		}
	case "simulated":
	default:
		return nil, fmt.Errorf("unknown payment provider %q: none or simulated", o.pay)
	}
	business := o.business
	if business == nil {
		business = clock.Wall
	}
	return pay.NewSimulator(business, pay.Pays, o.production)
}

// tidyJob forgets each night what nobody needs any more.
const tidyJob = "tidy"

const (
	keepEvents = 7 * 24 * time.Hour
	keepJobs   = 90 * 24 * time.Hour
)

func (h *house) tidy(ctx context.Context, run *jobs.Run) error {
	now := clock.Wall.Now()
	_, err1 := once.Purge(ctx, h.d, now)
	_, err2 := outbox.Purge(ctx, h.d, now.Add(-keepEvents))
	_, err3 := jobs.Purge(ctx, h.d, now.Add(-keepJobs))
	if err := errors.Join(err1, err2, err3, h.org.Sweep(ctx, h.d), h.tidyReports(ctx)); err != nil {
		return fmt.Errorf("tidying: %w", err)
	}
	return nil
}
