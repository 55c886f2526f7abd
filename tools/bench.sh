#!/bin/sh
# `make bench`: builds the bench preset and runs each bench/*.sh in turn; every one prints ratios against a peer or a limit in one run.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh bench
for script in bench/*.sh; do
  echo "== $script"
  "$script"
done
