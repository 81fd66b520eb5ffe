package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/platform/web"
)

// Versions of recipes in the database. Whoever changes one holds the lock of the version row, so that two people
// can't close a circle that neither of them sees.

var (
	ErrNoRecipe = errs.Define("recipe_unknown", errs.NotFound, "没有这个配方版本", "There is no such version of the recipe")
	// ErrRecipeDate refuses a first day outside all reason.
	ErrRecipeDate = errs.Define("recipe_date_bad", errs.Invalid,
		"生效日期应在 {first} 到 {last} 之间", "A recipe begins between {first} and {last}")
	// ErrComponentTwice refuses a component that stands on two lines.
	ErrComponentTwice = errs.Define("recipe_component_twice", errs.Invalid,
		"原料“{product}”重复了", "The component {product} is there twice")
	// ErrComponent refuses a component that is no product.
	ErrComponent = errs.Define("recipe_component_unknown", errs.Invalid, "没有这个原料", "There is no such component")
)

// ErrLossRule refuses a rule that is none.
var ErrLossRule = errs.Define("loss_rule_bad", errs.Invalid,
	"损耗方式只能是 markup(按净需求加)或 yield(按领用量扣)", "The loss rule must be markup (of the net need) or yield (of what is issued)")

const (
	// DefaultLoss is assumed where nobody gave a rate: 3 % (spec 01 §2).
	DefaultLoss = 30_000
	// FirstDay is from when a recipe without a date is valid, LastDay the last day a version may begin.
	FirstDay cal.Date = "2000-01-01"
	LastDay  cal.Date = "2100-01-01"
)

// ParseLoss reads a loss rate such as 0.03, .03 or 3%, exactly: millionths of a whole.
func ParseLoss(s string) (int64, error) {
	bad := ErrLossRate.With("most", "0.999999")
	digits, percent := strings.CutSuffix(s, "%")
	decimals := 6
	if percent {
		digits, decimals = strings.TrimSpace(digits), 4
	}
	whole, frac, _ := strings.Cut(digits, ".")
	frac = strings.TrimRight(frac, "0")
	if whole == "" && !strings.Contains(digits, ".") || digits == "." || len(whole) > 3 || len(frac) > decimals {
		return 0, bad
	}
	var n int64
	for _, part := range [2]string{whole, (frac + "000000")[:decimals]} {
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return 0, bad
			}
			n = n*10 + int64(part[i]-'0')
		}
	}
	if n >= LossWhole {
		return 0, bad
	}
	return n, nil
}

// LossText writes a rate as ParseLoss reads it: "0.03".
func LossText(loss int64) string {
	s := fmt.Sprintf("0.%06d", loss)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// ParseLossRule reads markup or yield; divide is another word for the second.
func ParseLossRule(s string) (LossRule, error) {
	switch strings.ToLower(s) {
	case "", string(LossMarkup):
		return LossMarkup, nil
	case string(LossYield), "divide":
		return LossYield, nil
	}
	return "", ErrLossRule
}

// RecipeSaved says that a version of a recipe was added, changed or removed.
const RecipeSaved = "catalog.recipe_saved.v1"

// RecipeSavedBody is the body of RecipeSaved.
type RecipeSavedBody struct {
	ProductID id.ID    `json:"product_id"`
	ValidFrom cal.Date `json:"valid_from"`
	Removed   bool     `json:"removed"`
}

// Version is a recipe as it is stored.
type Version struct {
	ID id.ID
	Recipe
	Staff     id.ID
	ChangedAt time.Time
}

const (
	recipeColumns    = `SELECT r.id, r.product_id, r.valid_from, r.yield_qty, r.revision, r.staff_id, r.changed_at FROM catalog_recipe r `
	componentColumns = `SELECT c.recipe_id, c.product_id, c.qty, c.loss, c.rule FROM catalog_component c `

	allRecipes    = recipeColumns + `ORDER BY r.id LIMIT 200000`
	allComponents = componentColumns + `ORDER BY c.recipe_id, c.line_no`

	optionColumns = `SELECT o.recipe_id, o.of_id, o.product_id, o.num, o.den, o.share, o.least, o.most FROM catalog_option o `
	allOptions    = optionColumns + `ORDER BY o.recipe_id, o.of_id, o.rank`
)

var (
	recipesOf    = db.NewMany(recipeColumns+`WHERE r.product_id IN (`, `?`, `) ORDER BY r.id`)
	componentsOf = db.NewMany(componentColumns+`JOIN catalog_recipe r ON r.id = c.recipe_id WHERE r.product_id IN (`, `?`, `) ORDER BY c.recipe_id, c.line_no`)
	optionsOf    = db.NewMany(optionColumns+`JOIN catalog_recipe r ON r.id = o.recipe_id WHERE r.product_id IN (`, `?`, `) ORDER BY o.recipe_id, o.of_id, o.rank`)
)

// gatherRecipes puts components and what they may be mixed from to their versions, which come by id.
func gatherRecipes(recipes, components, options *db.Rows) ([]Version, error) {
	defer recipes.Close()
	defer components.Close()
	defer options.Close()
	var all []Version
	at := map[id.ID]int{}
	for recipes.Next() {
		var v Version
		if err := recipes.Scan(&v.ID, &v.Product, &v.ValidFrom, &v.Yield, &v.Revision, &v.Staff, &v.ChangedAt); err != nil {
			return nil, err
		}
		at[v.ID] = len(all)
		all = append(all, v)
	}
	if err := recipes.Err(); err != nil {
		return nil, err
	}
	for components.Next() {
		var recipe id.ID
		var c Component
		if err := components.Scan(&recipe, &c.Product, &c.Qty, &c.Loss, &c.Rule); err != nil {
			return nil, err
		}
		if i, ok := at[recipe]; ok {
			all[i].Components = append(all[i].Components, c)
		}
	}
	if err := components.Err(); err != nil {
		return nil, err
	}
	for options.Next() {
		var recipe id.ID
		var o Option
		if err := options.Scan(&recipe, &o.Of, &o.Product, &o.Num, &o.Den, &o.Share, &o.Least, &o.Most); err != nil {
			return nil, err
		}
		if i, ok := at[recipe]; ok {
			all[i].Options = append(all[i].Options, o)
		}
	}
	return all, options.Err()
}

// Recipes reads all versions of all recipes.
func Recipes(tx *db.Tx) ([]Recipe, error) {
	all, err := gatherRecipes(tx.Query(allRecipes), tx.Query(allComponents), tx.Query(allOptions))
	if err != nil {
		return nil, err
	}
	out := make([]Recipe, 0, len(all))
	for _, v := range all {
		if len(v.Components) > 0 { // else it was added between the two questions
			out = append(out, v.Recipe)
		}
	}
	return out, nil
}

// RecipesOf reads the versions of some products, at most some thousands, the newest of each first.
func RecipesOf(tx *db.Tx, products []id.ID) ([]Version, error) {
	args := make([]any, len(products))
	for i := range products {
		args[i] = products[i]
	}
	all, err := gatherRecipes(tx.QueryMany(recipesOf, args...), tx.QueryMany(componentsOf, args...), tx.QueryMany(optionsOf, args...))
	slices.SortStableFunc(all, func(a, b Version) int {
		if a.Product != b.Product {
			return cmp.Compare(a.Product, b.Product)
		}
		return strings.Compare(string(b.ValidFrom), string(a.ValidFrom))
	})
	return all, err
}

// check looks at one recipe alone.
func (r *Recipe) check() error {
	switch {
	case !r.ValidFrom.Valid() || r.ValidFrom < FirstDay || r.ValidFrom > LastDay:
		return ErrRecipeDate.With("first", FirstDay, "last", LastDay).At("valid_from")
	case r.Yield <= 0 || r.Yield > qty.Max:
		return ErrRecipeEmpty.At("yield_qty")
	case len(r.Components) == 0 || len(r.Components) > maxRecipeComponents:
		return ErrRecipeEmpty.At("components")
	}
	for i := range r.Components {
		c := &r.Components[i]
		if c.Rule == "" {
			c.Rule = LossMarkup
		}
		at := func(field string) string { return fmt.Sprintf("components[%d].%s", i, field) }
		switch {
		case c.Qty <= 0 || c.Qty > qty.Max:
			return ErrRecipeEmpty.At(at("qty"))
		case c.Loss < 0 || c.Loss >= LossWhole:
			return ErrLossRate.With("most", "0.999999").At(at("loss"))
		case c.Rule != LossMarkup && c.Rule != LossYield:
			return ErrLossRule.At(at("rule"))
		case slices.ContainsFunc(r.Components[:i], func(o Component) bool { return o.Product == c.Product }):
			return ErrComponentTwice.With("product", c.Product).At(at("product_id"))
		}
	}
	return r.checkOptions(id.ID.String)
}

var (
	putRecipes    = db.NewMany(`INSERT INTO catalog_recipe (id, product_id, valid_from, yield_qty, revision, staff_id, changed_at) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)
	putComponents = db.NewMany(`INSERT INTO catalog_component (recipe_id, product_id, line_no, qty, loss, rule) VALUES `, `(?, ?, ?, ?, ?, ?)`, ``)
	putOptions    = db.NewMany(`INSERT INTO catalog_option (recipe_id, product_id, of_id, rank, num, den, share, least, most) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	dropOptions   = db.NewMany(`DELETE FROM catalog_option WHERE recipe_id IN (`, `?`, `)`)
	dropParts     = db.NewMany(`DELETE FROM catalog_component WHERE recipe_id IN (`, `?`, `)`)
	touchRecipes  = db.NewMany(`UPDATE catalog_recipe SET yield_qty = v.column2, revision = v.column3, staff_id = v.column4, changed_at = v.column5 FROM (VALUES `,
		`(BIGINT, BIGINT, BIGINT, BIGINT, BIGINT)`, `) AS v WHERE catalog_recipe.id = v.column1`)
	knownProducts = db.NewMany(`SELECT id FROM catalog_product WHERE bundle = 0 AND id IN (`, `?`, `)`)
)

// PutRecipes puts versions in the place of those of the same product and first day, or beside the others: at most
// some hundreds of components together. A version that says what holds stays as it is. A way round through any
// versions, also those that are there, is refused with its path.
func (s *Service) PutRecipes(tx *db.Tx, staff id.ID, recipes []Recipe) error {
	for i := range recipes {
		if err := recipes[i].check(); err != nil {
			return err
		}
	}
	revision, err := s.bump(tx)
	if err != nil {
		return err
	}
	var products []id.ID
	for _, r := range recipes {
		products = append(products, r.Product)
	}
	now, err := RecipesOf(tx, slices.Compact(slices.Sorted(slices.Values(products))))
	if err != nil {
		return err
	}
	if err := s.checkComponents(tx, recipes); err != nil {
		return err
	}
	var heads, touched, gone, parts, options []any
	for _, r := range recipes {
		old := slices.IndexFunc(now, func(v Version) bool { return v.Product == r.Product && v.ValidFrom == r.ValidFrom })
		recipe := id.New()
		switch {
		case old < 0:
			heads = append(heads, recipe, r.Product, r.ValidFrom, r.Yield, revision, staff, tx.Now())
		case now[old].Same(r):
			continue
		default:
			recipe = now[old].ID
			touched = append(touched, recipe, r.Yield, revision, staff, tx.Now())
			gone = append(gone, recipe)
		}
		for i, c := range r.Components {
			parts = append(parts, recipe, c.Product, i+1, c.Qty, c.Loss, c.Rule)
		}
		for i, o := range r.Options {
			options = append(options, recipe, o.Product, o.Of, i, o.Num, o.Den, o.Share, o.Least, o.Most)
		}
		if err := emitRecipe(tx, r, false); err != nil {
			return err
		}
	}
	if err := tx.ExecMany(dropOptions, gone...); err != nil {
		return err
	}
	if err := tx.ExecMany(dropParts, gone...); err != nil {
		return err
	}
	if err := tx.ExecMany(touchRecipes, touched...); err != nil {
		return err
	}
	if err := tx.ExecMany(putRecipes, heads...); err != nil {
		return err
	}
	if err := tx.ExecMany(putComponents, parts...); err != nil {
		return err
	}
	if err := tx.ExecMany(putOptions, options...); err != nil {
		return err
	}
	return s.checkRound(tx, products)
}

// Same tells whether a version says what another does, in whatever order.
func (r Recipe) Same(o Recipe) bool {
	byProduct := func(c []Component) []Component {
		return slices.SortedFunc(slices.Values(c), func(a, b Component) int { return cmp.Compare(a.Product, b.Product) })
	}
	if r.Product != o.Product || r.ValidFrom != o.ValidFrom || r.Yield != o.Yield || len(r.Options) != len(o.Options) || !slices.Equal(byProduct(r.Components), byProduct(o.Components)) {
		return false
	}
	for _, c := range r.Components { // within a line the order is one of preference
		if !slices.Equal(r.OptionsOf(c.Product), o.OptionsOf(c.Product)) {
			return false
		}
	}
	return true
}

// checkComponents names the first component that is no product, or a bundle: that has no stock to be made or taken.
func (s *Service) checkComponents(tx *db.Tx, recipes []Recipe) error {
	var args []any
	for _, r := range recipes {
		args = append(args, r.Product)
		for c := range r.Inputs() {
			args = append(args, c)
		}
	}
	rows := tx.QueryMany(knownProducts, args...)
	known := map[id.ID]bool{}
	for rows.Next() {
		var p id.ID
		if err := rows.Scan(&p); err != nil {
			return err
		}
		known[p] = true
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, r := range recipes {
		if !known[r.Product] {
			return ErrNoProduct
		}
		for i, c := range r.Components {
			if !known[c.Product] {
				return ErrComponent.At(fmt.Sprintf("components[%d].product_id", i))
			}
			for j, o := range r.OptionsOf(c.Product) {
				if !known[o.Product] {
					return ErrComponent.At(fmt.Sprintf("components[%d].options[%d].product_id", i, j-1))
				}
			}
		}
	}
	return nil
}

var (
	edgesDown = db.NewMany(`SELECT r.product_id, c.product_id FROM catalog_recipe r JOIN catalog_component c ON c.recipe_id = r.id WHERE r.product_id IN (`, `?`, `)`)
	edgesUp   = db.NewMany(`SELECT r.product_id, c.product_id FROM catalog_component c JOIN catalog_recipe r ON r.id = c.recipe_id WHERE c.product_id IN (`, `?`, `)`)

	optionEdgesDown = db.NewMany(`SELECT r.product_id, o.product_id FROM catalog_recipe r JOIN catalog_option o ON o.recipe_id = r.id WHERE r.product_id IN (`, `?`, `)`)
	optionEdgesUp   = db.NewMany(`SELECT r.product_id, o.product_id FROM catalog_option o JOIN catalog_recipe r ON r.id = o.recipe_id WHERE o.product_id IN (`, `?`, `)`)
)

// checkRound follows all that goes into the products, and all that they go into, and refuses a way round and too
// many levels. The caller holds the lock of the version row and has written what is to be checked.
func (s *Service) checkRound(tx *db.Tx, products []id.ID) error {
	b := &Cookbook{versions: map[id.ID][]Recipe{}}
	seenEdge := map[[2]id.ID]bool{}
	for _, direction := range []struct {
		ask  [2]*db.Many
		next func(made, part id.ID) id.ID
	}{{[2]*db.Many{edgesDown, optionEdgesDown}, func(_, part id.ID) id.ID { return part }}, {[2]*db.Many{edgesUp, optionEdgesUp}, func(made, _ id.ID) id.ID { return made }}} {
		asked := map[id.ID]bool{}
		front := slices.Compact(slices.Sorted(slices.Values(products)))
		for level := 0; len(front) > 0 && level <= maxRecipeLevels; level++ {
			var next []id.ID
			for part := range slices.Chunk(front, 2000) {
				args := make([]any, len(part))
				for i, p := range part {
					asked[p], args[i] = true, p
				}
				for _, rows := range []*db.Rows{tx.QueryMany(direction.ask[0], args...), tx.QueryMany(direction.ask[1], args...)} {
					for rows.Next() {
						var made, part id.ID
						if err := rows.Scan(&made, &part); err != nil {
							return err
						}
						if e := [2]id.ID{made, part}; !seenEdge[e] {
							seenEdge[e] = true
							b.versions[made] = append(b.versions[made], Recipe{Product: made, Components: []Component{{Product: part}}})
						}
						if p := direction.next(made, part); !asked[p] {
							asked[p] = true
							next = append(next, p)
						}
					}
					if err := rows.Err(); err != nil {
						return err
					}
				}
			}
			front = next
		}
	}
	_, path, why := b.fault()
	if why == nil {
		return nil
	}
	goods, err := readMany(tx, path)
	if err != nil {
		return err
	}
	return spelled(why, path, func(p id.ID) string {
		if g := goods[p]; g != nil {
			return g.Name
		}
		return p.String()
	}).At("components")
}

// DropRecipe removes a version, if it is still as the caller has read it.
func (s *Service) DropRecipe(tx *db.Tx, product, recipe id.ID, revision int64) error {
	if _, err := s.bump(tx); err != nil {
		return err
	}
	now, err := RecipesOf(tx, []id.ID{product})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(now, func(v Version) bool { return v.ID == recipe })
	switch {
	case at < 0:
		return ErrNoRecipe
	case now[at].Revision != revision:
		return ErrChanged.At("revision")
	}
	if err := tx.Exec(`DELETE FROM catalog_option WHERE recipe_id = $1`, recipe); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM catalog_component WHERE recipe_id = $1`, recipe); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM catalog_recipe WHERE id = $1`, recipe); err != nil {
		return err
	}
	return emitRecipe(tx, now[at].Recipe, true)
}

func emitRecipe(tx *db.Tx, r Recipe, removed bool) error {
	return outbox.Emit(tx, outbox.Event{Type: RecipeSaved, Subject: r.Product, Body: RecipeSavedBody{r.Product, r.ValidFrom, removed}})
}

// --- routes

func (s *Service) recipeRoutes(api *web.API) {
	type one struct {
		ID id.ID `path:"id"`
	}
	web.Get(api, web.Route{Path: "/api/goods/products/{id}/recipes", Name: "list-recipes", Summary: "The versions of a product's recipe, newest first", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *one) (*web.Page[RecipeView], error) {
			return s.recipesOf(tx, in.ID)
		})
	web.Put(api, web.Route{Path: "/api/goods/products/{id}/recipes", Name: "put-recipe", Summary: "Add or replace a version of a product's recipe", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID   id.ID `path:"id"`
			Body RecipeIn
		}) (*web.Page[RecipeView], error) {
			var staff id.ID
			if c := web.CallerOf(ctx); c != nil {
				staff = c.Principal()
			}
			if err := s.WriteRecipe(tx, staff, in.ID, in.Body); err != nil {
				return nil, err
			}
			return s.recipesOf(tx, in.ID)
		})
	web.Get(api, web.Route{Path: "/api/goods/products/{id}/uses", Name: "list-recipe-uses", Summary: "The recipes that a product goes into", Perm: "goods.read", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			web.Paging
			ID id.ID `path:"id"`
		}) (*web.Page[UseView], error) {
			return s.Uses(tx, in.ID, in.Paging)
		})
	web.Delete(api, web.Route{Path: "/api/goods/products/{id}/recipes/{recipe_id}", Name: "delete-recipe", Summary: "Remove a version of a product's recipe", Perm: "goods.manage", Scope: web.Group},
		func(ctx context.Context, tx *db.Tx, in *struct {
			ID       id.ID `path:"id"`
			RecipeID id.ID `path:"recipe_id"`
			Revision int64 `query:"revision" required:"true"`
		}) (*web.Page[RecipeView], error) {
			if err := s.DropRecipe(tx, in.ID, in.RecipeID, in.Revision); err != nil {
				return nil, err
			}
			return s.recipesOf(tx, in.ID)
		})
}

// WriteRecipe puts a version that a person wrote, in that person's units, in the place of the one whose revision was
// given. A refusal names its field as the person's form has it.
func (s *Service) WriteRecipe(tx *db.Tx, staff, product id.ID, in RecipeIn) error {
	ids := []id.ID{product}
	for _, c := range in.Components {
		ids = append(ids, c.ProductID)
		for _, o := range c.Options {
			ids = append(ids, o.ProductID)
		}
	}
	goods, err := readMany(tx, ids)
	if err != nil {
		return err
	}
	p := goods[product]
	if p == nil {
		return ErrNoProduct
	}
	r := Recipe{Product: product, ValidFrom: in.ValidFrom}
	if r.Yield, err = p.baseQty(in.YieldQty, in.YieldUnit, "yield_qty", "yield_unit"); err != nil {
		return err
	}
	for i, c := range in.Components {
		at := func(field string) string { return fmt.Sprintf("components[%d].%s", i, field) }
		g := goods[c.ProductID]
		if g == nil {
			return ErrComponent.At(at("product_id"))
		}
		if slices.ContainsFunc(r.Components, func(o Component) bool { return o.Product == g.ID }) {
			return ErrComponentTwice.With("product", g.Name).At(at("product_id"))
		}
		to := Component{Product: g.ID, Loss: DefaultLoss}
		if to.Qty, err = g.baseQty(c.Qty, c.Unit, at("qty"), at("unit")); err != nil {
			return err
		}
		if c.Loss != "" {
			if to.Loss, err = ParseLoss(c.Loss); err != nil {
				return errs.As(err).At(at("loss"))
			}
		}
		if to.Rule, err = ParseLossRule(string(c.Rule)); err != nil {
			return errs.As(err).At(at("rule"))
		}
		line, err := c.mixed(g, goods, at)
		if err != nil {
			return err
		}
		r.Components, r.Options = append(r.Components, to), append(r.Options, line...)
	}
	if err := r.checkOptions(func(p id.ID) string { return goods[p].Name }); err != nil {
		return err
	}
	if _, err := s.bump(tx); err != nil { // from here on nobody else changes recipes
		return err
	}
	now, err := RecipesOf(tx, []id.ID{product})
	if err != nil {
		return err
	}
	var revision int64
	for _, v := range now {
		if v.ValidFrom == in.ValidFrom {
			revision = v.Revision
		}
	}
	if revision != in.Revision {
		return ErrChanged.At("revision")
	}
	return s.PutRecipes(tx, staff, []Recipe{r})
}

// baseQty converts a person's quantity to the base unit.
func (p *Product) baseQty(q qty.Qty, unit, qtyField, unitField string) (qty.Qty, error) {
	if q <= 0 {
		return 0, ErrRecipeEmpty.At(qtyField)
	}
	if unit == "" {
		unit = p.BaseUnit
	}
	u := p.Unit(unit)
	if u == nil || u.Retired {
		return 0, ErrNoUnit.With("product", p.Name, "unit", unit).At(unitField)
	}
	b, err := u.Qty().ToBase(q)
	if err != nil {
		return 0, errs.As(err).At(qtyField)
	}
	return b, nil
}
