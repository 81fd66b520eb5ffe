package ledger

import (
	"context"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// ErrNotFound is the answer for an account that is not there and for one out of the caller's reach alike.
var ErrNotFound = errs.Define("account_unknown", errs.NotFound, "没有找到这个账户", "There is no such account")

// Zone tells the time zone of a site; the ledger knows no sites, so app hands it in.
type Zone func(ctx context.Context, site id.ID) *time.Location

// StatementSearch is the input of a statement.
type StatementSearch struct {
	web.Paging
	ID   id.ID    `path:"id"`
	From cal.Date `query:"from" doc:"first business date; from the beginning when left out"`
	To   cal.Date `query:"to" doc:"last business date; up to now when left out"`
}

// StatementView is a page of a statement on the wire. An account counts money or goods: amounts are in the
// *_fen fields or in the others, in the base unit of the SKU.
type StatementView struct {
	ID         id.ID          `json:"id"`
	Book       string         `json:"book"`
	SiteID     id.ID          `json:"site_id"`
	Money      bool           `json:"money" doc:"counts fen; else goods of the SKU"`
	SKU        id.ID          `json:"sku_id" doc:"empty for money"`
	Opening    qty.Qty        `json:"opening"`
	Closing    qty.Qty        `json:"closing"`
	Available  qty.Qty        `json:"available" doc:"now, less what is held"`
	OpeningFen money.Fen      `json:"opening_fen"`
	ClosingFen money.Fen      `json:"closing_fen"`
	AvailFen   money.Fen      `json:"available_fen"`
	Items      []MovementView `json:"items" doc:"newest first"`
	Next       string         `json:"next" doc:"give back as after; empty on the last page"`
}

// MovementView is a movement on the wire.
type MovementView struct {
	Document   string    `json:"document" doc:"as in sale:8812/3"`
	Kind       string    `json:"kind"`
	ID         id.ID     `json:"id" doc:"of the document"`
	Other      string    `json:"other" doc:"account it came from or went to"`
	Qty        qty.Qty   `json:"qty" doc:"in above 0, out below"`
	Balance    qty.Qty   `json:"balance" doc:"after it"`
	AmountFen  money.Fen `json:"amount_fen"`
	BalanceFen money.Fen `json:"balance_fen"`
	Date       cal.Date  `json:"business_date"`
	At         string    `json:"at"`
	Corrects   string    `json:"corrects" doc:"the movement that this one takes back"`
}

// Routes registers the routes of the ledger.
func Routes(api *web.API, zone Zone) {
	flowRoutes(api, zone)
	web.Get(api, web.Route{Path: "/api/ledger/accounts/{id}/statement", Name: "get-statement", Summary: "What happened to an account", Perm: "ledger.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *StatementSearch) (*StatementView, error) {
			for _, d := range []struct {
				field string
				date  cal.Date
			}{{"from", in.From}, {"to", in.To}} {
				if d.date != "" && !d.date.Valid() {
					return nil, cal.ErrDate.With("text", d.date).At(d.field)
				}
			}
			var place Place
			var kind int64
			if _, err := in.Seek(&place.Date, &place.Doc, &kind, &place.Leg, &place.Balance); err != nil {
				return nil, err
			}
			place.Kind = Kind(kind)
			states, err := States(tx, Account(in.ID))
			if err != nil {
				return nil, err
			}
			account, there := states[Account(in.ID)]
			if caller := web.CallerOf(ctx); !there || caller == nil || !caller.MayAt("ledger.read", account.Site) {
				return nil, ErrNotFound
			}
			s, err := ReadStatement(tx, account.ID, in.From, in.To, place, in.Limit)
			if err != nil {
				return nil, err
			}
			return s.view(zone(ctx, account.Site)), nil
		})
}

func (s *Statement) view(zone *time.Location) *StatementView {
	v := &StatementView{ID: id.ID(s.Account.ID), Book: s.Account.Book.String(), SiteID: s.Account.Site, Money: s.Account.Unit == CNY, Items: []MovementView{}}
	if v.Money {
		v.OpeningFen, v.ClosingFen, v.AvailFen = money.Fen(s.Opening), money.Fen(s.Closing), money.Fen(s.Account.Available())
	} else {
		v.SKU = id.ID(s.Account.Unit)
		v.Opening, v.Closing, v.Available = qty.Qty(s.Opening), qty.Qty(s.Closing), qty.Qty(s.Account.Available())
	}
	for _, m := range s.Movements {
		v.Items = append(v.Items, m.view(v.Money, zone))
	}
	if s.More {
		p := s.Next()
		v.Next = web.Cursor(p.Date, p.Doc, int64(p.Kind), p.Leg, p.Balance)
	}
	return v
}

func (m *Movement) view(inMoney bool, zone *time.Location) MovementView {
	w := MovementView{Document: m.Ref.String(), Kind: m.Kind.String(), ID: m.ID, Other: m.Other.String(), Date: m.Date, At: m.At.In(zone).Format(time.RFC3339)}
	if m.Corrects != (Ref{}) {
		w.Corrects = m.Corrects.String()
	}
	if inMoney {
		w.AmountFen, w.BalanceFen = money.Fen(m.Amount), money.Fen(m.Balance)
	} else {
		w.Qty, w.Balance = qty.Qty(m.Amount), qty.Qty(m.Balance)
	}
	return w
}
