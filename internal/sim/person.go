package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// person is one of the demo's staff: signed in, with a cookie, and a key for each act. He uses the same handlers,
// with the same checks, as a browser; only the way over the network is left out.
type person struct {
	s              *Demo
	name, password string

	mu     sync.Mutex
	cookie string
}

// refusal is what the house refused, and why.
type refusal struct {
	Status int
	Code   string `json:"code"`
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%d %s %s %s", r.Status, r.Code, r.Field, r.Detail)
}

// refused tells whether the house refused for one of the reasons; without any, for whatever reason.
func refused(err error, codes ...string) bool {
	var r *refusal
	if !errors.As(err, &r) || r.Status >= 500 {
		return false
	}
	for _, c := range codes {
		if r.Code == c {
			return true
		}
	}
	return len(codes) == 0
}

// answer is what came back to a request.
type answer struct {
	head http.Header
	code int
	body bytes.Buffer
}

func (a *answer) Header() http.Header { return a.head }
func (a *answer) WriteHeader(code int) {
	if a.code == 0 {
		a.code = code
	}
}
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

const mostTries = 8

// call sends a request, again with the same key while the house is busy. key "" makes one.
func (p *person) call(ctx context.Context, method, path, key string, in, out any) error {
	media, body := "application/json", []byte(nil)
	switch x := in.(type) {
	case nil:
	case []byte:
		media, body = "text/csv", x
	default:
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	if key == "" && method != http.MethodGet {
		key = id.New().String()
	}
	for try := 1; ; try++ {
		err := p.once(ctx, method, path, key, media, body, out)
		var r *refusal
		if !errors.As(err, &r) || try == mostTries {
			return err
		}
		switch {
		case r.Status == http.StatusUnauthorized && path != signInPath:
			if err := p.signIn(ctx); err != nil {
				return err
			}
		case r.Status >= 500 && r.Status != http.StatusInternalServerError:
			select {
			case <-time.After(time.Duration(try) * 50 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		default:
			p.s.surprised(method, path, r)
			return err
		}
	}
}

// everyday are the refusals that people at work meet on any day: what they sell is gone, costs something else by now or is over
// its time, or was rung up before a restart; what a store in reach offers is gone, or would be over its time when it has come.
var everyday = map[string]bool{"stock_short": true, "price_changed": true, "batch_expired": true, "key_reused": true, "plan_offer_old": true, "plan_offer_less": true, "plan_offer_ended": true}

// surprised tells the log, once, of a refusal that people at work should not meet: they go on, but a part of the demo's life is
// missing.
func (s *Demo) surprised(method, path string, r *refusal) {
	if everyday[r.Code] {
		return
	}
	what := method + " " + digits.ReplaceAllString(path, "N") + " " + r.Code + " " + r.Field
	s.mu.Lock()
	first := !s.surprises[what]
	if s.surprises == nil {
		s.surprises = map[string]bool{}
	}
	s.surprises[what] = true
	s.mu.Unlock()
	if first {
		s.o.Log.Warn("the demo's people were refused", "what", what, "detail", r.Detail)
	}
}

var digits = regexp.MustCompile(`[0-9]+`)

func (p *person) once(ctx context.Context, method, path, key, media string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(web.Quiet(ctx), method, "http://demo"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.RequestURI, req.RemoteAddr = path, "127.0.0.1:1"
	if method != http.MethodGet {
		req.Header.Set("Content-Type", media)
		req.Header.Set("Idempotency-Key", key)
	}
	req.Header.Set("Accept-Language", "zh")
	p.mu.Lock()
	if p.cookie != "" {
		req.Header.Set("Cookie", p.cookie)
	}
	p.mu.Unlock()
	a := &answer{head: http.Header{}}
	p.s.house.ServeHTTP(a, req)
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.code >= 300 {
		r := &refusal{Status: a.code}
		if err := json.Unmarshal(a.body.Bytes(), r); err != nil {
			r.Detail = a.body.String()
		}
		return fmt.Errorf("%s %s: %w", method, path, r)
	}
	if cookies := a.head.Values("Set-Cookie"); len(cookies) > 0 && path == signInPath {
		first, _, _ := strings.Cut(cookies[0], ";")
		p.mu.Lock()
		p.cookie = first
		p.mu.Unlock()
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(&a.body).Decode(out); err != nil && err != io.EOF {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (p *person) get(ctx context.Context, path string, out any) error {
	return p.call(ctx, http.MethodGet, path, "", nil, out)
}

func (p *person) post(ctx context.Context, path, key string, in, out any) error {
	return p.call(ctx, http.MethodPost, path, key, in, out)
}

// page is a list as the house answers it.
type page[T any] struct {
	Items []T
	Next  string
}

// list reads all pages of a list.
func list[T any](ctx context.Context, p *person, path string) ([]T, error) {
	var all []T
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for cursor := ""; ; {
		var some page[T]
		if err := p.get(ctx, path+join+"limit=200"+cursor, &some); err != nil {
			return nil, err
		}
		all = append(all, some.Items...)
		if some.Next == "" {
			return all, nil
		}
		cursor = "&after=" + url.QueryEscape(some.Next)
	}
}

const signInPath = "/api/sign-in"

func (p *person) signIn(ctx context.Context) error {
	return p.call(ctx, http.MethodPost, signInPath, "", map[string]string{"name": p.name, "password": p.password}, nil)
}

// directorName is who makes the chain: he imports its past and hires its people.
const directorName = "demo"

// hire lets the director sign in. His password is made anew each time and known to nobody.
func (s *Demo) hire(ctx context.Context) error {
	if s.chain != nil {
		return nil
	}
	boss := &person{s: s, name: directorName, password: org.NewPassword()}
	if err := s.org.Hire(ctx, s.d, boss.name, "演示数据", org.Administrator, boss.password); err != nil {
		return err
	}
	if err := boss.signIn(ctx); err != nil {
		return err
	}
	s.chain = &chain{s: s, boss: boss}
	return nil
}
