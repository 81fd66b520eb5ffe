// Package money has amounts as whole fen, prices of purchase as whole ten-thousandths of a fen, and the
// few ways in which they are multiplied and shared. Every product is taken in 128 bits and rounded half
// up once; whatever is split adds up again to the fen.
package money

import (
	"math"
	"math/bits"
	"sort"
	"strconv"

	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/qty"
)

// Fen is an amount in CNY fen. Sales prices and amounts include VAT.
type Fen int64

// Fen4 is a purchase price or unit cost in ten-thousandths of a fen.
type Fen4 int64

// Max bounds every amount that comes from outside: ten thousand million yuan.
const Max Fen = 1_000_000_000_000

// ErrTooLarge refuses an amount beyond Max.
var ErrTooLarge = errs.Define("money_too_large", errs.Invalid, "金额太大", "The amount is too large")

// MulDiv returns round_half_up(a × num / den) for a of any sign, num ≥ 0 and den > 0. Halves go away
// from zero, so that a refund is the exact mirror of its sale.
func MulDiv(a, num, den int64) (int64, error) {
	if num < 0 || den <= 0 {
		return 0, ErrTooLarge
	}
	neg := a < 0
	u := uint64(a)
	if neg {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(num))
	if hi >= uint64(den) {
		return 0, ErrTooLarge
	}
	q, rest := bits.Div64(hi, lo, uint64(den))
	if rest >= uint64(den)-rest {
		q++
	}
	if q > math.MaxInt64 {
		return 0, ErrTooLarge
	}
	if neg {
		return -int64(q), nil
	}
	return int64(q), nil
}

// Times is the amount of q (in thousandths of the priced unit) at price, rounded half up once.
func Times(price Fen, q qty.Qty) (Fen, error) {
	v, err := MulDiv(int64(price), int64(q), qty.Scale)
	if err != nil || Fen(v) > Max || Fen(v) < -Max {
		return 0, ErrTooLarge
	}
	return Fen(v), nil
}

// TaxIn is the VAT contained in a gross amount at a rate in basis points (1300 = 13 %), rounded half up.
func TaxIn(gross Fen, rateBP int64) (Fen, error) {
	v, err := MulDiv(int64(gross), rateBP, 10_000+rateBP)
	return Fen(v), err
}

// Split shares total over the weights (each ≥ 0) by largest remainder: the parts add up to total exactly,
// equal remainders go to the earlier part, and with no weight at all the first part takes everything.
func Split(total Fen, weights []int64) []Fen {
	parts := make([]Fen, len(weights))
	if len(weights) == 0 {
		return parts
	}
	var sum uint64
	for _, w := range weights {
		if w < 0 {
			panic("money: negative weight")
		}
		sum += uint64(w)
	}
	if sum == 0 {
		parts[0] = total
		return parts
	}
	neg := total < 0
	abs := uint64(total)
	if neg {
		abs = -abs
	}
	rest := make([]uint64, len(weights))
	order := make([]int, len(weights))
	left := abs
	for i, w := range weights {
		hi, lo := bits.Mul64(abs, uint64(w))
		var share uint64
		share, rest[i] = bits.Div64(hi, lo, sum) // w ≤ sum keeps the quotient within 64 bits
		parts[i], order[i] = Fen(share), i
		left -= share
	}
	sort.SliceStable(order, func(a, b int) bool { return rest[order[a]] > rest[order[b]] })
	for i := range left {
		parts[order[i]]++
	}
	if neg {
		for i := range parts {
			parts[i] = -parts[i]
		}
	}
	return parts
}

// Yuan writes an amount as people read it: "12.05".
func (f Fen) Yuan() string {
	sign, u := "", uint64(f)
	if f < 0 {
		sign, u = "-", -u
	}
	return sign + strconv.FormatUint(u/100, 10) + "." + strconv.FormatUint(100+u%100, 10)[1:]
}

// Approx crosses over into numerics, in fen.
func (f Fen) Approx() float64 { return float64(f) }
