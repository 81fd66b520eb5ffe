package forecast

import (
	"bytes"
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/proof"
	"zhanggui/internal/platform/qty"
)

// What the nights really said, beside what was then sold. The figures of accuracy.go replay the past with today's engine;
// these are the forecasts that people and plans had before them on the day. A night writes one row of what it says of the
// next seven days, and judges the last seven by what earlier nights said.

const (
	promised    = 7  // days ahead that are kept and judged
	judgedAnew  = 7  // late corrections of sales reach so far back
	promiseDays = 21 // what was said is kept
	keptDays    = 56 // what became of it is kept
)

// promise is what a night said of one product: the mean of each of the next days, and the quantiles of the first, in
// thousandths of the sales unit.
type promise struct {
	Product id.ID
	Means   [promised]int64
	Q       [len(Taus)]int64
}

// Fates of a product's day.
const (
	fateSold    = iota // open and not sold out
	fateSoldOut        // sold out: measured against the demand by estimate, and counted
	fateClosed         // closed, or a figure that nobody believes: not measured
)

// keptProduct is one product's day. Quantities are thousandths of the sales unit, a mean of −1 was not promised; Worth is
// fen for a unit.
type keptProduct struct {
	Product, Category    id.ID
	Fate                 int
	Worth                int64
	Actual, Naive, Mean4 int64
	Means                [promised]int64 // by how many days ahead it was said, less one
	Q                    [len(Taus)]int64
	Demand               int64 // Actual, or more of a day that sold out
}

// keptSum adds up the measured products of a category, in fen. Products are in a horizon only if it was promised.
type keptSum struct {
	Category id.ID           `json:"c"`
	SoldOut  int64           `json:"s"`
	Closed   int64           `json:"x"`
	H        [promised]hours `json:"h"`
}

// hours is one horizon of a sum; Actual is the demand, Var is the variance that Poisson demand with these means has, in fen².
type hours struct {
	N      int64   `json:"n"`
	Actual float64 `json:"a"`
	Mean   float64 `json:"m"`
	Naive  float64 `json:"l"`
	Mean4  float64 `json:"w"`
	Var    float64 `json:"v"`
	Sold   float64 `json:"s"`
}

func (x *hours) join(o hours) {
	x.N, x.Actual, x.Mean, x.Naive, x.Mean4, x.Var, x.Sold = x.N+o.N, x.Actual+o.Actual, x.Mean+o.Mean, x.Naive+o.Naive, x.Mean4+o.Mean4, x.Var+o.Var, x.Sold+o.Sold
}

// tally of one day of a sum.
func (x *hours) tally() Tally {
	return Tally{N: 1, Actual: x.Actual, Err: math.Abs(x.Mean - x.Actual), Naive: math.Abs(x.Naive - x.Actual), Mean4: math.Abs(x.Mean4 - x.Actual),
		Bias: x.Mean - x.Actual, Floor: math.Sqrt(2 / math.Pi * x.Var)} // of a sum of many, near enough normal
}

const milli = 1000 // a sales unit

// tally of one measured product's day, said h+1 days ahead, in sales units; quantiles are of the first day only.
func (k *keptProduct) tally(h int) (t Tally) {
	d := Day{Mean: float64(k.Means[h]) / milli}
	for i, q := range k.Q {
		d.Q[i] = float64(q) / milli
	}
	t.add(float64(k.Demand)/milli, d, float64(k.Naive)/milli, float64(k.Mean4)/milli, 1, k.Fate == fateSoldOut)
	if h > 0 {
		t.Pinball, t.Cover = [len(Taus)]float64{}, [len(Taus)]float64{}
	}
	return t
}

const (
	putPromise = `INSERT INTO forecast_promise (site_id, origin, made_at, body) VALUES ($1, $2, $3, $4) ON CONFLICT (site_id, origin) DO NOTHING`
	promisesOf = `SELECT origin, body FROM forecast_promise WHERE site_id = $1 AND origin >= $2 AND origin < $3 ORDER BY origin`
	putKept    = `INSERT INTO forecast_kept (site_id, date, products, sums) VALUES ($1, $2, $3, $4)
		ON CONFLICT (site_id, date) DO UPDATE SET products = excluded.products, sums = excluded.sums`
	keptOf       = `SELECT date, products FROM forecast_kept WHERE site_id = $1 AND date >= $2 ORDER BY date`
	dropPromises = `DELETE FROM forecast_promise WHERE site_id = $1 AND origin < $2`
	dropKept     = `DELETE FROM forecast_kept WHERE site_id = $1 AND date < $2`
)

// promise keeps what a site's new forecast says, and judges what earlier ones said. Doing it twice changes nothing.
func (s *Service) promise(ctx context.Context, d *db.DB, m *madeSite) error {
	origin, site := m.run.Origin, m.site.ID
	said := make([]promise, len(m.rows))
	for i := range m.rows {
		x := &m.rows[i]
		said[i].Product = x.id
		units := func(base int64) int64 { return int64(math.Round(float64(base) / x.perUnit)) }
		for h := range said[i].Means {
			said[i].Means[h] = units(x.days[h][0])
		}
		for k := range said[i].Q {
			said[i].Q[k] = units(x.days[0][1+k])
		}
	}
	body, err := gobOf(said)
	if err != nil {
		return err
	}
	before := map[cal.Date]map[id.ID]*promise{}
	known := map[cal.Date][]byte{}
	from := origin.AddDays(1 - judgedAnew)
	if err := d.Read(ctx, func(tx *db.Tx) error {
		clear(before)
		clear(known)
		return errors.Join(eachBody(tx.Query(promisesOf, site, from.AddDays(-promised), origin), func(date cal.Date, body []byte) error {
			var said []promise
			if err := gobTo(body, &said); err != nil {
				return err
			}
			of := make(map[id.ID]*promise, len(said))
			for i := range said {
				of[said[i].Product] = &said[i]
			}
			before[date] = of
			return nil
		}), eachBody(tx.Query(keptOf, site, from), func(date cal.Date, body []byte) error {
			known[date] = body
			return nil
		}))
	}); err != nil {
		return err
	}
	type row struct {
		date cal.Date
		body []byte
		sums string
	}
	var rows []row
	for date := from; date <= origin; date = date.AddDays(1) {
		lines := m.judge(date, before)
		if len(lines) == 0 {
			continue
		}
		body, err1 := gobOf(lines)
		sums, err2 := pack(sumsOf(lines))
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !bytes.Equal(body, known[date]) {
			rows = append(rows, row{date, body, sums})
		}
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Exec(putPromise, site, origin, tx.Now(), body); err != nil {
			return err
		}
		for _, r := range rows {
			if err := tx.Exec(putKept, site, r.date, r.body, r.sums); err != nil {
				return err
			}
		}
		return errors.Join(tx.Exec(dropPromises, site, origin.AddDays(-promiseDays)), tx.Exec(dropKept, site, origin.AddDays(-keptDays)))
	})
}

// judge lays a day that is over beside what was said of it.
func (m *madeSite) judge(date cal.Date, before map[cal.Date]map[id.ID]*promise) []keptProduct {
	e := m.engine
	t := date.Sub(e.p.First)
	if t < 1 || t >= e.p.Days {
		return nil
	}
	units := func(v float64) int64 { return int64(math.Round(v * milli)) }
	var lines []keptProduct
	for i := range e.p.Series {
		s := &e.p.Series[i]
		k := keptProduct{Product: m.rows[i].id, Category: m.rows[i].category, Worth: max(1, int64(math.Round(m.worths[i])))}
		spoken := false
		for h := range k.Means {
			k.Means[h] = -1
			if p := before[date.AddDays(-1-h)][k.Product]; p != nil {
				spoken, k.Means[h] = true, p.Means[h]
				if h == 0 {
					k.Q = p.Q
				}
			}
		}
		if !spoken {
			continue
		}
		k.Actual = units(s.Sold[t])
		switch e.demand[i].weight[t] {
		case 0:
			k.Fate = fateClosed
		default:
			k.Fate = fateSoldOut
			fallthrough
		case 1:
			naive, mean4 := e.p.baselines(s, t-1, t)
			k.Naive, k.Mean4, k.Demand = units(naive), units(mean4), units(e.demand[i].qty[t])
		}
		lines = append(lines, k)
	}
	return lines
}

// sumsOf adds up lines by category, the whole site first.
func sumsOf(lines []keptProduct) []keptSum {
	by := map[id.ID]*keptSum{0: {}}
	for i := range lines {
		k := &lines[i]
		of := []id.ID{0}
		if k.Category != 0 {
			of = append(of, k.Category)
		}
		for _, c := range of {
			x := by[c]
			if x == nil {
				x = &keptSum{Category: c}
				by[c] = x
			}
			switch k.Fate {
			case fateClosed:
				x.Closed++
			case fateSoldOut:
				x.SoldOut++
				fallthrough
			default:
				w := float64(k.Worth)
				for h, mean := range k.Means {
					if mean >= 0 {
						x.H[h].join(hours{1, math.Round(w * float64(k.Demand) / milli), math.Round(w * float64(mean) / milli), math.Round(w * float64(k.Naive) / milli),
							math.Round(w * float64(k.Mean4) / milli), math.Round(w * w * float64(mean) / milli), math.Round(w * float64(k.Actual) / milli)})
					}
				}
			}
		}
	}
	out := make([]keptSum, 0, len(by))
	for _, c := range sortedKeys(by) {
		out = append(out, *by[c])
	}
	return out
}

func gobOf(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func gobTo(b []byte, into any) error {
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(into); err != nil {
		return fmt.Errorf("kept forecast can not be read: %w", err)
	}
	return nil
}

// eachBody reads rows of a day and a body.
func eachBody(rows *db.Rows, f func(date cal.Date, body []byte) error) error {
	defer rows.Close()
	for rows.Next() {
		var date cal.Date
		var body []byte
		if err := rows.Scan(&date, &body); err != nil {
			return err
		}
		if err := f(date, body); err != nil {
			return err
		}
	}
	return rows.Err()
}

// KeptIn chooses what is looked at.
type KeptIn struct {
	SiteID id.ID  `query:"site_id" doc:"of a product or category: required"`
	Level  string `query:"level" enum:"product,category,store,chain" default:"store"`
	Ahead  int    `query:"ahead" minimum:"1" maximum:"7" default:"1" doc:"said so many days before"`
	Days   int    `query:"days" minimum:"7" maximum:"56" default:"28"`
	Member id.ID  `query:"member" doc:"the days shown are of this product, category or site; left out: of all"`
}

// Kept is what the nights said beside what was sold.
type Kept struct {
	Figures
	Ahead   []Figures `json:"ahead" doc:"said 1 … 7 days before"`
	Emptied int64     `json:"emptied" doc:"product days that sold out: measured against an estimate of the demand"`
	Closed  int64     `json:"closed" doc:"product days left out because nothing was sold that day, or a figure nobody believes"`
	Items   []Item    `json:"items" doc:"the costliest error first, at most 200"`
	Days    []KeptDay `json:"days"`
	Unit    string    `json:"unit" doc:"of the days; empty: yuan"`
}

// KeptDay is one day: in the unit of a product, in yuan for several.
type KeptDay struct {
	Date    cal.Date `json:"date"`
	Sold    qty.Qty  `json:"sold"`
	Demand  qty.Qty  `json:"demand" doc:"what was sold, or what would have been of a day that sold out"`
	Said    *qty.Qty `json:"said,omitempty" doc:"left out: nobody had said anything so many days before"`
	Week    qty.Qty  `json:"last_week"`
	Mean4   qty.Qty  `json:"mean4"`
	SoldOut bool     `json:"sold_out,omitempty" doc:"sold out: demand is an estimate"`
	Closed  bool     `json:"closed,omitempty" doc:"not measured"`
}

const keptSums = `SELECT k.site_id, k.date, k.sums FROM forecast_kept k
	WHERE (CAST($1 AS BIGINT) = 1 OR k.site_id IN (SELECT site_id FROM org_reach WHERE staff_id = $2 AND perm = $3))
		AND (CAST($4 AS BIGINT) = 0 OR k.site_id = $4) AND k.date >= $5 ORDER BY k.site_id, k.date`

// member gathers one line of the table.
type member struct {
	tally Tally
	cost  float64
}

func (s *Service) kept(ctx context.Context, tx *db.Tx, in *KeptIn) (*Kept, error) {
	out := &Kept{Items: []Item{}, Days: []KeptDay{}, Ahead: []Figures{}}
	if in.SiteID != 0 || in.Level == "product" || in.Level == "category" {
		if _, err := siteOf(ctx, permRead, in.SiteID); err != nil {
			return nil, err
		}
	}
	h := in.Ahead - 1
	from := cal.On(tx.Now()).AddDays(-in.Days)
	var ahead [promised]Tally
	members := map[id.ID]*member{}
	of := func(key id.ID) *member {
		if members[key] == nil {
			members[key] = &member{}
		}
		return members[key]
	}
	names := map[id.ID]string{}
	if in.Level == "product" {
		if err := eachBody(tx.Query(keptOf, in.SiteID, from), func(date cal.Date, body []byte) error {
			var lines []keptProduct
			if err := gobTo(body, &lines); err != nil {
				return err
			}
			for i := range lines {
				k := &lines[i]
				if in.Member != 0 && k.Product == in.Member {
					out.Days = append(out.Days, k.day(date, h))
				}
				switch k.Fate {
				case fateClosed:
					out.Closed++
				case fateSoldOut:
					out.Emptied++
					fallthrough
				default:
					for a := range ahead {
						if k.Means[a] < 0 {
							continue
						}
						t := k.tally(a)
						if a == h {
							of(k.Product).tally.join(t)
							of(k.Product).cost += float64(k.Worth) * t.Err
						}
						ahead[a].join(t.times(float64(k.Worth)))
					}
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
		ids := sortedKeys(members)
		for part := range slices.Chunk(ids, 200) {
			goods, err := s.goods.Products(tx, part)
			if err != nil {
				return nil, err
			}
			for p, g := range goods {
				names[p] = g.Name
				if p == in.Member {
					out.Unit = salesUnit(g).Name
				}
			}
		}
	} else {
		days := map[cal.Date]*[promised]hours{} // of all together
		chosen := map[cal.Date]*hours{}         // of the member
		reach := append(org.SitesOf(ctx, permRead).Args(), in.SiteID, from)
		rows := tx.Query(keptSums, reach...)
		defer rows.Close()
		for rows.Next() {
			var site id.ID
			var date cal.Date
			var text string
			if err := rows.Scan(&site, &date, &text); err != nil {
				return nil, err
			}
			var sums []keptSum
			if err := unpack(text, &sums); err != nil {
				return nil, err
			}
			for _, x := range sums {
				key := x.Category
				if x.Category == 0 {
					out.Emptied, out.Closed = out.Emptied+x.SoldOut, out.Closed+x.Closed
					if days[date] == nil {
						days[date] = &[promised]hours{}
					}
					for a := range x.H {
						days[date][a].join(x.H[a])
					}
					key = site
				}
				if in.Level == "chain" || (in.Level == "category") != (x.Category != 0) {
					continue
				}
				if x.H[h].N > 0 {
					t := x.H[h].tally()
					of(key).tally.join(t)
					of(key).cost += t.Err
				}
				if key == in.Member && x.H[h].N > 0 {
					c := x.H[h]
					chosen[date] = &c
				}
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		for _, date := range slices.Sorted(maps.Keys(days)) {
			for a := range ahead {
				if x := &days[date][a]; x.N > 0 {
					ahead[a].join(x.tally())
				}
			}
			x := &days[date][h]
			if in.Member != 0 {
				x = chosen[date]
			}
			if x != nil && x.N > 0 {
				said := yuan(x.Mean)
				out.Days = append(out.Days, KeptDay{Date: date, Sold: yuan(x.Sold), Demand: yuan(x.Actual), Said: &said, Week: yuan(x.Naive), Mean4: yuan(x.Mean4)})
			}
		}
		if in.Level == "category" {
			all, err := catalog.Categories(tx)
			if err != nil {
				return nil, err
			}
			for _, c := range all {
				names[c.ID] = c.Name
			}
		} else {
			for site := range members {
				x, err := org.SiteByID(tx, site)
				if err != nil {
					return nil, err
				}
				names[site] = x.Name
			}
		}
	}
	figures := func(t *Tally) Figures {
		if in.Level == "product" && h == 0 {
			return t.figures()
		}
		return t.sumFigures()
	}
	for a := range ahead {
		out.Ahead = append(out.Ahead, ahead[a].sumFigures())
	}
	out.Figures = figures(&ahead[h])
	for _, key := range sortedKeys(members) {
		m := members[key]
		out.Items = append(out.Items, Item{ID: key, Name: names[key], Figures: figures(&m.tally), cost: m.cost})
	}
	slices.SortStableFunc(out.Items, func(a, b Item) int { return cmp.Compare(b.cost, a.cost) })
	out.Items = out.Items[:min(len(out.Items), 200)]
	return out, nil
}

// yuan of fen, with three decimals.
func yuan(fen float64) qty.Qty { return qty.Nearest(fen / 100) }

// times the worth of a unit; days and cover stay.
func (t Tally) times(worth float64) Tally {
	for _, v := range []*float64{&t.Actual, &t.Err, &t.Naive, &t.Mean4, &t.Bias, &t.Floor} {
		*v *= worth
	}
	for i := range t.Pinball {
		t.Pinball[i] *= worth
	}
	return t
}

// day of a product as it is shown.
func (k *keptProduct) day(date cal.Date, h int) KeptDay {
	d := KeptDay{Date: date, Sold: qty.Qty(k.Actual), Demand: qty.Qty(k.Demand), Week: qty.Qty(k.Naive), Mean4: qty.Qty(k.Mean4), SoldOut: k.Fate == fateSoldOut, Closed: k.Fate == fateClosed}
	if k.Means[h] >= 0 {
		said := qty.Qty(k.Means[h])
		d.Said = &said
	}
	return d
}

const (
	promiseAfter = `SELECT site_id, origin, body FROM forecast_promise WHERE site_id > $1 OR site_id = $1 AND origin > $2 ORDER BY site_id, origin LIMIT 1`
	keptAfter    = `SELECT site_id, date, products, sums FROM forecast_kept WHERE site_id > $1 OR site_id = $1 AND date > $2 ORDER BY site_id, date LIMIT 1`
)

// keptAddsUp looks for a promise that can not be read, and for a judged day whose sums are not those of its products.
func keptAddsUp(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	var site id.ID
	var date cal.Date
	for {
		var body []byte
		err := tx.QueryRow(promiseAfter, site, date).Scan(&site, &date, &body)
		if errors.Is(err, db.ErrNoRow) {
			break
		}
		if err != nil {
			return r, err
		}
		r.Rows++
		var said []promise
		if err := gobTo(body, &said); err != nil {
			r.Add("what was promised on %s of site %s: %v", date, site, err)
		}
	}
	site, date = 0, ""
	for {
		var body []byte
		var text string
		err := tx.QueryRow(keptAfter, site, date).Scan(&site, &date, &body, &text)
		if errors.Is(err, db.ErrNoRow) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		r.Rows++
		var lines []keptProduct
		if err := gobTo(body, &lines); err != nil {
			r.Add("what was promised of %s at site %s: %v", date, site, err)
			continue
		}
		sums, err := pack(sumsOf(lines))
		if err != nil {
			return r, err
		}
		if sums != text {
			r.Add("what was promised of %s at site %s does not add up from its products", date, site)
		}
	}
}
