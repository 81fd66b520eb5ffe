package catalog

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

const (
	wrap id.ID = iota + 1
	breast
	sheet
	lettuce
	sauce
	tomato
)

var kitchenNames = map[id.ID]string{wrap: "鸡肉卷", breast: "鸡胸肉", sheet: "卷皮", lettuce: "生菜", sauce: "酱", tomato: "番茄"}

func kitchenName(p id.ID) string {
	if n := kitchenNames[p]; n != "" {
		return n
	}
	return p.String()
}

func noStock(id.ID) Stock { return Stock{} }

func explode(t *testing.T, b *Cookbook, day cal.Date, makes map[id.ID]qty.Qty, stock func(id.ID) Stock, piece func(id.ID) bool) []Requirement {
	t.Helper()
	rows, err := b.Explode(day, makes, stock, piece)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func cookbook(t *testing.T, recipes ...Recipe) *Cookbook {
	t.Helper()
	b, err := NewCookbook(recipes, kitchenName)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func of(rows []Requirement, p id.ID) Requirement {
	for _, r := range rows {
		if r.Product == p {
			return r
		}
	}
	return Requirement{Gross: new(big.Rat), Need: new(big.Rat)}
}

func chickenWrap(rule LossRule) Recipe {
	return Recipe{Product: wrap, ValidFrom: "2026-01-01", Yield: 1000, Components: []Component{
		{breast, 50_000, 30_000, rule}, {sheet, 1000, 30_000, rule}, {lettuce, 30_000, 30_000, rule}}}
}

func TestFiveHundredChickenWraps(t *testing.T) {
	b := cookbook(t, chickenWrap(LossMarkup))
	pieces := func(p id.ID) bool { return p == sheet || p == wrap }
	rows := explode(t, b, "2026-11-23", map[id.ID]qty.Qty{wrap: 500_000}, noStock, pieces)
	for _, want := range []struct {
		product     id.ID
		gross, need int64
		net         qty.Qty
	}{{breast, 25_000_000, 25_750_000, 25_750_000}, {sheet, 500_000, 515_000, 515_000}, {lettuce, 15_000_000, 15_450_000, 15_450_000}} {
		r := of(rows, want.product)
		if r.Gross.Cmp(big.NewRat(want.gross, 1)) != 0 || r.Need.Cmp(big.NewRat(want.need, 1)) != 0 || r.Net != want.net {
			t.Errorf("%s: gross %v, need %v, net %v", kitchenName(want.product), r.Gross, r.Need, r.Net)
		}
		if r.Loss().Cmp(big.NewRat(3, 100)) != 0 {
			t.Errorf("%s: loss %v", kitchenName(want.product), r.Loss())
		}
	}
}

func TestPiecesAreRoundedUpOnceAfterNetting(t *testing.T) {
	b := cookbook(t, chickenWrap(LossMarkup))
	pieces := func(p id.ID) bool { return p == sheet }
	if r := of(explode(t, b, "2026-11-23", map[id.ID]qty.Qty{wrap: 50_000}, noStock, pieces), sheet); r.Net != 52_000 {
		t.Errorf("50 × 1.03 is bought as %v", r.Net)
	}
	half := func(p id.ID) Stock {
		if p == sheet {
			return Stock{OnHand: 1000, InTransit: 500}
		}
		return Stock{}
	}
	r := of(explode(t, b, "2026-11-23", map[id.ID]qty.Qty{wrap: 50_000}, half, pieces), sheet)
	if r.Net != 50_000 || r.OnHand != 1000 || r.InTransit != 500 {
		t.Errorf("51.5 less 1.5 in stock is bought as %v (%v on hand, %v in transit)", r.Net, r.OnHand, r.InTransit)
	}
}

func TestALossThatIsAYieldDivides(t *testing.T) {
	b := cookbook(t, chickenWrap(LossYield))
	r := of(explode(t, b, "2026-11-23", map[id.ID]qty.Qty{wrap: 97_000}, noStock, func(id.ID) bool { return false }), sheet)
	if r.Need.Cmp(big.NewRat(100_000, 1)) != 0 {
		t.Errorf("97 ÷ (1 − 3 %%) is %v", r.Need)
	}
}

func TestASemiFinishedProductIsNettedBeforeItsMaterials(t *testing.T) {
	b := cookbook(t,
		Recipe{Product: wrap, ValidFrom: "2026-01-01", Yield: 1000, Components: []Component{{sauce, 20_000, 0, ""}, {tomato, 10_000, 0, ""}}},
		Recipe{Product: sauce, ValidFrom: "2026-01-01", Yield: 1_000_000, Components: []Component{{tomato, 1_500_000, 0, ""}}})
	have := func(p id.ID) Stock {
		if p == sauce {
			return Stock{OnHand: 500_000}
		}
		return Stock{}
	}
	rows := explode(t, b, "2026-11-23", map[id.ID]qty.Qty{wrap: 100_000}, have, func(id.ID) bool { return false })
	if r := of(rows, sauce); !r.Made || r.Net != 1_500_000 {
		t.Errorf("2 kg of sauce less 500 g in stock is made as %v", r.Net)
	}
	if r := of(rows, tomato); r.Net != 1_000_000+2_250_000 || r.Level != 2 {
		t.Errorf("tomato on top and in the sauce: %v at level %d", r.Net, r.Level)
	}
}

func TestTheVersionOfTheDayCounts(t *testing.T) {
	old, now := chickenWrap(""), chickenWrap("")
	now.ValidFrom = "2026-06-01"
	now.Components = []Component{{breast, 60_000, 0, ""}}
	b := cookbook(t, old, now)
	for day, want := range map[cal.Date]qty.Qty{"2026-05-31": 51_500, "2026-06-01": 60_000} {
		if r := of(explode(t, b, day, map[id.ID]qty.Qty{wrap: 1000}, noStock, func(id.ID) bool { return false }), breast); r.Net != want {
			t.Errorf("on %s one wrap takes %v of breast", day, r.Net)
		}
	}
	if _, ok := b.On(wrap, "2025-12-31"); ok {
		t.Error("a recipe is valid before its first day")
	}
}

// A salad that is bought ready-made and sold as it is, and also goes into the wrap.
func TestWhatIsBoughtToBeSoldSharesStockWithWhatIsUsed(t *testing.T) {
	b := cookbook(t, Recipe{Product: wrap, Yield: 1000, Components: []Component{{tomato, 2000, 0, ""}}})
	have := func(p id.ID) Stock {
		if p == tomato {
			return Stock{OnHand: 15_000, InTransit: 2_000}
		}
		return Stock{}
	}
	rows, err := b.Require("2026-11-23", Ask{Make: map[id.ID]qty.Qty{wrap: 10_000}, Need: map[id.ID]qty.Qty{tomato: 5_000}, Stock: have, Piece: func(id.ID) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	r := of(rows, tomato)
	if r.Gross.Cmp(big.NewRat(25_000, 1)) != 0 || r.OnHand != 15_000 || r.InTransit != 2_000 || r.Net != 8_000 || r.Made {
		t.Errorf("5 to sell and 20 to use, 17 there or coming: %+v", r)
	}
	if len(r.Uses) != 1 || r.Uses[0].Product != wrap || r.Uses[0].Makes != 10_000 || r.Uses[0].Gross.Cmp(big.NewRat(20_000, 1)) != 0 {
		t.Errorf("20 of them go into the wraps: %+v", r.Uses)
	}
}

// Sauce comes from the kitchen: the store asks for sauce, not for its tomatoes.
func TestWhatIsMadeElsewhereIsAskedForAsItIs(t *testing.T) {
	b := cookbook(t,
		Recipe{Product: wrap, Yield: 1000, Components: []Component{{sauce, 20_000, 0, ""}}},
		Recipe{Product: sauce, Yield: 1_000_000, Components: []Component{{tomato, 1_500_000, 0, ""}}})
	rows, err := b.Require("2026-11-23", Ask{Make: map[id.ID]qty.Qty{wrap: 100_000}, Stock: noStock, Piece: func(id.ID) bool { return false },
		Elsewhere: func(p id.ID) bool { return p == sauce }})
	if err != nil {
		t.Fatal(err)
	}
	if r := of(rows, sauce); r.Made || r.Net != 2_000_000 {
		t.Errorf("2 kg of sauce are asked for: %+v", r)
	}
	if r := of(rows, tomato); r.Product != 0 {
		t.Errorf("the store is to buy tomatoes: %+v", r)
	}
}

func TestTheWayRoundIsFound(t *testing.T) {
	good := Recipe{Product: wrap, Yield: 1, Components: []Component{{sauce, 1, 0, ""}, {tomato, 1, 0, ""}}}
	if path, why := FindFault([]Recipe{good, {Product: sauce, Yield: 1, Components: []Component{{tomato, 1, 0, ""}}}}, kitchenName); path != nil || why != nil {
		t.Errorf("tomato twice is no way round: %v %v", path, why)
	}
	// The two versions of the sauce never hold on one day; the way round is found all the same.
	path, why := FindFault([]Recipe{good, {Product: sauce, ValidFrom: "2026-01-01", Yield: 1, Components: []Component{{tomato, 1, 0, ""}}},
		{Product: sauce, ValidFrom: "2027-01-01", Yield: 1, Components: []Component{{lettuce, 1, 0, ""}}},
		{Product: lettuce, Yield: 1, Components: []Component{{wrap, 1, 0, ""}}}}, kitchenName)
	if !errors.Is(why, ErrRecipeCycle) || len(path) != 4 || path[0] != path[3] || !strings.Contains(why.Error(), "酱 → 生菜") {
		t.Errorf("the way round is %v: %v", path, why)
	}
	var deep []Recipe
	for i := id.ID(100); i < 113; i++ {
		deep = append(deep, Recipe{Product: i, Yield: 1, Components: []Component{{breast, 1, 0, ""}, {i + 1, 1, 0, ""}}})
	}
	if path, why := FindFault(deep, kitchenName); !errors.Is(why, ErrRecipeDeep) || len(path) != 14 || path[0] != 100 || path[12] != 112 {
		t.Errorf("thirteen levels: %v, %v", path, why)
	}
	if path, why := FindFault(deep[1:], kitchenName); path != nil || why != nil {
		t.Errorf("twelve levels: %v, %v", path, why)
	}
}

func TestARecipeThatEatsItselfIsRefusedWithItsPath(t *testing.T) {
	_, err := NewCookbook([]Recipe{
		{Product: wrap, Yield: 1000, Components: []Component{{sauce, 1, 0, ""}}},
		{Product: sauce, Yield: 1000, Components: []Component{{tomato, 1, 0, ""}}},
		{Product: tomato, Yield: 1000, Components: []Component{{sauce, 1, 0, ""}}},
	}, kitchenName)
	if !errors.Is(err, ErrRecipeCycle) || !strings.Contains(err.Error(), "酱 → 番茄 → 酱") {
		t.Fatal(err)
	}
}

func TestBadRecipesAreRefused(t *testing.T) {
	line := []Component{{breast, 1000, 0, ""}}
	deep := make([]Recipe, maxRecipeLevels+1)
	for i := range deep {
		deep[i] = Recipe{Product: id.ID(100 + i), Yield: 1, Components: []Component{{id.ID(101 + i), 1, 0, ""}}}
	}
	for name, c := range map[string]struct {
		recipes []Recipe
		want    error
	}{
		"no yield":        {[]Recipe{{Product: wrap, Components: line}}, ErrRecipeEmpty},
		"negative yield":  {[]Recipe{{Product: wrap, Yield: -1, Components: line}}, ErrRecipeEmpty},
		"no components":   {[]Recipe{{Product: wrap, Yield: 1000}}, ErrRecipeEmpty},
		"nothing of it":   {[]Recipe{{Product: wrap, Yield: 1000, Components: []Component{{breast, 0, 0, ""}}}}, ErrRecipeEmpty},
		"all is lost":     {[]Recipe{{Product: wrap, Yield: 1000, Components: []Component{{breast, 1, LossWhole, LossYield}}}}, ErrLossRate},
		"negative loss":   {[]Recipe{{Product: wrap, Yield: 1000, Components: []Component{{breast, 1, -1, ""}}}}, ErrLossRate},
		"same day twice":  {[]Recipe{{Product: wrap, ValidFrom: "2026-01-01", Yield: 1, Components: line}, {Product: wrap, ValidFrom: "2026-01-01", Yield: 2, Components: line}}, ErrRecipeTwice},
		"made of itself":  {[]Recipe{{Product: wrap, Yield: 1, Components: []Component{{wrap, 1, 0, ""}}}}, ErrRecipeCycle},
		"thirteen levels": {deep, ErrRecipeDeep},
	} {
		if _, err := NewCookbook(c.recipes, kitchenName); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Random menus over several levels against the plainest reading of the rules: follow every path on its own.
func TestExplosionEqualsFollowingEveryPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const products = 12
		var recipes []Recipe
		book := map[id.ID]Recipe{}
		for p := id.ID(1); p < products; p++ {
			if p > 2 && rapid.Bool().Draw(t, fmt.Sprint("material", p)) {
				continue
			}
			r := Recipe{Product: p, Yield: qty.Qty(rapid.Int64Range(500, 50_000).Draw(t, "yield"))}
			for range rapid.IntRange(1, 4).Draw(t, "components") {
				rule := rapid.SampledFrom([]LossRule{"", LossMarkup, LossYield}).Draw(t, "rule")
				r.Components = append(r.Components, Component{
					id.ID(rapid.Int64Range(int64(p)+1, products).Draw(t, "component")),
					qty.Qty(rapid.Int64Range(1, 90_000).Draw(t, "qty")), rapid.Int64Range(0, 400_000).Draw(t, "loss"), rule})
			}
			r.Options = drawOptions(t, r, products)
			recipes, book[p] = append(recipes, r), r
		}
		b, err := NewCookbook(recipes, kitchenName)
		if err != nil {
			t.Fatal(err)
		}
		mixes := map[id.ID]Mix{}
		for _, r := range recipes {
			if len(r.Options) > 0 && rapid.Bool().Draw(t, "is mixed") {
				mixes[r.Product] = drawMix(t, r)
			}
		}
		makes := map[id.ID]qty.Qty{1: qty.Qty(rapid.Int64Range(1, 1e6).Draw(t, "make 1")), 2: qty.Qty(rapid.Int64Range(1, 1e6).Draw(t, "make 2"))}
		want := map[id.ID]*big.Rat{}
		var follow func(p id.ID, q *big.Rat)
		follow = func(p id.ID, q *big.Rat) {
			if want[p] == nil {
				want[p] = new(big.Rat)
			}
			want[p].Add(want[p], q)
			for _, c := range book[p].Components {
				need := new(big.Rat).Mul(q, big.NewRat(int64(c.Qty), int64(book[p].Yield)))
				loss := big.NewRat(c.Loss, LossWhole)
				one := big.NewRat(1, 1)
				if c.Rule == LossYield {
					need.Quo(need, one.Sub(one, loss))
				} else {
					need.Mul(need, one.Add(one, loss))
				}
				mixed := false
				for _, o := range book[p].Options { // by what the mix says, else the recipe
					if o.Of != c.Product {
						continue
					}
					mixed = true
					share := o.Share
					if m := mixes[p]; m != nil {
						share = m[o.Product]
					}
					if share > 0 {
						part := new(big.Rat).Mul(need, big.NewRat(share, 1_000_000))
						follow(o.Product, part.Quo(part.Mul(part, big.NewRat(o.Num, 1)), big.NewRat(o.Den, 1)))
					}
				}
				if !mixed {
					follow(c.Product, need)
				}
			}
		}
		for p, q := range makes {
			follow(p, new(big.Rat).SetInt64(int64(q)))
		}
		rows, err := b.Require("2026-11-23", Ask{Make: makes, Stock: noStock, Piece: func(p id.ID) bool { return p%2 == 0 }, Mix: func(r *Recipe) Mix { return mixes[r.Product] }})
		most := new(big.Rat)
		for _, need := range want {
			if need.Cmp(most) > 0 {
				most = need
			}
		}
		if limit := big.NewRat(int64(qty.Max)-qty.Scale, 1); most.Cmp(limit) > 0 {
			if err == nil && most.Cmp(big.NewRat(int64(qty.Max), 1)) > 0 {
				t.Fatalf("a need of %v fits", most)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(want) {
			t.Fatalf("%d rows, want %d", len(rows), len(want))
		}
		for _, r := range rows {
			if r.Need.Cmp(want[r.Product]) != 0 {
				t.Fatalf("%d needs %v, want %v", r.Product, r.Need, want[r.Product])
			}
			up := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(r.Net)), r.Need)
			if up.Sign() < 0 || up.Cmp(big.NewRat(qty.Scale, 1)) >= 0 {
				t.Fatalf("%d: need %v became %v", r.Product, r.Need, r.Net)
			}
		}
	})
}
