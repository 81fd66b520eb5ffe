package checkout_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// breakfast is two buns (2.50 each, 13 %), a bag of tea (19.90, 9 %) and a book (10.00, no tax), for 29.99.
func (s *shop) breakfast(price money.Fen, change ...func(*catalog.Draft)) *catalog.Product {
	s.t.Helper()
	draft := catalog.Draft{Code: "SET", Name: "早餐组合", BaseUnit: "piece", TaxPct: 1300, Parts: []catalog.PartDraft{
		{ProductID: s.bun.ID, Unit: "piece", Qty: 2000}, {ProductID: s.tea.ID, Unit: "bag", Qty: 1000}, {ProductID: s.book.ID, Unit: "piece", Qty: 1000}}}
	for _, c := range change {
		c(&draft)
	}
	var p *catalog.Product
	s.write(func(tx *db.Tx) (err error) {
		if p, err = s.goods.Create(tx, draft); err != nil {
			return err
		}
		return s.setPrice(tx, p, "piece", price)
	})
	return p
}

func (s *shop) setPrice(tx *db.Tx, p *catalog.Product, unit string, fen money.Fen) error {
	_, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: p.ID, Unit: unit, Price: &fen})
	return err
}

func (s *shop) bring(v *till.SaleView, in checkout.RefundIn) (*till.SaleView, error) {
	in.Reason = "changed their mind"
	return s.flow.RefundOnce(context.Background(), s.act(), v.ID, in)
}

func TestABundleIsSoldAsItsParts(t *testing.T) {
	each(t, func(s *shop) {
		buns, bags, books := s.arrive(s.bun, "B", 10, 1000, time.Hour), s.arrive(s.tea, "T", 1000, 4000, 0), s.arrive(s.book, "K", 5, 1501, 0)
		set := s.breakfast(2999)
		v := s.sell(line(set, "piece", "2"), line(s.bun, "piece", "1"))
		// 59.98 over 10.00, 39.80 and 20.00 alone: 859.31, 3420.06, 1718.62.
		if v.TotalFen != 5998+250 || len(v.Lines) != 4 || v.Lines[0].AmountFen != 859 || v.Lines[1].AmountFen != 3420 || v.Lines[2].AmountFen != 1719 {
			t.Fatalf("sold: %+v", v.Lines)
		}
		if b := v.Bundles; len(b) != 1 || b[0].AmountFen != 5998 || b[0].FirstLine != 1 || b[0].LineCount != 3 || b[0].Name != "早餐组合" || b[0].Unit != "piece" {
			t.Errorf("bundles: %+v", b)
		}
		if len(v.Taxes) != 3 || v.Taxes[0].AmountFen != 859+250 || v.Taxes[1].AmountFen != 3420 || v.Taxes[2].TaxFen != 0 {
			t.Errorf("taxes: %+v", v.Taxes)
		}
		if s.left(buns) != "5" || s.left(bags) != "500" || s.left(books) != "3" {
			t.Errorf("left %s, %s, %s", s.left(buns), s.left(bags), s.left(books))
		}
		s.margins(v.TotalFen)
		s.green()

		// One comes back whole, of the other only the book, then the rest of it; all together are what was paid.
		back, err := s.bring(v, checkout.RefundIn{Bundles: []checkout.BundleBackIn{{BundleNo: 1, Qty: qty.Scale, Back: till.ToStock}}})
		if err != nil {
			t.Fatal(err)
		}
		if back.Lines[0].RefundedQty != 2000 || back.Lines[1].RefundedQty != 1000 || back.Lines[3].RefundedQty != 0 {
			t.Errorf("back: %+v", back.Lines)
		}
		if _, err = s.bring(v, checkout.RefundIn{Lines: []till.RefundLineIn{{LineNo: 3, Qty: 1000, Back: till.Discard}}}); err != nil {
			t.Fatal(err)
		}
		_, err = s.bring(v, checkout.RefundIn{Bundles: []checkout.BundleBackIn{{BundleNo: 1, Qty: qty.Scale, Back: till.ToStock}}})
		refused(t, "a bundle whose book is back already", err, till.ErrRefundMore, "lines[2].qty")
		s.margins(0)
		all, err := s.bring(v, checkout.RefundIn{Lines: []till.RefundLineIn{{LineNo: 1, Qty: 2000, Back: till.ToStock}, {LineNo: 2, Qty: 1000, Back: till.ToStock}, {LineNo: 4, Qty: 1000, Back: till.ToStock}}})
		if err != nil || all.RefundedFen != v.TotalFen {
			t.Errorf("refunded %v, %v", all, err)
		}
		if s.left(buns) != "10" || s.left(bags) != "1000" || s.left(books) != "4" {
			t.Errorf("left %s, %s, %s", s.left(buns), s.left(bags), s.left(books))
		}
		s.green()
	})
}

// margins checks that products and units tie to the ledger, and to what was taken if that is said.
func (s *shop) margins(total money.Fen) {
	s.t.Helper()
	s.read(func(tx *db.Tx) error {
		day := s.site.BusinessDate(tx.Now())
		m, err := checkout.MarginsOf(tx, s.site.ID, day, day)
		if err != nil {
			return err
		}
		if !m.Agree || total > 0 && m.Total.SalesFen != total {
			s.t.Errorf("margins: %+v", m)
		}
		for _, p := range m.Products {
			if p.ProductID != s.bun.ID && p.ProductID != s.tea.ID && p.ProductID != s.book.ID {
				s.t.Errorf("a margin of %s", p.Name)
			}
		}
		return nil
	})
}

func TestABundleThatWaitsForItsMoneyHoldsItsPartsAndIsVoidedWhole(t *testing.T) {
	each(t, func(s *shop) {
		buns, _, _ := s.arrive(s.bun, "B", 4, 400, time.Hour), s.arrive(s.tea, "T", 1000, 4000, 0), s.arrive(s.book, "K", 5, 1501, 0)
		set := s.breakfast(2999)
		in := s.cashSale(line(set, "piece", "1"))
		in.Tenders = []checkout.TenderIn{{Kind: till.Mobile, AmountFen: 2999, PayCode: "123456789"}}
		v, err := s.try(in)
		if err != nil || v.State != till.Paid || len(v.Bundles) != 1 || v.Bundles[0].AmountFen != 2999 {
			t.Fatalf("%+v, %v", v, err)
		}
		s.green()
		if _, err := s.flow.VoidOnce(context.Background(), s.act(), v.ID, checkout.VoidIn{Reason: "mistake"}); err != nil {
			t.Fatal(err)
		}
		if s.left(buns) != "4" {
			t.Errorf("left %s", s.left(buns))
		}
		s.margins(0)
		s.green()
	})
}

func TestWhatIsWrongWithABundleAtTheTill(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "B", 3, 400, time.Hour)
		bags := s.arrive(s.tea, "T", 1000, 4000, 0)
		s.arrive(s.book, "K", 5, 1501, 0)
		set := s.breakfast(2999)
		try := func(lines ...checkout.OrderLine) error {
			_, err := s.try(checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: lines, ExpectTotalFen: 2999, Tenders: []checkout.TenderIn{{Kind: till.Cash, AmountFen: 2999}}})
			return err
		}
		named := line(set, "piece", "1")
		named.BatchID = bags
		refused(t, "a batch", try(named), checkout.ErrBundleBatch, "lines[0].batch_id")
		refused(t, "half of one", try(line(set, "piece", "0.5")), checkout.ErrBundleWhole, "lines[0].qty")
		refused(t, "more than its buns", try(line(s.book, "piece", "1"), line(set, "piece", "2")), stock.ErrShort, "lines[1].qty")
		money := line(set, "piece", "1")
		money.Qty, money.AmountFen = 0, 500
		refused(t, "for 5 yuan", try(money), checkout.ErrNotWeighed, "lines[0].amount_fen")
		_, err := s.try(checkout.SaleIn{SiteID: s.site.ID, Register: "1", Lines: []checkout.OrderLine{line(set, "piece", "1")}, ExpectTotalFen: 3490, Tenders: []checkout.TenderIn{{Kind: till.Cash, AmountFen: 3490}}})
		refused(t, "the price of its parts", err, checkout.ErrPriceChanged, "expect_total_fen")

		v := s.sell(line(set, "piece", "1"))
		for what, c := range map[string]struct {
			in    checkout.BundleBackIn
			want  error
			field string
		}{
			"no such bundle": {checkout.BundleBackIn{BundleNo: 2, Qty: qty.Scale, Back: till.ToStock}, checkout.ErrNoBundle, "bundles[0].bundle_no"},
			"more than sold": {checkout.BundleBackIn{BundleNo: 1, Qty: 2 * qty.Scale, Back: till.ToStock}, till.ErrRefundQty, "bundles[0].qty"},
			"nothing":        {checkout.BundleBackIn{BundleNo: 1, Back: till.ToStock}, till.ErrRefundQty, "bundles[0].qty"},
			"back to where":  {checkout.BundleBackIn{BundleNo: 1, Qty: qty.Scale, Back: "shelf"}, till.ErrRefundBack, "lines[0].back"},
		} {
			_, err := s.bring(v, checkout.RefundIn{Bundles: []checkout.BundleBackIn{c.in}})
			refused(t, what, err, c.want, c.field)
		}
		// A part that is retired takes the bundle off sale; so does an expired one.
		s.d.Clock.Add(2 * time.Hour)
		refused(t, "expired buns", try(line(set, "piece", "1")), stock.ErrShort, "lines[0].qty")
		s.write(func(tx *db.Tx) error {
			_, err := s.goods.Change(tx, s.book.ID, catalog.Change{Revision: s.book.Revision, Draft: catalog.Draft{Code: "BOOK", Name: "书", BaseUnit: "piece", State: catalog.StopSelling}})
			return err
		})
		refused(t, "a retired part", try(line(set, "piece", "1")), checkout.ErrPartNotSold, "lines[0].product_id")
		s.read(func(tx *db.Tx) error {
			page, err := s.flow.Grid(tx, s.site, grid("SET"))
			if err == nil && (len(page.Items) != 1 || page.Items[0].Stock != 0) {
				t.Errorf("available: %+v", page.Items)
			}
			return err
		})
		s.green()
	})
}

func grid(q string) *checkout.GridIn {
	in := &checkout.GridIn{}
	in.Q, in.Limit = q, 10
	return in
}

func TestOddPricesOfBundlesComeToTheFen(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "B", 60, 1001, time.Hour)
		s.arrive(s.tea, "T", 9000, 4003, 0)
		s.arrive(s.book, "K", 50, 1507, 0)
		free := s.breakfast(0)
		gift := s.breakfast(1, func(d *catalog.Draft) { d.Code = "GIFT" })
		weighed := s.breakfast(1001, func(d *catalog.Draft) { d.Code, d.Parts[0].Share, d.Parts[2].Share = "W", 1, 2 })
		s.write(func(tx *db.Tx) error { return s.setPrice(tx, s.book, "piece", 0) })
		odd := s.breakfast(997, func(d *catalog.Draft) { d.Code = "ODD" })
		v := s.sell(line(free, "piece", "1"), line(gift, "piece", "7"), line(weighed, "piece", "3"), line(odd, "piece", "1"), line(s.bun, "piece", "2"))
		if v.TotalFen != 7+3003+997+500 || len(v.Bundles) != 4 || len(v.Lines) != 13 {
			t.Fatalf("%d for %+v", v.TotalFen, v.Lines)
		}
		if l := v.Lines; l[6].AmountFen != 1001 || l[7].AmountFen != 0 || l[8].AmountFen != 2002 || l[11].AmountFen != 0 {
			t.Errorf("shares: %+v", l)
		}
		s.margins(v.TotalFen)
		s.green()
		for no := int64(1); no <= 4; no++ {
			if _, err := s.bring(v, checkout.RefundIn{Bundles: []checkout.BundleBackIn{{BundleNo: no, Qty: v.Bundles[no-1].Qty, Back: till.ToStock}}}); err != nil {
				t.Fatal(no, err)
			}
		}
		back, err := s.bring(v, checkout.RefundIn{Lines: []till.RefundLineIn{{LineNo: 13, Qty: 2000, Back: till.ToStock}}})
		if err != nil || back.RefundedFen != v.TotalFen {
			t.Errorf("refunded %+v, %v", back, err)
		}
		s.green()
	})
}

func TestThirtyBuyersShareTheLastThirtyBundles(t *testing.T) {
	each(t, func(s *shop) {
		buns := s.arrive(s.bun, "B", 60, 1000, time.Hour)
		s.arrive(s.tea, "T", 250*30, 4000, 0)
		s.arrive(s.book, "K", 30, 1501, 0)
		set := s.breakfast(2999)
		in := s.cashSale(line(set, "piece", "1"))
		var acts []checkout.Act
		for range 31 {
			acts = append(acts, s.act())
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		sold := 0
		for _, act := range acts {
			group.Go(func() {
				_, err := s.flow.SellOnce(context.Background(), act, in)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					sold++
				}
			})
		}
		group.Wait()
		if sold != 30 || s.left(buns) != "0" {
			t.Errorf("sold %d, %s buns left", sold, s.left(buns))
		}
		s.green()
	})
}

func TestADamagedBundleIsFound(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "B", 60, 1000, time.Hour)
		s.arrive(s.tea, "T", 9000, 4000, 0)
		s.arrive(s.book, "K", 50, 1507, 0)
		v := s.sell(line(s.breakfast(2999), "piece", "1"))
		s.green()
		damage := func(statement, proof string) {
			t.Helper()
			s.write(func(tx *db.Tx) error { return tx.Exec(statement, v.ID) })
			if red := s.red(); red[proof] == "" {
				t.Errorf("%s: red are %v", statement, red)
			}
		}
		damage(`UPDATE till_bundle SET amount_fen = amount_fen + 1 WHERE sale_id = $1`, "till_bundles_equal_their_lines")
		damage(`UPDATE till_bundle SET price_fen = price_fen + 5 WHERE sale_id = $1`, "checkout_prices_are_those_of_the_book")
		damage(`UPDATE till_bundle SET price_fen = price_fen - 9 WHERE sale_id = $1`, "checkout_lines_cost_what_was_decided")
		damage(`DELETE FROM till_bundle WHERE sale_id = $1`, "checkout_lines_cost_what_was_decided")
	})
}
