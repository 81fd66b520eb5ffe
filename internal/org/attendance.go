package org

import (
	"context"
	"errors"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/web"
)

// Attendance: staff clock in and out, and nothing else tells how many hours were worked.

const (
	permClock  = "attendance.clock"
	permManage = "attendance.manage"

	// AttendanceEvent tells that somebody came, went, or was corrected.
	AttendanceEvent = "attendance.changed.v1"

	// AttendanceJob cuts what is still open when its business day is over.
	AttendanceJob = "org.attendance"

	longest = 24 * time.Hour // of one presence
)

var (
	ErrPresent    = errs.Define("attendance_open", errs.Conflict, "已经打过上班卡", "Already clocked in")
	ErrNotPresent = errs.Define("attendance_none", errs.Conflict, "还没有打上班卡", "Not clocked in")
	ErrTimes      = errs.Define("attendance_times_bad", errs.Invalid, "下班必须晚于上班,不能晚于现在,一次最多 24 小时", "The end must be after the start, not later than now, and at most 24 hours after it")
	ErrOverlap    = errs.Define("attendance_overlaps", errs.Conflict, "和这个人的另一段出勤时间重叠", "This overlaps another presence of the same person")
	ErrWhy        = errs.Define("attendance_reason_missing", errs.Invalid, "请填写原因", "Say why")
	ErrStillThere = errs.Define("attendance_still_open", errs.Invalid, "已经下班的出勤要填下班时间", "A presence that has ended needs its end")
)

// Presence is one stay of a person at a site.
type Presence struct {
	ID           id.ID      `json:"id"`
	StaffID      id.ID      `json:"staff_id"`
	StaffName    string     `json:"staff_name"`
	SiteID       id.ID      `json:"site_id"`
	SiteName     string     `json:"site_name"`
	BusinessDate cal.Date   `json:"business_date" doc:"of the start"`
	InAt         time.Time  `json:"in_at"`
	OutAt        *time.Time `json:"out_at,omitempty" doc:"missing while the person is there"`
	Minutes      int64      `json:"minutes" doc:"until now while the person is there"`
	Cut          bool       `json:"cut" doc:"did not clock out: ended with the business day, to be corrected"`
	CorrectedBy  string     `json:"corrected_by" doc:"name of who corrected it; empty: as the clock took it"`
	CorrectedAt  *time.Time `json:"corrected_at,omitempty"`
	Reason       string     `json:"reason" doc:"why it was corrected"`
}

const (
	presenceColumns = `SELECT a.id, a.staff_id, f.display_name, a.site_id, t.name, a.business_date, a.in_at, a.out_at, a.cut, COALESCE(c.display_name, ''), a.corrected_at, a.reason
FROM org_attendance a JOIN org_staff f ON f.id = a.staff_id JOIN org_site t ON t.id = a.site_id LEFT JOIN org_staff c ON c.id = a.corrected_by `
	presenceByID  = presenceColumns + `WHERE a.id = $1`
	presencesOf   = presenceColumns + `WHERE a.staff_id = $1 ORDER BY a.id DESC LIMIT $2`
	listPresences = presenceColumns + `WHERE (CAST($1 AS BIGINT) = 1 OR a.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
  AND a.id < $4
  AND (CAST($5 AS BIGINT) = 0 OR a.site_id = $5)
  AND (CAST($6 AS BIGINT) = 0 OR a.staff_id = $6)
  AND (CAST($7 AS TEXT) = '' OR a.business_date = $7)
ORDER BY a.id DESC LIMIT $8`
)

func scanPresences(tx *db.Tx, rows *db.Rows) ([]Presence, error) {
	defer rows.Close()
	all := []Presence{}
	for rows.Next() {
		var p Presence
		if err := rows.Scan(&p.ID, &p.StaffID, &p.StaffName, &p.SiteID, &p.SiteName, &p.BusinessDate, &p.InAt, &p.OutAt, &p.Cut, &p.CorrectedBy, &p.CorrectedAt, &p.Reason); err != nil {
			return nil, err
		}
		end := tx.Now()
		if p.OutAt != nil {
			end = *p.OutAt
		}
		p.Minutes = max(0, int64(end.Sub(p.InAt)/time.Minute))
		all = append(all, p)
	}
	return all, rows.Err()
}

func presence(tx *db.Tx, one id.ID) (*Presence, error) {
	all, err := scanPresences(tx, tx.Query(presenceByID, one))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return &all[0], nil
}

// Begins is the instant at which a business day starts at the site; it ends when the next one starts.
func (s *Site) Begins(date cal.Date) time.Time {
	t := date.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, int(s.DayStart), 0, 0, s.Location())
}

func news(tx *db.Tx, subject, site id.ID) error {
	return outbox.Emit(tx, outbox.Event{Type: AttendanceEvent, Subject: subject, Site: site, Body: map[string]id.ID{"site_id": site}})
}

// ClockIn begins a presence of the person at the site. Whoever is there already is refused, also when he
// tries from two places at once: the database knows one open presence of a person.
func ClockIn(tx *db.Tx, site *Site, staff id.ID) (*Presence, error) {
	if err := cutOwn(tx, staff); err != nil {
		return nil, err
	}
	made := id.New()
	n, err := tx.ExecN(`INSERT INTO org_attendance (id, staff_id, site_id, business_date, in_at, cut, corrected_by, reason) VALUES ($1, $2, $3, $4, $5, 0, 0, '')
ON CONFLICT (staff_id) WHERE out_at IS NULL DO NOTHING`, made, staff, site.ID, site.BusinessDate(tx.Now()), tx.Now())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, ErrPresent
	}
	if err := news(tx, staff, site.ID); err != nil {
		return nil, err
	}
	return presence(tx, made)
}

// ClockOut ends the person's presence, wherever it is.
func ClockOut(tx *db.Tx, staff id.ID) (*Presence, error) {
	if err := cutOwn(tx, staff); err != nil {
		return nil, err
	}
	var one, site id.ID
	err := tx.QueryRow(`UPDATE org_attendance SET out_at = $1 WHERE staff_id = $2 AND out_at IS NULL RETURNING id, site_id`, tx.Now(), staff).Scan(&one, &site)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNotPresent
	}
	if err != nil {
		return nil, err
	}
	if err := news(tx, staff, site); err != nil {
		return nil, err
	}
	return presence(tx, one)
}

// cutOwn ends what the person forgot to end on a business day that is over.
func cutOwn(tx *db.Tx, staff id.ID) error {
	return cut(tx, tx.Query(`SELECT a.id, a.business_date, `+siteColumns+` FROM org_attendance a JOIN org_site t ON t.id = a.site_id
WHERE a.out_at IS NULL AND a.staff_id = $1`, staff))
}

// cut ends those of the rows whose business day is over, at its end, and marks them.
func cut(tx *db.Tx, rows *db.Rows) error {
	type open struct {
		id   id.ID
		date cal.Date
		site Site
	}
	var over []open
	for rows.Next() {
		var o open
		var err error
		if o.site, err = scanSite(func(more ...any) error { return rows.Scan(append([]any{&o.id, &o.date}, more...)...) }); err != nil {
			rows.Close()
			return err
		}
		if o.date < o.site.BusinessDate(tx.Now()) {
			over = append(over, o)
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	for _, o := range over {
		if err := tx.Exec(`UPDATE org_attendance SET out_at = CASE WHEN in_at > $1 THEN in_at ELSE $1 END, cut = 1 WHERE id = $2 AND out_at IS NULL`,
			o.site.Begins(o.date.AddDays(1)), o.id); err != nil {
			return err
		}
		if err := news(tx, o.id, o.site.ID); err != nil {
			return err
		}
	}
	return nil
}

// AttendanceJobs registers the work that ends what nobody ended.
func AttendanceJobs(r *jobs.Runner) {
	r.Handle(AttendanceJob, func(ctx context.Context, run *jobs.Run) error {
		return run.DB().Write(ctx, CutForgotten)
	})
	r.Every(AttendanceJob, 10*time.Minute, nil)
}

// CutForgotten ends every presence whose business day is over.
func CutForgotten(tx *db.Tx) error {
	return cut(tx, tx.Query(`SELECT a.id, a.business_date, `+siteColumns+` FROM org_attendance a JOIN org_site t ON t.id = a.site_id
WHERE a.out_at IS NULL ORDER BY a.staff_id, a.id LIMIT 200`))
}

// Correction is what a manager writes instead of what the clock took, or for what it missed.
type Correction struct {
	InAt   time.Time  `json:"in_at"`
	OutAt  *time.Time `json:"out_at,omitempty" doc:"may be left out while the person is still there"`
	Reason string     `json:"reason" maxLength:"200"`
}

func (c *Correction) check(tx *db.Tx) error {
	c.InAt = c.InAt.Truncate(time.Millisecond)
	switch c.Reason = strings.TrimSpace(c.Reason); {
	case c.Reason == "":
		return ErrWhy.At("reason")
	case c.InAt.IsZero() || c.InAt.After(tx.Now()):
		return ErrTimes.At("in_at")
	case c.OutAt != nil && (!c.OutAt.After(c.InAt) || c.OutAt.After(tx.Now()) || c.OutAt.Sub(c.InAt) > longest):
		return ErrTimes.At("out_at")
	}
	return nil
}

// alone refuses a time in which the person was present already. It locks the person, so that of two
// corrections the second sees the first.
func alone(tx *db.Tx, staff, but id.ID, c Correction) error {
	var found int64
	if err := tx.QueryRow(`SELECT 1 FROM org_staff WHERE id = $1`+tx.ForUpdate(), staff).Scan(&found); err != nil {
		return err
	}
	end := tx.Now()
	if c.OutAt != nil {
		end = *c.OutAt
	}
	err := tx.QueryRow(`SELECT 1 FROM org_attendance WHERE staff_id = $1 AND id <> $2 AND in_at < $3 AND (out_at IS NULL OR out_at > $4) LIMIT 1`,
		staff, but, end, c.InAt).Scan(&found)
	switch {
	case errors.Is(err, db.ErrNoRow):
		return nil
	case err == nil:
		return ErrOverlap.At("in_at")
	}
	return err
}

// CorrectAttendance replaces the times of a presence; both versions stay in the trail.
func (s *Org) CorrectAttendance(ctx context.Context, tx *db.Tx, one id.ID, c Correction) (*Presence, error) {
	if err := c.check(tx); err != nil {
		return nil, err
	}
	before, err := presence(tx, one)
	if err != nil {
		return nil, err
	}
	if !SitesOf(ctx, permManage).Has(before.SiteID) {
		return nil, ErrNotFound
	}
	if before.OutAt != nil && c.OutAt == nil {
		return nil, ErrStillThere.At("out_at")
	}
	if err := alone(tx, before.StaffID, one, c); err != nil {
		return nil, err
	}
	site, err := SiteByID(tx, before.SiteID)
	if err != nil {
		return nil, err
	}
	who := caller(ctx).ID
	if err := tx.ExecExactly(1, ErrNotFound, `UPDATE org_attendance SET business_date = $1, in_at = $2, out_at = COALESCE($3, out_at), cut = 0, corrected_by = $4, corrected_at = $5, reason = $6 WHERE id = $7`,
		site.BusinessDate(c.InAt), c.InAt, c.OutAt, who, tx.Now(), c.Reason, one); err != nil {
		return nil, err
	}
	after, err := presence(tx, one)
	if err != nil {
		return nil, err
	}
	if err := news(tx, one, site.ID); err != nil {
		return nil, err
	}
	return after, s.Audit(ctx, tx, "attendance.corrected", "attendance", one, site.ID, before, after)
}

// AddAttendance writes a presence that the clock missed.
func (s *Org) AddAttendance(ctx context.Context, tx *db.Tx, site *Site, staff id.ID, c Correction) (*Presence, error) {
	if c.OutAt == nil {
		return nil, ErrStillThere.At("out_at")
	}
	if err := c.check(tx); err != nil {
		return nil, err
	}
	if _, err := personFor(ctx, tx, permManage, staff); err != nil {
		return nil, errs.As(err).At("staff_id")
	}
	if err := alone(tx, staff, 0, c); err != nil {
		return nil, err
	}
	made, who := id.New(), caller(ctx).ID
	if err := tx.Exec(`INSERT INTO org_attendance (id, staff_id, site_id, business_date, in_at, out_at, cut, corrected_by, corrected_at, reason) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)`,
		made, staff, site.ID, site.BusinessDate(c.InAt), c.InAt, *c.OutAt, who, tx.Now(), c.Reason); err != nil {
		return nil, err
	}
	after, err := presence(tx, made)
	if err != nil {
		return nil, err
	}
	if err := news(tx, made, site.ID); err != nil {
		return nil, err
	}
	return after, s.Audit(ctx, tx, "attendance.added", "attendance", made, site.ID, nil, after)
}

// Worked is the work done at a site on a business date.
type Worked struct {
	Minutes int64 // until now of those who are still there
	Present int64 // people there now
	Cut     int64 // presences that ended with the day because nobody clocked out
}

var workedOn = db.NewMany(`SELECT a.site_id, a.business_date, SUM(COALESCE(a.out_at, CAST($1 AS BIGINT)) - a.in_at), SUM(CASE WHEN a.out_at IS NULL THEN 1 ELSE 0 END), SUM(a.cut)
FROM org_attendance a WHERE a.business_date >= $2 AND a.business_date <= $3 AND a.site_id IN (`, `?`, `) GROUP BY a.site_id, a.business_date`)

// WorkedAt sums the presences of sites by business date, both ends included. A day without any is missing.
func WorkedAt(tx *db.Tx, sites []id.ID, from, to cal.Date) (map[id.ID]map[cal.Date]Worked, error) {
	all := map[id.ID]map[cal.Date]Worked{}
	if len(sites) == 0 {
		return all, nil
	}
	args := []any{tx.Now().UnixMilli(), from, to}
	for _, s := range sites {
		args = append(args, s)
	}
	rows := tx.QueryMany(workedOn, args...)
	defer rows.Close()
	for rows.Next() {
		var site id.ID
		var date cal.Date
		var ms int64
		var w Worked
		if err := rows.Scan(&site, &date, &ms, &w.Present, &w.Cut); err != nil {
			return nil, err
		}
		if all[site] == nil {
			all[site] = map[cal.Date]Worked{}
		}
		w.Minutes = max(0, ms/60_000)
		all[site][date] = w
	}
	return all, rows.Err()
}

func (s *Org) attendanceRoutes(api *web.API) {
	type here struct {
		Body struct {
			SiteID id.ID `json:"site_id"`
		}
	}
	web.Post(api, web.Route{Path: "/api/attendance/in", Name: "clock-in", Summary: "Begin work at a site", Perm: permClock, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *here) (*Presence, error) {
			site, err := SiteFor(ctx, permClock, in.Body.SiteID)
			if err != nil {
				return nil, ErrNotFound.At("site_id")
			}
			return ClockIn(tx, site, caller(ctx).ID)
		})
	web.Post(api, web.Route{Path: "/api/attendance/out", Name: "clock-out", Summary: "End work at a site", Perm: permClock, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *here) (*Presence, error) {
			site, err := SiteFor(ctx, permClock, in.Body.SiteID)
			if err != nil {
				return nil, ErrNotFound.At("site_id")
			}
			p, err := ClockOut(tx, caller(ctx).ID)
			if err == nil && p.SiteID != site.ID { // he is there, but somewhere else
				return nil, ErrNotPresent.At("site_id")
			}
			return p, err
		})
	type mine struct {
		web.Paging
	}
	web.Get(api, web.Route{Path: "/api/attendance/me", Name: "my-attendance", Summary: "The caller's own presences, newest first", Scope: web.Self},
		func(ctx context.Context, tx *db.Tx, in *mine) (*web.Page[Presence], error) {
			all, err := scanPresences(tx, tx.Query(presencesOf, caller(ctx).ID, min(in.Limit, 31)))
			return &web.Page[Presence]{Items: all}, err
		})
	type list struct {
		web.Paging
		SiteID  id.ID    `query:"site_id"`
		StaffID id.ID    `query:"staff_id"`
		Date    cal.Date `query:"date" doc:"business date"`
	}
	web.Get(api, web.Route{Path: "/api/attendance", Name: "list-attendance", Summary: "Who was at work when, newest first", Perm: permManage, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *list) (*web.Page[Presence], error) {
			before := id.ID(1<<63 - 1)
			if _, err := in.Seek(&before); err != nil {
				return nil, err
			}
			all, err := scanPresences(tx, tx.Query(listPresences, append(SitesOf(ctx, permManage).Args(), before, in.SiteID, in.StaffID, in.Date, in.Limit+1)...))
			if err != nil {
				return nil, err
			}
			return web.PageOf(in.Paging, all, func(p Presence) string { return web.Cursor(p.ID) }), nil
		})
	type missed struct {
		Body struct {
			SiteID  id.ID `json:"site_id"`
			StaffID id.ID `json:"staff_id"`
			Correction
		}
	}
	web.Post(api, web.Route{Path: "/api/attendance", Name: "add-attendance", Summary: "Write down a presence that the clock missed", Perm: permManage, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *missed) (*Presence, error) {
			site, err := SiteFor(ctx, permManage, in.Body.SiteID)
			if err != nil {
				return nil, ErrNotFound.At("site_id")
			}
			return s.AddAttendance(ctx, tx, site, in.Body.StaffID, in.Body.Correction)
		})
	type correct struct {
		ID   id.ID `path:"id"`
		Body Correction
	}
	web.Put(api, web.Route{Path: "/api/attendance/{id}", Name: "correct-attendance", Summary: "Correct a presence", Perm: permManage, Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *correct) (*Presence, error) {
			return s.CorrectAttendance(ctx, tx, in.ID, in.Body)
		})
}
