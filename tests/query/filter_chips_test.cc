#include "query/language/filter_chips.h"

#include <gtest/gtest.h>

#include "query/language/query_parser.h"

namespace dendro {
namespace {

ParsedQuery parsed(const std::string& text) {
  QueryFault fault;
  auto query = parse_query(text, {}, fault);
  EXPECT_TRUE(query.has_value()) << text << ": " << fault.detail();
  return query.has_value() ? std::move(query).value() : ParsedQuery();
}

/// "field op value [text]" of each.
std::vector<std::string> chips_of(const std::string& text) {
  std::vector<std::string> chips;
  for (const FilterChip& chip : filter_chips(parsed(text))) {
    chips.push_back(chip.field + " " + chip.op + " " + chip.value + " [" +
                    text.substr(chip.first, chip.last - chip.first) + "]");
  }
  return chips;
}

TEST(FilterChips, AreTheConditionsThatAndJoins) {
  using Chips = std::vector<std::string>;
  EXPECT_EQ(chips_of("severity:error user:=\"a b\" and -host:=h1 | stats count()"),
            (Chips{"severity = error [severity:error]", "user = a b [user:=\"a b\"]", "host != h1 [-host:=h1]"}));
  EXPECT_EQ(chips_of("timeout not \"retry later\" status:>=500 path:~\"^/api\" not path:~x"),
            (Chips{" : timeout [timeout]", " !: retry later [not \"retry later\"]", "status >= 500 [status:>=500]",
                   "path ~ ^/api [path:~\"^/api\"]", "path !~ x [not path:~x]"}));
  EXPECT_EQ(chips_of("{service=\"x\"} (a or b) f:in(1,2) -status:>3 severity:>=warn"),
            (Chips{"  {service=\"x\"} [{service=\"x\"}]", "  a or b [(a or b)]", "f  f:in(1,2) [f:in(1,2)]",
                   "status  not status:>3 [-status:>3]", "severity >= warn [severity:>=warn]"}));
  EXPECT_EQ(chips_of("f:\"\" error | trace"), (Chips{"f =  [f:\"\"]", " : error [error]"}));
}

TEST(FilterChips, ThereAreNoneOfAnOrNorOfEverything) {
  EXPECT_TRUE(chips_of("a:=1 or b:=2").empty());
  EXPECT_TRUE(chips_of("*").empty());
  EXPECT_TRUE(chips_of("").empty());
  EXPECT_TRUE(chips_of("* | where a:=1").empty());
  EXPECT_EQ(chips_of("in_sub:in(x:=1 | fields y) z:=1").size(), 2u) << "of the query itself, not of one inside it";
}

std::string edited(const std::string& text, const FilterEdit& edit) {
  const auto done = edit_filter(text, parsed(text), edit);
  EXPECT_TRUE(done.has_value()) << text;
  return done.has_value() ? *done : done.error().message();
}
std::string added(const std::string& text, std::string field, std::string op, std::string value) {
  return edited(text, {FilterEdit::Action::add, std::move(field), std::move(op), std::move(value)});
}
std::string removed(const std::string& text, std::string field, std::string op, std::string value) {
  return edited(text, {FilterEdit::Action::remove, std::move(field), std::move(op), std::move(value)});
}

TEST(EditFilter, AddsAConditionAndLeavesTheRestAsItWasWritten) {
  EXPECT_EQ(added("*", "user", "=", "bob"), "user:=bob");
  EXPECT_EQ(added("", "user", "=", "bob"), "user:=bob");
  EXPECT_EQ(added("| stats count()", "user", "=", "bob"), "user:=bob | stats count()");
  EXPECT_EQ(added("error   and  x:=1 | stats  count()", "user", "!=", "bob"),
            "error   and  x:=1 -user:=bob | stats  count()");
  EXPECT_EQ(added("a or b", "user", "=", "bob"), "(a or b) user:=bob");
  EXPECT_EQ(added("error", "severity", "=", "warn"), "error severity:warn");
  EXPECT_EQ(added("error", "", "=", "no space left"), "error \"no space left\"");
  EXPECT_EQ(added("error", "x", "=", ""), "error x:\"\"");
  EXPECT_EQ(added("x:=1 error", "x", "=", "1"), "x:=1 error") << "is there";
}

TEST(EditFilter, QuotesWhatNeedsIt) {
  EXPECT_EQ(added("*", "user name", "=", "a \"b\" | c"), R"("user name":="a \"b\" | c")");
  EXPECT_EQ(added("*", "1st", "=", "or"), "\"1st\":=\"or\"");
  EXPECT_EQ(added("*", "took", "=", "5m"), "took:=\"5m\"") << "the text, not the duration";
  EXPECT_EQ(added("*", "n", "=", "5"), "n:=5");
  for (const char* value : {"a*", "-x", "$y", "(", "\\", "ü", "\n", "in(a)", "*", "~x", ">5", "#"}) {
    const std::string text = added("*", "f", "=", value);
    const auto chips = filter_chips(parsed(text));
    ASSERT_EQ(chips.size(), 1u) << text;
    EXPECT_EQ(chips[0].op, "=") << text;
    EXPECT_EQ(chips[0].value, value) << text;
  }
}

TEST(EditFilter, OnlyTakesThePlaceOfWhatTheFilterAskedOfTheField) {
  EXPECT_EQ(added("x:>5 error -x:=7 | stats count()", "x", "only", "1"), "error x:=1 | stats count()");
  EXPECT_EQ(added("x:=2", "x", "only", "1"), "x:=1");
  EXPECT_EQ(added("x:=1 x:=2 y:=3", "x", "only", "1"), "x:=1 y:=3");
}

TEST(EditFilter, RemovesAConditionWithItsJoint) {
  EXPECT_EQ(removed("a:=1 and b:=2 and c:=3", "a", "=", "1"), "b:=2 and c:=3");
  EXPECT_EQ(removed("a:=1 and b:=2 and c:=3", "b", "=", "2"), "a:=1 and c:=3");
  EXPECT_EQ(removed("a:=1 and b:=2 and c:=3 | top 3 by (x)", "c", "=", "3"), "a:=1 and b:=2 | top 3 by (x)");
  EXPECT_EQ(removed("a:=1 | top 3 by (x)", "a", "=", "1"), "* | top 3 by (x)");
  EXPECT_EQ(removed("a:=1 b:=2 b:=2", "b", "=", "2"), "a:=1");
  EXPECT_EQ(removed("severity:error x", "severity", "=", "error"), "x");
  EXPECT_EQ(removed("x -y:=1", "y", "!=", "1"), "x");
  EXPECT_EQ(removed("x timeout", "", "=", "timeout"), "x");
  EXPECT_EQ(removed("x y:=1", "y", "=", "2"), "x y:=1") << "is not there";
}

TEST(EditFilter, RefusesWhatNoConditionIs) {
  const auto refuse = [](FilterEdit edit) {
    const auto done = edit_filter("*", parsed("*"), edit);
    return !done.has_value() && done.error().code() == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(refuse({FilterEdit::Action::add, "f", ">", "1"}));
  EXPECT_TRUE(refuse({FilterEdit::Action::remove, "f", "only", "1"}));
  EXPECT_TRUE(refuse({FilterEdit::Action::add, "_time", "=", "1"}));
  EXPECT_TRUE(refuse({FilterEdit::Action::add, "", "=", ""}));
}

}  // namespace
}  // namespace dendro
