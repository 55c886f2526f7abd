#!/bin/sh
# `make test`: builds the dev preset (ASan, UBSan, warnings are errors), runs every test, then puts the release binary under
# stress, and ends with one line of counts. The real servers of tools/services are fetched and started in the shadow of the build,
# a set of this run's own, and stopped at its end.
# PRESET=tsan runs them under another preset. DENDRO_REQUIRE_SERVICES=1: a required server that does not run is a failure; else
# its tests are skipped and counted. Exit: 0 all passed, 1 otherwise.
set -eu
cd "$(dirname "$0")/.."
preset=${PRESET:-dev}
tools/install_packages.sh test
reports=$PWD/build/$preset/reports
services=$PWD/build/$preset/services
mkdir -p "$services"

services_pid=''
stop_services() {
  [ -z "$services_pid" ] || { kill "$services_pid" 2>/dev/null && wait "$services_pid"; } || true
  tools/services down --state "$services"
}
trap stop_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tools/services down --state "$services"  # of a run that was killed
rm -f "$services/env" "$services/cores_are_free"
# Nicer than the compiler, which may leave them next to nothing: so their time counts from the end of the build. More of it than
# by hand: other work may share the machine.
tools/services up --nice 10 --timeout 240 --no-limit-before "$services/cores_are_free" --state "$services" --env "$services/env" >"$services/up.log" 2>&1 &
services_pid=$!

tools/build.sh "$preset"
touch "$services/cores_are_free"
failed=0
services_failed=0
wait "$services_pid" || services_failed=1
services_pid=''
cat "$services/up.log" >&2
if [ "$services_failed" = 1 ] && [ "${DENDRO_REQUIRE_SERVICES:-}" = 1 ]; then
  echo "test: DENDRO_REQUIRE_SERVICES=1, and a required server does not run" >&2
  failed=1
fi
# shellcheck disable=SC1091 # written by the command above
[ ! -f "$services/env" ] || . "$services/env"
export DENDRO_SERVICES_STATE="$services"

rm -rf "$reports"
mkdir -p "$reports"
# gtest and tests/run_unittest.py write their counts here.
GTEST_OUTPUT="xml:$reports/" DENDRO_REPORTS="$reports" ctest --preset "$preset" -j2 || failed=1
tools/services down --state "$services"  # their memory and cores are the stress test's
if [ "$preset" = dev ]; then
  tools/build.sh release
  DENDRO_BINARY=$PWD/build/release/dendro DENDRO_REPORTS="$reports" DENDRO_REPORT_PREFIX=release_ \
    python3 tests/run_unittest.py tests/system/stress_test.py || failed=1
fi
python3 tools/count_tests.py "$reports" || failed=1
exit $failed
