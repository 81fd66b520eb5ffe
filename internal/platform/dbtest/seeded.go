package dbtest

import (
	"flag"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// Swap puts a seeded bug in the place of what is right, until undo.
func Swap[T any](at *T, with T) (undo func()) {
	old := *at
	*at = with
	return func() { *at = old }
}

// Flags sets flags of the test binary (rapid's) until the test ends.
func Flags(t testing.TB, values map[string]string) {
	for name, value := range values {
		f := flag.Lookup(name)
		old := f.Value.String()
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Value.Set(old) })
	}
}

// Breaks says whether a property can be broken: a model that finds no seeded bug is no test.
func Breaks(property func(*rapid.T)) bool {
	var quiet quietly
	done := make(chan struct{})
	go func() {
		defer close(done)
		rapid.Check(&quiet, property)
	}()
	<-done
	return quiet.failed
}

// quietly is a test that may fail without failing anybody.
type quietly struct{ failed bool }

func (q *quietly) Helper()               {}
func (q *quietly) Name() string          { return "quietly" }
func (q *quietly) Logf(string, ...any)   {}
func (q *quietly) Log(...any)            {}
func (q *quietly) Skipf(string, ...any)  { runtime.Goexit() }
func (q *quietly) Skip(...any)           { runtime.Goexit() }
func (q *quietly) SkipNow()              { runtime.Goexit() }
func (q *quietly) Errorf(string, ...any) { q.failed = true }
func (q *quietly) Error(...any)          { q.failed = true }
func (q *quietly) Fatalf(string, ...any) { q.FailNow() }
func (q *quietly) Fatal(...any)          { q.FailNow() }
func (q *quietly) FailNow()              { q.failed = true; runtime.Goexit() }
func (q *quietly) Fail()                 { q.failed = true }
func (q *quietly) Failed() bool          { return q.failed }
