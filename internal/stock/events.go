package stock

import (
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
)

// News of stock. The subject of a document's event is the document, that of sold_out the SKU.
const (
	EventReceived   = "stock.received.v1"
	EventWrittenOff = "stock.written_off.v1"
	EventAdjusted   = "stock.adjusted.v1"
	EventMoved      = "stock.moved.v1"
	EventSoldOut    = "stock.sold_out.v1"
)

// Moved is the body of received, written_off, adjusted and moved.
type Moved struct {
	Document id.ID       `json:"document_id"`
	Site     id.ID       `json:"site_id"`
	Reason   string      `json:"reason,omitempty"`
	Lines    []MovedLine `json:"lines"`
}

// MovedLine is one batch of it, in thousandths of the base unit, below 0 when it went out.
type MovedLine struct {
	Batch id.ID `json:"batch_id"`
	SKU   id.ID `json:"sku_id"`
	Qty   int64 `json:"qty_milli"`
}

// SoldOut is the body of sold_out: the sale or hold at this instant took the last available piece. A hold
// that is released later brings some back without further news.
type SoldOut struct {
	Site id.ID     `json:"site_id"`
	SKU  id.ID     `json:"sku_id"`
	At   time.Time `json:"at"`
}

func (m *move) emitGone(tx *db.Tx) error {
	for _, sku := range m.gone {
		if err := outbox.Emit(tx, outbox.Event{Type: EventSoldOut, Subject: sku, Site: m.site, Body: SoldOut{m.site, sku, tx.Now()}}); err != nil {
			return err
		}
	}
	return nil
}

func emitMoved(tx *db.Tx, event string, d *Document) error {
	body := Moved{Document: d.ID, Site: d.Site, Reason: d.Reason, Lines: make([]MovedLine, len(d.Lines))}
	for i, l := range d.Lines {
		body.Lines[i] = MovedLine{l.Batch, l.SKU, int64(l.Qty)}
	}
	return outbox.Emit(tx, outbox.Event{Type: event, Subject: d.ID, Site: d.Site, Body: body})
}
