package clearing_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/clear"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/flow/clearance"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// The table of the trade, to the second. Nobody asks for these goods, so that every step is taken, also where a step waits
// for profit.
func TestABatchGoesThroughItsStepsToTheSecond(t *testing.T) {
	t.Parallel()
	each(t, func(s *shop) { s.table(t) })
}

func TestTheTableByTheLetterIsTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(s *shop) {
		wait := false
		s.policy(func(p *clear.Policy) { p.WaitForProfit = &wait })
		s.table(t)
	})
}

func TestByTheLetterAStepDoesNotWaitForProfit(t *testing.T) {
	each(t, func(s *shop) {
		wait := false
		s.policy(func(p *clear.Policy) { p.WaitForProfit = &wait })
		s.expect(s.bun, 150)
		s.d.Clock.Set(s.noon(-12))
		batch := s.arrive(s.bun, "B1", 60, 22*time.Hour)
		s.at(s.noon(4))
		if b := s.batch(batch); b.MarkedDown() || b.Reason != clear.ReasonSells {
			t.Errorf("what sells anyway keeps its price: %+v", b)
		}
		s.at(s.noon(4).Add(30 * time.Minute)) // 60 left, 55 expected: waiting would earn more
		if b := s.batch(batch); !b.MarkedDown() || b.Reason != clear.ReasonFirst {
			t.Errorf("%+v", b)
		}
		s.green()
	})
}

func (s *shop) table(t *testing.T) {
	{
		lives := []struct {
			p     *catalog.Product
			lasts time.Duration
			rows  []struct {
				before time.Duration // expiry
				price  money.Fen
				depth  int64
				free   bool
				phase  clear.Phase
			}
		}{
			{s.bun, 24 * time.Hour, []struct {
				before time.Duration
				price  money.Fen
				depth  int64
				free   bool
				phase  clear.Phase
			}{
				{6*time.Hour + time.Second, 0, 0, false, clear.FullPrice},
				{6 * time.Hour, 850, 15, false, clear.Markdown},
				{5*time.Hour + 30*time.Minute + time.Second, 850, 15, false, clear.Markdown},
				{5*time.Hour + 30*time.Minute, 800, 20, false, clear.Markdown}, // behind plan: deeper
				{5 * time.Hour, 750, 25, false, clear.Markdown},
				{4*time.Hour + 30*time.Minute, 700, 30, false, clear.Markdown},
				{4 * time.Hour, 700, 30, false, clear.Markdown}, // nothing deeper
				{2*time.Hour + time.Second, 700, 30, false, clear.Markdown},
				{2 * time.Hour, 700, 30, true, clear.FreeOne}, // on the last markdown price
				{time.Second, 700, 30, true, clear.FreeOne},
				{0, 700, 30, true, clear.Expired},
			}},
			{s.wrap, 4 * time.Hour, []struct {
				before time.Duration
				price  money.Fen
				depth  int64
				free   bool
				phase  clear.Phase
			}{
				{2*time.Hour + time.Second, 0, 0, false, clear.FullPrice},
				{2 * time.Hour, 680, 15, false, clear.Markdown}, // half its life
				{90*time.Minute + time.Second, 680, 15, false, clear.Markdown},
				{90 * time.Minute, 640, 20, false, clear.Markdown},
				{time.Hour, 600, 25, false, clear.Markdown},
				{40*time.Minute + time.Second, 600, 25, false, clear.Markdown},
				{40 * time.Minute, 600, 25, true, clear.FreeOne}, // the last sixth
				{time.Second, 600, 25, true, clear.FreeOne},
				{0, 600, 25, true, clear.Expired},
			}},
			{s.latte, time.Hour, []struct {
				before time.Duration
				price  money.Fen
				depth  int64
				free   bool
				phase  clear.Phase
			}{
				{30 * time.Minute, 0, 0, false, clear.FullPrice},
				{10 * time.Minute, 0, 0, false, clear.FullPrice},
				{time.Second, 0, 0, false, clear.FullPrice},
				{0, 0, 0, false, clear.Expired},
			}},
		}
		for _, life := range lives {
			batch := s.arrive(life.p, "B1", 100, life.lasts)
			expires := s.d.Clock.Now().Add(life.lasts)
			for _, row := range life.rows {
				s.at(expires.Add(-row.before))
				s.offers(life.p.Name+" "+row.before.String()+" before", batch, row.price, row.depth, row.free, row.phase)
			}
			b := s.batch(batch)
			if !b.Closed || b.Lost != 100*qty.Scale || b.LostCost != 40_000 || b.WriteOff == 0 {
				t.Errorf("%s at its end: %+v", life.p.Name, b)
			}
			var reason string
			var left int64
			s.read(func(tx *db.Tx) error {
				if err := tx.QueryRow(`SELECT reason FROM stock_document WHERE id = $1`, b.WriteOff).Scan(&reason); err != nil {
					return err
				}
				return tx.QueryRow(`SELECT posted_in - posted_out FROM ledger_account WHERE id = $1`, batch).Scan(&left)
			})
			if reason != string(stock.Expired) || left != 0 {
				t.Errorf("%s: written off for %q, %d left", life.p.Name, reason, left)
			}
		}
		s.green()
	}
}

func TestWhatSellsAnywayKeepsItsPrice(t *testing.T) {
	each(t, func(s *shop) {
		s.expect(s.bun, 150) // five each half hour while the shop is open
		s.d.Clock.Set(s.noon(-12))
		batch := s.arrive(s.bun, "B1", 60, 22*time.Hour) // ends at ten in the evening
		s.at(s.noon(4))                                  // six hours before: 60 left, 60 expected
		if b := s.batch(batch); b.MarkedDown() || b.Reason != clear.ReasonSells {
			t.Errorf("%+v", b)
		}
		s.at(s.noon(4).Add(30 * time.Minute)) // nothing was sold, 55 expected: all 60 at 8.50 would bring less than 55 at 10.00
		if b := s.batch(batch); b.MarkedDown() || b.Reason != clear.ReasonEarns {
			t.Errorf("%+v", b)
		}
		s.at(s.noon(5)) // 50 expected
		if b := s.batch(batch); !b.MarkedDown() || b.Reason != clear.ReasonFirst || b.Price != 850 || b.FirstLeft != 60*qty.Scale || b.FirstExpected != 50*qty.Scale {
			t.Errorf("%+v", b)
		}
		// On plan: what was to be left is left, and the step is skipped.
		s.sell(line(s.bun, "piece", "6", batch))
		s.at(s.noon(5).Add(30 * time.Minute))
		if b := s.batch(batch); b.Reason != clear.ReasonOnPlan || b.Price != 850 {
			t.Errorf("%+v", b)
		}
		s.at(s.noon(7).Add(30 * time.Minute)) // 54 left, at 8.50 some 33 would still go
		if b := s.batch(batch); b.Reason != clear.ReasonBehind || b.Price >= 850 {
			t.Errorf("%+v", b)
		}
		s.green()
	})
}

// noon is so many hours after twelve on the day of the stories.
func (s *shop) noon(hours int) time.Time {
	return time.Date(2026, 3, 10, 4+hours, 0, 0, 0, time.UTC)
}

func TestJumpsOfTheClockNeitherDoubleNorSkipAStep(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 10, 24*time.Hour)
		expires := s.d.Clock.Now().Add(24 * time.Hour)
		s.at(expires.Add(-6 * time.Hour))
		s.look()
		s.look()
		s.d.Clock.Set(expires.Add(-7 * time.Hour)) // back: the price stays
		s.look()
		s.offers("set back", batch, 850, 15, false, clear.Markdown)
		s.at(expires.Add(-4 * time.Hour)) // over three looks: one look, one step deeper
		s.offers("set forward", batch, 800, 20, false, clear.Markdown)
		s.at(expires.Add(3 * time.Hour)) // over the last: it is still written off
		s.offers("past its end", batch, 800, 20, false, clear.Expired)
		var steps, writeOffs int64
		s.read(func(tx *db.Tx) error {
			if err := tx.QueryRow(`SELECT COUNT(*) FROM clear_step WHERE batch_id = $1`, batch).Scan(&steps); err != nil {
				return err
			}
			return tx.QueryRow(`SELECT COUNT(*) FROM stock_document WHERE kind = 22`).Scan(&writeOffs)
		})
		if steps != 2 || writeOffs != 1 {
			t.Errorf("%d looks, %d write-offs", steps, writeOffs)
		}
		s.green()
	})
}

func TestALineTakesWhatIsNotMarkedDownFirst(t *testing.T) {
	each(t, func(s *shop) {
		old := s.arrive(s.bun, "OLD", 10, 24*time.Hour)
		s.d.Clock.Set(s.d.Clock.Now().Add(17 * time.Hour))
		fresh := s.arrive(s.bun, "NEW", 3, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(time.Hour))
		s.offers("old", old, 850, 15, false, clear.Markdown)

		v := s.sell(line(s.bun, "piece", "2")) // a plain barcode: the full price, from the fresh ones
		if v.TotalFen != 2000 || v.Lines[0].Batches[0].BatchID != fresh || v.Lines[0].MarkdownID != 0 {
			t.Errorf("a plain line: %+v", v)
		}
		v = s.sell(line(s.bun, "piece", "2", old)) // by its label
		if v.TotalFen != 1700 || v.Lines[0].PriceFen != 1000 || v.Lines[0].OffFen != 300 || v.Lines[0].MarkdownID != s.batch(old).Step {
			t.Errorf("by its label: %+v", v)
		}
		v = s.sell(line(s.bun, "piece", "3")) // one fresh one is left, the others come at their price
		if v.TotalFen != 1000+2*850 || len(v.Lines) != 2 || v.Lines[0].Qty != qty.Scale || v.Lines[0].OffFen != 0 || v.Lines[1].Qty != 2*qty.Scale || v.Lines[1].OffFen != 300 {
			t.Errorf("both: %+v", v)
		}
		v = s.sell(line(s.bun, "piece", "1")) // all that is on sale is marked down
		if v.TotalFen != 850 {
			t.Errorf("only marked down ones: %+v", v)
		}
		if _, err := s.quote(line(s.bun, "piece", "1", old)); err != nil {
			t.Error(err)
		}
		s.green()
	})
}

func TestABoxIsNotMadeUpOfTwoPrices(t *testing.T) {
	each(t, func(s *shop) {
		old := s.arrive(s.bun, "OLD", 24, 24*time.Hour)
		s.d.Clock.Set(s.d.Clock.Now().Add(17 * time.Hour))
		s.arrive(s.bun, "NEW", 5, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(time.Hour))
		if _, err := s.quote(line(s.bun, "box", "1")); !errors.Is(err, checkout.ErrUnitBroken) || errs.As(err).Field != "lines[0].unit" {
			t.Errorf("five fresh and seven old: %v", err)
		}
		v := s.sell(line(s.bun, "box", "1", old)) // 110.00 less 15 %
		if v.TotalFen != 9350 || v.Lines[0].OffFen != 1650 {
			t.Errorf("a box of old ones: %+v", v)
		}
		s.green()
	})
}

func TestOfTwoOneIsFree(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 20, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		s.at(s.d.Clock.Now().Add(4 * time.Hour))
		s.offers("two hours before", batch, 850, 15, true, clear.FreeOne)
		for n, total := range map[string]money.Fen{"1": 850, "2": 850, "3": 1700, "4": 1700} {
			if q, err := s.quote(line(s.bun, "piece", n, batch)); err != nil || q.TotalFen != total {
				t.Errorf("%s of them: %+v, %v", n, q, err)
			}
		}
		// Two lines are counted together, and an odd one pays.
		v := s.sell(line(s.bun, "piece", "1", batch), line(s.bun, "piece", "2", batch))
		if v.TotalFen != 1700 || v.Lines[0].AmountFen+v.Lines[1].AmountFen != 1700 || v.Lines[0].OffFen+v.Lines[1].OffFen != 3000-1700 {
			t.Errorf("three on two lines: %+v", v)
		}
		// What comes back gives back what was paid, in whatever parts.
		v = s.sell(line(s.bun, "piece", "3", batch))
		var given money.Fen
		for range 3 {
			s.write(func(tx *db.Tx) error {
				r, err := s.sales.Refund(tx, s.act(), v.ID, checkout.RefundIn{Reason: "cold", Lines: []till.RefundLineIn{{LineNo: 1, Qty: qty.Scale, Back: till.ToStock}}})
				if err == nil {
					given += r.Amount
				}
				return err
			})
		}
		if given != 1700 {
			t.Errorf("gave back %d of 1700", given)
		}
		v = s.sell(line(s.bun, "piece", "2", batch))
		s.write(func(tx *db.Tx) error { return s.sales.Void(tx, s.act(), v.ID, "mistake") })
		s.green()
	})
}

func TestGoodsByWeightAreMarkedDownUntilTheEnd(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.ham, "H1", 5000, 24*time.Hour)
		end := s.d.Clock.Now().Add(24 * time.Hour)
		for before := 6 * time.Hour; before > 0; before -= 30 * time.Minute {
			s.at(end.Add(-before))
		}
		s.offers("in its last half hour", batch, 2800, 30, false, clear.Markdown)
		if v := s.sell(line(s.ham, "kg", "0.255", batch)); v.TotalFen != 714 {
			t.Errorf("%+v", v)
		}
		s.green()
	})
}

func TestNobodyStopsWhatIsReduced(t *testing.T) {
	each(t, func(s *shop) {
		a := s.arrive(s.bun, "A", 10, 24*time.Hour)
		s.d.Clock.Set(s.d.Clock.Now().Add(time.Hour))
		b := s.arrive(s.bun, "B", 10, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(17 * time.Hour))
		stop := func(stopped bool) {
			s.write(func(tx *db.Tx) error { return clear.SetStop(tx, s.site.ID, s.hot.ID, s.staff, stopped) })
		}
		stop(true)
		s.at(s.d.Clock.Now().Add(time.Hour))
		s.offers("reduced before", a, 850, 15, false, clear.Markdown)
		if x := s.batch(b); x.MarkedDown() || x.Reason != clear.ReasonStopped {
			t.Errorf("stopped before its first step: %+v", x)
		}
		if v := s.sell(line(s.bun, "piece", "1", a)); v.TotalFen != 850 {
			t.Errorf("%+v", v)
		}
		stop(false)
		s.at(s.d.Clock.Now().Add(30 * time.Minute))
		if x := s.batch(b); !x.MarkedDown() {
			t.Errorf("allowed again: %+v", x)
		}
		s.green()
	})
}

func TestNoMarkdownGoesUnderTheFloor(t *testing.T) {
	each(t, func(s *shop) {
		s.policy(func(p *clear.Policy) { p.FloorPct, p.FloorFree = 82, true })
		batch := s.arrive(s.bun, "B1", 100, 24*time.Hour)
		end := s.d.Clock.Now().Add(24 * time.Hour)
		for before := 6 * time.Hour; before > 0; before -= 30 * time.Minute {
			s.at(end.Add(-before))
			if b := s.batch(batch); b.Price < 820 || b.Offer.Free {
				t.Fatalf("%v before: %+v", before, b)
			}
		}
		s.offers("in its last half hour", batch, 820, 20, false, clear.FreeOne)
		s.green()
	})
}

func TestOneInTenWaitsForOneStep(t *testing.T) {
	each(t, func(s *shop) {
		s.policy(func(p *clear.Policy) { p.HoldOutPct = 50 })
		p := clear.DefaultPolicy()
		p.HoldOutPct = 50
		var held, other id.ID
		for held == 0 || other == 0 {
			if b := s.arrive(s.bun, id.New().String(), 10, 24*time.Hour); p.HeldOut(b) {
				held = b
			} else {
				other = b
			}
		}
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		if x := s.batch(held); x.MarkedDown() || x.Reason != clear.ReasonHeldOut {
			t.Errorf("held out: %+v", x)
		}
		if x := s.batch(other); !x.MarkedDown() {
			t.Errorf("not held out: %+v", x)
		}
		s.at(s.d.Clock.Now().Add(30 * time.Minute))
		if x := s.batch(held); !x.MarkedDown() {
			t.Errorf("a step later: %+v", x)
		}
	})
}

func TestWhatHasExpiredIsSoldToNobody(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 10, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		total := money.Fen(850)
		s.d.Clock.Set(s.d.Clock.Now().Add(6 * time.Hour)) // and nobody has looked yet
		_, err := s.sales.SellOnce(context.Background(), s.act(), s.basket(total, line(s.bun, "piece", "1", batch)))
		if !errors.Is(err, stock.ErrExpired) {
			t.Errorf("by its label: %v", err)
		}
		_, err = s.sales.SellOnce(context.Background(), s.act(), s.basket(1000, line(s.bun, "piece", "1")))
		if !errors.Is(err, stock.ErrShort) {
			t.Errorf("by its barcode: %v", err)
		}
		s.green()
	})
}

// Whoever carries the goods away sees what came off in the last hour, and not the whole day.
func TestWhatCameOffIsShownForAsLongAsAsked(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 10, 24*time.Hour)
		end := s.d.Clock.Now().Add(24 * time.Hour)
		shown := func(in clearance.ListIn) bool {
			t.Helper()
			in.SiteID, in.Limit = s.site.ID, 200
			var found bool
			s.read(func(tx *db.Tx) error {
				page, err := s.flow.List(tx, s.site, &in)
				found = err == nil && slices.ContainsFunc(page.Items, func(v clearance.BatchView) bool { return v.BatchID == batch })
				return err
			})
			return found
		}
		s.at(end.Add(-time.Hour))
		if !shown(clearance.ListIn{}) {
			t.Error("an hour before its end it is not there")
		}
		s.at(end)
		for minutes, want := range map[int]bool{0: true, 60: true, 61: false} {
			s.d.Clock.Set(end.Add(time.Duration(minutes) * time.Minute))
			if got := shown(clearance.ListIn{Within: 60}); got != want {
				t.Errorf("%d minutes after its end, asked for an hour: %v", minutes, got)
			}
		}
		if shown(clearance.ListIn{}) || !shown(clearance.ListIn{Ended: true}) {
			t.Error("it has ended, and is of the last 24 hours")
		}
	})
}

func TestWhatIsHeldAtItsEndWaitsForItsPayment(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 10, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		s.d.Clock.Set(s.d.Clock.Now().Add(6*time.Hour - time.Minute))
		in := s.basket(1700, line(s.bun, "piece", "2", batch))
		in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 1700, PayCode: "28000000000093"}} // never confirms
		v, err := s.sales.SellOnce(context.Background(), s.act(), in)
		if err != nil || v.State != till.Awaiting {
			t.Fatalf("%+v, %v", v, err)
		}
		s.at(s.d.Clock.Now().Add(time.Minute))
		if b := s.batch(batch); b.Closed || b.Lost != 8*qty.Scale {
			t.Errorf("at its end: %+v", b)
		}
		s.d.Clock.Set(s.d.Clock.Now().Add(11 * time.Minute))
		if _, err := s.sales.AskOpen(context.Background()); err != nil { // given up by now
			t.Fatal(err)
		}
		s.look()
		if b := s.batch(batch); !b.Closed || b.Lost != 10*qty.Scale {
			t.Errorf("after it was given up: %+v", b)
		}
		s.green()
	})
}

func TestThirtyBuyersForTheLastReducedPieces(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 12, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		var mu sync.Mutex
		var wg sync.WaitGroup
		sold, refused := 0, 0
		for i := range 30 {
			in := s.basket(850, line(s.bun, "piece", "1"))
			if i%2 == 0 {
				in.Lines[0].BatchID = batch
			}
			act := s.act()
			wg.Go(func() {
				_, err := s.sales.SellOnce(context.Background(), act, in)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					sold++
				case errors.Is(err, stock.ErrShort):
					refused++
				default:
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if sold != 12 || refused != 18 {
			t.Errorf("%d sold, %d refused", sold, refused)
		}
		s.green()
	})
}

func TestAPriceThatFellIsNotTakenUnseen(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 10, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		s.at(s.d.Clock.Now().Add(30 * time.Minute)) // 8.00 by now
		_, err := s.sales.SellOnce(context.Background(), s.act(), s.basket(850, line(s.bun, "piece", "1", batch)))
		if !errors.Is(err, checkout.ErrPriceChanged) {
			t.Errorf("%v", err)
		}
		if v := s.sell(line(s.bun, "piece", "1", batch)); v.TotalFen != 800 {
			t.Errorf("%+v", v)
		}
		s.green()
	})
}

func TestPlansAreCountedByWhatTheySold(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 20, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		s.sell(line(s.bun, "piece", "3", batch))
		s.at(s.d.Clock.Now().Add(30 * time.Minute))
		s.sell(line(s.bun, "piece", "4", batch))
		s.at(s.d.Clock.Now().Add(6 * time.Hour))
		var steps []clear.Step
		s.read(func(tx *db.Tx) (err error) {
			steps, err = clear.Steps(tx, batch, 100)
			return err
		})
		if n := len(steps); n != 2 || steps[1].Sold != 3*qty.Scale || steps[1].SoldFen != 2550 || steps[0].Sold != 4*qty.Scale || steps[0].SoldFen != 3200 || steps[0].Until.IsZero() {
			t.Errorf("%+v", steps)
		}
		var story *clearance.BatchStory
		s.read(func(tx *db.Tx) error {
			b, err := clear.Get(tx, batch)
			if err == nil {
				story, err = s.flow.Story(tx, s.site, b)
			}
			return err
		})
		if story.Sold != 7*qty.Scale || story.SoldFen != 5750 || story.SavedFen != 5750 || story.Lost != 13*qty.Scale || story.LostFen != 13*400 || len(story.Steps[1].Options) != 4 {
			t.Errorf("%+v", story)
		}
		s.green()
	})
}

func TestDamageIsSeen(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "B1", 20, 24*time.Hour)
		s.at(s.d.Clock.Now().Add(18 * time.Hour))
		v := s.sell(line(s.bun, "piece", "2", batch))
		s.at(s.d.Clock.Now().Add(4 * time.Hour))
		s.sell(line(s.bun, "piece", "3", batch))
		s.at(s.d.Clock.Now().Add(2 * time.Hour))
		s.green()
		step := v.Lines[0].MarkdownID
		for _, damage := range []struct {
			what, proof, do, undo string
			of                    id.ID
		}{
			{"a discount without a decision", "checkout_markdowns_have_their_decision", `UPDATE till_line SET markdown_id = 7 WHERE markdown_id = $1`, `UPDATE till_line SET markdown_id = $1 WHERE markdown_id = 7`, step},
			{"another price than decided", "checkout_lines_cost_what_was_decided", `UPDATE clear_step SET price_fen = 700 WHERE id = $1`, `UPDATE clear_step SET price_fen = 850 WHERE id = $1`, step},
			{"a discount on a plain line", "checkout_lines_cost_what_was_decided", `UPDATE till_line SET off_fen = off_fen + 1 WHERE markdown_id = $1`, `UPDATE till_line SET off_fen = off_fen - 1 WHERE markdown_id = $1`, step},
			{"a price that rose", "clear_prices_never_rise", `UPDATE clear_step SET price_fen = 900 WHERE batch_id = $1 AND id <> (SELECT MIN(id) FROM clear_step WHERE batch_id = $1)`,
				`UPDATE clear_step SET price_fen = 850 WHERE batch_id = $1 AND id <> (SELECT MIN(id) FROM clear_step WHERE batch_id = $1)`, batch},
			{"a batch that is not sold last", "clearance_reduced_batches_have_a_price", `UPDATE stock_batch SET reduced = 0 WHERE id = $1`, `UPDATE stock_batch SET reduced = 1 WHERE id = $1`, batch},
			{"a write-off of something else", "clearance_write_offs_are_booked", `UPDATE clear_markdown SET lost_fen = lost_fen + 1 WHERE batch_id = $1`, `UPDATE clear_markdown SET lost_fen = lost_fen - 1 WHERE batch_id = $1`, batch},
		} {
			s.write(func(tx *db.Tx) error { return tx.Exec(damage.do, damage.of) })
			if red := s.red(); red[damage.proof] == "" {
				t.Errorf("%s: %s is green; red: %v", damage.what, damage.proof, red)
			}
			s.write(func(tx *db.Tx) error { return tx.Exec(damage.undo, damage.of) })
			s.green()
		}
	})
}
