package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// stepRows is how many rows one step writes at most.
const stepRows = 400

// silent is how long a worker that shows itself in every step may be silent before others believe it dead.
const silent = 20 * time.Second

// workerName tells this process from others, also on other machines.
func workerName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), id.New())
}

// dead tells whether the worker of an import that is under way has gone.
func (s *Service) dead(im *Import, now time.Time) bool {
	quiet := now.Sub(im.beatAt)
	host, _ := os.Hostname()
	theirs := strings.Split(im.worker, "/")
	if len(theirs) != 3 || theirs[0] != host || theirs[1] == strconv.Itoa(os.Getpid()) {
		return quiet > silent
	}
	pid, err := strconv.Atoi(theirs[1])
	if err != nil {
		return quiet > silent
	}
	process, err := os.FindProcess(pid)
	if err != nil || errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		return true
	}
	return quiet > 15*silent // it lives, unless its number was given to another: it may wait for a busy database
}

// source opens the file from its beginning.
type source func(ctx context.Context) (io.ReadCloser, error)

// work is one worker's hold on one import. Its counters move only when a step has committed.
type work struct {
	s     *Service
	im    *Import
	kind  kindWork
	reach func(id.ID) bool // sites the rows may name; nil: all
	now   counters
	read  int64          // rows of the file handed to the kind
	blind map[int64]bool // refused lines whose cells are not at hand any more
	shown func(*Import)  // told of every step; may be nil
}

// counters are what each step writes down.
type counters struct {
	Counts
	done, total int64
}

// take makes this process the one whose steps count.
func (s *Service) take(ctx context.Context, importID id.ID, from ...State) (*work, error) {
	w := &work{s: s}
	err := s.d.Write(ctx, func(tx *db.Tx) error {
		im, err := ByID(tx, importID)
		if err != nil {
			return err
		}
		allowed := false
		for _, state := range from {
			allowed = allowed || im.State == state
		}
		if !allowed {
			return ErrNotReady.With("state", im.State)
		}
		w.im, w.kind = im, s.kindWork(im.Kind)
		w.now = counters{Counts: im.Counts, done: im.Done, total: im.Total}
		w.im.runNo++
		return tx.ExecExactly(1, errLost, `UPDATE intake_import SET run_no = run_no + 1, worker = $1, beat_at = $2, started_at = COALESCE(started_at, $3)
			WHERE id = $4 AND run_no = $5`, s.worker, tx.Wall(), tx.Wall(), importID, w.im.runNo-1)
	})
	return w, err
}

const saveCounters = `UPDATE intake_import SET done = $1, total = $2, rows_read = $3, rows_new = $4, rows_same = $5, rows_refused = $6, beat_at = $7
	WHERE id = $8 AND run_no = $9 AND cancel_asked = 0`

// step is one short transaction of the work. It counts only while this worker holds the import and nobody
// has cancelled it. fn changes the counters it is given, not the worker's.
func (w *work) step(ctx context.Context, fn func(tx *db.Tx, c *counters) error) error {
	var next counters
	began, err := w.s.patiently(ctx, func(tx *db.Tx) error {
		next = w.now
		next.Read = max(next.Read, w.read)
		mindGrowth(tx)
		if fn != nil {
			if err := fn(tx, &next); err != nil {
				return err
			}
		}
		return tx.ExecExactly(1, errLost, saveCounters, next.done, next.total, next.Read, next.New, next.Same, next.Refused, tx.Wall(), w.im.ID, w.im.runNo)
	})
	if errors.Is(err, errLost) {
		if im, rerr := w.s.byID(ctx, w.im.ID); rerr == nil && im.cancelled && im.runNo == w.im.runNo {
			err = errCancelled
		}
	}
	if err != nil {
		return err
	}
	w.now = next
	if w.shown != nil {
		w.im.Counts, w.im.Done, w.im.Total = next.Counts, next.done, next.total
		w.shown(w.im)
	}
	w.s.pace(ctx, clock.Wall.Now().Sub(began))
	return ctx.Err()
}

// busyTries is how often a step waits for a database that tills keep busy: about a minute.
const busyTries = 35

// patiently runs an act, again when the database had no turn for it, and tells when its turn began.
func (s *Service) patiently(ctx context.Context, act func(tx *db.Tx) error) (began time.Time, err error) {
	for tries := 0; ; tries++ {
		began = clock.Wall.Now()
		err = s.d.Write(ctx, func(tx *db.Tx) error {
			began = tx.Wall()
			return act(tx)
		})
		if !errors.Is(err, db.ErrBusy) || tries == busyTries || ctx.Err() != nil {
			return began, err
		}
		select {
		case <-ctx.Done():
			return began, ctx.Err()
		case <-time.After(50 * time.Millisecond << min(tries, 5)):
		}
	}
}

// enter is the step into another state.
func (w *work) enter(ctx context.Context, state State, total int64, fn func(tx *db.Tx, c *counters) error) error {
	err := w.step(ctx, func(tx *db.Tx, c *counters) error {
		c.done, c.total = 0, total
		if fn != nil {
			if err := fn(tx, c); err != nil {
				return err
			}
		}
		return tx.Exec(`UPDATE intake_import SET state = $1, phase_at = $2 WHERE id = $3`, state, tx.Wall(), w.im.ID)
	})
	if err == nil {
		w.im.State = state
	}
	return err
}

// end is the last step.
func (w *work) end(ctx context.Context, state State, problem error) error {
	text := ""
	if problem != nil {
		b, err := json.Marshal(problemOf(problem))
		if err != nil {
			return err
		}
		text = string(b)
		w.im.Problem = problemOf(problem)
	}
	return w.enter(ctx, state, w.now.total, func(tx *db.Tx, c *counters) error {
		c.done = w.now.done
		return tx.Exec(`UPDATE intake_import SET error = $1, ended_at = $2 WHERE id = $3`, text, tx.Wall(), w.im.ID)
	})
}

// perform does the whole work of an import that this process has taken. A refusal of the file ends the import
// and is no error; an error leaves it to be taken up again.
func (w *work) perform(ctx context.Context, open source) error {
	if w.im.State != Applying {
		err := w.decide(ctx, open)
		if err != nil {
			return w.giveUp(ctx, err)
		}
		if w.im.State != Applying {
			return w.clear(ctx)
		}
	}
	if err := w.kind.apply(ctx, w); err != nil {
		return err
	}
	if err := w.clear(ctx); err != nil {
		return err
	}
	if w.now.New >= largeLoad {
		if err := w.s.d.Analyze(ctx); err != nil {
			w.s.log.Warn("the database's statistics are left as they were before an import", "err", err)
		}
	}
	return nil
}

// largeLoad is how many new rows make what the database knows of its tables untrue.
const largeLoad = 5000

// decide reads and checks the file, up to the point where it comes into force or not.
func (w *work) decide(ctx context.Context, open source) error {
	run := w.im.Run
	if err := w.clear(ctx); err != nil {
		return err
	}
	if err := w.clearRefusals(ctx); err != nil {
		return err
	}
	err := w.enter(ctx, Reading, w.im.RowsTotal, func(tx *db.Tx, c *counters) error {
		c.Counts = Counts{}
		return tx.Exec(`UPDATE intake_import SET error = '', ended_at = NULL WHERE id = $1`, w.im.ID)
	})
	if err != nil {
		return err
	}
	if err := w.readFile(ctx, open); err != nil {
		return err
	}
	if err := w.kind.check(ctx, w); err != nil {
		return err
	}
	if err := w.findCells(ctx, open); err != nil {
		return err
	}
	switch {
	case run.DryRun:
		return w.end(ctx, Checked, nil)
	case run.Mode == All && w.now.Refused > 0:
		return w.refuse(ctx)
	}
	return w.startApplying(ctx)
}

// refuse ends an import of which nothing comes into force because of its refused rows.
func (w *work) refuse(ctx context.Context) error {
	w.now.New, w.now.Same = 0, 0
	return w.end(ctx, Refused, nil)
}

// startApplying decides that the import comes into force. Of a kind, one import does so at a time; one
// whose worker has died is finished first.
func (w *work) startApplying(ctx context.Context) error {
	for {
		var other *Import
		err := w.enter(ctx, Applying, 0, func(tx *db.Tx, c *counters) error {
			found, err := scanImports(tx.Query(applyingNow, w.im.Kind))
			if err != nil {
				return err
			}
			if other = nil; len(found) > 0 {
				other = found[0]
				return errLost
			}
			c.total, err = w.kind.begin(tx, w)
			return err
		})
		if err == nil || other == nil && !db.Violates(err, "intake_import_applying") {
			return err
		}
		if other != nil && w.s.dead(other, clock.Wall.Now()) {
			if err := w.s.finish(ctx, other.ID); err != nil && !isRefusal(err) {
				return err
			}
			continue
		}
		if err := w.step(ctx, nil); err != nil { // show that we live, and see whether we are cancelled
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// finish brings an import into force that was decided and whose worker died.
func (s *Service) finish(ctx context.Context, importID id.ID) error {
	w, err := s.take(ctx, importID, Applying)
	if err != nil {
		return err
	}
	return w.perform(ctx, nil)
}

// giveUp ends an import that was refused as a whole or cancelled; what it staged is dropped.
func (w *work) giveUp(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, errCancelled):
		return w.s.endCancelled(ctx, w.im.ID)
	case !isRefusal(err):
		return err
	}
	w.now.New, w.now.Same = 0, 0
	if err := w.end(ctx, Failed, err); err != nil {
		return err
	}
	return w.clear(ctx)
}

// endCancelled ends an import whose worker has stopped because of the cancellation.
func (s *Service) endCancelled(ctx context.Context, importID id.ID) error {
	err := s.d.Write(ctx, func(tx *db.Tx) error {
		return tx.Exec(`UPDATE intake_import SET state = 'cancelled', run_no = run_no + 1, cancel_asked = 0, rows_new = 0, rows_same = 0, ended_at = $1
			WHERE id = $2 AND cancel_asked = 1 AND state IN ('reading', 'checking')`, tx.Wall(), importID)
	})
	if err != nil {
		return err
	}
	return s.clearStage(ctx, importID)
}

var clearStages = []string{
	`DELETE FROM intake_sale_stage WHERE import_id = $1 AND (site_id, product_id, day, part) IN
		(SELECT site_id, product_id, day, part FROM intake_sale_stage WHERE import_id >= $1 AND import_id <= $1
		ORDER BY import_id, site_id, product_id, day, part LIMIT 500)`,
	`DELETE FROM intake_stage WHERE import_id = $1 AND (subject, part) IN
		(SELECT subject, part FROM intake_stage WHERE import_id >= $1 AND import_id <= $1 ORDER BY import_id, subject, part LIMIT 500)`,
	`DELETE FROM intake_missing_stage WHERE import_id = $1 AND id IN (SELECT id FROM intake_missing_stage WHERE import_id = $1 ORDER BY id LIMIT 500)`,
}

const clearRefused = `DELETE FROM intake_refusal WHERE import_id = $1 AND line IN (SELECT line FROM intake_refusal WHERE import_id = $1 ORDER BY line LIMIT 500)`

// clearStage removes what an import has staged.
func (s *Service) clearStage(ctx context.Context, importID id.ID) error {
	return s.clearAll(ctx, importID, clearStages...)
}

func (s *Service) clearAll(ctx context.Context, importID id.ID, statements ...string) error {
	for _, statement := range statements {
		for {
			var n int64
			began, err := s.patiently(ctx, func(tx *db.Tx) (err error) {
				mindGrowth(tx)
				n, err = tx.ExecN(statement, importID)
				return err
			})
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			s.pace(ctx, clock.Wall.Now().Sub(began))
		}
	}
	return nil
}

func (w *work) clear(ctx context.Context) error { return w.s.clearStage(ctx, w.im.ID) }

func (w *work) clearRefusals(ctx context.Context) error {
	return w.s.clearAll(ctx, w.im.ID, clearRefused)
}

// linesOf writes rows by a statement that returns the lines it has written.
func linesOf(tx *db.Tx, many *db.Many, width int, args []any) (map[int64]bool, error) {
	const most = 250 // rows of one question
	written := make(map[int64]bool, len(args)/width)
	for len(args) > 0 {
		n := min(len(args), most*width)
		rows := tx.QueryMany(many, args[:n]...)
		for rows.Next() {
			var line int64
			if err := rows.Scan(&line); err != nil {
				return nil, err
			}
			written[line] = true
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		args = args[n:]
	}
	return written, nil
}

// --- refused rows

// maxRefused is how many refused rows are worth listing; a file with more has another fault.
const maxRefused = 100_000

// refusal is one refused row.
type refusal struct {
	line  int64
	bad   []*errs.Error
	cells []string
}

var addRefusals = db.NewMany(`INSERT INTO intake_refusal (import_id, line, field, code, zh, en, cells) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`,
	` ON CONFLICT (import_id, line) DO NOTHING`)

// words are all refusals of a row in one sentence.
func words(bad []*errs.Error, lang string) string {
	between := "; "
	if lang == "zh" {
		between = ";"
	}
	var b strings.Builder
	for i, e := range bad {
		if i > 0 {
			b.WriteString(between)
		}
		if len(bad) > 1 && e.Field != "" {
			b.WriteString(e.Field)
			b.WriteString(": ")
		}
		b.WriteString(e.Text(lang))
	}
	return b.String()
}

// refuseRows writes refused rows down, in steps that count them.
func (w *work) refuseRows(ctx context.Context, rows []refusal) error {
	for len(rows) > 0 {
		n := min(len(rows), stepRows)
		err := w.step(ctx, func(tx *db.Tx, c *counters) error {
			c.done += int64(n)
			return putRefusals(tx, w.im.ID, c, rows[:n])
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// putRefusals writes refused rows in the step that counts them.
func putRefusals(tx *db.Tx, importID id.ID, c *counters, rows []refusal) error {
	args := make([]any, 0, len(rows)*7)
	for _, r := range rows {
		cells, err := json.Marshal(r.cells)
		if err != nil {
			return err
		}
		args = append(args, importID, r.line, r.bad[0].Field, r.bad[0].Code, words(r.bad, "zh"), words(r.bad, "en"), string(cells))
	}
	if c.Refused += int64(len(rows)); c.Refused > maxRefused {
		return ErrTooManyRefused.With("most", maxRefused)
	}
	return tx.ExecMany(addRefusals, args...)
}

// --- reading

// kindWork is what differs between the kinds of file. One is made for each work.
type kindWork interface {
	// row takes one row apart; what is wrong with it is collected in c.
	row(c *cells) any
	// flush resolves and stages rows that were read; last says that the file has ended.
	flush(ctx context.Context, w *work, rows []readRow, last bool) error
	// check compares what is staged with what holds.
	check(ctx context.Context, w *work) error
	// begin is part of the step that decides for applying; it returns how many rows there are to apply.
	begin(tx *db.Tx, w *work) (int64, error)
	// apply brings what is staged into force and ends the import; it may be repeated from the beginning.
	apply(ctx context.Context, w *work) error
}

// readRow is one row as its parser understood it.
type readRow struct {
	line  int64
	row   any
	cells []string
}

// rowLimit bounds the rows of one file.
func rowLimit(k Kind) int64 {
	if k == Sales {
		return 10_000_000
	}
	return 1_000_000
}

func limitsOf(k Kind) csvx.Limits { return csvx.Limits{Bytes: 1 << 30, Rows: rowLimit(k)} }

// readFile takes the file apart and hands its rows to the kind.
func (w *work) readFile(ctx context.Context, open source) error {
	file, err := open(ctx)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := openTable(w.im.Kind, file)
	if err != nil {
		return err
	}
	at, err := match(w.im.Kind, r.Header(), w.im.Run.Mapping)
	if err != nil {
		return err
	}
	r.know(w.im.Kind, at)
	c := &cells{columns: columnsOf[w.im.Kind], at: at, undo: isRefusedList(r.Header())}
	const batch = 2048
	rows := make([]readRow, 0, batch)
	var refused []refusal
	var read int64
	flush := func(last bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.refuseRows(ctx, refused); err != nil {
			return err
		}
		if err := w.kind.flush(ctx, w, rows, last); err != nil {
			return err
		}
		w.read, rows, refused = read, rows[:0], refused[:0]
		return nil
	}
	for {
		row, err := r.Next()
		var bad *csvx.RowError
		switch {
		case err == io.EOF:
			if read == 0 {
				return csvx.ErrEmpty
			}
			w.read = read
			if err := flush(true); err != nil {
				return err
			}
			return w.step(ctx, nil)
		case errors.As(err, &bad):
			read++
			refused = append(refused, refusal{bad.Line, []*errs.Error{bad.Err}, bad.Cells})
		case err != nil:
			return err
		default:
			read++
			c.fields, c.bad = row.Fields, nil
			parsed := w.kind.row(c)
			if len(c.bad) > 0 {
				refused = append(refused, refusal{row.Line, c.bad, append([]string(nil), row.Fields...)})
			} else {
				rows = append(rows, readRow{row.Line, parsed, append([]string(nil), row.Fields...)})
			}
		}
		if len(rows) == batch || len(refused) >= stepRows {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
}

// blindly refuses a row whose cells are not at hand any more; findCells brings them.
func (w *work) blindly(line int64, why *errs.Error) refusal {
	if w.blind == nil {
		w.blind = map[int64]bool{}
	}
	w.blind[line] = true
	return refusal{line, []*errs.Error{why}, nil}
}

var setCells = db.NewMany(`UPDATE intake_refusal SET cells = v.column3 FROM (VALUES `, `(BIGINT, BIGINT, TEXT)`,
	`) AS v WHERE import_id = v.column1 AND line = v.column2`)

// findCells reads the file once more for the cells of rows that were refused long after they had been read.
func (w *work) findCells(ctx context.Context, open source) error {
	if len(w.blind) == 0 {
		return nil
	}
	file, err := open(ctx)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := openTable(w.im.Kind, file)
	if err != nil {
		return err
	}
	if at, err := match(w.im.Kind, r.Header(), w.im.Run.Mapping); err == nil {
		r.know(w.im.Kind, at)
	}
	var args []any
	flush := func() error {
		err := w.step(ctx, func(tx *db.Tx, c *counters) error { return tx.ExecMany(setCells, args...) })
		args = args[:0]
		return err
	}
	for len(w.blind) > 0 {
		row, err := r.Next()
		var bad *csvx.RowError
		if errors.As(err, &bad) {
			continue
		}
		if err != nil {
			break
		}
		if w.blind[row.Line] {
			delete(w.blind, row.Line)
			text, err := json.Marshal(row.Fields)
			if err != nil {
				return err
			}
			if args = append(args, w.im.ID, row.Line, string(text)); len(args) == 3*stepRows {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	w.blind = nil
	if len(args) == 0 {
		return nil
	}
	return flush()
}
