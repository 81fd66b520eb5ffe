#!/usr/bin/env bash
# What is generated and committed: the OpenAPI document from the Go routes, the TypeScript client from that document.
. "$(dirname "$0")/lib.sh"
need go node
web_install
generate
