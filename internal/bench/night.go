package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// NightReport is what the work of the night does to tills that sell beside it, as in a shop that never shuts.
type NightReport struct {
	Engine   string  `json:"engine"`
	Sites    int     `json:"sites"`
	Fresh    int     `json:"fresh"` // products of each site that are forecast
	Shelf    int     `json:"shelf"` // products that are ordered by their level
	Rows     int     `json:"history_rows"`
	Orders   int64   `json:"lines"` // lines of the plans
	Failed   int64   `json:"failed"`
	Alone    Selling `json:"alone"`
	Training Selling `json:"training"` // the first night: models are trained, plans made
	Nightly  Selling `json:"nightly"`  // another night, by what was trained
}

// Selling is what tills do beside something that lasts so long.
type Selling struct {
	Seconds float64 `json:"seconds"`
	Sales   int64   `json:"sales"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Ratio   float64 `json:"p99_ratio"` // to p99 alone
}

// Evening sells at a steady pace, alone and then while forecasts and plans are made through the API: of so many days of
// history of `fresh` products at each site. All others of o.SKUs are below their level, and each becomes a line.
func Evening(ctx context.Context, h House, o SaleOptions, fresh, days int, server []string) (*NightReport, error) {
	o.Note("making the fixture")
	f, err := makeFixture(ctx, h, o)
	if err != nil {
		return nil, err
	}
	if err := f.supply(ctx, h, fresh); err != nil {
		return nil, err
	}
	child, tills, api, err := openShop(ctx, h, f, o, server)
	if err != nil {
		return nil, err
	}
	defer child.stop()
	r := &NightReport{Engine: h.DB.Engine().String(), Sites: o.Sites, Fresh: fresh, Shelf: o.SKUs - fresh, Rows: o.Sites * fresh * days}
	o.Note("importing the history")
	past := &fixture{sites: f.sites, products: f.products[:fresh]}
	if _, err := api.importSales(ctx, past.history(r.Rows)); err != nil {
		return nil, err
	}
	if err := api.rest(ctx); err != nil {
		return nil, err
	}
	if err := h.DB.Vacuum(ctx); err != nil {
		return nil, err
	}
	beside := func(s *Selling, work func() error) error {
		var failure error
		done := make(chan time.Time)
		go func() {
			failure = work()
			close(done)
		}()
		got, err := sellUntil(ctx, tills, done)
		if err != nil {
			return err
		}
		slices.Sort(got.times)
		*s = Selling{Seconds: round3(got.seconds), Sales: got.sales, P50: round3(quantile(got.times, .5)), P99: round3(quantile(got.times, .99))}
		r.Failed += got.failed
		<-done
		return failure
	}
	night := func() error {
		for _, path := range []string{"/api/forecasts/run", "/api/plans/run"} {
			if err := api.job(ctx, path); err != nil {
				return err
			}
		}
		return api.rest(ctx)
	}
	o.Note("selling alone")
	if err := beside(&r.Alone, func() error { return pause(ctx, time.Duration(o.Seconds)*time.Second) }); err != nil {
		return nil, err
	}
	o.Note("selling beside a night that trains")
	if err := beside(&r.Training, night); err != nil {
		return nil, err
	}
	o.Note("selling beside a night")
	if err := beside(&r.Nightly, night); err != nil {
		return nil, err
	}
	var plans struct {
		Items []struct{ Rounds, Proposals int64 }
	}
	if err := api.call(ctx, http.MethodGet, "/api/plans?limit=100", "", nil, &plans); err != nil {
		return nil, err
	}
	for _, p := range plans.Items {
		r.Orders += p.Rounds + p.Proposals
	}
	for _, s := range []*Selling{&r.Alone, &r.Training, &r.Nightly} {
		s.Ratio = round3(s.P99 / r.Alone.P99)
	}
	return r, nil
}

// supply names a supplier for all goods, and a level that they are below for all but the first.
func (f *fixture) supply(ctx context.Context, h House, fresh int) error {
	return h.DB.Write(ctx, func(tx *db.Tx) error {
		s, err := party.AddSupplier(tx, party.SupplierDraft{Code: "S1", Name: "测速供应商"})
		if err != nil {
			return err
		}
		for part := range slices.Chunk(f.products, inDocument) {
			var terms []party.Terms
			for _, p := range part {
				terms = append(terms, party.Terms{Supplier: s.ID, Product: p.id, Pack: 6 * qty.Scale, Unit: qty.Unit{Name: fixtureUnit, Num: 1, Den: 1}, Price: 600_000,
					MinPacks: 1, Class: party.Fresh, Days: party.EveryDay, CutOff: 960})
			}
			if err := party.PutTerms(tx, 0, terms); err != nil {
				return err
			}
		}
		for _, p := range f.products[fresh:] {
			if err := replenish.PutPolicy(tx, 0, replenish.Policy{Product: p.id, Mode: replenish.Static, Safety: 4 * plenty, Most: 4*plenty + 60*qty.Scale, Review: replenish.DefaultReview,
				On: [3]replenish.Execution{replenish.Suggest, replenish.Suggest, replenish.Suggest}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// job starts background work and waits for its end.
func (c *caller) job(ctx context.Context, path string) error {
	var j struct{ ID, State, Error string }
	if err := c.call(ctx, http.MethodPost, path, "application/json", []byte(`{}`), &j); err != nil {
		return err
	}
	for {
		if err := c.call(ctx, http.MethodGet, "/api/jobs/"+j.ID, "", nil, &j); err != nil {
			return err
		}
		switch j.State {
		case "done":
			return nil
		case "failed", "cancelled":
			return fmt.Errorf("%s ended as %s: %s", path, j.State, j.Error)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// rest waits until nothing works in the background, what follows of itself included.
func (c *caller) rest(ctx context.Context) error {
	for quiet := 0; quiet < 3; quiet++ {
		var jobs struct {
			Items []struct {
				State string
				RunAt time.Time `json:"run_at"`
			}
		}
		if err := c.call(ctx, http.MethodGet, "/api/jobs?limit=50", "", nil, &jobs); err != nil {
			return err
		}
		for _, j := range jobs.Items {
			if j.State == "running" || j.State == "waiting" && j.RunAt.Before(time.Now()) {
				quiet = -1
			}
		}
		if err := pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
