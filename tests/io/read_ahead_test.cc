#include "io/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace dendro {
namespace {

std::string read_all(ByteSource& source, std::size_t at_once) {
  std::string out;
  std::vector<char> buffer(at_once);
  for (auto count = source.read(buffer); count && *count > 0; count = source.read(buffer))
    out.append(buffer.data(), *count);
  return out;
}

/// Gives so many full pieces, then an error if it has one; tells how many it was asked for.
class CountingSource final : public ByteSource {
 public:
  CountingSource(std::size_t pieces, std::optional<Error> failure, std::atomic<std::size_t>& asked)
      : pieces_(pieces), failure_(std::move(failure)), asked_(asked) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (asked_++ < pieces_) {
      std::fill(out.begin(), out.end(), 'x');
      return out.size();
    }
    if (failure_) return *failure_;
    return std::size_t{0};
  }

 private:
  const std::size_t pieces_;
  const std::optional<Error> failure_;
  std::atomic<std::size_t>& asked_;
};

TEST(ReadAhead, GivesTheBytesOfItsSource) {
  std::string text(3 * kReadAheadPieceBytes + 17, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  for (const std::size_t at_once : {std::size_t{1'000}, std::size_t{1} << 20})
    EXPECT_EQ(read_all(*make_read_ahead_source(std::make_unique<MemoryByteSource>(text)), at_once), text);
  EXPECT_EQ(read_all(*make_read_ahead_source(std::make_unique<MemoryByteSource>("")), 10), "");
}

TEST(ReadAhead, GivesAnErrorBehindTheBytesBeforeItAndAgain) {
  std::atomic<std::size_t> asked{0};
  const auto source =
      make_read_ahead_source(std::make_unique<CountingSource>(2, Error(ErrorCode::corruption, "cut"), asked));
  EXPECT_EQ(read_all(*source, 999).size(), 2 * kReadAheadPieceBytes);
  std::vector<char> buffer(10);
  for (int i = 0; i < 2; ++i) {
    const auto again = source->read(buffer);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code(), ErrorCode::corruption);
  }
}

TEST(ReadAhead, IsAheadByAFewPiecesAndMayBeLeftAtAnyTime) {
  std::atomic<std::size_t> asked{0};
  {
    const auto source = make_read_ahead_source(std::make_unique<CountingSource>(SIZE_MAX, std::nullopt, asked));
    std::vector<char> buffer(10);
    ASSERT_TRUE(source->read(buffer).has_value());
    while (asked < kReadAheadPiecesMax) std::this_thread::yield();
  }
  // One with the reader, the queue, and one that waits for room.
  EXPECT_LE(asked.load(), kReadAheadPiecesMax + 2);
}

}  // namespace
}  // namespace dendro
