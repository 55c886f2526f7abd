#include "storage/manifest.h"

#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

SegmentInfo make_segment(std::uint64_t id, std::string_view tenant = "default") {
  SegmentInfo segment;
  segment.id = SegmentId(id);
  segment.tenant = make_tenant(tenant);
  segment.day = day_start(kTestTime);
  segment.file_bytes = 1000 + id;
  segment.record_count = id;
  segment.min_timestamp = Timestamp(-5);
  segment.max_timestamp = kTestTime;
  segment.first_sequence = SequenceNumber(id);
  segment.last_sequence = SequenceNumber(id + 9);
  segment.footer_hash = 0xDEADBEEF + id;
  return segment;
}

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() { EXPECT_TRUE(files_.create_directories("/m").has_value()); }

  Result<std::unique_ptr<Manifest>> try_open() {
    return Manifest::open(paths_, files_, clock_, random_, rewrite_bytes_);
  }
  void open() {
    manifest_.reset();
    auto opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    manifest_ = std::move(opened).value();
  }
  void append(std::vector<ManifestEdit> edits) {
    const Status appended = manifest_->append(edits);
    ASSERT_TRUE(appended.has_value()) << appended.error().message();
  }
  std::string live_path() { return paths_.manifest(manifest_->number()); }
  std::string bytes() { return read_whole_file(files_, live_path(), 1 << 24).value(); }

  MemoryFileSystem files_;
  ManualClock clock_{kTestTime};
  CountingRandom random_;
  StorePaths paths_{"/m"};
  std::uint64_t rewrite_bytes_ = Manifest::kRewriteBytes;
  std::unique_ptr<Manifest> manifest_;
};

TEST_F(ManifestTest, KeepsItsStateOverReopening) {
  open();
  const Bytes16 store_id = manifest_->store_id();
  append({make_segment(1), make_segment(2, "other"), FlushedThrough{make_tenant("other"), SequenceNumber(7)},
          Counters{SegmentId(3), SequenceNumber(12), WalNumber(4)}});
  append({RemoveSegment{SegmentId(1)}});
  const ManifestState state = manifest_->state();
  EXPECT_EQ(state.segments.size(), 1u);
  open();
  EXPECT_EQ(manifest_->state(), state);
  EXPECT_EQ(manifest_->store_id(), store_id);
  EXPECT_TRUE(manifest_->was_read_clean());
  EXPECT_EQ(manifest_->state().segments.at(SegmentId(2)), make_segment(2, "other"));
}

TEST_F(ManifestTest, DropsDaysAndTenants) {
  open();
  append({make_segment(1), make_segment(2, "other")});
  append({DropDay{make_tenant("default"), day_start(kTestTime)}});
  EXPECT_EQ(manifest_->state().segments.size(), 1u);
  append({DropTenant{make_tenant("other")}});
  open();
  EXPECT_TRUE(manifest_->state().segments.empty());
}

TEST_F(ManifestTest, KeepsTombstonesUntilTheyAreDone) {
  open();
  TombstoneInfo tombstone;
  tombstone.id = TombstoneId(3);
  tombstone.tenant = make_tenant("other");
  tombstone.range = {Timestamp(-7), kTestTime};
  tombstone.sequence = SequenceNumber(99);
  tombstone.predicate = std::string("\x01\x00\x02", 3);
  tombstone.created = Timestamp(77);
  tombstone.origin = TombstoneOrigin::retention_rule;
  append({tombstone});
  open();
  ASSERT_EQ(manifest_->state().tombstones.size(), 1u);
  EXPECT_EQ(manifest_->state().tombstones.at(TombstoneId(3)), tombstone);
  EXPECT_FALSE(manifest_->append({tombstone}).has_value());
  ASSERT_TRUE(manifest_->rewrite_now().has_value());
  open();
  EXPECT_EQ(manifest_->state().tombstones.size(), 1u);
  append({TombstoneDone{TombstoneId(3)}});
  EXPECT_FALSE(manifest_->append({TombstoneDone{TombstoneId(3)}}).has_value());
  append({tombstone, make_segment(1, "other"), DropTenant{make_tenant("other")}});
  open();
  EXPECT_EQ(manifest_->state().tombstones.size(), 0u);
}

TEST_F(ManifestTest, KeepsRetryKeysOfATenantUntilOthersTakeTheirPlace) {
  open();
  const KeyedReply first{make_key("a"), {SequenceNumber(3), kTestTime, 2, 1, false}};
  const KeyedReply second{make_key("b"), {SequenceNumber(9), kTestTime.next(), 1, 0, false}};
  append({RetryKeys{make_tenant("default"), {first, second}}, RetryKeys{make_tenant("other"), {second}}});
  ASSERT_TRUE(manifest_->rewrite_now().has_value());
  open();
  using Kept = std::map<TenantId, std::vector<KeyedReply>>;
  EXPECT_EQ(manifest_->state().retry_keys,
            (Kept{{make_tenant("default"), {first, second}}, {make_tenant("other"), {second}}}));
  append({RetryKeys{make_tenant("default"), {second}}, DropTenant{make_tenant("other")}});
  open();
  EXPECT_EQ(manifest_->state().retry_keys, (Kept{{make_tenant("default"), {second}}}));
  append({RetryKeys{make_tenant("default"), {}}});
  open();
  EXPECT_EQ(manifest_->state().retry_keys, Kept());
}

TEST(ManifestEdit, ATombstoneOfAnEarlierVersionHasNoTime) {
  std::string edit = {4};  // kind, and its body as docs/formats/manifest.md says
  std::string body(8, '\0');
  body[0] = 3;
  body +=
      "\x07"
      "default";
  body += std::string(8 + 8 + 8, '\0') +
          "\x02"
          "ab";
  edit += static_cast<char>(body.size());
  edit += body;
  const auto read = ManifestEditReader(edit).next();
  ASSERT_TRUE(read.has_value()) << read.error().message();
  const auto& tombstone = std::get<TombstoneInfo>(*read);
  EXPECT_EQ(tombstone.id, TombstoneId(3));
  EXPECT_EQ(tombstone.predicate, "ab");
  EXPECT_EQ(tombstone.created, Timestamp());
  EXPECT_EQ(tombstone.origin, TombstoneOrigin::request);
}

TEST_F(ManifestTest, RefusesEditsThatCannotBe) {
  open();
  append({make_segment(1), Counters{SegmentId(5), SequenceNumber(5), WalNumber(5)}});
  EXPECT_FALSE(manifest_->append({make_segment(1)}).has_value());
  EXPECT_FALSE(manifest_->append({RemoveSegment{SegmentId(9)}}).has_value());
  EXPECT_FALSE(manifest_->append({Counters{SegmentId(4), SequenceNumber(5), WalNumber(5)}}).has_value());
  append({make_segment(2)});  // it goes on
}

TEST_F(ManifestTest, CutsAnIncompleteLastGroup) {
  open();
  append({make_segment(1)});
  const std::string before = bytes();
  append({make_segment(2)});
  const std::string after = bytes();
  for (std::size_t size = before.size() + 1; size < after.size(); ++size) {
    const auto contents = read_manifest(after.substr(0, size), manifest_->number());
    ASSERT_TRUE(contents.has_value()) << size << ": " << contents.error().message();
    EXPECT_TRUE(contents->was_cut);
    EXPECT_EQ(contents->state.segments.size(), 1u);
    EXPECT_EQ(contents->end_offset, before.size());
  }
}

TEST_F(ManifestTest, CutsALastGroupOfWhichASectorNeverCame) {
  open();
  std::vector<ManifestEdit> many;
  for (std::uint64_t id = 1; id <= 20; ++id) many.emplace_back(make_segment(id));
  const std::size_t before = bytes().size();
  append(many);
  const std::string whole = bytes();
  for (std::size_t sector = before / 512; sector * 512 < whole.size(); ++sector) {
    std::string holed = whole;
    const std::size_t first = std::max(before, sector * 512);
    const std::size_t last = std::min(whole.size(), (sector + 1) * 512);
    holed.replace(first, last - first, last - first, '\0');
    const auto contents = read_manifest(holed, manifest_->number());
    ASSERT_TRUE(contents.has_value()) << sector << ": " << contents.error().message();
    EXPECT_TRUE(contents->was_cut);
    EXPECT_TRUE(contents->state.segments.empty());
  }
}

TEST_F(ManifestTest, RefusesEveryFlippedByteOfAnEarlierGroup) {
  open();
  append({make_segment(1)});
  const std::size_t end = bytes().size();
  append({make_segment(2)});
  const std::string whole = bytes();
  for (std::size_t offset = 0; offset < end; ++offset) {
    for (const int flip : {1, 0x80}) {
      std::string damaged = whole;
      damaged[offset] = static_cast<char>(static_cast<unsigned char>(damaged[offset]) ^ flip);
      const auto contents = read_manifest(damaged, manifest_->number());
      ASSERT_FALSE(contents.has_value()) << offset;
      const bool is_known =
          contents.error().code() == ErrorCode::corruption || contents.error().code() == ErrorCode::unimplemented;
      EXPECT_TRUE(is_known);
    }
  }
}

TEST_F(ManifestTest, NamesFileAndOffsetOfDamage) {
  open();
  const std::size_t end = bytes().size();
  append({make_segment(1)});
  append({make_segment(2)});
  files_.damage(live_path(), end + 20);
  const auto opened = try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
  EXPECT_NE(opened.error().message().find(live_path() + ": offset " + std::to_string(end)), std::string::npos)
      << opened.error().message();
}

TEST_F(ManifestTest, ReadsAGroupThatEndsOneByteIntoASector) {
  // A group whose last byte, the top of its hash, lies alone in a sector and is zero must not be taken for incomplete.
  open();
  for (std::uint64_t id = 1; id < 600; ++id) append({make_segment(id)});
  const ManifestState state = manifest_->state();
  open();
  EXPECT_EQ(manifest_->state(), state);
  EXPECT_TRUE(manifest_->was_read_clean());
}

TEST_F(ManifestTest, IsRewrittenBeyondItsSizeAndTheOldOneRemoved) {
  rewrite_bytes_ = 2000;
  open();
  for (std::uint64_t id = 1; id <= 200; ++id) {
    append({make_segment(id)});
    append({RemoveSegment{SegmentId(id)}});
  }
  EXPECT_GT(manifest_->number(), 5u);
  EXPECT_LT(bytes().size(), 4000u);
  EXPECT_EQ(files_.list("/m").value(), (Bodies{"CURRENT", StorePaths::manifest_name(manifest_->number())}));
  const ManifestState state = manifest_->state();
  open();
  EXPECT_EQ(manifest_->state(), state);
}

TEST_F(ManifestTest, RefusesAFolderWithDataButWithoutCurrent) {
  open();
  ASSERT_TRUE(files_.create_directories("/m/t/default").has_value());
  ASSERT_TRUE(files_.remove("/m/CURRENT").has_value());
  const auto opened = try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::corruption);
}

TEST_F(ManifestTest, RefusesACurrentThatNamesNothing) {
  open();
  const std::string path = live_path();
  manifest_.reset();
  ASSERT_TRUE(files_.remove(path).has_value());
  EXPECT_EQ(try_open().error().code(), ErrorCode::corruption);
}

TEST_F(ManifestTest, WithoutSpaceNothingChangesAndItGoesOnLater) {
  open();
  append({make_segment(1)});
  FileFaults full;
  full.space_bytes = 20;
  files_.set_faults(full);
  EXPECT_EQ(manifest_->append({make_segment(2)}).error().code(), ErrorCode::storage_full);
  files_.set_faults({});
  EXPECT_EQ(manifest_->state().segments.size(), 1u);
  append({make_segment(3)});
  open();
  EXPECT_TRUE(manifest_->was_read_clean());
  EXPECT_EQ(manifest_->state().segments.size(), 2u);
}

TEST_F(ManifestTest, AFailedSyncEndsWriting) {
  open();
  FileFaults faults;
  faults.fail_sync = 1;
  files_.set_faults(faults);
  EXPECT_EQ(manifest_->append({make_segment(1)}).error().code(), ErrorCode::io_error);
  EXPECT_EQ(manifest_->append({make_segment(2)}).error().code(), ErrorCode::io_error);
  open();  // only this helps
  append({make_segment(3)});
}

TEST(ManifestEdit, OfAnUnknownKindIsOfALaterVersion) {
  std::string bytes;
  bytes.push_back(static_cast<char>(99));
  bytes.push_back(static_cast<char>(0));
  EXPECT_EQ(ManifestEditReader(bytes).next().error().code(), ErrorCode::unimplemented);
}

TEST(ManifestEdit, EveryTruncationIsAnError) {
  TombstoneInfo tombstone;
  tombstone.predicate = "ab";
  const KeyedReply keyed{make_key("k"), {SequenceNumber(1), kTestTime, 1, 0, false}};
  const RetryKeys keys{make_tenant("default"), {keyed, keyed}};
  for (const ManifestEdit& edit : {ManifestEdit(make_segment(3)), ManifestEdit(tombstone), ManifestEdit(keys)}) {
    std::string bytes;
    append_edit(bytes, edit);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(ManifestEditReader(std::string_view(bytes).substr(0, size)).next().has_value());
    }
    EXPECT_TRUE(ManifestEditReader(bytes).next().has_value());
  }
}

/// What a killed process had written, and not synced, is what the next one reads; power may go after that, too.
TEST(ManifestCrash, WhatAReopenedManifestAcknowledgesOutlivesAPowerCut) {
  for (std::uint64_t fault = 1; fault <= 40; ++fault) {
    MemoryFileSystem files(MemoryFileSystem::KeepLog::yes);
    ManualClock clock(kTestTime);
    CountingRandom random;
    const StorePaths paths("/m");
    constexpr std::uint64_t kRewriteSoon = 400;
    ASSERT_TRUE(files.create_directories("/m").has_value());
    {
      auto killed = Manifest::open(paths, files, clock, random, kRewriteSoon);
      ASSERT_TRUE(killed.has_value());
      FileFaults dead;
      dead.fail_call = fault;
      dead.fail_on = true;
      files.set_faults(dead);
      for (std::uint64_t id = 1; id <= 12; ++id) {
        std::vector<ManifestEdit> edits = {make_segment(id)};
        if (id > 2) edits.emplace_back(RemoveSegment{SegmentId(id - 1)});
        if (!(*killed)->append(edits)) break;
      }
    }
    files.set_faults({});
    auto next = Manifest::open(paths, files, clock, random, kRewriteSoon);
    ASSERT_TRUE(next.has_value()) << next.error().message();
    const ManifestState read = (*next)->state();
    const std::size_t opened_at = files.log_size();
    ASSERT_TRUE((*next)->append({make_segment(100)}).has_value());
    const ManifestState acknowledged = (*next)->state();
    const std::size_t acknowledged_at = files.log_size();
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const auto after = files.after_power_cut(acknowledged_at, seed);
      const auto found = Manifest::open(paths, *after, clock, random, kRewriteSoon);
      ASSERT_TRUE(found.has_value()) << found.error().message();
      EXPECT_EQ((*found)->state(), acknowledged) << "fault at call " << fault << ", seed " << seed;
      const auto before = files.after_power_cut(opened_at, seed);
      const auto opened = Manifest::open(paths, *before, clock, random, kRewriteSoon);
      ASSERT_TRUE(opened.has_value()) << opened.error().message();
      EXPECT_EQ((*opened)->state(), read) << "who opened it may have gone by it: fault at call " << fault;
    }
  }
}

}  // namespace
}  // namespace dendro
