package forecast

import (
	"fmt"
	"math"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// Two nights speak, two days are sold: what was said one day and two days before is judged, what sold out is measured by
// what was wanted and counted, a night made twice changes nothing, and a corrected day is judged anew.
func TestWhatTheNightsSaidIsJudgedByWhatWasSold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		rice := c.product("R001", "东北大米", "g", catalog.UnitDraft{Name: "kg", Num: 1000})
		c.sold(c.mine, bun, 120, 40, 1)
		c.sold(c.mine, rice, 120, 12, 1000)
		night := func() {
			c.call(c.admin, "POST", "/api/forecasts/run", m{"site_id": c.mine.String()}, 200)
			c.work()
		}
		said := func(code string) float64 { // of the first day ahead
			for _, x := range c.call(c.admin, "GET", "/api/forecasts?site_id="+c.mine.String(), nil, 200).body["items"].([]any) {
				if x.(m)["code"] == code {
					return number(t, x.(m)["days"].([]any)[0].(m)["mean"])
				}
			}
			t.Fatalf("no forecast of %s", code)
			return 0
		}
		sell := func(buns, kilos int64, soldOut *int64) {
			day := c.today
			c.write(func(tx *db.Tx) error {
				return PutTillDay(tx, c.mine, day, []SaleDay{
					{SaleKey: SaleKey{c.mine, bun.ID, day}, Qty: qty.Qty(buns * qty.Scale), SoldOut: soldOut},
					{SaleKey: SaleKey{c.mine, rice.ID, day}, Qty: qty.Qty(kilos * 1000 * qty.Scale)},
				})
			})
		}
		kept := func(query string) m {
			return c.call(c.admin, "GET", "/api/forecasts/kept?site_id="+c.mine.String()+query, nil, 200).body
		}
		if got := kept("&level=product"); got["n"] != 0.0 || got["wape"] != nil {
			t.Errorf("before any night: %v", got)
		}
		night()
		first := said("B001")
		sell(50, 10, nil)
		c.d.Clock.Add(24 * time.Hour)
		c.today = c.today.AddDays(1)
		night()

		got := kept("&level=product&member=" + bun.ID.String())
		days := got["days"].([]any)
		if got["n"] != 2.0 || len(days) != 1 || got["unit"] != "piece" {
			t.Fatalf("one day of two products: %v", got)
		}
		if x := days[0].(m); math.Abs(number(t, x["said"])-first) > .002 || x["sold"] != "50" {
			t.Errorf("said was %g, sold 50, shown %v", first, x)
		}
		for _, x := range got["items"].([]any) {
			if i := x.(m); i["name"] == "鲜肉包" && math.Abs(i["wape"].(float64)-math.Abs(first-50)/50) > 1e-3 {
				t.Errorf("error of the buns, of which %g were said and 50 sold: %v", first, i["wape"])
			}
		}
		if two := got["ahead"].([]any)[1].(m); two["n"] != 0.0 {
			t.Errorf("nobody spoke two days before: %v", two)
		}
		night() // again
		if again := kept("&level=product&member=" + bun.ID.String()); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Errorf("a night made twice: %v, before %v", again, got)
		}

		out := int64(11 * 60) // half of a day comes at eight, half at noon
		sell(20, 12, &out)
		c.d.Clock.Add(24 * time.Hour)
		c.today = c.today.AddDays(1)
		night()
		got = kept("&level=product")
		if got["n"] != 4.0 || got["sold_out"] != 1.0 || got["emptied"] != 1.0 || got["ahead"].([]any)[1].(m)["n"] != 2.0 {
			t.Errorf("the second day, on which buns sold out: %v", got)
		}
		last := kept("&level=product&member=" + bun.ID.String())["days"].([]any)[1].(m)
		if wanted := number(t, last["demand"]); last["sold"] != "20" || last["sold_out"] != true || wanted < 28 || wanted > 50 {
			t.Errorf("20 were gone before noon of a day on which more are wanted: %v", last)
		}
		for _, level := range []string{"store", "chain"} {
			if x := kept("&level=" + level + "&ahead=2"); x["n"] != 1.0 || len(x["days"].([]any)) != 1 || x["wape"] == nil {
				t.Errorf("%s, two days before: %v", level, x)
			}
		}
		c.call(c.hire("lin", c.theirs), "GET", "/api/forecasts/kept?level=product&site_id="+c.mine.String(), nil, 404)
		if x := c.call(c.hire("qiu", c.theirs), "GET", "/api/forecasts/kept?level=chain", nil, 200).body; x["n"] != 0.0 {
			t.Errorf("somebody of another shop sees %v", x)
		}
		c.call(c.admin, "GET", "/api/forecasts/kept?level=product", nil, 404)
		c.call(c.admin, "GET", "/api/forecasts/kept?level=store&ahead=8", nil, 422)
		c.proven()

		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_kept SET sums = '[]'`) })
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_promise SET body = $1`, []byte("x")) })
		report, err := proof.Run(t.Context(), c.d.DB, []proof.Proof{{Name: "kept", Run: keptAddsUp}})
		if err != nil || report.OK {
			t.Errorf("damaged promises pass: %+v %v", report, err)
		}
	}, tables)
}
