package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"zhanggui/internal/platform/db"
)

// meter reads how much CPU processes have used.
type meter struct {
	postmaster int // 0: SQLite, or a server on another machine
}

func childEndsWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

func newMeter(ctx context.Context, d *db.DB) (*meter, error) {
	m := &meter{}
	if d.Engine() != db.Postgres {
		return m, nil
	}
	var backend int64
	err := d.Read(ctx, func(tx *db.Tx) error { return tx.QueryRow(`SELECT pg_backend_pid()`).Scan(&backend) })
	if s, ok := stat(int(backend)); err == nil && ok && strings.HasPrefix(s.name, "postgres") {
		m.postmaster = s.parent
	}
	return m, err
}

// of is the CPU time in ms that the process and the database's processes have used.
func (m *meter) of(pid int) float64 {
	s, _ := stat(pid)
	return s.ms + m.database()
}

// own is that of this process and the database's.
func (m *meter) own() float64 { return m.of(os.Getpid()) }

func (m *meter) database() float64 {
	if m.postmaster == 0 {
		return 0
	}
	var ms float64
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if s, ok := stat(pid); ok && (s.parent == m.postmaster || pid == m.postmaster) {
			ms += s.ms
			if pid == m.postmaster {
				ms += s.goneMS // of children that have ended
			}
		}
	}
	return ms
}

type procStat struct {
	name       string
	parent     int
	ms, goneMS float64
}

// stat reads /proc/PID/stat; times there are in hundredths of a second on every Linux.
func stat(pid int) (procStat, bool) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, false
	}
	open, shut := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
	if open < 0 || shut < open {
		return procStat{}, false
	}
	f := strings.Fields(string(raw[shut+1:]))
	if len(f) < 15 {
		return procStat{}, false
	}
	n := func(i int) float64 { v, _ := strconv.ParseFloat(f[i], 64); return v }
	return procStat{name: string(raw[open+1 : shut]), parent: int(n(1)), ms: 10 * (n(11) + n(12)), goneMS: 10 * (n(13) + n(14))}, true
}

// residentMiB is the memory a process has in use.
func residentMiB(pid int) float64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(f[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
