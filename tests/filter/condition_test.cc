// Conditions that no other file asks: sets of literals, places, neighbours; and their way through files.
#include <gtest/gtest.h>

#include <random>

#include "filter/literal_set.h"
#include "filter/placeholder_regex.h"
#include "filter/predicate_codec.h"
#include "filter/predicate_text.h"
#include "filter/value_test.h"

namespace dendro {
namespace {

Value text(std::string_view t) {
  return Value::of_text(t);
}

TEST(LiteralSet, SaysWhatEachLiteralSays) {
  const char* given = std::getenv("DENDRO_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261121;
  std::mt19937_64 random(seed);
  const std::vector<std::string> words = {
      "1",    "1.0", "-0",   "0",  "18446744073709551615", "0xff",     "255", "250ms", "0.25s",
      "1KiB", "abc", "true", "2M", "2026-11-20",           "10.0.0.1", "",    "1e3"};
  const std::vector<Value> values = {Value::of_int64(1),
                                     Value::of_float64(1),
                                     Value::of_uint64(UINT64_MAX),
                                     Value::of_float64(0.25),
                                     Value::of_bool(true),
                                     Value::of_null(),
                                     Value::of_int64(255),
                                     Value::of_int64(2000000),
                                     Value::of_number_text("1e3"),
                                     text("250ms"),
                                     text("1024B"),
                                     text("abc"),
                                     text(""),
                                     text("-0"),
                                     Value::of_bytes("\xFF"),
                                     text("10.0.0.1"),
                                     text("2026-11-20T05:00:00Z")};
  for (int round = 0; round < 500; ++round) {
    std::vector<Literal> literals;
    for (std::uint64_t i = random() % 6; i > 0; --i) {
      const std::string& word = words[random() % words.size()];
      literals.push_back(random() % 2 == 0 ? Literal::of_word(word) : Literal::of_string(word));
    }
    const LiteralSet set(literals);
    for (const Value& value : values) {
      bool expected = false;
      for (const Literal& literal : literals) expected = expected || literal.equals(value);
      std::string shown;
      append_value_text(shown, value);
      ASSERT_EQ(set.contains(value), expected) << "seed " << seed << " round " << round << " value " << shown;
    }
  }
}

bool has_place(const char* pattern, std::string_view value) {
  return (*compile_placeholders(pattern))->matches(value);
}

TEST(PlaceholderRegex, Places) {
  EXPECT_TRUE(has_place("took <n>ms", "it took -1.5ms"));
  EXPECT_FALSE(has_place("took <n>ms", "it took xms"));
  EXPECT_TRUE(has_place("<ip>:<n>", "10.0.0.1:80"));
  EXPECT_TRUE(has_place("peer <ip>!", "peer fe80::1!"));
  EXPECT_TRUE(has_place("<uuid>", "550e8400-e29b-41d4-a716-446655440000"));
  EXPECT_TRUE(has_place("at <time> end", "at 2026-11-20 10:00:00,123+01:00 end"));
  EXPECT_TRUE(has_place("a<*>b", "a\nb"));
  EXPECT_TRUE(has_place("[x] (1+1) <w>", "[x] (1+1) y"));
  EXPECT_TRUE(has_place("a < b <n>", "a < b 5")) << "a bracket that is no place is text";
  EXPECT_FALSE(compile_placeholders("<nope>").has_value());
}

TEST(ValueTest, NearCountsWordsBetween) {
  const auto is_near = [](std::string_view value, const char* a, const char* b, std::uint64_t words) {
    return ValueTest(Near{TextPattern{a}, TextPattern{b}, words}).matches(text(value));
  };
  EXPECT_TRUE(is_near("a b", "a", "b", 0));
  EXPECT_FALSE(is_near("a x b", "a", "b", 0));
  EXPECT_TRUE(is_near("b x a", "a", "b", 1));
  EXPECT_TRUE(is_near("a x x x b a y b", "a", "b", 0));
  EXPECT_FALSE(is_near("a", "a", "a", 5)) << "one word is no neighbour of itself";
  EXPECT_TRUE(is_near("a a", "a", "a", 0));
  EXPECT_TRUE(is_near("over the hill, far away", "the hill", "away", 1));
  EXPECT_FALSE(is_near("over the hill, far away", "the hill", "away", 0));
}

TEST(PredicateCodec, NewKindsComeBackAndPrintAlike) {
  const auto berlin = *TimeZone::find("Europe/Berlin");
  const std::vector<Predicate> predicates = {
      Predicate{FieldTest{"f", StringRange{"a", "b"}}},
      Predicate{FieldTest{"f", TypeIs{ValueKind::list}}},
      Predicate{FieldTest{"f", PlaceholderMatch{"<n>ms", *compile_placeholders("<n>ms")}}},
      Predicate{FieldTest{"", Near{TextPattern{"a", true}, TextPattern{"b c"}, 3}}},
      Predicate{
          ClockTest{"_time", ClockTest::Cycle::day, 8 * 3600 * kNanosPerSecond, 86'400 * kNanosPerSecond, berlin}},
      Predicate{ClockTest{"_time", ClockTest::Cycle::week, 0, 5 * kNanosPerDay, TimeZone::utc()}}};
  for (const Predicate& predicate : predicates) {
    const auto again = decode_predicate(encode_predicate(predicate));
    ASSERT_TRUE(again.has_value()) << to_text(predicate) << ": " << again.error().message();
    EXPECT_TRUE(*again == predicate) << to_text(predicate);
    EXPECT_EQ(to_text(*again), to_text(predicate));
  }
  const auto inner = decode_predicate(encode_predicate(Predicate{FieldTest{"f", InQuery{"* | fields a", 0}}}));
  ASSERT_FALSE(inner.has_value());
  EXPECT_EQ(inner.error().code(), ErrorCode::unimplemented) << "no deletion by a query inside a query";
}

TEST(Regex, Captures) {
  const auto regex = *Regex::compile("(?P<a>x+)(y)?|(?P<b>z)");
  EXPECT_EQ(regex->group_names(), (std::vector<std::string>{"a", "", "b"}));
  std::vector<std::string_view> groups;
  ASSERT_TRUE(regex->capture("..xxy..z", 0, groups));
  EXPECT_EQ(groups, (std::vector<std::string_view>{"xxy", "xx", "y", ""}));
  EXPECT_EQ(groups[3].data(), nullptr) << "took no part";
  ASSERT_TRUE(regex->capture("..xxy..z", 5, groups));
  EXPECT_EQ(groups[0], "z");
  EXPECT_FALSE(regex->capture("..xxy..", 5, groups));
  const auto start = *Regex::compile("^x");
  EXPECT_FALSE(start->capture("xx", 1, groups)) << "^ is the start of the value, not of the search";
}

}  // namespace
}  // namespace dendro
