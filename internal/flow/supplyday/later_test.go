package supplyday

import (
	"fmt"
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
)

// Burgers keep for six hours: what the morning has too few of, noon must make, and the other way round.
func TestARoundNobodyDecidedOnFollowsWhatWasDecidedOfThoseBefore(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		const monday cal.Date = "2026-03-02"
		c.sold(c.site.ID, map[string]int64{"wrap": 20, "burger": 60, "cola": 12})
		c.forecasts()
		planned := c.burgers(monday)
		most := q(planned[1]["make"]) + 2*q(planned[2]["make"])
		c.done(c.manager, "POST", c.act(planned[1], "change"), m{"qty": most.String(), "reason": "学校来订"})
		c.drain()
		more := c.burgers(monday)
		if q(more[2]["make"]) >= q(planned[2]["make"]) || q(more[2]["on_hand"]) <= q(planned[2]["on_hand"]) || more[2]["state"] != "proposed" {
			t.Errorf("noon finds more on the tray: %v, before %v", more[2], planned[2])
		}
		c.done(c.manager, "POST", c.act(more[1], "change"), m{"qty": "0", "reason": "炸炉坏了"})
		c.drain()
		less := c.burgers(monday)
		if q(less[2]["make"]) < q(planned[2]["make"]) || q(less[2]["make"]) <= q(more[2]["make"]) {
			t.Errorf("noon finds nothing on the tray: %v, before %v", less[2], planned[2])
		}
		// What somebody decided for noon stays, whatever becomes of the morning.
		c.done(c.manager, "POST", c.act(less[2], "confirm"), nil)
		c.done(c.manager, "POST", c.act(less[1], "change"), m{"qty": most.String(), "reason": "修好了"})
		c.drain()
		if last := c.burgers(monday); last[2]["make"] != less[2]["make"] || last[2]["state"] != "confirmed" {
			t.Errorf("%v, decided %v", last[2], less[2])
		}
	})
}

// The day is nobody's who only works in the kitchen: what is made of a round that nobody confirmed is noted, and the round
// waits for the decision as before.
func TestMakingIsNoConfirmation(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		const monday cal.Date = "2026-03-02"
		c.sold(c.site.ID, map[string]int64{"wrap": 20, "burger": 60, "cola": 12})
		c.forecasts()
		planned := c.burgers(monday)
		c.made(qty.Scale, c.d.Clock.Now(), produce.Round{Date: monday, Round: 2})
		begun := c.burgers(monday)[2]
		if begun["state"] != "proposed" || begun["decided_at"] != nil || q(begun["made"]) != qty.Scale {
			t.Errorf("%v", begun)
		}
		// What is begun keeps its quantity and what was made of it through planning again; the rest takes its materials.
		c.again()
		if now := c.burgers(monday)[2]; now["id"] != begun["id"] || now["make"] != planned[2]["make"] || q(now["made"]) != qty.Scale || now["state"] != "proposed" {
			t.Errorf("%v, begun %v", now, begun)
		}
		var open qty.Qty
		for _, r := range c.burgers(monday) {
			open += q(r["make"]) - q(r["made"])
		}
		if bun := c.line("requirements", "bun"); q(bun["gross"]) != open {
			t.Errorf("%v burgers are still to be made: %v", open, bun)
		}
		c.refused(c.manager, "plan_line_done", "qty", "POST", c.act(begun, "change"), m{"qty": "0", "reason": "less than is made"})
		if got := c.done(c.manager, "POST", c.act(begun, "confirm"), nil)["production"].(m); got["state"] != "confirmed" || q(got["made"]) != qty.Scale {
			t.Errorf("%v", got)
		}
		c.made(q(planned[2]["make"])-qty.Scale, c.d.Clock.Now(), produce.Round{Date: monday, Round: 2})
		if got := c.burgers(monday)[2]; got["state"] != "done" {
			t.Errorf("%v", got)
		}
	})
}

// Half of the day is over and all of it is decided: no level changes what is made any more, so none changes what is wasted.
func TestAWhatIfOfADecidedDayIsFlat(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, map[string]int64{"wrap": 37, "burger": 60})
		c.unsteady("burger")
		c.unsteady("wrap")
		c.priced("wrap", "burger")
		c.at(2, 5, 40)
		c.forecasts()
		c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"})
		c.drain()
		c.at(2, 12, 10)
		c.tills("burger", 30*qty.Scale)
		c.tills("wrap", 3*qty.Scale)
		for _, of := range []string{"burger", "wrap"} {
			got := c.whatIf(fmt.Sprint("&level_bp=5000&product_id=", c.p[of].ID))
			points := got["curve"].([]any)
			if len(points) != 10 || got["decided"].(float64) == 0 {
				t.Fatalf("%v", got)
			}
			for _, p := range points {
				for _, k := range []string{"goods_fen", "waste_fen", "lost_fen", "out_ppm"} {
					if p.(m)[k] != got["now"].(m)[k] || p.(m)[k] != got["then"].(m)[k] {
						t.Errorf("%s of %s at %v: %v, as it is set %v", k, of, p.(m)["level_bp"], p.(m)[k], got["now"].(m)[k])
					}
				}
			}
		}
	})
}

// Somebody has looked at tomorrow already: its plan follows a level and the machines as today's does.
func TestTomorrowsPlanFollowsWhatIsSet(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		const tuesday cal.Date = "2026-03-03"
		c.sold(c.site.ID, map[string]int64{"wrap": 20, "burger": 60, "cola": 12})
		c.unsteady("burger")
		c.forecasts()
		c.done(c.manager, "POST", "/api/plans/run", m{"site_id": c.site.ID.String(), "date": string(tuesday)})
		c.drain()
		sum := func() (n qty.Qty) {
			for _, r := range c.burgers(tuesday) {
				n += q(r["make"])
			}
			return n
		}
		before := sum()
		c.done(c.manager, "PUT", "/api/plans/service", m{"site_id": c.site.ID.String(), "product_id": c.p["burger"].ID.String(), "level_bp": 9500, "reason": "夏天早上总是卖空"})
		c.drain()
		raised := sum()
		if raised <= before || before == 0 {
			t.Errorf("%v at .95, %v before", raised, before)
		}
		oven := c.done(c.admin, "POST", "/api/plans/equipment", m{"name": "烤箱"})["id"]
		c.done(c.manager, "PUT", "/api/plans/equipment/machines", m{"site_id": c.site.ID.String(), "equipment_id": oven, "machines": 1})
		c.done(c.admin, "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["burger"].ID.String(), "equipment_id": oven, "minutes": 120})
		c.drain()
		bound := sum()
		if bound >= raised {
			t.Errorf("%v with one oven, %v without", bound, raised)
		}
		c.done(c.manager, "PUT", "/api/plans/equipment/machines", m{"site_id": c.site.ID.String(), "equipment_id": oven, "machines": 0})
		c.drain()
		if got := sum(); got != raised {
			t.Errorf("%v without the oven, %v before it", got, raised)
		}
	})
}
