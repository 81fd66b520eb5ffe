package intake

import (
	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/qty"
)

// Columns of recipes.
const (
	recipeProduct = iota
	recipeYield
	recipeYieldUnit
	recipeComponent
	recipeQty
	recipeUnit
	recipeLoss
	recipeRule
	recipeFrom
)

var recipeColumns = []column{
	must("product", "商品编码", "Product code", productWords...),
	soft("yield_qty", "出品数量", "Yield", "出品", "产出数量", "yield").of(figures),
	soft("yield_unit", "出品单位", "Unit of the yield", "产出单位"),
	must("component", "原料编码", "Component code", "原料", "材料", "配料", "物料编码", "component_code", "material"),
	must("qty", "用量", "Quantity of the component", "数量", "用料", "quantity").of(figures),
	soft("unit", "单位", "Unit of the component", unitWords...),
	soft("loss", "损耗率", "Loss rate, as in 0.03 or 3%", "损耗", "loss_rate").of(figures),
	soft("loss_rule", "损耗方式", "Loss rule: markup or yield", "损耗规则"),
	soft("valid_from", "生效日期", "Valid from", "启用日期", "版本日期", "from").of(days),
}

// RecipeRow is one row of recipes: a component of a product from a day on.
type RecipeRow struct {
	Product   string
	Yield     qty.Qty // in YieldUnit, or in the base unit where there is none; 1 when empty
	YieldUnit string
	Component string
	Qty       qty.Qty // in Unit
	Unit      string
	Loss      int64 // millionths; the default where the cell is empty
	Rule      catalog.LossRule
	From      cal.Date // catalog.FirstDay where the cell is empty
}

func parseRecipe(c *cells) RecipeRow {
	r := RecipeRow{
		Product:   c.named(recipeProduct, 120),
		Yield:     qty.Scale,
		YieldUnit: c.text(recipeYieldUnit, 20),
		Component: c.named(recipeComponent, 120),
		Qty:       c.positive(recipeQty),
		Unit:      c.text(recipeUnit, 20),
		Loss:      catalog.DefaultLoss,
		Rule:      catalog.LossMarkup,
		From:      catalog.FirstDay,
	}
	if c.raw(recipeYield) != "" {
		r.Yield = c.positive(recipeYield)
	}
	if s := c.raw(recipeLoss); s != "" {
		var err error
		if r.Loss, err = catalog.ParseLoss(s); err != nil {
			c.refuseErr(recipeLoss, err)
		}
	}
	if s := c.raw(recipeRule); s != "" {
		var err error
		if r.Rule, err = catalog.ParseLossRule(s); err != nil {
			c.refuseErr(recipeRule, err)
		}
	}
	if c.raw(recipeFrom) != "" {
		if r.From = c.date(recipeFrom); r.From > catalog.LastDay {
			c.refuse(recipeFrom, ErrFar.With("last", catalog.LastDay))
		}
	}
	return r
}
