package purchase_test

import (
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/purchase"
)

// orders tomatoes, 30 kg, due on a day, and receives so much of them so many days after it.
func (o *office) tomatoes(due cal.Date, came qty.Qty, days int) {
	o.t.Helper()
	o.day(due.AddDays(-1))
	var order id.ID
	o.must(func(tx *db.Tx) error {
		w, err := purchase.Write(tx, o.site, o.buyer, purchase.Draft{Supplier: o.farm, Due: due, Lines: []purchase.DraftLine{{Product: o.by["tomato"], Packs: 10}}})
		if err != nil {
			return err
		}
		if _, err := purchase.Confirm(tx, w.ID, o.buyer); err != nil {
			return err
		}
		order = w.ID
		_, err = purchase.Send(tx, w.ID, o.buyer)
		return err
	})
	if came > 0 {
		o.gets(order, 1, came, due.AddDays(days))
	}
}

func (o *office) words() (all []purchase.Word) {
	o.t.Helper()
	o.must(func(tx *db.Tx) (err error) {
		var more bool
		if all, _, more, err = purchase.Words(tx, [2]id.ID{}, 100); more {
			o.t.Error("there are no more")
		}
		return err
	})
	return all
}

// Of 30 orders of 30 kg each 24 come, two days late. By money the farm's fill is (30 × .8 + 20) ÷ 50 = .88, the product's
// (30 × .8 + 10 × .88) ÷ 40 = .82. On the day it was due nothing was there: the farm's share is 20 ÷ 50 = .4, the product's
// (0 + 20 × .4) ÷ 50 = .16; two days after, all of what came: two days.
func TestWhoDeliversFourFifthsTwoDaysLateIsTakenForThat(t *testing.T) {
	t.Parallel()
	each(t, func(o *office) {
		for k := range 30 {
			o.tomatoes(cal.Date("2026-03-04").AddDays(k), 24_000_000, 2)
		}
		o.day("2026-04-03") // the last was due yesterday, and may still come: none of them counts that was due in the last fortnight
		o.recorded()
		if all := o.words(); len(all) != 1 || all[0].Lines != 16 {
			t.Errorf("of those that are over: %+v", all)
		}
		o.day("2026-04-17")
		v := o.recorded()
		all := o.words()
		if len(all) != 1 {
			t.Fatalf("%+v", all)
		}
		w := all[0]
		if w.Supplier != o.farm || w.Product != o.by["tomato"] || w.Lines != 30 || w.Fill != 8200 || w.LateDays != 2 {
			t.Errorf("%+v", w)
		}
		if l := v.Products[0]; l.PlanDays != 2 || l.PlanFillBP != 8200 {
			t.Errorf("%+v", l)
		}
		for _, c := range []struct{ ordered, open, want qty.Qty }{
			{100_000, 100_000, 82_000},
			{100_000, 20_000, 2_000}, // 80 have come of 82 expected
			{100_000, 10_000, 0},     // more has come than was expected
			{1, 1, 1},                // .82: rounded once
			{0, 0, 0},
		} {
			if got := w.Expects(c.ordered, c.open); got != c.want {
				t.Errorf("%d of %d open: %d, want %d", c.open, c.ordered, got, c.want)
			}
		}
		// Nothing new is due: the same again changes nothing, and the window moves on.
		o.recorded()
		if again := o.words(); len(again) != 1 || again[0] != w {
			t.Errorf("%+v", again)
		}
		o.day("2026-08-17")
		o.recorded()
		if all := o.words(); len(all) != 0 {
			t.Errorf("nobody knows after ninety days without an order: %+v", all)
		}
	})
}

func TestOneBadLineIsNoRecord(t *testing.T) {
	t.Parallel()
	each(t, func(o *office) {
		o.day("2026-03-20")
		o.recorded()
		if all := o.words(); len(all) != 0 {
			t.Fatalf("a new supplier: %+v", all)
		}
		o.tomatoes("2026-03-21", 30_000_000, 2) // all of it, two days late: (20 × 20 ÷ 21) ÷ 21 = .907 are on time
		o.day("2026-04-05")
		o.recorded()
		if all := o.words(); len(all) != 0 {
			t.Errorf("once late: %+v", all)
		}
		o.tomatoes("2026-04-06", 30_000_000, 2) // and once more: (20 × 20 ÷ 22) ÷ 22 = .826
		o.day("2026-04-21")
		o.recorded()
		if all := o.words(); len(all) != 1 || all[0].LateDays != 2 || all[0].Fill != 10_000 {
			t.Errorf("twice late: %+v", all)
		}
		o.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE purchase_word SET late_days = 1`) })
		if o.red()["purchase_words_are_their_records"] == "" {
			t.Error("a word that was changed by hand is green")
		}
		o.must(func(tx *db.Tx) error { return tx.Exec(`UPDATE purchase_word SET late_days = 2`) })
	})
}

// What never came is not late, but short; what came beyond its order counts as its order.
func TestWhatNeverCameIsShort(t *testing.T) {
	t.Parallel()
	each(t, func(o *office) {
		for k := range 10 {
			o.tomatoes(cal.Date("2026-03-04").AddDays(k), 0, 0)
		}
		o.day("2026-04-02")
		o.recorded()
		// the farm's (0 + 20) ÷ 30 = .6666, the product's (0 + 10 × .6666) ÷ 20 = .3333
		if all := o.words(); len(all) != 1 || all[0].Fill != 3333 || all[0].LateDays != 0 || all[0].Lines != 10 {
			t.Errorf("%+v", all)
		}
	})
}
