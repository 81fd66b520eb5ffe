#!/usr/bin/env bash
# Stories in test/e2e, each against its own server and database. STORY=name runs one.
. "$(dirname "$0")/lib.sh"
need go node chromium
stage build scripts/build.sh
CHROMIUM=$(chromium_bin) stage stories node test/e2e/run.mjs "$@"
