package purchase_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
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
	"zhanggui/internal/purchase"
)

var sets = dbtest.With(outbox.Migrations, jobs.Migrations, org.Migrations, catalog.Migrations, party.Migrations, purchase.Migrations)

// office buys for one store from a farm: lettuce by the 3 kg box at 7.77 a kg, at least 2 boxes. It is Monday
// 2026-03-02, ten in the morning.
type office struct {
	t     *testing.T
	d     *dbtest.DB
	site  *org.Site
	farm  id.ID
	by    map[string]id.ID
	buyer id.ID
}

func each(t *testing.T, story func(o *office)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := open(t, d)
		story(o)
		if red := o.red(); !t.Failed() && len(red) > 0 {
			t.Errorf("%v", red)
		}
	}, sets)
}

func open(t *testing.T, d *dbtest.DB) *office {
	d.Clock.Set(time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC))
	o := &office{t: t, d: d, by: map[string]id.ID{}, buyer: id.New()}
	goods := catalog.New(d.DB)
	o.must(func(tx *db.Tx) error {
		house := org.New(org.Options{})
		e, err := house.CreateEntity(context.Background(), tx, org.EntityFields{Code: "E1", Name: "Company"})
		if err != nil {
			return err
		}
		if o.site, err = house.CreateSite(context.Background(), tx, org.SiteFields{Code: "S1", Name: "S1", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, Open: 480, Close: 1320, EntityID: e.ID}); err != nil {
			return err
		}
		kg := qty.Unit{Name: "kg", Num: 1000, Den: 1}
		for _, code := range []string{"lettuce", "tomato", "bun"} {
			p, err := goods.Create(tx, catalog.Draft{Code: code, Name: code, BaseUnit: "g", Units: []catalog.UnitDraft{{Name: "kg", Num: 1000}}})
			if err != nil {
				return err
			}
			o.by[code] = p.ID
		}
		s, err := party.AddSupplier(tx, party.SupplierDraft{Code: "farm", Name: "农场"})
		if err != nil {
			return err
		}
		o.farm = s.ID
		terms := func(code string, price money.Fen4, least int64) party.Terms {
			return party.Terms{Supplier: s.ID, Product: o.by[code], Pack: 3000, Unit: kg, Price: price, MinPacks: least, Class: party.Fresh, Days: party.EveryDay, CutOff: 960}
		}
		return party.PutTerms(tx, 0, []party.Terms{terms("lettuce", 7_770_000, 2), terms("tomato", 3_333_333, 1)})
	})
	return o
}

func (o *office) try(act func(tx *db.Tx) error) error { return o.d.Write(context.Background(), act) }

func (o *office) must(act func(tx *db.Tx) error) {
	o.t.Helper()
	if err := o.try(act); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) refused(what string, want error, field string, act func(tx *db.Tx) error) {
	o.t.Helper()
	if e := errs.As(o.try(act)); e == nil || e.Code != errs.Code(want) || e.Field != field {
		o.t.Errorf("%s: got %v, want %s at %q", what, e, errs.Code(want), field)
	}
}

func (o *office) red() map[string]string {
	o.t.Helper()
	r, err := proof.Run(context.Background(), o.d.DB, purchase.Proofs())
	if err != nil {
		o.t.Fatal(err)
	}
	red := map[string]string{}
	for _, p := range r.Proofs {
		if p.Bad > 0 {
			red[p.Name] = p.Evidence[0]
		}
	}
	return red
}

func (o *office) draft(lines ...purchase.DraftLine) purchase.Draft {
	return purchase.Draft{Supplier: o.farm, Due: "2026-03-04", Lines: lines}
}

// written is a proposed order of three boxes of lettuce and one of tomato.
func (o *office) written() (order id.ID) {
	o.t.Helper()
	o.must(func(tx *db.Tx) error {
		w, err := purchase.Write(tx, o.site, o.buyer, o.draft(purchase.DraftLine{Product: o.by["lettuce"], Packs: 3}, purchase.DraftLine{Product: o.by["tomato"], Packs: 1}))
		if err == nil {
			order = w.ID
		}
		return err
	})
	return order
}

func (o *office) sent() id.ID {
	o.t.Helper()
	order := o.written()
	o.must(func(tx *db.Tx) error { _, err := purchase.Confirm(tx, order, o.buyer); return err })
	o.must(func(tx *db.Tx) error { _, err := purchase.Send(tx, order, o.buyer); return err })
	return order
}

// comes receives as flow/supplyday does, without stock.
func comes(tx *db.Tx, order, staff id.ID, date cal.Date, arrivals ...purchase.Arrival) (money.Fen, error) {
	l, err := purchase.Lock(tx, order)
	if err != nil {
		return 0, err
	}
	if err := l.Price(arrivals, func(p id.ID) (string, string) { return p.String(), "g" }); err != nil {
		return 0, err
	}
	var cost money.Fen
	for i := range arrivals {
		arrivals[i].Batch = id.New()
		cost += arrivals[i].Cost
	}
	return cost, l.Receive(tx, id.New(), date, staff, "LS-1", "", arrivals)
}

func (o *office) view(order id.ID) *purchase.OrderView {
	o.t.Helper()
	var v *purchase.OrderView
	if err := o.d.Read(context.Background(), func(tx *db.Tx) (err error) { v, err = purchase.View(tx, order); return err }); err != nil {
		o.t.Fatal(err)
	}
	return v
}

func TestAnOrderByHandKeepsTheTermsOfItsMoment(t *testing.T) {
	each(t, func(o *office) {
		order := o.written()
		o.must(func(tx *db.Tx) error {
			return party.PutTerms(tx, 0, []party.Terms{{Supplier: o.farm, Product: o.by["lettuce"], Pack: 5000, Unit: qty.Unit{Name: "kg", Num: 1000, Den: 1}, Price: 9_990_000, MinPacks: 9, Class: party.Fresh, Days: party.EveryDay}})
		})
		v := o.view(order)
		// 3 boxes × 3 kg × 7.77 and one of 3 kg × 3.333333
		if v.State != purchase.Proposed || v.No != "PO-S1-260302-1" || v.AmountFen != 6993+1000 || len(v.Lines) != 2 || v.Lines[0].Qty != 9_000_000 || v.Lines[0].PriceFen4 != 7_770_000 || v.OrderBy == "" || v.PlanID != 0 {
			t.Errorf("%+v", v)
		}
	})
}

func TestAnOrderThatCantBeWrittenIsRefused(t *testing.T) {
	each(t, func(o *office) {
		lettuce := purchase.DraftLine{Product: o.by["lettuce"], Packs: 2}
		write := func(d purchase.Draft) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := purchase.Write(tx, o.site, o.buyer, d); return err }
		}
		with := func(change func(d *purchase.Draft)) func(tx *db.Tx) error {
			d := o.draft(lettuce)
			change(&d)
			return write(d)
		}
		o.refused("no lines", purchase.ErrLines, "lines", write(o.draft()))
		o.refused("201 lines", purchase.ErrLines, "lines", write(o.draft(make([]purchase.DraftLine, 201)...)))
		o.refused("due yesterday", purchase.ErrDue, "due", with(func(d *purchase.Draft) { d.Due = "2026-03-01" }))
		o.refused("due in a year", purchase.ErrDue, "due", with(func(d *purchase.Draft) { d.Due = "2027-03-01" }))
		o.refused("no date", purchase.ErrDue, "due", with(func(d *purchase.Draft) { d.Due = "2026-02-30" }))
		o.refused("nobody", party.ErrNoSupplier, "supplier_id", with(func(d *purchase.Draft) { d.Supplier = 77 }))
		o.refused("a box too few", purchase.ErrPacks, "lines[0].packs", write(o.draft(purchase.DraftLine{Product: o.by["lettuce"], Packs: 1})))
		o.refused("too many boxes", purchase.ErrPacks, "lines[0].packs", write(o.draft(purchase.DraftLine{Product: o.by["lettuce"], Packs: party.MaxPacks + 1})))
		o.refused("not theirs", purchase.ErrTerms, "lines[1].product_id", write(o.draft(lettuce, purchase.DraftLine{Product: o.by["bun"], Packs: 2})))
		o.refused("twice", purchase.ErrTwice, "lines[1].product_id", write(o.draft(lettuce, lettuce)))
		o.refused("no order", purchase.ErrNoOrder, "", func(tx *db.Tx) error { _, err := purchase.Confirm(tx, 5, o.buyer); return err })
	})
}

func TestAnOrderIsTakenStepByStep(t *testing.T) {
	each(t, func(o *office) {
		order := o.written()
		step := func(do func(*db.Tx, id.ID, id.ID) (*purchase.Order, error)) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := do(tx, order, o.buyer); return err }
		}
		comesNow := func(tx *db.Tx) error {
			_, err := comes(tx, order, o.buyer, "2026-03-02", purchase.Arrival{Line: 1, Qty: 1000})
			return err
		}
		o.refused("sent before anybody decided", purchase.ErrState, "", step(purchase.Send))
		o.refused("received before anybody decided", purchase.ErrState, "", comesNow)
		o.must(step(purchase.Confirm))
		o.refused("decided twice", purchase.ErrState, "", step(purchase.Confirm))
		o.must(step(purchase.Send))
		o.refused("sent twice", purchase.ErrState, "", step(purchase.Send))
		end := func(reason string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := purchase.Close(tx, order, o.buyer, reason); return err }
		}
		o.refused("ended without a word while goods are expected", purchase.ErrReason, "reason", end(""))
		o.must(end("farm is flooded"))
		o.refused("ended twice", purchase.ErrState, "", end("again"))
		o.refused("received after its end", purchase.ErrState, "", comesNow)
		if v := o.view(order); v.State != purchase.Closed || v.CloseReason != "farm is flooded" || v.SentAt == nil || v.ClosedAt == nil {
			t.Errorf("%+v", v)
		}
	})
}

// 9 kg for 69.93: three receipts of 3.001, 2.999 and 3 kg together cost exactly that.
func TestReceiptsTogetherCostWhatTheLineSays(t *testing.T) {
	each(t, func(o *office) {
		order := o.sent()
		var sum money.Fen
		for i, q := range []qty.Qty{3_001_000, 2_999_000, 3_000_000} {
			o.must(func(tx *db.Tx) error {
				cost, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 1, Qty: q})
				if err == nil {
					sum += cost
				}
				return err
			})
			if v := o.view(order); v.State != purchase.PartReceived || len(v.Receipts) != i+1 || v.Receipts[i].Ref != "LS-1" || v.Receipts[i].Lines[0].Qty != q {
				t.Fatalf("%+v", v)
			}
		}
		if v := o.view(order); sum != v.Lines[0].AmountFen || v.Lines[0].Open != 0 || v.Lines[1].Open != 3_000_000 {
			t.Errorf("%d fen: %+v", sum, v.Lines)
		}
		// 5 % more than was ordered may come, and is paid.
		over := func(q qty.Qty) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 1, Qty: q})
				return err
			}
		}
		o.refused("more than 5 % over", purchase.ErrOver, "lines[0].qty", over(450_001))
		o.refused("nothing", purchase.ErrQty, "lines[0].qty", over(0))
		o.refused("no such line", purchase.ErrNoLine, "lines[0].line", func(tx *db.Tx) error {
			_, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 9, Qty: 1})
			return err
		})
		o.must(over(450_000))
		o.must(func(tx *db.Tx) error {
			_, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 2, Qty: 3_000_000})
			return err
		})
		if v := o.view(order); v.State != purchase.Received {
			t.Errorf("%+v", v)
		}
		o.must(func(tx *db.Tx) error { _, err := purchase.Close(tx, order, o.buyer, ""); return err }) // nothing is missing
	})
}

func TestWhatIsExpectedIsWhatWasDecidedAndHasNotCome(t *testing.T) {
	each(t, func(o *office) {
		expected := func() (n int, all qty.Qty) {
			o.must(func(tx *db.Tx) error {
				found, err := purchase.Expected(tx, o.site.ID, "2026-03-04")
				n, all = len(found), 0
				for _, c := range found {
					all += c.Qty
				}
				return err
			})
			return n, all
		}
		o.written()
		if n, _ := expected(); n != 0 {
			t.Errorf("nobody has decided, and %d are expected", n)
		}
		order := o.sent()
		if n, all := expected(); n != 2 || all != 12_000_000 {
			t.Errorf("%d lines, %d", n, all)
		}
		o.must(func(tx *db.Tx) error {
			_, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 1, Qty: 9_100_000}, purchase.Arrival{Line: 2, Qty: 1_000_000})
			return err
		})
		if n, all := expected(); n != 1 || all != 2_000_000 {
			t.Errorf("%d lines, %d", n, all)
		}
	})
}

// Two who receive the last 9 kg at once: one of them is refused, for 5 % over is all there is.
func TestOfTwoWhoReceiveTheSameGoodsOneIsRefused(t *testing.T) {
	each(t, func(o *office) {
		order := o.sent()
		var wg sync.WaitGroup
		got := make([]error, 2)
		for i := range got {
			wg.Go(func() {
				got[i] = o.try(func(tx *db.Tx) error {
					_, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 1, Qty: 9_000_000})
					return err
				})
			})
		}
		wg.Wait()
		good := 0
		for _, err := range got {
			if err == nil {
				good++
			} else if errs.Code(err) != errs.Code(purchase.ErrOver) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("received %d times", good)
		}
	})
}

func TestDamageToPurchaseOrdersIsFound(t *testing.T) {
	damage := map[string]string{
		`UPDATE purchase_line SET received = received + 1 WHERE line_no = 1`:         "purchase_received_is_the_sum_of_receipts",
		`UPDATE purchase_receipt_line SET cost_fen = cost_fen + 1 WHERE line_no = 1`: "purchase_received_is_the_sum_of_receipts",
		`UPDATE purchase_receipt_line SET order_line = 7 WHERE line_no = 1`:          "purchase_received_is_the_sum_of_receipts",
		`DELETE FROM purchase_receipt_line`:                                          "purchase_received_is_the_sum_of_receipts",
		`UPDATE purchase_order SET state = 'received'`:                               "purchase_states_follow_what_came",
		`UPDATE purchase_order SET state = 'sent'`:                                   "purchase_states_follow_what_came",
		`UPDATE purchase_order SET lines = lines + 1`:                                "purchase_states_follow_what_came",
	}
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := open(t, d)
		order := o.sent()
		o.must(func(tx *db.Tx) error {
			_, err := comes(tx, order, o.buyer, "2026-03-04", purchase.Arrival{Line: 1, Qty: 1_000_000})
			return err
		})
		if red := o.red(); len(red) > 0 {
			t.Fatalf("%v", red)
		}
		for statement, want := range damage {
			o.must(func(tx *db.Tx) error {
				for _, table := range []string{"purchase_order", "purchase_line", "purchase_receipt_line"} {
					if err := tx.Exec(copies[table]); err != nil {
						return err
					}
				}
				return tx.Exec(statement)
			})
			if red := o.red(); red[want] == "" {
				t.Errorf("%s: %s stays green, red are %v", statement, want, red)
			}
			o.must(func(tx *db.Tx) error {
				for _, put := range back {
					if err := tx.Exec(put); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}, sets)
}

// What was there before the damage is kept beside it, and put back.
var (
	copies = map[string]string{
		"purchase_order":        `CREATE TABLE was_order AS SELECT id, state, lines FROM purchase_order`,
		"purchase_line":         `CREATE TABLE was_line AS SELECT order_id, line_no, received FROM purchase_line`,
		"purchase_receipt_line": `CREATE TABLE was_receipt AS SELECT * FROM purchase_receipt_line`,
	}
	back = []string{
		`UPDATE purchase_order SET state = (SELECT w.state FROM was_order w WHERE w.id = purchase_order.id), lines = (SELECT w.lines FROM was_order w WHERE w.id = purchase_order.id)`,
		`UPDATE purchase_line SET received = (SELECT w.received FROM was_line w WHERE w.order_id = purchase_line.order_id AND w.line_no = purchase_line.line_no)`,
		`DELETE FROM purchase_receipt_line`, `INSERT INTO purchase_receipt_line SELECT * FROM was_receipt`,
		`DROP TABLE was_order`, `DROP TABLE was_line`, `DROP TABLE was_receipt`,
	}
)

func TestWhatIsNotBoughtAnyMoreIsNotOrdered(t *testing.T) {
	each(t, func(o *office) {
		for _, life := range []catalog.State{catalog.StopBuying, catalog.StopSelling, catalog.Gone} {
			o.must(func(tx *db.Tx) error {
				return tx.Exec(`UPDATE catalog_product SET life = $1 WHERE id = $2`, life, o.by["tomato"])
			})
			o.refused(string(life), catalog.ErrNotBought, "lines[1].product_id", func(tx *db.Tx) error {
				_, err := purchase.Write(tx, o.site, o.buyer, o.draft(purchase.DraftLine{Product: o.by["lettuce"], Packs: 2}, purchase.DraftLine{Product: o.by["tomato"], Packs: 2}))
				return err
			})
		}
		o.must(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE catalog_product SET life = 'new' WHERE id = $1`, o.by["tomato"])
		})
		o.must(func(tx *db.Tx) error {
			_, err := purchase.Write(tx, o.site, o.buyer, o.draft(purchase.DraftLine{Product: o.by["tomato"], Packs: 2}))
			return err
		})
	})
}
