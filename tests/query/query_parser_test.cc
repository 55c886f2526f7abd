#include "query/language/query_parser.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "filter/placeholder_regex.h"
#include "filter/predicate_text.h"

namespace dendro {
namespace {

const TimeReading kReading{Timestamp(1'795'169'100'000'000'000), 0};  // 2026-11-20T10:05:00Z

Result<ParsedQuery> parse(std::string_view query, QueryFault& fault, TimeReading reading = kReading) {
  return parse_query(query, {reading, ""}, fault);
}

std::string canonical(std::string_view query) {
  QueryFault fault;
  const auto parsed = parse(query, fault);
  return parsed.has_value() ? to_text(*parsed) : "error " + fault.detail();
}

TEST(QueryParser, PrintsOneForm) {
  EXPECT_EQ(canonical(""), "*");
  EXPECT_EQ(canonical("a AND b oR c"), "a b or c");
  EXPECT_EQ(canonical("a (b or c) -d !e"), "a (b or c) not d not e");
  EXPECT_EQ(canonical("(a b) c"), "a b c");
  EXPECT_EQ(canonical("service:(api or -worker)"), "service:api or not service:worker");
  EXPECT_EQ(canonical("f:!=x f:=\"a b\"* f:* f:\"\""), "not f:=x f:=\"a b\"* f:* f:\"\"");
  EXPECT_EQ(canonical("n:>=5 n:[1,2) n:range(1, 2]"), "n:>=5 n:[1,2) n:range(1,2]");
  EXPECT_EQ(canonical("_time:5m"), "_time:[2026-11-20T10:00:00.000000000Z,2026-11-20T10:05:00.000000000Z)");
  EXPECT_EQ(canonical("_time:2m offset 3m"), "_time:[2026-11-20T10:00:00.000000000Z,2026-11-20T10:02:00.000000000Z)");
  EXPECT_EQ(canonical("_time:>2026"), "_time:>=2027-01-01T00:00:00.000000000Z");
  EXPECT_EQ(canonical("severity:warning"), "severity:warn");
  EXPECT_EQ(canonical("level:>=err"), "level:in(17,18,19,20,21,22,23,24)");
  EXPECT_EQ(canonical("\"1st\":x 'and'"), "\"1st\":x \"and\"");
  EXPECT_EQ(canonical("* | COUNT() By a, _time:1m AS t | sort by count desc limit 3 | head"),
            "* | stats by (a, _time:1m as t) count() as count | sort by (count desc) limit 3 | limit 10");
  EXPECT_EQ(canonical("{a=\"b\",c!=d or e=f}"), "{a=\"b\"} not {c=\"d\"} or {e=\"f\"}");
  EXPECT_EQ(canonical("x | top 3 by a | rare b | uniq by c with hits | drop d, e* | skip 2"),
            "x | top 3 by (a) | rare 10 by (b) | uniq by (c) with hits | drop d, e* | offset 2");
}

TEST(QueryParser, PrintsFunctionsAndExpressions) {
  EXPECT_EQ(canonical("i(x) f:i(\"a b\"*) f:I(*x*)"), "i(x) f:i(\"a b\"*) f:i(*x*)");
  EXPECT_EQ(canonical("~`a\\.b` f:~x f:!~x !~y"), "~\"a\\\\.b\" f:~\"x\" not f:~\"x\" not ~\"y\"");
  EXPECT_EQ(canonical("f:(~a or !~b)"), "f:~\"a\" or not f:~\"b\"");
  EXPECT_EQ(canonical("contains_all(a, *b*) f:contains_any(\"a b\") f:seq(a,b*)"),
            "contains_all(a,*b*) f:contains_any(\"a b\") f:seq(a,b*)");
  EXPECT_EQ(canonical("f:len_range(0, 5) f:ip(10.0.0.0/8) ip(\"fe80::/10\")"),
            "f:len_range(0,5) f:ip(\"10.0.0.0/8\") ip(\"fe80::/10\")");
  EXPECT_EQ(canonical("f:eq_field(g) f:lt_field(\"1st\") f:le_field(g.h)"),
            "f:eq_field(g) f:lt_field(1st) f:le_field(g.h)");
  EXPECT_EQ(canonical("{a=~\"b.*\",c!~d}"), "{a=~\"b.*\"} not {c=~\"d\"}");
  EXPECT_EQ(canonical("f:i(\"\")"), "f:\"\"");
}

TEST(QueryParser, PointsIntoRegularExpressions) {
  const auto place = [](std::string_view query) {
    QueryFault fault;
    EXPECT_FALSE(parse(query, fault).has_value()) << query;
    EXPECT_EQ(fault.code, ErrorCode::invalid_argument);
    return std::to_string(fault.offset) + "+" + std::to_string(fault.size) + " " + fault.message;
  };
  EXPECT_EQ(place("a f:~`(b)\\1`"),
            "9+2 bad regular expression: back-references (\"\\1\") are not supported; RE2 matches in linear time");
  EXPECT_EQ(place("f:~x+[a"), "5+1 a regular expression that holds such a character needs quotes or backticks");
  QueryFault fault;
  ASSERT_FALSE(parse("a ~x.*y b", fault).has_value());
  EXPECT_EQ(fault.suggestion, "a ~`x.*y` b") << "never silently the expression x. and the word *y";
  EXPECT_EQ(place("{a=~\"x)\"}"),
            "5+2 bad regular expression: a \")\" was never opened; a bracket meant as text is written \"\\)\"");
  EXPECT_EQ(place("~\"\\\\y\""),
            "1+5 bad regular expression: unknown escape \"\\y\"; a backslash itself is written \"\\\\\"")
      << "with escapes the whole text is pointed at";
}

TEST(QueryParser, DirectlyBehindAColonKeywordsAreText) {
  EXPECT_EQ(canonical("f:and g:or"), "f:\"and\" g:\"or\"");
}

TEST(QueryParser, NamesWhatIsWrong) {
  QueryFault fault;
  for (const auto& [query, column, message] : std::vector<std::tuple<std::string, std::size_t, std::string>>{
           {"a )", 3, "this \")\" was never opened"},
           {"a | ", 5, "expected a pipe, the query ends here"},
           {"or a", 1, "expected a filter, found \"or\""},
           {"f:", 3, "expected what \"f\" is to be, the query ends here"},
           {"f:(a:b)", 4, "no field can be named inside \"f:( )\""},
           {"f:(1,2]", 5, "expected \")\"; a range that leaves its start out is written range(a,b]"},
           {"f:[1,2", 3, "this range is never closed"},
           {"status = 500", 8, "\"=\" needs \":\" before it"},
           {"_time:>5m", 8, "\"5m\" is a duration, not a time"},
           {"* | stats count() as _meta", 22, "\"_meta\" is reserved for answers; choose another name"},
           {"* | stats sum(a, b)", 11, "sum() takes one field"},
           {"\xC3\xA9 \xC3\xA9=1", 4, "\"=\" needs \":\" before it"},
           {"f:contains_all()", 16, "expected a word or a phrase, found \")\""},
           {"i(a, b)", 4, "expected \",\" or \")\", found \",\""},
           {"i(a", 2, "this \"(\" is never closed"},
           {"f:i(a*b)", 6, "\"*\" works only at the ends of a word"},
           {"f:ip(10.0.0.0/33)", 6,
            "\"10.0.0.0/33\" is no address and no network; 10.0.0.1, 10.0.0.0/8 and fe80::/10 are"},
           {"f:len_range(1,x)", 15, "expected a number of characters, found \"x\""},
           {"eq_field(g)", 1, "eq_field() needs a field"},
           {"f:~", 4, "expected a regular expression after \"~\", the query ends here"},
           {"a\nb=1", 2, "\"=\" needs \":\" before it"}}) {
    const auto parsed = parse(query, fault);
    ASSERT_FALSE(parsed.has_value()) << query;
    EXPECT_EQ(fault.message, message) << query;
    EXPECT_EQ(fault.column, column) << query;
  }
  ASSERT_FALSE(parse("a\nb=1", fault).has_value());
  EXPECT_EQ(fault.detail(), "line 2, column 2: \"=\" needs \":\" before it");
  EXPECT_EQ(fault.offset, 3u);
}

TEST(QueryParser, NamesWhatIsNotBuilt) {
  QueryFault fault;
  ASSERT_FALSE(parse("_tenant:3", fault).has_value());
  EXPECT_EQ(fault.code, ErrorCode::unimplemented) << fault.message;
}

TEST(QueryParser, RefusesDepth101AndOneByteTooMany) {
  QueryFault fault;
  const std::string open(100, '('), close(100, ')');
  EXPECT_TRUE(parse(open + "a" + close, fault).has_value()) << fault.detail();
  EXPECT_FALSE(parse("(" + open + "a" + close + ")", fault).has_value());
  EXPECT_EQ(fault.message, "nesting is deeper than 100");
  std::string nots;
  for (int i = 0; i < 101; ++i) nots += "not ";
  EXPECT_FALSE(parse(nots + "a", fault).has_value());
  EXPECT_TRUE(parse(std::string(kMaxQueryBytes, 'a'), fault).has_value());
  EXPECT_FALSE(parse(std::string(kMaxQueryBytes + 1, 'a'), fault).has_value());
  EXPECT_EQ(fault.message, "the query has 65537 bytes, at most 65536 are read");
  EXPECT_FALSE(parse("\xFF", fault).has_value());
  EXPECT_EQ(fault.message, "the query is not UTF-8");
}

/// Random trees of everything the language has so far.
class RandomQuery {
 public:
  explicit RandomQuery(std::uint64_t seed) : random_(seed) {}

  ParsedQuery query() {
    ParsedQuery parsed;
    parsed.filter = predicate(4);
    if (pick(2) == 0) parsed.pipes.push_back(WherePipe{predicate(2)});
    if (pick(2) == 0) parsed.pipes.push_back(LimitPipe{pick(100)});
    if (pick(2) == 0)
      parsed.pipes.push_back(SortPipe{{{name(), pick(2) == 0}, {name(), false}},
                                      pick(2) == 0 ? std::optional<std::uint64_t>(pick(9)) : std::nullopt});
    if (pick(2) == 0) {
      parsed.pipes.push_back(statistics());
    }
    for (std::uint64_t i = pick(3); i > 0; --i) parsed.pipes.push_back(row_pipe());
    for (std::uint64_t i = pick(3); i > 0; --i) parsed.pipes.push_back(analysis_pipe());
    return parsed;
  }

 private:
  std::uint64_t pick(std::uint64_t count) { return random_() % count; }
  std::optional<Predicate> condition_or_none() { return pick(2) == 0 ? std::optional(predicate(1)) : std::nullopt; }
  Expression expression(int depth) {
    using Kind = Expression::Kind;
    Expression made;
    switch (pick(depth > 0 ? 7 : 3)) {
      case 0:
        made.kind = Kind::number;
        made.text = std::vector<std::string>{"5", "-1.5e-3", "0xff", "5M", "-9223372036854775808"}[pick(5)];
        break;
      case 1:
        made.kind = Kind::text;
        made.text = text();
        break;
      case 2:
        made.kind = Kind::field;
        made.text = std::vector<std::string>{"a", "a.b", "x-y", "1st", "if", "as", "\xC3\xA9", "@t"}[pick(8)];
        break;
      case 3:
        made.kind = Kind::negate;
        made.operands = {expression(depth - 1)};
        break;
      case 4:
        made.kind = Kind::call;
        made.text = "substr";
        made.function = ScalarFunction::substr;
        made.operands = {expression(depth - 1), expression(0)};
        break;
      case 5:
        made.kind = Kind::conditional;
        made.condition = predicate(1);
        made.operands = {expression(depth - 1), expression(depth - 1)};
        break;
      default:
        made.kind = std::vector<Kind>{Kind::add, Kind::subtract, Kind::multiply, Kind::divide, Kind::modulo}[pick(5)];
        made.operands = {expression(depth - 1), expression(depth - 1)};
        break;
    }
    return made;
  }
  StatsPipe statistics() {
    Aggregate sum;
    sum.kind = StatKind::sum;
    sum.function = "sum";
    sum.fields = {name()};
    sum.condition = condition_or_none();
    sum.column = "n";
    Aggregate top;
    top.kind = StatKind::top_values;
    top.function = "top_values";
    top.numbers = {3};
    top.fields = {name()};
    top.column = "t";
    return {{{name(), {}, "k"}}, {std::move(sum), std::move(top)}};
  }
  GroupKey minutes(std::string column) {
    GroupKey key;
    key.name = "_time";
    key.bucket.kind = BucketKind::duration;
    key.bucket.width_ns = 60 * kNanosPerSecond;
    key.bucket.text = "1m";
    key.column = std::move(column);
    return key;
  }
  Pipe analysis_pipe() {
    switch (pick(13)) {
      case 0:
        return ContextPipe{pick(9)};
      case 1:
        return FlattenPipe{{name(), name()}};
      case 2:
        return LookupPipe{non_empty_text(), {{name(), name()}, {"k", "k"}}, {{name(), pick(2) == 0}}, text()};
      case 3: {
        TransactionPipe pipe;
        if (pick(2) == 0) pipe.names = {name()};
        if (pick(2) == 0) pipe.span_ns_max = 300 * kNanosPerSecond, pipe.span = "5m";
        if (pick(2) == 0) pipe.pause_ns_max = kNanosPerSecond, pipe.pause = "1s";
        pipe.starts = condition_or_none();
        pipe.ends = condition_or_none();
        return pipe;
      }
      case 4:
        return WithStatsPipe{statistics(), false, 0};
      case 5:
        return WithStatsPipe{statistics(), true, 1 + pick(9)};
      case 6:
        return DeltaPipe{name(), name(), {name()}};
      case 7: {
        TimechartPipe pipe{statistics()};
        pipe.stats.groups.insert(pipe.stats.groups.begin(), minutes("_time"));
        return pipe;
      }
      case 8:
        return FillGapsPipe{
            minutes("_time"), {name()}, pick(2) == 0 ? std::optional<std::string>("-1.5") : std::nullopt};
      case 9:
        return ComparePipe{pick(2) == 0 ? name() : "", 3600 * kNanosPerSecond, "1h"};
      case 10:
        return HistogramPipe{1 + pick(9), name()};
      case 11: {
        StatsPipe stats = statistics();
        stats.groups.push_back(minutes("bucket"));
        stats.groups.back().window_ns = 300 * kNanosPerSecond;
        stats.groups.back().window = "5m";
        return stats;
      }
      default:
        return pick(2) == 0 ? Pipe{SeriesPipe{SeriesPipe::Kind::forecast, name(), 1 + pick(9)}}
                            : Pipe{CorrelatePipe{name(), {name()}}};
    }
  }
  Pipe row_pipe() {
    switch (pick(14)) {
      case 0:
        return RenamePipe{{{name(), name()}, {name(), name()}}, pick(2) == 0};
      case 1:
        return EvalPipe{{{expression(3), name()}, {expression(1), name()}}};
      case 2:
        return ExtractPipe{parse_placeholders("a\"<x>, <_>b < <y z>"), name(), condition_or_none()};
      case 3:
        return ExtractRegexPipe{*Regex::compile("(?P<x>\\w+) \""), name(), condition_or_none()};
      case 4:
        return UnpackPipe{
            static_cast<UnpackFormat>(pick(6)), name(), {{name(), pick(2) == 0}}, text(), condition_or_none()};
      case 5:
        return FormatPipe{parse_placeholders("<a>\n<b c>"), name(), condition_or_none()};
      case 6:
        return ReplacePipe{non_empty_text(), nullptr, text(), name(), condition_or_none()};
      case 7:
        return ReplacePipe{"", *Regex::compile("(a)"), "$1$$", name(), condition_or_none()};
      case 8:
        return UnrollPipe{{name(), name()}};
      case 9:
        return pick(2) == 0 ? Pipe{FieldNamesPipe{}} : Pipe{FieldValuesPipe{name()}};
      case 10:
        return pick(2) == 0 ? Pipe{FacetsPipe{pick(9)}} : Pipe{TailPipe{pick(9)}};
      case 11:
        return pick(2) == 0 ? Pipe{DedupPipe{pick(9), {name()}}} : Pipe{SamplePipe{1 + pick(9)}};
      case 12: {
        TextPipe pipe;
        pipe.kind = static_cast<TextPipe::Kind>(pick(5));
        if (pipe.kind == TextPipe::Kind::split) pipe.separator = non_empty_text();
        pipe.at = name();
        pipe.condition = condition_or_none();
        return pipe;
      }
      default:
        return PackPipe{{{name(), pick(2) == 0}}, name()};
    }
  }
  std::string name() {
    static const std::vector<std::string> kNames = {"a",   "a.b",  "x-y",     "1st",   "with space",
                                                    "and", "user", "q\"uote", "-dash", "\xC3\xA9"};
    return kNames[pick(kNames.size())];
  }
  std::string text() {
    static const std::vector<std::string> kTexts = {"error",    "a b", "",   "or",    "x*y", "-5", "/api",
                                                    "\n\t\x01", "50%", "\"", "10:02", "#x",  "+1", "$v"};
    return kTexts[pick(kTexts.size())];
  }
  std::string non_empty_text() {
    std::string found = text();
    return found.empty() ? "z" : found;
  }
  Literal literal() {
    static const std::vector<std::string> kWords = {
        "5", "-1.5e3", "0xff", "250ms", "1.5GiB", "2026-11-20T10:02", "10.0.0.1", "fe80::1", "word", "5M", "not"};
    return pick(2) == 0 ? Literal::of_string(text()) : Literal::of_word(kWords[pick(kWords.size())]);
  }
  TextPattern pattern() { return {non_empty_text(), pick(2) == 0, pick(2) == 0}; }
  std::shared_ptr<const Regex> regex() {
    static const std::vector<std::string> kPatterns = {"a.*b",  "x",    "",       "\\d+:\\s",
                                                       "\"q\"", "a\nb", "[(]{2}", "\xC3\xA9"};
    return *Regex::compile(kPatterns[pick(kPatterns.size())]);
  }
  Condition condition() {
    switch (pick(20)) {
      case 15:
        return StringRange{text(), text()};
      case 16:
        return TypeIs{static_cast<ValueKind>(pick(4))};
      case 17:
        return PlaceholderMatch{"<n> \"x\"", *compile_placeholders("<n> \"x\"")};
      case 18:
        return Near{pattern(), pattern(), pick(9)};
      case 0:
        return Exists{};
      case 1:
        return Empty{};
      case 2:
        return TextPattern{non_empty_text(), pick(2) == 0, pick(2) == 0};
      case 3:
        return Equals{literal()};
      case 4:
        return BeginsWith{text()};
      case 5:
        return Comparison{static_cast<CompareOp>(pick(4)), literal()};
      case 6:
        return Between{literal(), literal(), pick(2) == 0, pick(2) == 0};
      case 7:
        return TextPattern{non_empty_text(), pick(2) == 0, pick(2) == 0, true};
      case 8:
        return RegexMatch{regex()};
      case 9:
        return ContainsAll{{pattern(), pattern()}};
      case 10:
        return ContainsAny{{pattern()}};
      case 11:
        return Sequence{{pattern(), pattern(), pattern()}};
      case 12:
        return LengthRange{pick(9), pick(99)};
      case 13:
        return InNetwork{*IpNetwork::parse(pick(2) == 0 ? "10.0.0.0/8" : "fe80::1")};
      default:
        return OneOf{{literal(), literal()}};
    }
  }
  Predicate predicate(int depth) {
    if (pick(20) == 0) {
      const bool is_week = pick(2) == 0;
      const auto cycle = is_week ? ClockTest::Cycle::week : ClockTest::Cycle::day;
      const std::int64_t unit = is_week ? kNanosPerDay : kNanosPerSecond;
      const std::uint64_t count = is_week ? 7 : 86'400;
      const auto first = static_cast<std::int64_t>(pick(count));
      auto last = static_cast<std::int64_t>(1 + pick(count));
      if (last == first) ++last;
      return Predicate{ClockTest{"_time", cycle, first * unit, last * unit, TimeZone::utc()}};
    }
    switch (pick(depth > 0 ? 11 : 8)) {
      case 0:
        return Predicate{Everything{}};
      case 1:
        return Predicate{FieldTest{name(), condition()}};
      case 2:
        return Predicate{FieldTest{"", TextPattern{text(), pick(2) == 0, pick(2) == 0}}};
      case 3:
        return Predicate{SeverityTest{pick(2) == 0 ? "severity" : "level",
                                      pick(2) == 0 ? 0x1E0000u : static_cast<std::uint32_t>(random_()) & 0x1FFFFFEu}};
      case 4:
        return Predicate{
            TimeTest{"_time",
                     {Timestamp(static_cast<std::int64_t>(random_() >> 2)),
                      pick(2) == 0 ? kTimestampMax : Timestamp(static_cast<std::int64_t>(random_() >> 2))}}};
      case 5:
        return Predicate{LabelTest{name(), text()}};
      case 6:
        return pick(2) == 0 ? Predicate{LabelMatch{name(), regex()}}
                            : Predicate{FieldComparison{name(), static_cast<FieldOrder>(pick(3)), name()}};
      case 7:
        return pick(2) == 0 ? Predicate{FieldTest{"", RegexMatch{regex()}}}
                            : Predicate{FieldTest{"", TextPattern{text(), pick(2) == 0, pick(2) == 0, true}}};
      case 8:
        return negation(predicate(depth - 1));
      case 9:
        return all_of({predicate(depth - 1), predicate(depth - 1), predicate(depth - 1)});
      default:
        return any_of({predicate(depth - 1), predicate(depth - 1)});
    }
  }
  std::mt19937_64 random_;
};

TEST(QueryParser, CanonicalFormParsesToTheSameTree) {
  const char* given = std::getenv("DENDRO_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261120;
  for (std::uint64_t round = 0; round < 5000; ++round) {
    const ParsedQuery query = RandomQuery(seed + round).query();
    const std::string text = to_text(query);
    QueryFault fault;
    // Another now: what is printed means the same at any time.
    const auto parsed = parse(text, fault, {Timestamp(5), 0});
    ASSERT_TRUE(parsed.has_value()) << "seed " << seed + round << "\n" << text << "\n" << fault.detail();
    ASSERT_EQ(to_text(*parsed), text) << "seed " << seed + round;
    ASSERT_TRUE(*parsed == query) << "seed " << seed + round << "\n" << text;
  }
}

TEST(QueryParser, SurvivesCutAndMixedQueries) {
  const std::string whole =
      "a:(b or -c*) _time:[2026,now-5m) {x=\"y\"} | stats by (_time:1m, ip:/24 as n) p95(q) if (z:in(1,\"2\")) as w, "
      "count() | sort by (w desc) | eval if (a:in(x | fields y)) -b else (c + 2) * len(\"t\") as d | extract if (q:1) "
      "\"<u> <v>\" from w | join by (k) (a | fields k, z) inner prefix \"p.\" | unpack json fields (a, b*) | trace | "
      "replace "
      "(\"a\", \"b\") at c";
  std::mt19937_64 random(7);
  QueryFault fault;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto parsed = parse(whole.substr(0, size), fault);
    if (!parsed.has_value() && !fault.suggestion.empty() && fault.code == ErrorCode::invalid_argument) {
      QueryFault second;
      const auto repaired = parse(fault.suggestion, second);
      EXPECT_TRUE(repaired.has_value() || second.code == ErrorCode::unimplemented) << fault.suggestion;
    }
  }
  for (int round = 0; round < 3000; ++round) {
    std::string mixed = whole;
    for (int i = 0; i < 4; ++i) mixed[random() % mixed.size()] = whole[random() % whole.size()];
    const auto parsed = parse(mixed, fault);
    if (!parsed.has_value()) EXPECT_LE(fault.offset + fault.size, mixed.size());
  }
}

}  // namespace
}  // namespace dendro
