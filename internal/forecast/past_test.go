package forecast

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// said is all a history tells the engine, NaN included.
func said(h *history) string {
	if h == nil {
		return "nothing"
	}
	var b strings.Builder
	fmt.Fprintln(&b, h.origin, h.until, h.first, len(h.weather), h.lunar)
	for i := range h.series {
		fmt.Fprintf(&b, "%v %v\n", h.products[i], h.series[i])
	}
	return b.String()
}

// both reads the history as the night does, and once more without a pack; they must say the same. It tells whether the
// night used a pack.
func (c *chain) both(s *Service, what string, site id.ID) (packed bool) {
	c.t.Helper()
	quick, err := s.read(c.t.Context(), c.d.DB, site)
	if err != nil {
		c.t.Fatal(err)
	}
	type row struct {
		first, until, sum string
		till              int64
		body              []byte
	}
	var kept row
	c.write(func(tx *db.Tx) error {
		if err := tx.QueryRow(pastOfSite, site).Scan(&kept.first, &kept.until, &kept.till, &kept.sum, &kept.body); err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM forecast_past WHERE site_id = $1`, site)
	})
	whole, err := s.read(c.t.Context(), c.d.DB, site)
	if err != nil {
		c.t.Fatal(err)
	}
	if a, b := said(quick), said(whole); a != b {
		c.t.Fatalf("%s: the night reads\n%.2000s\nall there is says\n%.2000s", what, a, b)
	}
	if whole.packed {
		c.t.Fatalf("%s: a pack that is gone was read", what)
	}
	c.write(func(tx *db.Tx) error {
		return tx.Exec(putPast, site, kept.first, kept.until, kept.till, kept.sum, kept.body)
	})
	return quick.packed
}

// file imports a sales file.
func (c *chain) file(days ...SaleDay) {
	c.t.Helper()
	load := id.New()
	c.open(load, days...)
	c.write(func(tx *db.Tx) error { return ApplyLoad(tx, load) })
}

func (c *chain) open(load id.ID, days ...SaleDay) {
	c.t.Helper()
	c.write(func(tx *db.Tx) error {
		if err := OpenLoad(tx, load); err != nil {
			return err
		}
		return PutSales(tx, load, days)
	})
}

func TestANightReadsTheLastDaysAndSaysWhatAllOfThePastSays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		s := New(c.goods)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		beef := c.product("B002", "卤牛肉", "g", catalog.UnitDraft{Name: "kg", Num: 1000})
		tea := c.product("B003", "奶茶", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		c.sold(c.mine, bun, 400, 40, 1)
		c.sold(c.mine, beef, 830, 7, 1000)
		c.sold(c.theirs, bun, 300, 12, 1)
		used := func(what string, want bool) {
			t.Helper()
			if got := c.both(s, what, c.mine); got != want {
				t.Fatalf("%s: a pack was read: %v", what, got)
			}
		}
		day := func(ago int, p *catalog.Product, units int64) SaleDay {
			fen, out := money.Fen(units*350), int64(1100)
			return SaleDay{SaleKey: SaleKey{c.mine, p.ID, c.today.AddDays(-ago)}, Qty: qty.Qty(units * 1000), Amount: &fen, Promo: units%2 == 0, SoldOut: &out,
				Slots: []SlotQty{{18, qty.Qty(units * 400)}, {25, qty.Qty(units * 600)}}}
		}
		used("the first night", false)
		used("the same night again", true)
		for range 12 { // over the week after which it is packed anew
			c.days(1, c.mine, bun, beef)
			used("a day more", true)
		}
		c.file(day(3, bun, 77), day(10, beef, 31))
		used("a late file within two weeks", true)
		c.file(day(3, tea, 5))
		used("a product that is new", true)
		c.file(day(40, bun, 91))
		used("a file that corrects a day six weeks ago", false)
		used("the night after it", true)
		c.file(day(2, bun, 12), day(300, beef, 400))
		used("a file of days old and new", false)
		used("the night after that", true)
		c.file(SaleDay{SaleKey: SaleKey{c.theirs, bun.ID, c.today.AddDays(-200)}, Qty: 5 * qty.Scale})
		used("another shop's old day", true)
		c.file(day(700, tea, 8))
		used("the past of a new product", false)
		// A file that is being read counts when it is in force, also when that comes after others that were begun later.
		slow := id.New()
		c.open(slow, day(60, bun, 55), day(61, bun, 56))
		used("an old file that is not in force", true)
		c.file(day(1, bun, 30))
		used("a young one", true)
		c.write(func(tx *db.Tx) error {
			return tx.Exec(`UPDATE forecast_load SET applied_no = $1 WHERE id = $2`, 2, slow) // before all others by its number
		})
		used("the old one comes into force, by its number before those that are packed", false)
		used("and is packed", true)
		// The tills speak again of a day long ago: more, less, nothing.
		for _, days := range [][]SaleDay{{day(33, bun, 9), day(33, tea, 2)}, {day(33, bun, 8)}, {}} {
			c.write(func(tx *db.Tx) error { return PutTillDay(tx, c.mine, c.today.AddDays(-33), days) })
			used("the tills speak again of an old day", false)
			used("and no more", true)
		}
		c.write(func(tx *db.Tx) error {
			return PutTillDay(tx, c.mine, c.today.AddDays(-5), []SaleDay{day(5, bun, 3)})
		})
		used("the tills speak of last week", true)
		// Goods are read as they are now.
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_past SET sum = $1`, strings.Repeat("0", 64)) })
		used("a pack whose sum is wrong", false)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_past SET body = $1`, []byte{packVersion, 200}) })
		used("a pack that is cut off", false)
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_past SET until = $1`, c.today) })
		used("a pack of days that are not over", false)
		used("and a good one again", true)
		// Nothing was forecast for a long while.
		d.Clock.Add(40 * 24 * time.Hour)
		c.today = c.today.AddDays(40)
		c.file(day(1, bun, 20), day(38, beef, 9))
		used("after forty days", true)
		d.Clock.Add(150 * 24 * time.Hour)
		c.today = c.today.AddDays(150)
		c.days(1, c.mine, bun)
		used("after half a year", false)
	}, tables)
}

// Days come, are corrected early and late, by tills and by files that come into force in any order: whatever is packed when,
// the night says what all of the past says.
func TestWhateverIsCorrectedWhenTheNightMissesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		s := New(c.goods)
		var goods []*catalog.Product
		for i := range 4 {
			goods = append(goods, c.product(fmt.Sprint("B00", i), fmt.Sprint("点心", i), "piece", catalog.UnitDraft{Name: "piece", Num: 1}))
		}
		r := rand.New(rand.NewPCG(7, 11))
		for i, p := range goods[:3] {
			c.sold(c.mine, p, 90+250*i, 10, 1)
		}
		some := func(n, oldest int) (days []SaleDay) {
			seen := map[SaleKey]bool{}
			for range n {
				k := SaleKey{c.mine, goods[r.IntN(len(goods))].ID, c.today.AddDays(-1 - r.IntN(oldest))}
				if seen[k] {
					continue
				}
				seen[k] = true
				x := SaleDay{SaleKey: k, Qty: qty.Qty(r.IntN(60) * 500), Promo: r.IntN(3) == 0}
				if r.IntN(2) == 0 {
					fen := money.Fen(r.IntN(9000))
					x.Amount = &fen
				}
				if x.Qty > 0 && r.IntN(2) == 0 {
					x.Slots = []SlotQty{{int64(14 + r.IntN(30)), x.Qty}}
				}
				if r.IntN(5) == 0 {
					out := int64(900 + r.IntN(500))
					x.SoldOut = &out
				}
				days = append(days, x)
			}
			return days
		}
		var waiting []id.ID
		var used [2]int
		for i := range 40 {
			var what string
			switch k := r.IntN(9); {
			case k < 4:
				what = "a day of the tills"
				c.days(1+r.IntN(3), c.mine, goods[:2]...)
			case k < 5:
				what = "a file of some days"
				c.file(some(6, 12)...)
			case k < 6:
				what = "a file of the past"
				c.file(some(6, 900)...)
			case k < 7:
				what = "a file begun"
				load := id.New()
				c.open(load, some(5, 100)...)
				waiting = append(waiting, load)
			case k < 8 && len(waiting) > 0:
				what = "a file in force late"
				load := waiting[0]
				waiting = waiting[1:]
				c.write(func(tx *db.Tx) error { return ApplyLoad(tx, load) })
			default:
				what = "a day of the tills again"
				date := c.today.AddDays(-1 - r.IntN(60))
				var days []SaleDay
				for _, x := range some(3, 1) {
					x.Date = date
					days = append(days, x)
				}
				c.write(func(tx *db.Tx) error { return PutTillDay(tx, c.mine, date, days) })
			}
			if c.both(s, fmt.Sprint(i, " ", what), c.mine) {
				used[1]++
			} else {
				used[0]++
			}
		}
		if used[0] < 4 || used[1] < 10 {
			t.Errorf("read whole %d times, from a pack %d times: this shows nothing", used[0], used[1])
		}
	}, tables)
}

func TestTheProofSeesAPackThatSaysOtherThanWhatWasSold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		c := newChain(t, d)
		bun := c.product("B001", "鲜肉包", "piece", catalog.UnitDraft{Name: "piece", Num: 1})
		c.sold(c.mine, bun, 60, 40, 1)
		c.forecast()
		c.proven()
		red := func(says string) {
			t.Helper()
			report, err := proof.Run(t.Context(), d.DB, Proofs())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range report.Proofs {
				if p.Name == "forecast_packs_say_what_was_sold" && len(p.Evidence) == 1 && strings.Contains(p.Evidence[0], says) {
					return
				}
			}
			t.Errorf("no proof says %q: %+v", says, report)
		}
		const oneDay = `UPDATE forecast_sale_day SET qty = qty + $1 WHERE product_id = $2 AND date = $3`
		change := func(by int) {
			c.write(func(tx *db.Tx) error { return tx.Exec(oneDay, by, bun.ID, c.today.AddDays(-40)) })
		}
		change(1)
		red("has another history of product")
		change(-1)
		c.proven()
		c.write(func(tx *db.Tx) error { return tx.Exec(`UPDATE forecast_past SET body = $1`, []byte{packVersion, 0, 0}) })
		red("can't be read")
	}, tables)
}

func TestAPackSaysWhatWentIntoItAndNoNoiseIsTakenForOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 5))
	p := past{first: "2024-01-08", until: "2026-02-15", loads: []id.ID{3, 900719925474099}}
	for i := range 20 {
		x := pastProduct{id: id.ID(10 + i), slots: slotSums{}}
		for day := p.first.Number() + r.IntN(50); day <= p.until.Number(); day += 1 + r.IntN(4) {
			d := pastDay{day: day, qty: r.Int64N(1 << 40), amount: r.Int64N(1<<30) - 1, soldOut: int16(r.IntN(2880) - 1), promo: r.IntN(2) == 0}
			if d.amount < 0 {
				d.amount = -1
			}
			x.days = append(x.days, d)
			x.slots.of(day)[r.IntN(daySlots)] += d.qty
		}
		p.products = append(p.products, x)
	}
	p.products = append(p.products, pastProduct{id: 99, days: []pastDay{{day: p.until.Number(), amount: -1, soldOut: -1}}, slots: slotSums{}})
	body := p.encode()
	got := past{first: p.first, until: p.until}
	if !got.decode(body) {
		t.Fatal("what was packed can't be read")
	}
	if !reflect.DeepEqual(got.loads, p.loads) || len(got.products) != len(p.products) {
		t.Fatalf("%d products, loads %v", len(got.products), got.loads)
	}
	for i := range p.products {
		if !reflect.DeepEqual(got.products[i], p.products[i]) {
			t.Fatalf("product %d came back as %+v", i, got.products[i])
		}
	}
	for n := range len(body) {
		if (&past{first: p.first, until: p.until}).decode(body[:n]) {
			t.Fatalf("the first %d bytes of %d are taken for a pack", n, len(body))
		}
		if n > 3000 {
			break
		}
	}
	for range 5000 { // noise may be taken for another pack, but never ends the night
		noise := append([]byte{}, body[:2000]...)
		for range 1 + r.IntN(8) {
			noise[1+r.IntN(len(noise)-1)] = byte(r.IntN(256))
		}
		(&past{first: p.first, until: p.until}).decode(noise)
	}
	if firstDay(cal.Date("2026-03-01")).Number()%slotPeriod != 0 {
		t.Error("a forecast looks back to within a period")
	}
}

// BenchmarkANightOfAChain is the night as the job does it, from a database with two years of 300 products in each store, half
// hours and all: the night that reads everything and packs it, and the next, which reads two weeks. The model and what it
// remembers are those of the first store, so that training takes no time. ZHANGGUI_SERIES sets another size:
//
//	ZHANGGUI_SERIES=3000 go test ./internal/forecast -run '^$' -bench ANightOfAChain/sqlite -benchtime 1x
func BenchmarkANightOfAChain(b *testing.B) {
	const perSite, days = 300, 730
	stores := 2
	if n, err := strconv.Atoi(os.Getenv("ZHANGGUI_SERIES")); err == nil && n > perSite {
		stores = n / perSite
	}
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(strings.ToLower(engine.String()), func(b *testing.B) {
			c := newChain(b, dbtest.New(b, engine, tables))
			s := New(c.goods)
			var goods []*catalog.Product
			for i := range perSite {
				goods = append(goods, c.product(fmt.Sprintf("B%03d", i), fmt.Sprint("商品", i), "piece", catalog.UnitDraft{Name: "piece", Num: 1}))
			}
			r := rand.New(rand.NewPCG(1, 2))
			load := id.New()
			c.write(func(tx *db.Tx) error { return OpenLoad(tx, load) })
			for i, p := range goods {
				var sold []SaleDay
				for k := 60; k >= 1; k-- {
					n := int64(1 + poisson(r, float64(3+i%40)))
					fen := money.Fen(n * 350)
					x := SaleDay{SaleKey: SaleKey{c.mine, p.ID, c.today.AddDays(-k)}, Qty: qty.Qty(n * 1000), Amount: &fen}
					for h := range min(n, 12) {
						q := qty.Qty(1000)
						if h == 0 {
							q = x.Qty - qty.Qty(min(n, 12)-1)*1000
						}
						x.Slots = append(x.Slots, SlotQty{15 + 2*h, q})
					}
					sold = append(sold, x)
				}
				c.write(func(tx *db.Tx) error { return PutSales(tx, load, sold) })
			}
			c.write(func(tx *db.Tx) error { return ApplyLoad(tx, load) })
			if err := s.Make(b.Context(), c.d.DB, []id.ID{c.mine}, Course{Save: func(*db.Tx, []id.ID) error { return nil }, Progress: func(int, string) {}}); err != nil {
				b.Fatal(err)
			}
			// Two years: the same sixty days before themselves, and all of it in the other stores.
			const copyDays = `INSERT INTO forecast_sale_day (site_id, product_id, date, load_id, qty, amount_fen, promo, sold_out_min, slots)
				SELECT site_id, product_id, $1, load_id, qty, amount_fen, promo, sold_out_min, slots FROM forecast_sale_day WHERE site_id = $2 AND date = $3`
			for k := 61; k <= days; k++ {
				c.write(func(tx *db.Tx) error {
					return tx.Exec(copyDays, c.today.AddDays(-k), c.mine, c.today.AddDays(-1-(k-1)%56))
				})
			}
			all := []id.ID{c.mine}
			for k := 1; k < stores; k++ {
				site := c.id(c.call(c.admin, "POST", "/api/org/sites", m{"code": fmt.Sprint("N", k), "name": fmt.Sprint("店", k), "kind": "store",
					"entity_id": c.entity}, 200).body["id"])
				all = append(all, site)
			}
			for _, site := range all {
				c.write(func(tx *db.Tx) error {
					if site != c.mine {
						if err := tx.Exec(`INSERT INTO forecast_sale_day (site_id, product_id, date, load_id, qty, amount_fen, promo, sold_out_min, slots)
							SELECT $1, product_id, date, load_id, qty, amount_fen, promo, sold_out_min, slots FROM forecast_sale_day WHERE site_id = $2`, site, c.mine); err != nil {
							return err
						}
						if err := tx.Exec(`INSERT INTO forecast_memory (site_id, model_id, series, seen, body)
							SELECT $1, model_id, series, seen, body FROM forecast_memory WHERE site_id = $2`, site, c.mine); err != nil {
							return err
						}
					}
					return tx.Exec(`DELETE FROM forecast_past`)
				})
			}
			var body []byte
			c.write(func(tx *db.Tx) error {
				remembered := &siteMemory{}
				if err := tx.QueryRow(`SELECT body FROM forecast_memory WHERE site_id = $1`, c.mine).Scan(&body); err != nil {
					return err
				}
				err := decode(body, remembered)
				if remembered.Seen = perSite * seenDays; err == nil {
					body, err = encode(remembered)
				}
				if err != nil {
					return err
				}
				return tx.Exec(`UPDATE forecast_memory SET body = $1`, body)
			})
			night := func() float64 {
				began := time.Now()
				if err := s.Make(b.Context(), c.d.DB, all, Course{Save: func(*db.Tx, []id.ID) error { return nil }, Progress: func(int, string) {}}); err != nil {
					b.Fatal(err)
				}
				return time.Since(began).Seconds() * 90_000 / float64(perSite*stores)
			}
			if engine == db.Postgres { // as its autovacuum does in a shop that lives
				c.write(func(tx *db.Tx) error { return tx.Exec(`ANALYZE`) })
			}
			trained := c.count(models)
			for b.Loop() {
				b.ReportMetric(night(), "s/90000-whole")
				for _, site := range all {
					var sold []SaleDay
					for i, p := range goods {
						sold = append(sold, SaleDay{SaleKey: SaleKey{site, p.ID, c.today}, Qty: qty.Qty(5+i%40) * qty.Scale, Slots: []SlotQty{{20, qty.Qty(5+i%40) * qty.Scale}}})
					}
					c.write(func(tx *db.Tx) error { return PutTillDay(tx, site, c.today, sold) })
				}
				c.d.Clock.Add(24 * time.Hour)
				c.today = c.today.AddDays(1)
				b.ReportMetric(night(), "s/90000")
			}
			if n := c.count(models); n != trained {
				b.Fatalf("%d trainings", n-trained)
			}
			b.ReportMetric(float64(c.count(`SELECT SUM(LENGTH(body)) FROM forecast_past`))/float64(perSite*stores), "packed-B/series")
		})
	}
}
