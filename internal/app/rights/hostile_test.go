package rights

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/web"
)

// payloads are what has broken other people's programs.
var payloads = []string{
	"'", `"`, "' OR '1'='1", "1; DROP TABLE org_site; --", "') UNION SELECT password FROM org_staff --", "%", "_", `\`, "!", "$1", "?", "{{7*7}}",
	"<script>alert(1)</script>", "../../etc/passwd", "\u202e\u200b", "=cmd|' /C calc'!A0", "-1", "0", "1e9", "NaN", "9223372036854775807",
	"9223372036854775808", "null", "true", "[]", "2026-02-30", "0000-00-00", "9999-12-31", strings.Repeat("9", 300), strings.Repeat("茶", 3000), "\x00", "\xff\xfe", "a\nb",
}

// leaks are words that only our inside says.
var leaks = []string{"SQLSTATE", "syntax error", "sqlite", "pgx", "goroutine", "SELECT ", "no such column", ".go:", "argon2id"}

// Every parameter of every request is replaced by each payload, and every text of its body by some: no
// route breaks, and none tells what is inside.
func TestHostileInputBreaksNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		params := parametersOf(t, w.House.API())
		sane := func(r web.RouteInfo, what, payload string, a town.Reply) {
			t.Helper()
			if a.Status >= 500 {
				t.Errorf("%s, %s = %.40q: %v", r.Name, what, payload, a)
			}
			text := a.Text
			for _, p := range payloads { // what somebody wrote down before may be read
				if len(p) > 8 {
					text = strings.ReplaceAll(text, p, "")
				}
			}
			for _, word := range leaks {
				if strings.Contains(text, word) && !strings.Contains(payload, word) {
					t.Errorf("%s, %s = %.40q tells %q: %v", r.Name, what, payload, word, a)
				}
			}
		}
		for _, r := range w.House.API().Routes() {
			if !r.Typed || r.Name == "live" || r.Name == "sign-out" || r.Name == "change-password" {
				continue
			}
			var good town.Request
			if example := town.Examples[r.Name]; example != nil {
				good = example(w, w.A)
			} else {
				good = town.Request{Path: map[string]string{"id": w.A.IDs["product"], "line": "1"}, Body: m{"name": "x", "lang": "zh", "code": "X"}}
			}
			good.Body = asJSON(good.Body)
			for _, p := range params[r.Name] {
				for _, payload := range payloads {
					q := good
					if p.In == "path" {
						if strings.ContainsAny(payload, "/\x00") || !utf8.ValidString(payload) {
							continue // not a segment of a path
						}
						q.Path = put(good.Path, p.Name, payload)
					} else {
						q.Query = map[string]string{}
						maps.Copy(q.Query, good.Query)
						q.Query[p.Name] = payload
					}
					if p.In == "path" && r.Effect {
						q.Body = m{} // the id is in question, not what would be done
					}
					sane(r, p.Name, payload, w.Send(w.Admin, r.Method, q.Address(r.Path), q.Body))
				}
			}
			if _, file := good.Body.(string); file || good.Body == nil || r.Method == "GET" {
				continue
			}
			for n, payload := range payloads {
				if n%3 != len(r.Name)%3 { // bodies have many fields: each route gets a third of the payloads
					continue
				}
				for i, body := range spoilt(good.Body, strings.ToValidUTF8(payload, "?")) {
					sane(r, fmt.Sprint("field ", i), payload, w.Send(w.A.Boss, r.Method, good.Address(r.Path), body))
				}
			}
		}
		w.Green()
	}, town.Whole)
}

// parametersOf reads the parameters of every operation from the document.
func parametersOf(t *testing.T, api *web.API) map[string][]struct{ Name, In string } {
	t.Helper()
	text, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string][]struct{ Name, In string }{}
	for _, methods := range doc.Paths {
		for _, op := range methods {
			for _, p := range op.Parameters {
				if p.In != "header" {
					all[op.OperationID] = append(all[op.OperationID], p)
				}
			}
		}
	}
	return all
}

// spoilt makes copies of a body in which one text is the payload.
func spoilt(body any, payload string) []any {
	var all []any
	switch body := body.(type) {
	case string:
		return []any{payload}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(body)) {
			for _, v := range spoilt(body[k], payload) {
				c := maps.Clone(body)
				c[k] = v
				all = append(all, c)
			}
		}
	case []any:
		for i := range body {
			for _, v := range spoilt(body[i], payload) {
				c := slices.Clone(body)
				c[i] = v
				all = append(all, c)
			}
		}
	}
	return all
}

// A file is only another way to ask: what it says of a foreign store is refused row by row.
func TestAFileCannotReachAForeignStore(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		before := w.Done(w.B.Boss, "GET", "/api/forecasts/"+w.B.IDs["site"]+"/"+w.B.IDs["product"], nil).Text
		levels := w.Done(w.B.Boss, "GET", "/api/stock/levels?site_id="+w.B.IDs["site"], nil).Text
		for kind, file := range map[string]string{
			"sales": "date,product,quantity,store\n2026-02-20,1001,999,SIB\n",
			"stock": "store,product,batch,qty,unit,expires_at,cost_fen\nSIB,1001,B77,999,瓶,2027-01-01,100\n",
		} {
			im := w.Done(w.A.Boss, "POST", "/api/imports?kind="+kind+"&file_name=x.csv", file).ID()
			w.Done(w.A.Boss, "POST", "/api/imports/"+im+"/run", m{"mode": "good"})
			if err := w.House.Jobs().Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			a := w.Done(w.A.Boss, "GET", "/api/imports/"+im, nil)
			if a.Body["rows_refused"] != float64(1) || a.Body["rows_new"] != float64(0) || strings.Contains(a.Text, town.Canary) {
				t.Errorf("%s: %v", kind, a)
			}
		}
		for _, kind := range []string{"stores", "products", "holidays"} {
			if a := w.Send(w.A.Boss, "POST", "/api/imports?kind="+kind, "store,name\nSIB,mine\n"); a.Code != "no_permission" {
				t.Errorf("%s change what belongs to all: %v", kind, a)
			}
		}
		if after := w.Done(w.B.Boss, "GET", "/api/forecasts/"+w.B.IDs["site"]+"/"+w.B.IDs["product"], nil).Text; after != before {
			t.Error("the foreign history has changed")
		}
		if after := w.Done(w.B.Boss, "GET", "/api/stock/levels?site_id="+w.B.IDs["site"], nil).Text; after != levels {
			t.Errorf("the foreign stock has changed: %s", after)
		}
		w.Green()
	}, town.Whole)
}
