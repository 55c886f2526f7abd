#include "storage/repair.h"

#include "storage/store_files.h"
#include "storage/verify.h"
#include "storage/wal_survey.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

Bodies numbered(std::size_t first, std::size_t count) {
  Bodies bodies;
  for (std::size_t i = first; i < first + count; ++i) bodies.push_back("record " + std::to_string(i));
  return bodies;
}

bool holds(const std::vector<std::string>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [part](const std::string& line) { return line.find(part) != std::string::npos; });
}

class RepairTest : public testing::Test {
 protected:
  RepairTest() { fixture_.options.wal_file_bytes = 4 << 10; }

  std::unique_ptr<StoreRepair> look() {
    auto repair = StoreRepair::open("/data", *fixture_.files, fixture_.clock);
    EXPECT_TRUE(repair.has_value()) << repair.error().message();
    return repair ? std::move(repair).value() : nullptr;
  }
  RepairPlan repair() {
    const auto repair = look();
    const RepairPlan plan = repair->plan();
    const Status done = repair->carry_out();
    EXPECT_TRUE(done.has_value()) << done.error().message();
    return plan;
  }
  /// The store refuses to open, is repaired, opens, and is whole.
  RepairPlan repair_and_open() {
    EXPECT_FALSE(fixture_.try_open().has_value());
    const RepairPlan plan = repair();
    EXPECT_TRUE(plan.is_needed());
    const auto report = verify_store("/data", *fixture_.files, fixture_.clock);
    EXPECT_TRUE(report.has_value());
    if (report) {
      for (const StorageFault& fault : report->faults) ADD_FAILURE() << fault.text();
    }
    fixture_.open();
    EXPECT_FALSE(StoreRepair::open("/data", *fixture_.files, fixture_.clock).has_value()) << "it is held";
    return plan;
  }
  std::vector<SurveyedFrame> frames_of(const std::string& path, std::string& bytes) {
    bytes = read_whole_file(*fixture_.files, path, 1 << 24).value();
    return survey_wal_file(path, bytes, std::nullopt).frames;
  }
  std::string wal_path(std::size_t index) { return "/data/wal/" + wal_names()[index]; }
  Bodies wal_names() {
    Bodies names;
    for (const std::string& name : fixture_.list("/wal")) {
      if (StorePaths::parse_wal_name(name)) names.push_back(name);
    }
    return names;
  }
  std::string manifest() { return list_manifest_files(StorePaths("/data"), *fixture_.files)->front(); }

  StoreFixture fixture_;
};

TEST_F(RepairTest, AStoreThatOpensNeedsNone) {
  fixture_.open();
  ASSERT_TRUE(fixture_.append({"a"}).has_value());
  fixture_.close();
  EXPECT_FALSE(look()->plan().is_needed());
}

TEST_F(RepairTest, DamagedFramesAreLeftOutAndEverythingElseStays) {
  fixture_.open();
  for (std::size_t i = 0; i < 60; ++i) ASSERT_TRUE(fixture_.append(numbered(i * 2, 2)).has_value());
  fixture_.close();
  ASSERT_GE(wal_names().size(), 3u);
  const std::string path = wal_path(1);
  std::string bytes;
  const auto frames = frames_of(path, bytes);
  ASSERT_GE(frames.size(), 3u);
  const SurveyedFrame& hit = frames[1];
  const std::uint64_t lost = hit.frame.header.first_sequence.number();
  fixture_.files->damage(path, hit.offset + 60);

  const RepairPlan plan = repair_and_open();
  EXPECT_TRUE(holds(plan.findings, "offset " + std::to_string(hit.offset))) << testing::PrintToString(plan.findings);
  ASSERT_EQ(plan.losses.size(), 1u) << testing::PrintToString(plan.losses);
  EXPECT_EQ(plan.losses.front(), "records of sequence numbers " + std::to_string(lost) + " to " +
                                     std::to_string(lost + 1) + " (2 records) are lost");
  Bodies expected = numbered(0, 120);
  expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(lost - 1),
                 expected.begin() + static_cast<std::ptrdiff_t>(lost + 1));
  EXPECT_EQ(fixture_.bodies(), expected);
  EXPECT_EQ(read_whole_file(*fixture_.files, path + ".damaged-1", 1 << 24).value().size(), bytes.size());

  // Numbers go on behind the last, and so does everything.
  const auto reply = fixture_.append({"new"});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->first_sequence, SequenceNumber(121));
  fixture_.open();
  expected.push_back("new");
  EXPECT_EQ(fixture_.bodies(), expected);
}

TEST_F(RepairTest, AMissingWalFileAndADamagedHeader) {
  fixture_.open();
  for (std::size_t i = 0; i < 60; ++i) ASSERT_TRUE(fixture_.append(numbered(i * 2, 2)).has_value());
  fixture_.close();
  const std::string gone = wal_path(1);
  std::string bytes;
  const auto frames = frames_of(gone, bytes);
  const std::size_t first = frames.front().frame.header.first_sequence.number() - 1;
  const std::size_t last = frames.back().frame.header.first_sequence.number() + 1;
  ASSERT_TRUE(fixture_.files->remove(gone).has_value());
  fixture_.files->damage(wal_path(0), 20);  // its header's store id: frames are good all the same
  const RepairPlan plan = repair_and_open();
  EXPECT_TRUE(holds(plan.losses, gone + " is missing"));
  Bodies expected = numbered(0, 120);
  expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(first),
                 expected.begin() + static_cast<std::ptrdiff_t>(last));
  EXPECT_EQ(fixture_.bodies(), expected);
}

TEST_F(RepairTest, WhatIsInSegmentsIsNeitherLostNorDoubled) {
  fixture_.open();
  ASSERT_TRUE(fixture_.append(numbered(0, 10)).has_value());
  ASSERT_TRUE(fixture_.append(make_request({{"other 1"}}, make_tenant("other"))).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.append(numbered(10, 10)).has_value());
  ASSERT_TRUE(fixture_.append(numbered(20, 10)).has_value());
  fixture_.close();
  const std::string path = wal_path(wal_names().size() - 1);
  std::string bytes;
  const auto frames = frames_of(path, bytes);
  ASSERT_EQ(frames.size(), 4u);
  fixture_.files->damage(path, frames[0].offset + 50);  // in a segment
  const RepairPlan plan = repair_and_open();
  EXPECT_TRUE(plan.losses.empty()) << testing::PrintToString(plan.losses);
  EXPECT_EQ(fixture_.bodies(), numbered(0, 30));
  EXPECT_EQ(bodies_by_sequence(*fixture_.store, make_tenant("other")), Bodies{"other 1"});
}

TEST_F(RepairTest, RetryKeysOfKeptRequestsStay) {
  fixture_.open();
  for (std::size_t i = 0; i < 3; ++i) {
    CommitRequest request = make_request({{"body " + std::to_string(i)}});
    request.key = make_key("key" + std::to_string(i), "content" + std::to_string(i));
    ASSERT_TRUE(fixture_.append(std::move(request)).has_value());
  }
  fixture_.close();
  std::string bytes;
  const auto frames = frames_of(wal_path(0), bytes);
  fixture_.files->damage(wal_path(0), frames[1].offset + 50);
  repair_and_open();
  for (std::size_t i = 0; i < 3; ++i) {
    CommitRequest request = make_request({{"body " + std::to_string(i)}});
    request.key = make_key("key" + std::to_string(i), "content" + std::to_string(i));
    const auto reply = fixture_.append(std::move(request));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->replayed, i != 1) << i;
  }
  Bodies bodies = fixture_.bodies();
  std::sort(bodies.begin(), bodies.end());
  EXPECT_EQ(bodies, (Bodies{"body 0", "body 1", "body 2"}));
}

class ManifestRepairTest : public RepairTest {
 protected:
  ManifestRepairTest() {
    fixture_.open();
    EXPECT_TRUE(fixture_.append(numbered(0, 10)).has_value());
    EXPECT_TRUE(fixture_.append(make_request({{"other 1"}}, make_tenant("other"))).has_value());
    EXPECT_TRUE(fixture_.store->flush().has_value());
    EXPECT_TRUE(fixture_.append(numbered(10, 10)).has_value());
    EXPECT_TRUE(fixture_.store->flush().has_value());
    EXPECT_TRUE(fixture_.append(numbered(20, 10)).has_value());
    fixture_.close();
  }
  void expect_all() {
    EXPECT_EQ(fixture_.bodies(), numbered(0, 30));
    EXPECT_EQ(bodies_by_sequence(*fixture_.store, make_tenant("other")), Bodies{"other 1"});
    const auto reply = fixture_.append({"new"});
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->first_sequence, SequenceNumber(32));
    fixture_.open();
    EXPECT_EQ(fixture_.bodies().size(), 31u);
  }
};

TEST_F(ManifestRepairTest, EveryDamagedByteThatHindersOpening) {
  const std::string path = manifest();
  const std::size_t size = read_whole_file(*fixture_.files, path, 1 << 24)->size();
  std::size_t repaired = 0;
  const auto disk = [&] { return fixture_.files->after_power_cut(fixture_.files->log_size(), 1); };
  auto original = disk();
  for (std::size_t offset = 0; offset < size; offset += 7) {
    fixture_.close();
    fixture_.files = original->after_power_cut(original->log_size(), 1);
    fixture_.files->damage(path, offset);
    if (fixture_.try_open()) continue;  // a damaged last group may pass for an incomplete one
    SCOPED_TRACE(offset);
    const RepairPlan plan = repair_and_open();
    EXPECT_TRUE(fixture_.files->exists(path + ".damaged-1"));
    expect_all();
    fixture_.close();
    ++repaired;
    if (HasFailure()) return;
  }
  EXPECT_GT(repaired, size / 20);
}

TEST_F(ManifestRepairTest, AllOfItGone) {
  ASSERT_TRUE(fixture_.files->remove(manifest()).has_value());
  ASSERT_TRUE(fixture_.files->remove("/data/CURRENT").has_value());
  repair_and_open();
  expect_all();
}

TEST_F(ManifestRepairTest, OnlyCurrentGoneOrDamaged) {
  fixture_.files->damage("/data/CURRENT", 3);
  const RepairPlan plan = repair_and_open();
  EXPECT_TRUE(plan.losses.empty()) << testing::PrintToString(plan.losses);
  EXPECT_TRUE(fixture_.files->exists("/data/CURRENT.damaged-1"));
  expect_all();
}

TEST_F(ManifestRepairTest, BothManifestAndJournal) {
  std::string bytes;
  const std::string path = wal_path(wal_names().size() - 1);
  const auto frames = frames_of(path, bytes);
  ASSERT_FALSE(frames.empty());
  fixture_.files->damage(path, 3);  // the magic of the header
  fixture_.files->damage(manifest(), 80);
  repair_and_open();
  expect_all();
}

TEST_F(ManifestRepairTest, ASegmentThatCannotBeListedIsSavedAside) {
  const std::string segment = list_segment_files(StorePaths("/data"), *fixture_.files)->front();
  ASSERT_TRUE(fixture_.files->remove(manifest()).has_value());
  fixture_.files->damage(segment, 40);
  EXPECT_FALSE(fixture_.try_open().has_value());
  const RepairPlan plan = repair();
  EXPECT_TRUE(holds(plan.losses, segment));
  EXPECT_TRUE(fixture_.files->exists(segment + ".damaged-1"));
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), numbered(0, 30));  // the journal still had its records
  EXPECT_TRUE(fixture_.files->exists(segment + ".damaged-1"));
}

TEST_F(ManifestRepairTest, AFlushThatWasNotListedIsNotDoubled) {
  // The segment of a flush is there, its edit is not: as after a power cut between the two.
  const std::string path = manifest();
  fixture_.open();
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.close();
  ASSERT_EQ(list_segment_files(StorePaths("/data"), *fixture_.files)->size(), 4u);
  ASSERT_TRUE(fixture_.files->remove(manifest()).has_value());
  repair_and_open();
  EXPECT_EQ(fixture_.bodies(), numbered(0, 30));
}

TEST_F(ManifestRepairTest, APowerCutAnywhereLeavesSomethingThatRepairFinishes) {
  fixture_.files->damage(manifest(), 80);
  auto damaged = fixture_.files->after_power_cut(fixture_.files->log_size(), 1);
  fixture_.files = damaged->after_power_cut(damaged->log_size(), 1);
  const std::size_t before = fixture_.files->log_size();
  repair();
  const std::size_t after = fixture_.files->log_size();
  auto repaired = std::move(fixture_.files);
  for (std::size_t changes = before; changes <= after; ++changes) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      SCOPED_TRACE(std::to_string(changes) + ", seed " + std::to_string(seed));
      fixture_.files = repaired->after_power_cut(changes, seed);
      if (!fixture_.try_open()) {
        repair();
        fixture_.open();
      }
      EXPECT_EQ(fixture_.bodies(), numbered(0, 30));
      fixture_.close();
      if (HasFailure()) return;
    }
  }
}

TEST_F(ManifestRepairTest, AFullDiskLeavesTheStoreAsItWas) {
  fixture_.files->damage(manifest(), 80);
  FileFaults faults;
  faults.space_bytes = 300;
  fixture_.files->set_faults(faults);
  const Status done = look()->carry_out();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), ErrorCode::storage_full);
  fixture_.files->set_faults({});
  repair_and_open();
  expect_all();
}

TEST(StoreRepairOpen, WhatIsNoStoreIsToldSo) {
  MemoryFileSystem files;
  ManualClock clock{kTestTime};
  EXPECT_EQ(StoreRepair::open("/none", files, clock).error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace dendro
