#include "io/byte_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

std::string read_all(ByteSource& source) {
  std::string text;
  std::string piece(3, '\0');
  while (true) {
    const Result<std::size_t> count = source.read(piece);
    EXPECT_TRUE(count.has_value());
    if (!count || *count == 0) return text;
    text.append(piece, 0, *count);
  }
}

TEST(ByteSource, ReadsFilesAndPipesToTheEnd) {
  TemporaryFolder folder;
  auto file = open_file_source(folder.write("a", "some bytes"));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(read_all(**file), "some bytes");

  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "piped", 5), 5);
  ::close(ends[1]);
  EXPECT_EQ(read_all(*make_fd_source(ends[0], "pipe", CloseFd::close)), "piped");
}

TEST(ByteSource, SaysWhyAFileCannotBeOpened) {
  TemporaryFolder folder;
  EXPECT_EQ(open_file_source(folder.path("missing")).error().code(), ErrorCode::not_found);
  EXPECT_EQ(open_file_source(folder.path()).error().code(), ErrorCode::invalid_argument);
  const auto missing = open_file_source(folder.path("missing"));
  EXPECT_NE(missing.error().message().find(folder.path("missing") + ": No such file"), std::string::npos);
}

TEST(ByteSource, PutsBackWhatWasLookedAt) {
  const auto source = make_prefixed_source("front ", std::make_unique<MemoryByteSource>("rest"));
  EXPECT_EQ(read_all(*source), "front rest");
}

}  // namespace
}  // namespace dendro
