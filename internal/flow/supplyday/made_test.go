package supplyday

import (
	"testing"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
)

// made says that the kitchen has made so many burgers, whenever, for a round or for none.
func (c *chain) made(n qty.Qty, at time.Time, of produce.Round) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		return outbox.Emit(tx, outbox.Event{Type: produce.EventMade, Subject: id.New(), Site: c.site.ID,
			Body: produce.MadeEvent{Site: c.site.ID, Product: c.p["burger"].ID, Qty: int64(n), Planned: int64(n), MadeAt: at, For: of}})
	})
	if err := c.relay.Drain(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// burgers are the rounds of burgers of a date, by number.
func (c *chain) burgers(date cal.Date) map[int64]m {
	c.t.Helper()
	found := map[int64]m{}
	for _, l := range c.items(c.manager, c.planOf(c.site.ID, date)+"/production?all=true&q=burger") {
		found[int64(l["round"].(float64))] = l
	}
	return found
}

// The business day begins at 04:00. What the kitchen makes at 04:05 for the evening that is over belongs to that evening.
func TestTheEveningsRoundIsDoneThoughItIsMadeAfterTheNewDayHasBegun(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"})
		const monday, tuesday cal.Date = "2026-03-02", "2026-03-03"
		evening := q(c.burgers(monday)[4]["make"])
		c.at(3, 4, 5)
		c.again()
		if today := c.site.BusinessDate(c.d.Clock.Now()); today != tuesday {
			t.Fatalf("at 04:05 it is %s", today)
		}
		c.made(evening, c.d.Clock.Now(), produce.Round{Date: monday, Round: 4})
		if r := c.burgers(monday)[4]; r["state"] != "done" || q(r["made"]) != evening || evening == 0 {
			t.Errorf("the evening's round: %v", r)
		}
		for no, r := range c.burgers(tuesday) {
			if q(r["made"]) != 0 || r["state"] != "proposed" {
				t.Errorf("round %d of the new day was not begun: %v", no, r)
			}
		}
		// Made before the day changed, said after it, and for no round: that evening's too.
		c.made(qty.Scale, c.d.Clock.Now().Add(-10*time.Minute), produce.Round{})
		if r := c.burgers(tuesday)[1]; q(r["made"]) != 0 {
			t.Errorf("%v", r)
		}
		if r := c.burgers(monday)[1]; q(r["made"]) != qty.Scale {
			t.Errorf("%v", r)
		}
		c.made(qty.Scale, c.d.Clock.Now(), produce.Round{})
		if r := c.burgers(tuesday)[1]; q(r["made"]) != qty.Scale {
			t.Errorf("%v", r)
		}
	})
}

func TestWhatIsMadeForARoundFillsThatRoundAndNoneBefore(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, map[string]int64{"wrap": 20, "burger": 60, "cola": 12})
		c.forecasts()
		c.done(c.manager, "POST", c.plan()+"/confirm", m{"what": "production"})
		const monday cal.Date = "2026-03-02"
		third := q(c.burgers(monday)[3]["make"])
		c.made(third, c.d.Clock.Now(), produce.Round{Date: monday, Round: 3})
		got := c.burgers(monday)
		if got[3]["state"] != "done" || q(got[1]["made"])+q(got[2]["made"])+q(got[4]["made"]) != 0 || third == 0 {
			t.Errorf("%v", got)
		}
		// More than it needed goes to the next, never back.
		c.made(third+qty.Scale, c.d.Clock.Now(), produce.Round{Date: monday, Round: 3})
		if got = c.burgers(monday); q(got[4]["made"]) != third+qty.Scale || q(got[2]["made"]) != 0 {
			t.Errorf("%v", got)
		}
		// A round that the plan does not have: the goods are there, and the last round of the product knows of them.
		c.made(qty.Scale, c.d.Clock.Now(), produce.Round{Date: monday, Round: 9})
		if after := c.burgers(monday); q(after[4]["made"]) != q(got[4]["made"])+qty.Scale || q(after[3]["made"]) != q(got[3]["made"]) {
			t.Errorf("%v", after)
		}
		// For a day without a plan nobody waits.
		c.made(qty.Scale, c.d.Clock.Now(), produce.Round{Date: "2026-03-09", Round: 1})
	})
}
