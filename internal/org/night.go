package org

import (
	"context"
	"slices"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
)

// Work of the night, which goes by the clock of the first site and through all of them.

// EachMorning is one slot a day for the whole installation, so long after the first site's business day began. The key names
// the slot: another one would let the job run again on the day it is changed.
func EachMorning(key string, after time.Duration) func(tx *db.Tx) ([]jobs.Daily, error) {
	return func(tx *db.Tx) ([]jobs.Daily, error) {
		sites, err := AllSites(tx)
		if err != nil || len(sites) == 0 {
			return nil, err
		}
		return []jobs.Daily{{Key: key, Loc: sites[0].Location(), At: time.Duration(sites[0].DayStart)*time.Minute + after}}, nil
	}
}

// siteWalk is where a walk over all sites is: those still to do, and how far it is at the first of them.
type siteWalk[T any] struct {
	Sites []id.ID `json:"sites"`
	After T       `json:"after"`
	Done  int     `json:"done"`
}

// WalkSites goes through all sites, at each from the zero T on as step says, an act for each step, until it says that the site is
// done. A run that was cut off goes on where it was. says, if not nil, is shown beside the progress.
func WalkSites[T any](ctx context.Context, run *jobs.Run, says func(T) string, step func(tx *db.Tx, site *Site, after T) (next T, done bool, err error)) error {
	d := run.DB()
	var at siteWalk[T]
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		if err := d.Read(ctx, func(tx *db.Tx) error {
			at = siteWalk[T]{}
			sites, err := AllSites(tx)
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
		word := ""
		if says != nil {
			word = says(at.After)
		}
		run.Progress(ctx, int64(at.Done), total, word)
		if err := ctx.Err(); err != nil {
			return err
		}
		next := at
		if err := d.Write(ctx, func(tx *db.Tx) error {
			next = at
			site, err := SiteByID(tx, at.Sites[0])
			if err != nil {
				return err
			}
			var done bool
			if next.After, done, err = step(tx, site, at.After); err != nil {
				return err
			}
			if done {
				next = siteWalk[T]{Sites: slices.Clone(at.Sites[1:]), Done: at.Done + 1}
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
