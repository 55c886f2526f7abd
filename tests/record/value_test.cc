#include "record/value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "record/record_id.h"
#include "record/severity.h"

namespace dendro {
namespace {

std::string text_of(const Value& value) {
  std::string out;
  append_value_text(out, value);
  return out;
}

std::string json_text_of(const Value& value) {
  std::string out;
  append_value_json(out, value);
  return out;
}

TEST(ValueOfNumeral, KeepsTheExactText) {
  for (const char* numeral :
       {"0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "1.0", "1e3", "-0", "0.1", "1e400", "123456789012345678901234567890", "1E5", "2.50",
        "-0.0", "5e-324", "1.7976931348623157e+308"}) {
    EXPECT_EQ(text_of(value_of_numeral(numeral)), numeral);
    EXPECT_EQ(json_text_of(value_of_numeral(numeral)), numeral);
  }
}

TEST(ValueOfNumeral, TakesTheNarrowestTypeThatGivesTheTextBack) {
  EXPECT_EQ(value_of_numeral("42").type, ValueType::int64);
  EXPECT_EQ(value_of_numeral("-9223372036854775808").type, ValueType::int64);
  EXPECT_EQ(value_of_numeral("9223372036854775808").type, ValueType::uint64);
  EXPECT_EQ(value_of_numeral("0.5").type, ValueType::float64);
  for (const char* numeral : {"1.0", "1e3", "-0", "18446744073709551616", "1e400", "-0.0"}) {
    EXPECT_EQ(value_of_numeral(numeral).type, ValueType::number_text) << numeral;
  }
}

TEST(ValueOfString, TellsTextFromBytes) {
  EXPECT_EQ(value_of_string("gr\xc3\xbc\xc3\x9f").type, ValueType::text);
  EXPECT_EQ(value_of_string("\xc3").type, ValueType::bytes);
  EXPECT_EQ(json_text_of(value_of_string("\xc3")), "\"ww==\"");
}

TEST(ValueText, IsWhatFiltersSee) {
  EXPECT_EQ(text_of(Value::of_null()), "");
  EXPECT_EQ(text_of(Value::of_bool(false)), "false");
  EXPECT_EQ(text_of(Value::of_empty_object()), "{}");
  EXPECT_EQ(text_of(Value::of_list("[1]")), "[1]");
  EXPECT_EQ(text_of(Value::of_time(Timestamp(0), 0)), "1970-01-01T00:00:00Z");
  std::string scratch;
  EXPECT_EQ(value_text(Value::of_bytes("\xff"), scratch), "\xff");
}

TEST(RecordId, SortsLikeThePosition) {
  std::mt19937_64 random(3);
  std::vector<RecordPosition> positions = {{kTimestampMin, SequenceNumber(0)},
                                           {kTimestampMax, SequenceNumber(UINT64_MAX)},
                                           {Timestamp(-1), SequenceNumber(1)},
                                           {Timestamp(0), SequenceNumber(0)}};
  for (int i = 0; i < 500; ++i) {
    const auto time = static_cast<std::int64_t>(random());
    positions.push_back({Timestamp(i % 2 == 0 ? time : time % 10), SequenceNumber(random() % 100)});
  }
  std::sort(positions.begin(), positions.end());
  std::vector<std::string> ids;
  for (const RecordPosition& position : positions) {
    ids.push_back(to_record_id(position));
    EXPECT_EQ(ids.back().size(), 26u);
    EXPECT_EQ(parse_record_id(ids.back()), position);
  }
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST(RecordId, RefusesOtherText) {
  const std::string id = to_record_id({Timestamp(1), SequenceNumber(2)});
  EXPECT_FALSE(parse_record_id("").has_value());
  EXPECT_FALSE(parse_record_id(id.substr(1)).has_value());
  EXPECT_FALSE(parse_record_id(id + "0").has_value());
  EXPECT_FALSE(parse_record_id(std::string(26, 'w')).has_value());
  EXPECT_FALSE(parse_record_id(std::string(26, 'v')).has_value());  // beyond 64 bits
  EXPECT_FALSE(parse_record_id("g" + id.substr(1)).has_value());
}

TEST(Severity, ReadsWordsAndNumbers) {
  EXPECT_EQ(severity_of_word("WARNING"), kSeverityWarn);
  EXPECT_EQ(severity_of_word("Err"), kSeverityError);
  EXPECT_FALSE(severity_of_word("warnings").has_value());
  EXPECT_EQ(severity_of_value(Value::of_int64(30)), kSeverityInfo);
  EXPECT_EQ(severity_of_value(Value::of_int64(17)), kSeverityError);
  EXPECT_EQ(severity_of_value(Value::of_text("50")), kSeverityError);
  EXPECT_FALSE(severity_of_value(Value::of_int64(0)).has_value());
  EXPECT_FALSE(severity_of_value(Value::of_int64(70)).has_value());
  EXPECT_FALSE(severity_of_value(Value::of_bool(true)).has_value());
}

TEST(Severity, NamesItsGroups) {
  EXPECT_EQ(severity_name(kSeverityUnset), "");
  EXPECT_EQ(severity_name(1), "trace");
  EXPECT_EQ(severity_name(12), "info");
  EXPECT_EQ(severity_name(24), "fatal");
  EXPECT_EQ(severity_name(25), "");
}

}  // namespace
}  // namespace dendro
