package books

import (
	"context"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// AllowanceView is how far below zero an account may go, who allowed it and why.
type AllowanceView struct {
	AccountID id.ID      `json:"account_id"`
	Money     bool       `json:"money" doc:"counts fen; else goods in the base unit"`
	LowFen    money.Fen  `json:"low_fen"`
	Low       qty.Qty    `json:"low"`
	Reason    string     `json:"reason"`
	ByRule    bool       `json:"by_rule" doc:"all accounts of this kind may; reason names the rule"`
	By        string     `json:"by"`
	At        time.Time  `json:"at"`
	Until     *time.Time `json:"until,omitempty"`
	Ending    bool       `json:"ending" doc:"it is over; the account is still below its floor and may only rise"`
}

// AllowIn allows an account to go below zero.
type AllowIn struct {
	DownFen money.Fen `json:"down_fen,omitempty" doc:"money: how far below zero, as a number above zero"`
	Down    qty.Qty   `json:"down,omitempty" doc:"goods: the same, in the base unit"`
	Reason  string    `json:"reason" maxLength:"300"`
	Until   time.Time `json:"until"`
}

type accountIn struct {
	ID id.ID `path:"id"`
}

// accountFor is an account within reach of the caller.
func accountFor(ctx context.Context, tx *db.Tx, perm string, account id.ID) (ledger.State, error) {
	states, err := ledger.States(tx, ledger.Account(account))
	if err != nil {
		return ledger.State{}, err
	}
	s, there := states[ledger.Account(account)]
	if caller := web.CallerOf(ctx); !there || caller == nil || !caller.MayAt(perm, s.Site) {
		return ledger.State{}, ledger.ErrNotFound
	}
	return s, nil
}

func viewAllowance(tx *db.Tx, a *ledger.Allowance, unit ledger.Unit) (*AllowanceView, error) {
	named, err := org.StaffNames(tx, a.By)
	if err != nil {
		return nil, err
	}
	return allowanceView(a, unit, named[a.By]), nil
}

// allowanceView is an allowance with the name of who gave it.
func allowanceView(a *ledger.Allowance, unit ledger.Unit, by string) *AllowanceView {
	v := &AllowanceView{AccountID: id.ID(a.Account), Money: unit == ledger.CNY, Reason: a.Reason, ByRule: a.By == 0, By: by, At: a.At, Ending: a.Ending}
	if v.Money {
		v.LowFen = money.Fen(a.Low)
	} else {
		v.Low = qty.Qty(a.Low)
	}
	if a.Until.Before(ledger.Never) {
		v.Until = &a.Until
	}
	return v
}

// AllowancePage is the allowance of an account, if it has one.
type AllowancePage struct {
	Allowance *AllowanceView `json:"allowance,omitempty"`
}

// AllowanceRow is an allowance in the list of a site.
type AllowanceRow struct {
	AllowanceView
	ID           id.ID     `json:"id"`
	Book         string    `json:"book" doc:"what the account is one of, such as stock or till"`
	Over         bool      `json:"over" doc:"not in force any more"`
	AvailableFen money.Fen `json:"available_fen" doc:"on the account now"`
	Available    qty.Qty   `json:"available"`
}

// allowancesAt lists what accounts of a site are allowed.
func allowancesAt(tx *db.Tx, p web.Paging, site id.ID, rules, past bool) (*web.Page[AllowanceRow], error) {
	before := id.ID(1<<63 - 1)
	if _, err := p.Seek(&before); err != nil {
		return nil, err
	}
	all, err := ledger.AllowancesAt(tx, site, rules, past, before, p.Limit+1)
	if err != nil {
		return nil, err
	}
	by := make([]id.ID, len(all))
	for i := range all {
		by[i] = all[i].By
	}
	named, err := org.StaffNames(tx, by...)
	if err != nil {
		return nil, err
	}
	rows := make([]AllowanceRow, len(all))
	for i := range all {
		a := &all[i]
		v := allowanceView(&a.Allowance, a.Unit, named[a.By])
		rows[i] = AllowanceRow{AllowanceView: *v, ID: a.ID, Book: a.Book.String(), Over: a.Over}
		if v.Money {
			rows[i].AvailableFen = money.Fen(a.Available)
		} else {
			rows[i].Available = qty.Qty(a.Available)
		}
	}
	return web.PageOf(p, rows, func(r AllowanceRow) string { return web.Cursor(r.ID) }), nil
}

func (s *Service) allowanceRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/ledger/allowances", Name: "list-allowances", Summary: "Accounts of a site that may go below zero: who allowed it and why, newest first", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			web.Paging
			SiteID id.ID `query:"site_id" required:"true"`
			Rules  bool  `query:"rules" doc:"also what holds by rule"`
			Past   bool  `query:"past" doc:"also what is over"`
		}) (*web.Page[AllowanceRow], error) {
			if caller := web.CallerOf(ctx); caller == nil || !caller.MayAt(permRead, in.SiteID) {
				return nil, ledger.ErrNotFound
			}
			return allowancesAt(tx, in.Paging, in.SiteID, in.Rules, in.Past)
		})
	web.Get(api, web.Route{Path: "/api/ledger/accounts/{id}/allowance", Name: "get-allowance", Summary: "Whether an account may go below zero, and why", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *accountIn) (*AllowancePage, error) {
			account, err := accountFor(ctx, tx, permRead, in.ID)
			if err != nil {
				return nil, err
			}
			a, err := ledger.AllowanceOf(tx, account.ID)
			if err != nil || a == nil {
				return &AllowancePage{}, err
			}
			v, err := viewAllowance(tx, a, account.Unit)
			return &AllowancePage{v}, err
		})
	web.Post(api, web.Route{Path: "/api/ledger/accounts/{id}/allowance", Name: "allow-negative", Summary: "Allow an account to go below zero, for a reason and a time", Perm: permAllow, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body AllowIn
		}) (*AllowanceView, error) {
			account, err := accountFor(ctx, tx, permAllow, in.ID)
			if err != nil {
				return nil, err
			}
			low, field := -int64(in.Body.Down), "down"
			if account.Unit == ledger.CNY {
				low, field = -int64(in.Body.DownFen), "down_fen"
			}
			if low >= 0 {
				return nil, ledger.ErrAllowLow.At(field)
			}
			a, err := ledger.Allow(tx, account.ID, low, in.Body.Reason, org.CallerOf(ctx).ID, in.Body.Until)
			if err != nil {
				return nil, err
			}
			v, err := viewAllowance(tx, a, account.Unit)
			if err != nil {
				return nil, err
			}
			return v, s.org.Audit(ctx, tx, "allow_negative", "ledger_account", in.ID, account.Site, nil, v)
		})
	web.Post(api, web.Route{Path: "/api/ledger/accounts/{id}/allowance/end", Name: "end-allowance", Summary: "End what an account was allowed", Perm: permAllow, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *accountIn) (*AllowancePage, error) {
			account, err := accountFor(ctx, tx, permAllow, in.ID)
			if err != nil {
				return nil, err
			}
			if err := ledger.EndAllowance(tx, account.ID, org.CallerOf(ctx).ID); err != nil {
				return nil, err
			}
			out := &AllowancePage{}
			a, err := ledger.AllowanceOf(tx, account.ID)
			if err == nil && a != nil {
				out.Allowance, err = viewAllowance(tx, a, account.Unit)
			}
			if err != nil {
				return nil, err
			}
			return out, s.org.Audit(ctx, tx, "end_allowance", "ledger_account", in.ID, account.Site, nil, out)
		})
}
