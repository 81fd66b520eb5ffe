package catalog

import (
	"math/big"
	"sort"
	"strings"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Recipes (配方) say what a product is made of. A component may have a recipe itself; versions are
// valid from a date, and the newest one valid on the day of making counts. What a quantity of finished
// product needs is worked out exactly, in fractions, and rounded up once, at the total of each material.

var (
	// ErrRecipeCycle refuses a product that would be made of itself; the path names the way round.
	ErrRecipeCycle = errs.Define("recipe_cycle", errs.Invalid,
		"配方绕成了一圈:{path}", "The recipe goes round in a circle: {path}")
	// ErrRecipeDeep refuses more levels than any kitchen has.
	ErrRecipeDeep = errs.Define("recipe_too_deep", errs.Invalid,
		"配方层级超过 {most} 层", "The recipe has more than {most} levels")
	// ErrRecipeEmpty refuses a recipe without a yield or without components.
	ErrRecipeEmpty = errs.Define("recipe_empty", errs.Invalid,
		"配方必须有出品数量和至少一种原料", "A recipe needs a yield and at least one component")
	// ErrRecipeTwice refuses two versions of one product from the same day.
	ErrRecipeTwice = errs.Define("recipe_version_twice", errs.Invalid,
		"同一商品在 {date} 已有一个配方版本", "This product has a recipe version from {date} already")
	// ErrLossRate refuses a rate that is no loss.
	ErrLossRate = errs.Define("loss_rate_bad", errs.Invalid,
		"损耗率必须在 0 到 {most} 之间", "The loss rate must be between 0 and {most}")
)

// LossRule says what a loss rate is a share of.
type LossRule string

const (
	// LossMarkup: rate = lost ÷ net need, so need × (1 + rate).
	LossMarkup LossRule = "markup"
	// LossYield: rate = lost ÷ issued, so need ÷ (1 − rate). A learned loss is of this kind.
	LossYield LossRule = "yield"
)

// LossWhole is a loss rate of 1: rates are whole millionths.
const LossWhole = 1_000_000

const (
	maxRecipeLevels     = 12
	maxRecipeComponents = 200
)

// Component is one line of a recipe.
type Component struct {
	Product id.ID
	Qty     qty.Qty  // for one yield, in thousandths of the component's base unit
	Loss    int64    // millionths, 0 ≤ Loss < LossWhole
	Rule    LossRule // markup when empty
}

// Recipe is one version.
type Recipe struct {
	Product    id.ID
	ValidFrom  cal.Date
	Yield      qty.Qty // thousandths of the product's base unit
	Components []Component
}

// Cookbook finds the recipe of a product on a day. It is made whole by NewCookbook and read-only after.
type Cookbook struct {
	versions map[id.ID][]Recipe // by falling ValidFrom
	name     func(id.ID) string
	level    map[id.ID]int // the greatest depth below which a product is used, over all versions
}

// NewCookbook checks every recipe and refuses a cycle in any combination of versions with its path, which
// name spells. A cycle between versions that never are valid together is refused too: it would come
// alive with the next change of a date.
func NewCookbook(recipes []Recipe, name func(id.ID) string) (*Cookbook, error) {
	b := &Cookbook{versions: map[id.ID][]Recipe{}, name: name, level: map[id.ID]int{}}
	for _, r := range recipes {
		if r.Yield <= 0 || len(r.Components) == 0 || len(r.Components) > maxRecipeComponents {
			return nil, ErrRecipeEmpty.With("product", name(r.Product))
		}
		for _, c := range r.Components {
			if c.Qty <= 0 {
				return nil, ErrRecipeEmpty.With("product", name(r.Product))
			}
			if c.Loss < 0 || c.Loss >= LossWhole {
				return nil, ErrLossRate.With("most", "0.999999")
			}
		}
		b.versions[r.Product] = append(b.versions[r.Product], r)
	}
	for _, v := range b.versions {
		sort.Slice(v, func(i, j int) bool { return v[i].ValidFrom > v[j].ValidFrom })
		for i := 1; i < len(v); i++ {
			if v[i].ValidFrom == v[i-1].ValidFrom {
				return nil, ErrRecipeTwice.With("product", name(v[i].Product), "date", v[i].ValidFrom)
			}
		}
	}
	depth := map[id.ID]int{}
	for _, p := range b.made() {
		if _, err := b.height(p, depth, nil); err != nil {
			return nil, err
		}
	}
	// Levels from the top: a product is worked out only after everything that uses it.
	order := b.made()
	sort.SliceStable(order, func(i, j int) bool { return depth[order[i]] > depth[order[j]] })
	for _, p := range order {
		for _, r := range b.versions[p] {
			for _, c := range r.Components {
				b.level[c.Product] = max(b.level[c.Product], b.level[p]+1)
			}
		}
	}
	return b, nil
}

// made lists the products with a recipe in rising order.
func (b *Cookbook) made() []id.ID {
	out := make([]id.ID, 0, len(b.versions))
	for p := range b.versions {
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// height is how many levels lie below p; path are the products above it.
func (b *Cookbook) height(p id.ID, known map[id.ID]int, path []id.ID) (int, error) {
	for i, above := range path {
		if above == p {
			var round []string
			for _, q := range append(path[i:], p) {
				round = append(round, b.name(q))
			}
			return 0, ErrRecipeCycle.With("path", strings.Join(round, " → "))
		}
	}
	if h, ok := known[p]; ok {
		return h, nil
	}
	if len(path) >= maxRecipeLevels {
		return 0, ErrRecipeDeep.With("most", maxRecipeLevels)
	}
	var most int
	for _, r := range b.versions[p] {
		for _, c := range r.Components {
			h, err := b.height(c.Product, known, append(path, p))
			if err != nil {
				return 0, err
			}
			most = max(most, h+1)
		}
	}
	known[p] = most
	return most, nil
}

// On returns the version of a product's recipe that is valid on a day.
func (b *Cookbook) On(product id.ID, day cal.Date) (Recipe, bool) {
	for _, r := range b.versions[product] {
		if r.ValidFrom <= day {
			return r, true
		}
	}
	return Recipe{}, false
}

// Stock is what counts against a need: in the base unit, in date when it is used.
type Stock struct{ OnHand, InTransit qty.Qty }

// Requirement is what a plan needs of one product. Quantities are in thousandths of its base unit.
type Requirement struct {
	Product   id.ID
	Level     int      // 0 is a finished product that is asked for, 1 what goes into it, …
	Gross     *big.Rat // asked for, before this product's own loss in the recipes that use it
	Need      *big.Rat // with the loss
	OnHand    qty.Qty  // of Stock, what was used against the need
	InTransit qty.Qty
	Net       qty.Qty // to be made or bought: rounded up once, pieces to whole pieces
	Made      bool    // it has a recipe on the day
}

// Loss is the whole compensation as a share of the gross requirement: Need ÷ Gross − 1.
func (r Requirement) Loss() *big.Rat {
	if r.Gross.Sign() == 0 {
		return new(big.Rat)
	}
	one := big.NewRat(1, 1)
	return new(big.Rat).Sub(new(big.Rat).Quo(r.Need, r.Gross), one)
}

// Explode works out what making the given quantities (base unit, thousandths) on a day takes, level by
// level: the need for a semi-finished product is netted by stock before it goes on to its materials.
// What is asked for itself is not netted: the caller has decided how much to make. piece says whether
// a product is counted in whole pieces. Rows come by level, then product. A need beyond qty.Max is refused
// with qty.ErrTooLarge.
func (b *Cookbook) Explode(day cal.Date, makes map[id.ID]qty.Qty, stock func(id.ID) Stock, piece func(id.ID) bool) ([]Requirement, error) {
	rows := map[id.ID]*Requirement{}
	row := func(p id.ID) *Requirement {
		r := rows[p]
		if r == nil {
			r = &Requirement{Product: p, Level: b.level[p], Gross: new(big.Rat), Need: new(big.Rat)}
			rows[p] = r
		}
		return r
	}
	asked := map[id.ID]bool{}
	for p, q := range makes {
		r := row(p)
		r.Gross.Add(r.Gross, new(big.Rat).SetInt64(int64(q)))
		r.Need.Set(r.Gross)
		asked[p] = true
	}
	done := map[id.ID]bool{}
	for {
		next := b.nextLevel(rows, done)
		if next == nil {
			break
		}
		for _, r := range next {
			done[r.Product] = true
			recipe, made := b.On(r.Product, day)
			r.Made = made
			exact := b.net(r, makes[r.Product], asked[r.Product], stock)
			var err error
			if r.Net, err = roundUp(exact, !made && piece(r.Product)); err != nil {
				return nil, qty.ErrTooLarge.With("product", b.name(r.Product))
			}
			for _, c := range recipe.Components {
				gross := new(big.Rat).Mul(exact, big.NewRat(int64(c.Qty), int64(recipe.Yield)))
				child := row(c.Product)
				child.Gross.Add(child.Gross, gross)
				child.Need.Add(child.Need, gross.Mul(gross, c.compensation()))
			}
		}
	}
	out := make([]Requirement, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Level != out[j].Level {
			return out[i].Level < out[j].Level
		}
		return out[i].Product < out[j].Product
	})
	return out, nil
}

// nextLevel returns the rows of the lowest level that are not done, nil when all are.
func (b *Cookbook) nextLevel(rows map[id.ID]*Requirement, done map[id.ID]bool) []*Requirement {
	lowest := -1
	for p := range rows {
		if !done[p] && (lowest < 0 || b.level[p] < lowest) {
			lowest = b.level[p]
		}
	}
	var out []*Requirement
	for p, r := range rows {
		if !done[p] && b.level[p] == lowest {
			out = append(out, r)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Product < out[j].Product })
	return out
}

// net takes stock off the need, on hand first, and returns what is left exactly. Of a product that is
// asked for directly and also used as a component, only the second part is netted.
func (b *Cookbook) net(r *Requirement, direct qty.Qty, asked bool, stock func(id.ID) Stock) *big.Rat {
	open := new(big.Rat).Set(r.Need)
	if asked {
		open.Sub(open, new(big.Rat).SetInt64(int64(direct)))
	}
	have := stock(r.Product)
	take := func(q qty.Qty) qty.Qty {
		if q <= 0 || open.Sign() <= 0 {
			return 0
		}
		all := new(big.Rat).SetInt64(int64(q))
		if all.Cmp(open) > 0 {
			used, _ := roundUp(open, false) // less than q, so it fits
			open.SetInt64(0)
			return used
		}
		open.Sub(open, all)
		return q
	}
	r.OnHand = take(have.OnHand)
	r.InTransit = take(have.InTransit)
	if asked {
		open.Add(open, new(big.Rat).SetInt64(int64(direct)))
	}
	return open
}

// compensation is what a net need is multiplied with.
func (c Component) compensation() *big.Rat {
	if c.Rule == LossYield {
		return big.NewRat(LossWhole, LossWhole-c.Loss)
	}
	return big.NewRat(LossWhole+c.Loss, LossWhole)
}

// roundUp goes to the next whole thousandth, or the next whole piece.
func roundUp(r *big.Rat, pieces bool) (qty.Qty, error) {
	step := int64(1)
	if pieces {
		step = qty.Scale
	}
	den := new(big.Int).Mul(r.Denom(), big.NewInt(step))
	q, rest := new(big.Int).QuoRem(r.Num(), den, new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() || q.Int64() > int64(qty.Max)/step {
		return 0, qty.ErrTooLarge
	}
	return qty.Qty(q.Int64() * step), nil
}
