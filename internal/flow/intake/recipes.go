package intake

import (
	"context"
	"fmt"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

var (
	ErrYield = errs.Define("recipe_yield_differs", errs.Invalid,
		"出品数量与第 {line} 行同一配方的不一致", "The yield differs from line {line}, which is of the same recipe")
	ErrRecipePart = errs.Define("recipe_incomplete", errs.Invalid,
		"这个配方还有别的行有错,缺一种原料的配方不能用", "Another line of this recipe is wrong, and a recipe that lacks a component is none")
	ErrRange = errs.Define("recipe_range", errs.Invalid,
		"用量上限比用量还小", "The most is less than the quantity")
	ErrRecipeLong = errs.Define("recipe_long", errs.Invalid,
		"一个配方最多 {most} 种原料", "A recipe has at most {most} components")
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
	recipeMost
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
	may("qty_max", "用量上限", "Most of the component, where the quantity is a range", "最多用量", "上限").of(figures),
}

// RecipeRow is one row of recipes: a component of a product from a day on.
type RecipeRow struct {
	Product   string
	Yield     qty.Qty // in YieldUnit, or in the base unit where there is none; 1 when empty
	YieldUnit string
	Component string
	Qty       qty.Qty // in Unit; the middle of a range
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
	if c.raw(recipeMost) != "" { // a range, as in 2 to 3: its middle, rounded up to a thousandth
		if most := c.positive(recipeMost); most < r.Qty {
			c.refuseErr(recipeMost, ErrRange)
		} else {
			r.Qty += (most - r.Qty + 1) / 2
		}
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
		if r.From = c.date(recipeFrom); r.From != "" && (r.From < catalog.FirstDay || r.From > catalog.LastDay) {
			c.refuse(recipeFrom, catalog.ErrRecipeDate.With("first", catalog.FirstDay, "last", catalog.LastDay))
		}
	}
	return r
}

// recipePart is a row of recipes with everything found out.
type recipePart struct {
	Name    string // of the product, as the file writes it
	Product id.ID
	From    cal.Date
	Yield   qty.Qty
	Part    catalog.Component
}

type recipeKey struct {
	product id.ID
	from    cal.Date
}

// recipeFile is what has been read of a file of recipes. A version is taken in whole or not at all.
type recipeFile struct {
	recipes map[recipeKey]*recipeSoFar
	broken  map[[2]string]bool // product as written and first day of recipes with a wrong row; day "": whichever
	faults  map[recipeKey]*errs.Error
	held    map[recipeKey]catalog.Recipe
	looked  bool
}

type recipeSoFar struct {
	catalog.Recipe
	line  int64
	parts map[id.ID]int64 // component → line
}

// most components of one version.
const mostParts = 200

// recipes are taken in by version: all its components are checked and applied together and take the place of the
// version of that day.
func (s *Service) recipes() ops {
	f := &recipeFile{recipes: map[recipeKey]*recipeSoFar{}, broken: map[[2]string]bool{}, faults: map[recipeKey]*errs.Error{}}
	var b *book
	return ops{
		rows: 250,
		parse: func(c *cells) any {
			r := parseRecipe(c)
			if len(c.bad) > 0 {
				f.broken[[2]string{r.Product, string(r.From)}] = true
			}
			return r
		},
		resolve: func(ctx context.Context, w *work, rows []readRow) (found []resolved, err error) {
			if b == nil {
				if b, err = newBook(ctx, s.d, nil, false); err != nil {
					return nil, err
				}
			}
			names := map[string]bool{}
			for _, r := range rows {
				names[r.row.(RecipeRow).Product], names[r.row.(RecipeRow).Component] = true, true
			}
			if err := b.learn(ctx, names); err != nil {
				return nil, err
			}
			found = make([]resolved, len(rows))
			for i, r := range rows {
				row := r.row.(RecipeRow)
				part, refused := b.recipePart(row)
				if refused == nil {
					refused = f.add(part, r.line)
				}
				if refused != nil {
					f.broken[[2]string{row.Product, string(row.From)}] = true
				}
				found[i] = resolved{subject: fmt.Sprintf("%d/%s", part.Product, part.From), part: fmt.Sprintf("%d", part.Part.Product), body: part, refused: refused}
			}
			return found, nil
		},
		check: func(tx *db.Tx, rows []staged) error { return f.check(tx, rows) },
		apply: func(tx *db.Tx, w *work, rows []staged) error {
			var all []catalog.Recipe
			for i := range rows {
				var p recipePart
				if err := rows[i].read(&p); err != nil {
					return err
				}
				if i == 0 || rows[i].subject != rows[i-1].subject {
					all = append(all, catalog.Recipe{Product: p.Product, ValidFrom: p.From, Yield: p.Yield})
				}
				last := &all[len(all)-1]
				last.Components = append(last.Components, p.Part)
			}
			return fieldOf(s.goods.ImportRecipes(tx, w.im.StaffID, all), "component")
		},
	}
}

// recipePart finds out everything about a row.
func (b *book) recipePart(r RecipeRow) (p recipePart, refused *errs.Error) {
	product, e := b.product(r.Product, "")
	if e != nil {
		return p, e.At("product")
	}
	component, e := b.product(r.Component, "")
	if e != nil {
		return p, e.At("component")
	}
	p = recipePart{Name: r.Product, Product: product.ID, From: r.From, Part: catalog.Component{Product: component.ID, Loss: r.Loss, Rule: r.Rule}}
	if p.Yield, e = product.inBase(r.Yield, r.YieldUnit, "yield_qty", "yield_unit"); e != nil {
		return p, e
	}
	p.Part.Qty, e = component.inBase(r.Qty, r.Unit, "qty", "unit")
	return p, e
}

// inBase converts a quantity in a unit of the product, or in one that needs no table, to the base unit.
func (p *product) inBase(q qty.Qty, unit, qtyField, unitField string) (qty.Qty, *errs.Error) {
	u, e := p.anyUnit(unit)
	if e != nil {
		return 0, e.At(unitField)
	}
	base, err := u.ToBase(q)
	if err != nil {
		return 0, errs.As(err).At(qtyField)
	}
	if base > p.most() {
		return 0, ErrAbsurd.At(qtyField)
	}
	return base, nil
}

func (p *product) anyUnit(name string) (qty.Unit, *errs.Error) {
	if u, _, ok := p.unit(name); ok {
		return u, nil
	}
	if m, ok := knownUnit(name); ok && m.base == p.Base {
		return qty.Unit{Name: name, Num: m.num, Den: 1}, nil
	}
	return qty.Unit{}, catalog.ErrNoUnit.With("product", p.Name, "unit", name)
}

// add puts a row to its version, or refuses it.
func (f *recipeFile) add(p recipePart, line int64) *errs.Error {
	k := recipeKey{p.Product, p.From}
	r := f.recipes[k]
	if r == nil {
		r = &recipeSoFar{Recipe: catalog.Recipe{Product: p.Product, ValidFrom: p.From, Yield: p.Yield}, line: line, parts: map[id.ID]int64{}}
		f.recipes[k] = r
	}
	first, twice := r.parts[p.Part.Product]
	switch {
	case r.Yield != p.Yield:
		return ErrYield.With("line", r.line).At("yield_qty")
	case twice:
		for _, c := range r.Components {
			if c.Product == p.Part.Product && c != p.Part {
				return ErrDuplicate.With("line", first).At("component")
			}
		}
		return nil
	case len(r.Components) == mostParts:
		return ErrRecipeLong.With("most", mostParts).At("component")
	}
	r.parts[p.Part.Product] = line
	r.Components = append(r.Components, p.Part)
	return nil
}

// check gives staged rows their verdicts: those of a version all the same.
func (f *recipeFile) check(tx *db.Tx, rows []staged) error {
	if !f.looked {
		if err := f.look(tx); err != nil {
			return err
		}
	}
	for i := range rows {
		var p recipePart
		if err := rows[i].read(&p); err != nil {
			return err
		}
		k := recipeKey{p.Product, p.From}
		switch {
		case f.broken[[2]string{p.Name, string(p.From)}] || f.broken[[2]string{p.Name, ""}]:
			rows[i].refused = ErrRecipePart.At("product")
		case f.faults[k] != nil:
			rows[i].refused = f.faults[k].At("component")
		default:
			rows[i].same = f.recipes[k].Same(f.held[k])
		}
	}
	return nil
}

// look follows the recipes of the file together with those that are there and stay, and finds ways round.
func (f *recipeFile) look(tx *db.Tx) error {
	all, err := catalog.Recipes(tx)
	if err != nil {
		return err
	}
	f.held = map[recipeKey]catalog.Recipe{}
	var both []catalog.Recipe
	for _, r := range all {
		k := recipeKey{r.Product, r.ValidFrom}
		f.held[k] = r
		if f.recipes[k] == nil {
			both = append(both, r)
		}
	}
	for k, r := range f.recipes {
		r.Keep(f.held[k]) // a file knows of no substitutes
		both = append(both, r.Recipe)
	}
	for {
		path, why := catalog.FindFault(both, func(p id.ID) string { return p.String() })
		if why == nil {
			break
		}
		goods, err := namesOf(tx, path)
		if err != nil {
			return err
		}
		_, why = catalog.FindFault(both, func(p id.ID) string { return goods[p] })
		rest := both[:0:0]
		for _, r := range both {
			if f.recipes[recipeKey{r.Product, r.ValidFrom}] != nil && onPath(r, path) {
				f.faults[recipeKey{r.Product, r.ValidFrom}] = why
			} else {
				rest = append(rest, r)
			}
		}
		if len(rest) == len(both) {
			break // it was there before
		}
		both = rest
	}
	f.looked = true
	return nil
}

// onPath tells whether a recipe has a step of a path of products.
func onPath(r catalog.Recipe, path []id.ID) bool {
	for i := 1; i < len(path); i++ {
		if path[i-1] != r.Product {
			continue
		}
		for c := range r.Inputs() {
			if c == path[i] {
				return true
			}
		}
	}
	return false
}

var productNames = db.NewMany(`SELECT id, name FROM catalog_product WHERE id IN (`, "?", `)`)

func namesOf(tx *db.Tx, ids []id.ID) (map[id.ID]string, error) {
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i]
	}
	rows := tx.QueryMany(productNames, args...)
	defer rows.Close()
	names := map[id.ID]string{}
	for rows.Next() {
		var p id.ID
		var name string
		if err := rows.Scan(&p, &name); err != nil {
			return nil, err
		}
		names[p] = name
	}
	return names, rows.Err()
}
