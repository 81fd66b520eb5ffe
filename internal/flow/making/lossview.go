package making

import (
	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/produce"
)

// LossesIn asks what the lines of a product's recipe have been learned to lose at a site.
type LossesIn struct {
	ID     id.ID    `path:"id"`
	SiteID id.ID    `query:"site_id" required:"true"`
	Date   cal.Date `query:"date" maxLength:"10" doc:"the version of that day; today when left out"`
}

// Losses is what they lose.
type Losses struct {
	ProductID id.ID      `json:"product_id"`
	ValidFrom cal.Date   `json:"valid_from" doc:"of the version"`
	Items     []LineLoss `json:"items" doc:"lines that have learned; a line learns after ten finished batches by this version at the site"`
}

// LineLoss is a line of the recipe. Quantities are in the base unit of the material.
type LineLoss struct {
	ProductID id.ID       `json:"product_id"`
	Code      string      `json:"code"`
	Name      string      `json:"name"`
	Unit      string      `json:"unit"`
	Set       string      `json:"set_loss" doc:"of the recipe, as in 0.03"`
	Loss      string      `json:"loss" doc:"as learned"`
	Was       string      `json:"was" doc:"before the last night"`
	Rule      string      `json:"rule" enum:"markup,yield" doc:"of what it is a share: markup of the need without loss, yield of what was taken"`
	AsOf      cal.Date    `json:"as_of" doc:"learned of batches booked before this business date"`
	Batches   int64       `json:"batches"`
	Taken     qty.Qty     `json:"taken" doc:"for these batches, less what rounding to pieces added"`
	Net       qty.Qty     `json:"net" doc:"what they needed without loss"`
	Used      bool        `json:"used" doc:"plans reckon with it: it is a share of what the recipe says now"`
	From      []LossBatch `json:"from" doc:"the batches, the newest first, at most 30"`
}

// LossBatch is a batch that taught it.
type LossBatch struct {
	TaskID id.ID    `json:"task_id"`
	Date   cal.Date `json:"date"`
	Made   qty.Qty  `json:"made" doc:"of the product, in its base unit"`
	Taken  qty.Qty  `json:"taken"`
	Net    qty.Qty  `json:"net"`
}

// Losses shows what the lines of the version of a day have learned to lose at a site.
func (s *Service) Losses(tx *db.Tx, in LossesIn) (*Losses, error) {
	day := in.Date
	if day == "" {
		day = cal.On(tx.Now())
	}
	if !day.Valid() {
		return nil, cal.ErrDate.With("text", in.Date).At("date")
	}
	known, err := s.goods.Products(tx, []id.ID{in.ID})
	if err != nil {
		return nil, err
	}
	product := known[in.ID]
	if product == nil {
		return nil, catalog.ErrNoProduct
	}
	book, err := catalog.CookbookOf(tx, in.ID, id.ID.String)
	if err != nil {
		return nil, err
	}
	recipe, ok := book.On(in.ID, day)
	if !ok {
		return nil, ErrNotMade.With("product", product.Name, "date", day)
	}
	lines, err := produce.LearnedLines(tx, in.SiteID, in.ID, recipe.ValidFrom)
	if err != nil {
		return nil, err
	}
	var ids []id.ID
	for _, l := range lines {
		ids = append(ids, l.Material)
	}
	if known, err = s.goods.Products(tx, ids); err != nil {
		return nil, err
	}
	out := &Losses{ProductID: in.ID, ValidFrom: recipe.ValidFrom, Items: []LineLoss{}}
	for c := range recipe.Parts(nil) { // in the order of the recipe, also what may stand in for a component
		for _, l := range lines {
			g := known[l.Material]
			if l.Material != c.Product || g == nil {
				continue
			}
			rule := c.Rule
			if rule == "" {
				rule = catalog.LossMarkup
			}
			line := LineLoss{ProductID: g.ID, Code: g.Code, Name: g.Name, Unit: g.BaseUnit, Set: catalog.LossText(c.Loss), Loss: catalog.LossText(l.Rate), Was: catalog.LossText(l.Was), Rule: l.Rule,
				AsOf: l.AsOf, Batches: l.Batches, Taken: l.Taken, Net: l.Net, Used: l.Rule == string(rule), From: []LossBatch{}}
			for _, b := range l.From {
				line.From = append(line.From, LossBatch{b.Task, b.Date, b.Made, b.Taken, b.Net})
			}
			out.Items = append(out.Items, line)
		}
	}
	return out, nil
}
