//go:build torture

package torture

import (
	"testing"

	"zhanggui/internal/platform/dbtest"
)

func TestTortureOfTwoThousandPowerCuts(t *testing.T) {
	dbtest.Parts(t, "power-cuts", 4, func(t *testing.T, k int) {
		r := record(t, 400)
		for m, f := range r.cut(t, 500, 50, uint64(3+k)) {
			t.Logf("%s: %+v", m, *f)
			if f.cuts == 0 || f.lost+f.corrupt+f.red > 0 {
				t.Errorf("%s: %+v", m, *f)
			}
		}
	})
}
