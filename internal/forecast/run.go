package forecast

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/platform/qty"
)

const (
	freshDays   = 14   // a site whose last sale is older is forecast from there, not from today
	groupSeries = 3000 // series that are trained together
	writeRows   = 100  // rows of one step
)

// Made is the body of the event forecast.made.v1: a site has a new forecast in force.
type Made struct {
	RunID  id.ID    `json:"run_id"`
	SiteID id.ID    `json:"site_id"`
	Origin cal.Date `json:"origin"`
	// Planned says that whoever had it made plans from it next by himself.
	Planned bool `json:"planned,omitempty"`
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
	SoldOut int64              `json:"sold_out,omitempty"` // of the days
	Actual  float64            `json:"actual"`
	Err     float64            `json:"err"`
	Naive   float64            `json:"naive"`
	Mean4   float64            `json:"mean4"`
	Bias    float64            `json:"bias"`
	Floor   float64            `json:"floor"`
	Pinball [len(Taus)]float64 `json:"pinball"`
	Cover   [len(Taus)]float64 `json:"cover"`
}

// add one day at the worth of a unit; actual is its demand.
func (t *Tally) add(actual float64, d Day, naive, mean4, worth float64, soldOut bool) {
	t.N++
	if soldOut {
		t.SoldOut++
	}
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
	t.SoldOut += o.SoldOut
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
	packed   bool // read from a pack and the days after it
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

// run makes the forecasts of the sites, each valid by one row. A run that was cut off goes on with the site it was at.
func (s *Service) run(ctx context.Context, run *jobs.Run) error {
	var at step
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		var args runArgs
		if err := run.Args(&args); err != nil {
			return err
		}
		if at.Sites = args.Sites; len(at.Sites) == 0 {
			if at.Sites, err = siteIDs(ctx, run.DB()); err != nil {
				return err
			}
		}
	}
	total := at.Done + len(at.Sites)
	err = s.Make(ctx, run.DB(), at.Sites, Course{
		Save:     func(tx *db.Tx, left []id.ID) error { return run.Save(tx, step{left, total - len(left)}) },
		Progress: func(left int, note string) { run.Progress(ctx, int64(total-left), int64(total), note) },
	})
	if err == nil {
		run.Progress(ctx, int64(total), int64(total), "")
	}
	return err
}

func siteIDs(ctx context.Context, d *db.DB) (sites []id.ID, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		sites = nil
		all, err := org.AllSites(tx)
		for _, x := range all {
			sites = append(sites, x.ID)
		}
		return err
	})
	return sites, err
}

// Course is the job whose steps are sites: Save keeps, in a step's own transaction, which sites are left; Progress
// shows how many are.
type Course struct {
	Save     func(tx *db.Tx, left []id.ID) error
	Progress func(left int, note string)
	Planned  bool // said in the event of each forecast
}

// march is a walk over sites, for a course.
type march struct {
	s     *Service
	d     *db.DB
	c     Course
	left  []id.ID
	keep  bool // forecasts are made; otherwise models only
	group []*history
	size  int // series in group
	cache map[id.ID]*Model
}

// Make forecasts sites from what is stored of the last training, site by site; sites of which nothing usable is stored
// are trained together first. A forecast that comes out as before leaves the one in force.
func (s *Service) Make(ctx context.Context, d *db.DB, sites []id.ID, c Course) error {
	m := &march{s: s, d: d, c: c, left: slices.Clone(sites), keep: true, cache: map[id.ID]*Model{}}
	if err := m.walk(ctx, sites, func(h *history) (bool, error) {
		model, memory, err := m.find(ctx, h)
		if err != nil || model == nil {
			return false, err
		}
		return true, m.predict(ctx, h, model, memory)
	}); err != nil {
		return err
	}
	return s.joinFestivals(ctx, d)
}

// walk reads site after site and shows it to one; those it does not settle are trained in groups. The next site is
// read meanwhile.
func (m *march) walk(ctx context.Context, sites []id.ID, one func(h *history) (settled bool, err error)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type answer struct {
		h   *history
		err error
	}
	read := make(chan answer)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		for _, site := range sites {
			h, err := m.s.read(ctx, m.d, site)
			select {
			case read <- answer{h, err}:
			case <-ctx.Done():
				return
			}
		}
	})
	for _, site := range sites {
		m.c.Progress(len(m.left), "")
		var a answer
		select {
		case a = <-read:
		case <-ctx.Done():
			return ctx.Err()
		}
		if a.err != nil {
			return a.err
		}
		h := a.h
		if h == nil { // never sold anything
			m.settle(site)
			continue
		}
		settled, err := one(h)
		if err != nil {
			return err
		}
		if settled {
			continue
		}
		if len(m.group) > 0 && (m.group[0].origin != h.origin || m.group[0].lunar != h.lunar) {
			if err := m.trainGroup(ctx); err != nil {
				return err
			}
		}
		m.group, m.size = append(m.group, h), m.size+len(h.series)
		if m.size >= groupSeries {
			if err := m.trainGroup(ctx); err != nil {
				return err
			}
		}
	}
	if err := m.trainGroup(ctx); err != nil {
		return err
	}
	return m.d.Write(ctx, func(tx *db.Tx) error { return m.c.Save(tx, m.left) })
}

// settle takes a site off those that are left.
func (m *march) settle(site id.ID) { m.left = m.without(site) }

func (m *march) without(site id.ID) []id.ID {
	return slices.DeleteFunc(slices.Clone(m.left), func(x id.ID) bool { return x == site })
}

// trainGroup trains the sites gathered so far, and forecasts them from that.
func (m *march) trainGroup(ctx context.Context) error {
	if len(m.group) == 0 {
		return nil
	}
	group := m.group
	m.group, m.size = nil, 0
	model, memories, err := m.s.train(ctx, group, func(k, n int) {
		m.c.Progress(len(m.left), fmt.Sprintf("%s: %d/%d", group[0].site.Name, k, n))
	})
	if err != nil {
		return err
	}
	no, err := m.s.store(ctx, m.d, group, model, memories)
	if err != nil {
		return err
	}
	m.cache[no] = model
	for i, h := range group {
		if m.keep {
			memories[i].model = no
			err = m.predict(ctx, h, model, memories[i])
		} else {
			m.settle(h.site.ID)
			err = m.d.Write(ctx, func(tx *db.Tx) error { return m.c.Save(tx, m.left) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// predict makes the forecast of one site and puts it in force.
func (m *march) predict(ctx context.Context, h *history, model *Model, memory *siteMemory) error {
	made, err := m.s.predict(h, model, memory)
	if err != nil {
		return err
	}
	if err := m.s.promise(ctx, m.d, made); err != nil {
		return err
	}
	if err := m.s.festivals(ctx, m.d, made); err != nil {
		return err
	}
	left := m.without(h.site.ID)
	if err := m.s.keep(ctx, m.d, made, m.c, m.left, left); err != nil {
		return err
	}
	m.left = left
	m.c.Progress(len(m.left), h.site.Name)
	return nil
}

const (
	lastSale = `SELECT d.date FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.date < $2 ORDER BY d.date DESC LIMIT 1`
	// soldProducts jumps from product to product through the primary key, instead of reading every day of each.
	soldProducts = `WITH RECURSIVE p (product_id) AS (SELECT MIN(product_id) FROM forecast_sale_day WHERE site_id = $1
		UNION ALL SELECT (SELECT MIN(d.product_id) FROM forecast_sale_day d WHERE d.site_id = $1 AND d.product_id > p.product_id) FROM p WHERE p.product_id IS NOT NULL)
		SELECT product_id FROM p WHERE product_id IS NOT NULL`
	salesOfProduct = `SELECT ` + pastColumns + `
		FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0
		WHERE d.site_id = $1 AND d.product_id = $2 AND d.date >= $3 AND d.date <= $4 ORDER BY d.date, l.applied_no`
)

// read gives a site's sales as series; nil for a site that never sold.
func (s *Service) read(ctx context.Context, d *db.DB, siteID id.ID) (*history, error) {
	h := &history{}
	var ids []id.ID
	var known *past          // the pack that holds
	var before []pastProduct // what it and the days after it say
	now := &past{}           // the pack that could be made now
	err := d.Read(ctx, func(tx *db.Tx) error {
		h.products, h.series, ids, known = nil, nil, nil, nil
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
		h.first = firstDay(h.origin)
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
		if err != nil {
			return err
		}
		now.first, now.until = h.first, h.origin.AddDays(-openDays)
		if now.till, now.loads, err = marks(tx, siteID, now.until); err != nil {
			return err
		}
		if known, err = packed(tx, siteID, h.first, h.origin); err != nil {
			return err
		}
		if known == nil {
			ids, err = idsOf(tx, soldProducts, siteID)
			return err
		}
		before, err = known.recent(tx, siteID, h.origin)
		return err
	})
	if err != nil || h.until == "" {
		return nil, err
	}
	if known != nil {
		for part := range slices.Chunk(before, 200) {
			err := d.Read(ctx, func(tx *db.Tx) error { return s.addAll(tx, h, part) })
			if err != nil {
				return nil, err
			}
		}
	}
	for part := range slices.Chunk(ids, 20) { // short reads, so that no snapshot is held for long
		var read []pastProduct
		if err := d.Read(ctx, func(tx *db.Tx) error { // which may run again
			read = read[:0]
			answers := make([]*db.Rows, len(part))
			for i, p := range part {
				answers[i] = tx.Query(salesOfProduct, siteID, p, h.first, h.origin)
			}
			for i, p := range part {
				x, err := productDays(p, answers[i], now.until)
				if err != nil {
					return err
				}
				read = append(read, x)
			}
			return s.addAll(tx, h, read)
		}); err != nil {
			return nil, err
		}
		before = append(before, read...)
	}
	if known == nil || now.until.Sub(known.until) >= packDays {
		from, to := now.first.Number(), now.until.Number()
		for _, x := range before {
			if x = x.between(from, to); len(x.days) > 0 {
				now.products = append(now.products, x)
			}
		}
		if err := now.put(ctx, d, siteID); err != nil {
			return nil, err
		}
	}
	h.packed = known != nil
	if len(h.series) == 0 {
		return nil, nil
	}
	return h, nil
}

// idsOf reads a list of ids.
func idsOf(tx *db.Tx, text string, args ...any) (found []id.ID, err error) {
	rows := tx.Query(text, args...)
	defer rows.Close()
	for rows.Next() {
		var x id.ID
		if err := rows.Scan(&x); err != nil {
			return nil, err
		}
		found = append(found, x)
	}
	return found, rows.Err()
}

// addAll makes series of what products sold, as far as they are still sold.
func (s *Service) addAll(tx *db.Tx, h *history, known []pastProduct) error {
	n := len(known)
	ids := make([]id.ID, n)
	for i := range known {
		ids[i] = known[i].id
	}
	goods, err := s.goods.Products(tx, ids)
	if err != nil {
		return err
	}
	done := len(h.products)
	if done > 0 && n > 0 { // a read that runs again begins anew
		at, _ := slices.BinarySearchFunc(h.products, ids[0], func(p product, x id.ID) int { return cmp.Compare(p.id, x) })
		h.products, h.series = h.products[:at:at], h.series[:at:at]
	}
	for i := range known {
		if g := goods[known[i].id]; g != nil && g.State.Sold() && !g.IsBundle() { // what a bundle sells is asked of its parts
			h.add(g, &known[i])
		}
	}
	return nil
}

// add makes a series of what one product sold.
func (h *history) add(g *catalog.Product, known *pastProduct) {
	u := salesUnit(g)
	p := product{id: g.ID, unit: u.ID, category: g.CategoryID, perUnit: float64(u.Num) / float64(u.Den)}
	days := h.origin.Sub(h.first) + 1
	s := Series{Product: g.Name, Group: int(uint64(g.CategoryID) % (1 << 20)), Start: days, Sold: make([]float64, days)}
	var fen, priced float64
	recent := days - 84
	base := h.first.Number()
	for i := range known.days {
		d := &known.days[i]
		t := d.day - base
		if t < 0 {
			continue
		}
		units := qty.Qty(d.qty).Approx() / p.perUnit
		s.Sold[t] = units
		if units > 0 {
			s.Start = min(s.Start, t)
		}
		if d.amount >= 0 && units > 0 {
			if s.Price == nil {
				s.Price = repeat(math.NaN(), days)
			}
			s.Price[t] = float64(d.amount) / units
			if t >= recent || priced == 0 {
				fen, priced = fen+float64(d.amount), priced+units
			}
		}
		if d.promo {
			if s.Promo == nil {
				s.Promo = make([]float64, days)
			}
			s.Promo[t] = 1
		}
		if d.soldOut >= 0 {
			if s.SoldOut == nil {
				s.SoldOut = repeat(int16(-1), days)
			}
			s.SoldOut[t] = d.soldOut
		}
	}
	if s.Start == days {
		return
	}
	slots := map[slotKey]*slotShares{}
	for k := range known.slots {
		slots[k] = nil
	}
	for k := range known.late {
		slots[k] = nil
	}
	for k := range slots {
		if k.period*slotPeriod < base {
			delete(slots, k)
			continue
		}
		var sum slotShares
		early, late := known.slots[k], known.late[k]
		for h := range sum {
			n := int64(0)
			if early != nil {
				n += early[h]
			}
			if late != nil {
				n += late[h]
			}
			sum[h] = float32(qty.Qty(n).Approx() / p.perUnit)
		}
		slots[k] = &sum
	}
	s.setSlots(slots)
	s.fillPrices()
	if priced > 0 {
		p.price = fen / priced
	}
	h.products = append(h.products, p)
	h.series = append(h.series, s)
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
	model  id.ID
	rows   []madeProduct
	tracks []track
	engine *Engine
	worths []float64 // fen for a unit of each product
	packed bool      // its past was read from a pack: nobody has spoken of it again
}

type madeProduct struct {
	product
	sum     int64
	days    []storedDay
	profile [2][daySlots]float64 // workdays, weekends
	tally   Tally
}

// place of a series: its site in the group, its product there.
type place struct{ site, product int }

// panelOf lays sites with one origin on one axis of days.
func panelOf(group []*history) (p *Panel, places []place) {
	p = &Panel{First: group[0].first, Days: group[0].origin.Sub(group[0].first) + 1, Holidays: group[0].holidays, Lunar: group[0].lunar}
	for i, h := range group {
		p.Shops = append(p.Shops, Shop{Name: h.site.Code, Weather: h.weatherOf(p)})
		for k := range h.series {
			x := h.series[k]
			x.Shop = i
			p.Series = append(p.Series, x)
			places = append(places, place{i, k})
		}
	}
	p.closeDays()
	return p, places
}

// train learns from a group of sites with one origin, and measures what its weekly forecasts of the last twelve weeks
// were worth.
func (s *Service) train(ctx context.Context, group []*history, progress func(done, all int)) (*Model, []*siteMemory, error) {
	p, places := panelOf(group)
	e := NewEngine(p, Options{Horizon: Ahead, Workers: s.workers})
	memories := make([]*siteMemory, len(group))
	tracks := make([]map[id.ID][]trackDay, len(group))
	for i, h := range group {
		memories[i] = &siteMemory{Seen: h.seen(h.origin)}
		tracks[i] = map[id.ID][]trackDay{}
	}
	var worth []float64 // places are site after site
	for _, h := range group {
		worth = append(worth, h.worths()...)
	}
	tallies := make([]Tally, len(places))
	o := p.Days - 1
	for k := backtests; k >= 1; k-- {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
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
				if past[i] == nil || e.demand[i].weight[t] == 0 { // closed, or a figure that nobody believes
					continue
				}
				demand, soldOut := e.demand[i].qty[t], e.demand[i].weight[t] < 1
				s := &p.Series[i]
				naive, mean4 := p.baselines(s, at, t)
				d := past[i][h]
				tallies[i].add(demand, d, naive, mean4, 1, soldOut)
				memories[places[i].site].Tally.add(demand, d, naive, mean4, worth[i], soldOut)
				category := group[places[i].site].products[places[i].product].category
				for _, key := range [2]place{{places[i].site, int(category)}, {places[i].site, 0}} {
					x := day[key]
					if x == nil {
						x = &trackDay{Date: p.First.AddDays(t)}
						day[key] = x
						order = append(order, key)
					}
					x.Actual += worth[i] * demand
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
				m := tracks[key.site]
				m[id.ID(key.product)] = append(m[id.ID(key.product)], x)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	model, all, err := e.Learn(o)
	if err != nil {
		return nil, nil, err
	}
	for i, at := range places {
		m := memories[at.site]
		m.Products = append(m.Products, productMemory{group[at.site].products[at.product].id, all[i], tallies[i]})
	}
	for i, m := range memories {
		for _, c := range sortedKeys(tracks[i]) {
			m.Tracks = append(m.Tracks, track{c, tracks[i][c]})
		}
	}
	return model, memories, nil
}

// predict makes the forecast of one site from what its last training left.
func (s *Service) predict(h *history, model *Model, memory *siteMemory) (*madeSite, error) {
	p, _ := panelOf([]*history{h})
	e := NewEngine(p, Options{Horizon: Ahead, Workers: s.workers, Explain: true})
	known := memory.of(h.products)
	asked := make([]*Memory, len(known))
	for i, x := range known {
		if x != nil {
			asked[i] = &x.Memory
		}
	}
	o := p.Days - 1
	days, err := e.Predict(o, model, asked)
	if err != nil {
		return nil, err
	}
	made := &madeSite{site: h.site, tracks: memory.Tracks, engine: e, worths: h.worths(), packed: h.packed}
	made.run = Run{ID: id.New(), SiteID: h.site.ID, Origin: h.origin, DataUntil: h.until,
		Products: int64(len(h.products)), Tally: memory.Tally}
	made.model = memory.model
	made.rows = make([]madeProduct, len(h.products))
	for i := range made.rows {
		row := &made.rows[i]
		row.product = h.products[i]
		if known[i] != nil {
			row.tally = known[i].Tally
		}
		for _, d := range days[i] {
			x := store(d, row.perUnit)
			row.days = append(row.days, x)
			row.sum += x[0]
		}
		row.profile = e.profile(i, o)
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

// worths are what a unit of each product is worth in fen; a product without a price counts as the site's middle one, and
// as 1 where nothing has a price.
func (h *history) worths() []float64 {
	var known []float64
	for _, p := range h.products {
		if p.price > 0 {
			known = append(known, p.price)
		}
	}
	middle := 1.0
	if len(known) > 0 {
		middle = median(known)
	}
	all := make([]float64, len(h.products))
	for i, p := range h.products {
		if all[i] = p.price; p.price <= 0 {
			all[i] = middle
		}
	}
	return all
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
	putRun       = `INSERT INTO forecast_run (id, site_id, origin, data_until, made_at, products, tally, applied_no, model_id, fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)`
	printInForce = `SELECT id, fingerprint FROM forecast_run WHERE site_id = $1 AND applied_no > 0 ORDER BY applied_no DESC LIMIT 1`
	applyRun     = `UPDATE forecast_run SET applied_no = $1 WHERE id = $2 AND applied_no = 0`
	oldRuns      = `SELECT id FROM forecast_run WHERE site_id = $1 AND id <> $2 ORDER BY id LIMIT 10`
	dropSeries   = `DELETE FROM forecast_product WHERE run_id = $1 AND product_id IN (SELECT product_id FROM forecast_product WHERE run_id = $1 LIMIT 200)`
	dropTracks   = `DELETE FROM forecast_track WHERE run_id = $1`
	dropRun      = `DELETE FROM forecast_run WHERE id = $1`
)

// keep writes a site's forecast in steps and puts it in force by one row; then it clears away what that replaced. What
// says the same as the one in force is not written.
func (s *Service) keep(ctx context.Context, d *db.DB, m *madeSite, c Course, now, next []id.ID) error {
	act := func(left []id.ID, f func(tx *db.Tx) error) error {
		return d.Write(ctx, func(tx *db.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return c.Save(tx, left)
		})
	}
	r := &m.run
	tally, err := pack(r.Tally)
	if err != nil {
		return err
	}
	digest := sha256.New()
	say := func(v ...any) { _, _ = fmt.Fprintln(digest, v...) } // never fails
	say(r.Origin, r.DataUntil, r.Products, tally)
	rows := make([]any, 0, len(m.rows)*7)
	for i := range m.rows {
		x := &m.rows[i]
		days, err1 := pack(x.days)
		profile, err2 := pack(packProfile(x.profile))
		tally, err3 := pack(x.tally)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		rows = append(rows, r.ID, x.id, x.unit, x.sum, days, profile, tally)
		say(x.id, x.unit, days, profile, tally)
	}
	var tracks []any
	for _, t := range m.tracks {
		days, err := pack(t.Days)
		if err != nil {
			return err
		}
		tracks = append(tracks, r.ID, t.Category, days)
		say(t.Category, days)
	}
	print := hex.EncodeToString(digest.Sum(nil))
	var before id.ID
	var said string
	if err := d.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(printInForce, r.SiteID).Scan(&before, &said)
		if errors.Is(err, db.ErrNoRow) {
			err = nil
		}
		return err
	}); err != nil {
		return err
	}
	if said == print {
		if err := act(next, func(*db.Tx) error { return nil }); err != nil {
			return err
		}
		return s.clearAway(ctx, d, r.SiteID, before)
	}
	if err := act(now, func(tx *db.Tx) error {
		return tx.Exec(putRun, r.ID, r.SiteID, r.Origin, r.DataUntil, tx.Now().UnixMilli(), r.Products, tally, m.model, print) // the shop's time, as it is shown there
	}); err != nil {
		return err
	}
	for part := range slices.Chunk(rows, 7*writeRows) {
		if err := act(now, func(tx *db.Tx) error { return tx.ExecMany(putProducts, part...) }); err != nil {
			return err
		}
	}
	if err := act(next, func(tx *db.Tx) error {
		if err := tx.ExecMany(putTracks, tracks...); err != nil {
			return err
		}
		if err := tx.ExecExactly(1, ErrNone, applyRun, id.New(), r.ID); err != nil {
			return err
		}
		return outbox.Emit(tx, outbox.Event{Type: "forecast.made.v1", Subject: r.SiteID, Site: r.SiteID, Body: Made{r.ID, r.SiteID, r.Origin, c.Planned}})
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
