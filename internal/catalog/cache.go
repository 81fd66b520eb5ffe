package catalog

import (
	"context"
	"sync"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// maxAge is how old the copy of the goods may be when a line is sold from it.
const maxAge = time.Second

// cache is a copy of all products, so that selling a line reads no goods. It is used only while it is
// known to be at most maxAge old and no act of this process has changed goods since; otherwise
// readers ask the database, which is never wrong, only slower.
type cache struct {
	db *db.DB

	mu       sync.RWMutex
	products map[id.ID]*Product
	version  int64
	checked  time.Time // wall clock, when a check began that found the copy to be as of version
	changes  int64     // acts of this process that changed goods
}

// fresh finds products in the copy; false when it is too old or lacks one.
func (c *cache) fresh(ids []id.ID, found map[id.ID]*Product) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.products == nil || clock.Wall.Now().Sub(c.checked) > maxAge {
		return false
	}
	for _, i := range ids {
		p, ok := c.products[i]
		if !ok {
			return false
		}
		found[i] = p
	}
	return true
}

// changed makes readers ask the database until the copy has been brought up to date.
func (c *cache) changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.checked = time.Time{}
}

// Refresh brings the copy of the goods up to date.
func (s *Service) Refresh(ctx context.Context) error {
	c := &s.goods
	c.mu.RLock()
	version, changes, full := c.version, c.changes, c.products == nil
	c.mu.RUnlock()
	if full {
		version = -1
	}
	began := clock.Wall.Now()
	var now int64
	var news map[id.ID]*Product
	err := c.db.Read(ctx, func(tx *db.Tx) error {
		if err := tx.QueryRow(`SELECT version FROM catalog_version WHERE id = 1`).Scan(&now); err != nil || now == version {
			return err
		}
		var err error
		news, err = readSince(tx, version)
		return err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.products == nil {
		c.products = make(map[id.ID]*Product, len(news))
	}
	for i, p := range news {
		c.products[i] = p
	}
	c.version = now
	if c.changes == changes {
		c.checked = began
	}
	return nil
}

// Run keeps the copy fresh until ctx ends. An error leaves it to grow too old, and reads go to the database.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(maxAge / 4)
	defer tick.Stop()
	for {
		_ = s.Refresh(ctx) // the database reports its own trouble; here it only costs speed
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// bump takes the next number of the goods and holds the lock that makes changes commit in that order.
func (s *Service) bump(tx *db.Tx) (int64, error) {
	var v int64
	err := tx.QueryRow(`UPDATE catalog_version SET version = version + 1 WHERE id = 1 RETURNING version`).Scan(&v)
	tx.AfterCommit(s.goods.changed)
	return v, err
}

// Products returns products by id; an id that does not exist is missing from the answer.
func (s *Service) Products(tx *db.Tx, ids []id.ID) (map[id.ID]*Product, error) {
	found := make(map[id.ID]*Product, len(ids))
	if s.goods.fresh(ids, found) {
		return found, nil
	}
	return readMany(tx, ids)
}

const (
	productColumns = `SELECT p.id, COALESCE(s.id, 0), p.bundle, p.code, p.name, COALESCE(p.category_id, 0), p.base_unit, p.shelf_life_h, p.batch_size, p.tax_bp, p.life, p.version
		FROM catalog_product p LEFT JOIN catalog_sku s ON s.product_id = p.id `
	unitValues     = ` u.product_id, u.id, u.name, u.num, u.den, u.retired, u.weighed, u.step, u.tare, u.item_no `
	unitColumns    = `SELECT` + unitValues + `FROM catalog_unit u `
	barcodeValues  = ` b.product_id, b.unit_id, b.code `
	barcodeColumns = `SELECT` + barcodeValues + `FROM catalog_barcode b `

	// CROSS JOIN: what changed first, and its units; SQLite would go through all units to have them in order.
	productsSince = productColumns + `WHERE p.version > $1`
	unitsSince    = `SELECT` + unitValues + `FROM catalog_product p CROSS JOIN catalog_unit u WHERE p.version > $1 AND u.product_id = p.id ORDER BY u.id`
	barcodesSince = `SELECT` + barcodeValues + `FROM catalog_product p CROSS JOIN catalog_barcode b WHERE p.version > $1 AND b.product_id = p.id ORDER BY b.id`
)

var (
	productsByID = db.NewMany(productColumns+`WHERE p.id IN (`, `?`, `)`)
	unitsByID    = db.NewMany(unitColumns+`WHERE u.product_id IN (`, `?`, `) ORDER BY u.id`)
	barcodesByID = db.NewMany(barcodeColumns+`WHERE b.product_id IN (`, `?`, `) ORDER BY b.id`)
)

func read(tx *db.Tx, product id.ID) (*Product, error) {
	found, err := readMany(tx, []id.ID{product})
	if err != nil {
		return nil, err
	}
	if p := found[product]; p != nil {
		return p, nil
	}
	return nil, ErrNoProduct
}

// readMany reads products by id, at most some thousands.
func readMany(tx *db.Tx, ids []id.ID) (map[id.ID]*Product, error) {
	found := make(map[id.ID]*Product, len(ids))
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i]
	}
	return found, gather(tx, found, tx.QueryMany(productsByID, args...), tx.QueryMany(unitsByID, args...), tx.QueryMany(barcodesByID, args...))
}

func readSince(tx *db.Tx, version int64) (map[id.ID]*Product, error) {
	found := map[id.ID]*Product{}
	return found, gather(tx, found, tx.Query(productsSince, version), tx.Query(unitsSince, version), tx.Query(barcodesSince, version))
}

// gather puts units and barcodes to their products. A unit or barcode whose product is missing was added
// between two of the questions; the next reading brings it.
func gather(tx *db.Tx, found map[id.ID]*Product, products, units, barcodes *db.Rows) error {
	defer products.Close()
	defer units.Close()
	defer barcodes.Close()
	var bundles []any
	for products.Next() {
		p := &Product{}
		var bundle bool
		if err := products.Scan(&p.ID, &p.SKU, &bundle, &p.Code, &p.Name, &p.CategoryID, &p.BaseUnit, &p.ShelfLifeH, &p.BatchSize, &p.Tax, &p.State, &p.Revision); err != nil {
			return err
		}
		found[p.ID] = p
		if bundle {
			bundles = append(bundles, int64(p.ID))
		}
	}
	if err := products.Err(); err != nil {
		return err
	}
	for units.Next() {
		var product id.ID
		var u Unit
		if err := units.Scan(&product, &u.ID, &u.Name, &u.Num, &u.Den, &u.Retired, &u.Weighed, &u.Step, &u.Tare, &u.ItemNo); err != nil {
			return err
		}
		if p := found[product]; p != nil {
			p.Units = append(p.Units, u)
		}
	}
	if err := units.Err(); err != nil {
		return err
	}
	for barcodes.Next() {
		var product, unit id.ID
		var code string
		if err := barcodes.Scan(&product, &unit, &code); err != nil {
			return err
		}
		if p := found[product]; p != nil {
			if u := p.UnitByID(unit); u != nil {
				u.Barcodes = append(u.Barcodes, code)
			}
		}
	}
	if err := barcodes.Err(); err != nil {
		return err
	}
	return fillParts(tx, found, bundles)
}
