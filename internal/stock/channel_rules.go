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

// ChannelRuleRow is what a channel may have of a product at a site, as it was set.
type ChannelRuleRow struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Product   string  `json:"product"`
	Unit      string  `json:"unit" doc:"base unit"`
	Channel   string  `json:"channel" enum:"till,self_checkout,phone,platform,wholesale"`
	Floor     qty.Qty `json:"floor" doc:"kept for it"`
	Limited   bool    `json:"limited"`
	Cap       qty.Qty `json:"cap" doc:"when limited: at most promised to it on a business day"`
	Staff     string  `json:"staff"`
	ChangedAt string  `json:"changed_at"`

	sku id.ID
}

const listChannelRules = `SELECT c.sku_id, k.product_id, p.code, p.name, p.base_unit, c.channel, c.floor, c.cap, COALESCE(f.display_name, ''), c.changed_at
FROM stock_channel c JOIN catalog_sku k ON k.id = c.sku_id JOIN catalog_product p ON p.id = k.product_id LEFT JOIN org_staff f ON f.id = c.staff_id
WHERE c.site_id = $1 AND (CAST($2 AS TEXT) = '' OR c.channel = $2) AND (c.floor > 0 OR c.cap >= 0)
	AND (c.sku_id > $3 OR c.sku_id = $3 AND c.channel > $4) ORDER BY c.sku_id, c.channel LIMIT $5`

func channelRuleRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/stock/channel-rules", Name: "list-channel-rules", Summary: "What is kept for channels of a site and how much they may have in a day, by product", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			web.Paging
			SiteID  id.ID  `query:"site_id" required:"true"`
			Channel string `query:"channel" enum:",till,self_checkout,phone,platform,wholesale"`
		}) (*web.Page[ChannelRuleRow], error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			var sku id.ID
			var channel string
			if _, err := in.Seek(&sku, &channel); err != nil {
				return nil, err
			}
			rows := tx.Query(listChannelRules, in.SiteID, in.Channel, sku, channel, in.Limit+1)
			defer rows.Close()
			var all []ChannelRuleRow
			for rows.Next() {
				var r ChannelRuleRow
				var at time.Time
				var limit qty.Qty
				if err := rows.Scan(&r.sku, &r.ProductID, &r.Code, &r.Product, &r.Unit, &r.Channel, &r.Floor, &limit, &r.Staff, &at); err != nil {
					return nil, err
				}
				if r.Limited = limit >= 0; r.Limited {
					r.Cap = limit
				}
				r.ChangedAt = shown(at, site)
				all = append(all, r)
			}
			return web.PageOf(in.Paging, all, func(r ChannelRuleRow) string { return web.Cursor(r.sku, r.Channel) }), rows.Err()
		})
}
