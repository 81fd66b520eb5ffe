package sim

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// shop is a store of the chain with its people, and what they have seen of it today. Only one goroutine is in a shop.
type shop struct {
	chain *chain
	no    int // in the chain
	Store
	site     id.ID
	manager  *person
	cashiers [2]*person // early and late

	did     map[string]bool // what was done today, by name
	shelf   map[string]*offer
	reduced []*deal
	shelfAt time.Time
	half    time.Time // the half hour whose customers are known
	come    []*customer
	plan    id.ID
	there   map[string]qty.Qty // of everything, by code, while rounds are made
}

// offer is a product as the till shows it.
type offer struct {
	ProductID id.ID `json:"product_id"`
	Code      string
	Unit      string
	PriceFen  money.Fen `json:"price_fen"`
	Stock     qty.Qty
}

// deal is a marked-down batch as the till shows it.
type deal struct {
	BatchID   id.ID `json:"batch_id"`
	ProductID id.ID `json:"product_id"`
	Unit      string
	FreeOne   bool `json:"free_one"`
	Left      qty.Qty
}

var surnames = []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢")
var givenNames = []string{"芳", "伟", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "霞", "平", "刚"}

// registers of every store.
var registers = []string{"1", "2"}

// sites are the ids of all sites by their codes.
func (c *chain) sites(ctx context.Context) (map[string]id.ID, error) {
	sites, err := list[struct {
		ID   id.ID
		Code string
	}](ctx, c.boss, "/api/org/sites")
	at := make(map[string]id.ID, len(sites))
	for _, s := range sites {
		at[s.Code] = s.ID
	}
	return at, err
}

// staff opens the shops: their registers, their people and the rights of these.
func (c *chain) staff(ctx context.Context) error {
	boss := c.boss
	at, err := c.sites(ctx)
	if err != nil {
		return err
	}
	roles, err := list1[org.Role](ctx, boss, "/api/org/roles")
	if err != nil {
		return err
	}
	role := map[string]id.ID{}
	for _, r := range roles {
		role[r.BuiltIn] = r.ID
	}
	people, err := list[org.Person](ctx, boss, "/api/org/staff")
	if err != nil {
		return err
	}
	known := map[string]*org.Person{}
	for i := range people {
		known[people[i].Name] = &people[i]
	}
	products, err := list[struct {
		ID   id.ID
		Code string
	}](ctx, boss, "/api/goods/products")
	if err != nil {
		return err
	}
	c.products = map[string]id.ID{}
	for _, p := range products {
		c.products[p.Code] = p.ID
	}
	c.goods = map[string]Product{}
	for _, p := range c.s.history.goods() {
		c.goods[p.Code] = p
	}
	c.shops = nil
	for i, store := range c.s.history.stores {
		c.s.show("staff", int64(i), int64(len(c.s.history.stores)))
		s := &shop{chain: c, no: i, Store: store, site: at[store.Code], did: map[string]bool{}}
		if s.site == 0 {
			return fmt.Errorf("sim: there is no site %s", store.Code)
		}
		there, err := list1[struct{ Code string }](ctx, boss, "/api/till/registers?site_id="+s.site.String())
		if err != nil {
			return err
		}
		for n := len(there); n < len(registers); n++ {
			if err := boss.post(ctx, "/api/till/registers", "", map[string]any{"site_id": s.site, "code": registers[n]}, nil); err != nil {
				return err
			}
		}
		for k, p := range c.s.history.products { // the keys are those of the first time: what somebody set since then stays
			if fen := c.s.history.PriceAt(i, k); fen != p.Price {
				if err := boss.post(ctx, "/api/prices", "price/"+store.Code+"/"+p.Code, map[string]any{"product_id": c.products[p.Code], "unit": p.Unit, "site_id": s.site, "price_fen": fen}, nil); err != nil && !refused(err) {
					return err
				}
			}
		}
		hire := func(job, roleKey string) (*person, error) {
			luck := c.s.history.luck(9, i, len(job), int(job[len(job)-1]))
			p := &person{s: c.s, name: fmt.Sprintf("%s%03d", job, i+1), password: org.NewPassword()}
			display := string(surnames[luck.IntN(len(surnames))]) + givenNames[luck.IntN(len(givenNames))]
			had := known[p.name]
			if had == nil {
				had = &org.Person{}
				if err := boss.post(ctx, "/api/org/staff", "", map[string]any{"name": p.name, "display_name": display, "site_id": s.site, "password": p.password}, had); err != nil {
					return nil, err
				}
			} else if err := boss.call(ctx, http.MethodPut, "/api/org/staff/"+had.ID.String(), "", map[string]any{"display_name": had.DisplayName, "site_id": s.site, "password": p.password}, nil); err != nil {
				return nil, err
			}
			if len(had.Grants) == 0 {
				grants := []org.Grant{{RoleID: role[roleKey], ScopeKind: "site", ScopeID: s.site}}
				if err := boss.call(ctx, http.MethodPut, "/api/org/staff/"+had.ID.String()+"/grants", "", grants, nil); err != nil {
					return nil, err
				}
			}
			return p, nil
		}
		if s.manager, err = hire("dianzhang", "store_manager"); err != nil {
			return err
		}
		for k, job := range []string{"zaoban", "wanban"} {
			if s.cashiers[k], err = hire(job, "cashier"); err != nil {
				return err
			}
		}
		c.shops = append(c.shops, s)
	}
	return nil
}

// atOnce is how many shops do something at the same moment.
const atOnce = 6

// each lets all shops do something, some at a time, and returns the first error.
func (c *chain) each(f func(*shop) error) error {
	turn := make(chan struct{}, atOnce)
	fault := make([]error, len(c.shops))
	var wg sync.WaitGroup
	for i, s := range c.shops {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			fault[i] = f(s)
		})
	}
	wg.Wait()
	for _, err := range fault {
		if err != nil {
			return err
		}
	}
	return nil
}
