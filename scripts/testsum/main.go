// Testsum reads `go test -json` from standard input and prints what a person wants to know: each package as
// `go test` prints it, the output of what failed, the slowest ten tests and packages, and a closing count.
// It ends with status 1 when a test or a build failed, when a package took longer than the limit, or when
// nothing ran at all.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"
)

type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

type timed struct {
	name string
	took float64
}

func main() {
	limit := flag.Duration("limit", time.Minute, "a package that takes longer fails the run")
	flag.Parse()
	if !summarise(os.Stdin, os.Stdout, *limit) {
		os.Exit(1)
	}
}

// summarise reports whether everything passed.
func summarise(in io.Reader, out io.Writer, limit time.Duration) bool {
	var tests, packages []timed
	var broken []string
	passed, failed := 0, 0
	said := map[string][]string{} // package/test -> its output so far

	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				_, _ = out.Write(line) // not an event: a tool speaking for itself
			} else {
				key := e.Package + "/" + e.Test
				switch {
				case e.Action == "build-output":
					fmt.Fprint(out, e.Output)
				case e.Action == "output":
					said[key] = append(said[key], e.Output)
				case e.Test != "" && (e.Action == "pass" || e.Action == "fail"):
					if e.Action == "pass" {
						passed++
					} else {
						failed++
						fmt.Fprint(out, strings.Join(said[key], ""))
					}
					tests = append(tests, timed{e.Package + " " + e.Test, e.Elapsed})
					delete(said, key)
				case e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
					if e.Action == "fail" {
						broken = append(broken, e.Package)
						fmt.Fprint(out, strings.Join(said[key], ""))
						for k, unfinished := range said { // what a crash left without a verdict
							if strings.HasPrefix(k, e.Package+"/") && k != key {
								fmt.Fprint(out, strings.Join(unfinished, ""))
							}
						}
						fmt.Fprintf(out, "FAIL\t%s\t%.3fs\n", e.Package, e.Elapsed)
					} else if e.Action == "pass" {
						fmt.Fprintf(out, "ok  \t%s\t%.3fs\n", e.Package, e.Elapsed)
						packages = append(packages, timed{e.Package, e.Elapsed})
					}
					delete(said, key)
				}
			}
		}
		if err != nil {
			break
		}
	}

	fmt.Fprintln(out, "\nslowest tests:")
	slowest(out, leaves(tests))
	fmt.Fprintln(out, "slowest packages:")
	slowest(out, packages)

	good := failed == 0 && len(broken) == 0
	for _, p := range packages {
		if p.took > limit.Seconds() {
			fmt.Fprintf(out, "TOO SLOW\t%s took %.1f s, the limit is %s\n", p.name, p.took, limit)
			good = false
		}
	}
	if len(broken) > 0 {
		fmt.Fprintf(out, "failed packages: %s\n", strings.Join(broken, " "))
	}
	if passed+failed == 0 {
		fmt.Fprintln(out, "no test ran")
		good = false
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", passed, failed)
	return good
}

// leaves leaves out tests that only run others.
func leaves(tests []timed) []timed {
	parents := map[string]bool{}
	for _, t := range tests {
		for i, c := range t.name {
			if c == '/' {
				parents[t.name[:i]] = true
			}
		}
	}
	var kept []timed
	for _, t := range tests {
		if !parents[t.name] {
			kept = append(kept, t)
		}
	}
	return kept
}

func slowest(out io.Writer, all []timed) {
	sort.SliceStable(all, func(i, j int) bool { return all[i].took > all[j].took })
	for i, t := range all {
		if i == 10 {
			break
		}
		fmt.Fprintf(out, "  %7.2f s  %s\n", t.took, t.name)
	}
}
