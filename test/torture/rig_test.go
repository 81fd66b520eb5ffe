// Package torture kills the real server while it sells and counts what is lost, doubled or left half done.
// Every rig runs beside a control: the same rig with a known bug, which it must catch.
package torture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"zhanggui/internal/app"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

const (
	asServer = "ZHANGGUI_TORTURE_SERVER" // the test binary is started again as the product itself
	password = "Kill-me-not-9"
	clients  = 8
)

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(app.Run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// product runs one command of the product as a child.
func product(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asServer+"=1", "ZHANGGUI_ADMIN_PASSWORD="+password, "ZHANGGUI_SQLITE_LOG_PAGES=400") // the log is copied many times in a short life
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// shop is the server under torture; it comes back at a new address after every kill.
type shop struct {
	t     *testing.T
	dsn   string
	under []string // what the server runs under, such as strace with its arguments

	mu     sync.Mutex
	cmd    *exec.Cmd
	addr   string
	up     chan struct{} // closed while the server is up
	client *http.Client
	log    bytes.Buffer
}

func open(t *testing.T, dsn string) *shop {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	// Answers are not compressed, so that they can be read in a record of what the server sends.
	s := &shop{t: t, dsn: dsn, up: make(chan struct{}), client: &http.Client{Jar: jar, Timeout: 20 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}}}
	s.start()
	t.Cleanup(s.kill)
	s.signIn()
	return s
}

func (s *shop) signIn() {
	s.t.Helper()
	s.must(http.MethodPost, "/api/sign-in", map[string]any{"name": "admin", "password": password}, nil)
}

func (s *shop) start() {
	cmd := product(context.Background(), "serve", "--db", s.dsn, "--addr", "127.0.0.1:0", "--log-level", "error")
	if len(s.under) > 0 {
		cmd.Path, cmd.Args = s.under[0], slices.Concat(s.under, []string{"--"}, cmd.Args)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = &s.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	addr := ""
	for addr == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.t.Fatalf("the server did not start: %v\n%s", err, s.log.String())
		}
		_, addr, _ = strings.Cut(strings.TrimSpace(line), "http://")
	}
	go io.Copy(io.Discard, lines)
	for ready := false; !ready; {
		res, err := s.client.Get("http://" + addr + "/readyz")
		if err != nil {
			s.t.Fatalf("the server went away while it started: %v\n%s", err, s.log.String())
		}
		res.Body.Close()
		ready = res.StatusCode == http.StatusOK
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.addr = cmd, addr
	close(s.up)
}

// kill ends the server as a power switch ends a process: no handler runs.
func (s *shop) kill() {
	s.mu.Lock()
	cmd := s.cmd
	if cmd != nil {
		s.up = make(chan struct{})
		s.cmd = nil
	}
	s.mu.Unlock()
	if cmd != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// stop ends the server in order.
func (s *shop) stop(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	cmd := s.cmd
	s.up, s.cmd = make(chan struct{}), nil
	s.mu.Unlock()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the server did not end well: %v\n%s", err, s.log.String())
	}
}

func (s *shop) where(ctx context.Context) (string, error) {
	s.mu.Lock()
	up := s.up
	s.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr, nil
}

// do sends one request; an error means that nothing definite is known.
func (s *shop) do(ctx context.Context, method, path, key string, body any) (status int, answer []byte, err error) {
	addr, err := s.where(ctx)
	if err != nil {
		return 0, nil, err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body) // half an answer is none
	return res.StatusCode, answer, err
}

func (s *shop) must(method, path string, body, out any) {
	s.t.Helper()
	key := ""
	if method != http.MethodGet {
		key = id.New().String()
	}
	status, answer, err := s.do(s.t.Context(), method, path, key, body)
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			s.t.Fatal(err)
		}
	}
}

// check runs `zhanggui check` and returns what it says.
func (s *shop) check() (green bool, says string) {
	s.t.Helper()
	out, err := product(s.t.Context(), "check", "--db", s.dsn, "--json").CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return err == nil, string(out)
}

// basket is what every client sells: one bottle of water, from the goods of a first start.
type basket struct {
	SiteID   string           `json:"site_id"`
	Register string           `json:"register"`
	Lines    []map[string]any `json:"lines"`
	Tenders  []map[string]any `json:"tenders"`
	Expect   int64            `json:"expect_total_fen"`
}

func (s *shop) basket() basket {
	var me struct {
		Sites []struct{ ID string }
	}
	s.must(http.MethodGet, "/api/me", nil, &me)
	var grid struct {
		Items []struct {
			ProductID string `json:"product_id"`
			Unit      string
			PriceFen  int64 `json:"price_fen"`
		}
	}
	s.must(http.MethodGet, "/api/till/products?site_id="+me.Sites[0].ID, nil, &grid)
	p := grid.Items[0]
	s.must(http.MethodPost, "/api/stock/receipts", map[string]any{"site_id": me.Sites[0].ID, "opening": true, "lines": []map[string]any{
		{"product_id": p.ProductID, "unit": p.Unit, "qty": "900000", "cost_fen": 90_000_000, "code": "PLENTY", "expires_at": "2099-01-01T00:00:00Z"}}}, nil)
	return basket{SiteID: me.Sites[0].ID, Register: "1", Lines: []map[string]any{{"product_id": p.ProductID, "unit": p.Unit, "qty": "1"}},
		Tenders: []map[string]any{{"kind": "cash", "amount_fen": p.PriceFen, "given_fen": p.PriceFen}}, Expect: p.PriceFen}
}

// told is what a client was told of one basket.
type told struct {
	key  string // the one it was acknowledged under
	sale string
}

// bug is what a client, standing for the whole system, does wrong.
type bug int

const (
	none       bug = iota
	newKey         // a retry takes a new key: what was sold already is sold again
	earlyThank     // the customer is thanked when the request is sent, not when the answer is there
)

// outcome of a run.
type outcome struct{ acknowledged, lost, doubled, retried int }

// crew sells with all clients until it is told to stop, whatever happens to the server meanwhile.
type crew struct {
	s    *shop
	ctx  context.Context
	acks chan told
	stop chan struct{}
	wg   sync.WaitGroup
	mu   sync.Mutex
	out  outcome
	all  []told
}

func (s *shop) crew(ctx context.Context, cancel func(), goods basket, b bug) *crew {
	c := &crew{s: s, ctx: ctx, acks: make(chan told, 1024), stop: make(chan struct{})}
	for range clients {
		c.wg.Go(func() {
			for {
				select {
				case <-c.stop:
					return
				default:
				}
				got, retried, err := s.sellOne(ctx, goods, b)
				if err != nil {
					s.t.Error(err)
					cancel()
					return
				}
				c.mu.Lock()
				c.out.retried += retried
				c.mu.Unlock()
				select {
				case c.acks <- got:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return c
}

// collect waits until n more baskets are acknowledged.
func (c *crew) collect(n int) {
	for range n {
		select {
		case a := <-c.acks:
			c.all = append(c.all, a)
		case <-c.ctx.Done():
			return
		}
	}
}

// while takes what is acknowledged as long as f runs: clients whose acknowledgement nobody takes sell no more.
func (c *crew) while(f func()) {
	over := make(chan struct{})
	go func() { defer close(over); f() }()
	for {
		select {
		case a := <-c.acks:
			c.all = append(c.all, a)
		case <-over:
			return
		}
	}
}

// end lets the clients come to an end and compares what they were told with what is there.
func (c *crew) end() outcome {
	c.s.t.Helper()
	close(c.stop)
	go func() { c.wg.Wait(); close(c.acks) }()
	for a := range c.acks {
		c.all = append(c.all, a)
	}
	out := c.out
	out.acknowledged = len(c.all)
	there := c.s.sales(c.s.dsn)
	asked := map[string]int{}
	for _, a := range c.all {
		asked[a.key]++
		if there[a.key] == "" || a.sale != "" && there[a.key] != a.sale {
			out.lost++
		}
	}
	out.doubled = len(there) - len(asked) + out.lost
	if green, says := c.s.check(); !green {
		c.s.t.Errorf("check is red: %s", says)
	}
	return out
}

// torture sells with all clients and kills the server as often as asked, each time after a few more sales.
func torture(t *testing.T, dsn string, kills int, b bug) outcome {
	s := open(t, dsn)
	goods := s.basket()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(kills)*5*time.Second)
	defer cancel()
	c := s.crew(ctx, cancel, goods, b)
	for k := range kills {
		c.collect(17 + (k*29)%41)
		s.kill()
		s.start()
		if (k+1)%20 == 0 {
			t.Logf("%d of %d kills, %d sales acknowledged", k+1, kills, len(c.all))
		}
	}
	c.collect(10)
	return c.end()
}

// sellOne sells one basket and asks again, until it is told something definite.
func (s *shop) sellOne(ctx context.Context, goods basket, b bug) (told, int, error) {
	key := id.New().String()
	for retried := 0; ; retried++ {
		status, answer, err := s.do(ctx, http.MethodPost, "/api/till/sales", key, goods)
		switch {
		case ctx.Err() != nil:
			return told{}, retried, ctx.Err()
		case err == nil && status == http.StatusOK:
			var sale struct{ ID string }
			if err := json.Unmarshal(answer, &sale); err != nil || sale.ID == "" {
				return told{}, retried, fmt.Errorf("an answer that is none: %s", answer)
			}
			return told{key, sale.ID}, retried, nil
		case err == nil && status < 500:
			return told{}, retried, fmt.Errorf("refused: %d %s", status, answer)
		case b == earlyThank:
			return told{key: key}, retried, nil
		case b == newKey:
			key = id.New().String()
		}
	}
}

// sales are the keys and ids of all sales that are there.
func (s *shop) sales(dsn string) map[string]string {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), dsn, db.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	there := map[string]string{}
	err = d.Read(s.t.Context(), func(tx *db.Tx) error {
		rows := tx.Query(`SELECT caller_key, id FROM till_sale`)
		for rows.Next() {
			var key string
			var sale id.ID
			if err := rows.Scan(&key, &sale); err != nil {
				return err
			}
			there[key] = sale.String()
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return there
}
