package stock

import (
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Delivery is the transfer that delivers a requisition.
type Delivery struct {
	Transfer id.ID
	State    TransferState
}

var deliveriesOf = db.NewMany(`SELECT cause_id, id, state FROM stock_transfer WHERE state <> 'cancelled' AND cause_id > 0 AND cause_id IN (`, `?`, `)`)

// Deliveries finds the transfers that deliver requisitions; cancelled ones deliver nothing.
func Deliveries(tx *db.Tx, requisitions []id.ID) (map[id.ID]Delivery, error) {
	all := map[id.ID]Delivery{}
	if len(requisitions) == 0 {
		return all, nil
	}
	args := make([]any, len(requisitions))
	for i, r := range requisitions {
		args[i] = r
	}
	rows := tx.QueryMany(deliveriesOf, args...)
	defer rows.Close()
	for rows.Next() {
		var cause id.ID
		var d Delivery
		if err := rows.Scan(&cause, &d.Transfer, &d.State); err != nil {
			return nil, err
		}
		all[cause] = d
	}
	return all, rows.Err()
}

// Leg is goods of a product in a transfer.
type Leg struct {
	Transfer id.ID
	Cause    id.ID // the requisition that it delivers; 0: none
	Product  id.ID
	Due      cal.Date // empty: nobody said
	Qty      qty.Qty  // base unit
}

const (
	// Before it is shipped what was asked comes, then what is on its way. What did not come with the rest is missing: nobody
	// plans with it until it is found.
	comingTo = `SELECT t.id, t.cause_id, k.product_id, t.due, SUM(l.asked) FROM stock_transfer t JOIN stock_transfer_line l ON l.transfer_id = t.id JOIN catalog_sku k ON k.id = l.sku_id
	WHERE t.to_site = $1 AND t.state = 'requested' GROUP BY t.id, t.cause_id, k.product_id, t.due
UNION ALL
SELECT t.id, t.cause_id, k.product_id, t.due, SUM(w.shipped - w.received - w.lost - w.back) FROM stock_transfer t JOIN stock_transit w ON w.transfer_id = t.id JOIN catalog_sku k ON k.id = w.sku_id
	WHERE t.to_site = $1 AND t.state = 'shipped' GROUP BY t.id, t.cause_id, k.product_id, t.due ORDER BY 1, 3`

	sentFrom = `SELECT t.id, t.cause_id, k.product_id, t.due, SUM(w.shipped) FROM stock_transfer t JOIN stock_transit w ON w.transfer_id = t.id JOIN catalog_sku k ON k.id = w.sku_id
	WHERE t.from_site = $1 AND t.cause_id > 0 AND t.due >= $2 AND t.state IN ('shipped', 'received', 'settled') GROUP BY t.id, t.cause_id, k.product_id, t.due ORDER BY t.id, k.product_id`
)

// ComingTo is what other sites have promised a site or sent to it and is not there yet.
func ComingTo(tx *db.Tx, site id.ID) ([]Leg, error) { return legsOf(tx.Query(comingTo, site)) }

// SentFrom is what a site has shipped for requisitions that are due from a day on.
func SentFrom(tx *db.Tx, site id.ID, from cal.Date) ([]Leg, error) {
	return legsOf(tx.Query(sentFrom, site, from))
}

func legsOf(rows *db.Rows) ([]Leg, error) {
	defer rows.Close()
	var all []Leg
	for rows.Next() {
		var l Leg
		if err := rows.Scan(&l.Transfer, &l.Cause, &l.Product, &l.Due, &l.Qty); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}
