#!/usr/bin/env bash
# The long forms of the crash tests, tag `torture`, on both engines.
. "$(dirname "$0")/lib.sh"
need go postgres strace
mkdir -p .build
go build -o .build/pgchild ./internal/platform/dbtest/pgchild
.build/pgchild -- go test -tags torture -count=1 -timeout 60m -run Torture -v ./...
