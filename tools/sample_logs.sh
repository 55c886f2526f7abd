#!/bin/sh
# Prints 3,000 made-up log records (NDJSON) of the last hour: five services of a shop whose database pool runs dry.
# The same records each time but for the clock. Our own making; needs awk only.
now=$(date +%s)
exec awk -v now="$now" '
function pick(n) { state = (state * 1103515245 + 12345) % 2147483648; return int(state / 65536) % n }
function hex(n,   text, i) { text = ""; for (i = 0; i < n; i++) text = text substr("0123456789abcdef", pick(16) + 1, 1); return text }
function stamp(ms) { return strftime("%Y-%m-%dT%H:%M:%S", now - 3600 + int(ms / 1000), 1) sprintf(".%03dZ", ms % 1000) }
function emit(level, service, text, more) {
  printf "{\"_time\":\"%s\",\"level\":\"%s\",\"service\":\"%s\",\"host\":\"node-%d\",\"trace_id\":\"%s\",\"msg\":\"%s\"%s}\n", stamp(at), level, service, pick(3) + 1, hex(32), text, more
}
BEGIN {
  state = 20260115
  split("GET /products,GET /products/42,POST /cart,GET /cart,POST /checkout", routes, ",")
  for (i = 0; i < 3000; i++) {
    at = i * 1200  # milliseconds since the first record
    kind = pick(100); ms = pick(80) + 4; waited = 3000 + pick(900); attempt = pick(3) + 1; rows = pick(200); user = "user-" pick(900)
    broken = i > 2000 && i < 2300
    if (broken && kind < 25) {
      emit("error", "payments", "connection pool exhausted: 20 of 20 in use, waited " waited "ms for db-1:5432", ",\"pool\":20,\"waited_ms\":" waited)
    } else if (broken && kind < 40) {
      emit("error", "checkout", "payment call failed: upstream payments answered 503", ",\"status\":503,\"order\":\"A-" (1000 + i) "\"")
    } else if (broken && kind < 50) {
      emit("warn", "gateway", "retry " attempt " of POST /checkout", ",\"attempt\":" attempt)
    } else if (kind < 60) {
      route = routes[pick(5) + 1]
      emit("info", "gateway", route " 200 in " ms "ms", ",\"status\":200,\"latency_ms\":" ms)
    } else if (kind < 75) {
      emit("info", "catalog", "search for shoes returned " rows " rows in " ms "ms", ",\"rows\":" rows)
    } else if (kind < 88) {
      emit("debug", "catalog", "cache hit for product-" pick(500), "")
    } else if (kind < 96) {
      emit("info", "auth", "login ok for " user, ",\"user\":\"" user "\"")
    } else if (kind < 99) {
      emit("warn", "auth", "login failed for " user ": wrong password", ",\"user\":\"" user "\"")
    } else {
      emit("error", "catalog", "could not parse price of product-" pick(500), ",\"file\":\"prices.csv\",\"line\":" pick(9000))
    }
  }
}'
