#!/bin/sh
# Installs the Debian packages that the named jobs need and that are missing.
# Usage: deps.sh build|test|bench|demo|examples ...
set -eu

for job; do
	case $job in
	build | demo) packages="${packages:-} gcc make libc6-dev libseccomp-dev" ;;
	test) packages="${packages:-} gcc make libc6-dev libseccomp-dev protobuf-compiler libprotobuf-dev busybox-static patch
		qemu-system-x86 kmod xz-utils debian-archive-keyring
		clang lld wasi-libc libclang-rt-dev-wasm32" ;;
	examples) packages="${packages:-} gcc make libc6-dev clang lld wasi-libc libclang-rt-dev-wasm32" ;;
	bench) packages="${packages:-} bubblewrap runc crun" ;;
	*) echo "deps.sh: no job is called $job" >&2; exit 2 ;;
	esac
done

command -v go >/dev/null || {
	echo "deps.sh: Go is missing: install the version that go.mod names from https://go.dev/dl" >&2
	exit 1
}

missing=
for package in $packages; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

. "$(dirname "$0")/root.sh"
echo "installing:$missing" >&2
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
