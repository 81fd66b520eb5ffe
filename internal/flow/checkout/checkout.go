// Package checkout sells and takes back: it joins goods, prices, stock, money and the documents of the till in one
// transaction, and asks payment providers between transactions.
package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/port/pay"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
	"zhanggui/internal/till"
)

// Options of the flow.
type Options struct {
	Provider pay.Provider // of mobile payment; nil: mobile tenders are refused
	Log      *slog.Logger
}

// Service sells.
type Service struct {
	db     *db.DB
	goods  *catalog.Service
	prices *price.Service
	o      Options
}

// New returns the flow.
func New(d *db.DB, goods *catalog.Service, prices *price.Service, o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{db: d, goods: goods, prices: prices, o: o}
}

// Routes registers quotes, sales and what the till shows.
func (s *Service) Routes(api *web.API) {
	web.Post(api, web.Route{Path: "/api/till/quotes", Name: "quote-basket", Summary: "What a basket costs now", Perm: "till.sell", Scope: web.Sites, NoEffect: true},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body QuoteIn }) (*Quote, error) {
			site, err := org.SiteFor(ctx, "till.sell", in.Body.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			return s.Quote(tx, site, in.Body.Lines)
		})
	web.Act(api, http.MethodPost, web.Route{Path: "/api/till/sales", Name: "sell", Summary: "Sell a basket: goods, money and slip in one act", Perm: "till.sell", Scope: web.Sites},
		func(ctx context.Context, _ *db.DB, in *struct{ Body SaleIn }) (*till.SaleView, error) {
			site, err := org.SiteFor(ctx, "till.sell", in.Body.SiteID)
			if err != nil {
				return nil, org.ErrNotFound.At("site_id")
			}
			staff := org.CallerOf(ctx)
			return s.SellOnce(ctx, Act{Site: site, Staff: staff.ID, Cashier: staff.DisplayName, Key: web.KeyOf(ctx)}, in.Body)
		})
	web.Get(api, web.Route{Path: "/api/till/sales", Name: "list-sales", Summary: "Sales of the caller's sites, newest first", Perm: "sales.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *till.ListIn) (*web.Page[till.SaleRow], error) {
			return till.List(ctx, tx, "sales.read", in)
		})
	web.Get(api, web.Route{Path: "/api/till/sales/{id}", Name: "get-sale", Summary: "A sale as its slip shows it", Perm: "sales.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*till.SaleView, error) {
			v, err := till.Show(tx, in.ID)
			if err != nil {
				return nil, err
			}
			if !org.SitesOf(ctx, "sales.read").Has(v.SiteID) {
				return nil, till.ErrNoSale
			}
			return v, nil
		})
	s.gridRoute(api)
	s.scanRoute(api)
	s.bundleRoute(api)
	s.marginRoute(api)
	s.dayRoute(api)
	s.soldRoute(api)
	s.paymentRoutes(api)
	s.refundRoutes(api)
}

// QuoteIn is a basket to be priced.
type QuoteIn struct {
	SiteID id.ID       `json:"site_id"`
	Lines  []OrderLine `json:"lines" maxItems:"200"`
}

// Quote is a priced basket.
type Quote struct {
	Lines    []QuoteLine    `json:"lines"`
	Taxes    []till.TaxView `json:"taxes"`
	TotalFen money.Fen      `json:"total_fen"`
	TaxFen   money.Fen      `json:"tax_fen" doc:"contained in total_fen"`
}

// QuoteLine is a priced line.
type QuoteLine struct {
	ProductID id.ID           `json:"product_id"`
	Name      string          `json:"name"`
	Unit      string          `json:"unit"`
	Qty       qty.Qty         `json:"qty"`
	PriceFen  money.Fen       `json:"price_fen" doc:"of the price book, for one unit"`
	OffFen    money.Fen       `json:"off_fen" doc:"less because goods near their expiry are among them"`
	AmountFen money.Fen       `json:"amount_fen"`
	TaxFen    money.Fen       `json:"tax_fen"`
	TaxPct    catalog.TaxRate `json:"tax_pct"`
}

// Quote prices a basket as a sale at this moment would be priced.
func (s *Service) Quote(tx *db.Tx, site *org.Site, lines []OrderLine) (*Quote, error) {
	p, err := s.price(tx, site, lines)
	if err != nil {
		return nil, err
	}
	takes, err := stock.Foresee(tx, site.ID, p.wants())
	if err != nil {
		return nil, err
	}
	if err := p.reduce(tx, takes); err != nil {
		return nil, err
	}
	q := &Quote{Lines: make([]QuoteLine, len(lines)), TotalFen: p.bill.Total, TaxFen: p.bill.Tax, Taxes: []till.TaxView{}}
	for i, l := range lines {
		q.Lines[i] = QuoteLine{ProductID: l.ProductID, Name: p.products[i].Name, Unit: l.Unit, Qty: p.qty[i], PriceFen: p.prices[i], TaxPct: p.products[i].Tax}
	}
	for k := range p.parts {
		x, line := &p.bill.Lines[k], &q.Lines[p.parts[k].of]
		line.OffFen += p.parts[k].off
		line.AmountFen += x.Amount
		line.TaxFen += x.Tax
	}
	for _, c := range p.bill.Classes {
		q.Taxes = append(q.Taxes, till.TaxView{TaxPct: catalog.TaxRate(c.TaxBP), AmountFen: c.Amount, TaxFen: c.Tax})
	}
	return q, nil
}

// SaleIn is a basket to be sold.
type SaleIn struct {
	SiteID         id.ID       `json:"site_id"`
	Register       string      `json:"register" maxLength:"8"`
	Lines          []OrderLine `json:"lines" maxItems:"200"`
	Tenders        []TenderIn  `json:"tenders" maxItems:"6"`
	ExpectTotalFen money.Fen   `json:"expect_total_fen" doc:"what the customer was told; another total is refused (price_changed)"`
}

// Act says who sells where. Key is the caller's, unique per person for ever.
type Act struct {
	Site    *org.Site
	Staff   id.ID
	Cashier string
	Key     string
}

// SellOnce sells a basket once per key, in a transaction of its own, and then asks the provider of a mobile
// tender. Who repeats the key gets the first answer; while a payment is open, the sale as it is now.
func (s *Service) SellOnce(ctx context.Context, act Act, in SaleIn) (*till.SaleView, error) {
	content, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(content)
	var view *till.SaleView
	var answer []byte
	var replayed bool
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		answer, replayed, err = once.Do(tx, act.Staff.String()+" sell", act.Key, hash[:16], func() ([]byte, error) {
			if view, err = s.Sell(tx, act, in); err != nil {
				return nil, err
			}
			return json.Marshal(view)
		})
		return err
	})
	if db.Violates(err, "till_sale_key") { // the key of a sale made longer ago than keys are remembered
		return nil, once.ErrReused.Wrap(err)
	}
	if err != nil {
		return nil, err
	}
	if replayed {
		view = &till.SaleView{}
		if err := json.Unmarshal(answer, view); err != nil {
			return nil, err
		}
	}
	if view.State != till.Awaiting {
		web.Encoded(ctx, answer)
		return view, nil
	}
	if !replayed {
		s.AskProvider(ctx, view.ID)
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		view, err = till.Show(tx, view.ID)
		return err
	})
	return view, err
}
