package making

import (
	"math/big"

	"zhanggui/internal/catalog"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

const treeMost = 1000 // lines of a tree

// ErrNotMade refuses the tree of a product that has no recipe on the day.
var ErrNotMade = errs.Define("recipe_none_on_day", errs.NotFound, "“{product}”在 {date} 没有配方", "{product} has no recipe on {date}")

// TreeIn asks what goes into a quantity of a product.
type TreeIn struct {
	ID   id.ID    `path:"id"`
	Date cal.Date `query:"date" maxLength:"10" doc:"today when left out"`
	Qty  qty.Qty  `query:"qty" doc:"in the base unit; one yield of its recipe when left out"`
}

// RecipeTree is a recipe followed down to what is bought. Costs are there for who may see what suppliers ask: at the
// lowest price asked today, without tax; of what somebody makes it is the sum of what goes in.
type RecipeTree struct {
	ProductID id.ID      `json:"product_id"`
	Code      string     `json:"code"`
	Name      string     `json:"name"`
	Date      cal.Date   `json:"date"`
	ValidFrom cal.Date   `json:"valid_from"`
	Qty       qty.Qty    `json:"qty"`
	Unit      string     `json:"unit"`
	Costed    bool       `json:"costed" doc:"false: the caller may not see prices of suppliers"`
	Cost      *TreeCost  `json:"cost,omitempty"`
	Items     []TreeLine `json:"items" doc:"each line is followed by what goes into it"`
	Materials []TreeLine `json:"materials" doc:"what is bought, summed over the lines and rounded up once, pieces to whole pieces"`
	Cut       bool       `json:"cut" doc:"there are more lines; sums and costs are of those shown"`
}

// TreeLine is a component in the tree, or the sum of a material.
type TreeLine struct {
	Level     int              `json:"level" doc:"1 goes into the product itself; 0 in sums"`
	ProductID id.ID            `json:"product_id"`
	Code      string           `json:"code"`
	Name      string           `json:"name"`
	Unit      string           `json:"unit" doc:"base unit of all quantities of the line"`
	Per       qty.Qty          `json:"per" doc:"of it for one yield of the recipe above"`
	PerYield  qty.Qty          `json:"per_yield" doc:"that yield, in the base unit of what is made"`
	Loss      string           `json:"loss" doc:"as in 0.03; empty in sums"`
	Rule      catalog.LossRule `json:"rule" enum:"markup,yield,"`
	Gross     qty.Qty          `json:"gross" doc:"before the loss of the line, rounded up"`
	Need      qty.Qty          `json:"need" doc:"with it, rounded up"`
	Exact     string           `json:"exact" doc:"the need in base units with all decimals, or as a fraction, where it is no whole thousandth; else empty"`
	ValidFrom cal.Date         `json:"valid_from" doc:"of the recipe it is made by itself; empty: it is bought"`
	Cost      *TreeCost        `json:"cost,omitempty"`

	InsteadID id.ID   `json:"instead_id" doc:"of the component that it may stand in for; empty: it is none of those"`
	Qty       qty.Qty `json:"ratio_qty" doc:"so much of it does what ratio_for of the component do; 0: it is no substitute"`
	ForQty    qty.Qty `json:"ratio_for"`
	Share     string  `json:"share" doc:"of its line, as in 0.4; 1 where nothing is mixed"`
	Least     string  `json:"least" doc:"that a mix may give it"`
	Most      string  `json:"most"`
}

// TreeCost is what a quantity costs.
type TreeCost struct {
	Fen      money.Fen `json:"fen"`
	Unpriced int       `json:"unpriced" doc:"so many materials in it have no supplier with a price: they are not in the sum"`
}

// Tree follows the recipe of a product down, with costs or without.
func (s *Service) Tree(tx *db.Tx, in TreeIn, costed bool) (*RecipeTree, error) {
	known, err := s.goods.Products(tx, []id.ID{in.ID})
	if err != nil {
		return nil, err
	}
	p := known[in.ID]
	if p == nil {
		return nil, catalog.ErrNoProduct
	}
	if in.Date == "" {
		in.Date = cal.On(tx.Now())
	}
	if !in.Date.Valid() || in.Date < catalog.FirstDay || in.Date > catalog.LastDay {
		return nil, catalog.ErrRecipeDate.With("first", catalog.FirstDay, "last", catalog.LastDay).At("date")
	}
	if in.Qty < 0 || in.Qty > qty.Max {
		return nil, qty.ErrTooLarge.At("qty")
	}
	book, err := catalog.CookbookOf(tx, p.ID, func(p id.ID) string { return p.String() })
	if err != nil {
		return nil, err
	}
	recipe, ok := book.On(p.ID, in.Date)
	if !ok {
		return nil, ErrNotMade.With("product", p.Name, "date", in.Date).At("date")
	}
	if in.Qty == 0 {
		in.Qty = recipe.Yield
	}
	lines, cut := book.Tree(p.ID, in.Date, in.Qty, treeMost)
	ids := book.Products()
	if known, err = s.goods.Products(tx, ids); err != nil {
		return nil, err
	}
	t := &RecipeTree{ProductID: p.ID, Code: p.Code, Name: p.Name, Date: in.Date, ValidFrom: recipe.ValidFrom, Qty: in.Qty, Unit: p.BaseUnit, Items: []TreeLine{}, Materials: []TreeLine{}, Cut: cut}
	var terms map[id.ID]party.Terms
	if t.Costed = costed; costed {
		if terms, err = party.CheapestTerms(tx, ids); err != nil {
			return nil, err
		}
	}
	sums := map[id.ID]*big.Rat{}
	var order []id.ID
	for i, l := range lines {
		v, err := treeLine(known[l.Product], l)
		if err != nil {
			return nil, err
		}
		if t.Costed {
			v.Cost = costOf(lines[i:], terms)
		}
		t.Items = append(t.Items, v)
		if l.ValidFrom == "" && l.Share > 0 {
			if sums[l.Product] == nil {
				sums[l.Product] = new(big.Rat)
				order = append(order, l.Product)
			}
			sums[l.Product].Add(sums[l.Product], l.Need)
		}
	}
	for _, m := range order {
		g := known[m]
		v := TreeLine{ProductID: m, Code: g.Code, Name: g.Name, Unit: g.BaseUnit, Exact: exactly(sums[m])}
		if v.Need, err = catalog.RoundUp(sums[m], g.BaseUnit == "piece"); err != nil {
			return nil, err
		}
		if t.Costed {
			v.Cost = cost(sums[m], terms, m)
		}
		t.Materials = append(t.Materials, v)
	}
	if t.Costed {
		t.Cost = priced(lines, terms, func(catalog.Branch) bool { return true })
	}
	return t, nil
}

func treeLine(g *catalog.Product, l catalog.Branch) (TreeLine, error) {
	gross, err := catalog.RoundUp(l.Gross, false)
	if err != nil {
		return TreeLine{}, qty.ErrTooLarge.With("product", g.Name).At("qty")
	}
	need, err := catalog.RoundUp(l.Need, false)
	if err != nil {
		return TreeLine{}, qty.ErrTooLarge.With("product", g.Name).At("qty")
	}
	v := TreeLine{Level: l.Level, ProductID: l.Product, Code: g.Code, Name: g.Name, Unit: g.BaseUnit, Per: l.Qty, PerYield: l.Yield,
		Loss: catalog.LossText(l.Loss), Rule: l.Rule, Gross: gross, Need: need, Exact: exactly(l.Need), ValidFrom: l.ValidFrom,
		Share: "1", Least: "1", Most: "1"}
	if o := l.Option; o != nil {
		if v.Share, v.Least, v.Most = catalog.ShareText(o.Share), catalog.ShareText(o.Least), catalog.ShareText(o.Most); o.Of != o.Product {
			v.InsteadID = o.Of
			v.Qty, v.ForQty = o.Spoken()
		}
	}
	return v, nil
}

// exactly writes a number of thousandths in wholes when it is no whole thousandth: all its decimals, or as a fraction
// where they have no end.
func exactly(r *big.Rat) string {
	if r.IsInt() {
		return ""
	}
	whole := new(big.Rat).Quo(r, big.NewRat(qty.Scale, 1))
	if n, ends := whole.FloatPrec(); ends && n <= 12 {
		return whole.FloatString(n)
	}
	return whole.RatString()
}

// costOf is the cost of the first line: of what is bought by its price, of what is made by what goes in.
func costOf(lines []catalog.Branch, terms map[id.ID]party.Terms) *TreeCost {
	top := lines[0]
	if top.ValidFrom == "" {
		return cost(top.Need, terms, top.Product)
	}
	inside := true
	return priced(lines[1:], terms, func(l catalog.Branch) bool {
		inside = inside && l.Level > top.Level
		return inside
	})
}

// priced adds up what is bought among the lines, exactly, and rounds once.
func priced(lines []catalog.Branch, terms map[id.ID]party.Terms, in func(catalog.Branch) bool) *TreeCost {
	sum := new(big.Rat)
	c := &TreeCost{}
	for _, l := range lines {
		switch t, ok := terms[l.Product]; {
		case !in(l) || l.ValidFrom != "" || l.Share == 0:
		case !ok:
			c.Unpriced++
		default:
			sum.Add(sum, new(big.Rat).Mul(l.Need, t.PerBase()))
		}
	}
	c.Fen = fen(sum)
	return c
}

func cost(need *big.Rat, terms map[id.ID]party.Terms, product id.ID) *TreeCost {
	t, ok := terms[product]
	if !ok {
		return &TreeCost{Unpriced: 1}
	}
	return &TreeCost{Fen: fen(new(big.Rat).Mul(need, t.PerBase()))}
}

// fen rounds thousandths × ten-thousandths of a fen half up to a fen, at most money.Max.
func fen(r *big.Rat) money.Fen {
	scaled := new(big.Rat).Quo(r, big.NewRat(qty.Scale*10_000, 1))
	scaled.Add(scaled, big.NewRat(1, 2))
	whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	if !whole.IsInt64() || whole.Int64() > int64(money.Max) {
		return money.Max
	}
	return money.Fen(whole.Int64())
}
