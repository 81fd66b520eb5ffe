package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/id"
)

// ImportReport is what an import does to the tills beside it.
type ImportReport struct {
	Engine        string  `json:"engine"`
	Rows          int     `json:"rows"`
	ImportSeconds float64 `json:"import_seconds"`
	State         string  `json:"state"`
	RowsNew       int     `json:"rows_new"`
	Failed        int64   `json:"failed"`
	AloneSales    int64   `json:"alone_sales"`
	AloneP50      float64 `json:"alone_p50_ms"`
	AloneP99      float64 `json:"alone_p99_ms"`
	DuringSales   int64   `json:"during_sales"`
	DuringP50     float64 `json:"during_p50_ms"`
	DuringP99     float64 `json:"during_p99_ms"`
	P99Ratio      float64 `json:"p99_ratio"`
}

// pace between two sales of one till: a till that waits for customers, not a flood.
const pace = 40 * time.Millisecond

// openShop starts the server, with tills that sell at the pace of people, and somebody beside them.
func openShop(ctx context.Context, h House, f *fixture, o SaleOptions, command []string) (child *server, tills []*till, api *caller, err error) {
	if child, err = startServer(ctx, command, o.DSN, h.Admin); err != nil {
		return nil, nil, nil, err
	}
	if tills, err = openTills(ctx, child, f, o); err == nil {
		api, err = newCaller(ctx, child)
	}
	if err != nil {
		child.stop()
		return nil, nil, nil, err
	}
	for _, t := range tills {
		t.pace = pace
	}
	return child, tills, api, nil
}

// Importing sells at a steady pace, first alone and then while a file of so many rows of sales history is
// imported through the API, and compares.
func Importing(ctx context.Context, h House, o SaleOptions, rows int, server []string) (*ImportReport, error) {
	note := o.Note
	note("making the fixture")
	f, err := makeFixture(ctx, h, o)
	if err != nil {
		return nil, err
	}
	child, tills, api, err := openShop(ctx, h, f, o, server)
	if err != nil {
		return nil, err
	}
	defer child.stop()
	note("selling alone")
	alone, err := sellUntil(ctx, tills, time.After(time.Duration(o.Seconds)*time.Second))
	if err != nil {
		return nil, err
	}
	note("selling beside the import")
	type ended struct {
		view importView
		err  error
	}
	result := make(chan ended, 1)
	done := make(chan time.Time)
	start := time.Now()
	go func() {
		view, err := api.importSales(ctx, f.history(rows))
		result <- ended{view, err}
		close(done)
	}()
	during, err := sellUntil(ctx, tills, done)
	if err != nil {
		return nil, err
	}
	end := <-result
	if end.err != nil {
		return nil, end.err
	}
	slices.Sort(alone.times)
	slices.Sort(during.times)
	r := &ImportReport{Engine: h.DB.Engine().String(), Rows: rows, ImportSeconds: time.Since(start).Seconds(), State: end.view.State, RowsNew: end.view.RowsNew,
		Failed: alone.failed + during.failed, AloneSales: alone.sales, AloneP50: quantile(alone.times, .5), AloneP99: quantile(alone.times, .99),
		DuringSales: during.sales, DuringP50: quantile(during.times, .5), DuringP99: quantile(during.times, .99)}
	r.P99Ratio = r.DuringP99 / r.AloneP99
	for _, f := range []*float64{&r.ImportSeconds, &r.AloneP50, &r.AloneP99, &r.DuringP50, &r.DuringP99, &r.P99Ratio} {
		*f = round3(*f)
	}
	return r, nil
}

// history is a compressed file of sales by day: every product at every site, day after day back from yesterday.
func (f *fixture) history(rows int) []byte {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	fmt.Fprintln(z, "date,product,quantity,store,unit")
	day := cal.On(time.Now().UTC()).AddDays(-2)
	for n := 0; n < rows; {
		for _, site := range f.sites {
			for p := range f.products {
				if n++; n > rows {
					break
				}
				fmt.Fprintf(z, "%s,P%05d,%d,%s,%s\n", day, p+1, 1+(n*7)%23, site.Code, fixtureUnit)
			}
		}
		day = day.AddDays(-1)
	}
	z.Close()
	return file.Bytes()
}

type importView struct {
	ID      string
	State   string
	RowsNew int `json:"rows_new"`
	Error   json.RawMessage
}

// caller is a person beside the tills.
type caller struct {
	addr, cookie string
}

func newCaller(ctx context.Context, s *server) (*caller, error) {
	cookie, err := signIn(ctx, s.addr, s.password)
	return &caller{s.addr, cookie}, err
}

func (c *caller) call(ctx context.Context, method, path, media string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", c.cookie)
	if method != http.MethodGet {
		req.Header.Set("Content-Type", media)
		req.Header.Set("Idempotency-Key", id.New().String())
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %s", method, path, res.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

// importSales uploads a file, runs it and waits for its end.
func (c *caller) importSales(ctx context.Context, file []byte) (importView, error) {
	var v importView
	if err := c.call(ctx, http.MethodPost, "/api/imports?kind=sales&file_name=history.csv.gz", "text/csv", file, &v); err != nil {
		return v, err
	}
	if err := c.call(ctx, http.MethodPost, "/api/imports/"+v.ID+"/run", "application/json", []byte(`{"mode":"all"}`), &v); err != nil {
		return v, err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := c.call(ctx, http.MethodGet, "/api/imports/"+v.ID, "", nil, &v); err != nil {
			return v, err
		}
		switch v.State {
		case "applied":
			return v, nil
		case "refused", "failed", "cancelled":
			return v, fmt.Errorf("the import ended as %s: %s", v.State, v.Error)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}
