package bench

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"zhanggui/internal/flow/checkout"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
	"zhanggui/internal/platform/money"
	"zhanggui/internal/platform/once"
	"zhanggui/internal/platform/qty"
	registers "zhanggui/internal/till"
)

// floor writes the rows of sales without selling: sales are rehearsed one after another in a transaction
// that is rolled back, every statement that writes is kept, and then the kept statements alone are
// executed, by as many clients as sold, one transaction a sale. So these are the same rows in the same
// tables and indexes, with no reads, no rules and no HTTP.
type floor struct {
	h       House
	f       *fixture
	o       SaleOptions
	staff   id.ID
	luck    *rand.Rand
	sales   int64 // rehearsed, and replayed
	rowsIn  int64 // written by the rehearsed sales
	rowsOut atomic.Int64
}

type statement struct {
	sql  string
	args []any
}

// rehearsed at once: enough for all clients to be busy, few enough to keep in memory.
const rehearsed = 2000

var errRehearsed = errors.New("bench: only rehearsed")

func newFloor(ctx context.Context, h House, f *fixture, o SaleOptions) (*floor, error) {
	w := &floor{h: h, f: f, o: o, luck: rand.New(rand.NewPCG(7, 300))}
	err := h.DB.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(`SELECT MIN(id) FROM org_staff`).Scan(&w.staff) })
	return w, err
}

// writeFor writes for a while; rehearsing is not counted.
func (w *floor) writeFor(ctx context.Context, d time.Duration, m *meter) (sold, error) {
	var out sold
	for out.seconds < d.Seconds() {
		scripts, err := w.rehearse(ctx)
		if err != nil {
			return out, err
		}
		before, start := m.own(), time.Now()
		if err := w.replay(ctx, scripts); err != nil {
			return out, err
		}
		out.seconds += time.Since(start).Seconds()
		out.cpu += m.own() - before
		out.sales += int64(len(scripts))
	}
	return out, ctx.Err()
}

func (w *floor) rehearse(ctx context.Context) ([][]statement, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // thousands of sales in one act, on however slow a machine
	defer cancel()
	scripts := make([][]statement, 0, rehearsed)
	var rows int64
	err := w.h.DB.Write(org.WithSystem(ctx), func(tx *db.Tx) error {
		scripts = scripts[:0]
		var script []statement
		tx.Record(func(sql string, args []any) { script = append(script, statement{sql, args}) })
		for range rehearsed {
			script = nil
			if err := w.sell(tx); err != nil {
				return err
			}
			scripts = append(scripts, script)
		}
		if err := tx.Flush(); err != nil {
			return err
		}
		rows = tx.Written()
		return errRehearsed
	})
	if !errors.Is(err, errRehearsed) {
		return nil, err
	}
	w.sales += int64(len(scripts))
	w.rowsIn += rows
	return scripts, nil
}

// sell is one sale as the server does it for a request with a key.
func (w *floor) sell(tx *db.Tx) error {
	site, goods := w.f.basket(w.luck, w.o)
	in := checkout.SaleIn{SiteID: site.ID, Register: register(w.luck.IntN(w.o.Clients))}
	var total money.Fen
	for _, g := range goods {
		p := w.f.products[g]
		in.Lines = append(in.Lines, checkout.OrderLine{ProductID: p.id, Unit: fixtureUnit, Qty: qty.Scale})
		total += p.price
	}
	in.ExpectTotalFen = total
	in.Tenders = []checkout.TenderIn{{Kind: registers.Cash, AmountFen: total, GivenFen: total}}
	act := checkout.Act{Site: site, Staff: w.staff, Cashier: "admin", Key: id.New().String()}
	_, _, err := once.Do(tx, w.staff.String()+" floor", act.Key, once.Hash([]byte(act.Key)), func() ([]byte, error) {
		view, err := w.h.Sales.Sell(tx, act, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(view)
	})
	return err
}

func (w *floor) replay(ctx context.Context, scripts [][]statement) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range w.o.Clients {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(scripts) {
					return
				}
				err := w.h.DB.Write(ctx, func(tx *db.Tx) error {
					tx.AfterCommit(func() { w.rowsOut.Add(tx.Written()) })
					for _, s := range scripts[i] {
						//allow:sql what the sale itself sent a moment ago, sent again
						if err := tx.Exec(s.sql, s.args...); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// rows that a sale writes, and that the floor wrote for one: equal, or the floor is none.
func (w *floor) rows() (sale, floor float64) {
	n := float64(max(1, w.sales))
	return float64(w.rowsIn) / n, float64(w.rowsOut.Load()) / n
}
