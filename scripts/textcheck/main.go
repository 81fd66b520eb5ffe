// Textcheck reads every file that is, or would be, committed and refuses what has no place in a repository:
// broken text, paths of somebody's machine, work left for later, the address of a package registry,
// big files. It prints file, line and reason, and ends with status 1 when it found something.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"unicode/utf8"
)

const mostBytes = 1 << 20

// Written so that this file does not contain what it forbids.
var forbidden = []struct {
	what *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`(^|[^A-Za-z0-9_.~-])/(work|root|home/[a-z]+|Users/[A-Za-z]+)/`), "a path of one machine"},
	{regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`), "work left for later: do it, or open an issue"},
	{regexp.MustCompile(`registry[.]npm|npm` + `mirror|proxy[.]golang|goproxy[.]|pypi[.]org`), "the address of a package registry"},
	{regexp.MustCompile(`^(<{7}|={7}|>{7})( |$)`), "a conflict that was not resolved"},
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`), "a private key"},
}

func main() {
	list, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "git ls-files:", err)
		os.Exit(2)
	}
	files, bad := 0, 0
	for _, name := range strings.Split(strings.TrimRight(string(list), "\x00"), "\x00") {
		content, err := os.ReadFile(name)
		if err != nil {
			continue // deleted but not yet committed
		}
		files++
		for _, found := range check(name, content) {
			bad++
			fmt.Println(found)
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d files are clean text\n", files)
}

// check returns one sentence per fault.
func check(name string, content []byte) []string {
	var faults []string
	fault := func(line int, why string) { faults = append(faults, fmt.Sprintf("%s:%d: %s", name, line, why)) }

	if len(content) > mostBytes {
		fault(1, "larger than 1 MiB")
	}
	if picture(name) || strings.Contains(name, "/testdata/") {
		return faults
	}
	if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		fault(1, "not UTF-8 text")
		return faults
	}
	if len(content) > 0 && content[len(content)-1] != '\n' {
		fault(1, "no newline at the end")
	}
	for i, line := range strings.Split(string(content), "\n") {
		if strings.HasSuffix(line, "\r") {
			fault(i+1, "a carriage return at the end of the line")
			break
		}
		if strings.TrimRight(line, " \t") != line {
			fault(i+1, "a blank at the end of the line")
		}
		for _, f := range forbidden {
			if f.what.MatchString(line) {
				fault(i+1, f.why)
			}
		}
	}
	return faults
}

func picture(name string) bool {
	for _, end := range []string{".png", ".ico", ".webp", ".woff2"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
