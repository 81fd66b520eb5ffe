package till

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/pricing"
)

var (
	ErrNotPaid      = errs.Define("sale_not_paid", errs.Conflict, "这张销售单没有付款,不能退款", "This sale is not paid; there is nothing to refund")
	ErrRefundEmpty  = errs.Define("refund_empty", errs.Invalid, "请选择要退的商品", "Choose what to refund")
	ErrRefundLine   = errs.Define("refund_line_unknown", errs.Invalid, "小票上没有第 {line} 行", "The slip has no line {line}")
	ErrRefundTwice  = errs.Define("refund_line_twice", errs.Invalid, "第 {line} 行重复了", "Line {line} appears twice")
	ErrRefundQty    = errs.Define("refund_qty_bad", errs.Invalid, "退货数量必须大于 0", "The quantity to refund must be more than 0")
	ErrRefundMore   = errs.Define("refund_more_than_sold", errs.Conflict, "第 {line} 行最多还能退 {left}", "Of line {line} at most {left} can still be refunded")
	ErrRefundBack   = errs.Define("refund_back_bad", errs.Invalid, "退回的商品只能入库或报废", "Refunded goods go back to stock or are discarded")
	ErrReason       = errs.Define("reason_missing", errs.Invalid, "请写明原因(最多 {most} 字)", "Say the reason, in at most {most} characters")
	ErrRefundTender = errs.Define("refund_tender_bad", errs.Invalid, "退款方式只能是原路或现金", "Money goes back the way it came, or in cash")
)

// MaxReason bounds the reason of a void or refund.
const MaxReason = 200

// CheckReason tidies a reason; a void or refund needs one.
func CheckReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > MaxReason {
		return "", ErrReason.With("most", MaxReason).At("reason")
	}
	return reason, nil
}

// RefundLineIn is what a person asks to refund of one line.
type RefundLineIn struct {
	LineNo int64   `json:"line_no" minimum:"1"`
	Qty    qty.Qty `json:"qty" doc:"in the unit of the line"`
	Back   Back    `json:"back" enum:"stock,discard"`
}

// Refund is a refund of a sale.
type Refund struct {
	ID       id.ID
	Sale     id.ID
	SiteID   id.ID
	Register Register
	Date     cal.Date
	SlipNo   int64
	StaffID  id.ID
	At       time.Time
	Reason   string
	Amount   money.Fen
	Tax      money.Fen
	Key      string
	Lines    []RefundLine
	Tenders  []RefundTender
}

// RefundLine is what a refund takes back of one line.
type RefundLine struct {
	No      int64
	Qty     qty.Qty
	Base    qty.Qty
	Amount  money.Fen
	Tax     money.Fen
	TaxBP   int64
	Back    Back
	Product id.ID
	Batches []Batch // how much of which batch, and its cost
}

// RefundTender is money going back, in answer to a tender of the sale.
type RefundTender struct {
	Tender int64
	Kind   Kind
	Amount money.Fen
}

// Reckon works out a refund of a sale as it stands: what each line gives back of its amount, tax, batches and
// cost. Whatever the portions, all refunds of a line together are exactly the line. The caller holds the
// row of the sale. convert turns a quantity of a line into its base unit.
func Reckon(s *Sale, in []RefundLineIn, convert func(l *Line, q qty.Qty) (qty.Qty, error)) ([]RefundLine, error) {
	if s.State != Paid {
		return nil, ErrNotPaid
	}
	if len(in) == 0 || len(in) > MaxLines {
		return nil, ErrRefundEmpty.At("lines")
	}
	lines := make([]RefundLine, 0, len(in))
	seen := map[int64]bool{}
	for i, want := range in {
		at := func(field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }
		l := s.Line(want.LineNo)
		switch {
		case l == nil:
			return nil, ErrRefundLine.With("line", want.LineNo).At(at("line_no"))
		case seen[want.LineNo]:
			return nil, ErrRefundTwice.With("line", want.LineNo).At(at("line_no"))
		case want.Qty <= 0:
			return nil, ErrRefundQty.At(at("qty"))
		case want.Qty > l.Qty-l.Back:
			return nil, ErrRefundMore.With("line", want.LineNo, "left", l.Qty-l.Back).At(at("qty"))
		case want.Back != ToStock && want.Back != Discard:
			return nil, ErrRefundBack.At(at("back"))
		}
		seen[want.LineNo] = true
		r := RefundLine{No: l.No, Qty: want.Qty, TaxBP: int64(l.TaxBP), Back: want.Back, Product: l.Product}
		base, err := convert(l, want.Qty)
		if err != nil {
			return nil, errs.As(err).At(at("qty"))
		}
		r.Base = base
		amount, err := pricing.Part(int64(l.Amount), l.Qty, l.Back, want.Qty)
		if err != nil {
			return nil, err
		}
		r.Amount = money.Fen(amount)
		if r.Tax, err = taxPart(l, want.Qty, r.Amount); err != nil {
			return nil, err
		}
		// What was taken last comes back first: it is the fresher part.
		left := base
		for b := len(l.Batches) - 1; b >= 0 && left > 0; b-- {
			from := &l.Batches[b]
			part := min(left, from.Base-from.Back)
			if part == 0 {
				continue
			}
			cost, err := pricing.Part(int64(from.Cost), from.Base, from.Back, part)
			if err != nil {
				return nil, err
			}
			r.Batches = append(r.Batches, Batch{Leg: from.Leg, ID: from.ID, Base: part, Cost: money.Fen(cost)})
			left -= part
		}
		if left != 0 {
			return nil, errors.New("till: line and batches of sale " + s.ID.String() + " do not agree")
		}
		lines = append(lines, r)
	}
	return lines, nil
}

// taxPart is the tax in a part of a line: in proportion, but never more than the part itself, and never leaving
// more tax than amount behind, which rounding of a few fen could do.
func taxPart(l *Line, now qty.Qty, amount money.Fen) (money.Fen, error) {
	upTo, err := money.MulDiv(int64(l.Tax), int64(l.Back+now), int64(l.Qty))
	if err != nil {
		return 0, err
	}
	tax, taxLeft, amountLeft := money.Fen(upTo)-l.BackTax, l.Tax-l.BackTax, l.Amount-l.BackAmount
	tax = max(tax, 0, taxLeft-(amountLeft-amount))
	return min(tax, amount, taxLeft), nil
}

// Spread shares a refund over the tenders of its sale in proportion to what they paid, given what went back
// before; together the parts of all refunds never pass a tender, and the last refund empties each.
func Spread(s *Sale, back map[int64]money.Fen, amount money.Fen) []RefundTender {
	weights := make([]int64, len(s.Tenders))
	var before money.Fen
	for i, t := range s.Tenders {
		weights[i] = int64(t.Amount)
		before += back[t.No]
	}
	targets := money.Split(before+amount, weights)
	parts := make([]money.Fen, len(s.Tenders))
	rest := amount
	for i, t := range s.Tenders {
		parts[i] = min(max(targets[i]-back[t.No], 0), t.Amount-back[t.No], rest)
		rest -= parts[i]
	}
	for i, t := range s.Tenders { // what rounding left over, where there is room
		more := min(rest, t.Amount-back[t.No]-parts[i])
		parts[i] += more
		rest -= more
	}
	var spread []RefundTender
	for i, t := range s.Tenders {
		if parts[i] > 0 {
			spread = append(spread, RefundTender{t.No, t.Kind, parts[i]})
		}
	}
	return spread
}

var (
	addRefundLines   = db.NewMany(`INSERT INTO till_refund_line (refund_id, line_no, qty, base_qty, amount_fen, tax_fen, back) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)
	addRefundBatches = db.NewMany(`INSERT INTO till_refund_batch (refund_id, leg, line_no, batch_id, base_qty, cost_fen) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)
	addRefundTenders = db.NewMany(`INSERT INTO till_refund_tender (refund_id, tender_no, kind, amount_fen) VALUES `, `(?, ?, ?, ?)`, ``)
)

// RecordRefund writes a refund and counts it on its sale, which may not be refunded beyond its total. The
// caller holds the row of the sale.
func RecordRefund(tx *db.Tx, r *Refund) error {
	if err := tx.ExecExactly(1, ErrState, `UPDATE till_sale SET refunded_fen = refunded_fen + $1 WHERE id = $2 AND state = 'paid'`, r.Amount, r.Sale); err != nil {
		return err
	}
	err := tx.Exec(`INSERT INTO till_refund (id, sale_id, site_id, register_id, business_date, slip_no, staff_id, refunded_at, reason, amount_fen, tax_fen, caller_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.ID, r.Sale, r.SiteID, r.Register.ID, r.Date, r.SlipNo, r.StaffID, r.At, r.Reason, r.Amount, r.Tax, r.Key)
	if err != nil {
		return err
	}
	var lines, batches, tenders []any
	for _, l := range r.Lines {
		lines = append(lines, r.ID, l.No, l.Qty, l.Base, l.Amount, l.Tax, l.Back.code())
		for _, b := range l.Batches {
			batches = append(batches, r.ID, b.Leg, l.No, b.ID, b.Base, b.Cost)
		}
	}
	for _, t := range r.Tenders {
		tenders = append(tenders, r.ID, t.Tender, t.Kind.code(), t.Amount)
	}
	if err := tx.ExecMany(addRefundLines, lines...); err != nil {
		return err
	}
	if err := tx.ExecMany(addRefundBatches, batches...); err != nil {
		return err
	}
	return tx.ExecMany(addRefundTenders, tenders...)
}

// GivenBack is what refunds have given back so far, by tender of the sale, in whatever kind.
func GivenBack(tx *db.Tx, sale id.ID) (map[int64]money.Fen, error) {
	rows := tx.Query(`SELECT b.tender_no, SUM(b.amount_fen) FROM till_refund f JOIN till_refund_tender b ON b.refund_id = f.id WHERE f.sale_id = $1 GROUP BY b.tender_no`, sale)
	defer rows.Close()
	back := map[int64]money.Fen{}
	for rows.Next() {
		var no int64
		var fen money.Fen
		if err := rows.Scan(&no, &fen); err != nil {
			return nil, err
		}
		back[no] = fen
	}
	return back, rows.Err()
}
