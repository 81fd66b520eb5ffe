package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

type orderLine struct {
	ProductID id.ID  `json:"product_id"`
	Unit      string `json:"unit" maxLength:"10"`
	Qty       string `json:"qty" pattern:"^[0-9]+(\\.[0-9]{1,3})?$"`
	BatchID   *id.ID `json:"batch_id,omitempty"`
}

type order struct {
	SiteID id.ID             `json:"site_id"`
	Kind   string            `json:"kind" enum:"cash,mobile"`
	Lines  []orderLine       `json:"lines" minItems:"1" maxItems:"3"`
	Fen    int64             `json:"amount_fen" minimum:"0" maximum:"100000000"`
	Small  int8              `json:"small,omitempty"`
	Gift   bool              `json:"gift,omitempty"`
	Note   *string           `json:"note,omitempty" maxLength:"5"`
	Start  string            `json:"start,omitempty" default:"04:00"`
	Names  map[string]string `json:"names,omitempty"`
	Any    any               `json:"any,omitempty"`
}

func shapeFor[T any](t testing.TB) *shape {
	t.Helper()
	r := huma.NewMapRegistry("#/components/schemas/", newDoc("test").schemaName)
	typ := reflect.TypeFor[T]()
	return shapeOf(r, typ, r.Schema(typ, true, "Test"), 0)
}

func decode[T any](t testing.TB, body string) (T, []*errs.Error) {
	t.Helper()
	var v T
	bad := readJSON(shapeFor[T](t), []byte(body), reflect.ValueOf(&v).Elem())
	return v, bad
}

const goodOrder = `{"site_id":"12","kind":"cash","lines":[{"product_id":"7","unit":"kg","qty":"0.250"}],"amount_fen":1990}`

func TestABodyIsReadAsWritten(t *testing.T) {
	got, bad := decode[order](t, ` {"site_id" : "12", "kind":"mobile", "lines":[ {"product_id":"7","unit":"千\u514b\n","qty":"0.250","batch_id":"9"} , {"product_id":"8","unit":"\"","qty":"1","batch_id":null}],
		"amount_fen":1990,"gift":true,"note":"四五六七八","names":{"a":"b","c":"\\"},"any":{"x":[1,"]}"]},"small":-128}`)
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	nine, note := id.ID(9), "四五六七八"
	want := order{SiteID: 12, Kind: "mobile", Lines: []orderLine{{7, "千克\n", "0.250", &nine}, {8, "\"", "1", nil}}, Fen: 1990, Small: -128, Gift: true,
		Note: &note, Start: "04:00", Names: map[string]string{"a": "b", "c": "\\"}, Any: map[string]any{"x": []any{float64(1), "]}"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestABadBodyIsRefusedAtItsField(t *testing.T) {
	with := func(old, new string) string {
		if !strings.Contains(goodOrder, old) {
			t.Fatal(old)
		}
		return strings.Replace(goodOrder, old, new, 1)
	}
	for _, x := range []struct{ body, code, field string }{
		{``, "field_missing", ""},
		{`   `, "field_missing", ""},
		{`{`, "json_bad", ""},
		{goodOrder + `{}`, "json_bad", ""},
		{`{"kind":"\x"}`, "json_bad", ""},
		{"{\"kind\":\"\xff\"}", "json_bad", ""},
		{`[]`, "fields_wanted", ""},
		{`"x"`, "fields_wanted", ""},
		{`7`, "fields_wanted", ""},
		{with(`"kind":"cash",`, ``), "field_missing", "kind"},
		{with(`"cash"`, `null`), "field_missing", "kind"},
		{with(`"cash"`, `"gold"`), "not_a_choice", "kind"},
		{with(`"cash"`, `7`), "text_wanted", "kind"},
		{with(`"cash"`, `{"a":[1,{"b":"}"}]}`), "text_wanted", "kind"},
		{with(`"cash"`, `"cash","total_fen":0`), "field_unknown", "total_fen"},
		{with(`"cash"`, `"cash","Kind":"cash"`), "field_unknown", "Kind"},
		{with(`"cash"`, `"cash","kind":"cash"`), "field_twice", "kind"},
		{with(`"12"`, `12`), "text_wanted", "site_id"},
		{with(`"12"`, `"012"`), "id_bad", "site_id"},
		{with(`"12"`, `"12 OR 1=1"`), "id_bad", "site_id"},
		{with(`1990`, `19.90`), "whole_number_wanted", "amount_fen"},
		{with(`1990`, `1e3`), "whole_number_wanted", "amount_fen"},
		{with(`1990`, `"1990"`), "whole_number_wanted", "amount_fen"},
		{with(`1990`, `true`), "whole_number_wanted", "amount_fen"},
		{with(`1990`, `-1`), "too_low", "amount_fen"},
		{with(`1990`, `100000001`), "too_high", "amount_fen"},
		{with(`1990`, `9223372036854775808`), "whole_number_wanted", "amount_fen"},
		{with(`1990`, `1990,"small":128`), "whole_number_wanted", "small"},
		{with(`1990`, `1990,"gift":1`), "yes_no_wanted", "gift"},
		{with(`1990`, `1990,"gift":"true"`), "yes_no_wanted", "gift"},
		{with(`1990`, `1990,"note":"123456"`), "too_long", "note"},
		{with(`1990`, `1990,"note":"a\u0000"`), "text_bad", "note"},
		{with(`1990`, `1990,"note":"\u001b[2J"`), "text_bad", "note"},
		{with(`1990`, `1990,"names":{"a":7}`), "text_wanted", "names.a"},
		{with(`1990`, `1990,"names":[]`), "fields_wanted", "names"},
		{with(`[{"product_id":"7","unit":"kg","qty":"0.250"}]`, `[]`), "too_few", "lines"},
		{with(`[{"product_id":"7","unit":"kg","qty":"0.250"}]`, `{}`), "list_wanted", "lines"},
		{with(`[{"product_id"`, `[null,{"product_id"`), "field_missing", "lines[0]"},
		{with(`"0.250"`, `"0.2501"`), "format_bad", "lines[0].qty"},
		{with(`"0.250"`, `0.250`), "text_wanted", "lines[0].qty"},
		{with(`"0.250"`, `"-1"`), "format_bad", "lines[0].qty"},
		{with(`"kg"`, `"kg","price_fen":1`), "field_unknown", "lines[0].price_fen"},
		{with(`"qty":"0.250"}`, `"qty":"0.250"},{"product_id":"7","unit":"kg","qty":"x"}`), "format_bad", "lines[1].qty"},
		{with(`{"product_id":"7","unit":"kg","qty":"0.250"}`, strings.Repeat(`{"product_id":"7","unit":"kg","qty":"1"},`, 3)+`{"product_id":"7","unit":"kg","qty":"1"}`), "too_many", "lines"},
		{strings.Repeat(`{"any":`, 20) + `1` + strings.Repeat(`}`, 20), "field_missing", "site_id"},
	} {
		_, bad := decode[order](t, x.body)
		if len(bad) == 0 || bad[0].Code != x.code || bad[0].Field != x.field {
			t.Errorf("%s\n got %v, want %s at %q", x.body, bad, x.code, x.field)
		}
	}
}

func TestNullIsAValueOnlyWhereTheTypeHasOne(t *testing.T) {
	type end struct {
		Price *int64 `json:"price_fen"`
		Unit  string `json:"unit"`
	}
	if v, bad := decode[end](t, `{"price_fen":null,"unit":"kg"}`); len(bad) > 0 || v.Price != nil {
		t.Errorf("%+v %v", v, bad)
	}
	if _, bad := decode[end](t, `{"unit":"kg"}`); len(bad) != 1 || bad[0].Field != "price_fen" {
		t.Errorf("left out: %v", bad)
	}
	if _, bad := decode[end](t, `{"price_fen":7,"unit":null}`); len(bad) != 1 || bad[0].Field != "unit" {
		t.Errorf("no unit: %v", bad)
	}
}

func TestAllThatIsWrongIsToldAtOnceUpToTen(t *testing.T) {
	_, bad := decode[order](t, `{"kind":"gold","amount_fen":-1,"x":1}`)
	var at []string
	for _, e := range bad {
		at = append(at, e.Field+":"+e.Code)
	}
	if got := fmt.Sprint(at); got != "[kind:not_a_choice amount_fen:too_low x:field_unknown site_id:field_missing lines:field_missing]" {
		t.Error(got)
	}
	var b strings.Builder
	b.WriteString("{")
	for i := range 500 {
		fmt.Fprintf(&b, "%q:%d,", fmt.Sprint("field", i), i)
	}
	if _, bad = decode[order](t, b.String()+`"z":1}`); len(bad) != maxProblems {
		t.Errorf("%d problems told, want %d", len(bad), maxProblems)
	}
}

func TestEveryMessageIsWrittenForPeople(t *testing.T) {
	for _, e := range errs.All() {
		for _, lang := range []string{"zh", "en"} {
			text := e.Text(lang)
			for _, word := range []string{"JSON schema", "tx", "outbox", "null", "int64", "struct", "SQL", "%!", "<nil>"} {
				if strings.Contains(text, word) {
					t.Errorf("%s in %s says %q: %s", e.Code, lang, word, text)
				}
			}
			if lang == "en" && strings.ContainsFunc(text, func(r rune) bool { return r >= 0x3000 }) {
				t.Errorf("%s speaks Chinese in English: %s", e.Code, text)
			}
		}
	}
}

func TestARequestTypeThatCannotBeHeldToLimitsIsNoRoute(t *testing.T) {
	for name, f := range map[string]func(){
		"a float": func() {
			shapeFor[struct {
				X float64 `json:"x"`
			}](t)
		},
		"no name": func() {
			shapeFor[struct{ X string }](t)
		},
		"a channel": func() {
			shapeFor[struct {
				X chan int `json:"x"`
			}](t)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			f()
		}()
	}
}

type search struct {
	Paging
	ID   id.ID    `path:"id"`
	Site id.ID    `query:"site_id" required:"true"`
	Kind string   `query:"kind" enum:"a,b"`
	Open bool     `query:"open"`
	IDs  []id.ID  `query:"ids" maxItems:"2"`
	Tags []string `query:"tags"`
}

func readSearch(t *testing.T, query string) (search, []*errs.Error) {
	t.Helper()
	d := newDoc("test")
	op := huma.Operation{OperationID: "search", Method: "GET", Path: "/x/{id}"}
	huma.Register(d, op, func(context.Context, *search) (*struct{}, error) { return nil, nil })
	in := inputOf(d.OpenAPI().Components.Schemas, reflect.TypeFor[search](), d.last)
	r := httptest.NewRequest("GET", "/x/5?"+query, nil)
	r.SetPathValue("id", "5")
	var v search
	return v, in.readParams(r, reflect.ValueOf(&v).Elem())
}

func TestParametersAreReadStrictly(t *testing.T) {
	d := newDoc("test")
	huma.Register(d, huma.Operation{OperationID: "search", Method: "GET", Path: "/x/{id}"}, func(context.Context, *search) (*struct{}, error) { return nil, nil })
	in := inputOf(d.OpenAPI().Components.Schemas, reflect.TypeFor[search](), d.last)
	r := httptest.NewRequest("GET", "/x/5?site_id=7&kind=b&open=true&ids=1,2&tags=%E8%8C%B6", nil)
	r.SetPathValue("id", "5")
	var v search
	if bad := in.readParams(r, reflect.ValueOf(&v).Elem()); len(bad) > 0 {
		t.Fatal(bad)
	}
	if want := (search{Paging: Paging{Limit: 50}, ID: 5, Site: 7, Kind: "b", Open: true, IDs: []id.ID{1, 2}, Tags: []string{"茶"}}); !reflect.DeepEqual(v, want) {
		t.Errorf("%+v", v)
	}
	for query, want := range map[string]string{
		"":                            "site_id:field_missing",
		"site_id=x":                   "site_id:id_bad",
		"site_id=7&site_id=8":         "site_id:field_twice",
		"site_id=7&kind=c":            "kind:not_a_choice",
		"site_id=7&open=yes":          "open:yes_no_wanted",
		"site_id=7&limit=0":           "limit:too_low",
		"site_id=7&limit=201":         "limit:too_high",
		"site_id=7&limit=1.5":         "limit:whole_number_wanted",
		"site_id=7&ids=1,2,3":         "ids:too_many",
		"site_id=7&ids=1,x":           "ids:id_bad",
		"site_id=7&order=name":        "order:field_unknown",
		"site_id=7&kind=%00":          "kind:text_bad",
		"site_id=7&kind=%ff":          "kind:text_bad",
		"site_id=7&kind=%zz":          ":address_bad",
		"site_id=7&id=9":              "id:field_unknown", // a path value can't come by query
		"site_id=9223372036854775808": "site_id:id_bad",
	} {
		_, bad := readSearch(t, query)
		got := ""
		if len(bad) > 0 {
			got = bad[0].Field + ":" + bad[0].Code
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestACursorIsOpaqueAndBounded(t *testing.T) {
	name, n, i := "", int64(0), id.ID(0)
	p := Paging{After: Cursor("茶", int64(1<<60+1), id.ID(7))}
	if ok, err := p.Seek(&name, &n, &i); !ok || err != nil || name != "茶" || n != 1<<60+1 || i != 7 {
		t.Errorf("%v %v %q %d %d", ok, err, name, n, i)
	}
	for _, bad := range []string{"x", "MQ", p.After[1:], Cursor("a", 1), Cursor(1, 2, 3), Cursor("a\u0000", 1, "7"), "2" + p.After} {
		if _, err := (Paging{After: bad}).Seek(&name, &n, &i); errs.Code(err) != "cursor_bad" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What our reader takes, the standard library must read to the same value; what is no JSON, neither takes.
func FuzzBody(f *testing.F) {
	for _, s := range []string{goodOrder, `{}`, `[1,2]`, `{"any":{"x":[1,"]}\\"]}}`, `{"names":{"a":"\ud83d"}}`, `{"lines":[{},null]}`, `{"any": nul}`, `{"note":"\u00e9\\\""}`} {
		f.Add([]byte(s))
	}
	sh := shapeFor[order](f)
	f.Fuzz(func(t *testing.T, body []byte) {
		var got order
		bad := readJSON(sh, body, reflect.ValueOf(&got).Elem())
		if len(bad) > 0 {
			return
		}
		want := order{Start: "04:00"}
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("we took %q, the library says %v", body, err)
		}
		if want.Names != nil && got.Names == nil || len(want.Names) != len(got.Names) {
			t.Fatalf("%q: names %v, want %v", body, got.Names, want.Names)
		}
		got.Names, want.Names = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n got %+v\nwant %+v", body, got, want)
		}
	})
}

func BenchmarkReadSaleOfEightLines(b *testing.B) {
	type sale struct {
		SiteID id.ID       `json:"site_id"`
		Lines  []orderLine `json:"lines"`
	}
	sh := shapeFor[sale](b)
	body := `{"site_id":"383160317692811343","lines":[` + strings.Repeat(`{"product_id":"383160317692811345","unit":"份","qty":"1"},`, 7) + `{"product_id":"383160317692811345","unit":"份","qty":"1"}]}`
	b.ReportAllocs()
	for b.Loop() {
		var s sale
		if bad := readJSON(sh, []byte(body), reflect.ValueOf(&s).Elem()); len(bad) > 0 {
			b.Fatal(bad)
		}
	}
}
