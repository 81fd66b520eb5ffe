package main

import (
	"strings"
	"testing"
	"time"
)

func run(t *testing.T, lines ...string) (string, bool) {
	t.Helper()
	var out strings.Builder
	good := summarise(strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, time.Minute)
	return out.String(), good
}

func TestAGreenRunIsCounted(t *testing.T) {
	out, good := run(t,
		`{"Action":"output","Package":"p","Test":"TestA","Output":"noise of a test that passes\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1.5}`,
		`{"Action":"pass","Package":"p","Elapsed":2}`)
	if !good || !strings.Contains(out, "1 passed, 0 failed") || !strings.Contains(out, "ok  \tp\t2.000s") {
		t.Fatalf("good=%v\n%s", good, out)
	}
	if strings.Contains(out, "noise") {
		t.Fatalf("a passing test should be silent:\n%s", out)
	}
}

func TestWhatMustFailTheRun(t *testing.T) {
	for name, lines := range map[string][]string{
		"a failed test": {
			`{"Action":"output","Package":"p","Test":"TestB","Output":"expected 3, got 4\n"}`,
			`{"Action":"fail","Package":"p","Test":"TestB","Elapsed":0.1}`,
			`{"Action":"fail","Package":"p","Elapsed":1}`},
		"a package that does not build": {
			`{"Action":"build-output","ImportPath":"p","Output":"undefined: x\n"}`,
			`{"Action":"pass","Package":"q","Test":"TestA","Elapsed":1}`,
			`{"Action":"fail","Package":"p","Elapsed":0}`},
		"a crash without a verdict": {
			`{"Action":"output","Package":"p","Test":"TestC","Output":"panic: boom\n"}`,
			`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1}`,
			`{"Action":"fail","Package":"p","Elapsed":1}`},
		"a package over the limit": {
			`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":61}`,
			`{"Action":"pass","Package":"p","Elapsed":61}`},
		"a run of nothing": {},
	} {
		out, good := run(t, lines...)
		if good {
			t.Errorf("%s passed:\n%s", name, out)
		}
		for _, want := range []string{"expected 3, got 4", "undefined: x", "panic: boom"} {
			if strings.Contains(strings.Join(lines, ""), want) && !strings.Contains(out, want) {
				t.Errorf("%s: %q is not shown:\n%s", name, want, out)
			}
		}
	}
}
