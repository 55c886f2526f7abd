#!/bin/sh
# `make lint`: layers, formatting, and clang-tidy of the files changed against origin/main (LINT_ALL=1: all). Exit 1 on a finding.
set -eu
cd "$(dirname "$0")/.."
tools/install_packages.sh lint
failed=0
tools/check_layers.py || failed=1
files=$(git ls-files 'src/*.cc' 'src/*.h' 'tests/*.cc' 'tests/*.h' 'fuzz/*.cc' 'bench/*.cc')
# shellcheck disable=SC2086 # a list of files
clang-format-19 --dry-run --Werror $files || failed=1
if [ -n "${LINT_ALL:-}" ]; then
  changed=$(git ls-files 'src/*.cc')
else
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  changed=$(git diff --name-only --diff-filter=d "$base" -- 'src/*.cc')
fi
if [ -n "$changed" ]; then
  [ -f build/edit/compile_commands.json ] || cmake --preset edit >/dev/null
  # shellcheck disable=SC2086
  clang-tidy-19 --quiet -p build/edit $changed || failed=1
fi
exit $failed
