// The views beside the rows: volume, context, export.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <random>

#include "base/json_document.h"
#include "record/record_id.h"
#include "server/openapi.h"
#include "server/routes/query_routes.h"
#include "tests/query/memory_snapshot.h"
#include "tests/server/routes/route_caller.h"

namespace dendro {
namespace {

struct SearchRoutesFixture : testing::Test {
  ManualClock clock{*parse_rfc3339("2026-11-20T12:00:00Z")};
  WorkerPool pool{1, 16};
  std::shared_ptr<MemorySnapshot> snapshot = make_memory_snapshot({});
  std::vector<Route> routes = query_routes(
      {pool, clock, [this](const TenantId&) { return Result<std::shared_ptr<const Snapshot>>(snapshot); }});

  void load(const std::string& ndjson) { snapshot = make_memory_snapshot(load_json(ndjson, clock.now())); }

  HttpResponse send(std::string_view method, std::string_view path, HttpRequest request) {
    request.received = clock.now();
    return call_route(routes, method, path, std::move(request));
  }
  HttpResponse post(std::string_view path, std::string body) {
    HttpRequest request;
    request.body = std::move(body);
    return send("POST", path, std::move(request));
  }
  HttpResponse get(std::string_view path, std::vector<std::pair<std::string, std::string>> params) {
    HttpRequest request;
    request.query = std::move(params);
    return send("GET", path, std::move(request));
  }
  HttpResponse context(const std::string& id, std::vector<std::pair<std::string, std::string>> params = {}) {
    HttpRequest request;
    request.query = std::move(params);
    request.path_params = {{"id", id}};
    return send("GET", "/api/v1/records/{id}/context", std::move(request));
  }
  static WholeBody whole(HttpResponse& response) { return read_whole(response); }
  static JsonValue json(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    return json_of(response);
  }
  static std::vector<std::string> texts(const JsonValue& array, std::string_view key) {
    std::vector<std::string> found;
    for (const JsonValue& element : array.elements()) found.emplace_back(*element.find(key)->as_string());
    return found;
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

using Histograms = SearchRoutesFixture;

TEST_F(Histograms, CountRecordsBySeverityAndTime) {
  load(R"({"_time":"2026-11-20T10:00:10Z","level":"error","body":"a"}
{"_time":"2026-11-20T10:00:20Z","level":"info","body":"a"}
{"_time":"2026-11-20T10:01:00Z","level":"info","body":"a"}
{"_time":"2026-11-20T10:01:30Z","body":"a"}
{"_time":"2026-11-20T10:01:30Z","level":"info","body":"other"})");
  const HttpResponse response = post(
      "/api/v1/histogram",
      R"({"query":"a | where body:=a | limit 1","start":"2026-11-20T10:00:00Z","end":"2026-11-20T10:02:00Z","buckets_max":3})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"bucket_ns":60000000000,"times":["2026-11-20T10:00:00.000000000Z","2026-11-20T10:01:00.000000000Z"],)"
            R"("series":[{"key":"info","counts":[1,1]},{"key":"","counts":[0,1]},{"key":"error","counts":[1,0]}],)"
            R"("total":4,"exact":true,"complete":true,"reason":"end"})");
}

TEST_F(Histograms, SummariesAndWhatFollowsAreCutOff) {
  load("{\"_time\":\"2026-11-20T10:00:10Z\",\"x\":1}\n{\"_time\":\"2026-11-20T10:00:20Z\",\"x\":2}");
  const JsonValue answer =
      json(post("/api/v1/histogram", R"({"query":"x:* | stats by (x) count() as n | where n:>5"})"));
  EXPECT_EQ(answer.find("total")->as_int(), 2);
}

TEST_F(Histograms, OpenEndsAreThoseOfTheRecords) {
  load(
      "{\"_time\":\"2026-11-20T10:00:00Z\",\"body\":\"a\"}\n{\"_time\":\"2026-11-20T10:00:09Z\",\"body\":\"a\"}\n"
      "{\"_time\":\"2026-11-20T11:00:09Z\",\"body\":\"b\"}");
  const JsonValue answer = json(post("/api/v1/histogram", R"({"query":"a"})"));
  EXPECT_EQ(answer.find("bucket_ns")->as_int(), kNanosPerSecond);
  EXPECT_EQ(answer.find("times")->elements().size(), 10u);
  EXPECT_EQ(answer.find("total")->as_int(), 2);
  for (const char* body :
       {R"({"query":"nothing"})", R"({"query":"nothing","end":"now"})", R"({"query":"a","start":"now","end":"now"})"}) {
    const JsonValue empty = json(post("/api/v1/histogram", body));
    EXPECT_EQ(empty.find("total")->as_int(), 0) << body;
    EXPECT_TRUE(empty.find("times")->elements().empty()) << body;
    EXPECT_EQ(empty.find("complete")->as_bool(), true) << body;
  }
}

TEST_F(Histograms, TheRestIsOneSeriesAndTheSumIsMatched) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::int64_t first = parse_rfc3339("2026-10-20T10:00:00Z")->number();
  std::string ndjson;
  for (int i = 0; i < 3000; ++i) {
    const Timestamp time(first + static_cast<std::int64_t>(random() % (9 * 86400)) * kNanosPerSecond);
    ndjson += "{\"_time\":\"" + to_rfc3339(time) + "\",\"k\":\"" + std::to_string(random() % 12) + "\"}\n";
  }
  load(ndjson);
  for (const char* tz : {"UTC", "Europe/Berlin", "+05:45", "+00:01"}) {
    for (const char* buckets : {"4", "30", "120", "2000"}) {
      const JsonValue answer = json(post("/api/v1/histogram", std::string(R"({"query":"-k:=3","by":"k","tz":")") + tz +
                                                                  R"(","buckets_max":)" + buckets + "}"));
      HttpResponse rows = post("/api/v1/query", R"({"query":"-k:=3 | stats count() as n"})");
      const std::string matched = "{\"n\":" + std::to_string(*answer.find("total")->as_int()) + "}";
      EXPECT_NE(whole(rows).bytes.find(matched), std::string::npos) << tz << buckets;
      const auto& series = answer.find("series")->elements();
      ASSERT_EQ(series.size(), 6u);
      EXPECT_EQ(series.back().find("key")->as_string(), "other");
      EXPECT_EQ(series.back().find("rest")->as_bool(), true);
      // Each bucket holds what a query for its range finds.
      const auto& times = answer.find("times")->elements();
      EXPECT_LE(times.size(), std::stoul(buckets));
      const std::size_t b = random() % (times.size() - 1);
      std::int64_t counted = 0;
      for (const JsonValue& one : series) counted += *one.find("counts")->elements()[b].as_int();
      HttpResponse within = post("/api/v1/query", R"({"query":"-k:=3 | stats count() as n","start":")" +
                                                      std::string(*times[b].as_string()) + R"(","end":")" +
                                                      std::string(*times[b + 1].as_string()) + "\"}");
      EXPECT_NE(whole(within).bytes.find("{\"n\":" + std::to_string(counted) + "}"), std::string::npos)
          << tz << " " << buckets << " " << *times[b].as_string();
    }
  }
}

TEST_F(Histograms, SayWhatIsWrong) {
  EXPECT_EQ(post("/api/v1/histogram", R"({"query":"status=500"})").status, 400);
  EXPECT_NE(post("/api/v1/histogram", R"({"query":"status=500"})").body.find("query_syntax"), std::string::npos);
  for (const char* body : {R"({"buckets_max":0})", R"({"buckets_max":2001})", R"({"buckets_max":"x"})", R"({"by":1})",
                           R"({"by":"_time"})", R"({"top":3})"}) {
    EXPECT_EQ(post("/api/v1/histogram", body).status, 400) << body;
  }
}

TEST_F(Histograms, SayThatTimeRanOut) {
  load("{\"_time\":\"2026-11-20T10:00:10Z\",\"x\":1}");
  snapshot->before_block = [this] { clock.advance(std::chrono::seconds(31)); };
  const JsonValue answer = json(post("/api/v1/histogram", R"({"start":"now-1d","end":"now"})"));
  EXPECT_EQ(answer.find("complete")->as_bool(), false);
  EXPECT_EQ(answer.find("exact")->as_bool(), false);
  EXPECT_EQ(answer.find("reason")->as_string(), "timeout");
}

struct RecordContexts : SearchRoutesFixture {
  /// Records of three streams in turn, several at each instant.
  void load_streams(int count) {
    std::string ndjson;
    for (int i = 0; i < count; ++i) {
      const Timestamp time(clock.now().number() + i / 4 * kNanosPerSecond);
      ndjson += "{\"_time\":\"" + to_rfc3339(time) + "\",\"service\":\"" + (i % 3 == 0 ? "api" : "web") + "\"" +
                (i % 3 == 2 ? ",\"host\":\"h1\"" : "") + ",\"body\":\"" + std::to_string(i) + "\"}\n";
    }
    std::mt19937_64 random(7);
    snapshot = make_memory_snapshot(split_batches(load_json(ndjson, clock.now()), random, 9));
  }
  std::vector<std::string> ids() {
    HttpResponse response = post("/api/v1/query", R"({"order":"asc","limit":0,"fields":["_id"]})");
    std::vector<std::string> found;
    for (const std::string& line : lines_of(whole(response).bytes)) {
      if (line.starts_with("{\"_id\"")) found.push_back(line.substr(8, 26));
    }
    return found;
  }
};

TEST_F(RecordContexts, AreTheNeighboursOfTheStream) {
  load_streams(60);
  const std::vector<std::string> all = ids();
  ASSERT_EQ(all.size(), 60u);
  const JsonValue answer = json(context(all[31], {{"before", "3"}, {"after", "2"}}));
  EXPECT_EQ(texts(*answer.find("before"), "body"), (std::vector<std::string>{"22", "25", "28"}));
  EXPECT_EQ(answer.find("record")->find("body")->as_string(), "31");
  EXPECT_EQ(answer.find("record")->find("_id")->as_string(), all[31]);
  EXPECT_EQ(texts(*answer.find("after"), "body"), (std::vector<std::string>{"34", "37"}));
  EXPECT_EQ(answer.find("more")->find("before")->as_bool(), true);
  EXPECT_EQ(answer.find("more")->find("after")->as_bool(), true);
}

TEST_F(RecordContexts, AreTheNearestWhereBlocksOverlap) {
  const auto block = [this](const std::vector<int>& seconds) {
    std::string ndjson;
    for (const int second : seconds) {
      const Timestamp time(clock.now().number() + second * kNanosPerSecond);
      ndjson += "{\"_time\":\"" + to_rfc3339(time) + "\",\"body\":\"" + std::to_string(second) + "\"}\n";
    }
    return load_json(ndjson, clock.now()).front();
  };
  const std::string id = to_record_id({Timestamp(clock.now().number() + 20 * kNanosPerSecond), SequenceNumber(1)});
  // The first block on the way has enough neighbours, but not the nearest.
  snapshot = make_memory_snapshot({block({20, 1, 10, 11, 12}), block({19, 2, 3}), block({18, 17})});
  const JsonValue older = json(context(id, {{"before", "3"}, {"after", "3"}}));
  EXPECT_EQ(texts(*older.find("before"), "body"), (std::vector<std::string>{"17", "18", "19"}));
  snapshot = make_memory_snapshot({block({20, 30, 31, 32, 33}), block({21, 40, 41}), block({22, 23})});
  const JsonValue newer = json(context(id, {{"before", "3"}, {"after", "3"}}));
  EXPECT_EQ(texts(*newer.find("after"), "body"), (std::vector<std::string>{"21", "22", "23"}));
}

TEST_F(RecordContexts, EndWhereTheStreamEnds) {
  load_streams(12);
  const std::vector<std::string> all = ids();
  const JsonValue answer = json(context(all[3]));
  EXPECT_EQ(texts(*answer.find("before"), "body"), (std::vector<std::string>{"0"}));
  EXPECT_EQ(texts(*answer.find("after"), "body"), (std::vector<std::string>{"6", "9"}));
  EXPECT_EQ(answer.find("more")->find("before")->as_bool(), false);
  EXPECT_EQ(answer.find("more")->find("after")->as_bool(), false);
  const JsonValue none = json(context(all[3], {{"before", "0"}, {"after", "2"}}));
  EXPECT_TRUE(none.find("before")->elements().empty());
  EXPECT_EQ(none.find("more")->find("before")->as_bool(), true);
  EXPECT_EQ(none.find("more")->find("after")->as_bool(), false);
}

TEST_F(RecordContexts, SayWhatIsWrong) {
  load_streams(4);
  EXPECT_EQ(context("nosuch").status, 404);
  EXPECT_EQ(context(to_record_id({Timestamp(1), SequenceNumber(1)})).status, 404);
  for (const char* number : {"-1", "x", "", "1001"}) EXPECT_EQ(context(ids()[0], {{"before", number}}).status, 400);
  snapshot->before_block = [this] { clock.advance(std::chrono::seconds(31)); };
  EXPECT_EQ(context(to_record_id({snapshot->parts()[0].batch->timestamp(0), SequenceNumber(1)})).status, 504);
}

struct Exports : SearchRoutesFixture {
  void load_many(int count) {
    std::string ndjson;
    for (int i = 0; i < count; ++i) {
      const Timestamp time(clock.now().number() - (i / 3) * kNanosPerSecond);
      ndjson += "{\"_time\":\"" + to_rfc3339(time) + "\",\"n\":" + std::to_string(i) + ",\"body\":\"row\"}\n";
    }
    std::mt19937_64 random(11);
    snapshot = make_memory_snapshot(split_batches(load_json(ndjson, clock.now()), random, 500));
  }
  static std::vector<std::string> rows_of_query(HttpResponse response) {
    std::vector<std::string> lines = lines_of(whole(response).bytes);
    std::erase_if(lines, [](const std::string& line) {
      return line.starts_with("{\"_meta\"") || line.starts_with("{\"_status\"");
    });
    return lines;
  }
};

TEST_F(Exports, HaveEveryRowOfTheQuery) {
  load_many(7000);
  HttpResponse response = get("/api/v1/export", {{"query", "row -n:=17"}});
  EXPECT_EQ(response.content_type, "application/x-ndjson");
  EXPECT_EQ(response.headers.find("Content-Disposition"), "attachment; filename=\"dendro-20261120T120000Z.ndjson\"");
  ASSERT_NE(response.stream, nullptr);
  const WholeBody all = whole(response);
  EXPECT_FALSE(all.was_cut);
  const auto lines = lines_of(all.bytes);
  EXPECT_EQ(lines.size(), 6999u);
  EXPECT_EQ(lines, rows_of_query(post("/api/v1/query", R"({"query":"row -n:=17","limit":0,"progress":false})")));
}

TEST_F(Exports, GoOnBehindTheLastRowThatArrived) {
  load_many(3000);
  HttpResponse response = get("/api/v1/export", {{"query", "row"}, {"start", "now-1d"}});
  const std::string cursor(response.headers.find("X-Dendro-Cursor").value_or(""));
  const auto lines = lines_of(whole(response).bytes);
  ASSERT_EQ(lines.size(), 3000u);
  clock.advance(std::chrono::hours(23));  // the range stays that of the first reply
  for (const std::size_t held : {std::size_t{1}, std::size_t{1500}, std::size_t{2999}, std::size_t{3000}}) {
    const std::string id = lines[held - 1].substr(8, 26);
    HttpResponse rest =
        get("/api/v1/export", {{"query", "row"}, {"start", "now-1d"}, {"cursor", cursor}, {"after", id}});
    EXPECT_EQ(lines_of(whole(rest).bytes),
              std::vector<std::string>(lines.begin() + static_cast<long>(held), lines.end()));
  }
  HttpResponse again = get("/api/v1/export", {{"query", "row"}, {"start", "now-1d"}, {"cursor", cursor}});
  EXPECT_EQ(lines_of(whole(again).bytes), lines);
  EXPECT_EQ(get("/api/v1/export", {{"query", "other"}, {"cursor", cursor}}).status, 400);
  EXPECT_EQ(get("/api/v1/export", {{"query", "row"}, {"after", lines[0].substr(8, 26)}}).status, 400);
  EXPECT_EQ(get("/api/v1/export", {{"query", "row"}, {"cursor", cursor}, {"after", "x"}}).status, 400);
}

TEST_F(Exports, OldestFirstGoOnToo) {
  load_many(40);
  HttpResponse response = get("/api/v1/export", {{"query", "row"}, {"order", "asc"}});
  const std::string cursor(response.headers.find("X-Dendro-Cursor").value_or(""));
  const auto lines = lines_of(whole(response).bytes);
  ASSERT_EQ(lines.size(), 40u);
  HttpResponse rest = get("/api/v1/export",
                          {{"query", "row"}, {"order", "asc"}, {"cursor", cursor}, {"after", lines[9].substr(8, 26)}});
  EXPECT_EQ(lines_of(whole(rest).bytes), std::vector<std::string>(lines.begin() + 10, lines.end()));
}

TEST_F(Exports, WithoutAPlaceStartAnew) {
  load_many(10);
  HttpResponse paged = get("/api/v1/export", {{"query", "row"}});
  const std::string cursor(paged.headers.find("X-Dendro-Cursor").value_or(""));
  for (const char* query : {"row | stats by (n) count() as c", "row | sort by (n)", "row | limit 3"}) {
    const HttpResponse response = get("/api/v1/export", {{"query", query}});
    EXPECT_EQ(response.status, 200) << query;
    EXPECT_FALSE(response.headers.find("X-Dendro-Cursor").has_value()) << query;
    EXPECT_EQ(get("/api/v1/export", {{"query", query}, {"cursor", cursor}}).status, 400) << query;
  }
}

TEST_F(Exports, CsvIsSafeInASpreadsheet) {
  load(R"({"_time":"2026-11-20T10:00:00Z","body":"=1+1","v":-5,"w":"a,\"b\""})");
  HttpResponse response = get("/api/v1/export", {{"format", "csv"}, {"fields", "body,v,w"}});
  EXPECT_EQ(response.content_type, "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(response.headers.find("Content-Disposition"), "attachment; filename=\"dendro-20261120T120000Z.csv\"");
  EXPECT_EQ(whole(response).bytes, "body,v,w\r\n'=1+1,-5,\"a,\"\"b\"\"\"\r\n");
  response = get("/api/v1/export", {{"format", "text"}});
  EXPECT_EQ(whole(response).bytes, "=1+1\n");
}

TEST_F(Exports, ClipNothing) {
  load("{\"body\":\"" + std::string(9000, 'x') + "\"}");
  HttpResponse response = get("/api/v1/export", {});
  EXPECT_EQ(whole(response).bytes.find("_clipped"), std::string::npos);
}

TEST_F(Exports, CutShortHaveNoLastChunk) {
  load_many(7000);
  int blocks = 0;
  CancelToken token;
  snapshot->before_block = [&blocks, &token] {
    if (++blocks > 20) token.cancel();
  };
  HttpRequest request;
  request.query = {{"format", "ndjson"}};
  request.cancel = token;
  HttpResponse response = send("GET", "/api/v1/export", std::move(request));
  ASSERT_EQ(response.status, 200);
  EXPECT_TRUE(whole(response).was_cut);
  // An unreadable part is missing rows as well.
  load_many(7000);
  std::vector<MemorySnapshot::Part> parts = snapshot->parts();
  parts.back().is_damaged = true;
  snapshot = std::make_shared<MemorySnapshot>(std::move(parts));
  HttpResponse damaged = get("/api/v1/export", {});
  EXPECT_TRUE(damaged.status == 500 || whole(damaged).was_cut);
}

TEST_F(Exports, SayWhatIsWrong) {
  EXPECT_EQ(get("/api/v1/export", {{"query", "status=500"}}).status, 400);
  EXPECT_EQ(get("/api/v1/export", {{"format", "table"}}).status, 400);
  EXPECT_EQ(get("/api/v1/export", {{"cursor", "x"}}).status, 400);
  EXPECT_EQ(get("/api/v1/export", {{"colour", "red"}}).status, 400);
}

using Facets = SearchRoutesFixture;

TEST_F(Facets, CountFieldsAndTheirValues) {
  load(R"({"a":"x","n":1,"Apple":null}
{"a":"y","n":2}
{"a":"x","n":"two"}
{"a":"z","skip":1})");
  const JsonValue answer =
      json(post("/api/v1/facets", R"({"query":"-skip:* | stats count() as n","fields":["n","a","none"],"values":1})"));
  const auto& fields = answer.find("fields")->elements();
  ASSERT_EQ(fields.size(), 3u);
  EXPECT_EQ(fields[0].find("name")->as_string(), "n");
  EXPECT_EQ(fields[0].find("type")->as_string(), "string");
  EXPECT_EQ(fields[0].find("records")->as_int(), 3);
  EXPECT_EQ(fields[0].find("distinct")->as_int(), 3);
  EXPECT_EQ(fields[1].find("type")->as_string(), "string");
  EXPECT_EQ(fields[1].find("distinct")->as_int(), 2);
  ASSERT_EQ(fields[1].find("values")->elements().size(), 1u);
  EXPECT_EQ(fields[1].find("values")->elements()[0].find("value")->as_string(), "x");
  EXPECT_EQ(fields[1].find("values")->elements()[0].find("count")->as_int(), 2);
  EXPECT_EQ(fields[2].find("records")->as_int(), 0);
  EXPECT_EQ(fields[2].find("distinct_exact")->as_bool(), true);
  EXPECT_EQ(answer.find("sampled")->as_bool(), false);
}

TEST_F(Facets, ShowTheFieldsOfMostRecords) {
  load(R"({"aa":1,"ab":1,"b":true}
{"aa":2,"ab":2}
{"aa":2})");
  const JsonValue answer = json(post("/api/v1/facets", R"({"find":"A","top":1,"query":"*"})"));
  ASSERT_EQ(answer.find("fields")->elements().size(), 1u);
  EXPECT_GE(*answer.find("fields_total")->as_int(), 2);
  const JsonValue only = json(post("/api/v1/facets", R"({"find":"AA"})"));
  EXPECT_EQ(only.find("fields_total")->as_int(), 1);
  EXPECT_EQ(only.find("fields")->elements()[0].find("type")->as_string(), "number");
}

TEST_F(Facets, SayThatThereAreTooManyValues) {
  std::string ndjson;
  for (int i = 0; i < 10'001; ++i)
    ndjson += "{\"k\":" + std::to_string(i) + ",\"few\":" + std::to_string(i % 3) + "}\n";
  load(ndjson);
  const JsonValue answer = json(post("/api/v1/facets", R"({"fields":["k","few"]})"));
  const auto& fields = answer.find("fields")->elements();
  EXPECT_EQ(fields[0].find("distinct_exact")->as_bool(), false);
  EXPECT_EQ(fields[0].find("type")->as_string(), "number");
  EXPECT_TRUE(fields[0].find("values")->elements().empty());
  EXPECT_EQ(fields[1].find("distinct_exact")->as_bool(), true);
  EXPECT_EQ(fields[1].find("distinct")->as_int(), 3);
}

TEST_F(Facets, SayWhatIsWrong) {
  for (const char* body : {R"({"query":"a=b"})", R"({"top":0})", R"({"values":1001})", R"({"find":1})"})
    EXPECT_EQ(post("/api/v1/facets", body).status, 400) << body;
}

struct Patterns : SearchRoutesFixture {
  Patterns() {
    load(R"({"_time":"2026-11-20T10:00:00Z","level":"info","service":"api","body":"GET /users took 12ms"}
{"_time":"2026-11-20T10:00:10Z","level":"info","service":"api","body":"GET /users took 8ms"}
{"_time":"2026-11-20T10:00:29Z","level":"error","service":"api","body":"GET /users took 8ms"}
{"_time":"2026-11-20T10:00:30Z","level":"warn","service":"web","body":"retry 1 for invoice 77"}
{"_time":"2026-11-20T10:00:30Z","service":"web","body":42})");
  }
  HttpResponse one(const std::string& id, std::vector<std::pair<std::string, std::string>> params = {}) {
    HttpRequest request;
    request.query = std::move(params);
    request.path_params = {{"id", id}};
    return send("GET", "/api/v1/patterns/{id}", std::move(request));
  }
};

TEST_F(Patterns, CountEveryRecord) {
  const JsonValue answer = json(post(
      "/api/v1/patterns", R"({"query":"* | limit 1","start":"2026-11-20T10:00:00Z","end":"2026-11-20T10:00:31Z"})"));
  EXPECT_EQ(answer.find("total_records")->as_int(), 5);
  EXPECT_EQ(answer.find("covered_records")->as_int(), 4);
  const auto& patterns = answer.find("patterns")->elements();
  ASSERT_EQ(patterns.size(), 2u);
  EXPECT_EQ(patterns[0].find("count")->as_int(), 3);
  EXPECT_EQ(patterns[0].find("share")->as_double(), 0.75);
  EXPECT_EQ(patterns[0].find("severity")->as_string(), "info");
  EXPECT_EQ(patterns[0].find("first_seen")->as_string(), "2026-11-20T10:00:00.000000000Z");
  EXPECT_EQ(patterns[0].find("last_seen")->as_string(), "2026-11-20T10:00:29.000000000Z");
  EXPECT_EQ(patterns[0].find("sample_ids")->elements().size(), 3u);
  const auto& trend = patterns[0].find("trend")->elements();
  ASSERT_EQ(trend.size(), 30u);
  EXPECT_EQ(trend[0].as_int(), 1);
  EXPECT_EQ(trend[9].as_int(), 1);
  EXPECT_EQ(trend[28].as_int(), 1);
  const auto& parts = patterns[1].find("parts")->elements();
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].find("text")->as_string(), "retry ");
  EXPECT_EQ(parts[1].find("slot")->as_int(), 0);
  EXPECT_EQ(parts[1].find("type")->as_string(), "number");
  EXPECT_EQ(parts[2].find("text")->as_string(), " for invoice ");
}

TEST_F(Patterns, ComeInPages) {
  const JsonValue first = json(post("/api/v1/patterns", R"({"limit":1})"));
  ASSERT_EQ(first.find("patterns")->elements().size(), 1u);
  ASSERT_NE(first.find("next_cursor"), nullptr);
  const JsonValue second = json(post(
      "/api/v1/patterns", R"({"limit":1,"cursor":")" + std::string(*first.find("next_cursor")->as_string()) + "\"}"));
  EXPECT_EQ(second.find("patterns")->elements()[0].find("count")->as_int(), 1);
  EXPECT_EQ(second.find("next_cursor"), nullptr);
  EXPECT_EQ(second.find("covered_records")->as_int(), 4);
}

TEST_F(Patterns, AreSplitByTheValuesOfAField) {
  const JsonValue answer = json(post("/api/v1/patterns", R"({"by":"severity","start":"2026-11-20T10:00:00Z",)"
                                                         R"("end":"2026-11-20T10:00:30Z","compare":{"start":)"
                                                         R"("2026-11-20T10:00:30Z","end":"2026-11-20T10:01:00Z"}})"));
  std::vector<std::string> rows;
  for (const JsonValue& row : answer.find("patterns")->elements()) {
    std::int64_t trend = 0;
    for (const JsonValue& count : row.find("trend")->elements()) trend += *count.as_int();
    rows.push_back(text_of(row, "value") + " " + text_of(row.find("parts")->elements()[0], "text") +
                   std::to_string(*row.find("count")->as_int()) + " " + std::to_string(trend) + " " +
                   text_of(row, "change") + " " + std::to_string(row.find("sample_ids")->elements().size()));
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"info GET 2 2 new 2", "error GET 1 1 new 1", "warn retry 0 0 gone 0"}));
  EXPECT_EQ(answer.find("covered_records")->as_int(), 3);
  const JsonValue none = json(post("/api/v1/patterns", R"({"by":"nosuch","limit":1})"));
  EXPECT_TRUE(none.find("patterns")->elements()[0].find("value")->is_null());
  EXPECT_EQ(none.find("patterns")->elements()[0].find("count")->as_int(), 3);
}

TEST_F(Patterns, ShowWhatStandsInTheirSlots) {
  const JsonValue list = json(post("/api/v1/patterns", R"({"query":"service:api"})"));
  const std::string id(*list.find("patterns")->elements()[0].find("id")->as_string());
  const JsonValue answer = json(one(id));
  EXPECT_EQ(answer.find("count")->as_int(), 3);
  EXPECT_EQ(answer.find("aligned")->as_int(), 3);
  const auto& slots = answer.find("slots")->elements();
  ASSERT_FALSE(slots.empty());
  EXPECT_EQ(slots.back().find("distinct")->as_int(), 2);
  const auto& values = slots.back().find("values")->elements();
  EXPECT_EQ(values[0].find("value")->as_string(), "8ms");
  EXPECT_EQ(values[0].find("count")->as_int(), 2);
  EXPECT_EQ(json(one(id, {{"end", "2026-11-20T10:00:05Z"}})).find("count")->as_int(), 1);
  EXPECT_EQ(one(id, {{"start", "2026-11-20T11:00:00Z"}}).status, 404);
  EXPECT_EQ(one("0123456789abcdef").status, 404);
  EXPECT_EQ(one("x\" or *").status, 404);
}

TEST_F(Patterns, SayWhatIsWrong) {
  EXPECT_EQ(post("/api/v1/patterns", R"({"query":"status=500"})").status, 400);
  EXPECT_EQ(post("/api/v1/patterns", R"({"limit":0})").status, 400);
  EXPECT_EQ(post("/api/v1/patterns", R"({"cursor":"x"})").status, 400);
  EXPECT_EQ(post("/api/v1/patterns", R"({"by":1})").status, 400);
  EXPECT_EQ(post("/api/v1/patterns", R"({"compare":{"start":"now-2h"}})").status, 400);
  EXPECT_EQ(post("/api/v1/patterns", R"({"compare":{"start":"now-2h","end":"now-1h"}})").status, 400)
      << "the range of the query is open";
  const JsonValue none = json(post("/api/v1/patterns", R"({"query":"nosuch"})"));
  EXPECT_TRUE(none.find("patterns")->elements().empty());
}

TEST_F(SearchRoutesFixture, EveryRouteDescribesItselfInJson) {
  for (const Route& route : routes) {
    EXPECT_FALSE(route.summary.empty() || route.operation_id.empty()) << route.path;
    if (!route.request_schema_json.empty()) {
      EXPECT_TRUE(parse_json_document(route.request_schema_json).has_value()) << route.path;
      EXPECT_TRUE(parse_json_document(route.request_example).has_value()) << route.path;
    }
    for (const RouteReply& reply : route.replies) {
      if (!reply.schema_json.empty()) EXPECT_TRUE(parse_json_document(reply.schema_json).has_value()) << route.path;
    }
    for (const RouteParam& param : route.params)
      EXPECT_TRUE(parse_json_document(param.schema_json).has_value()) << route.path << " " << param.name;
  }
}

TEST_F(SearchRoutesFixture, PatternsAreComparedWithAnotherWindow) {
  std::string lines;
  const auto add = [&lines](int count, const std::string& time, const std::string& body) {
    for (int i = 0; i < count; ++i) {
      lines += R"({"_time":")" + time + R"(","body":")" + body + std::to_string(i + 10) + "\"}\n";
    }
  };
  // The window before is twice as long: 20 there lead to expect 10.
  add(20, "2026-11-20T10:30:00Z", "steady ");
  add(10, "2026-11-20T11:30:00Z", "steady ");
  add(10, "2026-11-20T10:30:00Z", "risen ");
  add(60, "2026-11-20T11:30:00Z", "risen ");
  add(7, "2026-11-20T09:30:00Z", "gone ");
  add(3, "2026-11-20T11:30:00Z", "fresh ");
  load(lines);
  const JsonValue answer = json(post("/api/v1/patterns", R"({"query":"*","start":"2026-11-20T11:00:00Z","end":)"
                                                         R"("2026-11-20T12:00:00Z","compare":{"start":)"
                                                         R"("2026-11-20T09:00:00Z","end":"2026-11-20T11:00:00Z"}})"));
  std::vector<std::string> rows;
  for (const JsonValue& row : answer.find("patterns")->elements()) {
    const JsonValue& ratio = *row.find("ratio");
    rows.push_back(text_of(row.find("parts")->elements()[0], "text") + text_of(row, "change") + " " +
                   std::to_string(*row.find("count")->as_int()) + " " +
                   std::to_string(*row.find("baseline_count")->as_int()) + " " +
                   (ratio.is_null() ? "-" : std::to_string(*ratio.as_double())));
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"risen up 60 10 12.000000", "steady same 10 20 1.000000", "fresh new 3 0 -",
                                            "gone gone 0 7 0.000000"}));
  EXPECT_EQ(*answer.find("total_records")->as_int(), 73);
}

}  // namespace
}  // namespace dendro
