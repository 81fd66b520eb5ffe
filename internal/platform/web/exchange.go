package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/once"
)

const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
	maxKey         = 64
	defaultBody    = 1 << 20
	defaultTime    = 15 * time.Second
)

// endpoint is one route with everything that happens around its handler.
type endpoint struct {
	a      *API
	r      Route
	effect bool
	serve  func(*exchange) error
	meter  meter
}

// exchange is one request on its way through the wrapper.
type exchange struct {
	r       *http.Request
	w       http.ResponseWriter
	ctx     context.Context
	db      *db.DB
	caller  Caller
	key     string
	maxBody int64
	body    []byte
	encoded []byte // the answer, when the handler has it already
	route   string
	a       *API
}

type ctxKey struct{}

// state is what a handler may ask of its request.
type state struct {
	caller Caller
	lang   string
	secure bool
	remote string
	x      *exchange
}

func stateOf(ctx context.Context) *state {
	s, _ := ctx.Value(ctxKey{}).(*state)
	if s == nil {
		return &state{lang: "zh"}
	}
	return s
}

// CallerOf is who is signed in, or nil on a public route.
func CallerOf(ctx context.Context) Caller { return stateOf(ctx).caller }

// KeyOf is the caller's Idempotency-Key.
func KeyOf(ctx context.Context) string {
	if x := stateOf(ctx).x; x != nil {
		return x.key
	}
	return ""
}

// patience is how long the sender of a file may be silent.
const patience = time.Minute

// patient is a body without a deadline as a whole. What fails while it is read is the sender's.
type patient struct {
	x    *exchange
	body io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	_ = http.NewResponseController(p.x.w).SetReadDeadline(p.x.a.o.Clock.Now().Add(patience))
	n, err := p.body.Read(b)
	if err != nil && err != io.EOF && problemOf(err, "zh").Code != ErrBodyLarge.Code {
		err = ErrSlowBody.Wrap(err)
	}
	return n, err
}

// Replayed marks the answer as one that was given before, for handlers that keep the key themselves.
func Replayed(ctx context.Context) {
	if x := stateOf(ctx).x; x != nil {
		x.w.Header().Set(replayedHeader, "true")
	}
}

// Encoded gives the JSON of what an Act handler is about to return, when it has it from storing it with the key: a
// slip of eight lines is not worth encoding twice.
func Encoded(ctx context.Context, b []byte) {
	if x := stateOf(ctx).x; x != nil {
		x.encoded = b
	}
}

// ContentIs tells what an upload held (a digest), so that a key that comes again with another file is
// refused. It is called before Write.
func ContentIs(ctx context.Context, digest []byte) {
	if x := stateOf(ctx).x; x != nil {
		x.body = digest
	}
}

// CookieOf is the value of a cookie that came with the request.
func CookieOf(ctx context.Context, name string) string {
	if x := stateOf(ctx).x; x != nil {
		if c, err := x.r.Cookie(name); err == nil {
			return c.Value
		}
	}
	return ""
}

// LanguageOf is the language to answer in: "zh" or "en".
func LanguageOf(ctx context.Context) string { return stateOf(ctx).lang }

// RemoteOf is the caller's network address without port, for rate limits.
func RemoteOf(ctx context.Context) string { return stateOf(ctx).remote }

// SecureOf tells whether the caller came by https.
func SecureOf(ctx context.Context) bool { return stateOf(ctx).secure }

// SetCookie sends a cookie with the answer. Only for handlers that run once (Act, Raw): an answer
// replayed for a key carries no cookie.
func SetCookie(ctx context.Context, c *http.Cookie) {
	if x := stateOf(ctx).x; x != nil {
		http.SetCookie(x.w, c)
	}
}

// WithCaller is a context as the wrapper makes it, for tests and for jobs that act for a person.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, ctxKey{}, &state{caller: c, lang: "zh"})
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := w.(*recorder)
	rec.route, rec.meter = e.r.Name, e.meter
	x := &exchange{r: r, w: w, route: e.r.Name, maxBody: e.r.MaxBody, a: e.a}
	if x.maxBody == 0 {
		x.maxBody = defaultBody
	}
	if err := e.do(x); err != nil {
		e.a.fail(rec, r, x.caller, err)
	}
}

// do runs the checks in the order README.md gives; each later one may rely on the earlier.
func (e *endpoint) do(x *exchange) error {
	if x.db = e.a.db.Load(); x.db == nil {
		return ErrStarting
	}
	if e.a.o.SignedIn != nil {
		c, err := e.a.o.SignedIn(x.r)
		if err != nil {
			return err
		}
		x.caller = c
	}
	if err := e.allowed(x.caller); err != nil {
		return err
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		if err := e.a.edge.csrf.Check(x.r); err != nil {
			return ErrCrossSite
		}
	}
	if e.effect {
		x.key = x.r.Header.Get(keyHeader)
		if err := checkKey(x.key); err != nil {
			return err
		}
	}
	ctx := x.r.Context()
	if d := e.r.Deadline; d >= 0 {
		if d == 0 {
			d = defaultTime
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
		_ = http.NewResponseController(x.w).SetReadDeadline(e.a.o.Clock.Now().Add(d))
	}
	x.ctx = context.WithValue(ctx, ctxKey{}, &state{caller: x.caller, lang: language(x.r, x.caller),
		secure: e.a.secure(x.r), remote: e.a.remote(x.r), x: x})
	return e.serve(x)
}

func (e *endpoint) allowed(c Caller) error {
	if e.r.Scope == Public {
		return nil
	}
	switch {
	case c == nil:
		return ErrSignIn
	case e.r.Perm == "":
		return nil
	case (e.r.Scope == Whole || e.r.Scope == Group && e.effect) && !c.MayAll(e.r.Perm), !c.May(e.r.Perm):
		return ErrForbidden
	}
	return nil
}

func checkKey(key string) error {
	if key == "" {
		return ErrKeyMissing
	}
	if len(key) > maxKey {
		return ErrKeyBad
	}
	for i := 0; i < len(key); i++ {
		if key[i] <= ' ' || key[i] > '~' {
			return ErrKeyBad
		}
	}
	return nil
}

// read fills the request type from path, query, headers and body.
func (x *exchange) read(in *input, v reflect.Value) error {
	bad := in.readParams(x.r, v)
	if in.body != nil {
		mt, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
		if err != nil || mt != "application/json" {
			return ErrMedia
		}
		if err := x.readBody(); err != nil {
			return err
		}
		bad = append(bad, readJSON(in.body, x.body, v.FieldByIndex(in.bodyAt))...)
	}
	if len(bad) > 0 {
		return refusals(bad)
	}
	return nil
}

func (x *exchange) readBody() error {
	n := x.r.ContentLength
	if n > x.maxBody {
		return ErrBodyLarge
	}
	if n >= 0 && n <= 64<<10 {
		x.body = make([]byte, n)
		if _, err := io.ReadFull(x.r.Body, x.body); err != nil {
			return ErrSlowBody.Wrap(err)
		}
		return nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.maxBody))
	if err != nil {
		if p := problemOf(err, "zh"); p.Code == ErrBodyLarge.Code {
			return err
		}
		return ErrSlowBody.Wrap(err)
	}
	x.body = b
	return nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// answer writes a success.
func (x *exchange) answer(out any) error {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer func() {
		if b.Cap() <= 64<<10 {
			buffers.Put(b)
		}
	}()
	if err := json.NewEncoder(b).Encode(out); err != nil {
		return err
	}
	return x.send(b.Bytes())
}

func (x *exchange) send(b []byte) error {
	if x.a.o.OnFault != nil {
		for _, fault := range x.a.held(x.route, b) {
			x.a.o.OnFault(x.route, fault)
		}
	}
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = x.w.Write(b) // a caller that has gone asks again with its key
	return nil
}

// write runs h and keeps its answer under the caller's key in one transaction.
func (x *exchange) write(ctx context.Context, h func(*db.Tx) (any, error)) ([]byte, error) {
	var principal string
	if x.caller != nil {
		principal = x.caller.Principal().String()
	}
	sum := sha256.New()
	io.WriteString(sum, x.r.URL.RequestURI())
	sum.Write([]byte{0})
	sum.Write(x.body)
	content := sum.Sum(nil)[:16]
	var answer []byte
	var replayed bool
	err := x.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		answer, replayed, err = once.Do(tx, principal+" "+x.route, x.key, content, func() ([]byte, error) {
			out, err := h(tx)
			if err != nil {
				return nil, err
			}
			return json.Marshal(out)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if replayed {
		x.w.Header().Set(replayedHeader, "true")
	}
	return answer, nil
}

// Write is the transaction of an Act handler that has an effect: h and the caller's key commit
// together, and a repeated key gets the first answer without h. At most one Write of a request may
// keep the key; what an Act does in further transactions must be safe to repeat by itself.
func Write[Out any](ctx context.Context, d *db.DB, h func(*db.Tx) (*Out, error)) (*Out, error) {
	x := stateOf(ctx).x
	if x == nil || x.key == "" {
		return nil, ErrKeyMissing
	}
	b, err := x.write(ctx, func(tx *db.Tx) (any, error) { return h(tx) })
	if err != nil {
		return nil, err
	}
	out := new(Out)
	return out, json.Unmarshal(b, out)
}

// fail answers with a problem, and logs what was not the caller's fault.
func (a *API) fail(w *recorder, r *http.Request, c Caller, err error) {
	p := problemOf(err, language(r, c))
	if p.Status >= 500 {
		p.RequestID = w.id
		if errs.As(err).Kind == errs.Internal {
			a.o.Log.Error("request failed", "request", w.id, "route", w.route, "error", err.Error())
		}
	}
	w.code = p.Code
	if w.status == 0 {
		writeProblem(w, p)
	}
}
