# Shared by the scripts beside it: where we are, what must be installed, how long a stage took.
# Sourced, not run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CGO_ENABLED=0

say() { printf '%s\n' "$*" >&2; }
die() {
	say "$*"
	exit 1
}

# at_least 1.26 1.26.3 is true when the second version is not older than the first.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

has_go() {
	command -v go >/dev/null || return 1
	at_least 1.26 "$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//')"
}
has_node() {
	command -v node >/dev/null && command -v npm >/dev/null || return 1
	at_least 20.19 "$(node --version | sed 's/^v//')"
}
postgres_bin() {
	local dir
	if command -v postgres >/dev/null && command -v initdb >/dev/null; then
		command -v postgres
		return
	fi
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
		if [ -x "$dir/postgres" ]; then
			printf '%s\n' "$dir/postgres"
			return
		fi
	done
	return 1
}
has_postgres() { postgres_bin >/dev/null; }
chromium_bin() {
	local name
	if [ -n "${CHROMIUM:-}" ]; then
		printf '%s\n' "$CHROMIUM"
		return
	fi
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		command -v "$name" && return
	done
	return 1
}
has_chromium() { chromium_bin >/dev/null; }

# Only Linux has it, and only there the rigs with it run.
has_strace() { [ "$(uname -s)" != Linux ] || command -v strace >/dev/null; }

# The trees that ours are measured against.
has_sklearn() { /usr/bin/python3 -c 'import sklearn' 2>/dev/null; }

# On Debian, as root, what is missing comes from packages; everywhere else we say what to install.
may_install() { [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; }
install_packages() {
	say "installing $*"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends "$@" >&2
}

# need go node postgres chromium: all missing things are named at once.
need() {
	local thing packages=() missing=()
	if may_install; then
		for thing in "$@"; do
			case $thing in
			postgres) has_postgres || packages+=(postgresql) ;;
			chromium) has_chromium || packages+=(chromium fonts-noto-cjk) ;;
			strace) has_strace || packages+=(strace) ;;
			sklearn) has_sklearn || packages+=(python3-sklearn) ;;
			esac
		done
		[ ${#packages[@]} = 0 ] || install_packages "${packages[@]}" || true
	fi
	for thing in "$@"; do
		case $thing in
		go) has_go || missing+=("Go 1.26 or newer") ;;
		node) has_node || missing+=("Node 20.19 or newer, with npm") ;;
		postgres) has_postgres || missing+=("PostgreSQL 15 or newer (the server: postgres, initdb)") ;;
		chromium) has_chromium || missing+=("Chromium or Chrome (or set CHROMIUM=path)") ;;
		strace) has_strace || missing+=("strace (without it nobody sees a missing fsync)") ;;
		sklearn) has_sklearn || missing+=("scikit-learn for /usr/bin/python3 (python3-sklearn)") ;;
		esac
	done
	[ ${#missing[@]} = 0 ] && return
	say "missing on this machine:"
	for thing in "${missing[@]}"; do say "  - $thing"; done
	exit 1
}

# stage NAME command…: runs it and says how long it took.
stage() {
	local name=$1 began=$SECONDS status=0
	shift
	say "== $name"
	"$@" || status=$?
	[ $status = 0 ] && say "== $name: ok, $((SECONDS - began)) s" || say "== $name: FAILED, $((SECONDS - began)) s"
	return $status
}

# fingerprint FILE|DIR…: one hash of names and contents.
fingerprint() {
	find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum | cksum
}

# stamped NAME FINGERPRINT command…: runs the command unless it ended well on the same input before.
stamped() {
	local stamp=.build/$1 print=$2
	shift 2
	[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$print" ] && return
	rm -f "$stamp"
	"$@"
	mkdir -p .build
	printf '%s\n' "$print" >"$stamp"
}

web_install() {
	[ -d web/node_modules ] || rm -f .build/web-install
	stamped web-install "$(node --version) $(fingerprint web/package.json web/package-lock.json)" npm_ci
}
npm_ci() {
	say "installing the web packages (once)"
	(cd web && npm ci --no-audit --no-fund --loglevel=error >&2)
}
web_build() {
	web_install
	[ -f web/dist/index.html ] || rm -f .build/web-build
	stamped web-build "$(web_inputs)" vite_build
}
web_inputs() {
	find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum | cksum
}
vite_build() {
	say "building the web apps"
	(cd web && npm run --silent build -- --logLevel warn >&2)
}

commit() { git rev-parse HEAD 2>/dev/null || echo unknown; }
go_build() { # OUTPUT
	go build -trimpath -ldflags "-s -w -X zhanggui/internal/app.commit=$(commit)" -o "$1" ./cmd/zhanggui
}

# The generated files that are committed.
generated="web/openapi.json web/src/kit/api/schema.ts"
generate() {
	mkdir -p .build
	go run ./cmd/zhanggui openapi >.build/openapi.json && cp .build/openapi.json web/openapi.json && (cd web && npm run --silent gen >&2)
}
