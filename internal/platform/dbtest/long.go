package dbtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Parts runs a long test in parts, tells how far it is, and goes on where it was broken off: in the folder that
// ZHANGGUI_TORTURE names it keeps how many parts are done, and a line for each in report.txt. Without the folder it
// begins with the first. A part that fails is not done, and ends the test.
func Parts(t *testing.T, name string, parts int, part func(t *testing.T, k int)) {
	t.Helper()
	dir := os.Getenv("ZHANGGUI_TORTURE")
	done := 0
	if dir != "" {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			if done, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for k := done; k < parts; k++ {
		began := time.Now()
		ran := false // not when -run names another part
		if !t.Run(strconv.Itoa(k+1), func(t *testing.T) { ran = true; part(t, k) }) {
			return
		}
		if !ran {
			continue
		}
		line := fmt.Sprintf("%s: %d of %d, %.1f s", name, k+1, parts, time.Since(began).Seconds())
		t.Log(line)
		if dir == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strconv.Itoa(k+1)), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(dir, "report.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintln(f, line)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
