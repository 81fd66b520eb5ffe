// Package proof runs named checks on live data: each counts what it looked at, and shows what is wrong.
// A package that must keep a promise exports Proofs() []proof.Proof.
package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// MaxEvidence is how many lines a proof shows; it counts the rest.
const MaxEvidence = 20

// Proof is one check. Its name says what holds, as in ledger_totals_match_transfers.
type Proof struct {
	Name  string
	Run   func(tx *db.Tx) (Result, error)
	Stops []string // kinds of documents that are not to be posted while it is red: at the sites that it names, or everywhere
}

// Stop is a kind of document that is not to be posted at a site; 0 is everywhere.
type Stop struct {
	Kind string `json:"kind"`
	Site id.ID  `json:"site_id"`
}

// Stopping gives proofs the kinds of documents that are not to be posted while one of them is red.
func Stopping(proofs []Proof, kinds ...string) []Proof {
	for i := range proofs {
		proofs[i].Stops = append(proofs[i].Stops, kinds...)
	}
	return proofs
}

// Result is what a check found. Bad is 0 when the promise holds. Rows is how many things were looked at,
// so that a check over nothing can be told from a check that passed.
type Result struct {
	Rows, Bad int64
	Evidence  []string
	Stops     []Stop // documents behind what is bad, besides those of the proof

	at    int64 // of the bad ones, those whose site is known
	sites []id.ID
}

// AddAt counts one bad thing of a site: the kinds that the proof stops go on elsewhere.
func (r *Result) AddAt(site id.ID, format string, args ...any) {
	r.Add(format, args...)
	r.at++
	r.sites = append(r.sites, site)
}

// stops lists what a red proof stops.
func (r *Result) stops(kinds []string) []Stop {
	sites := r.sites
	if r.at < r.Bad {
		sites = []id.ID{0} // something is wrong of which nobody knows where
	}
	all := slices.Clone(r.Stops)
	for _, k := range kinds {
		for _, s := range sites {
			all = append(all, Stop{k, s})
		}
	}
	slices.SortFunc(all, func(a, b Stop) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Site, b.Site)) })
	return slices.Compact(all)
}

// Add counts one bad thing and keeps it as evidence while there is room.
func (r *Result) Add(format string, args ...any) {
	r.Bad++
	if len(r.Evidence) < MaxEvidence {
		r.Evidence = append(r.Evidence, fmt.Sprintf(format, args...))
	}
}

// Finding is a proof's line in the report.
type Finding struct {
	Name     string   `json:"name"`
	Rows     int64    `json:"rows"`
	Bad      int64    `json:"bad"`
	Evidence []string `json:"evidence"`
	Stops    []Stop   `json:"stopped,omitempty" doc:"kinds of documents that are stopped by it, and where"`
}

// Report is the outcome of all proofs. OK needs every proof to have run and to be without a bad row.
type Report struct {
	OK     bool      `json:"ok"`
	Proofs []Finding `json:"proofs"`
}

// Timeout is how long one proof may take.
const Timeout = 10 * time.Minute

// readWhole tells PostgreSQL, for this transaction, that whole tables are compared: by hashing and sorting them,
// never row by row. Its guesses of how many rows fit conditions that hold together are far too small, and a
// plan for one row takes hours for a million.
const readWhole = `SELECT set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true), set_config('jit', 'off', true)`

// Run runs the proofs one after another, each on a snapshot of its own. An error says that some could
// not run, and which; the report then holds the others and is not OK.
func Run(ctx context.Context, d *db.DB, proofs []Proof) (Report, error) {
	report := Report{OK: true, Proofs: []Finding{}}
	var failed []error
	for _, p := range proofs {
		var r Result
		one, cancel := context.WithTimeout(ctx, Timeout)
		err := d.Read(one, func(tx *db.Tx) (err error) {
			if tx.Engine() == db.Postgres {
				tx.Query(readWhole)
			}
			r, err = p.Run(tx)
			return err
		})
		cancel()
		if err != nil {
			failed = append(failed, fmt.Errorf("proof %s could not run: %w", p.Name, err))
			report.OK = false
			if ctx.Err() != nil {
				break
			}
			continue
		}
		if len(r.Evidence) > MaxEvidence {
			r.Evidence = r.Evidence[:MaxEvidence]
		}
		if r.Evidence == nil {
			r.Evidence = []string{}
		}
		f := Finding{Name: p.Name, Rows: r.Rows, Bad: r.Bad, Evidence: r.Evidence}
		if r.Bad > 0 {
			f.Stops = r.stops(p.Stops)
		}
		report.Proofs = append(report.Proofs, f)
		report.OK = report.OK && r.Bad == 0
	}
	return report, errors.Join(failed...)
}
