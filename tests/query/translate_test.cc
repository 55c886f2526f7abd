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
  EXPECT_EQ(logql(R"({a="b"} | pattern "at <t> <_>")"), R"({a="b"} | extract if (body:="at "*) "at <t> <_>")")
      << "anchored at the start";
  EXPECT_EQ(logql(R"({a="b"} | line_format "{{.ip}} took {{ .ms }}")"), R"({a="b"} | format "<ip> took <ms>")");
  EXPECT_EQ(logql(R"({a="b"} | label_format x=y, z="{{.x}}!")"), R"({a="b"} | rename y as x | format "<x>!" as z)");
  EXPECT_EQ(logql(R"({a="b"} | distinct x, y)"), R"({a="b"} | dedup 1 by (x, y))");
  EXPECT_EQ(logql(R"({a="b"} | x="")"), R"({a="b"} | where x:"")");
}

TEST(TranslateLogql, WhatHasNoEquivalentIsAnError) {
  for (const char* text : {"", "{a=\"b\"", "{a}", "{a=\"b\"} | line_format \"{{if .x}}\"",
                           "{a=\"b\"} | line_format \"<\"", "{a=\"b\"} |= x", "{a=\"b\"} | unwrap f", "{a=\"b\"} | x",
                           "{a=\"b\"} | x = ", "{a=\"b\"} extra", "{a=\"b\"} | json x=\"y\"", "{a=\"b\"}[5m]",
                           "{a=\"b\"} | keep x", "{a=\"b\"} | drop x=\"y\"", "{a=\"b\"} | json | __error__=\"\""}) {
    EXPECT_TRUE(logql(text).starts_with("error: offset ")) << text << ": " << logql(text);
  }
}

TEST(TranslateLogql, Metrics) {
  EXPECT_EQ(logql(R"(count_over_time({a="b"}[5m]))"),
            R"({a="b"} | stats by (_stream, _time:5m window 5m) count() as value)");
  EXPECT_EQ(
      logql(R"(sum by (app) (rate({a="b"} |= "x" [1m] offset 1h)))"),
      R"({a="b"} body:*x* | stats by (app, _time:1m window 1m offset 1h) count() as value | eval value / 60 as value)");
  EXPECT_EQ(logql(R"(avg(count_over_time({}[1m])) by (app))"),
            R"(* | stats by (_stream, app, _time:1m window 1m) count() as value | )"
            R"(stats by (app, _time) avg(value) as value)");
  EXPECT_EQ(logql(R"(topk(3, sum by (app) (bytes_over_time({}[1m]))) > 10)"),
            R"(* | stats by (app, _time:1m window 1m) sum_len(body) as value | sort by (value desc) | )"
            R"(dedup 3 by (_time) | sort by (_time, value desc) | where value:>10)");
  EXPECT_EQ(logql(R"(quantile_over_time(0.9, {} | logfmt | unwrap duration(took) | __error__="" [1m]) by (app))"),
            R"x(* | unpack logfmt | eval duration_ms(took) / 1000 as unwrapped | where unwrapped:* | )x"
            R"x(stats by (app, _time:1m window 1m) quantile(0.9, unwrapped) as value)x"
            R"(  # a quantile is a valu  # members of members a)");
  EXPECT_EQ(logql("100 * sum(rate({}[1d])) / 2 ^ 3"),
            "* | stats by (_time:1h window 24h) count() as value | eval value / 86400 as value | "
            "eval 100 * value as value | eval value / 8 as value");
  EXPECT_EQ(logql("5 < bool sum(rate({}[1m]))"),
            "* | stats by (_time:1m window 1m) count() as value | eval value / 60 as value | "
            "eval if (value:>5) 1 else 0 as value");
}

TEST(TranslateLogql, MetricsWithoutEquivalentAreNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {"absent_over_time({a=\"b\"}[5m])", "\"absent_over_time\" has no translation"},
      {"rate_counter({a=\"b\"} | unwrap x [5m])", "\"rate_counter\" has no translation"},
      {"sum without (x) (rate({}[5m]))", "\"without\" has no translation"},
      {"sum(rate({}[5m])) / sum(rate({}[5m]))", "\"/\" between two series has no translation"},
      {"sum(rate({}[5m])) and sum(rate({}[5m]))", "\"and\" between series has no translation"},
      {"count_over_time({} | json [5m])", "series by all the labels that a parser makes"},
      {"avg by (x) (count_over_time({} | json [5m]))", "series by all the labels that a parser makes"},
      {"sum_over_time({}[5m])", "needs \"| unwrap label\""},
      {"bytes_rate({} | unwrap x [5m])", "takes no unwrap"},
      {"rate({}[5x])", "a range such as [5m]"},
      {"rate({})", "a range such as [5m]"},
      {"vector(1)", "\"vector\" has no translation"},
      {"label_replace(rate({}[5m]), \"a\")", "\"label_replace\" has no translation"},
      {"sum by (value) (rate({}[5m]))", "a column of the result is called so"},
      {"sum by (x) (avg by (y) (rate({}[5m])))", "have no label \"x\""},
      {"rate({}[5m] offset -1h)", "a negative one has no translation"},
      {"1 / sum(rate({}[5m]))", "it may divide by zero"},
      {"topk(0, rate({}[5m]))", "a whole number from 1 on"},
      {"rate({}[5m]) extra", "nothing must stand here"},
      {"1 + 1", "a number alone"},
      {"sum(", "the name of a label"},
  };
  for (const auto& [text, told] : kCases) {
    EXPECT_TRUE(logql(text).starts_with("error: offset ")) << text << ": " << logql(text);
    EXPECT_NE(logql(text).find(told), std::string::npos) << text << ": " << logql(text);
  }
  EXPECT_TRUE(logql(std::string(60, '(') + "1" + std::string(60, ')')).starts_with("error"));
}

std::string insights(std::string_view text) {
  return shown(translate_insights(text));
}

TEST(TranslateInsights, Commands) {
  EXPECT_EQ(insights("fields @timestamp, @message | sort @timestamp desc | limit 20"),
            "* | sort by (_time desc) | limit 20 | fields _time, body");
  EXPECT_EQ(insights("filter @message like /(?i)timeout/ and status >= 500 | stats count(*) as n by bin(5m), host"),
            R"(body:~"(?i)timeout" status:>=500 | stats by (_time:5m, host) count() as n)");
  EXPECT_EQ(insights("filter level = 'error' or not (a in [\"x\", 2]) | dedup user"),
            R"(level:error or not a:in("x",2) | dedup 1 by (user))");
  EXPECT_EQ(insights("parse @message \"took * ms for *\" as ms, user | stats avg(ms), pct(ms, 95) as p by user"),
            R"(* | extract "took <ms> ms for <user>" | stats by (user) avg(ms) as avg_ms, quantile(0.95, ms) as p)");
  EXPECT_EQ(insights("parse msg /id=(?<id>\\d+)/ | display id"),
            R"x(* | extract_regexp "id=(?P<id>\\d+)" from msg | fields id)x");
  EXPECT_EQ(insights("fields strlen(@message) as n, a + b * 2 as c # said\n| filter n > 5"),
            "* | eval len(body) as n | eval a + b * 2 as c | where n:>5 | fields n, c");
  EXPECT_EQ(insights("stats sum(bytes / 1024) as kib, count_distinct(@logStream) by datefloor(@timestamp, 1h) as t"),
            "* | eval bytes / 1024 as argument_1 | stats by (_time:1h as t) sum(argument_1) as kib, "
            "count_uniq(aws.log.stream) as count_uniq_aws_log_stream");
  EXPECT_EQ(insights("filter a = b and c > d and e != f and ispresent(g) and isempty(h)"),
            "a:eq_field(b) d:lt_field(c) not e:eq_field(f) (g:* or g:=\"\") h:\"\"  # records without the ");
}

TEST(TranslateInsights, WhatHasNoEquivalentIsNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "a command must stand here"},
      {"pattern @message", "the command \"pattern\" has no translation"},
      {"unnest a into b", "the command \"unnest\" has no translation"},
      {"filter @duration > 5", "\"@duration\" is a field that CloudWatch makes"},
      {"stats sum(a) / sum(b) as r", "an expression of several functions"},
      {"stats sortsfirst(a)", "the function \"sortsfirst\" has no translation"},
      {"stats count(*) by bin(1mo)", "is no width that has a translation"},
      {"stats count(*) by tolower(a)", "a group by \"tolower()\""},
      {"stats count(*) | sort count(*)", "must have a name to be sorted by"},
      {"fields jsonparse(a) as b", "the function \"jsonparse\" has no translation"},
      {"fields a + 1", "an expression needs a name"},
      {"filter isvalidip(a)", "a condition on \"isvalidip()\""},
      {"filter a", "expected a comparison"},
      {"filter a = 'x", "this quote is never closed"},
      {"parse a \"*\" as b, c", "more names than the pattern"},
      {"parse a \"* *\" as b", "more \"*\" than there are names"},
      {"parse a \"<*\" as b", "has no translation"},
      {"limit x", "a number must stand here"},
      {"fields a b", "expected \"|\""},
  };
  for (const auto& [text, told] : kCases) {
    EXPECT_TRUE(insights(text).starts_with("error: offset ")) << text << ": " << insights(text);
    EXPECT_NE(insights(text).find(told), std::string::npos) << text << ": " << insights(text);
  }
  EXPECT_TRUE(insights("filter " + std::string(60, '(') + "a=1" + std::string(60, ')')).starts_with("error"));
  EXPECT_TRUE(insights("parse a /(?=x)/").starts_with("error: the translation is no query"));
}

}  // namespace
}  // namespace dendro
