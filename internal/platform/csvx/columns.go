package csvx

import (
	"slices"
	"sort"
	"strings"

	"zhanggui/internal/platform/errs"
)

// Refusals of a header.
var (
	ErrColumnUnknown = errs.Define("column_unknown", errs.Invalid,
		"不认识的列:{columns};不要的列请写 列名=-", "Unknown columns: {columns}; drop what you don't need with column=-")
	ErrColumnMissing = errs.Define("column_missing", errs.Invalid,
		"缺少必需的列:{columns}", "Required columns are missing: {columns}")
	ErrColumnTwice = errs.Define("column_twice", errs.Invalid,
		"列 {columns} 出现了两次", "Column {columns} is there twice")
	ErrMapping = errs.Define("column_map", errs.Invalid,
		"列对应写错了:{entry}", "The column mapping is wrong: {entry}")
)

// Dropped is the other side of a mapping entry for a column nobody wants.
const Dropped = "-"

// Column is one that a file may have.
type Column struct {
	Name string
	Must bool // refuse a file without it
	Soft bool // with Must: may be left out if the mapping says so (name=-)
}

// Mapping says what a file's columns are: ours → theirs, and theirs → Dropped.
type Mapping map[string]string

// ParseMapping reads "ours=theirs,theirs=-".
func ParseMapping(text string) (Mapping, error) {
	m := Mapping{}
	if strings.TrimSpace(text) == "" {
		return m, nil
	}
	for entry := range strings.SplitSeq(text, ",") {
		left, right, ok := strings.Cut(entry, "=")
		left, right = Trim(left), Trim(right)
		if _, twice := m[left]; !ok || left == "" || right == "" || twice {
			return nil, ErrMapping.With("entry", entry)
		}
		m[left] = right
	}
	return m, nil
}

// String writes the mapping as ParseMapping reads it, sorted.
func (m Mapping) String() string {
	entries := make([]string, 0, len(m))
	for left, right := range m {
		entries = append(entries, left+"="+right)
	}
	sort.Strings(entries)
	return strings.Join(entries, ",")
}

// Match finds for each of the wanted columns its place in the header, -1 for
// one that is not there.
func Match(header []string, wanted []Column, m Mapping) ([]int, error) {
	at := make([]int, len(wanted))
	taken := make([]bool, len(header))
	known := map[string]bool{}
	for i, c := range wanted {
		at[i], known[c.Name] = -1, true
		theirs, mapped := m[c.Name]
		if !mapped {
			theirs = c.Name
		}
		if theirs == Dropped {
			continue
		}
		place := slices.Index(header, theirs)
		switch {
		case place >= 0 && taken[place]:
			return nil, ErrColumnTwice.With("columns", theirs).At(theirs)
		case place >= 0:
			at[i], taken[place] = place, true
		case mapped:
			return nil, ErrColumnMissing.With("columns", theirs).At(c.Name)
		}
	}
	for left, right := range m {
		if !known[left] && (right != Dropped || !slices.Contains(header, left)) {
			return nil, ErrMapping.With("entry", left+"="+right)
		}
	}
	var missing, unknown []string
	for i, c := range wanted {
		if at[i] < 0 && c.Must && !(c.Soft && m[c.Name] == Dropped) {
			missing = append(missing, c.Name)
		}
	}
	for i, name := range header {
		if !taken[i] && m[name] != Dropped {
			unknown = append(unknown, name)
		}
	}
	if len(missing) > 0 {
		return nil, ErrColumnMissing.With("columns", strings.Join(missing, ", ")).At(missing[0])
	}
	if len(unknown) > 0 {
		return nil, ErrColumnUnknown.With("columns", strings.Join(unknown, ", ")).At(unknown[0])
	}
	return at, nil
}
