// Package jobs runs work that takes longer than a request. A job is enqueued in the transaction of the
// act that wants it, runs on any node, in steps that are each a transaction, shows its progress, and is
// taken up again where it was when its worker dies.
package jobs

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

//go:embed migrations
var files embed.FS

// Migrations of this package.
var Migrations = db.Migrations{Package: "jobs", FS: files}

// State is where a job is.
type State string

const (
	Waiting   State = "waiting"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed" // gave up after several tries, or at once for a refusal
	Cancelled State = "cancelled"
)

// Job is what Enqueue is asked for.
type Job struct {
	Kind string
	// Key makes the job happen once: a second job of the kind with the key is the first one.
	Key string
	// Only makes it the only one at a time: while a job of the kind with this text waits or runs, a
	// second one is that one.
	Only string
	Args any       // read back by Run.Args
	At   time.Time // business instant before which it does not start; zero is now
}

// Status is a job as screens show it.
type Status struct {
	ID        id.ID      `json:"id"`
	Kind      string     `json:"kind"`
	Key       string     `json:"key,omitempty"`
	State     State      `json:"state"`
	Done      int64      `json:"done"`
	Total     int64      `json:"total"` // 0 when not known
	Note      string     `json:"note"`
	Error     string     `json:"error,omitempty"`
	Tries     int        `json:"tries"`
	RunAt     time.Time  `json:"run_at"` // business time
	CreatedAt time.Time  `json:"created_at"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Stopping  bool       `json:"stopping"` // asked to be cancelled and still running
}

// ErrNoJob says that there is no such job.
var ErrNoJob = errs.Define("job_not_found", errs.NotFound, "没有这个任务", "There is no such job")

// ErrEnded says that a job can't be cancelled any more.
var ErrEnded = errs.Define("job_ended", errs.Conflict, "任务已经结束", "The job has already ended")

const maxArgs = 256 << 10

const (
	insertJob = `INSERT INTO jobs_job (id, kind, job_key, only_one, args, state, run_at, retry_at, tries, worker, lease_until, cancel_asked, done, total, note, step, error, created_at)
	VALUES ($1, $2, $3, $4, $5, 'waiting', $6, 0, 0, '', 0, 0, 0, 0, '', '', '', $7) ON CONFLICT DO NOTHING`
	sameKey  = `SELECT id FROM jobs_job WHERE kind = $1 AND job_key = $2`
	sameOnly = `SELECT id FROM jobs_job WHERE kind = $1 AND only_one = $2 AND (state = 'waiting' OR state = 'running')`

	statusColumns = `id, kind, job_key, state, done, total, note, error, tries, run_at, created_at, started_at, ended_at, cancel_asked`
	getJob        = `SELECT ` + statusColumns + ` FROM jobs_job WHERE id = $1`
	listJobs      = `SELECT ` + statusColumns + ` FROM jobs_job
	WHERE id < $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR state = $3) ORDER BY id DESC LIMIT $4`

	cancelWaiting = `UPDATE jobs_job SET state = 'cancelled', cancel_asked = 1, ended_at = $1 WHERE id = $2 AND state = 'waiting'`
	askCancel     = `UPDATE jobs_job SET cancel_asked = 1 WHERE id = $1 AND state = 'running'`
	retryJob      = `UPDATE jobs_job SET state = 'waiting', tries = 0, retry_at = 0, cancel_asked = 0, error = '', ended_at = NULL
	WHERE id = $1 AND (state = 'failed' OR state = 'cancelled')`
)

// Enqueue adds a job, which exists when the act commits, and returns its id, or the id of the job that
// Key or Only stand for already.
func Enqueue(tx *db.Tx, j Job) (id.ID, error) {
	if j.Kind == "" {
		return 0, errors.New("jobs: a job needs a kind")
	}
	args, err := json.Marshal(j.Args)
	if err != nil {
		return 0, err
	}
	if len(args) > maxArgs {
		return 0, fmt.Errorf("jobs: %d bytes of arguments are too many; keep them in a table", len(args))
	}
	at := j.At
	if at.IsZero() {
		at = tx.Now()
	}
	job := id.New()
	if j.Key == "" && j.Only == "" {
		return job, tx.Exec(insertJob, job, j.Kind, nil, nil, string(args), at, tx.Wall())
	}
	n, err := tx.ExecN(insertJob, job, j.Kind, orNull(j.Key), orNull(j.Only), string(args), at, tx.Wall())
	if err != nil || n == 1 {
		return job, err
	}
	if j.Key != "" {
		err := tx.QueryRow(sameKey, j.Kind, j.Key).Scan(&job)
		if !errors.Is(err, db.ErrNoRow) {
			return job, err
		}
	}
	err = tx.QueryRow(sameOnly, j.Kind, j.Only).Scan(&job)
	if errors.Is(err, db.ErrNoRow) { // it ended between the two statements
		err = db.ErrAgain
	}
	return job, err
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Get is one job.
func Get(tx *db.Tx, job id.ID) (Status, error) {
	s, err := scanStatus(tx.Query(getJob, job))
	if err == nil && len(s) == 0 {
		err = ErrNoJob
	}
	if err != nil {
		return Status{}, err
	}
	return s[0], nil
}

// Filter chooses jobs for a list, newest first.
type Filter struct {
	Kind   string
	State  State
	Before id.ID // the last id of the page before; 0 for the first page
	Limit  int   // at most 200
}

// List is one page of jobs.
func List(tx *db.Tx, f Filter) ([]Status, error) {
	if f.Before == 0 {
		f.Before = 1<<63 - 1
	}
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 200
	}
	return scanStatus(tx.Query(listJobs, f.Before, f.Kind, f.State, f.Limit))
}

func scanStatus(rows *db.Rows) ([]Status, error) {
	all := []Status{}
	for rows.Next() {
		var s Status
		var key *string
		var asked bool
		if err := rows.Scan(&s.ID, &s.Kind, &key, &s.State, &s.Done, &s.Total, &s.Note, &s.Error, &s.Tries,
			&s.RunAt, &s.CreatedAt, &s.StartedAt, &s.EndedAt, &asked); err != nil {
			return nil, err
		}
		if key != nil {
			s.Key = *key
		}
		s.Stopping = asked && s.State == Running
		all = append(all, s)
	}
	return all, rows.Err()
}

// Cancel ends a waiting job at once, and asks a running one to end at its next step.
func Cancel(tx *db.Tx, job id.ID) error {
	n, err := tx.ExecN(cancelWaiting, tx.Wall(), job)
	if err != nil || n == 1 {
		return err
	}
	n, err = tx.ExecN(askCancel, job)
	if err != nil || n == 1 {
		return err
	}
	if _, err := Get(tx, job); err != nil {
		return err
	}
	return ErrEnded
}

// Retry lets a failed or cancelled job go on from its last step.
func Retry(tx *db.Tx, job id.ID) error {
	n, err := tx.ExecN(retryJob, job)
	if err == nil && n == 0 {
		err = ErrNoJob
	}
	return err
}
