// Batches that wait for a flush packed, and memtables that are sealed while one is being flushed.
#include "storage/memtable_batch.h"

#include <map>
#include <random>

#include "storage/batch_frame.h"
#include "storage/tenant_table.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId& kTenant = TenantId::default_tenant();

/// About 100 KB that packs well; records of two days.
std::shared_ptr<const RecordBatch> large_batch(int number) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 1'000; ++i) {
    const Timestamp time(kTestTime.number() + (i % 3 == 0 ? kNanosPerDay : 0) + i % 17 * kNanosPerSecond);
    records.push_back({"request " + std::to_string(number) + " line " + std::to_string(i) +
                           " of a text that says the same again and again and again",
                       time});
  }
  return make_batch(records, Timestamp(kTestTime.number() + number));
}

CommitRequest large_request(int number, int batches = 1) {
  CommitRequest request;
  request.receive_time = Timestamp(kTestTime.number() + number);
  for (int i = 0; i < batches; ++i) request.batches.push_back(large_batch(number + i));
  return request;
}

MemtableBatch packed_batch(const std::shared_ptr<const RecordBatch>& batch) {
  CommitRequest request;
  request.batches = {batch};
  const FrameDraft draft = draft_frames(request).front();
  return memtable_batch(batch, draft.codec, draft.batch_bytes(), true);
}

TEST(MemtableBatch, OpensAsItWas) {
  const std::shared_ptr<const RecordBatch> batch = large_batch(7);
  const MemtableBatch packed = packed_batch(batch);
  ASSERT_TRUE(packed.is_packed());
  EXPECT_EQ(packed.open()->encoded(), batch->encoded());
  EXPECT_NE(packed.open()->serial(), batch->serial());
  EXPECT_EQ(packed.size(), batch->size());
  EXPECT_EQ(packed.receive_time(), batch->receive_time());
  EXPECT_EQ(packed.min_timestamp(), batch->min_timestamp());
  EXPECT_EQ(packed.max_timestamp(), batch->max_timestamp());
  EXPECT_TRUE(std::ranges::equal(packed.timestamps(), batch->timestamps()));
  EXPECT_EQ(packed.encoded_bytes(), batch->encoded().size());
  EXPECT_EQ(packed.open_bytes(), batch->memory_bytes());
  EXPECT_LT(packed.kept_bytes() * 2, batch->memory_bytes());
  EXPECT_EQ(MemtableBatch(batch).kept_bytes(), batch->memory_bytes());
}

TEST(MemtableBatch, WhatIsSmallOrDoesNotPackStaysAsItIs) {
  EXPECT_FALSE(packed_batch(make_batch({{"small"}})).is_packed());
  std::mt19937_64 noise(1);
  std::string body;
  while (body.size() < 2 * MemtableBatch::kPackedFromBytes) body.push_back(static_cast<char>(noise()));
  const std::shared_ptr<const RecordBatch> batch = make_batch({{body}});
  EXPECT_EQ(packed_batch(batch).open(), batch);
}

struct TableFixture : testing::Test {
  ManualClock clock{kTestTime};
  TenantTable table{clock, {std::chrono::hours(1), 10}, {250'000, 250'000}};
  std::uint64_t next = 1;

  void publish(int batches) {
    CommittedRequest request;
    request.reply.first_sequence = SequenceNumber(next);
    std::uint64_t bytes = 0;
    for (int i = 0; i < batches; ++i) {
      const auto batch = large_batch(i);
      bytes += memtable_bytes_of(*batch);
      next += batch->size();
      request.batches.push_back(table.wants_packed(bytes) ? packed_batch(batch) : MemtableBatch(batch));
    }
    std::vector<CommittedRequest> requests;
    requests.push_back(std::move(request));
    table.publish(std::move(requests), SequenceNumber(next - 1));
  }
  std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> sizes;
    for (const MemtableView& memtable : table.view(kTenant).memtables) sizes.push_back(memtable.count);
    return sizes;
  }
};

TEST_F(TableFixture, AMemtableIsSealedBehindTheRequestThatFillsIt) {
  publish(1);
  publish(5);  // over the bound at its third batch: a request is never torn
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{6}));
  EXPECT_EQ(table.seal(kTenant, TenantTable::SealWhat::active_if_none), 1u);
  publish(1);
  EXPECT_EQ(sizes(), (std::vector<std::size_t>{6, 1}));
  EXPECT_EQ(table.due_tenants(std::chrono::hours(9)), std::vector<TenantId>{kTenant});
  EXPECT_EQ(table.seal(kTenant, TenantTable::SealWhat::active_if_none), 1u);
  EXPECT_EQ(table.seal(kTenant, TenantTable::SealWhat::active), 2u);
  EXPECT_EQ(table.seal(kTenant, TenantTable::SealWhat::active), 2u);

  EXPECT_EQ(table.oldest_sealed(kTenant).count, 6u);
  EXPECT_EQ(table.first_unflushed(std::nullopt), SequenceNumber(1));
  EXPECT_EQ(table.first_unflushed(kTenant), SequenceNumber(6'001));
  table.replace_sealed(kTenant, {});
  EXPECT_EQ(table.first_unflushed_of(kTenant), SequenceNumber(6'001));
  EXPECT_EQ(table.unflushed_records(), 1'000u);
  table.replace_sealed(kTenant, {});
  EXPECT_EQ(table.first_unflushed(std::nullopt), std::nullopt);
  EXPECT_EQ(table.unflushed_bytes(), 0u);
  EXPECT_EQ(table.seal(kTenant, TenantTable::SealWhat::active), 0u);
}

TEST_F(TableFixture, BatchesComePackedWhileMuchIsInMemory) {
  for (int i = 0; i < 5; ++i) publish(1);
  std::vector<bool> packed;
  for (const MemtableView& memtable : table.view(kTenant).memtables) {
    for (std::size_t i = 0; i < memtable.count; ++i) packed.push_back(memtable[i].batch.is_packed());
  }
  EXPECT_EQ(packed, (std::vector<bool>{false, false, true, true, true}));
  // What they count does not depend on it: bounds and flushes are about what they will be.
  EXPECT_GT(table.unflushed_bytes(), 4 * memtable_bytes_of(*large_batch(0)));
  EXPECT_EQ(table.unflushed_bytes(), table.unflushed_bytes_of(kTenant));
  table.replace_sealed(kTenant, {});
  EXPECT_EQ(table.seal(kTenant, TenantTable::SealWhat::active), 1u);
  table.replace_sealed(kTenant, {});
  publish(1);
  EXPECT_FALSE(table.view(kTenant).memtables.back()[0].batch.is_packed());
}

/// A store whose flushes fail, so that everything waits.
struct PackedStore : testing::Test {
  PackedStore() {
    fixture.options.memtable_bytes_max = 250'000;
    fixture.open();
    FileFaults faults;
    faults.fail_call = 1;
    faults.fail_on = true;
    faults.path_part = ".seg";
    fixture.files->set_faults(faults);
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(fixture.append(large_request(i, i == 5 ? 4 : 1)).has_value());
  }
  void expect_all() {
    const auto snapshot = fixture.store->snapshot(kTenant).value();
    const ScanOutcome outcome = run_scan(*snapshot);
    EXPECT_TRUE(outcome.errors.empty());
    ASSERT_EQ(outcome.bodies.size(), 15'000u);
    std::map<std::uint64_t, std::string> by_sequence;
    for (std::size_t i = 0; i < outcome.bodies.size(); ++i) {
      by_sequence.emplace(outcome.positions[i].sequence.number(), outcome.bodies[i]);
    }
    ASSERT_EQ(by_sequence.size(), 15'000u);
    EXPECT_TRUE(by_sequence[1].starts_with("request 0 line 0 "));
    EXPECT_TRUE(by_sequence[9'000].starts_with("request 8 line 999 ")) << by_sequence[9'000];
    EXPECT_TRUE(by_sequence[15'000].starts_with("request 11 line 999 "));
    for (std::size_t i = 0; i < outcome.bodies.size(); i += 997) {
      const auto found = snapshot->find(outcome.positions[i]);
      ASSERT_TRUE(found && found->has_value());
      EXPECT_EQ(body_of((*found)->record((*found)->rows.front())), outcome.bodies[i]);
      EXPECT_EQ((*found)->receive_time((*found)->rows.front()).number() / 100, kTestTime.number() / 100);
    }
    ScanRequest late;
    late.range.first = Timestamp(kTestTime.number() + kNanosPerDay);
    EXPECT_EQ(run_scan(*snapshot, late).bodies.size(), 15u * 334);
  }
  StoreFixture fixture;
};

TEST_F(PackedStore, GivesTheSameInMemoryAfterReplayAndInSegments) {
  expect_all();
  EXPECT_FALSE(fixture.store->flush().has_value());
  expect_all();
  fixture.close();
  fixture.open();  // still failing: replayed, and packed again
  expect_all();
  fixture.files->set_faults({});
  ASSERT_TRUE(fixture.store->flush().has_value());
  EXPECT_EQ(fixture.store->stats().memtable_records, 0u);
  // Memtable by memtable, a segment a day: what waited is not written as one.
  EXPECT_GE(fixture.store->stats().flushes, 4u);
  EXPECT_EQ(fixture.store->stats().segment_records, 15'000u);
  expect_all();
  fixture.close();
  fixture.open();
  expect_all();
}

TEST_F(PackedStore, AReaderKeepsWhatItSawOverTheFlush) {
  const auto before = fixture.store->snapshot(kTenant).value();
  fixture.files->set_faults({});
  ASSERT_TRUE(fixture.store->flush().has_value());
  EXPECT_EQ(run_scan(*before).bodies.size(), 15'000u);
}

}  // namespace
}  // namespace dendro
