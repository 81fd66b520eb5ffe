package torture

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"zhanggui/internal/app"
	"zhanggui/internal/platform/db"
	"zhanggui/internal/platform/id"
)

// A kill leaves what the kernel still holds; a power cut does not. The server's writes and fsyncs are recorded while it
// sells, and the files are built anew as a power cut at any instant could have left them: what an fsync has covered is
// there, what came later is not, or some of it, or torn at sectors of 512 bytes.

const sector = 512

// recording is what one run of the server asked of the kernel, and the files it began with.
type recording struct {
	dir    string // of the files at the start
	name   string // of the database's file
	events []event
	acked  int
}

// record sells on a shop under strace until it has made so many sales, and stops it in order.
func record(t *testing.T, sales int, more ...string) *recording {
	t.Helper()
	strace := needStrace(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.db")
	s := open(t, "sqlite:"+path)
	goods := s.basket()
	s.stop(t)
	r := &recording{dir: filepath.Join(dir, "before"), name: "shop.db"}
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := copyFiles(dir, r.dir, r.name); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "trace")
	s.under = traced(strace, out, append([]string{"--seccomp-bpf", "-xx", "-s", "70000",
		"-e", "trace=open,openat,pwrite64,write,fsync,fdatasync,ftruncate,close,unlink,unlinkat"}, more...)...)
	s.start()
	s.signIn()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	sold := map[string]bool{} // other answers than a sale's are no promise
	for range clients {
		wg.Go(func() {
			for range sales / clients {
				got, _, err := s.sellOne(ctx, goods, none)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				sold[got.sale] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	s.stop(t)
	traceEnded(t, out)
	var err error
	if r.events, err = readTrace(out, path); err != nil {
		t.Fatal(err)
	}
	r.events = slices.DeleteFunc(r.events, func(e event) bool { return e.what == "ack" && !sold[e.acked] })
	count := map[string]int{}
	for _, e := range r.events {
		count[e.what]++
	}
	r.acked = count["ack"]
	t.Logf("recorded: %v", count)
	if r.acked < sales/clients*clients || count["synced"] < 10 || count["write"] < 200 {
		t.Fatalf("the record is not whole: %v of %d sales", count, sales)
	}
	return r
}

func copyFiles(from, to, name string) error {
	for _, suffix := range []string{"", "-wal", "-journal"} {
		data, err := os.ReadFile(filepath.Join(from, name+suffix))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name+suffix), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// disk is what is surely on it, and what may be.
type disk struct {
	files map[string][]byte
	open  []event // begun and covered by no fsync
	done  map[int]bool
}

func (d *disk) write(files map[string][]byte, e event) {
	data := files[e.file]
	switch e.what {
	case "truncate":
		if e.at <= int64(len(data)) {
			files[e.file] = data[:e.at:e.at]
		} else {
			files[e.file] = append(slices.Clip(data), make([]byte, e.at-int64(len(data)))...)
		}
	case "write":
		if end := e.at + int64(len(e.data)); end > int64(len(data)) {
			data = append(data, make([]byte, end-int64(len(data)))...)
		}
		copy(data[e.at:], e.data)
		files[e.file] = data
	}
}

// take follows one event; honest disks keep what they say.
func (d *disk) take(e event, covered map[int][]int) {
	switch e.what {
	case "write", "truncate":
		d.open = append(d.open, e)
	case "written":
		d.done[e.call] = true
	case "syncing":
		for _, w := range d.open {
			if w.file == e.file && d.done[w.call] {
				covered[e.call] = append(covered[e.call], w.call)
			}
		}
	case "synced":
		if e.lie {
			return
		}
		safe := map[int]bool{}
		for _, c := range covered[e.call] {
			safe[c] = true
		}
		left := d.open[:0]
		for _, w := range d.open {
			if safe[w.call] {
				d.write(d.files, w)
			} else {
				left = append(left, w)
			}
		}
		d.open = left
	case "unlink":
		delete(d.files, e.file)
		d.open = slices.DeleteFunc(d.open, func(w event) bool { return w.file == e.file })
	}
}

// mode is what becomes of writes that no fsync has covered.
type mode string

const (
	drop   mode = "drop"   // none is there
	random mode = "random" // some are
	torn   mode = "torn"   // of each, some sectors are
)

// image is the files as the power cut leaves them.
func (d *disk) image(m mode, dice *rand.Rand) map[string][]byte {
	files := make(map[string][]byte, len(d.files))
	for name, data := range d.files {
		files[name] = bytes.Clone(data)
	}
	for _, w := range d.open {
		switch {
		case m == drop, m == random && dice.IntN(2) == 0, m == torn && w.what == "truncate" && dice.IntN(2) == 0:
		case m == torn && w.what == "write":
			for at := 0; at < len(w.data); {
				// Sectors are those of the file, wherever the write begins.
				end := min(len(w.data), at+sector-int((w.at+int64(at))%sector))
				if dice.IntN(2) == 0 {
					d.write(files, event{what: "write", file: w.file, at: w.at + int64(at), data: w.data[at:end]})
				}
				at = end
			}
		default:
			d.write(files, w)
		}
	}
	return files
}

// damage is what was found wrong after cuts.
type damage struct {
	cuts, lost, corrupt, red, worst int
	first                           string
}

// cut replays the record with power cuts at random instants, and counts what the database that comes up again has lost.
// Every proveEach-th is also held against the proofs.
func (r *recording) cut(t *testing.T, cuts, proveEach int, seed uint64) map[mode]*damage {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 42))
	at := make(map[int][]mode, cuts)
	modes := []mode{drop, random, torn}
	for k := range cuts {
		n := dice.IntN(len(r.events))
		at[n] = append(at[n], modes[k%len(modes)])
	}
	found := map[mode]*damage{drop: {}, random: {}, torn: {}}
	d := &disk{files: map[string][]byte{}, done: map[int]bool{}}
	first := ""
	for _, e := range r.events {
		if e.file != "" {
			first = e.file
			break
		}
	}
	home := filepath.Dir(first)
	for _, suffix := range []string{"", "-wal", "-journal"} {
		if data, err := os.ReadFile(filepath.Join(r.dir, r.name+suffix)); err == nil {
			d.files[filepath.Join(home, r.name+suffix)] = data
		}
	}
	type job struct {
		image map[string][]byte
		acked []string
		m     mode
		prove bool
		where int
	}
	queue := make(chan job)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range max(1, runtime.NumCPU()/2) {
		wg.Go(func() {
			for j := range queue {
				lost, corrupt, red := r.inspect(t, j.image, j.acked, j.prove)
				mu.Lock()
				f := found[j.m]
				f.cuts++
				if lost > 0 {
					f.lost++
					f.worst = max(f.worst, lost)
				}
				if corrupt != "" {
					f.corrupt++
				}
				if red != "" {
					f.red++
				}
				if f.first == "" && (lost > 0 || corrupt != "" || red != "") {
					f.first = fmt.Sprintf("at event %d of %d: %d of %d acknowledged are lost; %s %s", j.where, len(r.events), lost, len(j.acked), corrupt, red)
				}
				mu.Unlock()
			}
		})
	}
	covered := map[int][]int{}
	var acked []string
	n := 0
	for i, e := range r.events {
		if e.what == "ack" {
			acked = append(acked, e.acked)
		}
		d.take(e, covered)
		for _, m := range at[i] {
			n++
			queue <- job{d.image(m, dice), acked[:len(acked):len(acked)], m, n%proveEach == 0, i}
		}
	}
	close(queue)
	wg.Wait()
	return found
}

// inspect lets a database come up from an image as the product would, and compares.
func (r *recording) inspect(t *testing.T, image map[string][]byte, acked []string, prove bool) (lost int, corrupt, red string) {
	dir, err := os.MkdirTemp(t.TempDir(), "cut")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	for name, data := range image {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o600); err != nil {
			t.Error(err)
			return
		}
	}
	dsn := "sqlite:" + filepath.Join(dir, r.name)
	there := map[string]bool{}
	err = func() error {
		d, err := db.Open(t.Context(), dsn, db.Options{ReadConns: 1})
		if err != nil {
			return err
		}
		defer d.Close()
		return d.Read(t.Context(), func(tx *db.Tx) error {
			var says string
			if err := tx.QueryRow(`SELECT integrity_check FROM pragma_integrity_check LIMIT 1`).Scan(&says); err != nil {
				return err
			}
			if says != "ok" {
				return fmt.Errorf("integrity: %s", says)
			}
			rows := tx.Query(`SELECT id FROM till_sale`)
			for rows.Next() {
				var sale id.ID
				if err := rows.Scan(&sale); err != nil {
					return err
				}
				there[sale.String()] = true
			}
			return rows.Err()
		})
	}()
	if err != nil {
		return 0, err.Error(), ""
	}
	for _, sale := range acked {
		if !there[sale] {
			lost++
		}
	}
	if prove {
		var says bytes.Buffer
		if code := app.Run([]string{"check", "--db", dsn, "--log-level", "error"}, &says, &says); code != 0 {
			red = fmt.Sprintf("check says %d: %.300s", code, says.String())
		}
	}
	return lost, "", red
}

func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	r := record(t, 160)
	for m, f := range r.cut(t, 50, 10, 1) {
		t.Logf("%s: %+v", m, *f)
		if f.cuts == 0 || f.lost+f.corrupt+f.red > 0 {
			t.Errorf("%s: %+v", m, *f)
		}
	}
}

// The control: the same server on a disk that says it has written and has not, which is what synchronous=OFF comes to.
func TestTheRigCatchesAnFsyncThatDoesNothing(t *testing.T) {
	t.Parallel()
	r := record(t, 160, "-e", "inject=fsync,fdatasync:retval=0")
	total := damage{}
	for m, f := range r.cut(t, 30, 1000, 2) {
		t.Logf("%s: %+v", m, *f)
		total.lost, total.corrupt = total.lost+f.lost, total.corrupt+f.corrupt
	}
	if total.lost+total.corrupt < 20 {
		t.Errorf("30 cuts of a careless disk did little harm: %+v", total)
	}
}
