package sim

import (
	"context"
	"net/http"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Stores in reach of each other, what is coming in the calendar, and goods that go from store to store.

// A trip to the next store of the list takes so many minutes and costs so many fen, to the one after it twice as many.
const (
	tripMinutes = 12
	tripCost    = 800
	inReach     = 2
)

// neighbours tells the house which stores are in reach: those beside each other in the list of stores, both ways. What somebody set
// since then stays: the keys are those of the first time.
func (s *Demo) neighbours(ctx context.Context) error {
	boss := s.chain.boss
	at, err := s.chain.sites(ctx)
	if err != nil {
		return err
	}
	stores := s.history.stores
	for i := range stores {
		for k := max(0, i-inReach); k <= min(len(stores)-1, i+inReach); k++ {
			if k == i {
				continue
			}
			away := max(k-i, i-k)
			near := map[string]any{"site_id": at[stores[i].Code], "near_id": at[stores[k].Code], "minutes": tripMinutes * away, "cost_fen": tripCost * away}
			if err := boss.call(ctx, http.MethodPut, "/api/plans/near", "near/"+stores[i].Code+"/"+stores[k].Code, near, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// The promotion of rice balls begins some days after the first, so that the plans before it can stock up, and lasts a weekend's length.
const (
	promotionIn   = 4
	promotionDays = 3
	promoted      = "饭团"
)

// promoted tells whether more people want a product on a day because of the promotion of the calendar.
func (s *Demo) promoted(p Product, d cal.Date) bool {
	n := d.Sub(s.m.first.AddDays(promotionIn))
	return p.Category == promoted && n >= 0 && n < promotionDays
}

// calendar puts the promotion and the next festival into the calendar of events, of the goods that the chain sells then.
func (s *Demo) calendar(ctx context.Context) error {
	products, err := list[struct {
		ID   id.ID
		Code string
	}](ctx, s.chain.boss, "/api/goods/products")
	if err != nil {
		return err
	}
	category := map[string]string{}
	for _, p := range s.history.products {
		category[p.Code] = p.Category
	}
	of := func(names ...string) (ids []id.ID) {
		for _, p := range products {
			for _, n := range names {
				if category[p.Code] == n {
					ids = append(ids, p.ID)
				}
			}
		}
		return ids
	}
	from := s.m.first.AddDays(promotionIn)
	events := []map[string]any{{"kind": "promotion", "name": "饭团周", "from_date": from, "to_date": from.AddDays(promotionDays - 1), "factor": "1.33", "products": of(promoted)}}
	var next cal.Date
	var name string
	for _, f := range cal.Festivals() {
		for _, year := range []int{s.m.first.Year(), s.m.first.Year() + 1} {
			if d, ok := f.In(year); ok && d > s.m.first.AddDays(3) && (next == "" || d < next) {
				next, name = d, f.Name()
			}
		}
	}
	feast := of("烘焙", "咖啡与饮品")
	if len(feast) == 0 { // a small chain sells neither
		feast = of(s.history.products[0].Category)
	}
	events = append(events, map[string]any{"kind": "festival", "name": name, "from_date": next.AddDays(-1), "to_date": next, "products": feast})
	for i, e := range events {
		if len(e["products"].([]id.ID)) == 0 { // a small chain sells no rice balls
			continue
		}
		if err := s.chain.boss.post(ctx, "/api/plans/events", "event/"+string(rune('1'+i)), e, nil); err != nil {
			return err
		}
	}
	return nil
}

// sent is a stock transfer as its ends see it.
type sent struct {
	ID   id.ID
	From id.ID `json:"from_site_id"`
	To   id.ID `json:"to_site_id"`
}

// passOn sends what other stores are to get, takes in what has come, agrees to offer what is to spare, and takes half of what a store in reach offers: the manager looks
// once an hour.
func (s *shop) passOn(ctx context.Context, h int) error {
	for _, step := range []struct {
		state, act string
		mine       func(t sent) bool
		body       map[string]any
	}{
		{"requested", "ship", func(t sent) bool { return t.From == s.site }, map[string]any{}},
		{"shipped", "receive", func(t sent) bool { return t.To == s.site }, map[string]any{"as_shipped": true}},
	} {
		transfers, err := list1[sent](ctx, s.manager, "/api/stock/transfers?limit=200&state="+step.state+"&site_id="+s.site.String())
		if err != nil {
			return err
		}
		for _, t := range transfers {
			if step.mine(t) {
				if err := s.manager.post(ctx, "/api/stock/transfers/"+t.ID.String()+"/"+step.act, step.act+"/"+t.ID.String(), step.body, nil); err != nil && !refused(err) {
					return err
				}
			}
		}
	}
	offers, err := list1[struct {
		ID          id.ID
		Own         bool
		State       string
		Spare, Mine qty.Qty
	}](ctx, s.manager, "/api/plans/offers?site_id="+s.site.String())
	if err != nil {
		return err
	}
	for _, o := range offers {
		if o.Own && o.State == "proposed" {
			if err := s.manager.post(ctx, "/api/plans/offers/"+o.ID.String()+"/open", "offer/"+o.ID.String(), nil, nil); err != nil && !refused(err) {
				return err
			}
		}
		half := o.Spare / 2 / qty.Scale * qty.Scale
		if o.Own || o.Mine > 0 || half == 0 {
			continue
		}
		if err := s.manager.post(ctx, "/api/plans/offers/"+o.ID.String()+"/take", s.key("take", s.no, h, o.ID), map[string]any{"site_id": s.site, "qty": half}, nil); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}
