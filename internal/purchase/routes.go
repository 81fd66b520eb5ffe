package purchase

import (
	"context"
	"strings"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Permissions of this package.
const (
	permRead   = "purchase.read"
	permManage = "purchase.manage"
)

// OrderView is an order on the wire. Quantities are in the unit beside them.
type OrderView struct {
	ID           id.ID      `json:"id"`
	No           string     `json:"no"`
	SiteID       id.ID      `json:"site_id"`
	SiteName     string     `json:"site_name"`
	SupplierID   id.ID      `json:"supplier_id"`
	SupplierCode string     `json:"supplier_code"`
	SupplierName string     `json:"supplier_name"`
	Due          cal.Date   `json:"due"`
	OrderBy      string     `json:"order_by" doc:"on the clock of the site, as in 2026-03-02 16:00"`
	PlanID       id.ID      `json:"plan_id" doc:"empty: written by hand"`
	State        State      `json:"state" enum:"proposed,confirmed,sent,part_received,received,closed"`
	Note         string     `json:"note"`
	MadeBy       string     `json:"made_by"`
	MadeAt       time.Time  `json:"made_at"`
	SentBy       string     `json:"sent_by"`
	SentAt       *time.Time `json:"sent_at,omitempty"`
	ClosedBy     string     `json:"closed_by"`
	ClosedAt     *time.Time `json:"closed_at,omitempty"`
	CloseReason  string     `json:"close_reason"`
	AmountFen    money.Fen  `json:"amount_fen"`
	ReceivedFen  money.Fen  `json:"received_fen"`
	LineCount    int64      `json:"line_count"`
	Lines        []LineView `json:"lines" doc:"only of a single order"`
	Receipts     []Came     `json:"receipts" doc:"only of a single order, oldest first"`
}

// Came is a receipt against an order.
type Came struct {
	ID           id.ID      `json:"id" doc:"also of the document of stock"`
	BusinessDate cal.Date   `json:"business_date"`
	Ref          string     `json:"ref" doc:"the supplier's number"`
	Note         string     `json:"note"`
	ReceivedBy   string     `json:"received_by"`
	ReceivedAt   time.Time  `json:"received_at"`
	CostFen      money.Fen  `json:"cost_fen"`
	Lines        []CameLine `json:"lines"`
}

// CameLine is a batch of it.
type CameLine struct {
	LineNo  int64     `json:"line_no" doc:"of the order"`
	BatchID id.ID     `json:"batch_id"`
	Qty     qty.Qty   `json:"qty" doc:"in the base unit"`
	CostFen money.Fen `json:"cost_fen"`
}

// LineView is a line on the wire.
type LineView struct {
	LineNo      int64      `json:"line_no"`
	ProductID   id.ID      `json:"product_id"`
	Code        string     `json:"code"`
	Name        string     `json:"name"`
	Packs       int64      `json:"packs"`
	PackQty     qty.Qty    `json:"pack_qty"`
	PackUnit    string     `json:"pack_unit"`
	PriceFen4   money.Fen4 `json:"price_fen4" doc:"of one pack_unit, in ten-thousandths of a fen"`
	Qty         qty.Qty    `json:"qty"`
	Unit        string     `json:"unit" doc:"base unit of qty, received and open"`
	AmountFen   money.Fen  `json:"amount_fen"`
	Received    qty.Qty    `json:"received"`
	Open        qty.Qty    `json:"open" doc:"still expected"`
	ReceivedFen money.Fen  `json:"received_fen"`
	ProposalID  id.ID      `json:"proposal_id" doc:"the line of a plan it was; empty: none"`
}

const (
	viewColumns = `SELECT o.id, o.no, o.site_id, t.name, o.supplier_id, s.code, s.name, o.due, o.order_by, o.plan_id, o.state, o.note, COALESCE(f.display_name, ''), o.made_at, COALESCE(g.display_name, ''), o.sent_at, COALESCE(h.display_name, ''), o.closed_at, o.close_reason,
		(SELECT COALESCE(SUM(l.amount_fen), 0) FROM purchase_line l WHERE l.order_id = o.id), (SELECT COALESCE(SUM(l.received_fen), 0) FROM purchase_line l WHERE l.order_id = o.id), o.lines
		FROM purchase_order o JOIN org_site t ON t.id = o.site_id JOIN party_supplier s ON s.id = o.supplier_id LEFT JOIN org_staff f ON f.id = o.staff_id
		LEFT JOIN org_staff g ON g.id = o.sent_by LEFT JOIN org_staff h ON h.id = o.closed_by `
	viewOne  = viewColumns + `WHERE o.id = $1`
	viewList = viewColumns + `WHERE (CAST($1 AS BIGINT) = 1 OR o.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
		AND (CAST($4 AS BIGINT) = 0 OR o.site_id = $4) AND (CAST($5 AS BIGINT) = 0 OR o.supplier_id = $5) AND (CAST($6 AS TEXT) = '' OR o.state = $6) AND (CAST($7 AS TEXT) = '' OR o.due = $7)
		AND (CAST($8 AS TEXT) = '' OR o.due <= $8) AND (CAST($9 AS BIGINT) = 0 OR o.state IN ('confirmed', 'sent', 'part_received'))
		AND (CAST($10 AS TEXT) = '' OR o.no LIKE $11 ESCAPE '!') AND o.id < $12 ORDER BY o.id DESC LIMIT $13`
	viewLines = `SELECT l.line_no, l.product_id, c.code, c.name, l.packs, l.pack, l.unit, l.price_fen4, l.qty, c.base_unit, l.amount_fen, l.received, l.received_fen, l.proposal_id
		FROM purchase_line l JOIN catalog_product c ON c.id = l.product_id WHERE l.order_id = $1 ORDER BY l.line_no`
	viewReceipts = `SELECT p.id, p.business_date, p.ref, p.note, COALESCE(f.display_name, ''), p.received_at, r.order_line, r.batch_id, r.qty, r.cost_fen
		FROM purchase_receipt p JOIN purchase_receipt_line r ON r.receipt_id = p.id LEFT JOIN org_staff f ON f.id = p.staff_id WHERE p.order_id = $1 ORDER BY p.id, r.line_no`
)

func scanView(scan func(...any) error) (v OrderView, err error) {
	v.Lines, v.Receipts = []LineView{}, []Came{}
	return v, scan(&v.ID, &v.No, &v.SiteID, &v.SiteName, &v.SupplierID, &v.SupplierCode, &v.SupplierName, &v.Due, &v.OrderBy, &v.PlanID, &v.State, &v.Note, &v.MadeBy, &v.MadeAt, &v.SentBy, &v.SentAt, &v.ClosedBy, &v.ClosedAt, &v.CloseReason,
		&v.AmountFen, &v.ReceivedFen, &v.LineCount)
}

// View shows an order with its lines, whoever asks.
func View(tx *db.Tx, order id.ID) (*OrderView, error) {
	head, lines, came := tx.QueryRow(viewOne, order), tx.Query(viewLines, order), tx.Query(viewReceipts, order)
	defer lines.Close()
	defer came.Close()
	v, err := scanView(head.Scan)
	if err == db.ErrNoRow {
		return nil, ErrNoOrder
	}
	if err != nil {
		return nil, err
	}
	for lines.Next() {
		var l LineView
		if err := lines.Scan(&l.LineNo, &l.ProductID, &l.Code, &l.Name, &l.Packs, &l.PackQty, &l.PackUnit, &l.PriceFen4, &l.Qty, &l.Unit, &l.AmountFen, &l.Received, &l.ReceivedFen, &l.ProposalID); err != nil {
			return nil, err
		}
		l.Open = max(0, l.Qty-l.Received)
		v.Lines = append(v.Lines, l)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for came.Next() {
		var c Came
		var l CameLine
		if err := came.Scan(&c.ID, &c.BusinessDate, &c.Ref, &c.Note, &c.ReceivedBy, &c.ReceivedAt, &l.LineNo, &l.BatchID, &l.Qty, &l.CostFen); err != nil {
			return nil, err
		}
		if n := len(v.Receipts); n == 0 || v.Receipts[n-1].ID != c.ID {
			v.Receipts = append(v.Receipts, c)
		}
		last := &v.Receipts[len(v.Receipts)-1]
		last.CostFen += l.CostFen
		last.Lines = append(last.Lines, l)
	}
	return &v, came.Err()
}

// Search is the input of the list of orders.
type Search struct {
	web.Paging
	SiteID     id.ID    `query:"site_id"`
	SupplierID id.ID    `query:"supplier_id"`
	State      State    `query:"state" enum:"proposed,confirmed,sent,part_received,received,closed"`
	Due        cal.Date `query:"due"`
	DueUntil   cal.Date `query:"due_until" doc:"due on this day or before"`
	Open       bool     `query:"open" doc:"only those that goods are expected of"`
	Q          string   `query:"q" maxLength:"40" doc:"part of the number"`
}

func list(ctx context.Context, tx *db.Tx, in *Search) (*web.Page[OrderView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	for field, d := range map[string]cal.Date{"due": in.Due, "due_until": in.DueUntil} {
		if d != "" && !d.Valid() {
			return nil, cal.ErrDate.With("text", d).At(field)
		}
	}
	q := strings.ToUpper(strings.TrimSpace(in.Q))
	like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
	rows := tx.Query(viewList, append(org.SitesOf(ctx, permRead).Args(), in.SiteID, in.SupplierID, in.State, in.Due, in.DueUntil, in.Open, q, like, before, in.Limit+1)...)
	defer rows.Close()
	var all []OrderView
	for rows.Next() {
		v, err := scanView(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v OrderView) string { return web.Cursor(v.ID) }), rows.Err()
}

// SiteOf is the site of an order if the caller holds the permission there; a foreign order is not found.
func SiteOf(ctx context.Context, tx *db.Tx, perm string, order id.ID) (*org.Site, error) {
	var site id.ID
	err := tx.QueryRow(`SELECT site_id FROM purchase_order WHERE id = $1`, order).Scan(&site)
	if err == db.ErrNoRow {
		return nil, ErrNoOrder
	}
	if err != nil {
		return nil, err
	}
	s, err := org.SiteFor(ctx, perm, site)
	if err != nil {
		return nil, ErrNoOrder
	}
	return s, nil
}

// OrderIn is an order that a person writes by hand.
type OrderIn struct {
	SiteID     id.ID         `json:"site_id"`
	SupplierID id.ID         `json:"supplier_id"`
	Due        cal.Date      `json:"due"`
	Note       string        `json:"note,omitempty" maxLength:"200"`
	Lines      []OrderLineIn `json:"lines" minItems:"1" maxItems:"200"`
}

// OrderLineIn is so many packs of a product, at the supplier's terms.
type OrderLineIn struct {
	ProductID id.ID `json:"product_id"`
	Packs     int64 `json:"packs" minimum:"1"`
}

type oneIn struct {
	ID id.ID `path:"id"`
}

// Routes registers the routes of purchase orders.
func Routes(api *web.API) {
	recordRoutes(api)
	web.Get(api, web.Route{Path: "/api/purchase/orders", Name: "list-purchase-orders", Summary: "Purchase orders, newest first", Perm: permRead, Scope: web.Sites}, list)
	web.Get(api, web.Route{Path: "/api/purchase/orders/{id}", Name: "get-purchase-order", Summary: "A purchase order with its lines", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *oneIn) (*OrderView, error) {
			if _, err := SiteOf(ctx, tx, permRead, in.ID); err != nil {
				return nil, err
			}
			return View(tx, in.ID)
		})
	web.Post(api, web.Route{Path: "/api/purchase/orders", Name: "write-purchase-order", Summary: "Write a purchase order by hand", Perm: permManage, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body OrderIn }) (*OrderView, error) {
			site, err := org.SiteFor(ctx, permManage, in.Body.SiteID)
			if err != nil {
				return nil, errs.As(err).At("site_id")
			}
			d := Draft{Supplier: in.Body.SupplierID, Due: in.Body.Due, Note: in.Body.Note}
			for _, l := range in.Body.Lines {
				d.Lines = append(d.Lines, DraftLine{l.ProductID, l.Packs})
			}
			o, err := Write(tx, site, org.CallerOf(ctx).ID, d)
			if err != nil {
				return nil, err
			}
			return View(tx, o.ID)
		})
	for _, act := range []struct {
		path, name, summary string
		do                  func(tx *db.Tx, order, staff id.ID) (*Order, error)
	}{
		{"confirm", "confirm-purchase-order", "Decide for an order written by hand", Confirm},
		{"send", "send-purchase-order", "Note that the supplier has the order", Send},
	} {
		web.Post(api, web.Route{Path: "/api/purchase/orders/{id}/" + act.path, Name: act.name, Summary: act.summary, Perm: permManage, Scope: web.Sites},
			func(ctx context.Context, tx *db.Tx, in *oneIn) (*OrderView, error) {
				if _, err := SiteOf(ctx, tx, permManage, in.ID); err != nil {
					return nil, err
				}
				if _, err := act.do(tx, in.ID, org.CallerOf(ctx).ID); err != nil {
					return nil, err
				}
				return View(tx, in.ID)
			})
	}
	web.Post(api, web.Route{Path: "/api/purchase/orders/{id}/close", Name: "close-purchase-order", Summary: "End an order: nothing more is expected", Perm: permManage, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body CloseIn
		}) (*OrderView, error) {
			if _, err := SiteOf(ctx, tx, permManage, in.ID); err != nil {
				return nil, err
			}
			if _, err := Close(tx, in.ID, org.CallerOf(ctx).ID, strings.TrimSpace(in.Body.Reason)); err != nil {
				return nil, err
			}
			return View(tx, in.ID)
		})
}

// CloseIn says why an order ends.
type CloseIn struct {
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"needed while goods are expected"`
}
