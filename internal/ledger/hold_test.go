package ledger

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

func (s shop) hold(n int64, ts ...Transfer) error {
	return s.try(func(tx *db.Tx) error {
		l, err := Lock(tx, kept(ts)...)
		if err != nil {
			return err
		}
		return l.Hold(tx, on(n), tx.Now().Add(time.Hour), ts...)
	})
}

func (s shop) held(n int64, ts ...Transfer) {
	s.t.Helper()
	if err := s.hold(n, ts...); err != nil {
		s.t.Fatal(err)
	}
}

func (s shop) capture(n int64, amounts []int64) error {
	return s.try(func(tx *db.Tx) error { return Capture(tx, slip, id.ID(n), on(n+100), amounts) })
}

func (s shop) void(n int64) error {
	return s.try(func(tx *db.Tx) error { return Void(tx, slip, id.ID(n)) })
}

func TestWhatIsHeldIsPromisedAndHasNotMoved(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		s.held(2, Transfer{From: jar, To: tin, Unit: tea, Amount: 60})
		s.has(jar, 100, 40)
		s.has(tin, 0, 0)
		if st := s.state(tin); st.PendingIn != 60 {
			t.Errorf("the tin expects %d", st.PendingIn)
		}
		if err := s.apply(on(3), out(jar, tea, 41)); !errors.Is(err, ErrFloor) {
			t.Errorf("taking what is promised: %v", err)
		}
		if err := s.hold(3, out(jar, tea, 41)); !errors.Is(err, ErrFloor) {
			t.Errorf("promising it twice: %v", err)
		}
		if err := s.apply(on(3), out(tin, tea, 1)); !errors.Is(err, ErrFloor) {
			t.Errorf("taking what has not come yet: %v", err)
		}
		s.booked(on(3), out(jar, tea, 40))
		s.has(jar, 60, 0)
	})
}

func TestAHoldSettlesOnce(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100), in(sack, rice, 100))
		s.held(2, out(jar, tea, 60), out(sack, rice, 10))
		if err := s.capture(2, []int64{20, 10}); err != nil {
			t.Fatal(err)
		}
		s.has(jar, 80, 80) // the rest is free
		s.has(sack, 90, 90)
		if legs := s.legs(102); len(legs) != 2 || legs[0].Amount != 20 || legs[1].Transfer.Leg != 2 {
			t.Errorf("booked %+v", legs)
		}
		if err := s.capture(2, []int64{20, 10}); err != nil {
			t.Errorf("the same capture again: %v", err)
		}
		s.has(jar, 80, 80)
		for _, other := range [][]int64{{21, 10}, {60, 10}, nil} {
			if err := s.capture(2, other); !errors.Is(err, ErrHoldSettled) {
				t.Errorf("another capture: %v", err)
			}
		}
		if err := s.void(2); !errors.Is(err, ErrHoldSettled) {
			t.Errorf("void after capture: %v", err)
		}

		s.held(3, out(jar, tea, 80))
		for range 2 {
			if err := s.void(3); err != nil {
				t.Errorf("void: %v", err)
			}
			s.has(jar, 80, 80)
		}
		if err := s.capture(3, nil); !errors.Is(err, ErrHoldSettled) {
			t.Errorf("capture after void: %v", err)
		}

		s.held(4, out(jar, tea, 80))
		if err := s.capture(4, nil); err != nil {
			t.Fatal(err)
		}
		s.has(jar, 0, 0)

		s.held(5, out(sack, rice, 5), out(sack, rice, 6))
		for range 2 {
			if err := s.capture(5, []int64{0, 0}); err != nil {
				t.Errorf("capturing nothing: %v", err)
			}
		}
		s.has(sack, 90, 90)
		s.held(6, out(sack, rice, 5), out(sack, rice, 6))
		if err := s.capture(6, []int64{0, 6}); err != nil {
			t.Errorf("capturing one leg: %v", err)
		}
		s.has(sack, 84, 84)
	})
}

func TestBadHoldsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		s.held(2, out(jar, tea, 60))
		for what, c := range map[string]struct {
			want *errs.Error
			err  error
		}{
			"from a flow":       {ErrBadDocument, s.hold(3, in(jar, tea, 1))},
			"nothing":           {ErrAmount, s.hold(3, out(jar, tea, 0))},
			"less than nothing": {ErrAmount, s.hold(3, out(jar, tea, -1))},
			"other unit":        {ErrUnit, s.hold(3, out(jar, rice, 1))},
			"no account":        {ErrNoAccount, s.hold(3, out(999, tea, 1))},
			"too large":         {ErrTooLarge, s.hold(3, out(jar, tea, math.MaxInt64), out(jar, tea, 1))},
			"capture too much":  {ErrAmount, s.capture(2, []int64{61})},
			"capture negative":  {ErrAmount, s.capture(2, []int64{-1})},
			"amounts missing":   {ErrBadDocument, s.capture(2, []int64{1, 2})},
			"unknown":           {ErrNoHold, s.capture(99, nil)},
			"unknown to void":   {ErrNoHold, s.void(99)},
			"into the past": {ErrHoldExpired, s.try(func(tx *db.Tx) error {
				l, err := Lock(tx, jar)
				if err != nil {
					return err
				}
				return l.Hold(tx, on(3), tx.Now(), out(jar, tea, 1))
			})},
		} {
			if !errors.Is(c.err, c.want) {
				t.Errorf("%s: want %s, got %v", what, c.want.Code, c.err)
			}
		}
		if err := s.hold(2, out(jar, tea, 1)); !db.Violates(err, "ledger_hold_pkey") {
			t.Errorf("a second hold of the same leg: %v", err)
		}
		s.has(jar, 100, 40)
	})
}

func TestAHoldExpiresByTheBusinessClock(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1000))
		for n := range int64(5) {
			s.held(10+n, out(jar, tea, 10), out(jar, tea, 20))
		}
		if err := s.capture(10, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.void(11); err != nil {
			t.Fatal(err)
		}
		expire := func() (n int) {
			s.must(func(tx *db.Tx) (err error) { n, err = Expire(tx); return err })
			return n
		}
		s.d.Clock.Add(time.Hour - time.Millisecond)
		if n := expire(); n != 0 {
			t.Errorf("%d expired too early", n)
		}
		s.d.Clock.Add(time.Millisecond)
		if err := s.capture(12, nil); !errors.Is(err, ErrHoldExpired) {
			t.Errorf("captured at its end: %v", err)
		}
		s.has(jar, 970, 970-90)
		if n := expire(); n != 6 {
			t.Errorf("%d legs expired, want 6", n)
		}
		s.has(jar, 970, 970)
		if n := expire(); n != 0 {
			t.Errorf("%d expired again", n)
		}
		if err := s.capture(12, nil); !errors.Is(err, ErrHoldExpired) {
			t.Errorf("captured after it: %v", err)
		}
		if err := s.void(12); err != nil {
			t.Errorf("void after it: %v", err)
		}
	})
}

func TestManyHoldsExpireInSteps(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 1_000_000))
		var ts []Transfer
		for range 300 {
			ts = append(ts, out(jar, tea, 7))
		}
		for n := range int64(3) {
			s.held(10+n, ts...)
		}
		s.d.Clock.Add(2 * time.Hour)
		var first int
		s.must(func(tx *db.Tx) (err error) { first, err = Expire(tx); return err })
		rest, err := ExpireHolds(t.Context(), s.d.DB)
		if err != nil || first == 0 || rest == 0 || first+rest != 900 {
			t.Errorf("%d and %d expired, %v", first, rest, err)
		}
		s.has(jar, 1_000_000, 1_000_000)
	})
}

// together lets n act at the same moment.
func together(n int, act func(k int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			<-start
			errs[k] = act(k)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func TestThirtyTakersAskForExactlyWhatIsThere(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 30))
		for k, err := range together(30, func(k int) error { return s.apply(on(int64(10+k)), out(jar, tea, 1)) }) {
			if err != nil {
				t.Errorf("taker %d: %v", k, err)
			}
		}
		s.has(jar, 0, 0)
		for k, err := range together(4, func(k int) error { return s.apply(on(int64(60+k)), out(jar, tea, 1)) }) {
			if !errors.Is(err, ErrFloor) {
				t.Errorf("late taker %d: %v", k, err)
			}
		}
	})
}

func TestTwinsBookOneDocumentOnce(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100), in(tin, tea, 100))
		for k, err := range together(12, func(k int) error { return s.apply(on(2), out(jar, tea, 7), out(tin, tea, 3)) }) {
			if err != nil {
				t.Errorf("twin %d: %v", k, err)
			}
		}
		s.has(jar, 93, 93)
		s.has(tin, 97, 97)
	})
}

func TestOneOfManySettlesAHold(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 100))
		for round := range int64(5) {
			n := 10 + round
			s.held(n, out(jar, tea, 5))
			captured := together(12, func(k int) error {
				if k%3 == 0 {
					return s.void(n)
				}
				return s.capture(n, nil)
			})
			won := 0
			for k, err := range captured {
				switch {
				case err == nil && k%3 != 0:
					won++
				case err != nil && !errors.Is(err, ErrHoldSettled):
					t.Errorf("%d: %v", k, err)
				}
			}
			st := s.state(jar)
			if taken := len(s.legs(n + 100)); taken > 1 || (taken == 1) != (won > 0) || st.PendingOut != 0 {
				t.Errorf("booked %d times, %d captures say they did it, %d pending", taken, won, st.PendingOut)
			}
		}
	})
}

// Transfers in all directions between few accounts: whoever locks them in any order but one gets stuck.
func TestCrossingTransfersDoNotBlockEachOther(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.booked(on(1), in(jar, tea, 10_000), in(tin, tea, 10_000))
		for k, err := range together(8, func(k int) error {
			r := rand.New(rand.NewPCG(7, uint64(k)))
			for n := range 20 {
				doc := on(int64(1000*k + n + 100))
				a, b := jar, tin
				if r.IntN(2) == 0 {
					a, b = b, a
				}
				ts := []Transfer{{From: a, To: b, Unit: tea, Amount: 1 + r.Int64N(5)}, out(b, tea, 1), out(a, tea, 1)}
				var err error
				if r.IntN(3) == 0 {
					err = s.try(func(tx *db.Tx) error {
						l, err := Lock(tx, b, a)
						if err != nil {
							return err
						}
						return l.Hold(tx, doc, tx.Now().Add(time.Hour), ts...)
					})
					if err == nil && r.IntN(2) == 0 {
						err = s.try(func(tx *db.Tx) error { return Void(tx, slip, doc.ID) })
					}
				} else {
					err = s.apply(doc, ts...)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("%d: %v", k, err)
			}
		}
		a, b := s.state(jar), s.state(tin)
		var left int64
		s.must(func(tx *db.Tx) (err error) {
			left, err = FlowSum(tx, gone, site, day, day, tea)
			return err
		})
		if a.Balance()+b.Balance()+left != 20_000 {
			t.Errorf("%d and %d are left, %d is gone, of 20000", a.Balance(), b.Balance(), left)
		}
	})
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	damages := map[string]struct{ sql, want string }{
		"a transfer deleted":      {`DELETE FROM ledger_transfer WHERE doc_id = 2 AND leg = 1`, "ledger_totals_match_transfers"},
		"a transfer doubled":      {`INSERT INTO ledger_transfer SELECT doc_kind, doc_id, leg + 50, from_id, to_id, unit, amount, site_id, business_date, booked_at, NULL, NULL, NULL FROM ledger_transfer WHERE doc_id = 2 AND leg = 1`, "ledger_totals_match_transfers"},
		"a total changed":         {`UPDATE ledger_account SET posted_out = posted_out + 1 WHERE id = 1000001`, "ledger_totals_match_transfers"},
		"an account deleted":      {`DELETE FROM ledger_account WHERE id = 1000001`, "ledger_transfers_have_both_ends"},
		"a pending total changed": {`UPDATE ledger_account SET pending_in = pending_in + 1 WHERE id = 1000002`, "ledger_pending_matches_holds"},
		"a hold closed by hand":   {`UPDATE ledger_hold SET state = 3`, "ledger_pending_matches_holds"},
		"a unit changed":          {`UPDATE ledger_transfer SET unit = 7000002 WHERE doc_id = 2 AND leg = 1`, "ledger_transfers_have_both_ends"},
		"a flow nobody knows":     {`UPDATE ledger_transfer SET to_id = -31337 WHERE doc_id = 2 AND leg = 1`, "ledger_transfers_have_both_ends"},
		"too much taken back":     {`UPDATE ledger_transfer SET amount = 1 WHERE doc_id = 2 AND leg = 1`, "ledger_corrections_within_what_they_correct"},
		"a correction of nothing": {`DELETE FROM ledger_transfer WHERE doc_id = 2 AND leg = 1`, "ledger_corrections_within_what_they_correct"},
	}
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := shop{t, d}
		s.must(func(tx *db.Tx) error {
			_, err := Open(tx, NewAccount{ID: jar, Book: shelf, Unit: tea, Site: site}, NewAccount{ID: tin, Book: shelf, Unit: tea, Site: site})
			return err
		})
		s.booked(on(1), in(jar, tea, 100))
		s.booked(on(2), out(jar, tea, 40))
		s.booked(Document{Kind: undo, ID: 3, Site: site, Date: day}, s.legs(2)[0].Back(10))
		s.held(4, Transfer{From: jar, To: tin, Unit: tea, Amount: 5})
		s.green()
		undone := errors.New("undone")
		for name, c := range damages {
			var red []string
			if err := s.try(func(tx *db.Tx) error {
				red = nil
				if err := tx.Exec(c.sql); err != nil {
					return err
				}
				for _, p := range Proofs() {
					r, err := p.Run(tx)
					if err != nil {
						return err
					}
					if r.Bad > 0 {
						red = append(red, p.Name)
					}
				}
				return undone
			}); !errors.Is(err, undone) {
				t.Fatal(name, err)
			}
			if !slices.Contains(red, c.want) {
				t.Errorf("%s: %s is not red, but %v", name, c.want, red)
			}
		}
		s.green()
	}, dbtest.With(Migrations))
}
