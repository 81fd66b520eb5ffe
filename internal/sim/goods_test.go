package sim

import "testing"

func TestTheDemoRangeIsWhole(t *testing.T) {
	all, sold := map[string]Product{}, 0
	for _, p := range Range() {
		if _, twice := all[p.Code]; twice {
			t.Errorf("%s stands there twice", p.Code)
		}
		all[p.Code] = p
		if p.Price > 0 {
			sold++
		}
	}
	if sold != 60 || len(Stores()) != 12 {
		t.Errorf("%d products in %d stores", sold, len(Stores()))
	}
	sup, used := map[string]bool{}, map[string]bool{}
	for _, s := range Suppliers() {
		sup[s.Code] = true
	}
	for _, p := range all {
		for _, part := range p.Recipe {
			if _, ok := all[part.Code]; !ok {
				t.Errorf("%s needs %s, which nobody knows", p.Code, part.Code)
			}
			used[part.Code] = true
		}
		if len(p.Recipe) == 0 && !sup[p.Supplier] {
			t.Errorf("%s can neither be made nor bought", p.Code)
		}
		var cost float64
		for _, part := range p.Recipe {
			if m := all[part.Code]; m.Pack > 0 {
				cost += number(part.Qty) * float64(m.PackFen) / float64(m.Pack)
			}
		}
		if p.Price > 0 && cost > .62*float64(p.Price) {
			t.Errorf("%s sells at %d and takes %.0f fen of material", p.Name, p.Price, cost)
		}
	}
	for code, p := range all {
		if p.Price == 0 && !used[code] {
			t.Errorf("nothing is made of %s", code)
		}
	}
}
