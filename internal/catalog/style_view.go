package catalog

import (
	"context"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// StyleRow is a style in the list.
type StyleRow struct {
	ID         id.ID  `json:"id"`
	Code       string `json:"code"`
	Name       string `json:"name"`
	CategoryID id.ID  `json:"category_id" doc:"empty: none"`
	Axes       string `json:"axes" doc:"names of the attributes, joined by ×"`
	Variants   int64  `json:"variants"`
	OnSale     int64  `json:"on_sale" doc:"of these"`
}

// StyleSearch is the input of the list of styles.
type StyleSearch struct {
	web.Paging
	Q         string `query:"q" maxLength:"60" doc:"part of the code or name"`
	ProductID id.ID  `query:"product_id" doc:"the style that a product is a combination of; no other"`
}

// Styles lists styles by code, one more than the page asks for.
func (s *Service) Styles(tx *db.Tx, in StyleSearch) ([]StyleRow, error) {
	var after string
	if _, err := in.Seek(&after); err != nil {
		return nil, err
	}
	rows := tx.Query(`SELECT s.id, s.code, s.name, COALESCE(s.category_id, 0),
			(SELECT COUNT(*) FROM catalog_variant v WHERE v.style_id = s.id),
			(SELECT COUNT(*) FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id WHERE v.style_id = s.id AND p.state = 'on_sale')
		FROM catalog_style s WHERE s.code > $1 AND s.search LIKE $2 ESCAPE '!'
			AND (CAST($3 AS BIGINT) = 0 OR s.id IN (SELECT v.style_id FROM catalog_variant v WHERE v.product_id = $3)) ORDER BY s.code LIMIT $4`,
		after, "%"+escapeLike(strings.ToLower(strings.TrimSpace(in.Q)))+"%", in.ProductID, in.Limit+1)
	defer rows.Close()
	found := []StyleRow{}
	for rows.Next() {
		var r StyleRow
		if err := rows.Scan(&r.ID, &r.Code, &r.Name, &r.CategoryID, &r.Variants, &r.OnSale); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return found, err
	}
	args := make([]any, len(found))
	at := map[id.ID]int{}
	for i := range found {
		args[i], at[found[i].ID] = found[i].ID, i
	}
	names := tx.QueryMany(axesOf, args...)
	defer names.Close()
	for names.Next() {
		var style id.ID
		var name string
		if err := names.Scan(&style, &name); err != nil {
			return nil, err
		}
		if r := &found[at[style]]; r.Axes == "" {
			r.Axes = name
		} else {
			r.Axes += " × " + name
		}
	}
	return found, names.Err()
}

var axesOf = db.NewMany(`SELECT v.style_id, v.axis_name FROM catalog_value v WHERE v.sort = 0 AND v.style_id IN (`, `?`, `) ORDER BY v.style_id, v.axis`)

func (s *Service) styleRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/goods/styles", Name: "list-styles", Summary: "Styles by code or name", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *StyleSearch) (*web.Page[StyleRow], error) {
			found, err := s.Styles(tx, *in)
			return web.PageOf(in.Paging, found, func(r StyleRow) string { return web.Cursor(r.Code) }), err
		})
	web.Post(api, web.Route{Path: "/api/goods/styles", Name: "create-style", Summary: "Add a style with its attributes", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body StyleDraft }) (*Style, error) {
			return s.CreateStyle(tx, org.CallerOf(ctx).ID, in.Body)
		})
	web.Get(api, web.Route{Path: "/api/goods/styles/{id}", Name: "get-style", Summary: "A style with its combinations", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*Style, error) {
			return s.ReadStyle(tx, in.ID)
		})
	web.Put(api, web.Route{Path: "/api/goods/styles/{id}", Name: "change-style", Summary: "Change a style, its attributes and their values", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body StyleDraft
		}) (*Style, error) {
			return s.ChangeStyle(tx, in.ID, org.CallerOf(ctx).ID, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/goods/styles/{id}/combinations", Name: "combine-style", Summary: "Make products of combinations; those that are there stay as they are", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body CombineIn
		}) (*Combined, error) {
			return s.Combine(tx, in.ID, in.Body)
		})
	web.Post(api, web.Route{Path: "/api/goods/styles/{id}/lives", Name: "set-style-lives", Summary: "Retire combinations of a style, or bring them back", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body LivesIn
		}) (*Style, error) {
			return s.SetLives(tx, in.ID, in.Body)
		})
	web.Get(api, web.Route{Path: "/api/goods/categories/{id}/attributes", Name: "get-category-attributes", Summary: "The attributes that styles of a category begin with", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*Template, error) {
			return TemplateOf(tx, in.ID)
		})
	web.Put(api, web.Route{Path: "/api/goods/categories/{id}/attributes", Name: "put-category-attributes", Summary: "Replace the attributes that styles of a category begin with", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Axes []Axis `json:"axes" maxItems:"4"`
			}
		}) (*Template, error) {
			return PutTemplate(tx, org.CallerOf(ctx).ID, in.ID, in.Body.Axes)
		})
}
