// The worked examples of docs/formats/: if one of these fails, the page is wrong or the format has changed.

#include "base/hex.h"
#include "base/random.h"
#include "codec/integer_column.h"
#include "codec/string_column.h"
#include "storage/batch_frame.h"
#include "storage/manifest.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_file.h"
#include "storage/segment/segment_format.h"
#include "storage/segment/segment_writer.h"
#include "storage/spool/spool_format.h"
#include "storage/wal_format.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

std::string hex(std::string_view bytes) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

TEST(FormatPages, Batch) {
  RecordBatchBuilder builder{Timestamp(2)};
  builder.begin_record();
  builder.set_timestamp(Timestamp(1));
  builder.add_leaf(LeafRole::body, "body", "m", Value::of_text("a"));
  builder.end_record();
  EXPECT_EQ(hex(builder.finish()->encoded()),
            "01000000"
            "01000000"
            "0200000000000000"
            "02000000"
            "05000000"
            "01000000"
            "05000000"
            "01000000"
            "01000000"
            "0200000000000000"
            "0100000000000000"
            "0200000000000000"
            "0000000000000000"
            "0000000000000000"
            "0000000000000000"
            "0000000000000000"
            "0400000005000000"
            "626f64796d000000"
            "0500000000000000"
            "0001010001000000"
            "0100000000000000"
            "0000000000000000"
            "0161000000000000");
}

TEST(FormatPages, WalHeader) {
  const std::string header = encode_wal_header(Bytes16{1}, WalNumber(42), Timestamp(5));
  ASSERT_EQ(header.size(), 64u);
  EXPECT_EQ(hex(header).substr(0, 112),
            "444e445257414c31"
            "0100000000000000"
            "01000000000000000000000000000000"
            "2a00000000000000"
            "0500000000000000"
            "0000000000000000");
}

TEST(FormatPages, WalFrame) {
  std::vector<FrameDraft> drafts = draft_frames(make_request({{"a"}}));
  FrameDraft& draft = drafts.front();
  FrameHeader header;
  header.payload_bytes = draft.payload_bytes;
  header.wal_number = WalNumber(42);
  header.first_sequence = SequenceNumber(10);
  header.record_count = 1;
  header.codec = draft.codec;
  header.synced_offset = 64;
  seal_frame(draft.image, header, wal_seed(Bytes16{1}, WalNumber(42)));
  const std::string head = hex(std::string_view(draft.image).substr(0, 40));
  EXPECT_EQ(head.substr(0, 8), "4446524d");
  EXPECT_EQ(head.substr(16),
            "2a00000000000000"
            "0a00000000000000"
            "01000000"
            "01010000"
            "4000000000000000");
  EXPECT_EQ(hex(std::string_view(draft.image).substr(48, 9)), "000764656661756c74");
  EXPECT_EQ(hex(std::string_view(draft.image).substr(57, 11)),
            "00002a36fe9c9717"
            "010000");
}

TEST(FormatPages, SpoolHeader) {
  const std::string header = encode_spool_header({Bytes16{1}, WalNumber(2), Timestamp(5), QueueMessageId(10)});
  ASSERT_EQ(header.size(), 64u);
  EXPECT_EQ(hex(header).substr(0, 112),
            "444e445253504c31"
            "0200000000000000"
            "01000000000000000000000000000000"
            "0200000000000000"
            "0500000000000000"
            "0a00000000000000");
}

TEST(FormatPages, SpoolFrames) {
  const HashSeed seed = wal_seed(Bytes16{1}, WalNumber(2));
  const SpoolMessage message{{"hi", {{"to", "ops"}}}, Timestamp(7)};
  std::string encoded, payload;
  append_spool_message(encoded, message);
  append_sized(payload, encoded);
  const std::string sent =
      seal_spool_frame({SpoolFrameKind::messages, QueueMessageId(10), 1, 64}, payload, WalNumber(2), seed);
  EXPECT_EQ(hex(std::string_view(sent).substr(0, 40)),
            "4446524d"
            "14000000"
            "0200000000000000"
            "0a00000000000000"
            "01000000"
            "10000000"
            "4000000000000000");
  EXPECT_EQ(hex(std::string_view(sent).substr(48)),
            "13"
            "0700000000000000"
            "0102746f036f7073"
            "026869"
            "00000000");
  const SpoolStateRow rows[] = {{QueueMessageId(10), SpoolState::waiting, 2}, {QueueMessageId(9), SpoolState::done, 0}};
  EXPECT_EQ(hex(encode_spool_states(rows)),
            "0a0202"
            "0901");
  EXPECT_EQ(hex(encode_spool_kept({QueueMessageId(10), SpoolState::dead, 5}, message)),
            "0a0305"
            "0700000000000000"
            "0102746f036f7073"
            "026869");
}

TEST(FormatPages, ManifestGroup) {
  std::string edit;
  append_edit(edit, FlushedThrough{TenantId::default_tenant(), SequenceNumber(7)});
  EXPECT_EQ(hex(edit),
            "0310"
            "0764656661756c74"
            "0700000000000000");
  EXPECT_EQ(edit.size(), 0x12u);
}

TEST(FormatPages, SegmentTail) {
  EXPECT_EQ(hex(encode_segment_tail({1000, 173, 0x1122334455667788})),
            "e803000000000000"
            "ad00000000000000"
            "8877665544332211"
            "444e445253454731");
}

/// A segment of one record, whose body is split into a template and three slots.
TEST(FormatPages, Segment) {
  MemoryFileSystem files;
  const StorePaths paths("/data");
  RecordBatchBuilder builder(kTestTime);
  builder.begin_record();
  builder.set_timestamp(kTestTime);
  builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("GET /a/17 took 250 ms from 10.0.0.1 ok"));
  builder.end_record();
  const auto batch = builder.finish();
  const SegmentWriter::Place place{Bytes16{1}, SegmentId(7), TenantId::default_tenant(), day_start(kTestTime)};
  auto writer = SegmentWriter::create(paths, files, place);
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE((*writer)->add({batch.get(), 0, SequenceNumber(10), kTestTime}).has_value());
  const auto info = (*writer)->finish();
  ASSERT_TRUE(info.has_value()) << info.error().message();
  const std::string path = paths.segment(info->tenant, info->day, info->id);
  const std::string bytes = read_whole_file(files, path, 1 << 20).value();

  EXPECT_EQ(hex(bytes.substr(0, 56)),
            "444e445253454731"
            "0100000000000000"
            "01000000000000000000000000000000"
            "0700000000000000"
            "000095c23b549717"
            "0000000000000000");
  SegmentDescription file;
  ASSERT_TRUE(describe_segment(files, path, file).has_value());
  EXPECT_EQ(hex(bytes.substr(bytes.size() - 32, 16)), "76010000000000006400000000000000");
  EXPECT_EQ(hex(bytes.substr(file.tail.footer_offset, 4 + 24)),
            "03000000"
            "01000100"
            "9f00000000000000"
            "3c0000003c00000000000000");

  const auto segment = Segment::open(files, path, Bytes16{1}, *info);
  const auto tables = segment->tables();
  ASSERT_TRUE(tables.has_value()) << tables.error().message();
  const RowGroupEntry& group = (*tables)->row_groups.front();
  EXPECT_EQ(hex(segment->read_block(group.blocks[0]).value()),
            "008080d0e2c6bfce972f"
            "0014"
            "0000"
            "01000000"
            "01000000"
            "0000"
            "31370a3235300a31302e302e302e310a"
            "001602"
            "000000"
            "00"
            "0100181003"
            "010101"
            "000000");
  const SectionEntry& dictionary = file.sections[0];
  EXPECT_EQ(dictionary.codec, BlockCodec::none);
  EXPECT_EQ(hex(bytes.substr(dictionary.offset, dictionary.stored_bytes)),
            "01"
            "0204626f6479036d7367"
            "01050001010001"
            "010100"
            "010001"
            "011c474554202f612f3020746f6f6b2030206d732066726f6d2030206f6b"
            "101050"
            "020308");
  const SectionEntry& directory = file.sections[1];
  EXPECT_EQ(directory.codec, BlockCodec::none);
  EXPECT_EQ(hex(bytes.substr(directory.offset, directory.stored_bytes)),
            "0101278080d0e2c6bfce972f8080d0e2c6bfce972f0a0a"
            "02403a3a0030999b8dad437438252500cdbe1c63b2d308b9"
            "00000a000a02000c02000e04001204010025"
            "01000100010028120000"
            "0000"
            "01aad4821b0001"
            "010001"
            "010001");
  const SectionEntry& meta = file.sections[2];
  std::string plain;
  ASSERT_TRUE(unpack_block(meta.codec, bytes.substr(meta.offset, meta.stored_bytes), meta.plain_bytes, plain));
  EXPECT_EQ(hex(plain),
            "0764656661756c74"
            "000095c23b549717"
            "00"
            "01000000000000002700000000000000"
            "00002a36fe9c971700002a36fe9c9717"
            "0a000000000000000a00000000000000"
            "00"
            "010a8080d0e2c6bfce972f"
            "00");
}

TEST(FormatPages, SegmentColumns) {
  BlockCompressor compressor(1);
  const auto strings = [&](const std::vector<std::string_view>& values) {
    std::string out;
    encode_strings(values, StringChoice::best, compressor, out);
    return hex(out);
  };
  EXPECT_EQ(strings({"a", "a"}), "000161");
  EXPECT_EQ(strings({"a", "bc"}), "08610a62630a");
  EXPECT_EQ(strings({"GET", "PUT", "GET", "GET", "GET", "GET", "GET", "GET"}),
            "0102084745540a5055540a"
            "000001000000000000");
  std::string integers;
  encode_integers(std::vector<std::int64_t>{100, 130, 160, 180}, integers);
  EXPECT_EQ(hex(integers), "03c8010a064108");
}

}  // namespace
}  // namespace dendro
