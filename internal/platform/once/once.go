// Package once gives a repeated request its first answer. The caller makes a key and keeps it before it
// sends; the answer is stored in the transaction of the act, so that either both are there or neither.
package once

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

//go:embed migrations
var files embed.FS

// Migrations of this package.
var Migrations = db.Migrations{Package: "once", FS: files}

// ErrReused refuses a key that came before with other content.
var ErrReused = errs.Define("key_reused", errs.Invalid,
	"这个请求号已用于另一项内容", "This request key was already used for something else")

// Keep is how long a key is remembered.
const Keep = 30 * 24 * time.Hour

const (
	find   = `SELECT body_hash, answer FROM once_key WHERE key_hash = $1`
	insert = `INSERT INTO once_key (id, key_hash, body_hash, answer, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key_hash) DO NOTHING`
	fill   = `UPDATE once_key SET answer = $1 WHERE id = $2`
	purge  = `DELETE FROM once_key WHERE id IN (SELECT id FROM once_key ORDER BY id LIMIT $1) AND at < $2`
)

// Hash is the hash of a request's content, as Do compares it.
func Hash(content []byte) []byte {
	h := sha256.Sum256(content)
	return h[:16]
}

// Do runs fn, unless scope (principal and route) has already had the key: then it gives the first answer
// again, or ErrReused when the content differs. Only a success is kept; a refusal changed nothing and may
// be tried again. A twin that is still running is waited for.
//
// It costs one statement before fn and one after. On SQLite, where acts run one by one, the key is looked
// up before and stored with its answer after. On PostgreSQL the key is stored first, queued so that it
// travels with fn's own first question: a twin waits for it there. When it turns out to exist, the act is
// run again from the start and then looks it up.
func Do(tx *db.Tx, scope, key string, bodyHash []byte, fn func() ([]byte, error)) (answer []byte, replayed bool, err error) {
	sum := sha256.Sum256([]byte(scope + "\x00" + key))
	keyHash := sum[:16]
	storeFirst := tx.Engine() == db.Postgres
	if tx.Attempt() > 1 || !storeFirst {
		var was []byte
		switch err := tx.QueryRow(find, keyHash).Scan(&was, &answer); {
		case err == nil && !bytes.Equal(was, bodyHash):
			return nil, false, ErrReused
		case err == nil:
			return answer, true, nil
		case !errors.Is(err, db.ErrNoRow):
			return nil, false, err
		}
	}
	row, at := id.New(), tx.Wall()
	if storeFirst {
		if err := tx.ExecExactly(1, db.ErrAgain, insert, row, keyHash, bodyHash, []byte{}, at); err != nil {
			return nil, false, err
		}
	}
	answer, err = fn()
	switch {
	case err != nil && storeFirst:
		// A refusal counts only when the key is known to be new: a twin may have made it untrue.
		if lost := tx.Flush(); errors.Is(lost, db.ErrAgain) {
			err = lost
		}
		return nil, false, err
	case err != nil:
		return nil, false, err
	case answer == nil:
		answer = []byte{}
	}
	if storeFirst {
		err = tx.Exec(fill, answer, row)
	} else {
		err = tx.ExecExactly(1, db.ErrAgain, insert, row, keyHash, bodyHash, answer, at)
	}
	return answer, false, err
}

// Purge forgets keys older than Keep, in short steps that let others in between, and returns how many.
func Purge(ctx context.Context, d *db.DB, now time.Time) (int64, error) {
	const step = 500
	var total int64
	for {
		var n int64
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			n, err = tx.ExecN(purge, step, now.Add(-Keep))
			return err
		})
		total += n
		if err != nil || n < step {
			return total, err
		}
	}
}
