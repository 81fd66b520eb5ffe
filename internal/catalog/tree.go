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
	Ingredient
	Option    *Option  // of a line that may be mixed: what it says of this material; nil: it is not
	Level     int      // 1 goes into the finished product itself
	Yield     qty.Qty  // of the recipe whose line this is
	Gross     *big.Rat // before the loss of this line
	Need      *big.Rat // with it
	ValidFrom cal.Date // first day of the version of the component's own recipe; empty: it is bought
}

// Tree follows the recipe of a product that holds on a day down to what is bought: lines in the order of the recipes,
// each followed at once by what goes into it, at most most of them. A material that may stand in for another is a line too, and
// one that has no share is not followed. cut says that there are more.
func (b *Cookbook) Tree(product id.ID, day cal.Date, makes qty.Qty, most int) (lines []Branch, cut bool) {
	var down func(p id.ID, exact *big.Rat, level int)
	down = func(p id.ID, exact *big.Rat, level int) {
		r, ok := b.On(p, day)
		if !ok {
			return
		}
		for c := range r.Parts(nil) {
			if len(lines) >= most {
				cut = true
				return
			}
			line := Branch{Ingredient: c, Level: level, Yield: r.Yield}
			for _, o := range r.OptionsOf(c.Of) {
				if o.Product == c.Product {
					line.Option = &o
				}
			}
			line.Gross = new(big.Rat).Mul(exact, c.Per(r.Yield))
			line.Need = new(big.Rat).Mul(line.Gross, c.compensation())
			if own, made := b.On(c.Product, day); made {
				line.ValidFrom = own.ValidFrom
			}
			lines = append(lines, line)
			if c.Share > 0 {
				down(c.Product, line.Need, level+1)
			}
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
			for c := range v.Inputs() {
				if !asked[c] {
					asked[c] = true
					front = append(front, c)
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
	Qty       qty.Qty  `json:"qty" doc:"of it for one yield, if the whole line is of it"`
	Unit      string   `json:"unit" doc:"its base unit"`
	Loss      string   `json:"loss" doc:"as in 0.03"`
	Rule      LossRule `json:"rule" enum:"markup,yield"`
	InsteadID id.ID    `json:"instead_id" doc:"of the component that it may stand in for; empty: it is a line of its own"`
	Instead   string   `json:"instead"`
	Share     string   `json:"share" doc:"of the line as long as nobody decides otherwise, as in 0.4"`
	Least     string   `json:"least" doc:"that it may have"`
	Most      string   `json:"most"`
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
	rows := tx.Query(`SELECT r.product_id, q.code, q.name, q.base_unit, r.valid_from, r.yield_qty, c.qty, c.loss, c.rule, c.of_id, COALESCE(w.name, ''), c.num, c.den, c.share, c.least, c.most,
			CASE WHEN r.valid_from <= $1 AND NOT EXISTS (SELECT 1 FROM catalog_recipe n WHERE n.product_id = r.product_id AND n.valid_from > r.valid_from AND n.valid_from <= $1) THEN 1 ELSE 0 END
		FROM (SELECT i.recipe_id, i.qty, i.loss, i.rule, 0 AS of_id, 1 AS num, 1 AS den, COALESCE(o.share, 1000000) AS share, COALESCE(o.least, 1000000) AS least, COALESCE(o.most, 1000000) AS most
			FROM catalog_component i LEFT JOIN catalog_option o ON o.recipe_id = i.recipe_id AND o.product_id = i.product_id WHERE i.product_id = $2
			UNION ALL SELECT o.recipe_id, i.qty, i.loss, i.rule, o.of_id, o.num, o.den, o.share, o.least, o.most
			FROM catalog_option o JOIN catalog_component i ON i.recipe_id = o.recipe_id AND i.product_id = o.of_id WHERE o.product_id = $2 AND o.of_id <> o.product_id) AS c
		JOIN catalog_recipe r ON r.id = c.recipe_id JOIN catalog_product q ON q.id = r.product_id LEFT JOIN catalog_product w ON w.id = c.of_id
		WHERE (r.product_id > $3 OR r.product_id = $3 AND r.valid_from < $4)
		ORDER BY r.product_id, r.valid_from DESC LIMIT $5`, cal.On(tx.Now()), product, afterProduct, before, p.Limit+1)
	defer rows.Close()
	var all []UseView
	for rows.Next() {
		v := UseView{Unit: component.BaseUnit}
		var loss, now int64
		var o Option
		if err := rows.Scan(&v.ProductID, &v.Code, &v.Name, &v.YieldUnit, &v.ValidFrom, &v.YieldQty, &v.Qty, &loss, &v.Rule, &v.InsteadID, &v.Instead, &o.Num, &o.Den, &o.Share, &o.Least, &o.Most, &now); err != nil {
			return nil, err
		}
		if v.Qty, err = RoundUp(new(big.Rat).Mul(big.NewRat(int64(v.Qty), 1), o.Ratio()), false); err != nil {
			return nil, err
		}
		v.Share, v.Least, v.Most = ShareText(o.Share), ShareText(o.Least), ShareText(o.Most)
		v.Loss, v.InForce = LossText(loss), now == 1
		all = append(all, v)
	}
	return web.PageOf(p, all, func(v UseView) string { return web.Cursor(v.ProductID, v.ValidFrom) }), rows.Err()
}
