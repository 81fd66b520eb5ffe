package supplyday

import (
	"context"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/purchase"
	"zhanggui/internal/replenish"
)

// mostLines is how many lines are decided in one act.
const mostLines = 500

type lineIn struct {
	ID   id.ID `path:"id"`
	Line id.ID `path:"line"`
}

// ChangeIn is another quantity than the one proposed.
type ChangeIn struct {
	Qty    qty.Qty `json:"qty" doc:"0: nothing is made or ordered"`
	Unit   string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Reason string  `json:"reason" maxLength:"200"`
}

// ConfirmIn says which lines are confirmed as they are proposed.
type ConfirmIn struct {
	What  string  `json:"what" enum:"production,proposals,all"`
	Lines []id.ID `json:"lines,omitempty" maxItems:"500" doc:"only these; left out: all that nobody has decided on"`
}

// ConfirmOut says how many lines were confirmed.
type ConfirmOut struct {
	Production int64              `json:"production"`
	Proposals  int64              `json:"proposals"`
	Left       int64              `json:"left" doc:"proposals that are still open and the caller may confirm: 500 are confirmed at a time"`
	Plan       replenish.PlanView `json:"plan"`
}

// TodayView is the business day of a site.
type TodayView struct {
	SiteID id.ID               `json:"site_id"`
	Date   cal.Date            `json:"date" doc:"the business date"`
	Now    string              `json:"now" doc:"the business clock, at the site"`
	Plan   *replenish.PlanView `json:"plan,omitempty" doc:"left out: the day has none"`
}

// RunIn asks for plans.
type RunIn struct {
	SiteID id.ID    `json:"site_id,omitempty" doc:"left out: every site within reach"`
	Date   cal.Date `json:"date,omitempty" doc:"left out: today, by each site's business date"`
}

func (s *Service) planRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans", Name: "list-plans", Summary: "Plans of days, the latest first", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.PlanSearch) (*web.Page[replenish.PlanView], error) {
			return replenish.ListPlans(tx, org.SitesOf(ctx, permRead), *in)
		})
	web.Post(api, web.Route{Path: "/api/plans/run", Name: "run-plans", Summary: "Plan a day of one site, or of all within reach, anew", Perm: permConfirm, Scope: web.Sites}, s.ask)
	web.Get(api, web.Route{Path: "/api/plans/today", Name: "get-today", Summary: "The business day of a site and its plan", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*TodayView, error) {
			site, err := org.SiteFor(ctx, permRead, in.SiteID)
			if err != nil {
				return nil, err
			}
			now := tx.Now()
			v := &TodayView{SiteID: site.ID, Date: site.BusinessDate(now), Now: now.In(site.Location()).Format(time.RFC3339)}
			page, err := replenish.ListPlans(tx, org.SitesOf(ctx, permRead), replenish.PlanSearch{Paging: web.Paging{Limit: 1}, SiteID: site.ID, Date: v.Date})
			if err == nil && len(page.Items) > 0 {
				v.Plan = &page.Items[0]
			}
			return v, err
		})
	web.Get(api, web.Route{Path: "/api/plans/{id}", Name: "get-plan", Summary: "A plan as a whole", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*replenish.PlanView, error) {
			if _, err := planSite(ctx, tx, permRead, in.ID); err != nil {
				return nil, err
			}
			return replenish.View(tx, in.ID)
		})
	web.Get(api, web.Route{Path: "/api/plans/{id}/production", Name: "list-plan-production", Summary: "What is to be made, in the order in which it must be ready", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.ProductionSearch) (*web.Page[replenish.ProductionView], error) {
			site, err := planSite(ctx, tx, permRead, in.ID)
			if err != nil {
				return nil, err
			}
			return replenish.ListProduction(tx, site, *in)
		})
	web.Get(api, web.Route{Path: "/api/plans/{id}/requirements", Name: "list-plan-requirements", Summary: "What the plan needs", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.RequirementSearch) (*web.Page[replenish.RequirementView], error) {
			if _, err := planSite(ctx, tx, permRead, in.ID); err != nil {
				return nil, err
			}
			return replenish.ListRequirements(tx, *in)
		})
	web.Get(api, web.Route{Path: "/api/plans/{id}/proposals", Name: "list-plan-proposals", Summary: "What is to be ordered, the most urgent first", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *replenish.ProposalSearch) (*web.Page[replenish.ProposalView], error) {
			if _, err := planSite(ctx, tx, permRead, in.ID); err != nil {
				return nil, err
			}
			return replenish.ListProposals(tx, *in)
		})
	web.Get(api, web.Route{Path: "/api/plans/{id}/lines/{line}", Name: "get-plan-line", Summary: "A line opened into its reasons", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *lineIn) (*replenish.LineView, error) {
			site, err := planSite(ctx, tx, permRead, in.ID)
			if err != nil {
				return nil, err
			}
			return replenish.Line(tx, site, in.ID, in.Line)
		})
	web.Post(api, web.Route{Path: "/api/plans/{id}/lines/{line}/confirm", Name: "confirm-plan-line", Summary: "Confirm a line as it is proposed; a line to be ordered is ordered", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *lineIn) (*replenish.LineView, error) {
			return s.decide(ctx, tx, in.ID, in.Line, nil)
		})
	web.Post(api, web.Route{Path: "/api/plans/{id}/lines/{line}/change", Name: "change-plan-line", Summary: "Decide for another quantity, and say why", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Line id.ID `path:"line"`
			Body ChangeIn
		}) (*replenish.LineView, error) {
			return s.decide(ctx, tx, in.ID, in.Line, &in.Body)
		})
	web.Post(api, web.Route{Path: "/api/plans/{id}/lines/{line}/release", Name: "release-plan-line", Summary: "Order a line that waits for an approver, or let a round be made that does, and say why", Perm: permApprove, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Line id.ID `path:"line"`
			Body ReleaseIn
		}) (*replenish.LineView, error) {
			return s.release(ctx, tx, in.ID, in.Line, strings.TrimSpace(in.Body.Reason))
		})
	web.Post(api, web.Route{Path: "/api/plans/{id}/confirm", Name: "confirm-plan", Summary: "Confirm many lines at once, as they are proposed", Perm: permConfirm, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body ConfirmIn
		}) (*ConfirmOut, error) {
			return s.confirm(ctx, tx, in.ID, in.Body)
		})
}

// ReleaseIn says why something that waited goes on.
type ReleaseIn struct {
	Reason string `json:"reason" maxLength:"200"`
}

var (
	// ErrHeld refuses to pass a held line without a word.
	ErrHeld = errs.Define("plan_line_held", errs.Conflict, "这一行超过上限,请写明放行原因", "This line is over its ceiling; say why it is released")
)

// approver tells whether the caller may approve at a site.
func approver(ctx context.Context, site *org.Site) bool {
	_, none := org.SiteFor(ctx, permApprove, site.ID)
	return none == nil
}

// release orders a line that waits for an approver, or lets a round be made that does.
func (s *Service) release(ctx context.Context, tx *db.Tx, plan, line id.ID, reason string) (*replenish.LineView, error) {
	site, err := planSite(ctx, tx, permApprove, plan)
	if err != nil {
		return nil, err
	}
	if reason == "" {
		return nil, replenish.ErrReason.At("reason")
	}
	v, err := replenish.Line(tx, site, plan, line)
	if err != nil {
		return nil, err
	}
	staff := org.CallerOf(ctx).ID
	if v.Kind == "production" {
		err = replenish.DecideRound(tx, plan, line, staff, true, nil, reason)
	} else {
		err = s.decideProposal(ctx, tx, site, plan, line, staff, nil, reason)
	}
	if err != nil {
		return nil, err
	}
	return replenish.Line(tx, site, plan, line)
}

// planSite is the site of a plan if the caller holds the permission there; a foreign plan is not found.
func planSite(ctx context.Context, tx *db.Tx, perm string, plan id.ID) (*org.Site, error) {
	h, err := replenish.ByID(tx, plan)
	if err != nil {
		return nil, err
	}
	site, err := org.SiteFor(ctx, perm, h.Site)
	if err != nil {
		return nil, replenish.ErrNoPlan
	}
	return site, nil
}

func (s *Service) ask(ctx context.Context, tx *db.Tx, in *struct{ Body RunIn }) (*jobs.Status, error) {
	args := PlanArgs{Date: in.Body.Date}
	if args.Date != "" && !args.Date.Valid() {
		return nil, cal.ErrDate.With("text", args.Date).At("date")
	}
	if in.Body.SiteID != 0 {
		site, err := org.SiteFor(ctx, permConfirm, in.Body.SiteID)
		if err != nil {
			return nil, errs.As(err).At("site_id")
		}
		today := site.BusinessDate(tx.Now())
		if args.Date != "" && (args.Date < today || args.Date > today.AddDays(mostAhead)) {
			return nil, ErrPast.With("first", today, "last", today.AddDays(mostAhead)).At("date")
		}
		args.Sites = []id.ID{site.ID}
	} else {
		if args.Date != "" {
			return nil, ErrSiteNeeded.At("site_id")
		}
		if reach := org.SitesOf(ctx, permConfirm); !reach.All {
			if args.Sites = reach.IDs(); len(args.Sites) == 0 {
				return nil, org.ErrNotFound
			}
		}
	}
	job, err := Enqueue(tx, args)
	if err != nil {
		return nil, err
	}
	st, err := jobs.Get(tx, job)
	return &st, err
}

// ErrSiteNeeded refuses a date without a site: sites have business dates of their own.
var ErrSiteNeeded = errs.Define("plan_site_needed", errs.Invalid, "指定日期时要选一家机构", "Choose a site when you name a date")

// decide confirms one line, or with change decides for another quantity.
func (s *Service) decide(ctx context.Context, tx *db.Tx, plan, line id.ID, change *ChangeIn) (*replenish.LineView, error) {
	site, err := planSite(ctx, tx, permConfirm, plan)
	if err != nil {
		return nil, err
	}
	v, err := replenish.Line(tx, site, plan, line)
	if err != nil {
		return nil, err
	}
	staff := org.CallerOf(ctx).ID
	reason := ""
	var q *qty.Qty
	if change != nil {
		if reason = strings.TrimSpace(change.Reason); reason == "" {
			return nil, replenish.ErrReason.At("reason")
		}
		product, unit, planned := lineProduct(v)
		if q, err = s.inBase(tx, product, unit, change); err != nil {
			return nil, err
		}
		if most := mostChange(planned); *q > most {
			return nil, ErrFarChange.With("most", most, "unit", unit, "planned", planned).At("qty")
		}
	}
	switch v.Kind {
	case "production":
		err = replenish.DecideRound(tx, plan, line, staff, approver(ctx, site), q, reason)
	case "proposal":
		err = s.decideProposal(ctx, tx, site, plan, line, staff, q, reason)
	default:
		err = ErrNotDecided
	}
	if err != nil {
		return nil, err
	}
	return replenish.Line(tx, site, plan, line)
}

// ErrNotDecided says that a requirement follows from production; nobody decides on it.
var ErrNotDecided = errs.Define("plan_requirement_follows", errs.Invalid,
	"需求由生产计划推算,不能单独修改", "A requirement follows from what is made; it can't be decided by itself")

// ErrFarChange refuses a slip of the finger: a quantity that no day of this product comes near.
var ErrFarChange = errs.Define("plan_qty_far", errs.Invalid, "最多 {most} {unit}(计划 {planned} 的十倍,至少 10000)", "At most {most} {unit}: ten times the {planned} planned, and 10000 in any case")

// mostChange is the most that a person may decide for where so much was planned: room for any party, none for a slip.
func mostChange(planned qty.Qty) qty.Qty { return max(10*min(planned, qty.Max/10), 10_000*qty.Scale) }

// lineProduct is the product of a line that is decided on, its base unit, and what was planned of it.
func lineProduct(v *replenish.LineView) (product id.ID, unit string, planned qty.Qty) {
	switch {
	case v.Production != nil:
		return v.Production.ProductID, v.Production.Unit, v.Production.Proposed
	case v.Proposal != nil:
		return v.Proposal.ProductID, v.Proposal.Unit, v.Proposal.Proposed
	}
	return 0, "", 0
}

// inBase is a person's quantity in the base unit.
func (s *Service) inBase(tx *db.Tx, product id.ID, base string, c *ChangeIn) (*qty.Qty, error) {
	if product == 0 {
		return nil, ErrNotDecided
	}
	if c.Qty < 0 || c.Qty > qty.Max {
		return nil, replenish.ErrQty.With("most", qty.Max).At("qty")
	}
	q := c.Qty
	if c.Unit != "" && c.Unit != base {
		goods, err := s.goods.Products(tx, []id.ID{product})
		if err != nil {
			return nil, err
		}
		u := goods[product].Unit(c.Unit)
		if u == nil {
			return nil, ErrUnit.With("product", goods[product].Name, "unit", c.Unit).At("unit")
		}
		if q, err = u.Qty().ToBase(c.Qty); err != nil {
			return nil, errs.As(err).At("qty")
		}
	}
	if base == "piece" && q%qty.Scale != 0 {
		return nil, replenish.ErrPieces.At("qty")
	}
	return &q, nil
}

// decideProposal orders a line as it is proposed, or another quantity: whole packs, or nothing at all.
func (s *Service) decideProposal(ctx context.Context, tx *db.Tx, site *org.Site, plan, line, staff id.ID, q *qty.Qty, reason string) error {
	h, p, err := replenish.OneProposal(tx, plan, line)
	if err != nil {
		return err
	}
	if p.State != replenish.Proposed {
		return replenish.ErrDecided
	}
	if p.Held != replenish.HeldNot || p.Execution == replenish.Approve {
		if !approver(ctx, site) {
			return replenish.ErrApprover
		}
		if p.Held != replenish.HeldNot && reason == "" {
			return ErrHeld
		}
	}
	if q != nil {
		if err := repack(p, *q); err != nil {
			return errs.As(err).At("qty")
		}
	}
	return s.order(tx, site, h, staff, reason, []replenish.Stored{*p})
}

// repack changes a proposal to another quantity.
func repack(p *replenish.Stored, q qty.Qty) error {
	p.Qty = q
	if p.Supplier == 0 {
		return nil
	}
	pack, err := p.Unit.ToBase(p.Pack)
	if err != nil {
		return err
	}
	p.Packs = int64(q / pack)
	if q%pack != 0 || q > 0 && p.Packs < p.MinPacks {
		return replenish.ErrPacks.With("pack", p.Pack, "unit", p.Unit.Name, "least", p.MinPacks)
	}
	terms := party.Terms{Pack: p.Pack, Unit: p.Unit, Price: p.Price}
	p.Amount, err = terms.Amount(p.Packs)
	return err
}

// orderKey tells which lines become one document.
type orderKey struct {
	supplier, source id.ID
	due              cal.Date
	by               string
}

// order turns decided proposals of a locked plan into lines of purchase orders and requisitions. A quantity of 0
// orders nothing and is noted.
func (s *Service) order(tx *db.Tx, site *org.Site, h *replenish.Head, staff id.ID, reason string, all []replenish.Stored) error {
	groups := map[orderKey][]replenish.Decision{}
	var keys []orderKey
	var decided []replenish.Decision
	for _, p := range all {
		if p.Qty == 0 {
			p.Packs, p.Amount = 0, 0
			decided = append(decided, replenish.Decision{Stored: p})
			continue
		}
		k := orderKey{p.Supplier, p.Source, p.Due, p.OrderBy}
		if p.Source != 0 {
			k.by = ""
		}
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], replenish.Decision{Stored: p})
	}
	slices.SortFunc(keys, func(a, b orderKey) int {
		if c := compare(a.supplier, b.supplier); c != 0 {
			return c
		}
		if c := compare(a.source, b.source); c != 0 {
			return c
		}
		return strings.Compare(string(a.due)+a.by, string(b.due)+b.by)
	})
	for _, k := range keys {
		group := groups[k]
		if k.source != 0 {
			if err := replenish.Request(tx, site, staff, group); err != nil {
				return err
			}
			decided = append(decided, group...)
			continue
		}
		suppliers, err := party.Suppliers(tx, []id.ID{k.supplier})
		if err != nil {
			return err
		}
		if p := suppliers[k.supplier]; p == nil || p.State != party.Active {
			return purchase.ErrStopped
		}
		lines := make([]purchase.Line, len(group))
		for i, d := range group {
			lines[i] = purchase.Line{Product: d.Product, Packs: d.Packs, Pack: d.Pack, Unit: d.Unit, Price: d.Price, Qty: d.Qty, Amount: d.Amount, Proposal: d.ID}
		}
		o, err := purchase.Collect(tx, site, staff, h.ID, k.supplier, k.due, k.by, lines)
		if err != nil {
			return err
		}
		for i := range group {
			group[i].Document, group[i].Line = o.ID, lines[i].No
		}
		decided = append(decided, group...)
	}
	return replenish.Decide(tx, h, staff, reason, decided)
}

// confirm confirms many lines as they are proposed.
func (s *Service) confirm(ctx context.Context, tx *db.Tx, plan id.ID, in ConfirmIn) (*ConfirmOut, error) {
	site, err := planSite(ctx, tx, permConfirm, plan)
	if err != nil {
		return nil, err
	}
	staff := org.CallerOf(ctx).ID
	out := &ConfirmOut{}
	if in.What != "proposals" {
		if out.Production, err = replenish.ConfirmRounds(tx, plan, staff, approver(ctx, site), in.Lines); err != nil {
			return nil, err
		}
	}
	if in.What != "production" {
		h, open, err := replenish.Undecided(tx, plan, in.Lines, approver(ctx, site), mostLines+1)
		if err != nil {
			return nil, err
		}
		open = open[:min(len(open), mostLines)]
		if err := s.order(tx, site, h, staff, "", open); err != nil {
			return nil, err
		}
		out.Proposals = int64(len(open))
	}
	v, err := replenish.View(tx, plan)
	if err != nil {
		return nil, err
	}
	if out.Plan, out.Left = *v, v.ProposalsOpen-v.HeldLines; !approver(ctx, site) {
		out.Left -= v.ToApprove
	}
	return out, nil
}

// --- source rules

// RuleView is a source rule on the wire.
type RuleView struct {
	SiteID    id.ID  `json:"site_id"`
	ProductID id.ID  `json:"product_id" doc:"empty: all products with a recipe that have no rule of their own"`
	SourceID  id.ID  `json:"source_id"`
	Source    string `json:"source"`
	LeadH     int64  `json:"lead_h"`
}

// RuleIn is a source rule as a person writes it.
type RuleIn struct {
	SiteID    id.ID `json:"site_id"`
	ProductID id.ID `json:"product_id,omitempty"`
	SourceID  id.ID `json:"source_id"`
	LeadH     int64 `json:"lead_h,omitempty" minimum:"0" maximum:"168" default:"24"`
}

func (s *Service) sourceRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/plans/sources", Name: "list-sources", Summary: "Which site makes what for a site", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[RuleView], error) {
			if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
				return nil, err
			}
			return rules(tx, in.SiteID)
		})
	web.Put(api, web.Route{Path: "/api/plans/sources", Name: "put-source", Summary: "Let a kitchen or warehouse make a product, or all, for a site", Perm: permSource, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body RuleIn }) (*web.Page[RuleView], error) {
			for field, site := range map[string]id.ID{"site_id": in.Body.SiteID, "source_id": in.Body.SourceID} {
				if _, err := org.SiteFor(ctx, permSource, site); err != nil {
					return nil, errs.As(err).At(field)
				}
			}
			r := replenish.Rule{Site: in.Body.SiteID, Product: in.Body.ProductID, Source: in.Body.SourceID, LeadHours: in.Body.LeadH}
			if err := replenish.PutRule(tx, org.CallerOf(ctx).ID, r); err != nil {
				return nil, err
			}
			return rules(tx, in.Body.SiteID)
		})
	web.Delete(api, web.Route{Path: "/api/plans/sources", Name: "delete-source", Summary: "A site makes a product, or all, by itself again", Perm: permSource, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID    id.ID `query:"site_id" required:"true"`
			ProductID id.ID `query:"product_id"`
		}) (*web.Page[RuleView], error) {
			if _, err := org.SiteFor(ctx, permSource, in.SiteID); err != nil {
				return nil, err
			}
			if err := replenish.DropRule(tx, in.SiteID, in.ProductID); err != nil {
				return nil, err
			}
			return rules(tx, in.SiteID)
		})
}

func rules(tx *db.Tx, site id.ID) (*web.Page[RuleView], error) {
	all, err := replenish.Rules(tx, site)
	if err != nil {
		return nil, err
	}
	page := &web.Page[RuleView]{Items: []RuleView{}}
	for _, r := range all {
		source, err := org.SiteByID(tx, r.Source)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, RuleView{r.Site, r.Product, r.Source, source.Name, r.LeadHours})
	}
	return page, nil
}
