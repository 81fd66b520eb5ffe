package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// ErrOpen says that a file on this machine can't be read.
var ErrOpen = errs.Define("file_unreadable", errs.Invalid, "无法读取文件 {file}", "The file {file} can't be read")

const (
	sampleRows  = 20
	sampleCells = 120 // characters of a cell in the sample
)

// look reads a file once from end to end: its columns, a sample, how many rows, its hash.
func look(ctx context.Context, k Kind, open source) (*Import, error) {
	file, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	count := &counter{}
	raw := io.TeeReader(file, io.MultiWriter(hash, count))
	r, err := openTable(k, raw)
	if err != nil {
		return nil, err
	}
	if at, err := match(k, r.Header(), Suggest(k, r.Header())); err == nil {
		r.know(k, at)
	}
	im := &Import{Kind: k, Head: Head{Columns: r.Header(), Sample: [][]string{}}}
	for {
		row, err := r.Next()
		var bad *csvx.RowError
		if err == io.EOF {
			break
		}
		if err != nil && !errors.As(err, &bad) {
			return nil, err
		}
		if im.RowsTotal++; err == nil && len(im.Head.Sample) < sampleRows {
			cells := make([]string, len(row.Fields))
			for i, cell := range row.Fields {
				if short := []rune(cell); len(short) > sampleCells {
					cell = string(short[:sampleCells]) + "…"
				}
				cells[i] = cell
			}
			im.Head.Sample = append(im.Head.Sample, cells)
		}
		if im.RowsTotal%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if im.RowsTotal == 0 {
		return nil, csvx.ErrEmpty
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return nil, err
	}
	im.Encoding, im.Bytes, im.SHA256 = r.Encoding(), count.n, hex.EncodeToString(hash.Sum(nil))
	return im, nil
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// File imports a file of this machine, for whoever runs the command. Imports that a dead process left behind are
// finished or dropped first. shown is told of every step. The error is the refusal of the file, or what broke;
// refused rows are no error.
func (s *Service) File(ctx context.Context, k Kind, path string, run Run, shown func(*Import)) (*Import, error) {
	if !slices.Contains(Kinds, k) {
		return nil, ErrKind.With("kind", k)
	}
	if run.Mode != All && run.Mode != Good {
		return nil, ErrMode.At("mode")
	}
	if err := s.Recover(ctx); err != nil {
		return nil, err
	}
	open := func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, ErrOpen.With("file", path).Wrap(err)
		}
		return f, nil
	}
	im, err := look(ctx, k, open)
	if err != nil {
		return nil, err
	}
	if _, err := match(k, im.Head.Columns, run.Mapping); err != nil {
		return im, err
	}
	im.ID, im.FileName, im.Run, im.worker = id.New(), filepath.Base(path), run, s.worker
	if err := s.d.Write(ctx, func(tx *db.Tx) error {
		_, err := insert(tx, im, Ready, nil)
		return err
	}); err != nil {
		return im, err
	}
	w, err := s.take(ctx, im.ID, Ready)
	if err != nil {
		return im, err
	}
	w.shown = shown
	if err := w.perform(ctx, open); err != nil {
		return w.im, err
	}
	if im, err = s.byID(ctx, im.ID); err != nil {
		return im, err
	}
	if im.Problem != nil {
		return im, im.Problem
	}
	return im, nil
}

// Error makes the stored refusal of a file an error again.
func (p *Problem) Error() string { return p.Code + ": " + p.EN }

// Recover finishes what was decided and drops what was not, of imports whose process has died. It runs at the
// start of a server, from time to time, and before an import on the command line.
func (s *Service) Recover(ctx context.Context) error {
	var open []*Import
	err := s.d.Read(ctx, func(tx *db.Tx) (err error) {
		open, err = scanImports(tx.Query(openImports))
		return err
	})
	if err != nil {
		return err
	}
	for _, im := range open {
		if !s.dead(im, clock.Wall.Now()) {
			continue
		}
		switch {
		case im.State == Applying:
			err = s.finish(ctx, im.ID)
		case im.State == Uploading:
			err = s.dropUpload(ctx, im.ID)
		default:
			err = s.dropRun(ctx, im)
		}
		if err != nil && !isRefusal(err) && !errors.Is(err, errLost) {
			return err
		}
	}
	return nil
}

// dropRun ends an import that broke off before it was decided, unless its job will take it up again.
func (s *Service) dropRun(ctx context.Context, im *Import) error {
	problem, err := json.Marshal(problemOf(ErrBroken))
	if err != nil {
		return err
	}
	var dropped bool
	err = s.d.Write(ctx, func(tx *db.Tx) error {
		dropped = false
		if alive, err := jobAlive(tx, im.JobID); err != nil || alive {
			return err
		}
		dropped = true
		return tx.ExecExactly(1, errLost, `UPDATE intake_import SET state = 'failed', run_no = run_no + 1, error = $1, rows_new = 0, rows_same = 0, cancel_asked = 0, ended_at = $2
			WHERE id = $3 AND run_no = $4 AND state IN ('reading', 'checking')`, string(problem), tx.Wall(), im.ID, im.runNo)
	})
	if err != nil || !dropped {
		return err
	}
	return s.clearStage(ctx, im.ID)
}

// --- the list of refused rows

// RefusedRow is one row that was refused.
type RefusedRow struct {
	Line    int64    `json:"line"`
	Field   string   `json:"field" doc:"column of the first thing that is wrong"`
	Code    string   `json:"code"`
	Message string   `json:"message" doc:"all that is wrong with the row"`
	Cells   []string `json:"cells" doc:"the row as it was read"`
}

// refusedRows reads refused rows behind a line.
func refusedRows(tx *db.Tx, importID id.ID, after int64, limit int, lang string) ([]RefusedRow, error) {
	rows := tx.Query(`SELECT line, field, code, zh, en, cells FROM intake_refusal WHERE import_id = $1 AND line > $2 ORDER BY line LIMIT $3`, importID, after, limit)
	defer rows.Close()
	all := []RefusedRow{}
	for rows.Next() {
		var r RefusedRow
		var zh, en, cells string
		if err := rows.Scan(&r.Line, &r.Field, &r.Code, &zh, &en, &cells); err != nil {
			return nil, err
		}
		if r.Message = en; lang == "zh" {
			r.Message = zh
		}
		if err := json.Unmarshal([]byte(cells), &r.Cells); err != nil {
			return nil, err
		}
		if r.Cells == nil {
			r.Cells = []string{}
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// WriteRefused writes the refused rows as CSV: line, field, code, message, and the columns of the file, so that a
// person corrects the cells and imports the list itself.
func (s *Service) WriteRefused(ctx context.Context, im *Import, lang string, to io.Writer) error {
	out := csvx.NewWriter(to)
	columns, skip := im.Head.Columns, 0
	if isRefusedList(columns) { // the list of a list: its own first columns are not repeated
		skip = len(refusedHead)
	}
	head := append(append([]string{}, refusedHead...), columns[skip:]...)
	if err := out.Write(head...); err != nil {
		return err
	}
	for after := int64(0); ; {
		var rows []RefusedRow
		err := s.d.Read(ctx, func(tx *db.Tx) (err error) {
			rows, err = refusedRows(tx, im.ID, after, 500, lang)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			cells := make([]string, len(columns))
			copy(cells, r.Cells)
			if skip > 0 {
				for i := range cells {
					cells[i] = csvx.Unsafe(cells[i])
				}
			}
			line := append([]string{id.ID(r.Line).String(), r.Field, r.Code, r.Message}, cells[skip:]...)
			if err := out.Write(line...); err != nil {
				return err
			}
			after = r.Line
		}
		if len(rows) == 0 {
			return out.Flush()
		}
	}
}
