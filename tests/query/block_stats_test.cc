#include <gtest/gtest.h>

#include "query/language/query_fault.h"
#include "tests/query/query_harness.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

using Rows = std::vector<std::string>;

class BlockStatsPipeTest : public testing::Test {
 protected:
  BlockStatsPipeTest() {
    fixture_.open();
    append("{\"_time\":\"2026-11-20T10:00:00Z\",\"service.name\":\"api\",\"body\":\"login 11\",\"n\":1}\n");
    append(
        "{\"_time\":\"2026-11-20T12:00:00Z\",\"service.name\":\"web\",\"body\":\"needle\",\"user\":\"ann\"}\n"
        "{\"_time\":\"2026-11-20T12:00:01Z\",\"service.name\":\"web\",\"body\":\"needle\",\"user\":\"bob\"}\n");
  }
  void append(const std::string& records) {
    CommitRequest request;
    request.receive_time = at("2026-11-20T20:00:00Z");
    request.batches = load_json(records, request.receive_time);
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
    ASSERT_TRUE(fixture_.store->flush().has_value());
  }
  Answer ask(const std::string& query, std::shared_ptr<QueryInput> input = nullptr) {
    QueryRequest request;
    request.query = query;
    request.now = at("2026-11-20T20:00:00Z");
    const ManualClock clock(request.now);
    if (input == nullptr) input = make_snapshot_input(fixture_.store->snapshot(TenantId::default_tenant()).value());
    return run_query(request, std::move(input), clock);
  }

  StoreFixture fixture_;
};

TEST_F(BlockStatsPipeTest, GivesEachColumnOfEachRowGroup) {
  EXPECT_EQ(
      ask("* | block_stats | stats by (first) count_uniq(segment) as s, max(row_group) as r, max(records) as n").rows,
      (Rows{"{\"first\":\"2026-11-20T10:00:00.000000000Z\",\"s\":1,\"r\":0,\"n\":1}",
            "{\"first\":\"2026-11-20T12:00:00.000000000Z\",\"s\":1,\"r\":0,\"n\":2}"}));
  EXPECT_EQ(
      ask("* | block_stats | where field:in(body, n, user, \"(times)\") | fields field, type, values").rows,
      (Rows{
          "{\"field\":\"(times)\",\"type\":\"time\",\"values\":2}",
          "{\"field\":\"body\",\"type\":\"text\",\"values\":2}", "{\"field\":\"user\",\"type\":\"text\",\"values\":2}",
          "{\"field\":\"(times)\",\"type\":\"time\",\"values\":1}",
          "{\"field\":\"body\",\"type\":\"text\",\"values\":1}", "{\"field\":\"n\",\"type\":\"int64\",\"values\":1}"}))
      << "newest first";
  EXPECT_EQ(ask("* | block_stats | where bytes:>0 stored_bytes:=0 | stats count() as n").rows, Rows{"{\"n\":0}"});
}

TEST_F(BlockStatsPipeTest, LeavesOutWhatTheScanWouldNotRead) {
  EXPECT_EQ(ask("needle | block_stats | uniq by (first)").rows, Rows{"{\"first\":\"2026-11-20T12:00:00.000000000Z\"}"});
  EXPECT_EQ(ask("_time:<2026-11-20T11:00 | block_stats | uniq by (first)").rows,
            Rows{"{\"first\":\"2026-11-20T10:00:00.000000000Z\"}"});
  EXPECT_EQ(ask("{service.name=web} | where user:ann | block_stats | stats count_uniq(segment) as s").rows,
            Rows{"{\"s\":1}"});
  EXPECT_TRUE(ask("nosuch | block_stats").rows.empty());
  EXPECT_TRUE(ask("* | block_stats").outcome.complete);
}

TEST_F(BlockStatsPipeTest, IsTheFirstPipeAndNeedsAStore) {
  QueryFault fault;
  QueryRequest request;
  request.now = at("2026-11-20T20:00:00Z");
  for (const char* query : {"* | fields n | block_stats", "* | stats count() | block_stats", "_id:x | block_stats"}) {
    request.query = query;
    EXPECT_FALSE(prepare_query(request, fault).has_value()) << query;
  }
  request.query = "* | block_stats";
  const auto prepared = prepare_query(request, fault);
  ASSERT_TRUE(prepared.has_value());
  BatchesSource none({});
  const ManualClock clock(request.now);
  for (const auto& input : {make_source_input(none), make_snapshot_input(make_memory_snapshot({}))}) {
    const auto piece = start_query(*prepared, input, {}, clock)->next_piece();
    ASSERT_FALSE(piece.has_value());
    EXPECT_EQ(piece.error().code(), ErrorCode::unimplemented);
  }
}

TEST_F(BlockStatsPipeTest, NamesDamage) {
  const std::string folder = "/t/default/20261120";
  const Bodies names = fixture_.list(folder);
  const std::string path = fixture_.options.directory + folder + "/" + names.front();
  fixture_.close();
  for (std::uint64_t offset = 64; offset < 400; offset += 3) fixture_.files->damage(path, offset);
  fixture_.open();
  const Answer answer = ask("body:login | block_stats");
  EXPECT_FALSE(answer.outcome.complete);
  ASSERT_TRUE(answer.outcome.error.has_value());
  EXPECT_EQ(answer.outcome.error->code(), ErrorCode::corruption);
}

TEST_F(BlockStatsPipeTest, StopsWhenTimeIsUp) {
  QueryRequest request;
  request.query = "* | block_stats";
  request.now = at("2026-11-20T20:00:00Z");
  request.timeout = std::chrono::milliseconds(0);
  const ManualClock clock(request.now);
  const Answer answer =
      run_query(request, make_snapshot_input(fixture_.store->snapshot(TenantId::default_tenant()).value()), clock);
  EXPECT_EQ(answer.outcome.reason, "timeout");
  EXPECT_TRUE(answer.rows.empty());
}

}  // namespace
}  // namespace dendro
