package supplyday

import (
	"cmp"
	"context"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
)

// PolicyIn is a rule as a person writes it. Quantities are in the product's base unit.
type PolicyIn struct {
	SiteID         id.ID               `json:"site_id,omitempty" doc:"left out: all sites without a rule of their own"`
	ProductID      id.ID               `json:"product_id"`
	Mode           replenish.Mode      `json:"mode" enum:"static,dynamic,strategy,dms"`
	Safety         *qty.Qty            `json:"safety,omitempty" doc:"left out: the computed one counts"`
	Most           *qty.Qty            `json:"most,omitempty" doc:"left out: the computed one counts"`
	OnAutomatic    replenish.Execution `json:"on_automatic,omitempty" enum:"act,suggest,approve" doc:"left out: act under the static rule, else suggest"`
	OnDynamic      replenish.Execution `json:"on_dynamic,omitempty" enum:"act,suggest,approve" default:"suggest"`
	OnStrategy     replenish.Execution `json:"on_strategy,omitempty" enum:"act,suggest,approve" default:"suggest"`
	QtyCeiling     qty.Qty             `json:"qty_ceiling,omitempty"`
	AmountFen      money.Fen           `json:"amount_ceiling_fen,omitempty" minimum:"0"`
	SalesThreshold qty.Qty             `json:"sales_threshold,omitempty"`
	SubstituteID   id.ID               `json:"substitute_id,omitempty"`
	ReviewDays     int64               `json:"review_days,omitempty" doc:"by daily mean sales: days an order lasts beyond the lead time, 1 to 60; left out: 7"`
	AtWord         bool                `json:"at_word,omitempty" doc:"take suppliers at their word: what they were late and short by is left out"`
}

// EventIn is an entry of the calendar as a person writes it.
type EventIn struct {
	SiteID    id.ID               `json:"site_id,omitempty" doc:"left out: everywhere"`
	Kind      replenish.EventKind `json:"kind" enum:"promotion,festival,season,weather"`
	Name      string              `json:"name" maxLength:"60"`
	FromDate  cal.Date            `json:"from_date"`
	FromTime  string              `json:"from_time,omitempty" maxLength:"5" doc:"on the clock of the site, as in 07:00; left out: midnight"`
	ToDate    cal.Date            `json:"to_date"`
	ToTime    string              `json:"to_time,omitempty" maxLength:"5" doc:"left out: the end of the day"`
	Factor    *qty.Qty            `json:"factor,omitempty" doc:"as in 1.5; left out: 1.5, of a cold wave 1.3, of a festival what was learned of it"`
	Festival  string              `json:"festival,omitempty" maxLength:"20" doc:"which of the year a festival is, as in spring_festival, or none; left out: told from its name and dates"`
	Condition replenish.Condition `json:"condition,omitempty" enum:"cold_wave,cold,hot,rain" doc:"of a weather rule"`
	Degree    qty.Qty             `json:"degree,omitempty" doc:"degrees or millimetres the condition begins at"`
	Products  []id.ID             `json:"products" minItems:"1" maxItems:"500"`
}

// RushIn says how a supplier delivers in a hurry.
type RushIn struct {
	SupplierID   id.ID `json:"supplier_id"`
	ProductID    id.ID `json:"product_id"`
	Minutes      int64 `json:"minutes" minimum:"0" maximum:"2880" doc:"from the order to the delivery; 0 removes it"`
	SurchargePPM int64 `json:"surcharge_ppm,omitempty" minimum:"0" maximum:"10000000" doc:"millionths on top of the price"`
}

// NearIn says that a store can be helped out by another.
type NearIn struct {
	SiteID  id.ID     `json:"site_id"`
	NearID  id.ID     `json:"near_id"`
	Minutes int64     `json:"minutes" minimum:"0" maximum:"1440" doc:"on the way; 0 removes it"`
	CostFen money.Fen `json:"cost_fen,omitempty" minimum:"0" doc:"what a trip costs"`
}

// NearView is a store in reach.
type NearView struct {
	NearID  id.ID     `json:"near_id"`
	Name    string    `json:"name"`
	Minutes int64     `json:"minutes"`
	CostFen money.Fen `json:"cost_fen"`
}

// RushView is how a supplier delivers a product in a hurry.
type RushView struct {
	SupplierID   id.ID `json:"supplier_id"`
	ProductID    id.ID `json:"product_id"`
	Minutes      int64 `json:"minutes"`
	SurchargePPM int64 `json:"surcharge_ppm"`
}

var (
	// ErrFactor refuses a factor that is none.
	ErrFactor = errs.Define("plan_event_factor", errs.Invalid, "系数应在 0.1 到 20 之间", "The factor must be between 0.1 and 20")
	// ErrChain refuses a rule for all sites to who plans only for some.
	ErrChain = errs.Define("plan_rule_chain", errs.Forbidden, "所有机构共用的规则要由总部维护", "Rules for all sites are kept by head office")
)

// ruleSite checks that the caller may write rules there; for all sites, that the right holds everywhere.
func ruleSite(ctx context.Context, perm string, site id.ID) error {
	if site == replenish.AllSites {
		if !org.SitesOf(ctx, perm).All {
			return ErrChain.At("site_id")
		}
		return nil
	}
	_, err := org.SiteFor(ctx, perm, site)
	if err != nil {
		return errs.As(err).At("site_id")
	}
	return nil
}

func (s *Service) ruleRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans/rules", Name: "list-plan-rules", Summary: "How products are replenished: at a site, or at all without a rule of their own", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.PolicySearch) (*web.Page[replenish.PolicyView], error) {
			if in.SiteID != replenish.AllSites {
				if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
					return nil, err
				}
			}
			return replenish.ListPolicies(tx, *in)
		})
	web.Put(api, web.Route{Path: "/api/plans/rules", Name: "put-plan-rule", Summary: "Set how a product is replenished", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body PolicyIn }) (*replenish.PolicyView, error) {
			return putPolicy(ctx, tx, in.Body)
		})
	web.Delete(api, web.Route{Path: "/api/plans/rules", Name: "delete-plan-rule", Summary: "Take a rule away", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID    id.ID `query:"site_id"`
			ProductID id.ID `query:"product_id" required:"true"`
		}) (*Removed, error) {
			if err := ruleSite(ctx, permRules, in.SiteID); err != nil {
				return nil, err
			}
			return &Removed{in.ProductID}, replenish.DropPolicy(tx, in.SiteID, in.ProductID)
		})
	web.Get(api, web.Route{Path: "/api/plans/events", Name: "list-plan-events", Summary: "The calendar: promotions, festivals, seasons, weather rules", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.EventSearch) (*web.Page[replenish.EventView], error) {
			if in.From != "" && !in.From.Valid() {
				return nil, cal.ErrDate.With("text", in.From).At("from")
			}
			return replenish.ListEvents(tx, org.SitesOf(ctx, permRead), *in)
		})
	web.Post(api, web.Route{Path: "/api/plans/events", Name: "add-plan-event", Summary: "Add an entry to the calendar", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body EventIn }) (*Saved, error) {
			return putEvent(ctx, tx, 0, in.Body)
		})
	web.Put(api, web.Route{Path: "/api/plans/events/{id}", Name: "put-plan-event", Summary: "Change an entry of the calendar", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body EventIn
		}) (*Saved, error) {
			if err := eventReach(ctx, tx, in.ID); err != nil {
				return nil, err
			}
			return putEvent(ctx, tx, in.ID, in.Body)
		})
	web.Delete(api, web.Route{Path: "/api/plans/events/{id}", Name: "delete-plan-event", Summary: "Take an entry off the calendar", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*Removed, error) {
			if err := eventReach(ctx, tx, in.ID); err != nil {
				return nil, err
			}
			return &Removed{in.ID}, replenish.DropEvent(tx, in.ID)
		})
	web.Get(api, web.Route{Path: "/api/plans/learned", Name: "get-plan-event-learned", Summary: "What past years say of a festival of the calendar, by category and day", Perm: permRead, Scope: web.Sites}, learnedView)
	web.Get(api, web.Route{Path: "/api/plans/near", Name: "list-near-stores", Summary: "Which stores can help a store out, the nearest first", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[NearView], error) {
			if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
				return nil, err
			}
			return nearOf(tx, in.SiteID)
		})
	web.Put(api, web.Route{Path: "/api/plans/near", Name: "put-near-store", Summary: "Let a store be helped out by another", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body NearIn }) (*web.Page[NearView], error) {
			for _, of := range []struct {
				field string
				site  id.ID
			}{{"site_id", in.Body.SiteID}, {"near_id", in.Body.NearID}} {
				site, err := org.SiteFor(ctx, permRules, of.site)
				if err != nil {
					return nil, errs.As(err).At(of.field)
				}
				if site.Kind != "store" && in.Body.Minutes != 0 { // it may still be taken away
					return nil, replenish.ErrNearKind.With("site", site.Name).At(of.field)
				}
			}
			if err := replenish.PutNear(tx, org.CallerOf(ctx).ID, replenish.Near{Site: in.Body.SiteID, Near: in.Body.NearID, Minutes: in.Body.Minutes, Cost: in.Body.CostFen}); err != nil {
				return nil, err
			}
			return nearOf(tx, in.Body.SiteID)
		})
	web.Get(api, web.Route{Path: "/api/plans/rush", Name: "list-rush-terms", Summary: "Who delivers a product in a hurry", Perm: permRead, Scope: web.Group},
		func(_ context.Context, tx *db.Tx, in *struct {
			ProductID id.ID `query:"product_id" required:"true"`
		}) (*web.Page[RushView], error) {
			return rushOf(tx, in.ProductID)
		})
	web.Put(api, web.Route{Path: "/api/plans/rush", Name: "put-rush-terms", Summary: "How a supplier delivers a product in a hurry", Perm: permSource, Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body RushIn }) (*web.Page[RushView], error) {
			r := replenish.Rush{Supplier: in.Body.SupplierID, Product: in.Body.ProductID, Minutes: in.Body.Minutes, Surcharge: in.Body.SurchargePPM}
			if err := replenish.PutRush(tx, org.CallerOf(ctx).ID, r); err != nil {
				return nil, err
			}
			return rushOf(tx, in.Body.ProductID)
		})
}

// Removed names what is gone.
type Removed struct {
	ID id.ID `json:"id"`
}

// Saved names what was written.
type Saved struct {
	ID id.ID `json:"id"`
}

func putPolicy(ctx context.Context, tx *db.Tx, in PolicyIn) (*replenish.PolicyView, error) {
	if err := ruleSite(ctx, permRules, in.SiteID); err != nil {
		return nil, err
	}
	p := replenish.Policy{Site: in.SiteID, Product: in.ProductID, Mode: in.Mode, Safety: replenish.Computed, Most: replenish.Computed,
		On: [3]replenish.Execution{in.OnAutomatic, in.OnDynamic, in.OnStrategy}, Ceilings: replenish.Ceilings{Qty: in.QtyCeiling, Amount: in.AmountFen}, Sales: in.SalesThreshold, Substitute: in.SubstituteID, AtWord: in.AtWord, Review: cmp.Or(in.ReviewDays, replenish.DefaultReview)}
	for i := range p.On {
		switch {
		case p.On[i] == "" && i == 0 && in.Mode == replenish.Static:
			p.On[i] = replenish.Act
		case p.On[i] == "":
			p.On[i] = replenish.Suggest
		}
	}
	for _, x := range []struct {
		field string
		given *qty.Qty
		into  *qty.Qty
	}{{"safety", in.Safety, &p.Safety}, {"most", in.Most, &p.Most}, {"qty_ceiling", &in.QtyCeiling, new(qty.Qty)}, {"sales_threshold", &in.SalesThreshold, new(qty.Qty)}} {
		if x.given == nil {
			continue
		}
		if *x.given < 0 || *x.given > qty.Max {
			return nil, replenish.ErrQty.With("most", qty.Max).At(x.field)
		}
		*x.into = *x.given
	}
	if err := replenish.PutPolicy(tx, org.CallerOf(ctx).ID, p); err != nil {
		return nil, err
	}
	return replenish.PolicyOf(tx, in.SiteID, in.ProductID)
}

func eventReach(ctx context.Context, tx *db.Tx, event id.ID) error {
	site, err := replenish.EventSite(tx, event)
	if err != nil {
		return err
	}
	if ruleSite(ctx, permRules, site) != nil {
		return replenish.ErrNoEvent
	}
	return nil
}

func putEvent(ctx context.Context, tx *db.Tx, event id.ID, in EventIn) (*Saved, error) {
	if err := ruleSite(ctx, permRules, in.SiteID); err != nil {
		return nil, err
	}
	e := &replenish.Event{ID: event, Site: in.SiteID, Kind: in.Kind, Name: in.Name, From: in.FromDate, To: in.ToDate, ToMin: party.EndOfDay, Factor: replenish.StrategyFactor,
		Condition: in.Condition, Degree: in.Degree, ByHand: in.Factor != nil, Festival: in.Festival, Products: map[id.ID]bool{}}
	if in.Condition == replenish.ColdWave {
		e.Factor = replenish.ColdWaveFactor
	}
	if in.Factor != nil {
		if *in.Factor < 100 || *in.Factor > 20000 {
			return nil, ErrFactor.At("factor")
		}
		e.Factor = int64(*in.Factor)
	}
	for _, x := range []struct {
		field, text string
		into        *int64
	}{{"from_time", in.FromTime, &e.FromMin}, {"to_time", in.ToTime, &e.ToMin}} {
		if strings.TrimSpace(x.text) == "" {
			continue
		}
		m, err := party.ParseCutOff(x.text)
		if err != nil {
			return nil, errs.As(err).At(x.field)
		}
		*x.into = m
	}
	for _, p := range in.Products {
		e.Products[p] = true
	}
	if err := replenish.PutEvent(tx, org.CallerOf(ctx).ID, e); err != nil {
		return nil, err
	}
	return &Saved{e.ID}, nil
}

func nearOf(tx *db.Tx, site id.ID) (*web.Page[NearView], error) {
	all, err := replenish.NearTo(tx, site)
	page := &web.Page[NearView]{Items: []NearView{}}
	for _, n := range all {
		page.Items = append(page.Items, NearView{n.Near, n.Name, n.Minutes, n.Cost})
	}
	return page, err
}

func rushOf(tx *db.Tx, product id.ID) (*web.Page[RushView], error) {
	all, err := replenish.RushOf(tx, []id.ID{product})
	page := &web.Page[RushView]{Items: []RushView{}}
	for _, r := range all[product] {
		page.Items = append(page.Items, RushView{r.Supplier, r.Product, r.Minutes, r.Surcharge})
	}
	return page, err
}
