#!/usr/bin/env bash
# Builds what changed and serves. Further arguments go to `zhanggui serve`.
. "$(dirname "$0")/lib.sh"
scripts/build.sh
exec bin/zhanggui serve "$@"
