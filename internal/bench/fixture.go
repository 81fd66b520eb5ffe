package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	registers "zhanggui/internal/till"
)

// fixture is a chain in the middle of its life: most of its batches are used up.
type fixture struct {
	sites    []*org.Site
	products []product
}

type product struct {
	id, sku id.ID
	price   money.Fen
}

const (
	fixtureUnit = "件"
	plenty      = 1_000_000 * qty.Scale // in an open batch: no measurement empties it
	inDocument  = 500                   // lines
)

// makeFixture fills an empty database through the same rules as people do.
func makeFixture(ctx context.Context, h House, o SaleOptions) (*fixture, error) {
	ctx = org.WithSystem(ctx)
	f := &fixture{}
	err := h.DB.Read(ctx, func(tx *db.Tx) error {
		var things int64
		err := tx.QueryRow(`SELECT (SELECT COUNT(*) FROM org_staff) + (SELECT COUNT(*) FROM catalog_product)`).Scan(&things)
		if err == nil && things > 0 {
			err = ErrNotEmpty
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	first, err := h.Org.Start(ctx, h.DB, h.Admin)
	if err != nil {
		return nil, err
	}
	err = h.DB.Write(ctx, func(tx *db.Tx) error {
		f.sites = nil
		for i := range o.Sites {
			site, err := h.Org.CreateSite(ctx, tx, org.SiteFields{Code: fmt.Sprintf("B%03d", i+1), Name: fmt.Sprintf("测速店 %d", i+1), Kind: "store",
				TimeZone: "Asia/Shanghai", DayStart: 240, Open: 480, Close: 1320, EntityID: first.Entity.ID})
			if err != nil {
				return err
			}
			f.sites = append(f.sites, site)
			for c := range o.Clients {
				if _, err := registers.AddRegister(tx, registers.RegisterDraft{SiteID: site.ID, Code: register(c)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := f.addProducts(ctx, h, o); err != nil {
		return nil, err
	}
	for _, site := range f.sites {
		if err := f.fill(ctx, h, o, site); err != nil {
			return nil, err
		}
	}
	// A chain in the middle of its life was not filled a second ago, by more movements than its shops have in weeks: what
	// a database does after a load is done, and the figures of the day are added up.
	if err := h.DB.Vacuum(ctx); err != nil {
		return nil, err
	}
	return f, h.Days(ctx)
}

func register(client int) string { return strconv.Itoa(client + 1) }

func (f *fixture) addProducts(ctx context.Context, h House, o SaleOptions) error {
	const step = 50
	have := len(f.products)
	for from := 0; from < o.SKUs; from += step {
		var made []product
		err := h.DB.Write(ctx, func(tx *db.Tx) error {
			made = nil
			for i := have + from; i < have+min(from+step, o.SKUs); i++ {
				p, err := h.Goods.Create(tx, catalog.Draft{Code: fmt.Sprintf("P%05d", i+1), Name: fmt.Sprintf("测速商品 %d", i+1), BaseUnit: "piece",
					ShelfLifeH: 48, TaxPct: 1300, Units: []catalog.UnitDraft{{Name: fixtureUnit, Num: 1, Barcodes: []string{fmt.Sprintf("28%06d", i+1)}}}})
				if err != nil {
					return err
				}
				fen := money.Fen(100 + i%1900)
				if _, err := h.Prices.Set(tx, 0, price.Draft{ProductID: p.ID, Unit: fixtureUnit, Price: &fen}); err != nil {
					return err
				}
				made = append(made, product{p.ID, p.SKU, fen})
			}
			return nil
		})
		if err != nil {
			return err
		}
		f.products = append(f.products, made...)
	}
	return nil
}

// fill gives a site its batches: the used-up ones first, then the open ones.
func (f *fixture) fill(ctx context.Context, h House, o SaleOptions, site *org.Site) error {
	for n := range o.Used + o.Open {
		if err := f.batch(ctx, h, site, n, n < o.Used); err != nil {
			return err
		}
	}
	return nil
}

// batch gives a site the n-th batch of every product: full, or come in and written off again.
func (f *fixture) batch(ctx context.Context, h House, site *org.Site, n int, used bool) error {
	for from := 0; from < len(f.products); from += inDocument {
		some := f.products[from:min(from+inDocument, len(f.products))]
		err := h.DB.Write(ctx, func(tx *db.Tx) error {
			lines := make([]stock.Arrival, len(some))
			for i, p := range some {
				lines[i] = stock.Arrival{SKU: p.sku, Code: "B" + strconv.Itoa(n+1), Qty: plenty, Cost: 60 * 1_000_000,
					ExpiresAt: tx.Now().Add(time.Duration(24+n) * time.Hour)}
				if used {
					lines[i].Qty, lines[i].Cost = qty.Scale, 60
				}
			}
			in, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: site}, Opening: true, Lines: lines})
			if err != nil || !used {
				return err
			}
			out := make([]stock.Issue, len(in.Lines))
			for i, l := range in.Lines {
				out[i] = stock.Issue{Batch: l.Batch, Qty: l.Qty}
			}
			_, err = stock.WriteOff(tx, stock.Discard{Header: stock.Header{Site: site}, Reason: stock.Expired, Lines: out})
			return err
		})
		if err != nil {
			return fmt.Errorf("stock of %s: %w", site.Code, err)
		}
	}
	return nil
}
