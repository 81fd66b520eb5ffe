package till

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/outbox"
)

// Events of a sale. The subject is the sale.
const (
	SoldEvent     = "till.sold.v1"     // paid, goods and money posted
	AwaitingEvent = "till.awaiting.v1" // rung up, the payment is open
	FailedEvent   = "till.failed.v1"   // the payment failed, the goods are free again
	VoidedEvent   = "till.voided.v1"
	RefundedEvent = "till.refunded.v1"
)

// SaleBody is the body of the events of a whole sale. Its lines are read from the sale: they never change.
type SaleBody struct {
	Date  cal.Date  `json:"date"`
	Total money.Fen `json:"total_fen"`
	Lines int       `json:"lines"`
	Staff id.ID     `json:"staff_id"` // who rang it up
}

// RefundBody is the body of RefundedEvent.
type RefundBody struct {
	Refund id.ID     `json:"refund_id"`
	Date   cal.Date  `json:"date"`
	Amount money.Fen `json:"amount_fen"`
	Staff  id.ID     `json:"staff_id"` // who took it back
}

// Announce emits an event of a whole sale.
func Announce(tx *db.Tx, event string, s *Sale) error {
	return outbox.Emit(tx, outbox.Event{Type: event, Subject: s.ID, Site: s.SiteID, Body: SaleBody{s.Date, s.Total, len(s.Lines), s.StaffID}})
}

// AnnounceRefund emits RefundedEvent.
func AnnounceRefund(tx *db.Tx, r *Refund) error {
	return outbox.Emit(tx, outbox.Event{Type: RefundedEvent, Subject: r.Sale, Site: r.SiteID, Body: RefundBody{r.ID, r.Date, r.Amount, r.StaffID}})
}
