package stock

import (
	"testing"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// freeze moves q of a batch (0: all that is free) to another state.
func (s shop) restate(batch id.ID, from, to Status, q qty.Qty) (*Document, error) {
	s.t.Helper()
	var d *Document
	err := s.try(func(tx *db.Tx) (err error) {
		d, err = Relocate(tx, Relocation{Header: Header{Site: bakery}, Reason: "quality", Lines: []Shift{{batch, Spot{Status: from}, Spot{Status: to}, q}}})
		return err
	})
	return d, err
}

// places tells what lies in the places of a batch, by state.
func (s shop) places(batch id.ID) map[string]qty.Qty {
	s.t.Helper()
	all := map[string]qty.Qty{}
	s.must(func(tx *db.Tx) error {
		one := []Batch{{ID: batch}}
		err := addPlaces(tx, one)
		for _, p := range one[0].Places {
			all[p.Status+p.Channel] += p.Qty
		}
		return err
	})
	return all
}

func TestFrozenGoodsAreNotSoldUntilTheyAreReleased(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 10, 1000, time.Hour)
		d, err := s.restate(b, Sellable, Frozen, pieces(6))
		if err != nil || d.Kind != FreezeDoc || d.Lines[0].Qty != pieces(-6) || d.Lines[0].Value != -600 {
			t.Fatalf("%+v %v", d, err)
		}
		s.batch(b, 4, 0, 400)
		if p := s.places(b); p["frozen"] != pieces(6) {
			t.Errorf("frozen: %v", p)
		}
		s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error { _, err := Pick(tx, bakery.ID, []Want{buns(5)}); return err })
		s.sold(buns(4))
		s.batch(b, 0, 0, 0)
		if d, err = s.restate(b, Frozen, Sellable, 0); err != nil || d.Kind != ReleaseDoc || d.Lines[0].Place == 0 {
			t.Fatalf("released as %+v %v", d, err)
		}
		s.batch(b, 6, 0, 600)
		if takes := s.sold(buns(6)); takes[0].Cost != 600 {
			t.Errorf("released goods are sold for %d", takes[0].Cost)
		}
	})
}

func TestDamagedGoodsAreThrownAwayFromWhereTheyLie(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		d, err := s.restate(b, Sellable, Spoilt, pieces(1))
		if err != nil || d.Lines[0].Value != -33 {
			t.Fatalf("%+v %v", d, err)
		}
		place := d.Lines[0].To
		s.must(func(tx *db.Tx) error {
			w, err := WriteOff(tx, Discard{Header{Site: bakery}, Damaged, []Issue{{place, pieces(1)}}})
			if err == nil && (w.Lines[0].Batch != b || w.Lines[0].Place != place || w.Lines[0].Value != -33) {
				t.Errorf("thrown away as %+v", w.Lines)
			}
			return err
		})
		s.batch(b, 2, 0, 67)
		if p := s.places(b); len(p) != 0 {
			t.Errorf("still damaged: %v", p)
		}
		if d, err = s.restate(b, Sellable, Spoilt, 0); err != nil || d.Lines[0].To != place {
			t.Errorf("the place is used again: %+v %v", d, err)
		}
	})
}

func TestWhatCantBeMovedIsTurnedAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		move := func(l Shift, reason string) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := Relocate(tx, Relocation{Header: Header{Site: bakery}, Reason: reason, Lines: []Shift{l}})
				return err
			}
		}
		frozen := Spot{Status: Frozen}
		s.refused(ErrShort, "lines[0].qty", move(Shift{b, Spot{}, frozen, pieces(4)}, "quality"))
		s.refused(ErrQty, "lines[0].qty", move(Shift{b, Spot{}, frozen, -1}, "quality"))
		s.refused(ErrQtyTooLarge, "lines[0].qty", move(Shift{b, Spot{}, frozen, qty.Max + 1}, "quality"))
		s.refused(ErrSameSpot, "lines[0].status", move(Shift{b, Spot{Status: Sellable}, Spot{}, 1}, "quality"))
		s.refused(ErrNoStatus, "lines[0].status", move(Shift{b, Spot{}, Spot{Status: 9}, 1}, "quality"))
		s.refused(ErrNoBatch, "lines[0].batch_id", move(Shift{b + 1, Spot{}, frozen, 1}, "quality"))
		s.refused(ErrReason, "reason", move(Shift{b, Spot{}, frozen, 1}, "boredom"))
		s.refused(ErrNothing, "lines[0].qty", move(Shift{b, frozen, Spot{}, 0}, "passed"))
		s.refused(ErrNoLines, "lines", func(tx *db.Tx) error {
			_, err := Relocate(tx, Relocation{Header: Header{Site: bakery}, Reason: "quality"})
			return err
		})
		s.refused(ErrNoBatch, "lines[0].batch_id", func(tx *db.Tx) error {
			_, err := Relocate(tx, Relocation{Header: Header{Site: corner}, Reason: "quality", Lines: []Shift{{b, Spot{}, frozen, 1}}})
			return err
		})
		s.must(func(tx *db.Tx) error { // what is promised stays where it is
			p, err := Pick(tx, bakery.ID, []Want{buns(2)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, id.New()), tx.Now().Add(time.Minute))
		})
		s.refused(ErrShort, "lines[0].qty", move(Shift{b, Spot{}, frozen, pieces(2)}, "quality"))
		if d, err := s.restate(b, Sellable, Frozen, 0); err != nil || d.Lines[0].Qty != pieces(-1) {
			t.Errorf("all that is free: %+v %v", d, err)
		}
		s.refused(ErrNothing, "lines[0].qty", move(Shift{b, Spot{}, frozen, 0}, "quality"))
	})
}

// Ten people freeze a third each: three get it, and the place is made once.
func TestPeopleWhoFreezeAtOnceMakeOnePlace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 30, 1000, time.Hour)
		for k, err := range together(3, func(int) error { _, err := s.restate(b, Sellable, Frozen, pieces(10)); return err }) {
			if err != nil {
				t.Errorf("%d: %v", k, err)
			}
		}
		s.batch(b, 0, 0, 0)
		if p := s.places(b); p["frozen"] != pieces(30) {
			t.Errorf("frozen %v", p)
		}
		if _, err := s.restate(b, Sellable, Frozen, 1); err == nil {
			t.Error("more than all was frozen")
		}
	})
}

func TestTheDeskSeesWhyGoodsCantBeSold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		got := o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{
			{"product_id": bun.String(), "qty": "10", "cost_fen": 1000}, {"product_id": bun.String(), "qty": "5", "cost_fen": 500, "expires_at": o.d.Clock.Now().Add(time.Minute)}}})
		batch := rows(got["lines"])[0]["batch_id"].(string)
		late := rows(got["lines"])[1]["batch_id"].(string)
		frozen := o.done("POST", "/api/stock/states", m{"site_id": o.site, "reason": "temperature", "note": "fridge", "lines": []m{
			{"batch_id": batch, "from": "available", "to": "frozen", "qty": "3"}}})
		if frozen["kind"] != "freeze" || rows(frozen["lines"])[0]["qty"] != "-3" {
			t.Errorf("frozen as %v", frozen)
		}
		o.d.Clock.Add(2 * time.Minute)
		why := o.done("GET", "/api/stock/why?site_id="+o.site+"&product_id="+bun.String(), nil)
		sums := why["sums"].(m)
		if why["qty"] != "15" || why["available"] != "7" || sums["frozen"] != "3" || sums["expired"] != "5" || len(rows(why["items"])) != 3 {
			t.Errorf("why: %v", why)
		}
		soon := rows(o.done("GET", "/api/stock/batches?site_id="+o.site+"&open=true&within_h=1", nil)["items"])
		if len(soon) != 1 || soon[0]["id"] != late || soon[0]["expired"] != true {
			t.Errorf("watched: %v", soon)
		}
		level := rows(o.done("GET", "/api/stock/levels?site_id="+o.site+"&q=bun", nil)["items"])[0]
		if level["qty"] != "15" || level["available"] != "7" || level["stopped"] != "3" || level["value_fen"] != 1500.0 {
			t.Errorf("level: %v", level)
		}
		b := o.done("GET", "/api/stock/batches/"+batch, nil)
		if p := rows(b["places"]); b["qty"] != "10" || b["value_fen"] != 1000.0 || len(p) != 1 || p[0]["status"] != "frozen" || p[0]["value_fen"] != 300.0 {
			t.Errorf("batch: %v", b)
		}
		o.turnedAway(422, "stock_product_unknown", "product_id", "GET", "/api/stock/why?site_id="+o.site+"&product_id="+id.New().String(), nil)
		o.turnedAway(422, "not_a_choice", "lines[0].to", "POST", "/api/stock/states", m{"site_id": o.site, "reason": "quality", "lines": []m{{"batch_id": batch, "from": "available", "to": "lost"}}})
		o.green()
	}, schema)
}
