package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"zhanggui/internal/ledger"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/qty"
	"zhanggui/internal/stock"
	registers "zhanggui/internal/till"
)

// StockReport tells what acts cost with few batches and with many. Times are of one act alone, committed, in ms.
type StockReport struct {
	Engine string     `json:"engine"`
	Few    StockTimes `json:"few"`
	Many   StockTimes `json:"many"`
	Count  CountTimes `json:"count"` // a stock count beside all the batches
	Growth struct {
		Hold      float64 `json:"hold"`
		Sale      float64 `json:"sale"`
		Receipt   float64 `json:"receipt"`
		Statement float64 `json:"statement"`
	} `json:"growth"` // of the medians, from few to many
}

// StockTimes are times beside so many batches. A commit is an act that writes one small row: what the engine and the disk take
// for making anything durable, below which no act can come. What an act takes of it is told as a ratio, median to median and p99
// to p99 of the same run: a disk that is busy raises both, our code only the one. A hold takes one SKU by earliest expiry, a sale
// and a receipt have eight lines, a statement is that of the batch that a sale has taken from.
type StockTimes struct {
	Batches   int64   `json:"batches"`
	CommitP50 float64 `json:"commit_p50_ms"`
	CommitP99 float64 `json:"commit_p99_ms"`
	HoldP50   float64 `json:"hold_p50_ms"`
	HoldP99   float64 `json:"hold_p99_ms"`
	HoldOf50  float64 `json:"hold_p50_of_commit"`
	HoldOf99  float64 `json:"hold_p99_of_commit"`
	Sale      float64 `json:"sale_p50_ms"`
	Receipt   float64 `json:"receipt_p50_ms"`
	Statement float64 `json:"statement_p50_ms"`
}

const (
	growthActs  = 400 // of each kind, at each size
	growthSites = 20
	growthSKUs  = 500
	growthOpen  = 3 // open batches of each SKU at each site; the rest are used up
)

// CountTimes are what it takes to post a stock count of which every line differs: Post is what the job does, in steps.
type CountTimes struct {
	Lines int64   `json:"lines"`
	List  float64 `json:"list_ms"` // to make the list
	Post  float64 `json:"post_ms"`
	Step  float64 `json:"longest_step_ms"` // what a till beside it may wait for
}

const (
	countedGoods = 5000
	countStaff   = id.ID(1)
)

// Stock fills the database with a tenth of the batches, measures, fills it up, and measures again.
func Stock(ctx context.Context, h House, batches int, note func(string)) (*StockReport, error) {
	ctx = org.WithSystem(ctx)
	each := growthSites * growthSKUs // one batch of every SKU at every site
	few := max(growthOpen+1, batches/10/each)
	o := SaleOptions{Clients: 1, Lines: 8, Sites: growthSites, SKUs: growthSKUs, Open: growthOpen, Used: few - growthOpen}
	note(fmt.Sprintf("making %d batches", few*each))
	f, err := makeFixture(ctx, h, o)
	if err != nil {
		return nil, err
	}
	w, err := newFloor(ctx, h, f, o)
	if err != nil {
		return nil, err
	}
	r := &StockReport{Engine: h.DB.Engine().String()}
	if r.Few, err = w.stockTimes(ctx); err != nil {
		return nil, err
	}
	note(fmt.Sprintf("making %d more", batches-few*each))
	for n := few; n < batches/each; n++ {
		for _, site := range f.sites {
			if err := f.batch(ctx, h, site, n, true); err != nil {
				return nil, err
			}
		}
	}
	if err := h.DB.Vacuum(ctx); err != nil {
		return nil, err
	}
	if r.Many, err = w.stockTimes(ctx); err != nil {
		return nil, err
	}
	note(fmt.Sprintf("counting %d products", countedGoods))
	if r.Count, err = f.count(ctx, h, o, batches/each); err != nil {
		return nil, err
	}
	r.Growth.Hold, r.Growth.Sale = ratio(r.Many.HoldP50, r.Few.HoldP50), ratio(r.Many.Sale, r.Few.Sale)
	r.Growth.Receipt, r.Growth.Statement = ratio(r.Many.Receipt, r.Few.Receipt), ratio(r.Many.Statement, r.Few.Statement)
	return r, nil
}

func ratio(a, b float64) float64 { return math.Round(a/b*1000) / 1000 }

// stockTimes does the acts in turns, so that a busy second of the machine does not fall on one kind alone.
func (w *floor) stockTimes(ctx context.Context) (t StockTimes, err error) {
	var commits, holds, sales, receipts, statements []time.Duration
	clock := func(into *[]time.Duration, act func() error) {
		if err == nil {
			start := time.Now()
			err = act()
			*into = append(*into, time.Since(start))
		}
	}
	const warm = 40
	for i := range growthActs + warm {
		site, goods := w.f.basket(w.luck, w.o)
		date := site.BusinessDate(time.Now())
		doc := ledger.Document{Kind: registers.SaleDoc, ID: id.New(), Site: site.ID, Date: date}
		var taken id.ID
		clock(&commits, func() error {
			key := doc.ID.String()
			return w.h.DB.Write(ctx, func(tx *db.Tx) error {
				_, _, err := once.Do(tx, "commit", key, once.Hash([]byte(key)), func() ([]byte, error) { return []byte("{}"), nil })
				return err
			})
		})
		clock(&holds, func() error {
			return w.h.DB.Write(ctx, func(tx *db.Tx) error {
				p, err := stock.Pick(tx, site.ID, []stock.Want{{SKU: w.f.products[goods[0]].sku, Qty: qty.Scale}})
				if err != nil {
					return err
				}
				taken = p.Takes[0].Batch
				return p.Hold(tx, doc, tx.Now().Add(time.Minute))
			})
		})
		if err == nil {
			err = w.h.DB.Write(ctx, func(tx *db.Tx) error { return stock.Release(tx, doc.Kind, doc.ID) })
		}
		clock(&sales, func() error { return w.h.DB.Write(ctx, w.sell) })
		clock(&receipts, func() error {
			return w.h.DB.Write(ctx, func(tx *db.Tx) error {
				lines := make([]stock.Arrival, len(goods))
				for i, g := range goods {
					lines[i] = stock.Arrival{SKU: w.f.products[g].sku, Code: id.New().String(), Qty: qty.Scale, Cost: 60, ExpiresAt: tx.Now().Add(999 * time.Hour)}
				}
				_, err := stock.Receive(tx, stock.Receipt{Header: stock.Header{Site: site}, Lines: lines})
				return err
			})
		})
		clock(&statements, func() error {
			return w.h.DB.Read(ctx, func(tx *db.Tx) error {
				_, err := ledger.ReadStatement(tx, ledger.Account(taken), date, date, ledger.Place{}, 50)
				return err
			})
		})
		if err != nil {
			return t, err
		}
		if i == warm-1 {
			commits, holds, sales, receipts, statements = nil, nil, nil, nil, nil
		}
	}
	err = w.h.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM stock_batch`).Scan(&t.Batches)
	})
	for _, times := range [][]time.Duration{commits, holds, sales, receipts, statements} {
		slices.Sort(times)
	}
	t.CommitP50, t.CommitP99 = rounded(quantile(commits, .5)), rounded(quantile(commits, .99))
	t.HoldP50, t.HoldP99 = rounded(quantile(holds, .5)), rounded(quantile(holds, .99))
	t.HoldOf50, t.HoldOf99 = ratio(t.HoldP50, t.CommitP50), ratio(t.HoldP99, t.CommitP99)
	t.Sale, t.Receipt, t.Statement = rounded(quantile(sales, .5)), rounded(quantile(receipts, .5)), rounded(quantile(statements, .5))
	return t, err
}

// count makes a list of many products of one site, finds one piece more or less of each, and posts that.
func (f *fixture) count(ctx context.Context, h House, o SaleOptions, n int) (t CountTimes, err error) {
	site := f.sites[0]
	had := len(f.products)
	o.SKUs = countedGoods - had
	if err := f.addProducts(ctx, h, o); err != nil {
		return t, err
	}
	more := &fixture{sites: f.sites[:1], products: f.products[had:]}
	if err := more.batch(ctx, h, site, n, false); err != nil {
		return t, err
	}
	var c *stock.Count
	start := time.Now()
	if err := h.DB.Write(ctx, func(tx *db.Tx) (err error) {
		c, err = stock.StartCount(tx, stock.NewCount{Site: site, Limit: money.Max})
		return err
	}); err != nil {
		return t, err
	}
	t.List = rounded(float64(time.Since(start).Microseconds()) / 1000)
	act := func(do func(tx *db.Tx, c *stock.Count) error) error {
		return h.DB.Write(ctx, func(tx *db.Tx) error {
			now, err := stock.CountByID(tx, c.ID)
			if err != nil {
				return err
			}
			return do(tx, now)
		})
	}
	const step = 100
	for from := int64(1); from <= countedGoods; from += step {
		err := act(func(tx *db.Tx, c *stock.Count) error {
			for line := from; line < from+step; line++ {
				found := plenty + qty.Scale
				if line%2 == 0 {
					found = plenty - qty.Scale
				}
				if _, err := c.Enter(tx, line, countStaff, qty.Qty(found)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return t, err
		}
	}
	if err := act(func(tx *db.Tx, c *stock.Count) error { return c.Review(tx, countStaff) }); err != nil {
		return t, err
	}
	start = time.Now()
	if err := act(func(tx *db.Tx, c *stock.Count) error { _, err := c.Post(tx, countStaff, false); return err }); err != nil {
		return t, err
	}
	for done := false; !done; {
		began := time.Now()
		if err := act(func(tx *db.Tx, c *stock.Count) (err error) { done, err = c.PostStep(tx, countStaff); return err }); err != nil {
			return t, err
		}
		t.Step = max(t.Step, rounded(float64(time.Since(began).Microseconds())/1000))
	}
	t.Post = rounded(float64(time.Since(start).Microseconds()) / 1000)
	return t, act(func(tx *db.Tx, c *stock.Count) error {
		s, err := c.Sums(tx)
		if t.Lines = s.Posted; err == nil && (s.Posted < int64(countedGoods-had) || s.Failed > 0) {
			err = fmt.Errorf("bench: %d lines of a count of %d were posted, %d failed", s.Posted, countedGoods, s.Failed)
		}
		return err
	})
}

func rounded(ms float64) float64 { return math.Round(ms*1000) / 1000 }

// LedgerReport tells what it takes to read the newest movements of an account that has very many. Times are in ms.
type LedgerReport struct {
	Engine    string  `json:"engine"`
	Movements int     `json:"movements"`
	Days      int     `json:"days"`
	P50       float64 `json:"p50_ms"` // the newest 50, with the opening balance of the last 30 days
	P99       float64 `json:"p99_ms"`
	AllP50    float64 `json:"all_p50_ms"`  // the newest 50 of all days
	PageP50   float64 `json:"page_p50_ms"` // the 50 after them
}

// The movements of the measured account are nobody's sales.
var (
	measuredDoc  = ledger.DefineKind(890, "measurement")
	measuredFlow = ledger.DefineFlow(890_000, registers.Book, "measured")
)

// Ledger gives one account so many movements over a year, closes its days as every night does, and reads its statement.
func Ledger(ctx context.Context, h House, movements int, note func(string)) (*LedgerReport, error) {
	ctx = org.WithSystem(ctx)
	o := SaleOptions{Clients: 1, Sites: 1, SKUs: 1}
	f, err := makeFixture(ctx, h, o)
	if err != nil {
		return nil, err
	}
	const days, legs = 365, 10 // of a document
	site := f.sites[0]
	today := site.BusinessDate(time.Now())
	account := ledger.Account(id.New())
	err = h.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := ledger.Open(tx, ledger.NewAccount{ID: account, Book: registers.Book, Kind: registers.ClearingAccount, Unit: ledger.CNY, Site: site.ID})
		return err
	})
	if err != nil {
		return nil, err
	}
	note(fmt.Sprintf("booking %d movements", movements))
	luck := rand.New(rand.NewPCG(1, 1))
	for done := 0; done < movements; {
		err := h.DB.Write(ctx, func(tx *db.Tx) error {
			l, err := ledger.Lock(tx, account)
			for n := done; err == nil && n < min(movements, done+2000); n += legs {
				doc := ledger.Document{Kind: measuredDoc, ID: id.New(), Site: site.ID, Date: today.AddDays(-days + 1 + n*days/movements)}
				some := make([]ledger.Transfer, min(legs, movements-n))
				for i := range some {
					some[i] = ledger.Transfer{From: measuredFlow, To: account, Unit: ledger.CNY, Amount: 200 + luck.Int64N(100)}
					if i%2 == 1 {
						some[i].From, some[i].To, some[i].Amount = account, measuredFlow, 100
					}
				}
				err = l.Apply(tx, doc, some...)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		done = min(movements, done+2000)
	}
	note("closing its days")
	if _, err := ledger.CloseDays(ctx, h.DB, site.ID, today.AddDays(-1), today, 0); err != nil {
		return nil, err
	}
	if err := h.DB.Vacuum(ctx); err != nil {
		return nil, err
	}
	r := &LedgerReport{Engine: h.DB.Engine().String(), Movements: movements, Days: days}
	read := func(from cal.Date, after func(*ledger.Statement) ledger.Place) ([]time.Duration, error) {
		var times []time.Duration
		var place ledger.Place
		for range 200 {
			start := time.Now()
			err := h.DB.Read(ctx, func(tx *db.Tx) error {
				s, err := ledger.ReadStatement(tx, account, from, today, place, 50)
				if err == nil && len(s.Movements) != min(50, movements) {
					err = fmt.Errorf("bench: a statement shows %d movements", len(s.Movements))
				}
				if err == nil {
					place = after(s)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		return times, nil
	}
	newest := func(*ledger.Statement) ledger.Place { return ledger.Place{} }
	month, err := read(today.AddDays(-30), newest)
	if err != nil {
		return nil, err
	}
	all, err := read("", newest)
	if err != nil {
		return nil, err
	}
	pages, err := read("", (*ledger.Statement).Next)
	if err != nil {
		return nil, err
	}
	r.P50, r.P99, r.AllP50, r.PageP50 = rounded(quantile(month, .5)), rounded(quantile(month, .99)), rounded(quantile(all, .5)), rounded(quantile(pages, .5))
	return r, nil
}
