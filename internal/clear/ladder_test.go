package clear

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

var expiry = time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)

func TestWhenABatchIsClearedByItsLife(t *testing.T) {
	second := time.Second
	for _, c := range []struct {
		life   time.Duration
		before time.Duration // before expiry
		want   Phase
	}{
		{24 * time.Hour, 6*time.Hour + second, FullPrice},
		{24 * time.Hour, 6 * time.Hour, Markdown},
		{24 * time.Hour, 2*time.Hour + second, Markdown},
		{24 * time.Hour, 2 * time.Hour, FreeOne},
		{24 * time.Hour, second, FreeOne},
		{24 * time.Hour, 0, Expired},
		{24 * time.Hour, -time.Hour, Expired},
		{12 * time.Hour, 6 * time.Hour, Markdown},
		{12*time.Hour - second, 6 * time.Hour, FullPrice},
		{4 * time.Hour, 2*time.Hour + second, FullPrice},
		{4 * time.Hour, 2 * time.Hour, Markdown},
		{4 * time.Hour, 40*time.Minute + second, Markdown},
		{4 * time.Hour, 40 * time.Minute, FreeOne},
		{4 * time.Hour, 0, Expired},
		{time.Hour, 30 * time.Minute, FullPrice},
		{time.Hour, second, FullPrice},
		{time.Hour, 0, Expired},
	} {
		if got := Default().PhaseAt(expiry.Add(-c.life), expiry, expiry.Add(-c.before)); got != c.want {
			t.Errorf("a life of %v, %v before expiry: %s, want %s", c.life, c.before, got, c.want)
		}
	}
}

func bun(left qty.Qty, expected float64, before time.Duration) Situation {
	return Situation{Made: expiry.Add(-24 * time.Hour), Expires: expiry, At: expiry.Add(-before), Full: 1000,
		Left: left * qty.Scale, Expected: expected, PlannedLeft: math.NaN(), Prior: .8}
}

func TestWhatSellsAnywayIsNotMarkedDown(t *testing.T) {
	if d := Default().Decide(bun(10, 10, 6*time.Hour)); d.Changed || d.Reason != ReasonSells || d.Price != 1000 {
		t.Errorf("%+v", d)
	}
	if d := Default().Decide(bun(11, 10, 6*time.Hour+time.Second)); d.Changed || d.Reason != ReasonNotYet {
		t.Errorf("a second too early: %+v", d)
	}
	if d := Default().Decide(bun(12, 10, 6*time.Hour)); !d.Changed || d.Reason != ReasonFirst || d.Offer.Depth != 15 {
		t.Errorf("%+v", d)
	}
}

func TestTheDepthThatEarnsMostWins(t *testing.T) {
	r := Default()
	d := r.Decide(bun(100, 60, 6*time.Hour))
	if d.Offer.Depth != 25 || d.Price != 750 || len(d.Options) != 4 {
		t.Errorf("%+v", d)
	}
	r.Elasticity = .5 // nobody cares for the price: every step would lose
	if d := r.Decide(bun(100, 60, 6*time.Hour)); d.Changed || d.Reason != ReasonEarns {
		t.Errorf("%+v", d)
	}
	r.AtOnce = true // by the letter: its time has come
	if d := r.Decide(bun(100, 60, 6*time.Hour)); !d.Changed || d.Reason != ReasonFirst || d.Offer.Depth != 15 {
		t.Errorf("%+v", d)
	}
}

func TestPlansThatDidNotConvertAreScreenedOut(t *testing.T) {
	s := bun(100, 60, 6*time.Hour)
	s.Tried = func(o Offer) (float64, int) {
		return map[int64]float64{15: .70, 20: .66, 25: .65, 30: .2}[o.Depth], 20
	}
	if d := Default().Decide(s); d.Offer.Depth != 20 {
		t.Errorf("exactly 65 %% does not pass: %+v", d)
	}
	s.Tried = func(o Offer) (float64, int) { return float64(o.Depth) / 100, 20 }
	if d := Default().Decide(s); d.Offer.Depth != 30 {
		t.Errorf("none passes: the highest conversion: %+v", d)
	}
	s.Tried = func(o Offer) (float64, int) { return 0, 19 }
	if d := Default().Decide(s); d.Offer.Depth != 25 || d.Options[0].Conversion != .8 {
		t.Errorf("tried too little to count against the prior: %+v", d)
	}
}

func TestBehindPlanDeepensOnPlanHolds(t *testing.T) {
	s := bun(50, 20, 4*time.Hour)
	s.Now = Offer{Depth: 15}
	for planned, want := range map[float64]Reason{49.9: ReasonBehind, 50: ReasonOnPlan, 60: ReasonOnPlan} {
		s.PlannedLeft = planned
		d := Default().Decide(s)
		if d.Reason != want || d.Changed != (want == ReasonBehind) || d.Offer.Depth < 15 {
			t.Errorf("50 left where %v were planned: %+v", planned, d)
		}
	}
	s.Now, s.PlannedLeft = Offer{Depth: 30}, 10
	if d := Default().Decide(s); d.Changed || d.Reason != ReasonDeepest || d.Price != 700 {
		t.Errorf("%+v", d)
	}
}

func TestInTheLastTwoHoursTwoGoForOne(t *testing.T) {
	s := bun(50, 5, 2*time.Hour)
	s.Now, s.PlannedLeft = Offer{Depth: 20}, 10
	d := Default().Decide(s)
	if !d.Changed || !d.Offer.Free || d.Price != 800 {
		t.Errorf("the base is the last markdown price: %+v", d)
	}
	s.PlannedLeft = 50
	if d := Default().Decide(s); d.Changed || d.Reason != ReasonOnPlan {
		t.Errorf("on plan the step is skipped: %+v", d)
	}
	s.Now, s.PlannedLeft = Offer{Depth: 20, Free: true}, 10
	if d := Default().Decide(s); d.Changed || !d.Offer.Free {
		t.Errorf("there is nothing deeper: %+v", d)
	}
}

func TestTheFloorHolds(t *testing.T) {
	r := Default()
	r.Floor = 820
	d := r.Decide(bun(100, 20, 6*time.Hour))
	if !d.Changed || d.Price < 820 {
		t.Errorf("%+v", d)
	}
	s := bun(100, 20, time.Hour)
	if d := r.Decide(s); d.Changed {
		t.Errorf("half of 10.00 is under a floor of 8.20: %+v", d)
	}
	r.FreeUnder = true
	if d := r.Decide(s); !d.Offer.Free {
		t.Errorf("the category lets two for one go under the floor: %+v", d)
	}
	r.Floor = 1200
	if p := r.Price(1000, Offer{Depth: 30}); p != 1000 {
		t.Errorf("a floor over the price raised it to %d", p)
	}
}

func TestStopEndsStepsAndKeepsTheReducedPrice(t *testing.T) {
	s := bun(50, 5, 3*time.Hour)
	s.Now, s.PlannedLeft, s.Stopped = Offer{Depth: 20}, 10, true
	if d := Default().Decide(s); d.Changed || d.Price != 800 || d.Reason != ReasonStopped {
		t.Errorf("%+v", d)
	}
}

func TestThroughAWholeDayThePriceNeverRisesNorFallsUnderTheFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Default()
		full := money.Fen(rapid.Int64Range(1, 100_000).Draw(t, "full"))
		r.Floor = money.Fen(rapid.Int64Range(0, 120_000).Draw(t, "floor"))
		r.FreeUnder = rapid.Bool().Draw(t, "free under the floor")
		life := time.Duration(rapid.Int64Range(1, 72).Draw(t, "life h")) * time.Hour
		made := expiry.Add(-life)
		left := qty.Qty(rapid.Int64Range(1, 500).Draw(t, "left")) * qty.Scale
		now, planned, last := Offer{}, math.NaN(), full
		for at := made; !at.After(expiry); at = at.Add(30 * time.Minute) {
			s := Situation{Made: made, Expires: expiry, At: at, Full: full, Left: left, Now: now, PlannedLeft: planned, Prior: .7,
				Expected: rapid.Float64Range(0, 500).Draw(t, "expected")}
			d := r.Decide(s)
			if d.Price > last || d.Price < min(full, r.Floor) || now.deeper(d.Offer) {
				t.Fatalf("at %v: %+v after %d", expiry.Sub(at), d, last)
			}
			if d.Changed && (d.Phase != Markdown && d.Phase != FreeOne || d.Offer == now) {
				t.Fatalf("changed in %s: %+v", d.Phase, d)
			}
			now, last, planned = d.Offer, d.Price, r.Planned(full, d.Offer, s.Expected*.9)
			left -= min(left, qty.Qty(rapid.Int64Range(0, 20).Draw(t, "sold"))*qty.Scale)
		}
	})
}
