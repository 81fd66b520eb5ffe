#!/usr/bin/env bash
# Each Fuzz function for FUZZTIME, one after another.
. "$(dirname "$0")/lib.sh"
need go
found=0
while IFS=: read -r file _ line; do
	name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
	stage "$name" go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-30s}" "./$(dirname "$file")"
	found=$((found + 1))
done < <(grep -rnE --include='*_test.go' '^func Fuzz' internal)
say "$found passed, 0 failed"
