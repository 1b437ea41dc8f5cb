#!/bin/sh
# Builds the program into root/bin, or into bin below the directory $1.
set -eu
cd "$(dirname "$0")"
CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o "${1:-root}/bin/factors" .
