package intake

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/qty"
)

// ReadRow is one row of a file as its parser understood it: a ProductRow, StockRow, RecipeRow or SupplierRow.
type ReadRow struct {
	Line int64
	Row  any
}

// Refusal is one thing that is wrong with a row; Err names line and field.
type Refusal struct {
	File string
	Line int64
	Err  *errs.Error
}

// ReadFile reads a file of a kind without a database, for commands that work on files alone: the rows that were
// understood, and what is wrong with the others, at most a thousand things. The error is the refusal of the file as
// a whole. Whether what the rows name exists is for the caller to find out.
func ReadFile(k Kind, path string) (rows []ReadRow, refused []Refusal, err error) {
	const most, worst = 500_000, 1000
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, ErrOpen.With("file", path).Wrap(err)
	}
	defer file.Close()
	r, err := openTable(k, file)
	if err != nil {
		return nil, nil, err
	}
	at, err := match(k, r.Header(), nil)
	if err != nil {
		return nil, nil, err
	}
	parse := map[Kind]func(*cells) any{
		Products:  func(c *cells) any { return parseProduct(c) },
		Stock:     func(c *cells) any { return parseStock(c) },
		Recipes:   func(c *cells) any { return parseRecipe(c) },
		Suppliers: func(c *cells) any { return parseSupplier(c) },
	}[k]
	if parse == nil {
		return nil, nil, ErrKind.With("kind", k)
	}
	r.know(k, at)
	c := &cells{columns: columnsOf[k], at: at, undo: isRefusedList(r.Header())}
	name := filepath.Base(path)
	for len(rows) < most && len(refused) < worst {
		row, err := r.Next()
		var bad *csvx.RowError
		switch {
		case err == io.EOF:
			return rows, refused, nil
		case errors.As(err, &bad):
			refused = append(refused, Refusal{name, bad.Line, bad.Err})
			continue
		case err != nil:
			return nil, nil, err
		}
		c.fields, c.bad = row.Fields, nil
		parsed := parse(c)
		for _, e := range c.bad {
			refused = append(refused, Refusal{name, row.Line, e.AtRow(int(row.Line))})
		}
		if len(c.bad) == 0 {
			rows = append(rows, ReadRow{row.Line, parsed})
		}
	}
	return rows, refused, nil
}

// positive is a decimal above 0.
func (c *cells) positive(col int) qty.Qty {
	n := len(c.bad)
	q := c.quantity(col)
	if q == 0 && len(c.bad) == n {
		c.refuse(col, ErrZero)
	}
	return q
}

// refuseErr refuses a cell for what a rule of ours said of it.
func (c *cells) refuseErr(col int, err error) { c.refuse(col, errs.As(err)) }
