package supplyday

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/replenish"
)

// The job that plans site after site.

// step is where a run of the job is.
type step struct {
	Sites []id.ID `json:"sites"` // still to do
	Done  int     `json:"done"`
}

// run plans site after site: first those that ask others for goods, then those that are asked. A run that was cut off
// goes on with the site it was at.
func (s *Service) run(ctx context.Context, run *jobs.Run) error {
	d := run.DB()
	var asked PlanArgs
	if err := run.Args(&asked); err != nil {
		return err
	}
	var at step
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		if at.Sites, err = s.inTurn(ctx, d, asked.Sites); err != nil {
			return err
		}
	}
	total := int64(at.Done + len(at.Sites))
	if err := s.planSites(ctx, d, at.Sites, asked.Date, asked.Ahead, func(left []id.ID) any {
		run.Progress(ctx, total-int64(len(left)), total, "")
		return step{left, int(total) - len(left)}
	}, run); err != nil {
		return err
	}
	run.Progress(ctx, total, total, "")
	return nil
}

// planSites plans sites in their order. After each, at shows the progress and tells what the job saves when those are left.
func (s *Service) planSites(ctx context.Context, d *db.DB, sites []id.ID, date cal.Date, ahead bool, at func(left []id.ID) any, run *jobs.Run) error {
	all, err := s.common(ctx, d)
	if err != nil {
		return err
	}
	for i, site := range sites {
		if err := s.planSite(ctx, d, site, date, all); err != nil {
			return overtaken(err)
		}
		if ahead {
			if err := s.planAhead(ctx, d, site, all); err != nil {
				return overtaken(err)
			}
		}
		next := at(sites[i+1:])
		if err := d.Write(ctx, func(tx *db.Tx) error { return run.Save(tx, next) }); err != nil {
			return err
		}
	}
	return nil
}

// overtaken makes a job come back later, to the same site, when people decided on its plan each time it was made. As a refusal it
// would end the job, and leave the sites behind it without a plan.
func overtaken(err error) error {
	if errors.Is(err, replenish.ErrStale) {
		return fmt.Errorf("people decide on the plan as it is made: %s", err.Error())
	}
	return err
}

// planAhead plans the days after today again that have a plan.
func (s *Service) planAhead(ctx context.Context, d *db.DB, siteID id.ID, all *shared) error {
	var dates []cal.Date
	if err := d.Read(ctx, func(tx *db.Tx) error {
		site, err := org.SiteByID(tx, siteID)
		if err != nil {
			return err
		}
		today := site.BusinessDate(tx.Now())
		dates, err = replenish.Planned(tx, siteID, today.AddDays(1), today.AddDays(mostAhead))
		return err
	}); err != nil {
		return err
	}
	for _, date := range dates {
		if err := s.planSite(ctx, d, siteID, date, all); err != nil {
			return err
		}
	}
	return nil
}

// inTurn lists the sites to plan: those that are asked by others come last.
func (s *Service) inTurn(ctx context.Context, d *db.DB, only []id.ID) (sites []id.ID, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		sites = nil
		var asked []id.ID
		all, err := org.AllSites(tx)
		if err != nil {
			return err
		}
		sources, err := sourceSites(tx)
		if err != nil {
			return err
		}
		for _, x := range all {
			switch {
			case len(only) > 0 && !slices.Contains(only, x.ID):
			case sources[x.ID]:
				asked = append(asked, x.ID)
			default:
				sites = append(sites, x.ID)
			}
		}
		sites = append(sites, asked...)
		return nil
	})
	return sites, err
}

func sourceSites(tx *db.Tx) (map[id.ID]bool, error) {
	rows := tx.Query(`SELECT DISTINCT source_id FROM replenish_source`)
	defer rows.Close()
	found := map[id.ID]bool{}
	for rows.Next() {
		var site id.ID
		if err := rows.Scan(&site); err != nil {
			return nil, err
		}
		found[site] = true
	}
	return found, rows.Err()
}
