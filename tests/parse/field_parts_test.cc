#include <gtest/gtest.h>

#include "parse/body_severity.h"
#include "parse/field_time.h"
#include "parse/parse_format.h"

namespace dendro {
namespace {

std::int64_t nanos_of(const Value& value) {
  const auto time = time_of_value(value, 0);
  return time ? time->number() : -1;
}

TEST(FieldTime, ReadsNumbersBySizeAndDecimalsAsSeconds) {
  EXPECT_EQ(nanos_of(Value::of_int64(1'700'000'000)), 1'700'000'000'000'000'000);
  EXPECT_EQ(nanos_of(Value::of_int64(1'700'000'000'123)), 1'700'000'000'123'000'000);
  EXPECT_EQ(nanos_of(Value::of_int64(1'700'000'000'123'456)), 1'700'000'000'123'456'000);
  EXPECT_EQ(nanos_of(Value::of_int64(1'700'000'000'123'456'789)), 1'700'000'000'123'456'789);
  EXPECT_EQ(nanos_of(Value::of_text("1700000000")), 1'700'000'000'000'000'000);
  EXPECT_EQ(nanos_of(value_of_numeral("1700000000.25")), 1'700'000'000'250'000'000);
  EXPECT_EQ(nanos_of(value_of_numeral("1700000000.123456789")), 1'700'000'000'123'456'789);
  EXPECT_EQ(nanos_of(value_of_numeral("1.7e9")), 1'700'000'000'000'000'000);
  EXPECT_EQ(nanos_of(value_of_numeral("1e30")), -1);
  EXPECT_EQ(nanos_of(Value::of_text("2023-11-14T22:13:20Z")), 1'700'000'000'000'000'000);
  EXPECT_EQ(nanos_of(Value::of_text("yesterday")), -1);
  EXPECT_EQ(nanos_of(Value::of_text("")), -1);
  EXPECT_EQ(nanos_of(Value::of_bool(true)), -1);
}

TEST(FieldTime, DefaultZoneIsForTimesWithoutOne) {
  EXPECT_EQ(time_of_value(Value::of_text("1970-01-01 01:00:00"), 3600)->number(), 0);
  EXPECT_EQ(time_of_value(Value::of_text("1970-01-01T01:00:00Z"), 3600)->number(), 3600 * kNanosPerSecond);
}

TEST(FieldTime, OnlyTextThatPrintsBackBecomesATime) {
  for (const char* text : {"2026-11-20T10:00:00Z", "2026-11-20T10:00:00.1Z", "2026-11-20T10:00:00.123456789Z",
                           "2026-11-20T10:00:00.000Z"}) {
    const Value value = as_time_value(Value::of_text(text), *parse_rfc3339(text));
    std::string printed;
    append_value_text(printed, value);
    EXPECT_EQ(value.type, ValueType::time) << text;
    EXPECT_EQ(printed, text);
  }
  for (const char* text :
       {"2026-11-20T10:00:00+00:00", "2026-11-20t10:00:00Z", "2026-11-20T10:00:00z", "2026-11-20T10:00:60Z",
        "2026-11-20T10:00:00,5Z", "2026-11-20T10:00:00.1234567891Z", "2026-11-20 10:00:00Z", "2026-11-20T10:00:00"}) {
    EXPECT_EQ(as_time_value(Value::of_text(text), *parse_rfc3339(text)).type, ValueType::text) << text;
  }
}

TEST(BodySeverity, TakesWholeUpperCaseWordsAndBracketedOnes) {
  EXPECT_EQ(severity_in_body("2026-11-20 10:00:00,123 ERROR [main] x"), kSeverityError);
  EXPECT_EQ(severity_in_body("WARN: low disk"), kSeverityWarn);
  EXPECT_EQ(severity_in_body("[error] x"), kSeverityError);
  EXPECT_EQ(severity_in_body("<INFO>x"), kSeverityInfo);
  EXPECT_EQ(severity_in_body("level=FATAL x"), kSeverityFatal);
  for (const char* none : {"an error happened", "ERRORS=0", "NO_ERROR", "/ERROR/log", "Error: x", "TERROR", "ERROR.log",
                           "", "[errors]", "0123456789012345678901234567890123456789012345678901234567890123 ERROR"}) {
    EXPECT_EQ(severity_in_body(none), kSeverityUnset) << none;
  }
}

TEST(ParseFormat, IsToldByTheFirstByte) {
  EXPECT_EQ(detect_format(" \n{"), ParseFormat::json);
  EXPECT_EQ(detect_format("\xEF\xBB\xBF[1]"), ParseFormat::json);
  EXPECT_EQ(detect_format("text {"), ParseFormat::text);
  for (const char* json : {"[", "[\n {\"a\":1}]", "[]\n", "[ ] ,", "[[{", "[\"a\"]", "[null,{\"a\":1}]", "[-1.5e3, 2]",
                           "[1]\n[2]", "[ true ]", "[1]\r\n"}) {
    EXPECT_EQ(detect_format(json), ParseFormat::json) << json;
  }
  for (const char* text :
       {"[2026-11-20 10:00:00,123] ERROR x", "[2026-11-20T10:00:00Z] x", "[error] x", "[Fri Nov 20 10:00:00 2026] x",
        "[10.30 16:49:06] chrome.exe", "[    0.000000] Linux", "[1234] x", "[main] x", "[null] x", "[] x", "[[main] x]",
        "[-] x", "[nullable] x", "[E] x"}) {
    EXPECT_EQ(detect_format(text), ParseFormat::text) << text;
  }
  EXPECT_EQ(detect_format(" \n"), std::nullopt);
  EXPECT_EQ(parse_format_of_name("logfmt"), ParseFormat::logfmt);
  EXPECT_EQ(parse_format_of_name("xml"), std::nullopt);
}

}  // namespace
}  // namespace dendro
