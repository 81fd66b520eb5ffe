package intake

import (
	"slices"
	"strings"

	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/errs"
)

// Kind is what a file is about.
type Kind string

// The kinds of file.
const (
	Stores   Kind = "stores"
	Products Kind = "products"
	Stock    Kind = "stock"
	Sales    Kind = "sales"
	Weather  Kind = "weather"
	Holidays Kind = "holidays"

	Recipes   Kind = "recipes"
	Suppliers Kind = "suppliers"
	Styles    Kind = "styles"
)

// Kinds lists all, in the order in which a new installation needs them.
var Kinds = []Kind{Stores, Products, Styles, Recipes, Suppliers, Stock, Sales, Weather, Holidays}

var (
	ErrKind = errs.Define("import_kind_bad", errs.Invalid,
		"不能导入这种数据:{kind}", "There is no such kind of import: {kind}")
	errDateOrTime = errs.Define("column_date_or_time", errs.Invalid,
		"需要 date 列或 time 列", "A column date or a column time is needed")
)

// column is one that a kind of file may have.
type column struct {
	csvx.Column
	zh, en string
	also   []string // what other systems call it, in lower case
	form   form     // what it holds, for files that are workbooks
}

func (c column) of(f form) column { c.form = f; return c }

func must(name, zh, en string, also ...string) column {
	return column{csvx.Column{Name: name, Must: true}, zh, en, also, asTyped}
}

// soft columns must be there unless the mapping says that they are left out on purpose (name=-).
func soft(name, zh, en string, also ...string) column {
	return column{csvx.Column{Name: name, Must: true, Soft: true}, zh, en, also, asTyped}
}

func may(name, zh, en string, also ...string) column {
	return column{csvx.Column{Name: name}, zh, en, also, asTyped}
}

var storeWords = []string{"门店", "店铺", "机构", "门店编码", "门店编号", "机构编码", "店号", "store_id", "store_code", "shop", "site", "branch"}
var productWords = []string{"商品", "商品编码", "商品编号", "货号", "编码", "单品", "品号", "商品代码", "product_id", "product_code", "sku", "item", "item_id", "article", "goods"}
var dateWords = []string{"日期", "销售日期", "营业日期", "business_date", "day", "sale_date", "transaction_date"}
var unitWords = []string{"单位", "规格单位", "销售单位", "计量单位", "uom"}
var priceWords = []string{"售价(分)", "售价", "价格", "单价", "零售价", "price"}

// columnsOf has the columns of each kind in the order of the parsers' constants.
var columnsOf = map[Kind][]column{
	Stores: {
		must("store", "门店编码", "Store code", storeWords...),
		must("name", "名称", "Name", "门店名称", "店名", "机构名称", "store_name"),
		may("time_zone", "时区", "Time zone", "timezone", "tz"),
		may("day_start", "营业日开始", "Business day starts", "日切时间", "营业日起点"),
		soft("open", "开门", "Opens", "开门时间", "开店时间", "opening", "open_at"),
		soft("close", "关门", "Closes", "关门时间", "打烊时间", "closing", "close_at"),
	},
	Products: {
		must("product", "商品编码", "Product code", productWords...),
		must("name", "名称", "Name", "商品名称", "品名", "product_name", "description"),
		soft("category", "分类", "Category", "类别", "品类", "商品分类", "category_name"),
		must("base_unit", "基本单位", "Base unit", "最小单位", "库存单位"),
		soft("unit", "规格单位", "Sales unit", unitWords...),
		soft("unit_num", "换算分子", "Unit is num/den base units: num", "换算", "换算数量", "换算率"),
		soft("unit_den", "换算分母", "Unit is num/den base units: den"),
		soft("barcode", "条码", "Barcode", "商品条码", "国际条码", "ean", "upc", "gtin"),
		soft("price_fen", "售价(分)", "Price of one unit in fen", priceWords...),
		soft("shelf_life_h", "保质期(小时)", "Shelf life in hours", "保质期", "shelf_life"),
		soft("batch_size", "每批数量", "Made in batches of", "批量"),
		must("tax_pct", "税率(%)", "VAT in percent", "税率", "tax", "vat"),
	},
	Stock: {
		must("store", "门店编码", "Store code", storeWords...),
		must("product", "商品编码", "Product code", productWords...),
		soft("batch", "批次", "Batch", "批号", "批次号", "lot"),
		must("qty", "数量", "Quantity", "库存", "库存数量", "现存量", "quantity", "stock"),
		soft("unit", "单位", "Unit", unitWords...),
		soft("expires_at", "到期", "Expires", "到期日", "有效期至", "过期日期", "expiry", "expires", "best_before"),
		must("cost_fen", "单位成本(分)", "Cost of one unit in fen", "成本", "成本价", "进价", "单位成本", "cost"),
	},
	Sales: {
		may("date", "日期", "Date", dateWords...),
		may("time", "时间", "Time", "销售时间", "交易时间", "下单时间", "timestamp", "datetime", "sold_at"),
		must("product", "商品编码", "Product code", slices.Concat(productWords, []string{"商品名称", "品名", "name", "product_name"})...),
		must("quantity", "数量", "Quantity", "销量", "销售数量", "件数", "qty", "sold", "units", "sales"),
		may("store", "门店编码", "Store code", slices.Concat(storeWords, []string{"门店名称", "店名", "store_name"})...),
		may("unit", "单位", "Unit", unitWords...),
		may("price_fen", "单价(分)", "Price of one unit in fen", priceWords...),
		may("promo", "促销", "Promotion", "是否促销", "活动", "promotion", "on_promo"),
		may("sold_out_at", "售罄时间", "Sold out at", "售罄", "缺货时间", "sold_out", "stockout_at"),
	},
	Weather: {
		must("date", "日期", "Date", dateWords...),
		may("store", "门店编码", "Store code", storeWords...),
		must("tmax_c", "最高气温(℃)", "Highest temperature in °C", "最高气温", "最高温度", "最高温", "tmax", "temp_max"),
		must("tmin_c", "最低气温(℃)", "Lowest temperature in °C", "最低气温", "最低温度", "最低温", "tmin", "temp_min"),
		soft("rain_mm", "降水(毫米)", "Rain in mm", "降水", "降水量", "雨量", "降雨量", "rain", "rainfall", "precipitation"),
		soft("text", "天气", "Weather", "天气状况", "天气现象", "weather"),
	},
	Holidays: {
		must("date", "日期", "Date", dateWords...),
		must("name", "名称", "Name", "节日", "节假日", "节日名称", "holiday"),
		must("is_off_day", "是否放假", "Day off", "放假", "休息", "off", "is_holiday"),
	},
	Recipes:   recipeColumns,
	Suppliers: supplierColumns,
	Styles:    styleColumns,
}

func plainColumns(k Kind) []csvx.Column {
	plain := make([]csvx.Column, len(columnsOf[k]))
	for i, c := range columnsOf[k] {
		plain[i] = c.Column
	}
	return plain
}

// refusedHead are the columns that a list of refused rows begins with. A person corrects the cells behind
// them and imports the list as it is.
var refusedHead = []string{"line", "field", "code", "message"}

func isRefusedList(header []string) bool {
	return len(header) > len(refusedHead) && slices.Equal(header[:len(refusedHead)], refusedHead)
}

// match finds the columns of the kind in a header.
func match(k Kind, header []string, m csvx.Mapping) ([]int, error) {
	if isRefusedList(header) {
		with := csvx.Mapping{}
		for left, right := range m {
			with[left] = right
		}
		for _, name := range refusedHead {
			with[name] = csvx.Dropped
		}
		m = with
	}
	at, err := csvx.Match(header, plainColumns(k), m)
	if err == nil && k == Sales && at[saleDate] < 0 && at[saleTime] < 0 {
		err = errDateOrTime.At("date")
	}
	return at, err
}

// Suggest guesses a mapping for a header by the names other systems use. What it can't place it drops
// only if nothing is missing, so that a person looks at the others.
func Suggest(k Kind, header []string) csvx.Mapping {
	m := csvx.Mapping{}
	taken := map[string]bool{}
	find := func(c column, fits func(header string) bool) bool {
		for _, h := range header {
			if !taken[h] && fits(strings.ToLower(h)) {
				taken[h] = true
				if h != c.Name {
					m[c.Name] = h
				}
				return true
			}
		}
		return false
	}
	columns := columnsOf[k]
	placed := make([]bool, len(columns))
	for i, c := range columns { // our own names first: they are never taken for another
		placed[i] = find(c, func(h string) bool { return h == c.Name })
	}
	for i, c := range columns {
		for _, word := range c.also {
			placed[i] = placed[i] || find(c, func(h string) bool { return h == word })
		}
		placed[i] = placed[i] || find(c, func(h string) bool { return h == c.zh || h == strings.ToLower(c.en) })
	}
	complete := true
	for i, c := range columns {
		if c.Soft && !placed[i] {
			m[c.Name] = csvx.Dropped
		}
		complete = complete && (placed[i] || !c.Must || c.Soft)
	}
	for _, h := range header {
		if !taken[h] && (complete || isRefusedList(header) && slices.Contains(refusedHead, h)) {
			m[h] = csvx.Dropped
		}
	}
	return m
}

// ColumnsText lists the columns of a kind: [may be absent], (absent only if the mapping says so).
func ColumnsText(k Kind) string {
	names := make([]string, len(columnsOf[k]))
	for i, c := range columnsOf[k] {
		switch names[i] = c.Name; {
		case !c.Must:
			names[i] = "[" + c.Name + "]"
		case c.Soft:
			names[i] = "(" + c.Name + ")"
		}
	}
	return strings.Join(names, ",")
}
