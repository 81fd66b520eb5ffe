package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// A red proof stops the kinds of documents that it speaks of, until a person releases them with a reason. A release
// lasts until an instant, as long as the proof does not find more than it found then.

var (
	ErrNoStop     = errs.Define("ledger_stop_missing", errs.NotFound, "没有找到这条停用记录", "There is no such stop")
	ErrReleased   = errs.Define("ledger_stop_released", errs.Conflict, "已经放行了", "It has been released already")
	ErrStopReason = errs.Define("ledger_stop_reason_short", errs.Invalid, "请写明放行原因(至少 4 个字)", "Please say why it may go on (at least 4 characters)")
)

// Stop is a kind of document that is not posted because a proof is red, or was released.
type Stop struct {
	ID         id.ID
	Kind       Kind
	Site       id.ID // 0: everywhere
	Proof      string
	Bad        int64
	FoundAt    time.Time
	Released   bool
	ReleasedAt time.Time
	ReleasedBy id.ID
	Reason     string
	Until      time.Time // of the release
	Over       bool      // the proof is green again, or the release has ended
}

// KindNamed finds a kind of document by its name.
func KindNamed(name string) (Kind, bool) {
	names.RLock()
	defer names.RUnlock()
	for k, n := range names.kinds {
		if n == name {
			return k, true
		}
	}
	return 0, false
}

// Judge takes what a run of the proofs found: it stops the kinds that a red proof names, where it names them, and ends the releases whose
// proof is green again. It returns the kinds it has stopped anew.
func Judge(ctx context.Context, d *db.DB, found []proof.Finding) (stopped []string, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		stopped = nil
		open, err := Stops(tx, false)
		if err != nil {
			return err
		}
		now := tx.Now()
		type about struct {
			proof string
			kind  Kind
			site  id.ID
		}
		standing := map[about]*Stop{}
		for i := range open {
			standing[about{open[i].Proof, open[i].Kind, open[i].Site}] = &open[i]
		}
		for _, f := range found {
			red := map[about]bool{}
			for _, stop := range f.Stops {
				if kind, ok := KindNamed(stop.Kind); ok && f.Bad > 0 {
					red[about{f.Name, kind, stop.Site}] = true
				}
			}
			for k, s := range standing { // a stop stands until somebody releases it, also when the proof is green again
				if k.proof == f.Name && s.Released && (!red[k] || f.Bad > s.Bad || !now.Before(s.Until)) {
					if err := tx.Exec(`UPDATE ledger_stop SET state = 3, over_at = $1 WHERE id = $2 AND state = 2`, now, s.ID); err != nil {
						return err
					}
					delete(standing, k)
				}
			}
			for k := range red {
				if s := standing[k]; s != nil {
					if !s.Released && s.Bad != f.Bad {
						if err := tx.Exec(`UPDATE ledger_stop SET bad = $1 WHERE id = $2 AND state = 1`, f.Bad, s.ID); err != nil {
							return err
						}
					}
					continue
				}
				if err := tx.Exec(`INSERT INTO ledger_stop (id, doc_kind, proof, bad, found_at, state, reason, site_id) VALUES ($1, $2, $3, $4, $5, 1, '', $6) ON CONFLICT DO NOTHING`,
					id.New(), k.kind, f.Name, f.Bad, now, k.site); err != nil {
					return err
				}
				stopped = append(stopped, k.kind.String())
			}
		}
		changed(tx)
		return nil
	})
	return stopped, err
}

// maxRelease is how long a release may last before the proof is looked at anew.
const maxRelease = 31 * 24 * time.Hour

// Release lets a stopped kind be posted again, for a reason, until an instant at most 31 days away.
func Release(tx *db.Tx, stop id.ID, reason string, by id.ID, until time.Time) (*Stop, error) {
	if reason = strings.TrimSpace(reason); len([]rune(reason)) < 4 {
		return nil, ErrStopReason.At("reason")
	}
	if !until.After(tx.Now()) || until.After(tx.Now().Add(maxRelease)) {
		return nil, ErrAllowUntil.At("until")
	}
	n, err := tx.ExecN(`UPDATE ledger_stop SET state = 2, released_at = $1, released_by = $2, reason = $3, until_at = $4 WHERE id = $5 AND state = 1`,
		tx.Now(), by, reason, until, stop)
	if err != nil {
		return nil, err
	}
	s, err := stopOf(tx, stop)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrReleased
	}
	changed(tx)
	return s, nil
}

const stopColumns = `id, doc_kind, proof, bad, found_at, state, COALESCE(released_at, 0), COALESCE(released_by, 0), reason, COALESCE(until_at, 0), site_id`

func scanStop(scan func(...any) error) (Stop, error) {
	var s Stop
	var state int
	err := scan(&s.ID, &s.Kind, &s.Proof, &s.Bad, &s.FoundAt, &state, &s.ReleasedAt, &s.ReleasedBy, &s.Reason, &s.Until, &s.Site)
	s.Released, s.Over = s.ReleasedBy != 0, state == 3
	return s, err
}

func stopOf(tx *db.Tx, stop id.ID) (*Stop, error) {
	s, err := scanStop(tx.QueryRow(`SELECT `+stopColumns+` FROM ledger_stop WHERE id = $1`, stop).Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoStop
	}
	return &s, err
}

// Stops lists what is stopped or released, newest first; with past, also the newest that are over.
func Stops(tx *db.Tx, past bool) ([]Stop, error) {
	lowest := 3
	if past {
		lowest = 4
	}
	var all []Stop
	err := over(tx.Query(`SELECT `+stopColumns+` FROM ledger_stop WHERE state < $1 ORDER BY id DESC LIMIT 200`, lowest), func(rows *db.Rows) error {
		s, err := scanStop(rows.Scan)
		all = append(all, s)
		return err
	})
	return all, err
}
