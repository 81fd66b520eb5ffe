#!/usr/bin/env bash
# Every rule that needs no running product.
. "$(dirname "$0")/lib.sh"
need go node

formatted() {
	local bad
	bad=$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l)
	[ -z "$bad" ] || {
		say "not formatted (gofmt -w):"
		say "$bad"
		return 1
	}
}
ours() {
	mkdir -p .build
	go build -o .build/lint ./internal/lint || return
	go vet -vettool="$PWD/.build/lint" ./...
}
types() {
	web_install && (cd web && npm run --silent typecheck)
}

status=0
stage gofmt formatted || status=1
stage "go vet" go vet ./... || status=1
stage staticcheck go tool staticcheck ./... || status=1
stage "our rules" ours || status=1
stage tsc types || status=1
exit $status
