package till

import (
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// SaleView is a sale on the wire: everything its slip shows.
type SaleView struct {
	ID           id.ID        `json:"id"`
	SlipNo       string       `json:"slip_no"`
	State        State        `json:"state" enum:"paid,awaiting_payment,failed,voided"`
	SiteID       id.ID        `json:"site_id"`
	SiteName     string       `json:"site_name"`
	Register     string       `json:"register"`
	BusinessDate cal.Date     `json:"business_date"`
	SoldAt       time.Time    `json:"sold_at"`
	StaffID      id.ID        `json:"staff_id"`
	Cashier      string       `json:"cashier"`
	Lines        []LineView   `json:"lines"`
	Bundles      []BundleView `json:"bundles" doc:"what was sold as one; its parts are lines"`
	Taxes        []TaxView    `json:"taxes"`
	Tenders      []TenderView `json:"tenders"`
	TotalFen     money.Fen    `json:"total_fen"`
	TaxFen       money.Fen    `json:"tax_fen" doc:"contained in total_fen"`
	ChangeFen    money.Fen    `json:"change_fen"`
	RefundedFen  money.Fen    `json:"refunded_fen"`
	Refunds      []RefundView `json:"refunds"`
	Trail        []TrailView  `json:"trail"`
}

// LineView is a line of a slip.
type LineView struct {
	LineNo      int64           `json:"line_no"`
	ProductID   id.ID           `json:"product_id"`
	Name        string          `json:"name" doc:"as printed"`
	Qty         qty.Qty         `json:"qty"`
	Unit        string          `json:"unit"`
	PriceFen    money.Fen       `json:"price_fen" doc:"of the price book, for one unit"`
	OffFen      money.Fen       `json:"off_fen" doc:"less because the goods near their expiry; price times quantity less this is the amount"`
	MarkdownID  id.ID           `json:"markdown_id" doc:"the decision that lowered the price; empty: none"`
	AmountFen   money.Fen       `json:"amount_fen"`
	TaxFen      money.Fen       `json:"tax_fen"`
	TaxPct      catalog.TaxRate `json:"tax_pct"`
	RefundedQty qty.Qty         `json:"refunded_qty"`
	Batches     []BatchView     `json:"batches"`
}

// BundleView is a bundle on a slip.
type BundleView struct {
	BundleNo  int64     `json:"bundle_no"`
	ProductID id.ID     `json:"product_id"`
	Name      string    `json:"name" doc:"as printed"`
	Qty       qty.Qty   `json:"qty"`
	Unit      string    `json:"unit"`
	PriceFen  money.Fen `json:"price_fen" doc:"of the price book, for one unit"`
	AmountFen money.Fen `json:"amount_fen"`
	FirstLine int64     `json:"first_line" doc:"its parts are the lines from this one"`
	LineCount int64     `json:"line_count"`
}

// BatchView is what a line took from a batch.
type BatchView struct {
	BatchID id.ID   `json:"batch_id"`
	BaseQty qty.Qty `json:"base_qty" doc:"in the base unit"`
}

// TaxView is the tax of one rate.
type TaxView struct {
	TaxPct    catalog.TaxRate `json:"tax_pct"`
	AmountFen money.Fen       `json:"amount_fen"`
	TaxFen    money.Fen       `json:"tax_fen"`
}

// TenderView is one way in which a sale is paid.
type TenderView struct {
	Kind      Kind      `json:"kind" enum:"cash,mobile"`
	AmountFen money.Fen `json:"amount_fen"`
	GivenFen  money.Fen `json:"given_fen" doc:"cash handed over; 0 for mobile"`
	State     string    `json:"state" enum:"open,done,failed,returning,refused,given_back,cash" doc:"open: the provider has not answered for good; returning: the payer's money is on its way back; refused: the provider does not give it back, pay out in cash; given_back, cash: the payer has it back"`
	Provider  string    `json:"provider"`
	Ref       string    `json:"ref" doc:"the provider's number"`
	Reason    string    `json:"reason" doc:"why it failed, or has no answer yet"`
}

// RefundView is a refund of a sale.
type RefundView struct {
	ID           id.ID              `json:"id"`
	RefundNo     string             `json:"refund_no"`
	RefundedAt   time.Time          `json:"refunded_at"`
	BusinessDate cal.Date           `json:"business_date"`
	StaffID      id.ID              `json:"staff_id"`
	Cashier      string             `json:"cashier"`
	Reason       string             `json:"reason"`
	AmountFen    money.Fen          `json:"amount_fen"`
	TaxFen       money.Fen          `json:"tax_fen"`
	Lines        []RefundLineView   `json:"lines"`
	Tenders      []RefundTenderView `json:"tenders"`
}

// RefundLineView is what a refund took back of one line.
type RefundLineView struct {
	LineNo    int64     `json:"line_no"`
	Qty       qty.Qty   `json:"qty"`
	AmountFen money.Fen `json:"amount_fen"`
	TaxFen    money.Fen `json:"tax_fen"`
	Back      Back      `json:"back" enum:"stock,discard"`
}

// RefundTenderView is how money went back.
type RefundTenderView struct {
	Kind      Kind      `json:"kind" enum:"cash,mobile"`
	AmountFen money.Fen `json:"amount_fen"`
	State     string    `json:"state" enum:"open,done,refused,cash" doc:"refused: the provider does not give it back, pay out in cash; cash: done so"`
	Ref       string    `json:"ref"`
	Reason    string    `json:"reason"`
}

// TrailView is one thing that happened to a sale after it was rung up.
type TrailView struct {
	At      time.Time `json:"at"`
	StaffID id.ID     `json:"staff_id" doc:"empty: the system"`
	Act     string    `json:"act" enum:"paid,failed,given_up,voided,paid_late,given_back,give_back_failed,refund_failed,paid_out"`
	Note    string    `json:"note"`
}

// SaleRow is a sale in a list.
type SaleRow struct {
	ID           id.ID     `json:"id"`
	SlipNo       string    `json:"slip_no"`
	State        State     `json:"state" enum:"paid,awaiting_payment,failed,voided"`
	SiteID       id.ID     `json:"site_id"`
	SiteName     string    `json:"site_name"`
	Register     string    `json:"register"`
	BusinessDate cal.Date  `json:"business_date"`
	SoldAt       time.Time `json:"sold_at"`
	Cashier      string    `json:"cashier"`
	TotalFen     money.Fen `json:"total_fen"`
	RefundedFen  money.Fen `json:"refunded_fen"`
}

// Back says where refunded goods go.
type Back string

const (
	ToStock Back = "stock"   // into the batch they came from
	Discard Back = "discard" // waste
)

func (b Back) code() int64 {
	if b == Discard {
		return 2
	}
	return 1
}

func backOf(code int64) Back {
	if code == 2 {
		return Discard
	}
	return ToStock
}

// at gives an instant the site's offset, as people of the site read it.
func at(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		return t
	}
	return t.In(zone)
}

// View is the sale as it was just rung up, without asking the database: names come from the caller.
func (s *Sale) View(siteName, cashier string, zone *time.Location, units func(i int) string) *SaleView {
	v := &SaleView{ID: s.ID, SlipNo: SlipNumber(s.Register.Prefix, s.Date, s.SlipNo), State: s.State, SiteID: s.SiteID, SiteName: siteName,
		Register: s.Register.Code, BusinessDate: s.Date, SoldAt: at(s.SoldAt, zone), StaffID: s.StaffID, Cashier: cashier,
		TotalFen: s.Total, TaxFen: s.Tax, ChangeFen: s.Change(), RefundedFen: s.Refunded,
		Lines: make([]LineView, len(s.Lines)), Bundles: make([]BundleView, len(s.Bundles)), Tenders: make([]TenderView, len(s.Tenders)), Refunds: []RefundView{}, Trail: []TrailView{}}
	batches := make([]BatchView, 0, len(s.Lines)+4)
	for i := range s.Lines {
		l := &s.Lines[i]
		from := len(batches)
		for _, b := range l.Batches {
			batches = append(batches, BatchView{b.ID, b.Base})
		}
		v.Lines[i] = LineView{l.No, l.Product, l.Name, l.Qty, units(i), l.Price, l.Off, l.Markdown, l.Amount, l.Tax, l.TaxBP, l.Back, batches[from:len(batches):len(batches)]}
		if l.Batches == nil {
			v.Lines[i].Batches = []BatchView{}
		}
	}
	for i := range s.Bundles {
		b := &s.Bundles[i]
		v.Bundles[i] = BundleView{b.No, b.Product, b.Name, b.Qty, b.UnitName, b.Price, b.Amount, b.First, b.Lines}
	}
	for i, t := range s.Tenders {
		state := "done"
		if t.Kind == Mobile {
			state = "open"
		}
		v.Tenders[i] = TenderView{Kind: t.Kind, AmountFen: t.Amount, GivenFen: t.Given, State: state}
	}
	v.Taxes = taxesOf(s.Lines)
	return v
}

// taxesOf adds up the lines by rate, falling.
func taxesOf(lines []Line) []TaxView {
	taxes := make([]TaxView, 0, 2)
	for i := range lines {
		l := &lines[i]
		at := 0
		for at < len(taxes) && taxes[at].TaxPct > l.TaxBP {
			at++
		}
		if at == len(taxes) || taxes[at].TaxPct != l.TaxBP {
			taxes = append(taxes, TaxView{})
			copy(taxes[at+1:], taxes[at:])
			taxes[at] = TaxView{TaxPct: l.TaxBP}
		}
		taxes[at].AmountFen += l.Amount
		taxes[at].TaxFen += l.Tax
	}
	return taxes
}
