package forecast

import (
	"cmp"
	"context"
	"math"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// A forecast drifts when it is wrong in one direction day after day, or further off than it used to be. One bad day says
// nothing; the alarm weighs a fortnight of what the nights really said one day before (promise.go).

const (
	driftDays   = 14  // judged days that are weighed
	driftBefore = 28  // days before them, to compare with
	driftLeast  = 10  // judged days under which nothing is said
	driftBias   = .10 // of the demand: less is not worth anybody's time
	driftWorse  = 1.5 // times the error before, and times what chance alone leaves
	driftSigns  = 3.0 // standard errors: of chance alone fewer than one member in a hundred is named
	driftItems  = 50
)

// Ways of drifting.
const (
	driftHigh = "high"
	driftLow  = "low"
	driftFar  = "worse"
)

// DriftIn chooses where to look.
type DriftIn struct {
	SiteID id.ID `query:"site_id" doc:"left out: the sites within reach and their categories; products are looked at for one site"`
}

// Drifts are the members that drift.
type Drifts struct {
	Items  []Drift `json:"items" doc:"the costliest first, at most 50"`
	Looked int64   `json:"looked" doc:"sites, categories and products with enough judged days"`
}

// Drift is a site, category or product whose forecasts are no longer what they were.
type Drift struct {
	SiteID     id.ID    `json:"site_id"`
	SiteName   string   `json:"site_name"`
	Level      string   `json:"level" enum:"store,category,product"`
	ID         id.ID    `json:"id"`
	Name       string   `json:"name"`
	Kind       string   `json:"kind" enum:"high,low,worse" doc:"too much is forecast, too little, or further off than before"`
	Days       int64    `json:"days" doc:"judged days that were weighed"`
	Since      cal.Date `json:"since" doc:"the first of them"`
	Bias       *float64 `json:"bias" doc:"Σ error ÷ Σ demand of these days; above 0: too much was forecast"`
	Wape       *float64 `json:"wape" doc:"Σ|error| ÷ Σ demand of these days"`
	WapeBefore *float64 `json:"wape_before,omitempty" doc:"the same of the 28 days before"`

	cost float64 // fen
}

// judgedDay is what was said of a member one day before, what was wanted, and how far off chance alone leaves one who knows
// the mean; in one measure.
type judgedDay struct {
	date                   cal.Date
	said, demanded, chance float64
}

// drift weighs a member's judged days, oldest first; ok is false when there are too few of them, kind empty when all is well.
//
// The direction is told by Σe ÷ √Σe², a self-normalised sum: it needs no knowledge of how noisy the member is, and one enormous
// day can not pass it alone. The distance is told by Welch's t of |e| ÷ mean demand in the two spans.
func drift(days []judgedDay) (d Drift, ok bool) {
	if len(days) < driftLeast {
		return d, false
	}
	now := days[max(0, len(days)-driftDays):]
	from := now[0].date
	before := days[:len(days)-len(now)]
	for len(before) > 0 && from.Sub(before[0].date) > driftBefore {
		before = before[1:]
	}
	var sum, squares, off, wanted, chance float64
	for _, x := range now {
		e := x.said - x.demanded
		sum, squares, off, wanted, chance = sum+e, squares+e*e, off+math.Abs(e), wanted+x.demanded, chance+x.chance
	}
	d = Drift{Days: int64(len(now)), Since: from, Bias: share(sum, wanted), Wape: share(off, wanted)}
	mean, spread := awayFrom(now)
	meanBefore, spreadBefore := awayFrom(before)
	if len(before) >= driftLeast {
		d.WapeBefore = share(meanBefore, 1)
	}
	switch {
	case squares == 0:
	case math.Abs(sum) >= driftSigns*math.Sqrt(squares) && math.Abs(sum) >= driftBias*wanted:
		d.Kind, d.cost = driftHigh, math.Abs(sum)
		if sum < 0 {
			d.Kind = driftLow
		}
	case len(before) >= driftLeast && mean >= driftWorse*meanBefore && off >= driftWorse*chance && mean-meanBefore >= driftSigns*math.Sqrt(spread+spreadBefore):
		d.Kind, d.cost = driftFar, off*(1-meanBefore/mean)
	}
	return d, true
}

// awayFrom is the mean of |error| ÷ mean demand and the variance of that mean.
func awayFrom(days []judgedDay) (mean, variance float64) {
	n := float64(len(days))
	var off, squares, wanted float64
	for _, x := range days {
		e := math.Abs(x.said - x.demanded)
		off, squares, wanted = off+e, squares+e*e, wanted+x.demanded
	}
	if n < 2 || wanted <= 0 {
		return 0, 0
	}
	return off / wanted, max(0, squares-off*off/n) / (n - 1) / n * (n / wanted) * (n / wanted)
}

func (s *Service) drifts(ctx context.Context, tx *db.Tx, in *DriftIn) (*Drifts, error) {
	if in.SiteID != 0 {
		if _, err := siteOf(ctx, permRead, in.SiteID); err != nil {
			return nil, err
		}
	}
	type key struct{ site, member id.ID } // member 0: the site
	from := cal.On(tx.Now()).AddDays(-driftDays - driftBefore)
	out := &Drifts{Items: []Drift{}}
	weigh := func(days []judgedDay, level string, k key, worth float64) {
		d, ok := drift(days)
		if !ok {
			return
		}
		if out.Looked++; d.Kind != "" {
			d.Level, d.SiteID, d.ID, d.cost = level, k.site, cmp.Or(k.member, k.site), d.cost*worth
			out.Items = append(out.Items, d)
		}
	}

	sums := map[key][]judgedDay{}
	var order []key
	rows := tx.Query(keptSums, append(org.SitesOf(ctx, permRead).Args(), in.SiteID, from)...)
	defer rows.Close()
	for rows.Next() {
		var site id.ID
		var date cal.Date
		var text string
		if err := rows.Scan(&site, &date, &text); err != nil {
			return nil, err
		}
		var of []keptSum
		if err := unpack(text, &of); err != nil {
			return nil, err
		}
		for _, x := range of {
			if h := &x.H[0]; h.N > 0 {
				k := key{site, x.Category}
				if sums[k] == nil {
					order = append(order, k)
				}
				sums[k] = append(sums[k], judgedDay{date, h.Mean, h.Actual, math.Sqrt(2 / math.Pi * h.Var)})
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, k := range order {
		level := "category"
		if k.member == 0 {
			level = "store"
		}
		weigh(sums[k], level, k, 1)
	}

	if in.SiteID != 0 {
		products := map[id.ID][]judgedDay{}
		worth := map[id.ID]float64{}
		if err := eachBody(tx.Query(keptOf, in.SiteID, from), func(date cal.Date, body []byte) error {
			var lines []keptProduct
			if err := gobTo(body, &lines); err != nil {
				return err
			}
			for i := range lines {
				if k := &lines[i]; k.Fate != fateClosed && k.Means[0] >= 0 {
					said := float64(k.Means[0]) / milli
					products[k.Product] = append(products[k.Product], judgedDay{date, said, float64(k.Demand) / milli, poissonError(said)})
					worth[k.Product] = float64(k.Worth)
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
		for _, p := range sortedKeys(products) {
			weigh(products[p], "product", key{in.SiteID, p}, worth[p])
		}
	}
	slices.SortStableFunc(out.Items, func(a, b Drift) int { return cmp.Compare(b.cost, a.cost) })
	out.Items = out.Items[:min(len(out.Items), driftItems)]
	return out, s.nameDrifts(tx, out.Items)
}

func (s *Service) nameDrifts(tx *db.Tx, items []Drift) error {
	categories := map[id.ID]string{}
	var goods []id.ID
	for _, d := range items {
		switch d.Level {
		case "category":
			if len(categories) == 0 {
				all, err := catalog.Categories(tx)
				if err != nil {
					return err
				}
				for _, c := range all {
					categories[c.ID] = c.Name
				}
			}
		case "product":
			goods = append(goods, d.ID)
		}
	}
	products, err := s.goods.Products(tx, goods)
	if err != nil {
		return err
	}
	for i := range items {
		d := &items[i]
		site, err := org.SiteByID(tx, d.SiteID)
		if err != nil {
			return err
		}
		d.SiteName = site.Name
		switch d.Level {
		case "store":
			d.Name = site.Name
		case "category":
			d.Name = categories[d.ID]
		case "product":
			if p := products[d.ID]; p != nil {
				d.Name = p.Name
			}
		}
	}
	return nil
}
