package db_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/dbtest"
)

func postgres(t *testing.T) *dbtest.DB {
	t.Helper()
	return dbtest.New(t, db.Postgres, with)
}

// cable stands between the program and the server, and can be cut.
type cable struct {
	deafClient atomic.Bool            // what the server says is lost from now on
	deafServer atomic.Bool            // what the program says is lost from now on
	lost       atomic.Pointer[func()] // called when something was lost
	mu         sync.Mutex
	ends       []net.Conn
}

// through opens the test's database once more, with a cable between.
func through(t *testing.T, d *dbtest.DB) (*db.DB, *cable) {
	t.Helper()
	u, err := url.Parse(d.DSN)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "unix", filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	if u.Host != "" {
		network, address = "tcp", u.Host
	}
	dir, err := os.MkdirTemp("/tmp", "cable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{}
	go func() {
		for {
			program, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				program.Close()
				continue
			}
			c.mu.Lock()
			c.ends = append(c.ends, program, server)
			c.mu.Unlock()
			go c.carry(server, program, &c.deafServer)
			go c.carry(program, server, &c.deafClient)
		}
	}()
	q := u.Query()
	q.Set("host", dir)
	u.RawQuery, u.Host = q.Encode(), ""
	far, err := db.Open(t.Context(), u.String(), db.Options{Conns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		c.pull()
		far.Close()
	})
	return far, c
}

func (c *cable) carry(to, from net.Conn, deaf *atomic.Bool) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if deaf.Load() {
			if f := c.lost.Load(); f != nil {
				(*f)()
			}
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// pull breaks all connections.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.ends {
		e.Close()
	}
	c.ends = nil
}

// mend lets everything through again.
func (c *cable) mend() { c.deafClient.Store(false); c.deafServer.Store(false); c.pull() }

func TestACommitWithoutAnAnswerIsUnknown(t *testing.T) {
	d := postgres(t)
	far, cable := through(t, d)
	if err := far.Write(t.Context(), sale(1)); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	pull := cable.pull
	for i, c := range []struct {
		deaf *atomic.Bool
		then *func()
	}{
		{&cable.deafClient, &pull}, // the server commits and the connection breaks
		{&cable.deafServer, &pull}, // the server hears nothing of it
		{&cable.deafClient, (*func())(&giveUp)},
	} {
		slip := 2 + i
		err := far.Write(ctx, func(tx *db.Tx) error {
			if err := tx.QueryRow("SELECT 1").Scan(new(int)); err != nil {
				return err
			}
			cable.lost.Store(c.then)
			c.deaf.Store(true) // only the last batch, with the commit, is left
			return sell(tx, 2, slip)
		})
		if !errors.Is(err, db.ErrCommitUnknown) {
			t.Fatalf("cut %d was told %v", i, err)
		}
		cable.lost.Store(nil)
		cable.mend()
	}
	// And so it is: some happened, and one did not.
	for slip, want := range map[int]int{1: 1, 2: 1, 3: 0, 4: 1} {
		if n := count(t, d, "SELECT COUNT(*) FROM shelf_sale WHERE slip = $1", slip); n != want {
			t.Errorf("sale %d is there %d times", slip, n)
		}
	}
	if err := far.Write(t.Context(), sale(5)); err != nil {
		t.Fatalf("after the cable was mended: %v", err)
	}
}

func TestALostConnectionBeforeTheCommitIsTriedAgain(t *testing.T) {
	d := postgres(t)
	far, cable := through(t, d)
	runs := 0
	if err := far.Write(t.Context(), func(tx *db.Tx) error {
		if runs++; runs > 3 {
			return errors.New("too often")
		}
		if err := sell(tx, 2, 1); err != nil {
			return err
		}
		if err := tx.Flush(); err != nil {
			return err
		}
		switch runs {
		case 1:
			cable.pull()
		case 2: // the server ends the connection
			tx.Query("SELECT pg_terminate_backend(pg_backend_pid())")
		}
		return tx.QueryRow("SELECT 1").Scan(new(int))
	}); err != nil {
		t.Fatal(err)
	}
	if runs != 3 || sales(t, d) != 1 {
		t.Fatalf("%d runs, %d sales", runs, sales(t, d))
	}
}

func TestWhoIsInADeadlockTriesAgain(t *testing.T) {
	d := postgres(t)
	var wg, both sync.WaitGroup
	var runs atomic.Int64
	both.Add(2)
	for i := range 2 {
		first := true
		wg.Go(func() {
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				runs.Add(1)
				take := func(item int) error {
					return tx.Exec("UPDATE shelf_item SET left_qty = left_qty - 1 WHERE id = $1", item)
				}
				if err := take(1 + i); err != nil {
					return err
				}
				if err := tx.Flush(); err != nil {
					return err
				}
				if first { // both hold one row and want the other's
					first = false
					both.Done()
					both.Wait()
				}
				return take(2 - i)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := runs.Load(); n < 3 {
		t.Fatalf("%d runs: there was no deadlock", n)
	}
	if left := count(t, d, "SELECT SUM(left_qty) FROM shelf_item"); left != 1026 {
		t.Fatalf("%d left", left)
	}
}

func TestWhoWaitsTooLongForALockIsTold(t *testing.T) {
	d := postgres(t)
	locked, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := tx.QueryRow("SELECT id FROM shelf_item WHERE id = $1 FOR UPDATE", 2).Scan(new(int)); err != nil {
				return err
			}
			close(locked)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-locked
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		tx.Query("SET LOCAL lock_timeout = '50ms'")
		return sell(tx, 2, 1)
	})
	close(release)
	wg.Wait()
	if !errors.Is(err, db.ErrBusy) || sales(t, d) != 0 {
		t.Fatalf("got %v", err)
	}
}

// The questions of an act travel together, and what it writes travels with its commit.
func TestASaleNeedsTwoRoundTrips(t *testing.T) {
	d := postgres(t)
	act := func(slip int) func(tx *db.Tx) error {
		return func(tx *db.Tx) error {
			tea := tx.QueryRow("SELECT name FROM shelf_item WHERE id = $1", 1)
			rice := tx.Query("SELECT name FROM shelf_item WHERE id = $1", 2)
			var name string
			if err := tea.Scan(&name); err != nil {
				return err
			}
			for rice.Next() {
				if err := rice.Scan(&name); err != nil {
					return err
				}
			}
			if err := rice.Err(); err != nil {
				return err
			}
			return sell(tx, 2, slip)
		}
	}
	if err := d.Write(t.Context(), act(1)); err != nil { // statements are described once
		t.Fatal(err)
	}
	before := d.Stats().RoundTrips
	if err := d.Write(t.Context(), act(2)); err != nil {
		t.Fatal(err)
	}
	if n := d.Stats().RoundTrips - before; n != 2 {
		t.Fatalf("%d round trips", n)
	}
	before = d.Stats().RoundTrips
	if err := d.Write(t.Context(), sale(3)); err != nil {
		t.Fatal(err)
	}
	if n := d.Stats().RoundTrips - before; n != 1 {
		t.Fatalf("%d round trips of an act that asks nothing", n)
	}
	before = d.Stats().RoundTrips
	if err := d.Write(t.Context(), func(tx *db.Tx) error { sell(tx, 2, 4); return errShort }); !errors.Is(err, errShort) {
		t.Fatal(err)
	}
	if n := d.Stats().RoundTrips - before; n != 0 {
		t.Fatalf("%d round trips of an act that refused before it asked", n)
	}
}

// A node that goes on while another migrates.
func TestStatementsPreparedBeforeAMigrationStillRun(t *testing.T) {
	d := postgres(t)
	read := func() (row string) {
		t.Helper()
		if err := d.Read(t.Context(), func(tx *db.Tx) error {
			rows := tx.Query("SELECT * FROM shelf_item WHERE id = $1", 1)
			for rows.Next() {
				v := make([]any, rows.Columns())
				p := make([]any, len(v))
				for i := range v {
					p[i] = &v[i]
				}
				if err := rows.Scan(p...); err != nil {
					return err
				}
				row = fmt.Sprint(v...)
			}
			return rows.Err()
		}); err != nil {
			t.Fatal(err)
		}
		return row
	}
	before := read()
	if err := d.Write(t.Context(), func(tx *db.Tx) error {
		return tx.Exec("ALTER TABLE shelf_item ADD COLUMN place TEXT NOT NULL DEFAULT 'left'")
	}); err != nil {
		t.Fatal(err)
	}
	if after := read(); after != before+"left" && after != before+" left" {
		t.Fatalf("%q, then %q", before, after)
	}
}

// More acts than the processors can serve only hold each other's locks: the others wait for their turn outside the
// database, and who gives up while waiting has changed nothing.
func TestActsThatWriteTakeTurns(t *testing.T) {
	d := postgres(t)
	few, err := db.Open(t.Context(), d.DSN, db.Options{Writers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer few.Close()
	var inside, most atomic.Int64
	started, release := make(chan struct{}, 30), make(chan struct{})
	var wg sync.WaitGroup
	for slip := range 30 {
		wg.Go(func() {
			if err := few.Write(t.Context(), func(tx *db.Tx) error {
				n := inside.Add(1)
				defer inside.Add(-1)
				for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
				}
				started <- struct{}{}
				<-release
				return sell(tx, 2, slip+1)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	<-started
	<-started
	impatient, giveUp := context.WithCancel(t.Context())
	giveUp()
	if err := few.Write(impatient, func(tx *db.Tx) error { return sell(tx, 2, 99) }); !errors.Is(err, db.ErrBusy) {
		t.Errorf("who gave up was told %v", err)
	}
	if err := few.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow("SELECT COUNT(*) FROM shelf_sale").Scan(new(int)) }); err != nil {
		t.Errorf("who only reads waits for nobody's turn: %v", err)
	}
	close(release)
	wg.Wait()
	if most.Load() != 2 || sales(t, d) != 30 {
		t.Errorf("%d acts wrote at once, %d sales", most.Load(), sales(t, d))
	}
}
