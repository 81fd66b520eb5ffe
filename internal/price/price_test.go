package price_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/price"
)

type shop struct {
	t      *testing.T
	d      *dbtest.DB
	s      *price.Service
	goods  *catalog.Service
	a, b   id.ID // sites
	bun    *catalog.Product
	author id.ID
}

func each(t *testing.T, story func(s *shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := &shop{t: t, d: d, goods: catalog.New(d.DB), a: id.New(), b: id.New(), author: 7}
		s.s = price.New(d.DB, s.goods)
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			if err := tx.Exec(`INSERT INTO org_entity (id, code, name, tax_no, created_at) VALUES (1, 'E', 'E', '', 0)`); err != nil {
				return err
			}
			for i, site := range []id.ID{s.a, s.b} {
				if err := tx.Exec(`INSERT INTO org_site (id, code, name, kind, business, address, time_zone, day_start, open_at, close_at, entity_id, created_at)
					VALUES ($1, $2, $2, 'store', '', '', 'Asia/Shanghai', 240, 480, 1320, 1, 0)`, site, []string{"A", "B"}[i]); err != nil {
					return err
				}
			}
			var err error
			s.bun, err = s.goods.Create(tx, catalog.Draft{Code: "B1", Name: "bun", BaseUnit: "piece", TaxPct: 1300, Units: []catalog.UnitDraft{{Name: "piece", Num: 1}, {Name: "box", Num: 12}}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		story(s)
	}, dbtest.With(outbox.Migrations, org.Migrations, catalog.Migrations, price.Migrations))
}

func fen(f money.Fen) *money.Fen { return &f }

func (s *shop) try(site id.ID, from cal.Date, f *money.Fen) error {
	return s.d.Write(context.Background(), func(tx *db.Tx) error {
		_, err := s.s.Set(tx, s.author, price.Draft{ProductID: s.bun.ID, Unit: "piece", SiteID: site, ValidFrom: from, Price: f})
		return err
	})
}

func (s *shop) set(site id.ID, from cal.Date, f *money.Fen) {
	s.t.Helper()
	if err := s.try(site, from, f); err != nil {
		s.t.Fatal(err)
	}
}

// costs checks the price from the database and, after a refresh, from the copy: -1 is no price.
func (s *shop) costs(site id.ID, date cal.Date, want money.Fen) {
	s.t.Helper()
	unit := s.bun.Unit("piece").ID
	for _, how := range []string{"database", "copy"} {
		if how == "copy" {
			if err := s.s.Refresh(context.Background()); err != nil {
				s.t.Fatal(err)
			}
		}
		got := money.Fen(-1)
		if err := s.d.Read(context.Background(), func(tx *db.Tx) error {
			prices, err := s.s.At(tx, site, date, []id.ID{unit, 12345})
			if p, ok := prices[unit]; ok {
				got = p
			}
			if _, ok := prices[12345]; ok {
				s.t.Error("a unit that is not there has a price")
			}
			return err
		}); err != nil {
			s.t.Fatal(err)
		}
		if got != want {
			s.t.Errorf("by the %s on %s: %d, want %d", how, date, got, want)
		}
	}
}

const today = cal.Date("2026-03-02")

func TestTheNewestValidPriceWinsAndTheSitesOwnOverTheGroups(t *testing.T) {
	each(t, func(s *shop) {
		s.costs(s.a, today, -1)
		s.set(0, today, fen(250))
		s.costs(s.a, today, 250)
		s.costs(s.a, today.AddDays(-1), -1)
		s.set(0, today.AddDays(3), fen(300)) // announced
		s.costs(s.a, today.AddDays(2), 250)
		s.costs(s.a, today.AddDays(3), 300)
		s.set(s.a, today, fen(199))
		s.costs(s.a, today, 199)
		s.costs(s.b, today, 250)
		s.costs(s.a, today.AddDays(3), 199) // the group's newer price does not reach a site with its own
		s.costs(s.b, today.AddDays(3), 300)
		s.set(0, today, fen(260)) // corrected the same day: the later entry
		s.costs(s.b, today, 260)
		s.set(s.a, today.AddDays(5), nil) // the site's own price ends
		s.costs(s.a, today.AddDays(4), 199)
		s.costs(s.a, today.AddDays(5), 300)
		s.set(s.a, today.AddDays(6), fen(0)) // free, which is a price
		s.costs(s.a, today.AddDays(6), 0)
		s.set(0, today.AddDays(7), nil)
		s.costs(s.b, today.AddDays(7), -1)
		s.costs(s.a, today.AddDays(7), 0)
	})
}

func TestAPriceIsRefusedWithItsReason(t *testing.T) {
	each(t, func(s *shop) {
		for _, c := range []struct {
			name, field string
			want        error
			draft       price.Draft
		}{
			{"an unknown product", "product_id", catalog.ErrNoProduct, price.Draft{ProductID: 5, Unit: "piece", Price: fen(1)}},
			{"an unknown unit", "unit", catalog.ErrNoUnit, price.Draft{ProductID: s.bun.ID, Unit: "kg", Price: fen(1)}},
			{"below zero", "price_fen", price.ErrPrice, price.Draft{ProductID: s.bun.ID, Unit: "piece", Price: fen(-1)}},
			{"absurd", "price_fen", price.ErrPrice, price.Draft{ProductID: s.bun.ID, Unit: "piece", Price: fen(price.MaxPrice + 1)}},
			{"yesterday at a site", "valid_from", price.ErrDatePast, price.Draft{ProductID: s.bun.ID, Unit: "piece", SiteID: s.a, ValidFrom: today.AddDays(-1), Price: fen(1)}},
			{"long ago in the group", "valid_from", price.ErrDatePast, price.Draft{ProductID: s.bun.ID, Unit: "piece", ValidFrom: today.AddDays(-2), Price: fen(1)}},
			{"in ten years", "valid_from", price.ErrDateFar, price.Draft{ProductID: s.bun.ID, Unit: "piece", ValidFrom: today.AddDays(3653), Price: fen(1)}},
			{"no day", "valid_from", price.ErrDate, price.Draft{ProductID: s.bun.ID, Unit: "piece", ValidFrom: "2026-02-30", Price: fen(1)}},
			{"ending nothing", "price_fen", price.ErrNothing, price.Draft{ProductID: s.bun.ID, Unit: "piece", SiteID: s.a}},
			{"an unknown site", "site_id", org.ErrNotFound, price.Draft{ProductID: s.bun.ID, Unit: "piece", SiteID: 99, Price: fen(1)}},
		} {
			err := s.d.Write(context.Background(), func(tx *db.Tx) error {
				_, err := s.s.Set(tx, s.author, c.draft)
				return err
			})
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				s.t.Errorf("%s: got %v at %q, want %s at %q", c.name, err, e.Field, errs.Code(c.want), c.field)
			}
		}
		s.costs(s.a, today, -1)
	})
}

func TestTheCopyFollowsThisProcessAtOnceAndOthersWithARefresh(t *testing.T) {
	each(t, func(s *shop) {
		s.set(0, today, fen(100))
		s.costs(s.a, today, 100) // leaves a fresh copy
		s.set(0, today, fen(120))
		s.costs(s.a, today, 120)
		other := price.New(s.d.DB, s.goods) // another node
		if err := s.d.Write(context.Background(), func(tx *db.Tx) error {
			_, err := other.Set(tx, s.author, price.Draft{ProductID: s.bun.ID, Unit: "piece", SiteID: s.b, Price: fen(90)})
			return err
		}); err != nil {
			s.t.Fatal(err)
		}
		if err := s.s.Refresh(context.Background()); err != nil {
			s.t.Fatal(err)
		}
		s.costs(s.b, today, 90)
		s.costs(s.a, today, 120)
		// A copy begun today serves tomorrow, and what held before it began is asked of the database.
		s.d.Clock.Add(24 * time.Hour)
		s.set(0, today.AddDays(1), fen(130))
		s.costs(s.a, today.AddDays(1), 130)
		s.costs(s.a, today, 120)
	})
}
