#include "apps/live_table.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace dendro {
namespace {

/// A stream whose text can be looked at.
class TextStream {
 public:
  TextStream() : file_(open_memstream(&text_, &size_)) {}
  ~TextStream() {
    std::fclose(file_);
    std::free(text_);
  }
  TextStream(const TextStream&) = delete;
  TextStream& operator=(const TextStream&) = delete;
  std::FILE* file() const { return file_; }
  /// Since the last call.
  std::string take() {
    std::fflush(file_);
    std::string found(text_ + taken_, size_ - taken_);
    taken_ = size_;
    return found;
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0, taken_ = 0;
  std::FILE* file_;
};

TEST(LiveTable, GoesUpOverWhatItDrewAndLeavesNothing) {
  TextStream out;
  {
    LiveTable table(out.file());
    table.wipe();
    EXPECT_EQ(out.take(), "");
    table.draw("a\nb\n", "so far");
    EXPECT_EQ(out.take(), "\r\033[Ja\nb\nso far\n");
    table.draw("", "none");
    EXPECT_EQ(out.take(), "\033[A\033[A\033[A\r\033[Jnone\n");
  }
  EXPECT_EQ(out.take(), "\033[A\r\033[J");
}

TEST(LiveTable, KeepsToTheTerminal) {
  TextStream out;  // no terminal: 80 columns, 24 lines
  LiveTable table(out.file());
  std::string text;
  for (int i = 0; i < 50; ++i) text += "line\n";
  table.draw(text, std::string(100, 'x'));
  const std::string drawn = out.take();
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), '\n'), 23);
  EXPECT_NE(drawn.find("line\n" + std::string(80, 'x') + "\n"), std::string::npos);
  table.draw("\xC3\xBC" + std::string(100, 'y'), "f");
  EXPECT_NE(out.take().find("J\xC3\xBC" + std::string(79, 'y') + "\nf\n"), std::string::npos);
}

TEST(ProgressText, SaysWhatIsKnown) {
  EXPECT_EQ(progress_text(600'000'000, 1'200'000'000, 31'000, 2), "50 % of 1.2 GB, 31,000 records, 300 MB/s");
  EXPECT_EQ(progress_text(7'000'000, 0, 12, 1), "7 MB, 12 records, 7 MB/s");
  EXPECT_EQ(progress_text(0, 0, 1, 1), "1 records");
  EXPECT_EQ(progress_text(9, 3, 1, 0), "100 % of 0 MB, 1 records");
}

}  // namespace
}  // namespace dendro
