#include "storage/segment/segment_recompress.h"

#include "storage/compaction/compaction_plan.h"
#include "storage/compaction/segment_merge.h"
#include "storage/segment/segment_check.h"
#include "tests/storage/segment_fixture.h"

namespace dendro {
namespace {

/// A segment as a flush leaves it, and what becomes of it when it is merged alone.
class LoneMerge : public ::testing::Test {
 protected:
  void write(std::size_t records) {
    RandomRecords source(segment_test_seed());
    fixture_.add(source.batch(2'000, Timestamp(kSegmentTestTime.number() + 5)));
    fixture_.skip_sequences(9);
    std::vector<std::string> bodies;
    for (std::size_t i = 2'500; i < records; ++i) bodies.push_back("plain " + std::to_string(i % 700));
    if (!bodies.empty()) fixture_.add(batch_of_bodies(bodies));
    fixture_.add(source.batch(500));
    fixture_.write();
  }
  MergeRequest request() {
    MergeRequest request;
    request.inputs = {Segment::open(fixture_.files(), fixture_.path(), SegmentFixture::store_id(), fixture_.info())};
    request.place = fixture_.place();
    request.place.id = kMergedId;
    request.place.level = kFinalLevel;
    request.place.zstd_level = kLastZstdLevel;
    request.now = kSegmentTestTime;
    return request;
  }
  Result<MergedSegment> merge(const MergeRequest& request) {
    return merge_segments(fixture_.paths(), fixture_.files(), request, unreadable_);
  }
  std::string merged_path() const {
    return fixture_.paths().segment(TenantId::default_tenant(), day_start(kSegmentTestTime), kMergedId);
  }
  static std::vector<RecordBlock> blocks_of(const Segment& segment) {
    std::vector<RecordBlock> blocks;
    PieceCache cache(std::size_t{64} << 20);
    const std::shared_ptr<const SegmentTables> tables = segment.tables().value();
    for (std::uint32_t group = 0; group < tables->row_groups.size(); ++group) {
      RowGroupReader reader(segment, *tables, group, cache);
      std::vector<std::uint32_t> rows(reader.entry().record_count);
      std::iota(rows.begin(), rows.end(), 0u);
      blocks.push_back(RecordDecoder(reader).decode(rows).value());
    }
    return blocks;
  }
  static void expect_same_records(const Segment& a, const Segment& b) {
    const std::vector<RecordBlock> left = blocks_of(a);
    const std::vector<RecordBlock> right = blocks_of(b);
    ASSERT_EQ(left.size(), right.size());
    RecordComparison comparison;
    for (std::size_t i = 0; i < left.size(); ++i) {
      ASSERT_EQ(left[i].rows.size(), right[i].rows.size());
      for (const std::uint32_t row : left[i].rows) {
        ASSERT_TRUE(comparison.is_same(left[i].record(row), right[i].record(row))) << i << " " << row;
        ASSERT_EQ(left[i].sequence(row), right[i].sequence(row));
        ASSERT_EQ(left[i].receive_time(row), right[i].receive_time(row));
      }
    }
  }

  static constexpr SegmentId kMergedId{78};
  SegmentFixture fixture_;
  std::optional<SegmentId> unreadable_;
};

TEST_F(LoneMerge, KeepsEveryRecordAndStatisticInFewerBytes) {
  write(70'000);
  ASSERT_GT(fixture_.groups().size(), 1u);
  const Result<MergedSegment> merged = merge(request());
  ASSERT_TRUE(merged.has_value()) << merged.error().message();
  ASSERT_TRUE(merged->info.has_value());
  EXPECT_EQ(merged->deleted_records, 0u);
  const SegmentInfo& before = fixture_.info();
  const SegmentInfo& after = *merged->info;
  EXPECT_EQ(after.level, kFinalLevel);
  EXPECT_LT(after.file_bytes, before.file_bytes);
  EXPECT_EQ(after.record_count, before.record_count);
  EXPECT_EQ(after.raw_bytes, before.raw_bytes);
  EXPECT_EQ(after.min_timestamp, before.min_timestamp);
  EXPECT_EQ(after.max_timestamp, before.max_timestamp);
  EXPECT_EQ(after.first_sequence, before.first_sequence);
  EXPECT_EQ(after.last_sequence, before.last_sequence);
  const auto segment = Segment::open(fixture_.files(), merged_path(), SegmentFixture::store_id(), after);
  ASSERT_FALSE(segment->damage()) << segment->damage()->message();
  expect_same_records(*segment, fixture_.segment());
  EXPECT_EQ(check_segment(*segment).size(), 0u);
}

TEST_F(LoneMerge, DropsRetryKeysThatAreOutOfTheirWindow) {
  const auto batch = batch_of_bodies({"a"});
  const auto writer = SegmentWriter::create(fixture_.paths(), fixture_.files(), fixture_.place()).value();
  ASSERT_TRUE(writer->add({batch.get(), 0, SequenceNumber(1), kSegmentTestTime}));
  KeyedReply old_key;
  old_key.reply.first_sequence = SequenceNumber(1);
  old_key.reply.receive_time = Timestamp(kSegmentTestTime.number() - 100);
  KeyedReply young_key = old_key;
  young_key.reply.first_sequence = SequenceNumber(2);
  young_key.reply.receive_time = Timestamp(kSegmentTestTime.number() - 10);
  writer->add_key(old_key);
  writer->add_key(young_key);
  const SegmentInfo info = writer->finish().value();
  MergeRequest wanted;
  wanted.inputs = {Segment::open(fixture_.files(), fixture_.path(), SegmentFixture::store_id(), info)};
  wanted.place = fixture_.place();
  wanted.place.id = kMergedId;
  wanted.now = kSegmentTestTime;
  wanted.batch_key_window = std::chrono::nanoseconds(50);
  const Result<MergedSegment> merged = merge(wanted);
  ASSERT_TRUE(merged.has_value()) << merged.error().message();
  const auto segment = Segment::open(fixture_.files(), merged_path(), SegmentFixture::store_id(), *merged->info);
  ASSERT_EQ(segment->keys().size(), 1u);
  EXPECT_EQ(segment->keys()[0].reply.first_sequence, SequenceNumber(2));
}

TEST_F(LoneMerge, BlamesADamagedInputAndLeavesNothing) {
  write(2'000);
  const BlockPlace block = fixture_.groups()[0].blocks[0];
  auto file = fixture_.files().open_writable(fixture_.path(), OpenMode::open_existing).value();
  const std::string_view damage = "damage";
  ASSERT_TRUE(file->write_at(block.offset, {&damage, 1}));
  const Result<MergedSegment> merged = merge(request());
  ASSERT_FALSE(merged.has_value());
  EXPECT_EQ(merged.error().code(), ErrorCode::corruption);
  EXPECT_EQ(unreadable_, SegmentId(SegmentFixture::kSegmentId));
  EXPECT_FALSE(fixture_.files().exists(merged_path()));
  EXPECT_FALSE(fixture_.files().exists(merged_path() + ".tmp"));
}

TEST_F(LoneMerge, EndsWhereItIsStopped) {
  write(2'000);
  MergeRequest wanted = request();
  int calls = 0;
  wanted.pause = [&calls]() -> Status {
    if (++calls < 3) return {};
    return Error(ErrorCode::cancelled, "enough");
  };
  const Result<MergedSegment> merged = merge(wanted);
  ASSERT_FALSE(merged.has_value());
  EXPECT_EQ(merged.error().code(), ErrorCode::cancelled);
  EXPECT_FALSE(unreadable_.has_value());
  EXPECT_FALSE(fixture_.files().exists(merged_path() + ".tmp"));
}

}  // namespace
}  // namespace dendro
