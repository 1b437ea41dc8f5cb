#!/bin/sh
# Runs a command as root with the caller's PATH and Go settings, so that a
# toolchain outside sudo's secure_path is found and nothing is built twice. What
# root has besides (runc is in /usr/sbin) comes after it.
set -eu
. "$(dirname "$0")/root.sh"
as_root env "PATH=$PATH:/usr/sbin:/sbin" "GOMODCACHE=$(go env GOMODCACHE)" "GOFLAGS=$(go env GOFLAGS) -modcacherw" GOTOOLCHAIN=local "$@"
