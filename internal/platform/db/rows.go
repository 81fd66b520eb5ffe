package db

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

type kind uint8

const (
	null kind = iota
	integer
	float
	text
	blob
)

// cell is one value on its way in or out.
type cell struct {
	kind kind
	n    int64 // an integer, or the bits of a float
	s    string
}

// toCell reads an argument.
func toCell(a any) (cell, error) {
	switch v := a.(type) {
	case nil:
		return cell{}, nil
	case int64:
		return cell{kind: integer, n: v}, nil
	case string:
		return cell{kind: text, s: v}, nil
	case int:
		return cell{kind: integer, n: int64(v)}, nil
	case bool:
		if v {
			return cell{kind: integer, n: 1}, nil
		}
		return cell{kind: integer}, nil
	case []byte:
		if v == nil {
			return cell{}, nil
		}
		return cell{kind: blob, s: string(v)}, nil
	case float64:
		return cell{kind: float, n: int64(math.Float64bits(v))}, nil
	case time.Time:
		return cell{kind: integer, n: v.UnixMilli()}, nil
	}
	v := reflect.ValueOf(a)
	switch v.Kind() {
	case reflect.Int64, reflect.Int, reflect.Int32, reflect.Int16, reflect.Int8:
		return cell{kind: integer, n: v.Int()}, nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint, reflect.Uint64:
		u := v.Uint()
		if u > math.MaxInt64 {
			return cell{}, fmt.Errorf("db: argument %d is too big", u)
		}
		return cell{kind: integer, n: int64(u)}, nil
	case reflect.String:
		return cell{kind: text, s: v.String()}, nil
	case reflect.Bool:
		return toCell(v.Bool())
	case reflect.Float64, reflect.Float32:
		return toCell(v.Float())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return toCell(v.Bytes())
		}
	case reflect.Pointer:
		if v.IsNil() {
			return cell{}, nil
		}
		return toCell(v.Elem().Interface())
	}
	return cell{}, fmt.Errorf("db: an argument of type %T can't be stored", a)
}

func toCells(dst []cell, args []any) ([]cell, error) {
	for i, a := range args {
		c, err := toCell(a)
		if err != nil {
			return dst, fmt.Errorf("%w ($%d)", err, i+1)
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// Rows is the answer to a Query.
type Rows struct {
	tx    *Tx
	cols  int
	cells []cell // rows fetched and not yet handed out
	pos   int    // index of the current row's first cell
	on    bool   // Next has been called with success
	err   error

	stmt *liteStmt // SQLite: still stepping
	op   *pgOp     // PostgreSQL: still waiting or reading
}

// Next moves to the next row; false at the end or on an error, see Err.
func (r *Rows) Next() bool {
	if r.err != nil {
		return false
	}
	if r.on {
		r.pos += r.cols
		r.on = false
	}
	if r.pos >= len(r.cells) {
		r.cells, r.pos = r.cells[:0], 0
		for len(r.cells) == 0 {
			if !r.more() {
				return false
			}
		}
	}
	r.on = true
	return true
}

// more fetches the next rows of this result and says whether there may be any.
func (r *Rows) more() bool {
	switch {
	case r.err != nil:
		return false
	case r.stmt != nil:
		r.liteMore()
		return r.err == nil && (r.stmt != nil || r.pos < len(r.cells))
	case r.op != nil:
		r.tx.pg.more(r.tx, r)
		return r.err == nil && (r.op != nil || r.pos < len(r.cells))
	}
	return false
}

// Columns is how many values a row has; asked after Next.
func (r *Rows) Columns() int { return r.cols }

// Err is the error that ended the rows, nil when they came to their end.
func (r *Rows) Err() error {
	for r.op != nil && !r.on && r.err == nil {
		r.more()
	}
	return r.err
}

// Close gives up the rest. It may be called twice, or not at all: the end of the transaction does it too.
func (r *Rows) Close() error {
	if r.stmt != nil {
		r.liteClose()
	}
	for r.op != nil && r.err == nil {
		r.cells, r.pos = r.cells[:0], 0
		r.tx.pg.more(r.tx, r)
	}
	r.cells, r.pos, r.on = nil, 0, false
	return r.err
}

// Scan copies the current row.
func (r *Rows) Scan(dst ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.on {
		return errors.New("db: Scan without Next")
	}
	if len(dst) != r.cols {
		return r.tx.fail(fmt.Errorf("db: %d columns can't be scanned into %d variables", r.cols, len(dst)))
	}
	row := r.cells[r.pos : r.pos+r.cols]
	for i := range row {
		if err := row[i].scan(dst[i]); err != nil {
			r.err = r.tx.fail(fmt.Errorf("db: column %d: %w", i+1, err))
			return r.err
		}
	}
	return nil
}

// Row is the answer to a QueryRow.
type Row struct{ rows Rows }

// Scan copies the row; ErrNoRow when there is none.
func (q *Row) Scan(dst ...any) error {
	r := &q.rows
	if !r.Next() {
		if r.err != nil {
			return r.err
		}
		return ErrNoRow
	}
	err := r.Scan(dst...)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return err
}

func (c *cell) scan(dst any) error {
	switch d := dst.(type) {
	case *int64:
		n, err := c.int()
		*d = n
		return err
	case *string:
		s, err := c.str()
		*d = s
		return err
	case *int:
		n, err := c.int()
		*d = int(n)
		return err
	case *bool:
		n, err := c.int()
		*d = n != 0
		return err
	case *[]byte:
		if c.kind == null {
			*d = nil
			return nil
		}
		s, err := c.str()
		*d = []byte(s)
		return err
	case *float64:
		f, err := c.float()
		*d = f
		return err
	case *time.Time:
		n, err := c.int()
		*d = time.UnixMilli(n).UTC()
		return err
	case *any:
		switch c.kind {
		case null:
			*d = nil
		case integer:
			*d = c.n
		case float:
			*d = math.Float64frombits(uint64(c.n))
		case text:
			*d = c.s
		case blob:
			*d = []byte(c.s)
		}
		return nil
	}
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("%T is no pointer", dst)
	}
	e := v.Elem()
	switch e.Kind() {
	case reflect.Int64, reflect.Int, reflect.Int32, reflect.Int16, reflect.Int8:
		n, err := c.int()
		if err == nil && e.OverflowInt(n) {
			err = fmt.Errorf("%d does not fit into %s", n, e.Type())
		}
		e.SetInt(n)
		return err
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint, reflect.Uint64:
		n, err := c.int()
		if err == nil && (n < 0 || e.OverflowUint(uint64(n))) {
			return fmt.Errorf("%d does not fit into %s", n, e.Type())
		}
		e.SetUint(uint64(n))
		return err
	case reflect.String:
		s, err := c.str()
		e.SetString(s)
		return err
	case reflect.Bool:
		n, err := c.int()
		e.SetBool(n != 0)
		return err
	case reflect.Float64, reflect.Float32:
		f, err := c.float()
		e.SetFloat(f)
		return err
	case reflect.Slice:
		if e.Type().Elem().Kind() == reflect.Uint8 {
			if c.kind == null {
				e.SetBytes(nil)
				return nil
			}
			s, err := c.str()
			e.SetBytes([]byte(s))
			return err
		}
	case reflect.Pointer:
		if c.kind == null {
			e.SetZero()
			return nil
		}
		p := reflect.New(e.Type().Elem())
		if err := c.scan(p.Interface()); err != nil {
			return err
		}
		e.Set(p)
		return nil
	}
	return fmt.Errorf("can't scan into %T", dst)
}

var errNull = errors.New("NULL needs a pointer to a pointer")

func (c *cell) int() (int64, error) {
	switch c.kind {
	case integer:
		return c.n, nil
	case null:
		return 0, errNull
	case float:
		f := math.Float64frombits(uint64(c.n))
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
		return 0, fmt.Errorf("%v is no whole number", f)
	}
	n, err := strconv.ParseInt(c.s, 10, 64) // PostgreSQL's numeric, as of SUM(BIGINT), arrives as text
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", c.s)
	}
	return n, nil
}

func (c *cell) float() (float64, error) {
	switch c.kind {
	case float:
		return math.Float64frombits(uint64(c.n)), nil
	case integer:
		return float64(c.n), nil
	case null:
		return 0, errNull
	}
	return strconv.ParseFloat(c.s, 64)
}

func (c *cell) str() (string, error) {
	switch c.kind {
	case text, blob:
		return c.s, nil
	case null:
		return "", errNull
	case integer:
		return strconv.FormatInt(c.n, 10), nil
	}
	return strconv.FormatFloat(math.Float64frombits(uint64(c.n)), 'g', -1, 64), nil
}
