package db

import (
	"context"
	"database/sql"
	"strings"
)

// SchemaVersion says how far a package's tables are.
type SchemaVersion struct {
	Package  string `json:"package"`
	At, Want int64
}

// Schema compares the database with the given packages without changing anything: At 0 is a package
// whose tables are not there yet, Want 0 one that this program does not have.
func (d *DB) Schema(ctx context.Context, sets ...Migrations) ([]SchemaVersion, error) {
	handle, release, err := d.migrationHandle(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	there, err := versionTables(ctx, handle, d.engine)
	if err != nil {
		return nil, err
	}
	var all []SchemaVersion
	for _, s := range sets {
		steps, err := s.steps(d.engine)
		if err != nil {
			return nil, err
		}
		v := SchemaVersion{Package: s.Package}
		if len(steps) > 0 {
			v.Want = steps[len(steps)-1].Version
		}
		if there[s.Package] {
			// The name is a package's own, not a user's.
			if err := handle.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+s.Package+versionSuffix).Scan(&v.At); err != nil {
				return nil, err
			}
		}
		delete(there, s.Package)
		all = append(all, v)
	}
	for pkg := range there {
		all = append(all, SchemaVersion{Package: pkg, At: 1})
	}
	return all, nil
}

// Current is nil when the database is exactly as this program has it, and else ErrNewerSchema or ErrOlderSchema. It is
// for commands that read without migrating.
func (d *DB) Current(ctx context.Context, sets ...Migrations) error {
	all, err := d.Schema(ctx, sets...)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.At > v.Want {
			return ErrNewerSchema.With("package", v.Package, "version", v.At)
		}
	}
	for _, v := range all {
		if v.At < v.Want {
			return ErrOlderSchema.With("package", v.Package, "version", v.At)
		}
	}
	return nil
}

// versionTables names the packages that have tables here.
func versionTables(ctx context.Context, h *sql.DB, e Engine) (map[string]bool, error) {
	q := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if e == Postgres {
		q = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	rows, err := h.QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	there := map[string]bool{}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, err
		}
		if pkg, ok := strings.CutSuffix(table, versionSuffix); ok {
			there[pkg] = true
		}
	}
	return there, rows.Err()
}
