// Package town is an installation for stories of the whole house: two companies side by side with all they can have, and a good
// request for every route whose rows belong to sites. Only tests use it.
package town

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

	"zhanggui/internal/app"
	"zhanggui/internal/catalog"
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

// AdminPassword is the password of the first person.
const AdminPassword = "sesame-open-9"

// Town is an installation with two legal entities, each with a store, goods, sales and people. What
// belongs to the second is marked with a canary word.
type Town struct {
	seenAt string // what writers had left when the rows were read
	seen   map[string]string
	eye    *db.DB // SQLite: one connection of its own, which is told when another has written
	T      *testing.T
	D      *dbtest.DB
	House  *app.Inside
	Roles  map[string]id.ID
	All    string // id of a role with every permission
	Admin  string // cookie
	Goods  map[string]string
	A, B   World

	Tomorrow string
	Supplier string
}

// World is what one entity has, by what it is called in requests.
type World struct {
	Name, Canary string
	IDs          map[string]string
	Boss         string // may everything within the entity
}

// Canary marks what belongs to the second company.
const Canary = "CANARY"

type m = map[string]any

// Whole is a database with every table, a copy: only the tests of serve begin with nothing.
var Whole = dbtest.With(app.Schema()...)

// Open starts an installation as serve does.
func Open(t *testing.T, d *dbtest.DB) *Town {
	t.Helper()
	w := &Town{T: t, D: d}
	var err error
	if w.House, err = app.Enter(d.DB, app.Entry{Log: slog.New(slog.DiscardHandler), Business: d.Clock, OnFault: func(op, fault string) {
		t.Errorf("%s answers otherwise than the document says: %s", op, fault)
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.House.Start(t.Context(), AdminPassword); err != nil {
		t.Fatal(err)
	}
	w.Admin = w.SignIn("admin", AdminPassword)
	return w
}

// Reply is an answer; Cookie is that of a sign-in.
type Reply struct {
	Status int
	Code   string
	Text   string
	Body   m
	Cookie string
}

func (a Reply) String() string { return fmt.Sprintf("%d %s %.300s", a.Status, a.Code, a.Text) }

// Send makes a Request as the holder of the cookie, with a key of its own.
func (w *Town) Send(cookie, method, path string, body any) Reply {
	w.T.Helper()
	return w.SendOnce(cookie, id.New().String(), method, path, body)
}

// SendOnce makes a Request under a key.
func (w *Town) SendOnce(cookie, key, method, path string, body any) Reply {
	w.T.Helper()
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
			w.T.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, &b)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Idempotency-Key", key)
	if cookie != "" {
		r.Header.Set("Cookie", "zhanggui="+cookie)
	}
	rec := httptest.NewRecorder()
	w.House.API().ServeHTTP(rec, r)
	a := Reply{Status: rec.Code, Text: rec.Body.String()}
	if strings.Contains(rec.Header().Get("Content-Type"), "json") {
		_ = json.Unmarshal(rec.Body.Bytes(), &a.Body)
		a.Code, _ = a.Body["code"].(string)
	}
	for _, c := range rec.Result().Cookies() {
		a.Cookie = c.Value
	}
	return a
}

// Done is a Request that must succeed.
func (w *Town) Done(cookie, method, path string, body any) Reply {
	w.T.Helper()
	a := w.Send(cookie, method, path, body)
	if a.Status != http.StatusOK {
		w.T.Fatalf("%s %s: %v", method, path, a)
	}
	return a
}

func (w *Town) SignIn(name, password string) string {
	w.T.Helper()
	return w.Done("", "POST", "/api/sign-in", m{"name": name, "password": password}).Cookie
}

func (a Reply) ID() string { s, _ := a.Body["id"].(string); return s }

// Settle makes two worlds of the same kind side by side.
func (w *Town) Settle() {
	w.T.Helper()
	if err := w.D.Read(w.T.Context(), func(tx *db.Tx) (err error) { w.Roles, err = org.RoleIDs(tx); return err }); err != nil {
		w.T.Fatal(err)
	}
	var every []string
	for _, p := range app.Permissions() {
		every = append(every, p.Name)
	}
	w.All = w.Done(w.Admin, "POST", "/api/org/roles", m{"name": "everything", "permissions": every}).ID()
	w.Goods = map[string]string{}
	for _, p := range w.Done(w.Admin, "GET", "/api/goods/products", nil).Body["items"].([]any) {
		w.Goods[p.(m)["code"].(string)] = p.(m)["id"].(string)
	}
	w.Goods["JAR"] = w.Done(w.Admin, "POST", "/api/goods/products", m{"code": "JAR", "name": "一罐", "base_unit": "piece", "tax_pct": 13}).ID()
	w.Goods["SET"] = w.Done(w.Admin, "POST", "/api/goods/products", m{"code": "SET", "name": "一篮", "base_unit": "piece", "tax_pct": 13,
		"parts": []m{{"product_id": w.Goods["1001"], "unit": "瓶", "qty": "2"}, {"product_id": w.Goods["2001"], "unit": "kg", "qty": "1"}}}).ID()
	w.Tomorrow = string(cal.On(w.D.Clock.Now()).AddDays(1))
	w.Supplier = w.Done(w.Admin, "POST", "/api/suppliers", m{"code": "W1", "name": "水厂"}).ID()
	w.Done(w.Admin, "PUT", "/api/suppliers/"+w.Supplier+"/terms/"+w.Goods["1001"], m{"pack_qty": "1", "price_fen4": 1_000_000, "lead_class": "fresh"})
	w.A = w.world("A", "plain")
	w.B = w.world("B", Canary)
	w.Done(w.Admin, "POST", "/api/forecasts/run", m{})
	for range 3 { // forecasts make plans
		if err := w.House.Jobs().Drain(w.T.Context()); err != nil {
			w.T.Fatal(err)
		}
		if err := w.House.Relay().Drain(w.T.Context()); err != nil {
			w.T.Fatal(err)
		}
	}
	for _, x := range []World{w.A, w.B} {
		w.Planned(x)
		for _, of := range []string{"mix", "mix2", "mix3"} {
			w.Mix(x, of)
		}
	}
	w.Done(w.Admin, "PUT", "/api/goods/products/"+w.Goods["JAR"]+"/recipes", m{"valid_from": string(cal.On(w.D.Clock.Now())), "yield_qty": "1", "components": []m{{"product_id": w.Goods["1001"], "qty": "1"}}})
}

// Planned finds the plan of a world's store: a line to confirm, one to change, and one that has become a requisition.
func (w *Town) Planned(x World) {
	w.T.Helper()
	x.IDs["plan"] = w.Done(x.Boss, "GET", "/api/plans?site_id="+x.IDs["site"], nil).Body["items"].([]any)[0].(m)["id"].(string)
	lines := w.Done(x.Boss, "GET", "/api/plans/"+x.IDs["plan"]+"/proposals", nil).Body["items"].([]any)
	if len(lines) < 4 {
		w.T.Fatalf("a plan with %d lines: %v", len(lines), lines)
	}
	var asked []string
	for _, l := range lines {
		asked = append(asked, l.(m)["id"].(string))
	}
	x.IDs["line"], x.IDs["line2"] = asked[1], asked[2]
	x.IDs["line3"] = w.Hurried(x)
	line := w.Done(x.Boss, "POST", "/api/plans/"+x.IDs["plan"]+"/lines/"+asked[0]+"/confirm", nil)
	x.IDs["storereq"] = line.Body["proposal"].(m)["document_id"].(string)
	line = w.Done(x.Boss, "POST", "/api/plans/"+x.IDs["plan"]+"/lines/"+asked[3]+"/confirm", nil)
	x.IDs["storereq2"] = line.Body["proposal"].(m)["document_id"].(string)
	for _, of := range []string{"order", "order2"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/purchase/orders", w.Order(x)).ID()
	}
	w.Done(x.Boss, "POST", "/api/purchase/orders/"+x.IDs["order2"]+"/confirm", nil)
}

// Hurried is a line in a hurry in the plan of a world's store.
func (w *Town) Hurried(x World) (line string) {
	w.T.Helper()
	site, _ := id.Parse(x.IDs["site"])
	water, _ := id.Parse(w.Goods["1001"])
	supplier, _ := id.Parse(w.Supplier)
	err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
		_, lines, err := replenish.Hurry(tx, site, "2026-03-02", []replenish.ProposalRow{{Product: water, Supplier: supplier, Due: "2026-03-02", OrderBy: "2026-03-02 12:00", Net: 3 * qty.Scale, Packs: 3,
			Qty: 3 * qty.Scale, Amount: 300, Pack: qty.Scale, Unit: qty.Unit{Name: "瓶", Num: 1, Den: 1}, Price: 1_000_000, MinPacks: 1, Mode: replenish.Dynamic, Level: replenish.Tuning, Execution: replenish.Suggest, Factor: replenish.One,
			Why: replenish.ProposalWhy{Others: []replenish.Other{}}}})
		if err == nil {
			line = lines[0].String()
		}
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return line
}

// Event is a promotion in a world's store.
func (w *Town) Event(x World) m {
	return m{"site_id": x.IDs["site"], "kind": "promotion", "name": x.Canary, "from_date": w.Tomorrow, "to_date": w.Tomorrow, "products": []string{w.Goods["1001"]}}
}

// Change is a price Change of a world's shop, for tomorrow.
func (w *Town) Change(x World) m {
	return m{"site_id": x.IDs["site"], "valid_from": w.Tomorrow, "note": x.Canary, "lines": []m{{"product_id": x.IDs["product"], "unit": "瓶", "price_fen": 888}}}
}

// Conversion makes a jar of a bottle.
func (w *Town) Conversion(x World) m {
	return m{"site_id": x.IDs["site"], "shape": "convert", "basis": "share", "note": x.Canary, "lines": []m{{"product_id": x.IDs["product"], "batch_id": x.IDs["batch"], "qty": "1"}},
		"outputs": []m{{"product_id": w.Goods["JAR"], "qty": "1"}}}
}

// Order is ten bottles to be bought for tomorrow.
func (w *Town) Order(x World) m {
	return m{"site_id": x.IDs["site"], "supplier_id": w.Supplier, "due": w.Tomorrow, "note": x.Canary, "lines": []m{{"product_id": x.IDs["product"], "packs": 10}}}
}

func (w *Town) world(name, mark string) World {
	w.T.Helper()
	x := World{Name: name, Canary: mark, IDs: map[string]string{"product": w.Goods["1001"], "role": w.Roles["cashier"].String()}}
	x.IDs["entity"] = w.Done(w.Admin, "POST", "/api/org/entities", m{"code": "EN" + name, "name": mark + " entity"}).ID()
	x.IDs["site"] = w.Done(w.Admin, "POST", "/api/org/sites", m{"code": "SI" + name, "name": mark + " store", "kind": "store", "address": mark, "entity_id": x.IDs["entity"]}).ID()
	boss := w.Person("boss"+strings.ToLower(name), mark, x.IDs["site"], w.All, "entity", x.IDs["entity"])
	x.IDs["boss"] = boss
	x.Boss = w.SignIn("boss"+strings.ToLower(name), "long-enough-7")
	x.IDs["staff"] = w.Person("staff"+strings.ToLower(name), mark, x.IDs["site"], x.IDs["role"], "site", x.IDs["site"])
	x.IDs["register"] = w.Done(x.Boss, "POST", "/api/till/registers", m{"site_id": x.IDs["site"], "code": "1", "name": mark}).ID()
	x.IDs["price"] = w.Done(x.Boss, "POST", "/api/prices", m{"site_id": x.IDs["site"], "product_id": x.IDs["product"], "unit": "瓶", "price_fen": 777}).ID()
	for _, of := range []string{"change", "change2", "change3"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/prices/documents", w.Change(x)).ID()
	}
	site, _ := id.Parse(x.IDs["site"])
	sku, _ := id.Parse(x.IDs["product"])
	err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
		s, err := org.SiteByID(tx, site)
		if err != nil {
			return err
		}
		doc, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s, Note: mark}, Opening: true,
			Lines: []stock.Arrival{{SKU: sku, Code: mark + "-1", Qty: 100 * qty.Scale, Cost: 4321}}})
		if err == nil {
			x.IDs["batch"] = doc.Lines[0].Batch.String()
			x.IDs["document"] = doc.ID.String()
		}
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	x.IDs["nearing"] = w.Nearing(x, site, sku, mark)
	x.IDs["sale"] = w.Done(x.Boss, "POST", "/api/till/sales", w.Basket(x, "cash")).ID()
	x.IDs["sale2"] = w.Done(x.Boss, "POST", "/api/till/sales", w.Basket(x, "cash")).ID()
	x.IDs["awaiting"] = w.Done(x.Boss, "POST", "/api/till/sales", w.Basket(x, "mobile")).ID()
	refused := w.Basket(x, "mobile") // the provider refuses to give back
	refused["tenders"].([]m)[0]["pay_code"] = "28000000000097"
	x.IDs["owed"] = w.Done(x.Boss, "POST", "/api/till/sales", refused).ID()
	w.Done(x.Boss, "POST", "/api/till/sales/"+x.IDs["owed"]+"/void", m{"reason": "mistake"})
	for _, of := range []string{"conversion", "conversion2"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/conversions", w.Conversion(x)).ID()
	}
	x.IDs["requisition"] = w.Done(x.Boss, "POST", "/api/making/requisitions", w.Making(x)).ID()
	x.IDs["requisition2"] = w.Done(x.Boss, "POST", "/api/making/requisitions", w.Making(x)).ID()
	taken := w.Done(x.Boss, "POST", "/api/making/requisitions", w.Making(x)).ID()
	x.IDs["task"] = w.Done(x.Boss, "POST", "/api/making/requisitions/"+taken+"/complete", w.Scanned(x)).ID()
	x.IDs["presence"] = w.Done(x.Boss, "POST", "/api/attendance", m{"site_id": x.IDs["site"], "staff_id": x.IDs["staff"], "in_at": w.Ago(7), "out_at": w.Ago(6), "reason": mark}).ID()
	w.History(site, sku)
	apples, _ := id.Parse(w.Goods["2001"])
	w.History(site, apples)
	x.IDs["kitchen"] = w.Done(w.Admin, "POST", "/api/org/sites", m{"code": "KI" + name, "name": mark + " kitchen", "kind": "kitchen", "address": mark, "entity_id": x.IDs["entity"]}).ID()
	x.IDs["sister"] = w.Done(w.Admin, "POST", "/api/org/sites", m{"code": "SS" + name, "name": mark + " sister", "kind": "store", "address": mark, "entity_id": x.IDs["entity"]}).ID()
	w.Done(x.Boss, "PUT", "/api/plans/sources", m{"site_id": x.IDs["site"], "product_id": w.Goods["2001"], "source_id": x.IDs["kitchen"], "lead_h": 72})
	for _, of := range []string{"event", "event2"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/plans/events", w.Event(x)).ID()
	}
	if w.Goods["oven"] == "" { // kinds of equipment are the group's, as goods are
		w.Goods["oven"] = w.Done(w.Admin, "POST", "/api/plans/equipment", m{"name": "oven"}).ID()
	}
	w.Done(x.Boss, "PUT", "/api/plans/rules", m{"site_id": x.IDs["site"], "product_id": w.Goods["1001"], "mode": "dynamic"})
	if err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
		return replenish.PutBlocks(tx, site, "2026-03-02", []replenish.Block{{Product: sku, Sold: 9 * qty.Scale, Threshold: 8 * qty.Scale}})
	}); err != nil {
		w.T.Fatal(err)
	}
	w.offers(x, site, sku)
	for _, of := range []string{"transfer", "transfer2", "shipped", "missing"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/stock/transfers", w.Transfer(x)).ID()
	}
	for _, of := range []string{"shipped", "missing"} {
		sent := w.Done(x.Boss, "POST", "/api/stock/transfers/"+x.IDs[of]+"/ship", m{})
		x.IDs["transit"] = sent.Body["transits"].([]any)[0].(m)["id"].(string)
	}
	w.Done(x.Boss, "POST", "/api/stock/transfers/"+x.IDs["missing"]+"/receive", m{"lines": []m{{"transit_id": x.IDs["transit"], "qty": "0"}}})
	for _, of := range []string{"count", "count2", "count3", "counted", "counted2", "reviewed"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/stock/counts", m{"site_id": x.IDs["site"], "note": mark, "limit_fen": 100}).ID()
		line := "/api/stock/counts/" + x.IDs[of] + "/lines/1/entries"
		switch of {
		case "counted": // what somebody else counted can be approved
			w.Done(x.Boss, "POST", line, m{"qty": "1"})
		case "counted2":
			w.Done(w.Admin, "POST", line, m{"qty": "1"})
		case "reviewed":
			w.Done(x.Boss, "POST", "/api/stock/counts/"+x.IDs[of]+"/review", nil)
		}
	}
	bought := w.Done(x.Boss, "POST", "/api/stock/receipts", m{"site_id": x.IDs["site"], "note": mark, "lines": []m{{"product_id": x.IDs["product"], "qty": "10", "cost_fen": 100}}})
	x.IDs["receipt"], x.IDs["bought"] = bought.ID(), bought.Body["lines"].([]any)[0].(m)["batch_id"].(string)
	x.IDs["landed"] = w.Done(x.Boss, "POST", "/api/stock/landed-costs", m{"site_id": x.IDs["site"], "receipt_id": x.IDs["receipt"], "basis": "value", "charge_fen": 100, "note": mark}).ID()
	for _, of := range []string{"promise", "promise2"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/stock/promises", w.Promise(x)).ID()
	}
	x.IDs["policy"] = w.Done(x.Boss, "PUT", "/api/stock/pick-policies", m{"site_id": x.IDs["site"], "product_id": x.IDs["product"], "channel": "wholesale", "rule": "fewest"}).ID()
	file := "date,product,quantity,store\n2026-02-01,1001,1,SI" + name + "\n2026-02-01," + mark + ",1,SI" + name + "\n"
	for _, of := range []string{"import", "import2", "import3"} {
		x.IDs[of] = w.Done(x.Boss, "POST", "/api/imports?kind=sales&file_name="+mark+".csv", file).ID()
	}
	w.Done(x.Boss, "POST", "/api/imports/"+x.IDs["import"]+"/run", m{"mode": "good"})
	return x
}

// offers are what a world's store has to spare: one to take of, one to withdraw, one to agree to. Its sister is in reach.
func (w *Town) offers(x World, site, product id.ID) {
	w.T.Helper()
	w.Done(x.Boss, "PUT", "/api/plans/near", m{"site_id": x.IDs["sister"], "near_id": x.IDs["site"], "minutes": 20})
	apples, _ := id.Parse(w.Goods["2001"])
	jar, _ := id.Parse(w.Goods["JAR"])
	as := map[id.ID]string{product: "offer", apples: "offer2", jar: "offer3"}
	if err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
		var all []replenish.Surplus
		for p, of := range as {
			how := replenish.Act
			if of == "offer3" {
				how = replenish.Suggest
			}
			all = append(all, replenish.Surplus{Product: p, Spare: 9 * qty.Scale, Until: tx.Now().Add(10 * time.Hour), Execution: how})
		}
		if err := replenish.PutSurplus(tx, site, "2026-03-02", all, func(id.ID) bool { return true }); err != nil {
			return err
		}
		made, err := replenish.Offers(tx, site, "2026-03-02")
		for _, o := range made {
			x.IDs[as[o.ProductID]] = o.ID.String()
		}
		return err
	}); err != nil {
		w.T.Fatal(err)
	}
}

// Mix proposes what a blend of a world's store is made from, unless that is proposed: a plan takes back what it would not propose itself.
// That of mix3 is in force.
func (w *Town) Mix(x World, of string) string {
	w.T.Helper()
	goods := func(code string) id.ID {
		if w.Goods[code] == "" {
			w.Goods[code] = w.Done(w.Admin, "POST", "/api/goods/products", m{"code": code, "name": "blend " + code, "base_unit": "g", "tax_pct": 13}).ID()
		}
		p, _ := id.Parse(w.Goods[code])
		return p
	}
	black, green := goods("BLACK"), goods("GREEN")
	fresh := w.Goods["BLEND"+of] == ""
	blend := goods("BLEND" + of)
	if fresh {
		w.Done(w.Admin, "PUT", "/api/goods/products/"+blend.String()+"/recipes", m{"valid_from": "2026-01-01", "yield_qty": "1000", "components": []m{
			{"product_id": black.String(), "qty": "1000", "options": []m{{"product_id": green.String(), "qty": "1", "for_qty": "1", "share": "0.5"}}}}})
	}
	site, _ := id.Parse(x.IDs["site"])
	if err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
		s, err := org.SiteByID(tx, site)
		if err != nil {
			return err
		}
		today := s.BusinessDate(tx.Now())
		all, _, err := replenish.MixesOf(tx, site, today)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(m replenish.Mix) bool { return m.Product == blend }); i >= 0 {
			x.IDs[of] = all[i].ID.String()
			return nil
		}
		versions, err := catalog.RecipesOf(tx, []id.ID{blend})
		if err != nil {
			return err
		}
		r := versions[0]
		if err := replenish.PutMixes(tx, site, replenish.MixesToDo{Propose: []replenish.Mix{{Product: blend, Recipe: r.ValidFrom, Revision: r.Revision, First: today, Last: today.AddDays(20), Cause: replenish.MixCost,
			Shares: catalog.Mix{black: 400_000, green: 600_000}, Why: `{"lines":[]}`}}}); err != nil {
			return err
		}
		if all, _, err = replenish.MixesOf(tx, site, today); err != nil {
			return err
		}
		last := all[slices.IndexFunc(all, func(m replenish.Mix) bool { return m.Product == blend })]
		x.IDs[of] = last.ID.String()
		if of == "mix3" {
			return last.Approve(tx, 0, today, last.Version, replenish.MixChange{})
		}
		return nil
	}); err != nil {
		w.T.Fatal(err)
	}
	return x.IDs[of]
}

// Ago is so many hours before now on the business clock.
func (w *Town) Ago(hours int) string {
	return w.D.Clock.Now().Add(-time.Duration(hours) * time.Hour).UTC().Format(time.RFC3339)
}

// Nearing is a bottle in its last hours, which clearance has in view.
func (w *Town) Nearing(x World, site, sku id.ID, mark string) string {
	w.T.Helper()
	var batch id.ID
	err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
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
		w.T.Fatal(err)
	}
	w.Done(x.Boss, "POST", "/api/clear/run", m{"site_id": x.IDs["site"]})
	return batch.String()
}

// History is sixty days of sales at a site, so that it can be forecast.
func (w *Town) History(site, product id.ID) {
	w.T.Helper()
	today := cal.On(w.D.Clock.Now())
	load := id.New()
	err := w.D.Write(w.T.Context(), func(tx *db.Tx) error {
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
		w.T.Fatal(err)
	}
}

func (w *Town) Person(name, display, site, role, kind, scope string) string {
	w.T.Helper()
	p := w.Done(w.Admin, "POST", "/api/org/staff", m{"name": name, "display_name": display, "password": "long-enough-7", "site_id": site}).ID()
	w.Done(w.Admin, "PUT", "/api/org/staff/"+p+"/grants", []m{{"role_id": role, "scope_kind": kind, "scope_id": scope}})
	return p
}

// Basket is one bottle, paid in cash or by a payer who never confirms.
func (w *Town) Basket(x World, tender string) m {
	pay := m{"kind": tender, "amount_fen": 777}
	if tender == "mobile" {
		pay["pay_code"] = "28000000000093"
	}
	return m{"site_id": x.IDs["site"], "register": "1", "expect_total_fen": 777, "tenders": []m{pay},
		"lines": []m{{"product_id": x.IDs["product"], "unit": "瓶", "qty": "1", "batch_id": x.IDs["batch"]}}}
}

// Transfer sends a bottle to the kitchen.
func (w *Town) Transfer(x World) m {
	return m{"from_site_id": x.IDs["site"], "to_site_id": x.IDs["kitchen"], "note": x.Canary, "lines": []m{{"product_id": x.IDs["product"], "qty": "1"}}}
}

// Promise keeps a bottle for an order.
func (w *Town) Promise(x World) m {
	return m{"site_id": x.IDs["site"], "channel": "phone", "ref": x.Canary, "minutes": 60, "lines": []m{{"product_id": x.IDs["product"], "qty": "1"}}}
}

// Making is a Request for two bottles, to make two kilograms of apples of them; scanned takes them from the batch.
func (w *Town) Making(x World) m {
	return m{"site_id": x.IDs["site"], "product_id": w.Goods["2001"], "qty": "2", "unit": "kg", "note": x.Canary,
		"materials": []m{{"product_id": x.IDs["product"], "qty": "2", "unit": "瓶"}}}
}

func (w *Town) Scanned(x World) m {
	return m{"lines": []m{{"product_id": x.IDs["product"], "batch_id": x.IDs["batch"], "qty": "2"}}}
}

// Rows is every row of every table, to see that nothing was changed.
//
//allow:sql every table, by the names that the database gives
func (w *Town) Rows() map[string]string {
	w.T.Helper()
	if w.eye == nil {
		w.eye = w.D.DB
		if w.D.Engine() == db.SQLite {
			var err error
			if w.eye, err = db.Open(w.T.Context(), w.D.DSN, db.Options{ReadConns: 1}); err != nil {
				w.T.Fatal(err)
			}
			w.T.Cleanup(func() { w.eye.Close() })
		}
	}
	all := map[string]string{}
	err := w.eye.Read(w.T.Context(), func(tx *db.Tx) error {
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
		w.T.Fatal(err)
	}
	return all
}

// liteRows joins all cells of a table.
//
//allow:sql every table, by the names that the database gives
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

// Changed names the tables that differ.
func Changed(before, after map[string]string) (names []string) {
	for name, rows := range after {
		if before[name] != rows {
			names = append(names, name)
		}
	}
	return names
}

func (w *Town) Green() {
	w.T.Helper()
	r, err := proof.Run(w.T.Context(), w.D.DB, app.Proofs())
	if err != nil || !r.OK {
		w.T.Errorf("proofs: %+v %v", r, err)
	}
}

// Red names the proofs that are red.
func (w *Town) Red() (names []string) {
	w.T.Helper()
	r, err := proof.Run(w.T.Context(), w.D.DB, app.Proofs())
	if err != nil {
		w.T.Fatal(err)
	}
	for _, p := range r.Proofs {
		if p.Bad > 0 {
			names = append(names, p.Name)
		}
	}
	return names
}
