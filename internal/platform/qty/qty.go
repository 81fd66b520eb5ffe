// Package qty has quantities as whole thousandths of a base unit (g, ml or piece) and the exact
// conversion from the units people sell and buy in. There is no rounding here: a quantity that is no
// whole thousandth of the base unit is refused, never bent.
package qty

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"zhanggui/internal/platform/errs"
)

// Qty is a quantity in thousandths: of the base unit, unless a name says otherwise.
type Qty int64

// Scale is how many Qty make one whole unit.
const Scale = 1000

// Max bounds every quantity that comes from outside: a billion whole units.
const Max Qty = 1_000_000_000 * Scale

var (
	// ErrBad refuses text that is no decimal number with at most three decimals.
	ErrBad = errs.Define("qty_bad", errs.Invalid, "数量格式不对,最多三位小数", "The quantity must be a number with at most three decimals")
	// ErrNotExact refuses a conversion whose result is no whole thousandth of the base unit.
	ErrNotExact = errs.Define("qty_not_exact", errs.Invalid, "数量换算后除不尽,请换一个数量或单位", "This quantity does not convert exactly; use another quantity or unit")
	// ErrTooLarge refuses what no shop can mean.
	ErrTooLarge = errs.Define("qty_too_large", errs.Invalid, "数量太大", "The quantity is too large")
)

// Parse reads "0.250": digits, optionally a point with one to three decimals, optionally a leading minus.
func Parse(s string) (Qty, error) {
	digits, neg := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 12 || point && (frac == "" || len(frac) > 3) {
		return 0, ErrBad
	}
	var n int64
	for _, part := range [2]string{whole, (frac + "000")[:3]} {
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return 0, ErrBad
			}
			n = n*10 + int64(part[i]-'0')
		}
	}
	if Qty(n) > Max {
		return 0, ErrTooLarge
	}
	if neg {
		n = -n
	}
	return Qty(n), nil
}

// String writes the shortest decimal form: "0.25", "3".
func (q Qty) String() string {
	whole, frac := int64(q)/Scale, int64(q)%Scale
	s := strconv.FormatInt(whole, 10)
	if frac == 0 {
		return s
	}
	if q < 0 {
		frac = -frac
		if whole == 0 {
			s = "-0"
		}
	}
	return s + "." + strings.TrimRight(strconv.FormatInt(Scale+frac, 10)[1:], "0")
}

// MarshalText writes the decimal string that JSON and CSV carry.
func (q Qty) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText reads the decimal string.
func (q *Qty) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	*q = v
	return err
}

// Approx crosses over into numerics, in whole units.
func (q Qty) Approx() float64 { return float64(q) / Scale }

// Nearest comes back from numerics: whole units to thousandths, halves away from zero. NaN is 0, and what is
// too large is held at Max.
func Nearest(units float64) Qty {
	switch v := math.Round(units * Scale); {
	case v != v:
		return 0
	case v > float64(Max):
		return Max
	case v < -float64(Max):
		return -Max
	default:
		return Qty(v)
	}
}

// Unit is a way to count a product: one of it is Num/Den base units (a 500 g bag: 500/1; a piece of a
// cake cut in twelve: 1/12). The base unit itself is 1/1.
type Unit struct {
	Name     string
	Num, Den int64
}

// OK says whether the unit converts at all: both sides from 1 to a million million.
func (u Unit) OK() bool {
	const most = 1_000_000_000_000
	return u.Num >= 1 && u.Den >= 1 && u.Num <= most && u.Den <= most
}

// ToBase converts a quantity in this unit to the base unit, exactly or not at all.
func (u Unit) ToBase(q Qty) (Qty, error) { return convert(q, u.Num, u.Den) }

// FromBase converts a quantity in the base unit to this unit, exactly or not at all.
func (u Unit) FromBase(q Qty) (Qty, error) { return convert(q, u.Den, u.Num) }

func convert(q Qty, num, den int64) (Qty, error) {
	if num < 1 || den < 1 {
		return 0, ErrNotExact
	}
	neg := q < 0
	if neg {
		q = -q
	}
	hi, lo := bits.Mul64(uint64(q), uint64(num))
	if hi >= uint64(den) {
		return 0, ErrTooLarge
	}
	v, rest := bits.Div64(hi, lo, uint64(den))
	if rest != 0 {
		return 0, ErrNotExact
	}
	if v > uint64(Max) {
		return 0, ErrTooLarge
	}
	if neg {
		return -Qty(v), nil
	}
	return Qty(v), nil
}
