package supplyday

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/qty"
)

// paste lets tomato paste do a share of the tomatoes of the sauce, which is made in between, 1 g for 3.
func (c *chain) paste(share int64) {
	c.t.Helper()
	c.write(func(tx *db.Tx) (err error) {
		if c.p["paste"], err = c.goods.Create(tx, catalog.Draft{Code: "paste", Name: "名paste", BaseUnit: "g", ShelfLifeH: 96, TaxPct: 1300, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}}); err != nil {
			return err
		}
		r := c.recipe("sauce", 1000, "tomato 1500 0")
		of := c.p["tomato"].ID
		r.Options = []catalog.Option{{Of: of, Product: of, Num: 1, Den: 1, Share: 1_000_000 - share, Most: 1_000_000}, {Of: of, Product: c.p["paste"].ID, Num: 1, Den: 3, Share: share, Most: 1_000_000}}
		return c.goods.PutRecipes(tx, 0, []catalog.Recipe{r})
	})
}

// Of a semi-finished product of which there is enough nothing is made: there is nothing to mix, whatever would be lost.
func TestWhatIsNotMadeIsNotMixed(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.paste(500_000)
		c.lies(c.site.ID, "sauce", "s1", 100_000*qty.Scale, 2400*time.Hour)
		c.lies(c.site.ID, "paste", "p1", 300*qty.Scale, 40*time.Hour)
		c.lies(c.site.ID, "tomato", "t1", 300*qty.Scale, 40*time.Hour)
		c.forecasts()
		if open := c.mixes(""); len(open) != 0 {
			t.Errorf("%v", open)
		}
		if l := c.lines("production", "burger"); len(l) == 0 {
			t.Error("the store has no plan")
		}
	})
}

// A mix that a person approved does not end because one morning there is enough of what is made by it.
func TestAMixStaysWhileNothingIsMadeByIt(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.paste(0)
		c.sells("fresh", "paste", "kg", 1*qty.Scale, 1_000_000, 1, party.Fresh)
		c.done(c.manager, "PUT", "/api/plans/mixes/rule", m{"site_id": c.site.ID.String(), "least_fen": 0})
		c.forecasts()
		open := c.mixes("proposed")
		if len(open) != 1 {
			t.Fatalf("%v", open)
		}
		c.done(c.manager, "POST", mixPath(open[0], "approve"), m{"version": open[0]["version"]})
		c.drain()
		c.lies(c.site.ID, "sauce", "s1", 100_000*qty.Scale, 2400*time.Hour)
		c.d.Clock.Add(48 * time.Hour)
		c.forecasts()
		if held := c.mixes("in_force"); len(held) != 1 || held[0]["state"] != "in_force" {
			t.Errorf("%v", c.mixes(""))
		}
	})
}

// A substitute that nobody buys any more is used up and not proposed beyond what lies there.
func TestASubstituteThatIsNotBoughtAnyMoreIsOnlyUsedUp(t *testing.T) {
	t.Parallel()
	for _, state := range []catalog.State{catalog.Gone, catalog.StopBuying} {
		t.Run(string(state), func(t *testing.T) {
			each(t, func(c *chain) {
				c.sold(c.site.ID, yesterday)
				c.choice(1_000_000)
				c.sells("fresh", "thigh", "kg", 1*qty.Scale, 1_000_000, 1, party.Fresh) // a tenth of the price
				c.write(func(tx *db.Tx) error {
					_, err := c.goods.Change(tx, c.p["thigh"].ID, catalog.Change{Revision: c.p["thigh"].Revision, Draft: catalog.Draft{Code: "thigh", Name: "名thigh", BaseUnit: "g", ShelfLifeH: 96, TaxPct: 1300, State: state, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}}})
					return err
				})
				c.forecasts()
				if open := c.mixes("proposed"); len(open) != 0 {
					t.Errorf("nobody can order it: %v", open)
				}
			})
		})
	}
}

// A plan of the afternoon needs what is left of the day: stock that is enough for it lacks nothing.
func TestAnAfternoonLacksNothingThatIsEnoughForTheRestOfTheDay(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, map[string]int64{"burger": 40})
		c.write(func(tx *db.Tx) (err error) {
			if c.p["slice"], err = c.goods.Create(tx, catalog.Draft{Code: "slice", Name: "名slice", BaseUnit: "piece", TaxPct: 1300}); err != nil {
				return err
			}
			r := c.recipe("burger", 1, "bun 1 0", "patty 1 0", "lettuce 20 0", "sauce 15 0")
			of := c.p["patty"].ID
			r.Options = []catalog.Option{{Of: of, Product: of, Num: 1, Den: 1, Share: 1_000_000, Most: 1_000_000}, {Of: of, Product: c.p["slice"].ID, Num: 1, Den: 1, Most: 1_000_000}}
			return c.goods.PutRecipes(tx, 0, []catalog.Recipe{r})
		})
		c.lies(c.site.ID, "slice", "s1", 5000*qty.Scale, 2400*time.Hour)
		c.forecasts()
		needs := func() (n qty.Qty) {
			for _, l := range c.lines("requirements", "") {
				if (l["code"] == "patty" || l["code"] == "slice") && l["date"] == "2026-03-02" {
					n += q(l["need"])
				}
			}
			return n
		}
		morning := needs()
		c.at(2, 15, 0)
		c.again()
		rest := needs()
		if rest <= 0 || rest >= morning {
			t.Fatalf("%v are needed in the morning, %v in the afternoon", morning, rest)
		}
		if open := c.mixes("proposed"); len(open) != 1 || open[0]["cause"] != "availability" {
			t.Errorf("there is no patty at all: %v", open)
		}
		c.lies(c.site.ID, "patty", "p1", rest, 2400*time.Hour)
		c.again()
		for _, p := range c.mixes("proposed") {
			if p["cause"] == "availability" {
				t.Errorf("%v patties are there of %v, the day takes %v: %v", rest, rest, morning, p)
			}
		}
	})
}

// In the evening, when nothing is made any more, a material that has to be ordered is not there for the day, nor for the next one if the
// supplier takes no order any more.
func TestInTheEveningAMixBeginsWhenItsMaterialCanBeThere(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.choice(1_000_000)
		c.sells("fresh", "thigh", "kg", 1*qty.Scale, 1_000_000, 1, party.Fresh)
		c.forecasts()
		if open := c.mixes("proposed"); len(open) != 1 || open[0]["first"] != "2026-03-03" {
			t.Fatalf("ordered in the morning: %v", open)
		}
		for _, hour := range []int{15, 17, 20, 22, 23} {
			c.at(2, hour, 30)
			c.again()
			want := "2026-03-04" // orders end at four
			if hour < 16 {
				want = "2026-03-03"
			}
			if open := c.mixes("proposed"); len(open) != 1 || open[0]["first"] != want {
				t.Errorf("at %d: %v, want %s", hour, open, want)
			}
		}
	})
}

// Nobody of another store reads or sets anything here, no share that is none is taken, and of eight who decide at once one does.
func TestAMixIsDecidedOnceByItsOwnStore(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.choice(1_000_000)
		c.sells("fresh", "thigh", "kg", 1*qty.Scale, 1_000_000, 1, party.Fresh)
		c.forecasts()
		open := c.mixes("proposed")
		if len(open) != 1 {
			t.Fatalf("%v", open)
		}
		p, here := open[0], c.site.ID.String()
		foreign := c.hire("manager", c.other)
		for _, path := range []string{"/api/plans/mixes?site_id=" + here, "/api/plans/mixes/rule?site_id=" + here} {
			if a := c.send(foreign, "GET", path, nil); a.status != 404 && a.status != 403 {
				t.Errorf("%s: %d %s", path, a.status, a.text)
			}
		}
		if a := c.send(foreign, "PUT", "/api/plans/mixes/rule", m{"site_id": here, "least_fen": 0}); a.status != 404 && a.status != 403 {
			t.Errorf("%d %s", a.status, a.text)
		}
		before := c.stored()
		for _, share := range []string{"NaN", "1e18", "-0", "-1", "1.0000001", "1.000001", "2", "101%", "1000000000000", "", "١", "0x1", "0,5", "Inf", "+1"} {
			body := m{"version": p["version"], "reason": "r", "shares": []m{{"product_id": c.p["breast"].ID.String(), "share": "0"}, {"product_id": c.p["thigh"].ID.String(), "share": share}}}
			if a := c.send(c.manager, "POST", mixPath(p, "approve"), body); a.status != 400 && a.status != 422 {
				t.Errorf("a share of %q: %d %s", share, a.status, a.text)
			}
		}
		whole := func(ids ...string) (all []m) {
			for _, x := range ids {
				all = append(all, m{"product_id": x, "share": "1"})
			}
			return all
		}
		breast, thigh := c.p["breast"].ID.String(), c.p["thigh"].ID.String()
		for _, shares := range [][]m{whole(thigh), whole(thigh, thigh), whole(breast, "99"), whole(breast, thigh), whole(breast, thigh, "99"), whole(breast, "9999999999999999999")} {
			if a := c.send(c.manager, "POST", mixPath(p, "approve"), m{"version": p["version"], "reason": "r", "shares": shares}); a.status != 400 && a.status != 422 {
				t.Errorf("%v: %d %s", shares, a.status, a.text)
			}
		}
		if after := c.stored(); after != before {
			t.Errorf("refusals changed\n%s\nto\n%s", before, after)
		}
		var wait sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			wait.Go(func() {
				act, body := "approve", m{"version": p["version"]}
				switch i % 4 {
				case 1:
					body = m{"version": p["version"], "reason": "r", "shares": []m{{"product_id": breast, "share": "0.5"}, {"product_id": thigh, "share": "0.5"}}}
				case 2:
					act, body = "refuse", m{"version": p["version"], "reason": "no"}
				case 3:
					act, body = "end", m{"reason": "off"}
				}
				a := c.sendAs(fmt.Sprint("decide-", i), c.manager, "POST", mixPath(p, act), body)
				got[i] = fmt.Sprint(act, " ", a.status, " ", a.code)
			})
		}
		wait.Wait()
		decided := 0
		for _, g := range got {
			switch {
			case strings.HasPrefix(g, "approve 200"), strings.HasPrefix(g, "refuse 200"):
				decided++
			case strings.HasPrefix(g, "end 200"), strings.HasSuffix(g, "409 plan_mix_decided"), strings.HasSuffix(g, "409 plan_mix_ended"):
			default:
				t.Error(g)
			}
		}
		if decided != 1 {
			t.Errorf("%d decided: %v", decided, got)
		}
		c.drain()
	})
}

// The same key gives the same answer and decides once; the answer of a refusal by another key is that it is decided.
func TestAMixIsApprovedOnceByAKey(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.choice(1_000_000)
		c.sells("fresh", "thigh", "kg", 1*qty.Scale, 1_000_000, 1, party.Fresh)
		c.forecasts()
		p := c.mixes("proposed")[0]
		first := c.sendAs("once", c.manager, "POST", mixPath(p, "approve"), m{"version": p["version"]})
		after := c.stored()
		again := c.sendAs("once", c.manager, "POST", mixPath(p, "approve"), m{"version": p["version"]})
		if first.status != 200 || again.status != 200 || first.text != again.text {
			t.Errorf("%v\n%v", first, again)
		}
		if other := c.sendAs("twice", c.manager, "POST", mixPath(p, "approve"), m{"version": p["version"]}); other.code != "plan_mix_decided" {
			t.Errorf("%v", other)
		}
		if c.stored() != after {
			t.Error("a mix was approved twice")
		}
		// Its version of the recipe goes: it is in force of nothing, and nothing is red.
		c.choice(900_000)
		c.again()
		if now := c.mixes(""); len(now) == 0 || now[len(now)-1]["state"] != "recipe_changed" {
			t.Errorf("%v", now)
		}
		c.drain()
	})
}
