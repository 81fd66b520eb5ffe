package stock

import (
	"errors"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

var (
	testSale   = ledger.DefineKind(900, "test_sale")
	testRefund = ledger.DefineKind(901, "test_refund")
	testCash   = ledger.DefineFlow(9101, ledger.DefineBook(90, "test_till"), "test_cash")
	testIncome = ledger.DefineFlow(9102, 90, "test_income")
)

const (
	bun   id.ID = 7_001 // piece
	tea   id.ID = 7_002 // g
	salad id.ID = 7_003 // piece
)

var (
	bakery = &org.Site{ID: 5_001, Code: "S1", Name: "Bakery", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, EntityID: 4_001}
	corner = &org.Site{ID: 5_002, Code: "S2", Name: "Corner", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, EntityID: 4_001}
)

var schema = dbtest.With(once.Migrations, jobs.Migrations, outbox.Migrations, org.Migrations, catalog.Migrations, ledger.Migrations, Migrations)

// shop is a site with three products and a clock.
type shop struct {
	t testing.TB
	d *dbtest.DB
}

func each(t *testing.T, story func(t *testing.T, s shop)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := open(t, d)
		story(t, s)
		if !t.Failed() {
			s.green()
		}
	}, schema)
}

func open(t testing.TB, d *dbtest.DB) shop {
	s := shop{t, d}
	s.must(func(tx *db.Tx) error {
		if err := tx.Exec(`INSERT INTO org_entity (id, code, name, tax_no, created_at) VALUES (4001, 'E', 'E', '', 0)`); err != nil {
			return err
		}
		for _, site := range []*org.Site{bakery, corner} {
			if err := tx.Exec(`INSERT INTO org_site (id, code, name, kind, business, address, time_zone, day_start, open_at, close_at, entity_id, created_at)
				VALUES ($1, $2, $3, $4, '', '', $5, $6, 0, 1440, $7, 0)`, site.ID, site.Code, site.Name, site.Kind, site.TimeZone, site.DayStart, site.EntityID); err != nil {
				return err
			}
		}
		for _, p := range []struct {
			id         id.ID
			code, name string
			base       string
			hours      int
		}{{bun, "P1", "Bun", "piece", 12}, {tea, "P2", "Tea", "g", 0}, {salad, "P3", "Salad", "piece", 24}} {
			if err := tx.Exec(`INSERT INTO catalog_product (id, code, name, search, base_unit, shelf_life_h, batch_size, tax_bp, state, version, created_at, changed_at)
				VALUES ($1, $2, $3, $4, $5, $6, 0, 1300, 'on_sale', 1, 0, 0)`, p.id, p.code, p.name, strings.ToLower(p.name), p.base, p.hours); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO catalog_sku (id, product_id) VALUES ($1, $1)`, p.id); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO catalog_unit (id, product_id, name, num, den, retired) VALUES ($1, $2, $3, 1, 1, 0)`, p.id*10, p.id, p.base); err != nil {
				return err
			}
		}
		return tx.Exec(`INSERT INTO catalog_unit (id, product_id, name, num, den, retired) VALUES ($1, $2, 'can', 250, 1, 0)`, tea*10+1, tea)
	})
	return s
}

func (s shop) try(fn func(tx *db.Tx) error) error { return s.d.Write(s.t.Context(), fn) }

func (s shop) must(fn func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.try(fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s shop) refused(want *errs.Error, field string, fn func(tx *db.Tx) error) *errs.Error {
	s.t.Helper()
	err := s.try(fn)
	e := errs.As(err)
	if !errors.Is(err, want) || e.Field != field {
		s.t.Errorf("want %s at %q, got %v", want.Code, field, err)
	}
	return e
}

// pieces is n whole base units.
func pieces(n int64) qty.Qty { return qty.Qty(n) * qty.Scale }

// receive brings n pieces in that are good for so long, and returns the batch.
func (s shop) receive(sku id.ID, n int64, cost money.Fen, life time.Duration) (batch id.ID) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		a := Arrival{SKU: sku, Qty: pieces(n), Cost: cost}
		if life > 0 {
			a.ExpiresAt = tx.Now().Add(life)
		}
		d, err := Receive(tx, Receipt{Header: Header{Site: bakery}, Lines: []Arrival{a}})
		if err == nil {
			batch = d.Lines[0].Batch
		}
		return err
	})
	return batch
}

func doc(kind ledger.Kind, site *org.Site, n id.ID) ledger.Document {
	return ledger.Document{Kind: kind, ID: n, Site: site.ID, Date: "2026-03-02"}
}

func takings(fen int64) ledger.Transfer {
	return ledger.Transfer{From: testIncome, To: testCash, Unit: ledger.CNY, Amount: fen}
}

// sell sells in one act and returns what was taken.
func (s shop) sell(wants ...Want) (takes []Take, err error) {
	for i := range wants {
		wants[i].Line = i
	}
	err = s.try(func(tx *db.Tx) error {
		p, err := Pick(tx, bakery.ID, wants)
		if err != nil {
			return err
		}
		takes = p.Takes
		return p.Sell(tx, doc(testSale, bakery, id.New()), takings(100))
	})
	return takes, err
}

func (s shop) sold(wants ...Want) []Take {
	s.t.Helper()
	takes, err := s.sell(wants...)
	if err != nil {
		s.t.Fatal(err)
	}
	return takes
}

func buns(n int64) Want { return Want{SKU: bun, Qty: pieces(n)} }

// batch checks what is in a batch: on hand, held, worth, open.
func (s shop) batch(b id.ID, onHand, held int64, worth money.Fen) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		v, err := batchByID(tx, b)
		if err != nil {
			return err
		}
		if v.Qty != pieces(onHand) || v.Held != pieces(held) || v.ValueFen != worth || v.Open != (onHand > 0) {
			s.t.Errorf("batch has %s (%s held) worth %d, open %v; want %d (%d) worth %d", v.Qty, v.Held, v.ValueFen, v.Open, onHand, held, worth)
		}
		return nil
	})
}

func (s shop) red() (red []string) {
	s.t.Helper()
	report, err := proof.Run(s.t.Context(), s.d.DB, append(ledger.Proofs(), Proofs()...))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red = append(red, p.Name)
			s.t.Log(p.Name, p.Evidence)
		}
	}
	return red
}

func (s shop) green() {
	s.t.Helper()
	if red := s.red(); len(red) > 0 {
		s.t.Errorf("red: %v", red)
	}
}

// events counts the news of a type.
func (s shop) events(kind string) (bodies []string) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		bodies = nil
		rows := tx.Query(`SELECT body FROM outbox_event WHERE type = $1 ORDER BY id`, kind)
		for rows.Next() {
			var b string
			if err := rows.Scan(&b); err != nil {
				return err
			}
			bodies = append(bodies, b)
		}
		return rows.Err()
	})
	return bodies
}
