#!/bin/sh
# Builds app.wasm, here or in the directory $1.
set -eu
cd "$(dirname "$0")"
clang --target=wasm32-wasi -mexec-model=reactor -std=c11 -O2 -Wall -Wextra -Werror -I ../../sdk/c -Wl,--strip-all \
	-o "${1:-.}/app.wasm" main.c ean.c
