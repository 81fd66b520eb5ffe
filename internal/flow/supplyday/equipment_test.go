package supplyday

import (
	"fmt"
	"slices"
	"testing"

	"zhanggui/internal/platform/qty"
)

func TestWhatAnOvenCannotTakeIsShortAndTheLineSaysWhy(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, map[string]int64{"wrap": 20, "burger": 60, "cola": 12})
		c.forecasts()
		before := c.planned("production", "proposed")
		oven := c.done(c.admin, "POST", "/api/plans/equipment", m{"name": "烤箱"})["id"]
		c.refused(c.admin, "equipment_taken", "name", "POST", "/api/plans/equipment", m{"name": " 烤箱 "})
		c.refused(c.admin, "equipment_name", "name", "POST", "/api/plans/equipment", m{"name": " "})
		c.refused(c.manager, "no_permission", "", "POST", "/api/plans/equipment", m{"name": "蒸箱"})
		c.refused(c.admin, "plan_rule_product_unknown", "product_id", "PUT", "/api/plans/equipment/loads", m{"product_id": "77", "equipment_id": oven, "minutes": 30})
		c.refused(c.admin, "equipment_product_bought", "product_id", "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["cola"].ID.String(), "equipment_id": oven, "minutes": 30})
		c.refused(c.admin, "equipment_unknown", "equipment_id", "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["burger"].ID.String(), "equipment_id": "77", "minutes": 30})
		c.refused(c.manager, "equipment_unknown", "equipment_id", "PUT", "/api/plans/equipment/machines", m{"site_id": c.site.ID.String(), "equipment_id": "77", "machines": 1})
		c.refused(c.manager, "not_found", "site_id", "PUT", "/api/plans/equipment/machines", m{"site_id": c.other.String(), "equipment_id": oven, "machines": 1})
		c.done(c.admin, "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["burger"].ID.String(), "equipment_id": oven, "minutes": 60})
		c.again()
		if got := c.planned("production", "proposed"); fmt.Sprint(got) != fmt.Sprint(before) {
			t.Errorf("a site without the equipment is not bound by it: %v, %v", got, before)
		}
		list := c.done(c.manager, "PUT", "/api/plans/equipment/machines", m{"site_id": c.site.ID.String(), "equipment_id": oven, "machines": 1, "early_min": 60})["items"].([]any)
		if len(list) != 1 || list[0].(m)["machines"] != 1.0 || len(list[0].(m)["products"].([]any)) != 1 {
			t.Errorf("%v", list)
		}
		c.drain()
		var short qty.Qty
		for _, l := range c.lines("production", "burger") {
			line := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", l["id"]), nil)
			why, _ := line["production_why"].(m)["capacity"].(m)
			if why == nil {
				continue
			}
			if why["kind"] != "烤箱" || why["machines"] != 1.0 || q(why["wanted"])-q(why["short"]) != q(l["make"]) || q(l["short"]) != q(why["short"]) {
				t.Errorf("%v %v", l, why)
			}
			short += q(why["short"])
		}
		after := c.planned("production", "proposed")
		if short == 0 || after["burger"]+short < before["burger"] || after["wrap"] != before["wrap"] {
			t.Errorf("short %v: %v after %v", short, after, before)
		}
		// The first round has the hour before seven: one batch of four, and no more.
		if first := c.lines("production", "burger")[0]; q(first["make"]) != 4*qty.Scale {
			t.Errorf("%v", first)
		}
		// A batch that takes longer than there is: a round of which nothing fits is listed as well.
		c.done(c.admin, "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["burger"].ID.String(), "equipment_id": oven, "minutes": 480})
		c.again()
		listed := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/production?limit=200"), nil)["items"].([]any)
		if !slices.ContainsFunc(listed, func(l any) bool { return l.(m)["code"] == "burger" && q(l.(m)["make"]) == 0 && q(l.(m)["short"]) > 0 }) {
			t.Errorf("no round without room is listed: %v", listed)
		}
		c.done(c.admin, "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["burger"].ID.String(), "equipment_id": oven, "minutes": 60})
		c.again()
		// Planning again says the same; ovens enough, and all of it is made again.
		version := c.rows()
		c.again()
		if c.rows() != version {
			t.Error("planning again changed the plan")
		}
		c.done(c.manager, "PUT", "/api/plans/equipment/machines", m{"site_id": c.site.ID.String(), "equipment_id": oven, "machines": 40, "early_min": 60})
		c.drain()
		if got := c.planned("production", "proposed"); fmt.Sprint(got) != fmt.Sprint(before) {
			t.Errorf("%v, %v", got, before)
		}
		c.done(c.manager, "PUT", "/api/plans/equipment/machines", m{"site_id": c.site.ID.String(), "equipment_id": oven, "machines": 0})
		c.done(c.admin, "POST", "/api/plans/equipment", m{"id": oven, "name": "大烤箱"})
		c.done(c.admin, "PUT", "/api/plans/equipment/loads", m{"product_id": c.p["burger"].ID.String(), "minutes": 0})
		if list := c.done(c.manager, "GET", fmt.Sprint("/api/plans/equipment?site_id=", c.site.ID), nil)["items"].([]any); len(list) != 1 || list[0].(m)["name"] != "大烤箱" || list[0].(m)["machines"] != 0.0 || len(list[0].(m)["products"].([]any)) != 0 {
			t.Errorf("%v", list)
		}
	})
}

func TestTheLineSaysWhatItsLastBatchEarns(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.unsteady("wrap")
		c.priced("wrap")
		c.forecasts()
		line := c.line("production", "wrap")
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", line["id"]), nil)["production_why"].(m)
		r, _ := why["rounding"].(m)
		if r == nil {
			t.Fatalf("%v %v", line, why)
		}
		up, down := q(r["up"]), q(r["down"])
		if up-down != 6*qty.Scale || q(why["wanted"]) <= down || q(why["wanted"]) >= up || q(line["proposed"]) != map[bool]qty.Qty{true: up, false: down}[r["gain_fen"].(float64) > 0] {
			t.Errorf("%v %v", line, why)
		}
		if r["cost_fen4"].(float64) <= 0 || r["miss_fen4"].(float64) != 10_000_000-r["cost_fen4"].(float64) {
			t.Errorf("a missed wrap costs its margin: %v", r)
		}
	})
}
