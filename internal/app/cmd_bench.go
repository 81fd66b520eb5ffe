package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"zhanggui/internal/bench"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
)

// benchCmd measures the product on this machine.
type benchCmd struct {
	Sale   benchSaleCmd   `cmd:"" help:"Sales through HTTP, beside what the database alone can do with the same rows."`
	Import benchImportCmd `cmd:"" help:"What a large import does to the tills beside it."`
	Night  benchNightCmd  `cmd:"" help:"What the forecasts and plans of a night do to the tills beside them."`
	Stock  benchStockCmd  `cmd:"" help:"What a hold, a sale, a receipt and a statement cost with few batches and with ten times as many."`
	Ledger benchLedgerCmd `cmd:"" help:"Reading the statement of an account with very many movements."`
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
	h, end, err := openMeasured(ctx, c, &k.DB, k.Keep, k.Clients)
	if err != nil {
		return err
	}
	defer end()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := bench.Sales(ctx, h,
		bench.SaleOptions{DSN: k.DB, Clients: k.Clients, Seconds: k.Seconds, Lines: k.Lines, Sites: k.Sites, SKUs: k.SKUs, OneSite: k.OneSite, Open: 3, Used: 30,
			Note: func(s string) { fmt.Fprintln(c.err, s) }}, []string{self, "serve"})
	if err != nil {
		return err
	}
	if k.JSON {
		err = writeJSON(c.out, r)
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

type benchImportCmd struct {
	DB   string `name:"db" placeholder:"DSN" help:"An EMPTY database: it is filled, and left for 'check'. Default: a SQLite file of its own, removed at the end."`
	Rows int    `default:"1000000" help:"Rows of the imported file."`
	Keep bool   `help:"Keep the database file when --db is not given, and say where it is."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run fills the database, measures and prints.
func (k *benchImportCmd) Run(ctx context.Context, c *console) error {
	if k.Rows < 1 || k.Rows > 10_000_000 {
		return fmt.Errorf("--rows is 1 to 10000000")
	}
	const clients = 4
	h, end, err := openMeasured(ctx, c, &k.DB, k.Keep, clients)
	if err != nil {
		return err
	}
	defer end()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := bench.Importing(ctx, h, bench.SaleOptions{DSN: k.DB, Clients: clients, Seconds: 15, Lines: 8, Sites: 5, SKUs: 500, Open: 3, Used: 3,
		Note: func(s string) { fmt.Fprintln(c.err, s) }}, k.Rows, []string{self, "serve"})
	if err != nil {
		return err
	}
	if k.JSON {
		return writeJSON(c.out, r)
	}
	_, err = fmt.Fprintf(c.out, "%s: %d rows in %.1f s; a sale's p99 %.1f ms alone, %.1f ms beside the import: ratio %.2f\n", r.Engine, r.Rows, r.ImportSeconds, r.AloneP99, r.DuringP99, r.P99Ratio)
	return err
}

type benchNightCmd struct {
	DB    string `name:"db" placeholder:"DSN" help:"An EMPTY database: it is filled, and left for 'check'. Default: a SQLite file of its own, removed at the end."`
	Sites int    `default:"6" help:"Stores."`
	Fresh int    `default:"300" help:"Products that are forecast, at each."`
	Shelf int    `default:"700" help:"Products that are ordered by their level, at each."`
	Days  int    `default:"200" help:"Days of history."`
	Keep  bool   `help:"Keep the database file when --db is not given, and say where it is."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// Run fills the database, measures and prints.
func (k *benchNightCmd) Run(ctx context.Context, c *console) error {
	switch {
	case k.Sites < 1 || k.Sites > 100:
		return fmt.Errorf("--sites is 1 to 100")
	case k.Fresh < 8 || k.Fresh > 1000:
		return fmt.Errorf("--fresh is 8 to 1000")
	case k.Shelf < 0 || k.Shelf > 5000:
		return fmt.Errorf("--shelf is 0 to 5000")
	case k.Days < 60 || k.Days > 730:
		return fmt.Errorf("--days is 60 to 730")
	}
	const clients = 4
	h, end, err := openMeasured(ctx, c, &k.DB, k.Keep, clients)
	if err != nil {
		return err
	}
	defer end()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := bench.Evening(ctx, h, bench.SaleOptions{DSN: k.DB, Clients: clients, Seconds: 15, Lines: 8, Sites: k.Sites, SKUs: k.Fresh + k.Shelf, Open: 3, Used: 3,
		Note: func(s string) { fmt.Fprintln(c.err, s) }}, k.Fresh, k.Days, []string{self, "serve"})
	if err != nil {
		return err
	}
	if k.JSON {
		return writeJSON(c.out, r)
	}
	_, err = fmt.Fprintf(c.out, "%s, %d sites: a sale's p99 %.1f ms alone, %.1f ms beside a night that trains (%.0f s), %.1f ms beside a night (%.0f s): ratios %.2f and %.2f; %d lines, %d failed\n",
		r.Engine, r.Sites, r.Alone.P99, r.Training.P99, r.Training.Seconds, r.Nightly.P99, r.Nightly.Seconds, r.Training.Ratio, r.Nightly.Ratio, r.Orders, r.Failed)
	return err
}

type benchStockCmd struct {
	DB      string `name:"db" placeholder:"DSN" help:"An EMPTY database: it is filled, and left for 'check'. Default: a SQLite file of its own, removed at the end."`
	Batches int    `default:"500000" help:"Batches at the end, most of them used up; the first measurement is with a tenth of them."`
	Keep    bool   `help:"Keep the database file when --db is not given, and say where it is."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// Run fills the database, measures and prints.
func (k *benchStockCmd) Run(ctx context.Context, c *console) error {
	if k.Batches < 100_000 || k.Batches > 5_000_000 {
		return fmt.Errorf("--batches is 100000 to 5000000")
	}
	h, end, err := openMeasured(ctx, c, &k.DB, k.Keep, 1)
	if err != nil {
		return err
	}
	defer end()
	r, err := bench.Stock(ctx, h, k.Batches, func(s string) { fmt.Fprintln(c.err, s) })
	if err != nil {
		return err
	}
	if k.JSON {
		return writeJSON(c.out, r)
	}
	for _, t := range []bench.StockTimes{r.Few, r.Many} {
		if _, err := fmt.Fprintf(c.out, "%s, %d batches: hold p50 %.2f ms, p99 %.2f ms (%.2f and %.2f of a commit's); sale %.2f ms, receipt %.2f ms, statement %.2f ms\n",
			r.Engine, t.Batches, t.HoldP50, t.HoldP99, t.HoldOf50, t.HoldOf99, t.Sale, t.Receipt, t.Statement); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(c.out, "count of %d lines: listed in %.0f ms, posted in %.0f ms, longest step %.0f ms\n", r.Count.Lines, r.Count.List, r.Count.Post, r.Count.Step); err != nil {
		return err
	}
	g := r.Growth
	_, err = fmt.Fprintf(c.out, "growth: hold x%.2f, sale x%.2f, receipt x%.2f, statement x%.2f\n", g.Hold, g.Sale, g.Receipt, g.Statement)
	return err
}

type benchLedgerCmd struct {
	DB        string `name:"db" placeholder:"DSN" help:"An EMPTY database: it is filled. Default: a SQLite file of its own, removed at the end."`
	Movements int    `default:"1000000" help:"Movements of the account, over a year."`
	Keep      bool   `help:"Keep the database file when --db is not given, and say where it is."`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// Run fills the database, measures and prints.
func (k *benchLedgerCmd) Run(ctx context.Context, c *console) error {
	if k.Movements < 100_000 || k.Movements > 10_000_000 {
		return fmt.Errorf("--movements is 100000 to 10000000")
	}
	h, end, err := openMeasured(ctx, c, &k.DB, k.Keep, 1)
	if err != nil {
		return err
	}
	defer end()
	r, err := bench.Ledger(ctx, h, k.Movements, func(s string) { fmt.Fprintln(c.err, s) })
	if err != nil {
		return err
	}
	if k.JSON {
		return writeJSON(c.out, r)
	}
	_, err = fmt.Fprintf(c.out, "%s, %d movements in %d days: newest 50 of a month with opening balance p50 %.2f ms, p99 %.2f ms; of all days %.2f ms; the page after %.2f ms\n",
		r.Engine, r.Movements, r.Days, r.P50, r.P99, r.AllP50, r.PageP50)
	return err
}

// openMeasured opens the database of a measurement; without one it makes a file of its own.
func openMeasured(ctx context.Context, c *console, dsn *string, keep bool, clients int) (h bench.House, end func(), err error) {
	end = func() {}
	if *dsn == "" {
		dir, err := os.MkdirTemp("", "zhanggui-bench-")
		if err != nil {
			return h, end, err
		}
		*dsn = "sqlite:" + filepath.Join(dir, "bench.db")
		if keep {
			fmt.Fprintln(c.err, "database:", *dsn)
		} else {
			end = func() { os.RemoveAll(dir) }
		}
	}
	quiet := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelError}))
	d, err := db.Open(ctx, *dsn, db.Options{Conns: clients + 1, Log: quiet})
	if err != nil {
		end()
		return h, end, err
	}
	remove := end
	end = func() {
		d.Close()
		remove()
	}
	var parts *house
	if parts, err = build(d, options{log: quiet}); err == nil {
		err = d.Migrate(ctx, migrations...)
	}
	if err != nil {
		end()
		return h, end, err
	}
	return bench.House{DB: d, Org: parts.org, Goods: parts.goods, Prices: parts.prices, Sales: parts.sales, Admin: benchPassword(),
		Days: func(ctx context.Context) error {
			return parts.figures.Roll(ctx, d, clock.Wall.Now().Add(time.Minute), nil)
		}}, end, nil
}

func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
