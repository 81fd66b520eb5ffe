package intake

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

const styleHead = "style,name,category,attribute_1,value_1,attribute_2,value_2,product,unit,barcode,price_fen,tax_pct\n"

const shirts = styleHead +
	"TS,圆领衫,服装,,黑,,M,,件,6900000000014,9900,13\n" +
	"TS,圆领衫,服装,,黑,,S,,件,6900000000021,9900,13\n" +
	"TS,圆领衫,服装,,白,,M,TS-W-M,件,,8900,13\n" +
	"CAP,棒球帽,,色系,米,,,,,,4900,13\n"

// style writes a style with its attributes, and each combination as code, name, barcodes and price of its unit.
func (s *shop) style(code string) string {
	s.t.Helper()
	var text []string
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		st, err := s.goods.StyleByCode(tx, code)
		if err != nil {
			return err
		}
		head := st.Code + " " + st.Name
		for _, a := range st.Axes {
			head += " " + a.Name
			for i, v := range a.Values {
				head += map[bool]string{true: "=", false: ","}[i == 0] + v.Name
			}
		}
		text = append(text, head)
		for _, v := range st.Variants {
			p, err := s.goods.Products(tx, []id.ID{v.ProductID})
			if err != nil {
				return err
			}
			units := p[v.ProductID].Units
			u := &units[len(units)-1]
			prices, err := s.prices.At(tx, s.first.Site.ID, cal.On(tx.Now()), []id.ID{u.ID})
			if err != nil {
				return err
			}
			text = append(text, fmt.Sprintf("%s %s %s %v %d", v.Code, v.Name, u.Name, u.Barcodes, prices[u.ID]))
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(text, "\n")
}

func TestStylesComeInByCombinationAndTwiceChangesNothing(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Styles, shirts, Run{DryRun: true}, "checked 4 read 4 new 0 same 0 refused")
		if s.n("catalog_style") != 0 || s.n("catalog_product") != 0 {
			t.Error("a dry run made something")
		}
		s.take(Styles, shirts, Run{}, "applied 4 read 4 new 0 same 0 refused")
		want := "TS 圆领衫 颜色=黑,白 尺码=M,S\n" +
			"TS-01-01 圆领衫 黑 M 件 [6900000000014] 9900\n" +
			"TS-01-02 圆领衫 黑 S 件 [6900000000021] 9900\n" +
			"TS-W-M 圆领衫 白 M 件 [] 8900"
		s.is(s.style("TS"), want)
		s.is(s.style("CAP"), "CAP 棒球帽 色系=米\nCAP-01 棒球帽 米 piece [] 4900")
		s.take(Styles, shirts, Run{}, "applied 4 read 0 new 4 same 0 refused")
		s.is(s.style("TS"), want)

		// Renamed, a value and a combination more, a barcode and a price for one there is; what the file leaves out stays.
		more := styleHead +
			"TS,新圆领衫,服装,尺码,L,颜色,黑,,件,6900000000038,9900,13\n" +
			"TS,新圆领衫,服装,尺码,M,颜色,白,TS-W-M,件,6900000000045,7900,13\n"
		s.take(Styles, more, Run{}, "applied 2 read 2 new 0 same 0 refused")
		s.is(s.style("TS"), "TS 新圆领衫 颜色=黑,白 尺码=M,S,L\n"+
			"TS-01-01 新圆领衫 黑 M 件 [6900000000014] 9900\n"+
			"TS-01-02 新圆领衫 黑 S 件 [6900000000021] 9900\n"+
			"TS-01-03 新圆领衫 黑 L 件 [6900000000038] 9900\n"+
			"TS-W-M 新圆领衫 白 M 件 [6900000000045] 7900")
		s.take(Styles, more, Run{}, "applied 2 read 0 new 2 same 0 refused")
		s.clean()
	})
}

func TestAStyleOfMoreRowsThanAStepComesInWhole(t *testing.T) {
	each(t, func(s *shop) {
		file := strings.Builder{}
		file.WriteString(styleHead)
		for c := range 9 {
			for n := range 10 {
				fmt.Fprintf(&file, "J,牛仔裤,,,色%d,,%d码,,件,,100,13\n", c, 30+n)
			}
		}
		s.take(Styles, file.String(), Run{}, "applied 90 read 90 new 0 same 0 refused")
		s.take(Styles, file.String(), Run{}, "applied 90 read 0 new 90 same 0 refused")
		if n := s.n("catalog_variant"); n != 90 {
			t.Errorf("%d combinations", n)
		}
		s.clean()
	})
}

func TestEachWrongLineOfAStyleNamesItsFieldAndReason(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Styles, shirts, Run{}, "applied 4 read 4 new 0 same 0 refused")
		before := s.style("TS")
		im := s.take(Styles, strings.Replace(styleHead, "product,", "product,base_unit,", 1)+
			"款,x,,,黑,,M,,,件,,1,13\n"+
			"S1,,,,黑,,M,,,件,,1,13\n"+
			"S2,x,,,,,M,,,件,,1,13\n"+
			"S3,x,,颜色,黑,颜色,M,,,件,,1,13\n"+
			"S4,x,,,黑,,M,货 号,,件,,1,13\n"+
			"S5,x,,,黑,,M,,kg,kg,,1,13\n"+
			"S6,x,,,黑,,M,,piece,kg,,1,13\n"+
			"S7,x,,,黑,,M,,,件,12,1,13\n"+
			"S8,x,,,黑,,M,,,件,,1.5,13\n"+
			"S9,x,,,黑,,M,,,件,,1,\n"+
			"T1,x,,,黑,,M,,,件,6900000000014,1,13\n"+
			"T2,x,,,黑,,M,TS-W-M,,件,,1,13\n"+
			"T3,x,,,黑,,M,,,件,6900000000052,1,13\n"+
			"T3,x,,,黑,,S,,,件,6900000000052,1,13\n"+
			"T4,x,,,黑,,M,T4,,件,,1,13\n"+
			"T4,x,,,黑,,S,T4,,件,,1,13\n"+
			"T5,x,,,黑,,M,,,件,,1,13\n"+
			"T5,y,,,黑,,S,,,件,,1,13\n"+
			"T6,x,,,黑,,M,,,件,,1,13\n"+
			"T6,x,,,黑,,M,,,件,,2,13\n"+
			"TS,圆领衫,服装,,白,,M,OTHER,,件,,8900,13\n"+
			"CAP,棒球帽,,颜色,米,,,,,,,4900,13\n", Run{}, "refused 22 read 0 new 0 same 18 refused")
		s.is(strings.Join(s.refused(im), "\n"), strings.Join([]string{"2 style code_bad", "3 name cell_empty", "4 value_1 cell_empty", "5 attribute_2 style_axes_bad",
			"6 product code_bad", "7 base_unit base_unit_bad", "8 unit unit_ratio_bad", "9 barcode barcode_bad", "10 price_fen fen_bad", "11 tax_pct cell_empty",
			"12 barcode barcode_taken", "13 product code_taken", "15 barcode barcode_twice", "17 product product_code_twice", "19 name style_rows_differ",
			"21  duplicate_row", "22 product style_variant_other_code", "23 attribute_1 style_axes_differ"}, "\n"))
		s.is(s.style("TS"), before)
		if n := s.n("catalog_style"); n != 2 {
			t.Errorf("a refused file made a style: %d", n)
		}
		s.clean()
	})
}

// A spreadsheet keeps barcodes and prices as numbers: they come in as the file shows them, and a wrong row is told by its row.
func TestStylesComeInFromAWorkbook(t *testing.T) {
	each(t, func(s *shop) {
		titles := []any{}
		for _, title := range strings.Split(strings.TrimSpace(styleHead), ",") {
			titles = append(titles, title)
		}
		path := filepath.Join(t.TempDir(), "styles.xlsx")
		if err := os.WriteFile(path, sheet(t, titles,
			[]any{"TS", "圆领衫", "服装", nil, "黑", nil, "M", nil, "件", 6900000000014, 9900, 13},
			[]any{},
			[]any{"TS", "圆领衫", "服装", nil, "白", nil, "M", "TS-W-M", "件", "6900000000021", 8.9e3, 13},
			[]any{"TS", "圆领衫", "服装", nil, "白", nil, "S", nil, "件", nil, 8900.5, 13}), 0o600); err != nil {
			t.Fatal(err)
		}
		ready, err := look(t.Context(), Styles, func(ctx context.Context) (io.ReadCloser, error) { return os.Open(path) })
		if err != nil || ready.Encoding != XLSX || ready.RowsTotal != 3 {
			t.Fatalf("%+v, %v", ready, err)
		}
		im, err := s.in.File(t.Context(), Styles, path, Run{Mode: Good, Mapping: Suggest(Styles, ready.Head.Columns)}, nil)
		if err != nil || counted(im) != "applied 3 read 2 new 0 same 1 refused" {
			t.Fatalf("%s %v %v", counted(im), s.refused(im), err)
		}
		if refused := fmt.Sprint(s.refused(im)); !strings.Contains(refused, "5") || !strings.Contains(refused, "price_fen") {
			t.Error(refused)
		}
		if text := s.style("TS"); !strings.Contains(text, "[6900000000014] 9900") || !strings.Contains(text, "TS-W-M") || !strings.Contains(text, "[6900000000021] 8900") {
			t.Error(text)
		}
	})
}
