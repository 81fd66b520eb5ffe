package dbtest

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A database costs PostgreSQL half a second of a processor, a test often less. So one that a test has left is emptied
// and given to the next of the same schema, if nothing but rows has changed in it.

// template is what is true of every fresh copy of it.
type template struct {
	schema string            // a fingerprint of everything but rows
	seeded map[string]string // tables that the migrations put rows into, with these rows as JSON
	free   []string          // databases that are as fresh
}

const schemaPrint = `SELECT md5(concat_ws('|',
	(SELECT string_agg(concat_ws(',', relname, relkind, relnatts, relchecks, relhastriggers, relrowsecurity, reloptions), ';' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
	(SELECT string_agg(concat_ws(',', conrelid::regclass, conname, contype, convalidated), ';' ORDER BY conrelid::regclass::text, conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
	(SELECT string_agg(concat_ws(',', attrelid::regclass, attname, atttypid, attnotnull, atthasdef), ';' ORDER BY attrelid::regclass::text, attnum) FROM pg_attribute
		WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')),
	(SELECT string_agg(indexrelid::regclass::text || indisunique || indisvalid, ';' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indexrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)),
	(SELECT string_agg(proname, ';' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
	(SELECT string_agg(tgname || tgenabled::text, ';' ORDER BY tgname, tgrelid) FROM pg_trigger WHERE NOT tgisinternal),
	(SELECT string_agg(nspname, ';' ORDER BY nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%'),
	(SELECT string_agg(setconfig::text, ';') FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))))`

// filled lists the tables that have rows.
func filled(ctx context.Context, c *pgx.Conn) ([]string, error) {
	var ask string
	err := c.QueryRow(ctx, `SELECT COALESCE(string_agg(format('SELECT %L WHERE EXISTS (SELECT 1 FROM %I)', relname, relname), ' UNION ALL '), 'SELECT '''' WHERE false')
		FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`).Scan(&ask)
	if err != nil {
		return nil, err
	}
	rows, err := c.Query(ctx, ask)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// rowsOf are the rows of a table as JSON, in an order of their own.
func rowsOf(ctx context.Context, c *pgx.Conn, table string) (rows string, err error) {
	t := pgx.Identifier{table}.Sanitize()
	err = c.QueryRow(ctx, `SELECT COALESCE(jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)), '[]')::text FROM `+t+` AS x`).Scan(&rows)
	return rows, err
}

// look describes a fresh copy of the template.
func look(ctx context.Context, dsn string) (*template, error) {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	t := &template{seeded: map[string]string{}}
	if err := c.QueryRow(ctx, schemaPrint).Scan(&t.schema); err != nil {
		return nil, err
	}
	tables, err := filled(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, name := range tables {
		if t.seeded[name], err = rowsOf(ctx, c, name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// tooLarge is the size from which emptying costs more than a copy.
const tooLarge = 24 << 20

// emptied makes a used database as fresh as a copy of the template; false says that it can't be done.
func (t *template) emptied(ctx context.Context, dsn string) (bool, error) {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return false, err
	}
	defer c.Close(ctx)
	var schema string
	var others, size int64
	for tries := 0; ; tries++ { // what the test has closed takes a moment to end
		if err := c.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()) + (SELECT COUNT(*) FROM pg_prepared_xacts WHERE database = current_database()),
			pg_database_size(current_database())`).Scan(&others, &size); err != nil || size > tooLarge || tries > 50 {
			return false, err
		}
		if others == 0 {
			break
		}
		if _, err := c.Exec(ctx, `SELECT pg_sleep(0.01)`); err != nil {
			return false, err
		}
	}
	if err := c.QueryRow(ctx, schemaPrint).Scan(&schema); err != nil || schema != t.schema {
		return false, err
	}
	tables, err := filled(ctx, c)
	if err != nil {
		return false, err
	}
	var mend strings.Builder
	var vacuum []string
	for _, name := range tables {
		if _, ok := t.seeded[name]; !ok {
			table := pgx.Identifier{name}.Sanitize()
			fmt.Fprintf(&mend, "DELETE FROM %s;", table)
			vacuum = append(vacuum, table)
		}
	}
	for name, was := range t.seeded {
		is, err := rowsOf(ctx, c, name)
		if err != nil {
			return false, err
		}
		if is != was {
			table := pgx.Identifier{name}.Sanitize()
			fmt.Fprintf(&mend, "DELETE FROM %[1]s;INSERT INTO %[1]s SELECT (jsonb_populate_recordset(NULL::%[1]s, '%[2]s')).*;", table, strings.ReplaceAll(was, "'", "''"))
			vacuum = append(vacuum, table)
		}
	}
	if len(vacuum) == 0 {
		return true, nil
	}
	// Without the checks of foreign keys the order does not matter, as in the end all is as it was.
	if _, err := c.Exec(ctx, "SET session_replication_role = replica;"+mend.String()+"RESET session_replication_role"); err != nil {
		return false, err
	}
	_, err = c.Exec(ctx, "VACUUM "+strings.Join(vacuum, ", "))
	return err == nil, err
}
