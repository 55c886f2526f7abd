#!/bin/sh
# `make test`: builds the dev preset (ASan, UBSan, warnings are errors), runs every test, then puts the release binary under
# stress, and ends with one line of counts.
# PRESET=tsan runs them under another preset. Exit: 0 all passed, 1 otherwise.
set -eu
cd "$(dirname "$0")/.."
preset=${PRESET:-dev}
tools/build.sh "$preset"
reports=$PWD/build/$preset/reports
rm -rf "$reports"
mkdir -p "$reports"
failed=0
# gtest and tests/run_unittest.py write their counts here.
GTEST_OUTPUT="xml:$reports/" DENDRO_REPORTS="$reports" ctest --preset "$preset" -j2 || failed=1
if [ "$preset" = dev ]; then
  tools/build.sh release
  DENDRO_BINARY=$PWD/build/release/dendro DENDRO_REPORTS="$reports" DENDRO_REPORT_PREFIX=release_ \
    python3 tests/run_unittest.py tests/system/stress_test.py || failed=1
fi
python3 tools/count_tests.py "$reports" || failed=1
exit $failed
