package pricing

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

func TestALineIsPriceTimesQuantityRoundedOnce(t *testing.T) {
	for _, c := range []struct {
		price  money.Fen
		qty    qty.Qty
		amount money.Fen
	}{
		{350, 1000, 350},
		{350, 3000, 1050},
		{1999, 250, 500}, // 499.75
		{1998, 250, 500}, // 499.5 goes up
		{1, 499, 0},      // 0.499
		{1, 500, 1},      // 0.5 goes up
		{333, 333, 111},  // 110.889
		{0, 1000, 0},     // a gift
		{1_000_000_000, 1_000_000, 1_000_000_000_000}, // the largest amount there is
	} {
		bill, err := Price([]Line{{Qty: c.qty, Price: c.price, TaxBP: 1300}})
		if err != nil || bill.Lines[0].Amount != c.amount || bill.Total != c.amount {
			t.Errorf("%d × %s = %d, %v; want %d", c.price, c.qty, bill.Total, err, c.amount)
		}
	}
}

func TestTaxIsTakenPerRateAndSharedOverTheLines(t *testing.T) {
	// Three lines of 0.33 at 13 %: each alone holds 3.8 fen of tax (4 rounded, 12 in all), the class holds
	// 11.39, which is 11. The lines must add up to the class.
	bill, err := Price([]Line{{Qty: 1000, Price: 33, TaxBP: 1300}, {Qty: 1000, Price: 33, TaxBP: 1300}, {Qty: 1000, Price: 33, TaxBP: 1300}, {Qty: 1000, Price: 109, TaxBP: 900}, {Qty: 2000, Price: 500, TaxBP: 0}})
	if err != nil {
		t.Fatal(err)
	}
	want := Bill{
		Lines:   []Priced{{33, 4}, {33, 4}, {33, 3}, {109, 9}, {1000, 0}},
		Classes: []Class{{1300, 99, 11}, {900, 109, 9}, {0, 1000, 0}},
		Total:   1208, Tax: 20,
	}
	if bill.Total != want.Total || bill.Tax != want.Tax || len(bill.Classes) != 3 {
		t.Fatalf("got %+v", bill)
	}
	for i := range want.Lines {
		if bill.Lines[i] != want.Lines[i] {
			t.Errorf("line %d: got %+v, want %+v", i, bill.Lines[i], want.Lines[i])
		}
	}
	for i := range want.Classes {
		if bill.Classes[i] != want.Classes[i] {
			t.Errorf("class %d: got %+v, want %+v", i, bill.Classes[i], want.Classes[i])
		}
	}
}

func TestTooMuchIsRefusedWithItsLine(t *testing.T) {
	fixed, err := Price([]Line{{Qty: 26, Price: 38000, TaxBP: 1300, Fixed: 1000}, {Qty: 26, Price: 38000, TaxBP: 1300}})
	if err != nil || fixed.Lines[0].Amount != 1000 || fixed.Lines[1].Amount != 988 || fixed.Total != 1988 || fixed.Tax != 229 {
		t.Errorf("a line sold by amount costs the amount: %+v, %v", fixed, err)
	}
	_, err = Price([]Line{{Qty: 1000, Price: 100, TaxBP: 0}, {Qty: qty.Max, Price: money.Max, TaxBP: 0}})
	var line *LineError
	if !errors.As(err, &line) || line.Line != 1 || !errors.Is(err, money.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := Price([]Line{{Qty: 1000, Price: money.Max, TaxBP: 0}, {Qty: 1000, Price: 1, TaxBP: 0}}); !errors.Is(err, money.ErrTooLarge) {
		t.Errorf("a total beyond the bound: got %v", err)
	}
}

func TestAnEmptyCartCostsNothing(t *testing.T) {
	bill, err := Price(nil)
	if err != nil || bill.Total != 0 || bill.Tax != 0 || len(bill.Lines) != 0 || len(bill.Classes) != 0 {
		t.Errorf("got %+v, %v", bill, err)
	}
}

// slow is the same rule written with big rationals and nothing clever.
func slow(cart []Line) (amounts []int64, taxOf map[int64]int64) {
	half := big.NewRat(1, 2)
	round := func(r *big.Rat) int64 {
		r = new(big.Rat).Add(r, half)
		return new(big.Int).Div(r.Num(), r.Denom()).Int64() // floor, all values are ≥ 0
	}
	class := map[int64]int64{}
	for _, l := range cart {
		a := round(new(big.Rat).Mul(big.NewRat(int64(l.Price), 1), big.NewRat(int64(l.Qty), 1000)))
		amounts = append(amounts, a)
		class[l.TaxBP] += a
	}
	taxOf = map[int64]int64{}
	for rate, sum := range class {
		taxOf[rate] = round(new(big.Rat).Mul(big.NewRat(sum, 1), big.NewRat(rate, 10_000+rate)))
	}
	return amounts, taxOf
}

func carts(t *rapid.T) []Line {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Line {
		return Line{
			Qty:   qty.Qty(rapid.Int64Range(1, 5_000_000).Draw(t, "qty")),
			Price: money.Fen(rapid.Int64Range(0, 500_000).Draw(t, "price")),
			TaxBP: rapid.SampledFrom([]int64{0, 100, 300, 600, 900, 1300}).Draw(t, "rate"),
		}
	}), 0, 40).Draw(t, "cart")
}

func TestEveryCartAddsUpAndEqualsTheSlowRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cart := carts(t)
		bill, err := Price(cart)
		if err != nil {
			t.Fatal(err)
		}
		amounts, taxOf := slow(cart)
		var total, tax money.Fen
		perRate := map[int64]money.Fen{}
		for i, l := range bill.Lines {
			if int64(l.Amount) != amounts[i] {
				t.Fatalf("line %d: %d, slow %d", i, l.Amount, amounts[i])
			}
			if l.Tax < 0 || l.Tax > l.Amount {
				t.Fatalf("line %d holds %d of tax in %d", i, l.Tax, l.Amount)
			}
			total += l.Amount
			tax += l.Tax
			perRate[cart[i].TaxBP] += l.Tax
		}
		if total != bill.Total || tax != bill.Tax {
			t.Fatalf("lines add up to %d/%d, the bill says %d/%d", total, tax, bill.Total, bill.Tax)
		}
		var classTotal money.Fen
		for i, c := range bill.Classes {
			if int64(c.Tax) != taxOf[c.TaxBP] || perRate[c.TaxBP] != c.Tax {
				t.Fatalf("rate %d: tax %d, slow %d, lines %d", c.TaxBP, c.Tax, taxOf[c.TaxBP], perRate[c.TaxBP])
			}
			if i > 0 && bill.Classes[i-1].TaxBP <= c.TaxBP {
				t.Fatal("classes are not in falling order")
			}
			classTotal += c.Amount
		}
		if classTotal != bill.Total {
			t.Fatalf("classes add up to %d of %d", classTotal, bill.Total)
		}
	})
}

func TestTheOrderOfTheCartChangesNoTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cart := carts(t)
		turned := rapid.Permutation(cart).Draw(t, "turned")
		a, errA := Price(cart)
		b, errB := Price(turned)
		if errA != nil || errB != nil || a.Total != b.Total || a.Tax != b.Tax || len(a.Classes) != len(b.Classes) {
			t.Fatalf("%+v and %+v", a, b)
		}
		for i := range a.Classes {
			if a.Classes[i] != b.Classes[i] {
				t.Fatalf("class %+v became %+v", a.Classes[i], b.Classes[i])
			}
		}
	})
}

func TestPartsGivenBackAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(0, 10_000_000).Draw(t, "whole")
		sold := qty.Qty(rapid.Int64Range(1, 1_000_000).Draw(t, "sold"))
		var before qty.Qty
		var sum int64
		for before < sold {
			now := qty.Qty(rapid.Int64Range(1, int64(sold-before)).Draw(t, "now"))
			part, err := Part(whole, sold, before, now)
			if err != nil || part < 0 {
				t.Fatalf("part %d, %v", part, err)
			}
			sum += part
			before += now
			if sum > whole {
				t.Fatalf("gave back %d of %d", sum, whole)
			}
		}
		if sum != whole {
			t.Fatalf("gave back %d of %d", sum, whole)
		}
	})
}

func BenchmarkTwentyLines(b *testing.B) {
	cart := make([]Line, 20)
	for i := range cart {
		cart[i] = Line{Qty: qty.Qty(1000 + 17*i), Price: money.Fen(350 + 31*i), TaxBP: []int64{1300, 900, 0}[i%3]}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Price(cart); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOfTwoOneIsFreeAndTheOddOnePays(t *testing.T) {
	for _, c := range []struct {
		units []qty.Qty
		want  []money.Fen
	}{
		{[]qty.Qty{1000}, []money.Fen{701}},
		{[]qty.Qty{2000}, []money.Fen{701}},
		{[]qty.Qty{3000}, []money.Fen{1402}},
		{[]qty.Qty{1000, 1000}, []money.Fen{350, 351}},
		{[]qty.Qty{1000, 2000}, []money.Fen{467, 935}},
		{[]qty.Qty{500, 1400}, []money.Fen{351, 981}}, // no whole pair
	} {
		var cart []Line
		var group Pairs
		for i, n := range c.units {
			cart, group = append(cart, Line{Qty: n, Price: 701, TaxBP: 900}), append(group, i)
		}
		bill, err := Price(cart, group)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if bill.Lines[i].Amount != want {
				t.Errorf("%v: %+v, want %v", c.units, bill.Lines, c.want)
			}
		}
	}
}

func TestPairsTakeHalfOfTheWholePairsWhateverTheLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfN(rapid.Int64Range(1, 20), 1, 8).Draw(t, "units")
		price := money.Fen(rapid.Int64Range(0, 10_000).Draw(t, "price"))
		cart := []Line{{Qty: 3000, Price: 500, TaxBP: 1300}}
		var group Pairs
		total := int64(0)
		for _, n := range units {
			group = append(group, len(cart))
			cart = append(cart, Line{Qty: qty.Qty(n * qty.Scale), Price: price, TaxBP: 1300})
			total += n
		}
		bill, err := Price(cart, group)
		if err != nil {
			t.Fatal(err)
		}
		if want := 1500 + price*money.Fen(total-total/2); bill.Total != want || bill.Lines[0].Amount != 1500 {
			t.Fatalf("%d units at %d: %d, want %d", total, price, bill.Total, want)
		}
		for _, l := range bill.Lines {
			if l.Amount < 0 || l.Tax < 0 || l.Tax > l.Amount {
				t.Fatalf("%+v", bill.Lines)
			}
		}
	})
}

func TestTheSharesOfABundleAreItsPrice(t *testing.T) {
	for _, c := range []struct {
		price money.Fen
		n     qty.Qty
		parts []BundlePart
		want  []money.Fen
	}{
		{1000, 1000, []BundlePart{{Qty: 1000, Price: 700}, {Qty: 1000, Price: 500}}, []money.Fen{583, 417}},
		{1000, 1000, []BundlePart{{Qty: 1000, Price: 333}, {Qty: 1000, Price: 333}, {Qty: 1000, Price: 333}}, []money.Fen{334, 333, 333}},
		{1000, 1000, []BundlePart{{Qty: 1000, Price: 700}, {Qty: 1000, Price: 0}}, []money.Fen{1000, 0}}, // a gift
		{1000, 1000, []BundlePart{{Qty: 1000}, {Qty: 1000}, {Qty: 9000}}, []money.Fen{334, 333, 333}},    // nothing has a price alone
		{1000, 1000, []BundlePart{{Qty: 1000, Price: 900, Share: 0}, {Qty: 1000, Price: 1, Share: 3}}, []money.Fen{0, 1000}},
		{1, 1000, []BundlePart{{Qty: 1000, Price: 1}, {Qty: 1000, Price: 1}}, []money.Fen{1, 0}},
		{0, 1000, []BundlePart{{Qty: 1000, Price: 5}, {Qty: 1000, Price: 5}}, []money.Fen{0, 0}},
	} {
		amount, shares, err := Bundle(c.price, c.n, c.parts)
		if err != nil || amount != c.price {
			t.Errorf("%+v: %d, %v", c, amount, err)
		}
		for i := range c.want {
			if shares[i] != c.want[i] {
				t.Errorf("%+v: %v", c, shares)
				break
			}
		}
	}
	if _, _, err := Bundle(money.Max, 2000, []BundlePart{{Qty: 1000, Price: 1}}); !errors.Is(err, money.ErrTooLarge) {
		t.Errorf("too much: %v", err)
	}
	if _, _, err := Bundle(1, 1000, []BundlePart{{Qty: qty.Max, Price: money.Max}}); !errors.Is(err, money.ErrTooLarge) {
		t.Errorf("a part worth too much: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		price := money.Fen(rapid.Int64Range(0, 1_000_000).Draw(t, "price"))
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) BundlePart {
			return BundlePart{Qty: qty.Qty(rapid.Int64Range(1, 100_000).Draw(t, "qty")), Price: money.Fen(rapid.Int64Range(0, 100_000).Draw(t, "alone")), Share: rapid.Int64Range(0, 3).Draw(t, "share")}
		}), 1, 20).Draw(t, "parts")
		n := qty.Qty(rapid.Int64Range(1, 50).Draw(t, "n")) * qty.Scale
		amount, shares, err := Bundle(price, n, parts)
		if err != nil {
			t.Fatal(err)
		}
		var sum money.Fen
		for _, s := range shares {
			if s < 0 {
				t.Fatal(shares)
			}
			sum += s
		}
		if sum != amount || amount != price*money.Fen(n/qty.Scale) {
			t.Fatalf("%d shared as %v", amount, shares)
		}
	})
}
