#include "parse/file_record_source.h"

#include <gtest/gtest.h>

#include "tests/parse/decoding.h"

namespace dendro {
namespace {

/// Gives its text in pieces of one size, then an error if it has one.
class PieceSource final : public ByteSource {
 public:
  PieceSource(std::string text, std::size_t piece_bytes, bool fails)
      : text_(std::move(text)), piece_bytes_(piece_bytes), fails_(fails) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (offset_ == text_.size() && fails_) return Error(ErrorCode::io_error, "read x: gone");
    const std::size_t count = text_.copy(out.data(), std::min(out.size(), piece_bytes_), offset_);
    offset_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t piece_bytes_;
  bool fails_;
  std::size_t offset_ = 0;
};

std::uint64_t count_records(RecordSource& source) {
  std::uint64_t count = 0;
  for (auto batch = source.next(); batch && *batch != nullptr; batch = source.next()) count += (*batch)->size();
  return count;
}

TEST(FileRecordSource, ReadsRecordsInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 70'000; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  for (const std::size_t piece : {std::size_t{13}, std::size_t{4096}, std::size_t{1} << 20}) {
    const auto source = make_record_source(std::make_unique<PieceSource>(text, piece, false), {});
    EXPECT_EQ(count_records(*source), 70'000u) << piece;
  }
}

TEST(FileRecordSource, APipeHandsOnWhatHasCome) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  for (const bool is_pipe : {true, false}) {
    FileSourceOptions options;
    options.format = ParseFormat::json;
    options.is_pipe = is_pipe;
    const auto slow = make_record_source(std::make_unique<PieceSource>(text, 1'000, false), options);
    EXPECT_EQ((*slow->next())->size() < 1'000, is_pipe);
    const auto busy = make_record_source(std::make_unique<PieceSource>(text, 20'000, false), options);
    const std::size_t first = (*busy->next())->size();
    EXPECT_EQ(first, is_pipe ? first : 10'000);
    EXPECT_GE(first, 4'096u);
    EXPECT_EQ(first + count_records(*busy), 10'000u);
  }
}

TEST(FileRecordSource, TellsFormatsByTheFirstByte) {
  FileSourceOptions options;
  options.receive_time = kTestNow;
  const auto source = make_record_source(std::make_unique<PieceSource>("\n\nplain\ntext", 1, false), options);
  const auto batch = source->next();
  ASSERT_TRUE(batch && *batch != nullptr);
  EXPECT_EQ(leaf_text((*batch)->record(1), "body"), "text");
  EXPECT_EQ((*batch)->timestamp(0), kTestNow);
  EXPECT_EQ(*source->next(), nullptr);
  EXPECT_EQ(*make_record_source(std::make_unique<PieceSource>("", 1, false), {})->next(), nullptr);
}

TEST(FileRecordSource, HandsRejectsAndErrorsOn) {
  FileSourceOptions options;
  std::vector<std::string> raws;
  options.on_reject = [&](const RejectedRecord& record) { raws.emplace_back(record.raw); };
  const auto source = make_ndjson_source(std::make_unique<PieceSource>("{\"a\":1}\nbad\n", 3, false), options);
  EXPECT_EQ(count_records(*source), 1u);
  EXPECT_EQ(raws, std::vector<std::string>{"bad"});
  const auto failing = make_ndjson_source(std::make_unique<PieceSource>("{\"a\":1}\n", 3, true), {});
  EXPECT_EQ(failing->next().error().code(), ErrorCode::io_error);
  options.format = ParseFormat::csv;
  EXPECT_EQ(make_record_source(std::make_unique<PieceSource>("a,b", 3, false), options)->next().error().code(),
            ErrorCode::unimplemented);
}

}  // namespace
}  // namespace dendro
