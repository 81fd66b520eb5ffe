package price_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/price"
)

// change writes and approves a price change of the bun and returns it.
func (s *shop) change(site id.ID, from cal.Date, at time.Time, fen *money.Fen) id.ID {
	s.t.Helper()
	doc := s.draft(price.DocumentIn{SiteID: site, ValidFrom: from, ValidAt: at, Lines: []price.LineIn{{ProductID: s.bun.ID, Unit: "piece", PriceFen: fen}}})
	s.must(func(tx *db.Tx) error { return s.s.Approve(tx, s.author, doc, 1) })
	return doc
}

func (s *shop) draft(in price.DocumentIn) (doc id.ID) {
	s.t.Helper()
	s.must(func(tx *db.Tx) (err error) {
		doc, err = s.s.Write(tx, s.author, 0, in)
		return err
	})
	return doc
}

func (s *shop) must(act func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.d.Write(context.Background(), act); err != nil {
		s.t.Fatal(err)
	}
}

func TestAPriceChangeHoldsFromItsInstantAndNotBefore(t *testing.T) {
	each(t, func(s *shop) {
		s.set(0, today, fen(250))
		noon := s.d.Clock.Now().Add(2 * time.Hour)
		s.change(s.a, today, noon, fen(199))
		s.costs(s.a, today, 250)
		s.costs(s.b, today, 250)
		s.costs(s.a, today.AddDays(1), 199) // tomorrow it has long begun
		s.d.Clock.Add(2*time.Hour - time.Millisecond)
		s.costs(s.a, today, 250)
		s.d.Clock.Add(time.Millisecond)
		s.costs(s.a, today, 199)
		s.costs(s.b, today, 250)
		s.change(s.a, today, s.d.Clock.Now().Add(time.Hour), nil) // the site's own price ends at an instant
		s.costs(s.a, today, 199)
		s.d.Clock.Add(time.Hour)
		s.costs(s.a, today, 250)
	})
}

func TestOfTwoChangesTheLaterApprovedWins(t *testing.T) {
	each(t, func(s *shop) {
		s.set(0, today, fen(250))
		first := s.draft(price.DocumentIn{ValidFrom: today.AddDays(3), Lines: []price.LineIn{{ProductID: s.bun.ID, Unit: "piece", PriceFen: fen(300)}}})
		s.change(0, today.AddDays(3), time.Time{}, fen(310)) // written later, approved first
		s.costs(s.a, today.AddDays(3), 310)
		s.must(func(tx *db.Tx) error { return s.s.Approve(tx, s.author, first, 1) })
		s.costs(s.a, today.AddDays(3), 300)
		s.costs(s.a, today.AddDays(2), 250)
		s.must(func(tx *db.Tx) error { return s.s.Cancel(tx, s.author, first, "wrong list") })
		s.costs(s.a, today.AddDays(3), 310) // the other one holds again
		s.costs(s.a, today, 250)
	})
}

func TestAPriceChangeIsRefusedWithItsReason(t *testing.T) {
	each(t, func(s *shop) {
		s.set(0, today, fen(250))
		good := price.DocumentIn{ValidFrom: today.AddDays(2), Lines: []price.LineIn{{ProductID: s.bun.ID, Unit: "piece", PriceFen: fen(300)}}}
		for _, c := range []struct {
			what, field string
			want        error
			change      func(*price.DocumentIn)
		}{
			{"no lines", "lines", price.ErrDocLines, func(d *price.DocumentIn) { d.Lines = nil }},
			{"a unit twice", "lines[1].unit", price.ErrDocTwice, func(d *price.DocumentIn) { d.Lines = append(d.Lines, d.Lines[0]) }},
			{"a price below zero", "lines[0].price_fen", price.ErrPrice, func(d *price.DocumentIn) {
				d.Lines = []price.LineIn{{ProductID: s.bun.ID, Unit: "piece", PriceFen: fen(-1)}}
			}},
			{"last week", "valid_from", price.ErrDatePast, func(d *price.DocumentIn) { d.ValidFrom = today.AddDays(-7) }},
			{"an instant of another day", "valid_at", price.ErrDateTime, func(d *price.DocumentIn) { d.ValidAt = s.d.Clock.Now().AddDate(0, 0, 9) }},
			{"an instant that has passed", "valid_at", price.ErrDateTime, func(d *price.DocumentIn) { d.ValidFrom, d.ValidAt = today, s.d.Clock.Now().Add(-time.Minute) }},
		} {
			in := good
			in.Lines = append([]price.LineIn(nil), good.Lines...)
			c.change(&in)
			err := s.d.Write(context.Background(), func(tx *db.Tx) error { _, err := s.s.Write(tx, s.author, 0, in); return err })
			if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
				s.t.Errorf("%s: %v at %q", c.what, err, e.Field)
			}
		}
		try := func(what string, want error, act func(tx *db.Tx) error) {
			s.t.Helper()
			if err := s.d.Write(context.Background(), act); !errors.Is(err, want) {
				s.t.Errorf("%s: %v", what, err)
			}
		}
		doc := s.draft(good)
		try("approving what somebody has changed", catalog.ErrChanged, func(tx *db.Tx) error { return s.s.Approve(tx, 1, doc, 7) })
		try("cancelling without a reason", price.ErrDocReason, func(tx *db.Tx) error { return s.s.Cancel(tx, 1, doc, " ") })
		try("an unknown one", price.ErrNoDocument, func(tx *db.Tx) error { return s.s.Approve(tx, 1, 99, 1) })
		s.must(func(tx *db.Tx) error { return s.s.Approve(tx, 1, doc, 1) })
		try("approving twice", price.ErrDocState, func(tx *db.Tx) error { return s.s.Approve(tx, 1, doc, 2) })
		try("changing what is approved", price.ErrDocState, func(tx *db.Tx) error { _, err := s.s.Write(tx, 1, doc, good); return err })
		s.d.Clock.Add(48 * time.Hour)
		try("cancelling what is in force", price.ErrDocBegun, func(tx *db.Tx) error { return s.s.Cancel(tx, 1, doc, "late") })
		s.costs(s.a, today.AddDays(2), 300)
		old := s.draft(price.DocumentIn{ValidFrom: today.AddDays(3), Lines: good.Lines})
		s.d.Clock.Add(72 * time.Hour)
		try("approving what should have begun long ago", price.ErrDatePast, func(tx *db.Tx) error { return s.s.Approve(tx, 1, old, 1) })
		s.must(func(tx *db.Tx) error { return s.s.Cancel(tx, 1, old, "too late") })
		try("cancelling twice", price.ErrDocState, func(tx *db.Tx) error { return s.s.Cancel(tx, 1, old, "again") })
	})
}

func TestTheProofSeesABookThatDiffersFromItsDocuments(t *testing.T) {
	each(t, func(s *shop) {
		doc := s.change(0, today.AddDays(1), time.Time{}, fen(300))
		s.draft(price.DocumentIn{ValidFrom: today.AddDays(3), Lines: []price.LineIn{{ProductID: s.bun.ID, Unit: "piece", PriceFen: fen(1)}}})
		bad := func() int64 {
			report, err := proof.Run(context.Background(), s.d.DB, price.Proofs())
			if err != nil {
				s.t.Fatal(err)
			}
			return report.Proofs[0].Bad
		}
		if bad() != 0 {
			s.t.Error("red without a reason")
		}
		for _, damage := range []string{`UPDATE price_entry SET price_fen = 299 WHERE document_id = $1`, `UPDATE price_entry SET price_fen = 300, withdrawn = 1 WHERE document_id = $1`,
			`UPDATE price_entry SET withdrawn = 0, valid_from = '2026-03-09' WHERE document_id = $1`} {
			s.must(func(tx *db.Tx) error { return tx.Exec(damage, doc) })
			if bad() != 1 {
				s.t.Errorf("not seen: %s", damage)
			}
		}
		s.must(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE price_document SET state = 'cancelled' WHERE id = $1`, doc)
		})
		if bad() != 1 {
			s.t.Error("a cancelled change whose prices hold")
		}
	})
}
