// Package intake takes in what other systems know: stores, products, styles, recipes, suppliers, opening
// stock, sales, weather and holidays from CSV files, styles, recipes and suppliers also from Excel workbooks, on the command line and from
// the browser. A file is read, checked and staged in short steps between which the tills sell, and comes into force
// whole or not at all. See README.md.
package intake

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/outbox"
	"zhanggui/internal/price"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables intake_*.
var Migrations = db.Migrations{Package: "intake", FS: files}

// State is where an import is.
type State string

// The states of an import.
const (
	Uploading State = "uploading"
	Ready     State = "ready"    // uploaded, to be run
	Reading   State = "reading"  // the file is read and its rows are staged
	Checking  State = "checking" // rows are compared with what holds
	Applying  State = "applying" // decided: what is staged comes into force, also after a crash
	Applied   State = "applied"
	Checked   State = "checked"   // a dry run has ended
	Refused   State = "refused"   // rows were refused, and all or nothing was asked for
	Failed    State = "failed"    // the file as a whole was refused, or the work broke off
	Cancelled State = "cancelled" // by a person, before anything came into force
)

// Mode says what becomes of the good rows of a file that has bad ones.
type Mode string

// The modes.
const (
	All  Mode = "all"  // any refusal: nothing is applied
	Good Mode = "good" // the good rows are applied
)

var (
	ErrNoImport = errs.Define("import_unknown", errs.NotFound, "没有这个导入", "There is no such import")
	ErrNotReady = errs.Define("import_not_ready", errs.Conflict,
		"这个导入现在不能运行({state})", "This import can't be run now ({state})")
	ErrTooLate = errs.Define("import_too_late", errs.Conflict,
		"已经开始生效,不能取消", "It is coming into force and can't be cancelled any more")
	ErrMode           = errs.Define("import_mode_bad", errs.Invalid, "方式只能是 all 或 good", "The mode must be all or good")
	ErrTooManyRefused = errs.Define("too_many_refused", errs.Limit,
		"超过 {most} 行有错,请先检查列的对应关系", "More than {most} rows are wrong; check first which column is which")
	ErrBroken = errs.Define("import_interrupted", errs.Conflict,
		"导入中断了,没有任何内容生效,请重新导入", "The import was interrupted; nothing of it is in force; run it again")
	ErrMissingTaken = errs.Define("import_overtaken", errs.Conflict,
		"导入期间有人建立了 {code},请重新导入", "Somebody entered {code} meanwhile; run the import again")
	errLost = errs.Define("import_lost", errs.Conflict,
		"另一个进程接手了这个导入", "Another process has taken this import over")
	errCancelled = errs.Define("import_cancelled", errs.Conflict, "导入已取消", "The import was cancelled")
)

// Done says that an import has come into force.
const Done = "intake.applied.v1"

// DoneBody is the body of Done.
type DoneBody struct {
	ImportID id.ID `json:"import_id"`
	Kind     Kind  `json:"kind"`
	RowsNew  int64 `json:"rows_new"`
}

// Service takes in files.
type Service struct {
	d      *db.DB
	org    *org.Org
	goods  *catalog.Service
	prices *price.Service
	log    *slog.Logger
	worker string

	pace    func(ctx context.Context, had time.Duration)
	runRows int
}

// Options of the service.
type Options struct {
	Org    *org.Org
	Goods  *catalog.Service
	Prices *price.Service
	Log    *slog.Logger
}

// New returns the service.
func New(d *db.DB, o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{d: d, org: o.Org, goods: o.Goods, prices: o.Prices, log: o.Log, worker: workerName(), pace: restFor(d), runRows: runRows}
}

// trading is how long after somebody else has written a shop counts as selling: some steps, since a till that is waiting
// for its next customer is not seen in each, and little enough that what the house itself writes now and then does not count.
const trading = 250 * time.Millisecond

// restFor leaves the database to others for as long as a step had it: the tills come first. Where nobody else has
// written lately there is nobody to rest for; who comes then waits for one step, as between two rests.
func restFor(d *db.DB) func(ctx context.Context, had time.Duration) {
	var mu sync.Mutex
	var seen int64
	var others time.Time // when somebody else was last seen to write
	return func(ctx context.Context, had time.Duration) {
		mu.Lock()
		acts, now := d.Stats().Acts, clock.Wall.Now()
		if acts-seen > 1 {
			others = now
		}
		seen = acts
		busy := now.Sub(others) < trading
		mu.Unlock()
		if busy {
			rest(ctx, had)
		}
	}
}

func rest(ctx context.Context, had time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(min(had, 50*time.Millisecond)):
	}
}

// Head is what a file showed when it was first looked at.
type Head struct {
	Columns []string   `json:"columns"`
	Sample  [][]string `json:"sample"`
}

// Problem is why a file as a whole was refused.
type Problem struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty"`
	Line  int    `json:"line,omitempty"`
	ZH    string `json:"zh"`
	EN    string `json:"en"`
}

func problemOf(err error) *Problem {
	e := errs.As(err)
	return &Problem{Code: e.Code, Field: e.Field, Line: e.Row, ZH: e.Text("zh"), EN: e.Text("en")}
}

// Text is the problem in "zh" or English.
func (p *Problem) Text(lang string) string {
	if lang == "zh" {
		return p.ZH
	}
	return p.EN
}

// Counts are the rows of a file. While nothing is refused as a whole, read = new + same + refused.
type Counts struct {
	Read    int64 // rows of the file
	New     int64 // rows that changed something (in a dry run: would)
	Same    int64 // rows that say what holds already
	Refused int64
}

// Run is how an import is to be done.
type Run struct {
	Mode          Mode
	Mapping       csvx.Mapping
	CreateMissing bool // sales: make the stores and products they name
	DryRun        bool
}

// Import is one file and what became of it.
type Import struct {
	ID        id.ID
	Kind      Kind
	FileName  string
	State     State
	StaffID   id.ID // 0: the command line
	SHA256    string
	Bytes     int64
	Encoding  csvx.Encoding
	Head      Head
	RowsTotal int64
	Run       Run
	JobID     id.ID
	Done      int64 // of Total rows in the present state
	Total     int64
	Counts    Counts
	Problem   *Problem
	CreatedAt time.Time
	StartedAt *time.Time
	PhaseAt   *time.Time
	EndedAt   *time.Time

	chunks    int64
	runNo     int64
	worker    string
	beatAt    time.Time
	cancelled bool
}

const importColumns = `i.id, i.kind, i.file_name, i.state, i.staff_id, i.sha256, i.bytes, i.chunks, i.encoding, i.head, i.rows_total, i.mapping, i.mode,
	i.create_missing, i.dry_run, i.job_id, i.run_no, i.worker, i.beat_at, i.cancel_asked, i.done, i.total, i.rows_read, i.rows_new, i.rows_same,
	i.rows_refused, i.error, i.created_at, i.started_at, i.phase_at, i.ended_at`

const (
	oneImport   = `SELECT ` + importColumns + ` FROM intake_import i WHERE i.id = $1`
	openImports = `SELECT ` + importColumns + ` FROM intake_import i WHERE i.state IN ('uploading', 'reading', 'checking', 'applying') ORDER BY i.id LIMIT 200`
	applyingNow = `SELECT ` + importColumns + ` FROM intake_import i WHERE i.kind = $1 AND i.state = 'applying'`
)

func scanImports(rows *db.Rows) ([]*Import, error) {
	defer rows.Close()
	var all []*Import
	for rows.Next() {
		im := &Import{}
		var head, mapping, problem string
		err := rows.Scan(&im.ID, &im.Kind, &im.FileName, &im.State, &im.StaffID, &im.SHA256, &im.Bytes, &im.chunks, &im.Encoding, &head, &im.RowsTotal,
			&mapping, &im.Run.Mode, &im.Run.CreateMissing, &im.Run.DryRun, &im.JobID, &im.runNo, &im.worker, &im.beatAt, &im.cancelled, &im.Done, &im.Total,
			&im.Counts.Read, &im.Counts.New, &im.Counts.Same, &im.Counts.Refused, &problem, &im.CreatedAt, &im.StartedAt, &im.PhaseAt, &im.EndedAt)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(head), &im.Head); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(mapping), &im.Run.Mapping); err != nil {
			return nil, err
		}
		if problem != "" {
			im.Problem = &Problem{}
			if err := json.Unmarshal([]byte(problem), im.Problem); err != nil {
				return nil, err
			}
		}
		all = append(all, im)
	}
	return all, rows.Err()
}

// ByID reads one import, whoever asks.
func ByID(tx *db.Tx, importID id.ID) (*Import, error) {
	found, err := scanImports(tx.Query(oneImport, importID))
	if err == nil && len(found) == 0 {
		err = ErrNoImport
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (s *Service) byID(ctx context.Context, importID id.ID) (im *Import, err error) {
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		im, err = ByID(tx, importID)
		return err
	})
	return im, err
}

// insert makes an import.
func insert(tx *db.Tx, im *Import, state State, uploadKey *string) (made bool, err error) {
	head, err := json.Marshal(im.Head)
	if err != nil {
		return false, err
	}
	mapping, err := mappingText(im.Run.Mapping)
	if err != nil {
		return false, err
	}
	if im.Run.Mode == "" {
		im.Run.Mode = All
	}
	n, err := tx.ExecN(`INSERT INTO intake_import (id, kind, file_name, state, staff_id, upload_key, sha256, bytes, chunks, encoding, head, rows_total, mapping, mode,
		create_missing, dry_run, job_id, run_no, worker, beat_at, cancel_asked, done, total, rows_read, rows_new, rows_same, rows_refused, error, created_at, tidied)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, $17, $18, 0, 0, 0, 0, 0, 0, 0, '', $19, 0)
		ON CONFLICT (staff_id, upload_key) WHERE upload_key IS NOT NULL DO NOTHING`,
		im.ID, im.Kind, im.FileName, state, im.StaffID, uploadKey, im.SHA256, im.Bytes, im.chunks, im.Encoding, string(head), im.RowsTotal, mapping,
		im.Run.Mode, im.Run.CreateMissing, im.Run.DryRun, im.worker, tx.Wall(), tx.Now())
	return n == 1, err
}

// emitDone tells that an import is in force.
func emitDone(tx *db.Tx, im *Import, rowsNew int64) error {
	return outbox.Emit(tx, outbox.Event{Type: Done, Subject: im.ID, Body: DoneBody{im.ID, im.Kind, rowsNew}})
}

func isRefusal(err error) bool {
	switch errs.As(err).Kind {
	case errs.Invalid, errs.NotFound, errs.Conflict, errs.Limit, errs.Forbidden:
		return !errors.Is(err, errLost) && !errors.Is(err, errCancelled)
	}
	return false
}
