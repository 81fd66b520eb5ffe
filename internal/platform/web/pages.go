package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Pages serves the built web apps: /assets/* for ever (their names hold a hash of their content),
// everything else asked again each time, one page per app for every address below it.
type Pages struct {
	files fs.FS
	mu    sync.Mutex
	made  map[string]*page
}

type page struct {
	plain, packed []byte
	etag, kind    string
	forever       bool
}

// NewPages serves files, which hold index.html, <app>/index.html and assets/*, or only
// placeholder.html.
func NewPages(files fs.FS) *Pages { return &Pages{files: files, made: map[string]*page{}} }

func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, problemOf(ErrMethod, language(r, nil)))
		return
	}
	name, ok := p.find(r.URL.Path)
	if !ok {
		writeProblem(w, problemOf(ErrNoRoute, language(r, nil)))
		return
	}
	pg, err := p.load(name)
	if err != nil {
		writeProblem(w, problemOf(ErrNoRoute, language(r, nil)))
		return
	}
	h := w.Header()
	h.Set("Content-Type", pg.kind)
	h.Set("ETag", pg.etag)
	h.Set("Vary", "Accept-Encoding")
	if pg.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if r.Header.Get("If-None-Match") == pg.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := pg.plain
	if pg.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = pg.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// find names the file for an address: the file itself, else the page of the app it lies below.
func (p *Pages) find(url string) (string, bool) {
	name := strings.TrimPrefix(path.Clean(url), "/")
	if name == "" || name == "." {
		return p.door(), true
	}
	if !fs.ValidPath(name) {
		return "", false
	}
	if st, err := fs.Stat(p.files, name); err == nil && !st.IsDir() {
		return name, true
	}
	app, _, _ := strings.Cut(name, "/")
	if path.Ext(name) == "" && app != "assets" {
		if index := app + "/index.html"; p.has(index) {
			return index, true
		}
		if p.door() != "index.html" {
			return p.door(), true // not built yet: say so wherever people arrive
		}
	}
	return "", false
}

func (p *Pages) has(name string) bool {
	_, err := fs.Stat(p.files, name)
	return err == nil
}

func (p *Pages) door() string {
	if p.has("index.html") {
		return "index.html"
	}
	return "placeholder.html"
}

// load reads and packs a file once; the files are part of the program and don't change.
func (p *Pages) load(name string) (*page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pg := p.made[name]; pg != nil {
		return pg, nil
	}
	b, err := fs.ReadFile(p.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	pg := &page{plain: b, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		kind: mime.TypeByExtension(path.Ext(name)), forever: strings.HasPrefix(name, "assets/")}
	if pg.kind == "" {
		pg.kind = "application/octet-stream"
	}
	if len(b) > 512 && packs(pg.kind) {
		var buf bytes.Buffer
		z, _ := gzip.NewWriterLevel(&buf, gzip.DefaultCompression)
		if _, err := z.Write(b); err == nil && z.Close() == nil && buf.Len() < len(b) {
			pg.packed = buf.Bytes()
		}
	}
	p.made[name] = pg
	return pg, nil
}

func packs(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.Contains(kind, "javascript") || strings.Contains(kind, "json") ||
		strings.Contains(kind, "svg") || strings.Contains(kind, "wasm")
}
