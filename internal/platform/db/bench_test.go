package db_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest/pgserver"
	"zhanggui/internal/platform/id"
)

// The shape of a sale of 8 lines: questions about 8 lots, 61 rows written in 7 tables.
var benchSchema = db.Migrations{Package: "bench", FS: fstest.MapFS{"migrations/001_bench.sql": {Data: []byte(`
CREATE TABLE bench_account (id BIGINT PRIMARY KEY, book SMALLINT NOT NULL, unit BIGINT NOT NULL, posted_in BIGINT NOT NULL, posted_out BIGINT NOT NULL,
	pending_out BIGINT NOT NULL, low BIGINT NOT NULL, CONSTRAINT bench_account_low CHECK (posted_in - posted_out - pending_out >= low));
CREATE TABLE bench_sale (id BIGINT PRIMARY KEY, site_id BIGINT NOT NULL, slip BIGINT NOT NULL, day TEXT NOT NULL, at BIGINT NOT NULL, total_fen BIGINT NOT NULL, state TEXT NOT NULL);
CREATE UNIQUE INDEX bench_sale_slip ON bench_sale (site_id, slip);
CREATE INDEX bench_sale_day ON bench_sale (site_id, day, id);
CREATE TABLE bench_line (id BIGINT PRIMARY KEY, sale_id BIGINT NOT NULL, line_no SMALLINT NOT NULL, product_id BIGINT NOT NULL, lot_id BIGINT NOT NULL, qty BIGINT NOT NULL, amount_fen BIGINT NOT NULL, tax_fen BIGINT NOT NULL);
CREATE UNIQUE INDEX bench_line_no ON bench_line (sale_id, line_no);
CREATE TABLE bench_transfer (id BIGINT PRIMARY KEY, cause BIGINT NOT NULL, leg SMALLINT NOT NULL, from_id BIGINT NOT NULL, to_id BIGINT NOT NULL, unit BIGINT NOT NULL, amount BIGINT NOT NULL, day TEXT NOT NULL, at BIGINT NOT NULL);
CREATE INDEX bench_transfer_from ON bench_transfer (from_id, id);
CREATE INDEX bench_transfer_to ON bench_transfer (to_id, id);
CREATE TABLE bench_tender (id BIGINT PRIMARY KEY, sale_id BIGINT NOT NULL, kind TEXT NOT NULL, amount_fen BIGINT NOT NULL);
CREATE INDEX bench_tender_sale ON bench_tender (sale_id);
CREATE TABLE bench_event (id BIGINT PRIMARY KEY, type TEXT NOT NULL, subject BIGINT NOT NULL, body TEXT NOT NULL, relayed SMALLINT NOT NULL);
CREATE INDEX bench_event_new ON bench_event (id) WHERE relayed = 0;
CREATE TABLE bench_once (id BIGINT PRIMARY KEY, key_hash BYTEA NOT NULL, answer BYTEA NOT NULL);
CREATE UNIQUE INDEX bench_once_hash ON bench_once (key_hash);
`)}}}

const (
	benchSites = 20
	benchLots  = 1500 // of each site
	benchLines = 8
	benchRows  = 1 + benchLines + 2*benchLines + 1 + 1 + 4*benchLines + 1 + 1
)

var (
	benchAccounts = db.NewMany("INSERT INTO bench_account (id, book, unit, posted_in, posted_out, pending_out, low) VALUES ", "(?, ?, ?, ?, ?, ?, ?)", "")
	benchRead     = db.NewMany("SELECT id, unit, posted_in - posted_out - pending_out FROM bench_account WHERE id IN (", "?", ") ORDER BY id")
	benchTake     = db.NewMany("UPDATE bench_account SET posted_in = posted_in + v.column2, posted_out = posted_out + v.column3 FROM (VALUES ", "(BIGINT, BIGINT, BIGINT)", ") AS v WHERE bench_account.id = v.column1")
	benchLine     = db.NewMany("INSERT INTO bench_line (id, sale_id, line_no, product_id, lot_id, qty, amount_fen, tax_fen) VALUES ", "(?, ?, ?, ?, ?, ?, ?, ?)", "")
	benchTransfer = db.NewMany("INSERT INTO bench_transfer (id, cause, leg, from_id, to_id, unit, amount, day, at) VALUES ", "(?, ?, ?, ?, ?, ?, ?, ?, ?)", "")
)

func benchFixture(b *testing.B, d *db.DB) {
	b.Helper()
	if err := d.Migrate(b.Context(), benchSchema); err != nil {
		b.Fatal(err)
	}
	for s := range benchSites {
		if err := d.Write(b.Context(), func(tx *db.Tx) error {
			var args []any
			add := func(acc int, low int64) { args = append(args, acc, 1, acc, 1_000_000_000, 0, 0, low) }
			for l := range benchLots {
				add(lotAccount(s, l), 0)
				add(lotAccount(s, l)+1, 0)
			}
			add(drawer(s), -1)
			return tx.ExecMany(benchAccounts, args...)
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func lotAccount(site, lot int) int { return 1_000_000*(site+1) + 10*lot }
func drawer(site int) int          { return 1_000_000*(site+1) + 999_999 }

// benchSale is one act; slip numbers come from the caller.
func benchSale(tx *db.Tx, r *rand.Rand, slip int64, key, answer []byte) error {
	site := r.IntN(benchSites)
	lots := r.Perm(benchLots)[:benchLines]
	sort.Ints(lots)
	var ids []any
	for _, l := range lots {
		ids = append(ids, lotAccount(site, l))
	}
	rows := tx.QueryMany(benchRead, ids...)
	for rows.Next() {
		var acc, unit, left int64
		if err := rows.Scan(&acc, &unit, &left); err != nil {
			return err
		}
		if left < 1 {
			return errShort
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	sale, day, at := id.New(), "2026-03-02", tx.Now()
	if err := tx.Exec("INSERT INTO bench_sale (id, site_id, slip, day, at, total_fen, state) VALUES ($1, $2, $3, $4, $5, $6, $7)", sale, site, slip, day, at, 800, "paid"); err != nil {
		return err
	}
	if err := tx.Exec("INSERT INTO bench_tender (id, sale_id, kind, amount_fen) VALUES ($1, $2, $3, $4)", id.New(), sale, "cash", 800); err != nil {
		return err
	}
	takes, lines, transfers := make([]any, 0, 17*3), make([]any, 0, 8*8), make([]any, 0, 32*9)
	for i, l := range lots {
		acc := lotAccount(site, l)
		takes = append(takes, acc, 0, 1, acc+1, 0, 50)
		lines = append(lines, id.New(), sale, i+1, l, acc, 1000, 100, 12)
		for leg, t := range [4][3]int{{acc, 11, 1}, {acc + 1, 12, 50}, {13, drawer(site), 88}, {14, drawer(site), 12}} {
			transfers = append(transfers, id.New(), sale, 4*i+leg, t[0], t[1], l, t[2], day, at)
		}
	}
	takes = append(takes, drawer(site), 800, 0)
	if err := tx.ExecMany(benchTake, takes...); err != nil {
		return err
	}
	if err := tx.ExecMany(benchLine, lines...); err != nil {
		return err
	}
	if err := tx.ExecMany(benchTransfer, transfers...); err != nil {
		return err
	}
	if err := tx.Exec("INSERT INTO bench_event (id, type, subject, body, relayed) VALUES ($1, $2, $3, $4, 0)", id.New(), "till.sold.v1", sale, `{"sale_id":"1234567890","lines":8}`); err != nil {
		return err
	}
	return tx.Exec("INSERT INTO bench_once (id, key_hash, answer) VALUES ($1, $2, $3)", id.New(), key, answer)
}

func BenchmarkSale(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir := os.Getenv("BENCH_DIR")
		if dir == "" {
			dir = b.TempDir()
		} else {
			dir, _ = os.MkdirTemp(dir, "bench")
			b.Cleanup(func() { os.RemoveAll(dir) })
		}
		d, err := db.Open(b.Context(), "sqlite:"+dir+"/bench.db", db.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		benchFixture(b, d)
		benchRun(b, d, 0)
	})
	b.Run("postgres", func(b *testing.B) {
		s, err := pgserver.Start(pgserver.Options{Durable: true})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Stop()
		d, err := db.Open(b.Context(), s.DSN("postgres"), db.Options{Conns: 8})
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		pid, err := s.PID()
		if err != nil {
			b.Fatal(err)
		}
		benchFixture(b, d)
		benchRun(b, d, pid)
	})
}

var benchSlip atomic.Int64

func benchRun(b *testing.B, d *db.DB, postmaster int) {
	const clients = 8
	var left atomic.Int64
	answer := []byte(strings.Repeat("x", 1500))
	run := func(n int64, took *[]time.Duration) {
		left.Store(n)
		var wg sync.WaitGroup
		var mu sync.Mutex
		for c := range clients {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(c), uint64(n)))
				var mine []time.Duration
				for left.Add(-1) >= 0 {
					slip := benchSlip.Add(1)
					key := fmt.Appendf(nil, "%016x", r.Uint64())
					start := time.Now()
					if err := d.Write(b.Context(), func(tx *db.Tx) error { return benchSale(tx, r, slip, key, answer) }); err != nil {
						b.Error(err)
						return
					}
					mine = append(mine, time.Since(start))
				}
				mu.Lock()
				*took = append(*took, mine...)
				mu.Unlock()
			})
		}
		wg.Wait()
	}
	var warm, took []time.Duration
	run(200, &warm)
	cpu, commits := cpuOf(postmaster), d.Stats().Commits
	b.ResetTimer()
	run(int64(b.N), &took)
	b.StopTimer()
	n := float64(b.N)
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	b.ReportMetric(n/b.Elapsed().Seconds(), "sales/s")
	b.ReportMetric(n*benchRows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric((cpuOf(postmaster)-cpu).Seconds()*1000/n, "cpu-ms/sale")
	b.ReportMetric(n/float64(d.Stats().Commits-commits), "sales/commit")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// cpuOf is the processor time of this process and of a PostgreSQL server, in user and system.
func cpuOf(postmaster int) time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	total := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if postmaster == 0 {
		return total
	}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		_, rest, ok := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); ok && len(f) > 14 {
			parent, _ := strconv.Atoi(f[1])
			if pid == postmaster || parent == postmaster {
				ut, _ := strconv.Atoi(f[11])
				st, _ := strconv.Atoi(f[12])
				total += time.Duration(ut+st) * 10 * time.Millisecond
			}
		}
	}
	return total
}
