package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/web"
)

// office is a shop reached through its API.
type office struct {
	*shop
	api    *web.API
	runner *jobs.Runner
	roles  map[string]id.ID
	keys   int
}

func (s *shop) office() *office {
	s.t.Helper()
	o := &office{shop: s, runner: jobs.NewRunner(s.d.DB, 1, quiet)}
	o.api = web.New(web.Options{SignedIn: s.org.SignedIn, Log: quiet, OnFault: func(operation, fault string) {
		s.t.Errorf("%s answers otherwise than the document says: %s", operation, fault)
	}})
	s.org.Routes(o.api)
	s.in.Routes(o.api)
	s.in.Jobs(o.runner)
	o.api.Open(s.d.DB)
	if err := s.d.Read(s.t.Context(), func(tx *db.Tx) (err error) { o.roles, err = org.RoleIDs(tx); return err }); err != nil {
		s.t.Fatal(err)
	}
	return o
}

type answer struct {
	status int
	body   map[string]any
	text   string
	header http.Header
	cookie string
}

func (a answer) code() string {
	code, _ := a.body["code"].(string)
	return code
}

func (o *office) send(cookie, key, method, path string, body io.Reader) answer {
	o.t.Helper()
	r := httptest.NewRequest(method, path, body)
	if method != "GET" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
	}
	r.Header.Set("Cookie", "zhanggui="+cookie)
	r.Header.Set("Accept-Language", "en")
	w := httptest.NewRecorder()
	o.api.ServeHTTP(w, r)
	a := answer{status: w.Code, text: w.Body.String(), header: w.Header()}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			o.t.Fatalf("%s %s: %d %q", method, path, w.Code, w.Body)
		}
	}
	for _, c := range w.Result().Cookies() {
		a.cookie = c.Value
	}
	return a
}

func (o *office) key() string {
	o.keys++
	return fmt.Sprintf("key-%d", o.keys)
}

func (o *office) call(cookie, method, path string, body any) answer {
	o.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.send(cookie, o.key(), method, path, strings.NewReader(string(text)))
}

func (o *office) done(cookie, method, path string, body any) map[string]any {
	o.t.Helper()
	a := o.call(cookie, method, path, body)
	if a.status != 200 {
		o.t.Fatalf("%s %s: %d %s", method, path, a.status, a.text)
	}
	return a.body
}

func (o *office) refusedAs(code string, a answer) {
	o.t.Helper()
	if a.code() != code {
		o.t.Errorf("answered %d %s, want %s", a.status, a.text, code)
	}
}

func (o *office) signIn(name, password string) string {
	o.t.Helper()
	a := o.call("", "POST", "/api/sign-in", map[string]any{"name": name, "password": password})
	if a.status != 200 {
		o.t.Fatalf("%s can't sign in: %s", name, a.text)
	}
	return a.cookie
}

// hire adds a person with a role at one site and signs him in.
func (o *office) hire(admin, name, role string, site id.ID) string {
	o.t.Helper()
	p := o.done(admin, "POST", "/api/org/staff", map[string]any{"name": name, "display_name": name, "password": "long-enough-7", "site_id": site.String()})
	o.done(admin, "PUT", "/api/org/staff/"+p["id"].(string)+"/grants",
		[]map[string]any{{"role_id": o.roles[role].String(), "scope_kind": "site", "scope_id": site.String()}})
	return o.signIn(name, "long-enough-7")
}

func path(k Kind, name string) string {
	return "/api/imports?kind=" + string(k) + "&file_name=" + url.QueryEscape(name)
}

// upload uploads a file and gives the import's address.
func (o *office) upload(cookie string, k Kind, content string) string {
	o.t.Helper()
	a := o.send(cookie, o.key(), "POST", path(k, "我的 "+string(k)+".csv"), strings.NewReader(content))
	if a.status != 200 || a.body["state"] != "ready" {
		o.t.Fatalf("upload: %d %s", a.status, a.text)
	}
	return "/api/imports/" + a.body["id"].(string)
}

// work runs what waits in the background.
func (o *office) work() {
	o.t.Helper()
	if err := o.runner.Drain(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) state(cookie, address string) string {
	o.t.Helper()
	v := o.done(cookie, "GET", address, nil)
	return fmt.Sprintf("%v %v read %v new %v same %v refused", v["state"], v["rows_read"], v["rows_new"], v["rows_same"], v["rows_refused"])
}

func TestAFileIsUploadedMappedCorrectedAndImported(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		at := o.upload(admin, Sales, "日期,商品名称,销量,备注\n2026-02-26,鲜肉包,12,\n2026-02-27,鲜肉包,-3,=1+1\n2026-02-28,鲜肉包,9,\n")
		v := o.done(admin, "GET", at, nil)
		s.is(fmt.Sprint(v["columns"], v["mapping"], v["rows_total"], v["encoding"]), "[日期 商品名称 销量 备注] map[date:日期 product:商品名称 quantity:销量 备注:-] 3UTF-8")
		s.is(fmt.Sprint(v["sample"]), "[[2026-02-26 鲜肉包 12 ] [2026-02-27 鲜肉包 -3 =1+1] [2026-02-28 鲜肉包 9 ]]")

		a := o.call(admin, "POST", at+"/run", map[string]any{"mode": "all", "mapping": map[string]string{"date": "日期", "product": "商品名称"}})
		o.refusedAs("column_missing", a)
		s.is(fmt.Sprint(a.body["field"]), "quantity")

		o.done(admin, "POST", at+"/run", map[string]any{"mode": "all"})
		o.refusedAs("import_not_ready", o.call(admin, "POST", at+"/run", map[string]any{"mode": "all"}))
		o.work()
		s.is(o.state(admin, at), "refused 3 read 0 new 0 same 1 refused")
		v = o.done(admin, "GET", at, nil)
		s.is(fmt.Sprint(v["refused_sample"]), "[map[cells:[2026-02-27 鲜肉包 -3 =1+1] code:qty_negative field:quantity line:3 message:The quantity must not be negative]]")
		list := o.send(admin, "", "GET", at+"/refused.csv", nil)
		s.is(list.text, "\ufeffline,field,code,message,日期,商品名称,销量,备注\n3,quantity,qty_negative,The quantity must not be negative,2026-02-27,鲜肉包,'-3,'=1+1\n")
		if d := list.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment;") || !strings.Contains(d, "refused.csv") {
			t.Errorf("the list is sent as %q", d)
		}

		o.done(admin, "POST", at+"/run", map[string]any{"mode": "good"})
		o.work()
		s.is(o.state(admin, at), "applied 3 read 2 new 0 same 1 refused")
		s.is(s.sold("S001", "B001", "2026-02-20", "2026-03-01"), "02-26 12, 02-28 9")
		o.refusedAs("import_not_ready", o.call(admin, "POST", at+"/run", map[string]any{"mode": "good"}))

		// The corrected list is uploaded as it is.
		fixed := o.upload(admin, Sales, strings.Replace(list.text, "'-3", "3", 1))
		o.done(admin, "POST", fixed+"/run", map[string]any{"mode": "all", "dry_run": true})
		o.work()
		s.is(o.state(admin, fixed), "checked 1 read 1 new 0 same 0 refused")
		s.is(s.sold("S001", "B001", "2026-02-27", "2026-02-27"), "")
		o.done(admin, "POST", fixed+"/run", map[string]any{"mode": "all"})
		o.work()
		s.is(s.sold("S001", "B001", "2026-02-20", "2026-03-01"), "02-26 12, 02-27 3, 02-28 9")

		page := o.done(admin, "GET", "/api/imports?kind=sales", nil)
		if items := page["items"].([]any); len(items) != 2 || items[0].(map[string]any)["file_name"] != "我的 sales.csv" {
			t.Errorf("the list shows %v", items)
		}
		if kinds := o.done(admin, "GET", "/api/imports/kinds", nil)["items"].([]any); len(kinds) < 6 {
			t.Errorf("%d kinds", len(kinds))
		}
	})
}

func TestAnUploadIsTakenOncePerKey(t *testing.T) {
	each(t, func(s *shop) {
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		const file = "date,product,quantity\n2026-02-26,x,1\n"
		first := o.send(admin, "k", "POST", path(Sales, "a.csv"), strings.NewReader(file))
		again := o.send(admin, "k", "POST", path(Sales, "a.csv"), strings.NewReader(file))
		if first.status != 200 || again.status != 200 || first.body["id"] != again.body["id"] || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%d %s, then %d %s", first.status, first.text, again.status, again.text)
		}
		o.refusedAs("key_reused", o.send(admin, "k", "POST", path(Sales, "a.csv"), strings.NewReader(file+"2026-02-27,x,1\n")))
		o.refusedAs("key_reused", o.send(admin, "k", "POST", path(Weather, "a.csv"), strings.NewReader(file)))
		o.refusedAs("key_missing", o.send(admin, "", "POST", path(Sales, "a.csv"), strings.NewReader(file)))
		if n := s.n("intake_import"); n != 1 {
			t.Errorf("%d imports", n)
		}
	})
}

type brokenBody struct {
	io.Reader
	err error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestWhatDoesNotArriveOrIsNoTableLeavesNothing(t *testing.T) {
	each(t, func(s *shop) {
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		half := &brokenBody{strings.NewReader("date,product,quantity\n2026-02-26,x"), io.ErrUnexpectedEOF}
		o.refusedAs("body_broken", o.send(admin, "k1", "POST", path(Sales, "a.csv"), half))
		o.refusedAs("csv_empty", o.send(admin, "k2", "POST", path(Sales, "a.csv"), strings.NewReader("")))
		o.refusedAs("csv_not_text", o.send(admin, "k3", "POST", path(Sales, "a.csv"), strings.NewReader("PK\x03\x04")))
		o.refusedAs("csv_delimiter", o.send(admin, "k4", "POST", path(Sales, "a.csv"), strings.NewReader("date;product\n1;2\n")))
		if a := o.send(admin, "k5", "POST", path("nonsense", "a.csv"), strings.NewReader("x\n1\n")); a.status != 422 {
			t.Errorf("an unknown kind: %d %s", a.status, a.text)
		}
		if s.n("intake_import") != 0 || s.n("intake_chunk") != 0 {
			t.Errorf("%d imports and %d chunks are left", s.n("intake_import"), s.n("intake_chunk"))
		}
		// The same key may be used once the file is right.
		a := o.send(admin, "k1", "POST", path(Sales, "a.csv"), strings.NewReader("date,product,quantity\n2026-02-26,x,1\n"))
		if a.status != 200 {
			t.Errorf("%s", a.text)
		}
	})
}

func TestALongUploadKeepsEveryByte(t *testing.T) {
	each(t, func(s *shop) {
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		file := salesOf(30, 450) // several chunks
		at := o.upload(admin, Sales, file)
		if s.n("intake_chunk") < 2 {
			t.Fatalf("%d chunks", s.n("intake_chunk"))
		}
		o.done(admin, "POST", at+"/run", map[string]any{"mode": "all", "create_missing": true})
		o.work()
		s.is(o.state(admin, at), "applied 13500 read 13500 new 0 same 0 refused")
		// What is in force needs its file no more.
		if err := s.in.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.n("intake_chunk"); n != 0 {
			t.Errorf("%d chunks are left", n)
		}
		o.refusedAs("import_not_ready", o.call(admin, "POST", at+"/run", map[string]any{"mode": "all"}))
	})
}

func TestAStoreManagerImportsForHisStoreOnly(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		s.take(Stores, "store,name,open,close\nS002,南门店,07:00,23:00\n", Run{}, "applied 1 read 1 new 0 same 0 refused")
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		wang := o.hire(admin, "wang", "manager", s.first.Site.ID)
		li := o.hire(admin, "li", "cashier", s.first.Site.ID)

		const sales = "date,store,product,quantity\n2026-02-26,S001,B001,5\n2026-02-26,S002,B001,7\n2026-02-26,南门店,B001,7\n2026-02-26,S009,B001,7\n"
		at := o.upload(wang, Sales, sales)
		o.done(wang, "POST", at+"/run", map[string]any{"mode": "good"})
		o.work()
		s.is(o.state(wang, at), "applied 4 read 1 new 0 same 3 refused")
		v := o.done(wang, "GET", at, nil)
		for _, r := range v["refused_sample"].([]any) { // a foreign store and none at all look the same
			if row := r.(map[string]any); row["code"] != "store_unknown" || row["field"] != "store" {
				t.Errorf("%v", row)
			}
		}
		s.is(s.sold("S002", "B001", "2026-02-20", "2026-03-01"), "")

		stockAt := o.upload(wang, Stock, "store,product,batch,qty,unit,expires_at,cost_fen\nS001,B001,A,1,,2026-03-09,1\nS002,B001,A,1,,2026-03-09,1\n")
		o.done(wang, "POST", stockAt+"/run", map[string]any{"mode": "good"})
		o.work()
		s.is(o.state(wang, stockAt), "applied 2 read 1 new 0 same 1 refused")
		weatherAt := o.upload(wang, Weather, "date,store,tmax_c,tmin_c,rain_mm,text\n2026-02-26,S001,9,0,0,\n2026-02-26,,9,0,0,\n2026-02-26,S002,9,0,0,\n")
		o.done(wang, "POST", weatherAt+"/run", map[string]any{"mode": "good"})
		o.work()
		s.is(o.state(wang, weatherAt), "applied 3 read 1 new 0 same 2 refused")

		// What concerns the whole group is not his.
		for _, k := range []Kind{Stores, Products, Holidays} {
			o.refusedAs("no_permission", o.send(wang, o.key(), "POST", path(k, "x.csv"), strings.NewReader("a\n1\n")))
		}
		again := o.upload(wang, Sales, sales)
		o.refusedAs("no_permission", o.call(wang, "POST", again+"/run", map[string]any{"mode": "all", "create_missing": true}))
		if kinds := o.done(wang, "GET", "/api/imports/kinds", nil)["items"].([]any); len(kinds) != 3 {
			t.Errorf("he is offered %v", kinds)
		}

		// Others' imports are not there for him, and his not for those without the permission.
		theirs := o.upload(admin, Sales, sales)
		for _, a := range []answer{o.call(wang, "GET", theirs, nil), o.call(wang, "GET", theirs+"/refused.csv", nil),
			o.call(wang, "POST", theirs+"/run", map[string]any{"mode": "all"}), o.call(wang, "POST", theirs+"/cancel", nil),
			o.call(wang, "GET", "/api/imports/"+id.New().String(), nil)} {
			o.refusedAs("import_unknown", a)
		}
		for _, x := range o.done(wang, "GET", "/api/imports", nil)["items"].([]any) {
			if "/api/imports/"+x.(map[string]any)["id"].(string) == theirs {
				t.Error("his list shows the administrator's import")
			}
		}
		for _, a := range []answer{o.call(li, "GET", "/api/imports", nil), o.call(li, "GET", at, nil), o.call(li, "POST", at+"/run", map[string]any{"mode": "all"}),
			o.call(li, "GET", at+"/refused.csv", nil), o.send(li, "x", "POST", path(Sales, "x.csv"), strings.NewReader(sales))} {
			o.refusedAs("no_permission", a)
		}

		// Rights that are gone when the job runs are gone.
		o.done(wang, "POST", again+"/run", map[string]any{"mode": "good"})
		staff := o.done(admin, "GET", "/api/org/staff?q=wang", nil)["items"].([]any)[0].(map[string]any)["id"].(string)
		o.done(admin, "PUT", "/api/org/staff/"+staff+"/grants", []map[string]any{})
		o.work()
		v = o.done(admin, "GET", again, nil)
		s.is(fmt.Sprint(v["state"], " ", v["error"].(map[string]any)["code"]), "failed no_permission")
	})
}

func TestAnImportIsCancelledUntilItComesIntoForce(t *testing.T) {
	each(t, func(s *shop) {
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		run := map[string]any{"mode": "all", "create_missing": true}
		// Before its job has begun.
		at := o.upload(admin, Sales, salesOf(5, 20))
		o.done(admin, "POST", at+"/run", run)
		o.done(admin, "POST", at+"/cancel", nil)
		o.work()
		s.is(o.state(admin, at), "cancelled 0 read 0 new 0 same 0 refused")
		// While it is read.
		o.done(admin, "POST", at+"/run", run)
		stop := func(want State) {
			s.in.pace = func(ctx context.Context, _ time.Duration) {
				if v := o.done(admin, "GET", at, nil); v["state"] == string(want) {
					o.call(admin, "POST", at+"/cancel", nil)
				}
			}
		}
		stop(Reading)
		o.work()
		s.is(o.state(admin, at)[:9], "cancelled")
		if s.n("catalog_product") != 0 || s.n("forecast_sale_day") != 0 {
			t.Error("a cancelled import left something")
		}
		s.clean()
		// Too late.
		o.done(admin, "POST", at+"/run", run)
		stop(Applying)
		o.work()
		s.is(o.state(admin, at), "applied 100 read 100 new 0 same 0 refused")
		o.refusedAs("import_too_late", o.call(admin, "POST", at+"/cancel", nil))
	})
}

func TestAJobThatDiesIsTakenUpAgain(t *testing.T) {
	each(t, func(s *shop) {
		o := s.office()
		admin := o.signIn("admin", adminPassword)
		at := o.upload(admin, Sales, salesOf(5, 300))
		o.done(admin, "POST", at+"/run", map[string]any{"mode": "all", "create_missing": true})
		s.in.runRows = 400
		dead := errors.New("the power went")
		for _, state := range []State{Reading, Applying} {
			func() {
				defer func() {
					if p := recover(); p != nil && p != any(dead) {
						panic(p)
					}
				}()
				seen := 0
				s.in.pace = func(context.Context, time.Duration) {
					if v := o.done(admin, "GET", at, nil); v["state"] == string(state) {
						if seen++; seen == 2 {
							panic(dead)
						}
					}
				}
				w, err := s.in.take(t.Context(), importID(t, at), Reading, Checking, Applying)
				if err != nil {
					t.Fatal(err)
				}
				_ = w.perform(t.Context(), s.in.chunks(w.im.ID))
				t.Errorf("%s: it lived", state)
			}()
			if n := s.n("catalog_product"); n != 0 {
				t.Errorf("%s: %d products", state, n)
			}
		}
		s.in.pace = func(context.Context, time.Duration) {}
		o.work() // the job is still there
		s.is(o.state(admin, at), "applied 1500 read 1500 new 0 same 0 refused")
		if s.n("forecast_sale_day") != 1500 || s.n("catalog_product") != 5 {
			t.Errorf("%d days, %d products", s.n("forecast_sale_day"), s.n("catalog_product"))
		}
		s.clean()
	})
}

func importID(t *testing.T, address string) id.ID {
	t.Helper()
	parsed, err := id.Parse(address[strings.LastIndexByte(address, '/')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestWhatNobodyImportsIsForgotten(t *testing.T) {
	each(t, func(s *shop) {
		long := func(n int64) id.ID { return id.ID(n << 22) } // made in the first milliseconds of 2024
		err := s.d.Write(t.Context(), func(tx *db.Tx) error {
			for i, state := range []State{Ready, Refused, Applied, Reading} {
				key := string(state)
				if _, err := insert(tx, &Import{ID: long(int64(i + 1)), Kind: Sales}, state, &key); err != nil {
					return err
				}
				if err := tx.Exec(`INSERT INTO intake_chunk (import_id, no, data) VALUES ($1, 0, $2)`, long(int64(i+1)), []byte("x")); err != nil {
					return err
				}
				if err := putRefusals(tx, long(int64(i+1)), &counters{}, []refusal{{line: 2, bad: []*errs.Error{ErrZero.At("qty")}}}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		left := func() string { return fmt.Sprint(s.n("intake_chunk"), " files ", s.n("intake_refusal"), " lists") }
		for _, want := range []string{"1 files 4 lists", "1 files 1 lists", "1 files 1 lists"} { // what is under way keeps both
			if err := s.in.Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.is(left(), want)
		}
		im, err := s.in.byID(t.Context(), long(1))
		if err != nil || im.State != Cancelled {
			t.Errorf("an upload without its file is %v %v", im.State, err)
		}
	})
}
