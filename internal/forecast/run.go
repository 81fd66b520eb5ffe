package forecast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

const (
	historyDays = 800  // how far back a run looks
	freshDays   = 14   // a site whose last sale is older is forecast from there, not from today
	groupSeries = 3000 // series that share one panel, and so one model of trees
	writeRows   = 100  // rows of one step
)

// Made is the body of the event forecast.made.v1: a site has a new forecast in force.
type Made struct {
	RunID  id.ID    `json:"run_id"`
	SiteID id.ID    `json:"site_id"`
	Origin cal.Date `json:"origin"`
}

// storedDay is one day of a product: mean, five quantiles, seven parts, in thousandths of the base unit.
type storedDay [1 + len(Taus) + partCount]int64

const partCount = 7

func (d *storedDay) mean() qty.Qty { return qty.Qty(d[0]) }

func (d *storedDay) quantiles() (q [len(Taus)]qty.Qty) {
	for i := range q {
		q[i] = qty.Qty(d[1+i])
	}
	return q
}

func (d *storedDay) parts() (p [partCount]qty.Qty) {
	for i := range p {
		p[i] = qty.Qty(d[1+len(Taus)+i])
	}
	return p
}

// store rounds a day; the level takes what rounding left over, so that the parts still add up to the mean.
func store(d Day, perUnit float64) (s storedDay) {
	n := func(units float64) int64 { return int64(qty.Nearest(units * perUnit)) }
	s[0] = n(d.Mean)
	for i, q := range d.Q {
		s[1+i] = n(q)
	}
	rest := s[0]
	parts := s[1+len(Taus):]
	for i, v := range [...]float64{0, d.Parts.Weekday, d.Parts.Trend, d.Parts.Holiday, d.Parts.Weather, d.Parts.Promotion, d.Parts.Correction} {
		parts[i] = n(v)
		rest -= parts[i]
	}
	parts[0] = rest
	return s
}

// Tally adds up errors of past forecasts: in sales units for a product, in money over several.
type Tally struct {
	N       int64              `json:"n"`
	Actual  float64            `json:"actual"`
	Err     float64            `json:"err"`
	Naive   float64            `json:"naive"`
	Mean4   float64            `json:"mean4"`
	Bias    float64            `json:"bias"`
	Floor   float64            `json:"floor"`
	Pinball [len(Taus)]float64 `json:"pinball"`
	Cover   [len(Taus)]float64 `json:"cover"`
}

// add one day at the worth of a unit.
func (t *Tally) add(actual float64, d Day, naive, mean4, worth float64) {
	t.N++
	t.Actual += worth * actual
	t.Err += worth * math.Abs(d.Mean-actual)
	t.Naive += worth * math.Abs(naive-actual)
	t.Mean4 += worth * math.Abs(mean4-actual)
	t.Bias += worth * (d.Mean - actual)
	t.Floor += worth * poissonError(d.Mean)
	for i, tau := range Taus {
		x := actual - d.Q[i]
		t.Pinball[i] += worth * math.Max(tau*x, (tau-1)*x)
		t.Cover[i] += covered(actual, d.Q[i])
	}
}

func (t *Tally) join(o Tally) {
	t.N += o.N
	t.Actual += o.Actual
	t.Err += o.Err
	t.Naive += o.Naive
	t.Mean4 += o.Mean4
	t.Bias += o.Bias
	t.Floor += o.Floor
	for i := range Taus {
		t.Pinball[i] += o.Pinball[i]
		t.Cover[i] += o.Cover[i]
	}
}

// poissonError is the mean absolute error of one who knows the mean m of a Poisson demand (Crow 1958):
// 2·e^−m·m^(⌊m⌋+1) ÷ ⌊m⌋!. Where people come purely at random nobody does better; it is shown as the floor.
func poissonError(m float64) float64 {
	if m <= 0 {
		return 0
	}
	k := math.Floor(m)
	lg, _ := math.Lgamma(k + 1)
	return 2 * math.Exp((k+1)*math.Log(m)-m-lg)
}

// trackDay is one day of a category or site in money: truth, forecast, the two references, and the
// variance that Poisson demand with this mean has.
type trackDay struct {
	Date   cal.Date `json:"d"`
	Actual float64  `json:"a"`
	Mean   float64  `json:"m"`
	Naive  float64  `json:"n"`
	Mean4  float64  `json:"w"`
	Var    float64  `json:"v"`
}

func pack(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func unpack(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("stored forecast can not be read: %w", err)
	}
	return nil
}

// product is a series of a run with what is needed to store it.
type product struct {
	id, unit, category id.ID
	perUnit            float64 // base units in one sales unit
	price              float64 // fen for a sales unit, 0 unknown
}

// history is the sales of one site as series.
type history struct {
	site     org.Site
	origin   cal.Date
	until    cal.Date
	first    cal.Date
	products []product
	series   []Series
	weather  []WeatherDay
	holidays *cal.Holidays
	lunar    bool
}

// chinese tells whether the site's town keeps the Chinese calendar.
func chinese(zone string) bool {
	switch zone {
	case "Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC",
		"Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei":
		return true
	}
	return false
}

// step is where a run of the job is.
type step struct {
	Sites []id.ID `json:"sites"` // still to do
	Done  int     `json:"done"`
}

// run makes the forecasts of the sites, group by group, each site valid by one row. A run that was cut off
// goes on with the site it was at.
func (s *Service) run(ctx context.Context, run *jobs.Run) error {
	d := run.DB()
	var at step
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		var args struct {
			runArgs
			Args *runArgs `json:"args"` // of a nightly run
		}
		if err := run.Args(&args); err != nil {
			return err
		}
		at.Sites = args.Sites
		if args.Args != nil {
			at.Sites = args.Args.Sites
		}
		if len(at.Sites) == 0 {
			if err := d.Read(ctx, func(tx *db.Tx) error {
				at.Sites = at.Sites[:0]
				all, err := org.AllSites(tx)
				for _, x := range all {
					at.Sites = append(at.Sites, x.ID)
				}
				return err
			}); err != nil {
				return err
			}
		}
	}
	total := int64(at.Done + len(at.Sites))
	var waiting *history // read already, but of another group
	for len(at.Sites) > 0 || waiting != nil {
		var group []*history
		series := 0
		rest := at.Sites
		if waiting != nil {
			group, series, waiting = append(group, waiting), len(waiting.series), nil
			rest = rest[1:]
		}
		skipped := []id.ID{}
		for len(rest) > 0 && series < groupSeries {
			run.Progress(ctx, int64(at.Done), total, "reading")
			h, err := s.read(ctx, d, rest[0])
			if err != nil {
				return err
			}
			if h == nil {
				skipped = append(skipped, rest[0])
				rest = rest[1:]
				continue
			}
			if len(group) > 0 && (group[0].origin != h.origin || group[0].lunar != h.lunar) {
				waiting = h
				break
			}
			group, series, rest = append(group, h), series+len(h.series), rest[1:]
		}
		if len(group) > 0 {
			made, err := s.compute(ctx, group, func(k, n int) {
				run.Progress(ctx, int64(at.Done), total, fmt.Sprintf("%s: %d/%d", group[0].site.Name, k, n))
			})
			if err != nil {
				return err
			}
			for i, m := range made {
				next := step{Sites: slices.Clone(at.Sites), Done: at.Done + 1}
				next.Sites = slices.DeleteFunc(next.Sites, func(x id.ID) bool { return x == group[i].site.ID })
				if err := s.keep(ctx, run, m, at, next); err != nil {
					return err
				}
				at = next
				run.Progress(ctx, int64(at.Done), total, m.site.Name)
			}
		}
		for _, x := range skipped {
			at.Sites = slices.DeleteFunc(at.Sites, func(y id.ID) bool { return x == y })
			at.Done++
		}
	}
	run.Progress(ctx, int64(at.Done), total, "")
	return nil
}

const (
	lastSale = `SELECT d.date FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.date < $2 ORDER BY d.date DESC LIMIT 1`
	soldProducts = `SELECT DISTINCT d.product_id FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.date >= $2 AND d.date <= $3 ORDER BY d.product_id`
	salesOfProduct = `SELECT d.date, d.qty, d.amount_fen, d.promo, d.sold_out_min, d.slots, l.applied_no
		FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.product_id = $2 AND d.date >= $3 AND d.date <= $4 ORDER BY d.date, l.applied_no`
)

// read gives a site's sales as series; nil for a site that never sold.
func (s *Service) read(ctx context.Context, d *db.DB, siteID id.ID) (*history, error) {
	h := &history{}
	var ids []id.ID
	err := d.Read(ctx, func(tx *db.Tx) error {
		site, err := org.SiteByID(tx, siteID)
		if err != nil {
			return err
		}
		h.site = *site
		today := site.BusinessDate(tx.Now())
		h.until = ""
		err = tx.QueryRow(lastSale, siteID, today).Scan(&h.until)
		if errors.Is(err, db.ErrNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		h.origin = today.AddDays(-1)
		if h.origin.Sub(h.until) > freshDays {
			h.origin = h.until
		}
		h.first = h.origin.AddDays(-historyDays + 1)
		ids = ids[:0]
		rows := tx.Query(soldProducts, siteID, h.first, h.origin)
		defer rows.Close()
		for rows.Next() {
			var p id.ID
			if err := rows.Scan(&p); err != nil {
				return err
			}
			ids = append(ids, p)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		last := h.origin.AddDays(MaxHorizon)
		common, err := WeatherBetween(tx, AllSites, h.first, last)
		if err != nil {
			return err
		}
		own, err := WeatherBetween(tx, siteID, h.first, last)
		if err != nil {
			return err
		}
		h.weather = append(common, own...)
		named, err := HolidaysBetween(tx, h.first, last)
		if h.lunar = chinese(site.TimeZone); h.lunar {
			h.holidays = cal.CN().With(named)
		} else {
			h.holidays = cal.NewHolidays(named)
		}
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	for part := range slices.Chunk(ids, 20) { // short reads, so that no snapshot is held for long
		done := len(h.products)
		err := d.Read(ctx, func(tx *db.Tx) error { // which may run again
			h.products, h.series = h.products[:done:done], h.series[:done:done]
			goods, err := s.goods.Products(tx, part)
			if err != nil {
				return err
			}
			answers := make([]*db.Rows, len(part))
			for i, p := range part {
				answers[i] = tx.Query(salesOfProduct, siteID, p, h.first, h.origin)
			}
			for i, p := range part {
				g := goods[p]
				if g == nil || !g.State.Sold() || g.IsBundle() { // what a bundle sells is asked of its parts
					answers[i].Close()
					continue
				}
				if err := h.add(g, answers[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(h.series) == 0 {
		return nil, nil
	}
	return h, nil
}

// add reads one product's sales.
func (h *history) add(g *catalog.Product, rows *db.Rows) error {
	defer rows.Close()
	u := salesUnit(g)
	p := product{id: g.ID, unit: u.ID, category: g.CategoryID, perUnit: float64(u.Num) / float64(u.Den)}
	days := h.origin.Sub(h.first) + 1
	s := Series{Product: g.Name, Group: int(uint64(g.CategoryID) % (1 << 20)), Start: days, Sold: make([]float64, days)}
	var fen, priced float64
	recent := days - 84
	slots := map[slotKey]*[daySlots]float32{}
	base := h.first.Number()
	for rows.Next() {
		var date cal.Date
		var q qty.Qty
		var amount, soldOut *int64
		var promo bool
		var text string
		var no int64
		if err := rows.Scan(&date, &q, &amount, &promo, &soldOut, &text, &no); err != nil {
			return err
		}
		t := date.Sub(h.first)
		units := q.Approx() / p.perUnit
		s.Sold[t] = units // of several loads the last one applied comes last
		if units > 0 {
			s.Start = min(s.Start, t)
		}
		if amount != nil && units > 0 {
			if s.Price == nil {
				s.Price = repeat(math.NaN(), days)
			}
			s.Price[t] = float64(*amount) / units
			if t >= recent || priced == 0 {
				fen, priced = fen+float64(*amount), priced+units
			}
		}
		if promo || s.Promo != nil {
			if s.Promo == nil {
				s.Promo = make([]float64, days)
			}
			s.Promo[t] = 0
			if promo {
				s.Promo[t] = 1
			}
		}
		if soldOut != nil || s.SoldOut != nil {
			if s.SoldOut == nil {
				s.SoldOut = repeat(int16(-1), days)
			}
			s.SoldOut[t] = -1
			if soldOut != nil {
				s.SoldOut[t] = int16(*soldOut)
			}
		}
		parts, err := ParseSlots(text)
		if err != nil {
			return err
		}
		for _, x := range parts {
			k := slotKey{floorDiv(base+t, slotPeriod), weekdayOf(base+t) >= 5}
			if slots[k] == nil {
				slots[k] = new([daySlots]float32)
			}
			slots[k][min(int(x.Slot), daySlots-1)] += float32(x.Qty.Approx() / p.perUnit)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if s.Start == days {
		return nil
	}
	s.setSlots(slots)
	s.fillPrices()
	if priced > 0 {
		p.price = fen / priced
	}
	h.products = append(h.products, p)
	h.series = append(h.series, s)
	return nil
}

// salesUnit is the unit a product is forecast in: the first in use that is not the bare gram or millilitre.
func salesUnit(g *catalog.Product) catalog.Unit {
	for _, u := range g.Units {
		if !u.Retired && (g.BaseUnit == "piece" || u.Name != g.BaseUnit) {
			return u
		}
	}
	return catalog.Unit{Name: g.BaseUnit, Num: 1, Den: 1}
}

// madeSite is what a run says of one site.
type madeSite struct {
	site   org.Site
	run    Run
	rows   []madeProduct
	tracks map[id.ID][]trackDay
}

type madeProduct struct {
	product
	sum     int64
	days    []storedDay
	profile [2][daySlots]float64 // workdays, weekends
	tally   Tally
}

// compute forecasts a group of sites with one origin.
func (s *Service) compute(ctx context.Context, group []*history, progress func(done, all int)) ([]madeSite, error) {
	origin := group[0].origin
	p := &Panel{First: group[0].first, Days: origin.Sub(group[0].first) + 1}
	p.Holidays, p.Lunar = group[0].holidays, group[0].lunar
	type place struct{ site, product int }
	var places []place
	for i, h := range group {
		shop := Shop{Name: h.site.Code, Weather: h.weatherOf(p)}
		p.Shops = append(p.Shops, shop)
		for k := range h.series {
			x := h.series[k]
			x.Shop = i
			p.Series = append(p.Series, x)
			places = append(places, place{i, k})
		}
	}
	p.closeDays()
	e := NewEngine(p, Options{Horizon: Ahead, Workers: s.workers, Explain: true})
	made := make([]madeSite, len(group))
	for i, h := range group {
		made[i] = madeSite{site: h.site, tracks: map[id.ID][]trackDay{}}
		made[i].run = Run{ID: id.New(), SiteID: h.site.ID, Origin: origin, DataUntil: h.until, MadeAt: clock.Wall.Now().UnixMilli()}
	}
	worth := make([]float64, len(places))
	for i, at := range places {
		worth[i] = group[at.site].worth(at.product)
	}
	tallies := make([]Tally, len(places))
	o := p.Days - 1
	for k := backtests; k >= 1; k-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		progress(backtests-k, backtests+1)
		at := o - 7*k
		if at < e.earliest()+warmUp {
			continue
		}
		past := e.Forecast(at)
		for h := range 7 {
			t := at + 1 + h
			day := map[place]*trackDay{} // by site and category; category −1: the site
			var order []place
			for i := range places {
				if past[i] == nil || e.demand[i].weight[t] != 1 { // closed, unbelievable, or sold out: what was wanted is not known
					continue
				}
				s := &p.Series[i]
				naive, mean4 := p.baselines(s, at, t)
				d := past[i][h]
				tallies[i].add(s.Sold[t], d, naive, mean4, 1)
				made[places[i].site].run.Tally.add(s.Sold[t], d, naive, mean4, worth[i])
				category := group[places[i].site].products[places[i].product].category
				for _, key := range [2]place{{places[i].site, int(category)}, {places[i].site, 0}} {
					x := day[key]
					if x == nil {
						x = &trackDay{Date: p.First.AddDays(t)}
						day[key] = x
						order = append(order, key)
					}
					x.Actual += worth[i] * s.Sold[t]
					x.Mean += worth[i] * d.Mean
					x.Naive += worth[i] * naive
					x.Mean4 += worth[i] * mean4
					x.Var += worth[i] * worth[i] * d.Mean
					if category == 0 {
						break
					}
				}
			}
			for _, key := range order {
				x := *day[key]
				for _, v := range []*float64{&x.Actual, &x.Mean, &x.Naive, &x.Mean4, &x.Var} {
					*v = math.Round(*v)
				}
				m := made[key.site].tracks
				m[id.ID(key.product)] = append(m[id.ID(key.product)], x)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := e.Forecast(o)
	for i, at := range places {
		row := madeProduct{product: group[at.site].products[at.product], tally: tallies[i]}
		for _, d := range now[i] {
			x := store(d, row.perUnit)
			row.days = append(row.days, x)
			row.sum += x[0]
		}
		row.profile = e.profile(i, o)
		made[at.site].rows = append(made[at.site].rows, row)
	}
	for i := range made {
		made[i].run.Products = int64(len(made[i].rows))
	}
	return made, nil
}

// profile of a series after o on a workday and on a weekend day.
func (e *Engine) profile(i, o int) (out [2][daySlots]float64) {
	for t := o + 1; t <= o+7; t++ {
		k := 0
		if e.prof.weekend(t) {
			k = 1
		}
		out[k] = e.prof.shares(&e.p.Series[i], t)
	}
	return out
}

// worth of a unit of a product in fen; a product without a price counts as the site's middle one, and as 1
// where nothing has a price.
func (h *history) worth(k int) float64 {
	if p := h.products[k].price; p > 0 {
		return p
	}
	var known []float64
	for _, p := range h.products {
		if p.price > 0 {
			known = append(known, p.price)
		}
	}
	if len(known) == 0 {
		return 1
	}
	return median(known)
}

// weatherOf lays the known weather on the panel's days; nil when there is none.
func (h *history) weatherOf(p *Panel) []Weather {
	if len(h.weather) == 0 {
		return nil
	}
	nan := math.NaN()
	w := repeat(Weather{nan, nan, nan}, p.Days+MaxHorizon)
	for _, x := range h.weather { // the site's own come after those of everywhere
		if t := x.Date.Sub(p.First); t >= 0 && t < len(w) {
			w[t] = Weather{TMax: x.TMax.Approx(), TMin: x.TMin.Approx(), Rain: nan}
			if x.Rain != nil {
				w[t].Rain = x.Rain.Approx()
			}
		}
	}
	return w
}

var (
	putProducts = db.NewMany(`INSERT INTO forecast_product (run_id, product_id, unit_id, sum, days, profile, tally) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)
	putTracks   = db.NewMany(`INSERT INTO forecast_track (run_id, category_id, days) VALUES `, `(?, ?, ?)`, ``)
)

const (
	putRun     = `INSERT INTO forecast_run (id, site_id, origin, data_until, made_at, products, tally, applied_no) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`
	applyRun   = `UPDATE forecast_run SET applied_no = $1 WHERE id = $2 AND applied_no = 0`
	oldRuns    = `SELECT id FROM forecast_run WHERE site_id = $1 AND id <> $2 ORDER BY id LIMIT 10`
	dropSeries = `DELETE FROM forecast_product WHERE run_id = $1 AND product_id IN (SELECT product_id FROM forecast_product WHERE run_id = $1 LIMIT 200)`
	dropTracks = `DELETE FROM forecast_track WHERE run_id = $1`
	dropRun    = `DELETE FROM forecast_run WHERE id = $1`
)

// keep writes a site's forecast in steps and puts it in force by one row; then it clears away what that replaced.
func (s *Service) keep(ctx context.Context, run *jobs.Run, m madeSite, now, next step) error {
	d := run.DB()
	act := func(at step, f func(tx *db.Tx) error) error {
		return d.Write(ctx, func(tx *db.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return run.Save(tx, at)
		})
	}
	tally, err := pack(m.run.Tally)
	if err != nil {
		return err
	}
	r := &m.run
	if err := act(now, func(tx *db.Tx) error {
		return tx.Exec(putRun, r.ID, r.SiteID, r.Origin, r.DataUntil, r.MadeAt, r.Products, tally)
	}); err != nil {
		return err
	}
	for part := range slices.Chunk(m.rows, writeRows) {
		args := make([]any, 0, len(part)*7)
		for i := range part {
			x := &part[i]
			days, err1 := pack(x.days)
			profile, err2 := pack(packProfile(x.profile))
			tally, err3 := pack(x.tally)
			for _, err := range []error{err1, err2, err3} {
				if err != nil {
					return err
				}
			}
			args = append(args, r.ID, x.id, x.unit, x.sum, days, profile, tally)
		}
		if err := act(now, func(tx *db.Tx) error { return tx.ExecMany(putProducts, args...) }); err != nil {
			return err
		}
	}
	var tracks []any
	for _, c := range sortedKeys(m.tracks) {
		days, err := pack(m.tracks[c])
		if err != nil {
			return err
		}
		tracks = append(tracks, r.ID, c, days)
	}
	if err := act(next, func(tx *db.Tx) error {
		if err := tx.ExecMany(putTracks, tracks...); err != nil {
			return err
		}
		if err := tx.ExecExactly(1, ErrNone, applyRun, id.New(), r.ID); err != nil {
			return err
		}
		return outbox.Emit(tx, outbox.Event{Type: "forecast.made.v1", Subject: r.SiteID, Site: r.SiteID, Body: Made{r.ID, r.SiteID, r.Origin}})
	}); err != nil {
		return err
	}
	return s.clearAway(ctx, d, r.SiteID, r.ID)
}

// clearAway removes every other run of the site: those before, and those a killed job left unapplied.
func (s *Service) clearAway(ctx context.Context, d *db.DB, site, keep id.ID) error {
	for {
		var old []id.ID
		if err := d.Read(ctx, func(tx *db.Tx) error {
			old = old[:0]
			rows := tx.Query(oldRuns, site, keep)
			defer rows.Close()
			for rows.Next() {
				var r id.ID
				if err := rows.Scan(&r); err != nil {
					return err
				}
				old = append(old, r)
			}
			return rows.Err()
		}); err != nil || len(old) == 0 {
			return err
		}
		for _, r := range old {
			for left := int64(1); left > 0; {
				if err := d.Write(ctx, func(tx *db.Tx) (err error) {
					left, err = tx.ExecN(dropSeries, r)
					return err
				}); err != nil {
					return err
				}
			}
			if err := d.Write(ctx, func(tx *db.Tx) error {
				if err := tx.Exec(dropTracks, r); err != nil {
					return err
				}
				return tx.Exec(dropRun, r)
			}); err != nil {
				return err
			}
		}
	}
}

// packProfile keeps shares as ten-thousandths.
func packProfile(p [2][daySlots]float64) [2][]int {
	var out [2][]int
	for k := range p {
		for _, v := range p[k] {
			out[k] = append(out[k], int(math.Round(v*10_000)))
		}
	}
	return out
}

func sortedKeys[V any](m map[id.ID]V) []id.ID {
	keys := make([]id.ID, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
