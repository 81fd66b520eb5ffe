package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"zhanggui/internal/bench"
	"zhanggui/internal/platform/db"
)

// benchCmd measures the product on this machine.
type benchCmd struct {
	Sale benchSaleCmd `cmd:"" help:"Sales through HTTP, beside what the database alone can do with the same rows."`
}

type benchSaleCmd struct {
	DB      string `name:"db" placeholder:"DSN" help:"An EMPTY database: it is filled, and left for 'check'. Default: a SQLite file of its own, removed at the end."`
	Clients int    `default:"8" help:"Tills that sell at the same time."`
	Seconds int    `default:"20" help:"Seconds of selling; the floor gets as many."`
	Lines   int    `default:"8" help:"Lines of a basket."`
	Sites   int    `default:"20" help:"Sites."`
	SKUs    int    `name:"skus" default:"500" help:"SKUs of every site."`
	OneSite bool   `help:"All clients sell at one site."`
	Keep    bool   `help:"Keep the database file when --db is not given, and say where it is."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// Run fills the database, measures and prints.
func (k *benchSaleCmd) Run(ctx context.Context, c *console) error {
	if k.Clients < 1 || k.Clients > 64 || k.Seconds < 1 || k.Seconds > 3600 || k.Sites < 1 || k.Sites > 1000 || k.SKUs < 1 || k.SKUs > 20_000 || k.Lines < 1 || k.Lines > min(200, k.SKUs) {
		return fmt.Errorf("--clients is 1 to 64, --seconds 1 to 3600, --sites 1 to 1000, --skus 1 to 20000, --lines 1 to 200 and no more than the SKUs")
	}
	if k.DB == "" {
		dir, err := os.MkdirTemp("", "zhanggui-bench-")
		if err != nil {
			return err
		}
		k.DB = "sqlite:" + filepath.Join(dir, "bench.db")
		if k.Keep {
			fmt.Fprintln(c.err, "database:", k.DB)
		} else {
			defer os.RemoveAll(dir)
		}
	}
	quiet := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelError}))
	d, err := db.Open(ctx, k.DB, db.Options{Conns: k.Clients + 1, Log: quiet})
	if err != nil {
		return err
	}
	defer d.Close()
	h, err := build(d, options{log: quiet})
	if err != nil {
		return err
	}
	if err := d.Migrate(ctx, migrations...); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := bench.Sales(ctx, bench.House{DB: d, Org: h.org, Goods: h.goods, Prices: h.prices, Sales: h.sales, Admin: benchPassword()},
		bench.SaleOptions{DSN: k.DB, Clients: k.Clients, Seconds: k.Seconds, Lines: k.Lines, Sites: k.Sites, SKUs: k.SKUs, OneSite: k.OneSite, Open: 3, Used: 30,
			Note: func(s string) { fmt.Fprintln(c.err, s) }}, []string{self, "serve"})
	if err != nil {
		return err
	}
	if k.JSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	} else {
		_, err = fmt.Fprintf(c.out, `%s, %d clients, %.1f s
%d sales, %d failed: %.0f sales/s, p50 %.1f ms, p99 %.1f ms, %.2f ms CPU and %.1f rows a sale, server memory %.0f MiB
floor: %.0f sales/s, %.2f ms CPU and %.1f rows a sale; ratio %.2f
`, r.Engine, r.Clients, r.Seconds, r.Sales, r.Failed, r.SalesPerS, r.P50, r.P99, r.CPU, r.Rows, r.ServerRSSMiB, r.FloorSales, r.FloorCPU, r.FloorRows, r.FloorRatio)
	}
	if err != nil {
		return err
	}
	if r.Failed > 0 {
		return exit{exitWrong, fmt.Errorf("%d sales failed", r.Failed)}
	}
	return nil
}

// benchPassword is the administrator's of the measured installation.
func benchPassword() string {
	if p := os.Getenv("ZHANGGUI_ADMIN_PASSWORD"); p != "" {
		return p
	}
	return "measure-" + fmt.Sprint(os.Getpid()) + "-twice"
}
