package supplyday

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/qty"
)

var yesterday = map[string]int64{"wrap": 20, "burger": 12, "cola": 30}

func TestYesterdaysSalesBecomeTodaysPlan(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		old := c.lies(c.site.ID, "wrap", "W-old", 4*qty.Scale, 5*time.Hour)
		c.lies(c.site.ID, "lettuce", "L-1", 500*qty.Scale, 48*time.Hour)
		c.lies(c.site.ID, "lettuce", "L-0", 300*qty.Scale, -time.Hour)
		c.forecasts()
		head := c.done(c.manager, "GET", c.plan(), nil)
		if head["site_code"] != c.site.Code || head["date"] != "2026-03-02" || head["data_until"] != "2026-03-01" || head["rounds"] != 5. || head["rounds_open"] != 5. || head["lacking"] != 0. {
			c.t.Errorf("%v", head)
		}
		// The wrap, of a day's life, is made once; what is on the tray counts.
		wrap := c.line("production", "wrap")
		if wrap["round"] != 1. || wrap["on_hand"] != "4" || wrap["state"] != "proposed" || wrap["ready_by"] != "07:00" || q(wrap["make"])%(6*qty.Scale) != 0 || wrap["make"] != wrap["proposed"] {
			c.t.Errorf("%v", wrap)
		}
		opened := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", wrap["id"]), nil)
		why := opened["production_why"].(m)
		day := why["forecast"].(m)
		if opened["kind"] != "production" || day["mean"] != wrap["mean"] || day["quantile"] != wrap["quantile"] || day["tau"] != .7 || why["batch"] != "6" || why["life_h"] != 24. {
			c.t.Errorf("%v", opened)
		}
		if off := q(why["wanted"]) - q(wrap["make"]); off > 3*qty.Scale || off < -3*qty.Scale || q(why["wanted"]) != q(wrap["quantile"])-4*qty.Scale {
			c.t.Errorf("wanted %v, made %v", why["wanted"], wrap["make"])
		}
		if ages := why["stock"].([]any); len(ages) != 1 || ages[0].(m)["batch_id"] != old.String() || ages[0].(m)["why"] != "counts" || ages[0].(m)["qty"] != "4" {
			c.t.Errorf("%v", ages)
		}
		// The burger, of six hours, in four rounds; what is left of one counts in the next.
		if rounds := c.lines("production", "burger"); len(rounds) != 4 || rounds[1]["from"] != "10:30" || rounds[3]["to"] != "" {
			c.t.Errorf("%v", rounds)
		}
		c.addsUp()
		// Cola is bought as it is forecast.
		cola := c.line("requirements", "cola")
		opened = c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", cola["id"]), nil)
		if need := opened["requirement_why"].(m); need["direct"] != cola["gross"] || cola["loss_ppm"] != 0. || need["forecast"].(m)["quantile"] != cola["gross"] {
			c.t.Errorf("%v", opened)
		}
		// The lettuce that is over its time does not count, and the opened line says so.
		lettuce := c.line("requirements", "lettuce")
		opened = c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", lettuce["id"]), nil)
		ages := opened["requirement_why"].(m)["stock"].([]any)
		if lettuce["on_hand"] != "500" || len(ages) != 2 || ages[0].(m)["code"] != "L-0" || ages[0].(m)["why"] != "expires_before_use" || ages[1].(m)["why"] != "counts" {
			c.t.Errorf("%v %v", lettuce, ages)
		}
		if uses := opened["requirement_why"].(m)["uses"].([]any); len(uses) != 2 {
			c.t.Errorf("lettuce goes into wraps and burgers: %v", uses)
		}
	})
}

// addsUp checks every line of the plan against the others: makes against uses, needs against what covers them.
func (c *chain) addsUp() {
	c.t.Helper()
	makes := map[string]qty.Qty{}
	for _, l := range c.lines("production", "") {
		makes[l["code"].(string)] += q(l["make"])
	}
	orders := map[string][]m{}
	for _, l := range c.lines("proposals", "") {
		key := fmt.Sprint(l["code"], l["due"])
		orders[key] = append(orders[key], l)
		if q(l["qty"])-q(l["net"]) != q(l["over"]) || q(l["over"]) < 0 {
			c.t.Errorf("%v", l)
		}
	}
	for _, l := range c.lines("requirements", "") {
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", l["id"]), nil)["requirement_why"].(m)
		gross, need := new(big.Rat), new(big.Rat)
		for _, u := range why["uses"].([]any) {
			use := u.(m)
			if made, ok := makes[use["code"].(string)]; ok && l["date"] == "2026-03-02" && q(use["makes"]) != made {
				c.t.Errorf("%v is used for %v of %v, %v are made", l["code"], use["makes"], use["code"], made)
			}
			gross.Add(gross, big.NewRat(int64(q(use["gross"])), 1))
			need.Add(need, big.NewRat(int64(q(use["need"])), 1))
		}
		direct := big.NewRat(int64(q(why["direct"])), 1)
		for _, x := range []struct {
			sum  *big.Rat
			told any
		}{{gross.Add(gross, direct), l["gross"]}, {need.Add(need, direct), l["need"]}} {
			off := x.sum.Sub(x.sum, big.NewRat(int64(q(x.told)), 1))
			if off.Abs(off).Cmp(big.NewRat(3, 1)) > 0 { // each part is rounded to a thousandth
				c.t.Errorf("the parts of %v are off by %v", l, off)
			}
		}
		missing := q(l["need"]) + q(l["safety"]) - q(l["on_hand"]) - q(l["in_transit"])
		if net := q(l["net"]); net < missing || net > max(missing, 0)+qty.Scale {
			c.t.Errorf("%v: net %v of %v", l["code"], net, missing)
		}
		covered := orders[fmt.Sprint(l["code"], l["date"])]
		if made := l["made"].(bool); q(l["net"]) > 0 && !made && len(covered) == 0 && !l["lacking"].(bool) && l["date"] == "2026-03-02" {
			c.t.Errorf("nothing covers %v", l)
		}
	}
}

func TestFrozenGoodsAreOrderedDaysAheadAndNotTwice(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "breast", "B", 1500*qty.Scale, 90*time.Hour)
		c.lies(c.site.ID, "sheet", "S", 40*qty.Scale, 1000*time.Hour) // enough for today, not for Thursday
		c.forecasts()
		var due []string
		for _, l := range c.lines("proposals", "sheet") {
			due = append(due, fmt.Sprint(l["due"], " by ", l["order_by"], " late ", l["late"]))
		}
		// Tuesday's need is too late to order and said so; its pack of fifty covers Wednesday. Thursday is in time.
		if got := strings.Join(due, "; "); got != "2026-03-03 by 2026-02-28 16:00 late true; 2026-03-05 by 2026-03-02 16:00 late false" {
			c.t.Errorf("sheets: %s", got)
		}
		for _, l := range c.lines("proposals", "") {
			if l["order_by"].(string) > "2026-03-02 24:00" {
				c.t.Errorf("%v can wait until tomorrow", l)
			}
		}
		// Fresh goods for tomorrow are ordered today, from the cheaper supplier of the two; the other is named.
		var breast m
		for _, l := range c.lines("proposals", "breast") {
			if l["due"] == "2026-03-03" {
				breast = l
			}
		}
		if breast == nil {
			c.t.Fatalf("no breast for tomorrow: %v", c.lines("proposals", "breast"))
		}
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", breast["id"]), nil)["proposal_why"].(m)
		if others := why["others"].([]any); breast["late"] != false || breast["order_by"] != "2026-03-02 16:00" || len(others) != 1 || why["lead_h"] != 24. || why["lead_class"] != "fresh" {
			c.t.Errorf("%v %v", breast, why)
		}
	})
}

func TestPlanningAgainChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		before := c.rows()
		c.again()
		c.again()
		if c.rows() != before {
			c.t.Error("the same plan was written again")
		}
		// Stock moved: now it is another plan, of the same day.
		c.lies(c.site.ID, "wrap", "W", 12*qty.Scale, 20*time.Hour)
		path, was := c.plan(), c.line("production", "wrap")
		c.again()
		if now := c.line("production", "wrap"); c.plan() != path || now["on_hand"] != "12" || now["id"] == was["id"] || q(now["make"]) >= q(was["make"]) {
			c.t.Errorf("%v after %v", now, was)
		}
		if n := len(c.lines("production", "wrap")); n != 1 {
			c.t.Errorf("the wrap has %d lines", n)
		}
	})
}

func TestWhatAKilledRunLeftIsSweptAndNeverSeen(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		seen := fmt.Sprint(c.items(c.manager, c.plan()+"/production?all=true"))
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`INSERT INTO replenish_production (id, plan_id, version, product_id, round_no, from_slot, to_slot, ready_slot, mean, quantile, on_hand, proposed, make, made, state, staff_id, reason, why)
				SELECT id + 1000000000, plan_id, version + 1, product_id, round_no, from_slot, to_slot, ready_slot, 1, 1, 1, 1, 1, 0, 'proposed', 0, '', '{}' FROM replenish_production`)
		})
		if now := fmt.Sprint(c.items(c.manager, c.plan()+"/production?all=true")); now != seen {
			c.t.Error("lines that are not in force are seen")
		}
		c.lies(c.site.ID, "wrap", "W", 12*qty.Scale, 20*time.Hour) // so that there is something to write
		c.again()
		c.read(func(tx *db.Tx) error {
			var n int64
			if err := tx.QueryRow(`SELECT COUNT(*) FROM replenish_production l JOIN replenish_plan p ON p.id = l.plan_id WHERE l.version <> p.version`).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				c.t.Errorf("%d lines of nobody are left", n)
			}
			return nil
		})
	})
}

func TestWhoMaySeePlansAndDecide(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		plan, line := c.plan(), c.line("production", "wrap")["id"]
		stranger, cashier := c.hire("manager", c.other), c.hire("cashier", c.site.ID)
		if got := c.items(stranger, "/api/plans"); len(got) != 0 {
			c.t.Errorf("a stranger sees %v", got)
		}
		if got := c.items(stranger, fmt.Sprint("/api/plans?site_id=", c.site.ID)); len(got) != 0 {
			c.t.Errorf("a stranger sees %v", got)
		}
		for _, path := range []string{"", "/production", "/requirements", "/proposals", fmt.Sprint("/lines/", line)} {
			c.refused(stranger, "plan_unknown", "", "GET", plan+path, nil)
			c.done(cashier, "GET", plan+path, nil)
		}
		c.refused(stranger, "plan_unknown", "", "POST", fmt.Sprint(plan, "/lines/", line, "/confirm"), nil)
		c.refused(stranger, "plan_unknown", "", "POST", fmt.Sprint(plan, "/lines/", line, "/change"), m{"qty": "1", "reason": "x"})
		c.refused(stranger, "plan_unknown", "", "POST", plan+"/confirm", m{"what": "all"})
		c.refused(stranger, "not_found", "site_id", "POST", "/api/plans/run", m{"site_id": c.site.ID.String()})
		c.refused(stranger, "not_found", "", "GET", fmt.Sprint("/api/plans/sources?site_id=", c.site.ID), nil)
		c.refused(cashier, "no_permission", "", "POST", fmt.Sprint(plan, "/lines/", line, "/confirm"), nil)
		c.refused(cashier, "no_permission", "", "POST", plan+"/confirm", m{"what": "all"})
		c.refused(cashier, "no_permission", "", "POST", "/api/plans/run", m{})
		c.refused(c.manager, "plan_line_unknown", "", "GET", plan+"/lines/123", nil)
		c.refused(c.manager, "plan_unknown", "", "GET", "/api/plans/123", nil)
		c.refused(c.manager, "plan_date_range", "date", "POST", "/api/plans/run", m{"site_id": c.site.ID.String(), "date": "2026-03-01"})
		c.refused(c.manager, "plan_date_range", "date", "POST", "/api/plans/run", m{"site_id": c.site.ID.String(), "date": "2026-03-16"})
		c.refused(c.manager, "date_invalid", "date", "POST", "/api/plans/run", m{"site_id": c.site.ID.String(), "date": "soon"})
		c.refused(c.manager, "plan_site_needed", "site_id", "POST", "/api/plans/run", m{"date": "2026-03-03"})
		c.refused(c.manager, "date_invalid", "date", "GET", "/api/plans?date=soon", nil)
	})
}

func TestTomorrowIsPlannedAfterToday(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "breast", "B", 1500*qty.Scale, 90*time.Hour) // a kilogram and a bit are gone by tomorrow
		c.forecasts()
		c.done(c.manager, "POST", "/api/plans/run", m{"site_id": c.site.ID.String(), "date": "2026-03-03"})
		c.drain()
		plan := c.planOf(c.site.ID, "2026-03-03")
		for _, l := range c.items(c.manager, plan+"/requirements") {
			if l["code"] == "breast" && l["date"] == "2026-03-03" && (q(l["on_hand"]) > 700*qty.Scale || q(l["on_hand"]) < 100*qty.Scale) {
				c.t.Errorf("of 1500 g, what today's wraps take is still there tomorrow: %v", l)
			}
		}
		if today := c.line("requirements", "breast"); today["on_hand"] != "1500" {
			c.t.Errorf("%v", today)
		}
	})
}

func TestAPersonsForecastMovesThePlan(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		was := q(c.line("production", "wrap")["quantile"])
		c.write(func(tx *db.Tx) error {
			double := 44 * qty.Qty(qty.Scale)
			return forecast.Override(tx, c.site.ID, c.p["wrap"].ID, "2026-03-02", &double, "fair", 0)
		})
		c.again()
		now := c.line("production", "wrap")
		if got := q(now["quantile"]); got < was*17/10 || q(now["mean"]) != 44*qty.Scale {
			c.t.Errorf("%v wanted instead of %v", got, was)
		}
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", now["id"]), nil)["production_why"].(m)
		if why["forecast"].(m)["override"] != true {
			c.t.Errorf("%v", why)
		}
	})
}

func TestTheMorningPlansAllSites(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		if err := c.runner.Tick(c.t.Context()); err != nil { // sees the schedule for the first time
			c.t.Fatal(err)
		}
		c.drain()
		c.d.Clock.Set(time.Date(2026, 3, 3, 5, 31, 0, 0, c.site.Location()))
		if err := c.runner.Tick(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
		c.drain()
		c.planOf(c.site.ID, "2026-03-03")
		if got := c.items(c.admin, "/api/plans"); got[0]["date"] != "2026-03-03" || len(got) != 2 {
			c.t.Errorf("%v", got)
		}
	})
}
