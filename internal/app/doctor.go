package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

type doctorCmd struct {
	database
	Addr string `env:"ZHANGGUI_ADDR" default:"127.0.0.1:7300" help:"Address that serve is to listen on."`
	JSON bool   `help:"Print the findings as JSON."`
}

// finding is one thing that was looked at.
type finding struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, warn or bad
	Detail string `json:"detail"`
}

const (
	fine = "ok"
	warn = "warn"
	bad  = "bad"

	leastDisk  = 1 << 30 // bytes free, below which serving is a risk
	enoughDisk = 5 << 30
)

// examination collects findings.
type examination struct{ all []finding }

func (x *examination) add(state, name, format string, args ...any) {
	x.all = append(x.all, finding{name, state, fmt.Sprintf(format, args...)})
}

// Run looks at the machine and the database and changes neither. Exit 0: nothing bad.
func (k *doctorCmd) Run(ctx context.Context, c *console) error {
	var x examination
	x.program()
	x.address(ctx, k.Addr)
	if path, ok := strings.CutPrefix(k.DB, "sqlite:"); ok {
		if x.folder(path) {
			x.open(ctx, k.DB, c)
		}
	} else {
		x.open(ctx, k.DB, c)
	}
	failed := false
	for _, f := range x.all {
		failed = failed || f.State == bad
	}
	if k.JSON {
		out := json.NewEncoder(c.out)
		out.SetIndent("", "  ")
		if err := out.Encode(map[string]any{"ok": !failed, "findings": x.all}); err != nil {
			return err
		}
	} else {
		for _, f := range x.all {
			fmt.Fprintf(c.out, "%-5s %-28s %s\n", f.State, f.Name, f.Detail)
		}
	}
	if failed {
		return exit{exitWrong, nil}
	}
	return nil
}

func (x *examination) program() {
	v := buildVersion()
	x.add(fine, "program", "zhanggui %s, commit %s, %s, %d cores", v.Version, v.Commit, v.Go, runtime.NumCPU())
	// A clock before the program was made is wrong without asking anybody.
	if now := clock.Wall.Now(); now.Year() < 2026 {
		x.add(bad, "clock", "this machine believes that it is %s", now.Format(time.RFC3339))
	} else {
		_, offset := now.Local().Zone()
		x.add(fine, "clock", "%s, %+d min from UTC", now.Format(time.RFC3339), offset/60)
	}
}

// address tells whether serve could listen, and who listens there already.
func (x *examination) address(ctx context.Context, addr string) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		l.Close()
		x.add(fine, "address", "%s is free", addr)
		return
	}
	ask, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, rerr := http.NewRequestWithContext(ask, http.MethodGet, "http://"+addr+"/api/version", nil)
	if rerr == nil {
		if answer, aerr := http.DefaultClient.Do(r); aerr == nil {
			defer answer.Body.Close()
			var v struct{ Version, Commit string }
			if json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 1<<16)).Decode(&v) == nil && v.Version != "" {
				x.add(fine, "address", "zhanggui %s (%s) is running on %s", v.Version, v.Commit, addr)
				return
			}
		}
	}
	x.add(bad, "address", "cannot listen on %s: %v", addr, err)
}

// folder looks at the place of an SQLite file; false when there is no file to open yet.
func (x *examination) folder(path string) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		x.add(bad, "data folder", "%v", err)
		return false
	}
	dir := filepath.Dir(path)
	there, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		x.add(fine, "data folder", "%s does not exist yet; serve makes it", dir)
		for err != nil && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
			there, err = os.Stat(dir)
		}
		if err != nil || !there.IsDir() {
			x.add(bad, "data folder", "%s is no folder to make it in", dir)
			return false
		}
	} else if err != nil || !there.IsDir() {
		x.add(bad, "data folder", "%s is not a folder that can be read", dir)
		return false
	}
	probe, err := os.CreateTemp(dir, ".zhanggui-doctor-*")
	if err != nil {
		x.add(bad, "data folder", "%s can't be written: %v", dir, err)
		return false
	}
	name := probe.Name()
	_, werr := probe.WriteString("zhanggui")
	if err := errors.Join(werr, probe.Sync(), probe.Close(), os.Remove(name)); err != nil {
		x.add(bad, "data folder", "%s: %v", dir, err)
		return false
	}
	x.add(fine, "data folder", "%s can be written and synced", dir)
	if runtime.GOOS != "windows" && there.Mode().Perm()&0o007 != 0 {
		x.add(warn, "data folder", "%s is open to every user of this machine (%o); use chmod 750", dir, there.Mode().Perm())
	}
	switch free, err := freeBytes(dir); {
	case err != nil:
		x.add(warn, "free disk", "unknown: %v", err)
	case free < leastDisk:
		x.add(bad, "free disk", "%d MiB: too little to serve safely", free>>20)
	case free < enoughDisk:
		x.add(warn, "free disk", "%d MiB", free>>20)
	default:
		x.add(fine, "free disk", "%d GiB", free>>30)
	}
	file, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		x.add(fine, "database", "%s does not exist yet; serve makes it", path)
		return false
	}
	if err != nil {
		x.add(bad, "database", "%v", err)
		return false
	}
	if runtime.GOOS != "windows" && file.Mode().Perm()&0o004 != 0 {
		x.add(warn, "database", "%s can be read by every user of this machine (%o); use chmod 640", path, file.Mode().Perm())
	}
	return true
}

// open looks at the database itself.
func (x *examination) open(ctx context.Context, dsn string, c *console) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	d, err := db.Open(ctx, dsn, db.Options{Log: c.log})
	if err != nil {
		x.add(bad, "database", "%v", err)
		return
	}
	defer d.Close()
	settings, err := d.Check(ctx)
	if err != nil {
		x.add(bad, "database", "%v", err)
		return
	}
	x.add(fine, "database", "%s answers", d.Engine())
	for _, s := range settings {
		state := fine
		if !s.OK {
			state = warn
			if s.Must {
				state = bad
			}
		}
		x.add(state, "database "+s.Name, "%s (wanted: %s)", s.Value, s.Want)
	}
	x.schema(ctx, d)
	if d.Engine() == db.SQLite {
		x.intact(ctx, d)
	} else {
		x.databaseClock(ctx, d)
	}
	x.lastWritten(ctx, d)
}

func (x *examination) schema(ctx context.Context, d *db.DB) {
	versions, err := d.Schema(ctx, migrations...)
	if err != nil {
		x.add(bad, "schema", "%v", err)
		return
	}
	var older, newer []string
	for _, v := range versions {
		switch {
		case v.At < v.Want:
			older = append(older, fmt.Sprintf("%s %d→%d", v.Package, v.At, v.Want))
		case v.At > v.Want:
			newer = append(newer, fmt.Sprintf("%s %d", v.Package, v.At))
		}
	}
	switch {
	case len(newer) > 0:
		x.add(bad, "schema", "made by a newer program: %s", strings.Join(newer, ", "))
	case len(older) == len(versions):
		x.add(fine, "schema", "empty; serve makes it")
	case len(older) > 0:
		x.add(warn, "schema", "serve will migrate %s", strings.Join(older, ", "))
	default:
		x.add(fine, "schema", "%d packages, all at this program's version", len(versions))
	}
}

// intact asks SQLite to look at every page of the file.
func (x *examination) intact(ctx context.Context, d *db.DB) {
	var found string
	err := d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT quick_check FROM pragma_quick_check LIMIT 1`).Scan(&found)
	})
	switch {
	case err != nil:
		x.add(warn, "database file", "not looked through: %v", err)
	case found != "ok":
		x.add(bad, "database file", "damaged: %s", found)
	default:
		x.add(fine, "database file", "no damage found")
	}
}

func (x *examination) databaseClock(ctx context.Context, d *db.DB) {
	var theirs time.Time
	before := clock.Wall.Now()
	err := d.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)`).Scan(&theirs)
	})
	if err != nil {
		x.add(bad, "database clock", "%v", err)
		return
	}
	off := max(before.Sub(theirs), theirs.Sub(clock.Wall.Now()), 0)
	if off > 2*time.Second {
		x.add(bad, "database clock", "differs from this machine's by %s; a node more than 2 s off is not ready", off)
		return
	}
	x.add(fine, "database clock", "agrees with this machine's to %s", off+time.Millisecond)
}

// lastWritten compares the newest row of the trail, whose id holds its time, with the clock: when it
// lies in the future, the clock went back.
func (x *examination) lastWritten(ctx context.Context, d *db.DB) {
	var newest id.ID
	err := d.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(`SELECT COALESCE(MAX(id), 0) FROM org_audit`).Scan(&newest) })
	if err != nil || newest == 0 {
		return // no schema yet, which was said
	}
	if ahead := newest.Time().Sub(clock.Wall.Now()); ahead > 2*time.Second {
		x.add(bad, "last entry", "was written %s in the future: the clock of this machine went back", ahead.Round(time.Second))
		return
	}
	x.add(fine, "last entry", "in the trail %s", newest.Time().Format(time.RFC3339))
}
