package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/clear"
	"zhanggui/internal/forecast"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

const adminPassword = "sesame-open-9"

// town is an installation with two legal entities, each with a store, goods, sales and people. What
// belongs to the second is marked with a canary word.
type town struct {
	seenAt string // what writers had left when the rows were read
	seen   map[string]string
	eye    *db.DB // SQLite: one connection of its own, which is told when another has written
	t      *testing.T
	d      *dbtest.DB
	h      *house
	roles  map[string]id.ID
	all    string // id of a role with every permission
	admin  string // cookie
	goods  map[string]string
	a, b   world

	tomorrow string
	supplier string
}

// world is what one entity has, by what it is called in requests.
type world struct {
	name, canary string
	ids          map[string]string
	boss         string // may everything within the entity
}

const canary = "CANARY"

type m = map[string]any

// whole is a database with every table, a copy: only the tests of serve begin with nothing.
var whole = dbtest.With(migrations...)

// openTown starts an installation as serve does.
func openTown(t *testing.T, d *dbtest.DB) *town {
	t.Helper()
	w := &town{t: t, d: d}
	var err error
	if w.h, err = build(d.DB, options{log: slog.New(slog.DiscardHandler), business: d.Clock, onFault: func(op, fault string) {
		t.Errorf("%s answers otherwise than the document says: %s", op, fault)
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.start(t.Context(), adminPassword); err != nil {
		t.Fatal(err)
	}
	w.admin = w.signIn("admin", adminPassword)
	return w
}

type reply struct {
	status int
	code   string
	text   string
	body   m
	cookie string
}

func (a reply) String() string { return fmt.Sprintf("%d %s %.300s", a.status, a.code, a.text) }

// send makes a request as the holder of the cookie, with a key of its own.
func (w *town) send(cookie, method, path string, body any) reply {
	w.t.Helper()
	return w.sendOnce(cookie, id.New().String(), method, path, body)
}

// sendOnce makes a request under a key.
func (w *town) sendOnce(cookie, key, method, path string, body any) reply {
	w.t.Helper()
	var b bytes.Buffer
	kind := ""
	switch body := body.(type) {
	case nil:
	case string:
		b.WriteString(body)
		kind = "text/csv"
	default:
		kind = "application/json"
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			w.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, &b)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Idempotency-Key", key)
	if cookie != "" {
		r.Header.Set("Cookie", "zhanggui="+cookie)
	}
	rec := httptest.NewRecorder()
	w.h.api.ServeHTTP(rec, r)
	a := reply{status: rec.Code, text: rec.Body.String()}
	if strings.Contains(rec.Header().Get("Content-Type"), "json") {
		_ = json.Unmarshal(rec.Body.Bytes(), &a.body)
		a.code, _ = a.body["code"].(string)
	}
	for _, c := range rec.Result().Cookies() {
		a.cookie = c.Value
	}
	return a
}

// done is a request that must succeed.
func (w *town) done(cookie, method, path string, body any) reply {
	w.t.Helper()
	a := w.send(cookie, method, path, body)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s %s: %v", method, path, a)
	}
	return a
}

func (w *town) signIn(name, password string) string {
	w.t.Helper()
	return w.done("", "POST", "/api/sign-in", m{"name": name, "password": password}).cookie
}

func (a reply) id() string { s, _ := a.body["id"].(string); return s }

// settle makes two worlds of the same kind side by side.
func (w *town) settle() {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) { w.roles, err = org.RoleIDs(tx); return err }); err != nil {
		w.t.Fatal(err)
	}
	var every []string
	for _, p := range permissions {
		every = append(every, p.Name)
	}
	w.all = w.done(w.admin, "POST", "/api/org/roles", m{"name": "everything", "permissions": every}).id()
	w.goods = map[string]string{}
	for _, p := range w.done(w.admin, "GET", "/api/goods/products", nil).body["items"].([]any) {
		w.goods[p.(m)["code"].(string)] = p.(m)["id"].(string)
	}
	w.goods["JAR"] = w.done(w.admin, "POST", "/api/goods/products", m{"code": "JAR", "name": "一罐", "base_unit": "piece", "tax_pct": 13}).id()
	w.goods["SET"] = w.done(w.admin, "POST", "/api/goods/products", m{"code": "SET", "name": "一篮", "base_unit": "piece", "tax_pct": 13,
		"parts": []m{{"product_id": w.goods["1001"], "unit": "瓶", "qty": "2"}, {"product_id": w.goods["2001"], "unit": "kg", "qty": "1"}}}).id()
	w.tomorrow = string(cal.On(w.d.Clock.Now()).AddDays(1))
	w.supplier = w.done(w.admin, "POST", "/api/suppliers", m{"code": "W1", "name": "水厂"}).id()
	w.done(w.admin, "PUT", "/api/suppliers/"+w.supplier+"/terms/"+w.goods["1001"], m{"pack_qty": "1", "price_fen4": 1_000_000, "lead_class": "fresh"})
	w.a = w.world("A", "plain")
	w.b = w.world("B", canary)
	w.done(w.admin, "POST", "/api/forecasts/run", m{})
	for range 3 { // forecasts make plans
		if err := w.h.runner.Drain(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if err := w.h.relay.Drain(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.planned(w.a)
	w.planned(w.b)
}

// planned finds the plan of a world's store: a line to confirm, one to change, and one that has become a requisition.
func (w *town) planned(x world) {
	w.t.Helper()
	x.ids["plan"] = w.done(x.boss, "GET", "/api/plans?site_id="+x.ids["site"], nil).body["items"].([]any)[0].(m)["id"].(string)
	lines := w.done(x.boss, "GET", "/api/plans/"+x.ids["plan"]+"/proposals", nil).body["items"].([]any)
	if len(lines) < 4 {
		w.t.Fatalf("a plan with %d lines: %v", len(lines), lines)
	}
	var asked []string
	for _, l := range lines {
		asked = append(asked, l.(m)["id"].(string))
	}
	x.ids["line"], x.ids["line2"] = asked[1], asked[2]
	x.ids["line3"] = w.hurried(x)
	line := w.done(x.boss, "POST", "/api/plans/"+x.ids["plan"]+"/lines/"+asked[0]+"/confirm", nil)
	x.ids["storereq"] = line.body["proposal"].(m)["document_id"].(string)
	line = w.done(x.boss, "POST", "/api/plans/"+x.ids["plan"]+"/lines/"+asked[3]+"/confirm", nil)
	x.ids["storereq2"] = line.body["proposal"].(m)["document_id"].(string)
	for _, of := range []string{"order", "order2"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/purchase/orders", w.order(x)).id()
	}
	w.done(x.boss, "POST", "/api/purchase/orders/"+x.ids["order2"]+"/confirm", nil)
}

// hurried is a line in a hurry in the plan of a world's store.
func (w *town) hurried(x world) (line string) {
	w.t.Helper()
	site, _ := id.Parse(x.ids["site"])
	water, _ := id.Parse(w.goods["1001"])
	supplier, _ := id.Parse(w.supplier)
	err := w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		_, lines, err := replenish.Hurry(tx, site, "2026-03-02", []replenish.ProposalRow{{Product: water, Supplier: supplier, Due: "2026-03-02", OrderBy: "2026-03-02 12:00", Net: 3 * qty.Scale, Packs: 3,
			Qty: 3 * qty.Scale, Amount: 300, Pack: qty.Scale, Unit: qty.Unit{Name: "瓶", Num: 1, Den: 1}, Price: 1_000_000, MinPacks: 1, Mode: replenish.Dynamic, Level: replenish.Tuning, Execution: replenish.Suggest, Factor: replenish.One,
			Why: replenish.ProposalWhy{Others: []replenish.Other{}}}})
		if err == nil {
			line = lines[0].String()
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return line
}

// event is a promotion in a world's store.
func (w *town) event(x world) m {
	return m{"site_id": x.ids["site"], "kind": "promotion", "name": x.canary, "from_date": w.tomorrow, "to_date": w.tomorrow, "products": []string{w.goods["1001"]}}
}

// change is a price change of a world's shop, for tomorrow.
func (w *town) change(x world) m {
	return m{"site_id": x.ids["site"], "valid_from": w.tomorrow, "note": x.canary, "lines": []m{{"product_id": x.ids["product"], "unit": "瓶", "price_fen": 888}}}
}

// conversion makes a jar of a bottle.
func (w *town) conversion(x world) m {
	return m{"site_id": x.ids["site"], "shape": "convert", "basis": "share", "note": x.canary, "lines": []m{{"product_id": x.ids["product"], "batch_id": x.ids["batch"], "qty": "1"}},
		"outputs": []m{{"product_id": w.goods["JAR"], "qty": "1"}}}
}

// order is ten bottles to be bought for tomorrow.
func (w *town) order(x world) m {
	return m{"site_id": x.ids["site"], "supplier_id": w.supplier, "due": w.tomorrow, "note": x.canary, "lines": []m{{"product_id": x.ids["product"], "packs": 10}}}
}

func (w *town) world(name, mark string) world {
	w.t.Helper()
	x := world{name: name, canary: mark, ids: map[string]string{"product": w.goods["1001"], "role": w.roles["cashier"].String()}}
	x.ids["entity"] = w.done(w.admin, "POST", "/api/org/entities", m{"code": "EN" + name, "name": mark + " entity"}).id()
	x.ids["site"] = w.done(w.admin, "POST", "/api/org/sites", m{"code": "SI" + name, "name": mark + " store", "kind": "store", "address": mark, "entity_id": x.ids["entity"]}).id()
	boss := w.person("boss"+strings.ToLower(name), mark, x.ids["site"], w.all, "entity", x.ids["entity"])
	x.ids["boss"] = boss
	x.boss = w.signIn("boss"+strings.ToLower(name), "long-enough-7")
	x.ids["staff"] = w.person("staff"+strings.ToLower(name), mark, x.ids["site"], x.ids["role"], "site", x.ids["site"])
	x.ids["register"] = w.done(x.boss, "POST", "/api/till/registers", m{"site_id": x.ids["site"], "code": "1", "name": mark}).id()
	x.ids["price"] = w.done(x.boss, "POST", "/api/prices", m{"site_id": x.ids["site"], "product_id": x.ids["product"], "unit": "瓶", "price_fen": 777}).id()
	for _, of := range []string{"change", "change2", "change3"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/prices/documents", w.change(x)).id()
	}
	site, _ := id.Parse(x.ids["site"])
	sku, _ := id.Parse(x.ids["product"])
	err := w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		s, err := org.SiteByID(tx, site)
		if err != nil {
			return err
		}
		doc, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s, Note: mark}, Opening: true,
			Lines: []stock.Arrival{{SKU: sku, Code: mark + "-1", Qty: 100 * qty.Scale, Cost: 4321}}})
		if err == nil {
			x.ids["batch"] = doc.Lines[0].Batch.String()
			x.ids["document"] = doc.ID.String()
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	x.ids["nearing"] = w.nearing(x, site, sku, mark)
	x.ids["sale"] = w.done(x.boss, "POST", "/api/till/sales", w.basket(x, "cash")).id()
	x.ids["sale2"] = w.done(x.boss, "POST", "/api/till/sales", w.basket(x, "cash")).id()
	x.ids["awaiting"] = w.done(x.boss, "POST", "/api/till/sales", w.basket(x, "mobile")).id()
	refused := w.basket(x, "mobile") // the provider refuses to give back
	refused["tenders"].([]m)[0]["pay_code"] = "28000000000097"
	x.ids["owed"] = w.done(x.boss, "POST", "/api/till/sales", refused).id()
	w.done(x.boss, "POST", "/api/till/sales/"+x.ids["owed"]+"/void", m{"reason": "mistake"})
	for _, of := range []string{"conversion", "conversion2"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/conversions", w.conversion(x)).id()
	}
	x.ids["requisition"] = w.done(x.boss, "POST", "/api/making/requisitions", w.making(x)).id()
	x.ids["requisition2"] = w.done(x.boss, "POST", "/api/making/requisitions", w.making(x)).id()
	taken := w.done(x.boss, "POST", "/api/making/requisitions", w.making(x)).id()
	x.ids["task"] = w.done(x.boss, "POST", "/api/making/requisitions/"+taken+"/complete", w.scanned(x)).id()
	x.ids["presence"] = w.done(x.boss, "POST", "/api/attendance", m{"site_id": x.ids["site"], "staff_id": x.ids["staff"], "in_at": w.ago(7), "out_at": w.ago(6), "reason": mark}).id()
	w.history(site, sku)
	apples, _ := id.Parse(w.goods["2001"])
	w.history(site, apples)
	x.ids["kitchen"] = w.done(w.admin, "POST", "/api/org/sites", m{"code": "KI" + name, "name": mark + " kitchen", "kind": "kitchen", "address": mark, "entity_id": x.ids["entity"]}).id()
	w.done(x.boss, "PUT", "/api/plans/sources", m{"site_id": x.ids["site"], "product_id": w.goods["2001"], "source_id": x.ids["kitchen"], "lead_h": 72})
	for _, of := range []string{"event", "event2"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/plans/events", w.event(x)).id()
	}
	if w.goods["oven"] == "" { // kinds of equipment are the group's, as goods are
		w.goods["oven"] = w.done(w.admin, "POST", "/api/plans/equipment", m{"name": "oven"}).id()
	}
	w.done(x.boss, "PUT", "/api/plans/rules", m{"site_id": x.ids["site"], "product_id": w.goods["1001"], "mode": "dynamic"})
	if err := w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		return replenish.PutBlocks(tx, site, "2026-03-02", []replenish.Block{{Product: sku, Sold: 9 * qty.Scale, Threshold: 8 * qty.Scale}})
	}); err != nil {
		w.t.Fatal(err)
	}
	for _, of := range []string{"transfer", "transfer2", "shipped", "missing"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/stock/transfers", w.transfer(x)).id()
	}
	for _, of := range []string{"shipped", "missing"} {
		sent := w.done(x.boss, "POST", "/api/stock/transfers/"+x.ids[of]+"/ship", m{})
		x.ids["transit"] = sent.body["transits"].([]any)[0].(m)["id"].(string)
	}
	w.done(x.boss, "POST", "/api/stock/transfers/"+x.ids["missing"]+"/receive", m{"lines": []m{{"transit_id": x.ids["transit"], "qty": "0"}}})
	for _, of := range []string{"count", "count2", "count3", "counted", "counted2", "reviewed"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/stock/counts", m{"site_id": x.ids["site"], "note": mark, "limit_fen": 100}).id()
		line := "/api/stock/counts/" + x.ids[of] + "/lines/1/entries"
		switch of {
		case "counted": // what somebody else counted can be approved
			w.done(x.boss, "POST", line, m{"qty": "1"})
		case "counted2":
			w.done(w.admin, "POST", line, m{"qty": "1"})
		case "reviewed":
			w.done(x.boss, "POST", "/api/stock/counts/"+x.ids[of]+"/review", nil)
		}
	}
	bought := w.done(x.boss, "POST", "/api/stock/receipts", m{"site_id": x.ids["site"], "note": mark, "lines": []m{{"product_id": x.ids["product"], "qty": "10", "cost_fen": 100}}})
	x.ids["receipt"], x.ids["bought"] = bought.id(), bought.body["lines"].([]any)[0].(m)["batch_id"].(string)
	x.ids["landed"] = w.done(x.boss, "POST", "/api/stock/landed-costs", m{"site_id": x.ids["site"], "receipt_id": x.ids["receipt"], "basis": "value", "charge_fen": 100, "note": mark}).id()
	for _, of := range []string{"promise", "promise2"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/stock/promises", w.promise(x)).id()
	}
	x.ids["policy"] = w.done(x.boss, "PUT", "/api/stock/pick-policies", m{"site_id": x.ids["site"], "product_id": x.ids["product"], "channel": "wholesale", "rule": "fewest"}).id()
	file := "date,product,quantity,store\n2026-02-01,1001,1,SI" + name + "\n2026-02-01," + mark + ",1,SI" + name + "\n"
	for _, of := range []string{"import", "import2", "import3"} {
		x.ids[of] = w.done(x.boss, "POST", "/api/imports?kind=sales&file_name="+mark+".csv", file).id()
	}
	w.done(x.boss, "POST", "/api/imports/"+x.ids["import"]+"/run", m{"mode": "good"})
	return x
}

// ago is so many hours before now on the business clock.
func (w *town) ago(hours int) string {
	return w.d.Clock.Now().Add(-time.Duration(hours) * time.Hour).UTC().Format(time.RFC3339)
}

// nearing is a bottle in its last hours, which clearance has in view.
func (w *town) nearing(x world, site, sku id.ID, mark string) string {
	w.t.Helper()
	var batch id.ID
	err := w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		s, err := org.SiteByID(tx, site)
		if err != nil {
			return err
		}
		expires := tx.Now().Add(5 * time.Hour)
		doc, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s}, Lines: []stock.Arrival{{SKU: sku, Code: mark + "-2", Qty: qty.Scale, Cost: 43, ExpiresAt: expires}}})
		if err != nil {
			return err
		}
		batch = doc.Lines[0].Batch
		return clear.Watch(tx, []clear.Batch{{ID: batch, Site: site, SKU: sku, Product: sku, Made: expires.Add(-24 * time.Hour), Expires: expires, First: tx.Now(), NextAt: tx.Now()}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.done(x.boss, "POST", "/api/clear/run", m{"site_id": x.ids["site"]})
	return batch.String()
}

// history is sixty days of sales at a site, so that it can be forecast.
func (w *town) history(site, product id.ID) {
	w.t.Helper()
	today := cal.On(w.d.Clock.Now())
	load := id.New()
	err := w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		if err := forecast.OpenLoad(tx, load); err != nil {
			return err
		}
		var days []forecast.SaleDay
		for k := range 60 {
			days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: site, ProductID: product, Date: today.AddDays(-1 - k)}, Qty: qty.Qty(5+k%7) * qty.Scale})
		}
		if err := forecast.PutSales(tx, load, days); err != nil {
			return err
		}
		return forecast.ApplyLoad(tx, load)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) person(name, display, site, role, kind, scope string) string {
	w.t.Helper()
	p := w.done(w.admin, "POST", "/api/org/staff", m{"name": name, "display_name": display, "password": "long-enough-7", "site_id": site}).id()
	w.done(w.admin, "PUT", "/api/org/staff/"+p+"/grants", []m{{"role_id": role, "scope_kind": kind, "scope_id": scope}})
	return p
}

// basket is one bottle, paid in cash or by a payer who never confirms.
func (w *town) basket(x world, tender string) m {
	pay := m{"kind": tender, "amount_fen": 777}
	if tender == "mobile" {
		pay["pay_code"] = "28000000000093"
	}
	return m{"site_id": x.ids["site"], "register": "1", "expect_total_fen": 777, "tenders": []m{pay},
		"lines": []m{{"product_id": x.ids["product"], "unit": "瓶", "qty": "1", "batch_id": x.ids["batch"]}}}
}

// transfer sends a bottle to the kitchen.
func (w *town) transfer(x world) m {
	return m{"from_site_id": x.ids["site"], "to_site_id": x.ids["kitchen"], "note": x.canary, "lines": []m{{"product_id": x.ids["product"], "qty": "1"}}}
}

// promise keeps a bottle for an order.
func (w *town) promise(x world) m {
	return m{"site_id": x.ids["site"], "channel": "phone", "ref": x.canary, "minutes": 60, "lines": []m{{"product_id": x.ids["product"], "qty": "1"}}}
}

// making is a request for two bottles, to make two kilograms of apples of them; scanned takes them from the batch.
func (w *town) making(x world) m {
	return m{"site_id": x.ids["site"], "product_id": w.goods["2001"], "qty": "2", "unit": "kg", "note": x.canary,
		"materials": []m{{"product_id": x.ids["product"], "qty": "2", "unit": "瓶"}}}
}

func (w *town) scanned(x world) m {
	return m{"lines": []m{{"product_id": x.ids["product"], "batch_id": x.ids["batch"], "qty": "2"}}}
}

// rows is every row of every table, to see that nothing was changed.
func (w *town) rows() map[string]string {
	w.t.Helper()
	if w.eye == nil {
		w.eye = w.d.DB
		if w.d.Engine() == db.SQLite {
			var err error
			if w.eye, err = db.Open(w.t.Context(), w.d.DSN, db.Options{ReadConns: 1}); err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { w.eye.Close() })
		}
	}
	all := map[string]string{}
	err := w.eye.Read(w.t.Context(), func(tx *db.Tx) error {
		// Whoever writes moves this number: while it stays the same nothing has changed.
		q, number := `SELECT name FROM sqlite_master WHERE type = 'table'`, `SELECT CAST(data_version AS TEXT) FROM pragma_data_version`
		if tx.Engine() == db.Postgres {
			q, number = `SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()`, `SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT)`
		}
		var next string
		if err := tx.QueryRow(number).Scan(&next); err != nil {
			return err
		}
		if next == w.seenAt {
			all = w.seen
			return nil
		}
		w.seenAt, w.seen = next, all
		var tables []string
		rows := tx.Query(q)
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			tables = append(tables, name)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		tables = slices.DeleteFunc(tables, func(name string) bool { return strings.HasPrefix(name, "sqlite_") })
		asked := make([]*db.Row, len(tables))
		if tx.Engine() == db.Postgres {
			for i, name := range tables { // all of them travel together
				asked[i] = tx.QueryRow(`SELECT COUNT(*), COALESCE(md5(string_agg(md5(CAST(x AS TEXT)), ',' ORDER BY md5(CAST(x AS TEXT)))), '') FROM ` + name + ` AS x`)
			}
		}
		for i, name := range tables {
			var n int64
			var text string
			var err error
			if asked[i] != nil {
				err = asked[i].Scan(&n, &text)
			} else {
				n, text, err = liteRows(tx, name)
			}
			if err != nil {
				return err
			}
			all[name] = fmt.Sprintf("%d rows %s", n, text)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// liteRows joins all cells of a table.
func liteRows(tx *db.Tx, table string) (int64, string, error) {
	var columns []string
	rows := tx.Query(`SELECT name FROM pragma_table_info($1)`, table)
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			return 0, "", err
		}
		columns = append(columns, "quote("+c+")")
	}
	if err := rows.Err(); err != nil {
		return 0, "", err
	}
	var n int64
	var text *string
	err := tx.QueryRow(`SELECT COUNT(*), group_concat(r, '|') FROM (SELECT `+strings.Join(columns, "||','||")+` AS r FROM `+table+` ORDER BY 1)`).Scan(&n, &text)
	if text == nil {
		return n, "", err
	}
	return n, *text, err
}

// changed names the tables that differ.
func changed(before, after map[string]string) (names []string) {
	for name, rows := range after {
		if before[name] != rows {
			names = append(names, name)
		}
	}
	return names
}

func (w *town) green() {
	w.t.Helper()
	r, err := proof.Run(w.t.Context(), w.d.DB, proofs())
	if err != nil || !r.OK {
		w.t.Errorf("proofs: %+v %v", r, err)
	}
}
