package intake

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
)

// tidyKind is the job that clears away what nobody needs any more.
const tidyKind = "intake.tidy"

const (
	keepFiles   = 7 * 24 * time.Hour  // an upload that nobody runs
	keepRefused = 90 * 24 * time.Hour // the list of refused rows
)

// Jobs registers what runs in the background.
func (s *Service) Jobs(r *jobs.Runner) {
	r.Handle(JobKind, s.runJob)
	r.Handle(tidyKind, func(ctx context.Context, run *jobs.Run) error { return s.Tidy(ctx) })
	r.Every(tidyKind, time.Hour, nil)
}

// recoverEvery is how often a server looks for imports whose process has died.
const recoverEvery = 30 * time.Second

// Run finishes or drops what dead processes left, at the start of a server and from time to time, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(recoverEvery)
	defer tick.Stop()
	for {
		if err := s.Recover(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("imports that broke off can't be taken up", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// runJob does the work of one import; after a crash it begins again, or goes on with what was decided.
func (s *Service) runJob(ctx context.Context, run *jobs.Run) error {
	var args JobArgs
	if err := run.Args(&args); err != nil {
		return err
	}
	w, err := s.take(ctx, args.ImportID, Reading, Checking, Applying)
	if errors.Is(err, ErrNotReady) || errors.Is(err, ErrNoImport) {
		return nil // it has ended, or was taken up by another
	}
	if err != nil {
		return err
	}
	w.shown = func(im *Import) { run.Progress(ctx, im.Done, im.Total, string(im.State)) }
	err = s.d.Read(ctx, func(tx *db.Tx) (err error) {
		w.reach, err = reachOf(tx, w.im.StaffID, w.im.Kind, w.im.Run)
		return err
	})
	if err == nil || w.im.State == Applying {
		err = w.perform(ctx, s.chunks(args.ImportID))
	} else {
		err = w.giveUp(ctx, err)
	}
	if errors.Is(err, errLost) {
		return nil // whoever has it now goes on
	}
	return err
}

// Tidy removes files and lists of refused rows that are no longer needed.
func (s *Service) Tidy(ctx context.Context) error {
	for after := id.ID(0); ; {
		var page []*Import
		var tidied []int64
		var now time.Time
		err := s.d.Read(ctx, func(tx *db.Tx) error {
			now = tx.Wall()
			page, tidied = nil, nil
			rows := tx.Query(`SELECT id, state, created_at, tidied FROM intake_import WHERE tidied < 2 AND id > $1 ORDER BY id LIMIT 200`, after)
			for rows.Next() {
				im := &Import{}
				var t int64
				if err := rows.Scan(&im.ID, &im.State, &im.CreatedAt, &t); err != nil {
					return err
				}
				page, tidied = append(page, im), append(tidied, t)
			}
			return rows.Err()
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for i, im := range page {
			after = im.ID
			age := now.Sub(im.ID.Time())
			switch {
			case im.State == Uploading || im.State == Reading || im.State == Checking || im.State == Applying:
			case tidied[i] == 0 && (im.State == Applied || age > keepFiles):
				err = s.tidy(ctx, im.ID, 1, clearChunks)
			case tidied[i] == 1 && age > keepRefused:
				err = s.tidy(ctx, im.ID, 2, clearRefused)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (s *Service) tidy(ctx context.Context, importID id.ID, to int64, statements ...string) error {
	err := s.d.Write(ctx, func(tx *db.Tx) error { // first, so that nobody runs it from here on
		return tx.Exec(`UPDATE intake_import SET tidied = $1, state = CASE WHEN state = 'ready' THEN 'cancelled' ELSE state END
			WHERE id = $2 AND state NOT IN ('uploading', 'reading', 'checking', 'applying')`, to, importID)
	})
	if err != nil {
		return err
	}
	return s.clearAll(ctx, importID, statements...)
}

func mappingText(m csvx.Mapping) (string, error) {
	if m == nil {
		m = csvx.Mapping{}
	}
	b, err := json.Marshal(m)
	return string(b), err
}
