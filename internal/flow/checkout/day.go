package checkout

import (
	"context"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// Day is a business day of a site. Every figure is the ledger's; Documents has the same figures added up from
// slips and refunds, so that both can be seen to agree.
type Day struct {
	SiteID    id.ID          `json:"site_id"`
	Date      cal.Date       `json:"date"`
	Figures                  // the ledger's
	Taxes     []till.TaxView `json:"taxes" doc:"by rate, after voids and refunds, as in the ledger"`
	Documents Figures        `json:"documents" doc:"the same figures added up from the documents"`
	Agree     bool           `json:"agree" doc:"the ledger's figures and those of the documents are the same"`
	Slips     int64          `json:"slips" doc:"paid, voided ones not counted"`
	Voided    int64          `json:"voided"`
	Refunds   int64          `json:"refunds"`
	Awaiting  int64          `json:"awaiting" doc:"slips whose payment is open"`
	Failed    int64          `json:"failed"`
}

// Figures of a day in fen, VAT included where nothing else is said.
type Figures struct {
	SalesFen   money.Fen `json:"sales_fen" doc:"sold less voided, before refunds"`
	VoidsFen   money.Fen `json:"voids_fen"`
	RefundsFen money.Fen `json:"refunds_fen" doc:"refunded on this day, whenever sold"`
	NetFen     money.Fen `json:"net_fen" doc:"sales less refunds"`
	TaxFen     money.Fen `json:"tax_fen" doc:"contained in net_fen"`
	CostFen    money.Fen `json:"cost_fen" doc:"cost of the goods behind net_fen, without tax"`
	CashFen    money.Fen `json:"cash_fen" doc:"in cash, after voids and refunds"`
	MobileFen  money.Fen `json:"mobile_fen" doc:"by mobile payment, after voids and refunds"`
	PayOutsFen money.Fen `json:"pay_outs_fen" doc:"cash given in place of what a provider refused to give back; not contained in cash_fen"`
}

func (s *Service) dayRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/sales/day", Name: "sales-of-day", Summary: "A site's business day, from the ledger", Perm: "sales.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			SiteID id.ID    `query:"site_id" required:"true"`
			Date   cal.Date `query:"date" doc:"business date; today when left out"`
		}) (*Day, error) {
			site, err := org.SiteFor(ctx, "sales.read", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			if in.Date == "" {
				in.Date = site.BusinessDate(tx.Now())
			}
			if !in.Date.Valid() {
				return nil, till.ErrDate.At("date")
			}
			return DayOf(tx, site.ID, in.Date)
		})
}

const (
	// Money of the day by kind of document, revenue or tax account, and kind of till account. A leg between
	// other books (value of a batch, cost of sales) has account kind 0.
	dayLegs = `SELECT t.doc_kind, CASE WHEN t.from_id < 0 THEN t.from_id WHEN t.to_id < 0 THEN t.to_id ELSE 0 END AS flow_id, CASE WHEN t.from_id < 0 THEN 1 ELSE -1 END AS sign, COALESCE(a.kind, 0), SUM(t.amount)
		FROM ledger_transfer t LEFT JOIN ledger_account a ON a.id = CASE WHEN t.from_id < 0 THEN t.to_id ELSE t.from_id END AND a.book = $1
		WHERE t.site_id = $2 AND t.business_date = $3 AND t.unit = 1 AND t.doc_kind IN ($4, $5, $6, $7)
		GROUP BY 1, 2, 3, 4`
	daySales   = `SELECT s.state, COUNT(*), SUM(s.total_fen), SUM(s.tax_fen) FROM till_register r JOIN till_sale s ON s.register_id = r.id AND s.business_date = $1 WHERE r.site_id = $2 GROUP BY s.state`
	dayTenders = `SELECT t.kind, SUM(t.amount_fen) FROM till_register r JOIN till_sale s ON s.register_id = r.id AND s.business_date = $1 JOIN till_tender t ON t.sale_id = s.id
		WHERE r.site_id = $2 AND s.state = 'paid' GROUP BY t.kind`
	dayCost = `SELECT COALESCE(SUM(b.cost_fen), 0) FROM till_register r JOIN till_sale s ON s.register_id = r.id AND s.business_date = $1 JOIN till_line_batch b ON b.sale_id = s.id
		WHERE r.site_id = $2 AND s.state = 'paid'`
	dayRefunds     = `SELECT COUNT(*), COALESCE(SUM(f.amount_fen), 0), COALESCE(SUM(f.tax_fen), 0) FROM till_refund f WHERE f.site_id = $1 AND f.business_date = $2`
	dayRefundMoney = `SELECT t.kind, SUM(t.amount_fen) FROM till_refund f JOIN till_refund_tender t ON t.refund_id = f.id WHERE f.site_id = $1 AND f.business_date = $2 GROUP BY t.kind`
	dayPayOuts     = `SELECT COALESCE(SUM(o.amount_fen), 0) FROM till_pay_out o WHERE o.site_id = $1 AND o.business_date = $2`
	dayRefundCost  = `SELECT COALESCE(SUM(b.cost_fen), 0) FROM till_refund f JOIN till_refund_batch b ON b.refund_id = f.id WHERE f.site_id = $1 AND f.business_date = $2`
)

// DayOf adds up a business day twice: from the ledger, and from the documents.
func DayOf(tx *db.Tx, site id.ID, date cal.Date) (*Day, error) {
	d := &Day{SiteID: site, Date: date, Taxes: []till.TaxView{}}
	legs := tx.Query(dayLegs, till.Book, site, date, till.SaleDoc, till.VoidDoc, till.RefundDoc, till.PayOutDoc)
	paidOut := tx.QueryRow(dayPayOuts, site, date)
	sales, tenders, cost := tx.Query(daySales, date, site), tx.Query(dayTenders, date, site), tx.QueryRow(dayCost, date, site)
	refunds, refundMoney, refundCost := tx.QueryRow(dayRefunds, site, date), tx.Query(dayRefundMoney, site, date), tx.QueryRow(dayRefundCost, site, date)
	defer legs.Close()
	defer sales.Close()
	defer tenders.Close()
	defer refundMoney.Close()

	taxes := map[int64]*till.TaxView{}
	for legs.Next() {
		var doc, flow, sign, kind int64
		var fen money.Fen
		if err := legs.Scan(&doc, &flow, &sign, &kind, &fen); err != nil {
			return nil, err
		}
		if doc == int64(till.PayOutDoc) {
			d.PayOutsFen += fen
			continue
		}
		fen *= money.Fen(sign) // above 0: from the flow account to what is kept
		rate, isTax, isSale := till.ClassOf(flow)
		if !isSale {
			if flow == int64(stock.CostOfSales) {
				d.CostFen -= fen
			}
			continue
		}
		class := taxes[rate]
		if class == nil {
			class = &till.TaxView{TaxPct: catalog.TaxRate(rate)}
			taxes[rate] = class
		}
		class.AmountFen += fen
		if isTax {
			class.TaxFen += fen
			d.TaxFen += fen
		}
		switch doc {
		case int64(till.SaleDoc):
			d.SalesFen += fen
		case int64(till.VoidDoc):
			d.VoidsFen -= fen
			d.SalesFen += fen
		case int64(till.RefundDoc):
			d.RefundsFen -= fen
		}
		if kind == int64(till.DrawerAccount) {
			d.CashFen += fen
		} else {
			d.MobileFen += fen
		}
	}
	if err := legs.Err(); err != nil {
		return nil, err
	}
	d.NetFen = d.SalesFen - d.RefundsFen
	for rate := int64(catalog.MaxTax); rate >= 0; rate-- {
		if class := taxes[rate]; class != nil && (class.AmountFen != 0 || class.TaxFen != 0) {
			d.Taxes = append(d.Taxes, *class)
		}
	}

	f := &d.Documents
	for sales.Next() {
		var state till.State
		var n int64
		var total, tax money.Fen
		if err := sales.Scan(&state, &n, &total, &tax); err != nil {
			return nil, err
		}
		switch state {
		case till.Paid:
			d.Slips, f.SalesFen, f.TaxFen = n, total, tax
		case till.Voided:
			d.Voided, f.VoidsFen = n, total
		case till.Awaiting:
			d.Awaiting = n
		case till.Failed:
			d.Failed = n
		}
	}
	if err := sales.Err(); err != nil {
		return nil, err
	}
	if err := byKind(tenders, f, 1); err != nil {
		return nil, err
	}
	if err := cost.Scan(&f.CostFen); err != nil {
		return nil, err
	}
	if err := paidOut.Scan(&f.PayOutsFen); err != nil {
		return nil, err
	}
	var tax, back money.Fen
	if err := refunds.Scan(&d.Refunds, &f.RefundsFen, &tax); err != nil {
		return nil, err
	}
	f.TaxFen -= tax
	f.NetFen = f.SalesFen - f.RefundsFen
	if err := byKind(refundMoney, f, -1); err != nil {
		return nil, err
	}
	if err := refundCost.Scan(&back); err != nil {
		return nil, err
	}
	f.CostFen -= back
	d.Agree = d.Figures == d.Documents
	return d, nil
}

func byKind(rows *db.Rows, f *Figures, sign money.Fen) error {
	for rows.Next() {
		var kind int64
		var fen money.Fen
		if err := rows.Scan(&kind, &fen); err != nil {
			return err
		}
		if kind == 1 {
			f.CashFen += sign * fen
		} else {
			f.MobileFen += sign * fen
		}
	}
	return rows.Err()
}
