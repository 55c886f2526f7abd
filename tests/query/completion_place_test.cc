#include "query/language/completion_place.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

/// `^` marks the caret. Gives "kind field prefix [what is replaced]".
std::string place_at(std::string text) {
  const std::size_t caret = text.find('^');
  text.erase(caret, 1);
  const CompletionPlace place = find_completion_place(text, caret);
  static constexpr std::string_view kKinds[] = {"filter", "value", "pipe", "stat", "field", "saved"};
  return std::string(kKinds[static_cast<std::size_t>(place.kind)]) + " " + place.field + " " + place.prefix + " [" +
         text.substr(place.first, place.last - place.first) + "]";
}

TEST(CompletionPlace, InAFilter) {
  EXPECT_EQ(place_at("^"), "filter   []");
  EXPECT_EQ(place_at("err^or"), "filter  err [error]");
  EXPECT_EQ(place_at("error sev^"), "filter  sev [sev]");
  EXPECT_EQ(place_at("(a or b^"), "filter  b [b]");
  EXPECT_EQ(place_at("-us^"), "filter  -us [-us]") << "a sign that sticks to a word is its own";
  EXPECT_EQ(place_at("$slo^"), "saved  slo [$slo]");
  EXPECT_EQ(place_at("* | where st^"), "filter  st [st]");
}

TEST(CompletionPlace, AValueAndWhoseItIs) {
  EXPECT_EQ(place_at("severity:^"), "value severity  []");
  EXPECT_EQ(place_at("severity:er^ | stats count()"), "value severity er [er]");
  EXPECT_EQ(place_at("user:=\"a b^"), "value user a b [\"a b]");
  EXPECT_EQ(place_at("user:=\"a^ b\" x"), "value user a [\"a b\"]");
  EXPECT_EQ(place_at("\"user name\":!=b^"), "value user name b [b]");
  EXPECT_EQ(place_at("status:>=5^"), "value status 5 [5]");
  EXPECT_EQ(place_at("status:in(200, 40^"), "value status 40 [40]");
  EXPECT_EQ(place_at("a:=1 x^"), "filter  x [x]");
}

TEST(CompletionPlace, InPipes) {
  EXPECT_EQ(place_at("* |^"), "pipe   []");
  EXPECT_EQ(place_at("* | st^"), "pipe  st [st]");
  EXPECT_EQ(place_at("* | stats co^"), "stat  co [co]");
  EXPECT_EQ(place_at("* | stats by (ser^"), "field  ser [ser]");
  EXPECT_EQ(place_at("* | stats by (service) su^"), "stat  su [su]");
  EXPECT_EQ(place_at("* | stats sum(du^"), "field  du [du]");
  EXPECT_EQ(place_at("* | stats count() as n, av^"), "stat  av [av]");
  EXPECT_EQ(place_at("* | sort by (ti^"), "field  ti [ti]");
  EXPECT_EQ(place_at("* | fields a, b^"), "field  b [b]");
}

TEST(CompletionPlace, EveryOffsetOfEveryTextHasSome) {
  for (const std::string text :
       {"\"", "a:\"\\", "| | |", "a:in((((,", "`x", "'", "$", ":::", "a | stats by ((", "\xFF\xFE:"}) {
    for (std::size_t offset = 0; offset <= text.size() + 2; ++offset) {
      const CompletionPlace place = find_completion_place(text, offset);
      EXPECT_LE(place.first, place.last);
      EXPECT_LE(place.last, text.size());
    }
  }
}

}  // namespace
}  // namespace dendro
