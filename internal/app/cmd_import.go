package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zhanggui/internal/flow/intake"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/id"
)

// importCmd takes a file in from the command line, by the same rules as the page.
type importCmd struct {
	Kind intake.Kind `arg:"" help:"stores, products, styles, recipes, suppliers, stock, sales, weather or holidays."`
	File string      `arg:"" placeholder:"FILE[.gz]" help:"CSV with a header row, in UTF-8 or GB18030, also compressed."`
	database
	Mode          intake.Mode `default:"all" enum:"all,good" help:"all: any refused row means that nothing is changed; good: the good rows are kept."`
	CreateMissing bool        `help:"Sales: make the stores and products that are missing."`
	DryRun        bool        `help:"Say what would happen and change nothing."`
	Map           string      `placeholder:"ours=theirs,…" help:"Which column is which; theirs=- drops a column, ours=- says that the file has none."`
	JSON          bool        `name:"json" help:"Print the result as JSON."`
}

// Help has the columns of every kind.
func (importCmd) Help() string {
	var b strings.Builder
	b.WriteString("Prints rows_read, rows_new (changed something), rows_same (said what holds already) and rows_refused. Refused rows go to FILE.refused.csv:\n" +
		"line, field, code, message and the row itself; correct it there and import that list.\n\n" +
		"Header row, commas, decimal point, dates YYYY-MM-DD, times on the store's clock unless they name an offset. Money is whole fen.\n" +
		"Columns ([may be absent], (unless the mapping says column=-)):\n\n")
	for _, k := range intake.Kinds {
		fmt.Fprintf(&b, "  %-9s %s\n", k, intake.ColumnsText(k))
	}
	b.WriteString("\nproducts: one row for each sales unit, one of it being unit_num/unit_den base units. stock: cost_fen is that of one unit, with up to 4 decimals.\n" +
		"sales: date gives what a day came to, each store, product and unit once; time gives single sales, which are added up by half hours.")
	return b.String()
}

// importReport is what is printed at the end.
type importReport struct {
	Import      id.ID        `json:"import,omitempty"`
	Kind        intake.Kind  `json:"kind"`
	State       intake.State `json:"state"`
	DryRun      bool         `json:"dry_run"`
	RowsRead    int64        `json:"rows_read"`
	RowsNew     int64        `json:"rows_new"`
	RowsSame    int64        `json:"rows_same"`
	RowsRefused int64        `json:"rows_refused"`
	RefusedFile string       `json:"refused_file,omitempty"`
	Error       *importError `json:"error,omitempty"`
	Seconds     int64        `json:"seconds"`
}

type importError struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// Run imports. Exit 0: done; 1: nothing was changed, because the file or one of its rows was refused; 2: the
// good rows were kept and others refused.
func (k *importCmd) Run(ctx context.Context, c *console) error {
	mapping, err := csvx.ParseMapping(k.Map)
	if err != nil {
		return err
	}
	if !slices.Contains(intake.Kinds, k.Kind) {
		return intake.ErrKind.With("kind", k.Kind)
	}
	if _, err := os.Stat(k.File); err != nil {
		return intake.ErrOpen.With("file", k.File).Wrap(err)
	}
	privateFiles()
	dsn := k.DB
	if k.DryRun && k.there() != nil { // what an empty house would say, in one that goes away again
		dir, err := os.MkdirTemp("", "zhanggui-dry-run-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		dsn = "sqlite:" + filepath.Join(dir, "shop.db")
	}
	d, err := db.Open(ctx, dsn, db.Options{Log: c.log, ReadConns: 2}) // each keeps a cache, and one reads at a time
	if err != nil {
		return err
	}
	defer d.Close()
	h, err := build(d, options{log: c.log})
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx, migrations...); err != nil {
		return err
	}
	first, err := h.org.Start(ctx, d, os.Getenv("ZHANGGUI_ADMIN_PASSWORD"))
	if err != nil {
		return err
	}
	if first.Made && first.Password != "" && dsn == k.DB {
		fmt.Fprintf(c.err, "%s / %s (only shown now)\n", first.Name, first.Password)
	}
	began := clock.Wall.Now()
	run := intake.Run{Mode: k.Mode, Mapping: mapping, CreateMissing: k.CreateMissing, DryRun: k.DryRun}
	im, err := h.imports.File(org.WithSystem(ctx), k.Kind, k.File, run, progress(c.err))
	r := importReport{Kind: k.Kind, State: intake.Failed, DryRun: k.DryRun, Seconds: int64(clock.Wall.Now().Sub(began) / time.Second)}
	if im != nil && im.ID != 0 {
		r.Import, r.State = im.ID, im.State
		r.RowsRead, r.RowsNew, r.RowsSame, r.RowsRefused = im.Counts.Read, im.Counts.New, im.Counts.Same, im.Counts.Refused
	}
	var unlisted error // good rows are in, whether or not the others could be listed
	if r.RowsRefused > 0 {
		r.RefusedFile = k.File + ".refused.csv"
		if unlisted = k.writeRefused(ctx, h.imports, im, r.RefusedFile); unlisted != nil {
			r.RefusedFile = ""
		}
	} else if err == nil && !k.DryRun {
		os.Remove(k.File + ".refused.csv") // of an earlier try: what it lists is in now
	}
	r.Error = errorOf(err)
	if perr := k.print(c.out, r); perr != nil {
		return perr
	}
	switch {
	case err != nil:
		if hint := hintOf(k.Kind, im, r.Error); hint != "" {
			fmt.Fprintf(c.err, "perhaps: --map '%s'\n", hint)
		}
		return err
	case unlisted != nil && im.State == intake.Applied:
		return exit{exitPartly, fmt.Errorf("%d rows were refused, but can't be listed: %w", r.RowsRefused, unlisted)}
	case unlisted != nil:
		return fmt.Errorf("%d rows were refused, but can't be listed: %w", r.RowsRefused, unlisted)
	case r.RowsRefused > 0 && im.State == intake.Refused, r.RowsRefused > 0 && k.DryRun && k.Mode == intake.All:
		return exit{exitWrong, errors.New("rows were refused, so nothing was changed; see " + r.RefusedFile)}
	case r.RowsRefused > 0:
		return exit{exitPartly, fmt.Errorf("%d rows were refused, see %s", r.RowsRefused, r.RefusedFile)}
	}
	return nil
}

// progress tells a person that waits how far it is.
func progress(to io.Writer) func(*intake.Import) {
	last := clock.Wall.Now()
	return func(im *intake.Import) {
		if now := clock.Wall.Now(); now.Sub(last) > time.Second && im.Total > 0 {
			last = now
			fmt.Fprintf(to, "%s %d of %d\n", im.State, im.Done, im.Total)
		}
	}
}

func (k *importCmd) print(to io.Writer, r importReport) error {
	if k.JSON {
		return writeJSON(to, r)
	}
	if r.Error != nil && r.Import == 0 {
		return nil
	}
	_, err := fmt.Fprintf(to, "rows_read %d\nrows_new %d\nrows_same %d\nrows_refused %d\n", r.RowsRead, r.RowsNew, r.RowsSame, r.RowsRefused)
	return err
}

// errorOf is why a file as a whole was refused.
func errorOf(err error) *importError {
	if err == nil {
		return nil
	}
	var stored *intake.Problem
	if errors.As(err, &stored) {
		return &importError{stored.Code, stored.Field, stored.Text(language())}
	}
	e := errs.As(err)
	return &importError{e.Code, e.Field, e.Text(language())}
}

// hintOf guesses the mapping of a file whose columns were not understood.
func hintOf(k intake.Kind, im *intake.Import, e *importError) string {
	if im == nil || !strings.HasPrefix(e.Code, "column_") {
		return ""
	}
	return intake.Suggest(k, im.Head.Columns).String()
}

// language is that of the terminal.
func language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return "zh"
			}
			break
		}
	}
	return "en"
}

func (k *importCmd) writeRefused(ctx context.Context, s *intake.Service, im *intake.Import, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := s.WriteRefused(ctx, im, language(), file); err != nil {
		return err
	}
	return file.Close()
}
