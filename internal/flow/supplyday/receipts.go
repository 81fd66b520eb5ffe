package supplyday

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"

	"zhanggui/internal/stock"
)

// permStock is what it takes to see goods receipts: they are documents of stock.
const permStock = "stock.read"

// ReceiptRow is a goods receipt in a list, with the order it came against.
type ReceiptRow struct {
	ID        id.ID     `json:"id" doc:"of the document of stock"`
	SiteID    id.ID     `json:"site_id"`
	Date      cal.Date  `json:"business_date"`
	MadeAt    string    `json:"made_at"`
	Staff     string    `json:"staff"`
	Ref       string    `json:"ref" doc:"the supplier's number"`
	Note      string    `json:"note"`
	OrderID   id.ID     `json:"order_id" doc:"empty: received without an order"`
	OrderNo   string    `json:"order_no"`
	Supplier  string    `json:"supplier" doc:"empty: received without an order"`
	State     string    `json:"state" enum:"received,part_returned,returned" doc:"returned: all of it went back to the supplier"`
	Lines     int64     `json:"lines"`
	ValueFen  money.Fen `json:"value_fen" doc:"what the goods cost as they came in"`
	LandedFen money.Fen `json:"landed_fen" doc:"freight and other costs that were shared over it since"`
	ClaimFen  money.Fen `json:"claim_fen" doc:"what the supplier owes for what went back"`
}

// ReceiptStory is a goods receipt whole.
type ReceiptStory struct {
	ReceiptRow
	Items []ReceiptItem `json:"items"`
	Trail []ReceiptStep `json:"trail" doc:"oldest first"`
}

// ReceiptItem is a batch that came, quantities in the base unit.
type ReceiptItem struct {
	LineNo    int64     `json:"line_no"`
	BatchID   id.ID     `json:"batch_id"`
	Batch     string    `json:"batch"`
	ProductID id.ID     `json:"product_id"`
	Code      string    `json:"code"`
	Product   string    `json:"product"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit"`
	ValueFen  money.Fen `json:"value_fen"`
	LandedFen money.Fen `json:"landed_fen"`
	Returned  qty.Qty   `json:"returned"`
	Left      qty.Qty   `json:"left" doc:"of the batch as it is now, in every place of it at the site"`
	MadeOn    cal.Date  `json:"made_on"`
	ExpiresAt string    `json:"expires_at" doc:"empty: keeps for ever"`
	Ordered   qty.Qty   `json:"ordered" doc:"on the line of the order; 0: without an order"`
}

// ReceiptStep is what happened to it.
type ReceiptStep struct {
	Act       string    `json:"act" enum:"received,landed,returned"`
	ID        id.ID     `json:"id" doc:"of the goods receipt, the landed cost or the return"`
	At        string    `json:"at"`
	Staff     string    `json:"staff"`
	AmountFen money.Fen `json:"amount_fen" doc:"what came in, what was shared, what the supplier owes"`
	Ref       string    `json:"ref"`
	Note      string    `json:"note"`
}

// ReceiptSearch is the input of the list of goods receipts.
type ReceiptSearch struct {
	web.Paging
	SiteID  id.ID    `query:"site_id" required:"true"`
	Against string   `query:"against" enum:",order,nothing" doc:"only those against an order, or only those without"`
	From    cal.Date `query:"from" doc:"business date"`
	To      cal.Date `query:"to" doc:"business date"`
	Q       string   `query:"q" maxLength:"60" doc:"part of the supplier's number, of the order's or of the supplier's name"`
}

// A return is a document of stock of its own; its lines name the batches that the receipt brought in.
const (
	returnsOf      = ` FROM stock_document_line r JOIN stock_document e ON e.id = r.document_id AND e.kind = 31 WHERE r.batch_id = l.batch_id`
	receiptColumns = `SELECT d.id, d.site_id, d.business_date, d.made_at, COALESCE(f.display_name, ''), d.ref, d.note, COALESCE(p.order_id, 0), COALESCE(o.no, ''), COALESCE(s.name, ''),
	(SELECT COUNT(*) FROM stock_document_line l WHERE l.document_id = d.id),
	(SELECT COALESCE(SUM(l.value_fen), 0) FROM stock_document_line l WHERE l.document_id = d.id),
	(SELECT COALESCE(SUM(x.charge_fen), 0) FROM stock_landed x WHERE x.receipt_id = d.id),
	(SELECT COALESCE(SUM((SELECT COALESCE(SUM(r.claim_fen), 0)` + returnsOf + `)), 0) FROM stock_document_line l WHERE l.document_id = d.id),
	(SELECT COUNT(*) FROM stock_document_line l WHERE l.document_id = d.id AND EXISTS (SELECT 1` + returnsOf + `)),
	(SELECT COUNT(*) FROM stock_document_line l WHERE l.document_id = d.id AND l.qty = (SELECT COALESCE(SUM(-r.qty), 0)` + returnsOf + `))
FROM stock_document d LEFT JOIN org_staff f ON f.id = d.staff_id LEFT JOIN purchase_receipt p ON p.id = d.id
LEFT JOIN purchase_order o ON o.id = p.order_id LEFT JOIN party_supplier s ON s.id = o.supplier_id WHERE d.kind = 20 `
	// What a list goes through is light: which of them are shown is decided here, their columns are asked for by id.
	receiptKeys = `SELECT d.business_date, d.id, d.ref, CASE WHEN p.id IS NULL THEN 0 ELSE 1 END, COALESCE(o.no, ''), COALESCE(s.name, '')
FROM stock_document d LEFT JOIN purchase_receipt p ON p.id = d.id LEFT JOIN purchase_order o ON o.id = p.order_id LEFT JOIN party_supplier s ON s.id = o.supplier_id
WHERE d.kind = 20 AND d.site_id = $1 AND d.business_date >= $2 AND (d.business_date, d.id) < ($3, $4) ORDER BY d.business_date DESC, d.id DESC LIMIT $5`
	orderedKeys = `SELECT p.business_date, p.id, p.ref, 1, o.no, COALESCE(s.name, '')
FROM purchase_receipt p JOIN purchase_order o ON o.id = p.order_id LEFT JOIN party_supplier s ON s.id = o.supplier_id
WHERE p.site_id = $1 AND p.business_date >= $2 AND (p.business_date, p.id) < ($3, $4) ORDER BY p.business_date DESC, p.id DESC LIMIT $5`
	oneReceipt   = receiptColumns + `AND d.id = $1`
	receiptItems = `SELECT l.line_no, l.batch_id, b.code, k.product_id, c.code, c.name, l.qty, c.base_unit, l.value_fen, b.made_on, b.expires_at, COALESCE(w.qty, 0),
	(SELECT COALESCE(SUM(-r.qty), 0)` + returnsOf + `), (SELECT COALESCE(SUM(y.share_fen), 0) FROM stock_landed x JOIN stock_landed_line y ON y.landed_id = x.id WHERE x.receipt_id = l.document_id AND y.batch_id = l.batch_id),
	a.posted_in - a.posted_out + (SELECT COALESCE(SUM(g.posted_in - g.posted_out), 0) FROM stock_place q JOIN ledger_account g ON g.id = q.id WHERE q.batch_id = l.batch_id AND q.open = 1)
FROM stock_document_line l JOIN stock_batch b ON b.id = l.batch_id JOIN ledger_account a ON a.id = b.id JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product c ON c.id = k.product_id
LEFT JOIN purchase_receipt p ON p.id = l.document_id LEFT JOIN purchase_receipt_line z ON z.receipt_id = p.id AND z.line_no = l.line_no
LEFT JOIN purchase_line w ON w.order_id = p.order_id AND w.line_no = z.order_line WHERE l.document_id = $1 ORDER BY l.line_no`
	receiptCosts   = `SELECT x.id, x.made_at, COALESCE(f.display_name, ''), x.charge_fen, x.ref, x.note FROM stock_landed x LEFT JOIN org_staff f ON f.id = x.staff_id WHERE x.receipt_id = $1 ORDER BY x.id`
	receiptReturns = `SELECT e.id, e.made_at, COALESCE(f.display_name, ''), SUM(r.claim_fen), e.ref, e.note FROM stock_document_line l JOIN stock_document_line r ON r.batch_id = l.batch_id
JOIN stock_document e ON e.id = r.document_id AND e.kind = 31 LEFT JOIN org_staff f ON f.id = e.staff_id WHERE l.document_id = $1 GROUP BY e.id, e.made_at, f.display_name, e.ref, e.note ORDER BY e.id`
)

var receiptsByID = db.NewMany(receiptColumns+`AND d.id IN (`, `?`, `) ORDER BY d.business_date DESC, d.id DESC`)

// receiptWindow is how many receipts one request goes through at most. When few of them are what is asked for, the page says
// where the next window begins, however little is on it.
const receiptWindow = 2000

// receiptPage is a page of the list. Its cost does not grow with what a site has received in its life.
func receiptPage(tx *db.Tx, site *org.Site, in *ReceiptSearch, window int) (*web.Page[ReceiptRow], error) {
	day, before, err := stock.SeekDay(in.Paging, in.To)
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(strings.TrimSpace(in.Q))
	most := in.Limit + 1
	if q != "" || in.Against == "nothing" {
		most = window
	}
	keys := receiptKeys
	if in.Against == "order" {
		keys = orderedKeys
	}
	var ids []any
	seen, next := 0, ""
	rows := tx.Query(keys, in.SiteID, in.From, day, before, most)
	defer rows.Close()
	for len(ids) <= in.Limit && rows.Next() {
		var receipt id.ID
		var ordered int64
		var ref, no, supplier string
		if err := rows.Scan(&day, &receipt, &ref, &ordered, &no, &supplier); err != nil {
			return nil, err
		}
		seen++
		switch {
		case in.Against == "nothing" && ordered == 1, !strings.Contains(strings.ToLower(ref+"\n"+no+"\n"+supplier), q):
		case len(ids) == in.Limit: // there is one more
			ids = append(ids, nil)
			continue
		default:
			ids = append(ids, int64(receipt))
		}
		next = web.Cursor(day, receipt)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	rows.Close()
	page := &web.Page[ReceiptRow]{Items: []ReceiptRow{}}
	if len(ids) > in.Limit || seen == window {
		page.Next, ids = next, ids[:min(len(ids), in.Limit)]
	}
	found := tx.QueryMany(receiptsByID, ids...)
	defer found.Close()
	for found.Next() {
		var r ReceiptRow
		at, err := r.scan(found.Scan)
		if err != nil {
			return nil, err
		}
		r.MadeAt = onSite(at, site)
		page.Items = append(page.Items, r)
	}
	return page, found.Err()
}

func (r *ReceiptRow) scan(scan func(...any) error) (time.Time, error) {
	var at time.Time
	var touched, whole int64
	err := scan(&r.ID, &r.SiteID, &r.Date, &at, &r.Staff, &r.Ref, &r.Note, &r.OrderID, &r.OrderNo, &r.Supplier, &r.Lines, &r.ValueFen, &r.LandedFen, &r.ClaimFen, &touched, &whole)
	switch {
	case touched == 0:
		r.State = "received"
	case whole == r.Lines:
		r.State = "returned"
	default:
		r.State = "part_returned"
	}
	return at, err
}

func receiptViewRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/receipts", Name: "list-receipts", Summary: "Goods receipts of a site, newest first", Perm: permStock, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *ReceiptSearch) (*web.Page[ReceiptRow], error) {
			site, err := org.SiteFor(ctx, permStock, in.SiteID)
			if err != nil {
				return nil, err
			}
			for field, d := range map[string]cal.Date{"from": in.From, "to": in.To} {
				if d != "" && !d.Valid() {
					return nil, cal.ErrDate.With("text", d).At(field)
				}
			}
			return receiptPage(tx, site, in, receiptWindow)
		})
	web.Get(api, web.Route{Path: "/api/receipts/{id}", Name: "get-receipt", Summary: "A goods receipt: its batches, and what happened to it since", Perm: permStock, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*ReceiptStory, error) {
			return receiptStory(ctx, tx, in.ID)
		})
}

func receiptStory(ctx context.Context, tx *db.Tx, receipt id.ID) (*ReceiptStory, error) {
	s := &ReceiptStory{Items: []ReceiptItem{}}
	head, items, costs, returns := tx.QueryRow(oneReceipt, receipt), tx.Query(receiptItems, receipt), tx.Query(receiptCosts, receipt), tx.Query(receiptReturns, receipt)
	defer items.Close()
	defer costs.Close()
	defer returns.Close()
	at, err := s.scan(head.Scan)
	if err == db.ErrNoRow {
		return nil, stock.ErrNoDocument
	}
	if err != nil {
		return nil, err
	}
	site, err := org.SiteFor(ctx, permStock, s.SiteID)
	if err != nil {
		return nil, stock.ErrNoDocument
	}
	s.MadeAt = onSite(at, site)
	for items.Next() {
		var l ReceiptItem
		var expires time.Time
		if err := items.Scan(&l.LineNo, &l.BatchID, &l.Batch, &l.ProductID, &l.Code, &l.Product, &l.Qty, &l.Unit, &l.ValueFen, &l.MadeOn, &expires, &l.Ordered, &l.Returned, &l.LandedFen, &l.Left); err != nil {
			return nil, err
		}
		if expires.Before(stock.Never) {
			l.ExpiresAt = onSite(expires, site)
		}
		s.Items = append(s.Items, l)
	}
	if err := items.Err(); err != nil {
		return nil, err
	}
	s.Trail = []ReceiptStep{{Act: "received", ID: s.ID, At: s.MadeAt, Staff: s.Staff, AmountFen: s.ValueFen, Ref: s.Ref, Note: s.Note}}
	for _, of := range []struct {
		act  string
		rows *db.Rows
	}{{"landed", costs}, {"returned", returns}} {
		for of.rows.Next() {
			step := ReceiptStep{Act: of.act}
			if err := of.rows.Scan(&step.ID, &at, &step.Staff, &step.AmountFen, &step.Ref, &step.Note); err != nil {
				return nil, err
			}
			step.At = onSite(at, site)
			s.Trail = append(s.Trail, step)
		}
		if err := of.rows.Err(); err != nil {
			return nil, err
		}
	}
	// Ids rise with time.
	slices.SortFunc(s.Trail, func(a, b ReceiptStep) int { return cmp.Compare(a.ID, b.ID) })
	return s, nil
}

// onSite is an instant with the site's offset.
func onSite(t time.Time, site *org.Site) string { return t.In(site.Location()).Format(time.RFC3339) }
