package org

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// Minutes is a time of day in minutes after midnight, written HH:MM; 24:00 is the end of the day.
type Minutes int

// ErrTimeOfDay refuses a time of day.
var ErrTimeOfDay = errs.Define("time_of_day_bad", errs.Invalid, "时间应写成 08:30 的样子", "Write the time like 08:30")

func (m Minutes) String() string { return fmt.Sprintf("%02d:%02d", int(m)/60, int(m)%60) }

func (m Minutes) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func (m *Minutes) UnmarshalText(b []byte) error {
	s := string(b)
	if len(s) != 5 || s[2] != ':' {
		return ErrTimeOfDay
	}
	h, err1 := strconv.ParseUint(s[:2], 10, 8)
	n, err2 := strconv.ParseUint(s[3:], 10, 8)
	if err1 != nil || err2 != nil || n > 59 || h > 24 || h == 24 && n > 0 {
		return ErrTimeOfDay
	}
	*m = Minutes(h*60 + n)
	return nil
}

// Site is a place that holds stock or sells.
type Site struct {
	ID       id.ID   `json:"id"`
	Code     string  `json:"code"`
	Name     string  `json:"name"`
	Kind     string  `json:"kind" enum:"store,warehouse,kitchen,mall,office"`
	Business string  `json:"business" doc:"kind of business, as in convenience or bakery"`
	Address  string  `json:"address"`
	TimeZone string  `json:"time_zone" doc:"as in Asia/Shanghai"`
	DayStart Minutes `json:"day_start" doc:"when the business day begins"`
	Open     Minutes `json:"open"`
	Close    Minutes `json:"close" doc:"earlier than open: closes after midnight"`
	EntityID id.ID   `json:"entity_id"`
}

var (
	ErrTimeZone  = errs.Define("time_zone_bad", errs.Invalid, "没有这个时区", "There is no such time zone")
	ErrSiteCode  = errs.Define("site_code_taken", errs.Conflict, "机构编码 {code} 已被使用", "The site code {code} is already in use")
	ErrDayStart  = errs.Define("day_start_bad", errs.Invalid, "营业日开始时间必须早于 24:00", "The business day must start before 24:00")
	ErrNoEntity  = errs.Define("entity_unknown", errs.Invalid, "没有这个法人", "There is no such legal entity")
	ErrTakenCode = errs.Define("entity_code_taken", errs.Conflict, "法人编码 {code} 已被使用", "The legal entity code {code} is already in use")
)

var zones sync.Map // name -> *time.Location; time zones never change while we run

// Location is the site's time zone. A site can't be stored with an unknown one.
func (s *Site) Location() *time.Location {
	if l, ok := zones.Load(s.TimeZone); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		l = time.UTC
	}
	zones.Store(s.TimeZone, l)
	return l
}

// BusinessDate is the business day that t belongs to at this site.
func (s *Site) BusinessDate(t time.Time) cal.Date {
	return cal.BusinessDate(t, s.Location(), time.Duration(s.DayStart)*time.Minute)
}

const siteColumns = `t.id, t.code, t.name, t.kind, t.business, t.address, t.time_zone, t.day_start, t.open_at, t.close_at, t.entity_id`

func scanSite(scan func(...any) error) (Site, error) {
	var s Site
	err := scan(&s.ID, &s.Code, &s.Name, &s.Kind, &s.Business, &s.Address, &s.TimeZone, &s.DayStart, &s.Open, &s.Close, &s.EntityID)
	return s, err
}

func scanSites(rows *db.Rows) ([]Site, error) {
	defer rows.Close()
	var all []Site
	for rows.Next() {
		s, err := scanSite(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// SiteByID reads a site, whoever asks; ErrNotFound when there is none. For a request use SiteFor.
func SiteByID(tx *db.Tx, site id.ID) (*Site, error) {
	s, err := scanSite(tx.QueryRow(`SELECT `+siteColumns+` FROM org_site t WHERE t.id = $1`, site).Scan)
	if err == db.ErrNoRow {
		return nil, ErrNotFound
	}
	return &s, err
}

// SiteByCode reads a site by its code, whoever asks (imports, first start).
func SiteByCode(tx *db.Tx, code string) (*Site, error) {
	s, err := scanSite(tx.QueryRow(`SELECT `+siteColumns+` FROM org_site t WHERE t.code = $1`, code).Scan)
	if err == db.ErrNoRow {
		return nil, ErrNotFound
	}
	return &s, err
}

// AllSites reads every site, ordered by code (nightly work, imports). An installation has at most
// some thousands.
func AllSites(tx *db.Tx) ([]Site, error) {
	return scanSites(tx.Query(`SELECT ` + siteColumns + ` FROM org_site t ORDER BY t.code`))
}

// SiteFields is what people write of a site.
type SiteFields struct {
	ID       id.ID   `json:"-"` // chosen ahead by an import, whose rows name the site before it is there; 0: a new one
	Code     string  `json:"code" minLength:"1" maxLength:"20" pattern:"^[A-Za-z0-9._-]+$"`
	Name     string  `json:"name" minLength:"1" maxLength:"80"`
	Kind     string  `json:"kind" enum:"store,warehouse,kitchen,mall,office"`
	Business string  `json:"business,omitempty" maxLength:"40"`
	Address  string  `json:"address,omitempty" maxLength:"200"`
	TimeZone string  `json:"time_zone,omitempty" maxLength:"60" default:"Asia/Shanghai"`
	DayStart Minutes `json:"day_start,omitempty" preset:"04:00"`
	Open     Minutes `json:"open,omitempty" preset:"08:00"`
	Close    Minutes `json:"close,omitempty" preset:"22:00"`
	EntityID id.ID   `json:"entity_id"`
}

func (f *SiteFields) check() error {
	if l, err := time.LoadLocation(f.TimeZone); err != nil || f.TimeZone == "Local" || l == nil {
		return ErrTimeZone.At("time_zone")
	}
	if f.DayStart >= 1440 {
		return ErrDayStart.At("day_start")
	}
	return nil
}

// CreateSite adds a site. The code is unique in the group.
func (s *Org) CreateSite(ctx context.Context, tx *db.Tx, f SiteFields) (*Site, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	if err := entityExists(tx, f.EntityID); err != nil {
		return nil, err
	}
	if f.ID == 0 {
		f.ID = id.New()
	}
	site := &Site{ID: f.ID, Code: f.Code, Name: f.Name, Kind: f.Kind, Business: f.Business, Address: f.Address,
		TimeZone: f.TimeZone, DayStart: f.DayStart, Open: f.Open, Close: f.Close, EntityID: f.EntityID}
	n, err := tx.ExecN(`
INSERT INTO org_site (id, code, name, kind, business, address, time_zone, day_start, open_at, close_at, entity_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (code) DO NOTHING`,
		site.ID, site.Code, site.Name, site.Kind, site.Business, site.Address, site.TimeZone, site.DayStart, site.Open,
		site.Close, site.EntityID, s.o.Wall.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrSiteCode.With("code", f.Code).At("code")
	}
	if err := keepReachOfSite(tx, site.ID); err != nil {
		return nil, err
	}
	return site, s.Audit(ctx, tx, "site.created", "site", site.ID, site.ID, nil, site)
}

func entityExists(tx *db.Tx, entity id.ID) error {
	var one int64
	err := tx.QueryRow(`SELECT 1 FROM org_entity WHERE id = $1`, entity).Scan(&one)
	if err == db.ErrNoRow {
		return ErrNoEntity.At("entity_id")
	}
	return err
}

type byID struct {
	ID id.ID `path:"id"`
}

func (s *Org) siteRoutes(api *web.API) {
	type list struct {
		web.Paging
		Q    string `query:"q" maxLength:"60" doc:"part of code or name"`
		Kind string `query:"kind" enum:"store,warehouse,kitchen,mall,office"`
	}
	web.Get(api, web.Route{Path: "/api/org/sites", Name: "list-sites", Summary: "Sites the caller may see", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *list) (*web.Page[Site], error) {
			var after string
			if _, err := in.Seek(&after); err != nil {
				return nil, err
			}
			args := append(SitesOf(ctx, "org.read").Args(), after, in.Q, like(in.Q), in.Kind, in.Limit+1)
			rows, err := scanSites(tx.Query(`SELECT `+siteColumns+` FROM org_site t
WHERE (CAST($1 AS BIGINT) = 1 OR t.id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
  AND t.code > $4
  AND (CAST($5 AS TEXT) = '' OR lower(t.code) LIKE $6 ESCAPE '!' OR lower(t.name) LIKE $6 ESCAPE '!')
  AND (CAST($7 AS TEXT) = '' OR t.kind = $7)
ORDER BY t.code LIMIT $8`, args...))
			if err != nil {
				return nil, err
			}
			return web.PageOf(in.Paging, rows, func(s Site) string { return web.Cursor(s.Code) }), nil
		})

	web.Get(api, web.Route{Path: "/api/org/sites/{id}", Name: "get-site", Summary: "One site", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *byID) (*Site, error) {
			if !SitesOf(ctx, "org.read").Has(in.ID) {
				return nil, ErrNotFound
			}
			return SiteByID(tx, in.ID)
		})

	type create struct{ Body SiteFields }
	web.Post(api, web.Route{Path: "/api/org/sites", Name: "create-site", Summary: "Add a site", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *create) (*Site, error) {
			own, err := s.ownPowers(ctx, tx)
			if err != nil {
				return nil, err
			}
			if !holds(own, power{"org.manage", "entity", in.Body.EntityID}, 0) {
				// Whether the entity exists is not told to one who may not use it.
				return nil, ErrNoEntity.At("entity_id")
			}
			return s.CreateSite(ctx, tx, in.Body)
		})

	type update struct {
		ID   id.ID `path:"id"`
		Body SiteFields
	}
	web.Put(api, web.Route{Path: "/api/org/sites/{id}", Name: "update-site", Summary: "Change a site", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *update) (*Site, error) {
			if !SitesOf(ctx, "org.manage").Has(in.ID) {
				return nil, ErrNotFound
			}
			return s.UpdateSite(ctx, tx, in.ID, in.Body)
		})
}

// UpdateSite replaces what is written of a site; the caller has looked whether it is within reach.
func (s *Org) UpdateSite(ctx context.Context, tx *db.Tx, site id.ID, f SiteFields) (*Site, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	before, err := SiteByID(tx, site)
	if err != nil {
		return nil, err
	}
	if f.EntityID != before.EntityID {
		own, err := s.ownPowers(ctx, tx)
		if err != nil {
			return nil, err
		}
		if !holds(own, power{"org.manage", "entity", f.EntityID}, 0) || !holds(own, power{"org.manage", "entity", before.EntityID}, 0) {
			return nil, ErrNoEntity.At("entity_id")
		}
		if err := entityExists(tx, f.EntityID); err != nil {
			return nil, err
		}
	}
	if f.Code != before.Code {
		if _, err := SiteByCode(tx, f.Code); err == nil {
			return nil, ErrSiteCode.With("code", f.Code).At("code")
		} else if err != ErrNotFound {
			return nil, err
		}
	}
	after := &Site{ID: site, Code: f.Code, Name: f.Name, Kind: f.Kind, Business: f.Business, Address: f.Address,
		TimeZone: f.TimeZone, DayStart: f.DayStart, Open: f.Open, Close: f.Close, EntityID: f.EntityID}
	err = tx.ExecExactly(1, ErrNotFound, `
UPDATE org_site SET code = $1, name = $2, kind = $3, business = $4, address = $5, time_zone = $6, day_start = $7,
  open_at = $8, close_at = $9, entity_id = $10
WHERE id = $11`,
		f.Code, f.Name, f.Kind, f.Business, f.Address, f.TimeZone, f.DayStart, f.Open, f.Close, f.EntityID, site)
	if err != nil {
		return nil, err
	}
	if err := keepReachOfSite(tx, site); err != nil {
		return nil, err
	}
	return after, s.Audit(ctx, tx, "site.changed", "site", site, site, before, after)
}
