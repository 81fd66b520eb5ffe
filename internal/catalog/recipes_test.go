package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// pantry has products of which recipes are made, by code.
type pantry struct {
	t *testing.T
	d *dbtest.DB
	s *catalog.Service
	p map[string]id.ID
}

func stocked(t *testing.T, story func(k *pantry)) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		k := &pantry{t, d, s, map[string]id.ID{}}
		for _, code := range []string{"wrap", "sauce", "tomato", "lettuce", "breast"} {
			draft := catalog.Draft{Code: code, Name: "the " + code, BaseUnit: "g", TaxPct: 1300, Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}}
			if code == "wrap" {
				draft = catalog.Draft{Code: code, Name: "the wrap", BaseUnit: "piece", TaxPct: 1300}
			}
			k.p[code] = create(t, d, s, draft).ID
		}
		story(k)
	})
}

// recipe of so many pieces or grams: "breast 50".
func (k *pantry) recipe(product string, from cal.Date, yield int64, parts ...string) catalog.Recipe {
	r := catalog.Recipe{Product: k.p[product], ValidFrom: from, Yield: qty.Qty(yield * qty.Scale)}
	for _, p := range parts {
		var code string
		var n int64
		fmt.Sscan(p, &code, &n)
		r.Components = append(r.Components, catalog.Component{Product: k.p[code], Qty: qty.Qty(n * qty.Scale), Loss: catalog.DefaultLoss})
	}
	return r
}

func (k *pantry) put(recipes ...catalog.Recipe) error {
	_, err := write(k.t, k.d, func(tx *db.Tx) (any, error) { return nil, k.s.PutRecipes(tx, 7, recipes) })
	return err
}

func (k *pantry) has(recipes ...catalog.Recipe) {
	k.t.Helper()
	if err := k.put(recipes...); err != nil {
		k.t.Fatal(err)
	}
}

func (k *pantry) refused(want *errs.Error, field string, recipes ...catalog.Recipe) error {
	k.t.Helper()
	before := k.all()
	err := k.put(recipes...)
	if e := errs.As(err); !errors.Is(err, want) || e.Field != field {
		k.t.Errorf("want %s at %q, got %v", want.Code, field, err)
	}
	if after := k.all(); after != before {
		k.t.Errorf("a refusal changed %s to %s", before, after)
	}
	return err
}

// all versions as text.
func (k *pantry) all() string {
	k.t.Helper()
	var b strings.Builder
	err := k.d.Read(k.t.Context(), func(tx *db.Tx) error {
		b.Reset()
		all, err := catalog.Recipes(tx)
		for _, r := range all {
			fmt.Fprintf(&b, "%d %s %s:", r.Product, r.ValidFrom, r.Yield)
			for _, c := range r.Components {
				fmt.Fprintf(&b, " %d %s %d %s", c.Product, c.Qty, c.Loss, c.Rule)
			}
			b.WriteString("\n")
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return b.String()
}

func (k *pantry) versions(product string) (found []catalog.Version) {
	k.t.Helper()
	err := k.d.Read(k.t.Context(), func(tx *db.Tx) (err error) {
		found, err = catalog.RecipesOf(tx, []id.ID{k.p[product]})
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return found
}

func TestARecipeHasVersionsByDay(t *testing.T) {
	stocked(t, func(k *pantry) {
		k.has(k.recipe("wrap", "2026-01-01", 1, "breast 50", "lettuce 30"), k.recipe("wrap", "2026-06-01", 1, "breast 60"))
		k.has(k.recipe("sauce", "2026-01-01", 1000, "tomato 1500"))
		got := k.versions("wrap")
		if len(got) != 2 || got[0].ValidFrom != "2026-06-01" || len(got[1].Components) != 2 || got[1].Components[0].Product != k.p["breast"] || got[1].Staff != 7 {
			t.Fatalf("%+v", got)
		}
		// The version of a day is replaced whole.
		k.has(k.recipe("wrap", "2026-01-01", 2, "tomato 5"))
		now := k.versions("wrap")
		if len(now) != 2 || now[1].ID != got[1].ID || now[1].Yield != 2*qty.Scale || len(now[1].Components) != 1 || now[1].Revision <= got[1].Revision {
			t.Errorf("%+v", now)
		}
		// Saying the same again changes nothing.
		events := k.events()
		k.has(k.recipe("wrap", "2026-01-01", 2, "tomato 5"))
		if again := k.versions("wrap"); again[1].Revision != now[1].Revision || k.events() != events {
			t.Errorf("%+v after %+v, %d events after %d", again, now, k.events(), events)
		}
		_, err := write(t, k.d, func(tx *db.Tx) (any, error) {
			return nil, k.s.DropRecipe(tx, k.p["wrap"], now[0].ID, now[0].Revision-1)
		})
		if !errors.Is(err, catalog.ErrChanged) {
			t.Errorf("a version that changed meanwhile was removed: %v", err)
		}
		_, err = write(t, k.d, func(tx *db.Tx) (any, error) { return nil, k.s.DropRecipe(tx, k.p["sauce"], now[0].ID, now[0].Revision) })
		if !errors.Is(err, catalog.ErrNoRecipe) {
			t.Errorf("the recipe of another product was removed: %v", err)
		}
		must(t, k.d, func(tx *db.Tx) (any, error) { return nil, k.s.DropRecipe(tx, k.p["wrap"], now[0].ID, now[0].Revision) })
		if left := k.versions("wrap"); len(left) != 1 || left[0].ValidFrom != "2026-01-01" {
			t.Errorf("%+v", left)
		}
	})
}

func (k *pantry) events() (n int) {
	err := k.d.Read(k.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM outbox_event WHERE type = 'catalog.recipe_saved.v1'`).Scan(&n)
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return n
}

func TestAWayRoundIsRefusedWithItsPathWhoeverClosesIt(t *testing.T) {
	stocked(t, func(k *pantry) {
		k.has(k.recipe("wrap", "2026-01-01", 1, "sauce 20"), k.recipe("sauce", "2026-01-01", 1000, "tomato 1500"))
		err := k.refused(catalog.ErrRecipeCycle, "components", k.recipe("tomato", "2027-01-01", 1, "lettuce 1", "wrap 1"))
		for _, link := range []string{"the tomato → the wrap", "the wrap → the sauce", "the sauce → the tomato"} {
			if !strings.Contains(err.Error(), link) {
				t.Errorf("%v does not tell that %s", err, link)
			}
		}
		k.refused(catalog.ErrRecipeCycle, "components", k.recipe("breast", "2026-01-01", 1, "breast 1"))
		// Both halves in one act.
		k.refused(catalog.ErrRecipeCycle, "components", k.recipe("breast", "2026-01-01", 1, "lettuce 1"), k.recipe("lettuce", "2026-01-01", 1, "breast 1"))
		// Twice is no way round.
		k.has(k.recipe("wrap", "2026-01-01", 1, "sauce 20", "tomato 10"))
	})
}

func TestTwoWhoCloseACircleTogetherDoNotBothSucceed(t *testing.T) {
	stocked(t, func(k *pantry) {
		done := make(chan error, 2)
		for _, r := range []catalog.Recipe{k.recipe("sauce", "2026-01-01", 1, "tomato 1"), k.recipe("tomato", "2026-01-01", 1, "sauce 1")} {
			go func() { done <- k.put(r) }()
		}
		one, other := <-done, <-done
		if (one == nil) == (other == nil) {
			t.Fatalf("%v and %v", one, other)
		}
		if err := errors.Join(one, other); !errors.Is(err, catalog.ErrRecipeCycle) {
			t.Error(err)
		}
	})
}

func TestMoreLevelsThanAnyKitchenHasAreRefused(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		k := &pantry{t, d, s, map[string]id.ID{}}
		for i := range 15 {
			code := fmt.Sprint("p", i)
			k.p[code] = create(t, d, s, catalog.Draft{Code: code, Name: code, BaseUnit: "g", TaxPct: 0}).ID
		}
		// From the middle outwards: each new recipe sees only a part of the chain.
		for _, i := range []int{6, 5, 7, 4, 8, 3, 9, 2, 10, 1, 11, 12} { // p1 … p13: twelve levels
			k.has(k.recipe(fmt.Sprint("p", i), "2026-01-01", 1, fmt.Sprintf("p%d 1", i+1)))
		}
		k.has(k.recipe("p0", "2026-01-01", 1, "p3 1"))
		k.refused(catalog.ErrRecipeDeep, "components", k.recipe("p0", "2026-01-01", 1, "p1 1"))
		k.refused(catalog.ErrRecipeDeep, "components", k.recipe("p13", "2026-01-01", 1, "p14 1"))
	})
}

func TestBadVersionsAreRefused(t *testing.T) {
	stocked(t, func(k *pantry) {
		good := func() catalog.Recipe { return k.recipe("wrap", "2026-01-01", 1, "breast 50", "lettuce 30") }
		for name, c := range map[string]struct {
			change func(r *catalog.Recipe)
			want   *errs.Error
			field  string
		}{
			"no day":                  {func(r *catalog.Recipe) { r.ValidFrom = "" }, catalog.ErrRecipeDate, "valid_from"},
			"a day that is none":      {func(r *catalog.Recipe) { r.ValidFrom = "2026-02-30" }, catalog.ErrRecipeDate, "valid_from"},
			"a day of the last age":   {func(r *catalog.Recipe) { r.ValidFrom = "1999-12-31" }, catalog.ErrRecipeDate, "valid_from"},
			"no yield":                {func(r *catalog.Recipe) { r.Yield = 0 }, catalog.ErrRecipeEmpty, "yield_qty"},
			"too large a yield":       {func(r *catalog.Recipe) { r.Yield = qty.Max + 1 }, catalog.ErrRecipeEmpty, "yield_qty"},
			"nothing goes in":         {func(r *catalog.Recipe) { r.Components = nil }, catalog.ErrRecipeEmpty, "components"},
			"less than nothing":       {func(r *catalog.Recipe) { r.Components[1].Qty = -1 }, catalog.ErrRecipeEmpty, "components[1].qty"},
			"all is lost":             {func(r *catalog.Recipe) { r.Components[0].Loss = catalog.LossWhole }, catalog.ErrLossRate, "components[0].loss"},
			"a gain":                  {func(r *catalog.Recipe) { r.Components[0].Loss = -1 }, catalog.ErrLossRate, "components[0].loss"},
			"a rule nobody knows":     {func(r *catalog.Recipe) { r.Components[0].Rule = "guess" }, catalog.ErrLossRule, "components[0].rule"},
			"a component twice":       {func(r *catalog.Recipe) { r.Components[1].Product = r.Components[0].Product }, catalog.ErrComponentTwice, "components[1].product_id"},
			"a component nobody has":  {func(r *catalog.Recipe) { r.Components[1].Product = 99 }, catalog.ErrComponent, "components[1].product_id"},
			"a product nobody has":    {func(r *catalog.Recipe) { r.Product = 99 }, catalog.ErrNoProduct, ""},
			"more than anybody reads": {func(r *catalog.Recipe) { r.Components = make([]catalog.Component, 201) }, catalog.ErrRecipeEmpty, "components"},
		} {
			r := good()
			c.change(&r)
			t.Log(name)
			k.refused(c.want, c.field, k.recipe("sauce", "2026-01-01", 1, "tomato 1"), r)
		}
		k.has(good())
	})
}

func TestAVersionIsWrittenInThePersonsUnits(t *testing.T) {
	stocked(t, func(k *pantry) {
		good := func() catalog.RecipeIn {
			return catalog.RecipeIn{ValidFrom: "2026-01-01", YieldQty: 2 * qty.Scale, Components: []catalog.ComponentIn{
				{ProductID: k.p["breast"], Qty: qty.Scale / 10, Unit: "kg", Loss: "3.5%", Rule: catalog.LossYield}, {ProductID: k.p["sauce"], Qty: 20 * qty.Scale}}}
		}
		put := func(product id.ID, in catalog.RecipeIn) error {
			_, err := write(k.t, k.d, func(tx *db.Tx) (any, error) { return nil, k.s.WriteRecipe(tx, 7, product, in) })
			return err
		}
		if err := put(k.p["wrap"], good()); err != nil {
			t.Fatal(err)
		}
		v := k.versions("wrap")[0]
		want := []catalog.Component{{Product: k.p["breast"], Qty: 100 * qty.Scale, Loss: 35_000, Rule: catalog.LossYield},
			{Product: k.p["sauce"], Qty: 20 * qty.Scale, Loss: catalog.DefaultLoss, Rule: catalog.LossMarkup}}
		if v.Staff != 7 || v.Yield != 2*qty.Scale || len(v.Components) != 2 || v.Components[0] != want[0] || v.Components[1] != want[1] {
			t.Errorf("%+v", v)
		}
		k.has(k.recipe("sauce", "2026-01-01", 1000, "tomato 1500"))
		before := k.all()
		for name, c := range map[string]struct {
			product string
			change  func(in *catalog.RecipeIn)
			want    *errs.Error
			field   string
		}{
			"written over unseen":    {"wrap", func(in *catalog.RecipeIn) {}, catalog.ErrChanged, "revision"},
			"over an older state":    {"wrap", func(in *catalog.RecipeIn) { in.Revision = v.Revision - 1 }, catalog.ErrChanged, "revision"},
			"over one never written": {"wrap", func(in *catalog.RecipeIn) { in.ValidFrom, in.Revision = "2026-02-01", v.Revision }, catalog.ErrChanged, "revision"},
			"no yield":               {"wrap", func(in *catalog.RecipeIn) { in.YieldQty = 0 }, catalog.ErrRecipeEmpty, "yield_qty"},
			"a yield in kg of wraps": {"wrap", func(in *catalog.RecipeIn) { in.YieldUnit = "kg" }, catalog.ErrNoUnit, "yield_unit"},
			"nothing of a component": {"wrap", func(in *catalog.RecipeIn) { in.Components[1].Qty = 0 }, catalog.ErrRecipeEmpty, "components[1].qty"},
			"in a unit it has not":   {"wrap", func(in *catalog.RecipeIn) { in.Components[1].Unit = "box" }, catalog.ErrNoUnit, "components[1].unit"},
			"beyond all numbers":     {"wrap", func(in *catalog.RecipeIn) { in.Components[0].Qty = qty.Max }, qty.ErrTooLarge, "components[0].qty"},
			"all is lost":            {"wrap", func(in *catalog.RecipeIn) { in.Components[0].Loss = "100%" }, catalog.ErrLossRate, "components[0].loss"},
			"a rule nobody knows":    {"wrap", func(in *catalog.RecipeIn) { in.Components[0].Rule = "guess" }, catalog.ErrLossRule, "components[0].rule"},
			"a component twice":      {"wrap", func(in *catalog.RecipeIn) { in.Components[1].ProductID = k.p["breast"] }, catalog.ErrComponentTwice, "components[1].product_id"},
			"a component of nobody":  {"wrap", func(in *catalog.RecipeIn) { in.Components[1].ProductID = 99 }, catalog.ErrComponent, "components[1].product_id"},
			"nothing goes in":        {"wrap", func(in *catalog.RecipeIn) { in.ValidFrom, in.Components = "2026-02-01", nil }, catalog.ErrRecipeEmpty, "components"},
			"a day that is none":     {"wrap", func(in *catalog.RecipeIn) { in.ValidFrom = "2026-02-30" }, catalog.ErrRecipeDate, "valid_from"},
			"a product of nobody":    {"", func(in *catalog.RecipeIn) {}, catalog.ErrNoProduct, ""},
			"a way round":            {"tomato", func(in *catalog.RecipeIn) { in.Components[0].Unit, in.Components[0].ProductID = "", k.p["wrap"] }, catalog.ErrRecipeCycle, "components"},
		} {
			in := good()
			c.change(&in)
			err := put(k.p[c.product], in)
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				t.Errorf("%s: want %s at %q, got %v", name, c.want.Code, c.field, err)
			}
			if name == "a component twice" && !strings.Contains(err.Error(), "the breast") {
				t.Errorf("%v does not name what is twice", err)
			}
			if after := k.all(); after != before {
				t.Errorf("%s changed %s to %s", name, before, after)
			}
		}
		in := good()
		in.Revision, in.YieldQty = v.Revision, 3*qty.Scale
		if err := put(k.p["wrap"], in); err != nil || k.versions("wrap")[0].Yield != 3*qty.Scale {
			t.Errorf("over what was seen: %v, %+v", err, k.versions("wrap"))
		}
	})
}

func TestLossRatesAreExact(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "0.03": 30_000, ".03": 30_000, "3%": 30_000, "3 %": 30_000, "0.123456": 123_456, "12.3456%": 123_456,
		"0.030": 30_000, "0.0300000000": 30_000, "99.9999%": 999_999, "00.5": 500_000} {
		got, err := catalog.ParseLoss(text)
		if err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
		if back, err := catalog.ParseLoss(catalog.LossText(got)); err != nil || back != got {
			t.Errorf("%d is written %s and read %d, %v", got, catalog.LossText(got), back, err)
		}
	}
	for _, text := range []string{"", ".", "%", "1", "100%", "3", "-0.1", "0.0000001", "1e-3", "0,03", "x", "0.03.1", "٠٫٣", "+0.1"} {
		if got, err := catalog.ParseLoss(text); !errors.Is(err, catalog.ErrLossRate) {
			t.Errorf("%q became %d, %v", text, got, err)
		}
	}
}

func TestWhereAProductIsUsed(t *testing.T) {
	stocked(t, func(k *pantry) {
		k.has(k.recipe("wrap", "2020-01-01", 1, "breast 50", "sauce 10"), k.recipe("wrap", "2021-01-01", 2, "sauce 30"), k.recipe("wrap", "2099-01-01", 1, "sauce 5"),
			k.recipe("breast", "2020-01-01", 100, "sauce 7"), k.recipe("sauce", "2020-01-01", 1000, "tomato 1500"))
		uses := func(product, after string, limit int) *web.Page[catalog.UseView] {
			k.t.Helper()
			page, err := write(k.t, k.d, func(tx *db.Tx) (any, error) {
				return k.s.Uses(tx, k.p[product], web.Paging{After: after, Limit: limit})
			})
			if err != nil {
				k.t.Fatal(err)
			}
			return page.(*web.Page[catalog.UseView])
		}
		said := func(all []catalog.UseView) string {
			var b strings.Builder
			for _, u := range all {
				fmt.Fprintf(&b, "%s %s %v %v/%v; ", u.Code, u.ValidFrom, u.InForce, u.Qty, u.YieldQty)
			}
			return b.String()
		}
		want := "wrap 2099-01-01 false 5/1; wrap 2021-01-01 true 30/2; wrap 2020-01-01 false 10/1; breast 2020-01-01 true 7/100; "
		if k.p["wrap"] > k.p["breast"] {
			t.Fatal("products come by rising id")
		}
		if got := said(uses("sauce", "", 50).Items); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		// Page by page it is the same.
		var pages []catalog.UseView
		for after := ""; ; {
			page := uses("sauce", after, 1)
			pages = append(pages, page.Items...)
			if after = page.Next; after == "" {
				break
			}
		}
		if got := said(pages); got != want {
			t.Errorf("paged: got %s\nwant %s", got, want)
		}
		if got := uses("wrap", "", 50).Items; len(got) != 0 {
			t.Errorf("nothing is made of wraps: %+v", got)
		}
		if _, err := write(k.t, k.d, func(tx *db.Tx) (any, error) { return k.s.Uses(tx, 99, web.Paging{Limit: 9}) }); !errors.Is(err, catalog.ErrNoProduct) {
			t.Errorf("a product that is none: %v", err)
		}
	})
}
