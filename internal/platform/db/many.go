package db

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Many is one statement over many rows or values. It is made once, at package level, and keeps its texts:
//
//	var addLines = db.NewMany("INSERT INTO till_line(sale_id, line_no, qty) VALUES ", "(?, ?, ?)", "")
//	err := tx.ExecMany(addLines, args...) // three values for each row, one row after the other
//
//	var take = db.NewMany("UPDATE stock_batch SET qty_left = qty_left - v.column2 FROM (VALUES ",
//		"(BIGINT, BIGINT)", ") AS v WHERE stock_batch.id = v.column1")
//
//	var byID = db.NewMany("SELECT id, name FROM goods_product WHERE site_id = $1 AND id IN (", "?", ") ORDER BY id")
//	rows := tx.QueryMany(byID, siteID, id1, id2, …)
//
// Each place in row is ?, or a type where PostgreSQL can't infer one, as in FROM (VALUES …), whose
// columns both engines name column1, column2, …. Head may have $1…$k of its own: their values come first
// in args, and tail may use them again.
//
// The number of texts is small, as every one is kept prepared: rows in parentheses come in chunks of
// exactly 1 to 32, or 64, 128 or 256, each chunk one statement; a list of single values, as in IN, is
// one statement filled up with its last value.
type Many struct {
	head, tail string
	types      []string // "" for ?
	list       bool     // values without parentheses: may be repeated
	fixed      int      // arguments of head
	texts      sync.Map // rows → text
}

const (
	exactRows = 32
	maxRows   = 256
	maxList   = 4096
	maxParams = 32000 // SQLite allows 32,766, PostgreSQL 65,535
)

// NewMany makes a statement over many rows; a mistake in it panics at start.
func NewMany(head, row, tail string) *Many {
	m := &Many{head: head, tail: tail}
	inner, paren := strings.CutPrefix(strings.TrimSpace(row), "(")
	if paren {
		var closed bool
		if inner, closed = strings.CutSuffix(inner, ")"); !closed {
			panic("db: row without end: " + row)
		}
	}
	m.list = !paren
	for _, t := range strings.Split(inner, ",") {
		switch t = strings.ToUpper(strings.TrimSpace(t)); t {
		case "?":
			m.types = append(m.types, "")
		case "BIGINT", "SMALLINT", "TEXT", "DOUBLE PRECISION", "BOOLEAN", "BYTEA", "INTEGER":
			m.types = append(m.types, t)
		default:
			panic("db: a place is ? or a type, not " + t)
		}
	}
	if m.list && len(m.types) != 1 {
		panic("db: several values for each row need parentheses: " + row)
	}
	for strings.Contains(head, "$"+strconv.Itoa(m.fixed+1)) {
		m.fixed++
	}
	if err := checkPlaceholders(m.text(2)); err != nil {
		panic(err)
	}
	return m
}

// Texts are the statements for 1 and 2 rows, for a test that prepares them.
func (m *Many) Texts() []string { return []string{m.text(1), m.text(2)} }

// text is the statement for n rows.
func (m *Many) text(n int) string {
	if t, ok := m.texts.Load(n); ok {
		return t.(string)
	}
	var b strings.Builder
	b.WriteString(m.head)
	at := m.fixed
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		if !m.list {
			b.WriteByte('(')
		}
		for j, t := range m.types {
			if j > 0 {
				b.WriteString(", ")
			}
			at++
			if t != "" && i == 0 { // the first row gives a VALUES list its types
				fmt.Fprintf(&b, "CAST($%d AS %s)", at, t)
			} else {
				fmt.Fprintf(&b, "$%d", at)
			}
		}
		if !m.list {
			b.WriteByte(')')
		}
	}
	b.WriteString(m.tail)
	t, _ := m.texts.LoadOrStore(n, b.String())
	return t.(string)
}

// rows checks args and returns how many rows they are.
func (m *Many) rows(args []any) (int, error) {
	n := len(args) - m.fixed
	if n < 0 || n%len(m.types) != 0 {
		return 0, fmt.Errorf("db: %d arguments are no whole rows of %d in %q", n, len(m.types), m.head)
	}
	return n / len(m.types), nil
}

// next is how many of n rows go into one statement.
func (m *Many) next(n int) int {
	if n <= exactRows {
		return n
	}
	size := maxRows
	for size > n || size*len(m.types)+m.fixed > maxParams {
		size /= 2
	}
	return size
}

// ExecMany runs the statement over all rows; no rows is no statement.
func (tx *Tx) ExecMany(m *Many, args ...any) error {
	n, err := m.rows(args)
	if err != nil {
		return tx.fail(err)
	}
	if m.list && n > 0 {
		text, args, err := m.filled(args, n)
		if err != nil {
			return tx.fail(err)
		}
		return tx.Exec(text, args...)
	}
	fixed, rest := args[:m.fixed:m.fixed], args[m.fixed:]
	for n > 0 {
		k := m.next(n)
		part := rest[:k*len(m.types)]
		if m.fixed > 0 {
			part = append(fixed, part...)
		}
		if err := tx.Exec(m.text(k), part...); err != nil {
			return err
		}
		rest, n = rest[k*len(m.types):], n-k
	}
	return tx.err
}

// ExecManyExactly is ExecMany for conditional writes that must touch every row: when a row is not
// touched, the transaction dies with the given refusal, as with ExecExactly.
func (tx *Tx) ExecManyExactly(m *Many, otherwise error, args ...any) error {
	n, err := m.rows(args)
	if err == nil && m.list {
		err = errors.New("db: ExecManyExactly needs rows in parentheses")
	}
	if err != nil {
		return tx.fail(err)
	}
	fixed, rest := args[:m.fixed:m.fixed], args[m.fixed:]
	for n > 0 {
		k := m.next(n)
		part := rest[:k*len(m.types)]
		if m.fixed > 0 {
			part = append(fixed, part...)
		}
		if err := tx.ExecExactly(int64(k), otherwise, m.text(k), part...); err != nil {
			return err
		}
		rest, n = rest[k*len(m.types):], n-k
	}
	return tx.err
}

// QueryMany asks with all rows in one statement: at most 256 rows, or 4,096 values of a list. With no
// rows the answer is empty.
func (tx *Tx) QueryMany(m *Many, args ...any) *Rows {
	n, err := m.rows(args)
	if err == nil && !m.list && (n > maxRows || n*len(m.types)+m.fixed > maxParams) {
		err = fmt.Errorf("db: %d rows are too many for one question in %q", n, m.head)
	}
	text := ""
	if err == nil && n > 0 {
		if m.list {
			text, args, err = m.filled(args, n)
		} else {
			text = m.text(n)
		}
	}
	if err != nil || n == 0 {
		if err != nil {
			tx.fail(err)
		}
		return &Rows{tx: tx, err: tx.err}
	}
	return tx.Query(text, args...)
}

// filled rounds a list up to a size with a kept text, by repeating its last value.
func (m *Many) filled(args []any, n int) (string, []any, error) {
	if n > maxList {
		return "", nil, fmt.Errorf("db: a list of %d values is too long in %q", n, m.head)
	}
	size := n
	if n > 8 {
		for size = 16; size < n; size *= 2 {
		}
	}
	if size > n {
		full := make([]any, 0, m.fixed+size)
		full = append(full, args...)
		for range size - n {
			full = append(full, args[len(args)-1])
		}
		args = full
	}
	return m.text(size), args, nil
}
