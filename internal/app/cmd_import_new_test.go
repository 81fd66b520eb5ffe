package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Somebody who mistypes a command has not founded a house by it.
func TestAnImportThatCannotBeginMakesNoDatabase(t *testing.T) {
	t.Setenv("ZHANGGUI_ADMIN_PASSWORD", "")
	t.Setenv("LC_ALL", "C")
	dir := t.TempDir()
	k := &desk{t, "sqlite:" + filepath.Join(dir, "house", "shop.db"), dir}
	products := k.file("products.csv", "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\nB001,鲜肉包,面点,piece,piece,1,1,,350,12,20,13\nB002,,面点,piece,piece,1,1,,350,12,20,13\n")
	nothing := func(what string) {
		t.Helper()
		if left, err := os.ReadDir(filepath.Join(dir, "house")); err == nil {
			t.Errorf("%s left %v", what, left)
		}
	}
	for _, c := range []struct{ kind, file, says string }{
		{"goods", products, "import_kind_bad"}, {"products", filepath.Join(dir, "nowhere.csv"), "file_unreadable"}, {"", products, "import_kind_bad"},
	} {
		code, out, complaint := k.run(c.kind, c.file)
		if code != 1 || out != "" || !strings.Contains(complaint, c.says) || strings.Contains(complaint, "only shown now") {
			t.Errorf("%q %s: exit %d %q %q", c.kind, c.file, code, out, complaint)
		}
		nothing(c.kind)
	}
	k.takes(1, "2 1 0 1", "products", products, "--dry-run")
	nothing("a dry run")
	if _, _, complaint := k.run("products", products, "--dry-run"); strings.Contains(complaint, "only shown now") {
		t.Errorf("a dry run tells a password that opens nothing: %s", complaint)
	}
}

func TestGoodRowsAreToldEvenIfTheOthersCannotBeListed(t *testing.T) {
	t.Setenv("ZHANGGUI_ADMIN_PASSWORD", adminPassword)
	t.Setenv("LC_ALL", "C")
	dir := t.TempDir()
	k := &desk{t, "sqlite:" + filepath.Join(dir, "shop.db"), dir}
	products := k.file("products.csv", "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\nB001,鲜肉包,面点,piece,piece,1,1,,350,12,20,13\nB002,,面点,piece,piece,1,1,,350,12,20,13\n")
	if err := os.Mkdir(products+".refused.csv", 0o700); err != nil { // nothing can be written there
		t.Fatal(err)
	}
	for mode, want := range map[string]int{"good": 2, "all": 1} {
		code, out, complaint := k.run("products", products, "--json", "--mode", mode)
		var r importReport
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != want || r.RowsRead != 2 || r.RowsRefused != 1 || r.RefusedFile != "" || !strings.Contains(complaint, "can't be listed") {
			t.Errorf("%s: exit %d %s %s", mode, code, out, complaint)
		}
	}
}
