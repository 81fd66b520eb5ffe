package org

import (
	"context"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// GroupOf reads the group; ErrNotFound before the first start.
func GroupOf(tx *db.Tx) (*Group, error) {
	var g Group
	err := tx.QueryRow(`SELECT id, name FROM org_group`).Scan(&g.ID, &g.Name)
	if err == db.ErrNoRow {
		return nil, ErrNotFound
	}
	return &g, err
}

// EntityFields is what people write of a legal entity.
type EntityFields struct {
	Code  string `json:"code" minLength:"1" maxLength:"20" pattern:"^[A-Za-z0-9._-]+$"`
	Name  string `json:"name" minLength:"1" maxLength:"120"`
	TaxNo string `json:"tax_no,omitempty" maxLength:"30"`
}

const entityColumns = `e.id, e.code, e.name, e.tax_no`

func entityByID(tx *db.Tx, entity id.ID) (*Entity, error) {
	var e Entity
	err := tx.QueryRow(`SELECT `+entityColumns+` FROM org_entity e WHERE e.id = $1`, entity).Scan(&e.ID, &e.Code, &e.Name, &e.TaxNo)
	if err == db.ErrNoRow {
		return nil, ErrNotFound
	}
	return &e, err
}

func (s *Org) companyRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/org/group", Name: "get-group", Summary: "The group", Perm: "org.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*Group, error) { return GroupOf(tx) })

	type rename struct {
		Body struct {
			Name string `json:"name" minLength:"1" maxLength:"80"`
		}
	}
	web.Put(api, web.Route{Path: "/api/org/group", Name: "update-group", Summary: "Rename the group", Perm: "org.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *rename) (*Group, error) {
			if err := s.lock(tx); err != nil {
				return nil, err
			}
			before, err := GroupOf(tx)
			if err != nil {
				return nil, err
			}
			after := &Group{before.ID, in.Body.Name}
			if err := tx.Exec(`UPDATE org_group SET name = $1 WHERE id = $2`, after.Name, after.ID); err != nil {
				return nil, err
			}
			return after, s.Audit(ctx, tx, "group.changed", "group", after.ID, 0, before, after)
		})

	web.Get(api, web.Route{Path: "/api/org/entities", Name: "list-entities", Summary: "Legal entities of the sites the caller may see", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ web.Paging }) (*web.Page[Entity], error) {
			var after string
			if _, err := in.Seek(&after); err != nil {
				return nil, err
			}
			rows := tx.Query(`SELECT `+entityColumns+` FROM org_entity e
WHERE (CAST($1 AS BIGINT) = 1 OR e.id IN (SELECT t.entity_id FROM org_site t JOIN org_reach r ON r.site_id = t.id WHERE r.staff_id = $2 AND r.perm = $3))
  AND e.code > $4
ORDER BY e.code LIMIT $5`, append(SitesOf(ctx, "org.read").Args(), after, in.Limit+1)...)
			defer rows.Close()
			var all []Entity
			for rows.Next() {
				var e Entity
				if err := rows.Scan(&e.ID, &e.Code, &e.Name, &e.TaxNo); err != nil {
					return nil, err
				}
				all = append(all, e)
			}
			if err := rows.Err(); err != nil {
				return nil, err
			}
			return web.PageOf(in.Paging, all, func(e Entity) string { return web.Cursor(e.Code) }), nil
		})

	web.Get(api, web.Route{Path: "/api/org/entities/{id}", Name: "get-entity", Summary: "One legal entity", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *byID) (*Entity, error) {
			if ok, err := entityInReach(ctx, tx, "org.read", in.ID); err != nil || !ok {
				return nil, orNotFound(err)
			}
			return entityByID(tx, in.ID)
		})

	type create struct{ Body EntityFields }
	web.Post(api, web.Route{Path: "/api/org/entities", Name: "create-entity", Summary: "Add a legal entity", Perm: "org.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *create) (*Entity, error) {
			return s.CreateEntity(ctx, tx, in.Body)
		})

	type update struct {
		ID   id.ID `path:"id"`
		Body EntityFields
	}
	web.Put(api, web.Route{Path: "/api/org/entities/{id}", Name: "update-entity", Summary: "Change a legal entity", Perm: "org.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *update) (*Entity, error) {
			if err := s.lock(tx); err != nil {
				return nil, err
			}
			before, err := entityByID(tx, in.ID)
			if err != nil {
				return nil, err
			}
			var other id.ID
			switch err := tx.QueryRow(`SELECT id FROM org_entity WHERE code = $1 AND id <> $2`, in.Body.Code, in.ID).Scan(&other); err {
			case db.ErrNoRow:
			case nil:
				return nil, ErrTakenCode.With("code", in.Body.Code).At("code")
			default:
				return nil, err
			}
			after := &Entity{in.ID, in.Body.Code, in.Body.Name, in.Body.TaxNo}
			if err := tx.Exec(`UPDATE org_entity SET code = $1, name = $2, tax_no = $3 WHERE id = $4`, after.Code, after.Name, after.TaxNo, in.ID); err != nil {
				return nil, err
			}
			return after, s.Audit(ctx, tx, "entity.changed", "entity", in.ID, 0, before, after)
		})
}

func orNotFound(err error) error {
	if err == nil {
		return ErrNotFound
	}
	return err
}

func entityInReach(ctx context.Context, tx *db.Tx, perm string, entity id.ID) (bool, error) {
	var one int64
	err := tx.QueryRow(`SELECT 1 FROM org_entity e
WHERE (CAST($1 AS BIGINT) = 1 OR e.id IN (SELECT t.entity_id FROM org_site t JOIN org_reach r ON r.site_id = t.id WHERE r.staff_id = $2 AND r.perm = $3))
  AND e.id = $4`, append(SitesOf(ctx, perm).Args(), entity)...).Scan(&one)
	if err == db.ErrNoRow {
		return false, nil
	}
	return err == nil, err
}

// CreateEntity adds a legal entity. The code is unique in the group.
func (s *Org) CreateEntity(ctx context.Context, tx *db.Tx, f EntityFields) (*Entity, error) {
	if err := s.lock(tx); err != nil {
		return nil, err
	}
	e := &Entity{id.New(), f.Code, f.Name, f.TaxNo}
	n, err := tx.ExecN(`INSERT INTO org_entity (id, code, name, tax_no, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (code) DO NOTHING`,
		e.ID, e.Code, e.Name, e.TaxNo, s.o.Wall.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrTakenCode.With("code", f.Code).At("code")
	}
	return e, s.Audit(ctx, tx, "entity.created", "entity", e.ID, 0, nil, e)
}
