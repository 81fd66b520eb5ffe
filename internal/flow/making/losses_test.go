package making_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/making"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
)

// full fills the kitchen for a month of making.
func (k *kitchen) full() {
	k.arrive("breast", "b1", 100_000, 200_000, 2400*time.Hour)
	k.arrive("sheet", "s1", 2000, 20_000, 2400*time.Hour)
	k.arrive("lettuce", "l1", 50_000, 40_000, 2400*time.Hour)
}

// batches makes n batches of ten wraps: 500 g of breast without loss, 515 g by the recipe; so much of it is taken.
func (k *kitchen) batches(n int, breast qty.Qty) {
	k.t.Helper()
	for range n {
		k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: k.by["breast"].ID, Qty: breast * qty.Scale}), making.OutputIn{Qty: 10 * piece})
	}
}

// night lets a night pass and learns, twice: the second time nothing changes. It answers with what a site's lines of the wrap have learned
// to lose, in millionths and of how many batches.
func (k *kitchen) night() map[string]string {
	k.t.Helper()
	k.d.Clock.Add(24 * time.Hour)
	k.learn()
	first := k.learned(k.site.ID)
	k.learn()
	if again := k.learned(k.site.ID); fmt.Sprint(again) != fmt.Sprint(first) {
		k.t.Errorf("learned again: %v after %v", again, first)
	}
	if others := k.learned(k.other.ID); len(others) > 0 {
		k.t.Errorf("another store has learned %v", others)
	}
	return first
}

func (k *kitchen) learn() {
	k.t.Helper()
	runner := jobs.NewRunner(k.d.DB, 1, slog.New(slog.DiscardHandler))
	making.Jobs(runner)
	k.must(func(tx *db.Tx) error {
		_, err := jobs.Enqueue(tx, jobs.Job{Kind: making.LossJob})
		return err
	})
	if err := runner.Drain(context.Background()); err != nil {
		k.t.Fatal(err)
	}
	k.must(func(tx *db.Tx) error {
		all, err := jobs.List(tx, jobs.Filter{})
		for _, j := range all {
			if j.Error != "" {
				k.t.Errorf("job %s: %s", j.Kind, j.Error)
			}
		}
		return err
	})
}

func (k *kitchen) learned(site id.ID) map[string]string {
	k.t.Helper()
	found := map[string]string{}
	k.must(func(tx *db.Tx) error {
		lines, learned, err := produce.LearnedAt(tx, site, produce.Line{}, 100)
		for i, l := range lines {
			for code, p := range k.by {
				if p.ID == l.Material {
					found[string(l.Recipe)+" "+code] = fmt.Sprint(learned[i].Rate, " of ", learned[i].Batches)
				}
			}
		}
		return err
	})
	return found
}

func (k *kitchen) says(what string, got map[string]string, line, want string) {
	k.t.Helper()
	if got["2020-01-01 "+line] != want {
		k.t.Errorf("%s: %s loses %q, want %q (%v)", what, line, got["2020-01-01 "+line], want, got)
	}
}

func TestTheTenthBatchTeachesWhatALineLoses(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		k.batches(9, 540)
		breast := k.by["breast"].ID
		// None of these is a finished batch by the recipe: cancelled, not finished, all lost, its materials named.
		off := k.request("wrap", 10*piece)
		k.must(func(tx *db.Tx) error { return produce.Cancel(tx, off.ID, k.staff, "typed twice") })
		open := k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: breast, Qty: 900_000})
		k.report(k.complete(k.request("wrap", 10*piece)), making.OutputIn{FewerReason: "equipment"})
		k.report(k.complete(k.request("wrap", 10*piece, making.MaterialIn{ProductID: breast, Qty: 900_000})), making.OutputIn{Qty: 10 * piece})
		if got := k.night(); len(got) != 0 {
			t.Errorf("nine batches have taught %v", got)
		}
		// The tenth has 540 g for eight of ten wraps: 5,400 g for 9 × 500 + 400 = 4,900 g, 500 ÷ 4,900 = 10.2041 %.
		k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: breast, Qty: 540_000}), making.OutputIn{Qty: 8 * piece, FewerReason: "dropped"})
		k.learn()
		if got := k.learned(k.site.ID); len(got) != 0 {
			t.Errorf("a day that is not over has taught %v", got)
		}
		// From the 3 % of the recipe two points a night. Of lettuce 10 × 309 g were taken for 9 × 300 + 240 = 2,940 g: 150 ÷ 2,940 = 5.1020 %.
		for n, want := range []string{"50000 of 10", "70000 of 10", "90000 of 10", "102041 of 10", "102041 of 10"} {
			got := k.night()
			k.says(fmt.Sprint("night ", n), got, "breast", want)
			k.says(fmt.Sprint("night ", n), got, "lettuce", []string{"50000 of 10", "51020 of 10"}[min(n, 1)])
		}
		// What was open is finished: eleven batches, 6,300 g for 5,400 g, 16.6667 %.
		k.report(open, making.OutputIn{Qty: 10 * piece})
		k.says("after the eleventh", k.night(), "breast", "122041 of 11")
		k.must(func(tx *db.Tx) error { // the recipe's page shows it beside the 3 % of the recipe, down to the batches
			day := k.site.BusinessDate(tx.Now())
			l, err := k.flow.Losses(tx, making.LossesIn{ID: k.by["wrap"].ID, SiteID: k.site.ID, Date: day})
			if err != nil {
				return err
			}
			b := l.Items[0]
			if len(l.Items) != 3 || b.Code != "breast" || b.Set != "0.03" || b.Loss != "0.122041" || b.Was != "0.102041" || b.Batches != 11 || !b.Used || b.AsOf != day || b.Taken != 6_300_000 || b.Net != 5_400_000 {
				t.Errorf("%+v", l)
			}
			var taken, net qty.Qty
			for _, one := range b.From {
				taken, net = taken+one.Taken, net+one.Net
			}
			if len(b.From) != 11 || taken != b.Taken || net != b.Net || b.From[1].Taken != 900_000 || b.From[1].Made != 10*piece {
				t.Errorf("the batches come to %d of %d: %+v", taken, net, b.From)
			}
			if other, err := k.flow.Losses(tx, making.LossesIn{ID: k.by["wrap"].ID, SiteID: k.other.ID}); err != nil || len(other.Items) != 0 {
				t.Errorf("another store: %+v %v", other, err)
			}
			for in, want := range map[making.LossesIn]error{{ID: 77, SiteID: k.site.ID}: catalog.ErrNoProduct, {ID: k.by["cola"].ID, SiteID: k.site.ID}: making.ErrNotMade, {ID: k.by["wrap"].ID, SiteID: k.site.ID, Date: "2019-12-31"}: making.ErrNotMade,
				{ID: k.by["wrap"].ID, SiteID: k.site.ID, Date: "2026-02-30"}: cal.ErrDate} {
				if _, err := k.flow.Losses(tx, in); errs.Code(err) != errs.Code(want) {
					t.Errorf("%+v: %v, want %v", in, err, want)
				}
			}
			return nil
		})
		k.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE produce_learned SET rate = rate + 1`) })
		if red := k.red(); red["produce_losses_are_learned_from_batches"] == "" {
			t.Errorf("a rate that was changed stays green: %v", red)
		}
		k.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE produce_learned SET rate = rate - 1`) })
	})
}

// Of ten wraps 10.3 sheets are needed and 11 taken: that is rounding, and the line loses 3 % as before.
func TestRoundingToPiecesIsNoLoss(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		k.batches(10, 515)
		got := k.night()
		for _, line := range []string{"breast", "sheet", "lettuce"} {
			k.says("taken by the recipe", got, line, "30000 of 10")
		}
		// One sheet more each time is a loss: 11.3 for 10, and ten batches of 10.3: 216 ÷ 200 − 1 = 8 %.
		for range 10 {
			k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: k.by["sheet"].ID, Qty: 12 * piece}), making.OutputIn{Qty: 10 * piece})
		}
		for _, want := range []string{"50000 of 20", "70000 of 20", "80000 of 20"} {
			k.says("with one sheet more", k.night(), "sheet", want)
		}
	})
}

func TestALearnedLossStaysBetweenNothingAndAFifth(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		k.batches(10, 800)
		var got map[string]string
		for range 8 {
			got = k.night()
		}
		k.says("eight nights of 60 %", got, "breast", "190000 of 10")
		k.says("the ninth", k.night(), "breast", "200000 of 10")
		k.says("the tenth", k.night(), "breast", "200000 of 10")
		// The last thirty count: 20 × 480 g and 10 × 800 g are 17,600 g for 15,000 g, 17.3333 %; ten more push all of 800 g out.
		k.batches(20, 480)
		k.says("thirty", k.night(), "breast", "180000 of 30")
		k.says("thirty", k.night(), "breast", "173333 of 30")
		k.batches(10, 480)
		for range 8 {
			got = k.night()
		}
		k.says("eight nights of less than nothing", got, "breast", "13333 of 30")
		k.says("the ninth", k.night(), "breast", "0 of 30")
	})
}

func TestANewVersionOfARecipeLearnsAnew(t *testing.T) {
	each(t, func(k *kitchen) {
		k.full()
		k.batches(10, 540)
		k.says("the first version", k.night(), "breast", "50000 of 10")
		today := k.site.BusinessDate(k.d.Clock.Now())
		// 40 g in place of 50, of which a share of what is issued is lost: 400 ÷ 0.95 = 421.053 g for ten.
		k.must(func(tx *db.Tx) error {
			return k.goods.PutRecipes(tx, k.staff, []catalog.Recipe{{Product: k.by["wrap"].ID, ValidFrom: today, Yield: 1000,
				Components: []catalog.Component{{Product: k.by["breast"].ID, Qty: 40_000, Loss: 50_000, Rule: catalog.LossYield}}}})
		})
		second := func(got map[string]string) string { return got[string(today)+" breast"] }
		k.batches(9, 500)
		if got := k.night(); second(got) != "" {
			t.Errorf("nine batches of the second version have taught %v", got)
		}
		k.batches(1, 500)
		// 5,000 g were issued for 4,000 g: a fifth of what was issued, from 5 % two points a night.
		for _, want := range []string{"70000 of 10", "90000 of 10"} {
			if got := k.night(); second(got) != want {
				t.Errorf("the second version has learned %v, want %s", got, want)
			}
		}
		k.says("the first version keeps on towards its own 8 %", k.learned(k.site.ID), "breast", "80000 of 10")
	})
}
