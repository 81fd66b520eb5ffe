package db

import (
	"errors"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

const chunk = 64 // rows fetched at once

func (tx *Tx) liteBind(sql string, args []any) (*liteStmt, error) {
	tx.drain()
	if tx.err != nil {
		return nil, tx.err
	}
	s, err := tx.conn.stmt(sql)
	if err != nil {
		return nil, tx.engine(err)
	}
	if tx.cells, err = toCells(tx.cells[:0], args); err == nil {
		err = s.bind(tx.cells)
	}
	if err != nil {
		return nil, tx.fail(err)
	}
	return s, nil
}

// engine kills the transaction with an error of the engine.
func (tx *Tx) engine(err error) error {
	tx.broken = true
	return tx.fail(tx.conn.explain(err))
}

func (tx *Tx) liteExec(sql string, args []any) (int64, error) {
	s, err := tx.liteBind(sql, args)
	if err != nil {
		return 0, err
	}
	if s.ddl {
		tx.ddl = true
	}
	before := tx.conn.totalChanges()
	for {
		row, err := s.step()
		if err != nil {
			s.reset()
			return 0, tx.engine(err)
		}
		if !row {
			break
		}
	}
	s.reset()
	if tx.conn.totalChanges() == before {
		return 0, nil
	}
	return int64(sqlite3.Xsqlite3_changes64(tx.conn.tls, tx.conn.db)), nil
}

func (tx *Tx) liteQuery(r *Rows, sql string, args []any) {
	s, err := tx.liteBind(sql, args)
	if err != nil {
		r.err = err
		return
	}
	if tx.ro && !s.readonly {
		r.err = tx.fail(ErrReadOnly)
		return
	}
	if s.ddl {
		tx.ddl = true
	}
	r.cols = int(sqlite3.Xsqlite3_column_count(s.c.tls, s.p))
	r.stmt = s
	tx.open = r
	r.liteMore()
	if !s.readonly {
		tx.drain() // a write with RETURNING has happened as a whole before the act goes on
	}
}

func (r *Rows) liteMore() {
	for range chunk {
		row, err := r.stmt.step()
		if err != nil {
			r.err = r.tx.engine(err)
		}
		if err != nil || !row {
			r.liteClose()
			return
		}
		r.cells = r.stmt.columns(r.cells, r.cols)
	}
}

func (r *Rows) liteClose() {
	r.stmt.reset()
	r.stmt = nil
	if r.tx.open == r {
		r.tx.open = nil
	}
}

// explain turns what SQLite says into the errors of this package, and finds out which constraint was
// meant while the connection still knows.
func (c *liteConn) explain(err error) error {
	var e *LiteError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrFull.Wrap(err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy.Wrap(err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		return ErrDown.Wrap(err)
	case sqlite3.SQLITE_READONLY:
		if c.isReader() {
			return ErrReadOnly
		}
		return ErrDown.Wrap(err)
	case sqlite3.SQLITE_CONSTRAINT:
		e.names = c.constraints(e)
	}
	return err
}

func (c *liteConn) isReader() bool {
	v, err := c.value("PRAGMA query_only")
	return err == nil && v.n == 1
}

// constraints names what was violated. Of a unique index SQLite reports the columns only, so that the
// index is looked up; of a primary key it is PostgreSQL's default name that is answered.
func (c *liteConn) constraints(e *LiteError) []string {
	what, found := strings.CutPrefix(e.Msg, "CHECK constraint failed: ")
	if found {
		return []string{what}
	}
	what, found = strings.CutPrefix(e.Msg, "UNIQUE constraint failed: ")
	if !found {
		return nil
	}
	if index, found := strings.CutPrefix(what, "index '"); found {
		return []string{strings.TrimSuffix(index, "'")}
	}
	var table string
	var cols []string
	for _, col := range strings.Split(what, ", ") {
		t, name, _ := strings.Cut(col, ".")
		table, cols = t, append(cols, name)
	}
	if e.Code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code == sqlite3.SQLITE_CONSTRAINT_ROWID {
		return []string{table + "_pkey"}
	}
	s, err := c.stmt(`SELECT l.name, i.name FROM pragma_index_list($1) AS l, pragma_index_info(l.name) AS i
		WHERE l."unique" = 1 ORDER BY l.seq, i.seqno`)
	if err != nil || s.bind([]cell{{kind: text, s: table}}) != nil {
		return nil
	}
	defer s.reset()
	index := map[string][]string{}
	for {
		row, err := s.step()
		if err != nil || !row {
			break
		}
		v := s.columns(nil, 2)
		index[v[0].s] = append(index[v[0].s], v[1].s)
	}
	var names []string
	for name, of := range index {
		if strings.Join(of, ",") == strings.Join(cols, ",") {
			names = append(names, name)
		}
	}
	return names
}
