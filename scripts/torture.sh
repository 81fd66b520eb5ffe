#!/usr/bin/env bash
# The long forms of the crash tests and models, tag `torture`, on both engines. A word names some of them: kills cuts fsyncs
# disks notebook rush. What is done is kept by commit in .build/torture, with a report: a run that was broken off goes on.
. "$(dirname "$0")/lib.sh"
need go postgres strace
declare -A named=([kills]=TwoHundredKills [cuts]=PowerCuts [fsyncs]=FailedFsyncs [disks]=FullDisks [notebook]=Notebook [rush]=Rush)
pattern=${1:+${named[$1]:-$1}}
ZHANGGUI_TORTURE=$PWD/.build/torture/$(commit)
export ZHANGGUI_TORTURE
mkdir -p "$ZHANGGUI_TORTURE"
go build -o .build/pgchild ./internal/platform/dbtest/pgchild
# One package after the other, so that each tells how far it is while it runs.
.build/pgchild -- go test -tags torture -count=1 -p 1 -timeout 24h -run "Torture.*$pattern" -v ./internal/ledger ./internal/stock ./internal/app/attack ./test/torture
say "report: $ZHANGGUI_TORTURE/report.txt"
