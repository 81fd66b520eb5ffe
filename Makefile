# Recipes are one line each; what they do stands in scripts/.
# `make help` prints the targets with what follows the ##.

.DEFAULT_GOAL := help
.PHONY: help run test test-fast lint gen verify bench score fuzz torture e2e build release

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build everything and serve on http://127.0.0.1:7300 (ARGS="--db … --addr …")
	@scripts/run.sh $(ARGS)

build: ## web apps and binary into bin/zhanggui
	@scripts/build.sh

test: ## every test, on SQLite and PostgreSQL, and the web tests (PKG=./internal/till/... for some)
	@scripts/test.sh $(PKG)

test-fast: ## Go tests on SQLite only, without the long ones (PKG=… for some)
	@scripts/test.sh --fast $(PKG)

lint: ## gofmt, vet, staticcheck, our own rules, TypeScript
	@scripts/lint.sh

gen: ## write the OpenAPI document and the TypeScript client again
	@scripts/gen.sh

verify: ## committed files are fresh, tidy and clean text
	@scripts/verify.sh

e2e: ## whole stories in a real browser against the built binary
	@scripts/e2e.sh $(STORY)

bench: ## sales per second through HTTP (ARGS="--db … --clients …")
	@scripts/bench.sh $(ARGS)

score: ## forecast error on the data sets in ZHANGGUI_DATA (default ../shared/data)
	@scripts/score.sh

fuzz: ## fuzz every parser for FUZZTIME (default 30s each)
	@scripts/fuzz.sh

torture: ## the long crash tests and models, resumed where they were broken off (PART=kills, cuts, fsyncs, disks, notebook, rush)
	@scripts/torture.sh $(PART)

release: ## binaries for Linux, macOS and Windows into dist/, with checksums
	@scripts/release.sh
