// Package errs has the one error type of the product: a code that programs read, a message that a
// shop assistant understands (Chinese and English), the field it is about, and the cause for the log.
//
// A rule defines its refusal next to itself:
//
//	var ErrShort = errs.Define("stock_short", errs.Conflict,
//		"库存不足:{product} 只剩 {left}", "Not enough stock: only {left} of {product} left")
//
// and answers with ErrShort.With("product", name, "left", left).At("lines[2].qty").
package errs

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
)

// Kind says what the caller can do about an error; the web edge maps it to one HTTP status.
type Kind int

const (
	Internal        Kind = iota // a fault of ours; the message names nothing from inside
	Invalid                     // the input is wrong; field says where
	Unauthenticated             // sign in first
	Forbidden                   // signed in, but without the right
	NotFound                    // not there, or not within the caller's reach: the two look the same
	Conflict                    // right input, but the state of things refuses it
	Limit                       // too many, too large, too often
	Unavailable                 // try again later with the same key
)

// Error is one refusal or failure. Values made by Define are templates and are never changed:
// With, At, Row and Wrap return copies.
type Error struct {
	Code   string
	Kind   Kind
	Field  string // path of the input field, as in lines[2].qty; empty when it is about the whole
	Row    int    // line number in a file; 0 when there is none
	zh, en string
	args   []arg
	cause  error
}

type arg struct{ name, value string }

var (
	mu      sync.RWMutex
	defined = map[string]*Error{}
)

// Define registers a code with its message in both languages. A code is defined once; a second
// definition is a mistake in the program and panics at start.
func Define(code string, kind Kind, zh, en string) *Error {
	if code == "" || zh == "" || en == "" {
		panic("errs: a code needs a message in both languages: " + code)
	}
	mu.Lock()
	defer mu.Unlock()
	if _, twice := defined[code]; twice {
		panic("errs: defined twice: " + code)
	}
	e := &Error{Code: code, Kind: kind, zh: zh, en: en}
	defined[code] = e
	return e
}

// All returns every defined error sorted by code, for the tests that read the messages.
func All() []*Error {
	mu.RLock()
	defer mu.RUnlock()
	all := make([]*Error, 0, len(defined))
	for _, e := range defined {
		all = append(all, e)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Code < all[j].Code })
	return all
}

// ErrInternal is what a caller is told of an error that is not ours to explain.
var ErrInternal = Define("internal", Internal, "系统出错了,请稍后再试", "Something went wrong on our side; please try again")

// With fills the {name} places of the message: pairs of name and value.
func (e *Error) With(pairs ...any) *Error {
	if len(pairs)%2 != 0 {
		panic("errs: With takes pairs of name and value")
	}
	c := *e
	c.args = append([]arg(nil), e.args...)
	for i := 0; i < len(pairs); i += 2 {
		c.args = append(c.args, arg{fmt.Sprint(pairs[i]), fmt.Sprint(pairs[i+1])})
	}
	return &c
}

// At says which field of the input is meant.
func (e *Error) At(field string) *Error { c := *e; c.Field = field; return &c }

// AtRow says which line of a file is meant.
func (e *Error) AtRow(line int) *Error { c := *e; c.Row = line; return &c }

// Wrap keeps the cause for the log; a user never sees it.
func (e *Error) Wrap(cause error) *Error { c := *e; c.cause = cause; return &c }

// pieces is how a person reads the base unit of goods that are counted, whose name is one of ours; units that a
// shop has named itself are read as they are.
var pieces = map[string]string{"zh": "件", "en": "pcs"}

// Text is the message in "zh" or, for any other language, English.
func (e *Error) Text(lang string) string {
	t, said := e.en, pieces["en"]
	if strings.HasPrefix(lang, "zh") {
		t, said = e.zh, pieces["zh"]
	}
	for _, a := range e.args {
		if a.name == "unit" && a.value == "piece" {
			a.value = said
		}
		t = strings.ReplaceAll(t, "{"+a.name+"}", a.value)
	}
	return t
}

// Arg returns a value given by With, or "".
func (e *Error) Arg(name string) string {
	for i := len(e.args) - 1; i >= 0; i-- {
		if e.args[i].name == name {
			return e.args[i].value
		}
	}
	return ""
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	if e.Row > 0 {
		fmt.Fprintf(&b, " line %d", e.Row)
	}
	if e.Field != "" {
		b.WriteString(" at " + e.Field)
	}
	b.WriteString(": " + e.Text("en"))
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is compare by code, so that a filled copy is still the error it was made from.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// As returns the error as ours; a foreign error becomes ErrInternal with it as the cause, nil stays nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return ErrInternal.Wrap(err)
}

// Code is the code of err, "internal" for a foreign error and "" for nil.
func Code(err error) string {
	if e := As(err); e != nil {
		return e.Code
	}
	return ""
}
