package intake

import (
	"context"
	"encoding/json"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// ops is what a kind other than sales says of its rows. Rows of one subject are checked and applied together.
type ops struct {
	parse func(c *cells) any
	// resolve turns parsed rows into what is staged, looking up what they name; a nil body is refused.
	resolve func(ctx context.Context, w *work, rows []readRow) ([]resolved, error)
	// check compares staged rows, whole subjects, with what holds and gives each its verdict.
	check func(tx *db.Tx, rows []staged) error
	// prepare is what must have been committed before apply can do its part; may be nil.
	prepare func(tx *db.Tx, w *work, rows []staged) error
	// apply brings rows, whole subjects, into force. What is in force already stays as it is.
	apply func(tx *db.Tx, w *work, rows []staged) error
	// rows is how many rows one step applies.
	rows int
}

// resolved is a row to be staged.
type resolved struct {
	subject, part string
	body          any
	refused       *errs.Error
}

// staged is a row between reading and applying.
type staged struct {
	subject, part string
	line          int64
	body          []byte

	same    bool        // says what holds
	refused *errs.Error // at check
}

func (s *staged) read(into any) error { return json.Unmarshal(s.body, into) }

// stagedWork takes in what goes through intake_stage.
type stagedWork struct{ ops }

func (s *stagedWork) row(c *cells) any { return s.parse(c) }

var (
	stageRows = db.NewMany(`INSERT INTO intake_stage (import_id, subject, part, line, body) VALUES `, `(?, ?, ?, ?, ?)`,
		` ON CONFLICT (import_id, subject, part) DO NOTHING RETURNING line`)
)

const (
	stagedRow  = `SELECT line, body FROM intake_stage WHERE import_id = $1 AND subject = $2 AND part = $3`
	stagedPage = `SELECT import_id, subject, part, line, body FROM intake_stage WHERE (import_id, subject, part) > ($1, $2, $3) ORDER BY import_id, subject, part LIMIT $4`
	dropRow    = `DELETE FROM intake_stage WHERE import_id = $1 AND subject = $2 AND part = $3`
)

func (s *stagedWork) flush(ctx context.Context, w *work, rows []readRow, last bool) error {
	found, err := s.resolve(ctx, w, rows)
	if err != nil {
		return err
	}
	var refused []refusal
	type line struct {
		readRow
		resolved
		body string
	}
	var good []line
	for i, r := range rows {
		if found[i].refused != nil {
			refused = append(refused, refusal{r.line, []*errs.Error{found[i].refused}, r.cells})
			continue
		}
		body, err := json.Marshal(found[i].body)
		if err != nil {
			return err
		}
		good = append(good, line{r, found[i], string(body)})
	}
	if err := w.refuseRows(ctx, refused); err != nil {
		return err
	}
	for len(good) > 0 {
		part := good[:min(len(good), stepRows)]
		good = good[len(part):]
		err := w.step(ctx, func(tx *db.Tx, c *counters) error {
			args := make([]any, 0, len(part)*5)
			for _, l := range part {
				args = append(args, w.im.ID, l.subject, l.part, l.line, l.body)
			}
			in, err := linesOf(tx, stageRows, 5, args)
			if err != nil {
				return err
			}
			var repeats []refusal
			for _, l := range part {
				if c.done++; in[l.line] {
					continue
				}
				var first int64
				var body string
				if err := tx.QueryRow(stagedRow, w.im.ID, l.subject, l.part).Scan(&first, &body); err != nil {
					return err
				}
				if body == l.body {
					c.Same++ // the same twice in one file harms nobody
					continue
				}
				c.done--
				repeats = append(repeats, refusal{l.line, []*errs.Error{ErrDuplicate.With("line", first)}, l.cells})
			}
			c.done += int64(len(repeats))
			return putRefusals(tx, w.im.ID, c, repeats)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pages goes through the staged rows of an import, whole subjects at a time.
func (w *work) pages(ctx context.Context, size int, do func(rows []staged, last bool) error) error {
	var subject, part string
	for {
		var rows []staged
		err := w.s.d.Read(ctx, func(tx *db.Tx) error {
			rows = nil
			mindGrowth(tx)
			found := tx.Query(stagedPage, w.im.ID, subject, part, size+1)
			for found.Next() {
				var r staged
				var of id.ID
				if err := found.Scan(&of, &r.subject, &r.part, &r.line, &r.body); err != nil {
					return err
				}
				if of != w.im.ID {
					break
				}
				rows = append(rows, r)
			}
			return found.Close()
		})
		if err != nil {
			return err
		}
		last := len(rows) <= size
		if !last {
			end := size
			for end > 0 && rows[end-1].subject == rows[size].subject {
				end--
			}
			if end == 0 {
				end = size // one subject alone is larger than a page
			}
			rows = rows[:end]
		}
		if len(rows) > 0 { // do may put them into another order
			subject, part = rows[len(rows)-1].subject, rows[len(rows)-1].part
		}
		if err := do(rows, last); err != nil || last {
			return err
		}
	}
}

func (s *stagedWork) check(ctx context.Context, w *work) error {
	if err := w.enter(ctx, Checking, w.now.Read-w.now.Refused-w.now.Same, nil); err != nil {
		return err
	}
	return w.pages(ctx, stepRows/2, func(rows []staged, last bool) error {
		if len(rows) == 0 {
			return nil
		}
		err := w.s.d.Read(ctx, func(tx *db.Tx) error {
			for i := range rows {
				rows[i].same, rows[i].refused = false, nil
			}
			return s.ops.check(tx, rows)
		})
		if err != nil {
			return err
		}
		return w.step(ctx, func(tx *db.Tx, c *counters) error {
			var refused []refusal
			for i := range rows {
				r := &rows[i]
				c.done++
				switch {
				case r.refused != nil:
					refused = append(refused, w.blindly(r.line, r.refused))
				case r.same:
					c.Same++
				default:
					c.New++
					continue
				}
				if err := tx.Exec(dropRow, w.im.ID, r.subject, r.part); err != nil {
					return err
				}
			}
			return putRefusals(tx, w.im.ID, c, refused)
		})
	})
}

func (s *stagedWork) begin(tx *db.Tx, w *work) (int64, error) { return w.now.New, nil }

func (s *stagedWork) apply(ctx context.Context, w *work) error {
	ended := false
	err := w.pages(ctx, s.rows, func(rows []staged, last bool) error {
		err := s.applyRows(ctx, w, rows, last)
		if err == nil || !isRefusal(err) {
			ended = last
			return err
		}
		// Somebody changed what these rows are about since they were checked: find out which.
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n].subject == rows[0].subject {
				n++
			}
			err := s.applyRows(ctx, w, rows[:n], false)
			if err != nil {
				if !isRefusal(err) {
					return err
				}
				if err := s.refuseLate(ctx, w, rows[:n], errs.As(err)); err != nil {
					return err
				}
			}
			rows = rows[n:]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !ended {
		if err := w.step(ctx, func(tx *db.Tx, c *counters) error { return w.applied(tx, c) }); err != nil {
			return err
		}
	}
	w.im.State = Applied
	return nil
}

// applyRows is one step; the last one ends the import.
func (s *stagedWork) applyRows(ctx context.Context, w *work, rows []staged, last bool) error {
	if s.prepare != nil && len(rows) > 0 {
		if err := w.step(ctx, func(tx *db.Tx, c *counters) error { return s.prepare(tx, w, rows) }); err != nil {
			return err
		}
	}
	return w.step(ctx, func(tx *db.Tx, c *counters) error {
		if len(rows) > 0 {
			if err := s.ops.apply(tx, w, rows); err != nil {
				return err
			}
		}
		for i := range rows {
			if err := tx.Exec(dropRow, w.im.ID, rows[i].subject, rows[i].part); err != nil {
				return err
			}
		}
		c.done += int64(len(rows))
		if last {
			return w.applied(tx, c)
		}
		return nil
	})
}

// refuseLate refuses rows that were good when they were checked.
func (s *stagedWork) refuseLate(ctx context.Context, w *work, rows []staged, why *errs.Error) error {
	return w.step(ctx, func(tx *db.Tx, c *counters) error {
		refused := make([]refusal, len(rows))
		for i := range rows {
			refused[i] = refusal{rows[i].line, []*errs.Error{why}, nil}
			if err := tx.Exec(dropRow, w.im.ID, rows[i].subject, rows[i].part); err != nil {
				return err
			}
		}
		c.New -= int64(len(rows))
		c.done += int64(len(rows))
		return putRefusals(tx, w.im.ID, c, refused)
	})
}
