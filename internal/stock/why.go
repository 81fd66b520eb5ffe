package stock

import (
	"context"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Why opens what a site has of a product into parts that add up: what can be sold, and why the rest can't.
type Why struct {
	ProductID id.ID    `json:"product_id"`
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Unit      string   `json:"unit" doc:"base unit of the quantities"`
	Qty       qty.Qty  `json:"qty" doc:"on hand: the sum of the parts but what is on its way"`
	Available qty.Qty  `json:"available"`
	Items     []WhyRow `json:"items" doc:"at most 1000; available ones last"`
	More      bool     `json:"more" doc:"there are more than are shown; the sums count all"`
	Sums      WhySums  `json:"sums"`
}

// WhySums are the parts, in the base unit.
type WhySums struct {
	Held       qty.Qty `json:"held"`
	Frozen     qty.Qty `json:"frozen"`
	Inspecting qty.Qty `json:"inspecting"`
	Damaged    qty.Qty `json:"damaged"`
	Expired    qty.Qty `json:"expired"`
	Reserved   qty.Qty `json:"reserved" doc:"kept for a channel"`
	Transit    qty.Qty `json:"in_transit" doc:"on its way to the site: not on hand yet"`
}

// WhyRow is one piece of stock and what keeps it.
type WhyRow struct {
	Why       string  `json:"why" enum:"available,held,frozen,inspecting,damaged,expired,reserved,in_transit"`
	BatchID   id.ID   `json:"batch_id"`
	Batch     string  `json:"batch"`
	PlaceID   id.ID   `json:"place_id" doc:"empty: the ordinary place of the batch"`
	Qty       qty.Qty `json:"qty"`
	ExpiresAt string  `json:"expires_at" doc:"empty: keeps for ever"`
	Channel   string  `json:"channel" doc:"for which it is kept"`
	Kind      string  `json:"kind" doc:"held, on its way: of the document"`
	Document  id.ID   `json:"document_id"`
	Until     string  `json:"until" doc:"held: until then; empty: until somebody decides"`
}

const mostWhy = 1000

// whyRows are the batches and places with something in them; what is promised of them is told by holds.
const whyRows = `
SELECT b.id, b.code, 0 AS place, 1 AS status, '' AS channel, b.expires_at, a.posted_in - a.posted_out - a.pending_out AS free, a.pending_out
FROM stock_batch b JOIN ledger_account a ON a.id = b.id WHERE b.site_id = $1 AND b.sku_id = $2 AND b.open = 1
UNION ALL
SELECT b.id, b.code, o.id, o.status, o.channel, b.expires_at, a.posted_in - a.posted_out - a.pending_out, a.pending_out
FROM stock_place o JOIN stock_batch b ON b.id = o.batch_id JOIN ledger_account a ON a.id = o.id WHERE o.site_id = $1 AND o.sku_id = $2 AND o.open = 1
ORDER BY 6, 1, 3`

const whyHeld = `
SELECT b.id, b.code, COALESCE(o.id, 0), COALESCE(o.channel, ''), b.expires_at, h.amount, h.doc_kind, h.doc_id, h.expires_at
FROM ledger_hold h LEFT JOIN stock_place o ON o.id = h.from_id JOIN stock_batch b ON b.id = COALESCE(o.batch_id, h.from_id)
WHERE h.state = 1 AND h.site_id = $1 AND h.unit = $2 ORDER BY h.expires_at, h.doc_id, h.leg`

const whyTransit = `
SELECT w.batch_id, b.code, b.expires_at, w.shipped - w.received - w.lost - w.back, w.transfer_id
FROM stock_transit w JOIN stock_batch b ON b.id = w.batch_id WHERE w.to_site = $1 AND w.sku_id = $2 AND w.received + w.lost + w.back < w.shipped ORDER BY w.id`

// WhyNot opens what a site has of a product.
func WhyNot(tx *db.Tx, site *org.Site, product id.ID) (*Why, error) {
	w := &Why{ProductID: product, Items: []WhyRow{}}
	var sku id.ID
	err := tx.QueryRow(`SELECT k.id, p.code, p.name, p.base_unit FROM catalog_sku k JOIN catalog_product p ON p.id = k.product_id WHERE p.id = $1 ORDER BY k.id LIMIT 1`, product).
		Scan(&sku, &w.Code, &w.Name, &w.Unit)
	if err == db.ErrNoRow {
		return nil, ErrNoSKU.At("product_id")
	}
	if err != nil {
		return nil, err
	}
	lots, coming := tx.Query(whyRows, site.ID, sku), tx.Query(whyTransit, site.ID, sku)
	type lot struct {
		row    WhyRow
		status Status
		past   bool
	}
	var all []lot
	var promised qty.Qty
	for lots.Next() {
		var l lot
		var pending qty.Qty
		var expires time.Time
		if err := lots.Scan(&l.row.BatchID, &l.row.Batch, &l.row.PlaceID, &l.status, &l.row.Channel, &expires, &l.row.Qty, &pending); err != nil {
			return nil, err
		}
		l.row.ExpiresAt, l.past = shown(expires, site), !tx.Now().Before(expires)
		promised += pending
		all = append(all, l)
	}
	if err := lots.Err(); err != nil {
		return nil, err
	}
	if promised > 0 { // else nobody needs to look through the promises of all goods
		if err := w.addHeld(tx, site, sku); err != nil {
			return nil, err
		}
	}
	var free []WhyRow
	for _, l := range all {
		r := l.row
		switch {
		case r.Qty == 0:
		case l.status != Sellable:
			r.Why = l.status.String()
			w.add(r, map[Status]*qty.Qty{Frozen: &w.Sums.Frozen, Inspecting: &w.Sums.Inspecting, Spoilt: &w.Sums.Damaged}[l.status])
		case l.past:
			r.Why = "expired"
			w.add(r, &w.Sums.Expired)
		case r.Channel != "":
			r.Why = "reserved"
			w.add(r, &w.Sums.Reserved)
		default:
			r.Why = "available"
			free = append(free, r)
		}
	}
	for coming.Next() {
		r := WhyRow{Why: "in_transit", Kind: "stock_transfer"}
		var expires time.Time
		if err := coming.Scan(&r.BatchID, &r.Batch, &expires, &r.Qty, &r.Document); err != nil {
			return nil, err
		}
		r.ExpiresAt = shown(expires, site)
		w.add(r, &w.Sums.Transit)
		w.Qty -= r.Qty
	}
	for _, r := range free {
		w.add(r, &w.Available)
	}
	return w, coming.Err()
}

// addHeld adds what is promised to somebody.
func (w *Why) addHeld(tx *db.Tx, site *org.Site, sku id.ID) error {
	held := tx.Query(whyHeld, site.ID, sku)
	for held.Next() {
		r := WhyRow{Why: "held"}
		var kind ledger.Kind
		var expires, until time.Time
		if err := held.Scan(&r.BatchID, &r.Batch, &r.PlaceID, &r.Channel, &expires, &r.Qty, &kind, &r.Document, &until); err != nil {
			return err
		}
		r.Kind, r.ExpiresAt, r.Until = kind.String(), shown(expires, site), shown(until, site)
		w.add(r, &w.Sums.Held)
	}
	return held.Err()
}

func (w *Why) add(r WhyRow, sum *qty.Qty) {
	*sum += r.Qty
	w.Qty += r.Qty
	if w.More = len(w.Items) == mostWhy; !w.More {
		w.Items = append(w.Items, r)
	}
}

func whyRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/stock/why", Name: "why-not-available", Summary: "What a site has of a product, and why it can't all be sold", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID    id.ID `query:"site_id" required:"true"`
			ProductID id.ID `query:"product_id" required:"true"`
		}) (*Why, error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			return WhyNot(tx, site, in.ProductID)
		})
}
