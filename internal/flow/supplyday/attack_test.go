package supplyday

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// sells puts what a supplier offers of a product.
func (c *chain) sells(supplier, product, unit string, pack qty.Qty, price money.Fen4, least int64, class party.LeadClass) {
	c.t.Helper()
	u := qty.Unit{Name: unit, Num: 1, Den: 1}
	if got := c.p[product].Unit(unit); got != nil {
		u = got.Qty()
	}
	c.write(func(tx *db.Tx) error {
		return party.PutTerms(tx, 0, []party.Terms{{Supplier: c.sup[supplier], Product: c.p[product].ID, Pack: pack, Unit: u, Price: price, MinPacks: least, Class: class, Days: party.EveryDay, CutOff: 960}})
	})
}

// word writes what a supplier's word is taken for.
func (c *chain) word(supplier, product string, fill, late int64) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		return tx.Exec(`INSERT INTO purchase_word (supplier_id, product_id, lines, came_lines, fill_bp, late_days, until) VALUES ($1, $2, 30, 30, $3, $4, '2026-02-15')`, c.sup[supplier], c.p[product].ID, fill, late)
	})
}

// A material by its level that nobody supplies, and that recipes use besides, is one need. Its level lacks 1500 of it.
func TestAMaterialByItsLevelThatNobodySuppliesIsOneNeed(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"static", "dms"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			each(t, func(c *chain) {
				c.write(func(tx *db.Tx) error {
					return tx.Exec(`DELETE FROM party_terms WHERE product_id = $1`, c.p["bun"].ID)
				})
				c.sold(c.site.ID, yesterday)
				c.sold(c.site.ID, map[string]int64{"bun": 90}) // a week of it and the level are more than the ceiling
				c.rule("bun", m{"mode": mode, "safety": "1000", "most": "1500"})
				c.forecasts()
				if got := c.lines("requirements", "bun"); len(got) != 1 || got[0]["lacking"] != true || got[0]["net"] != "1500" || got[0]["gross"] != "16" || got[0]["safety"] != "1484" {
					t.Errorf("%v", got)
				}
				why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", c.line("requirements", "bun")["id"]), nil)["requirement_why"].(m)
				if len(why["uses"].([]any)) != 1 || (why["dms"] != nil) != (mode == "dms") {
					t.Errorf("%v", why)
				}
				if len(c.lines("production", "wrap")) == 0 {
					t.Error("the others are planned")
				}
				before := c.rows()
				c.again()
				if c.rows() != before {
					t.Error("planning again wrote again")
				}
				c.addsUp()
			})
		})
	}
}

// A supplier that delivers little is ordered from once by nobody; what its record makes of that is a suggestion, and not more than
// as much again.
func TestWhoDeliversLittleIsOrderedFromOnceByNobody(t *testing.T) {
	t.Parallel()
	for _, fill := range []int64{0, 83, 3000, 8200} {
		t.Run(fmt.Sprint(fill), func(t *testing.T) {
			t.Parallel()
			each(t, func(c *chain) {
				c.sold(c.site.ID, yesterday)
				c.word("cold", "cola", fill, 0)
				c.rule("cola", m{"on_automatic": "act"})
				c.forecasts()
				ordered := func() (n int64) {
					c.read(func(tx *db.Tx) error {
						return tx.QueryRow(`SELECT COUNT(*) FROM purchase_line WHERE product_id = $1`, c.p["cola"].ID).Scan(&n)
					})
					return n
				}
				n, before := ordered(), c.rows()
				due := map[string]int{}
				for _, l := range c.lines("proposals", "cola") {
					if l["state"] == "confirmed" {
						due[l["due"].(string)]++
					} else if l["execution"] != "suggest" {
						t.Errorf("%v", l)
					}
				}
				if n == 0 || len(due) != int(n) {
					t.Errorf("%d orders for %v", n, due)
				}
				for range 3 {
					c.again()
				}
				if ordered() != n || c.rows() != before {
					t.Errorf("planning again: %d orders, %d before", ordered(), n)
				}
				// Whoever trusts the record and confirms it all, comes to an end.
				var promised qty.Qty
				for k := 0; ; k++ {
					some := c.lines("proposals", "cola")
					open := 0
					for _, l := range some {
						if l["state"] == "proposed" {
							c.done(c.manager, "POST", c.act(l, "confirm"), nil)
							open++
						}
					}
					if open == 0 {
						break
					}
					if k == 8 {
						t.Fatal("it goes on and on")
					}
					c.again()
				}
				c.read(func(tx *db.Tx) error {
					return tx.QueryRow(`SELECT CAST(COALESCE(SUM(qty), 0) AS BIGINT) FROM purchase_line WHERE product_id = $1`, c.p["cola"].ID).Scan(&promised)
				})
				if most := 2 * qty.Qty(len(due)) * 48 * qty.Scale; promised > most || promised == 0 { // two boxes are the least
					t.Errorf("%v ordered in all, at most %v", promised, most)
				}
				c.write(func(tx *db.Tx) error { return tx.Exec(`DELETE FROM purchase_word`) })
			})
		})
	}
}

// What does not fit under the ceiling in one supplier's boxes may fit in another's: there is room for 20, and one sells by six.
func TestByMeanWhoseBoxFitsDelivers(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sells("cheap", "cola", "piece", 6*qty.Scale, 500_0000, 1, party.Frozen)
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "cola", "C", 280*qty.Scale, 0)
		c.rule("cola", m{"mode": "dms", "safety": "48", "most": "300"})
		c.forecasts()
		if l := c.line("proposals", "cola"); l["qty"] != "18" || l["packs"] != 3. || l["supplier_id"] != c.sup["cheap"].String() || l["late"] != false {
			t.Errorf("%v", l)
		}
		c.rule("cola", m{"mode": "dms", "safety": "48", "most": "285"})
		c.again()
		if got := c.lines("proposals", "cola"); len(got) != 0 {
			t.Errorf("%v", got)
		}
		need := c.line("requirements", "cola")
		if why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", need["id"]), nil)["requirement_why"].(m)["dms"].(m); why["less"] != "pack" || why["room"] != "5" || need["lacking"] != false {
			t.Errorf("%v", why)
		}
	})
}

// One product of which absurdly much was sold does not stop the plan of the others, however it is ordered.
func TestAnAbsurdProductDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.write(func(tx *db.Tx) error {
			load := id.New()
			if err := forecast.OpenLoad(tx, load); err != nil {
				return err
			}
			var days []forecast.SaleDay
			for k := range 60 {
				days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: c.site.ID, ProductID: c.p["cola"].ID, Date: cal.Date("2026-03-02").AddDays(-1 - k)}, Qty: qty.Max})
			}
			if err := forecast.PutSales(tx, load, days); err != nil {
				return err
			}
			return forecast.ApplyLoad(tx, load)
		})
		for _, mode := range []string{"dms", "dynamic", "static"} {
			c.rule("cola", m{"mode": mode})
			c.forecasts()
			c.again()
			if len(c.lines("production", "wrap")) == 0 || len(c.lines("proposals", "bun")) == 0 {
				t.Errorf("%s: nothing is planned", mode)
			}
			if got := c.lines("proposals", "cola"); len(got) != 0 {
				t.Errorf("%s: nobody can bring so much: %v", mode, got)
			}
			if need := c.line("requirements", "cola"); need["lacking"] != (mode != "dms") || need["net"] == "0" {
				t.Errorf("%s: %v", mode, need)
			}
		}
	})
}

// Eight at once, by four keys: a round and an order are decided once, and an answer is given again to its key.
func TestEightConfirmAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("cola", m{"mode": "dms", "safety": "48"})
		c.forecasts()
		round, order := c.line("production", "wrap"), c.line("proposals", "cola")
		for what, line := range map[string]m{"round": round, "order": order} {
			var g sync.WaitGroup
			answers := make(chan reply, 8)
			for k := range 8 {
				key := fmt.Sprint("eight-", what, "-", k/2)
				g.Go(func() { answers <- c.sendAs(key, c.manager, "POST", c.act(line, "confirm"), nil) })
			}
			g.Wait()
			close(answers)
			got := map[string]int{}
			for a := range answers {
				got[fmt.Sprint(a.status, a.code)]++
			}
			if got["200"] != 2 || got["409plan_line_decided"] != 6 {
				t.Errorf("%s: %v", what, got)
			}
		}
		var n int64
		c.read(func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM purchase_line WHERE product_id = $1`, c.p["cola"].ID).Scan(&n)
		})
		if n != 1 {
			t.Errorf("%d lines ordered", n)
		}
		c.again()
		if got := c.lines("proposals", "cola"); len(got) != 1 {
			t.Errorf("%v", got)
		}
		c.refused(c.manager, "plan_line_decided", "", "POST", c.act(round, "confirm"), nil)
	})
}

// Rounds whose time is over and that are confirmed with all others are not counted on: nothing is bought for them.
func TestARoundThatIsOverIsNotCountedOn(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		c.at(2, 14, 40)
		c.again()
		before := c.line("requirements", "bun")
		c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"})
		c.drain()
		c.d.Clock.Set(c.d.Clock.Now().Add(time.Minute))
		c.again()
		if now := c.line("requirements", "bun"); now["need"] != before["need"] || now["net"] != before["net"] {
			t.Errorf("%v, before it was confirmed %v", now, before)
		}
	})
}

// An entry whose factor is set to 1 holds as others do: from 48 hours before it begins until it ends, and not before or after.
func TestAFactorOfOneHoldsWhileItsEntryDoes(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.event(m{"kind": "promotion", "factor": "1", "from_date": "2026-03-05", "to_date": "2026-03-05"}, "wrap")
		level := func(date cal.Date) any {
			c.done(c.manager, "POST", "/api/plans/run", m{"site_id": c.site.ID.String(), "date": date})
			c.drain()
			for _, l := range c.items(c.manager, c.planOf(c.site.ID, date)+"/production?all=true") {
				if l["code"] == "wrap" {
					return l["level"]
				}
			}
			return nil
		}
		c.forecasts()
		for date, want := range map[cal.Date]string{"2026-03-02": "automatic", "2026-03-04": "strategy", "2026-03-05": "strategy", "2026-03-06": "automatic"} {
			if got := level(date); got != want {
				t.Errorf("%s is %v, want %s", date, got, want)
			}
		}
		for _, factor := range []string{"0", "99", "-1", "0.099", "20.001"} {
			c.refused(c.manager, "plan_event_factor", "factor", "POST", "/api/plans/events", m{"site_id": c.site.ID.String(), "kind": "promotion", "name": "促", "from_date": "2026-03-05", "to_date": "2026-03-05", "factor": factor, "products": []string{c.p["wrap"].ID.String()}})
		}
	})
}

// Where a promotion and a festival meet, the higher stands in for both: the model's own part of neither is multiplied by it.
func TestThePartOfTheLowerEntryIsNotMultiplied(t *testing.T) {
	e := &forecast.Expected{Mean: 200 * qty.Scale, Effects: forecast.Effects{Promotion: 30 * qty.Scale, Holiday: 50 * qty.Scale, Weather: 7 * qty.Scale}}
	of := map[id.ID]bool{7: true}
	events := []replenish.Event{{ID: 1, Kind: replenish.Festival, Factor: 1200, Products: of}, {ID: 2, Kind: replenish.Promotion, Factor: 1500, Products: of}, {ID: 3, Kind: replenish.Promotion, Factor: 1100, Products: of}}
	all := replenish.Highest(events, 7, func(e *replenish.Event) (replenish.Moved, bool) {
		return replenish.Moved{Event: e, Factor: e.Factor}, true
	})
	if got := effect(all, e); got != 80*qty.Scale || all.Factor != 1500 {
		t.Errorf("%v of %+v", got, all)
	}
	one := replenish.Highest(events, 7, func(e *replenish.Event) (replenish.Moved, bool) {
		return replenish.Moved{Event: e, Factor: e.Factor}, e.Kind == replenish.Promotion
	})
	if got := effect(one, e); got != 30*qty.Scale {
		t.Errorf("the festival is not in the calendar: %v", got)
	}
}

// Of a product that nobody supplies no days on the way are made up: its mean of 28 days lasts until the next review.
func TestByMeanOfNobodyNoLeadIsMadeUp(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`DELETE FROM party_terms WHERE product_id = $1`, c.p["cola"].ID)
		})
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "cola", "C", 20*qty.Scale, 5*24*time.Hour)
		c.rule("cola", m{"mode": "dms", "safety": "10"})
		c.forecasts()
		need := c.line("requirements", "cola")
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", need["id"]), nil)["requirement_why"].(m)["dms"].(m)
		// 898 pieces on 28 days: 898 ÷ 28 × 7 = 224.5, + 10 − 20
		for k, want := range (m{"lead_days": 0., "review_days": 7., "expected": "224.5", "available": "20", "want": "214.5"}) {
			if why[k] != want {
				t.Errorf("%s is %v, by hand %v", k, why[k], want)
			}
		}
		if need["lacking"] != true || need["net"] != "214.5" {
			t.Errorf("%v", need)
		}
	})
}

// A right that is taken away between two steps is gone, and nobody acts or looks at a site that is not his.
func TestARightLostBetweenTwoStepsIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("cola", m{"mode": "dms", "safety": "48", "on_automatic": "approve"})
		c.rule("wrap", m{"on_automatic": "approve"})
		event := c.event(m{"kind": "festival", "name": "清明", "from_date": "2026-04-04", "to_date": "2026-04-06"}, "wrap")
		c.forecasts()
		round, order := c.line("production", "wrap"), c.line("proposals", "cola")
		if order["execution"] != "approve" {
			t.Errorf("%v", order)
		}
		planner, stranger := c.hire("planner", c.site.ID), c.hire("manager", c.other)
		c.refused(planner, "plan_line_approver", "", "POST", c.act(order, "confirm"), nil)
		c.refused(planner, "plan_line_approver", "", "POST", c.act(round, "confirm"), nil)
		rule := m{"site_id": c.site.ID.String(), "product_id": c.p["cola"].ID.String(), "mode": "dms", "at_word": true}
		for _, who := range []string{stranger, planner} {
			a := c.send(who, "PUT", "/api/plans/rules", rule)
			if a.status != 403 && a.status != 404 {
				t.Errorf("%d %s", a.status, a.text)
			}
		}
		for what, body := range map[string]any{"confirm": nil, "change": m{"qty": "1", "reason": "x"}, "release": m{"reason": "x"}} {
			c.refused(stranger, "plan_unknown", "", "POST", c.act(order, what), body)
		}
		if a := c.send(stranger, "GET", fmt.Sprint("/api/plans/learned?event_id=", event, "&site_id=", c.site.ID), nil); a.status != 404 && a.status != 403 {
			t.Errorf("%d %s", a.status, a.text)
		}
		if a := c.send(c.manager, "GET", fmt.Sprint("/api/plans/learned?event_id=", event, "&site_id=", c.other), nil); a.status != 404 && a.status != 403 {
			t.Errorf("%d %s", a.status, a.text)
		}
		c.refused(c.manager, "not_found", "site_id", "POST", "/api/plans/run", m{"site_id": c.other.String()})
		staff := c.items(c.admin, "/api/org/staff")
		for _, s := range staff {
			if name, _ := s["name"].(string); len(name) > 7 && name[:7] == "manager" {
				c.done(c.admin, "PUT", fmt.Sprintf("/api/org/staff/%v/grants", s["id"]), []m{})
			}
		}
		for _, line := range []m{round, order} {
			before := c.rows()
			if a := c.send(c.manager, "POST", c.planOf(c.site.ID, "2026-03-02")+fmt.Sprint("/lines/", line["id"], "/release"), m{"reason": "好"}); a.status != 403 && a.status != 404 {
				t.Errorf("%d %s", a.status, a.text)
			}
			if c.rows() != before {
				t.Error("it changed something")
			}
		}
	})
}
