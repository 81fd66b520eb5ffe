package app

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhanggui/internal/forecast"
)

// kitchen has the files of a small shop: wraps and burgers are made, cola is bought. Today, the day after the last
// sale, is 2026-03-02, a Monday.
type kitchen struct {
	t     *testing.T
	dir   string
	files map[string]string
}

func newKitchen(t *testing.T) *kitchen {
	k := &kitchen{t: t, dir: t.TempDir(), files: map[string]string{
		"products": `product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct
wrap,鸡肉卷,卷,piece,piece,1,1,690001,1280,24,6,13
burger,汉堡,卷,piece,piece,1,1,,1480,6,4,13
breast,鸡胸肉,原料,g,kg,1000,1,,,96,,13
breast,鸡胸肉,原料,g,g,1,1,,,96,,13
wrap_sheet,卷皮,原料,piece,piece,1,1,,,1440,,13
lettuce,生菜,原料,g,g,1,1,,,72,,13
bun,面包,原料,piece,piece,1,1,,,96,,13
patty,肉饼,原料,piece,piece,1,1,,,96,,13
sauce,酱,原料,g,g,1,1,,,960,,13
tomato,番茄,原料,g,g,1,1,,,96,,13
cola,可乐,饮料,piece,piece,1,1,,300,0,,13
`,
		"recipes": `product,yield_qty,yield_unit,component,qty,unit,loss,loss_rule,valid_from
wrap,1,piece,breast,50,g,0.03,markup,2025-01-01
wrap,1,piece,wrap_sheet,1,piece,0.03,markup,2025-01-01
wrap,1,piece,lettuce,30,g,0.03,markup,2025-01-01
burger,1,piece,bun,1,piece,0,markup,2025-01-01
burger,1,piece,patty,1,piece,0,markup,2025-01-01
burger,1,piece,lettuce,20,g,0,markup,2025-01-01
burger,1,piece,sauce,1,g,0,markup,2025-01-01
`,
		"suppliers": `supplier,name,product,pack_qty,unit,price_fen4,min_packs,lead_class,lead_h,order_days,cut_off
meat,鲜达,breast,5,kg,19600000,1,fresh,24,1234567,16:00
cold,北辰,wrap_sheet,50,piece,700000,1,frozen,72,1234567,12:00
farm,绿源,lettuce,3000,g,9000,2,fresh,,,18:00
farm,绿源,tomato,1000,g,7000,1,fresh,,,18:00
farm,绿源,bun,12,piece,100000,1,fresh,,,18:00
meat,鲜达,patty,10,piece,400000,1,fresh,24,1234567,16:00
farm,绿源,sauce,500,g,15000,1,fresh,,,18:00
cold,北辰,cola,24,piece,1000000,2,ambient,24,,12:00
`,
		"stock": "store,product,batch,qty,unit,expires_at,cost_fen\n",
		"sales": shopSales("S1"),
	}}
	return k
}

// shopSales are sixty days up to Sunday 2026-03-01.
func shopSales(stores ...string) string {
	var b strings.Builder
	b.WriteString("date,product,quantity,store\n")
	for _, s := range stores {
		for i := range 60 {
			date := dayAfter(790 - 59 + i)
			for p, n := range map[string]int{"wrap": 20, "burger": 12, "cola": 30} {
				fmt.Fprintf(&b, "%s,%s,%d,%s\n", date, p, n+(i*7+len(p))%5, s)
			}
		}
	}
	return b.String()
}

// set replaces a row of a file, or adds one; "" takes it away.
func (k *kitchen) set(file, old, row string) *kitchen {
	k.t.Helper()
	text := k.files[file]
	if old == "" {
		text += row + "\n"
	} else if !strings.Contains(text, old+"\n") {
		k.t.Fatalf("%s has no row %q", file, old)
	} else {
		text = strings.Replace(text, old+"\n", strings.TrimPrefix(row+"\n", "\n"), 1)
	}
	k.files[file] = text
	return k
}

type planned struct {
	code           int
	out, complaint string
	rows           map[string][]map[string]string
	bytes          map[string]string
}

var planHeads = map[string]string{
	"production":   "date,store,product,round,forecast_mean,quantile,on_hand,make,unit",
	"requirements": "date,store,material,gross,unit,loss,need,on_hand,in_transit,net",
	"orders":       "order_by,due,supplier,store,product,packs,qty,unit,over,amount_fen,reason",
}

// plan runs the command for 2026-03-03 unless args say otherwise.
func (k *kitchen) plan(args ...string) planned {
	k.t.Helper()
	full := []string{"plan", "--out", filepath.Join(k.dir, "out")}
	for _, name := range []string{"sales", "products", "recipes", "suppliers", "stock"} {
		path := filepath.Join(k.dir, name+".csv")
		if text := k.files[name]; text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				k.t.Fatal(err)
			}
		}
		if !slices.Contains(args, "--"+name) {
			full = append(full, "--"+name, path)
		}
	}
	if !slices.Contains(args, "--date") {
		full = append(full, "--date", "2026-03-03")
	}
	var stdout, stderr bytes.Buffer
	p := planned{rows: map[string][]map[string]string{}, bytes: map[string]string{}}
	p.code = Run(append(full, args...), &stdout, &stderr)
	p.out, p.complaint = stdout.String(), stderr.String()
	for name, head := range planHeads {
		text, err := os.ReadFile(filepath.Join(k.dir, "out", name+".csv"))
		if err != nil {
			continue
		}
		p.bytes[name] = string(text)
		all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			k.t.Fatal(err)
		}
		if got := strings.Join(all[0], ","); got != head {
			k.t.Errorf("%s has the columns %s", name, got)
		}
		if !slices.IsSortedFunc(all[1:], slices.Compare) {
			k.t.Errorf("%s is not sorted", name)
		}
		for _, rec := range all[1:] {
			row := map[string]string{}
			for i, column := range all[0] {
				row[column] = rec[i]
			}
			p.rows[name] = append(p.rows[name], row)
		}
	}
	return p
}

func (k *kitchen) planned(args ...string) planned {
	k.t.Helper()
	p := k.plan(args...)
	if p.code != 0 {
		k.t.Fatalf("exit %d: %s", p.code, p.complaint)
	}
	return p
}

// of finds the rows in which the column has the value.
func (p planned) of(file, column, value string) (found []map[string]string) {
	for _, r := range p.rows[file] {
		if r[column] == value {
			found = append(found, r)
		}
	}
	return found
}

// wants checks cells of the one row in which the column has the value: "gross=25000 net=25750".
func (p planned) wants(t *testing.T, file, column, value, cells string) {
	t.Helper()
	found := p.of(file, column, value)
	if len(found) != 1 {
		t.Errorf("%s has %d rows of %s: %s", file, len(found), value, p.bytes[file])
		return
	}
	for _, cell := range strings.Fields(cells) {
		name, want, _ := strings.Cut(cell, "=")
		if got := found[0][name]; got != want {
			t.Errorf("%s of %s: %s is %q, want %q", file, value, name, got, want)
		}
	}
}

func TestFiveHundredWrapsByFiles(t *testing.T) {
	p := newKitchen(t).planned("--produce", "wrap=500")
	p.wants(t, "production", "product", "wrap", "date=2026-03-03 store=S1 round=1 make=500 unit=piece forecast_mean= quantile=")
	p.wants(t, "requirements", "material", "breast", "gross=25000 unit=g loss=0.03 need=25750 on_hand=0 in_transit=0 net=25750")
	p.wants(t, "requirements", "material", "wrap_sheet", "gross=500 unit=piece loss=0.03 need=515 net=515")
	p.wants(t, "requirements", "material", "lettuce", "gross=15000 unit=g need=15450 net=15450")
	if n := len(p.rows["requirements"]); n != 3 {
		t.Errorf("%d requirements", n)
	}
	// Six packs of 5 kg at 19,600,000 ten-thousandths of a fen (19.60 yuan) for one kg.
	p.wants(t, "orders", "product", "breast", "due=2026-03-03 supplier=meat packs=6 qty=30000 unit=g over=4250 amount_fen=58800")
	if by := p.of("orders", "product", "breast")[0]["order_by"]; by != "2026-03-02 16:00" {
		t.Errorf("fresh meat is ordered by %s", by)
	}
	p.wants(t, "orders", "product", "wrap_sheet", "packs=11 qty=550 over=35 amount_fen=38500")
}

func TestABurgerByFiles(t *testing.T) {
	p := newKitchen(t).planned("--produce", "burger=1")
	for material, q := range map[string]string{"bun": "1", "patty": "1", "lettuce": "20", "sauce": "1"} {
		p.wants(t, "requirements", "material", material, "gross="+q+" loss=0 need="+q+" net="+q)
	}
	p.wants(t, "orders", "product", "lettuce", "packs=2 qty=6000 over=5980") // two packs at least
}

func TestWhatIsGivenIsNotRoundedToBatches(t *testing.T) {
	p := newKitchen(t).planned("--produce", "wrap=7,burger=1.5")
	p.wants(t, "production", "product", "wrap", "make=7")
	p.wants(t, "production", "product", "burger", "make=1.5")
	p.wants(t, "requirements", "material", "bun", "gross=1.5 net=2") // whole pieces
}

func TestADayIsForecastMadeAndOrdered(t *testing.T) {
	k := newKitchen(t)
	p := k.planned()
	if n := len(p.of("production", "product", "wrap")); n != 1 {
		t.Errorf("wraps of a day's life are made %d times", n)
	}
	if n := len(p.of("production", "product", "burger")); n != 4 {
		t.Errorf("burgers of six hours are made %d times", n)
	}
	if p.of("production", "product", "cola") != nil {
		t.Error("cola is made")
	}
	wrap := p.of("production", "product", "wrap")[0]
	if wrap["make"] != "24" && wrap["make"] != "18" || wrap["on_hand"] != "0" {
		t.Errorf("some twenty wraps in batches of six: %v", wrap)
	}
	cola := p.of("requirements", "material", "cola")[0]
	if cola["loss"] != "0" || cola["gross"] != cola["need"] || cola["gross"] < "30" || cola["gross"] > "40" {
		t.Errorf("cola is bought as it is forecast: %v", cola)
	}
	if o := p.of("orders", "product", "cola")[0]; o["packs"] != "2" || !strings.Contains(o["reason"], "minimum 2 packs") {
		t.Errorf("two boxes at least: %v", o)
	}
	if again := newKitchen(t).planned(); fmt.Sprint(again.bytes) != fmt.Sprint(p.bytes) || again.out != p.out {
		t.Error("the same files gave another plan")
	}
}

func TestOnlyStockThatIsStillGoodCounts(t *testing.T) {
	k := newKitchen(t)
	for _, row := range []string{
		"S1,wrap,W1,3,piece,2026-03-03 04:00,500", // ends as the day begins
		"S1,wrap,W2,4,piece,2026-03-03 04:01,500",
		"S1,cola,C1,20,piece,,100",
		"S1,breast,B1,2,kg,2026-03-03,1960", // on that day it is still sold
		"S1,breast,B2,1,kg,2026-03-02,1960",
	} {
		k.set("stock", "", row)
	}
	p := k.planned()
	p.wants(t, "production", "product", "wrap", "on_hand=4")
	p.wants(t, "requirements", "material", "breast", "on_hand=2000")
	p.wants(t, "requirements", "material", "cola", "on_hand=20")
	if p.of("orders", "product", "breast") != nil {
		t.Error("a kilogram of breast is enough, and two are there")
	}
}

func TestAnOrderThatComesTooLateSaysSo(t *testing.T) {
	p := newKitchen(t).planned("--produce", "wrap=10")
	sheet, meat := p.of("orders", "product", "wrap_sheet")[0], p.of("orders", "product", "breast")[0]
	if sheet["order_by"] != "2026-02-28 12:00" || !strings.Contains(sheet["reason"], "too late") {
		t.Errorf("frozen goods for tomorrow: %v", sheet)
	}
	if strings.Contains(meat["reason"], "too late") {
		t.Errorf("fresh goods for tomorrow: %v", meat)
	}
	p = newKitchen(t).planned("--produce", "wrap=10", "--date", "2026-03-05")
	if r := p.of("orders", "product", "wrap_sheet")[0]["reason"]; strings.Contains(r, "too late") {
		t.Errorf("frozen goods for the day after the next two: %s", r)
	}
}

func TestASauceOfSaucesGoesDownToTheTomato(t *testing.T) {
	k := newKitchen(t).set("recipes", "", "sauce,1000,g,tomato,1500,g,0.1,yield,2025-01-01")
	k.set("stock", "", "S1,sauce,K1,40,g,2026-04-01,2")
	p := k.planned("--produce", "burger=100")
	p.wants(t, "requirements", "material", "sauce", "gross=100 need=100 on_hand=40 net=60")
	p.wants(t, "requirements", "material", "tomato", "gross=90 loss=0.111111 need=100 net=100")
	if p.of("orders", "product", "sauce") != nil {
		t.Error("the sauce that is cooked here is ordered")
	}
}

func TestTheRecipeOfTheDayCounts(t *testing.T) {
	k := newKitchen(t)
	k.set("recipes", "", "wrap,1,piece,breast,60,g,0,markup,2026-03-04")
	k.planned("--produce", "wrap=1").wants(t, "requirements", "material", "breast", "gross=50")
	p := k.planned("--produce", "wrap=1", "--date", "2026-03-04")
	p.wants(t, "requirements", "material", "breast", "gross=60")
	if len(p.rows["requirements"]) != 1 {
		t.Error("the old recipe is mixed into the new one")
	}
}

func TestStoresArePlannedEachForItself(t *testing.T) {
	k := newKitchen(t)
	k.files["sales"] = shopSales("S1", "S2")
	k.set("stock", "", "S2,wrap,W1,6,piece,2026-03-04,500")
	p := k.planned()
	if len(p.of("production", "store", "S1")) != len(p.of("production", "store", "S2")) {
		t.Error("two stores that sell the same are planned otherwise")
	}
	one := k.planned("--store", "S2")
	if one.of("production", "store", "S1") != nil {
		t.Error("another store than the one asked for is planned")
	}
	for _, file := range []string{"production", "requirements", "orders"} {
		if fmt.Sprint(one.rows[file]) != fmt.Sprint(p.of(file, "store", "S2")) {
			t.Errorf("%s of S2 alone differ from those among others", file)
		}
	}
}

func TestASalesFileWithoutStoresIsOneStore(t *testing.T) {
	k := newKitchen(t)
	k.files["sales"] = strings.ReplaceAll(strings.ReplaceAll(k.files["sales"], ",S1\n", "\n"), ",store\n", "\n")
	if p := k.planned(); p.rows["production"][0]["store"] != "" {
		t.Error(p.rows["production"][0])
	}
	k.set("stock", "", "S9,wrap,W1,6,piece,2026-03-04,500")
	if p := k.planned(); len(p.of("production", "store", "S9")) != len(p.rows["production"]) || p.of("production", "product", "wrap")[0]["on_hand"] != "6" {
		t.Error("the store of the stock file is not taken for the one there is")
	}
	k.set("stock", "", "S8,wrap,W1,6,piece,2026-03-04,500")
	if p := k.plan(); p.code != 1 || !strings.Contains(p.complaint, "plan_store_needed") {
		t.Errorf("which of two stores: %d %s", p.code, p.complaint)
	}
	if p := k.planned("--store", "S8"); len(p.of("production", "store", "S8")) == 0 {
		t.Error("the store that is named is not planned")
	}
}

func TestRowsThatAreWrongAreAllRefusedWithLineFieldAndReason(t *testing.T) {
	k := newKitchen(t)
	k.set("products", "cola,可乐,饮料,piece,piece,1,1,,300,0,,13", "cola,可乐,饮料,dozen,piece,1,1,,300,0,,13")
	k.set("recipes", "", "wrap,1,piece,sauce,-5,g,0.03,markup,2025-01-01")
	k.set("suppliers", "", "meat,鲜达,lettuce,x,g,1,1,chilled,24,8,25:00")
	k.set("stock", "", "S1,wrap,W1,many,piece,2026-13-01,1")
	p := k.plan()
	if p.code != 1 || len(p.rows) != 0 {
		t.Fatalf("exit %d, %d files", p.code, len(p.rows))
	}
	for _, line := range []string{
		"products.csv line 12, base_unit: The base unit must be g, ml or piece",
		"recipes.csv line 9, qty: The quantity must not be negative",
		"suppliers.csv line 10, pack_qty: ", "suppliers.csv line 10, lead_class: The lead class must be fresh, frozen or ambient",
		"suppliers.csv line 10, order_days: ", "suppliers.csv line 10, cut_off: ",
		"stock.csv line 2, qty: ", "stock.csv line 2, expires_at: ",
	} {
		if !strings.Contains(p.complaint, line) {
			t.Errorf("nothing says %q:\n%s", line, p.complaint)
		}
	}
}

func TestOneWrongRowIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file, row, want string
		args            []string
	}{
		"unknown product in a recipe":     {"recipes", "pizza,1,piece,lettuce,1,g,0,,2025-01-01", "recipes.csv line 9, product", nil},
		"unknown component":               {"recipes", "wrap,1,piece,unicorn,1,g,0,,2025-01-01", "recipes.csv line 9, component", nil},
		"a unit that does not convert":    {"recipes", "wrap,1,piece,sauce,1,bottle,0,,2025-01-01", "recipes.csv line 9, unit", nil},
		"litres of a solid":               {"recipes", "wrap,1,piece,sauce,1,l,0,,2025-01-01", "recipes.csv line 9, unit", nil},
		"another yield":                   {"recipes", "wrap,2,piece,sauce,1,g,0,,2025-01-01", "recipes.csv line 9, yield_qty", nil},
		"a component twice":               {"recipes", "wrap,1,piece,breast,51,g,0,,2025-01-01", "recipes.csv line 9, component: Line 2", nil},
		"no yield":                        {"recipes", "wrap,0,piece,sauce,1,g,0,,2025-01-01", "recipes.csv line 9, yield_qty", nil},
		"nothing of a component":          {"recipes", "wrap,1,piece,sauce,0,g,0,,2025-01-01", "recipes.csv line 9, qty", nil},
		"all is lost":                     {"recipes", "wrap,1,piece,sauce,1,g,1,,2025-01-01", "recipes.csv line 9, loss", nil},
		"a gain instead of a loss":        {"recipes", "wrap,1,piece,sauce,1,g,-0.1,,2025-01-01", "recipes.csv line 9, loss", nil},
		"a rule nobody knows":             {"recipes", "wrap,1,piece,sauce,1,g,0,guess,2025-01-01", "recipes.csv line 9, loss_rule", nil},
		"a day that does not exist":       {"recipes", "wrap,1,piece,sauce,1,g,0,,2025-02-30", "recipes.csv line 9, valid_from", nil},
		"too few cells":                   {"recipes", "wrap,1,piece", "recipes.csv line 9", nil},
		"a recipe of itself":              {"recipes", "wrap,1,piece,wrap,1,piece,0,,2025-01-01", "wrap → wrap", nil},
		"unknown product of a supplier":   {"suppliers", "meat,鲜达,unicorn,1,g,1,1,fresh,,,", "suppliers.csv line 10, product", nil},
		"another name of a supplier":      {"suppliers", "meat,鲜肉,sauce,1,g,1,1,fresh,,,", "suppliers.csv line 10, name", nil},
		"a product twice at a supplier":   {"suppliers", "meat,鲜达,breast,6,kg,1,1,fresh,,,", "suppliers.csv line 10, product: Line 2", nil},
		"a pack of nothing":               {"suppliers", "meat,鲜达,sauce,0,g,1,1,fresh,,,", "suppliers.csv line 10, pack_qty", nil},
		"a price with a point":            {"suppliers", "meat,鲜达,sauce,1,g,1.5,1,fresh,,,", "suppliers.csv line 10, price_fen4", nil},
		"no price":                        {"suppliers", "meat,鲜达,sauce,1,g,,1,fresh,,,", "suppliers.csv line 10, price_fen4", nil},
		"a lead class nobody knows":       {"suppliers", "meat,鲜达,sauce,1,g,1,1,,,,", "suppliers.csv line 10, lead_class", nil},
		"an eighth day":                   {"suppliers", "meat,鲜达,sauce,1,g,1,1,fresh,,8,", "suppliers.csv line 10, order_days", nil},
		"unknown store":                   {"stock", "S7,wrap,W1,1,piece,2026-03-04,1", "stock.csv line 2, store", nil},
		"unknown product in stock":        {"stock", "S1,pizza,W1,1,piece,2026-03-04,1", "stock.csv line 2, product", nil},
		"no expiry":                       {"stock", "S1,wrap,W1,1,piece,,1", "stock.csv line 2, expires_at", nil},
		"unknown product in sales":        {"sales", "2026-03-01,pizza,1,S1", "sales.csv line 182, product", nil},
		"a product by two names":          {"sales", "2026-03-01,鸡肉卷,1,S1", "sales.csv line 182, product", nil},
		"a sale that is none":             {"sales", "2026-03-01,wrap,some,S1", "sales.csv line 182, quantity", nil},
		"another conversion":              {"products", "breast,鸡胸肉,原料,g,kg,999,1,,,96,,13", "products.csv line 13, unit_num", nil},
		"another life":                    {"products", "breast,鸡胸肉,原料,g,jin,500,1,,,95,,13", "products.csv line 13, shelf_life_h", nil},
		"a day before tomorrow":           {"sales", "", "2026-03-02", []string{"--date", "2026-03-01"}},
		"a day far away":                  {"sales", "", "2026-04-26", []string{"--date", "2026-04-27"}},
		"no day":                          {"sales", "", "is not a date", []string{"--date", "tomorrow"}},
		"a store that never sold":         {"sales", "", "plan_store_unknown", []string{"--store", "S3"}},
		"nothing to make":                 {"sales", "", "plan_produce_bad", []string{"--produce", "wrap"}},
		"less than nothing to make":       {"sales", "", "plan_produce_bad", []string{"--produce", "wrap=-5"}},
		"something twice":                 {"sales", "", "plan_produce_bad", []string{"--produce", "wrap=1,wrap=2"}},
		"what is not in the range":        {"sales", "", "plan_product_unknown", []string{"--produce", "pizza=1"}},
		"what has no recipe":              {"sales", "", "plan_recipe_missing", []string{"--produce", "cola=1"}},
		"more than anybody can":           {"sales", "", "qty_too_large", []string{"--produce", "wrap=999999999"}},
		"a file that is not there":        {"sales", "", "file_unreadable", []string{"--recipes", "/nowhere/recipes.csv"}},
		"columns that are something else": {"sales", "", "column_missing", []string{"--recipes", "SALES"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKitchen(t)
			if c.row != "" {
				k.set(c.file, "", c.row)
			}
			args := slices.Clone(c.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "SALES", filepath.Join(k.dir, "sales.csv"))
			}
			p := k.plan(args...)
			if p.code != 1 || !strings.Contains(p.complaint, c.want) || len(p.rows) != 0 {
				t.Errorf("exit %d, want 1 and %q, and no files:\n%s", p.code, c.want, p.complaint)
			}
		})
	}
}

func TestARecipeThatGoesRoundIsRefusedWithItsPath(t *testing.T) {
	k := newKitchen(t).set("recipes", "", "sauce,1000,g,tomato,1500,g,0,,2025-01-01").set("recipes", "", "tomato,1,g,burger,1,piece,0,,2025-01-01")
	p := k.plan()
	if p.code != 1 || !strings.Contains(p.complaint, "recipes.csv line ") || !strings.Contains(p.complaint, "burger → sauce → tomato → burger") {
		t.Errorf("exit %d: %s", p.code, p.complaint)
	}
}

func TestWhatNobodySuppliesIsNamed(t *testing.T) {
	k := newKitchen(t).set("suppliers", "meat,鲜达,patty,10,piece,400000,1,fresh,24,1234567,16:00", "")
	p := k.planned("--produce", "burger=3", "--json")
	if !strings.Contains(p.complaint, "nobody supplies patty: 3 piece for store S1") || p.of("orders", "product", "patty") != nil {
		t.Error(p.complaint)
	}
	var sum struct {
		Lacking []struct{ Store, Product, Qty, Unit string }
		Orders  int   `json:"order_rows"`
		Fen     int64 `json:"amount_fen"`
	}
	if err := json.Unmarshal([]byte(p.out), &sum); err != nil {
		t.Fatal(err)
	}
	if len(sum.Lacking) != 1 || sum.Lacking[0].Product != "patty" || sum.Orders != len(p.rows["orders"]) || sum.Fen == 0 {
		t.Errorf("%s", p.out)
	}
}

// The same rows as a workbook, with numbers, dates and times as spreadsheets keep them.
func TestRecipesAndSuppliersMayBeWorkbooks(t *testing.T) {
	k := newKitchen(t)
	want := k.planned()
	for _, name := range []string{"recipes", "suppliers"} {
		f := excelize.NewFile()
		rows, err := csv.NewReader(strings.NewReader(k.files[name])).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for y, row := range rows {
			for x, cell := range row {
				at, _ := excelize.CoordinatesToCellName(x+1, y+1)
				var v any = cell
				switch {
				case y == 0 || cell == "":
				case rows[0][x] == "valid_from":
					v = 45658 // 2025-01-01
				case rows[0][x] == "cut_off":
					v = map[string]float64{"16:00": 2. / 3, "12:00": .5, "18:00": .75}[cell]
				case rows[0][x] == "loss":
					v = map[string]float64{"0.03": .01 + .02, "0": 0}[cell] // 0.030000000000000002 or so
				case rows[0][x] != "order_days" && strings.Trim(cell, "0123456789.") == "":
					var n float64
					fmt.Sscan(cell, &n)
					v = n
				}
				if err := f.SetCellValue("Sheet1", at, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := f.SaveAs(filepath.Join(k.dir, name+".xlsx")); err != nil {
			t.Fatal(err)
		}
	}
	p := k.planned("--recipes", filepath.Join(k.dir, "recipes.xlsx"), "--suppliers", filepath.Join(k.dir, "suppliers.xlsx"))
	for name := range planHeads {
		if p.bytes[name] != want.bytes[name] {
			t.Errorf("%s differ from those of the CSV files:\n%s\n%s", name, p.bytes[name], want.bytes[name])
		}
	}
	if p := k.plan("--products", filepath.Join(k.dir, "recipes.xlsx")); p.code != 1 || !strings.Contains(p.complaint, "csv_not_text") {
		t.Errorf("products are no workbook: %s", p.complaint)
	}
}

// A store of sixty products is planned within seconds; here it must only agree with the forecast it is made from.
func TestTheMeanOfAPlanIsTheForecasts(t *testing.T) {
	k := newKitchen(t)
	p := k.planned()
	panel, err := forecast.ReadSales([]string{filepath.Join(k.dir, "sales.csv")}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range forecast.NewEngine(panel, forecast.Options{Horizon: 2}).Outlook(2) {
		if x.Series.Product == "wrap" {
			p.wants(t, "production", "product", "wrap", "forecast_mean="+x.Mean.String()+" quantile="+x.At(.7).String())
		}
	}
}
