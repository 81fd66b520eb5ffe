package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

func (k *pantry) write(product string, in catalog.RecipeIn) error {
	_, err := write(k.t, k.d, func(tx *db.Tx) (any, error) { return nil, k.s.WriteRecipe(tx, 7, k.p[product], in) })
	return err
}

// mixed is a wrap of 100 g breast or as much lettuce, and 20 g sauce, of which tomatoes do half to four fifths: 1.2 for 1.
func (k *pantry) mixed() catalog.RecipeIn {
	return catalog.RecipeIn{ValidFrom: "2026-01-01", YieldQty: qty.Scale, Components: []catalog.ComponentIn{
		{ProductID: k.p["breast"], Qty: 100 * qty.Scale, Options: []catalog.OptionIn{{ProductID: k.p["lettuce"], Qty: qty.Scale, Unit: "kg", ForQty: 1000 * qty.Scale}}},
		{ProductID: k.p["sauce"], Qty: 20 * qty.Scale, Loss: "0", Least: "20%", Most: "0.5", Options: []catalog.OptionIn{
			{ProductID: k.p["tomato"], Qty: 1200, ForQty: qty.Scale, Share: "60%", Least: "0.5", Most: "0.8"}}}}}
}

func TestARecipeListsWhatMayStandIn(t *testing.T) {
	stocked(t, func(k *pantry) {
		if err := k.write("wrap", k.mixed()); err != nil {
			t.Fatal(err)
		}
		v := k.versions("wrap")[0]
		want := []catalog.Option{{Of: k.p["breast"], Product: k.p["breast"], Num: 1, Den: 1, Share: 1_000_000, Most: 1_000_000},
			{Of: k.p["breast"], Product: k.p["lettuce"], Num: 1, Den: 1, Most: 1_000_000},
			{Of: k.p["sauce"], Product: k.p["sauce"], Num: 1, Den: 1, Share: 400_000, Least: 200_000, Most: 500_000},
			{Of: k.p["sauce"], Product: k.p["tomato"], Num: 6, Den: 5, Share: 600_000, Least: 500_000, Most: 800_000}}
		got := map[catalog.Option]bool{}
		for _, o := range v.Options {
			got[o] = true
		}
		for _, o := range want {
			if !got[o] || len(got) != 4 {
				t.Errorf("%+v is not among %+v", o, v.Options)
			}
		}
		// Written again it is the same: nobody is told.
		before := k.events()
		in := k.mixed()
		in.Revision = v.Revision
		if err := k.write("wrap", in); err != nil || k.events() != before || k.versions("wrap")[0].Revision != v.Revision {
			t.Errorf("%v, %+v", err, k.versions("wrap")[0])
		}
		// Another range is another version, and so is another order of preference.
		in.Components[1].Least = "25%"
		if err := k.write("wrap", in); err != nil || k.events() != before+1 || k.versions("wrap")[0].Revision == v.Revision {
			t.Errorf("%v, %+v", err, k.versions("wrap")[0])
		}
		in.Revision, in.Components[0].Options = k.versions("wrap")[0].Revision, nil
		if err := k.write("wrap", in); err != nil || len(k.versions("wrap")[0].Options) != 2 {
			t.Errorf("%v, %+v", err, k.versions("wrap")[0])
		}
		if _, err := write(t, k.d, func(tx *db.Tx) (any, error) {
			v := k.versions("wrap")[0]
			return nil, k.s.DropRecipe(tx, v.Product, v.ID, v.Revision)
		}); err != nil || len(k.versions("wrap")) != 0 {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestASubstituteIsRefusedAtItsField(t *testing.T) {
	stocked(t, func(k *pantry) {
		k.has(k.recipe("sauce", "2026-01-01", 1000, "tomato 1500"), k.recipe("lettuce", "2030-01-01", 1000, "breast 10"))
		k.p["old"] = create(t, k.d, k.s, catalog.Draft{Code: "old", Name: "the old", BaseUnit: "g", TaxPct: 1300, State: catalog.Gone}).ID
		if err := k.write("wrap", k.mixed()); err != nil {
			t.Fatal(err)
		}
		revision, before := k.versions("wrap")[0].Revision, k.all()
		for name, c := range map[string]struct {
			change func(in *catalog.RecipeIn)
			want   *errs.Error
			field  string
		}{
			"itself":                    {func(in *catalog.RecipeIn) { in.Components[0].Options[0].ProductID = k.p["breast"] }, catalog.ErrOptionTwice, "components[0].options[0].product_id"},
			"another line's component":  {func(in *catalog.RecipeIn) { in.Components[0].Options[0].ProductID = k.p["sauce"] }, catalog.ErrOptionTwice, "components[0].options[0].product_id"},
			"another line's substitute": {func(in *catalog.RecipeIn) { in.Components[1].Options[0].ProductID = k.p["lettuce"] }, catalog.ErrOptionTwice, "components[1].options[0].product_id"},
			"what is made": {func(in *catalog.RecipeIn) {
				in.Components[0].Options[0].ProductID, in.Components[0].Options[0].Unit = k.p["wrap"], ""
			}, catalog.ErrOptionTwice, "components[0].options[0].product_id"},
			"nobody":                  {func(in *catalog.RecipeIn) { in.Components[0].Options[0].ProductID = 99 }, catalog.ErrComponent, "components[0].options[0].product_id"},
			"what is gone":            {func(in *catalog.RecipeIn) { in.Components[0].Options[0].ProductID = k.p["old"] }, catalog.ErrOptionGone, "components[0].options[0].product_id"},
			"nothing of it":           {func(in *catalog.RecipeIn) { in.Components[0].Options[0].Qty = 0 }, catalog.ErrOptionRatio, "components[0].options[0].qty"},
			"less than nothing of it": {func(in *catalog.RecipeIn) { in.Components[0].Options[0].Qty = -1 }, catalog.ErrOptionRatio, "components[0].options[0].qty"},
			"for nothing":             {func(in *catalog.RecipeIn) { in.Components[0].Options[0].ForQty = 0 }, catalog.ErrOptionRatio, "components[0].options[0].for_qty"},
			"a ratio of all the world": {func(in *catalog.RecipeIn) {
				in.Components[0].Options[0].Qty, in.Components[0].Options[0].ForQty = qty.Max/2000, 7
			}, catalog.ErrOptionRatio, "components[0].options[0].qty"},
			"in a unit it has not":    {func(in *catalog.RecipeIn) { in.Components[0].Options[0].Unit = "box" }, catalog.ErrNoUnit, "components[0].options[0].unit"},
			"for a unit it has not":   {func(in *catalog.RecipeIn) { in.Components[0].Options[0].ForUnit = "box" }, catalog.ErrNoUnit, "components[0].options[0].for_unit"},
			"a share that is none":    {func(in *catalog.RecipeIn) { in.Components[1].Options[0].Share = "half" }, catalog.ErrShare, "components[1].options[0].share"},
			"a share beyond its most": {func(in *catalog.RecipeIn) { in.Components[1].Options[0].Share = "0.9" }, catalog.ErrShare, "components[1].share"},
			"more than a whole":       {func(in *catalog.RecipeIn) { in.Components[1].Share, in.Components[1].Options[0].Share = "0.5", "0.6" }, catalog.ErrShareSum, "components[1].share"},
			"less than a whole":       {func(in *catalog.RecipeIn) { in.Components[1].Share = "0.3" }, catalog.ErrShareSum, "components[1].share"},
			"least of all over 1":     {func(in *catalog.RecipeIn) { in.Components[1].Least, in.Components[1].Options[0].Least = "0.5", "0.51" }, catalog.ErrShareLeast, "components[1].least"},
			"most of all under 1":     {func(in *catalog.RecipeIn) { in.Components[1].Most, in.Components[1].Options[0].Most = "0.3", "0.6" }, catalog.ErrShareMost, "components[1].most"},
			"least over most":         {func(in *catalog.RecipeIn) { in.Components[1].Options[0].Least = "0.9" }, catalog.ErrShare, "components[1].options[0].least"},
			"a range with nobody":     {func(in *catalog.RecipeIn) { in.Components[1].Options = nil }, catalog.ErrShareAlone, "components[1].least"},
			"six substitutes":         {func(in *catalog.RecipeIn) { in.Components[0].Options = k.six() }, catalog.ErrOptionMany, "components[0].options"},
		} {
			in := k.mixed()
			in.Revision = revision
			c.change(&in)
			err := k.write("wrap", in)
			if err == nil {
				t.Errorf("%s is taken", name)
				return
			}
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field && !(c.want == catalog.ErrShareAlone && strings.HasPrefix(e.Field, "components[1].")) {
				t.Errorf("%s: want %s at %q, got %v at %q", name, c.want.Code, c.field, err, e.Field)
			}
			if name == "another line's component" && !strings.Contains(err.Error(), "the sauce") {
				t.Errorf("%v does not name what is twice", err)
			}
			if after := k.all(); after != before {
				t.Errorf("%s changed %s to %s", name, before, after)
			}
		}
		// A way round through a substitute is seen from both sides: lettuce may stand in the wrap, so no wrap goes into lettuce's breast.
		err := k.write("breast", catalog.RecipeIn{ValidFrom: "2031-01-01", YieldQty: qty.Scale, Components: []catalog.ComponentIn{
			{ProductID: k.p["tomato"], Qty: qty.Scale, Options: []catalog.OptionIn{{ProductID: k.p["wrap"], Qty: qty.Scale, ForQty: qty.Scale}}}}})
		if !errors.Is(err, catalog.ErrRecipeCycle) || !strings.Contains(err.Error(), "the wrap") {
			t.Errorf("wrap → breast → wrap, as a substitute: %v", err)
		}
		if err := k.write("tomato", catalog.RecipeIn{ValidFrom: "2031-01-01", YieldQty: qty.Scale, Components: []catalog.ComponentIn{{ProductID: k.p["wrap"], Qty: qty.Scale}}}); !errors.Is(err, catalog.ErrRecipeCycle) {
			t.Errorf("wrap → tomato (a substitute) → wrap: %v", err)
		}
	})
}

// six are more substitutes than a line has.
func (k *pantry) six() []catalog.OptionIn {
	var all []catalog.OptionIn
	for i := range 6 {
		code := fmt.Sprint("n", i)
		if k.p[code] == 0 {
			k.p[code] = create(k.t, k.d, k.s, catalog.Draft{Code: code, Name: code, BaseUnit: "g", TaxPct: 1300}).ID
		}
		all = append(all, catalog.OptionIn{ProductID: k.p[code], Qty: 1000, ForQty: 1000})
	}
	return all
}

func TestWhereASubstituteIsUsed(t *testing.T) {
	stocked(t, func(k *pantry) {
		if err := k.write("wrap", k.mixed()); err != nil {
			t.Fatal(err)
		}
		k.has(k.recipe("breast", "2020-01-01", 100, "tomato 7"))
		uses, err := write(t, k.d, func(tx *db.Tx) (any, error) { return k.s.Uses(tx, k.p["tomato"], web.Paging{Limit: 50}) })
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, u := range uses.(*web.Page[catalog.UseView]).Items {
			fmt.Fprintf(&b, "%s %v/%v for %q %s (%s-%s); ", u.Code, u.Qty, u.YieldQty, u.Instead, u.Share, u.Least, u.Most)
		}
		if want := `wrap 24/1 for "the sauce" 0.6 (0.5-0.8); breast 7/100 for "" 1 (1-1); `; b.String() != want {
			t.Errorf("got  %s\nwant %s", &b, want)
		}
	})
}

func TestAFileLeavesWhatMayStandIn(t *testing.T) {
	stocked(t, func(k *pantry) {
		if err := k.write("wrap", k.mixed()); err != nil {
			t.Fatal(err)
		}
		file := func(parts ...string) []catalog.Option {
			t.Helper()
			if _, err := write(t, k.d, func(tx *db.Tx) (any, error) {
				return nil, k.s.ImportRecipes(tx, 7, []catalog.Recipe{k.recipe("wrap", "2026-01-01", 1, parts...)})
			}); err != nil {
				t.Fatal(err)
			}
			return k.versions("wrap")[0].Options
		}
		if got := file("breast 110", "sauce 20"); len(got) != 4 {
			t.Errorf("another quantity: %+v", got)
		}
		if got := file("breast 110", "tomato 20"); len(got) != 2 || got[0].Of != k.p["breast"] {
			t.Errorf("the sauce is gone: %+v", got)
		}
		if got := file("breast 110", "lettuce 5"); len(got) != 0 {
			t.Errorf("lettuce has a line of its own: %+v", got)
		}
	})
}
