//go:build data

package score

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Set is one data set as files that the backtest takes.
type Set struct {
	Name     string
	Sales    string
	Holidays string // path, "cn" or "none"
	Weather  string // path or ""
	From, To string // first and last origin; "" for the default of the contract
}

// DataFolder is where the public data lies.
func DataFolder() (string, error) {
	dir := os.Getenv("ZHANGGUI_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
		return "", fmt.Errorf("the data folder is not there: set ZHANGGUI_DATA (tried %q)", dir)
	}
	return dir, nil
}

// table is a CSV file of the data folder.
type table struct {
	col  map[string]int
	rows [][]string
}

func readTable(path string) (*table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, err
		}
		r = csv.NewReader(z)
	}
	all, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	t := &table{col: map[string]int{}, rows: all[1:]}
	for i, h := range all[0] {
		t.col[strings.TrimPrefix(h, "\ufeff")] = i
	}
	return t, nil
}

func (t *table) get(row []string, name string) string { return row[t.col[name]] }

func num(s string) float64 { f, _ := strconv.ParseFloat(s, 64); return f }

func show(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func writeCSV(path string, head []string, rows [][]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	w.Write(head)
	w.WriteAll(rows)
	return w.Error()
}

func addDays(date string, n int) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

// Sets converts the data folder into sales files within dir.
func Sets(data, dir string) ([]Set, error) {
	var sets []Set
	for _, f := range []func(data, dir string) ([]Set, error){frenchBakery, restaurant, vegetables, bakery, storeItems} {
		s, err := f(data, dir)
		if err != nil {
			return nil, err
		}
		sets = append(sets, s...)
	}
	return sets, nil
}

func frenchBakery(data, dir string) ([]Set, error) {
	t, err := readTable(filepath.Join(data, "french-bakery-daily", "daily.csv.gz"))
	if err != nil {
		return nil, err
	}
	var rows, days [][]string
	off := map[string]bool{}
	last := ""
	for _, r := range t.rows {
		d := t.get(r, "date")
		last = max(last, d)
		price := ""
		if p := num(t.get(r, "avg_price_eur")); p > 0 {
			price = show(float64(int(p*100 + .5)))
		}
		rows = append(rows, []string{d, t.get(r, "article"), t.get(r, "qty"), price})
		if t.get(r, "is_public_holiday") == "True" {
			off[d] = true
		}
	}
	for d := range off {
		days = append(days, []string{d, "public holiday", "1"})
	}
	sort.Slice(days, func(i, j int) bool { return days[i][0] < days[j][0] })
	s := Set{Name: "frbak", Sales: filepath.Join(dir, "frbak.csv"), Holidays: filepath.Join(dir, "frbak-holidays.csv")}
	s.From, s.To = addDays(last, -154), addDays(last, -7)
	if err := writeCSV(s.Holidays, []string{"date", "name", "is_off_day"}, days); err != nil {
		return nil, err
	}
	return []Set{s}, writeCSV(s.Sales, []string{"date", "product", "quantity", "price_fen"}, rows)
}

func restaurant(data, dir string) ([]Set, error) {
	t, err := readTable(filepath.Join(data, "restaurant-ingredients-weather", "daily.csv"))
	if err != nil {
		return nil, err
	}
	var rows, days, weather [][]string
	last := ""
	for _, r := range t.rows {
		d := t.get(r, "date")
		last = max(last, d)
		for _, p := range []string{"calamari", "chicken", "koefte", "steak"} {
			rows = append(rows, []string{d, p, t.get(r, p)})
		}
		weather = append(weather, []string{d, t.get(r, "temperature"), t.get(r, "temperature"), t.get(r, "rain")})
		if num(t.get(r, "is_holiday")) == 1 {
			days = append(days, []string{d, "holiday", "1"})
		}
	}
	s := Set{Name: "rest", Sales: filepath.Join(dir, "rest.csv"), Holidays: filepath.Join(dir, "rest-holidays.csv"), Weather: filepath.Join(dir, "rest-weather.csv")}
	s.From, s.To = addDays(last, -350), addDays(last, -7)
	if err := writeCSV(s.Holidays, []string{"date", "name", "is_off_day"}, days); err != nil {
		return nil, err
	}
	if err := writeCSV(s.Weather, []string{"date", "tmax_c", "tmin_c", "rain_mm"}, weather); err != nil {
		return nil, err
	}
	return []Set{s}, writeCSV(s.Sales, []string{"date", "product", "quantity"}, rows)
}

func vegetables(data, dir string) ([]Set, error) {
	t, err := readTable(filepath.Join(data, "veg-supermarket-cn", "daily_sales.csv.gz"))
	if err != nil {
		return nil, err
	}
	var items, classes [][]string
	sums := map[[2]string]float64{}
	last := ""
	for _, r := range t.rows {
		d := t.get(r, "date")
		last = max(last, d)
		q := num(t.get(r, "sold_kg")) - num(t.get(r, "returned_kg"))
		items = append(items, []string{d, t.get(r, "product_code"), show(q)})
		sums[[2]string{d, t.get(r, "category")}] += q
	}
	for k, q := range sums {
		classes = append(classes, []string{k[0], k[1], strconv.FormatFloat(q, 'f', 3, 64)})
	}
	sort.Slice(classes, func(i, j int) bool {
		return classes[i][0]+classes[i][1] < classes[j][0]+classes[j][1]
	})
	i := Set{Name: "vegitem", Sales: filepath.Join(dir, "vegitem.csv"), Holidays: "cn"}
	i.From, i.To = addDays(last, -350), addDays(last, -7)
	c := i
	c.Name, c.Sales = "vegcat", filepath.Join(dir, "vegcat.csv")
	head := []string{"date", "product", "quantity"}
	if err := writeCSV(i.Sales, head, items); err != nil {
		return nil, err
	}
	return []Set{i, c}, writeCSV(c.Sales, head, classes)
}

func bakery(data, dir string) ([]Set, error) {
	t, err := readTable(filepath.Join(data, "bakery-weather-promo", "daily.csv"))
	if err != nil {
		return nil, err
	}
	var rows, days, weather [][]string
	last := ""
	for _, r := range t.rows {
		d := t.get(r, "date")
		last = max(last, d)
		for _, p := range []string{"roll", "seeded_roll"} {
			rows = append(rows, []string{d, p, t.get(r, p), t.get(r, "promotion_currentweek")})
		}
		weather = append(weather, []string{d, t.get(r, "temperature"), t.get(r, "temperature"), t.get(r, "rainfall")})
		if num(t.get(r, "is_holiday")) == 1 {
			days = append(days, []string{d, "holiday", "1"})
		}
	}
	s := Set{Name: "bakery", Sales: filepath.Join(dir, "bakery.csv"), Holidays: filepath.Join(dir, "bakery-holidays.csv"), Weather: filepath.Join(dir, "bakery-weather.csv")}
	s.From, s.To = addDays(last, -350), addDays(last, -7)
	if err := writeCSV(s.Holidays, []string{"date", "name", "is_off_day"}, days); err != nil {
		return nil, err
	}
	if err := writeCSV(s.Weather, []string{"date", "tmax_c", "tmin_c", "rain_mm"}, weather); err != nil {
		return nil, err
	}
	return []Set{s}, writeCSV(s.Sales, []string{"date", "product", "quantity", "promo"}, rows)
}

func storeItems(data, dir string) ([]Set, error) {
	t, err := readTable(filepath.Join(data, "store-item-demand", "sales.csv.gz"))
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, r := range t.rows {
		rows = append(rows, []string{t.get(r, "date"), t.get(r, "store"), t.get(r, "item"), t.get(r, "sales")})
	}
	s := Set{Name: "sid", Sales: filepath.Join(dir, "sid.csv"), Holidays: "none", From: "2015-12-31", To: "2016-12-24"}
	return []Set{s}, writeCSV(s.Sales, []string{"date", "store", "product", "quantity"}, rows)
}

func daysBetween(from, to string) int {
	a, err1 := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	if err1 != nil || err2 != nil {
		panic(from + " " + to)
	}
	return int(b.Sub(a).Hours() / 24)
}
