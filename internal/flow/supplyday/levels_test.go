package supplyday

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// tills rings up a sale of a product at the store now.
func (c *chain) tills(product string, q qty.Qty) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		sale := id.At(tx.Now()) + id.ID(c.keys)
		c.keys++
		if err := tx.Exec(`INSERT INTO till_sale (id, site_id, register_id, business_date, slip_no, staff_id, sold_at, state, total_fen, tax_fen, refunded_fen, caller_key) VALUES ($1, $2, 1, $3, $4, 0, $5, 'paid', 100, 0, 0, $6)`,
			sale, c.site.ID, c.site.BusinessDate(tx.Now()), sale, tx.Now(), fmt.Sprint("sale", sale)); err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO till_line (sale_id, line_no, product_id, unit_id, name, qty, base_qty, price_fen, amount_fen, tax_fen, tax_bp) VALUES ($1, 1, $2, 1, 'x', $3, $3, 100, 100, 0, 0)`,
			sale, c.p[product].ID, q)
	})
}

func (c *chain) rule(product string, more m) {
	c.t.Helper()
	body := m{"site_id": c.site.ID.String(), "product_id": c.p[product].ID.String(), "mode": "dynamic"}
	for k, v := range more {
		body[k] = v
	}
	c.done(c.manager, "PUT", "/api/plans/rules", body)
}

func (c *chain) at(day, hour, minute int) {
	c.d.Clock.Set(time.Date(2026, 3, day, hour, minute, 0, 0, c.site.Location()))
}

func (c *chain) event(more m, products ...string) string {
	c.t.Helper()
	var ids []string
	for _, p := range products {
		ids = append(ids, c.p[p].ID.String())
	}
	body := m{"site_id": c.site.ID.String(), "kind": "promotion", "name": "活动", "products": ids}
	for k, v := range more {
		body[k] = v
	}
	return fmt.Sprint(c.done(c.manager, "POST", "/api/plans/events", body)["id"])
}

func TestBelowItsLevelAProductIsOrderedUpToTheMaximumOnce(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "cola", "C", 48*qty.Scale, 0)
		c.rule("cola", m{"mode": "static", "safety": "48", "most": "120"})
		c.forecasts()
		if got := c.lines("proposals", "cola"); len(got) != 0 {
			t.Fatalf("at the level nothing is ordered: %v", got)
		}
		c.rule("cola", m{"mode": "static", "safety": "48.001", "most": "120"})
		c.again()
		line := c.line("proposals", "cola")
		if line["mode"] != "static" || line["level"] != "automatic" || line["execution"] != "act" || line["state"] != "confirmed" || line["net"] != "72" || line["qty"] != "72" || line["decided_by"] != "" {
			t.Errorf("%v", line)
		}
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", line["id"]), nil)["proposal_why"].(m)["static"].(m)
		if why["available"] != "48" || why["in_transit"] != "0" || why["safety"] != "48.001" || why["most"] != "120" || why["by_hand"] != true || why["computed_safety"] == nil {
			t.Errorf("%v", why)
		}
		// Shown beside the level somebody set: what the forecast makes of it.
		if r := c.done(c.manager, "GET", fmt.Sprint("/api/plans/rules?site_id=", c.site.ID), nil)["items"].([]any)[0].(m); r["safety"] != "48.001" || r["computed_safety"] != why["computed_safety"] || r["computed_most"] == nil {
			t.Errorf("%v", r)
		}
		before := c.rows()
		c.again()
		if c.rows() != before {
			t.Error("planning again ordered or wrote again")
		}
		if got := c.lines("proposals", "cola"); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestALevelNobodySetIsComputed(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("cola", m{"mode": "static", "on_automatic": "suggest"})
		c.forecasts()
		line := c.line("proposals", "cola")
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", line["id"]), nil)["proposal_why"].(m)["static"].(m)
		// Frozen, three days on the way and one to the next review: four days of some thirty.
		if why["days"] != 4. || q(why["expected"]) < 110*qty.Scale || q(why["expected"]) > 150*qty.Scale || q(why["margin"]) <= 0 || q(why["safety"]) != q(why["expected"])+q(why["margin"]) {
			t.Errorf("%v", why)
		}
		if line["state"] != "proposed" || line["net"] != why["most"] {
			t.Errorf("%v", line)
		}
		before := c.rows()
		c.again()
		if c.rows() != before {
			t.Error("planning again wrote again")
		}
		// Nobody wanted it: it is not proposed again today.
		c.done(c.manager, "POST", fmt.Sprint(c.plan(), "/lines/", line["id"], "/change"), m{"qty": "0", "reason": "货架满"})
		c.again()
		if got := c.lines("proposals", "cola"); len(got) != 1 || got[0]["state"] != "changed" {
			t.Errorf("%v", got)
		}
	})
}

func TestAPromotionRaisesTheTargetFrom48HoursBeforeToItsEnd(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		plain := c.line("production", "wrap")
		e := c.event(m{"from_date": "2026-03-04", "from_time": "05:41", "to_date": "2026-03-06"}, "wrap")
		c.again()
		if got := c.line("production", "wrap"); got["quantile"] != plain["quantile"] {
			t.Errorf("a minute more than 48 hours before: %v instead of %v", got["quantile"], plain["quantile"])
		}
		c.done(c.manager, "PUT", "/api/plans/events/"+e, m{"site_id": c.site.ID.String(), "kind": "promotion", "name": "活动", "from_date": "2026-03-04", "from_time": "05:40", "to_date": "2026-03-06",
			"products": []string{c.p["wrap"].ID.String()}})
		c.again()
		got := c.line("production", "wrap")
		if q(got["quantile"]) != replenish.Times(q(plain["quantile"]), 1500) || q(got["mean"]) != replenish.Times(q(plain["mean"]), 1500) {
			t.Errorf("%v and %v instead of 1.5 times %v and %v", got["quantile"], got["mean"], plain["quantile"], plain["mean"])
		}
		// Its materials say why.
		for _, l := range c.lines("proposals", "breast") {
			if l["level"] != "strategy" || l["factor"] != "1.5" {
				t.Errorf("%v", l)
			}
		}
		// At its end: as before.
		c.done(c.manager, "PUT", "/api/plans/events/"+e, m{"site_id": c.site.ID.String(), "kind": "promotion", "name": "活动", "from_date": "2026-03-01", "to_date": "2026-03-02", "to_time": "04:00",
			"products": []string{c.p["wrap"].ID.String()}})
		c.again()
		if got := c.line("production", "wrap"); got["quantile"] != plain["quantile"] {
			t.Errorf("over: %v", got)
		}
	})
}

func TestFrozenGoodsForAPromotionAreOrderedEarlierAndSaySo(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		// Begins Thursday at ten: 48 hours before is Tuesday; frozen cola must be ordered on Monday until four.
		c.event(m{"from_date": "2026-03-05", "from_time": "10:00", "to_date": "2026-03-05", "factor": "2"}, "cola", "wrap")
		c.again()
		var found m
		for _, l := range c.lines("proposals", "cola") {
			if l["due"] == "2026-03-05" {
				found = l
			}
		}
		if found == nil || found["level"] != "strategy" || found["factor"] != "2" {
			t.Fatalf("%v", c.lines("proposals", "cola"))
		}
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", found["id"]), nil)["proposal_why"].(m)["event"].(m)
		if why["earlier"] != true || why["order_from"] != "2026-03-02 04:00" || why["factor"] != "2" || q(why["without"])*2 > q(found["net"])+1 || q(why["without"])*2 < q(found["net"])-1 {
			t.Errorf("%v of %v", why, found)
		}
		if wrap := c.line("production", "wrap"); wrap["quantile"] == nil {
			t.Error(wrap)
		}
	})
}

func TestAColdWaveMakesOdenOf130Percent(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.write(func(tx *db.Tx) error {
			var days []forecast.WeatherDay
			for i := -60; i < 10; i++ {
				days = append(days, forecast.WeatherDay{Date: cal.Date("2026-03-02").AddDays(i), TMax: 15000, TMin: 12000})
			}
			days[60].TMin, days[60].TMax = 4000, 6000
			return forecast.PutWeather(tx, days)
		})
		c.forecasts()
		plain := c.line("production", "wrap")
		c.event(m{"kind": "weather", "name": "寒潮", "condition": "cold_wave", "from_date": "2026-01-01", "to_date": "2026-12-31"}, "wrap")
		// Two factors on one day are not multiplied: the highest wins.
		c.event(m{"from_date": "2026-03-01", "to_date": "2026-03-03", "factor": "1.2"}, "wrap")
		c.again()
		opened := c.done(c.manager, "GET", fmt.Sprintf("/api/plans/events?site_id=%s", c.site.ID), nil)["items"].([]any)
		if len(opened) != 2 || opened[0].(m)["factor"] != "1.3" {
			t.Errorf("%v", opened)
		}
		var mean, effect qty.Qty
		c.read(func(tx *db.Tx) error {
			some, err := forecast.AheadSome(tx, c.site.ID, []id.ID{c.p["wrap"].ID})
			if err != nil {
				return err
			}
			a := some[c.p["wrap"].ID]
			e := a.On("2026-03-02")
			mean, effect = e.Mean, e.Weather
			return nil
		})
		if got := c.line("production", "wrap"); q(got["mean"]) != replenish.Times(mean-effect, 1300) {
			t.Errorf("%v, with %v before of which %v by the weather (%v)", got["mean"], mean, effect, plain["mean"])
		}
	})
}

func TestMoreThanThirtyPercentAboveForecastIsFetchedInAHurry(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "cola", "C", 3*qty.Scale, 0)
		c.forecasts()
		c.rule("cola", m{"substitute_id": c.p["wrap"].ID.String()})
		pace := func() []m { return c.items(c.manager, fmt.Sprint("/api/plans/pace?site_id=", c.site.ID)) }
		look := func() {
			c.done(c.manager, "POST", "/api/plans/pace", m{"site_id": c.site.ID.String()})
			c.drain()
		}
		c.at(2, 13, 0)
		var expected qty.Qty
		c.read(func(tx *db.Tx) error {
			some, err := forecast.AheadSome(tx, c.site.ID, []id.ID{c.p["cola"].ID})
			if err != nil {
				return err
			}
			a := some[c.p["cola"].ID]
			e := a.On("2026-03-02")
			expected = replenish.ExpectedBy(replenish.DemandOf(e.Mean, e.At(.95), .95, a.Shares(time.Monday)), 26)
			return nil
		})
		c.tills("cola", expected*13/10)
		look()
		if got := pace(); len(got) != 0 && got[0]["code"] == "cola" {
			t.Fatalf("%v of %v is not more than 30 %%: %v", expected*13/10, expected, got)
		}
		c.tills("cola", 4*qty.Scale)
		look()
		var cola m
		for _, l := range pace() {
			if l["code"] == "cola" {
				cola = l
			}
		}
		if cola == nil || cola["reach"] != "over" || cola["outcome"] != "unobtainable" || cola["substitute_name"] != "名wrap" || cola["out_at"] == "" || q(cola["qty"]) <= 0 || cola["proposal_id"] != "" {
			t.Fatalf("nobody brings it today: %v", cola)
		}
		// A supplier who comes within two hours, for a fifth more.
		c.done(c.admin, "PUT", "/api/plans/rush", m{"supplier_id": c.sup["cold"].String(), "product_id": c.p["cola"].ID.String(), "minutes": 120, "surcharge_ppm": 200000})
		look()
		line := c.hurried("cola")
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", line["id"]), nil)["proposal_why"].(m)["urgent"].(m)
		if line["kind"] != "purchase" || line["level"] != "dynamic" || line["state"] != "proposed" || line["due"] != "2026-03-02" || line["price_fen4"] != 28800000. || why["arrives_at"] != "15:00" || why["surcharge_ppm"] != 200000. {
			t.Errorf("%v %v", line, why)
		}
		// A store in reach that has enough to spare, for less than the supplier asks.
		c.lies(c.other, "cola", "O", 200*qty.Scale, 0)
		c.done(c.admin, "PUT", "/api/plans/near", m{"site_id": c.site.ID.String(), "near_id": c.other.String(), "minutes": 30, "cost_fen": 1500})
		look()
		line = c.hurried("cola")
		if line["kind"] != "requisition" || line["source_id"] != c.other.String() || q(line["qty"]) != q(line["net"]) {
			t.Errorf("%v", line)
		}
		// Looking again finds the same; one line per product.
		look()
		if n := len(c.hurriedAll("cola")); n != 1 {
			t.Errorf("%d lines in a hurry", n)
		}
		c.done(c.manager, "POST", fmt.Sprint(c.plan(), "/lines/", line["id"], "/confirm"), nil)
		if got := c.hurried("cola"); got["state"] != "confirmed" || got["document_id"] == "" {
			t.Errorf("%v", got)
		}
		look()
		for _, l := range pace() {
			if l["code"] == "cola" && l["outcome"] != "enough" {
				t.Errorf("what was fetched is on its way: %v", l)
			}
		}
	})
}

func (c *chain) hurriedAll(product string) []m {
	c.t.Helper()
	var found []m
	for _, l := range c.items(c.manager, c.plan()+"/proposals?level=dynamic") {
		if l["code"] == product {
			found = append(found, l)
		}
	}
	return found
}

func (c *chain) hurried(product string) m {
	c.t.Helper()
	all := c.hurriedAll(product)
	if len(all) != 1 {
		c.t.Fatalf("%d lines in a hurry: %v; %v", len(all), all, c.items(c.manager, "/api/plans/pace"))
	}
	return all[0]
}

func TestAWeakDayMakesLessAndOffersTheRest(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "wrap", "W", 60*qty.Scale, 20*time.Hour)
		c.forecasts()
		burgers := func() (sum qty.Qty) {
			for _, r := range c.lines("production", "burger") {
				if r["round"] != 1. && r["round"] != 2. {
					sum += q(r["mean"])
				}
			}
			return sum
		}
		was := burgers()
		c.at(2, 14, 0)
		c.tills("cola", 20*qty.Scale) // the tills are on, and sell no wraps or burgers
		c.done(c.manager, "POST", "/api/plans/pace", m{"site_id": c.site.ID.String()})
		c.drain()
		found := map[string]m{}
		for _, l := range c.items(c.manager, fmt.Sprint("/api/plans/pace?site_id=", c.site.ID)) {
			found[l["code"].(string)] = l
		}
		if w := found["wrap"]; w == nil || w["reach"] != "under" || w["outcome"] != "cut" || q(w["spare"]) <= 0 || q(w["spare"]) >= 60*qty.Scale || w["qty"] != "0" {
			t.Errorf("%v", w)
		}
		if now := burgers(); now >= was {
			t.Errorf("%v burgers are still expected, %v before", now, was)
		}
		if got := c.items(c.manager, c.plan()+"/proposals?level=dynamic"); len(got) != 0 {
			t.Errorf("a weak day buys nothing: %v", got)
		}
	})
}

func TestALineOverItsCeilingWaitsForAnApprover(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("cola", m{"mode": "static", "safety": "48", "most": "120", "qty_ceiling": "119"})
		c.rule("breast", m{"on_automatic": "approve"})
		c.forecasts()
		planner := c.hire("planner", c.site.ID)
		line := c.line("proposals", "cola")
		if line["held"] != "quantity" || line["level"] != "exception" || line["state"] != "proposed" {
			t.Fatalf("%v", line)
		}
		path := fmt.Sprint(c.plan(), "/lines/", line["id"])
		breast := fmt.Sprint(c.plan(), "/lines/", c.line("proposals", "breast")["id"])
		c.refused(planner, "plan_line_approver", "", "POST", path+"/confirm", nil)
		c.refused(planner, "plan_line_approver", "", "POST", path+"/change", m{"qty": "120", "reason": "好卖"})
		c.refused(planner, "plan_line_approver", "", "POST", breast+"/confirm", nil)
		c.refused(planner, "no_permission", "", "POST", path+"/release", m{"reason": "好卖"})
		c.refused(c.manager, "plan_line_held", "", "POST", path+"/confirm", nil)
		c.refused(c.manager, "plan_reason_missing", "reason", "POST", path+"/release", m{"reason": " "})
		// Many at once pass those by that wait.
		c.done(planner, "POST", c.plan()+"/confirm", m{"what": "proposals"})
		for _, l := range c.lines("proposals", "") {
			waits := l["code"] == "cola" || l["code"] == "breast"
			if waits != (l["state"] == "proposed") {
				t.Errorf("%v is %v", l["code"], l["state"])
			}
		}
		c.again()
		line = c.line("proposals", "cola")
		got := c.done(c.manager, "POST", fmt.Sprint(c.plan(), "/lines/", line["id"], "/release"), m{"reason": "周末活动"})["proposal"].(m)
		if got["state"] != "confirmed" || got["reason"] != "周末活动" || got["document_id"] == "" {
			t.Errorf("%v", got)
		}
	})
}

func TestSalesOverTheirThresholdWaitForSomebodyToLook(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("cola", m{"sales_threshold": "100"})
		c.forecasts()
		c.at(2, 13, 0)
		look := func() int {
			c.done(c.manager, "POST", "/api/plans/pace", m{"site_id": c.site.ID.String()})
			c.drain()
			return len(c.items(c.manager, "/api/plans/blocks"))
		}
		c.tills("cola", 100*qty.Scale)
		if n := look(); n != 0 {
			t.Fatal("at the threshold sales pass")
		}
		c.tills("cola", 1)
		if n := look(); n != 1 {
			t.Fatalf("%d blocks", n)
		}
		for _, l := range c.items(c.manager, fmt.Sprint("/api/plans/pace?site_id=", c.site.ID)) {
			if l["code"] == "cola" && l["outcome"] != "outranked" {
				t.Errorf("%v", l)
			}
		}
		for _, l := range c.lines("proposals", "cola") {
			if l["state"] == "proposed" && l["held"] != "sales" {
				t.Errorf("%v", l)
			}
		}
		body := m{"site_id": c.site.ID.String(), "date": "2026-03-02", "product_id": c.p["cola"].ID.String(), "release": true, "reason": ""}
		c.refused(c.manager, "plan_reason_missing", "reason", "POST", "/api/plans/blocks", body)
		body["reason"] = "团购"
		c.refused(c.hire("planner", c.site.ID), "no_permission", "", "POST", "/api/plans/blocks", body)
		c.refused(c.hire("manager", c.other), "sales_block_unknown", "", "POST", "/api/plans/blocks", body)
		c.done(c.manager, "POST", "/api/plans/blocks", body)
		c.refused(c.manager, "sales_block_decided", "", "POST", "/api/plans/blocks", body)
		if got := c.items(c.manager, "/api/plans/blocks"); got[0]["state"] != "released" || got[0]["sold"] != "100.001" || !strings.Contains(fmt.Sprint(got[0]["decided_by"]), "manager") {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatRulesRefuse(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		site, cola := c.site.ID.String(), c.p["cola"].ID.String()
		put := func(field, code string, more m) {
			t.Helper()
			body := m{"site_id": site, "product_id": cola, "mode": "static"}
			for k, v := range more {
				body[k] = v
			}
			c.refused(c.manager, code, field, "PUT", "/api/plans/rules", body)
		}
		put("most", "plan_policy_most", m{"safety": "10", "most": "9"})
		put("safety", "plan_qty_bad", m{"safety": "-1"})
		put("qty_ceiling", "plan_qty_bad", m{"qty_ceiling": "-1"})
		put("product_id", "plan_rule_product_unknown", m{"product_id": "77"})
		put("substitute_id", "plan_rule_product_unknown", m{"substitute_id": "77"})
		put("substitute_id", "plan_substitute_self", m{"substitute_id": cola})
		put("site_id", "plan_rule_chain", m{"site_id": ""})
		put("site_id", "not_found", m{"site_id": c.other.String()})
		c.refused(c.manager, "plan_policy_unknown", "", "DELETE", fmt.Sprintf("/api/plans/rules?site_id=%s&product_id=%s", site, cola), nil)
		add := func(field, code string, more m) {
			t.Helper()
			body := m{"site_id": site, "kind": "promotion", "name": "x", "from_date": "2026-03-04", "to_date": "2026-03-05", "products": []string{cola}}
			for k, v := range more {
				body[k] = v
			}
			c.refused(c.manager, code, field, "POST", "/api/plans/events", body)
		}
		add("to_date", "plan_event_span", m{"to_date": "2026-03-03"})
		add("to_date", "plan_event_span", m{"to_date": "2026-03-04", "from_time": "10:00", "to_time": "10:00"})
		add("from_date", "date_invalid", m{"from_date": "soon"})
		add("name", "plan_event_name", m{"name": " "})
		add("condition", "plan_event_condition", m{"kind": "weather"})
		add("condition", "plan_event_condition", m{"condition": "hot"})
		add("factor", "plan_event_factor", m{"factor": "0.05"})
		add("factor", "plan_event_factor", m{"factor": "21"})
		add("products", "plan_rule_product_unknown", m{"products": []string{"77"}})
		add("from_time", "cut_off_bad", m{"from_time": "25:00"})
		add("site_id", "plan_rule_chain", m{"site_id": ""})
		c.refused(c.manager, "plan_event_unknown", "", "DELETE", "/api/plans/events/77", nil)
		c.refused(c.admin, "plan_near_bad", "near_id", "PUT", "/api/plans/near", m{"site_id": site, "near_id": site, "minutes": 5})
		kitchen := c.kitchen.String()
		c.refused(c.admin, "plan_near_kind", "near_id", "PUT", "/api/plans/near", m{"site_id": site, "near_id": kitchen, "minutes": 5})
		c.refused(c.admin, "plan_near_kind", "site_id", "PUT", "/api/plans/near", m{"site_id": kitchen, "near_id": site, "minutes": 5})
		c.write(func(tx *db.Tx) error { // of an older release
			return replenish.PutNear(tx, 1, replenish.Near{Site: c.site.ID, Near: c.kitchen, Minutes: 5})
		})
		if left := c.done(c.admin, "PUT", "/api/plans/near", m{"site_id": site, "near_id": kitchen, "minutes": 0}); len(left["items"].([]any)) != 0 {
			t.Errorf("a kitchen in reach can't be taken away: %v", left)
		}
		c.refused(c.admin, "plan_near_unknown", "", "PUT", "/api/plans/near", m{"site_id": site, "near_id": c.other.String(), "minutes": 0})
		c.refused(c.manager, "not_found", "near_id", "PUT", "/api/plans/near", m{"site_id": site, "near_id": c.other.String(), "minutes": 5})
		c.refused(c.admin, "plan_rush_terms", "product_id", "PUT", "/api/plans/rush", m{"supplier_id": c.sup["fresh"].String(), "product_id": cola, "minutes": 5})
	})
}
