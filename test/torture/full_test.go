//go:build torture

package torture

import (
	"testing"

	"zhanggui/internal/platform/dbtest"
)

func TestTortureOfTwoHundredKills(t *testing.T) {
	dbtest.Parts(t, "kills", 5, func(t *testing.T, _ int) {
		engines(t, func(t *testing.T, dsn string) { survives(t, dsn, 40) })
	})
}
