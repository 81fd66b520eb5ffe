package catalog

import (
	"math/big"
	"slices"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Branch is one line of a recipe, followed down from a finished product. Nothing is netted: it says what goes into a
// quantity when nothing is in stock. Gross and Need are exact, in thousandths of the base unit.
type Branch struct {
	Component
	Level     int      // 1 goes into the finished product itself
	Yield     qty.Qty  // of the recipe whose line this is
	Gross     *big.Rat // before the loss of this line
	Need      *big.Rat // with it
	ValidFrom cal.Date // first day of the version of the component's own recipe; empty: it is bought
}

// Tree follows the recipe of a product that holds on a day down to what is bought: lines in the order of the recipes,
// each followed at once by what goes into it, at most most of them. cut says that there are more.
func (b *Cookbook) Tree(product id.ID, day cal.Date, makes qty.Qty, most int) (lines []Branch, cut bool) {
	var down func(p id.ID, exact *big.Rat, level int)
	down = func(p id.ID, exact *big.Rat, level int) {
		r, ok := b.On(p, day)
		if !ok {
			return
		}
		for _, c := range r.Components {
			if len(lines) >= most {
				cut = true
				return
			}
			line := Branch{Component: c, Level: level, Yield: r.Yield}
			line.Gross = new(big.Rat).Mul(exact, big.NewRat(int64(c.Qty), int64(r.Yield)))
			line.Need = new(big.Rat).Mul(line.Gross, c.compensation())
			if own, made := b.On(c.Product, day); made {
				line.ValidFrom = own.ValidFrom
			}
			lines = append(lines, line)
			down(c.Product, line.Need, level+1)
		}
	}
	down(product, new(big.Rat).SetInt64(int64(makes)), 1)
	return lines, cut
}

// CookbookOf reads the versions of a product's recipe and of all that goes into it, whatever the day.
func CookbookOf(tx *db.Tx, product id.ID, name func(id.ID) string) (*Cookbook, error) {
	var all []Recipe
	asked := map[id.ID]bool{product: true}
	for front := []id.ID{product}; len(front) > 0; {
		versions, err := RecipesOf(tx, front)
		if err != nil {
			return nil, err
		}
		front = nil
		for _, v := range versions {
			all = append(all, v.Recipe)
			for _, c := range v.Components {
				if !asked[c.Product] {
					asked[c.Product] = true
					front = append(front, c.Product)
				}
			}
		}
		slices.Sort(front)
	}
	return NewCookbook(all, name)
}

// UseView is a version of a recipe that a product goes into.
type UseView struct {
	ProductID id.ID    `json:"product_id" doc:"that is made of it"`
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	ValidFrom cal.Date `json:"valid_from"`
	InForce   bool     `json:"in_force" doc:"the version of today"`
	YieldQty  qty.Qty  `json:"yield_qty"`
	YieldUnit string   `json:"yield_unit"`
	Qty       qty.Qty  `json:"qty" doc:"of the component for one yield"`
	Unit      string   `json:"unit" doc:"base unit of the component"`
	Loss      string   `json:"loss" doc:"as in 0.03"`
	Rule      LossRule `json:"rule" enum:"markup,yield"`
}

// Uses lists the recipes that a product goes into, by product that is made, its newest version first.
func (s *Service) Uses(tx *db.Tx, product id.ID, p web.Paging) (*web.Page[UseView], error) {
	var afterProduct id.ID
	var before cal.Date
	if _, err := p.Seek(&afterProduct, &before); err != nil {
		return nil, err
	}
	component, err := read(tx, product)
	if err != nil {
		return nil, err
	}
	rows := tx.Query(`SELECT r.product_id, q.code, q.name, q.base_unit, r.valid_from, r.yield_qty, c.qty, c.loss, c.rule,
			CASE WHEN r.valid_from <= $1 AND NOT EXISTS (SELECT 1 FROM catalog_recipe n WHERE n.product_id = r.product_id AND n.valid_from > r.valid_from AND n.valid_from <= $1) THEN 1 ELSE 0 END
		FROM catalog_component c JOIN catalog_recipe r ON r.id = c.recipe_id JOIN catalog_product q ON q.id = r.product_id
		WHERE c.product_id = $2 AND (r.product_id > $3 OR r.product_id = $3 AND r.valid_from < $4)
		ORDER BY r.product_id, r.valid_from DESC LIMIT $5`, cal.On(tx.Now()), product, afterProduct, before, p.Limit+1)
	defer rows.Close()
	var all []UseView
	for rows.Next() {
		v := UseView{Unit: component.BaseUnit}
		var loss, now int64
		if err := rows.Scan(&v.ProductID, &v.Code, &v.Name, &v.YieldUnit, &v.ValidFrom, &v.YieldQty, &v.Qty, &loss, &v.Rule, &now); err != nil {
			return nil, err
		}
		v.Loss, v.InForce = LossText(loss), now == 1
		all = append(all, v)
	}
	return web.PageOf(p, all, func(v UseView) string { return web.Cursor(v.ProductID, v.ValidFrom) }), rows.Err()
}
