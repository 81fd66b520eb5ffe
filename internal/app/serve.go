package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/sim"
)

type serveCmd struct {
	database
	Addr       string `env:"ZHANGGUI_ADDR" default:"127.0.0.1:7300" help:"Address to listen on."`
	TrustProxy bool   `env:"ZHANGGUI_TRUST_PROXY" help:"Believe X-Forwarded-For and X-Forwarded-Proto. Only behind a proxy that always sets them."`
	Production bool   `env:"ZHANGGUI_PRODUCTION" help:"Real money: refuse to start with a simulated payment provider."`
	Pay        string `env:"ZHANGGUI_PAY" placeholder:"none|simulated" help:"Provider of mobile payment. Default: simulated, and none in production."`
	Password   string `name:"admin-password" env:"ZHANGGUI_ADMIN_PASSWORD" help:"The administrator's password at the first start; made and printed when not given. Better set in the environment."`

	Demo     *bool `negatable:"" env:"ZHANGGUI_DEMO" help:"Make a demo chain in an empty database and let it live. A demo that is there goes on without it; with --no-demo it stands still."`
	SimSpeed int64 `env:"ZHANGGUI_SIM_SPEED" default:"60" help:"How many times as fast as the wall clock a demo's day passes, 1 to 600."`

	LogPages int `name:"sqlite-log-pages" env:"ZHANGGUI_SQLITE_LOG_PAGES" hidden:"" help:"See db.Options."`

	careless bool // tests: their PostgreSQL does without fsync, which serve refuses
}

// drainTime is how long requests that are being handled may still take after a signal to stop.
const drainTime = 20 * time.Second

// Run serves until the context ends. The address answers at once; the API follows when the database
// is open and migrated.
func (s *serveCmd) Run(ctx context.Context, c *console) error {
	roomForGarbage()
	business := clock.NewBusiness()
	o := options{log: c.log, business: business, trustProxy: s.TrustProxy, production: s.Production, pay: s.Pay}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (is another server running there?): %w", s.Addr, err)
	}
	privateFiles()
	var front atomic.Pointer[http.Handler]
	show := func(h http.Handler) { front.Store(&h) }
	show(outside(o))
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*front.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer server.Close()
	fmt.Fprintf(c.out, "掌柜 http://%s\n", listener.Addr())

	d, err := db.Open(ctx, s.DB, db.Options{Business: o.business, Log: c.log, LogPages: s.LogPages})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := trusted(ctx, d); err != nil && !s.careless {
		return err
	}
	if o.demo, err = s.openDemo(ctx, d, business, o); err != nil {
		return err
	}
	h, err := build(d, o)
	if err != nil {
		return err
	}
	first, err := h.start(ctx, s.Password)
	if err != nil {
		return err
	}
	if first.Made && first.Password != "" {
		fmt.Fprintf(c.out, "\n  用户名 name      %s\n  密码   password  %s\n  只显示这一次,请记下 / shown only this once\n\n", first.Name, first.Password)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.run(background)
	}()
	live := s.runDemo(background, h)
	defer func() {
		stop()
		<-live
		<-done
	}()
	show(h.api)
	c.log.Info("ready", "engine", d.Engine().String(), "addr", listener.Addr().String())

	select {
	case err = <-served:
		return fmt.Errorf("the server ended: %w", err)
	case <-ctx.Done():
	}
	c.log.Info("stopping: what has begun is finished first")
	h.live.Close()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("not everything was finished in %s: %w", drainTime, err)
	}
	return nil
}

// openDemo finds out whether the database is a demo, and makes it one if it is empty and that was asked for.
func (s *serveCmd) openDemo(ctx context.Context, d *db.DB, business *clock.Business, o options) (*sim.Demo, error) {
	if s.SimSpeed < 0 || s.SimSpeed > 600 {
		return nil, errors.New("--sim-speed is 1 to 600")
	}
	if err := d.Migrate(ctx, migrations...); err != nil {
		return nil, err
	}
	if s.Demo != nil && *s.Demo && s.Production {
		return nil, errors.New("a demo is not for production: start without --demo or without --production")
	}
	demo, err := sim.Open(ctx, d, s.Demo != nil && *s.Demo, sim.Options{Clock: business, Speed: s.SimSpeed, Log: o.log})
	if err == nil && demo != nil && s.Production {
		err = errors.Join(errors.New("this database is a demo, and --production is for a real shop: zhanggui demo reset removes it"), demo.Leave(ctx))
	}
	return demo, err
}

// runDemo lets the demo live beside the server, or stand still. The channel is closed when its people have stopped.
func (s *serveCmd) runDemo(ctx context.Context, h *house) <-chan struct{} {
	done := make(chan struct{})
	demo := h.o.demo
	if demo == nil {
		close(done)
		return done
	}
	demo.Work(h.org, h.api, h.runner.Look)
	go func() {
		defer close(done)
		if s.Demo != nil && !*s.Demo {
			demo.Stand(ctx)
		} else {
			demo.Run(ctx)
		}
		if err := demo.Leave(context.WithoutCancel(ctx)); err != nil {
			h.o.log.Warn("the demo could not be left", "err", err)
		}
	}()
	return done
}

// roomForGarbage lets the heap of a server grow to four times what is in use before it is cleared, within
// memory that a small machine has: its heap is small, and clearing it as often as by default costs every sale
// a sixth of its time. Who sets GOGC or GOMEMLIMIT knows better.
func roomForGarbage() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(200 << 20)
	}
}

// trusted refuses a database on which an acknowledged sale could be lost.
func trusted(ctx context.Context, d *db.DB) error {
	settings, err := d.Check(ctx)
	if err != nil {
		return err
	}
	for _, s := range settings {
		if s.Must && !s.OK {
			return fmt.Errorf("the database is not safe to sell on: %s is %s, wanted %s", s.Name, s.Value, s.Want)
		}
	}
	return nil
}
