// Any text as a query that is planned and run on a few records. Its canonical form, and the same records in other
// batches or as a file, must give the same rows.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "query/language/query_parser.h"
#include "query/plan/query_engine.h"
#include "tests/query/memory_snapshot.h"

namespace {

using namespace dendro;

constexpr Timestamp kNow(1'795'169'100'000'000'000);  // 2026-11-20T10:05:00Z
constexpr std::size_t kQueryBytesMax = 600;

constexpr std::string_view kRecords = R"(
{"_time":"2026-11-20T10:00:00Z","severity":"info","service.name":"api","body":"GET /users 200 in 12ms","status":200,"ms":12,"user":"ann","ip":"10.0.0.1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
{"_time":"2026-11-20T10:00:00Z","severity":"info","service.name":"api","body":"GET /users 200 in 8ms","status":200,"ms":8.5,"user":"bob","ip":"fe80::1"}
{"_time":"2026-11-20T10:00:20Z","severity":"error","service.name":"api","body":"timeout calling db-1 after 3000ms","status":504,"ms":"3000","user":"ann","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
{"_time":"2026-11-20T10:01:05Z","severity":"warn","service.name":"web","body":"k=v n=7 msg=\"a b\"","n":18446744073709551615,"list":["web",1,null,{"a":1}]}
{"_time":"2026-11-20T10:01:30Z","severity":"error","service.name":"web","body":"{\"k\":{\"a\":1},\"s\":\"x y\"}","n":-9223372036854775808,"list":[]}
{"_time":"2026-11-20T10:02:00Z","service.name":"web","body":{"k":{"a":1},"t":"u"},"user":"","n":1e300,"ok":true}
{"_time":"2026-11-20T10:02:59.123456789Z","severity":"debug","body":"<a><b c=\"1\">x</b></a>","free":"1.5GiB","took":"250ms","nil":null,"n":0.1}
{"_time":"2026-11-19T10:02:59Z","body":"a,\"b\nc\",\u001b[31md","n":"7","host.name":"h1"}
)";

using Batches = std::vector<std::shared_ptr<const RecordBatch>>;

const Batches& whole() {
  static const Batches batches = load_json(std::string(kRecords), kNow);
  return batches;
}
const Batches& split() {
  static const Batches batches = [] {
    std::mt19937_64 random(7);
    return split_batches(whole(), random, 2);
  }();
  return batches;
}

/// Rows only; nothing where it did not run to its end.
std::optional<std::string> rows_of(const PreparedQuery& query, std::shared_ptr<QueryInput> input) {
  const ManualClock clock(kNow);
  QueryRunOptions options;
  options.envelope = false;
  options.limits.memory_bytes_max = std::uint64_t{8} << 20;
  options.limits.groups_max = 10'000;
  options.limits.sort_rows_max = 10'000;
  const auto run = start_query(query, std::move(input), options, clock);
  std::string rows;
  for (;;) {
    const auto piece = run->next_piece();
    if (!piece) return std::nullopt;
    if (!piece->has_value()) break;
    rows += **piece;
  }
  DENDRO_CHECK(run->is_finished());
  if (run->outcome().reason == "memory" || run->outcome().error) return std::nullopt;
  return rows;
}

std::shared_ptr<QueryInput> snapshot_of(const Batches& batches) {
  return make_snapshot_input(make_memory_snapshot(batches));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kQueryBytesMax) return 0;
  QueryRequest request;
  request.query.assign(reinterpret_cast<const char*>(data), size);
  request.now = kNow;
  request.progress = false;
  QueryFault fault;
  const auto query = prepare_query(request, fault);
  if (!query) {
    DENDRO_CHECK(!fault.message.empty());
    return 0;
  }
  const auto rows = rows_of(*query, snapshot_of(whole()));
  if (!rows) return 0;
  DENDRO_CHECK(rows_of(*query, snapshot_of(split())) == rows);
  request.query = query->canonical_text();
  if (request.query.size() <= kMaxQueryBytes) {
    const auto canonical = prepare_query(request, fault);
    DENDRO_CHECK(canonical.has_value());
    DENDRO_CHECK(rows_of(*canonical, snapshot_of(whole())) == rows);
  }
  BatchesSource file(split());
  const auto of_file = rows_of(*query, make_source_input(file));
  if (query->canonical_text().find("_id") == std::string::npos) DENDRO_CHECK(of_file == rows);
  return 0;
}
