#!/bin/sh
# Builds the program into root/bin, or into bin below the directory $1.
set -eu
cd "$(dirname "$0")"
mkdir -p "${1:-root}/bin"
${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra -static -s -o "${1:-root}/bin/checksum" main.c host.c json.c
