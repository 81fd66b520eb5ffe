package supplyday

import (
	"context"
	"fmt"
	"strings"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
)

// MixShareIn is the share of a material that a person decides for.
type MixShareIn struct {
	ProductID id.ID  `json:"product_id"`
	Share     string `json:"share" maxLength:"12" doc:"of its line, as in 0.4 or 40%"`
}

// MixApproveIn approves a proposal, as it is or changed.
type MixApproveIn struct {
	Version int64        `json:"version" doc:"of the proposal that was seen"`
	Shares  []MixShareIn `json:"shares,omitempty" maxItems:"1200" doc:"all of them when any is changed; as proposed when left out"`
	Last    cal.Date     `json:"last,omitempty" maxLength:"10" doc:"last day; as proposed when left out"`
	Reason  string       `json:"reason,omitempty" maxLength:"200" doc:"needed when something is changed"`
}

// MixRefuseIn refuses a proposal.
type MixRefuseIn struct {
	Version int64  `json:"version" doc:"of the proposal that was seen"`
	Reason  string `json:"reason" maxLength:"200"`
}

// MixRule is from how much a day a mix is worth being proposed.
type MixRule struct {
	SiteID   id.ID     `json:"site_id" doc:"0: everywhere without a rule of its own"`
	LeastFen money.Fen `json:"least_fen" doc:"that it must save a day"`
	Own      bool      `json:"own" doc:"set for this site"`
}

// MixRuleIn sets that.
type MixRuleIn struct {
	SiteID   id.ID     `json:"site_id,omitempty" doc:"0: everywhere without a rule of its own"`
	LeastFen money.Fen `json:"least_fen" minimum:"0"`
}

func mixRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans/mixes", Name: "list-recipe-mixes", Summary: "What recipes with a choice are made from at a site: proposals, what is in force, what was", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.MixSearch) (*web.Page[replenish.MixView], error) {
			site, err := org.SiteFor(ctx, permRead, in.SiteID)
			if err != nil {
				return nil, err
			}
			return replenish.ListMixes(tx, site, *in)
		})
	web.Get(api, web.Route{Path: "/api/plans/mixes/rule", Name: "get-recipe-mix-rule", Summary: "From how much a day a mix is worth being proposed", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id"`
		}) (*MixRule, error) {
			if in.SiteID != replenish.AllSites {
				if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
					return nil, err
				}
			}
			return mixRule(tx, in.SiteID)
		})
	web.Put(api, web.Route{Path: "/api/plans/mixes/rule", Name: "put-recipe-mix-rule", Summary: "Set from how much a day a mix is worth being proposed", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body MixRuleIn }) (*MixRule, error) {
			if err := ruleSite(ctx, permRules, in.Body.SiteID); err != nil {
				return nil, err
			}
			if err := replenish.SetLeastSaving(tx, in.Body.SiteID, org.CallerOf(ctx).ID, in.Body.LeastFen); err != nil {
				return nil, err
			}
			return mixRule(tx, in.Body.SiteID)
		})
	web.Post(api, web.Route{Path: "/api/plans/mixes/{id}/approve", Name: "approve-recipe-mix", Summary: "Put a proposed mix in force, as it is or changed with a reason", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body MixApproveIn
		}) (*replenish.MixView, error) {
			c := replenish.MixChange{Last: in.Body.Last, Reason: strings.TrimSpace(in.Body.Reason)}
			if len(in.Body.Shares) > 0 {
				c.Shares = catalog.Mix{}
			}
			for i, s := range in.Body.Shares {
				share, err := catalog.ParseShare(strings.TrimSpace(s.Share))
				if err != nil {
					return nil, errs.As(err).At(fmt.Sprintf("shares.%s", s.ProductID))
				}
				if _, twice := c.Shares[s.ProductID]; twice {
					return nil, catalog.ErrMixPart.At(fmt.Sprintf("shares[%d].product_id", i))
				}
				c.Shares[s.ProductID] = share
			}
			return decideMix(ctx, tx, in.ID, func(m *replenish.Mix, today cal.Date, staff id.ID) error {
				return m.Approve(tx, staff, today, in.Body.Version, c)
			})
		})
	web.Post(api, web.Route{Path: "/api/plans/mixes/{id}/refuse", Name: "refuse-recipe-mix", Summary: "Refuse a proposed mix, and say why", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body MixRefuseIn
		}) (*replenish.MixView, error) {
			return decideMix(ctx, tx, in.ID, func(m *replenish.Mix, _ cal.Date, staff id.ID) error {
				return m.Refuse(tx, staff, in.Body.Version, strings.TrimSpace(in.Body.Reason))
			})
		})
	web.Post(api, web.Route{Path: "/api/plans/mixes/{id}/end", Name: "end-recipe-mix", Summary: "End a mix in force before its last day, and say why", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body ReleaseIn
		}) (*replenish.MixView, error) {
			return decideMix(ctx, tx, in.ID, func(m *replenish.Mix, today cal.Date, staff id.ID) error {
				return m.End(tx, staff, today, strings.TrimSpace(in.Body.Reason))
			})
		})
}

func mixRule(tx *db.Tx, site id.ID) (*MixRule, error) {
	least, own, err := replenish.LeastSavingOf(tx, site)
	return &MixRule{site, least, own}, err
}

// decideMix lets one person decide on a mix of a site at which he may plan; a foreign one is not found. What the site's plans say of
// today and of the days to come follows.
func decideMix(ctx context.Context, tx *db.Tx, mix id.ID, decide func(m *replenish.Mix, today cal.Date, staff id.ID) error) (*replenish.MixView, error) {
	m, err := replenish.LockMix(tx, mix)
	if err != nil {
		return nil, err
	}
	site, err := org.SiteFor(ctx, permConfirm, m.Site)
	if err != nil {
		return nil, replenish.ErrNoMix
	}
	if err := decide(m, site.BusinessDate(tx.Now()), org.CallerOf(ctx).ID); err != nil {
		return nil, err
	}
	if _, err := Enqueue(tx, PlanArgs{Sites: []id.ID{site.ID}, Ahead: true}); err != nil {
		return nil, err
	}
	return replenish.MixFor(tx, site, mix)
}
