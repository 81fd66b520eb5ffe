package making

import (
	"context"
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
	r.DailyAt(LossJob, org.EachMorning("losses", 15*time.Minute))
}

// version is the version of a recipe that was looked at last.
type version struct {
	Product id.ID    `json:"product"`
	Recipe  cal.Date `json:"recipe"`
}

// learnLosses goes through what each site has made, some recipes at a time. One that is run again on the same business date
// changes nothing.
func learnLosses(ctx context.Context, run *jobs.Run) error {
	return org.WalkSites(ctx, run, nil, func(tx *db.Tx, site *org.Site, at version) (version, bool, error) {
		for range lossesAtOnce {
			var err error
			if at.Product, at.Recipe, err = produce.Learn(tx, site.ID, at.Product, at.Recipe, site.BusinessDate(tx.Now())); err != nil || at.Product == 0 {
				return at, true, err
			}
		}
		return at, false, nil
	})
}

// needOf is what a requisition asks for of a material by its recipe, and what the loss of the line is learned from.
func needOf(row catalog.Requirement, piece bool) (produce.Need, error) {
	u := row.Uses[0] // a material is in one line of a version
	n := produce.Need{Product: row.Product, Qty: row.Net, Piece: piece, Loss: u.Loss, Rule: string(u.Rule), Of: u.Of, Per: u.Qty, Share: u.Share, Num: u.Num, Den: u.Den}
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
