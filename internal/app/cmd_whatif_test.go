package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// whatif runs the command over files of the given texts.
func whatif(t *testing.T, files map[string]string, args ...string) (code int, out, complaint string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	full := []string{"whatif"}
	for _, a := range args {
		full = append(full, strings.ReplaceAll(a, "DIR", dir))
	}
	var stdout, stderr bytes.Buffer
	code = Run(full, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// halfYear is what a shop sold of one product, more at the end of the week.
func halfYear() string {
	var b strings.Builder
	b.WriteString("date,product,quantity\n")
	for i := range 182 {
		fmt.Fprintf(&b, "%s,bun,%d\n", dayAfter(i), 40+4*(i%7)+(i*7919)%9)
	}
	return b.String()
}

func TestAShopSeesWhatItsOwnHistoryWouldHaveBeen(t *testing.T) {
	files := map[string]string{"sales.csv": halfYear(), "products.csv": "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n" +
		"bun,Bun,Bakery,piece,piece,1,1,,300,24,6,13\n"}
	type answer struct {
		Policies []struct {
			Policy       string   `json:"policy"`
			StockoutDays *int     `json:"stockout_days"`
			LostUnits    *float64 `json:"lost_units"`
			WasteUnits   *float64 `json:"waste_units"`
			MarginFen    *int64   `json:"margin_fen"`
		} `json:"policies"`
		AtEqual map[string]float64 `json:"at_equal_stockout"`
	}
	for _, prices := range [][]string{{"--price-fen", "300", "--cost-fen", "120"}, {"--products", "DIR/products.csv"}} {
		code, out, complaint := whatif(t, files, append([]string{"--sales", "DIR/sales.csv", "--life", "1", "--json"}, prices...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d: %s", prices, code, complaint)
		}
		var got answer
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		names := ""
		for _, p := range got.Policies {
			names += p.Policy + " "
			if p.StockoutDays == nil || p.LostUnits == nil || p.WasteUnits == nil || p.MarginFen == nil {
				t.Errorf("%v: %s lacks a figure", prices, p.Policy)
			}
		}
		if names != "manual mean engine " || len(got.AtEqual) != 3 {
			t.Errorf("%v: policies %s, at equal stock-outs %v", prices, names, got.AtEqual)
		}
	}
	code, out, _ := whatif(t, files, "--sales", "DIR/sales.csv", "--life", "2", "--price-fen", "300", "--cost-fen", "120", "--policy", "mean")
	if code != 0 || !strings.Contains(out, "mean") || strings.Contains(out, "manual") {
		t.Errorf("one policy: exit %d\n%s", code, out)
	}
}

func TestAReplayWithoutPricesOrWithTwoKindsOfThemIsRefused(t *testing.T) {
	files := map[string]string{"sales.csv": halfYear(), "products.csv": "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n" +
		"bread,Bread,Bakery,piece,piece,1,1,,300,24,,13\n"}
	for _, args := range [][]string{
		{"--life", "1"},
		{"--life", "1", "--price-fen", "300", "--cost-fen", "120", "--products", "DIR/products.csv"},
		{"--life", "1", "--price-fen", "100", "--cost-fen", "120"},
		{"--life", "9", "--price-fen", "300", "--cost-fen", "120"},
		{"--price-fen", "300", "--cost-fen", "120"},
		{"--life", "1", "--products", "DIR/products.csv"}, // bun has no price
		{"--life", "1", "--products", "DIR/nothing.csv"},
		{"--life", "1", "--price-fen", "300", "--cost-fen", "120", "--policy", "feel"},
		{"--life", "1", "--price-fen", "300", "--cost-fen", "120", "--from", "yesterday"},
	} {
		if code, out, complaint := whatif(t, files, append([]string{"--sales", "DIR/sales.csv"}, args...)...); code != 1 || strings.Contains(out, `"days"`) || complaint == "" {
			t.Errorf("%v: exit %d, said %q and %q", args, code, out, complaint)
		}
	}
}
