package intake

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/errs"
)

// Styles, recipes and suppliers are kept in spreadsheets, so their files may be Excel workbooks. A workbook is read as the
// CSV its first sheet would be, row by row and within bounds, and takes the same way from there.

var (
	ErrWorkbook = errs.Define("workbook_bad", errs.Invalid,
		"这个 Excel 文件已损坏或加密,无法读取", "This Excel file is damaged or encrypted and can't be read")
	ErrWorkbookBig = errs.Define("workbook_large", errs.Limit,
		"这个 Excel 文件太大,请另存为 CSV", "This Excel file is too large; save it as CSV")
)

const (
	workbookBytes = 16 << 20  // as it comes
	workbookXML   = 128 << 20 // of all its parts, unpacked
	workbookRows  = 100_000
	workbookText  = 64 << 20 // of all its cells
)

// inExcel are the kinds that may come as a workbook.
var inExcel = []Kind{Styles, Recipes, Suppliers}

// XLSX is the encoding of a workbook.
const XLSX csvx.Encoding = "XLSX"

// table is a file opened for reading.
type table struct {
	*csvx.Reader
	book  *workbook // nil: CSV
	forms []form    // of the columns as the file has them, once it is known which is which
}

// know tells which column is which.
func (t *table) know(k Kind, at []int) {
	t.forms = make([]form, len(t.Header()))
	for i, place := range at {
		if place >= 0 {
			t.forms[place] = columnsOf[k][i].form
		}
	}
}

// Next gives the next row; cells of a workbook are written as they would be typed.
func (t *table) Next() (csvx.Row, error) {
	row, err := t.Reader.Next()
	if err == nil && t.book != nil {
		for i, f := range t.forms {
			row.Fields[i] = t.book.plain(csvx.Trim(row.Fields[i]), f)
		}
	}
	return row, err
}

// Encoding is how the file is written.
func (t *table) Encoding() csvx.Encoding {
	if t.book != nil {
		return XLSX
	}
	return t.Reader.Encoding()
}

// openTable opens CSV, or the workbook of a kind that takes one.
func openTable(k Kind, src io.Reader) (*table, error) {
	in := bufio.NewReader(src)
	magic, _ := in.Peek(4)
	if string(magic) != "PK\x03\x04" || !slices.Contains(inExcel, k) {
		r, err := csvx.Open(in, limitsOf(k))
		return &table{Reader: r}, err
	}
	book, err := openWorkbook(in)
	if err != nil {
		return nil, err
	}
	r, err := csvx.Open(book, limitsOf(k))
	return &table{Reader: r, book: book}, err
}

// workbook gives the first sheet as CSV in which a line is a row of the sheet.
type workbook struct {
	rows     *excelize.Rows
	epoch    cal.Date // day 0 of its dates
	out      bytes.Buffer
	csv      *csv.Writer
	width    int
	n, bytes int
}

func openWorkbook(src io.Reader) (b *workbook, err error) {
	defer whole(&err)
	data, err := io.ReadAll(io.LimitReader(src, workbookBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > workbookBytes {
		return nil, ErrWorkbookBig
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: workbookXML, UnzipXMLSizeLimit: workbookXML, RawCellValue: true})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size exceeds") {
			return nil, ErrWorkbookBig.Wrap(err)
		}
		return nil, ErrWorkbook.Wrap(err)
	}
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, csvx.ErrEmpty
	}
	b = &workbook{epoch: "1899-12-30"} // so that 1900-03-01 is day 61, as all spreadsheets have it
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil && *props.Date1904 {
		b.epoch = "1904-01-01"
	}
	if b.rows, err = f.Rows(sheets[0]); err != nil {
		return nil, ErrWorkbook.Wrap(err)
	}
	b.csv = csv.NewWriter(&b.out)
	return b, nil
}

// whole makes a damage that the library trips over a refusal of the file.
func whole(err *error) {
	if fault := recover(); fault != nil {
		*err = ErrWorkbook.Wrap(fmt.Errorf("%v", fault))
	}
}

func (b *workbook) Read(p []byte) (int, error) {
	for b.out.Len() == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	return b.out.Read(p)
}

var lineEnds = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

func (b *workbook) next() (err error) {
	defer whole(&err)
	if !b.rows.Next() {
		if err := b.rows.Error(); err != nil {
			return ErrWorkbook.Wrap(err)
		}
		return io.EOF
	}
	cells, err := b.rows.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return ErrWorkbook.Wrap(err)
	}
	if b.n++; b.n > workbookRows {
		return csvx.ErrTooManyRows.With("limit", workbookRows)
	}
	if b.width == 0 {
		b.width = len(cells)
	}
	for len(cells) < b.width {
		cells = append(cells, "")
	}
	for i, c := range cells {
		cells[i] = lineEnds.Replace(c)
		b.bytes += len(c) + 1
	}
	if b.bytes > workbookText {
		return ErrWorkbookBig
	}
	if err := b.csv.Write(cells); err != nil {
		return err
	}
	b.csv.Flush()
	return b.csv.Error()
}

// form is what a column holds, for a workbook keeps dates, times and numbers in a way of its own.
type form int

const (
	asTyped form = iota
	figures
	days
	clocks
)

// plain writes a cell of a workbook as it would be typed.
func (b *workbook) plain(text string, f form) string {
	switch f {
	case figures:
		return typed(text)
	case days:
		if n, err := strconv.Atoi(strings.TrimSuffix(text, ".0")); err == nil && n > 0 && n < 200_000 {
			return string(b.epoch.AddDays(n))
		}
	case clocks:
		minutes, ok := minutesOf(text)
		if ok {
			return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
		}
	}
	return text
}

// typed is a number that a workbook keeps as 2.9999999999999999E-2, as the spreadsheet shows it: 15 digits count.
//
//allow:float a workbook has nothing but floats; the text that comes of it is read exactly
func typed(text string) string {
	if len(text) < 4 || strings.Trim(text, "0123456789.eE+-") != "" || !strings.ContainsAny(text, ".eE") {
		return text
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	if v, err = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64); err != nil {
		return text
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// minutesOf is a time of day that a workbook keeps as a part of a day.
//
//allow:float a workbook has nothing but floats; minutes are whole
func minutesOf(text string) (int, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v >= 1 {
		return 0, false
	}
	m := int(v*24*60 + .5)
	return m, m < 24*60
}
