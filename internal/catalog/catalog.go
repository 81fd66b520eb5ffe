// Package catalog keeps what the group sells and uses: categories, products with their base unit and shelf
// life, sales units that convert exactly, barcodes. It knows neither prices nor stock.
package catalog

import (
	"context"
	"embed"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "catalog", FS: files}

// State is where a product is in its life.
type State string

const (
	Prepared    State = "new"          // being prepared: can be bought and made, not sold yet
	Listed      State = "listed"       // bought, made, sold
	StopBuying  State = "stop_buying"  // what is there is sold off
	StopSelling State = "stop_selling" // neither bought nor sold; what is there can be given back or written off
	Gone        State = "gone"         // kept for its history
)

var states = []State{Prepared, Listed, StopBuying, StopSelling, Gone}

// Sold says whether a till may sell it.
func (s State) Sold() bool { return s == Listed || s == StopBuying }

// Bought says whether a plan may order or make it.
func (s State) Bought() bool { return s == Prepared || s == Listed }

// sale is what the column beside it says to whoever only asks whether a product is sold.
func (s State) sale() string {
	if s.Sold() {
		return "on_sale"
	}
	return "discontinued"
}

// Product is something the group sells or uses, with everything that selling one line needs to know.
// Values handed out are shared: read only.
type Product struct {
	ID         id.ID
	SKU        id.ID // what stock counts: the product's own id; 0 for a bundle
	Code       string
	Name       string
	CategoryID id.ID // 0: none
	BaseUnit   string
	ShelfLifeH int64   // hours from making to expiry; 0 keeps for ever
	BatchSize  qty.Qty // made in multiples of this many base units; 0: no such rule
	Tax        TaxRate
	State      State
	Revision   int64
	Units      []Unit // base unit first, then as they were added
	Parts      []Part // of a bundle, which has no SKU; else none
}

// Unit is a sales unit of a product.
type Unit struct {
	ID       id.ID
	Name     string
	Num, Den int64 // one is Num/Den base units
	Retired  bool
	Barcodes []string

	Weighed bool    // the quantity comes from a scale; it can be sold by an amount of money
	Step    qty.Qty // of the scale, in thousandths of the base unit
	Tare    qty.Qty // of the usual wrapping, in thousandths of the base unit; scales take it off
	ItemNo  string  // on scale labels, without leading zeros; "": none
}

// Qty is the unit as the value type that converts.
func (u *Unit) Qty() qty.Unit { return qty.Unit{Name: u.Name, Num: u.Num, Den: u.Den} }

// Unit finds a unit by name, or nil.
func (p *Product) Unit(name string) *Unit {
	for i := range p.Units {
		if p.Units[i].Name == name {
			return &p.Units[i]
		}
	}
	return nil
}

// UnitByID finds a unit by id, or nil.
func (p *Product) UnitByID(u id.ID) *Unit {
	for i := range p.Units {
		if p.Units[i].ID == u {
			return &p.Units[i]
		}
	}
	return nil
}

// Service serves the goods of the group.
type Service struct {
	db    *db.DB
	goods cache
}

// New returns the service. Run keeps its copy of the goods fresh; without it every read goes to the database.
func New(d *db.DB) *Service {
	s := &Service{db: d}
	s.goods.db = d
	return s
}

// Routes registers the routes of goods.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/goods/categories", Name: "list-categories", Summary: "The tree of categories", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*web.Page[Category], error) {
			all, err := Categories(tx)
			return &web.Page[Category]{Items: all}, err
		})
	web.Post(api, web.Route{Path: "/api/goods/categories", Name: "create-category", Summary: "Add a category", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body CategoryDraft }) (*Category, error) {
			return s.CreateCategory(tx, in.Body)
		})
	web.Put(api, web.Route{Path: "/api/goods/categories/{id}", Name: "change-category", Summary: "Rename or move a category", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body CategoryDraft
		}) (*Category, error) {
			return s.ChangeCategory(tx, in.ID, in.Body)
		})
	web.Get(api, web.Route{Path: "/api/goods/products", Name: "list-products", Summary: "Products by code, name, barcode, category", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *Search) (*web.Page[ProductView], error) {
			found, err := s.List(tx, *in)
			if err != nil {
				return nil, err
			}
			views := make([]ProductView, len(found))
			for i, p := range found {
				views[i] = ViewOf(p)
			}
			return web.PageOf(in.Paging, views, func(v ProductView) string { return web.Cursor(v.Code) }), nil
		})
	web.Post(api, web.Route{Path: "/api/goods/products", Name: "create-product", Summary: "Add a product", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body Draft }) (*ProductView, error) {
			p, err := s.Create(tx, in.Body)
			return viewed(p, err)
		})
	web.Get(api, web.Route{Path: "/api/goods/products/{id}", Name: "get-product", Summary: "A product", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*ProductView, error) {
			p, err := read(tx, in.ID)
			return viewed(p, err)
		})
	web.Put(api, web.Route{Path: "/api/goods/products/{id}", Name: "change-product", Summary: "Change a product, its units and barcodes", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body Change
		}) (*ProductView, error) {
			p, err := s.Change(tx, in.ID, in.Body)
			return viewed(p, err)
		})
	s.recipeRoutes(api)
	s.labelRoutes(api)
	s.styleRoutes(api)
}

// ProductView is a product on the wire.
type ProductView struct {
	ID         id.ID      `json:"id"`
	Code       string     `json:"code"`
	Name       string     `json:"name"`
	CategoryID id.ID      `json:"category_id" doc:"empty: none"`
	BaseUnit   string     `json:"base_unit" enum:"g,ml,piece"`
	Units      []UnitView `json:"units"`
	ShelfLifeH int64      `json:"shelf_life_h" doc:"hours from making to expiry; 0 keeps for ever"`
	BatchSize  qty.Qty    `json:"batch_size" doc:"base units; 0: no such rule"`
	TaxPct     TaxRate    `json:"tax_pct"`
	State      State      `json:"state" enum:"new,listed,stop_buying,stop_selling,gone"`
	Revision   int64      `json:"revision" doc:"give back with a change"`
	Parts      []PartView `json:"parts" doc:"of a bundle, which has no stock of its own; else empty"`
}

// UnitView is a sales unit on the wire.
type UnitView struct {
	ID       id.ID    `json:"id"`
	Name     string   `json:"name"`
	Num      int64    `json:"num" doc:"one is num/den base units"`
	Den      int64    `json:"den"`
	Retired  bool     `json:"retired"`
	Barcodes []string `json:"barcodes"`
	Weighed  bool     `json:"weighed" doc:"the quantity comes from a scale; can be sold by an amount of money"`
	Step     qty.Qty  `json:"step" doc:"of the scale, in the base unit"`
	Tare     qty.Qty  `json:"tare" doc:"of the usual wrapping, in the base unit"`
	ItemNo   string   `json:"item_no" doc:"on scale labels"`
}

func viewed(p *Product, err error) (*ProductView, error) {
	if err != nil {
		return nil, err
	}
	v := ViewOf(p)
	return &v, nil
}

// ViewOf is a product as the API shows it.
func ViewOf(p *Product) ProductView {
	v := ProductView{ID: p.ID, Code: p.Code, Name: p.Name, CategoryID: p.CategoryID, BaseUnit: p.BaseUnit,
		ShelfLifeH: p.ShelfLifeH, BatchSize: p.BatchSize, TaxPct: p.Tax, State: p.State, Revision: p.Revision,
		Units: make([]UnitView, len(p.Units)), Parts: make([]PartView, len(p.Parts))}
	for i, x := range p.Parts {
		v.Parts[i] = PartView{x.Product, x.code, x.name, x.Unit, x.unit, x.Qty, x.Share}
	}
	for i, u := range p.Units {
		v.Units[i] = UnitView{u.ID, u.Name, u.Num, u.Den, u.Retired, append([]string{}, u.Barcodes...), u.Weighed, u.Step, u.Tare, u.ItemNo}
	}
	return v
}

// FirstPriced is the first unit in use that the caller has a price for; the base unit when there is none.
func (p *Product) FirstPriced(priced func(unit id.ID) bool) *Unit {
	for i := range p.Units {
		if u := &p.Units[i]; !u.Retired && priced(u.ID) {
			return u
		}
	}
	return p.Unit(p.BaseUnit)
}
