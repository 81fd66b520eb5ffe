package web

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"zhanggui/internal/platform/errs"
)

// The refusals of this file say what is wrong with one field. They are read by shop assistants, so
// they speak of what to type, never of types.
var (
	ErrJSON    = errs.Define("json_bad", errs.Invalid, "提交的内容无法识别", "The data sent could not be read")
	ErrUnknown = errs.Define("field_unknown", errs.Invalid, "不认识的字段:{name}", "Unknown field: {name}")
	ErrTwice   = errs.Define("field_twice", errs.Invalid, "字段重复:{name}", "Field given twice: {name}")
	ErrMissing = errs.Define("field_missing", errs.Invalid, "此项必填", "This is required")
	ErrText    = errs.Define("text_wanted", errs.Invalid, "这里应填文字", "Text is expected here")
	ErrControl = errs.Define("text_bad", errs.Invalid, "含有不能显示的字符", "Contains characters that cannot be shown")
	ErrWhole   = errs.Define("whole_number_wanted", errs.Invalid, "这里应填整数", "A whole number is expected here")
	ErrYesNo   = errs.Define("yes_no_wanted", errs.Invalid, "这里只能填是或否", "Yes or no is expected here")
	ErrList    = errs.Define("list_wanted", errs.Invalid, "这里应是一个列表", "A list is expected here")
	ErrGroup   = errs.Define("fields_wanted", errs.Invalid, "这里应是一组字段", "A group of fields is expected here")
	ErrFormat  = errs.Define("format_bad", errs.Invalid, "格式不对", "The format is not right")
	ErrOneOf   = errs.Define("not_a_choice", errs.Invalid, "只能是以下之一:{choices}", "Choose one of: {choices}")
	ErrLong    = errs.Define("too_long", errs.Invalid, "太长,最多 {max} 个字", "Too long: at most {max} characters")
	ErrBrief   = errs.Define("too_short", errs.Invalid, "太短,至少 {min} 个字", "Too short: at least {min} characters")
	ErrLow     = errs.Define("too_low", errs.Invalid, "不能小于 {min}", "Must be at least {min}")
	ErrHigh    = errs.Define("too_high", errs.Invalid, "不能大于 {max}", "Must be at most {max}")
	ErrMany    = errs.Define("too_many", errs.Invalid, "最多 {max} 条", "At most {max} entries")
	ErrFew     = errs.Define("too_few", errs.Invalid, "至少 {min} 条", "At least {min} entries")
)

// What a field may hold when its declaration names no limit of its own.
const (
	maxText     = 2000
	maxItems    = 1000
	maxProblems = 10
)

// shape is how one Go type is read from JSON. It is made once, at registration, from the type and
// from the schema that the OpenAPI document shows, so that the two can't differ.
type shape struct {
	kind     shapeKind
	fields   map[string]*field
	required []*field
	defaults []*field
	elem     *shape
	limits   limits
}

type shapeKind int

const (
	asObject shapeKind = iota
	asList
	asMap
	asTextual // encoding.TextUnmarshaler
	asCustom  // json.Unmarshaler
	asString
	asInt
	asUint
	asBool
	asAny
)

type field struct {
	name  string
	index []int
	shape *shape
	dflt  []byte // JSON of the default, nil when there is none
	bit   int    // position in the set of fields seen
	null  bool   // null is a value here, not an absent field
}

type limits struct {
	min, max           *int64
	minLen, maxLen     int
	minItems, maxItems int
	enum               []string
	pattern            *regexp.Regexp
}

var (
	textType   = reflect.TypeFor[encoding.TextUnmarshaler]()
	customType = reflect.TypeFor[json.Unmarshaler]()
)

// shapeOf builds the shape of t. s is the schema of this place (limits of the field's tags), r the
// registry that resolves references. Recursive types are refused: no request needs one.
func shapeOf(r huma.Registry, t reflect.Type, s *huma.Schema, depth int) *shape {
	if depth > 8 {
		panic("web: request type nests too deep: " + t.String())
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	sh := &shape{}
	switch p := reflect.PointerTo(t); {
	case p.Implements(customType):
		sh.kind = asCustom
		return sh
	case p.Implements(textType):
		sh.kind = asTextual
		sh.limits = limitsOf(s)
		return sh
	}
	if s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	switch t.Kind() {
	case reflect.Struct:
		sh.kind = asObject
		sh.fields = map[string]*field{}
		for _, f := range reflect.VisibleFields(t) {
			if !f.IsExported() || f.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name == "" {
				panic("web: " + t.String() + "." + f.Name + " has no json name")
			}
			fs := s.Properties[name]
			if fs == nil {
				panic("web: " + t.String() + "." + f.Name + " is not in its schema")
			}
			fd := &field{name: name, index: f.Index, bit: len(sh.fields), null: fs.Nullable, shape: shapeOf(r, f.Type, fs, depth+1)}
			sh.fields[name] = fd
			if slices.Contains(s.Required, name) {
				sh.required = append(sh.required, fd)
			}
			if d := f.Tag.Get("preset"); d != "" { // default of a type written as text, which huma can't read
				fs.Default = d
			}
			if fs.Default != nil {
				fd.dflt, _ = json.Marshal(fs.Default)
				sh.defaults = append(sh.defaults, fd)
			}
		}
		if len(sh.fields) > 64 {
			panic("web: more than 64 fields in " + t.String())
		}
	case reflect.Slice:
		sh.kind = asList
		if s.MaxItems == nil {
			n := maxItems
			s.MaxItems = &n
		}
		sh.limits = limitsOf(s)
		sh.elem = shapeOf(r, t.Elem(), s.Items, depth+1)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			panic("web: only text can be a key: " + t.String())
		}
		sh.kind = asMap
		sh.limits.maxItems = maxItems
		es, _ := s.AdditionalProperties.(*huma.Schema)
		sh.elem = shapeOf(r, t.Elem(), es, depth+1)
	case reflect.String:
		sh.kind = asString
		if s.MaxLength == nil && len(s.Enum) == 0 {
			n := maxText
			s.MaxLength = &n
		}
		sh.limits = limitsOf(s)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		sh.kind, sh.limits = asInt, limitsOf(s)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		sh.kind, sh.limits = asUint, limitsOf(s)
	case reflect.Bool:
		sh.kind = asBool
	case reflect.Interface:
		sh.kind = asAny
	default: // a float among them: no request needs one, for money and quantities are integers
		panic("web: cannot read " + t.String())
	}
	return sh
}

func limitsOf(s *huma.Schema) limits {
	l := limits{maxLen: maxText, maxItems: maxItems}
	if s.Minimum != nil {
		l.min = ptr(int64(*s.Minimum))
	}
	if s.Maximum != nil {
		l.max = ptr(int64(*s.Maximum))
	}
	if s.ExclusiveMinimum != nil {
		l.min = ptr(int64(*s.ExclusiveMinimum) + 1)
	}
	if s.ExclusiveMaximum != nil {
		l.max = ptr(int64(*s.ExclusiveMaximum) - 1)
	}
	if s.MinLength != nil {
		l.minLen = *s.MinLength
	}
	if s.MaxLength != nil {
		l.maxLen = *s.MaxLength
	}
	if s.MinItems != nil {
		l.minItems = *s.MinItems
	}
	if s.MaxItems != nil {
		l.maxItems = *s.MaxItems
	}
	for _, e := range s.Enum {
		l.enum = append(l.enum, fmt.Sprint(e))
	}
	if s.Pattern != "" {
		l.pattern = regexp.MustCompile(s.Pattern)
	}
	return l
}

// reader walks a body that json.Valid has passed, so the walk itself can't fail on syntax; what it
// finds wrong is collected with the path of the field.
type reader struct {
	b    []byte
	i    int
	path []byte
	bad  []*errs.Error
}

func (d *reader) fail(e *errs.Error) {
	if len(d.bad) < maxProblems {
		d.bad = append(d.bad, e.At(string(d.path)))
	}
}

// readJSON fills v, a settable value, from body.
func readJSON(sh *shape, body []byte, v reflect.Value) []*errs.Error {
	if len(bytes.TrimSpace(body)) == 0 {
		return []*errs.Error{ErrMissing}
	}
	if !utf8.Valid(body) || !json.Valid(body) {
		return []*errs.Error{ErrJSON}
	}
	d := reader{b: body}
	d.value(sh, v)
	return d.bad
}

func (d *reader) space() {
	for d.i < len(d.b) {
		switch d.b[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		default:
			return
		}
	}
}

// raw returns the bytes of the next value and steps over it.
func (d *reader) raw() []byte {
	d.space()
	start, depth := d.i, 0
	for d.i < len(d.b) {
		switch c := d.b[d.i]; c {
		case '"':
			d.skipText()
			if depth == 0 {
				return d.b[start:d.i]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return d.b[start:d.i] // the end of a number or word inside its parent
			}
			depth--
			if depth == 0 {
				d.i++
				return d.b[start:d.i]
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return d.b[start:d.i]
			}
		}
		d.i++
	}
	return d.b[start:d.i]
}

func (d *reader) skipText() {
	for d.i++; d.b[d.i] != '"'; d.i++ {
		if d.b[d.i] == '\\' {
			d.i++
		}
	}
	d.i++
}

// text reads the string that starts here.
func (d *reader) text() string {
	start := d.i
	d.skipText()
	q := d.b[start:d.i]
	if bytes.IndexByte(q, '\\') < 0 {
		return string(q[1 : len(q)-1])
	}
	var s string
	_ = json.Unmarshal(q, &s) // valid by the check before the walk
	return s
}

func (d *reader) value(sh *shape, v reflect.Value) {
	d.space()
	if d.b[d.i] == 'n' { // null is an absent value; a field that must be there says so in object
		d.i += len("null")
		return
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	c := d.b[d.i]
	switch sh.kind {
	case asObject:
		if c != '{' {
			d.raw()
			d.fail(ErrGroup)
			return
		}
		d.object(sh, v)
	case asList:
		if c != '[' {
			d.raw()
			d.fail(ErrList)
			return
		}
		d.list(sh, v)
	case asMap:
		if c != '{' {
			d.raw()
			d.fail(ErrGroup)
			return
		}
		d.mapping(sh, v)
	case asString, asTextual:
		if c != '"' {
			d.raw()
			d.fail(ErrText)
			return
		}
		s := d.text()
		if e := setText(sh, s, v); e != nil {
			d.fail(e)
		}
	case asInt, asUint:
		raw := d.raw()
		if e := setText(sh, string(raw), v); e != nil {
			d.fail(e)
		}
	case asBool:
		raw := d.raw()
		switch string(raw) {
		case "true", "false":
			v.SetBool(c == 't')
		default:
			d.fail(ErrYesNo)
		}
	case asCustom:
		raw := d.raw()
		if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw); err != nil {
			d.fail(formatError(err))
		}
	case asAny:
		raw := d.raw()
		if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
			d.fail(ErrFormat)
		}
	}
}

func (d *reader) object(sh *shape, v reflect.Value) {
	mark := len(d.path)
	var seen, given uint64
	d.i++
	for {
		d.space()
		if d.b[d.i] == '}' {
			d.i++
			break
		}
		if d.b[d.i] == ',' {
			d.i++
			continue
		}
		name := d.text()
		d.space()
		d.i++ // the colon
		d.space()
		f := sh.fields[name]
		d.push(mark, name)
		switch {
		case f == nil:
			d.raw()
			d.fail(ErrUnknown.With("name", clip(name)))
		case seen&(1<<f.bit) != 0:
			d.raw()
			d.fail(ErrTwice.With("name", name))
		default:
			seen |= 1 << f.bit
			if f.null || d.b[d.i] != 'n' {
				given |= 1 << f.bit
			}
			d.value(f.shape, v.FieldByIndex(f.index))
		}
		d.path = d.path[:mark]
	}
	for _, f := range sh.required {
		if given&(1<<f.bit) == 0 && f.dflt == nil {
			d.push(mark, f.name)
			d.fail(ErrMissing)
			d.path = d.path[:mark]
		}
	}
	for _, f := range sh.defaults {
		if given&(1<<f.bit) == 0 {
			sub := reader{b: f.dflt}
			sub.value(f.shape, v.FieldByIndex(f.index))
		}
	}
}

func (d *reader) push(mark int, name string) {
	if mark > 0 {
		d.path = append(d.path, '.')
	}
	d.path = append(d.path, clip(name)...)
}

func (d *reader) list(sh *shape, v reflect.Value) {
	mark := len(d.path)
	d.i++
	n := 0
	for {
		d.space()
		if d.b[d.i] == ']' {
			d.i++
			break
		}
		if d.b[d.i] == ',' {
			d.i++
			continue
		}
		if n >= sh.limits.maxItems {
			d.raw()
			n++
			continue
		}
		d.path = append(d.path, '[')
		d.path = strconv.AppendInt(d.path, int64(n), 10)
		d.path = append(d.path, ']')
		v.Grow(1)
		v.SetLen(n + 1)
		v.Index(n).SetZero()
		if d.b[d.i] == 'n' && v.Type().Elem().Kind() != reflect.Pointer {
			d.fail(ErrMissing)
		}
		d.value(sh.elem, v.Index(n))
		d.path = d.path[:mark]
		n++
	}
	if v.IsNil() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	if n > sh.limits.maxItems {
		d.fail(ErrMany.With("max", sh.limits.maxItems))
	}
	if n < sh.limits.minItems {
		d.fail(ErrFew.With("min", sh.limits.minItems))
	}
}

func (d *reader) mapping(sh *shape, v reflect.Value) {
	mark := len(d.path)
	m := reflect.MakeMap(v.Type())
	d.i++
	for {
		d.space()
		if d.b[d.i] == '}' {
			d.i++
			break
		}
		if d.b[d.i] == ',' {
			d.i++
			continue
		}
		name := d.text()
		d.space()
		d.i++
		d.push(mark, name)
		if e := checkText(&limits{maxLen: maxText}, name); e != nil {
			d.fail(e)
		}
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(sh.elem, e)
		if m.Len() < sh.limits.maxItems {
			m.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
		} else {
			d.path = d.path[:mark]
			d.fail(ErrMany.With("max", sh.limits.maxItems))
		}
		d.path = d.path[:mark]
	}
	v.Set(m)
}

func formatError(err error) *errs.Error {
	if e := errs.As(err); e.Kind != errs.Internal {
		return e
	}
	return ErrFormat.Wrap(err)
}

// setText puts the text of one scalar into v and holds it to its limits. Parameters and body
// share it.
func setText(sh *shape, s string, v reflect.Value) *errs.Error {
	l := &sh.limits
	switch sh.kind {
	case asString:
		if e := checkText(l, s); e != nil {
			return e
		}
		v.SetString(s)
	case asTextual:
		if e := checkText(l, s); e != nil {
			return e
		}
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			return formatError(err)
		}
	case asInt:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		if err != nil {
			return ErrWhole
		}
		if e := checkNumber(l, n); e != nil {
			return e
		}
		v.SetInt(n)
	case asUint:
		n, err := strconv.ParseUint(s, 10, min(v.Type().Bits(), 63))
		if err != nil {
			return ErrWhole
		}
		if e := checkNumber(l, int64(n)); e != nil {
			return e
		}
		v.SetUint(n)
	case asBool:
		switch s {
		case "true", "false":
			v.SetBool(s == "true")
		default:
			return ErrYesNo
		}
	default:
		return ErrFormat
	}
	return nil
}

func checkText(l *limits, s string) *errs.Error {
	n := len(s)
	if n > l.maxLen || n < l.minLen*utf8.UTFMax {
		n = utf8.RuneCountInString(s)
	}
	if n > l.maxLen {
		return ErrLong.With("max", l.maxLen)
	}
	if n < l.minLen {
		return ErrBrief.With("min", l.minLen)
	}
	for i := 0; i < len(s); i++ {
		// PostgreSQL refuses NUL in text; the rest would only deceive a reader or drive a printer.
		if c := s[i]; c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return ErrControl
		}
	}
	if strings.ContainsFunc(s, deceives) {
		return ErrControl
	}
	if l.minLen > 0 && strings.TrimSpace(s) == "" {
		return ErrBrief.With("min", l.minLen)
	}
	if l.enum != nil && !slices.Contains(l.enum, s) {
		return ErrOneOf.With("choices", strings.Join(l.enum, ", "))
	}
	if l.pattern != nil && !l.pattern.MatchString(s) {
		return ErrFormat
	}
	return nil
}

// deceives tells characters that are not seen and change what is: marks that turn the direction of writing
// round, blanks without width.
func deceives(r rune) bool {
	switch {
	case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff, r >= 0x80 && r <= 0x9f:
		return true
	}
	return false
}

func checkNumber(l *limits, n int64) *errs.Error {
	switch {
	case l.min != nil && n < *l.min:
		return ErrLow.With("min", *l.min)
	case l.max != nil && n > *l.max:
		return ErrHigh.With("max", *l.max)
	case l.enum != nil && !slices.Contains(l.enum, strconv.FormatInt(n, 10)):
		return ErrOneOf.With("choices", strings.Join(l.enum, ", "))
	}
	return nil
}

// clip keeps an echoed name short.
func clip(s string) string {
	if len(s) <= 64 {
		return s
	}
	s = s[:64]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// param is one path, query or header value of a request type.
type param struct {
	name, in string
	index    []int
	shape    *shape
	required bool
	dflt     string
}

// input is how a whole request type is read.
type input struct {
	params []param
	query  map[string]bool
	body   *shape
	bodyAt []int
}

func inputOf(r huma.Registry, t reflect.Type, op *huma.Operation) *input {
	in := &input{query: map[string]bool{}}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous || len(f.Index) > 1 && promotedFromBody(t, f.Index) {
			continue
		}
		if f.Name == "Body" && len(f.Index) == 1 {
			s := op.RequestBody.Content["application/json"].Schema
			in.body, in.bodyAt = shapeOf(r, f.Type, s, 0), f.Index
			continue
		}
		p := param{index: f.Index, dflt: f.Tag.Get("default")}
		for _, where := range []string{"path", "query", "header"} {
			if n, _, _ := strings.Cut(f.Tag.Get(where), ","); n != "" {
				p.in, p.name = where, n
			}
		}
		if p.in == "" {
			panic("web: " + t.String() + "." + f.Name + " is neither path, query, header nor Body")
		}
		for _, d := range op.Parameters {
			if d.Name == p.name && d.In == p.in {
				p.shape, p.required = shapeOf(r, f.Type, d.Schema, 0), d.Required
			}
		}
		if p.in == "query" {
			in.query[p.name] = true
		}
		in.params = append(in.params, p)
	}
	return in
}

func promotedFromBody(t reflect.Type, index []int) bool {
	return t.Field(index[0]).Name == "Body"
}

// readParams fills the parameters of v from the request.
func (in *input) readParams(r *http.Request, v reflect.Value) []*errs.Error {
	var bad []*errs.Error
	var q url.Values
	if r.URL.RawQuery != "" {
		var err error
		if q, err = url.ParseQuery(r.URL.RawQuery); err != nil {
			return []*errs.Error{ErrAddress}
		}
		for name, vals := range q {
			switch {
			case !in.query[name]:
				bad = append(bad, ErrUnknown.With("name", clip(name)).At(clip(name)))
			case len(vals) > 1:
				bad = append(bad, ErrTwice.With("name", name).At(name))
			}
			if len(bad) >= maxProblems {
				return bad
			}
		}
	}
	for i := range in.params {
		p := &in.params[i]
		var s string
		switch p.in {
		case "path":
			s = r.PathValue(p.name)
		case "query":
			s = q.Get(p.name)
		case "header":
			s = r.Header.Get(p.name)
		}
		if s == "" {
			s = p.dflt
		}
		if s == "" {
			if p.required {
				bad = append(bad, ErrMissing.At(p.name))
			}
			continue
		}
		if !utf8.ValidString(s) {
			bad = append(bad, ErrControl.At(p.name))
			continue
		}
		if e := setParam(p.shape, s, v.FieldByIndex(p.index)); e != nil {
			bad = append(bad, e.At(p.name))
		}
	}
	return bad
}

// setParam reads one parameter; a list is comma-separated.
func setParam(sh *shape, s string, v reflect.Value) *errs.Error {
	if sh.kind != asList {
		return setText(sh, s, v)
	}
	parts := strings.Split(s, ",")
	if len(parts) > sh.limits.maxItems {
		return ErrMany.With("max", sh.limits.maxItems)
	}
	list := reflect.MakeSlice(v.Type(), len(parts), len(parts))
	for i, p := range parts {
		if e := setText(sh.elem, p, list.Index(i)); e != nil {
			return e
		}
	}
	v.Set(list)
	return nil
}
