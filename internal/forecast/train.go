package forecast

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
)

// Models are trained weekly and kept; the nights between forecast from them.

// TrainJob is the kind of the job that trains anew where the last training is a week old.
const TrainJob = "forecast.train"

const (
	trainDays  = 7  // after which a model is trained anew by TrainJob
	modelDays  = 28 // after which a forecast rather trains than believes it; a replay's trainings are as old
	keepModels = 3  // versions that are kept of each site
	grownShare = 20 // of the days with a sale: history that differs by more than one in so many wants another training
	seenDays   = 364
	deadModel  = 24 * time.Hour // after which an unfinished model is one whose training died
)

// siteMemory is what a training remembers of one site.
type siteMemory struct {
	Seen     int64
	Tally    Tally // of the last twelve weekly forecasts, in money
	Tracks   []track
	Products []productMemory // in order of id

	model id.ID
}

type track struct {
	Category id.ID // 0: the whole site
	Days     []trackDay
}

type productMemory struct {
	Product id.ID
	Memory  Memory
	Tally   Tally // in sales units
}

// of gives what is remembered of each product, nil for nothing.
func (m *siteMemory) of(products []product) []*productMemory {
	at := make(map[id.ID]*productMemory, len(m.Products))
	for i := range m.Products {
		at[m.Products[i].Product] = &m.Products[i]
	}
	all := make([]*productMemory, len(products))
	for i := range products {
		all[i] = at[products[i].id]
	}
	return all
}

// seen counts the days with a sale, over all products, in the year up to a date.
func (h *history) seen(until cal.Date) (n int64) {
	to := until.Sub(h.first)
	for i := range h.series {
		for t := max(0, to-seenDays+1); t <= to && t < len(h.series[i].Sold); t++ {
			if h.series[i].Sold[t] > 0 {
				n++
			}
		}
	}
	return n
}

var featureText = strings.Join(boostFeatures, " ")

const (
	// newestMemory of a site, from a model that may be used: it knows these features and this calendar, and nothing after
	// the origin. Ids rise with time.
	newestMemory = `SELECT l.model_id, m.cutoff, l.seen, l.body FROM forecast_memory l JOIN forecast_model m ON m.id = l.model_id
		WHERE l.site_id = $1 AND m.ready = 1 AND m.features = $2 AND m.lunar = $3 AND m.cutoff <= $4 ORDER BY l.model_id DESC LIMIT 1`
	bodyOfModel   = `SELECT body FROM forecast_model WHERE id = $1`
	putModel      = `INSERT INTO forecast_model (id, cutoff, features, lunar, series, made_at, ready, body) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)`
	putMemory     = `INSERT INTO forecast_memory (site_id, model_id, series, seen, body) VALUES ($1, $2, $3, $4, $5)`
	readyModel    = `UPDATE forecast_model SET ready = 1 WHERE id = $1 AND ready = 0`
	versionsKept  = `SELECT l.model_id FROM forecast_memory l JOIN forecast_model m ON m.id = l.model_id WHERE l.site_id = $1 AND m.ready = 1 ORDER BY l.model_id DESC LIMIT $2`
	dropVersions  = `DELETE FROM forecast_memory WHERE site_id = $1 AND model_id < $2`
	deadModels    = `SELECT id FROM forecast_model WHERE ready = 0 AND made_at < $1 ORDER BY id LIMIT 20`
	dropMemories  = `DELETE FROM forecast_memory WHERE model_id = $1`
	dropModel     = `DELETE FROM forecast_model WHERE id = $1`
	dropForgotten = `DELETE FROM forecast_model WHERE ready = 1 AND NOT EXISTS (SELECT 1 FROM forecast_memory l WHERE l.model_id = forecast_model.id)`
)

// find looks for a stored model the site can be forecast from; nil when there is none, or its history has changed since.
func (m *march) find(ctx context.Context, h *history) (*Model, *siteMemory, error) {
	memory, cutoff, err := recollect(ctx, m.d, h)
	if err != nil || memory == nil {
		return nil, nil, err
	}
	grown := h.seen(cutoff) - memory.Seen
	if h.origin.Sub(cutoff) > modelDays || max(grown, -grown)*grownShare > memory.Seen {
		return nil, nil, nil
	}
	if model := m.cache[memory.model]; model != nil {
		return model, memory, nil
	}
	var body []byte
	if err := m.d.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(bodyOfModel, memory.model).Scan(&body) }); err != nil {
		if errors.Is(err, db.ErrNoRow) { // forgotten meanwhile
			err = nil
		}
		return nil, nil, err
	}
	model, err := decodeModel(body)
	if errors.Is(err, ErrModel) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	m.cache[memory.model] = model
	return model, memory, nil
}

// recollect reads what the newest usable training remembers of a site, and its cut-off; nil without one.
func recollect(ctx context.Context, d *db.DB, h *history) (*siteMemory, cal.Date, error) {
	memory := &siteMemory{}
	var cutoff cal.Date
	var seen int64
	var body []byte
	err := d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(newestMemory, h.site.ID, featureText, h.lunar, h.origin).Scan(&memory.model, &cutoff, &seen, &body)
	})
	if errors.Is(err, db.ErrNoRow) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if err := decode(body, memory); err != nil {
		return nil, "", nil // of another version: as if there were none
	}
	for i := range memory.Products {
		if f := memory.Products[i].Memory.Fit; f != nil && !f.sound() {
			memory.Products[i].Memory.Fit = nil
		}
	}
	return memory, cutoff, nil
}

// store keeps what a training of a group left, in steps, valid by one row; then it forgets what is too old.
func (s *Service) store(ctx context.Context, d *db.DB, group []*history, model *Model, memories []*siteMemory) (id.ID, error) {
	no := id.New()
	body, err := encode(model)
	if err != nil {
		return 0, err
	}
	series := 0
	for _, m := range memories {
		series += len(m.Products)
	}
	steps := []func(tx *db.Tx) error{func(tx *db.Tx) error {
		return tx.Exec(putModel, no, model.Cutoff, featureText, model.Lunar, series, clock.Wall.Now(), body)
	}}
	for i, m := range memories {
		body, err := encode(m)
		if err != nil {
			return 0, err
		}
		steps = append(steps, func(tx *db.Tx) error {
			return tx.Exec(putMemory, group[i].site.ID, no, len(m.Products), m.Seen, body)
		})
	}
	steps = append(steps, func(tx *db.Tx) error { return tx.ExecExactly(1, ErrNone, readyModel, no) })
	for _, write := range steps {
		if err := d.Write(ctx, write); err != nil {
			return 0, err
		}
	}
	return no, forget(ctx, d, group)
}

// forget drops versions of the sites beyond the newest, models nobody remembers, and what a dead training left.
func forget(ctx context.Context, d *db.DB, group []*history) error {
	ids := func(ask func(tx *db.Tx) *db.Rows) (found []id.ID, err error) {
		err = d.Read(ctx, func(tx *db.Tx) error {
			found = nil
			rows := ask(tx)
			defer rows.Close()
			for rows.Next() {
				var x id.ID
				if err := rows.Scan(&x); err != nil {
					return err
				}
				found = append(found, x)
			}
			return rows.Err()
		})
		return found, err
	}
	for _, h := range group {
		versions, err := ids(func(tx *db.Tx) *db.Rows { return tx.Query(versionsKept, h.site.ID, keepModels) })
		if err != nil {
			return err
		}
		if len(versions) < keepModels {
			continue
		}
		oldest := versions[len(versions)-1]
		if err := d.Write(ctx, func(tx *db.Tx) error { return tx.Exec(dropVersions, h.site.ID, oldest) }); err != nil {
			return err
		}
	}
	dead, err := ids(func(tx *db.Tx) *db.Rows { return tx.Query(deadModels, clock.Wall.Now().Add(-deadModel)) })
	if err != nil {
		return err
	}
	for _, x := range dead {
		if err := d.Write(ctx, func(tx *db.Tx) error {
			if err := tx.Exec(dropMemories, x); err != nil {
				return err
			}
			return tx.Exec(dropModel, x)
		}); err != nil {
			return err
		}
	}
	return d.Write(ctx, func(tx *db.Tx) error { return tx.Exec(dropForgotten) })
}

// trainDue trains the sites whose model is a week old, group by group. Sites without any are trained when they are
// forecast.
func (s *Service) trainDue(ctx context.Context, run *jobs.Run) error {
	var at step
	resumed, err := run.Load(&at)
	if err != nil {
		return err
	}
	if !resumed {
		if at.Sites, err = siteIDs(ctx, run.DB()); err != nil {
			return err
		}
	}
	total := at.Done + len(at.Sites)
	m := &march{s: s, d: run.DB(), left: slices.Clone(at.Sites), cache: map[id.ID]*Model{}, c: Course{
		Save:     func(tx *db.Tx, left []id.ID) error { return run.Save(tx, step{left, total - len(left)}) },
		Progress: func(left int, note string) { run.Progress(ctx, int64(total-left), int64(total), note) },
	}}
	due, err := dueSites(ctx, run.DB(), at.Sites)
	if err != nil {
		return err
	}
	for _, site := range at.Sites {
		if _, ok := due[site]; !ok {
			m.settle(site)
		}
	}
	if err := m.walk(ctx, sortedKeys(due), func(h *history) (bool, error) {
		if h.origin.Sub(due[h.site.ID]) >= trainDays {
			return false, nil
		}
		m.settle(h.site.ID) // it sells nothing any more: there is nothing new to learn
		return true, nil
	}); err != nil {
		return err
	}
	run.Progress(ctx, int64(total), int64(total), "")
	return nil
}

const newestCutoffs = `SELECT l.site_id, MAX(m.cutoff) FROM forecast_memory l JOIN forecast_model m ON m.id = l.model_id WHERE m.ready = 1 GROUP BY l.site_id`

// dueSites are those of the sites whose newest model knows nothing of the last week, with its cut-off.
func dueSites(ctx context.Context, d *db.DB, sites []id.ID) (due map[id.ID]cal.Date, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		due = map[id.ID]cal.Date{}
		rows := tx.Query(newestCutoffs)
		defer rows.Close()
		last := cal.On(tx.Now()).AddDays(-1 - trainDays)
		for rows.Next() {
			var site id.ID
			var cutoff cal.Date
			if err := rows.Scan(&site, &cutoff); err != nil {
				return err
			}
			if cutoff <= last && slices.Contains(sites, site) {
				due[site] = cutoff
			}
		}
		return rows.Err()
	})
	return due, err
}
