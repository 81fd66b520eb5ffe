package replenish

import (
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

const piece = qty.Scale

func even() []float64 {
	s := make([]float64, 48)
	for i := 14; i < 44; i++ {
		s[i] = 1. / 30
	}
	return s
}

func TestADayOfBreadIsMadeOnce(t *testing.T) {
	plan := PlanRounds(Demand{Mean: 40, Quantile: 46, Tau: .7, Shares: even()}, 24*time.Hour, []Batch{{5 * piece, 96}}, 4*piece)
	if len(plan) != 1 || plan[0].OnHand != 5*piece || plan[0].Make != 40*piece {
		t.Errorf("46 wanted, 5 there, batches of 4: %+v", plan)
	}
}

func TestWhatKeepsForHoursIsMadeInRoundsAndLeftoversCount(t *testing.T) {
	plan := PlanRounds(Demand{Mean: 60, Quantile: 66, Tau: .7, Shares: even()}, 6*time.Hour, nil, 2*piece)
	if len(plan) != 4 {
		t.Fatalf("%d rounds", len(plan))
	}
	var made, mean qty.Qty
	for i, r := range plan {
		made, mean = made+r.Make, mean+r.Mean
		if r.Make%(2*piece) != 0 || r.Make < 0 {
			t.Errorf("round %d makes %v", i+1, r.Make)
		}
		if i > 0 && r.OnHand == 0 {
			t.Errorf("nothing is expected to be left for round %d", i+1)
		}
	}
	if mean != 60*piece || made < mean || made > 72*piece {
		t.Errorf("%v expected, %v made", mean, made)
	}
}

func TestWhatWillBeOverItsTimeDoesNotCount(t *testing.T) {
	old := []Batch{{20 * piece, 20}} // over at 10:00
	plan := PlanRounds(Demand{Mean: 60, Quantile: 66, Tau: .7, Shares: even()}, 6*time.Hour, old, piece)
	if plan[0].OnHand != 20*piece {
		t.Errorf("the morning sells it: %+v", plan[0])
	}
	noon := PlanRounds(Demand{Mean: 60, Quantile: 66, Tau: .7, Shares: even()}, 6*time.Hour, []Batch{{200 * piece, 20}}, piece)[1]
	if noon.OnHand != 0 {
		t.Errorf("the noon counts trays that were over at ten: %+v", noon)
	}
}

func TestPlansNeverGoWrong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mean := rapid.Float64Range(0, 1e5).Draw(t, "mean")
		d := Demand{Mean: mean, Quantile: mean * rapid.Float64Range(0, 5).Draw(t, "ratio"), Tau: rapid.Float64Range(0, 1).Draw(t, "tau")}
		if rapid.Bool().Draw(t, "profile") {
			d.Shares = even()
		}
		life := time.Duration(rapid.Int64Range(0, 100).Draw(t, "life")) * time.Hour
		tray := []Batch{{qty.Qty(rapid.Int64Range(0, 1e8).Draw(t, "tray")), rapid.IntRange(0, 96).Draw(t, "until")}}
		batch := qty.Qty(rapid.Int64Range(0, 1e5).Draw(t, "batch"))
		for _, r := range PlanRounds(d, life, tray, batch) {
			if r.Make < 0 || r.Quantile < 0 || r.OnHand < 0 || batch > 0 && r.Make%batch != 0 {
				t.Fatalf("%+v", r)
			}
			if off := r.Quantile - r.OnHand - r.Make; off > max(batch, piece) || r.Make > 0 && -off > max(batch, piece) {
				t.Fatalf("off by %v: %+v", off, r)
			}
		}
	})
}

func TestTheServiceQuantileFollowsTheLife(t *testing.T) {
	for life, want := range map[time.Duration]float64{time.Hour: .70, 24 * time.Hour: .70, 48 * time.Hour: .90, 72 * time.Hour: .95} {
		if got := Tau(life); got != want {
			t.Errorf("%v: %v", life, got)
		}
	}
	if z := score(.95); math.Abs(z-1.6449) > 1e-3 {
		t.Errorf("the 95 %% quantile is %v", z)
	}
}

func need(p id.ID, net qty.Qty) catalog.Requirement {
	return catalog.Requirement{Product: p, Net: net, Gross: new(big.Rat), Need: new(big.Rat)}
}

func TestTheCheapestSupplierThatCanStillDeliver(t *testing.T) {
	g := qty.Unit{Name: "g", Num: 1, Den: 1}
	near := party.Terms{Supplier: 1, Product: 9, Pack: 5_000_000, Unit: g, Price: 20_000, Class: party.Fresh, Days: party.EveryDay, CutOff: 960}
	far := near
	far.Supplier, far.Price, far.Class = 2, 10_000, party.Frozen
	terms := map[id.ID][]party.Terms{9: {near, far}}
	for _, c := range []struct {
		today    cal.Date
		supplier id.ID
		late     bool
	}{{"2026-11-20", 2, false}, {"2026-11-21", 1, false}, {"2026-11-22", 1, false}, {"2026-11-23", 1, true}} {
		lines, lacking, err := Propose([]catalog.Requirement{need(9, 12_000_000)}, terms, "2026-11-23", party.Moment{Date: c.today})
		if err != nil || len(lines) != 1 || len(lacking) != 0 {
			t.Fatal(lines, lacking, err)
		}
		if l := lines[0]; l.Terms.Supplier != c.supplier || l.Late != c.late || l.Packs != 3 || l.Over != 3_000_000 {
			t.Errorf("planning on %s: %+v", c.today, l)
		}
	}
}

func TestWhatNobodySuppliesIsSaid(t *testing.T) {
	made := need(7, 5)
	made.Made = true
	lines, lacking, err := Propose([]catalog.Requirement{made, need(8, 0), need(9, 5)}, nil, "2026-11-23", party.Moment{Date: "2026-11-22"})
	if err != nil || len(lines) != 0 || len(lacking) != 1 || lacking[0].Product != 9 {
		t.Errorf("%v %v %v", lines, lacking, err)
	}
}
