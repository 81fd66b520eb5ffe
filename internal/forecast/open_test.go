package forecast

import "testing"

func TestANewShopIsNotShutOnDaysItHasNotLivedThrough(t *testing.T) {
	t.Parallel()
	p := &Panel{First: "2025-01-06", Days: 70, Shops: make([]Shop, 2)} // a Monday
	old, young := make([]float64, p.Days), make([]float64, p.Days)
	for d := range old {
		old[d] = 5
		if d >= 64 { // opens on a Tuesday
			young[d] = 4
		}
		if p.weekday(d) == 6 {
			old[d] = 0
		}
	}
	p.Series = []Series{{Shop: 0, Product: "a", Sold: old}, {Shop: 1, Product: "a", Start: 64, Sold: young}}
	p.closeDays()
	for h := 1; h <= 7; h++ {
		if !p.Shops[1].openOn(69+h, 69) {
			t.Errorf("the new shop is thought shut on weekday %d", p.weekday(69+h))
		}
		if shut := !p.Shops[0].openOn(69+h, 69); shut != (p.weekday(69+h) == 6) {
			t.Errorf("the old shop: weekday %d shut %v", p.weekday(69+h), shut)
		}
	}
}
