package sim

import (
	"context"
	"time"

	"zhanggui/internal/platform/db"
)

const holdMarker = `UPDATE sim_demo SET worker = $1, beat_at = $2 WHERE worker = '' OR beat_at <= $3`

// Remove takes away everything in a database that is a demo: all tables of the packages. It refuses a database that
// is none, and one that a server works on.
func Remove(ctx context.Context, d *db.DB, all ...db.Migrations) error {
	if is, err := Is(ctx, d); err != nil || !is {
		if err == nil {
			err = ErrNoDemo
		}
		return err
	}
	err := d.Write(ctx, func(tx *db.Tx) error { // a server that starts meanwhile is refused
		now := tx.Wall()
		return tx.ExecExactly(1, ErrInUse.With("seconds", int(beatLost/time.Second)), holdMarker, "reset", now, now.Add(-beatLost))
	})
	if err != nil {
		return err
	}
	return d.Drop(ctx, all...)
}

// Is tells whether a database, at whatever version, is a demo.
func Is(ctx context.Context, d *db.DB) (bool, error) {
	there, err := d.HasTable(ctx, "sim_demo")
	if err != nil || !there {
		return false, err
	}
	var m *marker
	err = d.Read(ctx, func(tx *db.Tx) (err error) {
		m, err = markerOf(tx)
		return err
	})
	return m != nil, err
}
