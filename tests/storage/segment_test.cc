#include "storage/segment/segment.h"

#include <cmath>
#include <limits>

#include "record/limits.h"
#include "storage/limits.h"
#include "storage/segment/segment_format.h"
#include "tests/storage/segment_fixture.h"

namespace dendro {
namespace {

constexpr std::int64_t kLeastInteger = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatestInteger = std::numeric_limits<std::int64_t>::max();

/// Records of one attribute each.
std::shared_ptr<const RecordBatch> batch_of_values(const std::vector<Value>& values,
                                                   LeafRole role = LeafRole::attribute) {
  RecordBatchBuilder builder(kSegmentTestTime);
  for (const Value& value : values) {
    builder.begin_record();
    builder.add_leaf(role, "v", "v", value);
    builder.end_record();
  }
  return builder.finish();
}

TEST(Segment, GivesBackEveryTypeInEveryRole) {
  SegmentFixture fixture;
  const std::vector<Value> values = {Value::of_null(),
                                     Value::of_text("text 1"),
                                     Value::of_text(""),
                                     Value::of_bytes("\xFF\x00\xC3"),
                                     Value::of_int64(kLeastInteger),
                                     Value::of_int64(kGreatestInteger),
                                     Value::of_uint64(std::numeric_limits<std::uint64_t>::max()),
                                     Value::of_float64(-0.0),
                                     Value::of_float64(1.5e300),
                                     Value::of_float64(std::numeric_limits<double>::denorm_min()),
                                     Value::of_number_text("1.0"),
                                     Value::of_bool(true),
                                     Value::of_bool(false),
                                     Value::of_list("[]"),
                                     Value::of_empty_object(),
                                     Value::of_time(kTimestampMin, 0),
                                     Value::of_time(kTimestampMax, 9),
                                     Value::of_time(kSegmentTestTime, 3)};
  for (std::uint8_t role = 0; role < kLeafRoleCount; ++role)
    fixture.add(batch_of_values(values, static_cast<LeafRole>(role)));
  fixture.write();
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackNestingAndPathsThatStandTwice) {
  RecordBatchBuilder builder(kSegmentTestTime);
  for (int i = 0; i < 50; ++i) {
    builder.begin_record();
    builder.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_int64(i));
    builder.open_object("a");
    builder.add_leaf(LeafRole::attribute, "a.b", "b", Value::of_int64(-i));
    builder.open_object("");
    builder.add_leaf(LeafRole::attribute, "a..", "", Value::of_text("x"));
    builder.close_object();
    builder.close_object();
    if (i % 3 == 0) builder.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_text("third"));
    if (i % 7 == 0) builder.add_leaf(LeafRole::body_part, "a.b", "a.b", Value::of_int64(7));
    builder.add_leaf(LeafRole::attribute, "", "", Value::of_text("no name"));
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.write();
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackRecordsWithNothingInThem) {
  RecordBatchBuilder builder(kSegmentTestTime);
  for (int i = 0; i < 3; ++i) {
    builder.begin_record();
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.add(batch_of_bodies({"", "", ""}));
  fixture.write();
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackOneRecord) {
  SegmentFixture fixture;
  fixture.add(batch_of_bodies({"the only record of 1 segment, as long as a sentence"}));
  fixture.write();
  fixture.expect_all_come_back();
  EXPECT_EQ(fixture.info().record_count, 1u);
}

TEST(Segment, GivesBackHugeValues) {
  std::string megabyte_token(std::size_t{1} << 20, 'x');
  megabyte_token[500] = '7';
  std::string words;
  while (words.size() < (std::size_t{4} << 20) - 100) words += "word " + std::to_string(words.size()) + "\n";
  SegmentFixture fixture;
  fixture.add(
      batch_of_bodies({"a blank and " + megabyte_token, words, std::string(std::size_t{4} << 20, ' '),
                       "a blank and " + megabyte_token + " again", std::string("with \0 7 in the middle of it all", 32),
                       "a blank and a few lines\n of 3 and \n 4 texts"}));
  fixture.write();
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackTwoThousandFieldsAndMixedTypes) {
  RandomRecords source(segment_test_seed());
  RecordBatchBuilder builder(kSegmentTestTime);
  for (int i = 0; i < 40; ++i) {
    builder.begin_record();
    for (int field = 0; field < 2'000; ++field) {
      const std::string path = "field" + std::to_string(field);
      builder.add_leaf(LeafRole::attribute, path, path, field % 5 == 0 ? source.value() : Value::of_int64(i * field));
    }
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.write();
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackTheEndsOfTime) {
  RecordBatchBuilder builder(kTimestampMax);
  for (const Timestamp time : {kTimestampMin, Timestamp(-1), Timestamp(0), Timestamp(1), kTimestampMax}) {
    builder.begin_record();
    builder.set_timestamp(time);
    builder.add_leaf(LeafRole::timestamp, "timestamp", "t", Value::of_time(time, 9));
    builder.add_leaf(LeafRole::observed, "observed", "o", Value::of_time(Timestamp(-(time.number() / 2)), 6));
    builder.add_leaf(LeafRole::attribute, "text", "text", Value::of_text(to_rfc3339(time)));
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.write();
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackRandomRecords) {
  for (std::uint64_t round = 0; round < 12; ++round) {
    const std::uint64_t seed = segment_test_seed() + round;
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
    RandomRecords source(seed);
    SegmentFixture fixture;
    for (std::int64_t request = 0; request < 3; ++request) {
      fixture.add(
          source.batch(1 + source.below(round % 3 == 0 ? 20 : 900), Timestamp(kSegmentTestTime.number() + request)));
      fixture.skip_sequences(source.below(3));
    }
    fixture.write();
    fixture.expect_all_come_back(seed);
  }
}

TEST(Segment, CutsRowGroupsAtTheirRecords) {
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < kMaxBatchRecords; ++i) bodies.push_back("body " + std::to_string(i * 7919 % 65'536));
  SegmentFixture fixture;
  fixture.add(batch_of_bodies(bodies));
  fixture.add(batch_of_bodies({"one more"}));
  fixture.write();
  ASSERT_EQ(fixture.groups().size(), 2u);
  EXPECT_EQ(fixture.groups()[0].record_count, kMaxBatchRecords);
  EXPECT_EQ(fixture.groups()[1].record_count, 1u);
  fixture.expect_all_come_back();
}

TEST(Segment, CutsRowGroupsAtTheirBytes) {
  SegmentFixture fixture;
  const std::string body = "a body of 1 MiB " + std::string(std::size_t{1} << 20, 'y');
  for (int i = 0; i < 35; ++i) fixture.add(batch_of_bodies({body + std::to_string(i)}));
  fixture.write();
  ASSERT_EQ(fixture.groups().size(), 2u);
  EXPECT_EQ(fixture.groups()[0].record_count, 32u);
  fixture.expect_all_come_back();
}

/// A column has two-byte codes and ranks, whatever a record puts into it.
TEST(Segment, CutsRowGroupsWhereAColumnIsFull) {
  const std::string sentence = "one of those sentences that are long enough for templates ";
  RecordBatchBuilder builder(kSegmentTestTime);
  constexpr int kRecords = 40'000;
  for (int i = 0; i < kRecords; ++i) {
    builder.begin_record();
    builder.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_text(sentence + std::to_string(i)));
    builder.open_object("a");
    builder.add_leaf(LeafRole::attribute, "a.b", "b", Value::of_text(sentence + "too"));
    builder.close_object();
    builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_int64(i));
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.write();
  ASSERT_EQ(fixture.groups().size(), 2u);
  EXPECT_EQ(fixture.groups()[0].record_count, 32'768u);
  EXPECT_EQ(fixture.groups()[0].columns[0].value_count, kMaxColumnValues);
  EXPECT_EQ(fixture.groups()[1].record_count, 40'000u - 32'768u);
  fixture.expect_all_come_back();
}

TEST(Segment, GivesBackAPathThatStandsAThousandTimes) {
  RecordBatchBuilder builder(kSegmentTestTime);
  for (int i = 0; i < 100; ++i) {
    builder.begin_record();
    for (int k = 0; k < 1'000; ++k)
      builder.add_leaf(LeafRole::attribute, "a.b", "a.b", Value::of_text(std::to_string(k * i)));
    builder.end_record();
  }
  SegmentFixture fixture;
  fixture.add(builder.finish());
  fixture.write();
  EXPECT_EQ(fixture.groups().size(), 2u);
  fixture.expect_all_come_back();
}

/// Request 2 lies between the two parts of request 1 by sequence, but not by time.
TEST(Segment, TellsReceiveTimesOfRequestsThatInterleave) {
  RandomRecords source(segment_test_seed());
  SegmentFixture fixture;
  for (const std::int64_t received : {5, 6, 5, 5, 9, 1, 5}) {
    fixture.add(source.batch(1 + source.below(5), Timestamp(received)));
    fixture.skip_sequences(source.below(2));
  }
  fixture.write();
  fixture.expect_all_come_back();

  SegmentFixture crossed;
  RecordBatchBuilder early(Timestamp(5)), late(Timestamp(6));
  for (int i = 0; i < 2; ++i) {
    RecordBatchBuilder& builder = i == 0 ? early : late;
    builder.begin_record();
    builder.set_timestamp(Timestamp(i == 0 ? 100 : 200));
    builder.end_record();
  }
  const auto first = early.finish();
  crossed.add(first);
  crossed.add(late.finish());
  crossed.add(first);
  crossed.write();
  crossed.expect_all_come_back();
}

TEST(Segment, KeepsKeysAndWhatItReplaces) {
  SegmentFixture fixture;
  const auto batch = batch_of_bodies({"one", "two"});
  {
    const auto created = SegmentWriter::create(fixture.paths(), fixture.files(), fixture.place());
    ASSERT_TRUE(created.has_value());
    SegmentWriter& writer = **created;
    KeyedReply keyed;
    keyed.key.id[0] = 1;
    keyed.key.content_hash[15] = 2;
    keyed.reply = {SequenceNumber(7), Timestamp(8), 300, 4};
    writer.add_key(keyed);
    writer.add_replaced(SegmentId(3));
    for (std::uint32_t i = 0; i < 2; ++i) {
      ASSERT_TRUE(writer.add({batch.get(), i, SequenceNumber(i + 7), kSegmentTestTime}).has_value());
    }
    const auto info = writer.finish();
    ASSERT_TRUE(info.has_value());
    const auto segment = Segment::open(fixture.files(), fixture.path(), SegmentFixture::store_id(), *info);
    ASSERT_FALSE(segment->damage()) << segment->damage()->message();
    ASSERT_EQ(segment->keys().size(), 1u);
    EXPECT_EQ(segment->keys()[0].key.id, keyed.key.id);
    EXPECT_EQ(segment->keys()[0].key.content_hash, keyed.key.content_hash);
    EXPECT_EQ(segment->keys()[0].reply.first_sequence, SequenceNumber(7));
    EXPECT_EQ(segment->keys()[0].reply.accepted, 300u);
    EXPECT_EQ(segment->keys()[0].reply.rejected, 4u);
    EXPECT_EQ(info->first_sequence, SequenceNumber(7));
    EXPECT_EQ(info->last_sequence, SequenceNumber(8));
  }
}

TEST(Segment, KeepsItsTablesOnlyAsLongAsSomebodyHoldsThem) {
  SegmentFixture fixture;
  fixture.add(RandomRecords(segment_test_seed()).batch(3, Timestamp(5)));
  fixture.write();
  const auto segment = Segment::open(fixture.files(), fixture.path(), SegmentFixture::store_id(), fixture.info());
  std::weak_ptr<const SegmentTables> seen;
  {
    const auto first = segment->tables();
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(segment->tables().value(), *first) << "shared";
    seen = *first;
  }
  EXPECT_TRUE(seen.expired());
  PieceCache cache(std::size_t{1} << 20);
  seen = cached_tables(cache, *segment).value();
  EXPECT_FALSE(seen.expired()) << "the cache holds them";
  EXPECT_GT(cache.bytes(), seen.lock()->dictionary->memory_bytes());
  PieceCache none(0);
  EXPECT_EQ(cached_tables(none, *segment).value(), seen.lock());
}

TEST(Segment, LeavesNothingBehindWhenItsWriterGoes) {
  SegmentFixture fixture;
  const auto batch = batch_of_bodies({"one"});
  {
    const auto writer = SegmentWriter::create(fixture.paths(), fixture.files(), fixture.place());
    ASSERT_TRUE(writer.has_value());
    ASSERT_TRUE((*writer)->add({batch.get(), 0, SequenceNumber(1), kSegmentTestTime}).has_value());
    EXPECT_TRUE(fixture.files().exists(fixture.path() + ".tmp"));
  }
  EXPECT_FALSE(fixture.files().exists(fixture.path() + ".tmp"));
  EXPECT_FALSE(fixture.files().exists(fixture.path()));
}

}  // namespace
}  // namespace dendro
