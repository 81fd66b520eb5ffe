package checkout

import (
	"fmt"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// Sell sells a basket in the caller's transaction. With cash only, everything is posted at once. With a mobile
// tender the goods are held and the request to the provider is stored; it must be sent after the commit.
//
// On PostgreSQL it waits once: the slip number and the locks of the batches travel together, and all that
// is written travels with the commit. Only when marked-down goods are among them it asks for their prices.
func (s *Service) Sell(tx *db.Tx, act Act, in SaleIn) (*till.SaleView, error) {
	p, err := s.price(tx, act.Site, in.Lines)
	if err != nil {
		return nil, err
	}
	// The shift's row is locked before the rows of stock, by everybody.
	number := till.TakeSaleNumber(tx, act.Site.ID, in.Register, p.date)
	asked := stock.Ask(tx, act.Site.ID, p.wants())
	shift, err := number.Get()
	if err != nil {
		return nil, err
	}
	goods, err := asked.Pick()
	if err != nil {
		return nil, err
	}
	if err := p.reduce(tx, goods.Takes); err != nil {
		return nil, err
	}
	if in.ExpectTotalFen != p.bill.Total {
		return nil, ErrPriceChanged.With("total", p.bill.Total.Yuan()).At("expect_total_fen")
	}
	tenders, err := readTenders(in.Tenders, p.bill.Total)
	if err != nil {
		return nil, err
	}
	state := till.Paid
	for i, t := range tenders {
		if t.Kind == till.Mobile {
			if s.o.Provider == nil {
				return nil, ErrNoProvider.At(fmt.Sprintf("tenders[%d].kind", i))
			}
			state = till.Awaiting
		}
	}

	sale := &till.Sale{ID: id.New(), SiteID: act.Site.ID, Register: shift.Register, Date: p.date, SlipNo: shift.No, StaffID: act.Staff, SoldAt: tx.Now(),
		State: state, Total: p.bill.Total, Tax: p.bill.Tax, Key: act.Key, Tenders: tenders, Lines: make([]till.Line, len(p.parts))}
	for k := range p.parts {
		x := &p.parts[k]
		sale.Lines[k] = till.Line{No: int64(k + 1), Product: x.product.ID, Unit: x.unit.ID, Name: x.product.Name, Qty: x.qty, Base: x.base,
			Price: x.price, Amount: p.bill.Lines[k].Amount, Tax: p.bill.Lines[k].Tax, TaxBP: x.product.Tax, Markdown: x.markdown, Off: x.off}
	}
	sale.Bundles = p.sold()
	doc := document(sale)
	event := till.SoldEvent
	if state == till.Paid {
		cash, err := till.HoldDrawer(tx, goods.Locked, sale.SiteID, shift)
		if err != nil {
			return nil, err
		}
		to := make([]till.Side, 0, 1)
		for _, t := range tenders {
			to = append(to, till.Side{Account: cash, Amount: t.Amount})
		}
		if err := goods.Sell(tx, doc, till.Legs(nil, till.Sides(p.bill.Classes), to)...); err != nil {
			return nil, err
		}
	} else {
		event = till.AwaitingEvent
		if shift.First { // its first sale may fail, and the second would not know that nobody opened the drawer
			if _, err := till.HoldDrawer(tx, goods.Locked, sale.SiteID, shift); err != nil {
				return nil, err
			}
		}
		if err := goods.Hold(tx, doc, tx.Now().Add(holdFor)); err != nil {
			return nil, err
		}
	}
	for i := range goods.Takes {
		t := &goods.Takes[i]
		l := &sale.Lines[p.partOf(t)]
		l.Batches = append(l.Batches, till.Batch{Leg: t.Leg, ID: t.Batch, Base: t.Qty, Cost: t.Cost})
	}
	if err := till.Record(tx, sale); err != nil {
		return nil, err
	}
	for i, t := range in.Tenders {
		if t.Kind != till.Mobile {
			continue
		}
		request := &till.Payment{Sale: sale.ID, Tender: int64(i + 1), Kind: till.Takes, Provider: s.o.Provider.Name(), Amount: t.AmountFen, Code: t.PayCode}
		if err := till.Request(tx, request); err != nil {
			return nil, err
		}
	}
	if err := till.Announce(tx, event, sale); err != nil {
		return nil, err
	}
	return sale.View(act.Site.Name, act.Cashier, act.Site.Location(), func(k int) string { return p.parts[k].unit.Name }), nil
}

func document(s *till.Sale) ledger.Document {
	return ledger.Document{Kind: till.SaleDoc, ID: s.ID, Site: s.SiteID, Date: s.Date}
}

// capture posts a sale whose payments have all been made: what was held is sold, and the money is booked. The
// caller holds the row of the sale.
func (s *Service) capture(tx *db.Tx, sale *till.Sale) error {
	shift, err := till.LockShift(tx, sale)
	if err != nil {
		return err
	}
	goods, err := stock.Capture(tx, sale.SiteID, till.SaleDoc, sale.ID, nil)
	if err != nil {
		return err
	}
	payments, err := till.Payments(tx, sale.ID)
	if err != nil {
		return err
	}
	to := make([]till.Side, 0, len(sale.Tenders))
	for _, t := range sale.Tenders {
		var account ledger.Account
		if t.Kind == till.Cash {
			account, err = till.HoldDrawer(tx, goods.Locked, sale.SiteID, shift)
		} else {
			account, err = till.HoldClearing(tx, goods.Locked, sale.SiteID, providerOf(payments, t.No))
		}
		if err != nil {
			return err
		}
		to = append(to, till.Side{Account: account, Amount: t.Amount})
	}
	if err := goods.Sell(tx, document(sale), till.Legs(nil, till.Sides(till.ClassesOf(sale.Lines)), to)...); err != nil {
		return err
	}
	for _, t := range goods.Takes { // the legs have the numbers they were held under
		if err := till.SetCost(tx, sale.ID, t.Leg, t.Cost); err != nil {
			return err
		}
	}
	if err := till.SetState(tx, sale.ID, till.Awaiting, till.Paid); err != nil {
		return err
	}
	if err := till.Note(tx, sale.ID, 0, "paid", ""); err != nil {
		return err
	}
	sale.State = till.Paid
	return till.Announce(tx, till.SoldEvent, sale)
}

func providerOf(payments []till.Payment, tender int64) string {
	for _, p := range payments {
		if p.Kind == till.Takes && p.Tender == tender {
			return p.Provider
		}
	}
	return ""
}
