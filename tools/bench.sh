#!/bin/sh
# `make bench`: builds the bench preset and runs its programs one after the other; each prints ratios against a peer or a physical
# limit in one run. Needs a quiet machine: the load is printed first. NEZHA=FILE names nezha.ndjson (unpacked) for the decoder.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh bench
bin=build/bench
echo "load: $(cut -d ' ' -f 1-3 /proc/loadavg)"
echo "== analyze against simdjson, ripgrep, jq, DuckDB"
bench/analyze.py --dendro "$bin/dendro" --simdjson "$bin/bench/analyze_simdjson_bench"
echo "== storage: synced groups, ingest, flush, scan, open"
"$bin/bench/storage_bench"
echo "== loads unlike the corpora, and how soon a query lets go"
"$bin/bench/load_shapes_bench"
echo "== 1,000 live tails on a busy intake"
bench/engine/tails.py --dendro "$bin/dendro"
echo "== HTTP server against stock Beast"
"$bin/bench/http_server_bench"
if [ -n "${NEZHA:-}" ]; then
  echo "== ingest decoder against bare simdjson"
  "$bin/bench/ingest_decode_bench" "$NEZHA" 7
else
  echo "== ingest decoder: skipped, NEZHA is not set"
fi
if [ -n "${CORPORA:-}" ]; then
  echo "== queries over files against ripgrep, jq, DuckDB, lnav"
  bench/query_files.py --dendro "$bin/dendro" --corpora "$CORPORA"
else
  echo "== queries over files: skipped, CORPORA is not set"
fi
