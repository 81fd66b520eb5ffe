//go:build data

package app

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// The recipes of a home kitchen come in as a person would bring them: an ingredient is kept by the measure that most dishes
// use of it (grams, millilitres, or one way of counting), a line that gives two measures (2 个, 约 100 g) teaches what one
// is worth in the other, a range is given as one. What can't be resolved must be refused with its reason. Then the
// explosion of mixed menus is worked out here, from the files alone, in fractions.

// measured is what this test knows of units by itself.
type measured struct {
	kind string // g, ml, or the counting word
	num  *big.Rat
}

func measureOf(unit string) measured {
	known := map[string]measured{
		"g": {"g", big.NewRat(1, 1)}, "克": {"g", big.NewRat(1, 1)}, "kg": {"g", big.NewRat(1000, 1)}, "斤": {"g", big.NewRat(500, 1)},
		"ml": {"ml", big.NewRat(1, 1)}, "毫升": {"ml", big.NewRat(1, 1)}, "l": {"ml", big.NewRat(1000, 1)}, "升": {"ml", big.NewRat(1000, 1)},
		"汤匙": {"ml", big.NewRat(15, 1)}, "茶匙": {"ml", big.NewRat(5, 1)},
	}
	if m, ok := known[strings.ToLower(unit)]; ok {
		return m
	}
	return measured{unit, big.NewRat(1, 1)}
}

var dual = regexp.MustCompile(`[(（,，/约 ]\s*(\d+(?:\.\d+)?)\s*(g|克|ml|毫升)`)

type ingredient struct {
	code, name, base, word string
	worth                  map[string]*big.Rat // unit as written → base units
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

func TestScoreRecipesComeInAndExplodeAsFractionsSay(t *testing.T) {
	data := os.Getenv("ZHANGGUI_DATA")
	lines, err := readTable(filepath.Join(data, "recipes-cn-bom", "ingredients.csv"))
	if err != nil {
		t.Fatal(err)
	}
	dishes, err := readTable(filepath.Join(data, "recipes-cn-bom", "dishes.csv"))
	if err != nil {
		t.Fatal(err)
	}

	// What each ingredient is kept in, and what its other measures are worth.
	count := map[string]map[string]int{}
	var names []string
	for _, r := range lines.rows {
		name := lines.get(r, "ingredient")
		if count[name] == nil {
			count[name] = map[string]int{}
			names = append(names, name)
		}
		if u := lines.get(r, "unit"); u != "" {
			count[name][measureOf(u).kind]++
		}
	}
	sort.Strings(names)
	of := map[string]*ingredient{}
	for i, name := range names {
		x := &ingredient{code: fmt.Sprintf("I%04d", i), name: name, base: "piece", worth: map[string]*big.Rat{}}
		most := 0
		for _, kind := range sortedWords(count[name]) {
			if n := count[name][kind]; n > most || n == most && (kind == "g" || kind == "ml") {
				most, x.word = n, kind
			}
		}
		if x.word == "g" || x.word == "ml" {
			x.base = x.word
		}
		of[name] = x
	}
	for _, r := range lines.rows {
		x := of[lines.get(r, "ingredient")]
		u, q := lines.get(r, "unit"), rat(lines.get(r, "qty"))
		if u == "" || q == nil || q.Sign() <= 0 || x.worth[u] != nil {
			continue
		}
		m := measureOf(u)
		switch {
		case m.kind == x.word:
			x.worth[u] = m.num
		case x.base != "piece" && lines.get(r, "qty_max") == "":
			rest := lines.get(r, "raw_text")
			if at := strings.Index(rest, u); at >= 0 {
				if found := dual.FindStringSubmatch(rest[at+len(u):]); found != nil && measureOf(found[2]).kind == x.base {
					x.worth[u] = new(big.Rat).Quo(rat(found[1]), q)
				}
			}
		}
	}
	var products, recipes [][]string
	for _, name := range names {
		x := of[name]
		if name == "" { // a line that names nothing is refused below
			continue
		}
		add := func(unit string, worth *big.Rat) {
			if !worth.Num().IsInt64() || !worth.Denom().IsInt64() {
				t.Fatalf("%s: one %s is %s", name, unit, worth)
			}
			products = append(products, []string{x.code, name, x.base, unit, worth.Num().String(), worth.Denom().String(), "13"})
		}
		add(x.base, big.NewRat(1, 1))
		for _, u := range sortedWords(x.worth) {
			if m := strings.ToLower(u); m == x.base || measureOf(u).kind == x.base && m != "汤匙" && m != "茶匙" {
				continue // needs no table
			}
			add(u, x.worth[u])
		}
	}
	code := map[string]string{}
	for i, r := range dishes.rows {
		code[dishes.get(r, "dish")] = fmt.Sprintf("D%03d", i)
		products = append(products, []string{fmt.Sprintf("D%03d", i), dishes.get(r, "dish"), "piece", "piece", "1", "1", "13"})
	}
	losses := [][2]string{{"0", "markup"}, {"0.03", "markup"}, {"0.125", "yield"}, {"0.2", "markup"}}
	written := map[string]int{}
	for i, r := range lines.rows {
		x := of[lines.get(r, "ingredient")]
		u := lines.get(r, "unit")
		if u == "" {
			if u = "无单位"; x.base == "piece" && x.word == "" {
				u = "piece" // 鸡蛋 2: counted, as everywhere
				x.worth[u] = big.NewRat(1, 1)
			}
		}
		loss := losses[i%len(losses)]
		recipes = append(recipes, []string{code[lines.get(r, "dish")], x.code, lines.get(r, "qty"), lines.get(r, "qty_max"), u, loss[0], loss[1], lines.get(r, "raw_text")})
		written[code[lines.get(r, "dish")]]++
	}

	// They come in, or are refused with a reason.
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "house.db")
	t.Setenv("ZHANGGUI_ADMIN_PASSWORD", "sesame-open-9")
	t.Setenv("LC_ALL", "C")
	bring := func(kind, name string, head []string, rows [][]string, more ...string) (refused *table) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := writeCSV(path, head, rows); err != nil {
			t.Fatal(err)
		}
		var out, complaint bytes.Buffer
		exit := Run(append([]string{"import", kind, path, "--db", dsn, "--mode", "good", "--json"}, more...), &out, &complaint)
		var report struct {
			Read    int `json:"rows_read"`
			New     int `json:"rows_new"`
			Refused int `json:"rows_refused"`
		}
		if err := json.Unmarshal(out.Bytes(), &report); err != nil || exit == 1 || report.Read != len(rows) || report.New+report.Refused != report.Read {
			t.Fatalf("import %s: exit %d, %+v of %d rows\n%s", kind, exit, report, len(rows), complaint.String())
		}
		if report.Refused == 0 {
			return &table{}
		}
		if refused, err = readTable(path + ".refused.csv"); err != nil || len(refused.rows) != report.Refused {
			t.Fatalf("%d rows were refused, listed are %d: %v", report.Refused, len(refused.rows), err)
		}
		return refused
	}
	const plain = "barcode=-,batch_size=-,category=-,price_fen=-,shelf_life_h=-"
	if bad := bring("products", "products.csv", []string{"product", "name", "base_unit", "unit", "unit_num", "unit_den", "tax_pct"}, products, "--map", plain); len(bad.rows) > 0 {
		t.Fatalf("products were refused: %v", bad.rows[0])
	}
	bad := bring("recipes", "recipes.csv", []string{"product", "component", "qty", "qty_max", "unit", "loss", "loss_rule", "raw_text"}, recipes, "--map", "yield_qty=-,yield_unit=-,valid_from=-,raw_text=-")
	reasons, out, own := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, r := range bad.rows {
		if bad.get(r, "code") == "" || bad.get(r, "message") == "" {
			t.Errorf("refused without a reason: %v", r)
		}
		reasons[bad.get(r, "code")+" at "+bad.get(r, "field")]++
		out[bad.get(r, "product")] = true
		if bad.get(r, "code") != "recipe_incomplete" {
			own[bad.get(r, "product")] = true
		}
	}
	var in []string
	for c := range written {
		if !out[c] {
			in = append(in, c)
		}
	}
	sort.Strings(in)
	ranges, duals := 0, 0
	for _, r := range recipes {
		if !out[r[0]] && r[3] != "" {
			ranges++
		}
	}
	for _, x := range of {
		for u := range x.worth {
			if measureOf(u).kind != x.word && u != "piece" {
				duals++
			}
		}
	}
	t.Logf("%d dishes, %d without a line; %d lines: %d dishes came in, %d were refused; %d ranges resolved, %d units learned from lines with two measures", len(dishes.rows), len(dishes.rows)-len(written), len(lines.rows), len(in), len(written)-len(in), ranges, duals)
	for _, why := range sortedWords(reasons) {
		t.Logf("  refused: %4d lines, %s", reasons[why], why)
	}
	if len(in)+len(out) != len(written) || len(own) != len(out) || len(in) == 0 {
		t.Errorf("%d dishes of %d came in, %d were refused, %d of them for a line of their own", len(in), len(written), len(out), len(own))
	}

	// Set meals of dishes, so that there are levels.
	r := rand.New(rand.NewPCG(213, 1000))
	var meals, parts [][]string
	for i := range 60 {
		meal := fmt.Sprintf("M%03d", i)
		meals = append(meals, []string{meal, "套餐" + fmt.Sprint(i), "piece", "piece", "1", "1", "13"})
		chosen := map[string]bool{}
		for range 2 + r.IntN(4) {
			part := in[r.IntN(len(in))]
			if i > 20 && r.IntN(4) == 0 {
				part = fmt.Sprintf("M%03d", r.IntN(20)) // a banquet of set meals
			}
			if !chosen[part] {
				chosen[part] = true
				loss := losses[r.IntN(len(losses))]
				parts = append(parts, []string{meal, part, fmt.Sprint(1 + r.IntN(5)), "", "piece", loss[0], loss[1]})
			}
		}
		in = append(in, meal)
	}
	bring("products", "meals.csv", []string{"product", "name", "base_unit", "unit", "unit_num", "unit_den", "tax_pct"}, meals, "--map", plain)
	if bad := bring("recipes", "parts.csv", []string{"product", "component", "qty", "qty_max", "unit", "loss", "loss_rule"}, parts, "--map", "yield_qty=-,yield_unit=-,valid_from=-"); len(bad.rows) > 0 {
		t.Fatalf("set meals were refused: %v", bad.rows[0])
	}

	// The same in fractions, from the files.
	type part struct {
		code string
		q    *big.Rat // base units for one, with the loss
	}
	book := map[string][]part{}
	unitOf := map[string]*ingredient{}
	for _, x := range of {
		unitOf[x.code] = x
	}
	for _, row := range append(recipes, parts...) {
		if out[row[0]] {
			continue
		}
		q := rat(row[2])
		if row[3] != "" {
			q = ceil(new(big.Rat).Quo(new(big.Rat).Add(q, rat(row[3])), big.NewRat(2, 1)), 1000)
		}
		if x := unitOf[row[1]]; x != nil {
			q = new(big.Rat).Mul(q, x.worth[row[4]])
		}
		one, loss := big.NewRat(1, 1), rat(row[5])
		if row[6] == "yield" {
			q = new(big.Rat).Quo(q, new(big.Rat).Sub(one, loss))
		} else {
			q = new(big.Rat).Mul(q, new(big.Rat).Add(one, loss))
		}
		twice := false
		for _, p := range book[row[0]] {
			twice = twice || p.code == row[1] // the file says a line twice, word for word
		}
		if !twice {
			book[row[0]] = append(book[row[0]], part{row[1], q})
		}
	}
	var follow func(code string, q *big.Rat, need map[string]*big.Rat)
	follow = func(code string, q *big.Rat, need map[string]*big.Rat) {
		if need[code] == nil {
			need[code] = new(big.Rat)
		}
		need[code].Add(need[code], q)
		for _, p := range book[code] {
			follow(p.code, new(big.Rat).Mul(q, p.q), need)
		}
	}

	d, err := db.Open(t.Context(), dsn, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ids, codes := map[string]id.ID{}, map[id.ID]string{}
	var cookbook *catalog.Cookbook
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		rows := tx.Query(`SELECT id, code FROM catalog_product`)
		defer rows.Close()
		for rows.Next() {
			var x id.ID
			var c string
			if err := rows.Scan(&x, &c); err != nil {
				return err
			}
			ids[c], codes[x] = x, c
		}
		all, err := catalog.Recipes(tx)
		if err == nil {
			cookbook, err = catalog.NewCookbook(all, func(x id.ID) string { return codes[x] })
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	piece := func(c string) bool { x := unitOf[c]; return x == nil || x.base == "piece" }
	checked, wrong := 0, 0
	for menu := range 1000 {
		ask, need := map[id.ID]qty.Qty{}, map[string]*big.Rat{}
		for range 1 + r.IntN(12) {
			c := in[r.IntN(len(in))]
			if _, ok := ask[ids[c]]; ok {
				continue
			}
			n := int64(1 + r.IntN(300))
			ask[ids[c]] = qty.Qty(n * qty.Scale)
			follow(c, big.NewRat(n, 1), need)
		}
		got, err := cookbook.Explode("2026-11-28", ask, func(id.ID) catalog.Stock { return catalog.Stock{} }, func(p id.ID) bool { return piece(codes[p]) })
		if err != nil {
			t.Fatalf("menu %d: %v", menu, err)
		}
		if len(got) != len(need) {
			t.Fatalf("menu %d needs %d products, fractions say %d", menu, len(got), len(need))
		}
		for _, x := range got {
			c := codes[x.Product]
			want := need[c]
			if want == nil {
				t.Fatalf("menu %d needs %s, fractions know nothing of it", menu, c)
			}
			checked++
			step := int64(1000)
			if piece(c) && len(book[c]) == 0 {
				step = 1
			}
			net := new(big.Rat).Mul(ceil(want, step), big.NewRat(1000, 1))
			exact := new(big.Rat).Mul(want, big.NewRat(1000, 1))
			if x.Need.Cmp(exact) != 0 || net.Cmp(big.NewRat(int64(x.Net), 1)) != 0 {
				if wrong++; wrong <= 10 {
					t.Errorf("menu %d, %s: need %s and net %d, fractions say %s and %s", menu, c, x.Need.FloatString(9), x.Net, exact.FloatString(9), net)
				}
			}
		}
	}
	t.Logf("1000 mixed menus, %d needs: %d differ from fractions (must: 0)", checked, wrong)
}

// ceil goes up to the next of so many parts of one.
func ceil(r *big.Rat, parts int64) *big.Rat {
	x := new(big.Rat).Mul(r, big.NewRat(parts, 1))
	n := new(big.Int).Add(x.Num(), new(big.Int).Sub(x.Denom(), big.NewInt(1)))
	return new(big.Rat).SetFrac(n.Div(n, x.Denom()), big.NewInt(parts))
}

func sortedWords[V any](m map[string]V) []string {
	words := make([]string, 0, len(m))
	for w := range m {
		words = append(words, w)
	}
	sort.Strings(words)
	return words
}

// table is a CSV file.
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
