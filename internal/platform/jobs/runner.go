package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

const (
	lease         = 20 * time.Second       // a worker that is silent for so long has died
	heartbeat     = 2 * time.Second        // how often it says that it lives, and looks whether it should stop
	progressEvery = 500 * time.Millisecond // progress is written at most twice a second
	lookEvery     = 500 * time.Millisecond // when nothing was due
	maxTries      = 6
	maxBackoff    = 10 * time.Minute
	endTimeout    = 10 * time.Second // for writing down how a job ended, also while the process stops
)

// ErrLost says that another worker has taken the job over, or that it was cancelled: this one must stop.
var ErrLost = errs.Define("job_lost", errs.Conflict, "任务已被取消或由其他进程接手", "The job was cancelled or taken over by another process")

// Handler does the work of a kind. It works in steps, each one a d.Write that also calls run.Save; it
// returns ctx.Err() soon after ctx ends (the process stops, the job was cancelled or taken over). An
// error is tried again with growing pauses; a refusal (errs: Invalid, Forbidden, NotFound, Conflict) is
// final.
type Handler func(ctx context.Context, run *Run) error

// Runner runs jobs and schedules on this node.
type Runner struct {
	d         *db.DB
	log       *slog.Logger
	workers   int
	name      string
	handlers  map[string]Handler
	schedules []schedule
	slotsDone map[string]string // the slots that Tick saw done: name → now
	watches   []func(tx *db.Tx) ([]Job, error)
	wake      chan struct{}
	look      chan struct{}
}

// NewRunner makes a runner with the given number of workers, at least 1.
func NewRunner(d *db.DB, workers int, log *slog.Logger) *Runner {
	if log == nil {
		log = slog.Default()
	}
	host, _ := os.Hostname()
	return &Runner{d: d, log: log, workers: max(workers, 1), name: fmt.Sprintf("%s/%d/%s", host, os.Getpid(), id.New()),
		handlers: map[string]Handler{}, wake: make(chan struct{}, 1), look: make(chan struct{}, 1)}
}

// Handle says who does the work of a kind. Jobs of kinds without a handler here are left to other nodes.
func (r *Runner) Handle(kind string, h Handler) {
	if r.handlers[kind] != nil {
		panic("jobs: two handlers of " + kind)
	}
	r.handlers[kind] = h
}

// Run works until ctx ends, lets running jobs stop at their next step and puts them back.
func (r *Runner) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.runSchedules(ctx) })
	for range r.workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				worked, err := r.one(ctx)
				if err != nil && ctx.Err() == nil {
					r.log.Error("jobs can't be looked up", "err", err)
				}
				if worked {
					continue
				}
				select {
				case <-ctx.Done():
				case <-r.wake:
				case <-time.After(lookEvery):
				}
			}
		})
	}
	wg.Wait()
}

// Wake lets an idle worker look at once; call it after the commit of an act that enqueued.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Drain runs what is due now, in this goroutine, and returns when nothing is; for tests and commands.
func (r *Runner) Drain(ctx context.Context) error {
	for {
		worked, err := r.one(ctx)
		if err != nil || !worked {
			return err
		}
	}
}

// Run is one run of a job.
type Run struct {
	ID    id.ID
	Kind  string
	Tries int // runs before this one that failed or died

	r      *Runner
	args   []byte
	step   []byte
	cancel context.CancelCauseFunc

	mu          sync.Mutex
	done, total int64
	note        string
	shown       bool
	shownAt     time.Time
	asked       atomic.Bool
}

// Args reads the job's arguments.
func (run *Run) Args(into any) error { return json.Unmarshal(run.args, into) }

// DB is the database to work in.
func (run *Run) DB() *db.DB { return run.r.d }

// Load reads what Save kept in an earlier step, also of an earlier run; false in the first.
func (run *Run) Load(into any) (bool, error) {
	if len(run.step) == 0 {
		return false, nil
	}
	return true, json.Unmarshal(run.step, into)
}

const saveStep = `UPDATE jobs_job SET step = $1, lease_until = $2 WHERE id = $3 AND worker = $4 AND state = 'running' AND cancel_asked = 0`

// Save keeps where the work is, in the transaction of the step: after a crash the job goes on exactly
// behind the last step that committed. It refuses with ErrLost when the job is no longer this worker's,
// so that a worker that was believed dead changes nothing.
func (run *Run) Save(tx *db.Tx, state any) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { run.step = text })
	return tx.ExecExactly(1, ErrLost, saveStep, string(text), tx.Wall().Add(lease), run.ID, run.r.name)
}

// Progress shows how far the work is; total 0 is not known. It costs nothing most of the time: it is
// written at most twice a second.
func (run *Run) Progress(ctx context.Context, done, total int64, note string) {
	run.mu.Lock()
	run.done, run.total, run.note, run.shown = done, total, note, false
	due := time.Since(run.shownAt) >= progressEvery
	run.mu.Unlock()
	if due {
		run.show(ctx)
	}
}

const showProgress = `UPDATE jobs_job SET done = $1, total = $2, note = $3, lease_until = $4
	WHERE id = $5 AND worker = $6 AND state = 'running' RETURNING cancel_asked`

// show writes progress and lease, and stops the run when it was cancelled or taken over.
func (run *Run) show(ctx context.Context) {
	run.mu.Lock()
	done, total, note := run.done, run.total, clean(run.note, 500)
	run.shown, run.shownAt = true, time.Now()
	run.mu.Unlock()
	var asked bool
	err := run.r.d.Write(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(showProgress, done, total, note, tx.Wall().Add(lease), run.ID, run.r.name).Scan(&asked)
	})
	switch {
	case errors.Is(err, db.ErrNoRow):
		run.cancel(ErrLost)
	case err != nil && ctx.Err() == nil:
		run.r.log.Warn("progress of a job can't be written", "job", run.ID, "err", err)
	case asked:
		run.asked.Store(true)
		run.cancel(ErrLost)
	}
}

const (
	dueJob = `SELECT id FROM jobs_job WHERE state = 'waiting' AND run_at <= $1 AND retry_at <= $2 AND kind IN (`
	oldJob = `SELECT id FROM jobs_job WHERE state = 'running' AND lease_until < $1 AND kind IN (`
	claim  = `UPDATE jobs_job SET state = 'running', worker = $1, lease_until = $2, started_at = COALESCE(started_at, $3)
	WHERE id = $4 AND state = 'waiting' RETURNING kind, args, step, tries, done, total, note`
	takeOver = `UPDATE jobs_job SET worker = $1, lease_until = $2, tries = tries + 1
	WHERE id = $3 AND state = 'running' AND lease_until < $4 RETURNING kind, args, step, tries, done, total, note, cancel_asked`
)

var (
	due = map[db.Engine]*db.Many{
		db.SQLite:   db.NewMany(dueJob, "?", `) ORDER BY run_at, id LIMIT 1`),
		db.Postgres: db.NewMany(dueJob, "?", `) ORDER BY run_at, id LIMIT 1`+skipLocked),
	}
	old = map[db.Engine]*db.Many{
		db.SQLite:   db.NewMany(oldJob, "?", `) ORDER BY lease_until LIMIT 1`),
		db.Postgres: db.NewMany(oldJob, "?", `) ORDER BY lease_until LIMIT 1`+skipLocked),
	}
)

// one runs one job that is due; false when there is none.
func (r *Runner) one(ctx context.Context) (worked bool, err error) {
	if len(r.handlers) == 0 {
		return false, nil
	}
	kinds := make([]any, 0, len(r.handlers))
	for k := range r.handlers {
		kinds = append(kinds, k)
	}
	first := func(tx *db.Tx, m *db.Many, args ...any) (job id.ID, err error) {
		rows := tx.QueryMany(m, append(args, kinds...)...)
		for rows.Next() {
			if err := rows.Scan(&job); err != nil {
				return 0, err
			}
		}
		return job, rows.Err()
	}
	// Look without bothering the writer.
	engine := r.d.Engine()
	var isDue, isOld id.ID
	err = r.d.Read(ctx, func(tx *db.Tx) (err error) {
		if isDue, err = first(tx, due[db.SQLite], tx.Now(), tx.Wall()); err == nil {
			isOld, err = first(tx, old[db.SQLite], tx.Wall())
		}
		return err
	})
	if err != nil || isDue == 0 && isOld == 0 {
		return false, err
	}
	run := &Run{r: r}
	var asked bool
	err = r.d.Write(ctx, func(tx *db.Tx) (err error) {
		run.ID, asked = 0, false
		if run.ID, err = first(tx, old[engine], tx.Wall()); err != nil {
			return err
		}
		if run.ID != 0 {
			return tx.QueryRow(takeOver, r.name, tx.Wall().Add(lease), run.ID, tx.Wall()).
				Scan(&run.Kind, &run.args, &run.step, &run.Tries, &run.done, &run.total, &run.note, &asked)
		}
		if run.ID, err = first(tx, due[engine], tx.Now(), tx.Wall()); err != nil || run.ID == 0 {
			return err
		}
		return tx.QueryRow(claim, r.name, tx.Wall().Add(lease), tx.Wall(), run.ID).
			Scan(&run.Kind, &run.args, &run.step, &run.Tries, &run.done, &run.total, &run.note)
	})
	if errors.Is(err, db.ErrNoRow) {
		return true, nil // another node was faster
	}
	if err != nil || run.ID == 0 {
		return false, err
	}
	run.asked.Store(asked)
	r.work(ctx, run)
	return true, nil
}

// work runs the handler, keeps the lease meanwhile, and writes down how it ended.
func (r *Runner) work(ctx context.Context, run *Run) {
	own, cancel := context.WithCancelCause(ctx)
	run.cancel = cancel
	stop := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() {
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-own.Done():
				return
			case <-tick.C:
				run.show(own)
			}
		}
	})
	var err error
	switch {
	case run.asked.Load():
		err = ErrLost
	case run.Tries >= maxTries:
		err = errs.ErrInternal.Wrap(errors.New("its worker died each time"))
	default:
		err = r.call(own, run)
	}
	close(stop)
	beat.Wait()
	stopped := errors.Is(err, ErrLost) || errors.Is(context.Cause(own), ErrLost)
	cancel(nil)
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancelLast()
	if stopped && !run.asked.Load() {
		if mine := r.askedToStop(last, run); !mine {
			r.log.Warn("a job was taken over by another worker", "job", run.ID, "kind", run.Kind)
			return
		}
	}
	if werr := r.end(last, run, err, ctx.Err() != nil); werr != nil {
		r.log.Error("the end of a job can't be written; its lease will run out", "job", run.ID, "err", werr)
	}
}

const stillMine = `SELECT cancel_asked FROM jobs_job WHERE id = $1 AND worker = $2 AND state = 'running'`

// askedToStop finds out why a step was refused: the job was cancelled, or, then false, is another's now.
func (r *Runner) askedToStop(ctx context.Context, run *Run) bool {
	var asked bool
	err := r.d.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(stillMine, run.ID, r.name).Scan(&asked) })
	run.asked.Store(asked)
	return err == nil
}

func (r *Runner) call(ctx context.Context, run *Run) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return r.handlers[run.Kind](ctx, run)
}

const (
	endJob = `UPDATE jobs_job SET state = $1, done = $2, total = $3, note = $4, error = $5, ended_at = $6, worker = ''
	WHERE id = $7 AND worker = $8 AND state = 'running'`
	putBack = `UPDATE jobs_job SET state = 'waiting', done = $1, total = $2, note = $3, error = $4, retry_at = $5, tries = $6, worker = ''
	WHERE id = $7 AND worker = $8 AND state = 'running'`
)

// end writes down how a run ended. stopping: the process ends, which is no failure of the job.
func (r *Runner) end(ctx context.Context, run *Run, err error, stopping bool) error {
	state, text := Done, ""
	now := clock.Wall.Now()
	back, pause, tries := false, time.Duration(0), run.Tries
	switch {
	case err == nil:
	case run.asked.Load():
		state = Cancelled
	case stopping:
		back = true
	default:
		state, text = Failed, clean(err.Error(), 2000)
		r.log.Warn("a job failed", "job", run.ID, "kind", run.Kind, "tries", run.Tries+1, "err", err)
		if tries++; !final(err) && tries < maxTries {
			back, pause = true, min(time.Second<<tries, maxBackoff)
		}
	}
	return r.d.Write(ctx, func(tx *db.Tx) error {
		if back {
			return tx.Exec(putBack, run.done, run.total, clean(run.note, 500), text, now.Add(pause), tries, run.ID, r.name)
		}
		return tx.Exec(endJob, state, run.done, run.total, clean(run.note, 500), text, now, run.ID, r.name)
	})
}

// final says whether trying again can't help.
func final(err error) bool {
	var e *errs.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Kind {
	case errs.Invalid, errs.Forbidden, errs.NotFound, errs.Conflict, errs.Unauthenticated:
		return true
	}
	return false
}

// clean makes any text storable: PostgreSQL takes neither broken UTF-8 nor zero bytes.
func clean(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "")
}

const purgeJobs = `DELETE FROM jobs_job WHERE id IN (SELECT id FROM jobs_job WHERE ended_at < $1 AND state IN ('done', 'failed', 'cancelled') LIMIT $2)`

// Purge removes jobs that ended before the instant, in short steps.
func Purge(ctx context.Context, d *db.DB, before time.Time) (int64, error) {
	const step = 200
	var total int64
	for {
		var n int64
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			n, err = tx.ExecN(purgeJobs, before, step)
			return err
		})
		total += n
		if err != nil || n < step {
			return total, err
		}
	}
}
