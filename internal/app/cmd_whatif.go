package app

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"zhanggui/internal/flow/intake"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/errs"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/sim"
)

// whatifCmd replays a shop's own history under other ways of ordering.
type whatifCmd struct {
	Sales    []string `required:"" sep:"," placeholder:"FILE" help:"Sales files, plain or .gz: date|time,product,quantity,[store],[unit],[price_fen],[promo],[sold_out_at]."`
	Life     int      `required:"" placeholder:"1|2|3" help:"Days the goods can be sold."`
	PriceFen int64    `placeholder:"N" help:"Sales price of one unit, with --cost-fen, the same for all products."`
	CostFen  int64    `placeholder:"N" help:"Cost of one unit."`
	Products string   `placeholder:"FILE" help:"Instead: a products file; price_fen and batch_size of each product count."`
	CostPct  int64    `default:"55" placeholder:"N" help:"With --products: cost in per cent of the sales price."`
	Policy   string   `default:"all" enum:"manual,mean,engine,all" help:"manual: last week, same day. mean: four weeks' mean and .52 standard deviations. engine: the forecast's quantile."`
	Service  float64  `placeholder:"Q" help:"Quantile the engine orders at, .5 to .97. Default: .70 for a life of one day, .90 for two, .95 for three."` //allow:float a quantile, not money
	Weather  string   `placeholder:"FILE" help:"Weather file, as for backtest."`
	Holidays string   `default:"none" placeholder:"FILE|cn|none" help:"As for backtest."`
	From     string   `placeholder:"DATE" help:"First day. Default: when half of the history, at most 182 days, is known."`
	To       string   `placeholder:"DATE" help:"Last day. Default: the last."`
	JSON     bool     `name:"json" help:"Print as JSON: policies [{policy, stockout_days, lost_units, waste_units, margin_fen}], at_equal_stockout {policy: waste_units} when each is out of stock as often as the engine."`
}

// Run replays and prints.
func (k *whatifCmd) Run(ctx context.Context, c *console) error {
	r := sim.Replay{Life: k.Life, Service: k.Service, Workers: runtime.GOMAXPROCS(0)}
	var err error
	for text, at := range map[string]*cal.Date{k.From: &r.From, k.To: &r.To} {
		if text == "" {
			continue
		}
		if *at, err = cal.Parse(text); err != nil {
			return err
		}
	}
	if r.Goods, err = k.worth(); err != nil {
		return err
	}
	if k.Policy != "all" {
		r.Policies = []sim.Policy{sim.Policy(k.Policy)}
	}
	if r.Panel, err = readPanel(k.Sales, k.Holidays, k.Weather, func(rows int) { fmt.Fprintf(c.err, "read %d rows\n", rows) }); err != nil {
		return err
	}
	r.Progress = func(done, days int) error {
		if done%50 == 0 || done == days {
			fmt.Fprintf(c.err, "replayed %d of %d days\n", done, days)
		}
		return context.Cause(ctx)
	}
	out, err := r.Run()
	if err != nil {
		return err
	}
	if k.JSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
	_, err = fmt.Fprint(c.out, out.Text())
	return err
}

// errWorth refuses a replay without, or with two kinds of, prices.
var errWorth = errs.Define("whatif_prices", errs.Invalid,
	"请给出 --price-fen 和 --cost-fen,或者 --products", "Give --price-fen with --cost-fen, or --products")

// worth tells what each product costs and brings.
func (k *whatifCmd) worth() (func(shop, product string) (sim.Goods, error), error) {
	if (k.PriceFen > 0) == (k.Products != "") {
		return nil, errWorth
	}
	if k.Products == "" {
		g := sim.Goods{Price: money.Fen(k.PriceFen), Cost: money.Fen(k.CostFen)}
		return func(string, string) (sim.Goods, error) { return g, nil }, nil
	}
	if k.CostPct < 0 || k.CostPct > 99 {
		return nil, errs.As(sim.ErrReplayWorth.With("product", "*")).At("cost_pct")
	}
	rows, refused, err := intake.ReadFile(intake.Products, k.Products)
	if err != nil {
		return nil, err
	}
	if len(refused) > 0 {
		return nil, fmt.Errorf("%s line %d, %s: %s", k.Products, refused[0].Err.Row, refused[0].Err.Field, refused[0].Err.Text("en"))
	}
	known := map[string]sim.Goods{}
	for _, row := range rows {
		p := row.Row.(intake.ProductRow)
		if _, again := known[p.Product]; again || p.Price == nil {
			continue // the first unit with a price is the one it is sold by
		}
		cost, err := money.MulDiv(int64(*p.Price), k.CostPct, 100)
		if err != nil {
			return nil, err
		}
		known[p.Product] = sim.Goods{Price: *p.Price, Cost: money.Fen(cost), Batch: perUnit(p.BatchSize, p.Num, p.Den)}
	}
	return func(_, product string) (sim.Goods, error) {
		g, ok := known[product]
		if !ok {
			return g, fmt.Errorf("%s has no price for product %s", k.Products, product)
		}
		return g, nil
	}, nil
}

// perUnit is a batch in base units as sales units of num ÷ den base units.
func perUnit(batch qty.Qty, num, den int64) float64 { //allow:float units of a simulation
	if batch <= 0 || num <= 0 {
		return 0
	}
	return batch.Approx() * float64(den) / float64(num) //allow:float units of a simulation
}
