package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"zhanggui/internal/platform/errs"
)

// MaxLimit bounds every list.
const MaxLimit = 200

// ErrCursor refuses a cursor that this version did not make.
var ErrCursor = errs.Define("cursor_bad", errs.Invalid, "列表位置已失效,请从头查看", "The place in the list is no longer valid; start again from the top")

// Page is the answer of every list. Next is "" on the last page.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"give back as after; empty on the last page"`
}

// Paging is embedded in the input of a list.
type Paging struct {
	After string `query:"after" maxLength:"600" doc:"next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

const cursorVersion = '1'

// Cursor packs the sort keys of a list's last row (text, integers, ids). It is opaque, not secret:
// a list filters rows by the caller's reach whatever the cursor says.
func Cursor(keys ...any) string {
	b, err := json.Marshal(keys)
	if err != nil {
		panic("web: cursor: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorVersion}, b...))
}

// Seek unpacks After into pointers to the sort keys in the order given to Cursor. It reports false
// on the first page and leaves them as they are.
func (p Paging) Seek(keys ...any) (bool, error) {
	if p.After == "" {
		return false, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil || len(b) == 0 || b[0] != cursorVersion || bytes.Contains(b, []byte(`\u0000`)) {
		return false, ErrCursor.At("after")
	}
	var raw []json.RawMessage
	if json.Unmarshal(b[1:], &raw) != nil || len(raw) != len(keys) {
		return false, ErrCursor.At("after")
	}
	for i, r := range raw {
		if json.Unmarshal(r, keys[i]) != nil {
			return false, ErrCursor.At("after")
		}
	}
	return true, nil
}

// PageOf makes a page of rows read with a limit of p.Limit+1: the one too many says that there is
// a next page, which starts after key of the last row shown.
func PageOf[T any](p Paging, rows []T, key func(T) string) *Page[T] {
	page := &Page[T]{Items: rows}
	if page.Items == nil {
		page.Items = []T{}
	}
	if len(rows) > p.Limit {
		page.Items = rows[:p.Limit]
		page.Next = key(rows[p.Limit-1])
	}
	return page
}
