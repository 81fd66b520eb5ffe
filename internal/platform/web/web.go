// Package web is the HTTP edge: typed routes with their OpenAPI document, sign-in and permission
// before anything else, one transaction and one answer per caller's key, one form of error.
//
// A route that names no permission or no scope can't be registered; what is registered is listed by
// Routes, and nothing else is served. See README.md for the order in which a request is handled.
package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// Scope says whose data a route shows or changes.
type Scope string

const (
	Public Scope = "public" // needs no sign-in; on the short list that a test holds
	Self   Scope = "self"   // the caller's own data; any signed-in caller
	Group  Scope = "group"  // data of the whole group: read with the permission anywhere, changed only with the permission over the whole group
	Whole  Scope = "whole"  // about the whole installation: needs the permission over the group even to read
	Sites  Scope = "sites"  // rows belong to sites: the permission somewhere lets the call in, the handler filters rows by the caller's sites
)

// Route declares one operation.
type Route struct {
	Path     string // as in "/api/org/sites/{id}"
	Name     string // operation id, unique, lower-case words joined by hyphens
	Summary  string
	Perm     string // permission; "" only with Scope Public or Self
	Scope    Scope
	NoEffect bool          // a write method that changes nothing (a quote): read transaction, no key
	MaxBody  int64         // bytes; 0 = 1 MiB
	Media    string        // media type of what Raw answers, for the document
	Deadline time.Duration // 0 = 15 s for typed routes, none for Raw
}

// Caller is who sent the request, as the sign-in hook found out.
type Caller interface {
	Principal() id.ID
	Language() string                // "zh", "en", or "" when never chosen
	May(perm string) bool            // at one site at least, or over the group
	MayAll(perm string) bool         // over the whole group
	MayAt(perm string, s id.ID) bool // at that site
}

// Options of an API. SignedIn returns nil when nobody is signed in; it must be cheap, for it runs
// first in every request.
type Options struct {
	SignedIn   func(*http.Request) (Caller, error)
	Log        *slog.Logger
	Clock      clock.Source // wall clock
	Version    Version
	TrustProxy bool // believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that sets them
	MaxActive  int  // requests handled at the same time; 0 = 128
	// OnFault, for tests, is told where an answer differs from what the document says of it.
	OnFault func(operation, fault string)
}

// Version is what GET /api/version says.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// RouteInfo is one entry of the router.
type RouteInfo struct {
	Method, Path, Name, Perm string
	Scope                    Scope
	Effect, Typed            bool
}

// API is the router with its document.
type API struct {
	o      Options
	doc    *docAPI
	mux    *http.ServeMux
	routes []RouteInfo
	names  map[string]bool
	db     atomic.Pointer[db.DB]
	edge   edge
}

// New makes an API that serves nothing but health, version and its document.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = clock.Wall
	}
	if o.MaxActive == 0 {
		o.MaxActive = 128
	}
	a := &API{o: o, doc: newDoc(o.Version.Version), mux: http.NewServeMux(), names: map[string]bool{}}
	a.edge.init(a)
	a.system()
	return a
}

// Open lets requests reach the database; before, they are told that the start is still under way.
func (a *API) Open(d *db.DB) { a.db.Store(d) }

// Routes lists everything the router serves, for the test that walks it.
func (a *API) Routes() []RouteInfo { return append([]RouteInfo(nil), a.routes...) }

// OpenAPI is the document as served at /api/openapi.json.
func (a *API) OpenAPI() ([]byte, error) { return a.doc.json() }

func Get[In, Out any](a *API, r Route, h func(context.Context, *db.Tx, *In) (*Out, error)) {
	typed(a, http.MethodGet, r, h)
}

func Post[In, Out any](a *API, r Route, h func(context.Context, *db.Tx, *In) (*Out, error)) {
	typed(a, http.MethodPost, r, h)
}

func Put[In, Out any](a *API, r Route, h func(context.Context, *db.Tx, *In) (*Out, error)) {
	typed(a, http.MethodPut, r, h)
}

func Patch[In, Out any](a *API, r Route, h func(context.Context, *db.Tx, *In) (*Out, error)) {
	typed(a, http.MethodPatch, r, h)
}

func Delete[In, Out any](a *API, r Route, h func(context.Context, *db.Tx, *In) (*Out, error)) {
	typed(a, http.MethodDelete, r, h)
}

// typed registers a route whose handler runs in one transaction: Read for GET and NoEffect, else
// Write together with the caller's key. The handler may run more than once.
func typed[In, Out any](a *API, method string, r Route, h func(context.Context, *db.Tx, *In) (*Out, error)) {
	effect := method != http.MethodGet && !r.NoEffect
	in := declare[In, Out](a, method, r, effect)
	a.handle(method, r, effect, func(x *exchange) error {
		v := new(In)
		if err := x.read(in, reflect.ValueOf(v).Elem()); err != nil {
			return err
		}
		if effect {
			b, err := x.write(x.ctx, func(tx *db.Tx) (any, error) { return h(x.ctx, tx, v) })
			if err != nil {
				return err
			}
			return x.send(b)
		}
		var out *Out
		err := x.db.Read(x.ctx, func(tx *db.Tx) error {
			var err error
			out, err = h(x.ctx, tx, v)
			return err
		})
		if err != nil {
			return err
		}
		return x.answer(out)
	})
}

// Act registers a typed route without a transaction of its own, for acts that must wait for
// something slow in between (a password hash, a payment provider): the handler opens its own
// transactions on d and, when it has an effect, is itself responsible for the caller's key (KeyOf).
func Act[In, Out any](a *API, method string, r Route, h func(ctx context.Context, d *db.DB, in *In) (*Out, error)) {
	effect := method != http.MethodGet && !r.NoEffect
	in := declare[In, Out](a, method, r, effect)
	a.handle(method, r, effect, func(x *exchange) error {
		v := new(In)
		if err := x.read(in, reflect.ValueOf(v).Elem()); err != nil {
			return err
		}
		out, err := h(x.ctx, x.db, v)
		if err != nil {
			return err
		}
		if x.encoded != nil {
			return x.send(x.encoded)
		}
		return x.answer(out)
	})
}

// Raw registers a route that reads the body or writes the answer itself (upload, download, events),
// under the same law of sign-in and permission. In has the parameters and no Body. Parameters are
// read before h runs; an error that h returns before it wrote anything becomes a problem.
func Raw[In any](a *API, method string, r Route, h func(ctx context.Context, d *db.DB, in *In, w http.ResponseWriter, q *http.Request) error) {
	effect := method != http.MethodGet && !r.NoEffect
	in := declare[In, struct{}](a, method, r, effect)
	a.doc.answers(r.Media)
	if in.body != nil {
		panic("web: a raw route reads its body itself: " + r.Path)
	}
	if r.Deadline == 0 {
		r.Deadline = -1
	}
	a.handle(method, r, effect, func(x *exchange) error {
		v := new(In)
		if bad := in.readParams(x.r, reflect.ValueOf(v).Elem()); len(bad) > 0 {
			return refusals(bad)
		}
		x.r.Body = http.MaxBytesReader(x.w, x.r.Body, x.maxBody)
		return h(x.ctx, x.db, v, x.w, x.r.WithContext(x.ctx))
	})
}

// Upload registers a POST whose body is a file and whose answer is typed. h reads the body, at most
// MaxBody bytes from a sender who may take as long as he keeps sending, and has no transaction: it opens
// its own. It keeps the caller's key itself (KeyOf, Replayed), or by Write after ContentIs.
func Upload[In, Out any](a *API, r Route, h func(ctx context.Context, d *db.DB, in *In, body io.Reader) (*Out, error)) {
	in := declare[In, Out](a, http.MethodPost, r, !r.NoEffect)
	a.doc.takesFile()
	if in.body != nil {
		panic("web: the body of an upload is the file: " + r.Path)
	}
	if r.Deadline == 0 {
		r.Deadline = -1
	}
	a.handle(http.MethodPost, r, !r.NoEffect, func(x *exchange) error {
		v := new(In)
		if bad := in.readParams(x.r, reflect.ValueOf(v).Elem()); len(bad) > 0 {
			return refusals(bad)
		}
		out, err := h(x.ctx, x.db, v, &patient{x, http.MaxBytesReader(x.w, x.r.Body, x.maxBody)})
		if err != nil {
			return err
		}
		return x.answer(out)
	})
}

// declare checks the declaration, writes the document and builds the reader of the request type.
func declare[In, Out any](a *API, method string, r Route, effect bool) *input {
	a.law(method, r)
	op := huma.Operation{
		OperationID: r.Name, Method: method, Path: r.Path, Summary: r.Summary,
		Tags:       []string{tagOf(r.Path)},
		Extensions: map[string]any{"x-permission": r.Perm, "x-scope": string(r.Scope), "x-effect": effect},
	}
	if r.Scope == Public {
		op.Security = []map[string][]string{}
	}
	if effect {
		op.Parameters = append(op.Parameters, &huma.Param{Name: keyHeader, In: "header", Required: true,
			Description: "Made by the caller and kept before sending; the same key gets the first answer again.",
			Schema:      &huma.Schema{Type: "string", MinLength: ptr(1), MaxLength: ptr(maxKey)}})
	}
	a.doc.op = title(camel(r.Name))
	huma.Register(a.doc, op, func(context.Context, *In) (*answerOf[Out], error) { return nil, nil })
	return inputOf(a.doc.OpenAPI().Components.Schemas, reflect.TypeFor[In](), a.doc.last)
}

type answerOf[T any] struct{ Body T }

func ptr[T any](v T) *T { return &v }

// law is the deny-by-default rule: no route without a permission and a scope.
func (a *API) law(method string, r Route) {
	at := method + " " + r.Path
	switch {
	case !strings.HasPrefix(r.Path, "/"):
		panic("web: no path: " + at)
	case r.Name == "" || r.Summary == "":
		panic("web: no name or summary: " + at)
	case a.names[r.Name]:
		panic("web: operation name used twice: " + r.Name)
	case r.Scope != Public && r.Scope != Self && r.Scope != Group && r.Scope != Whole && r.Scope != Sites:
		panic("web: no scope: " + at)
	case r.Perm == "" && r.Scope != Public && r.Scope != Self:
		panic("web: no permission: " + at)
	case r.Perm != "" && r.Scope == Public:
		panic("web: public with a permission: " + at)
	}
	a.names[r.Name] = true
}

// held compares an answer with the document and returns the faults.
func (a *API) held(operation string, body []byte) []string {
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for _, item := range a.doc.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil || op.OperationID != operation {
				continue
			}
			res := &huma.ValidateResult{}
			huma.Validate(a.doc.OpenAPI().Components.Schemas, op.Responses["200"].Content["application/json"].Schema,
				huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, answer, res)
			for _, err := range res.Errors {
				faults = append(faults, err.Error())
			}
		}
	}
	return faults
}

func (a *API) handle(method string, r Route, effect bool, serve func(*exchange) error) {
	a.routes = append(a.routes, RouteInfo{method, r.Path, r.Name, r.Perm, r.Scope, effect, true})
	a.mux.Handle(method+" "+r.Path, &endpoint{a: a, r: r, effect: effect, serve: serve, meter: a.edge.meter(r.Name)})
}

func tagOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "system"
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

// docAPI lets huma write the OpenAPI document from our types. Requests never pass through it: they
// are read by decode.go, which holds them to the very schemas that are in the document.
type docAPI struct {
	huma.API
	last  *huma.Operation
	op    string                  // operation being declared, as a type's name
	names map[reflect.Type]string // of types without a name of their own
	taken map[string]bool
}

type docAdapter struct{ d *docAPI }

func (x docAdapter) Handle(op *huma.Operation, _ func(huma.Context)) { x.d.last = op }
func (x docAdapter) ServeHTTP(http.ResponseWriter, *http.Request)    {}

func newDoc(version string) *docAPI {
	huma.NewError = func(int, string, ...error) huma.StatusError { return &Problem{} }
	huma.DefaultArrayNullable = false // a list without entries is [], and answers say so
	d := &docAPI{names: map[reflect.Type]string{}, taken: map[string]bool{}}
	d.API = huma.NewAPI(huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Zhanggui", Version: version,
			Description: "Ids are decimal strings. Money ending in _fen is an integer of fen. Every write with an effect needs an Idempotency-Key."},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", d.schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"session": {Type: "apiKey", In: "cookie", Name: "zhanggui"},
			},
		},
		Security: []map[string][]string{{"session": {}}},
	}, Formats: map[string]huma.Format{"application/json": huma.DefaultJSONFormat}}, docAdapter{d})
	return d
}

// answers says that the operation just declared answers with another media type than JSON.
func (d *docAPI) answers(media string) {
	if media == "" {
		media = "application/octet-stream"
	}
	d.last.Responses["200"].Content = map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}
}

// takesFile says that the body of the operation just declared is a file.
func (d *docAPI) takesFile() {
	d.last.RequestBody = &huma.RequestBody{Required: true,
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
}

// system documents a route that every installation has.
func (d *docAPI) system(method, path, name, summary, perm string, scope Scope, media string, answer *huma.Schema) {
	op := &huma.Operation{OperationID: name, Method: method, Path: path, Summary: summary, Tags: []string{"system"},
		Extensions: map[string]any{"x-permission": perm, "x-scope": string(scope), "x-effect": false},
		Responses:  map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{media: {Schema: answer}}}}}
	if scope == Public {
		op.Security = []map[string][]string{}
	}
	d.OpenAPI().AddOperation(op)
}

func (d *docAPI) json() ([]byte, error) { return json.MarshalIndent(d.OpenAPI(), "", " ") }

// schemaName makes the package part of a type's name, so that two packages can both have a Line. A type
// without a name is called after the operation that it was first met in.
func (d *docAPI) schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		if t.Kind() != reflect.Struct {
			return hint
		}
		if d.names[t] == "" {
			name := d.op + "Body"
			if d.taken[name] {
				name = d.op + hint
			}
			d.names[t], d.taken[name] = name, true
		}
		return d.names[t]
	}
	outer, inner, generic := strings.Cut(strings.TrimSuffix(t.Name(), "]"), "[")
	if !generic {
		pkg := t.PkgPath()
		pkg = pkg[strings.LastIndexByte(pkg, '/')+1:]
		if pkg == "web" || pkg == "" {
			return title(outer)
		}
		if strings.EqualFold(pkg, outer) {
			return title(outer)
		}
		return title(pkg) + title(outer)
	}
	var b strings.Builder
	b.WriteString(title(outer))
	for _, arg := range strings.Split(inner, ",") {
		arg = arg[strings.LastIndexByte(arg, '/')+1:]
		for _, part := range strings.Split(arg, ".") {
			b.WriteString(title(strings.Trim(part, "*[]")))
		}
	}
	return b.String()
}

// camel joins the words of an operation's name: "create-site" becomes "createSite".
func camel(name string) string {
	words := strings.Split(name, "-")
	for i := 1; i < len(words); i++ {
		words[i] = title(words[i])
	}
	return strings.Join(words, "")
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// String makes a route readable in a test's complaint.
func (r RouteInfo) String() string { return fmt.Sprintf("%s %s", r.Method, r.Path) }
