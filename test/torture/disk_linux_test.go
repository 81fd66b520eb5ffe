package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zhanggui/internal/platform/id"
)

// The kernel refuses: an fsync fails, a write finds no room, the disk is full for a while. strace has it refuse the
// unmodified server, so no mount and no small disk is needed. What strace can't show is a kernel that drops dirty pages
// after a failed fsync: that is why the process must end then.

// exitFatal is how the server ends when a file could not be synced.
const exitFatal = 70

// gone waits until the server has ended by itself; -1 when it does not.
func (s *shop) gone(within time.Duration) int {
	s.mu.Lock()
	cmd := s.cmd
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(within):
		cmd.Process.Kill()
		<-ended
		s.mu.Lock()
		s.up, s.cmd = make(chan struct{}), nil
		s.mu.Unlock()
		return -1
	}
	s.mu.Lock()
	s.up, s.cmd = make(chan struct{}), nil
	s.mu.Unlock()
	return cmd.ProcessState.ExitCode()
}

// unsynced sells while an fsync fails, once in each round, at another one every time, and starts the server again.
// It returns how the server ended.
func unsynced(t *testing.T, rounds int, fault func(k int, file string) []string, wait time.Duration) (outcome, []int) {
	strace := needStrace(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.db")
	s := open(t, "sqlite:"+file)
	goods := s.basket()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(rounds)*20*time.Second)
	defer cancel()
	c := s.crew(ctx, cancel, goods, none)
	var ends []int
	for k := range rounds {
		c.collect(20)
		s.kill()
		s.under = traced(strace, os.DevNull, append([]string{"--seccomp-bpf", "-e", "trace=fsync,fdatasync"}, fault(k, file)...)...)
		s.start()
		c.while(func() { ends = append(ends, s.gone(wait)) })
		s.under = nil
		s.start()
		if (k+1)%10 == 0 {
			t.Logf("%d of %d failed fsyncs, %d sales acknowledged", k+1, rounds, len(c.all))
		}
	}
	c.collect(20)
	return c.end(), ends
}

// failsOnce fails one fsync of any file, and in every third round those of the database file, which is synced only
// when the log is copied into it: there SQLite itself would keep silent.
func failsOnce(k int, file string) []string {
	if k%3 == 2 {
		return []string{"-P", file, "-e", "inject=fsync,fdatasync:error=EIO"}
	}
	return []string{"-e", fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d", 12+(k*23)%60)}
}

func failedSyncs(t *testing.T, rounds int) {
	got, ends := unsynced(t, rounds, failsOnce, 60*time.Second)
	t.Logf("%d failed fsyncs: %+v", rounds, got)
	if got.acknowledged == 0 || got.lost != 0 || got.doubled != 0 {
		t.Errorf("%+v", got)
	}
	for k, code := range ends {
		if code != exitFatal {
			t.Errorf("round %d: after a failed fsync the server ended with %d, not %d", k, code, exitFatal)
		}
	}
}

func TestAFailedFsyncEndsTheServerAndLosesNothing(t *testing.T) {
	t.Parallel()
	failedSyncs(t, 3)
}

// The control: a server that hears of no failure goes on, and the rig must see that it did not end.
func TestTheRigCatchesAServerThatGoesOnAfterAFailedFsync(t *testing.T) {
	t.Parallel()
	if _, ends := unsynced(t, 1, func(int, string) []string { return []string{"-e", "inject=fsync,fdatasync:retval=0"} }, 4*time.Second); ends[0] == exitFatal {
		t.Errorf("the server ended with %d although nothing failed", ends[0])
	}
}

// attached is strace at the throat of a running server: writes to the database's files find no room until it lets go.
type attached struct{ cmd *exec.Cmd }

func (s *shop) attach(fault, file string) *attached {
	s.t.Helper()
	s.mu.Lock()
	pid := s.cmd.Process.Pid
	s.mu.Unlock()
	// Only what goes into the database's own files is refused; -P takes names as the server opened them.
	a := &attached{exec.Command(needStrace(s.t), "-f", "-o", os.DevNull, "-P", file, "-P", file+"-wal",
		"-e", "trace=pwrite64,ftruncate,fallocate", "-e", "inject="+fault, "-p", strconv.Itoa(pid))}
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	says, err := a.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewReader(says)
	for heard := ""; ; {
		line, err := lines.ReadString('\n')
		if heard += line; err != nil {
			s.t.Fatalf("strace does not hold the server: %s", heard)
		}
		if strings.Contains(line, fmt.Sprintf("Process %d attached", pid)) {
			break
		}
	}
	go io.Copy(io.Discard, lines)
	return a
}

// letGo ends strace; the server goes on.
func (a *attached) letGo() {
	a.cmd.Process.Signal(syscall.SIGTERM)
	a.cmd.Wait()
}

// fullDisk is what was seen while the disk was full, and after.
type fullDisk struct {
	outcome
	refused int           // writes that were told so, each within a second or it is late
	late    int           // refusals after more than a second
	wrong   int           // other answers than "disk full" while it was
	blind   int           // reads that failed
	back    time.Duration // from the moment there was room until a sale
}

const noRoom = "pwrite64,ftruncate,fallocate:error=ENOSPC"

// fills sells, lets the disk be full for a while, as often as asked, and looks at what everybody is told.
func fills(t *testing.T, rounds int, b bug) fullDisk {
	path := filepath.Join(t.TempDir(), "shop.db")
	s := open(t, "sqlite:"+path)
	goods := s.basket()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Duration(rounds)*40*time.Second)
	defer cancel()
	c := s.crew(ctx, cancel, goods, b)
	var f fullDisk
	for k := range rounds {
		c.collect(30)
		full := s.attach(noRoom, path)
		for range 6 {
			began := time.Now()
			status, answer, err := s.do(ctx, http.MethodPost, "/api/till/sales", id.New().String(), goods)
			took := time.Since(began)
			var problem struct{ Code string }
			_ = json.Unmarshal(answer, &problem)
			switch {
			case err != nil || status != http.StatusServiceUnavailable || problem.Code != "disk_full":
				f.wrong++
				t.Logf("while the disk was full a sale was told %d %.200s %v", status, answer, err)
			case took > time.Second:
				f.refused, f.late = f.refused+1, f.late+1
			default:
				f.refused++
			}
			if status, _, err := s.do(ctx, http.MethodGet, "/api/till/products?site_id="+goods.SiteID, "", nil); err != nil || status != http.StatusOK {
				f.blind++
			}
		}
		full.letGo()
		began := time.Now()
		if _, _, err := s.sellOne(ctx, goods, none); err != nil {
			t.Fatal(err)
		}
		f.back = max(f.back, time.Since(began))
		f.doubled-- // of a client that is not in the crew
		if (k+1)%10 == 0 {
			t.Logf("%d of %d full disks, %d sales acknowledged", k+1, rounds, len(c.all))
		}
	}
	c.collect(20)
	own := f.doubled
	f.outcome = c.end()
	f.doubled += own
	return f
}

func survivesFullDisks(t *testing.T, rounds int) {
	f := fills(t, rounds, none)
	t.Logf("%d full disks: %+v", rounds, f)
	if f.acknowledged == 0 || f.lost != 0 || f.doubled != 0 || f.wrong != 0 || f.late != 0 || f.blind != 0 || f.refused != 6*rounds || f.back > 30*time.Second {
		t.Errorf("%+v", f)
	}
}

func TestAFullDiskIsSaidAndNothingIsLost(t *testing.T) { survivesFullDisks(t, 2) }

// The control: who thanks the customer before the answer is there loses sales on a full disk, and the rig must see it.
func TestTheRigCatchesThanksOnAFullDisk(t *testing.T) {
	if f := fills(t, 1, earlyThank); f.lost == 0 {
		t.Errorf("nobody saw a sale lost: %+v", f)
	}
}
