// The routes of S2 over the engine: shapes to the letter, faults, paging, what the trail says, the stream's frames.
#include "server/routes/audit_routes.h"

#include <gtest/gtest.h>

#include <future>

#include "base/json_document.h"
#include "services/audit/engine_audit_store.h"
#include "tests/server/test_server.h"
#include "tests/server/web_socket_frames.h"
#include "tests/storage/store_fixture.h"

namespace dendro {
namespace {

const TenantId kAcme = TenantId::parse("acme").value();
constexpr std::string_view kGoodLog =
    R"({"action":"CREATE","resource_type":"user","resource_id":"u1","message":"made"})";

/// A trail that can be told to fail.
class TrailSwitch final : public AccessTrail {
 public:
  explicit TrailSwitch(std::unique_ptr<AccessTrail> inner) : inner_(std::move(inner)) {}
  std::atomic<bool> fails{false};
  void record(AccessEntry entry, std::function<void(Status)> done) override {
    if (fails) return done(Error(ErrorCode::storage_full, "no room"));
    inner_->record(std::move(entry), std::move(done));
  }
  Result<AuditPage<AccessTrailRow>> list(const AuditPageRequest& request, const AccessFilter& filter) override {
    return inner_->list(request, filter);
  }

 private:
  const std::unique_ptr<AccessTrail> inner_;
};

struct AuditRoutesFixture : testing::Test {
  AuditRoutesFixture() {
    engine.open();
    store = make_engine_audit_store(*engine.store, engine.clock);
    trail = std::make_unique<TrailSwitch>(make_engine_access_trail(*engine.store, engine.clock, engine.random));
    pipeline = std::make_unique<AuditPipeline>(*store, engine.random, AuditSettingsOf());
    streams = AuditStreamHub::start(*store, server.workers, {.streams_per_tenant_max = 3, .limits = {1000, 4 << 20}});
    const AuditRouteParts parts{server.workers, *store, *pipeline, *trail, *streams, engine.random};
    routes = make_audit_routes(parts);
  }
  ~AuditRoutesFixture() override {
    server.server.reset();
    streams->stop();
  }

  struct Call {
    std::string method, path, body;
    std::vector<std::pair<std::string, std::string>> query;
    std::string id;
    std::string retry_key;
    TenantId tenant = kAcme;
    ErrorShape shape = ErrorShape::detail;
    bool has_principal = true;
  };
  HttpResponse send(const Call& call) {
    auto request = std::make_shared<HttpRequest>();
    request->method = call.method;
    request->path = "/api/v1" + call.path;
    request->body = call.body;
    request->query = call.query;
    if (!call.id.empty()) request->path_params = {{"id", call.id}};
    if (!call.retry_key.empty()) request->headers.add("Idempotency-Key", call.retry_key);
    request->request_id = "req-1";
    request->peer_address = "192.0.2.7";
    request->received = engine.clock.now();
    request->tenant = call.tenant;
    request->error_shape = call.shape;
    if (call.has_principal) {
      auto principal = std::make_shared<Principal>();
      principal->id = "key:1";
      principal->token_id = "t-1";
      request->principal = std::move(principal);
    }
    for (const Route& route : routes) {
      if (route.method != call.method || route.path != "/api/v1" + call.path) continue;
      std::promise<HttpResponse> promise;
      route.handler(request, [&promise](HttpResponse response) { promise.set_value(std::move(response)); });
      return promise.get_future().get();
    }
    ADD_FAILURE() << "no route " << call.method << " " << call.path;
    return {};
  }
  HttpResponse get_with(const std::string& path, std::vector<std::pair<std::string, std::string>> query = {}) {
    return send({.method = "GET", .path = path, .body = {}, .query = std::move(query), .id = {}, .retry_key = {}});
  }
  HttpResponse post_log(std::string_view body, const TenantId& tenant = kAcme) {
    return send({.method = "POST",
                 .path = "/logs",
                 .body = std::string(body),
                 .query = {},
                 .id = {},
                 .retry_key = {},
                 .tenant = tenant});
  }
  static std::string whole(HttpResponse response) {
    if (response.stream == nullptr) return response.body;
    std::string text;
    for (bool is_over = false; !is_over;) {
      std::promise<ResponseStream::Piece> promise;
      response.stream->next([&promise](ResponseStream::Piece piece) { promise.set_value(std::move(piece)); });
      const auto piece = promise.get_future().get();
      EXPECT_TRUE(piece.has_value()) << piece.error().message();
      is_over = !piece || !piece->has_value();
      if (!is_over) text += **piece;
    }
    return text;
  }
  /// Actions of the trail, newest first.
  std::vector<std::string> actions(const TenantId& tenant = kAcme) {
    AuditPageRequest request;
    request.tenant = tenant;
    request.limit = 1000;
    request.now = engine.clock.now();
    std::vector<std::string> names;
    const auto page = trail->list(request, {});
    for (const AccessTrailRow& row : page->rows) names.push_back(row.entry.action);
    return names;
  }

  StoreFixture engine;
  TestServer server;
  std::unique_ptr<AuditStore> store;
  std::unique_ptr<TrailSwitch> trail;
  std::unique_ptr<AuditPipeline> pipeline;
  std::shared_ptr<AuditStreamHub> streams;
  std::vector<Route> routes;
};

TEST_F(AuditRoutesFixture, CreatesListsAndGetsToTheLetter) {
  const HttpResponse created = post_log(kGoodLog);
  EXPECT_EQ(created.status, 202);
  EXPECT_TRUE(created.body.starts_with(R"({"data":{"message_id":")")) << created.body;
  EXPECT_TRUE(created.body.ends_with(R"(","status":"queued"},"meta":null})")) << created.body;
  const HttpResponse listed = get_with("/logs");
  EXPECT_EQ(listed.status, 200);
  EXPECT_EQ(listed.content_type, "application/json");
  const std::string id =
      std::string(*parse_json_document(listed.body)->find("data")->elements().at(0).find("id")->as_string());
  const std::string log =
      R"({"id":")" + id +
      R"(","timestamp":"2023-11-14T22:13:20.000000Z","tenant_id":"acme","action":"CREATE","resource_type":"user",)"
      R"("resource_id":"u1","severity":"INFO","message":"made","session_id":null,"user_id":null,"ip_address":null,)"
      R"("user_agent":null,"request_id":null,"before_state":null,"after_state":null,"metadata":null})";
  EXPECT_EQ(listed.body,
            R"({"data":[)" + log + R"(],"meta":{"pagination":{"total":1,"page":1,"size":100,"next_cursor":null}}})");
  const auto get_id = [this](const std::string& wanted, const TenantId& tenant = kAcme) {
    return send({.method = "GET",
                 .path = "/logs/{id}",
                 .body = {},
                 .query = {},
                 .id = wanted,
                 .retry_key = {},
                 .tenant = tenant});
  };
  EXPECT_EQ(get_id(id).body, R"({"data":)" + log + R"(,"meta":null})");
  EXPECT_EQ(get_id("nonsense").status, 400);
  EXPECT_EQ(get_id("nonsense").body, R"({"detail":"Invalid log ID"})");
  const HttpResponse unknown = get_id("0123456789abcdef01234567");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"detail":"Log not found"})");
  EXPECT_EQ(get_id(id, TenantId::default_tenant()).body, unknown.body);
}

TEST_F(AuditRoutesFixture, BulkReportsTheBadOnes) {
  const auto bulk = [this](const std::string& logs, const std::string& key = {}) {
    return send({.method = "POST",
                 .path = "/logs/bulk",
                 .body = R"({"logs":[)" + logs + "]}",
                 .query = {},
                 .id = {},
                 .retry_key = key});
  };
  const HttpResponse mixed =
      bulk(std::string(kGoodLog) + R"(,{"action":"CREATE","resource_type":"user","message":"m"})", "k");
  EXPECT_EQ(mixed.status, 202);
  EXPECT_TRUE(mixed.body.starts_with(R"({"data":{"message_ids":[")")) << mixed.body;
  EXPECT_TRUE(mixed.body.ends_with(
      R"("],"count":1,"status":"queued","rejected":[{"index":1,"errors":[{"loc":["body","logs",1,"resource_id"],"msg":"Field required","type":"missing"}]}]},"meta":null})"))
      << mixed.body;
  const HttpResponse again =
      bulk(std::string(kGoodLog) + R"(,{"action":"CREATE","resource_type":"user","message":"m"})", "k");
  EXPECT_EQ(again.body, mixed.body);
  EXPECT_EQ(again.headers.find("Idempotency-Replayed"), "true");
  EXPECT_EQ(bulk(std::string(kGoodLog), "k").status, 409);
  const HttpResponse all_bad = bulk("7");
  EXPECT_EQ(all_bad.status, 422);
  EXPECT_EQ(all_bad.body,
            R"({"detail":[{"loc":["body","logs",0],"msg":"Input should be an object","type":"dict_type"}]})");
  EXPECT_EQ(bulk("").status, 422);
  std::string many = "0";
  for (int i = 0; i < 10'000; ++i) many += ",0";
  EXPECT_EQ(bulk(many).status, 413);
}

TEST_F(AuditRoutesFixture, FaultsPointAtTheirFieldInBothShapes) {
  EXPECT_EQ(post_log("{}").status, 422);
  const HttpResponse problem = send({.method = "POST",
                                     .path = "/logs",
                                     .body = R"({"action":"x","resource_type":"a","resource_id":"b","message":"c"})",
                                     .query = {},
                                     .id = {},
                                     .retry_key = {},
                                     .tenant = kAcme,
                                     .shape = ErrorShape::problem});
  EXPECT_EQ(problem.content_type, "application/problem+json");
  EXPECT_EQ(
      problem.body,
      R"({"type":"about:blank","title":"Unprocessable Content","status":422,"detail":"action: Input should be 'CREATE', 'UPDATE', 'DELETE', )"
      R"('VIEW', 'LOGIN', 'LOGOUT', 'IMPORT', 'EXPORT' or 'READ'","code":"invalid_argument","request_id":"req-1","errors":[{"field":"action",)"
      R"("message":"Input should be 'CREATE', 'UPDATE', 'DELETE', 'VIEW', 'LOGIN', 'LOGOUT', 'IMPORT', 'EXPORT' or 'READ'",)"
      R"("loc":["body","action"],"type":"enum"}]})");
  const auto fault_of = [this](const std::string& path, std::pair<std::string, std::string> param) {
    const HttpResponse response = get_with(path, {std::move(param)});
    EXPECT_EQ(response.status, 422) << response.body;
    return response.body;
  };
  EXPECT_EQ(
      fault_of("/logs", {"skip", "-1"}),
      R"({"detail":[{"loc":["query","skip"],"msg":"Input should be greater than or equal to 0","type":"greater_than_equal"}]})");
  EXPECT_NE(fault_of("/logs", {"skip", "10001"}).find("cursor"), std::string::npos);
  EXPECT_NE(fault_of("/logs", {"limit", "1001"}).find("cursor"), std::string::npos);
  EXPECT_NE(fault_of("/logs", {"limit", "99999999999999999999"}).find("less_than_equal"), std::string::npos);
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"limit", "0"},
                                                                                    {"limit", "x"},
                                                                                    {"limit", ""},
                                                                                    {"cursor", "x"},
                                                                                    {"action", "x"},
                                                                                    {"severity", "info"},
                                                                                    {"start_time", "x"},
                                                                                    {"resource_id", "\xFF"}}) {
    EXPECT_NE(fault_of("/logs", {name, value}).find("[\"query\",\"" + name + "\"]"), std::string::npos) << name;
  }
  EXPECT_EQ(get_with("/logs", {{"start_time", "2026-01-02"}, {"end_time", "2026-01-01"}}).status, 422);
  EXPECT_EQ(get_with("/logs", {{"skip", "1"}, {"cursor", "x"}}).status, 422);
  fault_of("/logs/export", {"format", "xml"});
  fault_of("/logs/stats", {"action", "x"});
  fault_of("/stats/daily", {"days", "31"});
  fault_of("/audit-trail", {"limit", "0"});
}

TEST_F(AuditRoutesFixture, PagesHaveTheirNumber) {
  for (int i = 0; i < 7; ++i) ASSERT_EQ(post_log(kGoodLog).status, 202);
  const HttpResponse second = get_with("/logs", {{"skip", "3"}, {"limit", "3"}});
  const auto json = parse_json_document(second.body);
  const JsonValue* pagination = json->find("meta")->find("pagination");
  EXPECT_EQ(pagination->find("total")->as_int(), 7);
  EXPECT_EQ(pagination->find("page")->as_int(), 2);
  EXPECT_EQ(pagination->find("size")->as_int(), 3);
  const std::string cursor(*pagination->find("next_cursor")->as_string());
  const auto third = parse_json_document(get_with("/logs", {{"limit", "3"}, {"cursor", cursor}}).body);
  EXPECT_EQ(third->find("data")->elements().size(), 1u);
  EXPECT_TRUE(third->find("meta")->find("pagination")->find("next_cursor")->is_null());
  EXPECT_EQ(get_with("/logs", {{"limit", "3"}, {"cursor", cursor}, {"action", "CREATE"}}).status, 422);
}

TEST_F(AuditRoutesFixture, CountsInEveryWay) {
  engine.clock.set_now(Timestamp(kTestTime.number() - 2 * kNanosPerDay));
  ASSERT_EQ(
      post_log(R"({"action":"READ","resource_type":"b","resource_id":"1","message":"m","severity":"ERROR"})").status,
      202);
  engine.clock.set_now(kTestTime);
  ASSERT_EQ(post_log(kGoodLog).status, 202);
  ASSERT_EQ(post_log(kGoodLog, TenantId::default_tenant()).status, 202);
  EXPECT_EQ(get_with("/stats/count").body, R"({"data":{"count":2}})");
  EXPECT_EQ(get_with("/stats/by-severity").body,
            R"({"data":{"INFO":1,"WARNING":0,"ERROR":1,"CRITICAL":0},"meta":null})");
  EXPECT_EQ(
      get_with("/stats/by-action").body,
      R"({"data":{"CREATE":1,"UPDATE":0,"DELETE":0,"VIEW":0,"LOGIN":0,"LOGOUT":0,"IMPORT":0,"EXPORT":0,"READ":1},"meta":null})");
  EXPECT_EQ(
      get_with("/stats/daily", {{"days", "3"}}).body,
      R"({"data":[{"date":"2023-11-12","count":1},{"date":"2023-11-13","count":0},{"date":"2023-11-14","count":1}],"meta":null})");
  EXPECT_EQ(parse_json_document(get_with("/stats/daily").body)->find("data")->elements().size(), 7u);
  EXPECT_EQ(
      get_with("/logs/stats", {{"resource_type", "b"}}).body,
      R"({"data":{"total":1,"by_severity":{"INFO":0,"WARNING":0,"ERROR":1,"CRITICAL":0},"by_action":{"CREATE":0,"UPDATE":0,"DELETE":0,)"
      R"("VIEW":0,"LOGIN":0,"LOGOUT":0,"IMPORT":0,"EXPORT":0,"READ":1},"by_resource_type":{"b":1},"daily":[{"date":"2023-11-12","count":1}]},"meta":null})");
}

TEST_F(AuditRoutesFixture, ExportsEveryMatchInItsForm) {
  std::string logs;
  for (int i = 0; i < 2500; ++i) {
    logs += (i == 0 ? "" : ",") + std::string(R"({"action":"VIEW","resource_type":"t","resource_id":")") +
            std::to_string(i) + R"(","message":"=m"})";
  }
  ASSERT_EQ(send({.method = "POST",
                  .path = "/logs/bulk",
                  .body = R"({"logs":[)" + logs + "]}",
                  .query = {},
                  .id = {},
                  .retry_key = {}})
                .status,
            202);
  ASSERT_EQ(post_log(kGoodLog).status, 202);
  HttpResponse json = get_with("/logs/export", {{"action", "VIEW"}});
  EXPECT_EQ(json.content_type, "application/json");
  EXPECT_EQ(json.headers.find("Content-Disposition"), "attachment; filename=\"audit-logs-20231114T221320Z.json\"");
  const auto rows = parse_json_document(whole(std::move(json)));
  ASSERT_EQ(rows->elements().size(), 2500u);
  EXPECT_EQ(rows->elements().front().find("resource_id")->as_string(), "2499");
  const std::string lines = whole(get_with("/logs/export", {{"format", "ndjson"}}));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2501);
  const std::string csv = whole(get_with("/logs/export", {{"format", "csv"}, {"resource_id", "7"}}));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 2);
  EXPECT_NE(csv.find(",INFO,'=m,"), std::string::npos) << csv;
  EXPECT_EQ(whole(get_with("/logs/export", {{"action", "LOGIN"}})), "[]");
  EXPECT_EQ(actions().size(), 4u);
  EXPECT_EQ(actions().front(), "export_logs");
}

TEST_F(AuditRoutesFixture, CleansUpAndSaysWhat) {
  engine.clock.set_now(Timestamp(kTestTime.number() - 40 * kNanosPerDay));
  ASSERT_EQ(post_log(kGoodLog).status, 202);
  ASSERT_EQ(post_log(kGoodLog, TenantId::default_tenant()).status, 202);
  engine.clock.set_now(kTestTime);
  ASSERT_EQ(post_log(kGoodLog).status, 202);
  const auto remove = [this](const std::string& path, std::vector<std::pair<std::string, std::string>> query) {
    return send({.method = "DELETE", .path = path, .body = {}, .query = std::move(query), .id = {}, .retry_key = {}});
  };
  EXPECT_EQ(remove("/logs", {{"days", "0"}}).status, 422);
  EXPECT_EQ(remove("/logs", {}).body,
            R"({"detail":[{"loc":["query","days"],"msg":"Field required","type":"missing"}]})");
  EXPECT_EQ(remove("/logs", {{"days", "1"}, {"dry_run", "perhaps"}}).status, 422);
  EXPECT_EQ(
      remove("/logs", {{"days", "30"}, {"dry_run", "true"}}).body,
      R"({"data":{"message":"Would delete logs older than 30 days","deleted_count":1,"opensearch_deleted":0,"opensearch_error":null,)"
      R"("cutoff_date":"2023-10-15T22:13:20.000000Z"},"meta":null})");
  EXPECT_EQ(
      remove("/logs/cleanup", {{"days", "30"}}).body,
      R"({"data":{"message":"Deleted logs older than 30 days","deleted_count":1,"opensearch_deleted":0,"opensearch_error":null,)"
      R"("cutoff_date":"2023-10-15T22:13:20.000000Z"},"meta":null})");
  EXPECT_EQ(get_with("/stats/count").body, R"({"data":{"count":1}})");
  const AuditStats other = *store->stats(TenantId::default_tenant(), {}, {}, CancelToken());
  EXPECT_EQ(other.total, 1u);
  EXPECT_EQ(actions(), (std::vector<std::string>{"count_logs", "cleanup_logs", "delete_old_logs"}));
  const auto index = [this](std::vector<std::pair<std::string, std::string>> query) {
    return send({.method = "POST",
                 .path = "/logs/index/bulk",
                 .body = {},
                 .query = std::move(query),
                 .id = {},
                 .retry_key = {}});
  };
  EXPECT_EQ(index({{"limit", "1"}}).body, R"({"data":{"message":"No logs found to index","count":0},"meta":null})");
  EXPECT_EQ(index({{"limit", "1001"}}).status, 422);
  EXPECT_EQ(index({{"start_time", "x"}}).status, 422);
}

TEST_F(AuditRoutesFixture, EveryReadIsInTheTrailBeforeItsReply) {
  ASSERT_EQ(post_log(kGoodLog).status, 202);
  get_with("/logs", {{"search", "made"}, {"token", "hush"}});
  get_with("/logs/stats");
  send({.method = "GET",
        .path = "/logs/{id}",
        .body = {},
        .query = {},
        .id = "0123456789abcdef01234567",
        .retry_key = {}});
  get_with("/logs", {{"limit", "0"}});  // read nothing
  EXPECT_EQ(actions(), (std::vector<std::string>{"get_log", "log_stats", "list_logs"}));
  EXPECT_TRUE(actions(TenantId::default_tenant()).empty());
  const HttpResponse page = get_with("/audit-trail", {{"action", "list_logs"}});
  EXPECT_NE(
      page.body.find(
          R"("user_id":"key:1","token_id":"t-1","action":"list_logs","resource_path":"/api/v1/logs","query_params":)"
          R"({"search":"made","token":"***"},"ip_address":"192.0.2.7","request_id":"req-1"}],"meta":{"pagination":{"total":1,)"),
      std::string::npos)
      << page.body;
  EXPECT_EQ(actions().front(), "list_audit_trail");
  // What cannot be recorded is not told.
  trail->fails = true;
  const HttpResponse refused = get_with("/logs");
  EXPECT_EQ(refused.status, 507);
  EXPECT_EQ(refused.body.find("made"), std::string::npos);
  EXPECT_EQ(get_with("/logs/export").stream, nullptr);
}

TEST_F(AuditRoutesFixture, EveryRouteSaysWhoMayCallIt) {
  for (const Route& route : routes) {
    EXPECT_EQ(route.tenant_rule, TenantRule::header) << route.path;
    EXPECT_NE(route.permission, Permission::open) << route.path;
    EXPECT_EQ(route.on, profiles(Profile::platform, Profile::audit)) << route.path;
    EXPECT_EQ(route.errors, ErrorShape::by_profile) << route.path;
    EXPECT_TRUE(route.path.starts_with("/api/v1/")) << route.path;
  }
}

struct AuditStreamRouteFixture : AuditRoutesFixture {
  AuditStreamRouteFixture() {
    server.routes = std::move(routes);
    server.start(Profile::audit);
  }
  static std::string open_socket(const std::string& query = {}, const std::string& more = {}) {
    return get("/api/v1/logs/stream" + query,
               "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                   more);
  }
  static std::string text(std::string_view message) { return masked_frame(WebSocketOpcode::text, message); }
  static void expect_text(RawClient& client, std::string& seen, const std::string& mark) {
    while (seen.find(mark) == std::string::npos) {
      const std::string more = client.read_some();
      ASSERT_FALSE(more.empty()) << "no " << mark << " in " << seen;
      seen += more;
    }
  }
  void add(const std::string& message) {
    ASSERT_EQ(
        post_to_server(R"({"action":"CREATE","resource_type":"user","resource_id":"u1","message":")" + message + "\"}")
            .status,
        202);
  }
  RawReply post_to_server(const std::string& body) {
    RawClient client(server.port());
    return client.ask(post("/api/v1/logs", body));
  }
};

TEST_F(AuditStreamRouteFixture, GreetsSendsEchoesAndTakesOtherFilters) {
  RawClient client(server.port());
  client.send(open_socket("?filters=%7B%22search%22:%22red%22%7D", "Sec-WebSocket-Protocol: any\r\n") + text("early"));
  EXPECT_EQ(client.read_head().status, 101);
  std::string seen;
  expect_text(client, seen, R"({"type":"echo","data":"early"})");
  EXPECT_NE(seen.find(R"({"type":"connection_established","tenant_id":"default","connection_id":")"), std::string::npos)
      << seen;
  EXPECT_NE(seen.find(R"(","message":"Connected to log stream"})"), std::string::npos) << seen;
  add("red 1");
  add("blue 1");
  add("red 2");
  expect_text(client, seen, "\"red 2\"");
  EXPECT_NE(seen.find(R"("metadata":null,"message_id":")"), std::string::npos) << seen;
  EXPECT_NE(seen.find(R"("status":"stored"})"), std::string::npos) << seen;
  client.send(text(R"({"type":"filters","filters":{"search":"blue"}})") + text("{\"a\":1}"));
  expect_text(client, seen, R"({"type":"echo","data":"{\"a\":1}"})");
  add("red 3");
  add("blue 2");
  expect_text(client, seen, "\"blue 2\"");
  EXPECT_EQ(seen.find("blue 1"), std::string::npos);
  EXPECT_EQ(seen.find("red 3"), std::string::npos);
  EXPECT_EQ(actions(TenantId::default_tenant()), (std::vector<std::string>{"stream_logs"}));
}

TEST_F(AuditStreamRouteFixture, RefusalsAreAcceptedAndClosed) {
  const auto closes = [this](const std::string& query, WebSocketClose code, const std::string& more = {},
                             const std::string& message = {}) {
    RawClient client(server.port());
    client.send(open_socket(query, more) + message);
    EXPECT_EQ(client.read_head().status, 101) << query;
    std::string seen;
    const auto value = static_cast<unsigned>(code);
    expect_text(client, seen, std::string{static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)});
  };
  closes("?filters=7", WebSocketClose::policy);
  closes("?filters=%7B", WebSocketClose::policy);
  closes("?filters=%7B%22action%22:%22x%22%7D", WebSocketClose::policy);
  closes("?after=x", WebSocketClose::policy);
  closes("?after=0123456789abcdef01234567", WebSocketClose::policy);
  closes("?tenant=other", WebSocketClose::policy);
  closes("", WebSocketClose::policy, "X-Tenant-ID: other\r\n");
  closes("", WebSocketClose::policy, {}, text(R"({"type":"filters","filters":{"action":"x"}})"));
  trail->fails = true;
  closes("", WebSocketClose::fault);
  RawClient plain(server.port());
  const RawReply reply = plain.ask(get("/api/v1/logs/stream"));
  EXPECT_EQ(reply.status, 426);
  EXPECT_TRUE(reply.body.starts_with(R"({"detail":")")) << reply.body;
}

TEST_F(AuditStreamRouteFixture, TooManyStreamsAndABusyServerSaySo) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(open_socket());
    std::string seen;
    expect_text(*clients.back(), seen, "connection_established");
  }
  RawClient fourth(server.port());
  fourth.send(open_socket());
  EXPECT_EQ(fourth.read_head().status, 101);
  std::string seen;
  expect_text(fourth, seen, std::string("\x03\xF5", 2));  // 1013
  expect_text(fourth, seen, "too many streams");
}

TEST_F(AuditStreamRouteFixture, FixedPathsWinOverIds) {
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/api/v1/logs/stats")).status, 200);
  EXPECT_EQ(client.ask(get("/api/v1/logs/cleanup")).status, 405);
  EXPECT_EQ(client.ask(get("/api/v1/logs/xyz")).body, R"({"detail":"Invalid log ID"})");
  EXPECT_EQ(client.ask(post("/api/v1/logs", std::string((1 << 20) + 1, ' '))).body,
            R"({"detail":"Request body too large"})");
}

}  // namespace
}  // namespace dendro
