package forecast

import (
	"context"
	"errors"
	"math"
	"slices"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/proof"
)

// What each past festival did to the demand of a category, day by day, against the level of the days before (planning §3.2).
// It is kept for those who plan by the calendar; the forecast itself has factors of its own (holiday.go).

const (
	levelDays     = 28 // ordinary days before a festival's days that make the level
	levelLeast    = 14 // of them on which a product's demand must be known
	levelReach    = 90 // days before the festival's days in which they are looked for
	festivalYears = 5  // that are kept
)

// FestivalReach is how many days before and after a festival are learned of.
func FestivalReach(f cal.Festival) (before, after int) {
	switch f {
	case cal.SpringFestival:
		return 10, 15
	case cal.NationalDay:
		return 10, 8
	case cal.LabourDay:
		return 10, 5
	}
	return 10, 3
}

// FestivalYear is what was asked for around a festival in one year, by category, 0 all of them; at a site, or at all of
// them (AllSites).
type FestivalYear struct {
	Site     id.ID
	Festival cal.Festival
	Year     int64
	Of       map[id.ID]FestivalCurve
}

// FestivalCurve has a figure for each day of FestivalReach, in fen at the prices of the days before: what was asked for, and
// what goods were asked for a day before, of those whose demand of the day is known. Level 0: nothing is known of the day.
type FestivalCurve struct{ Demand, Level []int64 }

// On is demand ÷ level, in thousandths, so many days from the festival; false where nothing is known.
func (y *FestivalYear) On(category id.ID, offset int) (ratio, demand, level int64, ok bool) {
	before, _ := FestivalReach(y.Festival)
	c := y.Of[category]
	k := before + offset
	if k < 0 || k >= len(c.Level) || k >= len(c.Demand) || c.Level[k] <= 0 {
		return 0, 0, 0, false
	}
	ratio, err := money.MulDiv(c.Demand[k], 1000, c.Level[k])
	return ratio, c.Demand[k], c.Level[k], err == nil
}

// festiveCurve is a category of a stored year.
type festiveCurve struct {
	Category id.ID   `json:"c"`
	Demand   []int64 `json:"d"`
	Level    []int64 `json:"l"`
}

const (
	festivalsOf  = `SELECT festival, year FROM forecast_festival WHERE site_id = $1 ORDER BY festival, year`
	festivalSaid = `SELECT body FROM forecast_festival WHERE site_id = $1 AND festival = $2 AND year = $3`
	festivalOf   = `SELECT year, body FROM forecast_festival WHERE site_id = $1 AND festival = $2 AND year > $3 ORDER BY year`
	putFestival  = `INSERT INTO forecast_festival (site_id, festival, year, stale, body) VALUES ($1, $2, $3, 0, $4) ON CONFLICT (site_id, festival, year) DO UPDATE SET body = excluded.body`
	markFestival = `INSERT INTO forecast_festival (site_id, festival, year, stale, body) VALUES (0, $1, $2, 1, '[]')
		ON CONFLICT (site_id, festival, year) DO UPDATE SET stale = forecast_festival.stale + 1`
	staleFestival  = `SELECT festival, year, stale FROM forecast_festival WHERE site_id = 0 AND stale > 0 ORDER BY festival, year LIMIT 1`
	sitesOfYear    = `SELECT site_id, body FROM forecast_festival WHERE festival = $1 AND year = $2 AND site_id > $3 ORDER BY site_id LIMIT 50`
	joinedFestival = `UPDATE forecast_festival SET body = $1, stale = 0 WHERE site_id = 0 AND festival = $2 AND year = $3 AND stale = $4`
	oldFestivals   = `DELETE FROM forecast_festival WHERE site_id = $1 AND year <= $2`
)

// FestivalYears is what a site (AllSites: all of them together) has seen of a festival in the years before one, the oldest
// first, at most five.
func FestivalYears(tx *db.Tx, site id.ID, f cal.Festival, before int) ([]FestivalYear, error) {
	rows := tx.Query(festivalOf, site, f.Key(), before-1-festivalYears)
	defer rows.Close()
	var all []FestivalYear
	for rows.Next() {
		y := FestivalYear{Site: site, Festival: f, Of: map[id.ID]FestivalCurve{}}
		var body string
		if err := rows.Scan(&y.Year, &body); err != nil {
			return nil, err
		}
		if y.Year >= int64(before) {
			continue
		}
		var curves []festiveCurve
		if err := unpack(body, &curves); err != nil {
			return nil, err
		}
		for _, c := range curves {
			y.Of[c.Category] = FestivalCurve{c.Demand, c.Level}
		}
		all = append(all, y)
	}
	return all, rows.Err()
}

// festiveYear names a festival of a year.
type festiveYear struct {
	key  string
	year int
}

// festivals writes what a site has seen of past festivals: of those that are new to it or ended within the days that
// corrections still come for, and of all again when somebody has spoken of the past. What says the same is not written.
func (s *Service) festivals(ctx context.Context, d *db.DB, m *madeSite) error {
	if !chinese(m.site.TimeZone) {
		return nil
	}
	p, origin := m.engine.p, m.run.Origin
	known := map[festiveYear]bool{}
	if err := d.Read(ctx, func(tx *db.Tx) error {
		clear(known)
		rows := tx.Query(festivalsOf, m.site.ID)
		defer rows.Close()
		for rows.Next() {
			var y festiveYear
			if err := rows.Scan(&y.key, &y.year); err != nil {
				return err
			}
			known[y] = true
		}
		return rows.Err()
	}); err != nil {
		return err
	}
	type row struct {
		festiveYear
		body string
	}
	var fresh []row
	for year := p.First.Year(); year <= origin.Year(); year++ {
		for _, f := range cal.Festivals() {
			day, ok := f.In(year)
			_, after := FestivalReach(f)
			if !ok || day.AddDays(after) > origin {
				continue
			}
			y := festiveYear{f.Key(), year}
			if known[y] && m.packed && origin.Sub(day.AddDays(after)) > openDays {
				continue
			}
			curves := m.festive(f, day)
			if curves == nil {
				continue
			}
			body, err := pack(curves)
			if err != nil {
				return err
			}
			fresh = append(fresh, row{y, body})
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	news := fresh[:0:0]
	if err := d.Read(ctx, func(tx *db.Tx) error {
		news = news[:0]
		answers := make([]*db.Row, len(fresh))
		for i, r := range fresh {
			answers[i] = tx.QueryRow(festivalSaid, m.site.ID, r.key, r.year)
		}
		for i, r := range fresh {
			said := ""
			if err := answers[i].Scan(&said); err != nil && !errors.Is(err, db.ErrNoRow) {
				return err
			}
			if said != r.body {
				news = append(news, r)
			}
		}
		return nil
	}); err != nil || len(news) == 0 {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		for _, r := range news {
			if err := tx.Exec(putFestival, m.site.ID, r.key, r.year, r.body); err != nil {
				return err
			}
			if err := tx.Exec(markFestival, r.key, r.year); err != nil {
				return err
			}
		}
		return errors.Join(tx.Exec(oldFestivals, m.site.ID, origin.Year()-1-festivalYears), tx.Exec(oldFestivals, AllSites, origin.Year()-1-festivalYears))
	})
}

// levelOf are the columns of the ordinary days before a festival's days, from column from on: no days off, and none of Spring
// Festival, which would lift the level of what follows it. nil: the history does not reach back so far.
func (m *madeSite) levelOf(f cal.Festival, from int) []int {
	e := m.engine
	var spring [2]int
	if f != cal.SpringFestival {
		at := e.p.First.AddDays(from)
		if day, ok := cal.SpringFestival.Around(at, at); ok {
			before, after := FestivalReach(cal.SpringFestival)
			spring = [2]int{day.Sub(e.p.First) - before, day.Sub(e.p.First) + after + 1}
		}
	}
	var days []int
	for t := from - 1; t >= 0 && t >= from-levelReach && len(days) < levelDays; t-- {
		if !e.a.off[t] && (t < spring[0] || t >= spring[1]) {
			days = append(days, t)
		}
	}
	if len(days) < levelDays {
		return nil
	}
	slices.Reverse(days)
	return days
}

// festive adds up a festival by category: products that had begun before its level, and sold again after it. nil where
// nothing can be said.
func (m *madeSite) festive(f cal.Festival, day cal.Date) []festiveCurve {
	e := m.engine
	before, after := FestivalReach(f)
	at := day.Sub(e.p.First)
	from, n := at-before, before+after+1
	level := m.levelOf(f, from)
	if level == nil || at+after >= e.p.Days {
		return nil
	}
	type sums struct {
		demand, level []float64
		units         float64 // a day, of the level
	}
	of := map[id.ID]*sums{}
	for i := range e.p.Series {
		s, d := &e.p.Series[i], &e.demand[i]
		if s.Start > level[0] || !soldSince(s, from) {
			continue
		}
		var units, seen, fen, priced float64
		for _, t := range level {
			if d.weight[t] > 0 {
				units, seen = units+d.qty[t], seen+1
			}
			if s.Price != nil && s.Sold[t] > 0 && !math.IsNaN(s.Price[t]) {
				fen, priced = fen+s.Price[t]*s.Sold[t], priced+s.Sold[t]
			}
		}
		if seen < levelLeast || units <= 0 {
			continue
		}
		units /= seen
		worth := max(100, m.worths[i]) // of what nobody knows a price, a yuan
		if priced > 0 {
			worth = fen / priced
		}
		for _, category := range slices.Compact([]id.ID{0, m.rows[i].category}) {
			x := of[category]
			if x == nil {
				x = &sums{demand: make([]float64, n), level: make([]float64, n)}
				of[category] = x
			}
			x.units += units
			for k := range n {
				if t := from + k; d.weight[t] > 0 {
					x.demand[k] += worth * d.qty[t]
					x.level[k] += worth * units
				}
			}
		}
	}
	curves := []festiveCurve{}
	for _, category := range sortedKeys(of) {
		x := of[category]
		if x.units < 1 { // what sells less than one a day tells nothing of a single one
			continue
		}
		c := festiveCurve{Category: category}
		for k := range n {
			c.Demand, c.Level = append(c.Demand, int64(math.Round(x.demand[k]))), append(c.Level, int64(math.Round(x.level[k])))
		}
		curves = append(curves, c)
	}
	if len(curves) == 0 {
		return nil
	}
	return curves
}

// soldSince tells whether a product has sold on a day or after it.
func soldSince(s *Series, from int) bool {
	for _, q := range s.Sold[from:] {
		if q > 0 {
			return true
		}
	}
	return false
}

// joinFestivals adds up, over all sites, the festivals of which some site has something new to say.
func (s *Service) joinFestivals(ctx context.Context, d *db.DB) error {
	for {
		var y festiveYear
		var stale int64
		none := false
		if err := d.Read(ctx, func(tx *db.Tx) error {
			err := tx.QueryRow(staleFestival).Scan(&y.key, &y.year, &stale)
			if none = errors.Is(err, db.ErrNoRow); none {
				err = nil
			}
			return err
		}); err != nil || none {
			return err
		}
		curves, err := joined(y, func(f func(tx *db.Tx) error) error { return d.Read(ctx, f) })
		if err != nil {
			return err
		}
		body, err := pack(curves)
		if err != nil {
			return err
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { return tx.Exec(joinedFestival, body, y.key, y.year, stale) }); err != nil {
			return err
		}
	}
}

// joined is the sum of what the sites say of a festival's year, read page by page.
func joined(y festiveYear, read func(func(tx *db.Tx) error) error) ([]festiveCurve, error) {
	of := map[id.ID]*festiveCurve{}
	var after id.ID
	for more := true; more; {
		var some [][]festiveCurve
		last := after
		if err := read(func(tx *db.Tx) error {
			some, last = some[:0], after
			rows := tx.Query(sitesOfYear, y.key, y.year, after)
			defer rows.Close()
			for rows.Next() {
				var body string
				var curves []festiveCurve
				if err := rows.Scan(&last, &body); err != nil {
					return err
				}
				if err := unpack(body, &curves); err != nil {
					return err
				}
				some = append(some, curves)
			}
			return rows.Err()
		}); err != nil {
			return nil, err
		}
		more, after = len(some) == 50, last
		for _, curves := range some {
			for _, c := range curves {
				sum := of[c.Category]
				if sum == nil {
					sum = &festiveCurve{c.Category, make([]int64, len(c.Demand)), make([]int64, len(c.Level))}
					of[c.Category] = sum
				}
				for k := range min(len(sum.Demand), len(c.Demand), len(c.Level)) {
					sum.Demand[k], sum.Level[k] = sum.Demand[k]+c.Demand[k], sum.Level[k]+c.Level[k]
				}
			}
		}
	}
	all := []festiveCurve{}
	for _, category := range sortedKeys(of) {
		all = append(all, *of[category])
	}
	return all, nil
}

const joinedFestivals = `SELECT festival, year, body FROM forecast_festival WHERE site_id = 0 AND stale = 0 ORDER BY festival, year`

// festivalsAddUp looks for a festival of all sites that is not the sum of theirs.
func festivalsAddUp(tx *db.Tx) (proof.Result, error) {
	var r proof.Result
	said := map[festiveYear]string{}
	rows := tx.Query(joinedFestivals)
	for rows.Next() {
		var y festiveYear
		var body string
		if err := rows.Scan(&y.key, &y.year, &body); err != nil {
			rows.Close()
			return r, err
		}
		said[y] = body
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return r, err
	}
	for y, body := range said {
		r.Rows++
		curves, err := joined(y, func(f func(tx *db.Tx) error) error { return f(tx) })
		if err != nil {
			return r, err
		}
		if want, err := pack(curves); err != nil || want != body {
			r.Add("what all sites saw of %s %d is not the sum of what each saw", y.key, y.year)
		}
	}
	return r, nil
}
