package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"zhanggui/internal/catalog"
	"zhanggui/internal/forecast"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
)

// shop is an installation with one store S001, as after its first start.
type shop struct {
	t      *testing.T
	d      *dbtest.DB
	org    *org.Org
	goods  *catalog.Service
	prices *price.Service
	in     *Service
	first  *org.First
}

var schema = []db.Migrations{once.Migrations, outbox.Migrations, jobs.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations,
	stock.Migrations, price.Migrations, forecast.Migrations, Migrations}

var quiet = slog.New(slog.DiscardHandler)

var orgOptions = org.Options{
	Log: quiet,
	Permissions: []org.Permission{{Name: "import.run"}, {Name: "org.read"}, {Name: "org.manage"}, {Name: "goods.manage"}, {Name: "price.manage"}, {Name: "stock.manage"},
		{Name: "till.sell"}},
	Roles: []org.BuiltIn{
		{Key: org.Administrator, Name: "管理员"},
		{Key: "manager", Name: "店长", Perms: []string{"import.run", "stock.manage"}},
		{Key: "cashier", Name: "收银员", Perms: []string{"till.sell"}},
	},
}

const adminPassword = "sesame-open-9"

// open makes the parts over a database, as a new process would.
func open(t *testing.T, d *dbtest.DB) *shop {
	t.Helper()
	s := &shop{t: t, d: d, org: org.New(orgOptions)}
	s.goods = catalog.New(d.DB)
	s.prices = price.New(d.DB, s.goods)
	s.in = New(d.DB, Options{Org: s.org, Goods: s.goods, Prices: s.prices, Log: quiet})
	s.in.pace = func(context.Context, time.Duration) {} // nobody else is here
	var err error
	if s.first, err = s.org.Start(t.Context(), d.DB, adminPassword); err != nil {
		t.Fatal(err)
	}
	return s
}

// each tells a story on both engines. It is 2026-03-02, 8 in the morning.
func each(t *testing.T, story func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { story(open(t, d)) }, dbtest.With(schema...))
}

func (s *shop) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *shop) try(k Kind, content string, run Run) (*Import, error) {
	s.t.Helper()
	if run.Mode == "" {
		run.Mode = All
	}
	return s.in.File(s.t.Context(), k, s.file(string(k)+".csv", content), run, nil)
}

// take imports and expects read/new/same/refused.
func (s *shop) take(k Kind, content string, run Run, want string) *Import {
	s.t.Helper()
	im, err := s.try(k, content, run)
	if err != nil {
		s.t.Fatalf("%s: %v", k, err)
	}
	if got := counted(im); got != want {
		s.t.Errorf("%s: %s, want %s\n%s", k, got, want, strings.Join(s.refused(im), "\n"))
	}
	return im
}

func counted(im *Import) string {
	c := im.Counts
	return fmt.Sprintf("%s %d read %d new %d same %d refused", im.State, c.Read, c.New, c.Same, c.Refused)
}

// refused lists "line field code".
func (s *shop) refused(im *Import) []string {
	s.t.Helper()
	var list []string
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		rows, err := refusedRows(tx, im.ID, 0, 1000, "en")
		for _, r := range rows {
			list = append(list, fmt.Sprintf("%d %s %s", r.Line, r.Field, r.Code))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// n counts rows of a table.
func (s *shop) n(table string) (n int64) {
	s.t.Helper()
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// sold is the history in force of a product at a store: "date qty" by date.
func (s *shop) sold(site, product string, from, to cal.Date) string {
	s.t.Helper()
	var list []string
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		var siteID, productID id.ID
		if err := tx.QueryRow(`SELECT s.id, p.id FROM org_site s, catalog_product p WHERE s.code = $1 AND p.code = $2`, site, product).Scan(&siteID, &productID); err != nil {
			return err
		}
		var keys []forecast.SaleKey
		for d := from; d <= to; d = d.AddDays(1) {
			keys = append(keys, forecast.SaleKey{SiteID: siteID, ProductID: productID, Date: d})
		}
		found, err := forecast.SalesInForce(tx, keys)
		for _, k := range keys {
			d, ok := found[k]
			if !ok {
				continue
			}
			text := string(k.Date[5:]) + " " + d.Qty.String()
			if d.Amount != nil {
				text += fmt.Sprintf(" %dfen", *d.Amount)
			}
			if d.Promo {
				text += " promo"
			}
			if d.SoldOut != nil {
				text += fmt.Sprintf(" out@%d", *d.SoldOut)
			}
			for _, h := range d.Slots {
				text += fmt.Sprintf(" %d:%s", h.Slot, h.Qty)
			}
			list = append(list, text)
		}
		return err
	})
	if err != nil && err != db.ErrNoRow {
		s.t.Fatal(err)
	}
	return strings.Join(list, ", ")
}

func (s *shop) is(got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// clean checks that no import left rows of its work behind.
func (s *shop) clean() {
	s.t.Helper()
	for _, table := range []string{"intake_stage", "intake_sale_stage", "intake_missing_stage"} {
		if n := s.n(table); n != 0 {
			s.t.Errorf("%d rows are left in %s", n, table)
		}
	}
}

const bread = "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n" +
	"B001,鲜肉包,面点,piece,piece,1,1,6900000000014,350,12,20,13\n" +
	"B001,鲜肉包,面点,piece,笼,8,1,,2600,12,20,13\n" +
	"V001,青菜,蔬菜,g,kg,1000,1,,899,48,,9\n"

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

func gb18030(t *testing.T, text string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASalesFileComesInOnceHoweverOftenItIsImported(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		const file = "date,product,quantity,store,unit,price_fen,promo,sold_out_at\n" +
			"2026-02-26,B001,12,S001,,350,0,\n" +
			"2026-02-27,B001,2,S001,笼,2600,1,14:30\n" +
			"2026-02-27,B001,3,S001,piece,350,0,\n" +
			"2026-02-26,V001,6.841,S001,kg,899,,\n"
		s.take(Sales, file, Run{}, "applied 4 read 4 new 0 same 0 refused")
		s.is(s.sold("S001", "B001", "2026-02-25", "2026-03-01"), "02-26 12 4200fen, 02-27 19 6250fen promo out@870")
		s.is(s.sold("S001", "V001", "2026-02-25", "2026-03-01"), "02-26 6841 6150fen")
		days := s.n("forecast_sale_day")
		s.take(Sales, file, Run{}, "applied 4 read 0 new 4 same 0 refused")
		s.take(Sales, file, Run{Mode: Good}, "applied 4 read 0 new 4 same 0 refused")
		if n := s.n("forecast_sale_day"); n != days {
			t.Errorf("%d days of history after the same file again, before %d", n, days)
		}

		// A corrected file replaces the days it names.
		s.take(Sales, strings.Replace(file, "B001,12,", "B001,13,", 1), Run{}, "applied 4 read 1 new 3 same 0 refused")
		s.is(s.sold("S001", "B001", "2026-02-25", "2026-03-01"), "02-26 13 4550fen, 02-27 19 6250fen promo out@870")
		s.clean()
	})
}

func TestSingleSalesAreAddedUpByHalfHours(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		const file = "time,product,quantity,price_fen\n" +
			"2026-02-26 07:31,B001,2,350\n" +
			"2026-02-26T07:59:59,B001,1,350\n" +
			"2026-02-26 12:00:00.250,B001,4,300\n" +
			"2026-02-27 01:30,B001,1,350\n" + // before four: still the 26th
			"2026-02-26T23:30:00Z,B001,5,350\n" // the 27th, half past seven in Shanghai
		s.take(Sales, file, Run{}, "applied 5 read 5 new 0 same 0 refused")
		s.is(s.sold("S001", "B001", "2026-02-25", "2026-03-01"), "02-26 8 2600fen 15:3 24:4 51:1, 02-27 5 1750fen 15:5")
		s.take(Sales, file, Run{}, "applied 5 read 0 new 5 same 0 refused")
		// Date and time in two columns, in any order of rows, say the same.
		const two = "date,time,product,quantity,price_fen\n" +
			"2026-02-27,07:30,B001,5,350\n" +
			"2026-02-26,12:10,B001,4,300\n" +
			"2026-02-26,7:45,B001,3,350\n" +
			"2026-02-27,01:59,B001,1,350\n"
		s.take(Sales, two, Run{}, "applied 4 read 0 new 4 same 0 refused")
	})
}

func TestEveryBadRowOfASalesFileIsNamed(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		const head = "date,product,quantity,store,unit,price_fen,sold_out_at\n"
		bad := []struct{ row, want string }{
			{"2026-02-26,B001,-3,S001,,,", "quantity qty_negative"},
			{"2026-02-26,B001,1000001,S001,,,", "quantity qty_absurd"},
			{"2026-02-26,B001,99999999999999999999,S001,,,", "quantity qty_too_large"},
			{"2026-02-26,B001,twelve,S001,,,", "quantity number_bad"},
			{"2026-02-26,B001,\"1,200\",S001,,,", "quantity number_bad"},
			{"2026-02-26,B001,1.2345,S001,,,", "quantity qty_bad"},
			{"2026-02-26,B001,,S001,,,", "quantity cell_empty"},
			{"2026-02-26,B999,3,S001,,,", "product product_unknown"},
			{"2026-02-26,,3,S001,,,", "product cell_empty"},
			{"2026-02-26,B001,3,S999,,,", "store store_unknown"},
			{"2026-02-26,B001,3,,,,", "store cell_empty"},
			{"2026-02-26,B001,3,S001,箱,,", "unit unit_unknown"},
			{"2026-02-26,V001,0.0001,S001,g,,", "quantity qty_bad"},
			{"2026-03-03,B001,3,S001,,,", "date date_future"},
			{"2026-02-30,B001,3,S001,,,", "date date_invalid"},
			{"26/02/2026,B001,3,S001,,,", "date date_invalid"},
			{"1889-02-26,B001,3,S001,,,", "date date_old"},
			{",B001,3,S001,,,", "date cell_empty"},
			{"2026-02-26,B001,3,S001,,3.50,", "price_fen fen_bad"},
			{"2026-02-26,B001,3,S001,,-350,", "price_fen fen_bad"},
			{"2026-02-26,B001,3,S001,,,2026-02-28 14:00", "sold_out_at sold_out_other_day"},
			{"2026-02-26,B001,3,S001,,,25:00", "sold_out_at time_bad"},
			{"2026-02-26,B001,3,S001", " csv_fields"},
			{"2026-02-26,\"B001,3,S001,,,", " csv_quote"},
			{"2026-02-20,B001,4,S001,,,", "product duplicate_row"},
			{"2026-02-20,B001,5,S001,,,", "product duplicate_row"},
		}
		file := head + "2026-02-20,B001,4,S001,,,\n"
		var want []string
		for i, b := range bad {
			file += b.row + "\n"
			field, code, _ := strings.Cut(b.want, " ")
			if code == "duplicate_row" {
				field = ""
			}
			want = append(want, fmt.Sprintf("%d %s %s", i+3, field, code))
		}
		file += "2026-02-21,B001,6,S001,,,\n"
		total := len(bad) + 2

		im := s.take(Sales, file, Run{}, fmt.Sprintf("refused %d read 0 new 0 same %d refused", total, len(bad)))
		s.is(strings.Join(s.refused(im), "\n"), strings.Join(want, "\n"))
		s.is(s.sold("S001", "B001", "2026-02-01", "2026-03-02"), "")
		if n := s.n("forecast_load"); n != 1 {
			t.Errorf("%d loads of history, want the tills' alone", n)
		}

		s.take(Sales, file, Run{Mode: Good, DryRun: true}, fmt.Sprintf("checked %d read 2 new 0 same %d refused", total, len(bad)))
		s.is(s.sold("S001", "B001", "2026-02-01", "2026-03-02"), "")
		im = s.take(Sales, file, Run{Mode: Good}, fmt.Sprintf("applied %d read 2 new 0 same %d refused", total, len(bad)))
		s.is(strings.Join(s.refused(im), "\n"), strings.Join(want, "\n"))
		s.is(s.sold("S001", "B001", "2026-02-01", "2026-03-02"), "02-20 4, 02-21 6")

		// The list has the reason in both languages and the row itself, and nothing in it runs as a formula.
		var list bytes.Buffer
		if err := s.in.WriteRefused(t.Context(), im, "zh", &list); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(list.String(), "\n")
		s.is(lines[0], "line,field,code,message,date,product,quantity,store,unit,price_fen,sold_out_at")
		s.is(lines[1], "3,quantity,qty_negative,数量不能为负,2026-02-26,B001,'-3,S001,,,")
		s.is(lines[25], "27,,duplicate_row,与第 2 行重复,2026-02-20,B001,4,S001,,,")
		s.clean()
	})
}

func TestARowWithSeveralFaultsIsRefusedOnceWithAllOfThem(t *testing.T) {
	each(t, func(s *shop) {
		im := s.take(Sales, "date,product,quantity\n2026-02-31,,-4\n", Run{}, "refused 1 read 0 new 0 same 1 refused")
		err := s.d.Read(t.Context(), func(tx *db.Tx) error {
			rows, err := refusedRows(tx, im.ID, 0, 10, "en")
			if err != nil {
				return err
			}
			s.is(rows[0].Message, "date: “2026-02-31” is not a date; write it as 2026-02-17; product: This must not be empty; quantity: The quantity must not be negative")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestACorrectedListOfRefusedRowsIsAFileItself(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		im := s.take(Weather, "date,tmax_c,tmin_c,rain_mm,text\n2026-01-01,-2,-8,0,晴\n2026-01-02,-3,-9.5,xx,雪\n", Run{Mode: Good}, "applied 2 read 1 new 0 same 1 refused")
		var list bytes.Buffer
		if err := s.in.WriteRefused(t.Context(), im, "en", &list); err != nil {
			t.Fatal(err)
		}
		corrected := strings.Replace(list.String(), ",xx,", ",1.5,", 1)
		s.take(Weather, corrected, Run{}, "applied 1 read 1 new 0 same 0 refused")
		if n := s.n("forecast_weather"); n != 2 {
			t.Errorf("%d days of weather", n)
		}
	})
}

func TestAFileInAnyUsualFormComesIn(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		const file = "date,product,quantity\n2026-02-26,鲜肉包,12\n2026-02-27,6900000000014,7\n"
		s.take(Sales, file, Run{}, "applied 2 read 2 new 0 same 0 refused")
		for name, form := range map[string]string{"mark": "\ufeff" + file, "GB18030": gb18030(t, file), "gzip": zipped(file), "gzip of GB18030": zipped(gb18030(t, file)),
			"Windows": strings.ReplaceAll(file, "\n", "\r\n")} {
			im := s.take(Sales, form, Run{}, "applied 2 read 0 new 2 same 0 refused")
			if im.Encoding == "" {
				t.Errorf("%s: no encoding", name)
			}
		}
		s.is(s.sold("S001", "B001", "2026-02-01", "2026-03-02"), "02-26 12, 02-27 7")
	})
}

func TestHalfAFileIsRefusedFromWhereItBreaksOff(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		var b strings.Builder
		b.WriteString("date,product,quantity\n")
		day := cal.Date("2020-01-01")
		for i := range 2000 {
			fmt.Fprintf(&b, "%s,B001,%d\n", day.AddDays(i), i*7919%1000)
		}
		whole := zipped(b.String())
		im, err := s.try(Sales, whole[:len(whole)*2/3], Run{})
		if err != nil || im.State != Refused || im.Counts.Refused != 1 || im.Counts.New != 0 {
			t.Fatalf("%v %v", im, err)
		}
		s.is(s.refused(im)[0], fmt.Sprintf("%d  csv_cut", im.Counts.Read+1))
		if n := s.n("forecast_sale_day"); n != 0 {
			t.Errorf("%d days of half a file are in", n)
		}
		im, err = s.try(Sales, whole[:len(whole)*2/3], Run{Mode: Good})
		if err != nil || im.State != Applied || im.Counts.New != im.Counts.Read-1 || im.Counts.New < 500 {
			t.Fatalf("%v %v", counted(im), err)
		}
		s.take(Sales, "date,product,quantity\n2026-01-01,B001,3\n2026-01-02,B0", Run{Mode: Good}, "applied 2 read 1 new 0 same 1 refused")
	})
}

func TestAFileAsAWholeIsRefusedWithItsReason(t *testing.T) {
	each(t, func(s *shop) {
		for name, c := range map[string]struct{ kind, file, code, field string }{
			"empty":                 {"sales", "", "csv_empty", ""},
			"only a header":         {"sales", "date,product,quantity\n", "csv_empty", ""},
			"unknown column":        {"sales", "date,product,quantity,colour\n2026-01-01,B,1,red\n", "column_unknown", "colour"},
			"missing column":        {"sales", "date,product\n2026-01-01,B\n", "column_missing", "quantity"},
			"neither date nor time": {"sales", "product,quantity\nB,1\n", "column_date_or_time", "date"},
			"a column twice":        {"sales", "date,product,quantity,quantity\n2026-01-01,B,1,1\n", "csv_header", "quantity"},
			"a spreadsheet":         {"sales", "PK\x03\x04....", "csv_not_text", ""},
			"no such kind":          {"nonsense", "a\n1\n", "import_kind_bad", ""},
		} {
			_, err := s.try(Kind(c.kind), c.file, Run{})
			if e := errs.As(err); errs.Code(err) != c.code || e.Field != c.field {
				t.Errorf("%s: %v at %q, want %s at %q", name, err, e.Field, c.code, c.field)
			}
		}
		s.clean()
	})
}

func TestColumnsAreMappedAndDropped(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		const file = "日期,商品名称,销量,备注\n2026-02-26,鲜肉包,12,x\n"
		m, err := csvx.ParseMapping("date=日期,product=商品名称,quantity=销量,备注=-")
		if err != nil {
			t.Fatal(err)
		}
		s.take(Sales, file, Run{Mapping: m}, "applied 1 read 1 new 0 same 0 refused")
		guess := Suggest(Sales, []string{"日期", "商品名称", "销量", "备注"})
		s.is(guess.String(), m.String())
		s.is(Suggest(Sales, []string{"日期", "备注"}).String(), "date=日期")
		s.is(Suggest(Weather, []string{"date", "city", "tmax_c", "tmin_c", "weather"}).String(), "city=-,rain_mm=-,text=weather")
		if len(Suggest(Sales, []string{"date", "product", "quantity"})) != 0 {
			t.Error("our own names need no mapping")
		}
	})
}

func TestMissingStoresAndProductsAreMadeWithTheSales(t *testing.T) {
	each(t, func(s *shop) {
		const file = "date,store,product,quantity,unit\n" +
			"2026-02-26,S001,BAGUETTE,12,\n" +
			"2026-02-26,北门店,PAIN AU CHOCOLAT,3,\n" +
			"2026-02-26,N2,白菜,2.5,kg\n" +
			"2026-02-26,N2,白菜,1,斤\n" +
			"2026-02-26,N2,GHOST,-1,\n"
		s.take(Sales, file, Run{Mode: Good}, "applied 5 read 0 new 0 same 5 refused")
		s.take(Sales, file, Run{Mode: Good, CreateMissing: true, DryRun: true}, "checked 5 read 3 new 0 same 2 refused")
		if s.n("catalog_product") != 0 || s.n("org_site") != 1 {
			t.Error("a dry run made something")
		}
		s.take(Sales, file, Run{CreateMissing: true}, "refused 5 read 0 new 0 same 2 refused")
		if s.n("catalog_product") != 0 || s.n("org_site") != 1 {
			t.Error("a refused file made something")
		}
		im := s.take(Sales, file, Run{Mode: Good, CreateMissing: true}, "applied 5 read 3 new 0 same 2 refused")
		s.is(strings.Join(s.refused(im), ", "), "5 unit unit_unknown, 6 quantity qty_negative")
		if s.n("catalog_product") != 3 || s.n("org_site") != 3 {
			t.Errorf("%d products, %d stores", s.n("catalog_product"), s.n("org_site"))
		}
		s.is(s.sold("S001", "BAGUETTE", "2026-02-01", "2026-03-02"), "02-26 12")
		s.is(s.sold("N2", codeFor("白菜"), "2026-02-01", "2026-03-02"), "02-26 2500")
		s.take(Sales, file, Run{Mode: Good, CreateMissing: true}, "applied 5 read 0 new 3 same 2 refused")
		if s.n("catalog_product") != 3 || s.n("org_site") != 3 || s.n("catalog_category") != 1 {
			t.Error("importing again made something again")
		}
		s.clean()
	})
}

func TestWithSeveralStoresAFileMustSayWhich(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		s.take(Stores, "store,name,open,close\nS002,南门店,07:00,23:00\n", Run{}, "applied 1 read 1 new 0 same 0 refused")
		im := s.take(Sales, "date,product,quantity\n2026-02-26,B001,1\n", Run{}, "refused 1 read 0 new 0 same 1 refused")
		s.is(s.refused(im)[0], "2 store store_needed")
	})
}

func TestStoresComeIn(t *testing.T) {
	each(t, func(s *shop) {
		const file = "store,name,time_zone,day_start,open,close\n" +
			"S001,街角店,Asia/Shanghai,04:00,07:00,23:00\n" + // there since the first start, under another name
			"U1,Ürümqi,Asia/Urumqi,,9:30,\n"
		s.take(Stores, file, Run{}, "applied 2 read 2 new 0 same 0 refused")
		s.take(Stores, file, Run{}, "applied 2 read 0 new 2 same 0 refused")
		var sites []org.Site
		if err := s.d.Read(t.Context(), func(tx *db.Tx) (err error) { sites, err = org.AllSites(tx); return err }); err != nil {
			t.Fatal(err)
		}
		if len(sites) != 2 || sites[0].Name != "街角店" || sites[0].Business != "便利店" || sites[1].TimeZone != "Asia/Urumqi" ||
			sites[1].Open.String() != "09:30" || sites[1].Close.String() != "22:00" || sites[1].DayStart.String() != "04:00" {
			t.Errorf("%+v", sites)
		}
		im := s.take(Stores, "store,name,time_zone,day_start,open,close\n"+
			"S 3,x,,,,\nS4,,,,,\nS5,x,Mars/Olympus,,,\nS6,x,,24:00,,\nS7,x,,,7 am,\nS8,x,,,,\nS8,y,,,,\nS8,x,,,,\n", Run{}, "refused 8 read 0 new 0 same 6 refused")
		s.is(strings.Join(s.refused(im), ", "), "2 store store_code_bad, 3 name cell_empty, 4 time_zone time_zone_bad, 5 day_start day_start_bad, 6 open time_of_day_bad, 8  duplicate_row")
		if s.n("org_site") != 2 {
			t.Error("a refused file made a store")
		}
		s.clean()
	})
}

func TestProductsComeInAndChange(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		s.take(Products, bread, Run{}, "applied 3 read 0 new 3 same 0 refused")
		look := func(code string) string {
			var text string
			err := s.d.Read(t.Context(), func(tx *db.Tx) error {
				found, err := s.goods.Read(tx, code, tx.Now(), time.UTC)
				if err != nil {
					return err
				}
				p := found.Product
				units := make([]id.ID, len(p.Units))
				for i, u := range p.Units {
					units[i] = u.ID
				}
				prices, err := s.prices.At(tx, s.first.Site.ID, cal.On(tx.Now()), units)
				text = fmt.Sprintf("%s %s %dh %s%%", p.Code, p.Name, p.ShelfLifeH, p.Tax)
				for _, u := range p.Units {
					text += fmt.Sprintf(" | %s %d/%d %v", u.Name, u.Num, u.Den, u.Barcodes)
					if f, ok := prices[u.ID]; ok {
						text += fmt.Sprintf(" %d", f)
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		s.is(look("6900000000014"), "B001 鲜肉包 12h 13% | piece 1/1 [6900000000014] 350 | 笼 8/1 [] 2600")
		s.is(look("V001"), "V001 青菜 48h 9% | g 1/1 [] | kg 1000/1 [] 899")

		// Renamed, another price for one unit, a new unit with a barcode; what the file leaves out stays.
		s.take(Products, "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n"+
			"B001,鲜肉大包,面点,piece,piece,1,1,,380,12,20,13\n"+
			"V001,青菜,蔬菜,g,kg,1000,1,,899,48,,9\n"+
			"V001,青菜,蔬菜,g,斤,,,6900000000021,450,48,,9\n", Run{}, "applied 3 read 2 new 1 same 0 refused")
		s.is(look("B001"), "B001 鲜肉大包 12h 13% | piece 1/1 [6900000000014] 380 | 笼 8/1 [] 2600")
		s.is(look("6900000000021"), "V001 青菜 48h 9% | g 1/1 [] | kg 1000/1 [] 899 | 斤 500/1 [6900000000021] 450")

		im := s.take(Products, "product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n"+
			"鲜,x,,piece,,,,,,,,13\n"+
			"P2,x,,kg,,,,,,,,13\n"+
			"P3,x,,g,袋,,,,,,,13\n"+
			"P4,x,,g,袋,500,0,,,,,13\n"+
			"P5,x,,piece,piece,2,1,,,,,13\n"+
			"P6,x,,piece,,,,12,,,,13\n"+
			"P7,x,,piece,,,,,1.5,,,13\n"+
			"P8,x,,piece,,,,,,-1,,13\n"+
			"P9,x,,piece,,,,,,,-2,13\n"+
			"P10,x,,piece,,,,,,,,\n"+
			"P11,x,,piece,,,,,,,,70\n"+
			"P12,x,,piece,,,,6900000000014,,,,13\n"+
			"P13,x,,piece,,,,69000096,,,,13\n"+
			"P14,x,,piece,,,,69000096,,,,13\n"+
			"P15,x,,piece,,,,,,,,13\n"+
			"P15,y,,piece,盒,10,1,,,,,13\n"+
			"B001,鲜肉大包,面点,g,g,1,1,,,12,20,13\n"+
			"V001,青菜,蔬菜,g,kg,900,1,,,48,,9\n"+
			"P16,x,,piece,盒,10,1,,100,,,13\n"+
			"P16,x,,piece,盒,10,1,,200,,,13\n"+
			"P17,x,,piece,,,,6900000000015,,,,13\n"+
			"P18,x,,piece,,,,06900000000021,,,,13\n"+ // the same with a zero before it, as scanners send it
			"P19,x,,piece,,,,00000069000096,,,,13\n", Run{}, "refused 23 read 0 new 0 same 20 refused")
		s.is(strings.Join(s.refused(im), "\n"), strings.Join([]string{"2 product code_bad", "3 base_unit base_unit_bad", "4 unit_num cell_empty", "5 unit_num unit_ratio_bad",
			"6 unit_num unit_ratio_bad", "7 barcode barcode_bad", "8 price_fen fen_bad", "9 shelf_life_h whole_number_bad", "10 batch_size qty_negative",
			"11 tax_pct cell_empty", "12 tax_pct tax_bad", "13 barcode barcode_taken", "15 barcode barcode_twice", "17 name product_rows_differ",
			"18 base_unit base_unit_fixed", "19 unit_num unit_fixed", "21  duplicate_row", "22 barcode barcode_check_digit",
			"23 barcode barcode_taken", "24 barcode barcode_twice"}, "\n"))
		if s.n("catalog_product") != 2 {
			t.Error("a refused file made a product")
		}
		s.clean()
	})
}

func TestOpeningStockComesInOnce(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		const file = "store,product,batch,qty,unit,expires_at,cost_fen\n" +
			"S001,B001,A1,4,笼,2026-03-03,1200.5\n" +
			"S001,B001,,10,,2026-03-02 20:00,150\n" +
			"S001,V001,C7,12.5,kg,2026-03-05,410\n"
		s.take(Stock, file, Run{}, "applied 3 read 3 new 0 same 0 refused")
		s.take(Stock, file, Run{}, "applied 3 read 0 new 3 same 0 refused")
		var text string
		err := s.d.Read(t.Context(), func(tx *db.Tx) error {
			rows := tx.Query(`SELECT b.code, b.expires_at, l.qty, l.value_fen FROM stock_batch b JOIN stock_document_line l ON l.batch_id = b.id ORDER BY b.code`)
			for rows.Next() {
				var code string
				var at time.Time
				var q, v int64
				if err := rows.Scan(&code, &at, &q, &v); err != nil {
					return err
				}
				text += fmt.Sprintf("%s %s %d %d; ", code, at.UTC().Format("02T15:04"), q, v)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		s.is(text, "A1 03T16:00 32000 4802; C7 05T16:00 12500000 5125; OPENING-20260302T2000 02T12:00 10000 1500; ")
		im := s.take(Stock, "store,product,batch,qty,unit,expires_at,cost_fen\n"+
			"S001,B001,A1,5,笼,2026-03-03,1200.5\n"+ // received already, as four
			"S001,B001,A2,0,,2026-03-03,1\n"+
			"S001,B001,A3,-1,,2026-03-03,1\n"+
			"S001,B001,A4,1,,,1\n"+
			"S001,B001,A5,1,,soon,1\n"+
			"S001,B001,A6,1,,2026-03-03,\n"+
			"S001,B001,A7,1,,2026-03-03,1.23456\n"+
			"S001,B001,A 8,1,,2026-03-03,1\n"+
			"S001,V001,A9,0.0001,kg,2026-03-03,1\n"+
			"S009,B001,A10,1,,2026-03-03,1\n"+
			"S001,B00X,A11,1,,2026-03-03,1\n"+
			"S001,B001,A12,1.5,,2026-03-03,1\n", Run{}, "refused 12 read 0 new 0 same 12 refused")
		s.is(strings.Join(s.refused(im), "\n"), strings.Join([]string{"2 batch batch_received", "3 qty qty_zero", "4 qty qty_negative", "5 expires_at expiry_needed",
			"6 expires_at time_bad", "7 cost_fen cell_empty", "8 cost_fen cost_bad", "9 batch batch_code_bad", "10 qty qty_bad", "11 store store_unknown", "12 product product_unknown", "13 qty stock_pieces_whole"}, "\n"))
		if s.n("stock_batch") != 3 {
			t.Errorf("%d batches", s.n("stock_batch"))
		}
		for _, p := range append(stock.Proofs(), ledger.Proofs()...) {
			err := s.d.Read(t.Context(), func(tx *db.Tx) error {
				r, err := p.Run(tx)
				if r.Bad != 0 {
					t.Errorf("%s: %v", p.Name, r.Evidence)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.clean()
	})
}

// What has left the range for good gets no stock any more, and what is weighed stays so when its file comes again.
func TestAFileObeysTheLifeOfProducts(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		change := func(code string, with func(d *catalog.Draft)) {
			err := s.d.Write(t.Context(), func(tx *db.Tx) error {
				found, err := s.goods.Read(tx, code, tx.Now(), time.UTC)
				if err != nil {
					return err
				}
				p := found.Product
				d := catalog.Draft{Code: p.Code, Name: p.Name, CategoryID: p.CategoryID, BaseUnit: p.BaseUnit, ShelfLifeH: p.ShelfLifeH, BatchSize: p.BatchSize, TaxPct: p.Tax, State: p.State}
				for _, u := range p.Units {
					d.Units = append(d.Units, catalog.UnitDraft{Name: u.Name, Num: u.Num, Den: u.Den, Barcodes: u.Barcodes})
				}
				with(&d)
				_, err = s.goods.Change(tx, p.ID, catalog.Change{Draft: d, Revision: p.Revision})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		change("B001", func(d *catalog.Draft) { d.State = catalog.Gone })
		change("V001", func(d *catalog.Draft) {
			d.State = catalog.StopBuying
			at := slices.IndexFunc(d.Units, func(u catalog.UnitDraft) bool { return u.Name == "kg" })
			d.Units[at].Weighed, d.Units[at].Step, d.Units[at].ItemNo = true, 5*qty.Scale, "77"
		})
		s.take(Stock, "store,product,batch,qty,unit,expires_at,cost_fen\nS001,B001,A1,4,笼,2026-03-03,1200.5\nS001,V001,C7,12.5,kg,2026-03-05,410\n", Run{Mode: Good}, "applied 2 read 1 new 0 same 1 refused")
		s.take(Products, strings.ReplaceAll(bread, "青菜", "小青菜"), Run{Mode: Good}, "applied 3 read 1 new 2 same 0 refused")
		err := s.d.Read(t.Context(), func(tx *db.Tx) error {
			found, err := s.goods.Read(tx, "V001", tx.Now(), time.UTC)
			if err != nil {
				return err
			}
			u := found.Product.Unit("kg")
			if found.Product.State != catalog.StopBuying || found.Product.Name != "小青菜" || !u.Weighed || u.Step != 5*qty.Scale || u.ItemNo != "77" {
				t.Errorf("after the import: %s %+v", found.Product.State, u)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestWeatherAndHolidaysComeIn(t *testing.T) {
	each(t, func(s *shop) {
		const weather = "date,store,tmax_c,tmin_c,rain_mm,text\n2026-02-26,,8.5,-1,0,晴\n2026-02-26,S001,9,0,,多云\n2026-03-20,,15,6,12.25,雨\n"
		s.take(Weather, weather, Run{}, "applied 3 read 3 new 0 same 0 refused")
		s.take(Weather, weather, Run{}, "applied 3 read 0 new 3 same 0 refused")
		s.take(Weather, strings.Replace(weather, "12.25", "13", 1), Run{}, "applied 3 read 1 new 2 same 0 refused")
		im := s.take(Weather, "date,tmax_c,tmin_c,rain_mm,text\n2026-06-01,1,0,0,\n2026-02-01,61,0,0,\n2026-02-02,1,2,0,\n2026-02-03,1,0,-1,\n2026-02-04,warm,0,,\n", Run{},
			"refused 5 read 0 new 0 same 5 refused")
		s.is(strings.Join(s.refused(im), ", "), "2 date date_far, 3 tmax_c temperature_bad, 4 tmin_c tmin_above_tmax, 5 rain_mm rain_bad, 6 tmax_c number_bad")

		const holidays = "date,name,is_off_day\n2026-02-16,春节,1\n2026-02-28,春节,0\n"
		s.take(Holidays, holidays, Run{}, "applied 2 read 2 new 0 same 0 refused")
		s.take(Holidays, holidays, Run{}, "applied 2 read 0 new 2 same 0 refused")
		s.take(Holidays, strings.Replace(holidays, "春节,0", "春节,是", 1), Run{}, "applied 2 read 1 new 1 same 0 refused")
		im = s.take(Holidays, "date,name,is_off_day\n2026-02-29,x,1\n2026-02-16,,1\n2026-02-17,x,maybe\n2200-01-01,x,1\n", Run{}, "refused 4 read 0 new 0 same 4 refused")
		s.is(strings.Join(s.refused(im), ", "), "2 date date_invalid, 3 name cell_empty, 4 is_off_day yes_no_bad, 5 date date_far")
		s.clean()
	})
}

func TestAFileOfManyRunsFindsItsRepeatsAcrossThem(t *testing.T) {
	each(t, func(s *shop) {
		s.take(Products, bread, Run{}, "applied 3 read 3 new 0 same 0 refused")
		var b strings.Builder
		b.WriteString("date,product,quantity\n")
		for i := range 700 {
			fmt.Fprintf(&b, "%s,B001,%d\n", cal.Date("2023-01-01").AddDays(i), i)
		}
		b.WriteString("2023-01-05,B001,4\n")
		file := b.String()
		s.in.runRows = 100
		im := s.take(Sales, file, Run{Mode: Good}, "applied 701 read 700 new 0 same 1 refused")
		s.is(s.refused(im)[0], "702  duplicate_row")

		timed := strings.ReplaceAll(strings.Replace(file, "date", "time", 1), ",B001", " 10:00,B001")
		s.take(Sales, timed, Run{Mode: Good}, "applied 701 read 701 new 0 same 0 refused")
		s.is(s.sold("S001", "B001", "2023-01-04", "2023-01-06"), "01-04 3 20:3, 01-05 8 20:8, 01-06 5 20:5")
		s.clean()
	})
}
