#include "base/checksum.h"
#include "storage/segment/segment_format.h"
#include "tests/storage/segment_fixture.h"

namespace dendro {
namespace {

/// What reading a whole segment gives: every record in order, or the first error.
struct Reading {
  std::vector<std::string> records;
  std::optional<Error> error;
};

/// Every record; each `step`-th of them is described.
Reading read_groups(const Segment& segment, const SegmentTables& tables, std::uint32_t step = 1) {
  Reading reading;
  PieceCache cache(std::size_t{16} << 20);
  for (std::uint32_t group = 0; group < tables.row_groups.size(); ++group) {
    RowGroupReader reader(segment, tables, group, cache);
    RecordDecoder decoder(reader);
    std::vector<std::uint32_t> all(tables.row_groups[group].record_count);
    std::iota(all.begin(), all.end(), 0u);
    const Result<RecordBlock> block = decoder.decode(all);
    if (!block) {
      reading.error = block.error();
      return reading;
    }
    for (std::uint32_t i = 0; i < all.size(); i += step) {
      reading.records.push_back(describe(block->record(i), block->sequence(i), block->receive_time(i)));
    }
    if (reader.entry().filter.is_empty()) continue;
    if (const auto filter = reader.filter(); !filter) {
      reading.error = filter.error();
      return reading;
    }
  }
  return reading;
}

Reading read_segment(SegmentFixture& fixture) {
  fixture.reopen();
  if (fixture.is_readable()) return read_groups(fixture.segment(), fixture.tables());
  return {{}, fixture.segment().tables().error()};
}

/// Some records of many kinds, few enough to be read thousands of times.
void add_small_mixture(SegmentFixture& fixture) {
  RandomRecords source(segment_test_seed());
  fixture.add(source.batch(60));
  std::vector<std::string> bodies;
  for (int i = 0; i < 40; ++i)
    bodies.push_back("client 10.0.0." + std::to_string(i) + " asked for page " + source.number(99));
  fixture.add(batch_of_bodies(bodies));
}

bool names_a_place(const Error& error, const std::string& path) {
  const std::string& text = error.message();
  if (text.find(path) == std::string::npos) return false;
  for (const char* place : {"header", "footer", "tail", "META", "DICT", "DIRECTORY", "block at offset"}) {
    if (text.find(place) != std::string::npos) return true;
  }
  return false;
}

TEST(SegmentDamage, FlippedBytesAreNoticedAndNamed) {
  SegmentFixture fixture;
  add_small_mixture(fixture);
  fixture.write();
  const Reading undamaged = read_segment(fixture);
  ASSERT_FALSE(undamaged.error) << undamaged.error->message();
  std::mt19937_64 random(segment_test_seed());
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(segment_test_seed()));
  const std::uint64_t size = fixture.info().file_bytes;
  const std::uint64_t sections_first = fixture.segment().sections().front().offset;
  const std::uint64_t footer_first = size - kSegmentTailBytes - 4 - 3 * 32;
  for (std::uint64_t offset = 0; offset < size;) {
    const auto flip = static_cast<std::uint8_t>(1u << random() % 8);
    fixture.files().damage(fixture.path(), offset, flip);
    const Reading damaged = read_segment(fixture);
    EXPECT_TRUE(damaged.error) << "offset " << offset << " of " << size;
    if (damaged.error) EXPECT_TRUE(names_a_place(*damaged.error, fixture.path())) << damaged.error->message();
    fixture.files().damage(fixture.path(), offset, flip);
    const bool is_dense = offset < kSegmentHeaderBytes || offset >= footer_first;
    offset += is_dense ? 1 : 1 + random() % (offset < sections_first ? 29 : 9);
  }
  const Reading again = read_segment(fixture);
  EXPECT_EQ(again.records, undamaged.records);
}

TEST(SegmentDamage, EveryCutIsNoticed) {
  SegmentFixture fixture;
  add_small_mixture(fixture);
  fixture.write();
  const auto reader = fixture.files().open_reader(fixture.path());
  std::string bytes(fixture.info().file_bytes, '\0');
  ASSERT_EQ((*reader)->read_at(0, bytes).value(), bytes.size());
  for (std::size_t size = 0; size < bytes.size(); size += size < 80 || size + 200 > bytes.size() ? 1 : 61) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories(fixture.paths().segment_folder(fixture.place().tenant, fixture.place().day)));
    auto file = files.open_writable(fixture.path(), OpenMode::create_new);
    ASSERT_TRUE(file.has_value());
    const std::string_view cut = std::string_view(bytes).substr(0, size);
    ASSERT_TRUE((*file)->write_at(0, {&cut, 1}));
    const auto segment = Segment::open(files, fixture.path(), SegmentFixture::store_id(), fixture.info());
    ASSERT_TRUE(segment->damage()) << size;
    EXPECT_NE(segment->damage()->message().find(fixture.path()), std::string::npos);
    EXPECT_EQ(segment->tables().error().code(), ErrorCode::corruption);
  }
}

TEST(SegmentDamage, AMissingFileIsDamageThatNamesIt) {
  SegmentFixture fixture;
  add_small_mixture(fixture);
  fixture.write();
  ASSERT_TRUE(fixture.files().remove(fixture.path()));
  fixture.reopen();
  ASSERT_TRUE(fixture.segment().damage());
  EXPECT_EQ(fixture.segment().damage()->code(), ErrorCode::corruption);
  EXPECT_NE(fixture.segment().damage()->message().find(fixture.path()), std::string::npos);
}

TEST(SegmentDamage, AFileOfAnotherStoreOrPlaceIsRefused) {
  SegmentFixture fixture;
  add_small_mixture(fixture);
  fixture.write();
  Bytes16 other = SegmentFixture::store_id();
  other[0] ^= 1;
  const auto foreign = Segment::open(fixture.files(), fixture.path(), other, fixture.info());
  ASSERT_TRUE(foreign->damage());
  EXPECT_NE(foreign->damage()->message().find("another store"), std::string::npos) << foreign->damage()->message();
  SegmentInfo moved = fixture.info();
  moved.id = SegmentId(78);
  EXPECT_TRUE(Segment::open(fixture.files(), fixture.path(), SegmentFixture::store_id(), moved)->damage());
  SegmentInfo rewritten = fixture.info();
  ++rewritten.footer_hash;
  EXPECT_TRUE(Segment::open(fixture.files(), fixture.path(), SegmentFixture::store_id(), rewritten)->damage());
}

TEST(SegmentDamage, OtherVersionsAreRefusedByName) {
  const SegmentId id(77);
  const std::string header = encode_segment_header(SegmentFixture::store_id(), id, kSegmentTestTime);
  EXPECT_TRUE(check_segment_header(header, SegmentFixture::store_id(), id).has_value());
  const auto refusal = [&](std::string changed) {
    const Status checked = check_segment_header(changed, SegmentFixture::store_id(), id);
    EXPECT_FALSE(checked.has_value());
    return checked ? Error(ErrorCode::internal, "") : checked.error();
  };
  std::string before = header;
  before[7] = '0';
  EXPECT_EQ(refusal(before).code(), ErrorCode::unimplemented);
  EXPECT_NE(refusal(before).message().find("version 0"), std::string::npos);
  std::string behind = header;
  behind[7] = '2';
  EXPECT_EQ(refusal(behind).code(), ErrorCode::unimplemented);
  EXPECT_NE(refusal(behind).message().find("version 2"), std::string::npos);
  std::string major = header;
  major[8] = 2;
  store_le(major.data() + 56, xxh3(std::string_view(major).substr(0, 56), HashSeed(id.number())));
  EXPECT_EQ(refusal(major).code(), ErrorCode::unimplemented);
  EXPECT_NE(refusal(major).message().find("version 2"), std::string::npos);
  std::string other = header;
  other[0] = 'X';
  EXPECT_EQ(refusal(other).code(), ErrorCode::corruption);
}

/// Blocks that stand in memory, none of them compressed.
class PlainBlocks final : public RandomReader {
 public:
  explicit PlainBlocks(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    return offset > bytes_.size() ? 0 : bytes_.copy(out.data(), out.size(), offset);
  }
  Result<std::uint64_t> size() override { return bytes_.size(); }

 private:
  std::string bytes_;
};

/// A writer with a fault, or somebody with a hex editor who mends the hashes: whatever a block holds, reading it ends.
TEST(SegmentDamage, BlocksWithRightHashesAndWrongContentsNeverCrash) {
  SegmentFixture fixture;
  add_small_mixture(fixture);
  std::vector<std::string> bodies;
  for (int i = 0; i < 1'200; ++i)  // enough for slots with a chunk of their own
    bodies.push_back("session " + std::to_string(i % 7) + " of client " + std::to_string(i * 31) + " goes on");
  fixture.add(batch_of_bodies(bodies));
  fixture.write();
  RowGroupEntry group = fixture.groups()[0];
  std::string plain;
  for (BlockPlace& block : group.blocks) {
    const Result<std::string> bytes = fixture.segment().read_block(block);
    ASSERT_TRUE(bytes.has_value());
    block.offset = plain.size();
    block.stored_bytes = block.plain_bytes;
    block.codec = BlockCodec::none;
    plain += *bytes;
  }
  std::string dictionary_bytes;
  {
    const auto& sections = fixture.segment().sections();
    const SectionEntry& section = sections[0];
    std::string stored(section.stored_bytes, '\0');
    ASSERT_TRUE((*fixture.files().open_reader(fixture.path()))->read_at(section.offset, stored).has_value());
    ASSERT_TRUE(unpack_block(section.codec, stored, section.plain_bytes, dictionary_bytes));
  }
  std::mt19937_64 random(segment_test_seed());
  SCOPED_TRACE("DENDRO_SEED=" + std::to_string(segment_test_seed()));
  std::size_t readable = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bytes = plain;
    for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
      // A chunk of its own as often as a large one.
      const auto& block = group.blocks[random() % group.blocks.size()];
      const std::size_t at =
          block.offset + random() % std::min<std::uint64_t>(block.plain_bytes, round % 2 == 0 ? 1'000'000 : 300);
      bytes[at] =
          static_cast<char>(round % 3 == 0 ? random() : static_cast<std::uint8_t>(bytes[at]) ^ (1u << random() % 8));
    }
    SegmentTables tables;
    tables.row_groups.push_back(group);
    for (BlockPlace& block : tables.row_groups[0].blocks) {
      block.hash =
          xxh3(std::string_view(bytes).substr(block.offset, block.stored_bytes), HashSeed(SegmentFixture::kSegmentId));
    }
    auto dictionary = SegmentDictionary::parse(dictionary_bytes);
    ASSERT_TRUE(dictionary.has_value());
    tables.dictionary = std::move(*dictionary);
    const auto segment =
        Segment::of_blocks(fixture.files(), fixture.path(), fixture.info(), std::make_unique<PlainBlocks>(bytes));
    const Reading reading = read_groups(*segment, tables, 16);
    if (reading.error) EXPECT_EQ(reading.error->code(), ErrorCode::corruption) << reading.error->message();
    readable += reading.error ? 0 : 1;
  }
  EXPECT_GT(readable, 0u);
  EXPECT_LT(readable, 400u);
}

}  // namespace
}  // namespace dendro
