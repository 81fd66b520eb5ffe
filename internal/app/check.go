package app

import (
	"context"
	"encoding/json"
	"fmt"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/proof"
)

type checkCmd struct {
	database
	JSON bool `help:"Print the report as JSON."`
}

// Run proves on a snapshot of the live data. It changes nothing, also no schema.
func (k *checkCmd) Run(ctx context.Context, c *console) error {
	if err := k.there(); err != nil {
		return exit{exitPartly, err}
	}
	d, err := db.Open(ctx, k.DB, db.Options{Log: c.log})
	if err != nil {
		return exit{exitPartly, err}
	}
	defer d.Close()
	if err := d.Current(ctx, migrations...); err != nil {
		return exit{exitPartly, err}
	}
	report, err := proof.Run(ctx, d, proofs())
	if k.JSON {
		out := json.NewEncoder(c.out)
		out.SetIndent("", "  ")
		if err := out.Encode(report); err != nil {
			return err
		}
	} else {
		for _, p := range report.Proofs {
			word := "ok "
			if p.Bad > 0 {
				word = "BAD"
			}
			fmt.Fprintf(c.out, "%s  %-40s %10d looked at", word, p.Name, p.Rows)
			if p.Bad > 0 {
				fmt.Fprintf(c.out, ", %d bad", p.Bad)
			}
			fmt.Fprintln(c.out)
			for _, e := range p.Evidence {
				fmt.Fprintln(c.out, "       "+e)
			}
		}
	}
	switch {
	case err != nil:
		return exit{exitPartly, err}
	case !report.OK:
		return exit{exitWrong, nil}
	}
	return nil
}
