// Package price keeps the price book: what one sales unit costs at a site from a date on. Entries are only
// ever added; a sale keeps the price it was made at, so no entry alters the past.
package price

import (
	"context"
	"embed"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/web"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "price", FS: files}

// MaxPrice bounds the price of one sales unit: ten million yuan.
const MaxPrice money.Fen = 1_000_000_000

var (
	ErrNoPrice  = errs.Define("price_missing", errs.Conflict, "“{product}”({unit})在本机构没有售价", "{product} ({unit}) has no price at this site")
	ErrPrice    = errs.Define("price_bad", errs.Invalid, "售价应在 0 到 1000 万元之间", "The price must be from 0 to 10,000,000 yuan")
	ErrDatePast = errs.Define("price_date_past", errs.Invalid, "售价最早从 {first} 起生效", "A price can be valid from {first} at the earliest")
	ErrDateFar  = errs.Define("price_date_far", errs.Invalid, "售价最晚到 {last} 起生效", "A price can be valid from {last} at the latest")
	ErrDate     = errs.Define("price_date_bad", errs.Invalid, "日期格式应为 年-月-日", "The date must be written YYYY-MM-DD")
	ErrNothing  = errs.Define("price_nothing_to_end", errs.Conflict, "没有可以结束的售价", "There is no price to end")
)

// Changed says that an entry was added to the price book.
const Changed = "price.changed.v1"

// ChangedBody is the body of Changed. SiteID is empty for the whole group.
type ChangedBody struct {
	EntryID   id.ID      `json:"entry_id"`
	ProductID id.ID      `json:"product_id"`
	UnitID    id.ID      `json:"unit_id"`
	SiteID    id.ID      `json:"site_id"`
	ValidFrom cal.Date   `json:"valid_from"`
	PriceFen  *money.Fen `json:"price_fen"`
}

// Service serves the price book.
type Service struct {
	goods *catalog.Service
	book  book
}

// New returns the service. Run keeps its copy of the book fresh.
func New(d *db.DB, goods *catalog.Service) *Service {
	s := &Service{goods: goods}
	s.book.db = d
	return s
}

// Entry is one version of a price.
type Entry struct {
	ID        id.ID
	ProductID id.ID
	UnitID    id.ID
	SiteID    id.ID // 0: the whole group
	ValidFrom cal.Date
	Price     *money.Fen // nil ends the price
	StaffID   id.ID
	CreatedAt time.Time
}

// Draft is a price to be set: of one unit of a product, at a site or (Site 0) in the whole group.
type Draft struct {
	ProductID id.ID
	Unit      string
	SiteID    id.ID
	ValidFrom cal.Date // "" is today
	Price     *money.Fen
}

// Set adds a version to the price book. It must be valid from today (the site's business date) or later; of
// two entries with the same date the one added later wins.
func (s *Service) Set(tx *db.Tx, author id.ID, d Draft) (*Entry, error) {
	products, err := s.goods.Products(tx, []id.ID{d.ProductID})
	if err != nil {
		return nil, err
	}
	p := products[d.ProductID]
	if p == nil {
		return nil, catalog.ErrNoProduct.At("product_id")
	}
	u := p.Unit(d.Unit)
	if u == nil || u.Retired {
		return nil, catalog.ErrNoUnit.With("product", p.Name, "unit", d.Unit).At("unit")
	}
	if d.Price != nil && (*d.Price < 0 || *d.Price > MaxPrice) {
		return nil, ErrPrice.At("price_fen")
	}
	today := earliestToday(tx.Now())
	if d.SiteID != 0 {
		site, err := org.SiteByID(tx, d.SiteID)
		if err != nil {
			return nil, errs.As(err).At("site_id")
		}
		today = site.BusinessDate(tx.Now())
	}
	if d.ValidFrom == "" {
		d.ValidFrom = today
		if d.SiteID == 0 {
			d.ValidFrom = cal.On(tx.Now())
		}
	}
	switch {
	case !d.ValidFrom.Valid():
		return nil, ErrDate.At("valid_from")
	case d.ValidFrom < today:
		return nil, ErrDatePast.With("first", today).At("valid_from")
	case d.ValidFrom > today.AddDays(3*366):
		return nil, ErrDateFar.With("last", today.AddDays(3*366)).At("valid_from")
	}
	if d.Price == nil {
		var n int64
		err := tx.QueryRow(`SELECT COUNT(*) FROM price_entry WHERE unit_id = $1 AND COALESCE(site_id, 0) = $2`, u.ID, d.SiteID).Scan(&n)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, ErrNothing.At("price_fen")
		}
	}
	version, err := s.book.bump(tx)
	if err != nil {
		return nil, err
	}
	e := &Entry{ID: id.New(), ProductID: p.ID, UnitID: u.ID, SiteID: d.SiteID, ValidFrom: d.ValidFrom, Price: d.Price, StaffID: author, CreatedAt: tx.Now()}
	err = tx.Exec(`INSERT INTO price_entry (id, product_id, unit_id, site_id, valid_from, price_fen, staff_id, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, e.ID, e.ProductID, e.UnitID, orNull(e.SiteID), e.ValidFrom, e.Price, e.StaffID, e.CreatedAt, version)
	if err != nil {
		return nil, err
	}
	return e, outbox.Emit(tx, outbox.Event{Type: Changed, Subject: p.ID, Site: d.SiteID, Body: ChangedBody{e.ID, e.ProductID, e.UnitID, e.SiteID, e.ValidFrom, e.Price}})
}

// earliestToday is the earliest date that any site, in any time zone, can still call today.
func earliestToday(now time.Time) cal.Date { return cal.On(now.Add(-16 * time.Hour)) }

func orNull(v id.ID) *id.ID {
	if v == 0 {
		return nil
	}
	return &v
}

// Routes registers the routes of prices.
func (s *Service) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/prices", Name: "list-prices", Summary: "Versions of a product's prices, newest first", Perm: "goods.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *ListIn) (*web.Page[EntryView], error) {
			return s.list(ctx, tx, in)
		})
	web.Post(api, web.Route{Path: "/api/prices", Name: "set-price", Summary: "Set a price from a date on, at a site or in the whole group", Perm: "price.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body SetIn }) (*EntryView, error) {
			reach := org.SitesOf(ctx, "price.manage")
			if in.Body.SiteID == 0 && !reach.All || in.Body.SiteID != 0 && !reach.Has(in.Body.SiteID) {
				return nil, org.ErrNotFound.At("site_id")
			}
			e, err := s.Set(tx, org.CallerOf(ctx).ID, Draft{in.Body.ProductID, in.Body.Unit, in.Body.SiteID, in.Body.ValidFrom, in.Body.PriceFen})
			if err != nil {
				return nil, err
			}
			v := viewOf(*e, in.Body.Unit)
			return &v, nil
		})
}

// SetIn is the body of set-price.
type SetIn struct {
	ProductID id.ID      `json:"product_id"`
	Unit      string     `json:"unit" maxLength:"20"`
	SiteID    id.ID      `json:"site_id,omitempty" doc:"empty: the whole group"`
	ValidFrom cal.Date   `json:"valid_from,omitempty" doc:"business date; today when left out"`
	PriceFen  *money.Fen `json:"price_fen" doc:"for one unit, VAT included; null ends the price"`
}

// EntryView is a version of a price on the wire.
type EntryView struct {
	ID        id.ID      `json:"id"`
	ProductID id.ID      `json:"product_id"`
	Unit      string     `json:"unit"`
	SiteID    id.ID      `json:"site_id" doc:"empty: the whole group"`
	ValidFrom cal.Date   `json:"valid_from"`
	PriceFen  *money.Fen `json:"price_fen" doc:"null: ends the price"`
	StaffID   id.ID      `json:"staff_id"`
	CreatedAt time.Time  `json:"created_at"`
}

func viewOf(e Entry, unit string) EntryView {
	return EntryView{e.ID, e.ProductID, unit, e.SiteID, e.ValidFrom, e.Price, e.StaffID, e.CreatedAt}
}

// ListIn is the input of list-prices.
type ListIn struct {
	web.Paging
	ProductID id.ID `query:"product_id" required:"true"`
	SiteID    id.ID `query:"site_id" doc:"only this site and the group"`
}

func (s *Service) list(ctx context.Context, tx *db.Tx, in *ListIn) (*web.Page[EntryView], error) {
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	reach := org.SitesOf(ctx, "goods.read")
	if in.SiteID != 0 && !reach.Has(in.SiteID) {
		return nil, org.ErrNotFound.At("site_id")
	}
	args := append(reach.Args(), in.ProductID, before, in.SiteID, in.Limit+1)
	rows := tx.Query(`SELECT e.id, e.product_id, u.name, e.unit_id, COALESCE(e.site_id, 0), e.valid_from, e.price_fen, e.staff_id, e.created_at
		FROM price_entry e JOIN catalog_unit u ON u.id = e.unit_id
		WHERE (e.site_id IS NULL OR CAST($1 AS BIGINT) = 1 OR e.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
			AND e.product_id = $4 AND e.id < $5 AND (CAST($6 AS BIGINT) = 0 OR e.site_id IS NULL OR e.site_id = $6)
		ORDER BY e.id DESC LIMIT $7`, args...)
	defer rows.Close()
	var views []EntryView
	for rows.Next() {
		var e Entry
		var unit string
		if err := rows.Scan(&e.ID, &e.ProductID, &unit, &e.UnitID, &e.SiteID, &e.ValidFrom, &e.Price, &e.StaffID, &e.CreatedAt); err != nil {
			return nil, err
		}
		views = append(views, viewOf(e, unit))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return web.PageOf(in.Paging, views, func(v EntryView) string { return web.Cursor(v.ID) }), nil
}
