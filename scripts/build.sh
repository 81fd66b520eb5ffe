#!/usr/bin/env bash
# Web apps, then the binary that holds them: bin/zhanggui.
. "$(dirname "$0")/lib.sh"
need go
if has_node; then
	web_build
else
	say "Node 20.19 or newer is missing: building the API with a placeholder page instead of the web apps."
fi
go_build bin/zhanggui
