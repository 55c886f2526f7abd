// What a page asks while somebody writes a query; saved queries, short links, running queries.
#include "server/routes/query_help_routes.h"

#include <gtest/gtest.h>

#include "meta/meta_schema.h"
#include "server/routes/running_query_routes.h"
#include "server/routes/saved_routes.h"
#include "services/search/saved_filter_names.h"
#include "tests/io/temporary_folder.h"
#include "tests/query/memory_snapshot.h"
#include "tests/server/routes/route_caller.h"

namespace dendro {
namespace {

struct QueryHelpFixture : testing::Test {
  ManualClock clock{*parse_rfc3339("2026-11-20T10:05:00Z")};
  SystemRandom random;
  WorkerPool pool{1, 16};
  TemporaryFolder folder;
  std::unique_ptr<MetaDatabase> meta = MetaDatabase::open(folder.path("meta.db"), meta_schema()).value();
  SavedQueries saved{*meta, clock, random};
  ShortLinks links{*meta, clock, random};
  RunningQueries running{clock, std::chrono::milliseconds(0)};
  std::shared_ptr<MemorySnapshot> snapshot =
      make_memory_snapshot(load_json(R"({"_time":"2026-11-20T10:00:00Z","level":"error","user":"ann b","body":"boom"})"
                                     "\n"
                                     R"({"_time":"2026-11-20T10:01:00Z","level":"error","user":"bob","body":"fine"})"
                                     "\n"
                                     R"({"_time":"2026-11-20T10:02:00Z","level":"info","user":"bob","body":"fine"})",
                                     clock.now()));
  std::vector<Route> routes;

  QueryHelpFixture() {
    QueryRouteParts parts{pool, clock,
                          [this](const TenantId&) { return Result<std::shared_ptr<const Snapshot>>(snapshot); }};
    parts.saved_filters_of = [this](const TenantId& tenant) { return make_saved_filters(saved, tenant); };
    parts.running = &running;
    add(query_routes(parts));
    add(query_help_routes(parts, [this](const TenantId& tenant) -> SavedNames {
      return [this, tenant](std::string_view prefix) { return saved_filter_names(saved, tenant, prefix); };
    }));
    add(make_saved_routes(pool, saved, links));
    add(make_running_query_routes(running));
  }
  void add(std::vector<Route> more) { std::move(more.begin(), more.end(), std::back_inserter(routes)); }
  HttpResponse translate(const std::string& from, std::string body) {
    HttpRequest request;
    request.body = std::move(body);
    request.query = {{"from", from}};
    return call_route(routes, "POST", "/api/v1/translate", std::move(request));
  }
  HttpResponse send(std::string_view method, std::string_view pattern, std::string body = {},
                    std::vector<std::pair<std::string, std::string>> path_params = {}) {
    HttpRequest request;
    request.body = std::move(body);
    request.path_params = std::move(path_params);
    request.received = clock.now();
    return call_route(routes, method, pattern, std::move(request));
  }
  std::string complete(const std::string& query) {
    std::string text;
    const HttpResponse response = send("POST", "/api/v1/complete", R"({"query":")" + query + "\"}");
    EXPECT_EQ(response.status, 200) << response.body;
    const JsonValue answer = json_of(response);
    for (const JsonValue& item : answer.find("items")->elements()) text += text_of(item, "text") + " ";
    return text;
  }
};

TEST_F(QueryHelpFixture, CompletesWhatIsThere) {
  EXPECT_EQ(complete("us"), "user: ");
  EXPECT_EQ(complete("user:"), "bob \"ann b\" ") << "the most frequent first";
  EXPECT_EQ(complete("user:=A"), "\"ann b\" ") << "whatever its case";
  EXPECT_EQ(complete("* | time"), "timechart ");
  EXPECT_EQ(complete("* | stats by (se"), "severity ");
  EXPECT_NE(complete("* | stats co").find("count "), std::string::npos);
  const HttpResponse response = send("POST", "/api/v1/complete", R"({"query":"user:bo x","offset":7})");
  EXPECT_EQ(response.body, R"({"first":5,"last":7,"items":[{"text":"bob","kind":"value","count":2}]})");
  EXPECT_EQ(send("POST", "/api/v1/complete", R"({"offset":7})").status, 400);
  EXPECT_EQ(send("POST", "/api/v1/complete", R"({"query":"a","start":"never"})").status, 400);
}

TEST_F(QueryHelpFixture, EditsAQueryAndShowsItsChips) {
  const HttpResponse response = send("POST", "/api/v1/query/edit",
                                     R"({"query":"boom | limit 5","add":{"field":"user","op":"=","value":"ann b"}})");
  EXPECT_EQ(
      response.body,
      R"({"query":"boom user:=\"ann b\" | limit 5","chips":[{"field":"","op":":","value":"boom","first":0,"last":4},)"
      R"({"field":"user","op":"=","value":"ann b","first":5,"last":18}]})");
  const std::string change = R"({"field":"user","op":"=","value":"x"})";
  EXPECT_EQ(send("POST", "/api/v1/query/edit", R"({"query":"a |","add":)" + change + "}").status, 400);
  EXPECT_EQ(send("POST", "/api/v1/query/edit", R"({"query":"a"})").status, 400);
  EXPECT_EQ(
      send("POST", "/api/v1/query/edit", R"({"query":"a","add":)" + change + R"(,"remove":)" + change + "}").status,
      400);
  HttpResponse answer = send("POST", "/api/v1/query", R"({"query":"user:=bob level:info"})");
  EXPECT_NE(read_whole(answer).bytes.find(R"("chips":[{"field":"user","op":"=","value":"bob","first":0,"last":9},)"),
            std::string::npos);
}

TEST_F(QueryHelpFixture, TranslatesOtherLanguages) {
  EXPECT_EQ(translate("lucene", R"({"query":"a b","default_operator":"and"})").body,
            R"x({"query":"i(a) i(b)","warnings":[]})x");
  EXPECT_EQ(translate("logql", R"({"query":"{} |= \"x\""})").body, R"({"query":"body:*x*","warnings":[]})");
  EXPECT_EQ(translate("kql", R"({"query":"a <= 5"})").body, R"({"query":"a:<=5","warnings":[]})");
  EXPECT_EQ(translate("insights", R"({"query":"filter a = 1 | limit 2"})").body,
            R"({"query":"a:=1 | limit 2","warnings":[]})");
  EXPECT_EQ(
      translate("logql", R"x({"query":"sum(rate({}[5m]))","step":"1m"})x").body,
      R"x({"query":"* | stats by (_time:1m window 5m) count() as value | eval value / 300 as value","warnings":[]})x");
  EXPECT_EQ(translate("logql", R"x({"query":"sum(rate({}[5m]))","step":"soon"})x").status, 400);
  EXPECT_EQ(translate("logql", R"x({"query":"sum(rate({}[5m]))","step":"0s"})x").status, 400);
  EXPECT_EQ(translate("insights", R"({"query":"unnest a"})").status, 400);
  EXPECT_EQ(translate("lucene", R"({"query":"roam~"})").status, 400);
  EXPECT_EQ(translate("sql", R"({"query":"a"})").status, 400);
  EXPECT_EQ(translate("", R"({"query":"a"})").status, 400);
}

TEST_F(QueryHelpFixture, SavedQueriesAreKeptAndServeAsFilters) {
  const HttpResponse made =
      send("POST", "/api/v1/saved", R"({"name":"bobs","query":"user:=bob","settings":{"a":[1,null,"x"]}})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string id = text_of(json_of(made), "id");
  EXPECT_EQ(send("POST", "/api/v1/saved", R"({"name":"bobs","query":"*"})").status, 409);
  EXPECT_EQ(send("POST", "/api/v1/saved", R"({"name":"x","query":"*","oops":1})").status, 400);
  EXPECT_EQ(send("POST", "/api/v1/saved", R"({"name":"x","query":"*","settings":[]})").status, 400);
  EXPECT_NE(send("GET", "/api/v1/saved").body.find(R"("settings":{"a":[1,null,"x"]})"), std::string::npos);
  EXPECT_EQ(text_of(json_of(send("GET", "/api/v1/saved/{id}", "", {{"id", id}})), "query"), "user:=bob");
  HttpResponse answer = send("POST", "/api/v1/query", R"({"query":"$bobs level:error | fields body"})");
  EXPECT_NE(read_whole(answer).bytes.find(R"({"body":"fine"})"), std::string::npos);
  EXPECT_EQ(complete("$bo"), "$bobs ");
  EXPECT_EQ(send("PUT", "/api/v1/saved/{id}", R"({"name":"anns","query":"user:=ann"})", {{"id", id}}).status, 200);
  EXPECT_EQ(send("POST", "/api/v1/query", R"({"query":"$bobs"})").status, 400);
  EXPECT_EQ(send("DELETE", "/api/v1/saved/{id}", "", {{"id", id}}).status, 204);
  EXPECT_EQ(send("GET", "/api/v1/saved/{id}", "", {{"id", id}}).status, 404);
}

TEST_F(QueryHelpFixture, ShortLinksLeadToPagesOfThisServer) {
  const HttpResponse made = send("POST", "/api/v1/short", R"({"path":"/explore?q=error"})");
  ASSERT_EQ(made.status, 201);
  const std::string code = text_of(json_of(made), "code");
  EXPECT_EQ(text_of(json_of(made), "url"), "/s/" + code);
  const HttpResponse opened = send("GET", "/s/{code}", "", {{"code", code}});
  EXPECT_EQ(opened.status, 302);
  EXPECT_EQ(opened.headers.find("Location"), "/explore?q=error");
  EXPECT_EQ(send("GET", "/s/{code}", "", {{"code", "nosuch"}}).status, 404);
  EXPECT_EQ(send("POST", "/api/v1/short", R"({"path":"//evil.example"})").status, 400);
}

TEST_F(QueryHelpFixture, RunningQueriesAreListedAndEnded) {
  CancelToken token;
  const auto ticket = running.begin({"req-9", TenantId::default_tenant(), "query", "* | sort by (x)", token});
  const JsonValue listed = json_of(send("GET", "/api/v1/admin/queries"));
  ASSERT_EQ(listed.find("items")->elements().size(), 1u);
  EXPECT_EQ(text_of(listed.find("items")->elements()[0], "id"), "req-9");
  EXPECT_EQ(send("DELETE", "/api/v1/admin/queries/{id}", "", {{"id", "req-9"}}).status, 204);
  EXPECT_TRUE(token.cancelled());
  EXPECT_EQ(send("DELETE", "/api/v1/admin/queries/{id}", "", {{"id", "nosuch"}}).status, 404);
}

TEST_F(QueryHelpFixture, EveryViewIsListedWhileItRuns) {
  std::vector<std::string> operations;
  snapshot->before_block = [&] {
    for (const QueryActivity& activity : running.list()) operations.push_back(activity.operation);
  };
  HttpResponse answer = send("POST", "/api/v1/query", R"({"query":"boom"})");
  (void)read_whole(answer);
  (void)send("POST", "/api/v1/histogram", R"({"query":"*"})");
  (void)send("POST", "/api/v1/facets", R"({"query":"*"})");
  (void)send("POST", "/api/v1/patterns", R"({"query":"*"})");
  HttpResponse exported = send("GET", "/api/v1/export");
  (void)read_whole(exported);
  operations.erase(std::unique(operations.begin(), operations.end()), operations.end());
  EXPECT_EQ(operations, (std::vector<std::string>{"query", "histogram", "facets", "patterns", "export"}));
  answer.stream.reset();
  EXPECT_TRUE(running.list().empty());
}

}  // namespace
}  // namespace dendro
