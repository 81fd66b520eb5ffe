package db_test

import (
	"testing"
	"testing/fstest"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

var schema = db.Migrations{Package: "shelf", FS: fstest.MapFS{"migrations/001_shelf.sql": {Data: []byte(`
CREATE TABLE shelf_item (
	id BIGINT PRIMARY KEY,
	name TEXT NOT NULL,
	left_qty BIGINT NOT NULL,
	note TEXT,
	CONSTRAINT shelf_item_left CHECK (left_qty >= 0)
);
CREATE UNIQUE INDEX shelf_item_name ON shelf_item(name);
`)}}}

func TestSmoke(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := tx.Exec("INSERT INTO shelf_item(id, name, left_qty) VALUES ($1, $2, $3)", 1, "tea", 5); err != nil {
				return err
			}
			var n int
			var note *string
			if err := tx.QueryRow("SELECT left_qty, note FROM shelf_item WHERE id = $1", 1).Scan(&n, &note); err != nil {
				return err
			}
			if n != 5 || note != nil {
				t.Errorf("got %d %v", n, note)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Exec("UPDATE shelf_item SET left_qty = left_qty - $1 WHERE id = $2", 9, 1)
		})
		if !db.Violates(err, "shelf_item_left") {
			t.Fatalf("got %v", err)
		}
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			return tx.Exec("INSERT INTO shelf_item(id, name, left_qty) VALUES ($1, $2, $3)", 2, "tea", 5)
		})
		if !db.Violates(err, "shelf_item_name") {
			t.Fatalf("got %v", err)
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			rows := tx.Query("SELECT id, name FROM shelf_item ORDER BY id")
			k := 0
			for rows.Next() {
				var id int64
				var name string
				if err := rows.Scan(&id, &name); err != nil {
					return err
				}
				k++
			}
			if k != 1 {
				t.Errorf("%d rows", k)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
	}, dbtest.With(schema))
}
