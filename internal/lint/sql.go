package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// A statement is a constant: it can be listed, prepared on both engines, and nothing a user sends can become part
// of it. Its placeholders first appear as $1, $2, $3 …, because some drivers bind by the order of appearance.
var sqlRule = &analysis.Analyzer{
	Name: "sql",
	Doc:  "statements are constants, and their placeholders first appear in rising order",
	Run:  runSQL,
}

var (
	statement   = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s`)
	fragment    = regexp.MustCompile(`(^|\s)(SELECT|INSERT INTO|DELETE FROM|FROM [a-z]+_|JOIN [a-z]+_|WHERE|ORDER BY|GROUP BY|VALUES|ON CONFLICT|UPDATE [a-z]+_[a-z_]+ SET)(\s|$|\()`)
	placeholder = regexp.MustCompile(`\$([0-9]+)`)
	quoted      = regexp.MustCompile(`'[^']*'`)
)

func runSQL(pass *analysis.Pass) (any, error) {
	where := inside(pass)
	if where == "platform/db" || where == "lint" {
		return nil, nil
	}
	report := reporterFor(pass, "sql")
	for _, f := range pass.Files {
		if isTest(pass, f.Pos()) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.CallExpr:
				checkCall(pass, report, f, n)
			case ast.Expr:
				if text, ok := constText(pass, n); ok {
					checkOrder(report, n, text)
					return false
				}
				if sum, ok := n.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
					checkSum(pass, report, sum)
				}
			case *ast.AssignStmt:
				if n.Tok == token.ADD_ASSIGN {
					if text, ok := constText(pass, n.Rhs[0]); ok && fragment.MatchString(text) {
						report.at(n, "SQL is put together from pieces: write whole statements")
					}
				}
			}
			return true
		})
	}
	return nil, nil
}

func constText(pass *analysis.Pass, e ast.Expr) (string, bool) {
	v := pass.TypesInfo.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// checkOrder wants $1 before $2 before $3.
func checkOrder(report *reporter, n ast.Node, text string) {
	if !statement.MatchString(text) {
		return
	}
	if fault := orderFault(text); fault != "" {
		report.at(n, "%s", fault)
	}
}

func orderFault(text string) string {
	highest := 0
	for _, m := range placeholder.FindAllStringSubmatch(quoted.ReplaceAllString(text, "''"), -1) {
		k, _ := strconv.Atoi(m[1])
		if k > highest+1 {
			return fmt.Sprintf("$%d appears before $%d: placeholders first appear in rising order", k, highest+1)
		}
		if k == highest+1 {
			highest = k
		}
	}
	return ""
}

// checkSum refuses "SELECT …" + something, unless what is added is the engine's row lock.
func checkSum(pass *analysis.Pass, report *reporter, sum *ast.BinaryExpr) {
	parts := flatten(sum)
	sql := false
	for _, p := range parts {
		text, ok := constText(pass, p)
		sql = sql || ok && (statement.MatchString(text) || fragment.MatchString(text))
	}
	if !sql {
		return
	}
	for _, p := range parts {
		if _, ok := constText(pass, p); !ok && !dbCall(pass, p) {
			report.at(p, "SQL glued with a value: use a placeholder, or whole statements as constants")
			return
		}
	}
}

func flatten(e ast.Expr) []ast.Expr {
	switch x := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		if x.Op == token.ADD {
			return append(flatten(x.X), flatten(x.Y)...)
		}
		return []ast.Expr{x}
	default:
		return []ast.Expr{x}
	}
}

// dbCall is true for text that platform/db itself made: tx.ForUpdate(), db.In(…).
func dbCall(pass *analysis.Pass, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := called(pass, call)
	return fn != nil && fromDB(fn)
}

func called(pass *analysis.Pass, call *ast.CallExpr) *types.Func {
	var id *ast.Ident
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.SelectorExpr:
		id = f.Sel
	case *ast.Ident:
		id = f
	default:
		return nil
	}
	fn, _ := pass.TypesInfo.Uses[id].(*types.Func)
	return fn
}

func fromDB(fn *types.Func) bool {
	return fn.Pkg() != nil && (fn.Pkg().Path() == module+"/internal/platform/db")
}

// checkCall looks at tx.Exec, ExecN, Query and QueryRow: their text is a constant, a sum that checkSum allows, or
// a variable that only ever holds such. It also refuses statements made by fmt.
func checkCall(pass *analysis.Pass, report *reporter, f *ast.File, call *ast.CallExpr) {
	fn := called(pass, call)
	if fn == nil || fn.Pkg() == nil || len(call.Args) == 0 {
		return
	}
	if fn.Pkg().Path() == "fmt" && strings.HasSuffix(fn.Name(), "printf") {
		for _, a := range call.Args {
			if text, ok := constText(pass, a); ok && statement.MatchString(text) {
				report.at(call, "SQL made by fmt.%s: use placeholders", fn.Name())
			}
		}
		return
	}
	if !fromDB(fn) {
		return
	}
	switch fn.Name() {
	case "NewMany": // head, one row, tail
		for _, a := range call.Args {
			if _, ok := constText(pass, a); !ok {
				report.at(a, "the statement is not a constant: nobody can list or prepare it")
			}
		}
	case "Exec", "ExecN", "Query", "QueryRow":
		if !constantSQL(pass, f, call.Args[0], 0) {
			report.at(call.Args[0], "the statement is not a constant: nobody can list or prepare it")
		}
	}
}

func constantSQL(pass *analysis.Pass, f *ast.File, e ast.Expr, depth int) bool {
	if depth > 4 {
		return false
	}
	e = ast.Unparen(e)
	if _, ok := constText(pass, e); ok || dbCall(pass, e) {
		return true
	}
	switch x := e.(type) {
	case *ast.BinaryExpr:
		for _, p := range flatten(x) {
			if !constantSQL(pass, f, p, depth+1) {
				return false
			}
		}
		return true
	case *ast.Ident:
		v, ok := pass.TypesInfo.Uses[x].(*types.Var)
		if !ok {
			return false
		}
		return onlyConstant(pass, v, depth+1)
	}
	return false
}

// onlyConstant is true when every value ever put into the variable is a constant statement.
func onlyConstant(pass *analysis.Pass, v *types.Var, depth int) bool {
	seen, good := false, true
	judge := func(f *ast.File, names []ast.Expr, values []ast.Expr) {
		for i, n := range names {
			id, ok := n.(*ast.Ident)
			if !ok || pass.TypesInfo.Defs[id] != v && pass.TypesInfo.Uses[id] != v {
				continue
			}
			if len(values) == 0 && pass.TypesInfo.Defs[id] == v {
				continue // var text string
			}
			seen = true
			good = good && len(names) == len(values) && constantSQL(pass, f, values[i], depth)
		}
	}
	for _, f := range pass.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				judge(f, n.Lhs, n.Rhs)
			case *ast.ValueSpec:
				names := make([]ast.Expr, len(n.Names))
				for i := range n.Names {
					names[i] = n.Names[i]
				}
				judge(f, names, n.Values)
			case *ast.RangeStmt:
				judge(f, []ast.Expr{n.Key, n.Value}, []ast.Expr{nil})
			case *ast.UnaryExpr:
				if id, ok := n.X.(*ast.Ident); ok && n.Op == token.AND && pass.TypesInfo.Uses[id] == v {
					good = false
				}
			}
			return true
		})
	}
	return seen && good
}
