package attack

import (
	"net/url"
	"strings"
	"testing"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/dbtest"
)

// A code that a scanner sends names one product, whatever form it has, and says what it says once: two lots in one symbol, a second
// product's number, a day that is none are told and sell nothing. The character between fields arrives as its picture, for no
// address carries it. Q29 Q30
func TestACodeNamesOneProduct(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		goods := func(code string, barcodes ...string) m {
			return m{"code": code, "name": code, "base_unit": "piece", "tax_pct": 13, "units": []m{{"name": "piece", "num": 1, "barcodes": barcodes}}}
		}
		can := a.Done(a.Admin, "POST", "/api/goods/products", goods("ONE", "6901234567892")).ID()
		a.Done(a.Admin, "POST", "/api/goods/products", goods("TWO", "012345678905"))
		for _, form := range []string{"06901234567892", "0012345678905", "00012345678905"} {
			a.refused("the same number with other zeros, "+form, a.Admin, "POST", "/api/goods/products", goods("THREE", form), "barcode_taken")
		}
		look := func(code string) town.Reply {
			return a.Send(a.Admin, "GET", "/api/goods/lookup?site_id="+a.here+"&code="+url.QueryEscape(code), nil)
		}
		for _, code := range []string{"6901234567892", "06901234567892", "]E06901234567892", "(01)06901234567892", "(01)06901234567892(10)L1(21)7", "010690123456789210L1\u241d217", "]C1010690123456789210L1\u241d217",
			"\u241d010690123456789210L1\u241d217\u241d", "https://id.example.cn/01/06901234567892/10/L1", "(01)06901234567892(10)L1(10)L1"} {
			got := look(code)
			if p, _ := got.Body["product"].(m); got.Status != 200 || p["id"] != can {
				t.Errorf("%q: %v", code, got)
				continue
			}
			if strings.Contains(code, "L1") && got.Body["lot"] != "L1" {
				t.Errorf("%q: lot %v", code, got.Body["lot"])
			}
		}
		for _, code := range []string{"(01)06901234567892(10)L1(10)L2", "(01)06901234567892(01)00012345678905", "(01)06901234567892(17)261301", "(01)06901234567892(17)260301(17)260401", "(01)06901234567893",
			"https://id.example.cn/01/06901234567892/10/L1?10=L2", "(01)0690123456789\u241d2", "]C1", "\u241d"} {
			if got := look(code); got.Status < 400 || got.Status >= 500 {
				t.Errorf("%q: %v", code, got)
			}
		}
		if got := look("]C1010690123456789210L1\x1d217"); got.Code != "text_bad" { // screens send its picture instead
			t.Errorf("a control character: %v", got)
		}
		a.Green()
	}, town.Whole)
}
