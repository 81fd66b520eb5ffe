package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/qty"
)

func TestAmountsAreRoundedHalfUpOnce(t *testing.T) {
	for _, c := range []struct {
		price Fen
		q     qty.Qty
		want  Fen
	}{{1000, 250, 250}, {999, 333, 333}, {1, 500, 1}, {1, 499, 0}, {-1, 500, -1}, {350, 3000, 1050}, {0, 5000, 0}} {
		if got, err := Times(c.price, c.q); err != nil || got != c.want {
			t.Errorf("%d × %v = %d, %v; want %d", c.price, c.q, got, err, c.want)
		}
	}
	for _, c := range []struct {
		price Fen
		q     qty.Qty
	}{{Max, 1001}, {Max, qty.Max}, {5, -1000}, {math.MaxInt64, 2000}} {
		if got, err := Times(c.price, c.q); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d × %v = %d, %v", c.price, c.q, got, err)
		}
	}
}

func TestMulDivAgainstBigNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "a")
		num := rapid.Int64Range(0, math.MaxInt64).Draw(t, "num")
		den := rapid.Int64Range(1, math.MaxInt64).Draw(t, "den")
		p := new(big.Int).Mul(new(big.Int).Abs(big.NewInt(a)), big.NewInt(num))
		p.Lsh(p, 1).Add(p, big.NewInt(den))
		p.Quo(p, new(big.Int).Lsh(big.NewInt(den), 1))
		if a < 0 {
			p.Neg(p)
		}
		got, err := MulDiv(a, num, den)
		if p.IsInt64() && (err != nil || got != p.Int64()) {
			t.Fatalf("%d × %d / %d = %d, %v; want %v", a, num, den, got, err, p)
		}
		if !p.IsInt64() && err == nil {
			t.Fatalf("%d × %d / %d = %d does not fit", a, num, den, got)
		}
	})
}

func TestWhatIsSplitAddsUpAndNobodyIsAFenOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := Fen(rapid.Int64Range(-int64(Max), int64(Max)).Draw(t, "total"))
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 40).Draw(t, "weights")
		var sum int64
		for _, w := range weights {
			sum += w
		}
		var got Fen
		for i, p := range Split(total, weights) {
			got += p
			if sum == 0 {
				continue
			}
			exact := new(big.Rat).Mul(big.NewRat(int64(total), 1), big.NewRat(weights[i], sum))
			off := exact.Sub(exact, big.NewRat(int64(p), 1))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d of %d by %v is %d", i, total, weights, p)
			}
		}
		if got != total {
			t.Fatalf("the parts of %d add up to %d", total, got)
		}
	})
	if p := Split(100, []int64{1, 1, 1}); p[0] != 34 || p[1] != 33 || p[2] != 33 {
		t.Fatal(p)
	}
	if p := Split(7, []int64{0, 0}); p[0] != 7 || p[1] != 0 {
		t.Fatal(p)
	}
}

func TestTheTaxInsideAPrice(t *testing.T) {
	for _, c := range []struct {
		gross Fen
		rate  int64
		want  Fen
	}{{11300, 1300, 1300}, {10900, 900, 900}, {100, 1300, 12}, {100, 0, 0}, {-11300, 1300, -1300}} {
		if got, err := TaxIn(c.gross, c.rate); err != nil || got != c.want {
			t.Errorf("the tax in %d at %d is %d, %v; want %d", c.gross, c.rate, got, err, c.want)
		}
	}
}

func TestFenAreNeverHidden(t *testing.T) {
	for f, want := range map[Fen]string{0: "0.00", 5: "0.05", -5: "-0.05", 123456: "1234.56", -100: "-1.00"} {
		if f.Yuan() != want {
			t.Errorf("%d is written %s", f, f.Yuan())
		}
	}
}
