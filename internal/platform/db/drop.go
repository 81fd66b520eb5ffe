package db

import (
	"context"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// tablesOf are the tables that the migrations of the packages have made.
func (d *DB) tablesOf(sets []Migrations) ([]string, error) {
	made := regexp.MustCompile(`(?i)\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([a-z_0-9]+)`)
	var names []string
	for _, s := range sets {
		names = append(names, s.Package+versionSuffix)
		entries, err := fs.ReadDir(s.FS, "migrations")
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			text, err := fs.ReadFile(s.FS, path.Join("migrations", e.Name()))
			if err != nil {
				return nil, err
			}
			for _, m := range made.FindAllStringSubmatch(string(text), -1) {
				names = append(names, m[1])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Drop removes the tables of the packages with all that is in them, in one transaction. It is the opposite of
// Migrate, and nothing that a server may work on.
func (d *DB) Drop(ctx context.Context, sets ...Migrations) error {
	names, err := d.tablesOf(sets)
	if err != nil {
		return err
	}
	h, release, err := d.migrationHandle(ctx)
	if err != nil {
		return err
	}
	defer release()
	conn, err := h.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	drop := []string{`DROP TABLE IF EXISTS ` + strings.Join(names, ", ") + ` CASCADE`}
	if d.engine == SQLite {
		drop = nil
		for _, n := range names {
			drop = append(drop, `DROP TABLE IF EXISTS `+n)
		}
		if _, err := conn.ExecContext(ctx, `PRAGMA foreign_keys = OFF`); err != nil {
			return err
		}
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, text := range drop {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if d.engine == SQLite { // give the room back
		_, err = conn.ExecContext(ctx, `VACUUM`)
	}
	return err
}

// HasTable tells whether there is such a table, before anything is migrated.
func (d *DB) HasTable(ctx context.Context, name string) (bool, error) {
	q := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if d.engine == Postgres {
		q = `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`
	}
	var n int64
	err := d.Read(ctx, func(tx *Tx) error { return tx.QueryRow(q, name).Scan(&n) }) //allow:sql one of the two texts above
	return n > 0, err
}
