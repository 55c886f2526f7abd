// Many small requests of a memtable are looked at as one batch (storage/joined_batch.h), and nobody can tell.
#include "storage/joined_batch.h"

#include <set>

#include "storage/memtable.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr std::int64_t kRequests = 200;  // three groups and a rest

Timestamp joined_second(std::int64_t second) {
  return Timestamp(kTestTime.number() + second * kNanosPerSecond);
}

/// Two tenants' single records in turn, so that sequence numbers of one have gaps; times rise and fall.
struct JoinedBatchFixture : testing::Test {
  JoinedBatchFixture() {
    fixture_.open();
    for (std::int64_t i = 0; i < kRequests; ++i) {
      append(TenantId::default_tenant(), i);
      append(other_, i);
    }
  }
  void append(const TenantId& tenant, std::int64_t i) {
    CommitRequest request;
    request.tenant = tenant;
    request.receive_time = joined_second(1000 + i);
    request.batches = {make_batch({{std::to_string(i), joined_second(i % 7 * 10 + i)}}, request.receive_time)};
    if (i % 5 == 0) request.key = make_key("key " + std::to_string(i));
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  }
  std::shared_ptr<const Snapshot> snapshot() { return fixture_.store->snapshot(TenantId::default_tenant()).value(); }
  /// Body, sequence and receive time of each record, and how many blocks they came in.
  std::set<std::string> scan(const ScanRequest& request, std::size_t* blocks = nullptr) {
    std::set<std::string> found;
    const auto source = snapshot()->scan(request);
    for (auto block = source->next(); block.has_value() && block->has_value(); block = source->next()) {
      if (blocks != nullptr) ++*blocks;
      for (const std::uint32_t row : (*block)->rows) {
        const std::string name = body_of((*block)->record(row)) + " " +
                                 std::to_string((*block)->sequence(row).number()) + " " +
                                 std::to_string((*block)->receive_time(row).number());
        EXPECT_TRUE(found.insert(name).second) << name << " came twice";
      }
    }
    return found;
  }
  static std::string expected(std::int64_t i) {
    return std::to_string(i) + " " + std::to_string(2 * i + 1) + " " + std::to_string(joined_second(1000 + i).number());
  }

  StoreFixture fixture_;
  const TenantId other_ = make_tenant("other");
};

TEST_F(JoinedBatchFixture, AScanLooksAtGroupsAndGivesWhatTheRequestsHeld) {
  std::set<std::string> all;
  for (std::int64_t i = 0; i < kRequests; ++i) all.insert(expected(i));
  for (const ScanOrder order : {ScanOrder::newest_first, ScanOrder::oldest_first}) {
    ScanRequest request;
    request.order = order;
    std::size_t blocks = 0;
    EXPECT_EQ(scan(request, &blocks), all);
    EXPECT_EQ(blocks, 3u + kRequests % 64);
  }
  ASSERT_TRUE(fixture_.store->flush().has_value());
  EXPECT_EQ(scan({}), all) << "and so does the segment";
}

TEST_F(JoinedBatchFixture, RangesOfTimeAndSequenceCutThroughGroups) {
  for (std::int64_t first = 0; first < 260; first += 37) {
    ScanRequest by_time;
    by_time.range = {joined_second(first), joined_second(first + 50)};
    ScanRequest by_sequence;
    by_sequence.sequences = {SequenceNumber(static_cast<std::uint64_t>(first)),
                             SequenceNumber(static_cast<std::uint64_t>(first) + 91)};
    std::set<std::string> in_time, in_sequence;
    for (std::int64_t i = 0; i < kRequests; ++i) {
      if (by_time.range.contains(joined_second(i % 7 * 10 + i))) in_time.insert(expected(i));
      if (by_sequence.sequences.contains(SequenceNumber(static_cast<std::uint64_t>(2 * i + 1)))) {
        in_sequence.insert(expected(i));
      }
    }
    EXPECT_EQ(scan(by_time), in_time) << first;
    EXPECT_EQ(scan(by_sequence), in_sequence) << first;
  }
}

TEST_F(JoinedBatchFixture, EachRecordIsFoundByItsPlaceAndEachKeyAnswersARetry) {
  for (const std::string& body : scan({})) {
    const std::int64_t i = std::stoll(body);
    const RecordPosition position{joined_second(i % 7 * 10 + i), SequenceNumber(static_cast<std::uint64_t>(2 * i + 1))};
    const auto found = snapshot()->find(position);
    ASSERT_TRUE(found.has_value() && found->has_value()) << i;
    EXPECT_EQ(body_of((*found)->record((*found)->rows.front())), std::to_string(i));
  }
  CommitRequest retry;
  retry.receive_time = joined_second(5000);
  retry.batches = {make_batch({{"again"}})};
  retry.key = make_key("key 15");
  const auto reply = fixture_.append(std::move(retry));
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(reply->replayed);
  EXPECT_EQ(reply->first_sequence, SequenceNumber(31));
}

TEST_F(JoinedBatchFixture, RecoveryJoinsToo) {
  const std::set<std::string> before = scan({});
  fixture_.close();
  fixture_.open();
  std::size_t blocks = 0;
  EXPECT_EQ(scan({}, &blocks), before);
  EXPECT_LT(blocks, 20u);
}

TEST_F(JoinedBatchFixture, MemoryIsCountedAndGivenBack) {
  const std::uint64_t held = fixture_.store->stats().memtable_bytes;
  std::uint64_t of_entries = 0;
  for (std::int64_t i = 0; i < kRequests; ++i) of_entries += 2 * memtable_bytes_of(*make_batch({{std::to_string(i)}}));
  EXPECT_GT(held, of_entries) << "entries and what joins them";
  EXPECT_LT(held, of_entries * 3 / 2);
  ASSERT_TRUE(fixture_.store->flush().has_value());
  EXPECT_EQ(fixture_.store->stats().memtable_bytes, 0u);
}

TEST(JoinedBatch, LargeBatchesStayAlone) {
  std::vector<MemtableEntry> entries;
  for (std::uint64_t i = 0; i < 64; ++i) {
    entries.push_back({make_batch(std::vector<TestRecord>(9, {"body"})), SequenceNumber(i * 9 + 1), nullptr});
  }
  EXPECT_EQ(join_batches(entries), nullptr);
  entries.resize(56);
  ASSERT_NE(join_batches(entries), nullptr);
  EXPECT_EQ(join_batches(entries)->batch->size(), 56u * 9);
}

}  // namespace
}  // namespace dendro
