package supplyday

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
	"zhanggui/internal/replenish"
)

// act is the address of what is done with a line of the plan.
func (c *chain) act(line m, what string) string {
	return fmt.Sprint(c.plan(), "/lines/", line["id"], "/", what)
}

func TestAPersonDecidesWhatIsMade(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		wrap := c.line("production", "wrap")
		opened := c.done(c.manager, "POST", c.act(wrap, "confirm"), nil)["production"].(m)
		if opened["state"] != "confirmed" || opened["make"] != wrap["proposed"] || !strings.HasPrefix(opened["decided_by"].(string), "人manager") || opened["decided_at"] == nil {
			c.t.Errorf("%v", opened)
		}
		c.refused(c.manager, "plan_line_decided", "", "POST", c.act(wrap, "confirm"), nil)
		opened = c.done(c.manager, "POST", c.act(wrap, "change"), m{"qty": "30", "reason": " 学校活动 "})["production"].(m)
		if opened["state"] != "changed" || opened["make"] != "30" || opened["proposed"] != wrap["proposed"] || opened["reason"] != "学校活动" {
			c.t.Errorf("%v", opened)
		}
		for _, r := range []struct {
			code, field string
			body        m
		}{
			{"plan_reason_missing", "reason", m{"qty": "5", "reason": "  "}},
			{"field_missing", "reason", m{"qty": "5"}},
			{"field_missing", "qty", m{"reason": "x"}},
			{"plan_qty_bad", "qty", m{"qty": "-1", "reason": "x"}},
			{"qty_too_large", "qty", m{"qty": "1000000001", "reason": "x"}},
			{"plan_qty_far", "qty", m{"qty": "999999999", "reason": "x"}},
			{"plan_qty_far", "qty", m{"qty": "10001", "reason": "x"}},
			{"plan_pieces_whole", "qty", m{"qty": "1.5", "reason": "x"}},
			{"plan_unit_unknown", "unit", m{"qty": "1", "unit": "tray", "reason": "x"}},
			{"field_unknown", "state", m{"qty": "1", "reason": "x", "state": "done"}},
		} {
			c.refused(c.manager, r.code, r.field, "POST", c.act(wrap, "change"), r.body)
		}
		c.refused(c.manager, "plan_requirement_follows", "", "POST", c.act(c.line("requirements", "lettuce"), "confirm"), nil)
		c.refused(c.manager, "plan_requirement_follows", "", "POST", c.act(c.line("requirements", "lettuce"), "change"), m{"qty": "1", "reason": "x"})
		c.refused(c.manager, "plan_line_unknown", "", "POST", c.plan()+"/lines/77/confirm", nil)
		// Planning again leaves it and takes its materials from it.
		c.again()
		if now := c.lines("production", "wrap"); len(now) != 1 || now[0]["make"] != "30" || now[0]["state"] != "changed" || now[0]["id"] != wrap["id"] {
			c.t.Errorf("%v", now)
		}
		if breast := c.line("requirements", "breast"); breast["gross"] != "1500" {
			c.t.Errorf("thirty wraps take 1500 g: %v", breast)
		}
		c.addsUp()
		// All the others at once.
		out := c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"})
		if out["production"] != 4. || out["proposals"] != 0. || out["plan"].(m)["rounds_open"] != 0. {
			c.t.Errorf("%v", out)
		}
		before := c.rows()
		if out := c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"}); out["production"] != 0. || c.rows() != before {
			c.t.Errorf("%v", out)
		}
		c.refused(c.manager, "not_a_choice", "what", "POST", c.plan()+"/confirm", m{"what": "everything"})
	})
}

func TestWhatTheKitchenMadeFillsTheRounds(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		rounds := c.lines("production", "burger")
		first, second := q(rounds[0]["make"]), q(rounds[1]["make"])
		if first <= 0 || second <= 0 {
			c.t.Fatalf("%v", rounds)
		}
		made := func(n qty.Qty) {
			c.write(func(tx *db.Tx) error {
				return outbox.Emit(tx, outbox.Event{Type: produce.EventMade, Subject: id.New(), Site: c.site.ID, Body: produce.MadeEvent{Site: c.site.ID, Product: c.p["burger"].ID, Qty: int64(n)}})
			})
			c.drain()
		}
		made(first + second/2)
		rounds = c.lines("production", "burger")
		if rounds[0]["state"] != "done" || q(rounds[0]["made"]) != first || rounds[1]["state"] != "proposed" || q(rounds[1]["made"]) != second/2 || rounds[2]["state"] != "proposed" {
			c.t.Errorf("%v", rounds)
		}
		c.refused(c.manager, "plan_line_done", "", "POST", c.act(rounds[0], "confirm"), nil)
		c.refused(c.manager, "plan_line_done", "", "POST", c.act(rounds[0], "change"), m{"qty": "1", "reason": "x"})
		c.refused(c.manager, "plan_line_done", "qty", "POST", c.act(rounds[1], "change"), m{"qty": "1", "reason": "less than is made"})
		c.again() // what is still to be made takes materials, what is made does not
		if n := c.done(c.manager, "GET", c.plan(), nil); n["rounds_done"] != 1. {
			c.t.Errorf("%v", n)
		}
		rounds = c.lines("production", "burger")
		var open qty.Qty
		for _, r := range rounds {
			open += q(r["make"]) - q(r["made"])
		}
		if bun := c.line("requirements", "bun"); q(bun["gross"]) != open {
			c.t.Errorf("%v burgers are still to be made: %v", open, bun)
		}
		// Made without any plan: nobody minds.
		c.write(func(tx *db.Tx) error {
			return outbox.Emit(tx, outbox.Event{Type: produce.EventMade, Subject: id.New(), Site: c.other, Body: produce.MadeEvent{Site: c.other, Product: c.p["burger"].ID, Qty: 1000}})
		})
		c.drain()
	})
}

func TestARoundOfWhichFewerWereMadeIsDone(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		rounds := c.lines("production", "burger")
		first, second := q(rounds[0]["make"]), q(rounds[1]["make"])
		made := func(n, planned qty.Qty) []m {
			c.write(func(tx *db.Tx) error {
				return outbox.Emit(tx, outbox.Event{Type: produce.EventMade, Subject: id.New(), Site: c.site.ID, Body: produce.MadeEvent{Site: c.site.ID, Product: c.p["burger"].ID, Qty: int64(n), Planned: int64(planned)}})
			})
			c.drain()
			return c.lines("production", "burger")
		}
		if rounds = made(first-qty.Scale, first); rounds[0]["state"] != "done" || q(rounds[0]["made"]) != first-qty.Scale {
			t.Errorf("one was dropped: %v", rounds[0])
		}
		if rounds = made(second, second); rounds[0]["made"] != (first-qty.Scale).String() || rounds[1]["state"] != "done" || q(rounds[1]["made"]) != second {
			t.Errorf("the next round: %v %v", rounds[0], rounds[1])
		}
		third := q(rounds[2]["make"])
		if rounds = made(qty.Scale, qty.Scale); third > qty.Scale && rounds[2]["state"] == "done" {
			t.Errorf("one of many, as planned, ended its round: %v", rounds[2])
		}
		if rounds = made(0, third-qty.Scale); rounds[2]["state"] != "done" || q(rounds[2]["made"]) != qty.Scale {
			t.Errorf("the rest was all lost: %v", rounds[2])
		}
	})
}

func TestConfirmedProposalsBecomeOrdersAndAreNotProposedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		lettuce := c.line("proposals", "lettuce")
		opened := c.done(c.manager, "POST", c.act(lettuce, "confirm"), nil)["proposal"].(m)
		if opened["state"] != "confirmed" || opened["document_id"] == "" {
			c.t.Fatalf("%v", opened)
		}
		order := c.done(c.manager, "GET", fmt.Sprint("/api/purchase/orders/", opened["document_id"]), nil)
		line := order["lines"].([]any)[0].(m)
		for k, want := range (m{"code": "lettuce", "packs": lettuce["packs"], "qty": lettuce["qty"], "price_fen4": lettuce["price_fen4"], "amount_fen": lettuce["amount_fen"], "received": "0",
			"open": lettuce["qty"], "proposal_id": lettuce["id"], "pack_qty": "3000", "pack_unit": "g"}) {
			if line[k] != want {
				c.t.Errorf("%s of the line is %v, want %v", k, line[k], want)
			}
		}
		if order["state"] != "confirmed" || order["supplier_code"] != "fresh" || order["due"] != lettuce["due"] || order["no"] != "PO-"+c.site.Code+"-260302-1" || order["site_name"] != c.site.Name {
			c.t.Errorf("%v", order)
		}
		c.refused(c.manager, "plan_line_decided", "", "POST", c.act(lettuce, "confirm"), nil)
		c.refused(c.manager, "plan_line_decided", "", "POST", c.act(lettuce, "change"), m{"qty": "6", "unit": "kg", "reason": "more"})
		// Of the same supplier and day, until it is sent, on the same order.
		bun := c.line("proposals", "bun")
		if got := c.done(c.manager, "POST", c.act(bun, "confirm"), nil)["proposal"].(m); got["document_id"] != order["id"] {
			c.t.Errorf("%v", got)
		}
		c.done(c.manager, "POST", fmt.Sprint("/api/purchase/orders/", order["id"], "/send"), nil)
		tomato := c.line("proposals", "tomato")
		if got := c.done(c.manager, "POST", c.act(tomato, "confirm"), nil)["proposal"].(m); got["document_id"] == order["id"] {
			c.t.Error("a line was added to an order that the supplier has")
		}
		// All that is left, and then planning again proposes nothing more.
		out := c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "all"})
		if out["left"] != 0. || out["proposals"].(float64) < 3 || out["plan"].(m)["proposals_open"] != 0. {
			c.t.Errorf("%v", out)
		}
		n := len(c.lines("proposals", ""))
		c.again()
		if now := c.lines("proposals", ""); len(now) != n {
			c.t.Errorf("%d proposals after %d: %v", len(now), n, now)
		}
		if l := c.line("requirements", "lettuce"); q(l["in_transit"]) == 0 || l["net"] != "0" {
			c.t.Errorf("%v", l)
		}
		opened = c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", c.line("requirements", "lettuce")["id"]), nil)
		if arriving := opened["requirement_why"].(m)["arriving"].([]any); len(arriving) == 0 || arriving[0].(m)["no"] != order["no"] {
			c.t.Errorf("%v", opened)
		}
		before := c.rows()
		c.again()
		if c.rows() != before {
			c.t.Error("planning again after everything was ordered changed something")
		}
	})
}

func TestAPersonOrdersWholePacksOrNothing(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		cola := c.line("proposals", "cola") // boxes of 24, at least two
		for _, r := range []struct{ code, field, qty, unit string }{
			{"plan_packs_whole", "qty", "50", ""}, {"plan_packs_whole", "qty", "24", ""}, {"plan_packs_whole", "qty", "1", "box"}, {"plan_unit_unknown", "unit", "1", "pallet"}, {"plan_qty_bad", "qty", "-24", ""},
		} {
			c.refused(c.manager, r.code, r.field, "POST", c.act(cola, "change"), m{"qty": r.qty, "unit": r.unit, "reason": "x"})
		}
		got := c.done(c.manager, "POST", c.act(cola, "change"), m{"qty": "5", "unit": "box", "reason": "周末"})["proposal"].(m)
		if got["qty"] != "120" || got["packs"] != 5. || got["state"] != "changed" || got["amount_fen"] != 12000. || got["reason"] != "周末" {
			c.t.Errorf("%v", got)
		}
		// Nothing at all: no order, and it is not proposed again.
		patty := c.line("proposals", "patty")
		got = c.done(c.manager, "POST", c.act(patty, "change"), m{"qty": "0", "reason": "库房还有"})["proposal"].(m)
		if got["state"] != "changed" || got["document_id"] != "" || got["amount_fen"] != 0. {
			c.t.Errorf("%v", got)
		}
		c.again()
		for _, l := range c.lines("proposals", "patty") {
			if l["state"] == "proposed" && l["due"] == patty["due"] {
				c.t.Errorf("what a person did not want is proposed again: %v", l)
			}
		}
		// A supplier that was stopped meanwhile gets no order.
		lettuce := c.line("proposals", "lettuce")
		c.write(func(tx *db.Tx) error {
			_, err := party.ChangeSupplier(tx, c.sup["fresh"], 1, party.SupplierDraft{Code: "fresh", Name: "供fresh", State: party.Stopped})
			return err
		})
		c.refused(c.manager, "purchase_supplier_stopped", "", "POST", c.act(lettuce, "confirm"), nil)
		c.again()
		if l := c.line("requirements", "lettuce"); l["lacking"] != true {
			c.t.Errorf("nobody supplies lettuce any more: %v", l)
		}
	})
}

func TestTwoWhoConfirmAtOnceOrderOnce(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		line, plan := c.line("proposals", "lettuce"), c.plan()
		planID, _ := id.Parse(strings.TrimPrefix(plan, "/api/plans/"))
		lineID, _ := id.Parse(line["id"].(string))
		results := make(chan error, 8)
		for i := range 8 {
			go func() {
				results <- c.d.Write(c.t.Context(), func(tx *db.Tx) error {
					if i%2 == 0 {
						return c.s.decideProposal(c.t.Context(), tx, &c.site, planID, lineID, id.ID(i+1), nil, "")
					}
					_, err := confirmAll(c, tx, planID)
					return err
				})
			}()
		}
		good := 0
		for range 8 {
			if err := <-results; err == nil {
				good++
			} else if !strings.Contains(err.Error(), "plan_line_decided") {
				c.t.Error(err)
			}
		}
		if good < 4 { // the bulk ones find nothing and are content
			c.t.Errorf("%d of 8", good)
		}
		var n int64
		c.read(func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM purchase_line WHERE proposal_id = $1`, lineID).Scan(&n)
		})
		if n != 1 {
			c.t.Errorf("ordered %d times", n)
		}
	})
}

func TestAKitchenMakesWhatStoresAskFor(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		boss := c.admin
		rule := m{"site_id": c.site.ID.String(), "product_id": c.p["wrap"].ID.String(), "source_id": c.kitchen.String(), "lead_h": 24}
		with := func(k string, v any) m {
			x := m{}
			for key, value := range rule {
				x[key] = value
			}
			x[k] = v
			return x
		}
		c.refused(c.manager, "not_found", "source_id", "PUT", "/api/plans/sources", rule) // he has no say in the kitchen
		c.refused(boss, "source_bad", "source_id", "PUT", "/api/plans/sources", with("source_id", c.other.String()))
		c.refused(boss, "source_bad", "source_id", "PUT", "/api/plans/sources", with("source_id", c.site.ID.String()))
		c.refused(boss, "plan_rule_product_unknown", "product_id", "PUT", "/api/plans/sources", with("product_id", "99"))
		c.refused(boss, "too_high", "lead_h", "PUT", "/api/plans/sources", with("lead_h", 1000))
		c.refused(boss, "source_unknown", "", "DELETE", fmt.Sprint("/api/plans/sources?site_id=", c.site.ID), nil)
		if got := c.done(boss, "PUT", "/api/plans/sources", rule)["items"].([]any); len(got) != 1 || got[0].(m)["source"] != "中央厨房" {
			c.t.Errorf("%v", got)
		}
		c.refused(boss, "source_bad", "source_id", "PUT", "/api/plans/sources", m{"site_id": c.kitchen.String(), "source_id": c.kitchen.String()})
		c.sold(c.site.ID, yesterday)
		c.lies(c.site.ID, "wrap", "W", 30*qty.Scale, 22*time.Hour) // for today; tomorrow's are asked for
		c.forecasts()
		if got := c.lines("production", "wrap"); len(got) != 0 {
			c.t.Errorf("the store makes wraps itself: %v", got)
		}
		if got := c.lines("requirements", "breast"); len(got) != 0 {
			c.t.Errorf("the store buys breast: %v", got)
		}
		wrap := c.line("proposals", "wrap")
		if wrap["kind"] != "requisition" || wrap["source_id"] != c.kitchen.String() || wrap["due"] != "2026-03-03" || wrap["late"] != false || wrap["supplier_id"] != "" {
			c.t.Errorf("%v", wrap)
		}
		// The kitchen's plan of tomorrow is what the store wants of it.
		kitchen := func() m {
			c.done(boss, "POST", "/api/plans/run", m{"site_id": c.kitchen.String(), "date": "2026-03-03"})
			c.drain()
			all := c.items(boss, c.planOf(c.kitchen, "2026-03-03")+"/production")
			if len(all) != 1 {
				c.t.Fatalf("%v", all)
			}
			return all[0]
		}
		if l := kitchen(); l["code"] != "wrap" || l["quantile"] != wrap["qty"] || q(l["make"]) < q(wrap["qty"]) || q(l["make"])%(6*qty.Scale) != 0 || q(l["make"])-q(wrap["qty"]) >= 6*qty.Scale {
			c.t.Errorf("%v for %v", l, wrap)
		}
		got := c.done(c.manager, "POST", c.act(wrap, "change"), m{"qty": "40", "reason": "活动"})["proposal"].(m)
		req := c.done(c.manager, "GET", fmt.Sprint("/api/requisitions/", got["document_id"]), nil)
		if req["no"] != "SR-"+c.site.Code+"-260302-1" || req["source_name"] != "中央厨房" || req["due"] != "2026-03-03" || len(req["lines"].([]any)) != 1 || req["lines"].([]any)[0].(m)["qty"] != "40" {
			c.t.Errorf("%v", req)
		}
		if l := kitchen(); l["quantile"] != "40" || l["make"] != "42" {
			c.t.Errorf("%v", l)
		}
		c.again()
		if now := c.lines("proposals", "wrap"); len(now) != 1 || now[0]["state"] != "changed" {
			c.t.Errorf("%v", now)
		}
		stranger := c.hire("manager", c.other)
		c.refused(stranger, "store_requisition_unknown", "", "GET", fmt.Sprint("/api/requisitions/", got["document_id"]), nil)
		if all := c.items(stranger, "/api/requisitions"); len(all) != 0 {
			c.t.Errorf("%v", all)
		}
		cook := c.hire("cashier", c.kitchen) // who is asked sees it
		if all := c.items(cook, fmt.Sprint("/api/requisitions?source_id=", c.kitchen)); len(all) != 1 {
			c.t.Errorf("%v", all)
		}
		c.done(boss, "DELETE", fmt.Sprint("/api/plans/sources?site_id=", c.site.ID, "&product_id=", c.p["wrap"].ID), nil)
		c.again()
		if got := c.lines("production", "wrap"); len(got) != 1 {
			c.t.Errorf("the store makes wraps itself again: %v", got)
		}
	})
}

func TestADamagedDecisionIsFound(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		rule := m{"site_id": c.site.ID.String(), "product_id": c.p["sauce"].ID.String(), "source_id": c.kitchen.String()}
		c.done(c.admin, "PUT", "/api/plans/sources", rule)
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "all"})
		c.green()
		for damage, want := range map[string]string{
			`UPDATE purchase_line SET qty = qty + 1000 WHERE line_no = 1`:            "supplyday_orders_are_confirmed_proposals",
			`UPDATE replenish_proposal SET document_id = 1 WHERE supplier_id > 0`:    "supplyday_orders_are_confirmed_proposals",
			`UPDATE replenish_proposal SET state = 'proposed' WHERE supplier_id > 0`: "supplyday_orders_are_confirmed_proposals",
			`DELETE FROM purchase_line WHERE line_no = 1`:                            "purchase_states_follow_what_came",
			`UPDATE purchase_line SET received = 1000 WHERE line_no = 1`:             "purchase_received_is_the_sum_of_receipts",
			`UPDATE purchase_order SET state = 'received'`:                           "purchase_states_follow_what_came",
			`UPDATE replenish_requisition_line SET qty = qty + 1`:                    "replenish_requisitions_are_their_proposals",
			`DELETE FROM replenish_requisition_line`:                                 "replenish_requisitions_are_their_proposals",
		} {
			err := c.d.Write(c.t.Context(), func(tx *db.Tx) error {
				if err := tx.Exec(damage); err != nil {
					return err
				}
				for _, p := range proofs() {
					if p.Name != want {
						continue
					}
					r, err := p.Run(tx)
					if err != nil {
						return err
					}
					if r.Bad == 0 {
						c.t.Errorf("%s is not seen by %s", damage, want)
					}
				}
				return errUndo
			})
			if err != errUndo {
				c.t.Fatal(err)
			}
		}
	})
}

func confirmAll(c *chain, tx *db.Tx, plan id.ID) (int, error) {
	h, open, err := replenish.Undecided(tx, plan, nil, true, mostLines)
	if err != nil {
		return 0, err
	}
	return len(open), c.s.order(tx, &c.site, h, 99, "", slices.Clone(open))
}
