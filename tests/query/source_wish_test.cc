// What a query wishes of a file, against the same query over whole records: the answers must be the same to the byte.
#include "query/plan/source_wish.h"

#include <gtest/gtest.h>

#include <random>

#include "parse/file_record_source.h"
#include "tests/query/query_harness.h"

namespace dendro {
namespace {

const char* const kNow = "2026-11-20T10:05:00Z";

/// A text, some bytes a read.
class PieceByteSource final : public ByteSource {
 public:
  PieceByteSource(std::string text, std::size_t piece_bytes) : text_(std::move(text)), piece_bytes_(piece_bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = text_.copy(out.data(), std::min(out.size(), piece_bytes_), offset_);
    offset_ += count;
    return count;
  }

 private:
  const std::string text_;
  const std::size_t piece_bytes_;
  std::size_t offset_ = 0;
};

/// Everything that somebody can learn of a query over a file.
struct FileAnswer {
  std::vector<std::string> rows;
  std::vector<std::string> warnings;
  std::vector<std::string> refusals;
  std::uint64_t matched = 0, scanned = 0, kept_as_text = 0, leaves = 0;
};

/// Counts what passes through.
class CountedSource final : public RecordSource {
 public:
  explicit CountedSource(RecordSource& source) : source_(source) {}
  Result<std::shared_ptr<const RecordBatch>> next() override {
    auto batch = source_.next();
    if (batch && *batch != nullptr) {
      for (std::size_t i = 0; i < (*batch)->size(); ++i) leaves += (*batch)->record(i).shape().leaves.size();
    }
    return batch;
  }
  std::uint64_t leaves = 0;

 private:
  RecordSource& source_;
};

enum class Wished { everything, what_is_needed };

FileAnswer ask(const std::string& query, const std::string& text, Wished wished, std::size_t piece_bytes = 1'000'000,
               std::uint64_t limit = 0) {
  QueryRequest request;
  request.query = query;
  request.now = at(kNow);
  request.limit = limit;
  QueryFault fault;
  const auto prepared = prepare_query(request, fault);
  EXPECT_TRUE(prepared.has_value()) << query << "\n" << fault.detail();
  if (!prepared) return {};
  FileAnswer found;
  FileSourceOptions options;
  options.format = ParseFormat::json;
  options.broken_lines = BrokenLines::keep_as_text;
  options.receive_time = at(kNow);
  options.mapping.lead_max = std::chrono::hours(24);
  options.mapping.limits.record_bytes = 2'000;
  options.on_reject = [&found](const RejectedRecord& record) {
    found.refusals.push_back(std::to_string(record.index) + " " + record.cause.detail + " " + std::string(record.raw));
  };
  if (wished == Wished::what_is_needed)
    options.wish = std::make_shared<const RecordWish>(source_wish(prepared->plan()));
  const auto file = make_record_source(std::make_unique<PieceByteSource>(text, piece_bytes), std::move(options));
  CountedSource source(*file);
  const ManualClock clock(request.now);
  const auto run = start_query(*prepared, make_source_input(source), {}, clock);
  const Answer answer = read_answer(*run);
  found.rows = answer.rows;
  for (const QueryWarning& warning : answer.outcome.warnings) {
    // The nearest name: what the mapper makes of a name may hang on its value, and then not every name is told.
    found.warnings.push_back(warning.message.substr(0, warning.message.find("; did you mean")));
  }
  found.matched = answer.outcome.matched;
  found.scanned = answer.outcome.scanned_records;
  found.kept_as_text = file->findings().kept_as_text;
  found.leaves = source.leaves;
  return found;
}

/// Lines as programs write them, and as they should not.
class RandomLines {
 public:
  explicit RandomLines(std::uint64_t seed) : random_(seed) {
    // A handful of layouts that come again and again, as those of a program do.
    for (int i = 0; i < 6; ++i) layouts_.push_back(make_layout(0));
  }

  std::string text(std::size_t lines) {
    std::string out;
    for (std::size_t i = 0; i < lines; ++i) out += line() + (chance(8) ? "\r\n" : "\n");
    if (chance(3)) out.pop_back();
    return out;
  }

 private:
  struct Member {
    std::string before;  ///< `, "a": `
    std::vector<Member> inside;
  };

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <typename Choices>
  std::string one_of(const Choices& choices) {
    return choices[below(std::size(choices))];
  }

  std::string key() {
    static const std::string kKeys[] = {"_time",        "ts",   "level",   "severity", "status", "msg",    "body",
                                        "service",      "host", "a",       "b",        "n",      "k",      "trace_id",
                                        "service.name", "a.b",  "_path",   "\\u0061",  "log",    "résumé", "resource.a",
                                        "dendro.more",  "took", "message", "pod"};
    return one_of(kKeys);
  }
  std::string blank() { return chance(4) ? " " : ""; }
  std::vector<Member> make_layout(int depth) {
    std::vector<Member> members;
    const std::size_t count = 1 + below(depth == 0 ? 7 : 3);
    for (std::size_t i = 0; i < count; ++i) {
      Member member;
      member.before = blank() + "\"" + key() + "\"" + blank() + ":" + blank();
      if (depth < 3 && chance(6)) member.inside = make_layout(depth + 1);
      members.push_back(std::move(member));
    }
    return members;
  }
  std::string word() {
    static const std::string kWords[] = {
        "timeout", "error",   "ERROR",         "dns",     "x",        "ok",          "Connection refused",
        "db-1",    "info",    "[warn] low",    "überall", "\xFF\xFE", "\\u0065rror", "a\\\"b",
        "\\n",     "\\ud83d", "time\\u006fut", "5",       "250ms",    "fatal"};
    return one_of(kWords);
  }
  std::string value() {
    switch (below(12)) {
      case 0:
        return std::to_string(below(1'000)) + (chance(3) ? ".50" : "");
      case 1: {
        static const std::string kNumerals[] = {
            "-0", "1e3", "123456789012345678901234567890", "0.1", "-17", "1E-7", "18446744073709551615"};
        return one_of(kNumerals);
      }
      case 2: {
        static const std::string kWords[] = {"true", "false", "null", "{}", "[]", "{ }"};
        return one_of(kWords);
      }
      case 3:
        return "[\"" + word() + "\", " + std::to_string(below(9)) + ", {\"q\": \"" + word() + "\"}]";
      case 4:
        return "\"2026-11-20T10:0" + std::to_string(below(10)) + ":00" + (chance(2) ? ".25Z\"" : "Z\"");
      case 5: {
        static const std::string kOthers[] = {"{\"z\": 1}", "tru",      "01",  "\"open", "[1,",
                                              "\"\\x\"",    "\"a\tb\"", "nul", "-"};
        return chance(4) ? one_of(kOthers) : "\"error\"";
      }
      case 6:
        return "\"0123456789abcdef0123456789abcdef\"";
      default:
        return "\"" + word() + (chance(2) ? " " + word() : "") + "\"";
    }
  }
  std::string object(const std::vector<Member>& members) {
    std::string out = "{";
    bool is_first = true;
    for (const Member& member : members) {
      if (members.size() > 1 && chance(12)) continue;
      out += (is_first ? "" : ",") + member.before;
      out += member.inside.empty() || chance(10) ? value() : object(member.inside);
      is_first = false;
    }
    return out + blank() + "}";
  }
  std::string line() {
    switch (below(30)) {
      case 0:
        return "plain error text";
      case 1:
        return "";
      case 2:
        return object(layouts_[0]) + " " + object(layouts_[1]);
      case 3:
        return "[" + object(layouts_[2]) + "," + object(layouts_[0]) + "]";
      case 4: {
        const std::string whole = object(layouts_[below(layouts_.size())]);
        return whole.substr(0, below(whole.size() + 1));
      }
      case 5:
        return object(make_layout(0));
      case 6:
        return "{\"a\":\"" + std::string(below(3'000), 'y') + "\"}";
      case 7:
        return "{\"_time\":\"2031-01-01T00:00:00Z\",\"a\":\"error\"}";  // ahead of its time
      default:
        return object(layouts_[below(layouts_.size())]) + (chance(20) ? " trailing" : blank());
    }
  }

  std::mt19937_64 random_;
  std::vector<std::vector<Member>> layouts_;
};

const char* const kQueries[] = {
    "* | stats count() as n",
    "severity:error | stats by (service) count() as n, count_uniq(host) as h",
    "level:>=warn | stats by (level, severity_text) count() as n",
    "_path:=dns | stats count() as n",
    "_path:=\"timeout\" or pod:dns | stats count() as n",
    "a:error | fields a, b, n, _id",
    "timeout",
    "timeout or refused | fields _time, body, service.name",
    "\"Connection refused\" -dns",
    "body:error | stats by (_stream) count() as n",
    "error | stats count() as n",
    "-error | stats count() as n",
    "(timeout or -dns) -\"db-1\" | stats by (service) count() as n",
    "contains_any(timeout, refused) | stats by (pod) count() as n",
    "Connection refused -timeout | stats by (severity) count() as n",
    "i(TIMEOUT) | stats count() as n",
    "a.b:* | fields a.b, k, body.k, z",
    "contains_any(error, dns) | stats count() as n",
    "{service=\"error\"} | stats count() as n",
    "n:>3 | stats sum(n) as s, max(took) as t",
    "took:>1s error | stats count() as n",
    "trace_id:* | stats by (_time:5m) count() as n",
    "service:error | top 3 (pod)",
    "* | pattern",
    "* | facets 3",
    "* | field_names",
    "_time:[2026-11-20T10:01:00Z,2026-11-20T10:06:00Z) | sort by (_time) | limit 5 | fields _time, msg",
    "error | sort by (a desc) | limit 3",
    "a:in(* | fields pod) | stats count() as n",
    "dns | stats by (unknwn) count() as n",
    "bdy:error | stats count() as n",
    "* | eval n * 2 as m | stats sum(m) as s",
    "résumé:* | stats by (résumé) count() as n",
    "a:error | context 1 | fields _match, a",
    "log:error | unroll by (a) | fields a",
    "resource.a:* | stats by (resource.a, attributes.a) count() as n",
    "message:error msg:dns | fields *",
    "s* | fields s*",
};

void expect_same(const std::string& query, const std::string& text, std::size_t piece_bytes) {
  const FileAnswer whole = ask(query, text, Wished::everything, piece_bytes);
  const FileAnswer wished = ask(query, text, Wished::what_is_needed, piece_bytes);
  ASSERT_EQ(wished.rows, whole.rows) << query;
  ASSERT_EQ(wished.warnings, whole.warnings) << query;
  ASSERT_EQ(wished.refusals, whole.refusals) << query;
  ASSERT_EQ(wished.matched, whole.matched) << query;
  ASSERT_EQ(wished.scanned, whole.scanned) << query;
  ASSERT_EQ(wished.kept_as_text, whole.kept_as_text) << query;
  ASSERT_LE(wished.leaves, whole.leaves) << query;
}

TEST(SourceWish, AnswersAsWholeRecordsDo) {
  const char* given = std::getenv("DENDRO_SEED");
  const std::uint64_t first = given != nullptr ? std::stoull(given) : 1;
  const std::uint64_t count = given != nullptr ? 1 : 12;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("DENDRO_SEED=" + std::to_string(seed));
    RandomLines lines(seed);
    const std::string text = lines.text(300);
    for (const char* query : kQueries) expect_same(query, text, seed % 3 == 0 ? 97 : 1'000'000);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(SourceWish, MakesOnlyWhatIsLookedAt) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) {
    text += "{\"_time\": \"2026-11-20T10:00:00Z\", \"pod\": \"p" + std::to_string(i % 3) + "\", \"level\": \"" +
            (i % 10 == 0 ? "error" : "info") + "\", \"n\": " + std::to_string(i) + ", \"msg\": \"it took a while\"}\n";
  }
  const std::uint64_t all = 5'000;
  EXPECT_EQ(ask("*", text, Wished::what_is_needed).leaves, all);
  // The first record is there whole.
  EXPECT_EQ(ask("* | stats count() as n", text, Wished::what_is_needed).leaves, 5u);
  EXPECT_EQ(ask("level:error | stats by (pod) count() as n", text, Wished::what_is_needed).leaves, 5u + 999u);
  EXPECT_EQ(ask("pod:=p1 | stats sum(n) as n", text, Wished::what_is_needed).leaves, 5u + 333u * 2);
  const FileAnswer rare = ask("nothing | fields n", text, Wished::what_is_needed);
  EXPECT_EQ(rare.leaves, 5u);
  EXPECT_EQ(rare.scanned, 1'000u);
}

RecordWish wish_of(const std::string& query) {
  QueryRequest request;
  request.query = query;
  request.now = at(kNow);
  QueryFault fault;
  const auto prepared = prepare_query(request, fault);
  EXPECT_TRUE(prepared.has_value()) << query << "\n" << fault.detail();
  return prepared ? source_wish(prepared->plan()) : RecordWish();
}

using Texts = std::vector<std::string>;

TEST(SourceWish, RequiresTextsOnlyWhereNoOtherWayOfWritingMatches) {
  EXPECT_EQ(wish_of("timeout").required_texts, Texts{"timeout"});
  EXPECT_EQ(wish_of("pod:=dns-1 | stats count() as n").required_texts, Texts{"dns-1"});
  EXPECT_EQ(wish_of("timeout or refused").required_texts, (Texts{"timeout", "refused"}));
  EXPECT_EQ(wish_of("a:x1 timeout").required_texts, Texts{"timeout"});
  EXPECT_EQ(wish_of("* | where timeout").required_texts, Texts{"timeout"});
  for (const char* query : {"*", "-timeout", "timeout or n:>1", "500", "a:=5", "severity:error", "severity:=\"error\"",
                            "_time:5m", "i(timeout)", "_stream:api", "a:in(* | fields b) timeout",
                            "timeout | context 1", "took:>1s timeout", "timeout or a or b1 or c1 or d1 or e1"})
    EXPECT_EQ(wish_of(query).required_texts, Texts()) << query;
}

TEST(SourceWish, WantsEveryPlaceWhereAFieldMayStand) {
  const RecordWish wish = wish_of("service:api | stats by (body) count() as n");
  EXPECT_FALSE(wish.is_all);
  for (const char* path : {"service", "service.name", "service_name", "body"}) EXPECT_TRUE(wish.has_path(path)) << path;
  EXPECT_FALSE(wish.has_path("pod"));
  EXPECT_TRUE(wish.has_role(LeafRole::body));
  EXPECT_TRUE(wish.has_role(LeafRole::body_part));
  EXPECT_FALSE(wish.severity);
  EXPECT_FALSE(wish.all_labels);
  EXPECT_TRUE(wish_of("level:error | stats count() as n").severity);
  EXPECT_TRUE(wish_of("{a=\"b\"} | stats count() as n").all_labels);
  EXPECT_TRUE(wish_of("* | stats by (_stream) count() as n").all_labels);
  EXPECT_TRUE(wish_of("a:b | context 1 | fields n").all_labels);
  for (const char* query : {"*", "timeout", "500 | stats count() as n", "* | fields a*", "* | field_names"})
    EXPECT_TRUE(wish_of(query).is_all) << query;
}

TEST(SourceWish, OfValuesThatAreOnlySearchedWantsThoseThatHoldTheText) {
  const RecordWish wish = wish_of("(timeout or -refused) dns | stats by (pod) count() as n");
  EXPECT_FALSE(wish.is_all);
  EXPECT_EQ(wish.searched_texts, (Texts{"dns", "refused", "timeout"}));
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "{\"a\":\"x\",\"b\":\"a timeout\",\"timeout\":1,\"c\":[\"timeout\"],\"d\":\"time\\u006fut\",\"e\":\"t\"}\n";
  const FileAnswer found = ask("timeout | stats count() as n", text, Wished::what_is_needed);
  EXPECT_EQ(found.rows, Texts{"{\"n\":100}"});
  EXPECT_EQ(found.leaves, 6u + 99u * 3);  // b, c, d
}

}  // namespace
}  // namespace dendro
