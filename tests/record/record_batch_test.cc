#include "record/record_batch.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

#include "record/record_batch_builder.h"
#include "record/record_json.h"

namespace dendro {
namespace {

constexpr Timestamp kReceived{1'700'000'000'123'456'789};

std::string json_of(const RecordView& record) {
  std::string out;
  append_record_json(out, record);
  return out;
}

/// One record of each kind of value and role.
void add_rich_record(RecordBatchBuilder& builder, int number) {
  builder.begin_record();
  builder.set_timestamp(Timestamp(kReceived.number() - number));
  builder.set_severity(kSeverityError, number % 2 == 0);
  builder.add_leaf(LeafRole::timestamp, "timestamp", "time", Value::of_time(Timestamp(kReceived.number() - number), 9));
  builder.add_leaf(LeafRole::observed, "observed", "seen", Value::of_time(Timestamp(5), 3));
  builder.add_leaf(LeafRole::resource, "service.name", "service", Value::of_text("api"));
  builder.add_leaf(LeafRole::resource, "port", "port", Value::of_int64(number % 2));
  builder.add_leaf(LeafRole::severity, "severity", "level", Value::of_text("ERROR"));
  builder.add_leaf(LeafRole::body, "body", "msg", Value::of_text("text " + std::to_string(number)));
  builder.open_object("http");
  builder.add_leaf(LeafRole::attribute, "http.status", "status", Value::of_int64(-number));
  builder.add_leaf(LeafRole::attribute, "http.size", "size",
                   Value::of_uint64(std::numeric_limits<std::uint64_t>::max()));
  builder.open_object("deep");
  builder.add_leaf(LeafRole::attribute, "http.deep.ratio", "ratio", Value::of_float64(0.25));
  builder.close_object();
  builder.close_object();
  builder.add_leaf(LeafRole::attribute, "n", "n", Value::of_number_text("1.0"));
  builder.add_leaf(LeafRole::attribute, "yes", "yes", Value::of_bool(true));
  builder.add_leaf(LeafRole::attribute, "nothing", "nothing", Value::of_null());
  builder.add_leaf(LeafRole::attribute, "list", "list", Value::of_list("[1,\"a\"]"));
  builder.add_leaf(LeafRole::attribute, "empty", "empty", Value::of_empty_object());
  builder.add_leaf(LeafRole::attribute, "raw", "raw", Value::of_bytes("\xff\xfe"));
  builder.add_label("dendro.source", Value::of_text("test"));
  builder.end_record();
}

std::shared_ptr<const RecordBatch> rich_batch(int records) {
  RecordBatchBuilder builder(kReceived);
  for (int i = 0; i < records; ++i) add_rich_record(builder, i);
  return builder.finish();
}

TEST(RecordBatch, GivesBackEveryValueFromItsEncodedBytes) {
  const auto made = rich_batch(3);
  const auto decoded = RecordBatch::decode(std::string(made->encoded()));
  ASSERT_TRUE(decoded.has_value());
  const RecordBatch& batch = **decoded;
  ASSERT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.encoded(), made->encoded());
  EXPECT_EQ(batch.receive_time(), kReceived);
  EXPECT_EQ(batch.min_timestamp(), Timestamp(kReceived.number() - 2));
  EXPECT_EQ(batch.max_timestamp(), kReceived);
  EXPECT_EQ(batch.severity(1), kSeverityError);
  EXPECT_TRUE(batch.record(0).severity_is_from_body());
  EXPECT_FALSE(batch.record(1).severity_is_from_body());
  EXPECT_EQ(batch.shapes().size(), 1u);
  EXPECT_EQ(batch.streams().size(), 2u);
  EXPECT_EQ(to_stream_text(batch.record(1).stream()), "{dendro.source=\"test\",port=\"1\",service.name=\"api\"}");
  const RecordView record = batch.record(1);
  std::vector<std::string> seen;
  record.for_each_leaf([&](const Leaf& leaf, const Value& value) {
    std::string text;
    append_value_text(text, value);
    seen.push_back(std::string(leaf.path) + "=" + text);
    return true;
  });
  EXPECT_EQ(seen,
            (std::vector<std::string>{"timestamp=2023-11-14T22:13:20.123456788Z", "observed=1970-01-01T00:00:00.000Z",
                                      "service.name=api", "port=1", "severity=ERROR", "body=text 1", "http.status=-1",
                                      "http.size=18446744073709551615", "http.deep.ratio=0.25", "n=1.0", "yes=true",
                                      "nothing=", "list=[1,\"a\"]", "empty={}", "raw=//4="}));
  for (std::size_t i = 0; i < record.shape().leaves.size(); ++i) {
    std::string text;
    append_value_text(text, record.value_at(i));
    EXPECT_EQ(std::string(record.shape().leaves[i].path) + "=" + text, seen[i]);
  }
}

TEST(RecordBatch, HasASerialThatNoLaterBatchRepeats) {
  // Readers remember what they learnt of a batch; the next one may lie at its address.
  std::set<std::uint64_t> serials;
  for (int i = 0; i < 1'000; ++i) {
    RecordBatchBuilder builder{Timestamp(1)};
    builder.begin_record();
    builder.end_record();
    EXPECT_TRUE(serials.insert(builder.finish()->serial()).second);
  }
}

TEST(RecordBatch, DrawsTheSendersObjectAgain) {
  EXPECT_EQ(json_of(rich_batch(1)->record(0)),
            "{\"time\":\"2023-11-14T22:13:20.123456789Z\",\"seen\":\"1970-01-01T00:00:00.000Z\",\"service\":\"api\","
            "\"port\":0,"
            "\"level\":\"ERROR\",\"msg\":\"text "
            "0\",\"http\":{\"status\":0,\"size\":18446744073709551615,\"deep\":{\"ratio\":0.25}},"
            "\"n\":1.0,\"yes\":true,\"nothing\":null,\"list\":[1,\"a\"],\"empty\":{},\"raw\":\"//4=\"}");
}

TEST(RecordBatch, HoldsARecordWithoutLeaves) {
  RecordBatchBuilder builder(kReceived);
  builder.begin_record();
  builder.end_record();
  const auto batch = builder.finish();
  EXPECT_EQ(batch->size(), 1u);
  EXPECT_EQ(batch->timestamp(0), kReceived);
  EXPECT_TRUE(batch->record(0).shape().leaves.empty());
}

TEST(RecordBatch, EveryFlippedByteIsAnErrorOrAValidBatch) {
  const std::string encoded(rich_batch(3)->encoded());
  std::size_t refused = 0;
  for (std::size_t offset = 0; offset < encoded.size(); ++offset) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = encoded;
      damaged[offset] = static_cast<char>(static_cast<unsigned char>(damaged[offset]) ^ flip);
      const auto batch = RecordBatch::decode(std::move(damaged));
      if (!batch) {
        EXPECT_EQ(batch.error().code(), ErrorCode::corruption);
        ++refused;
        continue;
      }
      for (std::size_t i = 0; i < (*batch)->size(); ++i) json_of((*batch)->record(i));  // reads every value
      RecordBatchBuilder copy(kReceived);
      for (std::size_t i = 0; i < (*batch)->size(); ++i) copy.append_copy((*batch)->record(i));
      copy.finish();
    }
  }
  EXPECT_GT(refused, encoded.size());
}

TEST(RecordBatch, EveryTruncationIsAnError) {
  const std::string encoded(rich_batch(2)->encoded());
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(RecordBatch::decode(encoded.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(RecordBatch::decode(encoded + std::string(8, '\0')).has_value());
}

TEST(RecordBatch, RandomBytesAreAnError) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(48 + random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 5);  // small numbers pass more checks
    (void)RecordBatch::decode(std::move(bytes));
  }
}

TEST(RecordBatchBuilder, CopiesRecordsAsTheyStand) {
  const auto batch = rich_batch(4);
  RecordBatchBuilder builder(kReceived);
  for (const std::size_t i : {3u, 1u, 2u}) builder.append_copy(batch->record(i));
  const auto copy = builder.finish();
  ASSERT_EQ(copy->size(), 3u);
  for (const auto& [to, from] : {std::pair<std::size_t, std::size_t>{0, 3}, {1, 1}, {2, 2}}) {
    EXPECT_EQ(json_of(copy->record(to)), json_of(batch->record(from)));
    EXPECT_EQ(copy->timestamp(to), batch->timestamp(from));
    EXPECT_EQ(copy->severity(to), batch->severity(from));
    EXPECT_EQ(to_stream_text(copy->record(to).stream()), to_stream_text(batch->record(from).stream()));
    EXPECT_EQ(copy->record(to).severity_is_from_body(), batch->record(from).severity_is_from_body());
  }
}

TEST(RecordBatchBuilder, CopiesARecordOfSeveralBatchesWithOtherTables) {
  RecordBatchBuilder first(kReceived);
  first.begin_record();
  first.add_leaf(LeafRole::attribute, "x", "x", Value::of_text("1"));
  first.end_record();
  const auto one = first.finish();
  const auto two = rich_batch(1);
  RecordBatchBuilder joined(kReceived);
  joined.append_copy(two->record(0));
  joined.append_copy(one->record(0));
  joined.append_copy(two->record(0));
  const auto batch = joined.finish();
  EXPECT_EQ(json_of(batch->record(0)), json_of(two->record(0)));
  EXPECT_EQ(json_of(batch->record(1)), "{\"x\":\"1\"}");
  EXPECT_EQ(json_of(batch->record(2)), json_of(two->record(0)));
  EXPECT_EQ(batch->shapes().size(), 2u);
}

TEST(RecordBatchBuilder, DropsAnAbandonedRecord) {
  RecordBatchBuilder builder(kReceived);
  add_rich_record(builder, 1);
  builder.begin_record();
  builder.add_leaf(LeafRole::attribute, "x", "x", Value::of_text("gone"));
  builder.abandon_record();
  add_rich_record(builder, 2);
  const auto batch = builder.finish();
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_EQ(json_of(batch->record(1)), json_of(rich_batch(3)->record(2)));
}

TEST(RecordBatchBuilder, PutsASecondLabelOfOnePathAmongTheAttributes) {
  RecordBatchBuilder builder(kReceived);
  builder.begin_record();
  builder.add_leaf(LeafRole::resource, "host", "host", Value::of_text("a"));
  builder.add_leaf(LeafRole::resource, "host", "hostname", Value::of_text("b"));
  builder.add_leaf(LeafRole::resource, "tags", "tags", Value::of_list("[1]"));
  builder.end_record();
  const auto batch = builder.finish();
  EXPECT_EQ(to_stream_text(batch->record(0).stream()), "{host=\"a\"}");
  EXPECT_EQ(json_of(batch->record(0)), "{\"host\":\"a\",\"hostname\":\"b\",\"tags\":[1]}");
}

TEST(RecordBatchBuilder, IsEmptyAndUsableAfterFinish) {
  RecordBatchBuilder builder(kReceived);
  add_rich_record(builder, 1);
  const auto first = builder.finish();
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.records(), 0u);
  add_rich_record(builder, 1);
  EXPECT_EQ(builder.finish()->encoded(), first->encoded());
}

TEST(RecordBatchBuilder, EstimatesTheEncodedSize) {
  RecordBatchBuilder builder(kReceived);
  for (int i = 0; i < 500; ++i) add_rich_record(builder, i);
  const double estimate = static_cast<double>(builder.encoded_bytes());
  const double size = static_cast<double>(builder.finish()->encoded().size());
  EXPECT_NEAR(estimate / size, 1.0, 0.05);
}

}  // namespace
}  // namespace dendro
