package till

import (
	"context"
	"errors"
	"strings"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/web"
)

var (
	addLines   = db.NewMany(`INSERT INTO till_line (sale_id, line_no, product_id, unit_id, name, qty, base_qty, price_fen, amount_fen, tax_fen, tax_bp, markdown_id, off_fen) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	addBatches = db.NewMany(`INSERT INTO till_line_batch (sale_id, leg, line_no, batch_id, base_qty, cost_fen) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)
	addBundles = db.NewMany(`INSERT INTO till_bundle (sale_id, bundle_no, product_id, unit_id, name, qty, price_fen, amount_fen, first_line, line_count) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	addTenders = db.NewMany(`INSERT INTO till_tender (sale_id, tender_no, kind, amount_fen, given_fen) VALUES `, `(?, ?, ?, ?, ?)`, ``)
)

// Record writes a sale with its lines, batches and tenders. Numbers of lines and tenders are their places from 1.
func Record(tx *db.Tx, s *Sale) error {
	err := tx.Exec(`INSERT INTO till_sale (id, site_id, register_id, business_date, slip_no, staff_id, sold_at, state, total_fen, tax_fen, refunded_fen, caller_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)`,
		s.ID, s.SiteID, s.Register.ID, s.Date, s.SlipNo, s.StaffID, s.SoldAt, s.State, s.Total, s.Tax, s.Key)
	if err != nil {
		return err
	}
	args := make([]any, 0, 13*len(s.Lines))
	for i := range s.Lines {
		l := &s.Lines[i]
		args = append(args, s.ID, l.No, l.Product, l.Unit, l.Name, l.Qty, l.Base, l.Price, l.Amount, l.Tax, l.TaxBP, l.Markdown, l.Off)
	}
	if err := tx.ExecMany(addLines, args...); err != nil {
		return err
	}
	if err := recordBatches(tx, s); err != nil {
		return err
	}
	if len(s.Bundles) > 0 {
		args = args[:0]
		for i := range s.Bundles {
			b := &s.Bundles[i]
			args = append(args, s.ID, b.No, b.Product, b.Unit, b.Name, b.Qty, b.Price, b.Amount, b.First, b.Lines)
		}
		if err := tx.ExecMany(addBundles, args...); err != nil {
			return err
		}
	}
	args = args[:0]
	for _, t := range s.Tenders {
		args = append(args, s.ID, t.No, t.Kind.code(), t.Amount, t.Given)
	}
	return tx.ExecMany(addTenders, args...)
}

// SetCost stores what the goods of a leg cost, once it is known.
func SetCost(tx *db.Tx, sale id.ID, leg int, cost money.Fen) error {
	return tx.Exec(`UPDATE till_line_batch SET cost_fen = $1 WHERE sale_id = $2 AND leg = $3`, cost, sale, leg)
}

func recordBatches(tx *db.Tx, s *Sale) error {
	args := make([]any, 0, 6*len(s.Lines)+6)
	for i := range s.Lines {
		for _, b := range s.Lines[i].Batches {
			args = append(args, s.ID, b.Leg, s.Lines[i].No, b.ID, b.Base, b.Cost)
		}
	}
	return tx.ExecMany(addBatches, args...)
}

const saleColumns = `SELECT s.id, s.site_id, s.register_id, r.code, r.prefix, s.business_date, s.slip_no, s.staff_id, s.sold_at, s.state, s.total_fen, s.tax_fen, s.refunded_fen, s.caller_key
	FROM till_sale s JOIN till_register r ON r.id = s.register_id `

func scanSale(scan func(...any) error) (*Sale, error) {
	s := &Sale{}
	err := scan(&s.ID, &s.SiteID, &s.Register.ID, &s.Register.Code, &s.Register.Prefix, &s.Date, &s.SlipNo, &s.StaffID, &s.SoldAt, &s.State, &s.Total, &s.Tax, &s.Refunded, &s.Key)
	s.Register.SiteID = s.SiteID
	return s, err
}

// Lock takes the row of a sale, so that voids, refunds and answers of the provider to it happen one after
// another. It is taken before any row of stock or money.
func Lock(tx *db.Tx, sale id.ID) error {
	var found id.ID
	err := tx.QueryRow(`SELECT id FROM till_sale WHERE id = $1`+tx.ForUpdate(), sale).Scan(&found)
	if errors.Is(err, db.ErrNoRow) {
		return ErrNoSale
	}
	return err
}

// Load reads a sale with its lines, batches, tenders, and what has been refunded of them.
func Load(tx *db.Tx, sale id.ID) (*Sale, error) {
	head := tx.QueryRow(saleColumns+`WHERE s.id = $1`, sale)
	lines := tx.Query(`SELECT l.line_no, l.product_id, l.unit_id, l.name, l.qty, l.base_qty, l.price_fen, l.amount_fen, l.tax_fen, l.tax_bp, l.markdown_id, l.off_fen,
			COALESCE(x.qty, 0), COALESCE(x.amount, 0), COALESCE(x.tax, 0),
			COALESCE(g.bundle_no, 0), COALESCE(g.product_id, 0), COALESCE(g.unit_id, 0), COALESCE(g.name, ''), COALESCE(h.name, ''), COALESCE(g.qty, 0), COALESCE(g.price_fen, 0), COALESCE(g.amount_fen, 0),
			COALESCE(g.first_line, 0), COALESCE(g.line_count, 0)
		FROM till_line l LEFT JOIN till_bundle g ON g.sale_id = l.sale_id AND g.first_line = l.line_no LEFT JOIN catalog_unit h ON h.id = g.unit_id LEFT JOIN (SELECT b.line_no, SUM(b.qty) AS qty, SUM(b.amount_fen) AS amount, SUM(b.tax_fen) AS tax
			FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id WHERE f.sale_id = $1 GROUP BY b.line_no) x ON x.line_no = l.line_no
		WHERE l.sale_id = $1 ORDER BY l.line_no`, sale)
	batches := tx.Query(`SELECT b.leg, b.line_no, b.batch_id, b.base_qty, b.cost_fen, COALESCE(x.base_qty, 0)
		FROM till_line_batch b LEFT JOIN (SELECT y.leg, SUM(y.base_qty) AS base_qty
			FROM till_refund f JOIN till_refund_batch y ON y.refund_id = f.id WHERE f.sale_id = $1 GROUP BY y.leg) x ON x.leg = b.leg
		WHERE b.sale_id = $1 ORDER BY b.leg`, sale)
	tenders := tx.Query(`SELECT t.tender_no, t.kind, t.amount_fen, t.given_fen FROM till_tender t WHERE t.sale_id = $1 ORDER BY t.tender_no`, sale)
	defer lines.Close()
	defer batches.Close()
	defer tenders.Close()

	s, err := scanSale(head.Scan)
	if errors.Is(err, db.ErrNoRow) {
		return nil, ErrNoSale
	}
	if err != nil {
		return nil, err
	}
	for lines.Next() {
		var l Line
		var b Bundle
		if err := lines.Scan(&l.No, &l.Product, &l.Unit, &l.Name, &l.Qty, &l.Base, &l.Price, &l.Amount, &l.Tax, &l.TaxBP, &l.Markdown, &l.Off, &l.Back, &l.BackAmount, &l.BackTax,
			&b.No, &b.Product, &b.Unit, &b.Name, &b.UnitName, &b.Qty, &b.Price, &b.Amount, &b.First, &b.Lines); err != nil {
			return nil, err
		}
		s.Lines = append(s.Lines, l)
		if b.No > 0 {
			s.Bundles = append(s.Bundles, b)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for batches.Next() {
		var no int64
		var b Batch
		if err := batches.Scan(&b.Leg, &no, &b.ID, &b.Base, &b.Cost, &b.Back); err != nil {
			return nil, err
		}
		if l := s.Line(no); l != nil {
			l.Batches = append(l.Batches, b)
		}
	}
	if err := batches.Err(); err != nil {
		return nil, err
	}
	for tenders.Next() {
		var kind int64
		var t Tender
		if err := tenders.Scan(&t.No, &kind, &t.Amount, &t.Given); err != nil {
			return nil, err
		}
		t.Kind = kindOf(kind)
		s.Tenders = append(s.Tenders, t)
	}
	return s, tenders.Err()
}

// Line finds a line by its number, or nil.
func (s *Sale) Line(no int64) *Line {
	for i := range s.Lines {
		if s.Lines[i].No == no {
			return &s.Lines[i]
		}
	}
	return nil
}

// Bundle finds a bundle by its number, or nil.
func (s *Sale) Bundle(no int64) *Bundle {
	for i := range s.Bundles {
		if s.Bundles[i].No == no {
			return &s.Bundles[i]
		}
	}
	return nil
}

// SetState moves a sale on. The caller holds its row and knows its state.
func SetState(tx *db.Tx, sale id.ID, from, to State) error {
	return tx.ExecExactly(1, ErrState, `UPDATE till_sale SET state = $1 WHERE id = $2 AND state = $3`, to, sale, from)
}

// Note adds to the trail of a sale. staff 0 is the system.
func Note(tx *db.Tx, sale, staff id.ID, act, note string) error {
	return tx.Exec(`INSERT INTO till_trail (id, sale_id, at, staff_id, act, note) VALUES ($1, $2, $3, $4, $5, $6)`, id.New(), sale, tx.Now(), staff, act, note)
}

// Show reads a sale as its slip shows it, with refunds, payments and trail.
func Show(tx *db.Tx, sale id.ID) (*SaleView, error) {
	var siteName, zone, cashier string
	names := tx.QueryRow(`SELECT t.name, t.time_zone, COALESCE(f.display_name, '') FROM till_sale s
		JOIN org_site t ON t.id = s.site_id LEFT JOIN org_staff f ON f.id = s.staff_id WHERE s.id = $1`, sale)
	units := tx.Query(`SELECT l.line_no, u.name FROM till_line l JOIN catalog_unit u ON u.id = l.unit_id WHERE l.sale_id = $1`, sale)
	payments := tx.Query(paymentColumns+`WHERE p.sale_id = $1 ORDER BY p.id`, sale)
	refunds := tx.Query(`SELECT f.id, r.prefix, f.slip_no, f.refunded_at, f.business_date, f.staff_id, COALESCE(o.display_name, ''), f.reason, f.amount_fen, f.tax_fen
		FROM till_refund f JOIN till_register r ON r.id = f.register_id LEFT JOIN org_staff o ON o.id = f.staff_id WHERE f.sale_id = $1 ORDER BY f.id`, sale)
	backs := tx.Query(`SELECT b.refund_id, b.line_no, b.qty, b.amount_fen, b.tax_fen, b.back FROM till_refund f JOIN till_refund_line b ON b.refund_id = f.id WHERE f.sale_id = $1 ORDER BY b.refund_id, b.line_no`, sale)
	returned := tx.Query(`SELECT b.refund_id, b.tender_no, b.kind, b.amount_fen FROM till_refund f JOIN till_refund_tender b ON b.refund_id = f.id WHERE f.sale_id = $1 ORDER BY b.refund_id, b.tender_no, b.kind`, sale)
	trail := tx.Query(`SELECT t.at, t.staff_id, t.act, t.note FROM till_trail t WHERE t.sale_id = $1 ORDER BY t.id LIMIT 500`, sale)

	s, err := Load(tx, sale)
	if err != nil {
		return nil, err
	}
	if err := names.Scan(&siteName, &zone, &cashier); err != nil {
		return nil, err
	}
	unitOf := map[int64]string{}
	for units.Next() {
		var no int64
		var name string
		if err := units.Scan(&no, &name); err != nil {
			return nil, err
		}
		unitOf[no] = name
	}
	if err := units.Err(); err != nil {
		return nil, err
	}
	loc := (&org.Site{TimeZone: zone}).Location()
	v := s.View(siteName, cashier, loc, func(i int) string { return unitOf[s.Lines[i].No] })

	paid, err := scanPayments(payments)
	if err != nil {
		return nil, err
	}
	byRefund := map[id.ID]int{}
	for refunds.Next() {
		var r RefundView
		var prefix string
		var no int64
		if err := refunds.Scan(&r.ID, &prefix, &no, &r.RefundedAt, &r.BusinessDate, &r.StaffID, &r.Cashier, &r.Reason, &r.AmountFen, &r.TaxFen); err != nil {
			return nil, err
		}
		r.RefundNo = RefundNumber(prefix, r.BusinessDate, no)
		r.RefundedAt = at(r.RefundedAt, loc)
		r.Lines, r.Tenders = []RefundLineView{}, []RefundTenderView{}
		byRefund[r.ID] = len(v.Refunds)
		v.Refunds = append(v.Refunds, r)
	}
	if err := refunds.Err(); err != nil {
		return nil, err
	}
	for backs.Next() {
		var refund id.ID
		var l RefundLineView
		var back int64
		if err := backs.Scan(&refund, &l.LineNo, &l.Qty, &l.AmountFen, &l.TaxFen, &back); err != nil {
			return nil, err
		}
		l.Back = backOf(back)
		r := &v.Refunds[byRefund[refund]]
		r.Lines = append(r.Lines, l)
	}
	if err := backs.Err(); err != nil {
		return nil, err
	}
	for returned.Next() {
		var refund id.ID
		var no, kind int64
		var t RefundTenderView
		if err := returned.Scan(&refund, &no, &kind, &t.AmountFen); err != nil {
			return nil, err
		}
		t.Kind, t.State = kindOf(kind), "done"
		for _, p := range paid {
			if p.Refund == refund && p.Tender == no && t.Kind == Mobile {
				t.State, t.Ref, t.Reason = p.shown(), p.Ref, p.Reason
			}
		}
		r := &v.Refunds[byRefund[refund]]
		r.Tenders = append(r.Tenders, t)
	}
	if err := returned.Err(); err != nil {
		return nil, err
	}
	for i := range v.Tenders {
		for _, p := range paid {
			if t := &v.Tenders[i]; p.Tender == s.Tenders[i].No && p.Refund == 0 {
				switch {
				case p.Kind == Takes:
					t.State, t.Provider, t.Ref, t.Reason = p.shown(), p.Provider, p.Ref, p.Reason
				case p.State == "done":
					t.State = "given_back"
				case p.Open():
					t.State, t.Reason = "returning", p.Reason
				default:
					t.State, t.Reason = p.shown(), p.Reason
				}
			}
		}
	}
	for trail.Next() {
		var t TrailView
		if err := trail.Scan(&t.At, &t.StaffID, &t.Act, &t.Note); err != nil {
			return nil, err
		}
		t.At = at(t.At, loc)
		v.Trail = append(v.Trail, t)
	}
	return v, trail.Err()
}

// ListIn is the input of the list of sales.
type ListIn struct {
	web.Paging
	SiteID id.ID    `query:"site_id"`
	Date   cal.Date `query:"date" doc:"business date"`
	State  string   `query:"state" enum:"paid,awaiting_payment,failed,voided"`
	Q      string   `query:"q" maxLength:"60" doc:"a slip number"`
}

const (
	saleRows = `SELECT s.id, r.prefix, s.slip_no, s.state, s.site_id, t.name, t.time_zone, r.code, s.business_date, s.sold_at, COALESCE(f.display_name, ''), s.total_fen, s.refunded_fen
		FROM till_sale s JOIN till_register r ON r.id = s.register_id JOIN org_site t ON t.id = s.site_id LEFT JOIN org_staff f ON f.id = s.staff_id
		WHERE (CAST($1 AS BIGINT) = 1 OR s.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
			AND (CAST($4 AS BIGINT) = 0 OR s.site_id = $4) AND s.id < $5
			AND (CAST($6 AS TEXT) = '' OR s.business_date = $6) AND (CAST($7 AS TEXT) = '' OR s.state = $7) `
	salesByTime = saleRows + `ORDER BY s.id DESC LIMIT $8`
	salesBySlip = saleRows + `AND r.prefix = $8 AND s.business_date = $9 AND s.slip_no = $10 ORDER BY s.id DESC LIMIT $11`
	// By time one would go through all that was sold since an old day, for the one that failed, or for a site that sold little.
	salesOfSite = saleRows + `AND s.site_id = $8 ORDER BY s.id DESC LIMIT $9`
	salesOfDay  = saleRows + `AND s.business_date = $8 AND s.register_id IN (SELECT g.id FROM till_register g WHERE CAST($9 AS BIGINT) = 0 OR g.site_id = $9) ORDER BY s.id DESC LIMIT $10`
	salesOdd    = saleRows + `AND s.state = $8 AND s.state <> 'paid' ORDER BY s.id DESC LIMIT $9`
)

// List finds sales of the caller's sites, newest first.
func List(ctx context.Context, tx *db.Tx, perm string, in *ListIn) (*web.Page[SaleRow], error) {
	reach := org.SitesOf(ctx, perm)
	if in.SiteID != 0 && !reach.Has(in.SiteID) {
		return nil, org.ErrNotFound.At("site_id")
	}
	before := id.ID(1<<63 - 1)
	if _, err := in.Seek(&before); err != nil {
		return nil, err
	}
	if in.Date != "" && !in.Date.Valid() {
		return nil, ErrDate.At("date")
	}
	var prefix string
	var slipDate cal.Date
	var slip int64
	if q := strings.TrimSpace(in.Q); q != "" {
		var ok bool
		if prefix, slipDate, slip, ok = parseSlip(q); !ok {
			return nil, ErrSlipFilter.At("q")
		}
	}
	var rows *db.Rows
	args := append(reach.Args(), in.SiteID, before, in.Date, in.State)
	switch {
	case slip != 0:
		rows = tx.Query(salesBySlip, append(args, prefix, slipDate, slip, in.Limit+1)...)
	case in.Date != "":
		rows = tx.Query(salesOfDay, append(args, in.Date, in.SiteID, in.Limit+1)...)
	case in.State != "" && in.State != "paid":
		rows = tx.Query(salesOdd, append(args, in.State, in.Limit+1)...)
	case in.SiteID != 0:
		rows = tx.Query(salesOfSite, append(args, in.SiteID, in.Limit+1)...)
	default:
		rows = tx.Query(salesByTime, append(args, in.Limit+1)...)
	}
	defer rows.Close()
	var found []SaleRow
	for rows.Next() {
		var s SaleRow
		var prefix, zone string
		var no int64
		if err := rows.Scan(&s.ID, &prefix, &no, &s.State, &s.SiteID, &s.SiteName, &zone, &s.Register, &s.BusinessDate, &s.SoldAt, &s.Cashier, &s.TotalFen, &s.RefundedFen); err != nil {
			return nil, err
		}
		s.SlipNo = SlipNumber(prefix, s.BusinessDate, no)
		s.SoldAt = at(s.SoldAt, (&org.Site{TimeZone: zone}).Location())
		found = append(found, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return web.PageOf(in.Paging, found, func(s SaleRow) string { return web.Cursor(s.ID) }), nil
}
