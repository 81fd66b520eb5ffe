// Package outbox carries news of what happened. An act writes an event in its own transaction; the
// relay makes a delivery for each subscriber; each subscriber handles it in its own transaction, exactly
// once, in the order of events of one subject. A Tail shows fresh events to live screens and caches.
package outbox

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

//go:embed migrations
var files embed.FS

// Migrations of this package.
var Migrations = db.Migrations{Package: "outbox", FS: files}

// Event says what happened, by ids and quantities; who needs more reads it. Type carries a version, as
// in till.sold.v1, and lives with its publisher.
type Event struct {
	ID      id.ID
	Type    string
	Subject id.ID // order is promised among events of one subject
	Site    id.ID // 0 when no site is meant
	Body    any   // what Emit writes as JSON
	JSON    []byte
	At      time.Time // business instant
}

// Unmarshal reads the body of a received event.
func (e Event) Unmarshal(into any) error {
	if err := json.Unmarshal(e.JSON, into); err != nil {
		return fmt.Errorf("outbox: body of %s %s: %w", e.Type, e.ID, err)
	}
	return nil
}

const (
	maxBody = 64 << 10

	insertEvent = `INSERT INTO outbox_event (id, type, subject, site, body, at, relayed) VALUES ($1, $2, $3, $4, $5, $6, 0)`
	columns     = `e.id, e.type, e.subject, e.site, e.body, e.at`
)

// Emit writes the event in the act's transaction: it is news exactly when the act commits.
func Emit(tx *db.Tx, e Event) error {
	body, err := json.Marshal(e.Body)
	if err != nil {
		return err
	}
	if e.Type == "" || len(body) > maxBody {
		return fmt.Errorf("outbox: an event needs a type and a body of at most %d bytes; %q has %d", maxBody, e.Type, len(body))
	}
	return tx.Exec(insertEvent, id.New(), e.Type, e.Subject, e.Site, string(body), tx.Now())
}

func scan(rows *db.Rows) (Event, error) {
	var e Event
	err := rows.Scan(&e.ID, &e.Type, &e.Subject, &e.Site, &e.JSON, &e.At)
	return e, err
}

// Purge removes events that were made before the instant (wall time) and that every subscriber has
// handled, in short steps that let others in between.
func Purge(ctx context.Context, d *db.DB, before time.Time) (int64, error) {
	const step = 500
	var total int64
	after, limit := id.ID(0), madeAt(before)
	for {
		var seen, n int64
		last := after
		err := d.Write(ctx, func(tx *db.Tx) error {
			seen, n, last = 0, 0, after
			rows := tx.Query(purgeable, after, limit, step)
			var gone []any
			for rows.Next() {
				var open int64
				if err := rows.Scan(&last, &open); err != nil {
					return err
				}
				seen++
				if open == 0 {
					gone = append(gone, last)
				}
			}
			if err := rows.Err(); err != nil {
				return err
			}
			n = int64(len(gone))
			return tx.ExecMany(deleteEvents, gone...)
		})
		total += n
		if err != nil || seen < step {
			return total, err
		}
		after = last
	}
}

const purgeable = `SELECT e.id, CASE WHEN e.relayed = 0 OR EXISTS (SELECT 1 FROM outbox_delivery d WHERE d.event_id = e.id) THEN 1 ELSE 0 END
	FROM outbox_event e WHERE e.id > $1 AND e.id < $2 ORDER BY e.id LIMIT $3`

var deleteEvents = db.NewMany(`DELETE FROM outbox_event WHERE id IN (`, "?", `)`)

// madeAt is the smallest id that can be made at the wall instant: ids hold their millisecond above 22
// bits that count.
func madeAt(t time.Time) id.ID {
	now := id.New()
	ms := int64(now)>>22 + t.UnixMilli() - now.Time().UnixMilli()
	return id.ID(max(ms, 0) << 22)
}
