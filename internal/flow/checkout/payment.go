package checkout

import (
	"context"
	"net/http"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/port/pay"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/till"
)

// How long a customer may stand at the counter, by the business clock.
const (
	holdFor  = 15 * time.Minute // goods are held for an open payment
	patience = 10 * time.Minute // then the sale is given up; shorter than the hold, so that it never runs out first
	askEvery = 5 * time.Second
	askLimit = 5 * time.Second // wall time for one answer of the provider
)

var (
	ErrNoProvider = errs.Define("pay_no_provider", errs.Conflict, "没有开通移动支付", "Mobile payment is not set up")
	ErrNotOpen    = errs.Define("payment_not_open", errs.Conflict, "这张销售单没有待确认的付款", "This sale has no open payment")
)

func (s *Service) paymentRoutes(api *web.API) {
	web.Act(api, http.MethodPost, web.Route{Path: "/api/till/sales/{id}/payments/ask", Name: "ask-payment", Summary: "Ask the payment provider again", Perm: "till.sell", Scope: web.Sites},
		func(ctx context.Context, d *db.DB, in *struct {
			ID id.ID `path:"id"`
		}) (*till.SaleView, error) {
			if err := s.within(ctx, "till.sell", in.ID); err != nil {
				return nil, err
			}
			// Asking changes nothing that asking again would not: the key of the call needs no memory.
			s.AskProvider(ctx, in.ID)
			return s.show(ctx, in.ID)
		})
	web.Act(api, http.MethodPost, web.Route{Path: "/api/till/sales/{id}/payments/cancel", Name: "cancel-payment", Summary: "Give up a sale whose payment is open", Perm: "till.sell", Scope: web.Sites},
		func(ctx context.Context, d *db.DB, in *struct {
			ID id.ID `path:"id"`
		}) (*till.SaleView, error) {
			if err := s.within(ctx, "till.sell", in.ID); err != nil {
				return nil, err
			}
			if err := d.Write(ctx, func(tx *db.Tx) error { return s.GiveUp(tx, in.ID, org.CallerOf(ctx).ID) }); err != nil {
				return nil, err
			}
			s.AskProvider(ctx, in.ID)
			return s.show(ctx, in.ID)
		})
}

// within refuses a sale of a site where the caller does not hold perm, as if it were not there.
func (s *Service) within(ctx context.Context, perm string, sale id.ID) error {
	return s.db.Read(ctx, func(tx *db.Tx) error {
		site, err := till.SiteOf(tx, sale)
		if err == nil && !org.SitesOf(ctx, perm).Has(site) {
			err = till.ErrNoSale
		}
		return err
	})
}

func (s *Service) show(ctx context.Context, sale id.ID) (view *till.SaleView, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		view, err = till.Show(tx, sale)
		return err
	})
	return view, err
}

// AskProvider asks the provider about every open payment of a sale and its refunds, outside any transaction,
// stores what it says, and returns how many there were. What fails here is asked again by AskOpen.
func (s *Service) AskProvider(ctx context.Context, sale id.ID) int {
	var open []till.Payment
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		all, err := till.Payments(tx, sale)
		open = open[:0]
		for _, p := range all {
			if p.Open() {
				open = append(open, p)
			}
		}
		return err
	})
	if err != nil {
		s.o.Log.Warn("open payments can't be read", "sale", sale, "err", err)
		return 0
	}
	for i := range open {
		s.ask(ctx, &open[i])
	}
	return len(open)
}

// AskOpen asks about payments without a definite answer that were not asked about lately, oldest first, gives up
// sales that have waited too long, and says how many payments it asked about. Every node may call it.
func (s *Service) AskOpen(ctx context.Context) (int, error) {
	var open []till.Payment
	var late []id.ID
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		if open, err = till.OpenPayments(tx, tx.Now().Add(-askEvery), 100); err != nil {
			return err
		}
		late, err = till.AwaitingSince(tx, tx.Now().Add(-patience), 100)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range open {
		s.ask(ctx, &open[i])
	}
	for _, sale := range late {
		s.AskProvider(ctx, sale) // a last time
		if err := s.db.Write(ctx, func(tx *db.Tx) error { return s.GiveUp(tx, sale, 0) }); err != nil && errs.Code(err) != ErrNotOpen.Code {
			return len(open), err
		}
	}
	return len(open), nil
}

func (s *Service) ask(ctx context.Context, p *till.Payment) {
	if s.o.Provider == nil || s.o.Provider.Name() != p.Provider {
		s.o.Log.Warn("a payment waits for a provider that is not set up", "payment", p.ID, "provider", p.Provider)
		return
	}
	asking, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	order := pay.Order{Key: p.ID.String(), Amount: p.Amount, Code: p.Code, SentAt: p.SentAt}
	var a pay.Answer
	switch {
	case p.Kind == till.Gives:
		a = s.o.Provider.GiveBack(asking, pay.Refund{Key: p.ID.String(), Of: pay.Order{Key: p.Of.String(), Code: p.Code}, Amount: p.Amount, SentAt: p.SentAt})
	case p.Dropped:
		a = s.o.Provider.Cancel(asking, order)
	case p.Asked:
		a = s.o.Provider.Ask(asking, order)
	default:
		a = s.o.Provider.Charge(asking, order)
	}
	var next []id.ID
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		next, err = s.Answered(tx, p.Sale, p.ID, a)
		return err
	})
	if err != nil {
		s.o.Log.Warn("the answer of the payment provider could not be stored; it will be asked again", "payment", p.ID, "err", err)
		return
	}
	for range next { // giving back what came too late: asked at once, and by AskOpen if that fails
		s.AskProvider(ctx, p.Sale)
		break
	}
}

// Answered stores what the provider said of a payment and does what follows from it. It returns requests
// that were stored and must be sent after the commit.
func (s *Service) Answered(tx *db.Tx, saleID, payment id.ID, a pay.Answer) ([]id.ID, error) {
	if err := till.Lock(tx, saleID); err != nil {
		return nil, err
	}
	news, err := till.Answered(tx, payment, a.State.String(), a.Ref, a.Reason)
	if err != nil || !news || !a.State.Definite() {
		return nil, err
	}
	sale, err := till.Load(tx, saleID)
	if err != nil {
		return nil, err
	}
	payments, err := till.Payments(tx, saleID)
	if err != nil {
		return nil, err
	}
	var this *till.Payment
	open := 0
	for i := range payments {
		p := &payments[i]
		if p.ID == payment {
			this = p
		}
		if p.Kind == till.Takes && p.Open() {
			open++
		}
	}
	switch {
	case this.Kind == till.Gives && (this.Refund != 0 || sale.State == till.Voided): // booked when it was asked for
		if a.State == pay.Failed {
			return nil, till.Note(tx, saleID, 0, "refund_failed", a.Reason)
		}
		return nil, nil
	case this.Kind == till.Gives:
		if a.State == pay.Failed {
			return nil, till.Note(tx, saleID, 0, "give_back_failed", a.Reason)
		}
		return nil, s.postLate(tx, sale, this, true)
	case sale.State == till.Awaiting && a.State == pay.Failed:
		if err := s.end(tx, sale, "failed", a.Reason, 0); err != nil {
			return nil, err
		}
		return s.giveBackPaid(tx, sale, payments)
	case sale.State == till.Awaiting && !tx.Now().Before(sale.SoldAt.Add(holdFor)):
		// Nobody asked for so long that the goods are no longer held.
		if err := s.end(tx, sale, "given_up", "", 0); err != nil {
			return nil, err
		}
		return s.giveBackPaid(tx, sale, payments)
	case sale.State == till.Awaiting && open == 0:
		return nil, s.capture(tx, sale)
	case sale.State == till.Awaiting || a.State == pay.Failed:
		return nil, nil // others are still open, or it never mattered
	}
	// Paid although nobody waits for it any more.
	if err := till.Note(tx, saleID, 0, "paid_late", a.Ref); err != nil {
		return nil, err
	}
	return s.giveBackPaid(tx, sale, payments)
}

// GiveUp ends a sale whose payment is open: the goods are free again, and money that still arrives goes back.
func (s *Service) GiveUp(tx *db.Tx, saleID, staff id.ID) error {
	if err := till.Lock(tx, saleID); err != nil {
		return err
	}
	sale, err := till.Load(tx, saleID)
	if err != nil {
		return err
	}
	if sale.State != till.Awaiting {
		return ErrNotOpen
	}
	if err := s.end(tx, sale, "given_up", "", staff); err != nil {
		return err
	}
	payments, err := till.Payments(tx, saleID)
	if err != nil {
		return err
	}
	_, err = s.giveBackPaid(tx, sale, payments)
	return err
}

// end fails a sale that awaits its payment.
func (s *Service) end(tx *db.Tx, sale *till.Sale, act, note string, staff id.ID) error {
	if err := till.SetState(tx, sale.ID, till.Awaiting, till.Failed); err != nil {
		return err
	}
	if err := till.Drop(tx, sale.ID); err != nil {
		return err
	}
	if err := till.Note(tx, sale.ID, staff, act, note); err != nil {
		return err
	}
	if err := ledger.Void(tx, till.SaleDoc, sale.ID); err != nil {
		return err
	}
	sale.State = till.Failed
	return till.Announce(tx, till.FailedEvent, sale)
}

// giveBackPaid stores, for each paid charge of a sale that is not to be, that it came and a request to give it
// back. Each charge is given back once.
func (s *Service) giveBackPaid(tx *db.Tx, sale *till.Sale, payments []till.Payment) ([]id.ID, error) {
	var sent []id.ID
	for i := range payments {
		p := &payments[i]
		if p.Kind != till.Takes || p.State != "done" {
			continue
		}
		already := false
		for _, g := range payments {
			already = already || g.Kind == till.Gives && g.Refund == 0 && g.Tender == p.Tender
		}
		if already {
			continue
		}
		if err := s.postLate(tx, sale, p, false); err != nil {
			return nil, err
		}
		back := &till.Payment{Sale: sale.ID, Tender: p.Tender, Kind: till.Gives, Of: p.ID, Provider: p.Provider, Amount: p.Amount, Code: p.Code}
		if err := till.Request(tx, back); err != nil {
			return nil, err
		}
		sent = append(sent, back.ID)
	}
	return sent, nil
}

// postLate books money that came without a sale, and its way back.
func (s *Service) postLate(tx *db.Tx, sale *till.Sale, p *till.Payment, back bool) error {
	accounts := ledger.NewLocked()
	clearing, err := till.HoldClearing(tx, accounts, sale.SiteID, p.Provider)
	if err != nil {
		return err
	}
	leg := ledger.Transfer{From: till.LatePayer, To: clearing, Unit: ledger.CNY, Amount: int64(p.Amount)}
	if back {
		if err := till.Note(tx, sale.ID, 0, "given_back", p.Ref); err != nil {
			return err
		}
		leg.From, leg.To = leg.To, leg.From
	}
	date, err := ledger.Forward(tx, sale.SiteID, sale.Date)
	if err != nil {
		return err
	}
	return accounts.Apply(tx, ledger.Document{Kind: till.LateDoc, ID: p.ID, Site: sale.SiteID, Date: date}, leg)
}
