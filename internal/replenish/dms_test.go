package replenish

import (
	"testing"

	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/qty"
)

// days are selling days of so many pieces each, the oldest first; a negative one ran out after selling so many.
func soldDays(pieces ...int64) (all []SoldDay) {
	for i, n := range pieces {
		all = append(all, SoldDay{Date: cal.Date("2026-02-01").AddDays(i), Qty: qty.Qty(max(n, -n)) * piece, Out: n < 0})
	}
	return all
}

func repeated(n int64, times int, more ...int64) []SoldDay {
	all := make([]int64, times, times+len(more))
	for i := range all {
		all[i] = n
	}
	return soldDays(append(all, more...)...)
}

func TestDailyMeanSalesLeaveOutWhatTeachesNothing(t *testing.T) {
	for _, c := range []struct {
		name          string
		days          []SoldDay
		sum           qty.Qty // pieces
		n, out, peaks int64
		only          bool
		mean          qty.Qty // thousandths
	}{
		{"no history", nil, 0, 0, 0, 0, false, 0},
		{"nothing sold", repeated(0, 28), 0, 28, 0, 0, false, 0},
		{"ten a day", repeated(10, 28), 280, 28, 0, 0, false, 10_000},
		{"slow goods count their empty days", soldDays(0, 0, 1, 0, 0, 0, 1), 2, 7, 0, 0, false, 286},
		{"days that ran out are left out", soldDays(10, -2, 10, -3), 20, 2, 2, 0, false, 10_000},
		{"it ran out on all of them: no less was wanted", soldDays(-4, -6), 10, 2, 0, 0, true, 5_000},
		// 27 of 10 and one of 100: mean 13.21, σ 16.70, the limit 63.31
		{"a bulk sale", repeated(10, 27, 100), 270, 27, 0, 1, false, 10_000},
		// of n days one that stands out is (n−1)/√(n−1) σ above the mean: of ten exactly 3, which is not above
		{"one of ten can't stand out", repeated(10, 9, 100), 190, 10, 0, 0, false, 19_000},
		{"of eleven it can", repeated(10, 10, 100), 100, 10, 0, 1, false, 10_000},
		{"nor can one of nothing else", soldDays(5), 5, 1, 0, 0, false, 5_000},
		{"a peak that ran out is out first", repeated(10, 27, -100), 270, 27, 1, 0, false, 10_000},
		{"what is low is no peak", repeated(10, 27, 0), 270, 28, 0, 0, false, 9_643},
	} {
		m := MeanOf(c.days)
		if m.Sum != c.sum*piece || m.Days != c.n || m.Out != c.out || m.Peaks != c.peaks || m.OnlyOut != c.only || m.Over(1, One) != c.mean {
			t.Errorf("%s: %+v, mean %d", c.name, m, m.Over(1, One))
		}
	}
}

// max(0, DMS × (lead + review days) × season factor + safety − available − in transit), then min(…, ceiling − available − in
// transit), then packs down to the ceiling.
func TestTheClassicChainIsReckonedStepByStep(t *testing.T) {
	none := int64(-1)
	ten := MeanOf(repeated(10, 28))
	for _, c := range []struct {
		name                                    string
		mean                                    DailyMean
		lead, review, factor                    int64
		safety, available, transit, ceiling     int64 // pieces; ceiling −1: none
		pack, least                             int64
		expected, want, suggested, packs, order int64
		less                                    DMSLess
	}{
		{"plain", ten, 3, 7, 1000, 20, 30, 10, none, 12, 1, 100, 80, 80, 7, 84, DMSEnough},
		{"a season of half as much again", ten, 3, 7, 1500, 20, 30, 10, none, 12, 1, 150, 130, 130, 11, 132, DMSEnough},
		{"enough there", ten, 3, 7, 1000, 20, 100, 20, none, 12, 1, 100, 0, 0, 0, 0, DMSEnough},
		{"a piece short", ten, 3, 7, 1000, 20, 100, 19, none, 12, 1, 100, 1, 1, 1, 12, DMSEnough},
		{"under the ceiling", ten, 3, 7, 1000, 20, 30, 10, 100, 12, 1, 100, 80, 60, 5, 60, DMSCeiling},
		{"packs go down to the ceiling", ten, 3, 7, 1000, 20, 30, 10, 121, 12, 1, 100, 80, 80, 6, 72, DMSCeiling},
		{"packs that just fit go up", ten, 3, 7, 1000, 20, 30, 10, 124, 12, 1, 100, 80, 80, 7, 84, DMSEnough},
		{"the ceiling is below what is there", ten, 3, 7, 1000, 120, 90, 0, 80, 12, 1, 100, 130, 0, 0, 0, DMSFull},
		{"the ceiling is what is there and comes", ten, 3, 7, 1000, 120, 70, 10, 80, 12, 1, 100, 140, 0, 0, 0, DMSFull},
		{"a pack larger than the room", ten, 3, 7, 1000, 20, 30, 10, 50, 12, 1, 100, 80, 10, 0, 0, DMSPack},
		{"a pack of the room", ten, 3, 7, 1000, 20, 30, 10, 52, 12, 1, 100, 80, 12, 1, 12, DMSCeiling},
		{"the supplier's least does not fit", ten, 3, 7, 1000, 20, 30, 10, 100, 12, 6, 100, 80, 60, 0, 0, DMSPack},
		{"the supplier's least is more than is wanted", ten, 3, 7, 1000, 20, 100, 19, none, 12, 5, 100, 1, 1, 5, 60, DMSEnough},
		{"no history: the safety alone", DailyMean{}, 3, 7, 1000, 20, 5, 0, none, 12, 1, 0, 15, 15, 2, 24, DMSEnough},
		{"no history and no safety", DailyMean{}, 3, 7, 1000, 0, 0, 0, none, 12, 1, 0, 0, 0, 0, 0, DMSEnough},
		{"sold out on all days", MeanOf(soldDays(-4, -6)), 3, 7, 1000, 0, 0, 0, none, 12, 1, 50, 50, 50, 5, 60, DMSEnough},
		{"promised more than there is", ten, 3, 7, 1000, 0, -5, 0, 40, 12, 1, 100, 105, 45, 3, 36, DMSCeiling},
		{"a ceiling of nothing", ten, 3, 7, 1000, 0, 0, 0, 0, 12, 1, 100, 100, 0, 0, 0, DMSFull},
	} {
		of := DMSOf{Mean: c.mean, Lead: c.lead, Review: c.review, Factor: c.factor, Safety: qty.Qty(c.safety) * piece, Available: qty.Qty(c.available) * piece, InTransit: qty.Qty(c.transit) * piece, Ceiling: Computed}
		if c.ceiling >= 0 {
			of.Ceiling = qty.Qty(c.ceiling) * piece
		}
		w := of.Suggest().InPacks(qty.Qty(c.pack)*piece, c.least)
		p := func(q qty.Qty) int64 { return int64(q / piece) }
		if p(w.Expected) != c.expected || p(w.Want) != c.want || p(w.Suggested) != c.suggested || w.Packs != c.packs || p(w.Qty) != c.order || w.Less != c.less || w.Ceiling != nil && w.Qty > max(0, *w.Ceiling-w.Available-w.InTransit) {
			t.Errorf("%s: %+v", c.name, w)
		}
	}
	// One of three days: 1/3 × 10 days × 1.3 = 4.333 thousandths and a third, rounded once.
	if got := MeanOf(soldDays(1, 0, 0)).Over(10, 1300); got != 4_333 {
		t.Errorf("%d", got)
	}
	if got := (DailyMean{Sum: qty.Max, Days: 1}).Over(60, 20_000); got != qty.Max {
		t.Errorf("beyond what can be counted: %d", got)
	}
}

func TestASuggestionCostsWhatItsPacksCost(t *testing.T) {
	w := DMSOf{Mean: MeanOf(repeated(10, 28)), Lead: 3, Review: 7, Factor: One, Ceiling: 60 * piece}.Suggest().InPacks(12*piece, 1)
	o, err := w.Order(Proposal{Terms: party.Terms{Pack: 12_000, Unit: qty.Unit{Name: "piece", Num: 1, Den: 1}, Price: 1_000_000, MinPacks: 1}, Packs: 9, Qty: 108 * piece, Amount: 99})
	if err != nil || o.Packs != 5 || o.Qty != 60*piece || o.Over != 0 || o.Net != 60*piece || o.Amount != 6_000 {
		t.Errorf("%+v %v", o, err)
	}
}
