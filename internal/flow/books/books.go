// Package books shows the ledger to people and closes it: accounts and flows with what is behind them, periods, negative
// balances that somebody allows, kinds of documents that are stopped. See README.md.
package books

import (
	"context"
	"fmt"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
)

// Permissions of the routes.
const (
	permRead    = "ledger.read"
	permClose   = "ledger.close"
	permAllow   = "ledger.allow"
	permCheck   = "check.read"
	permRelease = "check.release"
)

// Job closes and seals days.
const Job = "books"

// Service serves the routes and does the job.
type Service struct {
	org    *org.Org
	sealer ledger.Sealer
}

// New makes the service.
func New(o *org.Org) *Service {
	return &Service{org: o, sealer: ledger.Sealer{Sources: []ledger.SealSource{sealSales}}}
}

// Proofs are those over sealed days.
func Proofs() []proof.Proof { return []proof.Proof{New(nil).sealer.Proof()} }

// sealSales puts the sales of a day into its seal, without what may change later.
func sealSales(tx *db.Tx, site id.ID, day cal.Date, row func(string)) error {
	rows := tx.Query(`SELECT s.id, s.register_id, s.slip_no, s.staff_id, s.sold_at, s.total_fen, s.tax_fen, COALESCE(l.line_no, 0), COALESCE(l.product_id, 0), COALESCE(l.unit_id, 0),
			COALESCE(l.qty, 0), COALESCE(l.base_qty, 0), COALESCE(l.price_fen, 0), COALESCE(l.amount_fen, 0), COALESCE(l.tax_fen, 0)
		FROM till_register r CROSS JOIN till_sale s LEFT JOIN till_line l ON l.sale_id = s.id WHERE r.site_id = $1 AND s.register_id = r.id AND s.business_date = $2 ORDER BY s.id, l.line_no`, site, day)
	for rows.Next() {
		var n [15]int64
		to := make([]any, len(n))
		for i := range n {
			to[i] = &n[i]
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		row(fmt.Sprint(n))
	}
	return rows.Err()
}

// --- the job

type closeArgs struct {
	SiteID  id.ID    `json:"site_id"`
	Through cal.Date `json:"through,omitempty"`
	Month   string   `json:"month,omitempty"`
	StaffID id.ID    `json:"staff_id"`
}

// night is 04:30 by the first site's clock, after the checks.
const night = 4*time.Hour + 30*time.Minute

// Jobs registers the work: every night, and when a person asks.
func (s *Service) Jobs(r *jobs.Runner) {
	r.Handle(Job, s.run)
	r.Handle(closeJob, s.runClose)
	r.DailyAt(Job, func(tx *db.Tx) ([]jobs.Daily, error) {
		sites, err := org.AllSites(tx)
		if err != nil || len(sites) == 0 {
			return nil, err
		}
		return []jobs.Daily{{Key: "night", Loc: sites[0].Location(), At: night}}, nil
	})
}

// closeJob is a close that a person has asked for.
const closeJob = "books.close"

func (s *Service) run(ctx context.Context, run *jobs.Run) error {
	return s.sealer.Nightly(ctx, run.DB(), today)
}

func (s *Service) runClose(ctx context.Context, run *jobs.Run) error {
	var a closeArgs
	if err := run.Args(&a); err != nil {
		return err
	}
	var site *org.Site
	var now time.Time
	if err := run.DB().Read(ctx, func(tx *db.Tx) (err error) {
		now = tx.Now()
		site, err = org.SiteByID(tx, a.SiteID)
		return err
	}); err != nil {
		return err
	}
	var err error
	if a.Month != "" {
		err = ledger.CloseMonth(ctx, run.DB(), a.SiteID, a.Month, site.BusinessDate(now), a.StaffID)
	} else {
		_, err = ledger.CloseDays(ctx, run.DB(), a.SiteID, a.Through, site.BusinessDate(now), a.StaffID)
	}
	if err != nil {
		return err
	}
	_, err = s.sealer.SealDays(ctx, run.DB(), a.SiteID)
	return err
}

// today is the business date of every site.
func today(tx *db.Tx, now time.Time) (map[id.ID]cal.Date, error) {
	sites, err := org.AllSites(tx)
	if err != nil {
		return nil, err
	}
	days := make(map[id.ID]cal.Date, len(sites))
	for i := range sites {
		days[sites[i].ID] = sites[i].BusinessDate(now)
	}
	return days, nil
}

// --- periods

// PeriodView is a closed day or month of a site.
type PeriodView struct {
	Period    string     `json:"period" doc:"2026-10-31, or 2026-10 for a month"`
	Closed    bool       `json:"closed" doc:"false: it takes no more bookings, and its balances are being stored"`
	AskedAt   time.Time  `json:"asked_at"`
	AskedBy   string     `json:"asked_by" doc:"empty: by itself, at night"`
	ClosedAt  *time.Time `json:"closed_at,omitempty"`
	Transfers int64      `json:"transfers"`
	Seal      string     `json:"seal" doc:"SHA-256 over the day and the seal before it; empty while it is not sealed, and for months"`
}

// PeriodPage is how far a site is closed, and its periods, newest first.
type PeriodPage struct {
	Through cal.Date     `json:"through" doc:"nothing is booked on or before this day"`
	Stored  cal.Date     `json:"stored"`
	Sealed  cal.Date     `json:"sealed"`
	Month   string       `json:"month" doc:"last closed month"`
	Today   cal.Date     `json:"today" doc:"the site's business date"`
	Items   []PeriodView `json:"items"`
	Next    string       `json:"next"`
}

type periodSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" required:"true"`
	Span   string `query:"span" enum:"day,month" default:"day"`
}

// CloseIn asks for a close: up to a day, or up to a month.
type CloseIn struct {
	SiteID  id.ID    `json:"site_id"`
	Through cal.Date `json:"through,omitempty"`
	Month   string   `json:"month,omitempty" maxLength:"7"`
}

// Started names the job that a close has become.
type Started struct {
	JobID id.ID `json:"job_id"`
}

var (
	errWhat     = errs.Define("books_close_what", errs.Invalid, "请选择要结账到哪一天或哪个月", "Please say up to which day or which month to close")
	errNotSoFar = errs.Define("books_closed_already", errs.Conflict, "已经结账到 {through}", "It is closed up to {through} already")
)

func (s *Service) periods(ctx context.Context, tx *db.Tx, in *periodSearch) (*PeriodPage, error) {
	site, err := org.SiteFor(ctx, permRead, in.SiteID)
	if err != nil {
		return nil, err
	}
	c, err := ledger.ClosedDays(tx, in.SiteID)
	if err != nil {
		return nil, err
	}
	page := &PeriodPage{Through: c.Through, Stored: c.Stored, Sealed: c.Sealed, Month: c.Months, Today: site.BusinessDate(tx.Now()), Items: []PeriodView{}}
	if c.Stored < c.Since {
		page.Stored = ""
	}
	if c.Sealed < c.Since {
		page.Sealed = ""
	}
	before := "9999"
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	all, err := ledger.Periods(tx, in.SiteID, in.Span == "month", before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	if len(all) > in.Limit {
		all = all[:in.Limit]
		page.Next = web.Cursor(all[len(all)-1].Period)
	}
	people := make([]id.ID, 0, len(all))
	for _, p := range all {
		people = append(people, p.By)
	}
	named, err := org.StaffNames(tx, people...)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		v := PeriodView{Period: p.Period, Closed: p.Closed, AskedAt: p.AskedAt, AskedBy: named[p.By], Transfers: p.Transfers, Seal: p.Seal}
		if p.Closed {
			v.ClosedAt = &p.ClosedAt
		}
		page.Items = append(page.Items, v)
	}
	return page, nil
}

func (s *Service) close(ctx context.Context, tx *db.Tx, in *struct{ Body CloseIn }) (*Started, error) {
	site, err := org.SiteFor(ctx, permClose, in.Body.SiteID)
	if err != nil {
		return nil, err
	}
	through := in.Body.Through
	if in.Body.Month != "" {
		last, ok := ledger.LastOf(in.Body.Month)
		if !ok {
			return nil, ledger.ErrMonth.At("month")
		}
		if last >= site.BusinessDate(tx.Now()) {
			return nil, ledger.ErrMonthNotOver.With("month", in.Body.Month).At("month")
		}
	} else {
		switch c, err := ledger.ClosedDays(tx, site.ID); {
		case err != nil:
			return nil, err
		case through == "":
			return nil, errWhat.At("through")
		case !through.Valid():
			return nil, cal.ErrDate.With("text", through).At("through")
		case through >= site.BusinessDate(tx.Now()):
			return nil, ledger.ErrDayNotOver.With("date", through).At("through")
		case through <= c.Stored:
			return nil, errNotSoFar.With("through", c.Stored).At("through")
		}
	}
	args := closeArgs{SiteID: site.ID, Through: through, Month: in.Body.Month, StaffID: org.CallerOf(ctx).ID}
	job, err := jobs.Enqueue(tx, jobs.Job{Kind: closeJob, Only: site.ID.String(), Args: args})
	if err != nil {
		return nil, err
	}
	return &Started{job}, s.org.Audit(ctx, tx, "close_period", "site", site.ID, site.ID, nil, in.Body)
}

// Routes registers the routes.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/ledger/periods", Name: "list-periods", Summary: "Closed days or months of a site, newest first", Perm: permRead, Scope: web.Sites}, s.periods)
	web.Post(api, web.Route{Path: "/api/ledger/periods", Name: "close-period", Summary: "Close the days of a site up to a day or month, for ever", Perm: permClose, Scope: web.Sites}, s.close)
	s.stopRoutes(api)
	s.allowanceRoutes(api)
}
