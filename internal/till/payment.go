package till

import (
	"errors"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
)

// Direction of a payment.
type Direction int64

const (
	Takes Direction = 1 // takes money from the payer
	Gives Direction = 2 // gives it back
)

// Payment is a request to a provider. Its id is the key that is sent; it is stored before it is sent.
type Payment struct {
	ID       id.ID
	Sale     id.ID
	Refund   id.ID // 0: belongs to the sale itself
	Of       id.ID // Gives: the payment whose money goes back
	Tender   int64
	Kind     Direction
	Provider string
	Amount   money.Fen
	Code     string
	State    string // unknown, pending, done, failed
	Dropped  bool   // nobody wants the money any more; once it arrives it is given back
	SentAt   time.Time
	Asked    bool // the provider has been asked at least once
	Ref      string
	Reason   string
	PaidOut  bool // Gives, failed: the payer got cash instead
}

// Open says whether the provider has yet to answer for good.
func (p *Payment) Open() bool { return p.State == "unknown" || p.State == "pending" }

func (p *Payment) shown() string {
	switch {
	case p.Open():
		return "open"
	case p.PaidOut:
		return "cash"
	case p.Kind == Gives && p.State == "failed":
		return "refused"
	}
	return p.State
}

const paymentColumns = `SELECT p.id, p.sale_id, p.refund_id, p.of_id, p.tender_no, p.kind, p.provider, p.amount_fen, p.code, p.state, p.dropped, p.sent_at, CASE WHEN p.asked_at > p.sent_at THEN 1 ELSE 0 END, p.ref, p.reason,
	CASE WHEN o.payment_id IS NULL THEN 0 ELSE 1 END FROM till_payment p LEFT JOIN till_pay_out o ON o.payment_id = p.id `

func scanPayments(rows *db.Rows) ([]Payment, error) {
	defer rows.Close()
	var all []Payment
	for rows.Next() {
		var p Payment
		if err := rows.Scan(&p.ID, &p.Sale, &p.Refund, &p.Of, &p.Tender, &p.Kind, &p.Provider, &p.Amount, &p.Code, &p.State, &p.Dropped, &p.SentAt, &p.Asked, &p.Ref, &p.Reason, &p.PaidOut); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// Request stores a request to a provider before it is sent.
func Request(tx *db.Tx, p *Payment) error {
	p.ID, p.State, p.SentAt = id.New(), "unknown", tx.Now()
	return tx.Exec(`INSERT INTO till_payment (id, sale_id, refund_id, of_id, tender_no, kind, provider, amount_fen, code, state, dropped, sent_at, asked_at, settled_at, ref, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $11, 0, '', '')`,
		p.ID, p.Sale, p.Refund, p.Of, p.Tender, p.Kind, p.Provider, p.Amount, p.Code, p.State, p.SentAt)
}

// Payments are all requests of a sale and its refunds, in the order they were made.
func Payments(tx *db.Tx, sale id.ID) ([]Payment, error) {
	return scanPayments(tx.Query(paymentColumns+`WHERE p.sale_id = $1 ORDER BY p.id`, sale))
}

// PaymentByID reads one request.
func PaymentByID(tx *db.Tx, payment id.ID) (*Payment, error) {
	all, err := scanPayments(tx.Query(paymentColumns+`WHERE p.id = $1`, payment))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNoPayment
	}
	return &all[0], nil
}

// OpenPayments are requests without a definite answer that were last asked before an instant, oldest first.
func OpenPayments(tx *db.Tx, before time.Time, limit int) ([]Payment, error) {
	return scanPayments(tx.Query(paymentColumns+`WHERE p.state IN ('unknown', 'pending') AND p.asked_at <= $1 ORDER BY p.asked_at, p.id LIMIT $2`, before, limit))
}

// Answered stores what the provider said; a payment that is settled stays as it is. It says whether anything changed.
func Answered(tx *db.Tx, payment id.ID, state, ref, reason string) (bool, error) {
	settled := time.UnixMilli(0)
	if state == "done" || state == "failed" {
		settled = tx.Now()
	}
	n, err := tx.ExecN(`UPDATE till_payment SET state = $1, asked_at = $2, settled_at = $3, ref = $4, reason = $5 WHERE id = $6 AND state IN ('unknown', 'pending')`,
		state, tx.Now(), settled, ref, reason, payment)
	return n == 1, err
}

// Drop marks the open charges of a sale as unwanted.
func Drop(tx *db.Tx, sale id.ID) error {
	return tx.Exec(`UPDATE till_payment SET dropped = 1 WHERE sale_id = $1 AND kind = 1`, sale)
}

// AwaitingSince are sales whose payment has been open since an instant or longer, oldest first.
func AwaitingSince(tx *db.Tx, since time.Time, limit int) ([]id.ID, error) {
	rows := tx.Query(`SELECT s.id FROM till_sale s WHERE s.state = 'awaiting_payment' AND s.sold_at <= $1 ORDER BY s.id LIMIT $2`, since, limit)
	defer rows.Close()
	var all []id.ID
	for rows.Next() {
		var s id.ID
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// SiteOf is where a sale was made.
func SiteOf(tx *db.Tx, sale id.ID) (id.ID, error) {
	var site id.ID
	err := tx.QueryRow(`SELECT site_id FROM till_sale WHERE id = $1`, sale).Scan(&site)
	if errors.Is(err, db.ErrNoRow) {
		return 0, ErrNoSale
	}
	return site, err
}

// PayOut is cash in place of money that a provider refused to give back.
type PayOut struct {
	Payment  id.ID
	Sale     id.ID
	SiteID   id.ID
	Register id.ID
	Date     cal.Date
	StaffID  id.ID
	Amount   money.Fen
}

// RecordPayOut writes a pay-out. A payment is paid out once.
func RecordPayOut(tx *db.Tx, o *PayOut) error {
	return tx.ExecExactly(1, ErrState, `INSERT INTO till_pay_out (payment_id, sale_id, site_id, register_id, business_date, staff_id, paid_at, amount_fen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`, o.Payment, o.Sale, o.SiteID, o.Register, o.Date, o.StaffID, tx.Now(), o.Amount)
}
