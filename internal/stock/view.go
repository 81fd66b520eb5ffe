package stock

import (
	"context"
	"math"
	"strings"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Routes registers the routes of stock.
func Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/stock/levels", Name: "list-stock-levels", Summary: "What a site has of each product", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *LevelSearch) (*web.Page[Level], error) {
			if _, err := org.SiteFor(ctx, "stock.read", in.SiteID); err != nil {
				return nil, err
			}
			return Levels(tx, *in)
		})
	web.Get(api, web.Route{Path: "/api/stock/find", Name: "find-stock", Summary: "Batches by code, batches and documents by number, at all sites of the caller", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *FindIn) (*web.Page[Found], error) {
			return find(tx, org.SitesOf(ctx, "stock.read"), in)
		})
	web.Get(api, web.Route{Path: "/api/stock/batches", Name: "list-batches", Summary: "The batches of a site, earliest expiry first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *BatchSearch) (*web.Page[Batch], error) {
			if _, err := org.SiteFor(ctx, "stock.read", in.SiteID); err != nil {
				return nil, err
			}
			return Batches(tx, *in)
		})
	web.Get(api, web.Route{Path: "/api/stock/batches/{id}", Name: "get-batch", Summary: "A batch and what happened to it", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*BatchStory, error) {
			b, err := batchByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "stock.read", b.SiteID)
			if err != nil {
				return nil, ErrNoBatch
			}
			return story(tx, b, site)
		})
	web.Post(api, web.Route{Path: "/api/stock/receipts", Name: "receive-goods", Summary: "Receive goods, or book opening stock", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body ReceiptIn }) (*DocumentView, error) {
			return receive(ctx, tx, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/stock/write-offs", Name: "write-off-goods", Summary: "Write goods off for a reason", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body WriteOffIn }) (*DocumentView, error) {
			h, err := in.Body.header(ctx)
			if err != nil {
				return nil, err
			}
			lines, parts, err := issues(tx, h.Site.ID, in.Body.Lines)
			if err != nil {
				return nil, err
			}
			d, err := WriteOff(tx, Discard{Header: h, Reason: Reason(in.Body.Reason), Lines: lines})
			if err == nil {
				err = leavesWhole(tx, d, parts)
			}
			return viewOf(d, h.Site), err
		})
	placeRoutes(api)
	transferRoutes(api)
	documentRoutes(api)
	countRoutes(api)
	channelRoutes(api)
	channelRuleRoutes(api)
	costRoutes(api)
	landedRoutes(api)
	whyRoutes(api)
	policyRoutes(api)
	web.Post(api, web.Route{Path: "/api/stock/adjustments", Name: "adjust-stock", Summary: "Bring the books to what is there", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body AdjustmentIn }) (*DocumentView, error) {
			h, err := in.Body.header(ctx)
			if err != nil {
				return nil, err
			}
			lines, parts, err := issues(tx, h.Site.ID, in.Body.Lines)
			if err != nil {
				return nil, err
			}
			d, err := Adjust(tx, Correction{Header: h, Reason: in.Body.Reason, Lines: lines})
			if err == nil {
				err = leavesWhole(tx, d, parts)
			}
			return viewOf(d, h.Site), err
		})
}

// --- what is there

// LevelSearch is the input of the list of levels.
type LevelSearch struct {
	web.Paging
	SiteID id.ID  `query:"site_id" required:"true"`
	Q      string `query:"q" maxLength:"60" doc:"part of the code or name"`
}

// Level is what a site has of a product, in the base unit.
type Level struct {
	ProductID     id.ID     `json:"product_id"`
	SKU           id.ID     `json:"sku_id"`
	Code          string    `json:"code"`
	Name          string    `json:"name"`
	Unit          string    `json:"unit" doc:"base unit of the quantities"`
	Qty           qty.Qty   `json:"qty" doc:"on hand in any state, expired and held included"`
	Held          qty.Qty   `json:"held" doc:"promised to somebody"`
	Expired       qty.Qty   `json:"expired" doc:"past its time, can't be sold"`
	Stopped       qty.Qty   `json:"stopped" doc:"frozen, being inspected or damaged"`
	Reserved      qty.Qty   `json:"reserved" doc:"kept for a channel"`
	Available     qty.Qty   `json:"available" doc:"can be sold now"`
	ValueFen      money.Fen `json:"value_fen"`
	Batches       int64     `json:"batches" doc:"that have something in them"`
	NextExpiresAt string    `json:"next_expires_at" doc:"of what can be sold; empty: never, or nothing there"`
}

// Levels lists, by product code, the products on sale and those that the site still has.
func Levels(tx *db.Tx, in LevelSearch) (*web.Page[Level], error) {
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	site, err := org.SiteByID(tx, in.SiteID)
	if err != nil {
		return nil, err
	}
	q := strings.ToLower(strings.TrimSpace(in.Q))
	rows := tx.Query(`
WITH page AS (
	SELECT k.id AS sku_id, p.id AS product_id, p.code, p.name, p.base_unit
	FROM catalog_product p JOIN catalog_sku k ON k.product_id = p.id
	WHERE p.code > $1 AND (CAST($2 AS TEXT) = '' OR p.search LIKE $3 ESCAPE '!')
		AND (p.state = 'on_sale' OR EXISTS (SELECT 1 FROM stock_batch o WHERE o.site_id = $4 AND o.sku_id = k.id AND o.open = 1)
			OR EXISTS (SELECT 1 FROM stock_place o WHERE o.site_id = $4 AND o.sku_id = k.id AND o.open = 1))
	ORDER BY p.code LIMIT $5),
	placed AS (
	SELECT o.sku_id, SUM(a.posted_in - a.posted_out) AS qty, SUM(a.pending_out) AS held, SUM(v.posted_in - v.posted_out) AS value_fen,
		SUM(CASE WHEN o.status <> 1 THEN a.posted_in - a.posted_out ELSE 0 END) AS stopped, SUM(CASE WHEN o.channel <> '' THEN a.posted_in - a.posted_out ELSE 0 END) AS reserved
	FROM stock_place o JOIN ledger_account a ON a.id = o.id JOIN ledger_account v ON v.id = o.value_id WHERE o.site_id = $4 AND o.open = 1 GROUP BY o.sku_id)
SELECT page.product_id, page.sku_id, page.code, page.name, page.base_unit,
	COALESCE(SUM(a.posted_in - a.posted_out), 0) + COALESCE(MAX(placed.qty), 0), COALESCE(SUM(a.pending_out), 0) + COALESCE(MAX(placed.held), 0),
	COALESCE(MAX(placed.stopped), 0), COALESCE(MAX(placed.reserved), 0),
	COALESCE(SUM(CASE WHEN b.expires_at > $6 THEN 0 ELSE a.posted_in - a.posted_out END), 0),
	COALESCE(SUM(CASE WHEN b.expires_at > $6 THEN a.posted_in - a.posted_out - a.pending_out ELSE 0 END), 0),
	COALESCE(SUM(v.posted_in - v.posted_out), 0) + COALESCE(MAX(placed.value_fen), 0), COUNT(b.id), COALESCE(MIN(CASE WHEN b.expires_at > $6 THEN b.expires_at END), 0)
FROM page
LEFT JOIN stock_batch b ON b.site_id = $4 AND b.sku_id = page.sku_id AND b.open = 1
LEFT JOIN ledger_account a ON a.id = b.id
LEFT JOIN ledger_account v ON v.id = b.value_id
LEFT JOIN placed ON placed.sku_id = page.sku_id
GROUP BY page.product_id, page.sku_id, page.code, page.name, page.base_unit
ORDER BY page.code`, after, q, "%"+escapeLike(q)+"%", in.SiteID, in.Limit+1, tx.Now())
	var found []Level
	for rows.Next() {
		var l Level
		var next time.Time
		if err := rows.Scan(&l.ProductID, &l.SKU, &l.Code, &l.Name, &l.Unit, &l.Qty, &l.Held, &l.Stopped, &l.Reserved, &l.Expired, &l.Available, &l.ValueFen, &l.Batches, &next); err != nil {
			return nil, err
		}
		if next.UnixMilli() > 0 {
			l.NextExpiresAt = shown(next, site)
		}
		found = append(found, l)
	}
	return web.PageOf(in.Paging, found, func(l Level) string { return web.Cursor(l.Code) }), rows.Err()
}

func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// shown is an instant with the site's offset; never is empty.
func shown(t time.Time, site *org.Site) string {
	if !t.Before(Never) {
		return ""
	}
	return t.In(site.Location()).Format(time.RFC3339)
}

var availableMany = db.NewMany(`SELECT b.sku_id, SUM(a.posted_in - a.posted_out - a.pending_out) FROM stock_batch b JOIN ledger_account a ON a.id = b.id
	WHERE b.site_id = $1 AND b.open = 1 AND b.expires_at > $2 AND b.sku_id IN (`, `?`, `) GROUP BY b.sku_id`)

// Available is what a site can sell now of each SKU; what it has nothing of is left out.
func Available(tx *db.Tx, site id.ID, skus []id.ID) (map[id.ID]qty.Qty, error) {
	args := []any{int64(site), tx.Now()}
	for _, s := range skus {
		args = append(args, int64(s))
	}
	left := make(map[id.ID]qty.Qty, len(skus))
	rows := tx.QueryMany(availableMany, args...)
	for rows.Next() {
		var sku id.ID
		var n qty.Qty
		if err := rows.Scan(&sku, &n); err != nil {
			return nil, err
		}
		left[sku] = n
	}
	return left, rows.Err()
}

// BatchSearch is the input of the list of batches.
type BatchSearch struct {
	web.Paging
	SiteID    id.ID  `query:"site_id" required:"true"`
	ProductID id.ID  `query:"product_id"`
	Open      bool   `query:"open" doc:"only those that have something in them"`
	WithinH   int64  `query:"within_h" minimum:"0" maximum:"8760" doc:"only those that expire within so many hours, or have expired"`
	Code      string `query:"code" maxLength:"40" doc:"the whole code of the batch, as it is scanned"`
}

// Batch is a batch on the wire, quantities in the base unit.
type Batch struct {
	ID         id.ID     `json:"id"`
	SiteID     id.ID     `json:"site_id"`
	ProductID  id.ID     `json:"product_id"`
	Product    string    `json:"product"`
	Code       string    `json:"code"`
	Unit       string    `json:"unit" doc:"base unit of the quantities"`
	Qty        qty.Qty   `json:"qty"`
	Held       qty.Qty   `json:"held"`
	Received   qty.Qty   `json:"received" doc:"all that ever came in"`
	ValueFen   money.Fen `json:"value_fen"`
	MadeOn     cal.Date  `json:"made_on"`
	ReceivedAt string    `json:"received_at"`
	ExpiresAt  string    `json:"expires_at" doc:"empty: keeps for ever"`
	Expired    bool      `json:"expired"`
	Open       bool      `json:"open"`
	DocumentID id.ID     `json:"document_id" doc:"that brought it in"`
	Places     []Placed  `json:"places" doc:"of the quantity above: what is frozen, damaged, kept for a channel or in a slot"`

	value             id.ID
	expires, received time.Time
}

const batchColumns = `b.id, b.site_id, k.product_id, p.name, b.code, p.base_unit, a.posted_in - a.posted_out, a.pending_out, a.posted_in, v.posted_in - v.posted_out,
	b.made_on, b.received_at, b.expires_at, b.open, b.document_id, b.value_id`

const batchTables = ` FROM stock_batch b JOIN ledger_account a ON a.id = b.id JOIN ledger_account v ON v.id = b.value_id
	JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id`

func (b *Batch) scan(scan func(...any) error) error {
	return scan(&b.ID, &b.SiteID, &b.ProductID, &b.Product, &b.Code, &b.Unit, &b.Qty, &b.Held, &b.Received, &b.ValueFen,
		&b.MadeOn, &b.received, &b.expires, &b.Open, &b.DocumentID, &b.value)
}

func (b *Batch) show(now time.Time, site *org.Site) {
	b.ReceivedAt, b.ExpiresAt, b.Expired = shown(b.received, site), shown(b.expires, site), !now.Before(b.expires)
}

// Each is found by an index of its own: what is there is little beside what is used up.
const (
	someBatches = `SELECT ` + batchColumns + batchTables + `
WHERE (b.expires_at, b.id) > ($1, $2) AND (CAST($3 AS BIGINT) = 0 OR b.expires_at <= $3) AND (CAST($4 AS TEXT) = '' OR b.code = $4) AND `
	openBatchesOf = someBatches + `b.id IN (SELECT n.id FROM stock_batch n WHERE n.site_id = $5 AND n.sku_id >= $6 AND n.sku_id <= $7 AND n.open = 1
	UNION SELECT o.batch_id FROM stock_place o WHERE o.site_id = $5 AND o.sku_id >= $6 AND o.sku_id <= $7 AND o.open = 1)
ORDER BY b.expires_at, b.id LIMIT $8`
	batchesOf     = someBatches + `b.site_id = $5 AND b.sku_id = $6 ORDER BY b.expires_at, b.id LIMIT $7`
	batchesOfCode = `SELECT ` + batchColumns + batchTables + ` WHERE b.code = $1 AND b.site_id + 0 = $2 AND (b.expires_at, b.id) > ($3, $4) AND (CAST($5 AS BIGINT) = 0 OR b.expires_at <= $5)
	AND b.sku_id >= $6 AND b.sku_id <= $7 ORDER BY b.expires_at, b.id LIMIT $8` // + 0: of the few with the code, not of all of the site
	allBatches = someBatches + `b.site_id = $5 AND b.value_id > 0 ORDER BY b.expires_at, b.id LIMIT $6`
)

// Batches lists the batches of a site, earliest expiry first.
func Batches(tx *db.Tx, in BatchSearch) (*web.Page[Batch], error) {
	var afterExpiry, afterID int64
	if _, err := in.Seek(&afterExpiry, &afterID); err != nil {
		return nil, err
	}
	site, err := org.SiteByID(tx, in.SiteID)
	if err != nil {
		return nil, err
	}
	until := int64(0)
	if in.WithinH > 0 {
		until = tx.Now().Add(time.Duration(in.WithinH) * time.Hour).UnixMilli()
	}
	var first, last id.ID = 1, math.MaxInt64
	if in.ProductID > 0 {
		if err := tx.QueryRow(`SELECT k.id FROM catalog_sku k WHERE k.product_id = $1`, in.ProductID).Scan(&first); err == db.ErrNoRow {
			return web.PageOf(in.Paging, []Batch(nil), nil), nil
		} else if err != nil {
			return nil, err
		}
		last = first
	}
	var rows *db.Rows
	switch code := strings.TrimSpace(in.Code); {
	case in.Open:
		rows = tx.Query(openBatchesOf, afterExpiry, afterID, until, code, in.SiteID, first, last, in.Limit+1)
	case code != "":
		rows = tx.Query(batchesOfCode, code, in.SiteID, afterExpiry, afterID, until, first, last, in.Limit+1)
	case in.ProductID > 0:
		rows = tx.Query(batchesOf, afterExpiry, afterID, until, code, in.SiteID, first, in.Limit+1)
	default:
		rows = tx.Query(allBatches, afterExpiry, afterID, until, code, in.SiteID, in.Limit+1)
	}
	var found []Batch
	for rows.Next() {
		var b Batch
		if err := b.scan(rows.Scan); err != nil {
			return nil, err
		}
		b.show(tx.Now(), site)
		found = append(found, b)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	page := web.PageOf(in.Paging, found, func(b Batch) string { return web.Cursor(b.expires.UnixMilli(), int64(b.ID)) })
	return page, addPlaces(tx, page.Items)
}

// Placed is goods of a batch that are not simply there to be sold.
type Placed struct {
	ID       id.ID     `json:"id" doc:"of the place: its movements are the ledger's statement of this account"`
	Slot     id.ID     `json:"slot_id"`
	Status   string    `json:"status" enum:"available,frozen,inspecting,damaged"`
	Channel  string    `json:"channel" doc:"empty: for everybody"`
	Qty      qty.Qty   `json:"qty"`
	Held     qty.Qty   `json:"held"`
	ValueFen money.Fen `json:"value_fen"`
}

var openPlacesOf = db.NewMany(`SELECT o.batch_id, o.id, o.slot_id, o.status, o.channel, a.posted_in - a.posted_out, a.pending_out, v.posted_in - v.posted_out
	FROM stock_place o JOIN ledger_account a ON a.id = o.id JOIN ledger_account v ON v.id = o.value_id WHERE o.open = 1 AND o.batch_id IN (`, `?`, `) ORDER BY o.batch_id, o.status, o.channel, o.slot_id`)

// addPlaces adds to batches what of them lies in other places: to the list, and to their quantities.
func addPlaces(tx *db.Tx, batches []Batch) error {
	byID := make(map[id.ID]*Batch, len(batches))
	args := make([]any, len(batches))
	for i := range batches {
		batches[i].Places = []Placed{}
		byID[batches[i].ID], args[i] = &batches[i], int64(batches[i].ID)
	}
	rows := tx.QueryMany(openPlacesOf, args...)
	for rows.Next() {
		var batch id.ID
		var status Status
		var p Placed
		if err := rows.Scan(&batch, &p.ID, &p.Slot, &status, &p.Channel, &p.Qty, &p.Held, &p.ValueFen); err != nil {
			return err
		}
		p.Status = status.String()
		b := byID[batch]
		b.Places = append(b.Places, p)
		b.Qty, b.Held, b.ValueFen, b.Open = b.Qty+p.Qty, b.Held+p.Held, b.ValueFen+p.ValueFen, true
	}
	return rows.Err()
}

func batchByID(tx *db.Tx, batch id.ID) (*Batch, error) {
	var b Batch
	err := b.scan(tx.QueryRow(`SELECT `+batchColumns+batchTables+` WHERE b.id = $1`, batch).Scan)
	if err == db.ErrNoRow {
		return nil, ErrNoBatch
	}
	return &b, err
}

// BatchStory is a batch with its latest movements; all of them are in the ledger's statement of its account.
type BatchStory struct {
	Batch
	Movements []BatchMovement `json:"movements" doc:"newest first, at most 50"`
}

// BatchMovement is one movement of a batch.
type BatchMovement struct {
	Document string  `json:"document" doc:"as in sale:8812"`
	Kind     string  `json:"kind"`
	ID       id.ID   `json:"id" doc:"of the document"`
	Other    string  `json:"other" doc:"where it went or came from"`
	Qty      qty.Qty `json:"qty" doc:"in above 0, out below"`
	Left     qty.Qty `json:"left" doc:"after it"`
	At       string  `json:"at"`
}

func story(tx *db.Tx, b *Batch, site *org.Site) (*BatchStory, error) {
	b.show(tx.Now(), site)
	one := []Batch{*b}
	if err := addPlaces(tx, one); err != nil {
		return nil, err
	}
	s := &BatchStory{Batch: one[0], Movements: []BatchMovement{}}
	st, err := ledger.ReadStatement(tx, ledger.Account(b.ID), "", "", ledger.Place{}, 50)
	if err != nil {
		return nil, err
	}
	for _, m := range st.Movements {
		s.Movements = append(s.Movements, BatchMovement{Document: m.Kind.String() + ":" + m.ID.String(), Kind: m.Kind.String(), ID: m.ID, Other: m.Other.String(),
			Qty: qty.Qty(m.Amount), Left: qty.Qty(m.Balance), At: shown(m.At, site)})
	}
	return s, nil
}

// --- documents by hand

// ReceiptIn is goods that come in, as a person writes them.
type ReceiptIn struct {
	SiteID  id.ID       `json:"site_id"`
	Opening bool        `json:"opening,omitempty" doc:"opening stock instead of goods from a supplier"`
	Ref     string      `json:"ref,omitempty" maxLength:"60" doc:"the supplier's number"`
	Note    string      `json:"note,omitempty" maxLength:"200"`
	Lines   []ArrivalIn `json:"lines" minItems:"1" maxItems:"500"`
}

// ArrivalIn is one batch of it.
type ArrivalIn struct {
	ProductID id.ID     `json:"product_id"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Code      string    `json:"code,omitempty" maxLength:"40" doc:"made when left out"`
	CostFen   money.Fen `json:"cost_fen" doc:"of the whole quantity, without deductible tax"`
	MadeOn    cal.Date  `json:"made_on,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitempty" doc:"by the product's shelf life from now when left out"`
}

// WriteOffIn is goods to be written off.
type WriteOffIn struct {
	SiteID id.ID     `json:"site_id"`
	Reason string    `json:"reason" enum:"expired,made_wrong,dropped,damaged,tasting,sample,returned,other"`
	Note   string    `json:"note,omitempty" maxLength:"200"`
	Lines  []IssueIn `json:"lines" minItems:"1" maxItems:"500"`
}

// AdjustmentIn is a correction of the books.
type AdjustmentIn struct {
	SiteID id.ID     `json:"site_id"`
	Reason string    `json:"reason" enum:"count,found,lost,entry_error,other"`
	Note   string    `json:"note,omitempty" maxLength:"200"`
	Lines  []IssueIn `json:"lines" minItems:"1" maxItems:"500" doc:"quantities above 0 come in, below 0 go out"`
}

// IssueIn is so much of a batch.
type IssueIn struct {
	BatchID id.ID   `json:"batch_id"`
	PlaceID id.ID   `json:"place_id,omitempty" doc:"of the batch: takes what is frozen, damaged or kept for a channel"`
	Qty     qty.Qty `json:"qty"`
	Unit    string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

// DocumentView is a posted document on the wire.
type DocumentView struct {
	ID     id.ID      `json:"id"`
	Kind   string     `json:"kind"`
	SiteID id.ID      `json:"site_id"`
	Date   cal.Date   `json:"business_date"`
	MadeAt string     `json:"made_at"`
	Reason string     `json:"reason"`
	Ref    string     `json:"ref"`
	Note   string     `json:"note"`
	Lines  []LineView `json:"lines"`
}

// LineView is one batch of it, in the base unit; below 0 it went out.
type LineView struct {
	BatchID  id.ID     `json:"batch_id"`
	PlaceID  id.ID     `json:"place_id" doc:"of the batch, when the line is about one; else empty"`
	Code     string    `json:"code"`
	SKU      id.ID     `json:"sku_id"`
	Qty      qty.Qty   `json:"qty"`
	ValueFen money.Fen `json:"value_fen"`
}

func viewOf(d *Document, site *org.Site) *DocumentView {
	if d == nil {
		return nil
	}
	v := &DocumentView{ID: d.ID, Kind: d.Kind.String(), SiteID: d.Site, Date: d.Date, MadeAt: shown(d.MadeAt, site), Reason: d.Reason, Ref: d.Ref, Note: d.Note}
	for _, l := range d.Lines {
		v.Lines = append(v.Lines, LineView{l.Batch, l.Place, l.Code, l.SKU, l.Qty, l.Value})
	}
	return v
}

func headerAt(ctx context.Context, site id.ID, ref, note string) (Header, error) {
	s, err := org.SiteFor(ctx, "stock.manage", site)
	if err != nil {
		return Header{}, err
	}
	return Header{Site: s, Staff: org.CallerOf(ctx).ID, Ref: ref, Note: note}, nil
}

func (w WriteOffIn) header(ctx context.Context) (Header, error) {
	return headerAt(ctx, w.SiteID, "", w.Note)
}

func (a AdjustmentIn) header(ctx context.Context) (Header, error) {
	return headerAt(ctx, a.SiteID, "", a.Note)
}

func receive(ctx context.Context, tx *db.Tx, in ReceiptIn) (*DocumentView, error) {
	h, err := headerAt(ctx, in.SiteID, in.Ref, in.Note)
	if err != nil {
		return nil, err
	}
	products := make([]id.ID, len(in.Lines))
	for i, l := range in.Lines {
		products[i] = l.ProductID
	}
	units, err := unitsOf(tx, productUnits, products)
	if err != nil {
		return nil, err
	}
	r := Receipt{Header: h, Opening: in.Opening, Lines: make([]Arrival, len(in.Lines))}
	for i, l := range in.Lines {
		goods := units[l.ProductID]
		if goods == nil {
			return nil, ErrNoSKU.At(field(i, "product_id"))
		}
		q, err := goods.asked(i, l.Qty, l.Unit)
		if err != nil {
			return nil, err
		}
		if l.ExpiresAt.IsZero() && goods.shelfLife > 0 {
			l.ExpiresAt = tx.Now().Add(goods.shelfLife)
		}
		r.Lines[i] = Arrival{SKU: goods.sku, Code: strings.TrimSpace(l.Code), Qty: q, Cost: l.CostFen, MadeOn: l.MadeOn, ExpiresAt: l.ExpiresAt}
	}
	d, err := Receive(tx, r)
	return viewOf(d, h.Site), err
}

// goodsUnits is what converting a quantity of a product needs to know.
type goodsUnits struct {
	sku       id.ID
	base      string
	shelfLife time.Duration
	units     map[string]qty.Unit
}

// toBase converts a quantity in a named unit of the product to its base unit.
func (g *goodsUnits) toBase(line int, q qty.Qty, unit string) (qty.Qty, error) {
	if unit == "" || unit == g.base {
		return q, nil
	}
	u, ok := g.units[unit]
	if !ok {
		return 0, ErrNoUnit.With("unit", unit).At(field(line, "unit"))
	}
	n, err := u.ToBase(q)
	if err != nil {
		return 0, atQty(err, line)
	}
	return n, nil
}

var (
	productUnits = db.NewMany(`SELECT k.product_id, k.id, p.base_unit, p.shelf_life_h, u.name, u.num, u.den
	FROM catalog_product p JOIN catalog_sku k ON k.product_id = p.id JOIN catalog_unit u ON u.product_id = p.id WHERE p.id IN (`, `?`, `)`)
	batchUnits = db.NewMany(`SELECT b.id, k.id, p.base_unit, p.shelf_life_h, u.name, u.num, u.den
	FROM stock_batch b JOIN catalog_sku k ON k.id = b.sku_id JOIN catalog_product p ON p.id = k.product_id JOIN catalog_unit u ON u.product_id = p.id
	WHERE b.site_id + 0 = $1 AND b.id IN (`, `?`, `)`)  // + 0: by id, or SQLite reads all batches of the site
)

// unitsOf reads the units of products, or of the products of batches, by the id that was asked for.
func unitsOf(tx *db.Tx, ask *db.Many, ids []id.ID, before ...any) (map[id.ID]*goodsUnits, error) {
	args := before
	for _, n := range ids {
		args = append(args, int64(n))
	}
	all := map[id.ID]*goodsUnits{}
	rows := tx.QueryMany(ask, args...)
	for rows.Next() {
		var of, sku id.ID
		var base, name string
		var hours, num, den int64
		if err := rows.Scan(&of, &sku, &base, &hours, &name, &num, &den); err != nil {
			return nil, err
		}
		g := all[of]
		if g == nil {
			g = &goodsUnits{sku: sku, base: base, shelfLife: time.Duration(hours) * time.Hour, units: map[string]qty.Unit{}}
			all[of] = g
		}
		g.units[name] = qty.Unit{Name: name, Num: num, Den: den}
	}
	return all, rows.Err()
}
