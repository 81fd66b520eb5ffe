package errs

import (
	"errors"
	"fmt"
	"testing"
)

var errShort = Define("test_short", Conflict, "只剩 {left}", "only {left} left")

func TestAFilledCopyIsStillTheSameRefusal(t *testing.T) {
	err := fmt.Errorf("selling: %w", errShort.With("left", 3).At("lines[2].qty"))
	if !errors.Is(err, errShort) {
		t.Fatal("the code is lost on the way up")
	}
	e := As(err)
	if e.Field != "lines[2].qty" || e.Text("zh-CN") != "只剩 3" || e.Text("en") != "only 3 left" {
		t.Fatalf("got %q at %q", e.Text("zh"), e.Field)
	}
	if errShort.Field != "" || errShort.Arg("left") != "" {
		t.Fatal("the definition itself was changed")
	}
}

func TestTheUnitOfCountedGoodsIsReadInTheReadersLanguage(t *testing.T) {
	e := errShort.With("left", 3)
	e.zh, e.en = "最多还能收 {left} {unit}", "at most {left} {unit} more"
	for _, x := range []struct{ unit, zh, en string }{{"piece", "最多还能收 3 件", "at most 3 pcs more"}, {"箱", "最多还能收 3 箱", "at most 3 箱 more"}} {
		if u := e.With("unit", x.unit); u.Text("zh-CN") != x.zh || u.Text("en") != x.en || u.Arg("unit") != x.unit {
			t.Errorf("%s: got %q and %q", x.unit, u.Text("zh"), u.Text("en"))
		}
	}
}

func TestAForeignErrorTellsTheUserNothingFromInside(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.1: refused")
	e := As(cause)
	if e.Code != "internal" || !errors.Is(e, cause) {
		t.Fatalf("got %v", e)
	}
	if got := e.Text("en"); got != ErrInternal.Text("en") {
		t.Fatalf("the cause leaks into the message: %q", got)
	}
	if As(nil) != nil || Code(nil) != "" {
		t.Fatal("no error became one")
	}
}

func TestACodeIsDefinedOnce(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a second definition was accepted")
		}
	}()
	Define("test_short", Invalid, "又", "again")
}
