package intake

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/qty"
)

// kitchen tells a story of a shop with a kitchen's products: B bun (piece), S sauce (g, kg), T tomato (g), L lettuce (g).
func kitchen(t *testing.T, story func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		s.take(Products, `product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct
B,包子,,piece,piece,1,1,690001,300,8,12,13
S,酱,,g,kg,1000,1,,,72,,13
T,番茄,,g,g,1,1,,,96,,13
L,生菜,,g,g,1,1,,,72,,13
`, Run{}, "applied 4 read 4 new 0 same 0 refused")
		story(s)
	}, dbtest.With(append(slices.Clone(schema), party.Migrations)...))
}

const recipeHead = "product,yield_qty,yield_unit,component,qty,unit,loss,loss_rule,valid_from\n"

// book is what holds of recipes: "B 2026-01-01 1: S 20 30000 markup; L 5 …".
func (s *shop) recipeBook() string {
	s.t.Helper()
	var lines []string
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		lines = nil
		codes := map[string]string{}
		rows := tx.Query(`SELECT id, code FROM catalog_product`)
		for rows.Next() {
			var p, c string
			var n int64
			if err := rows.Scan(&n, &c); err != nil {
				return err
			}
			p = fmt.Sprint(n)
			codes[p] = c
		}
		if err := rows.Err(); err != nil {
			return err
		}
		all, err := catalog.Recipes(tx)
		for _, r := range all {
			var parts []string
			for _, c := range r.Components {
				parts = append(parts, fmt.Sprintf("%s %s %d %s", codes[c.Product.String()], c.Qty, c.Loss, c.Rule))
			}
			slices.Sort(parts)
			lines = append(lines, fmt.Sprintf("%s %s %s: %s", codes[r.Product.String()], r.ValidFrom, r.Yield, strings.Join(parts, "; ")))
		}
		slices.Sort(lines)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func (s *shop) book(want ...string) {
	s.t.Helper()
	if got := s.recipeBook(); got != strings.Join(want, "\n") {
		s.t.Errorf("recipes:\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestRecipesComeInByVersion(t *testing.T) {
	kitchen(t, func(s *shop) {
		file := recipeHead +
			"B,1,piece,S,20,g,0.03,markup,2026-01-01\n" +
			"B,1,piece,L,5,g,0,,2026-01-01\n" +
			"B,1,piece,L,6,g,3%,yield,2026-06-01\n" +
			"酱,2,kg,T,3.5,千克,,,\n" // by name, in a unit that needs no table, with the loss and the day that are assumed
		s.take(Recipes, file, Run{DryRun: true}, "checked 4 read 4 new 0 same 0 refused")
		s.book("")
		s.take(Recipes, file, Run{}, "applied 4 read 4 new 0 same 0 refused")
		want := []string{
			"B 2026-01-01 1: L 5 0 markup; S 20 30000 markup",
			"B 2026-06-01 1: L 6 30000 yield",
			"S 2000-01-01 2000: T 3500 30000 markup",
		}
		s.book(want...)
		s.take(Recipes, file, Run{}, "applied 4 read 0 new 4 same 0 refused")
		s.book(want...)
		// A version is a whole: what a new file does not say of it any more is gone; other versions stay.
		s.take(Recipes, recipeHead+"B,1,piece,S,25,g,0.03,markup,2026-01-01\n", Run{}, "applied 1 read 1 new 0 same 0 refused")
		s.book("B 2026-01-01 1: S 25 30000 markup", want[1], want[2])
	})
}

func TestARangeIsItsMiddle(t *testing.T) {
	kitchen(t, func(s *shop) {
		const head = "product,yield_qty,yield_unit,component,qty,qty_max,unit,loss,loss_rule,valid_from\n"
		s.take(Recipes, head+"B,1,piece,S,20,30,g,0,,2026-01-01\nB,1,piece,L,0.001,0.004,g,0,,2026-01-01\nB,1,piece,T,7,,g,0,,2026-01-01\n", Run{}, "applied 3 read 3 new 0 same 0 refused")
		s.book("B 2026-01-01 1: L 0.003 0 markup; S 25 0 markup; T 7 0 markup")
		for line, want := range map[string]string{
			"B,1,piece,S,20,19.999,g,0,,2026-01-01": "2 qty_max recipe_range",
			"B,1,piece,S,20,a,g,0,,2026-01-01":      "2 qty_max number_bad",
			"B,1,piece,S,20,-30,g,0,,2026-01-01":    "2 qty_max qty_negative",
			"B,1,piece,S,,30,g,0,,2026-01-01":       "2 qty cell_empty",
		} {
			im := s.take(Recipes, head+line+"\n", Run{}, "refused 1 read 0 new 0 same 1 refused")
			if got := s.refused(im); len(got) == 0 || got[0] != want {
				t.Errorf("%s: %v, want %s", line, got, want)
			}
		}
		s.take(Recipes, head+"B,1,piece,S,20,20,g,0,,2026-02-01\n", Run{}, "applied 1 read 1 new 0 same 0 refused")
	})
}

func TestARecipeWithOneWrongLineIsNone(t *testing.T) {
	kitchen(t, func(s *shop) {
		file := recipeHead +
			"B,1,piece,S,20,g,0.03,,2026-01-01\n" +
			"B,1,piece,L,-5,g,0.03,,2026-01-01\n" + // this makes all of it wrong
			"S,1,kg,T,1500,g,0.03,,2026-01-01\n"
		im := s.take(Recipes, file, Run{}, "refused 3 read 0 new 0 same 2 refused")
		if got := s.refused(im); !slices.Equal(got, []string{"2 product recipe_incomplete", "3 qty qty_negative"}) {
			t.Errorf("%v", got)
		}
		s.book("")
		s.take(Recipes, file, Run{Mode: Good}, "applied 3 read 1 new 0 same 2 refused")
		s.book("S 2026-01-01 1000: T 1500 30000 markup")
	})
}

func TestEachWrongLineOfARecipeNamesItsFieldAndReason(t *testing.T) {
	kitchen(t, func(s *shop) {
		for line, want := range map[string]string{
			"X,1,piece,S,20,g,0.03,,2026-01-01":                                  "product product_unknown",
			",1,piece,S,20,g,0.03,,2026-01-01":                                   "product cell_empty",
			"B,1,piece,X,20,g,0.03,,2026-01-01":                                  "component product_unknown",
			"B,0,piece,S,20,g,0.03,,2026-01-01":                                  "yield_qty qty_zero",
			"B,1,dozen,S,20,g,0.03,,2026-01-01":                                  "yield_unit unit_unknown",
			"B,1,piece,S,0,g,0.03,,2026-01-01":                                   "qty qty_zero",
			"B,1,piece,S,-1,g,0.03,,2026-01-01":                                  "qty qty_negative",
			"B,1,piece,S,a,g,0.03,,2026-01-01":                                   "qty number_bad",
			"B,1,piece,S,0.0001,g,0.03,,2026-01-01":                              "qty qty_bad",
			"B,1,piece,S,900000000,g,0.03,,2026-01-01":                           "qty qty_absurd",
			"B,1,piece,S,20,piece,0.03,,2026-01-01":                              "unit unit_unknown",
			"B,1,piece,S,20,l,0.03,,2026-01-01":                                  "unit unit_unknown",
			"B,1,piece,S,20,g,1,,2026-01-01":                                     "loss loss_rate_bad",
			"B,1,piece,S,20,g,lots,,2026-01-01":                                  "loss loss_rate_bad",
			"B,1,piece,S,20,g,0.03,plus,2026-01-01":                              "loss_rule loss_rule_bad",
			"B,1,piece,S,20,g,0.03,,01.01.2026":                                  "valid_from date_invalid",
			"B,1,piece,S,20,g,0.03,,1980-01-01":                                  "valid_from date_old",
			"B,1,piece,S,20,g,0.03,,1999-12-31":                                  "valid_from recipe_date_bad",
			"B,1,piece,S,20,g,0.03,,2200-01-01":                                  "valid_from recipe_date_bad",
			"B,1,piece,B,1,piece,0.03,,2026-01-01":                               "component recipe_cycle",
			"B,1,piece,T,1,g,0.03,,2026-01-01\nB,2,piece,S,1,g,0.03,,2026-01-01": "yield_qty recipe_yield_differs",
			"B,1,piece,T,1,g,0.03,,2026-01-01\nB,1,piece,T,2,g,0.03,,2026-01-01": "component duplicate_row",
			"B,1,piece,S,1,g,0.03,,2026-01-01\nS,1,kg,T,1,g,0,,2026-01-01\nT,1,g,B,1,piece,0.03,,2027-01-01": "component recipe_cycle",
		} {
			im, err := s.try(Recipes, recipeHead+line+"\n", Run{})
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			found := false
			for _, r := range s.refused(im) {
				found = found || strings.HasSuffix(r, " "+want)
			}
			if !found || im.State != Refused {
				t.Errorf("%s: %s %v, want %s", line, im.State, s.refused(im), want)
			}
		}
		s.book("")
	})
}

// One half of the circle is there already, and a recipe that has no part in it comes in.
func TestAWayRoundThroughWhatIsThereIsRefused(t *testing.T) {
	kitchen(t, func(s *shop) {
		s.take(Recipes, recipeHead+"B,1,piece,S,20,g,0,,2026-01-01\nS,1,kg,T,1500,g,0,,2026-01-01\n", Run{}, "applied 2 read 2 new 0 same 0 refused")
		file := recipeHead + "T,1,kg,B,1,piece,0,,2026-01-01\nT,1,kg,L,1,g,0,,2026-01-01\nL,1,g,S,1,g,0,,2026-01-01\n"
		im := s.take(Recipes, file, Run{Mode: Good}, "applied 3 read 1 new 0 same 2 refused")
		if got := s.refused(im); !slices.Equal(got, []string{"2 component recipe_cycle", "3 component recipe_cycle"}) {
			t.Errorf("%v", got)
		}
		s.book("B 2026-01-01 1: S 20 0 markup", "L 2026-01-01 1: S 1 0 markup", "S 2026-01-01 1000: T 1500 0 markup")
		// Now tomato may take the place of the sauce's, so that nothing goes round any more.
		s.take(Recipes, recipeHead+"S,1,kg,L,1,g,0,,2026-01-01\nL,1,g,T,1,g,0,,2026-01-01\nT,1,kg,B,1,piece,0,,2026-01-01\nB,1,piece,T,1,g,0,,2026-01-01\n",
			Run{Mode: Good}, "applied 4 read 2 new 0 same 2 refused")
	})
}

// terms are what suppliers ask, as text.
func (s *shop) offers() string {
	s.t.Helper()
	var b strings.Builder
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		b.Reset()
		rows := tx.Query(`SELECT s.code, s.name, p.code, t.pack, t.unit, t.unit_num, t.price_fen4, t.min_packs, t.lead_class, t.lead_h, t.order_days, t.cut_off
			FROM party_terms t JOIN party_supplier s ON s.id = t.supplier_id JOIN catalog_product p ON p.id = t.product_id ORDER BY s.code, p.code`)
		for rows.Next() {
			var code, name, product, unit, class string
			var pack qty.Qty
			var num, price, least, lead, days, cut int64
			if err := rows.Scan(&code, &name, &product, &pack, &unit, &num, &price, &least, &class, &lead, &days, &cut); err != nil {
				return err
			}
			fmt.Fprintf(&b, "%s %s %s %s%s/%d %d %d %s %d %s %d\n", code, name, product, pack, unit, num, price, least, class, lead, party.OrderDays(days), cut)
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

const supplierHead = "supplier,name,product,pack_qty,unit,price_fen4,min_packs,lead_class,lead_h,order_days,cut_off\n"

func TestSuppliersComeInWithTheirTerms(t *testing.T) {
	kitchen(t, func(s *shop) {
		file := supplierHead + "F1,绿源,L,3000,g,9000,2,fresh,24,135,16:00\nF1,绿源,番茄,5,kg,8000000,,生鲜,,,\nC1,北辰,B,12,,1000000,1,frozen,72,1246,12:00\n"
		s.take(Suppliers, file, Run{DryRun: true}, "checked 3 read 3 new 0 same 0 refused")
		if got := s.offers(); got != "" {
			t.Errorf("a trial run brought %s", got)
		}
		s.take(Suppliers, file, Run{}, "applied 3 read 3 new 0 same 0 refused")
		want := "C1 北辰 B 12piece/1 1000000 1 frozen 72 1246 720\nF1 绿源 L 3000g/1 9000 2 fresh 24 135 960\nF1 绿源 T 5kg/1000 8000000 1 fresh 0 1234567 1439\n"
		if got := s.offers(); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		s.take(Suppliers, file, Run{}, "applied 3 read 0 new 3 same 0 refused")
		// Another price and another name; what is not named stays.
		s.take(Suppliers, supplierHead+"F1,绿源农场,L,3000,g,9500,2,fresh,24,135,16:00\n", Run{}, "applied 1 read 1 new 0 same 0 refused")
		want = strings.NewReplacer("绿源", "绿源农场", " 9000 ", " 9500 ").Replace(want)
		if got := s.offers(); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}

func TestEachWrongLineOfASupplierNamesItsFieldAndReason(t *testing.T) {
	kitchen(t, func(s *shop) {
		for line, want := range map[string]string{
			",绿源,L,3000,g,9000,2,fresh,24,135,16:00":             "supplier cell_empty",
			"F 1,绿源,L,3000,g,9000,2,fresh,24,135,16:00":          "supplier code_bad",
			"F1,,L,3000,g,9000,2,fresh,24,135,16:00":             "name cell_empty",
			"F1,绿源,X,3000,g,9000,2,fresh,24,135,16:00":           "product product_unknown",
			"F1,绿源,L,0,g,9000,2,fresh,24,135,16:00":              "pack_qty qty_zero",
			"F1,绿源,L,-3,g,9000,2,fresh,24,135,16:00":             "pack_qty qty_negative",
			"F1,绿源,L,3000,bag,9000,2,fresh,24,135,16:00":         "unit unit_unknown",
			"F1,绿源,L,3000,g,,2,fresh,24,135,16:00":               "price_fen4 cell_empty",
			"F1,绿源,L,3000,g,-9000,2,fresh,24,135,16:00":          "price_fen4 price_fen4_bad",
			"F1,绿源,L,3000,g,0.9,2,fresh,24,135,16:00":            "price_fen4 price_fen4_bad",
			"F1,绿源,L,3000,g,9000,x,fresh,24,135,16:00":           "min_packs whole_number_bad",
			"F1,绿源,L,3000,g,9000,2,,24,135,16:00":                "lead_class cell_empty",
			"F1,绿源,L,3000,g,9000,2,chilled,24,135,16:00":         "lead_class lead_class_bad",
			"F1,绿源,L,3000,g,9000,2,fresh,a day,135,16:00":        "lead_h whole_number_bad",
			"F1,绿源,L,3000,g,9000,2,fresh,99999,135,16:00":        "lead_h whole_number_bad",
			"F1,绿源,L,3000,g,9000,2,fresh,24,138,16:00":           "order_days order_days_bad",
			"F1,绿源,L,3000,g,9000,2,fresh,24,135,4pm":             "cut_off cut_off_bad",
			"F1,绿源,T,1,g,1,1,fresh,,,\nF1,绿洲,L,1,g,1,1,fresh,,,": "name supplier_name_differs",
			"F1,绿源,L,1,g,1,1,fresh,,,\nF1,绿源,L,1,g,2,1,fresh,,,": "duplicate_row",
		} {
			im, err := s.try(Suppliers, supplierHead+line+"\n", Run{})
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			found := false
			for _, r := range s.refused(im) {
				found = found || strings.HasSuffix(r, " "+want)
			}
			if !found || im.State != Refused {
				t.Errorf("%s: %s %v, want %s", line, im.State, s.refused(im), want)
			}
		}
		if got := s.offers(); got != "" {
			t.Errorf("what was refused is there: %s", got)
		}
	})
}

// sheet writes a workbook.
func sheet(t *testing.T, rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for y, row := range rows {
		for x, v := range row {
			at, _ := excelize.CoordinatesToCellName(x+1, y+1)
			if err := f.SetCellValue("Sheet1", at, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var recipeTitles = []any{"商品编码", "出品", "出品单位", "原料", "用量", "单位", "损耗率", "损耗方式", "生效日期"}

func TestAWorkbookIsReadAsItIsSeen(t *testing.T) {
	kitchen(t, func(s *shop) {
		book := sheet(t, recipeTitles,
			[]any{"B", 1, "piece", "S", 20.5, "g", .1 - .07, "markup", 46023}, // 2026-01-01; 0.030000000000000006
			[]any{},
			[]any{"B", 1, nil, "L", 1e-3, "g", 0, nil, "2026-01-01"},
			[]any{"S", 1, "kg", "T", -1, "g", .03, nil, 46023})
		path := filepath.Join(t.TempDir(), "recipes.xlsx")
		if err := os.WriteFile(path, book, 0o600); err != nil {
			t.Fatal(err)
		}
		ready, err := look(t.Context(), Recipes, func(ctx context.Context) (io.ReadCloser, error) { return os.Open(path) })
		if err != nil || ready.Encoding != XLSX || ready.RowsTotal != 3 || ready.Head.Sample[0][8] != "2026-01-01" || ready.Head.Sample[0][6] != "0.03" {
			t.Fatalf("%+v, %v", ready, err)
		}
		im, err := s.in.File(t.Context(), Recipes, path, Run{Mode: Good, Mapping: Suggest(Recipes, ready.Head.Columns)}, nil)
		if err != nil || counted(im) != "applied 3 read 2 new 0 same 1 refused" {
			t.Fatalf("%s %v %v", counted(im), s.refused(im), err)
		}
		s.book("B 2026-01-01 1: L 0.001 0 markup; S 20.5 30000 markup")
		var list bytes.Buffer
		if err := s.in.WriteRefused(t.Context(), im, "en", &list); err != nil {
			t.Fatal(err)
		}
		if text := list.String(); !strings.Contains(text, "5,qty,qty_negative,") || !strings.Contains(text, "S,1,kg,T,'-1,g,0.03,,2026-01-01") {
			t.Errorf("the list of refused rows is\n%s", text)
		}
		// The list, corrected, comes in as CSV.
		im = s.take(Recipes, strings.Replace(list.String(), "'-1", "1500", 1), Run{Mapping: Suggest(Recipes, ready.Head.Columns)}, "applied 1 read 1 new 0 same 0 refused")
		if len(s.refused(im)) > 0 {
			t.Error(s.refused(im))
		}
	})
}

func TestWhatIsNoWorkbookIsRefused(t *testing.T) {
	kitchen(t, func(s *shop) {
		good := sheet(t, recipeTitles, []any{"B", 1, "piece", "S", 20, "g", 0, "markup", 46023})
		bomb := archive(t, "xl/worksheets/sheet1.xml", 200<<20)
		for name, c := range map[string]struct {
			kind Kind
			data []byte
			want error
		}{
			"half a workbook":       {Recipes, good[:len(good)/2], ErrWorkbook},
			"a zip of other things": {Recipes, archive(t, "holiday.jpg", 1000), ErrWorkbook},
			"a bomb":                {Recipes, bomb, ErrWorkbookBig},
			"too large a file":      {Recipes, append([]byte("PK\x03\x04"), make([]byte, workbookBytes)...), ErrWorkbookBig},
			"an empty sheet":        {Suppliers, sheet(t), csvx.ErrEmpty},
			"only titles":           {Recipes, sheet(t, recipeTitles), csvx.ErrEmpty},
			"a workbook of sales":   {Sales, good, csvx.ErrNotText},
			"an old workbook":       {Recipes, []byte("\xd0\xcf\x11\xe0 and so on"), csvx.ErrNotText},
		} {
			path := filepath.Join(t.TempDir(), "file.xlsx")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := s.in.File(t.Context(), c.kind, path, Run{Mode: All}, nil)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	})
}

// archive is an archive with one file of so many blanks.
func archive(t *testing.T, name string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range []string{name, "[Content_Types].xml"} {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		blanks := bytes.Repeat([]byte{' '}, 1<<16)
		for left := size; left > 0 && n == name; left -= len(blanks) {
			if _, err := w.Write(blanks[:min(left, len(blanks))]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
