package money

import (
	"math/big"
	"testing"

	"zhanggui/internal/platform/qty"
)

// FuzzMoney holds rounding, tax and shares against fractions of any size.
func FuzzMoney(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 5, 1280, 999_999_999_999, int64(Max), int64(Max) + 1, 1<<63 - 1, -1 << 63} {
		f.Add(n, int64(1000), int64(1300), uint8(3))
		f.Add(n, int64(1), int64(7), uint8(1))
		f.Add(n, int64(333), int64(1<<62), uint8(9))
	}
	half := big.NewRat(1, 2)
	rounded := func(x *big.Rat) *big.Int { // halves away from zero
		abs := new(big.Rat).Add(new(big.Rat).Abs(x), half)
		n := new(big.Int).Div(abs.Num(), abs.Denom())
		if x.Sign() < 0 {
			n.Neg(n)
		}
		return n
	}
	f.Fuzz(func(t *testing.T, a, num, den int64, parts uint8) {
		got, err := MulDiv(a, num, den)
		if num < 0 || den <= 0 {
			if err == nil {
				t.Fatalf("%d × %d / %d is %d", a, num, den, got)
			}
			return
		}
		want := rounded(new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(a), big.NewInt(num)), big.NewInt(den)))
		if err == nil && want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%d × %d / %d is %d, not %s", a, num, den, got, want)
		}
		if abs := new(big.Int).Abs(want); err != nil && abs.IsInt64() {
			t.Fatalf("%d × %d / %d: %v, though it is %s", a, num, den, err, want)
		}
		if v, err := Times(Fen(a), qty.Qty(num)); err == nil && (v > Max || v < -Max) {
			t.Fatalf("%d × %d is %d", a, num, v)
		}
		if gross := Fen(a); num <= 10_000 && gross >= -Max && gross <= Max {
			tax, err := TaxIn(gross, num)
			if err != nil || gross >= 0 && (tax < 0 || tax > gross) {
				t.Fatalf("in %d at %d there is %d of tax, %v", gross, num, tax, err)
			}
			weights := make([]int64, int(parts)%12+1)
			for i := range weights {
				weights[i] = (den >> (i * 5)) & 0xffff
			}
			var sum Fen
			for i, p := range Split(gross, weights) {
				if sum += p; weights[i] == 0 && p != 0 && sumOf(weights) > 0 {
					t.Fatalf("%d over %v: part %d has %d", gross, weights, i, p)
				}
			}
			if sum != gross {
				t.Fatalf("%d over %v adds up to %d", gross, weights, sum)
			}
		}
		if text := Fen(a).Yuan(); text == "" {
			t.Fatalf("%d is written as nothing", a)
		}
	})
}

func sumOf(ns []int64) (n int64) {
	for _, x := range ns {
		n += x
	}
	return n
}
