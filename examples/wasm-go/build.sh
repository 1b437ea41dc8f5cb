#!/bin/sh
# Builds app.wasm, here or in the directory $1.
set -eu
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags '-s -w' -o "${1:-.}/app.wasm" .
