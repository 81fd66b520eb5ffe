package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"zhanggui/internal/forecast"
	"zhanggui/internal/platform/cal"
)

// BacktestCmd replays a sales file: what would have been forecast, and how wrong it would have been.
type BacktestCmd struct {
	Sales    []string `required:"" sep:"," placeholder:"FILE" help:"Sales files, plain or .gz: date|time,product,quantity,[store],[unit],[price_fen],[promo],[sold_out_at]."`
	Weather  string   `placeholder:"FILE" help:"Weather file: date,[store],tmax_c,tmin_c,rain_mm,text."`
	Holidays string   `default:"none" placeholder:"FILE|cn|none" help:"Holiday file (date,name,is_off_day), cn for the Chinese calendar with its festivals, or none."`
	From     string   `placeholder:"DATE" help:"First origin. Default: first date + 182 days."`
	To       string   `placeholder:"DATE" help:"Last origin. Default: last date − horizon."`
	Horizon  int      `default:"7" help:"Days ahead."`
	Step     int      `default:"7" help:"Days between origins."`
	Out      string   `placeholder:"CSV" help:"Write one row per origin, series and day ahead: origin,date,store,product,h,actual,mean,q50,q70,q80,q90,q95,snaive,mean4."`
	JSON     bool     `name:"json" help:"Print the summary as JSON. wape = Σ|error| ÷ Σ actual; pinball = 2 × mean loss ÷ mean actual; coverage counts days with 0 sold and 0 forecast half."`
}

// Run writes the rows to --out and the summary to the console; progress goes to the error channel.
func (k *BacktestCmd) Run(ctx context.Context, c *console) error {
	date := func(text string) (cal.Date, error) {
		if text == "" {
			return "", nil
		}
		return cal.Parse(text)
	}
	from, err := date(k.From)
	if err != nil {
		return err
	}
	to, err := date(k.To)
	if err != nil {
		return err
	}
	p, err := readPanel(k.Sales, k.Holidays, k.Weather, func(rows int) { fmt.Fprintf(c.err, "read %d rows\n", rows) })
	if err != nil {
		return err
	}
	stop := context.Cause
	b := forecast.Backtest{Panel: p, From: from, To: to, Horizon: k.Horizon, Step: k.Step, Workers: runtime.GOMAXPROCS(0),
		Progress: func(done, origins int) error {
			if done == origins || done%10 == 0 {
				fmt.Fprintf(c.err, "forecast %d of %d origins\n", done, origins)
			}
			return stop(ctx)
		}}
	var sum forecast.Summary
	switch k.Out {
	case "":
		sum, err = b.Run(nil)
	case "-":
		sum, err = b.Run(c.out)
	default:
		sum, err = writeWhole(k.Out, b.Run)
	}
	if err != nil {
		return err
	}
	if k.JSON {
		out := json.NewEncoder(c.out)
		out.SetIndent("", "  ")
		return out.Encode(sum)
	}
	return sum.WriteText(c.out)
}

// readPanel reads a history with what is known of its days.
func readPanel(sales []string, holidays, weather string, progress func(rows int)) (*forecast.Panel, error) {
	p, err := forecast.ReadSales(sales, progress)
	if err != nil {
		return nil, err
	}
	switch holidays {
	case "", "none":
	case "cn":
		p.Holidays, p.Lunar = cal.CN(), true
	default:
		if p.Holidays, err = forecast.ReadHolidays(holidays); err != nil {
			return nil, err
		}
	}
	if weather != "" {
		err = p.AddWeather(weather)
	}
	return p, err
}

// writeWhole writes a file that appears only when it is complete; a device or pipe is written straight.
func writeWhole(path string, write func(io.Writer) (forecast.Summary, error)) (forecast.Summary, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return forecast.Summary{}, err
		}
		defer f.Close()
		return write(f)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return forecast.Summary{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sum, err := write(f)
	if err != nil {
		return sum, err
	}
	if err := f.Chmod(0o644); err != nil {
		return sum, err
	}
	if err := f.Close(); err != nil {
		return sum, err
	}
	return sum, os.Rename(f.Name(), path)
}
