package making_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/making"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

func (k *kitchen) tree(product string, on cal.Date, pieces qty.Qty, costed bool) *making.RecipeTree {
	k.t.Helper()
	var tree *making.RecipeTree
	k.must(func(tx *db.Tx) (err error) {
		tree, err = k.flow.Tree(tx, making.TreeIn{ID: k.by[product].ID, Date: on, Qty: pieces}, costed)
		return err
	})
	return tree
}

// said is a tree in words: level, product, before and with the loss, exactly where it is no whole thousandth.
func said(lines []making.TreeLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%d %s %v→%v", l.Level, l.Code, l.Gross, l.Need)
		if l.Exact != "" {
			fmt.Fprintf(&b, " (%s)", l.Exact)
		}
		b.WriteString("; ")
	}
	return b.String()
}

// The worked example of the trade: 500 wraps with 3 % loss, and the house's own breast one level deeper.
func TestARecipeIsFollowedDownExactly(t *testing.T) {
	each(t, func(k *kitchen) {
		got := k.tree("wrap", "2026-05-01", 500_000, false)
		want := "1 breast 25000→25750; 2 chicken 32187.5→32187.5; 1 sheet 500→515; 1 lettuce 15000→15450; "
		if said(got.Items) != want {
			t.Errorf("got  %s\nwant %s", said(got.Items), want)
		}
		if got.Items[0].ValidFrom != "2020-01-01" || got.Items[1].ValidFrom != "" || got.Cut || got.Costed || got.Cost != nil || got.Items[1].Cost != nil {
			t.Errorf("%+v", got)
		}
		// One wrap, when nothing is said: what is bought is rounded once, pieces to whole ones; thirds stay exact.
		k.must(func(tx *db.Tx) error {
			return k.goods.PutRecipes(tx, k.staff, []catalog.Recipe{{Product: k.by["wrap"].ID, ValidFrom: "2026-06-01", Yield: 3000,
				Components: []catalog.Component{{Product: k.by["sheet"].ID, Qty: 1000, Rule: catalog.LossMarkup}, {Product: k.by["lettuce"].ID, Qty: 10_000, Loss: 100_000, Rule: catalog.LossYield}}}})
		})
		got = k.tree("wrap", "2026-06-01", 1000, false)
		if want = "1 sheet 0.334→0.334 (1/3); 1 lettuce 3.334→3.704 (100/27); "; said(got.Items) != want || got.ValidFrom != "2026-06-01" {
			t.Errorf("got  %s\nwant %s", said(got.Items), want)
		}
		if want = "0 sheet 0→1 (1/3); 0 lettuce 0→3.704 (100/27); "; said(got.Materials) != want {
			t.Errorf("got  %s\nwant %s", said(got.Materials), want)
		}
		if got = k.tree("wrap", "2026-06-01", 0, false); got.Qty != 3000 {
			t.Errorf("without a quantity it is one yield: %v", got.Qty)
		}
		// Where the decimals have an end they are all there.
		if got = k.tree("wrap", "2026-05-31", 1, false); got.Items[0].Exact != "0.0515" {
			t.Errorf("a thousandth of a wrap takes %+v", got.Items[0])
		}
		// The day decides the version.
		if got = k.tree("wrap", "2026-05-31", 1000, false); got.ValidFrom != "2020-01-01" || len(got.Items) != 4 {
			t.Errorf("%+v", got)
		}
		for what, no := range map[string]struct {
			in    making.TreeIn
			want  error
			field string
		}{
			"what nobody makes":   {making.TreeIn{ID: k.by["cola"].ID}, making.ErrNotMade, "date"},
			"before its first":    {making.TreeIn{ID: k.by["wrap"].ID, Date: "2019-12-31"}, making.ErrNotMade, "date"},
			"a day that is none":  {making.TreeIn{ID: k.by["wrap"].ID, Date: "2026-02-30"}, catalog.ErrRecipeDate, "date"},
			"less than nothing":   {making.TreeIn{ID: k.by["wrap"].ID, Qty: -1}, qty.ErrTooLarge, "qty"},
			"more than there is":  {making.TreeIn{ID: k.by["wrap"].ID, Qty: qty.Max}, qty.ErrTooLarge, "qty"},
			"a product of nobody": {making.TreeIn{ID: 99}, catalog.ErrNoProduct, ""},
		} {
			k.refused(what, no.want, no.field, func(tx *db.Tx) error { _, err := k.flow.Tree(tx, no.in, false); return err })
		}
	})
}

func TestARecipeIsCostedAtTheLowestPrice(t *testing.T) {
	each(t, func(k *kitchen) {
		supplier := func(code string, stopped bool) (s id.ID) {
			k.must(func(tx *db.Tx) error {
				p, err := party.AddSupplier(tx, party.SupplierDraft{Code: code, Name: code})
				if err == nil && stopped {
					_, err = party.ChangeSupplier(tx, p.ID, p.Revision, party.SupplierDraft{Code: code, Name: code, State: "stopped"})
				}
				if err == nil {
					s = p.ID
				}
				return err
			})
			return s
		}
		cheap, dear, gone := supplier("A", false), supplier("B", false), supplier("C", true)
		kg, piece := qty.Unit{Name: "kg", Num: 1000, Den: 1}, qty.Unit{Name: "piece", Num: 1, Den: 1}
		offer := func(s id.ID, product string, unit qty.Unit, yuan4 money.Fen4) party.Terms {
			return party.Terms{Supplier: s, Product: k.by[product].ID, Pack: 1000, Unit: unit, Price: yuan4, MinPacks: 1, Class: party.Fresh, Days: party.EveryDay, CutOff: 960}
		}
		k.must(func(tx *db.Tx) error {
			return party.PutTerms(tx, 0, []party.Terms{offer(cheap, "chicken", kg, 20_000_000), offer(dear, "chicken", kg, 30_000_000), offer(gone, "chicken", kg, 1), offer(dear, "sheet", piece, 333_333)})
		})
		got := k.tree("wrap", "2026-05-01", 500_000, true)
		// chicken 32.1875 kg at ¥20.00; sheets 515 at ¥0.333333, together ¥171.67 half up once; lettuce has no price
		cost := func(code string) making.TreeCost {
			i := slices.IndexFunc(got.Items, func(l making.TreeLine) bool { return l.Code == code })
			return *got.Items[i].Cost
		}
		for code, want := range map[string]making.TreeCost{"chicken": {Fen: 64_375}, "breast": {Fen: 64_375}, "sheet": {Fen: 17_167}, "lettuce": {Unpriced: 1}} {
			if cost(code) != want {
				t.Errorf("%s costs %+v, want %+v", code, cost(code), want)
			}
		}
		if want := (making.TreeCost{Fen: 64_375 + 17_167, Unpriced: 1}); *got.Cost != want || !got.Costed {
			t.Errorf("the whole costs %+v, want %+v", *got.Cost, want)
		}
	})
}
