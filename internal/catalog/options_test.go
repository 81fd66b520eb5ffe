package catalog

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// drawOptions lets some lines of a recipe be mixed from products that come later, so that there is no way round.
func drawOptions(t *rapid.T, r Recipe, products int64) []Option {
	used := map[id.ID]bool{}
	lines := map[id.ID]int{}
	for _, c := range r.Components {
		used[c.Product] = true
		lines[c.Product]++
	}
	var all []Option
	for _, c := range r.Components {
		if lines[c.Product] > 1 || !rapid.Bool().Draw(t, "may be mixed") {
			continue
		}
		line := []Option{{Of: c.Product, Product: c.Product, Num: 1, Den: 1}}
		for range rapid.IntRange(1, 3).Draw(t, "substitutes") {
			o := Option{Of: c.Product, Product: id.ID(rapid.Int64Range(int64(r.Product)+1, products).Draw(t, "substitute")),
				Num: rapid.Int64Range(1, 40).Draw(t, "num"), Den: rapid.Int64Range(1, 40).Draw(t, "den")}
			if !used[o.Product] {
				used[o.Product] = true
				line = append(line, o)
			}
		}
		if len(line) == 1 {
			continue
		}
		left := int64(ShareWhole)
		for i := range line {
			line[i].Share = left
			if i < len(line)-1 {
				line[i].Share = rapid.Int64Range(0, left).Draw(t, "share")
			}
			left -= line[i].Share
			line[i].Least = rapid.Int64Range(0, line[i].Share).Draw(t, "least")
			line[i].Most = rapid.Int64Range(line[i].Share, ShareWhole).Draw(t, "most")
		}
		all = append(all, line...)
	}
	return all
}

// drawMix is any mix within the ranges: it begins at the least shares and gives the rest out.
func drawMix(t *rapid.T, r Recipe) Mix {
	m := Mix{}
	for _, c := range r.Components {
		line := r.OptionsOf(c.Product)
		left := int64(ShareWhole)
		for _, o := range line {
			m[o.Product] = o.Least
			left -= o.Least
		}
		for i, o := range line {
			rest := int64(0) // what those after it can take
			for _, l := range line[i+1:] {
				rest += l.Most - l.Least
			}
			most := min(left, o.Most-o.Least)
			more := rapid.Int64Range(min(most, max(0, left-rest)), most).Draw(t, "more")
			m[o.Product] += more
			left -= more
		}
	}
	if err := r.Fits(m); err != nil {
		t.Fatalf("%v of %+v: %v", m, r.Options, err)
	}
	return m
}

// bun is half butter, half margarine, between 40 and 60 %; its milk may be powder: 120 g for a litre.
func bun() Recipe {
	return Recipe{Product: wrap, ValidFrom: "2026-01-01", Yield: 10_000, Components: []Component{{breast, 500_000, 0, ""}, {sauce, 1_000_000, 30_000, ""}},
		Options: []Option{{breast, breast, 1, 1, 500_000, 400_000, 600_000}, {breast, sheet, 1, 1, 500_000, 400_000, 600_000},
			{sauce, sauce, 1, 1, ShareWhole, 0, ShareWhole}, {sauce, tomato, 3, 25, 0, 0, ShareWhole}}}
}

func TestALineIsMixedAsTheRecipeSaysUnlessSomebodyDecides(t *testing.T) {
	b := cookbook(t, bun())
	ask := Ask{Make: map[id.ID]qty.Qty{wrap: 10_000}, Stock: noStock, Piece: func(id.ID) bool { return false }}
	says := func(ask Ask) map[id.ID]qty.Qty {
		t.Helper()
		rows, err := b.Require("2026-11-23", ask)
		if err != nil {
			t.Fatal(err)
		}
		got := map[id.ID]qty.Qty{}
		for _, r := range rows[1:] {
			got[r.Product] = r.Net
			if u := r.Uses[0]; new(big.Rat).Mul(u.Each(), big.NewRat(10_000, 1)).Cmp(u.Need) != 0 {
				t.Errorf("%v each is not %v", u.Each(), u.Need)
			}
		}
		return got
	}
	equal := func(got map[id.ID]qty.Qty, want map[id.ID]qty.Qty) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for p, q := range want {
			if got[p] != q {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	}
	equal(says(ask), map[id.ID]qty.Qty{breast: 250_000, sheet: 250_000, sauce: 1_030_000})
	ask.Mix = func(*Recipe) Mix { return nil }
	equal(says(ask), map[id.ID]qty.Qty{breast: 250_000, sheet: 250_000, sauce: 1_030_000})
	ask.Mix = func(*Recipe) Mix { return Mix{breast: 400_000, sheet: 600_000, sauce: 250_000, tomato: 750_000} }
	// 1 l × ¾ × 3/25 × 1.03 = 92.7 g
	equal(says(ask), map[id.ID]qty.Qty{breast: 200_000, sheet: 300_000, sauce: 257_500, tomato: 92_700})
}

func TestAMixFitsItsVersionOrIsRefused(t *testing.T) {
	r := bun()
	if err := r.Fits(r.Usual()); err != nil {
		t.Error(err)
	}
	if err := r.Fits(Mix{breast: 600_000, sheet: 400_000, sauce: 0, tomato: ShareWhole}); err != nil {
		t.Error(err)
	}
	plain := Recipe{Product: wrap, Yield: 1, Components: r.Components}
	if err := plain.Fits(Mix{}); !errors.Is(err, ErrMixPart) {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		mix  Mix
		want *errs.Error
	}{
		"nothing":            {nil, ErrMixPart},
		"one left out":       {Mix{breast: 500_000, sheet: 500_000, sauce: ShareWhole}, ErrMixPart},
		"one too many":       {Mix{breast: 500_000, sheet: 500_000, sauce: ShareWhole, tomato: 0, lettuce: 0}, ErrMixPart},
		"another in place":   {Mix{breast: 500_000, sheet: 500_000, sauce: ShareWhole, lettuce: 0}, ErrMixPart},
		"below the least":    {Mix{breast: 399_999, sheet: 600_001, sauce: ShareWhole, tomato: 0}, ErrMixRange},
		"above the most":     {Mix{breast: 500_000, sheet: 500_000, sauce: 0, tomato: ShareWhole + 1}, ErrMixRange},
		"less than nothing":  {Mix{breast: 500_000, sheet: 500_000, sauce: -1, tomato: ShareWhole}, ErrMixRange},
		"less than a whole":  {Mix{breast: 500_000, sheet: 499_999, sauce: ShareWhole, tomato: 0}, ErrShareSum},
		"more than a whole":  {Mix{breast: 500_000, sheet: 500_001, sauce: ShareWhole, tomato: 0}, ErrShareSum},
		"one line for other": {Mix{breast: 400_000, sheet: 400_000, sauce: ShareWhole, tomato: 200_000}, ErrShareSum},
	} {
		if err := r.Fits(c.mix); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRangesInWhichNoMixIsPossibleAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *Recipe)
		want  *errs.Error
	}{
		"a material twice":           {func(r *Recipe) { r.Options[1].Product = sauce }, ErrOptionTwice},
		"the component itself":       {func(r *Recipe) { r.Options[1].Product = breast }, ErrOptionTwice},
		"a substitute twice":         {func(r *Recipe) { r.Options[3].Product = sheet }, ErrOptionTwice},
		"what is made":               {func(r *Recipe) { r.Options[1].Product = wrap }, ErrOptionTwice},
		"nothing of a substitute":    {func(r *Recipe) { r.Options[3].Num = 0 }, ErrOptionRatio},
		"for nothing":                {func(r *Recipe) { r.Options[3].Den = 0 }, ErrOptionRatio},
		"a negative ratio":           {func(r *Recipe) { r.Options[3].Num = -3 }, ErrOptionRatio},
		"a ratio beyond all numbers": {func(r *Recipe) { r.Options[3].Den = mostRatio + 1 }, ErrOptionRatio},
		"itself at another ratio":    {func(r *Recipe) { r.Options[0].Num = 2 }, ErrOptionRatio},
		"least of all over 1":        {func(r *Recipe) { r.Options[0].Least, r.Options[1].Least = 500_001, 500_000 }, ErrShareLeast},
		"most of all under 1":        {func(r *Recipe) { r.Options[0].Most, r.Options[1].Most = 500_000, 499_999 }, ErrShareMost},
		"least over most":            {func(r *Recipe) { r.Options[0].Least, r.Options[0].Most = 600_000, 400_000 }, ErrShare},
		"a negative least":           {func(r *Recipe) { r.Options[0].Least = -1 }, ErrShare},
		"a most over 1":              {func(r *Recipe) { r.Options[0].Most = ShareWhole + 1 }, ErrShare},
		"a share out of its range":   {func(r *Recipe) { r.Options[0].Share, r.Options[1].Share = 399_999, 600_001 }, ErrShare},
		"shares that are no whole":   {func(r *Recipe) { r.Options[0].Share = 499_999 }, ErrShareSum},
		"nothing to share with":      {func(r *Recipe) { r.Options = r.Options[:1] }, ErrShareAlone},
		"a line that is none": {func(r *Recipe) {
			r.Options = append(r.Options, Option{lettuce, lettuce, 1, 1, ShareWhole, 0, ShareWhole})
		}, ErrMixPart},
		"a way round": {func(r *Recipe) {
			r.Options[3].Product = lettuce // which is made of wraps
		}, ErrRecipeCycle},
		"seven to choose from": {func(r *Recipe) {
			for i := range 5 {
				r.Options = append(r.Options, Option{sauce, id.ID(50 + i), 1, 1, 0, 0, ShareWhole})
			}
		}, ErrOptionMany},
	} {
		r := bun()
		c.spoil(&r)
		_, err := NewCookbook([]Recipe{r, {Product: lettuce, ValidFrom: "2030-01-01", Yield: 1, Components: []Component{{wrap, 1, 0, ""}}}}, kitchenName)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "a way round" && !strings.Contains(err.Error(), "鸡肉卷 → 生菜 → 鸡肉卷") {
			t.Errorf("%v does not show the way", err)
		}
	}
}

func TestATreeShowsWhatMayStandIn(t *testing.T) {
	b := cookbook(t, bun(), Recipe{Product: tomato, ValidFrom: "2026-01-01", Yield: 1000, Components: []Component{{lettuce, 2000, 0, ""}}})
	lines, cut := b.Tree(wrap, "2026-11-23", 10_000, 100)
	var got []id.ID
	for _, l := range lines {
		got = append(got, l.Product)
		if l.Option == nil || l.Level != 1 {
			t.Errorf("%+v", l)
		}
	}
	// The powder has no share: it is a line, but is not followed.
	if want := []id.ID{breast, sheet, sauce, tomato}; cut || !slices.Equal(got, want) || lines[3].Need.Sign() != 0 || lines[1].Need.Cmp(big.NewRat(250_000, 1)) != 0 {
		t.Errorf("%v, want %v", got, want)
	}
	if b.level[lettuce] != 2 || !slices.Contains(b.Products(), tomato) {
		t.Error("a substitute's own recipe is a level below")
	}
}

func TestRatiosAreSaidAsPeopleDo(t *testing.T) {
	for _, c := range []struct{ num, den, q, of int64 }{{2, 1, 2000, 1000}, {1, 50, 1000, 50_000}, {11, 10, 1100, 1000}, {3, 25, 120, 1000}, {2, 3, 2000, 3000}} {
		if q, of := (Option{Num: c.num, Den: c.den}).Spoken(); int64(q) != c.q || int64(of) != c.of {
			t.Errorf("%d for %d is said %d for %d", c.num, c.den, q, of)
		}
	}
}
