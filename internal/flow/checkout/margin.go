package checkout

import (
	"cmp"
	"context"
	"slices"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// MarginIn is the input of the margins of a site.
type MarginIn struct {
	SiteID id.ID    `query:"site_id" required:"true"`
	From   cal.Date `query:"from" doc:"business date; today when left out"`
	To     cal.Date `query:"to" doc:"business date, included; from when left out"`
}

// Margins are what a site earned with its goods, by product and within it by sales unit: sold less voided and refunded.
type Margins struct {
	SiteID   id.ID           `json:"site_id"`
	From     cal.Date        `json:"from"`
	To       cal.Date        `json:"to"`
	Products []ProductMargin `json:"products" doc:"the largest margin first"`
	Total    Margin          `json:"total"`
	Agree    bool            `json:"agree" doc:"for each product its units add up to what the ledger moved, in goods and in cost"`
}

// Margin in fen. Net is without tax, cost is that of the goods.
type Margin struct {
	SalesFen  money.Fen `json:"sales_fen" doc:"VAT included"`
	NetFen    money.Fen `json:"net_fen"`
	CostFen   money.Fen `json:"cost_fen"`
	MarginFen money.Fen `json:"margin_fen" doc:"net less cost"`
}

func (m *Margin) add(o Margin) {
	m.SalesFen += o.SalesFen
	m.NetFen += o.NetFen
	m.CostFen += o.CostFen
	m.MarginFen += o.MarginFen
}

// ProductMargin is a product: goods and cost are the ledger's.
type ProductMargin struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Qty       qty.Qty `json:"qty" doc:"in the base unit"`
	BaseUnit  string  `json:"base_unit"`
	Margin
	Units []UnitMargin `json:"units"`
	Agree bool         `json:"agree"`
}

// UnitMargin is one way in which a product was sold, from the slips.
type UnitMargin struct {
	Unit    string  `json:"unit"`
	Qty     qty.Qty `json:"qty" doc:"in the unit"`
	BaseQty qty.Qty `json:"base_qty"`
	Margin
}

// ErrPeriod refuses a period that is none, or that is too long to add up while somebody waits.
var ErrPeriod = errs.Define("period_bad", errs.Invalid, "日期范围应为 1 到 {most} 天", "The period must be 1 to {most} days")

const longestPeriod = 92

func (s *Service) marginRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/sales/margins", Name: "margins", Summary: "What a site earned by product and by sales unit; both add up to the ledger", Perm: "sales.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *MarginIn) (*Margins, error) {
			site, err := org.SiteFor(ctx, "sales.read", in.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			if in.From == "" {
				in.From = site.BusinessDate(tx.Now())
			}
			if in.To == "" {
				in.To = in.From
			}
			switch {
			case !in.From.Valid():
				return nil, till.ErrDate.At("from")
			case !in.To.Valid():
				return nil, till.ErrDate.At("to")
			case in.To < in.From || in.To >= in.From.AddDays(longestPeriod):
				return nil, ErrPeriod.With("most", longestPeriod).At("to")
			}
			return MarginsOf(tx, site.ID, in.From, in.To)
		})
}

const (
	unitMargins = `SELECT x.product_id, x.unit_id, u.name, p.code, p.name, p.base_unit, SUM(x.qty), SUM(x.base_qty), SUM(x.amount), SUM(x.tax), SUM(x.cost) FROM (
			SELECT l.product_id, l.unit_id, l.qty, l.base_qty, l.amount_fen AS amount, l.tax_fen AS tax,
				(SELECT COALESCE(SUM(b.cost_fen), 0) FROM till_line_batch b WHERE b.sale_id = l.sale_id AND b.line_no = l.line_no) AS cost
			FROM till_register g CROSS JOIN till_sale s JOIN till_line l ON l.sale_id = s.id
			WHERE g.site_id = $1 AND s.register_id = g.id AND s.business_date >= $2 AND s.business_date <= $3 AND s.state = 'paid'
			UNION ALL SELECT l.product_id, l.unit_id, -r.qty, -r.base_qty, -r.amount_fen, -r.tax_fen,
				-(SELECT COALESCE(SUM(b.cost_fen), 0) FROM till_refund_batch b WHERE b.refund_id = r.refund_id AND b.line_no = r.line_no)
			FROM till_refund f JOIN till_refund_line r ON r.refund_id = f.id JOIN till_line l ON l.sale_id = f.sale_id AND l.line_no = r.line_no
			WHERE f.site_id = $1 AND f.business_date >= $2 AND f.business_date <= $3
		) x JOIN catalog_unit u ON u.id = x.unit_id JOIN catalog_product p ON p.id = x.product_id
		GROUP BY x.product_id, x.unit_id, u.name, p.code, p.name, p.base_unit ORDER BY x.product_id, x.unit_id`

	// The leg before that of a cost is that of its goods; what a customer brings back to be thrown away touches no batch.
	productMargins = `SELECT k.product_id, SUM(x.goods), SUM(x.cost) FROM (
			SELECT t.unit AS sku, CASE WHEN t.to_id = $1 THEN t.amount ELSE -t.amount END AS goods, 0 AS cost FROM ledger_transfer t
			WHERE t.site_id = $2 AND t.business_date >= $3 AND t.business_date <= $4 AND (t.to_id = $1 OR t.from_id = $1)
			UNION ALL SELECT g.unit, 0, CASE WHEN t.to_id = $5 THEN t.amount ELSE -t.amount END FROM ledger_transfer t
				JOIN ledger_transfer g ON g.doc_kind = t.doc_kind AND g.doc_id = t.doc_id AND g.leg = t.leg - 1
			WHERE t.site_id = $2 AND t.business_date >= $3 AND t.business_date <= $4 AND (t.to_id = $5 OR t.from_id = $5)
		) x JOIN catalog_sku k ON k.id = x.sku GROUP BY k.product_id`
)

// MarginsOf adds up a period of a site: units from the slips, products from the ledger, and says whether they agree.
func MarginsOf(tx *db.Tx, site id.ID, from, to cal.Date) (*Margins, error) {
	units := tx.Query(unitMargins, site, from, to)
	books := tx.Query(productMargins, stock.Sold, site, from, to, stock.CostOfSales)
	defer units.Close()
	defer books.Close()
	m := &Margins{SiteID: site, From: from, To: to, Products: []ProductMargin{}, Agree: true}
	for units.Next() {
		var p ProductMargin
		var u UnitMargin
		var unit id.ID
		var tax money.Fen
		if err := units.Scan(&p.ProductID, &unit, &u.Unit, &p.Code, &p.Name, &p.BaseUnit, &u.Qty, &u.BaseQty, &u.SalesFen, &tax, &u.CostFen); err != nil {
			return nil, err
		}
		u.NetFen = u.SalesFen - tax
		u.MarginFen = u.NetFen - u.CostFen
		if n := len(m.Products); n == 0 || m.Products[n-1].ProductID != p.ProductID {
			m.Products = append(m.Products, p)
		}
		last := &m.Products[len(m.Products)-1]
		last.Units = append(last.Units, u)
	}
	if err := units.Err(); err != nil {
		return nil, err
	}
	type book struct {
		goods qty.Qty
		cost  money.Fen
	}
	ledgers := map[id.ID]book{}
	for books.Next() {
		var product id.ID
		var b book
		if err := books.Scan(&product, &b.goods, &b.cost); err != nil {
			return nil, err
		}
		ledgers[product] = b
	}
	if err := books.Err(); err != nil {
		return nil, err
	}
	for i := range m.Products {
		p := &m.Products[i]
		var base qty.Qty
		for _, u := range p.Units {
			p.Margin.add(u.Margin)
			base += u.BaseQty
		}
		b := ledgers[p.ProductID]
		p.Agree = b.goods == base && b.cost == p.CostFen
		p.Qty, p.CostFen, p.MarginFen = b.goods, b.cost, p.NetFen-b.cost
		m.Total.add(p.Margin)
		m.Agree = m.Agree && p.Agree
		delete(ledgers, p.ProductID)
	}
	for _, b := range ledgers { // moved without a slip: a proof will say which
		m.Agree = m.Agree && b == book{}
	}
	slices.SortStableFunc(m.Products, func(a, b ProductMargin) int { return cmp.Compare(b.MarginFen, a.MarginFen) })
	return m, nil
}
