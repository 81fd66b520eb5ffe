package catalog

import (
	"math/big"
	"slices"
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
	// LossYield: rate = lost ÷ issued, so need ÷ (1 − rate).
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
	Options    []Option // what lines may be mixed from, line by line in the order of preference; none: nothing is mixed
	Revision   int64    // of a version in the database
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
		if err := r.checkOptions(name); err != nil {
			return nil, err
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
	depth, path, why := b.fault()
	if why != nil {
		return nil, spelled(why, path, name)
	}
	// Levels from the top: a product is worked out only after everything that uses it.
	order := b.made()
	sort.SliceStable(order, func(i, j int) bool { return depth[order[i]] > depth[order[j]] })
	for _, p := range order {
		for _, r := range b.versions[p] {
			for c := range r.Inputs() {
				b.level[c] = max(b.level[c], b.level[p]+1)
			}
		}
	}
	return b, nil
}

// Made lists the products with a recipe in rising order.
func (b *Cookbook) Made() []id.ID { return b.made() }

// Products lists all products that recipes name, in rising order.
func (b *Cookbook) Products() []id.ID {
	seen := map[id.ID]bool{}
	for p, versions := range b.versions {
		seen[p] = true
		for _, r := range versions {
			for c := range r.Inputs() {
				seen[c] = true
			}
		}
	}
	out := make([]id.ID, 0, len(seen))
	for p := range seen {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

func (b *Cookbook) made() []id.ID {
	out := make([]id.ID, 0, len(b.versions))
	for p := range b.versions {
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// heights finds how many levels lie below each product that is made, or a way round: the first and the last
// product of the path are the same.
func (b *Cookbook) heights() (known map[id.ID]int, round []id.ID) {
	known = map[id.ID]int{}
	above := map[id.ID]bool{}
	var path []id.ID
	var height func(p id.ID) (int, bool)
	height = func(p id.ID) (int, bool) {
		path = append(path, p)
		if above[p] {
			round = append(round, path[slices.Index(path, p):]...)
			return 0, false
		}
		h, ok := known[p]
		if !ok {
			above[p] = true
			for _, r := range b.versions[p] {
				for c := range r.Inputs() {
					below, fine := height(c)
					if !fine {
						return 0, false
					}
					h = max(h, below+1)
				}
			}
			known[p] = h
			delete(above, p)
		}
		path = path[:len(path)-1]
		return h, true
	}
	for _, p := range b.made() {
		if _, fine := height(p); !fine {
			return nil, round
		}
	}
	return known, nil
}

// fault finds a way round, or a chain of more levels than there may be, as a path of products each of which is
// used in the one before. With neither it gives the heights.
func (b *Cookbook) fault() (heights map[id.ID]int, path []id.ID, why *errs.Error) {
	known, round := b.heights()
	if round != nil {
		return nil, round, ErrRecipeCycle
	}
	for _, p := range b.made() {
		if known[p] <= maxRecipeLevels {
			continue
		}
		path = []id.ID{p}
		for h := known[p]; h > 0; h-- {
			for _, r := range b.versions[path[len(path)-1]] {
				next := id.ID(0)
				for c := range r.Inputs() {
					if next == 0 && known[c] == h-1 {
						next = c
					}
				}
				if next != 0 {
					path = append(path, next)
					break
				}
			}
		}
		return nil, path, ErrRecipeDeep.With("most", maxRecipeLevels)
	}
	return known, nil, nil
}

// spelled puts the path of a fault into its refusal.
func spelled(why *errs.Error, path []id.ID, name func(id.ID) string) *errs.Error {
	words := make([]string, len(path))
	for i, p := range path {
		words[i] = name(p)
	}
	return why.With("path", strings.Join(words, " → "))
}

// FindFault is a way round among recipes, or a chain with too many levels, as a path of products each of which is
// used in the one before; nil when all is well.
func FindFault(recipes []Recipe, name func(id.ID) string) ([]id.ID, *errs.Error) {
	b := &Cookbook{versions: map[id.ID][]Recipe{}}
	for _, r := range recipes {
		b.versions[r.Product] = append(b.versions[r.Product], r)
	}
	_, path, why := b.fault()
	if why == nil {
		return nil, nil
	}
	return path, spelled(why, path, name)
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
	Safety    qty.Qty  // held beyond the need; Ask.Safety says how much
	OnHand    qty.Qty  // of Stock, what was used against the need and the safety
	InTransit qty.Qty
	Net       qty.Qty // to be made or bought: rounded up once, pieces to whole pieces
	Made      bool    // it has a recipe on the day, and is made here
	Uses      []Use   // where the need comes from, by product; what is asked for directly is not among them
}

// Use is what one product takes of a component.
type Use struct {
	Product id.ID   // that is made
	Makes   qty.Qty // so much of it, rounded up
	Yield   qty.Qty // of one recipe
	Qty     qty.Qty // of the component for one yield
	Of      id.ID   // the component in whose line the material stands
	Num     int64   // so much of it does what Den of the component do
	Den     int64
	Share   int64 // of the line, in millionths
	Loss    int64 // millionths: as learned, or as the recipe says
	Rule    LossRule
	Set     int64 // the loss of the recipe
	Batches int64 // that Loss was learned from; 0: it is that of the recipe
	Gross   *big.Rat
	Need    *big.Rat
}

// Each is what one unit of the product takes of the component, loss included.
func (u Use) Each() *big.Rat {
	p := Ingredient{Component{Qty: u.Qty, Loss: u.Loss, Rule: u.Rule}, u.Of, u.Num, u.Den, u.Share}
	return new(big.Rat).Mul(p.Per(u.Yield), p.compensation())
}

// Loss is the whole compensation as a share of the gross requirement: Need ÷ Gross − 1.
func (r Requirement) Loss() *big.Rat {
	if r.Gross.Sign() == 0 {
		return new(big.Rat)
	}
	one := big.NewRat(1, 1)
	return new(big.Rat).Sub(new(big.Rat).Quo(r.Need, r.Gross), one)
}

// Ask is what a plan asks of a cookbook, in thousandths of base units.
type Ask struct {
	Make      map[id.ID]qty.Qty // to be made as somebody decided: not netted
	Need      map[id.ID]qty.Qty // to be there, however it comes: netted by stock first
	Stock     func(id.ID) Stock // asked once for each product
	Piece     func(id.ID) bool  // is it counted in whole pieces
	Elsewhere func(id.ID) bool  // has a recipe, but is not made here; nil: everything is
	// Safety is asked once for each product, level by level, when all that uses it is known: what is held of it beyond the need.
	// nil: nothing is.
	Safety func(Requirement) qty.Qty
	// Loss is what a line of a recipe was learned to lose, in millionths, and from how many batches; 0 batches: what the recipe says
	// counts. nil: nothing was learned.
	Loss func(r *Recipe, c Component) (loss, batches int64)
	// Mix is what is decided of a version that may be mixed; nil, as the function or what it says: as the recipe says.
	Mix func(r *Recipe) Mix
}

// Explode works out what making the given quantities on a day takes; see Require.
func (b *Cookbook) Explode(day cal.Date, makes map[id.ID]qty.Qty, stock func(id.ID) Stock, piece func(id.ID) bool) ([]Requirement, error) {
	return b.Require(day, Ask{Make: makes, Stock: stock, Piece: piece})
}

// Require works out what a plan takes, level by level: the need for a semi-finished product is netted by
// stock before it goes on to its materials. Rows come by level, then product. A need beyond qty.Max is
// refused with qty.ErrTooLarge.
func (b *Cookbook) Require(day cal.Date, ask Ask) ([]Requirement, error) {
	rows := map[id.ID]*Requirement{}
	row := func(p id.ID) *Requirement {
		r := rows[p]
		if r == nil {
			r = &Requirement{Product: p, Level: b.level[p], Gross: new(big.Rat), Need: new(big.Rat)}
			rows[p] = r
		}
		return r
	}
	for _, asked := range []map[id.ID]qty.Qty{ask.Make, ask.Need} {
		for p, q := range asked {
			r := row(p)
			r.Gross.Add(r.Gross, new(big.Rat).SetInt64(int64(q)))
			r.Need.Set(r.Gross)
		}
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
			if made && ask.Elsewhere != nil && ask.Elsewhere(r.Product) {
				recipe, made = Recipe{}, false
			}
			r.Made = made
			if ask.Safety != nil {
				r.Safety = ask.Safety(*r)
			}
			exact := r.net(ask.Make[r.Product], ask.Stock(r.Product))
			var err error
			if r.Net, err = RoundUp(exact, !made && ask.Piece(r.Product)); err != nil {
				return nil, qty.ErrTooLarge.With("product", b.name(r.Product))
			}
			var mix Mix
			if ask.Mix != nil && len(recipe.Options) > 0 {
				mix = ask.Mix(&recipe)
			}
			for c := range recipe.Parts(mix) {
				if c.Share == 0 {
					continue
				}
				use := Use{Product: r.Product, Makes: r.Net, Yield: recipe.Yield, Qty: c.Qty, Of: c.Of, Num: c.Num, Den: c.Den, Share: c.Share, Rule: c.Rule, Set: c.Loss}
				if ask.Loss != nil {
					if loss, batches := ask.Loss(&recipe, c.Component); batches > 0 {
						c.Loss, use.Batches = loss, batches
					}
				}
				use.Loss = c.Loss
				use.Gross = new(big.Rat).Mul(exact, c.Per(recipe.Yield))
				use.Need = new(big.Rat).Mul(use.Gross, c.compensation())
				child := row(c.Product)
				child.Gross.Add(child.Gross, use.Gross)
				child.Need.Add(child.Need, use.Need)
				child.Uses = append(child.Uses, use)
			}
		}
	}
	out := make([]Requirement, 0, len(rows))
	for _, r := range rows {
		sort.SliceStable(r.Uses, func(i, j int) bool { return r.Uses[i].Product < r.Uses[j].Product })
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

// net takes stock off the need, on hand first, and returns what is left exactly. Of a product that somebody
// decided to make and that is also used as a component, only the second part is netted.
func (r *Requirement) net(decided qty.Qty, have Stock) *big.Rat {
	direct := new(big.Rat).SetInt64(int64(decided))
	open := new(big.Rat).Sub(r.Need, direct)
	if r.Safety > 0 {
		open.Add(open, new(big.Rat).SetInt64(int64(r.Safety)))
	}
	take := func(q qty.Qty) qty.Qty {
		if q <= 0 || open.Sign() <= 0 {
			return 0
		}
		all := new(big.Rat).SetInt64(int64(q))
		if all.Cmp(open) > 0 {
			used, _ := RoundUp(open, false) // less than q, so it fits
			open.SetInt64(0)
			return used
		}
		open.Sub(open, all)
		return q
	}
	r.OnHand = take(have.OnHand)
	r.InTransit = take(have.InTransit)
	return open.Add(open, direct)
}

// compensation is what a net need is multiplied with.
func (c Component) compensation() *big.Rat {
	if c.Rule == LossYield {
		return big.NewRat(LossWhole, LossWhole-c.Loss)
	}
	return big.NewRat(LossWhole+c.Loss, LossWhole)
}

// RoundUp goes to the next whole thousandth, or the next whole piece.
func RoundUp(r *big.Rat, pieces bool) (qty.Qty, error) {
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
