package supplyday

import (
	"fmt"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/qty"
)

// Cola comes frozen from one supplier, who is two days late and delivers 82 of 100. Its shop needs some 35 a day.
func TestPlansReckonWithHowASupplierKeepsItsWord(t *testing.T) {
	t.Parallel()
	each(t, func(c *chain) {
		c.sold(c.site.ID, yesterday)
		c.forecasts()
		plain := c.line("requirements", "cola")
		if plain["safety"] != "0" {
			t.Fatalf("%v", plain)
		}
		c.write(func(tx *db.Tx) error {
			if err := tx.Exec(`INSERT INTO purchase_record (supplier_id, due, product_id, lines, full_lines, timely_lines, ordered, in_time, in_one, in_two, came, ordered_fen, came_fen)
				VALUES ($1, '2026-02-10', $2, 30, 0, 0, 3000, 0, 0, 2400, 2400, 3000, 2400)`, c.sup["cold"], c.p["cola"].ID); err != nil {
				return err
			}
			return tx.Exec(`INSERT INTO purchase_word (supplier_id, product_id, lines, came_lines, fill_bp, late_days, until) VALUES ($1, $2, 30, 30, 8200, 2, '2026-02-15')`, c.sup["cold"], c.p["cola"].ID)
		})
		c.again()
		need := c.line("requirements", "cola")
		whole := (q(plain["need"]) + qty.Scale - 1) / qty.Scale * qty.Scale
		if need["need"] != plain["need"] || q(need["safety"]) != 2*whole || q(need["net"]) != q(plain["net"])+2*whole {
			t.Errorf("%v, without the record %v", need, plain)
		}
		why := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", need["id"]), nil)["requirement_why"].(m)["word"].(m)
		if why["late_days"] != 2. || why["fill_bp"] != 8200. || why["lines"] != 30. || q(why["cushion"]) != 2*whole {
			t.Errorf("%v", why)
		}
		order := c.line("proposals", "cola")
		if w := c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", order["id"]), nil)["proposal_why"].(m)["word"].(m); w["late_days"] != 2. {
			t.Errorf("%v", w)
		}
		// What is ordered counts by the share that is expected to come, and the line says what was promised.
		c.done(c.manager, "POST", fmt.Sprint(c.plan(), "/lines/", order["id"], "/confirm"), nil)
		c.again()
		var arriving []any
		for _, l := range c.lines("requirements", "cola") {
			arriving = append(arriving, c.done(c.manager, "GET", fmt.Sprint(c.plan(), "/lines/", l["id"]), nil)["requirement_why"].(m)["arriving"].([]any)...)
		}
		if len(arriving) > 0 {
			a := arriving[0].(m)
			if a["promised"] != order["qty"] || q(a["qty"]) != (q(order["qty"])*82+50)/100 {
				t.Errorf("%v of %v", a, order["qty"])
			}
		}
		before := c.rows()
		c.again()
		if c.rows() != before {
			t.Error("planning again wrote again")
		}
		// Somebody who trusts the supplier takes it at its word.
		c.rule("cola", m{"at_word": true})
		c.again()
		if got := c.line("requirements", "cola"); got["safety"] != "0" {
			t.Errorf("at its word: %v", got)
		}
		if r := c.items(c.manager, fmt.Sprint("/api/plans/rules?site_id=", c.site.ID))[0]; r["at_word"] != true {
			t.Errorf("%v", r)
		}
		// A level that is computed protects as many days more.
		c.rule("cola", m{"mode": "static", "on_automatic": "suggest"})
		c.again()
		days := int64(0)
		c.read(func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT days FROM replenish_safety WHERE product_id = $1`, c.p["cola"].ID).Scan(&days)
		})
		if days != 1+3+2 {
			t.Errorf("a level for %d days", days)
		}
	})
}
