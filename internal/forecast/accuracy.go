package forecast

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/qty"
)

// How wrong past forecasts were. Each figure comes from the last twelve weekly forecasts, made from what was
// known on their day, against the demand of days that were open; never from fitted values. Demand is what was sold or,
// where shelves ran empty, what would have been by the time at which they did (clean.go). To leave such days out would be
// to measure against the slow ones alone, and a true forecast would look too high: in a made-up chain whose demand is
// known, 28 % of the days sold out, the bias was −3.6 %; it reads −4.2 % this way, and +7.6 % with those days left out.

// Figures of error. Pinball is 2 × mean loss ÷ mean demand; coverage the share of days at or under the quantile.
type Figures struct {
	N         int64               `json:"n" doc:"days measured"`
	SoldOut   int64               `json:"sold_out" doc:"of them sold out: measured against an estimate of the demand; 0 for sums of products"`
	Wape      *float64            `json:"wape" doc:"Σ|error| ÷ Σ demand"`
	WapeNaive *float64            `json:"wape_snaive" doc:"as on the same weekday last week"`
	WapeMean4 *float64            `json:"wape_mean4" doc:"mean of the last four same weekdays"`
	Bias      *float64            `json:"bias" doc:"Σ error ÷ Σ demand; above 0: too much was forecast"`
	Floor     *float64            `json:"noise_floor" doc:"the error that chance alone leaves to one who knows the mean"`
	Pinball   map[string]*float64 `json:"pinball" doc:"by quantile; empty for sums of products"`
	Coverage  map[string]*float64 `json:"coverage" doc:"by quantile; empty for sums of products"`
}

func (t *Tally) figures() Figures {
	f := Figures{N: t.N, SoldOut: t.SoldOut, Wape: share(t.Err, t.Actual), WapeNaive: share(t.Naive, t.Actual), WapeMean4: share(t.Mean4, t.Actual),
		Bias: share(t.Bias, t.Actual), Floor: share(t.Floor, t.Actual), Pinball: map[string]*float64{}, Coverage: map[string]*float64{}}
	for i, name := range TauNames {
		f.Pinball[name] = share(2*t.Pinball[i], t.Actual)
		f.Coverage[name] = share(t.Cover[i], float64(t.N))
	}
	return f
}

// AccuracyIn chooses a level.
type AccuracyIn struct {
	SiteID id.ID  `query:"site_id" doc:"left out: every site within reach"`
	Level  string `query:"level" enum:"product,category,store,chain" default:"product"`
}

// Accuracy at a level, and of its members. Several products are added up in money.
type Accuracy struct {
	Figures
	Level     string   `json:"level"`
	DataUntil cal.Date `json:"data_until"`
	Items     []Item   `json:"items" doc:"the members, the costliest error first, at most 200; products only for one site"`
	People    *People  `json:"people,omitempty" doc:"figures that people set, beside the machine's"`
}

// Item is one product, category or site.
type Item struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
	Figures
	cost float64
}

// People compares what people decided with what the machine had said, on days that are over: the newest 256. Days on
// which the goods ran out tell nobody what would have sold and are only counted.
type People struct {
	Versus
	SoldOut  int64     `json:"sold_out" doc:"days left out: the goods ran out"`
	ByPerson []Decider `json:"by_person" doc:"most days first"`
	ByReason []Decider `json:"by_reason" doc:"most days first, at most 20"`
	Days     []Judged  `json:"days" doc:"newest first, at most 50"`
}

// Versus is people against the machine. Errors are in shares of the day, so that products of different units count alike.
type Versus struct {
	N           int64    `json:"n" doc:"days measured"`
	Better      int64    `json:"better" doc:"days on which the person was closer"`
	Wape        *float64 `json:"wape"`
	WapeMachine *float64 `json:"wape_machine"`

	person, machine, sold float64
}

// Decider is a person or a reason.
type Decider struct {
	StaffID id.ID  `json:"staff_id" doc:"empty: a reason, or the house itself"`
	Name    string `json:"name" doc:"of the person; the reason"`
	Versus
}

// Judged is a day that a person decided and that is over.
type Judged struct {
	SiteID    id.ID    `json:"site_id"`
	SiteName  string   `json:"site_name"`
	ProductID id.ID    `json:"product_id"`
	Name      string   `json:"name"`
	Date      cal.Date `json:"date"`
	Unit      string   `json:"unit"`
	Said      qty.Qty  `json:"said"`
	Machine   qty.Qty  `json:"machine"`
	Sold      qty.Qty  `json:"sold"`
	SoldOut   bool     `json:"sold_out"`
	By        string   `json:"by"`
	Reason    string   `json:"reason"`
}

func (v *Versus) judge(said, machine, sold qty.Qty) {
	scale := max(machine, sold).Approx()
	if scale <= 0 {
		return
	}
	person, other := math.Abs((said-sold).Approx())/scale, math.Abs((machine-sold).Approx())/scale
	v.N++
	if person < other {
		v.Better++
	}
	v.person, v.machine, v.sold = v.person+person, v.machine+other, v.sold+sold.Approx()/scale
	v.Wape, v.WapeMachine = share(v.person, v.sold), share(v.machine, v.sold)
}

const (
	runsInForce = `SELECT r.id, r.site_id, r.data_until, r.tally FROM forecast_run r
		WHERE r.applied_no = (SELECT MAX(n.applied_no) FROM forecast_run n WHERE n.site_id = r.site_id) AND r.applied_no > 0
			AND (CAST($1 AS BIGINT) = 1 OR r.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
			AND (CAST($4 AS BIGINT) = 0 OR r.site_id = $4)
		ORDER BY r.site_id`
	talliesOfRun = `SELECT f.product_id, p.name, f.tally FROM forecast_product f JOIN catalog_product p ON p.id = f.product_id WHERE f.run_id = $1`
	tracksOfRun  = `SELECT category_id, days FROM forecast_track WHERE run_id = $1`
	peopleSaid   = `SELECT o.qty, o.machine, o.site_id, t.name, o.product_id, p.name, p.base_unit, o.date, o.reason, o.staff_id, COALESCE(f.display_name, '')
		FROM forecast_override o JOIN org_site t ON t.id = o.site_id JOIN catalog_product p ON p.id = o.product_id LEFT JOIN org_staff f ON f.id = o.staff_id
		WHERE o.qty IS NOT NULL AND o.date <= $1
			AND (CAST($2 AS BIGINT) = 1 OR o.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $3 AND perm = $4))
			AND (CAST($5 AS BIGINT) = 0 OR o.site_id = $5)
			AND o.id = (SELECT MAX(n.id) FROM forecast_override n WHERE n.site_id = o.site_id AND n.product_id = o.product_id AND n.date = o.date)
		ORDER BY o.date DESC, o.id DESC LIMIT 256`
)

func (s *Service) accuracy(ctx context.Context, tx *db.Tx, in *AccuracyIn) (*Accuracy, error) {
	if in.SiteID != 0 {
		if _, err := siteOf(ctx, permRead, in.SiteID); err != nil {
			return nil, err
		}
	}
	type inRun struct {
		run, site id.ID
		tally     Tally
	}
	var runs []inRun
	out := &Accuracy{Level: in.Level, Items: []Item{}}
	rows := tx.Query(runsInForce, append(org.SitesOf(ctx, permRead).Args(), in.SiteID)...)
	defer rows.Close()
	for rows.Next() {
		var r inRun
		var until cal.Date
		var text string
		if err := rows.Scan(&r.run, &r.site, &until, &text); err != nil {
			return nil, err
		}
		if err := unpack(text, &r.tally); err != nil {
			return nil, err
		}
		out.DataUntil = max(out.DataUntil, until)
		runs = append(runs, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if in.Level == "product" {
		var all Tally
		for _, r := range runs {
			all.join(r.tally)
		}
		out.Figures = all.figures()
		if len(runs) == 1 {
			items, err := productItems(tx, runs[0].run)
			if err != nil {
				return nil, err
			}
			out.Items = items
		}
	} else {
		names := map[id.ID]string{}
		if in.Level == "category" {
			all, err := catalog.Categories(tx)
			if err != nil {
				return nil, err
			}
			for _, c := range all {
				names[c.ID] = c.Name
			}
		}
		// Tracks are added up by day first and measured afterwards: errors of parts cancel in the whole.
		sums := map[id.ID]map[cal.Date]trackDay{}
		var total Tally
		for _, r := range runs {
			tracks, err := tracksOf(tx, r.run)
			if err != nil {
				return nil, err
			}
			for category, days := range tracks {
				var key id.ID
				switch {
				case in.Level == "category" && category != 0:
					key = category
				case in.Level == "store" && category == 0:
					key = r.site
				case in.Level == "chain" && category == 0:
				default:
					continue
				}
				if sums[key] == nil {
					sums[key] = map[cal.Date]trackDay{}
				}
				for _, d := range days {
					x := sums[key][d.Date]
					x.Actual, x.Mean, x.Naive, x.Mean4, x.Var = x.Actual+d.Actual, x.Mean+d.Mean, x.Naive+d.Naive, x.Mean4+d.Mean4, x.Var+d.Var
					sums[key][d.Date] = x
				}
			}
			if in.Level == "store" {
				if site, err := org.SiteByID(tx, r.site); err == nil {
					names[r.site] = site.Name
				} else {
					return nil, err
				}
			}
		}
		for _, key := range sortedKeys(sums) {
			var t Tally
			for _, x := range sums[key] {
				t.N++
				t.Actual += x.Actual
				t.Err += math.Abs(x.Mean - x.Actual)
				t.Naive += math.Abs(x.Naive - x.Actual)
				t.Mean4 += math.Abs(x.Mean4 - x.Actual)
				t.Bias += x.Mean - x.Actual
				t.Floor += math.Sqrt(2 / math.Pi * x.Var) // of a sum of many, near enough normal
			}
			total.join(t)
			if in.Level != "chain" {
				out.Items = append(out.Items, Item{ID: key, Name: names[key], Figures: t.sumFigures(), cost: t.Err})
			}
		}
		out.Figures = total.sumFigures()
	}
	slices.SortFunc(out.Items, func(a, b Item) int {
		if a.cost != b.cost {
			if a.cost > b.cost {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	out.Items = out.Items[:min(len(out.Items), 200)]
	var err error
	out.People, err = people(ctx, tx, in.SiteID, out.DataUntil)
	return out, err
}

// sumFigures leaves out what a sum of products does not have.
func (t *Tally) sumFigures() Figures {
	f := t.figures()
	f.Pinball, f.Coverage = map[string]*float64{}, map[string]*float64{}
	return f
}

func productItems(tx *db.Tx, run id.ID) ([]Item, error) {
	rows := tx.Query(talliesOfRun, run)
	defer rows.Close()
	items := []Item{}
	for rows.Next() {
		var x Item
		var text string
		var t Tally
		if err := rows.Scan(&x.ID, &x.Name, &text); err != nil {
			return nil, err
		}
		if err := unpack(text, &t); err != nil {
			return nil, err
		}
		x.Figures, x.cost = t.figures(), t.Err
		items = append(items, x)
	}
	return items, rows.Err()
}

func tracksOf(tx *db.Tx, run id.ID) (map[id.ID][]trackDay, error) {
	rows := tx.Query(tracksOfRun, run)
	defer rows.Close()
	all := map[id.ID][]trackDay{}
	for rows.Next() {
		var c id.ID
		var text string
		if err := rows.Scan(&c, &text); err != nil {
			return nil, err
		}
		var days []trackDay
		if err := unpack(text, &days); err != nil {
			return nil, err
		}
		all[c] = days
	}
	return all, rows.Err()
}

// people measures the newest overrides whose day is over; nil without any.
func people(ctx context.Context, tx *db.Tx, site id.ID, until cal.Date) (*People, error) {
	rows := tx.Query(peopleSaid, append(append([]any{until}, org.SitesOf(ctx, permRead).Args()...), site)...)
	defer rows.Close()
	p := &People{ByPerson: []Decider{}, ByReason: []Decider{}, Days: []Judged{}}
	var keys []SaleKey
	var by []id.ID
	for rows.Next() {
		var x Judged
		var staff id.ID
		if err := rows.Scan(&x.Said, &x.Machine, &x.SiteID, &x.SiteName, &x.ProductID, &x.Name, &x.Unit, &x.Date, &x.Reason, &staff, &x.By); err != nil {
			return nil, err
		}
		p.Days, keys, by = append(p.Days, x), append(keys, SaleKey{x.SiteID, x.ProductID, x.Date}), append(by, staff)
	}
	if err := rows.Err(); err != nil || len(keys) == 0 {
		return nil, err
	}
	sold, err := SalesInForce(tx, keys)
	if err != nil {
		return nil, fmt.Errorf("sales behind overrides: %w", err)
	}
	for i := range p.Days {
		x := &p.Days[i]
		day := sold[keys[i]]
		if x.Sold, x.SoldOut = day.Qty, day.SoldOut != nil; x.SoldOut {
			p.SoldOut++
			continue
		}
		p.judge(x.Said, x.Machine, x.Sold)
		decider(&p.ByPerson, by[i], x.By).judge(x.Said, x.Machine, x.Sold)
		decider(&p.ByReason, 0, strings.TrimSpace(x.Reason)).judge(x.Said, x.Machine, x.Sold)
	}
	for _, all := range []*[]Decider{&p.ByPerson, &p.ByReason} {
		slices.SortStableFunc(*all, func(a, b Decider) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name)) })
	}
	p.ByReason, p.Days = p.ByReason[:min(len(p.ByReason), 20)], p.Days[:min(len(p.Days), 50)]
	return p, nil
}

// decider finds or adds one.
func decider(all *[]Decider, staff id.ID, name string) *Decider {
	at := slices.IndexFunc(*all, func(d Decider) bool { return d.StaffID == staff && (staff != 0 || d.Name == name) })
	if at < 0 {
		at = len(*all)
		*all = append(*all, Decider{StaffID: staff, Name: name})
	}
	return &(*all)[at]
}
