#!/bin/sh
# Bundles src/ and the npm packages that package-lock.json pins into app.js, here
# or in the directory $1. What is fetched stays in .build, which is not packed:
# no name that begins with a dot is.
set -eu
cd "$(dirname "$0")"
out=$(realpath "${1:-.}")
mkdir -p .build
rm -rf .build/src
cp -R package.json package-lock.json src .build/
(cd ../.. && go run ./internal/jsbuild -entry src/main.js -o app.js -map examples/receipt/.build)
cp .build/app.js .build/app.js.map "$out/"
