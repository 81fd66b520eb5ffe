// Package app puts the house together: which packages there are, their tables, routes, subscribers
// and jobs, and the commands of the binary. It holds no rule of the trade.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // time zones also where the system has none

	"github.com/alecthomas/kong"

	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/web"
)

// version is the release; commit is set by the build, or taken from what Go knows of it.
const version = "0.1.0"

var commit string

// Exit codes of all commands.
const (
	exitDone   = 0
	exitWrong  = 1 // refused, failed, or a red proof
	exitPartly = 2 // import: some rows were refused; check: it could not run
)

// commands is the command line. Settings come from flags, then the environment, then the file.
type commands struct {
	Serve    serveCmd    `cmd:"" help:"Serve the API and the web apps."`
	Import   importCmd   `cmd:"" help:"Take in a CSV file: refused rows are listed, twice the same file changes nothing. Exit 0 done, 1 refused, 2 partly."`
	Backtest BacktestCmd `cmd:"" help:"Replay a sales file: what would have been forecast, and how wrong. No database."`
	WhatIf   whatifCmd   `cmd:"" name:"whatif" help:"Replay a shop's own history under other ways of ordering: what would have run out, what would have been thrown away. No database."`
	Plan     planCmd     `cmd:"" help:"Plan a day from files: what to make, what that takes, what to order. No database."`
	Bench    benchCmd    `cmd:"" help:"Measure this machine."`
	Check    checkCmd    `cmd:"" help:"Prove on the live data that nothing appeared or vanished. Exit 0 green, 1 red, 2 could not run."`
	Demo     demoCmd     `cmd:"" help:"Remove a demo."`
	Password passwordCmd `cmd:"" help:"Give a person a new password when nobody who may reset one can sign in."`
	Doctor   doctorCmd   `cmd:"" help:"Check this machine and the database before trusting them."`
	Version  versionCmd  `cmd:"" help:"Print version and commit."`
	OpenAPI  openapiCmd  `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
	LogLevel slog.Level  `env:"ZHANGGUI_LOG" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
}

// database is the flag that every command with a database has.
type database struct {
	DB string `name:"db" env:"ZHANGGUI_DB" default:"sqlite:./data/zhanggui.db" placeholder:"DSN" help:"sqlite:PATH or postgres://…"`
}

// there refuses a file that does not exist: opening it would make an empty one, and all proofs hold on
// nothing.
func (b database) there() error {
	path, ok := strings.CutPrefix(b.DB, "sqlite:")
	if !ok {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no database at %s", path)
	}
	return nil
}

// console is where a command writes, and what ends it.
type console struct {
	out, err io.Writer
	log      *slog.Logger
}

// exit is an error that carries the exit code.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

// configFiles may hold the same settings as flags, as JSON: {"db": "…", "addr": "…"}.
var configFiles = []string{"/etc/zhanggui.json", "zhanggui.json"}

// fileSettings reads a settings file that yields to the environment.
func fileSettings(r io.Reader) (kong.Resolver, error) {
	file, err := kong.JSON(r)
	if err != nil {
		return nil, err
	}
	return kong.ResolverFunc(func(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		return file.Resolve(ctx, parent, flag)
	}), nil
}

// Run runs one command and returns the exit code.
func Run(args []string, out, errOut io.Writer) int {
	var cmd commands
	ended := -1
	k, err := kong.New(&cmd, kong.Name("zhanggui"), kong.Description("掌柜: retail from goods receipt to sale, in one binary."),
		kong.Configuration(fileSettings, configFiles...), kong.UsageOnError(), kong.Writers(out, errOut), kong.Exit(func(code int) { ended = code }))
	if err != nil {
		fmt.Fprintln(errOut, err)
		return exitWrong
	}
	parsed, err := k.Parse(args)
	if ended >= 0 { // --help
		return ended
	}
	if err != nil {
		k.FatalIfErrorf(err)
		if len(args) > 0 && args[0] == "check" { // 1 would say that the books are wrong
			return exitPartly
		}
		return exitWrong
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &console{out: out, err: errOut, log: slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: cmd.LogLevel}))}
	slog.SetDefault(c.log)
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(c)
	if err == nil {
		return exitDone
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(errOut, "zhanggui:", plain(err))
	}
	var e exit
	if errors.As(err, &e) {
		return e.code
	}
	return exitWrong
}

// plain is an error as an operator reads it: what to do, then the cause.
func plain(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

func buildVersion() web.Version {
	v := web.Version{Version: version, Commit: commit, Go: runtime.Version()}
	if v.Commit == "" {
		v.Commit = "unknown"
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					v.Commit = s.Value
				}
			}
		}
	}
	return v
}

type versionCmd struct{}

func (versionCmd) Run(c *console) error {
	v := buildVersion()
	fmt.Fprintf(c.out, "zhanggui %s commit %s %s\n", v.Version, v.Commit, v.Go)
	return nil
}

type openapiCmd struct{}

func (openapiCmd) Run(c *console) error {
	h, err := build(nil, options{log: c.log})
	if err != nil {
		return err
	}
	b, err := h.api.OpenAPI()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\n", b)
	return nil
}
