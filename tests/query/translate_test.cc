#include <gtest/gtest.h>

#include "query/translate/translation.h"

namespace dendro {
namespace {

std::string shown(const Result<Translation>& done) {
  if (!done) return "error: " + done.error().message();
  std::string text = done->query;
  for (const std::string& warning : done->warnings) text += "  # " + warning.substr(0, 20);
  return text;
}
std::string lucene(std::string_view text, LuceneOperator between = LuceneOperator::any) {
  return shown(translate_lucene(text, LuceneDialect::query_string, between));
}
std::string kql(std::string_view text) {
  return shown(translate_lucene(text, LuceneDialect::kql));
}
std::string logql(std::string_view text) {
  return shown(translate_logql(text));
}

TEST(TranslateLucene, TermsPhrasesAndFields) {
  EXPECT_EQ(lucene(""), "*");
  EXPECT_EQ(lucene("*:*"), "*");
  EXPECT_EQ(lucene("foo"), "i(foo)");
  EXPECT_EQ(lucene("\"no space left\""), "i(\"no space left\")");
  EXPECT_EQ(lucene("host.name:web-1"), "host.name:i(web-1)");
  EXPECT_EQ(lucene("user.keyword:\"Ann B\""), "user:=\"Ann B\"");
  EXPECT_EQ(lucene("message:timeout"), "body:i(timeout)");
  EXPECT_EQ(lucene("_exists_:trace_id"), "trace_id:*");
  EXPECT_EQ(lucene("trace_id:*"), "trace_id:*");
  EXPECT_EQ(lucene(R"(path:\/a\:b)"), "path:i(\"/a:b\")");
  EXPECT_EQ(lucene("f:\"\""), "f:\"\"");
}

TEST(TranslateLucene, Operators) {
  EXPECT_EQ(lucene("a b"), "i(a) or i(b)");
  EXPECT_EQ(lucene("a b", LuceneOperator::all), "i(a) i(b)");
  EXPECT_EQ(lucene("a AND b OR c"), "i(a) i(b) or i(c)");
  EXPECT_EQ(lucene("a && !b || c"), "i(a) not i(b) or i(c)");
  EXPECT_EQ(lucene("a -b"), "i(a) not i(b)");
  EXPECT_EQ(lucene("a b -c"), "(i(a) or i(b)) not i(c)");
  EXPECT_EQ(lucene("+a b -c"), "i(a) not i(c)  # beside clauses with ");
  EXPECT_EQ(lucene("NOT (a OR b)"), "not (i(a) or i(b))");
  EXPECT_EQ(lucene("f:(a OR b)"), "f:i(a) or f:i(b)");
  EXPECT_EQ(lucene("and or"), "i(\"and\") or i(\"or\")") << "in small letters they are words";
}

TEST(TranslateLucene, RangesWildcardsExpressions) {
  EXPECT_EQ(lucene("status:[400 TO 499]"), "status:>=400 status:<=499");
  EXPECT_EQ(lucene("status:{400 TO 500}"), "status:>400 status:<500");
  EXPECT_EQ(lucene("status:[500 TO *]"), "status:>=500");
  EXPECT_EQ(lucene("status:>=500"), "status:>=500");
  EXPECT_EQ(lucene("@timestamp:[2026-11-20 TO 2026-11-21}").substr(0, 8), "_time:>=") << "a range of time";
  EXPECT_EQ(lucene("time*"), "i(time*)");
  EXPECT_EQ(lucene("te?t*"), R"(~"(?i)\\bte\\St\\S*")");
  EXPECT_EQ(lucene("f.keyword:a*c"), R"(f:~"^a\\S*c$")");
  EXPECT_EQ(lucene("f:/ab+c/"), R"(f:~"(?i)\\b(?:ab+c)\\b")");
  EXPECT_EQ(lucene("a^2 b"), "i(a) or i(b)  # boosts (^) only orde");
}

TEST(TranslateLucene, WhatHasNoEquivalentIsAnError) {
  EXPECT_EQ(lucene("roam~"), "error: offset 5: fuzzy search (~) has no equivalent");
  for (const char* text :
       {"\"a b\"~3", "a AND", "(a", "a)", "f:", "f:[1 TO", "f:[1 2]", "\"a", "f:/a", "[1 TO 2]", "NOT"}) {
    EXPECT_TRUE(lucene(text).starts_with("error: offset ")) << text << ": " << lucene(text);
  }
  EXPECT_TRUE(lucene(std::string(60, '(') + "a" + std::string(60, ')')).starts_with("error"));
}

TEST(TranslateKql, IsKibanas) {
  EXPECT_EQ(kql("status >= 500 and not host.name: web*"), "status:>=500 not host.name:i(web*)");
  EXPECT_EQ(kql("method: (GET or POST)"), "method:i(GET) or method:i(POST)");
  EXPECT_EQ(kql("message: \"no space\" OR response:*"), "body:i(\"no space\") or response:*");
  EXPECT_EQ(kql("message: one two and x: 1"), "(body:i(one) or body:i(two)) x:i(1)");
  EXPECT_EQ(kql("a-b"), "i(a-b)");
}

TEST(TranslateLogql, SelectorsAndLineFilters) {
  EXPECT_EQ(logql(R"({app="web", env=~"prod|dev", x!=""})"), R"({app="web"} {env=~"prod|dev"} not {x=""})");
  EXPECT_EQ(logql("{}"), "*");
  EXPECT_EQ(logql(R"({app="web"} |= "error" != "retry")"), R"({app="web"} body:*error* not body:*retry*)");
  EXPECT_EQ(logql(R"({app="web"} |= "a" or "b")"), R"({app="web"} (body:*a* or body:*b*))");
  EXPECT_EQ(logql("{app=\"web\"} |~ `take \\d+ms` !~ \"x\""), R"({app="web"} body:~"take \\d+ms" not body:~"x")");
  EXPECT_EQ(logql(R"({app="web"} |= ip("10.0.0.0/8"))"), R"({app="web"} body:ip("10.0.0.0/8"))");
  EXPECT_EQ(logql(R"({app="web"} |> "took <_> ms")"), R"({app="web"} body:~"took .* ms")");
}

TEST(TranslateLogql, StagesAndLabelFilters) {
  EXPECT_EQ(
      logql(R"({a="b"} | json | status >= 500 and (path=~"/api.*" or took > 2s) |= "x")"),
      R"({a="b"} | unpack json | where status:>=500 (path:~"^(?:/api.*)$" or took:>2s) | where body:*x*  # members of members a)");
  EXPECT_EQ(logql(R"({a="b"} | pattern "<ip> <_>" | drop ip)"), R"({a="b"} | extract "<ip> <_>" | drop ip)");
  EXPECT_EQ(logql(R"({a="b"} | x="")"), R"({a="b"} | where x:"")");
}

TEST(TranslateLogql, WhatHasNoEquivalentIsAnError) {
  for (const char* text :
       {"", "rate({a=\"b\"}[5m])", "{a=\"b\"", "{a}", "{a=\"b\"} | line_format \"x\"", "{a=\"b\"} |= x",
        "{a=\"b\"} | unwrap f", "{a=\"b\"} | x", "{a=\"b\"} | x = ", "{a=\"b\"} extra", "{a=\"b\"} | json x=\"y\""}) {
    EXPECT_TRUE(logql(text).starts_with("error: offset ")) << text << ": " << logql(text);
  }
}

}  // namespace
}  // namespace dendro
