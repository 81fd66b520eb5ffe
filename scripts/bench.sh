#!/usr/bin/env bash
# Sales per second; further arguments go to `zhanggui bench sale`. Without --db a new SQLite file is used and removed.
. "$(dirname "$0")/lib.sh"
scripts/build.sh
case " $* " in
*" --db "* | *" --db="*) exec bin/zhanggui bench sale "$@" ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bin/zhanggui bench sale --db "sqlite:$dir/bench.db" "$@"
