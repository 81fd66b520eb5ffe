package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"zhanggui/internal/platform/dbtest"
)

// desk imports files from the command line into an installation nobody has started yet.
type desk struct {
	t   *testing.T
	dsn string
	dir string
}

func openDesk(t *testing.T, d *dbtest.DB) *desk {
	t.Setenv("ZHANGGUI_ADMIN_PASSWORD", adminPassword)
	t.Setenv("LC_ALL", "C")
	return &desk{t, d.DSN, t.TempDir()}
}

func (k *desk) file(name, text string) string {
	k.t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	return path
}

func (k *desk) run(args ...string) (code int, out, complaint string) {
	var stdout, stderr bytes.Buffer
	code = Run(append(append([]string{"import"}, args...), "--db", k.dsn), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// takes imports and expects exit code and read/new/same/refused.
func (k *desk) takes(code int, counts string, args ...string) {
	k.t.Helper()
	got, out, complaint := k.run(append(args, "--json")...)
	var r importReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		k.t.Fatalf("%v: %s %s", err, out, complaint)
	}
	if c := fmt.Sprint(r.RowsRead, r.RowsNew, r.RowsSame, r.RowsRefused); got != code || c != counts {
		k.t.Errorf("import %s: exit %d with %s, want %d with %s\n%s", strings.Join(args, " "), got, c, code, counts, complaint)
	}
}

func TestFilesAreImportedFromTheCommandLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		k := openDesk(t, d)
		products := k.file("products.csv", "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n"+
			"B001,鲜肉包,面点,piece,piece,1,1,,350,12,20,13\n")
		k.takes(0, "1 1 0 0", "products", products)
		k.takes(0, "1 0 1 0", "products", products)

		sales := k.file("sales.csv", "date,product,quantity\n2025-02-26,B001,12\n2025-02-27,B001,-3\n2025-02-28,BUN,4\n")
		k.takes(1, "3 0 0 2", "sales", sales)
		k.takes(1, "3 1 0 2", "sales", sales, "--dry-run")
		k.takes(2, "3 1 0 2", "sales", sales, "--mode", "good", "--dry-run")
		k.takes(2, "3 1 0 2", "sales", sales, "--mode", "good")
		k.takes(2, "3 0 1 2", "sales", sales, "--mode=good")
		list, err := os.ReadFile(sales + ".refused.csv")
		if want := "line,field,code,message,date,product,quantity\n" +
			"3,quantity,qty_negative,The quantity must not be negative,2025-02-27,B001,'-3\n" +
			"4,product,product_unknown,There is no such product,2025-02-28,BUN,4\n"; err != nil || string(list) != want {
			t.Errorf("%v\n%s", err, list)
		}
		k.takes(2, "3 1 1 1", "sales", sales, "--mode", "good", "--create-missing")
		code, out, complaint := k.run("sales", sales, "--mode", "good", "--create-missing")
		if code != 2 || out != "rows_read 3\nrows_new 0\nrows_same 2\nrows_refused 1\n" || !strings.Contains(complaint, sales+".refused.csv") {
			t.Errorf("%d %q %q", code, out, complaint)
		}

		gb, err := simplifiedchinese.GB18030.NewEncoder().String("日期,商品名称,销量,备注\n2025-03-01,鲜肉包,5,x\n")
		if err != nil {
			t.Fatal(err)
		}
		chinese := k.file("销售.csv", gb)
		code, out, complaint = k.run("sales", chinese)
		if code != 1 || out != "" || !strings.Contains(complaint, "--map 'date=日期,product=商品名称,quantity=销量,备注=-'") {
			t.Errorf("%d %q %q", code, out, complaint)
		}
		k.takes(0, "1 1 0 0", "sales", chinese, "--map", "date=日期,product=商品名称,quantity=销量,备注=-")
		k.takes(0, "1 0 1 0", "sales", chinese, "--map", "date=日期,product=商品名称,quantity=销量,备注=-")

		if code, _, _ := k.run("sales", filepath.Join(k.dir, "nowhere.csv")); code != 1 {
			t.Errorf("a file that is not there: exit %d", code)
		}
		if code, _, _ := k.run("nonsense", sales); code != 1 {
			t.Errorf("an unknown kind: exit %d", code)
		}
		if code, _, _ := k.run("sales", sales, "--map", "date"); code != 1 {
			t.Errorf("a mapping that is none: exit %d", code)
		}
		var report importReport
		if _, out, _ := k.run("sales", chinese, "--json"); json.Unmarshal([]byte(out), &report) != nil || report.Error == nil || report.Error.Code != "column_missing" {
			t.Errorf("a refused file says %s", out)
		}
	})
}

func TestTheImportExplainsItself(t *testing.T) {
	var out, complaint bytes.Buffer
	if code := Run([]string{"import", "--help"}, &out, &complaint); code != 0 {
		t.Fatalf("exit %d %s", code, complaint.String())
	}
	for _, want := range []string{"store,name,[time_zone]", "[date],[time],product,quantity,[store]", "--create-missing", "--mode", "--map", "--dry-run", "--json"} {
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(out.String(), "\n", ""), " ", ""), strings.ReplaceAll(want, " ", "")) {
			t.Errorf("--help does not tell of %s\n%s", want, out.String())
		}
	}
}
