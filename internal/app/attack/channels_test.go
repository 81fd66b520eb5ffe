package attack

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

// A rush sells the same fifty products on four channels to 32 clients at once, through HTTP: sales at the till, goods
// promised, handed over in whole or in part, and released. Nothing may be sold or promised twice, what is kept for a
// channel stays its own, every promise ends, and the books prove it.
func TestARushOnFourChannelsNeverSellsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) { rush(t, d, 2_000) }, town.Whole)
}

const (
	rushClients  = 32
	rushProducts = 50
)

func rush(t *testing.T, d *dbtest.DB, acts int) {
	rushStock := acts * 3 / 250 // pieces of each: less than is asked for
	rushKept := rushStock / 4   // of them for the platform
	w := town.Open(t, d)
	entity := w.Done(w.Admin, "POST", "/api/org/entities", m{"code": "RUSH", "name": "Rush"}).ID()
	site := w.Done(w.Admin, "POST", "/api/org/sites", m{"code": "R1", "name": "Rush", "kind": "store", "address": "x", "entity_id": entity}).ID()
	w.Done(w.Admin, "POST", "/api/till/registers", m{"site_id": site, "code": "1", "name": "R"})
	var goods []string
	var lines []m
	for i := range rushProducts {
		p := w.Done(w.Admin, "POST", "/api/goods/products", m{"code": fmt.Sprintf("R%03d", i), "name": fmt.Sprintf("rush %d", i), "base_unit": "piece", "tax_pct": 13}).ID()
		w.Done(w.Admin, "POST", "/api/prices", m{"site_id": site, "product_id": p, "unit": "piece", "price_fen": 500})
		goods = append(goods, p)
		for _, n := range []int{rushStock / 3, rushStock - rushStock/3} { // two batches
			lines = append(lines, m{"product_id": p, "qty": fmt.Sprint(n), "cost_fen": n * 301})
		}
	}
	w.Done(w.Admin, "POST", "/api/stock/receipts", m{"site_id": site, "lines": lines})
	for _, p := range goods {
		w.Done(w.Admin, "PUT", "/api/stock/channels", m{"site_id": site, "product_id": p, "channel": "platform", "floor": fmt.Sprint(rushKept)})
	}
	var mu sync.Mutex
	gone, platform := map[string]int{}, map[string]int{} // pieces by product: sold or handed over; promised to the platform and not given back
	note := func(of map[string]int, product string, n int) {
		mu.Lock()
		of[product] += n
		mu.Unlock()
	}
	var wg sync.WaitGroup
	for client := range rushClients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(20261128, uint64(client)))
			for range acts / rushClients {
				product, n := goods[r.IntN(rushProducts)], 1+r.IntN(2)
				channel := []string{"till", "phone", "platform", "wholesale"}[r.IntN(4)]
				if channel == "till" {
					a := w.Send(w.Admin, "POST", "/api/till/sales", m{"site_id": site, "register": "1", "expect_total_fen": 500 * n, "tenders": []m{{"kind": "cash", "amount_fen": 500 * n}},
						"lines": []m{{"product_id": product, "unit": "piece", "qty": fmt.Sprint(n)}}})
					switch {
					case a.Status == 200:
						note(gone, product, n)
					case a.Code != "stock_short":
						t.Errorf("client %d: a sale: %v", client, a)
					}
					continue
				}
				a := w.Send(w.Admin, "POST", "/api/stock/promises", m{"site_id": site, "channel": channel, "minutes": 60, "lines": []m{{"product_id": product, "qty": fmt.Sprint(n)}}})
				if a.Status != 200 {
					if a.Code != "stock_short" {
						t.Errorf("client %d: a promise: %v", client, a)
					}
					continue
				}
				path, handed := "/api/stock/promises/"+a.ID(), 0
				switch r.IntN(4) {
				case 0:
					a = w.Send(w.Admin, "POST", path+"/release", nil)
				case 1:
					handed = 1
					a = w.Send(w.Admin, "POST", path+"/capture", m{"lines": []m{{"product_id": product, "qty": "1"}}})
				default:
					handed = n
					a = w.Send(w.Admin, "POST", path+"/capture", m{})
				}
				if a.Status != 200 {
					t.Errorf("client %d: %s: %v", client, path, a)
				}
				note(gone, product, handed)
				if channel == "platform" {
					note(platform, product, handed)
				}
			}
		})
	}
	wg.Wait()
	soldOut := 0
	for _, p := range goods {
		why := w.Done(w.Admin, "GET", "/api/stock/why?site_id="+site+"&product_id="+p, nil).Body
		if want := fmt.Sprint(rushStock - gone[p]); why["qty"] != want {
			t.Errorf("product %s: %v are left, %d are gone of %d", p, why["qty"], gone[p], rushStock)
		}
		if gone[p]-platform[p] > rushStock-rushKept {
			t.Errorf("product %s: others took %d, %d are kept for the platform", p, gone[p]-platform[p], rushKept)
		}
		if why["sums"].(m)["held"] != "0" {
			t.Errorf("product %s: %v is held by nobody", p, why["sums"])
		}
		if why["available"] == "0" {
			soldOut++
		}
	}
	if soldOut == 0 {
		t.Error("no product was sold out: the rush is no rush")
	}
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		var open int
		err := tx.QueryRow(`SELECT COUNT(*) FROM stock_promise WHERE state = 'open'`).Scan(&open)
		if open > 0 {
			t.Errorf("%d promises did not end", open)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.Green()
}
