#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

Bodies numbered_bodies(int count) {
  Bodies bodies;
  for (int i = 0; i < count; ++i) bodies.push_back("record " + std::to_string(i));
  return bodies;
}

TEST(Faults, AFailedSyncStopsWritingUntilReopened) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"kept"}).has_value());
  FileFaults faults;
  faults.fail_sync = 1;
  faults.path_part = ".wal";  // not a spare file, which is made in the background
  fixture.files->set_faults(faults);
  const std::uint64_t syncs = fixture.files->sync_calls(".wal");
  EXPECT_EQ(fixture.append({"unknown"}).error().code(), ErrorCode::io_error);
  EXPECT_EQ(fixture.append({"refused"}).error().code(), ErrorCode::unavailable);
  EXPECT_EQ(fixture.files->sync_calls(".wal"), syncs + 1);  // never tried again on that file
  EXPECT_FALSE(fixture.store->health().accepts_writes);
  EXPECT_NE(fixture.store->health().reason.find("fdatasync"), std::string::npos);
  EXPECT_EQ(fixture.bodies(), (Bodies{"kept"}));  // reads go on
  fixture.open();
  EXPECT_TRUE(fixture.store->health().accepts_writes);
  EXPECT_TRUE(fixture.append({"again"}).has_value());
}

TEST(Faults, AFullDiskKeepsNothingOfTheGroupAndGoesOnByItself) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"kept"}).has_value());
  FileFaults faults;
  faults.fail_call = 1;  // the write
  faults.path_part = ".wal";
  faults.code = ErrorCode::storage_full;
  fixture.files->set_faults(faults);
  EXPECT_EQ(fixture.append({"refused"}).error().code(), ErrorCode::storage_full);
  const auto next = fixture.append({"taken"});
  ASSERT_TRUE(next.has_value()) << next.error().message();
  EXPECT_EQ(next->first_sequence, SequenceNumber(2));  // the refused one's number is given again
  EXPECT_EQ(fixture.bodies(), (Bodies{"kept", "taken"}));
  fixture.open();
  EXPECT_EQ(fixture.bodies(), (Bodies{"kept", "taken"}));
}

TEST(Faults, AWriteThatRunsOutOfSpaceInTheMiddleLeavesNothingBehind) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"kept"}).has_value());
  FileFaults full;
  full.space_bytes = 10'000;  // the frames exceed the WAL file, which must grow
  fixture.files->set_faults(full);
  std::mt19937_64 random(1);
  std::vector<Bodies> large;
  for (int i = 0; i < 8; ++i) {
    std::string body;
    while (body.size() < 8000) body.push_back(static_cast<char>('!' + random() % 90));
    large.push_back({body});
  }
  EXPECT_EQ(fixture.append(make_request(large)).error().code(), ErrorCode::storage_full);
  EXPECT_FALSE(fixture.store->health().accepts_writes);
  fixture.files->set_faults({});
  ASSERT_TRUE(fixture.append({"taken"}).has_value());
  EXPECT_TRUE(fixture.store->health().accepts_writes);
  fixture.open();
  EXPECT_EQ(fixture.bodies(), (Bodies{"kept", "taken"}));
}

TEST(Faults, AFlushWithoutSpaceKeepsTheRecordsAndIsTriedAgain) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append(numbered_bodies(20)).has_value());
  FileFaults full;
  full.space_bytes = 100;
  fixture.files->set_faults(full);
  EXPECT_EQ(fixture.store->flush().error().code(), ErrorCode::storage_full);
  EXPECT_EQ(fixture.bodies(), numbered_bodies(20));
  EXPECT_EQ(fixture.list("/t/default/20231114"), Bodies());  // nothing half-written stays
  EXPECT_TRUE(fixture.store->health().accepts_writes);
  ASSERT_TRUE(fixture.append({"later"}).has_value());
  fixture.files->set_faults({});
  ASSERT_TRUE(fixture.store->flush().has_value());
  EXPECT_EQ(fixture.store->stats().memtable_records, 0u);
  EXPECT_EQ(fixture.bodies().size(), 21u);
  fixture.open();
  EXPECT_EQ(fixture.bodies().size(), 21u);
}

/// Fails the k-th changing call for every k of a short life of a store: what was acknowledged is there after reopening.
class FaultAtEveryCall : public testing::TestWithParam<std::tuple<ErrorCode, bool>> {};

TEST_P(FaultAtEveryCall, LosesNothingAcknowledged) {
  const auto [code, fail_on] = GetParam();
  bool fault_was_reached = true;
  for (std::uint64_t k = 1; fault_was_reached; ++k) {
    StoreFixture fixture;
    fixture.options.wal_file_bytes = 2048;
    FileFaults faults;
    faults.fail_call = k;
    faults.fail_on = fail_on;
    faults.code = code;
    fixture.files->set_faults(faults);
    Bodies acknowledged;
    Bodies possible;
    if (fixture.try_open()) {
      for (int i = 0; i < 8; ++i) {
        const std::string body = std::to_string(i) + std::string(static_cast<std::size_t>(i) * 100, 'x');
        possible.push_back(body);
        if (fixture.append({body})) acknowledged.push_back(body);
        if (i == 3) (void)fixture.store->flush();
      }
      (void)fixture.store->flush();
    }
    fixture.close();
    fault_was_reached = fixture.files->change_calls() >= k && k < 200;
    fixture.files->set_faults({});
    const Status opened = fixture.try_open();
    ASSERT_TRUE(opened.has_value()) << "fault at call " << k << ": " << opened.error().message();
    const Bodies found = fixture.bodies();
    for (const std::string& body : acknowledged) {
      EXPECT_EQ(std::count(found.begin(), found.end(), body), 1) << "fault at call " << k << ": " << body.substr(0, 5);
    }
    for (const std::string& body : found)
      EXPECT_LE(std::count(found.begin(), found.end(), body), 1) << "fault at call " << k;
    ASSERT_TRUE(fixture.append({"afterwards"}).has_value()) << "fault at call " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, FaultAtEveryCall,
                         testing::Combine(testing::Values(ErrorCode::io_error, ErrorCode::storage_full),
                                          testing::Bool()));

TEST(Faults, AnyFailedSyncOfAnyLifeLosesNothing) {
  for (std::uint64_t k = 1; k < 60; ++k) {
    StoreFixture fixture;
    fixture.options.wal_file_bytes = 2048;
    FileFaults faults;
    faults.fail_sync = k;
    fixture.files->set_faults(faults);
    Bodies acknowledged;
    if (fixture.try_open()) {
      for (int i = 0; i < 10; ++i) {
        const std::string body = std::to_string(i) + std::string(300, 'x');
        if (fixture.append({body})) acknowledged.push_back(body);
        if (i == 5) (void)fixture.store->flush();
      }
    }
    fixture.close();
    // A failed sync may have left anything on the disk: cut the power, too.
    StoreFixture after;
    after.options = fixture.options;
    after.files = fixture.files->after_power_cut(fixture.files->log_size(), k);
    const Status opened = after.try_open();
    ASSERT_TRUE(opened.has_value()) << "sync " << k << ": " << opened.error().message();
    const Bodies found = after.bodies();
    for (const std::string& body : acknowledged) {
      EXPECT_EQ(std::count(found.begin(), found.end(), body), 1) << "sync " << k << ": " << body.substr(0, 3);
    }
  }
}

}  // namespace
}  // namespace dendro
