package catalog

import (
	"fmt"
	"iter"
	"math/big"
	"slices"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// A line of a recipe may be mixed (动态配方): other materials may stand in for its component, so much of them for so much of it,
// or several share the line, each between a least and a most. The recipe says the shares that hold as long as nobody decides
// otherwise; a mix says others, for a time at a site. Shares are millionths of the line and come to the whole, always.

var (
	// ErrOptionTwice refuses a material that goes into a version in two ways: nobody could tell what it was taken for.
	ErrOptionTwice = errs.Define("recipe_option_twice", errs.Invalid,
		"“{product}”在这个配方里已经有一行了", "{product} is in this recipe already")
	// ErrOptionMany refuses more substitutes than a kitchen keeps apart.
	ErrOptionMany = errs.Define("recipe_options_many", errs.Invalid, "一行最多 {most} 种替代料", "A line has at most {most} substitutes")
	// ErrOptionGone refuses a substitute that is not traded any more.
	ErrOptionGone = errs.Define("recipe_option_gone", errs.Invalid, "“{product}”已淘汰,不能作替代料", "{product} is gone and can't stand in for anything")
	// ErrOptionRatio refuses a ratio that is none.
	ErrOptionRatio = errs.Define("recipe_option_ratio", errs.Invalid, "替代比例的两个数量都必须大于零,且不能太大", "Both quantities of a ratio are more than zero, and not too large")
	// ErrShare refuses a share that is none, or outside of its own range.
	ErrShare = errs.Define("recipe_share_bad", errs.Invalid, "占比必须在 0 到 1 之间,且在下限与上限之间", "A share is between 0 and 1, and between its least and its most")
	// ErrShareAlone refuses a range on a line that has nothing to share with.
	ErrShareAlone = errs.Define("recipe_share_alone", errs.Invalid, "没有替代料的一行不能设占比", "A line without substitutes has nothing to share with")
	// ErrShareLeast, ErrShareMost and ErrShareSum refuse ranges in which no mix is possible, and shares that are no whole.
	ErrShareLeast = errs.Define("recipe_share_least", errs.Invalid, "这一行各料的下限合计超过 1", "The least shares of this line come to more than 1")
	ErrShareMost  = errs.Define("recipe_share_most", errs.Invalid, "这一行各料的上限合计不到 1", "The most shares of this line come to less than 1")
	ErrShareSum   = errs.Define("recipe_share_sum", errs.Invalid, "这一行各料的占比合计必须是 1,现在是 {sum}", "The shares of this line must come to 1, not {sum}")
	// ErrMixPart refuses a mix of materials that the version does not mix.
	ErrMixPart = errs.Define("recipe_mix_part", errs.Invalid, "配比必须写明配方里每一种可调的料,不多不少", "A mix names each material that the recipe may mix, and no other")
	// ErrMixRange refuses a share outside of what the version allows.
	ErrMixRange = errs.Define("recipe_mix_range", errs.Invalid, "这种料的占比应在 {least} 到 {most} 之间", "The share of this material is between {least} and {most}")
)

// ShareWhole is a whole line: shares are whole millionths.
const ShareWhole = LossWhole

const (
	mostOptions = 6             // materials of a line, the component among them
	mostRatio   = 1_000_000_000 // of both terms
)

// Option is a material that a line may be mixed from. Of a line that has any, the component itself is the first.
type Option struct {
	Of       id.ID // the component of the line
	Product  id.ID
	Num, Den int64 // Num of it do what Den of the component do, in base units and lowest terms
	Share    int64 // what the recipe says
	Least    int64
	Most     int64
}

// Ratio is how much of it does what one of the component does.
func (o Option) Ratio() *big.Rat { return big.NewRat(o.Num, o.Den) }

// Mix is the share of each material that a version may mix, by material, in millionths; nil: as the recipe says.
type Mix map[id.ID]int64

// Ingredient is what goes into a recipe of one material, by a mix.
type Ingredient struct {
	Component       // Product is the material, Qty that of the component for one yield, Loss and Rule those of the line
	Of        id.ID // the component in whose line it is
	Num, Den  int64
	Share     int64
}

// Per is what one unit of yield takes, without loss.
func (p Ingredient) Per(yield qty.Qty) *big.Rat {
	per := big.NewRat(int64(p.Qty), int64(yield))
	if p.Share != ShareWhole {
		per.Mul(per, big.NewRat(p.Share, ShareWhole))
	}
	if p.Num != p.Den {
		per.Mul(per, big.NewRat(p.Num, p.Den))
	}
	return per
}

// OptionsOf are the materials of a component's line; none: it is not mixed.
func (r *Recipe) OptionsOf(component id.ID) []Option {
	from := slices.IndexFunc(r.Options, func(o Option) bool { return o.Of == component })
	if from < 0 {
		return nil
	}
	to := from
	for to < len(r.Options) && r.Options[to].Of == component {
		to++
	}
	return r.Options[from:to]
}

// Parts are the materials of a version in the order of its lines by a mix, also those that have no share in it.
func (r *Recipe) Parts(mix Mix) iter.Seq[Ingredient] {
	return func(yield func(Ingredient) bool) {
		for _, c := range r.Components {
			of := r.OptionsOf(c.Product)
			if of == nil && !yield(Ingredient{c, c.Product, 1, 1, ShareWhole}) {
				return
			}
			for _, o := range of {
				p := Ingredient{c, c.Product, o.Num, o.Den, o.Share}
				p.Product = o.Product
				if mix != nil {
					p.Share = mix[o.Product]
				}
				if !yield(p) {
					return
				}
			}
		}
	}
}

// Compensation is what a net need of the line is multiplied with for its loss.
func (c Component) Compensation() *big.Rat { return c.compensation() }

// Inputs are all materials that may go into a version.
func (r *Recipe) Inputs() iter.Seq[id.ID] {
	return func(yield func(id.ID) bool) {
		for _, c := range r.Components {
			if !yield(c.Product) {
				return
			}
		}
		for _, o := range r.Options {
			if o.Product != o.Of && !yield(o.Product) {
				return
			}
		}
	}
}

// Mixed lists the products of which a version may be mixed, in rising order.
func (b *Cookbook) Mixed() []id.ID {
	var all []id.ID
	for p, versions := range b.versions {
		if slices.ContainsFunc(versions, func(r Recipe) bool { return len(r.Options) > 0 }) {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return all
}

// Lines are the components of lines that may be mixed, in the order of the recipe.
func (r *Recipe) Lines() []Component {
	var all []Component
	for _, c := range r.Components {
		if r.OptionsOf(c.Product) != nil {
			all = append(all, c)
		}
	}
	return all
}

// Usual is the mix that the recipe itself says.
func (r *Recipe) Usual() Mix {
	m := Mix{}
	for _, o := range r.Options {
		m[o.Product] = o.Share
	}
	return m
}

// Fits refuses a mix that the version does not allow; the field is the material.
func (r *Recipe) Fits(m Mix) error {
	if len(r.Options) == 0 || len(m) != len(r.Options) {
		return ErrMixPart
	}
	sums := map[id.ID]int64{}
	for _, o := range r.Options {
		share, ok := m[o.Product]
		switch {
		case !ok:
			return ErrMixPart
		case share < o.Least || share > o.Most:
			return ErrMixRange.With("least", ShareText(o.Least), "most", ShareText(o.Most)).At(o.Product.String())
		}
		sums[o.Of] += share
	}
	for _, o := range r.Options {
		if sum := sums[o.Of]; sum != ShareWhole {
			return ErrShareSum.With("sum", ShareText(sum)).At(o.Product.String())
		}
	}
	return nil
}

// ShareText writes millionths as ParseShare reads them, also a whole and more: "0.4", "1", "1.2".
func ShareText(n int64) string {
	if n >= ShareWhole {
		whole := fmt.Sprint(n / ShareWhole)
		if rest := n % ShareWhole; rest > 0 {
			return whole + LossText(rest)[1:]
		}
		return whole
	}
	return LossText(n)
}

// ParseShare reads a share such as 0.4, 40% or 1, exactly.
func ParseShare(s string) (int64, error) {
	switch s {
	case "1", "100%", "1.0", "1.00":
		return ShareWhole, nil
	}
	n, err := ParseLoss(s)
	if err != nil {
		return 0, ErrShare
	}
	return n, nil
}

// checkOptions looks at the materials that lines may be mixed from; field names the place of one as a form has it.
func (r *Recipe) checkOptions(name func(id.ID) string) error {
	if len(r.Options) == 0 {
		return nil
	}
	seen := map[id.ID]bool{r.Product: true}
	for _, c := range r.Components {
		seen[c.Product] = true
	}
	known := 0
	for i, c := range r.Components {
		line := r.OptionsOf(c.Product)
		known += len(line)
		at := func(j int, field string) string {
			if j == 0 {
				return fmt.Sprintf("components[%d].%s", i, field)
			}
			return fmt.Sprintf("components[%d].options[%d].%s", i, j-1, field)
		}
		var least, share, most int64
		for j, o := range line {
			switch {
			case j == 0 && (o.Product != c.Product || o.Num != 1 || o.Den != 1):
				return ErrOptionRatio.At(at(0, "options"))
			case j >= mostOptions:
				return ErrOptionMany.With("most", mostOptions-1).At(at(0, "options"))
			case j > 0 && seen[o.Product]:
				return ErrOptionTwice.With("product", name(o.Product)).At(at(j, "product_id"))
			case o.Num <= 0 || o.Den <= 0 || o.Num > mostRatio || o.Den > mostRatio:
				return ErrOptionRatio.At(at(j, "qty"))
			case o.Least < 0 || o.Most > ShareWhole || o.Least > o.Most:
				return ErrShare.At(at(j, "least"))
			}
			seen[o.Product] = true
			least, share, most = least+o.Least, share+o.Share, most+o.Most
		}
		switch {
		case line == nil:
			continue
		case len(line) == 1:
			return ErrShareAlone.At(at(0, "share"))
		case least > ShareWhole:
			return ErrShareLeast.At(at(0, "least"))
		case most < ShareWhole:
			return ErrShareMost.At(at(0, "most"))
		}
		for j, o := range line {
			if o.Share < o.Least || o.Share > o.Most {
				return ErrShare.At(at(j, "share"))
			}
		}
		if share != ShareWhole {
			return ErrShareSum.With("sum", ShareText(share)).At(at(0, "share"))
		}
	}
	if known != len(r.Options) { // of no component, or not side by side
		return ErrMixPart.At("components")
	}
	return nil
}

// Keep takes over from the version that r replaces what its lines may be mixed from, for whoever writes recipes without knowing
// of that. A line whose component is gone loses it, and so does one of which a material now has a line of its own.
func (r *Recipe) Keep(old Recipe) {
	lines := map[id.ID]bool{r.Product: true}
	for _, c := range r.Components {
		lines[c.Product] = true
	}
	for _, c := range r.Components {
		of := old.OptionsOf(c.Product)
		if len(of) > 0 && !slices.ContainsFunc(of[1:], func(o Option) bool { return lines[o.Product] }) {
			r.Options = append(r.Options, of...)
		}
	}
}

// ImportRecipes is PutRecipes for files, which know of no substitutes: those of a version that is replaced stay.
func (s *Service) ImportRecipes(tx *db.Tx, staff id.ID, recipes []Recipe) error {
	var products []id.ID
	for _, r := range recipes {
		products = append(products, r.Product)
	}
	if _, err := s.bump(tx); err != nil { // from here on nobody else changes recipes
		return err
	}
	now, err := RecipesOf(tx, slices.Compact(slices.Sorted(slices.Values(products))))
	if err != nil {
		return err
	}
	for i := range recipes {
		for _, v := range now {
			if v.Product == recipes[i].Product && v.ValidFrom == recipes[i].ValidFrom {
				recipes[i].Keep(v.Recipe)
			}
		}
	}
	return s.PutRecipes(tx, staff, recipes)
}

// --- on the wire

// OptionIn is a material that may stand in for a component.
type OptionIn struct {
	ProductID id.ID   `json:"product_id"`
	Qty       qty.Qty `json:"qty" doc:"so much of it"`
	Unit      string  `json:"unit,omitempty" maxLength:"20" doc:"the base unit when left out"`
	ForQty    qty.Qty `json:"for_qty" doc:"does what so much of the component does"`
	ForUnit   string  `json:"for_unit,omitempty" maxLength:"20" doc:"the component's base unit when left out"`
	Share     string  `json:"share,omitempty" maxLength:"12" doc:"of the line as long as nobody decides otherwise, as in 0.4 or 40%; 0 when left out"`
	Least     string  `json:"least,omitempty" maxLength:"12" doc:"0 when left out"`
	Most      string  `json:"most,omitempty" maxLength:"12" doc:"1 when left out"`
}

// OptionView is a material that may stand in for a component.
type OptionView struct {
	ProductID id.ID   `json:"product_id"`
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	Unit      string  `json:"unit" doc:"base unit"`
	Qty       qty.Qty `json:"qty" doc:"so much of it, in its base unit"`
	ForQty    qty.Qty `json:"for_qty" doc:"does what so much of the component does, in that one's base unit"`
	Share     string  `json:"share" doc:"of the line as long as nobody decides otherwise, as in 0.4"`
	Least     string  `json:"least"`
	Most      string  `json:"most"`
	HasRecipe bool    `json:"has_recipe" doc:"it is made itself"`
}

// Spoken says a ratio as people do: so much for one, one for so much, or so much for so much.
func (o Option) Spoken() (q, of qty.Qty) {
	switch {
	case o.Num%o.Den == 0:
		return qty.Qty(o.Num / o.Den * qty.Scale), qty.Scale
	case o.Den%o.Num == 0:
		return qty.Scale, qty.Qty(o.Den / o.Num * qty.Scale)
	case o.Num*qty.Scale%o.Den == 0:
		return qty.Qty(o.Num * qty.Scale / o.Den), qty.Scale
	}
	return qty.Qty(o.Num * qty.Scale), qty.Qty(o.Den * qty.Scale)
}

func optionView(o Option, g *Product, made bool) OptionView {
	v := OptionView{ProductID: g.ID, Code: g.Code, Name: g.Name, Unit: g.BaseUnit, Share: ShareText(o.Share), Least: ShareText(o.Least), Most: ShareText(o.Most), HasRecipe: made}
	v.Qty, v.ForQty = o.Spoken()
	return v
}

// mixed reads what a person wrote of the materials of a line; at names the field of the component.
func (in ComponentIn) mixed(g *Product, goods map[id.ID]*Product, at func(field string) string) ([]Option, error) {
	if len(in.Options) == 0 {
		for field, share := range map[string]string{"share": in.Share, "most": in.Most, "least": in.Least} {
			if n, err := ParseShare(share); share != "" && (err != nil || n != ShareWhole) {
				return nil, ErrShareAlone.At(at(field))
			}
		}
		return nil, nil
	}
	line := []Option{{Of: g.ID, Product: g.ID, Num: 1, Den: 1, Share: ShareWhole, Most: ShareWhole}}
	for i, o := range in.Options {
		there := func(field string) string { return at(fmt.Sprintf("options[%d].%s", i, field)) }
		p := goods[o.ProductID]
		switch {
		case p == nil:
			return nil, ErrComponent.At(there("product_id"))
		case p.State == Gone:
			return nil, ErrOptionGone.With("product", p.Name).At(there("product_id"))
		case o.Qty <= 0:
			return nil, ErrOptionRatio.At(there("qty"))
		case o.ForQty <= 0:
			return nil, ErrOptionRatio.At(there("for_qty"))
		}
		num, err := p.baseQty(o.Qty, o.Unit, there("qty"), there("unit"))
		if err != nil {
			return nil, err
		}
		den, err := g.baseQty(o.ForQty, o.ForUnit, there("for_qty"), there("for_unit"))
		if err != nil {
			return nil, err
		}
		ratio := big.NewRat(int64(num), int64(den))
		if ratio.Num().Cmp(big.NewInt(mostRatio)) > 0 || ratio.Denom().Cmp(big.NewInt(mostRatio)) > 0 {
			return nil, ErrOptionRatio.At(there("qty"))
		}
		to := Option{Of: g.ID, Product: p.ID, Num: ratio.Num().Int64(), Den: ratio.Denom().Int64(), Most: ShareWhole}
		if err := to.read(o.Share, o.Least, o.Most, there); err != nil {
			return nil, err
		}
		line[0].Share -= to.Share // what nobody says otherwise is the component
		line = append(line, to)
	}
	line[0].Share = max(0, line[0].Share)
	return line, line[0].read(in.Share, in.Least, in.Most, at)
}

func (o *Option) read(share, least, most string, at func(field string) string) error {
	for _, f := range []struct {
		name, text string
		to         *int64
	}{{"share", share, &o.Share}, {"least", least, &o.Least}, {"most", most, &o.Most}} {
		if f.text == "" {
			continue
		}
		n, err := ParseShare(f.text)
		if err != nil {
			return errs.As(err).At(at(f.name))
		}
		*f.to = n
	}
	return nil
}
