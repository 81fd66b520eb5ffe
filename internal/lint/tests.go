package main

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// A test that sleeps is slow or wrong, mostly both; a test that skips hides a hole.
var testRule = &analysis.Analyzer{
	Name: "tests",
	Doc:  "tests neither sleep nor skip",
	Run:  runTests,
}

func runTests(pass *analysis.Pass) (any, error) {
	report := reporterFor(pass, "tests")
	for _, f := range pass.Files {
		if !isTest(pass, f.Pos()) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			fn, ok := pass.TypesInfo.Uses[sel.Sel].(*types.Func)
			if !ok || fn.Pkg() == nil {
				return true
			}
			switch {
			case fn.Pkg().Path() == "time" && fn.Name() == "Sleep" && !bubble(pass, f, sel):
				report.at(sel, "a test that sleeps: wait for the event, move the clock, or use testing/synctest")
			case fn.Pkg().Path() == "testing" && (fn.Name() == "Skip" || fn.Name() == "Skipf" || fn.Name() == "SkipNow"):
				report.at(sel, "a test that skips: what it needs is either set up or its absence is a failure")
			}
			return true
		})
	}
	return nil, nil
}

// bubble is true inside synctest.Test, where sleeping costs no time.
func bubble(pass *analysis.Pass, f *ast.File, at ast.Node) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok && call.Pos() <= at.Pos() && at.End() <= call.End() {
			if fn := called(pass, call); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "testing/synctest" {
				found = true
			}
		}
		return !found
	})
	return found
}
