package supplyday

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/purchase"
	"zhanggui/internal/stock"
)

// ordered writes an order by hand and confirms it: 3 packs of 5 kg breast at 19.60 yuan, 2 packs of 12 buns at 0.10 yuan.
func (c *chain) ordered() m {
	c.t.Helper()
	o := c.done(c.manager, "POST", "/api/purchase/orders", m{"site_id": c.site.ID.String(), "supplier_id": c.sup["fresh"].String(), "due": "2026-03-03", "note": "急",
		"lines": []m{{"product_id": c.p["breast"].ID.String(), "packs": 3}, {"product_id": c.p["bun"].ID.String(), "packs": 2}}})
	if o["state"] != "proposed" || o["amount_fen"] != 29400.+240 || o["plan_id"] != "" {
		c.t.Fatalf("%v", o)
	}
	return c.done(c.manager, "POST", fmt.Sprint("/api/purchase/orders/", o["id"], "/confirm"), nil)
}

func receipts(o m) string { return fmt.Sprint("/api/purchase/orders/", o["id"], "/receipts") }

// has is what a site has of a product, and what that is worth.
func (c *chain) has(product string) (left qty.Qty, worth money.Fen) {
	c.t.Helper()
	c.read(func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT COALESCE(SUM(a.posted_in - a.posted_out), 0), COALESCE(SUM(v.posted_in - v.posted_out), 0) FROM stock_batch b
			JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id WHERE b.site_id = $1 AND b.sku_id = $2`, c.site.ID, c.p[product].SKU).Scan(&left, &worth)
	})
	return left, worth
}

func TestGoodsComeAgainstAnOrderInParts(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.ordered()
		r := c.done(c.manager, "POST", receipts(o), m{"ref": "DN-1", "lines": []m{
			{"line": 1, "qty": "4.333", "unit": "kg", "code": "M1", "made_on": "2026-03-01"},
			{"line": 1, "qty": "667", "code": "M2", "expires_at": "2026-03-05T12:00:00+08:00"},
			{"line": 2, "qty": "24"}}})
		now := r["order"].(m)
		if now["state"] != "part_received" || r["cost_fen"] != 9800.+240 || now["received_fen"] != r["cost_fen"] {
			c.t.Errorf("%v", r)
		}
		if left, worth := c.has("breast"); left != 5_000*qty.Scale || worth != 9800 {
			c.t.Errorf("%v of breast worth %d", left, worth)
		}
		var made, by string
		var until [2]int64
		c.read(func(tx *db.Tx) error {
			if err := tx.QueryRow(`SELECT made_on, expires_at FROM stock_batch WHERE code = 'M1'`).Scan(&made, &until[0]); err != nil {
				return err
			}
			if err := tx.QueryRow(`SELECT expires_at FROM stock_batch WHERE code = 'M2'`).Scan(&until[1]); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT ref FROM stock_document WHERE kind = $1`, stock.ReceiptDoc).Scan(&by)
		})
		zone := c.site.Location()
		if made != "2026-03-01" || until[0] != time.Date(2026, 3, 5, 0, 0, 0, 0, zone).UnixMilli() || until[1] != time.Date(2026, 3, 5, 12, 0, 0, 0, zone).UnixMilli() || by != "DN-1" {
			c.t.Errorf("%s %v %s", made, until, by)
		}
		// The rest, and a bit more than ordered: the price is of all that came.
		r = c.done(c.manager, "POST", receipts(o), m{"lines": []m{{"line": 1, "qty": "10.75", "unit": "kg"}}})
		now = r["order"].(m)
		if now["state"] != "received" || now["received_fen"] != 30870.+240 {
			c.t.Errorf("15.75 kg at 19.60: %v", now)
		}
		if left, worth := c.has("breast"); left != 15_750*qty.Scale || worth != 30870 {
			c.t.Errorf("%v of breast worth %d", left, worth)
		}
		c.refused(c.manager, "purchase_state", "", "POST", receipts(o), m{"lines": []m{{"line": 1, "qty": "1"}}})
		events := map[string]int{}
		c.read(func(tx *db.Tx) error {
			rows := tx.Query(`SELECT type FROM outbox_event WHERE subject = $1`, c.idOf(o))
			for rows.Next() {
				var kind string
				if err := rows.Scan(&kind); err != nil {
					return err
				}
				events[kind]++
			}
			return rows.Err()
		})
		if events[purchase.EventReceived] != 2 || events[purchase.EventOrdered] != 1 {
			c.t.Errorf("%v", events)
		}
	})
}

// A price that does not go into fen: three receipts of a third cost together what the whole costs.
func TestReceiptsTogetherCostThePrice(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.done(c.manager, "POST", "/api/purchase/orders", m{"site_id": c.site.ID.String(), "supplier_id": c.sup["fresh"].String(), "due": "2026-03-02",
			"lines": []m{{"product_id": c.p["lettuce"].ID.String(), "packs": 1}}}) // 3000 g at 0.9 fen
		c.done(c.manager, "POST", fmt.Sprint("/api/purchase/orders/", o["id"], "/confirm"), nil)
		var sum float64
		for _, part := range []string{"1.001", "0.333", "1.666"} {
			r := c.done(c.manager, "POST", receipts(o), m{"lines": []m{{"line": 1, "qty": part, "unit": "kg"}}})
			sum += r["cost_fen"].(float64)
		}
		if left, worth := c.has("lettuce"); sum != 2700 || o["amount_fen"] != 2700. || worth != 2700 || left != 3_000*qty.Scale {
			c.t.Errorf("%v fen, ordered for %v, %v worth %d", sum, o["amount_fen"], left, worth)
		}
	})
}

func TestWhatIsNoReceiptIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.ordered()
		good := func(with ...any) m {
			l := m{"line": 1, "qty": "1000", "code": "B1"}
			for i := 0; i < len(with); i += 2 {
				l[with[i].(string)] = with[i+1]
			}
			return m{"lines": []m{{"line": 2, "qty": "1"}, l}}
		}
		for _, r := range []struct {
			code, field string
			with        []any
		}{
			{"purchase_line_unknown", "lines[1].line", []any{"line", 3}},
			{"purchase_line_unknown", "lines[1].line", []any{"line", 0}},
			{"purchase_qty_bad", "lines[1].qty", []any{"qty", "0"}},
			{"purchase_qty_bad", "lines[1].qty", []any{"qty", "-1"}},
			{"purchase_over_receipt", "lines[1].qty", []any{"qty", "15750.001"}},
			{"purchase_over_receipt", "lines[1].qty", []any{"qty", "26", "line", 2}},
			{"plan_unit_unknown", "lines[1].unit", []any{"unit", "bag"}},
			{"batch_code_bad", "lines[1].code", []any{"code", "B 1"}},
			{"batch_expired_on_arrival", "lines[1].expires_at", []any{"expires_at", "2026-03-01T12:00:00+08:00"}},
			{"batch_expired_on_arrival", "lines[1].expires_at", []any{"made_on", "2026-02-20"}},
			{"batch_made_after_expiry", "lines[1].made_on", []any{"made_on", "2026-04-01", "expires_at", "2026-03-05T12:00:00+08:00"}},
			{"date_invalid", "lines[1].made_on", []any{"made_on", "2026-02-30"}},
			{"field_unknown", "lines[1].cost_fen", []any{"cost_fen", 1}}, // the order says what it costs
		} {
			c.refused(c.manager, r.code, r.field, "POST", receipts(o), good(r.with...))
		}
		c.refused(c.manager, "too_few", "lines", "POST", receipts(o), m{"lines": []m{}})
		c.refused(c.manager, "purchase_unknown", "", "POST", "/api/purchase/orders/123/receipts", good())
		stranger, cashier := c.hire("manager", c.other), c.hire("cashier", c.site.ID)
		c.refused(stranger, "purchase_unknown", "", "POST", receipts(o), good())
		c.refused(cashier, "no_permission", "", "POST", receipts(o), good())
		c.done(c.manager, "POST", receipts(o), good())
		c.refused(c.manager, "batch_code_taken", "lines[1].code", "POST", receipts(o), good())
		c.done(c.manager, "POST", fmt.Sprint("/api/purchase/orders/", o["id"], "/close"), m{"reason": "供应商缺货"})
		c.refused(c.manager, "purchase_state", "", "POST", receipts(o), good("code", "B2"))
		fresh := c.done(c.manager, "POST", "/api/purchase/orders", m{"site_id": c.site.ID.String(), "supplier_id": c.sup["fresh"].String(), "due": "2026-03-03", "lines": []m{{"product_id": c.p["bun"].ID.String(), "packs": 1}}})
		c.refused(c.manager, "purchase_state", "", "POST", receipts(fresh), m{"lines": []m{{"line": 1, "qty": "1"}}}) // nobody has decided for it
	})
}

func TestTwoWhoReceiveAtOnceDoNotReceiveTooMuch(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.ordered()
		order, _ := id.Parse(o["id"].(string))
		results := make(chan error, 6)
		for range 6 { // 4 kg each: three of them fit into 15 kg
			go func() {
				results <- c.d.Write(c.t.Context(), func(tx *db.Tx) error {
					_, err := c.s.receive(tx, &c.site, 1, order, ReceiptIn{Lines: []ReceiptLineIn{{Line: 1, Qty: 4, Unit: "kg"}, {Line: 1, Qty: 4_000*qty.Scale - 4000}}})
					return err
				})
			}()
		}
		good := 0
		for range 6 {
			if <-results == nil {
				good++
			}
		}
		left, _ := c.has("breast")
		if good != 3 || left != 12_000*qty.Scale {
			c.t.Errorf("%d of 6 receipts, %v of breast", good, left)
		}
	})
}

func TestAnOrderGoesItsWay(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.ordered()
		path := fmt.Sprint("/api/purchase/orders/", o["id"])
		stranger, cashier := c.hire("manager", c.other), c.hire("cashier", c.site.ID)
		c.refused(c.manager, "purchase_state", "", "POST", path+"/confirm", nil)
		for what, body := range map[string]any{"/confirm": nil, "/send": nil, "/close": m{"reason": "x"}} {
			c.refused(stranger, "purchase_unknown", "", "POST", path+what, body)
			c.refused(cashier, "no_permission", "", "POST", path+what, body)
		}
		c.refused(stranger, "purchase_unknown", "", "GET", path, nil)
		if got := c.items(stranger, "/api/purchase/orders"); len(got) != 0 {
			c.t.Errorf("%v", got)
		}
		if sent := c.done(c.manager, "POST", path+"/send", nil); sent["state"] != "sent" || sent["sent_at"] == nil {
			c.t.Errorf("%v", sent)
		}
		c.refused(c.manager, "purchase_state", "", "POST", path+"/send", nil)
		for query, want := range map[string]int{"": 1, "?open=true": 1, "?state=sent": 1, "?state=closed": 0, "?due=2026-03-03": 1, "?due=2026-03-04": 0, "?due_until=2026-03-03": 1, "?due_until=2026-03-02": 0, "?q=260302": 1, "?q=x": 0,
			"?supplier_id=" + c.sup["fresh"].String(): 1, "?supplier_id=" + c.sup["cold"].String(): 0, "?site_id=" + c.other.String(): 0} {
			if got := c.items(c.manager, "/api/purchase/orders"+query); len(got) != want {
				c.t.Errorf("%q finds %d, want %d", query, len(got), want)
			}
		}
		c.refused(c.manager, "purchase_reason_missing", "reason", "POST", path+"/close", m{"reason": "  "}) // goods are expected
		closed := c.done(c.manager, "POST", path+"/close", m{"reason": "供应商没货"})
		if closed["state"] != "closed" || closed["closed_at"] == nil || closed["close_reason"] != "供应商没货" || !strings.HasPrefix(closed["closed_by"].(string), "人manager") || closed["sent_by"] != closed["closed_by"] {
			c.t.Errorf("%v", closed)
		}
		if got := c.items(c.manager, "/api/purchase/orders?open=true"); len(got) != 0 {
			c.t.Errorf("%v", got)
		}
		good := func(with ...any) m {
			b := m{"site_id": c.site.ID.String(), "supplier_id": c.sup["cold"].String(), "due": "2026-03-05", "lines": []m{{"product_id": c.p["cola"].ID.String(), "packs": 2}}}
			for i := 0; i < len(with); i += 2 {
				b[with[i].(string)] = with[i+1]
			}
			return b
		}
		cola := c.p["cola"].ID.String()
		for _, r := range []struct {
			code, field string
			body        m
		}{
			{"not_found", "site_id", good("site_id", c.other.String())},
			{"supplier_unknown", "supplier_id", good("supplier_id", "99")},
			{"purchase_due_bad", "due", good("due", "2026-03-01")},
			{"purchase_due_bad", "due", good("due", "2027-03-01")},
			{"purchase_due_bad", "due", good("due", "soon")},
			{"too_few", "lines", good("lines", []m{})},
			{"purchase_terms_missing", "lines[0].product_id", good("lines", []m{{"product_id": c.p["bun"].ID.String(), "packs": 1}})},
			{"purchase_packs_bad", "lines[0].packs", good("lines", []m{{"product_id": cola, "packs": 1}})},
			{"purchase_packs_bad", "lines[0].packs", good("lines", []m{{"product_id": cola, "packs": 1_000_001}})},
			{"too_low", "lines[0].packs", good("lines", []m{{"product_id": cola, "packs": 0}})},
			{"purchase_product_twice", "lines[1].product_id", good("lines", []m{{"product_id": cola, "packs": 2}, {"product_id": cola, "packs": 2}})},
		} {
			c.refused(c.manager, r.code, r.field, "POST", "/api/purchase/orders", r.body)
		}
		c.refused(cashier, "no_permission", "", "POST", "/api/purchase/orders", good())
		if o := c.done(c.manager, "POST", "/api/purchase/orders", good()); o["order_by"] != "2026-03-02 16:00" || o["no"] != "PO-"+c.site.Code+"-260302-2" {
			c.t.Errorf("%v", o)
		}
	})
}

func TestADamagedReceiptIsFound(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.ordered()
		c.done(c.manager, "POST", receipts(o), m{"lines": []m{{"line": 1, "qty": "5", "unit": "kg"}, {"line": 2, "qty": "24"}}})
		c.green()
		for damage, want := range map[string]string{
			`UPDATE purchase_receipt_line SET qty = qty - 1 WHERE line_no = 1`:            "purchase_received_is_the_sum_of_receipts",
			`UPDATE purchase_receipt_line SET cost_fen = 1 WHERE line_no = 2`:             "supplyday_receipts_are_in_stock",
			`DELETE FROM purchase_receipt_line WHERE line_no = 2`:                         "purchase_received_is_the_sum_of_receipts",
			`DELETE FROM purchase_receipt_line`:                                           "purchase_received_is_the_sum_of_receipts",
			`UPDATE stock_document_line SET qty = qty + 1 WHERE line_no = 1`:              "supplyday_receipts_are_in_stock",
			`DELETE FROM stock_document_line WHERE line_no = 2`:                           "supplyday_receipts_are_in_stock",
			`UPDATE purchase_line SET product_id = (SELECT MAX(id) FROM catalog_product)`: "supplyday_receipts_are_in_stock",
			`UPDATE purchase_order SET state = 'sent'`:                                    "purchase_states_follow_what_came",
		} {
			err := c.d.Write(c.t.Context(), func(tx *db.Tx) error {
				if err := tx.Exec(damage); err != nil {
					return err
				}
				for _, p := range proofs() {
					if p.Name != want {
						continue
					}
					if r, err := p.Run(tx); err != nil {
						return err
					} else if r.Bad == 0 {
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

// The office sees a receipt with its order, what was shared over it and what went back; a receipt without an order beside it.
func TestAReceiptOpensIntoWhatHappenedToIt(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		o := c.ordered()
		r := c.done(c.manager, "POST", receipts(o), m{"ref": "DN-9", "lines": []m{{"line": 1, "qty": "5", "unit": "kg", "code": "M1"}, {"line": 2, "qty": "24", "code": "B1"}}})
		site, breast := c.site.ID.String(), c.p["breast"].ID.String()
		free := c.done(c.manager, "POST", "/api/stock/receipts", m{"site_id": site, "note": "样品", "lines": []m{{"product_id": breast, "qty": "100", "cost_fen": 50}}})
		one := "/api/receipts/" + r["id"].(string)
		list := func(query string) (states []string) {
			for _, i := range c.done(c.manager, "GET", "/api/receipts?site_id="+site+query, nil)["items"].([]any) {
				i := i.(m)
				states = append(states, fmt.Sprint(i["order_no"], " ", i["supplier"], " ", i["state"], " ", i["value_fen"], " ", i["landed_fen"], " ", i["claim_fen"]))
			}
			return states
		}
		of := fmt.Sprint(o["no"], " 供fresh ")
		if got := fmt.Sprint(list("")); got != fmt.Sprint([]string{"  received 50 0 0", of + "received 10040 0 0"}) {
			c.t.Error(got)
		}
		for query, n := range map[string]int{"&against=order": 1, "&against=nothing": 1, "&q=dn-9": 1, "&q=FRESH": 1, "&q=%25": 0, "&from=2026-03-03": 0, "&limit=1": 1} {
			if got := list(query); len(got) != n {
				c.t.Errorf("%s: %v", query, got)
			}
		}
		batch := func(i int) string { return r["lines"].([]any)[i].(m)["batch_id"].(string) }
		c.done(c.manager, "POST", "/api/stock/landed-costs", m{"site_id": site, "receipt_id": r["id"], "basis": "value", "charge_fen": 1004})
		c.done(c.manager, "POST", "/api/stock/supplier-returns", m{"site_id": site, "ref": "RT-1", "lines": []m{{"batch_id": batch(0), "qty": "2.5", "unit": "kg"}}})
		if got := list("&against=order"); got[0] != of+"part_returned 10040 1004 4900" {
			c.t.Error(got)
		}
		c.done(c.manager, "POST", "/api/stock/states", m{"site_id": site, "reason": "quality", "lines": []m{{"batch_id": batch(0), "qty": "1", "unit": "kg", "from": "available", "to": "frozen"}}})
		story := c.done(c.manager, "GET", one, nil)
		line := story["items"].([]any)[0].(m)
		if line["returned"] != "2500" || line["left"] != "2500" || line["landed_fen"] != 980. || line["ordered"] != "15000" || line["value_fen"] != 9800. || line["unit"] != "g" {
			c.t.Errorf("%v", line)
		}
		var trail []string
		for _, s := range story["trail"].([]any) {
			trail = append(trail, fmt.Sprint(s.(m)["act"], " ", s.(m)["amount_fen"], " ", s.(m)["ref"]))
		}
		if got := strings.Join(trail, ", "); got != "received 10040 DN-9, landed 1004 , returned 4900 RT-1" {
			c.t.Error(got)
		}
		// All of the other went back.
		c.done(c.manager, "POST", "/api/stock/supplier-returns", m{"site_id": site, "lines": []m{{"batch_id": free["lines"].([]any)[0].(m)["batch_id"], "qty": "100"}}})
		if got := list("&against=nothing"); got[0] != "  returned 50 0 50" {
			c.t.Error(got)
		}
		c.refused(c.manager, "stock_document_unknown", "", "GET", "/api/receipts/1", nil)
		c.refused(c.manager, "date_invalid", "to", "GET", "/api/receipts?site_id="+site+"&to=2026-13-01", nil)
		opening := c.done(c.manager, "POST", "/api/stock/receipts", m{"site_id": site, "opening": true, "lines": []m{{"product_id": breast, "qty": "1", "cost_fen": 1}}})
		c.refused(c.manager, "stock_document_unknown", "", "GET", "/api/receipts/"+opening["id"].(string), nil)
	})
}
