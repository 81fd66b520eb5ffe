package clear

import (
	"math"
	"testing"
)

func TestTheAnswerToPricesIsLearned(t *testing.T) {
	var seen []heard
	for _, share := range []float64{1, .85, .8, .7, .35} {
		seen = append(seen, heard{share: share, expected: 400, sold: 1.1 * 400 * math.Pow(share, -2.4)})
	}
	if e, sd := answer(seen); math.Abs(e-2.4) > .05 || sd > .1 {
		t.Errorf("2.4 was true: %.3f ± %.3f", e, sd)
	}
	if e, sd := answer(nil); math.Abs(e-1.8) > 1e-9 || math.Abs(sd-.5) > 1e-9 {
		t.Errorf("nothing was seen: %.3f ± %.3f", e, sd)
	}
	if e, _ := answer([]heard{{share: .8, expected: 3, sold: 0}}); e < 1.2 || e > 1.8 {
		t.Errorf("three units that were not sold move the belief a little: %.3f", e)
	}
}
