package supplyday

import (
	"context"
	"fmt"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

var (
	ErrMoreThanAsked = errs.Define("store_requisition_more", errs.Invalid, "要货单只要 {asked},不能答应更多", "The requisition asks for {asked}; no more than that can be promised")
	ErrNothingGiven  = errs.Define("store_requisition_nothing", errs.Invalid, "每一行都是 0:不发货请直接结束要货单,并写明原因", "Every line is 0: to send nothing, end the requisition and say why")
	ErrUnknownLine   = errs.Define("store_requisition_line_unknown", errs.Invalid, "要货单里没有这一行", "The requisition has no such line")
	ErrLineTwice     = errs.Define("store_requisition_line_twice", errs.Invalid, "同一行写了两次", "The same line is there twice")
	ErrUnderWay      = errs.Define("store_requisition_under_way", errs.Conflict, "这张要货单已经在调拨,收货后自动结束;不发货请先取消调拨单",
		"This requisition is being delivered and ends when the goods are received; to send nothing, cancel the stock transfer first")
	ErrOtherEntity = errs.Define("store_requisition_entity", errs.Forbidden, "两家机构属于不同公司:需要同时管理两边库存的人来确认", "The two sites belong to different companies: somebody who manages stock at both has to confirm it")
)

// RequisitionOut is a requisition and how it is delivered.
type RequisitionOut struct {
	replenish.RequisitionView
	TransferID    id.ID               `json:"transfer_id" doc:"the stock transfer that delivers it; empty: none"`
	TransferState stock.TransferState `json:"transfer_state" enum:",requested,shipped,received,settled" doc:"requested: the source has confirmed it; shipped: on its way; received: something is missing; settled: it is all somewhere"`
}

// DeliverIn is what the source promises of a requisition.
type DeliverIn struct {
	Note  string          `json:"note,omitempty" maxLength:"200"`
	Lines []DeliverLineIn `json:"lines,omitempty" maxItems:"500" doc:"lines of which less comes than was asked, 0: nothing; lines that are not named come whole"`
}

// DeliverLineIn is so much of a line.
type DeliverLineIn struct {
	LineNo int64   `json:"line_no"`
	Qty    qty.Qty `json:"qty" doc:"in the base unit"`
}

func (s *Service) requisitionRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/requisitions", Name: "list-store-requisitions", Summary: "What sites ask of each other, newest first", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.RequisitionSearch) (*web.Page[RequisitionOut], error) {
			found, err := replenish.ListRequisitions(tx, org.SitesOf(ctx, permRead), *in)
			if err != nil {
				return nil, err
			}
			out := &web.Page[RequisitionOut]{Items: make([]RequisitionOut, len(found.Items)), Next: found.Next}
			for i, v := range found.Items {
				out.Items[i].RequisitionView = v
			}
			return out, delivered(tx, out.Items)
		})
	web.Get(api, web.Route{Path: "/api/requisitions/{id}", Name: "get-store-requisition", Summary: "A requisition with its lines", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*RequisitionOut, error) {
			v, err := replenish.RequisitionByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			if reach := org.SitesOf(ctx, permRead); !reach.Has(v.SiteID) && !reach.Has(v.SourceID) {
				return nil, replenish.ErrRequested
			}
			return shown(tx, v)
		})
	web.Post(api, web.Route{Path: "/api/requisitions/{id}/close", Name: "close-store-requisition", Summary: "End a requisition that will not be delivered by a stock transfer", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body EndIn
		}) (*RequisitionOut, error) {
			return endRequisition(ctx, tx, in.ID, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/requisitions/{id}/deliver", Name: "deliver-store-requisition", Summary: "Confirm a requisition at the site that is asked: it becomes a stock transfer, to be shipped there and received at the store", Perm: permReceive, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body DeliverIn
		}) (*RequisitionOut, error) {
			return s.deliver(ctx, tx, in.ID, in.Body)
		})
}

func shown(tx *db.Tx, v *replenish.RequisitionView) (*RequisitionOut, error) {
	one := []RequisitionOut{{RequisitionView: *v}}
	err := delivered(tx, one)
	return &one[0], err
}

// delivered tells of requisitions how they are delivered.
func delivered(tx *db.Tx, all []RequisitionOut) error {
	ids := make([]id.ID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	by, err := stock.Deliveries(tx, ids)
	for i := range all {
		all[i].TransferID, all[i].TransferState = by[all[i].ID].Transfer, by[all[i].ID].State
	}
	return err
}

// EndIn says why a requisition ends.
type EndIn struct {
	Reason string `json:"reason" maxLength:"200" doc:"delivered, or why it will not be"`
}

// endRequisition closes a requisition for who may plan at the site that asks, or at the one that is asked.
func endRequisition(ctx context.Context, tx *db.Tx, requisition id.ID, in EndIn) (*RequisitionOut, error) {
	v, err := replenish.LockRequisition(tx, requisition)
	if err != nil {
		return nil, err
	}
	if reach := org.SitesOf(ctx, permConfirm); !reach.Has(v.SiteID) && !reach.Has(v.SourceID) {
		return nil, replenish.ErrRequested
	}
	by, err := stock.Deliveries(tx, []id.ID{requisition})
	if err != nil {
		return nil, err
	}
	if d, ok := by[requisition]; ok && (d.State == stock.Requested || d.State == stock.Shipped) {
		return nil, ErrUnderWay
	}
	if err := replenish.End(tx, requisition, org.CallerOf(ctx).ID, strings.TrimSpace(in.Reason)); err != nil {
		return nil, err
	}
	if v, err = replenish.RequisitionByID(tx, requisition); err != nil {
		return nil, err
	}
	return shown(tx, v)
}

// deliver makes a requisition into a stock transfer from the site that is asked. It stays open until the goods are received;
// a transfer that is cancelled leaves it as it was.
func (s *Service) deliver(ctx context.Context, tx *db.Tx, requisition id.ID, in DeliverIn) (*RequisitionOut, error) {
	v, err := replenish.LockRequisition(tx, requisition)
	if err != nil {
		return nil, err
	}
	source, err := org.SiteFor(ctx, permReceive, v.SourceID)
	if err != nil {
		if _, err := org.SiteFor(ctx, permReceive, v.SiteID); err == nil { // to the store it is no secret
			return nil, web.ErrForbidden
		}
		return nil, replenish.ErrRequested
	}
	store, err := org.SiteByID(tx, v.SiteID)
	if err != nil {
		return nil, err
	}
	if store.EntityID != source.EntityID {
		if _, err := org.SiteFor(ctx, permReceive, store.ID); err != nil {
			return nil, ErrOtherEntity
		}
	}
	if err := replenish.Promise(tx, v.ID); err != nil {
		return nil, err
	}
	asked, ids := map[int64]replenish.RequisitionLineView{}, make([]id.ID, len(v.Lines))
	for i, l := range v.Lines {
		asked[l.LineNo], ids[i] = l, l.ProductID
	}
	goods, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	promised := map[int64]qty.Qty{}
	for i, l := range in.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		of, ok := asked[l.LineNo]
		_, twice := promised[l.LineNo]
		switch {
		case !ok:
			return nil, ErrUnknownLine.At(at + "line_no")
		case twice:
			return nil, ErrLineTwice.At(at + "line_no")
		case l.Qty < 0:
			return nil, stock.ErrQty.At(at + "qty")
		case l.Qty > of.Qty:
			return nil, ErrMoreThanAsked.With("asked", of.Qty).At(at + "qty")
		case of.Unit == "piece" && l.Qty%qty.Scale != 0:
			return nil, replenish.ErrPieces.At(at + "qty")
		}
		promised[l.LineNo] = l.Qty
	}
	call := stock.Call{From: source, To: store, Due: v.Due, Note: strings.TrimSpace(v.No + " " + in.Note), Cause: v.ID, Staff: org.CallerOf(ctx).ID}
	for _, l := range v.Lines {
		g, q := goods[l.ProductID], l.Qty
		if less, ok := promised[l.LineNo]; ok {
			q = less
		}
		if q == 0 {
			continue
		}
		if g == nil {
			return nil, stock.ErrNoSKU.With("product", l.Name)
		}
		call.Lines = append(call.Lines, stock.Want{SKU: g.SKU, Qty: q})
	}
	if len(call.Lines) == 0 {
		return nil, ErrNothingGiven.At("lines")
	}
	if _, err := stock.Request(tx, call); err != nil {
		return nil, err
	}
	return shown(tx, v)
}

// transferMoved ends a requisition when what was sent for it is received, also when something is missing: that is a
// matter of the stock transfer, and the next plan asks again for what is not there.
func (s *Service) transferMoved(tx *db.Tx, e outbox.Event) error {
	var body stock.TransferBody
	if err := e.Unmarshal(&body); err != nil {
		return err
	}
	if body.Cause == 0 || body.State != stock.Arrived && body.State != stock.Settled {
		return nil
	}
	return replenish.Delivered(tx, body.Cause)
}

// underWay corrects what a site asked others for by what they have promised and sent: a requisition with a transfer is
// expected as its transfer says.
func underWay(tx *db.Tx, site id.ID, today cal.Date, asked map[id.ID][]replenish.Coming) (map[id.ID][]replenish.Coming, error) {
	var ids []id.ID
	for _, some := range asked {
		for _, c := range some {
			ids = append(ids, c.Order)
		}
	}
	by, err := stock.Deliveries(tx, ids)
	if err != nil {
		return nil, err
	}
	all := map[id.ID][]replenish.Coming{}
	no := map[id.ID]string{}
	for p, some := range asked {
		for _, c := range some {
			no[c.Order] = c.No
			if by[c.Order].Transfer == 0 {
				all[p] = append(all[p], c)
			}
		}
	}
	legs, err := stock.ComingTo(tx, site)
	if err != nil {
		return nil, err
	}
	for _, l := range legs {
		due := max(l.Due, today) // late, or nobody said when: it may come any time
		if l.Due != "" && l.Due < today.AddDays(-overdue) || l.Qty <= 0 {
			continue
		}
		all[l.Product] = append(all[l.Product], replenish.Coming{Order: l.Transfer, No: no[l.Cause], Due: due, Qty: l.Qty})
	}
	return all, nil
}

// lessSent takes from what others want of a site what it has shipped to them.
func lessSent(tx *db.Tx, site id.ID, from cal.Date, asked map[cal.Date]map[id.ID]qty.Qty) error {
	legs, err := stock.SentFrom(tx, site, from)
	for _, l := range legs {
		if left := asked[l.Due][l.Product] - l.Qty; left > 0 {
			asked[l.Due][l.Product] = left
		} else {
			delete(asked[l.Due], l.Product)
		}
	}
	return err
}
