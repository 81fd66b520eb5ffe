package app

import (
	"context"
	"errors"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// seed lets a stranger sell at once: in an installation without goods and registers it makes one
// register and two products with price and stock at the first store, through the same rules as a
// person would. It does nothing as soon as there is anything.
func (h *house) seed(ctx context.Context) error {
	ctx = org.WithSystem(ctx)
	return h.d.Write(ctx, func(tx *db.Tx) error {
		// Of two nodes that start at once one waits here, and then finds what the other made.
		var first id.ID
		err := tx.QueryRow(`SELECT id FROM org_site WHERE code = $1`+tx.ForUpdate(), "S001").Scan(&first)
		if errors.Is(err, db.ErrNoRow) {
			return nil // the first store was renamed: somebody is at work here
		}
		if err != nil {
			return err
		}
		var things int64
		err = tx.QueryRow(`SELECT (SELECT COUNT(*) FROM catalog_product) + (SELECT COUNT(*) FROM till_register)`).Scan(&things)
		if err != nil || things > 0 {
			return err
		}
		site, err := org.SiteByID(tx, first)
		if err != nil {
			return err
		}
		if _, err := till.AddRegister(tx, till.RegisterDraft{SiteID: site.ID, Code: "1"}); err != nil {
			return err
		}
		drinks, err := h.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "饮料"})
		if err != nil {
			return err
		}
		fruit, err := h.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "水果"})
		if err != nil {
			return err
		}
		water, err := h.goods.Create(tx, catalog.Draft{Code: "1001", Name: "矿泉水 550ml", CategoryID: drinks.ID, BaseUnit: "piece", ShelfLifeH: 365 * 24, TaxPct: 1300,
			Units: []catalog.UnitDraft{{Name: "瓶", Num: 1, Barcodes: []string{"6900000000014"}}, {Name: "箱", Num: 24, Barcodes: []string{"6900000000021"}}}})
		if err != nil {
			return err
		}
		apples, err := h.goods.Create(tx, catalog.Draft{Code: "2001", Name: "苹果", CategoryID: fruit.ID, BaseUnit: "g", ShelfLifeH: 60 * 24, TaxPct: 900,
			Units: []catalog.UnitDraft{{Name: "kg", Num: 1000, Barcodes: []string{"2001"}}, {Name: "斤", Num: 500}}})
		if err != nil {
			return err
		}
		for _, p := range []struct {
			product id.ID
			unit    string
			fen     money.Fen
		}{{water.ID, "瓶", 200}, {water.ID, "箱", 3990}, {apples.ID, "kg", 1280}, {apples.ID, "斤", 640}} {
			if _, err := h.prices.Set(tx, 0, price.Draft{ProductID: p.product, Unit: p.unit, Price: &p.fen}); err != nil {
				return err
			}
		}
		_, err = stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: site}, Opening: true, Lines: []stock.Arrival{
			{SKU: water.SKU, Code: "B1", Qty: 240 * qty.Scale, Cost: 240 * 110, ExpiresAt: tx.Now().Add(365 * 24 * time.Hour)},
			{SKU: apples.SKU, Code: "B1", Qty: 100_000 * qty.Scale, Cost: 100 * 700, ExpiresAt: tx.Now().Add(60 * 24 * time.Hour)},
		}})
		return err
	})
}
