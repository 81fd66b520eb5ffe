package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/jobs"
)

var schema = dbtest.With(jobs.Migrations, db.Migrations{Package: "count", FS: fstest.MapFS{"migrations/001_count.sql": {Data: []byte(`
CREATE TABLE count_row (job_id BIGINT NOT NULL, n BIGINT NOT NULL);
CREATE UNIQUE INDEX count_row_n ON count_row (job_id, n);
`)}}})

type upTo struct{ N int }

func enqueue(t *testing.T, d *dbtest.DB, j jobs.Job) (job id.ID) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
		job, err = jobs.Enqueue(tx, j)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return job
}

func status(t *testing.T, d *dbtest.DB, job id.ID) (s jobs.Status) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { s, err = jobs.Get(tx, job); return err }); err != nil {
		t.Fatal(err)
	}
	return s
}

func rows(t *testing.T, d *dbtest.DB, job id.ID) (n int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow("SELECT COUNT(*) FROM count_row WHERE job_id = $1", job).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func exec(t *testing.T, d *dbtest.DB, sql string, args ...any) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return tx.Exec(sql, args...) }); err != nil {
		t.Fatal(err)
	}
}

// counting writes the rows 1…N, one in each step; a row written twice would violate the unique index.
func counting(after func(n int) error) jobs.Handler {
	return func(ctx context.Context, run *jobs.Run) error {
		var to upTo
		if err := run.Args(&to); err != nil {
			return err
		}
		at := 0
		if _, err := run.Load(&at); err != nil {
			return err
		}
		for at < to.N {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := run.DB().Write(ctx, func(tx *db.Tx) error {
				if err := tx.Exec("INSERT INTO count_row (job_id, n) VALUES ($1, $2)", run.ID, at+1); err != nil {
					return err
				}
				return run.Save(tx, at+1)
			}); err != nil {
				return err
			}
			at++
			run.Progress(ctx, int64(at), int64(to.N), fmt.Sprint("row ", at))
			if after != nil {
				if err := after(at); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func TestAJobRunsWhenItsActCommitted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		no := errors.New("no")
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			if _, err := jobs.Enqueue(tx, jobs.Job{Kind: "count", Args: upTo{9}}); err != nil {
				return err
			}
			return no
		}); !errors.Is(err, no) {
			t.Fatal(err)
		}
		job := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{5}})
		other := enqueue(t, d, jobs.Job{Kind: "unknown here"})
		r := jobs.NewRunner(d.DB, 1, nil)
		r.Handle("count", counting(nil))
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := status(t, d, job)
		if s.State != jobs.Done || s.Done != 5 || s.Total != 5 || s.Note != "row 5" || s.StartedAt == nil || s.EndedAt == nil || rows(t, d, job) != 5 {
			t.Fatalf("%+v", s)
		}
		if s := status(t, d, other); s.State != jobs.Waiting {
			t.Fatalf("%+v", s)
		}
		var all []jobs.Status
		if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { all, err = jobs.List(tx, jobs.Filter{Limit: 1}); return err }); err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || all[0].ID != other {
			t.Fatalf("%+v", all)
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			all, err = jobs.List(tx, jobs.Filter{Before: all[0].ID, State: jobs.Done, Kind: "count"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || all[0].ID != job {
			t.Fatalf("%+v", all)
		}
	}, schema)
}

func TestAJobStartsAtItsBusinessTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		job := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{1}, At: d.Clock.Now().Add(time.Hour)})
		r := jobs.NewRunner(d.DB, 1, nil)
		r.Handle("count", counting(nil))
		for _, want := range []jobs.State{jobs.Waiting, jobs.Done} {
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s := status(t, d, job); s.State != want {
				t.Fatalf("%+v", s)
			}
			d.Clock.Add(time.Hour)
		}
	}, schema)
}

func TestAKeyIsOneJobForEverAndOnlyIsOneAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		r := jobs.NewRunner(d.DB, 1, nil)
		r.Handle("count", counting(nil))
		key := enqueue(t, d, jobs.Job{Kind: "count", Key: "2026-03-02", Args: upTo{1}})
		only := enqueue(t, d, jobs.Job{Kind: "count", Only: "site 1", Args: upTo{1}})
		if again := enqueue(t, d, jobs.Job{Kind: "count", Key: "2026-03-02", Args: upTo{2}}); again != key {
			t.Fatalf("a second job %s for the key of %s", again, key)
		}
		if again := enqueue(t, d, jobs.Job{Kind: "count", Only: "site 1", Args: upTo{2}}); again != only {
			t.Fatalf("a second job %s beside %s", again, only)
		}
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := enqueue(t, d, jobs.Job{Kind: "count", Key: "2026-03-02", Args: upTo{1}}); again != key {
			t.Fatalf("a second job %s for the key of %s", again, key)
		}
		if again := enqueue(t, d, jobs.Job{Kind: "count", Only: "site 1", Args: upTo{1}}); again == only {
			t.Fatal("the job that ended stands in the way")
		}
	}, schema)
}

func TestAFailingJobIsTriedAgainFromItsLastStep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		job := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{4}})
		r := jobs.NewRunner(d.DB, 1, nil)
		bad := true
		r.Handle("count", counting(func(n int) error {
			if n == 2 && bad {
				bad = false
				panic("a fuse blew")
			}
			return nil
		}))
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := status(t, d, job); s.State != jobs.Waiting || s.Tries != 1 || s.Done != 2 || s.Error == "" {
			t.Fatalf("%+v", s)
		}
		exec(t, d, "UPDATE jobs_job SET retry_at = 0")
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := status(t, d, job); s.State != jobs.Done || s.Error != "" || rows(t, d, job) != 4 {
			t.Fatalf("%+v", s)
		}
	}, schema)
}

func TestAJobThatKeepsFailingGivesUpAndAPersonCanRetryIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		job := enqueue(t, d, jobs.Job{Kind: "count"})
		r := jobs.NewRunner(d.DB, 1, nil)
		runs := 0
		r.Handle("count", func(context.Context, *jobs.Run) error { runs++; return errors.New("no paper\x00\xff") })
		for range 9 {
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			exec(t, d, "UPDATE jobs_job SET retry_at = 0")
		}
		if s := status(t, d, job); s.State != jobs.Failed || runs != 6 || s.Error != "no paper?" {
			t.Fatalf("%d runs, %+v", runs, s)
		}
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return jobs.Retry(tx, job) }); err != nil {
			t.Fatal(err)
		}
		if s := status(t, d, job); s.State != jobs.Waiting || s.Tries != 0 {
			t.Fatalf("%+v", s)
		}
	}, schema)
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		job := enqueue(t, d, jobs.Job{Kind: "count"})
		r := jobs.NewRunner(d.DB, 1, nil)
		runs := 0
		r.Handle("count", func(context.Context, *jobs.Run) error { runs++; return id.ErrBad })
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := status(t, d, job); s.State != jobs.Failed || runs != 1 {
			t.Fatalf("%d runs, %+v", runs, s)
		}
	}, schema)
}

// The worker dies in the middle: its lease runs out, another takes over behind the last step; and the
// dead one, should it wake up, changes nothing any more.
func TestADeadWorkersJobIsTakenOverBehindItsLastStep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		job := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{6}})
		asleep, wakeUp := make(chan struct{}), make(chan struct{})
		first := jobs.NewRunner(d.DB, 1, nil)
		first.Handle("count", counting(func(n int) error {
			if n == 3 {
				close(asleep)
				<-wakeUp
			}
			return nil
		}))
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := first.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		})
		<-asleep
		second := jobs.NewRunner(d.DB, 1, nil)
		second.Handle("count", counting(nil))
		if err := second.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := rows(t, d, job); n != 3 {
			t.Fatalf("the job was taken from a living worker: %d rows", n)
		}
		exec(t, d, "UPDATE jobs_job SET lease_until = 0")
		if err := second.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(wakeUp)
		wg.Wait()
		if s := status(t, d, job); s.State != jobs.Done || s.Done != 6 || s.Tries != 1 || rows(t, d, job) != 6 {
			t.Fatalf("%+v, %d rows", s, rows(t, d, job))
		}
	}, schema)
}

func TestWhenTheProcessStopsItsJobsGoOnElsewhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		job := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{50}})
		ctx, stop := context.WithCancel(t.Context())
		r := jobs.NewRunner(d.DB, 2, nil)
		r.Handle("count", counting(func(n int) error {
			if n == 5 {
				stop()
			}
			return nil
		}))
		r.Run(ctx) // returns by itself
		s := status(t, d, job)
		if s.State != jobs.Waiting || s.Tries != 0 || s.Done != 5 {
			t.Fatalf("%+v", s)
		}
		next := jobs.NewRunner(d.DB, 1, nil)
		next.Handle("count", counting(nil))
		if err := next.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := status(t, d, job); s.State != jobs.Done || rows(t, d, job) != 50 {
			t.Fatalf("%+v", s)
		}
	}, schema)
}

func TestACancelledJobStopsAtItsNextStep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		cancel := func(job id.ID) error {
			return d.Write(t.Context(), func(tx *db.Tx) error { return jobs.Cancel(tx, job) })
		}
		waiting := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{9}, At: d.Clock.Now().Add(time.Hour)})
		if err := cancel(waiting); err != nil {
			t.Fatal(err)
		}
		running := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{9}})
		r := jobs.NewRunner(d.DB, 1, nil)
		r.Handle("count", counting(func(n int) error {
			if n == 3 {
				if err := cancel(running); err != nil {
					t.Error(err)
				}
				if s := status(t, d, running); !s.Stopping {
					t.Errorf("%+v", s)
				}
			}
			return nil
		}))
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, job := range []id.ID{waiting, running} {
			if s := status(t, d, job); s.State != jobs.Cancelled {
				t.Fatalf("%+v", s)
			}
			if err := cancel(job); !errors.Is(err, jobs.ErrEnded) {
				t.Fatalf("got %v", err)
			}
		}
		if n := rows(t, d, running); n != 3 {
			t.Fatalf("%d steps", n)
		}
		if err := cancel(12345); !errors.Is(err, jobs.ErrNoJob) {
			t.Fatalf("got %v", err)
		}
	}, schema)
}

func TestTwoNodesShareTheJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		var all []id.ID
		for range 40 {
			all = append(all, enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{1}}))
		}
		var wg sync.WaitGroup
		for range 4 {
			r := jobs.NewRunner(d.DB, 1, nil)
			r.Handle("count", counting(nil)) // a job that ran twice at once would fail on its row
			wg.Go(func() {
				if err := r.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, job := range all {
			if s := status(t, d, job); s.State != jobs.Done || s.Tries != 0 {
				t.Fatalf("%+v", s)
			}
		}
	}, schema)
}

func dates(t *testing.T, d *dbtest.DB, kind string) (out []string) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		all, err := jobs.List(tx, jobs.Filter{Kind: kind})
		for i := range all {
			out = append(out, all[len(all)-1-i].Key)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADailyJobComesOnceADayHoweverTheClockJumps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		shanghai, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		nodes := []*jobs.Runner{jobs.NewRunner(d.DB, 1, nil), jobs.NewRunner(d.DB, 1, nil)}
		for _, r := range nodes {
			r.DailyAt("close", func(*db.Tx) ([]jobs.Daily, error) {
				return []jobs.Daily{{Key: "s1", Loc: shanghai, At: 22 * time.Hour}}, nil
			})
		}
		tick := func() {
			t.Helper()
			for _, r := range nodes {
				if err := r.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		at := func(day, hour, minute int) {
			d.Clock.Set(time.Date(2026, 3, day, hour, minute, 0, 0, shanghai))
			tick()
		}
		check := func(want ...string) {
			t.Helper()
			if got := dates(t, d, "close"); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
		at(2, 8, 0)
		at(2, 21, 59)
		check()
		at(2, 22, 0)
		check("s1/2026-03-02")
		at(2, 8, 0) // the clock is set back
		at(2, 22, 30)
		check("s1/2026-03-02")
		at(6, 9, 0) // and far ahead
		check("s1/2026-03-02", "s1/2026-03-03", "s1/2026-03-04", "s1/2026-03-05")
		at(1, 9, 0)
		at(6, 23, 0)
		check("s1/2026-03-02", "s1/2026-03-03", "s1/2026-03-04", "s1/2026-03-05", "s1/2026-03-06")
	}, schema)
}

func TestARepeatedJobComesOnceASlotAndNeverTwiceAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		r := jobs.NewRunner(d.DB, 1, nil)
		runs := 0
		r.Handle("sweep", func(context.Context, *jobs.Run) error { runs++; return nil })
		r.Every("sweep", 10*time.Minute, nil)
		for _, step := range []struct {
			pass time.Duration
			want int
		}{{0, 1}, {0, 1}, {9 * time.Minute, 1}, {time.Minute, 2}, {-time.Hour, 2}, {5 * time.Hour, 3}} {
			d.Clock.Add(step.pass)
			if err := r.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if runs != step.want {
				t.Fatalf("%d runs after %v, want %d", runs, step.pass, step.want)
			}
		}
		d.Clock.Add(time.Hour)
		for range 2 { // nobody works meanwhile
			if err := r.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.Clock.Add(time.Hour)
		}
		if n := len(dates(t, d, "sweep")); n != 4 {
			t.Fatalf("%d jobs", n)
		}
	}, schema)
}

func TestEndedJobsAreRemovedAfterAWhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		done := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{1}})
		r := jobs.NewRunner(d.DB, 1, nil)
		r.Handle("count", counting(nil))
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		waiting := enqueue(t, d, jobs.Job{Kind: "count", Args: upTo{1}})
		if n, err := jobs.Purge(t.Context(), d.DB, time.Now().Add(-time.Minute)); n != 0 || err != nil {
			t.Fatalf("%d removed too early, %v", n, err)
		}
		if n, err := jobs.Purge(t.Context(), d.DB, time.Now().Add(time.Minute)); n != 1 || err != nil {
			t.Fatalf("%d removed, %v", n, err)
		}
		if s := status(t, d, waiting); s.State != jobs.Waiting {
			t.Fatalf("%+v", s)
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error { _, err := jobs.Get(tx, done); return err })
		if !errors.Is(err, errs.As(jobs.ErrNoJob)) {
			t.Fatalf("got %v", err)
		}
	}, schema)
}
