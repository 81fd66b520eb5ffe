package supplyday

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/replenish"
)

// night runs one and gives its end.
func (c *chain) night() (s jobs.Status) {
	c.t.Helper()
	var job id.ID
	c.write(func(tx *db.Tx) (err error) { job, err = jobs.Enqueue(tx, jobs.Job{Kind: NightJob}); return err })
	c.drain()
	c.read(func(tx *db.Tx) (err error) { s, err = jobs.Get(tx, job); return err })
	return s
}

// facts are the forecasts and plans in force.
func (c *chain) facts() (forecasts, plans string) {
	c.t.Helper()
	list := func(text string) string {
		all := ""
		c.read(func(tx *db.Tx) error {
			all = ""
			rows := tx.Query(text)
			defer rows.Close()
			for rows.Next() {
				var a, b id.ID
				if err := rows.Scan(&a, &b); err != nil {
					return err
				}
				all += fmt.Sprint(a, ":", b, " ")
			}
			return rows.Err()
		})
		return all
	}
	return list(`SELECT site_id, id FROM forecast_run WHERE applied_no > 0 ORDER BY site_id`), list(`SELECT site_id, version FROM replenish_plan ORDER BY site_id, date`)
}

func TestANightForecastsAndPlansAndOnceMoreChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		t := c.t
		c.sold(c.site.ID, yesterday)
		end := c.night()
		forecasts, plans := c.facts()
		if end.State != jobs.Done || end.Total == 0 || end.Done != end.Total || end.Total%2 != 0 || forecasts == "" || plans == "" {
			t.Fatalf("%+v, forecasts %q, plans %q", end, forecasts, plans)
		}
		var others []jobs.Status
		c.read(func(tx *db.Tx) (err error) { others, err = jobs.List(tx, jobs.Filter{Kind: PlanJob}); return err })
		if len(others) != 0 {
			t.Errorf("the night plans, and %d jobs plan it once more", len(others))
		}
		c.night()
		if f, p := c.facts(); f != forecasts || p != plans {
			t.Errorf("once more: %q %q, before %q %q", f, p, forecasts, plans)
		}
		// A night that was cut off when its forecasts were made goes on with the plans that are left.
		var sites []id.ID
		c.read(func(tx *db.Tx) error {
			sites = nil
			rows := tx.Query(`SELECT id FROM org_site ORDER BY id`)
			defer rows.Close()
			for rows.Next() {
				var s id.ID
				if err := rows.Scan(&s); err != nil {
					return err
				}
				sites = append(sites, s)
			}
			return rows.Err()
		})
		step, err := json.Marshal(nightStep{Plan: sites[:1], Total: 2 * len(sites)})
		if err != nil {
			t.Fatal(err)
		}
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_run SET fingerprint = ''`) }) // a forecast would be written again
		var job id.ID
		c.write(func(tx *db.Tx) (err error) {
			if job, err = jobs.Enqueue(tx, jobs.Job{Kind: NightJob}); err != nil {
				return err
			}
			return tx.Exec(`UPDATE jobs_job SET step = $1 WHERE id = $2`, string(step), job)
		})
		c.drain()
		c.read(func(tx *db.Tx) (err error) { end, err = jobs.Get(tx, job); return err })
		if f, _ := c.facts(); f != forecasts || end.State != jobs.Done || end.Done != end.Total {
			t.Errorf("a night that was cut off: %+v, forecasts %q, before %q", end, f, forecasts)
		}
	})
}

// Whoever confirms line after line in the morning is faster than a plan is made: the work comes back for that site, and is not over.
func TestAPlanThatPeopleOvertakeComesBack(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		end := func(kind string, err error) (s jobs.Status) {
			c.runner.Handle(kind, func(context.Context, *jobs.Run) error { return err })
			var job id.ID
			c.write(func(tx *db.Tx) (err error) { job, err = jobs.Enqueue(tx, jobs.Job{Kind: kind}); return err })
			if err := c.runner.Drain(c.t.Context()); err != nil {
				c.t.Fatal(err)
			}
			c.read(func(tx *db.Tx) (err error) { s, err = jobs.Get(tx, job); return err })
			return s
		}
		stale := end("test.overtaken", overtaken(fmt.Errorf("site: %w", replenish.ErrStale)))
		if stale.State != jobs.Waiting || stale.Tries != 1 || stale.Error == "" {
			c.t.Errorf("overtaken: %+v", stale)
		}
		for _, err := range []error{replenish.ErrStale, overtaken(replenish.ErrNoPlan)} {
			if s := end("test."+errs.As(err).Code, err); s.State != jobs.Failed {
				c.t.Errorf("%v: %+v", err, s)
			}
		}
	})
}
