package supplyday

import (
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/replenish"
)

func (c *chain) whatIf(query string) m {
	c.t.Helper()
	return c.done(c.manager, "GET", fmt.Sprint("/api/plans/whatif?site_id=", c.site.ID, query), nil)
}

// priced gives the goods of the shelf a price of ten yuan.
func (c *chain) priced(products ...string) {
	c.t.Helper()
	for _, p := range products {
		c.write(func(tx *db.Tx) error {
			fen := money.Fen(1000)
			_, err := c.prices.Set(tx, 0, price.Draft{ProductID: c.p[p].ID, Unit: "piece", Price: &fen})
			return err
		})
	}
}

// unsteady gives the store sixty days of a product on which no two weeks are alike.
func (c *chain) unsteady(product string) {
	c.t.Helper()
	today, load := c.site.BusinessDate(c.d.Clock.Now()), id.New()
	c.write(func(tx *db.Tx) error {
		if err := forecast.OpenLoad(tx, load); err != nil {
			return err
		}
		var days []forecast.SaleDay
		for k := range 60 {
			days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: c.site.ID, ProductID: c.p[product].ID, Date: today.AddDays(-1 - k)}, Qty: qty.Qty(20+k*k*13%41) * qty.Scale})
		}
		if err := forecast.PutSales(tx, load, days); err != nil {
			return err
		}
		return forecast.ApplyLoad(tx, load)
	})
}

// planned is what the plan in force makes or orders of each product of a kind.
func (c *chain) planned(list, field string) map[string]qty.Qty {
	sum := map[string]qty.Qty{}
	for _, l := range c.lines(list, "") {
		sum[l["code"].(string)] += q(l[field])
	}
	return sum
}

func TestAtTheLevelThatIsSetAWhatIfIsThePlanItself(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.priced("wrap", "burger", "cola")
		c.forecasts()
		before := c.rows()
		got := c.whatIf("")
		if c.rows() != before {
			t.Error("a what-if writes nothing")
		}
		made, bought := c.planned("production", "proposed"), c.planned("proposals", "proposed")
		lines := map[string]m{}
		for _, l := range got["lines"].([]any) {
			lines[l.(m)["code"].(string)] = l.(m)
		}
		for _, code := range []string{"wrap", "burger"} {
			if now := lines[code]["now"].(m); q(now["qty"]) != made[code] || made[code] == 0 || now["level_bp"] != 7000.0 || lines[code]["kind"] != "make" {
				t.Errorf("%s: %v, planned %v", code, lines[code], made[code])
			}
		}
		if now := lines["cola"]["now"].(m); q(now["qty"]) != bought["cola"] || now["level_bp"] != 9500.0 || lines["cola"]["kind"] != "buy" {
			t.Errorf("cola %v, planned %v", lines["cola"], bought["cola"])
		}
		var amount float64
		for _, l := range c.lines("proposals", "") {
			amount += l["amount_fen"].(float64)
		}
		if got["now"].(m)["order_fen"] != amount || amount == 0 {
			t.Errorf("orders for %v, the plan says %v", got["now"].(m)["order_fen"], amount)
		}
		if got["least_bp"] != 7000.0 || got["most_bp"] != 9500.0 {
			t.Errorf("%v to %v", got["least_bp"], got["most_bp"])
		}
		// The same level for all, product by product: the curve at .7 has what is set for wraps.
		same := c.whatIf("&level_bp=7000&product_id=" + c.p["wrap"].ID.String())
		line := same["lines"].([]any)[0].(m)
		if fmt.Sprint(line["now"]) != fmt.Sprint(line["then"]) || len(same["lines"].([]any)) != 1 {
			t.Errorf("%v", same["lines"])
		}
	})
}

func TestMoreServiceIsNotLessOrderedNotLessWasteAndNotMoreStockOut(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, map[string]int64{"wrap": 37, "burger": 23, "cola": 30, "lettuce": 900})
		c.unsteady("burger")
		c.unsteady("wrap")
		c.priced("wrap", "burger", "cola")
		c.lies(c.site.ID, "wrap", "W", 5*qty.Scale, 20*time.Hour)
		c.forecasts()
		for _, date := range []string{"", "&date=2026-03-03"} {
			last := map[string]m{}
			var total m
			for level := replenish.LeastService; level <= replenish.MostService; level += 250 {
				got := c.whatIf(fmt.Sprintf("&level_bp=%d%s", level, date))
				for _, l := range got["lines"].([]any) {
					code, then := l.(m)["code"].(string), l.(m)["then"].(m)
					if was := last[code]; was != nil && (q(then["qty"]) < q(was["qty"]) || q(then["waste"]) < q(was["waste"]) || q(then["lost"]) > q(was["lost"]) || then["out_ppm"].(float64) > was["out_ppm"].(float64)) {
						t.Errorf("%s at %d: %v after %v", code, level, then, was)
					}
					last[code] = then
				}
				if sum := got["then"].(m); total != nil {
					for _, k := range []string{"goods_fen", "waste_fen"} {
						if sum[k].(float64) < total[k].(float64) {
							t.Errorf("%s at %d: %v after %v", k, level, sum, total)
						}
					}
					for _, k := range []string{"lost_fen", "out_ppm"} {
						if sum[k].(float64) > total[k].(float64) {
							t.Errorf("%s at %d: %v after %v", k, level, sum, total)
						}
					}
				}
				total = got["then"].(m)
			}
			if total["waste_fen"].(float64) == 0 || len(last) < 4 {
				t.Errorf("%v %v", total, last)
			}
		}
	})
}

func TestAServiceLevelIsSetWithAReasonAndThePlanFollows(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.unsteady("burger")
		var food *catalog.Category
		c.write(func(tx *db.Tx) (err error) {
			if food, err = c.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "鲜食"}); err == nil {
				_, err = c.goods.Change(tx, c.p["burger"].ID, catalog.Change{Draft: catalog.Draft{Code: "burger", Name: "名burger", CategoryID: food.ID, BaseUnit: "piece", ShelfLifeH: 6, TaxPct: 1300}, Revision: c.p["burger"].Revision})
			}
			return err
		})
		c.forecasts()
		would := c.whatIf("&level_bp=9500&category_id=" + food.ID.String())
		lines := would["lines"].([]any)
		if len(lines) != 1 || lines[0].(m)["code"] != "burger" {
			t.Fatalf("only the category: %v", lines)
		}
		before := c.planned("production", "proposed")
		body := m{"site_id": c.site.ID.String(), "category_id": food.ID.String(), "level_bp": 9500, "reason": "  "}
		c.refused(c.manager, "plan_reason_missing", "reason", "PUT", "/api/plans/service", body)
		body["reason"] = "夏天早上总是卖空"
		for field, bad := range map[string]m{"level_bp": {"level_bp": 4999}, "category_id": {"product_id": c.p["wrap"].ID.String()}} {
			x := m{}
			for k, v := range body {
				x[k] = v
			}
			for k, v := range bad {
				x[k] = v
			}
			code := map[string]string{"level_bp": "plan_service_range", "category_id": "plan_service_what"}[field]
			c.refused(c.manager, code, field, "PUT", "/api/plans/service", x)
		}
		c.refused(c.manager, "plan_rule_chain", "site_id", "PUT", "/api/plans/service", m{"level_bp": 9000, "reason": "x"})
		c.refused(c.manager, "not_found", "site_id", "PUT", "/api/plans/service", m{"site_id": c.other.String(), "level_bp": 9000, "reason": "x"})
		c.refused(c.hire("cashier", c.site.ID), "no_permission", "", "PUT", "/api/plans/service", body)
		c.refused(c.manager, "plan_service_unknown", "", "PUT", "/api/plans/service", m{"site_id": c.site.ID.String(), "level_bp": 0, "reason": "x"})
		c.refused(c.manager, "category_unknown", "category_id", "PUT", "/api/plans/service", m{"site_id": c.site.ID.String(), "category_id": "77", "level_bp": 9000, "reason": "x"})
		set := c.done(c.manager, "PUT", "/api/plans/service", body)["items"].([]any)
		if len(set) != 1 || set[0].(m)["level_bp"] != 9500.0 || set[0].(m)["reason"] != "夏天早上总是卖空" || set[0].(m)["category"] != "鲜食" {
			t.Errorf("%v", set)
		}
		c.drain()
		after := c.planned("production", "proposed")
		if want := q(lines[0].(m)["then"].(m)["qty"]); after["burger"] != want || want <= before["burger"] || after["wrap"] != before["wrap"] {
			t.Errorf("burgers %v, promised %v, before %v", after, want, before)
		}
		if now := c.whatIf("&category_id=" + food.ID.String()); now["least_bp"] != 9500.0 || q(now["lines"].([]any)[0].(m)["now"].(m)["qty"]) != after["burger"] {
			t.Errorf("%v", now)
		}
		// A product's own level wins over its category; all of a site over nothing.
		c.done(c.manager, "PUT", "/api/plans/service", m{"site_id": c.site.ID.String(), "product_id": c.p["burger"].ID.String(), "level_bp": 5000, "reason": "试两周"})
		c.done(c.admin, "PUT", "/api/plans/service", m{"level_bp": 9000, "reason": "全公司"})
		if now := c.whatIf(""); now["least_bp"] != 5000.0 || now["most_bp"] != 9000.0 {
			t.Errorf("%v %v", now["least_bp"], now["most_bp"])
		}
		// Taken away again, its life speaks; the trail knows all of it.
		c.done(c.manager, "PUT", "/api/plans/service", m{"site_id": c.site.ID.String(), "product_id": c.p["burger"].ID.String(), "level_bp": 0, "reason": "试完了"})
		if now := c.whatIf("&category_id=" + food.ID.String()); now["least_bp"] != 9500.0 {
			t.Errorf("%v", now)
		}
		trail := c.done(c.admin, "GET", "/api/org/audit?subject_kind=service_level", nil)["items"].([]any)
		if len(trail) != 4 || trail[0].(m)["after"].(m)["reason"] != "试完了" || trail[0].(m)["before"].(m)["level_bp"] != 5000.0 {
			t.Errorf("%v", trail)
		}
	})
}

func TestAWhatIfWithoutAForecastOrOfAStrangersStoreSaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		if got := c.whatIf(""); len(got["lines"].([]any)) != 0 || len(got["curve"].([]any)) != 0 {
			t.Errorf("%v", got)
		}
		c.refused(c.manager, "not_found", "", "GET", fmt.Sprint("/api/plans/whatif?site_id=", c.other), nil)
		c.refused(c.manager, "plan_service_range", "level_bp", "GET", fmt.Sprint("/api/plans/whatif?level_bp=100&site_id=", c.site.ID), nil)
		c.refused(c.manager, "plan_service_range", "level_bp", "GET", fmt.Sprint("/api/plans/whatif?level_bp=0&site_id=", c.site.ID), nil)
		c.refused(c.manager, "category_unknown", "category_id", "GET", fmt.Sprint("/api/plans/whatif?category_id=77&site_id=", c.site.ID), nil)
		c.refused(c.manager, "plan_rule_product_unknown", "product_id", "GET", fmt.Sprint("/api/plans/whatif?product_id=77&site_id=", c.site.ID), nil)
		c.refused(c.manager, "plan_date_range", "date", "GET", fmt.Sprint("/api/plans/whatif?date=2026-02-01&site_id=", c.site.ID), nil)
		c.refused(c.manager, "date_invalid", "date", "GET", fmt.Sprint("/api/plans/whatif?date=soon&site_id=", c.site.ID), nil)
	})
}
