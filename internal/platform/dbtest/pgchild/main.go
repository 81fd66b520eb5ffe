// Command pgchild runs a command with a PostgreSQL cluster beside it:
//
//	go run ./internal/platform/dbtest/pgchild -- go test ./...
//
// The command finds the cluster in ZHANGGUI_TEST_PG. Its exit code is pgchild's. With -durable first the
// cluster syncs to disk, as measuring and killing need it; tests do without.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"zhanggui/internal/platform/dbtest/pgserver"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	durable := len(args) > 0 && args[0] == "-durable"
	if durable {
		args = args[1:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: pgchild [-durable] -- COMMAND [ARGUMENT…]")
		return 2
	}
	s, err := pgserver.Start(pgserver.Options{Durable: durable})
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgchild:", err)
		return 1
	}
	defer s.Stop()
	// The command gets the terminal's signals itself, and the cluster ends after it. To ignore them
	// would be inherited by the command.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "ZHANGGUI_TEST_PG="+s.DSN("postgres"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgchild:", err)
		return 1
	}
	return 0
}
