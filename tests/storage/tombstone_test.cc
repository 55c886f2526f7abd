#include "storage/tombstone.h"

#include <gtest/gtest.h>

#include <cctype>
#include <iostream>

#include "tests/storage/crash_model.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

Predicate body_contains(std::string_view text) {
  TextPattern pattern;
  pattern.text = text;
  pattern.open_start = pattern.open_end = true;
  return Predicate{FieldTest{"body", pattern}};
}

Status delete_bodies(Store& store, std::string_view text, TimeRange range = {},
                     const TenantId& tenant = TenantId::default_tenant()) {
  const auto deleted = store.delete_records(tenant, range, body_contains(text));
  return deleted ? Status() : Status(deleted.error());
}

class TombstoneTest : public testing::Test {
 protected:
  TombstoneTest() { fixture_.open(); }

  Bodies scanned(ScanOrder order) {
    ScanRequest request;
    request.order = order;
    return run_scan(*fixture_.store->snapshot(TenantId::default_tenant()).value(), request).bodies;
  }

  /// Paths of all files of the store that hold `text`.
  Bodies files_with(std::string_view text, const std::string& folder = "/data") {
    Bodies found;
    const auto names = fixture_.files->list(folder);
    if (!names) return found;  // a file that the store took away since its folder was listed
    for (const std::string& name : *names) {
      const std::string path = folder + "/" + name;
      const auto bytes = read_whole_file(*fixture_.files, path, 1 << 30);
      if (!bytes) {
        for (std::string& below : files_with(text, path)) found.push_back(std::move(below));
      } else if (bytes->find(text) != std::string::npos) {
        found.push_back(path);
      }
    }
    return found;
  }

  StoreFixture fixture_;
};

TEST_F(TombstoneTest, TakesRecordsOfMemoryAndFilesAtOnceAndOverReopening) {
  ASSERT_TRUE(fixture_.append({"keep 1", "drop 1"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.append({"drop 2", "keep 2"}).has_value());
  const auto old_snapshot = fixture_.store->snapshot(TenantId::default_tenant()).value();
  ASSERT_TRUE(delete_bodies(*fixture_.store, "drop").has_value());
  ASSERT_TRUE(fixture_.append({"drop 3"}).has_value());  // later: it stays
  const Bodies expected = {"keep 1", "keep 2", "drop 3"};
  EXPECT_EQ(fixture_.bodies(), expected);
  EXPECT_EQ(scanned(ScanOrder::oldest_first).size(), expected.size());
  EXPECT_EQ(run_scan(*old_snapshot).bodies.size(), 4u);
  const auto snapshot = fixture_.store->snapshot(TenantId::default_tenant()).value();
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    const auto found = snapshot->find({kTestTime, SequenceNumber(sequence)});
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->has_value(), sequence != 2 && sequence != 3) << sequence;
  }
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), expected);
  EXPECT_EQ(fixture_.store->stats().live_tombstones, 1u);
  const Status compacted = fixture_.store->compact(CompactionScope::all_final);
  ASSERT_TRUE(compacted.has_value()) << compacted.error().message();
  EXPECT_EQ(fixture_.store->stats().live_tombstones, 0u);
  EXPECT_EQ(fixture_.bodies(), expected);
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), expected);
}

TEST_F(TombstoneTest, KeepsToItsTenantAndTimes) {
  const TenantId other = make_tenant("other");
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {make_batch(
      {{"drop early", Timestamp(kTestTime.number() - 1)}, {"drop", kTestTime}, {"drop late", kTestTime.next(1)}})};
  ASSERT_TRUE(fixture_.append(request).has_value());
  ASSERT_TRUE(fixture_.append(make_request({{"drop"}}, other)).has_value());
  ASSERT_TRUE(delete_bodies(*fixture_.store, "drop", {kTestTime, kTestTime.next(1)}).has_value());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(fixture_.bodies(), (Bodies{"drop early", "drop late"}));
    EXPECT_EQ(bodies_by_sequence(*fixture_.store, other), (Bodies{"drop"}));
    ASSERT_TRUE(fixture_.store->compact(CompactionScope::all_final).has_value());
  }
}

/// Bytes that neither LZ4 nor zstd can shorten and the splitter does not cut, so that a file that holds them shows
/// them.
std::string incompressible(std::mt19937_64& random, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    const auto byte = static_cast<unsigned char>(random());
    if (byte >= 0x80 || std::isalnum(byte) != 0) text.push_back(static_cast<char>(byte));
  }
  return text;
}

TEST_F(TombstoneTest, ADeletedNeedleIsInNoFileBehindCompaction) {
  std::mt19937_64 random(7);
  const std::string needle = incompressible(random, 40);
  const auto around = [&](const std::string& middle) {
    return incompressible(random, 1'500) + middle + incompressible(random, 1'500);
  };
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(fixture_.append({around(""), around(needle)}).has_value());
    if (i % 2 == 1) ASSERT_TRUE(fixture_.store->flush().has_value());
    ASSERT_TRUE(fixture_.append({around("")}).has_value());  // the WAL goes through several files
  }
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(fixture_.append({around(needle)}).has_value());
  const auto holds = [&](std::string_view part) {
    const Bodies found = files_with(needle);
    return std::any_of(found.begin(), found.end(), [part](const auto& path) { return path.find(part) != path.npos; });
  };
  EXPECT_TRUE(holds(".seg"));
  EXPECT_TRUE(holds(".wal"));
  EXPECT_TRUE(holds("/wal/spare-"));
  ASSERT_TRUE(delete_bodies(*fixture_.store, needle).has_value());
  EXPECT_TRUE(holds("MANIFEST"));
  const Bodies expected = fixture_.bodies();
  EXPECT_EQ(expected.size(), 12u);
  const Status compacted = fixture_.store->compact();  // what is due: no day is over
  ASSERT_TRUE(compacted.has_value()) << compacted.error().message();
  EXPECT_EQ(files_with(needle), Bodies());
  EXPECT_EQ(fixture_.store->stats().live_tombstones, 0u);
  EXPECT_EQ(fixture_.store->stats().records_deleted, 7u);
  EXPECT_EQ(fixture_.list("/t/default/20231114").size(), fixture_.store->stats().segment_count);
  EXPECT_EQ(fixture_.bodies(), expected);
  ASSERT_TRUE(fixture_.append({"afterwards"}).has_value());
  fixture_.open();
  EXPECT_EQ(files_with(needle), Bodies());
  EXPECT_EQ(fixture_.bodies().size(), 13u);
}

TEST_F(TombstoneTest, ASegmentOfWhichEveryRecordWasDeletedGoes) {
  ASSERT_TRUE(fixture_.append({"drop 1", "drop 2"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  ASSERT_TRUE(delete_bodies(*fixture_.store, "drop").has_value());
  ASSERT_TRUE(fixture_.store->compact().has_value());
  EXPECT_EQ(fixture_.store->stats().segment_count, 0u);
  EXPECT_EQ(fixture_.bodies(), Bodies());
  fixture_.open();
  EXPECT_EQ(fixture_.bodies(), Bodies());
}

TEST_F(TombstoneTest, IsNotDoneWhileASegmentCannotBeRead) {
  ASSERT_TRUE(fixture_.append({"drop"}).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.files->damage("/data/t/default/20231114/0000000000000001.seg", 70);
  fixture_.open();
  ASSERT_TRUE(delete_bodies(*fixture_.store, "drop").has_value());
  (void)fixture_.store->compact();
  EXPECT_EQ(fixture_.store->stats().live_tombstones, 1u);
}

TEST_F(TombstoneTest, IsNotDoneWhileADeletedRecordIsStillFound) {
  const TenantId other = make_tenant("other");
  ASSERT_TRUE(fixture_.append({"drop 1", "keep", "drop 2"}).has_value());
  ASSERT_TRUE(fixture_.append(make_request({{"drop", "keep"}}, other)).has_value());
  ASSERT_TRUE(fixture_.store->flush().has_value());
  fixture_.options.keeps_deleted_for_test = true;
  fixture_.open();
  ASSERT_TRUE(delete_bodies(*fixture_.store, "drop").has_value());
  ASSERT_TRUE(delete_bodies(*fixture_.store, "not there", {}, other).has_value());
  for (int round = 0; round < 2; ++round) {
    const Status compacted = fixture_.store->compact();
    ASSERT_FALSE(compacted.has_value());
    EXPECT_EQ(compacted.error().code(), ErrorCode::internal);
    EXPECT_NE(compacted.error().message().find("/t/default/20231114/"), std::string::npos);
    EXPECT_NE(compacted.error().message().find("stays pending"), std::string::npos);
    // It is not done, over reopening neither, and nobody sees its records; another one is not held up by it.
    EXPECT_EQ(fixture_.store->pending_deletions(TenantId::default_tenant()).size(), 1u);
    EXPECT_EQ(fixture_.store->pending_deletions(other).size(), 0u);
    EXPECT_EQ(fixture_.bodies(), Bodies{"keep"});
    EXPECT_EQ(fixture_.store->stats().segment_records, 5u);
    fixture_.open();
  }
  fixture_.options.keeps_deleted_for_test = false;
  fixture_.open();
  const Status compacted = fixture_.store->compact();
  ASSERT_TRUE(compacted.has_value()) << compacted.error().message();
  EXPECT_EQ(fixture_.store->stats().live_tombstones, 0u);
  EXPECT_EQ(fixture_.store->stats().records_deleted, 2u);
  EXPECT_EQ(fixture_.store->stats().segment_records, 3u);
  EXPECT_EQ(fixture_.bodies(), Bodies{"keep"});  // nothing hides them any more
}

TEST_F(TombstoneTest, RefusesWhatARecordDoesNotHoldByItself) {
  for (const char* field : {"_id", "_observed"}) {
    const auto deleted =
        fixture_.store->delete_records(TenantId::default_tenant(), {}, Predicate{FieldTest{field, Exists{}}});
    ASSERT_FALSE(deleted.has_value());
    EXPECT_EQ(deleted.error().code(), ErrorCode::invalid_argument);
  }
  EXPECT_EQ(delete_bodies(*fixture_.store, std::string(300 << 10, 'x')).error().code(), ErrorCode::invalid_argument);
}

TEST_F(TombstoneTest, AgreesWithAPlainModel) {
  const SeedRange seeds = seeds_from_environment(20);
  std::cout << "seeds " << seeds.first << " to " << seeds.first + seeds.count - 1 << "\n";
  for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    StoreFixture fixture;
    fixture.options.compaction.fan_in = 2;
    fixture.open();
    std::vector<TestRecord> model;
    for (int step = 0; step < 60; ++step) {
      switch (random() % 8) {
        case 0:
          ASSERT_TRUE(fixture.store->flush().has_value());
          break;
        case 1:
          ASSERT_TRUE(fixture.store->compact(random() % 2 == 0 ? CompactionScope::due : CompactionScope::all_final)
                          .has_value());
          break;
        case 2: {
          const std::string text = "w" + std::to_string(random() % 30) + " ";
          TimeRange range;
          range.first = Timestamp(kTestTime.number() + static_cast<std::int64_t>(random() % 10));
          ASSERT_TRUE(delete_bodies(*fixture.store, text, range).has_value());
          std::erase_if(model, [&](const TestRecord& record) {
            return range.contains(record.timestamp) && record.body.find(text) != std::string::npos;
          });
          break;
        }
        case 3:
          fixture.open();
          break;
        default: {
          std::vector<TestRecord> records;
          for (std::uint64_t i = 1 + random() % 9; i > 0; --i) {
            const std::string body = "w" + std::to_string(random() % 30) + " w" + std::to_string(random() % 30) + " " +
                                     std::to_string(random());
            records.push_back({body, Timestamp(kTestTime.number() + static_cast<std::int64_t>(random() % 20) -
                                               (random() % 4 == 0 ? kNanosPerDay : 0))});
          }
          model.insert(model.end(), records.begin(), records.end());
          CommitRequest request;
          request.receive_time = kTestTime;
          request.batches = {make_batch(records)};
          ASSERT_TRUE(fixture.append(std::move(request)).has_value());
        }
      }
      Bodies expected;
      for (const TestRecord& record : model) expected.push_back(record.body);
      ASSERT_EQ(fixture.bodies(), expected) << "step " << step;
    }
    ASSERT_TRUE(fixture.store->compact().has_value());
    EXPECT_EQ(fixture.store->stats().live_tombstones, 0u);
  }
}

}  // namespace
}  // namespace dendro
