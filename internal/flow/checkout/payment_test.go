package checkout_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/port/pay"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// mobile sells three buns for 7.50, of which so much in cash, the rest by a code.
func (s *shop) mobile(code string, cash money.Fen) *till.SaleView {
	s.t.Helper()
	in := s.cashSale(line(s.bun, "piece", "3"))
	in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 750 - cash, PayCode: code}}
	if cash > 0 {
		in.Tenders = append(in.Tenders, checkout.TenderIn{Kind: till.Cash, AmountFen: cash, GivenFen: 500})
	}
	v, err := s.try(in)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *shop) ask() {
	s.t.Helper()
	if _, err := s.flow.AskOpen(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

func acts(v *till.SaleView) string {
	var all []string
	for _, t := range v.Trail {
		all = append(all, t.Act)
	}
	return strings.Join(all, " ")
}

func TestAMobilePaymentThatComesAtOnceIsASale(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 10, 1000, time.Hour)
		v := s.mobile("134567890", 0)
		if v.State != till.Paid || v.Tenders[0].State != "done" || v.Tenders[0].Provider != "simulated" || v.Tenders[0].Ref == "" || s.left(batch) != "7" {
			s.t.Errorf("got %+v, left %s", v, s.left(batch))
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, v.BusinessDate)
			if want := (checkout.Figures{SalesFen: 750, NetFen: 750, TaxFen: 86, CostFen: 300, MobileFen: 750}); err == nil && (day.Figures != want || !day.Agree) {
				s.t.Errorf("day %+v", day)
			}
			return err
		})
		s.green()
	})
}

func TestCashAndMobileTogether(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 10, 1000, time.Hour)
		v := s.mobile("134567890", 333)
		if v.State != till.Paid || v.ChangeFen != 167 {
			s.t.Errorf("got %+v", v)
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, v.BusinessDate)
			if err == nil && (day.CashFen != 333 || day.MobileFen != 417 || !day.Agree) {
				s.t.Errorf("day %+v", day)
			}
			return err
		})
		s.green()
	})
}

func TestADeclinedPaymentFreesTheGoodsAndPostsNothing(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 3, 1000, time.Hour)
		before := s.books()
		v := s.mobile("x12345691", 100)
		if v.State != till.Failed || v.Tenders[0].State != "failed" || v.Tenders[0].Reason == "" || acts(v) != "failed" {
			s.t.Errorf("got %+v", v)
		}
		if s.left(batch) != "3" || !same(before, s.books()) {
			s.t.Errorf("left %s", s.left(batch))
		}
		s.sell(line(s.bun, "piece", "3")) // the number of the failed slip is not used again, and leaves no gap
		s.green()
	})
}

func TestAPendingPaymentHoldsTheGoodsUntilItIsPaid(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 4, 1000, time.Hour)
		v := s.mobile("x12345692", 0)
		if v.State != till.Awaiting || v.Tenders[0].State != "open" || s.left(batch) != "1" {
			s.t.Errorf("got %+v, left %s", v, s.left(batch))
		}
		_, err := s.try(s.cashSale(line(s.bun, "piece", "2")))
		refused(s.t, "what is held", err, stock.ErrShort, "lines[0].qty")
		s.green()
		s.d.Clock.Add(pay.Soon - time.Millisecond)
		s.ask()
		if v = s.shown(v.ID); v.State != till.Awaiting {
			s.t.Errorf("too early: %s", v.State)
		}
		s.d.Clock.Add(pay.Soon)
		s.ask()
		if v = s.shown(v.ID); v.State != till.Paid || acts(v) != "paid" || s.left(batch) != "1" {
			s.t.Errorf("got %+v", v)
		}
		s.d.Clock.Add(time.Hour)
		s.ask()
		if v = s.shown(v.ID); acts(v) != "paid" {
			s.t.Errorf("asked again after the end: %s", acts(v))
		}
		s.green()
	})
}

func TestAPaymentNeverConfirmedFails(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 3, 1000, time.Hour)
		v := s.mobile("x12345693", 0)
		s.d.Clock.Add(pay.Patience)
		s.ask()
		if v = s.shown(v.ID); v.State != till.Failed || s.left(batch) != "3" {
			s.t.Errorf("got %+v", v)
		}
		s.green()
	})
}

func TestALostAnswerIsAskedForUntilItIsKnown(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 6, 1000, time.Hour)
		paid, never := s.mobile("x12345695", 0), s.mobile("x12345696", 0)
		if paid.State != till.Awaiting || never.State != till.Awaiting || paid.Tenders[0].Reason == "" {
			s.t.Errorf("got %+v and %+v", paid, never)
		}
		s.d.Clock.Add(pay.Soon)
		s.ask()
		if paid, never = s.shown(paid.ID), s.shown(never.ID); paid.State != till.Paid || never.State != till.Failed {
			s.t.Errorf("got %s and %s", paid.State, never.State)
		}
		s.green()
	})
}

func TestMoneyThatComesAfterTheSaleWasGivenUpGoesBack(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 3, 1000, time.Hour)
		before := s.books()
		v := s.mobile("x12345694", 100) // can't be cancelled, pays after ten minutes
		act := s.act()
		if err := s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.GiveUp(tx, v.ID, act.Staff) }); err != nil {
			s.t.Fatal(err)
		}
		s.flow.AskProvider(context.Background(), v.ID)
		v = s.shown(v.ID)
		if v.State != till.Failed || v.Tenders[0].State != "open" || acts(v) != "given_up" || s.left(batch) != "3" {
			s.t.Errorf("given up: %+v, left %s", v, s.left(batch))
		}
		s.sell(line(s.bun, "piece", "3")) // to somebody else
		sold := s.books()
		s.d.Clock.Add(pay.Late)
		s.ask()
		v = s.shown(v.ID)
		if v.State != till.Failed || v.Tenders[0].State != "given_back" || acts(v) != "given_up paid_late given_back" {
			s.t.Errorf("in the end: %+v", v)
		}
		if !same(sold, s.books()) || same(before, sold) {
			s.t.Error("the late money did not pass through the books without a trace")
		}
		s.read(func(tx *db.Tx) error {
			legs, err := ledger.Sums(tx, s.site.ID, v.BusinessDate, v.BusinessDate, ledger.CNY)
			in, out := int64(0), int64(0)
			for _, l := range legs {
				if l.From == till.LatePayer {
					in += l.Amount
				}
				if l.To == till.LatePayer {
					out += l.Amount
				}
			}
			if in != 650 || out != 650 {
				s.t.Errorf("the late payer gave %d and got %d", in, out)
			}
			return err
		})
		s.green()
	})
}

func TestAPendingPaymentIsCancelledForGood(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 3, 1000, time.Hour)
		v := s.mobile("x12345692", 0) // would pay in five seconds
		if err := s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.GiveUp(tx, v.ID, s.staff) }); err != nil {
			s.t.Fatal(err)
		}
		s.flow.AskProvider(context.Background(), v.ID)
		v = s.shown(v.ID)
		if v.State != till.Failed || v.Tenders[0].State != "failed" || v.Trail[0].StaffID != s.staff {
			s.t.Errorf("got %+v", v)
		}
		err := s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.GiveUp(tx, v.ID, s.staff) })
		refused(s.t, "given up twice", err, checkout.ErrNotOpen, "")
		err = s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.GiveUp(tx, 404, s.staff) })
		refused(s.t, "a sale that is not there", err, till.ErrNoSale, "")
		s.green()
	})
}

func TestASaleNobodyAsksAboutIsGivenUpBeforeItsGoodsAreFree(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 3, 1000, 5*time.Hour)
		v := s.mobile("x12345694", 0)
		s.d.Clock.Add(9*time.Minute + 59*time.Second)
		s.ask()
		if v = s.shown(v.ID); v.State != till.Awaiting {
			s.t.Errorf("given up too early: %+v", v)
		}
		s.d.Clock.Add(time.Second)
		// The payment comes at this very instant: the provider is asked a last time, and the sale stands.
		s.ask()
		if v = s.shown(v.ID); v.State != till.Paid || s.left(batch) != "0" {
			s.t.Errorf("got %+v", v)
		}
		s.green()
	})
}

// silent never answers.
type silent struct{ pay.Provider }

func (silent) Name() string                                    { return "silent" }
func (silent) Charge(context.Context, pay.Order) pay.Answer    { return pay.Answer{Reason: "no line"} }
func (silent) Ask(context.Context, pay.Order) pay.Answer       { return pay.Answer{Reason: "no line"} }
func (silent) Cancel(context.Context, pay.Order) pay.Answer    { return pay.Answer{Reason: "no line"} }
func (silent) GiveBack(context.Context, pay.Refund) pay.Answer { return pay.Answer{Reason: "no line"} }
func (silent) AskGiveBack(context.Context, pay.Refund) pay.Answer {
	return pay.Answer{Reason: "no line"}
}

func TestASilentProviderHoldsGoodsForTenMinutesAtMost(t *testing.T) {
	each(t, func(s *shop) {
		s.flow = checkout.New(s.d.DB, s.goods, s.prices, checkout.Options{Provider: silent{}})
		batch := s.arrive(s.bun, "b", 3, 1000, 5*time.Hour)
		v := s.mobile("x12345690", 0)
		s.d.Clock.Add(10*time.Minute - time.Second)
		s.ask()
		if v = s.shown(v.ID); v.State != till.Awaiting || s.left(batch) != "0" {
			s.t.Errorf("given up too early: %+v", v)
		}
		s.d.Clock.Add(time.Second)
		s.ask()
		if v = s.shown(v.ID); v.State != till.Failed || v.Tenders[0].State != "open" || acts(v) != "given_up" || s.left(batch) != "3" {
			s.t.Errorf("got %+v", v)
		}
		s.green()
	})
}

func TestAPaymentThatIsFoundPaidAfterTheHoldHasExpiredGoesBack(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 3, 1000, 5*time.Hour)
		v := s.mobile("x12345692", 0)
		s.d.Clock.Add(time.Hour) // the machine was off
		s.write(func(tx *db.Tx) error { _, err := ledger.Expire(tx); return err })
		s.ask()
		if v = s.shown(v.ID); v.State != till.Failed || v.Tenders[0].State != "given_back" || s.left(batch) != "3" {
			s.t.Errorf("got %+v, left %s", v, s.left(batch))
		}
		s.green()
	})
}

func TestOneOfTwoCodesFailsAndTheOtherGetsItsMoneyBack(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 3, 1000, time.Hour)
		in := s.cashSale(line(s.bun, "piece", "3"))
		in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 400, PayCode: "x12345690"}, {Kind: till.Mobile, AmountFen: 350, PayCode: "x12345691"}}
		v, err := s.try(in)
		if err != nil {
			s.t.Fatal(err)
		}
		if v.State != till.Failed || v.Tenders[0].State != "given_back" || v.Tenders[1].State != "failed" || s.left(batch) != "3" {
			s.t.Errorf("got %+v", v)
		}
		s.green()
	})
}

func TestTheSameAnswerTwiceAtOnceSellsOnce(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 30, 1000, time.Hour)
		v := s.mobile("x12345692", 0)
		s.d.Clock.Add(pay.Soon)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { s.flow.AskProvider(context.Background(), v.ID) })
		}
		wg.Wait()
		if v = s.shown(v.ID); v.State != till.Paid || acts(v) != "paid" || s.left(batch) != "27" {
			s.t.Errorf("got %+v, left %s", v, s.left(batch))
		}
		s.green()
	})
}

func TestGivingUpAndPayingAtOnceEndsInOneOfTheTwo(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 30, 1000, time.Hour)
		for range 4 {
			v := s.mobile("x12345692", 0)
			s.d.Clock.Add(pay.Soon)
			var wg sync.WaitGroup
			wg.Go(func() { s.flow.AskProvider(context.Background(), v.ID) })
			wg.Go(func() {
				err := s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.GiveUp(tx, v.ID, s.staff) })
				if err != nil && !errors.Is(err, checkout.ErrNotOpen) {
					s.t.Error(err)
				}
			})
			wg.Wait()
			s.d.Clock.Add(pay.Soon)
			s.ask()
			s.d.Clock.Add(pay.Soon)
			s.ask()
			v = s.shown(v.ID)
			if !(v.State == till.Paid && v.Tenders[0].State == "done") && !(v.State == till.Failed && v.Tenders[0].State == "given_back") {
				s.t.Errorf("got %+v", v)
			}
		}
		s.green()
	})
}

func TestARepeatedKeyOfAMobileSaleChargesOnce(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 30, 1000, time.Hour)
		in := s.cashSale(line(s.bun, "piece", "3"))
		in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 750, PayCode: "x12345692"}}
		act := s.act()
		first, err := s.flow.SellOnce(context.Background(), act, in)
		if err != nil {
			s.t.Fatal(err)
		}
		s.d.Clock.Add(pay.Soon)
		s.ask()
		again, err := s.flow.SellOnce(context.Background(), act, in)
		if err != nil {
			s.t.Fatal(err)
		}
		if first.State != till.Awaiting || again.ID != first.ID || again.State != till.Paid || s.left(batch) != "27" {
			s.t.Errorf("first %+v, again %+v", first, again)
		}
		s.green()
	})
}

func TestAMobileSaleIsGivenBackByTheSameWay(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 300, 1000, time.Hour)
		for _, c := range []struct{ code, first, then string }{{"x12345690", "done", "done"}, {"x12345697", "refused", "refused"}, {"x12345698", "open", "done"}} {
			v := s.mobile(c.code, 250)
			r, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}})
			if err != nil {
				s.t.Fatal(err)
			}
			// two thirds by mobile, one third in cash, as it came
			if len(r.Tenders) != 2 || r.Tenders[0].Amount != 167 || r.Tenders[1].Amount != 83 {
				s.t.Errorf("%s: %+v", c.code, r.Tenders)
			}
			s.flow.AskProvider(context.Background(), v.ID)
			if got := s.shown(v.ID).Refunds[0].Tenders[0]; got.State != c.first {
				s.t.Errorf("%s: first %+v", c.code, got)
			}
			s.d.Clock.Add(2 * pay.Soon)
			s.ask()
			if got := s.shown(v.ID).Refunds[0].Tenders[0]; got.State != c.then {
				s.t.Errorf("%s: then %+v", c.code, got)
			}
		}
		s.green()
	})
}

func TestAVoidedMobileSaleGoesBackToThePayer(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 30, 1000, time.Hour)
		before := s.books()
		v := s.mobile("x12345690", 250)
		view, err := s.flow.VoidOnce(context.Background(), s.act(), v.ID, checkout.VoidIn{Reason: "x"})
		if err != nil {
			s.t.Fatal(err)
		}
		if view.State != till.Voided || view.Tenders[0].State != "given_back" || !same(before, s.books()) {
			s.t.Errorf("got %+v", view)
		}
		open := s.mobile("x12345692", 0)
		refused(s.t, "a void while the payment is open", s.void(open.ID, "x"), checkout.ErrOpen, "")
		s.green()
	})
}

func TestWithoutAProviderMobileIsRefused(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 30, 1000, time.Hour)
		s.flow = checkout.New(s.d.DB, s.goods, s.prices, checkout.Options{})
		in := s.cashSale(line(s.bun, "piece", "1"))
		in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 250, PayCode: "x12345690"}}
		_, err := s.try(in)
		refused(s.t, "mobile", err, checkout.ErrNoProvider, "tenders[0].kind")
		s.sell(line(s.bun, "piece", "1"))
	})
}

func TestWhatTheProviderRefusesToGiveBackIsPaidOutInCashOnce(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 300, 1000, time.Hour)
		refundedSale, voidedSale := s.mobile("x12345697", 0), s.mobile("x12345697", 0)
		if _, err := s.flow.RefundOnce(context.Background(), s.act(), refundedSale.ID, checkout.RefundIn{Reason: "x", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}); err != nil {
			s.t.Fatal(err)
		}
		if v, err := s.flow.VoidOnce(context.Background(), s.act(), voidedSale.ID, checkout.VoidIn{Reason: "x"}); err != nil || v.Tenders[0].State != "refused" {
			s.t.Fatal(v, err)
		}
		payOut := func(sale id.ID, register string) error {
			act := s.act()
			return s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.PayOut(tx, act, sale, checkout.PayOutIn{Register: register}) })
		}
		refused(s.t, "from no register", payOut(refundedSale.ID, "9"), till.ErrNoRegister, "register")
		s.d.Clock.Add(24 * time.Hour) // a drawer that nobody has used yet today
		for _, sale := range []*till.SaleView{refundedSale, voidedSale} {
			if err := payOut(sale.ID, "1"); err != nil {
				s.t.Fatal(err)
			}
			refused(s.t, "a second time", payOut(sale.ID, "1"), checkout.ErrNothingOwed, "")
		}
		if v := s.shown(refundedSale.ID); v.Refunds[0].Tenders[0].State != "cash" {
			s.t.Errorf("refunded: %+v", v.Refunds)
		}
		if v := s.shown(voidedSale.ID); v.Tenders[0].State != "cash" {
			s.t.Errorf("voided: %+v", v.Tenders)
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, "2026-03-03")
			if want := (checkout.Figures{PayOutsFen: 1000}); err == nil && (day.Figures != want || !day.Agree) {
				s.t.Errorf("day %+v", day)
			}
			return err
		})
		s.green()
	})
}
