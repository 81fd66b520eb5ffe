package attack

import (
	"testing"
	"time"

	"zhanggui/internal/app/town"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/dbtest"
)

// Goods that have expired while they were promised are not handed over: nobody may be given what may not be sold. Q18
func TestPromisedGoodsThatHaveExpiredAreNotHandedOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		now := d.Clock.Now()
		a.Done(a.Admin, "POST", "/api/stock/receipts", m{"site_id": a.here, "lines": []m{{"product_id": a.goods["CAN"], "qty": "10", "cost_fen": 1000, "expires_at": now.Add(5 * time.Hour).Format(time.RFC3339)}}})
		p := a.Done(a.Admin, "POST", "/api/stock/promises", m{"site_id": a.here, "channel": "phone", "minutes": 3 * 24 * 60, "lines": []m{{"product_id": a.goods["CAN"], "qty": "3"}}}).ID()
		d.Clock.Set(now.Add(6 * time.Hour))
		if got := a.sale("CAN", "", 1); got.Status == 200 {
			t.Fatalf("the till sold expired goods: %v", got)
		}
		a.refused("expired goods are handed over", a.Admin, "POST", "/api/stock/promises/"+p+"/capture", m{}, "batch_expired")
		a.Done(a.Admin, "POST", "/api/stock/promises/"+p+"/release", nil)
		a.Green()
	}, town.Whole)
}

// A promise made on a day that has been closed since is handed over today, as a sale of today.
func TestAPromiseOutlivesItsDay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		a := openAttack(t, d)
		a.arrive(a.here, "TRAY", 10, 1000)
		p := a.Done(a.Admin, "POST", "/api/stock/promises", m{"site_id": a.here, "channel": "phone", "minutes": 5 * 24 * 60, "lines": []m{{"product_id": a.goods["TRAY"], "qty": "3"}}}).ID()
		day := string(cal.On(d.Clock.Now()))
		d.Clock.Set(d.Clock.Now().Add(30 * time.Hour))
		a.Done(a.Admin, "POST", "/api/ledger/periods", m{"site_id": a.here, "through": day})
		for range 2 {
			if err := a.House.Jobs().Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		closed := a.closed(day)
		if got := a.Send(a.Admin, "POST", "/api/stock/promises/"+p+"/capture", m{}); got.Status != 200 {
			t.Errorf("handed over the day after: %v", got)
		}
		if a.closed(day) != closed {
			t.Error("the closed day changed")
		}
		a.Green()
	}, town.Whole)
}
