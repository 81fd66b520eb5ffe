package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"zhanggui/internal/platform/id"
)

// server is the product, started as a child on loopback and ended by its own pid.
type server struct {
	cmd      *exec.Cmd
	pid      int
	addr     string
	password string
}

func startServer(ctx context.Context, command []string, dsn, password string) (*server, error) {
	args := append(command[1:len(command):len(command)], "--db", dsn, "--addr", "127.0.0.1:0", "--log-level", "error")
	cmd := exec.Command(command[0], args...)
	cmd.Env = append(os.Environ(), "ZHANGGUI_ADMIN_PASSWORD="+password)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = childEndsWithUs()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, pid: cmd.Process.Pid, password: password}
	lines := bufio.NewReader(out)
	for s.addr == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.stop()
			return nil, fmt.Errorf("the server ended before it said its address: %w", err)
		}
		if _, addr, ok := strings.Cut(line, "http://"); ok {
			s.addr = strings.TrimSpace(addr)
		}
	}
	go io.Copy(io.Discard, lines)
	for deadline := time.Now().Add(30 * time.Second); ; {
		res, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			s.stop()
			return nil, errors.Join(errors.New("the server does not get ready"), ctx.Err(), err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
}

// till is one signed-in client with a connection of its own. It speaks HTTP itself, as thinly as can be: it
// shares the machine with the server it measures.
type till struct {
	f      *fixture
	o      SaleOptions
	luck   *rand.Rand
	number string
	pace   time.Duration // between two sales; 0: at once
	head   []byte
	conn   net.Conn
	in     *bufio.Reader
	body   bytes.Buffer
	out    bytes.Buffer
}

func openTills(ctx context.Context, s *server, f *fixture, o SaleOptions) ([]*till, error) {
	cookie, err := signIn(ctx, s.addr, s.password)
	if err != nil {
		return nil, err
	}
	tills := make([]*till, o.Clients)
	for i := range tills {
		t := &till{f: f, o: o, luck: rand.New(rand.NewPCG(uint64(i), 7)), number: register(i)}
		t.head = []byte("POST /api/till/sales HTTP/1.1\r\nHost: " + s.addr + "\r\nCookie: " + cookie + "\r\nContent-Type: application/json\r\n")
		if t.conn, err = net.Dial("tcp", s.addr); err != nil {
			return nil, err
		}
		t.in = bufio.NewReaderSize(t.conn, 16<<10)
		tills[i] = t
		for site := range f.sites { // every drawer is open before the first second counts
			if ok, err := t.sellAt(site); err != nil || !ok {
				return nil, errors.Join(errors.New("the first sale of a drawer failed"), err)
			}
		}
	}
	return tills, nil
}

func signIn(ctx context.Context, addr, password string) (string, error) {
	body := fmt.Sprintf(`{"name":"admin","password":%q}`, password)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/api/sign-in", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", id.New().String())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if res.StatusCode == http.StatusOK {
			return c.Name + "=" + c.Value, nil
		}
	}
	return "", fmt.Errorf("signing in: %s", res.Status)
}

// sell sells one random basket. It returns false when the server refused it, an error when the connection broke.
func (t *till) sell() (bool, error) {
	site, goods := t.f.basket(t.luck, t.o)
	return t.send(site.ID, goods)
}

func (t *till) sellAt(site int) (bool, error) {
	_, goods := t.f.basket(t.luck, t.o)
	return t.send(t.f.sites[site].ID, goods)
}

func (t *till) send(site id.ID, goods []int) (bool, error) {
	b := &t.body
	b.Reset()
	var total int64
	fmt.Fprintf(b, `{"site_id":"%d","register":"%s","lines":[`, site, t.number)
	for i, g := range goods {
		if i > 0 {
			b.WriteByte(',')
		}
		p := t.f.products[g]
		b.WriteString(`{"product_id":"`)
		b.WriteString(p.id.String())
		b.WriteString(`","unit":"` + fixtureUnit + `","qty":"1"}`)
		total += int64(p.price)
	}
	fmt.Fprintf(b, `],"tenders":[{"kind":"cash","amount_fen":%d,"given_fen":%d}],"expect_total_fen":%d}`, total, total, total)

	t.out.Reset()
	t.out.Write(t.head)
	fmt.Fprintf(&t.out, "Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n", id.New(), b.Len())
	t.out.Write(b.Bytes())
	if _, err := t.conn.Write(t.out.Bytes()); err != nil {
		return false, err
	}
	return t.answer()
}

func (t *till) answer() (bool, error) {
	status, err := t.in.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	if len(status) < 12 {
		return false, fmt.Errorf("answer %q", status)
	}
	ok := string(status[9:12]) == "200"
	length := -1
	for {
		line, err := t.in.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		if len(line) <= 2 {
			break
		}
		if v, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(v))); err != nil {
				return false, err
			}
		}
	}
	if length < 0 {
		return false, errors.New("an answer without length")
	}
	_, err = t.in.Discard(length)
	return ok, err
}
