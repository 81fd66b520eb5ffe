package supplyday

import (
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

// years gives a site two years of so many a day up to yesterday, others on some days.
func (c *chain) years(site id.ID, product string, daily int64, other map[cal.Date]int64) {
	c.t.Helper()
	today := c.site.BusinessDate(c.d.Clock.Now())
	load := id.New()
	var days []forecast.SaleDay
	for k := range 800 {
		n, date := daily, today.AddDays(-1-k)
		if x, ok := other[date]; ok {
			n = x
		}
		days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: site, ProductID: c.p[product].ID, Date: date}, Qty: qty.Qty(n * qty.Scale)})
	}
	c.write(func(tx *db.Tx) error {
		if err := forecast.OpenLoad(tx, load); err != nil {
			return err
		}
		for len(days) > 0 {
			part := days[:min(len(days), forecast.MaxSaleDays)]
			days = days[len(part):]
			if err := forecast.PutSales(tx, load, part); err != nil {
				return err
			}
		}
		return forecast.ApplyLoad(tx, load)
	})
}

// Qingming is on 4 April in 2024 and 2025 and on the 5th in 2026; today is the 2nd, three days before. Of wraps three times
// and a fifth as many were wanted on that day, of cola three times as many on the day before it.
func TestAFestivalStocksUpByWhatPastYearsSold(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.d.Clock.Set(time.Date(2026, 4, 1, 21, 40, 0, 0, time.UTC))
		c.write(func(tx *db.Tx) error {
			for _, code := range []string{"wrap", "cola"} {
				category, err := c.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "类" + code})
				if err != nil {
					return err
				}
				if err := tx.Exec(`UPDATE catalog_product SET category_id = $1 WHERE id = $2`, category.ID, c.p[code].ID); err != nil {
					return err
				}
			}
			return nil
		})
		c.years(c.site.ID, "wrap", 20, map[cal.Date]int64{"2024-04-01": 62, "2025-04-01": 66})
		c.years(c.site.ID, "cola", 30, map[cal.Date]int64{"2024-04-03": 90, "2025-04-03": 90})
		c.lies(c.site.ID, "cola", "C", 100*qty.Scale, 0)
		c.rule("cola", m{"mode": "static", "safety": "48", "most": "120", "on_automatic": "suggest"})
		c.forecasts()
		if got := c.lines("proposals", "cola"); len(got) != 0 {
			t.Fatalf("a hundred are enough on an ordinary day: %v", got)
		}
		e := c.event(m{"kind": "festival", "name": "清明", "from_date": "2026-04-04", "to_date": "2026-04-06"}, "wrap", "cola")
		c.again()
		var mean, effect qty.Qty
		c.read(func(tx *db.Tx) error {
			some, err := forecast.AheadSome(tx, c.site.ID, []id.ID{c.p["wrap"].ID})
			if err != nil {
				return err
			}
			a := some[c.p["wrap"].ID]
			x := a.On("2026-04-02")
			mean, effect = x.Mean, x.Holiday
			return nil
		})
		// Within the 48 hours 1.5 is set: (1.5 + 3.1 + 3.3) ÷ 3.
		wrap := c.line("production", "wrap")
		if q(wrap["mean"]) != replenish.Times(max(0, mean-effect), 2633) {
			t.Errorf("%v instead of 2.633 times %v less %v", wrap["mean"], mean, effect)
		}
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", wrap["id"]), nil)["production_why"].(m)["event"].(m)
		learned := why["learned"].(m)
		if why["factor"] != "2.633" || learned["factor"] != "2.633" || learned["set"] != "1.5" || learned["used"] != true || learned["of"] != "shop" || learned["festival"] != "qingming" || learned["offset"] != -3. || len(learned["years"].([]any)) != 2 {
			t.Errorf("%v", why)
		}
		if y := learned["years"].([]any)[1].(m); y["year"] != 2025. || y["ratio"] != "3.3" {
			t.Errorf("%v", y)
		}
		// Cola is frozen goods, three days on the way: the day before Qingming must be ordered for now. (1.5 + 3 + 3) ÷ 3.
		cola := c.line("proposals", "cola")
		if cola["level"] != "strategy" || cola["factor"] != "2.5" || cola["net"] != "200" {
			t.Errorf("%v", cola)
		}
		static := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", cola["id"]), nil)["proposal_why"].(m)
		if s := static["static"].(m); s["safety"] != "120" || s["most"] != "300" || static["event"].(m)["learned"].(m)["offset"] != -1. {
			t.Errorf("%v", static)
		}
		before := c.rows()
		c.again()
		if c.rows() != before {
			t.Error("planning again wrote again")
		}
		// The curve beside what is set, by category.
		path := fmt.Sprint("/api/plans/learned?event_id=", e, "&site_id=", c.site.ID)
		view := c.done(c.manager, "GET", path, nil)
		curves := view["curves"].([]any)
		if view["festival"] != "qingming" || view["festival_day"] != "2026-04-05" || view["by_hand"] != false || len(curves) != 2 {
			t.Fatalf("%v", view)
		}
		for _, x := range curves {
			curve := x.(m)
			days := curve["days"].([]any)
			if len(days) != 14 {
				t.Fatalf("%d days", len(days))
			}
			three, after := days[7].(m), days[13].(m)
			if curve["category"] == "类wrap" && (three["date"] != "2026-04-02" || three["set"] != "1.5" || three["learned"] != "2.633" || three["used"] != "2.633") {
				t.Errorf("%v", three)
			}
			if after["date"] != "2026-04-08" || after["used"] != "1" || after["set"] != "1" {
				t.Errorf("after its end: %v", after)
			}
			if far := days[0].(m); far["learned"] != "1" || far["used"] != "1" {
				t.Errorf("ten days before: %v", far)
			}
		}
		c.refused(c.hire("manager", c.other), "not_found", "", "GET", path, nil)
		c.refused(c.manager, "plan_event_unknown", "", "GET", fmt.Sprint("/api/plans/learned?event_id=77&site_id=", c.site.ID), nil)
		// Set by hand it counts as it is, and what is learned is shown.
		body := m{"site_id": c.site.ID.String(), "kind": "festival", "name": "清明", "from_date": "2026-04-04", "to_date": "2026-04-06", "factor": "2", "products": []string{c.p["wrap"].ID.String()}}
		c.done(c.manager, "PUT", "/api/plans/events/"+e, body)
		c.again()
		wrap = c.line("production", "wrap")
		if q(wrap["mean"]) != replenish.Times(max(0, mean-effect), 2000) {
			t.Errorf("by hand: %v", wrap["mean"])
		}
		why = c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", wrap["id"]), nil)["production_why"].(m)["event"].(m)
		if learned := why["learned"].(m); why["factor"] != "2" || learned["used"] != false || learned["factor"] != "2.8" { // (2 + 3.1 + 3.3) ÷ 3
			t.Errorf("%v", why)
		}
		// As none of the year's festivals: the rule of 48 hours alone, and nothing learned.
		delete(body, "factor")
		body["festival"] = "none"
		c.done(c.manager, "PUT", "/api/plans/events/"+e, body)
		c.again()
		if wrap = c.line("production", "wrap"); q(wrap["mean"]) != replenish.Times(max(0, mean-effect), 1500) {
			t.Errorf("without its festival: %v", wrap["mean"])
		}
		body["festival"] = "easter"
		c.refused(c.manager, "plan_event_festival", "festival", "PUT", "/api/plans/events/"+e, body)
	})
}

// A new shop learns from its category in the others, and from everything where nobody knows the category.
func TestANewShopLearnsFromTheGroup(t *testing.T) {
	day, o := cal.Date("2026-06-19"), occasion{cal.DragonBoat, 2026}
	curve := func(at2 int64) forecast.FestivalCurve {
		d, l := make([]int64, 14), make([]int64, 14)
		for k := range l {
			d[k], l[k] = 1000, 1000
		}
		d[8], l[10] = at2, 0 // two days before; shut on the day
		return forecast.FestivalCurve{Demand: d, Level: l}
	}
	year := func(site id.ID, y int64, of map[id.ID]forecast.FestivalCurve) forecast.FestivalYear {
		return forecast.FestivalYear{Site: site, Festival: cal.DragonBoat, Year: y, Of: of}
	}
	own := festive{o: {year(5, 2025, map[id.ID]forecast.FestivalCurve{0: curve(9000), 1: curve(3100)})}}
	all := festive{o: {year(0, 2024, map[id.ID]forecast.FestivalCurve{0: curve(1200), 2: curve(4000)}), year(0, 2025, map[id.ID]forecast.FestivalCurve{0: curve(1400), 1: curve(7000), 2: curve(5000)})}}
	e := &replenish.Event{Kind: replenish.Festival, From: "2026-06-18", To: "2026-06-19", ToMin: 1439, Factor: 1500}
	for _, c := range []struct {
		category id.ID
		offset   int
		set      int64
		of       replenish.LearnedOf
		want     int64
		years    int
	}{
		{1, -2, 1500, replenish.OfShop, 2300, 1},
		{2, -2, 1500, replenish.OfGroup, 3500, 2},
		{3, -2, 1500, replenish.OfAll, 1367, 2},
		{0, -2, 1500, replenish.OfAll, 1367, 2}, // without a category: not the shop's everything
		{1, -3, 1000, replenish.OfShop, 1000, 1},
		{1, 0, 1500, "", 0, 0}, // shut in every year: the set factor
		{1, -11, 1000, "", 0, 0}, {1, 4, 1000, "", 0, 0},
	} {
		l := learnedOf(e, o, day, day.AddDays(c.offset), c.set, c.category, own, all)
		if c.years == 0 {
			if l != nil {
				t.Errorf("%+v: %+v", c, l)
			}
			continue
		}
		if l == nil || l.Of != c.of || int64(l.Factor) != c.want || len(l.Years) != c.years || !l.Used {
			t.Errorf("%+v: %+v", c, l)
		}
	}
}
