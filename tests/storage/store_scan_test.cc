#include "storage/store_scan.h"

#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

/// Keeps records whose severity-free row number within the batch is even.
class EvenRows final : public RecordFilter {
 public:
  void select(const RecordBatch&, std::vector<std::uint32_t>& rows) const override {
    std::erase_if(rows, [](std::uint32_t row) { return row % 2 == 1; });
  }
};

Timestamp at_second(std::int64_t second) {
  return Timestamp(kTestTime.number() + second * kNanosPerSecond);
}

CommitRequest timed_request(const std::vector<TestRecord>& records) {
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {make_batch(records)};
  return request;
}

/// Records in segments, in a memtable, across days, with equal and falling times.
class StoreScanTest : public testing::TestWithParam<ScanOrder> {
 protected:
  StoreScanTest() {
    fixture_.open();
    add({{"b", at_second(2)}, {"a", at_second(1)}, {"c", at_second(3)}, {"a2", at_second(1)}});
    EXPECT_TRUE(fixture_.store->flush().has_value());
    add({{"next day", at_second(86'400)}, {"early", at_second(-100'000)}});
    EXPECT_TRUE(fixture_.store->flush().has_value());
    add({{"a3", at_second(1)}, {"z", at_second(9)}});
    add({{"y", at_second(8)}});
  }
  void add(const std::vector<TestRecord>& records) {
    ASSERT_TRUE(fixture_.append(timed_request(records)).has_value());
    for (const TestRecord& record : records) model_.push_back({record.timestamp, SequenceNumber(model_.size() + 1)});
  }
  std::shared_ptr<const Snapshot> snapshot() { return fixture_.store->snapshot(TenantId::default_tenant()).value(); }

  StoreFixture fixture_;
  std::vector<RecordPosition> model_;
};

TEST_P(StoreScanTest, GivesEveryRecordOnceWithTruePositions) {
  ScanRequest request;
  request.order = GetParam();
  ScanOutcome outcome = run_scan(*snapshot(), request);
  std::vector<RecordPosition> expected = model_;
  std::sort(expected.begin(), expected.end());
  std::sort(outcome.positions.begin(), outcome.positions.end());
  EXPECT_EQ(outcome.positions, expected);
  EXPECT_TRUE(outcome.errors.empty());
}

TEST_P(StoreScanTest, OrdersRowsInABlockAndKeepsTheBound) {
  ScanRequest request;
  request.order = GetParam();
  const auto source = snapshot()->scan(request);
  const bool is_newest_first = request.order == ScanOrder::newest_first;
  for (;;) {
    const Timestamp bound = source->bound();
    const auto block = source->next();
    ASSERT_TRUE(block.has_value());
    if (!block->has_value()) break;
    const std::vector<std::uint32_t>& rows = (*block)->rows;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const RecordPosition position = (*block)->position(rows[i]);
      EXPECT_TRUE(is_newest_first ? position.timestamp <= bound : position.timestamp >= bound);
      if (i == 0) continue;
      const RecordPosition before = (*block)->position(rows[i - 1]);
      EXPECT_TRUE(is_newest_first ? position < before : before < position);
    }
  }
  EXPECT_EQ(source->bound(), is_newest_first ? kTimestampMin : kTimestampMax);
  EXPECT_EQ(source->scanned_records(), model_.size());
  EXPECT_GT(source->scanned_bytes(), 0u);
}

TEST_P(StoreScanTest, KeepsToHalfOpenTimeRanges) {
  for (std::int64_t first = -1; first < 11; ++first) {
    for (std::int64_t last = first; last < 11; ++last) {
      ScanRequest request;
      request.order = GetParam();
      request.range = {at_second(first), at_second(last)};
      const auto expected = std::count_if(model_.begin(), model_.end(), [&](const RecordPosition& position) {
        return request.range.contains(position.timestamp);
      });
      EXPECT_EQ(run_scan(*snapshot(), request).bodies.size(), static_cast<std::size_t>(expected))
          << first << " " << last;
    }
  }
}

TEST_P(StoreScanTest, AppliesTheFilter) {
  ScanRequest request;
  request.order = GetParam();
  request.filter = std::make_shared<EvenRows>();
  EXPECT_LT(run_scan(*snapshot(), request).bodies.size(), model_.size());
}

TEST_P(StoreScanTest, EndsWhenCancelled) {
  ScanRequest request;
  request.order = GetParam();
  const auto source = snapshot()->scan(request);
  ASSERT_TRUE(source->next().has_value());
  request.cancel.cancel();  // copies share one state
  EXPECT_EQ(source->next().error().code(), ErrorCode::cancelled);
  EXPECT_EQ(source->next().error().code(), ErrorCode::cancelled);
}

INSTANTIATE_TEST_SUITE_P(Orders, StoreScanTest, testing::Values(ScanOrder::newest_first, ScanOrder::oldest_first));

using StoreSnapshotTest = StoreScanTest;

TEST_P(StoreSnapshotTest, FindsEachRecordByItsPositionAndNoOther) {
  const auto view = snapshot();
  for (const RecordPosition& position : model_) {
    const auto found = view->find(position);
    ASSERT_TRUE(found.has_value() && found->has_value());
    EXPECT_EQ((*found)->rows.size(), 1u);
    EXPECT_EQ((*found)->position((*found)->rows.front()), position);
  }
  EXPECT_FALSE(view->find({at_second(1), SequenceNumber(999)})->has_value());
  EXPECT_FALSE(view->find({at_second(2), SequenceNumber(2)})->has_value());
  EXPECT_FALSE(view->find({at_second(1), SequenceNumber(0)})->has_value());
}

TEST_P(StoreSnapshotTest, StaysAsItIsWhileTheStoreGoesOn) {
  const auto before = snapshot();
  EXPECT_EQ(before->last_sequence(), SequenceNumber(model_.size()));
  const std::size_t count = model_.size();
  add({{"new", at_second(50)}});
  ASSERT_TRUE(fixture_.store->flush().has_value());
  EXPECT_EQ(run_scan(*before).bodies.size(), count);
  EXPECT_EQ(run_scan(*snapshot()).bodies.size(), count + 1);
}

TEST_P(StoreSnapshotTest, SourceOutlivesItsSnapshotAndStore) {
  auto source = snapshot()->scan({});
  fixture_.close();
  std::size_t records = 0;
  for (auto block = source->next(); block.has_value() && block->has_value(); block = source->next())
    records += (*block)->rows.size();
  EXPECT_EQ(records, model_.size());
}

TEST_P(StoreSnapshotTest, KeepsTheReceiveTimeOfEachRequestOverAFlush) {
  const TenantId tenant = make_tenant("times");
  for (std::int64_t i = 0; i < 3; ++i) {
    CommitRequest request;
    request.tenant = tenant;
    request.receive_time = at_second(1000 + i);
    request.batches = {make_batch({{std::to_string(i), at_second(-i)}}, request.receive_time)};
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  }
  ASSERT_TRUE(fixture_.store->flush().has_value());
  const auto block = fixture_.store->snapshot(tenant).value()->scan({})->next();
  ASSERT_TRUE(block.has_value() && block->has_value());
  for (const std::uint32_t row : (*block)->rows) {
    const std::int64_t number = std::stoll(body_of((*block)->record(row)));
    EXPECT_EQ((*block)->receive_time(row), at_second(1000 + number));
  }
}

INSTANTIATE_TEST_SUITE_P(Any, StoreSnapshotTest, testing::Values(ScanOrder::newest_first));

TEST(StoreConcurrency, ReadersSeeWholeRequestsWhileWritersAndFlushesRun) {
  StoreFixture fixture;
  fixture.options.wal_file_bytes = 64 << 10;
  fixture.options.memtable_bytes_max = 64 << 10;
  fixture.open();
  std::atomic<bool> is_done{false};
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&fixture, writer] {
      for (int i = 0; i < 60; ++i) {
        const std::string name = std::to_string(writer) + "/" + std::to_string(i);
        EXPECT_TRUE(fixture.append(make_request({{name, name}, {name}})).has_value());
      }
    });
  }
  std::jthread flusher([&] {
    while (!is_done) EXPECT_TRUE(fixture.store->flush().has_value());
  });
  std::jthread reader([&] {
    std::size_t before = 0;
    while (!is_done) {
      const Bodies bodies = fixture.bodies();
      EXPECT_EQ(bodies.size() % 3, 0u);  // a request is visible whole or not
      EXPECT_GE(bodies.size(), before);
      before = bodies.size();
    }
  });
  for (std::jthread& writer : writers) writer.join();
  is_done = true;
  flusher.join();
  reader.join();
  EXPECT_EQ(fixture.bodies().size(), 3u * 60 * 3);
}

}  // namespace
}  // namespace dendro
