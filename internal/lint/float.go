package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Money and quantities are integers. A float in their path rounds differently on each way of adding, so floats live
// only where figures are estimates.
var floatRule = &analysis.Analyzer{
	Name: "float",
	Doc:  "float64 is allowed only where figures are estimates; money and quantities are integers",
	Run:  runFloat,
}

// platform/db scans whatever a column holds; sim invents demand; bench measures time.
var floatPackages = []string{"platform/gbm", "platform/stats", "forecast", "replenish", "clear", "segment", "pick", "market", "report",
	"platform/db", "sim", "bench"}

// Where money and quantities cross over to estimates and come back by a named rounding.
var crossings = []string{"platform/money", "platform/qty"}

func runFloat(pass *analysis.Pass) (any, error) {
	where := inside(pass)
	if where == "" || where == "lint" {
		return nil, nil
	}
	for _, p := range floatPackages {
		if where == p || strings.HasPrefix(where, p+"/") {
			return nil, nil
		}
	}
	crossing := false
	for _, p := range crossings {
		crossing = crossing || where == p
	}
	report := reporterFor(pass, "float")
	for _, f := range pass.Files {
		if isTest(pass, f.Pos()) {
			continue
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && crossing && (fn.Name.Name == "Approx" || fn.Name.Name == "Nearest" || strings.HasPrefix(fn.Name.Name, "Round")) {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					if obj := pass.TypesInfo.Uses[n]; obj != nil && (obj == types.Universe.Lookup("float64") || obj == types.Universe.Lookup("float32")) {
						report.at(n, "%s in %s: money and quantities are integers", n.Name, where)
					} else if v, ok := pass.TypesInfo.Defs[n].(*types.Var); ok && isFloat(v.Type()) && !declaredWithType(f, n) {
						report.at(n, "%s is a float in %s: money and quantities are integers", n.Name, where)
					}
				case *ast.BasicLit:
					if n.Kind == token.FLOAT && isFloat(pass.TypesInfo.Types[n].Type) {
						report.at(n, "%s is a float in %s: money and quantities are integers", n.Value, where)
					}
				}
				return true
			})
		}
	}
	return nil, nil
}

func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsFloat != 0 && basic.Kind() != types.UntypedFloat
}

// declaredWithType is true where the type is written beside the name, and so is reported already.
func declaredWithType(f *ast.File, name *ast.Ident) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, x := range n.Names {
				found = found || x == name
			}
		case *ast.ValueSpec:
			for _, x := range n.Names {
				found = found || x == name && n.Type != nil
			}
		}
		return !found
	})
	return found
}
