package making_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/making"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
	"zhanggui/internal/replenish"
)

// choice makes the wrap from a day on of 50 g breast, of which thigh may do all, 11 g for 10, and sheets that rice paper may be a
// fifth of: a recipe with two lines to choose in.
func (k *kitchen) choice() *catalog.Recipe {
	k.t.Helper()
	var r *catalog.Recipe
	k.must(func(tx *db.Tx) (err error) {
		for code, unit := range map[string]string{"thigh": "g", "paper": "piece"} {
			if k.by[code], err = k.goods.Create(tx, catalog.Draft{Code: code, Name: "名" + code, BaseUnit: unit}); err != nil {
				return err
			}
		}
		breast, sheet := k.by["breast"].ID, k.by["sheet"].ID
		of := catalog.Recipe{Product: k.by["wrap"].ID, ValidFrom: k.today(), Yield: 1000, Components: []catalog.Component{{Product: breast, Qty: 50_000, Loss: 30_000, Rule: catalog.LossMarkup},
			{Product: sheet, Qty: 1000, Rule: catalog.LossMarkup}, {Product: k.by["lettuce"].ID, Qty: 30_000, Loss: 30_000, Rule: catalog.LossMarkup}},
			Options: []catalog.Option{{Of: breast, Product: breast, Num: 1, Den: 1, Share: 1_000_000, Most: 1_000_000}, {Of: breast, Product: k.by["thigh"].ID, Num: 11, Den: 10, Most: 1_000_000},
				{Of: sheet, Product: sheet, Num: 1, Den: 1, Share: 1_000_000, Least: 800_000, Most: 1_000_000}, {Of: sheet, Product: k.by["paper"].ID, Num: 1, Den: 1, Most: 200_000}}}
		if err := k.goods.PutRecipes(tx, k.staff, []catalog.Recipe{of}); err != nil {
			return err
		}
		versions, err := catalog.RecipesOf(tx, []id.ID{of.Product})
		r = &versions[0].Recipe
		return err
	})
	k.arrive("thigh", "t1", 20_000, 10_000, 2400*time.Hour)
	k.arrive("paper", "p1", 1000, 3000, 2400*time.Hour)
	return r
}

func (k *kitchen) today() cal.Date { return k.site.BusinessDate(k.d.Clock.Now()) }

// proposed is a mix that planning has proposed: so much of the breast's line is breast, of the sheets' line sheets.
func (k *kitchen) proposed(r *catalog.Recipe, breast, sheet int64, days int) *replenish.Mix {
	k.t.Helper()
	var m *replenish.Mix
	k.must(func(tx *db.Tx) error {
		shares := catalog.Mix{k.by["breast"].ID: breast, k.by["thigh"].ID: 1_000_000 - breast, k.by["sheet"].ID: sheet, k.by["paper"].ID: 1_000_000 - sheet}
		if err := replenish.PutMixes(tx, k.site.ID, replenish.MixesToDo{Propose: []replenish.Mix{{Product: r.Product, Recipe: r.ValidFrom, Revision: r.Revision, First: k.today(), Last: k.today().AddDays(days - 1),
			Cause: replenish.MixCost, Shares: shares, Why: "{}"}}}); err != nil {
			return err
		}
		all, _, err := replenish.MixesOf(tx, k.site.ID, k.today())
		m = &all[len(all)-1]
		return err
	})
	return m
}

func (k *kitchen) approve(m *replenish.Mix) error {
	return k.try(func(tx *db.Tx) error {
		m, err := replenish.LockMix(tx, m.ID)
		if err != nil {
			return err
		}
		return m.Approve(tx, k.staff, k.today(), m.Version, replenish.MixChange{})
	})
}

func (k *kitchen) needs(r *produce.Requisition) string {
	var b strings.Builder
	for _, n := range r.Needs {
		for code, p := range k.by {
			if p.ID == n.Product {
				fmt.Fprintf(&b, "%s %s; ", code, n.Qty)
			}
		}
	}
	return b.String()
}

func TestTheKitchenMakesByTheMixThatWasApproved(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		r := k.choice()
		usual := "breast 515; sheet 10; lettuce 309; "
		if got := k.needs(k.request("wrap", 10*piece)); got != usual {
			t.Errorf("nobody has decided: %s", got)
		}
		m := k.proposed(r, 400_000, 850_000, 2)
		if got := k.needs(k.request("wrap", 10*piece)); got != usual {
			t.Errorf("proposed is not approved: %s", got)
		}
		if err := k.approve(m); err != nil {
			t.Fatal(err)
		}
		// 500 × .4 × 1.03 = 206, 500 × .6 × 1.1 × 1.03 = 339.9; 8.5 and 1.5 sheets are 9 and 2.
		mixed := k.request("wrap", 10*piece)
		if got := k.needs(mixed); mixed.Mix != m.ID || len(mixed.Needs) != 5 || !strings.Contains(got, "breast 206; ") || !strings.Contains(got, "thigh 339.9; ") || !strings.Contains(got, "sheet 9; ") || !strings.Contains(got, "paper 2; ") {
			t.Errorf("by the mix: %s", got)
		}
		if got := k.needs(k.request("wrap", 10*piece, making.MaterialIn{ProductID: k.by["breast"].ID, Qty: 600_000})); got != "breast 600; " {
			t.Errorf("somebody named the materials: %s", got)
		}
		k.d.Clock.Add(48 * time.Hour)
		if got := k.needs(k.request("wrap", 10*piece)); got != usual {
			t.Errorf("its days are over: %s", got)
		}
		// What was asked for by it is still made by it.
		var open *produce.Requisition
		k.must(func(tx *db.Tx) (err error) { open, err = produce.RequisitionByID(tx, mixed.ID); return err })
		task := k.complete(open)
		o := k.report(task, making.OutputIn{Qty: 10 * piece})
		// 206 g of breast at 2, 339.9 g of thigh at ½ (169.95), 9 sheets and 2 papers at 10 and 3, 309 g of lettuce at .8 (247.2)
		if o.Cost != 412+170+90+6+247 || len(o.Losses) != 0 {
			t.Errorf("%+v", o)
		}
		k.must(func(tx *db.Tx) error {
			back, err := making.Follow(tx, o.Batch, true, func(id.ID) (*org.Site, error) { return k.site, nil })
			if err == nil && (back.Batch.Recipe != r.ValidFrom || back.Batch.MixID != m.ID || len(back.Steps) != 5) {
				t.Errorf("%+v", back.Batch)
			}
			return err
		})
		k.green()
		for name, damage := range map[string][2]string{
			"a share of a need":           {"produce_needs_follow_their_recipe", `UPDATE produce_need SET share = 500000 WHERE requisition_id = $1 AND share = 400000`},
			"a quantity of a need":        {"produce_needs_follow_their_recipe", `UPDATE produce_need SET qty = qty + 1 WHERE requisition_id = $1 AND share = 400000`},
			"a need without loss":         {"produce_needs_follow_their_recipe", `UPDATE produce_need SET bare = bare + 1 WHERE requisition_id = $1 AND share = 400000`},
			"a ratio":                     {"produce_needs_follow_their_recipe", `UPDATE produce_need SET num = 12 WHERE requisition_id = $1 AND num = 11`},
			"a yield":                     {"produce_needs_follow_their_recipe", `UPDATE produce_requisition SET yield_qty = 2000 WHERE id = $1`},
			"a need that is not there":    {"making_requisitions_are_by_their_mix", `DELETE FROM produce_need WHERE requisition_id = $1 AND share = 600000`},
			"a mix nobody approved":       {"making_requisitions_are_by_their_mix", `UPDATE produce_requisition SET mix_id = 99 WHERE id = $1`},
			"shares of the mix":           {"making_requisitions_are_by_their_mix", `UPDATE replenish_mix SET shares = '{}' WHERE id = (SELECT mix_id FROM produce_requisition WHERE id = $1)`},
			"shares outside of the range": {"replenish_mixes_are_what_recipes_allow", `UPDATE replenish_mix SET shares = '{}' WHERE id = (SELECT mix_id FROM produce_requisition WHERE id = $1)`},
		} {
			undo := errors.New("undo")
			if err := k.try(func(tx *db.Tx) error {
				if err := tx.Exec(damage[1], mixed.ID); err != nil {
					return err
				}
				bad := int64(0)
				for _, p := range append(append(produce.Proofs(), replenish.Proofs()...), making.Proofs()...) {
					if r, err := p.Run(tx); err != nil {
						return err
					} else if p.Name == damage[0] {
						bad = r.Bad
					}
				}
				if bad == 0 {
					t.Errorf("%s is changed and %s stays green", name, damage[0])
				}
				return undo
			}); !errors.Is(err, undo) {
				t.Fatal(name, err)
			}
		}
	})
}

func TestARecipeThatIsChangedLeavesNoMixInForce(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		r := k.choice()
		m := k.proposed(r, 400_000, 850_000, 5)
		if err := k.approve(m); err != nil {
			t.Fatal(err)
		}
		again := *r
		again.Components = append([]catalog.Component(nil), r.Components...)
		again.Components[2].Qty = 40_000
		k.must(func(tx *db.Tx) error { return k.goods.PutRecipes(tx, k.staff, []catalog.Recipe{again}) })
		if got := k.needs(k.request("wrap", 10*piece)); got != "breast 515; sheet 10; lettuce 412; " {
			t.Errorf("the version is another: %s", got)
		}
		k.green()
	})
}

// Two materials share a line: who takes 50 g more of one and as much less of the other has lost nothing, and books no loss.
func TestALineOfTwoMaterialsLearnsAsOne(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		r := k.choice()
		if err := k.approve(k.proposed(r, 500_000, 1_000_000, 28)); err != nil {
			t.Fatal(err)
		}
		breast, thigh := k.by["breast"].ID, k.by["thigh"].ID
		make := func(n int, of, other qty.Qty) (o *produce.Output) {
			t.Helper()
			for range n {
				o = k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: breast, Qty: of}, making.IssueIn{ProductID: thigh, Qty: other}), making.OutputIn{Qty: 10 * piece})
			}
			return o
		}
		// Needed without loss: 250 g and 275 g; with it 257.5 and 283.25.
		if o := make(10, 307_500, 228_250); len(o.Losses) != 0 {
			t.Errorf("50 g of one for 55 g of the other: %+v", o.Losses)
		}
		from := string(r.ValidFrom)
		// 307.5 ÷ 1 + 228.25 ÷ 1.1 = 515 of 500: 3 %, as the recipe says.
		if got := k.night(); got[from+" breast"] != "30000 of 10" || got[from+" thigh"] != "30000 of 10" {
			t.Errorf("%v", got)
		}
		// 550 of 500 in ten more: 6.5 % over all twenty; two points a night.
		o := make(10, 350_000, 220_000)
		if len(o.Losses) != 1 || o.Losses[0].Product != breast || o.Losses[0].Qty != 35_000 {
			t.Errorf("92.5 g over of one, 57.5 g for the other's 63.25 g: %+v", o.Losses)
		}
		if got := k.night(); got[from+" breast"] != "50000 of 20" || got[from+" thigh"] != "50000 of 20" {
			t.Errorf("%v", got)
		}
		if got := k.night(); got[from+" breast"] != "65000 of 20" || got[from+" thigh"] != "65000 of 20" {
			t.Errorf("%v", got)
		}
		k.green()
	})
}

// Eight who approve at once, while the kitchen asks for materials: one does, and each requisition is by the recipe or by the mix, whole.
func TestEightApproveAMixWhileTheKitchenAsks(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		m := k.proposed(k.choice(), 250_000, 900_000, 1)
		var wait sync.WaitGroup
		var lock sync.Mutex
		approved := 0
		asked := make([]*produce.Requisition, 8)
		for i := range 8 {
			wait.Go(func() {
				if err := k.approve(m); err == nil {
					lock.Lock()
					approved++
					lock.Unlock()
				} else if !errors.Is(err, replenish.ErrMixDecided) {
					t.Error(err)
				}
			})
			wait.Go(func() {
				if err := k.try(func(tx *db.Tx) error {
					all, err := k.flow.Request(tx, k.site, k.staff, making.RequisitionIn{SiteID: k.site.ID, ProductID: k.by["wrap"].ID, Qty: 10 * piece})
					if err == nil {
						asked[i] = all[0]
					}
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if approved != 1 {
			t.Errorf("%d approved it", approved)
		}
		for _, r := range asked {
			if n := len(r.Needs); r.Mix == 0 && n != 3 || r.Mix == m.ID && n != 5 {
				t.Errorf("%s by mix %s", k.needs(r), r.Mix)
			}
		}
		k.green()
	})
}
