package clearance

import (
	"context"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/stock"
)

// Routes registers clearance: what the back office sees and sets, and what the till sells at a lower price.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/clear/batches", Name: "list-clearance", Summary: "Batches of a site near their expiry, the most urgent first", Perm: "clear.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *ListIn) (*web.Page[BatchView], error) {
			site, err := org.SiteFor(ctx, "clear.read", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			return s.List(tx, site, in)
		})
	web.Get(api, web.Route{Path: "/api/clear/batches/{id}", Name: "get-clearance", Summary: "A batch near its expiry, with every look at it and what was weighed", Perm: "clear.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*BatchStory, error) {
			b, err := clear.Get(tx, in.ID)
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "clear.read", b.Site)
			if err != nil {
				return nil, clear.ErrNoBatch
			}
			return s.Story(tx, site, b)
		})
	web.Get(api, web.Route{Path: "/api/till/reduced", Name: "till-reduced", Summary: "Marked-down batches that a site can sell now", Perm: "till.sell", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[ReducedView], error) {
			site, err := org.SiteFor(ctx, "till.sell", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			return s.Reduced(tx, site)
		})
	web.Post(api, web.Route{Path: "/api/clear/run", Name: "run-clearance", Summary: "Look at once at what is due at a site", Perm: "clear.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body RunIn }) (*RunOut, error) {
			site, err := org.SiteFor(ctx, "clear.manage", in.Body.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			job, err := s.Now(tx, site.ID)
			return &RunOut{JobID: job}, err
		})
	web.Post(api, web.Route{Path: "/api/clear/stops", Name: "stop-clearance", Summary: "Stop or allow further markdowns of a category at a site; what is marked down keeps its price", Perm: "clear.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body StopIn }) (*StopIn, error) {
			site, err := org.SiteFor(ctx, "clear.manage", in.Body.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			policies, err := clear.LoadPolicies(tx)
			if err != nil {
				return nil, err
			}
			if !policies.Known(in.Body.CategoryID) {
				return nil, catalog.ErrNoCategory.At("category_id")
			}
			return &in.Body, clear.SetStop(tx, site.ID, in.Body.CategoryID, org.CallerOf(ctx).ID, in.Body.Stopped)
		})
	web.Get(api, web.Route{Path: "/api/clear/rules", Name: "list-clearance-rules", Summary: "How each category is cleared, and whether a site has stopped it", Perm: "clear.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[RuleView], error) {
			site, err := org.SiteFor(ctx, "clear.read", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			return rules(tx, site.ID)
		})
	web.Put(api, web.Route{Path: "/api/clear/rules", Name: "set-clearance-rule", Summary: "Set how a category is cleared, in the whole group", Perm: "clear.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body clear.Policy }) (*clear.Policy, error) {
			policies, err := clear.LoadPolicies(tx)
			if err != nil {
				return nil, err
			}
			if !policies.Known(in.Body.CategoryID) {
				return nil, catalog.ErrNoCategory.At("category_id")
			}
			return &in.Body, clear.SetPolicy(tx, org.CallerOf(ctx).ID, in.Body)
		})
}

// RunIn is the body of a run.
type RunIn struct {
	SiteID id.ID `json:"site_id"`
}

// RunOut names the job that does it.
type RunOut struct {
	JobID id.ID `json:"job_id"`
}

// StopIn is the body of a stop.
type StopIn struct {
	SiteID     id.ID `json:"site_id"`
	CategoryID id.ID `json:"category_id,omitempty" doc:"empty: everything"`
	Stopped    bool  `json:"stopped"`
}

// ListIn is the input of the list of batches.
type ListIn struct {
	web.Paging
	SiteID id.ID `query:"site_id" required:"true"`
	Ended  bool  `query:"ended" doc:"also those that ended in the last 24 hours"`
	Within int64 `query:"ended_within" minimum:"0" maximum:"1440" doc:"also those that ended in so many minutes"`
}

// BatchView is a batch near its expiry.
type BatchView struct {
	BatchID    id.ID     `json:"batch_id"`
	Code       string    `json:"code"`
	ProductID  id.ID     `json:"product_id"`
	Name       string    `json:"name"`
	CategoryID id.ID     `json:"category_id" doc:"empty: none"`
	Unit       string    `json:"unit"`
	Left       qty.Qty   `json:"left" doc:"that can be sold now"`
	Held       qty.Qty   `json:"held" doc:"in sales whose payment is open"`
	ExpiresAt  time.Time `json:"expires_at"`
	FirstAt    time.Time `json:"first_at" doc:"of the first step"`
	FreeAt     string    `json:"free_at" doc:"from then on of two one is free; empty: never"`
	NextAt     string    `json:"next_at" doc:"when it is looked at next; empty: it has ended"`
	Phase      string    `json:"phase" enum:"full_price,markdown,free_one,expired"`
	Reason     string    `json:"reason" enum:"not_yet,sells,first,behind,on_plan,deepest,earns,stopped,expired,short_life,gone,held_out,no_price" doc:"why the last look ended as it did"`
	LookedAt   string    `json:"looked_at" doc:"empty: not yet"`
	Label      string    `json:"label" doc:"code on the label of the marked-down batch; empty: not marked down"`
	ListFen    money.Fen `json:"list_fen" doc:"full price of one unit; 0: none yet"`
	PriceFen   money.Fen `json:"price_fen"`
	Depth      int64     `json:"depth" doc:"per cent off"`
	FreeOne    bool      `json:"free_one" doc:"of each pair the second is free"`
	Planned    string    `json:"planned" doc:"to be left at the next look; empty: nothing was planned"`
	FirstLeft  qty.Qty   `json:"first_left" doc:"when it was first marked down"`
	Expected   qty.Qty   `json:"first_expected" doc:"would have been sold of it until expiry at the full price"`
	Sold       qty.Qty   `json:"sold" doc:"at a lower price, less what came back"`
	SoldFen    money.Fen `json:"sold_fen" doc:"taken for it"`
	SavedFen   money.Fen `json:"saved_fen" doc:"taken for it, less what was expected at the full price; below 0 the markdown cost more than it brought"`
	Lost       qty.Qty   `json:"lost" doc:"written off at expiry"`
	LostFen    money.Fen `json:"lost_fen" doc:"its cost"`
	WriteOffID id.ID     `json:"write_off_id" doc:"the document; empty: none"`
}

// BatchStory is a batch with the looks at it, newest first.
type BatchStory struct {
	BatchView
	Steps []StepView `json:"steps"`
}

// StepView is one look.
type StepView struct {
	ID       id.ID        `json:"id"`
	At       time.Time    `json:"at"`
	Phase    string       `json:"phase" enum:"full_price,markdown,free_one,expired"`
	Reason   string       `json:"reason" enum:"not_yet,sells,first,behind,on_plan,deepest,earns,stopped,expired,short_life,gone,held_out,no_price"`
	Changed  bool         `json:"changed" doc:"it lowered the price"`
	PriceFen money.Fen    `json:"price_fen"`
	Depth    int64        `json:"depth"`
	FreeOne  bool         `json:"free_one"`
	Left     qty.Qty      `json:"left"`
	Expected qty.Qty      `json:"expected" doc:"until expiry, at the full price"`
	Planned  string       `json:"planned" doc:"the look before wanted so much to be left; empty: nothing"`
	Sold     qty.Qty      `json:"sold" doc:"under the price of this look, once it ended"`
	SoldFen  money.Fen    `json:"sold_fen"`
	Options  []OptionView `json:"options" doc:"the plans that were weighed"`
}

// OptionView is a plan that was weighed, with both its figures.
type OptionView struct {
	Depth        int64     `json:"depth"`
	FreeOne      bool      `json:"free_one"`
	PriceFen     money.Fen `json:"price_fen"`
	ConversionBP int64     `json:"conversion_bp" doc:"sold of what was offered under such a plan before, in hundredths of a per cent"`
	Passed       bool      `json:"passed" doc:"more than the screen asks for"`
	Sold         qty.Qty   `json:"sold" doc:"expected until expiry"`
	EarnedFen    money.Fen `json:"earned_fen" doc:"expected from what is left"`
	Chosen       bool      `json:"chosen"`
}

// ReducedView is a marked-down batch as the till sells it.
type ReducedView struct {
	BatchID   id.ID     `json:"batch_id"`
	Label     string    `json:"label" doc:"EAN-13 on its label"`
	ProductID id.ID     `json:"product_id"`
	Name      string    `json:"name"`
	Unit      string    `json:"unit"`
	ListFen   money.Fen `json:"list_fen"`
	PriceFen  money.Fen `json:"price_fen"`
	FreeOne   bool      `json:"free_one" doc:"of each pair the second is free"`
	Left      qty.Qty   `json:"left"`
	ExpiresAt time.Time `json:"expires_at"`
}

// RuleView is the rule of a category as it holds at a site.
type RuleView struct {
	clear.Policy
	Own           bool  `json:"own" doc:"set for this category; else it is that of a category above, or of all"`
	Stopped       bool  `json:"stopped" doc:"the site has stopped further markdowns of this category"`
	ElasticityBP  int64 `json:"elasticity_bp" doc:"e in demand x (1 - off)^-e, in ten-thousandths"`
	ElasticitySet bool  `json:"elasticity_learned" doc:"from our own sales; else the trade's experience"`
}

func instant(t time.Time, site *org.Site) string {
	if t.IsZero() || t.UnixMilli() == 0 {
		return ""
	}
	return t.In(site.Location()).Format(time.RFC3339)
}

// endedFor is how long ended batches are shown.
const endedFor = 24 * time.Hour

// List shows the batches of a site near their expiry.
func (s *Service) List(tx *db.Tx, site *org.Site, in *ListIn) (*web.Page[BatchView], error) {
	var afterExpiry int64
	var afterBatch id.ID
	if _, err := in.Seek(&afterExpiry, &afterBatch); err != nil {
		return nil, err
	}
	since := stock.Never
	switch {
	case in.Ended:
		since = tx.Now().Add(-endedFor)
	case in.Within > 0:
		since = tx.Now().Add(-time.Duration(in.Within) * time.Minute)
	}
	found, err := clear.List(tx, site.ID, since, afterExpiry, afterBatch, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views, err := s.views(tx, site, found)
	if err != nil {
		return nil, err
	}
	return web.PageOf(in.Paging, views, func(v BatchView) string { return web.Cursor(v.ExpiresAt.UnixMilli(), int64(v.BatchID)) }), nil
}

var (
	batchFacts = db.NewMany(`SELECT b.id, b.code, a.posted_in - a.posted_out - a.pending_out, a.pending_out FROM stock_batch b JOIN ledger_account a ON a.id = b.id WHERE b.id IN (`, `?`, `)`)
	soldOf     = db.NewMany(`SELECT c.batch_id, COALESCE(SUM(l.base_qty), 0), COALESCE(SUM(l.amount_fen), 0), COALESCE(SUM((SELECT SUM(b.base_qty) FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id AND b.line_no = l.line_no WHERE f.sale_id = l.sale_id)), 0),
			COALESCE(SUM((SELECT SUM(b.amount_fen) FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id AND b.line_no = l.line_no WHERE f.sale_id = l.sale_id)), 0)
		FROM clear_step c JOIN till_line l ON l.markdown_id = c.id AND l.markdown_id > 0 JOIN till_sale s ON s.id = l.sale_id AND s.state = 'paid'
		WHERE c.changed = 1 AND c.batch_id IN (`, `?`, `) GROUP BY c.batch_id`)
)

type fact struct {
	code           string
	free, held     qty.Qty
	sold, back     qty.Qty
	soldFen, given money.Fen
}

func (s *Service) views(tx *db.Tx, site *org.Site, batches []clear.Batch) ([]BatchView, error) {
	if len(batches) == 0 {
		return nil, nil
	}
	args, products := make([]any, len(batches)), make([]id.ID, len(batches))
	for i := range batches {
		args[i], products[i] = batches[i].ID, batches[i].Product
	}
	goods, err := s.goods.Products(tx, products)
	if err != nil {
		return nil, err
	}
	facts := map[id.ID]*fact{}
	rows, sold := tx.QueryMany(batchFacts, args...), tx.QueryMany(soldOf, args...)
	defer rows.Close()
	defer sold.Close()
	for rows.Next() {
		var b id.ID
		var f fact
		if err := rows.Scan(&b, &f.code, &f.free, &f.held); err != nil {
			return nil, err
		}
		facts[b] = &f
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for sold.Next() {
		var b id.ID
		var f fact
		if err := sold.Scan(&b, &f.sold, &f.soldFen, &f.back, &f.given); err != nil {
			return nil, err
		}
		if known := facts[b]; known != nil {
			f.code, f.free, f.held = known.code, known.free, known.held
		}
		facts[b] = &f
	}
	if err := sold.Err(); err != nil {
		return nil, err
	}
	views := make([]BatchView, len(batches))
	for i := range batches {
		f := facts[batches[i].ID]
		if f == nil {
			f = &fact{}
		}
		views[i] = s.view(tx, site, &batches[i], goods[batches[i].Product], f)
	}
	return views, nil
}

func (s *Service) view(tx *db.Tx, site *org.Site, b *clear.Batch, p *catalog.Product, f *fact) BatchView {
	v := BatchView{BatchID: b.ID, Code: f.code, ProductID: b.Product, CategoryID: b.Category, ExpiresAt: b.Expires.In(site.Location()), FirstAt: b.First.In(site.Location()),
		FreeAt: instant(b.Free, site), NextAt: instant(b.NextAt, site), Phase: string(b.Phase), Reason: string(b.Reason), LookedAt: instant(b.LookedAt, site), Label: clear.LabelCode(b.Label),
		ListFen: b.List, PriceFen: b.Price, Depth: b.Offer.Depth, FreeOne: b.Offer.Free, FirstLeft: b.FirstLeft, Expected: b.FirstExpected, SoldFen: f.soldFen - f.given,
		Lost: b.Lost, LostFen: b.LostCost, WriteOffID: b.WriteOff}
	if b.Closed {
		v.NextAt = ""
	}
	if b.Planned >= 0 {
		v.Planned = b.Planned.String()
	}
	var unit *catalog.Unit
	if p != nil {
		v.Name = p.Name
		if unit = p.UnitByID(b.Unit); unit == nil {
			unit = p.FirstPriced(func(id.ID) bool { return true })
		}
	}
	if unit != nil {
		v.Unit, v.Left, v.Held, v.Sold = unit.Name, inUnit(unit, f.free), inUnit(unit, f.held), inUnit(unit, f.sold-f.back)
	}
	if b.MarkedDown() {
		without := b.FirstExpected // would have been sold without the markdown, at the full price
		if without > b.FirstLeft {
			without = b.FirstLeft
		}
		fen, err := money.Times(b.List, without)
		if err == nil {
			v.SavedFen = v.SoldFen - fen
		}
	}
	return v
}

// mostSteps of a story: a markdown a day before expiry has 48.
const mostSteps = 100

// Story opens a batch into the looks at it.
func (s *Service) Story(tx *db.Tx, site *org.Site, b *clear.Batch) (*BatchStory, error) {
	views, err := s.views(tx, site, []clear.Batch{*b})
	if err != nil {
		return nil, err
	}
	steps, err := clear.Steps(tx, b.ID, mostSteps)
	if err != nil {
		return nil, err
	}
	story := &BatchStory{BatchView: views[0], Steps: []StepView{}}
	for _, x := range steps {
		v := StepView{ID: x.ID, At: x.At.In(site.Location()), Phase: string(x.Phase), Reason: string(x.Reason), Changed: x.Changed, PriceFen: x.Price, Depth: x.Offer.Depth, FreeOne: x.Offer.Free,
			Left: x.Left, Expected: x.Expected, Sold: x.Sold, SoldFen: x.SoldFen, Options: []OptionView{}}
		if x.Planned >= 0 {
			v.Planned = x.Planned.String()
		}
		for _, o := range x.Options {
			v.Options = append(v.Options, OptionView{Depth: o.Offer.Depth, FreeOne: o.Offer.Free, PriceFen: o.Price, ConversionBP: o.ConversionBP(), Passed: o.Passed, Sold: qty.Nearest(o.Sold),
				EarnedFen: o.EarnedFen(), Chosen: x.Changed && o.Offer == x.Offer})
		}
		story.Steps = append(story.Steps, v)
	}
	return story, nil
}

// Reduced lists what a site sells at a lower price, the most urgent first.
func (s *Service) Reduced(tx *db.Tx, site *org.Site) (*web.Page[ReducedView], error) {
	all, err := clear.OnSale(tx, site.ID)
	if err != nil {
		return nil, err
	}
	views, err := s.views(tx, site, all)
	if err != nil {
		return nil, err
	}
	page := &web.Page[ReducedView]{Items: []ReducedView{}}
	for i := range views {
		if v := &views[i]; v.Left > 0 {
			page.Items = append(page.Items, ReducedView{v.BatchID, v.Label, v.ProductID, v.Name, v.Unit, v.ListFen, v.PriceFen, v.FreeOne, v.Left, v.ExpiresAt})
		}
	}
	return page, nil
}

func rules(tx *db.Tx, site id.ID) (*web.Page[RuleView], error) {
	policies, err := clear.LoadPolicies(tx)
	if err != nil {
		return nil, err
	}
	stops, err := clear.Stops(tx, site)
	if err != nil {
		return nil, err
	}
	tree, err := catalog.Categories(tx)
	if err != nil {
		return nil, err
	}
	page := &web.Page[RuleView]{Items: []RuleView{}}
	for _, c := range append([]catalog.Category{{}}, tree...) {
		v := RuleView{Policy: policies.Of(c.ID), Stopped: stops[c.ID]}
		_, v.Own = policies.Own()[c.ID]
		v.CategoryID = c.ID
		v.ElasticityBP, v.ElasticitySet = policies.AnswerBP(c.ID)
		page.Items = append(page.Items, v)
	}
	return page, nil
}
