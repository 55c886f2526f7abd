#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "query/plan/source_wish.h"
#include "tests/query/qtest_file.h"
#include "tests/query/query_harness.h"
#include "tests/query/spill_folder.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

/// Seeds by which the records are cut into batches: the answer must be the same.
constexpr std::uint64_t kSplitSeeds[] = {1, 2, 3};

class QueryTestFileRun : public testing::TestWithParam<std::string> {};

/// The tables of a file.
class FileTables final : public LookupTables {
 public:
  explicit FileTables(const QueryTestFile& file) : tables_(file.tables) {}
  Result<std::shared_ptr<const SubqueryRows>> find(std::string_view name) const override {
    const auto known = tables_.find(name);
    if (known == tables_.end()) return Error(ErrorCode::not_found, "there is no table \"" + std::string(name) + "\"");
    return parse_lookup_table(name, known->second);
  }

 private:
  const std::map<std::string, std::string, std::less<>> tables_;
};

QueryRequest request_of(const QueryCase& test, std::shared_ptr<const LookupTables> tables) {
  QueryRequest request;
  request.lookup_tables = std::move(tables);
  request.query = test.query;
  request.now = at(test.now.c_str());
  request.tz = test.tz;
  request.default_field = test.default_field;
  request.fields = test.fields;
  if (test.order == "asc") request.order = ScanOrder::oldest_first;
  if (!test.limit.empty()) request.limit = std::stoull(test.limit);
  return request;
}

/// The field `id` of a row.
std::string id_of(const std::string& row) {
  const std::size_t key = row.find("\"id\":\"");
  if (key == std::string::npos) return "?";
  return row.substr(key + 6, row.find('"', key + 6) - key - 6);
}

void expect_fault(const QueryCase& test, const QueryFault& fault) {
  if (test.error) {
    EXPECT_EQ(fault.message, *test.error);
    EXPECT_EQ(fault.column, test.error_column);
    EXPECT_EQ(fault.code, ErrorCode::invalid_argument);
  }
  if (test.unimplemented) {
    EXPECT_EQ(fault.code, ErrorCode::unimplemented) << fault.detail();
    EXPECT_NE(fault.message.find(*test.unimplemented), std::string::npos) << fault.message;
  }
  if (test.suggestion) EXPECT_EQ(fault.suggestion, *test.suggestion);
}

void expect_answer(const QueryCase& test, const Answer& answer, const std::string& how) {
  if (test.ids) {
    std::vector<std::string> ids;
    for (const std::string& row : answer.rows) ids.push_back(id_of(row));
    EXPECT_EQ(ids, *test.ids) << how;
  }
  if (test.rows) EXPECT_EQ(answer.rows, *test.rows) << how;
  if (test.warning)
    EXPECT_NE(answer.status.find("\"code\":\"" + *test.warning + "\""), std::string::npos) << how << answer.status;
  EXPECT_FALSE(answer.meta.empty()) << how;
  EXPECT_FALSE(answer.status.empty()) << how;
}

/// The same records in every state that the engine keeps records in.
class StoredStates {
 public:
  explicit StoredStates(const std::vector<std::shared_ptr<const RecordBatch>>& batches) {
    one_.open();
    two_.open();
    append(one_, batches, 0, batches.size());
    keep(one_, "in memory");
    EXPECT_TRUE(one_.store->flush().has_value());
    keep(one_, "in a segment");
    EXPECT_TRUE(one_.store->compact(CompactionScope::all_final).has_value());
    keep(one_, "compacted");
    append(two_, batches, 0, batches.size() / 2);
    EXPECT_TRUE(two_.store->flush().has_value());
    append(two_, batches, batches.size() / 2, batches.size());
    keep(two_, "half in a segment, half in memory");
    EXPECT_TRUE(two_.store->flush().has_value());
    keep(two_, "in two segments");
    EXPECT_TRUE(two_.store->compact(CompactionScope::all_final).has_value());
    keep(two_, "merged");
  }
  const std::vector<std::pair<std::string, std::shared_ptr<const Snapshot>>>& states() const { return states_; }

 private:
  static void append(StoreFixture& fixture, const std::vector<std::shared_ptr<const RecordBatch>>& batches,
                     std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      CommitRequest request;
      request.receive_time = batches[i]->receive_time();
      request.batches.push_back(batches[i]);
      EXPECT_TRUE(fixture.append(std::move(request)).has_value());
    }
  }
  void keep(StoreFixture& fixture, const std::string& how) {
    states_.emplace_back(how, *fixture.store->snapshot(TenantId::default_tenant()));
  }

  StoreFixture one_, two_;
  std::vector<std::pair<std::string, std::shared_ptr<const Snapshot>>> states_;
};

/// One for each data set: making them takes longer than asking them.
const StoredStates& stored_states_of(const std::string& ndjson, Timestamp now) {
  static std::map<std::string, std::unique_ptr<StoredStates>> known;
  std::unique_ptr<StoredStates>& states = known[std::to_string(now.number()) + ndjson];
  if (states == nullptr) {
    std::mt19937_64 random(kSplitSeeds[0]);
    states = std::make_unique<StoredStates>(split_batches(load_json(ndjson, now), random, 4));
  }
  return *states;
}

/// Sorts and groups that keep nothing in memory but what they must.
void expect_spilled_answer(const QueryCase& test, const QueryRequest& request,
                           const std::vector<std::shared_ptr<const RecordBatch>>& batches, const Clock& clock) {
  std::mt19937_64 random(kSplitSeeds[0]);
  const auto pieces = split_batches(batches, random, 4);
  const SpillFolder folder;
  QueryRunOptions options;
  folder.use_for(options, 1);
  expect_answer(test, run_query(request, make_snapshot_input(make_memory_snapshot(pieces)), clock, options), "spilled");
  BatchesSource source(pieces);
  expect_answer(test, run_query(request, make_source_input(source), clock, options), "as files, spilled");
  EXPECT_EQ(folder.names(), std::vector<std::string>());
}

/// A file of which only what the query looks at becomes records.
void expect_answer_of_file(const QueryCase& test, const QueryRequest& request, const PreparedQuery& prepared,
                           const std::string& ndjson, const Clock& clock) {
  FileSourceOptions options;
  options.receive_time = request.now;
  options.mapping.labels = {{"dendro.source", "ingest"}};
  options.mapping.lead_max = std::chrono::hours(24 * 365 * 100);
  options.wish = std::make_shared<const RecordWish>(source_wish(prepared.plan()));
  const auto source = make_ndjson_source(std::make_unique<MemoryByteSource>(ndjson), options);
  expect_answer(test, run_query(request, make_source_input(*source), clock), "as a file, what is looked at");
}

void run_case(const QueryCase& test, const std::string& ndjson, std::shared_ptr<const LookupTables> tables) {
  const QueryRequest request = request_of(test, std::move(tables));
  QueryFault fault;
  const auto prepared = prepare_query(request, fault);
  if (test.error || test.unimplemented) {
    ASSERT_FALSE(prepared.has_value());
    expect_fault(test, fault);
    return;
  }
  ASSERT_TRUE(prepared.has_value()) << fault.detail();
  if (test.canonical) EXPECT_EQ(prepared->canonical_text(), *test.canonical);
  if (!test.ids && !test.rows) return;
  const ManualClock clock(request.now);
  const auto batches = load_json(ndjson, request.now);
  for (const std::uint64_t seed : kSplitSeeds) {
    std::mt19937_64 random(seed);
    auto pieces = split_batches(batches, random, 4);
    const std::string how = "split by seed " + std::to_string(seed);
    expect_answer(test, run_query(request, make_snapshot_input(make_memory_snapshot(pieces)), clock), how);
    BatchesSource source(pieces);
    expect_answer(test, run_query(request, make_source_input(source), clock), "as files, " + how);
  }
  expect_spilled_answer(test, request, batches, clock);
  expect_answer_of_file(test, request, *prepared, ndjson, clock);
  for (const auto& [how, snapshot] : stored_states_of(ndjson, request.now).states()) {
    expect_answer(test, run_query(request, make_snapshot_input(snapshot), clock), how);
  }
}

TEST_P(QueryTestFileRun, Answers) {
  const QueryTestFile file = read_qtest_file("tests/query/" + GetParam() + ".qtest");
  ASSERT_FALSE(file.cases.empty());
  const auto tables = file.tables.empty() ? nullptr : std::make_shared<const FileTables>(file);
  for (const QueryCase& test : file.cases) {
    SCOPED_TRACE(GetParam() + ".qtest:" + std::to_string(test.line) + ": " + test.sentence + "\n  " + test.query);
    if (!test.error && !test.unimplemented && (test.ids || test.rows))
      ASSERT_TRUE(file.data.contains(test.data)) << test.data;
    run_case(test, test.data.empty() || !file.data.contains(test.data) ? "" : file.data.at(test.data), tables);
  }
}

std::vector<std::string> qtest_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("tests/query")) {
    if (entry.path().extension() == ".qtest") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, QueryTestFileRun, testing::ValuesIn(qtest_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace dendro
