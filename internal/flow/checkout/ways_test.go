package checkout_test

import (
	"errors"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/price"
	"zhanggui/internal/till"
)

// leaf is tea that is sold in every way there is: by kg and g from the scale, in cans of 250 g and boxes of four cans, by
// an amount of money, and by the label of a scale. 380 yuan a kg.
func (s *shop) leaf() *catalog.Product {
	s.t.Helper()
	var p *catalog.Product
	s.write(func(tx *db.Tx) error {
		var err error
		p, err = s.goods.Create(tx, catalog.Draft{Code: "LEAF", Name: "金骏眉", BaseUnit: "g", TaxPct: 1300, Units: []catalog.UnitDraft{
			{Name: "kg", Num: 1000, Weighed: true, ItemNo: "00012"}, {Name: "g", Num: 1, Weighed: true},
			{Name: "can", Num: 250, Barcodes: []string{"6901234567892"}}, {Name: "box", Num: 1000, Barcodes: []string{"16901234567899"}}}})
		if err != nil {
			return err
		}
		for unit, fen := range map[string]money.Fen{"kg": 38000, "g": 40, "can": 10800, "box": 39900} {
			if _, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: p.ID, Unit: unit, Price: &fen}); err != nil {
				return err
			}
		}
		for _, l := range []catalog.LayoutDraft{{Prefix: "21", Name: "price", ItemDigits: 5, ValueDigits: 5, ValueKind: "price", Decimals: 2},
			{Prefix: "22", Name: "weight", ItemDigits: 4, ValueCheck: true, ValueDigits: 5, ValueKind: "weight", Decimals: 3}} {
			if _, err := catalog.PutLayout(tx, s.staff, 0, l); err != nil {
				return err
			}
		}
		return nil
	})
	return p
}

func (s *shop) lookUp(code string) (*checkout.Found, error) {
	var f *checkout.Found
	err := s.d.Read(s.t.Context(), func(tx *db.Tx) error {
		var err error
		f, err = s.flow.LookUp(tx, s.site, code, "en")
		return err
	})
	return f, err
}

// scanned is the line that a till makes of a code.
func (s *shop) scanned(code string) checkout.OrderLine {
	s.t.Helper()
	f, err := s.lookUp(code)
	if err != nil || f.Refused != nil {
		s.t.Fatalf("%s: %v %+v", code, err, f)
	}
	l := checkout.OrderLine{ProductID: f.Product.ID, Unit: f.Unit, Qty: 1000, BatchID: f.BatchID}
	if f.Qty != nil {
		l.Qty = *f.Qty
	}
	if f.AmountFen != nil {
		l.Qty, l.AmountFen = 0, *f.AmountFen
	}
	return l
}

func byMoney(p *catalog.Product, unit string, fen money.Fen) checkout.OrderLine {
	return checkout.OrderLine{ProductID: p.ID, Unit: unit, AmountFen: fen}
}

func TestOneTeaSoldSixWays(t *testing.T) {
	each(t, func(s *shop) {
		tea := s.leaf()
		batch := s.arrive(tea, "L1", 10_000, 1_234_567, 0)
		v := s.sell(
			line(tea, "kg", "0.512"),            // 0.512 × 380.00 = 194.56
			line(tea, "g", "37"),                // 37 × 0.40 = 14.80
			s.scanned("6901234567892"),          // a can of 250 g
			s.scanned("(01)16901234567899"),     // a box of 1 kg, by its GS1 symbol
			byMoney(tea, "kg", 1000),            // 10.00 at 380/kg → 26 g
			s.scanned("2100012012348"),          // the label of a scale: 12.34 → 32 g
			s.scanned(weightLabel(s, 12, 1250)), // and one with a weight
		)
		want := []struct {
			qty, base int64
			fen       money.Fen
		}{{512, 512_000, 19456}, {37_000, 37_000, 1480}, {1000, 250_000, 10800}, {1000, 1_000_000, 39900}, {26, 26_000, 1000}, {32, 32_000, 1234}, {1250, 1_250_000, 47500}}
		grams := int64(0)
		for i, w := range want {
			l := v.Lines[i]
			if int64(l.Qty) != w.qty || l.AmountFen != w.fen {
				s.t.Errorf("line %d: %v for %d, want %d for %d", i, l.Qty, l.AmountFen, w.qty, w.fen)
			}
			base := int64(0)
			for _, b := range l.Batches {
				base += int64(b.BaseQty)
			}
			if base != w.base {
				s.t.Errorf("line %d took %d, want %d", i, base, w.base)
			}
			grams += w.base
		}
		if left := s.left(batch); left != "6893" || grams != 3_107_000 { // exact to the gram
			s.t.Errorf("left %s of 10,000 g after %d", left, grams)
		}
		// A can comes back and is sold again; another customer brings back the tea for 10 yuan.
		if _, err := s.refund(v.ID, checkout.RefundIn{Register: "1", Lines: []till.RefundLineIn{back(3, "1", till.ToStock), back(5, "0.026", till.ToStock)}, Tender: "cash"}); err != nil {
			s.t.Fatal(err)
		}
		if left := s.left(batch); left != "7169" {
			s.t.Errorf("left %s after the refund", left)
		}
		s.read(func(tx *db.Tx) error {
			m, err := checkout.MarginsOf(tx, s.site.ID, v.BusinessDate, v.BusinessDate)
			if err != nil {
				return err
			}
			if !m.Agree || len(m.Products) != 1 || m.Products[0].Qty != 2_831_000 {
				s.t.Fatalf("margins %+v", m)
			}
			p := m.Products[0]
			var sum checkout.Margin
			for _, u := range p.Units {
				sum.SalesFen += u.SalesFen
				sum.NetFen += u.NetFen
				sum.CostFen += u.CostFen
				sum.MarginFen += u.MarginFen
			}
			if sum != p.Margin || sum != m.Total || len(p.Units) != 4 { // kg, g, can, box: both views to the fen
				s.t.Errorf("by unit %+v, by product %+v", sum, p.Margin)
			}
			day, err := checkout.DayOf(tx, s.site.ID, v.BusinessDate)
			if err != nil {
				return err
			}
			if day.NetFen != m.Total.SalesFen || day.CostFen != m.Total.CostFen || !day.Agree {
				s.t.Errorf("the day says %d and %d, the margins %+v", day.NetFen, day.CostFen, m.Total)
			}
			return nil
		})
		s.green()
	})
}

// weightLabel is a label of the second layout.
func weightLabel(s *shop, item, grams int64) string {
	var code string
	s.read(func(tx *db.Tx) error {
		all, err := catalog.Layouts(tx)
		for i := range all {
			if all[i].ValueKind == "weight" {
				code, _ = all[i].Write("12", grams)
			}
		}
		return err
	})
	return code
}

func TestALineByAmountIsRefusedWithItsReason(t *testing.T) {
	each(t, func(s *shop) {
		tea := s.leaf()
		s.arrive(tea, "L1", 100, 1000, 0)
		both := byMoney(tea, "kg", 1000)
		both.Qty = 1
		for _, c := range []struct {
			what, field string
			line        checkout.OrderLine
			want        error
		}{
			{"with a quantity", "lines[0].amount_fen", both, checkout.ErrByAmount},
			{"below zero", "lines[0].amount_fen", byMoney(tea, "kg", -5), checkout.ErrByAmount},
			{"of cans", "lines[0].amount_fen", byMoney(tea, "can", 1000), checkout.ErrNotWeighed},
			{"that buys less than half a gram", "lines[0].amount_fen", byMoney(tea, "kg", 18), checkout.ErrAmountSmall},
			{"beyond what a line has", "lines[0].amount_fen", byMoney(tea, "g", 1_000_000_000), checkout.ErrQtyAbsurd},
		} {
			err := s.d.Read(t.Context(), func(tx *db.Tx) error {
				_, err := s.flow.Quote(tx, s.site, []checkout.OrderLine{c.line})
				return err
			})
			refused(s.t, c.what, err, c.want, c.field)
		}
		if n := s.total(byMoney(tea, "kg", 19)); n != 19 { // exactly half a gram buys one
			s.t.Errorf("19 fen cost %d", n)
		}
	})
}

func TestWhatAScannerReadsAndWhatATillWillNotSell(t *testing.T) {
	each(t, func(s *shop) {
		tea := s.leaf()
		l1 := s.arrive(tea, "L1", 1000, 1000, 0)
		f, err := s.lookUp("]C1" + "0106901234567892" + "17260303" + "10L1\x1d21SN7")
		if err != nil || f.Refused != nil || f.Unit != "can" || f.Lot != "L1" || f.BatchID != l1 || f.Serial != "SN7" || f.ExpiresAt == nil || *f.PriceFen != 10800 || f.How != catalog.ByGS1 {
			s.t.Errorf("a GS1 symbol: %+v, %v", f, err)
		}
		f, err = s.lookUp("https://id.example.cn/01/6901234567892/10/L9?11=260201")
		if err != nil || f.Unit != "can" || f.Lot != "L9" || f.BatchID != 0 || f.MadeOn != "2026-02-01" {
			s.t.Errorf("a Digital Link: %+v, %v", f, err)
		}
		f, err = s.lookUp("(01)06901234567892(17)260301(10)L1") // today is the 2nd
		if err != nil || f.Refused == nil || f.Refused.Code != "label_expired" || !strings.Contains(f.Refused.Text, "2026-03-02 00:00") {
			s.t.Errorf("an expired lot: %+v, %v", f, err)
		}
		f, err = s.lookUp("(01)06901234567892(7003)2603020000")
		if err != nil || f.Refused == nil {
			s.t.Errorf("expired this midnight: %+v, %v", f, err)
		}
		f, err = s.lookUp("LEAF")
		if err != nil || f.How != catalog.ByCode || f.Qty != nil {
			s.t.Errorf("the code: %+v, %v", f, err)
		}
		for code, want := range map[string]error{
			"2100012012345":                      catalog.ErrLabelCheck, // the last digit
			"2100013012347":                      catalog.ErrLabelItem,
			"2100012000000":                      catalog.ErrLabelZero,
			"2300012012342":                      catalog.ErrNoBarcode, // no layout has this prefix
			"(01)06901234567893":                 catalog.ErrCodeUnread,
			"(10)L1":                             catalog.ErrCodeUnread,
			"(01)06901234567892(3103)000250":     catalog.ErrLabelGoods, // a can is not weighed
			"(01)06901234567892(30)00000":        catalog.ErrLabelZero,
			"https://example.cn/01/690123456789": catalog.ErrCodeUnread,
		} {
			if _, err := s.lookUp(code); !errors.Is(err, want) {
				s.t.Errorf("%s: %v, want %v", code, err, want)
			}
		}
		s.write(func(tx *db.Tx) error { // what is being given up is sold off, what is not listed yet is not sold
			for state, sold := range map[catalog.State]bool{catalog.Prepared: false, catalog.StopSelling: false, catalog.Gone: false, catalog.StopBuying: true} {
				p, err := s.goods.Create(tx, catalog.Draft{Code: "S-" + string(state), Name: "x", BaseUnit: "piece", State: state, Units: []catalog.UnitDraft{{Name: "piece", Num: 1}}})
				if err != nil {
					return err
				}
				fen := money.Fen(100)
				if _, err := s.prices.Set(tx, s.staff, price.Draft{ProductID: p.ID, Unit: "piece", Price: &fen}); err != nil {
					return err
				}
				f, err := s.flow.LookUp(tx, s.site, p.Code, "en")
				if err != nil || (f.Refused == nil) != sold {
					s.t.Errorf("%s: %+v, %v", state, f, err)
				}
				_, err = s.flow.Quote(tx, s.site, []checkout.OrderLine{line(p, "piece", "1")})
				if (err == nil) != sold {
					s.t.Errorf("%s at the till: %v", state, err)
				}
			}
			return nil
		})
	})
}
