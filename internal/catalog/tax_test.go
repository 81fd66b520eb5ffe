package catalog

import (
	"encoding/json"
	"testing"
)

func TestATaxRateIsWrittenInPercent(t *testing.T) {
	for text, want := range map[string]TaxRate{"13": 1300, "9": 900, "6.5": 650, "0": 0, "0.01": 1, "50": 5000} {
		got, err := ParseTax(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d %s %v", text, got, got, err)
		}
		var back TaxRate
		b, _ := json.Marshal(got)
		if string(b) != text || json.Unmarshal(b, &back) != nil || back != want {
			t.Errorf("%s in JSON: %s, back %d", text, b, back)
		}
	}
	for _, text := range []string{"", "-1", "13%", "50.01", "51", "1.234", ".5", "5.", "1e1", "007", " 13"} {
		if r, err := ParseTax(text); err == nil {
			t.Errorf("%q was taken for %d", text, r)
		}
	}
}
