// Package pgserver runs a PostgreSQL cluster of its own for tests and measurements: in a temporary
// folder, reachable by a Unix socket in it only, gone when it is stopped or when the process that
// started it ends in whatever way.
package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options of a cluster.
type Options struct {
	Durable bool   // fsync as in production, for measurements; tests do without
	Under   string // folder to make the cluster's folder in; default the system's for temporary files
}

// Server is a running cluster.
type Server struct {
	Dir   string // data, socket and log
	life  io.Closer
	ended chan struct{}
}

// Start makes a cluster and waits until it answers. PostgreSQL refuses to run as root, so root lends
// it to the user postgres or nobody.
func Start(o Options) (*Server, error) {
	bin, err := findBin()
	if err != nil {
		return nil, err
	}
	under := o.Under
	if under == "" {
		under = os.TempDir()
		if len(under) > 60 { // a socket's path has at most 107 bytes
			under = "/tmp"
		}
	}
	dir, err := os.MkdirTemp(under, "zhanggui-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, ended: make(chan struct{})}
	if err := s.start(bin, o); err != nil {
		if s.life != nil {
			s.Stop()
		}
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func (s *Server) start(bin string, o Options) error {
	attr := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		uid, gid, err := unprivileged()
		if err != nil {
			return err
		}
		if err := os.Chown(s.Dir, uid, gid); err != nil {
			return err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	data := filepath.Join(s.Dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = s.Dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	settings := []string{"-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.Dir, "-c", "max_connections=300",
		"-c", "shared_buffers=128MB", "-c", "log_min_messages=fatal"}
	if o.Durable {
		settings = append(settings, "-c", "max_wal_size=4GB")
	} else {
		settings = append(settings, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
			"-c", "autovacuum=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0")
	}
	// The shell holds the cluster's life: when this process ends, in whatever way, the pipe on its
	// standard input closes, read returns, and it ends the server by its own number.
	script := `"$@" & pid=$!; read _; kill -QUIT $pid; wait $pid; rm -rf "$DIR"`
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh", filepath.Join(bin, "postgres"), "-D", data}, settings...)...)
	cmd.Dir, cmd.SysProcAttr = s.Dir, attr
	cmd.Env = append(os.Environ(), "DIR="+s.Dir, "LC_ALL=C")
	log, err := os.Create(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.life = life
	go func() { cmd.Wait(); close(s.ended) }()
	return s.ready()
}

// ready waits until the server answers.
func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
		case <-s.ended:
		case <-time.After(20 * time.Millisecond):
			continue
		}
		text, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
		return fmt.Errorf("postgres does not answer: %w\n%s", err, bytes.TrimSpace(text))
	}
}

// DSN is the address of one database of the cluster, for its superuser.
func (s *Server) DSN(database string) string {
	return "postgres:///" + url.PathEscape(database) + "?user=postgres&host=" + url.QueryEscape(s.Dir)
}

// PID is the number of the postgres process whose children serve the connections.
func (s *Server) PID() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.Dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// Stop ends the cluster and removes its folder.
func (s *Server) Stop() error {
	s.life.Close()
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		return errors.New("postgres does not end")
	}
	return os.RemoveAll(s.Dir)
}

// findBin finds the server programs, which distributions keep out of PATH.
func findBin() (string, error) {
	if p, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			p = real
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(p), "initdb")); err == nil {
			return filepath.Dir(p), nil
		}
	}
	var best string
	version := 0
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"} {
		found, _ := filepath.Glob(pattern)
		for _, dir := range found {
			if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
				continue
			}
			digits := strings.TrimLeft(strings.TrimFunc(filepath.Base(filepath.Dir(dir)), func(r rune) bool { return r < '0' || r > '9' }), "0")
			if n, _ := strconv.Atoi(digits); n >= version {
				best, version = dir, n
			}
		}
	}
	if best == "" {
		return "", fmt.Errorf("PostgreSQL's server programs (initdb, postgres) are not installed on this %s machine", runtime.GOOS)
	}
	return best, nil
}

func unprivileged() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, lerr := user.Lookup(name)
		if lerr != nil {
			err = lerr
			continue
		}
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
		return uid, gid, nil
	}
	return 0, 0, err
}
