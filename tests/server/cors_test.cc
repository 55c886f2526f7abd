#include "server/cors.h"

#include <gtest/gtest.h>

#include "tests/server/fake_authenticator.h"
#include "tests/server/test_server.h"

namespace dendro {
namespace {

TEST(CorsOrigins, AreComparedAsBrowsersWriteThem) {
  const CorsOrigins origins = *CorsOrigins::parse({"https://App.Example.org:443", "http://localhost:3000"});
  for (const char* good : {"https://app.example.org", "http://localhost:3000"})
    EXPECT_TRUE(origins.allows(good)) << good;
  for (const char* bad : {"http://app.example.org", "https://app.example.org:8443", "https://example.org", "null", "",
                          "http://localhost", "https://app.example.org.evil.example"}) {
    EXPECT_FALSE(origins.allows(bad)) << bad;
  }
  EXPECT_FALSE(CorsOrigins().allows(""));
  EXPECT_TRUE(CorsOrigins().empty());
}

TEST(CorsOrigins, WhatIsNoOriginIsRefused) {
  for (const char* bad : {"", "app.example.org", "https://", "https://a/", "https://a/path", "https://*.example.org",
                          "null", "ftp://a", "https://u@a", "https://a b", "https://:80"}) {
    EXPECT_FALSE(CorsOrigins::parse({bad})) << bad;
  }
  EXPECT_FALSE(CorsOrigins::parse({"*", "https://a"})) << "a star leaves nothing to name";
  EXPECT_TRUE(CorsOrigins::parse({"*"})->is_any());
}

struct CorsFixture : testing::Test {
  CorsFixture() {
    server.add_usual();
    server.add_plain("GET", "/secret", [](const HttpRequest&) { return plain_text("secret"); }).permission =
        Permission::search;
    authenticator.add("key", "shop", {Permission::search});
    server.access.authenticator = &authenticator;
  }
  void start(const std::vector<std::string>& origins) {
    server.options.cors_origins = *CorsOrigins::parse(origins);
    server.start();
  }
  RawReply ask(const std::string& request) const { return RawClient(server.port()).ask(request); }
  static std::string preflight(const std::string& path, const std::string& origin) {
    return "OPTIONS " + path + " HTTP/1.1\r\nHost: localhost\r\nOrigin: " + origin +
           "\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n";
  }
  FakeAuthenticator authenticator;
  TestServer server;
};

constexpr const char* kApp = "https://app.example.org";

TEST_F(CorsFixture, PreflightNeedsNoCredential) {
  start({kApp});
  const RawReply reply = ask(preflight("/secret", kApp));
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.field("access-control-allow-origin"), kApp);
  EXPECT_EQ(reply.field("access-control-allow-credentials"), "true");
  EXPECT_EQ(reply.field("access-control-allow-methods"), "GET");
  EXPECT_NE(reply.field("access-control-allow-headers").find("authorization"), std::string::npos);
  EXPECT_EQ(reply.field("vary"), "Origin");
}

TEST_F(CorsFixture, OtherOriginsAreToldNothing) {
  start({kApp});
  const RawReply asked = ask(preflight("/secret", "https://evil.example"));
  EXPECT_EQ(asked.status, 405);
  EXPECT_EQ(asked.field("access-control-allow-origin"), "");
  const RawReply reply = ask(get("/hello", "Origin: https://evil.example\r\n"));
  EXPECT_EQ(reply.status, 200) << "the browser keeps it from the page";
  EXPECT_EQ(reply.field("access-control-allow-origin"), "");
  EXPECT_EQ(reply.field("vary"), "Origin") << "a cache must not hand it to the page that may";
  EXPECT_EQ(ask(post("/echo", "", "Origin: https://evil.example\r\n")).status, 403);
}

TEST_F(CorsFixture, RefusalsCanBeReadToo) {
  start({kApp});
  const std::string origin = "Origin: " + std::string(kApp) + "\r\n";
  const RawReply refused = ask(get("/secret", origin));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.field("access-control-allow-origin"), kApp);
  EXPECT_EQ(ask(get("/secret", origin + "Authorization: Bearer key\r\n")).body, "secret");
  EXPECT_EQ(ask(post("/echo", "x", origin)).body, "x");
}

TEST_F(CorsFixture, AnyOriginComesWithoutCookies) {
  start({"*"});
  const RawReply asked = ask(preflight("/echo", "https://anyone.example"));
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.field("access-control-allow-origin"), "*");
  EXPECT_EQ(asked.field("access-control-allow-credentials"), "");
  EXPECT_EQ(asked.field("vary"), "");
  EXPECT_EQ(ask(get("/hello")).field("access-control-allow-origin"), "*");
}

TEST_F(CorsFixture, WithoutAListNothingIsSaid) {
  start({});
  const RawReply reply = ask(get("/hello", "Origin: " + std::string(kApp) + "\r\n"));
  EXPECT_EQ(reply.field("access-control-allow-origin"), "");
  EXPECT_EQ(reply.field("vary"), "");
  EXPECT_EQ(ask(preflight("/echo", kApp)).status, 405);
}

}  // namespace
}  // namespace dendro
