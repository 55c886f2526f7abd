#include "storage/scan/directory_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "record/limits.h"

namespace dendro {
namespace {

constexpr std::int64_t kMinute = 60 * kNanosPerSecond;

class DirectoryCountsTest : public testing::Test {
 protected:
  /// Streams `{pod="0"}`, `{pod="1"}`, ...
  void make_streams(std::size_t count) {
    SegmentDictionaryBuilder builder;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = std::to_string(i);
      builder.add_stream(Stream{{{"pod", Value::of_text(text)}}});
    }
    dictionary_ = SegmentDictionary::parse(builder.encode()).value();
  }
  /// Weights by minute, severity and stream.
  std::map<std::string, std::uint64_t> totals(DirectoryCounts& counts) {
    std::map<std::string, std::uint64_t> found;
    block_count_ = 0;
    for (const RecordBlock& block : counts.finish()) {
      ++block_count_;
      for (const std::uint32_t row : block.rows) {
        const RecordView record = block.batch->record(row);
        found[std::to_string(record.timestamp().number() / kMinute) + "/" + std::to_string(record.severity()) + "/" +
              to_stream_text(record.stream())] += block.weights[row];
      }
    }
    return found;
  }

  std::unique_ptr<const SegmentDictionary> dictionary_;
  std::size_t block_count_ = 0;
};

using Totals = std::map<std::string, std::uint64_t>;

TEST_F(DirectoryCountsTest, AddUpOverRowGroupsThatShareAStep) {
  make_streams(2);
  DirectoryCounts counts(kMinute, *dictionary_);
  counts.add_stream(Timestamp(5 * kMinute), 0, 10);
  counts.add_stream(Timestamp(5 * kMinute + 1), 1, 3);
  counts.add_stream(Timestamp(5 * kMinute + 2), 0, 5);
  counts.add_stream(Timestamp(6 * kMinute), 0, 1);
  EXPECT_EQ(totals(counts), (Totals{{"5/0/{pod=\"0\"}", 15}, {"5/0/{pod=\"1\"}", 3}, {"6/0/{pod=\"0\"}", 1}}));
}

TEST_F(DirectoryCountsTest, KeepEveryCountWhereStepsComeBack) {
  make_streams(1);
  DirectoryCounts counts(kMinute, *dictionary_);
  counts.add_severity(Timestamp(kMinute), kSeverityError, 4);
  counts.add_severity(Timestamp(-kMinute), kSeverityError, 2);
  counts.add_severity(Timestamp(kMinute), kSeverityError, 1);
  EXPECT_EQ(totals(counts), (Totals{{"1/17/{}", 5}, {"-1/17/{}", 2}}));
}

TEST_F(DirectoryCountsTest, AreOneNumberWhereNothingMatters) {
  make_streams(3);
  DirectoryCounts counts(0, *dictionary_);
  counts.add_stream(Timestamp(kMinute), std::nullopt, 4);
  counts.add_stream(Timestamp(9 * kMinute), std::nullopt, 5);
  EXPECT_EQ(totals(counts), (Totals{{"1/0/{}", 9}}));
  EXPECT_TRUE(counts.finish().empty());
}

TEST_F(DirectoryCountsTest, ComeInAsManyBatchesAsTheyFill) {
  make_streams(kMaxBatchRecords / 2 + 10);
  DirectoryCounts counts(kMinute, *dictionary_);
  for (std::int64_t minute = 0; minute < 2; ++minute) {
    for (std::uint32_t stream = 0; stream < dictionary_->streams().size(); ++stream) {
      counts.add_stream(Timestamp(minute * kMinute), stream, 1);
    }
  }
  EXPECT_EQ(totals(counts).size(), 2 * dictionary_->streams().size());
  EXPECT_EQ(block_count_, 2u);
}

}  // namespace
}  // namespace dendro
