package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zhanggui/internal/platform/db"
)

const (
	tickEvery = time.Second
	maxCatch  = 400 // business days that a schedule makes up after a jump of the clock
	date      = "2006-01-02"
)

// schedule says which slots business time has reached.
type schedule struct {
	kind  string
	slots func(tx *db.Tx) ([]slot, error)
}

// slot is the newest slot of one entry whose time has come, and the jobs for it, given the last slot
// that was done ("" when none was).
type slot struct {
	name, now string
	jobs      func(last string) ([]Job, error)
}

// Every enqueues a job of the kind in each slot of d of business time, at most one at a time. After a
// pause or a jump of the clock there is one job, not one for each missed slot.
func (r *Runner) Every(kind string, d time.Duration, args any) {
	if d < time.Second {
		panic("jobs: a schedule has slots of at least a second")
	}
	r.schedules = append(r.schedules, schedule{kind, func(tx *db.Tx) ([]slot, error) {
		now := fmt.Sprintf("%019d", tx.Now().UnixMilli()/d.Milliseconds())
		return []slot{{"every " + kind, now, func(string) ([]Job, error) {
			return []Job{{Kind: kind, Only: "every", Args: args}}, nil
		}}}, nil
	}})
}

// Daily is what a DailyAt schedule does each calendar day.
type Daily struct {
	Key  string         // what it is done for, such as a site's id
	Loc  *time.Location // whose days are meant; nil is UTC
	At   time.Duration  // on the clock there, after midnight
	Args any
}

// DailyArgs is what a job made by DailyAt finds in its arguments.
type DailyArgs struct {
	Key  string `json:"key"`
	Date string `json:"date"` // the calendar day there
	Args any    `json:"args"`
}

// DailyAt enqueues one job of the kind for each entry and calendar day once it is that time of business
// there: exactly once, however the clock jumps. Days that a jump forward left out are made up. An entry
// that is seen for the first time starts when it is that time next.
func (r *Runner) DailyAt(kind string, entries func(tx *db.Tx) ([]Daily, error)) {
	r.schedules = append(r.schedules, schedule{kind, func(tx *db.Tx) ([]slot, error) {
		list, err := entries(tx)
		if err != nil {
			return nil, err
		}
		var all []slot
		for _, e := range list {
			day := e.day(tx.Now())
			all = append(all, slot{"daily " + kind + " " + e.Key, day.Format(date), func(last string) ([]Job, error) {
				return e.since(kind, last, day)
			}})
		}
		return all, nil
	}})
}

// day is the newest day whose time has come.
func (e Daily) day(now time.Time) time.Time {
	loc := e.Loc
	if loc == nil {
		loc = time.UTC
	}
	local := now.In(loc)
	y, m, d := local.Date()
	at := time.Date(y, m, d, 0, int(e.At/time.Minute), int(e.At%time.Minute/time.Second), 0, loc) // what the clock shows, also on days of 23 hours
	if local.Before(at) {
		d--
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// since are the jobs of the days after the last one done.
func (e Daily) since(kind, last string, day time.Time) ([]Job, error) {
	if last == "" {
		return nil, nil
	}
	from, err := time.Parse(date, last)
	if err != nil {
		return nil, err
	}
	from = from.AddDate(0, 0, 1)
	if first := day.AddDate(0, 0, -maxCatch); from.Before(first) {
		from = first
	}
	var jobs []Job
	for ; !from.After(day); from = from.AddDate(0, 0, 1) {
		d := from.Format(date)
		jobs = append(jobs, Job{Kind: kind, Key: e.Key + "/" + d, Args: DailyArgs{e.Key, d, e.Args}})
	}
	return jobs, nil
}

var lastSlots = db.NewMany(`SELECT name, last FROM jobs_schedule WHERE name IN (`, "?", `)`)

const moveLast = `INSERT INTO jobs_schedule (name, last) VALUES ($1, $2)
	ON CONFLICT (name) DO UPDATE SET last = excluded.last WHERE jobs_schedule.last = $3`

// Watch lets ask look, each second, whether there is something to do, and enqueues what it names. Give each job an
// Only or a Key: while it waits or runs it is named again.
func (r *Runner) Watch(ask func(tx *db.Tx) ([]Job, error)) { r.watches = append(r.watches, ask) }

func (r *Runner) watch(ctx context.Context, ask func(tx *db.Tx) ([]Job, error)) error {
	var jobs []Job
	err := r.d.Read(ctx, func(tx *db.Tx) (err error) {
		jobs, err = ask(tx)
		return err
	})
	if err != nil || len(jobs) == 0 {
		return err
	}
	return r.d.Write(ctx, func(tx *db.Tx) error {
		for _, j := range jobs {
			if _, err := Enqueue(tx, j); err != nil {
				return err
			}
		}
		tx.AfterCommit(r.Wake)
		return nil
	})
}

// Tick lets all schedules look at the clock once, in one question for all of them. It writes only when a slot has come.
func (r *Runner) Tick(ctx context.Context) error {
	due, last, err := r.due(ctx)
	all := []error{err}
	for _, s := range due {
		if err := r.tick(ctx, s, last[s.name]); err != nil {
			all = append(all, fmt.Errorf("schedule %s: %w", s.name, err))
		}
	}
	for _, ask := range r.watches {
		if err := r.watch(ctx, ask); err != nil {
			all = append(all, fmt.Errorf("watch: %w", err))
		}
	}
	return errors.Join(all...)
}

// due are the slots whose time has come and that are not done, with the last ones done before them. A slot that was seen
// done is not asked for again; a schedule that can't say its slots holds back no other.
func (r *Runner) due(ctx context.Context) (due []slot, last map[string]string, err error) {
	var bad []error
	var done map[string]string
	err = r.d.Read(ctx, func(tx *db.Tx) error {
		var open []slot
		due, bad, last, done = nil, nil, map[string]string{}, map[string]string{}
		for _, s := range r.schedules {
			slots, err := s.slots(tx)
			if err != nil {
				bad = append(bad, fmt.Errorf("schedule %s: %w", s.kind, err))
			}
			for _, s := range slots {
				if r.slotsDone[s.name] == s.now {
					done[s.name] = s.now
				} else {
					open = append(open, s)
				}
			}
		}
		for part := open; len(part) > 0; part = part[min(len(part), 1000):] {
			var names []any
			for _, s := range part[:min(len(part), 1000)] {
				names = append(names, s.name)
			}
			rows := tx.QueryMany(lastSlots, names...)
			for rows.Next() {
				var name, at string
				if err := rows.Scan(&name, &at); err != nil {
					return err
				}
				last[name] = at
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		for _, s := range open {
			if last[s.name] < s.now {
				due = append(due, s)
			} else {
				done[s.name] = s.now
			}
		}
		return nil
	})
	if err == nil {
		r.slotsDone = done
	}
	return due, last, errors.Join(append(bad, err)...)
}

func (r *Runner) tick(ctx context.Context, s slot, last string) error {
	jobs, err := s.jobs(last)
	if err != nil {
		return err
	}
	return r.d.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.ExecN(moveLast, s.name, s.now, last)
		if err != nil || n == 0 { // another node was faster
			return err
		}
		for _, j := range jobs {
			if _, err := Enqueue(tx, j); err != nil {
				return err
			}
		}
		tx.AfterCommit(r.Wake)
		return nil
	})
}

func (r *Runner) runSchedules(ctx context.Context) {
	if len(r.schedules)+len(r.watches) == 0 {
		return
	}
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		if err := r.Tick(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("schedules stumbled; they go on", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.look:
		}
	}
}

// Look lets the schedules look at the clock soon, without waiting for the second to pass: the clock has been moved.
func (r *Runner) Look() {
	select {
	case r.look <- struct{}{}:
	default:
	}
}
