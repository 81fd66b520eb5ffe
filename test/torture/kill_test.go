package torture

import (
	"path/filepath"
	"testing"

	"zhanggui/internal/platform/dbtest/pgserver"
)

// engines runs fn on a new SQLite file and on a PostgreSQL cluster of its own that really syncs: what is
// tortured here is what may be lost.
func engines(t *testing.T, fn func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db")) })
	t.Run("postgres", func(t *testing.T) {
		s, err := pgserver.Start(pgserver.Options{Durable: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Stop() })
		fn(t, s.DSN("postgres"))
	})
}

func TestKilledAgainAndAgainTheTillLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, dsn string) { survives(t, dsn, 3) })
}

func survives(t *testing.T, dsn string, kills int) {
	got := torture(t, dsn, kills, none)
	t.Logf("%d kills: %+v", kills, got)
	if got.acknowledged == 0 || got.lost != 0 || got.doubled != 0 {
		t.Errorf("%+v", got)
	}
}

// The rig is worth something only if it sees what goes wrong.

func TestTheRigCatchesARetryWithAnotherKey(t *testing.T) {
	t.Parallel()
	if got := torture(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db"), 12, newKey); got.doubled == 0 {
		t.Errorf("nobody saw a sale made twice: %+v", got)
	}
}

func TestTheRigCatchesThanksBeforeTheSaleIsSafe(t *testing.T) {
	t.Parallel()
	if got := torture(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db"), 6, earlyThank); got.lost == 0 {
		t.Errorf("nobody saw a sale lost: %+v", got)
	}
}
