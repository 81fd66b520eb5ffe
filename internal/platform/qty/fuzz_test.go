package qty

import (
	"math/big"
	"strings"
	"testing"
)

// FuzzQuantity holds the parser and the conversion against fractions of any size.
func FuzzQuantity(f *testing.F) {
	for _, s := range []string{"0", "-0", "0.250", "1000000000", "999999999999.999", "-1.001", "1.", ".5", "1e3", "٣", "12345678901234567890"} {
		f.Add(s, int64(250), int64(1))
		f.Add(s, int64(1), int64(12))
	}
	f.Fuzz(func(t *testing.T, text string, num, den int64) {
		q, err := Parse(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || strings.Trim(text, "-0123456789.") != "" || new(big.Rat).SetFrac64(int64(q), Scale).Cmp(want) != 0 {
			t.Fatalf("%q became %d", text, q)
		}
		if again, err := Parse(q.String()); err != nil || again != q {
			t.Fatalf("%d is written as %q, which is %d, %v", q, q.String(), again, err)
		}
		u := Unit{"x", num, den}
		if !u.OK() {
			return
		}
		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(int64(q)), new(big.Rat).SetFrac64(num, den))
		base, err := u.ToBase(q)
		if fits := exact.IsInt() && exact.Num().IsInt64() && exact.Num().Int64() <= int64(Max) && exact.Num().Int64() >= -int64(Max); (err == nil) != fits {
			t.Fatalf("%d of %d/%d: %v, exactly it is %s", q, num, den, err, exact)
		}
		if err != nil {
			return
		}
		if exact.Num().Int64() != int64(base) {
			t.Fatalf("%d of %d/%d is %d, not %s", q, num, den, base, exact)
		}
		if back, err := u.FromBase(base); err != nil || back != q {
			t.Fatalf("%d of %d/%d went there and came back as %d, %v", q, num, den, back, err)
		}
	})
}
