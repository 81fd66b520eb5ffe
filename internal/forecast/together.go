package forecast

import (
	"math"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// Rain keeps everybody at home: what is sold of one product is below its forecast when that of the others is. Whoever keeps
// one stock for several products must know how far they move together.

const (
	togetherDays  = 28
	togetherLeast = 10 // judged days under which a product says nothing
)

// Together is how far the products of a site move together from day to day: the mean correlation of what nights said one day
// before with what was wanted, over pairs of products, in millionths, and the days it was seen on; 0 days where nothing is known.
func Together(tx *db.Tx, site id.ID, today cal.Date) (ppm int64, days int, err error) {
	type said struct {
		day int
		off float64
	}
	products := map[id.ID][]said{}
	if err := eachBody(tx.Query(keptOf, site, today.AddDays(-togetherDays)), func(_ cal.Date, body []byte) error {
		var lines []keptProduct
		if err := gobTo(body, &lines); err != nil {
			return err
		}
		for i := range lines {
			if k := &lines[i]; k.Fate != fateClosed && k.Means[0] >= 0 {
				products[k.Product] = append(products[k.Product], said{days, float64(k.Demand-k.Means[0]) / milli})
			}
		}
		days++
		return nil
	}); err != nil {
		return 0, 0, err
	}
	sums, squares, counts := make([]float64, days), make([]float64, days), make([]float64, days)
	for _, p := range sortedKeys(products) {
		all := products[p]
		if len(all) < togetherLeast {
			continue
		}
		var mean, v float64
		for _, x := range all {
			mean += x.off / float64(len(all))
		}
		for _, x := range all {
			v += (x.off - mean) * (x.off - mean) / float64(len(all))
		}
		if v <= 0 {
			continue
		}
		for _, x := range all {
			u := (x.off - mean) / math.Sqrt(v)
			sums[x.day], squares[x.day], counts[x.day] = sums[x.day]+u, squares[x.day]+u*u, counts[x.day]+1
		}
	}
	var pairs, seen float64
	used := 0
	for t := range sums {
		if counts[t] > 1 {
			pairs, seen = pairs+counts[t]*(counts[t]-1), seen+sums[t]*sums[t]-squares[t]
			used++
		}
	}
	if pairs == 0 {
		return 0, 0, nil
	}
	return int64(math.Round(1e6 * seen / pairs)), used, nil
}
