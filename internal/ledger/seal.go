package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

// The days of a site are sealed in a chain: the seal of a day is the SHA-256 of the seal before it and of everything
// the day has booked. Who changes a row of a sealed day by hand must recompute all seals after it; who keeps one seal
// elsewhere finds that too. Sealing is a job of the night, never a part of a sale.

// SealSource gives what else than transfers belongs into the seal of a site's day: rows of the documents behind them, as
// text, in an order that never changes.
type SealSource func(tx *db.Tx, site id.ID, day cal.Date, row func(text string)) error

// Sealer makes and verifies seals. The sources are those of the packages that keep documents.
type Sealer struct{ Sources []SealSource }

var errSealed = errs.Define("ledger_sealed_already", errs.Conflict, "这一天已由另一个任务封存", "This day has just been sealed by another job")

// SealDays seals all stored days of a site that are not sealed yet, in order, and returns how many.
func (s Sealer) SealDays(ctx context.Context, d *db.DB, site id.ID) (int, error) {
	for n := 0; ; n++ {
		var c Closed
		var seal string
		var day cal.Date
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			if c, err = ClosedDays(tx, site); err != nil || c.Sealed >= c.Stored {
				return err
			}
			day = c.Sealed.AddDays(1)
			before, err := sealOf(tx, site, c.Sealed)
			if err != nil {
				return err
			}
			seal, _, err = s.seal(tx, site, day, before)
			return err
		})
		if err != nil || c.Sealed >= c.Stored {
			return n, err
		}
		err = d.Write(ctx, func(tx *db.Tx) error {
			if err := tx.ExecExactly(1, errSealed, `UPDATE ledger_close SET sealed = $1 WHERE site_id = $2 AND sealed = $3`, day, site, c.Sealed); err != nil {
				return err
			}
			return tx.Exec(`UPDATE ledger_period SET seal = $1, sealed_at = $2 WHERE site_id = $3 AND span = 1 AND period = $4`, seal, tx.Wall().UnixMilli(), site, day)
		})
		if err != nil && !errors.Is(err, errSealed) {
			return n, err
		}
	}
}

// sealOf is the stored seal of a day; "" before the first.
func sealOf(tx *db.Tx, site id.ID, day cal.Date) (string, error) {
	var seal string
	err := tx.QueryRow(`SELECT seal FROM ledger_period WHERE site_id = $1 AND span = 1 AND period = $2`, site, day).Scan(&seal)
	if errors.Is(err, db.ErrNoRow) {
		return "", nil
	}
	return seal, err
}

const sealedLegs = `SELECT ` + legColumns + ` FROM ledger_transfer WHERE site_id = $1 AND business_date = $2 ORDER BY doc_kind, doc_id, leg`

// seal computes the seal of a day and counts the rows that went into it.
func (s Sealer) seal(tx *db.Tx, site id.ID, day cal.Date, before string) (string, int64, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d %s\n", before, int64(site), day)
	legs, err := scanLegs(tx.Query(sealedLegs, site, day))
	if err != nil {
		return "", 0, err
	}
	for i := range legs {
		sealLeg(h, &legs[i])
	}
	rows := int64(len(legs))
	for i, source := range s.Sources {
		fmt.Fprintf(h, "source %d\n", i)
		if err := source(tx, site, day, func(text string) { rows++; fmt.Fprintf(h, "%d %s\n", len(text), text) }); err != nil {
			return "", 0, err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), rows, nil
}

func sealLeg(h hash.Hash, p *Posted) {
	fmt.Fprintf(h, "%d %d %d %d %d %d %d %d %d %d %d\n", p.Document.Kind, int64(p.Document.ID), p.Transfer.Leg, int64(p.From), int64(p.To), int64(p.Unit), p.Amount,
		p.At.UnixMilli(), p.Corrects.Kind, int64(p.Corrects.ID), p.Corrects.Leg)
}

// Proof recomputes the chain of every site and names the first day that does not fit.
func (s Sealer) Proof() proof.Proof {
	return proof.Proof{Name: "ledger_sealed_days_are_unchanged", Run: func(tx *db.Tx) (proof.Result, error) {
		var r proof.Result
		type day struct {
			site id.ID
			date cal.Date
			seal string
		}
		var days []day
		rows := tx.Query(`SELECT p.site_id, p.period, p.seal FROM ledger_period p JOIN ledger_close c ON c.site_id = p.site_id
			WHERE p.span = 1 AND p.period <= c.sealed ORDER BY p.site_id, p.period`)
		if err := over(rows, func(rows *db.Rows) error {
			var d day
			if err := rows.Scan(&d.site, &d.date, &d.seal); err != nil {
				return err
			}
			days = append(days, d)
			return nil
		}); err != nil {
			return r, err
		}
		before := ""
		for i, d := range days {
			if i == 0 || days[i-1].site != d.site {
				before = ""
			} else if days[i-1].date.AddDays(1) != d.date {
				r.Add("site %d: the sealed days between %s and %s are missing", d.site, days[i-1].date, d.date)
			}
			seal, n, err := s.seal(tx, d.site, d.date, before)
			if err != nil {
				return r, err
			}
			if r.Rows += n; seal != d.seal {
				r.Add("site %d, %s: what the day has booked is not what was sealed", d.site, d.date)
			}
			before = d.seal // so that only the days that were changed are named
		}
		return r, nil
	}}
}

// Sites tells, for every site that books, its business date now; the ledger knows no sites, so app hands it in.
type Sites func(tx *db.Tx, now time.Time) (map[id.ID]cal.Date, error)

// openDays is how many days before today stay open for what arrives late, when nobody closes them earlier.
const openDays = 3

// Nightly closes and seals the days of all sites that are older than openDays.
func (s Sealer) Nightly(ctx context.Context, d *db.DB, sites Sites) error {
	var today map[id.ID]cal.Date
	if err := d.Read(ctx, func(tx *db.Tx) (err error) { today, err = sites(tx, tx.Now()); return err }); err != nil {
		return err
	}
	var failed []error
	for site, date := range today {
		_, err := CloseDays(ctx, d, site, date.AddDays(-1-openDays), date, 0)
		if err == nil {
			_, err = s.SealDays(ctx, d, site)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
