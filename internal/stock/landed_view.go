package stock

import (
	"context"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/web"
)

// ErrNoLanded is the answer for a landed cost that is not there and for one out of the caller's reach alike.
var ErrNoLanded = errs.Define("stock_landed_unknown", errs.NotFound, "没有这笔到货费用", "There is no such landed cost")

// LandedRow is a landed cost in a list: so much of it raised the value of goods that were still there, the rest was
// cost of what had gone.
type LandedRow struct {
	ID        id.ID     `json:"id"`
	Date      cal.Date  `json:"business_date"`
	MadeAt    string    `json:"made_at"`
	ReceiptID id.ID     `json:"receipt_id" doc:"the goods receipt whose batches share it"`
	Basis     string    `json:"basis" enum:"value,weight,volume,count"`
	ChargeFen money.Fen `json:"charge_fen"`
	StockFen  money.Fen `json:"stock_fen"`
	SoldFen   money.Fen `json:"sold_fen"`
	Ref       string    `json:"ref"`
	Note      string    `json:"note"`
	Staff     string    `json:"staff"`
}

// LandedStory is a landed cost with the share of each batch.
type LandedStory struct {
	LandedRow
	SiteID id.ID            `json:"site_id"`
	Items  []LandedLineView `json:"items"`
}

// LandedLineView is the share of a batch.
type LandedLineView struct {
	LandedLine
	ProductID id.ID  `json:"product_id"`
	Product   string `json:"product"`
}

const (
	landedColumns = `SELECT d.id, d.site_id, d.business_date, d.made_at, d.receipt_id, d.basis, d.charge_fen,
	COALESCE((SELECT SUM(l.stock_fen) FROM stock_landed_line l WHERE l.landed_id = d.id), 0), d.ref, d.note, COALESCE(f.display_name, '')
FROM stock_landed d LEFT JOIN org_staff f ON f.id = d.staff_id `
	listLanded  = landedColumns + `WHERE d.site_id = $1` + inDays + `ORDER BY d.business_date DESC, d.id DESC LIMIT $5`
	landedOne   = landedColumns + `WHERE d.id = $1`
	landedItems = `SELECT l.batch_id, b.code, l.share_fen, l.stock_fen, k.product_id, p.name FROM stock_landed_line l JOIN stock_batch b ON b.id = l.batch_id
JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id WHERE l.landed_id = $1 ORDER BY l.line_no`
)

func (r *LandedRow) scan(scan func(...any) error) (site id.ID, at time.Time, err error) {
	err = scan(&r.ID, &site, &r.Date, &at, &r.ReceiptID, &r.Basis, &r.ChargeFen, &r.StockFen, &r.Ref, &r.Note, &r.Staff)
	r.SoldFen = r.ChargeFen - r.StockFen
	return site, at, err
}

func landedRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/stock/landed-costs", Name: "list-landed-costs", Summary: "Costs of bringing goods in, newest first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			web.Paging
			SiteID id.ID    `query:"site_id" required:"true"`
			From   cal.Date `query:"from" doc:"business date"`
			To     cal.Date `query:"to" doc:"business date"`
		}) (*web.Page[LandedRow], error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			for field, d := range map[string]cal.Date{"from": in.From, "to": in.To} {
				if d != "" && !d.Valid() {
					return nil, ErrDate.At(field)
				}
			}
			day, before, err := SeekDay(in.Paging, in.To)
			if err != nil {
				return nil, err
			}
			rows := tx.Query(listLanded, in.SiteID, in.From, day, before, in.Limit+1)
			defer rows.Close()
			var all []LandedRow
			for rows.Next() {
				var r LandedRow
				_, at, err := r.scan(rows.Scan)
				if err != nil {
					return nil, err
				}
				r.MadeAt = shown(at, site)
				all = append(all, r)
			}
			return web.PageOf(in.Paging, all, func(r LandedRow) string { return web.Cursor(r.Date, r.ID) }), rows.Err()
		})
	web.Get(api, web.Route{Path: "/api/stock/landed-costs/{id}", Name: "get-landed-cost", Summary: "A cost of bringing goods in, with the share of each batch", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*LandedStory, error) {
			s := &LandedStory{Items: []LandedLineView{}}
			var at time.Time
			var err error
			if s.SiteID, at, err = s.scan(tx.QueryRow(landedOne, in.ID).Scan); err != nil {
				if err == db.ErrNoRow {
					return nil, ErrNoLanded
				}
				return nil, err
			}
			site, err := org.SiteFor(ctx, "stock.read", s.SiteID)
			if err != nil {
				return nil, ErrNoLanded
			}
			s.MadeAt = shown(at, site)
			rows := tx.Query(landedItems, in.ID)
			defer rows.Close()
			for rows.Next() {
				var l LandedLineView
				if err := rows.Scan(&l.BatchID, &l.Batch, &l.ShareFen, &l.StockFen, &l.ProductID, &l.Product); err != nil {
					return nil, err
				}
				l.SoldFen = l.ShareFen - l.StockFen
				s.Items = append(s.Items, l)
			}
			return s, rows.Err()
		})
}
