#include "parse/record_mapper.h"

#include <gtest/gtest.h>

#include "tests/parse/decoding.h"

namespace dendro {
namespace {

struct OneRecord {
  Decoded decoded;
  RecordView record;
  explicit OneRecord(std::string_view json, MappingOptions mapping = {})
      : decoded(decode_text(json, {ParseFormat::json, JsonFraming::lines, std::move(mapping)})),
        record(decoded.batches.at(0)->record(0)) {}
  std::string json() const { return decoded.jsons().at(0); }
  std::string leaf(std::string_view path) const { return leaf_text(record, path); }
  std::string label(std::string_view path) const { return label_text(record, path); }
};

Timestamp time_at(const char* text) {
  return *parse_rfc3339(text);
}

TEST(RecordMapper, OrderOfNamesDecidesNotOrderOfMembers) {
  const OneRecord r(
      R"({"ts":"2026-01-01T00:00:00Z","time":"2026-01-02T00:00:00Z","_time":"2026-01-03T00:00:00Z","text":"t","msg":"m","message":"M"})");
  EXPECT_EQ(r.record.timestamp(), time_at("2026-01-03T00:00:00Z"));
  EXPECT_EQ(r.leaf("body"), "M");
  EXPECT_EQ(r.leaf("ts"), "2026-01-01T00:00:00Z");  // not chosen: an attribute
  EXPECT_EQ(r.leaf("msg"), "m");
}

TEST(RecordMapper, NullIsNotPresent) {
  const OneRecord r(R"({"_time":null,"ts":1700000000,"body":null,"line":"l","severity":null,"lvl":"warn"})");
  EXPECT_EQ(r.record.timestamp(), Timestamp(1'700'000'000 * kNanosPerSecond));
  EXPECT_EQ(r.leaf("body"), "");  // the null keeps its place as an attribute
  EXPECT_EQ(r.record.severity(), kSeverityWarn);
}

TEST(RecordMapper, NestedAndDottedNamesAreOne) {
  for (const char* json :
       {R"({"log.level":"error","event.original":"x"})", R"({"log":{"level":"error"},"event":{"original":"x"}})"}) {
    const OneRecord r(json);
    EXPECT_EQ(r.record.severity(), kSeverityError) << json;
    EXPECT_EQ(r.leaf("body"), "x") << json;
    EXPECT_EQ(r.json(), json);
  }
}

TEST(RecordMapper, BodyMayBeAnObjectAListOrANumber) {
  const OneRecord object(R"({"message":{"a":{"b":1},"c":2},"text":"no"})");
  EXPECT_EQ(object.leaf("a.b"), "1");
  EXPECT_EQ(object.record.shape().leaves[0].role, LeafRole::body_part);
  EXPECT_EQ(object.record.shape().leaves[1].path, "c");
  EXPECT_EQ(object.record.shape().leaves[2].role, LeafRole::attribute);
  EXPECT_EQ(OneRecord(R"({"msg":[1, "x"]})").leaf("body"), R"([1,"x"])");
  EXPECT_EQ(OneRecord(R"({"msg":7})").leaf("body"), "7");
  EXPECT_EQ(OneRecord(R"({"msg":{}})").record.shape().leaves[0].role, LeafRole::body);
}

TEST(RecordMapper, AnObjectNamedLogIsNoBody) {
  const OneRecord r(R"({"log":{"level":"info","file":"f"},"text":"t"})");
  EXPECT_EQ(r.leaf("body"), "t");
  EXPECT_EQ(r.leaf("log.file"), "f");
}

TEST(RecordMapper, StatusCountsOnlyAsASeverityWord) {
  EXPECT_EQ(OneRecord(R"({"status":17})").record.severity(), kSeverityUnset);
  EXPECT_EQ(OneRecord(R"({"status":"17"})").record.severity(), kSeverityUnset);
  EXPECT_EQ(OneRecord(R"({"status":"Error"})").record.severity(), kSeverityError);
  EXPECT_EQ(OneRecord(R"({"status":"ok"})").leaf("severity_text"), "<none>");
}

TEST(RecordMapper, ReadsSeverityFormsByName) {
  EXPECT_EQ(OneRecord(R"({"PRIORITY":"3"})").record.severity(), 17);
  EXPECT_EQ(OneRecord(R"({"PRIORITY":0})").record.severity(), 23);
  EXPECT_EQ(OneRecord(R"({"level":50})").record.severity(), 17);  // pino
  EXPECT_EQ(OneRecord(R"({"level":"crit"})").record.severity(), 21);
  const OneRecord r(R"({"level":"err","severity_number":10,"severity_text":"Notice"})");
  EXPECT_EQ(r.record.severity(), 10);  // the number as it is, not pino's
  EXPECT_EQ(r.leaf("severity"), "10");
  EXPECT_EQ(r.leaf("severity_text"), "Notice");
  EXPECT_EQ(r.leaf("level"), "err");
}

TEST(RecordMapper, AnUnknownWordStaysSeverityTextAndAKnownOneBehindItWins) {
  const OneRecord unknown(R"({"level":"audit"})");
  EXPECT_EQ(unknown.record.severity(), kSeverityUnset);
  EXPECT_EQ(unknown.leaf("severity_text"), "audit");
  const OneRecord known(R"({"severity":"S3","level":"error"})");
  EXPECT_EQ(known.record.severity(), kSeverityError);
  EXPECT_EQ(known.record.shape().leaves[0].role, LeafRole::attribute);
}

TEST(RecordMapper, FindsSeverityInTheBodyAndFlagsIt) {
  const OneRecord r(R"({"msg":"16:48:42.424 WARN  t.s.TravelServiceImpl"})");
  EXPECT_EQ(r.record.severity(), kSeverityWarn);
  EXPECT_TRUE(r.record.severity_is_from_body());
  const OneRecord given(R"({"msg":"ERROR x","level":"info"})");
  EXPECT_EQ(given.record.severity(), kSeverityInfo);
  EXPECT_FALSE(given.record.severity_is_from_body());
}

TEST(RecordMapper, IdsMustBeHexOfTheirSizeAndNotZero) {
  const OneRecord r(
      R"({"trace_id":"00000000000000000000000000000000","traceId":"0AF7651916cd43dd8448eb211c80319c","span_id":"b7ad6b716920333","span":{"id":"b7ad6b7169203331"}})");
  EXPECT_EQ(r.record.shape().leaves[0].role, LeafRole::attribute);
  EXPECT_EQ(r.leaf("trace_id"), "00000000000000000000000000000000");
  EXPECT_EQ(r.record.shape().leaves[1].role, LeafRole::trace_id);
  EXPECT_EQ(r.record.shape().leaves[2].role, LeafRole::attribute);
  EXPECT_EQ(r.record.shape().leaves[3].role, LeafRole::span_id);
}

TEST(RecordMapper, ResourceGoesByTheFirstPartOfThePath) {
  const OneRecord r(
      R"({"service":{"name":"api"},"host.name":"h1","k8s":{"pod":{"name":"p"}},"hosting":"x","container":null,"os":[1]})");
  EXPECT_EQ(r.label("service.name"), "api");
  EXPECT_EQ(r.label("host.name"), "h1");
  EXPECT_EQ(r.label("k8s.pod.name"), "p");
  EXPECT_EQ(r.label("hosting"), "<none>");
  EXPECT_EQ(r.label("container"), "<none>");
  EXPECT_EQ(r.leaf("os"), "[1]");
  EXPECT_EQ(
      r.json(),
      R"({"service":{"name":"api"},"host.name":"h1","k8s":{"pod":{"name":"p"}},"hosting":"x","container":null,"os":[1]})");
}

TEST(RecordMapper, StreamFieldsReplaceTheListButNeverTakeOurNames) {
  MappingOptions mapping;
  mapping.stream_fields = {"pod", "dendro.source"};
  mapping.labels = {{"dendro.source", "ingest"}, {"pod", "other"}, {"team", "a"}};
  const OneRecord r(R"({"service":"api","pod":"p1","dendro.source":"entries"})", mapping);
  EXPECT_EQ(r.label("service"), "<none>");
  EXPECT_EQ(r.label("pod"), "p1");  // the record's own wins
  EXPECT_EQ(r.label("team"), "a");
  EXPECT_EQ(r.label("dendro.source"), "ingest");
}

TEST(RecordMapper, OwnNamesComeBeforeTheTable) {
  MappingOptions mapping;
  mapping.time_fields = {"when"};
  mapping.body_fields = {"payload", "msg"};
  mapping.severity_fields = {"sev"};
  const OneRecord r(
      R"({"_time":"2026-01-01T00:00:00Z","when":"2026-01-02T00:00:00Z","message":"m","payload":{"x":1},"severity":"info","sev":"fatal"})",
      mapping);
  EXPECT_EQ(r.record.timestamp(), time_at("2026-01-02T00:00:00Z"));
  EXPECT_EQ(r.record.severity(), kSeverityFatal);
  EXPECT_EQ(r.leaf("x"), "1");
  EXPECT_EQ(r.leaf("message"), "m");
  EXPECT_EQ(OneRecord(R"({"ts":1})", mapping).record.timestamp(), Timestamp(kNanosPerSecond));
}

TEST(RecordMapper, AnUnreadableTimeKeepsItsTextAndItsPlace) {
  const OneRecord r(R"({"ts":"yesterday","msg":"m"})");
  EXPECT_EQ(r.record.timestamp(), kTestNow);
  EXPECT_EQ(r.leaf("dendro.time_text"), "yesterday");
  EXPECT_EQ(r.json(), R"({"ts":"yesterday","msg":"m"})");
}

TEST(RecordMapper, RefusesTimesOutOfBounds) {
  const auto reason = [](std::int64_t seconds_from_now, MappingOptions mapping) {
    const std::string json =
        "{\"ts\":\"" + to_rfc3339(Timestamp(kTestNow.number() + seconds_from_now * kNanosPerSecond)) + "\"}";
    const Decoded decoded = decode_text(json, {ParseFormat::json, JsonFraming::lines, std::move(mapping)});
    return decoded.refusals.empty() ? std::string("taken")
                                    : std::string(reject_reason_name(decoded.refusals[0].reason));
  };
  EXPECT_EQ(reason(2 * 86'400, {}), "taken");
  EXPECT_EQ(reason(2 * 86'400 + 1, {}), "too_new");
  EXPECT_EQ(reason(-50LL * 365 * 86'400, {}), "taken");  // no retention: any age
  MappingOptions kept;
  kept.age_max = std::chrono::hours(1);
  EXPECT_EQ(reason(-3600, kept), "taken");
  EXPECT_EQ(reason(-3601, kept), "too_old");
  EXPECT_EQ(decode_text(R"({"ts":"1677-09-22T00:00:00Z"})").accepted, 1u);
  EXPECT_EQ(decode_text(R"({"ts":"2262-04-11T00:00:00Z"})").refusals.at(0).reason, RejectReason::too_new);
}

TEST(RecordMapper, RefusesNamesOverTheLimit) {
  const std::string name(512, 'n');
  EXPECT_EQ(decode_text("{\"" + name + "\":1}").accepted, 1u);
  EXPECT_EQ(decode_text("{\"" + name + "x\":1}").refusals.at(0).reason, RejectReason::name_too_long);
  EXPECT_EQ(decode_text("{\"a\":{\"" + name + "\":1}}").refusals.at(0).reason, RejectReason::name_too_long);
}

TEST(RecordMapper, FieldsBeyondTheLimitGoIntoOneText) {
  MappingOptions mapping;
  mapping.limits.fields = 4;
  const OneRecord r(R"({"a":1,"b":{"c":2,"d":3,"e":[4]},"f":5,"g":{"h":"x"},"msg":"m"})", mapping);
  EXPECT_EQ(r.leaf("body"), "m");  // a part stays, wherever it stands
  EXPECT_EQ(r.leaf("a"), "1");
  EXPECT_EQ(r.leaf("b.c"), "2");
  EXPECT_EQ(r.leaf("dendro.more"), R"({"b":{"d":3,"e":[4]},"f":5,"g":{"h":"x"}})");
  EXPECT_EQ(r.record.shape().leaves.size(), 4u);
  EXPECT_EQ(OneRecord(R"({"a":1,"b":2,"c":3,"d":4})", mapping).leaf("dendro.more"), "<none>");
}

TEST(RecordMapper, TakesTenThousandNamesInOneBatch) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "{\"field" + std::to_string(i) + "\":" + std::to_string(i) + "}\n";
  const Decoded decoded = decode_text(text);
  EXPECT_EQ(decoded.accepted, 10'000u);
  EXPECT_EQ(leaf_text(decoded.records().at(9'999), "field9999"), "9999");
}

TEST(RecordMapper, DeepObjectsStayJsonText) {
  MappingOptions mapping;
  mapping.limits.depth = 3;
  const OneRecord r(R"({"a":{"b":{"c":{"d":1, "e":"x"}}}})", mapping);
  EXPECT_EQ(r.leaf("a.b.c"), R"({"d":1,"e":"x"})");
  EXPECT_EQ(r.json(), R"({"a":{"b":{"c":{"d":1,"e":"x"}}}})");
}

TEST(RecordMapper, KeepsTextThatIsNoUtf8AsBytes) {
  const OneRecord r("{\"msg\":\"a\xFF\\nb\",\"half\":\"\\ud800\"}");
  EXPECT_EQ(r.record.value_at(0).type, ValueType::bytes);
  EXPECT_EQ(r.record.value_at(0).text, "a\xFF\nb");
  EXPECT_EQ(r.record.value_at(1).text, "\xED\xA0\x80");
}

TEST(RecordMapper, SeesABadByteAnywhereInAString) {
  for (std::size_t size = 1; size < 50; ++size) {
    for (std::size_t bad = 0; bad < size; ++bad) {
      std::string text(size, 'x');
      text[bad] = '\xFF';
      const OneRecord r("{\"k\":\"" + text + "\"}                    ");
      ASSERT_EQ(r.record.value_at(0).type, ValueType::bytes) << size << " " << bad;
      ASSERT_EQ(r.record.value_at(0).text, text);
    }
  }
}

}  // namespace
}  // namespace dendro
