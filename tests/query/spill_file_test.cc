#include "query/spill/spill_file.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "query/spill/cell_bytes.h"
#include "tests/query/spill_folder.h"

namespace dendro {
namespace {

struct SpillFileFixture : testing::Test {
  SpillFolder folder;
  QueryRunOptions options;
  std::unique_ptr<SpillSpace> space;

  void open(std::uint64_t bytes_max = 1 << 20) {
    folder.use_for(options, 1);
    space = std::make_unique<SpillSpace>(options.limits.spill, bytes_max);
  }
};

TEST_F(SpillFileFixture, BlocksComeBackAndTheNameIsGoneAtOnce) {
  open();
  auto file = space->open_file();
  ASSERT_TRUE(file.has_value()) << file.error().message();
  EXPECT_TRUE(folder.names().empty());
  const std::string texts[] = {"", "short", std::string(100'000, 'x')};
  std::vector<SpillBlock> blocks;
  for (const std::string& text : texts) blocks.push_back(*(*file)->append(text));
  EXPECT_LT(blocks[2].stored_bytes, 2'000u) << "compressed";
  for (const std::size_t i : {2u, 0u, 1u}) {
    std::string plain;
    ASSERT_TRUE((*file)->read(blocks[i], plain).has_value());
    EXPECT_EQ(plain, texts[i]);
  }
  EXPECT_EQ(space->written_bytes(), blocks[2].offset + blocks[2].stored_bytes);
}

TEST_F(SpillFileFixture, ABlockAtAnotherPlaceIsRefused) {
  open();
  auto file = space->open_file();
  const SpillBlock first = *(*file)->append("same");
  const SpillBlock second = *(*file)->append("same");
  std::string plain;
  EXPECT_EQ((*file)->read({first.offset, second.stored_bytes - 1}, plain).error().code(), ErrorCode::corruption);
  EXPECT_EQ((*file)->read({first.offset + 1, first.stored_bytes}, plain).error().code(), ErrorCode::corruption);
  EXPECT_EQ((*file)->read({second.offset + 1, second.stored_bytes}, plain).error().code(), ErrorCode::corruption);
}

TEST_F(SpillFileFixture, BytesAreBoundedAndComeBackWithTheFile) {
  open(100);
  auto file = space->open_file();
  ASSERT_TRUE((*file)->append(std::string(60, 'a').replace(3, 20, "qwertyuiopasdfghjklz")).has_value());
  EXPECT_EQ((*file)->append("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").error().code(),
            ErrorCode::resource_exhausted);
  file->reset();
  file = space->open_file();
  EXPECT_TRUE((*file)->append("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").has_value());
}

TEST_F(SpillFileFixture, TheReserveOfTheDiskStaysFree) {
  open();
  folder.files->set_disk_space({(std::uint64_t{1} << 30) + 10, std::uint64_t{1} << 32});
  auto file = space->open_file();
  EXPECT_EQ((*file)->append("more than ten bytes").error().code(), ErrorCode::resource_exhausted);
  folder.files->set_disk_space({(std::uint64_t{1} << 30) + 100, std::uint64_t{1} << 32});
  EXPECT_TRUE((*file)->append("more than ten bytes").has_value());
}

TEST_F(SpillFileFixture, WhatAKilledProcessLeftIsRemoved) {
  ASSERT_TRUE(folder.files->create_directories("spill").has_value());
  for (const char* name : {"spill/dendro-spill-0", "spill/dendro-spill-7", "spill/notes"})
    ASSERT_TRUE(folder.files->open_writable(name, OpenMode::create_new).has_value());
  ASSERT_TRUE(clear_spill_directory(*folder.files, "spill").has_value());
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"notes"}));
  EXPECT_TRUE(clear_spill_directory(*folder.files, "nowhere").has_value());
}

TEST_F(SpillFileFixture, NamesThatAreTakenArePassedOver) {
  ASSERT_TRUE(folder.files->create_directories("spill").has_value());
  ASSERT_TRUE(folder.files->open_writable("spill/dendro-spill-0", OpenMode::create_new).has_value());
  open();
  EXPECT_TRUE(space->open_file().has_value());
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"dendro-spill-0"}));
}

TEST(CellBytes, EveryKindOfValueComesBack) {
  const Value values[] = {Value::of_null(),
                          Value::of_text("t"),
                          Value::of_bytes("\xff\x00b"),
                          Value::of_int64(INT64_MIN),
                          Value::of_uint64(UINT64_MAX),
                          Value::of_float64(-0.1),
                          Value::of_number_text("1.0"),
                          Value::of_bool(true),
                          Value::of_list("[1,2]"),
                          Value::of_empty_object(),
                          Value::of_time(Timestamp(-5), 3)};
  std::string bytes;
  for (const Value& value : values) append_value_bytes(bytes, value);
  ByteReader reader(bytes);
  for (const Value& value : values) {
    const Value read = read_value_bytes(reader);
    EXPECT_EQ(read.type, value.type);
    EXPECT_EQ(read.text, value.text);
    EXPECT_EQ(read.fraction_digits, value.fraction_digits);
    EXPECT_EQ(read.boolean, value.boolean);
    EXPECT_EQ(read.integer, value.integer);
  }
  EXPECT_TRUE(reader.ok() && reader.at_end());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader cut(std::string_view(bytes).substr(0, size));
    while (cut.ok() && !cut.at_end()) (void)read_value_bytes(cut);
  }
  ByteReader unknown("\x63");
  (void)read_value_bytes(unknown);
  EXPECT_FALSE(unknown.ok());
}

}  // namespace
}  // namespace dendro
