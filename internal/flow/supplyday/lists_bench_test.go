package supplyday

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/stock"
)

// BenchmarkListsGrow asks for every list of stock documents at a site with a tenth of its life, and with all of it: 50,000 and
// 500,000 batches that came in by four, every one written off. What a page costs must not grow; ratio is many ÷ few.
//
//	go test ./internal/flow/supplyday -run x -bench ListsGrow -benchtime 1x -timeout 30m
func BenchmarkListsGrow(b *testing.B) {
	for _, e := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(e.String(), func(b *testing.B) {
			for b.Loop() {
				c := open(b, dbtest.New(b, e, tables))
				few := c.grow(b, 0, 12_500)
				first := c.lists(b, few)
				many := c.grow(b, 12_500, 125_000)
				for name, ms := range c.lists(b, many) {
					b.Logf("%-28s %7.2f ms %7.2f ms  x%.2f", name, first[name], ms, ms/first[name])
					b.ReportMetric(ms/first[name], name+"-x")
				}
			}
		})
	}
}

var (
	oldDocs    = db.NewMany(`INSERT INTO stock_document (id, kind, site_id, business_date, reason, ref, note, staff_id, made_at, cause_id) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	oldLines   = db.NewMany(`INSERT INTO stock_document_line (document_id, line_no, batch_id, place_id, to_id, qty, value_fen) VALUES `, `(?, ?, ?, ?, ?, ?, ?)`, ``)
	oldBatches = db.NewMany(`INSERT INTO stock_batch (id, value_id, site_id, sku_id, code, made_on, expires_at, received_at, document_id, open, source_id) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
	oldHomes   = db.NewMany(`INSERT INTO ledger_account (id, book, kind, unit, site_id, posted_in, posted_out, pending_in, pending_out, low) VALUES `, `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ``)
)

// grow gives the store receipts of four batches each and their write-offs, a hundred of both a day, and returns the last day.
func (c *chain) grow(b *testing.B, from, to int) cal.Date {
	sku := c.p["cola"].SKU
	day := cal.Date("2026-03-02")
	for from < to {
		n := min(500, to-from)
		if err := c.d.Write(b.Context(), func(tx *db.Tx) error {
			var docs, lines, batches, homes []any
			for i := range n {
				day = cal.Date("2022-01-01").AddDays((from + i) / 100)
				in, out, now := int64(id.New()), int64(id.New()), tx.Now()
				docs = append(docs, in, int64(stock.ReceiptDoc), int64(c.site.ID), string(day), "", fmt.Sprintf("DN-%d", from+i), "", int64(0), now, int64(0),
					out, int64(stock.WriteOffDoc), int64(c.site.ID), string(day), "expired", "", "", int64(0), now, int64(0))
				for l := range int64(4) {
					batch, value := int64(id.New()), int64(id.New())
					homes = append(homes, batch, int64(stock.Book), int64(0), int64(sku), int64(c.site.ID), int64(1000), int64(1000), int64(0), int64(0), int64(0),
						value, int64(stock.ValueBook), int64(0), int64(ledger.CNY), int64(c.site.ID), int64(100), int64(100), int64(0), int64(0), int64(0))
					batches = append(batches, batch, value, int64(c.site.ID), int64(sku), fmt.Sprint(batch), "", now.Add(time.Duration(from+i)*time.Minute), now, in, int64(0), int64(0))
					lines = append(lines, in, l+1, batch, int64(0), int64(0), int64(1000), int64(100), out, l+1, batch, int64(0), int64(0), int64(-1000), int64(-100))
				}
			}
			for _, x := range []struct {
				sql  *db.Many
				args []any
			}{{oldDocs, docs}, {oldHomes, homes}, {oldBatches, batches}, {oldLines, lines}} {
				if err := tx.ExecMany(x.sql, x.args...); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		from += n
	}
	if err := c.d.Vacuum(b.Context()); err != nil {
		b.Fatal(err)
	}
	return day
}

// lists are the medians of what pages of lists take, in ms.
func (c *chain) lists(b *testing.B, last cal.Date) map[string]float64 {
	site := "site_id=" + c.site.ID.String()
	took := map[string]float64{}
	deep := c.done(c.admin, "GET", "/api/receipts?limit=50&"+site+"&to=2022-02-15", nil)["next"].(string)
	for name, path := range map[string]string{
		"receipts":                 "/api/receipts?" + site,
		"receipts-far-down":        "/api/receipts?limit=50&after=" + deep + "&" + site,
		"receipts-of-a-month":      "/api/receipts?from=2022-02-01&to=2022-02-28&" + site,
		"receipts-against-orders":  "/api/receipts?against=order&" + site,
		"receipts-without-order":   "/api/receipts?against=nothing&" + site,
		"receipts-by-words":        "/api/receipts?q=nobody+wrote+this&" + site,
		"documents":                "/api/stock/documents?" + site,
		"write-offs":               "/api/stock/documents?kind=write_off&" + site,
		"counts-of-which-none-are": "/api/stock/documents?kind=stock_count&" + site,
		"documents-of-a-month":     "/api/stock/documents?from=2022-02-01&to=2022-02-28&" + site,
		"of-a-cause":               "/api/stock/documents?cause_id=17&" + site,
		"landed":                   "/api/stock/landed-costs?" + site,
		"transfers":                "/api/stock/transfers?" + site,
		"levels":                   "/api/stock/levels?" + site,
		"batches":                  "/api/stock/batches?" + site,
		"open-batches":             "/api/stock/batches?open=true&" + site,
		"batch-by-code":            "/api/stock/batches?code=NOWHERE&" + site,
	} {
		const turns = 25
		var all []time.Duration
		for range turns {
			begin := time.Now()
			c.done(c.admin, "GET", path, nil)
			all = append(all, time.Since(begin))
		}
		slices.Sort(all)
		took[name] = float64(all[turns/2].Microseconds()) / 1000
	}
	return took
}
