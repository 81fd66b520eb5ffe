package supplyday

import (
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/platform/qty"
)

// Rounds are executed as lines to be ordered are: by nobody, by whoever plans, by an approver.
func TestARoundIsMadeByTheExecutionOfItsProduct(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("burger", m{"on_automatic": "act"})
		c.rule("wrap", m{"on_automatic": "approve"})
		c.forecasts()
		planner := c.hire("planner", c.site.ID)
		// act: confirmed as the plan is made, by nobody. The kitchen has it to make.
		for _, r := range c.lines("production", "burger") {
			if r["state"] != "confirmed" || r["execution"] != "act" || r["level"] != "automatic" || r["decided_by"] != "" || r["decided_at"] == nil || r["make"] != r["proposed"] {
				t.Errorf("%v", r)
			}
		}
		if head := c.done(c.manager, "GET", c.plan(), nil); head["rounds"] != 5. || head["rounds_open"] != 1. || head["rounds_approve"] != 1. {
			t.Errorf("one round waits: %v", head)
		}
		// approve: many at once pass it by, and who may not approve is refused whatever he tries.
		wrap := c.line("production", "wrap")
		if wrap["state"] != "proposed" || wrap["execution"] != "approve" {
			t.Fatalf("%v", wrap)
		}
		for _, lines := range []any{nil, []any{wrap["id"]}} {
			body := m{"what": "production"}
			if lines != nil {
				body["lines"] = lines
			}
			if out := c.done(planner, "POST", c.plan()+"/confirm", body); out["production"] != 0. || out["plan"].(m)["rounds_open"] != 1. {
				t.Errorf("%v", out)
			}
		}
		c.refused(planner, "plan_line_approver", "", "POST", c.act(wrap, "confirm"), nil)
		c.refused(planner, "plan_line_approver", "", "POST", c.act(wrap, "change"), m{"qty": "6", "reason": "少做"})
		c.refused(planner, "no_permission", "", "POST", c.act(wrap, "release"), m{"reason": "好"})
		c.refused(c.hire("cashier", c.site.ID), "no_permission", "", "POST", c.act(wrap, "confirm"), nil)
		c.refused(c.hire("manager", c.other), "plan_unknown", "", "POST", c.act(wrap, "confirm"), nil)
		c.refused(c.manager, "plan_reason_missing", "reason", "POST", c.act(wrap, "release"), m{"reason": " "})
		got := c.done(c.manager, "POST", c.act(wrap, "release"), m{"reason": "看过"})["production"].(m)
		if got["state"] != "confirmed" || got["reason"] != "看过" || got["make"] != wrap["proposed"] {
			t.Errorf("%v", got)
		}
		c.refused(c.manager, "plan_line_decided", "", "POST", c.act(wrap, "release"), m{"reason": "再看"})
		// Less than was approved may be made by who plans, more may not.
		c.refused(planner, "plan_line_approver", "", "POST", c.act(wrap, "change"), m{"qty": "600", "reason": "多做"})
		if less := c.done(planner, "POST", c.act(wrap, "change"), m{"qty": "6", "reason": "没有料"})["production"].(m); less["make"] != "6" {
			t.Errorf("%v", less)
		}
		c.again()
		c.addsUp()
	})
}

// What nobody is asked about follows the facts until an hour before it must be ready; then the kitchen may rely on it.
func TestWhatNobodyIsAskedAboutFollowsTheFactsUntilItIsTime(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("burger", m{"on_automatic": "act"})
		c.forecasts()
		const monday = "2026-03-02"
		before := c.burgers(monday)
		if before[2]["ready_by"] != "10:30" || before[3]["ready_by"] != "14:00" {
			t.Fatalf("%v", before)
		}
		c.at(2, 9, 40) // fifty minutes before noon's round
		c.lies(c.site.ID, "burger", "B", 40*qty.Scale, 11*time.Hour)
		c.again()
		now := c.burgers(monday)
		if now[2]["id"] != before[2]["id"] || now[2]["make"] != before[2]["make"] {
			t.Errorf("noon's round is begun: %v, it was %v", now[2], before[2])
		}
		if now[3]["make"] != "0" || now[4]["make"] != "0" || now[3]["state"] != "confirmed" {
			t.Errorf("forty burgers lie there: %v %v", now[3], now[4])
		}
		// A person's word stays, and nobody makes it the machine's again.
		c.done(c.manager, "POST", fmt.Sprint(c.plan(), "/lines/", now[4]["id"], "/change"), m{"qty": "8", "reason": "夜市"})
		c.again()
		if r := c.burgers(monday)[4]; r["make"] != "8" || r["state"] != "changed" {
			t.Errorf("%v", r)
		}
		// The rule is taken away: what is not yet time waits for somebody again.
		c.done(c.manager, "DELETE", fmt.Sprintf("/api/plans/rules?site_id=%s&product_id=%s", c.site.ID, c.p["burger"].ID), nil)
		c.again()
		if now := c.burgers(monday); now[2]["state"] != "confirmed" || now[3]["state"] != "proposed" || now[3]["execution"] != "suggest" {
			t.Errorf("%v %v", now[2], now[3])
		}
	})
}

// Why a round is made as it is decides how: a promotion by its strategy, a day that sells off its forecast by its tuning, and what
// is over its ceiling or sold too much waits for an approver.
func TestTheStrongestLevelOfARoundDecidesHow(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		all := m{"on_automatic": "act", "on_dynamic": "suggest", "on_strategy": "approve"}
		c.rule("burger", all)
		c.rule("wrap", all)
		c.event(m{"from_date": "2026-03-02", "to_date": "2026-03-02"}, "wrap")
		c.forecasts()
		if w := c.line("production", "wrap"); w["level"] != "strategy" || w["execution"] != "approve" || w["state"] != "proposed" {
			t.Errorf("%v", w)
		}
		if b := c.line("production", "burger"); b["level"] != "automatic" || b["state"] != "confirmed" {
			t.Errorf("%v", b)
		}
		pace := func() map[int64]m {
			c.done(c.manager, "POST", "/api/plans/pace", m{"site_id": c.site.ID.String()})
			c.drain()
			return c.burgers("2026-03-02")
		}
		c.at(2, 12, 30)
		c.tills("burger", 14*qty.Scale)
		if r := pace(); r[4]["level"] != "dynamic" || r[4]["execution"] != "suggest" || r[4]["state"] != "proposed" {
			t.Errorf("it sells faster than forecast: %v; %v", r[4], c.items(c.manager, "/api/plans/pace"))
		}
		// At the ceiling it passes; a burger more waits.
		make4 := q(c.burgers("2026-03-02")[4]["make"])
		c.rule("burger", m{"on_automatic": "act", "qty_ceiling": make4.String()})
		c.again()
		if r := c.burgers("2026-03-02")[4]; r["level"] != "dynamic" {
			t.Errorf("at its ceiling exactly: %v", r)
		}
		c.rule("burger", m{"on_automatic": "act", "on_dynamic": "act", "qty_ceiling": (make4 - qty.Scale).String()})
		c.again()
		if r := c.burgers("2026-03-02")[4]; r["level"] != "exception" || r["execution"] != "approve" || r["state"] != "proposed" {
			t.Errorf("over its ceiling: %v", r)
		}
		c.rule("burger", m{"on_automatic": "act", "on_dynamic": "act", "sales_threshold": "13"})
		if r := pace(); r[4]["level"] != "exception" || r[4]["state"] != "proposed" {
			t.Errorf("fourteen sold, thirteen were thought of: %v", r[4])
		}
		block := m{"site_id": c.site.ID.String(), "date": "2026-03-02", "product_id": c.p["burger"].ID.String(), "release": true, "reason": "团购"}
		c.done(c.manager, "POST", "/api/plans/blocks", block)
		c.again()
		if r := c.burgers("2026-03-02")[4]; r["level"] == "exception" || r["state"] != "confirmed" {
			t.Errorf("released: %v", r)
		}
	})
}
