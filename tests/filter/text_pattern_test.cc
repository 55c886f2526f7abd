#include "filter/text_pattern.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

bool matches(std::string text, std::string_view value) {
  return TextPattern{std::move(text), false, false}.matches(value);
}

TEST(TextPattern, WordsNeedBoundariesWhereTheyEndInWordCharacters) {
  EXPECT_TRUE(matches("error", "an error: no"));
  EXPECT_FALSE(matches("error", "terror"));
  EXPECT_FALSE(matches("error", "errors"));
  EXPECT_FALSE(matches("foo", "foo_bar"));
  EXPECT_TRUE(matches("foo", "foo_bar foo-bar")) << "the second place fits";
  EXPECT_TRUE(matches("-bar", "foo-bar"));
  EXPECT_TRUE(matches("/api/", "x/api/y")) << "ends that are no word characters need no boundary";
  EXPECT_TRUE(matches("a b", "a b"));
  EXPECT_FALSE(matches("a b", "aa b"));
}

TEST(TextPattern, OnlyAsciiLettersAreWordCharacters) {
  EXPECT_TRUE(matches("ber",
                      "\xC3\xBC"
                      "ber"));
  EXPECT_TRUE(matches("\xE6\x97\xA5", "\xE6\x97\xA5\xE6\x9C\xAC"));
}

TEST(TextPattern, StarsOpenAnEnd) {
  EXPECT_TRUE((TextPattern{"err", false, true}.matches("errors")));
  EXPECT_FALSE((TextPattern{"err", false, true}.matches("terror")));
  EXPECT_TRUE((TextPattern{"ror", true, false}.matches("terror")));
  EXPECT_FALSE((TextPattern{"err", true, false}.matches("terror")));
  EXPECT_TRUE((TextPattern{"rro", true, true}.matches("terror")));
  EXPECT_FALSE((TextPattern{"x", true, true}.matches("")));
  EXPECT_TRUE((TextPattern{"", true, true}.matches("")));
}

TEST(TextPattern, OverlappingOccurrences) {
  EXPECT_TRUE(matches("a a", "xa a a"));
}

}  // namespace
}  // namespace dendro
