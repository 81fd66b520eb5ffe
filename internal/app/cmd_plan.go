package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"zhanggui/internal/flow/intake"
	"zhanggui/internal/flow/supplyday"
	"zhanggui/internal/forecast"
	"zhanggui/internal/party"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/qty"
)

// planCmd makes the plan of a day from files: what to make, what that takes, what to order.
type planCmd struct {
	Sales     []string `required:"" sep:"," placeholder:"FILE" help:"Sales files, plain or .gz: date|time,product,quantity,[store],[unit],[price_fen],[promo],[sold_out_at]."`
	Products  string   `required:"" placeholder:"FILE" help:"product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct"`
	Recipes   string   `required:"" placeholder:"FILE" help:"product,yield_qty,yield_unit,component,qty,unit,loss,loss_rule,valid_from; CSV or Excel. A component may have rows itself."`
	Suppliers string   `required:"" placeholder:"FILE" help:"supplier,name,product,pack_qty,unit,price_fen4,min_packs,lead_class,lead_h,order_days,cut_off; CSV or Excel. price_fen4 is of one unit."`
	Stock     string   `placeholder:"FILE" help:"store,product,batch,qty,unit,expires_at,cost_fen. Counts when it is still in date as the business day begins (04:00)."`
	Date      string   `required:"" placeholder:"DATE" help:"The day to plan, at most 56 days after the last sale. The plan is made on the day after the last sale."`
	Store     string   `placeholder:"STORE" help:"Only this store. Default: all of the sales file."`
	Produce   string   `placeholder:"PRODUCT=QTY,…" help:"Make these quantities, in base units and for each store, instead of what a forecast asks for."`
	Out       string   `required:"" placeholder:"DIR" help:"Folder for production.csv, requirements.csv and orders.csv. Quantities are in base units. Same input, same bytes."`
	JSON      bool     `name:"json" help:"Print the summary as JSON."`
}

// planZone is the clock of files that know no sites.
const planZone = "Asia/Shanghai"

// Run writes three files, all or none, and a summary.
func (k *planCmd) Run(ctx context.Context, c *console) error {
	date, err := cal.Parse(k.Date)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(planZone)
	if err != nil {
		return err
	}
	f := supplyday.Files{Sales: filepath.Base(k.Sales[0]), Date: date, Store: k.Store, Produce: k.Produce, Workers: runtime.GOMAXPROCS(0),
		Metric: intake.Metric, Zone: zone}
	refused, err := k.read(&f)
	if err != nil {
		return err
	}
	if f.Panel, err = forecast.ReadSales(k.Sales, func(int) {}); err != nil {
		return err
	}
	var made *supplyday.Made
	if len(refused) == 0 {
		if made, refused, err = supplyday.PlanFiles(f); err != nil {
			return err
		}
	}
	if len(refused) > 0 {
		for _, r := range refused {
			fmt.Fprintf(c.err, "%s line %d, %s: %s\n", r.File, r.Err.Row, r.Err.Field, r.Err.Text("en"))
		}
		return exit{exitWrong, fmt.Errorf("%d rows are wrong; nothing was planned", len(refused))}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := writeTables(k.Out, made.Production, made.Requirements, made.Orders); err != nil {
		return err
	}
	for _, l := range made.Summary.Lacking {
		fmt.Fprintf(c.err, "nobody supplies %s: %s %s for store %s\n", l.Product, l.Qty, l.Unit, l.Store)
	}
	if k.JSON {
		out := json.NewEncoder(c.out)
		out.SetIndent("", "  ")
		return out.Encode(made.Summary)
	}
	s := made.Summary
	fmt.Fprintf(c.out, "%s planned on %s: %d stores, %d rounds of making, %d requirements, %d order lines (%d too late) for %s yuan\n",
		s.Date, s.PlannedOn, s.Stores, s.Rounds, s.Needs, s.Orders, s.Late, s.AmountFen.Yuan())
	return nil
}

// read takes the files row by row; what is wrong with any row is told of all at once.
func (k *planCmd) read(f *supplyday.Files) (refused []supplyday.Refused, err error) {
	each := func(kind intake.Kind, path string, add func(at supplyday.At, row any)) error {
		if path == "" {
			return nil
		}
		rows, bad, err := intake.ReadFile(kind, path)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		for _, r := range bad {
			refused = append(refused, supplyday.Refused{File: r.File, Err: r.Err})
		}
		for _, r := range rows {
			add(supplyday.At{File: filepath.Base(path), Line: r.Line}, r.Row)
		}
		return nil
	}
	for _, one := range []struct {
		kind intake.Kind
		path string
		add  func(at supplyday.At, row any)
	}{
		{intake.Products, k.Products, func(at supplyday.At, row any) {
			r := row.(intake.ProductRow)
			f.Products = append(f.Products, supplyday.ProductLine{At: at, Code: r.Product, Name: r.Name, BaseUnit: r.BaseUnit, Unit: r.Unit, Num: r.Num, Den: r.Den,
				Barcode: r.Barcode, LifeH: r.ShelfLifeH, Batch: r.BatchSize})
		}},
		{intake.Recipes, k.Recipes, func(at supplyday.At, row any) {
			r := row.(intake.RecipeRow)
			f.Recipes = append(f.Recipes, supplyday.RecipeLine{At: at, Product: r.Product, Yield: r.Yield, YieldUnit: r.YieldUnit, Component: r.Component,
				Qty: r.Qty, Unit: r.Unit, Loss: r.Loss, Rule: r.Rule, From: r.From})
		}},
		{intake.Suppliers, k.Suppliers, func(at supplyday.At, row any) {
			r := row.(intake.SupplierRow)
			f.Offers = append(f.Offers, supplyday.OfferLine{At: at, Supplier: r.Supplier, Name: r.Name, Product: r.Product, Unit: r.Unit,
				Terms: party.Terms{Pack: r.Pack, Unit: qty.Unit{}, Price: r.Price, MinPacks: r.MinPacks, Class: r.Class, LeadHours: r.LeadHours, Days: r.Days, CutOff: r.CutOff}})
		}},
		{intake.Stock, k.Stock, func(at supplyday.At, row any) {
			r := row.(intake.StockRow)
			l := supplyday.StockLine{At: at, Store: r.Store, Product: r.Product, Batch: r.Batch, Unit: r.Unit, Qty: r.Qty}
			if r.Expires != nil {
				l.Until = r.Until(f.Zone)
			}
			f.Stock = append(f.Stock, l)
		}},
	} {
		if err := each(one.kind, one.path, one.add); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// writeTables writes the files of a plan: first all of them beside their places, then into place.
func writeTables(dir string, tables ...supplyday.Table) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var written []string
	defer func() {
		for _, name := range written {
			os.Remove(name)
		}
	}()
	for _, t := range tables {
		f, err := os.CreateTemp(dir, "."+t.Name+"-*")
		if err != nil {
			return err
		}
		written = append(written, f.Name())
		if err := write(f, t.Write); err != nil {
			return err
		}
	}
	for i, t := range tables {
		if err := os.Rename(written[i], filepath.Join(dir, t.Name)); err != nil {
			return err
		}
	}
	return nil
}

func write(f *os.File, content func(io.Writer) error) error {
	if err := content(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
