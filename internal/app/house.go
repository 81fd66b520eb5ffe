package app

import (
	"log/slog"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/web"
	webapps "zhanggui/web"
)

// migrations in the order of the floors: tables refer downward only.
var migrations = []db.Migrations{
	once.Migrations,
	org.Migrations,
}

// proofs are what `zhanggui check` and the nightly job run.
func proofs() []proof.Proof {
	var all []proof.Proof
	all = append(all, org.Proofs()...)
	return all
}

// house is every part of a running installation, without its database.
type house struct {
	org *org.Org
	api *web.API
}

type houseOptions struct {
	log        *slog.Logger
	trustProxy bool
	demo       bool
}

// newHouse makes the parts and registers their routes. It touches no database, so that the server
// can answer while that is still being opened.
func newHouse(o houseOptions) *house {
	h := &house{}
	h.org = org.New(org.Options{Permissions: permissions, Roles: roles, Log: o.log, Demo: o.demo})
	h.api = web.New(web.Options{SignedIn: h.org.SignedIn, Log: o.log, Version: buildVersion(), TrustProxy: o.trustProxy})
	h.api.Pages(web.NewPages(webapps.Files()))
	h.org.Routes(h.api)
	return h
}
