package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

func shirt() catalog.StyleDraft {
	return catalog.StyleDraft{Code: "T100", Name: "围裙", BaseUnit: "piece", TaxPct: 1300, Axes: []catalog.Axis{
		{Name: "颜色", Values: []catalog.Value{{Name: "红", Code: "r"}, {Name: "蓝", Code: "B"}}},
		{Name: "尺码", Values: []catalog.Value{{Name: "S", Code: "S"}, {Name: "M", Code: "M"}, {Name: "L"}}}}}
}

func style(t *testing.T, d *dbtest.DB, s *catalog.Service, draft catalog.StyleDraft) *catalog.Style {
	t.Helper()
	return must(t, d, func(tx *db.Tx) (*catalog.Style, error) { return s.CreateStyle(tx, 7, draft) })
}

// field is where and with which code an act was refused.
func refused(err error) string {
	if err == nil {
		return "accepted"
	}
	e := errs.As(err)
	return e.Code + " " + e.Field
}

func TestAStyleIsMadeIntoEveryCombinationOnce(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		st := style(t, d, s, shirt())
		red, blue := st.Axes[0].Values[0].ID, st.Axes[0].Values[1].ID
		small := st.Axes[1].Values[0].ID
		one := must(t, d, func(tx *db.Tx) (*catalog.Combined, error) {
			return s.Combine(tx, st.ID, catalog.CombineIn{Combos: [][]id.ID{{blue, small}, {blue, small}}})
		})
		if one.Added != 1 || one.Kept != 1 {
			t.Fatalf("one combination asked for twice: %+v", one)
		}
		all := must(t, d, func(tx *db.Tx) (*catalog.Combined, error) {
			return s.Combine(tx, st.ID, catalog.CombineIn{All: true, Units: []catalog.UnitDraft{{Name: "piece", Num: 1}, {Name: "dozen", Num: 12}}})
		})
		if all.Added != 5 || all.Kept != 1 || len(all.Style.Variants) != 6 {
			t.Fatalf("all: added %d, kept %d of %d", all.Added, all.Kept, len(all.Style.Variants))
		}
		for i, want := range []string{"T100-R-S 围裙 红 S", "T100-R-M 围裙 红 M", "T100-R-03 围裙 红 L", "T100-B-S 围裙 蓝 S", "T100-B-M 围裙 蓝 M", "T100-B-03 围裙 蓝 L"} {
			if v := all.Style.Variants[i]; v.Code+" "+v.Name != want || v.Unit != "piece" {
				t.Errorf("%d: %+v, want %s", i, v, want)
			}
		}
		if p := load(t, d, s, all.Style.Variants[0].ProductID); p.Unit("dozen") == nil || p.SKU != p.ID {
			t.Errorf("what a combination is: %+v", p)
		}
		again := must(t, d, func(tx *db.Tx) (*catalog.Combined, error) { return s.Combine(tx, st.ID, catalog.CombineIn{All: true}) })
		if again.Added != 0 || again.Kept != 6 {
			t.Errorf("again: %+v", again)
		}

		// One is retired, the others stay; it comes back.
		gone := all.Style.Variants[2].ProductID
		must(t, d, func(tx *db.Tx) (*catalog.Style, error) {
			return s.SetLives(tx, st.ID, catalog.LivesIn{ProductIDs: []id.ID{gone}, State: catalog.Gone})
		})
		if p := load(t, d, s, gone); p.State.Sold() || p.State.Bought() {
			t.Errorf("retired: %s", p.State)
		}
		rows, err := write(t, d, func(tx *db.Tx) ([]catalog.StyleRow, error) {
			in := catalog.StyleSearch{Q: "t1"}
			in.Limit = 10
			return s.Styles(tx, in)
		})
		if err != nil || len(rows) != 1 || rows[0].Variants != 6 || rows[0].OnSale != 5 || rows[0].Axes != "颜色 × 尺码" {
			t.Errorf("list: %+v, %v", rows, err)
		}

		// A value gets another name, one is added, and one that nobody has is taken away.
		change := shirt()
		change.Revision = st.Revision
		change.Axes = []catalog.Axis{{Name: "色", Values: []catalog.Value{{ID: blue, Name: "海蓝", Code: "B"}, {ID: red, Name: "红", Code: "R"}, {Name: "绿", Code: "G"}}}, st.Axes[1]}
		now := must(t, d, func(tx *db.Tx) (*catalog.Style, error) { return s.ChangeStyle(tx, st.ID, 7, change) })
		if now.Variants[0].Name != "围裙 海蓝 S" || now.Variants[0].Code != "T100-B-S" || now.Axes[0].Name != "色" {
			t.Errorf("after the change: %+v", now.Variants[0])
		}
		change.Revision = now.Revision
		change.Axes[0].Values = change.Axes[0].Values[:2]
		must(t, d, func(tx *db.Tx) (*catalog.Style, error) { return s.ChangeStyle(tx, st.ID, 7, change) })
	})
}

func TestWhatIsWrongWithAStyleIsSaidByField(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		st := style(t, d, s, shirt())
		must(t, d, func(tx *db.Tx) (*catalog.Combined, error) {
			return s.Combine(tx, st.ID, catalog.CombineIn{Combos: [][]id.ID{{st.Axes[0].Values[0].ID, st.Axes[1].Values[0].ID}}})
		})
		many := func(n int) (vs []catalog.Value) {
			for i := range n {
				vs = append(vs, catalog.Value{Name: fmt.Sprint(i)})
			}
			return
		}
		for want, change := range map[string]func(*catalog.StyleDraft){
			"code_taken code":                             func(*catalog.StyleDraft) {},
			"code_bad code":                               func(d *catalog.StyleDraft) { d.Code = "围" },
			"base_unit_bad base_unit":                     func(d *catalog.StyleDraft) { d.BaseUnit = "kg" },
			"name_bad name":                               func(d *catalog.StyleDraft) { d.Name = "" },
			"style_axes_bad axes":                         func(d *catalog.StyleDraft) { d.Axes = nil },
			"style_axes_bad axes[1].name":                 func(d *catalog.StyleDraft) { d.Axes[1].Name = "颜色" },
			"style_values_bad axes[0].values":             func(d *catalog.StyleDraft) { d.Axes[0].Values = many(41) },
			"style_values_bad axes[0].values[1].name":     func(d *catalog.StyleDraft) { d.Axes[0].Values[1].Name = "红" },
			"style_values_bad axes[1].values[2].name":     func(d *catalog.StyleDraft) { d.Axes[1].Values[2].Code = "s" },
			"style_value_code_bad axes[0].values[0].code": func(d *catalog.StyleDraft) { d.Axes[0].Values[0].Code = "a-b" },
			"name_bad axes[0].values[0].name":             func(d *catalog.StyleDraft) { d.Axes[0].Values[0].Name = " " },
			"category_unknown category_id":                func(d *catalog.StyleDraft) { d.CategoryID = 9 },
			"style_value_unknown axes[0].values[0].id":    func(d *catalog.StyleDraft) { d.Code, d.Axes[0].Values[0].ID = "NEW", 9 },
		} {
			draft := shirt()
			change(&draft)
			if _, err := write(t, d, func(tx *db.Tx) (*catalog.Style, error) { return s.CreateStyle(tx, 7, draft) }); refused(err) != want {
				t.Errorf("created: %s, want %s", refused(err), want)
			}
		}
		for want, change := range map[string]func(*catalog.StyleDraft){
			"changed_meanwhile revision":               func(d *catalog.StyleDraft) { d.Revision-- },
			"base_unit_fixed base_unit":                func(d *catalog.StyleDraft) { d.BaseUnit = "g" },
			"style_axis_fixed axes":                    func(d *catalog.StyleDraft) { d.Axes = d.Axes[:1] },
			"style_value_used axes[0].values":          func(d *catalog.StyleDraft) { d.Axes[0].Values = d.Axes[0].Values[1:] },
			"style_value_unknown axes[0].values[1].id": func(d *catalog.StyleDraft) { d.Axes[0].Values[1].ID = d.Axes[1].Values[0].ID },
		} {
			draft := catalog.StyleDraft{Code: st.Code, Name: st.Name, BaseUnit: st.BaseUnit, TaxPct: st.TaxPct, Revision: st.Revision, Axes: []catalog.Axis{
				{Name: "颜色", Values: append([]catalog.Value{}, st.Axes[0].Values...)}, {Name: "尺码", Values: append([]catalog.Value{}, st.Axes[1].Values...)}}}
			change(&draft)
			if _, err := write(t, d, func(tx *db.Tx) (*catalog.Style, error) { return s.ChangeStyle(tx, st.ID, 7, draft) }); refused(err) != want {
				t.Errorf("changed: %s, want %s", refused(err), want)
			}
		}
		red, size := st.Axes[0].Values[0].ID, st.Axes[1].Values[0].ID
		for want, in := range map[string]catalog.CombineIn{
			"style_combo_bad combos":          {},
			"style_combo_bad combos[0]":       {Combos: [][]id.ID{{red}}},
			"style_value_unknown combos[1]":   {Combos: [][]id.ID{{red, size}, {size, red}}},
			"barcode_taken units[0].barcodes": {All: true, Units: []catalog.UnitDraft{{Name: "piece", Num: 1, Barcodes: []string{"6900000000014"}}}},
		} {
			if _, err := write(t, d, func(tx *db.Tx) (*catalog.Combined, error) { return s.Combine(tx, st.ID, in) }); refused(err) != want {
				t.Errorf("combined: %s, want %s", refused(err), want)
			}
		}
		big := shirt()
		big.Code, big.Axes[0].Values, big.Axes[1].Values = "BIG", many(20), many(11)
		huge := style(t, d, s, big)
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Combined, error) {
			return s.Combine(tx, huge.ID, catalog.CombineIn{All: true})
		}); refused(err) != "style_combo_many combos" {
			t.Errorf("220 at once: %s", refused(err))
		}
		taken := bun()
		taken.Code, taken.Units = "T100-R-M", nil
		create(t, d, s, taken)
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Combined, error) { return s.Combine(tx, st.ID, catalog.CombineIn{All: true}) }); refused(err) != "code_taken code" {
			t.Errorf("the code of another product: %s", refused(err))
		}
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Style, error) {
			return s.SetLives(tx, huge.ID, catalog.LivesIn{ProductIDs: []id.ID{st.ID}, State: catalog.Gone})
		}); !errors.Is(err, catalog.ErrNoVariant) {
			t.Errorf("a product of another style: %v", err)
		}
		if _, err := write(t, d, func(tx *db.Tx) (*catalog.Style, error) { return s.ReadStyle(tx, 9) }); !errors.Is(err, catalog.ErrNoStyle) {
			t.Errorf("no style: %v", err)
		}
	})
}

func TestSixPeopleWhoAddTheSameCombinationsAddThemOnce(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		st := style(t, d, s, shirt())
		var group sync.WaitGroup
		var mu sync.Mutex
		added := 0
		for range 6 {
			group.Go(func() {
				var got *catalog.Combined
				err := d.Write(context.Background(), func(tx *db.Tx) (err error) {
					got, err = s.Combine(tx, st.ID, catalog.CombineIn{All: true})
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				added += got.Added
			})
		}
		group.Wait()
		if added != 6 || len(list(t, d, s, catalog.Search{})) != 6 {
			t.Errorf("added %d", added)
		}
	})
}

func TestACategoryGivesItsAttributesToThoseBelow(t *testing.T) {
	each(t, func(t *testing.T, d *dbtest.DB, s *catalog.Service) {
		top := must(t, d, func(tx *db.Tx) (*catalog.Category, error) {
			return s.CreateCategory(tx, catalog.CategoryDraft{Name: "服装"})
		})
		low := must(t, d, func(tx *db.Tx) (*catalog.Category, error) {
			return s.CreateCategory(tx, catalog.CategoryDraft{Name: "围裙", ParentID: top.ID})
		})
		of := func(c id.ID) *catalog.Template {
			return must(t, d, func(tx *db.Tx) (*catalog.Template, error) { return catalog.TemplateOf(tx, c) })
		}
		put := func(c id.ID, axes []catalog.Axis) (*catalog.Template, error) {
			return write(t, d, func(tx *db.Tx) (*catalog.Template, error) { return catalog.PutTemplate(tx, 7, c, axes) })
		}
		if got := of(low.ID); got.CategoryID != 0 || len(got.Axes) != 0 {
			t.Errorf("none: %+v", got)
		}
		if _, err := put(top.ID, shirt().Axes); err != nil {
			t.Fatal(err)
		}
		if got := of(low.ID); got.CategoryID != top.ID || len(got.Axes) != 2 || got.Axes[1].Values[2].Code != "03" {
			t.Errorf("from above: %+v", got)
		}
		if _, err := put(low.ID, shirt().Axes[:1]); err != nil {
			t.Fatal(err)
		}
		if got := of(low.ID); got.CategoryID != low.ID || len(got.Axes) != 1 {
			t.Errorf("its own: %+v", got)
		}
		if _, err := put(low.ID, nil); err != nil || of(low.ID).CategoryID != top.ID {
			t.Errorf("taken away: %v", err)
		}
		if _, err := put(9, shirt().Axes); !errors.Is(err, catalog.ErrNoCategory) {
			t.Errorf("no category: %v", err)
		}
		if _, err := put(top.ID, []catalog.Axis{{Name: "色"}}); refused(err) != "style_values_bad axes[0].values" {
			t.Errorf("no values: %v", err)
		}
	})
}
