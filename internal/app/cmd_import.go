package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"zhanggui/internal/flow/intake"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/csvx"
	"zhanggui/internal/platform/db"
)

// importCmd takes a file in from the command line, by the same rules as the page.
type importCmd struct {
	Kind intake.Kind `arg:"" help:"stores, products, stock, sales, weather or holidays."`
	File string      `arg:"" placeholder:"FILE[.gz]" help:"CSV with a header row, in UTF-8 or GB18030, also compressed."`
	database
	Mode          intake.Mode `default:"all" enum:"all,good" help:"all: any refused row means that nothing is changed; good: the good rows are kept."`
	CreateMissing bool        `help:"Sales: make the stores and products that are missing."`
	DryRun        bool        `help:"Say what would happen and change nothing."`
	Map           string      `placeholder:"ours=theirs,…" help:"Which column is which; theirs=- drops a column."`
	JSON          bool        `name:"json" help:"Print the result as JSON."`
}

// importReport is what is printed at the end.
type importReport struct {
	RowsRead    int64        `json:"rows_read"`
	RowsNew     int64        `json:"rows_new"`
	RowsSame    int64        `json:"rows_same"`
	RowsRefused int64        `json:"rows_refused"`
	State       intake.State `json:"state"`
	RefusedFile string       `json:"refused_file,omitempty"`
}

// Run imports. Exit 0: done; 1: nothing was changed, because the file or one of its rows was refused; 2: the
// good rows were kept and others refused.
func (k *importCmd) Run(ctx context.Context, c *console) error {
	mapping, err := csvx.ParseMapping(k.Map)
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, k.DB, db.Options{Log: c.log})
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
	if first.Made && first.Password != "" {
		fmt.Fprintf(c.err, "%s / %s (only shown now)\n", first.Name, first.Password)
	}
	last := time.Now()
	shown := func(im *intake.Import) {
		if now := time.Now(); now.Sub(last) > time.Second && im.Total > 0 {
			last = now
			fmt.Fprintf(c.err, "%s %d of %d\n", im.State, im.Done, im.Total)
		}
	}
	im, err := h.imports.File(org.WithSystem(ctx), k.Kind, k.File, intake.Run{Mode: k.Mode, Mapping: mapping, CreateMissing: k.CreateMissing, DryRun: k.DryRun}, shown)
	var refusal *intake.Problem
	if err != nil && (im == nil || !errors.As(err, &refusal)) {
		return err
	}
	r := importReport{RowsRead: im.Counts.Read, RowsNew: im.Counts.New, RowsSame: im.Counts.Same, RowsRefused: im.Counts.Refused, State: im.State}
	if r.RowsRefused > 0 {
		r.RefusedFile = k.File + ".refused.csv"
		if err := k.writeRefused(ctx, h.imports, im, r.RefusedFile); err != nil {
			return err
		}
	}
	if k.JSON {
		err = errors.Join(err, writeJSON(c.out, r))
	} else {
		fmt.Fprintf(c.out, "rows_read %d\nrows_new %d\nrows_same %d\nrows_refused %d\n", r.RowsRead, r.RowsNew, r.RowsSame, r.RowsRefused)
		if r.RefusedFile != "" {
			fmt.Fprintln(c.out, "refused rows:", r.RefusedFile)
		}
	}
	switch {
	case err != nil:
		return err
	case im.State == intake.Refused || r.RowsRefused > 0 && k.Mode == intake.All:
		return exit{exitWrong, errors.New("rows were refused, so nothing was changed")}
	case r.RowsRefused > 0:
		return exit{exitPartly, fmt.Errorf("%d rows were refused, the others are in", r.RowsRefused)}
	}
	return nil
}

func (k *importCmd) writeRefused(ctx context.Context, s *intake.Service, im *intake.Import, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := s.WriteRefused(ctx, im, "en", file); err != nil {
		return err
	}
	return file.Close()
}
