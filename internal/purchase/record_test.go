package purchase_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/purchase"
)

// day sets the clock to ten in the morning of a day.
func (o *office) day(d cal.Date) { o.d.Clock.Set(d.Time().Add(2 * time.Hour)) }

// gets receives so much of a line on a day.
func (o *office) gets(order id.ID, line int64, q qty.Qty, on cal.Date) {
	o.t.Helper()
	o.day(on)
	o.must(func(tx *db.Tx) error {
		_, err := comes(tx, order, o.buyer, on, purchase.Arrival{Line: line, Qty: q})
		return err
	})
}

func (o *office) recorded() *purchase.RecordView {
	o.t.Helper()
	r := jobs.NewRunner(o.d.DB, 1, slog.New(slog.DiscardHandler))
	purchase.Jobs(r)
	o.must(func(tx *db.Tx) error { _, err := jobs.Enqueue(tx, jobs.Job{Kind: purchase.RecordJob}); return err })
	if err := r.Drain(context.Background()); err != nil {
		o.t.Fatal(err)
	}
	var v *purchase.RecordView
	o.must(func(tx *db.Tx) (err error) { v, err = purchase.RecordOf(tx, o.farm); return err })
	return v
}

// Of 9 kg of lettuce and 3 kg of tomato due on the 4th, the lettuce comes as promised; of the tomato half is a day late,
// nine tenths are there in three days, and the rest comes when nobody waits any more.
func TestHowASupplierKeepsItsWordIsAddedUpFromReceipts(t *testing.T) {
	each(t, func(o *office) {
		first, unsent := o.sent(), o.written()
		o.gets(first, 1, 9_000_000, "2026-03-04")
		o.gets(first, 2, 1_500_000, "2026-03-05")
		if v := o.recorded(); v.Lines != 2 || v.TimelyLines != 1 || v.Products[0].Came != 1_500_000 {
			t.Errorf("while it may still come: %+v", v)
		}
		o.gets(first, 2, 1_200_000, "2026-03-07")
		o.gets(first, 2, 300_000, "2026-03-24")
		v := o.recorded()
		if v.From != "2025-12-24" || v.To != "2026-03-23" || v.Lines != 2 || v.FullLines != 1 || v.TimelyLines != 1 || v.OrderedFen != 7993 || v.CameFen != 6993+900 {
			t.Errorf("%+v", v)
		}
		// (7893 × 10000 + 20 lines of 3996 that come) ÷ (7993 + 79920)
		if v.FillBP != (7893*10_000+20*3996*10_000)/(7993+20*3996) {
			t.Errorf("the farm's fill is %d", v.FillBP)
		}
		if len(v.Weeks) != 1 || v.Weeks[0] != (purchase.WeekKept{Monday: "2026-03-02", Lines: 2, FullLines: 1, TimelyLines: 1}) {
			t.Errorf("%+v", v.Weeks)
		}
		tomato, lettuce := v.Products[0], v.Products[1] // what is missing comes first
		if tomato.Code != "tomato" || tomato.Ordered != 3_000_000 || tomato.Came != 2_700_000 || tomato.MissingFen != 100 || tomato.LateDays != 3 || tomato.FullLines != 0 {
			t.Errorf("%+v", tomato)
		}
		if want := (2_700_000*10_000 + 10*3_000_000*v.FillBP) / (3_000_000 + 10*3_000_000); tomato.FillBP != want {
			t.Errorf("tomato's fill is %d, by hand %d", tomato.FillBP, want)
		}
		if lettuce.LateDays != 0 || lettuce.TimelyLines != 1 || lettuce.MissingFen != 0 {
			t.Errorf("%+v", lettuce)
		}
		// What nobody sent, but came, counts; what nobody was told of does not.
		o.must(func(tx *db.Tx) error { _, err := purchase.Confirm(tx, unsent, o.buyer); return err })
		if v := o.recorded(); v.Lines != 2 {
			t.Errorf("an order that was never sent counts: %+v", v)
		}
		o.refused("a supplier that is not there", party.ErrNoSupplier, "", func(tx *db.Tx) error { _, err := purchase.RecordOf(tx, 77); return err })
	})
}

func TestARecordThatWasChangedByHandIsRed(t *testing.T) {
	each(t, func(o *office) {
		early := o.sent()
		o.gets(early, 1, 9_000_000, "2026-03-04")
		o.day("2026-03-22")
		o.must(func(tx *db.Tx) error {
			w, err := purchase.Write(tx, o.site, o.buyer, purchase.Draft{Supplier: o.farm, Due: "2026-03-23", Lines: []purchase.DraftLine{{Product: o.by["lettuce"], Packs: 2}}})
			if err != nil {
				return err
			}
			if _, err := purchase.Confirm(tx, w.ID, o.buyer); err != nil {
				return err
			}
			_, err = purchase.Send(tx, w.ID, o.buyer)
			return err
		})
		o.day("2026-03-24")
		o.recorded()
		if red := o.red(); len(red) > 0 {
			t.Fatal(red)
		}
		for _, damage := range []string{
			`UPDATE purchase_record SET came = came - 1 WHERE due = '2026-03-04'`,
			`DELETE FROM purchase_record WHERE due = '2026-03-04' AND came = 0`,
		} {
			o.must(func(tx *db.Tx) error { return tx.Exec(damage) })
			if o.red()["purchase_records_add_up"] == "" {
				t.Errorf("not seen: %s", damage)
			}
			o.must(func(tx *db.Tx) error { return purchase.MakeRecord(tx, "2026-03-04") })
		}
	})
}
