package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

const adminPassword = "sesame-open-9"

type m = map[string]any

// screen is what a command prints, read while it runs.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	said *sync.Cond
}

func newScreen() *screen { s := &screen{}; s.said = sync.NewCond(&s.mu); return s }

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said.Broadcast()
	return s.text.Write(b)
}

// wait returns what the expression finds once it is on the screen.
func (s *screen) wait(t *testing.T, ended <-chan error, expr string) string {
	t.Helper()
	re := regexp.MustCompile(expr)
	go func() { // wake the waiter when the command has ended without saying it
		<-ended
		s.said.Broadcast()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if m := re.FindStringSubmatch(s.text.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-ended:
			t.Fatalf("ended without saying %q:\n%s", expr, s.text.String())
		default:
		}
		s.said.Wait()
	}
}

// running is a server as `zhanggui serve` starts it.
type running struct {
	t      *testing.T
	url    string
	out    *screen
	stop   context.CancelFunc
	ended  chan error
	client *http.Client
}

func serve(t *testing.T, cmd serveCmd) *running {
	t.Helper()
	cmd.Addr, cmd.careless = "127.0.0.1:0", true
	ctx, stop := context.WithCancel(context.Background())
	jar, _ := cookiejar.New(nil)
	s := &running{t: t, out: newScreen(), stop: stop, ended: make(chan error, 1), client: &http.Client{Jar: jar}}
	logged := newScreen()
	done := make(chan error)
	go func() {
		err := cmd.Run(ctx, &console{out: s.out, err: logged, log: slog.New(slog.NewTextHandler(logged, nil))})
		s.ended <- err
		close(done)
	}()
	t.Cleanup(stop)
	s.url = s.out.wait(t, done, `掌柜 (http://\S+)`)
	logged.wait(t, done, `msg=(ready)`)
	return s
}

// end stops the server as a signal does and gives what it came to.
func (s *running) end() error {
	s.stop()
	s.client.CloseIdleConnections()
	return <-s.ended
}

func (s *running) ask(method, path string, body any) (int, map[string]any) {
	s.t.Helper()
	var b bytes.Buffer
	if body != nil {
		_ = json.NewEncoder(&b).Encode(body)
	}
	r, err := http.NewRequest(method, s.url+path, &b)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id.New().String())
	a, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	var out map[string]any
	_ = json.Unmarshal(text, &out)
	return a.StatusCode, out
}

func TestAStrangerStartsSignsInAndSells(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		cmd := serveCmd{database: database{d.DSN}}
		s := serve(t, cmd)
		password := s.out.wait(t, nil, `password  (\S+)`)
		if code, _ := s.ask("GET", "/", nil); code != 200 {
			t.Errorf("the first page: %d", code)
		}
		if code, me := s.ask("POST", "/api/sign-in", m{"name": "admin", "password": password}); code != 200 {
			t.Fatalf("sign-in with the printed password: %d %v", code, me)
		}
		_, me := s.ask("GET", "/api/me", nil)
		site := me["sites"].([]any)[0].(m)["id"]
		_, found := s.ask("GET", "/api/goods/lookup?code=6900000000014&site_id="+site.(string), nil)
		product := found["product"].(m)["id"]
		code, sale := s.ask("POST", "/api/till/sales", m{"site_id": site, "register": "1", "expect_total_fen": 400,
			"lines": []m{{"product_id": product, "unit": "瓶", "qty": "2"}}, "tenders": []m{{"kind": "cash", "amount_fen": 400}}})
		if code != 200 || sale["state"] != "paid" {
			t.Fatalf("the first sale: %d %v", code, sale)
		}
		if err := s.end(); err != nil {
			t.Errorf("stopping: %v", err)
		}

		s = serve(t, cmd)
		if strings.Contains(s.out.text.String(), "password") {
			t.Error("a second start prints a password")
		}
		if code, _ := s.ask("POST", "/api/sign-in", m{"name": "admin", "password": password}); code != 200 {
			t.Errorf("after a restart: %d", code)
		}
		if code, again := s.ask("GET", "/api/till/sales/"+sale["id"].(string), nil); code != 200 || again["total_fen"] != sale["total_fen"] {
			t.Errorf("the sale after a restart: %d %v", code, again)
		}
		if err := s.end(); err != nil {
			t.Errorf("stopping: %v", err)
		}

		out := newScreen()
		if code := Run([]string{"check", "--json", "--db", d.DSN}, out, io.Discard); code != exitDone {
			t.Errorf("check on sound data: exit %d\n%s", code, out.text.String())
		}
		var report struct {
			OK     bool
			Proofs []struct {
				Name string
				Rows int64
			}
		}
		if err := json.Unmarshal(out.text.Bytes(), &report); err != nil || !report.OK || len(report.Proofs) < 10 {
			t.Errorf("%v %s", err, out.text.String())
		}
		err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(`UPDATE till_tender SET amount_fen = amount_fen + 1`) })
		if err != nil {
			t.Fatal(err)
		}
		out = newScreen()
		if code := Run([]string{"check", "--db", d.DSN}, out, io.Discard); code != exitWrong || !strings.Contains(out.text.String(), "BAD") {
			t.Errorf("check on a changed tender: exit %d\n%s", code, out.text.String())
		}
	})
}

func TestAPersonsPasswordIsTakenAtTheFirstStart(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "new", "z.db")
	s := serve(t, serveCmd{database: database{dsn}, Password: "a-good-password"})
	if strings.Contains(s.out.text.String(), "a-good-password") {
		t.Error("the given password is printed")
	}
	if code, _ := s.ask("POST", "/api/sign-in", m{"name": "admin", "password": "a-good-password"}); code != 200 {
		t.Errorf("sign-in: %d", code)
	}
	_ = s.end()

	weak := serveCmd{database: database{"sqlite:" + filepath.Join(t.TempDir(), "z.db")}, Password: "admin123", Addr: "127.0.0.1:0"}
	if err := weak.Run(t.Context(), &console{out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "password_weak") {
		t.Errorf("a known password: %v", err)
	}
}

func TestStoppingFinishesWhatHasBegunAndEndsTheStreams(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := serve(t, serveCmd{database: database{d.DSN}, Password: adminPassword})
		s.ask("POST", "/api/sign-in", m{"name": "admin", "password": adminPassword})
		r, _ := http.NewRequest("GET", s.url+"/api/live", nil)
		stream, err := s.client.Do(r)
		if err != nil || stream.StatusCode != 200 {
			t.Fatal(err, stream)
		}
		defer stream.Body.Close()
		var wg sync.WaitGroup
		_, me := s.ask("GET", "/api/me", nil)
		site := me["sites"].([]any)[0].(m)["id"].(string)
		started := make(chan struct{}, 8)
		for range 8 {
			wg.Go(func() {
				for first := true; ; first = false {
					b, _ := json.Marshal(m{"site_id": site, "code": "R" + id.New().String()[12:]})
					r, _ := http.NewRequest("POST", s.url+"/api/till/registers", bytes.NewReader(b))
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("Idempotency-Key", id.New().String())
					a, err := s.client.Do(r)
					if first {
						started <- struct{}{}
					}
					if err != nil {
						return // not accepted any more
					}
					_, err = io.ReadAll(a.Body)
					a.Body.Close()
					if err != nil || a.StatusCode >= 500 {
						t.Errorf("a request that was accepted: %d %v", a.StatusCode, err)
						return
					}
				}
			})
		}
		for range 8 {
			<-started
		}
		begun := time.Now()
		if err := s.end(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		wg.Wait()
		if _, err := io.ReadAll(stream.Body); err != nil {
			t.Errorf("the stream broke instead of ending: %v", err)
		}
		if took := time.Since(begun); took > drainTime {
			t.Errorf("stopping took %s", took)
		}
	})
}

func TestADatabaseThatCouldLoseASaleIsRefused(t *testing.T) {
	d := dbtest.New(t, db.Postgres) // the tests' own cluster does without fsync
	cmd := serveCmd{database: database{d.DSN}, Addr: "127.0.0.1:0"}
	err := cmd.Run(t.Context(), &console{out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "fsync is off") {
		t.Errorf("serve on a database without fsync: %v", err)
	}
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for _, x := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, exitDone, "zhanggui " + version},
		{[]string{"--help"}, exitDone, "serve"},
		{[]string{"serve", "--help"}, exitDone, "--db"},
		{[]string{"check", "--db", "sqlite:" + dir + "/none.db"}, exitPartly, "no database"},
		{[]string{"check", "--db", "mysql://x"}, exitPartly, "neither"},
		{[]string{"serve", "--db", "mysql://x", "--addr", "127.0.0.1:0"}, exitWrong, "neither"},
		{[]string{"serve", "--addr", "999.0.0.1:1"}, exitWrong, "cannot listen"},
		{[]string{"serve", "--production", "--pay", "simulated", "--db", "sqlite:" + dir + "/p.db", "--addr", "127.0.0.1:0"}, exitWrong, "production"},
		{[]string{"serve", "--pay", "gold", "--db", "sqlite:" + dir + "/q.db", "--addr", "127.0.0.1:0"}, exitWrong, "gold"},
		{[]string{"doctor", "--db", "sqlite:" + dir + "/new/z.db", "--addr", "127.0.0.1:0"}, exitDone, "does not exist yet"},
		{[]string{"doctor", "--db", "sqlite:/proc/none/z.db", "--addr", "127.0.0.1:0"}, exitWrong, "bad"},
		{[]string{"openapi"}, exitDone, `"openapi": "3.1.0"`},
	} {
		out := newScreen()
		if code := Run(x.args, out, out); code != x.code || !strings.Contains(out.text.String(), x.says) {
			t.Errorf("%v: exit %d, want %d and %q:\n%.800s", x.args, code, x.code, x.says, out.text.String())
		}
	}
	for _, args := range [][]string{{}, {"fly"}, {"serve", "--wings"}} {
		if code := Run(args, io.Discard, io.Discard); code == exitDone {
			t.Errorf("%v: exit 0", args)
		}
	}
}

func TestSettingsComeFromFlagsThenEnvironmentThenFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	file := filepath.Join(dir, "zhanggui.json")
	if err := os.WriteFile(file, []byte(`{"db": "mysql://from-file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	says := func(args ...string) string {
		out := newScreen()
		Run(append([]string{"check"}, args...), out, out)
		return out.text.String()
	}
	if got := says(); !strings.Contains(got, "from-file") {
		t.Errorf("the file: %s", got)
	}
	t.Setenv("ZHANGGUI_DB", "mysql://from-env")
	if got := says(); !strings.Contains(got, "from-env") {
		t.Errorf("the environment: %s", got)
	}
	if got := says("--db", "mysql://from-flag"); !strings.Contains(got, "from-flag") {
		t.Errorf("the flag: %s", got)
	}
}

func TestTheDoctorFindsWhatIsWrongWithTheDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		examine := func() map[string]string {
			t.Helper()
			out := newScreen()
			Run([]string{"doctor", "--json", "--db", d.DSN, "--addr", "127.0.0.1:0"}, out, io.Discard)
			var seen struct{ Findings []finding }
			if err := json.Unmarshal(out.text.Bytes(), &seen); err != nil {
				t.Fatalf("%v\n%s", err, out.text.String())
			}
			states := map[string]string{}
			for _, f := range seen.Findings {
				states[f.Name] = f.State + " " + f.Detail
			}
			return states
		}
		if got := examine()["schema"]; !strings.HasPrefix(got, "ok empty") {
			t.Errorf("empty: %s", got)
		}
		h, err := build(d.DB, options{business: d.Clock})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.start(t.Context(), adminPassword); err != nil {
			t.Fatal(err)
		}
		if got := examine()["schema"]; !strings.HasPrefix(got, "ok ") || strings.Contains(got, "empty") {
			t.Errorf("migrated: %s", got)
		}
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			future := int64(id.New()) + 3600*1000<<22
			return tx.Exec(`INSERT INTO org_audit (id, at, staff_id, act, subject_kind, subject_id, site_id, before_json, after_json) VALUES ($1, 0, 0, '', '', 0, 0, '', '')`, future)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := examine()["last entry"]; !strings.HasPrefix(got, "bad ") {
			t.Errorf("an entry of the future: %s", got)
		}
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Exec(`UPDATE org_migration SET version_id = 999 WHERE version_id = 1`)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := examine()["schema"]; !strings.HasPrefix(got, "bad made by a newer program") {
			t.Errorf("a newer schema: %s", got)
		}
	})
}

func TestAForgottenPasswordIsReplacedByACommand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		t.Setenv("ZHANGGUI_NEW_PASSWORD", "")
		run := func(args ...string) (int, string) {
			var out bytes.Buffer
			code := Run(append([]string{"password", "--db", d.DSN}, args...), &out, &out)
			return code, out.String()
		}
		if code, out := run("admin"); code != exitWrong {
			t.Errorf("an empty database: exit %d %s", code, out)
		}
		h, err := build(d.DB, options{business: d.Clock})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.start(t.Context(), adminPassword); err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][]string{{}, {"nobody"}, {"admin", "--password", "short"}} {
			if code, out := run(bad...); code != exitWrong || strings.Contains(out, "shown only this once") {
				t.Errorf("%v: exit %d %s", bad, code, out)
			}
		}
		code, out := run("admin")
		if code != exitDone || strings.Count(out, "shown only this once") != 1 {
			t.Errorf("exit %d %s", code, out)
		}
		if code, out := run("admin", "--password", "my-own-choice-5"); code != exitDone || strings.Contains(out, "my-own-choice-5") {
			t.Errorf("exit %d %s", code, out)
		}
	})
}
