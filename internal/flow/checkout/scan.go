package checkout

import (
	"context"
	"errors"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// LookupIn is the input of look-up-barcode.
type LookupIn struct {
	SiteID id.ID  `query:"site_id" required:"true"`
	Code   string `query:"code" required:"true" minLength:"1" maxLength:"600" doc:"as scanned or typed: a barcode, a scale label, GS1 element strings with FNC1 or brackets, a Digital Link, a product code"`
}

// Found is what a scanner learns of a code: the line that it makes, and why.
type Found struct {
	Product   catalog.ProductView `json:"product"`
	Unit      string              `json:"unit"`
	PriceFen  *money.Fen          `json:"price_fen" doc:"of one unit at the site now; null: no price there"`
	How       catalog.How         `json:"how" enum:"barcode,scale_label,gs1,code"`
	Qty       *qty.Qty            `json:"qty" doc:"in the unit; null: the code tells none"`
	AmountFen *money.Fen          `json:"amount_fen" doc:"what the label costs; null: the price decides"`
	Lot       string              `json:"lot"`
	BatchID   id.ID               `json:"batch_id" doc:"the batch of that lot that the site has; empty: none"`
	Serial    string              `json:"serial"`
	MadeOn    cal.Date            `json:"made_on"`
	ExpiresAt *time.Time          `json:"expires_at" doc:"as the label says"`
	Steps     []catalog.Step      `json:"steps" doc:"the parts of the code and what they were taken for"`
	Refused   *Refused            `json:"refused,omitempty" doc:"why a till would not sell it"`
}

// Refused is why what a code names can't be sold now.
type Refused struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (s *Service) scanRoute(api *web.API) {
	web.Get(api, web.Route{Path: "/api/goods/lookup", Name: "look-up-barcode", Summary: "A code as scanned: product, unit, quantity, price, lot and expiry at the site now", Perm: "goods.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *LookupIn) (*Found, error) {
			site, err := org.SiteFor(ctx, "goods.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			return s.LookUp(tx, site, in.Code, web.LanguageOf(ctx))
		})
}

// LookUp reads a code for a till of the site. What it names but must not sell (an expired label, a product that is not
// listed) comes with the reason in Refused; a code that names nothing is an error.
func (s *Service) LookUp(tx *db.Tx, site *org.Site, code, lang string) (*Found, error) {
	r, err := s.goods.Read(tx, code, tx.Now(), site.Location())
	if err != nil {
		return nil, err
	}
	p := r.Product
	units := make([]id.ID, 0, len(p.Units))
	for i := range p.Units {
		units = append(units, p.Units[i].ID)
	}
	prices, err := s.prices.At(tx, site.ID, site.BusinessDate(tx.Now()), units)
	if err != nil {
		return nil, err
	}
	u := r.Unit
	if u == nil { // found by the product's code: its first unit that is for sale
		u = p.FirstPriced(func(unit id.ID) bool { _, ok := prices[unit]; return ok })
	}
	f := &Found{Product: catalog.ViewOf(p), Unit: u.Name, How: r.How, Lot: r.Lot, Serial: r.Serial, MadeOn: r.Made, Steps: r.Steps}
	if price, ok := prices[u.ID]; ok {
		f.PriceFen = &price
	}
	if r.Qty > 0 {
		f.Qty = &r.Qty
	}
	if r.Amount > 0 {
		f.AmountFen = &r.Amount
		if f.PriceFen != nil {
			if _, bought, err := u.ByAmount(r.Amount, *f.PriceFen); err == nil && bought > 0 {
				f.Steps = append(f.Steps, catalog.Step{What: "buys", Text: bought.String() + " " + u.Name})
			}
		}
	}
	if r.Lot != "" {
		err := tx.QueryRow(`SELECT b.id FROM stock_batch b WHERE b.site_id = $1 AND b.sku_id = $2 AND b.code = $3 AND b.open = 1 ORDER BY b.expires_at, b.id LIMIT 1`,
			site.ID, p.SKU, r.Lot).Scan(&f.BatchID)
		if err != nil && !errors.Is(err, db.ErrNoRow) {
			return nil, err
		}
	}
	var why *errs.Error
	switch {
	case !p.State.Sold():
		why = ErrNotOnSale.With("product", p.Name)
	case !r.Expires.IsZero() && !tx.Now().Before(r.Expires):
		why = catalog.ErrLabelExpired.With("product", p.Name, "date", r.Expires.In(site.Location()).Format("2006-01-02 15:04"))
	}
	if !r.Expires.IsZero() {
		expires := r.Expires.In(site.Location())
		f.ExpiresAt = &expires
	}
	if why != nil {
		f.Refused = &Refused{why.Code, why.Text(lang)}
	}
	return f, nil
}
