package forecast

import (
	"fmt"
	"testing"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

// BenchmarkANightKeepsItsWord is what a night spends on keeping what it says of a site's 300 products and on judging the last
// week by what earlier nights said.
//
//	go test ./internal/forecast -run '^$' -bench KeepsItsWord
func BenchmarkANightKeepsItsWord(b *testing.B) {
	const perSite, days, nights = 300, 120, 30
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(fmt.Sprint(engine), func(b *testing.B) {
			c := newChain(b, dbtest.New(b, engine, tables))
			w := newTown(days)
			made := &madeSite{site: org.Site{ID: c.mine}}
			for i := range perSite {
				w.product(fmt.Sprintf("p%05d", i), 2+float64(i%40), func(int) float64 { return 1 })
				row := madeProduct{product: product{id: id.ID(1<<60 + i), category: id.ID(1 + i%12), perUnit: 1}}
				for range Ahead {
					n := int64(2+i%40) * milli
					row.days = append(row.days, storedDay{n, n, n + 1200, n + 2100, n + 3700, n + 5300})
				}
				made.rows, made.worths = append(made.rows, row), append(made.worths, 1200)
			}
			made.engine = NewEngine(w.panel(), Options{Horizon: Ahead, Workers: 1})
			last := made.engine.p.First.AddDays(days - 1)
			s := New(c.goods)
			night := func(back int) {
				made.run.Origin = last.AddDays(-back)
				if err := s.promise(b.Context(), c.d.DB, made); err != nil {
					b.Fatal(err)
				}
			}
			for back := nights; back > 0; back-- {
				night(back)
			}
			n := 0
			for b.Loop() {
				b.StopTimer()
				c.write(func(tx *db.Tx) error { // as if the last night had not been
					if err := tx.Exec(`DELETE FROM forecast_promise WHERE site_id = $1 AND origin = $2`, c.mine, last); err != nil {
						return err
					}
					return tx.Exec(`DELETE FROM forecast_kept WHERE site_id = $1 AND date = $2`, c.mine, last)
				})
				b.StartTimer()
				night(0)
				n++
			}
			var said, kept int64
			if err := c.d.Read(b.Context(), func(tx *db.Tx) error {
				return tx.QueryRow(`SELECT (SELECT MAX(LENGTH(body)) FROM forecast_promise), (SELECT MAX(LENGTH(products) + LENGTH(sums)) FROM forecast_kept)`).Scan(&said, &kept)
			}); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(n)*300, "s/90000-series")
			b.ReportMetric(float64(said*promiseDays+kept*keptDays)*300/1e6, "MB/90000-series")
		})
	}
}
