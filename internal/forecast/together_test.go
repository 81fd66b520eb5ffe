package forecast

import (
	"math/rand/v2"
	"testing"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
)

// Twelve products of a shop whose errors share so much of their variance: what is found is near it, and a shop of which few
// days are known says nothing.
func TestHowFarTheProductsOfAShopMoveTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		const today = cal.Date("2026-03-02")
		for n, shop := range []struct {
			days    int
			common  float64 // of the standard deviation
			between [2]int64
			known   bool
		}{{28, .7, [2]int64{350_000, 650_000}, true}, {28, 0, [2]int64{-100_000, 100_000}, true}, {5, .7, [2]int64{0, 0}, false}, {0, 0, [2]int64{0, 0}, false}} {
			r := rand.New(rand.NewPCG(uint64(n), 7))
			own := 1 - shop.common*shop.common
			site := id.ID(100 + n)
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				for day := range shop.days {
					all := r.NormFloat64() * shop.common
					var lines []keptProduct
					for p := range 12 {
						k := keptProduct{Product: id.ID(p + 1)}
						k.Means[0] = int64(20+p) * milli
						k.Demand = k.Means[0] + int64(4*milli*(all+own*r.NormFloat64()))
						lines = append(lines, k)
					}
					shut := keptProduct{Product: 99, Fate: fateClosed, Demand: 9e9} // says nothing
					body, err := gobOf(append(lines, shut))
					if err != nil {
						return err
					}
					if err := tx.Exec(`INSERT INTO forecast_kept (site_id, date, products, sums) VALUES ($1, $2, $3, '[]')`, site, today.AddDays(-1-day), body); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := d.Read(t.Context(), func(tx *db.Tx) error {
				ppm, days, err := Together(tx, site, today)
				if err != nil {
					return err
				}
				if days > 0 != shop.known || ppm < shop.between[0] || ppm > shop.between[1] {
					t.Errorf("shop %d: %d ppm over %d days, want %v", n, ppm, days, shop.between)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}, dbtest.With(Migrations))
}
