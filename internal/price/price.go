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
	ErrDateTime = errs.Define("price_instant_bad", errs.Invalid, "生效时刻必须在生效日期当天,并且还没有过去", "The instant must lie on the date, and not in the past")
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
	Document  id.ID // 0: set without one
}

// Draft is a price to be set: of one unit of a product, at a site or (Site 0) in the whole group.
type Draft struct {
	ProductID id.ID
	Unit      string
	SiteID    id.ID
	ValidFrom cal.Date // "" is today
	Price     *money.Fen
	ValidAt   time.Time // on that date; zero: from its beginning
	Document  id.ID     // 0: none
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
	if d.ValidFrom, err = startOf(tx, d.SiteID, d.ValidFrom, d.ValidAt); err != nil {
		return nil, err
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
	e := &Entry{ID: id.New(), ProductID: p.ID, UnitID: u.ID, SiteID: d.SiteID, ValidFrom: d.ValidFrom, Price: d.Price, StaffID: author, CreatedAt: tx.Now(), Document: d.Document}
	err = tx.Exec(`INSERT INTO price_entry (id, product_id, unit_id, site_id, valid_from, price_fen, staff_id, created_at, version, document_id, valid_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, e.ID, e.ProductID, e.UnitID, orNull(e.SiteID), e.ValidFrom, e.Price, e.StaffID, e.CreatedAt, version, orNull(e.Document), msOf(d.ValidAt))
	if err != nil {
		return nil, err
	}
	return e, outbox.Emit(tx, outbox.Event{Type: Changed, Subject: p.ID, Site: d.SiteID, Body: ChangedBody{e.ID, e.ProductID, e.UnitID, e.SiteID, e.ValidFrom, e.Price}})
}

// startOf reads from when a price is to hold: a date, today when left out, and perhaps an instant on it.
func startOf(tx *db.Tx, site id.ID, from cal.Date, at time.Time) (cal.Date, error) {
	today, of := earliestToday(tx.Now()), time.UTC
	if site != 0 {
		s, err := org.SiteByID(tx, site)
		if err != nil {
			return "", errs.As(err).At("site_id")
		}
		today, of = s.BusinessDate(tx.Now()), s.Location()
	}
	if from == "" {
		from = today
		if site == 0 {
			from = cal.On(tx.Now())
		}
	}
	switch {
	case !from.Valid():
		return "", ErrDate.At("valid_from")
	case from < today:
		return "", ErrDatePast.With("first", today).At("valid_from")
	case from > today.AddDays(3*366):
		return "", ErrDateFar.With("last", today.AddDays(3*366)).At("valid_from")
	case at.IsZero():
		return from, nil
	}
	// A business date begins and ends some hours after midnight; that of the whole group depends on the place.
	slack := 30 * time.Hour
	midnight := from.Time()
	if start := time.Date(midnight.Year(), midnight.Month(), midnight.Day(), 0, 0, 0, 0, of); at.Before(tx.Now()) || at.Before(start.Add(-slack/2)) || at.After(start.Add(24*time.Hour+slack/2)) {
		return "", ErrDateTime.At("valid_at")
	}
	return from, nil
}

func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
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
			e, err := s.Set(tx, org.CallerOf(ctx).ID, Draft{ProductID: in.Body.ProductID, Unit: in.Body.Unit, SiteID: in.Body.SiteID, ValidFrom: in.Body.ValidFrom, Price: in.Body.PriceFen})
			if err != nil {
				return nil, err
			}
			v := viewOf(*e, in.Body.Unit)
			return &v, nil
		})
	s.documentRoutes(api)
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

	DocumentID id.ID      `json:"document_id" doc:"the price change that set it; empty: none"`
	DocumentNo string     `json:"document_no"`
	ValidAt    *time.Time `json:"valid_at" doc:"the instant of the date; null: from its beginning"`
	Withdrawn  bool       `json:"withdrawn" doc:"with its document, before it began"`
}

func viewOf(e Entry, unit string) EntryView {
	return EntryView{ID: e.ID, ProductID: e.ProductID, Unit: unit, SiteID: e.SiteID, ValidFrom: e.ValidFrom, PriceFen: e.Price, StaffID: e.StaffID, CreatedAt: e.CreatedAt, DocumentID: e.Document}
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
	rows := tx.Query(`SELECT e.id, e.product_id, u.name, e.unit_id, COALESCE(e.site_id, 0), e.valid_from, e.price_fen, e.staff_id, e.created_at,
			COALESCE(e.document_id, 0), COALESCE(d.day, ''), COALESCE(d.day_no, 0), e.valid_at, e.withdrawn
		FROM price_entry e JOIN catalog_unit u ON u.id = e.unit_id LEFT JOIN price_document d ON d.id = e.document_id
		WHERE (e.site_id IS NULL OR CAST($1 AS BIGINT) = 1 OR e.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
			AND e.product_id = $4 AND e.id < $5 AND (CAST($6 AS BIGINT) = 0 OR e.site_id IS NULL OR e.site_id = $6)
		ORDER BY e.id DESC LIMIT $7`, args...)
	defer rows.Close()
	var views []EntryView
	for rows.Next() {
		var e Entry
		var unit string
		var day cal.Date
		var no, at int64
		var withdrawn bool
		if err := rows.Scan(&e.ID, &e.ProductID, &unit, &e.UnitID, &e.SiteID, &e.ValidFrom, &e.Price, &e.StaffID, &e.CreatedAt, &e.Document, &day, &no, &at, &withdrawn); err != nil {
			return nil, err
		}
		v := viewOf(e, unit)
		v.Withdrawn, v.ValidAt = withdrawn, instant(at)
		if e.Document != 0 {
			v.DocumentNo = number(day, no)
		}
		views = append(views, v)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return web.PageOf(in.Paging, views, func(v EntryView) string { return web.Cursor(v.ID) }), nil
}
