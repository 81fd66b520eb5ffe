package csvx

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"zhanggui/internal/platform/errs"
)

// all reads a file to its end: "line:cell|cell" for a row, "line!code" for a refused one.
func all(t *testing.T, file string, limits Limits) (head []string, rows []string, err error) {
	t.Helper()
	r, err := Open(strings.NewReader(file), limits)
	if err != nil {
		return nil, nil, err
	}
	for {
		row, err := r.Next()
		var bad *RowError
		switch {
		case err == io.EOF:
			return r.Header(), rows, nil
		case errors.As(err, &bad):
			rows = append(rows, fmt.Sprintf("%d!%s", bad.Line, bad.Err.Code))
		case err != nil:
			return r.Header(), rows, err
		default:
			rows = append(rows, fmt.Sprintf("%d:%s", row.Line, strings.Join(row.Fields, "|")))
		}
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func gb(t *testing.T, text string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryKindOfFileReadsTheSame(t *testing.T) {
	const text = "日期,商品,数量\r\n2024-05-01,鲜肉包,12\r\n2024-05-02,\"豆浆,大杯\",3\r\n"
	want := []string{"2:2024-05-01|鲜肉包|12", "3:2024-05-02|豆浆,大杯|3"}
	for name, file := range map[string]string{
		"UTF-8":                   text,
		"UTF-8 with a mark":       "\ufeff" + text,
		"GB18030":                 gb(t, text),
		"GB18030 with a mark":     "\x84\x31\x95\x33" + gb(t, text),
		"gzip":                    zipped(text),
		"gzip of GB18030":         zipped(gb(t, text)),
		"two gzip files in one":   zipped(text[:20]) + zipped(text[20:]),
		"Unix line ends":          strings.ReplaceAll(text, "\r\n", "\n"),
		"no end of the last line": strings.TrimRight(text, "\r\n"),
		"blank lines":             text + "\r\n,,\r\n",
	} {
		head, rows, err := all(t, file, Limits{})
		if err != nil || !slices.Equal(head, []string{"日期", "商品", "数量"}) || !slices.Equal(rows, want) {
			t.Errorf("%s: %q %q %v", name, head, rows, err)
		}
	}
}

func TestTheEncodingIsSettledWhereItFirstShows(t *testing.T) {
	// 100,000 lines of ASCII and then a Chinese name: the head of the file tells nothing.
	text := "date,product,quantity\n" + strings.Repeat("2024-05-01,bun,1\n", 100_000) + "2024-05-02,茶叶蛋,7\n"
	for name, file := range map[string]string{"UTF-8": text, "GB18030": gb(t, text)} {
		_, rows, err := all(t, file, Limits{})
		if err != nil || len(rows) != 100_001 || rows[100_000] != "100002:2024-05-02|茶叶蛋|7" {
			t.Errorf("%s: %d rows, last %q, %v", name, len(rows), rows[len(rows)-1], err)
		}
	}
}

func TestABadRowCostsOneRow(t *testing.T) {
	good := "3:x|y"
	for name, c := range map[string]struct{ line, code string }{
		"too few cells":               {"a", "csv_fields"},
		"too many cells":              {"a,b,c", "csv_fields"},
		"a quotation mark left open":  {`"a,b`, "csv_quote"},
		"text behind a closing mark":  {`"a"b,c`, "csv_quote"},
		"a mark in the middle":        {`a"b,c`, "csv_quote"},
		"a control character":         {"a\x00,b", "csv_control"},
		"a carriage return inside":    {"a\rb,c", "csv_control"},
		"neither UTF-8 nor GB18030":   {"\xff\xff,b", "csv_text"},
		"a cell without end":          {strings.Repeat("x", 9000) + ",b", "csv_field_long"},
		"a line without end":          {strings.Repeat("x", 70_000) + ",b", "csv_row_long"},
		"a line longer than a buffer": {strings.Repeat("x", 700_000) + ",b", "csv_row_long"},
	} {
		file := "p,q\n" + c.line + "\nx,y\n包,y\n" // the last row says UTF-8
		_, rows, err := all(t, file, Limits{})
		if err != nil || !slices.Equal(rows, []string{"2!" + c.code, good, "4:包|y"}) {
			t.Errorf("%s: %q %v, want 2!%s and the rows behind it", name, rows, err, c.code)
		}
	}
}

func TestARecordMayRunOverLinesAndLineNumbersStayTrue(t *testing.T) {
	_, rows, err := all(t, "p,q\n\n\"one\r\ntwo\",b\n , \nc,d\n,\ne,f,,\n", Limits{})
	if want := []string{"3:one\r\ntwo|b", "6:c|d", "8:e|f"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("got %q %v, want %q", rows, err, want)
	}
}

func TestAnOpenMarkDoesNotSwallowTheFile(t *testing.T) {
	file := "p,q\n\"a,1\n" + strings.Repeat("b,2\n", 1000)
	_, rows, err := all(t, file, Limits{})
	if err != nil || len(rows) != 1001 || rows[0] != "2!csv_quote" || rows[1] != "3:b|2" || rows[1000] != "1002:b|2" {
		t.Errorf("%d rows, %v, %v", len(rows), rows[:2], err)
	}
}

func TestHalfAFileEndsWithOneRefusedRow(t *testing.T) {
	var text strings.Builder
	text.WriteString("p,q\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "%x,%d\n", i*7919, i)
	}
	whole := zipped(text.String())
	_, rows, err := all(t, whole[:len(whole)/2], Limits{})
	if err != nil || len(rows) < 1000 || len(rows) >= 5000 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if last := rows[len(rows)-1]; last != fmt.Sprintf("%d!csv_cut", len(rows)+1) {
		t.Errorf("the last row is %q", last)
	}
	damaged := []byte(whole)
	damaged[len(damaged)-6] ^= 1 // the checksum
	_, rows, err = all(t, string(damaged), Limits{})
	if err != nil || len(rows) != 5001 || rows[5000] != "5002!csv_cut" {
		t.Errorf("damaged: %d rows, last %q, %v", len(rows), rows[len(rows)-1], err)
	}
	_, rows, err = all(t, "p,q,r\n1,2,3\n4,5", Limits{})
	if err != nil || !slices.Equal(rows, []string{"2:1|2|3", "3!csv_cut"}) {
		t.Errorf("a plain file broken off: %q %v", rows, err)
	}
}

func TestWhatIsNoTableIsRefusedAsAWhole(t *testing.T) {
	for name, c := range map[string]struct{ file, code string }{
		"nothing":               {"", "csv_empty"},
		"only a mark":           {"\ufeff", "csv_empty"},
		"a spreadsheet":         {"PK\x03\x04 and so on", "csv_not_text"},
		"an old spreadsheet":    {"\xd0\xcf\x11\xe0 and so on", "csv_not_text"},
		"a picture":             {"\x89PNG\r\n\x1a\n\x00\x00", "csv_not_text"},
		"UTF-16":                {"\xff\xfed\x00a\x00", "csv_utf16"},
		"semicolons":            {"date;product;quantity\n", "csv_delimiter"},
		"tabs":                  {"date\tproduct\n", "csv_delimiter"},
		"a column twice":        {"date,date\n", "csv_header"},
		"a column without name": {"date,,quantity\n", "csv_header"},
		"half a gzip header":    {zipped("p,q\n")[:8], "csv_cut"},
	} {
		if _, _, err := all(t, c.file, Limits{}); errs.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestLimitsHold(t *testing.T) {
	text := "p,q\n" + strings.Repeat("0000000000,0000000000\n", 200_000)
	for name, c := range map[string]struct {
		file   string
		limits Limits
		code   string
	}{
		"rows":       {text, Limits{Rows: 1000}, "csv_too_many_rows"},
		"size":       {text, Limits{Bytes: 1 << 20}, "csv_too_big"},
		"zip bomb":   {zipped(text), Limits{}, "csv_ratio"},
		"zip, large": {zipped(text), Limits{Ratio: 5000, Bytes: 1 << 20}, "csv_too_big"},
	} {
		_, rows, err := all(t, c.file, c.limits)
		if errs.Code(err) != c.code {
			t.Errorf("%s: %v after %d rows, want %s", name, err, len(rows), c.code)
		}
	}
}

func TestAFailingSourceIsNobodysRow(t *testing.T) {
	broken := errors.New("connection reset")
	src := io.MultiReader(strings.NewReader("p,q\n1,2\n3,"), &failing{broken})
	r, err := Open(src, Limits{})
	if errors.Is(err, broken) {
		return // already while looking at the head
	}
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestColumnsAreFoundByNameAndMapping(t *testing.T) {
	wanted := []Column{{Name: "date", Must: true}, {Name: "product", Must: true}, {Name: "rain", Must: true, Soft: true}, {Name: "store"}}
	for name, c := range map[string]struct{ header, mapping, at, code, field string }{
		"by name":                  {"product,date,rain", "", "1 0 2 -1", "", ""},
		"renamed":                  {"日期,article,rain", "date=日期,product=article", "0 1 2 -1", "", ""},
		"dropped":                  {"date,product,rain,colour", "colour=-", "0 1 2 -1", "", ""},
		"left out on purpose":      {"date,product", "rain=-", "0 1 -1 -1", "", ""},
		"unknown":                  {"date,product,rain,colour,size", "", "", "column_unknown", "colour"},
		"missing":                  {"date,rain", "", "", "column_missing", "product"},
		"a must can't be left out": {"date,rain", "product=-", "", "column_missing", "product"},
		"mapped to nothing":        {"date,product,rain", "store=shop", "", "column_missing", "store"},
		"one for two":              {"date,rain", "product=date", "", "column_twice", "date"},
		"a name nobody knows":      {"date,product,rain", "colour=date", "", "column_map", ""},
		"dropping what is not":     {"date,product,rain", "colour=-", "", "column_map", ""},
		"theirs is another's name": {"store,date,product,rain", "date=store,store=date", "0 2 3 1", "", ""},
	} {
		m, err := ParseMapping(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		at, err := Match(strings.Split(c.header, ","), wanted, m)
		if got := strings.Trim(fmt.Sprint(at), "[]"); errs.Code(err) != c.code || err == nil && got != c.at || err != nil && errs.As(err).Field != c.field {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
	for _, bad := range []string{"date", "date=", "=x", "a=b,a=c", ","} {
		if _, err := ParseMapping(bad); errs.Code(err) != "column_map" {
			t.Errorf("mapping %q: %v", bad, err)
		}
	}
}

func TestNoCellRunsAsAFormula(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	_ = w.Write("=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "plain, 包", "")
	_ = w.Flush()
	if want := "'=HYPERLINK(1),'+1,'-1,'@x,'\tx,\"plain, 包\",\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
	for _, cell := range []string{"=1", "-1", "it's", "'quoted", ""} {
		if got := Unsafe(Safe(cell)); got != cell {
			t.Errorf("%q came back as %q", cell, got)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"p,q\n1,2\n", "\ufeff日期,商品\n2024-05-01,\"a\"\"b\n,c\"\n", "p\n\"\n\"\n", zipped("p,q\n1,2\n"),
		"\xc8\xd5\xc6\xda,q\n\xb0\xfc,2\n", "p,q\r\n\"1,2\r\n", "\xff\xfe", "a,b\n\"x\"y,z\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Open(bytes.NewReader(file), Limits{Bytes: 1 << 20, Rows: 10_000})
		if err != nil {
			if errs.Code(err) == "internal" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		last := int64(1)
		for n := 0; ; n++ {
			row, err := r.Next()
			line := row.Line
			var bad *RowError
			switch {
			case err == io.EOF:
				return
			case errors.As(err, &bad):
				line = bad.Line
			case err != nil:
				if errs.Code(err) == "internal" {
					t.Fatalf("no code: %v", err)
				}
				return
			case len(row.Fields) != len(r.Header()):
				t.Fatalf("%d cells for %d columns", len(row.Fields), len(r.Header()))
			}
			if line <= last || n > len(file)*1100 {
				t.Fatalf("line %d after %d", line, last)
			}
			last = line
		}
	})
}

func BenchmarkAMillionRows(b *testing.B) {
	text := "date,product,quantity,store\n" + strings.Repeat("2024-05-01,100200300,12.5,S001\n", 100_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r, err := Open(strings.NewReader(text), Limits{})
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}
