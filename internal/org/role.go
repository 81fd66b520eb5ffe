package org

import (
	"context"
	"slices"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// Administrator is the built-in role that has every permission.
const Administrator = "administrator"

// Role is a set of permissions.
type Role struct {
	ID          id.ID    `json:"id"`
	Name        string   `json:"name"`
	Note        string   `json:"note"`
	BuiltIn     string   `json:"built_in" doc:"set for a role that comes with the program and can't be changed"`
	Permissions []string `json:"permissions"`
}

var (
	ErrRoleName    = errs.Define("role_name_taken", errs.Conflict, "已有名为“{name}”的角色", "There is already a role named {name}")
	ErrRoleBuiltIn = errs.Define("role_built_in", errs.Conflict, "系统自带的角色不能修改,可以另建一个", "A built-in role cannot be changed; make another one instead")
	ErrPermission  = errs.Define("permission_unknown", errs.Invalid, "没有这项权限:{perm}", "There is no such permission: {perm}")
	ErrNoRole      = errs.Define("role_unknown", errs.Invalid, "没有这个角色", "There is no such role")
)

// RoleFields is what people write of a role.
type RoleFields struct {
	Name        string   `json:"name" minLength:"1" maxLength:"40"`
	Note        string   `json:"note,omitempty" maxLength:"200"`
	Permissions []string `json:"permissions" maxItems:"64"`
}

// roles reads roles with their permissions: those after a name, or the one with the id.
func scanRoles(rows *db.Rows) ([]Role, error) {
	defer rows.Close()
	var all []Role
	for rows.Next() {
		var r Role
		var perm *string
		if err := rows.Scan(&r.ID, &r.Name, &r.Note, &r.BuiltIn, &perm); err != nil {
			return nil, err
		}
		if n := len(all); n == 0 || all[n-1].ID != r.ID {
			r.Permissions = []string{}
			all = append(all, r)
		}
		if perm != nil {
			last := &all[len(all)-1]
			last.Permissions = append(last.Permissions, *perm)
		}
	}
	return all, rows.Err()
}

func roleByID(tx *db.Tx, role id.ID) (*Role, error) {
	all, err := scanRoles(tx.Query(`
SELECT r.id, r.name, r.note, r.built_in, p.perm FROM org_role r LEFT JOIN org_role_perm p ON p.role_id = r.id
WHERE r.id = $1 ORDER BY p.perm`, role))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return &all[0], nil
}

func (s *Org) roleRoutes(api *web.API) {
	type permissions struct {
		Items []Permission `json:"items"`
	}
	web.Get(api, web.Route{Path: "/api/org/permissions", Name: "list-permissions", Summary: "Everything a role can allow", Perm: "org.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*permissions, error) {
			return &permissions{s.o.Permissions}, nil
		})

	web.Get(api, web.Route{Path: "/api/org/roles", Name: "list-roles", Summary: "Roles", Perm: "org.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ web.Paging }) (*web.Page[Role], error) {
			var after string
			if _, err := in.Seek(&after); err != nil {
				return nil, err
			}
			all, err := scanRoles(tx.Query(`
SELECT r.id, r.name, r.note, r.built_in, p.perm
FROM (SELECT id, name, note, built_in FROM org_role WHERE name > $1 ORDER BY name LIMIT $2) r
LEFT JOIN org_role_perm p ON p.role_id = r.id
ORDER BY r.name, p.perm`, after, in.Limit+1))
			if err != nil {
				return nil, err
			}
			return web.PageOf(in.Paging, all, func(r Role) string { return web.Cursor(r.Name) }), nil
		})

	web.Get(api, web.Route{Path: "/api/org/roles/{id}", Name: "get-role", Summary: "One role", Perm: "org.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *byID) (*Role, error) { return roleByID(tx, in.ID) })

	type create struct{ Body RoleFields }
	web.Post(api, web.Route{Path: "/api/org/roles", Name: "create-role", Summary: "Add a role", Perm: "org.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *create) (*Role, error) {
			return s.putRole(ctx, tx, &Role{ID: id.New(), Name: in.Body.Name, Note: in.Body.Note, Permissions: in.Body.Permissions}, nil)
		})

	type update struct {
		ID   id.ID `path:"id"`
		Body RoleFields
	}
	web.Put(api, web.Route{Path: "/api/org/roles/{id}", Name: "update-role", Summary: "Change a role", Perm: "org.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *update) (*Role, error) {
			before, err := roleByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			if before.BuiltIn != "" {
				return nil, ErrRoleBuiltIn
			}
			return s.putRole(ctx, tx, &Role{ID: in.ID, Name: in.Body.Name, Note: in.Body.Note, Permissions: in.Body.Permissions}, before)
		})
}

// putRole writes a role. Whoever adds a permission to a role, or takes one from it, must hold it
// over the whole group, for the role may be granted anywhere.
func (s *Org) putRole(ctx context.Context, tx *db.Tx, r, before *Role) (*Role, error) {
	slices.Sort(r.Permissions)
	r.Permissions = slices.Compact(r.Permissions)
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	own, err := s.ownPowers(ctx, tx)
	if err != nil {
		return nil, err
	}
	var had []string
	if before != nil {
		had = before.Permissions
	}
	for _, p := range r.Permissions {
		if !s.perms[p] {
			return nil, ErrPermission.With("perm", p).At("permissions")
		}
	}
	for _, p := range append(without(r.Permissions, had), without(had, r.Permissions)...) {
		if !holds(own, power{p, "group", 0}, 0) {
			return nil, ErrMoreThanOwn.With("perm", p).At("permissions")
		}
	}
	var other id.ID
	switch err := tx.QueryRow(`SELECT id FROM org_role WHERE name = $1 AND id <> $2`, r.Name, r.ID).Scan(&other); err {
	case db.ErrNoRow:
	case nil:
		return nil, ErrRoleName.With("name", r.Name).At("name")
	default:
		return nil, err
	}
	if before == nil {
		err = tx.Exec(`INSERT INTO org_role (id, name, note, built_in, created_at) VALUES ($1, $2, $3, $4, $5)`,
			r.ID, r.Name, r.Note, r.BuiltIn, s.o.Wall.Now())
	} else {
		err = tx.Exec(`UPDATE org_role SET name = $1, note = $2 WHERE id = $3`, r.Name, r.Note, r.ID)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range without(had, r.Permissions) {
		if err := tx.Exec(`DELETE FROM org_role_perm WHERE role_id = $1 AND perm = $2`, r.ID, p); err != nil {
			return nil, err
		}
	}
	for _, p := range without(r.Permissions, had) {
		if err := tx.Exec(`INSERT INTO org_role_perm (role_id, perm) VALUES ($1, $2)`, r.ID, p); err != nil {
			return nil, err
		}
	}
	act := "role.created"
	if before != nil {
		act = "role.changed"
		if err := keepReachOfRole(tx, r.ID); err != nil {
			return nil, err
		}
	}
	return r, s.Audit(ctx, tx, act, "role", r.ID, 0, before, r)
}

// without is a minus b.
func without(a, b []string) []string {
	var rest []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}
