package intake

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"zhanggui/internal/catalog"
	"zhanggui/internal/org"
	"zhanggui/internal/platform/cal"
	"zhanggui/internal/platform/clock"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
	"zhanggui/internal/price"
)

// TestMain lets this binary be the process that is killed.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("INTAKE_CHILD_DB"); dsn != "" {
		child(dsn)
	}
	os.Exit(m.Run())
}

// child imports a file and stops for ever at a step it is told, to be killed there.
func child(dsn string) {
	var state State
	var steps, seen int
	var kind Kind
	fmt.Sscan(os.Getenv("INTAKE_CHILD_AT"), &kind, &state, &steps)
	d, err := db.Open(context.Background(), dsn, db.Options{Business: clock.Fixed(dbtest.Start)})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	goods := catalog.New(d)
	s := New(d, Options{Org: org.New(orgOptions), Goods: goods, Prices: price.New(d, goods), Log: quiet})
	s.runRows = 1000
	s.pace = func(context.Context, time.Duration) {}
	_, err = s.File(context.Background(), kind, os.Getenv("INTAKE_CHILD_FILE"), Run{Mode: All, CreateMissing: kind == Sales}, func(im *Import) {
		if im.State != state {
			return
		}
		if seen++; seen == steps {
			fmt.Println("here")
			select {}
		}
	})
	fmt.Println("ended", err)
	os.Exit(0)
}

// killed runs an import in another process and kills it at the given step of a state.
func (s *shop) killed(k Kind, file string, state State, step int) {
	s.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "INTAKE_CHILD_DB="+s.d.DSN, "INTAKE_CHILD_FILE="+file, fmt.Sprintf("INTAKE_CHILD_AT=%s %s %d", k, state, step))
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "here" {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL: no goodbye
				s.t.Fatal(err)
			}
			return
		}
		s.t.Fatalf("the import was to be killed at step %d of %s and said: %s", step, state, lines.Text())
	}
	s.t.Fatal("the child has said nothing")
}

func salesOf(products, days int) string {
	var b strings.Builder
	b.WriteString("date,product,quantity,price_fen\n")
	for d := range days {
		for p := range products {
			fmt.Fprintf(&b, "%s,P%02d,%d,350\n", cal.Date("2024-01-01").AddDays(d), p, 1+(d+p)%9)
		}
	}
	return b.String()
}

func TestAKilledImportOfSalesLeavesAllOrNothing(t *testing.T) {
	each(t, func(s *shop) {
		file := s.file("sales.csv", salesOf(30, 100))
		inForce := func() (days int64) {
			t.Helper()
			err := s.d.Read(t.Context(), func(tx *db.Tx) error {
				return tx.QueryRow(`SELECT COUNT(*) FROM forecast_sale_day d JOIN forecast_load l ON l.id = d.load_id AND l.applied_no > 0`).Scan(&days)
			})
			if err != nil {
				t.Fatal(err)
			}
			return days
		}
		nothing := func(when string) {
			t.Helper()
			if n := inForce(); n != 0 || s.n("catalog_product") != 0 {
				t.Fatalf("%s: %d days and %d products are in force", when, n, s.n("catalog_product"))
			}
		}
		for _, step := range []int{1, 4} {
			s.killed(Sales, file, Reading, step)
			nothing("killed while reading")
			if err := s.in.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			nothing("after the next start")
			s.clean()
		}
		// Decided: nothing to be seen yet, everything after the next start.
		s.killed(Sales, file, Applying, 3)
		nothing("killed while applying")
		if err := s.in.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := inForce(); n != 3000 || s.n("catalog_product") != 30 {
			t.Fatalf("%d days and %d products after the next start", n, s.n("catalog_product"))
		}
		s.clean()
		// A new import first finishes what was decided before, so that the later one wins.
		corrected := s.file("corrected.csv", strings.Replace(salesOf(30, 100), "2024-01-01,P00,1,", "2024-01-01,P00,7,", 1))
		s.killed(Sales, corrected, Applying, 2)
		s.is(s.sold("S001", "P00", "2024-01-01", "2024-01-01"), "01-01 1 350fen")
		s.take(Sales, strings.Replace(salesOf(30, 100), "2024-01-01,P00,1,", "2024-01-01,P00,8,", 1), Run{}, "applied 3000 read 1 new 2999 same 0 refused")
		s.is(s.sold("S001", "P00", "2024-01-01", "2024-01-01"), "01-01 8 2800fen")
		s.clean()
	})
}

func TestAKilledImportOfGoodsIsFinishedByTheNextStart(t *testing.T) {
	each(t, func(s *shop) {
		var b strings.Builder
		b.WriteString("product,name,category,base_unit,unit,unit_num,unit_den,barcode,price_fen,shelf_life_h,batch_size,tax_pct\n")
		for i := range 200 {
			fmt.Fprintf(&b, "P%03d,商品%d,百货,piece,,,,69000%05d,%d,,,13\n", i, i, i, 100+i)
		}
		file := s.file("products.csv", b.String())
		s.killed(Products, file, Checking, 1)
		if n := s.n("catalog_product"); n != 0 {
			t.Fatalf("%d products before the decision", n)
		}
		if err := s.in.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.n("catalog_product"); n != 0 {
			t.Fatalf("%d products of an import that was not decided", n)
		}
		for _, step := range []int{2, 3} { // between goods and their prices, and behind them
			s.killed(Products, file, Applying, step)
			if err := s.in.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.n("catalog_product") != 200 || s.n("price_entry") != 200 || s.n("catalog_barcode") != 200 {
				t.Fatalf("%d products, %d prices, %d barcodes", s.n("catalog_product"), s.n("price_entry"), s.n("catalog_barcode"))
			}
			file = s.file("more.csv", strings.ReplaceAll(b.String(), ",13\n", ",9\n"))
		}
		s.take(Products, strings.ReplaceAll(b.String(), ",13\n", ",9\n"), Run{}, "applied 200 read 0 new 200 same 0 refused")
		s.clean()
	})
}

func TestAWorkerThatWasBelievedDeadChangesNothing(t *testing.T) {
	each(t, func(s *shop) {
		file := s.file("sales.csv", salesOf(30, 100))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		steps := 0
		_, err := s.in.File(ctx, Sales, file, Run{Mode: All, CreateMissing: true}, func(im *Import) {
			if steps++; im.State == Applying && steps > 6 {
				if err := s.in.finish(t.Context(), im.ID); err != nil { // somebody else takes it over and ends it
					t.Errorf("%v", err)
				}
			}
		})
		if err == nil {
			t.Error("the first worker did not notice")
		}
		if n := s.n("forecast_sale_day"); n != 3000 {
			t.Errorf("%d days, want 3000", n)
		}
		s.clean()
	})
}

func TestAnImportStopsBetweenStepsWhenTheProcessIsAsked(t *testing.T) {
	each(t, func(s *shop) {
		file := s.file("sales.csv", salesOf(30, 100))
		for _, at := range []State{Reading, Applying} {
			ctx, stop := context.WithCancel(t.Context())
			_, err := s.in.File(ctx, Sales, file, Run{Mode: All, CreateMissing: true}, func(im *Import) {
				if im.State == at {
					stop()
				}
			})
			stop()
			if err == nil {
				t.Fatalf("%s: it went on", at)
			}
			if n := s.n("catalog_product"); n != 0 {
				t.Fatalf("%s: %d products", at, n)
			}
		}
	})
}
