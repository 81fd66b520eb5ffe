//go:build torture

package torture

import "testing"

func TestTortureOfTwoThousandPowerCuts(t *testing.T) {
	r := record(t, 800)
	for m, f := range r.cut(t, 2000, 50, 3) {
		t.Logf("%s: %+v", m, *f)
		if f.cuts == 0 || f.lost+f.corrupt+f.red > 0 {
			t.Errorf("%s: %+v", m, *f)
		}
	}
}
