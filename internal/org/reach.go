package org

import (
	"context"
	"slices"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// Staff is a signed-in person with what he may do where, as of at most a second ago. It is shared
// between requests and never changed.
type Staff struct {
	ID          id.ID
	Name        string
	DisplayName string
	Lang        string
	reach       map[string]Sites
	book        *book
	system      bool
}

// book is all sites at one version of the organisation.
type book struct {
	version int64
	group   Group
	sites   map[id.ID]*Site
	byCode  []*Site
}

// Sites are the sites at which a person holds one permission.
type Sites struct {
	All   bool // the whole group
	staff id.ID
	perm  string
	ids   map[id.ID]struct{}
}

// Has tells whether the permission holds at the site.
func (s Sites) Has(site id.ID) bool {
	if s.All {
		return true
	}
	_, ok := s.ids[site]
	return ok
}

// None tells that the permission holds nowhere.
func (s Sites) None() bool { return !s.All && len(s.ids) == 0 }

// IDs are the sites in rising order; nil when All.
func (s Sites) IDs() []id.ID {
	if s.All {
		return nil
	}
	ids := make([]id.ID, 0, len(s.ids))
	for i := range s.ids {
		ids = append(ids, i)
	}
	slices.Sort(ids)
	return ids
}

// Args are the three values for a list's filter:
//
//	(CAST($1 AS BIGINT) = 1 OR x.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
func (s Sites) Args() []any {
	all := int64(0)
	if s.All {
		all = 1
	}
	return []any{all, int64(s.staff), s.perm}
}

// CallerOf is the signed-in person, nil without one.
func CallerOf(ctx context.Context) *Staff {
	c, _ := web.CallerOf(ctx).(*Staff)
	return c
}

// WithSystem is a context that may everything everywhere, for what the installation does by itself
// (first start, command line, nightly jobs). The audit trail names no person for it.
func WithSystem(ctx context.Context) context.Context {
	return web.WithCaller(ctx, &Staff{Name: "system", system: true})
}

// SitesOf is where the caller holds perm; nowhere for a caller who is not signed in.
func SitesOf(ctx context.Context, perm string) Sites {
	c := CallerOf(ctx)
	if c == nil {
		return Sites{perm: perm}
	}
	return c.Sites(perm)
}

// Sites is where the person holds perm.
func (p *Staff) Sites(perm string) Sites {
	if p.system {
		return Sites{All: true, perm: perm}
	}
	if s, ok := p.reach[perm]; ok {
		return s
	}
	return Sites{staff: p.ID, perm: perm}
}

// The four methods of web.Caller.

func (p *Staff) Principal() id.ID { return p.ID }

func (p *Staff) Language() string { return p.Lang }

func (p *Staff) May(perm string) bool { return !p.Sites(perm).None() }

func (p *Staff) MayAll(perm string) bool { return p.Sites(perm).All }

func (p *Staff) MayAt(perm string, site id.ID) bool { return p.Sites(perm).Has(site) }

// SiteFor is the site if the caller holds perm there, else ErrNotFound: whether a foreign site
// exists is nobody's business. It asks no database: the caller carries the sites of at most a second ago.
func SiteFor(ctx context.Context, perm string, site id.ID) (*Site, error) {
	c := CallerOf(ctx)
	if c == nil || c.book == nil || !c.MayAt(perm, site) {
		return nil, ErrNotFound
	}
	s := c.book.sites[site]
	if s == nil {
		return nil, ErrNotFound
	}
	return s, nil
}

const reachOfStaff = `
INSERT INTO org_reach (staff_id, perm, site_id)
SELECT g.staff_id, p.perm, t.id
FROM org_grant g
JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
JOIN org_role_perm p ON p.role_id = g.role_id
JOIN org_site t ON (g.scope_kind = 'site' AND t.id = g.scope_id) OR (g.scope_kind = 'entity' AND t.entity_id = g.scope_id)
WHERE g.staff_id = $1
UNION
SELECT g.staff_id, p.perm, 0
FROM org_grant g
JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
JOIN org_role_perm p ON p.role_id = g.role_id
WHERE g.scope_kind = 'group' AND g.staff_id = $1`

// keepReach writes a person's reach again after his grants or state changed.
func keepReach(tx *db.Tx, staff id.ID) error {
	if err := tx.Exec(`DELETE FROM org_reach WHERE staff_id = $1`, staff); err != nil {
		return err
	}
	return tx.Exec(reachOfStaff, staff)
}

// keepReachOfRole writes the reach of everybody with the role again after its permissions changed.
func keepReachOfRole(tx *db.Tx, role id.ID) error {
	if err := tx.Exec(`DELETE FROM org_reach WHERE staff_id IN (SELECT staff_id FROM org_grant WHERE role_id = $1)`, role); err != nil {
		return err
	}
	return tx.Exec(`
INSERT INTO org_reach (staff_id, perm, site_id)
SELECT g.staff_id, p.perm, t.id
FROM org_grant g
JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
JOIN org_role_perm p ON p.role_id = g.role_id
JOIN org_site t ON (g.scope_kind = 'site' AND t.id = g.scope_id) OR (g.scope_kind = 'entity' AND t.entity_id = g.scope_id)
WHERE g.staff_id IN (SELECT staff_id FROM org_grant WHERE role_id = $1)
UNION
SELECT g.staff_id, p.perm, 0
FROM org_grant g
JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
JOIN org_role_perm p ON p.role_id = g.role_id
WHERE g.scope_kind = 'group' AND g.staff_id IN (SELECT staff_id FROM org_grant WHERE role_id = $1)`, role)
}

// keepReachOfSite writes who reaches a site through its entity, after the site came or moved.
func keepReachOfSite(tx *db.Tx, site id.ID) error {
	if err := tx.Exec(`DELETE FROM org_reach WHERE site_id = $1`, site); err != nil {
		return err
	}
	return tx.Exec(`
INSERT INTO org_reach (staff_id, perm, site_id)
SELECT DISTINCT g.staff_id, p.perm, t.id
FROM org_site t
JOIN org_grant g ON (g.scope_kind = 'site' AND g.scope_id = t.id) OR (g.scope_kind = 'entity' AND g.scope_id = t.entity_id)
JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
JOIN org_role_perm p ON p.role_id = g.role_id
WHERE t.id = $1`, site)
}

// Segregation of duties.
var (
	ErrMoreThanOwn = errs.Define("grant_beyond_own", errs.Forbidden, "不能授予自己没有的权限:{perm}", "You cannot grant a right that you do not hold: {perm}")
	ErrOutranked   = errs.Define("staff_outranks", errs.Forbidden, "对方拥有您没有的权限,不能由您修改", "This person holds rights that you do not; you cannot change them")
	ErrLastAdmin   = errs.Define("last_administrator", errs.Conflict, "至少要保留一位管理员", "There must be at least one administrator")
)

// power is one permission over one scope.
type power struct {
	perm  string
	kind  string
	scope id.ID
}

// powersOf reads what a person's grants allow, as they are in this transaction: the cached reach may
// be a second old, and who hands out rights must hold them now.
func powersOf(tx *db.Tx, staff id.ID) ([]power, error) {
	rows := tx.Query(`
SELECT DISTINCT p.perm, g.scope_kind, g.scope_id
FROM org_grant g
JOIN org_staff f ON f.id = g.staff_id AND f.disabled = 0
JOIN org_role_perm p ON p.role_id = g.role_id
WHERE g.staff_id = $1
ORDER BY p.perm, g.scope_kind, g.scope_id`, staff)
	defer rows.Close()
	var all []power
	for rows.Next() {
		var p power
		if err := rows.Scan(&p.perm, &p.kind, &p.scope); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// holds tells whether own covers p: the same permission over the group, over the entity, or over
// the very scope. entityOf is the entity of a site scope.
func holds(own []power, p power, entityOf id.ID) bool {
	return slices.ContainsFunc(own, func(o power) bool {
		if o.perm != p.perm {
			return false
		}
		switch o.kind {
		case "group":
			return true
		case "entity":
			return p.kind == "entity" && o.scope == p.scope || p.kind == "site" && o.scope == entityOf
		}
		return p.kind == "site" && o.scope == p.scope
	})
}
