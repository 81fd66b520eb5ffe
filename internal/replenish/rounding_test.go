package replenish

import (
	"testing"
	"time"

	"zhanggui/internal/platform/qty"
)

// evenly is a demand of one to two hundred, each as likely.
func evenly() Chance {
	var c Chance
	for i := range c.at {
		c.at[i] = float64(i) + .5
	}
	return c.measured()
}

// A loaf costs 4 yuan and sells for 10. Of 200 equally likely demands those above u are (200 − u)/200.
func TestTheLastBatchIsMadeWhenItEarnsMoreThanItCosts(t *testing.T) {
	w := Worth{Cost: 4_000_000, Price: 10_000_000}
	for _, c := range []struct {
		name             string
		want             qty.Qty
		tau              float64
		make             qty.Qty
		sold, wasted     float64
		gain             int64
		missed           int64
		byLevel          bool
		now, within      Chance
		batch, have      qty.Qty
		worth            *Worth
		noReason, nearby bool
	}{
		// 110 wanted, in batches of 20: of the 20 from 100 on Σ(200−u)/200 = 9 are sold and 11 thrown away: 9 × 6 − 11 × 4 = 10 yuan.
		{name: "up, though down is nearer: the margin is good", want: 109 * piece, tau: .5, make: 120 * piece, sold: 9, wasted: 11, gain: 1000, missed: 6_000_000},
		// From 120 on: 7 sold, 13 thrown away: 42 − 52 = −10 yuan.
		{name: "down, though up is nearer", want: 135 * piece, tau: .5, make: 120 * piece, sold: 7, wasted: 13, gain: -1000, missed: 6_000_000},
		// At 80 % a missed sale is held for 4 × .8/.2 = 16 yuan: 7 × 16 − 13 × 4 = 60.
		{name: "the service level holds a missed sale for dearer", want: 135 * piece, tau: .8, make: 140 * piece, sold: 7, wasted: 13, gain: 6000, missed: 16_000_000, byLevel: true},
		// Half of the sales are there now, but the life is long: nothing is wasted.
		{name: "what keeps costs nothing", want: 135 * piece, tau: .5, make: 140 * piece, sold: 7, wasted: 0, gain: 4200, missed: 6_000_000, within: evenly().shaped(1000, 10)},
		{name: "what lies there already counts", want: 15 * piece, have: 120 * piece, tau: .5, make: 0, sold: 7, wasted: 13, gain: -1000, missed: 6_000_000},
		{name: "whole batches need no reason", want: 140 * piece, tau: .5, make: 140 * piece, noReason: true},
		// Cost 5.5, margin 4.5, 20 from 80 on: 11 sold, 9 thrown away: 49.5 − 49.5 = 0: the nearest, halves up.
		{name: "a tie goes to the nearest", want: 89 * piece, tau: .45, make: 80 * piece, sold: 11, wasted: 9, gain: 0, missed: 4_500_000, worth: &Worth{Cost: 5_500_000, Price: 10_000_000}},
		{name: "a tie halfway goes up", want: 90 * piece, tau: .45, make: 100 * piece, sold: 11, wasted: 9, gain: 0, missed: 4_500_000, worth: &Worth{Cost: 5_500_000, Price: 10_000_000}},
	} {
		worth, within := w, evenly()
		if c.worth != nil {
			worth = *c.worth
		}
		if c.within.mean > 0 {
			within = c.within
		}
		got, why := worth.byProfit(c.want, c.have, 20*piece, c.tau, evenly(), within)
		if got != c.make {
			t.Errorf("%s: %v, %+v", c.name, got, why)
		}
		if c.noReason {
			if why != nil {
				t.Errorf("%s: %+v", c.name, why)
			}
			continue
		}
		if why == nil || why.Sold != qty.Nearest(c.sold) || why.Wasted != qty.Nearest(c.wasted) || int64(why.GainFen) != c.gain || int64(why.MissFen) != c.missed || why.ByLevel != c.byLevel {
			t.Errorf("%s: %+v", c.name, why)
		}
	}
	if got, why := w.byProfit(-piece, 0, 20*piece, .7, evenly(), evenly()); got != 0 || why != nil {
		t.Errorf("%v %v", got, why)
	}
}

// The higher the service level, the more is made, whatever batches do to it.
func TestProfitNeverMakesMoreServiceLess(t *testing.T) {
	c := ChanceOf(func(tau float64) qty.Qty { return qty.Nearest(40 + 30*score(tau)) })
	g := Good{Life: 6 * time.Hour, Batch: 7 * piece, Worth: Worth{Cost: 3_000_000, Price: 8_000_000}}
	var last qty.Qty
	for bp := LeastService; bp <= MostService; bp += 50 {
		tau := float64(bp) / 10_000
		d := DemandAt(40*piece, func(tau float64) qty.Qty { return qty.Nearest(40 + 30*score(tau)) }, bp, even())
		d.Chance = &c
		rounds, _ := planRounds(d, g, nil, 0, nil, nil)
		var sum qty.Qty
		for _, r := range rounds {
			sum += r.Make
		}
		if sum < last {
			t.Errorf("at %v: %v after %v", tau, sum, last)
		}
		last = sum
	}
	if last == 0 {
		t.Error("nothing was made")
	}
}
