package supplyday

import (
	"fmt"
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// uses is what the wrap takes of a material in the plan of a site.
func (c *chain) uses(site id.ID, material string) (line, use m) {
	c.t.Helper()
	plan := c.planOf(site, c.site.BusinessDate(c.d.Clock.Now()))
	for _, l := range c.items(c.admin, plan+"/requirements") {
		if l["code"] != material {
			continue
		}
		why := c.done(c.admin, "GET", fmt.Sprint(plan, "/lines/", l["id"]), nil)["requirement_why"].(m)
		for _, u := range why["uses"].([]any) {
			if u.(m)["code"] == "wrap" {
				return l, u.(m)
			}
		}
	}
	c.t.Fatalf("the wrap takes no %s", material)
	return nil, nil
}

func TestAPlanReckonsWithWhatTheStoreHasLearnedToLose(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.sold(c.other, yesterday)
		c.forecasts()
		learned := func(material, recipe, rule string, rate int64) {
			c.write(func(tx *db.Tx) error {
				return tx.Exec(`INSERT INTO produce_learned (site_id, product_id, recipe_from, material_id, rule, rate, was, batches, taken, net, date) VALUES ($1, $2, $3, $4, $5, $6, 30000, 12, 1, 1, '2026-03-01')`,
					c.site.ID, c.p["wrap"].ID, cal.Date(recipe), c.p[material].ID, rule, rate)
			})
		}
		learned("breast", "2026-01-01", "markup", 50_000)
		learned("sheet", "2026-01-01", "yield", 90_000)    // of another rule than the line has now
		learned("lettuce", "2025-01-01", "markup", 90_000) // of another version
		before, was := c.uses(c.site.ID, "breast")
		if was["loss"] != "0.03" || was["set_loss"] != nil || was["loss_batches"] != nil || before["loss_ppm"] != 30_000. || q(was["need"]) != q(was["gross"])*103/100 {
			t.Errorf("before: %v, %v", before, was)
		}
		c.again()
		after, now := c.uses(c.site.ID, "breast")
		if now["loss"] != "0.05" || now["set_loss"] != "0.03" || now["loss_batches"] != 12. || after["loss_ppm"] != 50_000. || now["gross"] != was["gross"] || q(now["need"]) != q(now["gross"])*105/100 {
			t.Errorf("after: %v, %v", after, now)
		}
		if more := q(after["net"]) - q(before["net"]); more < q(was["gross"])*2/100 || more > q(was["gross"])*2/100+qty.Scale {
			t.Errorf("%v more is asked for of %v", more, was["gross"])
		}
		for _, material := range []string{"sheet", "lettuce"} {
			if _, u := c.uses(c.site.ID, material); u["loss"] != "0.03" || u["set_loss"] != nil {
				t.Errorf("%s: %v", material, u)
			}
		}
		c.done(c.admin, "POST", "/api/plans/run", m{"site_id": c.other.String()})
		c.drain()
		if _, u := c.uses(c.other, "breast"); u["loss"] != "0.03" || u["loss_batches"] != nil {
			t.Errorf("another store: %v", u)
		}
		c.again()
		c.addsUp()
	})
}
