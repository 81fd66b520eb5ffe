package supplyday

import (
	"context"
	"math/big"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/produce"
	"zhanggui/internal/replenish"
)

// What the lines of recipes lose at a site, in its plans: as its own batches have taught, once there are enough of them; else as
// the recipe says.

// readOwn reads what holds at the site alone: the rules written for it, and what it has learned to lose.
func (x *situation) readOwn(ctx context.Context, d reader) (err error) {
	if x.own, err = readPolicies(ctx, d, x.site.ID); err != nil {
		return err
	}
	x.losses = map[produce.Line]produce.Learned{}
	var last produce.Line
	for more := true; more; {
		var lines []produce.Line
		var learned []produce.Learned
		if err := d.Read(ctx, func(tx *db.Tx) (err error) {
			lines, learned, err = produce.LearnedAt(tx, x.site.ID, last, 2000)
			return err
		}); err != nil {
			return err
		}
		for i, l := range lines {
			x.losses[l], last = learned[i], l
		}
		more = len(lines) == 2000
	}
	return nil
}

// loss is what a line was learned to lose and from how many batches. A rate that was learned as a share of something else than the
// line says now is of no use to it.
func (x *situation) loss(r *catalog.Recipe, c catalog.Component) (loss, batches int64) {
	l := x.losses[produce.Line{Product: r.Product, Recipe: r.ValidFrom, Material: c.Product}]
	rule := c.Rule
	if rule == "" {
		rule = catalog.LossMarkup
	}
	if l.Rule != string(rule) {
		return 0, 0
	}
	return l.Rate, l.Batches
}

// useWhy is what one product takes of a component, with both losses where one was learned.
func (x *situation) useWhy(material id.ID, u catalog.Use) replenish.UseWhy {
	g := x.all.goods[u.Product]
	per := catalog.Ingredient{Component: catalog.Component{Qty: u.Qty}, Num: u.Num, Den: u.Den, Share: u.Share}
	each := new(big.Rat).Mul(per.Per(u.Yield), new(big.Rat).SetInt64(int64(u.Yield)))
	w := replenish.UseWhy{ProductID: u.Product, Code: g.Code, Name: g.Name, Makes: u.Makes, Yield: u.Yield, Qty: replenish.Rounded(each), Loss: catalog.LossText(u.Loss), Rule: string(u.Rule),
		Gross: replenish.Rounded(u.Gross), Need: replenish.Rounded(u.Need), Batches: u.Batches}
	if u.Share != catalog.ShareWhole || u.Of != material {
		w.Share = catalog.ShareText(u.Share)
	}
	if u.Of != material {
		_, w.Instead, _ = x.named(u.Of)
	}
	if u.Batches > 0 {
		w.Set = catalog.LossText(u.Set)
	}
	return w
}
