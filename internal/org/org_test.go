package org_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
)

const adminPassword = "sesame-open-9"

// company is an installation reached through its API, with a wall clock that the test moves.
type company struct {
	t     *testing.T
	d     *dbtest.DB
	o     *org.Org
	api   *web.API
	wall  *clock.Hand
	keys  int
	first *org.First
	roles map[string]id.ID
}

var schema = dbtest.With(once.Migrations, org.Migrations)

func options(wall clock.Source) org.Options {
	return org.Options{
		Permissions: []org.Permission{{"org.read", "看", "see"}, {"org.manage", "管", "manage"}, {"till.sell", "卖", "sell"}, {"till.void", "废", "void"}},
		Roles: []org.BuiltIn{
			{Key: org.Administrator, Name: "管理员"},
			{Key: "store_manager", Name: "店长", Perms: []string{"org.read", "org.manage", "till.sell"}},
			{Key: "cashier", Name: "收银员", Perms: []string{"till.sell"}},
		},
		Wall: wall,
		Log:  slog.New(slog.DiscardHandler),
	}
}

func open(t *testing.T, d *dbtest.DB) *company {
	t.Helper()
	c := &company{t: t, d: d, wall: clock.Fixed(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))}
	c.node()
	var err error
	if c.first, err = c.o.Start(t.Context(), d.DB, adminPassword); err != nil {
		t.Fatal(err)
	}
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { c.roles, err = org.RoleIDs(tx); return err }); err != nil {
		t.Fatal(err)
	}
	return c
}

// node makes another server over the same database.
func (c *company) node() {
	c.o = org.New(options(c.wall))
	c.api = web.New(web.Options{SignedIn: c.o.SignedIn, Clock: c.wall, Log: slog.New(slog.DiscardHandler)})
	c.o.Routes(c.api)
	c.api.Open(c.d.DB)
}

// answer is what a request came to.
type answer struct {
	status int
	code   string
	field  string
	body   map[string]any
	cookie string
	header http.Header
}

func (a answer) String() string { return fmt.Sprintf("%d %s %s", a.status, a.code, a.field) }

// call sends one request as the holder of cookie.
func (c *company) call(cookie, method, path string, body any) answer {
	c.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if s, ok := body.(string); ok {
			b.WriteString(s)
		} else if err := json.NewEncoder(&b).Encode(body); err != nil {
			c.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, &b)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	c.keys++
	r.Header.Set("Idempotency-Key", fmt.Sprintf("key-%d", c.keys))
	if cookie != "" {
		r.Header.Set("Cookie", "zhanggui="+cookie)
	}
	return c.send(r)
}

func (c *company) send(r *http.Request) answer {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
		c.t.Fatalf("%s %s: %d %q", r.Method, r.URL, w.Code, w.Body)
	}
	a.code, _ = a.body["code"].(string)
	a.field, _ = a.body["field"].(string)
	for _, k := range w.Result().Cookies() {
		a.cookie = k.Value
	}
	return a
}

// done is a call that must succeed.
func (c *company) done(cookie, method, path string, body any) answer {
	c.t.Helper()
	a := c.call(cookie, method, path, body)
	if a.status != 200 {
		c.t.Fatalf("%s %s: %v %v", method, path, a, a.body)
	}
	return a
}

func (c *company) refused(code string, a answer) {
	c.t.Helper()
	if a.code != code {
		c.t.Errorf("want refusal %s, got %v %v", code, a, a.body)
	}
}

type m = map[string]any

func (c *company) signIn(name, password string) answer {
	c.t.Helper()
	return c.call("", "POST", "/api/sign-in", m{"name": name, "password": password})
}

func (c *company) admin() string {
	c.t.Helper()
	a := c.signIn("admin", adminPassword)
	if a.status != 200 {
		c.t.Fatalf("administrator can't sign in: %v", a)
	}
	return a.cookie
}

// hire adds a person with a role over a scope and signs him in.
func (c *company) hire(admin, name, role, scopeKind, scope, home string) (cookie, staff string) {
	c.t.Helper()
	p := c.done(admin, "POST", "/api/org/staff", m{"name": name, "display_name": name, "password": "long-enough-7", "site_id": home})
	staff = p.body["id"].(string)
	c.done(admin, "PUT", "/api/org/staff/"+staff+"/grants", []m{{"role_id": c.roles[role].String(), "scope_kind": scopeKind, "scope_id": scope}})
	a := c.signIn(name, "long-enough-7")
	if a.status != 200 {
		c.t.Fatalf("%s can't sign in: %v", name, a)
	}
	return a.cookie, staff
}

func (c *company) site(admin, code, entity string) string {
	c.t.Helper()
	return c.done(admin, "POST", "/api/org/sites", m{"code": code, "name": "店 " + code, "kind": "store", "entity_id": entity}).body["id"].(string)
}

func (c *company) proven() {
	c.t.Helper()
	r, err := proof.Run(c.t.Context(), c.d.DB, org.Proofs())
	if err != nil || !r.OK {
		c.t.Errorf("proofs: %+v %v", r, err)
	}
}

func items(a answer) []any { l, _ := a.body["items"].([]any); return l }

func TestTheFirstStartMakesACompanyThatCanBeEntered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		if !c.first.Made || c.first.Password != "" || c.first.Site.Code != "S001" {
			t.Fatalf("first start: %+v", c.first)
		}
		me := c.done(c.admin(), "GET", "/api/me", nil).body
		if got := fmt.Sprint(me["permissions"]); got != "[org.manage org.read till.sell till.void]" {
			t.Errorf("the administrator may %v", got)
		}
		if sites := me["sites"].([]any); len(sites) != 1 || sites[0].(m)["code"] != "S001" {
			t.Errorf("the administrator sees %v", sites)
		}
		again, err := org.New(options(c.wall)).Start(t.Context(), d.DB, "another-password-1")
		if err != nil || again.Made {
			t.Fatalf("second start: %+v %v", again, err)
		}
		if a := c.signIn("admin", "another-password-1"); a.code != "sign_in_wrong" {
			t.Errorf("the second start changed the password: %v", a)
		}
		c.proven()
	}, schema)
}

func TestTheFirstStartMakesAPasswordAndRefusesAKnownOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		wall := clock.Fixed(dbtest.Start)
		for _, weak := range []string{"admin123", "12345678", "short", "aaaaaaaaaa", "Password1", "admin1"} {
			if _, err := org.New(options(wall)).Start(t.Context(), d.DB, weak); err == nil {
				t.Fatalf("%q was taken as the administrator's password", weak)
			}
		}
		defer org.FullEffort()()
		first, err := org.New(options(wall)).Start(t.Context(), d.DB, "")
		if err != nil || len(first.Password) < 20 {
			t.Fatalf("first start: %+v %v", first, err)
		}
		var stored string
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT password FROM org_staff WHERE name = 'admin'`).Scan(&stored)
		})
		if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(stored, first.Password) {
			t.Errorf("stored: %q %v", stored, err)
		}
	}, schema)
}

func TestManyNodesStartTheSameEmptyDatabaseOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		wall := clock.Fixed(dbtest.Start)
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for range 4 {
			wg.Go(func() {
				first, err := org.New(options(wall)).Start(context.Background(), d.DB, adminPassword)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if first.Made {
					made++
				}
			})
		}
		wg.Wait()
		var staff, sites int64
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT (SELECT COUNT(*) FROM org_staff), (SELECT COUNT(*) FROM org_site)`).Scan(&staff, &sites)
		})
		if err != nil || made != 1 || staff != 1 || sites != 1 {
			t.Errorf("made %d times, %d staff, %d sites, %v", made, staff, sites, err)
		}
	}, schema)
}

func TestOnlyTheRightPasswordSignsIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		wrong, unknown := c.signIn("admin", "not-the-password"), c.signIn("nobody", "not-the-password")
		if wrong.code != "sign_in_wrong" || fmt.Sprint(wrong.body) != fmt.Sprint(unknown.body) || wrong.status != unknown.status {
			t.Errorf("a wrong password says %v, an unknown name %v", wrong.body, unknown.body)
		}
		c.refused("field_missing", c.call("", "POST", "/api/sign-in", m{"name": "admin"}))
		c.refused("field_unknown", c.call("", "POST", "/api/sign-in", m{"name": "admin", "password": "x", "admin": true}))
		a := c.signIn(" Admin ", adminPassword)
		if a.status != 200 {
			t.Fatalf("%v", a)
		}
		set := a.header.Get("Set-Cookie")
		for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="} {
			if !strings.Contains(set, want) {
				t.Errorf("cookie without %s: %s", want, set)
			}
		}
		if strings.Contains(set, "Secure") {
			t.Errorf("over http a browser would drop the cookie: %s", set)
		}
		var stored int64
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM org_session WHERE token_hash = $1`, a.cookie).Scan(&stored)
		})
		if err != nil || stored != 0 {
			t.Error("the cookie itself is stored")
		}
		for _, bad := range []string{"x", a.cookie + "x", strings.ToLower(a.cookie), strings.Repeat("a", 2000)} {
			c.refused("sign_in_required", c.call(bad, "GET", "/api/me", nil))
		}
	}, schema)
}

func TestOverHTTPSTheCookieIsBoundToTheHost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		c.api = web.New(web.Options{SignedIn: c.o.SignedIn, Clock: c.wall, Log: slog.New(slog.DiscardHandler), TrustProxy: true})
		c.o.Routes(c.api)
		c.api.Open(d.DB)
		ask := func(method, path, body, cookie string) answer {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("Cookie", cookie)
			return c.send(r)
		}
		a := ask("POST", "/api/sign-in", `{"name":"admin","password":"`+adminPassword+`"}`, "")
		set := a.header.Get("Set-Cookie")
		if !strings.HasPrefix(set, "__Host-zhanggui=") || !strings.Contains(set, "Secure") || strings.Contains(set, "Domain") {
			t.Errorf("cookie over https: %s", set)
		}
		if a := ask("GET", "/api/me", "", "zhanggui=planted-by-somebody-else; __Host-zhanggui="+a.cookie); a.status != 200 {
			t.Errorf("a planted cookie beside the real one: %v", a)
		}
		if a := ask("POST", "/api/sign-out", "", "__Host-zhanggui="+a.cookie); a.status != 200 {
			t.Errorf("sign-out: %v", a)
		}
		c.refused("sign_in_required", ask("GET", "/api/me", "", "__Host-zhanggui="+a.cookie))
	}, schema)
}

// The only administrator has forgotten the password and tried until the name is locked. Whoever has the machine lets him in again,
// beside a running server.
func TestWhoHasTheMachineLetsSomebodyInAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		session := c.signIn("admin", adminPassword).cookie
		for range 12 {
			c.signIn("admin", "not-the-password")
		}
		c.refused("sign_in_later", c.signIn("admin", adminPassword))
		for _, bad := range []struct{ name, password, code string }{{"nobody", "fresh-start-77", "staff_unknown"}, {"admin", "short", "password_short"}, {"admin", "12345678", "password_weak"}, {"admin", "changeme", "password_weak"}} {
			if _, err := c.o.ResetPassword(t.Context(), c.d.DB, bad.name, bad.password); errs.As(err) == nil || errs.As(err).Code != bad.code {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		other := org.New(options(c.wall)) // the command is a program of its own
		made, err := other.ResetPassword(t.Context(), c.d.DB, "admin", "")
		if err != nil || len(made) < 20 {
			t.Fatalf("%q %v", made, err)
		}
		c.refused("sign_in_wrong", c.signIn("admin", adminPassword))
		fresh := c.signIn("admin", made).cookie
		if name := c.done(fresh, "GET", "/api/me", nil).body["name"]; name != "admin" {
			t.Errorf("signed in as %v", name)
		}
		c.wall.Add(500 * time.Millisecond) // for which a server may go by what it knew
		c.refused("sign_in_required", c.call(session, "GET", "/api/me", nil))
		if trail := items(c.done(fresh, "GET", "/api/org/audit", nil)); trail[0].(m)["act"] != "password.reset" {
			t.Errorf("the trail begins with %v", trail[0])
		}
		away := c.done(fresh, "POST", "/api/org/staff", m{"name": "gone", "display_name": "x", "password": "long-enough-7"}).body["id"].(string)
		c.done(fresh, "POST", "/api/org/staff/"+away+"/disable", m{})
		if _, err := other.ResetPassword(t.Context(), c.d.DB, "gone", "fresh-start-77"); errs.As(err) == nil || errs.As(err).Code != "staff_disabled" {
			t.Errorf("a disabled person: %v", err)
		}
	}, schema)
}

func TestGuessingAPasswordEndsInWaiting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		hashed := 0
		for i := 0; i < 3600; i += 10 { // every ten seconds for an hour
			switch a := c.signIn("admin", "guess-number-1"); a.code {
			case "sign_in_wrong":
				hashed++
			case "sign_in_later":
			default:
				t.Fatalf("%v", a)
			}
			c.wall.Add(10 * time.Second)
		}
		if hashed < 5 || hashed > 20 {
			t.Errorf("%d guesses reached the hash in an hour, want 5 to 20", hashed)
		}
		if a := c.signIn("admin", adminPassword); a.code != "sign_in_later" {
			t.Errorf("the right password got past the wait: %v", a)
		} else if s := a.header.Get("Retry-After"); s == "1" || !strings.Contains(a.body["detail"].(string), s+" ") {
			t.Errorf("told to wait %s s, and in words: %v", s, a.body["detail"])
		}
		c.wall.Add(2 * time.Hour)
		if a := c.signIn("admin", adminPassword); a.status != 200 {
			t.Errorf("after the wait: %v", a)
		}
		if a := c.signIn("admin", "guess-number-2"); a.code != "sign_in_wrong" {
			t.Errorf("a success should forget the failures: %v", a)
		}
	}, schema)
}

func TestGuessesSentAtTheSameMomentAreAllCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		var wg sync.WaitGroup
		var mu sync.Mutex
		codes := map[string]int{}
		for i := range 40 {
			wg.Go(func() {
				r := httptest.NewRequest("POST", "/api/sign-in", strings.NewReader(`{"name":"admin","password":"guess-number-1"}`))
				r.Header.Set("Content-Type", "application/json")
				r.RemoteAddr = fmt.Sprintf("10.0.0.%d:1", i)
				w := httptest.NewRecorder()
				c.api.ServeHTTP(w, r)
				var p web.Problem
				_ = json.Unmarshal(w.Body.Bytes(), &p)
				mu.Lock()
				codes[p.Code]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if codes["sign_in_wrong"]+codes["sign_in_busy"] != 5 || codes["sign_in_later"] != 35 {
			t.Errorf("%v: want 5 counted as free tries and 35 sent away", codes)
		}
	}, schema)
}

func TestOneAddressCannotTryManyNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		hashed := 0
		for i := range 100 {
			if c.signIn(fmt.Sprintf("name%d", i), "guess-number-1").code == "sign_in_wrong" {
				hashed++
			}
		}
		if hashed != 60 {
			t.Errorf("%d names tried from one address, want 60", hashed)
		}
	}, schema)
}

func TestASessionEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		cookie := c.admin()
		for range 6 { // used every ten hours, for two and a half days
			c.wall.Add(10 * time.Hour)
			c.done(cookie, "GET", "/api/me", nil)
			if err := c.o.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c.node() // a restart loses nothing that was flushed
		c.o.Use(d.DB)
		c.wall.Add(11 * time.Hour)
		c.done(cookie, "GET", "/api/me", nil)
		c.wall.Add(12*time.Hour + time.Second)
		c.refused("sign_in_required", c.call(cookie, "GET", "/api/me", nil))

		cookie = c.admin()
		for range 16 {
			c.wall.Add(11 * time.Hour)
			if c.call(cookie, "GET", "/api/me", nil).status != 200 {
				break
			}
		}
		c.refused("sign_in_required", c.call(cookie, "GET", "/api/me", nil)) // 7 days at most, however busy

		cookie = c.admin()
		c.done(cookie, "POST", "/api/sign-out", nil)
		c.refused("sign_in_required", c.call(cookie, "GET", "/api/me", nil))
		c.wall.Add(8 * 24 * time.Hour)
		if err := c.o.Sweep(t.Context(), d.DB); err != nil {
			t.Fatal(err)
		}
		var left int64
		_ = d.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM org_session`).Scan(&left) })
		if left != 0 {
			t.Errorf("%d ended sessions are kept", left)
		}
	}, schema)
}

func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		here, there := c.admin(), c.admin()
		c.refused("password_wrong", c.call(here, "POST", "/api/me/password", m{"old": "nonsense-1", "new": "better-password-2"}))
		c.refused("password_short", c.call(here, "POST", "/api/me/password", m{"old": adminPassword, "new": "short"}))
		c.refused("password_weak", c.call(here, "POST", "/api/me/password", m{"old": adminPassword, "new": "administrator"}))
		self := c.done(there, "GET", "/api/me", nil).body["id"].(string)
		c.refused("own_password", c.call(here, "PUT", "/api/org/staff/"+self, m{"display_name": "x", "password": "better-password-2"}))
		c.done(here, "POST", "/api/me/password", m{"old": adminPassword, "new": "better-password-2"})
		c.done(here, "GET", "/api/me", nil)
		c.refused("sign_in_required", c.call(there, "GET", "/api/me", nil))
		c.refused("sign_in_wrong", c.signIn("admin", adminPassword))
		if a := c.signIn("admin", "better-password-2"); a.status != 200 {
			t.Errorf("%v", a)
		}
	}, schema)
}

func TestADisabledPersonIsOutWithinASecondOnEveryNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		cashier, staff := c.hire(admin, "li", "cashier", "site", c.first.Site.ID.String(), c.first.Site.ID.String())
		other := *c
		other.node()
		other.o.Use(d.DB)
		other.done(cashier, "GET", "/api/me", nil)
		c.done(admin, "POST", "/api/org/staff/"+staff+"/disable", m{})
		c.refused("sign_in_required", c.call(cashier, "GET", "/api/me", nil))
		c.wall.Add(time.Second)
		c.refused("sign_in_required", other.call(cashier, "GET", "/api/me", nil))
		c.refused("sign_in_wrong", c.signIn("li", "long-enough-7"))
		c.refused("not_to_oneself", c.call(admin, "POST", "/api/org/staff/"+c.done(admin, "GET", "/api/me", nil).body["id"].(string)+"/disable", m{}))
		c.done(admin, "POST", "/api/org/staff/"+staff+"/disable", m{"disabled": false})
		if a := c.signIn("li", "long-enough-7"); a.status != 200 {
			t.Errorf("let in again: %v", a)
		}
		c.proven()
	}, schema)
}

func TestRightsTakenAreGoneAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		home := c.first.Site.ID.String()
		boss, staff := c.hire(admin, "wang", "store_manager", "site", home, home)
		c.done(boss, "GET", "/api/org/sites/"+home, nil)
		c.done(admin, "PUT", "/api/org/staff/"+staff+"/grants", []m{})
		c.refused("no_permission", c.call(boss, "GET", "/api/org/sites/"+home, nil))
		c.proven()
	}, schema)
}
