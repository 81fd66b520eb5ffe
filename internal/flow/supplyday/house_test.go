package supplyday

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/price"
	"zhanggui/internal/produce"
	"zhanggui/internal/purchase"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// chain is an installation with a store, another store of somebody else, and a kitchen. It is Monday 2026-03-02, 05:40
// in the morning; the store has sold wraps, burgers and cola for sixty days.
type chain struct {
	t      testing.TB
	d      *dbtest.DB
	s      *Service
	api    *web.API
	goods  *catalog.Service
	prices *price.Service
	runner *jobs.Runner
	relay  *outbox.Relay
	keys   int

	admin   string // cookie
	manager string // of the store alone
	site    org.Site
	other   id.ID
	kitchen id.ID
	p       map[string]*catalog.Product
	sup     map[string]id.ID
}

type m = map[string]any

// errUndo ends an act that must leave nothing behind.
var errUndo = errors.New("undo")

var tables = dbtest.With(once.Migrations, outbox.Migrations, jobs.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations, party.Migrations, stock.Migrations,
	price.Migrations, forecast.Migrations, produce.Migrations, replenish.Migrations, purchase.Migrations, till.Migrations)

func each(t *testing.T, story func(c *chain)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		story(c)
		if !t.Failed() {
			c.green()
		}
	}, tables)
}

func perms(names ...string) (all []org.Permission) {
	for _, n := range names {
		all = append(all, org.Permission{Name: n, ZH: n, EN: n})
	}
	return all
}

func open(t testing.TB, d *dbtest.DB) *chain {
	t.Helper()
	d.Clock.Set(time.Date(2026, 3, 1, 21, 40, 0, 0, time.UTC))
	c := &chain{t: t, d: d, p: map[string]*catalog.Product{}, sup: map[string]id.ID{}}
	quiet := slog.New(slog.DiscardHandler)
	wall := clock.Fixed(d.Clock.Now())
	o := org.New(org.Options{Wall: wall, Log: quiet, Permissions: perms("org.read", "org.manage", "plan.read", "plan.confirm", "plan.approve", "plan.rules", "purchase.read", "purchase.manage", "stock.manage", "stock.read"),
		Roles: []org.BuiltIn{{Key: org.Administrator, Name: "管理员"}, {Key: "manager", Name: "店长", Perms: []string{"plan.read", "plan.confirm", "plan.approve", "plan.rules", "purchase.read", "purchase.manage", "stock.manage", "stock.read"}},
			{Key: "planner", Name: "计划员", Perms: []string{"plan.read", "plan.confirm"}},
			{Key: "cashier", Name: "收银员", Perms: []string{"plan.read"}}}})
	c.api = web.New(web.Options{SignedIn: o.SignedIn, Clock: wall, Log: quiet, OnFault: func(op, fault string) { t.Errorf("%s: %s", op, fault) }})
	c.goods = catalog.New(d.DB)
	forecasts := forecast.New(c.goods)
	c.prices = price.New(d.DB, c.goods)
	c.s = New(c.goods, forecasts, c.prices, o)
	o.Routes(c.api)
	c.s.Routes(c.api)
	purchase.Routes(c.api)
	stock.Routes(c.api)
	c.api.Open(d.DB)
	c.runner = jobs.NewRunner(d.DB, 1, quiet)
	c.relay = outbox.NewRelay(d.DB, quiet)
	forecasts.Jobs(c.runner)
	c.s.Jobs(c.runner)
	c.s.Subscribe(c.relay)
	first, err := o.Start(t.Context(), d.DB, "sesame-open-9")
	if err != nil {
		t.Fatal(err)
	}
	c.site = *first.Site
	c.admin = c.signIn(first.Name, "sesame-open-9")
	c.other = c.idOf(c.done(c.admin, "POST", "/api/org/sites", m{"code": "S777", "name": "别家", "kind": "store", "entity_id": first.Entity.ID.String()}))
	c.kitchen = c.idOf(c.done(c.admin, "POST", "/api/org/sites", m{"code": "K1", "name": "中央厨房", "kind": "kitchen", "entity_id": first.Entity.ID.String()}))
	c.manager = c.hire("manager", c.site.ID)
	c.range_()
	return c
}

// range_ is what the store makes and buys.
func (c *chain) range_() {
	for _, p := range []struct {
		code, base string
		life       int64
		batch      int64
		unit       string
		num        int64
	}{{"wrap", "piece", 24, 6, "", 0}, {"burger", "piece", 6, 4, "", 0}, {"breast", "g", 96, 0, "kg", 1000}, {"sheet", "piece", 1440, 0, "", 0}, {"lettuce", "g", 72, 0, "kg", 1000},
		{"bun", "piece", 96, 0, "", 0}, {"patty", "piece", 2160, 0, "", 0}, {"sauce", "g", 72, 0, "kg", 1000}, {"tomato", "g", 96, 0, "kg", 1000}, {"cola", "piece", 0, 0, "box", 24}} {
		c.write(func(tx *db.Tx) (err error) {
			d := catalog.Draft{Code: p.code, Name: "名" + p.code, BaseUnit: p.base, ShelfLifeH: p.life, BatchSize: qty.Qty(p.batch * qty.Scale), TaxPct: 1300}
			if p.unit != "" {
				d.Units = []catalog.UnitDraft{{Name: p.unit, Num: p.num}}
			}
			c.p[p.code], err = c.goods.Create(tx, d)
			return err
		})
	}
	c.write(func(tx *db.Tx) error {
		return c.goods.PutRecipes(tx, 0, []catalog.Recipe{
			c.recipe("wrap", 1, "breast 50 30000", "sheet 1 30000", "lettuce 30 30000"),
			c.recipe("burger", 1, "bun 1 0", "patty 1 0", "lettuce 20 0", "sauce 15 0"),
			c.recipe("sauce", 1000, "tomato 1500 0")})
	})
	for code, class := range map[string]party.LeadClass{"fresh": party.Fresh, "cold": party.Frozen, "cheap": party.Fresh} {
		c.write(func(tx *db.Tx) error {
			s, err := party.AddSupplier(tx, party.SupplierDraft{Code: code, Name: "供" + code})
			if err != nil {
				return err
			}
			c.sup[code] = s.ID
			var terms []party.Terms
			for _, of := range map[string][]string{"fresh": {"breast kg 5000 19600000 1", "lettuce g 3000000 9000 1", "bun piece 12000 100000 1", "tomato kg 5000 8000000 1"},
				"cold": {"sheet piece 50000 700000 1", "patty piece 40000 4000000 1", "cola box 1000 24000000 2"}, "cheap": {"breast kg 10000 15000000 1"}}[code] {
				var p, unit string
				var pack, price, least int64
				fmt.Sscan(of, &p, &unit, &pack, &price, &least)
				u := qty.Unit{Name: unit, Num: 1, Den: 1}
				if got := c.p[p].Unit(unit); got != nil {
					u = got.Qty()
				}
				terms = append(terms, party.Terms{Supplier: s.ID, Product: c.p[p].ID, Pack: qty.Qty(pack), Unit: u, Price: money.Fen4(price), MinPacks: least, Class: class, Days: party.EveryDay, CutOff: 960})
			}
			return party.PutTerms(tx, 0, terms)
		})
	}
}

func (c *chain) recipe(product string, yield int64, parts ...string) catalog.Recipe {
	r := catalog.Recipe{Product: c.p[product].ID, ValidFrom: "2026-01-01", Yield: qty.Qty(yield * qty.Scale)}
	for _, part := range parts {
		var code string
		var n, loss int64
		fmt.Sscan(part, &code, &n, &loss)
		r.Components = append(r.Components, catalog.Component{Product: c.p[code].ID, Qty: qty.Qty(n * qty.Scale), Loss: loss})
	}
	return r
}

func (c *chain) write(f func(tx *db.Tx) error) {
	c.t.Helper()
	if err := c.d.Write(c.t.Context(), f); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chain) read(f func(tx *db.Tx) error) {
	c.t.Helper()
	if err := c.d.Read(c.t.Context(), f); err != nil {
		c.t.Fatal(err)
	}
}

// sold gives a site sixty days of sales up to yesterday.
func (c *chain) sold(site id.ID, products map[string]int64) {
	c.t.Helper()
	today := c.site.BusinessDate(c.d.Clock.Now())
	load := id.New()
	c.write(func(tx *db.Tx) error {
		if err := forecast.OpenLoad(tx, load); err != nil {
			return err
		}
		for code, n := range products {
			var days []forecast.SaleDay
			for k := range 60 {
				days = append(days, forecast.SaleDay{SaleKey: forecast.SaleKey{SiteID: site, ProductID: c.p[code].ID, Date: today.AddDays(-1 - k)}, Qty: qty.Qty((n + int64(k*7+len(code))%5) * qty.Scale)})
			}
			if err := forecast.PutSales(tx, load, days); err != nil {
				return err
			}
		}
		return forecast.ApplyLoad(tx, load)
	})
}

// lies puts a batch into stock.
func (c *chain) lies(site id.ID, product, code string, q qty.Qty, lasts time.Duration) (batch id.ID) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		s, err := org.SiteByID(tx, site)
		if err != nil {
			return err
		}
		a := stock.Arrival{SKU: c.p[product].SKU, Code: code, Qty: q, Cost: 100}
		if lasts != 0 {
			a.ExpiresAt = tx.Now().Add(lasts)
		}
		doc, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: s}, Opening: true, Lines: []stock.Arrival{a}})
		if err == nil {
			batch = doc.Lines[0].Batch
		}
		return err
	})
	return batch
}

// forecasts runs the forecasts; the plans follow by themselves.
func (c *chain) forecasts() {
	c.t.Helper()
	c.write(func(tx *db.Tx) error { _, err := forecast.Enqueue(tx); return err })
	c.drain()
}

func (c *chain) drain() {
	c.t.Helper()
	for range 3 {
		if err := c.runner.Drain(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
		if err := c.relay.Drain(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
	c.read(func(tx *db.Tx) error {
		all, err := jobs.List(tx, jobs.Filter{})
		for _, j := range all {
			if j.State == jobs.Failed || j.Error != "" {
				c.t.Errorf("job %s: %s %s", j.Kind, j.State, j.Error)
			}
		}
		return err
	})
}

// again plans the store once more.
func (c *chain) again() {
	c.t.Helper()
	c.done(c.manager, "POST", "/api/plans/run", m{"site_id": c.site.ID.String()})
	c.drain()
}

// --- the API

type reply struct {
	status int
	code   string
	field  string
	body   m
	text   string
}

func (c *chain) send(cookie, method, path string, body any) reply {
	c.t.Helper()
	c.keys++
	return c.sendAs(fmt.Sprintf("key-%d", c.keys), cookie, method, path, body)
}

func (c *chain) sendAs(key, cookie, method, path string, body any) reply {
	c.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			c.t.Error(err)
		}
	}
	r := httptest.NewRequest(method, path, &b)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	if cookie != "" {
		r.Header.Set("Cookie", "zhanggui="+cookie)
	}
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r)
	a := reply{status: w.Code, text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body)
	a.code, _ = a.body["code"].(string)
	a.field, _ = a.body["field"].(string)
	for _, k := range w.Result().Cookies() {
		if k.Name == "zhanggui" {
			a.text = k.Value
		}
	}
	return a
}

func (c *chain) done(cookie, method, path string, body any) m {
	c.t.Helper()
	a := c.send(cookie, method, path, body)
	if a.status != 200 {
		c.t.Fatalf("%s %s %v: %d %s", method, path, body, a.status, a.text)
	}
	return a.body
}

func (c *chain) refused(cookie, want, field, method, path string, body any) {
	c.t.Helper()
	before := c.rows()
	a := c.send(cookie, method, path, body)
	if a.status < 400 || a.code != want || a.field != field {
		c.t.Errorf("%s %s %v: %d %s at %q, want %s at %q", method, path, body, a.status, a.code, a.field, want, field)
	}
	if after := c.rows(); after != before {
		c.t.Errorf("%s %s %v was refused and changed rows", method, path, body)
	}
}

func (c *chain) signIn(name, password string) string {
	c.t.Helper()
	a := c.send("", "POST", "/api/sign-in", m{"name": name, "password": password})
	if a.status != 200 {
		c.t.Fatalf("sign-in of %s: %s", name, a.text)
	}
	return a.text
}

func (c *chain) hire(role string, site id.ID) string {
	c.t.Helper()
	roles := map[string]id.ID{}
	c.read(func(tx *db.Tx) (err error) { roles, err = org.RoleIDs(tx); return err })
	name := fmt.Sprint(role, c.keys)
	staff := c.done(c.admin, "POST", "/api/org/staff", m{"name": name, "display_name": "人" + name, "password": "long-enough-7", "site_id": site.String()})["id"]
	c.done(c.admin, "PUT", fmt.Sprintf("/api/org/staff/%v/grants", staff), []m{{"role_id": roles[role].String(), "scope_kind": "site", "scope_id": site.String()}})
	return c.signIn(name, "long-enough-7")
}

func (c *chain) idOf(body m) id.ID {
	c.t.Helper()
	return c.parsed(body["id"])
}

func (c *chain) parsed(s any) id.ID {
	c.t.Helper()
	i, err := id.Parse(fmt.Sprint(s))
	if err != nil {
		c.t.Fatal(err)
	}
	return i
}

// items reads all pages of a list, two at a time, so that pages are told too.
func (c *chain) items(cookie, path string) (all []m) {
	c.t.Helper()
	next := ""
	for range 500 {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		page := c.done(cookie, "GET", path+join+"limit=7&after="+next, nil)
		for _, x := range page["items"].([]any) {
			all = append(all, x.(m))
		}
		if next = page["next"].(string); next == "" {
			return all
		}
	}
	c.t.Fatal("pages without end: " + path)
	return nil
}

// plan is the path of the store's plan of today.
func (c *chain) plan() string {
	c.t.Helper()
	return c.planOf(c.site.ID, c.site.BusinessDate(c.d.Clock.Now()))
}

func (c *chain) planOf(site id.ID, date cal.Date) string {
	c.t.Helper()
	all := c.items(c.admin, fmt.Sprintf("/api/plans?site_id=%s&date=%s", site, date))
	if len(all) != 1 {
		c.t.Fatalf("%d plans of %s on %s", len(all), site, date)
	}
	return fmt.Sprint("/api/plans/", all[0]["id"])
}

// lines finds the lines of a plan of one product.
func (c *chain) lines(list, product string) (found []m) {
	c.t.Helper()
	path := c.plan() + "/" + list
	if list == "production" {
		path += "?all=true"
	}
	for _, l := range c.items(c.manager, path) {
		if product == "" || l["code"] == product {
			found = append(found, l)
		}
	}
	return found
}

func (c *chain) line(list, product string) m {
	c.t.Helper()
	found := c.lines(list, product)
	if len(found) == 0 {
		c.t.Fatalf("no %s of %s", list, product)
	}
	return found[0]
}

func q(v any) qty.Qty {
	n, err := qty.Parse(v.(string))
	if err != nil {
		panic(err)
	}
	return n
}

// rows is every row that planning and buying write, to see that nothing changed.
func (c *chain) rows() string {
	c.t.Helper()
	var b strings.Builder
	c.read(func(tx *db.Tx) error {
		b.Reset()
		for _, table := range []string{"replenish_plan", "replenish_production", "replenish_requirement", "replenish_proposal", "replenish_source", "replenish_policy", "replenish_event", "replenish_block", "replenish_requisition",
			"replenish_requisition_line", "replenish_offer", "replenish_take", "purchase_order", "purchase_line", "purchase_receipt", "purchase_receipt_line", "stock_batch", "stock_document", "stock_transfer", "stock_transit", "ledger_transfer"} {
			q := `SELECT CAST(x AS TEXT) FROM ` + table + ` x`
			if tx.Engine() == db.SQLite {
				q = `SELECT json_group_array(json_array(` + columns(tx, table) + `)) FROM ` + table
			}
			rows := tx.Query(q)
			var all []string
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					return err
				}
				all = append(all, text)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			sort.Strings(all)
			fmt.Fprintln(&b, table, all)
		}
		return nil
	})
	return b.String()
}

func columns(tx *db.Tx, table string) string {
	rows := tx.Query(`SELECT name FROM pragma_table_info($1)`, table)
	var all []string
	for rows.Next() {
		var name string
		if rows.Scan(&name) != nil {
			return "1"
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

func proofs() []proof.Proof {
	all := append(ledger.Proofs(), stock.Proofs()...)
	return append(append(append(append(all, replenish.Proofs()...), purchase.Proofs()...), forecast.Proofs()...), Proofs()...)
}

func (c *chain) red() (red []string) {
	c.t.Helper()
	report, err := proof.Run(c.t.Context(), c.d.DB, proofs())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red = append(red, p.Name)
		}
	}
	return red
}

func (c *chain) green() {
	c.t.Helper()
	if red := c.red(); len(red) > 0 {
		c.t.Errorf("red: %v", red)
	}
}
