package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
)

type serveCmd struct {
	database
	Addr       string `env:"ZHANGGUI_ADDR" default:"127.0.0.1:7300" help:"Address to listen on."`
	TrustProxy bool   `env:"ZHANGGUI_TRUST_PROXY" help:"Believe X-Forwarded-For and X-Forwarded-Proto. Only behind a proxy that always sets them."`
	Password   string `name:"admin-password" env:"ZHANGGUI_ADMIN_PASSWORD" help:"The administrator's password at the first start; made and printed when not given. Better set in the environment."`
}

// drainTime is how long requests that are being handled may still take after a signal to stop.
const drainTime = 20 * time.Second

// Run serves until the context ends. The address answers at once; the API follows when the database
// is open and migrated.
func (s *serveCmd) Run(ctx context.Context, c *console) error {
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (is another server running there?): %w", s.Addr, err)
	}
	h := newHouse(houseOptions{log: c.log, trustProxy: s.TrustProxy})
	server := &http.Server{
		Handler:           h.api,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer server.Close()

	d, err := s.open(ctx, h, c)
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Fprintf(c.out, "掌柜 http://%s  (%s)\n", listener.Addr(), d.Engine())

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := h.run(background, d, c.log)
	select {
	case err = <-served:
		err = fmt.Errorf("the server ended: %w", err)
	case <-ctx.Done():
		c.log.Info("stopping: finishing what is being handled")
		drain, cancel := context.WithTimeout(context.Background(), drainTime)
		err = server.Shutdown(drain)
		cancel()
	}
	stop()
	<-done
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// open opens and migrates the database and prepares an empty one for its first sale.
func (s *serveCmd) open(ctx context.Context, h *house, c *console) (*db.DB, error) {
	d, err := db.Open(ctx, s.DB, db.Options{Business: clock.NewBusiness(), Log: c.log})
	if err != nil {
		return nil, err
	}
	if err := h.start(ctx, d, s.Password, c); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// start migrates, makes what a first start makes, and lets requests in.
func (h *house) start(ctx context.Context, d *db.DB, password string, c *console) error {
	if err := d.Migrate(ctx, migrations...); err != nil {
		return err
	}
	first, err := h.org.Start(ctx, d, password)
	if err != nil {
		return err
	}
	if first.Made && first.Password != "" {
		fmt.Fprintf(c.out, "\n  用户名 name      %s\n  密码   password  %s\n  只显示这一次,请记下 / shown only this once\n\n", first.Name, first.Password)
	}
	h.api.Open(d)
	return nil
}

// run keeps the background work going until the context ends; the channel closes when all of it has.
func (h *house) run(ctx context.Context, d *db.DB, log interface{ Error(string, ...any) }) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		flush := time.NewTicker(10 * time.Second)
		defer flush.Stop()
		for {
			select {
			case <-flush.C:
				if err := h.org.Flush(ctx); err != nil {
					log.Error("last use of sessions not stored", "error", err.Error())
				}
			case <-ctx.Done():
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
				defer cancel()
				if err := h.org.Flush(last); err != nil {
					log.Error("last use of sessions not stored", "error", err.Error())
				}
				return
			}
		}
	}()
	return done
}
