#include "filter/literal.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

LiteralKind kind(std::string_view text) {
  return Literal::of_word(text).kind();
}

TEST(Literal, KindFollowsTheText) {
  for (const char* text : {"5", "-1_000.5e3", "0xff", "5M", "2Ki", "1e3"})
    EXPECT_EQ(kind(text), LiteralKind::number) << text;
  for (const char* text : {"5m", "1h30m", "250ms", "1.5h", "3\xC2\xB5s", "1y"})
    EXPECT_EQ(kind(text), LiteralKind::duration) << text;
  for (const char* text : {"5B", "1.5GiB", "10KB"}) EXPECT_EQ(kind(text), LiteralKind::size) << text;
  for (const char* text : {"2026-11", "2026-11-20T10:02Z", "2026-11-20T10:02:59.5"})
    EXPECT_EQ(kind(text), LiteralKind::time) << text;
  for (const char* text : {"10.0.0.1", "fe80::1"}) EXPECT_EQ(kind(text), LiteralKind::ip) << text;
  for (const char* text : {"abc", "1.2.3", "5x", "1_", "-", "0x", "1e", "5 m", "Infinity", "nan", ""})
    EXPECT_EQ(kind(text), LiteralKind::text) << text;
  EXPECT_EQ(Literal::of_string("5").kind(), LiteralKind::text);
}

TEST(Literal, NumbersAreExactTo64Bits) {
  EXPECT_EQ(*parse_number("9007199254740993"), Number::of_int64(9007199254740993));
  EXPECT_NE(*parse_number("9007199254740993"), Number::of_double(9007199254740992.0));
  EXPECT_LT(Number::of_int64(9007199254740993), Number::of_double(9007199254740994.0));
  EXPECT_EQ(*parse_number("18446744073709551615"), Number::of_uint64(UINT64_MAX));
  EXPECT_LT(Number::of_int64(INT64_MAX), Number::of_double(9.3e18));
  EXPECT_LT(Number::of_int64(INT64_MAX), Number::of_uint64(UINT64_MAX));
  EXPECT_GT(Number::of_uint64(UINT64_MAX), Number::of_double(1.5));
  EXPECT_EQ(Number::of_int64(2), Number::of_double(2.0));
  EXPECT_LT(Number::of_int64(-2), Number::of_double(-1.5));
  EXPECT_GT(Number::of_int64(-1), Number::of_double(-1.5));
  EXPECT_EQ(*parse_number("5M"), Number::of_int64(5'000'000));
  EXPECT_EQ(*parse_number("1.5K"), Number::of_int64(1500));
  EXPECT_EQ(*parse_number("-0x10"), Number::of_int64(-16));
  EXPECT_FALSE(parse_number("1e999").has_value());
}

TEST(Literal, UnquotedLiteralsEqualByAmount) {
  EXPECT_TRUE(Literal::of_word("0.25s").equals(Value::of_text("250ms")));
  EXPECT_FALSE(Literal::of_string("0.25s").equals(Value::of_text("250ms")));
  EXPECT_TRUE(Literal::of_word("3").equals(Value::of_text("3.0")));
  EXPECT_TRUE(Literal::of_word("3").equals(Value::of_number_text("3.0")));
  EXPECT_FALSE(Literal::of_string("3").equals(Value::of_text("3.0")));
  EXPECT_TRUE(Literal::of_string("3").equals(Value::of_int64(3)));
  EXPECT_TRUE(Literal::of_word("true").equals(Value::of_bool(true)));
  EXPECT_TRUE(Literal::of_string("/w==").equals(Value::of_bytes("\xFF"))) << "bytes by their base64";
  EXPECT_FALSE(Literal::of_word("0").equals(Value::of_null()));
}

TEST(Literal, ComparesOnlyWithItsKind) {
  EXPECT_EQ(Literal::of_word("2").compare(Value::of_text("10")), std::partial_ordering::greater);
  EXPECT_EQ(Literal::of_word("2").compare(Value::of_text("9a")), std::nullopt);
  EXPECT_EQ(Literal::of_string("2").compare(Value::of_int64(10)), std::partial_ordering::less);
  EXPECT_EQ(Literal::of_word("1GiB").compare(Value::of_text("1.5GiB")), std::partial_ordering::greater);
  EXPECT_EQ(Literal::of_word("1GiB").compare(Value::of_int64(5)), std::nullopt);
  EXPECT_EQ(Literal::of_word("10.0.0.9").compare(Value::of_text("10.0.0.10")), std::partial_ordering::greater);
  EXPECT_EQ(Literal::of_word("10.0.0.9").compare(Value::of_text("fe80::1")), std::nullopt);
  EXPECT_EQ(Literal::of_word("2026-11-20").compare(Value::of_text("2026-11-20T10:00:00Z")),
            std::partial_ordering::equivalent);
}

TEST(Literal, TimesWithoutZoneKeepTheirMeaning) {
  const Literal literal = Literal::of_word("2026-11-20T10:02", 3600);
  EXPECT_EQ(literal.text(), "2026-11-20T10:02+01:00");
  EXPECT_EQ(literal, Literal::of_word(literal.text(), 0));
}

}  // namespace
}  // namespace dendro
