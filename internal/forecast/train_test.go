package forecast

import (
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// more days are sold by the tills, and business goes on to the day after them.
func (c *chain) days(n int, site id.ID, products ...*catalog.Product) {
	c.t.Helper()
	for range n {
		var all []SaleDay
		for k, p := range products {
			q := qty.Qty(20+7*k+weekdayOf(c.today.Number())) * qty.Scale
			all = append(all, SaleDay{SaleKey: SaleKey{site, p.ID, c.today}, Qty: q})
		}
		c.write(func(tx *db.Tx) error { return PutTillDay(tx, site, c.today, all) })
		c.d.Clock.Add(24 * time.Hour)
		c.today = c.today.AddDays(1)
	}
}

func (c *chain) forecast() {
	c.t.Helper()
	c.write(func(tx *db.Tx) error { _, err := Enqueue(tx); return err })
	c.work()
}

func (c *chain) train() {
	c.t.Helper()
	c.write(func(tx *db.Tx) error { _, err := jobs.Enqueue(tx, jobs.Job{Kind: TrainJob}); return err })
	c.work()
}

// one figure from the database.
func (c *chain) count(text string, args ...any) (n int64) {
	c.t.Helper()
	if err := c.d.Read(c.t.Context(), func(tx *db.Tx) error { return tx.QueryRow(text, args...).Scan(&n) }); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *chain) inForce(site id.ID) (r Run, model id.ID, cutoff cal.Date) {
	c.t.Helper()
	if err := c.d.Read(c.t.Context(), func(tx *db.Tx) error {
		run, err := inForce(tx, site)
		if err != nil {
			return err
		}
		r = *run
		return tx.QueryRow(`SELECT r.model_id, m.cutoff FROM forecast_run r JOIN forecast_model m ON m.id = r.model_id WHERE r.id = $1`, r.ID).Scan(&model, &cutoff)
	}); err != nil {
		c.t.Fatal(err)
	}
	return r, model, cutoff
}

const models = `SELECT COUNT(*) FROM forecast_model WHERE ready = 1`

func TestTrainingIsWeeklyAndTheNightsBetweenForecastFromIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		roll := c.product("B002", "花卷", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		c.sold(c.mine, bun, 120, 40, 1)
		c.sold(c.theirs, roll, 120, 20, 1)
		c.train()
		if n := c.count(models); n != 0 {
			t.Fatalf("%d models before anything was forecast", n)
		}
		c.forecast() // nothing is stored: trained then, both shops together
		first, model, cutoff := c.inForce(c.mine)
		_, theirs, _ := c.inForce(c.theirs)
		if n := c.count(models); n != 1 || model != theirs || cutoff != first.Origin {
			t.Fatalf("%d models, %s and %s, cut off at %s for %s", n, model, theirs, cutoff, first.Origin)
		}
		// Once more changes nothing.
		c.forecast()
		if again, _, _ := c.inForce(c.mine); again.ID != first.ID {
			t.Errorf("the same facts make forecast %s after %s", again.ID, first.ID)
		}
		// Through the week forecasts move on, the model stays.
		c.days(6, c.mine, bun)
		c.train()
		c.forecast()
		later, m2, cutoff2 := c.inForce(c.mine)
		if later.ID == first.ID || later.Origin != c.today.AddDays(-1) || m2 != model || cutoff2 != cutoff || c.count(models) != 1 {
			t.Errorf("after six days: forecast %s of %s from model %s of %s", later.ID, later.Origin, m2, cutoff2)
		}
		// A week after its cut-off the model is trained anew, once.
		c.days(1, c.mine, bun)
		c.train()
		if n := c.count(models); n != 2 {
			t.Fatalf("%d models after a week", n)
		}
		c.train()
		c.forecast()
		_, m3, cutoff3 := c.inForce(c.mine)
		if c.count(models) != 2 || m3 == model || cutoff3 != c.today.AddDays(-1) {
			t.Errorf("%d models, the night used %s of %s", c.count(models), m3, cutoff3)
		}
		c.proven()
		// Old versions go. The other shop, which sells nothing any more, is forecast as of its last sale, and from nothing later.
		for range 4 {
			c.days(7, c.mine, bun)
			c.train()
		}
		if n := c.count(`SELECT COUNT(*) FROM forecast_memory WHERE site_id = $1`, c.mine); n != keepModels {
			t.Errorf("%d versions are kept, not %d", n, keepModels)
		}
		if n := c.count(models + ` AND id NOT IN (SELECT model_id FROM forecast_memory)`); n != 0 {
			t.Errorf("%d models are kept that nobody remembers", n)
		}
		c.forecast()
		for _, site := range []id.ID{c.mine, c.theirs} {
			if run, _, cutoff := c.inForce(site); cutoff > run.Origin || site == c.theirs && run.Origin != first.Origin {
				t.Errorf("forecast as of %s from a model of %s", run.Origin, cutoff)
			}
		}
		c.proven()
	}, tables)
}

func TestWithoutAModelThatFitsTheNightTrains(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		c.sold(c.mine, bun, 60, 40, 1)
		c.forecast()
		newest := func() int64 { return c.count(`SELECT COALESCE(MAX(id), 0) FROM forecast_model WHERE ready = 1`) }
		trained := func(why string, want bool) {
			t.Helper()
			before := newest()
			c.days(1, c.mine, bun)
			c.forecast()
			if _, model, _ := c.inForce(c.mine); (newest() != before) != want || int64(model) != newest() {
				t.Errorf("%s: trained is %v, the forecast is from %s", why, !want, model)
			}
		}
		trained("a model that fits", false)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_model SET features = 'lag1w lag2w'`) })
		trained("other features", true)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_model SET lunar = 1 - lunar`) })
		trained("another calendar", true)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_model SET cutoff = $1`, c.today.AddDays(30)) })
		trained("models of days to come", true)
		c.write(func(tx *db.Tx) error { return tx.Exec(`DELETE FROM forecast_memory`) })
		c.write(func(tx *db.Tx) error { return tx.Exec(`DELETE FROM forecast_model`) })
		trained("no model", true)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_model SET body = $1`, []byte("half a mod")) })
		trained("a model that can't be read", true)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_model SET ready = 0`) })
		trained("a training that was cut off", true)
		c.sold(c.mine, bun, 200, 44, 1)
		trained("a longer history was imported", true)
		trained("nothing new", false)
		// What a dead training left is cleared away by the next one, a day later.
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_model SET made_at = 0 WHERE ready = 0`) })
		c.days(7, c.mine, bun)
		c.train()
		if n := c.count(`SELECT COUNT(*) FROM forecast_model WHERE ready = 0`); n != 0 {
			t.Errorf("%d unfinished models are left", n)
		}
		c.proven()
	}, tables)
}

func TestProofsSeeAModelThatKnowsTheFutureAndAMemoryThatIsBroken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		c.sold(c.mine, bun, 60, 40, 1)
		c.forecast()
		c.proven()
		for _, damage := range []struct{ sql, proof, says string }{
			{`UPDATE forecast_model SET cutoff = '2031-01-01'`, "forecast_models_know_no_future", "by a model that knows 2031-01-01"},
			{`UPDATE forecast_memory SET series = series + 1`, "forecast_memories_are_whole", "it learned of 2"},
			{`UPDATE forecast_memory SET body = (SELECT m.body FROM forecast_model m WHERE m.id = forecast_memory.model_id)`, "forecast_memories_are_whole", "what model"},
		} {
			c.write(func(tx *db.Tx) error { return tx.Exec(damage.sql) })
			report, err := proof.Run(t.Context(), d.DB, Proofs())
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, p := range report.Proofs {
				for _, x := range p.Evidence {
					found = found || p.Name == damage.proof && strings.Contains(x, damage.says)
				}
			}
			if !found {
				t.Errorf("%s: the proof sees nothing: %+v", damage.sql, report)
			}
		}
	}, tables)
}
