package forecast

import (
	"context"
	"errors"
	"runtime"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
)

// Service keeps the forecasts of the sites, and what became of them.
type Service struct {
	goods   *catalog.Service
	workers int
}

// New returns the service. It computes on half the machine's cores, so that tills stay quick.
func New(goods *catalog.Service) *Service {
	return &Service{goods: goods, workers: max(1, runtime.GOMAXPROCS(0)/2)}
}

// Permissions of this package.
const (
	permRead = "forecast.read"
	permRun  = "forecast.run"
)

var (
	// ErrNone says that a site or product has no forecast yet.
	ErrNone = errs.Define("forecast_none", errs.NotFound,
		"还没有预测:请先导入销售历史,再运行预测", "There is no forecast yet: import sales history, then run the forecast")
	// ErrDay refuses a day outside the forecast in force.
	ErrDay = errs.Define("forecast_day", errs.Invalid, "{date} 不在预测范围内", "{date} is not within the forecast")
)

// Ahead is how many days a stored forecast covers.
const Ahead = 14

// Run is one stored forecast of one site.
type Run struct {
	ID        id.ID
	SiteID    id.ID
	Origin    cal.Date // sales up to here were known
	DataUntil cal.Date // the last day with any sale
	MadeAt    int64    // UTC ms
	Products  int64
	Tally     Tally
}

// First is the first day the run speaks of, Last the last.
func (r *Run) First() cal.Date { return r.Origin.AddDays(1) }
func (r *Run) Last() cal.Date  { return r.Origin.AddDays(Ahead) }

// inForce is the run of a site that counts; ErrNone without one.
func inForce(tx *db.Tx, site id.ID) (*Run, error) {
	r := &Run{SiteID: site}
	var tally string
	err := tx.QueryRow(`SELECT id, origin, data_until, made_at, products, tally FROM forecast_run
		WHERE site_id = $1 AND applied_no > 0 ORDER BY applied_no DESC LIMIT 1`, site).
		Scan(&r.ID, &r.Origin, &r.DataUntil, &r.MadeAt, &r.Products, &tally)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNone
	}
	if err == nil {
		err = unpack(tally, &r.Tally)
	}
	return r, err
}

// RunJob is the kind of the job that makes forecasts.
const RunJob = "forecast.run"

// runArgs name the sites; none means all.
type runArgs struct {
	Sites []id.ID `json:"sites,omitempty"`
}

// Enqueue asks for new forecasts of the sites, all without any; what waits already is not asked for twice.
func Enqueue(tx *db.Tx, sites ...id.ID) (id.ID, error) {
	only := "all"
	if len(sites) == 1 {
		only = sites[0].String()
	} else if len(sites) > 1 {
		only = ""
	}
	return jobs.Enqueue(tx, jobs.Job{Kind: RunJob, Only: only, Args: runArgs{Sites: sites}})
}

// Expected is what the forecast in force says of one product and day: the mean and quantiles in thousandths
// of the base unit, a person's figure instead of the mean where there is one.
type Expected struct {
	Date     cal.Date
	Mean     qty.Qty
	Q        [len(Taus)]qty.Qty
	Override bool
	Machine  qty.Qty // the machine's mean
	Effects          // of it
}

// Effects are parts of a mean that a rule may put its own figure in place of.
type Effects struct{ Holiday, Weather, Promotion qty.Qty }

func (d *storedDay) effects() Effects {
	p := d.parts()
	return Effects{Holiday: p[3], Weather: p[4], Promotion: p[5]}
}

// DaysOf gives the days ahead of some products (at most 200) at a site; a product without a forecast is missing.
func DaysOf(tx *db.Tx, site id.ID, products []id.ID) (map[id.ID][]Expected, error) {
	run, err := inForce(tx, site)
	if errors.Is(err, ErrNone) {
		return map[id.ID][]Expected{}, nil
	}
	if err != nil {
		return nil, err
	}
	args := []any{run.ID}
	for _, p := range products {
		args = append(args, p)
	}
	rows := tx.QueryMany(daysOfProducts, args...)
	defer rows.Close()
	all := make(map[id.ID][]Expected, len(products))
	for rows.Next() {
		var p id.ID
		var text string
		if err := rows.Scan(&p, &text); err != nil {
			return nil, err
		}
		var days []storedDay
		if err := unpack(text, &days); err != nil {
			return nil, err
		}
		list := make([]Expected, len(days))
		for i, d := range days {
			list[i] = Expected{Date: run.Origin.AddDays(1 + i), Mean: d.mean(), Machine: d.mean(), Q: d.quantiles()}
		}
		all[p] = list
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for p, list := range all {
		said, err := overrides(tx, site, p, run.First(), run.Last())
		if err != nil {
			return nil, err
		}
		for i := range list {
			if o, ok := said[list[i].Date]; ok {
				list[i].Mean, list[i].Override = o.Qty, true
			}
		}
	}
	return all, nil
}

var daysOfProducts = db.NewMany(`SELECT product_id, days FROM forecast_product WHERE run_id = $1 AND product_id IN (`, `?`, `)`)

// Jobs registers the work of this package: forecasts that somebody asks for, and the trainings. The forecasts of the
// night are steps of flow/supplyday's job.
func (s *Service) Jobs(r *jobs.Runner) {
	r.Handle(RunJob, s.run)
	r.Handle(TrainJob, s.trainDue)
	r.DailyAt(TrainJob, nightly)
}

// siteOf is the site if the caller may do that there.
func siteOf(ctx context.Context, perm string, site id.ID) (*org.Site, error) {
	return org.SiteFor(ctx, perm, site)
}

// nightly looks for models that are a week old, twenty minutes after the first site's business day began.
var nightly = org.EachMorning("night", 20*time.Minute)
