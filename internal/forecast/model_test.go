package forecast

import (
	"errors"
	"math"
	"testing"
)

// kept is what a training left, as it comes back from storage.
func kept(t *testing.T, m *Model, memory []Memory) (*Model, []*Memory) {
	t.Helper()
	b, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := decodeModel(b)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*Memory, len(memory))
	for i := range memory {
		b, err := encode(memory[i])
		if err != nil {
			t.Fatal(err)
		}
		all[i] = &Memory{}
		if err := decode(b, all[i]); err != nil {
			t.Fatal(err)
		}
		if f := all[i].Fit; f != nil && !f.sound() {
			t.Fatalf("the fit of series %d can't be asked: %+v", i, f)
		}
	}
	return stored, all
}

func learn(t *testing.T, p *Panel, o, workers int) (*Model, []Memory) {
	t.Helper()
	m, memory, err := NewEngine(p, Options{Horizon: 14, Workers: workers}).Learn(o)
	if err != nil {
		t.Fatal(err)
	}
	return m, memory
}

func predict(t *testing.T, p *Panel, o, workers int, m *Model, memory []*Memory) [][]Day {
	t.Helper()
	days, err := NewEngine(p, Options{Horizon: 14, Workers: workers, Explain: true}).Predict(o, m, memory)
	if err != nil {
		t.Fatal(err)
	}
	return days
}

func same2(t *testing.T, what string, a, b [][]Day) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d series and %d", what, len(a), len(b))
	}
	for i := range a {
		if len(a[i]) == 0 || len(a[i]) != len(b[i]) {
			t.Fatalf("%s: series %d has %d days and %d", what, i, len(a[i]), len(b[i]))
		}
		for h := range a[i] {
			if a[i][h] != b[i][h] {
				t.Fatalf("%s: series %d day %d: %+v and %+v", what, i, h+1, a[i][h], b[i][h])
			}
		}
	}
}

func TestAStoredModelForecastsToTheLastBitLikeTheOneInMemory(t *testing.T) {
	t.Parallel()
	p := rich(300)
	const cutoff, origin = 280, 284
	m, memory := learn(t, p, cutoff, 1)
	refs := make([]*Memory, len(memory))
	for i := range memory {
		refs[i] = &memory[i]
	}
	want := predict(t, p, origin, 1, m, refs)
	stored, all := kept(t, m, memory)
	same2(t, "stored", want, predict(t, p, origin, 1, stored, all))
	same2(t, "on eight cores", want, predict(t, p, origin, 8, stored, all))
	m8, memory8 := learn(t, p, cutoff, 8)
	stored8, all8 := kept(t, m8, memory8)
	same2(t, "trained on eight cores", want, predict(t, p, origin, 8, stored8, all8))
}

// On a day on which the replay trains too, both must say the same: what backtest measures is what shops get.
func TestTheNightSaysWhatTheReplayMeasures(t *testing.T) {
	t.Parallel()
	p := rich(300)
	o := 262
	for (p.First.Number()+o)%trainEvery != 0 {
		o++
	}
	want := NewEngine(p, Options{Horizon: 14, Explain: true}).Forecast(o)
	m, memory := learn(t, p, o, 1)
	stored, all := kept(t, m, memory)
	same2(t, "replay", want, predict(t, p, o, 1, stored, all))
}

func TestAModelNeverKnowsMoreThanTheForecastMay(t *testing.T) {
	t.Parallel()
	p := rich(300)
	const cutoff = 260
	m, memory := learn(t, p, cutoff, 1)
	_, all := kept(t, m, memory)
	for _, o := range []int{cutoff - 1, cutoff - 30} {
		if _, err := NewEngine(p, Options{Horizon: 14}).Predict(o, m, all); !errors.Is(err, ErrFuture) {
			t.Errorf("a model of day %d forecasts from day %d: %v", cutoff, o, err)
		}
	}
	// Whatever happens after the cut-off, the same is learned.
	other := rich(300)
	for i := range other.Series {
		for t := cutoff + 1; t < other.Days; t++ {
			other.Series[i].Sold[t] = float64(1000 * (i + t%3))
		}
	}
	other.closeDays()
	m2, memory2 := learn(t, other, cutoff, 1)
	stored2, all2 := kept(t, m2, memory2)
	same2(t, "another future", predict(t, p, cutoff, 1, m, all), predict(t, p, cutoff, 1, stored2, all2))
}

func TestAModelOfOtherFeaturesIsNotUsed(t *testing.T) {
	t.Parallel()
	p := rich(300)
	m, memory := learn(t, p, 290, 1)
	_, all := kept(t, m, memory)
	for name, spoil := range map[string]func(*Model){
		"a feature less":     func(m *Model) { m.Features = m.Features[1:] },
		"features reordered": func(m *Model) { m.Features = append([]string{m.Features[1], m.Features[0]}, m.Features[2:]...) },
		"another calendar":   func(m *Model) { m.Lunar = !m.Lunar },
		"fewer days ahead":   func(m *Model) { m.Horizon = 7 },
	} {
		bad := *m
		spoil(&bad)
		if _, err := NewEngine(p, Options{Horizon: 14}).Predict(295, &bad, all); !errors.Is(err, ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	bad := *m
	bad.Trees = append([]byte{99}, m.Trees[1:]...)
	b2, err := encode(&bad)
	if err != nil {
		t.Fatal(err)
	}
	bad = *m
	bad.Factor = math.NaN()
	b3, err := encode(&bad)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"nothing": nil, "half": b[:len(b)/2], "other trees": b2, "no number": b3} {
		if _, err := decodeModel(text); !errors.Is(err, ErrModel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A shop's forecast comes out the same alone and beside others; a product nobody remembers is forecast too.
func TestAShopIsForecastTheSameAloneAndAProductThatIsNewAsWell(t *testing.T) {
	t.Parallel()
	p := rich(300)
	p.Shops = append(p.Shops, Shop{Name: "second"})
	for i := range p.Series {
		p.Series[i].Shop = i % 2
	}
	p.closeDays()
	m, memory := learn(t, p, 280, 1)
	_, all := kept(t, m, memory)
	want := predict(t, p, 286, 1, m, all)
	alone := *p
	alone.Shops = p.Shops[:1]
	alone.Series = nil
	var mine []*Memory
	var wanted [][]Day
	for i := range p.Series {
		if p.Series[i].Shop == 0 {
			alone.Series, mine, wanted = append(alone.Series, p.Series[i]), append(mine, all[i]), append(wanted, want[i])
		}
	}
	same2(t, "alone", wanted, predict(t, &alone, 286, 1, m, mine))
	mine[0] = nil
	got := predict(t, &alone, 286, 1, m, mine)
	sound(t, got)
	if a, b := sumOf(got[0], 7), sumOf(wanted[0], 7); a < .7*b || a > 1.4*b {
		t.Errorf("a product nobody remembers is forecast at %.1f a week, remembered at %.1f", a, b)
	}
}

func TestAReplayMayAskBehindTheLastKnownPrice(t *testing.T) {
	t.Parallel()
	p := rich(220)
	for i := range p.Series {
		p.Series[i].Price, p.Series[i].Promo = p.Series[i].Price[:p.Days], p.Series[i].Promo[:p.Days]
	}
	end := p.First.AddDays(p.Days - 1)
	sum, err := Backtest{Panel: p, From: end, To: end.AddDays(35), Horizon: 7, Step: 35}.Run(nil)
	if err != nil || sum.Origins != 2 || sum.Series != len(p.Series) {
		t.Errorf("%+v %v", sum, err)
	}
}
