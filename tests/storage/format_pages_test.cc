// The worked examples of docs/formats/: if one of these fails, the page is wrong or the format has changed.

#include "base/random.h"
#include "storage/batch_frame.h"
#include "storage/manifest.h"
#include "storage/segment_format.h"
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
            "444e445253454730");
}

}  // namespace
}  // namespace dendro
