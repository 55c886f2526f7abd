#include "storage/commit_listener.h"

#include <gtest/gtest.h>

#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

class Recorder final : public CommitListener {
 public:
  void on_commit(const std::vector<CommittedBatch>& batches) override {
    MutexLock lock(mutex_);
    for (const CommittedBatch& heard : batches) {
      for (std::uint32_t row = 0; row < heard.batch->size(); ++row) {
        bodies_.push_back(body_of(heard.batch->record(row)));
        sequences_.push_back(heard.first_sequence.next(row));
      }
    }
  }
  Bodies bodies() const {
    MutexLock lock(mutex_);
    return bodies_;
  }
  std::vector<SequenceNumber> sequences() const {
    MutexLock lock(mutex_);
    return sequences_;
  }

 private:
  mutable Mutex mutex_;
  Bodies bodies_ DENDRO_GUARDED_BY(mutex_);
  std::vector<SequenceNumber> sequences_ DENDRO_GUARDED_BY(mutex_);
};

TEST(CommitListener, HearsItsTenantsRecordsInOrderBeforeTheSendersDo) {
  StoreFixture fixture;
  fixture.open();
  const auto listener = std::make_shared<Recorder>();
  fixture.store->listeners().add(TenantId::default_tenant(), listener);
  const auto first = fixture.append(make_request({{"a", "b"}, {"c"}}));
  ASSERT_TRUE(fixture.append(make_request({{"elsewhere"}}, make_tenant("other"))).has_value());
  const auto second = fixture.append({"d"});
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(listener->bodies(), (Bodies{"a", "b", "c", "d"}));
  const auto sequences = listener->sequences();
  EXPECT_EQ(sequences.front(), first->first_sequence);
  EXPECT_EQ(sequences[2], first->first_sequence.next(2));
  EXPECT_EQ(sequences.back(), second->first_sequence);
}

TEST(CommitListener, IsForgottenWhenItIsGone) {
  StoreFixture fixture;
  fixture.open();
  auto listener = std::make_shared<Recorder>();
  fixture.store->listeners().add(TenantId::default_tenant(), listener);
  listener.reset();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  EXPECT_FALSE(fixture.store->listeners().any());
}

TEST(CommitListener, HearsNothingOfWhatIsRefused) {
  StoreFixture fixture;
  fixture.open();
  const auto listener = std::make_shared<Recorder>();
  fixture.store->listeners().add(TenantId::default_tenant(), listener);
  CommitRequest request = make_request({{"a"}});
  request.key = make_key("k", "one");
  ASSERT_TRUE(fixture.append(request).has_value());
  ASSERT_TRUE(fixture.append(request)->replayed);
  request.key = make_key("k", "other");
  EXPECT_FALSE(fixture.append(request).has_value());
  EXPECT_EQ(listener->bodies(), (Bodies{"a"}));
}

/// Bodies "0".."n": half in a segment, half in memory, times against the order of arrival.
TEST(SequenceRange, ScansExactlyTheRecordsOfTheRange) {
  StoreFixture fixture;
  fixture.open();
  constexpr int kCount = 60;
  SequenceNumber first;
  for (int i = 0; i < kCount; i += 4) {
    std::vector<TestRecord> records;
    for (int k = i; k < i + 4; ++k)
      records.push_back({std::to_string(k), Timestamp(kTestTime.number() + (kCount - k))});
    CommitRequest request;
    request.receive_time = kTestTime;
    request.batches.push_back(make_batch(records));
    const auto reply = fixture.append(std::move(request));
    ASSERT_TRUE(reply.has_value());
    if (i == 0) first = reply->first_sequence;
    if (i == kCount / 2 - 2) ASSERT_TRUE(fixture.store->flush().has_value());
  }
  const auto snapshot = fixture.store->snapshot(TenantId::default_tenant());
  for (int low = 0; low <= kCount; low += 3) {
    for (int high = low; high <= kCount; high += 7) {
      ScanRequest request;
      request.sequences = {first.next(static_cast<std::uint64_t>(low)), first.next(static_cast<std::uint64_t>(high))};
      request.order = ScanOrder::oldest_first;  // which is last to first here
      Bodies expected;
      for (int i = high - 1; i >= low; --i) expected.push_back(std::to_string(i));
      Bodies found = run_scan(**snapshot, request).bodies;
      std::sort(found.begin(), found.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(found, expected) << low << " to " << high;
    }
  }
}

}  // namespace
}  // namespace dendro
