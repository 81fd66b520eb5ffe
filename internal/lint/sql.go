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
	Name:      "sql",
	Doc:       "statements are constants, and their placeholders first appear in rising order",
	Run:       runSQL,
	FactTypes: []analysis.Fact{new(takesSQL)},
}

// takesSQL marks a function whose parameters with these numbers become statements: whoever calls it is held to the
// rule as if it called the database.
type takesSQL struct{ Params []int }

func (*takesSQL) AFact()         {}
func (*takesSQL) String() string { return "takes statements" }

var (
	statement   = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s`)
	fragment    = regexp.MustCompile(`(^|\s)(SELECT|INSERT INTO|DELETE FROM|FROM [a-z]+_|JOIN [a-z]+_|WHERE|ORDER BY|GROUP BY|VALUES|ON CONFLICT|UPDATE [a-z]+_[a-z_]+ SET)(\s|$|\()`)
	placeholder = regexp.MustCompile(`\$([0-9]+)`)
	quoted      = regexp.MustCompile(`'[^']*'`)
)

type sqlPass struct {
	*analysis.Pass
	report *reporter
	decls  map[*types.Func]*ast.FuncDecl
	params map[*types.Var]param // of the functions of this package
	sinks  map[*types.Func][]int
}

type param struct {
	of *types.Func
	at int
}

func runSQL(pass *analysis.Pass) (any, error) {
	where := inside(pass)
	if where == "platform/db" || strings.HasPrefix(where, "platform/dbtest") || where == "lint" {
		return nil, nil
	}
	p := &sqlPass{pass, reporterFor(pass, "sql"), map[*types.Func]*ast.FuncDecl{}, map[*types.Var]param{}, map[*types.Func][]int{}}
	var files []*ast.File
	for _, f := range pass.Files {
		if !isTest(pass, f.Pos()) {
			files = append(files, f)
		}
	}
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if obj, ok := pass.TypesInfo.Defs[fn.Name].(*types.Func); ok {
					p.decls[obj] = fn
					for i := range obj.Signature().Params().Len() {
						p.params[obj.Signature().Params().At(i)] = param{obj, i}
					}
				}
			}
		}
	}
	for p.spread(files) { // until no more function is found to take a statement
	}
	for fn, params := range p.sinks {
		if _, ok := p.decls[fn]; ok {
			pass.ExportObjectFact(fn, &takesSQL{params})
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.CallExpr:
				p.checkCall(n)
			case ast.Expr:
				if text, ok := p.text(n); ok {
					p.checkOrder(n, text)
					return false
				}
				if sum, ok := n.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
					return !p.checkSum(sum)
				}
			case *ast.AssignStmt:
				if n.Tok == token.ADD_ASSIGN {
					if text, ok := p.text(n.Rhs[0]); ok && fragment.MatchString(text) {
						p.report.at(n, "SQL is put together from pieces: write whole statements")
					}
				}
			}
			return true
		})
	}
	return nil, nil
}

// text is the value of a constant string.
func (p *sqlPass) text(e ast.Expr) (string, bool) {
	v := p.TypesInfo.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

// checkOrder wants $1 before $2 before $3.
func (p *sqlPass) checkOrder(n ast.Node, text string) {
	if !statement.MatchString(text) {
		return
	}
	if fault := orderFault(text); fault != "" {
		p.report.at(n, "%s", fault)
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

// checkSum refuses "SELECT …" + something, unless what is added is constant too or the engine's row lock. It says
// whether it found something.
func (p *sqlPass) checkSum(sum *ast.BinaryExpr) bool {
	parts := flatten(sum)
	sql := false
	for _, part := range parts {
		text, ok := p.text(part)
		sql = sql || ok && (statement.MatchString(text) || fragment.MatchString(text))
	}
	if !sql {
		return false
	}
	for _, part := range parts {
		if !p.constant(part, 0) {
			p.report.at(part, "SQL glued with a value: use a placeholder, or whole statements as constants")
			return true
		}
	}
	return false
}

func flatten(e ast.Expr) []ast.Expr {
	if x, ok := ast.Unparen(e).(*ast.BinaryExpr); ok && x.Op == token.ADD {
		return append(flatten(x.X), flatten(x.Y)...)
	}
	return []ast.Expr{ast.Unparen(e)}
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
	return fn.Pkg() != nil && fn.Pkg().Path() == module+"/internal/platform/db"
}

// taken are the numbers of the parameters that become statements.
func (p *sqlPass) taken(fn *types.Func) []int {
	if fromDB(fn) {
		if fn.Name() == "NewMany" { // head, one row, tail
			return []int{0, 1, 2}
		}
		for i := range fn.Signature().Params().Len() {
			if v := fn.Signature().Params().At(i); v.Name() == "sql" {
				return []int{i}
			}
		}
		return nil
	}
	if known, ok := p.sinks[fn]; ok {
		return known
	}
	var fact takesSQL
	if fn.Pkg() != nil && fn.Pkg() != p.Pkg && p.ImportObjectFact(fn, &fact) {
		return fact.Params
	}
	return nil
}

// spread finds functions that hand a parameter of theirs on as a statement, and says whether there was a new one.
func (p *sqlPass) spread(files []*ast.File) bool {
	found := false
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn := called(p.Pass, call)
			if fn == nil {
				return true
			}
			for _, arg := range p.statements(fn, call) {
				for _, part := range flatten(arg) {
					if from, ok := p.params[p.source(files, part)]; ok && !has(p.sinks[from.of], from.at) {
						p.sinks[from.of] = append(p.sinks[from.of], from.at)
						found = true
					}
				}
			}
			return true
		})
	}
	return found
}

// statements are the arguments of a call that become statements.
func (p *sqlPass) statements(fn *types.Func, call *ast.CallExpr) []ast.Expr {
	var all []ast.Expr
	for _, i := range p.taken(fn) {
		switch last := fn.Signature().Params().Len() - 1; {
		case i >= len(call.Args):
		case fn.Signature().Variadic() && i == last:
			all = append(all, call.Args[i:]...)
		default:
			all = append(all, call.Args[i])
		}
	}
	return all
}

// source is the variable that an expression reads, or the list that it comes from in a loop.
func (p *sqlPass) source(files []*ast.File, e ast.Expr) *types.Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := p.TypesInfo.Uses[id].(*types.Var)
	if v == nil {
		return nil
	}
	for _, f := range files {
		if f.FileStart <= v.Pos() && v.Pos() < f.FileEnd {
			ast.Inspect(f, func(n ast.Node) bool {
				if loop, ok := n.(*ast.RangeStmt); ok {
					if value, ok := loop.Value.(*ast.Ident); ok && p.TypesInfo.Defs[value] == v {
						if list, ok := loop.X.(*ast.Ident); ok {
							if from, ok := p.TypesInfo.Uses[list].(*types.Var); ok {
								v = from
							}
						}
					}
				}
				return true
			})
		}
	}
	return v
}

func has(list []int, i int) bool {
	for _, x := range list {
		if x == i {
			return true
		}
	}
	return false
}

// checkCall looks at what is handed to the database, or to a function that hands it on.
func (p *sqlPass) checkCall(call *ast.CallExpr) {
	fn := called(p.Pass, call)
	if fn == nil || fn.Pkg() == nil {
		return
	}
	if fn.Pkg().Path() == "fmt" && strings.HasSuffix(fn.Name(), "printf") {
		for _, a := range call.Args {
			if text, ok := p.text(a); ok && statement.MatchString(text) {
				p.report.at(call, "SQL made by fmt.%s: use placeholders", fn.Name())
			}
		}
		return
	}
	for _, arg := range p.statements(fn, call) {
		if !p.constant(arg, 0) {
			p.report.at(arg, "the statement is not a constant: nobody can list or prepare it")
		}
	}
}

// constant is true for a text that is one of finitely many written in the code: a constant, a sum of such, text
// that platform/db made itself, a variable or field that only ever holds such, what a function of this package
// returns if it returns only such, a parameter that callers are held to.
func (p *sqlPass) constant(e ast.Expr, depth int) bool {
	if depth > 6 || e == nil {
		return false
	}
	e = ast.Unparen(e)
	if _, ok := p.text(e); ok {
		return true
	}
	switch x := e.(type) {
	case *ast.BinaryExpr:
		for _, part := range flatten(x) {
			if !p.constant(part, depth+1) {
				return false
			}
		}
		return x.Op == token.ADD
	case *ast.CallExpr:
		fn := called(p.Pass, x)
		return fn != nil && (fromDB(fn) || p.returnsConstant(fn, depth+1))
	case *ast.CompositeLit:
		for _, el := range x.Elts {
			if kv, ok := el.(*ast.KeyValueExpr); ok {
				el = kv.Value
			}
			if !p.constant(el, depth+1) {
				return false
			}
		}
		return true
	case *ast.IndexExpr:
		return p.constant(x.X, depth+1)
	case *ast.Ident:
		v, ok := p.TypesInfo.Uses[x].(*types.Var)
		if !ok {
			return false
		}
		if from, ok := p.params[v]; ok {
			return has(p.sinks[from.of], from.at)
		}
		return p.onlyConstant(v, depth+1)
	case *ast.SelectorExpr:
		v, ok := p.TypesInfo.Uses[x.Sel].(*types.Var)
		return ok && v.IsField() && v.Pkg() == p.Pkg && p.onlyConstant(v, depth+1)
	}
	return false
}

func (p *sqlPass) returnsConstant(fn *types.Func, depth int) bool {
	decl := p.decls[fn]
	if decl == nil || decl.Body == nil {
		return false
	}
	seen, good := false, true
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			seen = true
			good = good && len(n.Results) == 1 && p.constant(n.Results[0], depth)
		}
		return true
	})
	return seen && good
}

// onlyConstant is true when every value ever put into the variable or field is a constant text.
func (p *sqlPass) onlyConstant(v *types.Var, depth int) bool {
	seen, good := false, true
	is := func(e ast.Expr) bool {
		switch x := e.(type) {
		case *ast.Ident:
			return p.TypesInfo.Defs[x] == v || p.TypesInfo.Uses[x] == v
		case *ast.SelectorExpr:
			return p.TypesInfo.Uses[x.Sel] == v
		}
		return false
	}
	put := func(value ast.Expr) {
		seen = true
		good = good && p.constant(value, depth)
	}
	assign := func(names, values []ast.Expr) {
		for i, n := range names {
			switch {
			case !is(n) || len(values) == 0: // another one, or var text string
			case len(names) == len(values):
				put(values[i])
			default:
				good = false
			}
		}
	}
	for _, f := range p.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				assign(n.Lhs, n.Rhs)
			case *ast.ValueSpec:
				names := make([]ast.Expr, len(n.Names))
				for i := range n.Names {
					names[i] = n.Names[i]
				}
				assign(names, n.Values)
			case *ast.RangeStmt:
				if n.Key != nil && is(n.Key) {
					good = false
				}
				if n.Value != nil && is(n.Value) {
					put(n.X)
				}
			case *ast.KeyValueExpr:
				if is(n.Key) {
					put(n.Value)
				}
			case *ast.CompositeLit:
				if s, ok := typeOf(p, n).(*types.Struct); ok && len(n.Elts) > 0 {
					if _, keyed := n.Elts[0].(*ast.KeyValueExpr); !keyed {
						for i, el := range n.Elts {
							if s.Field(i) == v {
								put(el)
							}
						}
					}
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND && is(n.X) {
					good = false
				}
			}
			return true
		})
	}
	return seen && good
}

func typeOf(p *sqlPass, e ast.Expr) types.Type {
	t := p.TypesInfo.TypeOf(e)
	if t == nil {
		return nil
	}
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	return t.Underlying()
}
