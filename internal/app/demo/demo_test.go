// Package demo_test tells the life of a demo: made, killed, gone on with, removed.
package demo_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/app"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/sim"
)

// smallChain is a demo that is made in seconds.
var smallChain = sim.Size{Stores: 2, Products: 10, Days: 40}

// demoServer is a server on a demo, without the network.
type demoServer struct {
	d    *db.DB
	demo *sim.Demo
	stop func() // as a person stops it
	kill func() // as a power cut does: nothing is said any more
}

// serveDemo starts a server on the database, as serve --demo does.
func serveDemo(t *testing.T, dsn string) *demoServer {
	t.Helper()
	ctx := context.Background()
	business := clock.NewBusiness()
	d, err := db.Open(ctx, dsn, db.Options{Business: business, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(ctx, app.Schema()...); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	say := slog.New(slog.NewTextHandler(&locked{w: &log}, nil))
	demo, err := sim.Open(ctx, d, true, sim.Options{Clock: business, Speed: 60, Log: say, Today: "2026-11-24", Size: smallChain})
	if err != nil {
		t.Fatal(err)
	}
	h, err := app.Enter(d, app.Entry{Business: business, Demo: demo, Log: say})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Start(ctx, "Demo-house-2026"); err != nil {
		t.Fatal(err)
	}
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { h.Run(run) })
	stopped := false
	s := &demoServer{d: d, demo: demo}
	end := func(leave func() error) {
		if stopped {
			return
		}
		stopped = true
		cancel()
		wg.Wait()
		if err := leave(); err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if text := log.String(); strings.Contains(text, "broke off") {
			t.Errorf("the demo did not go through:\n%.2000s", text)
		} else if strings.Contains(text, "were refused") { // whoever is refused leaves out a part of the day
			t.Errorf("the house refused what people ask every day:\n%.2000s", text)
		}
	}
	s.stop = func() { end(func() error { return demo.Leave(ctx) }) }
	s.kill = func() {
		end(func() error { // and the time goes by in which it is believed alive
			return d.Write(ctx, func(tx *db.Tx) error { return tx.Exec(`UPDATE sim_demo SET beat_at = 0`) })
		})
	}
	t.Cleanup(s.stop)
	return s
}

type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// until waits for the demo to be so far.
func (s *demoServer) until(t *testing.T, far func(sim.Status) bool) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); !far(s.demo.Status()); {
		if time.Now().After(deadline) {
			t.Fatalf("the demo stays at %+v", s.demo.Status())
		}
		<-time.After(5 * time.Millisecond)
	}
}

func count(t *testing.T, d *db.DB, sql string) (n int64) {
	t.Helper()
	//allow:sql the statements of the tests below
	if err := d.Read(context.Background(), func(tx *db.Tx) error { return tx.QueryRow(sql).Scan(&n) }); err != nil {
		t.Fatal(sql, err)
	}
	return n
}

// TestTheDemoLivesThroughItsDaysThoughItIsKilled cuts the server off in the import, in the first day and in the
// second; what came in is whole, nothing is there twice, and every proof holds.
func TestTheDemoLivesThroughItsDaysThoughItIsKilled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, fresh *dbtest.DB) {
		t.Parallel() // most of the time is waiting for schedules
		s := serveDemo(t, fresh.DSN)
		s.until(t, func(now sim.Status) bool { return now.Step == "sales" && now.Phase == "import" })
		s.kill()
		s = serveDemo(t, fresh.DSN)
		s.until(t, func(now sim.Status) bool { return now.Phase == "catch_up" && now.Done > 600 })
		s.kill()
		s = serveDemo(t, fresh.DSN)
		s.until(t, func(now sim.Status) bool { return now.Phase == "catch_up" && now.Done > 1500 })
		s.kill()
		s = serveDemo(t, fresh.DSN)
		s.until(t, func(now sim.Status) bool { return now.Phase == "live" })
		s.stop()

		d := fresh.DB
		for what, sql := range map[string]string{
			"rows refused":             `SELECT COALESCE(SUM(rows_refused), 0) FROM intake_import`,
			"imports that failed":      `SELECT COUNT(*) FROM intake_import WHERE state IN ('refused', 'cancelled')`,
			"opening batches twice":    `SELECT COUNT(*) - COUNT(DISTINCT CAST(site_id AS TEXT) || '/' || CAST(sku_id AS TEXT)) FROM stock_batch WHERE code = 'OPEN'`,
			"rounds made twice":        `SELECT COUNT(*) FROM replenish_production l JOIN replenish_plan p ON p.id = l.plan_id AND p.version = l.version WHERE l.made > l.make`,
			"receipts beyond an order": `SELECT COUNT(*) FROM purchase_line WHERE received > qty`,
			"sales without a customer": `SELECT COUNT(*) FROM till_sale WHERE caller_key NOT LIKE '2026-11-2%/sale/%'`,
			"customers served twice":   `SELECT COUNT(*) - COUNT(DISTINCT caller_key) FROM till_sale`,
		} {
			if n := count(t, d, sql); n != 0 {
				t.Errorf("%s: %d", what, n)
			}
		}
		for what, sql := range map[string]string{
			"sales":           `SELECT COUNT(*) FROM till_sale WHERE state = 'paid'`,
			"of the day":      `SELECT COUNT(*) FROM till_sale WHERE business_date = '2026-11-24'`,
			"made":            `SELECT COUNT(*) FROM produce_output`,
			"orders":          `SELECT COUNT(*) FROM purchase_order`,
			"written off":     `SELECT COUNT(*) FROM ledger_transfer WHERE doc_kind = 22`,
			"marked down":     `SELECT COUNT(*) FROM till_line WHERE markdown_id > 0`,
			"forecasts":       `SELECT COUNT(*) FROM forecast_run WHERE applied_no > 0`,
			"stores in reach": `SELECT COUNT(*) FROM replenish_near`,
			"festivals":       `SELECT COUNT(*) FROM replenish_event WHERE kind = 'festival'`,
			"days in history": `SELECT COUNT(*) FROM forecast_sale_day WHERE date = '2026-11-23'`,
		} {
			if n := count(t, d, sql); n == 0 {
				t.Errorf("%s: none", what)
			}
		}
		report, err := proof.Run(context.Background(), d, app.Proofs())
		if err != nil || !report.OK {
			t.Errorf("the books are wrong: %v %+v", err, report)
		}
	}, dbtest.With(app.Schema()...))
}

func TestADemoIsNeverMadeInAShopAndAShopIsNeverRemoved(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, fresh *dbtest.DB) {
		ctx := context.Background()
		d := fresh.DB
		h, err := app.Enter(d, app.Entry{Business: clock.Wall})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Start(ctx, "Real-shop-2026"); err != nil {
			t.Fatal(err)
		}
		o := sim.Options{Clock: clock.NewBusiness(), Size: smallChain}
		if _, err := sim.Open(ctx, d, true, o); errs.Code(err) != sim.ErrShop.Code {
			t.Errorf("a demo in a shop: %v", err)
		}
		if demo, err := sim.Open(ctx, d, false, o); demo != nil || err != nil {
			t.Errorf("a shop is a demo: %v", err)
		}
		if err := sim.Remove(ctx, d, app.Schema()...); errs.Code(err) != sim.ErrNoDemo.Code {
			t.Errorf("a shop removed: %v", err)
		}
		if n := count(t, d, `SELECT COUNT(*) FROM catalog_product`); n != 2 {
			t.Errorf("%d products left", n)
		}
	}, dbtest.With(app.Schema()...))
}

func TestADemoIsRemovedOnlyWhenNobodyServesIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, fresh *dbtest.DB) {
		ctx := context.Background()
		s := serveDemo(t, fresh.DSN)
		s.until(t, func(now sim.Status) bool { return now.Running })
		if err := sim.Remove(ctx, fresh.DB, app.Schema()...); errs.Code(err) != sim.ErrInUse.Code {
			t.Errorf("removed under its server: %v", err)
		}
		business := clock.NewBusiness()
		if _, err := sim.Open(ctx, fresh.DB, true, sim.Options{Clock: business}); errs.Code(err) != sim.ErrInUse.Code {
			t.Errorf("two servers on one demo: %v", err)
		}
		s.stop()
		if err := sim.Remove(ctx, fresh.DB, app.Schema()...); err != nil {
			t.Fatal(err)
		}
		h, err := app.Enter(fresh.DB, app.Entry{Business: clock.Wall})
		if err != nil {
			t.Fatal(err)
		}
		first, err := h.Start(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if !first.Made || first.Password == "" {
			t.Error("no administrator of the new house")
		}
		for what, want := range map[string]int64{`SELECT COUNT(*) FROM org_site`: 1, `SELECT COUNT(*) FROM org_staff`: 1, `SELECT COUNT(*) FROM till_sale`: 0,
			`SELECT COUNT(*) FROM forecast_sale_day`: 0, `SELECT COUNT(*) FROM sim_demo`: 0} {
			if n := count(t, fresh.DB, what); n != want {
				t.Errorf("%s: %d, want %d", what, n, want)
			}
		}
	}, dbtest.With(app.Schema()...))
}
