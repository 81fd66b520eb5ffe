package replenish

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/stats"
)

// kitchen has products 1 … n of six hours' life, each taking so much of material 100.
func kitchen(t testing.TB, takes []int64, loss int64, rule catalog.LossRule) *Site {
	t.Helper()
	var recipes []catalog.Recipe
	for i, n := range takes {
		recipes = append(recipes, catalog.Recipe{Product: id.ID(i + 1), ValidFrom: "2026-01-01", Yield: piece,
			Components: []catalog.Component{{Product: 100, Qty: qty.Qty(n * piece), Loss: loss, Rule: rule}}})
	}
	book, err := catalog.NewCookbook(recipes, func(p id.ID) string { return p.String() })
	if err != nil {
		t.Fatal(err)
	}
	return &Site{Book: book, Loc: time.UTC, Lots: map[id.ID][]Lot{}, Coming: map[id.ID][]Coming{}, Together: DefaultTogether,
		Good: func(p id.ID) Good {
			if p == 100 {
				return Good{Life: 10 * 24 * time.Hour}
			}
			return Good{Life: 6 * time.Hour, Batch: piece, Piece: true}
		},
		Service: func(id.ID) int64 { return 9500 },
		Terms:   map[id.ID][]party.Terms{100: {{Supplier: 7, Product: 100, Pack: piece, Unit: qty.Unit{Name: "g", Num: 1, Den: 1}, MinPacks: 1, Price: 1, Class: party.Fresh, Days: party.EveryDay, CutOff: 23 * 60}}}}
}

func needOf(t testing.TB, p *Plan, product id.ID) Need {
	t.Helper()
	for _, n := range p.Needs {
		if n.Product == product {
			return n
		}
	}
	t.Fatalf("no need of %d", product)
	return Need{}
}

var seenFrom = party.Moment{Date: "2026-03-02", Minute: 6 * 60}

func TestThePooledSafetyIsTheSumOfWhatProductsSwing(t *testing.T) {
	d := Demand{Mean: 100, Quantile: 100 + 20*score(.9), Tau: .9, Shares: even()}
	sigma, missed := d.swing(dayRounds, 0, nil)
	// Until the evening round begins, at 17:00, twenty of thirty half hours are over: day variance 300, noise 100. Its rounds end at
	// 10:30 and 14:00, after seven and fourteen. A normal that ends at 1.2816 has a variance of .8371 and a mean .0473 below (by hand).
	rounds := math.Sqrt(49./900*300+7./30*100)*2 + math.Sqrt(36./900*300+6./30*100)
	if want := math.Sqrt(.8371 * (4./9*300 + 2./3*100)); math.Abs(sigma-want) > 2e-3 || math.Abs(missed-.0473*rounds) > 2e-3 {
		t.Fatalf("σ %.4f, want %.4f; missed %.4f, want %.4f", sigma, want, missed, .0473*rounds)
	}
	for _, x := range []struct {
		name     string
		takes    []int64
		loss     int64
		rule     catalog.LossRule
		together int64
		want     float64 // of the variance, in σ²
		each     float64 // Σb
	}{
		{"one product", []int64{1}, 0, catalog.LossMarkup, 400_000, 1, 1},
		{"markup", []int64{1}, 30_000, catalog.LossMarkup, 400_000, 1.03 * 1.03, 1.03},
		{"a learned loss divides", []int64{1}, 200_000, catalog.LossYield, 400_000, 1.25 * 1.25, 1.25},
		{"moving apart", []int64{1, 1, 1, 1}, 0, catalog.LossMarkup, 0, 4, 4},
		{"moving as one", []int64{1, 1, 1, 1}, 0, catalog.LossMarkup, 1_000_000, 16, 4},
		{"in between", []int64{3, 4}, 0, catalog.LossMarkup, 500_000, 25 + .5*24, 7},
	} {
		s := kitchen(t, x.takes, x.loss, x.rule)
		s.Together = x.together
		var wanted []Wanted
		for i := range x.takes {
			wanted = append(wanted, Wanted{Product: id.ID(i + 1), Demand: d})
		}
		p, err := s.Plan(Day{Date: "2026-03-04", Now: seenFrom, Wanted: wanted})
		if err != nil {
			t.Fatal(err)
		}
		n := needOf(t, p, 100)
		if want := qty.Nearest(stats.NormalScore(.95)*sigma*math.Sqrt(x.want) - x.each*missed); n.Safety-want > 1 || want-n.Safety > 1 {
			t.Errorf("%s: safety %v, want %v", x.name, n.Safety, want)
		}
		if n.Net != up(n.Need)+n.Safety {
			t.Errorf("%s: net %v of %v and %v", x.name, n.Net, n.Need, n.Safety)
		}
	}
}

func TestWhereNoSafetyIsHeld(t *testing.T) {
	d := Demand{Mean: 100, Quantile: 120, Tau: .9, Shares: even()}
	safety := func(s *Site, day Day) qty.Qty {
		t.Helper()
		p, err := s.Plan(day)
		if err != nil {
			t.Fatal(err)
		}
		return needOf(t, p, 100).Safety
	}
	day := Day{Date: "2026-03-04", Now: seenFrom, Wanted: []Wanted{{Product: 1, Demand: d}}}
	if safety(kitchen(t, []int64{1}, 0, catalog.LossMarkup), day) == 0 {
		t.Fatal("made as it sells, and nothing is held")
	}
	plan := kitchen(t, []int64{1}, 0, catalog.LossMarkup)
	plan.Service = nil
	kept := kitchen(t, []int64{1}, 0, catalog.LossMarkup)
	good := kept.Good
	kept.Good = func(p id.ID) Good { g := good(p); g.Life = max(g.Life, 24*time.Hour); return g }
	static := kitchen(t, []int64{1}, 0, catalog.LossMarkup)
	static.Static = func(p id.ID) bool { return p == 100 }
	given, firm, decided, late, over := day, day, day, day, day
	thirty := qty.Qty(30 * piece)
	given.Wanted = []Wanted{{Product: 1, Given: &thirty}}
	firm.Wanted = []Wanted{{Product: 1, Firm: &thirty}}
	decided.Wanted = []Wanted{{Product: 1, Demand: d, Decided: map[int64]qty.Qty{1: piece, 2: piece, 3: piece, 4: piece}}}
	late.Now = party.Moment{Date: "2026-03-04", Minute: 6 * 60}
	over.From = 34
	for name, x := range map[string]struct {
		s   *Site
		day Day
	}{"plan by files": {plan, day}, "made ahead and kept": {kept, day}, "ordered by its level": {static, day}, "a person's quantity": {kitchen(t, []int64{1}, 0, ""), given},
		"others have asked for it": {kitchen(t, []int64{1}, 0, ""), firm}, "all rounds are decided": {kitchen(t, []int64{1}, 0, ""), decided},
		"nobody can bring it": {kitchen(t, []int64{1}, 0, ""), late}, "only the last round is left": {kitchen(t, []int64{1}, 0, ""), over}} {
		if q := safety(x.s, x.day); q != 0 {
			t.Errorf("%s: %v is held", name, q)
		}
	}
}

// The safety that a higher level asks for is never less, and one that is not used up is not bought again.
func TestASafetyIsHeldAndNotBoughtAnew(t *testing.T) {
	s := kitchen(t, []int64{50, 30}, 30_000, catalog.LossMarkup)
	d := Demand{Mean: 40, Quantile: 50, Tau: .9, Shares: even()}
	var nets, safeties []qty.Qty
	for _, date := range []cal.Date{"2026-03-03", "2026-03-04", "2026-03-05"} {
		p, err := s.Plan(Day{Date: date, Now: seenFrom, Wanted: []Wanted{{Product: 1, Demand: d}, {Product: 2, Demand: d}}})
		if err != nil {
			t.Fatal(err)
		}
		n := needOf(t, p, 100)
		nets, safeties = append(nets, n.Net), append(safeties, n.Safety)
		if n.Pooled.Days != len(nets) {
			t.Errorf("day %d covers %d days", len(nets), n.Pooled.Days)
		}
	}
	for i := 1; i < 3; i++ {
		if safeties[i] <= safeties[i-1] || safeties[i].Approx() > math.Sqrt(float64(i+1))*safeties[0].Approx() {
			t.Errorf("%d days: safety %v after %v", i+1, safeties[i], safeties[0])
		}
		if nets[i] >= nets[0] {
			t.Errorf("day %d buys %v, the first %v: what is held is there", i+1, nets[i], nets[0])
		}
	}
}

// A store of twenty products made in rounds, demand of known truth: a day's level moves all of them together, each has a level and
// Poisson noise of its own. Of three materials the first goes into one product, the second into five, the third into all; they come
// every morning. What is held is left in the evening; out is a day on which the kitchen wanted more than there was.
//
// Safety by each product's own quantile is what the pool gives at ρ = 1. Both are measured over levels and compared where the material that
// runs out most does so equally often.
func TestAPooledSafetyHoldsLessThanOneForEachProduct(t *testing.T) {
	const products, days, common, own = 20, 3000, .10, .12
	r := rand.New(rand.NewPCG(20260302, 5))
	var recipes []catalog.Recipe
	var wanted []Wanted
	truth := 0.0 // ρ of the mean pair
	takes := [3][products]float64{}
	for i := range products {
		mean := float64(15 + 3*i)
		sd := math.Sqrt(mean + mean*mean*(common*common+own*own))
		truth += mean * mean * common * common / (sd * sd) / products
		wanted = append(wanted, Wanted{Product: id.ID(i + 1), Demand: Demand{Mean: mean, Quantile: mean + score(.7)*sd, Tau: .7, Shares: even(), Spreads: sd / mean}})
		recipe := catalog.Recipe{Product: id.ID(i + 1), ValidFrom: "2026-01-01", Yield: piece}
		for k, every := range []int{products, 4, 1} {
			if i%every == every/2 {
				g := int64(20 * every)
				takes[k][i] = float64(g) * 1.03
				recipe.Components = append(recipe.Components, catalog.Component{Product: id.ID(100 + k), Qty: qty.Qty(g * piece), Loss: 30_000})
			}
		}
		recipes = append(recipes, recipe)
	}
	// What a kitchen takes on each day, whatever is held.
	used := make([][3]float64, days)
	for day := range used {
		all := 1 + common*r.NormFloat64()
		for i, w := range wanted {
			d := w.Demand
			level := max(0, all+own*r.NormFloat64()) * d.Mean
			tray, made := 0.0, 0.0
			for _, round := range PlanRounds(d, 6*time.Hour, nil, piece) {
				if more := math.Round(round.Quantile.Approx() - tray); more > 0 {
					made, tray = made+more, tray+more
				}
				tray = max(0, tray-float64(poisson(r, level*shareOf(d.Shares, round.Round))))
			}
			for k := range takes {
				used[day][k] += made * takes[k][i]
			}
		}
	}
	book, err := catalog.NewCookbook(recipes, func(p id.ID) string { return p.String() })
	if err != nil {
		t.Fatal(err)
	}
	type point struct{ held, worst float64 }
	replay := func(together, level int64) (got point, outs [3]float64) {
		s := kitchen(t, []int64{1}, 0, "")
		s.Book, s.Together, s.Service = book, together, func(id.ID) int64 { return level }
		terms := s.Terms[100]
		good := s.Good
		s.Good = func(p id.ID) Good { return good(min(p, 100)) }
		for k := range takes {
			s.Terms[id.ID(100+k)] = terms
		}
		p, err := s.Plan(Day{Date: "2026-03-03", Now: seenFrom, Wanted: wanted})
		if err != nil {
			t.Fatal(err)
		}
		for k := range takes {
			stock := up(needOf(t, p, id.ID(100+k)).Need).Approx() + needOf(t, p, id.ID(100+k)).Safety.Approx()
			for _, u := range used {
				if u[k] > stock {
					outs[k] += 1. / days
				} else {
					got.held += (stock - u[k]) / days
				}
			}
			got.worst = max(got.worst, outs[k])
		}
		return got, outs
	}
	var each, pooled []point
	for level := int64(5000); level <= 9500; level += 500 {
		a, outsA := replay(1_000_000, level)
		b, outsB := replay(int64(truth*1e6), level)
		each, pooled = append(each, a), append(pooled, b)
		t.Logf("level %.2f: own quantiles hold %5.0f g, out %.3f; pooled %5.0f g, out %.3f", float64(level)/bp, a.held, outsA, b.held, outsB)
	}
	// heldAt reads what is held where the worst material is out so often, between two levels.
	heldAt := func(all []point, out float64) float64 {
		for i := 1; i < len(all); i++ {
			if a, b := all[i-1], all[i]; a.worst >= out && b.worst <= out && a.worst > b.worst {
				return a.held + (b.held-a.held)*(a.worst-out)/(a.worst-b.worst)
			}
		}
		t.Fatalf("never out on %.3f of days: %v", out, all)
		return 0
	}
	for _, out := range []float64{.10, .08} {
		a, b := heldAt(each, out), heldAt(pooled, out)
		t.Logf("out on %.0f %% of days: own quantiles hold %.0f g, pooled %.0f: %+.1f %%", 100*out, a, b, 100*(b/a-1))
		if b > .85*a {
			t.Errorf("at the same stock-outs the pool holds %.0f g of %.0f", b, a)
		}
	}
	// At the level that is set it keeps about what it says, and without a safety it would not.
	if at95, none := pooled[len(pooled)-1], pooled[0]; at95.worst > .075 || none.worst < 2*at95.worst {
		t.Errorf("at 95 %% it runs out on %.1f %% of days, without a safety on %.1f", 100*at95.worst, 100*none.worst)
	}
}

func poisson(r *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for p > limit {
		p *= r.Float64()
		n++
	}
	return n - 1
}

// A forecast of nothing, and ones that say nothing of how they spread, hold nothing that is no number.
func TestAForecastOfNothingHoldsNothing(t *testing.T) {
	for _, d := range []Demand{{}, {Tau: .9, Shares: even()}, {Quantile: 3, Tau: .9, Shares: even()}, {Mean: 5, Tau: .9, Shares: even()}, {Mean: 5, Quantile: 5, Tau: .9, Shares: even()}, {Mean: 5, Quantile: 9, Tau: 1, Shares: even()}, {Mean: 5, Quantile: 9, Shares: even()}} {
		sigma, missed := d.swing(dayRounds, 0, nil)
		if math.IsNaN(sigma) || math.IsInf(sigma, 0) || sigma < 0 || math.IsNaN(missed) || math.IsInf(missed, 0) || d.Mean == 0 && d.Quantile == 0 && sigma != 0 {
			t.Errorf("%+v: σ %v, missed %v", d, sigma, missed)
		}
		for _, together := range []int64{0, MostTogether} {
			s := kitchen(t, []int64{1, 1}, 30_000, catalog.LossMarkup)
			s.Together = together
			p, err := s.Plan(Day{Date: "2026-03-04", Now: seenFrom, Wanted: []Wanted{{Product: 1, Demand: d}, {Product: 2, Demand: Demand{Mean: 20, Quantile: 30, Tau: .9, Shares: even()}}}})
			if err != nil {
				t.Fatal(err)
			}
			n := needOf(t, p, 100)
			if n.Safety <= 0 || n.Net != up(n.Need)+n.Safety {
				t.Errorf("%+v, ρ %d: net %v of %v and %v", d, together, n.Net, n.Need, n.Safety)
			}
		}
	}
}
