package forecast

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
)

// Reading sales files without a database, for `zhanggui backtest`. Rows are folded into days as they
// come, so memory grows with series × days, never with rows.

// ErrFile is the refusal of a file as a whole, ErrCell of one field of one line.
var (
	ErrFile = errs.Define("sales_file", errs.Invalid, "文件 {file} 无法使用:{why_zh}", "File {file} can not be used: {why}")
	ErrCell = errs.Define("sales_cell", errs.Invalid,
		"{file} 第 {line} 行 {field}:“{text}” {why_zh}", "{file} line {line}, {field}: “{text}” {why}")
)

const (
	maxSeries  = 1_000_000
	maxFileAge = 40 * 366 // days one panel may span
	dayStart   = 4 * 60   // minutes: what sells before four in the morning belongs to the day before
)

// days of one series while reading, by day number from first.
type seriesDays struct {
	shop, product, unit string
	line                int
	first               int
	sold                []float64
	price               []float32 // quantity-weighted so far
	promo               []float32
	soldOut             []int16
	slots               map[slotKey]*slotShares
}

type slotKey struct {
	period  int
	weekend bool
}

func (s *seriesDays) grow(day int) int {
	if len(s.sold) == 0 {
		s.first = day
	}
	if day < s.first {
		add := s.first - day
		s.sold = append(make([]float64, add), s.sold...)
		if s.price != nil {
			s.price = append(repeat(float32(math.NaN()), add), s.price...)
		}
		if s.promo != nil {
			s.promo = append(make([]float32, add), s.promo...)
		}
		if s.soldOut != nil {
			s.soldOut = append(repeat(int16(-1), add), s.soldOut...)
		}
		s.first = day
	}
	for n := day - s.first + 1; len(s.sold) < n; {
		s.sold = append(s.sold, 0)
	}
	return day - s.first
}

func repeat[T any](v T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func fit[T any](v []T, n int, fill T) []T {
	for len(v) < n {
		v = append(v, fill)
	}
	return v
}

// csvFile reads one CSV with a header, plain or gzip, UTF-8 with or without BOM, or GB18030.
type csvFile struct {
	name   string
	r      *csv.Reader
	close  func() error
	column map[string]int
	legacy bool // some field was not UTF-8, so the file is GB18030
}

func openCSV(path string, known []string) (*csvFile, error) {
	name := filepath.Base(path)
	bad := func(zh, en string) *errs.Error {
		return ErrFile.With("file", name, "why_zh", zh, "why", en)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bad("打不开", "it can not be opened").Wrap(err)
	}
	c := &csvFile{name: name, close: f.Close, column: map[string]int{}}
	var in io.Reader = bufio.NewReaderSize(f, 1<<18)
	if magic, _ := in.(*bufio.Reader).Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(in)
		if err != nil {
			f.Close()
			return nil, bad("压缩损坏", "its compression is damaged").Wrap(err)
		}
		in = bufio.NewReaderSize(z, 1<<18)
	}
	if bom, _ := in.(*bufio.Reader).Peek(3); string(bom) == "\ufeff" {
		in.(*bufio.Reader).Discard(3)
	}
	c.r = csv.NewReader(in)
	c.r.ReuseRecord = true
	head, err := c.r.Read()
	if err != nil {
		f.Close()
		if err == io.EOF {
			return nil, bad("文件是空的", "it is empty")
		}
		return nil, c.wrap(err)
	}
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		if !slices.Contains(known, h) {
			f.Close()
			if !utf8.ValidString(h) {
				h, _ = simplifiedchinese.GB18030.NewDecoder().String(h)
			}
			return nil, bad("不认识的列 “"+h+"”", "unknown column “"+h+"”")
		}
		if _, twice := c.column[h]; twice {
			f.Close()
			return nil, bad("列 “"+h+"” 出现两次", "column “"+h+"” is there twice")
		}
		c.column[h] = i
	}
	return c, nil
}

func (c *csvFile) need(names ...string) error {
	for _, n := range names {
		if _, ok := c.column[n]; !ok {
			c.close()
			return ErrFile.With("file", c.name, "why_zh", "缺少列 "+n, "why", "column "+n+" is missing")
		}
	}
	return nil
}

// wrap tells a fault of the CSV form itself.
func (c *csvFile) wrap(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		zh, en := "引号或列数不对", "its quotes or its number of columns are wrong"
		return ErrCell.With("file", c.name, "line", p.Line, "field", "-", "text", "", "why_zh", zh, "why", en).AtRow(p.Line).Wrap(err)
	}
	return ErrFile.With("file", c.name, "why_zh", "读到一半出错", "why", "reading it failed half way").Wrap(err)
}

// get is a field of the record, "" for a column that is not there.
func (c *csvFile) get(rec []string, name string) string {
	i, ok := c.column[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(rec[i])
}

func (c *csvFile) refuse(rec []string, field, zh, en string) error {
	line := 0
	if i, ok := c.column[field]; ok {
		line, _ = c.r.FieldPos(i)
	}
	text := c.get(rec, field)
	if !utf8.ValidString(text) {
		text, _ = simplifiedchinese.GB18030.NewDecoder().String(text)
	}
	return ErrCell.With("file", c.name, "line", line, "field", field, "text", text, "why_zh", zh, "why", en).At(field).AtRow(line)
}

// decode gives names of a file their letters, once it is known which code the file uses.
func (c *csvFile) decode(s string) string {
	if !c.legacy {
		return s
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().String(s)
	if err != nil {
		return s
	}
	return out
}

var salesColumns = []string{"date", "time", "store", "product", "quantity", "unit", "price_fen", "promo", "sold_out_at"}

// ReadSales folds sales files into a panel. Columns: date or time, product, quantity; store, unit,
// price_fen, promo, sold_out_at where known. progress, if not nil, is called now and then with rows read.
func ReadSales(paths []string, progress func(rows int)) (*Panel, error) {
	all := map[[2]string]*seriesDays{}
	rows := 0
	for _, path := range paths {
		if err := readSalesFile(path, all, &rows, progress); err != nil {
			return nil, err
		}
	}
	return assemble(all, strings.Join(paths, ", "))
}

func readSalesFile(path string, all map[[2]string]*seriesDays, rows *int, progress func(int)) error {
	c, err := openCSV(path, salesColumns)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.need("product", "quantity"); err != nil {
		return err
	}
	_, timed := c.column["time"]
	if _, dated := c.column["date"]; dated == timed {
		return ErrFile.With("file", c.name, "why_zh", "要有 date 或 time 其中一列", "why", "it needs either a date or a time column")
	}
	mine := map[[2]string]*seriesDays{}
	var last *seriesDays
	var lastKey [2]string
	for {
		rec, err := c.r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.wrap(err)
		}
		*rows++
		if progress != nil && *rows%1_000_000 == 0 {
			progress(*rows)
		}
		product := c.get(rec, "product")
		if product == "" {
			return c.refuse(rec, "product", "不能为空", "must not be empty")
		}
		store := c.get(rec, "store")
		if !c.legacy && !(utf8.ValidString(product) && utf8.ValidString(store)) {
			c.legacy = true
		}
		s := last
		if s == nil || lastKey[0] != store || lastKey[1] != product {
			lastKey = [2]string{store, product}
			s = mine[lastKey]
			if s == nil {
				lastKey = [2]string{strings.Clone(store), strings.Clone(product)}
				s = &seriesDays{shop: lastKey[0], product: lastKey[1], unit: strings.Clone(c.get(rec, "unit"))}
				s.line, _ = c.r.FieldPos(0)
				mine[lastKey] = s
				if len(mine)+len(all) > maxSeries {
					return ErrFile.With("file", c.name, "why_zh", "商品太多", "why", "it has too many products")
				}
			}
			last = s
		}
		if u := c.get(rec, "unit"); u != s.unit {
			return c.refuse(rec, "unit", "与该商品之前的单位不同", "differs from the product's unit before")
		}
		day, minute := 0, -1
		if timed {
			var ok bool
			if day, minute, ok = parseInstant(c.get(rec, "time")); !ok {
				return c.refuse(rec, "time", "不是时间,例如 2026-02-17 08:30", "is no time such as 2026-02-17 08:30")
			}
			if minute < dayStart {
				day, minute = day-1, minute+24*60
			}
		} else {
			var ok bool
			if day, ok = parseDay(c.get(rec, "date")); !ok {
				return c.refuse(rec, "date", "不是日期,例如 2026-02-17", "is no date such as 2026-02-17")
			}
		}
		q, err := strconv.ParseFloat(c.get(rec, "quantity"), 64)
		if err != nil || math.IsNaN(q) || math.Abs(q) > 1e12 {
			return c.refuse(rec, "quantity", "不是数量", "is no quantity")
		}
		if len(s.sold) > 0 && (day < s.first-maxFileAge || day > s.first+len(s.sold)+maxFileAge) {
			return c.refuse(rec, map[bool]string{true: "time", false: "date"}[timed], "离其他日期太远", "is too far from the other dates")
		}
		i := s.grow(day)
		s.sold[i] += q
		if v := c.get(rec, "price_fen"); v != "" {
			p, err := strconv.ParseFloat(v, 64)
			if err != nil || math.IsNaN(p) || p < 0 || p > 1e12 {
				return c.refuse(rec, "price_fen", "不是价格(分)", "is no price in fen")
			}
			s.price = fit(s.price, len(s.sold), float32(math.NaN()))
			if old := float64(s.price[i]); math.IsNaN(old) || s.sold[i] <= 0 || q <= 0 {
				s.price[i] = float32(p)
			} else {
				s.price[i] = float32(old + (p-old)*q/s.sold[i])
			}
		}
		if v := c.get(rec, "promo"); v != "" && isPromo(v) {
			s.promo = fit(s.promo, len(s.sold), 0)
			s.promo[i] = 1
		}
		out := -1
		if v := c.get(rec, "sold_out_at"); v != "" {
			m, ok := parseSoldOut(v, day)
			if !ok {
				return c.refuse(rec, "sold_out_at", "不是当天的时刻,例如 18:30", "is no time of that day such as 18:30")
			}
			s.soldOut = fit(s.soldOut, len(s.sold), -1)
			s.soldOut[i] = max(s.soldOut[i], int16(m))
			out = m
		}
		if minute >= 0 && q > 0 {
			if s.slots == nil {
				s.slots = map[slotKey]*slotShares{}
			}
			k := slotKey{floorDiv(day, slotPeriod), weekdayOf(day) >= 5}
			if s.slots[k] == nil {
				s.slots[k] = new(slotShares)
			}
			h := min(minute/30, daySlots-1)
			s.slots[k][h] += float32(q)
			if out >= 0 && h <= out/30 && out/30 < daySlots {
				s.slots[k][daySlots+out/30] += float32(q)
			}
		}
	}
	for k, s := range mine {
		k = [2]string{c.decode(k[0]), c.decode(k[1])}
		s.shop, s.product, s.unit = k[0], k[1], c.decode(s.unit)
		if old := all[k]; old != nil {
			if old.unit != s.unit {
				return ErrFile.With("file", c.name, "why_zh", "商品 “"+k[1]+"” 的单位与其他文件不同", "why", "the unit of “"+k[1]+"” differs from another file")
			}
			old.merge(s)
		} else {
			all[k] = s
		}
	}
	return nil
}

func floorDiv(a, b int) int {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

// merge adds what another file knows of the same series.
func (s *seriesDays) merge(x *seriesDays) {
	for j, q := range x.sold {
		i := s.grow(x.first + j)
		s.sold[i] += q
		if j < len(x.price) && !math.IsNaN(float64(x.price[j])) {
			s.price = fit(s.price, len(s.sold), float32(math.NaN()))
			s.price[i] = x.price[j]
		}
		if j < len(x.promo) && x.promo[j] > 0 {
			s.promo = fit(s.promo, len(s.sold), 0)
			s.promo[i] = 1
		}
		if j < len(x.soldOut) && x.soldOut[j] >= 0 {
			s.soldOut = fit(s.soldOut, len(s.sold), -1)
			s.soldOut[i] = max(s.soldOut[i], x.soldOut[j])
		}
	}
	for k, v := range x.slots {
		if s.slots == nil {
			s.slots = map[slotKey]*slotShares{}
		}
		if s.slots[k] == nil {
			s.slots[k] = v
			continue
		}
		for h, q := range v {
			s.slots[k][h] += q
		}
	}
}

func assemble(all map[[2]string]*seriesDays, name string) (*Panel, error) {
	list := make([]*seriesDays, 0, len(all))
	first, last := math.MaxInt, math.MinInt
	for _, s := range all {
		list = append(list, s)
		first, last = min(first, s.first), max(last, s.first+len(s.sold)-1)
	}
	if len(list) == 0 {
		return nil, ErrFile.With("file", name, "why_zh", "没有任何销售行", "why", "it has no sales rows")
	}
	if last-first > maxFileAge {
		return nil, ErrFile.With("file", name, "why_zh", "日期跨度太大", "why", "its dates are too far apart")
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].shop != list[j].shop {
			return list[i].shop < list[j].shop
		}
		return list[i].product < list[j].product
	})
	p := &Panel{First: cal.FromNumber(first), Days: last - first + 1}
	for _, s := range list {
		if n := len(p.Shops); n == 0 || p.Shops[n-1].Name != s.shop {
			p.Shops = append(p.Shops, Shop{Name: s.shop})
		}
		out := Series{Shop: len(p.Shops) - 1, Product: s.product, Unit: s.unit, Line: s.line, Start: p.Days, Sold: make([]float64, p.Days)}
		at := s.first - first
		for j, q := range s.sold {
			if q > 0 {
				out.Sold[at+j] = q
				out.Start = min(out.Start, at+j)
			}
		}
		if s.price != nil {
			out.Price = repeat(math.NaN(), p.Days)
			for j, v := range s.price {
				out.Price[at+j] = float64(v)
			}
			out.fillPrices()
		}
		if s.promo != nil {
			out.Promo = make([]float64, p.Days)
			for j, v := range s.promo {
				out.Promo[at+j] = float64(v)
			}
		}
		if s.soldOut != nil {
			out.SoldOut = repeat(int16(-1), p.Days)
			copy(out.SoldOut[at:], s.soldOut)
		}
		out.setSlots(s.slots)
		p.Series = append(p.Series, out)
	}
	p.closeDays()
	return p, nil
}

// slotShares is a slotRow in sales units.
type slotShares [2 * daySlots]float32

// setSlots keeps what sold by half hour, oldest first.
func (s *Series) setSlots(slots map[slotKey]*slotShares) {
	for k, q := range slots {
		sum := SlotSum{Period: k.period, Weekend: k.weekend}
		copy(sum.Qty[:], q[:daySlots])
		copy(sum.Ended[:], q[daySlots:])
		s.Slots = append(s.Slots, sum)
	}
	sort.Slice(s.Slots, func(i, j int) bool {
		a, b := s.Slots[i], s.Slots[j]
		return a.Period < b.Period || a.Period == b.Period && !a.Weekend && b.Weekend
	})
}

// parseDay reads YYYY-MM-DD to a day number.
func parseDay(s string) (int, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, ok1 := digits(s[:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:])
	if !ok1 || !ok2 || !ok3 || y < 1990 || y > 2099 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return int(t.Unix() / 86400), t.Day() == d
}

func digits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, len(s) > 0
}

// parseInstant reads "2026-02-17 08:30", with seconds, a T or an offset if need be, as the wall clock shows it.
func parseInstant(s string) (day, minute int, ok bool) {
	if len(s) < 16 || s[10] != ' ' && s[10] != 'T' {
		return 0, 0, false
	}
	day, ok = parseDay(s[:10])
	if !ok {
		return 0, 0, false
	}
	rest := s[11:]
	minute, ok = parseClock(rest[:5])
	if !ok {
		return 0, 0, false
	}
	if rest = rest[5:]; rest == "" {
		return day, minute, true
	}
	for _, layout := range []string{":05", ":05.999999999", ":05Z07:00", ":05.999999999Z07:00", "Z07:00"} {
		if _, err := time.Parse(layout, rest); err == nil {
			return day, minute, true
		}
	}
	return 0, 0, false
}

func parseClock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, ok1 := digits(s[:2])
	m, ok2 := digits(s[3:])
	return h*60 + m, ok1 && ok2 && h < 24 && m < 60
}

// parseSoldOut reads a time of the row's own business day as minutes after its midnight.
func parseSoldOut(s string, day int) (int, bool) {
	if m, ok := parseClock(s); ok {
		if m < dayStart {
			m += 24 * 60
		}
		return m, true
	}
	if len(s) == 8 {
		if m, ok := parseClock(s[:5]); ok {
			if _, err := time.Parse(time.TimeOnly, s); err == nil {
				return m, true
			}
		}
		return 0, false
	}
	d, m, ok := parseInstant(s)
	if !ok {
		return 0, false
	}
	m += (d - day) * 24 * 60
	return m, m >= 0 && m < 24*60+dayStart
}

func isPromo(s string) bool {
	switch strings.ToLower(s) {
	case "0", "0.0", "0.00", "false", "f", "no", "n", "否", "无", "-":
		return false
	}
	return true
}

// ReadHolidays reads date, name, is_off_day; a day with is_off_day 0 is a make-up work day.
func ReadHolidays(path string) (*cal.Holidays, error) {
	c, err := openCSV(path, []string{"date", "name", "is_off_day"})
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.need("date", "name", "is_off_day"); err != nil {
		return nil, err
	}
	var days []cal.Holiday
	for {
		rec, err := c.r.Read()
		if err == io.EOF {
			return cal.NewHolidays(days), nil
		}
		if err != nil {
			return nil, c.wrap(err)
		}
		n, ok := parseDay(c.get(rec, "date"))
		if !ok {
			return nil, c.refuse(rec, "date", "不是日期,例如 2026-02-17", "is no date such as 2026-02-17")
		}
		name := c.get(rec, "name")
		if !utf8.ValidString(name) {
			name, _ = simplifiedchinese.GB18030.NewDecoder().String(name)
		}
		d := cal.Holiday{Date: cal.FromNumber(n), Name: name}
		switch strings.ToLower(c.get(rec, "is_off_day")) {
		case "1", "true", "yes", "是":
			d.Off = true
		case "0", "false", "no", "否":
		default:
			return nil, c.refuse(rec, "is_off_day", "要写 1 或 0", "must be 1 or 0")
		}
		days = append(days, d)
	}
}

// AddWeather reads date, store, tmax_c, tmin_c, rain_mm, text into the panel; rows without a store count for
// every shop that has no row of its own on that day. The words of text tell nothing yet.
func (p *Panel) AddWeather(path string) error {
	c, err := openCSV(path, []string{"date", "store", "tmax_c", "tmin_c", "rain_mm", "text"})
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.need("date"); err != nil {
		return err
	}
	shops := map[string]int{}
	n := p.Days + MaxHorizon + 366
	own := make([][]Weather, len(p.Shops))
	unknown := Weather{math.NaN(), math.NaN(), math.NaN()}
	for i, s := range p.Shops {
		shops[s.Name] = i
	}
	common := repeat(unknown, n)
	for {
		rec, err := c.r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.wrap(err)
		}
		day, ok := parseDay(c.get(rec, "date"))
		if !ok {
			return c.refuse(rec, "date", "不是日期,例如 2026-02-17", "is no date such as 2026-02-17")
		}
		w := unknown
		for _, f := range []struct {
			name     string
			to       *float64
			min, max float64
		}{{"tmax_c", &w.TMax, -90, 70}, {"tmin_c", &w.TMin, -90, 70}, {"rain_mm", &w.Rain, 0, 5000}} {
			text := c.get(rec, f.name)
			if text == "" {
				continue
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || !(v >= f.min && v <= f.max) {
				return c.refuse(rec, f.name, "不是合理的数值", "is no believable value")
			}
			*f.to = v
		}
		t := day - p.First.Number()
		if t < 0 || t >= n {
			continue
		}
		if store := c.get(rec, "store"); store != "" {
			if !utf8.ValidString(store) {
				store, _ = simplifiedchinese.GB18030.NewDecoder().String(store)
			}
			i, ok := shops[store]
			if !ok {
				continue // a shop without sales needs no weather
			}
			if own[i] == nil {
				own[i] = repeat(unknown, n)
			}
			own[i][t] = w
		} else {
			common[t] = w
		}
	}
	for i := range p.Shops {
		p.Shops[i].Weather = common
		if own[i] == nil {
			continue
		}
		for t, w := range own[i] {
			if math.IsNaN(w.TMax) && math.IsNaN(w.TMin) && math.IsNaN(w.Rain) {
				own[i][t] = common[t]
			}
		}
		p.Shops[i].Weather = own[i]
	}
	return nil
}
