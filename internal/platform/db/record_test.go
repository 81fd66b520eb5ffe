package db_test

import (
	"context"
	"errors"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

func TestAnActsWritesCanBeReplayedWithoutItsReads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		ctx := context.Background()
		err := d.Write(ctx, func(tx *db.Tx) error {
			return tx.Exec(`CREATE TABLE thing (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`)
		})
		if err != nil {
			t.Fatal(err)
		}
		type statement struct {
			sql  string
			args []any
		}
		var tape []statement
		enough := errors.New("only rehearsing")
		act := func(tx *db.Tx) error {
			var n int64
			if err := tx.QueryRow(`SELECT COUNT(*) FROM thing`).Scan(&n); err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO thing (id, n) VALUES ($1, $2), ($3, $4)`, 1, n, 2, n); err != nil {
				return err
			}
			if err := tx.QueryRow(`UPDATE thing SET n = n + 1 WHERE id = $1 RETURNING n`, 2).Scan(&n); err != nil {
				return err
			}
			return tx.ExecExactly(1, enough, `DELETE FROM thing WHERE id = $1`, 1)
		}
		err = d.Write(ctx, func(tx *db.Tx) error {
			tape = nil
			tx.Record(func(sql string, args []any) { tape = append(tape, statement{sql, args}) })
			return errors.Join(act(tx), enough)
		})
		if !errors.Is(err, enough) || len(tape) != 3 {
			t.Fatalf("%d statements, %v", len(tape), err)
		}
		var written int64
		err = d.Write(ctx, func(tx *db.Tx) error {
			tx.AfterCommit(func() { written = tx.Written() })
			for _, s := range tape {
				if err := tx.Exec(s.sql, s.args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || written != 4 {
			t.Fatalf("%d rows written, want 4: %v", written, err)
		}
		var id, n int64
		err = d.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(`SELECT id, n FROM thing`).Scan(&id, &n) })
		if err != nil || id != 2 || n != 1 {
			t.Fatalf("the replay left %d %d, %v", id, n, err)
		}
	})
}
