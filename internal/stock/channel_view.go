package stock

import (
	"context"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// ChannelView is what a channel may have of a product, in the base unit.
type ChannelView struct {
	Channel   string  `json:"channel" enum:"till,self_checkout,phone,platform,wholesale"`
	Floor     qty.Qty `json:"floor" doc:"kept for it"`
	Limited   bool    `json:"limited"`
	Cap       qty.Qty `json:"cap" doc:"when limited: at most promised to it on a business day"`
	Aside     qty.Qty `json:"put_aside" doc:"of what is kept, not promised yet"`
	Taken     qty.Qty `json:"taken" doc:"promised to it or taken by it today"`
	Available qty.Qty `json:"available" doc:"it can be promised now"`
}

// ChannelsView is how the channels of a site share a product.
type ChannelsView struct {
	ProductID id.ID         `json:"product_id"`
	Unit      string        `json:"unit"`
	Shared    qty.Qty       `json:"shared" doc:"there for everybody"`
	Channels  []ChannelView `json:"channels"`
}

// ChannelsOf reads how the channels of a site share a product.
func ChannelsOf(tx *db.Tx, site *org.Site, product id.ID) (*ChannelsView, error) {
	units, err := unitsOf(tx, productUnits, []id.ID{product})
	if err != nil {
		return nil, err
	}
	goods := units[product]
	if goods == nil {
		return nil, ErrNoSKU.At("product_id")
	}
	v := &ChannelsView{ProductID: product, Unit: goods.base, Channels: make([]ChannelView, len(Channels))}
	at := map[string]*ChannelView{}
	for i, c := range Channels {
		v.Channels[i].Channel = c
		at[c] = &v.Channels[i]
	}
	bounds := tx.Query(`SELECT channel, floor, cap FROM stock_channel WHERE site_id = $1 AND sku_id = $2`, site.ID, goods.sku)
	aside := tx.Query(`SELECT p.channel, SUM(a.posted_in - a.posted_out - a.pending_out) FROM stock_place p JOIN stock_batch b ON b.id = p.batch_id JOIN ledger_account a ON a.id = p.id
		WHERE p.site_id = $1 AND p.sku_id = $2 AND p.channel <> '' AND p.status = 1 AND p.open = 1 AND b.expires_at > $3 GROUP BY p.channel`, site.ID, goods.sku, tx.Now())
	days := tx.Query(`SELECT channel, taken FROM stock_channel_day WHERE site_id = $1 AND sku_id = $2 AND business_date = $3`, site.ID, goods.sku, site.BusinessDate(tx.Now()))
	shared := tx.QueryRow(availableOf, site.ID, goods.sku, tx.Now())
	shop := map[string]qty.Qty{}
	for bounds.Next() {
		var channel string
		var floor, limit qty.Qty
		if err := bounds.Scan(&channel, &floor, &limit); err != nil {
			return nil, err
		}
		c := at[channel]
		if c.Floor, c.Limited = floor, limit >= 0; c.Limited {
			c.Cap = limit
		}
		if inShop(channel) {
			shop[channel] = floor
		}
	}
	if err := bounds.Err(); err != nil {
		return nil, err
	}
	for aside.Next() {
		var channel string
		var n qty.Qty
		if err := aside.Scan(&channel, &n); err != nil {
			return nil, err
		}
		if c := at[channel]; c != nil {
			c.Aside = n
		}
	}
	if err := aside.Err(); err != nil {
		return nil, err
	}
	for days.Next() {
		var channel string
		var n qty.Qty
		if err := days.Scan(&channel, &n); err != nil {
			return nil, err
		}
		if c := at[channel]; c != nil {
			c.Taken = n
		}
	}
	if err := days.Err(); err != nil {
		return nil, err
	}
	if err := shared.Scan(&v.Shared); err != nil {
		return nil, err
	}
	for _, c := range at {
		pool := v.Shared
		for other, floor := range shop {
			if other != c.Channel && c.Channel != "till" { // what the till sells is in the customer's hand
				pool -= floor
			}
		}
		c.Available = max(0, pool) + c.Aside
		if c.Limited && c.Channel != "till" {
			c.Available = min(c.Available, max(0, c.Cap-c.Taken))
		}
	}
	return v, nil
}

// PromiseView is a promise on the wire, in base units.
type PromiseView struct {
	ID      id.ID          `json:"id"`
	SiteID  id.ID          `json:"site_id"`
	Channel string         `json:"channel"`
	Ref     string         `json:"ref"`
	State   string         `json:"state" enum:"open,captured,released,expired"`
	MadeAt  string         `json:"made_at"`
	Until   string         `json:"until"`
	Lines   []PromisedView `json:"lines"`
}

// PromisedView is a product of it.
type PromisedView struct {
	ProductID id.ID   `json:"product_id"`
	Product   string  `json:"product"`
	Unit      string  `json:"unit"`
	Qty       qty.Qty `json:"qty"`
	Taken     qty.Qty `json:"taken" doc:"handed over"`
}

const promisedGoods = `SELECT k.product_id, p.name, p.base_unit, l.qty, l.taken FROM stock_promise_line l JOIN catalog_sku k ON k.id = l.sku_id JOIN catalog_product p ON p.id = k.product_id
WHERE l.promise_id = $1 ORDER BY p.code`

func showPromise(tx *db.Tx, p *Promise, site *org.Site) (*PromiseView, error) {
	v := &PromiseView{ID: p.ID, SiteID: p.Site, Channel: p.Channel, Ref: p.Ref, State: p.State, MadeAt: shown(p.MadeAt, site), Until: shown(p.Until, site), Lines: []PromisedView{}}
	rows := tx.Query(promisedGoods, p.ID)
	for rows.Next() {
		var l PromisedView
		if err := rows.Scan(&l.ProductID, &l.Product, &l.Unit, &l.Qty, &l.Taken); err != nil {
			return nil, err
		}
		v.Lines = append(v.Lines, l)
	}
	return v, rows.Err()
}

func promiseFor(ctx context.Context, tx *db.Tx, perm string, promise id.ID) (*Promise, *org.Site, error) {
	p, err := PromiseByID(tx, promise)
	if err != nil {
		return nil, nil, err
	}
	site, err := org.SiteFor(ctx, perm, p.Site)
	if err != nil {
		return nil, nil, ErrNoPromise
	}
	return p, site, nil
}

func channelRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/stock/channels", Name: "get-stock-channels", Summary: "How the channels of a site share a product, as of now", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID    id.ID `query:"site_id" required:"true"`
			ProductID id.ID `query:"product_id" required:"true"`
		}) (*ChannelsView, error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			return ChannelsOf(tx, site, in.ProductID)
		})
	web.Put(api, web.Route{Path: "/api/stock/channels", Name: "set-stock-channel", Summary: "Say what is kept for a channel, and how much it may have in a day", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			Body struct {
				SiteID    id.ID    `json:"site_id"`
				ProductID id.ID    `json:"product_id"`
				Channel   string   `json:"channel" enum:"till,self_checkout,phone,platform,wholesale"`
				Floor     qty.Qty  `json:"floor,omitempty" doc:"in the base unit"`
				Cap       *qty.Qty `json:"cap,omitempty" doc:"in the base unit; no limit when left out"`
			}
		}) (*ChannelsView, error) {
			site, err := org.SiteFor(ctx, "stock.manage", in.Body.SiteID)
			if err != nil {
				return nil, err
			}
			units, err := unitsOf(tx, productUnits, []id.ID{in.Body.ProductID})
			if err != nil {
				return nil, err
			}
			goods := units[in.Body.ProductID]
			if goods == nil {
				return nil, ErrNoSKU.At("product_id")
			}
			if !goods.whole(in.Body.Floor) {
				return nil, ErrPieces.At("floor")
			}
			if in.Body.Cap != nil && !goods.whole(*in.Body.Cap) {
				return nil, ErrPieces.At("cap")
			}
			b := Bounds{SKU: goods.sku, Channel: in.Body.Channel, Floor: in.Body.Floor, Cap: -1}
			if in.Body.Cap != nil {
				if b.Cap = *in.Body.Cap; b.Cap < 0 {
					return nil, ErrBounds.At("cap")
				}
			}
			if err := Bind(tx, site, org.CallerOf(ctx).ID, b); err != nil {
				return nil, err
			}
			return ChannelsOf(tx, site, in.Body.ProductID)
		})
	const path = "/api/stock/promises"
	web.Post(api, web.Route{Path: path, Name: "promise-goods", Summary: "Keep goods for an order of a channel", Perm: "stock.promise", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			Body struct {
				SiteID  id.ID      `json:"site_id"`
				Channel string     `json:"channel" enum:"self_checkout,phone,platform,wholesale"`
				Ref     string     `json:"ref,omitempty" maxLength:"60" doc:"the order's number"`
				Minutes int64      `json:"minutes" minimum:"1" maximum:"43200" doc:"for how long"`
				Lines   []AskingIn `json:"lines" minItems:"1" maxItems:"100"`
			}
		}) (*PromiseView, error) {
			site, err := org.SiteFor(ctx, "stock.promise", in.Body.SiteID)
			if err != nil {
				return nil, err
			}
			products := make([]id.ID, len(in.Body.Lines))
			for i, l := range in.Body.Lines {
				products[i] = l.ProductID
			}
			units, err := unitsOf(tx, productUnits, products)
			if err != nil {
				return nil, err
			}
			o := Order{Site: site, Channel: in.Body.Channel, Ref: in.Body.Ref, Staff: org.CallerOf(ctx).ID, For: time.Duration(in.Body.Minutes) * time.Minute}
			for i, l := range in.Body.Lines {
				goods := units[l.ProductID]
				if goods == nil {
					return nil, ErrNoSKU.At(field(i, "product_id"))
				}
				q, err := goods.asked(i, l.Qty, l.Unit)
				if err != nil {
					return nil, err
				}
				o.Wants = append(o.Wants, Want{Line: i, SKU: goods.sku, Qty: q})
			}
			p, err := Keep(tx, o)
			if err != nil {
				return nil, err
			}
			return showPromise(tx, p, site)
		})
	web.Get(api, web.Route{Path: path + "/{id}", Name: "get-promise", Summary: "Goods kept for an order", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*PromiseView, error) {
			p, site, err := promiseFor(ctx, tx, "stock.read", in.ID)
			if err != nil {
				return nil, err
			}
			return showPromise(tx, p, site)
		})
	web.Post(api, web.Route{Path: path + "/{id}/capture", Name: "capture-promise", Summary: "Hand kept goods over, all or a part", Perm: "stock.promise", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Lines []struct {
					ProductID id.ID   `json:"product_id"`
					Qty       qty.Qty `json:"qty" doc:"in the base unit"`
				} `json:"lines,omitempty" maxItems:"100" doc:"all that was kept when left out; what is not named is free again"`
			}
		}) (*PromiseView, error) {
			p, site, err := promiseFor(ctx, tx, "stock.promise", in.ID)
			if err != nil {
				return nil, err
			}
			var parts map[id.ID]qty.Qty
			if len(in.Body.Lines) > 0 {
				parts = map[id.ID]qty.Qty{}
				for i, l := range in.Body.Lines {
					units, err := unitsOf(tx, productUnits, []id.ID{l.ProductID})
					if err != nil {
						return nil, err
					}
					if units[l.ProductID] == nil {
						return nil, ErrNoSKU.At(field(i, "product_id"))
					}
					if !units[l.ProductID].whole(l.Qty) {
						return nil, ErrPieces.At(field(i, "qty"))
					}
					if _, twice := parts[units[l.ProductID].sku]; twice {
						return nil, ErrPromiseTwice.At(field(i, "product_id"))
					}
					parts[units[l.ProductID].sku] = l.Qty
				}
			}
			if err := p.Hand(tx, parts); err != nil {
				return nil, err
			}
			return showPromise(tx, p, site)
		})
	web.Post(api, web.Route{Path: path + "/{id}/release", Name: "release-promise", Summary: "Free goods that were kept", Perm: "stock.promise", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*PromiseView, error) {
			p, site, err := promiseFor(ctx, tx, "stock.promise", in.ID)
			if err != nil {
				return nil, err
			}
			if err := p.Free(tx, "released"); err != nil {
				return nil, err
			}
			return showPromise(tx, p, site)
		})
}
