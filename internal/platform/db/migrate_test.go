package db_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

func files(texts ...string) fstest.MapFS {
	fs := fstest.MapFS{}
	for i := 0; i+1 < len(texts); i += 2 {
		fs["migrations/"+texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return fs
}

func set(pkg string, texts ...string) db.Migrations {
	return db.Migrations{Package: pkg, FS: files(texts...)}
}

func TestMigrationsRunOnceAndInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		lower := set("a", "001_one.sql", "CREATE TABLE a_thing (id BIGINT PRIMARY KEY);")
		upper := set("b", "001_one.sql", "CREATE TABLE b_thing (id BIGINT PRIMARY KEY, a_id BIGINT NOT NULL REFERENCES a_thing (id));\nINSERT INTO a_thing (id) VALUES (1);")
		for range 2 {
			if err := d.Migrate(t.Context(), lower, upper); err != nil {
				t.Fatal(err)
			}
		}
		grown := set("b", "001_one.sql", "SELECT 1;", "002_two.sql", "INSERT INTO b_thing (id, a_id) VALUES (1, 1);")
		d2, err := db.Open(t.Context(), d.DSN, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer d2.Close()
		for range 2 {
			if err := d2.Migrate(t.Context(), lower, grown); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, d, "SELECT COUNT(*) FROM b_thing"); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestANewerSchemaIsRefusedAndLeftAlone(t *testing.T) {
	one := set("a", "001_one.sql", "CREATE TABLE a_thing (id BIGINT PRIMARY KEY);")
	two := set("a", "001_one.sql", "CREATE TABLE a_thing (id BIGINT PRIMARY KEY);", "002_two.sql", "CREATE TABLE a_more (id BIGINT PRIMARY KEY);")
	other := set("b", "001_one.sql", "CREATE TABLE b_thing (id BIGINT PRIMARY KEY);")
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		open := func(sets ...db.Migrations) error {
			h, err := db.Open(t.Context(), d.DSN, db.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			return h.Migrate(t.Context(), sets...)
		}
		if err := open(two); err != nil {
			t.Fatal(err)
		}
		if err := d.Current(t.Context(), two); err != nil {
			t.Fatalf("a database as this program has it: %v", err)
		}
		if err := d.Current(t.Context(), one); !errors.Is(err, db.ErrNewerSchema) {
			t.Fatalf("read by an older program: %v", err)
		}
		if err := d.Current(t.Context(), two, other); !errors.Is(err, db.ErrOlderSchema) || !strings.Contains(err.Error(), "(b at 0)") {
			t.Fatalf("read by a newer program: %v", err)
		}
		err := open(other, one)
		if !errors.Is(err, db.ErrNewerSchema) || !strings.Contains(err.Error(), "(a at 2)") {
			t.Fatalf("got %v", err)
		}
		if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.Query("SELECT id FROM b_thing").Err() }); err == nil {
			t.Fatal("the refused program has changed the schema")
		}
		if err := open(two, other); err != nil {
			t.Fatal(err)
		}
		if err := open(two); !errors.Is(err, db.ErrNewerSchema) || !strings.Contains(err.Error(), "(b at") {
			t.Fatalf("a package that this program does not have: got %v", err)
		}
	})
}

func TestNodesThatStartTogetherMigrateOnce(t *testing.T) {
	m := set("a", "001_one.sql", "CREATE TABLE a_thing (id BIGINT PRIMARY KEY);", "002_row.sql", "INSERT INTO a_thing (id) VALUES (1);")
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				h, err := db.Open(t.Context(), d.DSN, db.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				defer h.Close()
				if err := h.Migrate(t.Context(), m); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d, "SELECT COUNT(*) FROM a_thing"); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestAMigrationHappensWholeOrNotAtAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		torn := set("a", "001_one.sql", "CREATE TABLE a_thing (id BIGINT PRIMARY KEY);\nINSERT INTO a_nothing (id) VALUES (1);")
		if err := d.DB.Migrate(t.Context(), torn); err == nil {
			t.Fatal("a torn migration was accepted")
		}
		whole := set("a", "001_one.sql", "CREATE TABLE a_thing (id BIGINT PRIMARY KEY);")
		if err := d.DB.Migrate(t.Context(), whole); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMalformedMigrationsAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		for name, m := range map[string]db.Migrations{
			"none":       set("a"),
			"no number":  set("a", "one.sql", "SELECT 1;"),
			"same twice": set("a", "001_one.sql", "SELECT 1;", "001_two.sql", "SELECT 1;"),
			"marks":      set("a", "001_one.sql", "-- +goose Down\nDROP TABLE x;"),
		} {
			if err := d.DB.Migrate(t.Context(), m); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	})
}

// One text, and on SQLite strict types, a whole-number key, and semicolons only where they end something.
func TestOneTextServesBothEngines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *dbtest.DB) {
		if err := d.Migrate(t.Context(), set("a",
			"001_one.sql", `-- a note; with a semicolon
CREATE TABLE a_thing (
	id BIGINT PRIMARY KEY, -- and; another
	ok BOOLEAN NOT NULL, f DOUBLE PRECISION NOT NULL, b BYTEA NOT NULL, n SMALLINT NOT NULL, t TEXT NOT NULL,
	CONSTRAINT a_thing_n CHECK (n > 0)
);
CREATE INDEX a_thing_t ON a_thing (t) WHERE ok;`,
			"002_only.pg.sql", "CREATE TABLE a_pg (id BIGINT PRIMARY KEY);",
			"002_only.sqlite.sql", "CREATE TABLE a_sqlite (id BIGINT PRIMARY KEY);")); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d, "SELECT COUNT(*) FROM a_"+map[db.Engine]string{db.SQLite: "sqlite", db.Postgres: "pg"}[d.Engine()]); n != 0 {
			t.Fatal("unexpected row")
		}
		insert := func(ok, n, text any) error {
			return d.Write(t.Context(), func(tx *db.Tx) error {
				return tx.Exec("INSERT INTO a_thing (id, ok, f, b, n, t) VALUES ($1, $2, 0.5, $3, $4, $5)", 1, ok, []byte("x"), n, text)
			})
		}
		if err := insert(true, "seven", "x"); err == nil {
			t.Error("a text became a number")
		}
		if err := insert(true, 0, "x"); !db.Violates(err, "a_thing_n") {
			t.Errorf("got %v", err)
		}
		if err := insert(true, 1, "x"); err != nil {
			t.Error(err)
		}
	})
}
