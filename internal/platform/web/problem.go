package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"zhanggui/internal/platform/errs"
)

// The refusals of the edge itself.
var (
	ErrSignIn     = errs.Define("sign_in_required", errs.Unauthenticated, "请先登录", "Please sign in first")
	ErrForbidden  = errs.Define("no_permission", errs.Forbidden, "您没有这项权限", "You do not have permission for this")
	ErrCrossSite  = errs.Define("cross_site", errs.Forbidden, "请求来自其他网站,已拒绝", "The request came from another site and was refused")
	ErrKeyMissing = errs.Define("key_missing", errs.Invalid, "请求缺少防重复编号(Idempotency-Key)", "The request has no Idempotency-Key")
	ErrKeyBad     = errs.Define("key_bad", errs.Invalid, "防重复编号最多 64 个可见字符", "An Idempotency-Key has at most 64 visible characters")
	ErrBodyLarge  = errs.Define("body_too_large", errs.Limit, "内容太大", "The content is too large")
	ErrMedia      = errs.Define("media_type", errs.Invalid, "只接受 JSON", "Only JSON is accepted here")
	ErrNoRoute    = errs.Define("route_unknown", errs.NotFound, "没有这个地址", "There is nothing at this address")
	ErrAddress    = errs.Define("address_bad", errs.Invalid, "地址无法识别", "The address could not be read")
	ErrMethod     = errs.Define("method_unknown", errs.Invalid, "此地址不支持这种操作", "This address does not support that method")
	ErrBusy       = errs.Define("busy", errs.Unavailable, "系统繁忙,请稍后再试", "The system is busy; please try again shortly")
	ErrStarting   = errs.Define("starting", errs.Unavailable, "系统正在启动,请稍候", "The system is starting; please wait a moment")
	ErrLate       = errs.Define("too_late", errs.Unavailable, "处理超时,请用同一请求再试", "This took too long; please try the same request again")
	ErrSlowBody   = errs.Define("body_broken", errs.Invalid, "内容没有传完", "The content did not arrive completely")
)

// Problem is every error answer (application/problem+json).
type Problem struct {
	Status    int      `json:"status"`
	Code      string   `json:"code" doc:"what programs compare"`
	Detail    string   `json:"detail" doc:"what people read, in the language asked for"`
	Field     string   `json:"field,omitempty" doc:"path of the input field, as in lines[2].qty"`
	Row       int      `json:"row,omitempty" doc:"line of a file"`
	Errors    []Detail `json:"errors,omitempty" doc:"all that was found wrong, when it is more than one"`
	RequestID string   `json:"request_id,omitempty"`

	wait string // seconds, when the refusal names them
}

// Detail is one of several refusals.
type Detail struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
	Row    int    `json:"row,omitempty"`
}

func (p *Problem) Error() string             { return p.Code }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// several carries all refusals of one request; the first speaks for them.
type several []*errs.Error

func (s several) Error() string { return s[0].Error() }
func (s several) Unwrap() error { return s[0] }

func refusals(bad []*errs.Error) error {
	if len(bad) == 1 {
		return bad[0]
	}
	return several(bad)
}

var statusOf = map[errs.Kind]int{
	errs.Internal: 500, errs.Invalid: 422, errs.Unauthenticated: 401, errs.Forbidden: 403, errs.NotFound: 404,
	errs.Conflict: 409, errs.Limit: 429, errs.Unavailable: 503,
}

// Some refusals are about the message, not about what it says.
var statusByCode = map[string]int{
	ErrJSON.Code: 400, ErrAddress.Code: 400, ErrKeyMissing.Code: 400, ErrKeyBad.Code: 400, ErrBodyLarge.Code: 413, ErrMedia.Code: 415,
	ErrMethod.Code: 405, ErrSlowBody.Code: 400,
}

// problemOf turns any error into the answer; lang is "zh" or "en".
func problemOf(err error, lang string) *Problem {
	if errors.Is(err, context.DeadlineExceeded) && errs.As(err).Kind == errs.Internal {
		err = ErrLate.Wrap(err)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = ErrBodyLarge.Wrap(err)
	}
	e := errs.As(err)
	p := &Problem{Code: e.Code, Detail: e.Text(lang), Field: e.Field, Row: e.Row, wait: e.Arg("seconds")}
	if p.Status = statusByCode[e.Code]; p.Status == 0 {
		p.Status = statusOf[e.Kind]
	}
	var all several
	if errors.As(err, &all) {
		for _, e := range all {
			p.Errors = append(p.Errors, Detail{e.Code, e.Text(lang), e.Field, e.Row})
		}
	}
	return p
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Encoding")
	if (p.Status == 429 || p.Status == 503) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", cmp.Or(p.wait, "1"))
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// language is the caller's own choice, else the first of zh and en that the browser names, else zh.
func language(r *http.Request, c Caller) string {
	if c != nil {
		if l := c.Language(); l != "" {
			return l
		}
	}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		switch part = strings.ToLower(strings.TrimSpace(part)); {
		case strings.HasPrefix(part, "zh"):
			return "zh"
		case strings.HasPrefix(part, "en"):
			return "en"
		}
	}
	return "zh"
}
