#!/bin/sh
# Regenerates the code made from control.proto into the directory $1 (default:
# the source tree). The plugins' versions are pinned by go.mod's tool lines.
set -eu
cd "$(dirname "$0")/.."
out=${1:-.}
plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
go build -o "$plugins/" google.golang.org/protobuf/cmd/protoc-gen-go connectrpc.com/connect/cmd/protoc-gen-connect-go
module=github.com/mpsupervisor/mpsupervisor
PATH="$plugins:$PATH" protoc -I internal/control/controlpb \
	--go_out="$out" --go_opt=module=$module \
	--connect-go_out="$out" --connect-go_opt=module=$module,simple \
	internal/control/controlpb/control.proto
