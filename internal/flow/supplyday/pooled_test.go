package supplyday

import (
	"fmt"
	"math"
	"testing"
	"time"

	"zhanggui/internal/platform/qty"
)

// Burgers are made in four rounds: nobody knows in the morning what the later ones will take. Wraps are made once, and what they
// take is known.
func TestAMaterialHoldsOneSafetyForAllThatIsMadeAsItSells(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "lettuce", "L", 1100*qty.Scale, 70*time.Hour) // enough for today
		c.lies(c.site.ID, "tomato", "T", 360*qty.Scale, 90*time.Hour)
		c.lies(c.site.ID, "breast", "B", 1400*qty.Scale, 90*time.Hour)
		c.lies(c.site.ID, "patty", "P", 46*qty.Scale, 1000*time.Hour) // until Wednesday
		c.forecasts()
		why := func(product, date string) (m, m) {
			t.Helper()
			for _, l := range c.lines("requirements", product) {
				if l["date"] == date {
					return l, c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", l["id"]), nil)["requirement_why"].(m)
				}
			}
			t.Fatalf("no need of %s on %s", product, date)
			return nil, nil
		}
		// What comes today was to be ordered yesterday: a safety for today nobody could bring, and none is asked for.
		const tuesday = "2026-03-03"
		if l, of := why("bun", "2026-03-02"); l["safety"] != "0" || of["pooled"] != nil {
			t.Errorf("%v %v", l, of)
		}
		bun, of := why("bun", tuesday)
		pooled := of["pooled"].(m)
		parts := pooled["parts"].([]any)
		if len(parts) != 1 || parts[0].(m)["code"] != "burger" || pooled["level_bp"] != 9500. || pooled["days"] != 2. || pooled["together_ppm"] != 400000. || q(bun["safety"]) == 0 {
			t.Fatalf("%v %v", bun, pooled)
		}
		burger := parts[0].(m)
		if makes := of["uses"].([]any)[0].(m)["makes"]; burger["makes"] != makes || burger["takes"] != burger["sigma"] {
			t.Errorf("one bun a burger: %v of %v", burger, makes)
		}
		if both := q(pooled["sigma"]).Approx() / q(burger["sigma"]).Approx(); math.Abs(both-math.Sqrt2) > .2 {
			t.Errorf("Monday and Tuesday, which are much alike: %v of %v", pooled["sigma"], burger["sigma"])
		}
		if z := (q(bun["safety"]) + q(pooled["missed"])).Approx() / q(pooled["sigma"]).Approx(); math.Abs(z-1.645) > .005 {
			t.Errorf("enough on 95 of 100 days is 1.645 standard deviations, not %.3f", z)
		}
		if net, want := q(bun["net"]), q(bun["need"])+q(bun["safety"])-q(of["used"]); net < want || net >= want+qty.Scale || net%qty.Scale != 0 {
			t.Errorf("net %v of %v, rounded up once to whole buns", net, want)
		}
		// Lettuce goes into both: the wrap's quantile is its buffer, and no second safety is added for it.
		lettuce, of := why("lettuce", tuesday)
		if uses, parts := of["uses"].([]any), of["pooled"].(m)["parts"].([]any); len(uses) != 2 || len(parts) != 1 || parts[0].(m)["code"] != "burger" ||
			q(parts[0].(m)["takes"])/20-q(burger["sigma"]) > 1 || q(burger["sigma"])-q(parts[0].(m)["takes"])/20 > 1 {
			t.Errorf("twenty grams a burger: %v", of)
		}
		if q(lettuce["safety"]) == 0 {
			t.Errorf("%v", lettuce)
		}
		// What goes into wraps alone holds none, and neither does the sauce, which is made here: its tomatoes do.
		for product, date := range map[string]string{"breast": tuesday, "sauce": "2026-03-02"} {
			if l, of := why(product, date); l["safety"] != "0" || of["pooled"] != nil {
				t.Errorf("%s: %v %v", product, l, of["pooled"])
			}
		}
		tomato, of := why("tomato", tuesday)
		if takes := q(of["pooled"].(m)["parts"].([]any)[0].(m)["takes"]).Approx(); q(tomato["safety"]) == 0 || math.Abs(takes/q(burger["sigma"]).Approx()-22.5) > .1 {
			t.Errorf("fifteen grams of sauce are 22.5 of tomato: %v", of)
		}
		// Patties come frozen, in three days: Thursday's safety covers the days until then.
		patty, of := why("patty", "2026-03-05")
		if days := of["pooled"].(m)["days"]; days != 4. || q(of["pooled"].(m)["sigma"]).Approx() < 1.3*q(pooled["sigma"]).Approx() {
			t.Errorf("from Monday to Thursday: %v, %v", patty, of["pooled"])
		}
		c.addsUp()
		// Once today's rounds are decided nobody waits for what they will be: Tuesday's safety is Tuesday's alone.
		c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"})
		c.again()
		if l, of := why("bun", tuesday); q(l["safety"]) >= q(bun["safety"]) || q(of["pooled"].(m)["sigma"]) > q(burger["sigma"])*11/10 {
			t.Errorf("Monday is decided: %v %v", l, of["pooled"])
		}
	})
}
