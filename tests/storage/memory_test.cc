// What is in memory stays bounded, and one tenant's flood leaves room for the others (engine.md 3.5, 3.6, 3.9).
#include <gtest/gtest.h>

#include <future>

#include "storage/fair_share.h"
#include "storage/memtable.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

constexpr std::uint64_t kRoomBytes = 64 << 10;

/// A request whose answer is asked for later.
class PendingAppend {
 public:
  PendingAppend(Store& store, CommitRequest request) {
    auto promise = std::make_shared<std::promise<Result<CommitReply>>>();
    reply_ = promise->get_future();
    const Status queued = store.append(std::move(request),
                                       [promise](Result<CommitReply> reply) { promise->set_value(std::move(reply)); });
    if (!queued) promise->set_value(queued.error());
  }
  bool is_answered() { return reply_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
  Result<CommitReply> wait() { return reply_.get(); }

 private:
  std::future<Result<CommitReply>> reply_;
};

CommitRequest request_of(std::size_t bytes, const TenantId& tenant) {
  return make_request({{std::string(bytes, 'x')}}, tenant);
}

void fail_flushes(StoreFixture& fixture) {
  FileFaults faults;
  faults.fail_call = 1;
  faults.fail_on = true;
  faults.path_part = "/t/";
  faults.code = ErrorCode::storage_full;
  fixture.files->set_faults(faults);
}

/// Sends requests of the tenant until one has to wait for room; those before it are acknowledged. Flushes must fail.
std::unique_ptr<PendingAppend> fill_until_one_waits(StoreFixture& fixture, const TenantId& tenant) {
  for (;;) {
    CommitRequest request = request_of(1000, tenant);
    const std::uint64_t held = fixture.store->stats().memtable_bytes;
    const bool waits = FairShare{kRoomBytes}.is_scarce(held, memtable_bytes_of(*request.batches.front()));
    auto pending = std::make_unique<PendingAppend>(*fixture.store, std::move(request));
    if (waits) return pending;
    EXPECT_TRUE(pending->wait().has_value());
  }
}

TEST(StoreMemory, RequestsWaitForAFlushInsteadOfBeingRefused) {
  StoreFixture fixture;
  fixture.options.wal_backlog_bytes_max = kRoomBytes;
  fixture.open();
  std::vector<std::unique_ptr<PendingAppend>> pending;
  for (int i = 0; i < 200; ++i) {
    pending.push_back(std::make_unique<PendingAppend>(*fixture.store, request_of(2000, TenantId::default_tenant())));
  }
  for (auto& one : pending) EXPECT_TRUE(one->wait().has_value());
  EXPECT_LE(fixture.store->stats().memtable_bytes, kRoomBytes);
  EXPECT_GE(fixture.store->stats().flushes, 4u);
  EXPECT_EQ(fixture.bodies().size(), 200u);
}

TEST(StoreMemory, ARequestLargerThanAllRoomIsTakenWhereNothingElseIsHeld) {
  StoreFixture fixture;
  fixture.options.wal_backlog_bytes_max = kRoomBytes;
  fixture.open();
  EXPECT_TRUE(fixture.append(request_of(2 * kRoomBytes, TenantId::default_tenant())).has_value());
}

TEST(StoreMemory, OneTenantsFloodLeavesRoomForOthers) {
  StoreFixture fixture;
  fixture.options.wal_backlog_bytes_max = kRoomBytes;
  fixture.open();
  fail_flushes(fixture);
  const TenantId loud = make_tenant("loud");
  const auto waiting = fill_until_one_waits(fixture, loud);
  PendingAppend behind(*fixture.store, request_of(10, loud));
  ASSERT_TRUE(PendingAppend(*fixture.store, request_of(1000, make_tenant("quiet"))).wait().has_value());
  EXPECT_FALSE(waiting->is_answered());
  EXPECT_FALSE(behind.is_answered()) << "it must not overtake the one before it";

  fixture.files->set_faults({});
  fixture.clock.advance(std::chrono::seconds(6));
  ASSERT_TRUE(fixture.store->flush().has_value());
  const auto first = waiting->wait();
  const auto second = behind.wait();
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_LT(first->first_sequence, second->first_sequence);
}

TEST(StoreMemory, WaitsTenSecondsAtMostAndRefusesAtOnceWhereWaitingIsInVain) {
  StoreFixture fixture;
  fixture.options.wal_backlog_bytes_max = kRoomBytes;
  fixture.open();
  fail_flushes(fixture);
  const auto waiting = fill_until_one_waits(fixture, TenantId::default_tenant());
  fixture.clock.advance(std::chrono::seconds(11));
  const auto refused = waiting->wait();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);

  EXPECT_FALSE(fixture.store->flush().has_value());
  const auto large = PendingAppend(*fixture.store, request_of(kRoomBytes / 2, TenantId::default_tenant())).wait();
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code(), ErrorCode::resource_exhausted);

  fixture.files->set_faults({});
  ASSERT_TRUE(fixture.store->flush().has_value());
  EXPECT_TRUE(fixture.append({"again"}).has_value());
}

TEST(StoreMemory, ClosingAnswersWhatWaits) {
  StoreFixture fixture;
  fixture.options.wal_backlog_bytes_max = kRoomBytes;
  fixture.open();
  fail_flushes(fixture);
  const auto waiting = fill_until_one_waits(fixture, TenantId::default_tenant());
  const std::uint64_t before = fixture.store->stats().records_committed;
  fixture.store.reset();
  EXPECT_TRUE(waiting->wait().has_value()) << "it was queued, so it is written";
  fixture.files->set_faults({});
  fixture.open();
  EXPECT_EQ(fixture.bodies().size(), before + 1);
}

TEST(FairShare, KeepsTheLastQuarterForWhoHoldsLittle) {
  const FairShare share{100};
  EXPECT_TRUE(share.admits(0, 0, 100));
  EXPECT_FALSE(share.admits(0, 0, 101));
  EXPECT_TRUE(share.admits(65, 65, 10));
  EXPECT_FALSE(share.admits(70, 70, 10));
  EXPECT_TRUE(share.admits(70, 15, 10));
  EXPECT_FALSE(share.admits(70, 16, 10));
  EXPECT_TRUE(share.admits(70, 0, 30)) << "who holds nothing takes what is free";
  EXPECT_FALSE(share.admits(70, 0, 31));
}

TEST(MemtableBytes, CountsWhatASmallBatchTakesBesideItsEncoding) {
  const auto small = make_batch({{"a"}});
  EXPECT_GT(memtable_bytes_of(*small), small->encoded().size() + 400);
  std::vector<TestRecord> records(1000, TestRecord{std::string(1000, 'x')});
  const auto large = make_batch(records);
  EXPECT_LT(memtable_bytes_of(*large), large->encoded().size() * 21 / 20 + 4096);
}

}  // namespace
}  // namespace dendro
