package stock

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

type m = map[string]any

// office is the shop reached through its API by an administrator.
type office struct {
	shop
	api    *web.API
	site   string
	cookie string
	keys   int
}

func openOffice(t *testing.T, d *dbtest.DB) *office {
	o := &office{shop: shop{t, d}}
	var perms []org.Permission
	for _, p := range []string{"org.read", "org.manage", "stock.read", "stock.manage", "stock.count", "stock.approve", "stock.promise", "ledger.read"} {
		perms = append(perms, org.Permission{Name: p, ZH: p, EN: p})
	}
	people := org.New(org.Options{Permissions: perms, Roles: []org.BuiltIn{{Key: org.Administrator, Name: "管理员"}}, Log: slog.New(slog.DiscardHandler)})
	o.api = web.New(web.Options{SignedIn: people.SignedIn, Log: slog.New(slog.DiscardHandler)})
	people.Routes(o.api)
	Routes(o.api)
	ledger.Routes(o.api, func(ctx context.Context, site id.ID) *time.Location {
		s, err := org.SiteFor(ctx, "ledger.read", site)
		if err != nil {
			t.Error(err)
			return time.UTC
		}
		return s.Location()
	})
	o.api.Open(d.DB)
	first, err := people.Start(t.Context(), d.DB, "sesame-open-9")
	if err != nil {
		t.Fatal(err)
	}
	o.site = first.Site.ID.String()
	open(t, d)
	_, _, cookie := o.send("POST", "/api/sign-in", m{"name": "admin", "password": "sesame-open-9"})
	if o.cookie = cookie; cookie == "" {
		t.Fatal("not signed in")
	}
	return o
}

func (o *office) send(method, path string, body any) (status int, got m, cookie string) {
	o.t.Helper()
	var b bytes.Buffer
	if body != nil {
		json.NewEncoder(&b).Encode(body)
	}
	r := httptest.NewRequest(method, path, &b)
	r.Header.Set("Content-Type", "application/json")
	o.keys++
	r.Header.Set("Idempotency-Key", fmt.Sprintf("key-%d", o.keys))
	r.Header.Set("Cookie", "zhanggui="+o.cookie)
	w := httptest.NewRecorder()
	o.api.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		o.t.Fatalf("%s %s: %d %q", method, path, w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		cookie = c.Value
	}
	return w.Code, got, cookie
}

func (o *office) done(method, path string, body any) m {
	o.t.Helper()
	status, got, _ := o.send(method, path, body)
	if status != http.StatusOK {
		o.t.Fatalf("%s %s: %d %v", method, path, status, got)
	}
	return got
}

func (o *office) turnedAway(status int, code, field, method, path string, body any) {
	o.t.Helper()
	s, got, _ := o.send(method, path, body)
	at, _ := got["field"].(string)
	if s != status || got["code"] != code || at != field {
		o.t.Errorf("%s %s: want %d %s at %q, got %d %v", method, path, status, code, field, s, got)
	}
}

func rows(v any) (all []m) {
	for _, x := range v.([]any) {
		all = append(all, x.(m))
	}
	return all
}

func TestADayAtTheStockDesk(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		got := o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "ref": "L-1", "lines": []m{
			{"product_id": tea.String(), "qty": "2", "unit": "can", "code": "T1", "cost_fen": 5000},
			{"product_id": bun.String(), "qty": "10", "cost_fen": 1000},
			{"product_id": bun.String(), "qty": "4", "cost_fen": 480, "made_on": "2026-03-01", "expires_at": "2026-03-02T12:00:00+08:00"},
		}})
		if got["kind"] != "goods_receipt" || got["business_date"] != "2026-03-02" || got["ref"] != "L-1" {
			t.Errorf("got %v", got)
		}
		lines := rows(got["lines"])
		if lines[0]["qty"] != "500" || lines[0]["code"] != "T1" || lines[1]["qty"] != "10" || lines[1]["code"] == "" {
			t.Errorf("two cans of 250 g and 10 buns came in as %v", lines)
		}
		batches := rows(o.done("GET", "/api/stock/batches?site_id="+o.site+"&product_id="+bun.String(), nil)["items"])
		if len(batches) != 2 || batches[0]["expires_at"] != "2026-03-02T12:00:00+08:00" || batches[1]["expires_at"] != "2026-03-02T20:00:00+08:00" {
			t.Errorf("by hand and by a shelf life of 12 hours: %v", batches)
		}
		if b := o.done("GET", "/api/stock/batches/"+lines[0]["batch_id"].(string), nil); b["expires_at"] != "" || b["qty"] != "500" || len(rows(b["movements"])) != 1 {
			t.Errorf("tea keeps for ever: %v", b)
		}
		teaBatch := lines[0]["batch_id"]
		got = o.done("POST", "/api/stock/write-offs", m{"site_id": o.site, "reason": "damaged", "note": "wet", "lines": []m{{"batch_id": teaBatch, "qty": "1", "unit": "can"}}})
		if l := rows(got["lines"])[0]; l["qty"] != "-250" || l["value_fen"] != -2500.0 {
			t.Errorf("a can is thrown away as %v", l)
		}
		got = o.done("POST", "/api/stock/adjustments", m{"site_id": o.site, "reason": "count", "lines": []m{{"batch_id": teaBatch, "qty": "-0.5"}, {"batch_id": lines[1]["batch_id"], "qty": "2"}}})
		if l := rows(got["lines"]); l[0]["value_fen"] != -5.0 || l[1]["value_fen"] != 200.0 {
			t.Errorf("corrected by %v", l)
		}
		levels := rows(o.done("GET", "/api/stock/levels?site_id="+o.site+"&q=tea", nil)["items"])
		if len(levels) != 1 || levels[0]["available"] != "249.5" || levels[0]["value_fen"] != 2495.0 {
			t.Errorf("tea: %v", levels)
		}
		st := o.done("GET", "/api/ledger/accounts/"+teaBatch.(string)+"/statement?limit=2", nil)
		items := rows(st["items"])
		if st["closing"] != "249.5" || st["money"] != false || len(items) != 2 || items[0]["other"] != "loss" || items[0]["balance"] != "249.5" || items[1]["balance"] != "250" {
			t.Errorf("statement %v", st)
		}
		st = o.done("GET", "/api/ledger/accounts/"+teaBatch.(string)+"/statement?limit=2&after="+st["next"].(string), nil)
		if items = rows(st["items"]); len(items) != 1 || items[0]["other"] != "supplied" || items[0]["balance"] != "500" || st["next"] != "" {
			t.Errorf("second page %v", st)
		}
		o.green()
	}, schema)
}

func TestTheStockDeskTurnsAwayWhatIsWrong(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		batch := rows(o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": tea.String(), "qty": "5", "cost_fen": 5}}})["lines"])[0]["batch_id"].(string)
		receipt := func(site string, line m) m { return m{"site_id": site, "lines": []m{line}} }
		nowhere := id.New().String()
		const receipts, offs, adjustments = "/api/stock/receipts", "/api/stock/write-offs", "/api/stock/adjustments"
		for _, c := range []struct {
			status            int
			code, field, path string
			body              m
		}{
			{404, "not_found", "", receipts, receipt(nowhere, m{"product_id": tea.String(), "qty": "1", "cost_fen": 1})},
			{422, "stock_product_unknown", "lines[0].product_id", receipts, receipt(o.site, m{"product_id": nowhere, "qty": "1", "cost_fen": 1})},
			{422, "stock_unit_unknown", "lines[0].unit", receipts, receipt(o.site, m{"product_id": tea.String(), "qty": "1", "unit": "barrel", "cost_fen": 1})},
			{422, "qty_bad", "lines[0].qty", receipts, receipt(o.site, m{"product_id": tea.String(), "qty": "0.0001", "cost_fen": 1})},
			{422, "stock_qty_bad", "lines[0].qty", receipts, receipt(o.site, m{"product_id": tea.String(), "qty": "-1", "cost_fen": 1})},
			{422, "stock_cost_bad", "lines[0].cost_fen", receipts, receipt(o.site, m{"product_id": tea.String(), "qty": "1", "cost_fen": -1})},
			{422, "batch_expired_on_arrival", "lines[0].expires_at", receipts, receipt(o.site, m{"product_id": tea.String(), "qty": "1", "cost_fen": 1, "expires_at": "2020-01-01T00:00:00Z"})},
			{404, "batch_unknown", "lines[0].batch_id", offs, m{"site_id": o.site, "reason": "other", "lines": []m{{"batch_id": nowhere, "qty": "1"}}}},
			{409, "stock_short", "lines[0].qty", offs, m{"site_id": o.site, "reason": "other", "lines": []m{{"batch_id": batch, "qty": "6"}}}},
			{422, "not_a_choice", "reason", offs, m{"site_id": o.site, "reason": "bored", "lines": []m{{"batch_id": batch, "qty": "1"}}}},
			{422, "stock_unit_unknown", "lines[0].unit", offs, m{"site_id": o.site, "reason": "other", "lines": []m{{"batch_id": batch, "qty": "1", "unit": "box"}}}},
			{404, "batch_unknown", "lines[0].batch_id", offs, m{"site_id": bakery.ID.String(), "reason": "other", "lines": []m{{"batch_id": batch, "qty": "1"}}}},
			{422, "stock_qty_zero", "lines[0].qty", adjustments, m{"site_id": o.site, "reason": "count", "lines": []m{{"batch_id": batch, "qty": "0"}}}},
		} {
			o.turnedAway(c.status, c.code, c.field, "POST", c.path, c.body)
		}
		o.turnedAway(404, "not_found", "", "GET", "/api/stock/levels?site_id="+nowhere, nil)
		o.turnedAway(404, "not_found", "", "GET", "/api/stock/batches?site_id="+nowhere, nil)
		o.turnedAway(404, "batch_unknown", "", "GET", "/api/stock/batches/"+nowhere, nil)
		o.turnedAway(404, "account_unknown", "", "GET", "/api/ledger/accounts/"+nowhere+"/statement", nil)
		o.turnedAway(422, "date_invalid", "from", "GET", "/api/ledger/accounts/"+batch+"/statement?from=2026-02-30", nil)
		o.turnedAway(422, "cursor_bad", "after", "GET", "/api/stock/batches?site_id="+o.site+"&after=x", nil)
		o.must(func(tx *db.Tx) error {
			b, _ := id.Parse(batch)
			v, err := batchByID(tx, b)
			if err == nil && v.Qty != pieces(5) {
				t.Errorf("%s left of 5", v.Qty)
			}
			return err
		})
	}, schema)
}
