package intake

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
)

// What is wrong with a cell, whatever is in the database.
var (
	ErrCellEmpty = errs.Define("cell_empty", errs.Invalid, "不能为空", "This must not be empty")
	ErrCellLong  = errs.Define("cell_long", errs.Invalid, "最多 {most} 个字", "At most {most} characters")
	ErrCellText  = errs.Define("cell_text", errs.Invalid, "有不能显示的字符", "There are characters that can't be shown")
	ErrNumber    = errs.Define("number_bad", errs.Invalid,
		"“{text}”不是数字,应写成 12 或 12.5,不用逗号", "“{text}” is not a number; write 12 or 12.5, without commas")
	ErrWhole = errs.Define("whole_number_bad", errs.Invalid,
		"“{text}”应为不小于 0 的整数", "“{text}” must be a whole number of 0 or more")
	ErrFen = errs.Define("fen_bad", errs.Invalid,
		"“{text}”应为以分为单位的整数,3.50 元写 350", "“{text}” must be a whole number of fen; write 350 for 3.50 yuan")
	ErrCost = errs.Define("cost_bad", errs.Invalid,
		"“{text}”应为以分为单位的数,最多四位小数,3.50 元写 350", "“{text}” must be an amount in fen with at most four decimals; write 350 for 3.50 yuan")
	ErrNegative = errs.Define("qty_negative", errs.Invalid, "数量不能为负", "The quantity must not be negative")
	ErrZero     = errs.Define("qty_zero", errs.Invalid, "数量必须大于 0", "The quantity must be more than 0")
	ErrAbsurd   = errs.Define("qty_absurd", errs.Invalid, "数量大得不合常理", "The quantity is beyond all reason")
	ErrMoment   = errs.Define("time_bad", errs.Invalid,
		"“{text}”不是时间,应写成 2026-02-17 14:30", "“{text}” is not a time; write it as 2026-02-17 14:30")
	ErrFuture  = errs.Define("date_future", errs.Invalid, "日期在将来", "The date is in the future")
	ErrOld     = errs.Define("date_old", errs.Invalid, "日期早于 {first}", "The date is before {first}")
	ErrFar     = errs.Define("date_far", errs.Invalid, "日期晚于 {last}", "The date is after {last}")
	ErrYesNo   = errs.Define("yes_no_bad", errs.Invalid, "“{text}”应为 1 或 0", "“{text}” must be 1 or 0")
	ErrSoldOut = errs.Define("sold_out_other_day", errs.Invalid,
		"售罄时间不在这个营业日", "The time of selling out is on another business day")
	ErrTemperature = errs.Define("temperature_bad", errs.Invalid,
		"气温应在 -90 到 60 之间", "The temperature must be from -90 to 60")
	ErrTMin = errs.Define("tmin_above_tmax", errs.Invalid,
		"最低气温高于最高气温", "The lowest temperature is above the highest")
	ErrRain      = errs.Define("rain_bad", errs.Invalid, "降水应在 0 到 2000 毫米之间", "Rain must be from 0 to 2000 mm")
	ErrStoreCode = errs.Define("store_code_bad", errs.Invalid,
		"门店编码应为 1 到 20 个字母、数字或 . _ -", "The store code must have 1 to 20 letters, digits or . _ -")
	ErrDates = errs.Define("date_time_differ", errs.Invalid, "date 列和 time 列不是同一天", "The columns date and time are not of one day")
)

// firstDate is before anything a shop's computer still has.
const firstDate cal.Date = "1990-01-01"

// cells reads one row by column and collects everything that is wrong with it, so that a person corrects
// a row once.
type cells struct {
	columns []column
	at      []int // where each column stands in the file; -1: not there
	fields  []string
	undo    bool // the file is a list of refused rows: disarmed cells are armed again
	bad     []*errs.Error
}

func (c *cells) refuse(col int, e *errs.Error) {
	c.bad = append(c.bad, e.At(c.columns[col].Name))
}

// has tells whether the file has the column at all.
func (c *cells) has(col int) bool { return c.at[col] >= 0 }

// raw is a cell without blanks around it; "" for a column that is not there.
func (c *cells) raw(col int) string {
	if c.at[col] < 0 {
		return ""
	}
	text := csvx.Trim(c.fields[c.at[col]])
	if c.undo {
		text = csvx.Unsafe(text)
	}
	return text
}

// text is a cell of at most so many characters, all of which can be shown.
func (c *cells) text(col, most int) string {
	s := c.raw(col)
	if len(s) > most && utf8.RuneCountInString(s) > most {
		c.refuse(col, ErrCellLong.With("most", most))
		return ""
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= utf8.RuneSelf {
			for _, r := range s[i:] {
				if !unicode.IsPrint(r) && r != '\u3000' {
					c.refuse(col, ErrCellText)
					return ""
				}
			}
			break
		}
	}
	return s
}

// named is a text that must not be empty.
func (c *cells) named(col, most int) string {
	n := len(c.bad)
	s := c.text(col, most)
	if s == "" && len(c.bad) == n {
		c.refuse(col, ErrCellEmpty)
	}
	return s
}

func (c *cells) date(col int) cal.Date {
	s := c.raw(col)
	if s == "" {
		c.refuse(col, ErrCellEmpty)
		return ""
	}
	d, err := cal.Parse(s)
	switch {
	case err != nil:
		c.refuse(col, errs.As(err))
		return ""
	case d < firstDate:
		c.refuse(col, ErrOld.With("first", firstDate))
		return ""
	}
	return d
}

// decimal reads a number with at most three decimals, as thousandths. Zeros behind them, which databases
// like to write, are no decimals.
func (c *cells) decimal(col int) (qty.Qty, bool) {
	s := c.raw(col)
	if s == "" {
		c.refuse(col, ErrCellEmpty)
		return 0, false
	}
	if point := strings.IndexByte(s, '.'); point >= 0 && len(s)-point > 4 {
		cut := strings.TrimRight(s[point+4:], "0")
		if cut == "" {
			s = s[:point+4]
		}
	}
	q, err := qty.Parse(s)
	if err == nil {
		return q, true
	}
	e := errs.As(err)
	if e.Is(qty.ErrBad) {
		e = whyNoDecimal(s)
	}
	c.refuse(col, e)
	return 0, false
}

// whyNoDecimal tells a number with too many digits from what is no number.
func whyNoDecimal(s string) *errs.Error {
	whole, frac, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	switch {
	case whole == "" || strings.Trim(whole, "0123456789") != "" || point && (frac == "" || strings.Trim(frac, "0123456789") != ""):
		return ErrNumber.With("text", s)
	case len(frac) > 3:
		return qty.ErrBad
	}
	return qty.ErrTooLarge
}

// quantity is a decimal that is not negative.
func (c *cells) quantity(col int) qty.Qty {
	q, ok := c.decimal(col)
	if ok && q < 0 {
		c.refuse(col, ErrNegative)
		return 0
	}
	return q
}

// whole is a whole number of 0 or more; an empty cell is none.
func (c *cells) whole(col int, refusal *errs.Error, most int64) (int64, bool) {
	s := c.raw(col)
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || s[0] == '+' || n > most {
		c.refuse(col, refusal.With("text", s))
		return 0, false
	}
	return n, true
}

// fen is an amount of whole fen; an empty cell is none.
func (c *cells) fen(col int) *money.Fen {
	n, ok := c.whole(col, ErrFen, int64(price.MaxPrice))
	if !ok {
		return nil
	}
	f := money.Fen(n)
	return &f
}

func (c *cells) yesNo(col int) bool {
	s := c.raw(col)
	switch strings.ToLower(s) {
	case "1", "true", "yes", "y", "是":
		return true
	case "0", "false", "no", "n", "否":
		return false
	case "":
		c.refuse(col, ErrCellEmpty)
	default:
		c.refuse(col, ErrYesNo.With("text", s))
	}
	return false
}

// minutes is a time of day; an empty cell is preset.
func (c *cells) minutes(col int, preset org.Minutes) org.Minutes {
	s := c.raw(col)
	if s == "" {
		return preset
	}
	if len(s) == 4 && s[1] == ':' {
		s = "0" + s
	}
	var m org.Minutes
	if err := m.UnmarshalText([]byte(s)); err != nil {
		c.refuse(col, errs.As(err))
		return preset
	}
	return m
}

// Moment is a point in time as a file writes it: a day and a time on the clock, perhaps with its distance
// from UTC; without one it is on the site's clock. Date "" is a time of day alone.
type Moment struct {
	Date   cal.Date
	Second int // after midnight
	Zoned  bool
	Offset int // seconds east of UTC, if Zoned
}

// ParseMoment reads "2026-02-17 14:30", with T or a blank, perhaps seconds with decimals, perhaps Z or
// +08:00 behind; or "14:30" alone.
func ParseMoment(s string) (Moment, error) {
	bad := ErrMoment.With("text", s)
	var m Moment
	rest := s
	if len(rest) > 10 && (rest[10] == 'T' || rest[10] == ' ') {
		d, err := cal.Parse(rest[:10])
		if err != nil {
			return m, bad
		}
		m.Date, rest = d, strings.TrimLeft(rest[11:], " ")
	}
	digits := func(at int) int {
		if len(rest) < at+2 || rest[at] < '0' || rest[at] > '9' || rest[at+1] < '0' || rest[at+1] > '9' {
			return -1
		}
		return int(rest[at]-'0')*10 + int(rest[at+1]-'0')
	}
	if len(rest) >= 4 && rest[1] == ':' {
		rest = "0" + rest
	}
	h, n, sec := digits(0), digits(3), 0
	if h < 0 || h > 23 || n < 0 || n > 59 || rest[2] != ':' {
		return m, bad
	}
	rest = rest[5:]
	if strings.HasPrefix(rest, ":") {
		if sec = digits(1); sec < 0 || sec > 59 {
			return m, bad
		}
		rest = rest[3:]
		if strings.HasPrefix(rest, ".") {
			rest = strings.TrimLeft(rest[1:], "0123456789")
		}
	}
	m.Second = h*3600 + n*60 + sec
	switch {
	case rest == "":
		return m, nil
	case m.Date == "":
		return m, bad
	case rest == "Z":
		m.Zoned = true
		return m, nil
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, n := digits(1), digits(4)
		if h < 0 || h > 15 || n < 0 || n > 59 {
			return m, bad
		}
		m.Zoned, m.Offset = true, h*3600+n*60
		if rest[0] == '-' {
			m.Offset = -m.Offset
		}
		return m, nil
	}
	return m, bad
}

// In is the instant, on the clock of loc unless the file gives its own.
func (m Moment) In(loc *time.Location) time.Time {
	if m.Zoned {
		return m.Date.Time().Add(time.Duration(m.Second-m.Offset) * time.Second)
	}
	t := m.Date.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, m.Second, 0, loc)
}

func (c *cells) moment(col int) (Moment, bool) {
	m, err := ParseMoment(c.raw(col))
	if err != nil {
		c.refuse(col, errs.As(err))
		return m, false
	}
	if m.Date != "" && m.Date < firstDate {
		c.refuse(col, ErrOld.With("first", firstDate))
		return m, false
	}
	return m, true
}

// Columns of sales.
const (
	saleDate = iota
	saleTime
	saleProduct
	saleQty
	saleStore
	saleUnit
	salePrice
	salePromo
	saleSoldOut
)

// SaleRow is one row of sales: of a day (Timed false), or at a time, to be added up.
type SaleRow struct {
	Store, Product, Unit string
	Timed                bool
	At                   Moment  // Timed: with its date; otherwise only the date
	Qty                  qty.Qty // in Unit, or in the base unit where there is none
	Price                *money.Fen
	Promo                bool
	SoldOut              *Moment
}

func parseSale(c *cells) SaleRow {
	var r SaleRow
	r.Timed = c.has(saleTime)
	if c.has(saleDate) {
		r.At.Date = c.date(saleDate)
	}
	if r.Timed {
		if m, ok := c.moment(saleTime); ok {
			switch {
			case m.Date == "" && !c.has(saleDate):
				c.refuse(saleTime, ErrMoment.With("text", c.raw(saleTime)))
			case m.Date == "":
				m.Date = r.At.Date
			case c.has(saleDate) && r.At.Date != "" && m.Date != r.At.Date:
				c.refuse(saleTime, ErrDates)
			}
			r.At = m
		}
	}
	r.Product = c.named(saleProduct, 120)
	r.Qty = c.quantity(saleQty)
	r.Store = c.text(saleStore, 80)
	if r.Store == "" && c.has(saleStore) {
		c.refuse(saleStore, ErrCellEmpty)
	}
	r.Unit = c.text(saleUnit, 20)
	r.Price = c.fen(salePrice)
	switch strings.ToLower(c.text(salePromo, 80)) {
	case "", "0", "false", "no", "n", "否", "无":
	default:
		r.Promo = true // also by the promotion's name
	}
	if c.raw(saleSoldOut) != "" {
		if m, ok := c.moment(saleSoldOut); ok {
			r.SoldOut = &m
		}
	}
	return r
}

// Columns of stores.
const (
	storeCode = iota
	storeName
	storeZone
	storeDayStart
	storeOpen
	storeClose
)

// StoreRow is one row of stores.
type StoreRow struct {
	Store, Name, TimeZone string
	DayStart, Open, Close org.Minutes
}

func parseStore(c *cells) StoreRow {
	r := StoreRow{
		Store:    c.named(storeCode, 20),
		Name:     c.named(storeName, 80),
		TimeZone: c.text(storeZone, 60),
		DayStart: c.minutes(storeDayStart, 4*60),
		Open:     c.minutes(storeOpen, 8*60),
		Close:    c.minutes(storeClose, 22*60),
	}
	if r.Store != "" && !goodStoreCode(r.Store) {
		c.refuse(storeCode, ErrStoreCode)
	}
	if r.TimeZone == "" {
		r.TimeZone = "Asia/Shanghai"
	} else if _, err := time.LoadLocation(r.TimeZone); err != nil || r.TimeZone == "Local" {
		c.refuse(storeZone, org.ErrTimeZone)
	}
	if r.DayStart >= 24*60 {
		c.refuse(storeDayStart, org.ErrDayStart)
	}
	return r
}

func goodStoreCode(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, codeBytes) == "" && !strings.Contains(s, "/")
}

// Columns of products.
const (
	productCode = iota
	productName
	productCategory
	productBase
	productUnit
	productNum
	productDen
	productBarcode
	productPrice
	productLife
	productBatch
	productTax
)

// ProductRow is one row of products: a product and one of its sales units.
type ProductRow struct {
	Product, Name, Category, BaseUnit string
	Unit                              string
	Num, Den                          int64
	Barcode                           string
	Price                             *money.Fen
	ShelfLifeH                        int64
	BatchSize                         qty.Qty
	Tax                               catalog.TaxRate
}

func parseProduct(c *cells) ProductRow {
	r := ProductRow{
		Product:  c.named(productCode, 32),
		Name:     c.named(productName, 120),
		Category: c.text(productCategory, 60),
		BaseUnit: c.named(productBase, 20),
		Unit:     c.text(productUnit, 20),
		Barcode:  c.text(productBarcode, 48),
		Price:    c.fen(productPrice),
	}
	if r.Product != "" && !goodCode(r.Product, 32) {
		c.refuse(productCode, catalog.ErrCode.With("most", 32))
	}
	switch r.BaseUnit {
	case "g", "ml", "piece":
	case "":
	default:
		c.refuse(productBase, catalog.ErrBaseUnit)
	}
	if r.Unit == "" {
		r.Unit = r.BaseUnit
	}
	if r.Barcode != "" {
		if err := catalog.CheckBarcode(r.Barcode); err != nil {
			c.refuse(productBarcode, errs.As(err))
		}
	}
	const mostRatio = 1_000_000_000_000
	n := len(c.bad)
	num, saysNum := c.whole(productNum, ErrWhole, mostRatio)
	den, saysDen := c.whole(productDen, ErrWhole, mostRatio)
	if r.Num, r.Den = num, den; !saysDen {
		r.Den = 1
	}
	if !saysNum && len(c.bad) == n {
		known, ok := knownUnit(r.Unit)
		switch {
		case r.Unit == r.BaseUnit, r.BaseUnit == "piece" && !ok:
			r.Num = 1
		case ok && known.base == r.BaseUnit:
			r.Num = known.num
		default:
			c.refuse(productNum, ErrCellEmpty)
		}
	}
	ratio := qty.Unit{Name: r.Unit, Num: r.Num, Den: r.Den}
	if len(c.bad) == n && (!ratio.OK() || r.Unit == r.BaseUnit && r.Num != r.Den) {
		c.refuse(productNum, catalog.ErrUnitRatio.With("unit", r.Unit))
	}
	r.ShelfLifeH, _ = c.whole(productLife, ErrWhole, 24*366*30)
	if c.raw(productBatch) != "" {
		r.BatchSize = c.quantity(productBatch)
	}
	if s := c.raw(productTax); s == "" {
		c.refuse(productTax, ErrCellEmpty)
	} else {
		var err error
		if r.Tax, err = catalog.ParseTax(strings.TrimSuffix(s, "%")); err != nil {
			c.refuse(productTax, errs.As(err))
		}
	}
	return r
}

const codeBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./"

// goodCode is what catalog takes for the code of a product, and for a barcode.
func goodCode(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, codeBytes) == ""
}

// metric is a unit whose meaning needs no table.
type metric struct {
	base string
	num  int64
}

var metrics = map[string]metric{
	"g": {"g", 1}, "克": {"g", 1}, "kg": {"g", 1000}, "千克": {"g", 1000}, "公斤": {"g", 1000}, "斤": {"g", 500}, "两": {"g", 50}, "吨": {"g", 1_000_000},
	"ml": {"ml", 1}, "毫升": {"ml", 1}, "l": {"ml", 1000}, "升": {"ml", 1000},
	"piece": {"piece", 1},
}

// Metric is a unit that needs no table: one is num of the base unit.
func Metric(name string) (base string, num int64, ok bool) {
	u, ok := knownUnit(name)
	return u.base, u.num, ok
}

func knownUnit(name string) (metric, bool) {
	u, ok := metrics[strings.ToLower(name)]
	return u, ok
}

// Columns of stock.
const (
	stockStore = iota
	stockProduct
	stockBatch
	stockQty
	stockUnit
	stockExpires
	stockCost
)

// StockRow is one row of opening stock: a batch at a store.
type StockRow struct {
	Store, Product, Batch string
	Qty                   qty.Qty // in Unit, or in the base unit where there is none
	Unit                  string
	Expires               *Moment // a date alone: the goods may still be sold on that day
	DateOnly              bool
	Cost                  money.Fen4 // of one Unit
}

// Until is when a batch with an expiry can no longer be sold, on the clock of loc unless the file gives its own.
func (r StockRow) Until(loc *time.Location) time.Time {
	if r.DateOnly {
		return Moment{Date: r.Expires.Date.AddDays(1)}.In(loc)
	}
	return r.Expires.In(loc)
}

func parseStock(c *cells) StockRow {
	r := StockRow{
		Store:   c.named(stockStore, 80),
		Product: c.named(stockProduct, 120),
		Batch:   c.batch(stockBatch),
		Qty:     c.quantity(stockQty),
		Unit:    c.text(stockUnit, 20),
	}
	if q := c.raw(stockQty); r.Qty == 0 && strings.Trim(q, "0.") == "" && q != "" {
		c.refuse(stockQty, ErrZero)
	}
	if s := c.raw(stockExpires); s != "" {
		if d, err := cal.Parse(s); err == nil {
			r.Expires, r.DateOnly = &Moment{Date: d}, true
		} else if m, err := ParseMoment(s); err == nil && m.Date != "" {
			r.Expires = &m
		} else {
			c.refuse(stockExpires, ErrMoment.With("text", s))
		}
		switch {
		case r.Expires != nil && r.Expires.Date < firstDate:
			c.refuse(stockExpires, ErrOld.With("first", firstDate))
		case r.Expires != nil && r.Expires.Date > "2100-01-01":
			c.refuse(stockExpires, ErrFar.With("last", "2100-01-01"))
		}
	}
	r.Cost = c.cost(stockCost)
	return r
}

// cost is fen with at most four decimals, as ten-thousandths of a fen.
func (c *cells) cost(col int) money.Fen4 {
	s := c.raw(col)
	if s == "" {
		c.refuse(col, ErrCellEmpty)
		return 0
	}
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) <= 4 && len(whole) <= 10 {
		n, err := strconv.ParseUint(whole+(frac + "0000")[:4], 10, 63)
		if err == nil && whole != "" && whole[0] != '+' && (frac != "" || !strings.HasSuffix(s, ".")) {
			return money.Fen4(n)
		}
	}
	c.refuse(col, ErrCost.With("text", s))
	return 0
}

// Columns of weather.
const (
	weatherDate = iota
	weatherStore
	weatherTMax
	weatherTMin
	weatherRain
	weatherText
)

// WeatherRow is one row of weather.
type WeatherRow struct {
	Date       cal.Date
	Store      string // "" is everywhere
	TMax, TMin qty.Qty
	Rain       *qty.Qty
	Text       string
}

func parseWeather(c *cells) WeatherRow {
	r := WeatherRow{Date: c.date(weatherDate), Store: c.text(weatherStore, 80), Text: c.text(weatherText, 200)}
	temperature := func(col int) (qty.Qty, bool) {
		q, ok := c.decimal(col)
		if ok && (q < -90*qty.Scale || q > 60*qty.Scale) {
			c.refuse(col, ErrTemperature)
			return 0, false
		}
		return q, ok
	}
	high, ok1 := temperature(weatherTMax)
	low, ok2 := temperature(weatherTMin)
	if r.TMax, r.TMin = high, low; ok1 && ok2 && low > high {
		c.refuse(weatherTMin, ErrTMin)
	}
	if c.raw(weatherRain) != "" {
		if q, ok := c.decimal(weatherRain); ok && (q < 0 || q > 2000*qty.Scale) {
			c.refuse(weatherRain, ErrRain)
		} else if ok {
			r.Rain = &q
		}
	}
	return r
}

// Columns of holidays.
const (
	holidayDate = iota
	holidayName
	holidayOff
)

func parseHoliday(c *cells) cal.Holiday {
	h := cal.Holiday{Date: c.date(holidayDate), Name: c.named(holidayName, 60), Off: c.yesNo(holidayOff)}
	if h.Date > "2100-12-31" {
		c.refuse(holidayDate, ErrFar.With("last", "2100-12-31"))
	}
	return h
}

// batch is a batch code as stock takes it: at most 40 bytes without blanks.
func (c *cells) batch(col int) string {
	s := c.text(col, 40)
	if len(s) > 40 || strings.ContainsAny(s, " \t\r\n") {
		c.refuse(col, stock.ErrCode)
		return ""
	}
	return s
}
