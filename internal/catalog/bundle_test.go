package catalog_test

import (
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/qty"
)

func TestABundleSaysWhatIsInIt(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		first := create(t, d, s, bun())
		tea := create(t, d, s, catalog.Draft{Code: "TEA", Name: "茶", BaseUnit: "g", Units: []catalog.UnitDraft{{Name: "bag", Num: 250}, {Name: "kg", Num: 1000, Weighed: true, Step: 5000}}})
		set := func() catalog.Draft {
			return catalog.Draft{Code: "SET", Name: "早餐组合", BaseUnit: "piece", TaxPct: 900, Units: []catalog.UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"69555"}}},
				Parts: []catalog.PartDraft{{ProductID: first.ID, Unit: "piece", Qty: 2000}, {ProductID: tea.ID, Unit: "bag", Qty: 1000, Share: 3}}}
		}
		bundle := create(t, d, s, set())
		if got := load(t, d, s, bundle.ID); !got.IsBundle() || got.SKU != 0 || len(got.Parts) != 2 || got.Parts[1].Unit != tea.Unit("bag").ID || got.Bought() || !got.State.Sold() {
			t.Fatalf("got %+v", got)
		}
		if v := catalog.ViewOf(load(t, d, s, bundle.ID)); v.Parts[0].Name != first.Name || v.Parts[1].Unit != "bag" || v.Parts[1].Qty != 1000 || v.Parts[1].Share != 3 {
			t.Errorf("shown: %+v", v.Parts)
		}
		gone := bun()
		gone.Code, gone.Units, gone.State = "OLD", nil, catalog.Gone
		old := create(t, d, s, gone)
		many := set().Parts[:1]
		for range 20 {
			many = append(many, many[0])
		}
		for want, change := range map[string]func(*catalog.Draft){
			"bundle_unit_bad base_unit":             func(d *catalog.Draft) { d.BaseUnit, d.Units = "g", nil },
			"bundle_parts_many parts":               func(d *catalog.Draft) { d.Parts = many },
			"product_unknown parts[0].product_id":   func(d *catalog.Draft) { d.Parts[0].ProductID = 9 },
			"bundle_nested parts[1].product_id":     func(d *catalog.Draft) { d.Parts[1].ProductID = bundle.ID },
			"bundle_self parts[0].product_id":       func(d *catalog.Draft) { d.ID, d.Parts[0].ProductID = 77, 77 },
			"bundle_part_twice parts[1].product_id": func(d *catalog.Draft) { d.Parts[1] = d.Parts[0] },
			"bundle_part_gone parts[0].product_id":  func(d *catalog.Draft) { d.Parts[0].ProductID = old.ID },
			"bundle_share_bad parts[0].share":       func(d *catalog.Draft) { d.Parts[0].Share = -1 },
			"unit_unknown parts[1].unit":            func(d *catalog.Draft) { d.Parts[1].Unit = "box" },
			"bundle_part_qty_bad parts[0].qty":      func(d *catalog.Draft) { d.Parts[0].Qty = 500 },
			"bundle_part_qty_bad parts[1].qty":      func(d *catalog.Draft) { d.Parts[1].Qty = 0 },
		} {
			draft := set()
			draft.Code, draft.Units = "NEW", nil
			change(&draft)
			if _, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Create(tx, draft) }); refused(err) != want {
				t.Errorf("got %s, want %s", refused(err), want)
			}
		}
		offScale := set()
		offScale.Code, offScale.Units, offScale.Parts[1] = "NEW", nil, catalog.PartDraft{ProductID: tea.ID, Unit: "kg", Qty: 1}
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Create(tx, offScale) }); refused(err) != "bundle_part_qty_bad parts[1].qty" {
			t.Errorf("1 g on a scale of 5 g: %s", refused(err))
		}

		// What is in it may change; that it is a bundle may not.
		change := catalog.Change{Draft: set(), Revision: bundle.Revision}
		change.Parts[0].Qty = 3000
		now := must(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Change(tx, bundle.ID, change) })
		if got := load(t, d, s, bundle.ID); got.Parts[0].Qty != 3000 {
			t.Errorf("changed: %+v", got.Parts)
		}
		change.Revision, change.Parts = now.Revision, []catalog.PartDraft{{ProductID: bundle.ID, Unit: "piece", Qty: qty.Scale}}
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Change(tx, bundle.ID, change) }); refused(err) != "bundle_self parts[0].product_id" {
			t.Errorf("in itself: %s", refused(err))
		}
		change.Parts = nil
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Change(tx, bundle.ID, change) }); refused(err) != "bundle_fixed parts" {
			t.Errorf("no bundle any more: %s", refused(err))
		}
		// A round through two bundles can't be closed: what is a product stays one.
		round := catalog.Change{Draft: bun(), Revision: first.Revision}
		round.Parts = []catalog.PartDraft{{ProductID: bundle.ID, Unit: "piece", Qty: qty.Scale}}
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Product, error) { return s.Change(tx, first.ID, round) }); refused(err) != "bundle_fixed parts" {
			t.Errorf("a part that becomes a bundle: %s", refused(err))
		}
		// Nor is it made by a recipe, or used in one.
		for _, r := range []catalog.Recipe{
			{Product: bundle.ID, ValidFrom: cal.Date("2026-01-01"), Yield: qty.Scale, Components: []catalog.Component{{Product: tea.ID, Qty: qty.Scale, Rule: catalog.LossMarkup}}},
			{Product: tea.ID, ValidFrom: cal.Date("2026-01-01"), Yield: qty.Scale, Components: []catalog.Component{{Product: bundle.ID, Qty: qty.Scale, Rule: catalog.LossMarkup}}},
		} {
			if _, err := write(t, d, func(tx *db.Tx) (int, error) { return 0, s.PutRecipes(tx, 7, []catalog.Recipe{r}) }); err == nil {
				t.Error("a bundle in a recipe was accepted")
			}
		}
	})
}
