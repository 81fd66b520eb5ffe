// Package csvx reads comma-separated files that come from strangers: strictly,
// as a stream, in bounded memory, and row by row, so that one bad line costs
// one line. It takes UTF-8 with or without a byte order mark, GB18030 (what
// Chinese spreadsheets save), and either of them inside gzip.
package csvx

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"zhanggui/internal/platform/errs"
)

// Refusals of the whole file.
var (
	ErrEmpty = errs.Define("csv_empty", errs.Invalid,
		"文件是空的", "The file is empty")
	ErrNotText = errs.Define("csv_not_text", errs.Invalid,
		"这不是 CSV 文本文件,请在表格软件里另存为 CSV", "This is not a CSV text file; save it as CSV in your spreadsheet")
	ErrUTF16 = errs.Define("csv_utf16", errs.Invalid,
		"文件是 UTF-16 编码,请另存为“CSV UTF-8”", "The file is in UTF-16; save it as “CSV UTF-8”")
	ErrDelimiter = errs.Define("csv_delimiter", errs.Invalid,
		"列之间要用英文逗号分隔", "The columns must be separated by commas")
	ErrHeader = errs.Define("csv_header", errs.Invalid,
		"第一行必须是列名:{reason}", "The first line must name the columns: {reason}")
	ErrTooManyRows = errs.Define("csv_too_many_rows", errs.Limit,
		"行数超过 {limit},请分成几个文件", "More than {limit} rows; split the file")
	ErrTooBig = errs.Define("csv_too_big", errs.Limit,
		"文件太大,最多 {limit} MiB,请分成几个文件", "The file is too large: {limit} MiB at most; split it")
	ErrBomb = errs.Define("csv_ratio", errs.Limit,
		"压缩文件展开后大得不正常,不予读取", "The compressed file grows beyond all measure and is not read")
)

// Refusals of one row; reading goes on behind it.
var (
	ErrFields = errs.Define("csv_fields", errs.Invalid,
		"这一行有 {got} 列,表头有 {want} 列", "This line has {got} columns, the header has {want}")
	ErrQuote = errs.Define("csv_quote", errs.Invalid,
		"引号没有成对,或引号后面还有文字", "A quotation mark is not closed, or text follows it")
	ErrText = errs.Define("csv_text", errs.Invalid,
		"有无法识别的字符,文件编码应为 UTF-8 或 GB18030", "There are characters that are neither UTF-8 nor GB18030")
	ErrControl = errs.Define("csv_control", errs.Invalid,
		"有不可见的控制字符", "There are control characters")
	ErrFieldLong = errs.Define("csv_field_long", errs.Invalid,
		"有一格超过 {limit} 字节", "A cell is longer than {limit} bytes")
	ErrRowLong = errs.Define("csv_row_long", errs.Invalid,
		"这一行超过 {limit} 字节", "This line is longer than {limit} bytes")
	ErrCut = errs.Define("csv_cut", errs.Invalid,
		"文件在这里断了或损坏了,后面的内容读不出来", "The file breaks off or is damaged here; the rest of it can not be read")
)

// Limits bound what one file may cost. A zero field takes its default.
type Limits struct {
	Bytes   int64 // after decompression; default 2 GiB
	Ratio   int64 // decompressed to compressed; default 200 (flate itself ends near 1000)
	Rows    int64 // default 10 million
	Record  int   // bytes of one record; default 64 KiB
	Field   int   // bytes of one cell; default 8 KiB
	Columns int   // default 200
}

const (
	recordLines = 64                      // lines one quoted record may run over
	sampleSize  = 64 << 10                // what the encoding is judged by
	ratioFrom   = 1 << 20                 // below this much output no ratio is judged
	cutset      = " \t\u00a0\u3000\ufeff" // blanks people can't see, at the ends of a cell
)

func (l Limits) filled() Limits {
	fill := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	fill(&l.Bytes, 2<<30)
	fill(&l.Ratio, 200)
	fill(&l.Rows, 10_000_000)
	small := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	small(&l.Record, 64<<10)
	small(&l.Field, 8<<10)
	small(&l.Columns, 200)
	return l
}

// Row is one record. Line is the number of its first line in the file, the
// header's being 1. Fields has exactly as many cells as the header and is
// overwritten by the next call of Next; the strings may be kept.
type Row struct {
	Line   int64
	Fields []string
}

// RowError is the refusal of one row. Cells is what could be made out of it, for
// a person who is to correct it; it may be short or empty.
type RowError struct {
	Line  int64
	Err   *errs.Error
	Cells []string
}

func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap gives the coded refusal.
func (e *RowError) Unwrap() error { return e.Err }

// Encoding is how a file's text is written.
type Encoding string

// The encodings a file may have.
const (
	UTF8    Encoding = "UTF-8"
	GB18030 Encoding = "GB18030"
)

// Reader reads one file from its header to its end.
type Reader struct {
	limits Limits
	src    *source
	in     *bufio.Reader // decompressed bytes
	out    *meter

	header   []string
	encoding Encoding // "" until the first text that is not ASCII
	line     int64    // lines taken so far
	first    int64    // the first line of the record being read
	rows     int64
	back     []byte // lines read ahead in search of a closing quotation mark, to be read again
	done     bool

	raw    []byte // the record being read
	cells  []byte // its unquoted cells, one after another
	ends   []int
	fields []string
}

// Open reads the head of a file: its form, its encoding, its header. The errors
// are refusals of the file, or what src failed with.
func Open(src io.Reader, limits Limits) (*Reader, error) {
	r := &Reader{limits: limits.filled(), src: &source{r: src}}
	raw := bufio.NewReaderSize(r.src, 64<<10)
	magic, _ := raw.Peek(4)
	if r.src.err != nil {
		return nil, r.src.err
	}
	switch {
	case len(magic) == 0:
		return nil, ErrEmpty
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")), bytes.HasPrefix(magic, []byte("\xd0\xcf\x11\xe0")),
		bytes.HasPrefix(magic, []byte("%PDF")), bytes.HasPrefix(magic, []byte("\x89PNG")), bytes.HasPrefix(magic, []byte("\xff\xd8\xff")):
		return nil, ErrNotText
	}
	r.out = &meter{r: raw, src: r.src, limits: r.limits}
	if bytes.HasPrefix(magic, []byte("\x1f\x8b")) {
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, r.fault(ErrCut.Wrap(err))
		}
		r.out.r, r.out.gzip = z, true
	}
	r.in = bufio.NewReaderSize(r.out, max(r.limits.Record, sampleSize)+1)
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	return r, nil
}

// Header is the first row, blanks at the ends of names removed.
func (r *Reader) Header() []string { return r.header }

// Encoding is what the file's text turned out to be; UTF8 while all is ASCII.
func (r *Reader) Encoding() Encoding {
	if r.encoding == "" {
		return UTF8
	}
	return r.encoding
}

// Consumed counts the bytes taken from the source, compressed as they come.
func (r *Reader) Consumed() int64 { return r.src.n }

func (r *Reader) readHeader() error {
	head, _ := r.in.Peek(sampleSize)
	if r.src.err != nil {
		return r.src.err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		r.encoding = UTF8
		_, _ = r.in.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return ErrUTF16
	case bytes.IndexByte(firstLine(head), 0) >= 0:
		return ErrNotText
	case bytes.HasPrefix(head, []byte("\x84\x31\x95\x33")):
		r.encoding = GB18030
		_, _ = r.in.Discard(4)
	}
	err := r.record()
	var bad *RowError
	switch {
	case err == io.EOF:
		return ErrEmpty
	case errors.As(err, &bad) && bad.Err.Is(ErrControl):
		return ErrNotText.Wrap(err)
	case errors.As(err, &bad):
		return bad.Err.AtRow(int(bad.Line))
	case err != nil:
		return err
	}
	r.header = make([]string, len(r.fields))
	for i, name := range r.fields {
		name = Trim(name)
		r.header[i] = strings.Clone(name)
	}
	for len(r.header) > 1 && r.header[len(r.header)-1] == "" {
		r.header = r.header[:len(r.header)-1] // a spreadsheet's empty columns on the right
	}
	if len(r.header) == 1 && strings.ContainsAny(r.header[0], ";\t,|") {
		return ErrDelimiter
	}
	if len(r.header) > r.limits.Columns {
		return ErrHeader.With("reason", "too many columns")
	}
	seen := make(map[string]bool, len(r.header))
	for _, name := range r.header {
		switch {
		case name == "":
			return ErrHeader.With("reason", "“”")
		case seen[name]:
			return ErrHeader.With("reason", name+", "+name).At(name)
		}
		seen[name] = true
	}
	return nil
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	return line
}

// Next gives the next row that is not blank; io.EOF after the last. A *RowError
// refuses one row and reading may go on; after any other error it is over.
func (r *Reader) Next() (Row, error) {
	if r.done {
		return Row{}, io.EOF
	}
	for {
		err := r.record()
		var bad *RowError
		if err != nil && !errors.As(err, &bad) {
			r.done = true
			return Row{}, err
		}
		if err == nil && r.blank() {
			continue
		}
		if r.rows++; r.rows > r.limits.Rows {
			r.done = true
			return Row{}, ErrTooManyRows.With("limit", r.limits.Rows)
		}
		if err != nil {
			return Row{}, err
		}
		want := len(r.header)
		for len(r.fields) > want && Trim(r.fields[len(r.fields)-1]) == "" {
			r.fields = r.fields[:len(r.fields)-1]
		}
		if len(r.fields) != want {
			refusal := ErrFields.With("got", len(r.fields), "want", want)
			if len(r.fields) < want && r.raw[len(r.raw)-1] != '\n' {
				refusal = ErrCut // the last line, without its end
			}
			return Row{}, r.refuse(r.first, refusal)
		}
		return Row{Line: r.first, Fields: r.fields}, nil
	}
}

func (r *Reader) refuse(line int64, e *errs.Error) *RowError {
	cells := make([]string, len(r.fields))
	copy(cells, r.fields)
	return &RowError{Line: line, Err: e.AtRow(int(line)), Cells: cells}
}

func (r *Reader) blank() bool {
	for _, f := range r.fields {
		if Trim(f) != "" {
			return false
		}
	}
	return true
}

// record reads one record into r.fields. A quoted cell may hold line ends, so a
// record may be several lines; if its quotation marks don't come right, only its
// first line is refused and the others are read again.
func (r *Reader) record() error {
	r.raw, r.fields = r.raw[:0], r.fields[:0]
	r.first = r.line + 1
	for lines := 1; ; lines++ {
		from := len(r.raw)
		err := r.takeLine()
		if err == io.EOF && from > 0 {
			return r.badQuote()
		}
		if err != nil {
			return err
		}
		open, ok := r.split()
		switch {
		case !ok:
			return r.badQuote()
		case !open:
			return r.decode()
		case lines == recordLines || len(r.raw) > r.limits.Record:
			return r.badQuote()
		}
	}
}

// badQuote refuses the first line of what was read and puts the rest back.
func (r *Reader) badQuote() error {
	end := bytes.IndexByte(r.raw, '\n') + 1
	if end == 0 {
		end = len(r.raw)
	}
	rest := r.raw[end:]
	n := int64(bytes.Count(rest, []byte{'\n'}))
	if len(rest) > 0 && rest[len(rest)-1] != '\n' {
		n++
	}
	r.back = append(bytes.Clone(rest), r.back...)
	r.line -= n
	text := bytes.TrimRight(r.raw[:end], "\r\n")
	if e, bad := r.judge(text); bad {
		return r.refuse(r.first, e)
	}
	r.fields = append(r.fields[:0], r.text(text))
	return r.refuse(r.first, ErrQuote)
}

// takeLine appends the next line with its end to r.raw.
func (r *Reader) takeLine() error {
	if len(r.back) > 0 {
		end := bytes.IndexByte(r.back, '\n') + 1
		if end == 0 {
			end = len(r.back)
		}
		r.raw = append(r.raw, r.back[:end]...)
		r.back = r.back[end:]
		r.line++
		return nil
	}
	part, err := r.in.ReadSlice('\n')
	switch {
	case err == nil:
	case err == bufio.ErrBufferFull:
		r.line++
		for err == bufio.ErrBufferFull {
			_, err = r.in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return r.fault(err)
		}
		return r.refuse(r.line, ErrRowLong.With("limit", r.limits.Record))
	case err == io.EOF:
		if len(part) == 0 {
			return io.EOF
		}
	default:
		return r.fault(err)
	}
	r.line++
	r.raw = append(r.raw, part...)
	if len(part) > r.limits.Record {
		return r.refuse(r.line, ErrRowLong.With("limit", r.limits.Record))
	}
	return nil
}

// fault tells a file that is cut or damaged, which ends with one refused row,
// from a source that failed, which is nobody's row.
func (r *Reader) fault(err error) error {
	r.done = true
	var limit *errs.Error
	switch {
	case r.src.err != nil:
		return r.src.err
	case errors.As(err, &limit) && !limit.Is(ErrCut):
		return limit
	}
	r.fields = r.fields[:0]
	return r.refuse(r.line+1, ErrCut.Wrap(err))
}

// split cuts r.raw into cells. open: a quotation mark waits for its partner on
// a later line. !ok: text stands before or behind a quoted cell.
func (r *Reader) split() (open, ok bool) {
	r.cells, r.ends = r.cells[:0], r.ends[:0]
	line := r.raw
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	for {
		if len(line) == 0 || line[0] != '"' {
			end := bytes.IndexByte(line, ',')
			cell := line
			if end >= 0 {
				cell = line[:end]
			}
			if bytes.IndexByte(cell, '"') >= 0 {
				return false, false
			}
			r.cells = append(r.cells, cell...)
			r.ends = append(r.ends, len(r.cells))
			if end < 0 {
				return false, true
			}
			line = line[end+1:]
			continue
		}
		line = line[1:]
		for {
			q := bytes.IndexByte(line, '"')
			if q < 0 {
				return true, true
			}
			r.cells = append(r.cells, line[:q]...)
			line = line[q+1:]
			if len(line) > 0 && line[0] == '"' {
				r.cells = append(r.cells, '"')
				line = line[1:]
				continue
			}
			break
		}
		r.ends = append(r.ends, len(r.cells))
		if len(line) == 0 {
			return false, true
		}
		if line[0] != ',' {
			return false, false
		}
		line = line[1:]
	}
}

// decode turns the cells of a record into text.
func (r *Reader) decode() error {
	if e, bad := r.judge(r.cells); bad {
		return r.refuse(r.first, e)
	}
	if len(r.ends) > r.limits.Columns {
		return r.refuse(r.first, ErrFields.With("got", len(r.ends), "want", max(len(r.header), 1)))
	}
	from, ascii := 0, isASCII(r.cells)
	if r.encoding != GB18030 || ascii {
		all := string(r.cells)
		for _, end := range r.ends {
			r.fields = append(r.fields, all[from:end])
			from = end
		}
	} else {
		for _, end := range r.ends {
			r.fields = append(r.fields, r.text(r.cells[from:end]))
			from = end
		}
	}
	for _, f := range r.fields {
		if len(f) > r.limits.Field {
			r.fields = r.fields[:0]
			return r.refuse(r.first, ErrFieldLong.With("limit", r.limits.Field))
		}
		if strings.ContainsRune(f, utf8.RuneError) {
			r.fields = r.fields[:0]
			return r.refuse(r.first, ErrText)
		}
	}
	return nil
}

// judge finds bytes that are no text, and settles the encoding at the first
// byte beyond ASCII.
func (r *Reader) judge(b []byte) (*errs.Error, bool) {
	ascii := true
	for i, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			ascii = false
		case c >= ' ' && c != 0x7f, c == '\t', c == '\n':
		case c == '\r' && i+1 < len(b) && b[i+1] == '\n':
		default:
			return ErrControl, true
		}
	}
	if ascii {
		return nil, false
	}
	if r.encoding == "" {
		ahead, _ := r.in.Peek(sampleSize)
		r.encoding = guess(b, ahead)
	}
	if r.encoding == UTF8 && !utf8.Valid(b) {
		return ErrText, true
	}
	return nil, false
}

// text decodes one cell.
func (r *Reader) text(b []byte) string {
	if r.encoding != GB18030 || isASCII(b) {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	out, _, err := transform.Bytes(simplifiedchinese.GB18030.NewDecoder(), b)
	if err != nil {
		return "\ufffd"
	}
	return string(out)
}

// guess tells the encoding from the first text beyond ASCII and what follows
// it: valid UTF-8 is UTF-8 (Chinese in GB18030 practically never is), otherwise
// whichever has fewer broken characters.
func guess(here, ahead []byte) Encoding {
	sample := append(bytes.Clone(here), '\n')
	sample = append(sample, ahead...)
	if cut := bytes.LastIndexByte(sample, '\n'); cut > len(here) {
		sample = sample[:cut] // no half characters at the end
	}
	if utf8.Valid(sample) {
		return UTF8
	}
	badUTF8 := 0
	for b := sample; len(b) > 0; {
		c, n := utf8.DecodeRune(b)
		if c == utf8.RuneError && n == 1 {
			badUTF8++
		}
		b = b[n:]
	}
	out, _, err := transform.Bytes(simplifiedchinese.GB18030.NewDecoder(), sample)
	if err != nil || bytes.Count(out, []byte("\ufffd")) >= badUTF8 {
		return UTF8
	}
	return GB18030
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Trim removes the blanks at the ends of a cell, also the wide and the
// unbreakable ones that people can't see.
func Trim(cell string) string { return strings.Trim(cell, cutset) }

// source remembers whether it was the source that failed.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// meter holds what comes out of decompression to its limits.
type meter struct {
	r      io.Reader
	src    *source
	limits Limits
	gzip   bool
	n      int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if m.n > m.limits.Bytes {
		return 0, ErrTooBig.With("limit", m.limits.Bytes>>20)
	}
	if m.gzip && m.n > ratioFrom && m.n > m.limits.Ratio*m.src.n {
		return 0, ErrBomb
	}
	return n, err
}
