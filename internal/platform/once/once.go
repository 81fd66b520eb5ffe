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
	first  = `INSERT INTO once_key (id, key_hash, body_hash, answer, at) VALUES ($1, $2, $3, $4, $5)`
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
// It costs one statement: on SQLite, where acts run one by one, the key is looked up first; everywhere it
// is stored with its answer as the act's last row. On PostgreSQL a twin is met there and waited for; the
// act is then run again from the start, and a second run looks the key up first. So does an act that was
// refused, since a twin may have made the refusal untrue.
func Do(tx *db.Tx, scope, key string, bodyHash []byte, fn func() ([]byte, error)) (answer []byte, replayed bool, err error) {
	sum := sha256.Sum256([]byte(scope + "\x00" + key))
	keyHash := sum[:16]
	if tx.Attempt() > 1 || tx.Engine() == db.SQLite {
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
	tx.Doubt()
	answer, err = fn()
	if err != nil {
		return nil, false, refused(tx, keyHash, bodyHash, err)
	}
	if answer == nil {
		answer = []byte{}
	}
	if tx.Engine() == db.Postgres && tx.Attempt() == 1 {
		// A twin's row breaks the rule of the index, and what is in doubt runs again. No count has to be compared.
		return answer, false, tx.Exec(first, id.New(), keyHash, bodyHash, answer, tx.Wall())
	}
	return answer, false, tx.ExecExactly(1, db.ErrAgain, insert, id.New(), keyHash, bodyHash, answer, tx.Wall())
}

// refused is what an act that failed comes to. On PostgreSQL its failure counts only when the key is new, and
// nothing has looked at the key yet: storing it, in a transaction that will not be committed, waits for a
// twin that is still running. A transaction that is dead already can't ask; Doubt lets the act run again and look first.
func refused(tx *db.Tx, keyHash, bodyHash []byte, why error) error {
	if tx.Engine() != db.Postgres || tx.Context().Err() != nil {
		return why
	}
	if tx.Err() != nil {
		return why
	}
	if tx.ExecExactly(1, db.ErrAgain, insert, id.New(), keyHash, bodyHash, []byte{}, tx.Wall()) == nil {
		tx.Flush()
	}
	if lost := tx.Err(); lost != nil {
		return lost
	}
	return why
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
