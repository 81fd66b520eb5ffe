package stock

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

func (s shop) policy(scope Scope, rule Rule, life time.Duration) (p *Policy) {
	s.t.Helper()
	s.must(func(tx *db.Tx) (err error) { p, err = SetPolicy(tx, scope, rule, life, 0, 9); return err })
	return p
}

// came brings n buns in, an hour after what came before.
func (s shop) came(n int64, life time.Duration) id.ID {
	s.t.Helper()
	b := s.receive(bun, n, 700, life)
	s.d.Clock.Add(time.Hour)
	return b
}

// from sells so many buns and says of which batches.
func (s shop) from(n int64) (batches []id.ID) {
	s.t.Helper()
	for _, t := range s.sold(buns(n)) {
		batches = append(batches, t.Batch)
	}
	return batches
}

func (s shop) served(want, got []id.ID) {
	s.t.Helper()
	if len(want) != len(got) {
		s.t.Errorf("served by %v, not %v", got, want)
		return
	}
	for i := range want {
		if want[i] != got[i] {
			s.t.Errorf("served by %v, not %v", got, want)
		}
	}
}

func TestARuleSaysWhichBatchServesFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		old, late, big := s.came(4, 90*time.Hour), s.came(3, 30*time.Hour), s.came(9, 60*time.Hour)
		s.served([]id.ID{late}, s.from(1)) // without a rule what expires first

		p := s.policy(Scope{Product: bun}, FirstIn, 0)
		s.served([]id.ID{old}, s.from(1))
		s.must(func(tx *db.Tx) error {
			_, err := SetPolicy(tx, Scope{Product: bun}, FewestOne, 0, p.ID, 9)
			return err
		})
		s.served([]id.ID{late}, s.from(2))     // what is enough and expires first: all that is left of it
		s.served([]id.ID{big}, s.from(4))      // one that is enough, though another expires later
		s.served([]id.ID{big, old}, s.from(6)) // none is enough: the largest, then the other
		s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error { _, err := Pick(tx, bakery.ID, []Want{buns(3)}); return err })
	})
}

func TestTheRuleThatSaysMostDecides(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		const food, bread = 41, 42
		s.must(func(tx *db.Tx) error {
			if err := tx.Exec(`INSERT INTO catalog_category (id, parent_id, name, sort) VALUES (41, NULL, 'Food', 1), (42, 41, 'Bread', 1)`); err != nil {
				return err
			}
			return tx.Exec(`UPDATE catalog_product SET category_id = 42 WHERE id = $1`, bun)
		})
		decides := func(want string, site id.ID, use string, sku id.ID) {
			t.Helper()
			s.must(func(tx *db.Tx) error {
				known, err := bookOf(tx).get(tx)
				if err != nil {
					return err
				}
				got := "none"
				if p := known.decides(site, use, sku); p != nil {
					got = p.Rule.String() + " " + p.MinLife.String()
				}
				if got != want {
					t.Errorf("%s decides, not %s", got, want)
				}
				return nil
			})
		}
		decides("none", bakery.ID, "till", bun)
		s.policy(Scope{}, ByExpiry, time.Hour)
		s.policy(Scope{Site: bakery.ID}, ByExpiry, 2*time.Hour)
		s.policy(Scope{Channel: "phone"}, ByExpiry, 3*time.Hour)
		s.policy(Scope{Category: food}, FirstIn, 0)
		decides("first_in 0s", bakery.ID, "till", bun)
		decides("expiry 2h0m0s", bakery.ID, "phone", salad)
		decides("expiry 3h0m0s", corner.ID, "phone", salad)
		decides("expiry 1h0m0s", corner.ID, "till", salad)
		s.policy(Scope{Category: bread, Site: corner.ID}, FewestOne, 0)
		decides("fewest 0s", corner.ID, "till", bun)
		decides("first_in 0s", bakery.ID, "till", bun)
		p := s.policy(Scope{Product: bun}, ByExpiry, 0)
		decides("expiry 0s", corner.ID, "till", bun)
		s.must(func(tx *db.Tx) error { return EndPolicy(tx, p.ID, 9) })
		decides("fewest 0s", corner.ID, "till", bun)
		s.must(func(tx *db.Tx) error {
			past, err := Policies(tx, org.Sites{All: true}, true, 0, 50)
			now, err2 := Policies(tx, org.Sites{All: true}, false, 0, 50)
			if len(past) != 6 || len(now) != 5 || past[0].ID != p.ID || past[0].EndedBy != 9 {
				t.Errorf("in force %v, ever %v", now, past)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestGoodsWithTooLittleLifeLeftDoNotServe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		soon, later := s.receive(bun, 5, 500, 5*time.Hour), s.receive(bun, 5, 500, 48*time.Hour)
		s.policy(Scope{Channel: "platform"}, ByExpiry, 24*time.Hour)
		s.served([]id.ID{soon}, s.from(1)) // the till sells it
		p, err := s.keep("platform", buns(3))
		if err != nil {
			t.Fatal(err)
		}
		s.batch(later, 5, 3, 500)
		_, err = s.keep("platform", buns(3))
		if e := errs.As(err); !errors.Is(err, ErrLife) || e.Field != "lines[0].qty" {
			t.Errorf("a platform gets what ends today: %v", err)
		}
		if _, err := s.keep("phone", buns(6)); err != nil {
			t.Errorf("the phone has no such rule: %v", err)
		}
		if _, err := s.keep("platform", buns(1)); !errors.Is(err, ErrShort) {
			t.Errorf("nothing is left at all: %v", err)
		}
		if err := s.settlePromise(p, func(tx *db.Tx, p *Promise) error { return p.Free(tx, "released") }); err != nil {
			t.Fatal(err)
		}
		// Exactly as much as is asked is enough, a moment less is not.
		s.d.Clock.Add(24 * time.Hour)
		if _, err := s.keep("platform", buns(1)); err != nil {
			t.Error(err)
		}
		s.d.Clock.Add(time.Millisecond)
		if _, err := s.keep("platform", buns(1)); !errors.Is(err, ErrLife) {
			t.Errorf("a moment too late: %v", err)
		}
	})
}

func TestWhatIsPutAsideForAChannelKeepsItsRule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.receive(bun, 10, 1000, 30*time.Hour)
		s.bind(bun, "platform", 4, -1)
		s.policy(Scope{Product: bun, Channel: "platform"}, ByExpiry, 24*time.Hour)
		if _, err := s.keep("platform", buns(4)); err != nil {
			t.Fatal(err)
		}
		s.d.Clock.Add(10 * time.Hour)
		if _, err := s.keep("platform", buns(1)); !errors.Is(err, ErrLife) {
			t.Errorf("what was put aside has grown old: %v", err)
		}
	})
}

func TestManyBatchesServeByTheirRule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.policy(Scope{}, FirstIn, time.Hour)
		var want []id.ID
		for i := range 30 { // the later they come, the earlier they expire
			want = append(want, s.receive(bun, 1, 10, time.Duration(60-i)*time.Hour))
			s.d.Clock.Add(time.Minute)
		}
		s.served(want[:20], s.from(20))
		s.served(want[20:], s.from(10))
	})
}

func TestTheOrderOfBatchesIsShown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		old, late, soon := s.came(4, 90*time.Hour), s.came(3, 60*time.Hour), s.came(9, 20*time.Hour)
		s.policy(Scope{Site: bakery.ID}, FirstIn, 24*time.Hour)
		s.must(func(tx *db.Tx) error {
			p, rows, err := PickOrder(tx, bakery.ID, "till", bun, pieces(1), 10)
			if err == nil && (p == nil || len(rows) != 3 || rows[0].Batch != old || rows[1].Batch != late || rows[2].Batch != soon || !rows[2].Passed || rows[1].Passed) {
				t.Errorf("%+v by %+v", rows, p)
			}
			return err
		})
	})
}

func TestBadRulesAreTurnedAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		set := func(scope Scope, rule Rule, life time.Duration, replaces id.ID) func(*db.Tx) error {
			return func(tx *db.Tx) error { _, err := SetPolicy(tx, scope, rule, life, replaces, 9); return err }
		}
		p := s.policy(Scope{Product: bun}, FirstIn, 0)
		for _, x := range []struct {
			want  *errs.Error
			field string
			act   func(*db.Tx) error
		}{
			{ErrPolicyOf, "category_id", set(Scope{Product: bun, Category: 1}, FirstIn, 0, 0)},
			{ErrNoChannel, "channel", set(Scope{Channel: "radio"}, FirstIn, 0, 0)},
			{ErrPolicyRule, "rule", set(Scope{}, 4, 0, 0)},
			{ErrPolicyLife, "min_life_minutes", set(Scope{}, FirstIn, -time.Minute, 0)},
			{ErrPolicyLife, "min_life_minutes", set(Scope{}, FirstIn, maxLife+time.Minute, 0)},
			{ErrPolicyLife, "min_life_minutes", set(Scope{}, FirstIn, time.Second, 0)},
			{ErrNoSKU, "product_id", set(Scope{Product: 1}, FirstIn, 0, 0)},
			{ErrNoCategory, "category_id", set(Scope{Category: 1}, FirstIn, 0, 0)},
			{ErrPolicyChanged, "", set(Scope{Product: bun}, FewestOne, 0, 0)},    // there is one
			{ErrPolicyChanged, "", set(Scope{Product: bun}, FewestOne, 0, 1)},    // another one was seen
			{ErrPolicyChanged, "", set(Scope{Product: tea}, FewestOne, 0, p.ID)}, // it is of something else
			{ErrPolicyChanged, "", func(tx *db.Tx) error { return EndPolicy(tx, 1, 9) }},
			{ErrNoPolicy, "", func(tx *db.Tx) error { _, err := PolicyByID(tx, 1); return err }},
		} {
			s.refused(x.want, x.field, x.act)
		}
		s.must(func(tx *db.Tx) error { return EndPolicy(tx, p.ID, 9) })
		s.refused(ErrPolicyChanged, "", func(tx *db.Tx) error { return EndPolicy(tx, p.ID, 9) })
		s.refused(ErrPolicyChanged, "", set(Scope{Product: bun}, FewestOne, 0, p.ID))
	})
}

func TestOneOfManyChangesARule(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		p := s.policy(Scope{}, FirstIn, 0)
		won := 0
		for _, err := range together(12, func(int) error {
			return s.try(func(tx *db.Tx) error { _, err := SetPolicy(tx, Scope{}, FewestOne, 0, p.ID, 9); return err })
		}) {
			if err == nil {
				won++
			} else if !errors.Is(err, ErrPolicyChanged) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d of 12 changed the same version", won)
		}
	})
}

func TestBuyersByARuleGetExactlyWhatIsThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		s.policy(Scope{}, FewestOne, 0)
		for i := range 10 {
			s.receive(bun, int64(1+i%5), 10, time.Duration(1+i)*time.Hour)
		}
		for k, err := range together(30, func(int) error { _, err := s.sell(buns(1)); return err }) {
			if err != nil {
				t.Errorf("buyer %d: %v", k, err)
			}
		}
		if _, err := s.sell(buns(1)); !errors.Is(err, ErrShort) {
			t.Errorf("the 31st: %v", err)
		}
	})
}

func TestSomebodyOfOneSitePagesThroughAllRulesThatHoldThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		o := openOffice(t, d)
		role := o.done("POST", "/api/org/roles", m{"name": "仓管", "permissions": []string{"stock.read"}})["id"]
		staff := o.done("POST", "/api/org/staff", m{"name": "li", "display_name": "李", "password": "long-enough-7", "site_id": o.site})["id"].(string)
		body := []m{{"role_id": role, "scope_kind": "site", "scope_id": o.site}}
		if status, got, _ := o.send("PUT", "/api/org/staff/"+staff+"/grants", body); status != http.StatusOK {
			t.Fatal(status, got)
		}
		mine, err := id.Parse(o.site)
		if err != nil {
			t.Fatal(err)
		}
		// Between each rule of everywhere and of here lie two of sites that are not hers: whole pages of them, if they counted.
		var want, all []string
		for _, use := range []string{"", "till", "phone", "platform", "wholesale"} {
			for _, site := range []id.ID{0, bakery.ID, corner.ID, mine} {
				p := o.policy(Scope{Product: bun, Site: site, Channel: use}, FirstIn, 0)
				if all = append([]string{p.ID.String()}, all...); site == 0 || site == mine {
					want = append([]string{p.ID.String()}, want...)
				}
			}
		}
		pages := func(limit int) (seen []string) {
			t.Helper()
			for after := ""; ; {
				got := o.done("GET", fmt.Sprintf("/api/stock/pick-policies?limit=%d&after=%s", limit, after), nil)
				items := rows(got["items"])
				for _, p := range items {
					seen = append(seen, p["id"].(string))
				}
				if after, _ = got["next"].(string); after == "" {
					return seen
				}
				if len(items) != limit {
					t.Errorf("a page of %d that is not the last has %d rows", limit, len(items))
				}
			}
		}
		for _, limit := range []int{1, 3, 50} {
			if got := pages(limit); !slices.Equal(got, all) {
				t.Errorf("the office sees %v by %d, not %v", got, limit, all)
			}
		}
		if _, _, cookie := o.send("POST", "/api/sign-in", m{"name": "li", "password": "long-enough-7"}); cookie != "" {
			o.cookie = cookie
		} else {
			t.Fatal("not signed in")
		}
		for _, limit := range []int{1, 2, 3, 50} {
			if got := pages(limit); !slices.Equal(got, want) {
				t.Errorf("she sees %v by %d, not %v", got, limit, want)
			}
		}
	}, schema)
}
