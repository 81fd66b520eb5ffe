package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"path"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"zhanggui/internal/platform/errs"
)

// edge is what every request passes, whatever its route.
type edge struct {
	csrf    *http.CrossOriginProtection
	active  chan struct{} // one place per request being handled
	waiting atomic.Int64
	reg     *prometheus.Registry
	took    *prometheus.HistogramVec
	shed    prometheus.Counter
	ready   []func(context.Context) error
	page    http.Handler // everything that is not the API
}

const (
	maxWaiting  = 1024
	maxWaitTime = 2 * time.Second
	maxURL      = 8 << 10
)

// meter counts the answers of one route by status class; a class is made when it first occurs.
type meter struct {
	took *prometheus.HistogramVec
	name string
	ok   prometheus.Observer // 2xx, the one that is needed most
}

func (m meter) saw(status int, d time.Duration) {
	switch {
	case m.took == nil || status < 100 || status > 599:
	case status/100 == 2:
		m.ok.Observe(d.Seconds())
	default:
		m.took.WithLabelValues(m.name, strconv.Itoa(status/100)+"xx").Observe(d.Seconds())
	}
}

func (e *edge) init(a *API) {
	reg := prometheus.NewRegistry()
	e.csrf, e.active, e.reg = http.NewCrossOriginProtection(), make(chan struct{}, a.o.MaxActive), reg
	e.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "zhanggui_request_seconds",
		Help: "Time to answer, by operation and status class.",
		//allow:float bucket limits in seconds for the metrics library
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"operation", "status"})
	e.shed = prometheus.NewCounter(prometheus.CounterOpts{Name: "zhanggui_requests_shed_total",
		Help: "Requests turned away because too many were being handled."})
	reg.MustRegister(e.took, e.shed, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "zhanggui_requests_active", Help: "Requests being handled."},
			func() float64 { return float64(len(a.edge.active)) })) //allow:float what the metrics library takes
}

func (e *edge) meter(name string) meter {
	return meter{e.took, name, e.took.WithLabelValues(name, "2xx")}
}

// Metrics is where other packages register what they count.
func (a *API) Metrics() prometheus.Registerer { return a.edge.reg }

// ReadyWhen adds a condition of /readyz; it must answer within a second.
func (a *API) ReadyWhen(f func(context.Context) error) { a.edge.ready = append(a.edge.ready, f) }

// Pages serves everything that is not the API (the web apps).
func (a *API) Pages(h http.Handler) { a.edge.page = h }

// recorder notes what was answered, for the log, the metrics and the recovery from a panic.
type recorder struct {
	http.ResponseWriter
	id     string
	route  string
	code   string
	meter  meter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 || w.status < 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP is the whole server: headers, overload, routing, recovery, log.
func (a *API) ServeHTTP(hw http.ResponseWriter, r *http.Request) {
	start := time.Now() //allow:clock measures how long the answer took
	w := &recorder{ResponseWriter: hw, id: requestID()}
	h := w.Header()
	h.Set("Request-Id", w.id)
	securityHeaders(h, a.secure(r))
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			a.o.Log.Error("request panicked", "request", w.id, "route", w.route, "panic", p, "stack", string(debug.Stack()))
			if w.status == 0 {
				prob := problemOf(errs.ErrInternal, language(r, nil))
				prob.RequestID = w.id
				writeProblem(w, prob)
			} else {
				panic(http.ErrAbortHandler) // the answer is broken: let the caller see that it is
			}
		}
		took := time.Since(start) //allow:clock measures how long the answer took
		w.meter.saw(w.status, took)
		a.log(w, r, took)
	}()
	if len(r.URL.RawQuery)+len(r.URL.Path) > maxURL {
		a.fail(w, r, nil, ErrAddress)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		a.outside(w, r)
		return
	}
	if !a.enter(r.Context()) {
		a.edge.shed.Inc()
		a.fail(w, r, nil, ErrBusy)
		return
	}
	left := false
	leave := func() {
		if !left {
			left = true
			<-a.edge.active
		}
	}
	defer leave()
	r = r.WithContext(context.WithValue(r.Context(), leaveKey{}, leave))
	a.route(w, r)
}

type leaveKey struct{}

// longLived gives back a request's place among the active ones: an event stream stays for hours.
func longLived(ctx context.Context) {
	if leave, ok := ctx.Value(leaveKey{}).(func()); ok {
		leave()
	}
}

// route finds the endpoint. The mux's own answers (404, 405, redirects) would be plain text.
func (a *API) route(w *recorder, r *http.Request) {
	if path.Clean(r.URL.Path) == r.URL.Path {
		h, pattern := a.mux.Handler(r)
		if pattern != "" {
			a.mux.ServeHTTP(w, r) // again through the mux: it sets the path values
			return
		}
		probe := &recorder{ResponseWriter: discard{http.Header{}}}
		h.ServeHTTP(probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.Header().Get("Allow"))
			a.fail(w, r, nil, ErrMethod)
			return
		}
	}
	if a.db.Load() == nil {
		a.fail(w, r, nil, ErrStarting) // before the database is open the routes are not there yet
		return
	}
	a.fail(w, r, nil, ErrNoRoute)
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// outside serves health, metrics and the pages.
func (a *API) outside(w *recorder, r *http.Request) {
	switch r.URL.Path {
	case "/healthz", "/readyz", "/metrics":
		a.route(w, r)
		return
	}
	w.route = "page"
	if a.edge.page == nil {
		a.fail(w, r, nil, ErrNoRoute)
		return
	}
	a.edge.page.ServeHTTP(w, r)
}

// enter waits a short while for a place; under overload most callers are turned away at once, so
// that those who are in are served well.
func (a *API) enter(ctx context.Context) bool {
	select {
	case a.edge.active <- struct{}{}:
		return true
	default:
	}
	if a.edge.waiting.Add(1) > maxWaiting {
		a.edge.waiting.Add(-1)
		return false
	}
	defer a.edge.waiting.Add(-1)
	t := time.NewTimer(maxWaitTime)
	defer t.Stop()
	select {
	case a.edge.active <- struct{}{}:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

type quietKey struct{}

// Quiet lets requests that the program makes of itself be logged only where everything is.
func Quiet(ctx context.Context) context.Context { return context.WithValue(ctx, quietKey{}, true) }

func (a *API) log(w *recorder, r *http.Request, took time.Duration) {
	level := slog.LevelInfo
	if w.route == "page" || w.route == "health" || w.route == "ready" || r.Context().Value(quietKey{}) != nil {
		level = slog.LevelDebug
	}
	if !a.o.Log.Enabled(r.Context(), level) {
		return
	}
	// The operation's name instead of the path, and never the query: both can hold what people typed.
	a.o.Log.LogAttrs(r.Context(), level, "request", slog.String("request", w.id), slog.String("method", r.Method),
		slog.String("operation", w.route), slog.Int("status", w.status), slog.String("code", w.code),
		slog.Int64("bytes", w.bytes), slog.Int64("us", took.Microseconds()))
}

func requestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// secure tells whether the caller came by https.
func (a *API) secure(r *http.Request) bool {
	return r.TLS != nil || a.o.TrustProxy && r.Header.Get("X-Forwarded-Proto") == "https"
}

// remote is the caller's address. The last entry of X-Forwarded-For is the one our own proxy wrote;
// those before it are whatever the caller claimed.
func (a *API) remote(r *http.Request) string {
	if a.o.TrustProxy {
		if f := r.Header.Values("X-Forwarded-For"); len(f) > 0 {
			last := f[len(f)-1]
			return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// fromHere tells whether the request was made on this machine. One that passed a proxy was not,
// whatever address the proxy has.
func fromHere(r *http.Request) bool {
	if r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func securityHeaders(h http.Header, https bool) {
	h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "+
		"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=()")
	if https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// system registers what every installation answers without sign-in, and the metrics.
func (a *API) system() {
	a.open("GET /healthz", "health", "The process lives", Alive{}, func(w http.ResponseWriter, r *http.Request) error {
		return writeJSON(w, Alive{true})
	})
	a.open("GET /readyz", "ready", "This node can serve: migrated, database answers, clocks agree", Ready{}, func(w http.ResponseWriter, r *http.Request) error {
		d := a.db.Load()
		if d == nil {
			return ErrStarting
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := a.databaseAnswers(ctx, d); err != nil {
			return notReady(err)
		}
		for _, f := range a.edge.ready {
			if err := f(ctx); err != nil {
				return notReady(err)
			}
		}
		return writeJSON(w, Ready{true})
	})
	a.open("GET /api/version", "version", "Version and commit of the program", Version{}, func(w http.ResponseWriter, r *http.Request) error {
		return writeJSON(w, a.o.Version)
	})
	a.open("GET /api/openapi.json", "openapi", "This document", map[string]any{}, func(w http.ResponseWriter, r *http.Request) error {
		b, err := a.OpenAPI()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		_, err = w.Write(b)
		return err
	})
	metrics := promhttp.HandlerFor(a.edge.reg, promhttp.HandlerOpts{})
	a.guarded("GET /metrics", "metrics", "check.read", func(r *http.Request) bool { return fromHere(r) }, metrics)
}

// notReady keeps a reason that is ours to tell.
func notReady(err error) error {
	if errs.As(err).Kind == errs.Unavailable {
		return err
	}
	return ErrBusy.Wrap(err)
}

// Alive and Ready are the answers of /healthz and /readyz.
type Alive struct {
	OK bool `json:"ok"`
}
type Ready struct {
	Ready bool `json:"ready"`
}

func (a *API) open(pattern, name, summary string, answer any, h func(http.ResponseWriter, *http.Request) error) {
	method, path, _ := strings.Cut(pattern, " ")
	a.names[name] = true
	a.doc.system(method, path, name, summary, "", Public, "application/json",
		a.doc.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(answer), true, name))
	a.routes = append(a.routes, RouteInfo{Method: method, Path: path, Name: name, Scope: Public})
	m := a.edge.meter(name)
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		rec := w.(*recorder)
		rec.route, rec.meter = name, m
		if err := h(w, r); err != nil {
			a.fail(rec, r, nil, err)
		}
	})
}

// guarded serves h to a caller with the permission over the group, or without sign-in when free says so.
func (a *API) guarded(pattern, name, perm string, free func(*http.Request) bool, h http.Handler) {
	method, path, _ := strings.Cut(pattern, " ")
	a.names[name] = true
	a.doc.system(method, path, name, "Measurements for Prometheus; free on the machine itself", perm, Whole, "text/plain", &huma.Schema{Type: "string"})
	a.routes = append(a.routes, RouteInfo{Method: method, Path: path, Name: name, Perm: perm, Scope: Whole})
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		rec := w.(*recorder)
		rec.route = name
		if !free(r) {
			var c Caller
			if a.o.SignedIn != nil && a.db.Load() != nil {
				var err error
				if c, err = a.o.SignedIn(r); err != nil {
					a.fail(rec, r, nil, err)
					return
				}
			}
			if c == nil {
				a.fail(rec, r, nil, ErrSignIn)
				return
			}
			if !c.MayAll(perm) {
				a.fail(rec, r, c, ErrForbidden)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(v)
}
