package day

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

type m = map[string]any

// counter is a shop of its own in a town, with bread and milk.
type counter struct {
	*town.Town
	site, bread, milk string
	batches           map[string]string
}

func openCounter(w *town.Town) *counter {
	c := &counter{Town: w, batches: map[string]string{}}
	entity := w.Done(w.Admin, "POST", "/api/org/entities", m{"code": "BK", "name": "Bakery"}).ID()
	c.site = w.Done(w.Admin, "POST", "/api/org/sites", m{"code": "BK1", "name": "Corner", "kind": "store", "entity_id": entity}).ID()
	w.Done(w.Admin, "POST", "/api/till/registers", m{"site_id": c.site, "code": "1"})
	product := func(code, name string, price int) string {
		id := w.Done(w.Admin, "POST", "/api/goods/products", m{"code": code, "name": name, "base_unit": "piece", "tax_pct": 13}).ID()
		w.Done(w.Admin, "POST", "/api/prices", m{"product_id": id, "unit": "piece", "price_fen": price})
		return id
	}
	c.bread, c.milk = product("BR", "面包", 500), product("MI", "牛奶", 800)
	return c
}

// at moves the business clock to a time of the first day, in Shanghai.
func (c *counter) at(hour, minute int) {
	c.D.Clock.Set(dbtest.Start.Add(time.Duration(hour-8)*time.Hour + time.Duration(minute)*time.Minute))
}

func (c *counter) arrive(product, code string, n, cost int, lasts time.Duration) {
	c.T.Helper()
	l := m{"product_id": product, "qty": fmt.Sprint(n), "cost_fen": cost, "code": code}
	if lasts > 0 {
		l["expires_at"] = c.D.Clock.Now().Add(lasts).Format(time.RFC3339)
	}
	a := c.Done(c.Admin, "POST", "/api/stock/receipts", m{"site_id": c.site, "lines": []m{l}})
	c.batches[code] = a.Body["lines"].([]any)[0].(m)["batch_id"].(string)
}

func (c *counter) sell(product string, n, price int) string {
	c.T.Helper()
	return c.Done(c.Admin, "POST", "/api/till/sales", m{"site_id": c.site, "register": "1", "expect_total_fen": n * price,
		"lines": []m{{"product_id": product, "unit": "piece", "qty": fmt.Sprint(n)}}, "tenders": []m{{"kind": "cash", "amount_fen": n * price}}}).ID()
}

func (c *counter) board(more string) m {
	c.T.Helper()
	return c.Done(c.Admin, "GET", "/api/report/board?site_id="+c.site+more, nil).Body
}

// roll adds days up as the job does, and takes what was booked before this moment as settled.
func (c *counter) roll() {
	c.T.Helper()
	if err := c.House.Figures().Roll(c.T.Context(), c.D.DB, clock.Wall.Now().Add(time.Minute), nil); err != nil {
		c.T.Fatal(err)
	}
}

func (c *counter) forget() {
	c.T.Helper()
	err := c.D.Write(c.T.Context(), func(tx *db.Tx) error {
		for _, q := range []string{`DELETE FROM report_day`, `DELETE FROM report_product`, `DELETE FROM report_half`} {
			if err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.T.Fatal(err)
	}
}

// says compares figures of the answer with what a person reckoned.
func says(t *testing.T, what string, got m, want m) {
	t.Helper()
	for k, v := range want {
		if f, ok := v.(float64); ok {
			if g, ok := got[k].(float64); !ok || math.Abs(g-f) > 1e-9 {
				t.Errorf("%s: %s is %v, reckoned by hand %v", what, k, got[k], f)
			}
		} else if fmt.Sprint(got[k]) != fmt.Sprint(v) {
			t.Errorf("%s: %s is %v, reckoned by hand %v", what, k, got[k], v)
		}
	}
}

// without drops when things were read, which is all that may differ between two ways of adding up.
func without(b m) string {
	for _, k := range []string{"as_of", "rolled_at"} {
		delete(b, k)
	}
	text, _ := json.Marshal(b)
	return string(text)
}

// A morning that can be reckoned by hand: ten breads are gone by nine, the next come at twenty past ten.
func (c *counter) morning() {
	c.at(8, 0)
	c.arrive(c.bread, "B1", 10, 3000, 14*time.Hour)
	c.arrive(c.milk, "M1", 5, 1000, 0)
	c.Done(c.Admin, "POST", "/api/attendance/in", m{"site_id": c.site})
	c.at(8, 10)
	c.sell(c.bread, 4, 500)
	c.at(9, 0)
	c.sell(c.bread, 6, 500)
	c.at(10, 20)
	c.arrive(c.bread, "B2", 10, 3000, 13*time.Hour)
	c.at(11, 0)
	c.Done(c.Admin, "POST", "/api/stock/write-offs", m{"site_id": c.site, "reason": "damaged", "lines": []m{{"batch_id": c.batches["B2"], "qty": "2"}}})
	c.at(12, 0)
	milk := c.sell(c.milk, 1, 800)
	c.at(12, 5)
	c.Done(c.Admin, "POST", "/api/till/sales/"+milk+"/refunds", m{"reason": "wrong", "lines": []m{{"line_no": 1, "qty": "1", "back": "stock"}}})
	c.at(12, 10)
}

// Half hours from 8:00 with the one under way: 9 for bread and for milk. Bread was gone from 9:00 to 10:20, which is
// most of three of them. 2 of 10 breads for 30.00 are thrown away; 30.00 + 10.00 + 30.00 came in. One person was
// there from 8:00.
var morning = m{
	"slots_on_sale": 18, "slots_out": 3, "slots_early": 18, "slots_early_out": 3, "out_rate": 3.0 / 18, "out_rate_early": 3.0 / 18,
	"wasted_fen": 600, "making_loss_fen": 0, "count_loss_fen": 0, "received_fen": 7000, "made_fen": 0, "loss_rate": 600.0 / 7000,
	"sales_fen": 5800, "refunds_fen": 800, "net_fen": 5000, "slips": 3, "pieces": "11", "ticket_fen": 5800.0 / 3,
	"worked_min": 250, "present": 1, "per_hour_fen": 1200.0, "out_now": 0, "on_sale_now": 2,
}

func TestAMorningReckonedByHandIsTheBoards(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := openCounter(town.Open(t, d))
		if b := c.board(""); b["total"].(m)["slots_on_sale"] != 0.0 || b["total"].(m)["out_rate"] != nil || len(b["alarms"].([]any)) != 0 {
			t.Errorf("a shop in which nothing happened yet: %v", b["total"])
		}
		c.morning()
		says(t, "added up on the spot", c.board("")["total"].(m), morning)
		fresh := without(c.board(""))
		c.roll()
		says(t, "rolled up", c.board("")["total"].(m), morning)
		if again := without(c.board("")); again != fresh {
			t.Errorf("the roll-up tells otherwise than the sum:\n%s\n%s", again, fresh)
		}

		// What comes after the roll-up is there at once, in the figures and by product.
		c.at(12, 20)
		c.sell(c.milk, 5, 800)
		b := c.board("")
		says(t, "after the roll-up", b["total"].(m), m{"sales_fen": 9800, "slips": 4, "slots_out": 4, "slots_on_sale": 18, "out_now": 1, "pieces": "16"})
		if a := b["alarms"].([]any); len(a) != 1 || a[0].(m)["kind"] != "sold_out" || a[0].(m)["product"] != "牛奶" || a[0].(m)["fen"].(float64) <= 0 || a[0].(m)["more"] != 0.0 || a[0].(m)["site_name"] != "Corner" {
			t.Errorf("alarms: %v", a)
		}
		half := map[string]m{}
		for _, h := range b["halves"].([]any) {
			half[h.(m)["at"].(string)] = h.(m)
		}
		for at, net := range map[string]float64{"08:00": 2000, "08:30": 0, "09:00": 3000, "12:00": 4000} {
			if half[at]["net_fen"] != net {
				t.Errorf("sales at %s: %v, reckoned %v", at, half[at], net)
			}
		}
		live := without(b)
		c.forget()
		if direct := without(c.board("")); direct != live {
			t.Errorf("live tells otherwise than the sum:\n%s\n%s", live, direct)
		}

		goods := c.Done(c.Admin, "GET", "/api/report/products?order=loss&site_id="+c.site, nil).Body["items"].([]any)
		says(t, "bread", goods[0].(m), m{"code": "BR", "slots_on_sale": 9, "slots_out": 3, "sold": "10", "net_fen": 5000, "received": "20", "received_fen": 6000, "wasted": "2", "wasted_fen": 600, "left": "8"})
		says(t, "milk", goods[1].(m), m{"code": "MI", "slots_on_sale": 9, "slots_out": 1, "sold": "5", "sales_fen": 4800, "refunds_fen": 800, "net_fen": 4000, "left": "0", "out_now": 1})

		// It opens down to the half hours and the documents.
		one := c.Done(c.Admin, "GET", "/api/report/products/"+c.bread+"?site_id="+c.site, nil).Body
		out := ""
		for _, s := range one["slots"].([]any) {
			if s.(m)["out"].(bool) {
				out += s.(m)["at"].(string) + " "
			}
		}
		if out != "09:00 09:30 10:00 " {
			t.Errorf("bread was out at %s", out)
		}
		sum := 0.0
		for _, e := range one["entries"].([]any) {
			var q float64
			fmt.Sscan(e.(m)["qty"].(string), &q)
			sum += q
		}
		if sum != 8 || len(one["entries"].([]any)) != 5 {
			t.Errorf("documents of bread come to %v in %d entries, 8 are left", sum, len(one["entries"].([]any)))
		}
		c.Green()
	}, town.Whole)
}

// What was out before anything could be marked down is told by the rule of the category: where markdowns begin
// thirteen hours before the end, bread of eight o'clock that ends at 22:00 may be marked down from nine on, and the bread
// that comes at twenty past ten from then on: early are two half hours of the first, and the one in which the second came.
func TestBeforeClearanceIsByTheRuleInForce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := openCounter(town.Open(t, d))
		c.Done(c.Admin, "PUT", "/api/clear/rules", m{"category_id": "", "first_min": 13 * 60, "free_min": 120, "depths": []int{15, 20}, "floor_pct": 0, "floor_binds_free": false, "screen_pct": 65, "hold_out_pct": 0})
		c.morning()
		early := m{"slots_on_sale": 18, "slots_out": 3, "slots_early": 12, "slots_early_out": 1, "out_rate_early": 1.0 / 12}
		says(t, "on the spot", c.board("")["total"].(m), early)
		c.roll()
		says(t, "rolled up", c.board("")["total"].(m), early)
	}, town.Whole)
}

func TestADayThatIsOverStaysAsItWas(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := openCounter(town.Open(t, d))
		c.morning()
		c.roll()
		voided := c.sell(c.bread, 1, 500)
		c.roll()
		c.Done(c.Admin, "POST", "/api/till/sales/"+voided+"/void", m{"reason": "mistake"})
		if err := c.House.Relay().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		says(t, "after a void of what was rolled up", c.board("")["total"].(m), morning)

		c.at(24+9, 0) // the next morning: bread went out of date at 22:00 and 23:20, milk was there all day
		day := m{"slots_on_sale": 56, "slots_out": 3, "net_fen": 5000, "wasted_fen": 600, "cut": 0, "out_now": 0}
		says(t, "yesterday, added up on the spot", c.board("&date=2026-03-02")["total"].(m), day)
		direct := without(c.board("&date=2026-03-02"))
		for range 2 {
			c.roll()
			if got := without(c.board("&date=2026-03-02")); got != direct {
				t.Errorf("yesterday rolled up:\n%s\n%s", got, direct)
			}
		}
		// A person forgot to clock out; the business day ended at four for him.
		if err := c.House.Jobs().Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.House.Jobs().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		says(t, "yesterday", c.board("&date=2026-03-02")["total"].(m), m{"worked_min": 20 * 60, "cut": 1, "present": 0})

		// Nobody has done anything today: the shop counts as closed. The batches that expired are told of.
		b := c.board("")
		says(t, "a day on which nothing happened", b["total"].(m), m{"slots_on_sale": 0, "slots_out": 0, "net_fen": 0})
		if a := b["alarms"].([]any); len(a) != 1 || a[0].(m)["kind"] != "expired" || a[0].(m)["n"] != 1.0 || a[0].(m)["fen"].(float64) <= 0 {
			t.Errorf("alarms: %v", a)
		}
		if tr := b["trend"].([]any); len(tr) != 2 || tr[0].(m)["date"] != "2026-03-02" || tr[0].(m)["slots_out"] != 3.0 {
			t.Errorf("trend: %v", tr)
		}
		for _, bad := range []string{"&date=2026-03-04", "&date=2026-02-30", "&date=2025-03-02", "&date=x"} {
			if a := c.Send(c.Admin, "GET", "/api/report/board?site_id="+c.site+bad, nil); a.Status != 422 && a.Status != 400 {
				t.Errorf("%s: %v", bad, a)
			}
		}
		c.Green()
	}, town.Whole)
}
