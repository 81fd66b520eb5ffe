package stock

import (
	"errors"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

func TestAPendingPaymentHoldsItsGoods(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 5, 500, time.Hour)
		hold := func(n id.ID, q int64) error {
			return s.try(func(tx *db.Tx) error {
				p, err := Pick(tx, bakery.ID, []Want{buns(q)})
				if err != nil {
					return err
				}
				if err := p.Hold(tx, doc(testSale, bakery, n), tx.Now().Add(5*time.Minute)); err != nil {
					return err
				}
				if p.Takes[0].Cost != 0 {
					t.Errorf("held goods have no cost yet, got %d", p.Takes[0].Cost)
				}
				return nil
			})
		}
		if err := hold(1, 3); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 5, 3, 500)
		s.refused(ErrShort, "lines[0].qty", func(tx *db.Tx) error {
			_, err := Pick(tx, bakery.ID, []Want{buns(3)})
			return err
		})
		s.sold(buns(2)) // what is free is sold; the batch stays open for what is held
		s.batch(b, 3, 3, 300)
		capture := func(n id.ID, parts []qty.Qty) error {
			return s.try(func(tx *db.Tx) error {
				p, err := Capture(tx, bakery.ID, testSale, n, parts)
				if err != nil {
					return err
				}
				return p.Sell(tx, doc(testSale, bakery, n), takings(10))
			})
		}
		if err := capture(1, nil); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 0, 0, 0)
		if err := capture(1, nil); !errors.Is(err, ledger.ErrHoldSettled) {
			t.Errorf("a second capture: %v", err)
		}
		s.refused(ledger.ErrHoldSettled, "", func(tx *db.Tx) error { return Release(tx, testSale, 1) })
		s.refused(ledger.ErrNoHold, "", func(tx *db.Tx) error { return Release(tx, testSale, 2) })
		if err := capture(2, nil); !errors.Is(err, ledger.ErrNoHold) {
			t.Errorf("nothing to capture: %v", err)
		}

		// A part is taken, the rest is free again.
		b = s.receive(bun, 4, 400, time.Hour)
		if err := hold(3, 4); err != nil {
			t.Fatal(err)
		}
		if err := capture(3, []qty.Qty{pieces(5)}); !errors.Is(err, ErrQty) {
			t.Errorf("more than was held: %v", err)
		}
		if err := capture(3, []qty.Qty{pieces(1)}); err != nil {
			t.Fatal(err)
		}
		s.batch(b, 3, 0, 300)

		// Released, and released again.
		if err := hold(4, 2); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s.must(func(tx *db.Tx) error { return Release(tx, testSale, 4) })
			s.batch(b, 3, 0, 300)
		}
		if err := capture(4, nil); !errors.Is(err, ledger.ErrHoldSettled) {
			t.Errorf("a capture after release: %v", err)
		}

		// Expired: not to be captured even before the job has freed it.
		if err := hold(5, 2); err != nil {
			t.Fatal(err)
		}
		s.d.Clock.Add(5 * time.Minute)
		if err := capture(5, nil); !errors.Is(err, ledger.ErrHoldExpired) {
			t.Errorf("a capture after expiry: %v", err)
		}
		s.batch(b, 3, 2, 300)
		var freed int
		s.must(func(tx *db.Tx) (err error) { freed, err = ledger.Expire(tx); return err })
		if freed != 1 {
			t.Errorf("%d freed", freed)
		}
		s.batch(b, 3, 0, 300)
		if err := capture(5, nil); !errors.Is(err, ledger.ErrHoldExpired) {
			t.Errorf("a capture after it was freed: %v", err)
		}
		s.must(func(tx *db.Tx) error { return Release(tx, testSale, 5) })
	})
}

func TestHeldGoodsMayBeCapturedAfterTheirExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s shop) {
		b := s.receive(bun, 1, 50, time.Minute)
		s.must(func(tx *db.Tx) error {
			p, err := Pick(tx, bakery.ID, []Want{buns(1)})
			if err != nil {
				return err
			}
			return p.Hold(tx, doc(testSale, bakery, 1), tx.Now().Add(5*time.Minute))
		})
		s.d.Clock.Add(2 * time.Minute) // the customer stands there with it, the phone is slow
		s.must(func(tx *db.Tx) error {
			p, err := Capture(tx, bakery.ID, testSale, 1, nil)
			if err != nil {
				return err
			}
			return p.Sell(tx, doc(testSale, bakery, 1))
		})
		s.batch(b, 0, 0, 0)
	})
}
