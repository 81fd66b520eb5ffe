package web

import (
	"context"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
)

// ErrClock makes a node not ready.
var ErrClock = errs.Define("clock_off", errs.Unavailable, "本机时钟与数据库相差 {seconds} 秒", "This machine's clock is {seconds} seconds off the database's")

const maxClockError = 2 * time.Second

// databaseAnswers checks that the database answers and that its clock and ours agree within 2 s: a
// node that is off would write documents into the wrong minute and end leases too early. SQLite has
// no clock of its own.
func (a *API) databaseAnswers(ctx context.Context, d *db.DB) error {
	return d.Read(ctx, func(tx *db.Tx) error {
		if tx.Engine() == db.SQLite {
			var one int64
			return tx.QueryRow(`SELECT 1`).Scan(&one)
		}
		before := a.o.Clock.Now()
		var theirs time.Time
		err := tx.QueryRow(`SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`).Scan(&theirs)
		if err != nil {
			return err
		}
		off := max(before.Sub(theirs), theirs.Sub(a.o.Clock.Now()))
		if off > maxClockError {
			return ErrClock.With("seconds", int64(off/time.Second))
		}
		return nil
	})
}
