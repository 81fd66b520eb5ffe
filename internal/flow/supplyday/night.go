package supplyday

import (
	"context"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
)

// NightJob is the kind of the job of the night: forecasts of all sites, then their plans, in one go.
const NightJob = "supplyday.night"

const (
	dawn       = 30 * time.Minute // after the first site's business day began
	nightTries = 2                // failures of the forecasts after which the night plans with those of yesterday
)

// nightly is one run over all sites.
var nightly = org.EachMorning("night", dawn)

// nightStep is where a night is: sites still to forecast, and to plan.
type nightStep struct {
	Forecast []id.ID `json:"forecast"`
	Plan     []id.ID `json:"plan"`
	Total    int     `json:"total"`
}

func (n nightStep) done() int64 { return int64(n.Total - len(n.Forecast) - len(n.Plan)) }

// night forecasts all sites from what was trained in the week before, and plans them: first those that ask others for
// goods. Each site is a step: a night that was cut off goes on with the site it was at, and one that is run again
// changes nothing. When the forecasts keep failing, the plans are made with what there is, and the job fails after them.
func (s *Service) night(ctx context.Context, run *jobs.Run) error {
	d := run.DB()
	var at nightStep
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		if at.Plan, err = s.inTurn(ctx, d, nil); err != nil {
			return err
		}
		at.Forecast, at.Total = at.Plan, 2*len(at.Plan)
	}
	total := int64(at.Total)
	failed := s.forecasts.Make(ctx, d, at.Forecast, forecast.Course{
		Planned: true,
		Save: func(tx *db.Tx, left []id.ID) error {
			return run.Save(tx, nightStep{left, at.Plan, at.Total})
		},
		Progress: func(left int, note string) {
			run.Progress(ctx, total-int64(len(at.Plan)+left), total, note)
		},
	})
	if failed != nil && (ctx.Err() != nil || run.Tries < nightTries) {
		return failed
	}
	if failed == nil {
		at.Forecast = nil
	}
	if err := s.planSites(ctx, d, at.Plan, "", false, func(left []id.ID) any {
		next := nightStep{at.Forecast, left, at.Total}
		run.Progress(ctx, next.done(), total, "")
		return next
	}, run); err != nil {
		return err
	}
	if failed == nil {
		run.Progress(ctx, total, total, "")
	}
	return failed
}
