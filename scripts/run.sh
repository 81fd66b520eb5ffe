#!/usr/bin/env bash
# Builds what changed and serves. Further arguments go to `zhanggui serve`. Where nothing was started before, a demo
# chain is made, so that there is something to see; --no-demo or ZHANGGUI_DEMO=0 begins with an empty house.
. "$(dirname "$0")/lib.sh"
scripts/build.sh
demo=(--demo)
[ -z "${ZHANGGUI_DB:-}${ZHANGGUI_DEMO:-}" ] && [ ! -e data/zhanggui.db ] && [ ! -e zhanggui.json ] || demo=()
for arg; do
	case $arg in --db | --db=* | --demo* | --no-demo | --production) demo=() ;; esac
done
exec bin/zhanggui serve ${demo[@]+"${demo[@]}"} "$@"
