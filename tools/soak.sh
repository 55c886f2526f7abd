#!/bin/sh
# `make soak`: the long form of the crash tests. Simulated power cuts with SOAK_SEEDS seeds (default 10,000) from
# SOAK_FIRST_SEED on, and SOAK_KILLS real kill -9 of a writing process (default 1,000). Exit 1 on a loss or a double.
set -eu
cd "$(dirname "$0")/.."
seeds=${SOAK_SEEDS:-10000}
kills=${SOAK_KILLS:-1000}
test_storage=${SOAK_TEST_STORAGE:-build/dev/tests/storage/test_storage}
[ -n "${SOAK_TEST_STORAGE:-}" ] || tools/build.sh dev
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "== power cuts, $seeds seeds"
DENDRO_FIRST_SEED=${SOAK_FIRST_SEED:-1} DENDRO_SEEDS=$seeds "$test_storage" --gtest_filter='Crash.*' --gtest_brief=1

echo "== kill -9, $kills times"
done_kills=0
round=1
while [ "$done_kills" -lt "$kills" ]; do
  DENDRO_SEED=$round "$test_storage" --gtest_filter='Kill.*' --gtest_brief=1 > "$log" 2>&1 || { cat "$log"; exit 1; }
  done_kills=$((done_kills + $(sed -n 's/^\([0-9]*\) kills, .*/\1/p' "$log")))
  round=$((round + 1))
done
echo "$done_kills kills: nothing acknowledged was lost, nothing doubled"
