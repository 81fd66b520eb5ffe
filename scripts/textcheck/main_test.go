package main

import (
	"strings"
	"testing"
)

func TestCleanTextPasses(t *testing.T) {
	for _, text := range []string{
		"", "a line\n", "掌柜\n", "GET /api/till/sales/{id}\n", "serve --db sqlite:./data/zhanggui.db\n", "homework/3\n",
	} {
		if faults := check("docs/a.md", []byte(text)); len(faults) > 0 {
			t.Errorf("%q: %v", text, faults)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for text, why := range map[string]string{
		"no end":                            "no newline",
		"a \n":                              "blank at the end",
		"a\r\nb\r\n":                        "carriage return",
		"\xff\xfe\n":                        "not UTF-8",
		"see /" + "work/x\n":                "path of one machine",
		"see /" + "home/li/x\n":             "path of one machine",
		"// TO" + "DO later\n":              "work left for later",
		"https://registry" + ".npmjs.org\n": "package registry",
		"<<<<<<< ours\n":                    "conflict",
		strings.Repeat("line\n", mostBytes): "larger than",
	} {
		faults := check("docs/a.md", []byte(text))
		if len(faults) == 0 || !strings.Contains(faults[0], why) {
			t.Errorf("%.40q: wanted %q, got %v", text, why, faults)
		}
	}
}
