package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"

	"zhanggui/internal/catalog"
	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/pricing"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

var (
	ErrOtherDay    = errs.Define("void_other_day", errs.Conflict, "只能当天作废({date}),请改用退款", "A sale can be voided on its business date only ({date}); refund it instead")
	ErrRefunded    = errs.Define("void_after_refund", errs.Conflict, "已经退过款的小票不能作废", "A sale that has been refunded can't be voided")
	ErrOpen        = errs.Define("void_payment_open", errs.Conflict, "付款还没有结果,请先取消付款", "The payment is still open; cancel the payment first")
	ErrNothingOwed = errs.Define("pay_out_nothing", errs.Conflict, "没有需要用现金补退的款项", "There is nothing to be paid out in cash")
	ErrVoided      = errs.Define("sale_voided", errs.Conflict, "这张小票已经作废", "This sale has been voided already")
)

// VoidIn is the body of a void.
type VoidIn struct {
	Reason string `json:"reason" maxLength:"200"`
}

// RefundIn is the body of a refund.
type RefundIn struct {
	Lines    []till.RefundLineIn `json:"lines,omitempty" maxItems:"200"`
	Bundles  []BundleBackIn      `json:"bundles,omitempty" maxItems:"200" doc:"that come back whole; parts of them are lines"`
	Reason   string              `json:"reason" maxLength:"200"`
	Tender   string              `json:"tender,omitempty" enum:"same,cash" default:"same" doc:"same: the way it came, in proportion; cash: all of it from the drawer"`
	Register string              `json:"register,omitempty" maxLength:"8" doc:"whose drawer gives the cash; the register of the sale when left out"`
}

func (s *Service) refundRoutes(api *web.API) {
	web.Act(api, http.MethodPost, web.Route{Path: "/api/till/sales/{id}/void", Name: "void-sale", Summary: "Take a whole sale back on its business date", Perm: "till.void", Scope: web.Sites},
		func(ctx context.Context, _ *db.DB, in *struct {
			ID   id.ID `path:"id"`
			Body VoidIn
		}) (*till.SaleView, error) {
			act, err := s.actFor(ctx, "till.void", in.ID)
			if err != nil {
				return nil, err
			}
			return s.VoidOnce(ctx, act, in.ID, in.Body)
		})
	web.Act(api, http.MethodPost, web.Route{Path: "/api/till/sales/{id}/refunds", Name: "refund-sale", Summary: "Give back part or all of a sale", Perm: "till.refund", Scope: web.Sites},
		func(ctx context.Context, _ *db.DB, in *struct {
			ID   id.ID `path:"id"`
			Body RefundIn
		}) (*till.SaleView, error) {
			act, err := s.actFor(ctx, "till.refund", in.ID)
			if err != nil {
				return nil, err
			}
			return s.RefundOnce(ctx, act, in.ID, in.Body)
		})
	web.Act(api, http.MethodPost, web.Route{Path: "/api/till/sales/{id}/payments/pay-out", Name: "pay-out", Summary: "Cash in place of what the provider refused to give back", Perm: "till.refund", Scope: web.Sites},
		func(ctx context.Context, _ *db.DB, in *struct {
			ID   id.ID `path:"id"`
			Body PayOutIn
		}) (*till.SaleView, error) {
			act, err := s.actFor(ctx, "till.refund", in.ID)
			if err != nil {
				return nil, err
			}
			return s.takeBack(ctx, act, "pay-out", in.ID, in.Body, func(tx *db.Tx) error { return s.PayOut(tx, act, in.ID, in.Body) })
		})
}

// actFor finds the site of a sale, if the caller holds perm there; else the sale is not there.
func (s *Service) actFor(ctx context.Context, perm string, sale id.ID) (Act, error) {
	var at id.ID
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		at, err = till.SiteOf(tx, sale)
		return err
	})
	if err != nil {
		return Act{}, err
	}
	site, err := org.SiteFor(ctx, perm, at)
	if err != nil {
		return Act{}, till.ErrNoSale
	}
	return Act{Site: site, Staff: org.CallerOf(ctx).ID, Key: web.KeyOf(ctx)}, nil
}

// VoidOnce voids a sale once per key.
func (s *Service) VoidOnce(ctx context.Context, act Act, sale id.ID, in VoidIn) (*till.SaleView, error) {
	return s.takeBack(ctx, act, "void", sale, in, func(tx *db.Tx) error { return s.Void(tx, act, sale, in.Reason) })
}

// RefundOnce refunds part or all of a sale once per key.
func (s *Service) RefundOnce(ctx context.Context, act Act, sale id.ID, in RefundIn) (*till.SaleView, error) {
	return s.takeBack(ctx, act, "refund", sale, in, func(tx *db.Tx) error {
		_, err := s.Refund(tx, act, sale, in)
		return err
	})
}

// takeBack does act once per key, then sends what it has stored for the payment provider. Who repeats the key
// gets the first answer.
func (s *Service) takeBack(ctx context.Context, act Act, what string, sale id.ID, in any, do func(tx *db.Tx) error) (*till.SaleView, error) {
	content, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(append([]byte(sale.String()+" "), content...))
	var answer []byte
	var replayed bool
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		answer, replayed, err = once.Do(tx, act.Staff.String()+" "+what, act.Key, hash[:16], func() ([]byte, error) {
			if err := do(tx); err != nil {
				return nil, err
			}
			view, err := till.Show(tx, sale)
			if err != nil {
				return nil, err
			}
			return json.Marshal(view)
		})
		return err
	})
	if db.Violates(err, "till_refund_key") {
		return nil, once.ErrReused.Wrap(err)
	}
	if err != nil {
		return nil, err
	}
	if !replayed && s.AskProvider(ctx, sale) > 0 {
		return s.show(ctx, sale)
	}
	view := &till.SaleView{}
	return view, json.Unmarshal(answer, view)
}

// Void takes back a whole paid sale on its business date, before any refund, by transfers that name those they
// take back. Goods go back into their batches; what has expired since is thrown away instead.
func (s *Service) Void(tx *db.Tx, act Act, saleID id.ID, reason string) error {
	reason, err := till.CheckReason(reason)
	if err != nil {
		return err
	}
	if err := till.Lock(tx, saleID); err != nil {
		return err
	}
	sale, err := till.Load(tx, saleID)
	if err != nil {
		return err
	}
	switch {
	case sale.State == till.Awaiting:
		return ErrOpen
	case sale.State == till.Voided:
		return ErrVoided
	case sale.State != till.Paid:
		return till.ErrNotPaid
	case sale.Refunded > 0 || anyBack(sale):
		return ErrRefunded
	case sale.Date != act.Site.BusinessDate(tx.Now()):
		return ErrOtherDay.With("date", sale.Date)
	}
	shift, err := till.LockShift(tx, sale)
	if err != nil {
		return err
	}
	expired, err := expiredOf(tx, sale)
	if err != nil {
		return err
	}
	var backs []stock.Back
	for i := range sale.Lines {
		for _, b := range sale.Lines[i].Batches {
			backs = append(backs, stock.Back{Line: i, Batch: b.ID, Qty: b.Base, Cost: b.Cost, Discard: expired[b.ID], Of: ledger.Ref{Kind: till.SaleDoc, ID: sale.ID, Leg: b.Leg}})
		}
	}
	coming, err := stock.Return(tx, sale.SiteID, backs)
	if err != nil {
		return err
	}
	if err := s.holdTenders(tx, coming.Locked, sale, shift); err != nil {
		return err
	}
	posted, err := ledger.Legs(tx, till.SaleDoc, sale.ID)
	if err != nil {
		return err
	}
	var legs []ledger.Transfer
	for i := range posted {
		if _, _, isSale := till.ClassOf(int64(posted[i].From)); isSale {
			legs = append(legs, posted[i].Back(posted[i].Amount))
		}
	}
	doc := ledger.Document{Kind: till.VoidDoc, ID: sale.ID, Site: sale.SiteID, Date: sale.Date}
	if err := coming.Book(tx, doc, legs...); err != nil {
		return err
	}
	if err := till.SetState(tx, sale.ID, till.Paid, till.Voided); err != nil {
		return err
	}
	payments, err := till.Payments(tx, sale.ID)
	if err != nil {
		return err
	}
	for _, t := range sale.Tenders {
		if t.Kind == till.Mobile {
			if err := giveBack(tx, sale, payments, 0, t.No, t.Amount); err != nil {
				return err
			}
		}
	}
	if err := till.Note(tx, sale.ID, act.Staff, "voided", reason); err != nil {
		return err
	}
	return till.Announce(tx, till.VoidedEvent, sale)
}

func anyBack(sale *till.Sale) bool {
	for i := range sale.Lines {
		if sale.Lines[i].Back > 0 { // of a line that cost nothing
			return true
		}
	}
	return false
}

var expiries = db.NewMany(`SELECT b.id FROM stock_batch b WHERE b.expires_at <= $1 AND b.id IN (`, `?`, `)`)

// expiredOf are the batches of a sale that have expired by now.
func expiredOf(tx *db.Tx, sale *till.Sale) (map[id.ID]bool, error) {
	args := []any{tx.Now()}
	for i := range sale.Lines {
		for _, b := range sale.Lines[i].Batches {
			args = append(args, b.ID)
		}
	}
	rows := tx.QueryMany(expiries, args...)
	defer rows.Close()
	expired := map[id.ID]bool{}
	for rows.Next() {
		var b id.ID
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		expired[b] = true
	}
	return expired, rows.Err()
}

// holdTenders locks every account that the tenders of a sale went to.
func (s *Service) holdTenders(tx *db.Tx, accounts *ledger.Locked, sale *till.Sale, shift till.Shift) error {
	payments, err := till.Payments(tx, sale.ID)
	if err != nil {
		return err
	}
	for _, t := range sale.Tenders {
		if t.Kind == till.Cash {
			_, err = till.HoldDrawer(tx, accounts, sale.SiteID, shift)
		} else {
			_, err = till.HoldClearing(tx, accounts, sale.SiteID, charge(payments, t.No).Provider)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// charge is the payment that a mobile tender was paid by.
func charge(payments []till.Payment, tender int64) *till.Payment {
	for i := range payments {
		if p := &payments[i]; p.Kind == till.Takes && p.Tender == tender {
			return p
		}
	}
	return &till.Payment{}
}

// giveBack stores the request to the provider to give money back. It is sent after the commit, and again until
// the answer is definite.
func giveBack(tx *db.Tx, sale *till.Sale, payments []till.Payment, refund id.ID, tender int64, amount money.Fen) error {
	of := charge(payments, tender)
	return till.Request(tx, &till.Payment{Sale: sale.ID, Refund: refund, Of: of.ID, Tender: tender, Kind: till.Gives, Provider: of.Provider, Amount: amount, Code: of.Code})
}

// Refund gives back part or all of a paid sale. Parallel refunds of one sale wait for each other; together they
// never pass it, and together they are exactly it.
func (s *Service) Refund(tx *db.Tx, act Act, saleID id.ID, in RefundIn) (*till.Refund, error) {
	reason, err := till.CheckReason(in.Reason)
	if err != nil {
		return nil, err
	}
	if in.Tender != "" && in.Tender != "same" && in.Tender != "cash" {
		return nil, till.ErrRefundTender.At("tender")
	}
	if err := till.Lock(tx, saleID); err != nil {
		return nil, err
	}
	sale, err := till.Load(tx, saleID)
	if err != nil {
		return nil, err
	}
	asked := in.Lines
	if len(in.Bundles) > 0 {
		whole, err := unbundle(sale, in.Bundles)
		if err != nil {
			return nil, err
		}
		asked = append(whole, in.Lines...)
	}
	lines, err := till.Reckon(sale, asked, func(l *till.Line, q qty.Qty) (qty.Qty, error) {
		found, err := s.goods.Products(tx, []id.ID{l.Product})
		if err != nil {
			return 0, err
		}
		p := found[l.Product]
		if p == nil || p.UnitByID(l.Unit) == nil {
			return 0, catalog.ErrNoProduct
		}
		base, err := p.UnitByID(l.Unit).Qty().ToBase(q)
		if err == nil && q != l.Qty-l.Back && !whole(p, q, base) {
			return 0, ErrWhole.With("product", l.Name)
		}
		return base, err
	})
	if err != nil {
		return nil, err
	}
	register := in.Register
	if register == "" {
		register = sale.Register.Code
	}
	r := &till.Refund{ID: id.New(), Sale: sale.ID, SiteID: sale.SiteID, Date: act.Site.BusinessDate(tx.Now()), StaffID: act.Staff, At: tx.Now(), Reason: reason, Key: act.Key, Lines: lines}
	shift, err := till.TakeRefundNumber(tx, sale.SiteID, register, r.Date).Get()
	if err != nil {
		return nil, err
	}
	r.Register, r.SlipNo = shift.Register, shift.No

	var backs []stock.Back
	for i, l := range lines {
		r.Amount += l.Amount
		r.Tax += l.Tax
		for _, b := range l.Batches {
			backs = append(backs, stock.Back{Line: i, Batch: b.ID, Qty: b.Base, Cost: b.Cost, Discard: l.Back == till.Discard, Of: ledger.Ref{Kind: till.SaleDoc, ID: sale.ID, Leg: b.Leg}})
		}
	}
	coming, err := stock.Return(tx, sale.SiteID, backs)
	if err != nil {
		return nil, err
	}
	given, err := till.GivenBack(tx, sale.ID)
	if err != nil {
		return nil, err
	}
	payments, err := till.Payments(tx, sale.ID)
	if err != nil {
		return nil, err
	}
	r.Tenders = till.Spread(sale, given, r.Amount)
	from := make([]till.Side, len(r.Tenders))
	if shift.First { // a refund in kind leaves the drawer alone, but the next cash finds it open
		if _, err := till.HoldDrawer(tx, coming.Locked, sale.SiteID, shift); err != nil {
			return nil, err
		}
		shift.First = false
	}
	for i := range r.Tenders {
		t := &r.Tenders[i]
		if in.Tender == "cash" {
			t.Kind = till.Cash
		}
		var account ledger.Account
		if t.Kind == till.Cash {
			account, err = till.HoldDrawer(tx, coming.Locked, sale.SiteID, shift)
		} else {
			account, err = till.HoldClearing(tx, coming.Locked, sale.SiteID, charge(payments, t.Tender).Provider)
		}
		if err != nil {
			return nil, err
		}
		from[i] = till.Side{Account: account, Amount: t.Amount}
	}
	doc := ledger.Document{Kind: till.RefundDoc, ID: r.ID, Site: r.SiteID, Date: r.Date}
	if err := coming.Book(tx, doc, till.Legs(nil, from, till.Sides(classes(lines)))...); err != nil {
		return nil, err
	}
	if err := till.RecordRefund(tx, r); err != nil {
		return nil, err
	}
	for _, t := range r.Tenders {
		if t.Kind == till.Mobile {
			if err := giveBack(tx, sale, payments, r.ID, t.Tender, t.Amount); err != nil {
				return nil, err
			}
		}
	}
	return r, till.AnnounceRefund(tx, r)
}

// PayOutIn is the body of a pay-out.
type PayOutIn struct {
	Register string `json:"register" maxLength:"8" doc:"whose drawer gives the cash"`
}

// PayOut gives cash from a drawer in place of all money of a sale that the provider refused to give back.
func (s *Service) PayOut(tx *db.Tx, act Act, saleID id.ID, in PayOutIn) error {
	if err := till.Lock(tx, saleID); err != nil {
		return err
	}
	sale, err := till.Load(tx, saleID)
	if err != nil {
		return err
	}
	payments, err := till.Payments(tx, saleID)
	if err != nil {
		return err
	}
	date := act.Site.BusinessDate(tx.Now())
	shift, err := till.OpenShift(tx, sale.SiteID, in.Register, date)
	if err != nil {
		return err
	}
	accounts := ledger.NewLocked()
	drawer, err := till.HoldDrawer(tx, accounts, sale.SiteID, shift)
	if err != nil {
		return err
	}
	var paid money.Fen
	for i := range payments {
		p := &payments[i]
		if p.Kind != till.Gives || p.State != "failed" || p.PaidOut {
			continue
		}
		to := till.LatePayer // the money that came too late is still with the provider
		if p.Refund != 0 || sale.State == till.Voided {
			if to, err = till.HoldClearing(tx, accounts, sale.SiteID, p.Provider); err != nil {
				return err
			}
		}
		doc := ledger.Document{Kind: till.PayOutDoc, ID: p.ID, Site: sale.SiteID, Date: date}
		if err := accounts.Apply(tx, doc, ledger.Transfer{From: drawer, To: to, Unit: ledger.CNY, Amount: int64(p.Amount)}); err != nil {
			return err
		}
		if err := till.RecordPayOut(tx, &till.PayOut{Payment: p.ID, Sale: sale.ID, SiteID: sale.SiteID, Register: shift.Register.ID, Date: date, StaffID: act.Staff, Amount: p.Amount}); err != nil {
			return err
		}
		paid += p.Amount
	}
	if paid == 0 {
		return ErrNothingOwed
	}
	return till.Note(tx, sale.ID, act.Staff, "paid_out", paid.Yuan())
}

// classes adds up what is refunded by rate.
func classes(lines []till.RefundLine) []pricing.Class {
	var all []pricing.Class
	for _, l := range lines {
		at := 0
		for at < len(all) && all[at].TaxBP != l.TaxBP {
			at++
		}
		if at == len(all) {
			all = append(all, pricing.Class{TaxBP: l.TaxBP})
		}
		all[at].Amount += l.Amount
		all[at].Tax += l.Tax
	}
	return all
}
