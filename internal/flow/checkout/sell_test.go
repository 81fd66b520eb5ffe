package checkout_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

func TestACashSaleMovesGoodsMoneyTaxAndCostAtOnce(t *testing.T) {
	each(t, func(s *shop) {
		old := s.arrive(s.bun, "old", 5, 333, 2*time.Hour)
		fresh := s.arrive(s.bun, "fresh", 20, 2000, 6*time.Hour)
		tea := s.arrive(s.tea, "tea", 10_000, 50_000, 0)
		s.arrive(s.book, "book", 3, 1500, 0)

		in := s.cashSale(line(s.bun, "piece", "7"), line(s.tea, "kg", "0.25"), line(s.book, "piece", "1"))
		in.Tenders[0].GivenFen = 10_000
		v, err := s.try(in)
		if err != nil {
			s.t.Fatal(err)
		}
		// 7 × 2.50 = 17.50, 0.25 × 88.88 = 22.22, 10.00
		if v.State != till.Paid || v.TotalFen != 1750+2222+1000 || v.ChangeFen != 10_000-4972 || v.SlipNo != "S1-1-260302-0001" || v.Cashier != "Ann" || v.BusinessDate != "2026-03-02" {
			s.t.Errorf("got %+v", v)
		}
		// 1750 × 13/113 = 201.33, 2222 × 9/109 = 183.47
		if v.TaxFen != 201+183 || len(v.Taxes) != 3 || v.Taxes[0].TaxPct != 1300 || v.Taxes[2].TaxFen != 0 {
			s.t.Errorf("tax %d, %+v", v.TaxFen, v.Taxes)
		}
		// What expires first goes first: all 5 old ones and 2 of the fresh.
		if b := v.Lines[0].Batches; len(b) != 2 || b[0].BatchID != old || b[0].BaseQty != 5000 || b[1].BatchID != fresh {
			s.t.Errorf("batches %+v", b)
		}
		if s.left(old) != "0" || s.left(fresh) != "18" || s.left(tea) != "9750" {
			s.t.Errorf("left %s, %s, %s", s.left(old), s.left(fresh), s.left(tea))
		}
		s.read(func(tx *db.Tx) error {
			day, err := checkout.DayOf(tx, s.site.ID, v.BusinessDate)
			if err != nil {
				return err
			}
			// cost: all of the old batch, 2/20 of the fresh, 250 of 10,000 g, 1/3 of the books
			want := checkout.Figures{SalesFen: 4972, NetFen: 4972, TaxFen: 384, CostFen: 333 + 200 + 1250 + 500, CashFen: 4972}
			if day.Figures != want || !day.Agree || day.Slips != 1 || len(day.Taxes) != 3 {
				s.t.Errorf("day %+v, want %+v", day, want)
			}
			shown, err := till.Show(tx, v.ID)
			if err != nil {
				return err
			}
			a, _ := json.Marshal(shown)
			b, _ := json.Marshal(v)
			if string(a) != string(b) {
				s.t.Errorf("shown later as\n%s\nanswered as\n%s", a, b)
			}
			var events int
			err = tx.QueryRow(`SELECT COUNT(*) FROM outbox_event WHERE type = 'till.sold.v1' AND subject = $1`, v.ID).Scan(&events)
			if events != 1 {
				s.t.Errorf("%d events", events)
			}
			return err
		})
		s.green()
	})
}

func TestARepeatedKeyGetsTheFirstAnswerAndSellsOnce(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "b", 10, 100, time.Hour)
		in, act := s.cashSale(line(s.bun, "piece", "3")), s.act()
		first, err := s.flow.SellOnce(context.Background(), act, in)
		if err != nil {
			s.t.Fatal(err)
		}
		again, err := s.flow.SellOnce(context.Background(), act, in)
		if err != nil {
			s.t.Fatal(err)
		}
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(again)
		if string(a) != string(b) || s.left(batch) != "7" {
			s.t.Errorf("first %s\nagain %s\nleft %s", a, b, s.left(batch))
		}
		other := s.cashSale(line(s.bun, "piece", "2"))
		if _, err := s.flow.SellOnce(context.Background(), act, other); !errors.Is(err, once.ErrReused) {
			s.t.Errorf("the key with another basket: %v", err)
		}
		s.green()
	})
}

func TestASaleIsRefusedWithItsFieldAndChangesNothing(t *testing.T) {
	each(t, func(s *shop) {
		expired := s.arrive(s.bun, "expired", 5, 50, time.Minute)
		s.d.Clock.Add(time.Minute) // to the millisecond
		good := s.arrive(s.bun, "good", 10, 100, time.Hour)
		s.arrive(s.tea, "tea", 1000, 5000, 0)
		gone, err := (*catalog.Product)(nil), error(nil)
		unpriced := (*catalog.Product)(nil)
		var elsewhere *org.Site
		var foreign id.ID
		s.write(func(tx *db.Tx) error {
			if gone, err = s.goods.Create(tx, catalog.Draft{Code: "GONE", Name: "gone", BaseUnit: "piece", State: catalog.StopSelling}); err != nil {
				return err
			}
			if unpriced, err = s.goods.Create(tx, catalog.Draft{Code: "FREE", Name: "unpriced", BaseUnit: "piece"}); err != nil {
				return err
			}
			o := org.New(org.Options{})
			if elsewhere, err = o.CreateSite(context.Background(), tx, org.SiteFields{Code: "S2", Name: "Other", Kind: "store", TimeZone: "Asia/Shanghai", DayStart: 240, EntityID: s.site.EntityID}); err != nil {
				return err
			}
			d, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: elsewhere}, Lines: []stock.Arrival{{SKU: s.bun.SKU, Code: "f", Qty: 9000, Cost: 1, ExpiresAt: stock.Never}}})
			if err == nil {
				foreign = d.Lines[0].Batch
			}
			return err
		})
		cash := func(fen money.Fen) []checkout.TenderIn { return []checkout.TenderIn{{Kind: till.Cash, AmountFen: fen}} }
		one := []checkout.OrderLine{line(s.bun, "piece", "1")}
		sale := func(expect money.Fen, tenders []checkout.TenderIn, lines ...checkout.OrderLine) checkout.SaleIn {
			return checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: lines, Tenders: tenders, ExpectTotalFen: expect}
		}
		many := make([]checkout.OrderLine, 201)
		for i := range many {
			many[i] = one[0]
		}
		fromBatch := func(b id.ID) checkout.OrderLine { l := one[0]; l.BatchID = b; return l }
		unknown := one[0]
		unknown.ProductID = 404
		raw := func(p *catalog.Product, unit string, q qty.Qty) checkout.OrderLine {
			return checkout.OrderLine{ProductID: p.ID, Unit: unit, Qty: q}
		}
		for _, c := range []struct {
			name  string
			in    checkout.SaleIn
			want  error
			field string
		}{
			{"an empty basket", sale(0, nil), checkout.ErrEmpty, "lines"},
			{"201 lines", sale(201*250, cash(201*250), many...), checkout.ErrTooMany, "lines"},
			{"an unknown product", sale(250, cash(250), one[0], unknown), catalog.ErrNoProduct, "lines[1].product_id"},
			{"a product no longer sold", sale(250, cash(250), line(gone, "piece", "1")), checkout.ErrNotOnSale, "lines[0].product_id"},
			{"a product without price", sale(250, cash(250), line(unpriced, "piece", "1")), price.ErrNoPrice, "lines[0].product_id"},
			{"a unit without price", sale(250, cash(250), line(s.tea, "g", "1")), price.ErrNoPrice, "lines[0].product_id"},
			{"an unknown unit", sale(250, cash(250), line(s.bun, "kg", "1")), catalog.ErrNoUnit, "lines[0].unit"},
			{"no unit", sale(250, cash(250), line(s.bun, "", "1")), catalog.ErrNoUnit, "lines[0].unit"},
			{"nothing of it", sale(0, cash(0), line(s.bun, "piece", "0")), checkout.ErrQty, "lines[0].qty"},
			{"less than nothing", sale(-250, cash(-250), raw(s.bun, "piece", -1000)), checkout.ErrQty, "lines[0].qty"},
			{"a barcode as quantity", sale(250, cash(250), raw(s.bun, "piece", 690_000_000_001)), checkout.ErrQtyAbsurd, "lines[0].qty"},
			{"the largest number there is", sale(250, cash(250), raw(s.bun, "piece", 1<<63-1)), checkout.ErrQtyAbsurd, "lines[0].qty"},
			{"more than there is", sale(11*250, cash(11*250), line(s.bun, "piece", "11")), stock.ErrShort, "lines[0].qty"},
			{"more than there is in two lines", sale(12*250, cash(12*250), line(s.bun, "piece", "6"), line(s.bun, "piece", "6")), stock.ErrShort, "lines[1].qty"},
			{"an expired batch", sale(250, cash(250), fromBatch(expired)), stock.ErrExpired, "lines[0].batch_id"},
			{"a batch of another site", sale(250, cash(250), fromBatch(foreign)), stock.ErrNoBatch, "lines[0].batch_id"},
			{"a batch that is not there", sale(250, cash(250), fromBatch(77)), stock.ErrNoBatch, "lines[0].batch_id"},
			{"a lower total than the book's", sale(1, cash(1), one...), checkout.ErrPriceChanged, "expect_total_fen"},
			{"a higher total than the book's", sale(251, cash(251), one...), checkout.ErrPriceChanged, "expect_total_fen"},
			{"no tender", sale(250, nil, one...), checkout.ErrNoTender, "tenders"},
			{"a tender too small", sale(250, cash(249), one...), checkout.ErrTenderSum, "tenders"},
			{"a tender too large", sale(250, cash(251), one...), checkout.ErrTenderSum, "tenders"},
			{"a tender below zero", sale(250, []checkout.TenderIn{{Kind: till.Cash, AmountFen: 500}, {Kind: till.Mobile, AmountFen: -250, PayCode: "12345600"}}, one...), checkout.ErrTenderAmount, "tenders[1].amount_fen"},
			{"too little cash", sale(250, []checkout.TenderIn{{Kind: till.Cash, AmountFen: 250, GivenFen: 200}}, one...), checkout.ErrTooLittle, "tenders[0].given_fen"},
			{"a fortune in cash", sale(250, []checkout.TenderIn{{Kind: till.Cash, AmountFen: 250, GivenFen: 69_000_000_001}}, one...), checkout.ErrTooMuchCash, "tenders[0].given_fen"},
			{"cash twice", sale(250, []checkout.TenderIn{{Kind: till.Cash, AmountFen: 100}, {Kind: till.Cash, AmountFen: 150}}, one...), checkout.ErrTenders, "tenders[1].kind"},
			{"seven tenders", sale(250, make([]checkout.TenderIn, 7), one...), checkout.ErrTenders, "tenders"},
			{"an unknown kind", sale(250, []checkout.TenderIn{{Kind: "gold", AmountFen: 250}}, one...), checkout.ErrTenderKind, "tenders[0].kind"},
			{"mobile without code", sale(250, []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 250}}, one...), checkout.ErrPayCode, "tenders[0].pay_code"},
			{"mobile with an endless code", sale(250, []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 250, PayCode: strings.Repeat("1", 65)}}, one...), checkout.ErrPayCode, "tenders[0].pay_code"},
			{"an unknown register", func() checkout.SaleIn { in := sale(250, cash(250), one...); in.Register = "9"; return in }(), till.ErrNoRegister, "register"},
		} {
			_, err := s.try(c.in)
			refused(s.t, c.name, err, c.want, c.field)
		}
		s.read(func(tx *db.Tx) error {
			var sales, legs, events, shifts int
			if err := tx.QueryRow(`SELECT (SELECT COUNT(*) FROM till_sale), (SELECT COUNT(*) FROM ledger_transfer WHERE doc_kind = 40), (SELECT COUNT(*) FROM outbox_event WHERE type LIKE 'till.%'), (SELECT COUNT(*) FROM till_shift)`).
				Scan(&sales, &legs, &events, &shifts); err != nil {
				return err
			}
			if sales+legs+events+shifts != 0 {
				s.t.Errorf("refusals left %d sales, %d legs, %d events, %d shifts", sales, legs, events, shifts)
			}
			return nil
		})
		if s.left(good) != "10" {
			s.t.Errorf("left %s", s.left(good))
		}
		if v := s.sell(one...); v.SlipNo != "S1-1-260302-0001" {
			s.t.Errorf("the first slip after refusals is %s", v.SlipNo)
		}
		s.green()
	})
}

func TestATotalThatChangedIsToldAndNotCharged(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 10, 100, time.Hour)
		in := s.cashSale(line(s.bun, "piece", "2")) // told 5.00
		raised := money.Fen(300)
		s.write(func(tx *db.Tx) error {
			_, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: s.bun.ID, Unit: "piece", Price: &raised})
			return err
		})
		_, err := s.try(in)
		refused(s.t, "the old total", err, checkout.ErrPriceChanged, "expect_total_fen")
		if e := errs.As(err); !strings.Contains(e.Text("en"), "6.00") || !strings.Contains(e.Text("zh"), "6.00") {
			s.t.Errorf("the new total is not told: %s", e.Text("en"))
		}
		if v := s.sell(line(s.bun, "piece", "2")); v.TotalFen != 600 {
			s.t.Errorf("charged %d", v.TotalFen)
		}
	})
}

func TestGoodsThatAreCountedAreSoldAndTakenBackInWholePieces(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 24, 100, time.Hour)
		s.arrive(s.tea, "t", 1000, 500, 0)
		var half *catalog.Product
		s.write(func(tx *db.Tx) (err error) {
			if half, err = s.goods.Create(tx, catalog.Draft{Code: "LOAF", Name: "面包", BaseUnit: "piece", TaxPct: 1300, Units: []catalog.UnitDraft{{Name: "half", Num: 1, Den: 2}}}); err != nil {
				return err
			}
			fen := money.Fen(600)
			_, err = s.prices.Set(tx, s.staff, price.Draft{ProductID: half.ID, Unit: "half", Price: &fen})
			return err
		})
		s.arrive(half, "l", 2, 500, 0)
		for _, q := range []string{"0.001", "0.5", "1.999"} { // a thousandth of a bun would cost 0.00 yuan
			_, err := s.try(checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: []checkout.OrderLine{line(s.tea, "kg", "0.001"), line(s.bun, "piece", q)}})
			refused(s.t, q+" buns", err, checkout.ErrWhole, "lines[1].qty")
		}
		_, err := s.try(checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: []checkout.OrderLine{line(s.bun, "box", "0.1")}})
		refused(s.t, "a tenth of a dozen", err, checkout.ErrWhole, "lines[0].qty")
		_, err = s.try(checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: []checkout.OrderLine{line(half, "half", "0.5")}})
		refused(s.t, "a quarter of a loaf", err, checkout.ErrWhole, "lines[0].qty")

		v := s.sell(line(s.bun, "box", "0.25"), line(half, "half", "1"), line(s.tea, "kg", "0.123")) // three buns, half a loaf, what the scale says
		_, err = s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(3, "0.001", till.Discard), back(1, "0.1", till.ToStock)}})
		refused(s.t, "1.2 buns back", err, checkout.ErrWhole, "lines[1].qty")
		if _, err := s.refund(v.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "0.25", till.ToStock), back(2, "1", till.Discard), back(3, "0.023", till.ToStock)}}); err != nil {
			s.t.Errorf("what was sold can't come back: %v", err)
		}
		s.green()
	})
}

func TestALaterPriceAltersNoEarlierSale(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 10, 100, time.Hour)
		v := s.sell(line(s.bun, "box", "0.25"))
		raised := money.Fen(9999)
		s.write(func(tx *db.Tx) error {
			_, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: s.bun.ID, Unit: "box", Price: &raised})
			return err
		})
		s.read(func(tx *db.Tx) error {
			again, err := till.Show(tx, v.ID)
			if err == nil && (again.Lines[0].PriceFen != 2799 || again.TotalFen != 700) {
				s.t.Errorf("got %+v", again.Lines[0])
			}
			return err
		})
		s.green()
	})
}

func TestANamedBatchIsSoldBeforeItsTurn(t *testing.T) {
	each(t, func(s *shop) {
		old := s.arrive(s.bun, "old", 5, 50, time.Hour)
		fresh := s.arrive(s.bun, "fresh", 5, 50, 3*time.Hour)
		l := line(s.bun, "piece", "2")
		l.BatchID = fresh
		s.sell(l)
		if s.left(old) != "5" || s.left(fresh) != "3" {
			s.t.Errorf("left %s and %s", s.left(old), s.left(fresh))
		}
		s.green()
	})
}

func TestThirtyTillsAskForExactlyThirtyPieces(t *testing.T) {
	each(t, func(s *shop) {
		const tills = 30
		a := s.arrive(s.bun, "a", 13, 997, time.Hour)
		b := s.arrive(s.bun, "b", 17, 1009, 2*time.Hour)
		s.write(func(tx *db.Tx) error {
			for i := range tills {
				if _, err := till.AddRegister(tx, till.RegisterDraft{SiteID: s.site.ID, Code: "T" + string(rune('A'+i%26)) + string(rune('0'+i/26))}); err != nil {
					return err
				}
			}
			return nil
		})
		in := s.cashSale(line(s.bun, "piece", "1"))
		acts := make([]checkout.Act, tills+1)
		for i := range acts {
			acts[i] = s.act()
		}
		var wg sync.WaitGroup
		errsOf := make([]error, tills)
		start := make(chan struct{})
		for i := range tills {
			in := in
			in.Register = "T" + string(rune('A'+i%26)) + string(rune('0'+i/26))
			wg.Go(func() {
				<-start
				_, errsOf[i] = s.flow.SellOnce(context.Background(), acts[i], in)
			})
		}
		close(start)
		wg.Wait()
		for i, err := range errsOf {
			if err != nil {
				s.t.Errorf("till %d: %v", i, err)
			}
		}
		if s.left(a) != "0" || s.left(b) != "0" {
			s.t.Errorf("left %s and %s", s.left(a), s.left(b))
		}
		_, err := s.flow.SellOnce(context.Background(), acts[tills], in)
		refused(s.t, "the thirty-first", err, stock.ErrShort, "lines[0].qty")
		s.read(func(tx *db.Tx) error {
			var cost int64
			err := tx.QueryRow(`SELECT SUM(cost_fen) FROM till_line_batch`).Scan(&cost)
			if cost != 997+1009 {
				s.t.Errorf("cost %d of %d", cost, 997+1009)
			}
			return err
		})
		s.green()
	})
}

func TestOneRegisterSellsInParallelWithoutGapInItsSlips(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "a", 1000, 10_000, time.Hour)
		s.arrive(s.tea, "t", 100_000, 10_000, 0)
		var wg sync.WaitGroup
		in := []checkout.SaleIn{s.cashSale(line(s.bun, "piece", "1"), line(s.tea, "bag", "1")), s.cashSale(line(s.tea, "bag", "1"), line(s.bun, "piece", "1"))}
		for i := range 20 {
			act := s.act()
			wg.Go(func() {
				if _, err := s.flow.SellOnce(context.Background(), act, in[i%2]); err != nil {
					s.t.Errorf("sale %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if v := s.sell(line(s.bun, "piece", "1")); !strings.HasSuffix(v.SlipNo, "-0021") {
			s.t.Errorf("the next slip is %s", v.SlipNo)
		}
		s.green()
	})
}

func TestWhatIsHeldForNobodyIsNotSoldTwiceByTwoKeys(t *testing.T) {
	each(t, func(s *shop) {
		batch := s.arrive(s.bun, "a", 1, 10, time.Hour)
		in := s.cashSale(line(s.bun, "piece", "1"))
		s.sell(line(s.bun, "piece", "1"))
		_, err := s.try(in)
		refused(s.t, "the same piece again", err, stock.ErrShort, "lines[0].qty")
		if s.left(batch) != "0" {
			s.t.Errorf("left %s", s.left(batch))
		}
		s.read(func(tx *db.Tx) error {
			a, err := ledger.Balance(tx, ledger.Account(batch))
			if a.Balance() != 0 {
				s.t.Errorf("balance %d", a.Balance())
			}
			return err
		})
	})
}
