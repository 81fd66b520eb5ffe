package supplyday

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

// What a store has too much of on a weak day is offered to stores that it is in reach of. Who takes of it gets a stock transfer, which the
// store that offers ships.

const requestedFrom = `SELECT k.product_id, SUM(l.asked) FROM stock_transfer t JOIN stock_transfer_line l ON l.transfer_id = t.id JOIN catalog_sku k ON k.id = l.sku_id
	WHERE t.from_site = $1 AND t.state = 'requested' GROUP BY k.product_id`

// askedFor is what a site has promised to others and not shipped yet, by product.
func askedFor(tx *db.Tx, site id.ID) (map[id.ID]qty.Qty, error) {
	rows := tx.Query(requestedFrom, site)
	defer rows.Close()
	found := map[id.ID]qty.Qty{}
	for rows.Next() {
		var p id.ID
		var q qty.Qty
		if err := rows.Scan(&p, &q); err != nil {
			return nil, err
		}
		found[p] = q
	}
	return found, rows.Err()
}

// surplus is what of the products that are cut is to spare and until when: the store closes, or the last of it is over its time.
func (p *pacing) surplus(tx *db.Tx, found []replenish.Tuned) ([]replenish.Surplus, error) {
	var all []replenish.Surplus
	promised, err := askedFor(tx, p.site.ID)
	if err != nil {
		return nil, err
	}
	closes := p.midnight(p.today).Add(time.Duration(p.close) * time.Minute)
	for _, t := range found {
		if t.Outcome != replenish.Cut {
			continue
		}
		var last time.Time
		for _, l := range p.lots[t.Product] {
			if l.Qty > 0 && l.Until.After(last) {
				last = l.Until
			}
		}
		if last.After(closes) {
			last = closes
		}
		all = append(all, replenish.Surplus{Product: t.Product, Spare: max(0, t.Spare-promised[t.Product]) / qty.Scale * qty.Scale, Until: last, Execution: p.policy(t.Product).At(replenish.Tuning)})
	}
	return all, nil
}

// offer makes the store's offers what the test found.
func (p *pacing) offer(tx *db.Tx, found []replenish.Tuned) error {
	helps, err := replenish.Helps(tx, p.site.ID)
	if err != nil {
		return err
	}
	var all []replenish.Surplus
	if helps { // else nobody would see it
		if all, err = p.surplus(tx, found); err != nil {
			return err
		}
	}
	slow := map[id.ID]bool{}
	for _, t := range found {
		slow[t.Product] = t.Reach == replenish.Under
	}
	return replenish.PutSurplus(tx, p.site.ID, p.today, all, func(product id.ID) bool { return slow[product] })
}

// TakeIn is what a store takes of an offer.
type TakeIn struct {
	SiteID id.ID   `json:"site_id" doc:"the store that takes"`
	Qty    qty.Qty `json:"qty" doc:"in the product's base unit"`
}

// TakeOut is the offer after it, and the transfer by which it comes.
type TakeOut struct {
	Offer      replenish.OfferView `json:"offer"`
	TransferID id.ID               `json:"transfer_id"`
}

// OfferList is what a store offers today and what it may take now.
type OfferList struct {
	Items []replenish.OfferView `json:"items"`
}

func (s *Service) offerRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans/offers", Name: "list-store-offers", Summary: "What a store offers today, and what stores in reach offer to it", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*OfferList, error) {
			site, err := org.SiteFor(ctx, permRead, in.SiteID)
			if err != nil {
				return nil, err
			}
			all, err := replenish.Offers(tx, site.ID, site.BusinessDate(tx.Now()))
			return &OfferList{all}, err
		})
	web.Post(api, web.Route{Path: "/api/plans/offers/{id}/open", Name: "open-store-offer", Summary: "Agree to offer what is to spare to stores in reach", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*replenish.OfferView, error) {
			o, site, err := ownOffer(ctx, tx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := o.Agree(tx, org.CallerOf(ctx).ID, approver(ctx, site)); err != nil {
				return nil, err
			}
			return replenish.OfferFor(tx, site.ID, o.ID)
		})
	web.Post(api, web.Route{Path: "/api/plans/offers/{id}/withdraw", Name: "withdraw-store-offer", Summary: "Offer no more of it today, and say why", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body ReleaseIn
		}) (*replenish.OfferView, error) {
			o, site, err := ownOffer(ctx, tx, in.ID)
			if err != nil {
				return nil, err
			}
			if err := o.Withdraw(tx, org.CallerOf(ctx).ID, strings.TrimSpace(in.Body.Reason)); err != nil {
				return nil, err
			}
			return replenish.OfferFor(tx, site.ID, o.ID)
		})
	web.Post(api, web.Route{Path: "/api/plans/offers/{id}/take", Name: "take-store-offer", Summary: "Take of what a store in reach offers: it becomes a stock transfer, to be shipped there", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body TakeIn
		}) (*TakeOut, error) {
			return s.take(ctx, tx, in.ID, in.Body)
		})
}

// ownOffer locks an offer of a site at which the caller may plan; a foreign one is not found.
func ownOffer(ctx context.Context, tx *db.Tx, offer id.ID) (*replenish.Offer, *org.Site, error) {
	o, err := replenish.LockOffer(tx, offer)
	if err != nil {
		return nil, nil, err
	}
	site, err := org.SiteFor(ctx, permConfirm, o.Site)
	if err != nil {
		return nil, nil, replenish.ErrNoOffer
	}
	return o, site, nil
}

// ErrOfferOld refuses what would be over its time when it has come.
var ErrOfferOld = errs.Define("plan_offer_old", errs.Conflict, "送到时还在效期内的只有 {left}", "Only {left} of it is still in date when it has come")

// take gives a store what it takes of an offer. The offer is locked, so of two that take the last one gets it.
func (s *Service) take(ctx context.Context, tx *db.Tx, offer id.ID, in TakeIn) (*TakeOut, error) {
	to, err := org.SiteFor(ctx, permConfirm, in.SiteID)
	if err != nil {
		return nil, errs.As(err).At("site_id")
	}
	near, err := replenish.NearTo(tx, to.ID)
	if err != nil {
		return nil, err
	}
	o, err := replenish.LockOffer(tx, offer)
	if err != nil {
		return nil, err
	}
	var way *replenish.Near
	for i := range near {
		if near[i].Near == o.Site {
			way = &near[i]
		}
	}
	if way == nil || o.State == replenish.OfferAsk {
		return nil, replenish.ErrNoOffer // nobody has offered it to this store
	}
	from, err := org.SiteByID(tx, o.Site)
	if err != nil {
		return nil, err
	}
	if from.EntityID != to.EntityID { // a sale between companies is more than a trip
		return nil, replenish.ErrNoOffer
	}
	goods, err := s.goods.Products(tx, []id.ID{o.Product})
	if err != nil {
		return nil, err
	}
	g := goods[o.Product]
	switch {
	case g == nil:
		return nil, replenish.ErrNoOffer
	case in.Qty <= 0:
		return nil, replenish.ErrOfferNone.At("qty")
	case in.Qty > qty.Max:
		return nil, replenish.ErrQty.With("most", qty.Max).At("qty")
	case g.BaseUnit == "piece" && in.Qty%qty.Scale != 0:
		return nil, replenish.ErrPieces.At("qty")
	case o.State == replenish.OfferEnd:
		return nil, replenish.ErrOfferEnded
	case in.Qty > o.Spare:
		return nil, replenish.ErrOfferLess.With("left", o.Spare).At("qty")
	}
	arrives := tx.Now().Add(time.Duration(way.Minutes) * time.Minute)
	good, err := inDate(tx, from.ID, o.Product, arrives)
	if err != nil {
		return nil, err
	}
	if in.Qty > good {
		return nil, ErrOfferOld.With("left", good).At("qty")
	}
	note := fmt.Sprintf("调剂 · 效期要晚于 / in date after %s", arrives.In(from.Location()).Format("15:04"))
	t, err := stock.Request(tx, stock.Call{From: from, To: to, Due: to.BusinessDate(tx.Now()), Note: note, Staff: org.CallerOf(ctx).ID, Lines: []stock.Want{{SKU: g.SKU, Qty: in.Qty}}})
	if err != nil {
		return nil, err
	}
	if err := o.Take(tx, to.ID, org.CallerOf(ctx).ID, t.ID, in.Qty); err != nil {
		return nil, err
	}
	if _, err := Enqueue(tx, PlanArgs{Sites: []id.ID{to.ID}}); err != nil { // what comes need not be made
		return nil, err
	}
	v, err := replenish.OfferFor(tx, to.ID, o.ID)
	if err != nil {
		return nil, err
	}
	return &TakeOut{*v, t.ID}, nil
}

// inDate is what a site has of a product that is in date after an instant, less what it has promised already.
func inDate(tx *db.Tx, site, product id.ID, after time.Time) (have qty.Qty, err error) {
	rows := tx.Query(lotsOf, site, product)
	defer rows.Close()
	for rows.Next() {
		var q qty.Qty
		var until time.Time
		if err := rows.Scan(&q, &until); err != nil {
			return 0, err
		}
		if until.After(after) {
			have += q
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	promised, err := askedFor(tx, site)
	return max(0, have-promised[product]), err
}
