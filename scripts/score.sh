#!/usr/bin/env bash
# Forecast error on real sales. The data is not part of the repository; without it this is an error.
. "$(dirname "$0")/lib.sh"
need go sklearn
export ZHANGGUI_DATA=${ZHANGGUI_DATA:-../shared/data}
[ -d "$ZHANGGUI_DATA" ] || die "no data at $ZHANGGUI_DATA (set ZHANGGUI_DATA)"
ZHANGGUI_DATA=$(cd "$ZHANGGUI_DATA" && pwd)
go test -tags data -count=1 -timeout 30m -run Score -v ./...
