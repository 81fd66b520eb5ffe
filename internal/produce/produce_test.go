package produce_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/produce"
)

var sets = dbtest.With(outbox.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations, produce.Migrations)

type workshop struct {
	t    *testing.T
	d    *dbtest.DB
	site id.ID
	by   map[string]id.ID
}

func each(t *testing.T, story func(w *workshop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := &workshop{t: t, d: d, by: map[string]id.ID{}}
		goods := catalog.New(d.DB)
		w.must(func(tx *db.Tx) error {
			o := org.New(org.Options{})
			e, err := o.CreateEntity(context.Background(), tx, org.EntityFields{Code: "E1", Name: "Company"})
			if err != nil {
				return err
			}
			s, err := o.CreateSite(context.Background(), tx, org.SiteFields{Code: "S1", Name: "S1", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, Open: 480, Close: 1320, EntityID: e.ID})
			if err != nil {
				return err
			}
			w.site = s.ID
			for code, unit := range map[string]string{"wrap": "piece", "sheet": "piece", "breast": "g"} {
				p, err := goods.Create(tx, catalog.Draft{Code: code, Name: code, BaseUnit: unit})
				if err != nil {
					return err
				}
				w.by[code] = p.ID
			}
			return nil
		})
		story(w)
	}, sets)
}

func (w *workshop) try(act func(tx *db.Tx) error) error { return w.d.Write(context.Background(), act) }

func (w *workshop) must(act func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.try(act); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workshop) refused(what string, want error, field string, act func(tx *db.Tx) error) {
	w.t.Helper()
	if e := errs.As(w.try(act)); e == nil || e.Code != errs.Code(want) || e.Field != field {
		w.t.Errorf("%s: got %v, want %s at %q", what, e, errs.Code(want), field)
	}
}

// asked is a requisition for ten wraps.
func (w *workshop) asked() *produce.Requisition {
	return &produce.Requisition{ID: id.New(), Site: w.site, Product: w.by["wrap"], Qty: 10_000, Date: "2026-03-02", Staff: 1,
		Needs: []produce.Need{{Product: w.by["breast"], Qty: 515_000}, {Product: w.by["sheet"], Qty: 11_000, Piece: true}}}
}

func TestARequisitionThatMakesNoSenseIsRefused(t *testing.T) {
	each(t, func(w *workshop) {
		for what, c := range map[string]struct {
			want  error
			field string
			with  func(r *produce.Requisition)
		}{
			"nothing to be made":   {produce.ErrQty, "qty", func(r *produce.Requisition) { r.Qty = 0 }},
			"too much":             {produce.ErrQtyTooLarge, "qty", func(r *produce.Requisition) { r.Qty = qty.Max + 1 }},
			"too many materials":   {produce.ErrLines, "materials", func(r *produce.Requisition) { r.Needs = make([]produce.Need, produce.MostMaterials+1) }},
			"made of itself":       {produce.ErrOfItself, "materials", func(r *produce.Requisition) { r.Needs[0].Product = r.Product }},
			"nothing of it":        {produce.ErrQty, "materials", func(r *produce.Requisition) { r.Needs[0].Qty = 0 }},
			"half a sheet":         {produce.ErrWholePieces, "materials", func(r *produce.Requisition) { r.Needs[1].Qty = 500 }},
			"the same thing twice": {produce.ErrTwice, "materials", func(r *produce.Requisition) { r.Needs[1] = r.Needs[0] }},
		} {
			r := w.asked()
			c.with(r)
			w.refused(what, c.want, c.field, func(tx *db.Tx) error { return produce.Request(tx, r) })
		}
	})
}

func TestARequisitionEndsOnce(t *testing.T) {
	each(t, func(w *workshop) {
		taken, given := w.asked(), w.asked()
		for _, r := range []*produce.Requisition{taken, given} {
			w.must(func(tx *db.Tx) error { return produce.Request(tx, r) })
		}
		take := func(r *produce.Requisition) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { return produce.Complete(tx, r.ID) }
		}
		cancel := func(r *produce.Requisition, why string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { return produce.Cancel(tx, r.ID, 1, why) }
		}
		w.refused("cancelled without a word", produce.ErrWhy, "reason", cancel(given, ""))
		w.must(cancel(given, "no breast today"))
		w.refused("cancelled twice", produce.ErrCancelled, "", cancel(given, "again"))
		w.refused("taken after it was cancelled", produce.ErrCancelled, "", take(given))
		w.must(take(taken))
		w.refused("taken twice", produce.ErrCompleted, "", take(taken))
		w.refused("cancelled after it was taken", produce.ErrCompleted, "", cancel(taken, "too late"))
		w.refused("no such thing", produce.ErrNoRequisition, "", cancel(&produce.Requisition{ID: 5}, "x"))
		w.must(func(tx *db.Tx) error {
			for state, want := range map[string]int{"": 2, "open": 0, "completed": 1, "cancelled": 1} {
				found, err := produce.Requisitions(tx, produce.RequisitionSearch{Paging: web.Paging{Limit: 10}, SiteID: w.site, State: state})
				if err != nil {
					return err
				}
				if len(found) != want {
					t.Errorf("%q: %d, want %d", state, len(found), want)
				}
				if state == "cancelled" && (found[0].ID != given.ID || found[0].CancelReason != "no breast today" || found[0].State != produce.Cancelled || len(found[0].Needs) != 2) {
					t.Errorf("%+v", found[0])
				}
			}
			return nil
		})
	})
}

// What was used beyond the recipe for what came out is lost, with its share of the cost; using less is no gain.
func TestLossIsWhatWentBeyondTheRecipe(t *testing.T) {
	const breast, sheet = id.ID(1), id.ID(2)
	task := func(breastTaken, sheetTaken qty.Qty) *produce.Task {
		return &produce.Task{Planned: 10_000, Needs: []produce.Need{{Product: breast, Qty: 515_000}, {Product: sheet, Qty: 11_000, Piece: true}},
			Issues: []produce.Issue{{Product: breast, SKU: 11, Qty: breastTaken, Cost: 1000}, {Product: sheet, SKU: 12, Qty: sheetTaken, Cost: 333}}}
	}
	for _, c := range []struct {
		what string
		task *produce.Task
		made qty.Qty
		want []produce.Loss
	}{
		{"as planned", task(515_000, 11_000), 10_000, nil},
		{"less was taken", task(500_000, 11_000), 10_000, nil},
		{"more came out", task(515_000, 11_000), 12_000, nil},
		{"more was taken", task(600_000, 11_000), 10_000, []produce.Loss{{Product: breast, SKU: 11, Qty: 85_000, Cost: 142}}},
		// for eight wraps 412 g, and 8.8 sheets: whole ones
		{"two fell down", task(515_000, 11_000), 8_000, []produce.Loss{{Product: breast, SKU: 11, Qty: 103_000, Cost: 200}, {Product: sheet, SKU: 12, Qty: 2_000, Cost: 61}}},
		{"all was lost", task(515_000, 11_000), 0, []produce.Loss{{Product: breast, SKU: 11, Qty: 515_000, Cost: 1000}, {Product: sheet, SKU: 12, Qty: 11_000, Cost: 333}}},
	} {
		got, err := c.task.Lost(c.made)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v %v, want %+v", c.what, got, err, c.want)
		}
		var cost money.Fen
		for _, l := range got {
			cost += l.Cost
		}
		if cost > 1333 {
			t.Errorf("%s: more was lost than there was", c.what)
		}
	}
}

func TestAMakingMayBeBookedHalfADayLateAndNoLater(t *testing.T) {
	taken := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	task, now := produce.Task{MadeAt: taken}, taken.Add(time.Hour)
	for at, want := range map[time.Time]bool{now: true, now.Add(time.Millisecond): false, taken: true, taken.Add(-12 * time.Hour): true, taken.Add(-12*time.Hour - time.Millisecond): false} {
		if task.InTime(at, now) != want {
			t.Errorf("made at %v: %v", at, !want)
		}
	}
}
