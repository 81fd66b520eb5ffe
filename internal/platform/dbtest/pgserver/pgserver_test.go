package pgserver_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"zhanggui/internal/platform/dbtest/pgserver"
)

// The test runs itself as a program that starts a cluster and waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("PGSERVER_TEST_VICTIM") != "" {
		s, err := pgserver.Start(pgserver.Options{})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		pid, _ := s.PID()
		fmt.Println("running", s.Dir, pid)
		select {}
	}
	os.Exit(m.Run())
}

func TestAClusterEndsWithTheProcessThatStartedIt(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PGSERVER_TEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var dir string
	var pid int
	if _, serr := fmt.Sscanf(line, "running %s %d", &dir, &pid); serr != nil {
		t.Fatalf("%q %v %v", line, err, serr)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		_, there := os.Stat(dir)
		_, alive := os.Stat(fmt.Sprint("/proc/", pid))
		if os.IsNotExist(there) && os.IsNotExist(alive) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("20 s later: folder %v, process %v", there, alive)
		}
	}
}

func TestADurableClusterSyncs(t *testing.T) {
	s, err := pgserver.Start(pgserver.Options{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		var on string
		if err := c.QueryRow(t.Context(), "SHOW "+name).Scan(&on); err != nil || on != "on" {
			t.Errorf("%s is %s, %v", name, on, err)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Error("the folder stays")
	}
	if !strings.Contains(s.DSN("a b"), "a%20b") {
		t.Error(s.DSN("a b"))
	}
}
