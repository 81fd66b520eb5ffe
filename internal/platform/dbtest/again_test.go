package dbtest_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

var shelf = dbtest.With(db.Migrations{Package: "shelf", FS: fstest.MapFS{"migrations/001_shelf.sql": {Data: []byte(`
CREATE TABLE shelf_version (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, note TEXT NOT NULL);
INSERT INTO shelf_version (id, version, note) VALUES (1, 9007199254740993, 'it''s the first');
INSERT INTO shelf_version (id, version, note) VALUES (2, 0, '{"b": "货架"}');
CREATE TABLE shelf_box (id BIGINT PRIMARY KEY);
`)}}})

func onShelf(t *testing.T, d *dbtest.DB) (all []string) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		rows := tx.Query(`SELECT id, version, note FROM shelf_version UNION ALL SELECT id, 0, 'box' FROM shelf_box ORDER BY id`)
		for rows.Next() {
			var id, version int64
			var note string
			if err := rows.Scan(&id, &version, &note); err != nil {
				return err
			}
			all = append(all, fmt.Sprint(id, " ", version, " ", note))
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// A test never sees what another left, also where the one before changed what the migrations had put there.
func TestADatabaseThatIsGivenOnIsAsFreshAsTheFirst(t *testing.T) {
	fresh := []string{"1 9007199254740993 it's the first", `2 0 {"b": "货架"}`}
	var names []string
	for range 3 {
		t.Run("one after the other", func(t *testing.T) {
			d := dbtest.New(t, db.Postgres, shelf)
			names = append(names, d.DSN)
			if got := onShelf(t, d); !slices.Equal(got, fresh) {
				t.Errorf("on the shelf at first: %q, wanted %q", got, fresh)
			}
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				if err := tx.Exec(`UPDATE shelf_version SET version = version + 1, note = 'changed'`); err != nil {
					return err
				}
				if err := tx.Exec(`DELETE FROM shelf_version WHERE id = 2`); err != nil {
					return err
				}
				return tx.Exec(`INSERT INTO shelf_box (id) VALUES (3)`)
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if names[0] != names[1] || names[1] != names[2] {
		t.Errorf("no database was given on: %q", names)
	}
}
