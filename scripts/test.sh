#!/usr/bin/env bash
# Go tests on SQLite and on one PostgreSQL started for this run, then the web tests.
# One package at a time: what a package takes is then its own doing, not its neighbour's; inside, stories run side by side.
# --fast: SQLite only, without the long tests, no web tests. Packages may be named.
. "$(dirname "$0")/lib.sh"

fast=
if [ "${1:-}" = --fast ]; then
	fast=1
	shift
fi
packages=("$@")
[ $# -gt 0 ] || packages=(./...)

mkdir -p .build
go_tests() {
	go build -o .build/testsum ./scripts/testsum || return
	if [ -n "$fast" ]; then
		go test -short -skip "/^postgres$" -json -timeout 120s "${packages[@]}" | .build/testsum
		return
	fi
	go build -o .build/pgchild ./internal/platform/dbtest/pgchild || return
	.build/pgchild -- go test -p 1 -json -timeout 400s "${packages[@]}" | .build/testsum
}
web_tests() {
	web_install && (cd web && npm test --silent)
}

if [ -n "$fast" ]; then
	need go
	stage "go test, SQLite" go_tests
	exit
fi
need go node postgres chromium strace
status=0
stage "go test" go_tests || status=1
[ $# -gt 0 ] || stage "web test" web_tests || status=1
exit $status
