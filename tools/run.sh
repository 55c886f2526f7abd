#!/bin/sh
# `make run`: builds the release, starts `dendro serve`, loads sample logs into a new data folder, says what to try.
# DENDRO_LISTEN and DENDRO_DATA choose another address (first one is used for the sample) and folder.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh release
dendro=build/release/dendro
data=${DENDRO_DATA:-dendro-data}
fresh=no
[ -e "$data/CURRENT" ] || fresh=yes

out=$(mktemp)
server=''
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -f "$out"
}
trap stop EXIT
trap 'exit 0' INT TERM

"$dendro" serve --data "$data" >"$out" &
server=$!
while ! grep -q '^ready$' "$out" 2>/dev/null; do
  if ! kill -0 "$server" 2>/dev/null; then
    wait "$server" && code=0 || code=$?
    server=''
    echo "the server did not start (see above); another address: DENDRO_LISTEN=127.0.0.1:9090 make run" >&2
    exit "$code"
  fi
  sleep 0.05
done
address=$(sed -n 's/^listening on \([^ ]*\).*/\1/p' "$out" | head -n 1)
url="http://$address"
[ "$fresh" = no ] || tools/sample_logs.sh | "$dendro" ingest --server "$url" --quiet -

server_option=''
[ "$address" = 127.0.0.1:8080 ] || server_option=" --server $url"
cat <<TEXT

dendro is running: $url/docs   (data in $data, Ctrl-C stops it)

Try in another terminal:
  $dendro query$server_option 'severity:error | stats by (service) count() as errors | sort by (errors desc)'
  $dendro query$server_option '"connection pool exhausted"' --limit 5
  echo '{"level":"error","service":"me","msg":"hello dendro"}' | $dendro ingest$server_option - && $dendro query$server_option hello
TEXT
wait "$server"
