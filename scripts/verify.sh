#!/usr/bin/env bash
# What is committed can be trusted: generated files are fresh, go.mod is tidy, text is clean.
. "$(dirname "$0")/lib.sh"
need go node

fresh() {
	local before after
	before=$(cksum $generated) || return
	web_install && generate || return
	after=$(cksum $generated)
	[ "$before" = "$after" ] || {
		say "stale until now, written again (commit them): $generated"
		return 1
	}
}
tidy() { go mod tidy -diff && go mod verify >/dev/null; }
text() { go run ./scripts/textcheck; }

status=0
stage "generated files" fresh || status=1
stage "go.mod" tidy || status=1
stage text text || status=1
exit $status
