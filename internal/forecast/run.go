package forecast

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
)

const groupSeries = 3000 // series that are trained together

// Made is the body of the event forecast.made.v1: a site has a new forecast in force.
type Made struct {
	RunID  id.ID    `json:"run_id"`
	SiteID id.ID    `json:"site_id"`
	Origin cal.Date `json:"origin"`
	// Planned says that whoever had it made plans from it next by himself.
	Planned bool `json:"planned,omitempty"`
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
