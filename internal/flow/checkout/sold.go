package checkout

import (
	"context"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// SoldIn is the input of the products sold on a day.
type SoldIn struct {
	web.Paging
	SiteID id.ID    `query:"site_id" required:"true"`
	Date   cal.Date `query:"date" doc:"business date; today when left out"`
}

// Sold is what left the shelf of one product on a business day: sold less voided and taken back. The
// quantity is the ledger's, in the base unit.
type Sold struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Qty       qty.Qty `json:"qty" doc:"in the base unit"`
	BaseUnit  string  `json:"base_unit"`
	Units     []Unit  `json:"units" doc:"ways to say it"`
}

// Unit is a way to sell a product: one is num/den base units.
type Unit struct {
	Name string `json:"name"`
	Num  int64  `json:"num"`
	Den  int64  `json:"den"`
}

func (s *Service) soldRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/sales/products", Name: "products-sold", Summary: "What a site sold of each product on a business day, from the ledger", Perm: "sales.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *SoldIn) (*web.Page[Sold], error) {
			site, err := org.SiteFor(ctx, "sales.read", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			if in.Date == "" {
				in.Date = site.BusinessDate(tx.Now())
			}
			if !in.Date.Valid() {
				return nil, till.ErrDate.At("date")
			}
			return s.SoldOn(tx, in)
		})
}

const soldOn = `SELECT p.id, p.code, p.name, p.base_unit, SUM(CASE WHEN t.to_id = $1 THEN t.amount ELSE -t.amount END)
	FROM ledger_transfer t JOIN catalog_sku k ON k.id = t.unit JOIN catalog_product p ON p.id = k.product_id
	WHERE t.site_id = $2 AND t.business_date = $3 AND (t.to_id = $1 OR t.from_id = $1) AND p.code > $4
	GROUP BY p.id, p.code, p.name, p.base_unit ORDER BY p.code LIMIT $5`

// SoldOn lists, by code, the products of which something was sold or taken back on a business day.
func (s *Service) SoldOn(tx *db.Tx, in *SoldIn) (*web.Page[Sold], error) {
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	rows := tx.Query(soldOn, stock.Sold, in.SiteID, in.Date, after, in.Limit+1)
	defer rows.Close()
	var found []Sold
	var products []id.ID
	for rows.Next() {
		r := Sold{Units: []Unit{}}
		if err := rows.Scan(&r.ProductID, &r.Code, &r.Name, &r.BaseUnit, &r.Qty); err != nil {
			return nil, err
		}
		found, products = append(found, r), append(products, r.ProductID)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	known, err := s.goods.Products(tx, products)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].Units = unitsOf(known[found[i].ProductID])
	}
	return web.PageOf(in.Paging, found, func(r Sold) string { return web.Cursor(r.Code) }), nil
}

func unitsOf(p *catalog.Product) []Unit {
	units := []Unit{}
	if p == nil {
		return units
	}
	for _, u := range p.Units {
		units = append(units, Unit{u.Name, u.Num, u.Den})
	}
	return units
}
