package db

import (
	"context"
	"errors"
)

// Analyze tells PostgreSQL's planner what a large load has changed, so that plans made when tables were empty
// are made again now and not when the server next looks by itself. Tables stay open to everybody meanwhile.
// SQLite plans by its indexes alone: there is nothing to do.
func (d *DB) Analyze(ctx context.Context) error { return d.upkeep(ctx, "ANALYZE") }

// Vacuum is Analyze, and clears away row versions that nobody sees any more: what PostgreSQL does by itself in
// the hours after a large load.
func (d *DB) Vacuum(ctx context.Context) error { return d.upkeep(ctx, "VACUUM (ANALYZE)") }

func (d *DB) upkeep(ctx context.Context, sql string) error {
	if d.pg == nil {
		return nil
	}
	conn, err := d.pg.pool.Acquire(ctx)
	if err != nil {
		return ErrDown.Wrap(err)
	}
	defer conn.Release()
	// It waits for a table that the server itself is vacuuming, and may take longer than an act.
	if _, err = conn.Exec(ctx, "SET lock_timeout = 0"); err == nil {
		_, err = conn.Exec(ctx, sql)
		_, back := conn.Exec(context.WithoutCancel(ctx), "RESET lock_timeout")
		err = errors.Join(err, back)
	}
	if err != nil {
		return explainPG(err)
	}
	return nil
}
