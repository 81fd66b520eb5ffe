package org_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
)

func TestAStoreManagerSeesHisStoreAndNoOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		mine := c.first.Site.ID.String()
		otherEntity := c.done(admin, "POST", "/api/org/entities", m{"code": "E002", "name": "另一家"}).body["id"].(string)
		theirs := c.site(admin, "S777", otherEntity)
		_, stranger := c.hire(admin, "stranger", "cashier", "site", theirs, theirs)
		_, headOffice := c.hire(admin, "office", "cashier", "group", "", "")
		boss, _ := c.hire(admin, "wang", "store_manager", "site", mine, mine)

		for path, want := range map[string]string{
			"/api/org/sites":    "[S001]",
			"/api/org/entities": "[E001]",
			"/api/org/staff":    "[wang]",
		} {
			var got []string
			for _, x := range items(c.done(boss, "GET", path, nil)) {
				row := x.(m)
				if code, ok := row["code"]; ok {
					got = append(got, code.(string))
				} else {
					got = append(got, row["name"].(string))
				}
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%s shows %v, want %v", path, got, want)
			}
		}
		for _, e := range items(c.done(boss, "GET", "/api/org/audit", nil)) {
			if site := e.(m)["site_id"]; site != mine {
				t.Errorf("the trail shows %v", e)
			}
		}
		for _, path := range []string{"/api/org/sites/" + theirs, "/api/org/entities/" + otherEntity, "/api/org/staff/" + stranger, "/api/org/staff/" + headOffice,
			"/api/org/sites/" + id.New().String()} {
			c.refused("not_found", c.call(boss, "GET", path, nil))
		}
		site := m{"code": "S777", "name": "mine now", "kind": "store", "entity_id": otherEntity}
		c.refused("not_found", c.call(boss, "PUT", "/api/org/sites/"+theirs, site))
		c.refused("not_found", c.call(boss, "PUT", "/api/org/staff/"+stranger, m{"display_name": "x"}))
		c.refused("not_found", c.call(boss, "PUT", "/api/org/staff/"+stranger+"/grants", []m{}))
		c.refused("not_found", c.call(boss, "POST", "/api/org/staff/"+stranger+"/disable", m{}))
		c.refused("not_found", c.call(boss, "POST", "/api/org/staff", m{"name": "spy", "display_name": "x", "password": "long-enough-7", "site_id": theirs}))
		c.refused("not_found", c.call(boss, "POST", "/api/org/staff", m{"name": "spy", "display_name": "x", "password": "long-enough-7"}))
		c.refused("entity_unknown", c.call(boss, "POST", "/api/org/sites", m{"code": "S9", "name": "x", "kind": "store", "entity_id": otherEntity}))
		c.refused("entity_unknown", c.call(boss, "PUT", "/api/org/sites/"+mine, m{"code": "S001", "name": "x", "kind": "store", "entity_id": otherEntity}))
		c.refused("no_permission", c.call(boss, "PUT", "/api/org/group", m{"name": "mine"}))
		c.refused("no_permission", c.call(boss, "POST", "/api/org/entities", m{"code": "E9", "name": "x"}))
		c.refused("no_permission", c.call(boss, "POST", "/api/org/roles", m{"name": "x", "permissions": []string{"till.sell"}}))
		if name := c.done(admin, "GET", "/api/org/sites/"+theirs, nil).body["name"]; name != "店 S777" {
			t.Errorf("the foreign store is now called %v", name)
		}
		// His own store he may change.
		c.done(boss, "PUT", "/api/org/sites/"+mine, m{"code": "S001", "name": "街角店", "kind": "store", "entity_id": c.first.Entity.ID.String(), "day_start": "05:30"})
		if s := c.done(boss, "GET", "/api/org/sites/"+mine, nil).body; s["name"] != "街角店" || s["day_start"] != "05:30" {
			t.Errorf("%v", s)
		}
		c.proven()
	}, schema)
}

func TestNobodyGrantsMoreThanHeHolds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		mine := c.first.Site.ID.String()
		entity := c.first.Entity.ID.String()
		theirs := c.site(admin, "S002", entity)
		boss, self := c.hire(admin, "wang", "store_manager", "site", mine, mine)
		_, li := c.hire(admin, "li", "cashier", "site", mine, mine)
		grant := func(role, kind, scope string) []m {
			return []m{{"role_id": c.roles[role].String(), "scope_kind": kind, "scope_id": scope}}
		}
		put := func(staff string, g []m) answer { return c.call(boss, "PUT", "/api/org/staff/"+staff+"/grants", g) }

		c.refused("grant_beyond_own", put(li, grant("administrator", "site", mine)))
		c.refused("scope_unknown", put(li, grant("cashier", "site", theirs)))
		c.refused("scope_unknown", put(li, grant("cashier", "entity", entity)))
		c.refused("scope_unknown", put(li, grant("cashier", "group", "")))
		c.refused("scope_unknown", put(self, grant("store_manager", "group", "")))
		c.refused("grant_beyond_own", put(self, grant("administrator", "site", mine)))
		c.refused("role_unknown", put(li, []m{{"role_id": id.New().String(), "scope_kind": "site", "scope_id": mine}}))
		c.refused("not_a_choice", put(li, grant("cashier", "planet", mine)))
		if a := put(li, append(grant("cashier", "site", mine), grant("cashier", "site", theirs)...)); a.field != "[1].scope_id" {
			t.Errorf("the second grant is at fault, the answer points to %q", a.field)
		}
		c.done(boss, "PUT", "/api/org/staff/"+li+"/grants", grant("store_manager", "site", mine))

		// Someone mightier who belongs to his store is not his to change.
		_, mighty := c.hire(admin, "zhao", "administrator", "entity", entity, mine)
		c.refused("staff_outranks", c.call(boss, "PUT", "/api/org/staff/"+mighty, m{"display_name": "x", "site_id": mine, "password": "mine-now-12"}))
		c.refused("staff_outranks", put(mighty, []m{}))
		c.refused("staff_outranks", c.call(boss, "POST", "/api/org/staff/"+mighty+"/disable", m{}))

		// A role is changed only by one who holds all of it over the group.
		made := c.done(admin, "POST", "/api/org/roles", m{"name": "验货", "permissions": []string{"till.sell"}}).body["id"].(string)
		c.refused("permission_unknown", c.call(admin, "PUT", "/api/org/roles/"+made, m{"name": "验货", "permissions": []string{"fly"}}))
		c.refused("role_built_in", c.call(admin, "PUT", "/api/org/roles/"+c.roles["cashier"].String(), m{"name": "收银员", "permissions": []string{"till.void"}}))
		c.refused("role_name_taken", c.call(admin, "POST", "/api/org/roles", m{"name": "验货", "permissions": []string{}}))
		wide, _ := c.hire(admin, "sun", "store_manager", "group", "", "")
		c.refused("grant_beyond_own", c.call(wide, "PUT", "/api/org/roles/"+made, m{"name": "验货", "permissions": []string{"till.sell", "till.void"}}))
		c.done(wide, "PUT", "/api/org/roles/"+made, m{"name": "验货", "permissions": []string{"till.sell", "org.read"}})
		c.proven()
	}, schema)
}

func TestARoleThatChangesReachesAllWhoHoldIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		mine := c.first.Site.ID.String()
		role := c.done(admin, "POST", "/api/org/roles", m{"name": "看店", "permissions": []string{"till.sell"}}).body["id"].(string)
		c.roles["watch"], _ = id.Parse(role)
		cookie, _ := c.hire(admin, "li", "watch", "site", mine, mine)
		c.refused("no_permission", c.call(cookie, "GET", "/api/org/sites", nil))
		c.done(admin, "PUT", "/api/org/roles/"+role, m{"name": "看店", "permissions": []string{"till.sell", "org.read"}})
		c.done(cookie, "GET", "/api/org/sites/"+mine, nil)
		c.done(admin, "PUT", "/api/org/roles/"+role, m{"name": "看店", "permissions": []string{"till.sell"}})
		c.refused("no_permission", c.call(cookie, "GET", "/api/org/sites", nil))
		c.proven()
	}, schema)
}

func TestANewSiteIsInReachOfItsEntitysManager(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		first := c.first.Entity.ID.String()
		second := c.done(admin, "POST", "/api/org/entities", m{"code": "E002", "name": "另一家"}).body["id"].(string)
		boss, _ := c.hire(admin, "wang", "store_manager", "entity", first, c.first.Site.ID.String())
		s := c.site(boss, "S100", first)
		c.done(boss, "GET", "/api/org/sites/"+s, nil)
		c.refused("site_code_taken", c.call(boss, "POST", "/api/org/sites", m{"code": "S100", "name": "x", "kind": "store", "entity_id": first}))
		c.proven()
		// It moves to the other entity, and out of his reach.
		c.done(admin, "PUT", "/api/org/sites/"+s, m{"code": "S100", "name": "x", "kind": "store", "entity_id": second})
		c.refused("not_found", c.call(boss, "GET", "/api/org/sites/"+s, nil))
		c.proven()
	}, schema)
}

func TestThereIsAlwaysAnAdministrator(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		self := c.done(admin, "GET", "/api/me", nil).body["id"].(string)
		c.refused("last_administrator", c.call(admin, "PUT", "/api/org/staff/"+self+"/grants", []m{}))
		c.refused("last_administrator", c.call(admin, "PUT", "/api/org/staff/"+self+"/grants",
			[]m{{"role_id": c.roles["administrator"].String(), "scope_kind": "entity", "scope_id": c.first.Entity.ID.String()}}))
		second, other := c.hire(admin, "second", "administrator", "group", "", "")
		c.done(second, "POST", "/api/org/staff/"+self+"/disable", m{})
		c.refused("last_administrator", c.call(second, "PUT", "/api/org/staff/"+other+"/grants", []m{}))
		c.proven()
	}, schema)
}

func TestTwoAdministratorsCannotRemoveEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		for round := range 5 {
			admin := c.admin()
			adminID := c.done(admin, "GET", "/api/me", nil).body["id"].(string)
			second, secondID := c.hire(admin, fmt.Sprintf("second%d", round), "administrator", "group", "", "")
			got := make(chan answer, 2)
			for _, x := range [][2]string{{admin, secondID}, {second, adminID}} {
				one := *c
				one.keys = 1000*(round+1) + len(x[0]) + len(got)
				go func() { got <- one.call(x[0], "POST", "/api/org/staff/"+x[1]+"/disable", m{}) }()
			}
			a, b := <-got, <-got
			if (a.status == 200) == (b.status == 200) {
				t.Fatalf("both or none removed the other: %v, %v", a, b)
			}
			c.wall.Add(time.Second)
			if c.call(admin, "GET", "/api/me", nil).status == 200 {
				continue // the second is gone
			}
			c.done(second, "POST", "/api/org/staff/"+adminID+"/disable", m{"disabled": false})
			a = c.signIn("admin", adminPassword)
			c.done(a.cookie, "POST", "/api/org/staff/"+secondID+"/disable", m{})
		}
		c.proven()
	}, schema)
}

func TestTheTrailTellsWhoDidWhatAndNoSecret(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		mine := c.first.Site.ID.String()
		_, li := c.hire(admin, "li", "cashier", "site", mine, mine)
		c.done(admin, "PUT", "/api/org/staff/"+li, m{"display_name": "李四", "site_id": mine, "password": "a-canary-secret-1"})
		trail := c.done(admin, "GET", "/api/org/audit?limit=200&subject_kind=staff&subject_id="+li, nil)
		var acts []string
		for _, e := range items(trail) {
			acts = append(acts, e.(m)["act"].(string))
		}
		if fmt.Sprint(acts) != "[password.reset grants.changed staff.created]" {
			t.Errorf("trail: %v", acts)
		}
		last := items(trail)[0].(m)
		if last["staff_name"] != "管理员" || last["before"].(m)["display_name"] != "li" || last["after"].(m)["display_name"] != "李四" {
			t.Errorf("%v", last)
		}
		if all := fmt.Sprint(c.done(admin, "GET", "/api/org/audit?limit=200", nil).body); strings.Contains(all, "canary") || strings.Contains(all, "argon2") {
			t.Error("the trail shows a password")
		}
	}, schema)
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		for i := range 7 {
			c.site(admin, fmt.Sprintf("T%03d", i), c.first.Entity.ID.String())
		}
		var seen []string
		after := ""
		for {
			page := c.done(admin, "GET", "/api/org/sites?limit=3&after="+after, nil)
			for _, x := range items(page) {
				seen = append(seen, x.(m)["code"].(string))
			}
			if after = page.body["next"].(string); after == "" {
				break
			}
		}
		if fmt.Sprint(seen) != "[S001 T000 T001 T002 T003 T004 T005 T006]" {
			t.Errorf("%v", seen)
		}
		if got := items(c.done(admin, "GET", "/api/org/sites?q=t00&kind=store", nil)); len(got) != 7 {
			t.Errorf("%d sites found, want 7", len(got))
		}
		if got := items(c.done(admin, "GET", "/api/org/sites?q=%25", nil)); len(got) != 0 {
			t.Errorf("a percent sign found %d sites", len(got))
		}
		c.refused("too_high", c.call(admin, "GET", "/api/org/sites?limit=201", nil))
		c.refused("cursor_bad", c.call(admin, "GET", "/api/org/sites?after=MQ", nil))
		c.refused("cursor_bad", c.call(admin, "GET", "/api/org/sites?after=!!", nil))
		c.refused("not_a_choice", c.call(admin, "GET", "/api/org/sites?kind=moon", nil))
		c.refused("field_unknown", c.call(admin, "GET", "/api/org/sites?sort=name", nil))
		c.refused("address_bad", c.call(admin, "GET", "/api/org/sites?sort=name;drop", nil))
	}, schema)
}

func TestWhatASiteMustBe(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := open(t, d)
		admin := c.admin()
		entity := c.first.Entity.ID.String()
		site := func(change m) m {
			s := m{"code": "S9", "name": "店", "kind": "store", "entity_id": entity}
			for k, v := range change {
				s[k] = v
			}
			return s
		}
		for _, x := range []struct {
			change      m
			code, field string
		}{
			{m{"time_zone": "Mars/Base"}, "time_zone_bad", "time_zone"},
			{m{"time_zone": "Local"}, "time_zone_bad", "time_zone"},
			{m{"time_zone": "../../etc/passwd"}, "time_zone_bad", "time_zone"},
			{m{"day_start": "24:00"}, "day_start_bad", "day_start"},
			{m{"day_start": "4:00"}, "time_of_day_bad", "day_start"},
			{m{"open": "12:60"}, "time_of_day_bad", "open"},
			{m{"close": 1320}, "text_wanted", "close"},
			{m{"kind": "branch"}, "not_a_choice", "kind"},
			{m{"code": "S 9"}, "format_bad", "code"},
			{m{"code": ""}, "too_short", "code"},
			{m{"name": strings.Repeat("店", 81)}, "too_long", "name"},
			{m{"name": "a\u0000b"}, "text_bad", "name"},
			{m{"entity_id": id.New().String()}, "entity_unknown", "entity_id"},
			{m{"entity_id": 12}, "text_wanted", "entity_id"},
			{m{"entity_id": "-1"}, "id_bad", "entity_id"},
			{m{"id": "1"}, "field_unknown", "id"},
			{m{"created_at": 1}, "field_unknown", "created_at"},
		} {
			if a := c.call(admin, "POST", "/api/org/sites", site(x.change)); a.code != x.code || a.field != x.field {
				t.Errorf("%v: got %v, want %s at %s", x.change, a, x.code, x.field)
			}
		}
		if got := items(c.done(admin, "GET", "/api/org/sites", nil)); len(got) != 1 {
			t.Errorf("a refused site is there: %d", len(got))
		}
	}, schema)
}

func TestABusinessDayBeginsWhenTheSiteSays(t *testing.T) {
	s := org.Site{TimeZone: "Asia/Shanghai", DayStart: 4 * 60}
	for at, want := range map[string]string{
		"2026-03-02T19:59:59Z": "2026-03-02", // 03:59 in Shanghai: still the day before
		"2026-03-02T20:00:00Z": "2026-03-03",
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.BusinessDate(instant); string(got) != want {
			t.Errorf("%s belongs to %s, want %s", at, got, want)
		}
	}
}

func TestASiteOutOfReachLooksAsIfItWereNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		open(t, d)
		if _, err := org.SiteFor(context.Background(), "org.read", 1); errs.Code(err) != "not_found" {
			t.Errorf("without a caller: %v", err)
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error { _, err := org.SiteByID(tx, 1); return err })
		if errs.Code(err) != "not_found" {
			t.Errorf("%v", err)
		}
	}, schema)
}

func TestTheProofsSeeWhatWasTamperedWith(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		for name, sql := range map[string]string{
			"org_reach_follows_grants": `INSERT INTO org_reach (staff_id, perm, site_id) VALUES (7, 'till.sell', 0)`,
			"org_has_an_administrator": `UPDATE org_staff SET disabled = 1`,
		} {
			c := open(t, d)
			c.proven()
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(sql) }); err != nil {
				t.Fatal(err)
			}
			r, err := proof.Run(t.Context(), d.DB, org.Proofs())
			if err != nil || r.OK {
				t.Errorf("not seen: %s (%v)", sql, err)
			}
			for _, p := range r.Proofs {
				if p.Name == name && (p.Bad == 0 || len(p.Evidence) == 0) {
					t.Errorf("%s does not name it: %+v", name, p)
				}
			}
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				if err := tx.Exec(`DELETE FROM org_reach WHERE staff_id = 7`); err != nil {
					return err
				}
				return tx.Exec(`UPDATE org_staff SET disabled = 0`)
			}); err != nil {
				t.Fatal(err)
			}
		}
	}, schema)
}
