package csvx

import (
	"encoding/csv"
	"io"
	"strings"
)

// Safe disarms a cell that a spreadsheet would run as a formula: what begins
// with = + - @ or a tab gets an apostrophe in front.
func Safe(cell string) string {
	if cell != "" && strings.IndexByte("=+-@\t\r", cell[0]) >= 0 {
		return "'" + cell
	}
	return cell
}

// Unsafe takes the apostrophe of Safe away again.
func Unsafe(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.IndexByte("=+-@\t\r", cell[1]) >= 0 {
		return cell[1:]
	}
	return cell
}

// Writer writes rows that are safe to open in a spreadsheet.
type Writer struct{ w *csv.Writer }

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{csv.NewWriter(w)} }

// Write writes one row.
func (w *Writer) Write(cells ...string) error {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = Safe(c)
	}
	return w.w.Write(safe)
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error {
	w.w.Flush()
	return w.w.Error()
}
