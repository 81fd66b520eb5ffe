package db_test

import (
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

func TestUpkeepAfterALoadLeavesConnectionsAsTheyWere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		for _, upkeep := range []func() error{
			func() error { return d.Analyze(t.Context()) },
			func() error { return d.Vacuum(t.Context()) },
		} {
			if err := upkeep(); err != nil {
				t.Fatal(err)
			}
		}
		if d.Engine() != db.Postgres {
			return
		}
		for range 20 { // whichever connection it was
			var wait string
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				return tx.QueryRow(`SELECT setting FROM pg_settings WHERE name = 'lock_timeout'`).Scan(&wait)
			})
			if err != nil || wait != "3000" {
				t.Fatalf("lock_timeout is %s, %v", wait, err)
			}
		}
	})
}
