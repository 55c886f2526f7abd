#include "server/request_gate.h"

#include <gtest/gtest.h>

namespace dendro {
namespace {

/// Status of a request at the gate, 0 for none.
struct GateCase {
  ServerOptions options;
  Profile profile = Profile::platform;
  RequestHead head;
  Peer peer{.address = "192.0.2.7"};
  OpenServer mode = OpenServer::yes;

  GateCase() {
    head.method = "GET";
    head.path = "/x";
    head.authority = "localhost:8080";
  }
  GateCase& host(std::string text) {
    head.authority = std::move(text);
    return *this;
  }
  GateCase& method(std::string text) {
    head.method = std::move(text);
    return *this;
  }
  GateCase& field(std::string name, std::string value) {
    head.headers.add(std::move(name), std::move(value));
    return *this;
  }
  int status() const {
    const auto refusal = check_gate(options, mode, profile, peer, head);
    return refusal ? refusal->status : 0;
  }
};

TEST(RequestGate, OpenPlatformAnswersOnlyToNamesThatCannotBeRebound) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "[::1]", "localhost", "localhost:1",
                           "dendro:8080", "192.168.1.7"}) {
    EXPECT_EQ(GateCase().host(host).status(), 0) << host;
  }
  for (const char* host : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.", "",
                           "[evil.example]", "1.2.3", "[::1", ":8080"}) {
    EXPECT_EQ(GateCase().host(host).status(), 421) << host;
  }
}

TEST(RequestGate, AllowedHostsAuthAndOtherProfilesAreNotMisdirected) {
  GateCase allowed;
  allowed.options.allowed_hosts = {"logs.example.org"};
  EXPECT_EQ(allowed.host("LOGS.example.org:8080").status(), 0);
  EXPECT_EQ(allowed.host("other.example.org").status(), 421);
  GateCase with_auth;
  with_auth.mode = OpenServer::no;
  EXPECT_EQ(with_auth.host("logs.example.org").status(), 0);
  GateCase ingest;
  ingest.profile = Profile::ingest;
  EXPECT_EQ(ingest.host("logs.example.org").status(), 0);
}

TEST(RequestGate, MisdirectedTextNamesTheSetting) {
  const GateCase evil = GateCase().host("evil.example");
  EXPECT_NE(
      check_gate(evil.options, evil.mode, evil.profile, evil.peer, evil.head)->detail.find("server.allowed_hosts"),
      std::string::npos);
}

TEST(RequestGate, CrossSiteWritesAreRefused) {
  EXPECT_EQ(GateCase().method("POST").status(), 0) << "curl sends neither";
  EXPECT_EQ(GateCase().method("POST").field("Origin", "http://localhost:8080").status(), 0);
  EXPECT_EQ(GateCase().method("POST").field("Origin", "http://localhost:8081").status(), 403);
  EXPECT_EQ(GateCase().method("POST").field("Origin", "https://localhost:8080").status(), 403);
  EXPECT_EQ(GateCase().method("DELETE").field("Origin", "null").status(), 403);
  EXPECT_EQ(GateCase().method("PUT").field("Sec-Fetch-Site", "cross-site").status(), 403);
  EXPECT_EQ(GateCase().method("PUT").field("Sec-Fetch-Site", "same-site").status(), 403);
  EXPECT_EQ(GateCase().method("POST").field("Sec-Fetch-Site", "same-origin").status(), 0);
  EXPECT_EQ(GateCase().field("Origin", "http://evil.example").status(), 0) << "reading is not a change";
}

TEST(RequestGate, TheSchemeOfTheConnectionBelongsToTheOrigin) {
  GateCase secure;
  secure.peer.is_tls = true;
  EXPECT_EQ(GateCase(secure).method("POST").field("Origin", "https://localhost:8080").status(), 0);
  EXPECT_EQ(GateCase(secure).method("POST").field("Origin", "http://localhost:8080").status(), 403);
}

TEST(RequestGate, ATrustedProxySaysSchemeAndHost) {
  GateCase proxied;
  proxied.field("X-Forwarded-Proto", "https").field("X-Forwarded-Host", "logs.example.org").method("POST");
  EXPECT_EQ(GateCase(proxied).field("Origin", "https://logs.example.org").status(), 403) << "anybody says so";
  proxied.options.trusted_proxies = *PeerNetworks::parse({"192.0.2.0/24"});
  EXPECT_EQ(GateCase(proxied).field("Origin", "https://logs.example.org").status(), 0);
  EXPECT_EQ(GateCase(proxied).field("Origin", "http://logs.example.org").status(), 403);
  EXPECT_EQ(GateCase(proxied).field("Origin", "https://localhost:8080").status(), 403);
}

TEST(RequestGate, ListedOriginsMayChangeThings) {
  GateCase listed;
  listed.options.cors_origins = *CorsOrigins::parse({"https://app.example.org"});
  EXPECT_EQ(GateCase(listed).method("POST").field("Origin", "https://app.example.org").status(), 0);
  EXPECT_EQ(GateCase(listed)
                .method("POST")
                .field("Origin", "https://app.example.org")
                .field("Sec-Fetch-Site", "cross-site")
                .status(),
            0);
  EXPECT_EQ(GateCase(listed).field("Upgrade", "websocket").field("Origin", "https://app.example.org").status(), 0);
  for (const char* other : {"http://app.example.org", "https://app.example.org:8443", "https://evil.example", "null",
                            "https://app.example.org.evil.example", "https://app.example.org/"}) {
    EXPECT_EQ(GateCase(listed).method("POST").field("Origin", other).status(), 403) << other;
  }
}

TEST(RequestGate, AnyOriginIsNotAnyWebSocket) {
  GateCase any;
  any.options.cors_origins = *CorsOrigins::parse({"*"});
  EXPECT_EQ(GateCase(any).method("POST").field("Origin", "https://evil.example").status(), 0);
  EXPECT_EQ(GateCase(any).field("Upgrade", "websocket").field("Origin", "https://evil.example").status(), 403);
}

TEST(RequestGate, PublicUrlIsTheSameOrigin) {
  GateCase proxied;
  proxied.options.public_url = "https://logs.example.org/";
  EXPECT_EQ(proxied.method("POST").field("Origin", "https://logs.example.org").status(), 0);
}

TEST(RequestGate, IngestProfileTakesAnyOrigin) {
  GateCase ingest;
  ingest.profile = Profile::ingest;
  EXPECT_EQ(ingest.method("POST").field("Origin", "http://evil.example").status(), 0);
}

TEST(RequestGate, OriginVerifyGuardsAllButHealth) {
  GateCase guarded;
  guarded.options.origin_verify = "s3cret";
  EXPECT_EQ(guarded.status(), 403);
  EXPECT_EQ(GateCase(guarded).field("X-Origin-Verify", "s3cre").status(), 403);
  EXPECT_EQ(GateCase(guarded).field("X-Origin-Verify", "s3crets").status(), 403);
  EXPECT_EQ(GateCase(guarded).field("X-Origin-Verify", "s3cret").status(), 0);
  guarded.head.path = "/healthz";
  EXPECT_EQ(guarded.status(), 0);
}

}  // namespace
}  // namespace dendro
