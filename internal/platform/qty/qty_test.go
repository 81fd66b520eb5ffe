package qty

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantitiesAsPeopleWriteThem(t *testing.T) {
	for s, want := range map[string]Qty{"0": 0, "1": 1000, "0.25": 250, "0.250": 250, "12.345": 12345, "-3": -3000, "-0.5": -500, "007": 7000, "1000000000": Max} {
		if got, err := Parse(s); err != nil || got != want {
			t.Errorf("%q is %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "-", ".", ".5", "5.", "1.2345", "1,5", "1e3", "+1", " 1", "1 ", "٣", "NaN", "0x1", "--1", "1.-5", "9999999999999999999"} {
		if got, err := Parse(s); !errors.Is(err, ErrBad) {
			t.Errorf("%q became %d, %v", s, got, err)
		}
	}
	if _, err := Parse("1000000000.001"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than a billion: %v", err)
	}
}

func TestWritingAndReadingGiveTheSameQuantity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Qty(rapid.Int64Range(-int64(Max), int64(Max)).Draw(t, "q"))
		if back, err := Parse(q.String()); err != nil || back != q {
			t.Fatalf("%d is written %q and read as %d, %v", q, q.String(), back, err)
		}
	})
}

func TestAConversionIsExactOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Qty(rapid.Int64Range(-int64(Max), int64(Max)).Draw(t, "q"))
		u := Unit{Num: rapid.Int64Range(1, 1e12).Draw(t, "num"), Den: rapid.Int64Range(1, 1e12).Draw(t, "den")}
		want := new(big.Rat).Mul(big.NewRat(int64(q), 1), big.NewRat(u.Num, u.Den))
		got, err := u.ToBase(q)
		switch {
		case err == nil:
			if want.Cmp(big.NewRat(int64(got), 1)) != 0 {
				t.Fatalf("%v × %d/%d became %v", q, u.Num, u.Den, got)
			}
			if back, err := u.FromBase(got); err != nil || back != q {
				t.Fatalf("and back: %v, %v", back, err)
			}
		case errors.Is(err, ErrNotExact):
			if want.IsInt() {
				t.Fatalf("%v × %d/%d = %v is exact", q, u.Num, u.Den, want)
			}
		case errors.Is(err, ErrTooLarge):
			if want.Abs(want).Cmp(big.NewRat(int64(Max), 1)) <= 0 {
				t.Fatalf("%v × %d/%d = %v fits", q, u.Num, u.Den, want)
			}
		}
	})
}

func TestABoxOfTwelveAndATwelfthOfACake(t *testing.T) {
	box, slice := Unit{"box", 12, 1}, Unit{"slice", 1, 12}
	if q, err := box.ToBase(2 * Scale); q != 24*Scale || err != nil {
		t.Fatal(q, err)
	}
	if q, err := slice.ToBase(3 * Scale); q != 250 || err != nil {
		t.Fatal(q, err)
	}
	if _, err := slice.ToBase(1 * Scale); !errors.Is(err, ErrNotExact) {
		t.Fatal("a twelfth of a cake is no whole thousandth:", err)
	}
	if (Unit{"none", 0, 1}).OK() || (Unit{"none", 1, -1}).OK() || !box.OK() {
		t.Fatal("a unit needs both sides")
	}
}

func TestComingBackFromNumerics(t *testing.T) {
	for f, want := range map[float64]Qty{1.2345: 1235, -1.2345: -1235, 1e300: Max, -1e300: -Max, math.Inf(1): Max, 0.0004: 0} {
		if got := Nearest(f); got != want {
			t.Errorf("%v became %d", f, got)
		}
	}
	if Nearest(math.NaN()) != 0 {
		t.Error("NaN became a quantity")
	}
}
