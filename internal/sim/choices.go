package sim

import (
	"context"
	"net/http"

	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// Two recipes of the chain leave a choice: the wrap may be up to three fifths cucumber where it says lettuce, and lettuce may stand in
// for the greens of a lunch. So whoever runs the chain meets a proposal as prices and what would be over its time say.
var choices = []struct{ product, of, instead, least, most string }{
	{"S01", "lettuce", "cucumber", "0.4", "0.6"},
	{"L01", "greens", "lettuce", "0", "1"},
}

type recipe struct {
	ValidFrom  string  `json:"valid_from"`
	YieldQty   qty.Qty `json:"yield_qty"`
	Revision   int64   `json:"revision"`
	Components []part  `json:"components"`
}

type part struct {
	ProductID id.ID    `json:"product_id"`
	Code      string   `json:"code,omitempty"`
	Qty       qty.Qty  `json:"qty"`
	Loss      string   `json:"loss"`
	Rule      string   `json:"rule"`
	Least     string   `json:"least,omitempty"`
	Options   []option `json:"options,omitempty"`
}

type option struct {
	ProductID id.ID   `json:"product_id"`
	Qty       qty.Qty `json:"qty"`
	ForQty    qty.Qty `json:"for_qty"`
	Most      string  `json:"most"`
}

// writeChoices adds them to the recipes, as a person would in the editor. What is there already stays.
func (s *Demo) writeChoices(ctx context.Context) error {
	boss := s.chain.boss
	goods := map[string]id.ID{}
	product := func(code string) (id.ID, error) {
		if goods[code] == 0 {
			found, err := list1[struct {
				ID   id.ID
				Code string
			}](ctx, boss, "/api/goods/products?limit=50&q="+code)
			if err != nil {
				return 0, err
			}
			for _, p := range found {
				if p.Code == code {
					goods[code] = p.ID
				}
			}
		}
		return goods[code], nil // 0: a smaller chain is without it
	}
	for _, c := range choices {
		of, err := product(c.product)
		if err != nil {
			return err
		}
		instead, err := product(c.instead)
		if err != nil {
			return err
		}
		if of == 0 || instead == 0 {
			continue
		}
		path := "/api/goods/products/" + of.String() + "/recipes"
		versions, err := list1[recipe](ctx, boss, path)
		if err != nil {
			return err
		}
		if len(versions) == 0 {
			continue
		}
		r := versions[0]
		for i := range r.Components {
			p := &r.Components[i]
			if len(p.Options) > 0 {
				r.Components = nil // they are there
				break
			}
			if p.Least = ""; p.Code == c.of {
				p.Least, p.Options = c.least, []option{{instead, qty.Scale, qty.Scale, c.most}}
			}
			p.Code = ""
		}
		if r.Components == nil {
			continue
		}
		if err := boss.call(ctx, http.MethodPut, path, "choice/"+c.product, r, nil); err != nil {
			return err
		}
	}
	return nil
}
