#include "io/file_system.h"

#include "io/memory_file_system.h"
#include "tests/conformance/file_system_suite.h"
#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

class PosixFilesUnderTest final : public FilesUnderTest {
 public:
  FileSystem& files() override { return *files_; }
  std::string folder() const override { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
};

class MemoryFilesUnderTest final : public FilesUnderTest {
 public:
  MemoryFilesUnderTest() { EXPECT_TRUE(files_.create_directories("/test").has_value()); }
  FileSystem& files() override { return files_; }
  std::string folder() const override { return "/test"; }

 private:
  MemoryFileSystem files_;
};

std::unique_ptr<FilesUnderTest> make_posix_files_under_test() {
  return std::make_unique<PosixFilesUnderTest>();
}
std::unique_ptr<FilesUnderTest> make_memory_files_under_test() {
  return std::make_unique<MemoryFilesUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Posix, FileSystemSuite, testing::Values(&make_posix_files_under_test));
INSTANTIATE_TEST_SUITE_P(Memory, FileSystemSuite, testing::Values(&make_memory_files_under_test));

/// A folder "/d" and one file "/d/f" that holds "synced", durable with its name.
class PowerCut : public testing::Test {
 protected:
  PowerCut() {
    EXPECT_TRUE(files_.create_directories("/d").has_value());
    file_ = files_.open_writable("/d/f", OpenMode::create_new).value();
    write(0, "synced");
    EXPECT_TRUE(file_->sync().has_value());
    EXPECT_TRUE(files_.sync_directory("/d").has_value());
  }
  void write(std::uint64_t offset, std::string_view bytes) {
    ASSERT_TRUE(file_->write_at(offset, {&bytes, 1}).has_value());
  }
  /// Contents of a file after cuts with many seeds; "-" where it is not there.
  std::set<std::string> outcomes(const std::string& path, std::size_t changes) const {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const auto after = files_.after_power_cut(changes, seed);
      const auto bytes = read_whole_file(*after, path, 1 << 20);
      seen.insert(bytes ? *bytes : "-");
    }
    return seen;
  }
  std::set<std::string> outcomes(const std::string& path) const { return outcomes(path, files_.log_size()); }

  MemoryFileSystem files_{MemoryFileSystem::KeepLog::yes};
  std::unique_ptr<WritableFile> file_;
};

TEST_F(PowerCut, KeepsWhatWasSynced) {
  EXPECT_EQ(outcomes("/d/f"), (std::set<std::string>{"synced"}));
}

TEST_F(PowerCut, KeepsOrLosesEachWriteThatWasNot) {
  write(0, "A");
  write(1, "B");
  EXPECT_EQ(outcomes("/d/f"), (std::set<std::string>{"synced", "Aynced", "sBnced", "ABnced"}));
}

TEST_F(PowerCut, TearsAWriteAtSectorsOf512Bytes) {
  write(0, std::string(512, 'x') + "tail");
  const std::set<std::string> seen = outcomes("/d/f");
  EXPECT_TRUE(seen.contains(std::string(512, 'x')));
  EXPECT_TRUE(seen.contains("synced" + std::string(506, '\0') + "tail"));
  EXPECT_EQ(seen.size(), 4u);
}

TEST_F(PowerCut, LosesANameThatWasNotSyncedThoughItsDataWas) {
  const auto file = files_.open_writable("/d/new", OpenMode::create_new).value();
  const std::string_view bytes = "data";
  ASSERT_TRUE(file->write_at(0, {&bytes, 1}).has_value());
  ASSERT_TRUE(file->sync().has_value());
  EXPECT_EQ(outcomes("/d/new"), (std::set<std::string>{"-", "data"}));
  ASSERT_TRUE(files_.sync_directory("/d").has_value());
  EXPECT_EQ(outcomes("/d/new"), (std::set<std::string>{"data"}));
}

TEST_F(PowerCut, KeepsOrLosesARenameAndARemoval) {
  ASSERT_TRUE(files_.rename("/d/f", "/d/g").has_value());
  EXPECT_EQ(outcomes("/d/f"), (std::set<std::string>{"-", "synced"}));
  EXPECT_EQ(outcomes("/d/g"), (std::set<std::string>{"-", "synced"}));
  ASSERT_TRUE(files_.sync_directory("/d").has_value());
  EXPECT_EQ(outcomes("/d/g"), (std::set<std::string>{"synced"}));
  ASSERT_TRUE(files_.remove("/d/g").has_value());
  EXPECT_EQ(outcomes("/d/g"), (std::set<std::string>{"-", "synced"}));
}

TEST_F(PowerCut, HappensBetweenAnyTwoChanges) {
  const std::size_t before = files_.log_size();
  write(0, "A");
  ASSERT_TRUE(file_->sync().has_value());
  EXPECT_EQ(outcomes("/d/f", before), (std::set<std::string>{"synced"}));
  EXPECT_EQ(outcomes("/d/f"), (std::set<std::string>{"Aynced"}));
}

TEST_F(PowerCut, OfTheSameSeedGivesTheSameDisk) {
  write(0, std::string(5000, 'x'));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto once = files_.after_power_cut(files_.log_size(), seed);
    const auto again = files_.after_power_cut(files_.log_size(), seed);
    EXPECT_EQ(read_whole_file(*once, "/d/f", 1 << 20).value(), read_whole_file(*again, "/d/f", 1 << 20).value());
  }
}

TEST(MemoryFaults, FailTheOrderedCallOnly) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/d").has_value());
  FileFaults faults;
  faults.fail_call = 2;
  files.set_faults(faults);
  const auto file = files.open_writable("/d/f", OpenMode::create_new);
  ASSERT_TRUE(file.has_value());
  const std::string_view bytes = "x";
  EXPECT_EQ((*file)->write_at(0, {&bytes, 1}).error().code(), ErrorCode::io_error);
  EXPECT_EQ((*file)->size().value(), 0u);
  EXPECT_TRUE((*file)->write_at(0, {&bytes, 1}).has_value());
}

TEST(MemoryFaults, FailTheOrderedSync) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/d").has_value());
  FileFaults faults;
  faults.fail_sync = 2;
  files.set_faults(faults);
  EXPECT_TRUE(files.sync_directory("/d").has_value());
  EXPECT_FALSE(files.sync_directory("/d").has_value());
  EXPECT_TRUE(files.sync_directory("/d").has_value());
}

TEST(MemoryFaults, CountOnlyCallsOnTheNamedPaths) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/d").has_value());
  ASSERT_TRUE(files.create_directories("/e").has_value());
  FileFaults faults;
  faults.fail_sync = 1;
  faults.path_part = "/d";
  files.set_faults(faults);
  EXPECT_TRUE(files.sync_directory("/e").has_value());
  EXPECT_FALSE(files.sync_directory("/d").has_value());
  EXPECT_TRUE(files.sync_directory("/d").has_value());
  EXPECT_EQ(files.sync_calls(), 3u);
  EXPECT_EQ(files.sync_calls("/d"), 2u);
}

TEST(MemoryFaults, RunOutOfSpaceInTheMiddleOfAWrite) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/d").has_value());
  FileFaults faults;
  faults.space_bytes = 5;
  files.set_faults(faults);
  const auto file = files.open_writable("/d/f", OpenMode::create_new);
  ASSERT_TRUE(file.has_value());
  const std::string_view bytes = "0123456789";
  EXPECT_EQ((*file)->write_at(0, {&bytes, 1}).error().code(), ErrorCode::storage_full);
  EXPECT_EQ((*file)->size().value(), 5u);
  const std::string_view inside = "abc";
  EXPECT_TRUE((*file)->write_at(0, {&inside, 1}).has_value());  // needs no new space
}

TEST(PreparedFile, IsReadUpToItsLastByteThatIsNotZero) {
  constexpr std::size_t kStep = std::size_t{1} << 20;
  MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/d").has_value());
  const auto writer = files.open_writable("/d/f", OpenMode::create_new).value();
  for (const std::size_t written : {std::size_t{0}, std::size_t{1}, kStep - 1, kStep, 3 * kStep + 5}) {
    for (const std::size_t zeros : {std::size_t{0}, std::size_t{7}, kStep, 5 * kStep + 3}) {
      const std::string text = std::string(written, 'x') + std::string(zeros, '\0');
      const std::string_view bytes = text;
      ASSERT_TRUE(writer->truncate(0).has_value());
      ASSERT_TRUE(writer->write_at(0, {&bytes, 1}).has_value());
      const PreparedFile file = read_prepared_file(files, "/d/f", text.size()).value();
      EXPECT_EQ(file.file_bytes, text.size());
      EXPECT_EQ(file.bytes, text.substr(0, file.bytes.size())) << written << " and " << zeros;
      EXPECT_GE(file.bytes.size(), std::min(text.size(), written + kStep)) << written << " and " << zeros;
      EXPECT_LE(file.bytes.size(), written + 2 * kStep) << written << " and " << zeros;
    }
  }
  EXPECT_EQ(read_prepared_file(files, "/d/f", 3).error().code(), ErrorCode::too_large);
}

}  // namespace
}  // namespace dendro
