#include <gtest/gtest.h>

#include "server/access_gate.h"
#include "server/web_socket_handshake.h"
#include "tests/server/fake_authenticator.h"
#include "tests/server/test_server.h"
#include "tests/server/web_socket_frames.h"

namespace dendro {
namespace {

/// Says nothing; closes when it may not go on.
class QuietSocket final : public WebSocketHandler {
 public:
  void opened(std::shared_ptr<WebSocketOut> out) override { out_ = std::move(out); }
  void message(std::string) override {}
  void drained() override {}
  void stopping() override { out_->close(WebSocketClose::restart, {}); }
  void access_lost() override { out_->close(WebSocketClose::policy, "lost"); }
  void closed() override {}

 private:
  std::shared_ptr<WebSocketOut> out_;
};

class RefusedSocket final : public WebSocketHandler {
 public:
  explicit RefusedSocket(std::string why) : why_(std::move(why)) {}
  void opened(std::shared_ptr<WebSocketOut> out) override { out->close(WebSocketClose::policy, why_); }
  void message(std::string) override {}
  void drained() override {}
  void stopping() override {}
  void access_lost() override {}
  void closed() override {}

 private:
  const std::string why_;
};

/// A first piece, then nothing more. Who asks for the next one is kept by the test: it keeps the stream alive.
class HangingStream final : public ResponseStream {
 public:
  explicit HangingStream(std::vector<std::function<void(Piece)>>& waiting) : waiting_(waiting) {}
  void next(std::function<void(Piece)> done) override {
    if (is_begun_) return waiting_.push_back(std::move(done));
    is_begun_ = true;
    done(std::optional<std::string>("begun"));
  }

 private:
  std::vector<std::function<void(Piece)>>& waiting_;
  bool is_begun_ = false;
};

/// GET /read (search), POST /write (ingest), /about (no tenant), /audit (the header must be there), /free, /ws, /hang.
struct AuthenticationFixture : testing::Test {
  AuthenticationFixture() {
    const auto who = [](const HttpRequest& request) {
      return plain_text(request.tenant.text() + " " + (request.principal ? request.principal->id : "nobody") +
                        (request.access ? "" : " without access"));
    };
    server.add_plain("GET", "/read", who).permission = Permission::search;
    server.add_plain("POST", "/write", who).permission = Permission::ingest;
    Route& about = server.add_plain("GET", "/about", who);
    about.permission = Permission::keys;
    about.tenant_rule = TenantRule::none;
    Route& audit = server.add_plain("GET", "/audit", who);
    audit.permission = Permission::search;
    audit.tenant_rule = TenantRule::header;
    server.add_plain("GET", "/free", who);
    Route& socket = server.add_plain("GET", "/ws", [](const HttpRequest& request) {
      return accept_web_socket(request, "x.v1", std::make_shared<QuietSocket>());
    });
    socket.permission = Permission::stream;
    socket.refuse_web_socket = [](const HttpRequest& request, const GateRefusal& refusal) {
      return accept_web_socket(request, "x.v1", std::make_shared<RefusedSocket>(refusal.detail));
    };
    Route& hang = server.add_plain("GET", "/hang", [this](const HttpRequest&) {
      HttpResponse response = plain_text({});
      response.stream = std::make_unique<HangingStream>(waiting);
      return response;
    });
    hang.permission = Permission::search;
    authenticator.add("reader", "shop", {Permission::search, Permission::stream});
    authenticator.add("writer", "shop", {Permission::ingest});
    authenticator.add("root", "*", PermissionSet::all());
    server.options.loop_threads = 1;  // `waiting` is its alone
    server.access.authenticator = &authenticator;
    server.access.roles_with = [](Permission permission) {
      if (permission == Permission::ingest) return std::vector<std::string>{"admin", "writer"};
      return std::vector<std::string>{"admin"};
    };
  }

  static std::string bearer(std::string_view secret) { return "Authorization: Bearer " + std::string(secret) + "\r\n"; }
  static std::string of(std::string_view tenant) { return "X-Tenant-ID: " + std::string(tenant) + "\r\n"; }
  RawReply ask(std::string_view path, const std::string& lines = {}) {
    return RawClient(server.port()).ask(get(path, lines));
  }
  static std::string socket_lines() {
    return "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  }
  static std::string close_frame(std::string_view reason) {
    std::string bytes;
    append_web_socket_close(bytes, WebSocketClose::policy, reason);
    return bytes;
  }
  static void expect_bytes(RawClient& client, const std::string& expected) {
    std::string seen;
    while (seen.size() < expected.size()) {
      const std::string more = client.read_some();
      if (more.empty()) break;
      seen += more;
    }
    EXPECT_EQ(seen, expected);
  }

  FakeAuthenticator authenticator;
  std::vector<std::function<void(ResponseStream::Piece)>> waiting;
  TestServer server;
};

TEST_F(AuthenticationFixture, AsksEveryCallerButOnOpenRoutes) {
  server.start();
  const RawReply nobody = ask("/read");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_EQ(nobody.field("www-authenticate"), "Bearer");
  EXPECT_NE(nobody.body.find(R"("detail":"Not authenticated","code":"signed_out")"), std::string::npos);
  EXPECT_NE(ask("/read", bearer("stranger")).body.find(R"("code":"unauthenticated")"), std::string::npos);
  EXPECT_NE(ask("/read", "Cookie: sid=stranger\r\n").body.find(R"("code":"signed_out")"), std::string::npos);
  EXPECT_EQ(ask("/read", "Authorization: Token x\r\n").status, 401);
  EXPECT_EQ(ask("/read", bearer("reader")).body, "shop key:reader");
  EXPECT_EQ(ask("/free").body, "default nobody without access");
  EXPECT_EQ(ask("/free", bearer("stranger")).status, 200);
  EXPECT_EQ(ask("/none", bearer("reader")).status, 404);
}

TEST_F(AuthenticationFixture, AsksTheAuthenticatorOnceAndItsMemoryAfterwards) {
  server.start();
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask(get("/read", bearer("reader"))).status, 200);
  EXPECT_EQ(client.ask(post("/write", "body", bearer("writer"))).status, 200) << "the body is read behind the question";
  EXPECT_EQ(authenticator.asked(), 2);
}

TEST_F(AuthenticationFixture, TheRightIsNamedWithTheRolesThatHaveIt) {
  server.start();
  const RawReply reply = RawClient(server.port()).ask(post("/write", "x", bearer("reader")));
  EXPECT_EQ(reply.status, 403);
  EXPECT_NE(reply.body.find(R"("detail":"Insufficient permissions. Required roles: admin, writer")"),
            std::string::npos);
  EXPECT_NE(reply.body.find(R"("required_role":"admin, writer")"), std::string::npos);
}

TEST_F(AuthenticationFixture, ATenantIsNarrowedNeverWidened) {
  server.start();
  EXPECT_EQ(ask("/read", bearer("reader") + of("shop")).status, 200);
  const RawReply foreign = ask("/read", bearer("reader") + of("bank"));
  EXPECT_EQ(foreign.status, 403);
  EXPECT_NE(foreign.body.find("Token does not have access to tenant bank"), std::string::npos);
  EXPECT_EQ(ask("/read?tenant=bank", bearer("reader")).status, 403);
  EXPECT_EQ(ask("/read?tenant=bank", bearer("reader") + of("shop")).status, 400) << "two names";
  EXPECT_EQ(ask("/read?tenant=bank", bearer("root")).body, "bank key:root");
  EXPECT_EQ(ask("/read?tenant=b%01", bearer("root")).status, 400);
  EXPECT_EQ(ask("/read", bearer("root") + of("*")).status, 400) << "no tenant has this name";
  const RawReply unnamed = ask("/read", bearer("root"));
  EXPECT_EQ(unnamed.status, 400);
  EXPECT_NE(unnamed.body.find(R"("code":"tenant_required")"), std::string::npos);
}

TEST_F(AuthenticationFixture, SomeRoutesDemandTheHeaderAndSomeHaveNoTenant) {
  server.start(Profile::analytics);
  const RawReply missing = ask("/audit", bearer("reader"));
  EXPECT_EQ(missing.status, 422);
  EXPECT_EQ(missing.body, R"({"detail":[{"loc":["header","x-tenant-id"],"msg":"Field required","type":"missing"}]})");
  const RawReply empty = ask("/audit", bearer("reader") + "X-Tenant-ID:\r\n");
  EXPECT_EQ(empty.status, 400);
  EXPECT_EQ(empty.body, R"({"detail":"X-Tenant-ID header is required"})");
  EXPECT_EQ(ask("/audit", bearer("reader") + of("shop")).body, "shop key:reader");
  EXPECT_EQ(ask("/about", bearer("reader")).status, 403);
  EXPECT_EQ(ask("/about", bearer("root")).status, 200);
}

TEST_F(AuthenticationFixture, WhatTheAuthenticatorCannotSayIsNoRefusalOfTheCaller) {
  authenticator.fail(ErrorCode::unavailable);
  server.start();
  const RawReply away = ask("/read", bearer("reader"));
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.field("retry-after"), "5");
  EXPECT_EQ(away.body.find("secret detail"), std::string::npos);
  authenticator.fail(ErrorCode::resource_exhausted);
  EXPECT_EQ(ask("/read", bearer("reader")).status, 429);
}

TEST_F(AuthenticationFixture, ATenantMayBeClosedOrOverItsQuota) {
  server.access.tenant_admits = [](const TenantId& tenant, Permission permission) -> TenantAnswer {
    if (tenant.text() == "shop") return {Error(ErrorCode::permission_denied, "Tenant shop is suspended")};
    if (permission != Permission::ingest) return {};
    return {Error(ErrorCode::resource_exhausted, "enough for today"), std::chrono::seconds(77)};
  };
  std::uint64_t counted = 0;
  server.access.count_body = [&counted](const TenantId&, Permission, std::uint64_t bytes) { counted += bytes; };
  server.start();
  EXPECT_EQ(ask("/read", bearer("reader")).status, 403);
  EXPECT_EQ(ask("/read", bearer("root") + of("bank")).status, 200);
  const RawReply over = RawClient(server.port()).ask(post("/write", "12345", bearer("root") + of("bank")));
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.field("retry-after"), "77");
  EXPECT_EQ(counted, 0u) << "nobody handled it";
}

TEST_F(AuthenticationFixture, BodiesAreCountedAsTheyAreHandled) {
  std::atomic<std::uint64_t> counted = 0;
  server.access.count_body = [&counted](const TenantId& tenant, Permission permission, std::uint64_t bytes) {
    if (tenant.text() == "shop" && permission == Permission::ingest) counted += bytes;
  };
  server.start();
  RawClient client(server.port());
  EXPECT_EQ(client.ask(post("/write", "12345", bearer("writer"))).status, 200);
  EXPECT_EQ(counted, 5u);
}

TEST_F(AuthenticationFixture, RestrictedCallersReadOnlyWhereThatIsHonoured) {
  Route& honest = server.add_plain("GET", "/honest", [](const HttpRequest&) { return plain_text("some"); });
  honest.permission = Permission::search;
  honest.honours_restrictions = true;
  for (const Access& restricted :
       {Access{{Permission::search}, {}, {"a:=b"}, {}, {}}, Access{{Permission::search}, {}, {}, {"a"}, {}},
        Access{{Permission::search}, {}, {}, {}, {"a"}}}) {
    auto principal = std::make_shared<Principal>();
    principal->grants = {{*TenantId::parse("shop"), std::make_shared<const Access>(restricted)}};
    authenticator.add("some", std::move(principal));
    if (!server.server) server.start();
    EXPECT_EQ(ask("/read", bearer("some")).status, 403);
    EXPECT_EQ(ask("/honest", bearer("some")).status, 200);
    authenticator.revoke("some");
  }
}

TEST_F(AuthenticationFixture, ACookieNeedsTheHeaderThatNoOtherSiteCanSet) {
  authenticator.add("S1", "shop", PermissionSet::all());
  server.start();
  const auto write = [this](const std::string& lines) {
    return RawClient(server.port()).ask(post("/write", "x", lines)).status;
  };
  const std::string cookie = "Cookie: sid=S1\r\n", header = "X-Dendro-UI: 1\r\n";
  const std::string here = "Sec-Fetch-Site: same-origin\r\n", json = "Content-Type: application/json; charset=x\r\n";
  EXPECT_EQ(write(cookie), 403);
  EXPECT_EQ(write(cookie + here + json), 403) << "no page of another site can set this header";
  EXPECT_EQ(write(cookie + header + json), 403) << "a browser says where a change is from";
  EXPECT_EQ(write(cookie + header + here), 403) << "no form sends this type";
  EXPECT_EQ(write(cookie + header + here + "Content-Type: text/plain\r\n"), 403);
  EXPECT_EQ(write(cookie + header + "Sec-Fetch-Site: same-site\r\n" + json), 403);
  EXPECT_EQ(write(cookie + header + here + json), 200);
  EXPECT_EQ(write(cookie + header + "Origin: http://localhost\r\nContent-Type: application/octet-stream\r\n"), 200);
  EXPECT_EQ(write(bearer("S1")), 200) << "a program is not asked for that";
  EXPECT_EQ(ask("/read", cookie).status, 200);
}

TEST_F(AuthenticationFixture, OffLoopbackASecretDoesNotComeReadable) {
  ServerOptions options;
  const auto status = [&options](Peer peer, const std::string& proto) {
    RequestHead head;
    head.method = "GET";
    head.headers.add("Authorization", "Bearer reader");
    if (!proto.empty()) head.headers.add("X-Forwarded-Proto", proto);
    const auto shown = demand_credential(options, peer, head);
    return std::holds_alternative<GateRefusal>(shown) ? std::get<GateRefusal>(shown).status : 0;
  };
  EXPECT_EQ(status({"127.0.0.1", true}, ""), 0);
  EXPECT_EQ(status({"10.0.0.9", false}, ""), 403);
  EXPECT_EQ(status({"10.0.0.9", false}, "https"), 403) << "anyone can say so";
  options.trusted_proxies = *PeerNetworks::parse({"10.0.0.0/8"});
  EXPECT_EQ(status({"10.0.0.9", false}, "https"), 0);
  EXPECT_EQ(status({"10.0.0.9", false}, "http"), 403);
  EXPECT_EQ(status({"11.0.0.9", false}, "https"), 403);
  options.tokens_over_http = TokensOverHttp::warn;
  EXPECT_EQ(status({"11.0.0.9", false}, ""), 0);
}

TEST_F(AuthenticationFixture, ARefusedWebSocketIsToldInside) {
  server.start();
  const auto told = [this](const std::string& lines, const std::string& why) {
    RawClient client(server.port());
    client.send(get("/ws", socket_lines() + lines));
    EXPECT_EQ(client.read_head().status, 101);
    expect_bytes(client, close_frame(why));
  };
  told({}, "Not authenticated");
  told(bearer("stranger"), "Could not validate credentials");
  told(bearer("reader") + of("bank"), "Token does not have access to tenant bank");
  told(bearer("writer"), "Insufficient permissions. Required roles: admin");
  EXPECT_EQ(ask("/ws", bearer("writer")).status, 403) << "no WebSocket was asked for";
  EXPECT_EQ(ask("/ws", socket_lines() + "Origin: http://evil.example\r\n" + bearer("reader")).status, 403);
}

TEST_F(AuthenticationFixture, RevocationEndsWhatIsOpen) {
  server.start();
  RawClient socket(server.port());
  socket.send(get("/ws", socket_lines() + bearer("reader")));
  EXPECT_EQ(socket.read_head().status, 101);
  RawClient stream(server.port());
  stream.send(get("/hang", bearer("reader")));
  EXPECT_EQ(stream.read_head().status, 200);
  EXPECT_NE(stream.read_some().find("begun"), std::string::npos);
  RawClient other(server.port());
  other.send(get("/hang", bearer("root") + of("shop")));
  EXPECT_EQ(other.read_head().status, 200);
  authenticator.revoke("reader");
  EXPECT_EQ(ask("/read", bearer("reader")).status, 401);
  expect_bytes(socket, close_frame("lost"));
  EXPECT_TRUE(stream.is_closed_by_peer());
  EXPECT_NE(other.read_some().find("begun"), std::string::npos) << "others are left alone";
}

TEST_F(AuthenticationFixture, AStreamEndsWithItsCredential) {
  authenticator.add("brief", "shop", {Permission::stream}, server.clock.now().next(60 * kNanosPerSecond));
  server.start();
  RawClient socket(server.port());
  socket.send(get("/ws", socket_lines() + bearer("brief")));
  EXPECT_EQ(socket.read_head().status, 101);
  server.advance(std::chrono::seconds(61));
  std::string seen;
  while (seen.find(close_frame("lost")) == std::string::npos) {
    const std::string more = socket.read_some();
    ASSERT_FALSE(more.empty());
    seen += more;
  }
}

TEST_F(AuthenticationFixture, OpenModeKnowsOneTenant) {
  server.access.is_on = [] { return false; };
  server.start();
  EXPECT_EQ(ask("/read").body, "default nobody without access");
  EXPECT_EQ(ask("/read", of("default")).status, 200);
  EXPECT_EQ(ask("/read", of("acme")).status, 403);
  EXPECT_NE(ask("/read", of("acme")).body.find("configure SECRET_KEY to use tenants"), std::string::npos);
  EXPECT_EQ(ask("/read", "X-Tenant-ID:\r\n").status, 400);
  EXPECT_EQ(ask("/read?tenant=acme").status, 403);
  EXPECT_EQ(ask("/read?tenant=acme", of("default")).status, 400);
  EXPECT_EQ(ask("/free", of("acme")).status, 200) << "nobody is asked";
}

}  // namespace
}  // namespace dendro
