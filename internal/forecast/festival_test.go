package forecast

import (
	"fmt"
	"strings"
	"testing"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
)

// flat imports so many a day up to yesterday, others on some days, all at 3.50; sold out at noon on days that are said to be.
func (c *chain) flat(site id.ID, p *catalog.Product, days int, daily int64, other map[cal.Date]int64, out ...cal.Date) {
	c.t.Helper()
	var all []SaleDay
	for k := days; k >= 1; k-- {
		n, date := daily, c.today.AddDays(-k)
		if x, ok := other[date]; ok {
			n = x
		}
		fen := money.Fen(350 * n)
		d := SaleDay{SaleKey: SaleKey{site, p.ID, date}, Qty: qty.Qty(n * qty.Scale), Amount: &fen}
		if n > 0 {
			d.Slots = []SlotQty{{18, d.Qty / 2}, {30, d.Qty - d.Qty/2}}
		}
		for _, x := range out {
			if x == date {
				noon := int64(720)
				d.SoldOut, d.Slots = &noon, []SlotQty{{18, d.Qty}}
			}
		}
		all = append(all, d)
	}
	load := id.New()
	c.write(func(tx *db.Tx) error { return OpenLoad(tx, load) })
	for len(all) > 0 {
		part := all[:min(len(all), MaxSaleDays)]
		all = all[len(part):]
		c.write(func(tx *db.Tx) error { return PutSales(tx, load, part) })
	}
	c.write(func(tx *db.Tx) error { return ApplyLoad(tx, load) })
}

// years is what a site has seen of a festival before 2026, as year: ratio on some days from the festival.
func (c *chain) years(site id.ID, f cal.Festival, category id.ID, offsets ...int) string {
	c.t.Helper()
	var b strings.Builder
	if err := c.d.Read(c.t.Context(), func(tx *db.Tx) error {
		b.Reset()
		all, err := FestivalYears(tx, site, f, 2026)
		for _, y := range all {
			fmt.Fprint(&b, y.Year, ":")
			for _, o := range offsets {
				if r, _, _, ok := y.On(category, o); ok {
					fmt.Fprint(&b, " ", r)
				} else {
					fmt.Fprint(&b, " -")
				}
			}
			fmt.Fprint(&b, "; ")
		}
		return err
	}); err != nil {
		c.t.Fatal(err)
	}
	return b.String()
}

func (c *chain) stored() (text string) {
	c.t.Helper()
	if err := c.d.Read(c.t.Context(), func(tx *db.Tx) error {
		text = ""
		rows := tx.Query(`SELECT site_id, festival, year, stale, body FROM forecast_festival ORDER BY site_id, festival, year`)
		defer rows.Close()
		for rows.Next() {
			var site id.ID
			var key, body string
			var year, stale int64
			if err := rows.Scan(&site, &key, &year, &stale, &body); err != nil {
				return err
			}
			text += fmt.Sprintln(site, key, year, stale, body)
		}
		return rows.Err()
	}); err != nil {
		c.t.Fatal(err)
	}
	return text
}

// Dragon Boat is on 2024-06-10 and 2025-05-31. Ten a day are sold, 31 two days before, and the shop is shut on the day
// itself; the second shop sells twenty whatever day it is, of the same kind of goods.
func TestWhatAFestivalDidToACategoryIsLearnedDayByDay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		var rice, drinks *catalog.Category
		c.write(func(tx *db.Tx) (err error) {
			if rice, err = c.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "粽子"}); err != nil {
				return err
			}
			drinks, err = c.goods.CreateCategory(tx, catalog.CategoryDraft{Name: "饮料"})
			return err
		})
		made := func(code string, category id.ID) (p *catalog.Product) {
			c.write(func(tx *db.Tx) (err error) {
				p, err = c.goods.Create(tx, catalog.Draft{Code: code, Name: code, BaseUnit: "piece", CategoryID: category, Units: []catalog.UnitDraft{{Name: "piece", Num: 1}}, TaxPct: 1300})
				return err
			})
			return p
		}
		run := func() {
			c.call(c.admin, "POST", "/api/forecasts/run", m{}, 200)
			c.work()
		}
		zongzi, cola, late := made("zongzi", rice.ID), made("cola", drinks.ID), made("late", rice.ID)
		peaks := map[cal.Date]int64{"2024-06-08": 31, "2025-05-29": 31, "2025-05-30": 20, "2024-06-10": 0, "2025-05-31": 0}
		c.flat(c.mine, zongzi, 700, 10, peaks, "2025-05-30")
		c.flat(c.mine, cola, 700, 40, map[cal.Date]int64{"2024-06-10": 0, "2025-05-31": 0})
		c.flat(c.mine, late, 280, 500, map[cal.Date]int64{"2025-05-31": 0}) // begins with the level's days: it says nothing of 2025
		c.flat(c.theirs, zongzi, 400, 20, nil)
		run()
		if got := c.years(c.mine, cal.DragonBoat, rice.ID, -11, -10, -3, -2, 0, 3, 4); got != "2024: - 1000 1000 3100 - 1000 -; 2025: - 1000 1000 3100 - 1000 -; " {
			t.Errorf("rice dumplings: %s", got)
		}
		if got := c.years(c.mine, cal.DragonBoat, drinks.ID, -2, -1); got != "2024: 1000 1000; 2025: 1000 1000; " {
			t.Errorf("drinks: %s", got)
		}
		// Sold out at noon with twenty: the estimate of what was wanted counts, not what was there.
		var wanted int64
		if _, err := fmt.Sscanf(c.years(c.mine, cal.DragonBoat, rice.ID, -1), "2024: 1000; 2025: %d;", &wanted); err != nil || wanted <= 2000 || wanted > 4500 {
			t.Errorf("the day that sold out: %d (%v)", wanted, err)
		}
		// All goods of the shop: (31 + 40) ÷ (10 + 40). Over both shops 2025: (31 + 20) ÷ (10 + 20), 2024 the first alone.
		if got := c.years(c.mine, cal.DragonBoat, 0, -2); got != "2024: 1420; 2025: 1420; " {
			t.Errorf("all goods: %s", got)
		}
		if got := c.years(AllSites, cal.DragonBoat, rice.ID, -2, -3, 0); got != "2024: 3100 1000 -; 2025: 1700 1000 1000; " {
			t.Errorf("the group: %s", got)
		}
		if got := c.years(c.theirs, cal.DragonBoat, rice.ID, -2); got != "2025: 1000; " {
			t.Errorf("the other shop: %s", got)
		}
		// Lantern comes after Spring Festival, whose days are none of its level.
		if got := c.years(c.mine, cal.Lantern, rice.ID, 0); got != "2025: 1000; " {
			t.Errorf("lantern: %s", got)
		}
		before := c.stored()
		run()
		if c.stored() != before {
			t.Error("the same again wrote other rows")
		}
		c.proven()
		// A late file speaks of 2024 once more: it is learned again, and so is the group.
		c.flat(c.mine, zongzi, 700, 10, map[cal.Date]int64{"2024-06-08": 41, "2025-05-29": 31, "2024-06-10": 0, "2025-05-31": 0})
		run()
		if got := c.years(c.mine, cal.DragonBoat, rice.ID, -2); got != "2024: 4100; 2025: 3100; " {
			t.Errorf("after the correction: %s", got)
		}
		if got := c.years(AllSites, cal.DragonBoat, rice.ID, -2); got != "2024: 4100; 2025: 1700; " {
			t.Errorf("the group after it: %s", got)
		}
		c.proven()
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE forecast_festival SET body = '[]' WHERE site_id = $1 AND festival = 'dragon_boat' AND year = 2025`, c.theirs)
		})
		if bad, err := festivalsWrong(c); err != nil || bad != 1 {
			t.Errorf("%d sums are red, %v", bad, err)
		}
	}, tables)
}

func festivalsWrong(c *chain) (bad int, err error) {
	err = c.d.Read(c.t.Context(), func(tx *db.Tx) error {
		r, err := festivalsAddUp(tx)
		bad = int(r.Bad)
		return err
	})
	return bad, err
}

// What began after the days of the level, what never sold again and a shop elsewhere teach nothing.
func TestAFestivalWithoutALevelTeachesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE org_site SET time_zone = 'Europe/London' WHERE id = $1`, c.theirs)
		})
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		gone := c.product("B002", "下架", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		slow := c.product("B003", "慢", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		c.flat(c.mine, bun, 290, 10, nil) // from 2025-05-16 on: Dragon Boat's level begins before
		none := map[cal.Date]int64{}
		for k := 1; k <= 290; k++ {
			if date := c.today.AddDays(-k); date >= "2025-09-10" {
				none[date] = 0 // Mid-Autumn is on 2025-10-06, its days from 2025-09-26 on
			}
		}
		c.flat(c.mine, gone, 290, 100, none)
		c.flat(c.mine, slow, 290, 0, map[cal.Date]int64{"2025-06-01": 1, "2025-08-25": 1, "2026-02-01": 1})
		c.flat(c.theirs, bun, 290, 10, nil)
		c.call(c.admin, "POST", "/api/forecasts/run", m{}, 200)
		c.work()
		if got := c.years(c.mine, cal.DragonBoat, 0, -1); got != "" {
			t.Errorf("begun too late: %s", got)
		}
		if got := c.years(c.mine, cal.MidAutumn, 0, -1); got != "2025: 1000; " {
			t.Errorf("mid-autumn: %s", got)
		}
		if got := c.years(c.mine, cal.SpringFestival, 0, -1); got != "" {
			t.Errorf("a festival that is not over: %s", got)
		}
		if got := c.years(c.theirs, cal.MidAutumn, 0, -1); got != "" {
			t.Errorf("London keeps no Mid-Autumn: %s", got)
		}
	}, tables)
}
