#include "storage/segment/segment_proof.h"

#include "base/checksum.h"
#include "tests/storage/segment_fixture.h"

namespace dendro {
namespace {

std::vector<std::string> bodies_with_ids() {
  std::mt19937_64 random(segment_test_seed());
  std::vector<std::string> bodies;
  for (int i = 0; i < 2'000; ++i) {
    bodies.push_back("the session " + std::to_string(random()) + " of user " + std::to_string(random() % 90) +
                     " began");
  }
  return bodies;
}

void flip_within(const BlockPlace& block, std::string& stored) {
  char& middle = stored[block.offset + block.stored_bytes / 2];
  middle = static_cast<char>(middle ^ 0x10);
}

bool has_layout(const RowGroupEntry& group, ColumnLayout layout) {
  return std::any_of(group.columns.begin(), group.columns.end(),
                     [layout](const ColumnEntry& column) { return column.layout == layout; });
}

TEST(SegmentProof, CountsNothingWhereNothingIsWrong) {
  std::atomic<std::uint64_t> reencoded{0};
  SegmentFixture fixture;
  fixture.place().reencoded_row_groups = &reencoded;
  fixture.add(batch_of_bodies(bodies_with_ids()));
  fixture.write();
  EXPECT_EQ(reencoded, 0u);
  EXPECT_TRUE(has_layout(fixture.groups()[0], ColumnLayout::templates));
}

TEST(SegmentProof, ARowGroupThatDoesNotComeBackIsStoredPlainly) {
  std::size_t block_count = 1;
  for (std::size_t number = 0; number < block_count; ++number) {
    std::atomic<std::uint64_t> reencoded{0};
    SegmentFixture fixture;
    fixture.add(batch_of_bodies(bodies_with_ids()));
    fixture.place().reencoded_row_groups = &reencoded;
    fixture.place().tamper_for_test = [&](EncodeForm form, const RowGroupEntry& group, std::string& stored) {
      if (form == EncodeForm::plain) return;
      block_count = group.blocks.size() - 1;  // without the filter, which holds nothing of a record
      ASSERT_EQ(group.filter.block, block_count);
      flip_within(group.blocks[number], stored);
    };
    fixture.write();
    EXPECT_EQ(reencoded, 1u);
    EXPECT_FALSE(has_layout(fixture.groups()[0], ColumnLayout::templates));
    fixture.expect_all_come_back();
  }
}

TEST(SegmentProof, TheOtherRowGroupsKeepTheirForm) {
  std::atomic<std::uint64_t> reencoded{0};
  SegmentFixture fixture;
  std::vector<std::string> bodies;
  for (int i = 0; i < 70'000; ++i) bodies.push_back("a sentence with the number " + std::to_string(i) + " in it");
  fixture.add(batch_of_bodies({bodies.begin(), bodies.begin() + 40'000}));
  fixture.add(batch_of_bodies({bodies.begin() + 40'000, bodies.end()}));
  fixture.place().reencoded_row_groups = &reencoded;
  int calls = 0;
  fixture.place().tamper_for_test = [&calls](EncodeForm, const RowGroupEntry& group, std::string& stored) {
    if (calls++ == 0) flip_within(group.blocks[0], stored);
  };
  fixture.write();
  EXPECT_EQ(reencoded, 1u);
  ASSERT_EQ(fixture.groups().size(), 2u);
  EXPECT_FALSE(has_layout(fixture.groups()[0], ColumnLayout::templates));
  EXPECT_TRUE(has_layout(fixture.groups()[1], ColumnLayout::templates));
  fixture.expect_all_come_back();
}

TEST(SegmentProof, GivesUpWithoutAFileWhereThePlainFormFailsToo) {
  std::atomic<std::uint64_t> reencoded{0};
  SegmentFixture fixture;
  fixture.add(batch_of_bodies(bodies_with_ids()));
  fixture.place().reencoded_row_groups = &reencoded;
  fixture.place().tamper_for_test = [](EncodeForm, const RowGroupEntry& group, std::string& stored) {
    flip_within(group.blocks[0], stored);
  };
  const Result<SegmentInfo> written = fixture.try_write();
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code(), ErrorCode::internal);
  EXPECT_NE(written.error().message().find(fixture.path()), std::string::npos) << written.error().message();
  EXPECT_FALSE(fixture.files().exists(fixture.path()));
  EXPECT_FALSE(fixture.files().exists(fixture.path() + ".tmp"));
  EXPECT_EQ(reencoded, 1u);
}

TEST(SegmentProof, ThePlainFormGivesBackEverything) {
  RandomRecords source(segment_test_seed());
  SegmentFixture fixture;
  fixture.add(source.batch(2'000));
  fixture.place().tamper_for_test = [](EncodeForm form, const RowGroupEntry&, std::string& stored) {
    if (form == EncodeForm::best) stored.assign(stored.size(), '!');
  };
  fixture.write();
  for (const ColumnEntry& column : fixture.groups()[0].columns) {
    EXPECT_NE(column.layout, ColumnLayout::templates);
    EXPECT_NE(column.layout, ColumnLayout::time_texts);
  }
  fixture.expect_all_come_back();
}

/// A difference that no checksum and no decoder sees: the encoded records are sound, but they are others.
TEST(SegmentProof, NoticesWhicheverPartOfARecordDiffers) {
  const auto batch_with = [](auto&& change) {
    RecordBatchBuilder builder(kSegmentTestTime);
    builder.begin_record();
    builder.set_timestamp(kSegmentTestTime);
    builder.set_severity(9);
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("a"));
    change(builder);
    builder.end_record();
    return builder.finish();
  };
  const auto whole = batch_with([](RecordBatchBuilder&) {});
  const auto difference = [&](const std::shared_ptr<const RecordBatch>& other, std::uint64_t sequence = 1) {
    SegmentDictionaryBuilder dictionary;
    BlockCompressor compressor(1);
    std::string stored;
    const SegmentRow row{whole.get(), 0, SequenceNumber(1), kSegmentTestTime};
    RowGroupEntry entry = RowGroupEncoder(dictionary, compressor).encode({&row, 1}, EncodeForm::best, stored);
    for (BlockPlace& block : entry.blocks) {
      block.hash = xxh3(std::string_view(stored).substr(block.offset, block.stored_bytes), HashSeed(5));
    }
    SegmentInfo info;
    info.id = SegmentId(5);
    const std::string path = "a.seg";
    MemoryFileSystem files;
    const SegmentRow compared{other.get(), 0, SequenceNumber(sequence), kSegmentTestTime};
    const Status proved = prove_row_group({&compared, 1}, {path, info, dictionary, entry, stored}, files);
    return proved ? std::string() : proved.error().message();
  };
  EXPECT_EQ(difference(whole), "");
  EXPECT_NE(difference(whole, 2).find("sequence"), std::string::npos);
  EXPECT_NE(difference(batch_with([](auto& b) { b.set_timestamp(Timestamp(5)); })).find("timestamp"),
            std::string::npos);
  EXPECT_NE(difference(batch_with([](auto& b) { b.set_severity(10); })).find("severity"), std::string::npos);
  EXPECT_NE(difference(batch_with([](auto& b) { b.set_severity(9, true); })).find("severity"), std::string::npos);
  EXPECT_NE(difference(batch_with([](auto& b) { b.add_label("x", Value::of_text("")); })).find("stream"),
            std::string::npos);
  EXPECT_NE(difference(batch_with([](auto& b) {
              b.add_leaf(LeafRole::body, "body", "msg", Value::of_null());
            })).find("shape"),
            std::string::npos);
  EXPECT_NE(difference(batch_of_bodies({"a"})).find("severity"), std::string::npos);
  const auto other_value = [] {
    RecordBatchBuilder builder(kSegmentTestTime);
    builder.begin_record();
    builder.set_severity(9);
    builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("b"));
    builder.end_record();
    return builder.finish();
  }();
  EXPECT_NE(difference(other_value).find("values"), std::string::npos);
}

/// The same for texts that are kept as templates and slots.
TEST(SegmentProof, NoticesATextOfATemplateThatDiffers) {
  std::vector<std::string> bodies;
  for (int i = 0; i < 300; ++i) bodies.push_back("the session " + std::to_string(i) + " of user 7 took 12ms in all");
  const auto written = batch_of_bodies(bodies);
  const auto rows_of = [](const RecordBatch& batch) {
    std::vector<SegmentRow> rows;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      rows.push_back({&batch, i, SequenceNumber(i + 1), kSegmentTestTime});
    }
    return rows;
  };
  SegmentDictionaryBuilder dictionary;
  BlockCompressor compressor(1);
  std::string stored;
  SegmentInfo info;
  info.id = SegmentId(5);
  RowGroupEntry entry = RowGroupEncoder(dictionary, compressor).encode(rows_of(*written), EncodeForm::best, stored);
  ASSERT_TRUE(has_layout(entry, ColumnLayout::templates));
  for (BlockPlace& block : entry.blocks) {
    block.hash = xxh3(std::string_view(stored).substr(block.offset, block.stored_bytes), HashSeed(5));
  }
  const auto difference = [&](const std::string& last_body) {
    std::vector<std::string> others = bodies;
    others.back() = last_body;
    const auto batch = batch_of_bodies(others);
    const std::string path = "a.seg";
    MemoryFileSystem files;
    const Status proved = prove_row_group(rows_of(*batch), {path, info, dictionary, entry, stored}, files);
    return proved ? std::string() : proved.error().message();
  };
  EXPECT_EQ(difference(bodies.back()), "");
  const std::string right = bodies.back();
  for (std::size_t at = 0; at < right.size(); ++at) {
    std::string wrong = right;
    wrong[at] = wrong[at] == '1' ? '2' : '1';
    EXPECT_NE(difference(wrong).find("record 299: another values"), std::string::npos) << wrong;
  }
  EXPECT_NE(difference(right + "1").find("values"), std::string::npos);
  EXPECT_NE(difference(right.substr(0, right.size() - 1)).find("values"), std::string::npos);
  EXPECT_NE(difference("").find("values"), std::string::npos);
}

}  // namespace
}  // namespace dendro
