package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/web"
)

// person is a caller of the tests: may holds "perm" for everywhere, "perm@site" for one site.
type person struct {
	who  id.ID
	lang string
	may  []string
}

func (p *person) Principal() id.ID { return p.who }
func (p *person) Language() string { return p.lang }
func (p *person) May(perm string) bool {
	for _, m := range p.may {
		if name, _, _ := strings.Cut(m, "@"); name == perm {
			return true
		}
	}
	return false
}
func (p *person) MayAll(perm string) bool { return p.MayAt(perm, -1) }
func (p *person) MayAt(perm string, s id.ID) bool {
	for _, m := range p.may {
		if m == perm || m == perm+"@"+s.String() {
			return true
		}
	}
	return false
}

// counter is a little trade: it counts, and can be asked to misbehave.
type counter struct {
	t    *testing.T
	api  *web.API
	d    *dbtest.DB
	log  bytes.Buffer
	ran  atomic.Int64
	hold chan struct{}
	in   chan struct{}
	who  map[string]*person
}

var schema = dbtest.With(once.Migrations, outbox.Migrations, db.Migrations{Package: "test", FS: fstest.MapFS{
	"migrations/001_count.sql": {Data: []byte(`CREATE TABLE test_count (id BIGINT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO test_count (id, n) VALUES (1, 0);`)},
}})

var errFull = errs.Define("test_counter_full", errs.Conflict, "满了:{n}", "Full: {n}")

type addition struct {
	N    int64  `json:"n" minimum:"1" maximum:"100"`
	Mode string `json:"mode,omitempty" enum:"refuse,fail,panic,wait"`
}

type addIn struct{ Body addition }

type total struct {
	N int64 `json:"n"`
}

func open(t *testing.T, d *dbtest.DB, o web.Options) *counter {
	t.Helper()
	c := &counter{t: t, d: d, hold: make(chan struct{}), in: make(chan struct{}, 100), who: map[string]*person{
		"all":  {1, "", []string{"count.do", "count.see", "check.read"}},
		"one":  {2, "en", []string{"count.do@7", "count.see@7"}},
		"none": {3, "", nil},
	}}
	o.SignedIn = func(r *http.Request) (web.Caller, error) {
		if p := c.who[r.Header.Get("X-Test-Person")]; p != nil {
			return p, nil
		}
		return nil, nil
	}
	o.Log = slog.New(slog.NewTextHandler(&c.log, nil))
	c.api = web.New(o)
	web.Post(c.api, web.Route{Path: "/api/count/{id}", Name: "add", Summary: "Add", Perm: "count.do", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body addition
		}) (*total, error) {
			c.ran.Add(1)
			if err := tx.Exec(`UPDATE test_count SET n = n + $1 WHERE id = 1`, in.Body.N); err != nil {
				return nil, err
			}
			switch in.Body.Mode {
			case "refuse":
				return nil, errFull.With("n", in.Body.N).At("n")
			case "fail":
				return nil, errors.New("secret inner words about test_count")
			case "panic":
				panic("secret inner words")
			case "wait":
				c.in <- struct{}{}
				<-c.hold
			}
			out := &total{}
			return out, tx.QueryRow(`SELECT n FROM test_count WHERE id = 1`).Scan(&out.N)
		})
	web.Get(c.api, web.Route{Path: "/api/count", Name: "see", Summary: "See", Perm: "count.see", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*total, error) {
			out := &total{}
			return out, tx.QueryRow(`SELECT n FROM test_count WHERE id = 1`).Scan(&out.N)
		})
	web.Get(c.api, web.Route{Path: "/api/whole", Name: "whole", Summary: "Whole", Perm: "count.see", Scope: web.Whole},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*total, error) { return &total{}, nil })
	web.Put(c.api, web.Route{Path: "/api/count", Name: "set", Summary: "Set", Perm: "count.do", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *addIn) (*total, error) { return &total{in.Body.N}, nil })
	web.Post(c.api, web.Route{Path: "/api/quote", Name: "quote", Summary: "Quote", Perm: "count.see", Scope: web.Sites, NoEffect: true},
		func(ctx context.Context, tx *db.Tx, in *addIn) (*total, error) {
			if in.Body.Mode == "fail" {
				return nil, tx.Exec(`UPDATE test_count SET n = 99 WHERE id = 1`)
			}
			return &total{in.Body.N}, nil
		})
	web.Act(c.api, http.MethodPost, web.Route{Path: "/api/slow", Name: "slow", Summary: "Slow", Perm: "count.do", Scope: web.Sites},
		func(ctx context.Context, d *db.DB, in *addIn) (*total, error) {
			return web.Write(ctx, d, func(tx *db.Tx) (*total, error) {
				c.ran.Add(1)
				out := &total{}
				return out, tx.QueryRow(`UPDATE test_count SET n = n + $1 WHERE id = 1 RETURNING n`, in.Body.N).Scan(&out.N)
			})
		})
	web.Raw(c.api, http.MethodPost, web.Route{Path: "/api/upload", Name: "upload", Summary: "Upload", Perm: "count.do", Scope: web.Sites, MaxBody: 100},
		func(ctx context.Context, d *db.DB, in *struct {
			Kind string `query:"kind" enum:"a,b" required:"true"`
		}, w http.ResponseWriter, r *http.Request) error {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(w, "%s %d %s", in.Kind, len(b), web.KeyOf(ctx))
			return err
		})
	web.Upload(c.api, web.Route{Path: "/api/file", Name: "file", Summary: "File", Perm: "count.do", Scope: web.Sites, MaxBody: 100},
		func(ctx context.Context, d *db.DB, in *struct{}, body io.Reader) (*total, error) {
			b, err := io.ReadAll(body)
			if err != nil {
				return nil, err
			}
			web.ContentIs(ctx, b)
			return web.Write(ctx, d, func(tx *db.Tx) (*total, error) {
				out := &total{}
				return out, tx.QueryRow(`UPDATE test_count SET n = n + $1 WHERE id = 1 RETURNING n`, len(b)).Scan(&out.N)
			})
		})
	web.Get(c.api, web.Route{Path: "/api/open", Name: "open", Summary: "Open", Scope: web.Public},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*total, error) { return &total{}, nil })
	if d != nil {
		c.api.Open(d.DB)
	}
	return c
}

type reply struct {
	status int
	web.Problem
	text   string
	header http.Header
}

// ask sends a request; extra are header names and values.
func (c *counter) ask(person, method, path, body string, extra ...string) reply {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if person != "" {
		r.Header.Set("X-Test-Person", person)
	}
	if method != http.MethodGet {
		r.Header.Set("Idempotency-Key", id.New().String())
	}
	for i := 0; i < len(extra); i += 2 {
		r.Header.Set(extra[i], extra[i+1])
		if extra[i+1] == "" {
			r.Header.Del(extra[i])
		}
	}
	return c.send(r)
}

func (c *counter) send(r *http.Request) reply {
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r)
	a := reply{status: w.Code, text: w.Body.String(), header: w.Header()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(w.Body.Bytes(), &a.Problem); err != nil || a.Problem.Status != w.Code {
			c.t.Errorf("%s %s: no proper problem: %s", r.Method, r.URL, w.Body)
		}
	}
	return a
}

func (c *counter) n() (n int64) {
	c.t.Helper()
	if err := c.d.Read(c.t.Context(), func(tx *db.Tx) error { return tx.QueryRow(`SELECT n FROM test_count WHERE id = 1`).Scan(&n) }); err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *counter) want(a reply, status int, code string) {
	c.t.Helper()
	if a.status != status || a.Code != code {
		c.t.Errorf("got %d %q %s, want %d %q", a.status, a.Code, a.text, status, code)
	}
}

func TestARouteWithoutPermissionOrScopeIsNoRoute(t *testing.T) {
	h := func(ctx context.Context, tx *db.Tx, in *struct{}) (*total, error) { return &total{}, nil }
	for name, r := range map[string]web.Route{
		"no scope":             {Path: "/x", Name: "x", Summary: "x", Perm: "p"},
		"no permission":        {Path: "/x", Name: "x", Summary: "x", Scope: web.Sites},
		"no group permission":  {Path: "/x", Name: "x", Summary: "x", Scope: web.Group},
		"no whole permission":  {Path: "/x", Name: "x", Summary: "x", Scope: web.Whole},
		"public with one":      {Path: "/x", Name: "x", Summary: "x", Scope: web.Public, Perm: "p"},
		"unknown scope":        {Path: "/x", Name: "x", Summary: "x", Scope: "world", Perm: "p"},
		"no name":              {Path: "/x", Summary: "x", Scope: web.Public},
		"no path":              {Name: "x", Summary: "x", Scope: web.Public},
		"name of another":      {Path: "/x", Name: "health", Summary: "x", Scope: web.Public},
		"nothing said at all ": {},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: registered", name)
				}
			}()
			web.Get(web.New(web.Options{}), r, h)
		}()
	}
}

func TestWhoMayCallWhat(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		for _, x := range []struct {
			person, method, path string
			status               int
			code                 string
		}{
			{"", "GET", "/api/count", 401, "sign_in_required"},
			{"none", "GET", "/api/count", 403, "no_permission"},
			{"one", "GET", "/api/count", 200, ""},
			{"all", "GET", "/api/count", 200, ""},
			{"one", "GET", "/api/whole", 403, "no_permission"},
			{"all", "GET", "/api/whole", 200, ""},
			{"", "PUT", "/api/count", 401, "sign_in_required"},
			{"one", "PUT", "/api/count", 403, "no_permission"}, // group data is changed by those over the group
			{"all", "PUT", "/api/count", 200, ""},
			{"one", "POST", "/api/count/5", 200, ""},
			{"none", "POST", "/api/count/5", 403, "no_permission"},
			{"none", "POST", "/api/quote", 403, "no_permission"},
			{"none", "POST", "/api/slow", 403, "no_permission"},
			{"none", "POST", "/api/upload?kind=a", 403, "no_permission"},
			{"", "POST", "/api/upload?kind=a", 401, "sign_in_required"},
			{"", "GET", "/api/open", 200, ""},
			{"", "GET", "/api/version", 200, ""},
			{"", "GET", "/healthz", 200, ""},
			{"", "GET", "/readyz", 200, ""},
			{"", "GET", "/api/openapi.json", 200, ""},
			{"", "GET", "/metrics", 401, "sign_in_required"},
			{"one", "GET", "/metrics", 403, "no_permission"},
			{"all", "GET", "/metrics", 200, ""},
			{"all", "GET", "/api/nothing", 404, "route_unknown"},
			{"all", "DELETE", "/api/count", 405, "method_unknown"},
			{"all", "GET", "/api/../api/count", 404, "route_unknown"},
			{"all", "GET", "/api//count", 404, "route_unknown"},
			{"all", "GET", "/debug/pprof/", 404, "route_unknown"},
		} {
			body := ""
			if x.method != "GET" {
				body = `{"n":1}`
			}
			a := c.ask(x.person, x.method, x.path, body)
			if a.status != x.status || a.Code != x.code {
				t.Errorf("%s asks %s %s: %d %q, want %d %q", x.person, x.method, x.path, a.status, a.Code, x.status, x.code)
			}
		}
		// Metrics are free on the machine itself, but not to one who comes through a proxy on it.
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = "127.0.0.1:5000"
		if a := c.send(r); a.status != 200 || !strings.Contains(a.text, `zhanggui_request_seconds_count{operation="add",status="2xx"} 1`) {
			t.Errorf("metrics here: %d", a.status)
		}
		r.Header.Set("X-Forwarded-For", "8.8.8.8")
		c.want(c.send(r), 401, "sign_in_required")
	}, schema)
}

func TestEveryRouteIsListedAndInTheDocument(t *testing.T) {
	c := open(t, nil, web.Options{})
	text, err := c.api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Permission  string `json:"x-permission"`
			Scope       string `json:"x-scope"`
			Parameters  []struct {
				Name, In string
				Required bool
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v %s", err, doc.OpenAPI)
	}
	for _, r := range c.api.Routes() {
		op, ok := doc.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok || op.Permission != r.Perm || op.Scope != string(r.Scope) || op.OperationID != r.Name {
			t.Errorf("%s in the document: %+v", r, op)
		}
		keyed := false
		for _, p := range op.Parameters {
			keyed = keyed || p.Name == "Idempotency-Key" && p.In == "header" && p.Required
		}
		if keyed != r.Effect {
			t.Errorf("%s: needs a key %v, says so %v", r, r.Effect, keyed)
		}
	}
}

func TestARepeatedKeyGetsTheFirstAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		for _, path := range []string{"/api/count/5", "/api/slow"} {
			before, ran := c.n(), c.ran.Load()
			first := c.ask("all", "POST", path, `{"n":3}`, "Idempotency-Key", "k1")
			again := c.ask("all", "POST", path, `{"n":3}`, "Idempotency-Key", "k1")
			if first.text != again.text && strings.TrimSpace(first.text) != strings.TrimSpace(again.text) || again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("%s: %q then %q (%v)", path, first.text, again.text, again.header)
			}
			if c.n() != before+3 || path == "/api/slow" && c.ran.Load() < ran+1 {
				t.Errorf("%s: counted %d", path, c.n()-before)
			}
			c.want(c.ask("all", "POST", path, `{"n":4}`, "Idempotency-Key", "k1"), 422, "key_reused")
			// The key is one person's and one route's own.
			if a := c.ask("one", "POST", path, `{"n":1}`, "Idempotency-Key", "k1"); a.status != 200 || a.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("%s: another person's key: %d %s", path, a.status, a.text)
			}
		}
		// Another address is another content.
		c.want(c.ask("all", "POST", "/api/count/6", `{"n":3}`, "Idempotency-Key", "k1"), 422, "key_reused")
		c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Idempotency-Key", ""), 400, "key_missing")
		c.want(c.ask("all", "POST", "/api/slow", `{"n":1}`, "Idempotency-Key", ""), 400, "key_missing")
		c.want(c.ask("all", "POST", "/api/upload?kind=a", `x`, "Idempotency-Key", ""), 400, "key_missing")
		c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Idempotency-Key", strings.Repeat("k", 65)), 400, "key_bad")
		c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Idempotency-Key", "a b"), 400, "key_bad")
		c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Idempotency-Key", strings.Repeat("k", 64)), 200, "")
		c.want(c.ask("all", "POST", "/api/quote", `{"n":1}`, "Idempotency-Key", ""), 200, "")
	}, schema)
}

func TestAFileSentTwiceUnderOneKeyIsTakenOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		for range 2 {
			if a := c.ask("all", "POST", "/api/file", "a file", "Idempotency-Key", "f", "Content-Type", "text/csv"); a.status != 200 || strings.TrimSpace(a.text) != `{"n":6}` {
				t.Errorf("%d %s", a.status, a.text)
			}
		}
		c.want(c.ask("all", "POST", "/api/file", "another", "Idempotency-Key", "f"), 422, "key_reused")
		c.want(c.ask("all", "POST", "/api/file", strings.Repeat("x", 101), "Idempotency-Key", "g"), 413, "body_too_large")
		if c.n() != 6 {
			t.Errorf("counted %d", c.n())
		}
	}, schema)
}

func TestARefusalIsNotKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		for _, mode := range []string{"refuse", "fail", "panic"} {
			before := c.n()
			key := "key-" + mode
			a := c.ask("all", "POST", "/api/count/5", fmt.Sprintf(`{"n":2,"mode":%q}`, mode), "Idempotency-Key", key)
			if mode == "refuse" {
				c.want(a, 409, "test_counter_full")
				if a.Field != "n" || a.Detail != "满了:2" {
					t.Errorf("%+v", a.Problem)
				}
			} else {
				c.want(a, 500, "internal")
				if a.RequestID == "" || a.RequestID != a.header.Get("Request-Id") {
					t.Errorf("%s: no number to ask for: %s", mode, a.text)
				}
			}
			if strings.Contains(a.text, "secret") || strings.Contains(a.text, "test_count ") || strings.Contains(a.text, "goroutine") {
				t.Errorf("%s tells what is inside: %s", mode, a.text)
			}
			if c.n() != before {
				t.Errorf("%s changed something", mode)
			}
			// It changed nothing, so the same key may try again, also with a mended content.
			c.want(c.ask("all", "POST", "/api/count/5", `{"n":2}`, "Idempotency-Key", key), 200, "")
			if c.n() != before+2 {
				t.Errorf("after %s: %d", mode, c.n()-before)
			}
		}
		if !strings.Contains(c.log.String(), "secret inner words") {
			t.Error("the log does not know what failed")
		}
	}, schema)
}

func TestTwinsSentTogetherActOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		var wg sync.WaitGroup
		texts := make([]string, 16)
		for i := range texts {
			wg.Go(func() {
				texts[i] = strings.TrimSpace(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Idempotency-Key", "twin").text)
			})
		}
		wg.Wait()
		for _, s := range texts {
			if s != `{"n":1}` {
				t.Errorf("a twin got %s", s)
			}
		}
		if c.n() != 1 {
			t.Errorf("acted %d times", c.n())
		}
	}, schema)
}

func TestWhatANoEffectRouteWritesIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		c.want(c.ask("all", "POST", "/api/quote", `{"n":1,"mode":"fail"}`), 500, "internal")
		if c.n() != 0 {
			t.Error("a quote changed something")
		}
	}, schema)
}

func TestAnotherSiteCannotActForASignedInPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		for _, h := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Origin", "https://evil.example"},
			{"Origin", "null"},
		} {
			c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, h...), 403, "cross_site")
			c.want(c.ask("all", "POST", "/api/slow", `{"n":1}`, h...), 403, "cross_site")
			c.want(c.ask("all", "POST", "/api/upload?kind=a", `x`, h...), 403, "cross_site")
			c.want(c.ask("all", "POST", "/api/quote", `{"n":1}`, h...), 403, "cross_site")
		}
		for _, h := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", "http://example.com"}} {
			c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, h...), 200, "")
		}
		// A form of another site can send these without asking.
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
			c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Content-Type", kind), 415, "media_type")
		}
		c.want(c.ask("all", "POST", "/api/count/5", `{"n":1}`, "Content-Type", "application/json; charset=utf-8"), 200, "")
		a := c.ask("all", "GET", "/api/count", "", "Origin", "https://evil.example")
		if a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("another site may read our answers")
		}
	}, schema)
}

func TestABodyHasALimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		large := `{"n":1,"mode":"` + strings.Repeat("x", 1<<20) + `"}`
		c.want(c.ask("all", "POST", "/api/count/5", large), 413, "body_too_large")
		r := httptest.NewRequest("POST", "/api/count/5", io.MultiReader(strings.NewReader(large))) // length not announced
		r.ContentLength = -1
		r.Header.Set("X-Test-Person", "all")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		c.want(c.send(r), 413, "body_too_large")
		c.want(c.ask("all", "POST", "/api/upload?kind=a", strings.Repeat("x", 101)), 413, "body_too_large")
		if a := c.ask("all", "POST", "/api/upload?kind=b", strings.Repeat("x", 100), "Idempotency-Key", "mine"); a.text != "b 100 mine" {
			t.Errorf("%s", a.text)
		}
		c.want(c.ask("all", "POST", "/api/upload", "x"), 422, "field_missing")
		c.want(c.ask("all", "POST", "/api/upload?kind=c", "x"), 422, "not_a_choice")
		c.want(c.ask("all", "GET", "/api/count?x="+strings.Repeat("x", 9000), ""), 400, "address_bad")
		if c.n() != 0 {
			t.Error("something was counted")
		}
		if a := c.ask("all", "POST", "/api/count/5", `{"n":0,"k":1}`); len(a.Errors) != 2 || a.Errors[1].Field != "k" {
			t.Errorf("both faults are told: %s", a.text)
		}
	}, schema)
}

func TestAnAnswerSpeaksTheCallersLanguage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		for _, x := range []struct{ person, accept, want string }{
			{"none", "", "您没有这项权限"},
			{"none", "en-GB,en;q=0.9", "You do not have permission for this"},
			{"none", "fr, en;q=0.5", "You do not have permission for this"},
			{"none", "zh-TW", "您没有这项权限"},
			{"none", "ja", "您没有这项权限"},
		} {
			if a := c.ask(x.person, "GET", "/api/count", "", "Accept-Language", x.accept); a.Detail != x.want {
				t.Errorf("%q: %s", x.accept, a.Detail)
			}
		}
		if a := c.ask("one", "GET", "/api/whole", "", "Accept-Language", "zh"); a.Detail != "You do not have permission for this" {
			t.Errorf("who chose English gets %s", a.Detail)
		}
	}, schema)
}

func TestUnderOverloadMostAreTurnedAwayAndTheRestServed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{MaxActive: 1})
		first := make(chan reply)
		go func() { first <- c.ask("all", "POST", "/api/count/5", `{"n":1,"mode":"wait"}`) }()
		<-c.in
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // one who does not wait for a place
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/open", nil)
		a := c.send(r)
		c.want(a, 503, "busy")
		if a.header.Get("Retry-After") == "" {
			t.Error("not told when to come again")
		}
		if a := c.ask("", "GET", "/healthz", ""); a.status != 200 {
			t.Errorf("health under load: %d", a.status)
		}
		close(c.hold)
		c.want(<-first, 200, "")
		c.want(c.ask("", "GET", "/api/open", ""), 200, "")
	}, schema)
}

func TestBeforeTheDatabaseIsOpenCallersAreToldToWait(t *testing.T) {
	c := open(t, nil, web.Options{})
	c.api.Pages(web.NewPages(fstest.MapFS{"placeholder.html": {Data: []byte("soon")}}))
	c.want(c.ask("all", "GET", "/api/count", ""), 503, "starting")
	c.want(c.ask("", "GET", "/api/anything", ""), 503, "starting")
	c.want(c.ask("", "GET", "/readyz", ""), 503, "starting")
	c.want(c.ask("", "GET", "/healthz", ""), 200, "")
	if a := c.ask("", "GET", "/", ""); a.status != 200 || a.text != "soon" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestANodeIsReadyOnlyWhenAllOfItIs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		c.want(c.ask("", "GET", "/readyz", ""), 200, "")
		c.api.ReadyWhen(func(context.Context) error { return errors.New("secret reason") })
		a := c.ask("", "GET", "/readyz", "")
		c.want(a, 503, "busy")
		if strings.Contains(a.text, "secret") {
			t.Errorf("%s", a.text)
		}
	}, schema)
}

func TestTheLogHoldsNoPersonalData(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		c.ask("all", "GET", "/api/count?phone=13800000000", "")
		c.ask("all", "POST", "/api/count/13800000001", `{"n":13800000002,"mode":"13800000003"}`, "Idempotency-Key", "13800000004", "Cookie", "x=13800000005")
		c.ask("13800000006", "GET", "/api/13800000007", "")
		log := c.log.String()
		if strings.Contains(log, "138000") {
			t.Errorf("the log repeats what was sent:\n%s", log)
		}
		if strings.Count(log, "msg=request") != 3 || !strings.Contains(log, "operation=add") || !strings.Contains(log, "status=422") {
			t.Errorf("requests are not logged:\n%s", log)
		}
	}, schema)
}

func TestEveryAnswerGuardsTheBrowser(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{TrustProxy: true})
		c.api.Pages(web.NewPages(fstest.MapFS{"index.html": {Data: []byte("door")}}))
		for _, path := range []string{"/", "/api/count", "/api/nothing", "/nothing.js", "/healthz"} {
			a := c.ask("all", "GET", path, "")
			csp := a.header.Get("Content-Security-Policy")
			scripts := csp[strings.Index(csp, "script-src"):]
			scripts = scripts[:strings.Index(scripts, ";")]
			if strings.Contains(scripts, "unsafe-inline") || strings.Contains(scripts, "'unsafe-eval'") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: %s", path, csp)
			}
			if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("X-Frame-Options") != "DENY" || a.header.Get("Referrer-Policy") == "" {
				t.Errorf("%s: %v", path, a.header)
			}
			if a.header.Get("Strict-Transport-Security") != "" {
				t.Errorf("%s: promises https over http", path)
			}
		}
		a := c.ask("all", "GET", "/api/count", "", "X-Forwarded-Proto", "https")
		if a.header.Get("Strict-Transport-Security") == "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", a.header)
		}
	}, schema)
}

func TestPagesAreServedFromTheProgram(t *testing.T) {
	long := strings.Repeat("body{color:red}", 100)
	c := open(t, nil, web.Options{})
	c.api.Pages(web.NewPages(fstest.MapFS{
		"index.html":            {Data: []byte("door")},
		"admin/index.html":      {Data: []byte("admin")},
		"till/index.html":       {Data: []byte("till")},
		"assets/a-1a2b3c4d.css": {Data: []byte(long)},
		"assets/b-1a2b3c4d.js":  {Data: []byte("1")},
		"mark.svg":              {Data: []byte("<svg/>")},
	}))
	for path, want := range map[string]string{
		"/": "door", "/admin/": "admin", "/admin": "admin", "/admin/goods/12": "admin", "/till/": "till", "/till/sales": "till", "/mark.svg": "<svg/>",
	} {
		if a := c.ask("", "GET", path, ""); a.status != 200 || a.text != want || a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %q %s", path, a.status, a.text, a.header.Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/assets/gone.js", "/assets/", "/nothing/here", "/admin/x.js", "/../go.mod", "/admin/../../go.mod", "/.git/config"} {
		if a := c.ask("", "GET", path, ""); a.status != 404 {
			t.Errorf("%s: %d %q", path, a.status, a.text)
		}
	}
	plain := c.ask("", "GET", "/assets/a-1a2b3c4d.css", "")
	packed := c.ask("", "GET", "/assets/a-1a2b3c4d.css", "", "Accept-Encoding", "br, gzip")
	if plain.text != long || packed.header.Get("Content-Encoding") != "gzip" || len(packed.text) >= len(long)/4 || !strings.Contains(plain.header.Get("Cache-Control"), "immutable") ||
		!strings.HasPrefix(plain.header.Get("Content-Type"), "text/css") {
		t.Errorf("%v %v", plain.header, packed.header)
	}
	if a := c.ask("", "GET", "/", "", "If-None-Match", c.ask("", "GET", "/", "").header.Get("ETag")); a.status != 304 || a.text != "" {
		t.Errorf("asked again: %d %q", a.status, a.text)
	}
	c.want(c.ask("", "POST", "/", "x"), 405, "method_unknown")
	if js := c.ask("", "GET", "/assets/b-1a2b3c4d.js", ""); !strings.HasPrefix(js.header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%v", js.header)
	}
}

func TestLiveScreensHearOnlyOfTheirSites(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		live := c.api.Live(map[string]string{"count": "count.see"})
		server := httptest.NewServer(c.api)
		defer server.Close()
		defer live.Close()
		tail := outbox.NewTail(d.DB, nil)
		if err := tail.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		live.Use(tail)
		lines := map[string]*bufio.Scanner{}
		for _, who := range []string{"all", "one"} {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/live", nil)
			r.Header.Set("X-Test-Person", who)
			a, err := http.DefaultClient.Do(r)
			if err != nil || a.Header.Get("Content-Type") != "text/event-stream" {
				t.Fatal(err, a)
			}
			defer a.Body.Close()
			lines[who] = bufio.NewScanner(a.Body)
			if !lines[who].Scan() || !strings.HasPrefix(lines[who].Text(), ":") {
				t.Fatalf("%s hears %q first", who, lines[who].Text())
			}
		}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			for _, e := range []outbox.Event{
				{Type: "other.done.v1", Subject: 1},
				{Type: "count.done.v1", Subject: 2, Site: 8},
				{Type: "count.done.v1", Subject: 3, Site: 7},
				{Type: "count.done.v1", Subject: 4},
			} {
				if err := outbox.Emit(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := tail.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		hear := func(who string, n int) (all []string) {
			for len(all) < n && lines[who].Scan() {
				if text, ok := strings.CutPrefix(lines[who].Text(), "data: "); ok {
					var e struct{ Subject string }
					if err := json.Unmarshal([]byte(text), &e); err != nil {
						t.Fatal(err)
					}
					all = append(all, e.Subject)
				}
			}
			return all
		}
		if got := fmt.Sprint(hear("all", 3), hear("one", 2)); got != "[2 3 4] [3 4]" {
			t.Errorf("heard %s", got)
		}
		// Rights taken end the stream, and so does the end of the server.
		delete(c.who, "one")
		for lines["one"].Scan() {
		}
		live.Close()
		for lines["all"].Scan() {
		}
		c.want(c.ask("", "GET", "/api/live", ""), 401, "sign_in_required")
	}, schema)
}

func TestABodyThatStopsHalfWayIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d, web.Options{})
		r := httptest.NewRequest("POST", "/api/count/5", strings.NewReader(`{"n":`))
		r.ContentLength = 500
		r.Header.Set("X-Test-Person", "all")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		c.want(c.send(r), 400, "body_broken")
		if c.n() != 0 {
			t.Error("half a body was counted")
		}
	}, schema)
}

func BenchmarkWrappedWrite(b *testing.B) {
	d := dbtest.New(b, db.SQLite, schema)
	api := web.New(web.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), SignedIn: func(*http.Request) (web.Caller, error) {
		return &person{1, "", []string{"p"}}, nil
	}})
	web.Post(api, web.Route{Path: "/api/x", Name: "x", Summary: "x", Perm: "p", Scope: web.Sites, NoEffect: true},
		func(ctx context.Context, tx *db.Tx, in *addIn) (*total, error) { return &total{in.Body.N}, nil })
	api.Open(d.DB)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/api/x", strings.NewReader(`{"n":1}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
