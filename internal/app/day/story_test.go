package day

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"zhanggui/internal/app/town"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// ledgerSays adds up transfers of a site: what went out of accounts of a range, less what came back into them, or
// with back the other way round.
func ledgerSays(w *town.Town, site string, first, last int, what string) float64 {
	w.T.Helper()
	s, _ := id.Parse(site)
	var n int64
	err := w.D.Read(w.T.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT COALESCE(SUM(CASE WHEN t.from_id BETWEEN $1 AND $2 THEN t.amount ELSE 0 END - CASE WHEN t.to_id BETWEEN $1 AND $2 THEN t.amount ELSE 0 END), 0)
			FROM ledger_transfer t WHERE t.site_id = $3 AND (CAST($4 AS TEXT) <> 'money' OR t.unit = 1) AND (CAST($4 AS TEXT) <> 'goods' OR t.unit > 1)`, -last, -first, s, what).Scan(&n)
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return float64(n)
}

// clearADay takes a batch of forty bottles from fresh to written off, by the clock of the business: nobody takes them at the
// full price, so that the job marks them down, then gives two for one, then writes off what is left.
func clearADay(w *town.Town, x town.World) {
	w.T.Helper()
	site, product, begins := x.IDs["site"], x.IDs["product"], w.D.Clock.Now()
	rule := m{"category_id": "", "floor_binds_free": false, "first_min": 360, "free_min": 120, "depths": []int{15, 20, 25, 30}, "floor_pct": 0, "screen_pct": 65, "hold_out_pct": 0}
	w.Done(w.Admin, "PUT", "/api/clear/rules", rule) // no batch waits a step to learn from it
	arrive := func(code string, n int, lasts time.Duration) string {
		w.T.Helper()
		a := w.Done(x.Boss, "POST", "/api/stock/receipts", m{"site_id": site, "lines": []m{{"product_id": product, "qty": fmt.Sprint(n), "cost_fen": 43 * n, "code": code,
			"expires_at": w.D.Clock.Now().Add(lasts).Format(time.RFC3339)}}})
		return a.Body["lines"].([]any)[0].(m)["batch_id"].(string)
	}
	at := func(since time.Duration) { // the clock stands there, and the jobs have seen it
		w.T.Helper()
		w.D.Clock.Set(begins.Add(since))
		for range 2 { // the first may take a batch into view
			if err := errors.Join(w.House.Jobs().Tick(w.T.Context()), w.House.Jobs().Drain(w.T.Context())); err != nil {
				w.T.Fatal(err)
			}
		}
	}
	reduced := func() []any {
		w.T.Helper()
		return w.Done(x.Boss, "GET", "/api/till/reduced?site_id="+site, nil).Body["items"].([]any)
	}
	order := func(total int, line m) m {
		line["product_id"], line["unit"] = product, "瓶"
		return m{"site_id": site, "register": "1", "expect_total_fen": total, "lines": []m{line}, "tenders": []m{{"kind": "cash", "amount_fen": total}}}
	}
	batchOf := func(batch string) string {
		w.T.Helper()
		return w.Done(x.Boss, "GET", "/api/stock/batches/"+batch, nil).Body["qty"].(string)
	}

	old := arrive("OLD", 40, 13*time.Hour)
	at(7*time.Hour - time.Second)
	fresh := arrive("FRESH", 10, 48*time.Hour)
	if r := reduced(); len(r) != 0 {
		w.T.Errorf("marked down a second too early: %v", r)
	}
	at(7 * time.Hour)
	r := reduced()
	if len(r) != 1 || r[0].(m)["batch_id"] != old || r[0].(m)["list_fen"] != 777.0 || r[0].(m)["left"] != "40" {
		w.T.Fatalf("six hours before its end: %v", r)
	}
	down := int(r[0].(m)["price_fen"].(float64))
	if down >= 777 || down < 777*7/10 {
		w.T.Errorf("marked down to %d", down)
	}
	// Whoever names no batch pays for a fresh one, though the old one ends first; whoever names the old one pays less.
	w.Done(x.Boss, "POST", "/api/till/sales", order(777, m{"qty": "1"}))
	if got := [2]string{batchOf(old), batchOf(fresh)}; got != [2]string{"40", "9"} {
		w.T.Errorf("after a sale from the shelf %v are left", got)
	}
	if a := w.Send(x.Boss, "POST", "/api/till/sales", order(777, m{"qty": "1", "batch_id": old})); a.Code != "price_changed" {
		w.T.Errorf("the full price for a bottle of the old batch: %v", a)
	}
	w.Done(x.Boss, "POST", "/api/till/sales", order(down, m{"qty": "1", "batch_id": old}))
	if a := w.Send(x.Boss, "POST", "/api/till/sales", order(down, m{"qty": "1", "batch_id": fresh})); a.Code != "price_changed" {
		w.T.Errorf("the lower price for a fresh bottle: %v", a)
	}
	if got := [2]string{batchOf(old), batchOf(fresh)}; got != [2]string{"39", "9"} {
		w.T.Errorf("after a sale by label %v are left", got)
	}
	at(11 * time.Hour)
	r = reduced()
	if len(r) != 1 || r[0].(m)["free_one"] != true || int(r[0].(m)["price_fen"].(float64)) > down {
		w.T.Fatalf("two hours before its end: %v", r)
	}
	last := int(r[0].(m)["price_fen"].(float64))
	w.Done(x.Boss, "POST", "/api/till/sales", order(last, m{"qty": "2", "batch_id": old}))   // of two one is free
	w.Done(x.Boss, "POST", "/api/till/sales", order(2*last, m{"qty": "3", "batch_id": old})) // an odd one is paid
	at(13 * time.Hour)
	if r := reduced(); len(r) != 0 {
		w.T.Errorf("still on sale at its end: %v", r)
	}
	if a := w.Send(x.Boss, "POST", "/api/till/sales", order(last, m{"qty": "1", "batch_id": old})); a.Status == 200 {
		w.T.Errorf("sold after its end: %v", a)
	}
	b := w.Done(x.Boss, "GET", "/api/clear/batches/"+old, nil).Body
	want := m{"sold": "6", "sold_fen": float64(down + 3*last), "lost": "34", "lost_fen": 34 * 43.0, "phase": "expired"}
	for k, v := range want {
		if b[k] != v {
			w.T.Errorf("%s of the cleared batch: %v, want %v", k, b[k], v)
		}
	}
	if got := [2]string{batchOf(old), batchOf(fresh)}; got != [2]string{"0", "9"} {
		w.T.Errorf("at the end %v are left", got)
	}
	date := begins.Add(13 * time.Hour).In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	says(w.T, "what the markdown did", w.Done(x.Boss, "GET", "/api/report/board?site_id="+site+"&date="+date, nil).Body["total"].(m)["cleared"].(m),
		m{"batches": 1, "offered_fen": 40 * 777, "sold_fen": down + 3*last, "full_fen": 6 * 777, "lost_fen": 34 * 43})
	opened := w.Done(x.Boss, "GET", "/api/report/clearance?site_id="+site+"&date="+date, nil).Body["items"].([]any)
	if len(opened) != 1 || opened[0].(m)["batch_id"] != old || opened[0].(m)["sold"] != "6" || opened[0].(m)["lost"] != "34" || opened[0].(m)["first_left"] != "40" {
		w.T.Errorf("opened: %v", opened)
	}
}

// A day in a store: history comes in by file, the forecast makes a plan, people confirm it, order, receive, make, sell
// until nothing is left, take back, write off, clear what nears its expiry; the board's figures are the ledger's to the fen and the gram.
func TestADayInAStoreIsOnTheBoardWhatItIsInTheLedger(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		w := town.Open(t, d)
		w.Settle()
		x := w.A
		site := x.IDs["site"]
		routes := map[string]web.RouteInfo{}
		for _, r := range w.House.API().Routes() {
			routes[r.Name] = r
		}
		do := func(name string) town.Reply {
			t.Helper()
			r, q := routes[name], town.Examples[name](w, x)
			return w.Done(x.Boss, r.Method, q.Address(r.Path), q.Body)
		}
		do("clock-in")
		do("confirm-plan")
		do("confirm-purchase-order")
		do("send-purchase-order")
		do("receive-purchase")
		do("receive-goods")
		do("report-output") // one kilogram of two: half of the material is lost beyond the recipe

		board := func() m { return w.Done(x.Boss, "GET", "/api/report/board?site_id="+site, nil).Body }
		water := func() m {
			for _, g := range w.Done(x.Boss, "GET", "/api/report/products?site_id="+site, nil).Body["items"].([]any) {
				if g.(m)["product_id"] == x.IDs["product"] {
					return g.(m)
				}
			}
			t.Fatal("the board does not know the water")
			return nil
		}
		do("cancel-payment") // what it held is free again
		var left int
		fmt.Sscan(water()["left"].(string), &left)
		if left < 10 {
			t.Fatalf("%d bottles to sell", left)
		}
		basket := func(n int) m {
			return m{"site_id": site, "register": "1", "expect_total_fen": 777 * n, "tenders": []m{{"kind": "cash", "amount_fen": 777 * n}},
				"lines": []m{{"product_id": x.IDs["product"], "unit": "瓶", "qty": fmt.Sprint(n)}}}
		}
		w.Done(x.Boss, "POST", "/api/till/sales", basket(left-2))
		do("write-off-goods")
		w.Done(x.Boss, "POST", "/api/till/sales", basket(1))
		if a := w.Send(x.Boss, "POST", "/api/till/sales", basket(1)); a.Code != "stock_short" {
			t.Fatalf("more than there is: %v", a)
		}
		do("refund-sale") // discarded: nothing comes back to the shelf
		if b := board(); b["total"].(m)["out_now"] != 1.0 {
			t.Errorf("sold out, and the board does not say so: %v", b["total"])
		}

		clearADay(w, x)

		compare := func(how string) {
			t.Helper()
			b := board()["total"].(m)
			for figure, ledger := range map[string]float64{
				"net_fen":         ledgerSays(w, site, 3000, 15999, "money"),
				"wasted_fen":      -ledgerSays(w, site, 210, 217, "money"),
				"making_loss_fen": -ledgerSays(w, site, 207, 207, "money"),
				"received_fen":    ledgerSays(w, site, 202, 202, "money"),
			} {
				if b[figure] != ledger || ledger == 0 {
					t.Errorf("%s: %s is %v on the board and %v in the ledger", how, figure, b[figure], ledger)
				}
			}
			var sold, wasted float64
			fmt.Sscan(water()["sold"].(string), &sold)
			fmt.Sscan(water()["wasted"].(string), &wasted)
			if ledger := -ledgerSays(w, site, 101, 101, "goods") / 1000; sold != ledger || ledger == 0 {
				t.Errorf("%s: %v bottles sold on the board and %v in the ledger", how, sold, ledger)
			}
			if ledger := -ledgerSays(w, site, 110, 117, "goods") / 1000; wasted != ledger || ledger == 0 {
				t.Errorf("%s: %v bottles thrown away on the board and %v in the ledger", how, wasted, ledger)
			}
			day := w.Done(x.Boss, "GET", "/api/sales/day?site_id="+site, nil).Body
			if b["net_fen"] != day["net_fen"] || b["slips"] != day["slips"] {
				t.Errorf("%s: the board says %v on %v slips, the day's sales %v on %v", how, b["net_fen"], b["slips"], day["net_fen"], day["slips"])
			}
		}
		compare("on the spot")
		c := &counter{Town: w}
		c.roll()
		compare("rolled up")
		w.Green()

		// The other company's manager sees nothing of it.
		other := w.Done(w.B.Boss, "GET", "/api/report/board", nil).Body
		for _, s := range other["stores"].([]any) {
			if s.(m)["site_id"] == site {
				t.Errorf("somebody else's board shows %v", s)
			}
		}
	}, town.Whole)
}

func TestPresencesAreOneAtATimeAndCorrectedWithAReason(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := openCounter(town.Open(t, d))
		c.at(8, 0)
		here := m{"site_id": c.site}
		codes := make(chan string, 12)
		for range 12 { // he taps on two phones and the till at once
			go func() { codes <- c.Send(c.Admin, "POST", "/api/attendance/in", here).Code }()
		}
		in := 0
		for range 12 {
			switch code := <-codes; code {
			case "":
				in++
			case "attendance_open":
			default:
				t.Errorf("clocking in: %s", code)
			}
		}
		if in != 1 {
			t.Errorf("clocked in %d times at once", in)
		}
		c.at(12, 30)
		out := c.Done(c.Admin, "POST", "/api/attendance/out", here)
		if out.Body["minutes"] != 270.0 {
			t.Errorf("from 8:00 to 12:30: %v", out)
		}
		if a := c.Send(c.Admin, "POST", "/api/attendance/out", here); a.Code != "attendance_none" {
			t.Errorf("going twice: %v", a)
		}
		path, staff := "/api/attendance/"+out.ID(), out.Body["staff_id"]
		at := func(hour int) string { return dbtest.Start.Add(time.Duration(hour-8) * time.Hour).Format(time.RFC3339) }
		for want, body := range map[string]m{
			"attendance_reason_missing": {"in_at": at(8), "out_at": at(11), "reason": " "},
			"attendance_times_bad":      {"in_at": at(11), "out_at": at(9), "reason": "slip"},
			"attendance_still_open":     {"in_at": at(8), "reason": "slip"},
		} {
			if a := c.Send(c.Admin, "PUT", path, body); a.Code != want {
				t.Errorf("a correction that should be %s: %v", want, a)
			}
		}
		if a := c.Send(c.Admin, "PUT", path, m{"in_at": at(8), "out_at": at(20), "reason": "in the future"}); a.Code != "attendance_times_bad" {
			t.Errorf("an end that is still to come: %v", a)
		}
		if a := c.Send(c.Admin, "POST", "/api/attendance", m{"site_id": c.site, "staff_id": staff, "in_at": at(7), "out_at": at(9), "reason": "forgot"}); a.Code != "attendance_overlaps" {
			t.Errorf("twice at the same time: %v", a)
		}
		now := c.Done(c.Admin, "PUT", path, m{"in_at": at(8), "out_at": at(11), "reason": "forgot"})
		if now.Body["minutes"] != 180.0 || now.Body["reason"] != "forgot" || now.Body["corrected_by"] == "" {
			t.Errorf("corrected: %v", now)
		}
		trail := c.Done(c.Admin, "GET", "/api/org/audit?subject_kind=attendance&subject_id="+out.ID(), nil).Body["items"].([]any)
		if len(trail) != 1 || trail[0].(m)["act"] != "attendance.corrected" {
			t.Errorf("trail: %v", trail)
		}
		says(t, "the board", c.board("")["total"].(m), m{"worked_min": 180, "present": 0, "cut": 0})
	}, town.Whole)
}
