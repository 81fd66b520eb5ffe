package stock

import (
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

// Buns are counted: no way into the shop, out of it or through it takes a part of one, and each says at which field it was.
func TestWhatIsCountedIsNowhereInParts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		there := o.done("POST", "/api/org/sites", m{"code": "S9", "name": "Station", "kind": "store", "entity_id": "4001"})["id"].(string)
		batch := rows(o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": bun.String(), "qty": "40", "cost_fen": 4000}}})["lines"])[0]["batch_id"].(string)
		at := func(body m) m { body["site_id"] = o.site; return body }
		of := func(q string) []m { return []m{{"batch_id": batch, "qty": "1"}, {"batch_id": batch, "qty": q}} }
		transfer := o.done("POST", "/api/stock/transfers", m{"from_site_id": o.site, "to_site_id": there, "lines": []m{{"product_id": bun.String(), "qty": "10"}}})["id"].(string)
		promise := o.done("POST", "/api/stock/promises", at(m{"channel": "phone", "minutes": 60, "lines": []m{{"product_id": bun.String(), "qty": "2"}}}))["id"].(string)
		count := o.done("POST", "/api/stock/counts", at(m{"product_ids": []string{bun.String()}}))["id"].(string)
		for _, part := range []string{"0.5", "1.001", "2.999"} {
			for _, c := range []struct {
				method, path, field, code string
				body                      m
			}{
				{"POST", "/api/stock/receipts", "lines[0].qty", "stock_pieces_whole", at(m{"lines": []m{{"product_id": bun.String(), "qty": part, "cost_fen": 1}}})},
				{"POST", "/api/stock/receipts", "lines[0].qty", "stock_pieces_whole", at(m{"opening": true, "lines": []m{{"product_id": bun.String(), "qty": part, "cost_fen": 1}}})},
				{"POST", "/api/stock/write-offs", "lines[1].qty", "stock_pieces_whole", at(m{"reason": "damaged", "lines": of(part)})},
				{"POST", "/api/stock/adjustments", "lines[1].qty", "stock_pieces_whole", at(m{"reason": "count", "lines": of(part)})},
				{"POST", "/api/stock/adjustments", "lines[1].qty", "stock_pieces_whole", at(m{"reason": "count", "lines": of("-" + part)})},
				{"POST", "/api/stock/supplier-returns", "lines[1].qty", "stock_pieces_whole", at(m{"lines": of(part)})},
				{"POST", "/api/stock/states", "lines[0].qty", "stock_pieces_whole", at(m{"reason": "quality", "lines": []m{{"batch_id": batch, "from": "available", "to": "frozen", "qty": part}}})},
				{"POST", "/api/stock/promises", "lines[0].qty", "stock_pieces_whole", at(m{"channel": "phone", "minutes": 60, "lines": []m{{"product_id": bun.String(), "qty": part}}})},
				{"POST", "/api/stock/promises/" + promise + "/capture", "lines[0].qty", "stock_pieces_whole", m{"lines": []m{{"product_id": bun.String(), "qty": part}}}},
				{"POST", "/api/stock/promises/" + promise + "/capture", "lines[1].product_id", "stock_promise_product_twice", m{"lines": []m{{"product_id": bun.String(), "qty": "2"}, {"product_id": bun.String(), "qty": "1"}}}},
				{"PUT", "/api/stock/channels", "floor", "stock_pieces_whole", at(m{"product_id": bun.String(), "channel": "phone", "floor": part})},
				{"PUT", "/api/stock/channels", "cap", "stock_pieces_whole", at(m{"product_id": bun.String(), "channel": "phone", "floor": "0", "cap": part})},
				{"POST", "/api/stock/transfers", "lines[0].qty", "stock_pieces_whole", m{"from_site_id": o.site, "to_site_id": there, "lines": []m{{"product_id": bun.String(), "qty": part}}}},
				{"POST", "/api/stock/transfers/" + transfer + "/ship", "lines[1].qty", "stock_pieces_whole", m{"lines": []m{{"line_no": 1, "qty": "1"}, {"line_no": 1, "qty": part}}}},
				{"POST", "/api/stock/transfers/" + transfer + "/ship", "lines[0].qty", "stock_pieces_whole", m{"lines": []m{{"line_no": 1, "batch_id": batch, "qty": part}}}},
				{"POST", "/api/stock/counts/" + count + "/lines/1/entries", "qty", "stock_count_pieces_whole", m{"qty": part}},
				{"POST", "/api/stock/counts/" + count + "/entries", "lines[0].qty", "stock_count_pieces_whole", m{"lines": []m{{"product_id": bun.String(), "qty": part}}}},
			} {
				o.turnedAway(422, c.code, c.field, c.method, c.path, c.body)
			}
		}
		path := "/api/stock/transfers/" + transfer
		load := rows(o.done("POST", path+"/ship", m{})["transits"])[0]["id"].(string)
		for _, part := range []string{"0.5", "9.999", "10.001"} {
			o.turnedAway(422, "stock_pieces_whole", "lines[0].qty", "POST", path+"/receive", m{"lines": []m{{"transit_id": load, "qty": part}}})
		}
		o.done("POST", path+"/receive", m{"lines": []m{{"transit_id": load, "qty": "8"}}})
		for _, way := range []string{"lost", "found", "back"} {
			o.turnedAway(422, "stock_pieces_whole", "qty", "POST", path+"/resolve", m{"transit_id": load, "way": way, "qty": "1.5"})
		}
		o.done("POST", path+"/resolve", m{"transit_id": load, "way": "back", "qty": "1"})
		o.done("POST", path+"/resolve", m{"transit_id": load, "way": "lost"})
		if b := o.done("GET", "/api/stock/batches/"+batch, nil); b["qty"] != "31" {
			t.Errorf("%v of 40 buns are left: 10 went, one is back", b["qty"])
		}
		o.green()
	}, schema)
}

// Half a bun that an older release left in a batch can be written off, adjusted, counted or sent away with all there is; nothing
// makes another half of it. A cake that is sold by the slice is kept in parts.
func TestAHalfThatIsThereCanBeCleared(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		there := o.done("POST", "/api/org/sites", m{"code": "S9", "name": "Station", "kind": "store", "entity_id": "4001"})["id"].(string)
		site, err := id.Parse(o.site)
		if err != nil {
			t.Fatal(err)
		}
		half := func(q string) string {
			t.Helper()
			batch := rows(o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": bun.String(), "qty": "4", "cost_fen": 400}}})["lines"])[0]["batch_id"].(string)
			n, _ := id.Parse(batch)
			o.must(func(tx *db.Tx) error {
				home := *bakery
				home.ID = site
				_, err := Adjust(tx, Correction{Header: Header{Site: &home}, Reason: "other", Lines: []Issue{{n, -pieces(1) / 2}}})
				return err
			})
			if got := o.done("GET", "/api/stock/batches/"+batch, nil)["qty"]; got != q {
				t.Fatalf("%v buns", got)
			}
			return batch
		}
		left := func(batch, want string) {
			t.Helper()
			if got := o.done("GET", "/api/stock/batches/"+batch, nil)["qty"]; got != want {
				t.Errorf("%v buns are left, want %s", got, want)
			}
		}
		act := func(path, reason, batch, q string) (string, m) {
			return "/api/stock/" + path, m{"site_id": o.site, "reason": reason, "lines": []m{{"batch_id": batch, "qty": q}}}
		}
		for _, c := range []struct{ path, reason, bad, good, left string }{
			{"write-offs", "damaged", "0.3", "0.5", "3"},
			{"write-offs", "damaged", "3.4", "3.5", "0"},
			{"adjustments", "count", "-0.4", "-0.5", "3"},
			{"adjustments", "count", "0.4", "0.5", "4"},
		} {
			batch := half("3.5")
			path, bad := act(c.path, c.reason, batch, c.bad)
			o.turnedAway(422, "stock_pieces_whole", "lines[0].qty", "POST", path, bad)
			left(batch, "3.5")
			path, good := act(c.path, c.reason, batch, c.good)
			o.done("POST", path, good)
			left(batch, c.left)
			if c.left != "0" {
				path, rest := act("write-offs", "damaged", batch, c.left)
				o.done("POST", path, rest)
			}
		}
		// All of it is frozen and released, and travels.
		batch := half("3.5")
		for _, way := range [][2]string{{"available", "frozen"}, {"frozen", "available"}} {
			o.done("POST", "/api/stock/states", m{"site_id": o.site, "reason": "quality", "lines": []m{{"batch_id": batch, "from": way[0], "to": way[1]}}})
		}
		half("3.5")
		path := "/api/stock/transfers/" + o.done("POST", "/api/stock/transfers", m{"from_site_id": o.site, "to_site_id": there, "lines": []m{{"product_id": bun.String(), "qty": "7"}}})["id"].(string)
		var came []m
		for _, w := range rows(o.done("POST", path+"/ship", m{})["transits"]) {
			came = append(came, m{"transit_id": w["id"], "qty": w["shipped"]})
		}
		if len(came) != 2 {
			t.Errorf("7 buns of two times three and a half travel as %v", came)
		}
		o.done("POST", path+"/receive", m{"lines": came})

		o.must(func(tx *db.Tx) error {
			return tx.Exec(`INSERT INTO catalog_unit (id, product_id, name, num, den, retired) VALUES ($1, $2, 'slice', 1, 8, 0)`, salad*10+1, salad)
		})
		cake := rows(o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": salad.String(), "qty": "12", "unit": "slice", "cost_fen": 1200}}})["lines"])[0]
		if cake["qty"] != "1.5" {
			t.Errorf("12 slices of a cake are %v cakes", cake)
		}
		o.done("POST", "/api/stock/write-offs", m{"site_id": o.site, "reason": "dropped", "lines": []m{{"batch_id": cake["batch_id"], "qty": "3", "unit": "slice"}}})
		left(cake["batch_id"].(string), "1.125")
		o.green()
	}, schema)
}

// A place is named together with its batch: half a can is not written off as half a gram of flour, nothing goes back at the price
// of another receipt, and no batch is a place.
func TestAPlaceOfAnotherBatchIsNone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		lines := rows(o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{
			{"product_id": bun.String(), "qty": "10", "cost_fen": 1000}, {"product_id": tea.String(), "qty": "500", "cost_fen": 500}, {"product_id": bun.String(), "qty": "10", "cost_fen": 9000},
		}})["lines"])
		buns, grams, dear := lines[0]["batch_id"].(string), lines[1]["batch_id"].(string), lines[2]["batch_id"].(string)
		frozen := rows(o.done("POST", "/api/stock/states", m{"site_id": o.site, "reason": "quality", "lines": []m{{"batch_id": buns, "from": "available", "to": "frozen", "qty": "4"}}})["lines"])
		if len(frozen) != 1 {
			t.Fatal(frozen)
		}
		place := rows(o.done("GET", "/api/stock/batches/"+buns, nil)["places"])[0]["id"].(string)
		for _, c := range []struct{ path, batch, place, qty string }{
			{"write-offs", grams, place, "0.5"}, {"write-offs", dear, place, "1"}, {"write-offs", grams, buns, "0.5"}, {"write-offs", buns, dear, "1"}, {"write-offs", buns, id.New().String(), "1"},
			{"supplier-returns", dear, place, "1"}, {"supplier-returns", grams, place, "0.5"}, {"adjustments", grams, place, "-0.5"}, {"adjustments", dear, place, "1"},
		} {
			body := m{"site_id": o.site, "lines": []m{{"batch_id": c.batch, "place_id": c.place, "qty": c.qty}}}
			switch c.path {
			case "write-offs":
				body["reason"] = "damaged"
			case "adjustments":
				body["reason"] = "count"
			}
			o.turnedAway(404, "batch_unknown", "lines[0].place_id", "POST", "/api/stock/"+c.path, body)
		}
		o.done("POST", "/api/stock/write-offs", m{"site_id": o.site, "reason": "damaged", "lines": []m{{"batch_id": buns, "place_id": place, "qty": "4"}}})
		if b := o.done("GET", "/api/stock/batches/"+buns, nil); b["qty"] != "6" || len(rows(b["places"])) != 0 {
			t.Errorf("six of ten are left: %v", b)
		}
		o.green()
	}, schema)
}
