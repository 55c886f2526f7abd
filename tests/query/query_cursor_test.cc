#include "query/plan/query_cursor.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/query/query_harness.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr std::size_t kEqualTimes = 10'000;
const Timestamp kNow = at("2026-11-20T10:05:00Z");

/// A store that grows: batches of records with numbers, all at one time or one nanosecond apart.
class GrowingStore {
 public:
  void add(std::size_t count, Timestamp time) {
    RecordBatchBuilder builder(kNow);
    for (std::size_t i = 0; i < count; ++i) {
      builder.begin_record();
      builder.set_timestamp(time);
      builder.add_leaf(LeafRole::body, "body", "body", Value::of_text("hit"));
      builder.add_leaf(LeafRole::attribute, "id", "id", Value::of_text(std::to_string(next_.number())));
      builder.end_record();
      if (i == 0) parts_.push_back({nullptr, next_});
      next_ = next_.next();
    }
    parts_.back().batch = builder.finish();
  }
  std::shared_ptr<QueryInput> input() const { return make_snapshot_input(std::make_shared<MemorySnapshot>(parts_)); }

 private:
  std::vector<MemorySnapshot::Part> parts_;
  SequenceNumber next_{1};
};

std::string member(const std::string& row, const std::string& key) {
  const std::size_t at = row.find("\"" + key + "\":\"");
  return at == std::string::npos
             ? ""
             : row.substr(at + key.size() + 4, row.find('"', at + key.size() + 4) - at - key.size() - 4);
}

TEST(QueryCursor, PagesEqualTimesOnceEachWhileRecordsArrive) {
  GrowingStore store;
  const ManualClock clock(kNow);
  std::mt19937_64 random(11);
  for (std::size_t left = kEqualTimes; left > 0;) {
    const std::size_t count = std::min<std::size_t>(left, 1 + random() % 700);
    store.add(count, Timestamp(1000));
    left -= count;
  }
  QueryRequest request;
  request.query = "hit";
  request.limit = 777;
  request.now = kNow;
  std::set<std::string> seen;
  std::string last_id = "z";
  int pages = 0;
  do {
    const Answer answer = run_query(request, store.input(), clock);
    for (const std::string& row : answer.rows) {
      const std::string id = member(row, "_id");
      EXPECT_LT(id, last_id);
      last_id = id;
      EXPECT_TRUE(seen.insert(member(row, "id")).second) << row;
    }
    EXPECT_EQ(answer.outcome.next_cursor.empty(), answer.outcome.complete);
    request.cursor = answer.outcome.next_cursor;
    // Later arrivals lie above the cursor and are not shown.
    store.add(5, Timestamp(1000));
    store.add(5, Timestamp(2000));
    ++pages;
  } while (!request.cursor.empty() && pages < 50);
  EXPECT_EQ(seen.size(), kEqualTimes);
  EXPECT_EQ(pages, 13);
}

/// The same of a store whose files change between the pages: flushes and merges.
TEST(QueryCursor, PagesEqualTimesOnceEachWhileTheStoreMoves) {
  StoreFixture fixture;
  fixture.open();
  const Timestamp time(kTestTime);
  std::uint64_t sent = 0;
  const auto append = [&](std::size_t count, Timestamp when) {
    CommitRequest request;
    request.receive_time = kTestTime;
    std::vector<TestRecord> records;
    for (std::size_t i = 0; i < count; ++i) records.push_back({"hit " + std::to_string(sent++), when});
    request.batches.push_back(make_batch(records));
    ASSERT_TRUE(fixture.append(std::move(request)).has_value());
  };
  for (int i = 0; i < 4; ++i) {
    append(kEqualTimes / 4, time);
    if (i % 2 == 0) ASSERT_TRUE(fixture.store->flush().has_value());
  }
  QueryRequest request;
  request.query = "hit";
  request.limit = 777;
  request.now = kTestTime;
  std::set<std::string> seen;
  std::string last_id = "z";
  int pages = 0;
  do {
    const auto snapshot = fixture.store->snapshot(TenantId::default_tenant());
    ASSERT_TRUE(snapshot.has_value());
    const Answer answer = run_query(request, make_snapshot_input(*snapshot), fixture.clock);
    for (const std::string& row : answer.rows) {
      const std::string id = member(row, "_id");
      EXPECT_LT(id, last_id);
      last_id = id;
      EXPECT_TRUE(seen.insert(member(row, "body")).second) << row;
    }
    request.cursor = answer.outcome.next_cursor;
    append(5, time);
    append(5, time.next());
    if (pages % 4 == 1) ASSERT_TRUE(fixture.store->flush().has_value());
    if (pages % 4 == 3) ASSERT_TRUE(fixture.store->compact(CompactionScope::all_final).has_value());
    ++pages;
  } while (!request.cursor.empty() && pages < 50);
  EXPECT_EQ(seen.size(), kEqualTimes);
  EXPECT_EQ(pages, 13);
}

TEST(QueryCursor, CarriesLimitAndOffsetOverPages) {
  GrowingStore store;
  const ManualClock clock(kNow);
  for (int i = 0; i < 40; ++i) store.add(25, Timestamp(1000 + i / 3));
  for (const ScanOrder order : {ScanOrder::newest_first, ScanOrder::oldest_first}) {
    QueryRequest whole;
    whole.query = "hit | offset 30 | where id:*1* | limit 111 | fields id";
    whole.limit = 0;
    whole.order = order;
    whole.now = kNow;
    const Answer all = run_query(whole, store.input(), clock);
    ASSERT_EQ(all.rows.size(), 111u);
    EXPECT_TRUE(all.outcome.complete);
    QueryRequest page = whole;
    page.limit = 13;
    std::vector<std::string> rows;
    do {
      const Answer answer = run_query(page, store.input(), clock);
      rows.insert(rows.end(), answer.rows.begin(), answer.rows.end());
      page.cursor = answer.outcome.next_cursor;
    } while (!page.cursor.empty() && rows.size() < 1000);
    EXPECT_EQ(rows, all.rows);
  }
}

TEST(QueryCursor, FixesTheRangeOfTheFirstPage) {
  GrowingStore store;
  const ManualClock clock(kNow);
  store.add(10, kNow.next(-60 * kNanosPerSecond));
  QueryRequest request;
  request.query = "_time:2m";
  request.limit = 4;
  request.now = kNow;
  const Answer first = run_query(request, store.input(), clock);
  request.cursor = first.outcome.next_cursor;
  request.now = kNow.next(3600 * kNanosPerSecond);  // by its own now the range would be empty
  request.limit = 100;
  EXPECT_EQ(run_query(request, store.input(), clock).rows.size(), 6u);
}

TEST(QueryCursor, IsRefusedIfDamagedOrOfAnotherQuery) {
  GrowingStore store;
  const ManualClock clock(kNow);
  store.add(10, Timestamp(1));
  QueryRequest request;
  request.query = "hit";
  request.limit = 4;
  request.now = kNow;
  const std::string cursor = run_query(request, store.input(), clock).outcome.next_cursor;
  QueryFault fault;
  request.query = "other";
  request.cursor = cursor;
  EXPECT_FALSE(prepare_query(request, fault).has_value());
  EXPECT_EQ(fault.message, "cursor: it belongs to another query");
  request.query = "hit";
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    request.cursor = cursor;
    request.cursor[i] = request.cursor[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(prepare_query(request, fault).has_value()) << i;
  }
  request.cursor = "nonsense!";
  EXPECT_FALSE(prepare_query(request, fault).has_value());
}

TEST(QueryCursor, TextGivesTheSameCursorAgain) {
  QueryCursor cursor{
      7, Timestamp(-5), {kTimestampMin, kTimestampMax}, {Timestamp(3), SequenceNumber(9)}, {0, 1'000'000}};
  EXPECT_EQ(parse_cursor_text(to_cursor_text(cursor)), cursor);
}

}  // namespace
}  // namespace dendro
