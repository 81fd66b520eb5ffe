// Package making joins what a workshop does (produce) with the goods it takes and makes (stock) and with
// recipes (catalog): a requisition takes materials, its completion creates the processing task, the output
// receipt books what was made and what it cost. It also traces batches both ways. See README.md.
package making

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/produce"
	"zhanggui/internal/replenish"
	"zhanggui/internal/stock"
)

// Service books the making of goods.
type Service struct{ goods *catalog.Service }

// New returns the service.
func New(goods *catalog.Service) *Service { return &Service{goods} }

// Routes registers the routes of making and of tracing.
func (s *Service) Routes(api *web.API) {
	web.Post(api, web.Route{Path: "/api/making/requisitions", Name: "request-materials", Summary: "Ask for the materials of so much of a product", Perm: "make.work", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body RequisitionIn }) (*Requisition, error) {
			site, err := org.SiteFor(ctx, "make.work", in.Body.SiteID)
			if err != nil {
				return nil, err
			}
			if _, none := org.SiteFor(ctx, "plan.confirm", site.ID); none != nil {
				if err := confirmed(tx, site, in.Body); err != nil {
					return nil, err
				}
			}
			r, err := s.Request(tx, site, org.CallerOf(ctx).ID, in.Body)
			return first(s.requisitions(tx, site, r, err))
		})
	web.Get(api, web.Route{Path: "/api/making/requisitions", Name: "list-requisitions", Summary: "The material requisitions of a site, newest first", Perm: "make.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *produce.RequisitionSearch) (*web.Page[Requisition], error) {
			site, err := org.SiteFor(ctx, "make.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			found, err := produce.Requisitions(tx, *in)
			if err != nil {
				return nil, err
			}
			shown, err := s.requisitions(tx, site, found, nil)
			return web.PageOf(in.Paging, shown, func(r Requisition) string { return web.Cursor(r.ID) }), err
		})
	web.Post(api, web.Route{Path: "/api/making/requisitions/{id}/complete", Name: "complete-requisition", Summary: "Take the materials; this creates the processing task", Perm: "make.work", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body CompleteIn
		}) (*Task, error) {
			r, err := produce.RequisitionByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "make.work", r.Site)
			if err != nil {
				return nil, produce.ErrNoRequisition
			}
			t, err := s.Complete(tx, site, org.CallerOf(ctx).ID, r, in.Body)
			return first(s.tasks(tx, site, t, err))
		})
	web.Post(api, web.Route{Path: "/api/making/requisitions/{id}/cancel", Name: "cancel-requisition", Summary: "End a requisition for which nothing is taken", Perm: "make.work", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body CancelIn
		}) (*Requisition, error) {
			r, err := produce.RequisitionByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "make.work", r.Site)
			if err != nil {
				return nil, produce.ErrNoRequisition
			}
			if err := produce.Cancel(tx, r.ID, org.CallerOf(ctx).ID, strings.TrimSpace(in.Body.Reason)); err != nil {
				return nil, err
			}
			r, err = produce.RequisitionByID(tx, r.ID)
			return first(s.requisitions(tx, site, []*produce.Requisition{r}, err))
		})
	web.Get(api, web.Route{Path: "/api/making/tasks", Name: "list-making-tasks", Summary: "The processing tasks of a site, newest first", Perm: "make.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *produce.TaskSearch) (*web.Page[Task], error) {
			site, err := org.SiteFor(ctx, "make.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			found, err := produce.Tasks(tx, *in)
			if err != nil {
				return nil, err
			}
			shown, err := s.tasks(tx, site, found, nil)
			return web.PageOf(in.Paging, shown, func(t Task) string { return web.Cursor(t.ID) }), err
		})
	web.Get(api, web.Route{Path: "/api/making/tasks/{id}", Name: "get-making-task", Summary: "A processing task with what was taken and what came of it", Perm: "make.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*Task, error) {
			t, err := produce.TaskByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "make.read", t.Site)
			if err != nil {
				return nil, produce.ErrNoTask
			}
			return first(s.tasks(tx, site, []*produce.Task{t}, nil))
		})
	web.Post(api, web.Route{Path: "/api/making/tasks/{id}/output", Name: "report-output", Summary: "Report what was made: stock and cost post at once", Perm: "make.work", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body OutputIn
		}) (*Task, error) {
			t, err := produce.TaskByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			site, err := org.SiteFor(ctx, "make.work", t.Site)
			if err != nil {
				return nil, produce.ErrNoTask
			}
			done, err := s.Report(tx, site, org.CallerOf(ctx).ID, t, in.Body)
			return first(s.tasks(tx, site, done, err))
		})
	web.Get(api, web.Route{Path: "/api/making/recipes/{id}", Name: "get-recipe-tree", Summary: "All that goes into a product, level by level", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *TreeIn) (*RecipeTree, error) {
			return s.Tree(tx, *in, org.CallerOf(ctx).May("party.read"))
		})
	web.Get(api, web.Route{Path: "/api/making/recipes/{id}/losses", Name: "get-recipe-losses", Summary: "What the lines of a recipe have been learned to lose at a site, down to the batches", Perm: "make.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *LossesIn) (*Losses, error) {
			if _, err := org.SiteFor(ctx, "make.read", in.SiteID); err != nil {
				return nil, errs.As(err).At("site_id")
			}
			return s.Losses(tx, *in)
		})
	web.Get(api, web.Route{Path: "/api/trace/batches/{id}", Name: "trace-batch", Summary: "Where a batch came from, or what became of it", Perm: "make.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID        id.ID  `path:"id"`
			Direction string `query:"direction" enum:"back,forward" required:"true"`
		}) (*Trace, error) {
			return Follow(tx, in.ID, in.Direction == "back", func(site id.ID) (*org.Site, error) { return org.SiteFor(ctx, "make.read", site) })
		})
}

// first is the only row of an answer.
func first[T any](all []T, err error) (*T, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// --- asking for materials

// RequisitionIn is a request for materials.
type RequisitionIn struct {
	SiteID    id.ID        `json:"site_id"`
	ProductID id.ID        `json:"product_id" doc:"what is to be made"`
	Qty       qty.Qty      `json:"qty"`
	Unit      string       `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Note      string       `json:"note,omitempty" maxLength:"200"`
	For       *ForRound    `json:"for,omitempty" doc:"the round of a plan it is for, which it then fills; left out: the first round of the day that is open"`
	Materials []MaterialIn `json:"materials,omitempty" maxItems:"200" doc:"for the whole quantity; by the recipe when left out"`
}

// ForRound names a round of a day's plan at the site.
type ForRound struct {
	Date  cal.Date `json:"date" doc:"the business date of the plan"`
	Round int64    `json:"round" minimum:"1" maximum:"4"`
}

// MaterialIn is so much of a material.
type MaterialIn struct {
	ProductID id.ID   `json:"product_id"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

// Request writes a requisition. Its materials are those that the recipe valid today takes for the quantity,
// with the recipe's losses; semi-finished components are materials themselves. A person may name them
// instead, for a trial or a product without a recipe.
func (s *Service) Request(tx *db.Tx, site *org.Site, staff id.ID, in RequisitionIn) ([]*produce.Requisition, error) {
	known, err := s.products(tx, in.ProductID, in.Materials)
	if err != nil {
		return nil, err
	}
	product := known[in.ProductID]
	if product == nil {
		return nil, stock.ErrNoSKU.At("product_id")
	}
	r := &produce.Requisition{ID: id.New(), Site: site.ID, Product: product.ID, Date: site.BusinessDate(tx.Now()), Note: in.Note, Staff: staff}
	if in.For != nil {
		if r.For = (produce.Round{Date: in.For.Date, Round: in.For.Round}); !r.For.Date.Valid() {
			return nil, cal.ErrDate.With("text", r.For.Date).At("for.date")
		}
		if r.For.Date < r.Date.AddDays(-1) || r.For.Date > r.Date.AddDays(1) {
			return nil, ErrFarRound.With("date", r.For.Date).At("for.date")
		}
		if err := planned(tx, r); err != nil {
			return nil, err
		}
	}
	if r.Qty, err = whole(product, in.Qty, in.Unit, ""); err != nil {
		return nil, err
	}
	if len(in.Materials) == 0 {
		r.Needs, err = s.byRecipe(tx, r, product)
	}
	for i, m := range in.Materials {
		p := known[m.ProductID]
		at := fmt.Sprintf("materials[%d].", i)
		if p == nil {
			return nil, stock.ErrNoSKU.At(at + "product_id")
		}
		n := produce.Need{Product: p.ID, Piece: p.BaseUnit == "piece"}
		if n.Qty, err = whole(p, m.Qty, m.Unit, at); err != nil {
			return nil, err
		}
		r.Needs = append(r.Needs, n)
	}
	if err != nil {
		return nil, err
	}
	return []*produce.Requisition{r}, produce.Request(tx, r)
}

func (s *Service) products(tx *db.Tx, product id.ID, materials []MaterialIn) (map[id.ID]*catalog.Product, error) {
	ids := []id.ID{product}
	for _, m := range materials {
		ids = append(ids, m.ProductID)
	}
	return s.goods.Products(tx, ids)
}

// byRecipe is what the recipe takes by the mix that is in force, one level deep, rounded up once.
func (s *Service) byRecipe(tx *db.Tx, r *produce.Requisition, product *catalog.Product) ([]produce.Need, error) {
	versions, err := catalog.RecipesOf(tx, []id.ID{r.Product})
	if err != nil {
		return nil, err
	}
	recipes := make([]catalog.Recipe, len(versions))
	for i, v := range versions {
		recipes[i] = v.Recipe
	}
	book, err := catalog.NewCookbook(recipes, func(p id.ID) string {
		if p == r.Product {
			return product.Name
		}
		return p.String()
	})
	if err != nil {
		return nil, err
	}
	recipe, ok := book.On(r.Product, r.Date)
	if !ok {
		return nil, produce.ErrNoMaterials.With("product", product.Name).At("materials")
	}
	var mix catalog.Mix
	if len(recipe.Options) > 0 {
		m, err := replenish.MixOn(tx, r.Site, &recipe, r.Date)
		if err != nil {
			return nil, err
		}
		if m != nil {
			r.Mix, mix = m.ID, m.Shares
		}
	}
	known, err := s.goods.Products(tx, slices.Collect(recipe.Inputs()))
	if err != nil {
		return nil, err
	}
	piece := func(p id.ID) bool { return known[p] != nil && known[p].BaseUnit == "piece" }
	rows, err := book.Require(r.Date, catalog.Ask{Make: map[id.ID]qty.Qty{r.Product: r.Qty}, Stock: func(id.ID) catalog.Stock { return catalog.Stock{} }, Piece: piece,
		Mix: func(*catalog.Recipe) catalog.Mix { return mix }})
	if err != nil {
		return nil, err
	}
	r.Recipe, r.Yield = recipe.ValidFrom, recipe.Yield
	var needs []produce.Need
	for _, row := range rows {
		if row.Product == r.Product {
			continue
		}
		n, err := needOf(row, piece(row.Product))
		if err != nil {
			return nil, err
		}
		needs = append(needs, n)
	}
	return needs, nil
}

// whole is a quantity in the base unit; what is counted in pieces comes whole.
func whole(p *catalog.Product, q qty.Qty, unit, at string) (qty.Qty, error) {
	if unit != "" {
		u := p.Unit(unit)
		if u == nil {
			return 0, stock.ErrNoUnit.With("unit", unit).At(at + "unit")
		}
		base, err := u.Qty().ToBase(q)
		if err != nil {
			return 0, errs.As(err).At(at + "qty")
		}
		q = base
	}
	switch {
	case q < 0:
		return 0, produce.ErrQty.At(at + "qty")
	case q > qty.Max:
		return 0, produce.ErrQtyTooLarge.At(at + "qty")
	case p.BaseUnit == "piece" && q%qty.Scale != 0:
		return 0, produce.ErrWholePieces.At(at + "qty")
	}
	return q, nil
}

// --- taking them

// CancelIn says why nothing is taken.
type CancelIn struct {
	Reason string `json:"reason" maxLength:"200"`
}

// CompleteIn is what was really taken.
type CompleteIn struct {
	Lines []IssueIn `json:"lines,omitempty" maxItems:"200" doc:"materials that are not named are taken by the recipe's quantity, earliest expiry first"`
}

// IssueIn is so much of a material, from a scanned batch or by earliest expiry.
type IssueIn struct {
	ProductID id.ID   `json:"product_id"`
	BatchID   id.ID   `json:"batch_id,omitempty"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

// ErrNotAsked refuses a material that the requisition does not have.
var ErrNotAsked = errs.Define("making_material_not_asked", errs.Invalid, "领用单上没有这种原料", "The requisition does not ask for this material")

// Complete takes the materials of a requisition and creates its task, all in one transaction: goods leave
// their batches, their value goes to the task's work order.
func (s *Service) Complete(tx *db.Tx, site *org.Site, staff id.ID, r *produce.Requisition, in CompleteIn) ([]*produce.Task, error) {
	if err := produce.Complete(tx, r.ID); err != nil {
		return nil, err
	}
	ids := make([]id.ID, len(r.Needs))
	for i, n := range r.Needs {
		ids[i] = n.Product
	}
	known, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	var wants []stock.Want
	named, of := map[id.ID]bool{}, map[id.ID]id.ID{} // SKU → product
	for i, l := range in.Lines {
		p := known[l.ProductID]
		at := fmt.Sprintf("lines[%d].", i)
		if p == nil {
			return nil, ErrNotAsked.At(at + "product_id")
		}
		q, err := whole(p, l.Qty, l.Unit, at)
		if err != nil {
			return nil, err
		}
		named[p.ID], of[p.SKU] = true, p.ID
		wants = append(wants, stock.Want{Line: i, SKU: p.SKU, Qty: q, Batch: l.BatchID})
	}
	for _, n := range r.Needs {
		if p := known[n.Product]; p != nil && !named[n.Product] {
			of[p.SKU] = p.ID
			wants = append(wants, stock.Want{Line: len(wants), SKU: p.SKU, Qty: n.Qty})
		}
	}
	picked, err := stock.PickFor(tx, site.ID, "making", wants)
	if err != nil {
		return nil, err
	}
	t := &produce.Task{ID: id.New(), Requisition: r.ID, Site: r.Site, Product: r.Product, Planned: r.Qty, Date: site.BusinessDate(tx.Now()), Staff: staff, Needs: r.Needs, Recipe: r.Recipe, Mix: r.Mix}
	for _, k := range picked.Takes {
		t.Issues = append(t.Issues, produce.Issue{Product: of[k.SKU], SKU: k.SKU, Batch: k.Batch, Qty: k.Qty, Cost: k.Cost})
	}
	doc := ledger.Document{Kind: produce.RequisitionDoc, ID: r.ID, Site: r.Site, Date: t.Date}
	if err := picked.Consume(tx, doc, t.Order()); err != nil {
		return nil, err
	}
	return []*produce.Task{t}, t.Put(tx)
}

// --- what came of it

// OutputIn is what was made.
type OutputIn struct {
	Qty         qty.Qty   `json:"qty" doc:"0: all was lost"`
	Unit        string    `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	MadeAt      time.Time `json:"made_at,omitempty" doc:"from when the shelf life counts; now when left out"`
	FewerReason string    `json:"fewer_reason,omitempty" enum:"made_wrong,dropped,material_bad,equipment,tasting,sample,other" doc:"needed when less was made than the task says"`
}

// Report books the output of a task: a batch with its expiry, the value of the materials that the recipe
// takes for it, and as a loss what was used beyond.
func (s *Service) Report(tx *db.Tx, site *org.Site, staff id.ID, t *produce.Task, in OutputIn) ([]*produce.Task, error) {
	if err := produce.Finish(tx, t.ID); err != nil {
		return nil, err
	}
	known, err := s.goods.Products(tx, []id.ID{t.Product})
	if err != nil {
		return nil, err
	}
	product := known[t.Product]
	if product == nil {
		return nil, stock.ErrNoSKU
	}
	o := &produce.Output{ID: id.New(), Task: t.ID, Site: t.Site, Date: site.BusinessDate(tx.Now()), SKU: product.SKU, Reason: in.FewerReason, MadeAt: in.MadeAt, Staff: staff, Cost: t.Cost}
	if o.MadeAt.IsZero() {
		o.MadeAt = tx.Now()
	}
	if o.Qty, err = whole(product, in.Qty, in.Unit, ""); err != nil {
		return nil, err
	}
	switch {
	case o.Qty/2 > t.Planned:
		return nil, produce.ErrTooMuchMade.At("qty")
	case o.Qty < t.Planned && o.Reason == "":
		return nil, produce.ErrReason.At("fewer_reason")
	case !t.InTime(o.MadeAt, tx.Now()):
		return nil, produce.ErrMadeAt.At("made_at")
	}
	if o.Losses, err = t.Lost(o.Qty); err != nil {
		return nil, err
	}
	if o.Qty >= t.Planned {
		o.Reason = ""
		if len(o.Losses) > 0 {
			o.Reason = produce.OverIssue
		}
	}
	lost := make([]stock.LostInMaking, len(o.Losses))
	for i, l := range o.Losses {
		lost[i] = stock.LostInMaking{SKU: l.SKU, Qty: l.Qty, Value: l.Cost}
		o.Cost -= l.Cost
	}
	made := stock.Arrival{SKU: product.SKU, Qty: o.Qty, Cost: o.Cost, MadeOn: site.BusinessDate(o.MadeAt), ExpiresAt: stock.Never}
	if product.ShelfLifeH > 0 {
		made.ExpiresAt = o.MadeAt.Add(time.Duration(product.ShelfLifeH) * time.Hour)
	}
	doc := ledger.Document{Kind: produce.OutputDoc, ID: o.ID, Site: t.Site, Date: o.Date}
	if o.Batch, _, err = stock.Make(tx, site, doc, t.Order(), made, lost); err != nil {
		return nil, lineless(err)
	}
	t.State, t.Output = produce.Done, o
	if err := o.Put(tx); err != nil {
		return nil, err
	}
	return []*produce.Task{t}, o.Made(tx, t)
}

// lineless says of a refusal of stock that it is about the output, which has no lines.
func lineless(err error) error {
	if e := errs.As(err); e.Code == stock.ErrAlreadyPast.Code {
		return stock.ErrAlreadyPast.At("made_at")
	}
	return err
}

// --- on the wire

// Requisition is a material requisition on the wire, quantities in base units.
type Requisition struct {
	ID        id.ID      `json:"id"`
	SiteID    id.ID      `json:"site_id"`
	ProductID id.ID      `json:"product_id"`
	Product   string     `json:"product"`
	Qty       qty.Qty    `json:"qty"`
	Unit      string     `json:"unit"`
	State     string     `json:"state" enum:"open,completed,cancelled"`
	Date      cal.Date   `json:"business_date"`
	MadeAt    string     `json:"made_at"`
	Note      string     `json:"note"`
	Cancelled string     `json:"cancel_reason" doc:"why a cancelled one was cancelled"`
	Recipe    cal.Date   `json:"recipe_from" doc:"first day of the version of the recipe that it is by; empty: somebody named the materials"`
	MixID     id.ID      `json:"mix_id" doc:"the mix that was in force; empty: as the recipe says"`
	Materials []Material `json:"materials"`
}

// Material is so much of a material.
type Material struct {
	ProductID id.ID   `json:"product_id"`
	Product   string  `json:"product"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit"`
	Available qty.Qty `json:"available" doc:"in date and free at the site now"`
	Share     string  `json:"share" doc:"of its line, as in 0.4; 1 where it has the line alone"`
	Instead   string  `json:"instead" doc:"the component that it stands in for; empty: it is that"`
}

// Task is a processing task on the wire, quantities in base units.
type Task struct {
	ID            id.ID     `json:"id"`
	RequisitionID id.ID     `json:"requisition_id"`
	SiteID        id.ID     `json:"site_id"`
	ProductID     id.ID     `json:"product_id"`
	Product       string    `json:"product"`
	Planned       qty.Qty   `json:"planned"`
	Unit          string    `json:"unit"`
	State         string    `json:"state" enum:"open,done"`
	Date          cal.Date  `json:"business_date"`
	MadeAt        string    `json:"made_at" doc:"when the materials were taken"`
	CostFen       money.Fen `json:"cost_fen" doc:"of the materials"`
	Recipe        cal.Date  `json:"recipe_from" doc:"first day of the version of the recipe that it is made by; empty: somebody named the materials"`
	MixID         id.ID     `json:"mix_id" doc:"the mix that was in force; empty: as the recipe says"`
	Needs         []Needed  `json:"needs" doc:"what the requisition asked for, by the recipe of that day"`
	Issues        []Issue   `json:"issues"`
	Output        *Output   `json:"output,omitempty"`
}

// Needed is so much of a material as the requisition asked for.
type Needed struct {
	ProductID id.ID   `json:"product_id"`
	Product   string  `json:"product"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit"`
	Share     string  `json:"share" doc:"of its line, as in 0.4; 1 where it has the line alone"`
	Instead   string  `json:"instead" doc:"the component that it stands in for; empty: it is that"`
}

// Issue is what was taken of a batch.
type Issue struct {
	ProductID id.ID     `json:"product_id"`
	Product   string    `json:"product"`
	BatchID   id.ID     `json:"batch_id"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit"`
	CostFen   money.Fen `json:"cost_fen"`
}

// Output is an output receipt on the wire.
type Output struct {
	ID       id.ID     `json:"id"`
	BatchID  id.ID     `json:"batch_id,omitempty" doc:"none when all was lost"`
	Qty      qty.Qty   `json:"qty"`
	Date     cal.Date  `json:"business_date"`
	MadeAt   string    `json:"made_at"`
	PostedAt string    `json:"posted_at"`
	CostFen  money.Fen `json:"cost_fen" doc:"of what was made"`
	LostFen  money.Fen `json:"lost_fen" doc:"of material used beyond the recipe"`
	Reason   string    `json:"reason" doc:"why less was made; over_issue when only more was taken than the recipe says"`
	Losses   []Lost    `json:"losses"`
}

// Lost is material used beyond the recipe.
type Lost struct {
	ProductID id.ID     `json:"product_id"`
	Product   string    `json:"product"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit"`
	CostFen   money.Fen `json:"cost_fen"`
}

func (s *Service) requisitions(tx *db.Tx, site *org.Site, all []*produce.Requisition, err error) ([]Requisition, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var ids, skus []id.ID
	for _, r := range all {
		ids = append(ids, r.Product)
		for _, n := range r.Needs {
			ids = append(ids, n.Product, n.Of)
		}
	}
	known, err := s.goods.Products(tx, distinct(ids))
	if err != nil {
		return nil, err
	}
	for _, p := range known {
		skus = append(skus, p.SKU)
	}
	left, err := stock.Available(tx, site.ID, skus)
	if err != nil {
		return nil, err
	}
	shown := make([]Requisition, len(all))
	for i, r := range all {
		v := Requisition{ID: r.ID, SiteID: r.Site, ProductID: r.Product, Qty: r.Qty, State: r.State, Date: r.Date, MadeAt: at(r.MadeAt, site), Note: r.Note, Cancelled: r.CancelReason, Recipe: r.Recipe, MixID: r.Mix, Materials: []Material{}}
		v.Product, v.Unit = named(known, r.Product)
		for _, n := range r.Needs {
			m := Material{ProductID: n.Product, Qty: n.Qty, Share: catalog.ShareText(n.Share)}
			if n.Of != 0 && n.Of != n.Product {
				m.Instead, _ = named(known, n.Of)
			}
			m.Product, m.Unit = named(known, n.Product)
			if p := known[n.Product]; p != nil {
				m.Available = left[p.SKU]
			}
			v.Materials = append(v.Materials, m)
		}
		shown[i] = v
	}
	return shown, nil
}

func (s *Service) tasks(tx *db.Tx, site *org.Site, all []*produce.Task, err error) ([]Task, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var ids []id.ID
	for _, t := range all {
		ids = append(ids, t.Product)
		for _, i := range t.Issues {
			ids = append(ids, i.Product)
		}
		for _, n := range t.Needs {
			ids = append(ids, n.Product, n.Of)
		}
	}
	known, err := s.goods.Products(tx, distinct(ids))
	if err != nil {
		return nil, err
	}
	shown := make([]Task, len(all))
	for i, t := range all {
		v := Task{ID: t.ID, RequisitionID: t.Requisition, SiteID: t.Site, ProductID: t.Product, Planned: t.Planned, State: t.State, Date: t.Date,
			MadeAt: at(t.MadeAt, site), CostFen: t.Cost, Recipe: t.Recipe, MixID: t.Mix, Needs: []Needed{}, Issues: []Issue{}}
		v.Product, v.Unit = named(known, t.Product)
		for _, n := range t.Needs {
			w := Needed{ProductID: n.Product, Qty: n.Qty, Share: catalog.ShareText(n.Share)}
			if n.Of != 0 && n.Of != n.Product {
				w.Instead, _ = named(known, n.Of)
			}
			w.Product, w.Unit = named(known, n.Product)
			v.Needs = append(v.Needs, w)
		}
		for _, l := range t.Issues {
			w := Issue{ProductID: l.Product, BatchID: l.Batch, Qty: l.Qty, CostFen: l.Cost}
			w.Product, w.Unit = named(known, l.Product)
			v.Issues = append(v.Issues, w)
		}
		if o := t.Output; o != nil {
			v.Output = &Output{ID: o.ID, BatchID: o.Batch, Qty: o.Qty, Date: o.Date, MadeAt: at(o.MadeAt, site), PostedAt: at(o.PostedAt, site), CostFen: o.Cost, Reason: o.Reason, Losses: []Lost{}}
			for _, l := range o.Losses {
				w := Lost{ProductID: l.Product, Qty: l.Qty, CostFen: l.Cost}
				w.Product, w.Unit = named(known, l.Product)
				v.Output.LostFen += l.Cost
				v.Output.Losses = append(v.Output.Losses, w)
			}
		}
		shown[i] = v
	}
	return shown, nil
}

func named(known map[id.ID]*catalog.Product, product id.ID) (name, unit string) {
	if p := known[product]; p != nil {
		return p.Name, p.BaseUnit
	}
	return product.String(), ""
}

func distinct(ids []id.ID) []id.ID {
	seen, out := map[id.ID]bool{}, ids[:0]
	for _, n := range ids {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// at is an instant with the site's offset; what keeps for ever has none.
func at(t time.Time, site *org.Site) string {
	if !t.Before(stock.Never) {
		return ""
	}
	return t.In(site.Location()).Format(time.RFC3339)
}
