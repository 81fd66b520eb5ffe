package supplyday

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/purchase"

	"zhanggui/internal/stock"
)

// ReceiptIn is goods that came against an order.
type ReceiptIn struct {
	Ref   string          `json:"ref,omitempty" maxLength:"60" doc:"the supplier's number"`
	Note  string          `json:"note,omitempty" maxLength:"200"`
	Lines []ReceiptLineIn `json:"lines" minItems:"1" maxItems:"500"`
}

// ReceiptLineIn is one batch of it.
type ReceiptLineIn struct {
	Line      int64     `json:"line" doc:"line_no of the order"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Code      string    `json:"code,omitempty" maxLength:"40" doc:"of the batch; made when left out"`
	MadeOn    cal.Date  `json:"made_on,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitempty" doc:"when left out: by the product's shelf life, from the day it was made, else from now"`
}

// ReceiptView is what came, and the order as it is now.
type ReceiptView struct {
	ID      id.ID              `json:"id" doc:"of the receipt and of the document of stock"`
	OrderID id.ID              `json:"order_id"`
	CostFen money.Fen          `json:"cost_fen"`
	Lines   []ReceiptLineView  `json:"lines"`
	Order   purchase.OrderView `json:"order"`
}

// ReceiptLineView is one batch.
type ReceiptLineView struct {
	Line    int64     `json:"line"`
	BatchID id.ID     `json:"batch_id"`
	Code    string    `json:"code"`
	Qty     qty.Qty   `json:"qty" doc:"in the base unit"`
	CostFen money.Fen `json:"cost_fen"`
}

func (s *Service) receiptRoutes(api *web.API) {
	web.Post(api, web.Route{Path: "/api/purchase/orders/{id}/receipts", Name: "receive-purchase", Summary: "Receive goods against a purchase order", Perm: permReceive, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body ReceiptIn
		}) (*ReceiptView, error) {
			site, err := purchase.SiteOf(ctx, tx, permReceive, in.ID)
			if err != nil {
				return nil, err
			}
			return s.receive(tx, site, org.CallerOf(ctx).ID, in.ID, in.Body)
		})
}

// receive brings goods into stock and notes them on their order, in one act. They cost what the order says.
func (s *Service) receive(tx *db.Tx, site *org.Site, staff, order id.ID, in ReceiptIn) (*ReceiptView, error) {
	o, err := purchase.Lock(tx, order)
	if err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(o.Lines))
	lines := map[int64]purchase.Line{}
	for i, l := range o.Lines {
		ids[i], lines[l.No] = l.Product, l
	}
	goods, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	arrivals := make([]purchase.Arrival, len(in.Lines))
	for i, l := range in.Lines {
		arrivals[i] = purchase.Arrival{Line: l.Line, Qty: l.Qty}
		g := goods[lines[l.Line].Product]
		if g == nil {
			continue // no such line: Price says so
		}
		if l.Unit != "" && l.Unit != g.BaseUnit {
			u := g.Unit(l.Unit)
			if u == nil {
				return nil, ErrUnit.With("product", g.Name, "unit", l.Unit).At(fmt.Sprintf("lines[%d].unit", i))
			}
			if arrivals[i].Qty, err = u.Qty().ToBase(l.Qty); err != nil {
				return nil, errs.As(err).At(fmt.Sprintf("lines[%d].qty", i))
			}
		}
		if g.BaseUnit == "piece" && arrivals[i].Qty%qty.Scale != 0 && !slices.ContainsFunc(g.Units, func(u catalog.Unit) bool { return u.Num%u.Den != 0 }) {
			return nil, stock.ErrPieces.At(fmt.Sprintf("lines[%d].qty", i))
		}
	}
	if err := o.Price(arrivals, func(p id.ID) (string, string) { return goods[p].Name, goods[p].BaseUnit }); err != nil {
		return nil, err
	}
	receipt := stock.Receipt{Header: stock.Header{ID: id.New(), Site: site, Staff: staff, Ref: in.Ref, Note: in.Note}, Lines: make([]stock.Arrival, len(in.Lines))}
	for i, l := range in.Lines {
		g := goods[lines[l.Line].Product]
		if l.MadeOn != "" && !l.MadeOn.Valid() {
			return nil, cal.ErrDate.With("text", l.MadeOn).At(fmt.Sprintf("lines[%d].made_on", i))
		}
		receipt.Lines[i] = stock.Arrival{SKU: g.SKU, Code: strings.TrimSpace(l.Code), Qty: arrivals[i].Qty, Cost: arrivals[i].Cost, MadeOn: l.MadeOn, ExpiresAt: expiry(tx, site, g, l)}
	}
	doc, err := stock.Receive(tx, receipt)
	if err != nil {
		return nil, err
	}
	v := &ReceiptView{ID: doc.ID, OrderID: order}
	for i := range arrivals {
		arrivals[i].Batch = doc.Lines[i].Batch
		v.CostFen += arrivals[i].Cost
		v.Lines = append(v.Lines, ReceiptLineView{arrivals[i].Line, doc.Lines[i].Batch, doc.Lines[i].Code, arrivals[i].Qty, arrivals[i].Cost})
	}
	if err := o.Receive(tx, doc.ID, doc.Date, staff, in.Ref, in.Note, arrivals); err != nil {
		return nil, err
	}
	view, err := purchase.View(tx, order)
	if err != nil {
		return nil, err
	}
	v.Order = *view
	return v, nil
}

// expiry is until when a batch is good: as said, else by the shelf life from the day it was made or from now.
func expiry(tx *db.Tx, site *org.Site, g *catalog.Product, l ReceiptLineIn) time.Time {
	if !l.ExpiresAt.IsZero() || g.ShelfLifeH == 0 {
		return l.ExpiresAt
	}
	from := tx.Now()
	if l.MadeOn != "" {
		d := l.MadeOn.Time()
		from = time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, site.Location())
	}
	return from.Add(time.Duration(g.ShelfLifeH) * time.Hour)
}

// Proofs of what only holds of several capabilities together.
func Proofs() []proof.Proof {
	return []proof.Proof{
		{Name: "supplyday_receipts_are_in_stock", Run: proveReceipts},
		{Name: "supplyday_orders_are_confirmed_proposals", Run: proveOrders},
	}
}

// proveReceipts: every receipt against an order is a document of stock with the same batches, quantities and values.
func proveReceipts(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM purchase_receipt_line`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT l.receipt_id, l.line_no, l.qty, COALESCE(s.qty, 0), l.cost_fen, COALESCE(s.value_fen, 0) FROM purchase_receipt_line l JOIN purchase_receipt p ON p.id = l.receipt_id
JOIN purchase_line o ON o.order_id = p.order_id AND o.line_no = l.order_line
LEFT JOIN stock_document d ON d.id = l.receipt_id AND d.kind = $1 AND d.site_id = p.site_id AND d.business_date = p.business_date
LEFT JOIN stock_document_line s ON s.document_id = d.id AND s.line_no = l.line_no AND s.batch_id = l.batch_id
LEFT JOIN stock_batch b ON b.id = s.batch_id AND b.site_id = p.site_id LEFT JOIN catalog_sku k ON k.id = b.sku_id AND k.product_id = o.product_id
WHERE k.id IS NULL OR s.qty <> l.qty OR s.value_fen <> l.cost_fen`, stock.ReceiptDoc)
	for rows.Next() {
		var receipt id.ID
		var line, has, is, fen, worth int64
		if err := rows.Scan(&receipt, &line, &has, &is, &fen, &worth); err != nil {
			return r, err
		}
		r.Add("line %d of receipt %s says %d thousandths for %d fen, stock says %d for %d", line, receipt, has, fen, is, worth)
	}
	return r, rows.Err()
}

// proveOrders: every order line that names a proposal has its product, quantity and price, and every proposal that was
// confirmed to be bought is an order line.
func proveOrders(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	if err := tx.QueryRow(`SELECT COUNT(*) FROM purchase_line WHERE proposal_id > 0`).Scan(&r.Rows); err != nil {
		return r, err
	}
	rows := tx.Query(`
SELECT o.no, l.line_no FROM purchase_line l JOIN purchase_order o ON o.id = l.order_id
LEFT JOIN replenish_proposal p ON p.id = l.proposal_id AND p.document_id = l.order_id AND p.document_line = l.line_no AND p.product_id = l.product_id AND p.supplier_id = o.supplier_id
	AND p.due = o.due AND p.qty = l.qty AND p.packs = l.packs AND p.amount_fen = l.amount_fen AND p.price_fen4 = l.price_fen4 AND p.state <> 'proposed'
WHERE l.proposal_id > 0 AND p.id IS NULL`)
	for rows.Next() {
		var no string
		var line int64
		if err := rows.Scan(&no, &line); err != nil {
			return r, err
		}
		r.Add("line %d of %s is not what was confirmed", line, no)
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	rows = tx.Query(`
SELECT p.id FROM replenish_proposal p LEFT JOIN purchase_line l ON l.proposal_id = p.id AND l.order_id = p.document_id
WHERE p.supplier_id > 0 AND p.state <> 'proposed' AND p.qty > 0 AND l.order_id IS NULL`)
	for rows.Next() {
		var p id.ID
		if err := rows.Scan(&p); err != nil {
			return r, err
		}
		r.Add("proposal %s was confirmed and nothing was ordered", p)
	}
	return r, rows.Err()
}
