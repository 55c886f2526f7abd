#pragma once

// What every FileSystem promises, run on each implementation:
//   INSTANTIATE_TEST_SUITE_P(Posix, FileSystemSuite, testing::Values(&make_posix_files_under_test));

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace dendro {

/// A file system and an empty folder in it.
class FilesUnderTest {
 public:
  virtual ~FilesUnderTest() = default;
  virtual FileSystem& files() = 0;
  virtual std::string folder() const = 0;
};

using MakeFilesUnderTest = std::unique_ptr<FilesUnderTest> (*)();

class FileSystemSuite : public testing::TestWithParam<MakeFilesUnderTest> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }

  FileSystem& files() { return subject_->files(); }
  std::string path(const std::string& name) const { return subject_->folder() + "/" + name; }

  static Status write(WritableFile& file, std::uint64_t offset, std::vector<std::string_view> parts) {
    return file.write_at(offset, parts);
  }
  void make(const std::string& name, std::string_view bytes) {
    const auto file = files().open_writable(path(name), OpenMode::create_new);
    ASSERT_TRUE(file.has_value()) << file.error().message();
    ASSERT_TRUE((*file)->write_at(0, {&bytes, 1}).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
  }
  std::string contents(const std::string& name) {
    const auto bytes = read_whole_file(files(), path(name), 1 << 20);
    return bytes ? *bytes : "error: " + bytes.error().message();
  }

 private:
  std::unique_ptr<FilesUnderTest> subject_;
};

TEST_P(FileSystemSuite, WritesPartsOneAfterTheOtherAtAnyOffset) {
  const auto file = files().open_writable(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(write(**file, 0, {"hello", "", " ", "world"}).has_value());
  ASSERT_TRUE(write(**file, 6, {"W"}).has_value());
  EXPECT_EQ(contents("a"), "hello World");
  EXPECT_EQ((*file)->size().value(), 11u);
}

TEST_P(FileSystemSuite, FillsAHoleWithZeros) {
  const auto file = files().open_writable(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE(write(**file, 3, {"x"}).has_value());
  EXPECT_EQ(contents("a"), std::string("\0\0\0x", 4));
}

TEST_P(FileSystemSuite, WritesMoreThanAThousandParts) {
  const auto file = files().open_writable(path("a"), OpenMode::create_new);
  ASSERT_TRUE(file.has_value());
  const std::vector<std::string_view> parts(3000, "abc");
  ASSERT_TRUE((*file)->write_at(0, parts).has_value());
  EXPECT_EQ((*file)->size().value(), 9000u);
  EXPECT_EQ(contents("a").substr(8997), "abc");
}

TEST_P(FileSystemSuite, CutsAndGrows) {
  make("a", "0123456789");
  const auto file = files().open_writable(path("a"), OpenMode::open_existing);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->truncate(3).has_value());
  EXPECT_EQ(contents("a"), "012");
  ASSERT_TRUE((*file)->truncate(5).has_value());
  EXPECT_EQ(contents("a"), std::string("012\0\0", 5));
}

TEST_P(FileSystemSuite, ReadsPartsAndFewerBytesAtTheEnd) {
  make("a", "0123456789");
  const auto reader = files().open_reader(path("a"));
  ASSERT_TRUE(reader.has_value());
  std::string out(4, '?');
  EXPECT_EQ((*reader)->read_at(2, out).value(), 4u);
  EXPECT_EQ(out, "2345");
  EXPECT_EQ((*reader)->read_at(8, out).value(), 2u);
  EXPECT_EQ((*reader)->read_at(10, out).value(), 0u);
  EXPECT_EQ((*reader)->read_at(99, out).value(), 0u);
}

TEST_P(FileSystemSuite, TellsMissingFromPresent) {
  make("a", "x");
  EXPECT_EQ(files().open_writable(path("a"), OpenMode::create_new).error().code(), ErrorCode::already_exists);
  EXPECT_EQ(files().open_writable(path("b"), OpenMode::open_existing).error().code(), ErrorCode::not_found);
  EXPECT_EQ(files().open_writable(path("no/b"), OpenMode::create_new).error().code(), ErrorCode::not_found);
  EXPECT_EQ(files().open_reader(path("b")).error().code(), ErrorCode::not_found);
  EXPECT_EQ(files().remove(path("b")).error().code(), ErrorCode::not_found);
  EXPECT_EQ(files().rename(path("b"), path("c")).error().code(), ErrorCode::not_found);
  EXPECT_EQ(files().list(path("no")).error().code(), ErrorCode::not_found);
  EXPECT_EQ(files().sync_directory(path("no")).error().code(), ErrorCode::not_found);
  EXPECT_TRUE(files().exists(path("a")));
  EXPECT_FALSE(files().exists(path("b")));
}

TEST_P(FileSystemSuite, NamesThePathInErrors) {
  EXPECT_NE(files().open_reader(path("gone")).error().message().find(path("gone")), std::string::npos);
}

TEST_P(FileSystemSuite, RenameReplacesAndOpenFilesStay) {
  make("old", "old");
  make("new", "new");
  const auto reader = files().open_reader(path("old"));
  ASSERT_TRUE(reader.has_value());
  ASSERT_TRUE(files().rename(path("new"), path("old")).has_value());
  EXPECT_EQ(contents("old"), "new");
  EXPECT_FALSE(files().exists(path("new")));
  std::string out(3, '?');
  EXPECT_EQ((*reader)->read_at(0, out).value(), 3u);
  EXPECT_EQ(out, "old");
}

TEST_P(FileSystemSuite, ARemovedFileCanStillBeReadByWhoHasItOpen) {
  make("a", "abc");
  const auto reader = files().open_reader(path("a"));
  ASSERT_TRUE(reader.has_value());
  ASSERT_TRUE(files().remove(path("a")).has_value());
  EXPECT_FALSE(files().exists(path("a")));
  std::string out(3, '?');
  EXPECT_EQ((*reader)->read_at(0, out).value(), 3u);
}

TEST_P(FileSystemSuite, ListsNamesSorted) {
  ASSERT_TRUE(files().create_directories(path("d/e/f")).has_value());
  ASSERT_TRUE(files().create_directories(path("d/e/f")).has_value());
  make("d/z", "");
  make("d/a", "");
  EXPECT_EQ(files().list(path("d")).value(), (std::vector<std::string>{"a", "e", "z"}));
  EXPECT_TRUE(files().sync_directory(path("d/e")).has_value());
}

TEST_P(FileSystemSuite, RefusesAFolderWhereAFileIs) {
  make("a", "x");
  EXPECT_FALSE(files().create_directories(path("a")).has_value());
}

TEST_P(FileSystemSuite, KeepsAFolderThatIsNotEmpty) {
  ASSERT_TRUE(files().create_directories(path("d")).has_value());
  make("d/a", "x");
  EXPECT_FALSE(files().remove(path("d")).has_value());
  ASSERT_TRUE(files().remove(path("d/a")).has_value());
  EXPECT_TRUE(files().remove(path("d")).has_value());
}

TEST_P(FileSystemSuite, LocksUntilLetGo) {
  auto lock = files().lock(path("LOCK"));
  ASSERT_TRUE(lock.has_value()) << lock.error().message();
  const auto second = files().lock(path("LOCK"));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
  lock->reset();
  EXPECT_TRUE(files().lock(path("LOCK")).has_value());
}

TEST_P(FileSystemSuite, TellsTheSpaceOfTheDisk) {
  ASSERT_TRUE(files().create_directories(path("d")).has_value());
  const auto space = files().disk_space(path("d"));
  ASSERT_TRUE(space.has_value());
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_P(FileSystemSuite, ReadsAWholeFileUpToALimit) {
  make("a", "12345");
  EXPECT_EQ(read_whole_file(files(), path("a"), 5).value(), "12345");
  EXPECT_EQ(read_whole_file(files(), path("a"), 4).error().code(), ErrorCode::too_large);
}

}  // namespace dendro
