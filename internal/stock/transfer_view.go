package stock

import (
	"context"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// TransferView is a transfer on the wire, quantities in the base unit of each product.
type TransferView struct {
	ID        id.ID               `json:"id"`
	FromID    id.ID               `json:"from_site_id"`
	From      string              `json:"from_site"`
	ToID      id.ID               `json:"to_site_id"`
	To        string              `json:"to_site"`
	State     TransferState       `json:"state" enum:"requested,shipped,received,settled,cancelled" doc:"received: counted, and something is missing; settled: everything shipped is somewhere"`
	Due       cal.Date            `json:"due"`
	Note      string              `json:"note"`
	Cause     id.ID               `json:"requisition_id" doc:"that it delivers; empty: none"`
	MadeAt    string              `json:"made_at"`
	ChangedAt string              `json:"changed_at"`
	Products  int64               `json:"products" doc:"how many lines"`
	Lines     []TransferLineView  `json:"lines" doc:"only of a single one"`
	Transits  []TransitView       `json:"transits" doc:"only of a single one: what was shipped, by batch"`
	Trail     []StepView          `json:"trail" doc:"only of a single one"`
	Next      []TransferNextState `json:"next" doc:"what may be done now, and whether by you; only of a single one"`
}

// TransferNextState is an act that the state allows.
type TransferNextState struct {
	Act    string `json:"act" enum:"ship,receive,resolve,cancel"`
	SiteID id.ID  `json:"site_id" doc:"whose staff does it"`
	May    bool   `json:"may" doc:"you may"`
}

// TransferLineView is a product of it.
type TransferLineView struct {
	No        int     `json:"line_no"`
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Product   string  `json:"product"`
	Unit      string  `json:"unit"`
	Asked     qty.Qty `json:"asked"`
	Shipped   qty.Qty `json:"shipped"`
	Received  qty.Qty `json:"received"`
	Over      qty.Qty `json:"over" doc:"came beyond what was shipped"`
	Left      qty.Qty `json:"left" doc:"on its way, or missing"`
}

// TransitView is goods of one batch that were shipped.
type TransitView struct {
	ID        id.ID     `json:"id"`
	Line      int       `json:"line_no"`
	BatchID   id.ID     `json:"batch_id"`
	Batch     string    `json:"batch"`
	ToBatchID id.ID     `json:"to_batch_id" doc:"what it became at the other site; empty: nothing yet"`
	ExpiresAt string    `json:"expires_at" doc:"empty: keeps for ever"`
	Shipped   qty.Qty   `json:"shipped"`
	Received  qty.Qty   `json:"received"`
	Over      qty.Qty   `json:"over"`
	Lost      qty.Qty   `json:"lost"`
	Back      qty.Qty   `json:"back"`
	Left      qty.Qty   `json:"left"`
	ValueFen  money.Fen `json:"value_fen" doc:"at cost, of what is still on its way"`
}

// StepView is who did what when.
type StepView struct {
	Act      string `json:"act"`
	Staff    string `json:"staff"`
	At       string `json:"at"`
	Document id.ID  `json:"document_id" doc:"that came of it; empty: none"`
	Note     string `json:"note"`
}

// TransferSearch is the input of the list.
type TransferSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" doc:"that sends or receives"`
	State  string `query:"state" enum:",requested,shipped,received,settled,cancelled"`
}

// TransferIn asks for goods of another site.
type TransferIn struct {
	FromID id.ID      `json:"from_site_id"`
	ToID   id.ID      `json:"to_site_id"`
	Due    cal.Date   `json:"due,omitempty"`
	Note   string     `json:"note,omitempty" maxLength:"200"`
	Lines  []AskingIn `json:"lines" minItems:"1" maxItems:"500"`
}

// AskingIn is one product of it.
type AskingIn struct {
	ProductID id.ID   `json:"product_id"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

const (
	transferRows = `SELECT t.id, t.from_site, a.name, t.to_site, b.name, t.state, t.due, t.note, t.cause_id, t.made_at, t.changed_at,
	(SELECT COUNT(*) FROM stock_transfer_line l WHERE l.transfer_id = t.id)
FROM stock_transfer t JOIN org_site a ON a.id = t.from_site JOIN org_site b ON b.id = t.to_site
WHERE (CAST($1 AS BIGINT) = 1 OR t.from_site IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3) OR t.to_site IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)) `
	listTransfers = transferRows + `AND t.id < $4 ORDER BY t.id DESC LIMIT $5`
	// One of a state, and the newest of a site from both its sides: neither goes through what is settled elsewhere.
	transfersInState = transferRows + `AND t.state = $4 AND t.id < $5 AND (CAST($6 AS BIGINT) = 0 OR t.from_site = $6 OR t.to_site = $6) ORDER BY t.id DESC LIMIT $7`
	transfersOfSite  = transferRows + `AND t.id IN (SELECT x.id FROM (SELECT f.id FROM stock_transfer f WHERE f.from_site = $4 AND f.id < $5 ORDER BY f.id DESC LIMIT $6) AS x
	UNION SELECT y.id FROM (SELECT g.id FROM stock_transfer g WHERE g.to_site = $4 AND g.id < $5 ORDER BY g.id DESC LIMIT $6) AS y) ORDER BY t.id DESC LIMIT $6`

	transferGoods = `SELECT l.line_no, k.product_id, p.code, p.name, p.base_unit, l.asked,
	COALESCE(SUM(w.shipped), 0), COALESCE(SUM(w.received), 0), COALESCE(SUM(w.over), 0), COALESCE(SUM(w.shipped - w.received - w.lost - w.back), 0)
FROM stock_transfer_line l JOIN catalog_sku k ON k.id = l.sku_id JOIN catalog_product p ON p.id = k.product_id
LEFT JOIN stock_transit w ON w.transfer_id = l.transfer_id AND w.line_no = l.line_no
WHERE l.transfer_id = $1 GROUP BY l.line_no, k.product_id, p.code, p.name, p.base_unit, l.asked ORDER BY l.line_no`

	transferOnTheWay = `SELECT w.id, w.line_no, w.batch_id, b.code, w.to_batch, b.expires_at, w.shipped, w.received, w.over, w.lost, w.back, v.posted_in - v.posted_out
FROM stock_transit w JOIN stock_batch b ON b.id = w.batch_id JOIN ledger_account v ON v.id = w.value_id WHERE w.transfer_id = $1 ORDER BY w.line_no, w.id`

	trailView = `SELECT x.act, COALESCE(f.display_name, ''), x.at, x.document_id, x.note FROM stock_trail x LEFT JOIN org_staff f ON f.id = x.staff_id WHERE x.subject_id = $1 ORDER BY x.id`
)

// Transfers lists the transfers from or to the sites within reach, newest first.
func Transfers(tx *db.Tx, reach org.Sites, in TransferSearch) (*web.Page[TransferView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	var rows *db.Rows
	switch {
	case in.State != "":
		rows = tx.Query(transfersInState, append(reach.Args(), in.State, before, in.SiteID, in.Limit+1)...)
	case in.SiteID > 0:
		rows = tx.Query(transfersOfSite, append(reach.Args(), in.SiteID, before, in.Limit+1)...)
	default:
		rows = tx.Query(listTransfers, append(reach.Args(), before, in.Limit+1)...)
	}
	var all []TransferView
	for rows.Next() {
		v := TransferView{Lines: []TransferLineView{}, Transits: []TransitView{}, Trail: []StepView{}, Next: []TransferNextState{}}
		var made, changed time.Time
		if err := rows.Scan(&v.ID, &v.FromID, &v.From, &v.ToID, &v.To, &v.State, &v.Due, &v.Note, &v.Cause, &made, &changed, &v.Products); err != nil {
			return nil, err
		}
		v.MadeAt, v.ChangedAt = made.Format(time.RFC3339), changed.Format(time.RFC3339)
		all = append(all, v)
	}
	return web.PageOf(in.Paging, all, func(v TransferView) string { return web.Cursor(v.ID) }), rows.Err()
}

// transferFor reads a transfer that the caller may see: from or to a site where he holds perm.
func transferFor(ctx context.Context, tx *db.Tx, perm string, transfer id.ID, lock bool) (*Transfer, error) {
	t, err := TransferByID(tx, transfer, lock)
	if err != nil {
		return nil, err
	}
	if _, err := org.SiteFor(ctx, perm, t.From); err == nil {
		return t, nil
	}
	if _, err := org.SiteFor(ctx, perm, t.To); err == nil {
		return t, nil
	}
	return nil, ErrNoTransfer
}

// endOf is one of the two sites if the caller may act there; to somebody at the other one it is no secret that
// the transfer exists.
func endOf(ctx context.Context, site id.ID) (*org.Site, error) {
	s, err := org.SiteFor(ctx, "stock.manage", site)
	if err != nil {
		return nil, web.ErrForbidden
	}
	return s, nil
}

// bothEnds are the two sites of a new transfer. Who acts at one of them may ask the other when both are of one
// legal entity; between entities goods are bought and sold, unless somebody acts for both.
func bothEnds(ctx context.Context, tx *db.Tx, fromID, toID id.ID) (from, to *org.Site, err error) {
	from, errFrom := org.SiteFor(ctx, "stock.manage", fromID)
	to, errTo := org.SiteFor(ctx, "stock.manage", toID)
	switch {
	case errFrom != nil && errTo != nil:
		return nil, nil, errFrom
	case errFrom != nil:
		from, err = org.SiteByID(tx, fromID)
	case errTo != nil:
		to, err = org.SiteByID(tx, toID)
	}
	if err != nil {
		return nil, nil, err
	}
	if from.EntityID != to.EntityID && (errFrom != nil || errTo != nil) {
		return nil, nil, org.ErrNotFound
	}
	return from, to, nil
}

func showTransfer(ctx context.Context, tx *db.Tx, t *Transfer) (*TransferView, error) {
	from, err := org.SiteByID(tx, t.From)
	if err != nil {
		return nil, err
	}
	to, err := org.SiteByID(tx, t.To)
	if err != nil {
		return nil, err
	}
	v := &TransferView{ID: t.ID, FromID: t.From, From: from.Name, ToID: t.To, To: to.Name, State: t.State, Due: t.Due, Note: t.Note, Cause: t.Cause, Products: int64(len(t.Lines)),
		MadeAt: shown(t.MadeAt, from), ChangedAt: shown(t.ChangedAt, from), Lines: []TransferLineView{}, Transits: []TransitView{}, Trail: []StepView{}, Next: []TransferNextState{}}
	lines, transits, steps := tx.Query(transferGoods, t.ID), tx.Query(transferOnTheWay, t.ID), tx.Query(trailView, t.ID)
	for lines.Next() {
		var l TransferLineView
		if err := lines.Scan(&l.No, &l.ProductID, &l.Code, &l.Product, &l.Unit, &l.Asked, &l.Shipped, &l.Received, &l.Over, &l.Left); err != nil {
			return nil, err
		}
		v.Lines = append(v.Lines, l)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for transits.Next() {
		var w TransitView
		var expires time.Time
		if err := transits.Scan(&w.ID, &w.Line, &w.BatchID, &w.Batch, &w.ToBatchID, &expires, &w.Shipped, &w.Received, &w.Over, &w.Lost, &w.Back, &w.ValueFen); err != nil {
			return nil, err
		}
		w.ExpiresAt, w.Left = shown(expires, to), w.Shipped-w.Received-w.Lost-w.Back
		v.Transits = append(v.Transits, w)
	}
	if err := transits.Err(); err != nil {
		return nil, err
	}
	if v.Trail, err = showTrail(steps, from); err != nil {
		return nil, err
	}
	next := func(act string, site id.ID) {
		_, err := org.SiteFor(ctx, "stock.manage", site)
		v.Next = append(v.Next, TransferNextState{act, site, err == nil})
	}
	switch t.State {
	case Requested:
		next("ship", t.From)
		next("cancel", t.From)
	case Shipped:
		next("receive", t.To)
	case Arrived:
		next("resolve", t.To)
	}
	return v, nil
}

func showTrail(rows *db.Rows, site *org.Site) ([]StepView, error) {
	steps := []StepView{}
	for rows.Next() {
		var s StepView
		var at time.Time
		if err := rows.Scan(&s.Act, &s.Staff, &at, &s.Document, &s.Note); err != nil {
			return nil, err
		}
		s.At = shown(at, site)
		steps = append(steps, s)
	}
	return steps, rows.Err()
}

func transferRoutes(api *web.API) {
	const path = "/api/stock/transfers"
	web.Get(api, web.Route{Path: path, Name: "list-transfers", Summary: "Goods sent from site to site, newest first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *TransferSearch) (*web.Page[TransferView], error) {
			return Transfers(tx, org.SitesOf(ctx, "stock.read"), *in)
		})
	web.Get(api, web.Route{Path: path + "/{id}", Name: "get-transfer", Summary: "A stock transfer with what is on its way", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*TransferView, error) {
			t, err := transferFor(ctx, tx, "stock.read", in.ID, false)
			if err != nil {
				return nil, err
			}
			return showTransfer(ctx, tx, t)
		})
	web.Post(api, web.Route{Path: path, Name: "request-transfer", Summary: "Ask another site for goods, or offer them", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body TransferIn }) (*TransferView, error) {
			from, to, err := bothEnds(ctx, tx, in.Body.FromID, in.Body.ToID)
			if err != nil {
				return nil, err
			}
			products := make([]id.ID, len(in.Body.Lines))
			for i, l := range in.Body.Lines {
				products[i] = l.ProductID
			}
			units, err := unitsOf(tx, productUnits, products)
			if err != nil {
				return nil, err
			}
			c := Call{From: from, To: to, Due: in.Body.Due, Note: in.Body.Note, Staff: org.CallerOf(ctx).ID}
			for i, l := range in.Body.Lines {
				goods := units[l.ProductID]
				if goods == nil {
					return nil, ErrNoSKU.At(field(i, "product_id"))
				}
				q, err := goods.asked(i, l.Qty, l.Unit)
				if err != nil {
					return nil, err
				}
				c.Lines = append(c.Lines, Want{SKU: goods.sku, Qty: q})
			}
			t, err := Request(tx, c)
			if err != nil {
				return nil, err
			}
			return again(ctx, tx, t.ID)
		})
	web.Post(api, web.Route{Path: path + "/{id}/ship", Name: "ship-transfer", Summary: "Take the goods out and send them", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Lines []struct {
					Line    int     `json:"line_no"`
					BatchID id.ID   `json:"batch_id,omitempty" doc:"what expires first when left out"`
					Qty     qty.Qty `json:"qty" doc:"in the base unit"`
				} `json:"lines,omitempty" maxItems:"500" doc:"all that was asked, by earliest expiry, when left out"`
			}
		}) (*TransferView, error) {
			t, err := transferFor(ctx, tx, "stock.read", in.ID, true)
			if err != nil {
				return nil, err
			}
			from, err := endOf(ctx, t.From)
			if err != nil {
				return nil, err
			}
			var loads []Load
			for _, l := range in.Body.Lines {
				loads = append(loads, Load{l.Line, l.BatchID, l.Qty})
			}
			if err := t.wholeLoads(tx, loads); err != nil {
				return nil, err
			}
			if _, err := t.Ship(tx, from, org.CallerOf(ctx).ID, loads); err != nil {
				return nil, err
			}
			return again(ctx, tx, t.ID)
		})
	web.Post(api, web.Route{Path: path + "/{id}/receive", Name: "receive-transfer", Summary: "Count in what has come", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				AsShipped bool `json:"as_shipped,omitempty" doc:"everything has come; no lines then"`
				Lines     []struct {
					Transit id.ID   `json:"transit_id"`
					Qty     qty.Qty `json:"qty" doc:"in the base unit; 0: nothing of it came"`
				} `json:"lines,omitempty" maxItems:"500" doc:"every one that was shipped"`
			}
		}) (*TransferView, error) {
			t, err := transferFor(ctx, tx, "stock.read", in.ID, true)
			if err != nil {
				return nil, err
			}
			to, err := endOf(ctx, t.To)
			if err != nil {
				return nil, err
			}
			var counted []Counted
			if !in.Body.AsShipped {
				counted = []Counted{}
			}
			for _, l := range in.Body.Lines {
				counted = append(counted, Counted{l.Transit, l.Qty})
			}
			if err := t.wholeOf(tx, counted, func(w *Transit) qty.Qty { return w.Shipped }, func(line int) string { return field(line, "qty") }); err != nil {
				return nil, err
			}
			if _, err := t.Receive(tx, to, org.CallerOf(ctx).ID, counted); err != nil {
				return nil, err
			}
			return again(ctx, tx, t.ID)
		})
	web.Post(api, web.Route{Path: path + "/{id}/resolve", Name: "resolve-transfer", Summary: "Say where goods went that did not come", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Transit id.ID   `json:"transit_id"`
				Way     string  `json:"way" enum:"lost,found,back" doc:"lost: costs the sender; found: at the receiving site; back: at the sender"`
				Qty     qty.Qty `json:"qty,omitempty" doc:"in the base unit; all that is missing when left out"`
				Note    string  `json:"note,omitempty" maxLength:"200"`
			}
		}) (*TransferView, error) {
			t, err := transferFor(ctx, tx, "stock.read", in.ID, true)
			if err != nil {
				return nil, err
			}
			end := t.From
			if in.Body.Way == "found" {
				end = t.To
			}
			site, err := endOf(ctx, end)
			if err != nil {
				return nil, err
			}
			if err := t.wholeOf(tx, []Counted{{in.Body.Transit, in.Body.Qty}}, (*Transit).Left, func(int) string { return "qty" }); err != nil {
				return nil, err
			}
			if _, err := t.Resolve(tx, site, org.CallerOf(ctx).ID, Resolution{in.Body.Transit, in.Body.Way, in.Body.Qty}, in.Body.Note); err != nil {
				return nil, err
			}
			return again(ctx, tx, t.ID)
		})
	web.Post(api, web.Route{Path: path + "/{id}/cancel", Name: "cancel-transfer", Summary: "Cancel a stock transfer before it is shipped", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Note string `json:"note,omitempty" maxLength:"200"`
			}
		}) (*TransferView, error) {
			t, err := transferFor(ctx, tx, "stock.manage", in.ID, true)
			if err != nil {
				return nil, err
			}
			if err := t.Cancel(tx, org.CallerOf(ctx).ID, in.Body.Note); err != nil {
				return nil, err
			}
			return again(ctx, tx, t.ID)
		})
}

// again reads a transfer as it is now.
func again(ctx context.Context, tx *db.Tx, transfer id.ID) (*TransferView, error) {
	t, err := TransferByID(tx, transfer, false)
	if err != nil {
		return nil, err
	}
	return showTransfer(ctx, tx, t)
}
