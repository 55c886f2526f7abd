#include "server/system_routes.h"

#include <gtest/gtest.h>

#include "tests/server/test_server.h"

namespace dendro {
namespace {

/// A server with nothing but the system routes.
class SystemServer : public TestServer {
 public:
  explicit SystemServer(Profile profile = Profile::platform, SystemParts parts = {}) {
    parts.version = "1.2.3";
    parts.commit = "abc";
    parts.metrics = &metrics;
    add_system_routes(routes, std::move(parts));
    start(profile);
  }
};

TEST(SystemRoutes, HealthAnswersInEveryProfile) {
  for (const Profile profile : {Profile::platform, Profile::analytics, Profile::ingest, Profile::audit}) {
    SystemServer server(profile);
    RawClient client(server.port());
    EXPECT_EQ(client.ask(get("/healthz")).body, R"({"status":"ok"})");
    EXPECT_EQ(client.ask(get("/health")).body, R"({"status":"ok"})");
    EXPECT_EQ(client.ask(get("/_healthz")).body, R"({"status":"HEALTHY","count":0})");
    client.send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(client.read_reply(true).status, 200);
    EXPECT_EQ(client.ask(post("/health", "")).status, 405);
    EXPECT_EQ(client.ask(get("/health/")).status, 404);
  }
}

TEST(SystemRoutes, AccessHealthFollowsItsCallback) {
  SystemServer server(Profile::platform, {.access_health = [] { return AccessHealth{false, std::nullopt}; }});
  RawClient client(server.port());
  const RawReply reply = client.ask(get("/_healthz"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, R"({"status":"UNHEALTHY","count":null})");
}

TEST(SystemRoutes, ReadinessHasALineABackend) {
  bool is_ready = false;
  const auto backends = [&is_ready] {
    return std::vector<Readiness>{{"store", true, ""}, {"spool", is_ready, is_ready ? "" : "full"}};
  };
  SystemServer server(Profile::platform, {.readiness = backends});
  RawClient client(server.port());
  RawReply reply = client.ask(get("/readyz"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, "store ok\nspool not ready: full\n");
  is_ready = true;
  reply = client.ask(get("/readyz"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "store ok\nspool ok\n");
}

TEST(SystemRoutes, VersionAndMetrics) {
  SystemServer server;
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/version")).body, R"({"version":"1.2.3","commit":"abc"})");
  const RawReply reply = client.ask(get("/metrics"));
  EXPECT_EQ(reply.field("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(reply.body.find("dendro_http_requests_total{method=\"GET\",route=\"/version\",status=\"200\"} 1\n"),
            std::string::npos);
}

TEST(SystemRoutes, OperatedProfilesOnly) {
  SystemServer server(Profile::ingest);
  RawClient client(server.port());
  for (const char* path : {"/readyz", "/version", "/metrics", "/docs", "/openapi.json"}) {
    EXPECT_EQ(client.ask(get(path)).status, 404) << path;
  }
}

TEST(SystemRoutes, HomeLeadsToTheDocs) {
  SystemServer server;
  RawClient client(server.port());
  const RawReply home = client.ask(get("/"));
  EXPECT_EQ(home.status, 302);
  EXPECT_EQ(home.field("location"), "/docs");
  EXPECT_EQ(client.ask(get("/docs")).field("content-type"), "text/html; charset=utf-8");
  SystemServer analytics(Profile::analytics);
  RawClient other(analytics.port());
  EXPECT_EQ(other.ask(get("/")).status, 404);
}

TEST(SystemRoutes, TheAuditProfileWelcomesAndDocumentsBelowItsPrefix) {
  SystemServer server(Profile::audit, {.api_prefix = "/v9", .project_name = "ocelot \"x\""});
  RawClient client(server.port());
  EXPECT_EQ(client.ask(get("/")).body, R"({"message":"Welcome to ocelot \"x\""})");
  EXPECT_EQ(client.ask(post("/", "")).status, 405);
  EXPECT_EQ(client.ask(get("/openapi.json")).body, R"({"detail":"Not Found"})");
  EXPECT_NE(client.ask(get("/v9/openapi.json")).body.find(R"("/v9/docs":)"), std::string::npos);
  for (const char* path : {"/docs", "/v9/docs"}) {
    EXPECT_NE(client.ask(get(path)).body.find(R"(href="/v9/openapi.json")"), std::string::npos) << path;
  }
  EXPECT_EQ(client.ask(get("/docs/style.css")).status, 200);
  EXPECT_EQ(client.ask(get("/readyz")).status, 200);
  EXPECT_EQ(client.ask(get("/recent")).status, 404);
}

TEST(SystemRoutes, StyleSheetIsRevalidated) {
  SystemServer server;
  RawClient client(server.port());
  const RawReply first = client.ask(get("/docs/style.css"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.field("cache-control"), "no-cache");
  const RawReply again = client.ask(get("/docs/style.css", "If-None-Match: " + first.field("etag") + "\r\n"));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.field("etag"), first.field("etag"));
  EXPECT_EQ(client.ask(get("/healthz")).status, 200) << "a 304 has no body";
}

}  // namespace
}  // namespace dendro
