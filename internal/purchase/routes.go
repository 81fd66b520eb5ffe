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
	SentAt       *time.Time `json:"sent_at,omitempty"`
	ClosedAt     *time.Time `json:"closed_at,omitempty"`
	AmountFen    money.Fen  `json:"amount_fen"`
	ReceivedFen  money.Fen  `json:"received_fen"`
	LineCount    int64      `json:"line_count"`
	Lines        []LineView `json:"lines" doc:"only of a single order"`
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
	viewColumns = `SELECT o.id, o.no, o.site_id, t.name, o.supplier_id, s.code, s.name, o.due, o.order_by, o.plan_id, o.state, o.note, COALESCE(f.display_name, ''), o.made_at, o.sent_at, o.closed_at,
		(SELECT COALESCE(SUM(l.amount_fen), 0) FROM purchase_line l WHERE l.order_id = o.id), (SELECT COALESCE(SUM(l.received_fen), 0) FROM purchase_line l WHERE l.order_id = o.id), o.lines
		FROM purchase_order o JOIN org_site t ON t.id = o.site_id JOIN party_supplier s ON s.id = o.supplier_id LEFT JOIN org_staff f ON f.id = o.staff_id `
	viewOne  = viewColumns + `WHERE o.id = $1`
	viewList = viewColumns + `WHERE (CAST($1 AS BIGINT) = 1 OR o.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
		AND (CAST($4 AS BIGINT) = 0 OR o.site_id = $4) AND (CAST($5 AS BIGINT) = 0 OR o.supplier_id = $5) AND (CAST($6 AS TEXT) = '' OR o.state = $6) AND (CAST($7 AS TEXT) = '' OR o.due = $7)
		AND (CAST($8 AS BIGINT) = 0 OR o.state IN ('confirmed', 'sent', 'part_received')) AND (CAST($9 AS TEXT) = '' OR o.no LIKE $10 ESCAPE '!') AND o.id < $11 ORDER BY o.id DESC LIMIT $12`
	viewLines = `SELECT l.line_no, l.product_id, c.code, c.name, l.packs, l.pack, l.unit, l.price_fen4, l.qty, c.base_unit, l.amount_fen, l.received, l.received_fen, l.proposal_id
		FROM purchase_line l JOIN catalog_product c ON c.id = l.product_id WHERE l.order_id = $1 ORDER BY l.line_no`
)

func scanView(scan func(...any) error) (v OrderView, err error) {
	v.Lines = []LineView{}
	return v, scan(&v.ID, &v.No, &v.SiteID, &v.SiteName, &v.SupplierID, &v.SupplierCode, &v.SupplierName, &v.Due, &v.OrderBy, &v.PlanID, &v.State, &v.Note, &v.MadeBy, &v.MadeAt, &v.SentAt, &v.ClosedAt,
		&v.AmountFen, &v.ReceivedFen, &v.LineCount)
}

// View shows an order with its lines, whoever asks.
func View(tx *db.Tx, order id.ID) (*OrderView, error) {
	head, lines := tx.QueryRow(viewOne, order), tx.Query(viewLines, order)
	defer lines.Close()
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
	return &v, lines.Err()
}

// Search is the input of the list of orders.
type Search struct {
	web.Paging
	SiteID     id.ID    `query:"site_id"`
	SupplierID id.ID    `query:"supplier_id"`
	State      State    `query:"state" enum:"proposed,confirmed,sent,part_received,received,closed"`
	Due        cal.Date `query:"due"`
	Open       bool     `query:"open" doc:"only those that goods are expected of"`
	Q          string   `query:"q" maxLength:"40" doc:"part of the number"`
}

func list(ctx context.Context, tx *db.Tx, in *Search) (*web.Page[OrderView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	q := strings.ToUpper(strings.TrimSpace(in.Q))
	like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
	rows := tx.Query(viewList, append(org.SitesOf(ctx, permRead).Args(), in.SiteID, in.SupplierID, in.State, in.Due, in.Open, q, like, before, in.Limit+1)...)
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
		{"close", "close-purchase-order", "End an order: nothing more is expected", Close},
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
}
