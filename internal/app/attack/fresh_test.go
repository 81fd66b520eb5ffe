package attack

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

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

type m = map[string]any

// freshWrites are the writes of the fresh-food loop, in the order in which the routes are registered: a new one is tried by
// the stories below without being named here.
func freshWrites(w *town.Town) (all []web.RouteInfo) {
	for _, r := range w.House.API().Routes() {
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
	"put-recipe-mix-rule": "", "approve-recipe-mix": "plan_mix_decided", "refuse-recipe-mix": "plan_mix_decided", "end-recipe-mix": "plan_mix_ended",
	"take-store-offer": "", "withdraw-store-offer": "plan_offer_ended", "open-store-offer": "plan_line_decided",
	"run-clearance": "", "stop-clearance": "",
}

// Every write of the loop is sent three times: twice as one wish, whose second answer is the first and which changes nothing, and
// as another wish.
func TestEveryWriteOfTheFreshLoopTwiceWithOneKeyAndWithTwo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		for _, r := range freshWrites(w) {
			want, known := again[r.Name]
			if !known {
				t.Errorf("%s: what does it answer to the same wish again?", r.Name)
				continue
			}
			q, key := town.Examples[r.Name](w, w.A), id.New().String()
			first := w.SendOnce(w.A.Boss, key, r.Method, q.Address(r.Path), q.Body)
			if first.Status != http.StatusOK {
				t.Errorf("%s: %v", r.Name, first)
				continue
			}
			before := w.Rows()
			if a := w.SendOnce(w.A.Boss, key, r.Method, q.Address(r.Path), q.Body); a.Status != first.Status || a.Text != first.Text {
				t.Errorf("%s, sent again: %v, want %v", r.Name, a, first)
			}
			if names := town.Changed(before, w.Rows()); len(names) > 0 {
				t.Errorf("%s, sent again, changed %v", r.Name, names)
			}
			if a := w.Send(w.A.Boss, r.Method, q.Address(r.Path), q.Body); want == "" && a.Status != http.StatusOK || want != "" && (a.Status < 400 || a.Code != want) {
				t.Errorf("%s, wished again: %v, want %q", r.Name, a, want)
			}
		}
		w.Green()
	}, town.Whole)
}

// A role is taken away while its holder has the page open: no write of the loop goes through any more, nor one that waits on his
// phone. With the role he may again.
func TestARightLostBetweenTwoSteps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		x := w.A
		cook := w.Person("cook", "cook", x.IDs["site"], w.All, "site", x.IDs["site"])
		cookie := w.SignIn("cook", "long-enough-7")
		grants := func(site string) {
			t.Helper()
			g := []m{}
			if site != "" {
				g = append(g, m{"role_id": w.All, "scope_kind": "site", "scope_id": site})
			}
			w.Done(w.Admin, "PUT", "/api/org/staff/"+cook+"/grants", g)
		}
		w.Done(cookie, "GET", "/api/plans/"+x.IDs["plan"], nil)
		w.Done(cookie, "GET", "/api/making/tasks/"+x.IDs["task"], nil)
		sent := id.New().String()
		asked := w.SendOnce(cookie, sent, "POST", "/api/making/requisitions", w.Making(x))
		if asked.Status != http.StatusOK {
			t.Fatal(asked)
		}
		for _, left := range []string{"", w.B.IDs["site"]} { // dismissed, and sent to the other company's store
			grants(left)
			before := w.Rows()
			for _, r := range freshWrites(w) {
				q := town.Examples[r.Name](w, x)
				if a := w.Send(cookie, r.Method, q.Address(r.Path), q.Body); a.Status != http.StatusForbidden && a.Status != http.StatusNotFound {
					t.Errorf("%s after his role was taken: %v", r.Name, a)
				}
			}
			// What he sent before is his own: his phone may still learn what became of it, and nothing else.
			if a := w.SendOnce(cookie, sent, "POST", "/api/making/requisitions", w.Making(x)); a.Status != http.StatusForbidden && a.Text != asked.Text {
				t.Errorf("what he sent before, sent again: %v", a)
			}
			for _, path := range []string{"/api/plans/" + x.IDs["plan"], "/api/making/tasks/" + x.IDs["task"], "/api/clear/batches/" + x.IDs["nearing"], "/api/clear/batches?site_id=" + x.IDs["site"], "/api/requisitions/" + x.IDs["storereq"]} {
				if a := w.Send(cookie, "GET", path, nil); a.Status != http.StatusForbidden && a.Status != http.StatusNotFound {
					t.Errorf("he still sees %s: %v", path, a)
				}
			}
			if names := town.Changed(before, w.Rows()); len(names) > 0 {
				t.Errorf("without a right he changed %v", names)
			}
		}
		grants(x.IDs["site"])
		if a := w.SendOnce(cookie, sent, "POST", "/api/making/requisitions", w.Making(x)); a.ID() != asked.ID() {
			t.Errorf("with the role again: %v", a)
		}
		w.Done(cookie, "POST", "/api/making/requisitions/"+asked.ID()+"/complete", w.Scanned(x))
		w.Green()
	}, town.Whole)
}

// The kitchen's phone was offline. What waits on it arrives late and twice, after another phone has done the same.
func TestAKitchenPhoneComesBackAfterAnotherHasDoneItsWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		x := w.A
		madeBefore := apples(w, x)
		ask := w.Done(x.Boss, "POST", "/api/making/requisitions", w.Making(x)).ID()
		complete := "/api/making/requisitions/" + ask + "/complete"
		task := w.Done(x.Boss, "POST", complete, w.Scanned(x)).ID()
		output := "/api/making/tasks/" + task + "/output"

		// Impossible outputs leave the task open.
		for body, want := range map[string]string{
			`{"qty":"-1","unit":"kg"}`: "make_qty_bad", `{"qty":"0","unit":"kg"}`: "make_reason_missing", `{"qty":"1.9","unit":"kg"}`: "make_reason_missing",
			`{"qty":"4.001","unit":"kg"}`: "make_output_too_large", `{"qty":"999999999","unit":"kg"}`: "", `{"qty":"99999999999999999999"}`: "", `{"qty":"1e3"}`: "", `{"qty":"NaN"}`: "", `{"qty":2000}`: "", `{}`: "",
			`{"qty":"2","unit":"bottle"}`: "stock_unit_unknown", `{"qty":"2","unit":"kg","fewer_reason":"boredom"}`: "", `{"qty":"2","unit":"kg","made_at":"2099-01-01T00:00:00Z"}`: "make_time_bad", `{"qty":"2","unit":"kg","made_at":"2020-01-01T00:00:00Z"}`: "make_time_bad",
		} {
			before := w.Rows()
			a := w.SendOnce(x.Boss, id.New().String(), "POST", output, json.RawMessage(body))
			if a.Status < 400 || a.Status >= 500 || want != "" && a.Code != want {
				t.Errorf("an output of %s: %v, want %s", body, a, want)
			}
			if names := town.Changed(before, w.Rows()); len(names) > 0 {
				t.Errorf("an output of %s changed %v", body, names)
			}
		}

		offline, other := id.New().String(), id.New().String()
		done := w.SendOnce(x.Boss, other, "POST", output, m{"qty": "2", "unit": "kg"})
		if done.Status != http.StatusOK {
			t.Fatal(done)
		}
		d.Clock.Set(d.Clock.Now().Add(3 * time.Hour))
		before := w.Rows()
		for range 2 {
			if a := w.SendOnce(x.Boss, offline, "POST", output, m{"qty": "1", "unit": "kg", "fewer_reason": "dropped", "made_at": w.Ago(3)}); a.Code != "task_done" {
				t.Errorf("another phone has reported it: %v", a)
			}
			if a := w.SendOnce(x.Boss, offline+"-c", "POST", complete, w.Scanned(x)); a.Code != "requisition_completed" {
				t.Errorf("another phone has taken the materials: %v", a)
			}
			if a := w.SendOnce(x.Boss, offline+"-x", "POST", "/api/making/requisitions/"+ask+"/cancel", m{"reason": "late"}); a.Code != "requisition_completed" {
				t.Errorf("another phone has taken the materials, and this one cancels: %v", a)
			}
		}
		if names := slices.DeleteFunc(town.Changed(before, w.Rows()), func(name string) bool { return strings.HasPrefix(name, "once_") }); len(names) > 0 {
			t.Errorf("what came late changed %v", names)
		}
		if a := w.SendOnce(x.Boss, other, "POST", output, m{"qty": "3", "unit": "kg"}); a.Code != "key_reused" {
			t.Errorf("another quantity under its key: %v", a)
		}
		// Its own answer was lost on the way: it has the first one, however late.
		if a := w.SendOnce(x.Boss, other, "POST", output, m{"qty": "2", "unit": "kg"}); a.Status != http.StatusOK || a.Text != done.Text {
			t.Errorf("sent again after three hours: %v, want %v", a, done)
		}
		if made := apples(w, x) - madeBefore; made != 2000 {
			t.Errorf("%d grams were made, want 2000", made)
		}

		// Eight phones take, and report, one task at once.
		ask = w.Done(x.Boss, "POST", "/api/making/requisitions", w.Making(x)).ID()
		atOnce(w, 8, "requisition_completed", func() town.Reply {
			return w.Send(x.Boss, "POST", "/api/making/requisitions/"+ask+"/complete", w.Scanned(x))
		})
		open := w.Done(x.Boss, "GET", "/api/making/tasks?state=open&site_id="+x.IDs["site"], nil).Body["items"].([]any)
		at := slices.IndexFunc(open, func(v any) bool { return v.(m)["requisition_id"] == ask })
		if at < 0 {
			t.Fatalf("no task of it: %v", open)
		}
		atOnce(w, 8, "task_done", func() town.Reply {
			return w.Send(x.Boss, "POST", "/api/making/tasks/"+open[at].(m)["id"].(string)+"/output", m{"qty": "4", "unit": "kg"}) // twice what was asked, and no more
		})
		if made := apples(w, x) - madeBefore; made != 6000 {
			t.Errorf("%d grams were made, want 6000", made)
		}
		w.Green()
	}, town.Whole)
}

// A plan is confirmed by eight at once: what is to be ordered is ordered once.
func TestAPlanConfirmedByEightAtOnceOrdersOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		x := w.A
		lines := func() (n int, documents map[string]bool) {
			documents = map[string]bool{}
			for _, l := range w.Done(x.Boss, "GET", "/api/plans/"+x.IDs["plan"]+"/proposals", nil).Body["items"].([]any) {
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
				if a := w.Send(x.Boss, "POST", "/api/plans/"+x.IDs["plan"]+"/confirm", m{"what": "all"}); a.Status != http.StatusOK && a.Status != http.StatusConflict {
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
			a := w.Send(x.Boss, "GET", "/api/purchase/orders/"+doc, nil)
			if a.Status != http.StatusOK {
				a = w.Done(x.Boss, "GET", "/api/requisitions/"+doc, nil)
			}
			ordered += len(a.Body["lines"].([]any))
		}
		if ordered != n {
			t.Errorf("%d lines were confirmed and %d ordered", n, ordered)
		}
		w.Done(x.Boss, "POST", "/api/plans/"+x.IDs["plan"]+"/confirm", m{"what": "all"})
		if m, _ := lines(); m != n {
			t.Errorf("confirmed again %d lines are ordered, before %d", m, n)
		}
		w.Green()
	}, town.Whole)
}

// Two tills ask for the last reduced piece; a batch is cleared while it is being sold; what is sold out or expired is not
// marked down and not sold.
func TestABatchIsClearedWhileItIsSold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		x := w.A
		site, product := x.IDs["site"], x.IDs["product"]
		w.Done(w.Admin, "PUT", "/api/clear/rules", m{"category_id": "", "floor_binds_free": false, "first_min": 360, "free_min": 120, "depths": []int{15, 20, 25, 30}, "floor_pct": 0, "screen_pct": 65, "hold_out_pct": 0})
		w.Done(x.Boss, "POST", "/api/till/registers", m{"site_id": site, "code": "2", "name": "two"})
		arrive := func(code string, n int) string {
			t.Helper()
			return w.Done(x.Boss, "POST", "/api/stock/receipts", m{"site_id": site, "lines": []m{{"product_id": product, "qty": fmt.Sprint(n), "cost_fen": 43 * n, "code": code,
				"expires_at": d.Clock.Now().Add(13 * time.Hour).Format(time.RFC3339)}}}).Body["lines"].([]any)[0].(m)["batch_id"].(string)
		}
		look := func() town.Reply {
			t.Helper()
			a := w.Send(x.Boss, "POST", "/api/clear/run", m{"site_id": site})
			if err := errors.Join(w.House.Jobs().Tick(t.Context()), w.House.Jobs().Drain(t.Context())); err != nil {
				t.Error(err)
			}
			return a
		}
		reduced := func(batch string) (price int) {
			t.Helper()
			for _, r := range w.Done(x.Boss, "GET", "/api/till/reduced?site_id="+site, nil).Body["items"].([]any) {
				if r.(m)["batch_id"] == batch {
					price = int(r.(m)["price_fen"].(float64))
				}
			}
			return price
		}
		sell := func(register, batch string, price int) town.Reply {
			t.Helper()
			return w.Send(x.Boss, "POST", "/api/till/sales", m{"site_id": site, "register": register, "expect_total_fen": price, "tenders": []m{{"kind": "cash", "amount_fen": price}},
				"lines": []m{{"product_id": product, "unit": "瓶", "qty": "1", "batch_id": batch}}})
		}
		last, many, gone, nobody := arrive("LAST", 40), arrive("MANY", 40), arrive("GONE", 1), arrive("NOBODY", 40) // more than anybody will buy
		begins := d.Clock.Now()
		if a := sell("1", gone, 777); a.Status != http.StatusOK {
			t.Fatal(a)
		}
		d.Clock.Set(begins.Add(7 * time.Hour))
		for range 2 { // the first may take batches into view
			if a := look(); a.Status != http.StatusOK {
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
		for what, a := range map[string]town.Reply{
			"sells": w.Send(w.B.Boss, "POST", "/api/till/sales", m{"site_id": w.B.IDs["site"], "register": "1", "expect_total_fen": price, "tenders": []m{{"kind": "cash", "amount_fen": price}},
				"lines": []m{{"product_id": product, "unit": "瓶", "qty": "1", "batch_id": last}}}),
			"sees":   w.Send(w.B.Boss, "GET", "/api/clear/batches/"+last, nil),
			"clears": w.Send(w.B.Boss, "POST", "/api/clear/run", m{"site_id": site}),
			"stops":  w.Send(w.B.Boss, "POST", "/api/clear/stops", m{"site_id": site, "stopped": true}),
		} {
			if a.Status == http.StatusOK {
				t.Errorf("the other company's manager %s it: %v", what, a)
			}
		}
		for range 39 {
			if a := sell("1", last, price); a.Status != http.StatusOK {
				t.Fatal(a)
			}
		}
		register := make(chan string, 2)
		register <- "1"
		register <- "2"
		atOnce(w, 2, "stock_short", func() town.Reply { return sell(<-register, last, price) })

		// Sixty ask for forty pieces while the job looks again and again, the last time at the batch's end.
		var wg sync.WaitGroup
		var mu sync.Mutex
		sold := 0
		for i := range 60 {
			wg.Go(func() {
				switch a := sell(fmt.Sprint(1+i%2), many, manys); {
				case a.Status == http.StatusOK:
					mu.Lock()
					sold++
					mu.Unlock()
				case a.Code != "stock_short" && a.Code != "price_changed" && a.Code != "stock_expired":
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
			b := w.Done(x.Boss, "GET", "/api/clear/batches/"+batch, nil).Body
			if b["sold"] != fmt.Sprint(want[0]) || b["lost"] != fmt.Sprint(want[1]) || b["phase"] != "expired" {
				t.Errorf("at its end: %v, want sold and lost %v", b, want)
			}
			if a := sell("1", batch, price); a.Status == http.StatusOK {
				t.Errorf("sold after its end: %v", a)
			}
		}
		if a := w.Send(x.Boss, "GET", "/api/clear/batches/"+gone, nil); a.Status == http.StatusOK && a.Body["lost"] != "0" {
			t.Errorf("what was sold out is lost: %v", a)
		}
		before := w.Rows()
		look() // at what has ended nothing more is done
		if names := slices.DeleteFunc(town.Changed(before, w.Rows()), func(name string) bool { return strings.HasPrefix(name, "once_") || strings.HasPrefix(name, "jobs") }); len(names) > 0 {
			t.Errorf("a look at what has ended changed %v", names)
		}
		w.Green()
	}, town.Whole)
}

// apples is how many grams of apples a world's store has.
func apples(w *town.Town, x town.World) (g int64) {
	w.T.Helper()
	for _, l := range w.Done(x.Boss, "GET", "/api/stock/levels?q=2001&site_id="+x.IDs["site"], nil).Body["items"].([]any) {
		if l.(m)["product_id"] == w.Goods["2001"] {
			fmt.Sscan(l.(m)["qty"].(string), &g)
		}
	}
	return g
}

// atOnce sends n requests side by side: one is done, the others are refused with the code.
func atOnce(w *town.Town, n int, refused string, send func() town.Reply) {
	w.T.Helper()
	answers := make(chan town.Reply, n)
	for range n {
		go func() { answers <- send() }()
	}
	done := 0
	for range n {
		switch a := <-answers; {
		case a.Status == http.StatusOK:
			done++
		case a.Code != refused:
			w.T.Errorf("side by side: %v, want %s", a, refused)
		}
	}
	if done != 1 {
		w.T.Errorf("side by side %d of %d were done, want 1", done, n)
	}
}
