package torture

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The unmodified server runs under strace, which records what it asks of the kernel, or has the kernel refuse it. With
// -D the server stays our child, so that it can be stopped and its exit code seen.

// needStrace fails where strace is missing: a rig that skips silently proves nothing.
func needStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is missing (on Debian: apt-get install strace); without it nobody sees a missing fsync")
	}
	return path
}

// traced is a wrapper for product: strace with the given expressions, its output in a file.
func traced(strace, out string, expressions ...string) []string {
	args := []string{strace, "-D", "-f", "-q", "-o", out}
	return append(args, expressions...)
}

// event is something that mattered for what is on disk, in the order in which it happened.
type event struct {
	what  string // write, truncate, syncing, synced, unlink, ack
	file  string
	at    int64
	data  []byte
	call  int  // of the call that syncing and synced belong to, and of the write
	lie   bool // an fsync that strace has kept from the kernel
	acked string
}

var (
	lineForm    = regexp.MustCompile(`^(\d+) +(.*)$`)
	resumedForm = regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*)$`)
	callForm    = regexp.MustCompile(`^(\w+)\((.*)$`)
	saleForm    = regexp.MustCompile(`"id":"(\d+)"`)
)

// readTrace turns strace's lines into events of the database's files and answers to clients. A write counts as begun when
// the call began, and as done when it returned; an answer counts from the moment it began to be sent.
func readTrace(path, db string) ([]event, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names := map[string]string{} // by descriptor
	pending := map[string]string{}
	started := map[string]int{}
	calls := 0
	var all []event
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		m := lineForm.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		thread, rest := m[1], m[2]
		text, unfinished := strings.CutSuffix(rest, " <unfinished ...>")
		begins, ends := true, !unfinished
		if r := resumedForm.FindStringSubmatch(rest); r != nil {
			text, begins, ends = pending[thread]+r[2], false, true
		} else if unfinished {
			pending[thread] = text
		}
		c := callForm.FindStringSubmatch(text)
		if c == nil {
			continue
		}
		name, args := c[1], c[2]
		result := ""
		if i := strings.LastIndex(args, " = "); ends && i >= 0 {
			result = args[i+3:]
		}
		failed := ends && strings.HasPrefix(result, "-")
		fd, after, _ := strings.Cut(args, ",")
		fd = strings.TrimRight(strings.TrimSpace(fd), ") ")
		if i := strings.IndexByte(fd, ')'); i >= 0 {
			fd = fd[:i]
		}
		switch name {
		case "open", "openat":
			if !ends || failed {
				continue
			}
			opened, ok := quoted(args)
			if !ok {
				continue
			}
			number, _, _ := strings.Cut(result, " ")
			if s := string(opened); strings.HasPrefix(s, db) {
				names[number] = s
			} else {
				delete(names, number)
			}
		case "close":
			if begins {
				delete(names, fd)
			}
		case "pwrite64":
			of := names[fd]
			if of == "" || strings.HasSuffix(of, "-shm") {
				continue
			}
			if begins {
				calls++
				started[thread] = calls
				data, ok := quoted(after)
				offset := lastNumber(text)
				if !ok || offset < 0 {
					return nil, fmt.Errorf("a write that can't be read: %.200s", line)
				}
				all = append(all, event{what: "write", file: of, at: offset, data: data, call: calls})
			}
			if ends {
				if failed {
					return nil, fmt.Errorf("a write failed: %s", result)
				}
				all = append(all, event{what: "written", file: of, call: started[thread]})
			}
		case "ftruncate":
			if of := names[fd]; of != "" && ends && !failed && !strings.HasSuffix(of, "-shm") {
				size, err := strconv.ParseInt(strings.TrimSpace(strings.SplitN(after, ")", 2)[0]), 10, 64)
				if err != nil {
					return nil, fmt.Errorf("a truncation that can't be read: %.200s", line)
				}
				calls++
				all = append(all, event{what: "truncate", file: of, at: size, call: calls}, event{what: "written", file: of, call: calls})
			}
		case "fsync", "fdatasync":
			of := names[fd]
			if of == "" {
				continue
			}
			if begins {
				calls++
				started[thread] = calls
				all = append(all, event{what: "syncing", file: of, call: calls})
			}
			if ends && !failed {
				all = append(all, event{what: "synced", file: of, call: started[thread], lie: strings.Contains(result, "INJECTED")})
			}
		case "unlink", "unlinkat":
			if gone, ok := quoted(args); ok && ends && !failed && strings.HasPrefix(string(gone), db) {
				all = append(all, event{what: "unlink", file: string(gone)})
			}
		case "write":
			if !begins || names[fd] != "" {
				continue
			}
			data, ok := quoted(after)
			if !ok || !bytes.HasPrefix(data, []byte("HTTP/1.1 200")) {
				continue
			}
			if id := saleForm.FindSubmatch(data); id != nil {
				all = append(all, event{what: "ack", acked: string(id[1])})
			}
		}
	}
}

// quoted is the first string of a call's arguments, which strace -xx writes as \x41\x42.
func quoted(args string) ([]byte, bool) {
	_, rest, ok := strings.Cut(args, `"`)
	if !ok {
		return nil, false
	}
	text, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return nil, false
	}
	data, err := hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
	return data, err == nil
}

// lastNumber is the last argument of a call that has begun: pwrite64(5, "…", 4096, 8192.
func lastNumber(text string) int64 {
	if i := strings.LastIndex(text, ") ="); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimRight(strings.TrimSpace(text), ") ")
	_, number, _ := cutLast(text, ", ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// traceEnded waits until strace has written its last line.
func traceEnded(t *testing.T, path string) {
	t.Helper()
	//allow:tests another program writes the file and nobody tells when it has
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(20 * time.Millisecond) {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var tail [400]byte
		end, _ := file.Seek(0, io.SeekEnd)
		n, _ := file.ReadAt(tail[:], max(0, end-int64(len(tail))))
		file.Close()
		if last := string(tail[:n]); strings.HasSuffix(strings.TrimSpace(last), "+++") && strings.Contains(last, "exited with") || strings.Contains(last, "+++ killed") {
			return
		}
	}
	t.Fatalf("strace has not ended its record %s", filepath.Base(path))
}
