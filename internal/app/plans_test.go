package app

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// written is a statement in the code of the house.
type written struct{ at, text string }

// folded finds the constant texts of a package: what is a literal, a sum of such, or the name of one.
type folded struct {
	named map[string]ast.Expr
	used  map[string]bool // names that are parts of other texts
	depth int
}

func (f *folded) text(e ast.Expr) (string, bool) {
	if f.depth > 20 {
		return "", false
	}
	f.depth++
	defer func() { f.depth-- }()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, e.Kind == token.STRING && err == nil
	case *ast.ParenExpr:
		return f.text(e.X)
	case *ast.BinaryExpr:
		left, ok := f.text(e.X)
		right, also := f.text(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	case *ast.Ident:
		if value := f.named[e.Name]; value != nil {
			return f.text(value)
		}
	case *ast.CallExpr: // the lock of rows, which SQLite has no word for
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "ForUpdate") {
			return "", true
		}
	}
	return "", false
}

var (
	begins  = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s`)
	aliases = regexp.MustCompile(`\b([a-z]+_[a-z_]+)(?:\s+AS)?\s+([a-z]\w*)\b`)
)

// statementsOf are the constant statements of the package in dir, those over many rows for one and for two.
func statementsOf(dir string) ([]written, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	packages := map[string][]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_pg.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return nil, err
		}
		packages[file.Name.Name] = append(packages[file.Name.Name], file)
	}
	var all []written
	for _, files := range packages {
		each := func(look func(ast.Node) bool) {
			for _, file := range files {
				ast.Inspect(file, look)
			}
		}
		f := &folded{named: map[string]ast.Expr{}, used: map[string]bool{}}
		each(func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) {
						f.named[name.Name] = n.Values[i]
					}
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if name, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE && len(n.Lhs) == len(n.Rhs) {
						f.named[name.Name] = n.Rhs[i]
					}
				}
			case *ast.BinaryExpr:
				for _, e := range []ast.Expr{n.X, n.Y} {
					if name, ok := e.(*ast.Ident); ok {
						f.used[name.Name] = true
					}
				}
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "NewMany" {
					for _, e := range n.Args {
						if name, ok := e.(*ast.Ident); ok {
							f.used[name.Name] = true
						}
					}
				}
			}
			return true
		})
		add := func(n ast.Node, texts ...string) {
			at := set.Position(n.Pos())
			for _, t := range texts {
				all = append(all, written{fmt.Sprintf("%s:%d", filepath.ToSlash(at.Filename), at.Line), t})
			}
		}
		each(func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "NewMany" {
					var parts []string
					for _, e := range n.Args {
						if t, ok := f.text(e); ok {
							parts = append(parts, t)
						}
					}
					if len(parts) == 3 {
						add(n, db.NewMany(parts[0], parts[1], parts[2]).Texts()...)
					} else {
						add(n, "?")
					}
					return false
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) && f.used[name.Name] {
						if t, ok := f.text(n.Values[i]); ok && begins.MatchString(t) {
							return false // a part: looked at where it is used
						}
					}
				}
			case ast.Expr:
				if t, ok := f.text(n); ok {
					if _, name := n.(*ast.Ident); !name && begins.MatchString(t) {
						add(n, t)
					}
					return false
				}
			}
			return true
		})
	}
	return all, nil
}

// growing are the tables that get longer with every day of trade, or with the range of goods; a register, a category or a role
// is not among them.
var growing = regexp.MustCompile(`^(ledger_(account|transfer|hold)|stock_(batch|place|document\w*|transit|transfer\w*|trail|count\w*|promise\w*|landed\w*|conversion\w*)` +
	`|till_(sale|line\w*|tender|payment|refund\w*|pay_out|trail|bundle|shift)|purchase_\w+|produce_\w+|replenish_(plan|production|requirement|proposal|requisition\w*|tuning)` +
	`|clear_(markdown|step)|forecast_(run|day|part|sale_day|override)\w*|price_(entry|document\w*)|catalog_(product|sku|unit|barcode|variant|component)` +
	`|org_(attendance|session|trail)|outbox_\w+|once_key|jobs_job|report_\w+|intake_\w+)$`)

// walks are statements that may go through such a table, each with its reason.
var walks = []struct{ has, because string }{
	{"relayed = 0", "the index of what is not relayed yet"},
	{"state IN ('unknown', 'pending')", "the index of payments that are not settled"},
	{"state = 'awaiting_payment' AND s.sold_at", "the index of sales that await a payment"},
	{"state = 1 AND h.site_id", "the index of promises that are open, and only when something of the product is promised"},
	{"a.out_at IS NULL ORDER BY a.staff_id", "the index of those who are present"},
	{"FROM intake_import i WHERE i.state IN", "the index of imports under way"},
	{"WHERE id IN (SELECT id FROM once_key ORDER BY id LIMIT", "the oldest few"},
	{"DELETE FROM jobs_job WHERE id IN", "a job, and jobs are kept for days only"},
	{"DELETE FROM org_session", "a job, and sessions end"},
	{"DELETE FROM forecast_sale_day WHERE site_id = $1 AND date = $2", "a job of the night: the day's own sales; SQLite deletes by the key, whatever other index there is"},
	{"SELECT MIN(", "the first entry of an index"},
	{"COALESCE(MIN(t.business_date), '') FROM ledger_transfer", "the first entry of an index"},
	{"FROM replenish_plan p JOIN org_site", "the newest page, by the key"},
	{"SELECT id FROM forecast_run WHERE site_id", "the first 10, by the key"},

	// What a site has now is as long as its shelves, however long it trades.
	{"b.open = 1 AND (b.expires_at, b.id) >", "the open batches of a site"},
	{"WHERE b.site_id = $1 AND b.open = 1", "the open batches of a site"},
	{"b.open = 1 AND b.expires_at <= $1 AND b.site_id IN", "the open batches of some sites"},
	{"b.open = 1 AND b.site_id IN", "the open batches of some sites"},
	{"n.open = 1 UNION SELECT o.batch_id", "a count of all that a site has"},
	{"INSERT INTO stock_count_line", "a count of all that a site has"},
	{"WITH page AS ( SELECT k.id AS sku_id", "the places of a site that are not ordinary: what is frozen, damaged or kept"},

	// Goods are thousands, and read into memory as a whole.
	{"FROM catalog_component c ORDER BY c.recipe_id", "all recipes, once when their version has changed"},
	{"FROM below b JOIN catalog_category c", "the policies in memory, when they have changed"},
	{"price_entry x WHERE x.valid_from < $1", "the price book, once at the start"},
	{"SELECT k.id, k.product_id FROM catalog_sku k", "all goods, for the figures of a day"},
	{"SELECT id, COALESCE(category_id, 0) FROM catalog_product", "all goods, for a report"},
	{"WHERE p.name IN (", "names in a file, once for 500 rows"},
	{"(SELECT COUNT(*) FROM till_register)", "a shop that is being made"},

	// Work of the night and of reports, beside the tills.
	{"FROM clear_step s WHERE s.at > $1", "a job of the night: what customers' answers teach"},
	{"UPDATE report_day SET stale = 1", "a row for each day of a site"},
	{"MIN(b.received_at) FROM stock_batch b", "a day being rolled up"},
	{"FROM forecast_run r WHERE r.applied_no =", "the newest run of each site, for a page"},
	{"LEFT JOIN org_staff f ON f.id = o.staff_id WHERE o.qty IS NOT NULL", "what people changed, for a page of accuracy"},
	{"FROM replenish_proposal l JOIN replenish_plan p", "the plan of the night"},
	{"FROM replenish_requisition r JOIN replenish_requisition_line l", "the plan of the night"},
	{"FROM purchase_receipt_line", "a proof"},
	{"FROM replenish_proposal p LEFT JOIN purchase_line l", "a proof"},
}

// wide says what a step of a plan goes through: a growing table from end to end, all that a site ever had of it, or an index
// made on the spot.
var (
	step    = regexp.MustCompile(`^(SCAN|SEARCH) (\w+)(.*)$`)
	lock    = regexp.MustCompile(`FOR UPDATE( OF \w+(, \w+)*)?( SKIP LOCKED)?$`)
	ofASite = regexp.MustCompile(`\((site_id|from_site|to_site|doc_kind|state)=\?\)`)
)

func wide(detail, text string) (string, bool) {
	part := step.FindStringSubmatch(detail)
	if part == nil {
		return "", false
	}
	name := part[2]
	for _, m := range aliases.FindAllStringSubmatch(text, -1) {
		if m[2] == name {
			name = m[1]
			break
		}
	}
	return name, growing.MatchString(name) && (part[1] == "SCAN" || strings.Contains(part[3], "AUTOMATIC") || ofASite.MatchString(part[3]))
}

// faults are the steps of a statement that go through too much.
func faults(tx *db.Tx, text string) ([]string, error) {
	text = strings.Join(strings.Fields(lock.ReplaceAllString(text, "")), " ")
	args := []any{}
	for strings.Contains(text, fmt.Sprintf("$%d", len(args)+1)) {
		args = append(args, 1)
	}
	//allow:sql the statements of the house, explained
	rows := tx.Query(`EXPLAIN QUERY PLAN `+text, args...)
	var found []string
	for rows.Next() {
		var node, parent, unused int64
		var detail string
		if err := rows.Scan(&node, &parent, &unused, &detail); err != nil {
			return nil, err
		}
		// Rows put into a table with children are looked for among the children only while a key of theirs dangles.
		children := strings.HasPrefix(text, "INSERT INTO") && !strings.Contains(text, "SELECT")
		if name, bad := wide(detail, text); bad && !children {
			found = append(found, name+": "+detail)
		}
	}
	return found, rows.Err()
}

// Nobody who waits, and no till behind the one writer, should wait longer because a shop has been open for years. PostgreSQL
// plans anew as tables grow; SQLite plans by the schema alone, and does not see a partial index whose condition a statement
// does not spell out.
func TestNobodyWaitsForAWholeTable(t *testing.T) {
	d := dbtest.New(t, db.SQLite, dbtest.With(migrations...))
	var all []written
	if err := filepath.WalkDir("..", func(dir string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		switch e.Name() {
		case "testdata", "bench", "lint", "db", "dbtest", "sim", "town":
			return filepath.SkipDir
		}
		found, err := statementsOf(dir)
		all = append(all, found...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	explained := 0
	for _, w := range all {
		if strings.Contains(w.at, "proof") || strings.Contains(w.at, "doctor.go") || w.text == "?" && strings.Contains(w.at, "platform/jobs") {
			continue // what looks at everything, or asks PostgreSQL only; the runner's lists of job kinds are explained by nobody
		}
		var found []string
		err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
			found, err = faults(tx, w.text)
			return err
		})
		if err != nil {
			t.Errorf("%s: %v in %s", w.at, err, w.text)
			continue
		}
		explained++
	next:
		for _, f := range found {
			for _, may := range walks {
				if strings.Contains(strings.Join(strings.Fields(w.text), " "), may.has) {
					used[may.has] = true
					continue next
				}
			}
			t.Errorf("%s goes through %s in\n%s", w.at, f, w.text)
		}
	}
	for _, may := range walks {
		if !used[may.has] {
			t.Errorf("no statement needs the leave to walk for %q (%s)", may.has, may.because)
		}
	}
	if explained < 900 {
		t.Errorf("only %d statements were found", explained)
	}
}

func TestAWalkThroughATableIsFound(t *testing.T) {
	d := dbtest.New(t, db.SQLite, dbtest.With(migrations...))
	for text, bad := range map[string]bool{
		"SELECT l.qty FROM till_line l WHERE l.markdown_id = $1":                               true, // the index is of those above 0
		"SELECT l.qty FROM till_line l WHERE l.markdown_id = $1 AND l.markdown_id > 0":         false,
		"SELECT b.id FROM stock_batch b WHERE b.site_id = $1 AND b.expires_at > $2":            true,
		"SELECT b.id FROM stock_batch b WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1": false,
		"SELECT w.id FROM stock_transit w WHERE w.to_site = $1 AND w.sku_id = $2":              true,
		"UPDATE ledger_hold SET state = 2 WHERE from_id = $1":                                  true,
		"SELECT id FROM org_role WHERE name = $1":                                              false, // roles are few
	} {
		var found []string
		if err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
			found, err = faults(tx, text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if (len(found) > 0) != bad {
			t.Errorf("%s: %v", text, found)
		}
	}
}
