package making

import (
	"context"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/produce"
)

// LossJob is the kind of the job that learns, each morning before the plans, what the lines of recipes lose.
const LossJob = "making.losses"

// lossesAtOnce is how many versions of recipes are looked at in one act.
const lossesAtOnce = 20

// Jobs registers the work.
func Jobs(r *jobs.Runner) {
	r.Handle(LossJob, learnLosses)
	r.DailyAt(LossJob, func(tx *db.Tx) ([]jobs.Daily, error) {
		sites, err := org.AllSites(tx)
		if err != nil || len(sites) == 0 {
			return nil, err
		}
		s := &sites[0]
		return []jobs.Daily{{Key: "losses", Loc: s.Location(), At: time.Duration(s.DayStart)*time.Minute + 15*time.Minute}}, nil
	})
}

// lossStep is where a run is: sites still to do, and the version of a recipe at the first of them that was done last.
type lossStep struct {
	Sites   []id.ID  `json:"sites"`
	Product id.ID    `json:"product"`
	Recipe  cal.Date `json:"recipe"`
	Done    int      `json:"done"`
}

// learnLosses goes through what each site has made, some recipes at a time. A run that was cut off goes on, and one that is run
// again on the same business date changes nothing.
func learnLosses(ctx context.Context, run *jobs.Run) error {
	d := run.DB()
	var at lossStep
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		if err := d.Read(ctx, func(tx *db.Tx) error {
			at = lossStep{}
			sites, err := org.AllSites(tx)
			for _, s := range sites {
				at.Sites = append(at.Sites, s.ID)
			}
			return err
		}); err != nil {
			return err
		}
	}
	total := int64(at.Done + len(at.Sites))
	for len(at.Sites) > 0 {
		run.Progress(ctx, int64(at.Done), total, "")
		if err := ctx.Err(); err != nil {
			return err
		}
		next := at
		if err := d.Write(ctx, func(tx *db.Tx) error {
			next = at
			site, err := org.SiteByID(tx, at.Sites[0])
			if err != nil {
				return err
			}
			for range lossesAtOnce {
				if next.Product, next.Recipe, err = produce.Learn(tx, site.ID, next.Product, next.Recipe, site.BusinessDate(tx.Now())); err != nil {
					return err
				}
				if next.Product == 0 {
					next = lossStep{Sites: slices.Clone(at.Sites[1:]), Done: at.Done + 1}
					break
				}
			}
			return run.Save(tx, next)
		}); err != nil {
			return err
		}
		at = next
	}
	run.Progress(ctx, total, total, "")
	return nil
}

// needOf is what a requisition asks for of a material by its recipe, and what the loss of the line is learned from.
func needOf(row catalog.Requirement, piece bool) (produce.Need, error) {
	n := produce.Need{Product: row.Product, Qty: row.Net, Piece: piece, Loss: row.Uses[0].Loss, Rule: string(row.Uses[0].Rule)}
	if n.Rule == "" {
		n.Rule = string(catalog.LossMarkup)
	}
	exact, err := catalog.RoundUp(row.Need, false)
	if err != nil {
		return n, err
	}
	n.Over = row.Net - exact
	n.Bare, err = catalog.RoundUp(row.Gross, false)
	return n, err
}
