package attack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/app"
	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

// attacker stands at two sites of one group, with goods of every kind, and sends what no screen would send.
type attacker struct {
	*town.Town
	t          *testing.T
	here, away string
	supplier   string
	goods      map[string]string
}

func openAttack(t *testing.T, d *dbtest.DB) *attacker {
	t.Helper()
	a := &attacker{Town: town.Open(t, d), t: t, goods: map[string]string{}}
	entity := a.Done(a.Admin, "POST", "/api/org/entities", m{"code": "ATT", "name": "Attacked"}).ID()
	site := func(code string) string {
		return a.Done(a.Admin, "POST", "/api/org/sites", m{"code": code, "name": code, "kind": "store", "address": "x", "entity_id": entity}).ID()
	}
	a.here, a.away = site("AT1"), site("AT2")
	a.Done(a.Admin, "POST", "/api/till/registers", m{"site_id": a.here, "code": "1", "name": "R"})
	a.supplier = a.Done(a.Admin, "POST", "/api/suppliers", m{"code": "SUP", "name": "Supplier"}).ID()
	for code, units := range map[string][]m{"CAN": {{"name": "罐", "num": 1}, {"name": "箱", "num": 24}}, "TRAY": nil, "FILM": nil} {
		body := m{"code": code, "name": code, "base_unit": "piece", "tax_pct": 13}
		if units != nil {
			body["units"] = units
		}
		a.goods[code] = a.Done(a.Admin, "POST", "/api/goods/products", body).ID()
		a.Done(a.Admin, "POST", "/api/prices", m{"site_id": a.here, "product_id": a.goods[code], "unit": "piece", "price_fen": 500})
		a.Done(a.Admin, "PUT", "/api/suppliers/"+a.supplier+"/terms/"+a.goods[code], m{"pack_qty": "1", "price_fen4": 3_000_000, "lead_class": "ambient"})
	}
	a.goods["FLOUR"] = a.Done(a.Admin, "POST", "/api/goods/products", m{"code": "FLOUR", "name": "FLOUR", "base_unit": "g", "tax_pct": 13}).ID()
	return a
}

// arrive brings goods in and returns the receipt and its batch.
func (a *attacker) arrive(site, code string, n, fen int) (receipt, batch string) {
	a.t.Helper()
	r := a.Done(a.Admin, "POST", "/api/stock/receipts", m{"site_id": site, "lines": []m{{"product_id": a.goods[code], "qty": fmt.Sprint(n), "cost_fen": fen}}})
	return r.ID(), r.Body["lines"].([]any)[0].(m)["batch_id"].(string)
}

func (a *attacker) left(batch string) string {
	a.t.Helper()
	return a.Done(a.Admin, "GET", "/api/stock/batches/"+batch, nil).Body["qty"].(string)
}

// sale sells so many of a product, of a batch when one is named.
func (a *attacker) sale(code, batch string, n int) town.Reply {
	a.t.Helper()
	line := m{"product_id": a.goods[code], "unit": "piece", "qty": fmt.Sprint(n)}
	if batch != "" {
		line["batch_id"] = batch
	}
	return a.Send(a.Admin, "POST", "/api/till/sales", m{"site_id": a.here, "register": "1", "expect_total_fen": 500 * n, "tenders": []m{{"kind": "cash", "amount_fen": 500 * n}}, "lines": []m{line}})
}

// keyed is a request with a key that the caller chose.
func (a *attacker) keyed(key, method, path string, body any) town.Reply {
	a.t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(body); err != nil {
		a.t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, &b)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	r.Header.Set("Cookie", "zhanggui="+a.Admin)
	rec := httptest.NewRecorder()
	a.House.API().ServeHTTP(rec, r)
	got := town.Reply{Status: rec.Code, Text: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &got.Body)
	got.Code, _ = got.Body["code"].(string)
	return got
}

// refused sends what must be refused with one of the codes, and sees that nothing has changed.
func (a *attacker) refused(what, cookie, method, path string, body any, codes ...string) {
	a.t.Helper()
	before := a.Town.Rows()
	got := a.Send(cookie, method, path, body)
	a.unchanged(what, before)
	if got.Status < 400 || got.Status >= 500 {
		a.t.Errorf("%s: %v", what, got)
		return
	}
	for _, c := range codes {
		if got.Code == c {
			return
		}
	}
	a.t.Errorf("%s: refused as %q, want one of %v: %v", what, got.Code, codes, got)
}

func (a *attacker) unchanged(what string, before map[string]string) {
	a.t.Helper()
	for _, table := range town.Changed(before, a.Town.Rows()) {
		if table != "org_session" {
			a.t.Errorf("%s changed %s", what, table)
		}
	}
}

// Every write of stock is sent again under its key: the answer is the first one and nothing moves. The key with another
// body is refused. What can happen to a document once only can't happen again under another key.
func TestEveryWriteOfStockHappensOnceUnderItsKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		receipt, batch := a.arrive(a.here, "CAN", 200, 60_000)
		order := a.Done(a.Admin, "POST", "/api/purchase/orders", m{"site_id": a.here, "supplier_id": a.supplier, "due": string(cal.On(d.Clock.Now()).AddDays(1)), "lines": []m{{"product_id": a.goods["TRAY"], "packs": 50}}}).ID()
		a.Done(a.Admin, "POST", "/api/purchase/orders/"+order+"/confirm", nil)
		n := 0
		// twice sends a write twice under one key, then with another body; once also under another key, when that must be refused.
		twice := func(method, path string, body, other m, once ...string) town.Reply {
			t.Helper()
			n++
			key, what := fmt.Sprint("attack-", n), method+" "+path
			first := a.keyed(key, method, path, body)
			if first.Status != 200 {
				t.Fatalf("%s: %v", what, first)
			}
			before := a.Town.Rows()
			if again := a.keyed(key, method, path, body); again.Status != 200 || again.Text != first.Text {
				t.Errorf("%s again under its key: %v, first %v", what, again, first)
			}
			if other != nil { // a route without a body has no other
				if reused := a.keyed(key, method, path, other); reused.Status != 422 || reused.Code != "key_reused" {
					t.Errorf("%s with another body under its key: %v", what, reused)
				}
			}
			if len(once) > 0 {
				if got := a.keyed(key+"-other", method, path, body); got.Status < 400 || got.Status >= 500 || !strings.Contains(" "+strings.Join(once, " ")+" ", " "+got.Code+" ") {
					t.Errorf("%s under another key: %v, want %v", what, got, once)
				}
			}
			a.unchanged(what, before)
			return first
		}
		at := func(body m) m { body["site_id"] = a.here; return body }
		of := func(q string) []m { return []m{{"batch_id": batch, "qty": q}} }
		twice("POST", "/api/stock/receipts", at(m{"lines": []m{{"product_id": a.goods["TRAY"], "qty": "30", "cost_fen": 3_000}}}), at(m{"lines": []m{{"product_id": a.goods["TRAY"], "qty": "31", "cost_fen": 3_000}}}))
		twice("POST", "/api/purchase/orders/"+order+"/receipts", m{"lines": []m{{"line": 1, "qty": "50"}}}, m{"lines": []m{{"line": 1, "qty": "49"}}}, "purchase_over_receipt", "purchase_state")
		twice("POST", "/api/stock/write-offs", at(m{"reason": "damaged", "lines": of("1")}), at(m{"reason": "damaged", "lines": of("2")}))
		twice("POST", "/api/stock/adjustments", at(m{"reason": "count", "lines": of("-1")}), at(m{"reason": "count", "lines": of("-2")}))
		twice("POST", "/api/stock/states", at(m{"reason": "quality", "lines": []m{{"batch_id": batch, "from": "available", "to": "frozen", "qty": "5"}}}), at(m{"reason": "quality", "lines": []m{{"batch_id": batch, "from": "available", "to": "frozen", "qty": "6"}}}))
		twice("POST", "/api/stock/supplier-returns", at(m{"lines": of("3")}), at(m{"lines": of("4")}))
		twice("POST", "/api/stock/landed-costs", at(m{"receipt_id": receipt, "basis": "count", "charge_fen": 777}), at(m{"receipt_id": receipt, "basis": "count", "charge_fen": 778}))
		twice("PUT", "/api/stock/channels", at(m{"product_id": a.goods["CAN"], "channel": "phone", "floor": "10"}), at(m{"product_id": a.goods["CAN"], "channel": "phone", "floor": "11"}))

		keep := at(m{"channel": "phone", "minutes": 60, "lines": []m{{"product_id": a.goods["CAN"], "qty": "2"}}})
		less := at(m{"channel": "phone", "minutes": 60, "lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}})
		kept, freed := twice("POST", "/api/stock/promises", keep, less).ID(), a.Done(a.Admin, "POST", "/api/stock/promises", keep).ID()
		twice("POST", "/api/stock/promises/"+kept+"/capture", m{}, m{"lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}}, "stock_promise_state")
		twice("POST", "/api/stock/promises/"+freed+"/release", m{}, nil, "stock_promise_state")

		move := func(q string) m {
			return m{"from_site_id": a.here, "to_site_id": a.away, "lines": []m{{"product_id": a.goods["CAN"], "qty": q}}}
		}
		sent := twice("POST", "/api/stock/transfers", move("10"), move("11")).ID()
		dropped := a.Done(a.Admin, "POST", "/api/stock/transfers", move("1")).ID()
		twice("POST", "/api/stock/transfers/"+dropped+"/cancel", m{"note": "no"}, m{"note": "never"}, "stock_transfer_state")
		shipped := twice("POST", "/api/stock/transfers/"+sent+"/ship", m{}, m{"lines": []m{{"line_no": 1, "qty": "9"}}}, "stock_transfer_state")
		transit := shipped.Body["transits"].([]any)[0].(m)["id"].(string)
		came := func(q string) m { return m{"lines": []m{{"transit_id": transit, "qty": q}}} }
		twice("POST", "/api/stock/transfers/"+sent+"/receive", came("8"), came("9"), "stock_transfer_state")
		way := func(q string) m { return m{"transit_id": transit, "way": "lost", "qty": q} }
		twice("POST", "/api/stock/transfers/"+sent+"/resolve", way("2"), way("1"), "stock_transfer_state", "stock_transit_too_much")

		become := func(n string) m {
			return at(m{"shape": "convert", "basis": "share", "lines": []m{{"product_id": a.goods["CAN"], "batch_id": batch, "qty": "4"}}, "outputs": []m{{"product_id": a.goods["FILM"], "qty": n}}})
		}
		converted := twice("POST", "/api/conversions", become("8"),
			become("9")).ID()
		twice("POST", "/api/conversions/"+converted+"/reverse", m{"reason": "wrong"}, m{"reason": "other"}, "conversion_reversed", "conversion_twice", "conversion_back_twice")

		list := twice("POST", "/api/stock/counts", at(m{"product_ids": []string{a.goods["CAN"]}}), at(m{"product_ids": []string{a.goods["TRAY"]}})).ID()
		count := "/api/stock/counts/" + list
		twice("POST", count+"/lines", m{"product_id": a.goods["TRAY"]}, m{"product_id": a.goods["CAN"]})
		twice("POST", count+"/lines/1/entries", m{"qty": "170"}, m{"qty": "171"})
		twice("POST", count+"/entries", m{"lines": []m{{"product_id": a.goods["TRAY"], "qty": "80"}}}, m{"lines": []m{{"product_id": a.goods["TRAY"], "qty": "81"}}})
		twice("POST", count+"/review", m{}, nil, "stock_count_state")
		twice("POST", count+"/again", m{"lines": []int{1}}, m{"lines": []int{2}})
		a.Done(a.Admin, "POST", count+"/lines/1/entries", m{"qty": "170"})
		a.Done(a.Admin, "POST", count+"/review", nil)
		a.Person("second", "Second", a.here, a.role(), "group", "")
		if got := a.Send(a.Admin, "POST", count+"/approve", m{"lines": []int{1}}); got.Code != "stock_count_own" {
			t.Errorf("who counted approves: %v", got)
		}
		second := a.SignIn("second", "long-enough-7")
		a.Done(second, "POST", count+"/approve", m{"lines": []int{1}})
		twice("POST", count+"/post", m{}, m{"leave_uncounted": true}, "stock_count_state")
		if err := a.House.Jobs().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := a.Done(a.Admin, "GET", count, nil).Body["state"]; got != "posted" {
			t.Errorf("the count is %v", got)
		}
		other := a.Done(a.Admin, "POST", "/api/stock/counts", at(m{})).ID()
		twice("POST", "/api/stock/counts/"+other+"/cancel", m{"note": "no"}, m{"note": "x"}, "stock_count_state")
		a.Green()
	}, town.Whole)
}

// role is one with every permission.
func (a *attacker) role() string {
	a.t.Helper()
	var every []string
	for _, p := range app.Permissions() {
		every = append(every, p.Name)
	}
	return a.Done(a.Admin, "POST", "/api/org/roles", m{"name": "everything", "permissions": every}).ID()
}

// What can't be is refused with words for it and changes nothing: foreign sites and batches, units that a product does not
// have, more than anything, parts of a piece, costs below nothing.
func TestImpossibleStockIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		receipt, batch := a.arrive(a.here, "CAN", 20, 6_000)
		_, there := a.arrive(a.away, "CAN", 20, 6_000)
		role := a.role()
		a.Person("local", "Local", a.here, role, "site", a.here)
		local := a.SignIn("local", "long-enough-7")
		at := func(site string, body m) m { body["site_id"] = site; return body }
		one := func(more m) []m {
			line := m{"product_id": a.goods["CAN"], "qty": "1", "cost_fen": 100}
			for k, v := range more {
				line[k] = v
			}
			return []m{line}
		}
		for _, x := range []struct {
			what, path string
			body       m
			codes      []string
		}{
			{"a receipt at a foreign site", "/api/stock/receipts", at(a.away, m{"lines": one(nil)}), []string{"not_found"}},
			{"a foreign batch written off here", "/api/stock/write-offs", at(a.here, m{"reason": "damaged", "lines": []m{{"batch_id": there, "qty": "1"}}}), []string{"batch_unknown"}},
			{"a foreign batch sent back from here", "/api/stock/supplier-returns", at(a.here, m{"lines": []m{{"batch_id": there, "qty": "1"}}}), []string{"batch_unknown"}},
			{"a foreign batch adjusted here", "/api/stock/adjustments", at(a.here, m{"reason": "count", "lines": []m{{"batch_id": there, "qty": "1"}}}), []string{"batch_unknown"}},
			{"a foreign batch frozen here", "/api/stock/states", at(a.here, m{"reason": "quality", "lines": []m{{"batch_id": there, "from": "available", "to": "frozen"}}}), []string{"batch_unknown"}},
			{"freight on a receipt at a site that is not its own", "/api/stock/landed-costs", at(a.away, m{"receipt_id": receipt, "basis": "value", "charge_fen": 100}), []string{"not_found"}},
			{"a unit that the product does not have", "/api/stock/receipts", at(a.here, m{"lines": one(m{"unit": "kg"})}), []string{"unit_unknown", "stock_unit_unknown"}},
			{"a unit of no name", "/api/stock/receipts", at(a.here, m{"lines": one(m{"unit": " "})}), []string{"unit_unknown", "stock_unit_unknown"}},
			{"10^15 pieces", "/api/stock/receipts", at(a.here, m{"lines": one(m{"qty": "1000000000000000"})}), []string{"qty_too_large", "stock_qty_too_large", "body_invalid", "qty_bad"}},
			{"as many boxes as overflow", "/api/stock/receipts", at(a.here, m{"lines": one(m{"qty": "999999999999", "unit": "箱"})}), []string{"qty_too_large", "stock_qty_too_large", "qty_overflow"}},
			{"half a piece", "/api/stock/receipts", at(a.here, m{"lines": one(m{"qty": "0.5"})}), []string{"stock_pieces_whole"}},
			{"a fifth of a box, 4.8 cans", "/api/stock/receipts", at(a.here, m{"lines": one(m{"qty": "0.2", "unit": "箱"})}), []string{"stock_pieces_whole"}},
			{"no piece", "/api/stock/receipts", at(a.here, m{"lines": one(m{"qty": "0"})}), []string{"qty_not_positive", "stock_qty_bad"}},
			{"less than no piece", "/api/stock/receipts", at(a.here, m{"lines": one(m{"qty": "-1"})}), []string{"qty_not_positive", "stock_qty_bad"}},
			{"a cost below nothing", "/api/stock/receipts", at(a.here, m{"lines": one(m{"cost_fen": -1})}), []string{"stock_cost_bad", "body_invalid", "cost_bad"}},
			{"a cost beyond all money", "/api/stock/receipts", at(a.here, m{"lines": one(m{"cost_fen": int64(9_000_000_000_000_000_000)})}), []string{"stock_cost_bad", "body_invalid", "cost_bad"}},
			{"freight of nothing", "/api/stock/landed-costs", at(a.here, m{"receipt_id": receipt, "basis": "value", "charge_fen": 0}), []string{"too_low"}},
			{"freight below nothing", "/api/stock/landed-costs", at(a.here, m{"receipt_id": receipt, "basis": "value", "charge_fen": -5}), []string{"too_low"}},
			{"half a piece sent back", "/api/stock/supplier-returns", at(a.here, m{"lines": []m{{"batch_id": batch, "qty": "0.5"}}}), []string{"stock_pieces_whole"}},
			{"half a piece promised", "/api/stock/promises", at(a.here, m{"channel": "phone", "minutes": 60, "lines": []m{{"product_id": a.goods["CAN"], "qty": "0.5"}}}), []string{"stock_pieces_whole"}},
			{"half a piece asked for", "/api/stock/transfers", m{"from_site_id": a.away, "to_site_id": a.here, "lines": []m{{"product_id": a.goods["CAN"], "qty": "0.5"}}}, []string{"stock_pieces_whole", "stock_transfer_same_site"}},
			{"a piece becomes half a piece", "/api/conversions", at(a.here, m{"shape": "convert", "basis": "share", "lines": []m{{"batch_id": batch, "product_id": a.goods["CAN"], "qty": "1"}}, "outputs": []m{{"product_id": a.goods["FILM"], "qty": "0.5"}}}), []string{"conversion_pieces_whole"}},
			{"more is written off than is there", "/api/stock/write-offs", at(a.here, m{"reason": "damaged", "lines": []m{{"batch_id": batch, "qty": "21"}}}), []string{"stock_short"}},
			{"more goes back than came", "/api/stock/supplier-returns", at(a.here, m{"lines": []m{{"batch_id": batch, "qty": "21"}}}), []string{"stock_short"}},
			{"twice eleven of twenty go back in one document", "/api/stock/supplier-returns", at(a.here, m{"lines": []m{{"batch_id": batch, "qty": "11"}, {"batch_id": batch, "qty": "11"}}}), []string{"stock_short", "stock_batch_twice"}},
		} {
			a.refused(x.what, local, "POST", x.path, x.body, x.codes...)
		}
		// What costs nothing is a gift: it comes in, sells and goes back without a fen.
		_, gift := a.arrive(a.here, "TRAY", 10, 0)
		if got := a.sale("TRAY", gift, 4); got.Status != 200 {
			t.Errorf("a gift is sold: %v", got)
		}
		a.Done(a.Admin, "POST", "/api/stock/supplier-returns", at(a.here, m{"lines": []m{{"batch_id": gift, "qty": "6"}}}))
		if got := a.left(gift); got != "0" {
			t.Errorf("%s of the gift are left", got)
		}
		a.Green()
	}, town.Whole)
}

// Goods that went in, half sold, go back: as many as are left, at what they came in for, and never again.
func TestNoMoreGoesBackThanIsLeft(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		receipt, batch := a.arrive(a.here, "CAN", 10, 3_001)
		a.Done(a.Admin, "POST", "/api/stock/landed-costs", m{"site_id": a.here, "receipt_id": receipt, "basis": "value", "charge_fen": 99})
		if got := a.sale("CAN", batch, 6); got.Status != 200 {
			t.Fatal(got)
		}
		send := func(n string) m { return m{"site_id": a.here, "lines": []m{{"batch_id": batch, "qty": n}}} }
		a.refused("five of four go back", a.Admin, "POST", "/api/stock/supplier-returns", send("5"), "stock_short")
		// Four callers send back four at once: one has them.
		var wg sync.WaitGroup
		got := make([]town.Reply, 4)
		for i := range got {
			wg.Go(func() { got[i] = a.Send(a.Admin, "POST", "/api/stock/supplier-returns", send("4")) })
		}
		wg.Wait()
		done := 0
		for _, g := range got {
			switch {
			case g.Status == 200:
				done++
				if fen := g.Body["claim_fen"].(float64); fen != 1200 { // 3001 × 4 ÷ 10, half up
					t.Errorf("the supplier owes %v", fen)
				}
			case g.Code != "stock_short":
				t.Error(g)
			}
		}
		if done != 1 || a.left(batch) != "0" {
			t.Errorf("%d returns, %s left", done, a.left(batch))
		}
		a.refused("one more goes back", a.Admin, "POST", "/api/stock/supplier-returns", send("1"), "stock_short")
		r := a.Done(a.Admin, "GET", "/api/receipts/"+receipt, nil).Body
		if item := r["items"].([]any)[0].(m); r["state"] != "part_returned" || r["claim_fen"] != 1200.0 || item["returned"] != "4" || item["left"] != "0" {
			t.Errorf("the receipt: %v", r)
		}
		a.Green()
	}, town.Whole)
}

// Two people who did not count approve one line at the same moment: one of them has approved it. Neither can whoever counted.
func TestTwoApproveOneCountOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		_, can := a.arrive(a.here, "CAN", 100, 30_000)
		_, tray := a.arrive(a.here, "TRAY", 100, 30_000)
		role := a.role()
		var people []string
		for _, name := range []string{"first", "second"} {
			a.Person(name, name, a.here, role, "site", a.here)
			people = append(people, a.SignIn(name, "long-enough-7"))
		}
		count := "/api/stock/counts/" + a.Done(a.Admin, "POST", "/api/stock/counts", m{"site_id": a.here, "limit_fen": 100}).ID()
		a.Done(a.Admin, "POST", count+"/entries", m{"lines": []m{{"product_id": a.goods["CAN"], "qty": "90"}, {"product_id": a.goods["TRAY"], "qty": "95"}}})
		a.Done(a.Admin, "POST", count+"/review", nil)
		a.refused("books that nobody approved are posted", a.Admin, "POST", count+"/post", m{}, "stock_count_unapproved")
		a.refused("who counted approves", a.Admin, "POST", count+"/approve", m{"lines": []int{1, 2}}, "stock_count_own")
		var wg sync.WaitGroup
		got := make([]town.Reply, 2)
		for i, lines := range [][]int{{1, 2}, {2, 1}} { // in opposite order: nobody waits for the other for ever
			wg.Go(func() { got[i] = a.Send(people[i], "POST", count+"/approve", m{"lines": lines}) })
		}
		wg.Wait()
		if (got[0].Status == 200) == (got[1].Status == 200) || got[0].Status >= 500 || got[1].Status >= 500 {
			t.Errorf("two approve: %v and %v", got[0], got[1])
		}
		posts := make([]town.Reply, 2)
		for i := range posts {
			wg.Go(func() { posts[i] = a.Send(people[i], "POST", count+"/post", m{}) })
		}
		wg.Wait()
		if (posts[0].Status == 200) == (posts[1].Status == 200) {
			t.Errorf("two post: %v and %v", posts[0], posts[1])
		}
		if err := a.House.Jobs().Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a.left(can) != "90" || a.left(tray) != "95" {
			t.Errorf("%s cans and %s trays on the books", a.left(can), a.left(tray))
		}
		a.refused("a line of a posted count is counted", a.Admin, "POST", count+"/lines/1/entries", m{"qty": "1"}, "stock_count_line_done", "stock_count_state")
		a.Green()
	}, town.Whole)
}

// A van is received once, however many say so at once; what came short is found or lost once, what came over is the receiver's
// gain, and nobody receives the load of another van.
func TestAVanIsReceivedOnceShortAndOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		_, batch := a.arrive(a.here, "CAN", 100, 30_000)
		ship := func(n string) (path, transit string) {
			t.Helper()
			path = "/api/stock/transfers/" + a.Done(a.Admin, "POST", "/api/stock/transfers", m{"from_site_id": a.here, "to_site_id": a.away, "lines": []m{{"product_id": a.goods["CAN"], "qty": n}}}).ID()
			return path, a.Done(a.Admin, "POST", path+"/ship", m{}).Body["transits"].([]any)[0].(m)["id"].(string)
		}
		there := func() string {
			t.Helper()
			for _, l := range a.Done(a.Admin, "GET", "/api/stock/levels?site_id="+a.away, nil).Body["items"].([]any) {
				if l.(m)["code"] == "CAN" {
					return l.(m)["qty"].(string)
				}
			}
			return "0"
		}
		first, load := ship("10")
		second, other := ship("20")
		came := func(transit, q string) m { return m{"lines": []m{{"transit_id": transit, "qty": q}}} }
		a.refused("the load of another van", a.Admin, "POST", first+"/receive", came(other, "10"), "stock_transfer_line_unknown")
		a.refused("less than nothing came", a.Admin, "POST", first+"/receive", came(load, "-1"), "stock_qty_bad", "qty_not_positive", "stock_count_qty_bad")
		var wg sync.WaitGroup
		got := make([]town.Reply, 4)
		for i := range got {
			wg.Go(func() { got[i] = a.Send(a.Admin, "POST", first+"/receive", came(load, "7")) })
		}
		wg.Wait()
		done := 0
		for _, g := range got {
			if g.Status == 200 {
				done++
			} else if g.Code != "stock_transfer_state" {
				t.Error(g)
			}
		}
		if done != 1 || there() != "7" {
			t.Errorf("received %d times, %s there", done, there())
		}
		way := func(w, q string) m { return m{"transit_id": load, "way": w, "qty": q} }
		a.refused("more is found than was missing", a.Admin, "POST", first+"/resolve", way("found", "4"), "stock_transit_too_much")
		a.Done(a.Admin, "POST", first+"/resolve", way("found", "1"))
		a.Done(a.Admin, "POST", first+"/resolve", way("back", "1"))
		a.Done(a.Admin, "POST", first+"/resolve", way("lost", "1"))
		a.refused("the lost one is found after all", a.Admin, "POST", first+"/resolve", way("found", "1"), "stock_transfer_state", "stock_transit_too_much")
		a.Done(a.Admin, "POST", second+"/receive", came(other, "23")) // three more than were sent
		if there() != "31" || a.left(batch) != "71" {
			t.Errorf("%s there, %s left here", there(), a.left(batch))
		}
		a.refused("a van is shipped again", a.Admin, "POST", second+"/ship", m{}, "stock_transfer_state")
		a.refused("a van that is there is cancelled", a.Admin, "POST", second+"/cancel", m{}, "stock_transfer_state")
		a.Green()
	}, town.Whole)
}

// Goods that become others and those again what they were keep their cost to the fen; what has gone on can't be taken back.
func TestAConversionInACircleKeepsItsCost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		_, batch := a.arrive(a.here, "CAN", 7, 1_000)
		turn := func(code, batch, to string, n int) (doc, made string, fen float64) {
			t.Helper()
			c := a.Done(a.Admin, "POST", "/api/conversions", m{"site_id": a.here, "shape": "convert", "basis": "share", "lines": []m{{"product_id": a.goods[code], "batch_id": batch, "qty": fmt.Sprint(n)}}, "outputs": []m{{"product_id": a.goods[to], "qty": fmt.Sprint(n)}}})
			for _, l := range c.Body["items"].([]any) {
				if l.(m)["product_id"] == a.goods[to] {
					made, fen = l.(m)["batch_id"].(string), l.(m)["value_fen"].(float64)
				}
			}
			return c.ID(), made, fen
		}
		doc, at, last := "", batch, ""
		fen := 0.0
		for i := range 6 { // round and round
			codes := []string{"CAN", "TRAY", "FILM", "CAN"}
			var next string
			doc, next, fen = turn(codes[i%3], at, codes[i%3+1], 7)
			if fen != 1_000 {
				t.Errorf("turn %d is worth %v", i, fen)
			}
			if last != "" {
				a.refused("a turn whose goods have gone on", a.Admin, "POST", "/api/conversions/"+last+"/reverse", m{"reason": "wrong"}, "conversion_used")
			}
			at, last = next, doc
		}
		first, some, _ := turn("CAN", at, "TRAY", 3)
		turn("TRAY", some, "FILM", 1)
		a.refused("what has gone on is taken back", a.Admin, "POST", "/api/conversions/"+first+"/reverse", m{"reason": "wrong"}, "conversion_used")
		a.refused("a thing becomes itself", a.Admin, "POST", "/api/conversions", m{"site_id": a.here, "shape": "convert", "basis": "share", "lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}, "outputs": []m{{"product_id": a.goods["CAN"], "qty": "1"}}}, "conversion_same", "conversion_itself")
		a.refused("a can becomes a kilogram of a thing that has no such unit", a.Admin, "POST", "/api/conversions", m{"site_id": a.here, "shape": "convert", "basis": "share", "lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}, "outputs": []m{{"product_id": a.goods["FILM"], "qty": "1", "unit": "kg"}}}, "unit_unknown")
		a.Green()
	}, town.Whole)
}

// What is frozen is not sold, promised, sent or sent back, by name or not, until it is released.
func TestWhatIsFrozenStays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		_, batch := a.arrive(a.here, "CAN", 10, 3_000)
		state := func(from, to string) m {
			return m{"site_id": a.here, "reason": "recall", "lines": []m{{"batch_id": batch, "from": from, "to": to}}}
		}
		a.Done(a.Admin, "POST", "/api/stock/states", state("available", "frozen"))
		a.refused("frozen goods are frozen", a.Admin, "POST", "/api/stock/states", state("available", "frozen"), "stock_short", "stock_nothing_to_move", "stock_nothing")
		for _, of := range []string{"", batch} {
			before := a.Town.Rows()
			if got := a.sale("CAN", of, 1); got.Code != "stock_short" {
				t.Errorf("a frozen can is sold: %v", got)
			}
			a.unchanged("a sale of frozen goods", before)
		}
		a.refused("frozen goods are promised", a.Admin, "POST", "/api/stock/promises", m{"site_id": a.here, "channel": "phone", "minutes": 60, "lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}}, "stock_short")
		move := a.Done(a.Admin, "POST", "/api/stock/transfers", m{"from_site_id": a.here, "to_site_id": a.away, "lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}}).ID()
		a.refused("frozen goods are shipped", a.Admin, "POST", "/api/stock/transfers/"+move+"/ship", m{}, "stock_short", "stock_transfer_nothing")
		a.refused("frozen goods go back", a.Admin, "POST", "/api/stock/supplier-returns", m{"site_id": a.here, "lines": []m{{"batch_id": batch, "qty": "1"}}}, "stock_short")
		a.refused("frozen goods become others", a.Admin, "POST", "/api/conversions", m{"site_id": a.here, "shape": "convert", "basis": "share", "lines": []m{{"product_id": a.goods["CAN"], "qty": "1"}}, "outputs": []m{{"product_id": a.goods["FILM"], "qty": "1"}}}, "stock_short")
		a.Done(a.Admin, "POST", "/api/stock/states", m{"site_id": a.here, "reason": "passed", "lines": []m{{"batch_id": batch, "from": "frozen", "to": "available"}}})
		if got := a.sale("CAN", batch, 1); got.Status != 200 {
			t.Errorf("a released can: %v", got)
		}
		a.Green()
	}, town.Whole)
}

// A closed day is closed: a clock that went back writes nothing into it, and what comes late is of today.
func TestAClosedDayTakesNoDocument(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		receipt, batch := a.arrive(a.here, "CAN", 10, 3_000)
		sold := a.sale("CAN", batch, 4)
		if sold.Status != 200 {
			t.Fatal(sold)
		}
		yesterday := d.Clock.Now()
		day := string(cal.On(yesterday))
		a.refused("a day that is not over", a.Admin, "POST", "/api/ledger/periods", m{"site_id": a.here, "through": day}, "ledger_day_not_over", "day_not_over")
		d.Clock.Set(yesterday.Add(24 * time.Hour))
		a.Done(a.Admin, "POST", "/api/ledger/periods", m{"site_id": a.here, "through": day})
		for range 2 {
			if err := a.House.Jobs().Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		closed := a.closed(day)
		if closed.n == 0 {
			t.Fatal("the day was not closed")
		}
		// Late freight, a return and a void of yesterday's sale are of today.
		landed := a.Done(a.Admin, "POST", "/api/stock/landed-costs", m{"site_id": a.here, "receipt_id": receipt, "basis": "value", "charge_fen": 100})
		if landed.Body["business_date"] == day {
			t.Errorf("freight came late into a closed day: %v", landed)
		}
		a.Done(a.Admin, "POST", "/api/stock/supplier-returns", m{"site_id": a.here, "lines": []m{{"batch_id": batch, "qty": "2"}}})
		if got := a.sale("CAN", batch, 1); got.Status != 200 {
			t.Error(got)
		}
		// The clock goes back into the closed day: nothing is written there.
		d.Clock.Set(yesterday)
		lines := []m{{"product_id": a.goods["CAN"], "qty": "1", "cost_fen": 300}}
		a.refused("a receipt of a closed day", a.Admin, "POST", "/api/stock/receipts", m{"site_id": a.here, "lines": lines}, "ledger_period_closed", "period_closed", "ledger_day_closed")
		a.refused("a write-off of a closed day", a.Admin, "POST", "/api/stock/write-offs", m{"site_id": a.here, "reason": "damaged", "lines": []m{{"batch_id": batch, "qty": "1"}}}, "ledger_period_closed", "period_closed", "ledger_day_closed")
		if got := a.sale("CAN", batch, 1); got.Status == 200 {
			t.Errorf("sold on a closed day: %v", got)
		}
		d.Clock.Set(yesterday.Add(24 * time.Hour))
		if now := a.closed(day); now != closed {
			t.Errorf("the closed day was %+v and is %+v", closed, now)
		}
		a.Green()
	}, town.Whole)
}

type closedDay struct{ n, sum int64 }

// closed is what was booked at the site up to a day.
func (a *attacker) closed(day string) (c closedDay) {
	a.t.Helper()
	site, _ := id.Parse(a.here)
	if err := a.D.Read(a.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*), COALESCE(SUM(t.amount), 0) FROM ledger_transfer t WHERE t.site_id = $1 AND t.business_date <= $2`, site, day).Scan(&c.n, &c.sum)
	}); err != nil {
		a.t.Fatal(err)
	}
	return c
}
