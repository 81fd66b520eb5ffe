package catalog

import (
	"slices"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// RecipeView is a version on the wire. Quantities are in the unit beside them.
type RecipeView struct {
	ID         id.ID           `json:"id"`
	ProductID  id.ID           `json:"product_id"`
	ValidFrom  cal.Date        `json:"valid_from"`
	InForce    bool            `json:"in_force" doc:"the version of today"`
	YieldQty   qty.Qty         `json:"yield_qty"`
	YieldUnit  string          `json:"yield_unit" doc:"base unit"`
	Components []ComponentView `json:"components"`
	Revision   int64           `json:"revision" doc:"give back with a change"`
	ChangedAt  time.Time       `json:"changed_at"`
	StaffID    id.ID           `json:"staff_id" doc:"who changed it last; empty: nobody signed in"`
}

// ComponentView is what goes into one yield.
type ComponentView struct {
	ProductID id.ID    `json:"product_id"`
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Qty       qty.Qty  `json:"qty"`
	Unit      string   `json:"unit" doc:"base unit"`
	Loss      string   `json:"loss" doc:"as in 0.03"`
	Rule      LossRule `json:"rule" enum:"markup,yield"`
	HasRecipe bool     `json:"has_recipe" doc:"it is made itself"`

	Share   string       `json:"share" doc:"of the line as long as nobody decides otherwise, as in 0.4"`
	Least   string       `json:"least" doc:"share that it may have"`
	Most    string       `json:"most"`
	Options []OptionView `json:"options" doc:"what may stand in for it, or shares the line, in the order of preference"`
}

// RecipeIn is a version as a person writes it: it takes the place of the version of the same first day.
type RecipeIn struct {
	ValidFrom  cal.Date      `json:"valid_from"`
	YieldQty   qty.Qty       `json:"yield_qty"`
	YieldUnit  string        `json:"yield_unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Components []ComponentIn `json:"components" minItems:"1" maxItems:"200"`
	Revision   int64         `json:"revision,omitempty" doc:"of the version that is replaced; 0: there is none"`
}

// ComponentIn is what goes into one yield.
type ComponentIn struct {
	ProductID id.ID    `json:"product_id"`
	Qty       qty.Qty  `json:"qty"`
	Unit      string   `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	Loss      string   `json:"loss,omitempty" maxLength:"12" doc:"as in 0.03 or 3%; 0.03 when left out"`
	Rule      LossRule `json:"rule,omitempty" maxLength:"10" doc:"markup when left out, or yield"`

	Share   string     `json:"share,omitempty" maxLength:"12" doc:"of the line, where others may share it; what they leave when left out"`
	Least   string     `json:"least,omitempty" maxLength:"12" doc:"0 when left out"`
	Most    string     `json:"most,omitempty" maxLength:"12" doc:"1 when left out"`
	Options []OptionIn `json:"options,omitempty" maxItems:"5" doc:"what may stand in for it, or shares the line, in the order of preference"`
}

// recipesOf shows the versions of one product. A product has few: there is no second page.
func (s *Service) recipesOf(tx *db.Tx, product id.ID) (*web.Page[RecipeView], error) {
	versions, err := RecipesOf(tx, []id.ID{product})
	if err != nil {
		return nil, err
	}
	ids := []id.ID{product}
	for _, v := range versions {
		ids = slices.AppendSeq(ids, v.Inputs())
	}
	goods, err := readMany(tx, ids)
	if err != nil {
		return nil, err
	}
	made, err := RecipesOf(tx, ids)
	if err != nil {
		return nil, err
	}
	has := map[id.ID]bool{}
	for _, v := range made {
		has[v.Product] = true
	}
	p := goods[product]
	if p == nil {
		return nil, ErrNoProduct
	}
	today := cal.On(tx.Now())
	page := &web.Page[RecipeView]{Items: []RecipeView{}}
	inForce := false
	for _, v := range versions {
		view := RecipeView{ID: v.ID, ProductID: v.Product, ValidFrom: v.ValidFrom, YieldQty: v.Yield, YieldUnit: p.BaseUnit, Components: []ComponentView{},
			Revision: v.Revision, ChangedAt: v.ChangedAt, StaffID: v.Staff}
		if !inForce && v.ValidFrom <= today {
			inForce, view.InForce = true, true
		}
		for _, c := range v.Components {
			g := goods[c.Product]
			w := ComponentView{c.Product, g.Code, g.Name, c.Qty, g.BaseUnit, LossText(c.Loss), c.Rule, has[c.Product], "1", "1", "1", []OptionView{}}
			for i, o := range v.OptionsOf(c.Product) {
				if i == 0 {
					w.Share, w.Least, w.Most = ShareText(o.Share), ShareText(o.Least), ShareText(o.Most)
					continue
				}
				w.Options = append(w.Options, optionView(o, goods[o.Product], has[o.Product]))
			}
			view.Components = append(view.Components, w)
		}
		page.Items = append(page.Items, view)
	}
	return page, nil
}
