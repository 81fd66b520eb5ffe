package checkout

import (
	"context"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// GridIn is the input of the till's product grid.
type GridIn struct {
	catalog.Search
	SiteID id.ID `query:"site_id" required:"true"`
}

// GridItem is one product and unit as the till shows it.
type GridItem struct {
	ProductID  id.ID           `json:"product_id"`
	Code       string          `json:"code"`
	Name       string          `json:"name"`
	CategoryID id.ID           `json:"category_id"`
	Unit       string          `json:"unit"`
	PriceFen   money.Fen       `json:"price_fen"`
	TaxPct     catalog.TaxRate `json:"tax_pct"`
	BaseUnit   string          `json:"base_unit"`
	Num        int64           `json:"num" doc:"one of the unit is num/den base units"`
	Den        int64           `json:"den"`
	Stock      qty.Qty         `json:"stock" doc:"sellable now, in the base unit; of a bundle what its parts allow"`
	Barcodes   []string        `json:"barcodes"`
	Weighed    bool            `json:"weighed" doc:"by a scale; can be sold by an amount of money"`
	Step       qty.Qty         `json:"step" doc:"of the scale, in the base unit"`
	Tare       qty.Qty         `json:"tare" doc:"of the usual wrapping, in the base unit"`
}

func (s *Service) gridRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/till/products", Name: "till-products", Summary: "What can be sold at a site, with price and stock", Perm: "till.sell", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *GridIn) (*web.Page[GridItem], error) {
			site, err := org.SiteFor(ctx, "till.sell", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			return s.Grid(tx, site, in)
		})
}

// Grid lists products on sale that have a price at the site, one item per priced unit. A page is a page of
// products: it may show fewer items where products have no price here.
func (s *Service) Grid(tx *db.Tx, site *org.Site, in *GridIn) (*web.Page[GridItem], error) {
	in.State, in.OnSale = "", true
	products, err := s.goods.List(tx, in.Search)
	if err != nil {
		return nil, err
	}
	page := &web.Page[GridItem]{Items: []GridItem{}}
	if len(products) > in.Limit {
		products = products[:in.Limit]
		page.Next = web.Cursor(products[in.Limit-1].Code)
	}
	var units, skus []id.ID
	for _, p := range products {
		skus = append(skus, p.SKU)
		for i := range p.Units {
			if !p.Units[i].Retired {
				units = append(units, p.Units[i].ID)
			}
		}
	}
	prices, err := s.prices.At(tx, site.ID, site.BusinessDate(tx.Now()), units)
	if err != nil {
		return nil, err
	}
	left, err := sellable(tx, site.ID, skus)
	if err != nil {
		return nil, err
	}
	bundles, err := s.available(tx, site.ID, products)
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		there := left[p.SKU]
		if b := bundles[p.ID]; b != nil {
			there = b.Qty
		}
		for i := range p.Units {
			u := &p.Units[i]
			fen, ok := prices[u.ID]
			if !ok || u.Retired {
				continue
			}
			page.Items = append(page.Items, GridItem{p.ID, p.Code, p.Name, p.CategoryID, u.Name, fen, p.Tax, p.BaseUnit, u.Num, u.Den, there, append([]string{}, u.Barcodes...), u.Weighed, u.Step, u.Tare})
		}
	}
	return page, nil
}

var sellableOf = db.NewMany(`SELECT b.sku_id, SUM(a.posted_in - a.posted_out - a.pending_out) FROM stock_batch b JOIN ledger_account a ON a.id = b.id
	WHERE b.site_id = $1 AND b.open = 1 AND b.expires_at > $2 AND b.sku_id IN (`, `?`, `) GROUP BY b.sku_id`)

// sellable is what is in date and not held, in thousandths of the base unit.
func sellable(tx *db.Tx, site id.ID, skus []id.ID) (map[id.ID]qty.Qty, error) {
	args := make([]any, 0, 2+len(skus))
	args = append(args, site, tx.Now())
	for _, k := range skus {
		args = append(args, k)
	}
	rows := tx.QueryMany(sellableOf, args...)
	defer rows.Close()
	left := make(map[id.ID]qty.Qty, len(skus))
	for rows.Next() {
		var k id.ID
		var q qty.Qty
		if err := rows.Scan(&k, &q); err != nil {
			return nil, err
		}
		left[k] = q
	}
	return left, rows.Err()
}
