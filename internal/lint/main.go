// Lint holds the rules that the compiler and staticcheck do not know. It runs as a vet tool, so that results are
// cached with the build: `make lint` calls `go vet -vettool`.
//
// A line that must break a rule says so, with the reason: `//allow:float milliseconds, not money` on the line, on the
// one above it, or above the declaration it stands in. Without a reason it does not count.
package main

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

func main() { unitchecker.Main(floatRule, sqlRule, clockRule, testRule) }

const module = "zhanggui"

// inside gives the path below internal/ ("platform/db"), or "" for a package elsewhere.
func inside(pass *analysis.Pass) string {
	path := strings.TrimSuffix(strings.TrimSuffix(pass.Pkg.Path(), ".test"), "_test")
	if i := strings.Index(path, " ["); i >= 0 {
		path = path[:i]
	}
	rest, ok := strings.CutPrefix(path, module+"/internal/")
	if !ok {
		return ""
	}
	return rest
}

func isTest(pass *analysis.Pass, pos token.Pos) bool {
	return strings.HasSuffix(pass.Fset.Position(pos).Filename, "_test.go")
}

// reporter reports what is not excused by a comment.
type reporter struct {
	pass    *analysis.Pass
	rule    string
	excused map[string]map[int]bool // file -> lines
}

func reporterFor(pass *analysis.Pass, rule string) *reporter {
	r := &reporter{pass, rule, map[string]map[int]bool{}}
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				reason, ok := strings.CutPrefix(c.Text, "//allow:"+rule+" ")
				if !ok || len(strings.TrimSpace(reason)) < 8 {
					continue
				}
				at := pass.Fset.Position(c.Pos())
				r.excuse(at.Filename, at.Line, at.Line+1)
				for _, d := range f.Decls { // right above a declaration, also as the last line of its comment
					if from := pass.Fset.Position(d.Pos()).Line; from == at.Line+1 {
						r.excuse(at.Filename, from, pass.Fset.Position(d.End()).Line)
					}
				}
			}
		}
	}
	return r
}

func (r *reporter) excuse(file string, from, to int) {
	if r.excused[file] == nil {
		r.excused[file] = map[int]bool{}
	}
	for line := from; line <= to; line++ {
		r.excused[file][line] = true
	}
}

func (r *reporter) at(n ast.Node, format string, args ...any) {
	p := r.pass.Fset.Position(n.Pos())
	if r.excused[p.Filename][p.Line] {
		return
	}
	r.pass.Reportf(n.Pos(), format, args...)
}
