package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/web"
)

var (
	ErrUploadRunning = errs.Define("upload_running", errs.Conflict, "这个文件正在上传", "This file is being uploaded at the moment")
	ErrUploadsMany   = errs.Define("uploads_many", errs.Limit,
		"有 {most} 个上传的文件还没有导入,请先处理", "{most} uploaded files wait to be imported; deal with them first")
)

const (
	maxUpload  = 256 << 20
	chunkSize  = 256 << 10
	maxWaiting = 20 // uploads of one person that wait to be run
)

type uploadIn struct {
	Kind     string `query:"kind" required:"true" enum:"stores,products,styles,recipes,suppliers,stock,sales,weather,holidays"`
	FileName string `query:"file_name" maxLength:"200"`
}

// upload keeps a file as it comes, in chunks, and looks at it. The same key with the same file is answered again.
func (s *Service) upload(ctx context.Context, in *uploadIn, body io.Reader) (*View, error) {
	k, caller := Kind(in.Kind), org.CallerOf(ctx)
	if err := allowed(ctx, k, Run{}); err != nil {
		return nil, err
	}
	im := &Import{ID: id.New(), Kind: k, FileName: in.FileName, StaffID: caller.ID, worker: s.worker, CreatedAt: clock.Wall.Now()}
	if im.FileName == "" {
		im.FileName = in.Kind + ".csv"
	}
	before, err := s.beginUpload(ctx, im, web.KeyOf(ctx))
	if err != nil {
		return nil, err
	}
	if before != nil {
		return s.sameUpload(ctx, in, before, body)
	}
	if err := s.keep(ctx, im, body); err != nil {
		return nil, s.failUpload(ctx, im.ID, err)
	}
	seen, err := look(ctx, k, s.chunks(im.ID))
	if err != nil {
		return nil, s.failUpload(ctx, im.ID, err)
	}
	im.Head, im.RowsTotal, im.Encoding, im.SHA256, im.Bytes = seen.Head, seen.RowsTotal, seen.Encoding, seen.SHA256, seen.Bytes
	im.Run.Mapping = Suggest(k, im.Head.Columns)
	head, err := json.Marshal(im.Head)
	if err != nil {
		return nil, err
	}
	mapping, err := json.Marshal(im.Run.Mapping)
	if err != nil {
		return nil, err
	}
	err = s.d.Write(ctx, func(tx *db.Tx) error {
		return tx.ExecExactly(1, errLost, `UPDATE intake_import SET state = 'ready', sha256 = $1, bytes = $2, chunks = $3, encoding = $4, head = $5, rows_total = $6, mapping = $7
			WHERE id = $8 AND state = 'uploading' AND worker = $9`, im.SHA256, im.Bytes, im.chunks, im.Encoding, string(head), im.RowsTotal, string(mapping), im.ID, s.worker)
	})
	if err != nil {
		return nil, s.failUpload(ctx, im.ID, err)
	}
	return s.answer(ctx, im.ID)
}

// beginUpload makes the import, or finds the one that the key has made.
func (s *Service) beginUpload(ctx context.Context, im *Import, key string) (before *Import, err error) {
	again := id.ID(0)
	err = s.d.Write(ctx, func(tx *db.Tx) error {
		before, again = nil, 0
		made, err := insert(tx, im, Uploading, &key)
		if err != nil {
			return err
		}
		if made {
			var waiting int
			if err := tx.QueryRow(`SELECT COUNT(*) FROM intake_import WHERE staff_id = $1 AND state IN ('uploading', 'ready')`, im.StaffID).Scan(&waiting); err != nil {
				return err
			}
			if waiting > maxWaiting {
				return ErrUploadsMany.With("most", maxWaiting)
			}
			return nil
		}
		var known id.ID
		if err := tx.QueryRow(`SELECT id FROM intake_import WHERE staff_id = $1 AND upload_key = $2`, im.StaffID, key).Scan(&known); err != nil {
			return err
		}
		if before, err = ByID(tx, known); err != nil || before.State != Uploading {
			return err
		}
		if !s.dead(before, tx.Wall()) {
			return ErrUploadRunning
		}
		again = known // it broke off: the caller sends it once more
		before = nil
		return tx.Exec(`UPDATE intake_import SET kind = $1, file_name = $2, worker = $3, beat_at = $4 WHERE id = $5`, im.Kind, im.FileName, s.worker, tx.Wall(), known)
	})
	if err == nil && again != 0 {
		im.ID = again
		err = s.clearAll(ctx, again, clearChunks)
	}
	return before, err
}

// sameUpload answers a repeated upload, if it is the same file.
func (s *Service) sameUpload(ctx context.Context, in *uploadIn, before *Import, body io.Reader) (*View, error) {
	seen, err := look(ctx, before.Kind, func(context.Context) (io.ReadCloser, error) { return io.NopCloser(body), nil })
	if err != nil {
		return nil, err
	}
	if seen.SHA256 != before.SHA256 || Kind(in.Kind) != before.Kind || in.FileName != "" && in.FileName != before.FileName {
		return nil, once.ErrReused
	}
	web.Replayed(ctx)
	return s.answer(ctx, before.ID)
}

func (s *Service) answer(ctx context.Context, importID id.ID) (v *View, err error) {
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		im, err := ByID(tx, importID)
		if err != nil {
			return err
		}
		v, err = viewOf(ctx, tx, im)
		return err
	})
	return v, err
}

// keep writes the body in chunks, one step each.
func (s *Service) keep(ctx context.Context, im *Import, body io.Reader) error {
	buf := make([]byte, chunkSize)
	for {
		n, err := 0, error(nil)
		for n < len(buf) && err == nil {
			var m int
			m, err = body.Read(buf[n:])
			n += m
		}
		if err != nil && err != io.EOF {
			return err
		}
		if n > 0 {
			began := clock.Wall.Now()
			no := im.chunks
			werr := s.d.Write(ctx, func(tx *db.Tx) error {
				if err := tx.Exec(`INSERT INTO intake_chunk (import_id, no, data) VALUES ($1, $2, $3)`, im.ID, no, buf[:n]); err != nil {
					return err
				}
				return tx.ExecExactly(1, errLost, `UPDATE intake_import SET beat_at = $1 WHERE id = $2 AND state = 'uploading' AND worker = $3`, tx.Wall(), im.ID, s.worker)
			})
			if werr != nil {
				return werr
			}
			im.chunks++
			s.pace(ctx, clock.Wall.Now().Sub(began))
		}
		if err == io.EOF {
			return nil
		}
	}
}

const clearChunks = `DELETE FROM intake_chunk WHERE import_id = $1 AND no IN (SELECT no FROM intake_chunk WHERE import_id = $1 ORDER BY no LIMIT 8)`

// failUpload removes what has arrived of a file that can't be taken.
func (s *Service) failUpload(ctx context.Context, importID id.ID, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := s.dropUpload(ctx, importID); err != nil {
		s.log.Warn("a broken upload can't be removed; it will be later", "import", importID, "err", err)
	}
	return why
}

// dropUpload removes an upload that never became an import.
func (s *Service) dropUpload(ctx context.Context, importID id.ID) error {
	if err := s.clearAll(ctx, importID, clearChunks); err != nil {
		return err
	}
	return s.d.Write(ctx, func(tx *db.Tx) error {
		return tx.Exec(`DELETE FROM intake_import WHERE id = $1 AND state = 'uploading'`, importID)
	})
}

// chunks is the source of an uploaded file.
func (s *Service) chunks(importID id.ID) source {
	return func(ctx context.Context) (io.ReadCloser, error) {
		return &chunkReader{ctx: ctx, s: s, importID: importID}, nil
	}
}

type chunkReader struct {
	ctx      context.Context
	s        *Service
	importID id.ID
	no       int64
	now      bytes.Reader
}

func (r *chunkReader) Read(p []byte) (int, error) {
	for r.now.Len() == 0 {
		var data []byte
		err := r.s.d.Read(r.ctx, func(tx *db.Tx) error {
			return tx.QueryRow(`SELECT data FROM intake_chunk WHERE import_id = $1 AND no = $2`, r.importID, r.no).Scan(&data)
		})
		if errors.Is(err, db.ErrNoRow) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		r.no++
		r.now.Reset(data)
	}
	return r.now.Read(p)
}

func (r *chunkReader) Close() error { return nil }
