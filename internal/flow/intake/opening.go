package intake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/stock"
)

var (
	ErrBatchKnown = errs.Define("batch_received", errs.Conflict,
		"批次 {batch} 已入库 {qty},内容不同;请用盘点调整库存", "Batch {batch} is in stock already, received as {qty}; correct it by a count")
	ErrExpiryNeeded = errs.Define("expiry_needed", errs.Invalid,
		"商品有保质期,必须填到期时间", "The product has a shelf life, so the batch needs its expiry")
	ErrGone      = errs.Define("opening_product_gone", errs.Conflict, "“{product}”已淘汰,不能再入期初库存", "{product} is gone for good: no opening stock of it comes in")
	ErrCostLarge = errs.Define("cost_absurd", errs.Invalid, "成本大得不合常理", "The cost is beyond all reason")
)

// opening is a row of opening stock with everything found out.
type opening struct {
	Site    id.ID
	SKU     id.ID
	Batch   string
	Qty     qty.Qty   // in the base unit
	Cost    money.Fen // of all of it
	Expires int64     // UTC ms
}

type batchKey struct {
	site, sku id.ID
	code      string
}

// openingRows is how many batches one step receives: each is two accounts and two transfers.
const openingRows = 50

func (s *Service) openingStock() ops {
	var b *book
	return ops{
		rows:  openingRows,
		parse: func(c *cells) any { return parseStock(c) },
		resolve: func(ctx context.Context, w *work, rows []readRow) (found []resolved, err error) {
			if b == nil {
				if b, err = newBook(ctx, s.d, w.reach, false); err != nil {
					return nil, err
				}
			}
			names := map[string]bool{}
			for _, r := range rows {
				names[r.row.(StockRow).Product] = true
			}
			if err := b.learn(ctx, names); err != nil {
				return nil, err
			}
			found = make([]resolved, len(rows))
			for i, r := range rows {
				o, refused := b.opening(r.row.(StockRow))
				found[i] = resolved{subject: fmt.Sprintf("%d/%d/%s", o.Site, o.SKU, o.Batch), body: o, refused: refused}
			}
			return found, nil
		},
		check: checkOpening,
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			bySite := map[id.ID][]stock.Arrival{}
			var order []id.ID
			for i := range rows {
				var o opening
				if err := rows[i].read(&o); err != nil {
					return err
				}
				if bySite[o.Site] == nil {
					order = append(order, o.Site)
				}
				bySite[o.Site] = append(bySite[o.Site], stock.Arrival{SKU: o.SKU, Code: o.Batch, Qty: o.Qty, Cost: o.Cost, ExpiresAt: time.UnixMilli(o.Expires)})
			}
			for _, site := range order {
				at, err := org.SiteByID(tx, site)
				if err != nil {
					return err
				}
				receipt := stock.Receipt{Header: stock.Header{Site: at, Staff: w.im.StaffID, Ref: "import " + w.im.ID.String()}, Opening: true, Lines: bySite[site]}
				if _, err := stock.Receive(tx, receipt); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// opening finds out everything about a row. A batch without a code is named after its expiry, so that the same
// file names it the same again.
func (b *book) opening(r StockRow) (o opening, refused *errs.Error) {
	site, e := b.site(r.Store)
	if e != nil {
		return o, e.At("store")
	}
	p, e := b.product(r.Product, "")
	if e != nil {
		return o, e.At("product")
	}
	if p.State == catalog.Gone {
		return o, ErrGone.With("product", p.Name).At("product")
	}
	base, _, _, e := p.baseQty(r.Qty, r.Unit)
	if e != nil {
		if e.Field == "" {
			e = e.At("qty")
		}
		return o, e
	}
	if p.Base == "piece" && base%qty.Scale != 0 && !slices.ContainsFunc(p.Units, func(u qty.Unit) bool { return u.Num%u.Den != 0 }) {
		return o, stock.ErrPieces.At("qty") // nobody could ever sell the half of it
	}
	cost, err := money.MulDiv(int64(r.Cost), int64(r.Qty), 10_000*qty.Scale)
	if err != nil || money.Fen(cost) > money.Max {
		return o, ErrCostLarge.At("cost_fen")
	}
	o = opening{Site: site.ID, SKU: p.SKU, Batch: r.Batch, Qty: base, Cost: money.Fen(cost), Expires: stock.Never.UnixMilli()}
	switch {
	case r.Expires == nil && p.LifeH > 0:
		return o, ErrExpiryNeeded.At("expires_at")
	case r.Expires != nil:
		o.Expires = r.Until(site.Location()).UnixMilli()
	}
	if o.Batch == "" {
		o.Batch = "OPENING"
		if r.Expires != nil {
			o.Batch += "-" + time.UnixMilli(o.Expires).In(site.Location()).Format("20060102T1504")
		}
	}
	return o, nil
}

var openedBatches = db.NewMany(`SELECT b.site_id, b.sku_id, b.code, b.expires_at, l.qty, l.value_fen FROM (VALUES `, `(BIGINT, BIGINT, TEXT)`, `) AS v
	JOIN stock_batch b ON b.site_id = v.column1 AND b.sku_id = v.column2 AND b.code = v.column3
	JOIN stock_document_line l ON l.document_id = b.document_id AND l.batch_id = b.id`)

func checkOpening(tx *db.Tx, rows []staged) error {
	wanted := make([]opening, len(rows))
	args := make([]any, 0, 3*len(rows))
	for i := range rows {
		if err := rows[i].read(&wanted[i]); err != nil {
			return err
		}
		args = append(args, wanted[i].Site, wanted[i].SKU, wanted[i].Batch)
	}
	known := map[batchKey]opening{}
	found := tx.QueryMany(openedBatches, args...)
	for found.Next() {
		var o opening
		if err := found.Scan(&o.Site, &o.SKU, &o.Batch, &o.Expires, &o.Qty, &o.Cost); err != nil {
			return err
		}
		known[batchKey{o.Site, o.SKU, o.Batch}] = o
	}
	if err := found.Err(); err != nil {
		return err
	}
	for i, o := range wanted {
		now, ok := known[batchKey{o.Site, o.SKU, o.Batch}]
		switch {
		case ok && now == o:
			rows[i].same = true
		case ok:
			rows[i].refused = ErrBatchKnown.With("batch", o.Batch, "qty", now.Qty).At("batch")
		}
	}
	return nil
}
