#!/bin/sh
# `make fuzz`: builds every fuzz target and runs each for FUZZ_SECONDS (default 60). A finding stays in build/fuzz/findings/. Exit 1 on one.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh fuzz
mkdir -p build/fuzz/findings
failed=0
for target in build/fuzz/fuzz/fuzz_*; do
  [ -x "$target" ] || continue
  name=$(basename "$target" | sed 's/^fuzz_//')
  mkdir -p "build/fuzz/corpus/$name"
  seeds=''
  [ ! -d "fuzz/corpus/$name" ] || seeds="fuzz/corpus/$name"
  dictionary=''
  [ ! -f "fuzz/${name%%_*}.dict" ] || dictionary="-dict=fuzz/${name%%_*}.dict"
  echo "== $name, ${FUZZ_SECONDS:-60} s"
  # shellcheck disable=SC2086
  "$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 $dictionary \
    -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" $seeds 2>&1 | tail -n 12 || failed=1
  [ -z "$(ls build/fuzz/findings | grep "^$name-" || true)" ] || failed=1
done
exit $failed
