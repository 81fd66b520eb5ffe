package supplyday

import (
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Cola sold 898 pieces on the last 28 days, 34 of them yesterday, when it ran out: 864 of 27 days, 32 a day. It is frozen, three
// days on the way, in boxes of 24 and at least two of them; an order lasts seven days more.
func TestASpecialityShopOrdersByDailyMeanSales(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		ran := int64(17 * 60)
		c.write(func(tx *db.Tx) error {
			load := id.New()
			if err := forecast.OpenLoad(tx, load); err != nil {
				return err
			}
			if err := forecast.PutSales(tx, load, []forecast.SaleDay{{SaleKey: forecast.SaleKey{SiteID: c.site.ID, ProductID: c.p["cola"].ID, Date: "2026-03-01"}, Qty: 34 * qty.Scale, SoldOut: &ran}}); err != nil {
				return err
			}
			return forecast.ApplyLoad(tx, load)
		})
		c.lies(c.site.ID, "cola", "C", 100*qty.Scale, 0)
		c.rule("cola", m{"mode": "dms", "safety": "48", "most": "300"})
		c.forecasts()
		line := c.line("proposals", "cola")
		if line["mode"] != "dms" || line["level"] != "automatic" || line["execution"] != "suggest" || line["state"] != "proposed" || line["net"] != "200" || line["qty"] != "192" || line["packs"] != 8. || line["due"] != "2026-03-05" {
			t.Errorf("%v", line)
		}
		opened := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", line["id"]), nil)["proposal_why"].(m)
		why := opened["dms"].(m)
		for k, want := range (m{"days": 27., "out_days": 1., "peak_days": 0., "sold": "864", "mean": "32", "lead_days": 3., "review_days": 7., "factor": "1", "expected": "320", "safety": "48", "available": "100", "in_transit": "0",
			"want": "268", "ceiling": "300", "room": "200", "suggested": "200", "pack": "24", "min_packs": 2., "packs": 8., "qty": "192", "less": "ceiling"}) {
			if why[k] != want {
				t.Errorf("%s is %v, by hand %v", k, why[k], want)
			}
		}
		before := c.rows()
		c.again()
		if c.rows() != before || len(c.lines("proposals", "cola")) != 1 {
			t.Error("planning again wrote again")
		}
		// A season stocks up by its factor, what is ordered counts, and what the ceiling has no room for is shown with its steps.
		c.event(m{"kind": "season", "name": "夏天", "from_date": "2026-03-02", "to_date": "2026-06-01", "factor": "1.5"}, "cola")
		c.rule("cola", m{"mode": "dms", "safety": "48"})
		c.again()
		line = c.line("proposals", "cola")
		if line["level"] != "strategy" || line["factor"] != "1.5" || line["net"] != "428" || line["qty"] != "432" {
			t.Errorf("%v", line)
		}
		opened = c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", line["id"]), nil)["proposal_why"].(m)
		if why = opened["dms"].(m); why["expected"] != "480" || why["ceiling"] != nil || why["less"] != nil || opened["event"].(m)["without"] != "320" {
			t.Errorf("%v", opened)
		}
		c.done(c.manager, "POST", fmt.Sprint(c.plan(), "/lines/", line["id"], "/confirm"), nil)
		c.rule("cola", m{"mode": "dms", "safety": "48", "most": "540", "review_days": 10})
		c.again()
		if got := c.lines("proposals", "cola"); len(got) != 1 || got[0]["state"] != "confirmed" {
			t.Errorf("there is room for 8: %v", got)
		}
		need := c.line("requirements", "cola")
		why = c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", need["id"]), nil)["requirement_why"].(m)["dms"].(m)
		// 32 × 13 × 1.5 + 48 − 100 − 432
		if why["expected"] != "624" || why["want"] != "140" || why["room"] != "8" || why["suggested"] != "8" || why["packs"] != 0. || why["less"] != "pack" || need["lacking"] != false {
			t.Errorf("%v %v", need, why)
		}
		c.refused(c.manager, "plan_policy_review", "review_days", "PUT", "/api/plans/rules", m{"site_id": c.site.ID.String(), "product_id": c.p["cola"].ID.String(), "mode": "dms", "review_days": 61})
		c.refused(c.manager, "plan_policy_review", "review_days", "PUT", "/api/plans/rules", m{"site_id": c.site.ID.String(), "product_id": c.p["cola"].ID.String(), "mode": "dms", "review_days": -1})
	})
}

// What a shop sold on its last selling days: days on which it was shut are none, days before a product was first sold are not its.
func TestTheLastSellingDaysAreTheShops(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		day := func(product string, date cal.Date, n int64) forecast.SaleDay {
			return forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: c.site.ID, ProductID: c.p[product].ID, Date: date}, Qty: qty.Qty(n * qty.Scale)}
		}
		c.write(func(tx *db.Tx) error {
			load := id.New()
			if err := forecast.OpenLoad(tx, load); err != nil {
				return err
			}
			if err := forecast.PutSales(tx, load, []forecast.SaleDay{day("cola", "2026-02-20", 1), day("cola", "2026-02-22", 2), day("cola", "2026-02-27", 3), day("cola", "2026-03-01", 4), day("wrap", "2026-02-27", 5), day("wrap", "2026-03-02", 9)}); err != nil {
				return err
			}
			return forecast.ApplyLoad(tx, load)
		})
		var cola, wrap string
		c.read(func(tx *db.Tx) error {
			found, err := forecast.LastDays(tx, c.site.ID, []id.ID{c.p["cola"].ID, c.p["wrap"].ID, c.p["burger"].ID}, "2026-03-02", 3)
			cola, wrap = fmt.Sprint(found[c.p["cola"].ID]), fmt.Sprint(found[c.p["wrap"].ID])
			if len(found[c.p["burger"].ID]) != 0 {
				t.Error("it was never sold")
			}
			return err
		})
		if cola != "[{2026-02-22 2 false} {2026-02-27 3 false} {2026-03-01 4 false}]" || wrap != "[{2026-02-27 5 false} {2026-03-01 0 false}]" {
			t.Errorf("%s %s", cola, wrap)
		}
	})
}

// An order by mean that asks nobody is made once.
func TestAnOrderByMeanThatAsksNobodyIsMadeOnce(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.rule("cola", m{"mode": "dms", "safety": "0", "on_automatic": "act"})
		c.forecasts()
		line := c.line("proposals", "cola")
		if line["state"] != "confirmed" || line["document_id"] == "" || line["mode"] != "dms" {
			t.Errorf("%v", line)
		}
		c.again()
		c.d.Clock.Set(c.d.Clock.Now().Add(time.Hour))
		c.again()
		if got := c.lines("proposals", "cola"); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}
