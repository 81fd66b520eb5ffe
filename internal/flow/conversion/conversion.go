// Package conversion turns goods into other goods: it joins what they are (catalog), what they would be sold for (price) and
// the batches (stock), which book it. See README.md.
package conversion

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
	"zhanggui/internal/price"
	"zhanggui/internal/stock"
)

// Service converts goods.
type Service struct {
	goods  *catalog.Service
	prices *price.Service
}

// New returns the service.
func New(goods *catalog.Service, prices *price.Service) *Service { return &Service{goods, prices} }

var (
	ErrWeighed  = errs.Define("conversion_weight_differs", errs.Invalid, "投入 {in} {unit},产出加损耗 {out} {unit},两边要相等;少的写成损耗", "{in} {unit} go in, but {out} {unit} come out or are lost: both must be equal, and what is missing is a loss")
	ErrByWeight = errs.Define("conversion_not_weighed", errs.Invalid, "按重量分摊时产出的基本单位要相同,都是 g 或都是 ml", "To share by weight, all that comes out must be in grams, or all in millilitres")
	ErrNoPrice  = errs.Define("conversion_price_none", errs.Invalid, "“{product}”没有售价,不能按售价分摊", "{product} has no price, so the cost can't be shared by value")
	ErrPieces   = errs.Define("conversion_pieces_whole", errs.Invalid, "按个计的“{product}”数量必须是整数", "{product} is counted in pieces, and they are whole")
	ErrLife     = errs.Define("conversion_output_state", errs.Conflict, "“{product}”已停售或淘汰,不能再产出", "{product} is no longer sold: nothing more of it is made")
	ErrExpiry   = errs.Define("conversion_expiry_bad", errs.Invalid, "到期应为 earliest(随投入最早的)或 shelf_life(按产出的保质期)", "The expiry is earliest (of what goes in) or shelf_life (of what comes out)")
)

// In is what is to be converted.
type In struct {
	SiteID  id.ID       `json:"site_id"`
	Shape   stock.Shape `json:"shape" enum:"convert,split,combine,repack,assemble"`
	Basis   stock.Basis `json:"basis" enum:"weight,value,share" doc:"how the cost is shared over what comes out"`
	Lines   []LineIn    `json:"lines" minItems:"1" maxItems:"50" doc:"what goes in"`
	Outputs []OutputIn  `json:"outputs" minItems:"1" maxItems:"50"`
	Losses  []LossIn    `json:"losses,omitempty" maxItems:"50"`
	Note    string      `json:"note,omitempty" maxLength:"200"`
}

// LineIn is so much of a product that goes in, from a batch or by earliest expiry.
type LineIn struct {
	ProductID id.ID   `json:"product_id"`
	BatchID   id.ID   `json:"batch_id,omitempty"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
}

// OutputIn is a batch that comes out.
type OutputIn struct {
	ProductID id.ID   `json:"product_id"`
	Qty       qty.Qty `json:"qty"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Code      string  `json:"code,omitempty" maxLength:"40" doc:"of the batch; one is made when left out"`
	Expiry    string  `json:"expiry,omitempty" enum:"earliest,shelf_life" default:"earliest" doc:"the first of what goes in, or the product's shelf life from now"`
	Share     int64   `json:"share,omitempty" minimum:"0" maximum:"1000000" doc:"of the cost, when it is shared by share"`
}

// LossIn is how much of an input is lost.
type LossIn struct {
	Line     int     `json:"line" minimum:"0" doc:"place of the input, from 0"`
	Qty      qty.Qty `json:"qty"`
	Unit     string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Reason   string  `json:"reason" enum:"trim,evaporated,spilled,broken,tasting,other"`
	Absorbed bool    `json:"absorbed,omitempty" doc:"expected: what comes out bears its cost; else its cost is a loss"`
}

// Routes registers the routes of conversions.
func (s *Service) Routes(api *web.API) {
	web.Post(api, web.Route{Path: "/api/conversions", Name: "convert-goods", Summary: "Turn goods into others: out of their batches, into new ones, cost and loss in one act", Perm: "make.work", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct{ Body In }) (*stock.ConversionStory, error) {
			site, err := org.SiteFor(ctx, "make.work", in.Body.SiteID)
			if err != nil {
				return nil, err
			}
			staff := org.CallerOf(ctx).ID
			d, err := s.Convert(tx, site, staff, staff.String()+" "+web.KeyOf(ctx), in.Body)
			if err != nil {
				return nil, err
			}
			return stock.ShowConversion(tx, site, d.ID)
		})
	web.Get(api, web.Route{Path: "/api/conversions", Name: "list-conversions", Summary: "The conversions of a site, newest first", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			web.Paging
			SiteID id.ID `query:"site_id" required:"true"`
		}) (*web.Page[stock.ConversionRow], error) {
			site, err := org.SiteFor(ctx, "stock.read", in.SiteID)
			if err != nil {
				return nil, err
			}
			day, before, err := stock.SeekDay(in.Paging, "")
			if err != nil {
				return nil, err
			}
			all, err := stock.Conversions(tx, site, day, before, in.Limit)
			return web.PageOf(in.Paging, all, func(c stock.ConversionRow) string { return web.Cursor(c.Date, c.ID) }), err
		})
	web.Get(api, web.Route{Path: "/api/conversions/{id}", Name: "get-conversion", Summary: "A conversion: what went in, what came out, what was lost, and whether it was taken back", Perm: "stock.read", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID id.ID `path:"id"`
		}) (*stock.ConversionStory, error) {
			site, err := siteOf(ctx, tx, "stock.read", in.ID)
			if err != nil {
				return nil, err
			}
			return stock.ShowConversion(tx, site, in.ID)
		})
	web.Post(api, web.Route{Path: "/api/conversions/{id}/reverse", Name: "reverse-conversion", Summary: "Take a conversion back, as long as all that came out is there", Perm: "stock.manage", Scope: web.Sites},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body struct {
				Reason string `json:"reason" maxLength:"200"`
			}
		}) (*stock.ConversionStory, error) {
			site, err := siteOf(ctx, tx, "stock.manage", in.ID)
			if err != nil {
				return nil, err
			}
			if _, err := stock.TakeBack(tx, site, org.CallerOf(ctx).ID, in.ID, in.Body.Reason); err != nil {
				return nil, err
			}
			return stock.ShowConversion(tx, site, in.ID)
		})
}

// siteOf is the site of a conversion, if the caller holds perm there; else the conversion is not there.
func siteOf(ctx context.Context, tx *db.Tx, perm string, conversion id.ID) (*org.Site, error) {
	at, err := stock.ConversionSite(tx, conversion)
	if err != nil {
		return nil, err
	}
	site, err := org.SiteFor(ctx, perm, at)
	if err != nil {
		return nil, stock.ErrConversionUnknown
	}
	return site, nil
}

// Convert books a conversion. What is counted in one measure of weight on both sides must weigh the same on both.
func (s *Service) Convert(tx *db.Tx, site *org.Site, staff id.ID, key string, in In) (*stock.Document, error) {
	ids := make([]id.ID, 0, len(in.Lines)+len(in.Outputs))
	for _, l := range in.Lines {
		ids = append(ids, l.ProductID)
	}
	for _, o := range in.Outputs {
		ids = append(ids, o.ProductID)
	}
	known, err := s.goods.Products(tx, ids)
	if err != nil {
		return nil, err
	}
	c := stock.Conversion{Header: stock.Header{Site: site, Staff: staff, Note: strings.TrimSpace(in.Note)}, Key: key, Shape: in.Shape, Basis: in.Basis}
	for i, l := range in.Lines {
		p, q, err := read(known, l.ProductID, l.Qty, l.Unit, fmt.Sprintf("lines[%d].", i))
		if err != nil {
			return nil, err
		}
		c.In = append(c.In, stock.Want{Line: i, SKU: p.SKU, Qty: q, Batch: l.BatchID})
	}
	for i, o := range in.Outputs {
		at := fmt.Sprintf("outputs[%d].", i)
		p, q, err := read(known, o.ProductID, o.Qty, o.Unit, at)
		if err != nil {
			return nil, err
		}
		if p.State == catalog.StopSelling || p.State == catalog.Gone {
			return nil, ErrLife.With("product", p.Name).At(at + "product_id")
		}
		out := stock.Output{Arrival: stock.Arrival{SKU: p.SKU, Code: strings.TrimSpace(o.Code), Qty: q}, Weight: o.Share}
		switch o.Expiry {
		case "", "earliest":
			out.Inherit = true
		case "shelf_life":
			if p.ShelfLifeH > 0 {
				out.ExpiresAt = tx.Now().Add(time.Duration(p.ShelfLifeH) * time.Hour)
			}
			out.MadeOn = site.BusinessDate(tx.Now())
		default:
			return nil, ErrExpiry.At(at + "expiry")
		}
		c.Out = append(c.Out, out)
	}
	for i, l := range in.Losses {
		loss := stock.LostOnTheWay{Line: l.Line, Reason: l.Reason, Absorbed: l.Absorbed}
		if l.Line < 0 || l.Line >= len(in.Lines) {
			return nil, stock.ErrConversionLoss.At(fmt.Sprintf("losses[%d].line", i))
		}
		if _, loss.Qty, err = read(known, in.Lines[l.Line].ProductID, l.Qty, l.Unit, fmt.Sprintf("losses[%d].", i)); err != nil {
			return nil, err
		}
		c.Losses = append(c.Losses, loss)
	}
	if err := balanced(known, in, &c); err != nil {
		return nil, err
	}
	if err := s.weigh(tx, site, known, in, &c); err != nil {
		return nil, err
	}
	return stock.Convert(tx, c)
}

// read is a product and a quantity of it in its base unit.
func read(known map[id.ID]*catalog.Product, product id.ID, q qty.Qty, unit, at string) (*catalog.Product, qty.Qty, error) {
	p := known[product]
	switch {
	case p == nil:
		return nil, 0, stock.ErrNoSKU.At(at + "product_id")
	case p.IsBundle():
		return nil, 0, catalog.ErrBundleStock.With("product", p.Name).At(at + "product_id")
	}
	if unit != "" {
		u := p.Unit(unit)
		if u == nil || u.Retired {
			return nil, 0, catalog.ErrNoUnit.With("product", p.Name, "unit", unit).At(at + "unit")
		}
		base, err := u.Qty().ToBase(q)
		if err != nil {
			return nil, 0, errs.As(err).At(at + "qty")
		}
		q = base
	}
	switch {
	case q <= 0:
		return nil, 0, stock.ErrQty.At(at + "qty")
	case q > qty.Max:
		return nil, 0, stock.ErrQtyTooLarge.At(at + "qty")
	case p.BaseUnit == "piece" && q%qty.Scale != 0:
		return nil, 0, ErrPieces.With("product", p.Name).At(at + "qty")
	}
	return p, q, nil
}

// balanced holds that weight does not appear or vanish: where all is in grams, or all in millilitres, as much goes in as
// comes out and is lost.
func balanced(known map[id.ID]*catalog.Product, in In, c *stock.Conversion) error {
	unit := known[in.Lines[0].ProductID].BaseUnit
	if unit == "piece" {
		return nil
	}
	var went, came qty.Qty
	for i, l := range in.Lines {
		if known[l.ProductID].BaseUnit != unit {
			return nil
		}
		went += c.In[i].Qty
	}
	for i, o := range in.Outputs {
		if known[o.ProductID].BaseUnit != unit {
			return nil
		}
		came += c.Out[i].Qty
	}
	for _, l := range c.Losses {
		came += l.Qty
	}
	if went != came {
		return ErrWeighed.With("in", went, "out", came, "unit", unit).At("outputs")
	}
	return nil
}

// weigh works out the part that each output has in the cost.
func (s *Service) weigh(tx *db.Tx, site *org.Site, known map[id.ID]*catalog.Product, in In, c *stock.Conversion) error {
	if len(c.Out) == 1 {
		c.Out[0].Weight = 1
		return nil
	}
	switch in.Basis {
	case stock.ByWeight:
		unit := known[in.Outputs[0].ProductID].BaseUnit
		for i, o := range in.Outputs {
			if p := known[o.ProductID]; p.BaseUnit == "piece" || p.BaseUnit != unit {
				return ErrByWeight.At(fmt.Sprintf("outputs[%d].product_id", i))
			}
			c.Out[i].Weight = int64(c.Out[i].Qty)
		}
	case stock.ByValue:
		var units []id.ID
		for _, o := range in.Outputs {
			for _, u := range known[o.ProductID].Units {
				units = append(units, u.ID)
			}
		}
		prices, err := s.prices.At(tx, site.ID, site.BusinessDate(tx.Now()), units)
		if err != nil {
			return err
		}
		for i, o := range in.Outputs {
			p := known[o.ProductID]
			u := p.FirstPriced(func(unit id.ID) bool { _, ok := prices[unit]; return ok })
			fen, ok := prices[u.ID]
			if !ok {
				return ErrNoPrice.With("product", p.Name).At(fmt.Sprintf("outputs[%d].product_id", i))
			}
			// price of one unit × den/num × quantity in the base unit, half up: wider than 64 bits, for what a unit may be
			worth := new(big.Int).Mul(big.NewInt(int64(fen)), big.NewInt(u.Den))
			worth.Mul(worth, big.NewInt(int64(c.Out[i].Qty)))
			per := new(big.Int).Mul(big.NewInt(u.Num), big.NewInt(qty.Scale))
			worth.Add(worth.Lsh(worth, 1), per)
			worth.Quo(worth, per.Lsh(per, 1))
			if !worth.IsInt64() || worth.Int64() > int64(qty.Max) {
				return stock.ErrQtyTooLarge.At(fmt.Sprintf("outputs[%d].qty", i))
			}
			c.Out[i].Weight = worth.Int64()
		}
	}
	return nil
}
