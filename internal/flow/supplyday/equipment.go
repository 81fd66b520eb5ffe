package supplyday

import (
	"context"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/replenish"
)

// EquipmentIn names a kind of equipment; with an id it is renamed.
type EquipmentIn struct {
	ID   id.ID  `json:"id,omitempty"`
	Name string `json:"name" maxLength:"40"`
}

// MachinesIn says how many of a kind a site has.
type MachinesIn struct {
	SiteID      id.ID `json:"site_id"`
	EquipmentID id.ID `json:"equipment_id"`
	Machines    int64 `json:"machines" minimum:"0" maximum:"1000" doc:"0: making there is not bound by it"`
	EarlyMin    int64 `json:"early_min,omitempty" minimum:"0" maximum:"720" doc:"minutes before the first round is ready from which on they are in use"`
}

// LoadIn says what a batch of a product takes of a machine.
type LoadIn struct {
	ProductID   id.ID `json:"product_id"`
	EquipmentID id.ID `json:"equipment_id,omitempty"`
	Minutes     int64 `json:"minutes" minimum:"0" maximum:"720" doc:"0: it is made on none of the equipment"`
	Share       int64 `json:"share,omitempty" minimum:"0" maximum:"1000" default:"1000" doc:"of one machine, in thousandths"`
}

func (s *Service) equipmentRoutes(api *web.API) {
	type page = web.Page[replenish.EquipmentView]
	list := func(tx *db.Tx, site id.ID) (*page, error) {
		all, err := replenish.ListEquipment(tx, site)
		return &page{Items: all}, err
	}
	web.Get(api, web.Route{Path: "/api/plans/equipment", Name: "list-equipment", Summary: "Ovens, fryers, steamers: how many a site has, and what is made on them", Perm: permRead, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*page, error) {
			if _, err := org.SiteFor(ctx, permRead, in.SiteID); err != nil {
				return nil, err
			}
			return list(tx, in.SiteID)
		})
	web.Post(api, web.Route{Path: "/api/plans/equipment", Name: "put-equipment", Summary: "Add a kind of equipment, or rename one", Perm: permRules, Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body EquipmentIn }) (*Saved, error) {
			kind, err := replenish.PutEquipment(tx, org.CallerOf(ctx).ID, in.Body.ID, in.Body.Name)
			return &Saved{kind}, err
		})
	web.Put(api, web.Route{Path: "/api/plans/equipment/machines", Name: "put-machines", Summary: "How many machines of a kind a site has", Perm: permRules, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body MachinesIn }) (*page, error) {
			if _, err := org.SiteFor(ctx, permRules, in.Body.SiteID); err != nil {
				return nil, errs.As(err).At("site_id")
			}
			m := replenish.Machines{Kind: in.Body.EquipmentID, Count: in.Body.Machines, Early: in.Body.EarlyMin}
			if err := replenish.PutMachines(tx, org.CallerOf(ctx).ID, in.Body.SiteID, m); err != nil {
				return nil, err
			}
			if _, err := Enqueue(tx, PlanArgs{Sites: []id.ID{in.Body.SiteID}, Ahead: true}); err != nil {
				return nil, err
			}
			return list(tx, in.Body.SiteID)
		})
	web.Put(api, web.Route{Path: "/api/plans/equipment/loads", Name: "put-equipment-load", Summary: "What a batch of a product takes of a machine", Perm: permRules, Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body LoadIn }) (*Saved, error) {
			l := replenish.Load{Kind: in.Body.EquipmentID, Minutes: in.Body.Minutes, Share: in.Body.Share}
			if err := replenish.PutLoad(tx, org.CallerOf(ctx).ID, in.Body.ProductID, l); err != nil {
				return nil, err
			}
			_, err := Enqueue(tx, PlanArgs{Ahead: true})
			return &Saved{in.Body.ProductID}, err
		})
}
