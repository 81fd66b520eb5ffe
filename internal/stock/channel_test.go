package stock

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

func (s shop) bind(sku id.ID, channel string, floor, limit int64) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		b := Bounds{sku, channel, pieces(floor), -1}
		if limit >= 0 {
			b.Cap = pieces(limit)
		}
		return Bind(tx, bakery, 0, b)
	})
}

func (s shop) keep(channel string, wants ...Want) (p *Promise, err error) {
	for i := range wants {
		wants[i].Line = i
	}
	err = s.try(func(tx *db.Tx) (err error) {
		p, err = Keep(tx, Order{Site: bakery, Channel: channel, For: time.Hour, Wants: wants})
		return err
	})
	return p, err
}

func (s shop) settlePromise(p *Promise, act func(tx *db.Tx, p *Promise) error) error {
	return s.try(func(tx *db.Tx) error {
		p, err := PromiseByID(tx, p.ID)
		if err != nil {
			return err
		}
		return act(tx, p)
	})
}

func (s shop) channels(sku id.ID) map[string]ChannelView {
	s.t.Helper()
	all := map[string]ChannelView{}
	s.must(func(tx *db.Tx) error {
		v, err := ChannelsOf(tx, bakery, sku)
		if err == nil {
			for _, c := range v.Channels {
				all[c.Channel] = c
			}
		}
		return err
	})
	return all
}

func TestWhatIsKeptForAChannelIsNotEatenByAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 20, 2000, time.Hour)
		s.bind(bun, "platform", 8, -1)
		s.bind(bun, "till", 5, -1)
		s.batch(b, 12, 0, 1200)
		if c := s.channels(bun); c["platform"].Available != pieces(15) || c["phone"].Available != pieces(7) || c["till"].Available != pieces(12) || c["platform"].Aside != pieces(8) {
			t.Errorf("available %+v", c)
		}
		if _, err := s.keep("phone", buns(8)); !errors.Is(err, ErrShort) {
			t.Errorf("the phone eats what the till has: %v", err)
		}
		if _, err := s.keep("phone", buns(7)); err != nil {
			t.Error(err)
		}
		if _, err := s.sell(buns(6)); !errors.Is(err, ErrShort) {
			t.Errorf("the till eats what the platform has: %v", err)
		}
		s.sold(buns(5))
		p, err := s.keep("platform", buns(8))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.keep("platform", buns(1)); !errors.Is(err, ErrShort) {
			t.Errorf("more than there is: %v", err)
		}
		if err := s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Hand(tx, map[id.ID]qty.Qty{bun: pieces(6)}) }); err != nil {
			t.Fatal(err)
		}
		if c := s.channels(bun); c["platform"].Taken != pieces(6) || c["platform"].Aside != pieces(2) {
			t.Errorf("after a part was handed over: %+v", c["platform"])
		}
		s.flow(Sold, bun, 11_000)
		s.bind(bun, "platform", 0, -1) // what is put aside comes back
		s.batch(b, 9, 7, 900)
	})
}

func TestAChannelHasItsLimitOfTheDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 20, 2000, time.Hour)
		s.bind(bun, "phone", 0, 5)
		p, err := s.keep("phone", buns(3))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.keep("phone", buns(3)); !errors.Is(err, ErrChannelCap) {
			t.Errorf("six of five: %v", err)
		}
		if _, err := s.keep("platform", buns(6)); err != nil {
			t.Errorf("another channel has no limit: %v", err)
		}
		if err := s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Free(tx, "released") }); err != nil {
			t.Fatal(err)
		}
		if err := s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Hand(tx, nil) }); !errors.Is(err, ErrPromiseState) {
			t.Errorf("handed over after it was freed: %v", err)
		}
		if _, err := s.keep("phone", buns(5)); err != nil {
			t.Errorf("what was freed counts no more: %v", err)
		}
		s.d.Clock.Add(25 * time.Hour)
		s.receive(bun, 5, 2000, time.Hour)
		if _, err := s.keep("phone", buns(5)); err != nil {
			t.Errorf("another day: %v", err)
		}
	})
}

func TestAPromiseIsTurnedAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 5, 500, 2*time.Hour)
		keep := func(o Order) func(tx *db.Tx) error {
			o.Site = bakery
			return func(tx *db.Tx) error { _, err := Keep(tx, o); return err }
		}
		s.refused(ErrNoChannel, "channel", keep(Order{Channel: "pigeon", For: time.Hour, Wants: []Want{buns(1)}}))
		s.refused(ErrPromiseTime, "minutes", keep(Order{Channel: "phone", Wants: []Want{buns(1)}}))
		s.refused(ErrNoLines, "", keep(Order{Channel: "phone", For: time.Hour}))
		s.refused(ErrPromiseTwice, "lines[0].product_id", keep(Order{Channel: "phone", For: time.Hour, Wants: []Want{buns(1), buns(1)}}))
		s.refused(ErrShort, "lines[0].qty", keep(Order{Channel: "phone", For: time.Hour, Wants: []Want{buns(6)}}))
		bind := func(b Bounds) func(tx *db.Tx) error {
			return func(tx *db.Tx) error { return Bind(tx, bakery, 0, b) }
		}
		s.refused(ErrNoChannel, "channel", bind(Bounds{bun, "pigeon", 1, -1}))
		s.refused(ErrBounds, "floor", bind(Bounds{bun, "phone", 2, 1}))
		s.refused(ErrBounds, "floor", bind(Bounds{bun, "phone", -1, 1}))
		p, err := s.keep("phone", buns(5))
		if err != nil {
			t.Fatal(err)
		}
		hand := func(parts map[id.ID]qty.Qty) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				p, err := PromiseByID(tx, p.ID)
				if err != nil {
					return err
				}
				return p.Hand(tx, parts)
			}
		}
		s.refused(ErrQty, "lines", hand(map[id.ID]qty.Qty{bun: pieces(6)}))
		s.refused(ErrQty, "lines", hand(map[id.ID]qty.Qty{}))
		s.refused(ErrNoSKU, "lines", hand(map[id.ID]qty.Qty{bun: 1, tea: 1}))
		s.refused(ErrNoPromise, "", func(tx *db.Tx) error { _, err := PromiseByID(tx, 12); return err })
		s.d.Clock.Add(time.Hour)
		s.refused(ledger.ErrHoldExpired, "", hand(nil))
		s.must(func(tx *db.Tx) error { _, err := ledger.Expire(tx); return err })
		if err := s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Free(tx, "expired") }); err != nil {
			t.Error(err)
		}
		if _, err := s.keep("phone", buns(5)); err != nil {
			t.Errorf("what has expired is there again: %v", err)
		}
	})
}

// Thirty orders ask for exactly what there is: ten put aside for the platform, and twenty for everybody.
func TestThirtyOrdersAskForExactlyThirtyPieces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 12, 1200, time.Hour)
		s.receive(bun, 18, 1800, 2*time.Hour)
		s.bind(bun, "platform", 10, 30)
		for k, err := range together(30, func(k int) error {
			if k%3 == 0 {
				_, err := s.sell(buns(1))
				return err
			}
			_, err := s.keep("platform", buns(1))
			return err
		}) {
			if err != nil {
				t.Errorf("order %d: %v", k, err)
			}
		}
		if _, err := s.keep("platform", buns(1)); !errors.Is(err, ErrShort) {
			t.Errorf("the 31st: %v", err)
		}
	})
}

// Holds, captures, releases and sales of four channels together: nothing is promised twice, every floor is kept.
func TestChannelsTogetherNeverPromiseMoreThanThereIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		for _, sku := range modelSKUs {
			s.receive(sku, 60, 6000, 2*time.Hour)
			s.receive(sku, 60, 9000, 3*time.Hour)
			s.bind(sku, "platform", 20, -1)
			s.bind(sku, "phone", 10, 40)
			s.bind(sku, "till", 15, -1)
		}
		var took atomic.Int64
		for k, err := range together(8, func(k int) error {
			r := rand.New(rand.NewPCG(7, uint64(k)))
			for range 25 {
				want := Want{SKU: modelSKUs[r.IntN(3)], Qty: pieces(1 + r.Int64N(3))}
				channel := Channels[[]int{0, 2, 3, 4}[r.IntN(4)]]
				if channel == "till" {
					if _, err := s.sell(want); err == nil {
						took.Add(int64(want.Qty))
					} else if !errors.Is(err, ErrShort) {
						return err
					}
					continue
				}
				p, err := s.keep(channel, want)
				if errors.Is(err, ErrShort) || errors.Is(err, ErrChannelCap) {
					continue
				}
				if err != nil {
					return err
				}
				if r.IntN(3) == 0 {
					err = s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Free(tx, "released") })
				} else {
					took.Add(int64(want.Qty))
					err = s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Hand(tx, nil) })
				}
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("client %d: %v", k, err)
			}
		}
		left := int64(0)
		s.must(func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT SUM(posted_in - posted_out) FROM ledger_account WHERE book = 1`).Scan(&left)
		})
		if left+took.Load() != 360_000 {
			t.Errorf("%d are left and %d are gone of 360000", left, took.Load())
		}
	})
}

func TestTheDeskSharesGoodsBetweenChannels(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		o.done("POST", "/api/stock/receipts", m{"site_id": o.site, "lines": []m{{"product_id": bun.String(), "qty": "10", "cost_fen": 1000}}})
		v := o.done("PUT", "/api/stock/channels", m{"site_id": o.site, "product_id": bun.String(), "channel": "platform", "floor": "4", "cap": "6"})
		if c := rows(v["channels"])[3]; v["shared"] != "6" || c["put_aside"] != "4" || c["available"] != "6" || c["limited"] != true {
			t.Errorf("shared as %v", v)
		}
		p := o.done("POST", "/api/stock/promises", m{"site_id": o.site, "channel": "platform", "ref": "MT-1", "minutes": 30, "lines": []m{{"product_id": bun.String(), "qty": "5"}}})
		why := o.done("GET", "/api/stock/why?site_id="+o.site+"&product_id="+bun.String(), nil)
		if why["sums"].(m)["held"] != "5" || rows(why["items"])[0]["kind"] != "channel_order" || why["qty"] != "10" {
			t.Errorf("why: %v", why)
		}
		o.turnedAway(409, "stock_channel_cap", "lines[0].qty", "POST", "/api/stock/promises", m{"site_id": o.site, "channel": "platform", "minutes": 30, "lines": []m{{"product_id": bun.String(), "qty": "2"}}})
		path := "/api/stock/promises/" + p["id"].(string)
		if p = o.done("POST", path+"/capture", m{"lines": []m{{"product_id": bun.String(), "qty": "3"}}}); p["state"] != "captured" || rows(p["lines"])[0]["taken"] != "3" {
			t.Errorf("captured %v", p)
		}
		o.turnedAway(409, "stock_promise_state", "", "POST", path+"/release", nil)
		q := o.done("POST", "/api/stock/promises", m{"site_id": o.site, "channel": "phone", "minutes": 30, "lines": []m{{"product_id": bun.String(), "qty": "1"}}})
		if q = o.done("POST", "/api/stock/promises/"+q["id"].(string)+"/release", nil); q["state"] != "released" {
			t.Errorf("released %v", q)
		}
		if p = o.done("GET", path, nil); p["ref"] != "MT-1" {
			t.Errorf("%v", p)
		}
		// What was set is listed by product and channel; a rule that keeps nothing and limits nothing is none.
		o.done("PUT", "/api/stock/channels", m{"site_id": o.site, "product_id": bun.String(), "channel": "phone", "floor": "1"})
		o.done("PUT", "/api/stock/channels", m{"site_id": o.site, "product_id": bun.String(), "channel": "till"})
		first := o.done("GET", "/api/stock/channel-rules?limit=1&site_id="+o.site, nil)
		second := o.done("GET", "/api/stock/channel-rules?limit=1&site_id="+o.site+"&after="+first["next"].(string), nil)
		if a, b := rows(first["items"])[0], rows(second["items"])[0]; a["channel"] != "phone" || a["floor"] != "1" || a["limited"] != false || b["channel"] != "platform" || b["floor"] != "4" || b["cap"] != "6" || b["product_id"] != bun.String() || second["next"] != nil && second["next"] != "" {
			t.Errorf("rules %v, then %v", first, second)
		}
		if only := rows(o.done("GET", "/api/stock/channel-rules?channel=platform&site_id="+o.site, nil)["items"]); len(only) != 1 || only[0]["channel"] != "platform" {
			t.Errorf("of one channel: %v", only)
		}
		o.turnedAway(422, "not_a_choice", "channel", "GET", "/api/stock/channel-rules?channel=moon&site_id="+o.site, nil)
		o.turnedAway(422, "stock_channel_bounds", "cap", "PUT", "/api/stock/channels", m{"site_id": o.site, "product_id": bun.String(), "channel": "phone", "cap": "-1"})
		o.turnedAway(422, "not_a_choice", "channel", "POST", "/api/stock/promises", m{"site_id": o.site, "channel": "till", "minutes": 30, "lines": []m{{"product_id": bun.String(), "qty": "1"}}})
		o.turnedAway(404, "stock_promise_unknown", "", "GET", "/api/stock/promises/"+id.New().String(), nil)
		o.green()
	}, schema)
}
