package main

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// There are two clocks, and tests move one of them. A rule of the trade that asks the machine directly has a third.
// Floor 0 may: it makes the clocks, and measures how long its own work takes; so does bench.
var clockRule = &analysis.Analyzer{
	Name: "clock",
	Doc:  "the time comes from platform/clock or tx.Now",
	Run:  runClock,
}

func runClock(pass *analysis.Pass) (any, error) {
	where := inside(pass)
	if where == "" || strings.HasPrefix(where, "platform/") || where == "bench" || where == "lint" {
		return nil, nil
	}
	report := reporterFor(pass, "clock")
	for _, f := range pass.Files {
		if isTest(pass, f.Pos()) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			obj := pass.TypesInfo.Uses[sel.Sel]
			if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != "time" || obj.Parent() != obj.Pkg().Scope() {
				return true
			}
			switch obj.Name() {
			case "Now", "Since", "Until":
				report.at(sel, "time.%s: ask clock.Wall, the business clock or tx.Now", obj.Name())
			}
			return true
		})
	}
	return nil, nil
}
