package forecast

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
)

const writeRows = 100 // rows of one step

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

func sortedKeys[V any](m map[id.ID]V) []id.ID {
	keys := make([]id.ID, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
