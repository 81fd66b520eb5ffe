package attack

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/dbtest"
)

// Every way in which goods leave a site asks at once for the same pieces, one each, sixty askers for exactly thirty: thirty have
// theirs, the others are told that there is no more, and whoever sends a request again has had it once.
func TestEveryWayOutAtOnceForTheLastPieces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		const there, askers = 30, 60
		w := town.Open(t, d)
		entity := w.Done(w.Admin, "POST", "/api/org/entities", m{"code": "LAST", "name": "Last"}).ID()
		site := func(code string) string {
			return w.Done(w.Admin, "POST", "/api/org/sites", m{"code": code, "name": code, "kind": "store", "address": "x", "entity_id": entity}).ID()
		}
		here, other := site("L1"), site("L2")
		w.Done(w.Admin, "POST", "/api/till/registers", m{"site_id": here, "code": "1", "name": "R"})
		product := func(code string) string {
			p := w.Done(w.Admin, "POST", "/api/goods/products", m{"code": code, "name": code, "base_unit": "piece", "tax_pct": 13}).ID()
			w.Done(w.Admin, "POST", "/api/prices", m{"site_id": here, "product_id": p, "unit": "piece", "price_fen": 500})
			return p
		}
		cake, slice := product("CAKE"), product("SLICE")
		got := w.Done(w.Admin, "POST", "/api/stock/receipts", m{"site_id": here, "lines": []m{{"product_id": cake, "qty": fmt.Sprint(there), "cost_fen": 10_001}}})
		batch := got.Body["lines"].([]any)[0].(m)["batch_id"].(string)
		transfers := make([]string, askers)
		for i := range transfers {
			transfers[i] = w.Done(w.Admin, "POST", "/api/stock/transfers", m{"from_site_id": here, "to_site_id": other, "lines": []m{{"product_id": cake, "qty": "1"}}}).ID()
		}
		one := []m{{"product_id": cake, "qty": "1"}}
		ofBatch := []m{{"batch_id": batch, "qty": "1"}}
		ways := []func(i int) (path string, body m){
			func(int) (string, m) {
				return "/api/till/sales", m{"site_id": here, "register": "1", "expect_total_fen": 500, "tenders": []m{{"kind": "cash", "amount_fen": 500}}, "lines": []m{{"product_id": cake, "unit": "piece", "qty": "1"}}}
			},
			func(int) (string, m) {
				return "/api/conversions", m{"site_id": here, "shape": "convert", "basis": "share", "lines": one, "outputs": []m{{"product_id": slice, "qty": "8", "expiry": "earliest"}}}
			},
			func(i int) (string, m) { return "/api/stock/transfers/" + transfers[i] + "/ship", m{} },
			func(int) (string, m) {
				return "/api/stock/promises", m{"site_id": here, "channel": "phone", "minutes": 60, "lines": one}
			},
			func(int) (string, m) {
				return "/api/stock/write-offs", m{"site_id": here, "reason": "dropped", "lines": ofBatch}
			},
			func(int) (string, m) { return "/api/stock/supplier-returns", m{"site_id": here, "lines": ofBatch} },
			func(int) (string, m) {
				return "/api/stock/adjustments", m{"site_id": here, "reason": "lost", "lines": []m{{"batch_id": batch, "qty": "-1"}}}
			},
			func(int) (string, m) {
				return "/api/stock/states", m{"site_id": here, "reason": "quality", "lines": []m{{"batch_id": batch, "qty": "1", "from": "available", "to": "frozen"}}}
			},
		}
		var mu sync.Mutex
		had := map[int]int{}
		var wg sync.WaitGroup
		for i := range askers {
			wg.Go(func() {
				way := i % len(ways)
				path, body := ways[way](i)
				a := w.Send(w.Admin, "POST", path, body)
				switch {
				case a.Status == 200:
					mu.Lock()
					had[way]++
					mu.Unlock()
				case a.Code != "stock_short" && a.Code != "stock_transfer_nothing":
					t.Errorf("%s: %v", path, a)
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range had {
			sum += n
		}
		if sum != there {
			t.Errorf("%d had a piece of %d: %v", sum, there, had)
		}
		why := w.Done(w.Admin, "GET", "/api/stock/why?site_id="+here+"&product_id="+cake, nil).Body
		sums := why["sums"].(m)
		if why["available"] != "0" || sums["held"] != fmt.Sprint(had[3]) || sums["frozen"] != fmt.Sprint(had[7]) || why["qty"] != fmt.Sprint(had[3]+had[7]) {
			t.Errorf("left: %v; had: %v", why, had)
		}
		levels := w.Done(w.Admin, "GET", "/api/stock/levels?q=SLICE&site_id="+here, nil).Body["items"].([]any)
		if at := slices.IndexFunc(levels, func(l any) bool { return l.(m)["product_id"] == slice }); at < 0 || levels[at].(m)["qty"] != fmt.Sprint(8*had[1]) {
			t.Errorf("%d cakes were cut: %v", had[1], levels)
		}
		w.Green()
	}, town.Whole)
}
