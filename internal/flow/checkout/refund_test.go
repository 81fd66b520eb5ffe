package checkout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// books is the balance of every account there is, kept or flow, by account and unit; those at 0 are left out.
func (s *shop) books() map[string]int64 {
	s.t.Helper()
	all := map[string]int64{}
	s.read(func(tx *db.Tx) error {
		rows := tx.Query(`SELECT from_id, unit, -amount FROM ledger_transfer UNION ALL SELECT to_id, unit, amount FROM ledger_transfer`)
		for rows.Next() {
			var account, unit, n int64
			if err := rows.Scan(&account, &unit, &n); err != nil {
				return err
			}
			key := fmt.Sprint(account, " in ", unit)
			if all[key] += n; all[key] == 0 {
				delete(all, key)
			}
		}
		return rows.Err()
	})
	return all
}

func same(a, b map[string]int64) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func (s *shop) refund(sale id.ID, in checkout.RefundIn) (*till.Refund, error) {
	if in.Reason == "" {
		in.Reason = "customer came back"
	}
	var r *till.Refund
	act := s.act()
	err := s.d.Write(context.Background(), func(tx *db.Tx) error {
		var err error
		r, err = s.flow.Refund(tx, act, sale, in)
		return err
	})
	return r, err
}

func (s *shop) void(sale id.ID, reason string) error {
	act := s.act()
	return s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.Void(tx, act, sale, reason) })
}

func (s *shop) shown(sale id.ID) *till.SaleView {
	s.t.Helper()
	var v *till.SaleView
	s.read(func(tx *db.Tx) (err error) {
		v, err = till.Show(tx, sale)
		return err
	})
	return v
}

func back(no int64, q string, where till.Back) till.RefundLineIn {
	v, err := qty.Parse(q)
	if err != nil {
		panic(err)
	}
	return till.RefundLineIn{LineNo: no, Qty: v, Back: where}
}

func TestAFullRefundUndoesTheSaleOnEveryAccount(t *testing.T) {
	each(t, func(s *shop) {
		old := s.arrive(s.bun, "old", 5, 333, 2*time.Hour)
		s.arrive(s.bun, "fresh", 20, 2000, 6*time.Hour)
		s.arrive(s.tea, "tea", 10_000, 50_001, 0)
		before := s.books()
		v := s.sell(line(s.bun, "piece", "7"), line(s.tea, "kg", "0.333"), line(s.bun, "box", "1"))
		if s.left(old) != "0" {
			s.t.Errorf("left %s", s.left(old))
		}
		r, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "7", till.ToStock), back(2, "0.333", till.ToStock), back(3, "1", till.ToStock)}})
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Amount != v.TotalFen || r.Tax != v.TaxFen {
			s.t.Errorf("gave back %d with tax %d of %d, %d", r.Amount, r.Tax, v.TotalFen, v.TaxFen)
		}
		if after := s.books(); !same(before, after) {
			s.t.Errorf("before %v\nafter  %v", before, after)
		}
		if s.left(old) != "5" { // the emptied batch is open again
			s.t.Errorf("left %s", s.left(old))
		}
		s.sell(line(s.bun, "piece", "25"))
		shown := s.shown(v.ID)
		if shown.RefundedFen != v.TotalFen || len(shown.Refunds) != 1 || shown.Refunds[0].RefundNo != "S1-1-R-260302-0001" || shown.Refunds[0].Tenders[0].AmountFen != v.TotalFen || shown.Lines[1].RefundedQty != 333 {
			s.t.Errorf("shown %+v", shown)
		}
		s.green()
	})
}

func TestPartsOfARefundAddUpToWhatWasPaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		s := openShop(t, d)
		s.arrive(s.bun, "a", 700, 7777, 20*time.Hour)
		s.arrive(s.bun, "b", 1_000_000, 9_999_999, 40*time.Hour)
		s.arrive(s.tea, "t", 100_000_000, 123_456_789, 0)
		rapid.Check(t, func(t *rapid.T) {
			before := s.books()
			lines := []checkout.OrderLine{
				line(s.bun, "piece", fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "buns"))),
				{ProductID: s.tea.ID, Unit: "kg", Qty: qty.Qty(rapid.Int64Range(1, 900).Draw(t, "tea"))},
			}
			in := s.cashSale(lines...)
			if rapid.Bool().Draw(t, "mixed") && in.ExpectTotalFen > 1 {
				cash := money.Fen(rapid.Int64Range(1, int64(in.ExpectTotalFen)-1).Draw(t, "cash"))
				in.Tenders = []checkout.TenderIn{{Kind: till.Cash, AmountFen: cash}, {Kind: till.Mobile, AmountFen: in.ExpectTotalFen - cash, PayCode: "13456789"}}
			}
			v, err := s.try(in)
			if err != nil || v.State != till.Paid {
				t.Fatal(v, err)
			}
			open := []qty.Qty{lines[0].Qty, lines[1].Qty}
			var given money.Fen
			for open[0] > 0 || open[1] > 0 {
				var parts []till.RefundLineIn
				for i, step := range []int64{1000, 1} {
					if open[i] == 0 {
						continue
					}
					n := qty.Qty(rapid.Int64Range(0, int64(open[i])/step).Draw(t, "part") * step)
					if n == 0 && (i == 1 && len(parts) == 0) {
						n = open[i]
					}
					if n > 0 {
						parts = append(parts, till.RefundLineIn{LineNo: int64(i + 1), Qty: n, Back: till.ToStock})
						open[i] -= n
					}
				}
				if len(parts) == 0 {
					parts = append(parts, till.RefundLineIn{LineNo: 1, Qty: open[0], Back: till.ToStock})
					open[0] = 0
				}
				r, err := s.refund(v.ID, checkout.RefundIn{Lines: parts})
				if err != nil {
					t.Fatal(err)
				}
				given += r.Amount
			}
			if given != v.TotalFen {
				t.Fatalf("gave back %d of %d", given, v.TotalFen)
			}
			if after := s.books(); !same(before, after) {
				t.Fatalf("before %v\nafter  %v", before, after)
			}
		})
		s.green()
	}, dbtest.With(sets...))
}

func TestARefundIsRefusedWithItsFieldAndChangesNothing(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 20, 100, time.Hour)
		s.arrive(s.tea, "t", 1000, 500, 0)
		v := s.sell(line(s.bun, "piece", "3"), line(s.tea, "bag", "1"))
		before := s.books()
		for _, c := range []struct {
			name, field string
			want        error
			in          checkout.RefundIn
		}{
			{"nothing", "lines", till.ErrRefundEmpty, checkout.RefundIn{}},
			{"an unknown line", "lines[0].line_no", till.ErrRefundLine, checkout.RefundIn{Lines: []till.RefundLineIn{back(9, "1", till.ToStock)}}},
			{"more than sold", "lines[0].qty", till.ErrRefundMore, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "4", till.ToStock)}}},
			{"less than nothing", "lines[0].qty", till.ErrRefundQty, checkout.RefundIn{Lines: []till.RefundLineIn{{LineNo: 1, Qty: -1000, Back: till.ToStock}}}},
			{"to nowhere", "lines[0].back", till.ErrRefundBack, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", "")}}},
			{"a line twice", "lines[1].line_no", till.ErrRefundTwice, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock), back(1, "1", till.ToStock)}}},
			{"in gold", "tender", till.ErrRefundTender, checkout.RefundIn{Tender: "gold", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}},
			{"at an unknown register", "register", till.ErrNoRegister, checkout.RefundIn{Register: "7", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}},
			{"without reason", "reason", till.ErrReason, checkout.RefundIn{Reason: "  ", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}},
			{"with an essay", "reason", till.ErrReason, checkout.RefundIn{Reason: strings.Repeat("x", 201), Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}},
		} {
			_, err := s.refund(v.ID, c.in)
			refused(s.t, c.name, err, c.want, c.field)
		}
		if _, err := s.refund(404, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}); !errors.Is(err, till.ErrNoSale) {
			s.t.Errorf("of no sale: %v", err)
		}
		if !same(before, s.books()) {
			s.t.Error("a refusal moved something")
		}
		if r, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}); err != nil || r.SlipNo != 1 {
			s.t.Errorf("the first refund after refusals: %+v, %v", r, err)
		}
		s.green()
	})
}

func TestExpiredGoodsComeBackOnlyToBeThrownAway(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 10, 1000, time.Hour)
		v := s.sell(line(s.bun, "piece", "4"))
		s.d.Clock.Add(time.Hour)
		_, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}})
		refused(s.t, "expired goods to stock", err, stock.ErrExpiredBack, "lines[0].back")
		if _, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.Discard)}}); err != nil {
			s.t.Fatal(err)
		}
		if s.left(batch) != "6" {
			s.t.Errorf("left %s", s.left(batch))
		}
		goods, value, _ := stock.Waste(stock.Returned)
		books := s.books()
		if books[fmt.Sprint(int64(goods), " in ", int64(s.bun.SKU))] != 1000 || books[fmt.Sprint(int64(value), " in 1")] != 100 {
			s.t.Errorf("waste %v", books)
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, v.BusinessDate)
			if want := (checkout.Figures{SalesFen: 1000, RefundsFen: 250, NetFen: 750, TaxFen: 86, CostFen: 300, CashFen: 750}); err == nil && (day.Figures != want || !day.Agree) {
				s.t.Errorf("day %+v", day)
			}
			return err
		})
		s.green()
	})
}

func TestTwoRefundsInParallelGiveBackOnce(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 20, 100, time.Hour)
		v := s.sell(line(s.bun, "piece", "3"))
		before := s.books()
		var wg sync.WaitGroup
		const many = 8
		results := make([]error, many)
		acts := make([]checkout.Act, many)
		for i := range acts {
			acts[i] = s.act()
		}
		for i := range many {
			wg.Go(func() {
				results[i] = s.d.Write(context.Background(), func(tx *db.Tx) error {
					_, err := s.flow.Refund(tx, acts[i], v.ID, checkout.RefundIn{Reason: "x", Lines: []till.RefundLineIn{back(1, "2", till.ToStock)}})
					return err
				})
			})
		}
		wg.Wait()
		done := 0
		for _, err := range results {
			if err == nil {
				done++
			} else if !errors.Is(err, till.ErrRefundMore) {
				s.t.Errorf("refused with %v", err)
			}
		}
		if done != 1 || same(before, s.books()) || s.shown(v.ID).RefundedFen != 500 {
			s.t.Errorf("%d refunds of two out of three pieces", done)
		}
		s.green()
	})
}

func TestAVoidTakesTheWholeSaleBack(t *testing.T) {
	each(t, func(s *shop) {
		old := s.arrive(s.bun, "old", 2, 77, time.Hour)
		s.arrive(s.bun, "b", 20, 1001, 2*time.Hour)
		s.arrive(s.tea, "t", 1000, 500, 0)
		before := s.books()
		v := s.sell(line(s.bun, "piece", "3"), line(s.tea, "bag", "2"))
		if err := s.void(v.ID, "rung up twice"); err != nil {
			s.t.Fatal(err)
		}
		if !same(before, s.books()) || s.left(old) != "2" {
			s.t.Errorf("before %v\nafter  %v", before, s.books())
		}
		shown := s.shown(v.ID)
		if shown.State != till.Voided || len(shown.Trail) != 1 || shown.Trail[0].Act != "voided" || shown.Trail[0].Note != "rung up twice" || shown.Trail[0].StaffID != s.staff {
			s.t.Errorf("shown %+v", shown)
		}
		if err := s.void(v.ID, "again"); !errors.Is(err, checkout.ErrVoided) {
			s.t.Errorf("a second void: %v", err)
		}
		if _, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}); !errors.Is(err, till.ErrNotPaid) {
			s.t.Errorf("a refund of a voided sale: %v", err)
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, v.BusinessDate)
			if err == nil && (day.Figures != checkout.Figures{VoidsFen: v.TotalFen} || !day.Agree || day.Voided != 1 || day.Slips != 0) {
				s.t.Errorf("day %+v", day)
			}
			return err
		})
		s.green()
	})
}

func TestAVoidIsRefusedAfterARefundAndOnAnotherDay(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 20, 100, 48*time.Hour)
		v, w := s.sell(line(s.bun, "piece", "3")), s.sell(line(s.bun, "piece", "1"))
		if _, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}); err != nil {
			s.t.Fatal(err)
		}
		refused(s.t, "after a refund", s.void(v.ID, "x"), checkout.ErrRefunded, "")
		refused(s.t, "without reason", s.void(w.ID, " "), till.ErrReason, "reason")
		refused(s.t, "of no sale", s.void(404, "x"), till.ErrNoSale, "")
		s.d.Clock.Add(19*time.Hour + 59*time.Minute) // 03:59 in the night still belongs to the day
		if err := s.void(s.sell(line(s.bun, "piece", "1")).ID, "x"); err != nil {
			s.t.Error(err)
		}
		s.d.Clock.Add(time.Minute)
		refused(s.t, "on the next business date", s.void(w.ID, "x"), checkout.ErrOtherDay, "")
		if _, err := s.refund(w.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}); err != nil {
			s.t.Errorf("a refund on the next day: %v", err)
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, "2026-03-03")
			if err == nil && (day.RefundsFen != 250 || day.CashFen != -250 || day.NetFen != -250 || !day.Agree || day.Refunds != 1) {
				s.t.Errorf("the next day %+v", day)
			}
			return err
		})
		s.green()
	})
}

func TestAVoidAfterExpiryThrowsTheGoodsAway(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 10, 1000, time.Hour)
		tea := s.arrive(s.tea, "t", 1000, 500, 0)
		v := s.sell(line(s.bun, "piece", "4"), line(s.tea, "bag", "1"))
		s.d.Clock.Add(time.Hour)
		if err := s.void(v.ID, "too late"); err != nil {
			s.t.Fatal(err)
		}
		if s.left(batch) != "6" || s.left(tea) != "1000" {
			s.t.Errorf("left %s and %s", s.left(batch), s.left(tea))
		}
		s.green()
	})
}

func TestVoidAndRefundRaceForASaleAndOneWins(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 50, 100, time.Hour)
		for range 6 {
			v := s.sell(line(s.bun, "piece", "2"))
			var wg sync.WaitGroup
			var voided, refunded error
			a, b := s.act(), s.act()
			wg.Go(func() {
				voided = s.d.Write(context.Background(), func(tx *db.Tx) error { return s.flow.Void(tx, a, v.ID, "x") })
			})
			wg.Go(func() {
				refunded = s.d.Write(context.Background(), func(tx *db.Tx) error {
					_, err := s.flow.Refund(tx, b, v.ID, checkout.RefundIn{Reason: "x", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}})
					return err
				})
			})
			wg.Wait()
			if (voided == nil) == (refunded == nil) {
				s.t.Errorf("void: %v, refund: %v", voided, refunded)
			}
		}
		s.green()
	})
}

func TestARepeatedRefundGivesTheFirstAnswer(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 10, 100, time.Hour)
		v := s.sell(line(s.bun, "piece", "3"))
		act := s.act()
		in := checkout.RefundIn{Reason: "x", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}}
		first, err := s.flow.RefundOnce(context.Background(), act, v.ID, in)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := s.refund(v.ID, in); err != nil { // another one meanwhile
			s.t.Fatal(err)
		}
		again, err := s.flow.RefundOnce(context.Background(), act, v.ID, in)
		if err != nil {
			s.t.Fatal(err)
		}
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(again)
		if string(a) != string(b) || s.shown(v.ID).RefundedFen != 500 {
			s.t.Errorf("first %s\nagain %s", a, b)
		}
		in.Reason = "y"
		if _, err := s.flow.RefundOnce(context.Background(), act, v.ID, in); !errors.Is(err, once.ErrReused) {
			s.t.Errorf("the key for another refund: %v", err)
		}
		s.green()
	})
}

func TestCashGoesBackFromTheDrawerThatGivesIt(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 10, 100, time.Hour)
		s.write(func(tx *db.Tx) error {
			_, err := till.AddRegister(tx, till.RegisterDraft{SiteID: s.site.ID, Code: "2"})
			return err
		})
		in := s.cashSale(line(s.bun, "piece", "2"))
		in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 500, PayCode: "13456789"}}
		v, err := s.try(in)
		if err != nil {
			s.t.Fatal(err)
		}
		r, err := s.refund(v.ID, checkout.RefundIn{Tender: "cash", Register: "2", Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}})
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Tenders[0].Kind != till.Cash || till.RefundNumber(r.Register.Prefix, r.Date, r.SlipNo) != "S1-2-R-260302-0001" {
			s.t.Errorf("got %+v", r)
		}
		if shown := s.shown(v.ID); shown.Refunds[0].Tenders[0].State != "done" {
			s.t.Errorf("shown %+v", shown.Refunds)
		}
		s.green()
	})
}

// A day of everything at once, with every proof green and the books those of the documents.
func TestADayOfSalesVoidsAndRefundsAgreesWithItself(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "a", 40, 1234, 3*time.Hour)
		s.arrive(s.bun, "b", 4000, 99_999, 20*time.Hour)
		s.arrive(s.tea, "t", 500_000, 1_234_567, 0)
		s.arrive(s.book, "k", 500, 77_777, 0)
		r := rand.New(rand.NewPCG(7, 11))
		for range 25 {
			lines := []checkout.OrderLine{line(s.bun, "piece", fmt.Sprint(1+r.IntN(5)))}
			if r.IntN(2) == 0 {
				lines = append(lines, checkout.OrderLine{ProductID: s.tea.ID, Unit: "kg", Qty: qty.Qty(1 + r.IntN(700))})
			}
			if r.IntN(3) == 0 {
				lines = append(lines, line(s.book, "piece", "1"))
			}
			in := s.cashSale(lines...)
			if r.IntN(3) == 0 {
				in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: in.ExpectTotalFen, PayCode: "10000" + []string{"90", "91", "93", "97"}[r.IntN(4)]}}
			}
			v, err := s.try(in)
			if err != nil {
				s.t.Fatal(err)
			}
			if v.State != till.Paid {
				continue
			}
			switch r.IntN(4) {
			case 0:
				err = s.void(v.ID, "x")
			case 1:
				where := till.ToStock
				if r.IntN(2) == 0 {
					where = till.Discard
				}
				_, err = s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{{LineNo: 1, Qty: 1000, Back: where}}})
			}
			if err != nil {
				s.t.Fatal(err)
			}
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, "2026-03-02")
			if err == nil && (!day.Agree || day.Slips == 0 || day.Voided == 0 || day.Refunds == 0 || day.NetFen != day.CashFen+day.MobileFen) {
				s.t.Errorf("day %+v", day)
			}
			return err
		})
		s.green()
	})
}
