package till_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/till"
)

const today = cal.Date("2026-03-02")

type counter struct {
	t    *testing.T
	d    *dbtest.DB
	site id.ID
	reg  *till.Register
}

func each(t *testing.T, story func(c *counter)) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := &counter{t: t, d: d, site: id.New()}
		c.write(func(tx *db.Tx) error {
			if err := tx.Exec(`INSERT INTO org_entity (id, code, name, tax_no, created_at) VALUES (1, 'E', 'E', '', 0)`); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO org_site (id, code, name, kind, business, address, time_zone, day_start, open_at, close_at, entity_id, created_at)
				VALUES ($1, 'S1', 'First shop', 'store', '', '', 'Asia/Shanghai', 240, 480, 1320, 1, 0)`, c.site); err != nil {
				return err
			}
			var err error
			c.reg, err = till.AddRegister(tx, till.RegisterDraft{SiteID: c.site, Code: "1"})
			return err
		})
		story(c)
	}, dbtest.With(outbox.Migrations, org.Migrations, catalog.Migrations, till.Migrations))
}

func (c *counter) write(act func(tx *db.Tx) error) {
	c.t.Helper()
	if err := c.d.Write(context.Background(), act); err != nil {
		c.t.Fatal(err)
	}
}

func TestEveryRegisterHasItsOwnNumbersEachDay(t *testing.T) {
	each(t, func(c *counter) {
		c.write(func(tx *db.Tx) error {
			_, err := till.AddRegister(tx, till.RegisterDraft{SiteID: c.site, Code: "2"})
			return err
		})
		drawers := map[string]bool{}
		take := func(register string, date cal.Date, refund bool) string {
			var number string
			c.write(func(tx *db.Tx) error {
				ask, write := till.TakeSaleNumber, till.SlipNumber
				if refund {
					ask, write = till.TakeRefundNumber, till.RefundNumber
				}
				s, err := ask(tx, c.site, register, date).Get()
				number = write(s.Register.Prefix, date, s.No)
				if first := !drawers[register+string(date)]; s.First != first {
					t.Errorf("%s: a new drawer %v, want %v", number, s.First, first)
				}
				drawers[register+string(date)] = true
				return err
			})
			return number
		}
		for i, want := range []string{"S1-1-260302-0001", "S1-1-260302-0002"} {
			if got := take("1", today, false); got != want {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
		}
		if got := take("2", today, false); got != "S1-2-260302-0001" {
			t.Error(got)
		}
		if got := take("1", today.AddDays(1), false); got != "S1-1-260303-0001" {
			t.Error(got)
		}
		if got := take("1", today, true); got != "S1-1-R-260302-0001" {
			t.Error(got)
		}
		if got := take("1", today, false); got != "S1-1-260302-0003" {
			t.Error(got)
		}
	})
}

func TestANumberOfARefusedSaleIsGivenToTheNext(t *testing.T) {
	each(t, func(c *counter) {
		boom := errors.New("boom")
		err := c.d.Write(context.Background(), func(tx *db.Tx) error {
			if s, err := till.TakeSaleNumber(tx, c.site, "1", today).Get(); err != nil || s.No != 1 {
				t.Errorf("%d, %v", s.No, err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		c.write(func(tx *db.Tx) error {
			s, err := till.TakeSaleNumber(tx, c.site, "1", today).Get()
			if s.No != 1 || !s.First {
				t.Errorf("a gap: %+v", s)
			}
			return err
		})
	})
}

func TestManyTakeNumbersAtOnceWithoutGapOrDouble(t *testing.T) {
	each(t, func(c *counter) {
		const many = 30
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int64]bool{}
		for range many {
			wg.Go(func() {
				var n int64
				err := c.d.Write(context.Background(), func(tx *db.Tx) error {
					s, err := till.TakeSaleNumber(tx, c.site, "1", today).Get()
					n = s.No
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil || got[n] {
					t.Errorf("%d, %v", n, err)
				}
				got[n] = true
			})
		}
		wg.Wait()
		for n := int64(1); n <= many; n++ {
			if !got[n] {
				t.Errorf("%d is missing", n)
			}
		}
	})
}

func TestAnUnknownRegisterIsRefused(t *testing.T) {
	each(t, func(c *counter) {
		for _, where := range []struct {
			site id.ID
			code string
		}{{c.site, "9"}, {c.site, ""}, {12345, "1"}} {
			err := c.d.Write(context.Background(), func(tx *db.Tx) error {
				_, err := till.TakeSaleNumber(tx, where.site, where.code, today).Get()
				return err
			})
			if e := errs.As(err); !errors.Is(err, till.ErrNoRegister) || e.Field != "register" {
				t.Errorf("%+v: %v", where, err)
			}
		}
		for code, want := range map[string]error{"1": till.ErrRegisterTaken, "": till.ErrRegisterCode, "a-b": till.ErrRegisterCode, "123456789": till.ErrRegisterCode} {
			err := c.d.Write(context.Background(), func(tx *db.Tx) error {
				_, err := till.AddRegister(tx, till.RegisterDraft{SiteID: c.site, Code: code})
				return err
			})
			if !errors.Is(err, want) {
				t.Errorf("%q: %v", code, err)
			}
		}
	})
}

func sampleSale(site id.ID) *till.Sale {
	return &till.Sale{ID: id.New(), SiteID: site, Date: today, StaffID: 5, State: till.Paid, Total: 1000, Tax: 115, Key: fmt.Sprint(id.New()),
		Lines: []till.Line{
			{No: 1, Product: 11, Unit: 21, Name: "bun", Qty: 3000, Base: 3000, Price: 200, Amount: 600, Tax: 69, TaxBP: 1300,
				Batches: []till.Batch{{Leg: 1, ID: 101, Base: 1000, Cost: 33}, {Leg: 3, ID: 102, Base: 2000, Cost: 67}}},
			{No: 2, Product: 12, Unit: 22, Name: "tea", Qty: 500, Base: 250_000, Price: 800, Amount: 400, Tax: 46, TaxBP: 1300,
				Batches: []till.Batch{{Leg: 5, ID: 103, Base: 250_000, Cost: 91}}},
		},
		Tenders: []till.Tender{{No: 1, Kind: till.Cash, Amount: 700, Given: 1000}, {No: 2, Kind: till.Mobile, Amount: 300}}}
}

func TestASaleIsReadAsItWasWritten(t *testing.T) {
	each(t, func(c *counter) {
		s := sampleSale(c.site)
		c.write(func(tx *db.Tx) error {
			shift, err := till.TakeSaleNumber(tx, c.site, "1", today).Get()
			if err != nil {
				return err
			}
			s.SoldAt, s.SlipNo, s.Register = tx.Now(), shift.No, shift.Register
			return till.Record(tx, s)
		})
		err := c.d.Read(context.Background(), func(tx *db.Tx) error {
			got, err := till.Load(tx, s.ID)
			if err != nil {
				return err
			}
			if fmt.Sprint(got.Lines, got.Tenders, got.Total, got.Tax, got.SlipNo, got.State, got.Key) != fmt.Sprint(s.Lines, s.Tenders, s.Total, s.Tax, s.SlipNo, s.State, s.Key) {
				t.Errorf("got  %+v\nwant %+v", got, s)
			}
			if got.Change() != 300 {
				t.Errorf("change %d", got.Change())
			}
			_, err = till.Load(tx, 404)
			if !errors.Is(err, till.ErrNoSale) {
				t.Errorf("a sale that is not there: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestARefundIsRefusedWithItsReason(t *testing.T) {
	s := sampleSale(1)
	s.Lines[0].Back = 1000
	s.Lines[0].Batches[1].Back = 1000
	same := func(l *till.Line, q qty.Qty) (qty.Qty, error) {
		return qty.Qty(int64(q) * int64(l.Base) / int64(l.Qty)), nil
	}
	for _, c := range []struct {
		name, field string
		want        error
		state       till.State
		lines       []till.RefundLineIn
	}{
		{"nothing", "lines", till.ErrRefundEmpty, till.Paid, nil},
		{"a line that is not there", "lines[0].line_no", till.ErrRefundLine, till.Paid, []till.RefundLineIn{{LineNo: 3, Qty: 1, Back: till.ToStock}}},
		{"a line twice", "lines[1].line_no", till.ErrRefundTwice, till.Paid, []till.RefundLineIn{{1, 1000, till.ToStock}, {1, 1000, till.ToStock}}},
		{"none of it", "lines[0].qty", till.ErrRefundQty, till.Paid, []till.RefundLineIn{{1, 0, till.ToStock}}},
		{"less than none", "lines[0].qty", till.ErrRefundQty, till.Paid, []till.RefundLineIn{{1, -1000, till.ToStock}}},
		{"more than is left", "lines[0].qty", till.ErrRefundMore, till.Paid, []till.RefundLineIn{{1, 2001, till.ToStock}}},
		{"to nowhere", "lines[0].back", till.ErrRefundBack, till.Paid, []till.RefundLineIn{{1, 1000, "home"}}},
		{"of a voided sale", "", till.ErrNotPaid, till.Voided, []till.RefundLineIn{{1, 1000, till.ToStock}}},
		{"of an unpaid sale", "", till.ErrNotPaid, till.Awaiting, []till.RefundLineIn{{1, 1000, till.ToStock}}},
	} {
		s.State = c.state
		_, err := till.Reckon(s, c.lines, same)
		if e := errs.As(err); !errors.Is(err, c.want) || e.Field != c.field {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	for reason, ok := range map[string]bool{"dropped": true, " x ": true, "": false, "   ": false} {
		if _, err := till.CheckReason(reason); (err == nil) != ok {
			t.Errorf("reason %q: %v", reason, err)
		}
	}
}

func TestRefundsOfALineTogetherAreTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := till.Line{No: 1, Product: 1, TaxBP: 1300}
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			b := till.Batch{Leg: 2*len(l.Batches) + 1, ID: id.ID(len(l.Batches) + 1), Base: qty.Qty(rapid.Int64Range(1, 50).Draw(t, "taken") * 1000), Cost: money.Fen(rapid.Int64Range(0, 9999).Draw(t, "cost"))}
			l.Batches = append(l.Batches, b)
			l.Base += b.Base
		}
		l.Qty = l.Base
		l.Amount = money.Fen(rapid.Int64Range(0, 99_999).Draw(t, "amount"))
		l.Tax = money.Fen(rapid.Int64Range(0, int64(l.Amount)).Draw(t, "tax"))
		s := &till.Sale{State: till.Paid, Lines: []till.Line{l}}
		var amount, tax, cost money.Fen
		for s.Lines[0].Back < l.Qty {
			left := int64(l.Qty-s.Lines[0].Back) / 1000
			want := qty.Qty(rapid.Int64Range(1, left).Draw(t, "pieces") * 1000)
			got, err := till.Reckon(s, []till.RefundLineIn{{1, want, till.ToStock}}, func(_ *till.Line, q qty.Qty) (qty.Qty, error) { return q, nil })
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Tax < 0 || got[0].Tax > got[0].Amount {
				t.Fatalf("a part of %d holds %d of tax", got[0].Amount, got[0].Tax)
			}
			amount, tax = amount+got[0].Amount, tax+got[0].Tax
			s.Lines[0].Back += want
			s.Lines[0].BackAmount, s.Lines[0].BackTax = amount, tax
			var base qty.Qty
			for _, b := range got[0].Batches {
				base += b.Base
				cost += b.Cost
				s.Lines[0].Batches[b.ID-1].Back += b.Base
			}
			if base != want {
				t.Fatalf("%d of the batches for %d of the line", base, want)
			}
		}
		var costs money.Fen
		for _, b := range s.Lines[0].Batches {
			costs += b.Cost
			if b.Back != b.Base {
				t.Fatalf("batch %+v is not whole", b)
			}
		}
		if amount != l.Amount || tax != l.Tax || cost != costs {
			t.Fatalf("gave back %d, tax %d, cost %d of %d, %d, %d", amount, tax, cost, l.Amount, l.Tax, costs)
		}
	})
}

// runProofs runs every proof and returns the first evidence of those that found something, by name.
func (c *counter) runProofs() map[string]string {
	c.t.Helper()
	report, err := proof.Run(context.Background(), c.d.DB, till.Proofs())
	if err != nil {
		c.t.Fatal(err)
	}
	red := map[string]string{}
	for _, p := range report.Proofs {
		if p.Bad > 0 {
			red[p.Name] = p.Evidence[0]
		}
	}
	return red
}

// A good day: three sales, one with refunds in two parts, one awaiting its payment.
func (c *counter) day() (sales []*till.Sale) {
	for i := range 3 {
		s := sampleSale(c.site)
		c.write(func(tx *db.Tx) error {
			shift, err := till.TakeSaleNumber(tx, c.site, "1", today).Get()
			if err != nil {
				return err
			}
			s.SoldAt, s.SlipNo, s.Register = tx.Now(), shift.No, shift.Register
			switch i {
			case 1: // cash only
				s.Tenders = []till.Tender{{No: 1, Kind: till.Cash, Amount: 1000, Given: 1000}}
				return till.Record(tx, s)
			case 2:
				s.State = till.Awaiting
			}
			if err := till.Record(tx, s); err != nil {
				return err
			}
			pay := &till.Payment{Sale: s.ID, Tender: 2, Kind: till.Takes, Provider: "x", Amount: 300, Code: "123456"}
			if err := till.Request(tx, pay); err != nil || i == 2 {
				return err
			}
			_, err = till.Answered(tx, pay.ID, "done", "ref", "")
			return err
		})
		sales = append(sales, s)
	}
	for _, n := range []qty.Qty{1000, 2000} {
		c.write(func(tx *db.Tx) error {
			if err := till.Lock(tx, sales[0].ID); err != nil {
				return err
			}
			s, err := till.Load(tx, sales[0].ID)
			if err != nil {
				return err
			}
			lines, err := till.Reckon(s, []till.RefundLineIn{{1, n, till.ToStock}}, func(_ *till.Line, q qty.Qty) (qty.Qty, error) { return q, nil })
			if err != nil {
				return err
			}
			shift, err := till.TakeRefundNumber(tx, c.site, "1", today).Get()
			if err != nil {
				return err
			}
			return till.RecordRefund(tx, &till.Refund{ID: id.New(), Sale: s.ID, SiteID: c.site, Register: shift.Register, Date: today, SlipNo: shift.No, At: tx.Now(), Reason: "x",
				Amount: lines[0].Amount, Tax: lines[0].Tax, Key: fmt.Sprint(id.New()), Lines: lines, Tenders: []till.RefundTender{{1, till.Cash, lines[0].Amount}}})
		})
	}
	return sales
}

var errUndo = errors.New("undo the damage")

func TestProofsAreGreenOnAGoodDayAndNameWhatIsBroken(t *testing.T) {
	each(t, func(c *counter) {
		sales := c.day()
		if red := c.runProofs(); len(red) > 0 {
			c.t.Errorf("red on a good day: %v", red)
		}
		for _, broken := range []struct{ name, sql, proof string }{
			{"a line deleted", `DELETE FROM till_line WHERE sale_id = $1 AND line_no = 2`, "till_sales_equal_their_lines_and_tenders"},
			{"a line's amount changed", `UPDATE till_line SET amount_fen = amount_fen + 1 WHERE sale_id = $1 AND line_no = 2`, "till_sales_equal_their_lines_and_tenders"},
			{"a line's tax changed", `UPDATE till_line SET tax_fen = tax_fen + 1 WHERE sale_id = $1 AND line_no = 2`, "till_sales_equal_their_lines_and_tenders"},
			{"a tender changed", `UPDATE till_tender SET amount_fen = amount_fen - 1 WHERE sale_id = $1 AND tender_no = 1`, "till_sales_equal_their_lines_and_tenders"},
			{"a tender deleted", `DELETE FROM till_tender WHERE sale_id = $1 AND tender_no = 1`, "till_sales_equal_their_lines_and_tenders"},
			{"the total changed", `UPDATE till_sale SET total_fen = total_fen + 1 WHERE id = $1`, "till_sales_equal_their_lines_and_tenders"},
			{"the sale deleted", `DELETE FROM till_sale WHERE id = $1`, "till_rows_have_their_sale"},
			{"the sale deleted, by its number", `DELETE FROM till_sale WHERE id = $1`, "till_slips_without_gap"},
			{"a batch of a line changed", `UPDATE till_line_batch SET base_qty = base_qty + 1 WHERE sale_id = $1 AND line_no = 2`, "till_lines_equal_their_batches"},
			{"a batch of a line deleted", `DELETE FROM till_line_batch WHERE sale_id = $1 AND line_no = 2`, "till_lines_equal_their_batches"},
			{"a number given twice", `UPDATE till_sale SET slip_no = 77 WHERE id = $1`, "till_slips_without_gap"},
			{"a refund's amount changed", `UPDATE till_refund SET amount_fen = amount_fen - 1 WHERE sale_id = $1`, "till_refunds_within_their_sale"},
			{"the count of refunds changed", `UPDATE till_sale SET refunded_fen = refunded_fen - 1 WHERE id = $1`, "till_refunds_within_their_sale"},
			{"refunded more than sold", `UPDATE till_refund_line SET qty = qty + 1000 WHERE line_no = 1 AND refund_id IN (SELECT id FROM till_refund WHERE sale_id = $1)`, "till_refunded_lines_within_sold"},
			{"a batch took back too much", `UPDATE till_refund_batch SET cost_fen = cost_fen + 1000 WHERE refund_id IN (SELECT id FROM till_refund WHERE sale_id = $1)`, "till_refunded_lines_within_sold"},
			{"a payment that failed", `UPDATE till_payment SET state = 'failed' WHERE sale_id = $1`, "till_payments_match_their_tenders"},
			{"a payment of another amount", `UPDATE till_payment SET amount_fen = amount_fen + 1 WHERE sale_id = $1`, "till_payments_match_their_tenders"},
		} {
			sale := sales[0]
			if strings.Contains(broken.sql, "DELETE FROM till_sale") {
				sale = sales[1] // one that nothing refers to: the others the database would not let go
			}
			err := c.d.Write(context.Background(), func(tx *db.Tx) error {
				if err := tx.Exec(broken.sql, sale.ID); err != nil {
					return err
				}
				evidence := ""
				for _, p := range till.Proofs() {
					r, err := p.Run(tx)
					if err != nil {
						return err
					}
					if p.Name == broken.proof && r.Bad > 0 {
						evidence = r.Evidence[0]
					}
				}
				if evidence == "" || broken.proof != "till_slips_without_gap" && !strings.Contains(evidence, sale.ID.String()) {
					c.t.Errorf("%s: %s says %q", broken.name, broken.proof, evidence)
				}
				return errUndo
			})
			if !errors.Is(err, errUndo) {
				c.t.Errorf("%s: %v", broken.name, err)
			}
		}
	})
}

func TestMoneyGoesBackInProportionAndNeverBeyondATender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &till.Sale{}
		for i := range rapid.IntRange(1, 6).Draw(t, "tenders") {
			tender := till.Tender{No: int64(i + 1), Kind: till.Mobile, Amount: money.Fen(rapid.Int64Range(1, 5000).Draw(t, "amount"))}
			s.Tenders = append(s.Tenders, tender)
			s.Total += tender.Amount
		}
		back := map[int64]money.Fen{}
		for left := s.Total; left > 0; {
			amount := money.Fen(rapid.Int64Range(1, int64(left)).Draw(t, "refund"))
			var sum money.Fen
			for _, p := range till.Spread(s, back, amount) {
				if p.Amount <= 0 {
					t.Fatalf("gives back %d", p.Amount)
				}
				back[p.Tender] += p.Amount
				sum += p.Amount
			}
			if sum != amount {
				t.Fatalf("gives back %d of %d", sum, amount)
			}
			left -= amount
			for _, tender := range s.Tenders {
				exact := int64(tender.Amount) * int64(s.Total-left) / int64(s.Total)
				if got := int64(back[tender.No]); got > int64(tender.Amount) || got < exact-6 || got > exact+7 {
					t.Fatalf("tender %+v has given back %d, in proportion %d", tender, got, exact)
				}
			}
		}
		for _, tender := range s.Tenders {
			if back[tender.No] != tender.Amount {
				t.Fatalf("tender %+v: %d in the end", tender, back[tender.No])
			}
		}
	})
}

func TestLegsJoinWhatComesWithWhatGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := func(first ledger.Account, total int64, name string) (sides []till.Side) {
			for a := first; total > 0; a++ {
				part := rapid.Int64Range(1, total).Draw(t, name)
				sides = append(sides, till.Side{Account: a, Amount: money.Fen(part)})
				total -= part
			}
			return sides
		}
		total := rapid.Int64Range(0, 100_000).Draw(t, "total")
		from, to := side(1000, total, "from"), side(2000, total, "to")
		sums := map[ledger.Account]money.Fen{}
		legs := till.Legs(nil, from, to)
		for _, l := range legs {
			if l.Amount <= 0 || l.Unit != ledger.CNY {
				t.Fatalf("leg %+v", l)
			}
			sums[l.From] += money.Fen(l.Amount)
			sums[l.To] += money.Fen(l.Amount)
		}
		for _, s := range append(from, to...) {
			if sums[s.Account] != s.Amount {
				t.Fatalf("%v got %d of %d", s.Account, sums[s.Account], s.Amount)
			}
		}
		if total > 0 && len(legs) >= len(from)+len(to) {
			t.Fatalf("%d legs for %d and %d sides", len(legs), len(from), len(to))
		}
	})
}

func TestSalesAreListedNewestFirstAndFoundBySlipNumber(t *testing.T) {
	each(t, func(c *counter) {
		sales := c.day()
		list := func(in till.ListIn) []till.SaleRow {
			if in.Limit == 0 {
				in.Limit = 50
			}
			var page *web.Page[till.SaleRow]
			if err := c.d.Read(context.Background(), func(tx *db.Tx) (err error) {
				page, err = till.List(org.WithSystem(context.Background()), tx, "sales.read", &in)
				return err
			}); err != nil {
				c.t.Fatal(err)
			}
			return page.Items
		}
		for _, q := range []struct {
			name string
			in   till.ListIn
			want []int
		}{
			{"all", till.ListIn{}, []int{2, 1, 0}},
			{"the site's", till.ListIn{SiteID: c.site}, []int{2, 1, 0}},
			{"another site's", till.ListIn{SiteID: 4}, nil},
			{"the day's", till.ListIn{Date: today}, []int{2, 1, 0}},
			{"another day's", till.ListIn{Date: today.AddDays(1)}, nil},
			{"paid", till.ListIn{State: "paid"}, []int{1, 0}},
			{"awaiting", till.ListIn{State: "awaiting_payment"}, []int{2}},
			{"by number", till.ListIn{Q: " S1-1-260302-0002 "}, []int{1}},
			{"by a number of another day", till.ListIn{Q: "S1-1-260303-0002"}, nil},
			{"by a number, but failed", till.ListIn{Q: "S1-1-260302-0002", State: "failed"}, nil},
			{"the page after the second", till.ListIn{Paging: web.Paging{After: web.Cursor(sales[1].ID)}}, []int{0}},
		} {
			got := list(q.in)
			if len(got) != len(q.want) {
				c.t.Errorf("%s: %d sales, want %d", q.name, len(got), len(q.want))
				continue
			}
			for i, k := range q.want {
				if got[i].ID != sales[k].ID {
					c.t.Errorf("%s: place %d is %s", q.name, i, got[i].SlipNo)
				}
			}
		}
		for _, q := range []till.ListIn{{Q: "17"}, {Q: "S1-1-261399-0001"}, {Date: "yesterday"}} {
			err := c.d.Read(context.Background(), func(tx *db.Tx) error {
				_, err := till.List(org.WithSystem(context.Background()), tx, "sales.read", &q)
				return err
			})
			if e := errs.As(err); err == nil || e.Kind != errs.Invalid {
				c.t.Errorf("%+v: %v", q, err)
			}
		}
	})
}
