// Package sim makes a demo chain and lets it live: its past comes in through the same import as anybody's, its days
// are the work of demo staff who sign in and use the same HTTP API as the till, the kitchen phone and the office.
// It writes no table of the trade. See README.md.
package sim

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/web"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this package.
var Migrations = db.Migrations{Package: "sim", FS: files}

var (
	// ErrShop refuses to make a demo where somebody works.
	ErrShop = errs.Define("demo_not_empty", errs.Conflict,
		"这个数据库里已有数据,不能生成演示连锁;请去掉 --demo,或换一个空的数据库", "This database has data already, so no demo is made in it; start without --demo, or with an empty database")
	// ErrNoDemo refuses to remove what is no demo.
	ErrNoDemo = errs.Define("demo_none", errs.Conflict, "这个数据库不是演示数据,不会删除任何内容", "This database is not a demo; nothing was removed")
	// ErrInUse says that a server works on the demo.
	ErrInUse = errs.Define("demo_in_use", errs.Conflict,
		"有一个服务器正在使用这个演示数据库,请先停止它(刚被强行结束的话,请等 {seconds} 秒)", "A server uses this demo: stop it first (if it was just killed, wait {seconds} seconds)")
)

// Size is how large a demo chain is.
type Size struct {
	Stores, Products int // the first so many of the range
	Days             int // of history, before the first day that is lived
}

// Whole is the demo chain that people see.
var Whole = Size{Stores: 12, Products: 60, Days: HistoryDays}

// Seed of the demo chain that people see.
const Seed = 20261123

// Shanghai has the clock of all stores.
var Shanghai = func() *time.Location {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return loc
}()

// Hours of the demo's clock, after midnight in Shanghai.
const (
	firstHour = 3*60 + 50 // minutes: where the first day begins, before the night's jobs
	liveHour  = 11 * 60   // up to here the second day is caught up with; from here it goes at its own pace
)

// Phases of a demo.
const (
	importing  = "import"   // the past comes in
	catchingUp = "catch_up" // the day before, and today so far
	living     = "live"
)

// marker is the row that makes a database a demo.
type marker struct {
	seed   uint64
	size   Size
	first  cal.Date // the first day that is lived
	phase  string
	at     time.Time // business time has come so far
	worker string
	beatAt time.Time
}

const (
	putMarker  = `INSERT INTO sim_demo (one, seed, stores, products, days, first_day, phase, at, worker, beat_at) VALUES (1, $1, $2, $3, $4, $5, $6, $7, '', 0) ON CONFLICT (one) DO NOTHING`
	readMarker = `SELECT seed, stores, products, days, first_day, phase, at, worker, beat_at FROM sim_demo`
	anybody    = `SELECT COUNT(*) FROM org_group`
)

func markerOf(tx *db.Tx) (*marker, error) {
	m := &marker{}
	var seed int64
	err := tx.QueryRow(readMarker).Scan(&seed, &m.size.Stores, &m.size.Products, &m.size.Days, &m.first, &m.phase, &m.at, &m.worker, &m.beatAt)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	m.seed = uint64(seed)
	return m, err
}

// Options of a demo.
type Options struct {
	Clock *clock.Business // of the installation; the demo sets it
	Speed int64           // business time goes so many times as fast as the wall clock
	Log   *slog.Logger
	Today cal.Date // the day on which the demo goes live when it is made; left out: today in Shanghai
	Size  Size     // when it is made; left out: Whole
}

// Demo is a database that holds a demo chain, and what its people do.
type Demo struct {
	o       Options
	d       *db.DB
	org     *org.Org
	house   http.Handler
	look    func() // lets what is due by the clock be seen at once
	history *History
	worker  string
	chain   *chain

	mu     sync.Mutex
	m      marker
	status Status

	surprises map[string]bool // refusals that were told of already
}

// Open tells whether a database is a demo (nil: it is not), and makes it one if that is wanted and nobody has
// worked in it. It sets the business clock to where the demo's time has come to, and is called on a migrated
// database before anything else works on it.
func Open(ctx context.Context, d *db.DB, make bool, o Options) (*Demo, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Speed < 1 {
		o.Speed = 1
	}
	if o.Size == (Size{}) {
		o.Size = Whole
	}
	if o.Today == "" {
		o.Today = cal.On(clock.Wall.Now().In(Shanghai))
	}
	host, _ := os.Hostname()
	s := &Demo{o: o, d: d, worker: fmt.Sprintf("%s/%d/%s", host, os.Getpid(), id.New())}
	first := o.Today.AddDays(-1)
	found := false
	take := func(tx *db.Tx) error {
		found = false
		m, err := markerOf(tx)
		if err != nil {
			return err
		}
		if m == nil {
			return nil
		}
		if m.worker != "" && tx.Wall().Sub(m.beatAt) < beatLost {
			return ErrInUse.With("seconds", int(beatLost/time.Second))
		}
		s.m, found = *m, true
		return tx.Exec(takeMarker, s.worker, tx.Wall())
	}
	err := d.Write(ctx, func(tx *db.Tx) error {
		if make {
			var n int64
			if err := tx.QueryRow(anybody).Scan(&n); err != nil {
				return err
			}
			m, err := markerOf(tx)
			if err != nil {
				return err
			}
			if m == nil && n > 0 {
				return ErrShop
			}
			if err := tx.Exec(putMarker, int64(Seed), o.Size.Stores, o.Size.Products, o.Size.Days, first, importing, instant(first, firstHour)); err != nil {
				return err
			}
		}
		return take(tx)
	})
	if err != nil || !found {
		return nil, err
	}
	s.history = NewHistory(s.m.seed).first(s.m.size.Stores, s.m.size.Products)
	s.o.Clock.Run(0)
	s.o.Clock.Jump(s.m.at)
	s.status = Status{Demo: true, Phase: s.m.phase, Speed: s.o.Speed}
	return s, nil
}

// Work gives the demo the house that its people work in.
func (s *Demo) Work(o *org.Org, house http.Handler, look func()) {
	s.org, s.house, s.look = o, house, look
}

// instant is a minute of a day in Shanghai.
func instant(d cal.Date, minute int) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, minute, 0, 0, Shanghai)
}

const (
	beatEvery = 3 * time.Second
	beatLost  = 15 * time.Second

	takeMarker = `UPDATE sim_demo SET worker = $1, beat_at = $2`
	keepMarker = `UPDATE sim_demo SET phase = $1, at = $2, beat_at = $3 WHERE worker = $4`
	leave      = `UPDATE sim_demo SET worker = '', beat_at = 0, at = $1 WHERE worker = $2`
)

var errTaken = errs.Define("demo_taken", errs.Conflict, "另一个服务器接手了这个演示", "Another server has taken this demo over")

// keep stores how far the demo is, and says that its server lives.
func (s *Demo) keep(ctx context.Context) error {
	s.mu.Lock()
	m := s.m
	s.mu.Unlock()
	return s.d.Write(ctx, func(tx *db.Tx) error {
		return tx.ExecExactly(1, errTaken, keepMarker, m.phase, m.at, tx.Wall(), s.worker)
	})
}

// Leave lets another server have the demo; the clock stands from here on.
func (s *Demo) Leave(ctx context.Context) error {
	s.mu.Lock()
	at := s.m.at
	s.mu.Unlock()
	return s.d.Write(ctx, func(tx *db.Tx) error { return tx.Exec(leave, at, s.worker) })
}

// reached notes how far business time has come.
func (s *Demo) reached(phase string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.phase, s.m.at = phase, at
	s.status.Phase = phase
}

// Status is what people are told of a demo. Done of Total is how far the present phase is.
type Status struct {
	Demo    bool      `json:"demo"`
	Phase   string    `json:"phase" enum:"none,import,catch_up,live" doc:"none: no demo"`
	Step    string    `json:"step" enum:",stores,products,recipes,suppliers,weather,holidays,sales,stock,staff,day" doc:"of the phase"`
	Done    int64     `json:"done"`
	Total   int64     `json:"total"`
	Running bool      `json:"running" doc:"demo staff are at work"`
	Speed   int64     `json:"speed" doc:"business time goes so many times as fast as the clock on the wall"`
	Now     time.Time `json:"now" doc:"business time"`
}

// Status tells how far the demo is; of no demo it says that.
func (s *Demo) Status() Status {
	if s == nil {
		return Status{Phase: "none", Speed: 1, Now: clock.Wall.Now()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.status
	now.Now = s.o.Clock.Now()
	return now
}

func (s *Demo) show(step string, done, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Step, s.status.Done, s.status.Total = step, done, total
}

// Routes registers what everybody may know: that all this is invented, and how far it is.
func (s *Demo) Routes(api *web.API) {
	web.Get(api, web.Route{Path: "/api/demo", Name: "get-demo", Summary: "Whether everything here is invented, and how far the demo is", Scope: web.Public},
		func(context.Context, *db.Tx, *struct{}) (*Status, error) {
			now := s.Status()
			return &now, nil
		})
}

// Stand lets the demo stand still, for a server that is only to show it: the label stays, nobody works, and time
// goes on from where it was.
func (s *Demo) Stand(ctx context.Context) {
	s.o.Clock.Run(1)
	for tick := time.NewTicker(beatEvery); ; {
		s.mu.Lock()
		s.m.at = s.o.Clock.Now()
		s.mu.Unlock()
		if err := s.keep(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("the demo can't be kept", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Run makes the chain if it is not there yet, catches up with its two days, and then lives, until ctx ends.
func (s *Demo) Run(ctx context.Context) {
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		for tick := time.NewTicker(beatEvery); ; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if err := s.keep(ctx); errors.Is(err, errTaken) {
				s.o.Log.Error("the demo stops", "err", err)
				stop()
			} else if err != nil && ctx.Err() == nil {
				s.o.Log.Error("the demo can't be kept", "err", err)
			}
		}
	})
	for pause := time.Second; ctx.Err() == nil; pause = min(2*pause, time.Minute) {
		err := s.live(ctx)
		if ctx.Err() != nil {
			return
		}
		s.o.Log.Error("the demo broke off and begins again where it was", "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// live is one try to go on from where the demo is.
func (s *Demo) live(ctx context.Context) error {
	began := clock.Wall.Now()
	if err := s.hire(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	m := s.m
	s.status.Running = true
	s.mu.Unlock()
	if m.phase == importing {
		if err := s.importPast(ctx); err != nil {
			return err
		}
		s.reached(catchingUp, m.at)
		if err := s.keep(ctx); err != nil {
			return err
		}
		s.o.Log.Info("the demo chain's past is in", "seconds", int(clock.Wall.Now().Sub(began)/time.Second))
	}
	if err := s.chain.staff(ctx); err != nil {
		return err
	}
	return s.days(ctx)
}
