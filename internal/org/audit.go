package org

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

// maxTrail bounds what one entry of the trail keeps of a document, in bytes.
const maxTrail = 16 << 10

// Audit adds to the trail that the caller did act to a subject. before and after are what the
// document shows to people (never a secret); either may be nil. site is 0 for what concerns more
// than one site: only who may see the whole group finds it.
func (s *Org) Audit(ctx context.Context, tx *db.Tx, act, kind string, subject, site id.ID, before, after any) error {
	var who id.ID
	if c := CallerOf(ctx); c != nil {
		who = c.ID
	}
	b, err := trail(before)
	if err != nil {
		return err
	}
	a, err := trail(after)
	if err != nil {
		return err
	}
	return tx.Exec(`
INSERT INTO org_audit (id, at, staff_id, act, subject_kind, subject_id, site_id, before_json, after_json)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, id.New(), s.o.Wall.Now(), who, act, kind, subject, site, b, a)
}

func trail(doc any) (string, error) {
	if v := reflect.ValueOf(doc); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return "", nil
	}
	b, err := json.Marshal(doc)
	if len(b) > maxTrail {
		return `{"too_long":true}`, err
	}
	return string(b), err
}

// AuditEntry is one line of the trail.
type AuditEntry struct {
	ID          id.ID           `json:"id"`
	At          time.Time       `json:"at"`
	StaffID     id.ID           `json:"staff_id" doc:"empty: the installation itself"`
	StaffName   string          `json:"staff_name"`
	Act         string          `json:"act"`
	SubjectKind string          `json:"subject_kind"`
	SubjectID   id.ID           `json:"subject_id"`
	SiteID      id.ID           `json:"site_id"`
	Before      json.RawMessage `json:"before,omitempty"`
	After       json.RawMessage `json:"after,omitempty"`
}

func (s *Org) auditRoutes(api *web.API) {
	type list struct {
		web.Paging
		SiteID      id.ID  `query:"site_id"`
		SubjectKind string `query:"subject_kind" maxLength:"40"`
		SubjectID   id.ID  `query:"subject_id"`
	}
	web.Get(api, web.Route{Path: "/api/org/audit", Name: "list-audit", Summary: "Who did what when, newest first", Perm: "org.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *list) (*web.Page[AuditEntry], error) {
			before := id.ID(1<<63 - 1)
			if _, err := in.Seek(&before); err != nil {
				return nil, err
			}
			rows := tx.Query(`
SELECT a.id, a.at, a.staff_id, COALESCE(f.display_name, ''), a.act, a.subject_kind, a.subject_id, a.site_id, a.before_json, a.after_json
FROM org_audit a LEFT JOIN org_staff f ON f.id = a.staff_id
WHERE (CAST($1 AS BIGINT) = 1 OR a.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
  AND a.id < $4
  AND (CAST($5 AS BIGINT) = 0 OR a.site_id = $5)
  AND (CAST($6 AS TEXT) = '' OR a.subject_kind = $6)
  AND (CAST($7 AS BIGINT) = 0 OR a.subject_id = $7)
ORDER BY a.id DESC LIMIT $8`, append(SitesOf(ctx, "org.read").Args(), before, in.SiteID, in.SubjectKind, in.SubjectID, in.Limit+1)...)
			defer rows.Close()
			var all []AuditEntry
			for rows.Next() {
				var e AuditEntry
				var b, a string
				if err := rows.Scan(&e.ID, &e.At, &e.StaffID, &e.StaffName, &e.Act, &e.SubjectKind, &e.SubjectID, &e.SiteID, &b, &a); err != nil {
					return nil, err
				}
				if b != "" {
					e.Before = json.RawMessage(b)
				}
				if a != "" {
					e.After = json.RawMessage(a)
				}
				all = append(all, e)
			}
			if err := rows.Err(); err != nil {
				return nil, err
			}
			return web.PageOf(in.Paging, all, func(e AuditEntry) string { return web.Cursor(e.ID) }), nil
		})
}
