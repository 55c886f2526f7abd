#include "storage/recovery.h"

#include "filter/predicate.h"
#include "storage/manifest.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes;
  while (bytes.size() < size) bytes.push_back(static_cast<char>('!' + random() % 90));
  return bytes;
}

TEST(Recovery, RefusesDamageInAnEarlierFileNamingFileAndOffset) {
  StoreFixture fixture;
  fixture.options.wal_file_bytes = 4096;
  fixture.open();
  for (std::uint64_t i = 0; i < 8; ++i) ASSERT_TRUE(fixture.append({noise(900, i)}).has_value());
  fixture.close();
  fixture.files->damage("/data/wal/000001.wal", 64 + 20);
  const Status opened = fixture.try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
  EXPECT_NE(opened.error().message().find("/data/wal/000001.wal: bad frame at offset 64"), std::string::npos)
      << opened.error().message();
}

TEST(Recovery, RefusesADamagedLastFrameOfAnEarlierFile) {
  StoreFixture fixture;
  fixture.options.wal_file_bytes = 4096;
  fixture.open();
  for (std::uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(fixture.append({noise(2500, i)}).has_value());  // one a file
  fixture.close();
  fixture.files->damage("/data/wal/000002.wal", 100);
  const Status opened = fixture.try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().message().find("/data/wal/000002.wal: bad frame at offset 64"), std::string::npos)
      << opened.error().message();
}

TEST(Recovery, RefusesDamageOfTheVeryFirstFrameWhereverItIs) {
  for (const std::uint64_t offset : {64u, 64u + 16u, 64u + 60u}) {  // magic, sequence number, payload
    StoreFixture fixture;
    fixture.options.wal_file_bytes = 4096;
    fixture.open();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(fixture.append({noise(2500, i)}).has_value());  // one a file
    fixture.close();
    fixture.files->damage("/data/wal/000001.wal", offset);
    const Status opened = fixture.try_open();
    ASSERT_FALSE(opened.has_value()) << offset;
    EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
    EXPECT_NE(opened.error().message().find("/data/wal/000001.wal: bad frame at offset 64"), std::string::npos)
        << opened.error().message();
  }
}

TEST(Recovery, RefusesAMissingWalFile) {
  StoreFixture fixture;
  fixture.options.wal_file_bytes = 4096;
  fixture.open();
  for (std::uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(fixture.append({noise(2500, i)}).has_value());
  fixture.close();
  ASSERT_TRUE(fixture.files->remove("/data/wal/000001.wal").has_value());
  const Status opened = fixture.try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
  EXPECT_NE(opened.error().message().find("000001.wal is missing"), std::string::npos);
}

TEST(Recovery, CutsATornTailAndSaysHowMuch) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"kept"}).has_value());
  ASSERT_TRUE(fixture.append({"torn"}).has_value());
  fixture.close();
  const auto frame_end = read_whole_file(*fixture.files, "/data/wal/000001.wal", 1 << 20)->find_last_not_of('\0');
  fixture.files->damage("/data/wal/000001.wal", frame_end - 20);
  fixture.open();
  EXPECT_EQ(fixture.bodies(), (Bodies{"kept"}));
  EXPECT_GT(fixture.store->stats().torn_tail_bytes, 100u);
  ASSERT_TRUE(fixture.append({"new"}).has_value());
  fixture.open();
  EXPECT_EQ(fixture.bodies(), (Bodies{"kept", "new"}));
  EXPECT_EQ(fixture.store->stats().torn_tail_bytes, 0u);
}

TEST(Recovery, DeletesUnlistedSegmentFilesOnlyAfterACleanReadOfTheManifest) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  fixture.close();
  const auto make = [&](const std::string& path) {
    ASSERT_TRUE(fixture.files->open_writable(path, OpenMode::create_new).has_value());
  };
  make("/data/t/default/20231114/00000000000000ff.seg");
  make("/data/t/default/20231114/0000000000000100.seg.tmp");
  make("/data/t/default/20231114/notes.txt");
  // An incomplete last group: the files might belong to it.
  const std::string manifest = "/data/" + read_whole_file(*fixture.files, "/data/CURRENT", 100)->substr(0, 15);
  {
    const auto file = fixture.files->open_writable(manifest, OpenMode::open_existing).value();
    const std::string_view torn("\x40\0\0\0\1\0\0\0abc", 11);
    ASSERT_TRUE(file->write_at(file->size().value(), {&torn, 1}).has_value());
  }
  fixture.open();
  EXPECT_EQ(fixture.list("/t/default/20231114").size(), 4u);
  EXPECT_EQ(fixture.bodies(), (Bodies{"a"}));
  fixture.open();
  EXPECT_EQ(fixture.list("/t/default/20231114"), (Bodies{"0000000000000001.seg", "notes.txt"}));
}

TEST(Recovery, ADamagedSegmentIsToldAndTheRestAnswers) {
  StoreFixture fixture;
  fixture.open();
  ASSERT_TRUE(fixture.append({"first"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  ASSERT_TRUE(fixture.append({"second"}).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  fixture.close();
  fixture.files->damage("/data/t/default/20231114/0000000000000001.seg", 70);  // in its only block
  fixture.open();
  auto outcome = run_scan(**fixture.store->snapshot(TenantId::default_tenant()));
  EXPECT_EQ(outcome.bodies, (Bodies{"second"}));
  ASSERT_EQ(outcome.errors.size(), 1u);
  EXPECT_EQ(outcome.errors.front().code(), ErrorCode::corruption);
  EXPECT_NE(outcome.errors.front().message().find("0000000000000001.seg: block at offset 64"), std::string::npos);
  fixture.close();
  ASSERT_TRUE(fixture.files->remove("/data/t/default/20231114/0000000000000002.seg").has_value());
  fixture.open();
  outcome = run_scan(**fixture.store->snapshot(TenantId::default_tenant()));
  EXPECT_EQ(outcome.errors.size(), 2u);  // never silently empty
}

TEST(Recovery, EveryFlippedByteOfASegmentIsToldOrHarmless) {
  StoreFixture fixture;
  fixture.open();
  CommitRequest request = make_request({{"a", "b"}});
  request.key = make_key("k");
  ASSERT_TRUE(fixture.append(std::move(request)).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  fixture.close();
  const std::string path = "/data/t/default/20231114/0000000000000001.seg";
  const std::size_t size = read_whole_file(*fixture.files, path, 1 << 20)->size();
  for (std::size_t offset = 0; offset < size; ++offset) {
    fixture.files->damage(path, offset);
    ASSERT_TRUE(fixture.try_open().has_value());
    const auto outcome = run_scan(**fixture.store->snapshot(TenantId::default_tenant()));
    // What this scan does not read, the token filter, cannot harm it.
    const bool is_told = outcome.errors.size() == 1 && outcome.bodies.empty();
    const bool is_harmless = outcome.errors.empty() && outcome.bodies == Bodies{"b", "a"};
    EXPECT_TRUE(is_told || is_harmless) << offset;
    fixture.close();
    fixture.files->damage(path, offset);  // back
  }
}

TEST(Recovery, OpeningAgainAndAgainUsesUpNoWalFiles) {
  StoreFixture fixture;
  for (int i = 0; i < 10; ++i) fixture.open();
  ASSERT_TRUE(fixture.append({"a"}).has_value());
  for (int i = 0; i < 10; ++i) fixture.open();
  fixture.close();
  EXPECT_LE(fixture.list("/wal").size(), 4u);
}

TEST(BatchKeys, SurviveClosingFlushAndBoth) {
  StoreFixture fixture;
  fixture.open();
  const auto keyed = [] {
    CommitRequest request = make_request({{"a"}, {"b"}});
    request.key = make_key("k");
    request.rejected = 1;
    return request;
  };
  ASSERT_TRUE(fixture.append({"before"}).has_value());
  const auto first = fixture.append(keyed());
  ASSERT_TRUE(first.has_value());
  const auto expect_replay = [&](const char* when) {
    const auto again = fixture.append(keyed());
    ASSERT_TRUE(again.has_value()) << when;
    EXPECT_TRUE(again->replayed) << when;
    EXPECT_EQ(again->first_sequence, first->first_sequence) << when;
    EXPECT_EQ(again->accepted, 2u) << when;
    EXPECT_EQ(again->rejected, 1u) << when;
    EXPECT_EQ(again->receive_time, kTestTime) << when;
    CommitRequest other = keyed();
    other.key = make_key("k", "other");
    EXPECT_EQ(fixture.append(std::move(other)).error().code(), ErrorCode::already_exists) << when;
  };
  expect_replay("in memory");
  fixture.open();
  expect_replay("from the WAL");
  ASSERT_TRUE(fixture.store->flush().has_value());
  expect_replay("after a flush");
  fixture.open();
  expect_replay("from a segment");
  EXPECT_EQ(fixture.bodies(), (Bodies{"before", "a", "b"}));
  EXPECT_EQ(fixture.store->stats().batches_replayed, 1u);
}

TEST(BatchKeys, OutliveTheRecordsOfTheirRequest) {
  StoreFixture fixture;
  fixture.open();
  const auto keyed = [] {
    CommitRequest request = make_request({{"gone"}});
    request.key = make_key("k");
    return request;
  };
  const auto first = fixture.append(keyed());
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  const auto predicate = Predicate{FieldTest{"body", Exists{}}};
  ASSERT_TRUE(fixture.store->delete_records(TenantId::default_tenant(), {}, predicate).has_value());
  ASSERT_TRUE(fixture.store->compact().has_value());
  ASSERT_EQ(fixture.store->stats().segment_count, 0u);
  for (int i = 0; i < 2; ++i) {
    fixture.open();
    const auto again = fixture.append(keyed());
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->replayed);
    EXPECT_EQ(again->first_sequence, first->first_sequence);
  }
  EXPECT_EQ(fixture.bodies(), Bodies());
  // Out of their window the manifest lets go of them.
  const auto holds_key = [&] {
    for (const std::string& name : fixture.list("")) {
      if (!name.starts_with("MANIFEST-")) continue;
      const auto contents = read_manifest(read_whole_file(*fixture.files, "/data/" + name, 1 << 20).value(),
                                          *StorePaths::parse_manifest_name(name));
      return !contents->state.retry_keys.empty();
    }
    return false;
  };
  ASSERT_TRUE(fixture.store->compact().has_value());
  EXPECT_TRUE(holds_key());
  fixture.clock.advance(std::chrono::hours(25));
  ASSERT_TRUE(fixture.store->compact().has_value());
  EXPECT_FALSE(holds_key());
  EXPECT_FALSE(fixture.append(keyed())->replayed);
}

TEST(BatchKeys, OutliveADayThatRetentionDrops) {
  StoreFixture fixture;
  fixture.options.retention.standard.max_age = std::chrono::hours(24);
  fixture.open();
  CommitRequest request;
  request.receive_time = kTestTime;
  request.batches = {make_batch({{"late", Timestamp(kTestTime.number() - 9 * kNanosPerDay)}})};
  request.key = make_key("k");
  ASSERT_TRUE(fixture.append(request).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  ASSERT_TRUE(fixture.store->compact().has_value());
  ASSERT_EQ(fixture.store->stats().segment_count, 0u);
  fixture.open();
  EXPECT_TRUE(fixture.append(request)->replayed);
}

TEST(BatchKeys, AreForgottenAfterTheWindow) {
  StoreFixture fixture;
  fixture.open();
  CommitRequest request = make_request({{"a"}});
  request.key = make_key("k");
  ASSERT_TRUE(fixture.append(request).has_value());
  ASSERT_TRUE(fixture.store->flush().has_value());
  fixture.clock.advance(std::chrono::hours(25));
  EXPECT_FALSE(fixture.append(request)->replayed);
  fixture.close();
  ManualClock& clock = fixture.clock;
  clock.advance(std::chrono::hours(25));
  fixture.open();
  request.key = make_key("k", "other");  // too old to be told from the first
  const auto other = fixture.append(request);
  EXPECT_TRUE(other.has_value());
}

TEST(BatchKeys, AreAtMostSoManyTheOldestOutFirst) {
  BatchKeyWindow window({std::chrono::hours(24), 3});
  for (int i = 0; i < 5; ++i) {
    const KeyedReply keyed{make_key(std::to_string(i)),
                           {SequenceNumber(static_cast<std::uint64_t>(i) + 1), kTestTime, 1, 0, false}};
    window.add(keyed, std::chrono::seconds(i), std::chrono::seconds(i));
  }
  EXPECT_EQ(window.size(), 3u);
  EXPECT_FALSE(window.find(make_key("1"), std::chrono::seconds(5))->has_value());
  EXPECT_TRUE(window.find(make_key("2"), std::chrono::seconds(5))->has_value());
}

}  // namespace
}  // namespace dendro
