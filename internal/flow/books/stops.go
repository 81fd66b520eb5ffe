package books

import (
	"context"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// StopView is a kind of document that is stopped because a proof is red, or was released.
type StopView struct {
	ID         id.ID      `json:"id"`
	Kind       string     `json:"kind"`
	SiteID     id.ID      `json:"site_id" doc:"empty: at all sites"`
	Site       string     `json:"site"`
	Proof      string     `json:"proof"`
	Bad        int64      `json:"bad" doc:"how many wrong things the proof has found"`
	FoundAt    time.Time  `json:"found_at"`
	State      string     `json:"state" enum:"stopped,released,over"`
	ReleasedAt *time.Time `json:"released_at,omitempty"`
	ReleasedBy string     `json:"released_by"`
	Reason     string     `json:"reason"`
	Until      *time.Time `json:"until,omitempty" doc:"end of the release"`
}

// ReleaseIn says why a kind of document may be posted although its proof is red, and for how long.
type ReleaseIn struct {
	Reason string `json:"reason" maxLength:"300"`
	Days   int    `json:"days" minimum:"1" maximum:"30" default:"7"`
}

func viewStops(tx *db.Tx, all []ledger.Stop) ([]StopView, error) {
	people := make([]id.ID, 0, len(all))
	for _, s := range all {
		people = append(people, s.ReleasedBy)
	}
	named, err := org.StaffNames(tx, people...)
	if err != nil {
		return nil, err
	}
	sites, err := org.AllSites(tx)
	if err != nil {
		return nil, err
	}
	places := map[id.ID]string{}
	for _, s := range sites {
		places[s.ID] = s.Name
	}
	views := make([]StopView, 0, len(all))
	for _, s := range all {
		v := StopView{ID: s.ID, Kind: s.Kind.String(), SiteID: s.Site, Site: places[s.Site], Proof: s.Proof, Bad: s.Bad, FoundAt: s.FoundAt, State: "stopped", ReleasedBy: named[s.ReleasedBy], Reason: s.Reason}
		if s.Released {
			v.State, v.ReleasedAt, v.Until = "released", &s.ReleasedAt, &s.Until
		}
		if s.Over {
			v.State = "over"
		}
		views = append(views, v)
	}
	return views, nil
}

func (s *Service) stopRoutes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/checks/stops", Name: "list-stops", Summary: "Kinds of documents that are or were stopped by a red proof, newest first", Perm: permCheck, Scope: web.Whole},
		func(ctx context.Context, tx *db.Tx, in *struct{}) (*web.Page[StopView], error) {
			all, err := ledger.Stops(tx, true)
			if err != nil {
				return nil, err
			}
			items, err := viewStops(tx, all)
			return &web.Page[StopView]{Items: items}, err
		})
	web.Post(api, web.Route{Path: "/api/checks/stops/{id}/release", Name: "release-stop", Summary: "Let a stopped kind of document be posted again, for a reason", Perm: permRelease, Scope: web.Whole},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body ReleaseIn
		}) (*StopView, error) {
			stop, err := ledger.Release(tx, in.ID, in.Body.Reason, org.CallerOf(ctx).ID, tx.Now().Add(time.Duration(in.Body.Days)*24*time.Hour))
			if err != nil {
				return nil, err
			}
			views, err := viewStops(tx, []ledger.Stop{*stop})
			if err != nil {
				return nil, err
			}
			return &views[0], s.org.Audit(ctx, tx, "release_stop", "ledger_stop", stop.ID, 0, nil, views[0])
		})
}
