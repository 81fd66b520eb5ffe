package replenish

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/qty"
)

// of is a material of a line of 10 kg a day: its ratio to the component is 1 unless said, prices are fen for a gram.
func of(price int64, least, usual, most int64) Choice {
	c := Choice{Option: catalog.Option{Num: 1, Den: 1, Share: usual * 10_000, Least: least * 10_000, Most: most * 10_000}, Whole: big.NewRat(10_000*qty.Scale, 1), Others: new(big.Rat)}
	if price > 0 {
		c.Price = big.NewRat(price*10_000, 1)
	}
	return c
}

// lies puts grams with so many days to live into stock.
func (c Choice) lies(lots ...[2]int64) Choice {
	for _, l := range lots {
		c.Lots = append(c.Lots, MixLot{Lot{Qty: qty.Qty(l[0] * qty.Scale)}, l[1]})
	}
	return c
}

func (c Choice) others(grams int64) Choice { c.Others = big.NewRat(grams*qty.Scale, 1); return c }
func (c Choice) can(grams int64) Choice    { c.Can = big.NewRat(grams*qty.Scale, 1); return c }
func (c Choice) taken(grams int64) Choice  { c.Taken = big.NewRat(grams*qty.Scale, 1); return c }
func (c Choice) ratio(num, den int64) Choice {
	c.Num, c.Den = num, den
	c.Whole = new(big.Rat).Mul(c.Whole, big.NewRat(num, den))
	return c
}

// Worked by hand. A line takes 10 kg a day; its own material costs 4 fen a gram.
func TestALineIsMixedFromWhatWouldBeLostThenFromTheCheaper(t *testing.T) {
	for name, c := range map[string]struct {
		line []Choice
		want string // shares in percent, cause, saving in fen, days
	}{
		"a dearer substitute stays away":                      {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100)}, "100/0  0 7"},
		"equal costs change nothing":                          {[]Choice{of(4, 0, 100, 100), of(4, 0, 0, 100)}, "100/0  0 7"},
		"a cheaper one takes all it may":                      {[]Choice{of(4, 0, 100, 100), of(3, 0, 0, 60)}, "40/60 cost 6000 7"},
		"a cheaper one that takes more for the same":          {[]Choice{of(4, 0, 100, 100), of(3, 0, 0, 100).ratio(4, 3)}, "100/0  0 7"},
		"two cheaper ones, the cheapest first":                {[]Choice{of(4, 20, 100, 100), of(3, 0, 0, 100), of(2, 0, 0, 50)}, "20/30/50 cost 13000 7"},
		"a blend goes to its ends":                            {[]Choice{of(4, 40, 50, 60), of(3, 40, 50, 60)}, "40/60 cost 1000 7"},
		"a blend that is there already":                       {[]Choice{of(4, 40, 40, 60), of(3, 40, 60, 60)}, "40/60  0 7"},
		"what would be lost is used, though dearer":           {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{6000, 2})}, "40/60 expiry 24000 1"},
		"for as long as it lasts":                             {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{35_000, 5})}, "0/100 expiry 40000 3"},
		"no longer than it lives":                             {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{35_000, 2})}, "0/100 expiry 40000 2"},
		"what is left of a percent is left":                   {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{4567, 2})}, "55/45 expiry 18000 1"},
		"what keeps longer than a week is not lost":           {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{6000, 8})}, "100/0  0 7"},
		"what others use in time is not lost":                 {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{6000, 3}).others(2000)}, "100/0  0 7"},
		"of what others leave":                                {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{6000, 2}).others(2000)}, "80/20 expiry 8000 1"},
		"others take the older batch first":                   {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{1000, 1}, [2]int64{6000, 3}).others(1000)}, "60/40 expiry 16000 1"},
		"what another recipe is to take is not there":         {[]Choice{of(4, 0, 100, 100), of(5, 0, 0, 100).lies([2]int64{6000, 2}).taken(5000)}, "90/10 expiry 4000 1"},
		"its own would be lost as well":                       {[]Choice{of(4, 0, 100, 100).lies([2]int64{50_000, 2}), of(3, 0, 0, 100)}, "100/0  0 7"},
		"a half of its own would be lost":                     {[]Choice{of(4, 0, 100, 100).lies([2]int64{5000, 1}), of(3, 0, 0, 100)}, "50/50 cost 5000 7"},
		"both would be lost: the dearer is saved":             {[]Choice{of(4, 0, 100, 100).lies([2]int64{10_000, 1}), of(5, 0, 0, 100).lies([2]int64{10_000, 1})}, "0/100 expiry 0 1"},
		"never more than it may":                              {[]Choice{of(4, 70, 100, 100), of(5, 0, 0, 30).lies([2]int64{60_000, 6})}, "70/30 expiry 12000 6"},
		"what can't be had is replaced, whatever it costs":    {[]Choice{of(4, 0, 100, 100).can(2500), of(9, 0, 0, 100)}, "25/75 availability -37500 7"},
		"what can't be had is replaced, whoever asks a price": {[]Choice{of(4, 0, 100, 100).can(0), of(0, 0, 0, 100)}, "0/100 availability ? 7"},
		"a substitute that can't be had either":               {[]Choice{of(4, 0, 100, 100).can(0), of(3, 0, 0, 100).can(0)}, "100/0  0 7"},
		"a cheaper one of which there is little":              {[]Choice{of(4, 0, 100, 100), of(3, 0, 0, 100).can(1250)}, "88/12 cost 1200 7"},
		"nobody knows what it costs":                          {[]Choice{of(4, 0, 100, 100), of(0, 0, 0, 100)}, "100/0  0 7"},
	} {
		for i := range c.line {
			if i > 0 {
				c.line[i].Product = 2
			}
		}
		b := Best(c.line)
		var shares []string
		sum := int64(0)
		for i, s := range b.Shares {
			sum += s
			shares = append(shares, strings.TrimSuffix(fmt.Sprintf("%.1f", float64(s)/10_000), ".0"))
			if s < c.line[i].Least || s > c.line[i].Most {
				t.Errorf("%s: a share of %d", name, s)
			}
		}
		saving := fmt.Sprint(MixFen(b.Saving))
		if b.Cause != "" && b.Saving == nil {
			saving = "?"
		}
		if got := fmt.Sprintf("%s %s %s %d", strings.Join(shares, "/"), b.Cause, saving, b.Days); got != c.want || sum != catalog.ShareWhole {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// A sauce of which there is enough for days is not made: shares of nothing take nothing, and are worked out all the same.
func TestNothingIsMixedWithoutAFault(t *testing.T) {
	line := []Choice{of(4, 0, 50, 100).lies([2]int64{300, 2}), of(5, 0, 50, 100)}
	for i := range line {
		line[i].Whole = new(big.Rat)
	}
	b := Best(line)
	if b.Shares[0]+b.Shares[1] != 1_000_000 || b.Saving == nil || b.Saving.Sign() != 0 {
		t.Errorf("%+v", b)
	}
}
