package catalog

import (
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
)

// ProductSaved says that a product was added or changed.
const ProductSaved = "catalog.product_saved.v1"

// Saved is the body of ProductSaved.
type Saved struct {
	ProductID id.ID `json:"product_id"`
	Revision  int64 `json:"revision"`
	New       bool  `json:"new"`
}

func emitSaved(tx *db.Tx, p *Product, isNew bool) error {
	return outbox.Emit(tx, outbox.Event{Type: ProductSaved, Subject: p.ID, Body: Saved{p.ID, p.Revision, isNew}})
}
