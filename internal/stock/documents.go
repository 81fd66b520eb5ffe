package stock

import (
	"cmp"
	"context"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// --- posted documents

// DocumentRow is a document in a list.
type DocumentRow struct {
	ID       id.ID     `json:"id"`
	Kind     string    `json:"kind"`
	SiteID   id.ID     `json:"site_id"`
	Date     cal.Date  `json:"business_date"`
	MadeAt   string    `json:"made_at"`
	Staff    string    `json:"staff"`
	Reason   string    `json:"reason"`
	Ref      string    `json:"ref"`
	Note     string    `json:"note"`
	CauseID  id.ID     `json:"cause_id" doc:"the stock transfer or count that it came of; empty: none"`
	Lines    int64     `json:"lines"`
	ValueFen money.Fen `json:"value_fen" doc:"into the batches above 0, out of them below"`
}

// DocumentStory is a posted document whole.
type DocumentStory struct {
	DocumentRow
	Items []DocumentItem `json:"items"`
}

// DocumentItem is what it did to a batch, in the base unit; below 0 it went out.
type DocumentItem struct {
	LineNo    int64     `json:"line_no"`
	BatchID   id.ID     `json:"batch_id"`
	Batch     string    `json:"batch"`
	PlaceID   id.ID     `json:"place_id" doc:"of the batch, when the line is about one; else empty"`
	ProductID id.ID     `json:"product_id"`
	Code      string    `json:"code"`
	Product   string    `json:"product"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit"`
	ValueFen  money.Fen `json:"value_fen"`
	ClaimFen  money.Fen `json:"claim_fen" doc:"what the supplier owes for it, of a return"`
	ExpiresAt string    `json:"expires_at" doc:"empty: keeps for ever"`
}

// DocumentSearch is the input of the list of documents.
type DocumentSearch struct {
	web.Paging
	SiteID id.ID    `query:"site_id" required:"true"`
	Kind   string   `query:"kind" enum:",goods_receipt,opening_stock,write_off,adjustment,freeze,release,stock_move,transfer_out,transfer_in,transfer_missing,stock_count,supplier_return,conversion,conversion_back"`
	From   cal.Date `query:"from" doc:"business date"`
	To     cal.Date `query:"to" doc:"business date"`
	Cause  id.ID    `query:"cause_id" doc:"only those that came of this stock transfer or count"`
}

// kinds of the documents of this package by name.
var kinds = func() map[string]ledger.Kind {
	m := map[string]ledger.Kind{}
	for k := ReceiptDoc; k <= ConversionBackDoc; k++ {
		m[k.String()] = k
	}
	return m
}()

const (
	documentColumns = `SELECT d.id, d.kind, d.site_id, d.business_date, d.made_at, COALESCE(f.display_name, ''), d.reason, d.ref, d.note, d.cause_id,
	(SELECT COUNT(*) FROM stock_document_line l WHERE l.document_id = d.id), COALESCE((SELECT SUM(l.value_fen) FROM stock_document_line l WHERE l.document_id = d.id), 0)
FROM stock_document d LEFT JOIN org_staff f ON f.id = d.staff_id `
	// Each begins where it is asked for and reads in order: a page costs the same after years.
	inDays           = ` AND d.business_date >= $2 AND (d.business_date, d.id) < ($3, $4) `
	listDocuments    = documentColumns + `WHERE d.site_id = $1` + inDays + `ORDER BY d.business_date DESC, d.id DESC LIMIT $5`
	documentsOfKind  = documentColumns + `WHERE d.site_id = $1` + inDays + `AND d.kind = $5 ORDER BY d.business_date DESC, d.id DESC LIMIT $6`
	documentsOfCause = documentColumns + `WHERE d.site_id + 0 = $1` + inDays + `AND d.cause_id = $5 AND d.cause_id > 0 AND (CAST($6 AS BIGINT) = 0 OR d.kind = $6) ORDER BY d.business_date DESC, d.id DESC LIMIT $7` // + 0: the few of the cause

	oneDocument   = documentColumns + `WHERE d.id = $1`
	documentItems = `SELECT l.line_no, l.batch_id, b.code, l.place_id, k.product_id, p.code, p.name, l.qty, p.base_unit, l.value_fen, l.claim_fen, b.expires_at
FROM stock_document_line l JOIN stock_batch b ON b.id = l.batch_id JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id WHERE l.document_id = $1 ORDER BY l.line_no`
)

func (d *DocumentRow) scan(scan func(...any) error) (time.Time, error) {
	var kind ledger.Kind
	var at time.Time
	err := scan(&d.ID, &kind, &d.SiteID, &d.Date, &at, &d.Staff, &d.Reason, &d.Ref, &d.Note, &d.CauseID, &d.Lines, &d.ValueFen)
	d.Kind = kind.String()
	return at, err
}

// ErrNoDocument is the answer for a document that is not there and for one out of the caller's reach alike.
var ErrNoDocument = errs.Define("stock_document_unknown", errs.NotFound, "没有这张单据", "There is no such document")

// ErrDate refuses a business date that is none.
var ErrDate = errs.Define("stock_date_bad", errs.Invalid, "日期应写成 2026-03-01 这样", "A date is written like 2026-03-01")

// SeekDay is where a page of a list by business date begins, newest first: before this day and id. Up to and with a day,
// or, without one, from the newest.
func SeekDay(p web.Paging, to cal.Date) (day cal.Date, before id.ID, err error) {
	day, before = cmp.Or(to, "9999-12-31"), 1<<63-1
	_, err = p.Seek(&day, &before)
	return day, before, err
}

func documentRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/stock/documents", Name: "list-stock-documents", Summary: "Posted documents of stock, newest first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *DocumentSearch) (*web.Page[DocumentRow], error) {
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
			var rows *db.Rows
			switch {
			case in.Cause > 0:
				rows = tx.Query(documentsOfCause, in.SiteID, in.From, day, before, in.Cause, kinds[in.Kind], in.Limit+1)
			case in.Kind != "":
				rows = tx.Query(documentsOfKind, in.SiteID, in.From, day, before, kinds[in.Kind], in.Limit+1)
			default:
				rows = tx.Query(listDocuments, in.SiteID, in.From, day, before, in.Limit+1)
			}
			defer rows.Close()
			var all []DocumentRow
			for rows.Next() {
				var d DocumentRow
				at, err := d.scan(rows.Scan)
				if err != nil {
					return nil, err
				}
				d.MadeAt = shown(at, site)
				all = append(all, d)
			}
			return web.PageOf(in.Paging, all, func(d DocumentRow) string { return web.Cursor(d.Date, d.ID) }), rows.Err()
		})
	web.Get(api, web.Route{Path: "/api/stock/documents/{id}", Name: "get-stock-document", Summary: "A posted document of stock", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*DocumentStory, error) {
			s := &DocumentStory{}
			at, err := s.scan(tx.QueryRow(oneDocument, in.ID).Scan)
			if err == db.ErrNoRow {
				return nil, ErrNoDocument
			}
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "stock.read", s.SiteID)
			if err != nil {
				return nil, ErrNoDocument
			}
			s.MadeAt = shown(at, site)
			s.Items, err = documentItemsOf(tx, site, in.ID)
			return s, err
		})
}

func documentItemsOf(tx *db.Tx, site *org.Site, document id.ID) ([]DocumentItem, error) {
	rows := tx.Query(documentItems, document)
	defer rows.Close()
	items := []DocumentItem{}
	for rows.Next() {
		var l DocumentItem
		var expires time.Time
		if err := rows.Scan(&l.LineNo, &l.BatchID, &l.Batch, &l.PlaceID, &l.ProductID, &l.Code, &l.Product, &l.Qty, &l.Unit, &l.ValueFen, &l.ClaimFen, &expires); err != nil {
			return nil, err
		}
		l.ExpiresAt = shown(expires, site)
		items = append(items, l)
	}
	return items, rows.Err()
}
