package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// freshWrites are the writes of the fresh-food loop, in the order in which the routes are registered: a new one is tried by
// the stories below without being named here.
func (w *town) freshWrites() (all []web.RouteInfo) {
	for _, r := range w.h.api.Routes() {
		for _, under := range []string{"/api/plans", "/api/requisitions", "/api/purchase/orders", "/api/making", "/api/clear"} {
			if r.Effect && r.Scope == web.Sites && (r.Path == under || strings.HasPrefix(r.Path, under+"/")) {
				all = append(all, r)
			}
		}
	}
	return all
}

// again is what a write answers that is sent once more as a new wish, under a key of its own: most say that it has been done, the
// others set what is set already.
var again = map[string]string{
	"run-plans": "", "put-plan-rule": "", "delete-plan-rule": "plan_policy_unknown", "add-plan-event": "", "put-plan-event": "", "delete-plan-event": "plan_event_unknown",
	"put-source": "", "delete-source": "source_unknown", "put-near-store": "", "put-machines": "", "put-service-level": "", "test-pace": "",
	"confirm-plan-line": "plan_line_decided", "change-plan-line": "plan_line_decided", "release-plan-line": "plan_line_decided", "confirm-plan": "", "decide-sales-block": "sales_block_decided",
	"close-store-requisition": "store_requisition_closed", "deliver-store-requisition": "stock_transfer_exists",
	"write-purchase-order": "", "confirm-purchase-order": "purchase_state", "send-purchase-order": "purchase_state", "close-purchase-order": "purchase_state", "receive-purchase": "",
	"request-materials": "", "complete-requisition": "requisition_completed", "cancel-requisition": "requisition_cancelled", "report-output": "task_done",
	"run-clearance": "", "stop-clearance": "",
}

// Every write of the loop is sent three times: twice as one wish, whose second answer is the first and which changes nothing, and
// as another wish.
func TestEveryWriteOfTheFreshLoopTwiceWithOneKeyAndWithTwo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		for _, r := range w.freshWrites() {
			want, known := again[r.Name]
			if !known {
				t.Errorf("%s: what does it answer to the same wish again?", r.Name)
				continue
			}
			q, key := examples[r.Name](w, w.a), id.New().String()
			first := w.sendOnce(w.a.boss, key, r.Method, q.address(r.Path), q.body)
			if first.status != http.StatusOK {
				t.Errorf("%s: %v", r.Name, first)
				continue
			}
			before := w.rows()
			if a := w.sendOnce(w.a.boss, key, r.Method, q.address(r.Path), q.body); a.status != first.status || a.text != first.text {
				t.Errorf("%s, sent again: %v, want %v", r.Name, a, first)
			}
			if names := changed(before, w.rows()); len(names) > 0 {
				t.Errorf("%s, sent again, changed %v", r.Name, names)
			}
			if a := w.send(w.a.boss, r.Method, q.address(r.Path), q.body); want == "" && a.status != http.StatusOK || want != "" && (a.status < 400 || a.code != want) {
				t.Errorf("%s, wished again: %v, want %q", r.Name, a, want)
			}
		}
		w.green()
	}, whole)
}

// A role is taken away while its holder has the page open: no write of the loop goes through any more, nor one that waits on his
// phone. With the role he may again.
func TestARightLostBetweenTwoSteps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		x := w.a
		cook := w.person("cook", "cook", x.ids["site"], w.all, "site", x.ids["site"])
		cookie := w.signIn("cook", "long-enough-7")
		grants := func(site string) {
			t.Helper()
			g := []m{}
			if site != "" {
				g = append(g, m{"role_id": w.all, "scope_kind": "site", "scope_id": site})
			}
			w.done(w.admin, "PUT", "/api/org/staff/"+cook+"/grants", g)
		}
		w.done(cookie, "GET", "/api/plans/"+x.ids["plan"], nil)
		w.done(cookie, "GET", "/api/making/tasks/"+x.ids["task"], nil)
		sent := id.New().String()
		asked := w.sendOnce(cookie, sent, "POST", "/api/making/requisitions", w.making(x))
		if asked.status != http.StatusOK {
			t.Fatal(asked)
		}
		for _, left := range []string{"", w.b.ids["site"]} { // dismissed, and sent to the other company's store
			grants(left)
			before := w.rows()
			for _, r := range w.freshWrites() {
				q := examples[r.Name](w, x)
				if a := w.send(cookie, r.Method, q.address(r.Path), q.body); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
					t.Errorf("%s after his role was taken: %v", r.Name, a)
				}
			}
			// What he sent before is his own: his phone may still learn what became of it, and nothing else.
			if a := w.sendOnce(cookie, sent, "POST", "/api/making/requisitions", w.making(x)); a.status != http.StatusForbidden && a.text != asked.text {
				t.Errorf("what he sent before, sent again: %v", a)
			}
			for _, path := range []string{"/api/plans/" + x.ids["plan"], "/api/making/tasks/" + x.ids["task"], "/api/clear/batches/" + x.ids["nearing"], "/api/clear/batches?site_id=" + x.ids["site"], "/api/requisitions/" + x.ids["storereq"]} {
				if a := w.send(cookie, "GET", path, nil); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
					t.Errorf("he still sees %s: %v", path, a)
				}
			}
			if names := changed(before, w.rows()); len(names) > 0 {
				t.Errorf("without a right he changed %v", names)
			}
		}
		grants(x.ids["site"])
		if a := w.sendOnce(cookie, sent, "POST", "/api/making/requisitions", w.making(x)); a.id() != asked.id() {
			t.Errorf("with the role again: %v", a)
		}
		w.done(cookie, "POST", "/api/making/requisitions/"+asked.id()+"/complete", w.scanned(x))
		w.green()
	}, whole)
}

// The kitchen's phone was offline. What waits on it arrives late and twice, after another phone has done the same.
func TestAKitchenPhoneComesBackAfterAnotherHasDoneItsWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		x := w.a
		madeBefore := w.apples(x)
		ask := w.done(x.boss, "POST", "/api/making/requisitions", w.making(x)).id()
		complete := "/api/making/requisitions/" + ask + "/complete"
		task := w.done(x.boss, "POST", complete, w.scanned(x)).id()
		output := "/api/making/tasks/" + task + "/output"

		// Impossible outputs leave the task open.
		for body, want := range map[string]string{
			`{"qty":"-1","unit":"kg"}`: "make_qty_bad", `{"qty":"0","unit":"kg"}`: "make_reason_missing", `{"qty":"1.9","unit":"kg"}`: "make_reason_missing",
			`{"qty":"4.001","unit":"kg"}`: "make_output_too_large", `{"qty":"999999999","unit":"kg"}`: "", `{"qty":"99999999999999999999"}`: "", `{"qty":"1e3"}`: "", `{"qty":"NaN"}`: "", `{"qty":2000}`: "", `{}`: "",
			`{"qty":"2","unit":"bottle"}`: "stock_unit_unknown", `{"qty":"2","unit":"kg","fewer_reason":"boredom"}`: "", `{"qty":"2","unit":"kg","made_at":"2099-01-01T00:00:00Z"}`: "make_time_bad", `{"qty":"2","unit":"kg","made_at":"2020-01-01T00:00:00Z"}`: "make_time_bad",
		} {
			before := w.rows()
			a := w.sendOnce(x.boss, id.New().String(), "POST", output, json.RawMessage(body))
			if a.status < 400 || a.status >= 500 || want != "" && a.code != want {
				t.Errorf("an output of %s: %v, want %s", body, a, want)
			}
			if names := changed(before, w.rows()); len(names) > 0 {
				t.Errorf("an output of %s changed %v", body, names)
			}
		}

		offline, other := id.New().String(), id.New().String()
		done := w.sendOnce(x.boss, other, "POST", output, m{"qty": "2", "unit": "kg"})
		if done.status != http.StatusOK {
			t.Fatal(done)
		}
		d.Clock.Set(d.Clock.Now().Add(3 * time.Hour))
		before := w.rows()
		for range 2 {
			if a := w.sendOnce(x.boss, offline, "POST", output, m{"qty": "1", "unit": "kg", "fewer_reason": "dropped", "made_at": w.ago(3)}); a.code != "task_done" {
				t.Errorf("another phone has reported it: %v", a)
			}
			if a := w.sendOnce(x.boss, offline+"-c", "POST", complete, w.scanned(x)); a.code != "requisition_completed" {
				t.Errorf("another phone has taken the materials: %v", a)
			}
			if a := w.sendOnce(x.boss, offline+"-x", "POST", "/api/making/requisitions/"+ask+"/cancel", m{"reason": "late"}); a.code != "requisition_completed" {
				t.Errorf("another phone has taken the materials, and this one cancels: %v", a)
			}
		}
		if names := slices.DeleteFunc(changed(before, w.rows()), func(name string) bool { return strings.HasPrefix(name, "once_") }); len(names) > 0 {
			t.Errorf("what came late changed %v", names)
		}
		if a := w.sendOnce(x.boss, other, "POST", output, m{"qty": "3", "unit": "kg"}); a.code != "key_reused" {
			t.Errorf("another quantity under its key: %v", a)
		}
		// Its own answer was lost on the way: it has the first one, however late.
		if a := w.sendOnce(x.boss, other, "POST", output, m{"qty": "2", "unit": "kg"}); a.status != http.StatusOK || a.text != done.text {
			t.Errorf("sent again after three hours: %v, want %v", a, done)
		}
		if made := w.apples(x) - madeBefore; made != 2000 {
			t.Errorf("%d grams were made, want 2000", made)
		}

		// Eight phones take, and report, one task at once.
		ask = w.done(x.boss, "POST", "/api/making/requisitions", w.making(x)).id()
		w.atOnce(8, "requisition_completed", func() reply { return w.send(x.boss, "POST", "/api/making/requisitions/"+ask+"/complete", w.scanned(x)) })
		open := w.done(x.boss, "GET", "/api/making/tasks?state=open&site_id="+x.ids["site"], nil).body["items"].([]any)
		at := slices.IndexFunc(open, func(v any) bool { return v.(m)["requisition_id"] == ask })
		if at < 0 {
			t.Fatalf("no task of it: %v", open)
		}
		w.atOnce(8, "task_done", func() reply {
			return w.send(x.boss, "POST", "/api/making/tasks/"+open[at].(m)["id"].(string)+"/output", m{"qty": "4", "unit": "kg"}) // twice what was asked, and no more
		})
		if made := w.apples(x) - madeBefore; made != 6000 {
			t.Errorf("%d grams were made, want 6000", made)
		}
		w.green()
	}, whole)
}

// A plan is confirmed by eight at once: what is to be ordered is ordered once.
func TestAPlanConfirmedByEightAtOnceOrdersOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		x := w.a
		lines := func() (n int, documents map[string]bool) {
			documents = map[string]bool{}
			for _, l := range w.done(x.boss, "GET", "/api/plans/"+x.ids["plan"]+"/proposals", nil).body["items"].([]any) {
				if doc, _ := l.(m)["document_id"].(string); doc != "" {
					documents[doc] = true
					n++
				}
			}
			return n, documents
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if a := w.send(x.boss, "POST", "/api/plans/"+x.ids["plan"]+"/confirm", m{"what": "all"}); a.status != http.StatusOK && a.status != http.StatusConflict {
					t.Errorf("confirming: %v", a)
				}
			})
		}
		wg.Wait()
		n, documents := lines()
		if n == 0 {
			t.Fatal("nothing was ordered")
		}
		ordered := 0
		for doc := range documents {
			a := w.send(x.boss, "GET", "/api/purchase/orders/"+doc, nil)
			if a.status != http.StatusOK {
				a = w.done(x.boss, "GET", "/api/requisitions/"+doc, nil)
			}
			ordered += len(a.body["lines"].([]any))
		}
		if ordered != n {
			t.Errorf("%d lines were confirmed and %d ordered", n, ordered)
		}
		w.done(x.boss, "POST", "/api/plans/"+x.ids["plan"]+"/confirm", m{"what": "all"})
		if m, _ := lines(); m != n {
			t.Errorf("confirmed again %d lines are ordered, before %d", m, n)
		}
		w.green()
	}, whole)
}

// Two tills ask for the last reduced piece; a batch is cleared while it is being sold; what is sold out or expired is not
// marked down and not sold.
func TestABatchIsClearedWhileItIsSold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := openTown(t, d)
		w.settle()
		x := w.a
		site, product := x.ids["site"], x.ids["product"]
		w.done(w.admin, "PUT", "/api/clear/rules", m{"category_id": "", "floor_binds_free": false, "first_min": 360, "free_min": 120, "depths": []int{15, 20, 25, 30}, "floor_pct": 0, "screen_pct": 65, "hold_out_pct": 0})
		w.done(x.boss, "POST", "/api/till/registers", m{"site_id": site, "code": "2", "name": "two"})
		arrive := func(code string, n int) string {
			t.Helper()
			return w.done(x.boss, "POST", "/api/stock/receipts", m{"site_id": site, "lines": []m{{"product_id": product, "qty": fmt.Sprint(n), "cost_fen": 43 * n, "code": code,
				"expires_at": d.Clock.Now().Add(13 * time.Hour).Format(time.RFC3339)}}}).body["lines"].([]any)[0].(m)["batch_id"].(string)
		}
		look := func() reply {
			t.Helper()
			a := w.send(x.boss, "POST", "/api/clear/run", m{"site_id": site})
			if err := errors.Join(w.h.runner.Tick(t.Context()), w.h.runner.Drain(t.Context())); err != nil {
				t.Error(err)
			}
			return a
		}
		reduced := func(batch string) (price int) {
			t.Helper()
			for _, r := range w.done(x.boss, "GET", "/api/till/reduced?site_id="+site, nil).body["items"].([]any) {
				if r.(m)["batch_id"] == batch {
					price = int(r.(m)["price_fen"].(float64))
				}
			}
			return price
		}
		sell := func(register, batch string, price int) reply {
			t.Helper()
			return w.send(x.boss, "POST", "/api/till/sales", m{"site_id": site, "register": register, "expect_total_fen": price, "tenders": []m{{"kind": "cash", "amount_fen": price}},
				"lines": []m{{"product_id": product, "unit": "瓶", "qty": "1", "batch_id": batch}}})
		}
		last, many, gone, nobody := arrive("LAST", 40), arrive("MANY", 40), arrive("GONE", 1), arrive("NOBODY", 40) // more than anybody will buy
		begins := d.Clock.Now()
		if a := sell("1", gone, 777); a.status != http.StatusOK {
			t.Fatal(a)
		}
		d.Clock.Set(begins.Add(7 * time.Hour))
		for range 2 { // the first may take batches into view
			if a := look(); a.status != http.StatusOK {
				t.Fatal(a)
			}
		}
		if reduced(gone) != 0 {
			t.Error("a batch that is sold out is offered at a lower price")
		}
		price := reduced(last)
		manys := reduced(many)
		if price == 0 || price >= 777 || manys == 0 || reduced(nobody) == 0 {
			t.Fatalf("six hours before their end they cost %d, %d, %d", price, manys, reduced(nobody))
		}
		// The other company's manager sells, sees and clears nothing of it.
		for what, a := range map[string]reply{
			"sells": w.send(w.b.boss, "POST", "/api/till/sales", m{"site_id": w.b.ids["site"], "register": "1", "expect_total_fen": price, "tenders": []m{{"kind": "cash", "amount_fen": price}},
				"lines": []m{{"product_id": product, "unit": "瓶", "qty": "1", "batch_id": last}}}),
			"sees":   w.send(w.b.boss, "GET", "/api/clear/batches/"+last, nil),
			"clears": w.send(w.b.boss, "POST", "/api/clear/run", m{"site_id": site}),
			"stops":  w.send(w.b.boss, "POST", "/api/clear/stops", m{"site_id": site, "stopped": true}),
		} {
			if a.status == http.StatusOK {
				t.Errorf("the other company's manager %s it: %v", what, a)
			}
		}
		for range 39 {
			if a := sell("1", last, price); a.status != http.StatusOK {
				t.Fatal(a)
			}
		}
		register := make(chan string, 2)
		register <- "1"
		register <- "2"
		w.atOnce(2, "stock_short", func() reply { return sell(<-register, last, price) })

		// Sixty ask for forty pieces while the job looks again and again, the last time at the batch's end.
		var wg sync.WaitGroup
		var mu sync.Mutex
		sold := 0
		for i := range 60 {
			wg.Go(func() {
				switch a := sell(fmt.Sprint(1+i%2), many, manys); {
				case a.status == http.StatusOK:
					mu.Lock()
					sold++
					mu.Unlock()
				case a.code != "stock_short" && a.code != "price_changed" && a.code != "stock_expired":
					t.Errorf("a piece of many: %v", a)
				}
				if i%20 == 5 {
					d.Clock.Set(begins.Add(time.Duration(8+i/20) * time.Hour))
					look()
				}
			})
		}
		wg.Wait()
		d.Clock.Set(begins.Add(13 * time.Hour))
		for range 2 {
			look()
		}
		for batch, want := range map[string][2]int{last: {40, 0}, many: {sold, 40 - sold}, nobody: {0, 40}} {
			b := w.done(x.boss, "GET", "/api/clear/batches/"+batch, nil).body
			if b["sold"] != fmt.Sprint(want[0]) || b["lost"] != fmt.Sprint(want[1]) || b["phase"] != "expired" {
				t.Errorf("at its end: %v, want sold and lost %v", b, want)
			}
			if a := sell("1", batch, price); a.status == http.StatusOK {
				t.Errorf("sold after its end: %v", a)
			}
		}
		if a := w.send(x.boss, "GET", "/api/clear/batches/"+gone, nil); a.status == http.StatusOK && a.body["lost"] != "0" {
			t.Errorf("what was sold out is lost: %v", a)
		}
		before := w.rows()
		look() // at what has ended nothing more is done
		if names := slices.DeleteFunc(changed(before, w.rows()), func(name string) bool { return strings.HasPrefix(name, "once_") || strings.HasPrefix(name, "jobs") }); len(names) > 0 {
			t.Errorf("a look at what has ended changed %v", names)
		}
		w.green()
	}, whole)
}

// apples is how many grams of apples a world's store has.
func (w *town) apples(x world) (g int64) {
	w.t.Helper()
	for _, l := range w.done(x.boss, "GET", "/api/stock/levels?q=2001&site_id="+x.ids["site"], nil).body["items"].([]any) {
		if l.(m)["product_id"] == w.goods["2001"] {
			fmt.Sscan(l.(m)["qty"].(string), &g)
		}
	}
	return g
}

// atOnce sends n requests side by side: one is done, the others are refused with the code.
func (w *town) atOnce(n int, refused string, send func() reply) {
	w.t.Helper()
	answers := make(chan reply, n)
	for range n {
		go func() { answers <- send() }()
	}
	done := 0
	for range n {
		switch a := <-answers; {
		case a.status == http.StatusOK:
			done++
		case a.code != refused:
			w.t.Errorf("side by side: %v, want %s", a, refused)
		}
	}
	if done != 1 {
		w.t.Errorf("side by side %d of %d were done, want 1", done, n)
	}
}
