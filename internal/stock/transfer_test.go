package stock

import (
	"errors"
	"slices"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// ask asks the bakery to send goods to the corner.
func (s shop) ask(lines ...Want) id.ID {
	s.t.Helper()
	var t *Transfer
	s.must(func(tx *db.Tx) (err error) {
		t, err = Request(tx, Call{From: bakery, To: corner, Lines: lines})
		return err
	})
	return t.ID
}

// on does an act on a transfer that is read and locked first, as a route does it.
func (s shop) on(transfer id.ID, act func(tx *db.Tx, t *Transfer) error) error {
	return s.try(func(tx *db.Tx) error {
		t, err := TransferByID(tx, transfer, true)
		if err != nil {
			return err
		}
		return act(tx, t)
	})
}

func (s shop) shipped(transfer id.ID, loads ...Load) *Transfer {
	s.t.Helper()
	if err := s.on(transfer, func(tx *db.Tx, t *Transfer) error { _, err := t.Ship(tx, bakery, 0, loads); return err }); err != nil {
		s.t.Fatal(err)
	}
	return s.transfer(transfer)
}

func (s shop) transfer(transfer id.ID) (t *Transfer) {
	s.t.Helper()
	s.must(func(tx *db.Tx) (err error) { t, err = TransferByID(tx, transfer, false); return err })
	return t
}

func (s shop) got(transfer id.ID, counted []Counted) *Transfer {
	s.t.Helper()
	if err := s.on(transfer, func(tx *db.Tx, t *Transfer) error { _, err := t.Receive(tx, corner, 0, counted); return err }); err != nil {
		s.t.Fatal(err)
	}
	return s.transfer(transfer)
}

func TestGoodsGoFromSiteToSiteAndKeepTheirIdentity(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 10, 1001, time.Hour)
		tr := s.shipped(s.ask(buns(4)))
		if tr.State != Shipped || len(tr.Transits) != 1 || tr.Transits[0].Shipped != pieces(4) || tr.Transits[0].Batch != b {
			t.Fatalf("shipped as %+v", tr)
		}
		s.batch(b, 6, 0, 601)
		tr = s.got(tr.ID, nil)
		to := tr.Transits[0].ToBatch
		if tr.State != Settled || to == 0 || len(tr.Trail) != 3 {
			t.Fatalf("received as %+v", tr)
		}
		s.batch(to, 4, 0, 400)
		s.must(func(tx *db.Tx) error {
			was, err := batchByID(tx, b)
			if err != nil {
				return err
			}
			is, err := batchByID(tx, to)
			if err == nil && (is.Code != was.Code || !is.expires.Equal(was.expires) || is.SiteID != corner.ID) {
				t.Errorf("%s until %s became %s until %s", was.Code, was.expires, is.Code, is.expires)
			}
			return err
		})
		tr = s.got(s.shipped(s.ask(buns(1))).ID, nil) // the code is taken by now
		s.batch(tr.Transits[0].ToBatch, 1, 0, 100)
	})
}

func TestWhatIsMissingIsLostOrFoundOrBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 10, 1000, time.Hour)
		tr := s.shipped(s.ask(buns(9)))
		w := tr.Transits[0].ID
		tr = s.got(tr.ID, []Counted{{w, pieces(5)}})
		if tr.State != Arrived || tr.Transits[0].Left() != pieces(4) {
			t.Fatalf("five of nine came: %+v", tr)
		}
		resolve := func(site *org.Site, way string, q qty.Qty) error {
			return s.on(tr.ID, func(tx *db.Tx, t *Transfer) error {
				_, err := t.Resolve(tx, site, 0, Resolution{w, way, q}, "")
				return err
			})
		}
		for _, err := range []error{resolve(bakery, "lost", pieces(5)), resolve(bakery, "lost", -1)} {
			if !errors.Is(err, ErrTransitLeft) {
				t.Error(err)
			}
		}
		if err := resolve(bakery, "eaten", 0); !errors.Is(err, ErrNoWay) {
			t.Error(err)
		}
		for _, err := range []error{resolve(bakery, "lost", pieces(1)), resolve(corner, "found", pieces(2)), resolve(bakery, "back", 0)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		tr = s.transfer(tr.ID)
		x := tr.Transits[0]
		if tr.State != Settled || x.Lost != pieces(1) || x.Received != pieces(7) || x.Back != pieces(1) {
			t.Errorf("settled as %+v", tr)
		}
		s.batch(b, 2, 0, 200)
		s.batch(x.ToBatch, 7, 0, 700)
		s.flow(LostInTransit, bun, 1000)
		if err := resolve(bakery, "lost", 0); !errors.Is(err, ErrTransferState) {
			t.Error(err)
		}
	})
}

func TestMoreThanWasShippedIsAGainAtTheSameCost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 3, 100, time.Hour)
		tr := s.shipped(s.ask(buns(3)))
		tr = s.got(tr.ID, []Counted{{tr.Transits[0].ID, pieces(5)}})
		if tr.State != Settled || tr.Transits[0].Over != pieces(2) {
			t.Errorf("%+v", tr)
		}
		s.batch(tr.Transits[0].ToBatch, 5, 0, 167)
		s.flow(Gained, bun, -2000)
	})
}

func TestNothingComesAndTheGoodsAreFoundLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 3, 100, time.Minute)
		tr := s.shipped(s.ask(buns(3)))
		w := tr.Transits[0].ID
		tr = s.got(tr.ID, []Counted{{w, 0}})
		if tr.State != Arrived || tr.Transits[0].ToBatch != 0 {
			t.Fatalf("%+v", tr)
		}
		s.d.Clock.Add(time.Hour) // and they have expired by then
		if err := s.on(tr.ID, func(tx *db.Tx, t *Transfer) error {
			_, err := t.Resolve(tx, corner, 0, Resolution{Transit: w, Way: "found"}, "behind the door")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		s.batch(s.transfer(tr.ID).Transits[0].ToBatch, 3, 0, 100)
	})
}

func TestATransferIsTurnedAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 3, 100, time.Hour)
		request := func(c Call) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { _, err := Request(tx, c); return err }
		}
		s.refused(ErrSameSite, "to_site_id", request(Call{From: bakery, To: bakery, Lines: []Want{buns(1)}}))
		s.refused(ErrNoLines, "lines", request(Call{From: bakery, To: corner}))
		s.refused(ErrQty, "lines[0].qty", request(Call{From: bakery, To: corner, Lines: []Want{{SKU: bun}}}))
		s.refused(ErrQtyTooLarge, "lines[0].qty", request(Call{From: bakery, To: corner, Lines: []Want{{SKU: bun, Qty: qty.Max + 1}}}))
		s.refused(ErrNoSKU, "lines[0].product_id", request(Call{From: bakery, To: corner, Lines: []Want{{SKU: 12, Qty: 1}}}))
		tr := s.ask(buns(5))
		ship := func(loads ...Load) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				t, err := TransferByID(tx, tr, true)
				if err == nil {
					_, err = t.Ship(tx, bakery, 0, loads)
				}
				return err
			}
		}
		s.refused(ErrShort, "lines[0].qty", ship())
		s.refused(ErrTransferLine, "lines[0].line_no", ship(Load{2, 0, 1}))
		s.refused(ErrNoBatch, "lines[0].batch_id", ship(Load{1, b + 1, 1}))
		s.refused(ErrQty, "lines[0].qty", ship(Load{1, b, 0}))
		s.shipped(tr, Load{1, b, pieces(2)})
		s.refused(ErrTransferState, "", ship(Load{1, b, 1}))
		way := s.transfer(tr).Transits[0].ID
		receive := func(c ...Counted) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				t, err := TransferByID(tx, tr, true)
				if err == nil {
					_, err = t.Receive(tx, corner, 0, c)
				}
				return err
			}
		}
		s.refused(ErrTransitUnsaid, "lines", receive([]Counted{}...))
		s.refused(ErrTransferLine, "lines[0].transit_id", receive(Counted{b, 1}))
		s.refused(ErrTransitTwice, "lines[1].transit_id", receive(Counted{way, 1}, Counted{way, 1}))
		s.refused(ErrQty, "lines[0].qty", receive(Counted{way, -1}))
		s.refused(ErrTransferState, "", func(tx *db.Tx) error {
			t, err := TransferByID(tx, tr, true)
			if err == nil {
				err = t.Cancel(tx, 0, "too late")
			}
			return err
		})
		s.got(tr, []Counted{{way, pieces(2)}})
		s.refused(ErrTransferState, "", receive(Counted{way, 1}))
		s.refused(ErrNoTransfer, "", func(tx *db.Tx) error { _, err := TransferByID(tx, 12, true); return err })
	})
}

// Six people receive the same van at once: it is received once.
func TestAVanIsReceivedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 6, 600, time.Hour)
		tr := s.shipped(s.ask(buns(6)))
		done := 0
		for _, err := range together(6, func(int) error {
			return s.on(tr.ID, func(tx *db.Tx, t *Transfer) error { _, err := t.Receive(tx, corner, 0, nil); return err })
		}) {
			if err == nil {
				done++
			} else if !errors.Is(err, ErrTransferState) {
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("received %d times", done)
		}
		s.batch(s.transfer(tr.ID).Transits[0].ToBatch, 6, 0, 600)
	})
}

func TestTheDeskSendsGoods(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		there := o.done("POST", "/api/org/sites", m{"code": "S9", "name": "Station", "kind": "store", "entity_id": "4001"})["id"].(string)
		o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": tea.String(), "qty": "4", "unit": "can", "cost_fen": 4000}}})
		tr := o.done("POST", "/api/stock/transfers", m{"from_site_id": o.site, "to_site_id": there, "due": "2026-03-03", "lines": []m{{"product_id": tea.String(), "qty": "2", "unit": "can"}}})
		path := "/api/stock/transfers/" + tr["id"].(string)
		if l := rows(tr["lines"])[0]; tr["state"] != "requested" || l["asked"] != "500" || rows(tr["next"])[0]["act"] != "ship" || rows(tr["next"])[0]["may"] != true {
			t.Errorf("asked as %v", tr)
		}
		tr = o.done("POST", path+"/ship", m{})
		way := rows(tr["transits"])[0]
		if tr["state"] != "shipped" || way["left"] != "500" || way["value_fen"] != 2000.0 {
			t.Errorf("shipped as %v", tr)
		}
		why := o.done("GET", "/api/stock/why?site_id="+there+"&product_id="+tea.String(), nil)
		if why["qty"] != "0" || why["sums"].(m)["in_transit"] != "500" || rows(why["items"])[0]["document_id"] != tr["id"] {
			t.Errorf("on its way: %v", why)
		}
		tr = o.done("POST", path+"/receive", m{"lines": []m{{"transit_id": way["id"], "qty": "499"}}})
		if tr["state"] != "received" || rows(tr["lines"])[0]["left"] != "1" {
			t.Errorf("a gram is missing: %v", tr)
		}
		tr = o.done("POST", path+"/resolve", m{"transit_id": way["id"], "way": "lost", "note": "torn bag"})
		if trail := rows(tr["trail"]); tr["state"] != "settled" || len(trail) != 5 || trail[3]["note"] != "torn bag" || trail[3]["document_id"] == "" {
			t.Errorf("settled as %v", tr)
		}
		docs := rows(o.done("GET", "/api/stock/documents?site_id="+o.site+"&cause_id="+tr["id"].(string), nil)["items"])
		if len(docs) != 2 || docs[0]["kind"] != "transfer_missing" || docs[0]["value_fen"] != -4.0 || docs[1]["kind"] != "transfer_out" || docs[1]["value_fen"] != -2000.0 {
			t.Errorf("documents: %v", docs)
		}
		if doc := o.done("GET", "/api/stock/documents/"+docs[1]["id"].(string), nil); rows(doc["items"])[0]["qty"] != "-500" || rows(doc["items"])[0]["product"] != "Tea" {
			t.Errorf("document: %v", doc)
		}
		if all := rows(o.done("GET", "/api/stock/transfers?site_id="+there+"&state=settled", nil)["items"]); len(all) != 1 || all[0]["products"] != 1.0 {
			t.Errorf("list: %v", all)
		}
		second := o.done("POST", "/api/stock/transfers", m{"from_site_id": o.site, "to_site_id": there, "lines": []m{{"product_id": tea.String(), "qty": "1"}}})
		if c := o.done("POST", "/api/stock/transfers/"+second["id"].(string)+"/cancel", m{"note": "not needed"}); c["state"] != "cancelled" {
			t.Errorf("cancelled as %v", c)
		}
		o.turnedAway(409, "stock_transfer_state", "", "POST", "/api/stock/transfers/"+second["id"].(string)+"/ship", m{})
		o.turnedAway(422, "not_a_choice", "way", "POST", path+"/resolve", m{"transit_id": way["id"], "way": "eaten"})
		o.turnedAway(404, "stock_transfer_unknown", "", "GET", "/api/stock/transfers/"+id.New().String(), nil)
		o.turnedAway(404, "stock_document_unknown", "", "GET", "/api/stock/documents/"+id.New().String(), nil)
		o.green()
	}, schema)
}

// flow checks what a kind of flow has taken in of a SKU, over all sites.
func (s shop) flow(kind ledger.Account, sku id.ID, want int64) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		n := int64(0)
		for _, site := range []*org.Site{bakery, corner} {
			sum, err := ledger.FlowSum(tx, kind, site.ID, "2020-01-01", "2030-01-01", ledger.Unit(sku))
			if err != nil {
				return err
			}
			n += sum
		}
		if n != want {
			s.t.Errorf("%s has taken in %d, want %d", kind, n, want)
		}
		return nil
	})
}

// What was damaged in the tables is found.
func TestAProofSeesADamagedTransfer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 6, 600, time.Hour)
		b := s.receive(tea, 5, 10, 0)
		tr := s.shipped(s.ask(buns(6)))
		if _, err := s.restate(b, Sellable, Frozen, pieces(2)); err != nil {
			t.Fatal(err)
		}
		for name, sql := range map[string]string{
			"stock_transfers_add_up":                  `UPDATE stock_transit SET received = 1`,
			"stock_open_batches_are_those_with_goods": `UPDATE stock_place SET open = 0`,
			"stock_documents_are_complete":            `UPDATE stock_document_line SET to_id = 0 WHERE to_id > 0`,
			"stock_batches_match_their_accounts":      `UPDATE ledger_account SET site_id = 1 WHERE id = (SELECT MIN(id) FROM stock_batch)`,
		} {
			if red := s.redAfter(sql); !slices.Contains(red, name) {
				t.Errorf("%s: red are %v", name, red)
			}
		}
		s.got(tr.ID, nil)
	})
}
