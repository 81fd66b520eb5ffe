#!/usr/bin/env bash
# One binary per system into dist/, with SHA256SUMS. Nothing is uploaded.
. "$(dirname "$0")/lib.sh"
need go node
web_build
rm -rf dist
mkdir -p dist
for os in linux darwin windows; do
	for arch in amd64 arm64; do
		out=dist/zhanggui-$os-$arch
		[ $os = windows ] && out=$out.exe
		say "$out"
		GOOS=$os GOARCH=$arch go_build "$out"
	done
done
sums() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
(cd dist && sums zhanggui-* >SHA256SUMS)
