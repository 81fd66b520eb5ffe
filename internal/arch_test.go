// The walls of the house: which package may import which, and whose tables a statement may touch.
// docs/architecture.md tells the reasons; the table of floors below is the only list.
package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "zhanggui"

// floors, from the ground up. A room imports, and reads the tables of, lower floors only.
// A name with /* makes each package below it a room of its own.
var floors = [][]string{
	0: {"platform"},
	1: {"ledger", "pricing", "org", "task"},
	2: {"catalog", "party", "member"},
	3: {"stock", "price", "promo", "till", "order", "pick", "purchase", "settle", "forecast", "replenish", "produce",
		"clear", "points", "wallet", "coupon", "segment", "campaign", "lease", "service", "market", "dine", "trace",
		"train", "risk", "device"},
	4: {"flow/*", "report"},
	5: {"sim", "bench"},
	6: {"app"},
}

// Outside the house: who may use it, and which of its rooms.
var outside = map[string][]string{
	"cmd":           {"app"},
	"cmd/*":         {"app", "pricing"},
	"web":           {},
	"internal/lint": {},
	"scripts":       {},
	"test":          {"app", "sim", "platform"},
}

// May write the tables of lower floors, and why.
var mayWriteBelow = map[string]string{
	"bench": "the floor of `bench sale` writes the rows of a sale without its rules, to tell what the rules cost",
}

// pricing is also built for browsers, so it stays free of everything heavy.
var onlyImports = map[string][]string{
	"pricing": {"platform/money", "platform/qty", "errors", "math", "math/bits", "slices", "sort", "strconv", "cmp"},
}

// room is where a package lives: its name in the table above, and its floor.
type room struct {
	name  string
	floor int
}

func (r room) String() string { return fmt.Sprintf("%s (floor %d)", r.name, r.floor) }

// roomOf finds the room of a path below internal/, as "platform/db" or "flow/checkout".
func roomOf(inside string) (room, bool) {
	parts := strings.Split(inside, "/")
	for floor, names := range floors {
		for _, name := range names {
			if name == parts[0] {
				return room{name, floor}, true
			}
			if strings.TrimSuffix(name, "/*") == parts[0] && strings.HasSuffix(name, "/*") && len(parts) > 1 {
				return room{parts[0] + "/" + parts[1], floor}, true
			}
		}
	}
	return room{}, false
}

// --- the import law

// checkImports returns one sentence per import that breaks the law. pkg is the directory from the module's root.
func checkImports(pkg string, inTest bool, imports []string) []string {
	var broken []string
	inside, isInside := strings.CutPrefix(pkg, "internal/")
	from, known := roomOf(inside)
	if isInside && !known && inside != "lint" {
		return []string{fmt.Sprintf("%s has no floor: give it one in internal/arch_test.go", pkg)}
	}
	for _, imported := range imports {
		target, ours := strings.CutPrefix(imported, module+"/internal/")
		if allowed, narrow := onlyImports[from.name]; isInside && known && narrow && !inTest {
			if name := strings.TrimPrefix(imported, module+"/internal/"); !contains(allowed, name) {
				broken = append(broken, fmt.Sprintf("%s must not import %s: it is also built for browsers", from.name, name))
			}
			continue
		}
		if !ours {
			if rest, mine := strings.CutPrefix(imported, module+"/"); mine && rest != pkg && isInside && rest != "web" {
				broken = append(broken, fmt.Sprintf("%s must not import %s", inside, rest))
			} else if mine && rest == "web" && isInside && from.name != "app" {
				broken = append(broken, fmt.Sprintf("%s must not import web: only app serves pages", from))
			}
			continue
		}
		to, ok := roomOf(target)
		switch {
		case !ok:
			broken = append(broken, fmt.Sprintf("%s must not import internal/%s: it is not a room of the house", pkg, target))
		case !isInside || !known:
			if !contains(allowedOutside(pkg), to.name) {
				broken = append(broken, fmt.Sprintf("%s must not import %s", pkg, to))
			}
		case to.name != from.name && to.floor >= from.floor:
			broken = append(broken, fmt.Sprintf("%s must not import %s", from, to))
		}
	}
	return broken
}

func allowedOutside(pkg string) []string {
	if allowed, ok := outside[pkg]; ok {
		return allowed
	}
	first, _, _ := strings.Cut(pkg, "/")
	if allowed, ok := outside[first+"/*"]; ok {
		return allowed
	}
	return outside[first]
}

// --- the table law

// A use of a table in a statement.
type use struct {
	table string
	write bool
	key   bool // named by a foreign key
}

// checkTables returns one sentence per table that the statement may not touch.
func checkTables(pkg, statement string) []string {
	inside := strings.TrimPrefix(pkg, "internal/")
	from, known := roomOf(inside)
	if !known {
		if uses := tablesOf(statement); len(uses) > 0 {
			return []string{fmt.Sprintf("%s must not speak SQL (it names %s)", pkg, uses[0].table)}
		}
		return nil
	}
	var broken []string
	for _, u := range tablesOf(statement) {
		owner, ok := ownerOf(u.table)
		_, excused := mayWriteBelow[from.name]
		switch {
		case !ok:
			broken = append(broken, fmt.Sprintf("%s names the table %s, which begins with no package's name", from, u.table))
		case path.Base(inside) == strings.SplitN(u.table, "_", 2)[0] && owner.name == from.name:
			// its own
		case u.write && !(excused && owner.floor < from.floor):
			broken = append(broken, fmt.Sprintf("%s must not write %s, a table of %s", from, u.table, owner))
		case owner.name == from.name:
			// platform packages may read each other
		case owner.floor >= from.floor && u.key:
			broken = append(broken, fmt.Sprintf("%s must not refer to %s, a table of %s: foreign keys point downward", from, u.table, owner))
		case owner.floor >= from.floor:
			broken = append(broken, fmt.Sprintf("%s must not read %s, a table of %s", from, u.table, owner))
		}
	}
	return broken
}

// ownerOf finds the room whose package the table is named after.
func ownerOf(table string) (room, bool) {
	name, _, split := strings.Cut(table, "_")
	if !split {
		return room{}, false
	}
	for floor, names := range floors {
		for _, n := range names {
			if n == name {
				return room{n, floor}, true
			}
		}
	}
	if isDir("platform/" + name) {
		return room{"platform", 0}, true
	}
	if isDir("flow/" + name) {
		return room{"flow/" + name, 4}, true
	}
	return room{}, false
}

func isDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

// tablesOf reads the names behind FROM, JOIN, INTO, UPDATE, REFERENCES, TABLE and ON (of an index). Keywords are
// upper case in all our SQL, so that prose in a string is not taken for a statement. Names of WITH parts, and of
// the engines' own tables, are left out.
func tablesOf(statement string) []use {
	words := sqlWords(statement)
	parts := map[string]bool{}
	for i := range words {
		if i+2 < len(words) && isName(words[i]) && words[i+1] == "AS" && (words[i+2] == "(" || words[i+2] == "MATERIALIZED" || words[i+2] == "NOT") {
			parts[words[i]] = true
		}
		// WITH name(column, …) AS (
		if i > 0 && (words[i-1] == "WITH" || words[i-1] == "RECURSIVE" || words[i-1] == ",") && isName(words[i]) && i+1 < len(words) && words[i+1] == "(" {
			if end := closing(words, i+1); end+2 < len(words) && words[end+1] == "AS" && words[end+2] == "(" {
				parts[words[i]] = true
			}
		}
	}
	var uses []use
	add := func(name string, write, key bool) {
		if isName(name) && !parts[name] && !engineTable(name) && strings.Contains(name, "_") {
			uses = append(uses, use{name, write, key})
		}
	}
	word := func(i int) string {
		if i >= 0 && i < len(words) {
			return words[i]
		}
		return ""
	}
	for i, w := range words {
		switch w {
		case "FROM":
			if word(i-1) == "DISTINCT" { // IS DISTINCT FROM
				continue
			}
			for j := i + 1; ; { // a, b AS x, (SELECT …) y
				if word(j) == "(" {
					j = closing(words, j) + 1
				} else {
					add(word(j), word(i-1) == "DELETE", false)
					j++
				}
				if word(j) == "AS" {
					j++
				}
				if isName(word(j)) {
					j++
				}
				if word(j) != "," {
					break
				}
				j++
			}
		case "JOIN":
			add(word(i+1), false, false)
		case "INTO":
			add(word(i+1), true, false)
		case "UPDATE":
			if word(i+1) != "SET" && word(i-1) != "FOR" && word(i-1) != "KEY" {
				add(word(i+1), true, false)
			}
		case "REFERENCES":
			add(word(i+1), false, true)
		case "TABLE":
			j := i + 1
			for word(j) == "IF" || word(j) == "NOT" || word(j) == "EXISTS" || word(j) == "ONLY" {
				j++
			}
			add(word(j), true, false)
		case "INDEX":
			j := i + 1
			for j < len(words) && word(j) != "ON" && word(j) != ";" {
				j++
			}
			if word(j) == "ON" {
				add(word(j+1), true, false)
			}
		}
	}
	return uses
}

// sqlWords splits a statement into names, keywords and single signs; texts, comments and casts are dropped.
func sqlWords(s string) []string {
	var words []string
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'':
			for i++; i < len(s) && s[i] != '\''; i++ {
			}
			i++
		case strings.HasPrefix(s[i:], "--"):
			for i < len(s) && s[i] != '\n' {
				i++
			}
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(s) && (s[j] == '_' || s[j] == '.' || s[j] >= 'a' && s[j] <= 'z' || s[j] >= 'A' && s[j] <= 'Z' || s[j] >= '0' && s[j] <= '9') {
				j++
			}
			words = append(words, s[i:j])
			i = j
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		default:
			words = append(words, string(c))
			i++
		}
	}
	return words
}

func closing(words []string, open int) int {
	depth := 0
	for i := open; i < len(words); i++ {
		switch words[i] {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(words)
}

func isName(w string) bool { return w != "" && w == strings.ToLower(w) && (w[0] == '_' || w[0] >= 'a') }

func engineTable(name string) bool {
	for _, p := range []string{"sqlite_", "pg_", "information_schema", "json_", "goose_", "generate_", "pragma_"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// --- walking the tree

type file struct {
	pkg        string // directory from the module's root
	name       string
	imports    []string
	statements []string
}

func readGo(pkg, name string, src any) (file, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{pkg: pkg, name: name}
	for _, i := range tree.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		f.imports = append(f.imports, p)
	}
	if strings.HasSuffix(name, "_test.go") {
		return f, nil // a test may damage any table to see that the damage is found
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if text, ok := constantText(n); ok {
			f.statements = append(f.statements, text)
			return false
		}
		return true
	})
	return f, nil
}

// constantText gives the text of a string literal or of a sum in which all literals are joined; what is not a
// literal in such a sum leaves a blank.
func constantText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(n.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		if n.Op != token.ADD {
			return "", false
		}
		left, okLeft := constantText(n.X)
		right, okRight := constantText(n.Y)
		return left + " " + right, okLeft || okRight
	case *ast.ParenExpr:
		return constantText(n.X)
	}
	return "", false
}

func readTree(t *testing.T, root string) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			base := d.Name()
			if rel != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || base == "dist" || rel == "data" || rel == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		dir := path.Dir(rel)
		switch {
		case strings.HasSuffix(rel, ".go"):
			f, err := readGo(dir, p, nil)
			if err != nil {
				return err
			}
			f.name = rel
			files = append(files, f)
		case strings.HasSuffix(rel, ".sql") && path.Base(dir) == "migrations":
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			files = append(files, file{pkg: path.Dir(dir), name: rel, statements: []string{string(text)}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func check(f file) []string {
	broken := checkImports(f.pkg, strings.HasSuffix(f.name, "_test.go"), f.imports)
	for _, s := range f.statements {
		broken = append(broken, checkTables(f.pkg, s)...)
	}
	sort.Strings(broken)
	return broken
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestTheHouseKeepsItsLaws(t *testing.T) {
	files := readTree(t, "..")
	if len(files) < 20 {
		t.Fatalf("only %d files were read: the walls were not looked at", len(files))
	}
	for _, f := range files {
		if f.name == "internal/arch_test.go" {
			continue
		}
		for _, sentence := range check(f) {
			t.Errorf("%s: %s", f.name, sentence)
		}
	}
}

func TestABadImportIsFound(t *testing.T) {
	for _, c := range []struct{ pkg, imports, want string }{
		{"internal/points", "internal/stock", "points (floor 3) must not import stock (floor 3)"},
		{"internal/ledger", "internal/till", "ledger (floor 1) must not import till (floor 3)"},
		{"internal/platform/web", "internal/org", "platform (floor 0) must not import org (floor 1)"},
		{"internal/flow/refund", "internal/flow/checkout", "flow/refund (floor 4) must not import flow/checkout (floor 4)"},
		{"internal/stock", "internal/app", "stock (floor 3) must not import app (floor 6)"},
		{"internal/stock", "web", "stock (floor 3) must not import web: only app serves pages"},
		{"internal/pricing", "fmt", "pricing must not import fmt: it is also built for browsers"},
		{"internal/pricing", "internal/platform/db", "pricing must not import platform/db: it is also built for browsers"},
		{"internal/helpers", "fmt", "internal/helpers has no floor: give it one in internal/arch_test.go"},
		{"cmd/zhanggui", "internal/till", "cmd/zhanggui must not import till (floor 3)"},
	} {
		imported := c.imports
		if strings.Contains(imported, "/") || imported == "web" {
			imported = module + "/" + imported
		}
		f, err := readGo(c.pkg, "bad.go", "package bad\nimport _ "+strconv.Quote(imported)+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := check(f); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s importing %s: got %q, want %q", c.pkg, c.imports, got, c.want)
		}
	}
}

func TestAGoodImportPasses(t *testing.T) {
	for pkg, imported := range map[string]string{
		"internal/stock":         "zhanggui/internal/ledger",
		"internal/flow/checkout": "zhanggui/internal/till",
		"internal/platform/web":  "zhanggui/internal/platform/db",
		"internal/pricing":       "zhanggui/internal/platform/money",
		"internal/app":           "zhanggui/web",
		"cmd/zhanggui":           "zhanggui/internal/app",
		"internal/till":          "encoding/json",
	} {
		if broken := checkImports(pkg, false, []string{imported}); len(broken) > 0 {
			t.Errorf("%s may import %s: %v", pkg, imported, broken)
		}
	}
}

func TestABadStatementIsFound(t *testing.T) {
	for _, c := range []struct{ pkg, sql, want string }{
		{"internal/till", "SELECT id FROM stock_batch", "till (floor 3) must not read stock_batch, a table of stock (floor 3)"},
		{"internal/till", "SELECT 1 FROM till_sale s JOIN price_version p ON p.id = s.id", "till (floor 3) must not read price_version, a table of price (floor 3)"},
		{"internal/till", "SELECT 1 FROM till_sale s, stock_batch b", "till (floor 3) must not read stock_batch, a table of stock (floor 3)"},
		{"internal/stock", "UPDATE ledger_account SET low = 0", "stock (floor 3) must not write ledger_account, a table of ledger (floor 1)"},
		{"internal/flow/checkout", "DELETE FROM till_sale", "flow/checkout (floor 4) must not write till_sale, a table of till (floor 3)"},
		{"internal/report", "INSERT INTO stock_batch (id) VALUES ($1)", "report (floor 4) must not write stock_batch, a table of stock (floor 3)"},
		{"internal/ledger", "SELECT 1 FROM (SELECT 2) x JOIN till_sale t ON 1 = 1", "ledger (floor 1) must not read till_sale, a table of till (floor 3)"},
		{"internal/catalog", "CREATE TABLE products_all (id BIGINT PRIMARY KEY)", "catalog (floor 2) names the table products_all, which begins with no package's name"},
		{"internal/ledger", "CREATE TABLE ledger_x (a BIGINT REFERENCES till_sale(id))", "ledger (floor 1) must not refer to till_sale, a table of till (floor 3): foreign keys point downward"},
		{"internal/stock", "CREATE INDEX stock_i ON till_sale (id)", "stock (floor 3) must not write till_sale, a table of till (floor 3)"},
		{"internal/platform/jobs", "UPDATE money_event SET relayed = 1", "platform (floor 0) must not write money_event, a table of platform (floor 0)"},
		{"internal/lint", "SELECT id FROM till_sale", "internal/lint must not speak SQL (it names till_sale)"},
	} {
		f, err := readGo(c.pkg, "bad.go", "package bad\nconst s = "+strconv.Quote(c.sql)+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := check(f); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.pkg, c.sql, got, c.want)
		}
	}
	// A statement in pieces is still one statement.
	f, err := readGo("internal/till", "bad.go", "package bad\nvar s = \"SELECT id FROM \" + \"stock_batch\" + more()\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := check(f); len(got) != 1 {
		t.Errorf("a statement in pieces: %q", got)
	}
}

func TestAGoodStatementPasses(t *testing.T) {
	for sql, pkg := range map[string]string{
		"SELECT posted_in FROM ledger_account WHERE id = $1":                                 "internal/stock",
		"UPDATE stock_batch SET open = 0 WHERE id = $1":                                      "internal/stock",
		"INSERT INTO till_sale (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = $1":      "internal/till",
		"SELECT 1 FROM stock_batch b JOIN till_line l ON l.batch_id = b.id":                  "internal/flow/checkout",
		"WITH last_price AS (SELECT 1 FROM price_version) SELECT 1 FROM last_price":          "internal/price",
		"WITH day_sum(d, n) AS (SELECT 1, 2) SELECT d FROM day_sum":                          "internal/report",
		"SELECT 1 FROM till_sale WHERE a IS DISTINCT FROM b_c":                               "internal/till",
		"SELECT id FROM stock_batch WHERE id = $1 FOR UPDATE":                                "internal/stock",
		"SELECT name FROM sqlite_master":                                                     "internal/platform/db",
		"the file came from till_sale and went into stock_batch":                             "internal/till",
		"SELECT 'FROM stock_batch' FROM till_sale -- JOIN stock_batch":                       "internal/till",
		"CREATE UNIQUE INDEX till_sale_slip ON till_sale (site_id, slip_no) WHERE slip_no>0": "internal/till",
	} {
		if broken := checkTables(pkg, sql); len(broken) > 0 {
			t.Errorf("%s, %s: %v", pkg, sql, broken)
		}
	}
}
