package stock

import (
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

func (s shop) sendBack(lines ...Issue) (back *SentBack, err error) {
	err = s.try(func(tx *db.Tx) (err error) {
		back, err = ReturnToSupplier(tx, SendBack{Header{Site: bakery}, lines})
		return err
	})
	return back, err
}

func TestGoodsGoBackAtThePriceTheyCameInFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		s.sold(buns(1)) // takes 33, leaves 67 for two
		back, err := s.sendBack(Issue{b, pieces(1)})
		if err != nil || back.Claims[0] != 33 || back.Lines[0].Value != -34 {
			t.Fatalf("%+v %v", back, err)
		}
		s.batch(b, 1, 0, 33)
		s.flow(Supplied, bun, -2000)
		s.money(CostVariance, 1)
		d, err := s.restate(b, Sellable, Spoilt, 0)
		if err != nil {
			t.Fatal(err)
		}
		if back, err = s.sendBack(Issue{d.Lines[0].To, pieces(1)}); err != nil || back.Claims[0] != 33 || back.Lines[0].Place == 0 {
			t.Errorf("damaged goods go back: %+v %v", back, err)
		}
		s.money(Landed, -100+33+33)
		if red := s.redAfter(`UPDATE stock_document_line SET claim_fen = claim_fen + 1 WHERE claim_fen > 0`); len(red) != 1 || red[0] != "stock_costs_are_shared" {
			t.Errorf("red are %v", red)
		}
	})
}

func TestWhatCantGoBackIsTurnedAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		back := func(l Issue) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				_, err := ReturnToSupplier(tx, SendBack{Header{Site: bakery}, []Issue{l}})
				return err
			}
		}
		s.refused(ErrShort, "lines[0].qty", back(Issue{b, pieces(4)}))
		s.refused(ErrQty, "lines[0].qty", back(Issue{b, -1}))
		s.refused(ErrNoBatch, "lines[0].batch_id", back(Issue{b + 1, 1}))
		var opening id.ID
		s.must(func(tx *db.Tx) error {
			d, err := Receive(tx, Receipt{Header: Header{Site: bakery}, Opening: true, Lines: []Arrival{{SKU: tea, Qty: pieces(5), Cost: 5}}})
			if err == nil {
				opening = d.Lines[0].Batch
			}
			return err
		})
		s.refused(ErrNotBought, "lines[0].batch_id", back(Issue{opening, 1}))
	})
}

// money checks what a kind of flow has taken in, over all sites.
func (s shop) money(kind ledger.Account, want int64) {
	s.t.Helper()
	s.flow(kind, 1, want)
}

func TestAFreightBillComesLate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		var receipt *Document
		s.must(func(tx *db.Tx) (err error) {
			receipt, err = Receive(tx, Receipt{Header: Header{Site: bakery}, Lines: []Arrival{
				{SKU: bun, Qty: pieces(10), Cost: 3000, ExpiresAt: tx.Now().Add(48 * time.Hour)}, {SKU: tea, Qty: pieces(500), Cost: 1000}}})
			return err
		})
		rolls, teas := receipt.Lines[0].Batch, receipt.Lines[1].Batch
		s.sold(buns(6))
		s.d.Clock.Add(24 * time.Hour)
		land := func(c Charge) (*LandedCost, error) {
			var l *LandedCost
			err := s.try(func(tx *db.Tx) (err error) {
				c.Site, c.Receipt = bakery, receipt.ID
				l, err = Land(tx, c)
				return err
			})
			return l, err
		}
		l, err := land(Charge{Basis: "value", Fen: 401})
		if err != nil || l.Lines[0].ShareFen != 301 || l.Lines[0].StockFen != 120 || l.Lines[0].SoldFen != 181 || l.Lines[1].StockFen != 100 {
			t.Fatalf("%+v %v", l, err)
		}
		s.batch(rolls, 4, 0, 1200+120)
		s.batch(teas, 500, 0, 1100)
		s.money(LateCost, 181)
		if l, err = land(Charge{Basis: "weight", Fen: 150, Measures: map[id.ID]int64{rolls: 1000}}); err != nil || l.Lines[0].ShareFen != 100 || l.Lines[1].ShareFen != 50 {
			t.Errorf("by weight: %+v %v", l, err)
		}
		if l, err = land(Charge{Basis: "count", Fen: 510}); err != nil || l.Lines[0].ShareFen != 10 || l.Lines[1].ShareFen != 500 {
			t.Errorf("by count: %+v %v", l, err)
		}
		refuse := func(c Charge, receipt id.ID) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { c.Site, c.Receipt = bakery, receipt; _, err := Land(tx, c); return err }
		}
		s.refused(ErrNoMeasure, "measures", refuse(Charge{Basis: "weight", Fen: 1}, receipt.ID))
		s.refused(ErrNoMeasure, "measures", refuse(Charge{Basis: "volume", Fen: 1}, receipt.ID))
		s.refused(ErrBasis, "basis", refuse(Charge{Basis: "colour", Fen: 1}, receipt.ID))
		s.refused(ErrCost, "charge_fen", refuse(Charge{Basis: "value"}, receipt.ID))
		s.refused(ErrNotReceipt, "receipt_id", refuse(Charge{Basis: "value", Fen: 1}, 12))
		if red := s.redAfter(`UPDATE stock_landed_line SET share_fen = share_fen + 1`); len(red) != 1 || red[0] != "stock_costs_are_shared" {
			t.Errorf("red are %v", red)
		}
		s.sold(buns(4)) // and the last one takes all of it
		s.batch(rolls, 0, 0, 0)
	})
}

func TestTheDeskReturnsGoodsAndSharesCosts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		got := o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": tea.String(), "qty": "4", "unit": "can", "cost_fen": 4000}}})
		batch := rows(got["lines"])[0]["batch_id"]
		l := o.done("POST", "/api/stock/landed-costs", m{"site_id": o.site, "receipt_id": got["id"], "basis": "weight", "charge_fen": 200, "ref": "F-1"})
		if x := rows(l["lines"])[0]; x["stock_fen"] != 200.0 || x["sold_fen"] != 0.0 {
			t.Errorf("shared %v", l)
		}
		o.done("POST", "/api/stock/landed-costs", m{"site_id": o.site, "receipt_id": got["id"], "basis": "value", "charge_fen": 300, "ref": "F-2"})
		// The newest first, page by page; each opens into the shares of its batches.
		first := o.done("GET", "/api/stock/landed-costs?limit=1&site_id="+o.site, nil)
		second := o.done("GET", "/api/stock/landed-costs?limit=1&site_id="+o.site+"&after="+first["next"].(string), nil)
		if a, b := rows(first["items"])[0], rows(second["items"])[0]; a["ref"] != "F-2" || a["charge_fen"] != 300.0 || a["stock_fen"] != 300.0 || a["sold_fen"] != 0.0 || b["ref"] != "F-1" || b["receipt_id"] != got["id"] || second["next"] != nil && second["next"] != "" {
			t.Errorf("%v, then %v", first, second)
		}
		one := o.done("GET", "/api/stock/landed-costs/"+l["id"].(string), nil)
		if x := rows(one["items"]); len(x) != 1 || x[0]["batch_id"] != batch || x[0]["share_fen"] != 200.0 || x[0]["stock_fen"] != 200.0 || one["basis"] != "weight" {
			t.Errorf("opened: %v", one)
		}
		if none := o.done("GET", "/api/stock/landed-costs?to=2000-01-01&site_id="+o.site, nil); len(rows(none["items"])) != 0 {
			t.Errorf("before all: %v", none)
		}
		o.turnedAway(422, "stock_date_bad", "from", "GET", "/api/stock/landed-costs?from=2026-02-30&site_id="+o.site, nil)
		o.turnedAway(404, "stock_landed_unknown", "", "GET", "/api/stock/landed-costs/"+id.New().String(), nil)
		back := o.done("POST", "/api/stock/supplier-returns", m{"site_id": o.site, "lines": []m{{"batch_id": batch, "qty": "1", "unit": "can"}}})
		if back["kind"] != "supplier_return" || back["claim_fen"] != 1000.0 || rows(back["lines"])[0]["value_fen"] != -1125.0 {
			t.Errorf("returned %v", back)
		}
		newest := o.done("GET", "/api/stock/documents?limit=1&site_id="+o.site, nil)
		older := o.done("GET", "/api/stock/documents?limit=1&site_id="+o.site+"&after="+newest["next"].(string), nil)
		if a, b := rows(newest["items"])[0], rows(older["items"])[0]; a["kind"] != "supplier_return" || b["id"] != got["id"] {
			t.Errorf("documents: %v, then %v", a, b)
		}
		o.turnedAway(422, "stock_not_a_receipt", "receipt_id", "POST", "/api/stock/landed-costs", m{"site_id": o.site, "receipt_id": id.New().String(), "basis": "value", "charge_fen": 200})
		o.green()
	}, schema)
}
