package making_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/making"
	"zhanggui/internal/forecast"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
	"zhanggui/internal/purchase"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

var sets = dbtest.With(outbox.Migrations, jobs.Migrations, org.Migrations, ledger.Migrations, catalog.Migrations, stock.Migrations, till.Migrations, produce.Migrations, party.Migrations, forecast.Migrations, replenish.Migrations, purchase.Migrations)

// kitchen is a store that makes wraps: 50 g breast, 1 sheet, 30 g lettuce each, loss 3 % of the net need;
// breast is marinated in the house from chicken, 1,000 g of 1,250 g.
type kitchen struct {
	t     *testing.T
	d     *dbtest.DB
	flow  *making.Service
	goods *catalog.Service
	site  *org.Site
	other *org.Site
	by    map[string]*catalog.Product
	staff id.ID
}

func each(t *testing.T, story func(k *kitchen)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		k := open(t, d)
		story(k)
		if !t.Failed() {
			k.green()
		}
	}, sets)
}

func open(t *testing.T, d *dbtest.DB) *kitchen {
	k := &kitchen{t: t, d: d, goods: catalog.New(d.DB), by: map[string]*catalog.Product{}, staff: id.New()}
	k.flow = making.New(k.goods)
	k.must(func(tx *db.Tx) error {
		o := org.New(org.Options{})
		e, err := o.CreateEntity(context.Background(), tx, org.EntityFields{Code: "E1", Name: "Company"})
		if err != nil {
			return err
		}
		for _, code := range []string{"S1", "S2"} {
			s, err := o.CreateSite(context.Background(), tx, org.SiteFields{Code: code, Name: code, Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, Open: 480, Close: 1320, EntityID: e.ID})
			if err != nil {
				return err
			}
			k.site, k.other = s, k.site
		}
		k.site, k.other = k.other, k.site
		if _, err := till.AddRegister(tx, till.RegisterDraft{SiteID: k.site.ID, Code: "1"}); err != nil {
			return err
		}
		for _, p := range []catalog.Draft{{Code: "wrap", Name: "鸡肉卷", BaseUnit: "piece", ShelfLifeH: 6}, {Code: "breast", Name: "鸡胸肉", BaseUnit: "g", ShelfLifeH: 24},
			{Code: "sheet", Name: "卷皮", BaseUnit: "piece"}, {Code: "lettuce", Name: "生菜", BaseUnit: "g", Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}},
			{Code: "chicken", Name: "整鸡", BaseUnit: "g"}, {Code: "cola", Name: "可乐", BaseUnit: "piece"}} {
			if k.by[p.Code], err = k.goods.Create(tx, p); err != nil {
				return err
			}
		}
		c := func(code string, q qty.Qty) catalog.Component {
			return catalog.Component{Product: k.by[code].ID, Qty: q, Loss: 30_000, Rule: catalog.LossMarkup}
		}
		plain := catalog.Component{Product: k.by["chicken"].ID, Qty: 1_250_000, Rule: catalog.LossMarkup}
		return k.goods.PutRecipes(tx, k.staff, []catalog.Recipe{
			{Product: k.by["wrap"].ID, ValidFrom: "2020-01-01", Yield: 1000, Components: []catalog.Component{c("breast", 50_000), c("sheet", 1000), c("lettuce", 30_000)}},
			{Product: k.by["breast"].ID, ValidFrom: "2020-01-01", Yield: 1_000_000, Components: []catalog.Component{plain}}})
	})
	return k
}

func (k *kitchen) try(act func(tx *db.Tx) error) error { return k.d.Write(context.Background(), act) }

func (k *kitchen) must(act func(tx *db.Tx) error) {
	k.t.Helper()
	if err := k.try(act); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kitchen) refused(what string, want error, field string, act func(tx *db.Tx) error) {
	k.t.Helper()
	if e := errs.As(k.try(act)); e == nil || e.Code != errs.Code(want) || e.Field != field {
		k.t.Errorf("%s: got %v at %q, want %s at %q", what, e, e.Field, errs.Code(want), field)
	}
}

func (k *kitchen) green() {
	k.t.Helper()
	for name, evidence := range k.red() {
		k.t.Errorf("%s: %s", name, evidence)
	}
}

func (k *kitchen) red() map[string]string {
	k.t.Helper()
	r, err := proof.Run(context.Background(), k.d.DB, append(append(append(append(ledger.Proofs(), stock.Proofs()...), produce.Proofs()...), replenish.Proofs()...), making.Proofs()...))
	if err != nil {
		k.t.Fatal(err)
	}
	red := map[string]string{}
	for _, p := range r.Proofs {
		if p.Bad > 0 {
			red[p.Name] = p.Evidence[0]
		}
	}
	return red
}

// arrive brings so many base units that cost so much in all.
func (k *kitchen) arrive(code, batch string, base int64, cost money.Fen, lasts time.Duration) (arrived id.ID) {
	k.t.Helper()
	k.must(func(tx *db.Tx) error {
		d, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: k.site, Ref: "SUP-" + batch}, Lines: []stock.Arrival{
			{SKU: k.by[code].SKU, Code: batch, Qty: qty.Qty(base * qty.Scale), Cost: cost, ExpiresAt: tx.Now().Add(lasts)}}})
		if err == nil {
			arrived = d.Lines[0].Batch
		}
		return err
	})
	return arrived
}

func (k *kitchen) request(code string, q qty.Qty, materials ...making.MaterialIn) *produce.Requisition {
	k.t.Helper()
	var r *produce.Requisition
	k.must(func(tx *db.Tx) error {
		all, err := k.flow.Request(tx, k.site, k.staff, making.RequisitionIn{SiteID: k.site.ID, ProductID: k.by[code].ID, Qty: q, Materials: materials})
		if err == nil {
			r = all[0]
		}
		return err
	})
	return r
}

func (k *kitchen) complete(r *produce.Requisition, lines ...making.IssueIn) *produce.Task {
	k.t.Helper()
	var t *produce.Task
	k.must(func(tx *db.Tx) error {
		all, err := k.flow.Complete(tx, k.site, k.staff, r, making.CompleteIn{Lines: lines})
		if err == nil {
			t = all[0]
		}
		return err
	})
	return t
}

func (k *kitchen) report(t *produce.Task, in making.OutputIn) *produce.Output {
	k.t.Helper()
	var o *produce.Output
	k.must(func(tx *db.Tx) error {
		task, err := produce.TaskByID(tx, t.ID)
		if err != nil {
			return err
		}
		all, err := k.flow.Report(tx, k.site, k.staff, task, in)
		if err == nil {
			o = all[0].Output
		}
		return err
	})
	return o
}

// materials for ten wraps: 515 g breast, 11 sheets, 309 g lettuce.
func (k *kitchen) stocked() {
	k.arrive("breast", "b1", 2000, 4000, 24*time.Hour)
	k.arrive("sheet", "s1", 100, 1000, 240*time.Hour)
	k.arrive("lettuce", "l1", 1000, 777, 48*time.Hour)
}

func (k *kitchen) balance(account id.ID) (left int64) {
	k.t.Helper()
	k.must(func(tx *db.Tx) error {
		s, err := ledger.Balance(tx, ledger.Account(account))
		left = s.Balance()
		return err
	})
	return left
}

const piece = qty.Qty(qty.Scale)

func TestMakingMovesTheValueOfMaterialsIntoWhatIsMade(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		r := k.request("wrap", 10*piece)
		got := map[id.ID]qty.Qty{}
		for _, n := range r.Needs {
			got[n.Product] = n.Qty
		}
		if len(got) != 3 || got[k.by["breast"].ID] != 515_000 || got[k.by["sheet"].ID] != 11*piece || got[k.by["lettuce"].ID] != 309_000 {
			t.Errorf("needs %v", r.Needs)
		}
		task := k.complete(r)
		// 4000 × 515 ÷ 2000 = 1030, 1000 × 11 ÷ 100 = 110, 777 × 309 ÷ 1000 = 240.09
		if task.Cost != 1030+110+240 || k.balance(task.ID) != 1380 {
			t.Errorf("cost %d, on the work order %d", task.Cost, k.balance(task.ID))
		}
		k.d.Clock.Add(10 * time.Minute)
		o := k.report(task, making.OutputIn{Qty: 10 * piece})
		if o.Cost != 1380 || len(o.Losses) != 0 || o.Reason != "" || k.balance(task.ID) != 0 || k.balance(o.Batch) != 10_000 {
			t.Errorf("%+v", o)
		}
		k.must(func(tx *db.Tx) error {
			var expires, at time.Time
			if err := tx.QueryRow(`SELECT expires_at, received_at FROM stock_batch WHERE id = $1`, o.Batch).Scan(&expires, &at); err != nil {
				return err
			}
			if expires.Sub(at) != 6*time.Hour {
				t.Errorf("expires %v after %v", expires.Sub(at), at)
			}
			var events int64
			err := tx.QueryRow(`SELECT COUNT(*) FROM outbox_event WHERE type = $1`, produce.EventMade).Scan(&events)
			if events != 1 {
				t.Errorf("%d events", events)
			}
			return err
		})
	})
}

func TestWhatIsMadeForARoundOfAPlanSaysSoToTheEnd(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		var r *produce.Requisition
		k.must(func(tx *db.Tx) error {
			all, err := k.flow.Request(tx, k.site, k.staff, making.RequisitionIn{SiteID: k.site.ID, ProductID: k.by["wrap"].ID, Qty: 10 * piece, For: &making.ForRound{Date: "2026-03-01", Round: 4}})
			if err == nil {
				r = all[0]
			}
			return err
		})
		k.report(k.complete(r), making.OutputIn{Qty: 10 * piece})
		k.must(func(tx *db.Tx) error {
			var body string
			if err := tx.QueryRow(`SELECT body FROM outbox_event WHERE type = $1`, produce.EventMade).Scan(&body); err != nil {
				return err
			}
			var made produce.MadeEvent
			err := json.Unmarshal([]byte(body), &made)
			if made.For != (produce.Round{Date: "2026-03-01", Round: 4}) || made.MadeAt.IsZero() {
				t.Errorf("%+v", made)
			}
			return err
		})
	})
}

func TestWhatIsUsedBeyondTheRecipeIsALossWithAReason(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		task := k.complete(k.request("wrap", 10*piece))
		o := k.report(task, making.OutputIn{Qty: 8 * piece, FewerReason: "dropped"})
		// The recipe takes 412 g, 9 sheets (8.8 of 11, whole) and 247.2 g for eight; 103 g, 2 and 61.8 g are lost:
		// 1030 × 103 ÷ 515 = 206, 110 × 2 ÷ 11 = 20, 240 × 61.8 ÷ 309 = 48
		if len(o.Losses) != 3 || o.Losses[0].Qty+o.Losses[1].Qty+o.Losses[2].Qty != 103_000+2*piece+61_800 || o.Cost != 1380-206-20-48 || o.Reason != "dropped" {
			t.Errorf("%+v", o)
		}
		k.must(func(tx *db.Tx) error {
			var goods, value int64
			err := tx.QueryRow(`SELECT (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfer WHERE to_id = $1), (SELECT COALESCE(SUM(amount), 0) FROM ledger_transfer WHERE to_id = $2)`,
				stock.Wasted, stock.WastedValue).Scan(&goods, &value)
			if goods != 166_800 || value != 274 {
				t.Errorf("lost in making: %d thousandths, %d fen", goods, value)
			}
			return err
		})
	})
}

func TestEverythingMayBeLostAndMoreThanTheRecipeMayBeTaken(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		all := k.report(k.complete(k.request("wrap", 10*piece)), making.OutputIn{FewerReason: "equipment"})
		if all.Batch != 0 || all.Cost != 0 || len(all.Losses) != 3 {
			t.Errorf("%+v", all)
		}
		breast := k.by["breast"].ID
		over := k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: breast, Qty: 600_000}), making.OutputIn{Qty: 10 * piece})
		if over.Reason != produce.OverIssue || len(over.Losses) != 1 || over.Losses[0].Product != breast || over.Losses[0].Qty != 85_000 {
			t.Errorf("%+v", over)
		}
		under := k.report(k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: breast, Qty: 400_000}), making.OutputIn{Qty: 10 * piece})
		if under.Reason != "" || len(under.Losses) != 0 {
			t.Errorf("%+v", under)
		}
	})
}

func TestMaterialsComeFromTheScannedBatchOrTheEarliestExpiry(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		late := k.arrive("breast", "b2", 1000, 3000, 72*time.Hour)
		early := k.arrive("lettuce", "l0", 100, 50, 3*time.Hour)
		task := k.complete(k.request("wrap", 10*piece), making.IssueIn{ProductID: k.by["breast"].ID, BatchID: late, Qty: 515_000})
		took := map[id.ID]qty.Qty{}
		for _, i := range task.Issues {
			took[i.Batch] = i.Qty
		}
		if took[late] != 515_000 || took[early] != 100_000 || len(task.Issues) != 4 {
			t.Errorf("%+v", task.Issues)
		}
	})
}

// A day's plan makes wraps at noon and in the evening: nobody makes for a morning that it does not have.
func TestNothingIsMadeForARoundThatThePlanLacks(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		today := k.site.BusinessDate(k.d.Clock.Now())
		ask := func(date cal.Date, round int64) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := k.flow.Request(tx, k.site, k.staff, making.RequisitionIn{SiteID: k.site.ID, ProductID: k.by["wrap"].ID, Qty: piece, For: &making.ForRound{Date: date, Round: round}})
				return err
			}
		}
		k.must(ask(today, 1)) // a day without a plan binds nobody
		made := &replenish.Made{Production: []replenish.ProductionRow{{Product: k.by["wrap"].ID, Round: 2, From: 21, To: 28, Make: 5 * piece}, {Product: k.by["wrap"].ID, Round: 4, From: 34, To: 96, Make: 5 * piece},
			{Product: k.by["breast"].ID, Round: 1, To: 96, Make: 5 * piece}}}
		plan := func(date cal.Date, made *replenish.Made) {
			var head *replenish.Head
			k.must(func(tx *db.Tx) (err error) { head, err = replenish.Open(tx, k.site.ID, date); return err })
			version := id.New()
			steps, err := made.Steps(head.ID, version, k.d.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, write := range steps {
				k.must(write)
			}
			k.must(func(tx *db.Tx) error { return made.PutInForce(tx, head, version, 0, 0, "x", 0, "") })
		}
		plan(today, made)
		plan(today.AddDays(1), &replenish.Made{})
		for _, round := range []int64{1, 3} {
			k.refused(fmt.Sprint("round ", round), making.ErrNoRound, "for", ask(today, round))
		}
		if e := errs.As(k.try(ask(today, 3))); e == nil || !strings.Contains(e.Text("zh"), "2, 4") || !strings.Contains(e.Text("en"), "2, 4") {
			t.Errorf("the refusal says which rounds there are: %v", e)
		}
		k.refused("of a plan without the product", making.ErrNoRound, "for", ask(today.AddDays(1), 1))
		k.must(ask(today, 2))
		k.must(ask(today, 4))
		k.must(ask(today.AddDays(-1), 1)) // yesterday had none
		// A round that waits for an approver waits in the kitchen too; one that nobody is asked about does not.
		for i, how := range []replenish.Execution{replenish.Approve, replenish.Suggest, replenish.Act} {
			made.Production[i].Execution = how
		}
		made.Production[2] = replenish.ProductionRow{Product: k.by["wrap"].ID, Round: 3, From: 28, To: 34, Make: 5 * piece, Execution: replenish.Act}
		plan(today, made)
		k.refused("a round that waits for an approver", making.ErrUnapproved, "for", ask(today, 2))
		k.must(ask(today, 3))
		k.must(ask(today, 4))
		k.must(func(tx *db.Tx) error {
			head, err := replenish.Find(tx, k.site.ID, today)
			if err != nil {
				return err
			}
			_, err = replenish.ConfirmRounds(tx, head.ID, k.staff, true, nil)
			return err
		})
		k.must(ask(today, 2))
	})
}

func TestWhatIsRefusedInMaking(t *testing.T) {
	each(t, func(k *kitchen) {
		ask := func(in making.RequisitionIn) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := k.flow.Request(tx, k.site, k.staff, in); return err }
		}
		wrap, cola, breast := k.by["wrap"].ID, k.by["cola"].ID, k.by["breast"].ID
		m := func(p id.ID, q qty.Qty) making.MaterialIn { return making.MaterialIn{ProductID: p, Qty: q} }
		k.refused("a round of no day", cal.ErrDate, "for.date", ask(making.RequisitionIn{ProductID: wrap, Qty: piece, For: &making.ForRound{Date: "heute", Round: 1}}))
		for _, far := range []cal.Date{"2020-01-01", "2026-02-28", "2026-03-04", "2030-01-01"} {
			k.refused("a round of "+string(far), making.ErrFarRound, "for.date", ask(making.RequisitionIn{ProductID: wrap, Qty: piece, For: &making.ForRound{Date: far, Round: 1}}))
		}
		k.refused("an unknown product", stock.ErrNoSKU, "product_id", ask(making.RequisitionIn{ProductID: 1, Qty: piece}))
		k.refused("no quantity", produce.ErrQty, "qty", ask(making.RequisitionIn{ProductID: wrap}))
		k.refused("below zero", produce.ErrQty, "qty", ask(making.RequisitionIn{ProductID: wrap, Qty: -1}))
		k.refused("half a wrap", produce.ErrWholePieces, "qty", ask(making.RequisitionIn{ProductID: wrap, Qty: 500}))
		k.refused("an unknown unit", stock.ErrNoUnit, "unit", ask(making.RequisitionIn{ProductID: wrap, Qty: piece, Unit: "box"}))
		k.refused("no recipe", produce.ErrNoMaterials, "materials", ask(making.RequisitionIn{ProductID: cola, Qty: piece}))
		k.refused("of itself", produce.ErrOfItself, "materials", ask(making.RequisitionIn{ProductID: wrap, Qty: piece, Materials: []making.MaterialIn{m(wrap, piece)}}))
		k.refused("a material twice", produce.ErrTwice, "materials", ask(making.RequisitionIn{ProductID: wrap, Qty: piece, Materials: []making.MaterialIn{m(breast, 1), m(breast, 1)}}))
		k.refused("an unknown material", stock.ErrNoSKU, "materials[0].product_id", ask(making.RequisitionIn{ProductID: wrap, Qty: piece, Materials: []making.MaterialIn{m(1, 1)}}))

		take := func(r *produce.Requisition, lines ...making.IssueIn) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := k.flow.Complete(tx, k.site, k.staff, r, making.CompleteIn{Lines: lines})
				return err
			}
		}
		r := k.request("wrap", 10*piece)
		k.refused("nothing in stock", stock.ErrShort, "lines[0].qty", take(r))
		k.stocked()
		old := k.arrive("breast", "old", 1000, 10, time.Hour)
		k.d.Clock.Add(time.Hour)
		k.refused("an expired batch", stock.ErrExpired, "lines[0].batch_id", take(r, making.IssueIn{ProductID: breast, BatchID: old, Qty: 515_000}))
		k.refused("a batch of another product", stock.ErrNoBatch, "lines[0].batch_id", take(r, making.IssueIn{ProductID: k.by["lettuce"].ID, BatchID: old, Qty: 1000}))
		k.refused("not on the requisition", making.ErrNotAsked, "lines[0].product_id", take(r, making.IssueIn{ProductID: cola, Qty: piece}))
		task := k.complete(r)
		k.refused("taken twice", produce.ErrCompleted, "", take(r))

		report := func(in making.OutputIn) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				again, err := produce.TaskByID(tx, task.ID)
				if err == nil {
					_, err = k.flow.Report(tx, k.site, k.staff, again, in)
				}
				return err
			}
		}
		now := k.d.Clock.Now()
		k.refused("fewer without a reason", produce.ErrReason, "fewer_reason", report(making.OutputIn{Qty: 9 * piece}))
		k.refused("far too many", produce.ErrTooMuchMade, "qty", report(making.OutputIn{Qty: 21 * piece}))
		k.refused("half a wrap", produce.ErrWholePieces, "qty", report(making.OutputIn{Qty: 9500}))
		k.refused("made tomorrow", produce.ErrMadeAt, "made_at", report(making.OutputIn{Qty: 10 * piece, MadeAt: now.Add(time.Hour)}))
		k.refused("made long before its materials were taken", produce.ErrMadeAt, "made_at", report(making.OutputIn{Qty: 10 * piece, MadeAt: now.Add(-13 * time.Hour)}))
		k.d.Clock.Add(7 * time.Hour)
		k.refused("past its time already", stock.ErrAlreadyPast, "made_at", report(making.OutputIn{Qty: 10 * piece, MadeAt: now}))
		k.report(task, making.OutputIn{Qty: 10 * piece})
		k.refused("reported twice", produce.ErrDone, "", report(making.OutputIn{Qty: 10 * piece}))
	})
}

// Two keepers complete the same requisition at the same moment, two cooks report the same task: each is
// booked once.
func TestARequisitionAndATaskAreBookedOnce(t *testing.T) {
	each(t, func(k *kitchen) {
		k.stocked()
		r := k.request("wrap", 10*piece)
		both := func(act func(tx *db.Tx) error) (done int) {
			var wg sync.WaitGroup
			errors := make([]error, 2)
			for i := range errors {
				wg.Go(func() { errors[i] = k.try(act) })
			}
			wg.Wait()
			for _, err := range errors {
				if err == nil {
					done++
				}
			}
			return done
		}
		var task id.ID
		if n := both(func(tx *db.Tx) error {
			_, err := k.flow.Complete(tx, k.site, k.staff, r, making.CompleteIn{})
			return err
		}); n != 1 {
			t.Fatalf("taken %d times", n)
		}
		k.must(func(tx *db.Tx) error { return tx.QueryRow(`SELECT id FROM produce_task`).Scan(&task) })
		if n := both(func(tx *db.Tx) error {
			again, err := produce.TaskByID(tx, task)
			if err == nil {
				_, err = k.flow.Report(tx, k.site, k.staff, again, making.OutputIn{Qty: 10 * piece})
			}
			return err
		}); n != 1 {
			t.Fatalf("reported %d times", n)
		}
	})
}

// sell sells pieces of a product at the kitchen's own till.
func (k *kitchen) sell(code string, n int64) (sale id.ID) {
	k.t.Helper()
	k.must(func(tx *db.Tx) error {
		picked, err := stock.Pick(tx, k.site.ID, []stock.Want{{SKU: k.by[code].SKU, Qty: qty.Qty(n) * piece}})
		if err != nil {
			return err
		}
		s := &till.Sale{ID: id.New(), SiteID: k.site.ID, Date: k.site.BusinessDate(tx.Now()), SlipNo: 7, StaffID: k.staff, SoldAt: tx.Now(), State: till.Paid, Key: "k" + k.site.Code}
		if err := tx.QueryRow(`SELECT id FROM till_register WHERE site_id = $1`, k.site.ID).Scan(&s.Register.ID); err != nil {
			return err
		}
		sale = s.ID
		if err := till.Record(tx, s); err != nil {
			return err
		}
		return picked.Sell(tx, ledger.Document{Kind: till.SaleDoc, ID: s.ID, Site: k.site.ID, Date: s.Date})
	})
	return sale
}

// follow traces a batch for somebody who may look at some sites.
func (k *kitchen) follow(batch id.ID, back bool, may ...*org.Site) (tr *making.Trace) {
	k.t.Helper()
	if err := k.d.Read(context.Background(), func(tx *db.Tx) (err error) {
		tr, err = making.Follow(tx, batch, back, func(site id.ID) (*org.Site, error) {
			for _, s := range may {
				if s.ID == site {
					return s, nil
				}
			}
			return nil, org.ErrNotFound
		})
		return err
	}); err != nil {
		k.t.Fatal(err)
	}
	return tr
}

// send takes goods to the other site and goes there: k.site is where they have come, in the batch that is returned.
func (k *kitchen) send(code string, n qty.Qty) (transfer, batch id.ID) {
	k.t.Helper()
	k.must(func(tx *db.Tx) error {
		t, err := stock.Request(tx, stock.Call{From: k.site, To: k.other, Lines: []stock.Want{{SKU: k.by[code].SKU, Qty: n}}})
		if err != nil {
			return err
		}
		if _, err := t.Ship(tx, k.site, k.staff, nil); err != nil {
			return err
		}
		if _, err = t.Receive(tx, k.other, k.staff, nil); err != nil {
			return err
		}
		transfer, batch = t.ID, t.Transits[0].ToBatch
		return nil
	})
	k.site, k.other = k.other, k.site
	return transfer, batch
}

// A chicken is cut in one shop, its breast is sent to another, goes into wraps there, some are sold there and some are sent
// back and sold: a wrap in either shop is traced to the chicken's supplier, and the chicken to both tills.
func TestABatchIsTracedFromSiteToSite(t *testing.T) {
	each(t, func(k *kitchen) {
		first := k.site
		chicken := k.arrive("chicken", "hen1", 5000, 6000, 48*time.Hour)
		cut := k.report(k.complete(k.request("breast", 1000_000)), making.OutputIn{Qty: 1000_000})
		way1, breast := k.send("breast", 800_000)
		second := k.site
		k.arrive("sheet", "s1", 100, 1000, 240*time.Hour)
		k.arrive("lettuce", "l1", 1000, 777, 48*time.Hour)
		made := k.report(k.complete(k.request("wrap", 10*piece)), making.OutputIn{Qty: 10 * piece})
		k.must(func(tx *db.Tx) error {
			_, err := till.AddRegister(tx, till.RegisterDraft{SiteID: second.ID, Code: "1"})
			return err
		})
		soldThere := k.sell("wrap", 2)
		way2, back := k.send("wrap", 3*piece)
		soldHere := k.sell("wrap", 1)

		down := k.follow(back, true, first)
		want := []struct {
			level              int
			transfer, from, to id.ID
			qty                qty.Qty
			site               *org.Site
		}{{1, way2, made.Batch, back, 3 * piece, second}, {2, 0, breast, made.Batch, 515_000, second}, {3, way1, cut.Batch, breast, 800_000, first}, {4, 0, chicken, cut.Batch, 1_250_000, first}}
		for _, w := range want {
			found := false
			for _, s := range down.Steps {
				found = found || s.Level == w.level && s.TransferID == w.transfer && s.MaterialBatchID == w.from && s.MadeBatchID == w.to && s.Qty == w.qty && s.Other.BatchID == w.from && s.Other.SiteID == w.site.ID && (s.TaskID == 0) == (w.transfer > 0)
			}
			if !found {
				t.Errorf("no step %+v in %+v", w, down.Steps)
			}
		}
		if last := down.Steps[len(down.Steps)-1]; len(down.Steps) != 6 || last.Other.Ref != "SUP-hen1" || down.Batch.Kind != "transfer_in" || down.Hidden != 0 {
			t.Errorf("%d steps, the last from %+v", len(down.Steps), last.Other)
		}
		up := k.follow(chicken, false, first)
		var batches []id.ID
		for _, s := range up.Steps {
			batches = append(batches, s.Other.BatchID)
		}
		if fmt.Sprint(batches) != fmt.Sprint([]id.ID{cut.Batch, breast, made.Batch, back}) {
			t.Errorf("became %v", batches)
		}
		if len(up.Sales) != 2 || up.Sales[0].SaleID != soldThere || up.Sales[0].SiteID != second.ID || up.Sales[1].SaleID != soldHere || up.Sales[1].SiteID != first.ID || up.Sums.Sales != 2 {
			t.Errorf("sold %+v", up.Sales)
		}
		// Where the other shop is another company's, its steps and sales are only counted, but for who may look there too.
		k.must(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE org_site SET entity_id = $1 WHERE id = $2`, k.otherCompany(tx), second.ID)
		})
		if up := k.follow(chicken, false, first); up.Hidden != 3 || len(up.Steps) != 2 || len(up.Sales) != 1 || up.Sales[0].SaleID != soldHere {
			t.Errorf("%d hidden: %+v %+v", up.Hidden, up.Steps, up.Sales)
		}
		if up := k.follow(chicken, false, first, second); up.Hidden != 0 || len(up.Steps) != 4 || len(up.Sales) != 2 {
			t.Errorf("%d hidden to who may look at both", up.Hidden)
		}
	})
}

func (k *kitchen) otherCompany(tx *db.Tx) id.ID {
	e, err := org.New(org.Options{}).CreateEntity(context.Background(), tx, org.EntityFields{Code: "E2", Name: "Other"})
	if err != nil {
		k.t.Error(err)
		return 0
	}
	return e.ID
}

// A chicken is cut, its breast goes into wraps, a wrap is sold: the trace goes the whole way, and back.
func TestABatchIsTracedOverSeveralLevelsBothWays(t *testing.T) {
	each(t, func(k *kitchen) {
		chicken := k.arrive("chicken", "hen1", 5000, 6000, 48*time.Hour)
		cut := k.report(k.complete(k.request("breast", 1000_000)), making.OutputIn{Qty: 1000_000})
		k.arrive("sheet", "s1", 100, 1000, 240*time.Hour)
		lettuce := k.arrive("lettuce", "l1", 1000, 777, 48*time.Hour)
		made := k.report(k.complete(k.request("wrap", 10*piece)), making.OutputIn{Qty: 10 * piece})
		sale := k.sell("wrap", 2)
		follow := func(batch id.ID, back bool) *making.Trace {
			t.Helper()
			return k.follow(batch, back, k.site)
		}
		back := follow(made.Batch, true)
		if len(back.Steps) != 4 || back.Sums.Batches != 4 || len(back.Sales) != 0 || back.Batch.Kind != "output_receipt" {
			t.Fatalf("%+v", back)
		}
		deepest := back.Steps[3]
		if deepest.Level != 2 || deepest.MaterialBatchID != chicken || deepest.MadeBatchID != cut.Batch || deepest.Qty != 1_250_000 ||
			deepest.Other.Ref != "SUP-hen1" || deepest.Other.Kind != "goods_receipt" {
			t.Errorf("%+v", deepest)
		}
		forward := follow(chicken, false)
		if len(forward.Steps) != 2 || forward.Steps[0].Other.BatchID != cut.Batch || forward.Steps[1].Other.BatchID != made.Batch || forward.Steps[1].Other.Left != 8*piece {
			t.Errorf("%+v", forward.Steps)
		}
		if len(forward.Sales) != 1 || forward.Sales[0].SaleID != sale || forward.Sales[0].BatchID != made.Batch || forward.Sales[0].Qty != 2*piece ||
			!strings.HasSuffix(forward.Sales[0].SlipNo, "-0007") || forward.Cut || forward.Sums.Sales != 1 {
			t.Errorf("%+v", forward)
		}
		if own := follow(lettuce, true); len(own.Steps) != 0 || own.Batch.Ref != "SUP-l1" {
			t.Errorf("%+v", own)
		}
		for what, err := range map[string]error{
			"a foreign site": k.try(func(tx *db.Tx) error {
				_, err := making.Follow(tx, chicken, true, func(id.ID) (*org.Site, error) { return nil, org.ErrNotFound })
				return err
			}),
			"no batch": k.try(func(tx *db.Tx) error {
				_, err := making.Follow(tx, 1, true, func(id.ID) (*org.Site, error) { return k.site, nil })
				return err
			}),
		} {
			if errs.Code(err) != errs.Code(stock.ErrNoBatch) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// What is missing or false in the books of making turns a proof red.
func TestDamageToTheBooksOfMakingIsFound(t *testing.T) {
	damage := map[string]string{
		`UPDATE produce_issue SET qty = qty + 1 WHERE line_no = 1`:                        "produce_issues_are_posted",
		`DELETE FROM ledger_transfer WHERE doc_kind = 100 AND leg = 2`:                    "produce_issues_are_posted",
		`UPDATE produce_output SET cost_fen = cost_fen - 1`:                               "produce_outputs_are_posted",
		`DELETE FROM ledger_transfer WHERE doc_kind = 101`:                                "produce_outputs_are_posted",
		`UPDATE produce_loss SET cost_fen = cost_fen + 1 WHERE line_no = 1`:               "produce_losses_are_posted",
		`DELETE FROM produce_loss`:                                                        "produce_no_posting_without_its_document",
		`UPDATE ledger_account SET posted_in = posted_in + 1 WHERE book = 2 AND kind = 1`: "produce_work_orders_end_with_their_task",
	}
	for statement, want := range damage {
		dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
			k := open(t, d)
			k.stocked()
			k.report(k.complete(k.request("wrap", 10*piece)), making.OutputIn{Qty: 8 * piece, FewerReason: "dropped"})
			k.green()
			k.must(func(tx *db.Tx) error { return tx.Exec(statement) })
			if red := k.red(); red[want] == "" {
				t.Errorf("%s: %s stays green, red are %v", statement, want, red)
			}
		}, sets)
	}
}

// A conversion is a step of the way as a making is, unless it was taken back.
func TestABatchIsTracedThroughConversions(t *testing.T) {
	each(t, func(k *kitchen) {
		chicken := k.arrive("chicken", "hen1", 5000, 6000, 48*time.Hour)
		convert := func(into string, n qty.Qty) (doc, batch id.ID) {
			t.Helper()
			k.must(func(tx *db.Tx) error {
				d, err := stock.Convert(tx, stock.Conversion{Header: stock.Header{Site: k.site, Staff: k.staff}, Key: id.New().String(), Shape: stock.ConvertShape, Basis: stock.ByShare,
					In: []stock.Want{{SKU: k.by["chicken"].SKU, Qty: n}}, Out: []stock.Output{{Arrival: stock.Arrival{SKU: k.by[into].SKU, Qty: n}, Weight: 1, Inherit: true}}})
				if err == nil {
					doc, batch = d.ID, d.Lines[1].Batch
				}
				return err
			})
			return
		}
		wrong, gone := convert("lettuce", 100_000)
		k.must(func(tx *db.Tx) error { _, err := stock.TakeBack(tx, k.site, k.staff, wrong, "not lettuce"); return err })
		doc, cut := convert("breast", 1000_000)
		k.arrive("sheet", "s1", 100, 1000, 240*time.Hour)
		k.arrive("lettuce", "l1", 1000, 777, 48*time.Hour)
		made := k.report(k.complete(k.request("wrap", 10*piece)), making.OutputIn{Qty: 10 * piece})
		sale := k.sell("wrap", 2)

		back := k.follow(made.Batch, true, k.site)
		last := back.Steps[len(back.Steps)-1]
		if len(back.Steps) != 4 || last.Level != 2 || last.ConversionID != doc || last.TaskID != 0 || last.MaterialBatchID != chicken || last.MadeBatchID != cut || last.Qty != 1000_000 || last.Other.Ref != "SUP-hen1" {
			t.Errorf("back: %+v", back.Steps)
		}
		if b := k.follow(cut, true, k.site); b.Batch.Kind != "conversion" || b.Batch.DocumentID != doc || len(b.Steps) != 1 {
			t.Errorf("%+v", b)
		}
		forward := k.follow(chicken, false, k.site)
		if len(forward.Steps) != 2 || forward.Steps[0].ConversionID != doc || forward.Steps[0].Other.BatchID != cut || forward.Steps[1].Other.BatchID != made.Batch || len(forward.Sales) != 1 || forward.Sales[0].SaleID != sale {
			t.Errorf("forward: %+v", forward)
		}
		if b := k.follow(gone, true, k.site); len(b.Steps) != 0 {
			t.Errorf("what was taken back: %+v", b.Steps)
		}
		k.green()
	})
}
