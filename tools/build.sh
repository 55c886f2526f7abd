#!/bin/sh
# Builds one preset: tools/build.sh release|dev|... Installs missing packages first.
set -eu
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/build.sh PRESET}
case $preset in
  release|bench) tools/install_packages.sh build ;;
  *) tools/install_packages.sh test ;;
esac
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
# Ninja's own progress line; warnings and errors stay visible.
cmake --build --preset "$preset"
