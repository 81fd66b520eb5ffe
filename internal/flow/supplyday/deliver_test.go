package supplyday

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/replenish"
)

const tomorrow = cal.Date("2026-03-03")

// asks lets the store ask the kitchen for forty wraps for tomorrow, and gives the requisition's path.
func (c *chain) asks() string {
	c.t.Helper()
	c.done(c.admin, "PUT", "/api/plans/sources", m{"site_id": c.site.ID.String(), "product_id": c.p["wrap"].ID.String(), "source_id": c.kitchen.String(), "lead_h": 24})
	c.sold(c.site.ID, yesterday)
	c.lies(c.site.ID, "wrap", "W", 30*qty.Scale, 22*time.Hour) // for today
	c.forecasts()
	got := c.done(c.manager, "POST", c.act(c.line("proposals", "wrap"), "change"), m{"qty": "40", "reason": "活动"})["proposal"].(m)
	return fmt.Sprint("/api/requisitions/", got["document_id"])
}

// expects is how many wraps the store counts on.
func (c *chain) expects() (n qty.Qty) {
	c.t.Helper()
	c.read(func(tx *db.Tx) error {
		today := c.site.BusinessDate(tx.Now())
		asked, err := replenish.Requested(tx, c.site.ID, today)
		if err != nil {
			return err
		}
		all, err := underWay(tx, c.site.ID, today, asked)
		for _, k := range all[c.p["wrap"].ID] {
			n += k.Qty
		}
		return err
	})
	return n / qty.Scale
}

// kitchenMakes is how many wraps the kitchen plans to make for tomorrow.
func (c *chain) kitchenMakes() (n qty.Qty) {
	c.t.Helper()
	c.done(c.admin, "POST", "/api/plans/run", m{"site_id": c.kitchen.String(), "date": string(tomorrow)})
	c.drain()
	for _, l := range c.items(c.admin, c.planOf(c.kitchen, tomorrow)+"/production") {
		n += q(l["make"])
	}
	return n / qty.Scale
}

// at once sends the same request many times, each with a key of its own, and counts who was let through.
func (c *chain) atOnce(n int, cookie, path string, body m, refusal string) {
	c.t.Helper()
	var wg sync.WaitGroup
	answers := make(chan reply, n)
	for range n {
		c.keys++
		key := fmt.Sprintf("race-%d", c.keys)
		wg.Go(func() { answers <- c.sendAs(key, cookie, "POST", path, body) })
	}
	wg.Wait()
	close(answers)
	through := 0
	for a := range answers {
		switch {
		case a.status == 200:
			through++
		case a.code != refusal:
			c.t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if through != 1 {
		c.t.Errorf("%s went through %d times", path, through)
	}
}

func TestARequisitionIsConfirmedSentAndReceived(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		path := c.asks()
		boss := c.hire("manager", c.kitchen)
		stranger, cook := c.hire("manager", c.other), c.hire("cashier", c.kitchen)
		if got := [2]qty.Qty{c.expects(), c.kitchenMakes()}; got != [2]qty.Qty{40, 42} {
			t.Errorf("asked for: the store expects and the kitchen makes %v", got)
		}
		deliver := path + "/deliver"
		line := func(no int, n string) m { return m{"line_no": no, "qty": n} }
		lines := func(all ...m) m { return m{"lines": all} }
		c.refused(stranger, "store_requisition_unknown", "", "POST", deliver, m{})
		c.refused(c.manager, "no_permission", "", "POST", deliver, m{}) // the store can't promise for the kitchen
		c.refused(cook, "no_permission", "", "POST", deliver, m{})
		c.refused(boss, "store_requisition_unknown", "", "POST", "/api/requisitions/99/deliver", m{})
		c.refused(boss, "store_requisition_more", "lines[0].qty", "POST", deliver, lines(line(1, "41")))
		c.refused(boss, "plan_pieces_whole", "lines[0].qty", "POST", deliver, lines(line(1, "2.5")))
		c.refused(boss, "store_requisition_line_unknown", "lines[1].line_no", "POST", deliver, lines(line(1, "4"), line(2, "4")))
		c.refused(boss, "store_requisition_line_twice", "lines[1].line_no", "POST", deliver, lines(line(1, "4"), line(1, "5")))
		c.refused(boss, "store_requisition_nothing", "lines", "POST", deliver, lines(line(1, "0")))
		if a := c.send(boss, "POST", deliver, lines(line(1, "-3"))); a.status < 400 || a.status >= 500 {
			t.Errorf("less than nothing: %d %s", a.status, a.text)
		}

		// A transfer that is cancelled leaves the requisition as it was.
		first := c.done(boss, "POST", deliver, m{})
		c.refused(boss, "stock_transfer_exists", "", "POST", deliver, m{})
		c.refused(c.manager, "store_requisition_under_way", "", "POST", path+"/close", m{"reason": "changed my mind"})
		c.done(boss, "POST", fmt.Sprint("/api/stock/transfers/", first["transfer_id"], "/cancel"), m{"note": "oven broke"})
		if got := c.done(c.manager, "GET", path, nil); got["state"] != "confirmed" || got["transfer_id"] != "" || c.expects() != 40 {
			t.Errorf("after the transfer was cancelled: %v", got)
		}

		c.atOnce(8, boss, deliver, lines(line(1, "38")), "stock_transfer_exists")
		got := c.done(c.manager, "GET", path, nil)
		transfer := fmt.Sprint("/api/stock/transfers/", got["transfer_id"])
		if got["transfer_state"] != "requested" || got["state"] != "confirmed" || c.expects() != 38 {
			t.Errorf("promised 38, %d expected: %v", c.expects(), got)
		}
		// Nothing that is over its time is sent, whoever asks for it by name.
		old := c.lies(c.kitchen, "wrap", "OLD", 30*qty.Scale, time.Hour)
		fresh := c.lies(c.kitchen, "wrap", "NEW", 50*qty.Scale, 30*time.Hour)
		c.d.Clock.Set(c.d.Clock.Now().Add(2 * time.Hour))
		c.refused(boss, "batch_expired", "lines[0].batch_id", "POST", transfer+"/ship", m{"lines": []m{{"line_no": 1, "qty": "38", "batch_id": old.String()}}})
		c.refused(c.manager, "no_permission", "", "POST", transfer+"/ship", m{})
		c.refused(stranger, "stock_transfer_unknown", "", "POST", transfer+"/ship", m{})
		c.refused(c.manager, "stock_transfer_state", "", "POST", transfer+"/receive", m{"as_shipped": true}) // nothing has been sent
		c.atOnce(8, boss, transfer+"/ship", m{}, "stock_transfer_state")
		sent := c.done(c.manager, "GET", transfer, nil)
		if w := sent["transits"].([]any); len(w) != 1 || w[0].(m)["batch_id"] != fresh.String() || w[0].(m)["shipped"] != "38" {
			t.Fatalf("sent: %v", w)
		}
		c.refused(boss, "stock_transfer_state", "", "POST", transfer+"/cancel", m{})
		if got := [2]qty.Qty{c.expects(), c.kitchenMakes()}; got != [2]qty.Qty{38, 0} { // two are not promised any more, twelve are left there
			t.Errorf("under way: the store expects and the kitchen makes %v", got)
		}

		// 35 have come. Two people count them in at once.
		transit := sent["transits"].([]any)[0].(m)["id"]
		c.refused(boss, "no_permission", "", "POST", transfer+"/receive", m{"as_shipped": true})
		c.atOnce(8, c.manager, transfer+"/receive", m{"lines": []m{{"transit_id": transit, "qty": "35"}}}, "stock_transfer_state")
		c.drain()
		got = c.done(c.manager, "GET", path, nil)
		if got["state"] != "closed" || got["transfer_state"] != "received" || c.expects() != 0 {
			t.Errorf("received short, %d still expected: %v", c.expects(), got)
		}
		c.refused(boss, "store_requisition_closed", "", "POST", deliver, m{})
		c.refused(c.manager, "store_requisition_closed", "", "POST", path+"/close", m{"reason": "again"})
		c.done(boss, "POST", transfer+"/resolve", m{"transit_id": transit, "way": "lost"})
		c.refused(boss, "stock_transfer_state", "", "POST", transfer+"/resolve", m{"transit_id": transit, "way": "lost"})
		var there, here int64
		c.read(func(tx *db.Tx) error {
			left := func(site id.ID) (n int64, err error) {
				return n, tx.QueryRow(`SELECT COALESCE(SUM(a.posted_in - a.posted_out), 0) FROM stock_batch b JOIN ledger_account a ON a.id = b.id WHERE b.site_id = $1 AND b.sku_id = $2`, site, c.p["wrap"].SKU).Scan(&n)
			}
			var err error
			if there, err = left(c.kitchen); err == nil {
				here, err = left(c.site.ID)
			}
			return err
		})
		if there != (80-38)*qty.Scale || here != (30+35)*qty.Scale {
			t.Errorf("%d thousandths in the kitchen, %d in the store", there, here)
		}
	})
}

func TestGoodsOfAnotherCompanyAreNotPromisedByOneSide(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		path := c.asks()
		entity := c.done(c.admin, "POST", "/api/org/entities", m{"code": "E2", "name": "别的公司"})["id"]
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE org_site SET entity_id = $1 WHERE id = $2`, c.parsed(entity), c.kitchen)
		})
		boss := c.hire("manager", c.kitchen)
		c.refused(boss, "store_requisition_entity", "", "POST", path+"/deliver", m{})
		c.done(c.admin, "POST", path+"/deliver", m{}) // who acts for both may
	})
}
