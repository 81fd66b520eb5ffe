package org

import (
	"context"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// First is what the first start of an installation made.
type First struct {
	Made     bool // false: the installation had been started before
	Name     string
	Password string // "" when it was given, not made
	Entity   *Entity
	Site     *Site
}

// Start prepares the organisation: the built-in roles as this version of the program has them and,
// in an empty installation, the group, one legal entity, one store and the administrator. password
// is the administrator's, or "" to have one made. Several nodes may start at once.
func (s *Org) Start(ctx context.Context, d *db.DB, password string) (*First, error) {
	ctx = WithSystem(ctx)
	var started bool
	err := d.Read(ctx, func(tx *db.Tx) error {
		_, err := GroupOf(tx)
		started = err == nil
		if errs.Code(err) == ErrNotFound.Code {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	hash := ""
	first := &First{Name: "admin"}
	if !started {
		if password == "" {
			password = newPassword()
			first.Password = password
		} else if err := CheckPassword(first.Name, password); err != nil {
			return nil, err
		}
		if hash, err = s.gate.hash(ctx, password); err != nil {
			return nil, err
		}
	}
	err = d.Write(ctx, func(tx *db.Tx) error {
		first.Made = false
		if !started {
			// one = 1 in every installation: of two nodes that start at once, one makes it.
			n, err := tx.ExecN(`INSERT INTO org_group (id, name, version, created_at) VALUES (1, $1, 1, $2) ON CONFLICT (id) DO NOTHING`, "我的公司", s.o.Wall.Now())
			if err != nil {
				return err
			}
			first.Made = n == 1
		}
		if err := s.keepBuiltIn(ctx, tx); err != nil {
			return err
		}
		if !first.Made {
			return nil
		}
		var err error
		if first.Entity, err = s.CreateEntity(ctx, tx, EntityFields{Code: "E001", Name: "我的公司"}); err != nil {
			return err
		}
		first.Site, err = s.CreateSite(ctx, tx, SiteFields{Code: "S001", Name: "一号店", Kind: "store", Business: "便利店",
			TimeZone: "Asia/Shanghai", DayStart: 4 * 60, Open: 7 * 60, Close: 23 * 60, EntityID: first.Entity.ID})
		if err != nil {
			return err
		}
		admin, err := s.createStaff(ctx, tx, first.Name, "管理员", 0, hash)
		if err != nil {
			return err
		}
		role, err := builtInRole(tx, Administrator)
		if err != nil {
			return err
		}
		_, err = s.setGrants(ctx, tx, admin.ID, []Grant{{RoleID: role, ScopeKind: "group"}})
		return err
	})
	if err != nil {
		return nil, err
	}
	if !first.Made {
		first.Password = ""
	}
	s.Use(d)
	s.forget()
	return first, nil
}

// Hire gives a person of the head office a built-in role over the whole group, and makes him if there is none of
// that name; his password is the given one from now on. It is for the installation itself, not for a caller.
func (s *Org) Hire(ctx context.Context, d *db.DB, name, display, role, password string) error {
	ctx = WithSystem(ctx)
	if err := CheckPassword(name, password); err != nil {
		return err
	}
	hash, err := s.gate.hash(ctx, password)
	if err != nil {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		roleID, err := builtInRole(tx, role)
		if err != nil {
			return err
		}
		var staff id.ID
		switch err := tx.QueryRow(`SELECT id FROM org_staff WHERE name = $1`, name).Scan(&staff); err {
		case nil:
			if _, err := s.updateStaff(ctx, tx, staff, display, 0, hash); err != nil {
				return err
			}
		case db.ErrNoRow:
			p, err := s.createStaff(ctx, tx, name, display, 0, hash)
			if err != nil {
				return err
			}
			staff = p.ID
		default:
			return err
		}
		_, err = s.setGrants(ctx, tx, staff, []Grant{{RoleID: roleID, ScopeKind: "group"}})
		return err
	})
}

var (
	ErrNobody = errs.Define("staff_unknown", errs.NotFound, "没有叫 {name} 的人", "Nobody is called {name}")
	ErrAway   = errs.Define("staff_disabled", errs.Conflict, "{name} 已停用,请先在后台启用", "{name} is disabled; enable the person in the office first")
)

// ResetPassword gives a person a new password, made and returned when none is given, ends all sessions and a lock-out of the
// name. It is for whoever has the machine: there may be nobody left who could sign in and do it.
func (s *Org) ResetPassword(ctx context.Context, d *db.DB, name, password string) (made string, err error) {
	ctx = WithSystem(ctx)
	if password == "" {
		made = newPassword()
		password = made
	}
	if err := CheckPassword(name, password); err != nil {
		return "", errs.As(err).At("password")
	}
	hash, err := s.gate.hash(ctx, password)
	if err != nil {
		return "", err
	}
	return made, d.Write(ctx, func(tx *db.Tx) error {
		var p Person
		switch err := tx.QueryRow(`SELECT id, display_name, COALESCE(site_id, 0), disabled FROM org_staff WHERE name = $1`, name).Scan(&p.ID, &p.DisplayName, &p.SiteID, &p.Disabled); {
		case err == db.ErrNoRow:
			return ErrNobody.With("name", name).At("name")
		case err != nil:
			return err
		case p.Disabled:
			return ErrAway.With("name", name).At("name")
		}
		_, err := s.updateStaff(ctx, tx, p.ID, p.DisplayName, p.SiteID, hash)
		return err
	})
}

// NewPassword makes one that nobody guesses.
func NewPassword() string { return newPassword() }

func builtInRole(tx *db.Tx, key string) (id.ID, error) {
	var role id.ID
	err := tx.QueryRow(`SELECT id FROM org_role WHERE built_in = $1`, key).Scan(&role)
	return role, err
}

// keepBuiltIn brings the built-in roles to what this version of the program says of them. Nothing is
// written when they are so already.
func (s *Org) keepBuiltIn(ctx context.Context, tx *db.Tx) error {
	for _, b := range s.o.Roles {
		perms := b.Perms
		if b.Key == Administrator {
			perms = nil
			for _, p := range s.o.Permissions {
				perms = append(perms, p.Name)
			}
		}
		role, err := builtInRole(tx, b.Key)
		var before *Role
		switch err {
		case nil:
			if before, err = roleByID(tx, role); err != nil {
				return err
			}
			if len(without(perms, before.Permissions)) == 0 && len(without(before.Permissions, perms)) == 0 {
				continue
			}
		case db.ErrNoRow:
			role = id.New()
		default:
			return err
		}
		r := &Role{ID: role, Name: b.Name, Note: b.Note, BuiltIn: b.Key, Permissions: perms}
		if before != nil {
			r.Name, r.Note = before.Name, before.Note
			// Permissions that the program no longer knows are taken away as well.
			for _, p := range without(before.Permissions, perms) {
				if err := tx.Exec(`DELETE FROM org_role_perm WHERE role_id = $1 AND perm = $2`, role, p); err != nil {
					return err
				}
			}
			before.Permissions = without(before.Permissions, without(before.Permissions, perms))
		}
		if _, err := s.putRole(ctx, tx, r, before); err != nil {
			return err
		}
	}
	return nil
}

// RoleIDs maps the keys of the built-in roles to their ids (seeds, tests).
func RoleIDs(tx *db.Tx) (map[string]id.ID, error) {
	rows := tx.Query(`SELECT built_in, id FROM org_role WHERE built_in <> ''`)
	defer rows.Close()
	m := map[string]id.ID{}
	for rows.Next() {
		var key string
		var role id.ID
		if err := rows.Scan(&key, &role); err != nil {
			return nil, err
		}
		m[key] = role
	}
	return m, rows.Err()
}
