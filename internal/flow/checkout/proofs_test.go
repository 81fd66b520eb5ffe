package checkout_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

func TestTheStatementsOfTheProofsNameTheRightNumbers(t *testing.T) {
	if till.SaleDoc != 40 || till.VoidDoc != 41 || till.RefundDoc != 42 || till.LateDoc != 43 || stock.Sold != -101 || stock.CostOfSales != -201 || ledger.CNY != 1 {
		t.Error("the numbers in proofs.go are no longer those of the packages")
	}
	for _, rate := range []int64{0, 900, 1300, int64(catalog.MaxTax)} {
		if till.Revenue(rate) != ledger.Account(-3000-rate) || till.OutputTax(rate) != ledger.Account(-10000-rate) {
			t.Errorf("the flows of rate %d are not where proofs.go looks", rate)
		}
	}
}

type damage struct {
	name  string
	sql   []string // $1 is the sale
	proof string
}

var damages = []damage{
	{"a line deleted", []string{`DELETE FROM till_line WHERE sale_id = $1 AND line_no = 1`}, "till_sales_equal_their_lines_and_tenders"},
	{"a tender changed", []string{`UPDATE till_tender SET amount_fen = amount_fen + 1 WHERE sale_id = $1`}, "till_sales_equal_their_lines_and_tenders"},
	{"a tender's amount against the ledger", []string{`UPDATE till_tender SET amount_fen = amount_fen + 1 WHERE sale_id = $1`}, "checkout_money_of_sales_is_posted"},
	{"line, total and tender changed together", []string{`UPDATE till_line SET amount_fen = amount_fen + 5 WHERE sale_id = $1 AND line_no = 1`, `UPDATE till_tender SET amount_fen = amount_fen + 5 WHERE sale_id = $1`,
		`UPDATE till_sale SET total_fen = total_fen + 5 WHERE id = $1`}, "checkout_money_of_sales_is_posted"},
	{"all legs of the sale deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 40 AND doc_id = $1`}, "checkout_goods_of_sales_are_posted"},
	{"all legs of money deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 40 AND doc_id = $1 AND from_id <= -3000`}, "checkout_money_of_sales_is_posted"},
	{"the leg of the goods deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 40 AND doc_id = $1 AND leg = 1`}, "checkout_goods_of_sales_are_posted"},
	{"the leg of their cost deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 40 AND doc_id = $1 AND leg = 2`}, "checkout_goods_of_sales_are_posted"},
	{"both legs of a batch deleted, with the batch of the line", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 40 AND doc_id = $1 AND leg IN (1, 2)`, `DELETE FROM till_line_batch WHERE sale_id = $1 AND leg = 1`}, "till_lines_equal_their_batches"},
	{"the batch of a line deleted", []string{`DELETE FROM till_line_batch WHERE sale_id = $1 AND leg = 1`}, "checkout_no_posting_without_its_document"},
	{"the tax moved to another rate", []string{`UPDATE ledger_transfer SET from_id = -10900 WHERE doc_kind = 40 AND doc_id = $1 AND from_id = -11300`}, "checkout_money_of_sales_is_posted"},
	{"the money moved to another drawer", []string{`UPDATE ledger_transfer SET to_id = 5 WHERE doc_kind = 40 AND doc_id = $1 AND from_id = -11300`}, "checkout_money_of_sales_is_posted"},
	{"the cost changed", []string{`UPDATE till_line_batch SET cost_fen = cost_fen + 1 WHERE sale_id = $1`}, "checkout_goods_of_sales_are_posted"},
	{"the sale deleted with all its rows", []string{`DELETE FROM till_line WHERE sale_id = $1`, `DELETE FROM till_line_batch WHERE sale_id = $1`, `DELETE FROM till_tender WHERE sale_id = $1`, `DELETE FROM till_sale WHERE id = $1`}, "checkout_no_posting_without_its_document"},
	{"another product on the slip", []string{`UPDATE till_line SET product_id = product_id + 1 WHERE sale_id = $1 AND line_no = 1`}, "checkout_lines_are_of_their_batches"},
	{"less cash handed over than was due", []string{`UPDATE till_tender SET given_fen = amount_fen - 1 WHERE sale_id = $1`}, "till_cash_covers_its_tender"},
	{"somebody else sold it", []string{`UPDATE till_sale SET staff_id = staff_id + 1 WHERE id = $1`}, "till_slips_have_who_made_them"},
	{"nobody sold it", []string{`UPDATE till_sale SET staff_id = 0 WHERE id = $1`}, "till_slips_have_who_made_them"},
	{"the sale called failed", []string{`UPDATE till_sale SET state = 'failed' WHERE id = $1`}, "checkout_no_posting_without_its_document"},
	{"the sale called voided", []string{`UPDATE till_sale SET state = 'voided' WHERE id = $1`}, "checkout_voids_take_back_their_sale"},
}

// Damages to a sale of which a part was refunded ($1 is the refund), and to one that was voided ($1 is the sale).
var refundDamages = []damage{
	{"all legs of the refund deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 42 AND doc_id = $1`}, "checkout_goods_of_refunds_are_posted"},
	{"the money of the refund deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 42 AND doc_id = $1 AND to_id <= -3000`}, "checkout_money_of_refunds_is_posted"},
	{"more given back than was refunded", []string{`UPDATE till_refund_tender SET amount_fen = amount_fen + 1 WHERE refund_id = $1`}, "checkout_money_of_refunds_is_posted"},
	{"somebody else took it back", []string{`UPDATE till_refund SET staff_id = staff_id + 1 WHERE id = $1`}, "till_slips_have_who_made_them"},
	{"the goods of the refund changed", []string{`UPDATE till_refund_batch SET base_qty = base_qty + 1000 WHERE refund_id = $1`}, "checkout_goods_of_refunds_are_posted"},
	{"the refund deleted with all its rows", []string{`DELETE FROM till_refund_line WHERE refund_id = $1`, `DELETE FROM till_refund_batch WHERE refund_id = $1`,
		`DELETE FROM till_refund_tender WHERE refund_id = $1`, `DELETE FROM till_refund WHERE id = $1`}, "checkout_no_posting_without_its_document"},
}

var voidDamages = []damage{
	{"all legs of the void deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 41 AND doc_id = $1`}, "checkout_voids_take_back_their_sale"},
	{"one leg of the void deleted", []string{`DELETE FROM ledger_transfer WHERE doc_kind = 41 AND doc_id = $1 AND leg = 1`}, "checkout_voids_take_back_their_sale"},
	{"the void takes back less", []string{`UPDATE ledger_transfer SET amount = amount - 1 WHERE doc_kind = 41 AND doc_id = $1 AND unit = 1`}, "checkout_voids_take_back_their_sale"},
	{"the sale called paid again", []string{`UPDATE till_sale SET state = 'paid' WHERE id = $1`}, "checkout_no_posting_without_its_document"},
	{"another sale taken back", []string{`UPDATE ledger_transfer SET corrects_id = 5 WHERE doc_kind = 41 AND doc_id = $1`}, "checkout_no_posting_without_its_document"},
}

var errUndo = errors.New("undo the damage")

func TestTheCheckIsRedAndNamesTheSaleAfterEachDamage(t *testing.T) {
	each(t, func(s *shop) {
		s.arrive(s.bun, "b", 10, 123, time.Hour)
		s.arrive(s.tea, "t", 1000, 500, 0)
		s.sell(line(s.bun, "piece", "1"))
		sale := s.sell(line(s.bun, "piece", "2"), line(s.tea, "bag", "1"))
		returned := s.sell(line(s.bun, "piece", "3"))
		refund, err := s.refund(returned.ID, checkout.RefundIn{Lines: []till.RefundLineIn{back(1, "1", till.ToStock)}})
		if err != nil {
			s.t.Fatal(err)
		}
		voided := s.sell(line(s.bun, "piece", "1"))
		if err := s.void(voided.ID, "x"); err != nil {
			s.t.Fatal(err)
		}
		s.damage(sale.ID, damages)
		s.damage(refund.ID, refundDamages)
		s.damage(voided.ID, voidDamages)
		s.green()
	})
}

// damage does each damage to a document, looks whether the check is red and names it, and undoes it.
func (s *shop) damage(document id.ID, all []damage) {
	s.t.Helper()
	for _, broken := range all {
		err := s.d.Write(context.Background(), func(tx *db.Tx) error {
			for _, sql := range broken.sql {
				if err := tx.Exec(sql, document); err != nil {
					return err
				}
			}
			evidence := ""
			for _, p := range proofs() {
				r, err := p.Run(tx)
				if err != nil {
					return err
				}
				if p.Name == broken.proof && r.Bad > 0 {
					evidence = r.Evidence[0]
				}
			}
			if !strings.Contains(evidence, document.String()) {
				s.t.Errorf("%s: %s says %q", broken.name, broken.proof, evidence)
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			s.t.Errorf("%s: %v", broken.name, err)
		}
	}
}
