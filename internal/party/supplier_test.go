package party

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// buyer may do what his list says.
type buyer map[string]bool

func (b buyer) Principal() id.ID                   { return 42 }
func (b buyer) Language() string                   { return "en" }
func (b buyer) May(perm string) bool               { return b[perm] }
func (b buyer) MayAll(perm string) bool            { return b[perm] }
func (b buyer) MayAt(perm string, site id.ID) bool { return b[perm] }

// range_ has two products: lettuce by the gram and kilogram, bun by the piece.
type range_ struct{}

const (
	lettuce id.ID = 801
	bun     id.ID = 802
)

func (range_) Goods(_ *db.Tx, ids []id.ID) (map[id.ID]Good, error) {
	all := map[id.ID]Good{
		lettuce: {"lettuce", "生菜", "g", []qty.Unit{{Name: "g", Num: 1, Den: 1}, {Name: "kg", Num: 1000, Den: 1}}},
		bun:     {"bun", "面包", "piece", []qty.Unit{{Name: "piece", Num: 1, Den: 1}, {Name: "slice", Num: 1, Den: 12}}},
	}
	found := map[id.ID]Good{}
	for _, i := range ids {
		if g, ok := all[i]; ok {
			found[i] = g
		}
	}
	return found, nil
}

type m = map[string]any

// office is the desk at which suppliers are kept.
type office struct {
	t    *testing.T
	d    *dbtest.DB
	api  *web.API
	who  buyer
	keys int
}

func each(t *testing.T, story func(o *office)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := &office{t: t, d: d, who: buyer{"party.read": true, "party.manage": true}}
		o.api = web.New(web.Options{Log: slog.New(slog.DiscardHandler), SignedIn: func(*http.Request) (web.Caller, error) { return o.who, nil },
			OnFault: func(op, fault string) { t.Errorf("%s: %s", op, fault) }})
		New(range_{}).Routes(o.api)
		o.api.Open(d.DB)
		story(o)
	}, dbtest.With(once.Migrations, outbox.Migrations, Migrations))
}

func (o *office) send(method, path string, body any) (int, m) {
	o.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			o.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, &b)
	r.Header.Set("Content-Type", "application/json")
	o.keys++
	r.Header.Set("Idempotency-Key", fmt.Sprint("key-", o.keys))
	w := httptest.NewRecorder()
	o.api.ServeHTTP(w, r)
	var out m
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		o.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Code, out
}

func (o *office) done(method, path string, body any) m {
	o.t.Helper()
	code, out := o.send(method, path, body)
	if code != 200 {
		o.t.Fatalf("%s %s: %d %v", method, path, code, out)
	}
	return out
}

func (o *office) refused(want, field, method, path string, body any) {
	o.t.Helper()
	code, out := o.send(method, path, body)
	if f, _ := out["field"].(string); code < 400 || out["code"] != want || f != field {
		o.t.Errorf("%s %s %v: %d %v at %v, want %s at %q", method, path, body, code, out["code"], out["field"], want, field)
	}
}

func (o *office) events(kind string) (n int) {
	o.t.Helper()
	if err := o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM outbox_event WHERE type = $1`, kind).Scan(&n)
	}); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func terms(with ...any) m {
	body := m{"pack_qty": "3", "unit": "kg", "price_fen4": 9_000_000, "min_packs": 2, "lead_class": "fresh", "lead_h": 24, "order_days": "135", "cut_off": "16:00"}
	for i := 0; i < len(with); i += 2 {
		if with[i+1] == nil {
			delete(body, with[i].(string))
		} else {
			body[with[i].(string)] = with[i+1]
		}
	}
	return body
}

func TestASupplierAndWhatItAsks(t *testing.T) {
	each(t, func(o *office) {
		s := o.done("POST", "/api/suppliers", m{"code": "F1", "name": " 绿源农场 ", "phone": "021-5555"})
		path := fmt.Sprint("/api/suppliers/", s["id"])
		if s["name"] != "绿源农场" || s["state"] != "active" || s["products"] != 0. {
			t.Errorf("%v", s)
		}
		v := o.done("PUT", path+"/terms/801", terms())
		for k, want := range (m{"supplier_code": "F1", "product_code": "lettuce", "pack_qty": "3", "unit": "kg", "price_fen4": 9_000_000., "min_packs": 2.,
			"lead_class": "fresh", "lead_h": 24., "order_days": "135", "cut_off": "16:00"}) {
			if v[k] != want {
				t.Errorf("%s is %v, want %v", k, v[k], want)
			}
		}
		o.done("PUT", path+"/terms/802", m{"pack_qty": "12", "price_fen4": 100_000, "lead_class": "frozen"})
		v = o.done("PUT", path+"/terms/801", terms("price_fen4", 8_000_000)) // in place of the old
		if v["price_fen4"] != 8_000_000. {
			t.Error(v)
		}
		list := o.done("GET", path+"/terms?limit=1", nil)
		if len(list["items"].([]any)) != 1 || list["next"] == "" {
			t.Errorf("%v", list)
		}
		list = o.done("GET", path+"/terms?after="+list["next"].(string), nil)
		if items := list["items"].([]any); len(items) != 1 || items[0].(m)["unit"] != "piece" || items[0].(m)["order_days"] != "1234567" || items[0].(m)["cut_off"] != "23:59" || items[0].(m)["min_packs"] != 1. {
			t.Errorf("%v", list)
		}
		if offers := o.done("GET", "/api/suppliers/terms?product_id=801", nil)["items"].([]any); len(offers) != 1 {
			t.Errorf("%v", offers)
		}
		if got := o.done("GET", path, nil); got["products"] != 2. {
			t.Errorf("%v", got)
		}
		// What planning reads: of those that are not stopped.
		active := func() (all []Terms) {
			if err := o.d.Read(t.Context(), func(tx *db.Tx) (err error) { all, err = ActiveTerms(tx, 0, 0, 10); return err }); err != nil {
				t.Fatal(err)
			}
			return all
		}
		all := active()
		if len(all) != 2 || all[0].Product != lettuce || all[0].Unit != (qty.Unit{Name: "kg", Num: 1000, Den: 1}) || all[0].Days.String() != "135" || all[0].CutOff != 960 {
			t.Errorf("%+v", all)
		}
		changed := o.done("PUT", path, m{"code": "F1", "name": "绿源", "state": "stopped", "revision": s["revision"]})
		if changed["state"] != "stopped" || len(active()) != 0 {
			t.Errorf("%v, %v", changed, active())
		}
		o.refused("supplier_changed", "revision", "PUT", path, m{"code": "F1", "name": "绿源2", "revision": s["revision"]})
		o.done("DELETE", path+"/terms/802", nil)
		o.refused("terms_unknown", "", "DELETE", path+"/terms/802", nil)
		if n := o.events(TermsSaved); n != 4 {
			t.Errorf("%d news of terms", n)
		}
	})
}

func TestSuppliersAreFoundByCodeAndName(t *testing.T) {
	each(t, func(o *office) {
		for _, c := range []string{"A1", "A2", "B1"} {
			o.done("POST", "/api/suppliers", m{"code": c, "name": "农场 " + c})
		}
		for q, want := range map[string]int{"": 3, "a": 2, "农场": 3, "b1": 1, "%": 0, "!": 0} {
			if got := len(o.done("GET", "/api/suppliers?q="+q2(q), nil)["items"].([]any)); got != want {
				t.Errorf("%q finds %d, want %d", q, got, want)
			}
		}
		page := o.done("GET", "/api/suppliers?limit=2", nil)
		if rest := o.done("GET", "/api/suppliers?limit=2&after="+page["next"].(string), nil)["items"].([]any); len(rest) != 1 || rest[0].(m)["code"] != "B1" {
			t.Errorf("%v", rest)
		}
		if got := o.done("GET", "/api/suppliers?state=stopped", nil)["items"].([]any); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

func q2(s string) string {
	if s == "%" {
		return "%25"
	}
	return s
}

func TestWhatNoSupplierIsAndNoTermsAre(t *testing.T) {
	each(t, func(o *office) {
		s := o.done("POST", "/api/suppliers", m{"code": "F1", "name": "农场"})
		path := fmt.Sprint("/api/suppliers/", s["id"])
		o.refused("supplier_code_taken", "code", "POST", "/api/suppliers", m{"code": "F1", "name": "另一家"})
		o.refused("supplier_code_bad", "code", "POST", "/api/suppliers", m{"code": "", "name": "x"})
		o.refused("supplier_code_bad", "code", "POST", "/api/suppliers", m{"code": "F 1", "name": "x"})
		o.refused("supplier_text_bad", "name", "POST", "/api/suppliers", m{"code": "F2", "name": "  "})
		o.refused("not_a_choice", "state", "POST", "/api/suppliers", m{"code": "F2", "name": "x", "state": "sleeping"})
		o.refused("field_unknown", "bank", "POST", "/api/suppliers", m{"code": "F2", "name": "x", "bank": "1"})
		o.refused("supplier_unknown", "", "GET", "/api/suppliers/123", nil)
		o.refused("supplier_unknown", "", "PUT", "/api/suppliers/123", m{"code": "F9", "name": "x", "revision": 1})
		o.refused("supplier_unknown", "", "GET", "/api/suppliers/123/terms", nil)
		o.refused("supplier_unknown", "", "PUT", "/api/suppliers/123/terms/801", terms())
		o.refused("terms_product_unknown", "", "PUT", path+"/terms/999", terms())
		for _, c := range []struct {
			code, field string
			with        []any
		}{
			{"terms_pack_bad", "pack_qty", []any{"pack_qty", "0"}},
			{"terms_pack_bad", "pack_qty", []any{"pack_qty", "-1"}},
			{"terms_pack_bad", "pack_qty", []any{"pack_qty", "1000000000"}}, // a million tonnes
			{"terms_unit_unknown", "unit", []any{"unit", "bag"}},
			{"terms_price_bad", "price_fen4", []any{"price_fen4", -1}},
			{"terms_price_bad", "price_fen4", []any{"price_fen4", int64(MaxPrice) + 1}},
			{"terms_min_packs_bad", "min_packs", []any{"min_packs", -1}},
			{"terms_min_packs_bad", "min_packs", []any{"min_packs", MaxPacks + 1}},
			{"lead_class_bad", "lead_class", []any{"lead_class", "chilled"}},
			{"field_missing", "lead_class", []any{"lead_class", nil}},
			{"terms_lead_bad", "lead_h", []any{"lead_h", -1}},
			{"terms_lead_bad", "lead_h", []any{"lead_h", MaxLeadHours + 1}},
			{"order_days_bad", "order_days", []any{"order_days", "18"}},
			{"cut_off_bad", "cut_off", []any{"cut_off", "25:00"}},
			{"cut_off_bad", "cut_off", []any{"cut_off", "noon"}},
		} {
			o.refused(c.code, c.field, "PUT", path+"/terms/801", terms(c.with...))
		}
		o.refused("terms_pack_bad", "pack_qty", "PUT", path+"/terms/802", terms("unit", "slice", "pack_qty", "1")) // a twelfth is no whole thousandth
		if got := o.done("GET", path+"/terms", nil)["items"].([]any); len(got) != 0 || o.events(TermsSaved) != 0 {
			t.Errorf("what was refused is there: %v", got)
		}
	})
}

func TestWhoMayOnlyLookChangesNothing(t *testing.T) {
	each(t, func(o *office) {
		s := o.done("POST", "/api/suppliers", m{"code": "F1", "name": "农场"})
		path := fmt.Sprint("/api/suppliers/", s["id"])
		o.who = buyer{"party.read": true}
		o.refused("no_permission", "", "POST", "/api/suppliers", m{"code": "F2", "name": "x"})
		o.refused("no_permission", "", "PUT", path, m{"code": "F1", "name": "x", "revision": 1})
		o.refused("no_permission", "", "PUT", path+"/terms/801", terms())
		o.refused("no_permission", "", "DELETE", path+"/terms/801", nil)
		o.done("GET", path, nil)
		o.who = buyer{}
		o.refused("no_permission", "", "GET", path, nil)
		o.refused("no_permission", "", "GET", "/api/suppliers", nil)
		o.refused("no_permission", "", "GET", "/api/suppliers/terms?product_id=801", nil)
	})
}

func TestACutOffIsATimeOfDay(t *testing.T) {
	for s, want := range map[string]int64{"16:00": 960, "0:00": 0, "08:30": 510, "23:59": 1439, "24:00": 1439} {
		if got, err := ParseCutOff(s); err != nil || got != want {
			t.Errorf("%s is %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "16", "16:0", "24:01", "-1:00", "1:60", "016:00", "16:00:00"} {
		if got, err := ParseCutOff(s); err == nil {
			t.Errorf("%q became %d", s, got)
		}
	}
	if m := (Moment{"2026-03-02", 960}); m.String() != "2026-03-02 16:00" || !m.Before(Moment{"2026-03-02", 961}) || !m.Before(Moment{"2026-03-03", 0}) || m.Before(m) {
		t.Error(m)
	}
}
