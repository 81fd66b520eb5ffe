package supplyday

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// choice lets thigh stand in for the breast of the wrap, 11 g for 10, as far as most, in millionths.
func (c *chain) choice(most int64) {
	c.t.Helper()
	c.write(func(tx *db.Tx) (err error) {
		if c.p["thigh"] == nil {
			if c.p["thigh"], err = c.goods.Create(tx, catalog.Draft{Code: "thigh", Name: "名thigh", BaseUnit: "g", ShelfLifeH: 96, TaxPct: 1300, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}}); err != nil {
				return err
			}
		}
		r := c.recipe("wrap", 1, "breast 50 30000", "sheet 1 30000", "lettuce 30 30000")
		r.Options = []catalog.Option{{Of: c.p["breast"].ID, Product: c.p["breast"].ID, Num: 1, Den: 1, Share: 1_000_000, Most: 1_000_000}, {Of: c.p["breast"].ID, Product: c.p["thigh"].ID, Num: 11, Den: 10, Most: most}}
		return c.goods.PutRecipes(tx, 0, []catalog.Recipe{r})
	})
}

// mixes are those of the store: "proposed", "in_force", "past", or all.
func (c *chain) mixes(state string) []m {
	c.t.Helper()
	return c.items(c.manager, fmt.Sprintf("/api/plans/mixes?site_id=%s&state=%s", c.site.ID, state))
}

// all of the store's mixes as they are stored.
func (c *chain) stored() (all string) {
	c.t.Helper()
	c.read(func(tx *db.Tx) error {
		all = ""
		rows := tx.Query(`SELECT id, state, first, last, shares, why, version, made_at FROM replenish_mix ORDER BY id`)
		defer rows.Close()
		for rows.Next() {
			var mix, version, at int64
			var state, first, last, shares, why string
			if err := rows.Scan(&mix, &state, &first, &last, &shares, &why, &version, &at); err != nil {
				return err
			}
			all += fmt.Sprintln(mix, state, first, last, shares, why, version, at)
		}
		return rows.Err()
	})
	return all
}

func mixPath(x m, act string) string { return fmt.Sprintf("/api/plans/mixes/%s/%s", x["id"], act) }

func TestStockThatWouldBeLostIsProposedApprovedAndPlannedWith(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.sold(c.other, yesterday)
		c.choice(1_000_000)
		c.lies(c.site.ID, "breast", "b1", 50_000*qty.Scale, 90*time.Hour)
		c.lies(c.site.ID, "thigh", "t1", 300*qty.Scale, 40*time.Hour) // two days
		c.done(c.manager, "PUT", "/api/plans/mixes/rule", m{"site_id": c.site.ID.String(), "least_fen": 0})
		c.forecasts()
		open := c.mixes("proposed")
		if len(open) != 0 {
			t.Errorf("breast for 50 000 g would be lost first: %v", open)
		}
		c.write(func(tx *db.Tx) error { // the breast is to last now
			return tx.Exec(`UPDATE stock_batch SET expires_at = expires_at + 2592000000 WHERE code = 'b1'`)
		})
		c.again()
		if open = c.mixes("proposed"); len(open) != 1 {
			t.Fatalf("%v", open)
		}
		p := open[0]
		why := p["why"].(m)["lines"].([]any)[0].(m)["options"].([]any)
		thigh := why[1].(m)
		if p["cause"] != "expiry" || p["first"] != "2026-03-02" || p["version"] != 1. || thigh["spare"] != "300" || len(thigh["stock"].([]any)) != 1 || thigh["stock"].([]any)[0].(m)["days"] != 2. || thigh["price_from"] != "stock" {
			t.Errorf("%v", p)
		}
		// Planning again with the same facts writes nothing.
		before := c.stored()
		c.again()
		if after := c.stored(); after != before {
			t.Errorf("again:\n%s\nwas\n%s", after, before)
		}
		_, was := c.uses(c.site.ID, "breast")
		good := m{"version": 1}
		cashier, foreign := c.hire("cashier", c.site.ID), c.hire("manager", c.other)
		c.refused(cashier, "no_permission", "", "POST", mixPath(p, "approve"), good)
		c.refused(foreign, "plan_mix_unknown", "", "POST", mixPath(p, "approve"), good)
		c.refused(foreign, "plan_mix_unknown", "", "POST", mixPath(p, "refuse"), m{"version": 1, "reason": "no"})
		c.refused(c.manager, "plan_mix_unknown", "", "POST", "/api/plans/mixes/99/approve", good)
		c.refused(c.manager, "plan_mix_changed", "version", "POST", mixPath(p, "approve"), m{"version": 2})
		c.refused(c.manager, "plan_reason_missing", "reason", "POST", mixPath(p, "refuse"), m{"version": 1, "reason": " "})
		c.refused(c.manager, "plan_mix_ended", "", "POST", mixPath(p, "end"), m{"reason": "too early"})
		shares := func(breast, thigh string) []m {
			return []m{{"product_id": c.p["breast"].ID.String(), "share": breast}, {"product_id": c.p["thigh"].ID.String(), "share": thigh}}
		}
		c.refused(c.manager, "plan_reason_missing", "reason", "POST", mixPath(p, "approve"), m{"version": 1, "shares": shares("0.9", "0.1")})
		c.refused(c.manager, "recipe_share_sum", "shares."+c.p["breast"].ID.String(), "POST", mixPath(p, "approve"), m{"version": 1, "shares": shares("0.9", "0.2"), "reason": "r"})
		c.refused(c.manager, "recipe_share_bad", "shares."+c.p["thigh"].ID.String(), "POST", mixPath(p, "approve"), m{"version": 1, "shares": shares("0.9", "-0.1"), "reason": "r"})
		c.refused(c.manager, "recipe_mix_part", "shares", "POST", mixPath(p, "approve"), m{"version": 1, "shares": shares("0.9", "0.1")[:1], "reason": "r"})
		c.refused(c.manager, "plan_mix_days", "last", "POST", mixPath(p, "approve"), m{"version": 1, "last": "2026-03-01", "reason": "r"})
		c.refused(c.manager, "plan_mix_days", "last", "POST", mixPath(p, "approve"), m{"version": 1, "last": "2026-03-30", "reason": "r"})
		c.refused(c.manager, "plan_mix_days", "last", "POST", mixPath(p, "approve"), m{"version": 1, "last": "soon", "reason": "r"})
		if after := c.stored(); after != before {
			t.Errorf("a refusal changed\n%s\nto\n%s", before, after)
		}
		done := c.done(c.manager, "POST", mixPath(p, "approve"), m{"version": 1, "shares": shares("75%", "0.25"), "reason": "half of it was frozen"})
		if done["state"] != "in_force" || done["reason"] != "half of it was frozen" || done["decided_by"] == "" {
			t.Errorf("%v", done)
		}
		c.refused(c.manager, "plan_mix_decided", "", "POST", mixPath(p, "refuse"), m{"version": 1, "reason": "no"})
		c.drain()
		// The plan takes three quarters of the breast, and the thigh that stands in for the rest: 11 for 10.
		_, now := c.uses(c.site.ID, "breast")
		_, instead := c.uses(c.site.ID, "thigh")
		if q(now["gross"])*4 != q(was["gross"])*3 || now["share"] != "0.75" || instead["share"] != "0.25" || instead["instead"] != "名breast" || q(instead["gross"])*10*4 != q(was["gross"])*11 {
			t.Errorf("was %v\nis %v\nand %v", was, now, instead)
		}
		if _, u := c.uses(c.other, "breast"); u["share"] != "1" && u["share"] != nil {
			t.Errorf("another store: %v", u)
		}
		if open := c.mixes("proposed"); len(open) != 0 {
			t.Errorf("decided is decided: %v", open)
		}
		ended := c.done(c.manager, "POST", mixPath(p, "end"), m{"reason": "it smells"})
		if ended["state"] != "ended" || ended["ended_why"] != "by_hand" || ended["ended_reason"] != "it smells" {
			t.Errorf("%v", ended)
		}
		c.drain()
		if _, u := c.uses(c.site.ID, "breast"); u["gross"] != was["gross"] {
			t.Errorf("ended: %v, was %v", u, was)
		}
		if past := c.mixes("past"); len(past) != 1 || past[0]["id"] != p["id"] {
			t.Errorf("%v", past)
		}
		// It is proposed again, refused, and not again that day.
		again := c.mixes("proposed")
		if len(again) != 1 {
			t.Fatalf("%v", again)
		}
		c.done(c.manager, "POST", mixPath(again[0], "refuse"), m{"version": again[0]["version"], "reason": "nobody likes it"})
		c.again()
		if open := c.mixes("proposed"); len(open) != 0 {
			t.Errorf("refused: %v", open)
		}
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE replenish_mix SET state = 'approved', ended_why = '', shares = '{}'`)
		})
		if red := c.red(); len(red) == 0 {
			t.Error("no shares at all, and two on one day, and the proofs stay green")
		}
		c.write(func(tx *db.Tx) error { return tx.Exec(`DELETE FROM replenish_mix`) })
	})
}

func TestACheaperSubstituteIsProposedFromWhenItCanBeThereAndOnlyWhenItPays(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.choice(800_000)
		c.sells("fresh", "thigh", "kg", 1*qty.Scale, 10_000_000, 1, party.Fresh) // 10 yuan a kilogram, breast 15
		c.forecasts()
		open := c.mixes("proposed")
		if len(open) != 1 || open[0]["cause"] != "cost" || open[0]["first"] != "2026-03-03" || open[0]["last"] != "2026-03-09" {
			t.Fatalf("%v", open)
		}
		why := open[0]["why"].(m)
		if why["before_fen"].(float64)-why["after_fen"].(float64) != open[0]["saving_fen"] || open[0]["saving_fen"].(float64) < 200 {
			t.Errorf("%v", why)
		}
		planner := c.hire("planner", c.site.ID)
		c.refused(planner, "no_permission", "", "PUT", "/api/plans/mixes/rule", m{"site_id": c.site.ID.String(), "least_fen": 1})
		c.refused(c.manager, "plan_rule_chain", "site_id", "PUT", "/api/plans/mixes/rule", m{"least_fen": 1})
		c.done(c.manager, "PUT", "/api/plans/mixes/rule", m{"site_id": c.site.ID.String(), "least_fen": open[0]["saving_fen"].(float64) + 1})
		c.again()
		if open := c.mixes("proposed"); len(open) != 0 {
			t.Errorf("not worth it: %v", open)
		}
		c.done(c.admin, "PUT", "/api/plans/mixes/rule", m{"least_fen": 0})
		if r := c.done(c.manager, "GET", "/api/plans/mixes/rule?site_id="+c.site.ID.String(), nil); r["own"] != true {
			t.Errorf("the store's own stays: %v", r)
		}
		c.done(c.manager, "PUT", "/api/plans/mixes/rule", m{"site_id": c.site.ID.String(), "least_fen": 200})
		c.again()
		open = c.mixes("proposed")
		if len(open) != 1 {
			t.Fatalf("%v", open)
		}
		// Eight at once: one decides.
		var wait sync.WaitGroup
		codes := make(chan string, 8)
		for i := range 8 {
			wait.Go(func() {
				r := c.sendAs(fmt.Sprint("eight-", i), c.manager, "POST", mixPath(open[0], "approve"), m{"version": open[0]["version"]})
				if r.status == 200 {
					r.code = ""
				}
				codes <- fmt.Sprint(r.status, r.code)
			})
		}
		wait.Wait()
		close(codes)
		count := map[string]int{}
		for code := range codes {
			count[code]++
		}
		if count["200"] != 1 || count["409plan_mix_decided"] != 7 {
			t.Errorf("%v", count)
		}
		c.drain()
		if _, u := c.uses(c.site.ID, "breast"); u["share"] != nil && u["share"] != "1" {
			t.Errorf("today is as it was: %v", u)
		}
		// On its days it is ordered: four fifths of the breast's line.
		if got := c.mixes("in_force"); len(got) != 1 || got[0]["state"] != "coming" {
			t.Errorf("%v", got)
		}
		if o := c.lines("proposals", "thigh"); len(o) != 1 || o[0]["due"] != "2026-03-03" {
			t.Errorf("%v", o)
		}
	})
}

func TestWhatCantBeHadIsReplaced(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.choice(1_000_000)
		c.lies(c.site.ID, "thigh", "t1", 100_000*qty.Scale, 2400*time.Hour)
		c.forecasts()
		open := c.mixes("proposed")
		if len(open) != 1 || open[0]["cause"] != "availability" || open[0]["first"] != "2026-03-02" || open[0]["last"] != "2026-03-02" {
			t.Fatalf("breast can be there tomorrow: %v", open)
		}
		if s := open[0]["shares"].([]any); s[0].(m)["share"] != "0" || s[1].(m)["share"] != "1" {
			t.Errorf("%v", s)
		}
		// It comes after all: nothing is proposed any more.
		c.lies(c.site.ID, "breast", "b1", 100_000*qty.Scale, 90*24*time.Hour)
		c.again()
		if open := c.mixes("proposed"); len(open) != 0 && open[0]["cause"] == "availability" {
			t.Errorf("%v", open)
		}
	})
}

func TestAMixEndsByItselfWhenItsReasonIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.choice(1_000_000)
		c.sells("fresh", "thigh", "kg", 1*qty.Scale, 10_000_000, 1, party.Fresh)
		c.forecasts()
		open := c.mixes("proposed")
		if len(open) != 1 {
			t.Fatalf("%v", open)
		}
		c.done(c.manager, "POST", mixPath(open[0], "approve"), m{"version": open[0]["version"]})
		c.drain()
		c.sells("fresh", "thigh", "kg", 1*qty.Scale, 90_000_000, 1, party.Fresh) // nine times as dear
		c.lies(c.site.ID, "breast", "b1", 100_000*qty.Scale, 90*24*time.Hour)
		c.d.Clock.Add(48 * time.Hour)
		c.forecasts()
		if past := c.mixes("past"); len(past) != 1 || past[0]["ended_why"] != "reason_gone" || past[0]["ended_by"] != "" {
			t.Errorf("%v", c.mixes(""))
		}
	})
}

// What a site without such recipes is asked more than before: nothing.
func TestASiteWithoutAChoiceAsksNothingMore(t *testing.T) {
	x := &situation{all: &shared{}}
	x.mixing.begin(x)
	x.mixing.see(x, &replenish.Plan{}, "2026-03-02")
	if err := (&Service{}).proposeMixes(t.Context(), nil, x); err != nil || x.mixing.days != 0 {
		t.Error("it asks a database that is not there", err)
	}
}
