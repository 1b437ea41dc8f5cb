#!/bin/sh
# Runs examples/loan-calculator in a sealed worker and prints its result and
# the locks that were verified around it.
set -eu
cd "$(dirname "$0")/.."
. scripts/root.sh
input='{"principal": "250000", "rate": "4.2", "months": 360}'
echo "\$ mpsupervisor run --verbose examples/loan-calculator --call payment --input '$input'"
as_root bin/mpsupervisor run --verbose examples/loan-calculator --call payment --input "$input"
