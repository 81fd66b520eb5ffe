package stock

import (
	"context"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// PolicyView is a policy on the wire.
type PolicyView struct {
	ID         id.ID  `json:"id"`
	ProductID  id.ID  `json:"product_id" doc:"empty: not of one product"`
	Product    string `json:"product"`
	CategoryID id.ID  `json:"category_id" doc:"empty: not of a category; else of it and those below it"`
	Category   string `json:"category"`
	SiteID     id.ID  `json:"site_id" doc:"empty: at all sites"`
	Channel    string `json:"channel" enum:",till,self_checkout,phone,platform,wholesale,transfer,making" doc:"empty: for all"`
	Rule       string `json:"rule" enum:"expiry,first_in,fewest"`
	MinLife    int64  `json:"min_life_minutes" doc:"what has less left does not serve"`
	StaffID    id.ID  `json:"staff_id" doc:"who set it"`
	At         string `json:"at"`
	EndedBy    id.ID  `json:"ended_by" doc:"empty: it is in force"`
	EndedAt    string `json:"ended_at"`
}

func showPolicy(tx *db.Tx, p *Policy) (*PolicyView, error) {
	v := &PolicyView{ID: p.ID, ProductID: p.Product, CategoryID: p.Category, SiteID: p.Site, Channel: p.Channel, Rule: p.Rule.String(), MinLife: int64(p.MinLife / time.Minute),
		StaffID: p.By, At: p.At.UTC().Format(time.RFC3339), EndedBy: p.EndedBy}
	if !p.EndedAt.IsZero() {
		v.EndedAt = p.EndedAt.Format(time.RFC3339)
	}
	var err error
	v.Product, v.Category, err = namesOf(tx, p.Scope)
	return v, err
}

// PolicyIn is a policy as a person sets it.
type PolicyIn struct {
	ProductID  id.ID  `json:"product_id,omitempty" doc:"of one product"`
	CategoryID id.ID  `json:"category_id,omitempty" doc:"or of a category and those below it; without either of everything"`
	SiteID     id.ID  `json:"site_id,omitempty" doc:"at all sites when left out"`
	Channel    string `json:"channel,omitempty" enum:",till,self_checkout,phone,platform,wholesale,transfer,making" doc:"for all when left out"`
	Rule       string `json:"rule" enum:"expiry,first_in,fewest"`
	MinLife    int64  `json:"min_life_minutes,omitempty" minimum:"0" maximum:"5256000" doc:"what has less left does not serve"`
	Replaces   id.ID  `json:"replaces,omitempty" doc:"the version that the person saw in force for the same goods, site and channel"`
}

// PickOrderView is the order in which the batches of a site would serve.
type PickOrderView struct {
	ProductID id.ID         `json:"product_id"`
	Unit      string        `json:"unit"`
	Policy    *PolicyView   `json:"policy,omitempty" doc:"the one that decides; without one what expires first serves first"`
	Items     []PickRowView `json:"items"`
}

// PickRowView is a batch in that order.
type PickRowView struct {
	BatchID   id.ID   `json:"batch_id"`
	Batch     string  `json:"batch"`
	Qty       qty.Qty `json:"qty" doc:"not promised, in the base unit"`
	Received  string  `json:"received_at"`
	ExpiresAt string  `json:"expires_at" doc:"empty: keeps for ever"`
	Reduced   bool    `json:"reduced" doc:"sold at a price of its own, and last"`
	Passed    bool    `json:"passed_over" doc:"it has less life left than the rule asks"`
}

// policyFor says whether the caller may set policies there: at a site of his, or at all sites when he may everywhere.
func policyFor(ctx context.Context, site id.ID) error {
	const perm = "stock.policy"
	if site != 0 {
		_, err := org.SiteFor(ctx, perm, site)
		return err
	}
	if !org.SitesOf(ctx, perm).All {
		return org.ErrNotFound
	}
	return nil
}

const mostPickRows = 200

func policyRoutes(api *web.API) {
	const path = "/api/stock/pick-policies"
	type search struct {
		web.Paging
		Past bool `query:"past" doc:"also what was in force before"`
	}
	web.Get(api, web.Route{Path: path, Name: "list-pick-policies", Summary: "Which batches serve first: the rules in force, newest first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *search) (*web.Page[*PolicyView], error) {
			var before id.ID
			if _, err := in.Seek(&before); err != nil {
				return nil, err
			}
			all, err := Policies(tx, org.SitesOf(ctx, "stock.read"), in.Past, before, in.Limit+1)
			if err != nil {
				return nil, err
			}
			page := web.PageOf(in.Paging, all, func(p Policy) string { return web.Cursor(p.ID) })
			out := &web.Page[*PolicyView]{Items: []*PolicyView{}, Next: page.Next}
			for i := range page.Items {
				v, err := showPolicy(tx, &page.Items[i])
				if err != nil {
					return nil, err
				}
				out.Items = append(out.Items, v)
			}
			return out, nil
		})
	web.Put(api, web.Route{Path: path, Name: "set-pick-policy", Summary: "Say which batches serve first", Perm: "stock.policy", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body PolicyIn }) (*PolicyView, error) {
			b := in.Body
			if err := policyFor(ctx, b.SiteID); err != nil {
				return nil, err
			}
			rule, ok := RuleNamed(b.Rule)
			if !ok {
				return nil, ErrPolicyRule.At("rule")
			}
			p, err := SetPolicy(tx, Scope{b.ProductID, b.CategoryID, b.SiteID, b.Channel}, rule, time.Duration(b.MinLife)*time.Minute, b.Replaces, org.CallerOf(ctx).ID)
			if err != nil {
				return nil, err
			}
			return showPolicy(tx, p)
		})
	web.Post(api, web.Route{Path: path + "/{id}/end", Name: "end-pick-policy", Summary: "Take a rule for choosing batches out of force", Perm: "stock.policy", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*PolicyView, error) {
			p, err := PolicyByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			if policyFor(ctx, p.Site) != nil {
				return nil, ErrNoPolicy
			}
			if err := EndPolicy(tx, p.ID, org.CallerOf(ctx).ID); err != nil {
				return nil, err
			}
			if p, err = PolicyByID(tx, in.ID); err != nil {
				return nil, err
			}
			return showPolicy(tx, p)
		})
	web.Get(api, web.Route{Path: "/api/stock/pick-order", Name: "get-pick-order", Summary: "In which order the batches of a site would serve, and by which rule", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID    id.ID   `query:"site_id" required:"true"`
			ProductID id.ID   `query:"product_id" required:"true"`
			Channel   string  `query:"channel" enum:"till,self_checkout,phone,platform,wholesale,transfer,making" doc:"till when left out"`
			Qty       qty.Qty `query:"qty" doc:"how much is wanted, in the base unit; 1 when left out"`
		}) (*PickOrderView, error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			units, err := unitsOf(tx, productUnits, []id.ID{in.ProductID})
			if err != nil {
				return nil, err
			}
			goods := units[in.ProductID]
			if goods == nil {
				return nil, ErrNoSKU.At("product_id")
			}
			if in.Channel == "" {
				in.Channel = "till"
			}
			if in.Qty == 0 {
				in.Qty = qty.Scale
			}
			p, all, err := PickOrder(tx, site.ID, in.Channel, goods.sku, in.Qty, mostPickRows)
			if err != nil {
				return nil, err
			}
			v := &PickOrderView{ProductID: in.ProductID, Unit: goods.base, Items: []PickRowView{}}
			if p != nil {
				if v.Policy, err = showPolicy(tx, p); err != nil {
					return nil, err
				}
			}
			for _, r := range all {
				v.Items = append(v.Items, PickRowView{r.Batch, r.Code, r.Qty, shown(r.Received, site), shown(r.ExpiresAt, site), r.Reduced, r.Passed})
			}
			return v, nil
		})
}
