package party

import (
	"context"
	"fmt"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Goods tells what party must know of products, which are another capability's: those that are there, by id.
type Goods interface {
	Goods(tx *db.Tx, ids []id.ID) (map[id.ID]Good, error)
}

// Good is a product as terms speak of it.
type Good struct {
	Code, Name, BaseUnit string
	Units                []qty.Unit // those in use, the base unit among them
}

// Service serves suppliers.
type Service struct{ goods Goods }

// New returns the service.
func New(goods Goods) *Service { return &Service{goods} }

// SupplierView is a supplier on the wire.
type SupplierView struct {
	ID       id.ID  `json:"id"`
	Code     string `json:"code"`
	Name     string `json:"name"`
	Contact  string `json:"contact"`
	Phone    string `json:"phone"`
	Address  string `json:"address"`
	State    State  `json:"state" enum:"active,stopped"`
	Products int64  `json:"products" doc:"that it supplies"`
	Revision int64  `json:"revision" doc:"give back with a change"`
}

// TermsView is what a supplier asks and gives for a product.
type TermsView struct {
	SupplierID   id.ID      `json:"supplier_id"`
	SupplierCode string     `json:"supplier_code"`
	SupplierName string     `json:"supplier_name"`
	ProductID    id.ID      `json:"product_id"`
	ProductCode  string     `json:"product_code"`
	ProductName  string     `json:"product_name"`
	PackQty      qty.Qty    `json:"pack_qty"`
	Unit         string     `json:"unit"`
	PriceFen4    money.Fen4 `json:"price_fen4" doc:"of one unit, in ten-thousandths of a fen, without tax"`
	MinPacks     int64      `json:"min_packs"`
	LeadClass    LeadClass  `json:"lead_class" enum:"fresh,frozen,ambient"`
	LeadH        int64      `json:"lead_h" doc:"0: that of the class, 24, 72 or 48"`
	OrderDays    string     `json:"order_days" doc:"digits 1 Monday to 7 Sunday"`
	CutOff       string     `json:"cut_off" doc:"as in 16:00"`
}

// TermsIn is what a person says of terms.
type TermsIn struct {
	PackQty   qty.Qty    `json:"pack_qty"`
	Unit      string     `json:"unit,omitempty" maxLength:"20" doc:"of pack and price; the base unit when left out"`
	PriceFen4 money.Fen4 `json:"price_fen4"`
	MinPacks  int64      `json:"min_packs,omitempty" doc:"1 when left out"`
	LeadClass LeadClass  `json:"lead_class" maxLength:"20"`
	LeadH     int64      `json:"lead_h,omitempty" doc:"that of the class when left out"`
	OrderDays string     `json:"order_days,omitempty" maxLength:"7" doc:"every day when left out"`
	CutOff    string     `json:"cut_off,omitempty" maxLength:"5" doc:"the end of the day when left out"`
}

type oneIn struct {
	ID id.ID `path:"id"`
}

type pairIn struct {
	ID        id.ID `path:"id"`
	ProductID id.ID `path:"product_id"`
}

// Routes registers the routes of suppliers.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/suppliers", Name: "list-suppliers", Summary: "Suppliers by code or name", Perm: "party.read", Scope: web.Group}, list)
	web.Post(api, web.Route{Path: "/api/suppliers", Name: "create-supplier", Summary: "Add a supplier", Perm: "party.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body SupplierDraft }) (*SupplierView, error) {
			p, err := AddSupplier(tx, in.Body)
			return viewed(tx, p, err)
		})
	web.Get(api, web.Route{Path: "/api/suppliers/{id}", Name: "get-supplier", Summary: "A supplier", Perm: "party.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *oneIn) (*SupplierView, error) {
			p, err := supplierByID(tx, in.ID)
			return viewed(tx, p, err)
		})
	web.Put(api, web.Route{Path: "/api/suppliers/{id}", Name: "change-supplier", Summary: "Change or stop a supplier", Perm: "party.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				SupplierDraft
				Revision int64 `json:"revision" doc:"as read; refused when somebody changed the supplier since"`
			}
		}) (*SupplierView, error) {
			p, err := ChangeSupplier(tx, in.ID, in.Body.Revision, in.Body.SupplierDraft)
			return viewed(tx, p, err)
		})
	web.Get(api, web.Route{Path: "/api/suppliers/{id}/terms", Name: "list-terms", Summary: "What a supplier asks and gives for its products", Perm: "party.read", Scope: web.Group}, s.terms)
	web.Get(api, web.Route{Path: "/api/suppliers/terms", Name: "list-offers", Summary: "Who supplies a product, and on what terms", Perm: "party.read", Scope: web.Group}, s.offers)
	web.Put(api, web.Route{Path: "/api/suppliers/{id}/terms/{product_id}", Name: "put-terms", Summary: "Set what a supplier asks and gives for a product", Perm: "party.manage", Scope: web.Group}, s.put)
	web.Delete(api, web.Route{Path: "/api/suppliers/{id}/terms/{product_id}", Name: "delete-terms", Summary: "A supplier no longer supplies a product", Perm: "party.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *pairIn) (*Deleted, error) {
			return &Deleted{true}, DropTerms(tx, in.ID, in.ProductID)
		})
}

// Deleted says that something is gone.
type Deleted struct {
	Deleted bool `json:"deleted"`
}

func viewOf(p *Supplier, products int64) SupplierView {
	return SupplierView{p.ID, p.Code, p.Name, p.Contact, p.Phone, p.Address, p.State, products, p.Revision}
}

func viewed(tx *db.Tx, p *Supplier, err error) (*SupplierView, error) {
	if err != nil {
		return nil, err
	}
	var n int64
	err = tx.QueryRow(`SELECT COUNT(*) FROM party_terms WHERE supplier_id = $1`, p.ID).Scan(&n)
	v := viewOf(p, n)
	return &v, err
}

// ListIn is the input of the list of suppliers.
type ListIn struct {
	web.Paging
	Q     string `query:"q" maxLength:"60" doc:"part of the code or name"`
	State State  `query:"state" enum:"active,stopped"`
}

const listSuppliers = `SELECT s.id, s.code, s.name, s.contact, s.phone, s.address, s.state, s.revision, (SELECT COUNT(*) FROM party_terms t WHERE t.supplier_id = s.id)
	FROM party_supplier s WHERE s.code > $1 AND (CAST($2 AS TEXT) = '' OR s.state = $2) AND (CAST($3 AS TEXT) = '' OR s.search LIKE $4 ESCAPE '!') ORDER BY s.code LIMIT $5`

func list(ctx context.Context, tx *db.Tx, in *ListIn) (*web.Page[SupplierView], error) {
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	q := strings.ToLower(strings.TrimSpace(in.Q))
	like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
	rows := tx.Query(listSuppliers, after, in.State, q, like, in.Limit+1)
	defer rows.Close()
	found := []SupplierView{}
	for rows.Next() {
		var v SupplierView
		if err := rows.Scan(&v.ID, &v.Code, &v.Name, &v.Contact, &v.Phone, &v.Address, &v.State, &v.Revision, &v.Products); err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return web.PageOf(in.Paging, found, func(v SupplierView) string { return web.Cursor(v.Code) }), rows.Err()
}

const (
	termsOfSupplier = termsColumns + `WHERE t.supplier_id = $1 AND t.product_id > $2 ORDER BY t.product_id LIMIT $3`
	termsOfProduct  = termsColumns + `WHERE t.product_id = $1 AND t.supplier_id > $2 ORDER BY t.supplier_id LIMIT $3`
)

func (s *Service) terms(ctx context.Context, tx *db.Tx, in *struct {
	web.Paging
	ID id.ID `path:"id"`
}) (*web.Page[TermsView], error) {
	if _, err := supplierByID(tx, in.ID); err != nil {
		return nil, err
	}
	return s.page(tx, in.Paging, termsOfSupplier, in.ID, func(v TermsView) string { return web.Cursor(v.ProductID) })
}

func (s *Service) offers(ctx context.Context, tx *db.Tx, in *struct {
	web.Paging
	ProductID id.ID `query:"product_id" required:"true"`
}) (*web.Page[TermsView], error) {
	return s.page(tx, in.Paging, termsOfProduct, in.ProductID, func(v TermsView) string { return web.Cursor(v.SupplierID) })
}

func (s *Service) page(tx *db.Tx, p web.Paging, question string, of id.ID, cursor func(TermsView) string) (*web.Page[TermsView], error) {
	var after id.ID
	if _, err := p.Seek(&after); err != nil {
		return nil, err
	}
	all, err := gatherTerms(tx.Query(question, of, after, p.Limit+1))
	if err != nil {
		return nil, err
	}
	views, err := s.views(tx, all)
	if err != nil {
		return nil, err
	}
	return web.PageOf(p, views, cursor), nil
}

func (s *Service) views(tx *db.Tx, all []Terms) ([]TermsView, error) {
	products, suppliers := make([]id.ID, len(all)), make([]id.ID, len(all))
	for i, t := range all {
		products[i], suppliers[i] = t.Product, t.Supplier
	}
	goods, err := s.goods.Goods(tx, products)
	if err != nil {
		return nil, err
	}
	names, err := Suppliers(tx, suppliers)
	if err != nil {
		return nil, err
	}
	views := make([]TermsView, len(all))
	for i, t := range all {
		g, p := goods[t.Product], names[t.Supplier]
		views[i] = TermsView{t.Supplier, p.Code, p.Name, t.Product, g.Code, g.Name, t.Pack, t.Unit.Name, t.Price, t.MinPacks, t.Class, t.LeadHours,
			t.Days.String(), fmt.Sprintf("%02d:%02d", t.CutOff/60, t.CutOff%60)}
	}
	return views, nil
}

func (s *Service) put(ctx context.Context, tx *db.Tx, in *struct {
	ID        id.ID `path:"id"`
	ProductID id.ID `path:"product_id"`
	Body      TermsIn
}) (*TermsView, error) {
	if _, err := supplierByID(tx, in.ID); err != nil {
		return nil, err
	}
	goods, err := s.goods.Goods(tx, []id.ID{in.ProductID})
	if err != nil {
		return nil, err
	}
	g, ok := goods[in.ProductID]
	if !ok {
		return nil, ErrProduct
	}
	b := in.Body
	t := Terms{Supplier: in.ID, Product: in.ProductID, Pack: b.PackQty, Price: b.PriceFen4, MinPacks: b.MinPacks, Class: b.LeadClass, LeadHours: b.LeadH, CutOff: EndOfDay}
	if t.MinPacks == 0 {
		t.MinPacks = 1
	}
	if b.Unit == "" {
		b.Unit = g.BaseUnit
	}
	for _, u := range g.Units {
		if u.Name == b.Unit {
			t.Unit = u
		}
	}
	if t.Unit.Name == "" {
		return nil, ErrUnit.With("product", g.Name, "unit", b.Unit).At("unit")
	}
	if t.Days, err = ParseOrderDays(b.OrderDays); err != nil {
		return nil, errs.As(err).At("order_days")
	}
	if b.CutOff != "" {
		if t.CutOff, err = ParseCutOff(b.CutOff); err != nil {
			return nil, errs.As(err).At("cut_off")
		}
	}
	var staff id.ID
	if c := web.CallerOf(ctx); c != nil {
		staff = c.Principal()
	}
	if err := PutTerms(tx, staff, []Terms{t}); err != nil {
		return nil, err
	}
	views, err := s.views(tx, []Terms{t})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}
