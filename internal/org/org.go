// Package org knows who the company is: the group, its legal entities and sites, its staff, what
// each may do where, who is signed in, and the trail of who did what. See README.md.
package org

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables org_*.
var Migrations = db.Migrations{Package: "org", FS: files}

// ErrNotFound is the answer for what is not there and for what is out of the caller's reach alike.
var ErrNotFound = errs.Define("not_found", errs.NotFound, "没有找到", "Not found")

// Permission is one thing a role can allow. The list belongs to the capabilities; app hands it in.
type Permission struct {
	Name string `json:"name"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// Role that comes with the program. Its permissions follow the program's version.
type BuiltIn struct {
	Key   string // "administrator" has every permission and is the only one that must exist
	Name  string
	Note  string
	Perms []string
}

// Options of the organisation.
type Options struct {
	Permissions []Permission
	Roles       []BuiltIn
	Wall        clock.Source // sign-ins and lock-outs
	Log         *slog.Logger
	Demo        bool          // shown by GET /api/me
	Idle        time.Duration // a session not used so long ends; 0 = 12 h
	Life        time.Duration // a session ends after; 0 = 7 days
}

// Org is the organisation of one installation.
type Org struct {
	o      Options
	perms  map[string]bool
	gate   *gate
	cache  cache
	guests *guests
}

// New makes the organisation; Start must run once before people can sign in.
func New(o Options) *Org {
	if o.Wall == nil {
		o.Wall = clock.Wall
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Idle == 0 {
		o.Idle = 12 * time.Hour
	}
	if o.Life == 0 {
		o.Life = 7 * 24 * time.Hour
	}
	s := &Org{o: o, perms: map[string]bool{}, gate: newGate(), guests: newGuests()}
	for _, p := range o.Permissions {
		s.perms[p.Name] = true
	}
	s.cache.sessions = map[string]*session{}
	return s
}

// lock takes the organisation's row: changes happen one after another, so that a rule about the
// whole (the last administrator, nobody grants more than he holds) sees all that was changed before.
// Every cache learns from it.
func (s *Org) lock(tx *db.Tx) error {
	tx.AfterCommit(s.forget)
	return tx.Exec(`UPDATE org_group SET version = version + 1`)
}

// Group is the whole company.
type Group struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name" minLength:"1" maxLength:"80"`
}

// Entity is a company with its own books.
type Entity struct {
	ID    id.ID  `json:"id"`
	Code  string `json:"code"`
	Name  string `json:"name"`
	TaxNo string `json:"tax_no"`
}

// Routes registers everything under /api/org, sign-in and /api/me.
func (s *Org) Routes(api *web.API) {
	s.signInRoutes(api)
	s.companyRoutes(api)
	s.siteRoutes(api)
	s.roleRoutes(api)
	s.staffRoutes(api)
	s.auditRoutes(api)
	s.attendanceRoutes(api)
}

// caller is the signed-in person of a route that can't be reached without one.
func caller(ctx context.Context) *Staff {
	if c := CallerOf(ctx); c != nil {
		return c
	}
	return &Staff{}
}

// like makes a LIKE pattern that finds q anywhere, for use with ESCAPE '!'.
func like(q string) string {
	b := make([]byte, 0, len(q)+2)
	b = append(b, '%')
	for i := 0; i < len(q); i++ {
		if q[i] == '%' || q[i] == '_' || q[i] == '!' {
			b = append(b, '!')
		}
		b = append(b, lower(q[i]))
	}
	return string(append(b, '%'))
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
