#include "storage/store.h"

#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

TEST(Store, GivesBackWhatWasAppendedInOrder) {
  StoreFixture fixture;
  fixture.open();
  const auto first = fixture.append({"a", "b"});
  const auto second = fixture.append({"c"});
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->first_sequence, SequenceNumber(1));
  EXPECT_EQ(second->first_sequence, SequenceNumber(3));
  EXPECT_EQ(first->accepted, 2u);
  EXPECT_EQ(fixture.bodies(), (Bodies{"a", "b", "c"}));
}

TEST(Store, KeepsRecordsOverClosingWithoutFlush) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  fixture.open();
  EXPECT_EQ(fixture.bodies(), (Bodies{"a"}));
  EXPECT_EQ(fixture.store->stats().recovered_records, 1u);
  const auto next = fixture.append({"b"});
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->first_sequence, SequenceNumber(2));
}

TEST(Store, KeepsRecordsOverFlushAndReopening) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"a", "b"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  EXPECT_EQ(fixture.store->stats().segment_records, 2u);
  EXPECT_EQ(fixture.store->stats().memtable_records, 0u);
  ASSERT_TRUE(fixture.append({"c"}).has_value());
  EXPECT_EQ(fixture.bodies(), (Bodies{"a", "b", "c"}));
  fixture.open();
  EXPECT_EQ(fixture.bodies(), (Bodies{"a", "b", "c"}));
  EXPECT_EQ(fixture.store->stats().recovered_records, 1u);  // a, b stand in a segment: not doubled
}

TEST(Store, SplitsSegmentsByUtcDayUnderTheTenantsFolder) {
  StoreFixture fixture;
  fixture.open();
  CommitRequest request;
  request.tenant = make_tenant("Team A");
  request.batches = {make_batch({{"late", Timestamp(-1)}, {"today", kTestTime}, {"epoch", Timestamp(0)}})};
  ASSERT_TRUE(fixture.append(std::move(request)).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  EXPECT_EQ(fixture.list("/t"), (Bodies{"%54eam%20%41"}));
  EXPECT_EQ(fixture.list("/t/%54eam%20%41"), (Bodies{"19691231", "19700101", "20231114"}));
  EXPECT_EQ(fixture.list("/t/%54eam%20%41/20231114"), (Bodies{"0000000000000003.seg"}));
}

TEST(Store, KeepsTenantsApart) {
  StoreFixture fixture;
  fixture.open();
  const TenantId other = make_tenant("other");
  ASSERT_TRUE(fixture.append({"mine"}).has_value());
  ASSERT_TRUE(fixture.append(make_request({{"theirs"}}, other)).has_value());
  EXPECT_EQ(fixture.bodies(), (Bodies{"mine"}));
  EXPECT_EQ(bodies_by_sequence(*fixture.store, other), (Bodies{"theirs"}));
  EXPECT_EQ(bodies_by_sequence(*fixture.store, make_tenant("unknown")), Bodies());
}

TEST(Store, RotatesAndReleasesWalFiles) {
  StoreFixture fixture;
  fixture.open();
  for (int i = 0; i < 30; ++i) {
    std::string body;
    for (int j = 0; j < 300; ++j) body += std::to_string(i * 7919 + j * j * 31);  // does not pack well
    ASSERT_TRUE(fixture.append({body}).has_value());
  }
  ASSERT_TRUE(fixture.append({"last"}).has_value());
  const Bodies before = fixture.bodies();
  EXPECT_GT(fixture.list("/wal").size(), 2u);
  ASSERT_TRUE(fixture.store->flush().has_value());
  const auto wal_files = fixture.list("/wal");
  EXPECT_EQ(std::count_if(wal_files.begin(), wal_files.end(), [](const auto& name) { return name.ends_with(".wal"); }),
            1);
  fixture.open();
  EXPECT_EQ(fixture.bodies(), before);
}

TEST(Store, RefusesWhatIsTooLargeOrEmpty) {
  StoreFixture fixture;
  fixture.open();
  EXPECT_EQ(fixture.append(CommitRequest()).error().code(), ErrorCode::invalid_argument);
  CommitRequest request = make_request({{std::string(4 << 20, 'x')}});
  while (request.batches.size() < 49) request.batches.push_back(request.batches.front());  // over 192 MiB
  EXPECT_EQ(fixture.append(std::move(request)).error().code(), ErrorCode::too_large);
}

TEST(Store, RefusesForGoodWhatNeverFitsItsQueue) {
  StoreFixture fixture;
  fixture.options.queue_bytes_max = 1 << 20;
  fixture.open();
  EXPECT_EQ(fixture.append(make_request({{std::string(2 << 20, 'x')}})).error().code(), ErrorCode::too_large);
  EXPECT_TRUE(fixture.append(make_request({{std::string(1 << 19, 'x')}})).has_value());
}

TEST(Store, SaysThatAnotherProcessHoldsTheFolder) {
  StoreFixture fixture;
  fixture.open();
  const auto second = Store::open(fixture.options, *fixture.files, fixture.clock, fixture.random);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
}

TEST(Store, RefusesWritesBelowTheFreeSpaceAndGoesOnWhenThereIsSome) {
  StoreFixture fixture;
  fixture.options.free_bytes_min = 1 << 20;
  fixture.open();
  fixture.files->set_disk_space({1000, 1 << 30});
  const auto refused = fixture.append({"a"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::storage_full);
  EXPECT_FALSE(fixture.store->health().accepts_writes);
  fixture.files->set_disk_space({2 << 20, 1 << 30});
  EXPECT_TRUE(fixture.append({"b"}).has_value());
  EXPECT_TRUE(fixture.store->health().accepts_writes);
  EXPECT_EQ(fixture.bodies(), (Bodies{"b"}));
}

TEST(Store, KeepsWhatTheIntakeMakesOfARequest) {
  StoreFixture fixture;
  fixture.open();
  fixture.store->set_intake([](CommitRequest& request) -> Status {
    if (request.batches.size() > 1) return Error(ErrorCode::unavailable, "no");
    request.batches = make_request({{"masked"}}).batches;
    return {};
  });
  ASSERT_TRUE(fixture.append({"secret"}).has_value());
  EXPECT_EQ(append_and_wait(*fixture.store, make_request({{"a"}, {"b"}})).error().code(), ErrorCode::unavailable);
  EXPECT_EQ(append_and_wait(*fixture.store, make_request({})).error().code(), ErrorCode::invalid_argument)
      << "checked before the intake sees it";
  EXPECT_EQ(fixture.bodies(), (Bodies{"masked"}));
}

TEST(Store, FlushesByAgeOfTheMonotonicClock) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  fixture.clock.advance(std::chrono::seconds(601));  // small ones wait ten times as long
  for (int i = 0; i < 200 && fixture.store->stats().flushes == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(fixture.store->stats().flushes, 1u);
  EXPECT_EQ(fixture.bodies(), (Bodies{"a"}));
}

}  // namespace
}  // namespace dendro
