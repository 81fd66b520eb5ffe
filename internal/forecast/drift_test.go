package forecast

import (
	"math"
	"math/rand/v2"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// judgedDays of somebody who says so much of each day, which people then want by chance.
func judgedDays(luck *rand.Rand, n int, said, wanted func(day int) float64) []judgedDay {
	var days []judgedDay
	for t := range n {
		days = append(days, judgedDay{cal.Date("2026-03-01").AddDays(t), said(t), float64(poisson(luck, wanted(t))), poissonError(said(t))})
	}
	return days
}

func TestADriftIsNamedAndChanceIsNot(t *testing.T) {
	t.Parallel()
	flat := func(v float64) func(int) float64 { return func(int) float64 { return v } }
	from := func(day int, before, after float64) func(int) float64 {
		return func(t int) float64 {
			if t < day {
				return before
			}
			return after
		}
	}
	for name, c := range map[string]struct {
		days         int
		said, wanted func(int) float64
		want         string
		atLeast      int // of 200
	}{
		"true of few":                  {42, flat(3), flat(3), "", 198},
		"true of many":                 {42, flat(100), flat(100), "", 199},
		"true of what trebles":         {42, from(28, 40, 120), from(28, 40, 120), "", 198},
		"a fifth too high":             {42, from(28, 100, 120), flat(100), driftHigh, 185},
		"a fifth too low":              {42, from(28, 100, 80), flat(100), driftLow, 195},
		"in the first fortnight":       {14, flat(130), flat(100), driftHigh, 195},
		"too high by next to nothing":  {42, flat(1_060), flat(1_000), "", 199},
		"all over the place of late":   {42, func(t int) float64 { return 100 * (1 + .6*float64(t/28)*float64(1-2*(t%2))) }, flat(100), driftFar, 195},
		"all over the place as always": {42, func(t int) float64 { return 100 * (1 + .6*float64(1-2*(t%2))) }, flat(100), "", 199},
		"wanted by nobody":             {42, flat(0), flat(0), "", 200},
	} {
		luck := rand.New(rand.NewPCG(3, 5))
		as := map[string]int{}
		for range 200 {
			d, ok := drift(judgedDays(luck, c.days, c.said, c.wanted))
			if !ok {
				t.Fatalf("%s: too few days", name)
			}
			as[d.Kind]++
		}
		if as[c.want] < c.atLeast {
			t.Errorf("%s: %v of 200, want %q", name, as, c.want)
		}
	}

	days := judgedDays(rand.New(rand.NewPCG(1, 1)), 42, flat(100), flat(100))
	days[41].said = 5_000
	if d, _ := drift(days); d.Kind != "" {
		t.Errorf("a slip on one day is %s", d.Kind)
	}
	days = judgedDays(rand.New(rand.NewPCG(1, 1)), driftLeast-1, flat(200), flat(100))
	if _, ok := drift(days); ok {
		t.Error("nine days are enough to judge by")
	}
	d, _ := drift(judgedDays(rand.New(rand.NewPCG(1, 1)), 42, flat(125), flat(100)))
	if d.Days != driftDays || d.Since != "2026-03-29" || math.Abs(*d.Bias-.25) > .08 || math.Abs(*d.WapeBefore-.25) > .08 {
		t.Errorf("the fortnight: %+v, bias %v, before %v", d, *d.Bias, *d.WapeBefore)
	}
}

func TestABuyerIsToldWhichForecastsDrift(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		rice := c.product("R001", "东北大米", "g", catalog.UnitDraft{Name: "kg", Num: 1000})
		luck := rand.New(rand.NewPCG(2, 2))
		for ago := 30; ago >= 1; ago-- {
			line := func(p *catalog.Product, said, mean float64) keptProduct {
				k := keptProduct{Product: p.ID, Category: p.CategoryID, Worth: 350, Fate: fateSold, Demand: int64(poisson(luck, mean)) * milli}
				k.Actual = k.Demand
				for h := range k.Means {
					k.Means[h] = int64(said * milli)
				}
				return k
			}
			lines := []keptProduct{line(bun, 70, 50), line(rice, 200, 200)}
			if ago == 3 { // closed: nobody's mistake
				lines[1].Fate, lines[1].Demand, lines[1].Actual = fateClosed, 0, 0
			}
			body, err := gobOf(lines)
			if err != nil {
				t.Fatal(err)
			}
			sums, err := pack(sumsOf(lines))
			if err != nil {
				t.Fatal(err)
			}
			c.write(func(tx *db.Tx) error { return tx.Exec(putKept, c.mine, c.today.AddDays(-ago), body, sums) })
		}
		drifts := func(as, query string) m {
			return c.call(as, "GET", "/api/forecasts/drift"+query, nil, 200).body
		}
		got := drifts(c.admin, "?site_id="+c.mine.String())
		named := map[string]m{}
		for _, x := range got["items"].([]any) {
			named[x.(m)["level"].(string)+" "+x.(m)["name"].(string)] = x.(m)
		}
		buns := named["product 鲜肉包"]
		if buns == nil || buns["kind"] != driftHigh || buns["days"] != 14.0 || math.Abs(buns["bias"].(float64)-.4) > .12 || buns["site_name"] != "一号店" {
			t.Errorf("buns of which 70 are said and 50 wanted: %v", got)
		}
		if named["product 东北大米"] != nil || named["store 一号店"] != nil {
			t.Errorf("rice as said, and the store is off by less than a tenth: %v", got)
		}
		if n := got["looked"].(float64); n < 3 {
			t.Errorf("%v members were looked at", n)
		}
		all := drifts(c.admin, "")
		for _, x := range all["items"].([]any) {
			if x.(m)["level"] == "product" {
				t.Errorf("without a site: %v", all)
			}
		}
		c.call(c.hire("lin", c.theirs), "GET", "/api/forecasts/drift?site_id="+c.mine.String(), nil, 404)
		if x := drifts(c.hire("qiu", c.theirs), ""); x["looked"] != 0.0 {
			t.Errorf("somebody of another shop sees %v", x)
		}
	}, tables)
}
