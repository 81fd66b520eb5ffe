package day

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// wraps is a chain of a central kitchen and two stores. The kitchen cooks chicken and bakes buns; A rolls wraps of cooked chicken and
// cuts ducks in halves; B sells buns.
type wraps struct {
	*town.Town
	sites, goods map[string]string
}

func openWraps(w *town.Town) *wraps {
	c := &wraps{Town: w, sites: map[string]string{}, goods: map[string]string{}}
	entity := w.Done(w.Admin, "POST", "/api/org/entities", m{"code": "WR", "name": "Wraps"}).ID()
	for code, kind := range map[string]string{"K": "kitchen", "A": "store", "B": "store"} {
		c.sites[code] = w.Done(w.Admin, "POST", "/api/org/sites", m{"code": "WR" + code, "name": "Site " + code, "kind": kind, "entity_id": entity}).ID()
		if kind == "store" {
			w.Done(w.Admin, "POST", "/api/till/registers", m{"site_id": c.sites[code], "code": "1"})
		}
	}
	for _, p := range [][2]string{{"chicken", "g"}, {"cooked", "g"}, {"sheet", "piece"}, {"wrap", "piece"}, {"flour", "g"}, {"bun", "piece"}, {"duck", "piece"}, {"half", "piece"}, {"spice", "g"}, {"stew", "piece"}, {"cola", "piece"}} {
		c.goods[p[0]] = w.Done(w.Admin, "POST", "/api/goods/products", m{"code": p[0], "name": p[0], "base_unit": p[1], "tax_pct": 13, "shelf_life_h": 720}).ID()
	}
	for _, code := range []string{"wrap", "bun", "half", "cola"} {
		w.Done(w.Admin, "POST", "/api/prices", m{"product_id": c.goods[code], "unit": "piece", "price_fen": 1000})
	}
	c.recipe("cooked", "2026-01-01", "1000", m{"product_id": c.goods["chicken"], "qty": "1250", "loss": "0"})
	c.recipe("bun", "2026-01-01", "1", m{"product_id": c.goods["flour"], "qty": "100", "loss": "0"})
	sheet := m{"product_id": c.goods["sheet"], "qty": "1", "loss": "0"}
	c.recipe("wrap", "2026-01-01", "1", m{"product_id": c.goods["cooked"], "qty": "50", "loss": "0.03"}, sheet)
	c.recipe("wrap", "2026-03-04", "1", m{"product_id": c.goods["cooked"], "qty": "40", "loss": "0.03"}, sheet)
	c.recipe("stew", "2026-01-01", "1", m{"product_id": c.goods["spice"], "qty": "5", "loss": "0"})
	return c
}

func (c *wraps) recipe(product, from, yield string, components ...m) {
	c.T.Helper()
	c.Done(c.Admin, "PUT", "/api/goods/products/"+c.goods[product]+"/recipes", m{"valid_from": from, "yield_qty": yield, "components": components})
}

// on moves the clock to eight in the morning of a day of March.
func (c *wraps) on(day int) { c.D.Clock.Set(dbtest.Start.AddDate(0, 0, day-2)) }

func (c *wraps) buy(site, product string, n, cost int) (batch string) {
	c.T.Helper()
	a := c.Done(c.Admin, "POST", "/api/stock/receipts", m{"site_id": c.sites[site], "lines": []m{{"product_id": c.goods[product], "qty": fmt.Sprint(n), "cost_fen": cost}}})
	return a.Body["lines"].([]any)[0].(m)["batch_id"].(string)
}

func (c *wraps) makes(site, product string, n int) {
	c.T.Helper()
	r := c.Done(c.Admin, "POST", "/api/making/requisitions", m{"site_id": c.sites[site], "product_id": c.goods[product], "qty": fmt.Sprint(n)}).ID()
	task := c.Done(c.Admin, "POST", "/api/making/requisitions/"+r+"/complete", m{}).ID()
	c.Done(c.Admin, "POST", "/api/making/tasks/"+task+"/output", m{"qty": fmt.Sprint(n)})
}

func (c *wraps) sends(from, to, product string, n int) {
	c.T.Helper()
	t := c.Done(c.Admin, "POST", "/api/stock/transfers", m{"from_site_id": c.sites[from], "to_site_id": c.sites[to], "lines": []m{{"product_id": c.goods[product], "qty": fmt.Sprint(n)}}}).ID()
	c.Done(c.Admin, "POST", "/api/stock/transfers/"+t+"/ship", m{})
	c.Done(c.Admin, "POST", "/api/stock/transfers/"+t+"/receive", m{"as_shipped": true})
}

func (c *wraps) sells(site, product string, n int) string {
	c.T.Helper()
	return c.Done(c.Admin, "POST", "/api/till/sales", m{"site_id": c.sites[site], "register": "1", "expect_total_fen": n * 1000,
		"lines": []m{{"product_id": c.goods[product], "unit": "piece", "qty": fmt.Sprint(n)}}, "tenders": []m{{"kind": "cash", "amount_fen": n * 1000}}}).ID()
}

func (c *wraps) back(sale, where string) {
	c.T.Helper()
	c.Done(c.Admin, "POST", "/api/till/sales/"+sale+"/refunds", m{"reason": "wrong", "lines": []m{{"line_no": 1, "qty": "1", "back": where}}})
}

// week is 2 to 8 March.
func (c *wraps) week() {
	c.T.Helper()
	c.on(2)
	chicken := c.buy("K", "chicken", 2200, 4400)
	c.Done(c.Admin, "POST", "/api/stock/supplier-returns", m{"site_id": c.sites["K"], "lines": []m{{"batch_id": chicken, "qty": "200"}}})
	c.buy("K", "flour", 2000, 1000)
	c.makes("K", "cooked", 1500)
	c.makes("K", "bun", 20)
	c.sends("K", "A", "cooked", 1500)
	c.sends("K", "B", "bun", 20)
	c.buy("A", "sheet", 30, 300)
	c.buy("A", "duck", 4, 12_000)
	c.buy("A", "cola", 24, 4800)
	c.makes("A", "wrap", 20)
	sale := c.sells("A", "wrap", 12)
	c.back(sale, "stock")
	c.back(sale, "discard")
	c.sells("A", "cola", 3)
	c.Done(c.Admin, "POST", "/api/conversions", m{"site_id": c.sites["A"], "shape": "convert", "basis": "share", "lines": []m{{"product_id": c.goods["duck"], "qty": "4"}},
		"outputs": []m{{"product_id": c.goods["half"], "qty": "8"}}})
	c.on(3)
	c.sells("A", "half", 6)
	c.sells("B", "bun", 15)
	c.on(4) // from today on a wrap takes 40 g
	c.makes("A", "wrap", 10)
	c.sells("A", "wrap", 12) // nine of the first making, three of this one
	c.on(6)
	c.buy("A", "spice", 100, 100)
	c.on(9)
}

func (c *wraps) aligned(cookie, more string) m {
	c.T.Helper()
	return c.Done(cookie, "GET", "/api/report/materials?limit=200"+more, nil).Body
}

// byCode are the rows of a list by code.
func byCode(list any) map[string]m {
	found := map[string]m{}
	for _, one := range list.([]any) {
		found[one.(m)["code"].(string)] = one.(m)
	}
	return found
}

const ofTheWeek = "&from=2026-03-02&to=2026-03-08"

func (c *wraps) roll() {
	c.T.Helper()
	for range 3 { // some days in one run
		if err := c.House.Figures().Roll(c.T.Context(), c.D.DB, clock.Wall.Now().Add(time.Minute), nil); err != nil {
			c.T.Fatal(err)
		}
	}
}

// Sold are ten wraps of the first day (twelve, one back on the tray, one back and thrown away) and nine more of them on the fourth: 19 × 50 g × 1.03 = 978.5 g
// of cooked chicken; three of the new recipe: 3 × 40 g × 1.03 = 123.6 g. Chicken is 1.25 times as much: 1,377.625 g of the 2,200 g less 200 g that were
// bought, at 2 fen. Six halves are three ducks of four. Cola is no material; of spice nothing was sold.
func TestMaterialBoughtBesideMaterialInGoodsSold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := openWraps(town.Open(t, d))
		c.on(9)
		says(t, "before anything was sold", c.aligned(c.Admin, ofTheWeek), m{"rate": nil, "sold_fen": 0.0, "bought_fen": 0.0, "materials": 0.0})
		c.week()
		whole := m{"level": "chain", "rate": 1 - 4675.0/12725, "sold_fen": 12725.0, "bought_fen": 17400.0, "off_fen": 4675.0, "over_fen": 4675.0, "short_fen": 0.0, "materials": 5.0, "unpriced": 0.0, "days_left": 0.0}
		spot := c.aligned(c.Admin, ofTheWeek)
		says(t, "the chain, on the spot", spot, whole)
		rows := byCode(spot["items"])
		says(t, "chicken", rows["chicken"], m{"bought": "2000", "sold": "1377.625", "off": "622.375", "price_fen": 2000.0, "bought_fen": 4000.0, "sold_fen": 2755.0, "off_fen": 1245.0, "rate": 1 - 622375.0/1377625})
		says(t, "flour", rows["flour"], m{"bought": "2000", "sold": "1500", "off_fen": 250.0})
		says(t, "sheets", rows["sheet"], m{"bought": "30", "sold": "22", "price_fen": 10.0, "off_fen": 80.0})
		says(t, "ducks", rows["duck"], m{"bought": "4", "sold": "3", "sold_fen": 9000.0, "off_fen": 3000.0})
		says(t, "spice", rows["spice"], m{"bought": "100", "sold": "0", "rate": nil, "off_fen": 100.0})
		fresh := without(spot)
		c.roll()
		rolled := c.aligned(c.Admin, ofTheWeek)
		if got := without(rolled); got != fresh {
			t.Errorf("rolled up:\n%s\non the spot:\n%s", got, fresh)
		}
		c.roll()
		if got := without(c.aligned(c.Admin, ofTheWeek)); got != fresh {
			t.Errorf("rolled up again:\n%s", got)
		}

		// At a site the material is what came into it, and what it sent to others counts like what it sold.
		at := func(site string) m { return c.aligned(c.Admin, ofTheWeek+"&site_id="+c.sites[site]) }
		a := at("A")
		says(t, "A", a, m{"level": "site", "sold_fen": 2755.0 + 220 + 9000, "off_fen": 995.0 + 80 + 3000 + 100})
		says(t, "cooked chicken at A", byCode(a["items"])["cooked"], m{"bought": "1500", "sold": "1102.1", "off": "397.9", "price_fen": 2500.0})
		says(t, "B", at("B"), m{"sold_fen": 750.0, "off_fen": 250.0, "rate": 1 - 250.0/750, "materials": 1.0})
		says(t, "the kitchen", at("K"), m{"sold_fen": 4750.0, "off_fen": 250.0, "rate": 1 - 250.0/4750, "materials": 2.0})

		// Bought and nothing sold: no figure. Of weeks each has its own.
		says(t, "the day of the spice", c.aligned(c.Admin, "&from=2026-03-06&to=2026-03-06"), m{"rate": nil, "off_fen": 100.0, "sold_fen": 0.0})
		weeks := c.aligned(c.Admin, "&from=2026-02-23&to=2026-03-08")["weeks"].([]any)
		if len(weeks) != 2 {
			t.Fatalf("weeks: %v", weeks)
		}
		says(t, "the week before", weeks[0].(m), m{"from": "2026-02-23", "to": "2026-03-01", "rate": nil, "sold_fen": 0.0})
		says(t, "the week", weeks[1].(m), m{"from": "2026-03-02", "to": "2026-03-08", "sold_fen": 12725.0, "off_fen": 4675.0})
		says(t, "four weeks until yesterday", c.aligned(c.Admin, ""), m{"from": "2026-02-09", "to": "2026-03-08", "off_fen": 4675.0})

		// A material opens by site, and there by product and document.
		one := c.Done(c.Admin, "GET", "/api/report/materials/"+c.goods["chicken"]+"?"+ofTheWeek[1:], nil).Body
		says(t, "chicken, opened", one, m{"level": "chain", "bought": "2000", "sold": "1377.625", "off_fen": 1245.0})
		sites := byCode(one["sites"])
		says(t, "chicken at the kitchen", sites["WRK"], m{"bought": "2000", "sold": "0"})
		says(t, "chicken at A", sites["WRA"], m{"bought": "0", "sold": "1377.625"})
		one = c.Done(c.Admin, "GET", "/api/report/materials/"+c.goods["chicken"]+"?level=chain&site_id="+c.sites["A"]+ofTheWeek, nil).Body
		says(t, "wraps sold at A", byCode(one["products"])["wrap"], m{"qty": "22", "in": "1377.625", "sent": false})
		one = c.Done(c.Admin, "GET", "/api/report/materials/"+c.goods["cooked"]+"?site_id="+c.sites["A"]+ofTheWeek, nil).Body
		says(t, "wraps sold at A, in cooked chicken", byCode(one["products"])["wrap"], m{"qty": "22", "in": "1102.1"})
		says(t, "what came", one["came"].([]any)[0].(m), m{"document": "transfer_in", "qty": "1500", "cost_fen": 3750.0, "date": "2026-03-02"})
		one = c.Done(c.Admin, "GET", "/api/report/materials/"+c.goods["chicken"]+"?site_id="+c.sites["K"]+ofTheWeek, nil).Body
		says(t, "sent to A", byCode(one["products"])["cooked"], m{"qty": "1500", "in": "1875", "sent": true})
		if came := one["came"].([]any); len(came) != 2 || came[0].(m)["qty"] != "-200" || came[0].(m)["document"] != "supplier_return" || came[0].(m)["cost_fen"] != -400.0 {
			t.Errorf("chicken came by %v", came)
		}
		c.Green()

		// A figure that somebody changed by hand is red.
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Exec(`UPDATE report_material SET sold = sold + 1000 WHERE business_date = '2026-03-04'`)
		}); err != nil {
			t.Fatal(err)
		}
		if got := without(c.aligned(c.Admin, ofTheWeek)); got == fresh {
			t.Error("the damage does not show")
		}
		if a := strings.Join(c.Red(), " "); a != "report_materials_add_up" {
			t.Errorf("red: %q", a)
		}
	}, town.Whole)
}

func TestAlignmentIsRefusedBeyondOnesReach(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := openWraps(town.Open(t, d))
		c.week()
		role := c.Done(c.Admin, "POST", "/api/org/roles", m{"name": "reader", "permissions": []string{"report.read"}}).ID()
		c.Person("reader", "reader", c.sites["B"], role, "site", c.sites["B"])
		reader := c.SignIn("reader", "long-enough-7")
		says(t, "all that B's reader sees", c.aligned(reader, ofTheWeek), m{"level": "site", "sold_fen": 750.0, "materials": 1.0})
		for _, x := range []struct{ path, code, field string }{
			{"?site_id=" + c.sites["A"], "not_found", "site_id"},
			{"/" + c.goods["chicken"] + "?site_id=" + c.sites["A"], "not_found", "site_id"},
			{"/" + c.goods["chicken"] + "?level=chain", "report_chain_reach", "level"},
			{"/" + c.goods["flour"] + "?level=chain&site_id=" + c.sites["B"], "report_chain_reach", "level"},
			{"?from=2026-03-08&to=2026-03-02", "report_period_bad", "to"},
			{"?to=2026-03-10", "report_period_bad", "to"},
			{"?from=2025-12-01&to=2026-03-08", "report_period_long", "from"},
			{"/1?site_id=" + c.sites["B"], "report_product_unknown", ""},
		} {
			if a := c.Send(reader, "GET", "/api/report/materials"+x.path, nil); a.Status < 400 || a.Code != x.code || !strings.Contains(a.Text, x.field) {
				t.Errorf("%s: %v, want %s at %q", x.path, a, x.code, x.field)
			}
		}
		for _, day := range []string{"2026-02-30", "x", "0000-00-00"} {
			if a := c.Send(reader, "GET", "/api/report/materials?from="+day, nil); a.Status != 422 && a.Status != 400 {
				t.Errorf("from %s: %v", day, a)
			}
		}
		if one := c.Done(reader, "GET", "/api/report/materials/"+c.goods["flour"]+"?"+ofTheWeek[1:], nil).Body; len(one["sites"].([]any)) != 0 || one["bought"] != "0" {
			t.Errorf("flour is the kitchen's: %v", one)
		}
	}, town.Whole)
}
