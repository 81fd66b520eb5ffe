package sim

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
)

// panelOf is a history of one shop: quantities by product and day, from a Monday on.
func panelOf(t *testing.T, sold map[string][]int) *forecast.Panel {
	t.Helper()
	var b strings.Builder
	b.WriteString("date,product,quantity\n")
	for product, days := range sold {
		for i, q := range days {
			if q >= 0 {
				b.WriteString(string(cal.Date("2026-01-05").AddDays(i)) + "," + product + "," + strconv.Itoa(q) + "\n")
			}
		}
	}
	path := filepath.Join(t.TempDir(), "sales.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := forecast.ReadSales([]string{path}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func bunsFor(price, cost money.Fen) func(string, string) (Goods, error) {
	return func(string, string) (Goods, error) { return Goods{Price: price, Cost: cost}, nil }
}

// shaky is a weekly rhythm with luck around it.
func shaky(days int, seed uint64) []int {
	luck := rand.New(rand.NewPCG(seed, 1))
	week := []int{20, 22, 21, 25, 34, 48, 40}
	out := make([]int, days)
	for i := range out {
		out[i] = max(0, week[i%7]+int(luck.NormFloat64()*6))
	}
	return out
}

func TestAShopThatSellsTheSameEveryWeekNeverRunsOutAndThrowsNothingAway(t *testing.T) {
	week := []int{10, 12, 14, 16, 18, 20, 8}
	days := make([]int, 140)
	for i := range days {
		days[i] = week[i%7]
	}
	out, err := Replay{Panel: panelOf(t, map[string][]int{"bun": days}), Life: 1, Goods: bunsFor(500, 200), Policies: []Policy{Manual}}.Run()
	if err != nil {
		t.Fatal(err)
	}
	o := out.Policies[0]
	sold := 0.0
	for _, q := range days[70:] {
		sold += float64(q)
	}
	if o.StockoutDays != 0 || o.LostUnits != 0 || o.WasteUnits != 0 || o.SoldUnits != sold || int64(o.MarginFen) != int64(sold)*300 {
		t.Errorf("%+v, sold should be %v", o, sold)
	}
}

func TestUnitsAddUpUnderEveryPolicyAndLife(t *testing.T) {
	p := panelOf(t, map[string][]int{"bun": shaky(150, 1), "bread": shaky(150, 2), "bento": shaky(150, 3)})
	for life := 1; life <= 3; life++ {
		out, err := Replay{Panel: p, Life: life, Goods: bunsFor(1000, 550)}.Run()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out.Policies {
			if d := o.SoldUnits + o.LostUnits - out.Demand; d > .01 || d < -.01 {
				t.Errorf("life %d %s: sold %v and lost %v are not the demand %v", life, o.Policy, o.SoldUnits, o.LostUnits, out.Demand)
			}
			if left := o.MadeUnits - o.SoldUnits - o.WasteUnits; left < -.01 || life == 1 && left > .01 {
				t.Errorf("life %d %s: made %v, sold %v, thrown away %v", life, o.Policy, o.MadeUnits, o.SoldUnits, o.WasteUnits)
			}
		}
	}
}

func TestGoodsThatLastAreThrownAwayLess(t *testing.T) {
	p := panelOf(t, map[string][]int{"bun": shaky(150, 5)})
	last := 0.0
	for life := 1; life <= 3; life++ {
		out, err := Replay{Panel: p, Life: life, Service: .9, Goods: bunsFor(1000, 550), Policies: []Policy{Model}}.Run()
		if err != nil {
			t.Fatal(err)
		}
		w := out.Policies[0].WasteUnits
		if life > 1 && w >= last {
			t.Errorf("life %d throws %v away, a day less %v", life, w, last)
		}
		last = w
	}
}

func TestAtEqualStockoutsTheEngineThrowsAwayLessThanLastWeek(t *testing.T) {
	p := panelOf(t, map[string][]int{"bun": shaky(240, 7), "bread": shaky(240, 8), "bento": shaky(240, 9), "wrap": shaky(240, 10)})
	out, err := Replay{Panel: p, Life: 1, Goods: bunsFor(1000, 550)}.Run()
	if err != nil {
		t.Fatal(err)
	}
	if e, m := out.AtEqual[Model], out.AtEqual[Manual]; e >= .9*m || e <= 0 {
		t.Errorf("the engine throws %v away, last week's rule %v", e, m)
	}
}

func TestALowerServiceRunsOutMoreOftenAndThrowsAwayLess(t *testing.T) {
	p := panelOf(t, map[string][]int{"bun": shaky(150, 11), "bread": shaky(150, 12)})
	run := func(service float64) Outcome {
		out, err := Replay{Panel: p, Life: 1, Service: service, Goods: bunsFor(1000, 550), Policies: []Policy{Model}}.Run()
		if err != nil {
			t.Fatal(err)
		}
		return out.Policies[0]
	}
	low, high := run(.5), run(.95)
	if low.StockoutDays <= high.StockoutDays || low.WasteUnits >= high.WasteUnits {
		t.Errorf("at .5 %+v, at .95 %+v", low, high)
	}
}

func TestClosedDaysAgeWhatIsThereAndAreNotReplayed(t *testing.T) {
	days := make([]int, 140)
	for i := range days {
		if days[i] = 10; i%7 == 6 {
			days[i] = -1
		}
	}
	out, err := Replay{Panel: panelOf(t, map[string][]int{"bun": days}), Life: 2, Goods: bunsFor(500, 200), Policies: []Policy{Manual}}.Run()
	if err != nil {
		t.Fatal(err)
	}
	if out.Days != 60 { // ten weeks of six open days
		t.Errorf("%d days were replayed", out.Days)
	}
}

func TestAReplayThatMakesNoSenseIsRefused(t *testing.T) {
	p := panelOf(t, map[string][]int{"bun": shaky(100, 1)})
	short := panelOf(t, map[string][]int{"bun": shaky(20, 1)})
	for name, c := range map[string]struct {
		r    Replay
		want *errs.Error
	}{
		"no life":            {Replay{Panel: p, Goods: bunsFor(2, 1)}, ErrReplayLife},
		"a life of a week":   {Replay{Panel: p, Life: 7, Goods: bunsFor(2, 1)}, ErrReplayLife},
		"sold below cost":    {Replay{Panel: p, Life: 1, Goods: bunsFor(1, 2)}, ErrReplayWorth},
		"a cost below zero":  {Replay{Panel: p, Life: 1, Goods: bunsFor(1, -2)}, ErrReplayWorth},
		"hardly any history": {Replay{Panel: short, Life: 1, Goods: bunsFor(2, 1)}, ErrReplaySpan},
		"days to come":       {Replay{Panel: p, Life: 1, Goods: bunsFor(2, 1), To: "2030-01-01"}, ErrReplaySpan},
		"backwards":          {Replay{Panel: p, Life: 1, Goods: bunsFor(2, 1), From: "2026-04-01", To: "2026-03-01"}, ErrReplaySpan},
		"another policy":     {Replay{Panel: p, Life: 1, Goods: bunsFor(2, 1), Policies: []Policy{"feel"}}, ErrReplayPolicy},
		"too sure":           {Replay{Panel: p, Life: 1, Goods: bunsFor(2, 1), Service: .999}, ErrReplayService},
	} {
		if _, err := c.r.Run(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
