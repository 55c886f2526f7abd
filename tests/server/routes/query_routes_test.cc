#include "server/routes/query_routes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "record/record_id.h"
#include "tests/query/memory_snapshot.h"
#include "tests/server/routes/route_caller.h"

namespace dendro {
namespace {

struct QueryRoutesFixture : testing::Test {
  ManualClock clock{*parse_rfc3339("2026-11-20T10:05:00Z")};
  WorkerPool pool{1, 16};
  std::shared_ptr<MemorySnapshot> snapshot =
      make_memory_snapshot(load_json("{\"id\":\"a\",\"_time\":\"2026-11-20T10:00:00Z\",\"body\":\"boom\"}\n"
                                     "{\"id\":\"b\",\"_time\":\"2026-11-20T10:01:00Z\",\"body\":\"fine\"}",
                                     clock.now()));
  std::vector<Route> routes = query_routes(
      {pool, clock, [this](const TenantId&) { return Result<std::shared_ptr<const Snapshot>>(snapshot); }});

  HttpResponse send(std::string_view method, std::string_view path, HttpRequest request) {
    request.received = clock.now();
    return call_route(routes, method, path, std::move(request));
  }
  HttpResponse post(std::string body) {
    HttpRequest request;
    request.body = std::move(body);
    return send("POST", "/api/v1/query", std::move(request));
  }
  static std::string whole(HttpResponse& response) {
    const WholeBody all = read_whole(response);
    EXPECT_FALSE(all.was_cut);
    return all.bytes;
  }
};

TEST_F(QueryRoutesFixture, AnswersInLines) {
  HttpResponse response = post(R"({"query":"boom | fields id","start":"now-1h","limit":10,"cache":true})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/x-ndjson");
  const std::string body = whole(response);
  EXPECT_TRUE(body.starts_with("{\"_meta\":")) << body;
  EXPECT_NE(body.find("\n{\"id\":\"a\"}\n{\"_status\":{\"complete\":true,"), std::string::npos) << body;
  EXPECT_NE(body.find("\"request_id\":\"req-1\""), std::string::npos);
}

TEST_F(QueryRoutesFixture, StreamsLongAnswers) {
  std::string ndjson;
  for (int i = 0; i < 5000; ++i) ndjson += "{\"id\":\"" + std::to_string(i) + "\"}\n";
  snapshot = make_memory_snapshot(load_json(ndjson, clock.now()));
  HttpResponse response = post(R"({"limit":0})");
  EXPECT_NE(response.stream, nullptr);
  const std::string body = whole(response);
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), 5002);
  EXPECT_NE(body.find("\"returned\":5000"), std::string::npos);
}

TEST_F(QueryRoutesFixture, TakesParametersToo) {
  HttpRequest request;
  request.query = {{"query", "fine"}, {"fields", "id, body"}, {"format", "csv"}};
  HttpResponse response = send("GET", "/api/v1/query", std::move(request));
  EXPECT_EQ(response.content_type, "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(whole(response), "id,body\r\nb,fine\r\n");
  request = {};
  request.headers.add("Accept", "application/json, */*");
  response = send("GET", "/api/v1/query", std::move(request));
  EXPECT_EQ(response.content_type, "application/json");
}

TEST_F(QueryRoutesFixture, ExplainsInsteadOfAnswering) {
  HttpResponse response = post(R"({"query":"boom | fields id","explain":true})");
  const std::string body = whole(response);
  EXPECT_NE(body.find(R"({"plan":{"query":"boom | fields id","scan":)"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("read":{"records":)"), std::string::npos) << body;
  EXPECT_EQ(body.find(R"("id":"a")"), std::string::npos) << body;
  EXPECT_EQ(post(R"({"query":"boom","explain":"yes"})").status, 400);
}

/// One table, "owners.csv".
class OneTable final : public LookupTables {
 public:
  Result<std::shared_ptr<const SubqueryRows>> find(std::string_view name) const override {
    if (name != "owners.csv") return Error(ErrorCode::not_found, "there is no table \"" + std::string(name) + "\"");
    return parse_lookup_table(name, "id,owner\na,ann\n");
  }
};

TEST_F(QueryRoutesFixture, LooksUpTablesWhereItHasAFolder) {
  constexpr const char* kQuery = R"({"query":"* | lookup \"owners.csv\" by id | fields id, owner"})";
  HttpResponse response = post(kQuery);
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("tables for lookup are not known here"), std::string::npos) << response.body;
  routes = query_routes({pool,
                         clock,
                         [this](const TenantId&) { return Result<std::shared_ptr<const Snapshot>>(snapshot); },
                         {},
                         std::make_shared<OneTable>()});
  response = post(kQuery);
  const std::string body = whole(response);
  EXPECT_NE(body.find(R"({"id":"a","owner":"ann"})"), std::string::npos) << body;
  EXPECT_NE(body.find(R"({"id":"b"})"), std::string::npos) << body;
}

TEST_F(QueryRoutesFixture, SyntaxErrorsSayWhere) {
  const HttpResponse response = post(R"({"query":"status=500"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(
      response.body,
      R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"line 1, column 7: \"=\" needs \":\" before it",)"
      R"("code":"query_syntax","request_id":"req-1","query":{"offset":6,"size":1,"column":7,"line":1,"expected":[],)"
      R"("suggestion":"status:=500"}})");
  EXPECT_EQ(post(R"x({"query":"_tenant:3"})x").status, 501);
}

TEST_F(QueryRoutesFixture, WrongMembersAreNamed) {
  for (const char* body : {R"({"limt":1})", R"({"limit":-1})", R"({"order":"up"})", R"({"fields":"a"})",
                           R"({"timeout_ms":0})", R"({"query":5})", R"({"format":"xml"})"}) {
    const HttpResponse response = post(body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_NE(response.body.find("\"errors\":[{\"field\":"), std::string::npos) << response.body;
  }
  EXPECT_EQ(post("[]").status, 400);
  EXPECT_EQ(post("{").status, 400);
  EXPECT_EQ(post(R"({"cursor":"x"})").status, 400);
  EXPECT_EQ(post(R"({"tz":"Europe/Berlin"})").status, 200);
  EXPECT_EQ(post(R"({"source":{"upload":"u"}})").status, 501);
  EXPECT_EQ(post("{}").status, 200);
}

TEST_F(QueryRoutesFixture, GivesOneRecord) {
  HttpRequest request;
  request.path_params = {{"id", to_record_id({snapshot->parts()[0].batch->timestamp(0), SequenceNumber(1)})}};
  HttpResponse response = send("GET", "/api/v1/records/{id}", request);
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find(R"("raw":"{\"id\":\"a\")"), std::string::npos) << response.body;
  request.path_params = {{"id", "nosuch"}};
  EXPECT_EQ(send("GET", "/api/v1/records/{id}", std::move(request)).status, 404);
}

}  // namespace
}  // namespace dendro
