package org

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// Person is a member of staff as the office sees him.
type Person struct {
	ID          id.ID   `json:"id"`
	Name        string  `json:"name" doc:"signs in with it; lower case"`
	DisplayName string  `json:"display_name"`
	SiteID      id.ID   `json:"site_id" doc:"where he belongs; empty for head office"`
	Disabled    bool    `json:"disabled"`
	Grants      []Grant `json:"grants"`
}

// Grant is a role over a scope. It holds for everything below: a group's entities and sites, an
// entity's sites.
type Grant struct {
	RoleID    id.ID  `json:"role_id"`
	ScopeKind string `json:"scope_kind" enum:"group,entity,site"`
	ScopeID   id.ID  `json:"scope_id,omitempty" doc:"id of the entity or site; may be left out for the group"`
}

var (
	ErrStaffName = errs.Define("staff_name_taken", errs.Conflict, "用户名 {name} 已被使用", "The name {name} is already in use")
	ErrNameForm  = errs.Define("staff_name_bad", errs.Invalid, "用户名用小写字母、数字、点或横线,2 到 40 位", "A name has 2 to 40 small letters, digits, dots or dashes")
	ErrScope     = errs.Define("scope_unknown", errs.Invalid, "没有这个范围", "There is no such scope")
	ErrOwnWay    = errs.Define("own_password", errs.Conflict, "改自己的密码请用“修改密码”,要先输入原密码", "To change your own password use “change password”, which asks for the present one")
	ErrSelf      = errs.Define("not_to_oneself", errs.Conflict, "不能停用自己", "You cannot disable yourself")
)

// People a caller may see: all for one who holds the permission over the group, else those who
// belong to one of his sites.
const peopleColumns = `f.id, f.name, f.display_name, COALESCE(f.site_id, 0), f.disabled, g.role_id, g.scope_kind, g.scope_id`

func scanPeople(rows *db.Rows) ([]Person, error) {
	defer rows.Close()
	var all []Person
	for rows.Next() {
		var p Person
		var role, scope *id.ID
		var kind *string
		if err := rows.Scan(&p.ID, &p.Name, &p.DisplayName, &p.SiteID, &p.Disabled, &role, &kind, &scope); err != nil {
			return nil, err
		}
		if n := len(all); n == 0 || all[n-1].ID != p.ID {
			p.Grants = []Grant{}
			all = append(all, p)
		}
		if role != nil {
			last := &all[len(all)-1]
			last.Grants = append(last.Grants, Grant{*role, *kind, *scope})
		}
	}
	return all, rows.Err()
}

// personFor reads a person within the caller's reach for perm.
func personFor(ctx context.Context, tx *db.Tx, perm string, staff id.ID) (*Person, error) {
	all, err := scanPeople(tx.Query(`
SELECT `+peopleColumns+` FROM org_staff f LEFT JOIN org_grant g ON g.staff_id = f.id
WHERE (CAST($1 AS BIGINT) = 1 OR f.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3)) AND f.id = $4
ORDER BY g.role_id, g.scope_id`, append(SitesOf(ctx, perm).Args(), staff)...))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return &all[0], nil
}

func (s *Org) staffRoutes(api *web.API) {
	type list struct {
		web.Paging
		Q      string `query:"q" maxLength:"60" doc:"part of a name"`
		SiteID id.ID  `query:"site_id"`
	}
	web.Get(api, web.Route{Path: "/api/org/staff", Name: "list-staff", Summary: "Staff of the sites the caller may see", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *list) (*web.Page[Person], error) {
			var after string
			if _, err := in.Seek(&after); err != nil {
				return nil, err
			}
			all, err := scanPeople(tx.Query(`
SELECT `+peopleColumns+`
FROM (SELECT p.id, p.name, p.display_name, p.site_id, p.disabled FROM org_staff p
  WHERE (CAST($1 AS BIGINT) = 1 OR p.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
    AND p.name > $4
    AND (CAST($5 AS TEXT) = '' OR p.name LIKE $6 ESCAPE '!' OR lower(p.display_name) LIKE $6 ESCAPE '!')
    AND (CAST($7 AS BIGINT) = 0 OR p.site_id = $7)
  ORDER BY p.name LIMIT $8) f
LEFT JOIN org_grant g ON g.staff_id = f.id
ORDER BY f.name, g.role_id, g.scope_id`, append(SitesOf(ctx, "org.read").Args(), after, in.Q, like(in.Q), in.SiteID, in.Limit+1)...))
			if err != nil {
				return nil, err
			}
			return web.PageOf(in.Paging, all, func(p Person) string { return web.Cursor(p.Name) }), nil
		})

	web.Get(api, web.Route{Path: "/api/org/staff/{id}", Name: "get-staff", Summary: "One member of staff with his grants", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *byID) (*Person, error) {
			return personFor(ctx, tx, "org.read", in.ID)
		})

	type create struct {
		Body struct {
			Name        string `json:"name" minLength:"2" maxLength:"40"`
			DisplayName string `json:"display_name" minLength:"1" maxLength:"40"`
			SiteID      id.ID  `json:"site_id,omitempty" doc:"where he belongs; empty for head office"`
			Password    string `json:"password" maxLength:"200"`
		}
	}
	web.Act(api, http.MethodPost, web.Route{Path: "/api/org/staff", Name: "create-staff", Summary: "Add a member of staff, without grants yet", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, d *db.DB, in *create) (*Person, error) {
			b := &in.Body
			b.Name = strings.ToLower(b.Name)
			if err := checkName(b.Name); err != nil {
				return nil, err
			}
			if err := CheckPassword(b.Name, b.Password); err != nil {
				return nil, errs.As(err).At("password")
			}
			if err := belongs(ctx, b.SiteID); err != nil {
				return nil, err
			}
			hash, err := s.gate.hash(ctx, b.Password)
			if err != nil {
				return nil, err
			}
			return web.Write(ctx, d, func(tx *db.Tx) (*Person, error) {
				return s.createStaff(ctx, tx, b.Name, b.DisplayName, b.SiteID, hash)
			})
		})

	type update struct {
		ID   id.ID `path:"id"`
		Body struct {
			DisplayName string `json:"display_name" minLength:"1" maxLength:"40"`
			SiteID      id.ID  `json:"site_id,omitempty"`
			Password    string `json:"password,omitempty" maxLength:"200" doc:"a new password; the person is signed out everywhere"`
		}
	}
	web.Act(api, http.MethodPut, web.Route{Path: "/api/org/staff/{id}", Name: "update-staff", Summary: "Change a member of staff", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, d *db.DB, in *update) (*Person, error) {
			var before *Person
			err := d.Read(ctx, func(tx *db.Tx) (err error) {
				before, err = personFor(ctx, tx, "org.manage", in.ID)
				return err
			})
			if err != nil {
				return nil, err
			}
			hash := ""
			if in.Body.Password != "" && in.ID == caller(ctx).ID {
				return nil, ErrOwnWay.At("password") // a stolen session must not get round the present password
			}
			if in.Body.Password != "" {
				if err := CheckPassword(before.Name, in.Body.Password); err != nil {
					return nil, errs.As(err).At("password")
				}
				if hash, err = s.gate.hash(ctx, in.Body.Password); err != nil {
					return nil, err
				}
			}
			return web.Write(ctx, d, func(tx *db.Tx) (*Person, error) {
				return s.updateStaff(ctx, tx, in.ID, in.Body.DisplayName, in.Body.SiteID, hash)
			})
		})

	type grants struct {
		ID   id.ID   `path:"id"`
		Body []Grant `maxItems:"50"`
	}
	web.Put(api, web.Route{Path: "/api/org/staff/{id}/grants", Name: "set-grants", Summary: "Replace what a member of staff may do", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *grants) (*Person, error) {
			return s.setGrants(ctx, tx, in.ID, in.Body)
		})

	type able struct {
		ID   id.ID `path:"id"`
		Body struct {
			Disabled bool `json:"disabled,omitempty" default:"true" doc:"false lets him in again"`
		}
	}
	web.Post(api, web.Route{Path: "/api/org/staff/{id}/disable", Name: "disable-staff", Summary: "Shut a member of staff out at once, or let him in again", Perm: "org.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *able) (*Person, error) {
			return s.setDisabled(ctx, tx, in.ID, in.Body.Disabled)
		})
}

func checkName(name string) error {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '.' || c == '-' || c == '_')) {
			return ErrNameForm.At("name")
		}
	}
	if len(name) < 2 || len(name) > 40 {
		return ErrNameForm.At("name")
	}
	return nil
}

// belongs tells whether the caller may place a person at the site; head office needs the permission
// over the group.
func belongs(ctx context.Context, site id.ID) error {
	at := SitesOf(ctx, "org.manage")
	if site == 0 && at.All {
		return nil
	}
	if _, err := SiteFor(ctx, "org.manage", site); err != nil {
		return errs.As(err).At("site_id")
	}
	return nil
}

// ownPowers is what the caller may hand out; everything for the installation itself.
func (s *Org) ownPowers(ctx context.Context, tx *db.Tx) ([]power, error) {
	c := caller(ctx)
	if c.system {
		var all []power
		for p := range s.perms {
			all = append(all, power{p, "group", 0})
		}
		return all, nil
	}
	return powersOf(tx, c.ID)
}

// dominates refuses unless the caller holds everything the person holds: otherwise a store manager
// could set the password of an administrator who belongs to his store, and become him.
func (s *Org) dominates(ctx context.Context, tx *db.Tx, staff id.ID) error {
	if caller(ctx).ID == staff {
		return nil
	}
	own, err := s.ownPowers(ctx, tx)
	if err != nil {
		return err
	}
	his, err := powersOf(tx, staff)
	if err != nil {
		return err
	}
	entityOf, err := entitiesOf(tx)
	if err != nil {
		return err
	}
	for _, p := range his {
		if !holds(own, p, entityOf[p.scope]) {
			return ErrOutranked
		}
	}
	return nil
}

// entitiesOf maps each site to its entity.
func entitiesOf(tx *db.Tx) (map[id.ID]id.ID, error) {
	rows := tx.Query(`SELECT id, entity_id FROM org_site`)
	defer rows.Close()
	m := map[id.ID]id.ID{}
	for rows.Next() {
		var site, entity id.ID
		if err := rows.Scan(&site, &entity); err != nil {
			return nil, err
		}
		m[site] = entity
	}
	return m, rows.Err()
}

func siteOrNull(site id.ID) any {
	if site == 0 {
		return nil
	}
	return site
}

func (s *Org) createStaff(ctx context.Context, tx *db.Tx, name, display string, site id.ID, hash string) (*Person, error) {
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	p := &Person{ID: id.New(), Name: name, DisplayName: display, SiteID: site, Grants: []Grant{}}
	n, err := tx.ExecN(`
INSERT INTO org_staff (id, name, display_name, lang, site_id, password, disabled, created_at) VALUES ($1, $2, $3, '', $4, $5, 0, $6)
ON CONFLICT (name) DO NOTHING`, p.ID, p.Name, p.DisplayName, siteOrNull(site), hash, s.o.Wall.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrStaffName.With("name", name).At("name")
	}
	return p, s.Audit(ctx, tx, "staff.created", "staff", p.ID, site, nil, p)
}

func (s *Org) updateStaff(ctx context.Context, tx *db.Tx, staff id.ID, display string, site id.ID, hash string) (*Person, error) {
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	before, err := personFor(ctx, tx, "org.manage", staff)
	if err != nil {
		return nil, err
	}
	if err := s.dominates(ctx, tx, staff); err != nil {
		return nil, err
	}
	if site != before.SiteID {
		if err := belongs(ctx, site); err != nil {
			return nil, err
		}
	}
	after := *before
	after.DisplayName, after.SiteID = display, site
	if err := tx.Exec(`UPDATE org_staff SET display_name = $1, site_id = $2 WHERE id = $3`, display, siteOrNull(site), staff); err != nil {
		return nil, err
	}
	act := "staff.changed"
	if hash != "" {
		act = "password.reset"
		if err := tx.Exec(`UPDATE org_staff SET password = $1 WHERE id = $2`, hash, staff); err != nil {
			return nil, err
		}
		if err := tx.Exec(`DELETE FROM org_session WHERE staff_id = $1`, staff); err != nil {
			return nil, err
		}
		if err := tx.Exec(`DELETE FROM org_try WHERE name_hash = $1`, nameHash(before.Name)); err != nil {
			return nil, err
		}
	}
	return &after, s.Audit(ctx, tx, act, "staff", staff, site, before, after)
}

// setGrants replaces a person's grants. Whoever adds or takes one must hold all that it allows over
// its whole scope, and the right to manage there.
func (s *Org) setGrants(ctx context.Context, tx *db.Tx, staff id.ID, want []Grant) (*Person, error) {
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	before, err := personFor(ctx, tx, "org.manage", staff)
	if err != nil {
		return nil, err
	}
	if err := s.dominates(ctx, tx, staff); err != nil {
		return nil, err
	}
	own, err := s.ownPowers(ctx, tx)
	if err != nil {
		return nil, err
	}
	entityOf, err := entitiesOf(tx)
	if err != nil {
		return nil, err
	}
	group, err := GroupOf(tx)
	if err != nil {
		return nil, err
	}
	var clean []Grant
	for i, g := range want {
		if g.ScopeKind == "group" {
			g.ScopeID = group.ID
		}
		if !slices.Contains(clean, g) {
			clean = append(clean, g)
		}
		if !slices.Contains(before.Grants, g) {
			if err := mayGrant(tx, own, entityOf, g); err != nil {
				return nil, atGrant(err, i)
			}
		}
	}
	for _, g := range before.Grants {
		if !slices.Contains(clean, g) {
			if err := mayGrant(tx, own, entityOf, g); err != nil {
				return nil, err
			}
		}
	}
	if err := tx.Exec(`DELETE FROM org_grant WHERE staff_id = $1`, staff); err != nil {
		return nil, err
	}
	for _, g := range clean {
		if err := tx.Exec(`INSERT INTO org_grant (staff_id, role_id, scope_kind, scope_id) VALUES ($1, $2, $3, $4)`, staff, g.RoleID, g.ScopeKind, g.ScopeID); err != nil {
			return nil, err
		}
	}
	if err := keepReach(tx, staff); err != nil {
		return nil, err
	}
	if err := oneAdministrator(tx); err != nil {
		return nil, err
	}
	after, err := personFor(ctx, tx, "org.manage", staff)
	if err != nil {
		return nil, err
	}
	return after, s.Audit(ctx, tx, "grants.changed", "staff", staff, before.SiteID, before.Grants, after.Grants)
}

// mayGrant checks one grant that is added or taken. A scope or role out of reach looks as if it
// were not there.
func mayGrant(tx *db.Tx, own []power, entityOf map[id.ID]id.ID, g Grant) error {
	if g.ScopeKind == "site" && entityOf[g.ScopeID] == 0 {
		return ErrScope
	}
	if !holds(own, power{"org.manage", g.ScopeKind, g.ScopeID}, entityOf[g.ScopeID]) {
		return ErrScope
	}
	if g.ScopeKind == "entity" {
		if err := entityExists(tx, g.ScopeID); err != nil {
			return ErrScope
		}
	}
	role, err := roleByID(tx, g.RoleID)
	if err == ErrNotFound {
		return ErrNoRole
	}
	if err != nil {
		return err
	}
	for _, p := range role.Permissions {
		if !holds(own, power{p, g.ScopeKind, g.ScopeID}, entityOf[g.ScopeID]) {
			return ErrMoreThanOwn.With("perm", p)
		}
	}
	return nil
}

func atGrant(err error, i int) error {
	e := errs.As(err)
	if e.Kind == errs.Internal {
		return err
	}
	field := "scope_id"
	if e.Code == ErrNoRole.Code || e.Code == ErrMoreThanOwn.Code {
		field = "role_id"
	}
	return e.At("[" + strconv.Itoa(i) + "]." + field)
}

func (s *Org) setDisabled(ctx context.Context, tx *db.Tx, staff id.ID, disabled bool) (*Person, error) {
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	before, err := personFor(ctx, tx, "org.manage", staff)
	if err != nil {
		return nil, err
	}
	if disabled && staff == caller(ctx).ID {
		return nil, ErrSelf
	}
	if err := s.dominates(ctx, tx, staff); err != nil {
		return nil, err
	}
	if err := tx.Exec(`UPDATE org_staff SET disabled = $1 WHERE id = $2`, disabled, staff); err != nil {
		return nil, err
	}
	if err := tx.Exec(`DELETE FROM org_session WHERE staff_id = $1`, staff); err != nil {
		return nil, err
	}
	if err := keepReach(tx, staff); err != nil {
		return nil, err
	}
	if err := oneAdministrator(tx); err != nil {
		return nil, err
	}
	after := *before
	after.Disabled = disabled
	act := "staff.disabled"
	if !disabled {
		act = "staff.enabled"
	}
	return &after, s.Audit(ctx, tx, act, "staff", staff, before.SiteID, before, after)
}

// oneAdministrator refuses a change that leaves nobody with every right over the group. Changes of
// the organisation hold its lock, so two of them can't each remove the other's last one.
func oneAdministrator(tx *db.Tx) error {
	var n int64
	err := tx.QueryRow(`
SELECT COUNT(*) FROM org_staff f JOIN org_grant g ON g.staff_id = f.id JOIN org_role r ON r.id = g.role_id
WHERE f.disabled = 0 AND g.scope_kind = 'group' AND r.built_in = $1`, Administrator).Scan(&n)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrLastAdmin
	}
	return nil
}

var staffNames = db.NewMany(`SELECT id, display_name FROM org_staff WHERE id IN (`, `?`, `)`)

// StaffNames are the names by which people are shown; whoever is not there has none.
func StaffNames(tx *db.Tx, people ...id.ID) (map[id.ID]string, error) {
	var args []any
	for _, p := range people {
		if p != 0 && !slices.Contains(args, any(int64(p))) {
			args = append(args, int64(p))
		}
	}
	names := map[id.ID]string{}
	rows := tx.QueryMany(staffNames, args...)
	for rows.Next() {
		var who id.ID
		var name string
		if err := rows.Scan(&who, &name); err != nil {
			return nil, err
		}
		names[who] = name
	}
	return names, rows.Err()
}
