package app

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
)

//go:embed migrations/*.sql
var ownFiles embed.FS

var ownMigrations = db.Migrations{Package: "app", FS: ownFiles}

// checkJob runs the proofs and keeps what they found.
const checkJob = "check"

// keepReports is how long the results of checks are kept; the newest is kept for ever.
const keepReports = 400 * 24 * time.Hour

// nightly is 03:30 by the first site's clock: after the day is over, before the next begins.
func nightly(tx *db.Tx) ([]jobs.Daily, error) {
	sites, err := org.AllSites(tx)
	if err != nil || len(sites) == 0 {
		return nil, err
	}
	return []jobs.Daily{{Key: "night", Loc: sites[0].Location(), At: 3*time.Hour + 30*time.Minute}}, nil
}

func (h *house) runChecks(ctx context.Context, run *jobs.Run) error {
	all := proofs()
	report := proof.Report{OK: true, Proofs: []proof.Finding{}}
	for i, p := range all {
		run.Progress(ctx, int64(i), int64(len(all)), p.Name)
		one, err := proof.Run(ctx, h.d, []proof.Proof{p})
		if err != nil {
			return err
		}
		report.OK = report.OK && one.OK
		report.Proofs = append(report.Proofs, one.Proofs...)
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	run.Progress(ctx, int64(len(all)), int64(len(all)), "")
	stopped, err := ledger.Judge(ctx, h.d, report.Proofs)
	if err != nil {
		return err
	}
	if !report.OK {
		h.o.log.Error("a check is red", "stopped", stopped, "report", string(text))
	}
	return h.d.Write(ctx, func(tx *db.Tx) error {
		made := id.New()
		if err := tx.Exec(`INSERT INTO app_report (id, at, ok, report) VALUES ($1, $2, $3, $4)`, made, clock.Wall.Now(), report.OK, string(text)); err != nil {
			return err
		}
		return outbox.Emit(tx, outbox.Event{Type: "check.done.v1", Subject: made, Body: map[string]bool{"ok": report.OK}})
	})
}

func (h *house) tidyReports(ctx context.Context) error {
	return h.d.Write(ctx, func(tx *db.Tx) error {
		return tx.Exec(`DELETE FROM app_report WHERE at < $1 AND id < (SELECT MAX(id) FROM app_report)`, clock.Wall.Now().Add(-keepReports))
	})
}

// Checks is the newest result of the proofs, and the run that is under way.
type Checks struct {
	At     *time.Time      `json:"at,omitempty" doc:"when the result was found; missing before the first run"`
	OK     bool            `json:"ok"`
	Proofs []proof.Finding `json:"proofs"`
	Run    *jobs.Status    `json:"run,omitempty" doc:"the newest run"`
}

// Started names the job that a long act has become.
type Started struct {
	JobID id.ID `json:"job_id"`
}

func (h *house) checkRoutes() {
	web.Get(h.api, web.Route{Path: "/api/checks", Name: "get-checks", Summary: "What the proofs found last", Perm: "check.read", Scope: web.Whole},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*Checks, error) {
			c := &Checks{Proofs: []proof.Finding{}}
			var at time.Time
			var text string
			switch err := tx.QueryRow(`SELECT at, report FROM app_report ORDER BY id DESC LIMIT 1`).Scan(&at, &text); {
			case err == nil:
				var r proof.Report
				if err := json.Unmarshal([]byte(text), &r); err != nil {
					return nil, err
				}
				c.At, c.OK, c.Proofs = &at, r.OK, r.Proofs
			case !errors.Is(err, db.ErrNoRow):
				return nil, err
			}
			last, err := jobs.List(tx, jobs.Filter{Kind: checkJob, Limit: 1})
			if err == nil && len(last) == 1 {
				c.Run = &last[0]
			}
			return c, err
		})
	web.Post(h.api, web.Route{Path: "/api/checks/run", Name: "run-checks", Summary: "Run the proofs now", Perm: "check.run", Scope: web.Whole},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*Started, error) {
			job, err := jobs.Enqueue(tx, jobs.Job{Kind: checkJob, Only: "check"})
			tx.AfterCommit(h.runner.Wake)
			return &Started{job}, err
		})
}

// jobRoutes show background work. The list is for those who see the whole group, for notes and keys
// speak of all sites; the progress of a job whose id one was given is for everybody with the permission.
func (h *house) jobRoutes() {
	type list struct {
		web.Paging
		Kind  string `query:"kind" maxLength:"60"`
		State string `query:"state" enum:"waiting,running,done,failed,cancelled"`
	}
	web.Get(h.api, web.Route{Path: "/api/jobs", Name: "list-jobs", Summary: "Background work, newest first", Perm: "jobs.read", Scope: web.Whole},
		func(ctx context.Context, tx *db.Tx, in *list) (*web.Page[jobs.Status], error) {
			var before id.ID
			if _, err := in.Seek(&before); err != nil {
				return nil, err
			}
			limit := in.Limit
			all, err := jobs.List(tx, jobs.Filter{Kind: in.Kind, State: jobs.State(in.State), Before: before, Limit: min(limit+1, web.MaxLimit)})
			if err != nil {
				return nil, err
			}
			page := web.PageOf(in.Paging, all, func(j jobs.Status) string { return web.Cursor(j.ID) })
			if page.Next == "" && len(all) == web.MaxLimit {
				page.Next = web.Cursor(all[len(all)-1].ID)
			}
			return page, nil
		})
	web.Get(h.api, web.Route{Path: "/api/jobs/{id}", Name: "get-job", Summary: "How far a job is", Perm: "jobs.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*jobs.Status, error) {
			j, err := jobs.Get(tx, in.ID)
			if err != nil {
				return nil, err
			}
			if !org.SitesOf(ctx, "jobs.read").All {
				j.Key, j.Note, j.Error = "", "", ""
			}
			return &j, nil
		})
}
