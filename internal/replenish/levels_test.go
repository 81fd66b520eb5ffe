package replenish

import (
	"math"
	"testing"
	"time"

	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

func TestBelowSafetyOrdersUpToTheMaximumOnce(t *testing.T) {
	for _, c := range []struct {
		available, transit, safety, most qty.Qty
		open                             bool
		want                             qty.Qty
	}{
		{9, 0, 10, 50, false, 41},
		{9, 1, 10, 50, false, 0}, // at the level: nothing
		{10, 0, 10, 50, false, 0},
		{4, 5, 10, 50, false, 41},
		{9, 0, 10, 50, true, 0},   // a line is open
		{0, 0, 0, 50, false, 0},   // a level of nothing is never undercut
		{-3, 0, 1, 50, false, 53}, // promised more than there is
		{9, 0, 10, 5, false, 0},   // a maximum below what there is
	} {
		if got := OrderUpTo(c.available*piece, c.transit*piece, c.safety*piece, c.most*piece, c.open); got != c.want*piece {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if OrderUpTo(10*piece-1, 0, 10*piece, 50*piece, false) != 40*piece+1 {
		t.Error("a thousandth below the level is below it")
	}
}

func TestAPromotionStocksUpFrom48HoursBefore(t *testing.T) {
	promo := time.Date(2026, 10, 1, 7, 0, 0, 0, time.UTC)
	ends := promo.Add(72 * time.Hour)
	from := StocksUpFrom(promo, time.Time{})
	for _, c := range []struct {
		at   time.Time
		want int64
	}{
		{promo.Add(-48*time.Hour - time.Millisecond), 1000}, {promo.Add(-48 * time.Hour), 1500}, {promo, 1500}, {ends.Add(-time.Millisecond), 1500}, {ends, 1000}, {ends.Add(time.Hour), 1000},
	} {
		if got := FactorAt(c.at, from, ends, StrategyFactor); got != c.want {
			t.Errorf("%v: %d, want %d", c.at, got, c.want)
		}
	}
	// Frozen goods, 72 h and cut off at 16:00 of the day: ordered earlier than 48 hours before.
	last := time.Date(2026, 9, 28, 16, 0, 0, 0, time.UTC)
	if got := StocksUpFrom(promo, last); !got.Equal(last) {
		t.Errorf("frozen: %v", got)
	}
	// Fresh goods of 24 h: 48 hours before is earlier than their last moment.
	if got := StocksUpFrom(promo, promo.Add(-15*time.Hour)); !got.Equal(promo.Add(-48 * time.Hour)) {
		t.Errorf("fresh: %v", got)
	}
}

func TestTheFactorReplacesThePromotionsOwnEffect(t *testing.T) {
	// 60 expected of which 20 for the promotion, 72 at the quantile: 40 and 48 without it, 60 and 72 at ×1.5.
	d := Demand{Mean: 60, Quantile: 72, Tau: .7, Shares: even()}.Moved(20*piece, StrategyFactor)
	plan := PlanRounds(d, 24*time.Hour, nil, piece)
	if plan[0].Mean != 60*piece || plan[0].Quantile != 72*piece {
		t.Errorf("%+v", plan[0])
	}
	// The target of every round is 1.5 times that of the round without it.
	base := Demand{Mean: 60, Quantile: 66, Tau: .7, Shares: even()}
	plain, raised := PlanRounds(base, 6*time.Hour, nil, piece), PlanRounds(base.Moved(0, StrategyFactor), 6*time.Hour, nil, piece)
	for i := range plain {
		if raised[i].Quantile != Times(plain[i].Quantile, 1500) || raised[i].Mean != Times(plain[i].Mean, 1500) {
			t.Errorf("round %d: %v, then %v", i, plain[i], raised[i])
		}
	}
	// A cold wave: 130 % of what oden would sell in any weather, whatever the model makes of the cold.
	for _, effect := range []qty.Qty{-10 * piece, 0, 25 * piece} {
		oden := Demand{Mean: 100 + effect.Approx(), Quantile: 100 + effect.Approx(), Tau: .5}.Moved(effect, ColdWaveFactor)
		if got := PlanRounds(oden, 24*time.Hour, nil, piece)[0]; got.Quantile != 130*piece || got.Make != 130*piece {
			t.Errorf("effect %v: %+v", effect, got)
		}
	}
}

func TestThirtyPercentExactlyDoesNothing(t *testing.T) {
	for _, c := range []struct {
		sold, expected qty.Qty
		want           Reach
	}{
		{13 * piece, 10 * piece, Within}, {13*piece + 1, 10 * piece, Over}, {7 * piece, 10 * piece, Within}, {7*piece - 1, 10 * piece, Under},
		{10 * piece, 10 * piece, Within}, {65 * piece / 10, 5 * piece, Within}, {65*piece/10 + 1, 5 * piece, Over},
		{100 * piece, 5*piece - 1, Early}, {0, 5 * piece, Under}, {0, 0, Early},
	} {
		if got := Pace(c.sold, c.expected); got != c.want {
			t.Errorf("%v of %v: %s, want %s", c.sold, c.expected, got, c.want)
		}
	}
}

func TestTheMorningMovesTheDayLessThanItsPace(t *testing.T) {
	d := Demand{Mean: 100, Quantile: 115, Tau: .7, Shares: even()}
	at := 14 + 15.0 // half of the day
	o := Posterior(d, 80, at)
	if o.Factor <= 1.1 || o.Factor >= 1.6 {
		t.Errorf("80 instead of 50: %v", o.Factor)
	}
	if math.Abs(o.Remaining-50*o.Factor) > 1e-9 {
		t.Errorf("%v remain", o.Remaining)
	}
	// A forecast that is surer of its day moves less, but it moves.
	if surer := Posterior(Demand{Mean: 100, Quantile: 100 + score(.7)*10, Tau: .7, Shares: even()}, 80, at); surer.Factor >= o.Factor || surer.Factor < 1.1 {
		t.Errorf("%v, less sure %v", surer.Factor, o.Factor)
	}
	// The probabilities are one distribution: short of n, and the quantile, agree.
	for _, tau := range []float64{.5, .7, .9, .95} {
		n := o.Quantile(tau)
		if o.Short(n) > 1-tau+1e-9 || o.Short(n-1) < 1-tau-1e-9 {
			t.Errorf("%v: %v short of %v, %v short of one less", tau, o.Short(n), n, o.Short(n-1))
		}
	}
	big := Posterior(Demand{Mean: 50000, Quantile: 52000, Tau: .7, Shares: even()}, 30000, at)
	if q := big.Quantile(.9); q <= big.Remaining || math.Abs(big.Short(q)-.1) > .01 {
		t.Errorf("%v of %v, short %v", q, big.Remaining, big.Short(q))
	}
}

func TestTheHourOfRunningOut(t *testing.T) {
	o := Posterior(Demand{Mean: 60, Quantile: 60, Tau: .5, Shares: even()}, 30, 29) // as forecast: 2 in half an hour, from 14:30
	if at, ok := o.RunsOut(10); !ok || math.Abs(at-34) > 1e-9 {
		t.Errorf("ten last five half hours, until 17:00: %v %v", at, ok)
	}
	if _, ok := o.RunsOut(31); ok {
		t.Error("31 last the day")
	}
	if at, ok := o.RunsOut(0); !ok || at != 29 {
		t.Errorf("nothing is out now: %v %v", at, ok)
	}
	if got := o.Urgent(31, .7); got != 0 {
		t.Errorf("enough is there, and %v are wanted", got)
	}
	if got := o.Urgent(10, .5); got < 19*piece || got > 21*piece {
		t.Errorf("30 to come, 10 there: %v", got)
	}
}

func TestTheStrongerLevelDecides(t *testing.T) {
	order := []Level{"", Automatic, Tuning, Buffer, Exception}
	for i, a := range order {
		for k, b := range order {
			if a.Above(b) != (i > k) {
				t.Errorf("%q above %q", a, b)
			}
		}
	}
}

func TestOverTheCeilingALineWaits(t *testing.T) {
	c := Ceilings{Qty: 100 * piece, Amount: 50000}
	for _, x := range []struct {
		q    qty.Qty
		fen  money.Fen
		want Held
	}{{100 * piece, 50000, HeldNot}, {100*piece + 1, 1, HeldQty}, {1, 50001, HeldAmount}, {101 * piece, 50001, HeldQty}} {
		if got := c.Hold(x.q, x.fen); got != x.want {
			t.Errorf("%v for %v: %q, want %q", x.q, x.fen, got, x.want)
		}
	}
	if (Ceilings{}).Hold(qty.Max, money.Max) != HeldNot {
		t.Error("without a ceiling nothing waits")
	}
	if SoldTooMuch(50*piece, 50*piece) || !SoldTooMuch(50*piece+1, 50*piece) || SoldTooMuch(qty.Max, 0) {
		t.Error("the threshold itself passes, one more waits, no threshold holds nothing")
	}
}

func TestWhatCountsAsAColdWave(t *testing.T) {
	for _, c := range []struct {
		rule   Condition
		w      Weather
		degree qty.Qty
		want   bool
	}{
		{ColdWave, Weather{Min: 4000, MinBefore: 12000, Known: true}, 0, true}, {ColdWave, Weather{Min: 4100, MinBefore: 14000, Known: true}, 0, false},
		{ColdWave, Weather{Min: 3000, MinBefore: 10900, Known: true}, 0, false}, {ColdWave, Weather{Min: -20000, MinBefore: 0}, 0, false},
		{ColdBelow, Weather{Min: 0, Known: true}, 0, true}, {ColdBelow, Weather{Min: 100, Known: true}, 0, false},
		{HotAbove, Weather{Max: 35000, Known: true}, 35000, true}, {HotAbove, Weather{Max: 34900, Known: true}, 35000, false},
		{RainAbove, Weather{Rain: 10000, Known: true}, 10000, true}, {RainAbove, Weather{Rain: 9000, Known: true}, 10000, false}, {"fog", Weather{Known: true}, 0, false},
	} {
		if got := c.rule.Meets(c.w, c.degree); got != c.want {
			t.Errorf("%s %+v: %v", c.rule, c.w, got)
		}
	}
}

func TestASafetyLevelNobodySet(t *testing.T) {
	expected, safety := SafetyLevel([]float64{10, 12, 8}, []float64{16, 9, 11}, .95)
	if expected != 30*piece || safety != 10*piece { // 1.645 × 6 = 9.87
		t.Errorf("%v and %v", expected, safety)
	}
}
