package stock

import (
	"errors"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
)

func (s shop) postSteps(c *Count) {
	for done := false; !done; {
		if err := s.counting(c, func(tx *db.Tx, c *Count) (err error) { done, err = c.PostStep(tx, ann); return err }); err != nil {
			s.t.Error(err)
			return
		}
	}
}

func (s shop) countLine(c *Count, line int64) (state LineState, diff int64, worth money.Fen) {
	s.t.Helper()
	s.must(func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT state, counted - book, value_fen FROM stock_count_line WHERE count_id = $1 AND line_no = $2`, c.ID, line).Scan(&state, &diff, &worth)
	})
	return state, diff, worth
}

// The whole shop is counted, and a shelf of it once more on a list of its own. What both found missing is missing once.
func TestWhatTwoListsFindMissingIsMissingOnce(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		batch := s.receive(bun, 100, 10_000, time.Hour)
		s.receive(tea, 5, 50, 0)
		whole, shelf, again := s.startCount(NewCount{}), s.startCount(NewCount{Products: []id.ID{bun}}), s.startCount(NewCount{Products: []id.ID{bun}, ByBatch: true})
		for _, c := range []*Count{whole, shelf, again} {
			s.enter(c, 1, ann, 90)
		}
		s.sold(buns(5)) // sold is sold, whoever counts
		s.post(whole)
		s.batch(batch, 85, 0, 8500)
		if _, diff, worth := s.countLine(shelf, 1); diff != 0 || worth != 0 {
			t.Errorf("the shelf still lacks %d, worth %d", diff, worth)
		}
		// Who counts the third list anew finds two more than the books have now.
		s.enter(again, 1, ann, 87)
		for _, c := range []*Count{shelf, again} {
			s.post(c)
		}
		s.batch(batch, 87, 0, 8700)
	})
}

// A difference that another list has made is approved as it is now, not as it was.
func TestADifferenceThatHasChangedIsApprovedAgain(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		batch := s.receive(bun, 100, 10_000, time.Hour)
		first, second := s.startCount(NewCount{Products: []id.ID{bun}}), s.startCount(NewCount{Products: []id.ID{bun}, Limit: 500})
		s.enter(second, 1, ann, 100) // nothing is missing, says who counts here
		s.enter(first, 1, bob, 40)
		s.post(first)
		if state, diff, worth := s.countLine(second, 1); state != IsCounted || diff != int64(pieces(60)) || worth != 6000 {
			t.Errorf("%s, %d, worth %d", state, diff, worth)
		}
		if err := s.counting(second, func(tx *db.Tx, c *Count) error { return c.Review(tx, ann) }); err != nil {
			t.Fatal(err)
		}
		if err := s.counting(second, func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, true); return err }); !errors.Is(err, ErrUnapproved) {
			t.Errorf("sixty come back unapproved: %v", err)
		}
		approve := func() {
			if err := s.counting(second, func(tx *db.Tx, c *Count) error { return c.Approve(tx, cat, []int64{1}) }); err != nil {
				t.Fatal(err)
			}
		}
		approve()
		third := s.startCount(NewCount{Products: []id.ID{bun}})
		s.enter(third, 1, bob, 39)
		s.post(third)
		if state, diff, _ := s.countLine(second, 1); state != IsCounted || diff != int64(pieces(61)) {
			t.Errorf("approved was sixty: %s, %d", state, diff)
		}
		approve()
		if err := s.counting(second, func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, true); return err }); err != nil {
			t.Fatal(err)
		}
		s.postSteps(second)
		s.batch(batch, 100, 0, 10_000)
	})
}

// Six lists of the same shelf are posted at the same moment, while a seventh is being counted: none waits for another for ever,
// and what is on the books is what was counted.
func TestSixListsOfOneShelfArePostedAtOnce(t *testing.T) {
	t.Parallel()
	eachCount(t, func(t *testing.T, s shop) {
		batch := s.receive(bun, 100, 10_000, time.Hour)
		other := s.receive(salad, 50, 5000, time.Hour)
		var lists []*Count
		for i := range 7 {
			c := s.startCount(NewCount{})
			if i < 6 {
				s.enter(c, 1, ann, 88)
				s.enter(c, 2, ann, 55)
				for _, act := range []func(tx *db.Tx, c *Count) error{
					func(tx *db.Tx, c *Count) error { return c.Review(tx, ann) },
					func(tx *db.Tx, c *Count) error { _, err := c.Post(tx, ann, true); return err },
				} {
					if err := s.counting(c, act); err != nil {
						t.Fatal(err)
					}
				}
			}
			lists = append(lists, c)
		}
		var wg sync.WaitGroup
		for _, c := range lists[:6] {
			wg.Go(func() { s.postSteps(c) })
		}
		wg.Go(func() {
			for range 5 {
				if err := s.counting(lists[6], func(tx *db.Tx, c *Count) error {
					if _, err := c.Enter(tx, 1, bob, pieces(88)); err != nil {
						return err
					}
					_, err := c.Enter(tx, 2, bob, pieces(55))
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		s.batch(batch, 88, 0, 8800)
		s.batch(other, 55, 0, 5500)
		s.post(lists[6])
		s.batch(batch, 88, 0, 8800)
		s.batch(other, 55, 0, 5500)
	})
}
