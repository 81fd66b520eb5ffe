package ledger

import (
	"context"
	"time"

	"zhanggui/internal/platform/db"
)

// othersEnded waits until all transactions of PostgreSQL that have begun before now have ended. (SQLite has one
// writer: settled needs no more than its turn.)
func othersEnded(ctx context.Context, d *db.DB) error {
	var mark int64
	if err := d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT (date_part('epoch', clock_timestamp()) * 1000)::BIGINT`).Scan(&mark)
	}); err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		var n int64
		if err := d.Read(ctx, func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
				AND backend_xid IS NOT NULL AND (date_part('epoch', xact_start) * 1000)::BIGINT <= $1`, mark).Scan(&n)
		}); err != nil || n == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errBusy
}
