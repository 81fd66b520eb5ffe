package rights

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"zhanggui/internal/app"
	"zhanggui/internal/app/town"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/web"
)

type m = map[string]any

func m1(k, v string) map[string]string { return map[string]string{k: v} }

// mixes are the requests that mean one's own world but name one thing of the other's: every id of own,
// one at a time, replaced by its counterpart.
func mixes(own, other town.Request) []town.Request {
	var all []town.Request
	for k := range own.Path {
		if own.Path[k] != other.Path[k] {
			all = append(all, town.Request{Path: put(own.Path, k, other.Path[k]), Query: own.Query, Body: own.Body})
		}
	}
	for k := range own.Query {
		if own.Query[k] != other.Query[k] {
			all = append(all, town.Request{Path: own.Path, Query: put(own.Query, k, other.Query[k]), Body: own.Body})
		}
	}
	for _, body := range mixed(asJSON(own.Body), asJSON(other.Body)) {
		all = append(all, town.Request{Path: own.Path, Query: own.Query, Body: body})
	}
	return all
}

func put(in map[string]string, k, v string) map[string]string {
	out := maps.Clone(in)
	out[k] = v
	return out
}

// asJSON is a body as JSON has it.
func asJSON(v any) any {
	b, _ := json.Marshal(v)
	var out any
	_ = json.Unmarshal(b, &out)
	return out
}

// mixed makes copies of own in which one id differs. Names and texts are not ids.
func mixed(own, other any) []any {
	var all []any
	switch own := own.(type) {
	case map[string]any:
		for k := range own {
			theirs := other.(map[string]any)[k]
			if s, ok := own[k].(string); ok {
				if strings.HasSuffix(k, "_id") && s != theirs {
					c := maps.Clone(own)
					c[k] = theirs
					all = append(all, c)
				}
				continue
			}
			for _, v := range mixed(own[k], theirs) {
				c := maps.Clone(own)
				c[k] = v
				all = append(all, c)
			}
		}
	case []any:
		for i := range own {
			for _, v := range mixed(own[i], other.([]any)[i]) {
				c := slices.Clone(own)
				c[i] = v
				all = append(all, c)
			}
		}
	}
	return all
}

// Two companies under one roof. Somebody who may do everything in the first tries every route with
// every id of the second, alone and mixed with his own: he sees nothing of it and changes nothing. The
// same requests, made by one of the second company, work: so it is the person that is refused, not a
// mistake in the request.
func TestAForeignIdShowsNothingAndChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		before := w.Rows()
		try := func(r web.RouteInfo, what string, q town.Request, foreign bool) {
			t.Helper()
			a := w.Send(w.A.Boss, r.Method, q.Address(r.Path), q.Body)
			if strings.Contains(a.Text, town.Canary) {
				t.Errorf("%s, %s: shows what is foreign: %v", r.Name, what, a)
			}
			if a.Status >= 500 {
				t.Errorf("%s, %s: breaks: %v", r.Name, what, a)
			}
			if r.Method == "GET" || !r.Effect {
				if rows, list := a.Body["items"].([]any); foreign && a.Status == 200 && (!list || len(rows) > 0) {
					t.Errorf("%s, %s: answers about what is foreign: %v", r.Name, what, a)
				}
				for _, theirs := range []string{"site", "entity", "staff", "batch", "nearing", "sale", "price", "register", "import", "requisition", "task", "plan", "line", "line2", "order", "order2", "storereq", "storereq2", "presence"} {
					if strings.Contains(a.Text, w.B.IDs[theirs]) {
						t.Errorf("%s, %s: shows the id of a foreign %s: %v", r.Name, what, theirs, a)
					}
				}
				return
			}
			if a.Status < 300 {
				t.Errorf("%s, %s: accepted: %v", r.Name, what, a)
			}
			after := w.Rows()
			if names := town.Changed(before, after); len(names) > 0 {
				t.Errorf("%s, %s: changed %v", r.Name, what, names)
				before = after
			}
		}
		for _, r := range w.House.API().Routes() {
			if !r.Typed || r.Scope == web.Public || r.Name == "live" {
				continue
			}
			switch r.Scope {
			case web.Self:
				if r.Method == "GET" {
					try(r, "his own", town.Request{}, false)
				}
			case web.Whole:
				if a := w.Send(w.A.Boss, r.Method, r.Path, m{}); a.Code != "no_permission" {
					t.Errorf("%s: %v, want no_permission: he does not see the whole group", r.Name, a)
				}
			case web.Group:
				q := town.Request{Path: m1("id", w.B.IDs["product"]), Body: m{}}
				if r.Effect {
					if a := w.Send(w.A.Boss, r.Method, q.Address(r.Path), q.Body); a.Code != "no_permission" {
						t.Errorf("%s: %v, want no_permission: he does not speak for the group", r.Name, a)
					}
				} else {
					for _, their := range slices.Sorted(maps.Keys(w.B.IDs)) {
						try(r, "their "+their, town.Request{Path: m1("id", w.B.IDs[their])}, false)
					}
				}
			case web.Sites:
				example := town.Examples[r.Name]
				if example == nil {
					t.Errorf("%s (%s) has no example: add one to town.Examples, so that this test can show that it hides and keeps what is foreign", r.Name, r)
					continue
				}
				own, other := example(w, w.A), example(w, w.B)
				if fmt.Sprint(own) != fmt.Sprint(other) { // else it names nothing that is anybody's
					try(r, "all of it theirs", other, true)
				}
				for i, q := range mixes(own, other) {
					try(r, fmt.Sprintf("mix %d %v %v %v", i, q.Path, q.Query, q.Body), q, true)
				}
				if r.Method == "GET" && len(own.Path) == 0 {
					try(r, "without a filter", town.Request{Query: required(own.Query)}, false)
				}
			}
		}
		// The control: the same requests are good ones.
		for _, r := range w.House.API().Routes() {
			if example := town.Examples[r.Name]; r.Typed && r.Scope == web.Sites && example != nil {
				q := example(w, w.B)
				if a := w.Send(w.B.Boss, r.Method, q.Address(r.Path), q.Body); a.Status != 200 {
					t.Errorf("%s: the example is no good request: %v", r.Name, a)
				}
			}
		}
		w.Green()
	}, town.Whole)
}

// The walk sees every change, also that of a row which stays as long as it was, and the change back.
func TestTheWalkSeesAChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		before := w.Rows()
		if names := town.Changed(before, w.Rows()); len(names) > 0 {
			t.Errorf("nothing was done, and changed %v", names)
		}
		for _, by := range []int{1, -1} {
			err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(`UPDATE org_group SET version = version + $1`, by) })
			if err != nil {
				t.Fatal(err)
			}
			after := w.Rows()
			if names := town.Changed(before, after); !slices.Equal(names, []string{"org_group"}) {
				t.Errorf("by %d: changed %v, want org_group", by, names)
			}
			before = after
		}
	}, town.Whole)
}

// required keeps the filters that a list can't do without.
func required(query map[string]string) map[string]string {
	keep := map[string]string{}
	for _, k := range []string{"product_id", "q"} {
		if v, ok := query[k]; ok {
			keep[k] = v
		}
	}
	return keep
}

// Every example belongs to a route; one that is left over tells of a route that was renamed.
func TestEveryExampleBelongsToARoute(t *testing.T) {
	h, err := app.Enter(nil, app.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range h.API().Routes() {
		names[r.Name] = true
	}
	for name := range town.Examples {
		if !names[name] {
			t.Errorf("no route is named %s", name)
		}
	}
}

// public is everything that answers without sign-in.
var public = map[string]bool{
	"GET /healthz": true, "GET /readyz": true, "GET /api/version": true, "GET /api/openapi.json": true, "POST /api/sign-in": true,
	"GET /api/demo": true,
}

func TestEveryRouteNamesAPermissionAndAScope(t *testing.T) {
	h, err := app.Enter(nil, app.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range app.Permissions() {
		known[p.Name] = true
		if p.ZH == "" || p.EN == "" {
			t.Errorf("%s is not named in both languages", p.Name)
		}
	}
	used := map[string]bool{}
	for _, r := range h.API().Routes() {
		used[r.Perm] = true
		if r.Perm != "" && !known[r.Perm] {
			t.Errorf("%s needs %s, which no role can have", r, r.Perm)
		}
		if (r.Scope == web.Public) != public[r.String()] {
			t.Errorf("%s: public %v, on the list %v", r, r.Scope == web.Public, public[r.String()])
		}
	}
	for _, r := range app.Roles() {
		for _, p := range r.Perms {
			if !known[p] {
				t.Errorf("role %s has %s, which does not exist", r.Key, p)
			}
		}
	}
	text, err := h.API().OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Permission *string `json:"x-permission"`
			Scope      string  `json:"x-scope"`
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			listed[strings.ToUpper(method)+" "+path] = true
			if op.Permission == nil || op.Scope == "" {
				t.Errorf("%s %s: the document names no permission or scope", method, path)
			}
		}
	}
	for _, r := range h.API().Routes() {
		if !listed[r.String()] {
			t.Errorf("%s is served and not in the document", r)
		}
		delete(listed, r.String())
	}
	for r := range listed {
		t.Errorf("%s is in the document and not served", r)
	}
}

// Whoever comes without sign-in, or with something that is none, gets nothing but the public list.
func TestWithoutSignInNothingAnswers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		before := w.Rows()
		for _, r := range w.House.API().Routes() {
			path := strings.NewReplacer("{id}", "383166337927365004", "{site_id}", "383166337927365004", "{product_id}", "383166337927365004").Replace(r.Path)
			for _, cookie := range []string{"", "x", strings.Repeat("A", 52), "' OR 1=1 --", "%00"} {
				a := w.Send(cookie, r.Method, path, m{})
				switch {
				case public[r.String()]:
					if a.Status == 401 && a.Code == "sign_in_required" {
						t.Errorf("%s is public and asks for sign-in", r)
					}
				case a.Status != 401:
					t.Errorf("%s with cookie %q: %v", r, cookie, a)
				}
			}
		}
		if names := town.Changed(before, w.Rows()); len(names) > 0 {
			t.Errorf("changed %v", names)
		}
	}, town.Whole)
}

// A disabled person, one signed out, and one whose session has ended are nobody.
func TestWhoWasSentAwayIsNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		out := w.SignIn("bossb", "long-enough-7")
		w.Done(out, "POST", "/api/sign-out", nil)
		w.Done(w.Admin, "POST", "/api/org/staff/"+w.A.IDs["boss"]+"/disable", m{})
		err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(`UPDATE org_group SET version = version + 1`) })
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range w.House.API().Routes() {
			if r.Scope == web.Public {
				continue
			}
			q := town.Request{Path: m1("id", w.A.IDs["site"])}
			for name, cookie := range map[string]string{"disabled": w.A.Boss, "signed out": out} {
				if a := w.Send(cookie, r.Method, q.Address(r.Path), m{}); a.Status != 401 {
					t.Errorf("%s, %s: %v", r, name, a)
				}
			}
		}
	}, town.Whole)
}

// What a role may do is what its permissions say: each built-in role, at a site and over the group, on
// every route. The request itself is nonsense, so that nothing happens when it is let in.
func TestEveryRoleMayWhatItsPermissionsSay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		for _, role := range app.Roles() {
			perms := role.Perms
			if role.Key == org.Administrator {
				perms = nil
				for _, p := range app.Permissions() {
					perms = append(perms, p.Name)
				}
			}
			for _, kind := range []string{"site", "group"} {
				name := strings.ReplaceAll(role.Key, "_", "-") + "-" + kind
				scope := w.A.IDs["site"]
				if kind == "group" {
					scope = ""
				}
				w.Person(name, name, w.A.IDs["site"], w.Roles[role.Key].String(), kind, scope)
				cookie := w.SignIn(name, "long-enough-7")
				for _, r := range w.House.API().Routes() {
					if r.Scope == web.Public || r.Scope == web.Self {
						continue
					}
					may := slices.Contains(perms, r.Perm)
					if kind == "site" && (r.Scope == web.Whole || r.Scope == web.Group && r.Effect) {
						may = false
					}
					q := town.Request{Path: map[string]string{"id": "1", "site_id": "1", "product_id": "1"}}
					var body any
					if r.Method != "GET" {
						body = []int{}
					}
					a := w.Send(cookie, r.Method, q.Address(r.Path), body)
					if let := a.Code != "no_permission"; let != may || a.Status == 401 {
						t.Errorf("%s over a %s, %s (%s): %v; may: %v", role.Key, kind, r.Name, r.Perm, a, may)
					}
				}
			}
		}
	}, town.Whole)
}
